//! The tools of the reader: a place in the packet, the fields of an object, and what one value may be.
//!
//! Each tool notes what is wrong and answers `None`, so that reading goes on behind it.

use crate::flaw::{self, Flaw, shown};
use crate::json::{Json, Node};
use crate::spelling::is_hidden;
use std::fmt::Write;
use std::ops::{Range, RangeInclusive};

/// A JSON pointer.
#[derive(Clone, Debug)]
pub(super) struct Place(String);

impl Place {
    pub(super) fn root() -> Place {
        Place(String::new())
    }

    pub(super) fn key(&self, key: &str) -> Place {
        Place(format!("{}/{}", self.0, key.replace('~', "~0").replace('/', "~1")))
    }

    pub(super) fn item(&self, at: usize) -> Place {
        Place(format!("{}/{at}", self.0))
    }
}

/// Collects flaws.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) flaws: Vec<Flaw>,
}

/// The fields of an object, each key once.
pub(super) struct Fields<'n> {
    node: &'n Node,
    at: Place,
    what: &'static str,
    known: Vec<(&'n str, &'n Node)>,
}

impl Reader {
    /// Notes a flaw; always `None`.
    pub(super) fn note<T>(
        &mut self,
        code: &'static str,
        (at, span): (&Place, &Range<usize>),
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        let (pointer, span) = (at.0.clone(), span.clone());
        self.flaws.push(Flaw { code, pointer, span, message: message.into(), help: help.into() });
        None
    }

    fn wrong_type<T>(&mut self, node: &Node, at: &Place, wanted: &str) -> Option<T> {
        let found = match &node.value {
            Json::Null => "null",
            Json::Bool => "true or false",
            Json::Number(_) => "a number",
            Json::Text(_) => "a text",
            Json::List(_) => "a list",
            Json::Object(_) => "an object",
        };
        let help = if matches!(node.value, Json::Null) { "leave the key out where there is nothing" } else { "" };
        let help = if help.is_empty() { format!("write {wanted}") } else { help.to_owned() };
        self.note(flaw::WRONG_TYPE, (at, &node.span), format!("{wanted} is due here, and {found} is there"), help)
    }

    /// An object with these keys and no others.
    pub(super) fn object<'n>(
        &mut self,
        node: &'n Node,
        at: &Place,
        (what, keys): (&'static str, &[&str]),
    ) -> Option<Fields<'n>> {
        let Json::Object(entries) = &node.value else { return self.wrong_type(node, at, "an object") };
        let mut known: Vec<(&str, &Node)> = Vec::new();
        for entry in entries {
            let place = at.key(&entry.key);
            if known.iter().any(|(key, _)| *key == entry.key) {
                let message = format!("{} is given twice", shown(&entry.key));
                self.note::<()>(flaw::DUPLICATE, (&place, &entry.key_span), message, "keep one of them");
            } else if keys.contains(&entry.key.as_str()) {
                known.push((&entry.key, &entry.value));
            } else {
                let message = format!("{what} has no key {}", shown(&entry.key));
                self.note::<()>(flaw::UNKNOWN_KEY, (&place, &entry.key_span), message, keys_here(keys));
            }
        }
        Some(Fields { node, at: at.clone(), what, known })
    }

    /// A field that must be there.
    pub(super) fn need<'n, T>(
        &mut self,
        fields: &Fields<'n>,
        key: &str,
        read: impl FnOnce(&mut Reader, &'n Node, &Place) -> Option<T>,
    ) -> Option<T> {
        let found = fields.known.iter().find(|(known, _)| *known == key);
        let Some((_, node)) = found else {
            let start = fields.node.span.start;
            let message = format!("{} needs `{key}`", fields.what);
            let help = format!("add `\"{key}\": …`");
            return self.note(flaw::MISSING_KEY, (&fields.at, &(start..start + 1)), message, help);
        };
        read(self, node, &fields.at.key(key))
    }

    /// A field that may be absent: `Some(None)`.
    pub(super) fn may<'n, T>(
        &mut self,
        fields: &Fields<'n>,
        key: &str,
        read: impl FnOnce(&mut Reader, &'n Node, &Place) -> Option<T>,
    ) -> Option<Option<T>> {
        match fields.known.iter().find(|(known, _)| *known == key) {
            Some((_, node)) => read(self, node, &fields.at.key(key)).map(Some),
            None => Some(None),
        }
    }

    /// A list of so many entries. Entries that are wrong are noted, and then there is no list.
    pub(super) fn list<T>(
        &mut self,
        node: &Node,
        at: &Place,
        count: RangeInclusive<usize>,
        read: impl Fn(&mut Reader, &Node, &Place) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Json::List(items) = &node.value else { return self.wrong_type(node, at, "a list") };
        if !count.contains(&items.len()) {
            let message = format!("{} entries are there", items.len());
            let help = format!("write from {} to {} of them", count.start(), count.end());
            return self.note(flaw::COUNT, (at, &node.span), message, help);
        }
        let read: Vec<Option<T>> =
            items.iter().enumerate().map(|(place, item)| read(self, item, &at.item(place))).collect();
        read.into_iter().collect()
    }

    /// Any text, as it is.
    pub(super) fn any_text<'n>(&mut self, node: &'n Node, at: &Place) -> Option<&'n str> {
        match &node.value {
            Json::Text(text) => Some(text),
            _ => self.wrong_type(node, at, "a text"),
        }
    }

    /// A text of one line that people read: not empty, and nothing in it that a screen would obey.
    pub(super) fn text(&mut self, node: &Node, at: &Place, most: usize) -> Option<String> {
        let text = self.any_text(node, at)?;
        let length = text.chars().count();
        let message = if length == 0 {
            "an empty text says nothing".to_owned()
        } else if length > most {
            format!("the text has {length} characters")
        } else if text.chars().any(is_hidden) {
            "a line break or another letter that cannot be seen stands in the text".to_owned()
        } else {
            return Some(text.to_owned());
        };
        self.note(flaw::TEXT, (at, &node.span), message, format!("write one line of 1 to {most} characters"))
    }

    /// A text that is spelled so.
    pub(super) fn spelled(
        &mut self,
        node: &Node,
        at: &Place,
        is: impl Fn(&str) -> bool,
        wanted: &str,
    ) -> Option<String> {
        let text = self.any_text(node, at)?;
        if is(text) {
            return Some(text.to_owned());
        }
        self.note(
            flaw::SPELLING,
            (at, &node.span),
            format!("{} is not spelled so", shown(text)),
            format!("write {wanted}"),
        )
    }

    /// One of these words.
    pub(super) fn word<T: Copy>(&mut self, node: &Node, at: &Place, words: &[(&str, T)]) -> Option<T> {
        let text = self.any_text(node, at)?;
        if let Some((_, meant)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meant);
        }
        let mut help = String::from("write one of");
        for (word, _) in words {
            let _ = write!(help, " `{word}`");
        }
        self.note(flaw::WORD, (at, &node.span), format!("{} is none of its words", shown(text)), help)
    }

    /// A whole number in these bounds.
    pub(super) fn whole(&mut self, node: &Node, at: &Place, bounds: RangeInclusive<u64>) -> Option<u64> {
        let Json::Number(number) = node.value else { return self.wrong_type(node, at, "a whole number") };
        if let Some(number) = number.filter(|number| bounds.contains(number)) {
            return Some(number);
        }
        let help = format!("write a whole number from {} to {}", bounds.start(), bounds.end());
        self.note(flaw::COUNT, (at, &node.span), "the number is out of bounds, or not whole", help)
    }
}

fn keys_here(keys: &[&str]) -> String {
    let mut help = String::from("keys here:");
    for key in keys {
        let _ = write!(help, " `{key}`");
    }
    help
}
