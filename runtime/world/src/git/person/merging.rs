//! Merging two commits of a person's repository: in process where git's answer is known, by git everywhere else.
//!
//! Git merges with the person's configuration and with the attributes of our side, as it would in a checkout of it, and with
//! all merge bases of a history that has several.

use super::Scratch;
use crate::git::command::{failed, output};
use crate::git::conflict::{Conflict, Refusal};
use crate::git::error::GitError;
use crate::git::merge;
use crate::git::quarantine::{ABORTED, BROKEN_OFF};
use baton_record::Oid;
use baton_record::event::Verdict;
use std::os::unix::process::ExitStatusExt;

/// Where two branches part is looked for in so many commits; reading more takes longer than asking git, which has an index.
pub(super) const COMMITS_MAX: usize = 2000;

/// The answer to a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joined {
    /// It merges to this tree, which lies aside.
    Clean {
        /// The tree.
        tree: Oid,
        /// How it was made.
        by: Verdict,
    },
    /// It does not.
    Conflicts(Vec<Conflict>),
    /// The two have no history in common.
    Unrelated,
}

impl Scratch<'_> {
    /// Merges `theirs` into `ours`; either may lie aside.
    pub fn merge(&self, ours: Oid, theirs: Oid) -> Result<Joined, GitError> {
        self.merge_with(&self.merge_bases(ours, theirs)?, ours, theirs)
    }

    /// The same, where all best common ancestors are known.
    pub fn merge_with(&self, bases: &[Oid], ours: Oid, theirs: Oid) -> Result<Joined, GitError> {
        if bases.is_empty() {
            return Ok(Joined::Unrelated);
        }
        if let [base] = *bases
            && let Some(merged) = merge::walk_commits(&self.visited, base, ours, theirs)?
        {
            self.visited.store(&merged.objects)?;
            return Ok(Joined::Clean { tree: merged.tree, by: merged.verdict });
        }
        self.merge_by_git(ours, theirs)
    }

    /// All best common ancestors.
    pub fn merge_bases(&self, ours: Oid, theirs: Oid) -> Result<Vec<Oid>, GitError> {
        if !self.has_grafts()
            && let Some(bases) = self.visited.merge_bases(ours, theirs, COMMITS_MAX)?
        {
            return Ok(bases);
        }
        let mut command = self.command();
        let said = output(command.args(["merge-base", "--all", &ours.to_hex(), &theirs.to_hex()]))?;
        match said.status.code() {
            Some(0) => Ok(String::from_utf8_lossy(&said.stdout).lines().filter_map(Oid::from_hex).collect()),
            Some(1) => Ok(Vec::new()),
            _ => Err(failed("find where two branches part", &said)),
        }
    }

    /// Merges with a base of the caller's choice.
    pub fn merge_on(&self, base: Oid, ours: Oid, theirs: Oid) -> Result<Joined, GitError> {
        match merge::walk_commits(&self.visited, base, ours, theirs)? {
            Some(merged) => {
                self.visited.store(&merged.objects)?;
                Ok(Joined::Clean { tree: merged.tree, by: merged.verdict })
            }
            None => self.ask_git(Some(base), ours, theirs),
        }
    }

    /// Who has written parents into a file instead of commits has a git that knows them.
    pub(super) fn has_grafts(&self) -> bool {
        self.repository.common_directory().join("info/grafts").exists()
    }

    /// Merges by git alone, whatever the walk could say.
    pub fn merge_by_git(&self, ours: Oid, theirs: Oid) -> Result<Joined, GitError> {
        self.ask_git(None, ours, theirs)
    }

    pub(super) fn ask_git(&self, base: Option<Oid>, ours: Oid, theirs: Oid) -> Result<Joined, GitError> {
        let mut command = self.command();
        command.arg(format!("--attr-source={ours}"));
        command.args(["merge-tree", "--write-tree", "-z", "--messages", "--allow-unrelated-histories"]);
        command.args(base.map(|base| format!("--merge-base={base}")));
        let said = output(command.args([ours.to_hex(), theirs.to_hex()]))?;
        let tree = said.stdout.split(|&byte| byte == 0).next().and_then(|hex| std::str::from_utf8(hex).ok());
        let tree = tree.and_then(|hex| Oid::from_hex(hex.trim_end()));
        match (said.status.code(), tree) {
            (Some(0), Some(tree)) => Ok(Joined::Clean { tree, by: Verdict::Git }),
            (Some(1), Some(tree)) => {
                let refusal = Refusal::read(&mut said.stdout.split(|&byte| byte == 0).skip(1));
                Ok(Joined::Conflicts(self.with_hunks(&refusal, tree, (ours, theirs))))
            }
            _ if said.status.signal() == Some(ABORTED) => {
                Ok(Joined::Conflicts(vec![Conflict::of(String::new(), BROKEN_OFF)]))
            }
            _ => Err(failed(&format!("merge {theirs} into {ours}"), &said)),
        }
    }

    /// What git refuses, with the places of each path that it has marked in its tree.
    pub(super) fn with_hunks(&self, refusal: &Refusal, tree: Oid, sides: (Oid, Oid)) -> Vec<Conflict> {
        let file = |tree, path: &str| {
            let found = self.visited.entry(tree, path).ok().flatten().filter(|entry| entry.mode.is_file());
            found.and_then(|entry| self.visited.blob(entry.oid).ok())
        };
        let own = |commit, path: &str| file(self.visited.commit(commit).ok()?.tree, path);
        refusal.places_in(sides, &|path| file(tree, path), &own)
    }
}
