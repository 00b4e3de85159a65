//! The tool boundary of a scripted lane: every action is judged here before it happens, and what is denied does not happen.
//!
//! Owns which actions were denied while a change was made. Knows no script; what the rules say is known by the policy. A
//! lane that nothing binds, or that ignores what binds it, passes as if there were no boundary.

use crate::rights::{self, Binding};
use baton_policies::Action;
use baton_record::Oid;
use baton_record::event::ActionDenied;
use baton_world::git::{GitError, Repository};

/// What a lane's actions pass.
pub(super) struct Boundary<'a> {
    binding: Option<&'a Binding>,
    /// Where paths are resolved.
    pub(super) repository: &'a Repository,
    pub(super) tree: Oid,
    /// Denied before, while the same change was made.
    before: u32,
    /// Denied here.
    pub(super) noted: Vec<ActionDenied>,
}

impl<'a> Boundary<'a> {
    /// A boundary that judges by what binds the lane; `None`: it looks away.
    pub(super) fn new(binding: Option<&'a Binding>, ground: (&'a Repository, Oid), before: u32) -> Boundary<'a> {
        let (repository, tree) = ground;
        Boundary { binding, repository, tree, before, noted: Vec::new() }
    }

    /// Whether the action may happen. An error is the repository's.
    pub(super) fn lets(&mut self, action: &Action<'_>) -> Result<bool, GitError> {
        let Some(binding) = self.binding else { return Ok(true) };
        let verdict = rights::judge(&binding.policy, action, (self.repository, self.tree))?;
        let Some(denial) = rights::denial(action, &verdict) else { return Ok(true) };
        let number = self.denied();
        self.noted.push(ActionDenied { number, ..denial });
        Ok(false)
    }

    /// Whether anything can be denied here.
    pub(super) fn judges(&self) -> bool {
        self.binding.is_some()
    }

    /// How many actions were denied so far.
    pub(super) fn denied(&self) -> u32 {
        self.before + self.noted.len() as u32
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
