//! The tool boundary of a scripted lane: every action is judged here before it happens, and what is denied does not happen.
//!
//! Owns which actions were denied while a change was made, and which could not be done. Knows no script; what the rules say is known by the policy. A
//! lane that nothing binds, or that ignores what binds it, passes as if there were no boundary.

use crate::rights::{self, Binding};
use baton_policies::{Action, Decision};
use baton_record::event::{ActionDenied, ActionFailed, FailedReason};
use baton_record::{Event, Oid};
use baton_world::git::{GitError, Repository};

/// What a lane's actions pass.
pub(super) struct Boundary<'a> {
    binding: Option<&'a Binding>,
    /// Where paths are resolved.
    pub(super) repository: &'a Repository,
    pub(super) tree: Oid,
    /// What did not happen while the same change was made, here and before.
    pub(super) undone: Undone,
    /// What did not happen here, as it is written down.
    pub(super) noted: Vec<Event>,
    /// Whether a person can be asked; else what waits for one is denied.
    asks_people: bool,
    /// What is done as far as a person lets it.
    pub(super) left_to_people: Vec<LeftToPeople>,
}

/// How many actions did not happen while a change was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Undone {
    /// Because the role may not.
    pub(crate) denied: u32,
    /// Because they could not be done.
    pub(crate) failed: u32,
}

/// An action that the role's policy leaves to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeftToPeople {
    /// The action and its rule, in words.
    pub(super) what: String,
    /// The path that it changes, if it changes one.
    pub(super) path: Option<String>,
}

impl<'a> Boundary<'a> {
    /// A boundary that judges by what binds the lane; `None`: it looks away.
    pub(super) fn new(binding: Option<&'a Binding>, ground: (&'a Repository, Oid), undone: Undone) -> Boundary<'a> {
        let (repository, tree) = ground;
        let (noted, left_to_people) = (Vec::new(), Vec::new());
        Boundary { binding, repository, tree, undone, noted, asks_people: false, left_to_people }
    }

    /// The same, where what waits for a person is done on the condition that one says yes.
    pub(super) fn asking(self, asks_people: bool) -> Boundary<'a> {
        Boundary { asks_people, ..self }
    }

    /// Whether the action may happen. An error is the repository's.
    pub(super) fn lets(&mut self, action: &Action<'_>) -> Result<bool, GitError> {
        let Some(binding) = self.binding else { return Ok(true) };
        let verdict = rights::judge(&binding.policy, action, (self.repository, self.tree))?;
        let Some(denial) = rights::denial(action, &verdict) else { return Ok(true) };
        if verdict.decision == Decision::NeedsApproval && self.asks_people {
            let what = format!("{}({}) by rule {}", denial.tool, denial.part, denial.rule.unwrap_or_default());
            let changes = matches!(action, Action::Write(_) | Action::Edit(_) | Action::Delete(_));
            self.left_to_people.push(LeftToPeople { what, path: changes.then_some(verdict.part) });
            return Ok(true);
        }
        let number = self.undone.denied;
        self.undone.denied += 1;
        self.noted.push(Event::ActionDenied(ActionDenied { number, ..denial }));
        Ok(false)
    }

    /// What the role may do, and what cannot be done; the rest of the change goes on.
    pub(super) fn fails(&mut self, action: &Action<'_>, reason: FailedReason) {
        let number = self.undone.failed;
        self.undone.failed += 1;
        let (tool, part) = rights::shown(action);
        self.noted.push(Event::ActionFailed(ActionFailed { tool, part, reason, number }));
    }

    /// Whether anything can be denied here.
    pub(super) fn judges(&self) -> bool {
        self.binding.is_some()
    }

    /// Whether each of the actions may happen; every one that may not is noted.
    pub(super) fn lets_all(&mut self, actions: &[Action<'_>]) -> Result<bool, GitError> {
        let mut all = true;
        for action in actions {
            all &= self.lets(action)?;
        }
        Ok(all)
    }

    /// Where a path leads in the tree, if it leads anywhere in it.
    pub(super) fn leads(&self, path: &str) -> Result<Option<baton_policies::Lead>, GitError> {
        rights::leads(path, (self.repository, self.tree))
    }
}
