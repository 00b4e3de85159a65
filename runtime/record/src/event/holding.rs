//! Facts about what lanes hold: change leases with their fences, call slots, and the effects made in them.

use crate::event::budget::Bound;
use crate::ids::{ChangeId, EffectKey, EndpointId, FaultId, Fence, LeaseId, ResourceId};
use crate::oid::Oid;
use serde::{Deserialize, Serialize};

/// See [`super::Event::LeaseRequested`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseRequested {
    /// The lease that will be granted, numbered from 0 in the order of requests.
    pub lease: LeaseId,
    /// The attempt that it is for.
    pub change: ChangeId,
    /// What it is to hold, ascending, answered whole.
    pub resources: Vec<ResourceId>,
    /// How long it may be held, counted from the grant.
    pub ttl_us: u64,
}

/// See [`super::Event::LeaseGranted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseGranted {
    /// Which request.
    pub lease: LeaseId,
    /// The fence of this grant: larger than that of every earlier grant of the run.
    pub fence: Fence,
    /// When the lease expires unless released before.
    pub until_us: u64,
}

/// See [`super::Event::FenceRaised`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FenceRaised {
    /// Which grant, or which lease was taken from its holder.
    pub lease: LeaseId,
    /// Its fence, now the newest at each of `resources`.
    pub fence: Fence,
    /// The lease's resources and all that overlap with them, ascending.
    pub resources: Vec<ResourceId>,
    /// The blob that `refs/baton/fences` points to from here on.
    pub fences: Oid,
}

/// See [`super::Event::LeaseReleased`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseReleased {
    /// Which lease.
    pub lease: LeaseId,
    /// Where an operator took it from its holder: the fence that shuts the holder out, raised like that of a grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<Fence>,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`super::Event::LeaseExpired`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseExpired {
    /// Which lease.
    pub lease: LeaseId,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`super::Event::SlotRequested`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotRequested {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The effect that will begin with the grant.
    pub key: EffectKey,
    /// What it can use at most.
    pub bound: Bound,
}

/// See [`super::Event::SlotGranted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotGranted {
    /// The endpoint.
    pub endpoint: EndpointId,
}

/// See [`super::Event::SlotReleased`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotReleased {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The fault that caused it, when its holder did not give it back itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`super::Event::EffectIntended`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffectIntended {
    /// The effect.
    pub key: EffectKey,
    /// What is reserved for it, in every account above it.
    pub reserved: Bound,
}

/// See [`super::Event::EffectDone`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffectDone {
    /// The effect.
    pub key: EffectKey,
    /// Tokens sent.
    pub tokens_in: u64,
    /// Tokens received.
    pub tokens_out: u64,
    /// Money at the listed price, in millionths of a dollar.
    pub usd_micros: u64,
}
