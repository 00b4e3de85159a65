//! Merges: in process where git's own answer is known beforehand, by git everywhere else.
//!
//! Git's `ort` decides by content only where both sides touch one path, and looks for renames only where a side
//! deletes one. So if both sides do nothing but add files and change the content of files, each path is touched by
//! one side, and no name becomes a file on one side and a directory on the other, the merged tree is the base with
//! both sides' entries. The walk proves exactly that, on the subtrees that differ, and gives up at the first thing
//! that is otherwise, be it a deletion, a change of mode or kind, a link, a submodule, or a tree in a form that git
//! would rewrite.

use super::error::GitError;
use super::object::{Body, Objects};
use super::propose::Proposal;
use super::quarantine;
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

pub(super) fn merge(repository: &Repository, main: Oid, proposal: &Proposal) -> Result<Merged, GitError> {
    if main == proposal.base {
        let (tree, objects) = (proposal.tree, Objects::default());
        return Ok(Merged::Clean(CleanMerge { tree, verdict: Verdict::Same, objects }));
    }
    let ours = repository.commit(main)?.tree;
    let ours_only_adds = hold(&repository.lineage).only_adds(proposal.base, main);
    let mut walk =
        Walk { trees: Trees { repository, proposal: Some(proposal) }, ours_only_adds, objects: Objects::default() };
    if let Some(tree) = walk.directory(Some(proposal.base_tree), ours, proposal.tree, 0)? {
        let objects = walk.objects;
        return Ok(Merged::Clean(CleanMerge { tree, verdict: Verdict::Walk, objects }));
    }
    quarantine::merge(repository, main, proposal)
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
    let trees = Trees { repository, proposal: None };
    let mut walk = Walk { trees, ours_only_adds: false, objects: Objects::default() };
    let tree = walk.directory(Some(base_tree), ours_tree, theirs_tree, 0)?;
    Ok(tree.map(|tree| CleanMerge { tree, verdict: Verdict::Walk, objects: walk.objects }))
}

/// Directories nested deeper than this are left to git.
const DEPTH_MAX: usize = 256;

struct Walk<'w> {
    trees: Trees<'w>,
    /// Known beforehand: our side does nothing that git would have to judge.
    ours_only_adds: bool,
    objects: Objects,
}

/// Where trees are read: a proposal's are not in the repository yet.
#[derive(Clone, Copy)]
struct Trees<'w> {
    repository: &'w Repository,
    proposal: Option<&'w Proposal>,
}

/// Whether the way from one tree of the repository to another only adds files and changes the content of files.
pub(super) fn only_adds(repository: &Repository, before: Oid, after: Oid) -> Result<bool, GitError> {
    let directory = |oid| Entry { mode: EntryMode::Tree, oid };
    Trees { repository, proposal: None }.only_adds(Some(directory(before)), directory(after), 0)
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
        let names = zip(trees.each_ref().map(|tree| tree.as_deref()));
        let mut merged = Vec::new();
        for sides in names {
            let Some(entry) = self.name(sides, depth)? else { return Ok(None) };
            merged.push(entry);
        }
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
        if [base, Some(ours), Some(theirs)].iter().flatten().any(|entry| entry.mode != EntryMode::Tree) {
            return Ok(None);
        }
        let merged = self.directory(base.map(|entry| entry.oid), ours.oid, theirs.oid, depth + 1)?;
        Ok(merged.map(|oid| TreeEntry { oid, ..ours }))
    }
}

impl Trees<'_> {
    fn tree(&self, oid: Oid) -> Result<Arc<Tree>, GitError> {
        match self.proposal.and_then(|proposal| proposal.objects.get(oid)) {
            Some(Body::Tree(tree)) => Ok(tree.clone()),
            _ => self.repository.tree(oid),
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
