//! Facts about changes: from their submission to main, or to a refusal.

use crate::ids::{ChangeId, FaultId, Fence, LeaseId};
use crate::oid::Oid;
use serde::{Deserialize, Serialize};

/// What a change does to one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateOp {
    /// One line with the token was added at the end.
    Append,
    /// The file was changed by a rule; the token stands in it.
    Edit,
    /// The file is new; the token stands in it.
    Create,
    /// The file had the name `from`.
    Rename,
    /// The file is gone.
    Delete,
}

/// One path of a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// What was done.
    pub op: UpdateOp,
    /// The path, relative to the root of the tree, `/` between its parts.
    pub path: String,
    /// The former path of a rename.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Text that no other update of the run contains, and that stands in the file once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// A file whose content a change depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The path.
    pub path: String,
    /// Its blob when it was read; `None`: there was no such file.
    pub blob: Option<Oid>,
}

/// See [`super::Event::ChangeSubmitted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeSubmitted {
    /// The change.
    pub change: ChangeId,
    /// The commit on main that it was made from.
    pub base: Oid,
    /// The commit that proposes it; its one parent is `base`. (Control run: `base` again.)
    pub commit: Oid,
    /// The lane that made it, where another lane submits it: its reviewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// SHA-256 of the packet that its lane began the attempt with; absent: it began with none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet: Option<String>,
    /// The newest change of its task that did not merge: what is proposed now was made anew, by a lane that was told why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<ChangeId>,
    /// When its lane sent it, and made the commit; from then on it waits for the merger. (Control run: absent.)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_us: Option<u64>,
    /// The lease it was made under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseId>,
    /// That lease's fence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<Fence>,
    /// Files that must not have changed between `base` and the landing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<Read>,
    /// What it does, path by path.
    pub updates: Vec<Update>,
    /// How many actions were denied to whoever made it, so that it lacks what they would have done.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub denied: u32,
    /// How many of its actions could not be done.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// See [`super::Event::GatePassed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatePassed {
    /// The gate.
    pub gate: String,
    /// The tree that passed.
    pub tree: Oid,
}

/// See [`super::Event::GateFailed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateFailed {
    /// The gate.
    pub gate: String,
    /// The tree that did not pass.
    pub tree: Oid,
    /// One line that says why.
    pub detail: String,
}

/// How the merged tree was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Main is still the change's base: the tree is the proposed one.
    Same,
    /// In process: the two sides touch disjoint paths, or places of a text that are far enough apart.
    Walk,
    /// By git's own merge.
    Git,
}

/// See [`super::Event::ChangeIntended`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeIntended {
    /// The change.
    pub change: ChangeId,
    /// Main now; the compare of the compare-and-swap.
    pub main_before: Oid,
    /// The merge commit: parents `main_before` and the proposed commit, in this order.
    pub main_after: Oid,
    /// The tree of `main_after`.
    pub tree: Oid,
    /// How it was made.
    pub verdict: Verdict,
    /// The blob that `refs/baton/fences` must point to when main moves; `None`: no fence was ever raised.
    pub fences: Option<Oid>,
    /// The change of its row that it stands directly behind: main goes over all of a row in one move, and their intentions
    /// are written in one breath. Absent: it is the first of its row, or alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<ChangeId>,
}

/// See [`super::Event::ChangeLanded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeLanded {
    /// The change.
    pub change: ChangeId,
    /// Main before.
    pub main_before: Oid,
    /// Main after.
    pub main_after: Oid,
    /// The fault that made a restarted merger find this landing on main instead of seeing it happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// Why a change was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefuseReason {
    /// It does not merge with what landed since its base.
    Conflict,
    /// Its lease was overtaken by a newer grant.
    StaleFence,
    /// It touches a leased resource without a lease.
    NoLease,
    /// A file that it read has changed since.
    StaleRead,
    /// A gate refused the merged tree.
    Gate,
    /// A later version of its canonical artifact has landed.
    Superseded,
    /// The merged tree is main's tree: nothing would change.
    Empty,
    /// Its base is not on main.
    UnknownBase,
    /// Its lane died while it waited, or the task was given to another.
    Withdrawn,
    /// Its role may not write what it writes.
    Policy,
    /// It needs the word of a person and has none: it takes back what another lane landed, or its task says so. It may
    /// come again once a person has approved exactly it.
    NotApproved,
}

/// See [`super::Event::ChangeRefused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeRefused {
    /// The change.
    pub change: ChangeId,
    /// Why.
    pub reason: RefuseReason,
    /// The paths that it failed on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// The landed changes whose work it would take back, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undoes: Vec<ChangeId>,
    /// SHA-256 of the conflict report in the run's content store; every conflict has one, and nothing else has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`super::Event::ChangeWithdrawn`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeWithdrawn {
    /// The attempt.
    pub change: ChangeId,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`super::Event::ForeignPush`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignPush {
    /// Where the merger left main.
    pub expected: Oid,
    /// Where main is; `None`: it does not exist.
    pub found: Option<Oid>,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`super::Event::FileWritten`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileWritten {
    /// The change that the file belongs to.
    pub change: ChangeId,
    /// The path.
    pub path: String,
    /// The commit that main was set to.
    pub commit: Oid,
}

/// See [`super::Event::ChangeWritten`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeWritten {
    /// The change.
    pub change: ChangeId,
}
