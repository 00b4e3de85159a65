//! What can be wrong with a packet: where, why, and what to do about it.
//!
//! Owns the codes. Which one is given when is the business of [`crate::read`](mod@crate::read) and [`crate::resolve`](mod@crate::resolve);
//! what is behind them stands in `texts`.

mod texts;

use std::fmt;
use std::ops::Range;

/// Flaws that are told of one packet; the others are of no use before these are mended.
pub const FLAWS_MAX: usize = 100;

/// One flaw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The code, which never changes its meaning; [`explain`] says more.
    pub code: &'static str,
    /// A JSON pointer to what is wrong; empty: the whole packet.
    pub pointer: String,
    /// Where that stands, in bytes of the file; empty where only the packet and not its text is known.
    pub span: Range<usize>,
    /// What is wrong, in one sentence without its beginning capital and end.
    pub message: String,
    /// The cure.
    pub help: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => write!(f, "{} as a whole: {}", self.code, self.message),
            pointer => write!(f, "{} at {pointer}: {}", self.code, self.message),
        }
    }
}

/// What is behind a code, in some lines; `None` if there is no such code.
#[must_use]
pub fn explain(code: &str) -> Option<&'static str> {
    texts::TEXTS.iter().find(|(known, _)| *known == code).map(|(_, text)| *text)
}

/// Every code, ascending.
pub fn codes() -> impl Iterator<Item = &'static str> {
    texts::TEXTS.iter().map(|(code, _)| *code)
}

pub(crate) const TOO_LARGE: &str = "E0401";
pub(crate) const NO_JSON: &str = "E0402";
pub(crate) const TOO_DEEP: &str = "E0403";
pub(crate) const DUPLICATE: &str = "E0404";
pub(crate) const UNKNOWN_KEY: &str = "E0405";
pub(crate) const MISSING_KEY: &str = "E0406";
pub(crate) const WRONG_TYPE: &str = "E0407";
pub(crate) const VERSION: &str = "E0408";
pub(crate) const TEXT: &str = "E0409";
pub(crate) const SPELLING: &str = "E0410";
pub(crate) const WORD: &str = "E0411";
pub(crate) const COUNT: &str = "E0412";
pub(crate) const PLACE: &str = "E0413";
pub(crate) const NO_EVIDENCE: &str = "E0414";
pub(crate) const NO_SUCH_LINK: &str = "E0415";
pub(crate) const OVERRIDE: &str = "E0416";
pub(crate) const CIRCLE: &str = "E0417";
pub(crate) const CONTRADICTION: &str = "E0418";
pub(crate) const DANGLING: &str = "E0419";
pub(crate) const LIE: &str = "E0420";
pub(crate) const PREVIOUS: &str = "E0421";
pub(crate) const OTHER_RUN: &str = "E0422";
pub(crate) const UNTRUE: &str = "E0423";

/// A text from a packet, short enough for a message and harmless on a screen.
pub(crate) fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() { format!("`{short}…`") } else { format!("`{short}`") }
}
