//! How far a run is, for people who wait: written by the recorder once records are on their way, read by anybody.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counters of a run. They decide nothing.
#[derive(Debug, Default)]
pub struct Progress {
    records: AtomicU64,
    landed: AtomicU64,
    now_us: AtomicU64,
    control: AtomicBool,
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
}

impl Progress {
    pub(crate) fn advance(&self, records: u64, landed: u64, now_us: u64) {
        self.records.fetch_add(records, Ordering::Relaxed);
        self.landed.fetch_add(landed, Ordering::Relaxed);
        self.now_us.store(now_us, Ordering::Relaxed);
    }

    /// The control run begins; everything is counted from nothing again.
    pub fn begin_control(&self) {
        for counter in [&self.records, &self.landed, &self.now_us] {
            counter.store(0, Ordering::Relaxed);
        }
        self.control.store(true, Ordering::Relaxed);
    }

    /// Where it is now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            records: self.records.load(Ordering::Relaxed),
            landed: self.landed.load(Ordering::Relaxed),
            now_us: self.now_us.load(Ordering::Relaxed),
            control: self.control.load(Ordering::Relaxed),
        }
    }
}
