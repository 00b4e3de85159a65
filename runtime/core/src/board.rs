//! The board: which task is ready, owned, done or given up, and by whom.
//!
//! A task has one owner at a time and a bounded number of attempts; a lane owns one task at a time. Knows nothing of
//! what a task is about; its canonical artifact is a matter of the change that lands (see the merger).

use crate::fact::{Fact, Refusal};
use baton_record::event::{CommandGiven, OperatorCommand};
use baton_record::event::{
    FailReason, LaneRetired, RetireReason, ReturnReason, TaskAssigned, TaskDone, TaskFailed, TaskReturned,
};
use baton_record::ids::ATTEMPTS_MAX;
use baton_record::{ChangeId, Event, FaultId, LaneId, RoleId, TaskId};
use std::collections::BTreeSet;

/// All tasks and lanes of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    tasks: Vec<Task>,
    lanes: Vec<Lane>,
    /// By role: tasks that nobody owns and that may be taken.
    ready: Vec<BTreeSet<TaskId>>,
    ended: u32,
    /// Nothing new is begun.
    draining: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Task {
    role: RoleId,
    state: TaskState,
    /// Attempts begun.
    attempts: u32,
    attempts_max: u32,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Nobody owns it.
    Ready,
    /// This lane owns it.
    Owned(LaneId),
    /// Done by this change.
    Done(ChangeId),
    /// Given up.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Lane {
    role: RoleId,
    alive: bool,
    /// It died owning a task, and the merger has not said yet whether the attempt is on main.
    leaving: bool,
    restarts: u32,
    owns: Option<TaskId>,
    /// It takes no more work until a limit is set anew.
    retired: bool,
}

/// How a change ended, as the merger says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is on main.
    Landed,
    /// It is not and will not be.
    Refused,
    /// Its lane died, and the merger will take nothing of it any more.
    Withdrawn,
}

impl Board {
    /// The first ready task of the lane's role becomes the lane's.
    pub fn take(&self, lane: LaneId) -> Result<Vec<Fact>, Refusal> {
        let taker = self.lane(lane);
        if !taker.alive {
            return Err(Refusal::Stale);
        }
        if taker.leaving {
            return Err(Refusal::NothingReady);
        }
        if taker.owns.is_some() {
            return Err(Refusal::Repeated);
        }
        if self.all_ended() {
            return Err(Refusal::AllEnded);
        }
        if self.draining {
            return Err(Refusal::Draining);
        }
        if taker.retired {
            return Err(Refusal::Retired);
        }
        let first = self.ready.get(taker.role.0 as usize).and_then(|ready| ready.first());
        let task = *first.ok_or(Refusal::NothingReady)?;
        Ok(vec![self.assignment(lane, task)])
    }

    fn assignment(&self, lane: LaneId, task: TaskId) -> Fact {
        let attempt = self.task(task).attempts + 1;
        Fact::of(lane, task, Event::TaskAssigned(TaskAssigned { attempt }))
    }

    /// The merger's word on the change of the lane's present attempt: done, another attempt, or given up.
    pub fn settle(&self, change: ChangeId, settled: Settled, fault: Option<FaultId>) -> Result<Vec<Fact>, Refusal> {
        let task = change.task();
        let lane = self.owner_of_attempt(change).ok_or(Refusal::Stale)?;
        if settled == Settled::Withdrawn && !self.lane(lane).leaving {
            return Err(Refusal::Stale);
        }
        if settled == Settled::Landed {
            return Ok(vec![Fact::of(lane, task, Event::TaskDone(TaskDone { change }))]);
        }
        if self.is_last_attempt(task) {
            return Ok(vec![give_up(lane, task)]);
        }
        if settled == Settled::Withdrawn {
            let returned = TaskReturned { reason: ReturnReason::LaneDied, fault };
            return Ok(vec![Fact::of(lane, task, Event::TaskReturned(returned))]);
        }
        let returned = TaskReturned { reason: ReturnReason::Refused, fault };
        let mut facts = vec![Fact::of(lane, task, Event::TaskReturned(returned))];
        if !self.lane(lane).leaving && !self.draining {
            facts.push(self.assignment(lane, task));
        }
        Ok(facts)
    }

    /// No call of the lane fits under a limit any more: it gives back its task and takes no other.
    pub fn retire(&self, lane: LaneId) -> Vec<Fact> {
        let reason = RetireReason::BudgetOver;
        let retired = Fact::of_lane(lane, Event::LaneRetired(LaneRetired { reason }));
        let given_back = self.lane(lane).owns.map(|task| {
            if self.is_last_attempt(task) {
                return give_up(lane, task);
            }
            let returned = TaskReturned { reason: ReturnReason::BudgetOver, fault: None };
            Fact::of(lane, task, Event::TaskReturned(returned))
        });
        given_back.into_iter().chain([retired]).collect()
    }

    /// An operator drains the run. A second time changes nothing.
    pub fn drain(&self, by: &str, reason: &str) -> Result<Fact, Refusal> {
        if self.draining {
            return Err(Refusal::Repeated);
        }
        let (by, reason) = (by.to_owned(), reason.to_owned());
        let given = CommandGiven { command: OperatorCommand::Drain, by, reason };
        Ok(Fact::of_run(Event::CommandGiven(given)))
    }

    /// Whether nothing new is begun and everything that was begun has ended.
    pub fn is_drained(&self) -> bool {
        self.draining && self.lanes.iter().all(|lane| lane.owns.is_none())
    }

    fn is_last_attempt(&self, task: TaskId) -> bool {
        let task = self.task(task);
        task.attempts >= task.attempts_max
    }

    /// Who owns this very attempt, alive or not.
    pub(crate) fn owner_of_attempt(&self, change: ChangeId) -> Option<LaneId> {
        let task = self.tasks.get(change.task().0 as usize)?;
        match task.state {
            TaskState::Owned(lane) if task.attempts == change.attempt() => Some(lane),
            _ => None,
        }
    }

    /// Takes a fact about lanes and tasks into the state; any other fact changes nothing.
    /// `role` is the role of the lane that joins or of the task that is added.
    pub fn apply(&mut self, fact: (Option<LaneId>, Option<TaskId>), event: &Event, role: Option<RoleId>) {
        let (lane, task) = fact;
        match (event, lane, task) {
            (Event::LaneJoined(joined), ..) => {
                assert_eq!(joined.id.0 as usize, self.lanes.len(), "lanes are numbered without gaps");
                let role = role.expect("a lane joins with its role");
                self.lanes.push(Lane { role, alive: true, leaving: false, restarts: 0, owns: None, retired: false });
            }
            (Event::TaskAdded(added), _, Some(task)) => {
                self.add(task, role.expect("a task's role has a lane"), added.attempts_max);
            }
            (Event::TaskAssigned(assigned), Some(lane), Some(task)) => self.assign(lane, task, assigned.attempt),
            (Event::TaskReturned(_), Some(lane), Some(task)) => self.free(lane, task, TaskState::Ready),
            (Event::TaskDone(done), Some(lane), Some(task)) => self.free(lane, task, TaskState::Done(done.change)),
            (Event::TaskFailed(_), Some(lane), Some(task)) => self.free(lane, task, TaskState::Failed),
            (Event::LaneDied(_), Some(lane), _) => {
                let lane = &mut self.lanes[lane.0 as usize];
                lane.alive = false;
                lane.leaving = lane.owns.is_some();
            }
            (Event::CommandGiven(given), ..) => self.draining |= given.command == OperatorCommand::Drain,
            (Event::LaneRetired(_), Some(lane), _) => self.lanes[lane.0 as usize].retired = true,
            (Event::BudgetSet(_), ..) => self.lanes.iter_mut().for_each(|lane| lane.retired = false),
            (Event::LaneRestarted(restart), Some(lane), _) => {
                let lane = &mut self.lanes[lane.0 as usize];
                lane.alive = true;
                lane.restarts = restart.restarts;
            }
            _ => {}
        }
    }

    fn add(&mut self, task: TaskId, role: RoleId, attempts_max: u32) {
        assert_eq!(task.0 as usize, self.tasks.len(), "tasks are numbered without gaps");
        assert!((1..=ATTEMPTS_MAX).contains(&attempts_max), "a task has 1 to {ATTEMPTS_MAX} attempts");
        self.tasks.push(Task { role, state: TaskState::Ready, attempts: 0, attempts_max });
        let roles = self.ready.len().max(role.0 as usize + 1);
        self.ready.resize_with(roles, BTreeSet::new);
        self.ready[role.0 as usize].insert(task);
    }

    fn assign(&mut self, lane: LaneId, id: TaskId, attempt: u32) {
        let task = &mut self.tasks[id.0 as usize];
        assert_eq!(task.state, TaskState::Ready, "a task has one owner at a time");
        assert_eq!(attempt, task.attempts + 1, "attempts are numbered without gaps");
        task.state = TaskState::Owned(lane);
        task.attempts = attempt;
        let owner = &mut self.lanes[lane.0 as usize];
        assert!(owner.alive && !owner.leaving && owner.owns.is_none(), "a lane owns one task at a time");
        owner.owns = Some(id);
        self.ready[task.role.0 as usize].remove(&id);
    }

    fn free(&mut self, lane: LaneId, id: TaskId, state: TaskState) {
        let task = &mut self.tasks[id.0 as usize];
        assert_eq!(task.state, TaskState::Owned(lane), "only its owner gives a task back");
        task.state = state;
        let owner = &mut self.lanes[lane.0 as usize];
        owner.owns = None;
        owner.leaving = false;
        if state == TaskState::Ready {
            self.ready[task.role.0 as usize].insert(id);
        } else {
            self.ended += 1;
        }
    }

    fn task(&self, task: TaskId) -> Task {
        self.tasks[task.0 as usize]
    }

    fn lane(&self, lane: LaneId) -> Lane {
        self.lanes[lane.0 as usize]
    }

    /// Where a task stands.
    pub fn state(&self, task: TaskId) -> TaskState {
        self.task(task).state
    }

    /// What a lane owns, and the change of its present attempt.
    pub fn owned_by(&self, lane: LaneId) -> Option<ChangeId> {
        self.lane(lane).owns.map(|task| ChangeId::of(task, self.task(task).attempts))
    }

    /// Attempts whose lanes died and of which the merger has not said yet whether they are on main.
    pub fn leaving(&self) -> Vec<(LaneId, ChangeId)> {
        let lanes = (0..self.lanes.len() as u32).map(LaneId);
        let leaving = lanes.filter(|lane| self.lane(*lane).leaving);
        leaving.filter_map(|lane| self.owned_by(lane).map(|change| (lane, change))).collect()
    }

    /// Whether a lane that lives owns this very attempt.
    pub fn works_on(&self, lane: LaneId, change: ChangeId) -> bool {
        !self.lane(lane).leaving && self.owned_by(lane) == Some(change)
    }

    /// Whether the lane lives, as far as is known.
    pub fn is_alive(&self, lane: LaneId) -> bool {
        self.lane(lane).alive
    }

    /// Whether the lane takes no more work, because no call of it fits under a limit.
    pub fn is_retired(&self, lane: LaneId) -> bool {
        self.lane(lane).retired
    }

    /// Whether any lane takes no more work, because no call of it fits under a limit.
    pub fn any_retired(&self) -> bool {
        self.lanes.iter().any(|lane| lane.retired)
    }

    /// How often a lane was started again.
    pub fn restarts(&self, lane: LaneId) -> u32 {
        self.lane(lane).restarts
    }

    /// How many lanes have joined.
    pub fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// Whether every task is done or given up.
    pub fn all_ended(&self) -> bool {
        self.ended as usize == self.tasks.len()
    }

    /// Whether nothing that is left to do can ever be done: no lane of its role lives, or has less than this many
    /// restarts behind it.
    pub fn is_stuck(&self, restarts_max: u32) -> bool {
        let lanes = || self.lanes.iter();
        let returning = lanes().filter(|lane| !lane.retired && (lane.alive || lane.restarts < restarts_max));
        let served: BTreeSet<usize> = returning.map(|lane| lane.role.0 as usize).collect();
        let waiting = self.ready.iter().enumerate().filter(|(_, tasks)| !tasks.is_empty()).map(|(role, _)| role);
        let owned = lanes().filter(|lane| lane.owns.is_some()).map(|lane| lane.role.0 as usize);
        !self.all_ended() && waiting.chain(owned).all(|role| !served.contains(&role))
    }

    /// Tasks that nobody owns.
    pub fn ready(&self) -> usize {
        self.ready.iter().map(BTreeSet::len).sum()
    }
}

fn give_up(lane: LaneId, task: TaskId) -> Fact {
    let failed = TaskFailed { reason: FailReason::AttemptsUsedUp };
    Fact::of(lane, task, Event::TaskFailed(failed))
}
