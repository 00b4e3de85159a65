//! Changes that land together: each is merged into main as the ones before it leave it and has a commit of its own, but all
//! are stored as one pack, and main moves once.
//!
//! Nothing of a group is in the repository before [`Repository::land_group`]; until then it lives and dies with its value.
//! Who lands one by one pays for a pack and for a move of main with each change, on a durable repository with several waits
//! for the disk; a group pays once. Knows nothing of gates: what has to hold of each tree is the caller's to find out.

use super::advance::Step;
use super::error::GitError;
use super::merge::{self, Merged, Ours};
use super::object::Objects;
use super::propose;
use super::{CleanMerge, CommitMeta, Landing, Proposal, Repository, hold};
use baton_record::Oid;

/// Landings on top of each other, in memory.
#[derive(Clone, Debug)]
pub struct Group {
    main: Oid,
    head: Oid,
    tree: Oid,
    objects: Objects,
    /// The way that main will go.
    steps: Vec<Step>,
}

impl Group {
    /// Where main was when the group was begun.
    pub fn main(&self) -> Oid {
        self.main
    }

    /// Where main will be: the commit that the next change is merged into.
    pub fn head(&self) -> Oid {
        self.head
    }

    /// Tree of [`Group::head`].
    pub fn tree(&self) -> Oid {
        self.tree
    }

    /// All that has to be stored before main may move.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How many changes have been added.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether nothing has been added.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl Repository {
    /// Begins a group on top of `main`, a commit of the repository.
    pub fn group(&self, main: Oid) -> Result<Group, GitError> {
        let tree = self.commit(main)?.tree;
        Ok(Group { main, head: main, tree, objects: Objects::default(), steps: Vec::new() })
    }

    /// Merges a proposal into the head of a group, as [`Repository::merge`] merges one into main. The group stays as it
    /// is. The proposal's base is a commit of the repository or one of the group.
    pub fn merge_into(&self, group: &Group, proposal: &Proposal) -> Result<Merged, GitError> {
        let from_main = hold(&self.lineage).only_adds(proposal.base, group.main);
        let only_adds = from_main && group.steps.iter().all(|(_, only_adds)| *only_adds);
        let pending = Some(&group.objects);
        merge::merge_into(self, Ours { commit: group.head, tree: group.tree, only_adds, pending }, proposal)
    }

    /// Adds a change to a group: `merged` is the answer for the proposal and the group as it is. Gives the merge commit
    /// that lands it.
    pub fn add_to(
        &self,
        group: &mut Group,
        proposal: &Proposal,
        merged: &CleanMerge,
        meta: &CommitMeta,
    ) -> Result<Oid, GitError> {
        group.objects.extend(&proposal.objects);
        group.objects.extend(&merged.objects);
        let only_adds = merged.only_adds || merge::only_adds(self, Some(&group.objects), (group.tree, merged.tree))?;
        let commit = propose::landing_commit(self.format, group.head, (proposal, merged), meta, &mut group.objects);
        group.steps.push((commit, only_adds));
        (group.head, group.tree) = (commit, merged.tree);
        Ok(commit)
    }

    /// The landing of a change as the next of a group, to be looked into before it is added: its objects are those of the
    /// group as well. `merged` is the answer for the proposal and the group as it is.
    pub fn landing_in(&self, group: &Group, proposal: &Proposal, merged: &CleanMerge, meta: &CommitMeta) -> Landing {
        let mut objects = group.objects.clone();
        objects.extend(&proposal.objects);
        objects.extend(&merged.objects);
        let commit = propose::landing_commit(self.format, group.head, (proposal, merged), meta, &mut objects);
        Landing { commit, tree: merged.tree, objects }
    }

    /// Adds a landing to the group that it was made in.
    pub fn append(&self, group: &mut Group, merged: &CleanMerge, landing: Landing) -> Result<(), GitError> {
        let Landing { commit, tree, objects } = landing;
        let only_adds = merged.only_adds || merge::only_adds(self, Some(&objects), (group.tree, tree))?;
        group.steps.push((commit, only_adds));
        (group.head, group.tree, group.objects) = (commit, tree, objects);
        Ok(())
    }
}
