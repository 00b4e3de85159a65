//! Who is in the team and what each lane is doing: a live view, read much and written little.
//!
//! Looked up by lane, or by its name, only. It is never walked through, and nobody decides anything by what a lane is said to be doing: who
//! owns, holds and waits for what is the supervisor's, and is in the journal.

use crate::lane::Lane;
use crate::progress::Progress;
use crate::team::LaneSpec;
use actix::Addr;
use baton_record::LaneId;
use dashmap::DashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a lane is doing, as people are shown it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Doing {
    /// It has no task, or has not begun.
    #[default]
    Idle,
    /// A call of it is under way.
    Thinks,
    /// It waits for a slot, a lease, or an answer.
    Waits,
    /// It does something that is no call.
    Works,
    /// Its change is with the merger.
    Lands,
    /// It is dead, or there is nothing to do for it any more.
    Rests,
}

/// The lanes of a team.
#[derive(Debug, Default)]
pub struct Roster {
    seats: DashMap<LaneId, Seat>,
    by_name: DashMap<String, LaneId>,
    /// How many lanes have joined; they are numbered from 0.
    joined: AtomicU32,
    progress: Arc<Progress>,
}

#[derive(Debug)]
struct Seat {
    spec: Arc<LaneSpec>,
    /// Its present life, once it has one.
    address: Option<Addr<Lane>>,
    doing: Doing,
}

impl Roster {
    /// An empty roster that tells `progress` what lanes are doing.
    pub fn new(progress: Arc<Progress>) -> Roster {
        Roster { progress, ..Roster::default() }
    }

    /// A lane joins; lanes do so in the order of their identifiers. A second time changes nothing.
    pub(crate) fn join(&self, lane: LaneId, spec: &LaneSpec) {
        if lane.0 >= self.joined.load(Ordering::SeqCst) {
            let seat = Seat { spec: Arc::new(spec.clone()), address: None, doing: Doing::default() };
            self.seats.insert(lane, seat);
            self.by_name.insert(spec.name.clone(), lane);
            self.joined.store(lane.0 + 1, Ordering::SeqCst);
            self.progress.turn(None, Doing::default());
        }
    }

    /// What a lane is.
    pub fn spec(&self, lane: LaneId) -> Arc<LaneSpec> {
        self.seats.get(&lane).expect("a lane joins before anybody asks for it").spec.clone()
    }

    /// The lane of this name.
    pub fn find(&self, name: &str) -> Option<LaneId> {
        self.by_name.get(name).map(|lane| *lane)
    }

    /// A lane's present life, if it ever had one.
    pub fn address(&self, lane: LaneId) -> Option<Addr<Lane>> {
        self.seats.get(&lane)?.address.clone()
    }

    /// A lane begins a life.
    pub(crate) fn begin(&self, lane: LaneId, address: Addr<Lane>) {
        self.seats.get_mut(&lane).expect("a lane joins before it lives").address = Some(address);
    }

    /// A lane does something else from here on.
    pub(crate) fn note(&self, lane: LaneId, doing: Doing) {
        if let Some(mut seat) = self.seats.get_mut(&lane) {
            let before = std::mem::replace(&mut seat.doing, doing);
            self.progress.turn(Some(before), doing);
        }
    }

    /// What a lane is doing.
    pub fn doing(&self, lane: LaneId) -> Option<Doing> {
        self.seats.get(&lane).map(|seat| seat.doing)
    }

    /// Every lane that has joined, ascending.
    pub fn lanes(&self) -> impl Iterator<Item = LaneId> {
        (0..self.joined.load(Ordering::SeqCst)).map(LaneId)
    }
}
