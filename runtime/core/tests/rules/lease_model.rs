//! What leases are, said differently: one line of requests, in which a request holds what it wants as soon as nobody
//! before it in the line wants any of the same files.

use crate::team::FILES;
use baton_core::board::Settled;
use baton_core::leases::Leases;
use baton_core::{Command, Refusal, Supervision};
use baton_record::{ChangeId, LaneId, LeaseId, ResourceId};

#[derive(Default)]
pub(crate) struct LeaseModel {
    line: Vec<Place>,
    requests: u32,
    grants: u64,
}

struct Place {
    lease: LeaseId,
    lane: LaneId,
    change: ChangeId,
    files: u8,
    ttl_us: u64,
    /// Fence and end.
    held: Option<(u64, u64)>,
}

impl LeaseModel {
    /// What a command about leases must be answered; `None` if it is not about leases.
    pub(crate) fn expected(&self, command: &Command, before: &Supervision, now_us: u64) -> Option<Result<(), Refusal>> {
        match command {
            Command::RequestLease { lane, change, .. } => {
                let present = self.line.iter().find(|place| place.change == *change);
                Some(match present {
                    _ if !before.board.works_on(*lane, *change) => Err(Refusal::Stale),
                    Some(place) if place.held.is_some() => Err(Refusal::Repeated),
                    Some(_) => Err(Refusal::Waiting),
                    None => Ok(()),
                })
            }
            Command::ExpireLease { lease, .. } => {
                let held = self.line.iter().find(|place| place.lease == *lease).and_then(|place| place.held);
                Some(match held {
                    None => Err(Refusal::Stale),
                    Some((_, until_us)) if now_us < until_us => Err(Refusal::TooEarly),
                    Some(_) => Ok(()),
                })
            }
            _ => None,
        }
    }

    /// An accepted command takes effect, and whatever it sets free is handed on at once.
    pub(crate) fn follow(&mut self, command: &Command, now_us: u64) {
        match command {
            Command::RequestLease { lane, change, resources, ttl_us } => {
                let lease = LeaseId(self.requests);
                self.requests += 1;
                let (lane, change, ttl_us) = (*lane, *change, *ttl_us);
                self.line.push(Place { lease, lane, change, files: files(resources), ttl_us, held: None });
            }
            Command::ExpireLease { lease, .. } => self.line.retain(|place| place.lease != *lease),
            Command::Settle { change, settled, .. } if *settled != Settled::Withdrawn => {
                self.line.retain(|place| place.change != *change);
            }
            Command::LoseLane { lane, .. } => {
                self.line.retain(|place| place.lane != *lane || place.held.is_some());
            }
            _ => {}
        }
        let mut wanted = 0;
        for place in &mut self.line {
            if place.held.is_none() && wanted & place.files == 0 {
                self.grants += 1;
                place.held = Some((self.grants, now_us.saturating_add(place.ttl_us)));
            }
            wanted |= place.files;
        }
    }

    pub(crate) fn check(&self, leases: &Leases) {
        let held = leases.held().iter();
        let held: Vec<_> = held.map(|held| (held.fence.0, held.lease, files(&held.resources), held.until_us)).collect();
        let mut expected: Vec<_> = self.line.iter().filter_map(Place::grant).collect();
        expected.sort_unstable();
        assert_eq!(held, expected, "who holds what, in the order of fences");
        let waiting: Vec<_> = leases.waiting().iter().map(|waiting| waiting.lease).collect();
        let still = self.line.iter().filter(|place| place.held.is_none()).map(|place| place.lease);
        assert_eq!(waiting, still.collect::<Vec<_>>(), "who waits, in the order of requests");
    }
}

impl Place {
    fn grant(&self) -> Option<(u64, LeaseId, u8, u64)> {
        self.held.map(|(fence, until_us)| (fence, self.lease, self.files, until_us))
    }
}

fn files(resources: &[ResourceId]) -> u8 {
    resources.iter().fold(0, |files, resource| files | FILES[resource.0 as usize])
}
