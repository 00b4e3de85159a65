//! One bare git repository, in process: its objects, its merges, and the two refs that the product owns.
//!
//! Everything a landing needs is made in memory first and stored as one pack; main then moves by compare-and-swap in
//! git's own lock protocol, so that any git program may read the repository at any time. Git's programs are run for
//! three things only: to read objects that are not in memory, to merge where the answer is not known beforehand, and
//! to copy a repository. They see no configuration of the host, so every name is a function of the arguments.
//!
//! One process owns the repository of a run; within it, [`Repository`] is shared by all. Knows nothing of
//! lanes, leases, gates or the journal, and never looks at a checkout.
//!
//! Reading order: `object`, `tree`, `commit`, `cat_file`, `edit`, `propose`, `text_merge`, `merge`, `merge_bases`, `group`, `moved`,
//! `conflict`, `quarantine`, `pack`, `packs`, `refs`, `redo`, `advance`, `fences`, `copy`, `survey`.

mod advance;
mod cache;
mod cat_file;
mod choose;
mod command;
mod commit;
mod conflict;
mod copy;
mod disk;
mod edit;
mod error;
mod fences;
mod group;
mod landing_file;
mod layout;
mod lineage;
mod merge;
mod merge_bases;
mod moved;
mod object;
mod pack;
mod packs;
mod path;
mod person;
mod propose;
mod quarantine;
mod redo;
mod refs;
mod same_lines;
mod survey;
mod text_merge;
mod tree;

pub use commit::{Commit, CommitMeta};
pub use conflict::{Conflict, Hunk};
pub use edit::{Edit, FileMode, PathChange};
pub use error::{GitError, GitErrorKind};
pub use fences::Fences;
pub use group::Group;
pub use merge::{CleanMerge, Merged};
pub use object::{ObjectFormat, Objects};
pub use person::{
    Asked, AskedOn, Author, Branch, Brought, CheckoutMove, Cone, HeldRef, InTheWay, Joined, Later, ModuleHome, Moved,
    PersonRepository, PlacedFile, Pushed, Scratch, Snapshot, Submodule, Told, Worktree,
};
pub use propose::{Landing, Proposal};
pub use redo::NAME as REDO_LOG;
pub use refs::RefMoved;
pub use survey::{Survey, survey};
pub use tree::{Entry, EntryMode, Tree, TreeEntry};

use baton_record::Oid;
use cache::Cache;
use cat_file::Reader;
use object::{Body, Kind};
use packs::Packs;
use path::Below;
use redo::Redo;
use refs::Refs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of objects that are kept in memory.
const CACHE_BYTES_MAX: usize = 128 << 20;

/// Whether writes reach the disk before a call returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// They are handed to the kernel: a killed process loses nothing, a power cut may.
    Buffered,
    /// Files and directories are synced.
    Durable,
}

/// A commit of the first-parent line of main.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LandedCommit {
    /// The commit.
    pub commit: Oid,
    /// Its trailers.
    pub trailers: Vec<(String, String)>,
}

/// One bare repository. `Send` and `Sync`: lanes read and propose while the merger merges, stores and moves refs.
#[derive(Debug)]
pub struct Repository {
    root: PathBuf,
    format: ObjectFormat,
    durability: Durability,
    cache: Mutex<Cache>,
    counts: Mutex<choose::Counts>,
    lineage: Mutex<lineage::Lineage>,
    reader: Reader,
    packs: Mutex<Packs>,
    refs: Refs,
    redo: Mutex<Redo>,
    moving: Mutex<()>,
    numbers: AtomicU64,
    /// Its configuration is the one that was made with it.
    untouched: bool,
}

impl Repository {
    /// Makes an empty bare repository with the branch `main` (unborn), no hooks and the least of configuration. Fails
    /// if there is something at `path` other than an empty directory.
    pub fn init(path: &Path, format: ObjectFormat, durability: Durability) -> Result<Repository, GitError> {
        layout::make(path, format, durability)?;
        Repository::open(path, durability)
    }

    /// Makes a repository whose `main` is `base` (default: `HEAD`) of the repository at `source`, with its whole
    /// history and nothing else of it. `source` may be bare, have a checkout in any state, or be a linked worktree:
    /// only commits are copied, nothing is shared with it afterwards. On failure nothing is left at `path`.
    pub fn copy_of(
        source: &Path,
        base: Option<&str>,
        path: &Path,
        durability: Durability,
    ) -> Result<Repository, GitError> {
        copy::copy(source, base, path, durability)
    }

    /// Opens a repository that [`Repository::init`] or [`Repository::copy_of`] made. The caller is its one owner:
    /// locks, half-written packs and half-done merges of a killed owner are removed.
    pub fn open(path: &Path, durability: Durability) -> Result<Repository, GitError> {
        let root = layout::root(path)?;
        let format = layout::format(&root)?;
        let refs = Refs::new(&root, durability);
        refs.remove_stale_locks()?;
        redo::recover(&root, &refs)?;
        quarantine::remove_stale(&root)?;
        let packs = Packs::open(&root, format, durability)?;
        let untouched = layout::is_untouched(&root, format);
        let reader = Reader::new(&root, format);
        let repository =
            Repository { untouched, ..Repository::over(root, (format, durability), (refs, packs, reader)) };
        fences::remove_stale(&repository)?;
        Ok(repository)
    }

    /// Puts a repository in order whose owner has gone with the power, as [`Repository::open`] would, and does nothing else to it.
    /// `true`: its redo log was of another boot of the machine.
    pub fn put_in_order_after_power_cut(path: &Path) -> Result<bool, GitError> {
        let root = layout::root(path)?;
        if !redo::is_of_another_boot(&root) {
            return Ok(false);
        }
        let refs = Refs::new(&root, Durability::Durable);
        refs.remove_stale_locks()?;
        redo::recover(&root, &refs).map(|()| true)
    }

    /// A repository that is somebody else's, at its common directory, with what is stored going to `aside`. Nothing of it is
    /// removed, put in order or written.
    fn visit(common: &Path, aside: &Path, format: ObjectFormat) -> Result<Repository, GitError> {
        let durability = Durability::Buffered;
        let refs = Refs::new(common, durability);
        let packs = Packs::open_at(&aside.join("pack"), format, durability)?;
        let reader = Reader::with_aside(common, format, aside);
        Ok(Repository::over(common.to_owned(), (format, durability), (refs, packs, reader)))
    }

    /// A repository of these parts of which nothing is known yet.
    fn over(
        root: PathBuf,
        (format, durability): (ObjectFormat, Durability),
        (refs, packs, reader): (Refs, Packs, Reader),
    ) -> Repository {
        let redo = Mutex::new(Redo::new(&root));
        Repository {
            root,
            format,
            durability,
            cache: Mutex::new(Cache::new(CACHE_BYTES_MAX)),
            counts: Mutex::new(choose::Counts::new()),
            lineage: Mutex::new(lineage::Lineage::default()),
            reader,
            packs: Mutex::new(packs),
            refs,
            redo,
            moving: Mutex::new(()),
            numbers: AtomicU64::new(0),
            untouched: false,
        }
    }

    /// Gives a repository without commits its first one, of these files, on main. Fails if main exists.
    pub fn begin(&self, files: &[Edit], meta: &CommitMeta) -> Result<Oid, GitError> {
        if self.main()?.is_some() {
            let detail = format!("main of {} has commits already", self.root.display());
            return Err(GitError::new(GitErrorKind::Exists, detail));
        }
        let (commit, objects) = propose::first(self, files, meta)?;
        self.store(&objects)?;
        self.set_main_without_compare(commit)?;
        Ok(commit)
    }

    /// Where it is: absolute, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Which hash names its objects.
    pub fn format(&self) -> ObjectFormat {
        self.format
    }

    /// `refs/heads/main`; `None`: there is no commit on it yet.
    pub fn main(&self) -> Result<Option<Oid>, GitError> {
        self.refs.read(refs::MAIN)
    }

    /// Where main is, which a run's repository always has.
    pub fn standing_main(&self) -> Result<Oid, GitError> {
        let main = self.main()?;
        main.ok_or_else(|| {
            let detail = format!("{} has no {} any more", self.root.display(), refs::MAIN);
            GitError::new(GitErrorKind::NoMain, detail)
        })
    }

    /// `refs/baton/fences`; `None`: no fence was ever raised.
    pub fn fences_ref(&self) -> Result<Option<Oid>, GitError> {
        self.refs.read(refs::FENCES)
    }

    /// A commit of the repository.
    pub fn commit(&self, oid: Oid) -> Result<Arc<Commit>, GitError> {
        match self.body(oid)? {
            Body::Commit(commit) => Ok(commit),
            Body::Tree(_) | Body::Blob(_) => Err(not_a("commit", oid)),
        }
    }

    /// A tree of the repository.
    pub fn tree(&self, oid: Oid) -> Result<Arc<Tree>, GitError> {
        match self.body(oid)? {
            Body::Tree(tree) => Ok(tree),
            Body::Commit(_) | Body::Blob(_) => Err(not_a("tree", oid)),
        }
    }

    /// A blob of the repository.
    pub fn blob(&self, oid: Oid) -> Result<Arc<[u8]>, GitError> {
        match self.body(oid)? {
            Body::Blob(blob) => Ok(blob),
            Body::Commit(_) | Body::Tree(_) => Err(not_a("blob", oid)),
        }
    }

    /// What stands at `path` in a tree; `None`: nothing.
    pub fn entry(&self, tree: Oid, path: &str) -> Result<Option<Entry>, GitError> {
        let mut at = Entry { mode: EntryMode::Tree, oid: tree };
        for name in path.split('/') {
            if at.mode != EntryMode::Tree {
                return Ok(None);
            }
            match self.tree(at.oid)?.get(name.as_bytes()) {
                Some(found) => at = found.entry(),
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    /// Paths of the files, executable or not, that `below` means: a literal path, `dir/**` or `**`. Sorted by their
    /// bytes. Links, submodules and paths that are not UTF-8 are left out.
    pub fn files(&self, tree: Oid, below: &str) -> Result<Vec<String>, GitError> {
        let (directory, start) = match path::below(below) {
            Below::Path(path) => {
                let found = self.entry(tree, path)?.filter(|entry| entry.mode.is_file());
                return Ok(found.map(|_| path.to_owned()).into_iter().collect());
            }
            Below::Directory("") => (String::new(), tree),
            Below::Directory(directory) => match self.entry(tree, directory)? {
                Some(Entry { mode: EntryMode::Tree, oid }) => (format!("{directory}/"), oid),
                _ => return Ok(Vec::new()),
            },
        };
        let (mut paths, mut waiting) = (Vec::new(), vec![(directory, start)]);
        while let Some((above, oid)) = waiting.pop() {
            for entry in self.tree(oid)?.entries() {
                let Ok(name) = std::str::from_utf8(entry.name) else { continue };
                match entry.mode {
                    EntryMode::Tree => waiting.push((format!("{above}{name}/"), entry.oid)),
                    mode if mode.is_file() => paths.push(format!("{above}{name}")),
                    _ => {}
                }
            }
        }
        paths.sort_unstable();
        Ok(paths)
    }

    /// The paths of everything that stands at `path` or below it: files, links and submodules whose names are UTF-8.
    pub fn all_below(&self, tree: Oid, path: &str) -> Result<Vec<String>, GitError> {
        let Some(found) = self.entry(tree, path)? else { return Ok(Vec::new()) };
        let (mut paths, mut waiting) = (Vec::new(), vec![(path.to_owned(), found)]);
        while let Some((path, entry)) = waiting.pop() {
            if entry.mode != EntryMode::Tree {
                paths.push(path);
                continue;
            }
            for entry in self.tree(entry.oid)?.entries() {
                let Ok(name) = std::str::from_utf8(entry.name) else { continue };
                waiting.push((format!("{path}/{name}"), entry.entry()));
            }
        }
        paths.sort_unstable();
        Ok(paths)
    }

    /// Whether a text can be the path of a file in a tree of git's.
    pub fn is_path(&self, text: &str) -> bool {
        path::check(text).is_ok()
    }

    /// Makes a change of `base`, a commit of the repository, in memory. Fails if an edit's path is unfit, if it removes
    /// what is not there, or if a path would be a file and a directory at once.
    pub fn propose(&self, base: Oid, edits: &[Edit], meta: &CommitMeta) -> Result<Proposal, GitError> {
        propose::propose(self, base, edits, meta)
    }

    /// Merges a proposal into `main`, a commit of the repository, with the proposal's base as the merge base. Tree
    /// and verdict are those of `git merge-tree --write-tree`; nothing is written to the repository. A merge that git
    /// breaks off, because it fails one of its own assertions, is a conflict at all paths of the proposal.
    pub fn merge(&self, main: Oid, proposal: &Proposal) -> Result<Merged, GitError> {
        merge::merge(self, main, proposal)
    }

    /// All best common ancestors of two commits, ascending by name: those of `git merge-base --all`. `None`: more than
    /// `most` commits would have to be looked at.
    pub fn merge_bases(&self, ours: Oid, theirs: Oid, most: usize) -> Result<Option<Vec<Oid>>, GitError> {
        merge_bases::merge_bases(self, ours, theirs, most)
    }

    /// Makes the merge commit that lands a proposal on `main`, in memory: `merged` is the answer for these two.
    pub fn land_commit(&self, main: Oid, proposal: &Proposal, merged: &CleanMerge, meta: &CommitMeta) -> Landing {
        propose::land(self.format, main, proposal, merged, meta)
    }

    /// Stores objects as one pack. On return they can be read, and are durable where that is promised. The same objects
    /// again are stored once.
    pub fn store(&self, objects: &Objects) -> Result<(), GitError> {
        hold(&self.packs).store(objects)?;
        self.remember_all(objects);
        Ok(())
    }

    /// Sets main to `new`, a stored commit, wherever it was and whatever the fences say. This loses other writers'
    /// changes: it is there for the control run, which shows just that.
    pub fn set_main_without_compare(&self, new: Oid) -> Result<(), GitError> {
        self.commit(new)?;
        let _only_one = self.moving();
        hold(&self.lineage).forget();
        hold(&self.redo).checkpoint()?;
        self.refs.lock(refs::MAIN)?.set(new)
    }

    /// Writes the fences and points the fences ref at them, if and only if it has the value `expected`; gives its new
    /// value. The blob that it pointed to before is removed.
    pub fn raise_fence(&self, expected: Option<Oid>, content: &Fences) -> Result<Result<Oid, RefMoved>, GitError> {
        fences::raise(self, expected, content)
    }

    /// The newest fences; empty if none was ever raised.
    pub fn fences(&self) -> Result<Fences, GitError> {
        fences::read(self)
    }

    /// Commits of main's first-parent line after `base`, oldest first. Fails if `base` is not on that line.
    pub fn landed_since(&self, base: Oid) -> Result<Vec<LandedCommit>, GitError> {
        let (mut landed, mut next) = (Vec::new(), self.main()?);
        while let Some(oid) = next.filter(|oid| *oid != base) {
            let commit = self.commit(oid)?;
            landed.push(LandedCommit { commit: oid, trailers: commit.trailers.clone() });
            next = commit.parents.first().copied();
        }
        if next.is_none() {
            let detail = format!("{base} is not on the first-parent line of main");
            return Err(GitError::new(GitErrorKind::UnknownBase, detail));
        }
        landed.reverse();
        Ok(landed)
    }

    /// Ends a run: makes few packs of many and syncs everything, so that a [`Durability::Buffered`] repository is as
    /// durable as any.
    pub fn sync(&self) -> Result<(), GitError> {
        hold(&self.packs).consolidate_all()?;
        disk::sync_below(&self.root)?;
        hold(&self.redo).end()
    }

    /// Held while refs are compared and changed, so that threads of this process wait here and not for a lock file.
    fn moving(&self) -> MutexGuard<'_, ()> {
        hold(&self.moving)
    }

    /// Whether nobody has told git to compare or merge texts in a way of its own, other than by an attribute in a tree.
    fn merges_texts_as_git_comes(&self) -> bool {
        self.untouched && !self.root.join("info/attributes").exists()
    }

    fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn remember(&self, oid: Oid, body: Body) {
        hold(&self.cache).put(oid, body);
    }

    fn remember_all(&self, objects: &Objects) {
        let mut cache = hold(&self.cache);
        objects.iter().for_each(|(oid, object)| cache.put(oid, object.body.clone()));
    }

    fn forget(&self, oid: Oid) {
        hold(&self.cache).remove(oid);
    }

    fn body(&self, oid: Oid) -> Result<Body, GitError> {
        if let Some(body) = hold(&self.cache).get(oid) {
            return Ok(body);
        }
        let (kind, data) = self.reader.read(oid)?;
        let body = match kind {
            Kind::Commit => Body::Commit(Arc::new(Commit::parse(oid, &data)?)),
            Kind::Tree => Body::Tree(Arc::new(Tree::parse(self.format, oid, &data)?)),
            Kind::Blob => Body::Blob(data.into()),
        };
        self.remember(oid, body.clone());
        Ok(body)
    }
}

fn not_a(kind: &str, oid: Oid) -> GitError {
    GitError::damaged(format!("object {oid} is used as a {kind} and is none"))
}

/// Every value behind these locks is whole between any two statements, so a panic elsewhere does not spoil it.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
