//! Everything that the supervisor decides, as one state machine: board, leases, budgets, slots and pause.
//!
//! Each part decides for itself; what is joined here is what concerns several at once: the death of a lane, the end of
//! a change, a pause. Knows no message and no address.

use crate::approvals::{About, Approvals, Question, Verdict};
use crate::board::{Board, Offer, RolesIn, Settled};
use crate::fact::{Fact, Refusal};
use crate::leases::Leases;
use crate::ledger::{Draft, Ledger};
use crate::orders::Order;
use crate::pause::Pause;
use crate::slots::{CallEnd, Leave, Slots, Wanted};
use baton_record::TaskId;
use baton_record::event::{ApprovalThen, DeathReason, LaneDied, LaneRestarted, ReturnReason, ReviewItem};
use baton_record::{ApprovalId, ChangeId, EffectKey, Epoch, Event, FaultId, LaneId, LeaseId, ResourceId};

/// The supervisor's state. A fold over the journal.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct Supervision {
    /// Who owns which task.
    pub board: Board,
    /// What waits for a person.
    pub approvals: Approvals,
    /// Who may touch what.
    pub leases: Leases,
    /// What may be used.
    pub ledger: Ledger,
    /// Who calls which model.
    pub slots: Slots,
    /// Whether effects may start.
    pub pause: Pause,
}

/// What the supervisor can be asked to do.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each field is what its type and name say")]
pub enum Command {
    /// A lane wants a task.
    TakeTask { lane: LaneId },
    /// A lane wants resources for its present attempt.
    RequestLease { lane: LaneId, change: ChangeId, resources: Vec<ResourceId>, ttl_us: u64 },
    /// A lease's time is over.
    ExpireLease { lease: LeaseId, fault: Option<FaultId> },
    /// A lane wants to call a model for its present attempt.
    StartCall { lane: LaneId, change: ChangeId, wanted: Wanted },
    /// The call is over.
    EndCall { lane: LaneId, key: EffectKey, end: CallEnd },
    /// The merger has spoken about a change.
    Settle { change: ChangeId, settled: Settled, fault: Option<FaultId> },
    /// A lane hands its task on; `handed_max`: how often that may be.
    HandOver { lane: LaneId, offer: Offer, handed_max: u32 },
    /// A lane has judged the change of its task's packet. `asks`: what a person is asked if this was the last round that
    /// may say no, or if it said yes.
    Review { lane: LaneId, change: ChangeId, approved: bool, items: Vec<ReviewItem>, asks: Option<Question> },
    /// A lane's change needs the word of a person; the packet that it was taken from lies with its task.
    AskPerson { lane: LaneId, change: ChangeId, question: Question },
    /// A person answers what waits.
    Answer { about: About, verdict: Verdict },
    /// Nobody has answered in time.
    TimeOut { approval: ApprovalId },
    /// A person lets the next change of a task through whatever gate refuses it.
    Override { task: TaskId, by: String, reason: String },
    /// A lane gives its task back without a change.
    GiveBack { lane: LaneId, change: ChangeId, reason: ReturnReason },
    /// A lane has done its task, and no change can come of it.
    GiveUp { lane: LaneId, change: ChangeId },
    /// A lane is gone.
    LoseLane { lane: LaneId, reason: DeathReason, fault: Option<FaultId> },
    /// A lane is back.
    RestoreLane { lane: LaneId, fault: Option<FaultId> },
    /// An operator orders something of lanes, tasks or the run.
    Order { order: Order, by: String, reason: String },
    /// An operator wants quiet.
    Pause { by: String, reason: String },
    /// Everybody is quiet.
    AcknowledgePause { epoch: Epoch },
    /// An operator wants work to go on.
    Resume { by: String, reason: String },
}

impl Supervision {
    /// The facts that `command` makes true at `now_us`, or why it makes none. Changes nothing.
    pub fn decide(&self, command: &Command, now_us: u64) -> Result<Vec<Fact>, Refusal> {
        let mut facts = self.consider(command, now_us)?;
        let given_up = facts.iter().filter(|fact| matches!(fact.event, Event::TaskFailed(_)));
        let given_up: Vec<TaskId> = given_up.filter_map(|fact| fact.task).collect();
        facts.extend(given_up.into_iter().flat_map(|task| self.board.given_up_with(task)));
        Ok(facts)
    }

    fn consider(&self, command: &Command, now_us: u64) -> Result<Vec<Fact>, Refusal> {
        match command {
            Command::TakeTask { lane } => self.board.take(*lane),
            Command::RequestLease { lane, change, resources, ttl_us } => {
                self.must_own(*lane, *change)?;
                self.leases.request(*lane, *change, (resources, *ttl_us), now_us)
            }
            Command::ExpireLease { lease, fault } => self.leases.expire(*lease, *fault, now_us),
            Command::StartCall { lane, change, wanted } => {
                self.must_own(*lane, *change)?;
                if self.board.is_retired(*lane) {
                    return Err(Refusal::Retired);
                }
                let facts = self.slots.request((*lane, change.task()), *wanted, self.leave())?;
                self.with_retirements(facts, now_us)
            }
            Command::EndCall { lane, key, end } => {
                self.with_retirements(self.slots.finish(*lane, *key, *end, self.leave())?, now_us)
            }
            Command::Settle { change, settled, fault } => self.settle(*change, *settled, *fault, now_us),
            Command::HandOver { lane, offer, handed_max } => {
                let facts = self.board.hand_over(*lane, offer, *handed_max)?;
                let facts = self.with_question(facts, (*lane, offer.packet.change), offer.asks.as_ref(), now_us);
                self.attempt_over(facts, (*lane, offer.packet.change), now_us)
            }
            Command::Review { lane, change, approved, items, asks } => {
                let facts = self.board.review(*lane, *change, (*approved, asks.is_some()), items)?;
                let facts = self.with_question(facts, (*lane, *change), asks.as_ref(), now_us);
                self.attempt_over(facts, (*lane, *change), now_us)
            }
            Command::AskPerson { lane, change, question } => {
                let facts = self.board.wait_for_person(*lane, *change)?;
                let facts = self.with_question(facts, (*lane, *change), Some(question), now_us);
                self.attempt_over(facts, (*lane, *change), now_us)
            }
            Command::Answer { about, verdict } => Ok(self.with_denials(self.answer(*about, verdict, now_us)?)),
            Command::TimeOut { approval } => Ok(self.with_denials(vec![self.approvals.time_out(*approval, now_us)?])),
            Command::Override { task, by, reason } => Ok(vec![self.board.override_gate(*task, by, reason)?]),
            Command::GiveBack { lane, change, reason } => {
                let facts = self.board.give_back(*lane, *change, *reason)?;
                self.attempt_over(facts, (*lane, *change), now_us)
            }
            Command::GiveUp { lane, change } => {
                let facts = self.board.give_up_empty(*lane, *change)?;
                self.attempt_over(facts, (*lane, *change), now_us)
            }
            Command::LoseLane { lane, reason, fault } => self.lose(*lane, *reason, *fault, now_us),
            Command::RestoreLane { lane, fault } => self.restore(*lane, *fault, now_us),
            Command::Order { order, by, reason } => {
                self.with_retirements(self.order(order, (by, reason), now_us)?, now_us)
            }
            Command::Pause { by, reason } => Ok(vec![self.pause.pause(by, reason)?]),
            Command::AcknowledgePause { epoch } => {
                Ok(vec![self.pause.acknowledge(*epoch, self.board.lanes(), self.board.gone())?])
            }
            Command::Resume { by, reason } => self.with_retirements(self.resumed(by, reason)?, now_us),
        }
    }

    /// A pause ends, and calls that waited for that begin.
    pub(crate) fn resumed(&self, by: &str, reason: &str) -> Result<Vec<Fact>, Refusal> {
        let resumed = self.pause.resume(by, reason)?;
        Ok([vec![resumed], self.slots.start_all(Draft::of(&self.ledger))].concat())
    }

    fn leave(&self) -> Leave<'_> {
        Leave { paused: self.pause.epoch().paused(), ledger: &self.ledger }
    }

    /// A task that begins to wait for a person does so with a question, about the packet that lies with it from then on.
    fn with_question(
        &self,
        mut facts: Vec<Fact>,
        (lane, change): (LaneId, ChangeId),
        question: Option<&Question>,
        now_us: u64,
    ) -> Vec<Fact> {
        let accepted = facts.iter().find_map(|fact| match &fact.event {
            Event::PacketAccepted(accepted) => Some(accepted.packet),
            _ => None,
        });
        let waits = facts.iter().position(|fact| match &fact.event {
            Event::TaskReturned(returned) => returned.reason == ReturnReason::WaitsForPerson,
            _ => false,
        });
        if let Some(waits) = waits {
            let question = question.expect("whatever waits for a person waits for an answer");
            let packet = accepted.or_else(|| self.board.brief(change.task()).map(|brief| brief.packet));
            let packet = packet.expect("a change that waits is in a packet");
            facts.insert(waits, self.approvals.ask(question, (lane, change, packet), now_us));
        }
        facts
    }

    /// What a person says of a task that has ended, and of which nothing ever waited, comes to nothing for that reason.
    fn answer(&self, about: About, verdict: &Verdict, now_us: u64) -> Result<Vec<Fact>, Refusal> {
        self.approvals.answer(about, verdict, now_us).map_err(|refusal| match about {
            About::Task(task) if refusal == Refusal::NothingReady && self.board.has_ended(task) => Refusal::Stale,
            _ => refusal,
        })
    }

    /// A task whose question is answered with no is given up.
    fn with_denials(&self, facts: Vec<Fact>) -> Vec<Fact> {
        let denied = |fact: &Fact| match &fact.event {
            Event::ApprovalGiven(given) => !given.approved,
            Event::ApprovalTimedOut(over) => over.then == ApprovalThen::Deny,
            _ => false,
        };
        let with = |fact: Fact| {
            let given_up = fact.task.filter(|_| denied(&fact)).and_then(|task| self.board.deny(task));
            [Some(fact), given_up].into_iter().flatten()
        };
        facts.into_iter().flat_map(with).collect()
    }

    /// Whoever has given its task away needs nothing for it any more: its lease ends, and its place in line.
    fn attempt_over(
        &self,
        mut facts: Vec<Fact>,
        (lane, change): (LaneId, ChangeId),
        now_us: u64,
    ) -> Result<Vec<Fact>, Refusal> {
        let over = |fact: &Fact| matches!(fact.event, Event::TaskReturned(_) | Event::TaskFailed(_));
        if !facts.iter().any(over) {
            return Ok(facts);
        }
        let held = self.leases.held_for(change).map(|held| held.lease);
        if let Some(lease) = held.or_else(|| self.leases.waiting_for(change).map(|waiting| waiting.lease)) {
            facts.extend(self.leases.release(lease, None, now_us)?);
        }
        facts.extend(self.slots.withdraw(lane, self.leave()));
        self.with_retirements(facts, now_us)
    }

    /// Whoever is refused a call by a limit takes no more, and its lease ends; its task it hands back itself.
    fn with_retirements(&self, mut facts: Vec<Fact>, now_us: u64) -> Result<Vec<Fact>, Refusal> {
        let refused = |fact: &Fact| matches!(fact.event, Event::CallRefused(_)).then_some(fact.lane).flatten();
        let lanes: Vec<LaneId> = facts.iter().filter_map(refused).collect();
        if lanes.is_empty() {
            return Ok(facts);
        }
        facts.extend(lanes.iter().map(|lane| self.board.retire(*lane)));
        let mut leases = self.leases.clone();
        let attempts = lanes.iter().filter_map(|lane| self.board.owned_by(*lane));
        for lease in attempts.filter_map(|change| self.leases.held_for(change)).map(|held| held.lease) {
            let released = leases.release(lease, None, now_us)?;
            released.iter().for_each(|fact| leases.apply(fact.lane, &fact.event));
            facts.extend(released);
        }
        Ok(facts)
    }

    /// Only the owner of an attempt may ask for what the attempt needs.
    fn must_own(&self, lane: LaneId, change: ChangeId) -> Result<(), Refusal> {
        self.board.works_on(lane, change).then_some(()).ok_or(Refusal::Stale)
    }

    fn settle(
        &self,
        change: ChangeId,
        settled: Settled,
        fault: Option<FaultId>,
        now_us: u64,
    ) -> Result<Vec<Fact>, Refusal> {
        let mut facts = self.board.settle(change, settled, fault)?;
        let held = self.leases.held_for(change).map(|held| held.lease);
        let lease = held.or_else(|| self.leases.waiting_for(change).map(|waiting| waiting.lease));
        // What a dead lane holds runs out. Whose task is given to another lives on, and its attempt is closed.
        let runs_out = settled == Settled::Withdrawn && !self.board.is_moving(change.task());
        if let Some(lease) = lease.filter(|_| !runs_out) {
            facts.extend(self.leases.release(lease, None, now_us)?);
        }
        let owner = self.board.owner_of_attempt(change).expect("only an attempt with an owner is settled");
        facts.extend(self.slots.withdraw(owner, self.leave()));
        self.with_retirements(facts, now_us)
    }

    /// A dead lane's slot and places in line are free at once. What it *holds* is not: it may still be writing, so its
    /// lease runs until it expires and the fence of the next grant shuts it out. Nor is its task: the merger says first
    /// whether the attempt landed, and closes it.
    fn lose(
        &self,
        lane: LaneId,
        reason: DeathReason,
        fault: Option<FaultId>,
        now_us: u64,
    ) -> Result<Vec<Fact>, Refusal> {
        if !self.board.is_alive(lane) {
            return Err(Refusal::Repeated);
        }
        let mut facts = vec![Fact::of_lane(lane, Event::LaneDied(LaneDied { reason, fault }))];
        facts.extend(self.left_behind(lane, fault, now_us)?);
        Ok(facts)
    }

    /// The journal may have been cut between a death and what it set free, so that is looked at again.
    fn restore(&self, lane: LaneId, fault: Option<FaultId>, now_us: u64) -> Result<Vec<Fact>, Refusal> {
        if self.board.is_alive(lane) {
            return Err(Refusal::Repeated);
        }
        let restarts = self.board.restarts(lane) + 1;
        let mut facts = self.left_behind(lane, fault, now_us)?;
        facts.push(Fact::of_lane(lane, Event::LaneRestarted(LaneRestarted { restarts, fault })));
        Ok(facts)
    }

    /// What is written down last of the calls under way, directly before the run's end.
    pub fn cut_off(&self) -> Vec<Fact> {
        self.slots.cut_off(&self.ledger)
    }

    /// The slot and the places in line of a lane that is gone, and who comes next.
    fn left_behind(&self, lane: LaneId, fault: Option<FaultId>, now_us: u64) -> Result<Vec<Fact>, Refusal> {
        let mut facts = self.with_retirements(self.slots.abandon(lane, fault, self.leave()), now_us)?;
        let waiting = self.leases.waiting().iter().find(|waiting| waiting.lane == lane);
        if let Some(waiting) = waiting {
            facts.extend(self.leases.release(waiting.lease, fault, now_us)?);
        }
        Ok(facts)
    }

    /// Takes a fact, of whatever actor, into the state. `roles` as [`Board::apply`] says.
    pub fn apply(&mut self, about: (Option<LaneId>, Option<TaskId>), event: &Event, roles: impl Into<RolesIn>) {
        let roles = roles.into();
        self.board.apply(about, event, roles);
        self.approvals.apply(about.1, event);
        self.leases.apply(about.0, event);
        self.slots.apply(about.0, about.1, event);
        self.ledger.apply(about.0, event, roles.role);
        self.pause.apply(event);
    }
}
