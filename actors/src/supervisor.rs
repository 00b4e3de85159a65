//! The supervisor: owner of the board, of leases and slots, and of pause. The team's control lane.
//!
//! Asks its core, hands the facts to the recorder, and acts once they are durable: answers lanes, has fences raised,
//! starts lanes again, ends the run. Everything it knows is a fold over the journal but who waits for which answer, and
//! that is asked again. Knows nothing of trees, and never moves main.

mod admission;
mod answers;
mod approvals;
mod effects;
mod handing;
mod joining;
mod lifecycle;
mod orders;
mod quiet;

use crate::consent::Consent;
use crate::directory::Directory;
use crate::ground::Ground;
use crate::guard::guarded;
use crate::mailbox::mailbox;
use crate::merger::Submission;
use crate::unmerged::{NewestUnmerged, Unmerged};
use actix::{Actor, AsyncContext, Context, Supervised};
use admission::Door;
use baton_core::approvals::Question;
use baton_core::board::{Desk, Settled as Outcome};
use baton_core::slots::CallEnd;
use baton_core::{Command, Supervision};
use baton_record::event::StopReason;
use baton_record::event::{ApprovalSubject, DeathReason, PacketPurpose, ReturnReason, ReviewItem};
use baton_record::{
    ApprovalId, ChangeId, EffectKey, EndpointId, Epoch, Event, FaultId, Fence, LaneId, LeaseId, Names, Oid,
};
use baton_record::{PacketId, ResourceId};
pub use effects::Effect;
pub use handing::PacketLooked;
pub use lifecycle::{Folded, fold_supervision};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

mailbox!(guarded Supervisor {
    Ask => on_ask, "A lane's question; answered by post, once or as often as it is asked.";
    Settled => on_settled, "The merger's word on a change.";
    FenceStands => on_fence, "The merger has raised a grant's fence: the lease may be answered.";
    MergerBack => on_merger_back, "The merger has lost what it was asked: ask again for every fence that does not stand.";
    PacketLooked => on_packet_looked, "A packet has been looked into.";
    ActionsUndone => on_undone, "What a lane wanted to do did not happen: its role may not, or it could not be done.";
    LaneGone => on_lane_gone, "A lane has died.";
    PauseSeen => on_pause_seen, "A lane, or the merger, starts no effect in this epoch.";
    OperatorSays => on_operator, "A person's command.";
    StopRun => on_stop, "The run must end for this reason.";
    MergerQuiet => on_merger_quiet, "The merger has come to rest: the run can end.";
    Released => on_released, "Facts are durable: do what waited for them.";
    AnswerDue => on_answer_due, "A person's time to answer may be over.";
    Expire => on_expire, "A lease's time may be over.";
    Knock => on_knock, "An endpoint may let the next call through.";
    Revive => on_revive, "A dead lane's back-off is over.";
    Crash => on_crash, "A fault: die, and fold the journal.";
});

/// See the table.
#[derive(Debug)]
pub struct Ask {
    /// Who asks.
    pub lane: LaneId,
    /// Which life of it.
    pub incarnation: u32,
    /// Running number of the question.
    pub ask: u32,
    /// What it wants.
    pub want: Want,
    /// What made the question come late, twice or again.
    pub fault: Option<FaultId>,
}

/// What a lane can want.
#[derive(Clone, Debug)]
pub enum Want {
    /// A task.
    Task,
    /// A lease for an attempt.
    Lease {
        /// The attempt.
        change: ChangeId,
        /// What it is to hold.
        resources: Vec<ResourceId>,
        /// For how long.
        ttl_us: u64,
    },
    /// A call of a model.
    Call {
        /// The attempt.
        change: ChangeId,
        /// Which model.
        endpoint: EndpointId,
        /// The call.
        key: EffectKey,
    },
    /// The end of a call.
    CallEnd {
        /// The call.
        key: EffectKey,
        /// How it ended.
        end: CallEnd,
    },
    /// To hand its task on.
    HandOver(Handing),
    /// To say what it found of the packet's change.
    Review {
        /// The attempt.
        change: ChangeId,
        /// Whether the change may land.
        approved: bool,
        /// Item by item.
        items: Vec<ReviewItem>,
        /// What a person is asked if that is not the last word.
        asks: Option<Question>,
    },
    /// To have a person decide about the change of the packet that it was handed.
    AskPerson {
        /// The attempt.
        change: ChangeId,
        /// What is asked.
        question: Question,
    },
    /// To give its task back without a change.
    GiveBack {
        /// The attempt.
        change: ChangeId,
        /// Why.
        reason: ReturnReason,
    },
    /// To give its task up, because nothing of it can land.
    GiveUp {
        /// The attempt.
        change: ChangeId,
    },
    /// The landing of a change: goes to the merger's queue.
    Landing(Box<Submission>),
    /// Control run: the end of a change that was written straight to main.
    Written {
        /// The change.
        change: ChangeId,
        /// How it ended, as the lane believes.
        settled: Outcome,
    },
}

impl Want {
    /// Whether an effect begins when this is granted, so that a pause holds it back.
    pub fn starts_effect(&self) -> bool {
        matches!(self, Want::Call { .. } | Want::Landing(_))
    }
}

/// A packet that stands in the content store, and whom it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handing {
    /// The attempt that it tells of.
    pub change: ChangeId,
    /// The role that it is for.
    pub to: String,
    /// Why.
    pub purpose: PacketPurpose,
    /// Its digest, hex.
    pub digest: String,
    /// Its bytes.
    pub bytes: u64,
    /// Packets of this attempt before it.
    pub before: u16,
    /// What a person is asked about its change.
    pub asks: Option<Question>,
    /// What spoiled it.
    pub fault: Option<FaultId>,
}

/// What a change needs the word of a person for, in place of landing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// What the person decides about.
    pub subject: ApprovalSubject,
    /// The paths that it is about, ascending.
    pub paths: Vec<String>,
    /// The landed changes whose work it would take back, ascending.
    pub undoes: Vec<ChangeId>,
    /// One line for the person.
    pub detail: String,
}

impl Lack {
    /// The task says that a person decides.
    pub fn of_plan(paths: Vec<String>) -> Lack {
        let detail = "its task says that a person decides".to_owned();
        Lack { subject: ApprovalSubject::Plan, paths, undoes: Vec::new(), detail }
    }

    /// So many reviews have said no.
    pub fn of_rounds(rounds: u32, paths: Vec<String>) -> Lack {
        let detail = format!("it was sent back in each of its {rounds} rounds");
        Lack { subject: ApprovalSubject::Rounds, paths, undoes: Vec::new(), detail }
    }
}

/// What the owner of a task begins with, beside the task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Briefing {
    /// The packet's digest, hex.
    pub digest: String,
    /// What it was handed on for.
    pub purpose: PacketPurpose,
    /// What the lane is to do.
    pub desk: Desk,
    /// A person has approved the packet's change.
    pub approved: bool,
}

/// What a lane can be answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The lane owns this attempt's task, and begins with this.
    Task(ChangeId, Option<Briefing>, Option<Unmerged>),
    /// No call of it fits under a limit any more: it has one turn to hand back what it has.
    LastTurn,
    /// The packet moved nothing; another may.
    PacketRefused,
    /// The review is written down, and the change may land.
    Reviewed,
    /// The change may not land without the word of a person.
    AskPerson(Lack),
    /// No task will ever be there.
    AllEnded,
    /// The attempt is over; ask for a task.
    Over,
    /// The lease is held and its fence stands.
    Lease {
        /// The lease.
        lease: LeaseId,
        /// Its fence.
        fence: Fence,
    },
    /// The call may begin.
    Call,
    /// The call's end is settled.
    CallEnded,
    /// The change is settled; `next` is the attempt to begin, if the task is to be tried again.
    Settled {
        /// The next attempt at the same task.
        next: Option<ChangeId>,
        /// What it is to answer.
        unmerged: Option<Unmerged>,
    },
}

/// What a lane is told whose change was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// It lacks the word of a person.
    Lacks(Lack),
    /// It did not merge: the digest of the conflict report, hex.
    Unmerged(String),
}

/// See the table.
#[derive(Debug)]
pub struct Settled {
    /// Whose change.
    pub lane: LaneId,
    /// The question that is answered by it; 0: none.
    pub ask: u32,
    /// The change.
    pub change: ChangeId,
    /// How it ended.
    pub outcome: Outcome,
    /// What its lane is told of a refusal.
    pub because: Option<Because>,
    /// The fault that caused it.
    pub fault: Option<FaultId>,
}

/// See the table.
#[derive(Debug)]
pub struct ActionsUndone {
    /// Who.
    pub lane: LaneId,
    /// While it made which change.
    pub change: ChangeId,
    /// What, each as it is written down.
    pub undone: Vec<Event>,
}

/// See the table.
#[derive(Debug)]
pub struct FenceStands(pub baton_record::event::FenceRaised);

/// See the table.
#[derive(Clone, Copy, Debug)]
pub struct MergerBack;

/// See the table.
#[derive(Debug)]
pub struct LaneGone {
    /// Who.
    pub lane: LaneId,
    /// Which life of it.
    pub incarnation: u32,
    /// Why.
    pub reason: DeathReason,
    /// The fault that caused it.
    pub fault: Option<FaultId>,
}

/// See the table.
#[derive(Debug)]
pub struct PauseSeen {
    /// Which lane; `None`: the merger.
    pub lane: Option<LaneId>,
    /// The epoch.
    pub epoch: Epoch,
}

/// See the table.
#[derive(Debug)]
pub struct OperatorSays {
    /// What.
    pub command: crate::team::Command,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// See the table.
#[derive(Debug)]
pub struct StopRun(pub StopReason);

/// See the table.
#[derive(Debug)]
pub struct MergerQuiet {
    /// Where main is.
    pub main: Oid,
    /// Changes landed.
    pub landed: u64,
    /// Changes refused.
    pub refused: u64,
}

/// See the table.
#[derive(Debug)]
pub struct Released(pub Vec<Effect>);

/// See the table.
#[derive(Debug)]
pub struct AnswerDue(pub ApprovalId);

/// See the table.
#[derive(Debug)]
pub struct Expire(pub LeaseId);

/// See the table.
#[derive(Debug)]
pub struct Knock(pub EndpointId);

/// See the table.
#[derive(Debug)]
pub struct Revive(pub LaneId);

/// See the table.
#[derive(Debug)]
pub struct Crash(pub Option<FaultId>);

/// An actor that decides who may do what.
#[derive(Debug)]
pub struct Supervisor {
    ground: Ground,
    /// Where the journal is folded from.
    journal: std::path::PathBuf,
    state: Supervision,
    names: Names,
    /// By packet: its digest.
    packets: BTreeMap<PacketId, String>,
    /// What people have allowed, for the merger.
    consent: Consent,
    /// What did not merge, for whoever tries again.
    unmerged: NewestUnmerged,
    /// Which orders to add lanes were heard.
    heard: joining::Heard,
    /// By lane: its latest question, and whether it waits for a task.
    asks: Vec<LatestAsk>,
    idle: VecDeque<LaneId>,
    /// Lanes that have not acknowledged the present pause; the merger is `None`.
    unquiet: BTreeSet<Option<LaneId>>,
    /// Leases whose holders died by a fault.
    orphaned: BTreeMap<LeaseId, FaultId>,
    crash: Option<FaultId>,
    restarts: u32,
    /// By endpoint.
    doors: Vec<Option<Door>>,
    stopping: Option<StopReason>,
    sweeps: u64,
    /// Whether a lane is not started again, because it was too often.
    lanes_given_up: bool,
    /// Control run: changes written and refused, for the run's last record.
    written: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct LatestAsk {
    ask: u32,
}

/// How often the supervisor looks for a person's wish to end.
const SWEEP_EVERY: Duration = Duration::from_millis(500);
/// After so many of these looks it also looks for dead lanes.
const SWEEPS_PER_ROLL_CALL: u64 = 10;

impl Supervisor {
    /// A supervisor whose state is the fold of the journal in `journal`, taken by the caller.
    pub fn new(ground: Ground, journal: std::path::PathBuf, folded: Folded) -> Supervisor {
        let Folded { state, packets, consent, unmerged, heard, end, .. } = folded;
        let names = end.names;
        let asks = vec![LatestAsk::default(); names.lanes()];
        let mut supervisor = Supervisor {
            ground,
            journal,
            state,
            names,
            packets,
            consent,
            unmerged,
            heard,
            asks,
            idle: VecDeque::new(),
            unquiet: BTreeSet::new(),
            orphaned: BTreeMap::new(),
            crash: None,
            restarts: 0,
            doors: Vec::new(),
            stopping: None,
            sweeps: 0,
            lanes_given_up: false,
            written: 0,
        };
        supervisor.make_doors();
        supervisor
    }

    fn directory(&self) -> &Arc<Directory> {
        &self.ground.directory
    }

    /// Runs a handler guarded. After a panic the state is rebuilt from the journal.
    fn work(&mut self, ctx: &mut Context<Supervisor>, handler: impl FnOnce(&mut Supervisor, &mut Context<Supervisor>)) {
        if let Err(panic) = guarded(|| handler(self, ctx)) {
            tracing::error!(panic, "the supervisor panicked");
            self.crash(None, ctx);
        }
    }

    /// Decides and commits; a refusal is the caller's.
    fn obey(&mut self, command: &Command) -> Result<(), baton_core::Refusal> {
        let facts = self.state.decide(command, self.ground.clock.now_us())?;
        self.commit(facts, None);
        Ok(())
    }
}

impl Actor for Supervisor {
    type Context = Context<Supervisor>;

    fn started(&mut self, ctx: &mut Context<Supervisor>) {
        ctx.run_interval(SWEEP_EVERY, Supervisor::sweep);
    }
}

impl Supervised for Supervisor {
    fn restarting(&mut self, ctx: &mut Context<Supervisor>) {
        self.restart(ctx);
    }
}
