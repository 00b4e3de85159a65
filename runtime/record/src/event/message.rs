//! Facts about messages, pauses and injected faults.

use crate::ids::{Epoch, FaultId};
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
    /// Lanes that acknowledged.
    pub lanes: u32,
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

/// What an operator can command, beside pause, resume and budgets, which have records of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperatorCommand {
    /// Nobody begins another task; the run ends when what was begun has ended.
    Drain,
    /// The run ends now.
    Stop,
    /// The lane in the envelope dies, and is started again.
    Kill,
    /// The lane in the envelope joins: a clone.
    Add,
    /// The lane in the envelope ends what it has begun and takes no more.
    Remove,
    /// The task in the envelope goes to the lane in the envelope.
    Reassign,
    /// The lease of the lane in the envelope ends.
    Release,
    /// The task's next landing passes whatever gate refuses it.
    Override,
}

/// See [`super::Event::CommandGiven`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandGiven {
    /// What.
    pub command: OperatorCommand,
    /// The operator.
    pub by: String,
    /// Why.
    pub reason: String,
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
