//! Everything that can be written down: past facts, one variant each, with the data that a fold needs.
//!
//! The envelope of the line (see [`crate::line`]) says who and about what: a lane or task that a fact
//! belongs to stands there and not in `data`. Times are microseconds since the run's start. A `fault`
//! is present only where an injected fault changed what someone did: that is what *felt* means.
//! A new fact is a new variant; a changed one needs a new [`crate::FORMAT`].

use crate::ids::{ChangeId, EffectKey, EndpointId, Epoch, FaultId, Fence, LaneId, LeaseId, ResourceId};
use crate::oid::Oid;
use serde::{Deserialize, Serialize};

/// One past fact. On the wire: `"kind":"<variant>","data":{…}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", deny_unknown_fields)]
pub enum Event {
    /// First record of every journal. Actor `run`.
    RunStarted(RunStarted),
    /// Last record of every run that ended in order. Actor `run`.
    RunStopped(RunStopped),
    /// Last line of a segment that is followed by another. Actor `recorder`.
    SegmentClosed(SegmentClosed),
    /// A pattern got its identifier. Actor `run`.
    ResourceNamed(ResourceNamed),
    /// A model endpoint got its identifier. Actor `run`.
    EndpointNamed(EndpointNamed),
    /// A gate that every landing must pass exists. Actor `run`.
    GateNamed(GateNamed),
    /// A lane exists from here on; the envelope has its name. Actor `supervisor`.
    LaneJoined(LaneJoined),
    /// A task exists from here on, and nobody owns it. Actor `supervisor`.
    TaskAdded(TaskAdded),
    /// The lane in the envelope owns the task from here on. Actor `supervisor`.
    TaskAssigned(TaskAssigned),
    /// The lane in the envelope owns the task no more; nobody does. Actor `supervisor`.
    TaskReturned(TaskReturned),
    /// The task is done by a landed change; its owner is free. Actor `supervisor`.
    TaskDone(TaskDone),
    /// The task is given up; its owner is free. Actor `supervisor`.
    TaskFailed(TaskFailed),
    /// A lane asks for a change lease and waits in line. Actor `supervisor`.
    LeaseRequested(LeaseRequested),
    /// The lease is decided for the lane; it may be used once answered. Actor `supervisor`.
    LeaseGranted(LeaseGranted),
    /// The grant's fence stands at the resource; the answer goes out after this. Actor `merger`.
    FenceRaised(FenceRaised),
    /// The lease ended as its holder wished, or a waiting request was withdrawn. Actor `supervisor`.
    LeaseReleased(LeaseReleased),
    /// The lease ended because its time was over. Actor `supervisor`.
    LeaseExpired(LeaseExpired),
    /// A lane asks for a slot at an endpoint and waits in line. Actor `supervisor`.
    SlotRequested(SlotRequested),
    /// The lane has the slot (a call lease). Actor `supervisor`.
    SlotGranted(SlotGranted),
    /// The slot is free again. Actor `supervisor`.
    SlotReleased(SlotReleased),
    /// An effect that costs something is about to begin. Actor `supervisor`, on behalf of the lane.
    EffectIntended(EffectIntended),
    /// It ended. Actor `supervisor`, on behalf of the lane.
    EffectDone(EffectDone),
    /// The merger took a change into its queue. Actor `merger`.
    ChangeSubmitted(ChangeSubmitted),
    /// A gate passed exactly this tree. Actor `merger`.
    GatePassed(GatePassed),
    /// A gate refused exactly this tree. Actor `merger`.
    GateFailed(GateFailed),
    /// The merger is about to move main. Durable before the ref moves. Actor `merger`.
    ChangeIntended(ChangeIntended),
    /// Main was moved. Actor `merger`.
    ChangeLanded(ChangeLanded),
    /// The change will not land; the answer to its lane follows. Actor `merger`.
    ChangeRefused(ChangeRefused),
    /// An attempt whose lane died is closed before any change of it arrived: none of it will be taken. Actor `merger`.
    ChangeWithdrawn(ChangeWithdrawn),
    /// Main is not where the merger left it. Nothing lands after this. Actor `merger`.
    ForeignPush(ForeignPush),
    /// The same ask or submission came again and was answered without acting twice. Actor: who answered.
    RepeatAnswered(RepeatAnswered),
    /// A lane had no answer in time and asked again. Actor `supervisor` or `merger`, where the repeat arrived.
    AskRepeated(AskRepeated),
    /// An operator's command was accepted; nobody starts an effect in this epoch. Actor `supervisor`.
    PauseRequested(PauseRequested),
    /// Every lane and the merger are known to have stopped starting effects. Actor `supervisor`.
    PauseAcknowledged(PauseAcknowledged),
    /// Effects may start again. Actor `supervisor`.
    Resumed(Resumed),
    /// An entry of the scenario's `faults` struck. Actor `run`.
    FaultInjected(FaultInjected),
    /// The lane in the envelope is gone. Actor `supervisor`.
    LaneDied(LaneDied),
    /// The lane in the envelope was started again. Actor `supervisor`.
    LaneRestarted(LaneRestarted),
    /// An actor other than a lane folded the journal and went on. Actor: who restarted.
    ActorRestarted(ActorRestarted),
    /// Control run only: a lane wrote one file straight to main. Actor `lane`.
    FileWritten(FileWritten),
    /// Control run only: a lane believes its change to be complete. Actor `lane`.
    ChangeWritten(ChangeWritten),
}

/// Where a scenario runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorldKind {
    /// Virtual time, seeded, deterministic.
    Sim,
    /// The real clock.
    Live,
}

/// See [`Event::RunStarted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunStarted {
    /// Version of the product that wrote this.
    pub version: String,
    /// Identity of the run: 16 hex digits, a digest of scenario, seed, version and world (in `live` also of the start).
    pub run: String,
    /// Name of the scenario.
    pub scenario: String,
    /// SHA-256 of the scenario file, hex.
    pub scenario_hash: String,
    /// The seed.
    pub seed: u64,
    /// Where the run takes place.
    pub world: WorldKind,
    /// Main before the first landing.
    pub base: Oid,
    /// Whether this is the control run, in which lanes write to main directly.
    pub control: bool,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// Every task is done or given up.
    TasksEnded,
    /// The scenario's `stop.after` is over.
    TimeOver,
    /// A person ended it.
    Operator,
    /// Somebody else moved main.
    ForeignPush,
    /// Nothing is left that could ever happen, though tasks are open.
    Stuck,
}

/// See [`Event::RunStopped`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunStopped {
    /// The stop condition that was met.
    pub reason: StopReason,
    /// Main at the end.
    pub main: Oid,
    /// Changes landed (in the control run: written).
    pub landed: u64,
    /// Changes refused.
    pub refused: u64,
}

/// See [`Event::SegmentClosed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentClosed {
    /// Number of the segment that ends with this line, from 0.
    pub segment: u32,
    /// Lines in it, this one included.
    pub records: u64,
}

/// See [`Event::ResourceNamed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceNamed {
    /// The identifier, numbered from 0.
    pub resource: ResourceId,
    /// A literal path, or `dir/**` for everything below a directory (`**`: everything).
    pub pattern: String,
    /// Resources named earlier whose patterns overlap with this one.
    pub overlaps: Vec<ResourceId>,
}

/// See [`Event::EndpointNamed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointNamed {
    /// The identifier, numbered from 0.
    pub endpoint: EndpointId,
    /// The model's name in the scenario.
    pub name: String,
    /// Calls that may be under way at once; 0: no limit.
    pub slots: u32,
}

/// See [`Event::GateNamed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateNamed {
    /// The gate's name in the scenario.
    pub gate: String,
}

/// See [`Event::LaneJoined`].
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

/// See [`Event::TaskAdded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskAdded {
    /// The role whose lanes may take it.
    pub role: String,
    /// Attempts after which it is given up.
    pub attempts_max: u32,
    /// The path of its one canonical artifact, if it has one.
    pub artifact: Option<String>,
}

/// See [`Event::TaskAssigned`].
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
}

/// See [`Event::TaskReturned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskReturned {
    /// Why.
    pub reason: ReturnReason,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`Event::TaskDone`].
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
}

/// See [`Event::TaskFailed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskFailed {
    /// Why.
    pub reason: FailReason,
}

/// See [`Event::LeaseRequested`].
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

/// See [`Event::LeaseGranted`].
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

/// See [`Event::FenceRaised`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FenceRaised {
    /// Which grant.
    pub lease: LeaseId,
    /// Its fence, now the newest at each of `resources`.
    pub fence: Fence,
    /// The lease's resources and all that overlap with them, ascending.
    pub resources: Vec<ResourceId>,
    /// The blob that `refs/baton/fences` points to from here on.
    pub fences: Oid,
}

/// See [`Event::LeaseReleased`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseReleased {
    /// Which lease.
    pub lease: LeaseId,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`Event::LeaseExpired`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseExpired {
    /// Which lease.
    pub lease: LeaseId,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`Event::SlotRequested`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotRequested {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The effect that will begin with the grant.
    pub key: EffectKey,
}

/// See [`Event::SlotGranted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotGranted {
    /// The endpoint.
    pub endpoint: EndpointId,
}

/// See [`Event::SlotReleased`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotReleased {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The fault that caused it, when its holder did not give it back itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`Event::EffectIntended`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffectIntended {
    /// The effect.
    pub key: EffectKey,
}

/// See [`Event::EffectDone`].
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

/// See [`Event::ChangeSubmitted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeSubmitted {
    /// The change.
    pub change: ChangeId,
    /// The commit on main that it was made from.
    pub base: Oid,
    /// The commit that proposes it; its one parent is `base`. (Control run: `base` again.)
    pub commit: Oid,
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
}

/// See [`Event::GatePassed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatePassed {
    /// The gate.
    pub gate: String,
    /// The tree that passed.
    pub tree: Oid,
}

/// See [`Event::GateFailed`].
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
    /// In process: the two sides touch disjoint paths.
    Walk,
    /// By git's own merge.
    Git,
}

/// See [`Event::ChangeIntended`].
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
}

/// See [`Event::ChangeLanded`].
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
    /// Its lane died while it waited.
    Withdrawn,
}

/// See [`Event::ChangeRefused`].
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
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`Event::ChangeWithdrawn`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeWithdrawn {
    /// The attempt.
    pub change: ChangeId,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`Event::ForeignPush`].
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

/// See [`Event::RepeatAnswered`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatAnswered {
    /// The lane's running number of the ask.
    pub ask: u32,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`Event::AskRepeated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskRepeated {
    /// The lane's running number of the ask.
    pub ask: u32,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`Event::PauseRequested`].
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

/// See [`Event::PauseAcknowledged`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PauseAcknowledged {
    /// The epoch.
    pub epoch: Epoch,
    /// Lanes that acknowledged.
    pub lanes: u32,
}

/// See [`Event::Resumed`].
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

/// See [`Event::FaultInjected`].
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

/// Why a lane is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeathReason {
    /// A fault killed it.
    Killed,
    /// Its script crashed it.
    Crashed,
    /// It panicked.
    Panicked,
    /// It was found dead and nobody knows why.
    FoundDead,
}

/// See [`Event::LaneDied`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneDied {
    /// Why.
    pub reason: DeathReason,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`Event::LaneRestarted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneRestarted {
    /// How often this lane was restarted, this time included.
    pub restarts: u32,
    /// The fault that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
}

/// See [`Event::ActorRestarted`].
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

/// See [`Event::FileWritten`].
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

/// See [`Event::ChangeWritten`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeWritten {
    /// The change.
    pub change: ChangeId,
}

impl Event {
    /// The fault that this fact names, if it was felt here. Injection itself is not feeling.
    pub fn felt(&self) -> Option<FaultId> {
        match self {
            Event::TaskReturned(e) => e.fault,
            Event::LeaseReleased(e) => e.fault,
            Event::LeaseExpired(e) => e.fault,
            Event::SlotReleased(e) => e.fault,
            Event::ChangeLanded(e) => e.fault,
            Event::ChangeRefused(e) => e.fault,
            Event::ChangeWithdrawn(e) => e.fault,
            Event::ForeignPush(e) => e.fault,
            Event::RepeatAnswered(e) => e.fault,
            Event::AskRepeated(e) => e.fault,
            Event::LaneDied(e) => e.fault,
            Event::LaneRestarted(e) => e.fault,
            Event::ActorRestarted(e) => e.fault,
            _ => None,
        }
    }
}
