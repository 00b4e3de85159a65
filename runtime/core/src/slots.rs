//! Call leases: slots at model endpoints, first come, first served.
//!
//! A call holds a slot and is an effect: granting the slot and intending the effect are one decision. Knows nothing of
//! money and rates, and nothing of what a call says.

use crate::fact::{Fact, Refusal};
use baton_record::event::{EffectDone, EffectIntended, SlotGranted, SlotReleased, SlotRequested};
use baton_record::{EffectKey, EndpointId, Event, FaultId, LaneId, TaskId};
use std::collections::VecDeque;

/// All endpoints of a run and who calls them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slots {
    endpoints: Vec<Endpoint>,
    /// By lane.
    calls: Vec<Call>,
    /// By lane: the calls that ended since its present attempt began. All of them, because a repeat may come late and
    /// keys have no order.
    ended: Vec<Vec<EffectKey>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Endpoint {
    /// 0: no limit.
    slots: u32,
    used: u32,
    waiting: VecDeque<LaneId>,
}

/// Where one lane stands with its calls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Call {
    task: TaskId,
    /// The latest call that was asked for.
    key: EffectKey,
    waiting_at: Option<EndpointId>,
    running_at: Option<EndpointId>,
}

/// What a call used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Tokens sent.
    pub tokens_in: u64,
    /// Tokens received.
    pub tokens_out: u64,
    /// Millionths of a dollar.
    pub usd_micros: u64,
}

impl Slots {
    /// A request for a slot, and the call itself if one is free and effects may start.
    pub fn request(
        &self,
        caller: (LaneId, TaskId),
        endpoint: EndpointId,
        key: EffectKey,
        paused: bool,
    ) -> Result<Vec<Fact>, Refusal> {
        let (lane, task) = caller;
        let call = self.call(lane);
        if self.has_ended(lane, key) {
            return Err(Refusal::Stale);
        }
        if call.running_at.is_some() {
            return Err(if call.key == key { Refusal::Repeated } else { Refusal::Stale });
        }
        if call.waiting_at.is_some() {
            return Err(if call.key == key { Refusal::Waiting } else { Refusal::Stale });
        }
        let mut facts = vec![Fact::of(lane, task, Event::SlotRequested(SlotRequested { endpoint, key }))];
        let at = &self.endpoints[endpoint.0 as usize];
        if !paused && at.waiting.is_empty() && at.free() > 0 {
            facts.extend(start(lane, task, endpoint, key));
        }
        Ok(facts)
    }

    /// The end of a call: its usage is settled, its slot goes to the next in line.
    pub fn finish(&self, lane: LaneId, key: EffectKey, usage: Usage, paused: bool) -> Result<Vec<Fact>, Refusal> {
        let call = self.call(lane);
        if self.has_ended(lane, key) {
            return Err(Refusal::Repeated);
        }
        let endpoint = call.running_at.filter(|_| call.key == key).ok_or(Refusal::Stale)?;
        let Usage { tokens_in, tokens_out, usd_micros } = usage;
        let done = EffectDone { key, tokens_in, tokens_out, usd_micros };
        let mut facts = vec![Fact::of(lane, call.task, Event::EffectDone(done))];
        facts.push(Fact::of(lane, call.task, Event::SlotReleased(SlotReleased { endpoint, fault: None })));
        facts.extend(self.starts(endpoint, 1, None, paused));
        Ok(facts)
    }

    /// What a dead lane leaves behind: its slot or its place in line.
    pub fn abandon(&self, lane: LaneId, fault: Option<FaultId>, paused: bool) -> Vec<Fact> {
        let call = self.call(lane);
        let Some(endpoint) = call.running_at.or(call.waiting_at) else { return Vec::new() };
        let freed = u32::from(call.running_at.is_some());
        let mut facts = vec![Fact::of(lane, call.task, Event::SlotReleased(SlotReleased { endpoint, fault }))];
        facts.extend(self.starts(endpoint, freed, Some(lane), paused));
        facts
    }

    /// What a lane whose attempt is over leaves behind: its place in line. A call that runs goes on and is paid for.
    pub fn withdraw(&self, lane: LaneId, paused: bool) -> Vec<Fact> {
        let waits = self.call(lane).waiting_at.is_some();
        if waits { self.abandon(lane, None, paused) } else { Vec::new() }
    }

    /// Every call that may start at every endpoint once effects may start again.
    pub fn start_all(&self) -> Vec<Fact> {
        let endpoints = 0..self.endpoints.len() as u16;
        endpoints.flat_map(|endpoint| self.starts(EndpointId(endpoint), 0, None, false)).collect()
    }

    /// The calls first in line at `endpoint` when `freed` more slots are free and `gone` waits no more.
    fn starts(&self, endpoint: EndpointId, freed: u32, gone: Option<LaneId>, paused: bool) -> Vec<Fact> {
        if paused {
            return Vec::new();
        }
        let at = &self.endpoints[endpoint.0 as usize];
        let free = at.free().saturating_add(freed) as usize;
        let first = at.waiting.iter().filter(|lane| Some(**lane) != gone).take(free);
        let calls = first.map(|lane| (*lane, self.call(*lane)));
        calls.flat_map(|(lane, call)| start(lane, call.task, endpoint, call.key)).collect()
    }

    /// Takes a fact about slots into the state; any other fact changes nothing.
    pub fn apply(&mut self, lane: Option<LaneId>, task: Option<TaskId>, event: &Event) {
        match (event, lane) {
            (Event::EndpointNamed(named), _) => {
                assert_eq!(named.endpoint.0 as usize, self.endpoints.len(), "endpoints are numbered without gaps");
                self.endpoints.push(Endpoint { slots: named.slots, used: 0, waiting: VecDeque::new() });
            }
            (Event::LaneJoined(joined), _) => {
                assert_eq!(joined.id.0 as usize, self.calls.len(), "lanes are numbered without gaps");
                self.calls.push(Call::default());
                self.ended.push(Vec::new());
            }
            (Event::SlotRequested(request), Some(lane)) => {
                self.endpoints[request.endpoint.0 as usize].waiting.push_back(lane);
                let call = &mut self.calls[lane.0 as usize];
                call.waiting_at = Some(request.endpoint);
                call.key = request.key;
                call.task = task.expect("a slot is requested for a task");
            }
            (Event::SlotGranted(grant), Some(lane)) => self.grant(grant.endpoint, lane),
            (Event::TaskAssigned(_), Some(lane)) => self.ended[lane.0 as usize].clear(),
            (Event::EffectDone(effect), Some(lane)) => self.ended[lane.0 as usize].push(effect.key),
            (Event::SlotReleased(release), Some(lane)) => self.release(release.endpoint, lane),
            _ => {}
        }
    }

    fn grant(&mut self, endpoint: EndpointId, lane: LaneId) {
        let at = &mut self.endpoints[endpoint.0 as usize];
        assert_eq!(at.waiting.pop_front(), Some(lane), "nobody overtakes in line for a slot");
        at.used += 1;
        assert!(at.slots == 0 || at.used <= at.slots, "more calls than slots");
        let call = &mut self.calls[lane.0 as usize];
        call.waiting_at = None;
        call.running_at = Some(endpoint);
    }

    fn release(&mut self, endpoint: EndpointId, lane: LaneId) {
        let at = &mut self.endpoints[endpoint.0 as usize];
        let call = &mut self.calls[lane.0 as usize];
        if call.running_at.take().is_some() {
            at.used -= 1;
        } else {
            at.waiting.retain(|waiting| *waiting != lane);
        }
        call.waiting_at = None;
    }

    fn call(&self, lane: LaneId) -> Call {
        self.calls[lane.0 as usize]
    }

    /// Whether a call of the lane's present attempt has ended.
    pub fn has_ended(&self, lane: LaneId, key: EffectKey) -> bool {
        self.ended[lane.0 as usize].contains(&key)
    }

    /// The call that a lane has under way.
    pub fn running(&self, lane: LaneId) -> Option<EffectKey> {
        let call = self.call(lane);
        call.running_at.map(|_| call.key)
    }

    /// Lanes in line for a slot, at any endpoint.
    pub fn waiting(&self) -> usize {
        self.endpoints.iter().map(|endpoint| endpoint.waiting.len()).sum()
    }
}

impl Endpoint {
    fn free(&self) -> u32 {
        if self.slots == 0 { u32::MAX } else { self.slots - self.used }
    }
}

fn start(lane: LaneId, task: TaskId, endpoint: EndpointId, key: EffectKey) -> [Fact; 2] {
    [
        Fact::of(lane, task, Event::SlotGranted(SlotGranted { endpoint })),
        Fact::of(lane, task, Event::EffectIntended(EffectIntended { key })),
    ]
}
