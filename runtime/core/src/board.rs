//! The board: which task is ready, owned, done or given up, and by whom.
//!
//! A task has one owner at a time and a bounded number of attempts; a lane owns one task at a time. A task may go from
//! desk to desk, with a packet, and tasks may come after each other. Knows nothing of what a task is about; its canonical
//! artifact is a matter of the change that lands (see the merger).

mod groups;
mod handing;
mod orders;
mod route;

use crate::fact::{Fact, Refusal};
use baton_record::event::{BudgetScope, FailReason, LaneRetired, PacketPurpose, RetireReason};
use baton_record::event::{ReturnReason, TaskAdded, TaskAssigned, TaskDone, TaskFailed, TaskReturned};
use baton_record::ids::ATTEMPTS_MAX;
use baton_record::{ChangeId, Event, FaultId, LaneId, PacketId, RoleId, TaskId};
use groups::Groups;
pub use handing::Offer;
pub use orders::Heir;
use route::Route;
pub use route::{Brief, Desk};
use std::collections::BTreeSet;

/// All tasks and lanes of a run.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct Board {
    tasks: Vec<Task>,
    lanes: Vec<Lane>,
    /// By role: tasks that nobody owns and that may be taken.
    ready: Vec<BTreeSet<TaskId>>,
    groups: Groups,
    ended: u32,
    /// Packets offered so far.
    packets: u32,
    /// The newest of them, until it is answered.
    offered: Option<(PacketId, PacketPurpose)>,
    /// Nothing new is begun.
    draining: bool,
    /// An operator has ended the run.
    stopping: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Hash)]
struct Task {
    role: RoleId,
    state: TaskState,
    /// How often it was given to a lane.
    attempts: u16,
    /// How often it was begun, and may be: going on from a packet is no beginning.
    begun: u16,
    attempts_max: u16,
    group: u16,
    route: Route,
    /// The lane that an operator has given it to, while nobody of its role has taken it since.
    kept: Option<LaneId>,
    /// Its attempt is being closed, because an operator gives it to another.
    moving: bool,
    /// It was taken from its owner that way, and nobody has taken it since.
    moved: bool,
}

/// Which roles a fact speaks of: that of a lane that joins, or those that do and judge a task that is added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RolesIn {
    /// The lane's, the task's or the budget's.
    pub role: Option<RoleId>,
    /// Who reviews.
    pub review: Option<RoleId>,
}

impl From<Option<RoleId>> for RolesIn {
    fn from(role: Option<RoleId>) -> RolesIn {
        RolesIn { role, review: None }
    }
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// Nobody owns it.
    Ready,
    /// Tasks that it comes after have not ended.
    Blocked,
    /// A person decides about it.
    Waits,
    /// This lane owns it.
    Owned(LaneId),
    /// Done by this change.
    Done(ChangeId),
    /// Given up.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Hash)]
struct Lane {
    role: RoleId,
    alive: bool,
    /// It died owning a task, or the task is given to another, and the merger has not said yet whether the attempt is on
    /// main.
    leaving: bool,
    restarts: u32,
    owns: Option<TaskId>,
    /// It takes no more work until a limit is set anew.
    retired: bool,
    /// An operator has taken it out of the team.
    removed: bool,
    /// An operator wants it dead, and it is not yet.
    condemned: bool,
}

/// How a change ended, as the merger says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is on main.
    Landed,
    /// It is not and will not be.
    Refused,
    /// Its lane died, or its task is given to another, and the merger will take nothing of it any more.
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
        if self.all_ended() || taker.removed {
            return Err(Refusal::AllEnded);
        }
        if taker.retired {
            return Err(if self.draining { Refusal::Draining } else { Refusal::Retired });
        }
        let nothing = if self.draining { Refusal::Draining } else { Refusal::NothingReady };
        let task = self.first_for(lane).ok_or(nothing)?;
        Ok(vec![self.assignment(lane, task)])
    }

    /// The first task that the lane may take: not what it has handed on itself while another could take it, not what is kept
    /// for another, and while the run is drained only what was begun.
    fn first_for(&self, lane: LaneId) -> Option<TaskId> {
        let role = self.lane(lane).role;
        let others = || {
            let able = |(at, other): (usize, &Lane)| at != lane.0 as usize && other.role == role && other.is_able();
            self.lanes.iter().enumerate().any(able)
        };
        let fits = |task: &&TaskId| {
            let own = self.task(**task).kept == Some(lane);
            let given = self.task(**task).route.giver == Some(lane) && !own;
            (!self.draining || self.is_begun(**task)) && !self.is_kept_from(lane, **task) && (!given || !others())
        };
        self.ready.get(role.0 as usize)?.iter().find(fits).copied()
    }

    fn assignment(&self, lane: LaneId, task: TaskId) -> Fact {
        let attempt = u32::from(self.task(task).attempts) + 1;
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
        let Task { moving, route, .. } = self.task(task);
        let judged = route.desk == Desk::Review;
        let uncounted = (judged || moving) && settled == Settled::Withdrawn && !self.is_used_up(task);
        if self.is_last_attempt(task) && !uncounted {
            return Ok(vec![give_up(lane, task)]);
        }
        if settled == Settled::Withdrawn {
            let reason = if moving { ReturnReason::Reassigned } else { ReturnReason::LaneDied };
            let returned = TaskReturned { reason, fault };
            return Ok(vec![Fact::of(lane, task, Event::TaskReturned(returned))]);
        }
        let returned = TaskReturned { reason: ReturnReason::Refused, fault };
        let mut facts = vec![Fact::of(lane, task, Event::TaskReturned(returned))];
        if !self.lane(lane).leaving && !self.lane(lane).removed && !self.draining && !judged {
            facts.push(self.assignment(lane, task));
        }
        Ok(facts)
    }

    /// No call of the lane fits under a limit any more: it takes no other task, and has one turn to hand back what it has.
    pub fn retire(&self, lane: LaneId) -> Fact {
        let reason = RetireReason::BudgetOver;
        Fact::of_lane(lane, Event::LaneRetired(LaneRetired { reason }))
    }

    /// Whether nothing new is begun and everything that was begun has ended.
    pub fn is_drained(&self) -> bool {
        let served = |role: usize| self.lanes.iter().any(|lane| lane.role.0 as usize == role && lane.is_able());
        let begun = |task: &TaskId| self.is_begun(*task);
        let on_the_way = |(role, tasks): (usize, &BTreeSet<TaskId>)| served(role) && tasks.iter().any(begun);
        let owned = self.lanes.iter().any(|lane| lane.owns.is_some());
        let at_a_person = self.tasks.iter().any(|task| task.state == TaskState::Waits);
        self.draining && !owned && !at_a_person && !self.ready.iter().enumerate().any(on_the_way)
    }

    /// Whether somebody has begun it and left something to go on with.
    fn is_begun(&self, task: TaskId) -> bool {
        self.task(task).moved || self.task(task).route.brief().is_some()
    }

    fn is_last_attempt(&self, task: TaskId) -> bool {
        self.task(task).begun >= self.task(task).attempts_max || self.is_used_up(task)
    }

    /// Whether there are no numbers left for another attempt, however this one was come by.
    fn is_used_up(&self, task: TaskId) -> bool {
        u32::from(self.task(task).attempts) >= ATTEMPTS_MAX
    }

    /// Who owns this very attempt, alive or not.
    pub(crate) fn owner_of_attempt(&self, change: ChangeId) -> Option<LaneId> {
        let task = self.tasks.get(change.task().0 as usize)?;
        match task.state {
            TaskState::Owned(lane) if u32::from(task.attempts) == change.attempt() => Some(lane),
            _ => None,
        }
    }

    /// Takes a fact about lanes and tasks into the state; any other fact changes nothing.
    pub fn apply(&mut self, fact: (Option<LaneId>, Option<TaskId>), event: &Event, roles: impl Into<RolesIn>) {
        let ((lane, task), roles) = (fact, roles.into());
        self.apply_handing(fact, event);
        self.apply_order(fact, event, roles);
        match (event, lane, task) {
            (Event::LaneJoined(joined), ..) => {
                assert_eq!(joined.id.0 as usize, self.lanes.len(), "lanes are numbered without gaps");
                let role = roles.role.expect("a lane joins with its role");
                self.lanes.push(Lane::new(role));
            }
            (Event::TaskAdded(added), _, Some(task)) => {
                self.add(task, added, roles);
            }
            (Event::TaskAssigned(assigned), Some(lane), Some(task)) => self.assign(lane, task, assigned.attempt),
            (Event::TaskReturned(returned), Some(lane), Some(task)) => {
                let waits = returned.reason == ReturnReason::WaitsForPerson;
                let returning = &mut self.tasks[task.0 as usize];
                returning.route.returned(lane, returned.reason);
                returning.moved = returned.reason == ReturnReason::Reassigned;
                self.free(lane, task, if waits { TaskState::Waits } else { TaskState::Ready });
            }
            (Event::TaskDone(done), Some(lane), Some(task)) => self.free(lane, task, TaskState::Done(done.change)),
            (Event::TaskFailed(_), Some(lane), Some(task)) => self.free(lane, task, TaskState::Failed),
            (Event::TaskFailed(_), None, Some(task)) => self.end(task, TaskState::Failed),
            (Event::LaneDied(_), Some(lane), _) => {
                let lane = &mut self.lanes[lane.0 as usize];
                (lane.alive, lane.condemned) = (false, false);
                lane.leaving = lane.owns.is_some();
            }
            (Event::LaneRetired(retired), Some(lane), _) => {
                let lane = &mut self.lanes[lane.0 as usize];
                match retired.reason {
                    RetireReason::BudgetOver => lane.retired = true,
                    RetireReason::Removed => lane.removed = true,
                }
            }
            (Event::BudgetSet(set), Some(lane), _) if set.scope == BudgetScope::Lane => {
                self.lanes[lane.0 as usize].retired = false;
            }
            (Event::BudgetSet(_), ..) => self.lanes.iter_mut().for_each(|lane| lane.retired = false),
            (Event::LaneRestarted(restart), Some(lane), _) => {
                let lane = &mut self.lanes[lane.0 as usize];
                lane.alive = true;
                lane.restarts = restart.restarts;
            }
            _ => {}
        }
    }

    fn add(&mut self, id: TaskId, added: &TaskAdded, roles: RolesIn) {
        assert_eq!(id.0 as usize, self.tasks.len(), "tasks are numbered without gaps");
        let (role, attempts_max) = (roles.role.expect("a task's role has a lane"), added.attempts_max);
        assert!((1..=ATTEMPTS_MAX).contains(&attempts_max), "a task has 1 to {ATTEMPTS_MAX} attempts");
        let attempts_max = attempts_max as u16;
        let blocked = self.groups.add(added.group, &added.after);
        let state = if blocked { TaskState::Blocked } else { TaskState::Ready };
        let review = roles.review.zip(added.rounds_max);
        let route = Route::of(review.map(|(role, rounds)| (role, rounds.min(ATTEMPTS_MAX) as u16)));
        let (attempts, begun, group) = (0, 0, added.group);
        let (kept, moving, moved) = (None, false, false);
        self.tasks.push(Task { role, state, attempts, begun, attempts_max, group, route, kept, moving, moved });
        let most = review.map_or(role, |(review, _)| role.max(review));
        self.ready.resize_with(self.ready.len().max(most.0 as usize + 1), BTreeSet::new);
        if !blocked {
            self.ready[role.0 as usize].insert(id);
        }
    }

    /// The role whose turn it is.
    fn desk_role(&self, task: TaskId) -> RoleId {
        let task = self.task(task);
        match (task.route.desk, task.route.review) {
            (Desk::Review, Some((review, _))) => review,
            _ => task.role,
        }
    }

    /// Anybody of its role may take the task.
    fn make_ready(&mut self, id: TaskId) {
        self.tasks[id.0 as usize].state = TaskState::Ready;
        let role = self.desk_role(id);
        self.ready[role.0 as usize].insert(id);
    }

    /// A task has ended; those that waited for its group alone may be taken.
    fn end(&mut self, id: TaskId, state: TaskState) {
        let task = &mut self.tasks[id.0 as usize];
        assert!(!matches!(task.state, TaskState::Done(_) | TaskState::Failed), "a task ends once");
        task.state = state;
        let (group, role) = (task.group, self.desk_role(id));
        self.ready[role.0 as usize].remove(&id);
        self.ended += 1;
        let begin = self.groups.end(group);
        for freed in self.blocked_in(&begin) {
            self.make_ready(freed);
        }
    }

    /// Tasks of these groups that still wait for others.
    fn blocked_in(&self, groups: &[u16]) -> Vec<TaskId> {
        let blocked = |task: &Task| task.state == TaskState::Blocked && groups.contains(&task.group);
        let tasks = self.tasks.iter().enumerate().filter(|(_, task)| !groups.is_empty() && blocked(task));
        tasks.map(|(at, _)| TaskId(at as u32)).collect()
    }

    fn assign(&mut self, lane: LaneId, id: TaskId, attempt: u32) {
        let task = &mut self.tasks[id.0 as usize];
        assert_eq!(task.state, TaskState::Ready, "a task has one owner at a time");
        assert_eq!(attempt, u32::from(task.attempts) + 1, "attempts are numbered without gaps");
        task.state = TaskState::Owned(lane);
        task.attempts += 1;
        task.begun += u16::from(task.route.desk == Desk::Work && !task.route.continued);
        task.moved = false;
        task.route.assigned();
        let role = self.desk_role(id);
        self.end_keeping(id, role);
        let owner = &mut self.lanes[lane.0 as usize];
        assert!(owner.alive && !owner.leaving && owner.owns.is_none(), "a lane owns one task at a time");
        owner.owns = Some(id);
        self.ready[role.0 as usize].remove(&id);
    }

    fn free(&mut self, lane: LaneId, id: TaskId, state: TaskState) {
        assert_eq!(self.task(id).state, TaskState::Owned(lane), "only its owner gives a task back");
        let owner = &mut self.lanes[lane.0 as usize];
        owner.owns = None;
        owner.leaving = false;
        self.tasks[id.0 as usize].moving = false;
        match state {
            TaskState::Ready => self.make_ready(id),
            TaskState::Waits => self.tasks[id.0 as usize].state = state,
            state => self.end(id, state),
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
        self.lane(lane).owns.map(|task| ChangeId::of(task, self.task(task).attempts.into()))
    }

    /// Attempts whose lanes died, or whose tasks are given to others, and of which the merger has not said yet whether they are on main.
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
    /// restarts behind it, or is still to join.
    pub fn is_stuck(&self, restarts_max: u32, joining: &[RoleId]) -> bool {
        let lanes = || self.lanes.iter();
        let returning =
            lanes().filter(|lane| !lane.retired && !lane.removed && (lane.alive || lane.restarts < restarts_max));
        let served = returning.map(|lane| lane.role).chain(joining.iter().copied());
        let served: BTreeSet<usize> = served.map(|role| role.0 as usize).collect();
        let waiting = self.ready.iter().enumerate().filter(|(_, tasks)| !tasks.is_empty()).map(|(role, _)| role);
        let owned = lanes().filter(|lane| lane.owns.is_some()).map(|lane| lane.role.0 as usize);
        let at_work = |lane: &Lane| lane.alive && (lane.retired || lane.removed) && lane.owns.is_some();
        let handing_back = lanes().any(|lane| lane.leaving || at_work(lane));
        let at_a_person = self.tasks.iter().any(|task| task.state == TaskState::Waits);
        let elsewhere = handing_back || at_a_person;
        !self.all_ended() && !elsewhere && waiting.chain(owned).all(|role| !served.contains(&role))
    }

    /// Tasks that nobody owns.
    pub fn ready(&self) -> usize {
        self.ready.iter().map(BTreeSet::len).sum()
    }
}

impl Lane {
    fn new(role: RoleId) -> Lane {
        let (leaving, retired, removed, condemned) = (false, false, false, false);
        Lane { role, alive: true, leaving, restarts: 0, owns: None, retired, removed, condemned }
    }

    /// Whether it lives and takes work.
    fn is_able(&self) -> bool {
        self.alive && !self.retired && !self.removed
    }
}

fn give_up(lane: LaneId, task: TaskId) -> Fact {
    let failed = TaskFailed { reason: FailReason::AttemptsUsedUp };
    Fact::of(lane, task, Event::TaskFailed(failed))
}
