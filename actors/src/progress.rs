//! How far a run is, for people who wait: written by the recorder once records are on their way, and by lanes that turn to
//! something else; read by anybody.

use crate::roster::Doing;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Counters of a run. They decide nothing.
#[derive(Debug, Default)]
pub struct Progress {
    records: AtomicU64,
    landed: AtomicU64,
    now_us: AtomicU64,
    control: AtomicBool,
    /// Lanes by what they are doing.
    doing: [AtomicU32; 6],
}

/// What [`Progress`] showed at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Records so far.
    pub records: u64,
    /// Changes landed, or written in the control run.
    pub landed: u64,
    /// The run's own time.
    pub now_us: u64,
    /// Whether this is the control run.
    pub control: bool,
    /// Lanes with a call under way.
    pub thinking: u32,
    /// Lanes that wait for a slot, a lease or an answer.
    pub waiting: u32,
    /// Lanes whose changes are with the merger.
    pub landing: u32,
}

impl Progress {
    pub(crate) fn advance(&self, records: u64, landed: u64, now_us: u64) {
        self.records.fetch_add(records, Ordering::Relaxed);
        self.landed.fetch_add(landed, Ordering::Relaxed);
        self.now_us.store(now_us, Ordering::Relaxed);
    }

    /// One more lane, or one that did something else before.
    pub(crate) fn turn(&self, before: Option<Doing>, now: Doing) {
        if let Some(before) = before {
            self.doing[before as usize].fetch_sub(1, Ordering::Relaxed);
        }
        self.doing[now as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The control run begins; everything is counted from nothing again.
    pub fn begin_control(&self) {
        for counter in [&self.records, &self.landed, &self.now_us] {
            counter.store(0, Ordering::Relaxed);
        }
        self.doing.iter().for_each(|doing| doing.store(0, Ordering::Relaxed));
        self.control.store(true, Ordering::Relaxed);
    }

    /// Where it is now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            records: self.records.load(Ordering::Relaxed),
            landed: self.landed.load(Ordering::Relaxed),
            now_us: self.now_us.load(Ordering::Relaxed),
            control: self.control.load(Ordering::Relaxed),
            thinking: self.doing[Doing::Thinks as usize].load(Ordering::Relaxed),
            waiting: self.doing[Doing::Waits as usize].load(Ordering::Relaxed),
            landing: self.doing[Doing::Lands as usize].load(Ordering::Relaxed),
        }
    }
}
