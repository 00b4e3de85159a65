//! Facts about what roles may do.

use crate::ids::FaultId;
use serde::{Deserialize, Serialize};

/// See [`super::Event::RoleBound`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleBound {
    /// The role.
    pub role: String,
    /// The skill's own name: the run folder has its file as `policies/<skill>/SKILL.md`.
    pub skill: String,
    /// SHA-256 of that file, hex.
    pub digest: String,
}

/// See [`super::Event::ActionDenied`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionDenied {
    /// The tool: `Read`, `Write`, `Edit`, `Delete`, `Bash`, `Land`, `Push` or `mcp__server__tool`.
    pub tool: String,
    /// The part that decided: a resolved path, or one command.
    pub part: String,
    /// The rule as it was written; absent: no rule speaks of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Why, in one of the words `deny`, `nothing-allows`, `outside-may-write`, `outside-may-read`, `path`, `uncertain`,
    /// `too-large`, `empty`, `not-approved`.
    pub reason: String,
    /// How many were denied before it to the same attempt, or by the merger to the same change.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub number: u32,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`super::Event::ActionFailed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionFailed {
    /// The tool: `Read`, `Write` or `Delete`.
    pub tool: String,
    /// The path that it was to be done to, as far as it could be resolved.
    pub part: String,
    /// Why it could not be done.
    pub reason: FailedReason,
    /// How many failed before it in the same attempt.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub number: u32,
}

/// Why an action that its role may do could not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailedReason {
    /// Nothing of that name is there.
    NoSuchPath,
    /// A directory stands where a file is needed.
    IsDirectory,
    /// A file stands where a directory is needed.
    NotADirectory,
    /// A link or a submodule stands where a file is needed.
    NotAFile,
    /// Something is there already, and would be lost.
    Taken,
    /// No repository holds a file of that name.
    BadName,
    /// The path leads out of the workspace, or nowhere at all.
    LeadsNowhere,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}
