//! The folder that a gate runs in: a checkout of one commit, kept between gates so that builds are incremental.
//!
//! Files are brought to the tree by git, with an index that lies elsewhere, and while a gate runs nowhere but in memory: the
//! gate cannot make it lie. What git does not know and does not ignore is removed; what it ignores (build output) stays. The `.git` that the gate sees is made anew for
//! each gate, has the real objects as alternates and a copy of all refs, and nothing leads from it to the real ones.

use super::submodules::{self, Filled, Filler, Filling};
use crate::git::{Cone, GitError, Scratch, Submodule};
use baton_record::Oid;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A gate's folder.
#[derive(Debug)]
pub struct GateRoom {
    path: PathBuf,
    /// Where its indexes lie, out of the gate's way; their names begin so.
    beside: PathBuf,
    /// The indexes, while they lie in no file.
    kept: Vec<KeptIndex>,
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
        let (said, beside) = (beside.join(format!("{name}.output")), beside.join(name));
        Ok(GateRoom { path, beside, kept: Vec::new(), said, mark, runs: 0 })
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

    /// With and without a cone there are two: git does not bring files back that an index says are not wanted.
    fn index(&self, cone: Option<&Cone>) -> PathBuf {
        self.beside.with_extension(if cone.is_some() { "cone.index" } else { "index" })
    }

    /// Brings the folder to `commit`, which may lie aside, or to those folders of it that are in the cone. Gives the
    /// submodules that stay empty, since the person has nothing of them.
    pub fn enter(&mut self, scratch: &Scratch<'_>, commit: Oid, cone: Option<&Cone>) -> Result<Vec<String>, GitError> {
        self.runs += 1;
        self.put_indexes_back()?;
        if make_real(&self.path)? {
            // The index tells of files that are somewhere else now.
            remove_any(&self.index(cone))?;
        }
        let git = self.path.join(".git");
        remove_any(&git)?;
        let submodules = scratch.submodules_of(commit)?;
        self.note_submodules(&submodules)?;
        self.check_out(scratch, commit, cone)?;
        let homes = if submodules.is_empty() { Vec::new() } else { scratch.person().module_homes() };
        let filler = Filler { room: &self.path, index_prefix: &self.beside, homes: &homes };
        let Filling { filled, empty } = filler.fill(submodules)?;
        let real = scratch.person().common_directory().join("objects");
        let refs = scratch.person().refs_as_packed()?;
        let objects = [real, scratch.directory().to_owned()];
        Furniture { scratch, commit, objects: &objects, refs: &refs, index: &self.index(cone) }.put(&git)?;
        self.keep(self.index(cone))?;
        for Filled { folder, index, objects, submodule } in filled {
            let (commit, objects) = (submodule.commit, [objects]);
            Furniture { scratch, commit, objects: &objects, refs: "", index: &index }.put(&folder.join(".git"))?;
            self.keep(index)?;
        }
        Ok(empty)
    }

    /// Whatever a gate has left in the way goes, in the end the whole folder.
    fn check_out(&self, scratch: &Scratch<'_>, commit: Oid, cone: Option<&Cone>) -> Result<(), GitError> {
        let index = self.index(cone);
        let go = || scratch.check_out(&self.path, &index, commit, cone);
        if go().is_ok() || (open_folders(&self.path) && go().is_ok()) {
            return Ok(());
        }
        [&self.path, &index].into_iter().try_for_each(|path| remove_any(path))?;
        make_real(&self.path)?;
        go()
    }

    /// Remembers which folders are submodules, and removes those that are none any more.
    fn note_submodules(&self, next: &[Submodule]) -> Result<(), GitError> {
        let list = self.beside.with_extension("submodules");
        let earlier = fs::read_to_string(&list).unwrap_or_default();
        let earlier: Vec<String> = earlier.split_terminator('\0').map(str::to_owned).collect();
        submodules::leave(&self.path, &earlier, next)?;
        remove_any(&list)?;
        if next.is_empty() {
            return Ok(());
        }
        let text: String = next.iter().map(|submodule| format!("{}\0", submodule.path)).collect();
        fs::write(&list, text).map_err(|error| GitError::io("write", &list, &error))
    }

    /// Takes an index out of its file.
    fn keep(&mut self, index: PathBuf) -> Result<(), GitError> {
        self.kept.push(KeptIndex::take(index)?);
        Ok(())
    }

    fn put_indexes_back(&mut self) -> Result<(), GitError> {
        self.kept.drain(..).try_for_each(|kept| kept.put_back())
    }
}

impl Drop for GateRoom {
    fn drop(&mut self) {
        // Without them the next checkout writes all files anew.
        let _ = self.put_indexes_back();
    }
}

/// An index that lies in no file.
#[derive(Debug)]
struct KeptIndex {
    path: PathBuf,
    bytes: Vec<u8>,
    /// When it was written. Files that are as old as the index may have changed in the same moment, so git looks into them: an
    /// index that looks younger than it is would be believed too much.
    written: SystemTime,
}

impl KeptIndex {
    fn take(path: PathBuf) -> Result<KeptIndex, GitError> {
        let read = || Ok((fs::read(&path)?, fs::metadata(&path)?.modified()?));
        let (bytes, written) = read().map_err(|error| GitError::io("read", &path, &error))?;
        remove_any(&path)?;
        Ok(KeptIndex { path, bytes, written })
    }

    /// Whatever a gate may have put in its place is gone then.
    fn put_back(self) -> Result<(), GitError> {
        remove_any(&self.path)?;
        let mut put = File::create_new(&self.path);
        let put = put.as_mut().map_err(|error| GitError::io("create", &self.path, error))?;
        let written = put.write_all(&self.bytes).and_then(|()| put.set_modified(self.written));
        written.map_err(|error| GitError::io("write", &self.path, &error))
    }
}

/// The repository that a gate sees around files.
struct Furniture<'f> {
    scratch: &'f Scratch<'f>,
    commit: Oid,
    /// Where its objects are.
    objects: &'f [PathBuf],
    /// Its refs, as a file of packed refs has them.
    refs: &'f str,
    index: &'f Path,
}

impl Furniture<'_> {
    fn put(&self, git: &Path) -> Result<(), GitError> {
        for directory in ["objects/info", "objects/pack", "refs/heads", "info"] {
            let directory = git.join(directory);
            fs::create_dir_all(&directory).map_err(|error| GitError::io("create", &directory, &error))?;
        }
        let format = self.scratch.person().format().name();
        let (version, extension) = if format == "sha1" {
            (0, String::new())
        } else {
            (1, format!("[extensions]\n\tobjectformat = {format}\n"))
        };
        let config = format!("[core]\n\trepositoryformatversion = {version}\n\tbare = false\n{extension}");
        let alternates: String = self.objects.iter().map(|objects| format!("{}\n", objects.display())).collect();
        for (file, text) in [
            ("config", config),
            ("objects/info/alternates", alternates),
            ("packed-refs", self.refs.to_owned()),
            ("HEAD", format!("{}\n", self.commit)),
        ] {
            let file = git.join(file);
            fs::write(&file, text).map_err(|error| GitError::io("write", &file, &error))?;
        }
        let index = git.join("index");
        let copied = || {
            fs::copy(self.index, &index)?;
            File::options().write(true).open(&index)?.set_modified(fs::metadata(self.index)?.modified()?)
        };
        copied().map_err(|error| GitError::io("write", &index, &error))
    }
}

/// Makes a folder, and makes it anew where a gate has put a link or a file in its place. Whether it was made.
pub(super) fn make_real(path: &Path) -> Result<bool, GitError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => return Ok(false),
        Ok(_) => remove_any(path)?,
        Err(_) => {}
    }
    fs::create_dir_all(path).map_err(|error| GitError::io("create", path, &error))?;
    Ok(true)
}

/// Removes whatever a gate may have put in the place of its repository.
pub(super) fn remove_any(path: &Path) -> Result<(), GitError> {
    let removed = match fs::symlink_metadata(path) {
        Err(_) => Ok(()),
        Ok(found) if found.is_dir() => match fs::remove_dir_all(path) {
            Err(_) if open_folders(path) => fs::remove_dir_all(path),
            removed => removed,
        },
        Ok(_) => fs::remove_file(path),
    };
    removed.map_err(|error| GitError::io("remove", path, &error))
}

/// Makes all folders from here down such that their owner may change them, following no link. Whether any was not.
fn open_folders(path: &Path) -> bool {
    const OWNER: u32 = 0o700;
    let (mut opened, mut waiting) = (false, vec![path.to_owned()]);
    while let Some(folder) = waiting.pop() {
        let Ok(found) = fs::symlink_metadata(&folder) else { continue };
        let mode = found.permissions().mode();
        if mode & OWNER != OWNER {
            opened |= fs::set_permissions(&folder, fs::Permissions::from_mode(mode | OWNER)).is_ok();
        }
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        waiting.extend(
            entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()),
        );
    }
    opened
}
