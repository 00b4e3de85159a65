//! Skill files: front matter and instructions, with all mistakes at once.
//!
//! Owns what a skill file is made of and which keys it has. How YAML becomes entries is the business of `front`, what
//! the values mean that of `entries`.

mod entries;
mod front;

use crate::mistake::{self, Mistake, Sink};
use crate::policy::Policy;
use std::collections::BTreeMap;

/// The name of the role that is no lane: it alone may land.
pub(crate) const MERGER: &str = "merger";
/// Bytes of a file.
const LENGTH_MAX: usize = 1024 * 1024;
/// Bytes of front matter.
const FRONT_MAX: usize = 64 * 1024;
/// Lines of instructions from which on there is a warning.
const LINES_MAX: usize = 500;

/// A role, as its file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skill {
    /// The role's name, which is its folder's.
    pub name: String,
    /// What the role does and when to use it.
    pub description: String,
    /// The licence of the file.
    pub license: Option<String>,
    /// What the role needs of its surroundings.
    pub compatibility: Option<String>,
    /// What the role is for, in one sentence.
    pub mandate: String,
    /// Kinds of artifacts that it takes.
    pub inputs: Vec<String>,
    /// Kinds of artifacts that it makes.
    pub outputs: Vec<String>,
    /// What it may do.
    pub policy: Policy,
    /// When its work is done; at least one condition.
    pub stop: Vec<String>,
    /// Tokens of context after which a successor takes over.
    pub context_limit: Option<u64>,
    /// Roles to which it hands work.
    pub handoff_to: Vec<String>,
    /// Entries under `metadata` that are not Baton's.
    pub metadata: BTreeMap<String, String>,
    /// The instructions.
    pub body: String,
}

/// A skill file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The role, if the file has no errors.
    pub skill: Option<Skill>,
    /// All errors and warnings, in the order of the file.
    pub mistakes: Vec<Mistake>,
}

/// Reads the `SKILL.md` of a folder. Takes time in proportion to the file, at most that of 1 MiB.
#[must_use]
pub fn parse(folder: &str, bytes: &[u8]) -> Parsed {
    let mut sink = Sink::default();
    let skill = read(folder, bytes, &mut sink).filter(|_| !sink.has_errors());
    sink.mistakes.sort_by_key(|mistake| (mistake.span.start, mistake.span.end, mistake.code));
    Parsed { skill, mistakes: sink.mistakes }
}

fn read(folder: &str, bytes: &[u8], sink: &mut Sink) -> Option<Skill> {
    if bytes.len() > LENGTH_MAX {
        let message = format!("the file is too large: a skill file has at most {LENGTH_MAX} bytes");
        sink.note(mistake::TOO_LARGE, LENGTH_MAX..bytes.len(), message, "move reference material into files beside it");
        return None;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let (at, length) = (error.valid_up_to(), error.error_len().unwrap_or(1));
            sink.note(mistake::NOT_UTF8, at..at + length, "the file is not UTF-8", "save it as UTF-8");
            return None;
        }
    };
    if let Some(at) = text.find('\0') {
        let help = "save it as text in UTF-8, without NUL bytes";
        sink.note(mistake::NOT_UTF8, at..at + 1, "the file is not text: it holds a NUL byte", help);
        return None;
    }
    let (begin, end, body) = matter(text, sink)?;
    if end - begin > FRONT_MAX {
        let message = format!("the front matter has more than {FRONT_MAX} bytes");
        sink.note(mistake::TOO_LARGE, begin + FRONT_MAX..end, message, "instructions belong behind the second `---`");
        return None;
    }
    if let Some(at) = text[begin..end].find("---") {
        let at = begin + at;
        let help = "other readers end the front matter here: write a dash in another way";
        sink.note(mistake::HYPHENS, at..at + 3, "three hyphens stand inside of the front matter", help);
    }
    let lines = text[body..].lines().count();
    if lines >= LINES_MAX {
        let message = format!("the instructions have {lines} lines; {} are the most that is sensible", LINES_MAX - 1);
        sink.note(mistake::LONG_BODY, body..text.len(), message, "move what is not always needed into files beside it");
    }
    let front = front::read(text, begin..end, sink);
    entries::skill(folder, front, text[body..].trim(), sink)
}

/// Where the front matter begins and ends, and where the body begins.
fn matter(text: &str, sink: &mut Sink) -> Option<(usize, usize, usize)> {
    let first = text.split_inclusive('\n').next().unwrap_or_default();
    let help = "begin the file with a line `---`, then `name:` and `description:`, then another line `---`";
    let bare = first.strip_prefix('\u{feff}').unwrap_or(first);
    if bare.len() < first.len() {
        let help = "remove the byte order mark at the beginning of the file";
        let message = "a byte order mark stands before the front matter";
        sink.note(mistake::NO_FRONT_MATTER, 0..first.trim_end().len(), message, help);
    }
    if bare.trim_end() != "---" || !first.ends_with('\n') {
        let end = first.trim_end().len();
        sink.note(mistake::NO_FRONT_MATTER, 0..end, "the file does not begin with front matter", help);
        return None;
    }
    let mut at = first.len();
    for line in text[first.len()..].split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some((first.len(), at, at + line.len()));
        }
        at += line.len();
    }
    sink.note(mistake::NO_FRONT_MATTER, 0..3, "the front matter does not end", "end it with a line `---`");
    None
}
