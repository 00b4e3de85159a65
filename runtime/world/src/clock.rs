//! The clock of a run: virtual in `sim`, real in `live`, the same calls in both.
//!
//! In `sim` the runtime is tokio's current-thread runtime with paused time: when nobody has anything to do, time jumps
//! to the next timer. It has no I/O driver and no second thread, so the same seed gives the same order of events.

use std::io;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

/// Which clock a run lives by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockKind {
    /// Jumps from timer to timer.
    Virtual,
    /// The machine's.
    Real,
}

/// The runtime that a run of this kind lives on.
pub fn runtime(kind: ClockKind) -> io::Result<Runtime> {
    let mut builder = Builder::new_current_thread();
    builder.enable_time();
    if kind == ClockKind::Virtual {
        builder.start_paused(true);
    }
    builder.build()
}

/// Time since the run's start. Copied into everything that may ask for it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    kind: ClockKind,
}

impl Clock {
    /// A clock that starts now. Must be called inside of a [`runtime`] of the same kind.
    pub fn start(kind: ClockKind) -> Clock {
        Clock { start: Instant::now(), kind }
    }

    /// Which clock this is.
    pub fn kind(&self) -> ClockKind {
        self.kind
    }

    /// Microseconds since the start.
    pub fn now_us(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    /// Waits. In virtual time the resolution is a millisecond.
    pub async fn sleep_us(&self, us: u64) {
        tokio::time::sleep(Duration::from_micros(us)).await;
    }
}

/// The machine's clock, for what is measured about a run from outside of it: never part of a journal in `sim`.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts to measure.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn start() -> Stopwatch {
        Stopwatch(std::time::Instant::now())
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// Seconds since 1970, for commits of a live run.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's calendar")]
pub fn unix_seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() as i64)
}

/// Waits in real time, whatever the world: for another process.
#[expect(clippy::disallowed_methods, reason = "another process lives in real time")]
pub fn wait_for_process(time: Duration) {
    std::thread::sleep(time);
}
