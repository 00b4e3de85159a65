//! The merge queue: which changes are tried next, and what became of every change.
//!
//! In the order of submission, in rows that land with one move of main; a change that waits may be withdrawn when its lane
//! dies. The same change submitted twice is answered by its first result. Knows nothing of trees and refs: whether a change
//! merges is found out elsewhere and told.

use crate::fact::Refusal;
use baton_record::event::RefuseReason;
use baton_record::{ChangeId, Event};
use std::collections::{BTreeMap, VecDeque};

/// All changes that the merger has seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MergeQueue {
    waiting: VecDeque<ChangeId>,
    outcomes: BTreeMap<ChangeId, Outcome>,
    /// The row whose landing is intended and not yet known to have happened, in its order.
    intended: VecDeque<ChangeId>,
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
                match intended.behind {
                    // Whatever was intended before has come to nothing.
                    None => self.intended.clear(),
                    Some(before) => assert_eq!(self.intended.back(), Some(&before), "a row is intended in its order"),
                }
                assert!(!self.intended.contains(&intended.change), "a change stands in a row once");
                self.intended.push_back(intended.change);
            }
            Event::ChangeLanded(landed) => {
                assert_eq!(self.intended.pop_front(), Some(landed.change), "a landing is intended first");
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
        // Of a row that one of its changes has left, nothing lands.
        if self.intended.contains(&change) {
            self.intended.clear();
        }
        self.outcomes.insert(change, outcome);
    }

    /// The row whose landing is intended and not yet known to have happened, in its order.
    pub fn intended(&self) -> impl Iterator<Item = ChangeId> {
        self.intended.iter().copied()
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
