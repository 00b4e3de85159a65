//! Merges: in process where git's own answer is known beforehand, by git everywhere else.
//!
//! Git's `ort` decides by content only where both sides touch one path (what is known of that is in `text_merge`), and
//! looks for renames only where a side deletes one. So if both sides do nothing but add files and change the content of files, each path is touched by
//! one side, and no name becomes a file on one side and a directory on the other, the merged tree is the base with
//! both sides' entries. The walk proves exactly that, on the subtrees that differ, and gives up at the first thing
//! that is otherwise, be it a deletion, a change of mode or kind, a link, a submodule, or a tree in a form that git
//! would rewrite.

use super::error::GitError;
use super::object::{Body, Objects};
use super::propose::Proposal;
use super::quarantine;
use super::text_merge::merge_texts;
use super::tree::{Entry, EntryMode, Tree, TreeEntry};
use super::{Repository, hold};
use baton_record::Oid;
use baton_record::event::Verdict;
use std::cmp::Ordering;
use std::sync::Arc;

/// The answer to a merge.
#[derive(Clone, Debug)]
pub enum Merged {
    /// It merges.
    Clean(CleanMerge),
    /// It does not, because of these paths: sorted, each once.
    Conflict {
        /// The paths; one that is not UTF-8 has its odd bytes replaced.
        paths: Vec<String>,
    },
}

/// A merge without conflict.
#[derive(Clone, Debug)]
pub struct CleanMerge {
    /// The merged tree. Where it is main's own, the change does nothing.
    pub tree: Oid,
    /// How it was made.
    pub verdict: Verdict,
    /// Trees and blobs that neither the repository nor the proposal has.
    pub objects: Objects,
}

/// What a proposal is merged into.
#[derive(Clone, Copy)]
pub(super) struct Ours<'o> {
    pub(super) commit: Oid,
    pub(super) tree: Oid,
    /// Known beforehand: the way to it from the proposal's base only adds files and changes the content of files.
    pub(super) only_adds: bool,
    /// Objects of its history that are not in the repository yet.
    pub(super) pending: Option<&'o Objects>,
}

pub(super) fn merge(repository: &Repository, main: Oid, proposal: &Proposal) -> Result<Merged, GitError> {
    let only_adds = hold(&repository.lineage).only_adds(proposal.base, main);
    let tree = repository.commit(main)?.tree;
    merge_into(repository, Ours { commit: main, tree, only_adds, pending: None }, proposal)
}

pub(super) fn merge_into(repository: &Repository, ours: Ours<'_>, proposal: &Proposal) -> Result<Merged, GitError> {
    if ours.commit == proposal.base {
        let (tree, objects) = (proposal.tree, Objects::default());
        return Ok(Merged::Clean(CleanMerge { tree, verdict: Verdict::Same, objects }));
    }
    let trees = Trees { repository, aside: [Some(&proposal.objects), ours.pending] };
    let mut walk = Walk { trees, ours_only_adds: ours.only_adds, texts: true, objects: Objects::default() };
    if let Some(tree) = walk.directory(Some(proposal.base_tree), ours.tree, proposal.tree, 0)? {
        let objects = walk.objects;
        return Ok(Merged::Clean(CleanMerge { tree, verdict: Verdict::Walk, objects }));
    }
    quarantine::merge(repository, (ours.commit, ours.pending), proposal)
}

/// The merge of two commits that part at `base`, if it can be made in process.
pub(super) fn walk_commits(
    repository: &Repository,
    base: Oid,
    ours: Oid,
    theirs: Oid,
) -> Result<Option<CleanMerge>, GitError> {
    let tree_of = |commit| repository.commit(commit).map(|commit| commit.tree);
    let (base_tree, ours_tree, theirs_tree) = (tree_of(base)?, tree_of(ours)?, tree_of(theirs)?);
    if base_tree == ours_tree {
        let (tree, objects) = (theirs_tree, Objects::default());
        return Ok(Some(CleanMerge { tree, verdict: Verdict::Same, objects }));
    }
    let trees = Trees { repository, aside: [None; 2] };
    // A person may have told git to compare or merge texts in other ways.
    let mut walk = Walk { trees, ours_only_adds: false, texts: false, objects: Objects::default() };
    let tree = walk.directory(Some(base_tree), ours_tree, theirs_tree, 0)?;
    Ok(tree.map(|tree| CleanMerge { tree, verdict: Verdict::Walk, objects: walk.objects }))
}

/// Directories nested deeper than this are left to git.
const DEPTH_MAX: usize = 256;

struct Walk<'w> {
    trees: Trees<'w>,
    /// Known beforehand: our side does nothing that git would have to judge.
    ours_only_adds: bool,
    /// Texts that both sides change are merged here, where git's answer is known: nobody told git to do it in a way of its own.
    texts: bool,
    objects: Objects,
}

/// Where objects are read: those of a proposal, and of what lands together with it, are not in the repository yet.
#[derive(Clone, Copy)]
struct Trees<'w> {
    repository: &'w Repository,
    aside: [Option<&'w Objects>; 2],
}

/// Whether the way from one tree to another only adds files and changes the content of files. Trees are read in the
/// repository and among the objects that are still to be stored.
pub(super) fn only_adds(
    repository: &Repository,
    pending: Option<&Objects>,
    (before, after): (Oid, Oid),
) -> Result<bool, GitError> {
    let directory = |oid| Entry { mode: EntryMode::Tree, oid };
    Trees { repository, aside: [None, pending] }.only_adds(Some(directory(before)), directory(after), 0)
}

/// The entries of one name in base, ours and theirs.
type Sides<'t> = [Option<TreeEntry<'t>>; 3];

impl Walk<'_> {
    /// The merged directory, or `None` if that is git's to say.
    fn directory(&mut self, base: Option<Oid>, ours: Oid, theirs: Oid, depth: usize) -> Result<Option<Oid>, GitError> {
        let read = |oid| self.trees.tree(oid);
        let trees = [base.map(read).transpose()?, Some(read(ours)?), Some(read(theirs)?)];
        if depth > DEPTH_MAX || trees.iter().flatten().any(|tree| !tree.is_canonical()) {
            return Ok(None);
        }
        let texts = self.texts;
        self.texts &= !trees.iter().flatten().any(|tree| tree.get(ATTRIBUTES).is_some());
        let names = zip(trees.each_ref().map(|tree| tree.as_deref()));
        let mut merged = Vec::new();
        for sides in names {
            let Some(entry) = self.name(sides, depth)? else { return Ok(None) };
            merged.push(entry);
        }
        self.texts = texts;
        // A file of one side may have the name of a directory of the other.
        let Some(tree) = Tree::build(self.trees.repository.format(), &mut merged) else { return Ok(None) };
        let is_side = |side: &Option<Arc<Tree>>| side.as_ref().is_some_and(|side| side.raw() == tree.raw());
        Ok(Some(match () {
            () if is_side(&trees[1]) => ours,
            () if is_side(&trees[2]) => theirs,
            () => self.objects.add_tree(self.trees.repository.format(), tree),
        }))
    }

    fn name<'t>(&mut self, sides: Sides<'t>, depth: usize) -> Result<Option<TreeEntry<'t>>, GitError> {
        let [base, ours, theirs] = sides;
        let (Some(ours), Some(theirs)) = (ours, theirs) else {
            // Without a base it is new on one side; with one it is deleted by the other.
            let (None, Some(new)) = (base, ours.or(theirs)) else { return Ok(None) };
            let known = self.ours_only_adds && theirs.is_none();
            return Ok((known || self.trees.only_adds(None, new.entry(), depth)?).then_some(new));
        };
        let was = base.map(|entry| entry.entry());
        if was == Some(ours.entry()) && was == Some(theirs.entry()) {
            return Ok(Some(ours));
        }
        if was == Some(theirs.entry()) {
            return Ok((self.ours_only_adds || self.trees.only_adds(was, ours.entry(), depth)?).then_some(ours));
        }
        if was == Some(ours.entry()) {
            return Ok(self.trees.only_adds(was, theirs.entry(), depth)?.then_some(theirs));
        }
        if let Some(base) = base.filter(|base| base.mode.is_file()) {
            return self.text(base, ours, theirs);
        }
        if [base, Some(ours), Some(theirs)].iter().flatten().any(|entry| entry.mode != EntryMode::Tree) {
            return Ok(None);
        }
        let merged = self.directory(base.map(|entry| entry.oid), ours.oid, theirs.oid, depth + 1)?;
        Ok(merged.map(|oid| TreeEntry { oid, ..ours }))
    }

    /// A file that both sides have changed.
    fn text<'t>(
        &mut self,
        base: TreeEntry<'t>,
        ours: TreeEntry<'t>,
        theirs: TreeEntry<'t>,
    ) -> Result<Option<TreeEntry<'t>>, GitError> {
        let repository = self.trees.repository;
        let changed = [ours, theirs].iter().all(|side| side.mode == base.mode && side.oid != base.oid);
        if !self.texts || !changed || !repository.merges_texts_as_git_comes() {
            return Ok(None);
        }
        let [base, our, their] = [base, ours, theirs].map(|side| self.trees.blob(side.oid));
        let merged = merge_texts(&base?, &our?, &their?);
        Ok(merged.map(|text| TreeEntry { oid: self.objects.add_blob(repository.format(), &text), ..ours }))
    }
}

/// The file that tells git how to treat others in its directory and below.
const ATTRIBUTES: &[u8] = b".gitattributes";

impl Trees<'_> {
    fn tree(&self, oid: Oid) -> Result<Arc<Tree>, GitError> {
        match self.aside.iter().flatten().find_map(|objects| objects.get(oid)) {
            Some(Body::Tree(tree)) => Ok(tree.clone()),
            _ => self.repository.tree(oid),
        }
    }

    fn blob(&self, oid: Oid) -> Result<Arc<[u8]>, GitError> {
        match self.aside.iter().flatten().find_map(|objects| objects.get(oid)) {
            Some(Body::Blob(blob)) => Ok(blob.clone()),
            _ => self.repository.blob(oid),
        }
    }

    /// Whether the way from `before` to `after` only adds files and changes the content of files.
    fn only_adds(&self, before: Option<Entry>, after: Entry, depth: usize) -> Result<bool, GitError> {
        let before_tree = match before {
            Some(before) if before == after => return Ok(true),
            Some(before) if before.mode != after.mode => return Ok(false),
            _ if after.mode != EntryMode::Tree => return Ok(after.mode.is_file()),
            before => before.map(|before| self.tree(before.oid)).transpose()?,
        };
        let after_tree = self.tree(after.oid)?;
        let canonical = after_tree.is_canonical() && before_tree.as_ref().is_none_or(|tree| tree.is_canonical());
        if depth > DEPTH_MAX || !canonical {
            return Ok(false);
        }
        let names = zip([before_tree.as_deref(), Some(&*after_tree), None]);
        for [before, after, _] in names {
            let Some(after) = after else { return Ok(false) };
            if !self.only_adds(before.map(|before| before.entry()), after.entry(), depth + 1)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Goes through canonical trees side by side. A file and a directory of one name are two names.
struct Zip<'t, I> {
    sides: [Option<I>; 3],
    heads: Sides<'t>,
}

fn zip(trees: [Option<&Tree>; 3]) -> Zip<'_, impl Iterator<Item = TreeEntry<'_>>> {
    let mut sides = trees.map(|tree| tree.map(Tree::entries));
    let heads = sides.each_mut().map(|side| side.as_mut().and_then(Iterator::next));
    Zip { sides, heads }
}

impl<'t, I: Iterator<Item = TreeEntry<'t>>> Iterator for Zip<'t, I> {
    type Item = Sides<'t>;

    fn next(&mut self) -> Option<Sides<'t>> {
        let first = self.heads.iter().flatten().min_by(|a, b| a.order(b)).copied()?;
        let mut row = [None; 3];
        for ((head, side), place) in self.heads.iter_mut().zip(&mut self.sides).zip(&mut row) {
            if head.is_some_and(|head| head.order(&first) == Ordering::Equal) {
                *place = std::mem::replace(head, side.as_mut().and_then(Iterator::next));
            }
        }
        Some(row)
    }
}
