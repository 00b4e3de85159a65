//! Who works on what at each record: lanes with their roles and models, tasks with their attempts, calls under way.
//!
//! What several parts of a report need to know of the records before. Holds no figure of its own.

use baton_record::event::{PacketPurpose, ReturnReason};
use baton_record::{ChangeId, EndpointId, Event, LaneId, PacketId, TaskId};
use std::ops::AddAssign;

/// What calls have used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Cost {
    /// Calls that ended, however they ended.
    pub calls: u64,
    /// Tokens sent.
    pub tokens_in: u64,
    /// Tokens received; of a lost call all that it was billed.
    pub tokens_out: u64,
    /// Millionths of a dollar.
    pub usd_micros: u64,
}

impl Cost {
    /// What the end of a call costs; `None` for any other fact.
    pub(super) fn of(event: &Event) -> Option<Cost> {
        match event {
            Event::EffectDone(done) => {
                let (tokens_in, tokens_out, usd_micros) = (done.tokens_in, done.tokens_out, done.usd_micros);
                Some(Cost { calls: 1, tokens_in, tokens_out, usd_micros })
            }
            Event::EffectFailed(_) => Some(Cost { calls: 1, ..Cost::default() }),
            Event::EffectLost(lost) => {
                let (tokens_out, usd_micros) = (lost.billed.tokens, lost.billed.usd_micros);
                Some(Cost { calls: 1, tokens_in: 0, tokens_out, usd_micros })
            }
            _ => None,
        }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, more: Cost) {
        self.calls = self.calls.saturating_add(more.calls);
        self.tokens_in = self.tokens_in.saturating_add(more.tokens_in);
        self.tokens_out = self.tokens_out.saturating_add(more.tokens_out);
        self.usd_micros = self.usd_micros.saturating_add(more.usd_micros);
    }
}

/// A lane's turn at a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) change: ChangeId,
    pub(super) lane: LaneId,
    pub(super) began_us: u64,
    /// It judges what another has made.
    pub(super) review: bool,
    /// Why the task was given back before, if it was, and not to be handed on.
    pub(super) rework: Option<ReturnReason>,
    /// The packet that it begins with.
    pub(super) packet: Option<PacketId>,
}

/// A call that was granted and has not ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenCall {
    pub(super) endpoint: EndpointId,
    pub(super) granted_us: u64,
    /// Its endpoint's rate has let it through.
    pub(super) admitted: bool,
    /// The attempt at its task that was under way when it began.
    pub(super) attempt: Option<Attempt>,
}

#[derive(Clone, Debug)]
pub(super) struct LaneSeen {
    /// Index into [`Roster::roles`].
    pub(super) role: usize,
    pub(super) joined_us: u64,
    pub(super) task: Option<TaskId>,
    pub(super) call: Option<OpenCall>,
    granted: Option<(EndpointId, u64)>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TaskSeen {
    /// Whose turn it is now; kept until the next begins.
    pub(super) attempt: Option<Attempt>,
    /// What all its calls have used.
    pub(super) cost: Cost,
    /// What they have used since it was given back last, but for handing it on.
    pub(super) since_given_back: Cost,
    pub(super) done: bool,
    given_back: Option<ReturnReason>,
    at_review: bool,
    offered: Option<(PacketId, PacketPurpose)>,
    accepted: Option<(PacketId, PacketPurpose)>,
}

#[derive(Clone, Debug)]
pub(super) struct EndpointSeen {
    pub(super) name: String,
    /// Whether it takes so much a minute and no more.
    pub(super) rated: bool,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    pub(super) lanes: Vec<LaneSeen>,
    pub(super) roles: Vec<String>,
    pub(super) endpoints: Vec<EndpointSeen>,
    pub(super) tasks: Vec<TaskSeen>,
    /// Tasks that are neither done nor given up.
    pub(super) open_tasks: u64,
}

/// Whether a task that was given back so is done again: what was handed on goes on, and what waited for a person stands.
pub(super) fn is_again(reason: ReturnReason) -> bool {
    !matches!(reason, ReturnReason::HandedOver | ReturnReason::WaitsForPerson)
}

impl Roster {
    pub(super) fn task(&self, task: TaskId) -> Option<&TaskSeen> {
        self.tasks.get(task.0 as usize)
    }

    pub(super) fn lane(&self, lane: LaneId) -> Option<&LaneSeen> {
        self.lanes.get(lane.0 as usize)
    }

    /// The attempt that the lane is at.
    pub(super) fn attempt_of(&self, lane: LaneId) -> Option<Attempt> {
        let attempt = self.task(self.lane(lane)?.task?)?.attempt?;
        Some(attempt).filter(|attempt| attempt.lane == lane)
    }

    /// The name of a lane's role.
    pub(super) fn role_of(&self, lane: LaneId) -> &str {
        self.lane(lane).map_or("", |seen| &self.roles[seen.role])
    }

    /// What can only be told by what was before is looked at first, and then taken in with this.
    pub(super) fn apply(&mut self, t_us: u64, (lane, task): (Option<LaneId>, Option<TaskId>), event: &Event) {
        match (event, lane, task) {
            (Event::EndpointNamed(named), ..) => {
                let rated = named.requests_per_minute.is_some() || named.tokens_per_minute.is_some();
                self.endpoints.push(EndpointSeen { name: named.name.clone(), rated });
            }
            (Event::LaneJoined(joined), ..) => {
                let role = self.role(&joined.role);
                self.lanes.push(LaneSeen { role, joined_us: t_us, task: None, call: None, granted: None });
            }
            (Event::TaskAdded(_), ..) => {
                self.tasks.push(TaskSeen::default());
                self.open_tasks += 1;
            }
            (Event::TaskAssigned(assigned), Some(lane), Some(task)) => {
                self.assign(t_us, ChangeId::of(task, assigned.attempt), lane);
            }
            (Event::TaskReturned(_) | Event::TaskDone(_) | Event::TaskFailed(_), _, Some(task)) => {
                self.give_back(lane, task, event);
            }
            (Event::PacketOffered(offered), _, Some(task)) => {
                self.with_task(task, |seen| seen.offered = Some((offered.packet, offered.purpose)));
            }
            (Event::PacketAccepted(_), _, Some(task)) => self.with_task(task, |seen| seen.accepted = seen.offered),
            (Event::SlotGranted(grant), Some(lane), _) => {
                self.with_lane(lane, |seen| seen.granted = Some((grant.endpoint, t_us)));
            }
            (Event::CallAdmitted(_), Some(lane), _) => {
                self.with_lane(lane, |seen| seen.call.iter_mut().for_each(|call| call.admitted = true));
            }
            (Event::EffectIntended(_), Some(lane), Some(task)) => self.begin_call(lane, task),
            (Event::EffectDone(_) | Event::EffectFailed(_) | Event::EffectLost(_), Some(lane), Some(task)) => {
                self.end_call(lane, task, event);
            }
            _ => {}
        }
    }

    fn role(&mut self, name: &str) -> usize {
        self.roles.iter().position(|role| role == name).unwrap_or_else(|| {
            self.roles.push(name.to_owned());
            self.roles.len() - 1
        })
    }

    fn with_task(&mut self, task: TaskId, change: impl FnOnce(&mut TaskSeen)) {
        if let Some(seen) = self.tasks.get_mut(task.0 as usize) {
            change(seen);
        }
    }

    fn with_lane(&mut self, lane: LaneId, change: impl FnOnce(&mut LaneSeen)) {
        if let Some(seen) = self.lanes.get_mut(lane.0 as usize) {
            change(seen);
        }
    }

    fn assign(&mut self, began_us: u64, change: ChangeId, lane: LaneId) {
        self.with_lane(lane, |seen| seen.task = Some(change.task()));
        self.with_task(change.task(), |seen| {
            let (review, rework) = (seen.at_review, seen.given_back);
            let packet = seen.accepted.map(|(packet, _)| packet);
            seen.attempt = Some(Attempt { change, lane, began_us, review, rework, packet });
        });
    }

    fn give_back(&mut self, lane: Option<LaneId>, task: TaskId, event: &Event) {
        if let Some(lane) = lane {
            self.with_lane(lane, |seen| seen.task = seen.task.filter(|own| *own != task));
        }
        let ended = !matches!(event, Event::TaskReturned(_));
        self.open_tasks = self.open_tasks.saturating_sub(u64::from(ended));
        self.with_task(task, |seen| {
            seen.done = matches!(event, Event::TaskDone(_));
            let Event::TaskReturned(returned) = event else { return };
            match returned.reason {
                ReturnReason::HandedOver => {
                    seen.at_review |= seen.accepted.is_some_and(|(_, purpose)| purpose == PacketPurpose::Review);
                }
                ReturnReason::SentBack => seen.at_review = false,
                ReturnReason::Refused => (seen.at_review, seen.accepted) = (false, None),
                _ => {}
            }
            if is_again(returned.reason) {
                seen.given_back = Some(returned.reason);
                seen.since_given_back = Cost::default();
            }
        });
    }

    fn begin_call(&mut self, lane: LaneId, task: TaskId) {
        let attempt = self.task(task).and_then(|seen| seen.attempt);
        self.with_lane(lane, |seen| {
            let granted = seen.granted.take();
            seen.call =
                granted.map(|(endpoint, granted_us)| OpenCall { endpoint, granted_us, admitted: false, attempt });
        });
    }

    fn end_call(&mut self, lane: LaneId, task: TaskId, event: &Event) {
        self.with_lane(lane, |seen| seen.call = None);
        let cost = Cost::of(event).unwrap_or_default();
        self.with_task(task, |seen| {
            seen.cost += cost;
            seen.since_given_back += cost;
        });
    }
}
