//! The place of a run folder: whether it is free, what is made above it, and how it is called while it is made.

use crate::run::RunError;
use baton_actors::failure::Failure;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bytes of a folder's name that are kept in the name of the folder that becomes it: file systems know 255.
const NAME_KEPT: usize = 200;

/// Why a place is not free.
pub(crate) const TAKEN: &str = "there is something in this folder already; choose another with --out, or remove it";
/// Why a place will not be free.
const CLAIMED: &str = "another run is being prepared for this folder; choose another with --out";

/// Attempts to get hold of a folder that others make and remove at the same time.
const ATTEMPTS: u32 = 8;

/// A run folder is new, or empty.
pub(crate) fn must_be_free(out: &Path) -> std::result::Result<(), RunError> {
    let folder = |why: &str| Err(RunError::Folder(out.to_owned(), why.to_owned()));
    match std::fs::read_dir(out) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(RunError::Taken(out.to_owned(), TAKEN)),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotADirectory && out.is_file() => {
            folder("this is a file; name a folder with --out")
        }
        Err(error) => folder(&cannot_be_made(&error)),
    }
}

/// Where a link leads to; every other path is its own place.
pub(crate) fn resolved(out: &Path) -> Result<PathBuf> {
    match std::fs::symlink_metadata(out) {
        Ok(found) if found.is_symlink() => std::fs::canonicalize(out),
        _ => Ok(out.to_owned()),
    }
}

/// How a folder is called that is not yet in its place: hidden, beside it, on the same disk.
pub(crate) fn making_name(name: &OsStr) -> OsString {
    let name = name.to_string_lossy();
    let mut kept = name.len().min(NAME_KEPT);
    while !name.is_char_boundary(kept) {
        kept -= 1;
    }
    format!(".{}.making", &name[..kept]).into()
}

/// Why a folder cannot be made, and what to do about it.
pub(crate) fn cannot_be_made(error: &Error) -> String {
    let cure = match error.kind() {
        ErrorKind::NotFound => "nothing can be made there, or it is a link to nothing",
        ErrorKind::NotADirectory => "a part of this path is a file",
        ErrorKind::StorageFull => "make room on that disk",
        ErrorKind::InvalidFilename => "give it a shorter name",
        _ => "it has to be in a folder that may be written to",
    };
    format!("the run folder cannot be made here: {error}; {cure}; choose another with --out")
}

/// The same error, told of the place that was asked for: nobody knows the folder that was to become it.
pub(crate) fn of_the_place(error: RunError, making: &Path, out: &Path) -> RunError {
    match error {
        RunError::Folder(path, why) if path.starts_with(making) => RunError::Folder(out.to_owned(), why),
        RunError::Failure(path, Failure::Journal(why)) if path.starts_with(making) => RunError::Folder(
            out.to_owned(),
            format!("the run folder cannot be made here: {}", told(&why.to_string(), making, out)),
        ),
        RunError::Workspace(why) if why.to_string().contains(&making.display().to_string()) => {
            RunError::Folder(out.to_owned(), told(&why.to_string(), making, out))
        }
        other => other,
    }
}

fn told(why: &str, making: &Path, out: &Path) -> String {
    why.replace(&making.display().to_string(), &out.display().to_string())
}

/// A folder that only this process makes, as long as it lives; an empty one.
#[derive(Debug)]
pub(crate) struct Claim {
    _lock: File,
}

impl Claim {
    /// Makes the folder, or takes over what a killed run has left of it. `out` is only told.
    pub(crate) fn lay(making: &Path, out: &Path) -> std::result::Result<Claim, RunError> {
        let refused = |error: Error| RunError::Folder(out.to_owned(), cannot_be_made(&error));
        for _ in 0..ATTEMPTS {
            // Another run that was refused may have removed what is above.
            std::fs::create_dir_all(making).map_err(refused)?;
            let lock = match File::open(making) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                opened => opened.map_err(refused)?,
            };
            if flock(&lock, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
                return Err(RunError::Taken(out.to_owned(), CLAIMED));
            }
            if is_at(&lock, making).map_err(refused)? {
                empty(making).map_err(refused)?;
                return Ok(Claim { _lock: lock });
            }
        }
        Err(RunError::Taken(out.to_owned(), CLAIMED))
    }
}

/// Whether a folder that is open is still the one of that path: it may have come to its place meanwhile.
fn is_at(opened: &File, path: &Path) -> Result<bool> {
    let opened = opened.metadata()?;
    match std::fs::symlink_metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn empty(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Folders that were made above a run folder, from the innermost on.
#[derive(Debug)]
pub(crate) struct Above(Vec<PathBuf>);

impl Above {
    /// Makes those that are missing.
    pub(crate) fn make(parent: &Path) -> Result<Above> {
        let missing = parent.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists());
        let above = Above(missing.map(Path::to_owned).collect());
        std::fs::create_dir_all(parent).inspect_err(|_| above.unmake())?;
        Ok(above)
    }

    /// Removes them again, as far as nothing else has come into them.
    pub(crate) fn unmake(&self) {
        for folder in &self.0 {
            // One that is not empty, or was never made, stays as it is.
            drop(std::fs::remove_dir(folder));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_has_room_for_what_is_put_around_it() {
        let longest = "ü".repeat(127);
        let making = making_name(OsStr::new(&longest));
        assert!(making.len() <= 255, "{} bytes", making.len());
        assert_eq!(making_name(OsStr::new("never")), ".never.making");
    }
}
