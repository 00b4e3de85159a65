//! Calls that are reserved wait here until their endpoint's rate lets them through, in the order of their grants.
//!
//! What the gates have let through of a rate is not in the journal: they are made anew with every life, and a minute's
//! share is taken as used. Until when an endpoint wants to be left alone is, and which call was let through, so that none
//! begins twice.

use super::{Effect, Knock, Supervisor};
use actix::{AsyncContext, Context};
use baton_core::Fact;
use baton_record::event::{CallAdmitted, EffectFailed};
use baton_record::{EffectKey, EndpointId, Event, LaneId};
use baton_world::endpoint_gate::{EndpointGate, Pass};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The gate of one endpoint, and who waits before it.
#[derive(Debug)]
pub(super) struct Door {
    gate: EndpointGate,
    line: VecDeque<(LaneId, EffectKey)>,
    /// When somebody looks again.
    knock_us: Option<u64>,
}

/// Until when each endpoint wants to be left alone, as far as the journal tells.
#[derive(Debug, Default)]
pub struct Quiet(BTreeMap<EndpointId, u64>);

impl Quiet {
    pub(super) fn note(&mut self, t_us: u64, endpoint: EndpointId, failed: &EffectFailed) {
        let until_us = self.0.entry(endpoint).or_default();
        *until_us = t_us.saturating_add(failed.retry_after_us).max(*until_us);
    }
}

/// After a restart nothing is let through for so long: what was let through before is not known.
const SHARE_OF_A_MINUTE_US: u64 = 60_000_000;

impl Supervisor {
    /// Doors of the endpoints that have a rate or may refuse, the first of a run.
    pub(super) fn make_doors(&mut self) {
        self.open_doors(0, &Quiet::default());
    }

    /// Doors of a new life: what they let through before is forgotten.
    pub(super) fn make_doors_again(&mut self, quiet: &Quiet) {
        self.open_doors(self.ground.clock.now_us() + SHARE_OF_A_MINUTE_US, quiet);
    }

    fn open_doors(&mut self, from_us: u64, quiet: &Quiet) {
        let doors = self.ground.team.models.iter().enumerate().map(|(at, model)| {
            let quiet_us = quiet.0.get(&EndpointId(at as u16)).copied().unwrap_or_default();
            let gate = EndpointGate::new(model.rate, model.bound().tokens, from_us.max(quiet_us));
            model.gated.then(|| Door { gate, line: VecDeque::new(), knock_us: None })
        });
        self.doors = doors.collect();
    }

    pub(super) fn endpoint_of(&self, lane: LaneId) -> EndpointId {
        EndpointId(self.directory().roster().spec(lane).model as u16)
    }

    fn door(&mut self, endpoint: EndpointId) -> Option<&mut Door> {
        self.doors[endpoint.0 as usize].as_mut()
    }

    /// Whether calls of the lane wait at a door.
    pub(super) fn is_gated(&self, lane: LaneId) -> bool {
        self.doors[self.endpoint_of(lane).0 as usize].is_some()
    }

    /// Puts a granted call in line, unless it stands there.
    pub(super) fn line_up(&mut self, lane: LaneId, key: EffectKey, ctx: &mut Context<Supervisor>) {
        let endpoint = self.endpoint_of(lane);
        let Some(door) = self.door(endpoint) else { return };
        if !door.line.contains(&(lane, key)) {
            door.line.push_back((lane, key));
        }
        self.pump(endpoint, ctx);
    }

    /// Lets through whoever may begin now, and sees to it that somebody looks again when the next may.
    pub(super) fn pump(&mut self, endpoint: EndpointId, ctx: &mut Context<Supervisor>) {
        if self.state.pause.epoch().paused() {
            return;
        }
        let (now_us, tokens) =
            (self.ground.clock.now_us(), self.ground.team.models[endpoint.0 as usize].bound().tokens);
        while let Some((lane, key)) = self.door(endpoint).and_then(|door| door.line.front().copied()) {
            let waits = self.state.slots.running(lane) == Some(key) && !self.state.slots.is_admitted(lane);
            let (has_room, there) = (self.state.slots.has_room(endpoint), self.state.slots.admitted(endpoint));
            let Some(door) = self.door(endpoint) else { return };
            if !waits {
                door.line.pop_front();
                continue;
            }
            if !has_room {
                // Somebody looks again when a call there ends.
                return;
            }
            match door.gate.admit(now_us, tokens, there) {
                Pass::Now => {
                    door.line.pop_front();
                    let task = self.state.slots.task(lane);
                    let admitted = Event::CallAdmitted(CallAdmitted { endpoint, key });
                    self.commit(vec![Fact::of(lane, task, admitted)], None);
                }
                Pass::NotBefore(at_us) => {
                    if door.knock_us.is_none_or(|knock_us| knock_us > at_us || knock_us <= now_us) {
                        door.knock_us = Some(at_us);
                        ctx.notify_later(Knock(endpoint), Duration::from_micros(at_us - now_us));
                    }
                    return;
                }
                Pass::AfterAnother => return,
            }
        }
    }

    pub(super) fn on_knock(&mut self, knock: Knock, ctx: &mut Context<Supervisor>) {
        if let Some(door) = self.door(knock.0) {
            door.knock_us = None;
        }
        self.pump(knock.0, ctx);
    }

    /// Tells the door how a call that it let through has ended. To be called before the fact is taken into the state.
    pub(super) fn note_end(&mut self, lane: LaneId, event: &Event) -> Option<Effect> {
        if !matches!(event, Event::EffectDone(_) | Event::EffectFailed(_) | Event::EffectLost(_)) {
            return None;
        }
        let (endpoint, is_news) = (self.endpoint_of(lane), self.state.slots.is_news(lane));
        let now_us = self.ground.clock.now_us();
        let until_us = match event {
            Event::EffectFailed(failed) => {
                now_us + failed.retry_after_us + self.jitter_us(failed.key, failed.retry_after_us)
            }
            _ => now_us,
        };
        let door = self.door(endpoint)?;
        match event {
            Event::EffectDone(_) if is_news => door.gate.ended_well(),
            Event::EffectFailed(_) => door.gate.refused(until_us),
            Event::SlotReleased(_) => return Some(Effect::Pump { endpoint }),
            _ => {}
        }
        None
    }

    /// Up to a tenth more than the endpoint asked for, so that not everybody comes back at once.
    fn jitter_us(&self, key: EffectKey, retry_after_us: u64) -> u64 {
        let mut draws = self.ground.team.seeds.child(&format!("back-off/{:016x}", key.0)).draws();
        draws.below(retry_after_us / 10 + 1)
    }

    /// Calls that were granted and not let through stand in line again after a restart.
    pub(super) fn line_up_again(&mut self, ctx: &mut Context<Supervisor>) {
        let lanes = (0..self.state.board.lanes() as u32).map(LaneId);
        let not_yet = lanes.filter(|lane| !self.state.slots.is_admitted(*lane));
        let waiting: Vec<_> = not_yet.filter_map(|lane| Some((lane, self.state.slots.running(lane)?))).collect();
        for (lane, key) in waiting {
            self.line_up(lane, key, ctx);
        }
    }
}
