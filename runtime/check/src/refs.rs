//! Owns what is read from the run's repository without git: where its two refs point, and that it holds
//! its objects itself. Read as bytes, so that no setting of a forged repository is ever obeyed.
//!
//! Deliberately does not know what the refs should point to.

use baton_record::Oid;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

/// Where the two refs of a run point; `None`: there is no such ref.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refs {
    pub(crate) main: Option<Oid>,
    pub(crate) fences: Option<Oid>,
}

/// A ref is one name and a newline.
const REF_BYTES_MAX: u64 = 1 << 12;
/// Longer lines are not in a list of refs.
const PACKED_BYTES_MAX: u64 = 64 << 20;
/// Folders below folders of objects: `pack`, `info`, two digits.
const DEPTH_MAX: u32 = 4;

/// Reads both refs, loose before packed, as git does.
pub(crate) fn read(repository: &Path) -> Result<Refs, String> {
    if repository.join("reftable").exists() {
        return Err("it keeps its refs in a form that no run has".into());
    }
    Ok(Refs { main: one(repository, "refs/heads/main")?, fences: one(repository, "refs/baton/fences")? })
}

fn one(repository: &Path, name: &str) -> Result<Option<Oid>, String> {
    match bytes(&repository.join(name), REF_BYTES_MAX).map_err(|why| format!("{name} {why}"))? {
        None => packed(repository, name),
        Some(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let oid = Oid::from_hex(text.trim_end());
            oid.map(Some).ok_or_else(|| format!("{name} does not hold the name of an object"))
        }
    }
}

fn packed(repository: &Path, name: &str) -> Result<Option<Oid>, String> {
    let Some(bytes) =
        bytes(&repository.join("packed-refs"), PACKED_BYTES_MAX).map_err(|why| format!("packed-refs {why}"))?
    else {
        return Ok(None);
    };
    for line in BufReader::new(bytes.as_slice()).lines() {
        let line = line.map_err(|error| format!("packed-refs cannot be read: {error}"))?;
        if let Some((oid, found)) = line.split_once(' ')
            && found == name
        {
            return Oid::from_hex(oid).map(Some).ok_or_else(|| format!("{name} does not hold the name of an object"));
        }
    }
    Ok(None)
}

/// A file's bytes; `Ok(None)` if there is none. Never opens what is no file: it may never end.
fn bytes(path: &Path, max: u64) -> Result<Option<Vec<u8>>, String> {
    match fs::symlink_metadata(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(format!("cannot be read: {error}")),
        Ok(found) if !found.is_file() => return Err("is not a file".into()),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    file.take(max).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    Ok(Some(bytes))
}

/// The objects are plain files below the repository itself, borrowed from nowhere.
pub(crate) fn only_its_own(repository: &Path) -> Result<(), String> {
    for lender in ["objects/info/alternates", "objects/info/http-alternates"] {
        if fs::symlink_metadata(repository.join(lender)).is_ok() {
            return Err(format!("{lender} lends objects from elsewhere, and a run holds its own"));
        }
    }
    for part in ["refs", "refs/heads", "refs/baton"] {
        let found = fs::symlink_metadata(repository.join(part));
        if found.is_ok_and(|found| !found.is_dir()) {
            return Err(format!("{part} is not a folder"));
        }
    }
    let objects = repository.join("objects");
    // Objects that are missing are git's finding.
    if objects.exists() { plain(&objects, DEPTH_MAX) } else { Ok(()) }
}

fn plain(folder: &Path, depth: u32) -> Result<(), String> {
    let found = fs::symlink_metadata(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    if !found.is_dir() || depth == 0 {
        return Err(format!("{} is not a folder of objects", folder.display()));
    }
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let entry = entry.map_err(|error| format!("{}: {error}", folder.display()))?;
        let kind = entry.file_type().map_err(|error| format!("{}: {error}", entry.path().display()))?;
        if kind.is_dir() {
            plain(&entry.path(), depth - 1)?;
        } else if !kind.is_file() {
            return Err(format!("{} is neither a file nor a folder", entry.path().display()));
        }
    }
    Ok(())
}
