//! The faults of a run: which are armed, whom they strike, and what was felt because of them.
//!
//! Lanes and the post ask here at the moments in which a fault may strike. Knows no scenario file and no actor; the
//! strikes themselves are carried out, and recorded, where they happen.

use crate::team::{LaneSpec, Moment, Spoil, Whom};
use baton_record::{EndpointId, FaultId, LaneId, TaskId};
use baton_world::{Draws, Seeds};
use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard};

/// The window in which an endpoint counts its calls.
const MINUTE_US: u64 = 60_000_000;
/// What an endpoint says whose rate is used up.
const TOO_MANY_REQUESTS: u16 = 429;
/// What it says when it has too much to do.
const OVERLOADED: u16 = 529;

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
    /// The next packet that it hands on is spoiled.
    Spoil(Spoil),
    /// It looks away from its policy while it makes its next change.
    IgnorePolicy,
}

/// What makes endpoints refuse calls.
#[derive(Clone, Debug, Default)]
pub struct Weather {
    /// When they refuse every call.
    pub storms: Vec<Storm>,
    /// When they take only so many at once.
    pub overloads: Vec<Overload>,
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

/// A time in which an endpoint refuses calls.
#[derive(Clone, Copy, Debug)]
pub struct Storm {
    /// Which entry of the scenario.
    pub fault: FaultId,
    /// Where.
    pub endpoint: EndpointId,
    /// What it says: an HTTP status.
    pub status: u16,
    /// How long it wants to be left alone after each refusal.
    pub retry_after_us: u64,
    /// From when.
    pub from_us: u64,
    /// Until when.
    pub until_us: u64,
}

/// A time in which an endpoint has too much to do.
#[derive(Clone, Copy, Debug)]
pub struct Overload {
    /// Which entry of the scenario.
    pub fault: FaultId,
    /// Where.
    pub endpoint: EndpointId,
    /// How many calls it takes at once.
    pub above: u32,
    /// How long it wants to be left alone after each refusal.
    pub retry_after_us: u64,
    /// From when.
    pub from_us: u64,
    /// Until when.
    pub until_us: u64,
}

/// What an endpoint says to a call that it does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotTaken {
    /// An HTTP status.
    pub status: u16,
    /// How long it wants to be left alone.
    pub retry_after_us: u64,
    /// The fault that caused it; `None`: there were more calls than its rate allows.
    pub fault: Option<FaultId>,
    /// What kind of fault that is.
    pub injected: &'static str,
}

/// A fault that waits for a lane to be in its moment.
#[derive(Clone, Debug)]
pub struct Armed {
    /// Which entry of the scenario.
    pub fault: FaultId,
    /// What happens.
    pub kind: LaneFault,
    /// Whom it may strike.
    pub whom: Whom,
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
    weather: Weather,
    /// By endpoint with overloads: until when it works on each call that it took.
    busy_until: BTreeMap<EndpointId, Vec<u64>>,
    /// By endpoint: when it took the calls of the last minute.
    taken: BTreeMap<EndpointId, VecDeque<u64>>,
    draws: Draws,
    /// The fault that last struck a lane's own course, until its attempt is over.
    causes: BTreeMap<LaneId, FaultId>,
    /// The fault that took or held up a message of a lane's present ask.
    lost: BTreeMap<LaneId, FaultId>,
    pushed: Option<FaultId>,
    /// Who made the present change of a task without looking at its policy.
    ignored: BTreeMap<(TaskId, LaneId), FaultId>,
}

impl Book {
    /// The overload in force at the endpoint, if it works on as many calls already as it takes.
    fn overload(&mut self, endpoint: EndpointId, now_us: u64) -> Option<Overload> {
        let busy = self.busy_until.get_mut(&endpoint)?;
        busy.retain(|until_us| *until_us > now_us);
        let in_force = |overload: &&Overload| {
            let blows = (overload.from_us..overload.until_us).contains(&now_us);
            overload.endpoint == endpoint && blows && busy.len() >= overload.above as usize
        };
        self.weather.overloads.iter().find(in_force).copied()
    }
}

impl Chaos {
    /// A book in which these faults of the mail and of the endpoints stand.
    pub fn new(seeds: &Seeds, mail: Vec<MailFaultWindow>, weather: Weather) -> Chaos {
        let draws = seeds.child("chaos/mail").draws();
        let (causes, lost) = (BTreeMap::new(), BTreeMap::new());
        let (taken, armed, ignored) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        let busy_until = weather.overloads.iter().map(|overload| (overload.endpoint, Vec::new())).collect();
        let pushed = None;
        Chaos(Mutex::new(Book { armed, mail, weather, busy_until, taken, draws, causes, lost, pushed, ignored }))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().expect("nobody panics with the book of faults in hand")
    }

    /// From now on this fault strikes the first lane that is in its moment.
    pub fn arm(&self, armed: Armed) {
        self.book().armed.push(armed);
    }

    /// Asked by a lane in `moments`: the fault that strikes it now, if any. A fault strikes once.
    pub fn strike(&self, (lane, spec): (LaneId, &LaneSpec), moments: &[Moment]) -> Option<(FaultId, LaneFault)> {
        let mut book = self.book();
        let fits = |armed: &Armed| {
            let elsewhere = matches!(armed.kind, LaneFault::Spoil(_) | LaneFault::IgnorePolicy);
            !elsewhere && armed.whom.fits(spec) && armed.moment.is_none_or(|m| moments.contains(&m))
        };
        let at = book.armed.iter().position(fits)?;
        let Armed { fault, kind, .. } = book.armed.remove(at);
        book.causes.insert(lane, fault);
        Some((fault, kind))
    }

    /// Asked by a lane that hands a packet on: what spoils it, if anything. A fault strikes once.
    pub fn strike_packet(&self, spec: &LaneSpec) -> Option<(FaultId, Spoil)> {
        let mut book = self.book();
        let fits = |armed: &Armed| matches!(armed.kind, LaneFault::Spoil(_)) && armed.whom.fits(spec);
        let at = book.armed.iter().position(fits)?;
        let Armed { fault, kind: LaneFault::Spoil(spoil), .. } = book.armed.remove(at) else { return None };
        Some((fault, spoil))
    }

    /// Asked by a lane that begins to make a change: what makes it look away from its policy. A fault strikes once.
    pub fn strike_policy(&self, (lane, spec): (LaneId, &LaneSpec), task: TaskId) -> Option<FaultId> {
        let mut book = self.book();
        book.ignored.remove(&(task, lane));
        let fits = |armed: &Armed| matches!(armed.kind, LaneFault::IgnorePolicy) && armed.whom.fits(spec);
        let at = book.armed.iter().position(fits)?;
        let fault = book.armed.remove(at).fault;
        book.ignored.insert((task, lane), fault);
        Some(fault)
    }

    /// What made a lane look away from its policy while it made its present change of this task.
    pub fn ignored(&self, task: TaskId, lane: LaneId) -> Option<FaultId> {
        self.book().ignored.get(&(task, lane)).copied()
    }

    /// Asked by the post for every message at `now_us`.
    pub fn strike_mail(&self, now_us: u64) -> Option<(FaultId, MailFault)> {
        let mut book = self.book();
        let book = &mut *book;
        let mut in_force = book.mail.iter().filter(|window| (window.from_us..window.until_us).contains(&now_us));
        let struck = in_force.find(|window| book.draws.chance_ppm(window.probability_ppm));
        struck.map(|window| (window.fault, window.kind))
    }

    /// Told by a lane whose call the endpoint has taken: it works on it until then, whatever becomes of the lane.
    pub fn take_call(&self, endpoint: EndpointId, until_us: u64) {
        if let Some(busy) = self.book().busy_until.get_mut(&endpoint) {
            busy.push(until_us);
        }
    }

    /// Asked by a lane whose call begins at `now_us`: what the endpoint says if it does not take it. An endpoint with a
    /// rate takes no more calls than that in any minute, whoever makes them.
    pub fn refuse_call(&self, endpoint: EndpointId, rate: Option<NonZeroU32>, now_us: u64) -> Option<NotTaken> {
        let mut book = self.book();
        let blows = |storm: &&Storm| storm.endpoint == endpoint && (storm.from_us..storm.until_us).contains(&now_us);
        if let Some(Storm { fault, status, retry_after_us, .. }) = book.weather.storms.iter().find(blows).copied() {
            return Some(NotTaken { status, retry_after_us, fault: Some(fault), injected: "storm" });
        }
        if let Some(Overload { fault, retry_after_us, .. }) = book.overload(endpoint, now_us) {
            let (fault, injected) = (Some(fault), "overload");
            return Some(NotTaken { status: OVERLOADED, retry_after_us, fault, injected });
        }
        let rate = rate?.get() as usize;
        let taken = book.taken.entry(endpoint).or_default();
        while taken.front().is_some_and(|first| first + MINUTE_US <= now_us) {
            taken.pop_front();
        }
        match taken.front() {
            Some(first) if taken.len() >= rate => {
                let retry_after_us = first + MINUTE_US - now_us;
                Some(NotTaken { status: TOO_MANY_REQUESTS, retry_after_us, fault: None, injected: "" })
            }
            _ => {
                taken.push_back(now_us);
                None
            }
        }
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
