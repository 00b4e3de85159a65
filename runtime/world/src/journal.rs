//! The journal as files: appended by one writer, folded by anybody.
//!
//! `journal/<epoch>-<segment>.jsonl`. One writer at a time: a lock on the folder keeps a second process out, the
//! expected sequence keeps a deposed writer out. A failed write or sync poisons the writer: after a failed sync the data
//! may be gone though a retry succeeds. Knows the line format only through `baton-record`, and no meaning of any record.

mod fold;
mod group_commit;

pub use fold::{FoldEnd, JournalDamage, fold};
pub use group_commit::{Committer, Submission};

use crate::git::Durability;
use baton_record::event::SegmentClosed;
use baton_record::line::{Actor, Record, write_line};
use baton_record::segment::SegmentName;
use baton_record::{Chain, Event, Names};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Bytes after which a segment is closed and another begun.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// The one writer of a journal.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    file: File,
    name: SegmentName,
    segment_bytes: u64,
    segment_records: u64,
    chain: Chain,
    names: Names,
    durability: Durability,
    buffer: Vec<u8>,
    last_t_us: u64,
    poisoned: bool,
    _lock: File,
}

/// Why an append did not happen. The writer must end: nothing of the batch may be acted on.
#[derive(Debug)]
pub enum JournalError {
    /// Another writer has appended, or this one has lost count.
    Deposed {
        /// What the caller expected.
        expected: u64,
        /// Where the journal is.
        found: u64,
    },
    /// Another process holds the journal.
    Locked(PathBuf),
    /// An earlier write failed; whether it is on the disk is unknown.
    Poisoned,
    /// The disk refused.
    Disk(PathBuf, io::Error),
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JournalError::Deposed { expected, found } => {
                write!(
                    f,
                    "the journal is at record {found}, this writer expected {expected}: another writer is at work"
                )
            }
            JournalError::Locked(path) => write!(f, "{}: another process writes this journal", path.display()),
            JournalError::Poisoned => f.write_str("an earlier write to the journal failed; nothing may follow it"),
            JournalError::Disk(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for JournalError {}

impl Journal {
    /// Begins the journal of a new run in `dir`, which must not hold one.
    pub fn create(dir: &Path, durability: Durability) -> Result<Journal, JournalError> {
        let disk = |error| JournalError::Disk(dir.to_owned(), error);
        std::fs::create_dir_all(dir).map_err(disk)?;
        let lock = File::open(dir).map_err(disk)?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| JournalError::Locked(dir.to_owned()))?;
        let name = SegmentName { segment: 0, epoch: 1 };
        let file = new_segment(dir, name)?;
        Ok(Journal {
            dir: dir.to_owned(),
            file,
            name,
            segment_bytes: 0,
            segment_records: 0,
            chain: Chain::default(),
            names: Names::default(),
            durability,
            buffer: Vec::new(),
            last_t_us: 0,
            poisoned: false,
            _lock: lock,
        })
    }

    /// The folder was renamed: later segments go there.
    pub fn moved_to(&mut self, dir: &Path) {
        self.dir = dir.to_owned();
    }

    /// Hands a batch to the kernel as one write, stamped with `now_us` (never less than the batch before).
    /// It is durable after the next [`Journal::sync`]. `expected` is the number of records so far.
    /// A joining lane needs `lane_names` to hold its name, in the order of joining.
    pub fn append(&mut self, expected: u64, batch: &[Record], lane_names: &[String]) -> Result<u64, JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned);
        }
        if expected != self.chain.next_seq {
            return Err(JournalError::Deposed { expected, found: self.chain.next_seq });
        }
        for name in lane_names {
            self.names.add_lane(name).expect("the caller names each lane once and well");
        }
        self.buffer.clear();
        for record in batch {
            self.encode(record);
        }
        self.write_buffer()?;
        if self.segment_bytes >= SEGMENT_BYTES {
            self.rotate()?;
        }
        Ok(self.chain.next_seq)
    }

    fn encode(&mut self, record: &Record) {
        assert!(record.t_us >= self.last_t_us, "time does not run backwards in a journal");
        self.last_t_us = record.t_us;
        write_line(&mut self.buffer, &mut self.chain, record, &self.names);
        self.segment_records += 1;
    }

    fn write_buffer(&mut self) -> Result<(), JournalError> {
        self.segment_bytes += self.buffer.len() as u64;
        self.file.write_all(&self.buffer).map_err(|error| {
            self.poisoned = true;
            JournalError::Disk(self.dir.join(self.name.file_name()), error)
        })
    }

    /// Makes everything that was appended durable, in a durable world; otherwise nothing.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        if self.durability == Durability::Durable { self.sync_now() } else { Ok(()) }
    }

    /// Makes everything that was appended durable, in any world.
    pub fn sync_now(&mut self) -> Result<(), JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned);
        }
        self.file.sync_data().map_err(|error| {
            self.poisoned = true;
            JournalError::Disk(self.dir.join(self.name.file_name()), error)
        })
    }

    fn rotate(&mut self) -> Result<(), JournalError> {
        let closed = SegmentClosed { segment: self.name.segment, records: self.segment_records + 1 };
        let event = Event::SegmentClosed(closed);
        let record = Record { t_us: self.last_t_us, actor: Actor::Recorder, lane: None, task: None, event };
        self.buffer.clear();
        self.encode(&record);
        self.write_buffer()?;
        self.sync()?;
        self.name.segment += 1;
        self.file = new_segment(&self.dir, self.name)?;
        (self.segment_bytes, self.segment_records) = (0, 0);
        Ok(())
    }

    /// Records so far and the hash of the last line.
    pub fn chain(&self) -> Chain {
        self.chain
    }
}

/// A new, empty segment file whose name is durable.
fn new_segment(dir: &Path, name: SegmentName) -> Result<File, JournalError> {
    let path = dir.join(name.file_name());
    let open = OpenOptions::new().append(true).create_new(true).open(&path);
    let file = open.map_err(|error| JournalError::Disk(path.clone(), error))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| JournalError::Disk(path, error))?;
    Ok(file)
}
