//! Commits in memory: a change as its lane proposes it, and its landing as the merger makes it.

use super::Repository;
use super::commit::CommitMeta;
use super::edit::{self, Edit, PathChange};
use super::error::GitError;
use super::merge::CleanMerge;
use super::object::{ObjectFormat, Objects};
use baton_record::Oid;

/// A change, complete and in memory: nothing of it is in the repository before it lands.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The commit that it was made from; the one parent of `commit`.
    pub base: Oid,
    /// Tree of `base`.
    pub base_tree: Oid,
    /// The commit that proposes it.
    pub commit: Oid,
    /// Tree of `commit`.
    pub tree: Oid,
    /// All that the repository has to store for it.
    pub objects: Objects,
    /// What it does, sorted by path; edits that leave a path as it was are not among them.
    pub changed: Vec<PathChange>,
}

/// A merge commit, complete and in memory.
#[derive(Clone, Debug)]
pub struct Landing {
    /// The merge commit: parents are main and the proposal's commit, in this order.
    pub commit: Oid,
    /// Its tree.
    pub tree: Oid,
    /// All that the repository has to store before main may move: the proposal's objects, the merge's, the commit.
    pub objects: Objects,
}

pub(super) fn propose(
    repository: &Repository,
    base: Oid,
    edits: &[Edit],
    meta: &CommitMeta,
) -> Result<Proposal, GitError> {
    let base_tree = repository.commit(base)?.tree;
    let mut objects = Objects::default();
    let (tree, changed) = edit::apply(repository, Some(base_tree), edits, &mut objects)?;
    let (raw, commit) = meta.commit(tree, &[base]);
    let commit = objects.add_commit(repository.format(), &raw, commit);
    Ok(Proposal { base, base_tree, commit, tree, objects, changed })
}

/// A commit without parents, and all that has to be stored for it.
pub(super) fn first(repository: &Repository, edits: &[Edit], meta: &CommitMeta) -> Result<(Oid, Objects), GitError> {
    let mut objects = Objects::default();
    let (tree, _) = edit::apply(repository, None, edits, &mut objects)?;
    let (raw, commit) = meta.commit(tree, &[]);
    let commit = objects.add_commit(repository.format(), &raw, commit);
    Ok((commit, objects))
}

pub(super) fn land(
    format: ObjectFormat,
    main: Oid,
    proposal: &Proposal,
    merged: &CleanMerge,
    meta: &CommitMeta,
) -> Landing {
    let mut objects = proposal.objects.clone();
    objects.extend(&merged.objects);
    let commit = landing_commit(format, main, (proposal, merged), meta, &mut objects);
    Landing { commit, tree: merged.tree, objects }
}

/// Adds the merge commit that lands a proposal on `main` to `objects`.
pub(super) fn landing_commit(
    format: ObjectFormat,
    main: Oid,
    (proposal, merged): (&Proposal, &CleanMerge),
    meta: &CommitMeta,
    objects: &mut Objects,
) -> Oid {
    let (raw, commit) = meta.commit(merged.tree, &[main, proposal.commit]);
    objects.add_commit(format, &raw, commit)
}
