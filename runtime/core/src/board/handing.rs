//! Tasks that are handed on, judged and given back: what their owner may do with them beside changing main.

use super::{Board, Desk, TaskState, give_up};
use crate::approvals::Question;
use crate::fact::{Fact, Refusal};
use baton_record::event::{ApprovalThen, CommandGiven, FailReason, OperatorCommand, PacketAccepted, PacketOffered};
use baton_record::event::{
    PacketPurpose, PacketRefused, ReturnReason, ReviewGiven, ReviewItem, TaskFailed, TaskReturned,
};
use baton_record::ids::ATTEMPTS_MAX;
use baton_record::{ChangeId, Event, FaultId, LaneId, PacketId, TaskId};
use std::cmp::Ordering;

/// What is known of a packet before it has a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// As the record has it; the number is given when it is decided.
    pub packet: PacketOffered,
    /// What is wrong with it; empty: nothing.
    pub flaws: Vec<String>,
    /// What spoiled it.
    pub fault: Option<FaultId>,
    /// Packets of this attempt before it, so that the same offer that comes again is known.
    pub before: u16,
    /// What a person is asked about its change, if it is handed on for that.
    pub asks: Option<Question>,
}

impl Board {
    /// The owner of an attempt hands its task on. A packet with flaws moves nothing.
    pub fn hand_over(&self, lane: LaneId, offer: &Offer, handed_max: u32) -> Result<Vec<Fact>, Refusal> {
        let change = offer.packet.change;
        if !self.works_on(lane, change) {
            return Err(Refusal::Stale);
        }
        let (task, packet) = (change.task(), PacketId(self.packets));
        match offer.before.cmp(&self.task(task).route.refused) {
            Ordering::Less => return Err(Refusal::Repeated),
            Ordering::Greater => return Err(Refusal::Stale),
            Ordering::Equal => {}
        }
        let of = |event| Fact::of(lane, task, event);
        let offered = of(Event::PacketOffered(PacketOffered { packet, ..offer.packet.clone() }));
        let mut flaws = offer.flaws.clone();
        if u32::from(self.task(task).route.handed) >= handed_max {
            flaws.push(format!("the task was handed on {handed_max} times, and may be no more"));
        } else if self.is_used_up(task) {
            flaws.push("the task was handed on as often as tasks can be".to_owned());
        }
        if !flaws.is_empty() {
            let refused = PacketRefused { packet, flaws, fault: offer.fault };
            return Ok(vec![offered, of(Event::PacketRefused(refused))]);
        }
        let accepted = of(Event::PacketAccepted(PacketAccepted { packet }));
        let waits = offer.packet.purpose == PacketPurpose::Approval;
        let reason = if waits { ReturnReason::WaitsForPerson } else { ReturnReason::HandedOver };
        let returned = TaskReturned { reason, fault: None };
        Ok(vec![offered, accepted, of(Event::TaskReturned(returned))])
    }

    /// The owner of an attempt that was made from a packet waits for a person's word about that packet's change. A task
    /// that was given away as often as it may be is given up.
    pub fn wait_for_person(&self, lane: LaneId, change: ChangeId) -> Result<Vec<Fact>, Refusal> {
        let task = change.task();
        if !self.works_on(lane, change) || self.brief(task).is_none() {
            return Err(Refusal::Stale);
        }
        if change.attempt() >= ATTEMPTS_MAX {
            return Ok(vec![give_up(lane, task)]);
        }
        let returned = TaskReturned { reason: ReturnReason::WaitsForPerson, fault: None };
        Ok(vec![Fact::of(lane, task, Event::TaskReturned(returned))])
    }

    /// The owner of a review says what it found, and whether a person is to be asked whatever it says. A change that is not
    /// approved goes back, or to a person after so many rounds.
    pub fn review(
        &self,
        lane: LaneId,
        change: ChangeId,
        (approved, asks): (bool, bool),
        items: &[ReviewItem],
    ) -> Result<Vec<Fact>, Refusal> {
        let task = change.task();
        let route = self.task(task).route;
        let Some(brief) = route.brief().filter(|brief| brief.desk == Desk::Review) else { return Err(Refusal::Stale) };
        if !self.works_on(lane, change) {
            return Err(Refusal::Stale);
        }
        if route.reviewed {
            return Err(Refusal::Repeated);
        }
        let (packet, items, round) = (brief.packet, items.to_vec(), u32::from(route.rounds) + 1);
        let given = ReviewGiven { packet, approved, items, round };
        let mut facts = vec![Fact::of(lane, task, Event::ReviewGiven(given))];
        let waits = if approved { asks } else { route.rounds_used_up() };
        if waits || !approved {
            let reason = if waits { ReturnReason::WaitsForPerson } else { ReturnReason::SentBack };
            let returned = Fact::of(lane, task, Event::TaskReturned(TaskReturned { reason, fault: None }));
            facts.push(if self.is_used_up(task) { give_up(lane, task) } else { returned });
        }
        Ok(facts)
    }

    /// The owner gives its task back without a change, for a reason of its own.
    pub fn give_back(&self, lane: LaneId, change: ChangeId, reason: ReturnReason) -> Result<Vec<Fact>, Refusal> {
        if !self.works_on(lane, change) {
            return Err(Refusal::Stale);
        }
        let task = change.task();
        let judged = self.task(task).route.desk == Desk::Review;
        if self.is_used_up(task) || (self.is_last_attempt(task) && !judged) {
            return Ok(vec![give_up(lane, task)]);
        }
        let returned = TaskReturned { reason, fault: None };
        Ok(vec![Fact::of(lane, task, Event::TaskReturned(returned))])
    }

    /// The owner has done what its task consists of, and nothing of it can land: trying again would come to the same.
    pub fn give_up_empty(&self, lane: LaneId, change: ChangeId) -> Result<Vec<Fact>, Refusal> {
        if !self.works_on(lane, change) {
            return Err(Refusal::Stale);
        }
        let failed = TaskFailed { reason: FailReason::NothingToLand };
        Ok(vec![Fact::of(lane, change.task(), Event::TaskFailed(failed))])
    }

    /// Tasks that come after one that is given up will never be begun.
    pub fn given_up_with(&self, task: TaskId) -> Vec<Fact> {
        let blocked = self.blocked_in(&self.groups.behind(self.task(task).group)).into_iter();
        let failed = |task| {
            let failed = TaskFailed { reason: FailReason::Prerequisite };
            Fact { lane: None, task: Some(task), event: Event::TaskFailed(failed) }
        };
        blocked.map(failed).collect()
    }

    /// A person, or time, has said no to a task that waits for that.
    pub fn deny(&self, task: TaskId) -> Option<Fact> {
        let failed = TaskFailed { reason: FailReason::NotApproved };
        let fact = Fact { lane: None, task: Some(task), event: Event::TaskFailed(failed) };
        (self.state(task) == TaskState::Waits).then_some(fact)
    }

    /// A person lets the next change of a task through whatever gate refuses it.
    pub fn override_gate(&self, task: TaskId, by: &str, reason: &str) -> Result<Fact, Refusal> {
        if self.has_ended(task) {
            return Err(Refusal::Stale);
        }
        let given = CommandGiven::plain(OperatorCommand::Override, by, reason);
        Ok(Fact { lane: None, task: Some(task), event: Event::CommandGiven(given) })
    }

    /// Whether nothing will ever be done about the task again.
    pub fn has_ended(&self, task: TaskId) -> bool {
        matches!(self.state(task), TaskState::Done(_) | TaskState::Failed)
    }

    /// Whether the task is done by a landed change.
    pub fn is_done(&self, task: TaskId) -> bool {
        matches!(self.state(task), TaskState::Done(_))
    }

    pub(super) fn apply_handing(&mut self, fact: (Option<LaneId>, Option<TaskId>), event: &Event) {
        let Some(id) = fact.1 else { return };
        match event {
            Event::PacketOffered(offered) => {
                assert_eq!(offered.packet.0, self.packets, "packets are numbered without gaps");
                self.packets += 1;
                self.offered = Some((offered.packet, offered.purpose));
            }
            Event::PacketRefused(refused) => {
                self.answered(refused.packet);
                self.tasks[id.0 as usize].route.refused += 1;
            }
            Event::PacketAccepted(accepted) => {
                let packet = self.answered(accepted.packet);
                self.tasks[id.0 as usize].route.accept(packet);
            }
            Event::ReviewGiven(review) => self.tasks[id.0 as usize].route.judged(review),
            Event::ApprovalGiven(given) if given.approved => self.let_pass(id),
            Event::ApprovalTimedOut(over) if over.then == ApprovalThen::Approve => self.let_pass(id),
            _ => {}
        }
    }

    fn answered(&mut self, packet: PacketId) -> (PacketId, PacketPurpose) {
        let offered = self.offered.take().filter(|(offered, _)| *offered == packet);
        offered.expect("the packet that was offered last is answered")
    }

    /// A person lets the change of a task land that waits for that.
    fn let_pass(&mut self, task: TaskId) {
        if self.state(task) == TaskState::Waits {
            self.tasks[task.0 as usize].route.approve();
            self.make_ready(task);
        }
    }

    /// What the task's next owner begins with.
    pub fn brief(&self, task: TaskId) -> Option<super::Brief> {
        self.task(task).route.brief()
    }

    /// Whether the task's owner has approved its packet's change.
    pub fn is_reviewed(&self, task: TaskId) -> bool {
        self.task(task).route.reviewed
    }
}
