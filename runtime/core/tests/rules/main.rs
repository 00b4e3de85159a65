//! The rules of the cores, each as a claim: first told by example, then for any sequence of commands against
//! reference models that share nothing with the production code but its commands and refusals.
//!
//! Reading order: [`team`], [`tape`], the examples, the models, then [`any_order`] that joins them; beside them [`advance`].

#![allow(clippy::unwrap_used, reason = "tests")]

mod advance;
mod advance_model;
mod advance_people;
mod any_order;
mod approvals;
mod board;
mod budgets;
mod crowd;
mod handing;
mod lease_model;
mod leases;
mod merge_queue;
mod order_model;
mod orders;
mod pause;
mod pause_model;
mod room_model;
mod slot_model;
mod slots;
mod tape;
mod task_model;
mod team;
mod way_model;
