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

fn is_zero(number: &u32) -> bool {
    *number == 0
}
