//! The merger: the only writer of main, and of every other ref.
//!
//! Takes what waits as a row, merges each change with main as it is then and with those before it, passes its gates, writes
//! down what it is about to do, and moves main over the whole row by one compare-and-swap. Also raises the fences of grants, between landings, so that the order of the
//! journal is the order at the refs. Code, not judgement: no model decides here.

mod admission;
mod approval;
mod authorship;
mod conflict;
mod desk;
mod landing;
mod mandate;
mod prepare;
mod recovery;
mod row;
mod settling;

use crate::consent::{Allowed, Consent};
use crate::directory::Directory;
use crate::ground::Ground;
use crate::guard::guarded;
use crate::mailbox::mailbox;
use crate::recorder::Append;
use crate::supervisor::{MergerQuiet, PauseSeen};
use crate::team::LandingKind;
use crate::unmerged::NewestUnmerged;
use crate::work_queue::{self, Pull};
use actix::{Actor, Context, Supervised};
use authorship::Authorship;
use baton_core::batch::BatchLimit;
use baton_core::{Fact, MergeQueue};
use baton_record::event::{ChangeSubmitted, StopReason};
use baton_record::line::Actor as Writer;
use baton_record::{ChangeId, Epoch, FaultId, Fence, LaneId, LeaseId, Oid, ResourceId, TaskId};
use baton_world::git::Proposal;
use desk::Desk;
use row::Current;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;
use tokio::sync::mpsc;

mailbox!(guarded Merger {
    RaiseFence => on_raise_fence, "Make a grant's fence the newest at its resources, then say so.";
    Withdraw => on_withdraw, "A lane died, or its task goes to another: say whether its attempt is on main, and take nothing more of it.";
    Allow => on_allow, "People have allowed something: it holds for whatever is tried from now on.";
    EpochChanged => on_epoch, "The epoch has changed: acknowledge a pause, or go on.";
    Quiesce => on_quiesce, "The run ends: finish what is begun, begin nothing, say when.";
    Prepared => on_prepared, "A row has been tried.";
    GateEnded => on_gate_ended, "A gate's time is over.";
    Intended => on_intended, "The row's intentions are durable: main may move.";
    MainMoved => on_main_moved, "The move of main has been tried.";
    FencesMoved => on_fences_moved, "The move of the fences has been tried.";
    Die => on_die, "A fault: die, and fold the journal.";
});

/// One submitted change, in the merger's work queue.
#[derive(Clone, Debug)]
pub struct Submission {
    lane: LaneId,
    ask: u32,
    fault: Option<FaultId>,
    submitted: Arc<ChangeSubmitted>,
    proposal: Arc<Proposal>,
}

impl Submission {
    /// A lane's change, with all objects that it needs.
    pub fn new(lane: LaneId, submitted: ChangeSubmitted, proposal: Proposal) -> Submission {
        let (submitted, proposal) = (Arc::new(submitted), Arc::new(proposal));
        Submission { lane, ask: 0, fault: None, submitted, proposal }
    }

    /// The same, as the answer to question `ask`, come late, twice or again because of `fault`.
    pub fn arrived(mut self, ask: u32, fault: Option<FaultId>) -> Submission {
        self.ask = ask;
        self.fault = fault;
        self
    }

    fn change(&self) -> ChangeId {
        self.submitted.change
    }
}

/// See the table.
#[derive(Debug)]
pub struct RaiseFence {
    /// Which grant.
    pub lease: LeaseId,
    /// Its fence.
    pub fence: Fence,
    /// What the lease holds.
    pub holds: Vec<ResourceId>,
    /// Where the fence is raised: what it holds and all that overlaps.
    pub raises: Vec<ResourceId>,
    /// Holder and task, for the record.
    pub about: (LaneId, TaskId),
}

/// See the table.
#[derive(Debug)]
pub struct Withdraw {
    /// Whose attempt.
    pub lane: LaneId,
    /// Which.
    pub change: ChangeId,
    /// What killed the lane.
    pub fault: Option<FaultId>,
}

/// See the table.
#[derive(Debug)]
pub struct Allow(pub Allowed);

/// See the table.
#[derive(Debug)]
pub struct Quiesce {
    /// Why the run ends.
    pub reason: StopReason,
}

/// See the table.
#[derive(Clone, Copy, Debug)]
pub struct EpochChanged(pub Epoch);

/// See the table.
#[derive(Debug)]
pub struct Die(pub Option<FaultId>);

/// See the table.
#[derive(Debug)]
pub struct Prepared {
    turn: u32,
    tried: row::Tried,
}

/// See the table.
#[derive(Debug)]
pub struct GateEnded {
    turn: u32,
    /// Whose tree it was about: the member's place in the row.
    at: usize,
}

/// See the table.
#[derive(Debug)]
pub struct Intended {
    turn: u32,
}

/// See the table.
#[derive(Debug)]
pub struct MainMoved {
    life: u32,
    moved: desk::Moved<()>,
}

/// See the table.
#[derive(Debug)]
pub struct FencesMoved {
    life: u32,
    raise: RaiseFence,
    /// Where the fences are; `None`: newer ones stand already.
    moved: desk::Moved<Option<Oid>>,
}

/// An actor that moves main.
#[derive(Debug)]
pub struct Merger {
    ground: Ground,
    journal: std::path::PathBuf,
    work: mpsc::Receiver<Submission>,
    parked: Option<Waker>,
    state: MergeQueue,
    /// Changes in the queue whose payload is at hand. A restart loses them; their lanes submit again.
    payloads: BTreeMap<ChangeId, Submission>,
    /// Whose each change in the queue is.
    owners: BTreeMap<ChangeId, LaneId>,
    /// By change in the queue: the lane that made it.
    authors: BTreeMap<ChangeId, LaneId>,
    /// Who wrote what of main.
    authorship: Arc<Authorship>,
    /// By change: the packet that its lane began with.
    packets: Arc<BTreeMap<ChangeId, String>>,
    /// What did not merge, and its report.
    unmerged: NewestUnmerged,
    /// What people have allowed.
    consent: Consent,
    /// Changes that were refused for want of a person's word: where, and whose work they would take back.
    unapproved: BTreeMap<ChangeId, (Vec<String>, Vec<ChangeId>)>,
    /// What each lease holds, as the supervisor said.
    leases: BTreeMap<LeaseId, Vec<ResourceId>>,
    /// Where main was left.
    head: Oid,
    /// Every commit that main has been at since the run's start, and how many changes had landed then.
    heads: BTreeMap<Oid, usize>,
    /// Changes on main.
    landings: usize,
    current: Option<Current>,
    /// So many changes are tried together at most. A guess from how it went of late: a restart forgets it.
    limit: BatchLimit,
    /// Counts tries: a late result of an earlier one is nobody's.
    turn: u32,
    desk: Desk,
    life: u32,
    crash: Option<FaultId>,
    pause_unseen: Option<Epoch>,
    quiescing: bool,
    quiet: bool,
    /// Somebody else moved a ref: nothing lands any more.
    foreign: bool,
}

impl Merger {
    /// A merger that finds main at the team's base and has landed nothing.
    pub fn new(ground: Ground, journal: std::path::PathBuf, work: mpsc::Receiver<Submission>) -> Merger {
        let (head, limit) = (ground.team.base, BatchLimit::new(ground.team.caps.row));
        Merger {
            ground,
            journal,
            work,
            parked: None,
            state: MergeQueue::default(),
            payloads: BTreeMap::new(),
            owners: BTreeMap::new(),
            authors: BTreeMap::new(),
            authorship: Arc::default(),
            packets: Arc::default(),
            unmerged: NewestUnmerged::default(),
            consent: Consent::default(),
            unapproved: BTreeMap::new(),
            leases: BTreeMap::new(),
            head,
            heads: BTreeMap::from([(head, 0)]),
            landings: 0,
            current: None,
            limit,
            turn: 0,
            desk: Desk::default(),
            life: 0,
            crash: None,
            pause_unseen: None,
            quiescing: false,
            quiet: false,
            foreign: false,
        }
    }

    fn directory(&self) -> &Arc<Directory> {
        &self.ground.directory
    }

    /// The lane that made a change, whoever submits it.
    fn author_of(&self, lane: LaneId, submitted: &ChangeSubmitted) -> LaneId {
        let named = submitted.author.as_ref().and_then(|name| self.directory().roster().find(name));
        named.unwrap_or(lane)
    }

    /// Takes facts into the state and hands them to the recorder.
    fn commit(&mut self, facts: Vec<Fact>, release: impl FnOnce() + Send + 'static) {
        for fact in &facts {
            self.state.apply(&fact.event);
            self.consent.take(fact.task, &fact.event);
        }
        self.directory().recorder().do_send(Append::then(Writer::Merger, facts, release));
    }

    fn work(&mut self, ctx: &mut Context<Merger>, handler: impl FnOnce(&mut Merger, &mut Context<Merger>)) {
        if let Err(panic) = guarded(|| handler(self, ctx)) {
            tracing::error!(panic, "the merger panicked");
            self.die(None, ctx);
        }
        self.rest();
        work_queue::unpark(self);
    }

    fn on_epoch(&mut self, changed: EpochChanged, ctx: &mut Context<Merger>) {
        if changed.0.paused() {
            self.pause_unseen = Some(changed.0);
        } else {
            self.pause_unseen = None;
            self.resume(ctx);
        }
    }

    /// Acknowledges a pause and the end of the run as soon as no move of main is under way.
    fn rest(&mut self) {
        if self.desk.busy() {
            return;
        }
        if let Some(epoch) = self.pause_unseen.take() {
            self.directory().supervisor().do_send(PauseSeen { lane: None, epoch });
        }
        if self.quiescing && !self.quiet {
            self.quiet = true;
            // Not where the merger left it, but where it is: in the control run lanes move it, and so may a stranger.
            let found = self.ground.repository.main().ok();
            let strange = found.filter(|found| *found != Some(self.head) && !self.foreign);
            if let Some(found) = strange.filter(|_| self.ground.team.landing == LandingKind::Merger) {
                self.meet_foreign(found);
            }
            let main = found.flatten().unwrap_or(self.head);
            let quiet = MergerQuiet { main, landed: self.state.landed(), refused: self.state.refused() };
            self.directory().supervisor().do_send(quiet);
        }
    }

    fn may_begin(&self) -> bool {
        !self.quiescing && !self.foreign && !self.directory().epoch().paused()
    }
}

impl Pull for Merger {
    type Item = Submission;

    fn has_slot(&self) -> bool {
        self.current.is_none() && self.may_begin()
    }

    fn queue(&mut self) -> &mut mpsc::Receiver<Submission> {
        &mut self.work
    }

    fn parked(&mut self) -> &mut Option<Waker> {
        &mut self.parked
    }

    fn begin(&mut self, submission: Submission, ctx: &mut Context<Merger>) {
        self.work(ctx, |merger, ctx| merger.admit(submission, ctx));
    }
}

impl Actor for Merger {
    type Context = Context<Merger>;

    fn started(&mut self, ctx: &mut Context<Merger>) {
        work_queue::pull(ctx);
    }
}

impl Supervised for Merger {
    fn restarting(&mut self, ctx: &mut Context<Merger>) {
        self.restart(ctx);
    }
}
