//! The journal as files: appended by one writer, folded by anybody.
//!
//! `journal/<epoch>-<segment>.jsonl`. One writer at a time: a lock on the folder keeps a second process out, the
//! expected sequence keeps a deposed writer out. A failed write or sync poisons the writer: after a failed sync the data
//! may be gone though a retry succeeds. Knows the line format only through `baton-record`, and no meaning of any record.

mod encoder;
mod fold;
mod group_commit;
mod segments;

pub use fold::{FoldEnd, JournalDamage, fold};
pub use group_commit::{Committer, Submission};

use crate::git::Durability;
use baton_record::Chain;
use baton_record::line::Record;
use encoder::Encoder;
use segments::Segments;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Bytes after which a segment is closed and another begun.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// The one writer of a journal.
#[derive(Debug)]
pub struct Journal {
    encoder: Encoder,
    segments: Segments,
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
        Ok(Journal { encoder: Encoder::default(), segments: Segments::create(dir, durability)? })
    }

    /// The folder was renamed: later segments go there.
    pub fn moved_to(&mut self, dir: &Path) {
        self.segments.moved_to(dir);
    }

    /// Hands a batch to the kernel as one write, stamped with `now_us` (never less than the batch before).
    /// It is durable after the next [`Journal::sync`]. `expected` is the number of records so far.
    /// A joining lane needs `lane_names` to hold its name, in the order of joining.
    pub fn append(&mut self, expected: u64, batch: &[Record], lane_names: &[String]) -> Result<u64, JournalError> {
        self.segments.must_be_sound()?;
        let found = self.encoder.chain().next_seq;
        if expected != found {
            return Err(JournalError::Deposed { expected, found });
        }
        self.encoder.encode(batch, lane_names);
        let written = self.segments.write(self.encoder.batch());
        self.encoder.batch_mut().clear();
        written.map(|()| self.encoder.chain().next_seq)
    }

    /// Makes everything that was appended durable, in a durable world; otherwise nothing.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        self.segments.sync()
    }

    /// Makes everything that was appended durable, in any world.
    pub fn sync_now(&mut self) -> Result<(), JournalError> {
        self.segments.sync_now()
    }

    /// Records so far and the hash of the last line.
    pub fn chain(&self) -> Chain {
        self.encoder.chain()
    }

    /// How often the disk was asked to make what was written durable.
    pub fn syncs(&self) -> u64 {
        self.segments.syncs()
    }
}
