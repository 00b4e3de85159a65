//! The folder that a gate runs in: a checkout of one commit, kept between gates so that builds are incremental.
//!
//! Files are brought to the tree by git, with an index that lies elsewhere: the gate cannot make it lie. What git does not
//! know and does not ignore is removed; what it ignores (build output) stays. The `.git` that the gate sees is made anew for
//! each gate, has the real objects as alternates and a copy of all refs, and nothing leads from it to the real ones.

use crate::git::{GitError, PersonRepository, Scratch};
use baton_record::Oid;
use std::fs;
use std::path::{Path, PathBuf};

/// A gate's folder.
#[derive(Debug)]
pub struct GateRoom {
    path: PathBuf,
    index: PathBuf,
    said: PathBuf,
    mark: String,
    runs: u32,
}

impl GateRoom {
    /// The room at `path`, which is made if it is not there; `beside`: where its index lies, out of the gate's way.
    pub fn open(path: &Path, beside: &Path, name: &str) -> Result<GateRoom, GitError> {
        fs::create_dir_all(beside).map_err(|error| GitError::io("create", beside, &error))?;
        let parent = path.parent().unwrap_or(path);
        make_real(parent)?;
        let parent = fs::canonicalize(parent).map_err(|error| GitError::io("read", parent, &error))?;
        let path = parent.join(name);
        let site = parent.file_name().map(|site| site.to_string_lossy().into_owned()).unwrap_or_default();
        let mark = format!("{site}-{name}-");
        // Of a session that was killed a gate may still be at work in here.
        super::process::end_all(&mark);
        let (index, said) = (beside.join(format!("{name}.index")), beside.join(format!("{name}.output")));
        Ok(GateRoom { path, index, said, mark, runs: 0 })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn output_path(&self) -> PathBuf {
        self.said.clone()
    }

    /// Names one run's processes.
    pub(super) fn mark(&self) -> String {
        format!("{}{}-{}", self.mark, std::process::id(), self.runs)
    }

    /// Brings the folder to `commit`, which may lie aside.
    pub fn enter(&mut self, scratch: &Scratch<'_>, commit: Oid) -> Result<(), GitError> {
        self.runs += 1;
        if make_real(&self.path)? {
            // The index tells of files that are somewhere else now.
            remove_any(&self.index)?;
        }
        let git = self.path.join(".git");
        remove_any(&git)?;
        scratch.check_out(&self.path, &self.index, commit)?;
        self.furnish(&git, scratch, commit)
    }

    /// Makes the repository that the gate sees.
    fn furnish(&self, git: &Path, scratch: &Scratch<'_>, commit: Oid) -> Result<(), GitError> {
        let person: &PersonRepository = scratch.person();
        for directory in ["objects/info", "objects/pack", "refs/heads", "info"] {
            let directory = git.join(directory);
            fs::create_dir_all(&directory).map_err(|error| GitError::io("create", &directory, &error))?;
        }
        let format = person.format().name();
        let (version, extension) = if format == "sha1" {
            (0, String::new())
        } else {
            (1, format!("[extensions]\n\tobjectformat = {format}\n"))
        };
        let config = format!("[core]\n\trepositoryformatversion = {version}\n\tbare = false\n{extension}");
        let real = person.common_directory().join("objects");
        let alternates = format!("{}\n{}\n", real.display(), scratch.directory().display());
        for (file, text) in [
            ("config", config),
            ("objects/info/alternates", alternates),
            ("packed-refs", person.refs_as_packed()?),
            ("HEAD", format!("{commit}\n")),
        ] {
            let file = git.join(file);
            fs::write(&file, text).map_err(|error| GitError::io("write", &file, &error))?;
        }
        let index = git.join("index");
        fs::copy(&self.index, &index).map(|_| ()).map_err(|error| GitError::io("write", &index, &error))
    }
}

/// Makes a folder, and makes it anew where a gate has put a link or a file in its place. Whether it was made.
fn make_real(path: &Path) -> Result<bool, GitError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => return Ok(false),
        Ok(_) => remove_any(path)?,
        Err(_) => {}
    }
    fs::create_dir_all(path).map_err(|error| GitError::io("create", path, &error))?;
    Ok(true)
}

/// Removes whatever a gate may have put in the place of its repository.
fn remove_any(path: &Path) -> Result<(), GitError> {
    let removed = match fs::symlink_metadata(path) {
        Err(_) => Ok(()),
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    removed.map_err(|error| GitError::io("remove", path, &error))
}
