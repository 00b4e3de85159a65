//! Work that was done again: attempts at a task that was given back before, what they cost and how long they took.

use super::roster::{Attempt, Cost, Roster};
use super::sample::{Counts, word};
use baton_record::{Event, LaneId, TaskId};
use serde::Serialize;

/// Work that was done again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rework {
    /// Attempts at tasks that were given back before.
    pub attempts: u64,
    /// What calls used that began in them.
    pub cost: Cost,
    /// From their assignments to their ends.
    pub time_us: u64,
    /// By role of the lane, in the order of joining.
    pub by_role: Vec<RoleRework>,
    /// Attempts by the reason for which the task was given back last before.
    pub by_reason: Counts,
}

/// Work that lanes of one role did again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "as of the whole")]
pub struct RoleRework {
    pub role: String,
    pub attempts: u64,
    pub cost: Cost,
    pub time_us: u64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Redone {
    told: Rework,
}

impl Redone {
    /// What ends an attempt or a call is seen before `roster` has taken it in, everything else after that.
    pub(super) fn see(
        &mut self,
        t_us: u64,
        (lane, task): (Option<LaneId>, Option<TaskId>),
        event: &Event,
        roster: &Roster,
    ) {
        match (event, lane, task) {
            (Event::TaskAssigned(_), _, Some(task)) => {
                let attempt = roster.task(task).and_then(|seen| seen.attempt);
                if let Some((attempt, reason)) = attempt.and_then(|attempt| Some((attempt, attempt.rework?))) {
                    self.told.attempts += 1;
                    self.told.by_reason.add(word(&reason));
                    self.role(attempt.lane, roster).attempts += 1;
                }
            }
            (Event::TaskReturned(_) | Event::TaskDone(_) | Event::TaskFailed(_), Some(lane), Some(task)) => {
                let attempt = roster.task(task).and_then(|seen| seen.attempt);
                if roster.lane(lane).is_some_and(|seen| seen.task == Some(task)) {
                    self.ended(t_us, attempt, roster);
                }
            }
            (_, Some(lane), _) => {
                let call = roster.lane(lane).and_then(|seen| seen.call);
                let again = call.is_some_and(|call| call.attempt.is_some_and(|attempt| attempt.rework.is_some()));
                if let Some(cost) = Cost::of(event).filter(|_| again) {
                    self.told.cost += cost;
                    self.role(lane, roster).cost += cost;
                }
            }
            _ => {}
        }
    }

    fn ended(&mut self, t_us: u64, attempt: Option<Attempt>, roster: &Roster) {
        if let Some(attempt) = attempt.filter(|attempt| attempt.rework.is_some()) {
            let time_us = t_us - attempt.began_us;
            self.told.time_us = self.told.time_us.saturating_add(time_us);
            let of_role = self.role(attempt.lane, roster);
            of_role.time_us = of_role.time_us.saturating_add(time_us);
        }
    }

    fn role(&mut self, lane: LaneId, roster: &Roster) -> &mut RoleRework {
        let role = roster.lane(lane).map_or(0, |seen| seen.role);
        if self.told.by_role.len() <= role {
            self.told.by_role.resize_with(role + 1, RoleRework::default);
        }
        &mut self.told.by_role[role]
    }

    /// Attempts that are open end with the journal.
    pub(super) fn close(mut self, end_us: u64, roster: &Roster) -> Rework {
        for lane in (0..roster.lanes.len() as u32).map(LaneId) {
            self.ended(end_us, roster.attempt_of(lane), roster);
        }
        self.told.by_role.resize_with(roster.roles.len(), RoleRework::default);
        for (told, role) in self.told.by_role.iter_mut().zip(&roster.roles) {
            told.role.clone_from(role);
        }
        self.told
    }
}
