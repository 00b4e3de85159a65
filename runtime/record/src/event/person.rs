//! Facts about people: what waits for them, what they decide, and which of their words came too late.

use crate::ids::{ApprovalId, ChangeId, PacketId};
use crate::oid::Oid;
use serde::{Deserialize, Serialize};

/// What a person is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalSubject {
    /// A change that takes back what another lane landed.
    Undo,
    /// An action that the role's policy leaves to a person.
    Action,
    /// A change that was sent back as often as it may be.
    Rounds,
    /// A change whose task says that a person decides.
    Plan,
}

impl ApprovalSubject {
    /// Every subject with its word on the wire.
    pub const ALL: [(&str, ApprovalSubject); 4] = [
        ("undo", ApprovalSubject::Undo),
        ("action", ApprovalSubject::Action),
        ("rounds", ApprovalSubject::Rounds),
        ("plan", ApprovalSubject::Plan),
    ];

    /// The word on the wire.
    pub fn word(self) -> &'static str {
        ApprovalSubject::ALL[self as usize].0
    }
}

/// What happens when nobody answers in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalThen {
    /// It counts as approved.
    Approve,
    /// It counts as denied.
    Deny,
    /// The run ends, and waits for a person.
    Stop,
}

/// See [`super::Event::ApprovalAsked`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalAsked {
    /// The question, numbered from 0.
    pub approval: ApprovalId,
    /// What it is about.
    pub subject: ApprovalSubject,
    /// The attempt that waits.
    pub change: ChangeId,
    /// The packet that lies with its task: the change as the person sees it is in it, and no other lands.
    pub packet: PacketId,
    /// The paths that it is about, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// The landed changes whose work it takes back, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undoes: Vec<ChangeId>,
    /// One line for the person: the rule, the lanes whose work it takes back, the reviews.
    pub detail: String,
    /// When it is answered at the latest.
    pub until_us: u64,
    /// What happens then.
    pub then: ApprovalThen,
}

/// See [`super::Event::ApprovalGiven`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalGiven {
    /// The question.
    pub approval: ApprovalId,
    /// Yes or no.
    pub approved: bool,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// See [`super::Event::ApprovalTimedOut`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalTimedOut {
    /// The question.
    pub approval: ApprovalId,
    /// What happens now.
    pub then: ApprovalThen,
}

/// See [`super::Event::OverrideRecorded`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideRecorded {
    /// The change that may land.
    pub change: ChangeId,
    /// The gate that refused it.
    pub gate: String,
    /// The tree that it refused.
    pub tree: Oid,
    /// Who lets it through.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Why an operator's command changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommandRefusal {
    /// Nothing that it speaks of waits for a person.
    NothingWaits,
    /// It was decided before, by a person or by time.
    Decided,
    /// It is so already.
    AlreadySo,
    /// What it names has ended, or does not exist.
    Gone,
    /// A cap is reached.
    Full,
}

/// See [`super::Event::CommandRefused`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandRefused {
    /// The command, as the scenario writes it.
    pub command: String,
    /// The operator.
    pub by: String,
    /// Why the operator gave it.
    pub reason: String,
    /// Why it changes nothing.
    pub why: CommandRefusal,
}
