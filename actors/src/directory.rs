//! Who is where: the addresses of a team's actors, and the one number that all of them read before every effect.

use crate::failure::Failure;
use crate::lane::{AskAgain, Lane};
use crate::merger::{Merger, Submission};
use crate::recorder::Recorder;
use crate::roster::Roster;
use crate::supervisor::Supervisor;
use actix::Addr;
use baton_record::{Epoch, LaneId};
use baton_world::Clock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use tokio::sync::{Notify, mpsc};

/// Addresses of a team. Filled while the team starts; then only lanes begin new lives, and more of them join.
#[derive(Debug, Default)]
pub struct Directory {
    supervisor: OnceLock<Addr<Supervisor>>,
    merger: OnceLock<Addr<Merger>>,
    merger_work: OnceLock<mpsc::Sender<Submission>>,
    recorder: OnceLock<Addr<Recorder>>,
    roster: Roster,
    epoch: AtomicU32,
    interrupted: Arc<AtomicBool>,
    failure: Mutex<Option<Failure>>,
    failed: Notify,
}

/// How often somebody who waits looks whether a person wants the run to end.
const LOOK_EVERY_US: u64 = 500_000;

const STARTED: &str = "the team's actors are started before any of them is addressed";

impl Directory {
    /// A directory without actors. `interrupted` becomes true when a person wants the run to end; a signal may set it.
    pub fn new(interrupted: Arc<AtomicBool>, roster: Roster) -> Directory {
        Directory { interrupted, roster, ..Directory::default() }
    }

    /// The lanes.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The supervisor's control lane.
    pub fn supervisor(&self) -> &Addr<Supervisor> {
        self.supervisor.get().expect(STARTED)
    }

    /// The merger's control lane.
    pub fn merger(&self) -> &Addr<Merger> {
        self.merger.get().expect(STARTED)
    }

    /// The merger's work queue.
    pub fn merger_work(&self) -> &mpsc::Sender<Submission> {
        self.merger_work.get().expect(STARTED)
    }

    /// The recorder.
    pub fn recorder(&self) -> &Addr<Recorder> {
        self.recorder.get().expect(STARTED)
    }

    /// A lane's present incarnation, if one was ever started.
    pub fn lane(&self, lane: LaneId) -> Option<Addr<Lane>> {
        self.roster.address(lane)
    }

    /// Every lane's present incarnation.
    pub fn lanes(&self) -> Vec<Addr<Lane>> {
        self.roster.lanes().filter_map(|lane| self.lane(lane)).collect()
    }

    /// Whoever was asked has lost what it was asked: every lane asks its open question again.
    pub(crate) fn have_all_ask_again(&self) {
        self.lanes().iter().for_each(|lane| lane.do_send(AskAgain));
    }

    /// Whether supervisor, merger and recorder all take messages.
    pub(crate) fn is_staffed(&self) -> bool {
        self.supervisor().connected() && self.merger().connected() && self.recorder().connected()
    }

    /// Lanes whose present incarnation takes no message any more.
    pub(crate) fn unreachable_lanes(&self) -> Vec<LaneId> {
        let dead = |lane: &LaneId| self.lane(*lane).is_some_and(|address| !address.connected());
        self.roster.lanes().filter(dead).collect()
    }

    pub(crate) fn set_recorder(&self, recorder: Addr<Recorder>) {
        assert!(self.recorder.set(recorder).is_ok(), "a team starts once");
    }

    pub(crate) fn set_merger(&self, merger: Addr<Merger>, work: mpsc::Sender<Submission>) {
        assert!(self.merger.set(merger).is_ok(), "a team starts once");
        assert!(self.merger_work.set(work).is_ok(), "a team starts once");
    }

    pub(crate) fn set_supervisor(&self, supervisor: Addr<Supervisor>) {
        assert!(self.supervisor.set(supervisor).is_ok(), "a team starts once");
    }

    /// The epoch that is in force. Read before every pull and every effect.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::SeqCst))
    }

    pub(crate) fn set_epoch(&self, epoch: Epoch) {
        self.epoch.store(epoch.0, Ordering::SeqCst);
    }

    /// Waits as long as an actor has to before its next life; not at all once a person wants the run to end.
    pub(crate) async fn back_off(&self, clock: Clock, wait_us: u64) {
        let until_us = clock.now_us().saturating_add(wait_us);
        while clock.now_us() < until_us && !self.interrupted() {
            clock.sleep_us(LOOK_EVERY_US.min(until_us - clock.now_us())).await;
        }
    }

    /// Whether a person wants the run to end.
    pub fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    /// Something is broken that no restart mends: the world stops. The first reason counts.
    pub(crate) fn fail(&self, failure: Failure) {
        tracing::error!(%failure, "the run cannot go on");
        self.failure.lock().expect("nobody panics with the failure in hand").get_or_insert(failure);
        self.failed.notify_one();
    }

    /// Waits until something is broken that no restart mends.
    pub(crate) async fn failure(&self) -> Failure {
        loop {
            if let Some(failure) = self.failure.lock().expect("nobody panics with the failure in hand").take() {
                return failure;
            }
            self.failed.notified().await;
        }
    }
}
