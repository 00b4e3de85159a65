//! What each role may do: skill files, the rules in them, and the judgement of every action by these rules.
//!
//! Owns the shipped roles (`<role>/SKILL.md`), the reading of such a file with all of its mistakes at once, the taking
//! apart of shell commands and paths, the verdict on an action, and what several roles of a team have against each
//! other. Deliberately knows no disk, no clock and no process: what must be known of the disk is asked through
//! [`Paths`]. Roles are files, never types.
//!
//! - [`parse`] reads a skill file; [`shipped()`] are those that come with the program; [`explain`] says more of a code.
//! - [`Policy::judge`] decides about one [`Action`].
//! - [`overlaps`] compares the roles of a team.

mod command;
mod mistake;
mod path;
mod pattern;
mod policy;
mod rule;
mod shipped;
mod skill;
mod team;

pub use mistake::{LANDS, Mistake, Severity, codes, explain};
pub use path::names::same_name;
pub use path::{Lead, PathFault, Paths, leads};
pub use pattern::Pattern;
pub use policy::{Action, Decision, List, Policy, Reason, Verdict};
pub use rule::Rule;
pub use shipped::shipped;
pub use skill::{Parsed, Skill, parse};
pub use team::{Finding, FindingKind, overlaps};
