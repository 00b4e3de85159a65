//! Mistakes in a skill file, and what is behind their codes.
//!
//! Owns the codes and their texts. Which code is given when is the business of the parts of `skill`.

mod texts;

use std::ops::Range;

/// Whether a mistake makes the file unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file is used all the same.
    Warning,
    /// The file cannot be used.
    Error,
}

/// Something wrong in a skill file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The code, which never changes its meaning; [`explain`] says more.
    pub code: &'static str,
    /// Whether the file can be used all the same.
    pub severity: Severity,
    /// Where it is, in bytes of the file.
    pub span: Range<usize>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// What is behind a code, in some lines; `None` if there is no such code.
#[must_use]
pub fn explain(code: &str) -> Option<&'static str> {
    texts::TEXTS.iter().find(|(known, _)| *known == code).map(|(_, text)| *text)
}

/// Every code, in ascending order of errors and then of warnings.
pub fn codes() -> impl Iterator<Item = &'static str> {
    texts::TEXTS.iter().map(|(code, _)| *code)
}

pub(crate) const TOO_LARGE: &str = "E0301";
pub(crate) const NOT_UTF8: &str = "E0302";
pub(crate) const NO_FRONT_MATTER: &str = "E0303";
pub(crate) const HYPHENS: &str = "E0304";
pub(crate) const SYNTAX: &str = "E0305";
pub(crate) const DUPLICATE: &str = "E0306";
pub(crate) const ANCHOR: &str = "E0307";
pub(crate) const FLOW: &str = "E0308";
pub(crate) const UNKNOWN_KEY: &str = "E0309";
pub(crate) const UNKNOWN_ENTRY: &str = "E0310";
pub(crate) const NOT_TEXT: &str = "E0311";
pub(crate) const NAME: &str = "E0312";
pub(crate) const FOLDER: &str = "E0313";
pub(crate) const DESCRIPTION: &str = "E0314";
pub(crate) const COMPATIBILITY: &str = "E0315";
pub(crate) const RULE: &str = "E0316";
pub(crate) const PATTERN: &str = "E0317";
pub(crate) const MANDATE: &str = "E0318";
pub(crate) const STOP: &str = "E0319";
pub(crate) const LIMIT: &str = "E0320";
pub(crate) const HANDOFF: &str = "E0321";
pub(crate) const WORD: &str = "E0322";
pub(crate) const LONG_BODY: &str = "W0301";
pub(crate) const UNREACHABLE: &str = "W0302";
/// A role is allowed to land; of the file that binds the merger nothing is wrong with that.
pub const LANDS: &str = "W0310";
pub(crate) const PUSHES: &str = "W0311";
pub(crate) const READS_ALL: &str = "W0312";

/// The mistakes of one file.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    pub(crate) mistakes: Vec<Mistake>,
}

impl Sink {
    /// Notes a mistake; the code says whether it is an error.
    pub(crate) fn note(&mut self, code: &'static str, span: Range<usize>, message: impl Into<String>, help: &str) {
        let severity = if code.starts_with('W') { Severity::Warning } else { Severity::Error };
        let help = Some(help.to_owned()).filter(|help| !help.is_empty());
        self.mistakes.push(Mistake { code, severity, span, message: message.into(), help });
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.mistakes.iter().any(|mistake| mistake.severity == Severity::Error)
    }
}

/// A text from a file, short enough for a message.
pub(crate) fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() { format!("`{short}…`") } else { format!("`{short}`") }
}
