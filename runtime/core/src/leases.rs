//! Change leases: who may touch what, in which order, under which fence.
//!
//! A request queues at every resource that it names and is granted when it is first in line at all of them and nobody
//! holds one that overlaps: nobody overtakes, nobody holds half, so there is no deadlock and no starvation. Does not
//! know what a resource is, only which ones overlap; expiry is a command, not a comparison with a clock.

use crate::fact::{Fact, Refusal};
use baton_record::event::{LeaseExpired, LeaseGranted, LeaseReleased, LeaseRequested};
use baton_record::{ChangeId, Event, FaultId, Fence, LaneId, LeaseId, ResourceId};

/// All change leases of a run.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct Leases {
    /// By resource: the others that overlap with it.
    overlaps: Vec<Vec<ResourceId>>,
    /// In the order of requests.
    waiting: Vec<Waiting>,
    /// In the order of grants.
    held: Vec<Held>,
    /// Taken from their holders, and their fences do not stand yet.
    shutting: Vec<Shutting>,
    next_lease: u32,
    newest_fence: u64,
}

/// A request in line.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Waiting {
    /// Its lease.
    pub lease: LeaseId,
    /// Who asks.
    pub lane: LaneId,
    /// For which attempt.
    pub change: ChangeId,
    resources: Vec<ResourceId>,
    ttl_us: u64,
}

/// A grant that has not ended.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Held {
    /// The lease.
    pub lease: LeaseId,
    /// Who holds it.
    pub lane: LaneId,
    /// For which attempt.
    pub change: ChangeId,
    /// What it holds, ascending.
    pub resources: Vec<ResourceId>,
    /// Its fence.
    pub fence: Fence,
    /// When it expires.
    pub until_us: u64,
    /// Whether the fence stands at the resource, so that the holder was or may be told.
    pub raised: bool,
}

/// A lease that was taken from its holder, until the fence stands that shuts the holder out.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Shutting {
    /// The lease.
    pub lease: LeaseId,
    /// Who held it.
    pub lane: LaneId,
    /// For which attempt.
    pub change: ChangeId,
    /// What it held, ascending.
    pub resources: Vec<ResourceId>,
    /// The fence that shuts the holder out.
    pub fence: Fence,
}

impl Leases {
    /// A request, and its grant if nobody is in the way.
    pub fn request(
        &self,
        lane: LaneId,
        change: ChangeId,
        wanted: (&[ResourceId], u64),
        now_us: u64,
    ) -> Result<Vec<Fact>, Refusal> {
        if self.held.iter().any(|held| held.change == change) {
            return Err(Refusal::Repeated);
        }
        if self.waiting.iter().any(|waiting| waiting.change == change) {
            return Err(Refusal::Waiting);
        }
        let (resources, ttl_us) = wanted;
        let mut resources = resources.to_vec();
        resources.sort_unstable();
        resources.dedup();
        assert!(!resources.is_empty(), "a lease holds something");
        assert!(
            resources.iter().all(|r| (r.0 as usize) < self.overlaps.len()),
            "a resource is named before it is leased"
        );
        let lease = LeaseId(self.next_lease);
        let newcomer = Waiting { lease, lane, change, resources: resources.clone(), ttl_us };
        let request = Event::LeaseRequested(LeaseRequested { lease, change, resources, ttl_us });
        let mut facts = vec![Fact::of(lane, change.task(), request)];
        facts.extend(self.grants(None, Some(&newcomer), (self.newest_fence, now_us)));
        Ok(facts)
    }

    /// The end of a lease or of a request in line, as its holder or the supervisor wishes.
    pub fn release(&self, lease: LeaseId, fault: Option<FaultId>, now_us: u64) -> Result<Vec<Fact>, Refusal> {
        let (lane, change) = self.owner(lease).ok_or(Refusal::Stale)?;
        let end = Event::LeaseReleased(LeaseReleased { lease, fence: None, fault });
        let mut facts = vec![Fact::of(lane, change.task(), end)];
        facts.extend(self.grants(Some(lease), None, (self.newest_fence, now_us)));
        Ok(facts)
    }

    /// A live lease is taken from its holder, who is shut out by a fence of its own: it may still be writing.
    pub fn take_away(&self, lease: LeaseId, now_us: u64) -> Result<Vec<Fact>, Refusal> {
        let held = self.held.iter().find(|held| held.lease == lease).ok_or(Refusal::Stale)?;
        let fence = self.newest_fence + 1;
        let end = Event::LeaseReleased(LeaseReleased { lease, fence: Some(Fence(fence)), fault: None });
        let mut facts = vec![Fact::of(held.lane, held.change.task(), end)];
        facts.extend(self.grants(Some(lease), None, (fence, now_us)));
        Ok(facts)
    }

    /// The end of a lease whose time is over.
    pub fn expire(&self, lease: LeaseId, fault: Option<FaultId>, now_us: u64) -> Result<Vec<Fact>, Refusal> {
        let held = self.held.iter().find(|held| held.lease == lease).ok_or(Refusal::Stale)?;
        if now_us < held.until_us {
            return Err(Refusal::TooEarly);
        }
        let end = Event::LeaseExpired(LeaseExpired { lease, fault });
        let mut facts = vec![Fact::of(held.lane, held.change.task(), end)];
        facts.extend(self.grants(Some(lease), None, (self.newest_fence, now_us)));
        Ok(facts)
    }

    /// Every request that is first at all its resources once `gone` is gone and `newcomer` stands at the end. `after`: the
    /// newest fence, and now.
    fn grants(&self, gone: Option<LeaseId>, newcomer: Option<&Waiting>, after: (u64, u64)) -> Vec<Fact> {
        let (mut fence, now_us) = after;
        let mut taken = Taken::of(self.overlaps.len());
        for held in self.held.iter().filter(|held| Some(held.lease) != gone) {
            taken.take(&held.resources, &self.overlaps);
        }
        let mut facts = Vec::new();
        for waiting in self.waiting.iter().filter(|waiting| Some(waiting.lease) != gone).chain(newcomer) {
            if taken.is_free(&waiting.resources) {
                fence += 1;
                let until_us = now_us.saturating_add(waiting.ttl_us);
                let grant = LeaseGranted { lease: waiting.lease, fence: Fence(fence), until_us };
                facts.push(Fact::of(waiting.lane, waiting.change.task(), Event::LeaseGranted(grant)));
            }
            taken.take(&waiting.resources, &self.overlaps);
        }
        facts
    }

    /// Takes a fact about leases into the state; any other fact changes nothing.
    pub fn apply(&mut self, lane: Option<LaneId>, event: &Event) {
        match event {
            Event::ResourceNamed(named) => self.name(named.resource, &named.overlaps),
            Event::LeaseRequested(request) => {
                assert_eq!(request.lease.0, self.next_lease, "leases are numbered without gaps");
                self.next_lease += 1;
                self.waiting.push(Waiting {
                    lease: request.lease,
                    lane: lane.expect("a lease is requested by a lane"),
                    change: request.change,
                    resources: request.resources.clone(),
                    ttl_us: request.ttl_us,
                });
            }
            Event::LeaseGranted(grant) => self.grant(grant),
            Event::FenceRaised(raised) => {
                if let Some(held) = self.held.iter_mut().find(|held| held.lease == raised.lease) {
                    held.raised = true;
                }
                self.shutting.retain(|shutting| shutting.fence != raised.fence);
            }
            Event::LeaseReleased(end) => {
                if let Some(fence) = end.fence {
                    self.shut(end.lease, fence);
                }
                self.end(end.lease);
            }
            Event::LeaseExpired(end) => self.end(end.lease),
            _ => {}
        }
    }

    fn name(&mut self, resource: ResourceId, overlaps: &[ResourceId]) {
        assert_eq!(resource.0 as usize, self.overlaps.len(), "resources are numbered without gaps");
        self.overlaps.push(overlaps.to_vec());
        for other in overlaps {
            self.overlaps[other.0 as usize].push(resource);
        }
    }

    fn grant(&mut self, grant: &LeaseGranted) {
        assert!(grant.fence.0 > self.newest_fence, "a fence only grows");
        self.newest_fence = grant.fence.0;
        let at = self.waiting.iter().position(|waiting| waiting.lease == grant.lease);
        let granted = self.waiting.remove(at.expect("a granted lease was requested"));
        let mut taken = Taken::of(self.overlaps.len());
        self.held.iter().for_each(|held| taken.take(&held.resources, &self.overlaps));
        assert!(taken.is_free(&granted.resources), "two live leases would overlap");
        self.held.push(Held {
            lease: granted.lease,
            lane: granted.lane,
            change: granted.change,
            resources: granted.resources,
            fence: grant.fence,
            until_us: grant.until_us,
            raised: false,
        });
    }

    fn shut(&mut self, lease: LeaseId, fence: Fence) {
        assert!(fence.0 > self.newest_fence, "a fence only grows");
        self.newest_fence = fence.0;
        let held = self.held.iter().find(|held| held.lease == lease).expect("only what is held is taken away");
        let (lane, change, resources) = (held.lane, held.change, held.resources.clone());
        self.shutting.push(Shutting { lease, lane, change, resources, fence });
    }

    fn end(&mut self, lease: LeaseId) {
        self.held.retain(|held| held.lease != lease);
        self.waiting.retain(|waiting| waiting.lease != lease);
    }

    fn owner(&self, lease: LeaseId) -> Option<(LaneId, ChangeId)> {
        let held = self.held.iter().find(|held| held.lease == lease).map(|held| (held.lane, held.change));
        held.or_else(|| {
            let waiting = self.waiting.iter().find(|waiting| waiting.lease == lease);
            waiting.map(|waiting| (waiting.lane, waiting.change))
        })
    }

    /// The live lease of an attempt.
    pub fn held_for(&self, change: ChangeId) -> Option<&Held> {
        self.held.iter().find(|held| held.change == change)
    }

    /// The request in line of an attempt.
    pub fn waiting_for(&self, change: ChangeId) -> Option<&Waiting> {
        self.waiting.iter().find(|waiting| waiting.change == change)
    }

    /// Every live lease.
    pub fn held(&self) -> &[Held] {
        &self.held
    }

    /// Every lease that was taken from its holder and whose fence does not stand yet.
    pub fn shutting(&self) -> &[Shutting] {
        &self.shutting
    }

    /// Every request in line.
    pub fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }

    /// `resources` and all that overlap with them, ascending: where a grant raises its fence.
    pub fn with_overlaps(&self, resources: &[ResourceId]) -> Vec<ResourceId> {
        let mut all: Vec<ResourceId> = resources.to_vec();
        all.extend(resources.iter().flat_map(|resource| &self.overlaps[resource.0 as usize]));
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Which resources are taken, overlaps included.
struct Taken(Vec<bool>);

impl Taken {
    fn of(resources: usize) -> Taken {
        Taken(vec![false; resources])
    }

    fn take(&mut self, resources: &[ResourceId], overlaps: &[Vec<ResourceId>]) {
        for resource in resources {
            self.0[resource.0 as usize] = true;
            for other in &overlaps[resource.0 as usize] {
                self.0[other.0 as usize] = true;
            }
        }
    }

    fn is_free(&self, resources: &[ResourceId]) -> bool {
        resources.iter().all(|resource| !self.0[resource.0 as usize])
    }
}
