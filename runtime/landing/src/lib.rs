//! Landing branches on a person's main: one after another, on main as it is then, through gates, or not at all.
//!
//! A *session* ([`land`]) takes a row of branches, merges each on top of those before it, runs the gates on exactly the trees
//! that main would get, finds out whom a red one is due to, and moves main by compare-and-swap. Whatever is written down
//! before and after (see [`fact`]) lets the next session finish or forget what a killed one had begun.
//!
//! Main and branches move only through git; a person's files only where a clean checkout follows main. Prints nothing.
//!
//! Reading order: [`fact`], `log`, [`site`], [`gate_file`], [`gates`], `opening`, [`overlaps`], `chain`, [`land`], `way`, `again`, `blame`, [`outcome`], [`after`], [`rollback`], [`init`];
//! beside it [`radar`], [`prove`].

pub mod after;
mod again;
mod aside;
mod blame;
pub mod candidates;
mod chain;
mod error;
pub mod fact;
pub mod gate_file;
pub mod gates;
pub mod init;
pub mod land;
pub mod log;
mod moving;
mod opening;
pub mod outcome;
pub mod overlaps;
pub mod prove;
pub mod radar;
pub mod recovery;
pub mod rollback;
pub mod site;
mod verdicts;
mod way;

pub use chain::{GATE_FILE, Style};
pub use error::LandError;
