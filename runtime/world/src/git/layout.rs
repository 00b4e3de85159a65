//! The files that make a directory a repository, and what its configuration says about its format.

use super::Durability;
use super::disk;
use super::error::{GitError, GitErrorKind};
use super::object::ObjectFormat;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Makes an empty bare repository.
pub(super) fn make(path: &Path, format: ObjectFormat, durability: Durability) -> Result<(), GitError> {
    match fs::read_dir(path).map(|mut entries| entries.next().is_some()) {
        Ok(false) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) if error.kind() != ErrorKind::NotADirectory => return Err(GitError::io("read", path, &error)),
        _ => {
            let detail = format!("{} is in the way of a new repository", path.display());
            return Err(GitError::new(GitErrorKind::Exists, detail));
        }
    }
    for directory in ["objects/info", "objects/pack", "refs/heads", "refs/tags", "refs/baton"] {
        disk::make_directories(&path.join(directory), durability)?;
    }
    // HEAD last: without it this is no repository.
    for (name, content) in [("config", config(format)), ("HEAD", "ref: refs/heads/main\n".to_owned())] {
        let file = path.join(name);
        fs::write(&file, content).map_err(|error| GitError::io("write", &file, &error))?;
    }
    match durability {
        Durability::Durable => disk::sync_below(path),
        Durability::Buffered => Ok(()),
    }
}

/// No program but this product puts the repository in order: it would pack what belongs to a running team.
fn config(format: ObjectFormat) -> String {
    let core =
        |version: u32| format!("[core]\n\trepositoryformatversion = {version}\n\tfilemode = true\n\tbare = true\n");
    let upkeep = "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n";
    match format {
        ObjectFormat::Sha1 => core(0) + upkeep,
        ObjectFormat::Sha256 => core(1) + "[extensions]\n\tobjectformat = sha256\n" + upkeep,
    }
}

/// Whether its configuration is still the one that it was made with.
pub(super) fn is_untouched(root: &Path, format: ObjectFormat) -> bool {
    fs::read(root.join("config")).is_ok_and(|found| found == config(format).as_bytes())
}

/// The directory that holds the repository, absolute.
pub(super) fn root(path: &Path) -> Result<PathBuf, GitError> {
    let none = |why: String| GitError::new(GitErrorKind::NotARepository, why);
    let root = match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(none(format!("there is nothing at {}", path.display())));
        }
        other => other.map_err(|error| GitError::io("read", path, &error))?,
    };
    let whole = root.join("HEAD").is_file() && root.join("objects").is_dir() && root.join("refs").is_dir();
    whole.then_some(root).ok_or_else(|| none(format!("{} is not a bare git repository", path.display())))
}

/// The object format, from the configuration. Refuses refs in any form other than files.
pub(super) fn format(root: &Path) -> Result<ObjectFormat, GitError> {
    let path = root.join("config");
    let text = fs::read_to_string(&path).map_err(|error| GitError::io("read", &path, &error))?;
    let (mut section, mut format) = (String::new(), ObjectFormat::Sha1);
    for line in text.lines().map(|line| line.trim().to_lowercase()) {
        if line.starts_with('[') {
            section = line;
        } else if section == "[extensions]" {
            let (key, value) = line.split_once('=').unwrap_or((&line, ""));
            let unsupported = || {
                let detail = format!("{} asks for {line:?}, which is not supported", path.display());
                GitError::new(GitErrorKind::Unsupported, detail)
            };
            match (key.trim(), value.trim()) {
                ("objectformat", name) => format = ObjectFormat::of_name(name).ok_or_else(unsupported)?,
                ("refstorage", "files") => {}
                ("", _) => {}
                _ => return Err(unsupported()),
            }
        }
    }
    Ok(format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_read_from_what_is_written_and_odd_ones_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        for wanted in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
            fs::write(directory.path().join("config"), config(wanted)).unwrap();
            assert_eq!(format(directory.path()).unwrap(), wanted);
        }
        fs::write(directory.path().join("config"), "[extensions]\n\trefStorage = reftable\n").unwrap();
        assert_eq!(format(directory.path()).unwrap_err().kind(), GitErrorKind::Unsupported);
    }
}
