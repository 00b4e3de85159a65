//! `baton land` from outside: real repositories, real gates, a person's checkouts, attackers and kills.
//!
//! Reading order: `site` (repositories to land on), `landing`, `blame`, `checkouts`, `in_the_way`, `conflicts`, `attacks`, `hostile_gates`, `settings`, `submodules`, `kills`, `killed_at`, `every_write`, `together`, `verbs`, `remotes`, `seen`. `program` and
//! `repository` are those of the other product tests.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests; gates are processes in real time; a skipped case is said"
)]

mod attacks;
mod blame;
mod checkouts;
mod conflicts;
mod every_write;
mod hostile_gates;
mod in_the_way;
mod killed_at;
mod kills;
mod landing;
#[path = "../product/program.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod program;
mod remotes;
#[path = "../product/repository.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod repository;
mod seen;
mod settings;
mod site;
mod submodules;
mod together;
mod verbs;
