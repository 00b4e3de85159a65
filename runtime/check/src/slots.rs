//! Owns the judgement of call leases (slots at an endpoint): for LOCK-3 granted in the order of asking and
//! never more than there are, or than the endpoint has room for after what it said, for WHO-1 always on behalf of the task that they were asked for.
//!
//! A lane makes one call at a time: asked for, granted, begun, done, given back. That nobody who could
//! start waits on is judged in [`crate::sequel`]. Deliberately does not know change leases or what a call
//! costs.

use crate::leases::ends_without_waiting;
use crate::report::Judgement;
use crate::room::{Room, Sayings};
use baton_record::event::{Bound, CallAdmitted, SlotRequested, StopReason, WorldKind};
use baton_record::line::Record;
use baton_record::{EffectKey, EndpointId, Event, LaneId, TaskId};
use std::collections::{BTreeMap, BTreeSet};

/// How late a record may be in `live`.
const LIVE_SLACK_US: u64 = 1_000_000;

#[derive(Debug, Default)]
struct Endpoint {
    /// 0: no limit.
    slots: u32,
    /// By ticket, in the order of asking.
    waiting: BTreeMap<u64, LaneId>,
    next_ticket: u64,
    under_way: u64,
    /// Of these: let through.
    let_through: u64,
    /// Whether calls here are let through one by one.
    gated: bool,
    room: Room,
    /// The endpoint wants to be left alone until then.
    quiet_until_us: u64,
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
    let_through: bool,
    /// Complaints of the endpoint before it began.
    began: u64,
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
    live_world: bool,
    sayings: Sayings,
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
            Event::RunStarted(started) => return self.live_world = started.world == WorldKind::Live,
            Event::PauseRequested(_) => return self.paused = true,
            Event::Resumed(_) => return self.paused = false,
            Event::EffectIntended(_) | Event::EffectDone(_) | Event::EffectFailed(_) | Event::EffectLost(_) => {
                return self.effect(seq, record);
            }
            Event::SlotRequested(asked) => self.request(record, asked),
            Event::SlotGranted(granted) => self.grant(record, granted.endpoint),
            Event::CallAdmitted(admitted) => self.let_through(record, admitted),
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
        let heard = self.hear(record);
        self.lock_3.claim(heard.is_ok(), || format!("record {seq}: a call {}", heard.err().unwrap_or_default()));
        if let Some(call) = record.lane.and_then(|lane| self.calls.get_mut(&lane)) {
            call.stage = match (&record.event, call.stage) {
                (Event::EffectIntended(_), Stage::Granted) => Stage::Begun,
                (Event::EffectDone(_) | Event::EffectFailed(_) | Event::EffectLost(_), Stage::Begun) => Stage::Done,
                (_, stage) => stage,
            };
        }
    }

    /// What the endpoint says with the end of a call.
    fn hear(&mut self, record: &Record) -> Result<(), &'static str> {
        let call = record.lane.and_then(|lane| self.calls.get(&lane)).filter(|call| call.stage == Stage::Begun);
        let Some((call, at)) = call.and_then(|call| Some((call, self.endpoints.get_mut(&call.endpoint)?))) else {
            return Ok(());
        };
        let there = if at.gated { at.let_through } else { at.under_way };
        match &record.event {
            Event::EffectDone(_) | Event::EffectFailed(_) if at.gated && !call.let_through => {
                Err("ends that its endpoint never let through")
            }
            Event::EffectDone(_) => {
                at.room.answered(there, at.slots);
                Ok(())
            }
            Event::EffectFailed(failed) => {
                at.room.refused(failed.status, (call.began, there));
                at.quiet_until_us = at.quiet_until_us.max(record.t_us.saturating_add(failed.retry_after_us));
                let agrees = self.sayings.agrees(failed);
                if agrees { Ok(()) } else { Err("is refused with other words than the same fault has used before") }
            }
            _ => Ok(()),
        }
    }

    fn let_through(&mut self, record: &Record, admitted: &CallAdmitted) -> Result<(), &'static str> {
        let call = record.lane.and_then(|lane| self.calls.get_mut(&lane));
        let call = call.filter(|call| call.endpoint == admitted.endpoint && call.key == admitted.key);
        let (Some(call), Some(at)) = (call, self.endpoints.get_mut(&admitted.endpoint)) else {
            return Err("is let through that was not asked for");
        };
        if call.stage != Stage::Begun || call.let_through {
            return Err("is let through before its call has begun, or twice");
        }
        (call.let_through, call.began) = (true, at.room.complaints());
        let takes = at.room.takes(at.let_through, at.slots);
        // On the real clock a record may be written a moment later than what it tells.
        let slack_us = if self.live_world { LIVE_SLACK_US } else { 0 };
        let quiet = record.t_us.saturating_add(slack_us) < at.quiet_until_us;
        (at.gated, at.let_through) = (true, at.let_through + 1);
        at.room.let_through(at.let_through);
        match (takes, quiet) {
            (false, _) => Err("is let through, and the endpoint has no room for it"),
            (_, true) => Err("is let through while the endpoint wants to be left alone"),
            _ => Ok(()),
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
        let call =
            Call { endpoint: asked.endpoint, task, key, bound: asked.bound, stage, let_through: false, began: 0 };
        self.calls.insert(lane, call);
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
        let takes = endpoint.room.takes(endpoint.under_way, endpoint.slots);
        endpoint.under_way += 1;
        call.began = endpoint.room.complaints();
        if first != Some(ticket) {
            return Err("is granted past one that waits longer");
        }
        if takes { Ok(()) } else { Err("is granted, and more are under way than there are, or is room for") }
    }

    /// Also how the request of a lane that waits is withdrawn.
    fn release(&mut self, record: &Record, at: EndpointId) -> Result<(), &'static str> {
        let call = record.lane.and_then(|lane| self.calls.get(&lane)).filter(|call| call.endpoint == at);
        let (Some(call), Some(endpoint)) = (call, self.endpoints.get_mut(&at)) else {
            return Err("is given back that was not held");
        };
        match call.stage {
            Stage::Waiting { ticket } => endpoint.leave_line(ticket, at, &mut self.lines),
            _ => {
                endpoint.under_way = endpoint.under_way.saturating_sub(1);
                endpoint.let_through = endpoint.let_through.saturating_sub(u64::from(call.let_through));
            }
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
            let free = endpoint.room.takes(endpoint.under_way, endpoint.slots);
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
