//! Owns the judgement of tasks: one owner at a time, attempts that count up, ends that are earned
//! (HAND-1), and artifacts that a landed change really contains (ONE-1).
//!
//! Deliberately does not know leases, slots or the repository.

mod moves;
mod turns;

use crate::changes::{Change, Changes};
use crate::groups::Groups;
use crate::packets::Packets;
use crate::report::Judgement;
use baton_record::event::{BudgetScope, FailReason, OperatorCommand, PacketOffered, PacketPurpose, RefuseReason};
use baton_record::event::{RetireReason, ReturnReason, StopReason, TaskAdded};
use baton_record::ids::ATTEMPTS_MAX;
use baton_record::line::Record;
use baton_record::{ChangeId, Event, LaneId, TaskId};
pub(crate) use moves::Heir;
use std::collections::BTreeMap;

#[derive(Debug)]
struct Task {
    added: TaskAdded,
    owner: Option<LaneId>,
    attempt: u32,
    /// Attempts that began from nothing, or again from where another died.
    begun: u32,
    ended: bool,
    /// Whom an operator has given it to, while nobody of the same role has taken it since.
    kept: Option<LaneId>,
    /// An operator takes it from its owner.
    moving: bool,
    /// It was taken from its owner, and nobody has it since.
    moved: bool,
}

#[derive(Debug)]
struct Lane {
    role: String,
    owns: Option<TaskId>,
    died_since_assignment: bool,
    dead: bool,
    /// A call of it was refused, and what follows from that is not written yet.
    refused_a_call: bool,
    retired: bool,
    /// It gave up for want of money since it was last given a task.
    out_of_money: bool,
    /// Something was denied to it since it has its task.
    denied: bool,
    /// An operator has taken it out of the team.
    removed: bool,
    /// Its task was given to another since it was last given one.
    called_off: bool,
}

impl Lane {
    /// Whether it lives and may be given a task.
    fn takes_work(&self) -> bool {
        !self.dead && !self.retired && !self.removed
    }

    fn new(role: &str) -> Lane {
        Lane {
            role: role.to_owned(),
            owns: None,
            died_since_assignment: false,
            dead: false,
            refused_a_call: false,
            retired: false,
            out_of_money: false,
            denied: false,
            removed: false,
            called_off: false,
        }
    }
}

/// All tasks of a run.
#[derive(Debug, Default)]
pub(crate) struct Board {
    tasks: BTreeMap<TaskId, Task>,
    lanes: BTreeMap<LaneId, Lane>,
    groups: Groups,
    pub(crate) ended: u64,
    /// An operator has said that nothing new is begun.
    draining: bool,
    hand_1: Judgement,
    one_1: Judgement,
}

impl Board {
    /// Whether an operator has said that nothing new is begun.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining
    }

    /// Whether nothing new was begun since an operator said so, nobody owns anything, and nothing that was begun waits
    /// for a lane that could take it.
    pub(crate) fn is_drained(&self, packets: &Packets) -> bool {
        let able = |role: &str| self.lanes.values().any(|lane| lane.role == role && lane.takes_work());
        let rests = |(id, task): (&TaskId, &Task)| {
            let goes_on = !task.ended && (task.moved || packets.is_begun(*id));
            let waits = !task.ended && packets.waits_for_person(*id);
            task.owner.is_none() && !waits && !(goes_on && able(packets.role_of(*id, &task.added.role)))
        };
        self.draining && self.tasks.iter().all(rests)
    }

    /// Whether a lane has given up for want of money.
    pub(crate) fn any_retired(&self) -> bool {
        self.lanes.values().any(|lane| lane.retired)
    }

    /// Whether a lane that has given up lives and still has something to hand back.
    pub(crate) fn any_hands_back(&self) -> bool {
        self.lanes.values().any(|lane| (lane.retired || lane.removed) && !lane.dead && lane.owns.is_some())
    }

    /// A lane gives up when a call of it was refused. What it has it may still hand back.
    fn retired(&mut self, record: &Record) -> Result<(), &'static str> {
        let lane = record.lane.and_then(|id| self.lanes.get_mut(&id)).ok_or("is of nobody who could give up")?;
        let earned = std::mem::take(&mut lane.refused_a_call);
        (lane.retired, lane.out_of_money) = (true, true);
        if earned { Ok(()) } else { Err("is left by a lane that gives up, and no call of it was refused") }
    }

    /// The path of the task's one canonical artifact, if it has one.
    pub(crate) fn artifact_of(&self, id: TaskId) -> Option<&str> {
        self.tasks.get(&id)?.added.artifact.as_deref()
    }

    /// Whether the task exists and has ended.
    pub(crate) fn is_ended(&self, task: TaskId) -> bool {
        self.tasks.get(&task).is_some_and(|task| task.ended)
    }

    /// Tasks that exist and have not ended.
    pub(crate) fn unended(&self) -> u64 {
        self.tasks.len() as u64 - self.ended
    }

    /// The change of a task's newest attempt.
    pub(crate) fn current_change(&self, id: TaskId) -> Option<ChangeId> {
        change_of(Some(id), self.tasks.get(&id)?.attempt)
    }

    /// Whether a person decides about the task's plan.
    pub(crate) fn is_plan(&self, id: TaskId) -> bool {
        self.tasks.get(&id).is_some_and(|task| task.added.plan)
    }

    /// The role that reviews a task's changes.
    pub(crate) fn reviewer(&self, id: TaskId) -> Option<&str> {
        self.tasks.get(&id)?.added.review.as_deref()
    }

    /// Who owns a task.
    pub(crate) fn owner(&self, id: TaskId) -> Option<LaneId> {
        self.tasks.get(&id)?.owner
    }

    /// The change of the attempt that a lane is at.
    pub(crate) fn change_of_lane(&self, lane: LaneId) -> Option<ChangeId> {
        self.current_change(self.lanes.get(&lane)?.owns?)
    }

    /// Whether a lane has died since it was last given a task.
    pub(crate) fn died_since_assignment(&self, lane: LaneId) -> bool {
        self.lanes.get(&lane).is_some_and(|lane| lane.died_since_assignment)
    }

    /// `changes` has seen the record already, `packets` has not.
    pub(crate) fn see(&mut self, seq: u64, record: &Record, (changes, packets): (&Changes, &Packets)) {
        let result = match &record.event {
            Event::LaneJoined(joined) => {
                let lane = Lane::new(&joined.role);
                record.lane.map(|id| self.lanes.insert(id, lane));
                return;
            }
            Event::LaneDied(_) => {
                if let Some(lane) = record.lane.and_then(|id| self.lanes.get_mut(&id)) {
                    (lane.died_since_assignment, lane.dead) = (true, true);
                }
                return;
            }
            Event::LaneRestarted(_) => {
                if let Some(lane) = record.lane.and_then(|id| self.lanes.get_mut(&id)) {
                    lane.dead = false;
                }
                return;
            }
            Event::CallRefused(_) => {
                let result = self.owned(record);
                if let Some(lane) = record.lane.and_then(|id| self.lanes.get_mut(&id)) {
                    lane.refused_a_call = true;
                }
                result
            }
            Event::LaneRetired(retired) if retired.reason == RetireReason::Removed => {
                record.lane.and_then(|id| self.lanes.get_mut(&id)).into_iter().for_each(|lane| lane.removed = true);
                return;
            }
            Event::LaneRetired(_) => self.retired(record),
            Event::ActionDenied(_) => self.denied(record),
            Event::ActionFailed(_) => self.owned(record),
            Event::CommandGiven(given) => {
                self.draining |= given.command == OperatorCommand::Drain;
                return self.ordered(record, given, packets);
            }
            Event::BudgetSet(set) if set.scope == BudgetScope::Lane => {
                record.lane.and_then(|id| self.lanes.get_mut(&id)).into_iter().for_each(|lane| lane.retired = false);
                return;
            }
            Event::BudgetSet(_) => {
                self.lanes.values_mut().for_each(|lane| lane.retired = false);
                return;
            }
            Event::SlotRequested(_) | Event::SlotGranted(_) | Event::EffectIntended(_) => self.owned(record),
            Event::PacketOffered(offered) => self.offered(record, offered),
            Event::PacketAccepted(_) | Event::PacketRefused(_) | Event::ReviewGiven(_) => self.owned(record),
            Event::GatePassed(_) | Event::GateFailed(_) => self.gated(record, changes),
            Event::LeaseRequested(asked) => self.asked(record, asked.change),
            Event::ChangeLanded(landed) => return self.artifact(seq, changes.get(landed.change)),
            Event::ChangeSubmitted(submitted) => self.submitted(record, submitted.change, changes),
            Event::ChangeWithdrawn(withdrawn) => self.withdrawn(record, withdrawn.change),
            Event::ChangeRefused(refused) if refused.reason == RefuseReason::Superseded => {
                self.superseded(record, &refused.paths)
            }
            Event::ChangeRefused(refused) if refused.reason == RefuseReason::Withdrawn => {
                let late = changes.get(refused.change).is_some_and(|change| change.late);
                if late { Ok(()) } else { self.called_off(record) }
            }
            Event::TaskAdded(added) => self.added(record.task, added),
            Event::TaskAssigned(assigned) => self.assigned(record, assigned.attempt, packets),
            Event::TaskReturned(returned) => self.returned(record, returned.reason, (changes, packets)),
            Event::TaskDone(done) => self.done(record, done.change, changes),
            Event::TaskFailed(failed) => self.failed(record, failed.reason, changes),
            _ => return,
        };
        let task = record.task.map_or_else(|| "a task".to_owned(), |task| task.to_string());
        self.hand_1.claim(result.is_ok(), || format!("record {seq}: {task} {}", result.err().unwrap_or_default()));
    }

    /// Something is denied to the lane that owns the task.
    fn denied(&mut self, record: &Record) -> Result<(), &'static str> {
        if let Some(lane) = record.lane.and_then(|id| self.lanes.get_mut(&id)) {
            lane.denied = true;
        }
        self.owned(record)
    }

    fn added(&mut self, id: Option<TaskId>, added: &TaskAdded) -> Result<(), &'static str> {
        let id = id.ok_or("is added without a name")?;
        if self.tasks.contains_key(&id) {
            return Err("is added a second time");
        }
        let (kept, moving, moved) = (None, false, false);
        let task = Task { added: added.clone(), owner: None, attempt: 0, begun: 0, ended: false, kept, moving, moved };
        self.tasks.insert(id, task);
        self.groups.added(id, added)
    }

    /// The named task, if the lane of the record owns it; it owns it no more.
    fn given_up(&mut self, record: &Record) -> Result<&mut Task, &'static str> {
        let task = record.task.and_then(|id| self.tasks.get_mut(&id)).ok_or("was never added")?;
        if task.owner.is_none() || task.owner != record.lane {
            return Err("is given up by a lane that does not own it");
        }
        let owner = task.owner.take();
        if let Some(lane) = owner.and_then(|id| self.lanes.get_mut(&id)) {
            lane.owns = None;
        }
        Ok(task)
    }

    fn returned(
        &mut self,
        record: &Record,
        reason: ReturnReason,
        (changes, packets): (&Changes, &Packets),
    ) -> Result<(), &'static str> {
        let died = record.lane.and_then(|id| self.lanes.get(&id)).is_some_and(|lane| lane.died_since_assignment);
        let out_of_money = record.lane.and_then(|id| self.lanes.get(&id)).is_some_and(|lane| lane.out_of_money);
        let denied = record.lane.and_then(|id| self.lanes.get(&id)).is_some_and(|lane| lane.denied);
        let moved = record.task.is_some_and(|id| self.has_moved(id, changes));
        let task = self.given_up(record)?;
        let moving = std::mem::take(&mut task.moving);
        task.moved = reason == ReturnReason::Reassigned;
        let id = change_of(record.task, task.attempt);
        let change = id.and_then(|id| changes.get(id));
        let closed = change.is_some() || id.is_some_and(|id| changes.was_withdrawn(id));
        let earned = match reason {
            ReturnReason::LaneDied => died && !moving && closed,
            ReturnReason::Reassigned => moved,
            ReturnReason::BudgetOver => out_of_money,
            ReturnReason::Denied => denied,
            ReturnReason::Refused => change.is_some_and(|change| change.refusals > 0),
            ReturnReason::HandedOver
            | ReturnReason::SentBack
            | ReturnReason::WaitsForPerson
            | ReturnReason::NoPacket => packets.earns(record.task, reason),
        };
        if earned { Ok(()) } else { Err("is returned for a reason that the journal does not show") }
    }

    fn done(&mut self, record: &Record, change: ChangeId, changes: &Changes) -> Result<(), &'static str> {
        let task = self.given_up(record)?;
        let task_group = task.added.group;
        if std::mem::replace(&mut task.ended, true) {
            return Err("ends a second time");
        }
        self.ended += 1;
        self.groups.ended(task_group, false);
        let landed = changes.get(change).is_some_and(|change| change.landings > 0 || change.written);
        if Some(change.task()) != record.task || !landed {
            return Err("is done by a change that is not its own, or has not landed");
        }
        Ok(())
    }

    /// A task may also be given up when nobody owns it any more: after the death of its last owner, or because what it
    /// comes after was given up.
    fn failed(&mut self, record: &Record, reason: FailReason, changes: &Changes) -> Result<(), &'static str> {
        let group = record.task.and_then(|id| self.tasks.get(&id)).map_or(0, |task| task.added.group);
        let in_vain = self.groups.waits_in_vain(group);
        let unowned = record.task.and_then(|id| self.tasks.get_mut(&id)).filter(|task| task.owner.is_none());
        let is_unowned = unowned.is_some();
        let task = if is_unowned {
            record.task.and_then(|id| self.tasks.get_mut(&id)).ok_or("was never added")?
        } else {
            self.given_up(record)?
        };
        if std::mem::replace(&mut task.ended, true) {
            return Err("ends a second time");
        }
        let earned = match reason {
            FailReason::AttemptsUsedUp => task.begun >= task.added.attempts_max || task.attempt >= ATTEMPTS_MAX,
            FailReason::Prerequisite => in_vain && is_unowned && task.attempt == 0,
            // That somebody has said no: [`crate::approvals`].
            FailReason::NotApproved => is_unowned,
            FailReason::NothingToLand => !is_unowned && !record.task.is_some_and(|id| changes.any_of(id)),
        };
        self.ended += 1;
        self.groups.ended(group, true);
        if earned { Ok(()) } else { Err("is given up for a reason that the journal does not show") }
    }

    /// Tasks that nobody has begun and that nobody ever will, because this one was given up.
    pub(crate) fn given_up_with(&self, id: TaskId) -> Vec<TaskId> {
        let Some(task) = self.tasks.get(&id) else { return Vec::new() };
        let unended = |id: &TaskId| self.tasks.get(id).is_some_and(|task| !task.ended);
        self.groups.behind(task.added.group).into_iter().filter(unended).collect()
    }

    /// A packet tells of the attempt that its lane is at.
    fn offered(&self, record: &Record, offered: &PacketOffered) -> Result<(), &'static str> {
        self.owned(record)?;
        if record.lane.is_some_and(|lane| self.died_since_assignment(lane)) {
            return Err("has a packet offered by a lane that has died since it was given the task");
        }
        let out_of_money = record.lane.and_then(|id| self.lanes.get(&id)).is_some_and(|lane| lane.out_of_money);
        if offered.purpose == PacketPurpose::LastTurn && !out_of_money {
            return Err("is handed back for want of money by a lane that has not given up");
        }
        let current = record.task.and_then(|id| self.current_change(id));
        if current == Some(offered.change) {
            Ok(())
        } else {
            Err("has a packet offered that tells of another attempt than the current one")
        }
    }

    /// What costs something is done for a task by the lane that owns it. That both are named is WHO-1.
    fn owned(&self, record: &Record) -> Result<(), &'static str> {
        let (Some(id), Some(lane)) = (record.task, record.lane) else { return Ok(()) };
        let owner = self.tasks.get(&id).and_then(|task| task.owner);
        if owner == Some(lane) { Ok(()) } else { Err("is worked on by a lane that does not own it") }
    }

    /// A gate answers for a change of the lane and the task that it names.
    fn gated(&self, record: &Record, changes: &Changes) -> Result<(), &'static str> {
        let (Some(id), Some(_)) = (record.task, record.lane) else { return Ok(()) };
        let change = self.current_change(id).and_then(|change| changes.get(change));
        if change.is_some_and(|change| change.lane == record.lane && !change.has_outcome()) {
            Ok(())
        } else {
            Err("is gated, and no change of the lane for it waits to land")
        }
    }

    fn asked(&self, record: &Record, change: ChangeId) -> Result<(), &'static str> {
        self.owned(record)?;
        let task = self.tasks.get(&change.task());
        let current = task.is_some_and(|task| task.attempt == change.attempt());
        let own = record.task.is_none_or(|task| task == change.task());
        if current && own { Ok(()) } else { Err("has a lease asked for another attempt than the current one") }
    }

    fn submitted(&mut self, record: &Record, change: ChangeId, changes: &Changes) -> Result<(), &'static str> {
        // What comes too late is refused at once, whoever owns the task by now.
        if changes.get(change).is_some_and(|change| change.late) {
            return Ok(());
        }
        let task = self.tasks.get(&change.task()).ok_or("is not known, and a change is submitted for it")?;
        if task.owner.is_none() || task.owner != record.lane {
            return Err("has a change submitted by a lane that does not own it");
        }
        if task.attempt != change.attempt() {
            return Err("has a change submitted for another attempt than the current one");
        }
        Ok(())
    }

    /// Only what a dead lane left is closed unseen.
    fn withdrawn(&self, record: &Record, change: ChangeId) -> Result<(), &'static str> {
        let task = self.tasks.get(&change.task()).ok_or("is not known, and an attempt at it is closed")?;
        let left = record.lane.is_some_and(|lane| self.died_since_assignment(lane) || task.moving);
        if task.owner.is_some() && task.owner == record.lane && task.attempt == change.attempt() && left {
            Ok(())
        } else {
            Err("has an attempt closed that nobody has left, and that was not called off")
        }
    }

    fn superseded(&self, record: &Record, paths: &[String]) -> Result<(), &'static str> {
        let artifact = record.task.and_then(|id| self.tasks.get(&id)?.added.artifact.as_ref());
        if artifact.is_some_and(|artifact| paths == std::slice::from_ref(artifact)) {
            Ok(())
        } else {
            Err("is refused for an artifact that it does not have")
        }
    }

    fn artifact(&mut self, seq: u64, change: Option<&Change>) {
        let Some(submitted) = change.map(|change| &change.submitted) else {
            return;
        };
        let task = self.tasks.get(&submitted.change.task());
        let Some(artifact) = task.and_then(|task| task.added.artifact.as_ref()) else {
            return;
        };
        self.one_1.claim(submitted.updates.iter().any(|update| update.path == *artifact), || {
            format!("record {seq}: {} landed without a change to its artifact {artifact}", submitted.change)
        });
    }

    /// HAND-1 and ONE-1, when the journal is read.
    pub(crate) fn judge(mut self, reason: Option<StopReason>) -> [Judgement; 2] {
        let left = self.unended();
        if left > 0 && reason == Some(StopReason::TasksEnded) {
            self.hand_1.breaks(|| {
                format!("{left} tasks have neither landed nor failed, though every task is said to have ended")
            });
        } else if left > 0 {
            self.hand_1.open(|| format!("{left} tasks have not ended"));
        }
        self.hand_1.note(format!("{} tasks, one owner at a time, all ended", self.tasks.len()));
        [self.hand_1, self.one_1]
    }
}

/// The change of an attempt; `None` where the numbers of a forged journal exceed every identifier.
fn change_of(task: Option<TaskId>, attempt: u32) -> Option<ChangeId> {
    let first = task?.0.checked_mul(ATTEMPTS_MAX)?;
    let offset = attempt.checked_sub(1).filter(|offset| *offset < ATTEMPTS_MAX)?;
    first.checked_add(offset).map(ChangeId)
}
