//! Front matter: YAML of one level, and one more under `metadata`.
//!
//! Owns what of YAML the format does without, and the place of every key and value. Knows no key but `metadata`.

use crate::mistake::{self, Mistake, Sink, shown};
use saphyr_parser::{Event, Parser, ScalarStyle};
use std::collections::BTreeSet;
use std::ops::Range;

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

/// A key and its value; without one if that has been reported.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) span: Range<usize>,
    pub(super) value: Option<Value>,
    /// Whether it stands under `metadata`.
    pub(super) nested: bool,
    /// Whether the key was given before.
    pub(super) again: bool,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Front {
    pub(super) entries: Vec<Entry>,
    /// Whether reading broke off: what is missing may stand behind the place.
    pub(super) cut: bool,
    /// Where to point to for what is missing.
    pub(super) span: Range<usize>,
}

/// Places at which the YAML may be broken before reading breaks off.
const BREAKS_MAX: usize = 32;

/// Reads the part of the text. Where its YAML is broken, that is noted, and what stands behind is read as if the entry there
/// had no value: so one mistake does not hide the others.
pub(super) fn read(text: &str, within: Range<usize>, sink: &mut Sink) -> Front {
    let mut part = text[within.clone()].to_owned();
    let mut broken = Vec::new();
    for _ in 0..BREAKS_MAX {
        let mut own = Sink::default();
        let (mut front, error) = once((text, &part), within.start, &mut own);
        let Some((mistake, at)) = error else {
            sink.mistakes.append(&mut own.mistakes);
            front.entries.append(&mut broken);
            return front;
        };
        sink.mistakes.push(mistake);
        let (lines, keys) = entry_at(&part, at - within.start);
        if part[lines.clone()].trim().is_empty() {
            break;
        }
        // Those of the lines that are not read again.
        let gone = within.start + lines.start..within.start + lines.end;
        sink.mistakes.extend(own.mistakes.into_iter().filter(|mistake| gone.contains(&mistake.span.start)));
        broken.extend(keys.into_iter().map(|(key, at, nested)| {
            let span = within.start + at..within.start + at + key.len();
            Entry { key, span, value: None, nested, again: false }
        }));
        let blank: String = part[lines.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
        part.replace_range(lines, &blank);
    }
    // What cannot be mended: what was read before it counts.
    let (mut front, _) = once((text, &part), within.start, sink);
    front.entries.append(&mut broken);
    front
}

/// The lines of the entry at a place, up to the next one, and the keys in them with their places and whether each is indented.
fn entry_at(part: &str, at: usize) -> (Range<usize>, Vec<(String, usize, bool)>) {
    let from = part[..at].rfind('\n').map_or(0, |end| end + 1);
    let (mut to, mut keys) = (from, Vec::new());
    for line in part[from..].split_inclusive('\n') {
        if to > from && key_of(line).is_some() {
            break;
        }
        // A tab that indents is often what is wrong.
        let bare = line.trim_start_matches(['\t', ' ']);
        let indent = line.len() - bare.len();
        keys.extend(key_of(bare).map(|(key, _)| (key.to_owned(), to + indent, indent > 0)));
        to += line.len();
    }
    (from..to, keys)
}

/// The key that a line begins with, and its indentation.
fn key_of(line: &str) -> Option<(&str, usize)> {
    let bare = line.trim_start_matches(' ');
    let (key, rest) = bare.split_once(':')?;
    let plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    (plain && rest.starts_with([' ', '\n', '\r'])).then_some((key, line.len() - bare.len()))
}

/// Reads what is left of the part, as far as it is YAML; the mistake and its place, where that ends too early.
fn once((text, part): (&str, &str), start: usize, sink: &mut Sink) -> (Front, Option<(Mistake, usize)>) {
    let mut bytes: Vec<usize> = part.char_indices().map(|(at, _)| start + at).collect();
    bytes.push(start + part.len());
    let front = Front { span: 0..3, ..Front::default() };
    let mut builder =
        Builder { text, bytes, sink, front, stack: Vec::new(), keys: Vec::new(), key: None, begun: false };
    for next in Parser::new_from_str(part) {
        match next {
            Ok((event, place)) => {
                let span = builder.byte(place.start.index())..builder.byte(place.end.index());
                if !builder.take(event, span) {
                    builder.front.cut = true;
                    break;
                }
            }
            Err(error) => {
                let broken = builder.syntax(error.info(), error.marker().index());
                return (builder.front, Some(broken));
            }
        }
    }
    (builder.front, None)
}

/// A collection that has begun.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Top,
    Metadata,
    /// Reported, and read only to find its end.
    Refused,
}

struct Builder<'a> {
    text: &'a str,
    bytes: Vec<usize>,
    sink: &'a mut Sink,
    front: Front,
    stack: Vec<Open>,
    /// The keys of each open mapping.
    keys: Vec<BTreeSet<String>>,
    /// The key that waits for its value.
    key: Option<Entry>,
    /// Whether the document has begun.
    begun: bool,
}

impl Builder<'_> {
    fn byte(&self, character: usize) -> usize {
        self.bytes.get(character).or(self.bytes.last()).copied().unwrap_or_default()
    }

    /// Takes an event; false if nothing more is to be read.
    fn take(&mut self, event: Event<'_>, span: Range<usize>) -> bool {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.properties(anchor > 0 || tag.is_some(), &span);
                let span = self.trimmed(span);
                self.scalar(text.into_owned(), style == ScalarStyle::Plain, span);
            }
            Event::Alias(_) => {
                self.refuse_properties(&span);
                self.refused();
            }
            Event::SequenceStart(anchor, tag) => {
                self.properties(anchor > 0 || tag.is_some(), &span);
                self.collection(true, &span);
            }
            Event::MappingStart(anchor, tag) => {
                self.properties(anchor > 0 || tag.is_some(), &span);
                self.collection(false, &span);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if self.stack.pop().is_some_and(|open| open != Open::Refused) {
                    self.keys.pop();
                }
            }
            Event::DocumentStart(_) if self.begun => {
                let help = "delete the line that ends the first one: all keys belong together";
                self.sink.note(mistake::SYNTAX, span, "the front matter holds a second document", help);
                return false;
            }
            Event::DocumentStart(_) => self.begun = true,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        true
    }

    fn scalar(&mut self, text: String, plain: bool, span: Range<usize>) {
        let nested = match self.stack.last() {
            Some(Open::Refused) => return,
            Some(open) => *open == Open::Metadata,
            None => {
                self.sink.note(
                    mistake::NOT_TEXT,
                    span,
                    "the front matter holds no keys",
                    "write `key: value`, one a line",
                );
                return;
            }
        };
        let Some(mut entry) = self.key.take() else {
            if plain && text == "<<" {
                self.refuse_properties(&span);
            }
            let again = !self.keys.last_mut().is_none_or(|keys| keys.insert(text.clone()));
            if again {
                let message = format!("the key {} is given twice", shown(&text));
                self.sink.note(mistake::DUPLICATE, span.clone(), message, "keep one of the two");
            }
            self.key = Some(Entry { key: text, span, value: None, nested, again });
            return;
        };
        if plain && !is_text(&text) {
            let message = format!("the value of {} is {}, which is not a text", shown(&entry.key), kind(&text));
            let help = if text.is_empty() { "give it a value, or leave the key out" } else { "put it into quotes" };
            let span = if span.is_empty() { entry.span.clone() } else { span.clone() };
            self.sink.note(mistake::NOT_TEXT, span, message, help);
        }
        entry.value = Some(Value { text, span });
        self.front.entries.push(entry);
    }

    fn collection(&mut self, sequence: bool, span: &Range<usize>) {
        let flow = self.text[span.clone()].trim_start_matches(is_property).trim_start().starts_with(['[', '{']);
        let open = match self.stack.last() {
            Some(Open::Refused) => Open::Refused,
            _ if flow => {
                let help = "write texts with commas, and `metadata` indented, one key a line";
                self.sink.note(mistake::FLOW, span.clone(), "a list or mapping is written with brackets", help);
                self.front.cut |= self.stack.is_empty();
                Open::Refused
            }
            None if !sequence => Open::Top,
            Some(Open::Top) if !sequence && self.key.as_ref().is_some_and(|entry| entry.key == "metadata") => {
                Open::Metadata
            }
            _ => {
                let named = self.key.as_ref().map_or_else(|| "this".to_owned(), |entry| shown(&entry.key));
                let span = self.key.as_ref().map_or(span.clone(), |entry| entry.span.clone());
                let what = if sequence { "a list" } else { "a mapping" };
                let help = "write one text; entries of a list are separated by commas";
                self.sink.note(mistake::NOT_TEXT, span, format!("{named} is {what}, not a text"), help);
                Open::Refused
            }
        };
        if open == Open::Metadata {
            self.key = None;
        } else {
            self.refused();
        }
        if open != Open::Refused {
            self.keys.push(BTreeSet::new());
        }
        self.stack.push(open);
    }

    /// The key that waits has a value that has been reported.
    fn refused(&mut self) {
        if self.stack.last() != Some(&Open::Refused) {
            self.front.entries.extend(self.key.take());
        }
    }

    fn properties(&mut self, given: bool, span: &Range<usize>) {
        if given {
            self.refuse_properties(span);
        }
    }

    fn refuse_properties(&mut self, span: &Range<usize>) {
        let help = "write the value itself, in quotes if it begins with `*` or `&`: `\"**\"`";
        self.sink.note(mistake::ANCHOR, self.trimmed(span.clone()), PROPERTY, help);
    }

    fn trimmed(&self, span: Range<usize>) -> Range<usize> {
        let length = self.text[span.clone()].trim_end().len();
        span.start..span.start + length
    }

    fn syntax(&mut self, info: &str, character: usize) -> (Mistake, usize) {
        self.front.cut = true;
        let at = self.byte(character);
        let end = at + self.text[at..].chars().next().map_or(0, char::len_utf8);
        let mut noted = Sink::default();
        if info.contains("anchor") || info.contains("handle") {
            let help = "write the value itself, in quotes if it begins with `*` or `&`: `\"**\"`";
            noted.note(mistake::ANCHOR, at..self.trimmed(at..end).end, PROPERTY, help);
        } else {
            let help = "quote values that hold `: `, indent with spaces, and write `key: value`";
            noted.note(mistake::SYNTAX, at..end, format!("the front matter is not YAML: {info}"), help);
        }
        (noted.mistakes.remove(0), at)
    }
}

/// What is said of anchors and their like.
const PROPERTY: &str = "an anchor, alias, tag or merge key is not part of the format";

/// A character of an anchor or a tag before a value.
fn is_property(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '[' | '{')
}

/// Whether YAML, in whatever version, reads a word without quotes as a text.
fn is_text(text: &str) -> bool {
    let words =
        ["", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", "-.inf", "+.inf", ".nan"];
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_start_matches(['+', '-']);
    let number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit() || b"xo._+-:".contains(&byte))
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    !(words.contains(&lower.as_str()) || number)
}

fn kind(text: &str) -> &'static str {
    match text.to_ascii_lowercase().as_str() {
        "" | "~" | "null" => "nothing",
        "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n" => "a truth value",
        _ => "a number",
    }
}
