//! Skill files on disk: what stands at the path that a scenario or a person names.
//!
//! Opens nothing but files, never waits for one, and reads no more than it takes to know that there is too much. What is
//! in a file is not its business.

use crate::file::Shelved;
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The file of a role.
const SKILL: &str = "SKILL.md";
/// Bytes that are read of a skill file: one more than it may have.
const BYTES_READ: u64 = (1 << 20) + 1;
/// Folders that are looked through in search of the one that was meant.
const SEARCHED_MAX: usize = 1_000;

/// What stands at the folder's path, relative to the working directory.
pub fn on_disk(path: &str) -> Shelved {
    let folder = Path::new(path);
    match folder.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound && folder.symlink_metadata().is_err() => {
            return Shelved::Nothing(meant(folder));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Shelved::Unfit(format!("{path} is a link that leads nowhere"));
        }
        // A part of the path is a file.
        Err(error) if error.kind() == ErrorKind::NotADirectory => return Shelved::Nothing(Vec::new()),
        Err(error) => return Shelved::Unfit(format!("{path}: {}", told(&error))),
        Ok(found) if found.is_dir() => {}
        Ok(found) if found.is_file() && folder.file_name().is_some_and(|name| name == SKILL) => {
            let above = folder.parent().filter(|above| !above.as_os_str().is_empty());
            let above = above.map_or_else(|| ".".to_owned(), |above| above.display().to_string());
            return Shelved::Unfit(format!("this is the file; name its folder: `{above}`"));
        }
        Ok(_) => return Shelved::Unfit(format!("{path} is no folder; name the folder of a {SKILL}")),
    }
    match read(&folder.join(SKILL)) {
        Ok(bytes) => Shelved::Skill { folder: name_of(folder), bytes },
        Err(why) => Shelved::Unfit(format!("{path}/{SKILL} {why}")),
    }
}

/// The bytes of a skill file; of one that is too large, one more than it may have.
///
/// # Errors
/// Says in words, as the end of a sentence that begins with the path, why it is no file that could be read.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let looked = path.metadata().map_err(|error| told(&error))?;
    if !looked.is_file() {
        return Err(format!("is {}, not a file", kind(path)));
    }
    // What stands there may have become a pipe meanwhile: opening one must not wait for whoever writes into it.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).expect("the flag is a small number");
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file: File = opened.map_err(|error| told(&error))?;
    if !file.metadata().map_err(|error| told(&error))?.is_file() {
        return Err("is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(BYTES_READ).read_to_end(&mut bytes).map_err(|error| told(&error))?;
    Ok(bytes)
}

/// The folder's own name, whatever it is called by.
pub fn name_of(folder: &Path) -> String {
    let whole = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn told(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "is not there".to_owned(),
        ErrorKind::PermissionDenied => "may not be read".to_owned(),
        _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            "is a link that leads in a circle".to_owned()
        }
        _ => format!("cannot be read: {error}"),
    }
}

fn kind(path: &Path) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    let Ok(found) = path.metadata().map(|found| found.file_type()) else { return "something else" };
    if found.is_dir() {
        "a folder"
    } else if found.is_fifo() {
        "a pipe"
    } else if found.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// Folders beside the one that was written that hold a skill.
fn meant(folder: &Path) -> Vec<String> {
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty());
    let entries = std::fs::read_dir(above.unwrap_or(Path::new("."))).into_iter().flatten().take(SEARCHED_MAX);
    let holds = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        path.join(SKILL).is_file().then_some(path)
    });
    let shown = |path: std::path::PathBuf| path.strip_prefix("./").unwrap_or(&path).display().to_string();
    let mut all: Vec<String> = holds.map(shown).collect();
    all.sort();
    all
}
