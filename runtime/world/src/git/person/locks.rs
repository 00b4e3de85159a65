//! Locks of refs that a git program of ours has left behind which was killed alone. While the lock that all of them share is
//! held by nobody else, none is alive any more.

use super::PersonRepository;
use crate::clock::{unix_seconds, wait_for_process};
use crate::git::disk;
use crate::git::error::GitError;
use baton_record::Oid;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Git writes into a lock as soon as it has made it: one that is empty for so many seconds was left behind.
const EMPTY_S: i64 = 2;

impl PersonRepository {
    /// Removes the lock of a branch that was to go to this commit: one that says so, or that says nothing for long.
    pub fn remove_own_lock(&self, full: &str, to: Oid) -> Result<(), GitError> {
        let lock = self.common.join(format!("{full}.lock"));
        while let Ok(text) = fs::read_to_string(&lock) {
            if text.trim_end() == to.to_hex() || (text.is_empty() && age_s(&lock) > EMPTY_S) {
                return disk::remove_if_there(&lock);
            }
            if !text.is_empty() {
                return Ok(());
            }
            wait_for_process(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Removes locks of refs that nobody but this product writes.
    pub fn remove_own_locks(&self) -> Result<(), GitError> {
        let mut waiting: Vec<PathBuf> = vec![self.common.join("refs/baton")];
        while let Some(folder) = waiting.pop() {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries.flatten().map(|entry| entry.path()) {
                match entry.is_dir() {
                    true => waiting.push(entry),
                    false if entry.extension().is_some_and(|ending| ending == "lock") => disk::remove_if_there(&entry)?,
                    false => {}
                }
            }
        }
        Ok(())
    }
}

fn age_s(file: &Path) -> i64 {
    fs::metadata(file).map_or(0, |found| unix_seconds() - found.mtime())
}
