//! The content store of a run: bytes under their SHA-256, as `<first two digits>/<the others>`.
//!
//! Content is whole under its name or not there: it is written beside and renamed, and synced, with its directories, before
//! [`ContentStore::put`] answers where that is promised. So whatever names a digest may be written down behind it. Knows
//! nothing of what the bytes are.

use crate::git::Durability;
use sha2::{Digest, Sha256};
use std::fmt::{self, Write as _};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// No content is larger.
pub const CONTENT_BYTES_MAX: u64 = 64 << 20;

/// A store in a directory.
#[derive(Debug)]
pub struct ContentStore {
    dir: PathBuf,
    durability: Durability,
    /// Names what is being written.
    writes: AtomicU64,
}

/// The store cannot be used: neither a missing content, nor a digest that is none.
#[derive(Debug)]
pub struct ContentError {
    doing: &'static str,
    path: PathBuf,
    why: String,
}

impl ContentError {
    fn new(doing: &'static str, path: &Path, why: impl ToString) -> ContentError {
        ContentError { doing, path: path.to_owned(), why: why.to_string() }
    }
}

impl fmt::Display for ContentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.doing, self.path.display(), self.why)
    }
}

impl std::error::Error for ContentError {}

impl ContentStore {
    /// The store in `dir`, which need not be there before something is put into it.
    pub fn open(dir: &Path, durability: Durability) -> Result<ContentStore, ContentError> {
        match fs::symlink_metadata(dir) {
            Ok(found) if !found.is_dir() => Err(ContentError::new("open", dir, "it is no directory")),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ContentError::new("open", dir, error)),
            _ => Ok(ContentStore { dir: dir.to_owned(), durability, writes: AtomicU64::new(0) }),
        }
    }

    /// Puts bytes into the store; their digest, in hex. What is there already is not written again.
    pub fn put(&self, bytes: &[u8]) -> Result<String, ContentError> {
        let digest = hash(bytes);
        let (folder, path) = self.place(&digest);
        if bytes.len() as u64 > CONTENT_BYTES_MAX {
            return Err(ContentError::new("write", &path, format!("{} bytes are too many", bytes.len())));
        }
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_file() && found.len() == bytes.len() as u64) {
            return Ok(digest);
        }
        let failed = |error| ContentError::new("write", &path, error);
        self.make_folder(&folder).map_err(failed)?;
        let beside = self.dir.join(format!("new-{}", self.writes.fetch_add(1, Ordering::Relaxed)));
        self.write_whole(&beside, &path, bytes).map_err(failed)?;
        self.sync(&folder).map_err(failed)?;
        Ok(digest)
    }

    /// The bytes under a digest, which they have; `None`: nothing lies there, or it is no digest.
    pub fn get(&self, digest: &str) -> Result<Option<Vec<u8>>, ContentError> {
        if digest.len() != 64 || !digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(None);
        }
        let (_, path) = self.place(digest);
        let failed = |why: String| ContentError::new("read", &path, why);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error.to_string())),
            Ok(found) if !found.is_file() => return Err(failed("it is no file".to_owned())),
            Ok(found) if found.len() > CONTENT_BYTES_MAX => return Err(failed("it is too large".to_owned())),
            Ok(_) => {}
        }
        let bytes = fs::read(&path).map_err(|error| failed(error.to_string()))?;
        if hash(&bytes) == digest {
            Ok(Some(bytes))
        } else {
            Err(failed("it has another hash than its name".to_owned()))
        }
    }

    fn place(&self, digest: &str) -> (PathBuf, PathBuf) {
        let folder = self.dir.join(&digest[..2]);
        let path = folder.join(&digest[2..]);
        (folder, path)
    }

    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(folder)?;
        self.sync(&self.dir)?;
        self.dir.parent().map_or(Ok(()), |above| self.sync(above))
    }

    fn sync(&self, directory: &Path) -> io::Result<()> {
        match self.durability {
            Durability::Durable => File::open(directory)?.sync_all(),
            Durability::Buffered => Ok(()),
        }
    }

    fn write_whole(&self, beside: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let write = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(beside)?;
            file.write_all(bytes)?;
            if self.durability == Durability::Durable {
                file.sync_all()?;
            }
            fs::rename(beside, path)
        };
        write().inspect_err(|_| {
            let _ = fs::remove_file(beside);
        })
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
