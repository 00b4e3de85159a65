//! Facts about lanes and tasks: who exists, who owns what, who died.

use crate::ids::{ChangeId, EndpointId, FaultId, LaneId};
use serde::{Deserialize, Serialize};

/// See [`super::Event::LaneJoined`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneJoined {
    /// The identifier, numbered from 0.
    pub id: LaneId,
    /// Its role.
    pub role: String,
    /// The model that thinks in it.
    pub model: EndpointId,
}

/// See [`super::Event::TaskAdded`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskAdded {
    /// The role whose lanes may take it.
    pub role: String,
    /// Attempts after which it is given up.
    pub attempts_max: u32,
    /// The path of its one canonical artifact, if it has one.
    pub artifact: Option<String>,
    /// Its group in the scenario, from 0; absent: 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub group: u16,
    /// Groups that must have ended before it is begun.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<u16>,
    /// The role that reviews its changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<String>,
    /// Reviews after which a person decides; absent: there are no reviews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds_max: Option<u32>,
    /// A person decides about its change before it lands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plan: bool,
}

/// See [`super::Event::TaskAssigned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskAssigned {
    /// The attempt that begins, from 1. A reworked change is a new attempt.
    pub attempt: u32,
}

/// Why a task lost its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReturnReason {
    /// Its owner died.
    LaneDied,
    /// Its change was refused; it may be tried again.
    Refused,
    /// No call of its owner fits under a limit any more.
    BudgetOver,
    /// Its packet was accepted: the next lane takes it.
    HandedOver,
    /// Its change was reviewed and has to be made again.
    SentBack,
    /// A person decides about it; until then nobody takes it.
    WaitsForPerson,
    /// An operator has given it to another lane.
    Reassigned,
    /// Nothing is left of its change that the role may do.
    Denied,
    /// Its owner made no packet that is whole.
    NoPacket,
}

/// See [`super::Event::TaskReturned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskReturned {
    /// Why.
    pub reason: ReturnReason,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`super::Event::TaskDone`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskDone {
    /// The landed change (in the control run: the written one).
    pub change: ChangeId,
}

/// Why a task was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailReason {
    /// `attempts_max` changes were refused.
    AttemptsUsedUp,
    /// A person, or time, said no.
    NotApproved,
    /// A task that it comes after was given up.
    Prerequisite,
    /// Nothing of what it consists of changes a file, so that no change of it can ever land.
    NothingToLand,
}

/// See [`super::Event::TaskFailed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskFailed {
    /// Why.
    pub reason: FailReason,
}

/// Why a lane is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeathReason {
    /// A fault killed it.
    Killed,
    /// Its script crashed it.
    Crashed,
    /// An operator killed it.
    Operator,
    /// It panicked.
    Panicked,
    /// It was found dead and nobody knows why.
    FoundDead,
}

/// See [`super::Event::LaneDied`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneDied {
    /// Why.
    pub reason: DeathReason,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`super::Event::LaneRestarted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneRestarted {
    /// How often this lane was restarted, this time included.
    pub restarts: u32,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`super::Event::ActorRestarted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActorRestarted {
    /// How often this actor was restarted, this time included.
    pub restarts: u32,
    /// Records that were folded.
    pub folded: u64,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

fn is_zero(number: &u16) -> bool {
    *number == 0
}
