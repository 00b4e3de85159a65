//! A row's way to main: tried, gated, intended, moved, told.
//!
//! What waits is tried together: each change on top of those before it, so that main can go over all of them in one move. A
//! change that only something of its row stands against, or that stands behind one that is red, goes back to the queue: it
//! is tried again when the row is settled. A row of one is a change that lands alone.

use super::prepare::{Try, Verdict};
use super::row::{Current, Gated, Member, Passage, Row, Trial, Tried};
use super::{GateEnded, Intended, MainMoved, Merger, Prepared, prepare};
use crate::credit::{By, commit_meta};
use actix::{AsyncContext, Context};
use baton_core::Fact;
use baton_core::advance::{Answer, Outcome, Step};
use baton_record::event::{ChangeIntended, GateFailed, GatePassed, OverrideRecorded, RefuseReason};
use baton_record::{ChangeId, Event, Oid};
use std::time::Duration;

impl Merger {
    /// Tries what waits in the queue and whose payload is at hand.
    pub(super) fn try_next(&mut self, ctx: &mut Context<Merger>) {
        if self.current.is_some() || !self.may_begin() {
            return;
        }
        self.take_waiting();
        let at_hand = self.state.waiting().filter(|change| self.payloads.contains_key(change));
        let row: Vec<ChangeId> = at_hand.take(self.limit.now() as usize).collect();
        if !row.is_empty() && self.may_begin() {
            self.try_row(row, ctx);
        }
    }

    fn try_row(&mut self, row: Vec<ChangeId>, ctx: &mut Context<Merger>) {
        self.turn += 1;
        let (turn, merges) = (self.turn, row.len());
        let tries = row.iter().map(|change| self.attempt(*change)).collect();
        let (ground, head, authorship) = (self.ground.clone(), self.head, self.authorship.clone());
        let trial = Trial { ground, head, authorship, tries };
        self.current = Some(Current::Trying(row));
        self.off_the_actor(ctx, merges, move || Prepared { turn, tried: trial.run() });
    }

    fn attempt(&self, change: ChangeId) -> Try {
        let submission = self.payloads[&change].clone();
        let fence = submission.submitted.fence;
        let time_s = self.ground.team.start_s + (self.ground.clock.now_us() / 1_000_000) as i64;
        let spec = self.directory().roster().spec(submission.lane);
        let by = By::of(&spec.name, submission.submitted.author.as_deref());
        let meta = commit_meta(&self.ground.team, change, by, (fence, time_s));
        let base_at = self.heads.get(&submission.submitted.base).copied();
        let holds = submission.submitted.lease.and_then(|lease| self.leases.get(&lease).cloned());
        let author = self.author_of(submission.lane, &submission.submitted);
        Try {
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
        }
    }

    pub(super) fn on_prepared(&mut self, prepared: Prepared, ctx: &mut Context<Merger>) {
        if prepared.turn != self.turn || !matches!(self.current, Some(Current::Trying(_))) {
            return;
        }
        match prepared.tried {
            Tried::Foreign { found } => self.meet_foreign(found),
            Tried::Trouble(failure) => self.fail(failure),
            Tried::Sorted { others, row } => {
                let mut put_back = false;
                for (change, verdict) in others {
                    put_back |= self.turn_away(change, verdict);
                }
                self.current = match row.members.is_empty() {
                    false => Some(Current::Gating(*row)),
                    true => put_back.then_some(Current::PutBack),
                };
                self.gate_all(ctx);
                self.try_next(ctx);
            }
        }
    }

    /// Refuses what cannot land, and leaves in the queue what may land another time. Whether it waits for the desk.
    fn turn_away(&mut self, change: ChangeId, verdict: Verdict) -> bool {
        match verdict {
            // The newer fence stands already and its record does not: the change is looked at again behind it.
            Verdict::Refuse { reason: RefuseReason::StaleFence, .. } if self.desk.busy() => return true,
            Verdict::Refuse { reason, paths, report } => self.refuse(change, reason, (paths, report)),
            Verdict::Denied { paths, denied } => self.deny(change, paths, denied),
            Verdict::Unapproved(undone) => self.refuse_unapproved(change, undone),
            Verdict::Later | Verdict::Ready(_) => tracing::debug!(%change, "is tried again behind the row"),
        }
        false
    }

    /// What was put back is tried again, or else what waits.
    pub(super) fn try_again(&mut self, ctx: &mut Context<Merger>) {
        self.current.take_if(|current| matches!(current, Current::PutBack));
        self.try_next(ctx);
    }

    /// Lets gates speak about every tree of the row.
    fn gate_all(&mut self, ctx: &mut Context<Merger>) {
        let Some(Current::Gating(row)) = &mut self.current else { return };
        for at in row.to_be_gated() {
            wait_for_gate(row, at, (self.turn, ctx));
        }
        self.weigh(ctx);
    }

    pub(super) fn on_gate_ended(&mut self, ended: GateEnded, ctx: &mut Context<Merger>) {
        let GateEnded { turn, at } = ended;
        let Some(Current::Gating(row)) = &mut self.current else { return };
        let Some(member) = row.members.get_mut(at).filter(|_| turn == self.turn) else { return };
        let (facts, red) = speak(member, self.payloads[&member.change].lane);
        match red {
            Some(gate) => row.fail(at, gate),
            None => wait_for_gate(row, at, (turn, ctx)),
        }
        self.commit(facts, || {});
        self.weigh(ctx);
    }

    /// Goes on with a row of which enough is known.
    pub(super) fn weigh(&mut self, ctx: &mut Context<Merger>) {
        let Some(Current::Gating(row)) = &mut self.current else { return };
        match row.gated() {
            Gated::NotYet => {}
            Gated::Green => {
                self.current = self.current.take().map(|current| match current {
                    Current::Gating(row) => Current::Green(row),
                    other => other,
                });
                self.serve_desk(ctx);
            }
            Gated::Red(change, gate) => {
                let (begun, _) = row.went();
                self.drop_row();
                self.limit.learn(begun, false);
                self.refuse_red(change, gate);
                self.try_next(ctx);
            }
        }
    }

    /// Nothing of a row lands: late results about it are nobody's.
    pub(super) fn drop_row(&mut self) {
        self.current = None;
        self.turn += 1;
    }

    /// Writes down what is about to happen, if a row is green, the desk is free and no pause is in force.
    pub(super) fn intend(&mut self, ctx: &mut Context<Merger>) {
        if !self.may_begin() {
            return;
        }
        let Some(Current::Green(mut row)) = self.current.take_if(|current| matches!(current, Current::Green(_))) else {
            return;
        };
        let stale = match self.first_stale(&row) {
            Ok(stale) => stale,
            Err(error) => return self.give_up(error),
        };
        if let Some((at, change)) = stale {
            row.cut(at);
            self.current = (at > 0).then_some(Current::Green(row));
            self.refuse(change, RefuseReason::StaleFence, (Vec::new(), None));
            return if at > 0 { self.intend(ctx) } else { self.try_next(ctx) };
        }
        let fences = match self.ground.repository.fences_ref() {
            Ok(fences) => fences,
            Err(error) => return self.give_up(error),
        };
        assert!(self.desk.occupy(), "the desk is free when a landing begins");
        self.current = Some(Current::Moving(Passage::begin(row, fences)));
        self.go_on(ctx);
    }

    /// The first member whose fence does not stand any more: fences may have risen while the gates spoke.
    fn first_stale(&self, row: &Row) -> Result<Option<(usize, ChangeId)>, baton_world::git::GitError> {
        for (at, member) in row.members.iter().enumerate() {
            let submitted = &self.payloads[&member.change].submitted;
            let (Some(lease), Some(fence)) = (submitted.lease, submitted.fence) else { continue };
            let holds = self.leases.get(&lease).map(Vec::as_slice).unwrap_or_default();
            if !prepare::stale_resources(&self.ground.repository, &self.ground.team, holds, fence)?.is_empty() {
                return Ok(Some((at, member.change)));
            }
        }
        Ok(None)
    }

    /// Takes the next step on main's way.
    fn go_on(&mut self, ctx: &mut Context<Merger>) {
        let Some(Current::Moving(Passage { row, way, fences, found })) = &mut self.current else { return };
        match way.step() {
            Step::WriteIntention => {
                let facts = intentions(row, *fences, |change| self.payloads[&change].lane);
                let (address, turn) = (ctx.address(), self.turn);
                self.commit(facts, move || address.do_send(Intended { turn }));
            }
            Step::MoveRef => {
                let (load, fences, life) = (row.load(), *fences, self.life);
                let repository = self.ground.repository.clone();
                let land = move || load.group(&repository).and_then(|group| repository.land_group(&group, fences));
                self.off_the_actor(ctx, 1, move || MainMoved::new(life, land()));
            }
            Step::Write(Outcome::Landed) => self.tell_landed(ctx),
            Step::Write(Outcome::Foreign) => {
                let found = *found;
                self.meet_foreign(found);
            }
            step => unreachable!("a landing of a team does not take the step {step:?}"),
        }
    }

    /// The intention is durable: store the objects and move main.
    pub(super) fn on_intended(&mut self, intended: Intended, ctx: &mut Context<Merger>) {
        if intended.turn == self.turn {
            self.learn(Answer::Done);
            self.go_on(ctx);
        }
    }

    fn learn(&mut self, answer: Answer) {
        if let Some(Current::Moving(passage)) = &mut self.current {
            passage.way.learn(answer);
        }
    }

    pub(super) fn on_main_moved(&mut self, done: MainMoved, ctx: &mut Context<Merger>) {
        let Some(Current::Moving(passage)) = self.current.as_mut().filter(|_| done.life == self.life) else { return };
        match done.moved {
            Ok(moved) => {
                passage.found = moved.as_ref().err().and_then(|refusal| refusal.found);
                let gone = || if passage.found.is_some() { Answer::Elsewhere } else { Answer::Gone };
                let answer = moved.map_or_else(|_| gone(), |()| Answer::Done);
                self.learn(answer);
                self.go_on(ctx);
            }
            Err(error) => self.give_up(error),
        }
    }

    fn tell_landed(&mut self, ctx: &mut Context<Merger>) {
        let Some(Current::Moving(Passage { mut row, .. })) = self.current.take() else { return };
        let (begun, green) = row.went();
        self.limit.learn(begun, green);
        for member in &row.members {
            self.remember(member.change, &member.ready.moved);
        }
        let (steps, culprit): (Vec<_>, _) = (row.steps().collect(), row.culprit.take());
        self.landed(&steps, culprit, None);
        self.leave_desk(ctx);
        self.try_next(ctx);
    }

    /// The end of a pause.
    pub(super) fn resume(&mut self, ctx: &mut Context<Merger>) {
        self.serve_desk(ctx);
        self.try_again(ctx);
    }
}

/// Waits for the next gate about the tree of the member at `at`, or takes in that all have passed it.
fn wait_for_gate(row: &mut Row, at: usize, (turn, ctx): (u32, &mut Context<Merger>)) {
    let member = &row.members[at];
    match member.ready.gates.get(member.spoken) {
        Some(gate) => drop(ctx.notify_later(GateEnded { turn, at }, Duration::from_micros(gate.after_us))),
        None => row.pass(at),
    }
}

/// What a gate says of a member's tree, and the gate's name if it is red and nobody has put it aside.
fn speak(member: &mut Member, lane: baton_record::LaneId) -> (Vec<Fact>, Option<String>) {
    let (change, tree) = (member.change, member.ready.landing.tree);
    let result = &member.ready.gates[member.spoken];
    member.spoken += 1;
    let (gate, fact) = (result.gate.clone(), |event| Fact::of(lane, change.task(), event));
    let Some(detail) = result.refused.clone() else {
        return (vec![fact(Event::GatePassed(GatePassed { gate, tree }))], None);
    };
    let failed = fact(Event::GateFailed(GateFailed { gate: gate.clone(), tree, detail }));
    let Some(order) = &member.ready.order else { return (vec![failed], Some(gate)) };
    let (by, reason) = (order.by.clone(), order.reason.clone());
    let recorded = OverrideRecorded { change, gate, tree, by, reason };
    (vec![failed, fact(Event::OverrideRecorded(recorded))], None)
}

/// The intentions of a row, one for each member, in its order.
fn intentions(row: &Row, fences: Option<Oid>, lane: impl Fn(ChangeId) -> baton_record::LaneId) -> Vec<Fact> {
    let mut behind = None;
    let intention = |member: &Member| {
        let (change, ready) = (member.change, &member.ready);
        let intended = ChangeIntended {
            change,
            main_before: ready.main,
            main_after: ready.landing.commit,
            tree: ready.landing.tree,
            verdict: ready.clean.verdict,
            fences,
            behind: behind.replace(change),
        };
        Fact::of(lane(change), change.task(), Event::ChangeIntended(intended))
    };
    row.members.iter().map(intention).collect()
}
