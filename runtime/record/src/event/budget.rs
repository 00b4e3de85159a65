//! Facts about budgets: limits, and calls that ended otherwise than with an answer.

use crate::ids::{EffectKey, EndpointId, FaultId};
use serde::{Deserialize, Serialize};

/// What a call can use at most. Reserved before it begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// Tokens sent and received together.
    pub tokens: u64,
    /// Money at the listed price, in millionths of a dollar.
    pub usd_micros: u64,
}

/// What may be used in all. Absent: without limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// Tokens sent and received together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Millionths of a dollar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd_micros: Option<u64>,
}

/// Whose limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BudgetScope {
    /// All lanes together.
    Run,
    /// All lanes of one role together.
    Role,
    /// One lane.
    Lane,
    /// Each single call.
    Call,
}

/// See [`super::Event::BudgetSet`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetSet {
    /// Whose limit; a lane's is that of the lane in the envelope.
    pub scope: BudgetScope,
    /// The role of a role's limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The limit. It takes the place of the one before and binds new reservations only; what an operator did not name is in
    /// it as it was.
    pub limit: Limit,
    /// The operator who set it; absent: the scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// See [`super::Event::CallRefused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRefused {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The call.
    pub key: EffectKey,
    /// Whose limit it does not fit under any more.
    pub scope: BudgetScope,
}

/// See [`super::Event::EffectFailed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffectFailed {
    /// The effect.
    pub key: EffectKey,
    /// What the endpoint said: an HTTP status.
    pub status: u16,
    /// How long the endpoint wants to be left alone.
    pub retry_after_us: u64,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`super::Event::EffectLost`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffectLost {
    /// The effect.
    pub key: EffectKey,
    /// What is billed for it: its bound, since nobody knows better.
    pub billed: Bound,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// Why a lane takes no more work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetireReason {
    /// No call of it fits under a limit any more.
    BudgetOver,
    /// An operator has taken it out of the team.
    Removed,
}

/// See [`super::Event::LaneRetired`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneRetired {
    /// Why.
    pub reason: RetireReason,
}

/// See [`super::Event::CallAdmitted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallAdmitted {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The call.
    pub key: EffectKey,
}
