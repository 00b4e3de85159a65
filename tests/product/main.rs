//! The whole product from outside: the binary, the folders that it leaves behind, and the rules of its house.
//!
//! Reading order: `house`, `scenarios`, `determinism`, `kills`, `workloads`, `swarm`, `bad_input`, `command_line`, `verdicts`, `report`, `plan`,
//! `gc`. The other modules start programs (`program`), make repositories (`repository`), read run folders (`run_folder`), count again
//! (`recount`) and draw (`draws`).

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests; a skipped case is said")]

mod bad_input;
mod budgets;
mod checking;
mod command_line;
mod conflict_reports;
mod determinism;
mod draws;
mod forgery;
mod full_disk;
mod gc;
mod hostile;
mod house;
mod kills;
mod left_to_people;
mod licences;
mod operators;
mod packets;
mod people;
mod plan;
mod policies;
mod program;
mod recount;
mod report;
mod repositories;
mod repository;
mod reworked;
mod rows;
mod run_folder;
mod scenarios;
mod swarm;
mod verdicts;
mod workloads;
