//! Where a lane stands in its work, and what it does next: the lane's own small state machine.

use super::Lane;
use super::attempt::Attempt;
use super::boundary::Undone;
use crate::chaos::NotTaken;
use crate::recorder::Append;
use crate::roster::Doing;
use crate::supervisor::{Answer, Briefing, Want};
use crate::team::{Action, LandingKind, LeaseSpan, overlap};
use crate::unmerged::Unmerged;
use actix::Context;
use baton_core::Fact;
use baton_core::board::Settled;
use baton_core::slots::CallEnd;
use baton_record::event::{ChangeSubmitted, DeathReason, FaultInjected, PacketPurpose, ReturnReason};
use baton_record::line::Actor as Writer;
use baton_record::{ChangeId, Event, ResourceId};
use baton_world::git::GitError;

/// Where a lane stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It wants a task.
    Idle,
    /// It wants a lease before its first step.
    LeasingTask,
    /// It wants a slot for its next call.
    Queueing,
    /// A call is under way.
    Thinking,
    /// It reports a call's end.
    Reporting,
    /// It does nothing for a while, because its script says so, or waits for a command or a tool.
    Stalling,
    /// It wants a lease before it submits.
    LeasingChange,
    /// It has been given its lease and is about to use it.
    Leased,
    /// It hands its task on, or gives it back.
    HandingOver,
    /// It says what it found of another's change.
    Judging,
    /// Its change is with the merger.
    Landing,
    /// Control run: it writes file by file.
    Writing,
    /// Every task has ended.
    Resting,
    /// It is gone.
    Dead,
}

impl Stage {
    /// What people are told of it.
    pub(super) fn doing(self) -> Doing {
        match self {
            Stage::Idle => Doing::Idle,
            Stage::Thinking => Doing::Thinks,
            Stage::Stalling | Stage::Writing | Stage::Leased => Doing::Works,
            Stage::Landing => Doing::Lands,
            Stage::Resting | Stage::Dead => Doing::Rests,
            _ => Doing::Waits,
        }
    }
}

/// How long an endpoint takes to refuse a call.
const REFUSAL_US: u64 = 200_000;

impl Lane {
    /// What the answer to the open question leads to.
    pub(super) fn proceed(&mut self, answer: Answer, ctx: &mut Context<Lane>) {
        tracing::debug!(lane = self.id.0, ask = self.ask, stage = ?self.stage, ?answer, "answered");
        match answer {
            Answer::Task(change, briefing, unmerged) => self.begin(change, (briefing, unmerged), ctx),
            Answer::AllEnded => self.stage = Stage::Resting,
            Answer::Over => self.begin_idle(ctx),
            Answer::Lease { lease, fence } => {
                let attempt = self.attempt.as_mut().expect("a lease is asked for in an attempt");
                attempt.lease = Some((lease, fence));
                self.leased(ctx);
            }
            Answer::Call => self.think(ctx),
            Answer::CallEnded => {
                self.attempt.as_mut().expect("a call is made in an attempt").end_call();
                self.next_step(ctx);
            }
            Answer::LastTurn => self.take_last_turn(ctx),
            Answer::PacketRefused => self.mend_packet(ctx),
            Answer::Reviewed => self.submit_handed(ctx),
            Answer::AskPerson(lack) => self.ask_person(lack, ctx),
            Answer::Settled { next: Some(change), unmerged } => self.begin(change, (None, unmerged), ctx),
            Answer::Settled { next: None, .. } => self.begin_idle(ctx),
        }
    }

    fn begin_idle(&mut self, ctx: &mut Context<Lane>) {
        self.ground.chaos.forget_cause(self.id);
        self.attempt = None;
        self.stage = Stage::Idle;
        self.ask(Want::Task, ctx);
    }

    fn begin(
        &mut self,
        change: ChangeId,
        (briefing, unmerged): (Option<Briefing>, Option<Unmerged>),
        ctx: &mut Context<Lane>,
    ) {
        self.ground.chaos.forget_cause(self.id);
        self.attempt = Some(Box::new(Attempt::new(&self.ground.team, change)));
        let received = briefing.map_or(Ok(()), |briefing| self.receive(briefing));
        let read = received.and_then(|()| unmerged.map_or(Ok(()), |unmerged| self.read_report(&unmerged)));
        if let Err(failure) = read {
            return self.fail(failure);
        }
        if self.judges() || self.is_approved() {
            return self.next_step(ctx);
        }
        let resources = self.task_resources(change);
        if resources.is_empty() {
            self.start_work(ctx);
        } else {
            self.stage = Stage::LeasingTask;
            self.ask_lease(resources, ctx);
        }
    }

    /// What must be held from before the first step: every rule that overlaps with the work, if one of them is for the
    /// whole task. An attempt has one lease, answered whole.
    fn task_resources(&self, change: ChangeId) -> Vec<ResourceId> {
        let team = &self.ground.team;
        if team.landing == LandingKind::Direct {
            return Vec::new();
        }
        let touches = &team.work_of(change.task()).touches;
        let rules = team.leases.iter().enumerate().filter(|(_, rule)| overlap(&rule.resource, touches));
        let (ids, rules): (Vec<_>, Vec<_>) = rules.map(|(at, rule)| (ResourceId(at as u16), rule)).unzip();
        let whole_task = rules.iter().any(|rule| rule.per == LeaseSpan::Task);
        if whole_task { ids } else { Vec::new() }
    }

    fn ask_lease(&mut self, resources: Vec<ResourceId>, ctx: &mut Context<Lane>) {
        let change = self.attempt.as_ref().expect("a lease is asked for in an attempt").change;
        let rules = &self.ground.team.leases;
        let ttl_us = resources.iter().map(|id| rules[id.0 as usize].ttl_us).min().expect("a lease holds something");
        self.ask(Want::Lease { change, resources, ttl_us }, ctx);
    }

    fn leased(&mut self, ctx: &mut Context<Lane>) {
        self.attempt.as_mut().expect("a lease is held in an attempt").then_submit = self.stage == Stage::LeasingChange;
        self.stage = Stage::Leased;
        self.expose(ctx);
        if self.stage == Stage::Leased && self.frozen.is_none() {
            self.use_lease(ctx);
        }
    }

    /// Goes on with the lease in hand; after a freeze as if nothing had happened.
    pub(super) fn use_lease(&mut self, ctx: &mut Context<Lane>) {
        let then_submit = self.attempt.as_ref().expect("a lease is held in an attempt").then_submit;
        if then_submit { self.submit(ctx) } else { self.start_work(ctx) }
    }

    fn start_work(&mut self, ctx: &mut Context<Lane>) {
        let main = match self.ground.repository.standing_main() {
            Ok(main) => main,
            Err(error) => return self.give_up(error),
        };
        let attempt = self.attempt.as_mut().expect("work is done in an attempt");
        attempt.base = Some(main);
        self.next_step(ctx);
    }

    fn next_step(&mut self, ctx: &mut Context<Lane>) {
        let attempt = self.attempt.as_ref().expect("work is done in an attempt");
        if attempt.step >= attempt.steps {
            return match () {
                () if self.is_approved() => self.submit_handed(ctx),
                () if self.judges() => self.judge(ctx),
                () => self.act(ctx),
            };
        }
        if self.context_is_full() {
            return self.hand_over(PacketPurpose::Successor, ctx);
        }
        let (change, key) = (attempt.change, attempt.key(&self.ground.team));
        let endpoint = self.endpoint();
        self.stage = Stage::Queueing;
        self.ask(Want::Call { change, endpoint, key }, ctx);
    }

    fn think(&mut self, ctx: &mut Context<Lane>) {
        self.stage = Stage::Thinking;
        let endpoint = self.endpoint();
        let model = &self.ground.team.models[endpoint.0 as usize];
        let refused = self.ground.chaos.refuse_call(endpoint, model.rate.requests, self.ground.clock.now_us());
        if let Some(refused) = refused {
            return self.be_refused(refused, ctx);
        }
        let attempt = self.attempt.as_mut().expect("a call is made in an attempt");
        let us = attempt.draws.latency_us(model.latency.median_us, model.latency.p99_us);
        attempt.call = Some(CallEnd::Answered(attempt.use_tokens(model)));
        self.ground.chaos.take_call(endpoint, self.ground.clock.now_us() + us);
        self.wait_us(us, ctx);
        self.expose(ctx);
    }

    /// The endpoint does not take the call, and says so at once.
    fn be_refused(&mut self, refused: NotTaken, ctx: &mut Context<Lane>) {
        let NotTaken { status, retry_after_us, fault, injected } = refused;
        if let Some(fault) = fault {
            let target = self.ground.team.models[self.endpoint().0 as usize].name.clone();
            let event = Event::FaultInjected(FaultInjected { fault, injected: injected.to_owned(), target });
            let fact = Fact::of_lane(self.id, event);
            self.ground.directory.recorder().do_send(Append::of(Writer::Run, vec![fact]));
        }
        let attempt = self.attempt.as_mut().expect("a call is made in an attempt");
        attempt.call = Some(CallEnd::Refused { status, retry_after_us, fault });
        self.wait_us(REFUSAL_US, ctx);
    }

    /// A wait is over.
    pub(super) fn go_on(&mut self, ctx: &mut Context<Lane>) {
        match self.stage {
            Stage::Thinking => {
                let attempt = self.attempt.as_ref().expect("a call is made in an attempt");
                let key = attempt.key(&self.ground.team);
                let end = attempt.call.expect("a call under way has an end");
                self.stage = Stage::Reporting;
                self.ask(Want::CallEnd { key, end }, ctx);
            }
            Stage::Stalling => self.act(ctx),
            Stage::Writing => self.write_next(ctx),
            stage => tracing::debug!(?stage, "woke for nothing"),
        }
    }

    /// Does what the script says: stalls and crashes first, then the change.
    fn act(&mut self, ctx: &mut Context<Lane>) {
        self.meet_boundary();
        let ground = self.ground.clone();
        loop {
            let attempt = self.attempt.as_mut().expect("work is done in an attempt");
            let work = ground.team.work_of(attempt.change.task());
            let Some(action) = work.actions.get(attempt.action) else { break };
            attempt.action += 1;
            match action {
                Action::Stall { for_us } => {
                    self.stage = Stage::Stalling;
                    return self.wait_us(*for_us, ctx);
                }
                Action::Crash { probability_ppm } if attempt.draws.chance_ppm(*probability_ppm) => {
                    return self.die(DeathReason::Crashed, None, ctx);
                }
                action => match self.use_tool(action) {
                    Ok(None) => {}
                    Ok(Some(us)) => {
                        self.stage = Stage::Stalling;
                        return self.wait_us(us, ctx);
                    }
                    Err(error) => return self.give_up(error),
                },
            }
        }
        if let Err(error) = self.plan() {
            return self.give_up(error);
        }
        if self.attempt.as_deref().is_some_and(Attempt::is_denied) {
            return self.give_back(ReturnReason::Denied, ctx);
        }
        if let Some(lack) = self.action_lack() {
            return self.ask_person(lack, ctx);
        }
        if self.ends_empty(ctx) {
            return;
        }
        match self.ground.team.landing {
            LandingKind::Merger if self.hands_to_review() => self.hand_over(PacketPurpose::Review, ctx),
            LandingKind::Merger if self.waits_for_plan() => self.ask_person(self.plan_lack(), ctx),
            LandingKind::Merger => self.lease_or_submit(ctx),
            LandingKind::Direct => self.write_directly(ctx),
        }
    }

    fn plan(&mut self) -> Result<(), GitError> {
        let attempt = self.attempt.as_mut().expect("work is done in an attempt");
        let lane = &self.spec.name;
        let undone = attempt.plan(&self.ground, lane)?;
        self.tell_undone(undone);
        Ok(())
    }

    pub(super) fn lease_or_submit(&mut self, ctx: &mut Context<Lane>) {
        let attempt = self.attempt.as_ref().expect("work is done in an attempt");
        let touched = attempt.touched();
        let needed = self.ground.team.resources_covering(touched.iter().map(String::as_str));
        if needed.is_empty() || attempt.lease.is_some() {
            self.submit(ctx);
        } else {
            self.stage = Stage::LeasingChange;
            self.ask_lease(needed, ctx);
        }
    }

    fn submit(&mut self, ctx: &mut Context<Lane>) {
        let attempt = self.attempt.as_mut().expect("work is done in an attempt");
        let lane = &self.spec.name;
        let submission = match attempt.submission(&self.ground, (self.id, lane), self.ground.clock.now_us()) {
            Ok(submission) => submission,
            Err(error) => return self.give_up(error),
        };
        self.stage = Stage::Landing;
        self.ask(Want::Landing(Box::new(submission)), ctx);
        self.expose(ctx);
    }

    /// Control run: tells the journal what is about to be written, then writes it.
    fn write_directly(&mut self, ctx: &mut Context<Lane>) {
        let attempt = self.attempt.as_ref().expect("work is done in an attempt");
        let base = attempt.base.expect("work has a base");
        let (change, updates) = (attempt.change, attempt.updates().to_vec());
        let Undone { denied, failed } = attempt.undone;
        let submitted = ChangeSubmitted {
            change,
            base,
            commit: base,
            author: None,
            packet: None,
            answers: None,
            sent_us: None,
            lease: None,
            fence: None,
            reads: Vec::new(),
            updates,
            denied,
            failed,
        };
        let fact = Fact::of(self.id, change.task(), Event::ChangeSubmitted(submitted));
        self.ground.directory.recorder().do_send(Append::of(Writer::Lane, vec![fact]));
        self.stage = Stage::Writing;
        self.write_next(ctx);
    }

    /// Control run: the lane believes its change to be complete.
    pub(super) fn written(&mut self, ctx: &mut Context<Lane>) {
        let change = self.attempt.as_ref().expect("work is done in an attempt").change;
        self.stage = Stage::Reporting;
        self.ask(Want::Written { change, settled: Settled::Landed }, ctx);
    }
}
