//! Questions of lanes and the merger's word: what is decided, and what is answered when nothing is.
//!
//! Idempotent: a question that comes twice is answered from the state and never obeyed twice.

use super::{ActionsUndone, Answer, Ask, Because, Effect, FenceStands, Settled, Supervisor, Want};
use crate::unmerged::Unmerged;
use actix::Context;
use baton_core::board::Settled as Outcome;
use baton_core::slots::Wanted;
use baton_core::{Command, Fact, Refusal};
use baton_record::event::{AskRepeated, ChangeWritten, RepeatAnswered};
use baton_record::line::Actor as Writer;
use baton_record::{ChangeId, EffectKey, Event, FaultId, LaneId};

impl Supervisor {
    pub(super) fn on_ask(&mut self, ask: Ask, ctx: &mut Context<Supervisor>) {
        let Ask { lane, incarnation, ask: number, want, fault } = ask;
        let alive = self.state.board.is_alive(lane) && self.state.board.restarts(lane) == incarnation;
        let latest = self.asks[lane.0 as usize].ask;
        if !alive || number < latest {
            self.note_repeat(lane, RepeatAnswered { ask: number, fault });
            return;
        }
        if number == latest {
            self.note_again(lane, AskRepeated { ask: number, fault });
        }
        self.asks[lane.0 as usize].ask = number;
        self.idle.retain(|idle| *idle != lane);
        self.serve(lane, want, ctx);
        self.stop_if_stuck(ctx);
    }

    fn serve(&mut self, lane: LaneId, want: Want, ctx: &mut Context<Supervisor>) {
        match want {
            Want::Task => self.serve_task(lane),
            Want::Lease { change, resources, ttl_us } => {
                let refused = self.obey(&Command::RequestLease { lane, change, resources, ttl_us });
                match refused {
                    Err(Refusal::Repeated) => self.answer_raised(change),
                    Err(Refusal::Stale) => self.answer(lane, Answer::Over),
                    _ => {}
                }
            }
            Want::Call { change, endpoint, key } => {
                let bound = self.ground.team.models[endpoint.0 as usize].bound();
                let wanted = Wanted { endpoint, key, bound };
                let refused = self.obey(&Command::StartCall { lane, change, wanted });
                // A call that was granted goes on, also where its task has gone to another meanwhile.
                let runs = self.state.slots.running(lane) == Some(key);
                match refused.map_err(|refusal| if runs { Refusal::Repeated } else { refusal }) {
                    Err(Refusal::Repeated) if self.is_gated(lane) && !self.state.slots.is_admitted(lane) => {
                        self.line_up(lane, key, ctx);
                    }
                    Err(Refusal::Repeated) => self.answer(lane, Answer::Call),
                    Err(Refusal::Retired) => self.answer(lane, Answer::LastTurn),
                    // Whoever begins an attempt anew goes on behind the calls that it has ended.
                    Err(Refusal::Stale) if self.has_ended_call(lane, change, key) => {
                        self.answer(lane, Answer::CallEnded);
                    }
                    Err(Refusal::Stale) => self.answer(lane, Answer::Over),
                    _ => {}
                }
            }
            Want::CallEnd { key, end } => {
                let refused = self.obey(&Command::EndCall { lane, key, end });
                match refused {
                    Err(Refusal::Repeated) => self.answer(lane, Answer::CallEnded),
                    Err(Refusal::Stale) => self.answer(lane, Answer::Over),
                    _ => {}
                }
            }
            Want::HandOver(handing) => self.serve_handing(lane, handing, ctx),
            Want::Review { change, approved, items, asks } => {
                self.serve_review(lane, &Command::Review { lane, change, approved, items, asks });
            }
            Want::AskPerson { change, question } => self.serve_ask_person(lane, change, question),
            Want::GiveBack { change, reason } => {
                self.serve_give_back(lane, &Command::GiveBack { lane, change, reason });
            }
            Want::GiveUp { change } => self.serve_give_back(lane, &Command::GiveUp { lane, change }),
            Want::Written { change, settled } => self.serve_written(lane, change, settled),
            Want::Landing(_) => unreachable!("a submission goes to the merger"),
        }
    }

    /// Written down for the attempt that it belongs to; of one that is over nothing is.
    pub(super) fn on_undone(&mut self, said: ActionsUndone, _: &mut Context<Supervisor>) {
        let ActionsUndone { lane, change, undone } = said;
        if self.state.board.owned_by(lane) == Some(change) {
            let fact = |event| Fact::of(lane, change.task(), event);
            self.commit(undone.into_iter().map(fact).collect(), None);
        }
    }

    fn has_ended_call(&self, lane: LaneId, change: ChangeId, key: EffectKey) -> bool {
        self.state.board.works_on(lane, change) && self.state.slots.has_ended(lane, key)
    }

    fn serve_task(&mut self, lane: LaneId) {
        match self.obey(&Command::TakeTask { lane }) {
            Err(Refusal::Repeated) => {
                let change = self.state.board.owned_by(lane).expect("a repeated taker owns a task");
                let briefing = self.briefing(change.task());
                let unmerged = self.unmerged.of(change.task());
                self.answer(lane, Answer::Task(change, briefing, unmerged));
            }
            Err(Refusal::AllEnded) => self.answer(lane, Answer::AllEnded),
            // Whoever has given up for want of money waits for a limit that is set anew.
            Err(Refusal::NothingReady | Refusal::Retired | Refusal::Draining) => self.idle.push_back(lane),
            _ => {}
        }
    }

    /// Control run: the lane's own word settles its change.
    fn serve_written(&mut self, lane: LaneId, change: ChangeId, settled: Outcome) {
        let settle = Command::Settle { change, settled, fault: None };
        match self.state.decide(&settle, self.ground.clock.now_us()) {
            Ok(mut facts) => {
                self.written += 1;
                let written = Event::ChangeWritten(ChangeWritten { change });
                facts.insert(0, Fact::of(lane, change.task(), written));
                self.commit(facts, None);
            }
            Err(_) => self.answer(lane, Answer::Over),
        }
    }

    pub(super) fn on_settled(&mut self, word: Settled, ctx: &mut Context<Supervisor>) {
        let Settled { lane, ask, change, outcome, because, fault } = word;
        match because {
            Some(Because::Lacks(lack)) if self.state.board.works_on(lane, change) => {
                let answer = Answer::AskPerson(lack);
                return self.commit_effects(Vec::new(), vec![Effect::Answer { lane, ask, answer }]);
            }
            Some(Because::Unmerged(report)) => self.unmerged.note(Unmerged { change, report }),
            _ => {}
        }
        let settle = Command::Settle { change, settled: outcome, fault };
        match self.state.decide(&settle, self.ground.clock.now_us()) {
            Ok(facts) => self.commit(facts, Some((lane, ask))),
            Err(_) => self.answer_settled_again(lane, ask, change),
        }
        self.employ_idle();
        self.stop_if_stuck(ctx);
    }

    /// The change was settled before and the lane did not hear of it.
    fn answer_settled_again(&mut self, lane: LaneId, ask: u32, change: ChangeId) {
        let next = self.state.board.owned_by(lane).filter(|next| next.task() == change.task() && *next != change);
        let unmerged = next.and_then(|next| self.unmerged.of(next.task()));
        let answer = Answer::Settled { next, unmerged };
        self.commit_effects(Vec::new(), vec![Effect::Answer { lane, ask, answer }]);
    }

    pub(super) fn on_fence(&mut self, fence: FenceStands, _: &mut Context<Supervisor>) {
        let raised = fence.0;
        let holder = self.state.leases.held().iter().find(|held| held.lease == raised.lease);
        let change = holder.map(|held| held.change);
        self.state.leases.apply(None, &Event::FenceRaised(raised));
        if let Some(change) = change {
            self.answer_raised(change);
        }
    }

    /// Answers a lease whose fence stands, if its attempt still goes on.
    fn answer_raised(&mut self, change: ChangeId) {
        let held = self.state.leases.held_for(change).filter(|held| held.raised);
        if let Some(held) = held.filter(|held| self.state.board.works_on(held.lane, change)) {
            let (lane, answer) = (held.lane, Answer::Lease { lease: held.lease, fence: held.fence });
            self.answer(lane, answer);
        }
    }

    /// Gives ready tasks to lanes that wait for one.
    pub(super) fn employ_idle(&mut self) {
        for _ in 0..self.idle.len() {
            let Some(lane) = self.idle.pop_front() else { return };
            self.serve_task(lane);
        }
    }

    /// Answers the lane's latest question.
    pub(super) fn answer(&mut self, lane: LaneId, answer: Answer) {
        let ask = self.asks[lane.0 as usize].ask;
        self.commit_effects(Vec::new(), vec![Effect::Answer { lane, ask, answer }]);
    }

    fn note_repeat(&mut self, lane: LaneId, repeat: RepeatAnswered) {
        if repeat.fault.is_some() {
            self.note(lane, Event::RepeatAnswered(repeat));
        }
    }

    fn note_again(&mut self, lane: LaneId, again: AskRepeated) {
        if again.fault.is_some() {
            self.note(lane, Event::AskRepeated(again));
        }
    }

    fn note(&mut self, lane: LaneId, event: Event) {
        let fact = Fact::of_lane(lane, event);
        self.directory().recorder().do_send(crate::recorder::Append::of(Writer::Supervisor, vec![fact]));
    }

    /// The fault behind what happens to a lane's attempt.
    pub(super) fn cause(&self, lane: LaneId) -> Option<FaultId> {
        self.ground.chaos.cause(lane)
    }
}
