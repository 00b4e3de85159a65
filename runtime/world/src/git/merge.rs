//! Merges: in process where git's own answer is known beforehand, by git everywhere else.
//!
//! Git's `ort` decides by content, by mode or by a merge driver only where both sides touch one path (what is known of
//! texts is in `text_merge`). If each path is
//! touched by one side, and no name becomes a file on one side and a directory on the other, the merged tree is the base
//! with both sides' entries, unless a rename makes two paths one. Renames are looked for in each side by itself, from
//! the files that it deletes to those that it adds, and they matter in two ways only:
//!
//! - what the other side did to the old path, or to the new one, is merged with the file that was renamed. But both
//!   paths are touched by this side, so the other has done nothing to either;
//! - what the other side adds in a directory that was renamed as a whole follows it. Git takes a directory for renamed
//!   only if it is gone on that side (`merge-ort` calls them `dirs_removed`). So it is enough that whatever directory
//!   one side removes is untouched by the other.
//!
//! So whether renames are found, and what `merge.renames`, `merge.directoryRenames` or an attribute say, makes no
//! difference. What both sides do alike is done once: a file edited, wherever; a file added, if neither side deletes
//! anything, so that it is no half of a rename; a path deleted, if neither side adds anything, for the same reason.
//!
//! The walk proves exactly that, on the subtrees that differ, and gives up at the first thing that is otherwise, be it
//! one path touched in two ways, a change of kind, a link, a submodule, or a tree in a form that git would rewrite.

use super::conflict::Conflict;
use super::error::GitError;
use super::object::{Body, Kind, Objects};
use super::propose::Proposal;
use super::quarantine;
use super::text_merge::merge_texts;
use super::tree::{Entry, EntryMode, Tree, TreeEntry, empty_tree};
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
        /// What does not merge there, and where: sorted.
        conflicts: Vec<Conflict>,
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
    /// Known: the way from main's tree to this one only adds files and changes the content of files.
    pub(super) only_adds: bool,
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
        return Ok(Merged::Clean(CleanMerge { tree, verdict: Verdict::Same, objects, only_adds: false }));
    }
    let trees = Trees { repository, aside: [Some(&proposal.objects), ours.pending] };
    let mut walk = Walk::new(trees, ours.only_adds, true);
    if let Some(tree) = walk.merge(proposal.base_tree, ours.tree, proposal.tree)? {
        return Ok(Merged::Clean(walk.answer(tree)));
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
    walk_trees(repository, [base, ours, theirs], false)
}

/// The same without the objects, for those who only want to know the tree.
pub(super) fn name_of_merge(repository: &Repository, commits: [Oid; 3]) -> Result<Option<CleanMerge>, GitError> {
    walk_trees(repository, commits, true)
}

fn walk_trees(
    repository: &Repository,
    [base, ours, theirs]: [Oid; 3],
    only_name: bool,
) -> Result<Option<CleanMerge>, GitError> {
    let tree_of = |commit| repository.commit(commit).map(|commit| commit.tree);
    let (base_tree, ours_tree, theirs_tree) = (tree_of(base)?, tree_of(ours)?, tree_of(theirs)?);
    if base_tree == ours_tree {
        let (tree, objects) = (theirs_tree, Objects::default());
        return Ok(Some(CleanMerge { tree, verdict: Verdict::Same, objects, only_adds: false }));
    }
    let trees = Trees { repository, aside: [None; 2] };
    // A person may have told git to compare or merge texts in other ways.
    let mut walk = Walk { only_name, ..Walk::new(trees, false, false) };
    let tree = walk.merge(base_tree, ours_tree, theirs_tree)?;
    Ok(tree.map(|tree| walk.answer(tree)))
}

/// Directories nested deeper than this are left to git.
const DEPTH_MAX: usize = 256;

const OURS: usize = 0;
const THEIRS: usize = 1;

struct Walk<'w> {
    trees: Trees<'w>,
    /// Known beforehand: our side does nothing but add files and change their content.
    ours_only_adds: bool,
    /// Texts that both sides change are merged here, where git's answer is known: nobody told git to do it in a way of its own.
    texts: bool,
    /// What each side does.
    deeds: [Deeds; 2],
    /// Both sides add one file alike.
    both_add: bool,
    /// Both sides delete one path.
    both_delete: bool,
    /// Nobody wants the merged trees, only the name of the topmost.
    only_name: bool,
    objects: Objects,
}

/// What is done on the way from one tree to another, beside changes of content.
#[derive(Clone, Copy, Debug, Default)]
struct Deeds {
    adds: bool,
    deletes: bool,
    modes: bool,
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
    let directory = |oid| Some(Entry { mode: EntryMode::Tree, oid });
    let mut deeds = Deeds::default();
    let trees = Trees { repository, aside: [None, pending] };
    let plain = trees.are_plain(directory(before), directory(after), 0, &mut deeds)?;
    Ok(plain && !deeds.deletes && !deeds.modes)
}

/// The entries of one name in base, ours and theirs.
type Sides<'t> = [Option<TreeEntry<'t>>; 3];

/// What becomes of a name.
enum Merging<'t> {
    Is(TreeEntry<'t>),
    Gone,
    /// That is git's to say.
    Unknown,
}

impl<'w> Walk<'w> {
    fn new(trees: Trees<'w>, ours_only_adds: bool, texts: bool) -> Walk<'w> {
        // Nothing is known of what our side adds where it is not looked at.
        let deeds = [Deeds { adds: ours_only_adds, ..Deeds::default() }, Deeds::default()];
        let objects = Objects::default();
        let (both_add, both_delete, only_name) = (false, false, false);
        Walk { trees, ours_only_adds, texts, deeds, both_add, both_delete, only_name, objects }
    }

    /// The merged tree, or `None` if that is git's to say.
    fn merge(&mut self, base: Oid, ours: Oid, theirs: Oid) -> Result<Option<Oid>, GitError> {
        let Some(tree) = self.directory(Some(base), ours, theirs, 0)? else { return Ok(None) };
        let adds = self.deeds.iter().any(|deeds| deeds.adds);
        let deletes = self.deeds.iter().any(|deeds| deeds.deletes);
        let half_renamed = self.both_add && deletes || self.both_delete && adds;
        Ok((!half_renamed).then_some(tree))
    }

    fn answer(self, tree: Oid) -> CleanMerge {
        // What is done to our tree is what their side has done.
        let Deeds { deletes, modes, .. } = self.deeds[THEIRS];
        CleanMerge { tree, verdict: Verdict::Walk, objects: self.objects, only_adds: !deletes && !modes }
    }

    /// The merged directory, which may be empty, or `None` if that is git's to say.
    fn directory(&mut self, base: Option<Oid>, ours: Oid, theirs: Oid, depth: usize) -> Result<Option<Oid>, GitError> {
        let read = |oid| self.trees.tree(oid);
        let trees = [base.map(read).transpose()?, Some(read(ours)?), Some(read(theirs)?)];
        if depth > DEPTH_MAX || trees.iter().flatten().any(|tree| !tree.is_canonical()) {
            return Ok(None);
        }
        let texts = self.texts;
        self.texts &= !trees.iter().flatten().any(|tree| tree.get(ATTRIBUTES).is_some());
        let names = zip(trees.each_ref().map(|tree| tree.as_deref()));
        let (mut merged, mut gone) = (Vec::new(), Vec::new());
        for sides in names {
            match self.name(sides, depth)? {
                Merging::Is(entry) => merged.push(entry),
                Merging::Gone => gone.extend(sides.iter().flatten().next().map(|entry| entry.name)),
                Merging::Unknown => return Ok(None),
            }
        }
        self.texts = texts;
        // A file of one side may have the name of a directory of the other.
        let Some(tree) = Tree::build(self.trees.repository.format(), &mut merged) else { return Ok(None) };
        // Or have become one.
        if gone.iter().any(|name| tree.get(name).is_some()) {
            return Ok(None);
        }
        let is_side = |side: &Option<Arc<Tree>>| side.as_ref().is_some_and(|side| side.raw() == tree.raw());
        Ok(Some(match () {
            () if is_side(&trees[1]) => ours,
            () if is_side(&trees[2]) => theirs,
            () if depth > 0 && tree.is_empty() => empty_tree(self.trees.repository.format()),
            () if self.only_name => self.trees.repository.format().name_of(Kind::Tree, tree.raw()),
            () => self.objects.add_tree(self.trees.repository.format(), tree),
        }))
    }

    fn name<'t>(&mut self, sides: Sides<'t>, depth: usize) -> Result<Merging<'t>, GitError> {
        let [was, ours, theirs] = sides.map(|side| side.map(|entry| entry.entry()));
        if was == theirs {
            return self.one_sided(OURS, was, sides[1], depth);
        }
        if was == ours {
            return self.one_sided(THEIRS, was, sides[2], depth);
        }
        let both_trees = [ours, theirs].iter().all(|side| side.is_some_and(|side| side.mode == EntryMode::Tree));
        let (Some(ours_entry), Some(theirs_entry)) = (sides[1], sides[2]) else {
            // Deleted by one, changed by the other; or deleted by both.
            let alike = ours.is_none() && theirs.is_none();
            let plain = alike && self.trees.are_plain(was, None, depth, &mut self.deeds[OURS])?;
            self.both_delete |= plain;
            self.deeds[THEIRS].deletes |= plain;
            return Ok(if plain { Merging::Gone } else { Merging::Unknown });
        };
        if both_trees && was.is_none_or(|was| was.mode == EntryMode::Tree) {
            let merged = self.directory(was.map(|was| was.oid), ours_entry.oid, theirs_entry.oid, depth + 1)?;
            return Ok(match merged {
                None => Merging::Unknown,
                Some(oid) if oid == empty_tree(self.trees.repository.format()) => Merging::Gone,
                Some(oid) => Merging::Is(TreeEntry { oid, ..ours_entry }),
            });
        }
        let files = sides.iter().flatten().all(|entry| entry.mode.is_file());
        if ours != theirs
            && let Some(base) = sides[0].filter(|_| files)
        {
            return self.text(base, ours_entry, theirs_entry);
        }
        if !files || ours != theirs {
            return Ok(Merging::Unknown);
        }
        self.both_add |= was.is_none();
        self.deeds.iter_mut().for_each(|deeds| deeds.adds |= was.is_none());
        Ok(Merging::Is(ours_entry))
    }

    /// A file that both sides have changed.
    fn text<'t>(
        &mut self,
        base: TreeEntry<'t>,
        ours: TreeEntry<'t>,
        theirs: TreeEntry<'t>,
    ) -> Result<Merging<'t>, GitError> {
        let repository = self.trees.repository;
        let changed = [ours, theirs].iter().all(|side| side.mode == base.mode && side.oid != base.oid);
        if !self.texts || !changed || !repository.merges_texts_as_git_comes() {
            return Ok(Merging::Unknown);
        }
        let [base, our, their] = [base, ours, theirs].map(|side| self.trees.blob(side.oid));
        let merged = merge_texts(&base?, &our?, &their?);
        Ok(merged.map_or(Merging::Unknown, |text| {
            Merging::Is(TreeEntry { oid: self.objects.add_blob(repository.format(), &text), ..ours })
        }))
    }

    /// A name with which only one side has done something, if at all.
    fn one_sided<'t>(
        &mut self,
        side: usize,
        was: Option<Entry>,
        is: Option<TreeEntry<'t>>,
        depth: usize,
    ) -> Result<Merging<'t>, GitError> {
        let known = side == OURS && self.ours_only_adds;
        let plain = known || self.trees.are_plain(was, is.map(|entry| entry.entry()), depth, &mut self.deeds[side])?;
        Ok(match is {
            _ if !plain => Merging::Unknown,
            Some(entry) => Merging::Is(entry),
            None => Merging::Gone,
        })
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

    /// Whether the way from `before` to `after` only adds and deletes files and changes their content and whether they may
    /// be executed; and which of these.
    fn are_plain(
        &self,
        before: Option<Entry>,
        after: Option<Entry>,
        depth: usize,
        deeds: &mut Deeds,
    ) -> Result<bool, GitError> {
        if before == after {
            return Ok(true);
        }
        let of_mode = |fits: fn(EntryMode) -> bool| [before, after].iter().flatten().all(|entry| fits(entry.mode));
        if of_mode(EntryMode::is_file) {
            deeds.adds |= before.is_none();
            deeds.deletes |= after.is_none();
            deeds.modes |= before.zip(after).is_some_and(|(before, after)| before.mode != after.mode);
            return Ok(true);
        }
        if !of_mode(|mode| mode == EntryMode::Tree) {
            return Ok(false);
        }
        let read = |entry: Option<Entry>| entry.map(|entry| self.tree(entry.oid)).transpose();
        let trees = [read(before)?, read(after)?];
        if depth > DEPTH_MAX || trees.iter().flatten().any(|tree| !tree.is_canonical()) {
            return Ok(false);
        }
        let names = zip([trees[0].as_deref(), trees[1].as_deref(), None]);
        for [before, after, _] in names {
            let entries = [before, after].map(|side| side.map(|entry| entry.entry()));
            // A file that becomes a directory, or the other way round, is two names here.
            let other_kind = before.is_none()
                && after.zip(trees[0].as_ref()).is_some_and(|(new, tree)| tree.get(new.name).is_some());
            if other_kind || !self.are_plain(entries[0], entries[1], depth + 1, deeds)? {
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
