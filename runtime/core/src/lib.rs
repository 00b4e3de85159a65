//! What is decided: who owns which task, who holds which lease and slot, what lands next, whether effects may start.
//!
//! Pure state machines: `decide` looks at state and a command and answers with facts or a refusal; `apply` takes a
//! fact into the state. Nothing else changes state, so folding a journal gives the live state. Knows no clock (now is
//! an argument), no disk, no actor, no text and no hash.
//!
//! Reading order: [`leases`], [`ledger`], [`slots`], [`board`], [`approvals`], [`pause`], then [`supervision`] that joins
//! them with [`orders`], and
//! [`merge_queue`], which the merger owns alone, [`batch`] and [`advance`].

pub mod advance;
pub mod approvals;
pub mod batch;
pub mod board;
pub mod fact;
pub mod leases;
pub mod ledger;
pub mod merge_queue;
pub mod orders;
pub mod pause;
pub mod slots;
pub mod supervision;

pub use fact::{Fact, Refusal};
pub use merge_queue::MergeQueue;
pub use supervision::{Command, Supervision};
