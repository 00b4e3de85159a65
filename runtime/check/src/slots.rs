//! Owns the judgement of call leases (slots at an endpoint) for LOCK-3: granted in the order of asking,
//! never more than there are, none forgotten.
//!
//! Deliberately does not know change leases or what a call costs.

use crate::leases::ends_without_waiting;
use crate::report::Judgement;
use baton_record::event::StopReason;
use baton_record::line::Record;
use baton_record::{EndpointId, Event, LaneId};
use std::collections::{BTreeMap, VecDeque};

#[derive(Debug, Default)]
struct Endpoint {
    /// 0: no limit.
    slots: u32,
    /// By ticket, in the order of asking.
    waiting: BTreeMap<u64, LaneId>,
    /// By lane: its tickets, oldest first.
    tickets: BTreeMap<LaneId, VecDeque<u64>>,
    next_ticket: u64,
    /// Slots under way, by lane.
    held: BTreeMap<LaneId, u32>,
    under_way: u64,
    /// Requests whose lane died while it waited: withdrawn, with or without a record.
    withdrawn: BTreeMap<LaneId, u32>,
}

/// All endpoints of a run.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    endpoints: BTreeMap<EndpointId, Endpoint>,
    lock_3: Judgement,
}

impl Slots {
    pub(crate) fn see(&mut self, seq: u64, record: &Record) {
        match &record.event {
            Event::EndpointNamed(named) => {
                let due = self.endpoints.len();
                self.lock_3.claim(usize::from(named.endpoint.0) == due, || {
                    format!("record {seq}: endpoint {} is named, and {due} is due", named.endpoint.0)
                });
                self.endpoints.insert(named.endpoint, Endpoint { slots: named.slots, ..Endpoint::default() });
            }
            Event::SlotRequested(asked) => self.change(seq, record.lane, asked.endpoint, Endpoint::request),
            Event::SlotGranted(granted) => self.change(seq, record.lane, granted.endpoint, Endpoint::grant),
            Event::SlotReleased(released) => self.change(seq, record.lane, released.endpoint, Endpoint::release),
            // A call that fits under a limit no more leaves the line.
            Event::CallRefused(refused) => self.change(seq, record.lane, refused.endpoint, Endpoint::release),
            Event::LaneDied(_) => {
                let Some(lane) = record.lane else { return };
                for endpoint in self.endpoints.values_mut() {
                    endpoint.withdraw(lane);
                }
            }
            _ => {}
        }
    }

    fn change(
        &mut self,
        seq: u64,
        lane: Option<LaneId>,
        id: EndpointId,
        step: fn(&mut Endpoint, LaneId) -> Result<(), &'static str>,
    ) {
        let result = match (lane, self.endpoints.get_mut(&id)) {
            (Some(lane), Some(endpoint)) => step(endpoint, lane),
            (None, _) => Err("no lane is named"),
            (_, None) => Err("there is no such endpoint"),
        };
        self.lock_3.claim(result.is_ok(), || {
            format!("record {seq}: slot at endpoint {}: {}", id.0, result.err().unwrap_or_default())
        });
    }

    pub(crate) fn judge(mut self, reason: Option<StopReason>) -> Judgement {
        let waiting: usize = self.endpoints.values().map(|endpoint| endpoint.waiting.len()).sum();
        if waiting > 0 && ends_without_waiting(reason) {
            self.lock_3.breaks(|| format!("{waiting} requests for a slot still wait though the run is over"));
        } else if waiting > 0 {
            self.lock_3.open(|| format!("{waiting} requests for a slot wait"));
        }
        self.lock_3
    }
}

impl Endpoint {
    fn request(&mut self, lane: LaneId) -> Result<(), &'static str> {
        self.waiting.insert(self.next_ticket, lane);
        self.tickets.entry(lane).or_default().push_back(self.next_ticket);
        self.next_ticket += 1;
        Ok(())
    }

    fn grant(&mut self, lane: LaneId) -> Result<(), &'static str> {
        let first = self.waiting.first_key_value().map(|(ticket, _)| *ticket);
        let own = self.leave_line(lane);
        self.take(lane);
        if own.is_some() && own != first {
            return Err("it overtakes one that waits longer");
        }
        if own.is_none() && !take_one(&mut self.withdrawn, lane) {
            return Err("it was not asked for");
        }
        let within = self.slots == 0 || self.under_way <= u64::from(self.slots);
        if within { Ok(()) } else { Err("more are under way than there are slots") }
    }

    /// The lane's oldest request waits no longer.
    fn leave_line(&mut self, lane: LaneId) -> Option<u64> {
        let ticket = self.tickets.get_mut(&lane)?.pop_front()?;
        self.waiting.remove(&ticket);
        Some(ticket)
    }

    fn take(&mut self, lane: LaneId) {
        *self.held.entry(lane).or_default() += 1;
        self.under_way += 1;
    }

    /// Also how the request of a lane that waits is withdrawn.
    fn release(&mut self, lane: LaneId) -> Result<(), &'static str> {
        if take_one(&mut self.held, lane) {
            self.under_way -= 1;
        } else if self.leave_line(lane).is_none() && !take_one(&mut self.withdrawn, lane) {
            return Err("it is released, and was not held");
        }
        Ok(())
    }

    fn withdraw(&mut self, lane: LaneId) {
        let tickets = self.tickets.remove(&lane).unwrap_or_default();
        let gone = tickets.len() as u32;
        for ticket in &tickets {
            self.waiting.remove(ticket);
        }
        if gone > 0 {
            *self.withdrawn.entry(lane).or_default() += gone;
        }
    }
}

fn take_one(counts: &mut BTreeMap<LaneId, u32>, lane: LaneId) -> bool {
    match counts.get_mut(&lane) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}
