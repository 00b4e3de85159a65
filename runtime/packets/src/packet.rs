//! The form of a packet: what one lane hands to the next, and nothing beside it.
//!
//! Owns the types and how they are written. Does not know what makes a packet whole; [`crate::read`](mod@crate::read) and
//! [`crate::resolve`](mod@crate::resolve) do.

use serde::Serialize;

/// The only version of the format so far.
pub const FORMAT: u32 = 1;
/// No packet is larger.
pub const BYTES_MAX: usize = 64 * 1024;

/// What a packet is handed on for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A change is to be judged before it lands.
    Review,
    /// A context is full: a successor of the same role goes on.
    Successor,
    /// A budget is used up: this is what there is.
    LastTurn,
    /// A person has to say yes to a change.
    Approval,
}

/// A packet. The order of the fields is the order in which they are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Packet {
    /// [`FORMAT`].
    pub v: u32,
    /// The run: 16 hex digits.
    pub run: String,
    /// The task: `T-17`.
    pub task: String,
    /// The lane that hands it on: `implementer.3`.
    pub from: String,
    /// The role that it is for.
    pub to: String,
    /// Why.
    pub purpose: Purpose,
    /// The commit that the work is based on, if it has begun from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The attempt that it tells of: `C-17.2`.
    pub change: String,
    /// What is claimed, item by item; at least one.
    pub checklist: Vec<Item>,
    /// Where the evidence lies.
    pub links: Vec<Link>,
    /// What may go wrong and is not settled.
    pub risks: Vec<String>,
    /// What was decided, and what that overrides.
    pub decisions: Vec<Decision>,
    /// What nobody could answer.
    pub questions: Vec<String>,
    /// How far the work is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// The stop condition that was met.
    pub stop: String,
    /// SHA-256 of the packet that the lane itself began with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
}

/// Where one claim stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemState {
    /// It holds, and evidence says so.
    Done,
    /// It is still to be done.
    Open,
    /// Nobody has looked.
    NotChecked,
}

/// One claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// What is claimed.
    pub claim: String,
    /// Whether it holds.
    pub state: ItemState,
    /// Places in `links` that prove it, each once.
    pub evidence: Vec<u32>,
}

/// What kind of place a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// Bytes in the run's content store, by their SHA-256.
    Content,
    /// A file of the base commit.
    File,
    /// Somewhere else. It is never fetched, and proves nothing by itself.
    Url,
}

/// One link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// What is there; the change that a packet explains is called `change`.
    pub what: String,
    /// Where it leads.
    pub kind: LinkKind,
    /// The path of a file, or the address; empty for content.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// SHA-256 of content and of what was seen at an address; of a file the name of its blob.
    pub digest: String,
    /// Bytes of content; absent for everything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Its name: lower-case letters, digits and hyphens.
    pub id: String,
    /// What was decided.
    pub text: String,
    /// Names of decisions that it takes the place of: of this packet, or of those before it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<String>,
}

/// How far work is, in the calls that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Calls that have ended.
    pub done: u32,
    /// Calls before the work is done.
    pub of: u32,
}

impl Packet {
    /// The packet's JSON, on one line.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a packet is texts, numbers and lists")
    }
}
