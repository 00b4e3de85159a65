//! Submodules, as far as the person has them already: found by what lies in the repository's own directory, and checked out
//! from there. Reads their repositories and changes nothing in them.
//!
//! Deliberately knows nothing of `.gitmodules`: its names and addresses come from branches, and nothing that a branch can say
//! leads anywhere. A commit that one of the person's submodules has is all that counts; nothing is ever fetched.

use super::{PersonRepository, Scratch};
use crate::git::command::{Sync, failed, output, person_git};
use crate::git::error::GitError;
use baton_record::Oid;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A commit of another repository that belongs at a place of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submodule {
    /// The place.
    pub path: String,
    /// The commit.
    pub commit: Oid,
}

/// The repository of a submodule, as git has put it into that of its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleHome(PathBuf);

/// So many are looked for, and so deep.
const HOMES_MAX: usize = 1_000;
const DEPTH_MAX: u32 = 12;

impl PersonRepository {
    /// The repositories of all submodules that are here.
    pub fn module_homes(&self) -> Vec<ModuleHome> {
        let mut found = Vec::new();
        gather(&self.common.join("modules"), DEPTH_MAX, &mut found);
        for worktree in fs::read_dir(self.common.join("worktrees")).into_iter().flatten().flatten() {
            gather(&worktree.path().join("modules"), DEPTH_MAX, &mut found);
        }
        found
    }
}

/// Names of submodules may have slashes, and submodules have submodules. Links are not followed.
fn gather(directory: &Path, depth: u32, found: &mut Vec<ModuleHome>) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> =
        entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect();
    folders.sort();
    for folder in folders {
        if depth == 0 || found.len() == HOMES_MAX {
            return;
        }
        if folder.join("HEAD").is_file() && folder.join("objects").is_dir() {
            gather(&folder.join("modules"), depth - 1, found);
            found.push(ModuleHome(folder));
        } else {
            gather(&folder, depth - 1, found);
        }
    }
}

impl Scratch<'_> {
    /// The submodules of a commit. One without a file `.gitmodules` has none: so says git too.
    pub fn submodules_of(&self, commit: Oid) -> Result<Vec<Submodule>, GitError> {
        let tree = self.visited.commit(commit)?.tree;
        if self.visited.entry(tree, ".gitmodules")?.is_none() {
            return Ok(Vec::new());
        }
        listed(self.command(), commit)
    }
}

fn listed(mut command: Command, commit: Oid) -> Result<Vec<Submodule>, GitError> {
    let said = output(command.args(["ls-tree", "-r", "-z", "--full-tree", &commit.to_hex()]))?;
    if !said.status.success() {
        return Err(failed("list submodules", &said));
    }
    let submodule = |entry: &[u8]| {
        let (what, path) = std::str::from_utf8(entry).ok()?.split_once('\t')?;
        let commit = Oid::from_hex(what.strip_prefix("160000 commit ")?)?;
        Some(Submodule { path: path.to_owned(), commit })
    };
    Ok(said.stdout.split(|&byte| byte == 0).filter_map(submodule).collect())
}

impl ModuleHome {
    /// Its objects, for another repository that has them as alternates.
    pub fn objects(&self) -> PathBuf {
        self.0.join("objects")
    }

    /// Whether it has that name.
    pub fn is_called(&self, name: &str) -> bool {
        self.0.ends_with(name)
    }

    /// Whether a commit is here, with its tree.
    pub fn has(&self, commit: Oid) -> Result<bool, GitError> {
        let said = output(self.command().args(["cat-file", "-e", &format!("{commit}^{{tree}}")]))?;
        Ok(said.status.success())
    }

    /// The submodules of one of its commits.
    pub fn submodules_of(&self, commit: Oid) -> Result<Vec<Submodule>, GitError> {
        let said = output(self.command().args(["cat-file", "-e", &format!("{commit}:.gitmodules")]))?;
        if said.status.success() { listed(self.command(), commit) } else { Ok(Vec::new()) }
    }

    /// Brings a folder to one of its commits, as [`Scratch::check_out`] does.
    pub fn check_out(&self, folder: &Path, index: &Path, commit: Oid) -> Result<(), GitError> {
        super::scratch::check_out(folder, index, commit, &|| {
            let mut command = self.command();
            command.env("GIT_WORK_TREE", folder).env("GIT_INDEX_FILE", index).current_dir(folder);
            command.args(["-c", "core.sparseCheckout=false"]);
            command
        })
    }

    /// A command that knows of nothing but this repository, and fetches nothing.
    fn command(&self) -> Command {
        let mut command = person_git(Sync::None);
        command.env("GIT_DIR", &self.0).env("GIT_NO_LAZY_FETCH", "1").env("GIT_OPTIONAL_LOCKS", "0");
        command
    }
}
