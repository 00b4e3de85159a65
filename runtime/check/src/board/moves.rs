//! Owns who is taken out of the team and which task is given to whom, as operators order it: a task that is taken from its
//! owner moves only once the owner's attempt is closed, and is kept for whom it was given to (HAND-1).
//!
//! Deliberately does not know who gave which order; [`crate::orders`] does.

use super::Board;
use crate::changes::Changes;
use crate::packets::Packets;
use baton_record::event::{CommandGiven, CommandRefusal, OperatorCommand};
use baton_record::ids::ATTEMPTS_MAX;
use baton_record::line::Record;
use baton_record::{LaneId, TaskId};

/// Whom a task is given to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heir {
    Lane(LaneId),
    Role(String),
}

impl Board {
    /// Whether a lane has joined.
    pub(crate) fn has(&self, lane: LaneId) -> bool {
        self.lanes.contains_key(&lane)
    }

    pub(crate) fn lives(&self, lane: LaneId) -> bool {
        self.lanes.get(&lane).is_some_and(|lane| !lane.dead)
    }

    pub(crate) fn owns(&self, lane: LaneId) -> bool {
        self.lanes.get(&lane).is_some_and(|lane| lane.owns.is_some())
    }

    /// Whether an operator has taken the lane out of the team.
    pub(crate) fn is_removed(&self, lane: LaneId) -> bool {
        self.lanes.get(&lane).is_some_and(|lane| lane.removed)
    }

    /// Whether the lane's task was given to another since it was last given one.
    pub(crate) fn is_called_off(&self, lane: LaneId) -> bool {
        self.lanes.get(&lane).is_some_and(|lane| lane.called_off)
    }

    /// Lanes of the team, and those that are taken out and still end what they have begun.
    pub(crate) fn counted(&self) -> u64 {
        self.lanes.values().filter(|lane| !lane.removed || lane.owns.is_some()).count() as u64
    }

    /// The number that the next lane joins with.
    pub(crate) fn next_lane(&self) -> u32 {
        self.lanes.len() as u32
    }

    fn is_able(&self, lane: LaneId) -> bool {
        self.lanes.get(&lane).is_some_and(|lane| !lane.dead && !lane.retired && !lane.removed)
    }

    fn role_of_heir<'a>(&'a self, heir: &'a Heir) -> Option<&'a str> {
        match heir {
            Heir::Lane(lane) => self.lanes.get(lane).map(|lane| lane.role.as_str()),
            Heir::Role(role) => self.lanes.values().any(|lane| lane.role == *role).then_some(role.as_str()),
        }
    }

    /// Who loses the task if it is given to `heir` now: its owner, if it is the turn of the heir's role.
    fn loser(&self, task: TaskId, heir: &Heir, packets: &Packets) -> Option<LaneId> {
        let known = self.tasks.get(&task)?;
        let owner = known.owner.filter(|owner| *heir != Heir::Lane(*owner))?;
        let turn = packets.role_of(task, &known.added.role);
        (self.role_of_heir(heir) == Some(turn)).then_some(owner)
    }

    /// Whether giving a task to somebody would change anything.
    pub(crate) fn would_move(&self, task: TaskId, heir: &Heir, packets: &Packets) -> Result<(), CommandRefusal> {
        let known = self.tasks.get(&task).filter(|task| !task.ended).ok_or(CommandRefusal::Gone)?;
        let role = self.role_of_heir(heir).ok_or(CommandRefusal::Gone)?;
        let concerned = role == known.added.role || known.added.review.as_deref() == Some(role);
        let heir_lane = match heir {
            Heir::Lane(lane) => Some(*lane),
            Heir::Role(_) => None,
        };
        if !concerned || heir_lane.is_some_and(|lane| !self.is_able(lane)) {
            return Err(CommandRefusal::Gone);
        }
        let takes = self.loser(task, heir, packets).is_some() && !known.moving;
        let has_it = heir_lane.is_some() && known.owner == heir_lane && !known.moving;
        if !takes && (has_it || known.kept == heir_lane) {
            return Err(CommandRefusal::AlreadySo);
        }
        if takes && known.attempt >= ATTEMPTS_MAX { Err(CommandRefusal::Full) } else { Ok(()) }
    }

    /// An order is taken into account; whether it was one is judged elsewhere.
    pub(super) fn ordered(&mut self, record: &Record, given: &CommandGiven, packets: &Packets) {
        let (OperatorCommand::Reassign, Some(id)) = (given.command, record.task) else { return };
        let heir = record.lane.map(Heir::Lane).or_else(|| given.role.clone().map(Heir::Role));
        let loser = heir.as_ref().and_then(|heir| self.loser(id, heir, packets));
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.kept = record.lane;
        task.moving |= loser.is_some();
        if let Some(lane) = loser.and_then(|lane| self.lanes.get_mut(&lane)) {
            lane.called_off = true;
        }
    }

    /// Whether the task may go to this lane, as far as operators have given it to somebody.
    pub(super) fn is_kept_from(&self, task: TaskId, lane: LaneId) -> bool {
        let kept = self.tasks.get(&task).and_then(|task| task.kept).filter(|kept| *kept != lane);
        let same_role = |kept: &LaneId| {
            let role = |id: &LaneId| self.lanes.get(id).map(|lane| &lane.role);
            role(kept) == role(&lane)
        };
        kept.is_some_and(|kept| self.is_able(kept) && same_role(&kept))
    }

    /// A lane has the task: it is kept for nobody of its role any more.
    pub(super) fn end_keeping(&mut self, task: TaskId, lane: LaneId) {
        let role = self.lanes.get(&lane).map(|lane| lane.role.clone());
        let kept_role =
            self.tasks.get(&task).and_then(|task| self.lanes.get(&task.kept?)).map(|lane| lane.role.clone());
        if let Some(task) = self.tasks.get_mut(&task).filter(|_| role == kept_role) {
            task.kept = None;
        }
    }

    /// An attempt ends because its task goes to another: it was ordered, and the merger takes nothing of it any more.
    pub(super) fn has_moved(&self, task: TaskId, changes: &Changes) -> bool {
        let moving = self.tasks.get(&task).is_some_and(|task| task.moving);
        moving && self.current_change(task).is_some_and(|change| changes.was_withdrawn(change))
    }

    /// What came of an attempt is refused unseen only where the attempt was called off.
    pub(super) fn called_off(&self, record: &Record) -> Result<(), &'static str> {
        let lane = record.lane.ok_or("has a change called off that is nobody's")?;
        let moving = record.task.and_then(|id| self.tasks.get(&id)).is_some_and(|task| task.moving);
        if moving || self.is_called_off(lane) || self.died_since_assignment(lane) {
            Ok(())
        } else {
            Err("has a change called off, and nobody has died or given it to another")
        }
    }
}
