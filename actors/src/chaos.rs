//! The faults of a run: which are armed, whom they strike, and what was felt because of them.
//!
//! Lanes and the post ask here at the moments in which a fault may strike. Knows no scenario file and no actor; the
//! strikes themselves are carried out, and recorded, where they happen.

use crate::team::Moment;
use baton_record::{FaultId, LaneId};
use baton_world::{Draws, Seeds};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

/// What happens to a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneFault {
    /// It dies where it is.
    Kill,
    /// It stands still for this long and knows nothing of it.
    Freeze {
        /// Microseconds.
        for_us: u64,
    },
}

/// What happens to a share of the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailFault {
    /// It arrives twice.
    Duplicate,
    /// It arrives this much later.
    Delay {
        /// Microseconds.
        by_us: u64,
    },
    /// It never arrives.
    Drop,
}

/// A fault of the mail, for a part of the run.
#[derive(Clone, Copy, Debug)]
pub struct MailFaultWindow {
    /// Which entry of the scenario.
    pub fault: FaultId,
    /// What happens.
    pub kind: MailFault,
    /// To how many of a million messages.
    pub probability_ppm: u32,
    /// From when.
    pub from_us: u64,
    /// Until when.
    pub until_us: u64,
}

/// A fault that waits for a lane to be in its moment.
#[derive(Clone, Debug)]
pub struct Armed {
    /// Which entry of the scenario.
    pub fault: FaultId,
    /// What happens.
    pub kind: LaneFault,
    /// Whom it may strike.
    pub lanes: Vec<LaneId>,
    /// In which moment; `None`: at once.
    pub moment: Option<Moment>,
}

/// The book of faults. Shared by all actors of a team.
#[derive(Debug)]
pub struct Chaos(Mutex<Book>);

#[derive(Debug)]
struct Book {
    armed: Vec<Armed>,
    mail: Vec<MailFaultWindow>,
    draws: Draws,
    /// The fault that last struck a lane's own course, until its attempt is over.
    causes: BTreeMap<LaneId, FaultId>,
    /// The fault that took or held up a message of a lane's present ask.
    lost: BTreeMap<LaneId, FaultId>,
    pushed: Option<FaultId>,
}

impl Chaos {
    /// A book in which these faults of the mail stand.
    pub fn new(seeds: &Seeds, mail: Vec<MailFaultWindow>) -> Chaos {
        let draws = seeds.child("chaos/mail").draws();
        let (causes, lost) = (BTreeMap::new(), BTreeMap::new());
        Chaos(Mutex::new(Book { armed: Vec::new(), mail, draws, causes, lost, pushed: None }))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().expect("nobody panics with the book of faults in hand")
    }

    /// From now on this fault strikes the first lane that is in its moment.
    pub fn arm(&self, armed: Armed) {
        self.book().armed.push(armed);
    }

    /// Asked by a lane in `moments`: the fault that strikes it now, if any. A fault strikes once.
    pub fn strike(&self, lane: LaneId, moments: &[Moment]) -> Option<(FaultId, LaneFault)> {
        let mut book = self.book();
        let fits = |armed: &Armed| armed.lanes.contains(&lane) && armed.moment.is_none_or(|m| moments.contains(&m));
        let at = book.armed.iter().position(fits)?;
        let Armed { fault, kind, .. } = book.armed.remove(at);
        book.causes.insert(lane, fault);
        Some((fault, kind))
    }

    /// Asked by the post for every message at `now_us`.
    pub fn strike_mail(&self, now_us: u64) -> Option<(FaultId, MailFault)> {
        let mut book = self.book();
        let book = &mut *book;
        let mut in_force = book.mail.iter().filter(|window| (window.from_us..window.until_us).contains(&now_us));
        let struck = in_force.find(|window| book.draws.chance_ppm(window.probability_ppm));
        struck.map(|window| (window.fault, window.kind))
    }

    /// The fault that struck this lane's present attempt.
    pub fn cause(&self, lane: LaneId) -> Option<FaultId> {
        self.book().causes.get(&lane).copied()
    }

    /// The lane begins something that no earlier fault has touched.
    pub fn forget_cause(&self, lane: LaneId) {
        self.book().causes.remove(&lane);
    }

    /// A message of the lane's present ask was taken or held up.
    pub fn note_lost(&self, lane: LaneId, fault: FaultId) {
        self.book().lost.insert(lane, fault);
    }

    /// What made the lane ask again; forgotten with the answer to this question.
    pub fn take_lost(&self, lane: LaneId) -> Option<FaultId> {
        self.book().lost.remove(&lane)
    }

    /// Somebody else moves main because of this fault.
    pub fn note_push(&self, fault: FaultId) {
        self.book().pushed = Some(fault);
    }

    /// The fault behind a foreign push, if it was one of the scenario's.
    pub fn foreign_push(&self) -> Option<FaultId> {
        self.book().pushed
    }
}
