//! Owns how others look up what packets link to, in a run folder that is evidence: read-only, and with nothing in it obeyed.
//!
//! Deliberately does not know what a packet is.

use crate::Unreadable;
use crate::repository::Repository;
use crate::run_folder::{RunFolder, read_content};
use baton_record::Oid;
use std::cell::OnceCell;
use std::path::Path;

/// The content and the repository of a run.
pub struct RunShelf {
    folder: RunFolder,
    /// Borrowed with the first commit that is asked about: its name tells the hash.
    repository: OnceCell<Option<Repository>>,
}

impl std::fmt::Debug for RunShelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunShelf").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl RunShelf {
    /// The shelf of the run in this folder.
    pub fn open(run: &Path) -> Result<RunShelf, Unreadable> {
        Ok(RunShelf { folder: RunFolder::open(run)?, repository: OnceCell::new() })
    }

    /// The bytes under a digest, whatever their hash is; `None`: nothing that a run would put there.
    pub fn content(&self, digest: &str) -> Option<Vec<u8>> {
        read_content(&self.folder.content, digest).ok()
    }

    /// The name of the file at a path of a commit; `None`: no file is there.
    pub fn file(&self, base: &str, path: &str) -> Option<String> {
        let base = Oid::from_hex(base)?;
        let borrow = || Repository::borrow(&self.folder.repository, base).ok();
        let repository = self.repository.get_or_init(borrow).as_ref()?;
        let asked = [(base, path.to_owned())];
        let found = repository.paths_at(&asked).ok()?.pop()?;
        found.map(|blob| blob.to_hex())
    }
}
