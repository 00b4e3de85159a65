//! Who comes to the merger and who goes: changes are admitted once, and told what is known of them whenever they ask;
//! attempts are closed when their lane has died or their task goes to another.
//!
//! Knows no merge and no gate.

use super::row::{Current, Passage};
use super::{Merger, Quiesce, Submission, Withdraw, prepare};
use crate::supervisor::Settled;
use actix::Context;
use baton_core::board::Settled as Outcome;
use baton_core::merge_queue::Outcome as Known;
use baton_core::{Fact, Refusal};
use baton_record::event::{AskRepeated, ChangeRefused, ChangeWithdrawn, RefuseReason, RepeatAnswered};
use baton_record::{ChangeId, Event, FaultId, LaneId};
use prepare::Footing;

impl Merger {
    /// Takes a submission from the work queue, and whatever waits there behind it.
    pub(super) fn admit(&mut self, submission: Submission, ctx: &mut Context<Merger>) {
        self.take(submission);
        self.try_next(ctx);
    }

    /// Takes what waits in the work queue, as far as it may be tried together.
    pub(super) fn take_waiting(&mut self) {
        while self.payloads.len() < self.limit.now() as usize && self.may_begin() {
            let Ok(submission) = self.work.try_recv() else { return };
            self.take(submission);
        }
    }

    fn take(&mut self, submission: Submission) {
        let (change, lane, fault) = (submission.change(), submission.lane, submission.fault);
        match self.state.admit(change, usize::MAX) {
            Ok(()) => {
                let event = Event::ChangeSubmitted((*submission.submitted).clone());
                self.authors.insert(change, self.author_of(lane, &submission.submitted));
                self.note_packet(&submission.submitted);
                self.payloads.insert(change, submission);
                self.owners.insert(change, lane);
                self.commit(vec![Fact::of(lane, change.task(), event)], || {});
            }
            Err(Refusal::Waiting) => {
                let again = AskRepeated { ask: submission.ask, fault };
                self.note(lane, fault, Event::AskRepeated(again));
                self.payloads.insert(change, submission);
            }
            Err(Refusal::Stale) => self.refuse_late(&submission),
            Err(_) => {
                let repeat = RepeatAnswered { ask: submission.ask, fault };
                self.note(lane, fault, Event::RepeatAnswered(repeat));
                self.tell_again((lane, submission.ask), change, fault);
            }
        }
    }

    /// A change that comes after its attempt was closed competes with whoever has its task now. It is refused, and that is
    /// written down.
    fn refuse_late(&mut self, submission: &Submission) {
        let (change, lane, ask) = (submission.change(), submission.lane, submission.ask);
        let main = Footing::main(&self.ground, self.head, self.authorship.clone());
        let (reason, paths) = match main.and_then(|main| prepare::superseded(&self.ground, &main, submission)) {
            Ok(Some(path)) => (RefuseReason::Superseded, vec![path]),
            Ok(None) => (RefuseReason::Withdrawn, Vec::new()),
            Err(error) => return self.give_up(error),
        };
        let fault = submission.fault.or_else(|| self.ground.chaos.cause(lane));
        let submitted = Event::ChangeSubmitted((*submission.submitted).clone());
        let refused =
            Event::ChangeRefused(ChangeRefused { change, reason, paths, undoes: Vec::new(), report: None, fault });
        let facts = [submitted, refused].map(|event| Fact::of(lane, change.task(), event));
        let supervisor = self.directory().supervisor().clone();
        let word = Settled { lane, ask, change, outcome: Outcome::Refused, because: None, fault };
        self.commit(facts.into(), move || supervisor.do_send(word));
    }

    fn note(&mut self, lane: LaneId, fault: Option<FaultId>, event: Event) {
        if fault.is_some() {
            self.commit(vec![Fact::of_lane(lane, event)], || {});
        }
    }

    fn known_outcome(&self, change: ChangeId) -> Outcome {
        match self.state.outcome(change) {
            Some(Known::Landed) => Outcome::Landed,
            Some(Known::Refused(RefuseReason::Withdrawn) | Known::Closed) | None => Outcome::Withdrawn,
            Some(Known::Refused(_)) => Outcome::Refused,
            Some(Known::Pending) => unreachable!("a pending change has no outcome yet"),
        }
    }

    /// Answers a submission, or the question after an attempt, that was settled before.
    fn tell_again(&self, asked: (LaneId, u32), change: ChangeId, fault: Option<FaultId>) {
        let ((lane, ask), outcome) = (asked, self.known_outcome(change));
        let because = self.because(change);
        self.directory().supervisor().do_send(Settled { lane, ask, change, outcome, because, fault });
    }

    pub(super) fn on_withdraw(&mut self, withdraw: Withdraw, ctx: &mut Context<Merger>) {
        let Withdraw { lane, change, fault } = withdraw;
        match self.state.outcome(change) {
            None => {
                let event = Event::ChangeWithdrawn(ChangeWithdrawn { change, fault });
                let supervisor = self.directory().supervisor().clone();
                let (outcome, because) = (Outcome::Withdrawn, None);
                let word = Settled { lane, ask: 0, change, outcome, because, fault };
                self.commit(vec![Fact::of(lane, change.task(), event)], move || supervisor.do_send(word));
            }
            Some(Known::Pending) => self.withdraw_pending(change, fault, ctx),
            Some(_) => self.tell_again((lane, 0), change, fault),
        }
    }

    /// A change whose landing is intended lands or not, and is told as that; any other is refused now, and what was merged on
    /// top of it is tried another time.
    fn withdraw_pending(&mut self, change: ChangeId, fault: Option<FaultId>, ctx: &mut Context<Merger>) {
        match &mut self.current {
            Some(Current::Moving(Passage { row, .. })) if row.place_of(change).is_some() => return,
            Some(Current::Trying(changes)) if changes.contains(&change) => self.drop_row(),
            Some(Current::Gating(row) | Current::Green(row) | Current::Moving(Passage { row, .. })) => {
                match row.place_of(change) {
                    Some(0) => self.drop_row(),
                    Some(at) => row.cut(at),
                    None => drop(row.culprit.take_if(|(culprit, _)| *culprit == change)),
                }
            }
            _ => {}
        }
        let (reason, paths, undoes) = (RefuseReason::Withdrawn, Vec::new(), Vec::new());
        let event = Event::ChangeRefused(ChangeRefused { change, reason, paths, undoes, report: None, fault });
        self.settle(change, event, Outcome::Withdrawn, fault);
        self.weigh(ctx);
        self.try_next(ctx);
    }

    pub(super) fn on_quiesce(&mut self, quiesce: Quiesce, _: &mut Context<Merger>) {
        tracing::debug!(reason = ?quiesce.reason, "the merger comes to rest");
        self.quiescing = true;
    }
}
