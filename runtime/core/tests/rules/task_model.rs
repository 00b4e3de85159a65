//! What the board is, said differently: each task knows its owner and its end, each lane whether it lives; what a lane
//! owns and what is ready are looked up, not kept.

use crate::team::{LANES, ROLES, TASKS};
use baton_core::board::{Board, Settled, TaskState};
use baton_core::{Command, Refusal};
use baton_record::{ChangeId, LaneId, TaskId};

#[derive(Default)]
pub(crate) struct TaskModel {
    tasks: [Task; 6],
    /// Restarts of each lane, and whether it is dead.
    lanes: [(u32, bool); 3],
}

#[derive(Clone, Copy, Default)]
struct Task {
    attempts: u32,
    /// The owner, and whether it died since.
    owner: Option<(LaneId, bool)>,
    end: Option<TaskState>,
}

impl TaskModel {
    /// What a command about tasks must be answered; `None` if it is not about tasks.
    pub(crate) fn expected(&self, command: &Command) -> Option<Result<(), Refusal>> {
        match command {
            Command::TakeTask { lane } => Some(match self.owned_by(*lane) {
                _ if self.lanes[lane.0 as usize].1 => Err(Refusal::Stale),
                Some((_, true)) => Err(Refusal::NothingReady),
                Some((_, false)) => Err(Refusal::Repeated),
                None if self.tasks.iter().all(|task| task.end.is_some()) => Err(Refusal::AllEnded),
                None => self.first_ready(*lane).map(|_| ()).ok_or(Refusal::NothingReady),
            }),
            Command::Settle { change, settled, .. } => {
                let task = self.tasks[change.task().0 as usize];
                let present = task.owner.filter(|_| task.attempts == change.attempt());
                let fits = present.is_some_and(|(_, died)| died || *settled != Settled::Withdrawn);
                Some(fits.then_some(()).ok_or(Refusal::Stale))
            }
            Command::LoseLane { lane, .. } if !self.lanes[lane.0 as usize].1 => Some(Ok(())),
            Command::RestoreLane { lane, .. } if self.lanes[lane.0 as usize].1 => Some(Ok(())),
            Command::LoseLane { .. } | Command::RestoreLane { .. } => Some(Err(Refusal::Repeated)),
            _ => None,
        }
    }

    /// An accepted command takes effect.
    pub(crate) fn follow(&mut self, command: &Command) {
        match command {
            Command::TakeTask { lane } => {
                let at = self.first_ready(*lane).expect("a task was ready");
                self.tasks[at].owner = Some((*lane, false));
                self.tasks[at].attempts += 1;
            }
            Command::Settle { change, settled, .. } => {
                let task = &mut self.tasks[change.task().0 as usize];
                let owner = task.owner.take();
                if *settled == Settled::Landed {
                    task.end = Some(TaskState::Done(*change));
                } else if task.attempts == TASKS[change.task().0 as usize].1 {
                    task.end = Some(TaskState::Failed);
                } else if *settled == Settled::Refused && owner.is_some_and(|(_, died)| !died) {
                    task.owner = owner;
                    task.attempts += 1;
                }
            }
            Command::LoseLane { lane, .. } => {
                self.lanes[lane.0 as usize].1 = true;
                let owners = self.tasks.iter_mut().filter_map(|task| task.owner.as_mut());
                owners.filter(|(owner, _)| owner == lane).for_each(|(_, died)| *died = true);
            }
            Command::RestoreLane { lane, .. } => {
                self.lanes[lane.0 as usize] = (self.lanes[lane.0 as usize].0 + 1, false);
            }
            _ => {}
        }
    }

    fn first_ready(&self, lane: LaneId) -> Option<usize> {
        let fits = |at: &usize| TASKS[*at].0 == ROLES[lane.0 as usize];
        (0..TASKS.len()).filter(fits).find(|at| self.tasks[*at].owner.is_none() && self.tasks[*at].end.is_none())
    }

    fn owned_by(&self, lane: LaneId) -> Option<(ChangeId, bool)> {
        self.tasks.iter().enumerate().find_map(|(at, task)| {
            let (_, died) = task.owner.filter(|(owner, _)| *owner == lane)?;
            Some((ChangeId::of(TaskId(at as u32), task.attempts), died))
        })
    }

    pub(crate) fn check(&self, board: &Board) {
        for (at, task) in self.tasks.iter().enumerate() {
            let open = task.owner.map_or(TaskState::Ready, |(lane, _)| TaskState::Owned(lane));
            assert_eq!(board.state(TaskId(at as u32)), task.end.unwrap_or(open), "where T-{at} stands");
            assert!(task.attempts <= TASKS[at].1, "T-{at} has too many attempts");
        }
        for (lane, (restarts, dead)) in LANES.into_iter().zip(self.lanes) {
            let leaves = board.leaving().iter().any(|(leaving, _)| *leaving == lane);
            let owned = board.owned_by(lane).map(|change| (change, leaves));
            assert_eq!(owned, self.owned_by(lane), "what {lane:?} owns, and whether it left it behind");
            assert_eq!((board.restarts(lane), board.is_alive(lane)), (restarts, !dead), "how {lane:?} is");
        }
        let open = self.tasks.iter().filter(|task| task.end.is_none());
        let ready = open.clone().filter(|task| task.owner.is_none()).count();
        assert_eq!((board.ready(), board.all_ended()), (ready, open.count() == 0), "what is left");
    }
}
