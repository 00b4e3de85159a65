//! What operators order of lanes and tasks: which of it would change something, and what it makes of the board.
//!
//! A task that is taken from its owner moves only after the merger has closed the owner's attempt, as that of a dead lane.

use super::{Board, Desk, RolesIn, TaskState};
use crate::fact::Refusal;
use baton_record::event::{CommandGiven, OperatorCommand};
use baton_record::ids::ATTEMPTS_MAX;
use baton_record::{Event, LaneId, RoleId, TaskId};

/// Whom an operator gives a task to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heir {
    /// This lane, as soon as it has nothing else to do.
    Lane(LaneId),
    /// Any lane of a role; its name is for the record.
    Role(RoleId, String),
}

impl Board {
    /// Whether this lane, or for a command about the run the run itself, is as the command wants it.
    pub(crate) fn may_order(&self, command: OperatorCommand, lane: Option<LaneId>) -> Result<(), Refusal> {
        let lane = match lane {
            Some(lane) => Some(self.lanes.get(lane.0 as usize).copied().ok_or(Refusal::Stale)?),
            None => None,
        };
        let is_so = match (command, lane) {
            (OperatorCommand::Drain, _) => self.draining || self.stopping,
            (OperatorCommand::Stop, _) => self.stopping,
            (OperatorCommand::Remove, Some(lane)) => lane.removed,
            (OperatorCommand::Kill, Some(lane)) if !lane.alive || lane.removed && lane.owns.is_none() => {
                return Err(Refusal::Stale);
            }
            (OperatorCommand::Kill, Some(lane)) => lane.condemned,
            _ => false,
        };
        if is_so { Err(Refusal::Repeated) } else { Ok(()) }
    }

    /// Whether so many more lanes may join: those of the team are counted, and who is taken out while it ends what it has
    /// begun.
    pub(crate) fn has_room(&self, more: u32, lanes_max: u32) -> bool {
        let counted = self.lanes.iter().filter(|lane| !lane.removed || lane.owns.is_some()).count();
        counted.saturating_add(more as usize) <= lanes_max as usize
    }

    /// Whether giving the task to `heir` changes anything.
    pub(crate) fn may_reassign(&self, task: TaskId, heir: &Heir) -> Result<(), Refusal> {
        let given = self.tasks.get(task.0 as usize).copied().ok_or(Refusal::Stale)?;
        let (lane, role) = self.heir(heir).ok_or(Refusal::Stale)?;
        let reviewer = given.route.review.map(|(role, _)| role);
        let able = lane.is_none_or(|lane| self.lane(lane).is_able());
        let ended = matches!(given.state, TaskState::Done(_) | TaskState::Failed);
        if ended || !able || (role != given.role && Some(role) != reviewer) {
            return Err(Refusal::Stale);
        }
        let owner = self.taken_from(task, (lane, role));
        if given.moving || owner.is_none() {
            let owned = lane.is_some() && given.state == lane.map_or(given.state, TaskState::Owned) && !given.moving;
            return if given.kept == lane || owned { Err(Refusal::Repeated) } else { Ok(()) };
        }
        if u32::from(given.attempts) >= ATTEMPTS_MAX { Err(Refusal::Full) } else { Ok(()) }
    }

    fn heir(&self, heir: &Heir) -> Option<(Option<LaneId>, RoleId)> {
        match heir {
            Heir::Lane(lane) => self.lanes.get(lane.0 as usize).map(|known| (Some(*lane), known.role)),
            Heir::Role(role, _) => Some((None, *role)),
        }
    }

    /// The lane that a task is taken from when it goes to another lane of the role whose turn it is.
    fn taken_from(&self, task: TaskId, (heir, role): (Option<LaneId>, RoleId)) -> Option<LaneId> {
        match self.task(task).state {
            TaskState::Owned(owner) if heir != Some(owner) && self.desk_role(task) == role => Some(owner),
            _ => None,
        }
    }

    /// Whether an operator keeps the task for a lane that could take it, and this is another.
    pub(super) fn is_kept_from(&self, lane: LaneId, task: TaskId) -> bool {
        let Some(heir) = self.task(task).kept.filter(|heir| *heir != lane) else { return false };
        self.lane(heir).is_able() && self.lane(heir).role == self.lane(lane).role
    }

    /// A lane of `role` has taken the task: it is kept for none of them any more.
    pub(super) fn end_keeping(&mut self, task: TaskId, role: RoleId) {
        let kept = self.task(task).kept.filter(|heir| self.lane(*heir).role != role);
        self.tasks[task.0 as usize].kept = kept;
    }

    pub(super) fn apply_order(&mut self, fact: (Option<LaneId>, Option<TaskId>), event: &Event, roles: RolesIn) {
        let Event::CommandGiven(given) = event else { return };
        match (given.command, fact) {
            (OperatorCommand::Drain, _) => self.draining = true,
            (OperatorCommand::Stop, _) => self.stopping = true,
            (OperatorCommand::Kill, (Some(lane), _)) => self.lanes[lane.0 as usize].condemned = true,
            (OperatorCommand::Reassign, (lane, Some(task))) => self.give(task, lane, (given, roles)),
            _ => {}
        }
    }

    fn give(&mut self, task: TaskId, lane: Option<LaneId>, (given, roles): (&CommandGiven, RolesIn)) {
        let role = match lane {
            Some(lane) => self.lane(lane).role,
            None => roles.role.expect("a task is given to a lane or to a role"),
        };
        assert_eq!(lane.is_none(), given.role.is_some(), "a task is given to a lane or to a role");
        let owner = self.taken_from(task, (lane, role));
        self.tasks[task.0 as usize].kept = lane;
        if let Some(owner) = owner {
            self.tasks[task.0 as usize].moving = true;
            self.lanes[owner.0 as usize].leaving = true;
        }
    }

    /// Whether an operator has ended the run.
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// Whether an operator has taken the lane out of the team.
    pub fn is_removed(&self, lane: LaneId) -> bool {
        self.lane(lane).removed
    }

    /// Whether any lane was taken out of the team.
    pub fn any_removed(&self) -> bool {
        self.lanes.iter().any(|lane| lane.removed)
    }

    /// Lanes that live though an operator wants them dead.
    pub fn condemned(&self) -> Vec<LaneId> {
        let lanes = (0..self.lanes.len() as u32).map(LaneId);
        lanes.filter(|lane| self.lane(*lane).condemned).collect()
    }

    /// Whether the attempt at a task is being closed because the task goes to another lane.
    pub fn is_moving(&self, task: TaskId) -> bool {
        self.task(task).moving
    }

    /// Lanes that are dead, ascending.
    pub fn gone(&self) -> Vec<LaneId> {
        let lanes = (0..self.lanes.len() as u32).map(LaneId);
        lanes.filter(|lane| !self.lane(*lane).alive).collect()
    }

    /// Whether the desk at which a task lies is its reviewer's.
    pub fn at_review(&self, task: TaskId) -> bool {
        self.task(task).route.desk == Desk::Review
    }
}
