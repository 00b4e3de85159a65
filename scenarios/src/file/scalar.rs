//! Single values that are words, names and texts.
//!
//! Owns how a value is asked for, and how foreign text is shown in a message. Numbers, times and paths have
//! files of their own.

use super::codes::Code;
use super::faults::Sink;
use super::names;
use super::source::Span;
use super::tree::{Entry, Kind, Node};

/// A value with the key that it belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Field<'n> {
    /// The key; of an entry of a list, the list's key.
    pub(crate) name: &'n str,
    /// Where the key stands; of an entry of a list, where the entry begins.
    pub(crate) at: Span,
    /// The value.
    pub(crate) node: &'n Node,
    /// Whether it is an entry of the list `name`.
    pub(crate) in_list: bool,
}

/// A value that is one word or text.
#[derive(Clone, Copy)]
pub(crate) struct Scalar<'n> {
    /// The text, escapes resolved.
    pub(crate) text: &'n str,
    /// Whether it stood without quotes.
    pub(crate) plain: bool,
    /// Where it stands.
    pub(crate) span: Span,
}

impl<'n> Field<'n> {
    /// The value of a mapping's entry.
    pub(crate) fn of(entry: &'n Entry) -> Field<'n> {
        Field { name: &entry.key.text, at: entry.key.span, node: &entry.value, in_list: false }
    }

    /// An entry of the list `name`.
    pub(crate) fn entry(name: &'n str, node: &'n Node) -> Field<'n> {
        Field { name, at: node.span, node, in_list: true }
    }

    /// Reports that something else was expected, unless the value has been reported already.
    pub(crate) fn wrong_kind(&self, sink: &mut Sink, expected: &str) {
        let span = self.node.span;
        let name = if self.in_list { format!("an entry of `{}`", self.name) } else { shown(self.name) };
        let found = match &self.node.kind {
            Kind::Refused => return,
            Kind::Scalar { text, plain: true } if text.is_empty() => {
                sink.error(Code::NoValue, self.at, format!("{name} has no value"))
                    .label("nothing follows")
                    .help(format!("write {expected}, or delete it"));
                return;
            }
            Kind::Scalar { .. } => "a single value",
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
        };
        sink.error(Code::WrongKind, span, format!("{name} is {found}, which it cannot be"))
            .label(format!("{found} here"))
            .help(format!("write {expected}"));
    }

    /// The value as one word or text; `expected` with an example: ``a number: `8` ``.
    pub(crate) fn scalar(&self, sink: &mut Sink, expected: &str) -> Option<Scalar<'n>> {
        match &self.node.kind {
            Kind::Scalar { text, plain } if !*plain || !text.is_empty() => {
                Some(Scalar { text, plain: *plain, span: self.node.span })
            }
            _ => {
                self.wrong_kind(sink, expected);
                None
            }
        }
    }

    /// One of a few words, as what it stands for.
    pub(crate) fn word<T: Copy>(&self, sink: &mut Sink, words: &[(&str, T)]) -> Option<T> {
        let list = listed(words.iter().map(|(word, _)| *word));
        let scalar = self.scalar(sink, &list)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == scalar.text) {
            return Some(*value);
        }
        let help = match names::nearest(sink, scalar.text, words.iter().map(|(word, _)| *word)) {
            Some(near) if words.len() > 1 => format!("did you mean `{near}`?"),
            _ if words.len() > 1 => format!("write one of {list}"),
            _ => format!("write {list}, which is the only one that this version knows"),
        };
        sink.error(Code::UnknownWord, scalar.span, format!("`{}` cannot be {}", self.name, shown(scalar.text)))
            .label("unknown here")
            .help(help);
        None
    }

    /// A name: lower-case letters, digits and hyphens.
    pub(crate) fn name(&self, sink: &mut Sink) -> Option<String> {
        let scalar = self.scalar(sink, "a name: `two-writers`")?;
        names::checked(sink, scalar.text, scalar.span)
    }

    /// A text of one line with 1 to `characters_max` characters.
    pub(crate) fn text(&self, sink: &mut Sink, characters_max: usize) -> Option<String> {
        self.text_with(sink, characters_max, "")
    }

    /// Lines for a shell, with 1 to `characters_max` characters.
    pub(crate) fn shell_lines(&self, sink: &mut Sink, characters_max: usize) -> Option<String> {
        self.text_with(sink, characters_max, "\n\t").map(|text| text.trim_end().to_owned())
    }

    /// A text that may hold these of the control characters.
    fn text_with(&self, sink: &mut Sink, characters_max: usize, control: &str) -> Option<String> {
        let (lines, forbidden) = match control {
            "" => ("one line", "a line break, tab or control character"),
            _ => ("lines", "a control character"),
        };
        let scalar = self.scalar(sink, &format!("a text of {lines}"))?;
        let reason = if scalar.text.trim().is_empty() {
            "is empty".to_owned()
        } else if scalar.text.chars().any(|c| c.is_control() && !control.contains(c)) {
            format!("holds {forbidden}")
        } else if scalar.text.chars().nth(characters_max).is_some() {
            format!("has more than {characters_max} characters")
        } else {
            return Some(scalar.text.to_owned());
        };
        sink.error(Code::BadText, scalar.span, format!("`{}` {reason}", self.name))
            .label("not allowed here")
            .help(format!("write {lines} of 1 to {characters_max} characters"));
        None
    }
}

/// Characters of foreign text that a message shows.
const SHOWN_MAX: usize = 40;

/// Foreign text in quotes, shortened, on one line and without control characters.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars().take(SHOWN_MAX) {
        match character {
            '"' | '\'' => out.push(character),
            _ => out.extend(character.escape_debug()),
        }
    }
    out.push_str(if text.chars().nth(SHOWN_MAX).is_some() { "…\"" } else { "\"" });
    out
}

/// Words of the format as a list: `` `a`, `b`, `c` ``; long lists end early.
pub(crate) fn listed<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let mut out = String::new();
    for (at, word) in words.enumerate() {
        if at == 20 {
            out.push_str(", …");
            break;
        }
        let comma = if at == 0 { "" } else { ", " };
        out.push_str(comma);
        out.push('`');
        out.push_str(word);
        out.push('`');
    }
    out
}
