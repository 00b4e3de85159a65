//! Owns the judgement of call leases (slots at an endpoint): for LOCK-3 granted in the order of asking and
//! never more than there are, for WHO-1 always on behalf of the task that they were asked for.
//!
//! A lane makes one call at a time: asked for, granted, begun, done, given back. That nobody who could
//! start waits on is judged in [`crate::sequel`]. Deliberately does not know change leases or what a call
//! costs.

use crate::leases::ends_without_waiting;
use crate::report::Judgement;
use baton_record::event::{Bound, SlotRequested, StopReason};
use baton_record::line::Record;
use baton_record::{EffectKey, EndpointId, Event, LaneId, TaskId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
struct Endpoint {
    /// 0: no limit.
    slots: u32,
    /// By ticket, in the order of asking.
    waiting: BTreeMap<u64, LaneId>,
    next_ticket: u64,
    under_way: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting { ticket: u64 },
    Granted,
    Begun,
    Done,
}

/// The call that a lane waits for or makes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) endpoint: EndpointId,
    pub(crate) task: Option<TaskId>,
    pub(crate) key: EffectKey,
    /// What it can use at most.
    pub(crate) bound: Bound,
    stage: Stage,
}

impl Call {
    pub(crate) fn waits(&self) -> bool {
        matches!(self.stage, Stage::Waiting { .. })
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.stage == Stage::Begun
    }
}

/// All endpoints of a run, and who calls them.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    endpoints: BTreeMap<EndpointId, Endpoint>,
    calls: BTreeMap<LaneId, Call>,
    /// Endpoints at which somebody waits.
    lines: BTreeSet<EndpointId>,
    paused: bool,
    lock_3: Judgement,
    who_1: Judgement,
}

impl Slots {
    pub(crate) fn see(&mut self, seq: u64, record: &Record) {
        let result = match &record.event {
            Event::EndpointNamed(named) => {
                let due = self.endpoints.len();
                self.lock_3.claim(usize::from(named.endpoint.0) == due, || {
                    format!("record {seq}: endpoint {} is named, and {due} is due", named.endpoint.0)
                });
                self.endpoints.insert(named.endpoint, Endpoint { slots: named.slots, ..Endpoint::default() });
                return;
            }
            Event::PauseRequested(_) => return self.paused = true,
            Event::Resumed(_) => return self.paused = false,
            Event::EffectIntended(_) | Event::EffectDone(_) | Event::EffectFailed(_) | Event::EffectLost(_) => {
                return self.effect(seq, record);
            }
            Event::SlotRequested(asked) => self.request(record, asked),
            Event::SlotGranted(granted) => self.grant(record, granted.endpoint),
            Event::SlotReleased(released) => self.release(record, released.endpoint),
            // A call that fits under a limit no more leaves the line.
            Event::CallRefused(refused) => self.release(record, refused.endpoint),
            _ => return,
        };
        self.for_its_task(seq, record);
        self.lock_3.claim(result.is_ok(), || format!("record {seq}: a slot {}", result.err().unwrap_or_default()));
        if let (Event::SlotReleased(_) | Event::CallRefused(_), Some(lane)) = (&record.event, record.lane) {
            self.calls.remove(&lane);
        }
    }

    /// WHO-1: whatever belongs to a call names the task that the call was asked for.
    fn for_its_task(&mut self, seq: u64, record: &Record) {
        let call = record.lane.and_then(|lane| self.calls.get(&lane));
        let task = call.map_or(record.task, |call| call.task);
        self.who_1.claim(task == record.task, || {
            format!("record {seq}: it names another task than the one that the lane's call was asked for")
        });
    }

    /// That an effect has a slot; that it is the right one is judged in [`crate::effects`].
    fn effect(&mut self, seq: u64, record: &Record) {
        self.for_its_task(seq, record);
        if let Some(call) = record.lane.and_then(|lane| self.calls.get_mut(&lane)) {
            call.stage = match (&record.event, call.stage) {
                (Event::EffectIntended(_), Stage::Granted) => Stage::Begun,
                (Event::EffectDone(_) | Event::EffectFailed(_) | Event::EffectLost(_), Stage::Begun) => Stage::Done,
                (_, stage) => stage,
            };
        }
    }

    fn request(&mut self, record: &Record, asked: &SlotRequested) -> Result<(), &'static str> {
        let lane = record.lane.ok_or("is asked for by nobody")?;
        let endpoint = self.endpoints.get_mut(&asked.endpoint).ok_or("is asked for where there is no endpoint")?;
        if self.calls.contains_key(&lane) {
            return Err("is asked for by a lane that waits for one or has one");
        }
        let ticket = endpoint.next_ticket;
        endpoint.next_ticket += 1;
        endpoint.waiting.insert(ticket, lane);
        self.lines.insert(asked.endpoint);
        let (task, key, stage) = (record.task, asked.key, Stage::Waiting { ticket });
        self.calls.insert(lane, Call { endpoint: asked.endpoint, task, key, bound: asked.bound, stage });
        Ok(())
    }

    fn grant(&mut self, record: &Record, at: EndpointId) -> Result<(), &'static str> {
        let call = record.lane.and_then(|lane| self.calls.get_mut(&lane)).filter(|call| call.endpoint == at);
        let (Some(call), Some(endpoint)) = (call, self.endpoints.get_mut(&at)) else {
            return Err("is granted that was not asked for");
        };
        let Stage::Waiting { ticket } = std::mem::replace(&mut call.stage, Stage::Granted) else {
            return Err("is granted that was not asked for");
        };
        let first = endpoint.waiting.first_key_value().map(|(first, _)| *first);
        endpoint.leave_line(ticket, at, &mut self.lines);
        endpoint.under_way += 1;
        if first != Some(ticket) {
            return Err("is granted past one that waits longer");
        }
        let within = endpoint.slots == 0 || endpoint.under_way <= u64::from(endpoint.slots);
        if within { Ok(()) } else { Err("is granted, and more are under way than there are") }
    }

    /// Also how the request of a lane that waits is withdrawn.
    fn release(&mut self, record: &Record, at: EndpointId) -> Result<(), &'static str> {
        let call = record.lane.and_then(|lane| self.calls.get(&lane)).filter(|call| call.endpoint == at);
        let (Some(call), Some(endpoint)) = (call, self.endpoints.get_mut(&at)) else {
            return Err("is given back that was not held");
        };
        match call.stage {
            Stage::Waiting { ticket } => endpoint.leave_line(ticket, at, &mut self.lines),
            _ => endpoint.under_way = endpoint.under_way.saturating_sub(1),
        }
        Ok(())
    }

    /// The call of a lane, if it waits for one or makes one.
    pub(crate) fn call(&self, lane: LaneId) -> Option<Call> {
        self.calls.get(&lane).copied()
    }

    /// Who is first in line where a slot is free, endpoint by endpoint: nobody waits there unless the team is paused, or
    /// no limit leaves room.
    pub(crate) fn first_in_line(&self) -> impl Iterator<Item = (EndpointId, LaneId)> {
        let lines = self.lines.iter().filter(|_| !self.paused);
        lines.filter_map(|at| {
            let endpoint = self.endpoints.get(at)?;
            let free = endpoint.slots == 0 || endpoint.under_way < u64::from(endpoint.slots);
            endpoint.waiting.first_key_value().filter(|_| free).map(|(_, lane)| (*at, *lane))
        })
    }

    /// LOCK-3 and WHO-1, when the journal is read.
    pub(crate) fn judge(mut self, reason: Option<StopReason>) -> [Judgement; 2] {
        let waiting: usize = self.endpoints.values().map(|endpoint| endpoint.waiting.len()).sum();
        if waiting > 0 && ends_without_waiting(reason) {
            self.lock_3.breaks(|| format!("{waiting} requests for a slot still wait though the run is over"));
        } else if waiting > 0 {
            self.lock_3.open(|| format!("{waiting} requests for a slot wait"));
        }
        [self.lock_3, self.who_1]
    }
}

impl Endpoint {
    fn leave_line(&mut self, ticket: u64, own: EndpointId, lines: &mut BTreeSet<EndpointId>) {
        self.waiting.remove(&ticket);
        if self.waiting.is_empty() {
            lines.remove(&own);
        }
    }
}
