//! Owns what must stand directly behind what. A decision of the supervisor is written as a whole, so what
//! follows from it follows at once: a free slot or lease goes to whoever is first in line, a call begins
//! with its grant and gives its slot back with its end, a death or the end of an attempt frees what it
//! waited for, a refused attempt is followed by the next. And none of these records stands anywhere else.
//!
//! What is missing, moved, doubled or put in is said at the promise that it belongs to. Deliberately does
//! not know whether a decision was right; the other checks do.

use crate::board::Board;
use crate::budgets::{Budgets, Fit};
use crate::changes::Changes;
use crate::leases::Leases;
use crate::packets::Packets;
use crate::report::Judgement;
use crate::slots::{Call, Slots};
use baton_record::event::{BudgetScope, FailReason, Limit, OperatorCommand, RetireReason, ReturnReason};
use baton_record::ids::ATTEMPTS_MAX;
use baton_record::line::Record;
use baton_record::{ChangeId, EffectKey, EndpointId, Event, FaultId, LaneId, LeaseId, PacketId, TaskId};
use std::collections::VecDeque;

/// What the journal has told so far of tasks, changes and packets; of packets without the present record.
type Story<'a> = (&'a Board, &'a Changes, &'a Packets);

/// More lanes than this never join at once.
const LANES_AT_ONCE_MAX: u32 = 100_000;

/// One record that is due.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Due {
    lane: Option<LaneId>,
    task: Option<TaskId>,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    CallBegins(EffectKey),
    SlotGranted(EndpointId),
    SlotReleased(EndpointId, Option<FaultId>),
    LeaseGranted(LeaseId),
    LeaseReleased(LeaseId, Option<FaultId>),
    Assigned(u32),
    CallLost(EffectKey),
    CallRefused(EffectKey),
    Retired,
    /// A clone joins, and has the limit that lanes have.
    Joined,
    Limited(Limit),
    /// An operator's command takes a lane out of the team, or a lease from its holder.
    Removed,
    LeaseTaken(LeaseId),
    /// A change that came after its attempt was closed.
    RefusedLate(ChangeId),
    PacketAnswered(PacketId),
    /// A person is asked about what then waits.
    Asked,
    Moved(ReturnReason),
    /// A task ends that nobody has begun, because one before it was given up.
    InVain,
}

impl What {
    /// What a record is, if it is of a kind that follows from another.
    fn of(event: &Event) -> Option<What> {
        match event {
            Event::EffectIntended(e) => Some(What::CallBegins(e.key)),
            Event::SlotGranted(e) => Some(What::SlotGranted(e.endpoint)),
            Event::SlotReleased(e) => Some(What::SlotReleased(e.endpoint, e.fault)),
            Event::LeaseGranted(e) => Some(What::LeaseGranted(e.lease)),
            Event::LeaseReleased(e) if e.fence.is_some() => Some(What::LeaseTaken(e.lease)),
            Event::LeaseReleased(e) => Some(What::LeaseReleased(e.lease, e.fault)),
            Event::LaneJoined(_) => Some(What::Joined),
            Event::TaskAssigned(e) => Some(What::Assigned(e.attempt)),
            Event::EffectLost(e) => Some(What::CallLost(e.key)),
            Event::CallRefused(e) => Some(What::CallRefused(e.key)),
            Event::LaneRetired(e) if e.reason == RetireReason::Removed => Some(What::Removed),
            Event::LaneRetired(_) => Some(What::Retired),
            Event::ApprovalAsked(_) => Some(What::Asked),
            Event::PacketAccepted(e) => Some(What::PacketAnswered(e.packet)),
            Event::PacketRefused(e) => Some(What::PacketAnswered(e.packet)),
            Event::TaskReturned(e) => match e.reason {
                ReturnReason::HandedOver | ReturnReason::SentBack | ReturnReason::WaitsForPerson => {
                    Some(What::Moved(e.reason))
                }
                _ => None,
            },
            Event::TaskFailed(e) if e.reason == FailReason::Prerequisite => Some(What::InVain),
            _ => None,
        }
    }

    /// Records that follow from another here and stand alone elsewhere.
    fn is_met_by(self, event: &Event) -> bool {
        match (self, event) {
            (What::Limited(limit), Event::BudgetSet(set)) => set.scope == BudgetScope::Lane && set.limit == limit,
            (What::RefusedLate(change), Event::ChangeRefused(refused)) => refused.change == change,
            _ => false,
        }
    }

    /// A lane may also take a task, or have a person asked, by itself; and a run's end cuts calls off.
    fn stands_alone(self) -> bool {
        matches!(self, What::Assigned(_) | What::Asked | What::CallLost(_))
    }

    fn name(self) -> &'static str {
        match self {
            What::CallBegins(_) => "the beginning of a call",
            What::SlotGranted(_) => "the grant of a slot",
            What::SlotReleased(..) => "the end of a slot",
            What::LeaseGranted(_) => "the grant of a lease",
            What::LeaseReleased(..) => "the end of a lease",
            What::Assigned(_) => "the next attempt",
            What::CallLost(_) => "the bill of a call whose lane died",
            What::CallRefused(_) => "the refusal of a call for want of money",
            What::Retired => "a lane that gives up",
            What::Asked => "a question to a person",
            What::Joined => "a clone that joins",
            What::Limited(_) => "the limit of a clone",
            What::Removed => "a lane that is taken out of the team",
            What::LeaseTaken(_) => "the end of a lease that is taken from its holder",
            What::RefusedLate(_) => "the refusal of a change that came too late",
            What::PacketAnswered(_) => "the answer to a packet",
            What::Moved(ReturnReason::HandedOver) => "the move of a task with its packet",
            What::Moved(ReturnReason::WaitsForPerson) => "the wait for a person",
            What::Moved(_) => "the return of a change that was not approved",
            What::InVain => "the end of a task that waits in vain",
        }
    }
}

/// What is due, and what was found instead.
#[derive(Debug, Default)]
pub(crate) struct Sequel {
    /// The very next.
    now: Option<Due>,
    /// Behind what slots and leases that became free lead to.
    later: VecDeque<Due>,
    /// Behind everything else.
    last: VecDeque<Due>,
    slots_turn: bool,
    leases_turn: bool,
    /// The limit that was set last for a lane.
    lane_limit: Option<Limit>,
    /// Whether limits are being set by one command: nothing follows from any of them before the last.
    limiting: bool,
    pub(crate) lock_3: Judgement,
    pub(crate) hand_1: Judgement,
    pub(crate) hand_2: Judgement,
    pub(crate) log_2: Judgement,
    pub(crate) mail_1: Judgement,
    pub(crate) budget_2: Judgement,
}

impl Sequel {
    /// Before any other check has seen the record.
    pub(crate) fn before(
        &mut self,
        seq: u64,
        record: &Record,
        (slots, leases): (&Slots, &Leases),
        (budgets, at_work): (&Budgets, bool),
    ) {
        // Segments end wherever they are full.
        if matches!(record.event, Event::SegmentClosed(_)) {
            return;
        }
        match &record.event {
            Event::CommandGiven(given) => self.limiting = given.command == OperatorCommand::Budget,
            Event::BudgetSet(_) if self.limiting => return,
            _ => self.limiting = false,
        }
        let found = What::of(&record.event).filter(|found| at_work || *found != What::Joined);
        let Some(due) = self.take_due(slots, leases, budgets) else {
            if let Some(found) = found.filter(|found| !found.stands_alone()) {
                self.say(found, || format!("record {seq}: {} follows from nothing before it", found.name()));
            }
            return;
        };
        let met = found == Some(due.what) || due.what.is_met_by(&record.event);
        if met && (record.lane, record.task) == (due.lane, due.task) {
            return match due.what {
                What::Assigned(_) => self.hand_1.checked(),
                What::CallBegins(_) | What::CallLost(_) | What::CallRefused(_) => {}
                What::Joined | What::Limited(_) | What::Removed | What::RefusedLate(_) => {}
                What::Retired | What::InVain => self.hand_1.checked(),
                What::PacketAnswered(_) | What::Moved(_) | What::Asked => self.hand_2.checked(),
                _ => self.lock_3.checked(),
            };
        }
        self.say(due.what, || format!("record {seq}: {} is due here, and something else is there", due.what.name()));
        self.later.clear();
        self.last.clear();
        (self.slots_turn, self.leases_turn) = (false, false);
    }

    fn take_due(&mut self, slots: &Slots, leases: &Leases, budgets: &Budgets) -> Option<Due> {
        if self.now.is_some() {
            return self.now.take();
        }
        if self.slots_turn {
            if let Some(due) = next_call(slots, budgets) {
                return Some(due);
            }
            self.slots_turn = false;
        }
        if self.leases_turn {
            if let Some((lease, lane, task)) = leases.grantable() {
                return Some(Due { lane, task: Some(task), what: What::LeaseGranted(lease) });
            }
            self.leases_turn = false;
        }
        self.later.pop_front().or_else(|| self.last.pop_front())
    }

    fn say(&mut self, what: What, why: impl FnOnce() -> String) {
        let judgement = match what {
            What::CallBegins(_) => &mut self.log_2,
            What::Assigned(_) | What::Retired | What::InVain => &mut self.hand_1,
            What::PacketAnswered(_) | What::Moved(_) | What::Asked => &mut self.hand_2,
            What::CallLost(_) | What::CallRefused(_) => &mut self.budget_2,
            What::Joined | What::Limited(_) => &mut self.mail_1,
            What::Removed | What::LeaseTaken(_) | What::RefusedLate(_) => &mut self.mail_1,
            _ => &mut self.lock_3,
        };
        judgement.breaks(why);
    }

    /// After every other check has seen the record.
    pub(crate) fn after(&mut self, record: &Record, (slots, leases): (&Slots, &Leases), story: Story<'_>) {
        if let (Event::TaskFailed(failed), Some(task)) = (&record.event, record.task)
            && failed.reason != FailReason::Prerequisite
        {
            let in_vain = story.0.given_up_with(task).into_iter();
            self.last.extend(in_vain.map(|task| Due { lane: None, task: Some(task), what: What::InVain }));
        }
        self.order(record, leases, story.0);
        let Some(lane) = record.lane else {
            self.slots_turn |= matches!(record.event, Event::Resumed(_) | Event::BudgetSet(_));
            return;
        };
        let due = |task: Option<TaskId>, what: What| Due { lane: Some(lane), task, what };
        match &record.event {
            Event::SlotGranted(_) => {
                self.now = slots.call(lane).map(|call| due(call.task, What::CallBegins(call.key)));
            }
            Event::BudgetSet(set) => {
                self.slots_turn = true;
                self.lane_limit = Some(set.limit);
            }
            Event::ChangeSubmitted(submitted) if story.1.get(submitted.change).is_some_and(|change| change.late) => {
                self.now = Some(due(record.task, What::RefusedLate(submitted.change)));
            }
            Event::CallRefused(_) => {
                self.slots_turn = true;
                self.later.push_back(due(None, What::Retired));
            }
            Event::LaneRetired(retired) if retired.reason == RetireReason::BudgetOver => {
                let held = story.0.change_of_lane(lane).and_then(|change| Some((change, leases.of_change(change)?)));
                self.later.extend(held.map(|(change, id)| due(Some(change.task()), What::LeaseReleased(id, None))));
            }
            Event::PacketOffered(offered) => {
                self.now = Some(due(record.task, What::PacketAnswered(offered.packet)));
            }
            Event::PacketAccepted(accepted) => {
                let asks = story.2.is_for_person(accepted.packet);
                let what = if asks { What::Asked } else { What::Moved(ReturnReason::HandedOver) };
                self.now = Some(due(record.task, what));
            }
            Event::ReviewGiven(review) => {
                let what = after_review(record.task, review.approved, story);
                // Where there are no numbers left for another attempt, the task is given up.
                let last = story.0.change_of_lane(lane).is_some_and(|change| change.attempt() >= ATTEMPTS_MAX);
                self.now = what.filter(|_| !last).map(|what| due(record.task, what));
            }
            Event::ApprovalAsked(_) => self.now = Some(due(record.task, What::Moved(ReturnReason::WaitsForPerson))),
            Event::EffectDone(_) | Event::EffectFailed(_) => {
                self.now = slots.call(lane).map(|call| due(call.task, What::SlotReleased(call.endpoint, None)));
            }
            Event::SlotRequested(_) | Event::SlotReleased(_) => self.slots_turn = true,
            Event::LeaseRequested(_) | Event::LeaseReleased(_) | Event::LeaseExpired(_) => self.leases_turn = true,
            Event::LaneDied(died) => {
                let call = slots.call(lane);
                let lost = call.filter(Call::is_under_way).map(|call| due(call.task, What::CallLost(call.key)));
                let slot = call.map(|call| due(call.task, What::SlotReleased(call.endpoint, died.fault)));
                let waiting = leases.waiting_of(lane);
                let lease = waiting.map(|(id, task)| due(Some(task), What::LeaseReleased(id, died.fault)));
                self.later.extend(lost.into_iter().chain(slot).chain(lease));
            }
            Event::TaskDone(_) | Event::TaskFailed(_) | Event::TaskReturned(_) => {
                self.attempt_over(record, lane, (slots, leases), story);
            }
            _ => {}
        }
    }

    /// What follows from an operator's command.
    fn order(&mut self, record: &Record, leases: &Leases, board: &Board) {
        let Event::CommandGiven(given) = &record.event else { return };
        match (given.command, record.lane) {
            (OperatorCommand::Remove, Some(_)) => {
                self.later.push_back(Due { lane: record.lane, task: None, what: What::Removed });
            }
            (OperatorCommand::Release, Some(lane)) => {
                let taken = leases.held_by(lane).into_iter();
                let due = |(id, task)| Due { lane: Some(lane), task: Some(task), what: What::LeaseTaken(id) };
                self.later.extend(taken.map(due));
            }
            (OperatorCommand::Add, _) => {
                let (first, more) = (board.next_lane(), given.lanes.unwrap_or_default().min(LANES_AT_ONCE_MAX));
                for id in (first..first.saturating_add(more)).map(LaneId) {
                    let due = |what| Due { lane: Some(id), task: None, what };
                    self.later.push_back(due(What::Joined));
                    self.later.extend(self.lane_limit.map(|limit| due(What::Limited(limit))));
                }
            }
            _ => {}
        }
    }

    /// The attempt's end: the next one, the lease, the place in line for a slot.
    fn attempt_over(
        &mut self,
        record: &Record,
        lane: LaneId,
        (slots, leases): (&Slots, &Leases),
        (board, changes, packets): Story<'_>,
    ) {
        let Some(change) = record.task.and_then(|task| board.current_change(task)) else { return };
        let due = |task: Option<TaskId>, what: What| Due { lane: Some(lane), task, what };
        if let Event::TaskReturned(returned) = &record.event
            && returned.reason == ReturnReason::Refused
            && !board.died_since_assignment(lane)
            && !board.is_called_off(lane)
            && !board.is_removed(lane)
            && !board.is_draining()
            && !packets.at_review(change.task())
        {
            self.later.push_back(due(record.task, What::Assigned(change.attempt() + 1)));
        }
        // What a dead lane holds runs out, unless its change was settled like any other, or its task goes to another.
        let moved = matches!(&record.event, Event::TaskReturned(e) if e.reason == ReturnReason::Reassigned);
        if (moved || !changes.was_withdrawn(change))
            && let Some(id) = leases.of_change(change)
        {
            self.later.push_back(due(Some(change.task()), What::LeaseReleased(id, None)));
        }
        if let Some(call) = slots.call(lane).filter(|call| call.waits()) {
            self.later.push_back(due(call.task, What::SlotReleased(call.endpoint, None)));
        }
    }
}

/// The call that begins or is refused next: at the first endpoint with a free slot whose first in line is not to wait for
/// room under a limit.
fn next_call(slots: &Slots, budgets: &Budgets) -> Option<Due> {
    slots.first_in_line().find_map(|(endpoint, lane)| {
        let call = slots.call(lane)?;
        let what = match budgets.fit(lane, call.bound) {
            Fit::Now => What::SlotGranted(endpoint),
            Fit::Never => What::CallRefused(call.key),
            Fit::Later => return None,
        };
        Some(Due { lane: Some(lane), task: call.task, what })
    })
}

/// What a judgement leads to: a person decides about plans and after the last round; else what is not approved goes back.
fn after_review(task: Option<TaskId>, approved: bool, story: Story<'_>) -> Option<What> {
    let over = || task.is_some_and(|task| story.2.rounds_used_up(task));
    let plan = || task.is_some_and(|task| story.0.is_plan(task));
    match approved {
        true => plan().then_some(What::Asked),
        false if over() => Some(What::Asked),
        false => Some(What::Moved(ReturnReason::SentBack)),
    }
}
