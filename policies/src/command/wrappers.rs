//! Programs that run other programs.
//!
//! Owns which they are, which of their options take a value, and where the command begins that they run. A wrapper
//! whose option is not listed here is not taken apart. Knows no grammar and no rule.

use super::word::Word;

/// What a program runs in turn.
pub(super) struct Handed {
    /// Whether the program does nothing else.
    pub(super) transparent: bool,
    /// Why only `Bash` alone allows it.
    pub(super) doubt: Option<&'static str>,
    pub(super) inner: Inner,
}

/// What is run.
pub(super) enum Inner {
    Nothing,
    /// These commands.
    Commands(Vec<Vec<Word>>),
    /// A script, in a shell of its own.
    Script(String),
    /// A script, in this shell.
    Here(String),
    /// Something that is not known.
    Uncertain(&'static str),
}

/// A wrapper: its name, options with a value, options without, arguments before the command, whether it does nothing
/// else than to run the command.
type Row = (&'static str, &'static [&'static str], &'static [&'static str], usize, bool);

const WRAPPERS: [Row; 19] = [
    ("env", &["-u", "--unset"], &["-", "-i", "--ignore-environment", "-0", "--null", "-v", "--debug"], 0, true),
    ("nohup", &[], &[], 0, true),
    ("setsid", &[], &["-f", "--fork", "-w", "--wait", "-c", "--ctty"], 0, true),
    ("nice", &["-n", "--adjustment"], &[], 0, true),
    ("ionice", &["-c", "--class", "-n", "--classdata"], &["-t", "--ignore"], 0, true),
    (
        "timeout",
        &["-s", "--signal", "-k", "--kill-after"],
        &["--foreground", "--preserve-status", "-v", "--verbose"],
        1,
        true,
    ),
    ("stdbuf", &["-i", "--input", "-o", "--output", "-e", "--error"], &[], 0, true),
    ("time", &["-f", "--format"], &["-p", "-v", "--verbose", "--portability"], 0, true),
    ("command", &[], &["-p"], 0, true),
    ("builtin", &[], &[], 0, true),
    ("exec", &["-a"], &["-c", "-l"], 0, true),
    ("noglob", &[], &[], 0, true),
    ("nocorrect", &[], &[], 0, true),
    ("busybox", &[], &[], 0, false),
    ("toybox", &[], &[], 0, false),
    (
        "xargs",
        &[
            "-I",
            "-n",
            "--max-args",
            "-P",
            "--max-procs",
            "-L",
            "--max-lines",
            "-d",
            "--delimiter",
            "-E",
            "-s",
            "--max-chars",
        ],
        &["-0", "--null", "-r", "--no-run-if-empty", "-t", "--verbose", "-x", "--exit"],
        0,
        true,
    ),
    ("sudo", &["-u", "--user", "-g", "--group", "-p", "--prompt"], &["-n", "-E", "-H", "-S", "-k", "-b"], 0, false),
    ("doas", &["-u"], &["-n"], 0, false),
    ("caffeinate", &["-t", "-w"], &["-d", "-i", "-m", "-s", "-u"], 0, true),
];

/// Programs that run others in ways that are not taken apart.
const OPAQUE: [&str; 27] = [
    "alias",
    "bind",
    "chroot",
    "chrt",
    "complete",
    "doas.sh",
    "enable",
    "fish",
    "flock",
    "hash",
    "ltrace",
    "nsenter",
    "parallel",
    "pkexec",
    "proot",
    "runuser",
    "script",
    "setarch",
    "start-stop-daemon",
    "strace",
    "su",
    "systemd-run",
    "taskset",
    "unshare",
    "watch",
    "xvfb-run",
    "zargs",
];

const SHELLS: [&str; 9] = ["sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "rbash", "yash"];

/// The name of a program without directory, ending and case: what it may be found as.
pub(crate) fn program(word: &str) -> String {
    let name = word.rsplit('/').next().unwrap_or(word).to_ascii_lowercase();
    name.strip_suffix(".exe").map(str::to_owned).unwrap_or(name)
}

/// The name of a program where the system installs it; everywhere else the word itself.
pub(crate) fn installed(word: &str) -> &str {
    let directories = ["/usr/local/bin/", "/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/"];
    let name = directories.iter().find_map(|directory| word.strip_prefix(directory));
    name.filter(|name| !name.contains('/')).unwrap_or(word)
}

/// Whether a program of this name runs another one and does nothing else.
pub(crate) fn is_transparent(name: &str) -> bool {
    WRAPPERS.iter().any(|row| row.0 == name && row.4) || SHELLS.contains(&name) || name == "eval"
}

/// What the command runs in turn.
pub(super) fn inner(program: &str, words: &[Word]) -> Handed {
    let handed = |transparent, inner| Handed { transparent, doubt: None, inner };
    if let Some(row) = WRAPPERS.iter().find(|row| row.0 == program) {
        return wrapped(row, words);
    }
    if SHELLS.contains(&program) {
        return shell(words);
    }
    let arguments = &words[1..];
    match program {
        "eval" => match joined(arguments) {
            Some(script) => handed(true, Inner::Here(script)),
            None => handed(true, Inner::Uncertain("`eval` of something that is not known")),
        },
        "trap" => match arguments.first() {
            None => handed(false, Inner::Nothing),
            Some(word) if word.known && (word.text.starts_with('-') || word.text.is_empty()) => {
                handed(false, Inner::Nothing)
            }
            Some(word) if word.known => handed(false, Inner::Script(word.text.clone())),
            Some(_) => handed(false, Inner::Uncertain("a trap that is not known")),
        },
        "find" => find(arguments),
        "hash" | "alias" | "complete" | "bind" | "enable" if arguments.is_empty() => handed(false, Inner::Nothing),
        _ if OPAQUE.contains(&program) => handed(false, Inner::Uncertain("a program that runs others")),
        _ => handed(false, Inner::Nothing),
    }
}

fn wrapped(row: &Row, words: &[Word]) -> Handed {
    let (name, with_value, without, arguments, transparent) = *row;
    let uncertain = |why| Handed { transparent: false, doubt: None, inner: Inner::Uncertain(why) };
    let nothing = || Handed { transparent: false, doubt: None, inner: Inner::Nothing };
    let Some(mut at) = options(words, with_value, without) else {
        let asks = words.get(1).is_some_and(|word| matches!(word.text.as_str(), "-v" | "-V" | "--version" | "--help"));
        return if asks && words[1].known { nothing() } else { uncertain("an option of a wrapper that is not known") };
    };
    let mut doubt = None;
    while let Some(word) = words.get(at).filter(|_| matches!(name, "env" | "sudo" | "doas")) {
        let Some((variable, _)) = word.text.split_once('=').filter(|_| word.known) else { break };
        if super::name::redirects(variable) {
            return uncertain("a variable that decides which programs run");
        }
        doubt = doubt.or(super::name::doubt(variable));
        at += 1;
    }
    at += arguments;
    if words[..at.min(words.len())].iter().any(|word| !word.known) {
        return uncertain("a wrapper with arguments that are not known");
    }
    let mut inner: Vec<Word> = words.iter().skip(at).cloned().collect();
    if inner.is_empty() {
        return nothing();
    }
    if name == "xargs" {
        inner.push(Word::unknown());
        let replaced = words[..at].iter().any(|word| word.text.starts_with("-I"));
        // What is replaced may stand anywhere, and may be the command's name.
        if replaced {
            inner.iter_mut().skip(1).for_each(|word| word.known = false);
            inner[0].known &= inner[0].text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/');
        }
    }
    Handed { transparent, doubt, inner: Inner::Commands(vec![inner]) }
}

/// The index behind the options; `None` if one is not listed.
fn options(words: &[Word], with_value: &[&str], without: &[&str]) -> Option<usize> {
    let mut at = 1;
    while let Some(word) = words.get(at) {
        let text = word.text.as_str();
        if !word.known || !text.starts_with('-') {
            break;
        }
        at += 1;
        if text == "--" {
            break;
        }
        let attached = |option: &&&str| {
            let long = option.starts_with("--");
            text.strip_prefix(**option).is_some_and(|rest| if long { rest.starts_with('=') } else { !rest.is_empty() })
        };
        if with_value.contains(&text) {
            at += 1;
        } else if !without.contains(&text)
            && !with_value.iter().any(|option| attached(&option))
            && !adjusts(words, text)
        {
            return None;
        }
    }
    Some(at)
}

/// `nice -5`.
fn adjusts(words: &[Word], option: &str) -> bool {
    program(&words[0].text) == "nice" && option[1..].bytes().all(|byte| byte.is_ascii_digit())
}

fn shell(words: &[Word]) -> Handed {
    let handed = |transparent, inner| Handed { transparent, doubt: None, inner };
    let (mut at, mut script) = (1, false);
    while let Some(word) = words.get(at).filter(|word| word.known && word.text.starts_with(['-', '+'])) {
        let text = word.text.as_str();
        at += 1;
        match text {
            "--" | "-" => break,
            "--login" | "--norc" | "--noprofile" | "--posix" => {}
            "--version" | "--help" => return handed(false, Inner::Nothing),
            _ if text.starts_with("--") => {
                return handed(false, Inner::Uncertain("an option of a shell that is not known"));
            }
            _ => {
                let letters = &text[1..];
                if !letters.bytes().all(|byte| b"cleuxvnfo".contains(&byte)) {
                    return handed(false, Inner::Uncertain("an option of a shell that is not known"));
                }
                script |= letters.contains('c') && text.starts_with('-');
                at += letters.matches('o').count();
            }
        }
    }
    match words.get(at) {
        Some(word) if !word.known => handed(false, Inner::Uncertain("a script that is not known")),
        Some(word) if script => handed(true, Inner::Script(word.text.clone())),
        Some(_) => handed(false, Inner::Nothing),
        None => handed(false, Inner::Uncertain("a shell that reads its commands from elsewhere")),
    }
}

fn find(arguments: &[Word]) -> Handed {
    let changes = ["-delete", "-fprint", "-fprint0", "-fprintf", "-fls"];
    let doubt = arguments.iter().any(|word| !word.known || changes.contains(&word.text.as_str()));
    let doubt = doubt.then_some("`find` with what is not known, or with an action that changes files");
    let mut commands = Vec::new();
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        if !matches!(word.text.as_str(), "-exec" | "-execdir" | "-ok" | "-okdir") {
            continue;
        }
        let mut inner: Vec<Word> = Vec::new();
        for word in rest.by_ref().take_while(|word| word.text != ";" && word.text != "+") {
            let found = word.text.contains("{}");
            inner.push(if found { Word { known: false, ..word.clone() } } else { word.clone() });
        }
        commands.push(inner);
    }
    if commands.iter().any(Vec::is_empty) {
        return Handed {
            transparent: false,
            doubt,
            inner: Inner::Uncertain("`find` without the command that it runs"),
        };
    }
    // `{}` is the usual unknown, and harmless where it stands for a found file.
    let usual = arguments.iter().all(|word| word.known || word.text == "{}");
    let doubt = doubt.filter(|_| !usual || arguments.iter().any(|word| changes.contains(&word.text.as_str())));
    let inner = if commands.is_empty() { Inner::Nothing } else { Inner::Commands(commands) };
    Handed { transparent: false, doubt, inner }
}

fn joined(words: &[Word]) -> Option<String> {
    let words = if words.first().is_some_and(|word| word.text == "--") { &words[1..] } else { words };
    words
        .iter()
        .all(|word| word.known)
        .then(|| words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "))
}

/// Whether an option of git may define what its commands run.
pub(super) fn defines_command(option: &str) -> bool {
    option.starts_with("-c") || option.starts_with("--config-env") || option.starts_with("--exec-path=")
}

/// Whether a setting of git, `key=value`, changes only names and looks.
pub(super) fn is_harmless_setting(setting: &Word) -> bool {
    let keys = ["user.name", "user.email", "color.ui", "core.quotepath", "advice.detachedhead", "commit.gpgsign"];
    let key = setting.text.split('=').next().unwrap_or_default().to_ascii_lowercase();
    setting.known && keys.contains(&key.as_str())
}

/// Subcommands of git that run other commands, and the word with which they do.
pub(super) fn git_runs(words: &[Word]) -> bool {
    let rows =
        [("submodule", "foreach"), ("bisect", "run"), ("rebase", "-x"), ("rebase", "--exec"), ("difftool", "-x")];
    let Some(subcommand) = words.get(1) else { return false };
    let has = |marker: &str| words.iter().skip(2).any(|word| word.text.starts_with(marker));
    // A setting may be the name of a command, or what another command runs.
    let sets = |word: &Word| word.text.contains('.') && !word.text.starts_with('-') && !is_harmless_setting(word);
    let defines = subcommand.text == "config" && words.iter().skip(2).any(sets);
    defines
        || subcommand.text == "filter-branch"
        || rows.iter().any(|(name, marker)| subcommand.text == *name && has(marker))
}

/// Why a subcommand of git does more than its name says.
pub(super) fn git_doubt(words: &[Word]) -> Option<&'static str> {
    let long = [
        "--output",
        "--output-directory",
        "--exec",
        "--upload-pack",
        "--receive-pack",
        "--open-files-in-pager",
        "--extcmd",
        "--ext-diff",
    ];
    let short = words.get(1).is_some_and(|word| matches!(word.text.as_str(), "archive" | "format-patch"));
    let suspicious = |word: &Word| {
        let option = word.text.split('=').next().unwrap_or_default();
        let begins = option.starts_with("--") && option.len() > 3 && long.iter().any(|long| long.starts_with(option));
        let short = short && word.text.starts_with("-o") || word.text.starts_with("-O");
        begins || short || word.text.starts_with("ext::")
    };
    words.iter().skip(2).any(suspicious).then_some("an option of git that writes files or runs programs")
}
