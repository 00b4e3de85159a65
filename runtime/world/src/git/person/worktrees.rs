//! The checkouts of a person's repository: which there are, whether work lies in them, and how one follows its branch.
//!
//! A checkout is only ever moved along with the branch that it is on, and only if its tracked files are clean. While that
//! happens its index is locked as git locks it, so no commit can come between the branch and the files.

use super::PersonRepository;
use crate::clock::wait_for_process;
use crate::git::command::{Sync, failed, first_lines, output, person_git};
use crate::git::disk;
use crate::git::error::{GitError, GitErrorKind};
use baton_record::Oid;
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

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

/// What is written into the lock, so that one which a killed process left behind can be told from git's.
const LOCK_TEXT: &str = "held by baton while this checkout follows its branch\n";

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

    /// Tracked files of a checkout that differ from its commit or its index, at most `most`; and whether there are any files
    /// that git does not know.
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

/// A checkout whose index is locked, so that it can follow its branch.
#[derive(Debug)]
pub struct CheckoutMove {
    checkout: PathBuf,
    index: PathBuf,
    lock: PathBuf,
    copy: PathBuf,
}

impl CheckoutMove {
    /// Locks the index of a checkout, waiting about two seconds for a git program that holds it. A lock that a killed
    /// process of this product left behind is taken over.
    pub fn begin(checkout: &Path) -> Result<Result<CheckoutMove, InTheWay>, GitError> {
        const TRIES_MAX: u32 = 40;
        let git_dir = git_directory(checkout)?;
        let (index, lock, copy) = (git_dir.join("index"), git_dir.join("index.lock"), git_dir.join("baton-index"));
        for _ in 0..TRIES_MAX {
            match OpenOptions::new().write(true).create_new(true).open(&lock) {
                Ok(mut file) => {
                    file.write_all(LOCK_TEXT.as_bytes()).map_err(|error| GitError::io("write", &lock, &error))?;
                    return Ok(Ok(CheckoutMove { checkout: checkout.to_owned(), index, lock, copy }));
                }
                // The caller holds the lock of the whole repository, so nobody of ours is alive who holds this one.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_ours(&lock) => {
                    disk::remove_if_there(&lock)?;
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    wait_for_process(Duration::from_millis(50))
                }
                Err(error) => return Err(GitError::io("create", &lock, &error)),
            }
        }
        let what = format!("another git program is at work there, or has left {} behind", lock.display());
        Ok(Err(InTheWay { checkout: checkout.to_owned(), what, paths: Vec::new() }))
    }

    /// Full name of the branch that the checkout is on.
    pub fn branch(&self) -> Result<Option<String>, GitError> {
        let said = output(in_checkout(Sync::None, &self.checkout).args(["symbolic-ref", "--quiet", "HEAD"]))?;
        Ok(said.status.success().then(|| String::from_utf8_lossy(&said.stdout).trim_end().to_owned()))
    }

    /// Whether the index holds exactly the tree of a commit.
    pub fn stands_at(&self, commit: Oid) -> Result<bool, GitError> {
        let mut command = in_checkout(Sync::None, &self.checkout);
        let said = output(command.args(["diff-index", "--cached", "--quiet", &commit.to_hex()]))?;
        match said.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(failed("compare an index with a commit", &said)),
        }
    }

    /// Whether the checkout can go from one commit to another without losing a file of the person's.
    pub fn could_go(&self, from: Oid, to: Oid) -> Result<Result<(), InTheWay>, GitError> {
        let paths = self.unseen(from, to)?;
        if !paths.is_empty() {
            let what = format!("files that git does not look at would be written over: {}", paths.join(", "));
            return Ok(Err(InTheWay { checkout: self.checkout.clone(), what, paths }));
        }
        self.copy_index()?;
        let said =
            output(self.command(Sync::None).args(["read-tree", "-n", "-m", "-u", &from.to_hex(), &to.to_hex()]))?;
        disk::remove_if_there(&self.copy)?;
        if said.status.success() {
            return Ok(Ok(()));
        }
        let what = format!("it cannot follow its branch: {}", first_lines(&said.stderr));
        Ok(Err(InTheWay { checkout: self.checkout.clone(), what, paths: Vec::new() }))
    }

    /// Takes files and index from one commit to another.
    pub fn go(&self, from: Oid, to: Oid) -> Result<(), GitError> {
        self.copy_index()?;
        let said = output(self.command(Sync::None).args(["read-tree", "-m", "-u", &from.to_hex(), &to.to_hex()]))?;
        if !said.status.success() {
            return Err(failed(&format!("move the checkout {} along", self.checkout.display()), &said));
        }
        fs::rename(&self.copy, &self.index).map_err(|error| GitError::io("replace", &self.index, &error))
    }

    /// Takes files and index on from one commit to another after a process was killed on the way: some files may be there
    /// already, one of them half written. What is neither here nor there is the person's, and in the way.
    pub fn go_on(&self, from: Oid, to: Oid) -> Result<Result<(), InTheWay>, GitError> {
        self.copy_index()?;
        let not_here = self.differing()?;
        self.read_index(to)?;
        let not_there = self.differing()?;
        let mut paths = Vec::new();
        let new = self.added(from, to)?;
        for path in not_there.iter().filter(|path| not_here.contains(*path) || new.contains(*path)) {
            if !self.is_half_written(path, to)? {
                paths.push(path.clone());
            }
        }
        if !paths.is_empty() {
            let what = format!("files there are neither of {from} nor of {to}");
            return Ok(Err(InTheWay { checkout: self.checkout.clone(), what, paths }));
        }
        self.copy_index()?;
        let said = output(self.command(Sync::None).args(["read-tree", "--reset", "-u", &to.to_hex()]))?;
        if !said.status.success() {
            return Err(failed(&format!("move the checkout {} along", self.checkout.display()), &said));
        }
        fs::rename(&self.copy, &self.index).map_err(|error| GitError::io("replace", &self.index, &error)).map(Ok)
    }

    /// Files on the way that git would write over without a look: ignored ones, and those that it was told not to look at.
    fn unseen(&self, from: Oid, to: Oid) -> Result<Vec<String>, GitError> {
        let there = |path: &&String| fs::symlink_metadata(self.checkout.join(path)).is_ok_and(|found| !found.is_dir());
        let mut unseen: Vec<String> = self.added(from, to)?.iter().filter(there).cloned().collect();
        let said = output(in_checkout(Sync::None, &self.checkout).args(["ls-files", "-v", "-z"]))?;
        if !said.status.success() {
            return Err(failed("list the files of an index", &said));
        }
        let entries = said.stdout.split(|&byte| byte == 0).filter(|entry| entry.len() > 2);
        // `S`: not in this checkout; a small letter: taken for unchanged.
        let told = entries.filter(|entry| entry[0] == b'S' || entry[0].is_ascii_lowercase());
        let told: BTreeSet<String> = told.map(|entry| String::from_utf8_lossy(&entry[2..]).into_owned()).collect();
        if !told.is_empty() {
            unseen.extend(self.differing_between(from, to, "")?.intersection(&told).filter(there).cloned());
        }
        Ok(unseen)
    }

    fn added(&self, from: Oid, to: Oid) -> Result<BTreeSet<String>, GitError> {
        self.differing_between(from, to, "--diff-filter=A")
    }

    fn differing_between(&self, from: Oid, to: Oid, which: &str) -> Result<BTreeSet<String>, GitError> {
        let (from, to) = (from.to_hex(), to.to_hex());
        let which = if which.is_empty() { "--diff-filter=ACDMRTUXB" } else { which };
        let words = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", which, &from, &to];
        let said = output(self.command(Sync::None).args(words))?;
        if said.status.success() { Ok(paths_of(&said.stdout)) } else { Err(failed("compare two commits", &said)) }
    }

    fn read_index(&self, commit: Oid) -> Result<(), GitError> {
        let said = output(self.command(Sync::None).args(["read-tree", &commit.to_hex()]))?;
        if said.status.success() { Ok(()) } else { Err(failed("read a tree", &said)) }
    }

    /// Paths whose files are not as the copy of the index has them. Those that are missing are left out.
    fn differing(&self) -> Result<BTreeSet<String>, GitError> {
        let _ = output(self.command(Sync::None).args(["update-index", "-q", "--refresh"]))?;
        let said = output(self.command(Sync::None).args(["diff-files", "--name-only", "-z", "--diff-filter=d"]))?;
        if !said.status.success() {
            return Err(failed("compare files with an index", &said));
        }
        Ok(paths_of(&said.stdout))
    }

    /// Whether a file is the beginning of what it is in a commit.
    fn is_half_written(&self, path: &str, commit: Oid) -> Result<bool, GitError> {
        let Ok(here) = fs::read(self.checkout.join(path)) else { return Ok(false) };
        for how in ["--filters", "blob"] {
            let said = output(self.command(Sync::None).args(["cat-file", how, &format!("{commit}:{path}")]))?;
            if said.status.success() && said.stdout.starts_with(&here) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn command(&self, sync: Sync) -> Command {
        let mut command = in_checkout(sync, &self.checkout);
        command.env("GIT_INDEX_FILE", &self.copy);
        command
    }

    fn copy_index(&self) -> Result<(), GitError> {
        let mut half_written = self.copy.clone().into_os_string();
        half_written.push(".lock");
        disk::remove_if_there(Path::new(&half_written))?;
        disk::remove_if_there(&self.copy)?;
        match fs::copy(&self.index, &self.copy) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(GitError::io("copy", &self.index, &error)),
            _ => Ok(()),
        }
    }
}

impl Drop for CheckoutMove {
    fn drop(&mut self) {
        // A copy or a lock that stays is taken over by the next one here.
        let _ = disk::remove_if_there(&self.copy);
        let _ = disk::remove_if_there(&self.lock);
    }
}

/// Whether a lock of an index was left by this product.
fn is_ours(lock: &Path) -> bool {
    fs::read_to_string(lock).is_ok_and(|text| text == LOCK_TEXT)
}

fn paths_of(list: &[u8]) -> BTreeSet<String> {
    let paths = list.split(|&byte| byte == 0).filter(|path| !path.is_empty());
    paths.map(|path| String::from_utf8_lossy(path).into_owned()).collect()
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
