//! Scenario files: what they say, how they are read, how they are run, and what came of it.

pub mod file;
pub mod scenario;
