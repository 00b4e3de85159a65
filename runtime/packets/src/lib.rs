//! Packets: what one lane hands to the next, as JSON with a version.
//!
//! A packet says which task and attempt it tells of, what is claimed and what proves it, where the evidence lies under which
//! hash, what is not settled, and what was decided. [`read`](fn@read) finds everything that is wrong with its form at once;
//! [`resolve`](fn@resolve) whether its links lead to what they say. Pure: knows no disk, no clock and no journal.
//!
//! Reading order: [`packet`], `json`, `spelling`, [`mod@read`], [`mod@resolve`], [`truth`], [`flaw`]; [`conflict`] for itself.

pub mod conflict;
pub mod flaw;
mod json;
pub mod packet;
pub mod read;
pub mod resolve;
mod spelling;
pub mod truth;

pub use conflict::ConflictReport;
pub use conflict::truth::compare_report;
pub use flaw::{Flaw, codes, explain};
pub use packet::{BYTES_MAX, Decision, FORMAT, Item, ItemState, Link, LinkKind, Packet, Progress, Purpose};
pub use read::{is_report, locate, read, read_report};
pub use resolve::{Ground, resolve};
pub use spelling::{is_path, one_line};
pub use truth::{Run, compare};

/// The published JSON Schema (draft 2020-12). It says of every single part what [`fn@read`] does; what the parts say about
/// each other beyond that, and where links lead, no schema can.
pub const SCHEMA: &str = include_str!("../../../docs/packet.schema.json");

/// The published JSON Schema of conflict reports, on the same terms.
pub const REPORT_SCHEMA: &str = include_str!("../../../docs/conflict-report.schema.json");
