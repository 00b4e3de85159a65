//! The two refs that the product owns, by the lock protocol of git's files backend.
//!
//! A ref is changed by making `<ref>.lock`, comparing the current value, writing the new one into the lock and
//! renaming it over the ref (or swapping the two). Git programs do the same, so each side waits for the other. One
//! process owns the repository of a run; a lock that a killed owner left behind is removed when the repository is
//! opened again.

use super::Durability;
use super::disk;
use super::error::{GitError, GitErrorKind};
use baton_record::Oid;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The branch that changes land on.
pub(super) const MAIN: &str = "refs/heads/main";
/// Points to the blob of newest fences.
pub(super) const FENCES: &str = "refs/baton/fences";

/// A ref does not have the value that it was expected to have; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefMoved {
    /// Which ref: `refs/heads/main` or `refs/baton/fences`.
    pub reference: &'static str,
    /// The value that the caller expected; `None`: that it does not exist.
    pub expected: Option<Oid>,
    /// The value that it has.
    pub found: Option<Oid>,
}

#[derive(Debug)]
pub(super) struct Refs {
    root: PathBuf,
    durability: Durability,
}

/// A ref that nobody else changes while this lives.
pub(super) struct Locked<'r> {
    refs: &'r Refs,
    reference: &'static str,
    lock: PathBuf,
    /// Open for the new value; `None`: the ref is only held.
    file: Option<File>,
    held: bool,
}

impl Refs {
    pub(super) fn new(root: &Path, durability: Durability) -> Refs {
        Refs { root: root.to_owned(), durability }
    }

    /// Removes locks that a killed process left behind.
    pub(super) fn remove_stale_locks(&self) -> Result<(), GitError> {
        for reference in [MAIN, FENCES] {
            disk::remove_if_there(&self.lock_path(reference))?;
        }
        Ok(())
    }

    pub(super) fn read(&self, reference: &str) -> Result<Option<Oid>, GitError> {
        let path = self.root.join(reference);
        match fs::read_to_string(&path) {
            Ok(text) => match Oid::from_hex(text.trim_end()) {
                Some(oid) => Ok(Some(oid)),
                None => Err(GitError::damaged(format!("{} does not hold an object name", path.display()))),
            },
            Err(error) if is_absent(&error) => self.read_packed(reference),
            Err(error) => Err(GitError::io("read", &path, &error)),
        }
    }

    fn read_packed(&self, reference: &str) -> Result<Option<Oid>, GitError> {
        let path = self.root.join("packed-refs");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(GitError::io("read", &path, &error)),
        };
        let lines = text.lines().filter(|line| !line.starts_with(['#', '^']));
        let Some((hex, _)) = lines.filter_map(|line| line.split_once(' ')).find(|(_, name)| *name == reference) else {
            return Ok(None);
        };
        let damaged = || GitError::damaged(format!("{} gives {reference} no object name", path.display()));
        Oid::from_hex(hex).map(Some).ok_or_else(damaged)
    }

    fn lock_path(&self, reference: &str) -> PathBuf {
        self.root.join(format!("{reference}.lock"))
    }

    /// Takes the ref's lock to change it, waiting for about a second for a git program that holds it.
    pub(super) fn lock(&self, reference: &'static str) -> Result<Locked<'_>, GitError> {
        self.wait_for(reference, |lock| OpenOptions::new().write(true).create_new(true).open(lock).map(Some))
    }

    /// Takes the ref's lock so that the ref stays as it is. A link is as exclusive as a new file and takes a tenth of
    /// the time.
    pub(super) fn hold(&self, reference: &'static str) -> Result<Locked<'_>, GitError> {
        let linked = self.wait_for(reference, |lock| fs::hard_link(self.root.join("HEAD"), lock).map(|()| None));
        // Some file systems have no links.
        match linked {
            Err(error) if error.kind() == GitErrorKind::Io => self.lock(reference),
            linked => linked,
        }
    }

    fn wait_for(
        &self,
        reference: &'static str,
        take: impl Fn(&Path) -> io::Result<Option<File>>,
    ) -> Result<Locked<'_>, GitError> {
        const TRIES_MAX: u32 = 100;
        let lock = self.lock_path(reference);
        for _ in 0..TRIES_MAX {
            match take(&lock) {
                Ok(file) => return Ok(Locked { refs: self, reference, lock, file, held: true }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => wait_for_other_process(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.make_parent(&lock)?,
                Err(error) => return Err(GitError::io("create", &lock, &error)),
            }
        }
        let detail = format!("{reference} stays locked by {}", lock.display());
        Err(GitError::new(GitErrorKind::Locked, detail))
    }

    /// Git removes directories of refs that have become empty.
    fn make_parent(&self, lock: &Path) -> Result<(), GitError> {
        let parent = lock.parent().expect("a ref is below the repository");
        disk::make_directories(parent, self.durability)
    }
}

/// Neither the file nor a file in place of one of its directories is the ref.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory)
}

#[allow(clippy::disallowed_methods, reason = "the holder of the lock is another process, in real time in every world")]
fn wait_for_other_process() {
    std::thread::sleep(Duration::from_millis(10));
}

impl Locked<'_> {
    /// Whether the ref has this value now; it keeps it as long as the lock is held.
    pub(super) fn verify(&self, expected: Option<Oid>) -> Result<Result<(), RefMoved>, GitError> {
        let found = self.refs.read(self.reference)?;
        let moved = RefMoved { reference: self.reference, expected, found };
        Ok(if found == expected { Ok(()) } else { Err(moved) })
    }

    /// Gives the ref its new value and the lock back.
    pub(super) fn set(mut self, new: Oid) -> Result<(), GitError> {
        self.write(new)?;
        let durability = self.refs.durability;
        if durability == Durability::Durable {
            disk::sync(&self.lock)?;
        }
        self.put(durability)
    }

    /// Writes the new value down, aside: nobody sees it yet.
    pub(super) fn write(&mut self, new: Oid) -> Result<(), GitError> {
        let mut file = self.file.take().expect("taken to change the ref");
        let written = file.write_all(format!("{new}\n").as_bytes());
        written.map_err(|error| GitError::io("write", &self.lock, &error))
    }

    /// The file that holds the new value once it is written, and has to be durable before it is put in place.
    pub(super) fn path(&self) -> &Path {
        &self.lock
    }

    /// Gives the ref the value that was written, and the lock back. On return that is durable if it is to be.
    pub(super) fn put(mut self, durability: Durability) -> Result<(), GitError> {
        let target = self.refs.root.join(self.reference);
        self.put_in_place(&target).map_err(|error| GitError::io("write", &target, &error))?;
        match durability {
            Durability::Durable => disk::sync(target.parent().expect("a ref is below the repository")),
            Durability::Buffered => Ok(()),
        }
    }

    /// Swapping the two files leaves the former value under the lock's name, from where it is removed with the lock.
    /// To rename one over the other has the same effect, but some file systems then write it out at once.
    fn put_in_place(&mut self, target: &Path) -> io::Result<()> {
        if renameat_with(CWD, &self.lock, CWD, target, RenameFlags::EXCHANGE).is_err() {
            fs::rename(&self.lock, target)?;
            self.held = false;
        }
        Ok(())
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if self.held {
            // A lock that cannot be removed is met, and told of, by the next who wants it.
            let _ = fs::remove_file(&self.lock);
        }
    }
}
