//! Shell commands, taken apart before they are judged.
//!
//! Owns what is left of a command: the simple commands that it may run, the files that its redirections open, and
//! whether all of this is certain. Where shells differ or words depend on variables, it is not. Knows no rule.

mod expansion;
mod grammar;
mod here;
mod name;
pub(crate) mod reads;
mod run;
mod word;
pub(crate) mod wrappers;

use crate::path::{PathFault, Paths, Place};
pub(crate) use word::Word;

/// Bytes of a command.
const LENGTH_MAX: usize = 64 * 1024;
/// Levels of subshells, substitutions, scripts in scripts and wrappers.
const DEPTH_MAX: usize = 32;

/// Files that every command may open.
pub(crate) const HARMLESS: [&str; 4] = ["/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr"];

/// What a command is made of.
pub(crate) struct Taken {
    /// The simple commands that it may run.
    pub(crate) pieces: Vec<Piece>,
    /// The files that its redirections open.
    pub(crate) redirects: Vec<Redirect>,
    /// Why it may also run something else.
    pub(crate) uncertain: Option<&'static str>,
}

/// A simple command.
pub(crate) struct Piece {
    /// The program and its arguments.
    pub(crate) words: Vec<Word>,
    /// Why only `Bash` alone allows it, whatever the words say.
    pub(crate) doubt: Option<&'static str>,
    /// Whether it does nothing but run another one, which is a piece of its own.
    pub(crate) transparent: bool,
    /// The directory in which it runs, relative to the workspace; `None` if it depends.
    pub(crate) directory: Option<String>,
}

impl Piece {
    /// The words in one line, for a person.
    pub(crate) fn shown(&self) -> String {
        let mut line = String::new();
        for word in self.words.iter().take(12) {
            if !line.is_empty() {
                line.push(' ');
            }
            line.extend(word.text.chars().take(60));
            if !word.known {
                line.push('…');
            }
        }
        line
    }
}

/// A redirection to or from a file.
pub(crate) struct Redirect {
    /// Whether the file may be changed.
    pub(crate) writes: bool,
    /// Where the file is.
    pub(crate) target: Result<Place, PathFault>,
    /// The word as it was written.
    pub(crate) shown: String,
}

/// What is known while a command is read.
struct Shell<'a> {
    ground: &'a dyn Paths,
    taken: Taken,
    /// The directory in which the next command runs, relative to the workspace; `None` if it depends.
    directory: Option<String>,
    /// Where a `cd` that was just read leads, if it succeeds.
    entering: Option<Option<String>>,
    /// Whether this shell has left its first directory.
    moved: bool,
    /// Whether a `cd` and a loop were seen anywhere: a later round starts elsewhere.
    changes_directory: bool,
    loops: bool,
    too_deep: bool,
}

/// Reading cannot go on.
struct Stop;

impl Shell<'_> {
    fn uncertain(&mut self, why: &'static str) {
        self.taken.uncertain.get_or_insert(why);
    }

    /// Notes the reason and gives up.
    fn give_up<T>(&mut self, why: &'static str) -> Result<T, Stop> {
        self.uncertain(why);
        Err(Stop)
    }

    fn descend(&mut self, depth: usize) -> Result<usize, Stop> {
        if depth >= DEPTH_MAX {
            self.too_deep = true;
            return Err(Stop);
        }
        Ok(depth + 1)
    }
}

/// Takes a command apart that runs in the workspace's root; `None` if it is longer or deeper than is read.
pub(crate) fn take_apart(text: &str, ground: &dyn Paths) -> Option<Taken> {
    if text.len() > LENGTH_MAX {
        return None;
    }
    let mut shell = Shell {
        ground,
        taken: Taken { pieces: Vec::new(), redirects: Vec::new(), uncertain: None },
        directory: Some(String::new()),
        entering: None,
        moved: false,
        changes_directory: false,
        loops: false,
        too_deep: false,
    };
    grammar::read(text, &mut shell, 0).unwrap_or_default();
    if shell.loops && shell.changes_directory {
        shell.uncertain("a loop changes the directory");
    }
    (!shell.too_deep).then_some(shell.taken)
}
