//! Owns what one line of a journal must look like, byte by byte, and what it says.
//!
//! The form has no freedom, so a line is read by walking along it: whatever is not the one next thing is a
//! fault. Only the data of a record has a shape of its own; it is read, written again and compared, which
//! settles the order of keys, white space, escapes, doubled keys and odd numbers at once. Deliberately does
//! not know files, segments or rules. Written a second time on purpose: the product has its own reader, and
//! a fault that both shared would stay unseen.

use crate::lanes::Lanes;
use baton_record::line::{Actor, Record};
use baton_record::{Event, LaneId, TaskId};
use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeSeed, MapAccess};
use sha2::{Digest, Sha256};

/// `,"crc":"01234567"}`.
const CLOSING: usize = 18;
/// `,"prev":"`, 64 digits and a quote.
const PREV: usize = 74;

/// Why a line is not the next one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not match its own checksum: what a torn write looks like.
    Checksum,
    /// It matches, and is wrong.
    Wrong(String),
}

fn wrong(what: impl Into<String>) -> Fault {
    Fault::Wrong(what.into())
}

/// What the next line must continue, and a buffer that is used again for each line.
pub(crate) struct Line {
    /// Number of good lines so far.
    pub(crate) seq: u64,
    /// SHA-256 of the last good line.
    pub(crate) head: [u8; 32],
    t_us: u64,
    written: Vec<u8>,
}

/// What a line says before its data.
struct Envelope<'a> {
    t_us: u64,
    actor: Actor,
    lane: Option<&'a str>,
    task: Option<TaskId>,
    kind: &'a str,
}

impl Line {
    pub(crate) fn first() -> Line {
        Line { seq: 0, head: [0; 32], t_us: 0, written: Vec::new() }
    }

    /// Lower-case hex of the last good line's hash.
    pub(crate) fn head_hex(&self) -> String {
        hex(&self.head)
    }

    /// Reads the next line, without its newline. Nothing advances if it is at fault.
    pub(crate) fn read(&mut self, line: &[u8], lanes: &mut Lanes) -> Result<Record, Fault> {
        let covered = check_crc(line)?;
        let body_len = covered.len().checked_sub(PREV).ok_or_else(|| wrong("it is too short for a record"))?;
        let (body, prev) = covered.split_at(body_len);
        let mut walk = Walk { line: body, at: 0 };
        let envelope = self.envelope(&mut walk)?;
        let data = walk.rest();
        self.check_prev(prev)?;
        if envelope.t_us < self.t_us {
            return Err(wrong(format!("its time {} is before {}", envelope.t_us, self.t_us)));
        }
        let members = Members { kind: envelope.kind, data, given: 0 };
        let event = Event::deserialize(MapAccessDeserializer::new(members))
            .map_err(|error| wrong(format!("its {} is at fault: {error}", envelope.kind)))?;
        self.compare_written(&event, (envelope.kind, data))?;
        let lane = name_lane(envelope.lane, &event, lanes)?;
        self.seq += 1;
        self.t_us = envelope.t_us;
        self.head = Sha256::digest(line).into();
        Ok(Record { t_us: envelope.t_us, actor: envelope.actor, lane, task: envelope.task, event })
    }

    fn envelope<'a>(&self, walk: &mut Walk<'a>) -> Result<Envelope<'a>, Fault> {
        walk.over(b"{\"v\":1,\"seq\":")?;
        let seq = walk.number()?;
        if seq != self.seq {
            return Err(wrong(format!("it says seq {seq}, and seq {} is due", self.seq)));
        }
        walk.over(b",\"t_us\":")?;
        let t_us = walk.number()?;
        walk.over(b",\"actor\":")?;
        let actor = match walk.text()? {
            "run" => Actor::Run,
            "supervisor" => Actor::Supervisor,
            "merger" => Actor::Merger,
            "recorder" => Actor::Recorder,
            "lane" => Actor::Lane,
            other => return Err(wrong(format!("{other:?} is no actor"))),
        };
        walk.over(b",\"lane\":")?;
        let lane = if walk.is_over(b"null") { None } else { Some(walk.text()?) };
        walk.over(b",\"task\":")?;
        let task = if walk.is_over(b"null") {
            None
        } else {
            walk.over(b"\"T-")?;
            let number = u32::try_from(walk.number()?).map_err(|_| wrong("no task has such a number"))?;
            walk.over(b"\"")?;
            Some(TaskId(number))
        };
        walk.over(b",\"kind\":")?;
        let kind = walk.text()?;
        walk.over(b",\"data\":")?;
        Ok(Envelope { t_us, actor, lane, task, kind })
    }

    fn check_prev(&self, prev: &[u8]) -> Result<(), Fault> {
        let name = prev.strip_prefix(b",\"prev\":\"").and_then(|rest| rest.strip_suffix(b"\""));
        let name = name.ok_or_else(|| wrong("`prev` is not where it belongs"))?;
        let follows = name.len() == 64 && name.chunks_exact(2).zip(self.head).all(|(two, byte)| *two == digits(byte));
        if follows { Ok(()) } else { Err(wrong("it does not follow the line before it")) }
    }

    /// The event written again from what was understood must be the same bytes.
    fn compare_written(&mut self, event: &Event, (kind, data): (&str, &[u8])) -> Result<(), Fault> {
        let written = &mut self.written;
        written.clear();
        serde_json::to_writer(&mut *written, event).map_err(|error| wrong(error.to_string()))?;
        let mut walk = Walk { line: written, at: 0 };
        let same = walk.is_over(b"{\"kind\":\"")
            && walk.is_over(kind.as_bytes())
            && walk.is_over(b"\",\"data\":")
            && walk.rest().strip_suffix(b"}") == Some(data);
        if same {
            return Ok(());
        }
        let again = walk.rest();
        let at = again.iter().zip(data).take_while(|(a, b)| a == b).count();
        Err(wrong(format!("its data is not written in the one allowed form, from byte {at} of it on")))
    }
}

/// A lane is known by its name from the record on with which it joins. Names need no escapes, so a name that
/// is known, or may become so, is written in one way.
fn name_lane(name: Option<&str>, event: &Event, lanes: &mut Lanes) -> Result<Option<LaneId>, Fault> {
    let lane = match (name, event) {
        (None, Event::LaneJoined(_)) => return Err(wrong("a lane joins without a name")),
        (None, _) => return Ok(None),
        (Some(name), Event::LaneJoined(joined)) => {
            lanes.join(joined.id, name).ok_or((name, "joins out of order, a second time or misnamed"))
        }
        (Some(name), _) => lanes.id(name).ok_or((name, "has not joined")),
    };
    lane.map(Some).map_err(|(name, why)| wrong(format!("lane {name:?} {why}")))
}

/// A walk along the bytes of a line.
struct Walk<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.line[self.at..]
    }

    fn is_over(&mut self, word: &[u8]) -> bool {
        let is = self.rest().starts_with(word);
        if is {
            self.at += word.len();
        }
        is
    }

    fn over(&mut self, word: &[u8]) -> Result<(), Fault> {
        if self.is_over(word) {
            return Ok(());
        }
        let due = String::from_utf8_lossy(word);
        Err(wrong(format!("it is no record of this format: {due} is due at byte {}", self.at)))
    }

    /// A number without sign, leading zeros or anything else.
    fn number(&mut self) -> Result<u64, Fault> {
        let rest = self.rest();
        let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let add = |number: u64, digit: &u8| number.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
        let number = rest[..len].iter().try_fold(0, add);
        let plain = len == 1 || (len > 1 && rest[0] != b'0');
        self.at += len;
        number.filter(|_| plain).ok_or_else(|| wrong(format!("it has no plain number before byte {}", self.at)))
    }

    /// A text in quotes. What it may be is known, and none of it has an escape.
    fn text(&mut self) -> Result<&'a str, Fault> {
        self.over(b"\"")?;
        let rest = self.rest();
        let len = rest.iter().position(|byte| *byte == b'"').ok_or_else(|| wrong("a text in it does not end"))?;
        self.at += len + 1;
        std::str::from_utf8(&rest[..len]).map_err(|_| wrong("a text in it is no UTF-8"))
    }
}

/// Kind and data of an event, handed to serde as they stand.
struct Members<'a> {
    kind: &'a str,
    data: &'a [u8],
    /// How many of the two keys were given.
    given: usize,
}

impl<'a> MapAccess<'a> for Members<'a> {
    type Error = serde_json::Error;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        let key = ["kind", "data"].get(self.given);
        self.given += 1;
        key.map(|key| seed.deserialize(BorrowedStrDeserializer::new(key))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Self::Error> {
        if self.given == 1 {
            return seed.deserialize(BorrowedStrDeserializer::new(self.kind));
        }
        let mut data = serde_json::Deserializer::from_slice(self.data);
        let value = seed.deserialize(&mut data)?;
        data.end().map(|()| value)
    }
}

/// The bytes that the checksum covers, if it fits.
fn check_crc(line: &[u8]) -> Result<&[u8], Fault> {
    let covered = line.len().checked_sub(CLOSING).ok_or(Fault::Checksum)?;
    let (covered, closing) = line.split_at(covered);
    let sum = closing.strip_prefix(b",\"crc\":\"").and_then(|rest| rest.strip_suffix(b"\"}")).ok_or(Fault::Checksum)?;
    let expected = crc32c::crc32c(covered).to_be_bytes();
    let fits = sum.len() == 8 && sum.chunks_exact(2).zip(expected).all(|(two, byte)| *two == digits(byte));
    if fits { Ok(covered) } else { Err(Fault::Checksum) }
}

/// A byte as two digits.
fn digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| digits(*byte)).map(char::from).collect()
}
