//! Deaths and restarts: of lanes, and of the supervisor itself.

use super::admission::Quiet;
use super::joining::Heard;
use super::{Crash, Effect, Expire, LaneGone, LatestAsk, Revive, Supervisor};
use crate::consent::Consent;
use crate::failure::Failure;
use crate::lane::Lane;
use crate::recorder::Append;
use crate::unmerged::NewestUnmerged;
use actix::fut::WrapFuture;
use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context};
use baton_core::board::RolesIn;
use baton_core::{Command, Fact, Supervision};
use baton_record::event::{ActorRestarted, DeathReason, StopReason};
use baton_record::line::Actor as Writer;
use baton_record::{Event, FaultId, LaneId, Names, PacketId};
use baton_world::journal;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Back-off before the first restart; doubled with each, up to 64-fold.
const BACK_OFF_US: u64 = 1_000_000;

fn back_off(restarts: u32) -> Duration {
    Duration::from_micros(BACK_OFF_US << restarts.min(6))
}

/// A fact's roles, as the core wants them: of the lane that joins or the task that is added.
pub(crate) fn roles_in(event: &Event, names: &Names) -> RolesIn {
    let of = |role: Option<&str>| role.and_then(|role| names.role_id(role));
    match event {
        Event::LaneJoined(joined) => of(Some(&joined.role)).into(),
        Event::TaskAdded(added) => RolesIn { role: of(Some(&added.role)), review: of(added.review.as_deref()) },
        Event::BudgetSet(set) => of(set.role.as_deref()).into(),
        Event::CommandGiven(given) => of(given.role.as_deref()).into(),
        _ => RolesIn::default(),
    }
}

/// What the journal says of the supervisor's business.
#[derive(Debug)]
pub struct Folded {
    /// The core's state.
    pub state: Supervision,
    /// Digests of the packets that were offered.
    pub packets: BTreeMap<PacketId, String>,
    /// What people have allowed.
    pub consent: Consent,
    /// What did not merge.
    pub unmerged: NewestUnmerged,
    /// What endpoints have said.
    pub quiet: Quiet,
    /// Which orders to add lanes were heard.
    pub heard: Heard,
    /// Where the journal ends.
    pub end: journal::FoldEnd,
}

/// The supervisor's state as the journal in `dir` has it.
pub fn fold_supervision(dir: &Path) -> Result<Folded, journal::JournalDamage> {
    let (mut state, mut packets, mut consent) = (Supervision::default(), BTreeMap::new(), Consent::default());
    let (mut quiet, mut heard, mut unmerged) = (Quiet::default(), Heard::default(), NewestUnmerged::default());
    let end = journal::fold(dir, |_, record, names| {
        state.apply((record.lane, record.task), &record.event, roles_in(&record.event, names));
        consent.take(record.task, &record.event);
        heard.take(&record.event);
        unmerged.take(&record.event);
        match record.event {
            Event::PacketOffered(offered) => drop(packets.insert(offered.packet, offered.digest)),
            Event::EffectFailed(failed) => {
                let at = record.lane.and_then(|lane| state.slots.running_at(lane));
                at.into_iter().for_each(|endpoint| quiet.note(record.t_us, endpoint, &failed));
            }
            _ => {}
        }
    })?;
    Ok(Folded { state, packets, consent, unmerged, quiet, heard, end })
}

impl Supervisor {
    pub(super) fn on_lane_gone(&mut self, gone: LaneGone, _: &mut Context<Supervisor>) {
        let LaneGone { lane, incarnation, reason, fault } = gone;
        if self.stopping.is_none() && self.state.board.restarts(lane) == incarnation {
            let known = self.obey(&Command::LoseLane { lane, reason, fault });
            tracing::info!(lane = lane.0, ?reason, known = known.is_err(), "a lane is gone");
            let epoch = self.state.pause.epoch();
            self.see_pause(Some(lane), epoch);
        }
    }

    /// What follows from a death: the attempt is closed, the lane is started again or given up.
    pub(super) fn bury(&mut self, lane: LaneId, fault: Option<FaultId>) -> Vec<Effect> {
        self.idle.retain(|idle| *idle != lane);
        if let Some(fault) = fault {
            let held = self.state.leases.held().iter().filter(|held| held.lane == lane);
            self.orphaned.extend(held.map(|held| (held.lease, fault)));
        }
        let attempt = self.state.board.owned_by(lane);
        let withdraw = attempt.map(|change| Effect::Withdraw { lane, change, fault });
        withdraw.into_iter().chain([Effect::Revive { lane }]).collect()
    }

    pub(super) fn revive_later(&mut self, lane: LaneId, ctx: &mut Context<Supervisor>) {
        let restarts = self.state.board.restarts(lane);
        if self.state.board.is_removed(lane) {
            tracing::info!(lane = lane.0, "a lane that was taken out does not come back");
            self.stop_if_stuck(ctx);
        } else if restarts < self.ground.team.caps.restarts {
            ctx.notify_later(Revive(lane), back_off(restarts));
        } else {
            tracing::warn!(lane = lane.0, restarts, "a lane is not started again");
            self.lanes_given_up = true;
            self.stop_if_stuck(ctx);
        }
    }

    pub(super) fn on_revive(&mut self, revive: Revive, _: &mut Context<Supervisor>) {
        if self.stopping.is_none() && !self.state.board.is_removed(revive.0) {
            let fault = self.cause(revive.0);
            let lane = revive.0;
            if self.obey(&Command::RestoreLane { lane, fault }).is_err() {
                tracing::debug!(lane = lane.0, "revived though it lives");
            }
        }
    }

    pub(super) fn start_lane(&mut self, lane: LaneId) {
        let incarnation = self.state.board.restarts(lane);
        self.asks[lane.0 as usize] = LatestAsk::default();
        let address = Lane::new(lane, incarnation, self.ground.clone()).start();
        self.directory().roster().begin(lane, address);
    }

    pub(super) fn on_expire(&mut self, expire: Expire, ctx: &mut Context<Supervisor>) {
        let Some(held) = self.state.leases.held().iter().find(|held| held.lease == expire.0) else { return };
        let (lane, until_us) = (held.lane, held.until_us);
        let now_us = self.ground.clock.now_us();
        if now_us < until_us {
            ctx.notify_later(expire, Duration::from_micros(until_us - now_us));
            return;
        }
        let fault = self.orphaned.remove(&expire.0).or_else(|| self.cause(lane));
        let expired = self.obey(&Command::ExpireLease { lease: expire.0, fault });
        assert_eq!(expired, Ok(()), "a held lease whose time is over expires");
    }

    /// Looks for a person's wish to end, and now and then for lanes that died without a word.
    pub(super) fn sweep(&mut self, ctx: &mut Context<Supervisor>) {
        self.work(ctx, Supervisor::look_around);
    }

    fn look_around(&mut self, ctx: &mut Context<Supervisor>) {
        self.sweeps += 1;
        if self.directory().interrupted() {
            self.stop(StopReason::Operator, ctx);
        }
        if self.sweeps.is_multiple_of(super::SWEEPS_PER_ROLL_CALL) {
            self.call_the_roll(ctx);
        }
    }

    fn call_the_roll(&mut self, ctx: &mut Context<Supervisor>) {
        for lane in self.directory().unreachable_lanes() {
            if self.state.board.is_alive(lane) && self.stopping.is_none() {
                let incarnation = self.state.board.restarts(lane);
                let gone = LaneGone { lane, incarnation, reason: DeathReason::FoundDead, fault: None };
                self.on_lane_gone(gone, ctx);
            }
        }
    }

    pub(super) fn on_crash(&mut self, crash: Crash, ctx: &mut Context<Supervisor>) {
        self.crash(crash.0, ctx);
    }

    /// Ends this life; the next one begins in [`Supervisor::restart`].
    pub(super) fn crash(&mut self, fault: Option<FaultId>, ctx: &mut Context<Supervisor>) {
        if self.restarts >= self.ground.team.caps.restarts {
            self.directory().fail(Failure::Restarts("supervisor", self.restarts));
            return;
        }
        self.crash = fault;
        ctx.stop();
    }

    /// Waits for the back-off and for the recorder to drain, then folds the journal. Meanwhile messages wait in the
    /// mailbox: a supervisor without a state could not answer them.
    pub(super) fn restart(&mut self, ctx: &mut Context<Supervisor>) {
        let (clock, wait) = (self.ground.clock, back_off(self.restarts));
        self.restarts += 1;
        let recorder = self.directory().recorder().clone();
        let directory = self.directory().clone();
        let drained = async move {
            directory.back_off(clock, wait.as_micros() as u64).await;
            let (sender, receiver) = tokio::sync::oneshot::channel();
            recorder.do_send(Append::then(Writer::Supervisor, Vec::new(), move || {
                let _ = sender.send(());
            }));
            // A recorder that has ended never answers, and then neither does anybody else.
            drop(receiver.await);
        };
        ctx.wait(drained.into_actor(self).map(|(), supervisor, ctx| {
            supervisor.work(ctx, Supervisor::recover);
        }));
    }

    fn recover(&mut self, ctx: &mut Context<Supervisor>) {
        let Folded { state, packets, consent, unmerged, quiet, heard, end } =
            fold_supervision(&self.journal).expect("a run's own journal can be folded");
        (self.state, self.packets, self.consent, self.heard) = (state, packets, consent, heard);
        self.unmerged = unmerged;
        self.names = end.names;
        self.asks = vec![LatestAsk::default(); self.names.lanes()];
        (0..self.names.lanes() as u32).for_each(|lane| self.enroll(LaneId(lane)));
        self.idle.clear();
        self.make_doors_again(&quiet);
        let restart = ActorRestarted { restarts: self.restarts, folded: end.chain.next_seq, fault: self.crash.take() };
        let fact = Fact::of_run(Event::ActorRestarted(restart));
        self.commit_effects(vec![fact], Vec::new());
        ctx.run_interval(super::SWEEP_EVERY, Supervisor::sweep);
        self.take_up(ctx);
    }

    /// Does again whatever the fold shows as begun and not finished.
    fn take_up(&mut self, ctx: &mut Context<Supervisor>) {
        self.raise_again(|_| true, ctx);
        for lane in self.state.board.condemned() {
            self.commit_effects(Vec::new(), vec![Effect::Perish { lane }]);
        }
        for (lane, change) in self.state.board.leaving() {
            let fault = self.cause_of_leaving(lane, change);
            self.commit_effects(Vec::new(), vec![Effect::Withdraw { lane, change, fault }]);
        }
        let lanes = (0..self.state.board.lanes() as u32).map(LaneId);
        let dead: Vec<LaneId> = lanes.filter(|lane| !self.state.board.is_alive(*lane)).collect();
        dead.into_iter().for_each(|lane| self.revive_later(lane, ctx));
        self.line_up_again(ctx);
        self.take_up_approvals(ctx);
        self.announce_again();
        self.directory().have_all_ask_again();
        if self.state.board.is_stopping() {
            self.stopping.get_or_insert(StopReason::Operator);
        }
        if let Some(reason) = self.stopping {
            self.commit_effects(Vec::new(), vec![Effect::End { reason }]);
        }
    }
}
