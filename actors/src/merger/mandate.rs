//! A change as it lies before the merger, judged by what binds its author, and the merger by what binds itself.
//!
//! Knows no lane and asks nobody: whoever made the change, with whatever boundary, what counts is the difference that it
//! makes. A file that changes may have been edited or written; a link is judged by where it leads as well.

use crate::rights::{self, TreeGround};
use crate::team::Team;
use baton_policies::{Action, Paths, Policy, Verdict};
use baton_record::event::ActionDenied;
use baton_world::git::{EntryMode, GitError, PathChange, Proposal, Repository};
use std::collections::BTreeMap;

/// Denials that are written down of one change.
const DENIALS_MAX: usize = 64;

/// What the merger's own policy has against landing anything; `None`: nothing.
pub(super) fn own(team: &Team, repository: &Repository, proposal: &Proposal) -> Result<Option<ActionDenied>, GitError> {
    let Some(binding) = team.merger() else { return Ok(None) };
    let verdict = rights::judge(&binding.policy, &Action::Land, (repository, proposal.base_tree))?;
    Ok(rights::denial(&Action::Land, &verdict))
}

/// What the author's policy has against a change, path by path. What waits for a person is among it: whether one has said
/// yes is looked up by whoever asks.
pub(super) fn of_change(
    team: &Team,
    author: &str,
    (repository, proposal): (&Repository, &Proposal),
) -> Result<Vec<(String, ActionDenied)>, GitError> {
    let Some(binding) = team.binding_of_lane(author) else { return Ok(Vec::new()) };
    let mut links = BTreeMap::new();
    for change in &proposal.changed {
        links.insert(change.path.as_str(), link(repository, proposal, change)?);
    }
    let court = Court { policy: &binding.policy, repository, proposal, links };
    let mut denied = Vec::new();
    for change in &proposal.changed {
        if denied.len() >= DENIALS_MAX {
            break;
        }
        if let Some(denial) = court.judge(change)? {
            let number = denied.len() as u32;
            denied.push((change.path.clone(), ActionDenied { number, ..denial }));
        }
    }
    Ok(denied)
}

/// Where a path leads after the change, if the change makes it a link.
fn link(repository: &Repository, proposal: &Proposal, change: &PathChange) -> Result<Option<String>, GitError> {
    let Some(after) = change.after.filter(|after| after.mode == EntryMode::Symlink) else { return Ok(None) };
    let target = repository.proposed_blob(proposal, after.oid)?;
    Ok(Some(String::from_utf8_lossy(&target).into_owned()))
}

struct Court<'a> {
    policy: &'a Policy,
    repository: &'a Repository,
    proposal: &'a Proposal,
    /// Paths that the change touches, and where they lead after it.
    links: BTreeMap<&'a str, Option<String>>,
}

impl Court<'_> {
    fn judge(&self, change: &PathChange) -> Result<Option<ActionDenied>, GitError> {
        let path = change.path.as_str();
        match (change.before, change.after) {
            (_, None) => {
                let action = Action::Delete(path);
                let verdict = rights::judge(self.policy, &action, (self.repository, self.proposal.base_tree))?;
                Ok(rights::denial(&action, &verdict))
            }
            (None, Some(_)) => self.first_allowed(&[Action::Write(path)]),
            (Some(_), Some(_)) => self.first_allowed(&[Action::Edit(path), Action::Write(path)]),
        }
    }

    /// What is said of the first action, unless one of them is allowed, or a person may allow it.
    fn first_allowed(&self, actions: &[Action<'_>]) -> Result<Option<ActionDenied>, GitError> {
        let mut said: Option<ActionDenied> = None;
        for action in actions {
            let verdict = self.after(action)?;
            let Some(denial) = rights::denial(action, &verdict) else { return Ok(None) };
            if said.is_none() || denial.reason == rights::NOT_APPROVED {
                said = Some(denial);
            }
        }
        Ok(said)
    }

    /// The worse verdict of both kinds of disk, on the tree after the change.
    fn after(&self, action: &Action<'_>) -> Result<Verdict, GitError> {
        let mut worst: Option<Verdict> = None;
        for folds in [false, true] {
            let ground =
                After { base: TreeGround::new(self.repository, self.proposal.base_tree, folds), links: &self.links };
            let verdict = self.policy.judge(action, &ground);
            ground.base.end()?;
            if worst.as_ref().is_none_or(|worst| rights::weight(&verdict) > rights::weight(worst)) {
                worst = Some(verdict);
            }
        }
        Ok(worst.expect("two verdicts were given"))
    }
}

/// The tree that a change was made from, with the links that it makes and without those that it takes away.
struct After<'a> {
    base: TreeGround<'a>,
    links: &'a BTreeMap<&'a str, Option<String>>,
}

impl Paths for After<'_> {
    fn root(&self) -> &str {
        self.base.root()
    }

    fn link(&self, path: &str) -> Option<String> {
        let like = || self.links.iter().find(|(changed, _)| baton_policies::same_name(changed, path)).map(|(_, to)| to);
        let changed = self.links.get(path).or_else(|| self.ignores_case().then(like).flatten());
        match changed {
            Some(target) => target.clone(),
            None => self.base.link(path),
        }
    }

    fn ignores_case(&self) -> bool {
        self.base.ignores_case()
    }
}
