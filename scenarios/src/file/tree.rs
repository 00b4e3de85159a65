//! YAML as a tree with places.
//!
//! Owns the limits of depth and number, and everything of YAML that the format does without: tags, anchors,
//! aliases, merge keys, further documents, keys that are not words. Knows no key of the format.

use super::codes::Code;
use super::faults::Sink;
use super::source::{Source, Span};
use super::{scalar, syntax};
use saphyr_parser::{Event, Parser, ScalarStyle};
use std::collections::BTreeMap;

/// Levels of nesting.
const DEPTH_MAX: usize = 64;
/// Keys, values and collections together.
const NODES_MAX: usize = 200_000;

/// A value and its place.
#[derive(Debug)]
pub(crate) struct Node {
    /// Of a block collection: its first key or hyphen.
    pub(crate) span: Span,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A word, number or text.
    Scalar {
        /// The text, escapes resolved.
        text: String,
        /// Whether it stood without quotes.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values, in the order of the file; a key that is given again is left out.
    Mapping(Vec<Entry>),
    /// Something that has been reported already.
    Refused,
}

/// One key of a mapping and its value.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: Key,
    /// What follows the colon.
    pub(crate) value: Node,
}

/// A key and its place.
#[derive(Debug)]
pub(crate) struct Key {
    /// The key, escapes resolved.
    pub(crate) text: String,
    /// Where it stands.
    pub(crate) span: Span,
}

/// The tree of the file's one document; `None` if the text has no document or cannot be read to its end. `begin` says how a
/// file of this kind begins.
pub(crate) fn build(source: &Source, sink: &mut Sink, begin: &str) -> Option<Node> {
    let mut builder = Builder { source, sink, open: Vec::new(), root: None, nodes: 0, documents: 0 };
    let mut parser = Parser::new_from_str(source.text());
    while let Some(next) = parser.next_event() {
        match next {
            Ok((event, place)) => {
                let span = builder.span(place);
                match builder.take(event, span) {
                    Step::On => {}
                    Step::Enough => break,
                    Step::Refused => return None,
                }
            }
            Err(error) => {
                builder.syntax(error.info(), error.marker().index());
                return None;
            }
        }
    }
    if builder.root.is_none() {
        builder.sink.error(Code::Empty, Span::default(), "the file is empty").label("nothing to read").help(begin);
    }
    builder.root
}

enum Step {
    On,
    Enough,
    Refused,
}

/// A collection that has begun.
struct Open {
    span: Span,
    /// Of a flow collection: its opening bracket.
    bracket: Option<Span>,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<Entry>, keys: BTreeMap<String, Span>, awaiting: Awaiting },
}

enum Awaiting {
    Key,
    Value(Key),
    Refused,
}

struct Builder<'a> {
    source: &'a Source,
    sink: &'a mut Sink,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
    documents: usize,
}

impl Builder<'_> {
    fn span(&self, place: saphyr_parser::Span) -> Span {
        let byte = |mark: saphyr_parser::Marker| self.source.byte_of_char(mark.index());
        Span::new(byte(place.start), byte(place.end))
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Step {
        match event {
            Event::DocumentStart(_) => return self.document(span),
            Event::Alias(_) => {
                self.anchor(span, "an alias", "not part of the format");
                self.place(Node { span, kind: Kind::Refused });
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.properties(anchor, tag.is_some(), span);
                let kind = Kind::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                self.place(Node { span: self.trimmed(span), kind });
            }
            Event::SequenceStart(anchor, tag) => {
                self.properties(anchor, tag.is_some(), span);
                return self.begin(span, Content::Sequence(Vec::new()));
            }
            Event::MappingStart(anchor, tag) => {
                self.properties(anchor, tag.is_some(), span);
                let (entries, keys) = (Vec::new(), BTreeMap::new());
                return self.begin(span, Content::Mapping { entries, keys, awaiting: Awaiting::Key });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.end(span);
                return Step::On;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => return Step::On,
        }
        self.count(span)
    }

    fn count(&mut self, span: Span) -> Step {
        self.nodes += 1;
        if self.nodes <= NODES_MAX {
            return Step::On;
        }
        self.sink
            .error(Code::TooMany, span, format!("the file holds more than {NODES_MAX} keys and values"))
            .label("not read from here on")
            .help("use `each` or `count` in place of repetition");
        Step::Refused
    }

    fn document(&mut self, span: Span) -> Step {
        self.documents += 1;
        if self.documents == 1 {
            return Step::On;
        }
        self.sink.cut_short = true;
        self.sink
            .error(Code::SecondDocument, span, "a second document begins")
            .label("not read from here on")
            .help("one document is one file: move this one to a file of its own, or delete it");
        Step::Enough
    }

    fn begin(&mut self, span: Span, content: Content) -> Step {
        if self.open.len() == DEPTH_MAX {
            self.too_deep(span);
            return Step::Refused;
        }
        // The parser's span may begin with properties and end with white space.
        let bracket = self.source.text()[span.start..span.end].find(['[', '{']).map(|at| span.start + at);
        let bracket = bracket.map(|at| Span::new(at, at + 1));
        self.open.push(Open { span, bracket, content });
        self.count(span)
    }

    fn end(&mut self, span: Span) {
        let Some(Open { span: begun, bracket, content }) = self.open.pop() else { return };
        let (kind, first) = match content {
            Content::Sequence(items) => (Kind::Sequence(items), None),
            Content::Mapping { entries, .. } => {
                let first = entries.first().map(|entry| entry.key.span);
                (Kind::Mapping(entries), first)
            }
        };
        let span = match bracket {
            Some(bracket) => Span::new(bracket.start, span.end.min(span.start + 1)),
            None => first.unwrap_or(begun),
        };
        self.place(Node { span, kind });
    }

    fn place(&mut self, node: Node) {
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        match &mut open.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping { entries, keys, awaiting } => match std::mem::replace(awaiting, Awaiting::Key) {
                Awaiting::Key => *awaiting = key(node, keys, self.sink),
                Awaiting::Value(key) => entries.push(Entry { key, value: node }),
                Awaiting::Refused => {}
            },
        }
    }

    /// Block texts and plain words may reach into the white space behind them.
    fn trimmed(&self, span: Span) -> Span {
        let text = &self.source.text()[span.start..span.end];
        Span::new(span.start, span.start + text.trim_end().len())
    }

    fn properties(&mut self, anchor: usize, tag: bool, span: Span) {
        if anchor == 0 && !tag {
            return;
        }
        let text = &self.source.text()[span.start..span.end];
        let mut at = span.start;
        for word in text.split_whitespace().take(2) {
            at += self.source.text()[at..].find(word).unwrap_or(0);
            let span = Span::new(at, at + word.len());
            at = span.end;
            if word.starts_with('&') && anchor > 0 {
                self.anchor(span, "an anchor", "not part of the format");
            } else if word.starts_with('!') && tag {
                self.tag(span);
            }
        }
    }

    fn anchor(&mut self, span: Span, what: &str, label: &str) {
        self.sink
            .error(Code::Anchor, span, format!("{what} is given, but anchors are not part of the format"))
            .label(label)
            .help("write the value itself at each place");
    }

    fn too_deep(&mut self, span: Span) {
        self.sink
            .error(Code::TooDeep, span, format!("values are nested in more than {DEPTH_MAX} levels"))
            .label("one level too many")
            .help("no part of the format needs more than six");
    }

    fn tag(&mut self, span: Span) {
        let tag = scalar::shown(&self.source.text()[span.start..span.end]);
        self.sink
            .error(Code::Tag, span, format!("{tag} is a tag, and tags are not part of the format"))
            .label("not part of the format")
            .help("delete it: every key has one type already");
    }

    fn syntax(&mut self, info: &str, index: usize) {
        let text = self.source.text();
        let at = self.source.byte_of_char(index);
        let word = text[at..].split([' ', '\t', '\n', '\r', ',', ']', '}']).next().unwrap_or_default();
        if info.contains("recursion limit") {
            return self.too_deep(Span::new(at, at + 1));
        }
        if info.contains("unknown anchor") {
            return self.anchor(Span::new(at, at + word.len()), "an alias", "no such anchor");
        }
        if info.contains("handle wasn't declared") {
            return self.tag(Span::new(at, at + word.len()));
        }
        let at_end = text[at..].trim().is_empty();
        let told = syntax::told(info, at_end);
        let at = match at_end {
            _ if info.contains("tab") => nearest_tab(text, at),
            true => text.trim_end().len(),
            false => at,
        };
        let span = Span::new(at, at + text[at..].chars().next().map_or(0, char::len_utf8));
        let open = self.open.iter().rev().find_map(|open| open.bracket);
        let draft = self.sink.error(Code::Syntax, span, told.message).label(told.label).help(told.help);
        if let Some(open) = open {
            draft.also(open, "opened here");
        }
    }
}

/// The parser reports a tab now before it, now behind it.
fn nearest_tab(text: &str, at: usize) -> usize {
    if text[..at].ends_with('\t') {
        return at - 1;
    }
    text[at..].find('\t').map_or(at, |next| at + next)
}

/// What a node means that stands where a key belongs.
fn key(node: Node, keys: &mut BTreeMap<String, Span>, sink: &mut Sink) -> Awaiting {
    let Node { span, kind } = node;
    let (text, plain) = match kind {
        Kind::Scalar { text, plain } => (text, plain),
        Kind::Refused => return Awaiting::Refused,
        Kind::Sequence(_) | Kind::Mapping(_) => (String::new(), true),
    };
    if text.is_empty() {
        sink.error(Code::KeyShape, span, "a key must be a word").label("not a word").help("write `key: value`");
        return Awaiting::Refused;
    }
    if plain && text == "<<" {
        sink.error(Code::Anchor, span, "a merge key is given, but merge keys are not part of the format")
            .label("not part of the format")
            .help("write the keys themselves at each place");
        return Awaiting::Refused;
    }
    if let Some(first) = keys.get(&text) {
        sink.error(Code::DuplicateKey, span, format!("the key {} is given twice", scalar::shown(&text)))
            .label("given again")
            .also(*first, "first given here")
            .help("keep one of the two");
        return Awaiting::Refused;
    }
    keys.insert(text.clone(), span);
    Awaiting::Value(Key { text, span })
}
