//! Owns who may be given a task, and which attempt at it begins then (HAND-1).
//!
//! Deliberately does not know how a task comes back.

use super::Board;
use crate::packets::Packets;
use baton_record::ids::ATTEMPTS_MAX;
use baton_record::line::Record;

impl Board {
    /// A task becomes a lane's.
    pub(super) fn assigned(&mut self, record: &Record, attempt: u32, packets: &Packets) -> Result<(), &'static str> {
        let id = record.task.ok_or("is assigned without a name")?;
        let lane_id = record.lane.ok_or("is assigned to nobody")?;
        let kept_from = self.is_kept_from(id, lane_id);
        self.end_keeping(id, lane_id);
        let waits = self.tasks.get(&id).is_some_and(|task| !self.groups.all_over(&task.added.after));
        let task = self.tasks.get_mut(&id).ok_or("is assigned and was never added")?;
        let lane = self.lanes.get_mut(&lane_id).ok_or("is assigned to a lane that has not joined")?;
        let was = (task.owner.replace(lane_id), task.attempt, lane.owns.replace(id));
        task.attempt = attempt;
        task.begun += u32::from(packets.begins_anew(id));
        (lane.died_since_assignment, lane.out_of_money, lane.called_off) = (false, false, false);
        let begun = std::mem::take(&mut task.moved) || packets.is_begun(id);
        if kept_from {
            return Err("is assigned to another than the one that an operator has given it to");
        }
        if lane.removed {
            return Err("is assigned to a lane that was taken out of the team");
        }
        if waits {
            return Err("is assigned before everything has ended that it comes after");
        }
        if packets.waits_for_person(id) {
            return Err("is assigned while a person decides about it");
        }
        lane.denied = false;
        if lane.dead {
            return Err("is assigned to a lane that is dead");
        }
        if was.0.is_some() {
            return Err("is assigned, and has an owner");
        }
        if was.2.is_some() {
            return Err("is assigned to a lane that owns another task");
        }
        if task.ended {
            return Err("is assigned, and has ended");
        }
        if self.draining && !begun {
            return Err("is begun after an operator has drained the run");
        }
        if lane.retired {
            return Err("is assigned to a lane that has given up for want of money");
        }
        if lane.role != packets.role_of(id, &task.added.role) {
            return Err("is assigned to a lane of another role");
        }
        let too_many = attempt > ATTEMPTS_MAX || task.begun > task.added.attempts_max;
        if Some(attempt) != was.1.checked_add(1) || too_many {
            return Err("is assigned with an attempt that does not follow, or is one too many");
        }
        Ok(())
    }
}
