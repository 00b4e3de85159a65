//! Owns the way from a journal's folder to records in order: which files there are, where each ends,
//! what is a torn tail and what is damage. Streams; holds one line at a time.
//!
//! Deliberately does not know what a record means, but for the first (`RunStarted`) and the last of a
//! segment (`SegmentClosed`), which belong to the form of a journal.

use crate::Unreadable;
use crate::lanes::Lanes;
use crate::line::{Fault, Line};
use crate::report::Damage;
use baton_record::Event;
use baton_record::line::Record;
use baton_record::segment::SegmentName;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// No line of a journal is longer; what claims to be is damage.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// What reading a journal came to.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Good records.
    pub(crate) records: u64,
    /// Hash of the last good line, hex.
    pub(crate) head_hash: String,
    /// The last segment ends in an unfinished line.
    pub(crate) torn_tail: bool,
    /// Where reading had to stop.
    pub(crate) damage: Option<Damage>,
}

/// Takes a good record, its sequence number, and the lanes that have joined.
pub(crate) type Each<'a> = dyn FnMut(u64, &Record, &Lanes) + 'a;

/// Hands every good record to `each`, in order, with its sequence number. Stops at the first damage.
pub(crate) fn read(journal: &Path, lanes: &mut Lanes, each: &mut Each<'_>) -> Result<Reading, Unreadable> {
    let (segments, misfit) = list(journal)?;
    let mut state = State { journal, line: Line::first(), torn_tail: false };
    let mut damage = misfit;
    for (place, name) in segments.iter().enumerate() {
        if damage.is_some() {
            break;
        }
        let last = place + 1 == segments.len();
        damage = match check_place(&segments, place) {
            Some(damage) => Some(damage),
            None => state.read_segment(*name, last, lanes, each)?,
        };
    }
    if damage.is_none() && state.line.seq == 0 {
        damage = Some(Damage { file: "journal".into(), line: 0, what: "it holds no record".into() });
    }
    Ok(Reading { records: state.line.seq, head_hash: state.line.head_hex(), torn_tail: state.torn_tail, damage })
}

/// The segments in the order of the journal, and the first file whose name is none.
fn list(journal: &Path) -> Result<(Vec<SegmentName>, Option<Damage>), Unreadable> {
    let unreadable = |error: std::io::Error| Unreadable::at(journal, format!("cannot be listed: {error}"));
    let mut segments = Vec::new();
    let mut misfits = Vec::new();
    for entry in fs::read_dir(journal).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
        match SegmentName::parse(&name) {
            Some(segment) => segments.push(segment),
            None if name.ends_with(".jsonl") => misfits.push(name),
            None => {}
        }
    }
    segments.sort_unstable();
    misfits.sort_unstable();
    let misfit = misfits.into_iter().next();
    Ok((segments, misfit.map(|file| Damage { file, line: 0, what: "it is not named as a segment is".into() })))
}

/// Segments count on from 0; the first opening is number 1, and no later segment is from an earlier opening.
fn check_place(segments: &[SegmentName], place: usize) -> Option<Damage> {
    let name = segments[place];
    let earlier = place.checked_sub(1).map(|before| segments[before].epoch);
    let what = if name.segment as usize != place {
        format!("segment {place} is missing or there twice")
    } else if name.epoch < earlier.unwrap_or(1) || (earlier.is_none() && name.epoch != 1) {
        "its first number is not the one of the opening that wrote it".into()
    } else {
        return None;
    };
    Some(Damage { file: name.file_name(), line: 0, what })
}

struct State<'a> {
    journal: &'a Path,
    line: Line,
    torn_tail: bool,
}

impl State<'_> {
    /// Reads one segment; `Ok(Some)` where it is damaged.
    fn read_segment(
        &mut self,
        name: SegmentName,
        last: bool,
        lanes: &mut Lanes,
        each: &mut Each<'_>,
    ) -> Result<Option<Damage>, Unreadable> {
        let path = self.journal.join(name.file_name());
        let unreadable = |error: std::io::Error| Unreadable::at(&path, format!("cannot be read: {error}"));
        if !std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
            return Ok(Some(Damage { file: name.file_name(), line: 0, what: "it is not a file".into() }));
        }
        let mut bytes = BufReader::with_capacity(1 << 20, File::open(&path).map_err(unreadable)?);
        let (mut buffer, mut lines, mut closed) = (Vec::new(), 0, false);
        loop {
            buffer.clear();
            let len = bytes.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut buffer).map_err(unreadable)?;
            let damage = |what: String| Ok(Some(Damage { file: name.file_name(), line: lines + 1, what }));
            if len == 0 {
                break;
            }
            let at_end = bytes.fill_buf().map_err(unreadable)?.is_empty();
            if closed {
                return damage("it follows the line that closes the segment".into());
            }
            let seq = self.line.seq;
            let result = match buffer.split_last() {
                Some((b'\n', line)) => self.line.read(line, lanes),
                _ => Err(Fault::Checksum),
            };
            let record = match result {
                Ok(record) => record,
                Err(Fault::Checksum) if at_end && last => {
                    self.torn_tail = true;
                    return Ok(None);
                }
                Err(Fault::Checksum) => return damage("it does not match its checksum".into()),
                Err(Fault::Wrong(what)) => return damage(what),
            };
            if let Some(what) = misplaced(&record, seq, name, lines + 1) {
                return damage(what);
            }
            closed = matches!(record.event, Event::SegmentClosed(_));
            each(seq, &record, lanes);
            lines += 1;
        }
        let unclosed = !closed && !last;
        Ok(unclosed.then(|| Damage {
            file: name.file_name(),
            line: lines,
            what: "another segment follows, and no line closes this one".into(),
        }))
    }
}

/// What a journal's form says about single records.
fn misplaced(record: &Record, seq: u64, name: SegmentName, line: u64) -> Option<String> {
    match &record.event {
        Event::RunStarted(_) if seq > 0 => Some("the run starts a second time".into()),
        Event::RunStarted(_) => None,
        _ if seq == 0 => Some("the first record is not the run's start".into()),
        Event::SegmentClosed(closed) if closed.segment != name.segment || closed.records != line => Some(format!(
            "it closes segment {} with {} records, and this is record {line} of segment {}",
            closed.segment, closed.records, name.segment
        )),
        _ => None,
    }
}
