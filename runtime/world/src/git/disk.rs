//! Files and directories, written so that they are whole or absent, and synced where that is promised.

use super::Durability;
use super::error::GitError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Waits until a file or directory is on the disk.
pub(super) fn sync(path: &Path) -> Result<(), GitError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| GitError::io("sync", path, &error))
}

/// Waits until all of these are on the disk. They wait side by side: most file systems then write once for all of them.
pub(super) fn sync_all(paths: &[&Path]) -> Result<(), GitError> {
    let Some((last, others)) = paths.split_last() else { return Ok(()) };
    std::thread::scope(|threads| {
        let waiting: Vec<_> = others.iter().map(|path| threads.spawn(|| sync(path))).collect();
        let last = sync(last);
        let others = waiting.into_iter().map(|thread| thread.join().expect("to wait for the disk does not panic"));
        others.chain([last]).collect()
    })
}

/// Syncs everything below a directory, and the directory last.
pub(super) fn sync_below(directory: &Path) -> Result<(), GitError> {
    for entry in list(directory)? {
        let kind = entry.file_type().map_err(|error| GitError::io("read", &entry.path(), &error))?;
        if kind.is_dir() {
            sync_below(&entry.path())?;
        } else if kind.is_file() {
            sync(&entry.path())?;
        }
    }
    sync(directory)
}

/// Entries of a directory, sorted by name.
pub(super) fn list(directory: &Path) -> Result<Vec<fs::DirEntry>, GitError> {
    let entries: io::Result<Vec<_>> = fs::read_dir(directory).and_then(Iterator::collect);
    let mut entries = entries.map_err(|error| GitError::io("list", directory, &error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    Ok(entries)
}

/// Makes a directory and those above it, each entered durably into the one above it.
pub(super) fn make_directories(path: &Path, durability: Durability) -> Result<(), GitError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_directories(parent, durability)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(GitError::io("create", path, &error)),
        _ => {}
    }
    match durability {
        Durability::Durable => sync(parent),
        Durability::Buffered => Ok(()),
    }
}

/// Writes a new read-only file. On failure there is none. To sync it is left to the caller.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), GitError> {
    let write = || OpenOptions::new().write(true).create_new(true).mode(0o444).open(path)?.write_all(bytes);
    write().map_err(|error| {
        if error.kind() != io::ErrorKind::AlreadyExists {
            let _ = fs::remove_file(path);
        }
        GitError::io("write", path, &error)
    })
}

/// Writes a read-only file at `path` by way of `temporary` on the same disk, so that it is there whole or not at all.
pub(super) fn write_whole(temporary: &Path, path: &Path, bytes: &[u8], durability: Durability) -> Result<(), GitError> {
    write_new(temporary, bytes)?;
    if durability == Durability::Durable {
        sync(temporary)?;
    }
    fs::rename(temporary, path).map_err(|error| {
        let _ = fs::remove_file(temporary);
        GitError::io("write", path, &error)
    })
}

/// Removes a file; that it is gone already is as good.
pub(super) fn remove_if_there(path: &Path) -> Result<(), GitError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(GitError::io("remove", path, &error)),
        _ => Ok(()),
    }
}

/// Removes a directory and all in it; that it is gone already is as good.
pub(super) fn remove_tree_if_there(path: &Path) -> Result<(), GitError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(GitError::io("remove", path, &error)),
        _ => Ok(()),
    }
}
