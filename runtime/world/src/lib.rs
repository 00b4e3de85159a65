//! What is touched: clock and seeds, the journal's files, the repository.
//!
//! The only crate that, in a running team, opens files, starts processes and asks what time it is. Knows no rule: what
//! may happen is decided in `baton-core`.

pub mod clock;
pub mod content;
pub mod endpoint_gate;
pub mod gate;
pub mod git;
pub mod journal;
pub mod seeds;

pub use clock::{Clock, ClockKind, Stopwatch};
pub use journal::{Journal, JournalError};
pub use seeds::{Draws, Seeds};
