//! Temporary folders: each goes with its value, and one that a killed process has left with the next that is made.
//!
//! A folder holds a locked file as long as its process lives, so nobody's living folder is taken for a dead one, also where
//! several machines or containers share the place.

use crate::LandError;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

const NAME: &str = "baton-aside-";
/// The file that is locked.
const ALIVE: &str = "alive";

/// A folder of our own that goes with this value.
#[derive(Debug)]
pub(crate) struct Aside {
    folder: PathBuf,
    _alive: File,
}

impl Aside {
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn make() -> Result<Aside, LandError> {
        let above = std::env::temp_dir();
        remove_dead(&above);
        for number in 0_u32.. {
            let folder = above.join(format!("{NAME}{}-{number}", std::process::id()));
            // One that is there may be somebody else's.
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => {
                    let alive = File::create(folder.join(ALIVE)).and_then(|alive| {
                        flock(&alive, FlockOperation::NonBlockingLockExclusive)?;
                        Ok(alive)
                    });
                    let _alive = alive.map_err(|error| LandError::disk("lock", &folder, &error))?;
                    return Ok(Aside { folder, _alive });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(LandError::disk("create", &folder, &error)),
            }
        }
        unreachable!("some number is free")
    }
}

/// Removes folders whose process is dead. One that cannot be looked into is not ours.
fn remove_dead(above: &Path) {
    for entry in fs::read_dir(above).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(NAME));
        let folder = entry.path();
        if ours
            && entry.file_type().is_ok_and(|kind| kind.is_dir())
            && let Ok(alive) = File::open(folder.join(ALIVE))
            && flock(&alive, FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // What stays goes with the next one.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_process_has_left_goes_and_what_a_living_one_has_stays() {
        let place = tempfile::tempdir().unwrap();
        let [dead, living] = ["1-0", "2-0"].map(|name| place.path().join(format!("{NAME}{name}")));
        for folder in [&dead, &living] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join(ALIVE), "").unwrap();
        }
        let alive = File::open(living.join(ALIVE)).unwrap();
        flock(&alive, FlockOperation::NonBlockingLockExclusive).unwrap();
        remove_dead(place.path());
        assert!(!dead.exists() && living.exists());
    }
}
