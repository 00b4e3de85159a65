//! Pause-all, resume and the end of a run: how a team becomes quiet.

use super::{Effect, MergerQuiet, OperatorSays, PauseSeen, StopRun, Supervisor};
use crate::lane::Perish;
use crate::recorder::{Append, Seal};
use crate::team::{Command as Word, LandingKind};
use actix::Context;
use baton_core::{Command, Fact};
use baton_record::event::{BudgetSet, CommandGiven, OperatorCommand, RunStopped, StopReason};
use baton_record::line::Actor as Writer;
use baton_record::{Epoch, Event, LaneId};

impl Supervisor {
    pub(super) fn on_operator(&mut self, says: OperatorSays, ctx: &mut Context<Supervisor>) {
        let OperatorSays { command, by, reason } = says;
        match command {
            Word::PauseAll => self.change_epoch(&Command::Pause { by, reason }),
            Word::ResumeAll => self.change_epoch(&Command::Resume { by, reason }),
            Word::Stop => {
                self.note_command(None, OperatorCommand::Stop, (by, reason));
                self.stop(StopReason::Operator, ctx);
            }
            Word::Drain => {
                if self.obey(&Command::Drain { by, reason }).is_ok() {
                    self.stop_if_drained(ctx);
                }
            }
            Word::Kill(lane) => {
                self.note_command(Some(lane), OperatorCommand::Kill, (by, reason));
                if let Some(address) = self.directory().lane(lane) {
                    address.do_send(Perish);
                }
            }
            Word::Answer { about, approved } => self.take_answer((about, approved), (by, reason), ctx),
            Word::Override(task) => self.take_override(task, (by, reason)),
            Word::Budget(limits) => limits.into_iter().for_each(|limit| self.set_budget(limit, (&by, &reason))),
        }
    }

    fn note_command(&mut self, lane: Option<LaneId>, command: OperatorCommand, who: (String, String)) {
        let (by, reason) = who;
        let event = Event::CommandGiven(CommandGiven { command, by, reason });
        self.commit(vec![Fact { lane, task: None, event }], None);
    }

    /// A limit that holds already changes nothing. Whoever had given up for want of money takes work again.
    fn set_budget(&mut self, limit: (BudgetSet, Option<LaneId>), who: (&str, &str)) {
        let (set, lane) = limit;
        let set = BudgetSet { by: Some(who.0.to_owned()), reason: Some(who.1.to_owned()), ..set };
        let role = set.role.as_deref().and_then(|role| self.names.role_id(role));
        if self.obey(&Command::SetBudget { set, role, lane }).is_ok() {
            self.employ_idle();
        }
    }

    /// Ends a run that is drained.
    pub(super) fn stop_if_drained(&mut self, ctx: &mut Context<Supervisor>) {
        if self.state.board.is_drained() {
            self.stop(StopReason::Drained, ctx);
        }
    }

    /// The epoch changes at once; who has seen it is acknowledged later. A second pause, or a resume without one,
    /// changes nothing.
    fn change_epoch(&mut self, command: &Command) {
        let Ok(facts) = self.state.decide(command, self.ground.clock.now_us()) else { return };
        self.commit(facts, None);
        self.announce_again();
    }

    /// Makes the epoch in force known; whoever has to acknowledge a pause is waited for.
    pub(super) fn announce_again(&mut self) {
        let epoch = self.state.pause.epoch();
        self.directory().set_epoch(epoch);
        self.unquiet.clear();
        if epoch.paused() && !self.state.pause.acknowledged() {
            let lanes = (0..self.state.board.lanes() as u32).map(LaneId);
            let alive = lanes.filter(|lane| self.state.board.is_alive(*lane));
            self.unquiet = alive.map(Some).chain([None]).collect();
        }
        self.commit_effects(Vec::new(), vec![Effect::Announce { epoch }]);
    }

    pub(super) fn on_pause_seen(&mut self, seen: PauseSeen, _: &mut Context<Supervisor>) {
        self.see_pause(seen.lane, seen.epoch);
    }

    /// A dead lane starts no effect either.
    pub(super) fn see_pause(&mut self, lane: Option<LaneId>, epoch: Epoch) {
        if epoch != self.state.pause.epoch() || !self.unquiet.remove(&lane) || !self.unquiet.is_empty() {
            return;
        }
        let lanes = (0..self.state.board.lanes() as u32).map(LaneId);
        let quiet = lanes.filter(|lane| self.state.board.is_alive(*lane)).count() as u32;
        let acknowledged = self.obey(&Command::AcknowledgePause { epoch, lanes: quiet });
        assert_eq!(acknowledged, Ok(()), "a pause is acknowledged once");
    }

    pub(super) fn on_stop(&mut self, stop: StopRun, ctx: &mut Context<Supervisor>) {
        self.stop(stop.0, ctx);
    }

    /// Begins the end of the run. The first reason counts.
    pub(super) fn stop(&mut self, reason: StopReason, _: &mut Context<Supervisor>) {
        if self.stopping.is_none() {
            self.stopping = Some(reason);
            self.commit_effects(Vec::new(), vec![Effect::End { reason }]);
        }
    }

    /// Once lanes are given up, or have no money left, what is left may be work that nobody will ever do.
    pub(super) fn stop_if_stuck(&mut self, ctx: &mut Context<Supervisor>) {
        self.stop_if_drained(ctx);
        let out_of_money = self.state.board.any_retired();
        if (self.lanes_given_up || out_of_money) && self.state.board.is_stuck(self.ground.team.caps.restarts) {
            let reason = if out_of_money { StopReason::BudgetOver } else { StopReason::Stuck };
            self.stop(reason, ctx);
        }
    }

    pub(super) fn on_merger_quiet(&mut self, quiet: MergerQuiet, _: &mut Context<Supervisor>) {
        let reason = self.stopping.expect("the merger comes to rest when it is told to");
        let landed = match self.ground.team.landing {
            LandingKind::Merger => quiet.landed,
            LandingKind::Direct => self.written,
        };
        let stopped = RunStopped { reason, main: quiet.main, landed, refused: quiet.refused };
        let fact = Fact::of_run(Event::RunStopped(stopped));
        self.directory().recorder().do_send(Seal(Append::of(Writer::Run, vec![fact])));
    }
}
