//! Facts about messages, pauses and injected faults.

use crate::ids::{Epoch, FaultId, LaneId};
use serde::{Deserialize, Serialize};

/// See [`super::Event::RepeatAnswered`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatAnswered {
    /// The lane's running number of the ask.
    pub ask: u32,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`super::Event::AskRepeated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskRepeated {
    /// The lane's running number of the ask.
    pub ask: u32,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`super::Event::PauseRequested`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PauseRequested {
    /// The epoch that begins (odd).
    pub epoch: Epoch,
    /// The operator.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// See [`super::Event::PauseAcknowledged`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PauseAcknowledged {
    /// The epoch.
    pub epoch: Epoch,
    /// Lanes that acknowledged: every lane that has joined, but those in `gone`.
    pub lanes: u32,
    /// Lanes that are dead and so start nothing, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<LaneId>,
}

/// See [`super::Event::Resumed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resumed {
    /// The epoch that begins (even).
    pub epoch: Epoch,
    /// The operator.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What an operator can command, beside pause and resume, which have records of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperatorCommand {
    /// Nobody begins another task; the run ends when what was begun has ended. A pause ends with it, for that: its record
    /// stands behind this one.
    Drain,
    /// The run ends now.
    Stop,
    /// The lane in the envelope dies, and is started again.
    Kill,
    /// So many clones of a role join; each has its record behind this one.
    Add,
    /// The lane in the envelope ends what it has begun and takes no more.
    Remove,
    /// The task in the envelope goes to the lane in the envelope, or to any lane of `role`.
    Reassign,
    /// Whatever the lane in the envelope holds is taken from it, and its fence shuts it out.
    Release,
    /// The task's next landing passes whatever gate refuses it.
    Override,
    /// Other limits hold; each that changes has its record behind this one.
    Budget,
    /// What waits is answered with yes; each question that is answered has its record behind this one.
    Approve,
    /// The same with no.
    Deny,
}

/// See [`super::Event::CommandGiven`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandGiven {
    /// What.
    pub command: OperatorCommand,
    /// Whose lanes join, or may take the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// How many lanes join.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lanes: Option<u32>,
    /// The operator.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl CommandGiven {
    /// A command that names no role and no number of lanes.
    pub fn plain(command: OperatorCommand, by: &str, reason: &str) -> CommandGiven {
        let (by, reason) = (by.to_owned(), reason.to_owned());
        CommandGiven { command, role: None, lanes: None, by, reason }
    }
}

/// See [`super::Event::FaultInjected`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultInjected {
    /// Which entry of `faults`.
    pub fault: FaultId,
    /// What kind: `kill`, `pause`, `restart`, `duplicate`, `delay`, `drop`, `push`.
    pub injected: String,
    /// Whom it struck.
    pub target: String,
}
