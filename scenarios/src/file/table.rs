//! Typed access to a mapping: which keys it must and may have, and what else stands in it.
//!
//! Owns missing, unknown and excluding keys. Knows no key by itself: the files of the sections name them.

use super::codes::Code;
use super::faults::Sink;
use super::names;
use super::scalar::{self, Field};
use super::source::Span;
use super::tree::{Entry, Key, Kind, Node};

/// A mapping that is being read. After its last key comes [`Table::close`].
pub(crate) struct Table<'n> {
    what: &'static str,
    /// Where a missing key is reported: the key that owns the mapping, or its beginning.
    pub(crate) at: Span,
    entries: &'n [Entry],
    known: Vec<&'static str>,
}

impl<'n> Table<'n> {
    /// The mapping behind a field; `what` it stands for, with its article: `a role`.
    pub(crate) fn open(sink: &mut Sink, field: Field<'n>, what: &'static str) -> Option<Table<'n>> {
        match &field.node.kind {
            Kind::Mapping(entries) => Some(Table { what, at: field.at, entries, known: Vec::new() }),
            _ => {
                field.wrong_kind(sink, "a mapping: `{ key: value }`");
                None
            }
        }
    }

    /// The value of a key, if it is given.
    pub(crate) fn field(&mut self, key: &'static str) -> Option<Field<'n>> {
        self.known.push(key);
        self.peek(key)
    }

    fn peek(&self, key: &str) -> Option<Field<'n>> {
        let entry = self.entries.iter().find(|entry| entry.key.text == key)?;
        Some(Field::of(entry))
    }

    /// A key that must be given; `None` with a fault if it is missing or `read` refuses it.
    pub(crate) fn need<T>(
        &mut self,
        sink: &mut Sink,
        key: &'static str,
        read: impl FnOnce(&mut Sink, Field<'n>) -> Option<T>,
    ) -> Option<T> {
        match self.field(key) {
            Some(field) => read(sink, field),
            None => {
                self.missing(sink, key);
                None
            }
        }
    }

    /// A key that may be left out; `None` with a fault if `read` refuses what is given.
    pub(crate) fn or<T>(
        &mut self,
        sink: &mut Sink,
        key: &'static str,
        default: T,
        read: impl FnOnce(&mut Sink, Field<'n>) -> Option<T>,
    ) -> Option<T> {
        self.field(key).map_or(Some(default), |field| read(sink, field))
    }

    /// A key that may be left out and has no default: `Some(None)`.
    pub(crate) fn maybe<T>(
        &mut self,
        sink: &mut Sink,
        key: &'static str,
        read: impl FnOnce(&mut Sink, Field<'n>) -> Option<T>,
    ) -> Option<Option<T>> {
        self.or(sink, key, None, |sink, field| read(sink, field).map(Some))
    }

    fn missing(&self, sink: &mut Sink, key: &'static str) {
        if sink.cut_short && self.what == WHOLE {
            return;
        }
        sink.error(Code::MissingKey, self.at, format!("{} needs `{key}`", self.what))
            .label(format!("`{key}` is missing"))
            .help(format!("add `{key}: …`"));
    }

    /// The one key of `choices` that is given, with its value. None or two of them are a fault.
    /// `others`: the keys that may stand beside it.
    pub(crate) fn choice(
        &mut self,
        sink: &mut Sink,
        choices: &[&'static str],
        others: &[&'static str],
    ) -> Option<(&'static str, Field<'n>)> {
        let mut given = choices.iter().filter_map(|key| Some((*key, self.peek(key)?)));
        let (first, second) = (given.next(), given.next());
        let list = scalar::listed(choices.iter().copied());
        match (first, second) {
            (Some((key, field)), None) => {
                self.known.push(key);
                return Some((key, field));
            }
            (Some((key, field)), Some((other, again))) => {
                sink.error(Code::ExactlyOne, again.at, format!("`{key}` and `{other}` exclude each other"))
                    .label("given as well")
                    .also(field.at, "given here")
                    .help(format!("keep one of {list}"));
            }
            // A misspelt key is the likelier story, and `close` tells it.
            (None, _) if self.misspelt(sink, choices, others) => {}
            (None, _) => {
                sink.error(Code::ExactlyOne, self.at, format!("{} needs one of {list}", self.what))
                    .label("none of them is given")
                    .help(format!("add one of {list}"));
            }
        }
        self.known.extend(choices);
        self.known.extend(others);
        None
    }

    /// Whether the first key is unknown, or any unknown one is similar to a choice.
    fn misspelt(&self, sink: &mut Sink, choices: &[&'static str], others: &[&'static str]) -> bool {
        let unknown = |entry: &&Entry| !others.contains(&entry.key.text.as_str());
        let similar = |entry: &Entry| names::nearest(sink, &entry.key.text, choices.iter().copied()).is_some();
        self.entries.first().is_some_and(|first| unknown(&first)) || self.entries.iter().filter(unknown).any(similar)
    }

    /// The key on which the table's first entry stands, and its text.
    pub(crate) fn first_key(&self) -> Option<&'n Key> {
        self.entries.first().map(|entry| &entry.key)
    }

    /// Like [`Table::close`]; whether every key was asked for.
    pub(crate) fn close_known(self, sink: &mut Sink) -> bool {
        let known = self.entries.iter().all(|entry| self.known.contains(&entry.key.text.as_str()));
        self.close(sink);
        known
    }

    /// Reports every key that was not asked for.
    pub(crate) fn close(self, sink: &mut Sink) {
        for entry in self.entries.iter().filter(|entry| !self.known.contains(&entry.key.text.as_str())) {
            let near = names::nearest(sink, &entry.key.text, self.known.iter().copied());
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("keys here: {}", scalar::listed(self.known.iter().copied())),
            };
            let message = format!("{} has no key {}", self.what, scalar::shown(&entry.key.text));
            sink.error(Code::UnknownKey, entry.key.span, message).label("unknown key").help(help);
        }
    }
}

/// What an entry of a list may look like, and whether the list may be empty.
#[derive(Clone, Copy)]
pub(crate) struct ListOf {
    /// An entry, as an example.
    pub(crate) example: &'static str,
    /// Whether at least one entry is needed.
    pub(crate) needed: bool,
}

/// Entries that a list can have at most, because they are numbered in 16 bits.
pub(crate) const ENTRIES_MAX: usize = 65_535;

/// Reads each entry of a list. `None` if any of them was refused; the others are read all the same.
pub(crate) fn list<'n, T>(
    sink: &mut Sink,
    field: Field<'n>,
    of: ListOf,
    mut read: impl FnMut(&mut Sink, Field<'n>) -> Option<T>,
) -> Option<Vec<T>> {
    let Kind::Sequence(items) = &field.node.kind else {
        field.wrong_kind(sink, &format!("a list: `[ {} ]`", of.example));
        return None;
    };
    bounded(sink, field, of.needed, items.len())?;
    let mut values = Some(Vec::with_capacity(items.len()));
    for item in items {
        let value = read(sink, Field::entry(field.name, item));
        values = values.zip(value).map(|(mut values, value)| {
            values.push(value);
            values
        });
    }
    values
}

/// The entries of a mapping whose keys are names that the author chose.
pub(crate) fn named<'n>(sink: &mut Sink, field: Field<'n>, example: &str) -> Option<&'n [Entry]> {
    let Kind::Mapping(entries) = &field.node.kind else {
        field.wrong_kind(sink, &format!("a mapping: `{example}`"));
        return None;
    };
    bounded(sink, field, true, entries.len())?;
    Some(entries)
}

fn bounded(sink: &mut Sink, field: Field<'_>, needed: bool, entries: usize) -> Option<()> {
    let name = field.name;
    if entries == 0 && needed {
        sink.error(Code::NoValue, field.node.span, format!("`{name}` is empty"))
            .label("nothing in it")
            .help(format!("`{name}` needs at least one entry"));
        return None;
    }
    if entries == 0 {
        sink.error(Code::EmptyList, field.node.span, format!("`{name}` is empty"))
            .label("nothing in it")
            .help(format!("delete `{name}`, or add an entry"));
    }
    if entries > ENTRIES_MAX {
        sink.error(Code::TooManyEntries, field.at, format!("`{name}` has {entries} entries"))
            .label("too many")
            .help(format!("at most {ENTRIES_MAX} can be numbered"));
        return None;
    }
    Some(())
}

/// What the outermost mapping stands for.
pub(crate) const WHOLE: &str = "the file";

/// The whole file as a field, for [`Table::open`].
pub(crate) fn root(node: &Node) -> Field<'_> {
    Field { name: WHOLE, at: node.span, node, in_list: false }
}
