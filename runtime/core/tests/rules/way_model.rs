//! A task's way, said differently: nothing is kept but what has happened to it, and everything else is read off that.

use crate::team::{ROLES, TASKS, WAYS};
use baton_core::board::{Board, Brief, Desk, Settled, TaskState};
use baton_core::{Command, Refusal};
use baton_record::event::{PacketPurpose, ReturnReason};
use baton_record::{ChangeId, LaneId, PacketId, RoleId, TaskId};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Given(LaneId),
    /// A packet was offered, and refused.
    Flawed,
    /// A packet was accepted, and the task moved.
    Over(LaneId, PacketId, PacketPurpose),
    Judged(bool),
    SentBack,
    Back(ReturnReason),
    Ended(TaskState),
}

/// Everything that has happened to each task, and how each lane is.
#[derive(Default)]
pub(crate) struct WayModel {
    ways: [Vec<Step>; 6],
    dead: [bool; 3],
    /// Died since it was given what it owns.
    left: [bool; 3],
    packets: u32,
}

impl WayModel {
    fn way(&self, task: TaskId) -> &[Step] {
        &self.ways[task.0 as usize]
    }

    fn end(&self, task: TaskId) -> Option<TaskState> {
        match self.way(task).last() {
            Some(Step::Ended(state)) => Some(*state),
            _ => None,
        }
    }

    fn owner(&self, task: TaskId) -> Option<LaneId> {
        let moves = |step: &&Step| !matches!(step, Step::Flawed | Step::Judged(_));
        match self.way(task).iter().rfind(moves) {
            Some(Step::Given(lane)) => Some(*lane),
            _ => None,
        }
    }

    fn attempts(&self, task: TaskId) -> u32 {
        self.way(task).iter().filter(|step| matches!(step, Step::Given(_))).count() as u32
    }

    /// What happened since its work began from nothing for the last time.
    fn since_nothing(&self, task: TaskId) -> &[Step] {
        let way = self.way(task);
        let from = way.iter().rposition(|step| *step == Step::Back(ReturnReason::Refused)).map_or(0, |at| at + 1);
        &way[from..]
    }

    fn since_given(&self, task: TaskId) -> &[Step] {
        let way = self.way(task);
        &way[way.iter().rposition(|step| matches!(step, Step::Given(_))).unwrap_or(0)..]
    }

    fn desk_in(way: &[Step]) -> Desk {
        let moves = way.iter().rev().find_map(|step| match step {
            Step::Over(_, _, PacketPurpose::Review) => Some(Desk::Review),
            Step::SentBack | Step::Back(ReturnReason::Refused) => Some(Desk::Work),
            _ => None,
        });
        moves.unwrap_or_default()
    }

    fn desk(&self, task: TaskId) -> Desk {
        WayModel::desk_in(self.way(task))
    }

    /// Attempts that count: those of the working desk that do not go on where another has just ended.
    fn begun(&self, task: TaskId) -> u32 {
        let way = self.way(task);
        let begins = |at: &usize| {
            let before = &way[..*at];
            let continued = matches!(before.last(), Some(Step::Over(..) | Step::SentBack));
            matches!(way[*at], Step::Given(_)) && !continued && WayModel::desk_in(before) == Desk::Work
        };
        (0..way.len()).filter(begins).count() as u32
    }

    fn brief(&self, task: TaskId) -> Option<Brief> {
        self.since_nothing(task).iter().rev().find_map(|step| match step {
            Step::Over(_, packet, purpose) => {
                Some(Brief { packet: *packet, purpose: *purpose, desk: self.desk(task), approved: false })
            }
            _ => None,
        })
    }

    fn is_reviewed(&self, task: TaskId) -> bool {
        self.since_given(task).contains(&Step::Judged(true))
    }

    fn refused(&self, task: TaskId) -> u16 {
        self.since_given(task).iter().filter(|step| **step == Step::Flawed).count() as u16
    }

    fn handed(&self, task: TaskId) -> u32 {
        self.way(task).iter().filter(|step| matches!(step, Step::Over(..))).count() as u32
    }

    fn all() -> impl Iterator<Item = TaskId> {
        (0..TASKS.len() as u32).map(TaskId)
    }

    fn is_blocked(&self, task: TaskId) -> bool {
        let after = WAYS[task.0 as usize].1;
        WayModel::all().any(|other| after.contains(&WAYS[other.0 as usize].0) && self.end(other).is_none())
    }

    fn role(&self, task: TaskId) -> RoleId {
        let own = TASKS[task.0 as usize].0;
        WAYS[task.0 as usize].2.filter(|_| self.desk(task) == Desk::Review).unwrap_or(own)
    }

    fn is_ready(&self, task: TaskId) -> bool {
        self.end(task).is_none() && self.owner(task).is_none() && !self.is_blocked(task)
    }

    fn first_for(&self, lane: LaneId) -> Option<TaskId> {
        let role = ROLES[lane.0 as usize];
        let others = (0..3).any(|other| other != lane.0 as usize && ROLES[other] == role && !self.dead[other]);
        let own = |task: &TaskId| matches!(self.way(*task).last(), Some(Step::Over(giver, ..)) if *giver == lane);
        let fits = |task: &TaskId| self.is_ready(*task) && self.role(*task) == role && !(own(task) && others);
        WayModel::all().find(fits)
    }

    fn owned_by(&self, lane: LaneId) -> Option<TaskId> {
        WayModel::all().find(|task| self.owner(*task) == Some(lane))
    }

    fn works_on(&self, lane: LaneId, change: ChangeId) -> bool {
        let owns = self.owned_by(lane) == Some(change.task()) && self.attempts(change.task()) == change.attempt();
        owns && !self.left[lane.0 as usize]
    }

    /// What a command must be answered; `None` if it is about something else.
    pub(crate) fn expected(&self, command: &Command) -> Option<Result<(), Refusal>> {
        let stale = |fits: bool| Some(fits.then_some(()).ok_or(Refusal::Stale));
        match command {
            Command::TakeTask { lane } => Some(match self.owned_by(*lane) {
                _ if self.dead[lane.0 as usize] => Err(Refusal::Stale),
                Some(_) if self.left[lane.0 as usize] => Err(Refusal::NothingReady),
                Some(_) => Err(Refusal::Repeated),
                None if WayModel::all().all(|task| self.end(task).is_some()) => Err(Refusal::AllEnded),
                None => self.first_for(*lane).map(|_| ()).ok_or(Refusal::NothingReady),
            }),
            Command::HandOver { lane, offer, .. } => {
                let change = offer.packet.change;
                let refused = self.refused(change.task());
                if self.works_on(*lane, change) && offer.before < refused {
                    return Some(Err(Refusal::Repeated));
                }
                stale(self.works_on(*lane, change) && offer.before == refused)
            }
            Command::Review { lane, change, .. } => {
                let task = change.task();
                let there = self.brief(task).is_some() && self.desk(task) == Desk::Review;
                if there && self.works_on(*lane, *change) && self.is_reviewed(task) {
                    return Some(Err(Refusal::Repeated));
                }
                stale(there && self.works_on(*lane, *change))
            }
            Command::GiveBack { lane, change, .. } => stale(self.works_on(*lane, *change)),
            Command::Settle { change, settled, .. } => {
                let owner = self.owner(change.task()).filter(|_| self.attempts(change.task()) == change.attempt());
                let died = |owner: LaneId| self.left[owner.0 as usize];
                stale(owner.is_some_and(|owner| *settled != Settled::Withdrawn || died(owner)))
            }
            _ => None,
        }
    }

    fn step(&mut self, task: TaskId, step: Step) {
        if let Some(owner) = self.owner(task).filter(|_| !matches!(step, Step::Flawed | Step::Judged(_))) {
            self.left[owner.0 as usize] = false;
        }
        self.ways[task.0 as usize].push(step);
    }

    /// The task is given up, and with it whatever waits for it, directly or not.
    fn fail(&mut self, task: TaskId) {
        let waiting: Vec<TaskId> = WayModel::all().filter(|other| self.is_blocked(*other)).collect();
        self.step(task, Step::Ended(TaskState::Failed));
        let mut groups = vec![WAYS[task.0 as usize].0];
        while let Some(group) = groups.pop() {
            for behind in waiting.iter().filter(|behind| WAYS[behind.0 as usize].1.contains(&group)) {
                if self.end(*behind).is_none() {
                    self.step(*behind, Step::Ended(TaskState::Failed));
                    groups.push(WAYS[behind.0 as usize].0);
                }
            }
        }
    }

    fn back(&mut self, task: TaskId, reason: ReturnReason, spared: bool) {
        let last = self.begun(task) >= TASKS[task.0 as usize].1;
        if last && !spared { self.fail(task) } else { self.step(task, Step::Back(reason)) }
    }

    /// An accepted command takes effect.
    pub(crate) fn follow(&mut self, command: &Command) {
        match command {
            Command::TakeTask { lane } => {
                let task = self.first_for(*lane).expect("a task was ready");
                self.step(task, Step::Given(*lane));
            }
            Command::HandOver { lane, offer, handed_max } => {
                let (task, packet) = (offer.packet.change.task(), PacketId(self.packets));
                self.packets += 1;
                let flawed = !offer.flaws.is_empty() || self.handed(task) >= *handed_max;
                let over = Step::Over(*lane, packet, offer.packet.purpose);
                self.step(task, if flawed { Step::Flawed } else { over });
            }
            Command::Review { change, approved, .. } => {
                self.step(change.task(), Step::Judged(*approved));
                if !approved {
                    self.step(change.task(), Step::SentBack);
                }
            }
            Command::GiveBack { change, reason, .. } => {
                let task = change.task();
                self.back(task, *reason, self.desk(task) == Desk::Review);
            }
            Command::Settle { change, settled, .. } => self.settle(*change, *settled),
            Command::LoseLane { lane, .. } => {
                self.dead[lane.0 as usize] = true;
                self.left[lane.0 as usize] = self.owned_by(*lane).is_some();
            }
            Command::RestoreLane { lane, .. } => self.dead[lane.0 as usize] = false,
            _ => {}
        }
    }

    fn settle(&mut self, change: ChangeId, settled: Settled) {
        let (task, judged) = (change.task(), self.desk(change.task()) == Desk::Review);
        let owner = self.owner(task).expect("what is settled is owned");
        let died = self.left[owner.0 as usize];
        match settled {
            Settled::Landed => self.step(task, Step::Ended(TaskState::Done(change))),
            Settled::Withdrawn => self.back(task, ReturnReason::LaneDied, judged),
            Settled::Refused => {
                self.back(task, ReturnReason::Refused, false);
                if self.end(task).is_none() && !died && !judged {
                    self.step(task, Step::Given(owner));
                }
            }
        }
    }

    pub(crate) fn check(&self, board: &Board) {
        for task in WayModel::all() {
            let open = if self.is_blocked(task) { TaskState::Blocked } else { TaskState::Ready };
            let open = self.owner(task).map_or(open, TaskState::Owned);
            assert_eq!(board.state(task), self.end(task).unwrap_or(open), "where {task} stands: {:?}", self.way(task));
            assert_eq!(board.brief(task), self.brief(task), "what lies with {task}: {:?}", self.way(task));
            assert_eq!(
                board.is_reviewed(task),
                self.is_reviewed(task),
                "whether {task} is reviewed: {:?}",
                self.way(task)
            );
        }
        assert_eq!(board.ready(), WayModel::all().filter(|task| self.is_ready(*task)).count(), "what may be taken");
    }
}
