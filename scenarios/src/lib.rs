//! Scenario files: what they say, how they are read, how they are run, and what came of it.
//!
//! Reading order: [`scenario`], [`mod@file`], [`resolve`], `place`, `prepare`, [`run`], [`report`], [`metric`], [`outcome`]; [`mod@plan`], [`runs`], [`mod@again`].

pub mod again;
pub mod file;
pub mod fixture;
mod ground_fit;
pub mod metric;
pub mod outcome;
mod place;
pub mod plan;
mod prepare;
pub mod report;
pub mod resolve;
mod room;
pub mod run;
pub mod runs;
pub mod scenario;
pub mod shipped;
pub mod similar;
pub mod skill_shelf;
