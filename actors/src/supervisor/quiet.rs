//! Pause-all, resume and the end of a run: how a team becomes quiet.

use super::{Effect, MergerQuiet, PauseSeen, StopRun, Supervisor};
use crate::recorder::{Append, Seal};
use crate::team::LandingKind;
use actix::Context;
use baton_core::{Command, Fact, Refusal};
use baton_record::event::{RunStopped, StopReason};
use baton_record::line::Actor as Writer;
use baton_record::{Epoch, Event, LaneId};

impl Supervisor {
    /// Ends a run that is drained.
    pub(super) fn stop_if_drained(&mut self, ctx: &mut Context<Supervisor>) {
        if self.state.board.is_drained() {
            self.stop(StopReason::Drained, ctx);
        }
    }

    /// The epoch changes at once; who has seen it is acknowledged later.
    pub(super) fn change_epoch(&mut self, command: &Command) -> Result<(), Refusal> {
        self.obey(command)?;
        self.announce_again();
        Ok(())
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
        let acknowledged = self.obey(&Command::AcknowledgePause { epoch });
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

    /// Once lanes are given up or taken out, or have no money left, what is left may be work that nobody will ever do.
    pub(super) fn stop_if_stuck(&mut self, ctx: &mut Context<Supervisor>) {
        self.stop_if_drained(ctx);
        let out_of_money = self.state.board.any_retired();
        let fewer = self.lanes_given_up || self.state.board.any_removed();
        if (fewer || out_of_money) && self.state.board.is_stuck(self.ground.team.caps.restarts, &self.roles_joining()) {
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
        // Whatever answers come now are heard by nobody.
        let lost = Append::of(Writer::Supervisor, self.state.cut_off());
        self.directory().recorder().do_send(Seal(vec![lost, Append::of(Writer::Run, vec![fact])]));
    }
}
