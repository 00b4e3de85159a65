//! One change's way to main: admitted, tried, gated, intended, moved, told.

use super::prepare::{Ready, Try, Verdict};
use super::{GateEnded, Intended, MainMoved, Merger, Prepared, Quiesce, Submission, Withdraw, prepare};
use crate::credit::{By, commit_meta};
use crate::supervisor::Settled;
use actix::{AsyncContext, Context};
use baton_core::board::Settled as Outcome;
use baton_core::merge_queue::Outcome as Known;
use baton_core::{Fact, Refusal};
use baton_record::event::{ActionDenied, AskRepeated, ChangeIntended, ChangeLanded, ChangeRefused, ChangeWithdrawn};
use baton_record::event::{GateFailed, GatePassed, OverrideRecorded, RefuseReason, RepeatAnswered};
use baton_record::{ChangeId, Event, FaultId, LaneId, Oid};
use std::time::Duration;

/// The change that is being tried.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) change: ChangeId,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// It is being merged.
    Trying,
    /// It is tried again when the desk is free.
    PutBack,
    /// Gates speak one after another; this many have.
    Gating(Box<Ready>, usize),
    /// All gates are green; it waits for the desk, or for the end of a pause.
    Green(Box<Ready>),
    /// The intention is written, or main is being moved.
    Moving(Box<Ready>),
}

impl Merger {
    /// Takes a submission from the work queue.
    pub(super) fn admit(&mut self, submission: Submission, ctx: &mut Context<Merger>) {
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
        self.try_next(ctx);
    }

    /// A change that comes after its attempt was closed competes with whoever has its task now. It is refused, and that is
    /// written down.
    fn refuse_late(&mut self, submission: &Submission) {
        let (change, lane, ask) = (submission.change(), submission.lane, submission.ask);
        let (reason, paths) = match prepare::superseded(&self.ground, self.head, submission) {
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

    /// Tries the first change in the queue whose payload is at hand.
    pub(super) fn try_next(&mut self, ctx: &mut Context<Merger>) {
        if self.current.is_some() || !self.may_begin() {
            return;
        }
        let next = self.state.waiting().find(|change| self.payloads.contains_key(change));
        if let Some(change) = next {
            self.try_change(change, ctx);
        }
    }

    fn try_change(&mut self, change: ChangeId, ctx: &mut Context<Merger>) {
        self.current = Some(Current { change, stage: Stage::Trying });
        self.turn += 1;
        let turn = self.turn;
        let submission = self.payloads[&change].clone();
        let fence = submission.submitted.fence;
        let time_s = self.ground.team.start_s + (self.ground.clock.now_us() / 1_000_000) as i64;
        let spec = self.directory().roster().spec(submission.lane);
        let by = By::of(&spec.name, submission.submitted.author.as_deref());
        let meta = commit_meta(&self.ground.team, change, by, (fence, time_s));
        let base_at = self.heads.get(&submission.submitted.base).copied();
        let holds = submission.submitted.lease.and_then(|lease| self.leases.get(&lease).cloned());
        let author = self.author_of(submission.lane, &submission.submitted);
        let attempt = Try {
            ground: self.ground.clone(),
            submission,
            meta,
            head: self.head,
            base_at,
            holds,
            author,
            authorship: self.authorship.clone(),
            packets: self.packets.clone(),
            grants: self.consent.grants(change.task()).to_vec(),
            order: self.consent.order_for(change),
        };
        self.off_the_actor(ctx, move || Prepared { turn, verdict: attempt.run() });
    }

    pub(super) fn on_prepared(&mut self, prepared: Prepared, ctx: &mut Context<Merger>) {
        if prepared.turn != self.turn || self.current.is_none() {
            return;
        }
        match prepared.verdict {
            Verdict::Foreign { found } => self.meet_foreign(found),
            // The newer fence stands already and its record does not: the change is looked at again behind it.
            Verdict::Refuse { reason: RefuseReason::StaleFence, .. } if self.desk.busy() => self.put_back(),
            Verdict::Refuse { reason, paths, report } => self.refuse_told(reason, (paths, report), ctx),
            Verdict::Denied { paths, denied } => self.deny(paths, denied, ctx),
            Verdict::Unapproved(undone) => self.refuse_unapproved(undone, ctx),
            Verdict::Trouble(failure) => self.fail(failure),
            Verdict::Ready(ready) => self.gate(ready, 0, ctx),
        }
    }

    /// The change is tried again when the desk is free.
    fn put_back(&mut self) {
        if let Some(current) = &mut self.current {
            current.stage = Stage::PutBack;
        }
    }

    /// Tries a change again that was put back, or the next one.
    pub(super) fn try_again(&mut self, ctx: &mut Context<Merger>) {
        match self.current {
            Some(Current { change, stage: Stage::PutBack }) if self.may_begin() => self.try_change(change, ctx),
            _ => self.try_next(ctx),
        }
    }

    /// Waits for the gate at `place`, or goes on when all have spoken.
    fn gate(&mut self, ready: Box<Ready>, place: usize, ctx: &mut Context<Merger>) {
        let after_us = ready.gates.get(place).map(|gate| gate.after_us);
        let current = self.current.as_mut().expect("a change is being tried");
        match after_us {
            Some(after_us) => {
                current.stage = Stage::Gating(ready, place);
                ctx.notify_later(GateEnded { turn: self.turn }, Duration::from_micros(after_us));
            }
            None => {
                current.stage = Stage::Green(ready);
                self.serve_desk(ctx);
            }
        }
    }

    pub(super) fn on_gate_ended(&mut self, ended: GateEnded, ctx: &mut Context<Merger>) {
        if ended.turn != self.turn {
            return;
        }
        let Some(Current { change, stage: Stage::Gating(ready, place) }) = self.current.take() else { return };
        self.current = Some(Current { change, stage: Stage::Trying });
        let (gate, tree) = (ready.gates[place].gate.clone(), ready.landing.tree);
        let lane = self.payloads[&change].lane;
        match ready.gates[place].refused.clone() {
            Some(detail) => {
                let failed = Event::GateFailed(GateFailed { gate: gate.clone(), tree, detail });
                let mut facts = vec![Fact::of(lane, change.task(), failed)];
                let Some(order) = ready.order.clone() else {
                    self.commit(facts, || {});
                    return self.refuse(RefuseReason::Gate, vec![gate], ctx);
                };
                let (by, reason) = (order.by.clone(), order.reason.clone());
                let recorded = OverrideRecorded { change, gate, tree, by, reason };
                facts.push(Fact::of(lane, change.task(), Event::OverrideRecorded(recorded)));
                self.commit(facts, || {});
                self.gate(ready, place + 1, ctx);
            }
            None => {
                let passed = Event::GatePassed(GatePassed { gate, tree });
                self.commit(vec![Fact::of(lane, change.task(), passed)], || {});
                self.gate(ready, place + 1, ctx);
            }
        }
    }

    /// Writes down what is about to happen, if a change is green, the desk is free and no pause is in force.
    pub(super) fn intend(&mut self, ctx: &mut Context<Merger>) {
        if !self.may_begin() || !matches!(self.current, Some(Current { stage: Stage::Green(_), .. })) {
            return;
        }
        let Some(Current { change, stage: Stage::Green(mut ready) }) = self.current.take() else { return };
        self.current = Some(Current { change, stage: Stage::Trying });
        match self.fence_still_stands(change) {
            Ok(true) => {}
            Ok(false) => return self.refuse(RefuseReason::StaleFence, Vec::new(), ctx),
            Err(error) => return self.give_up(error),
        }
        ready.fences = match self.ground.repository.fences_ref() {
            Ok(fences) => fences,
            Err(error) => return self.give_up(error),
        };
        assert!(self.desk.occupy(), "the desk is free when a landing begins");
        let intended = ChangeIntended {
            change,
            main_before: ready.main,
            main_after: ready.landing.commit,
            tree: ready.landing.tree,
            verdict: ready.merge,
            fences: ready.fences,
        };
        let lane = self.payloads[&change].lane;
        self.current = Some(Current { change, stage: Stage::Moving(ready) });
        let (address, turn) = (ctx.address(), self.turn);
        let fact = Fact::of(lane, change.task(), Event::ChangeIntended(intended));
        self.commit(vec![fact], move || address.do_send(Intended { turn }));
    }

    /// Fences may have risen while the gates spoke.
    fn fence_still_stands(&self, change: ChangeId) -> Result<bool, baton_world::git::GitError> {
        let submitted = &self.payloads[&change].submitted;
        let (Some(lease), Some(fence)) = (submitted.lease, submitted.fence) else { return Ok(true) };
        let holds = self.leases.get(&lease).map(Vec::as_slice).unwrap_or_default();
        let stale = prepare::stale_resources(&self.ground.repository, &self.ground.team, holds, fence)?;
        Ok(stale.is_empty())
    }

    /// The intention is durable: store the objects and move main.
    pub(super) fn on_intended(&mut self, intended: Intended, ctx: &mut Context<Merger>) {
        let Some(Current { stage: Stage::Moving(ready), .. }) = &self.current else { return };
        if intended.turn != self.turn {
            return;
        }
        let repository = self.ground.repository.clone();
        let (life, landing, main, fences) = (self.life, ready.landing.clone(), ready.main, ready.fences);
        self.off_the_actor(ctx, move || MainMoved::new(life, repository.land(main, &landing, fences)));
    }

    pub(super) fn on_main_moved(&mut self, done: MainMoved, ctx: &mut Context<Merger>) {
        if done.life != self.life {
            return;
        }
        let Some(Current { change, stage: Stage::Moving(ready) }) = self.current.take() else { return };
        match done.moved {
            Ok(Ok(())) => {
                self.remember(change, &ready.moved);
                self.landed(change, (ready.main, ready.landing.commit), None);
                self.leave_desk(ctx);
                self.try_next(ctx);
            }
            Ok(Err(refusal)) => self.meet_foreign(refusal.found),
            Err(error) => self.give_up(error),
        }
    }

    /// Main has moved: write it down, then say so. `fault`: why a restarted merger found it so.
    pub(super) fn landed(&mut self, change: ChangeId, main: (Oid, Oid), fault: Option<FaultId>) {
        let (main_before, main_after) = main;
        self.head = main_after;
        self.heads.insert(main_after, self.heads.len());
        let event = Event::ChangeLanded(ChangeLanded { change, main_before, main_after, fault });
        self.settle(change, event, Outcome::Landed, fault);
    }

    pub(super) fn refuse(&mut self, reason: RefuseReason, paths: Vec<String>, ctx: &mut Context<Merger>) {
        self.refuse_told(reason, (paths, None), ctx);
    }

    /// Refuses a change, with the report of what it conflicts with.
    fn refuse_told(
        &mut self,
        reason: RefuseReason,
        (paths, report): (Vec<String>, Option<String>),
        ctx: &mut Context<Merger>,
    ) {
        let Some(Current { change, .. }) = self.current.take() else { return };
        let lane = self.payloads.get(&change).map(|submission| submission.lane);
        let fenced = matches!(reason, RefuseReason::StaleFence | RefuseReason::NoLease);
        let fault = lane.filter(|_| fenced).and_then(|lane| self.ground.chaos.cause(lane));
        let undoes = Vec::new();
        self.unmerged.note_report(change, report.as_deref());
        let event = Event::ChangeRefused(ChangeRefused { change, reason, paths, undoes, report, fault });
        self.settle(change, event, Outcome::Refused, fault);
        self.try_next(ctx);
    }

    /// Refuses a change that somebody's policy forbids, and says which action of it.
    fn deny(&mut self, paths: Vec<String>, denied: Vec<ActionDenied>, ctx: &mut Context<Merger>) {
        let Some(Current { change, .. }) = self.current.take() else { return };
        let submission = &self.payloads[&change];
        let (lane, task) = (submission.lane, change.task());
        let author = self.author_of(lane, &submission.submitted);
        let fault = self.ground.chaos.ignored(task, author).filter(|_| !paths.is_empty());
        let fact = |denied| Fact::of(lane, task, Event::ActionDenied(ActionDenied { fault, ..denied }));
        let denied = denied.into_iter().map(fact).collect();
        let reason = RefuseReason::Policy;
        let event =
            Event::ChangeRefused(ChangeRefused { change, reason, paths, undoes: Vec::new(), report: None, fault });
        self.settle_with(denied, change, (event, Outcome::Refused), fault);
        self.try_next(ctx);
    }

    pub(super) fn settle(&mut self, change: ChangeId, event: Event, outcome: Outcome, fault: Option<FaultId>) {
        self.settle_with(Vec::new(), change, (event, outcome), fault);
    }

    /// Writes down what came of a change, behind what led to it.
    fn settle_with(
        &mut self,
        mut facts: Vec<Fact>,
        change: ChangeId,
        (event, outcome): (Event, Outcome),
        fault: Option<FaultId>,
    ) {
        let payload = self.payloads.remove(&change);
        self.authors.remove(&change);
        let lane = self.owners.remove(&change).expect("a change in the queue is somebody's");
        let ask = payload.as_ref().map_or(0, |submission| submission.ask);
        if let Some(lease) = payload.and_then(|submission| submission.submitted.lease) {
            self.leases.remove(&lease);
        }
        let supervisor = self.directory().supervisor().clone();
        facts.push(Fact::of(lane, change.task(), event));
        let because = self.because(change);
        self.commit(facts, move || {
            supervisor.do_send(Settled { lane, ask, change, outcome, because, fault });
        });
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

    /// A change whose landing is intended lands or not, and is told as that; any other is refused now.
    fn withdraw_pending(&mut self, change: ChangeId, fault: Option<FaultId>, ctx: &mut Context<Merger>) {
        let is_current = self.current.as_ref().is_some_and(|current| current.change == change);
        let moving = matches!(self.current, Some(Current { stage: Stage::Moving(_), .. }));
        if is_current && moving {
            return;
        }
        if is_current {
            self.current = None;
            self.turn += 1;
        }
        let (reason, paths, undoes) = (RefuseReason::Withdrawn, Vec::new(), Vec::new());
        let event = Event::ChangeRefused(ChangeRefused { change, reason, paths, undoes, report: None, fault });
        self.settle(change, event, Outcome::Withdrawn, fault);
        self.try_next(ctx);
    }

    pub(super) fn on_quiesce(&mut self, quiesce: Quiesce, _: &mut Context<Merger>) {
        tracing::debug!(reason = ?quiesce.reason, "the merger comes to rest");
        self.quiescing = true;
    }

    /// The end of a pause.
    pub(super) fn resume(&mut self, ctx: &mut Context<Merger>) {
        self.serve_desk(ctx);
        self.try_again(ctx);
    }
}
