//! Owns what one line of a journal must look like, byte by byte, and what it says.
//!
//! Deliberately does not know files, segments or rules. Written a second time on purpose: the product
//! has its own reader, and a fault that both shared would stay unseen.

use crate::lanes::Lanes;
use baton_record::line::{Actor, Record};
use baton_record::{Event, TaskId};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::io::Write;

/// `,"crc":"01234567"}`.
const CLOSING: usize = 18;

/// Why a line is not the next one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not match its own checksum: what a torn write looks like.
    Checksum,
    /// It matches, and is wrong.
    Wrong(String),
}

/// What the next line must continue, and a buffer that is used again for each line.
pub(crate) struct Line {
    /// Number of good lines so far.
    pub(crate) seq: u64,
    /// SHA-256 of the last good line.
    pub(crate) head: [u8; 32],
    t_us: u64,
    object: Vec<u8>,
}

impl Line {
    pub(crate) fn first() -> Line {
        Line { seq: 0, head: [0; 32], t_us: 0, object: Vec::new() }
    }

    /// Lower-case hex of the last good line's hash.
    pub(crate) fn head_hex(&self) -> String {
        hex(&self.head)
    }

    /// Reads the next line, without its newline. Nothing advances if it is at fault.
    pub(crate) fn read(&mut self, line: &[u8], lanes: &mut Lanes) -> Result<Record, Fault> {
        check_crc(line)?;
        let parts: Parts<'_> = serde_json::from_slice(line)
            .map_err(|error| Fault::Wrong(format!("it is no record of this format: {error}")))?;
        if parts.v != 1 || parts.seq != self.seq {
            return Err(Fault::Wrong(format!(
                "it says v {} seq {}, and v 1 seq {} is due",
                parts.v, parts.seq, self.seq
            )));
        }
        if parts.prev != self.head_hex() {
            return Err(Fault::Wrong("it does not follow the line before it".into()));
        }
        if parts.t_us < self.t_us {
            return Err(Fault::Wrong(format!("its time {} is before {}", parts.t_us, self.t_us)));
        }
        let record = self.understand(&parts)?;
        self.compare_canonical(line, &parts, &record)?;
        let record = name_lane(&parts, record, lanes)?;
        self.seq += 1;
        self.t_us = parts.t_us;
        self.head = Sha256::digest(line).into();
        Ok(record)
    }

    fn understand(&mut self, parts: &Parts<'_>) -> Result<Record, Fault> {
        let actor = match parts.actor {
            "run" => Actor::Run,
            "supervisor" => Actor::Supervisor,
            "merger" => Actor::Merger,
            "recorder" => Actor::Recorder,
            "lane" => Actor::Lane,
            other => return Err(Fault::Wrong(format!("{other:?} is no actor"))),
        };
        let task = match parts.task {
            None => None,
            Some(text) => {
                let number = text.strip_prefix("T-").and_then(|digits| digits.parse().ok());
                Some(TaskId(number.ok_or_else(|| Fault::Wrong(format!("{text:?} is no task")))?))
            }
        };
        self.object.clear();
        write!(self.object, "{{\"kind\":\"{}\",\"data\":{}}}", parts.kind, parts.data.get()).map_err(no_room)?;
        let event: Event = serde_json::from_slice(&self.object)
            .map_err(|error| Fault::Wrong(format!("its {} is at fault: {error}", parts.kind)))?;
        Ok(Record { t_us: parts.t_us, actor, lane: None, task, event })
    }

    /// The line written again from what was understood must be the same bytes: that settles the order
    /// of keys, white space, escapes, doubled keys and odd numbers at once.
    fn compare_canonical(&mut self, line: &[u8], parts: &Parts<'_>, record: &Record) -> Result<(), Fault> {
        let out = &mut self.object;
        out.clear();
        write!(out, "{{\"v\":1,\"seq\":{},\"t_us\":{},\"actor\":\"{}\"", parts.seq, parts.t_us, parts.actor)
            .map_err(no_room)?;
        match parts.lane {
            Some(lane) => write!(out, ",\"lane\":\"{lane}\"").map_err(no_room)?,
            None => out.extend_from_slice(b",\"lane\":null"),
        }
        match record.task {
            Some(task) => write!(out, ",\"task\":\"T-{}\"", task.0).map_err(no_room)?,
            None => out.extend_from_slice(b",\"task\":null"),
        }
        let event_at = out.len();
        serde_json::to_writer(&mut *out, &record.event).map_err(|error| Fault::Wrong(error.to_string()))?;
        out[event_at] = b',';
        out.pop();
        write!(out, ",\"prev\":\"{}\",\"crc\":\"{}\"}}", parts.prev, parts.crc).map_err(no_room)?;
        if out.as_slice() == line {
            return Ok(());
        }
        let at = out.iter().zip(line).take_while(|(a, b)| a == b).count();
        Err(Fault::Wrong(format!("it is not written in the one allowed form, from byte {at} on")))
    }
}

/// A lane is known by its name from the record on with which it joins.
fn name_lane(parts: &Parts<'_>, record: Record, lanes: &mut Lanes) -> Result<Record, Fault> {
    let Some(name) = parts.lane else {
        let joins = matches!(record.event, Event::LaneJoined(_));
        return if joins { Err(Fault::Wrong("a lane joins without a name".into())) } else { Ok(record) };
    };
    let lane = match &record.event {
        Event::LaneJoined(joined) => lanes.join(joined.id, name).ok_or("joins out of order, a second time or misnamed"),
        _ => lanes.id(name).ok_or("has not joined"),
    };
    let lane = lane.map_err(|why| Fault::Wrong(format!("lane {name:?} {why}")))?;
    Ok(Record { lane: Some(lane), ..record })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts<'a> {
    v: u32,
    seq: u64,
    t_us: u64,
    actor: &'a str,
    lane: Option<&'a str>,
    task: Option<&'a str>,
    kind: &'a str,
    #[serde(borrow)]
    data: &'a RawValue,
    prev: &'a str,
    crc: &'a str,
}

fn no_room(error: std::io::Error) -> Fault {
    Fault::Wrong(error.to_string())
}

fn check_crc(line: &[u8]) -> Result<(), Fault> {
    let covered = line.len().checked_sub(CLOSING).ok_or(Fault::Checksum)?;
    let (covered, closing) = line.split_at(covered);
    let expected = format!(",\"crc\":\"{:08x}\"}}", crc32c::crc32c(covered));
    if closing == expected.as_bytes() { Ok(()) } else { Err(Fault::Checksum) }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
