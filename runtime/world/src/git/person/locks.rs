//! Locks of refs that a git program of ours has left behind which was killed alone. While the lock that all of them share is
//! held by nobody else, none is alive any more.

use super::PersonRepository;
use super::worktrees::git_directory;
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
    /// Removes the locks that a move of a branch to this commit takes: one that says so, and those that have said nothing for
    /// long. Git locks HEAD too, wherever it points to the branch, and with a remote what it knows of that.
    pub fn remove_own_lock(&self, full: &str, to: Oid, remote: Option<&str>) -> Result<(), GitError> {
        let mut locks = vec![self.common.join(format!("{full}.lock")), self.common.join("HEAD.lock")];
        if let (Some(remote), Some(branch)) = (remote, full.strip_prefix("refs/heads/")) {
            locks.push(self.common.join(format!("refs/remotes/{remote}/{branch}.lock")));
        }
        for worktree in self.worktrees()? {
            locks.push(git_directory(&worktree.path)?.join("HEAD.lock"));
        }
        locks.iter().try_for_each(|lock| remove_left(lock, to))
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

fn remove_left(lock: &Path, to: Oid) -> Result<(), GitError> {
    while let Ok(text) = fs::read_to_string(lock) {
        if text.trim_end() == to.to_hex() || (text.is_empty() && age_s(lock) > EMPTY_S) {
            return disk::remove_if_there(lock);
        }
        if !text.is_empty() {
            return Ok(());
        }
        wait_for_process(Duration::from_millis(50));
    }
    Ok(())
}

fn age_s(file: &Path) -> i64 {
    fs::metadata(file).map_or(0, |found| unix_seconds() - found.mtime())
}
