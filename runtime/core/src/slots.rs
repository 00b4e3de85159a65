//! Call leases: slots at model endpoints, first come, first served.
//!
//! A call holds a slot and is an effect: granting the slot, reserving its bound and intending the effect are one decision.
//! A call that does not fit under a limit yet waits at the head of its line; one that never will is refused. An endpoint
//! that says it has enough is given fewer calls at once than it has slots, until it answers again. Knows nothing of rates,
//! and nothing of what a call says.

mod room;

use crate::fact::{Fact, Refusal};
use crate::ledger::{Amount, Draft, Fit, Ledger};
use baton_record::event::{Bound, BudgetScope, CallRefused, EffectDone, EffectFailed, EffectIntended, EffectLost};
use baton_record::event::{SlotGranted, SlotReleased, SlotRequested};
use baton_record::{EffectKey, EndpointId, Event, FaultId, LaneId, TaskId};
use room::{Room, Word};
use std::collections::VecDeque;

/// All endpoints of a run and who calls them.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct Slots {
    endpoints: Vec<Endpoint>,
    /// By lane.
    calls: Vec<Call>,
    /// By lane: the calls that ended since its present attempt began. All of them, because a repeat may come late and
    /// keys have no order.
    ended: Vec<Vec<EffectKey>>,
}

#[derive(Clone, Debug, Default, PartialEq, Hash)]
struct Endpoint {
    /// 0: no limit.
    slots: u32,
    used: u32,
    /// Of those that use one: let through by the endpoint's rate.
    admitted: u32,
    room: Room,
    waiting: VecDeque<LaneId>,
}

/// Where one lane stands with its calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Hash)]
struct Call {
    task: TaskId,
    /// The latest call that was asked for.
    key: EffectKey,
    /// Where it waits, and what it can use at most.
    waiting: Option<(EndpointId, Bound)>,
    running: Option<Running>,
}

/// A call that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Hash)]
struct Running {
    at: EndpointId,
    /// The endpoint's rate has let it through.
    admitted: bool,
    /// The endpoint has complained since it began.
    warned: bool,
}

impl Call {
    fn running_at(&self) -> Option<EndpointId> {
        self.running.map(|running| running.at)
    }
}

/// A call that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where.
    pub endpoint: EndpointId,
    /// Which.
    pub key: EffectKey,
    /// What it can use at most.
    pub bound: Bound,
}

/// What decides whether a call may begin.
#[derive(Clone, Copy, Debug)]
pub struct Leave<'a> {
    /// Whether no effect may start.
    pub paused: bool,
    /// What may be used.
    pub ledger: &'a Ledger,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// With an answer.
    Answered(Usage),
    /// The endpoint refused it.
    Refused {
        /// An HTTP status.
        status: u16,
        /// How long the endpoint wants to be left alone.
        retry_after_us: u64,
        /// The fault that caused it.
        fault: Option<FaultId>,
    },
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
    pub fn request(&self, caller: (LaneId, TaskId), wanted: Wanted, leave: Leave<'_>) -> Result<Vec<Fact>, Refusal> {
        let (lane, task) = caller;
        let Wanted { endpoint, key, bound } = wanted;
        let call = self.call(lane);
        if self.has_ended(lane, key) {
            return Err(Refusal::Stale);
        }
        if call.running.is_some() {
            return Err(if call.key == key { Refusal::Repeated } else { Refusal::Stale });
        }
        if call.waiting.is_some() {
            return Err(if call.key == key { Refusal::Waiting } else { Refusal::Stale });
        }
        let mut facts = vec![Fact::of(lane, task, Event::SlotRequested(SlotRequested { endpoint, key, bound }))];
        let at = &self.endpoints[endpoint.0 as usize];
        if !leave.paused && at.waiting.is_empty() && at.free(at.used, at.room) > 0 {
            match Draft::of(leave.ledger).fit(lane, bound) {
                Fit::Now => facts.extend(start(lane, task, wanted)),
                Fit::Later => {}
                Fit::Never(scope) => facts.push(refuse(lane, task, wanted, scope)),
            }
        }
        Ok(facts)
    }

    /// The end of a call: what it used is settled, its slot goes to the next in line.
    pub fn finish(&self, lane: LaneId, key: EffectKey, end: CallEnd, leave: Leave<'_>) -> Result<Vec<Fact>, Refusal> {
        let call = self.call(lane);
        if self.has_ended(lane, key) {
            return Err(Refusal::Repeated);
        }
        let running = call.running.filter(|_| call.key == key).ok_or(Refusal::Stale)?;
        let endpoint = running.at;
        let (event, used) = match end {
            CallEnd::Answered(Usage { tokens_in, tokens_out, usd_micros }) => {
                let tokens = tokens_in.saturating_add(tokens_out);
                let done = EffectDone { key, tokens_in, tokens_out, usd_micros };
                (Event::EffectDone(done), Amount { requests: 1, tokens, usd_micros })
            }
            CallEnd::Refused { status, retry_after_us, fault } => {
                let failed = EffectFailed { key, status, retry_after_us, fault };
                (Event::EffectFailed(failed), Amount { requests: 1, ..Amount::default() })
            }
        };
        let released = SlotReleased { endpoint, fault: None };
        let mut facts = vec![Fact::of(lane, call.task, event)];
        facts.push(Fact::of(lane, call.task, Event::SlotReleased(released)));
        let mut draft = Draft::of(leave.ledger);
        draft.settle(lane, used);
        let freed = Freed { endpoint, slots: 1, room: self.room_after(running, &facts[0].event) };
        facts.extend(self.starts_after(freed, None, draft, leave.paused));
        Ok(facts)
    }

    /// What a dead lane leaves behind: its slot or its place in line. A call whose end nobody knows is billed whole.
    pub fn abandon(&self, lane: LaneId, fault: Option<FaultId>, leave: Leave<'_>) -> Vec<Fact> {
        let call = self.call(lane);
        let Some(endpoint) = call.running_at().or(call.waiting.map(|(endpoint, _)| endpoint)) else {
            return Vec::new();
        };
        let mut facts = Vec::new();
        let mut draft = Draft::of(leave.ledger);
        // A journal that was cut may have the loss already.
        if let Some(billed) = leave.ledger.open(lane) {
            let lost = EffectLost { key: call.key, billed, fault };
            facts.push(Fact::of(lane, call.task, Event::EffectLost(lost)));
            draft.settle(lane, Amount::call(billed));
        }
        let slots = u32::from(call.running.is_some());
        let freed = Freed { endpoint, slots, room: self.endpoints[endpoint.0 as usize].room };
        facts.push(Fact::of(lane, call.task, Event::SlotReleased(SlotReleased { endpoint, fault })));
        facts.extend(self.starts_after(freed, Some(lane), draft, leave.paused));
        facts
    }

    /// The calls that are under way when the run ends. Nobody will hear how they end, so they are billed whole.
    pub fn cut_off(&self, ledger: &Ledger) -> Vec<Fact> {
        let lanes = (0..self.calls.len() as u32).map(LaneId);
        let lost = |lane| {
            let call = self.call(lane);
            let billed = ledger.open(lane).filter(|_| call.running.is_some())?;
            let lost = EffectLost { key: call.key, billed, fault: None };
            Some(Fact::of(lane, call.task, Event::EffectLost(lost)))
        };
        lanes.filter_map(lost).collect()
    }

    /// What a lane whose attempt is over leaves behind: its place in line. A call that runs goes on and is paid for.
    pub fn withdraw(&self, lane: LaneId, leave: Leave<'_>) -> Vec<Fact> {
        let waits = self.call(lane).waiting.is_some();
        if waits { self.abandon(lane, None, leave) } else { Vec::new() }
    }

    /// Every call that may start at every endpoint once effects may start again, or under other limits.
    pub fn start_all(&self, mut draft: Draft<'_>) -> Vec<Fact> {
        let endpoints = (0..self.endpoints.len() as u16).map(EndpointId);
        endpoints.flat_map(|endpoint| self.starts(self.nothing_freed(endpoint), None, &mut draft)).collect()
    }

    /// The calls that may begin when slots are `freed` at an endpoint and `gone` waits no more. Under limits a call that
    /// ends makes room at every endpoint.
    fn starts_after(&self, freed: Freed, gone: Option<LaneId>, mut draft: Draft<'_>, paused: bool) -> Vec<Fact> {
        if paused {
            return Vec::new();
        }
        if !draft.limited() {
            return self.starts(freed, gone, &mut draft);
        }
        let endpoints = (0..self.endpoints.len() as u16).map(EndpointId);
        let freed_at = |at| if at == freed.endpoint { freed } else { self.nothing_freed(at) };
        endpoints.flat_map(|endpoint| self.starts(freed_at(endpoint), gone, &mut draft)).collect()
    }

    fn nothing_freed(&self, endpoint: EndpointId) -> Freed {
        Freed { endpoint, slots: 0, room: self.endpoints[endpoint.0 as usize].room }
    }

    /// The room at the endpoint of a call that runs, once it has ended.
    fn room_after(&self, running: Running, end: &Event) -> Room {
        let at = &self.endpoints[running.at.0 as usize];
        // Where no rate lets calls through, each begins with its grant.
        let there = if running.admitted { at.admitted } else { at.used };
        let word = match end {
            Event::EffectFailed(_) if running.warned => Word::SaidBefore,
            Event::EffectFailed(failed) => Word::Refused(failed.status),
            _ => Word::Answered,
        };
        at.room.after(word, there, at.slots)
    }

    /// The calls first in line at an endpoint when slots are `freed` there and `gone` waits no more. Who fits under a
    /// limit only later keeps everybody behind waiting: nobody overtakes.
    fn starts(&self, freed: Freed, gone: Option<LaneId>, draft: &mut Draft<'_>) -> Vec<Fact> {
        let Freed { endpoint, slots, room } = freed;
        let at = &self.endpoints[endpoint.0 as usize];
        let mut free = at.free(at.used - slots, room);
        let mut facts = Vec::new();
        for lane in at.waiting.iter().copied().filter(|lane| Some(*lane) != gone) {
            if free == 0 {
                break;
            }
            let call = self.call(lane);
            let (_, bound) = call.waiting.expect("who is in line waits");
            let wanted = Wanted { endpoint, key: call.key, bound };
            match draft.fit(lane, bound) {
                Fit::Now => {
                    free -= 1;
                    draft.reserve(lane, bound);
                    facts.extend(start(lane, call.task, wanted));
                }
                Fit::Later => break,
                Fit::Never(scope) => facts.push(refuse(lane, call.task, wanted, scope)),
            }
        }
        facts
    }

    /// Takes a fact about slots into the state; any other fact changes nothing.
    pub fn apply(&mut self, lane: Option<LaneId>, task: Option<TaskId>, event: &Event) {
        match (event, lane) {
            (Event::EndpointNamed(named), _) => {
                assert_eq!(named.endpoint.0 as usize, self.endpoints.len(), "endpoints are numbered without gaps");
                self.endpoints.push(Endpoint { slots: named.slots, ..Endpoint::default() });
            }
            (Event::LaneJoined(joined), _) => {
                assert_eq!(joined.id.0 as usize, self.calls.len(), "lanes are numbered without gaps");
                self.calls.push(Call::default());
                self.ended.push(Vec::new());
            }
            (Event::SlotRequested(request), Some(lane)) => {
                self.endpoints[request.endpoint.0 as usize].waiting.push_back(lane);
                let call = &mut self.calls[lane.0 as usize];
                call.waiting = Some((request.endpoint, request.bound));
                call.key = request.key;
                call.task = task.expect("a slot is requested for a task");
            }
            (Event::SlotGranted(grant), Some(lane)) => self.grant(grant.endpoint, lane),
            (Event::TaskAssigned(_), Some(lane)) => self.ended[lane.0 as usize].clear(),
            (Event::EffectDone(effect), Some(lane)) => self.end(lane, effect.key, event),
            (Event::EffectFailed(effect), Some(lane)) => self.end(lane, effect.key, event),
            (Event::CallAdmitted(_), Some(lane)) => self.admit(lane),
            (Event::CallRefused(refused), Some(lane)) => self.release(refused.endpoint, lane),
            (Event::SlotReleased(release), Some(lane)) => self.release(release.endpoint, lane),
            _ => {}
        }
    }

    fn grant(&mut self, endpoint: EndpointId, lane: LaneId) {
        let at = &mut self.endpoints[endpoint.0 as usize];
        assert_eq!(at.waiting.pop_front(), Some(lane), "nobody overtakes in line for a slot");
        at.used += 1;
        assert!(at.used <= at.room.of(at.slots), "more calls than slots, or than the endpoint has room for");
        let call = &mut self.calls[lane.0 as usize];
        call.waiting = None;
        call.running = Some(Running { at: endpoint, admitted: false, warned: false });
    }

    fn admit(&mut self, lane: LaneId) {
        let call = &mut self.calls[lane.0 as usize];
        let running = call.running.as_mut().filter(|running| !running.admitted);
        let running = running.expect("a call is let through once, after its grant");
        (running.admitted, running.warned) = (true, false);
        let at = &mut self.endpoints[running.at.0 as usize];
        at.admitted += 1;
        at.room.let_through(at.admitted);
        assert!(at.admitted <= at.room.of(at.slots), "more calls are let through than the endpoint has room for");
    }

    fn end(&mut self, lane: LaneId, key: EffectKey, event: &Event) {
        self.ended[lane.0 as usize].push(key);
        let call = self.call(lane);
        let Some(running) = call.running.filter(|_| call.key == key) else { return };
        self.endpoints[running.at.0 as usize].room = self.room_after(running, event);
        if matches!(event, Event::EffectFailed(_)) && !running.warned {
            let under_way = self.calls.iter_mut().filter_map(|call| call.running.as_mut());
            under_way.filter(|other| other.at == running.at).for_each(|other| other.warned = true);
        }
    }

    fn release(&mut self, endpoint: EndpointId, lane: LaneId) {
        let at = &mut self.endpoints[endpoint.0 as usize];
        let call = &mut self.calls[lane.0 as usize];
        if let Some(running) = call.running.take() {
            at.used -= 1;
            at.admitted -= u32::from(running.admitted);
        } else {
            at.waiting.retain(|waiting| *waiting != lane);
        }
        call.waiting = None;
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
        call.running.map(|_| call.key)
    }

    /// Where the lane's call is under way.
    pub fn running_at(&self, lane: LaneId) -> Option<EndpointId> {
        self.call(lane).running_at()
    }

    /// Whether the lane's call was let through by its endpoint's rate.
    pub fn is_admitted(&self, lane: LaneId) -> bool {
        self.call(lane).running.is_some_and(|running| running.admitted)
    }

    /// Whether the endpoint's latest complaint came before the lane's call began, so that its end says something new.
    pub fn is_news(&self, lane: LaneId) -> bool {
        self.call(lane).running.is_some_and(|running| !running.warned)
    }

    /// Calls that the endpoint's rate has let through and that have not ended.
    pub fn admitted(&self, endpoint: EndpointId) -> u32 {
        self.endpoints[endpoint.0 as usize].admitted
    }

    /// Whether the endpoint has room for one more call that its rate lets through.
    pub fn has_room(&self, endpoint: EndpointId) -> bool {
        let at = &self.endpoints[endpoint.0 as usize];
        at.free(at.admitted, at.room) > 0
    }

    /// The task of the lane's latest call.
    pub fn task(&self, lane: LaneId) -> TaskId {
        self.call(lane).task
    }

    /// Lanes in line for a slot, at any endpoint.
    pub fn waiting(&self) -> usize {
        self.endpoints.iter().map(|endpoint| endpoint.waiting.len()).sum()
    }
}

/// What a decision frees at an endpoint before others may begin there.
#[derive(Clone, Copy, Debug)]
struct Freed {
    endpoint: EndpointId,
    slots: u32,
    /// The room that it leaves.
    room: Room,
}

impl Endpoint {
    fn free(&self, used: u32, room: Room) -> u32 {
        room.of(self.slots).saturating_sub(used)
    }
}

fn start(lane: LaneId, task: TaskId, wanted: Wanted) -> [Fact; 2] {
    let Wanted { endpoint, key, bound } = wanted;
    [
        Fact::of(lane, task, Event::SlotGranted(SlotGranted { endpoint })),
        Fact::of(lane, task, Event::EffectIntended(EffectIntended { key, reserved: bound })),
    ]
}

fn refuse(lane: LaneId, task: TaskId, wanted: Wanted, scope: BudgetScope) -> Fact {
    let Wanted { endpoint, key, .. } = wanted;
    Fact::of(lane, task, Event::CallRefused(CallRefused { endpoint, key, scope }))
}
