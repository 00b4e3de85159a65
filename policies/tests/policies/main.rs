//! Tests of the crate as its users see it.

#![allow(clippy::unwrap_used, reason = "tests")]

mod commands;
mod files;
mod ground;
mod hidden;
mod mistakes;
mod properties;
