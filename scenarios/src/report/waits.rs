//! How long lanes waited in line: for leases by resource, for slots and at the doors of endpoints.

use super::roster::Roster;
use super::sample::{Distribution, Samples};
use baton_record::{EndpointId, Event, LaneId, LeaseId, ResourceId};
use serde::Serialize;
use std::collections::BTreeMap;

/// Waits of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Waits {
    /// For change leases.
    pub leases: LeaseWaits,
    /// For slots.
    pub slots: EndpointWaits,
    /// At the doors of endpoints.
    pub doors: EndpointWaits,
}

/// Waits of one sort at all endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EndpointWaits {
    /// All endpoints together.
    pub wait_us: Distribution,
    /// By endpoint, in the order of naming.
    pub by_endpoint: Vec<EndpointWait>,
}

/// Waits for change leases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LeaseWaits {
    /// Leases asked for.
    pub requested: u64,
    /// Of these: whose request or grant ended before its fence was raised.
    pub withdrawn: u64,
    /// Of these: not answered when the journal ended.
    pub open: u64,
    /// From request to raised fence, one sample a lease.
    pub wait_us: Distribution,
    /// The same by resource, one sample for each resource that a lease names, in the order of naming.
    pub by_resource: Vec<ResourceWait>,
}

/// Waits for one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each field is what its name says")]
pub struct ResourceWait {
    pub resource: String,
    pub wait_us: Distribution,
}

/// Waits at one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndpointWait {
    /// Its name in the scenario.
    pub endpoint: String,
    /// Calls that still waited when the journal ended.
    pub open: u64,
    /// How long the others had waited.
    pub wait_us: Distribution,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    resources: Vec<(String, Samples)>,
    leases: BTreeMap<LeaseId, (u64, Vec<ResourceId>)>,
    requested: u64,
    withdrawn: u64,
    all: Samples,
    /// Since when each lane waits for a slot, and where.
    queueing: BTreeMap<LaneId, (EndpointId, u64)>,
    slots: Vec<Samples>,
    doors: Vec<Samples>,
}

impl Lines {
    pub(super) fn see(&mut self, t_us: u64, lane: Option<LaneId>, event: &Event, roster: &Roster) {
        match (event, lane) {
            (Event::ResourceNamed(named), _) => self.resources.push((named.pattern.clone(), Samples::default())),
            (Event::EndpointNamed(_), _) => {
                self.slots.push(Samples::default());
                self.doors.push(Samples::default());
            }
            (Event::LeaseRequested(request), _) => {
                self.requested += 1;
                self.leases.insert(request.lease, (t_us, request.resources.clone()));
            }
            (Event::FenceRaised(raised), _) => self.raised(t_us, raised.lease),
            (Event::LeaseReleased(end), _) => self.gone(end.lease),
            (Event::LeaseExpired(end), _) => self.gone(end.lease),
            (Event::SlotRequested(request), Some(lane)) => {
                self.queueing.insert(lane, (request.endpoint, t_us));
            }
            (Event::SlotGranted(_), Some(lane)) => {
                if let Some((endpoint, since_us)) = self.queueing.remove(&lane) {
                    sample(&mut self.slots, endpoint, t_us - since_us);
                }
            }
            (Event::CallRefused(_) | Event::SlotReleased(_), Some(lane)) => drop(self.queueing.remove(&lane)),
            (Event::CallAdmitted(admitted), Some(lane)) => {
                if let Some(call) = roster.lane(lane).and_then(|seen| seen.call) {
                    sample(&mut self.doors, admitted.endpoint, t_us - call.granted_us);
                }
            }
            _ => {}
        }
    }

    fn raised(&mut self, t_us: u64, lease: LeaseId) {
        let Some((since_us, resources)) = self.leases.remove(&lease) else { return };
        self.all.add(t_us - since_us);
        for resource in resources {
            if let Some((_, samples)) = self.resources.get_mut(resource.0 as usize) {
                samples.add(t_us - since_us);
            }
        }
    }

    fn gone(&mut self, lease: LeaseId) {
        self.withdrawn += u64::from(self.leases.remove(&lease).is_some());
    }

    pub(super) fn close(self, roster: &Roster) -> Waits {
        let at = |calls: &mut dyn Iterator<Item = EndpointId>, endpoint: usize| {
            calls.filter(|id| id.0 as usize == endpoint).count() as u64
        };
        let waits = |samples: Vec<Samples>, open: &dyn Fn(usize) -> u64| {
            let wait_us = Samples::together(&samples).distribution();
            let endpoint = |(place, samples): (usize, Samples)| EndpointWait {
                endpoint: roster.endpoints[place].name.clone(),
                open: open(place),
                wait_us: samples.distribution(),
            };
            EndpointWaits { wait_us, by_endpoint: samples.into_iter().enumerate().map(endpoint).collect() }
        };
        let queueing = |place: usize| at(&mut self.queueing.values().map(|(endpoint, _)| *endpoint), place);
        let at_door = |place: usize| {
            let calls = roster.lanes.iter().filter_map(|lane| lane.call).filter(|call| !call.admitted);
            let rated = roster.endpoints[place].rated;
            if rated { at(&mut calls.map(|call| call.endpoint), place) } else { 0 }
        };
        let by_resource = self.resources.into_iter();
        let by_resource =
            by_resource.map(|(resource, samples)| ResourceWait { resource, wait_us: samples.distribution() });
        Waits {
            leases: LeaseWaits {
                requested: self.requested,
                withdrawn: self.withdrawn,
                open: self.leases.len() as u64,
                wait_us: self.all.distribution(),
                by_resource: by_resource.collect(),
            },
            slots: waits(self.slots, &queueing),
            doors: waits(self.doors, &at_door),
        }
    }
}

fn sample(samples: &mut [Samples], endpoint: EndpointId, us: u64) {
    samples.get_mut(endpoint.0 as usize).into_iter().for_each(|samples| samples.add(us));
}
