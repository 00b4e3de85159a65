//! The checkouts of a person's repository: which there are, and whether work lies in them. How one follows its branch is told in
//! [`super::checkout`].

use super::{PersonRepository, checkout};
use crate::git::command::{Sync, failed, first_lines, output, person_git};
use crate::git::error::{GitError, GitErrorKind};
use baton_record::Oid;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worktree {
    /// Its top folder.
    pub path: PathBuf,
    /// The commit that is checked out; `None`: an unborn branch.
    pub head: Option<Oid>,
    /// Full name of the branch that it is on; `None`: none.
    pub branch: Option<String>,
}

/// Why a checkout cannot follow its branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InTheWay {
    /// Its top folder.
    pub checkout: PathBuf,
    /// What is in the way, in one sentence.
    pub what: String,
    /// Some paths that it is about.
    pub paths: Vec<String>,
}

impl PersonRepository {
    /// All checkouts, but for those whose folder is gone.
    pub fn worktrees(&self) -> Result<Vec<Worktree>, GitError> {
        let text = self.ask_well("list worktrees", &["worktree", "list", "--porcelain", "-z"])?;
        let entries = text.split("\0\0").map(|entry| entry.split('\0').collect::<Vec<_>>());
        let worktree = |lines: Vec<&str>| {
            let value = |key: &str| lines.iter().find_map(|line| line.strip_prefix(key));
            let path = PathBuf::from(value("worktree ")?);
            let bare = lines.contains(&"bare") || !path.is_dir();
            let branch = value("branch ").map(str::to_owned);
            // A checkout in the making, or of a branch without commits, is at no commit yet: git says so with zeros.
            let head = value("HEAD ").filter(|hex| hex.bytes().any(|byte| byte != b'0')).and_then(Oid::from_hex);
            (!bare).then_some(Worktree { path, head, branch })
        };
        Ok(entries.filter_map(worktree).collect())
    }

    /// Tracked files of a checkout that differ from its commit or its index, at most `most`.
    pub fn uncommitted(&self, checkout: &Path, most: usize) -> Result<Vec<String>, GitError> {
        let mut command = in_checkout(Sync::None, checkout);
        let said = output(command.args([
            "status",
            "--porcelain=v1",
            "-z",
            "--untracked-files=no",
            "--no-renames",
            "--ignore-submodules=all",
        ]))?;
        if !said.status.success() {
            return Err(failed(&format!("tell whether {} is clean", checkout.display()), &said));
        }
        let entries = said.stdout.split(|&byte| byte == 0).filter(|entry| entry.len() > 3);
        Ok(entries.take(most).map(|entry| String::from_utf8_lossy(&entry[3..]).into_owned()).collect())
    }

    /// Files of a checkout that git neither knows nor ignores, at most `most`; of a folder of which it knows nothing only its name.
    pub fn untracked(&self, checkout: &Path, most: usize) -> Result<Vec<String>, GitError> {
        let words = ["ls-files", "--others", "--exclude-standard", "--directory", "--no-empty-directory", "-z"];
        let said = output(in_checkout(Sync::None, checkout).args(words))?;
        if !said.status.success() {
            return Err(failed(&format!("list the new files of {}", checkout.display()), &said));
        }
        let entries = said.stdout.split(|&byte| byte == 0).filter(|entry| !entry.is_empty());
        Ok(entries.take(most).map(|entry| String::from_utf8_lossy(entry).into_owned()).collect())
    }

    /// Submodules of a checkout that are checked out there at another commit than its index says.
    pub fn submodules_elsewhere(&self, checkout: &Path) -> Result<Vec<String>, GitError> {
        let words = ["diff-files", "--raw", "-z", "--ignore-submodules=dirty"];
        let said = output(in_checkout(Sync::None, checkout).args(words))?;
        if !said.status.success() {
            return Err(failed(&format!("look at the submodules of {}", checkout.display()), &said));
        }
        let text = String::from_utf8_lossy(&said.stdout);
        let words: Vec<&str> = text.split('\0').collect();
        let elsewhere = words.chunks_exact(2).filter(|pair| pair[0].starts_with(":160000 160000 "));
        Ok(elsewhere.map(|pair| pair[1].to_owned()).collect())
    }

    /// What stands in the way of moving the branch that a checkout is on: work in tracked files, or an operation that has
    /// begun. `None`: nothing.
    pub fn in_the_way(&self, worktree: &Worktree) -> Result<Option<InTheWay>, GitError> {
        let checkout = worktree.path.clone();
        let because = |what: &str, paths| Some(InTheWay { checkout: checkout.clone(), what: what.to_owned(), paths });
        let git_dir = git_directory(&worktree.path)?;
        let begun = [
            ("MERGE_HEAD", "a merge has begun there"),
            ("CHERRY_PICK_HEAD", "a cherry-pick has begun there"),
            ("REVERT_HEAD", "a revert has begun there"),
            ("rebase-merge", "a rebase has begun there"),
            ("rebase-apply", "a rebase or `git am` has begun there"),
        ];
        if let Some((_, what)) = begun.iter().find(|(file, _)| git_dir.join(file).exists()) {
            return Ok(because(what, Vec::new()));
        }
        let paths = self.uncommitted(&worktree.path, 8)?;
        Ok(if paths.is_empty() { None } else { because("tracked files have changes that are not committed", paths) })
    }

    /// Whether this product, or a process of it that was killed, has locked the index of a checkout.
    pub fn is_locked_by_us(&self, checkout: &Path) -> Result<bool, GitError> {
        checkout::is_locked(checkout)
    }

    /// The branch, if any, that a rebase which has begun somewhere will move when it ends.
    pub fn is_being_rebased(&self, full: &str) -> Result<Option<PathBuf>, GitError> {
        for worktree in self.worktrees()? {
            let git_dir = git_directory(&worktree.path)?;
            let names = ["rebase-merge/head-name", "rebase-apply/head-name"].map(|file| git_dir.join(file));
            if names.iter().any(|file| fs::read_to_string(file).is_ok_and(|name| name.trim_end() == full)) {
                return Ok(Some(worktree.path));
            }
        }
        Ok(None)
    }
}

pub(super) fn in_checkout(sync: Sync, checkout: &Path) -> Command {
    let mut command = person_git(sync);
    command.arg("-C").arg(checkout).env("GIT_OPTIONAL_LOCKS", "0");
    command
}

pub(super) fn git_directory(checkout: &Path) -> Result<PathBuf, GitError> {
    let said = output(in_checkout(Sync::None, checkout).args(["rev-parse", "--absolute-git-dir"]))?;
    if !said.status.success() {
        let detail = format!("{} is no checkout any more ({})", checkout.display(), first_lines(&said.stderr));
        return Err(GitError::new(GitErrorKind::NotARepository, detail));
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&said.stdout).trim_end_matches('\n')))
}
