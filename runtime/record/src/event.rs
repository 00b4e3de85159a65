//! Everything that can be written down: past facts, one variant each, with the data that a fold needs.
//!
//! The envelope of the line (see [`crate::line`]) says who and about what: a lane or task that a fact
//! belongs to stands there and not in `data`. Times are microseconds since the run's start. A `fault`
//! is present only where an injected fault changed what someone did: that is what *felt* means.
//! A new fact is a new variant; a changed one needs a new [`crate::FORMAT`].

mod budget;
mod change;
mod holding;
mod message;
mod packet;
mod person;
mod policy;
mod run;
mod work;

pub use budget::{
    Bound, BudgetScope, BudgetSet, CallAdmitted, CallRefused, EffectFailed, EffectLost, LaneRetired, Limit,
    RetireReason,
};
pub use change::{
    ChangeIntended, ChangeLanded, ChangeRefused, ChangeSubmitted, ChangeWithdrawn, ChangeWritten, FileWritten,
    ForeignPush, GateFailed, GatePassed, Read, RefuseReason, Update, UpdateOp, Verdict,
};
pub use holding::{
    EffectDone, EffectIntended, FenceRaised, LeaseExpired, LeaseGranted, LeaseReleased, LeaseRequested, SlotGranted,
    SlotReleased, SlotRequested,
};
pub use message::{
    AskRepeated, CommandGiven, FaultInjected, OperatorCommand, PauseAcknowledged, PauseRequested, RepeatAnswered,
    Resumed,
};
pub use packet::{PacketAccepted, PacketOffered, PacketPurpose, PacketRefused, ReviewGiven, ReviewItem};
pub use person::{
    ApprovalAsked, ApprovalGiven, ApprovalSubject, ApprovalThen, ApprovalTimedOut, CommandRefusal, CommandRefused,
    OverrideRecorded,
};
pub use policy::{ActionDenied, ActionFailed, FailedReason, RoleBound};
pub use run::{EndpointNamed, GateNamed, ResourceNamed, RunStarted, RunStopped, SegmentClosed, StopReason, WorldKind};
pub use work::{
    ActorRestarted, DeathReason, FailReason, LaneDied, LaneJoined, LaneRestarted, ReturnReason, TaskAdded,
    TaskAssigned, TaskDone, TaskFailed, TaskReturned,
};

use crate::ids::FaultId;
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
    /// A role is bound by a skill file from here on. Actor `run`.
    RoleBound(RoleBound),
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
    /// The grant's fence stands at the resource; the answer goes out after this. Or that of a lease that an operator took
    /// from its holder, who is shut out from here on. Actor `merger`.
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
    /// The endpoint refused it; it is settled and costs a request. Actor `supervisor`, on behalf of the lane.
    EffectFailed(EffectFailed),
    /// Its lane is gone, or the run ends directly behind, and nobody knows how it ended; it is billed whole. Actor `supervisor`.
    EffectLost(EffectLost),
    /// The endpoint's rate lets the call through; it begins only now. Actor `supervisor`.
    CallAdmitted(CallAdmitted),
    /// A limit holds from here on. Actor `supervisor`.
    BudgetSet(BudgetSet),
    /// A call that waited fits under a limit no more; its lane gives back what it has. Actor `supervisor`.
    CallRefused(CallRefused),
    /// The lane in the envelope takes no work until a limit is set anew. Actor `supervisor`.
    LaneRetired(LaneRetired),
    /// The lane in the envelope wanted to do what its role may not; it did not happen. Actor `supervisor` for a tool,
    /// `merger` for a change that was made all the same.
    ActionDenied(ActionDenied),
    /// The lane in the envelope did what its role may, and it could not be done; the rest of its change goes on. Actor
    /// `supervisor`.
    ActionFailed(ActionFailed),
    /// The lane in the envelope offers a packet; nothing has moved yet. Actor `supervisor`.
    PacketOffered(PacketOffered),
    /// The packet is incomplete or its links do not hold; its lane owns what it owned. Actor `supervisor`.
    PacketRefused(PacketRefused),
    /// The packet is whole; the task leaves its lane with the next record. Actor `supervisor`.
    PacketAccepted(PacketAccepted),
    /// The lane in the envelope has judged the packet's change. Actor `supervisor`.
    ReviewGiven(ReviewGiven),
    /// Something waits for a person. Actor `supervisor`.
    ApprovalAsked(ApprovalAsked),
    /// A person has decided. Actor `supervisor`.
    ApprovalGiven(ApprovalGiven),
    /// Nobody decided in time. Actor `supervisor`.
    ApprovalTimedOut(ApprovalTimedOut),
    /// A person lets exactly this tree through a gate that refused it. Actor `merger`.
    OverrideRecorded(OverrideRecorded),
    /// An operator's command changes nothing, and its sender can see why. Actor `supervisor`.
    CommandRefused(CommandRefused),
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
    /// An operator's command was accepted; a lane that it is about is in the envelope. Actor `supervisor`.
    CommandGiven(CommandGiven),
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
    /// Control run only: a lane believes its change to be complete. Actor `supervisor`, on the lane's word.
    ChangeWritten(ChangeWritten),
}

impl Event {
    /// The fault that this fact names, if it was felt here. Injection itself is not feeling.
    pub fn felt(&self) -> Option<FaultId> {
        match self {
            Event::ActionDenied(e) => e.fault,
            Event::PacketRefused(e) => e.fault,
            Event::TaskReturned(e) => e.fault,
            Event::LeaseReleased(e) => e.fault,
            Event::LeaseExpired(e) => e.fault,
            Event::SlotReleased(e) => e.fault,
            Event::EffectFailed(e) => e.fault,
            Event::EffectLost(e) => e.fault,
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
