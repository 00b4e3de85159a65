//! A checkout that follows its branch: locked, moved on, and taken back where the branch has not gone.
//!
//! A checkout is only ever moved along with the branch that it is on, and only if its tracked files are clean. While that
//! happens its index is locked as git locks it, so no commit can come between the branch and the files. Whatever is done
//! here can be done again by the next process after a kill.

use super::worktrees::{InTheWay, git_directory, in_checkout};
use super::{Outlives, PersonRepository};
use crate::clock::wait_for_process;
use crate::git::command::{Sync, failed, first_lines, output};
use crate::git::disk;
use crate::git::error::GitError;
use baton_record::Oid;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What is written into the lock, so that one which a killed process left behind can be told from git's.
const LOCK_TEXT: &str = "held by baton while this checkout follows its branch\n";

/// So many paths are named to a program at once.
const PATHS_MAX: usize = 200;

/// A checkout whose index is locked, so that it can follow its branch.
#[derive(Debug)]
pub struct CheckoutMove {
    pub(super) checkout: PathBuf,
    outlives: Option<Outlives>,
    index: PathBuf,
    lock: PathBuf,
    copy: PathBuf,
}

impl CheckoutMove {
    /// Locks the index of a checkout, waiting about two seconds for a git program that holds it. A lock that a killed
    /// process of this product left behind is taken over.
    pub fn begin(repository: &PersonRepository, checkout: &Path) -> Result<Result<CheckoutMove, InTheWay>, GitError> {
        const TRIES_MAX: u32 = 40;
        let git_dir = git_directory(checkout)?;
        let (index, lock, copy) = (git_dir.join("index"), git_dir.join("index.lock"), git_dir.join("baton-index"));
        for _ in 0..TRIES_MAX {
            match make_lock(&git_dir, &lock) {
                Ok(()) => {
                    let outlives = repository.outlives.clone();
                    return Ok(Ok(CheckoutMove { checkout: checkout.to_owned(), outlives, index, lock, copy }));
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

    fn stands_at_head(&self) -> Result<bool, GitError> {
        let said = output(in_checkout(Sync::None, &self.checkout).args(["rev-parse", "--verify", "--quiet", "HEAD"]))?;
        let head = String::from_utf8_lossy(&said.stdout).trim_end().to_owned();
        Oid::from_hex(&head).map_or(Ok(false), |head| self.stands_at(head))
    }

    /// Whether the checkout can go from one commit to another without losing a file of the person's.
    pub fn could_go(&self, from: Oid, to: Oid) -> Result<Result<(), InTheWay>, GitError> {
        let paths = self.unseen(from, to)?;
        if !paths.is_empty() {
            let what = format!("files that git does not look at would be written over: {}", paths.join(", "));
            return Ok(Err(InTheWay { checkout: self.checkout.clone(), what, paths }));
        }
        self.copy_index()?;
        self.refresh()?;
        self.take_in(&self.added(from, to)?, to)?;
        let said =
            output(self.command(Sync::None).args(["read-tree", "-n", "-m", "-u", &from.to_hex(), &to.to_hex()]))?;
        disk::remove_if_there(&self.copy)?;
        if said.status.success() {
            return Ok(Ok(()));
        }
        let what = format!("it cannot follow its branch: {}", first_lines(&said.stderr));
        Ok(Err(InTheWay { checkout: self.checkout.clone(), what, paths: quoted_in(&said.stderr) }))
    }

    /// Takes files and index from one commit to another.
    pub fn go(&self, from: Oid, to: Oid) -> Result<(), GitError> {
        self.copy_index()?;
        self.refresh()?;
        self.take_in(&self.added(from, to)?, to)?;
        let said = output(self.command(Sync::None).args(["read-tree", "-m", "-u", &from.to_hex(), &to.to_hex()]))?;
        if !said.status.success() {
            return Err(failed(&format!("move the checkout {} along", self.checkout.display()), &said));
        }
        self.replace_index()
    }

    /// The copy becomes the index.
    fn replace_index(&self) -> Result<(), GitError> {
        disk::sync(&self.copy)?;
        fs::rename(&self.copy, &self.index).map_err(|error| GitError::io("replace", &self.index, &error))
    }

    /// Takes back what a process brought that was killed on the way from one commit to another, or whose branch has not
    /// gone there: files as the other has them, or half written. What is anybody else's stays, in the index too; so does
    /// everything if somebody has committed it.
    pub fn go_back(&self, from: Oid, to: Oid) -> Result<(), GitError> {
        let (was, is) = (self.stands_at(from)?, self.stands_at(to)?);
        if !was && (!is || self.stands_at_head()?) {
            return Ok(());
        }
        let (put, removed) = self.came_along(from, to)?;
        self.copy_index()?;
        // The index is of one of the two commits, so nothing of the person's is in it; what they did to files since stays.
        let said = output(self.command(Sync::None).args(["read-tree", "--reset", &from.to_hex()]))?;
        if !said.status.success() {
            return Err(failed("read a tree", &said));
        }
        for path in &removed {
            disk::remove_if_there(&self.checkout.join(path))?;
            self.remove_empty_above(path);
        }
        // A folder that is still there then holds somebody's files.
        let put: Vec<String> = put.into_iter().filter(|path| !is_full_folder(&self.checkout.join(path))).collect();
        for some in put.chunks(PATHS_MAX) {
            let mut command = self.command(Sync::None);
            let said = output(command.args(["checkout-index", "-f", "-u", "-q", "--"]).args(some))?;
            if !said.status.success() {
                return Err(failed(&format!("take the checkout {} back", self.checkout.display()), &said));
            }
        }
        self.replace_index()
    }

    /// Files that came along with a move: those that are to be as they were, and those that were not there.
    fn came_along(&self, from: Oid, to: Oid) -> Result<(BTreeSet<String>, BTreeSet<String>), GitError> {
        self.copy_index()?;
        self.read_index(to)?;
        let not_there = self.differing()?;
        let (new, gone) = (self.added(from, to)?, self.differing_between(from, to, "--diff-filter=D")?);
        let (mut put, mut removed) = (BTreeSet::new(), BTreeSet::new());
        for path in self.differing_between(from, to, "")? {
            let is_new = new.contains(&path);
            let came = match fs::symlink_metadata(self.checkout.join(&path)) {
                // Git removes a file before it writes it anew.
                Err(_) => !is_new,
                Ok(found) if found.is_dir() => !is_new,
                Ok(_) if gone.contains(&path) => false,
                Ok(_) => !not_there.contains(&path) || self.is_half_written(&path, to)?,
            };
            match (came, is_new) {
                (true, true) => removed.insert(path),
                (true, false) => put.insert(path),
                (false, _) => false,
            };
        }
        Ok((put, removed))
    }

    fn remove_empty_above(&self, path: &str) {
        for above in Path::new(path).ancestors().skip(1).take_while(|above| !above.as_os_str().is_empty()) {
            if fs::remove_dir(self.checkout.join(above)).is_err() {
                return;
            }
        }
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
        self.replace_index().map(Ok)
    }

    /// Files on the way that git would write over without a look: ignored ones, and those that it was told not to look at.
    fn unseen(&self, from: Oid, to: Oid) -> Result<Vec<String>, GitError> {
        let there = |path: &&String| fs::symlink_metadata(self.checkout.join(path)).is_ok_and(|found| !found.is_dir());
        let mut unseen: Vec<String> = self.added(from, to)?.iter().filter(there).cloned().collect();
        let the_same = self.the_same(&unseen, to)?;
        unseen.retain(|path| !the_same.contains(path));
        unseen.extend(self.obstacles(from, to)?);
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
        self.refresh()?;
        let said = output(self.command(Sync::None).args(["diff-files", "--name-only", "-z", "--diff-filter=d"]))?;
        if !said.status.success() {
            return Err(failed("compare files with an index", &said));
        }
        Ok(paths_of(&said.stdout))
    }

    /// Looks again at files whose times differ from what the copy of the index has: they may be the same all the same.
    fn refresh(&self) -> Result<(), GitError> {
        output(self.command(Sync::None).args(["update-index", "-q", "--refresh"])).map(|_| ())
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

    pub(super) fn command(&self, sync: Sync) -> Command {
        let mut command = in_checkout(sync, &self.checkout);
        command.env("GIT_INDEX_FILE", &self.copy);
        if let Some(outlives) = &self.outlives {
            command.stdin(outlives.handed_on());
        }
        command
    }

    fn copy_index(&self) -> Result<(), GitError> {
        self.remove_copy()?;
        match fs::copy(&self.index, &self.copy) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(GitError::io("copy", &self.index, &error)),
            _ => Ok(()),
        }
    }
}

impl CheckoutMove {
    /// Removes the copy of the index, and the lock that git had of it if it was killed.
    fn remove_copy(&self) -> Result<(), GitError> {
        disk::remove_if_there(&beside(&self.copy, ".lock"))?;
        disk::remove_if_there(&self.copy)
    }
}

impl Drop for CheckoutMove {
    fn drop(&mut self) {
        // A copy or a lock that stays is taken over by the next one here.
        let _ = self.remove_copy();
        let _ = disk::remove_if_there(&self.lock);
    }
}

/// Whether a path is a folder with files in it. One without any goes.
fn is_full_folder(path: &Path) -> bool {
    if !fs::symlink_metadata(path).is_ok_and(|found| found.is_dir()) {
        return false;
    }
    let within: Vec<PathBuf> = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    // All of them are looked at, so that what is empty goes as far as it can.
    let full = within.iter().filter(|entry| !entry.is_dir() || is_full_folder(entry)).count();
    full > 0 || fs::remove_dir(path).is_err()
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

/// Makes a lock that is whole or not there: an empty one could be anybody's.
fn make_lock(git_dir: &Path, lock: &Path) -> io::Result<()> {
    let whole = git_dir.join("baton-lock");
    fs::write(&whole, LOCK_TEXT)?;
    let made = match fs::hard_link(&whole, lock) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => write_lock(lock),
        made => made,
    };
    fs::remove_file(&whole)?;
    made
}

/// For file systems without links.
fn write_lock(lock: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(lock)?.write_all(LOCK_TEXT.as_bytes())
}

/// Whether a checkout is locked by a process of this product, or by one that was killed.
pub(super) fn is_locked(checkout: &Path) -> Result<bool, GitError> {
    Ok(is_ours(&git_directory(checkout)?.join("index.lock")))
}

/// Whether a lock of an index was left by this product.
fn is_ours(lock: &Path) -> bool {
    fs::read_to_string(lock).is_ok_and(|text| text == LOCK_TEXT)
}

/// What git names in its errors, one a line.
fn quoted_in(said: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(said);
    let quoted = |line: &str| Some(line.strip_prefix("error: ")?.split_once('\'')?.1.rsplit_once('\'')?.0.to_owned());
    text.lines().filter_map(quoted).collect()
}

fn paths_of(list: &[u8]) -> BTreeSet<String> {
    let paths = list.split(|&byte| byte == 0).filter(|path| !path.is_empty());
    paths.map(|path| String::from_utf8_lossy(path).into_owned()).collect()
}
