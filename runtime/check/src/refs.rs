//! Owns what is read from the run's repository without git: where its two refs point, that there is no
//! third one, and that it holds its objects and its history itself. Read as bytes, so that no setting of a
//! forged repository is ever obeyed.
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
/// The refs of a run lie less deep.
const REFS_DEPTH_MAX: u32 = 16;

const MAIN: &str = "refs/heads/main";
const FENCES: &str = "refs/baton/fences";
/// What changes how git reads a history that is whole: none of these is ever in a run.
const REWRITERS: [&str; 2] = ["info/grafts", "shallow"];
/// What a clone of the repository would follow first.
const HEAD: &[u8] = b"ref: refs/heads/main\n";

/// Reads both refs, loose before packed, as git does.
pub(crate) fn read(repository: &Path) -> Result<Refs, String> {
    if repository.join("reftable").exists() {
        return Err("it keeps its refs in a form that no run has".into());
    }
    Ok(Refs { main: one(repository, MAIN)?, fences: one(repository, FENCES)? })
}

/// What is in the repository beside main and the fences and would change what others see of it: a third
/// ref (branch, tag, `refs/replace`), a head elsewhere, a grafted or shortened history.
pub(crate) fn strange(repository: &Path) -> Result<Option<String>, String> {
    for name in REWRITERS {
        if fs::symlink_metadata(repository.join(name)).is_ok() {
            return Ok(Some(format!("{name} makes git read another history than there is")));
        }
    }
    if bytes(&repository.join("HEAD"), REF_BYTES_MAX).map_err(|why| format!("HEAD {why}"))?.as_deref() != Some(HEAD) {
        return Ok(Some(format!("HEAD does not point to {MAIN}")));
    }
    let packed_refs = bytes(&repository.join("packed-refs"), PACKED_BYTES_MAX);
    let packed_refs = packed_refs.map_err(|why| format!("packed-refs {why}"))?.unwrap_or_default();
    let packed_refs = String::from_utf8_lossy(&packed_refs);
    let names = packed_refs.lines().filter(|line| !line.starts_with(['#', '^']));
    let packed = names.filter_map(|line| line.split_once(' ')).map(|(_, name)| name);
    let third = match packed.into_iter().find(|name| ![MAIN, FENCES].contains(name)) {
        Some(name) => Some(name.to_owned()),
        None => third(repository, "refs", REFS_DEPTH_MAX)?,
    };
    Ok(third.map(|name| format!("there is {name:?}, and a run has {MAIN} and {FENCES} alone")))
}

/// The first file below `folder` that is neither of the two refs nor a lock that a killed run left at one.
fn third(repository: &Path, folder: &str, depth: u32) -> Result<Option<String>, String> {
    if depth == 0 {
        return Ok(Some(folder.to_owned()));
    }
    let unreadable = |error: std::io::Error| format!("{folder} cannot be read: {error}");
    let entries = match fs::read_dir(repository.join(folder)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        entries => entries.map_err(unreadable)?,
    };
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        let found = match entry.file_type().map_err(unreadable)?.is_dir() {
            true => third(repository, &name, depth - 1)?,
            false => Some(name).filter(|name| ![MAIN, FENCES].contains(&name.strip_suffix(".lock").unwrap_or(name))),
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
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
