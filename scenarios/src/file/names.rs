//! Names: what they may look like, which of them a file defines, and which one was probably meant.
//!
//! Owns references between sections. Knows nothing of what the named things are.

use super::codes::Code;
use super::faults::Sink;
use super::scalar::{Field, listed, shown};
use super::source::Span;
use crate::similar;
use std::collections::BTreeMap;

/// Characters of a name.
const LENGTH_MAX: usize = 64;

/// The name, if it is well formed.
pub(crate) fn checked(sink: &mut Sink, text: &str, span: Span) -> Option<String> {
    let wrong = if text.is_empty() {
        "a name is empty".to_owned()
    } else if text.len() > LENGTH_MAX {
        format!("the name {} has more than {LENGTH_MAX} characters", shown(text))
    } else if let Some(bad) = text.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
        format!("the name {} contains {}", shown(text), shown(bad.encode_utf8(&mut [0; 4])))
    } else if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        format!("the name {} does not begin with a letter", shown(text))
    } else {
        return Some(text.to_owned());
    };
    let better = corrected(text);
    let help = if better.is_empty() {
        format!("write 1 to {LENGTH_MAX} lower-case letters, digits and hyphens, a letter first")
    } else {
        format!("write `{better}`: lower-case letters, digits and hyphens, a letter first")
    };
    sink.error(Code::BadName, span, wrong).label("not a name").help(help);
    None
}

/// What the author could write in place of a malformed name; empty if nothing of it is left.
fn corrected(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars().flat_map(char::to_lowercase).take(LENGTH_MAX) {
        match character {
            'a'..='z' => out.push(character),
            '0'..='9' if !out.is_empty() => out.push(character),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    out.trim_end_matches('-').to_owned()
}

/// The candidate that is most similar to what was written, if one is similar enough.
pub(crate) fn nearest<'c>(
    sink: &mut Sink,
    written: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    if written.len() > LENGTH_MAX {
        return None;
    }
    let written = similar::lowered(written);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if sink.comparisons_left == 0 {
            break;
        }
        sink.comparisons_left -= 1;
        let distance = similar::distance(&written, candidate);
        if let Some(distance) = distance.filter(|distance| best.is_none_or(|(least, _)| distance < &least)) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The names that one section defines.
pub(crate) struct Known<'n> {
    /// What is named: `role`.
    pub(crate) what: &'static str,
    /// Where the section stands.
    pub(crate) section: Option<Span>,
    /// Names with their places in the section, from 0.
    pub(crate) places: BTreeMap<&'n str, usize>,
}

impl<'n> Known<'n> {
    /// Nothing is known yet.
    pub(crate) fn new(what: &'static str) -> Known<'n> {
        Known { what, section: None, places: BTreeMap::new() }
    }

    /// The place of the name that a field holds. If the section itself was refused, nothing is reported.
    pub(crate) fn find(&self, sink: &mut Sink, field: Field<'_>) -> Option<usize> {
        let scalar = field.scalar(sink, &format!("the name of a {}", self.what))?;
        self.at(sink, scalar.text, scalar.span)
    }

    /// The place of a name that stands at `span`, likewise.
    pub(crate) fn at(&self, sink: &mut Sink, text: &str, span: Span) -> Option<usize> {
        let section = self.section?;
        if let Some(place) = self.places.get(text) {
            return Some(*place);
        }
        let help = match nearest(sink, text, self.places.keys().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("{}s of this file: {}", self.what, listed(self.places.keys().copied())),
        };
        sink.error(Code::UnknownName, span, format!("no {} is called {}", self.what, shown(text)))
            .label(format!("no such {}", self.what))
            .also(section, format!("{}s are defined here", self.what))
            .help(help);
        None
    }
}
