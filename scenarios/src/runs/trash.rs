//! Removing a folder so that a kill at any instant leaves either the run or something that is known to be rubbish.
//!
//! The folder first gets a name that only we give: it has the folder's own inode number in it, so that nothing that
//! somebody made or copied is ever taken for rubbish. Only then is anything in it removed. Whoever does it holds the
//! folder's lock, so that two do not meet.

use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const PREFIX: &str = ".baton-trash-";

/// A folder in hand: nobody else lists it as free, removes it, or writes a run into it.
#[derive(Debug)]
pub(super) struct Held {
    path: PathBuf,
    inode: u64,
    _lock: File,
}

/// Why a folder cannot be taken in hand.
#[derive(Debug)]
pub(super) enum NotHeld {
    /// Somebody else has it.
    Taken,
    /// It is not there any more.
    Gone,
    /// It cannot be opened.
    Refused(io::Error),
}

impl Held {
    /// Takes a folder in hand, the journal's lock as well if there is one.
    pub(super) fn take(path: &Path) -> Result<Held, NotHeld> {
        let refused = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => NotHeld::Gone,
            _ => NotHeld::Refused(error),
        };
        let lock = File::open(path).map_err(refused)?;
        if !lock_alone(&lock) || File::open(path.join("journal")).is_ok_and(|journal| !lock_alone(&journal)) {
            return Err(NotHeld::Taken);
        }
        let opened = lock.metadata().map_err(refused)?;
        let found = fs::symlink_metadata(path).map_err(refused)?;
        if !found.is_dir() || (found.dev(), found.ino()) != (opened.dev(), opened.ino()) {
            return Err(NotHeld::Gone);
        }
        Ok(Held { path: path.to_owned(), inode: opened.ino(), _lock: lock })
    }

    /// Gives it the name of rubbish, then removes it.
    pub(super) fn remove(self) -> io::Result<()> {
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let trash = if is_trash(&self.path) {
            self.path.clone()
        } else {
            let trash = parent.join(format!("{PREFIX}{}", self.inode));
            fs::rename(&self.path, &trash)?;
            // The new name is on the disk before anything below it is gone.
            File::open(parent)?.sync_all()?;
            trash
        };
        fs::remove_dir_all(&trash)
    }
}

/// Whether nobody else holds it now. Who only looks whether somebody does, holds it for an instant, and is waited for.
fn lock_alone(file: &File) -> bool {
    flock(file, FlockOperation::NonBlockingLockExclusive).is_ok()
        || flock(file, FlockOperation::NonBlockingLockShared).is_ok()
            && flock(file, FlockOperation::LockExclusive).is_ok()
}

/// Whether a folder is what an interrupted removal has left.
pub(super) fn is_trash(path: &Path) -> bool {
    let number = path.file_name().and_then(|name| name.to_str()?.strip_prefix(PREFIX)?.parse::<u64>().ok());
    number.is_some() && fs::symlink_metadata(path).is_ok_and(|found| found.is_dir() && Some(found.ino()) == number)
}
