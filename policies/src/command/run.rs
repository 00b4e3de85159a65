//! What a simple command runs: itself, and what it hands on to other programs.
//!
//! Owns the way from words to pieces, and what `cd`, `eval` and git's own options mean. Which programs hand on what is
//! the business of `wrappers`.

use super::word::{Reader, Word};
use super::wrappers::{self, Inner};
use super::{Piece, Stop, grammar};
use crate::path;

/// Words that are no programs: as the name of one they show that something was misread.
const KEYWORDS: [&str; 16] =
    ["!", "{", "}", "if", "then", "elif", "else", "fi", "while", "until", "for", "do", "done", "case", "esac", "[["];

impl Reader<'_, '_, '_> {
    /// Notes the command and what it runs in turn.
    pub(super) fn run(&mut self, words: Vec<Word>, doubt: Option<&'static str>, chained: bool) -> Result<(), Stop> {
        let Some(first) = words.first() else {
            if doubt.is_some() {
                self.piece(words, doubt, false);
            }
            return Ok(());
        };
        if !first.known || first.text.is_empty() {
            self.shell.uncertain("a command whose name is not written out");
            return Ok(());
        }
        let program = wrappers::program(&first.text);
        if KEYWORDS.contains(&program.as_str()) || program.contains('=') {
            self.shell.uncertain("a keyword or an assignment where none belongs");
        }
        let (words, doubt) = match program.as_str() {
            "git" => self.git(words, doubt),
            "cd" | "pushd" | "popd" => {
                let doubt = doubt.or(self.change_directory(&words, chained && doubt.is_none()));
                (words, doubt)
            }
            _ => (words, doubt),
        };
        let handed = wrappers::inner(&program, &words);
        let (transparent, doubt) = (handed.transparent, doubt.or(handed.doubt));
        self.piece(words, doubt, transparent);
        self.depth = match &handed.inner {
            Inner::Nothing | Inner::Uncertain(_) => self.depth,
            _ => self.shell.descend(self.depth)?,
        };
        match handed.inner {
            Inner::Nothing => Ok(()),
            Inner::Uncertain(why) => {
                self.shell.uncertain(why);
                Ok(())
            }
            Inner::Commands(commands) => commands.into_iter().try_for_each(|words| {
                let (depth, here) = (self.depth, matches!(program.as_str(), "command" | "builtin"));
                self.run(words, doubt, chained && here)?;
                self.depth = depth;
                Ok(())
            }),
            Inner::Script(script) => {
                if doubt.is_some() {
                    self.shell.uncertain("a script with a variable set for it");
                }
                self.script(&script)
            }
            Inner::Here(script) => {
                let depth = self.depth;
                grammar::read(&script, self.shell, depth)?;
                if !chained && self.shell.entering.is_some() {
                    self.shell.entering = Some(None);
                }
                Ok(())
            }
        }
    }

    fn piece(&mut self, words: Vec<Word>, doubt: Option<&'static str>, transparent: bool) {
        let directory = self.shell.directory.clone();
        self.shell.taken.pieces.push(Piece { words, doubt, transparent, directory });
    }

    /// Takes git's harmless options out, so that the subcommand stands behind `git`.
    fn git(&mut self, words: Vec<Word>, mut doubt: Option<&'static str>) -> (Vec<Word>, Option<&'static str>) {
        const HARMLESS: [&str; 6] =
            ["--no-pager", "-P", "--no-optional-locks", "--literal-pathspecs", "--no-replace-objects", "--no-advice"];
        let mut at = 1;
        while let Some(word) = words.get(at) {
            let value = words.get(at + 1);
            if !word.known {
                break;
            } else if HARMLESS.contains(&word.text.as_str()) {
                at += 1;
            } else if value.is_some_and(|value| match word.text.as_str() {
                "-C" => self.is_inside(value),
                "-c" => wrappers::is_harmless_setting(value),
                _ => false,
            }) {
                at += 2;
            } else if word.text.starts_with('-') && !matches!(word.text.as_str(), "--version" | "--help" | "-v" | "-h")
            {
                doubt = doubt.or(Some("an option of git that changes what its commands do"));
                if wrappers::defines_command(&word.text) {
                    self.shell.uncertain("a setting of git that may define commands");
                }
                break;
            } else {
                break;
            }
        }
        let words: Vec<Word> = words.iter().take(1).chain(words.iter().skip(at)).cloned().collect();
        let doubt = doubt.or(wrappers::git_doubt(&words));
        if wrappers::git_runs(&words) {
            self.shell.uncertain("a command of git that runs others");
        }
        (words, doubt)
    }

    /// Whether a directory surely lies in the workspace.
    fn is_inside(&self, word: &Word) -> bool {
        let shell = &*self.shell;
        word.known
            && shell
                .directory
                .as_ref()
                .is_some_and(|from| path::resolve(&word.text, from, shell.ground).is_ok_and(|place| !place.linked()))
    }

    /// Where `cd` leads, for the commands behind `&&`; a doubt if that is not in the workspace.
    fn change_directory(&mut self, words: &[Word], certain: bool) -> Option<&'static str> {
        let shell = &mut *self.shell;
        let target = match words {
            [cd, target] if cd.text == "cd" && target.known && !target.text.starts_with('-') => {
                let from = shell.directory.as_deref();
                let place = from.and_then(|from| path::resolve(&target.text, from, shell.ground).ok());
                // Shells take `..` back by name, the kernel by place.
                place.filter(|place| !place.linked()).map(|place| place.target)
            }
            _ => None,
        };
        shell.moved = true;
        shell.changes_directory = true;
        let doubt = target.is_none().then_some("a directory that is not surely in the workspace");
        shell.entering = Some(target.filter(|_| certain));
        doubt
    }
}
