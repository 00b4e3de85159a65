//! One line of the journal: an object with the keys `v, seq, t_us, actor, lane, task, kind, data, prev, crc`
//! in this order and without white space between them.
//!
//! `prev` is the hash of the line before; `crc` is CRC-32C, as eight lower-case hex digits, over every byte
//! before `,"crc"`. Both, and the closing bytes, are compared byte by byte, so that no flipped bit passes.

use crate::chain::{Chain, Hash};
use crate::event::Event;
use crate::ids::{LaneId, TaskId};
use crate::names::Names;
use crate::oid::write_hex;
use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeSeed, MapAccess};
use std::fmt;

/// Who wrote a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The run itself: its start, its end, its faults.
    Run,
    /// Owner of leases, board and pause.
    Supervisor,
    /// The only writer of main.
    Merger,
    /// The only writer of the journal.
    Recorder,
    /// A lane.
    Lane,
}

impl Actor {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Actor::Run => "run",
            Actor::Supervisor => "supervisor",
            Actor::Merger => "merger",
            Actor::Recorder => "recorder",
            Actor::Lane => "lane",
        }
    }

    fn from_word(word: &[u8]) -> Option<Actor> {
        [Actor::Run, Actor::Supervisor, Actor::Merger, Actor::Recorder, Actor::Lane]
            .into_iter()
            .find(|actor| actor.word().as_bytes() == word)
    }
}

/// One record: a fact, when, by whom and about what. Its sequence number is its place in the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Microseconds since the run's start.
    pub t_us: u64,
    /// Who wrote it.
    pub actor: Actor,
    /// The lane that it is about.
    pub lane: Option<LaneId>,
    /// The task that it is about.
    pub task: Option<TaskId>,
    /// The fact.
    pub event: Event,
}

/// `,"prev":"<64>"`.
const PREV_LEN: usize = 9 + 64 + 1;
/// `,"crc":"<8>"}`.
const CRC_LEN: usize = 8 + 8 + 2;

/// Appends the next line and its newline to `out` and advances `chain`.
/// A `LaneJoined` record's lane must be in `names` already.
pub fn write_line(out: &mut Vec<u8>, chain: &mut Chain, record: &Record, names: &Names) {
    let start = out.len();
    write_envelope(out, chain.next_seq, record, names);
    // The event writes `{"kind":…,"data":{…}}`; its braces give way to a comma and to nothing.
    let event_at = out.len();
    serde_json::to_writer(&mut *out, &record.event).expect("a record's data is plain and a vector takes every byte");
    out[event_at] = b',';
    out.pop();
    out.extend_from_slice(b",\"prev\":\"");
    out.extend_from_slice(&chain.head.hex());
    out.push(b'"');
    let crc = crc_hex(&out[start..]);
    out.extend_from_slice(b",\"crc\":\"");
    out.extend_from_slice(&crc);
    out.extend_from_slice(b"\"}");
    chain.advance(&out[start..]);
    out.push(b'\n');
}

fn write_envelope(out: &mut Vec<u8>, seq: u64, record: &Record, names: &Names) {
    let mut digits = itoa::Buffer::new();
    out.extend_from_slice(b"{\"v\":1,\"seq\":");
    out.extend_from_slice(digits.format(seq).as_bytes());
    out.extend_from_slice(b",\"t_us\":");
    out.extend_from_slice(digits.format(record.t_us).as_bytes());
    out.extend_from_slice(b",\"actor\":\"");
    out.extend_from_slice(record.actor.word().as_bytes());
    match record.lane {
        Some(lane) => {
            out.extend_from_slice(b"\",\"lane\":\"");
            out.extend_from_slice(names.lane(lane).expect("a lane joins before it is written about").as_bytes());
            out.push(b'"');
        }
        None => out.extend_from_slice(b"\",\"lane\":null"),
    }
    match record.task {
        Some(task) => {
            out.extend_from_slice(b",\"task\":\"T-");
            out.extend_from_slice(digits.format(task.0).as_bytes());
            out.push(b'"');
        }
        None => out.extend_from_slice(b",\"task\":null"),
    }
}

fn crc_hex(bytes: &[u8]) -> [u8; 8] {
    let mut hex = [0; 8];
    write_hex(&crc32c::crc32c(bytes).to_be_bytes(), &mut hex);
    hex
}

/// Why a line is not the next line of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineError {
    /// The closing bytes or the checksum do not fit: the line was torn, damaged or edited.
    Checksum,
    /// The line is whole but names another predecessor: one was dropped, edited or put in.
    Chain,
    /// Checksum and chain fit, but this is not a record of this format.
    Form(String),
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineError::Checksum => f.write_str("the line does not match its checksum"),
            LineError::Chain => f.write_str("the line does not follow the one before it"),
            LineError::Form(why) => write!(f, "the line is no record of format 1: {why}"),
        }
    }
}

fn form(why: &str) -> LineError {
    LineError::Form(why.to_owned())
}

/// Reads the next line (without its newline), checks it against `chain` and advances it.
/// A `LaneJoined` record enters its lane into `names`.
pub fn read_line(line: &[u8], chain: &mut Chain, names: &mut Names) -> Result<Record, LineError> {
    let body = verify_line(line, chain)?;
    let record = parse_body(body, chain.next_seq, names)?;
    chain.advance(line);
    Ok(record)
}

/// Checks closing bytes, checksum and predecessor; the bytes before `,"prev"` on success.
fn verify_line<'a>(line: &'a [u8], chain: &Chain) -> Result<&'a [u8], LineError> {
    let checked = line.len().checked_sub(CRC_LEN).ok_or(LineError::Checksum)?;
    let (covered, closing) = line.split_at(checked);
    let crc = crc_hex(covered);
    if closing[..8] != *b",\"crc\":\"" || closing[8..16] != crc || closing[16..] != *b"\"}" {
        return Err(LineError::Checksum);
    }
    let body_len = covered.len().checked_sub(PREV_LEN).ok_or_else(|| form("it is too short"))?;
    let (body, prev) = covered.split_at(body_len);
    if prev[..9] != *b",\"prev\":\"" || prev[73] != b'"' {
        return Err(form("`prev` is not where it belongs"));
    }
    if prev[9..73] != chain.head.hex() {
        return Err(LineError::Chain);
    }
    Ok(body)
}

/// Reads a line without checking it: what a program does that trusts the file. The yardstick of replay.
pub fn parse_line(line: &[u8], seq: u64, names: &mut Names) -> Result<Record, LineError> {
    let body_len = line.len().checked_sub(CRC_LEN + PREV_LEN).ok_or_else(|| form("it is too short"))?;
    parse_body(&line[..body_len], seq, names)
}

fn parse_body(body: &[u8], seq: u64, names: &mut Names) -> Result<Record, LineError> {
    let mut rest = Cursor { rest: body };
    rest.expect(b"{\"v\":1,\"seq\":")?;
    if rest.number()? != seq {
        return Err(form("`seq` is not the line's place"));
    }
    rest.expect(b",\"t_us\":")?;
    let t_us = rest.number()?;
    rest.expect(b",\"actor\":\"")?;
    let actor = Actor::from_word(rest.until_quote()?).ok_or_else(|| form("unknown actor"))?;
    rest.expect(b",\"lane\":")?;
    let lane_name = rest.string_or_null()?;
    rest.expect(b",\"task\":")?;
    let task = rest.task_or_null()?;
    let event = parse_event(rest)?;
    let lane = match (lane_name, &event) {
        (None, Event::LaneJoined(_)) => return Err(form("a joining lane has no name")),
        (None, _) => None,
        (Some(name), Event::LaneJoined(joined)) => {
            let id = names.add_lane(name).ok_or_else(|| form("a lane's name is taken or malformed"))?;
            if id != joined.id {
                return Err(form("a joining lane skips an identifier"));
            }
            Some(id)
        }
        (Some(name), _) => Some(names.lane_id(name).ok_or_else(|| form("the lane has not joined"))?),
    };
    Ok(Record { t_us, actor, lane, task, event })
}

/// Reads `,"kind":"…","data":{…}` where it stands.
fn parse_event(mut rest: Cursor<'_>) -> Result<Event, LineError> {
    rest.expect(b",\"kind\":\"")?;
    let kind = std::str::from_utf8(rest.until_quote()?).map_err(|_| form("a kind is no UTF-8"))?;
    rest.expect(b",\"data\":")?;
    let members = Members { kind, data: rest.rest, given: 0 };
    Event::deserialize(MapAccessDeserializer::new(members)).map_err(|error| LineError::Form(error.to_string()))
}

/// The members `kind` and `data` of an event, as serde wants to be given them: nothing is copied.
struct Members<'a> {
    kind: &'a str,
    data: &'a [u8],
    /// How many of the two keys were given.
    given: usize,
}

impl<'a> MapAccess<'a> for Members<'a> {
    type Error = serde_json::Error;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        let Some(key) = ["kind", "data"].get(self.given) else { return Ok(None) };
        self.given += 1;
        seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some)
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

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn expect(&mut self, word: &[u8]) -> Result<(), LineError> {
        self.rest = self
            .rest
            .strip_prefix(word)
            .ok_or_else(|| LineError::Form(format!("{} is not where it belongs", String::from_utf8_lossy(word))))?;
        Ok(())
    }

    fn number(&mut self) -> Result<u64, LineError> {
        let len = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(len);
        let canonical = len == 1 || (len > 1 && digits[0] != b'0');
        let add = |number: u64, digit: &u8| number.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
        let number =
            digits.iter().try_fold(0, add).filter(|_| canonical).ok_or_else(|| form("a number is malformed"))?;
        self.rest = rest;
        Ok(number)
    }

    fn until_quote(&mut self) -> Result<&'a [u8], LineError> {
        let len = self.rest.iter().position(|byte| *byte == b'"').ok_or_else(|| form("a string does not end"))?;
        let (text, rest) = self.rest.split_at(len);
        self.rest = &rest[1..];
        Ok(text)
    }

    fn task_or_null(&mut self) -> Result<Option<TaskId>, LineError> {
        if let Some(rest) = self.rest.strip_prefix(b"null") {
            self.rest = rest;
            return Ok(None);
        }
        self.expect(b"\"T-")?;
        let number = u32::try_from(self.number()?).map_err(|_| form("malformed task"))?;
        self.expect(b"\"")?;
        Ok(Some(TaskId(number)))
    }

    /// Names need no escapes, so a string is what stands between two quotes.
    fn string_or_null(&mut self) -> Result<Option<&'a str>, LineError> {
        if let Some(rest) = self.rest.strip_prefix(b"null") {
            self.rest = rest;
            return Ok(None);
        }
        self.expect(b"\"")?;
        let text = std::str::from_utf8(self.until_quote()?).map_err(|_| form("a string is no UTF-8"))?;
        Ok(Some(text))
    }
}

/// The hash that the line after `line` must name. For tests and for tools that repair nothing.
pub fn hash_of(line: &[u8]) -> Hash {
    Hash::of(line)
}
