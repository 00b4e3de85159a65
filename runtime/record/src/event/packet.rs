//! Facts about packets: what one lane hands to the next, and what becomes of it.

use crate::ids::{ChangeId, FaultId, PacketId};
use serde::{Deserialize, Serialize};

/// Why a packet is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PacketPurpose {
    /// A change is to be reviewed before it lands.
    Review,
    /// The lane's context is full: a successor of the same role goes on.
    Successor,
    /// The lane's money is over: its last turn hands back what it has.
    LastTurn,
    /// A person decides about the change before it may land.
    Approval,
}

/// See [`super::Event::PacketOffered`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PacketOffered {
    /// The packet, numbered from 0 in the order of the offers.
    pub packet: PacketId,
    /// SHA-256 of its JSON, hex: the run folder has it as `content/<first two digits>/<the others>`.
    pub digest: String,
    /// Bytes of its JSON.
    pub bytes: u64,
    /// The role that it is for.
    pub to: String,
    /// Why.
    pub purpose: PacketPurpose,
    /// The attempt that it tells of.
    pub change: ChangeId,
}

/// See [`super::Event::PacketRefused`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PacketRefused {
    /// The packet.
    pub packet: PacketId,
    /// What is wrong with it, one sentence each; at most 16.
    pub flaws: Vec<String>,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`super::Event::PacketAccepted`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PacketAccepted {
    /// The packet.
    pub packet: PacketId,
}

/// One item of a review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewItem {
    /// Which item of the packet's checklist, from 0.
    pub item: u32,
    /// Whether it holds.
    pub held: bool,
    /// Why not; empty where it holds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// See [`super::Event::ReviewGiven`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewGiven {
    /// The packet that is reviewed.
    pub packet: PacketId,
    /// Whether its change may land; else the task goes back.
    pub approved: bool,
    /// Item by item, each once, in the order of the checklist.
    pub items: Vec<ReviewItem>,
    /// How often the task's changes were reviewed since it was last begun from nothing, this time included.
    pub round: u32,
}
