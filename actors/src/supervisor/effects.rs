//! What waits for facts to be durable, and how it is done then.

use super::lifecycle::roles_in;
use super::{Answer, Expire, MergerBack, Released, Supervisor};
use crate::consent::Allowed;
use crate::lane::{Answered, ObeyPause, Perish};
use crate::merger::{Allow, EpochChanged, Quiesce, RaiseFence, Withdraw};
use crate::post::Leg;
use crate::recorder::Append;
use actix::{AsyncContext, Context};
use baton_core::Fact;
use baton_core::leases::Held;
use baton_record::event::{ReturnReason, StopReason};
use baton_record::line::Actor as Writer;
use baton_record::{ApprovalId, ChangeId, EffectKey, EndpointId, Epoch, Event, FaultId, LaneId, LeaseId};
use std::time::Duration;

/// One thing to do once the facts before it are durable.
#[derive(Debug)]
pub enum Effect {
    /// Answer a lane.
    Answer {
        /// Whom.
        lane: LaneId,
        /// Which question.
        ask: u32,
        /// What.
        answer: Answer,
    },
    /// Put a granted call in line at its endpoint's door.
    LineUp {
        /// Whose.
        lane: LaneId,
        /// Which.
        key: EffectKey,
    },
    /// Look who may be let through at a door.
    Pump {
        /// Which.
        endpoint: EndpointId,
    },
    /// Have a grant's fence raised, and look again when its time is over; or that of a lease that was taken from its holder.
    Raise {
        /// Which lease.
        lease: LeaseId,
    },
    /// Watch a person's time to answer.
    Watch {
        /// Which question.
        approval: ApprovalId,
    },
    /// Tell the merger what people have allowed.
    Allow(Allowed),
    /// Have an attempt closed whose lane is dead, or whose task goes to another.
    Withdraw {
        /// Whose.
        lane: LaneId,
        /// Which attempt.
        change: ChangeId,
        /// What killed the lane.
        fault: Option<FaultId>,
    },
    /// Have a lane die, as an operator wants it.
    Perish {
        /// Whom.
        lane: LaneId,
    },
    /// Start a dead lane again after a back-off.
    Revive {
        /// Whom.
        lane: LaneId,
    },
    /// Start a lane's next life.
    StartLane {
        /// Whom.
        lane: LaneId,
    },
    /// Tell everybody of the epoch.
    Announce {
        /// Which.
        epoch: Epoch,
    },
    /// Come to rest, then end.
    End {
        /// Why.
        reason: StopReason,
    },
}

impl Supervisor {
    /// Takes facts into the state, hands them to the recorder, and does what follows from them once they are durable.
    /// `asked`: the question of the merger's queue that is answered by them.
    pub(super) fn commit(&mut self, facts: Vec<Fact>, asked: Option<(LaneId, u32)>) {
        let mut effects = Vec::new();
        for fact in &facts {
            self.seat(&fact.event);
            effects.extend(fact.lane.and_then(|lane| self.note_end(lane, &fact.event)));
            self.state.apply((fact.lane, fact.task), &fact.event, roles_in(&fact.event, &self.names));
            self.note_packet(&fact.event);
            self.heard.take(&fact.event);
            effects.extend(self.consent.take(fact.task, &fact.event).map(Effect::Allow));
            effects.extend(self.effect_of_order(fact));
            effects.extend(self.effect_of(fact, asked));
        }
        effects.extend(self.settled_effect(&facts, asked));
        if let Some(reason) = self.end_reached(&facts).filter(|_| self.stopping.is_none()) {
            self.stopping = Some(reason);
            effects.push(Effect::End { reason });
        }
        self.commit_effects(facts, effects);
    }

    pub(super) fn commit_effects(&self, facts: Vec<Fact>, effects: Vec<Effect>) {
        let supervisor = self.directory().supervisor().clone();
        let release = move || supervisor.do_send(Released(effects));
        let joined = facts.iter().filter_map(|fact| match &fact.event {
            Event::LaneJoined(joined) => self.names.lane(joined.id).map(str::to_owned),
            _ => None,
        });
        let lane_names = joined.collect();
        self.directory().recorder().do_send(Append { lane_names, ..Append::then(Writer::Supervisor, facts, release) });
    }

    fn effect_of(&mut self, fact: &Fact, asked: Option<(LaneId, u32)>) -> Vec<Effect> {
        let Some(lane) = fact.lane else { return Vec::new() };
        let latest = |answer| vec![Effect::Answer { lane, ask: self.asks[lane.0 as usize].ask, answer }];
        match &fact.event {
            Event::TaskAssigned(assigned) if asked.is_none() => {
                let task = fact.task.expect("a task is assigned");
                let change = ChangeId::of(task, assigned.attempt);
                latest(Answer::Task(change, self.briefing(task), self.unmerged.of(task)))
            }
            Event::TaskReturned(returned) if asked.is_none() => match returned.reason {
                ReturnReason::LaneDied | ReturnReason::Refused => Vec::new(),
                _ => latest(Answer::Over),
            },
            // Whoever owned it and waits for anybody but the merger is told; a call that was granted to it goes on first.
            Event::TaskReturned(returned) if returned.reason == ReturnReason::Reassigned => {
                if self.state.slots.running(lane).is_some() { Vec::new() } else { latest(Answer::Over) }
            }
            Event::TaskFailed(_) if asked.is_none() => latest(Answer::Over),
            Event::PacketRefused(_) => latest(Answer::PacketRefused),
            Event::ReviewGiven(review) if review.approved => latest(Answer::Reviewed),
            Event::TaskDone(_) if asked.is_none() => latest(Answer::Settled { next: None, unmerged: None }),
            Event::EffectIntended(call) if self.is_gated(lane) => vec![Effect::LineUp { lane, key: call.key }],
            Event::EffectIntended(_) | Event::CallAdmitted(_) => latest(Answer::Call),
            Event::EffectDone(_) | Event::EffectFailed(_) => latest(Answer::CallEnded),
            Event::CallRefused(_) => latest(Answer::LastTurn),
            Event::ApprovalAsked(asked) => vec![Effect::Watch { approval: asked.approval }],
            Event::LeaseGranted(grant) => vec![Effect::Raise { lease: grant.lease }],
            Event::LeaseReleased(end) if end.fence.is_some() => vec![Effect::Raise { lease: end.lease }],
            Event::LaneJoined(_) => vec![Effect::StartLane { lane }],
            Event::LaneDied(died) => self.bury(lane, died.fault),
            Event::LaneRestarted(_) => vec![Effect::StartLane { lane }],
            _ => Vec::new(),
        }
    }

    /// The answer to the lane whose change the merger has spoken about.
    fn settled_effect(&self, facts: &[Fact], asked: Option<(LaneId, u32)>) -> Option<Effect> {
        let (lane, ask) = asked?;
        let next = facts.iter().find_map(|fact| match (&fact.event, fact.task) {
            (Event::TaskAssigned(assigned), Some(task)) => Some(ChangeId::of(task, assigned.attempt)),
            _ => None,
        });
        let unmerged = next.and_then(|next| self.unmerged.of(next.task()));
        Some(Effect::Answer { lane, ask, answer: Answer::Settled { next, unmerged } })
    }

    pub(super) fn on_released(&mut self, released: Released, ctx: &mut Context<Supervisor>) {
        for effect in released.0 {
            self.perform(effect, ctx);
        }
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Supervisor>) {
        match effect {
            Effect::Answer { lane, ask, answer } => self.send_answer(lane, Answered { ask, answer }),
            Effect::LineUp { lane, key } => self.line_up(lane, key, ctx),
            Effect::Pump { endpoint } => self.pump(endpoint, ctx),
            Effect::Raise { lease } => self.raise(lease, ctx),
            Effect::Watch { approval } => self.watch_answer(approval, ctx),
            Effect::Allow(allowed) => self.directory().merger().do_send(Allow(allowed)),
            Effect::Withdraw { lane, change, fault } => {
                self.directory().merger().do_send(Withdraw { lane, change, fault });
            }
            Effect::Perish { lane } => {
                if let Some(address) = self.directory().lane(lane) {
                    address.do_send(Perish);
                }
            }
            Effect::Revive { lane } => self.revive_later(lane, ctx),
            Effect::StartLane { lane } => self.start_lane(lane),
            Effect::Announce { epoch } => {
                self.directory().lanes().iter().for_each(|lane| lane.do_send(ObeyPause { epoch }));
                self.directory().merger().do_send(EpochChanged(epoch));
                (0..self.doors.len() as u16).for_each(|endpoint| self.pump(EndpointId(endpoint), ctx));
            }
            Effect::End { reason } => self.directory().merger().do_send(Quiesce { reason }),
        }
    }

    fn send_answer(&self, lane: LaneId, answered: Answered) {
        let directory = self.directory().clone();
        self.ground.post.send(lane, Leg::Answer, move |_| {
            if let Some(address) = directory.lane(lane) {
                address.do_send(answered.clone());
            }
        });
    }

    pub(super) fn on_merger_back(&mut self, _: MergerBack, ctx: &mut Context<Supervisor>) {
        self.raise_again(|held| !held.raised, ctx);
        for (lane, change) in self.state.board.leaving() {
            let fault = self.cause_of_leaving(lane, change);
            self.directory().merger().do_send(Withdraw { lane, change, fault });
        }
    }

    /// What made a lane leave its attempt, if it was a fault.
    pub(super) fn cause_of_leaving(&self, lane: LaneId, change: ChangeId) -> Option<FaultId> {
        self.cause(lane).filter(|_| !self.state.board.is_moving(change.task()))
    }

    /// Fences rise in the order of their numbers, whoever asks for them.
    pub(super) fn raise_again(&self, which: impl Fn(&Held) -> bool, ctx: &mut Context<Supervisor>) {
        let leases = &self.state.leases;
        let held = leases.held().iter().filter(|held| which(held)).map(|held| (held.fence, held.lease));
        let shutting = leases.shutting().iter().map(|shutting| (shutting.fence, shutting.lease));
        let mut due: Vec<_> = held.chain(shutting).collect();
        due.sort_unstable();
        due.into_iter().for_each(|(_, lease)| self.raise(lease, ctx));
    }

    /// Has a grant's fence raised at its resources and all that overlap, and watches its time.
    pub(super) fn raise(&self, lease: LeaseId, ctx: &mut Context<Supervisor>) {
        let Some(held) = self.state.leases.held().iter().find(|held| held.lease == lease) else {
            return self.shut_out(lease);
        };
        let left_us = held.until_us.saturating_sub(self.ground.clock.now_us());
        ctx.notify_later(Expire(lease), Duration::from_micros(left_us));
        if !held.raised {
            self.directory().merger().do_send(RaiseFence {
                lease,
                fence: held.fence,
                holds: held.resources.clone(),
                raises: self.state.leases.with_overlaps(&held.resources),
                about: (held.lane, held.change.task()),
            });
        }
    }

    /// Has the fence raised that shuts out the former holder of a lease.
    fn shut_out(&self, lease: LeaseId) {
        let leases = &self.state.leases;
        let Some(shutting) = leases.shutting().iter().find(|shutting| shutting.lease == lease) else { return };
        self.directory().merger().do_send(RaiseFence {
            lease,
            fence: shutting.fence,
            holds: shutting.resources.clone(),
            raises: leases.with_overlaps(&shutting.resources),
            about: (shutting.lane, shutting.change.task()),
        });
    }
}
