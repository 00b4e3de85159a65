//! Files that a command names in its arguments, to read or to write them, and programs that read others than they name.
//!
//! Owns which programs do nothing with a plain argument but open it, and which reach further. That a word is known, and where
//! a path leads, is found out elsewhere; of what a program opens by itself nothing is known here.

use super::word::Word;
use super::wrappers;
use crate::rule::{Rule, Subject};

/// Programs whose plain arguments are files that they read, and nothing else.
const READERS: [&str; 22] = [
    "cat",
    "tac",
    "less",
    "more",
    "head",
    "tail",
    "wc",
    "nl",
    "od",
    "xxd",
    "hexdump",
    "strings",
    "base64",
    "base32",
    "cksum",
    "sum",
    "md5sum",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "cmp",
    "diff",
];

/// Programs that walk through directories, or run what they are given.
const REACHING: [&str; 30] = [
    "grep", "egrep", "fgrep", "rg", "ag", "find", "tar", "zip", "cp", "mv", "ln", "rsync", "scp", "dd", "sed", "awk",
    "gawk", "perl", "python", "python3", "ruby", "node", "make", "cargo", "npm", "curl", "wget", "sh", "bash", "env",
];

/// Subcommands of git that show content of any commit.
const SHOWING: [&str; 8] = ["show", "log", "diff", "grep", "cat-file", "archive", "blame", "format-patch"];

/// Whether a command of this rule can read files that it does not name.
pub(crate) fn past_the_boundary(rule: &Rule) -> bool {
    match &rule.subject {
        Subject::AnyCommand => true,
        Subject::Command { words, prefix } => {
            let program = wrappers::program(&words[0]);
            let known = |list: &[&str]| list.contains(&program.as_str());
            let of_git = program == "git" && words.get(1).is_none_or(|word| SHOWING.contains(&word.as_str()));
            *prefix && (known(&READERS) || known(&REACHING) || of_git)
        }
        _ => false,
    }
}

/// Whether plain arguments of the program are files that it reads.
pub(crate) fn is_reader(program: &str) -> bool {
    READERS.contains(&wrappers::program(program).as_str())
}

/// The texts in an argument that a program may take for a path: all of it, and what follows a sign that binds a value.
pub(crate) fn paths_in(word: &Word) -> impl Iterator<Item = &str> {
    let text = word.text.as_str();
    let behind = text.match_indices(['=', ':', '@', ',']).map(|(at, _)| &text[at + 1..]);
    std::iter::once(text).chain(behind).filter(|path| !path.is_empty())
}

/// The directory of the files that a pattern may be, if that is written out: nothing behind it leads back or out.
pub(crate) fn directory_of_patterns(word: &Word) -> Option<&str> {
    let (before, _) = word.text.split_at(word.patterns?);
    let directory = before.rfind('/').map_or("", |end| &before[..end]);
    let behind = word.text[directory.len()..].trim_start_matches('/');
    // Some shells find `..` for `.*`.
    let stays = !behind.split('/').any(|part| part.starts_with('.'));
    (stays && !before.starts_with('/')).then_some(directory)
}

/// The words of a command that name files which it writes, of programs that do little else: plain ones and those that are
/// not known.
pub(crate) fn written(words: &[Word]) -> Vec<(&Word, &str)> {
    let Some((program, arguments)) = words.split_first() else { return Vec::new() };
    let program = wrappers::program(&program.text);
    let edits = arguments.iter().any(|word| word.text.starts_with("-i") || word.text.starts_with("--in-place"));
    let plain = || arguments.iter().filter(|word| !word.text.starts_with('-')).map(|word| (word, word.text.as_str()));
    match program.as_str() {
        "tee" | "touch" | "truncate" | "mkdir" => plain().collect(),
        "cp" | "mv" | "ln" | "install" => plain().skip(1).last().into_iter().collect(),
        "sed" if edits => plain().skip(1).collect(),
        "dd" => arguments.iter().filter_map(|word| Some((word, word.text.strip_prefix("of=")?))).collect(),
        _ => Vec::new(),
    }
}
