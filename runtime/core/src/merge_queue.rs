//! The merge queue: which change is tried next, and what became of every change.
//!
//! One at a time, in the order of submission; a change that waits may be withdrawn when its lane dies. The same change submitted twice is answered by its first result. Knows
//! nothing of trees and refs: whether a change merges is found out elsewhere and told.

use crate::fact::Refusal;
use baton_record::event::RefuseReason;
use baton_record::{ChangeId, Event};
use std::collections::{BTreeMap, VecDeque};

/// All changes that the merger has seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MergeQueue {
    waiting: VecDeque<ChangeId>,
    outcomes: BTreeMap<ChangeId, Outcome>,
    /// The change whose landing is intended and not yet known to have happened.
    intended: Option<ChangeId>,
    /// A change that came after its attempt was closed, until its refusal stands behind it.
    late: Option<ChangeId>,
    landed: u64,
    refused: u64,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It waits or is being tried.
    Pending,
    /// It is on main.
    Landed,
    /// It is not and will not be.
    Refused(RefuseReason),
    /// Its attempt was closed before it arrived: it is not on main and will not be.
    Closed,
}

impl MergeQueue {
    /// Whether a change may join the queue. One that comes after its attempt was closed is [`Refusal::Stale`]: it is written
    /// down and refused in one breath.
    pub fn admit(&self, change: ChangeId, depth_max: usize) -> Result<(), Refusal> {
        match self.outcomes.get(&change) {
            Some(Outcome::Pending) => Err(Refusal::Waiting),
            Some(Outcome::Closed) => Err(Refusal::Stale),
            Some(_) => Err(Refusal::Repeated),
            None if self.waiting.len() >= depth_max => Err(Refusal::Full),
            None => Ok(()),
        }
    }

    /// The change to try now.
    pub fn next(&self) -> Option<ChangeId> {
        self.waiting.front().copied()
    }

    /// What became of a change, if it was ever submitted.
    pub fn outcome(&self, change: ChangeId) -> Option<Outcome> {
        self.outcomes.get(&change).copied()
    }

    /// Takes a fact about changes into the state; any other fact changes nothing.
    pub fn apply(&mut self, event: &Event) {
        let late = self.late.take();
        let answered = |late| matches!(event, Event::ChangeRefused(refused) if refused.change == late);
        assert!(late.is_none_or(answered), "what comes too late is refused in one breath");
        match event {
            Event::ChangeSubmitted(submitted) => {
                let former = self.outcomes.insert(submitted.change, Outcome::Pending);
                assert!(matches!(former, None | Some(Outcome::Closed)), "a change is submitted once");
                self.late = former.map(|_| submitted.change);
                self.waiting.push_back(submitted.change);
            }
            Event::ChangeIntended(intended) => {
                assert!(self.waiting.contains(&intended.change), "only a change in the queue can be intended");
                self.intended = Some(intended.change);
            }
            Event::ChangeLanded(landed) => {
                assert_eq!(self.intended, Some(landed.change), "a landing is intended first");
                self.settle(landed.change, Outcome::Landed);
                self.landed += 1;
            }
            Event::ChangeWithdrawn(withdrawn) => {
                let former = self.outcomes.insert(withdrawn.change, Outcome::Closed);
                assert_eq!(former, None, "only an attempt that never arrived is closed without a refusal");
            }
            Event::ChangeRefused(refused) => {
                self.settle(refused.change, Outcome::Refused(refused.reason));
                self.refused += 1;
            }
            _ => {}
        }
    }

    fn settle(&mut self, change: ChangeId, outcome: Outcome) {
        let at = self.waiting.iter().position(|waiting| *waiting == change);
        self.waiting.remove(at.expect("only a change in the queue is settled"));
        if self.intended == Some(change) {
            self.intended = None;
        }
        self.outcomes.insert(change, outcome);
    }

    /// The change whose landing is intended and not yet known to have happened.
    pub fn intended(&self) -> Option<ChangeId> {
        self.intended
    }

    /// Changes that wait or are being tried.
    pub fn waiting(&self) -> impl Iterator<Item = ChangeId> {
        self.waiting.iter().copied()
    }

    /// Changes on main.
    pub fn landed(&self) -> u64 {
        self.landed
    }

    /// Changes refused.
    pub fn refused(&self) -> u64 {
        self.refused
    }
}
