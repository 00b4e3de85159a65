//! The files of a journal under its writer's hands: the lock, the present segment, whether it can still be trusted.

use super::JournalError;
use super::encoder::Batch;
use crate::git::Durability;
use baton_record::segment::SegmentName;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The segment that is written to, and the folder's lock.
#[derive(Debug)]
pub(super) struct Segments {
    dir: PathBuf,
    file: File,
    name: SegmentName,
    durability: Durability,
    poisoned: bool,
    syncs: u64,
    _lock: File,
}

impl Segments {
    /// Locks `dir` and begins its first segment.
    pub(super) fn create(dir: &Path, durability: Durability) -> Result<Segments, JournalError> {
        let disk = |error| JournalError::Disk(dir.to_owned(), error);
        std::fs::create_dir_all(dir).map_err(disk)?;
        let lock = File::open(dir).map_err(disk)?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| JournalError::Locked(dir.to_owned()))?;
        let name = SegmentName { segment: 0, epoch: 1 };
        let file = new_segment(dir, name)?;
        Ok(Segments { dir: dir.to_owned(), file, name, durability, poisoned: false, syncs: 0, _lock: lock })
    }

    pub(super) fn moved_to(&mut self, dir: &Path) {
        self.dir = dir.to_owned();
    }

    /// Nothing may follow a write or sync that failed.
    pub(super) fn must_be_sound(&self) -> Result<(), JournalError> {
        if self.poisoned { Err(JournalError::Poisoned) } else { Ok(()) }
    }

    /// Hands a batch to the kernel: one write for each segment that it touches.
    pub(super) fn write(&mut self, batch: &Batch) -> Result<(), JournalError> {
        self.must_be_sound()?;
        let mut start = 0;
        for end in &batch.segment_ends {
            self.write_lines(&batch.bytes[start..*end])?;
            self.sync()?;
            self.name.segment += 1;
            self.file = new_segment(&self.dir, self.name)?;
            start = *end;
        }
        self.write_lines(&batch.bytes[start..])
    }

    fn write_lines(&mut self, lines: &[u8]) -> Result<(), JournalError> {
        let written = self.file.write_all(lines);
        written.map_err(|error| self.fail(error))
    }

    /// Syncs in a durable world.
    pub(super) fn sync(&mut self) -> Result<(), JournalError> {
        if self.durability == Durability::Durable { self.sync_now() } else { Ok(()) }
    }

    /// Syncs in any world.
    pub(super) fn sync_now(&mut self) -> Result<(), JournalError> {
        self.must_be_sound()?;
        self.syncs += 1;
        self.file.sync_data().map_err(|error| self.fail(error))
    }

    pub(super) fn syncs(&self) -> u64 {
        self.syncs
    }

    fn fail(&mut self, error: io::Error) -> JournalError {
        self.poisoned = true;
        JournalError::Disk(self.dir.join(self.name.file_name()), error)
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
