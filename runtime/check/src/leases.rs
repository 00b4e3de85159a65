//! Owns the judgement of change leases: an interval sweep for LOCK-1, the line of waiting requests for
//! LOCK-3, and fences, from the grant to the landing, for LOCK-2.
//!
//! Deliberately does not know slots, gates or commits.

use crate::changes::{Change, Changes};
use crate::patterns::Patterns;
use crate::report::Judgement;
use baton_record::event::{
    ChangeIntended, ChangeRefused, ChangeSubmitted, FenceRaised, LeaseGranted, LeaseRequested, RefuseReason,
    StopReason, WorldKind,
};
use baton_record::line::Record;
use baton_record::{ChangeId, Event, Fence, LaneId, LeaseId, Oid, ResourceId, TaskId};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// More grants than this never wait for their raise at once.
const RAISES_AHEAD_MAX: usize = 1000;
/// A restart is heard of within this time.
const RAISE_SLACK_US: u64 = 10_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    Live { until_us: u64 },
    Ended,
}

#[derive(Debug)]
struct Lease {
    lane: Option<LaneId>,
    change: ChangeId,
    ttl_us: u64,
    resources: Vec<ResourceId>,
    stage: Stage,
    fence: Option<Fence>,
    raised: bool,
    granted_us: u64,
    /// An operator took it from its holder.
    taken: Option<Taken>,
    /// Its lane died while it waited: it holds up nobody, and nobody waits for it.
    orphaned: bool,
}

/// The fence that shuts the former holder of a lease out.
#[derive(Clone, Copy, Debug)]
struct Taken {
    fence: Fence,
    raised: bool,
    t_us: u64,
}

impl Lease {
    /// The record names the lane and the task that the lease is for.
    fn is_of(&self, record: &Record) -> bool {
        self.lane == record.lane && record.task.is_none_or(|task| task == self.change.task())
    }
}

/// All leases of a run.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    patterns: Patterns,
    leases: Vec<Lease>,
    /// By lane: what it asked for since it last died.
    since_death: BTreeMap<LaneId, Vec<LeaseId>>,
    /// By resource: requests that wait for it, in the order of asking.
    waiting: BTreeMap<ResourceId, BTreeSet<u32>>,
    /// By resource: the live lease on it.
    live: BTreeMap<ResourceId, LeaseId>,
    /// Every request that waits, by number.
    queue: BTreeSet<u32>,
    /// By change: its newest lease.
    by_change: BTreeMap<ChangeId, LeaseId>,
    /// By resource: the newest fence that stands at it.
    newest: BTreeMap<ResourceId, Fence>,
    last_grant: Fence,
    live_world: bool,
    /// When the merger or the supervisor was last restarted.
    restarted_us: Option<u64>,
    /// The blob of the last raise.
    pub(crate) fences: Option<Oid>,
    lock_1: Judgement,
    lock_2: Judgement,
    lock_3: Judgement,
}

impl Leases {
    /// `changes` has seen the record already.
    pub(crate) fn see(&mut self, seq: u64, record: &Record, changes: &Changes) {
        match &record.event {
            Event::RunStarted(started) => self.live_world = started.world == WorldKind::Live,
            Event::ResourceNamed(named) => {
                let result = self.patterns.add(named.resource, &named.pattern, &named.overlaps);
                self.lock_1.claim(result.is_ok(), || format!("record {seq}: {}", result.err().unwrap_or_default()));
            }
            Event::ActorRestarted(_) => self.restarted_us = Some(record.t_us),
            Event::ChangeRefused(refused) => self.refused(seq, refused, changes.get(refused.change)),
            Event::LeaseRequested(asked) => self.requested(seq, record, asked),
            Event::LeaseGranted(granted) => self.granted(seq, record, granted),
            Event::FenceRaised(raised) => self.raised(seq, record, raised),
            Event::LeaseReleased(released) => {
                if let Some(fence) = released.fence {
                    self.taken_away(seq, record, released.lease, fence);
                }
                self.ended(seq, record, released.lease, false);
            }
            Event::LeaseExpired(expired) => self.ended(seq, record, expired.lease, true),
            Event::ChangeSubmitted(submitted) => self.used(seq, record.lane, submitted),
            Event::ChangeIntended(intended) => self.intended(seq, intended),
            Event::ChangeLanded(landed) => self.landed(seq, landed.change, changes.get(landed.change)),
            Event::LaneDied(_) => {
                let asked = record.lane.and_then(|lane| self.since_death.remove(&lane)).unwrap_or_default();
                for id in asked {
                    let lease = &mut self.leases[id.0 as usize];
                    if lease.stage == Stage::Waiting {
                        lease.orphaned = true;
                        self.leave_line(id);
                    }
                }
            }
            _ => {}
        }
    }

    fn requested(&mut self, seq: u64, record: &Record, asked: &LeaseRequested) {
        let number = self.leases.len();
        let ascending = asked.resources.is_sorted_by(|a, b| a < b) && !asked.resources.is_empty();
        let known = asked.resources.iter().all(|resource| self.patterns.known(*resource));
        self.lock_3.claim(asked.lease.0 as usize == number && ascending && known, || {
            format!("record {seq}: the request is not number {number}, or names resources out of order or unknown")
        });
        if asked.lease.0 as usize != number {
            return;
        }
        for resource in &asked.resources {
            self.waiting.entry(*resource).or_default().insert(asked.lease.0);
        }
        if let Some(lane) = record.lane {
            self.since_death.entry(lane).or_default().push(asked.lease);
        }
        self.queue.insert(asked.lease.0);
        self.by_change.insert(asked.change, asked.lease);
        self.leases.push(Lease {
            lane: record.lane,
            change: asked.change,
            ttl_us: asked.ttl_us,
            resources: asked.resources.clone(),
            stage: Stage::Waiting,
            fence: None,
            raised: false,
            granted_us: 0,
            taken: None,
            orphaned: false,
        });
    }

    fn granted(&mut self, seq: u64, record: &Record, granted: &LeaseGranted) {
        let id = granted.lease;
        let Some(lease) = self.leases.get(id.0 as usize) else {
            return self.lock_1.breaks(|| format!("record {seq}: lease {} was never asked for", id.0));
        };
        let fits = lease.stage == Stage::Waiting && lease.is_of(record) && granted.until_us >= record.t_us;
        // A live run decides a moment before it records; a simulated one has no such moment.
        let until_us = record.t_us.saturating_add(lease.ttl_us);
        let asked = if self.live_world { granted.until_us <= until_us } else { granted.until_us == until_us };
        self.lock_1.claim(asked, || {
            format!("record {seq}: lease {} is granted until {}, which is not what was asked", id.0, granted.until_us)
        });
        self.lock_1.claim(fits, || {
            format!("record {seq}: lease {} does not wait, is another lane's, or is over when it begins", id.0)
        });
        self.lock_2.claim(granted.fence > self.last_grant, || {
            format!("record {seq}: fence {} does not grow from {}", granted.fence.0, self.last_grant.0)
        });
        let resources = lease.resources.clone();
        self.sweep(seq, id, &resources);
        self.overtaken(seq, id, &resources);
        self.last_grant = self.last_grant.max(granted.fence);
        self.queue.remove(&id.0);
        self.leave_line(id);
        for resource in resources {
            self.live.insert(resource, id);
        }
        let lease = &mut self.leases[id.0 as usize];
        lease.stage = Stage::Live { until_us: granted.until_us };
        lease.fence = Some(granted.fence);
        lease.granted_us = record.t_us;
    }

    /// LOCK-1: no resource of the new lease, and none that overlaps with one, is held.
    fn sweep(&mut self, seq: u64, id: LeaseId, resources: &[ResourceId]) {
        let mut touched = resources.iter().flat_map(|resource| self.patterns.touched_by(*resource));
        let holder = touched.find_map(|resource| self.live.get(&resource));
        self.lock_1.claim(holder.is_none(), || {
            format!(
                "record {seq}: lease {} is granted while lease {} lives on overlapping resources",
                id.0,
                holder.map_or(0, |h| h.0)
            )
        });
    }

    /// LOCK-3: nobody who asked earlier for something that overlaps is still waiting.
    fn overtaken(&mut self, seq: u64, id: LeaseId, resources: &[ResourceId]) {
        let touched = resources.iter().flat_map(|resource| self.patterns.touched_by(*resource));
        let mut earlier =
            touched.flat_map(|resource| self.waiting.get(&resource).into_iter().flat_map(|line| line.range(..id.0)));
        let overtaken = earlier.next();
        self.lock_3.claim(overtaken.is_none(), || {
            format!("record {seq}: lease {} overtakes lease {}, which waits", id.0, overtaken.map_or(0, |n| *n))
        });
    }

    fn leave_line(&mut self, id: LeaseId) {
        for resource in &self.leases[id.0 as usize].resources {
            if let Some(line) = self.waiting.get_mut(resource) {
                line.remove(&id.0);
            }
        }
    }

    /// What is taken from its holder is live, and its fence is newer than every other.
    fn taken_away(&mut self, seq: u64, record: &Record, id: LeaseId, fence: Fence) {
        let last = self.last_grant;
        let lease = self.leases.get_mut(id.0 as usize).filter(|lease| matches!(lease.stage, Stage::Live { .. }));
        self.lock_2.claim(lease.is_some() && fence > last, || {
            format!("record {seq}: lease {} is taken from nobody, or under fence {} after {}", id.0, fence.0, last.0)
        });
        self.last_grant = last.max(fence);
        if let Some(lease) = lease {
            lease.taken = Some(Taken { fence, raised: false, t_us: record.t_us });
        }
    }

    fn ended(&mut self, seq: u64, record: &Record, id: LeaseId, expired: bool) {
        let Some(lease) = self.leases.get(id.0 as usize) else {
            return self.lock_1.breaks(|| format!("record {seq}: lease {} was never asked for", id.0));
        };
        let allowed = match lease.stage {
            Stage::Waiting => !expired,
            Stage::Live { until_us } => !expired || record.t_us >= until_us,
            Stage::Ended => false,
        };
        self.lock_1.claim(allowed && lease.is_of(record), || {
            format!("record {seq}: lease {} ends too early, a second time, or by another lane", id.0)
        });
        self.queue.remove(&id.0);
        self.leave_line(id);
        let lease = &mut self.leases[id.0 as usize];
        lease.stage = Stage::Ended;
        for resource in &lease.resources {
            if self.live.get(resource) == Some(&id) {
                self.live.remove(resource);
            }
        }
    }

    /// The fence stands at the lease's resources and at all that overlap, and nowhere goes down. A
    /// restarted merger may raise the same fence again.
    fn raised(&mut self, seq: u64, record: &Record, raised: &FenceRaised) {
        self.fences = Some(raised.fences);
        let Some(lease) = self.leases.get_mut(raised.lease.0 as usize) else {
            return self.lock_2.breaks(|| format!("record {seq}: lease {} was never asked for", raised.lease.0));
        };
        let taken = lease.taken.as_mut().filter(|taken| taken.fence == raised.fence);
        let (fence, again, since_us) = match taken {
            Some(taken) => (Some(taken.fence), std::mem::replace(&mut taken.raised, true), taken.t_us),
            None => (lease.fence, std::mem::replace(&mut lease.raised, true), lease.granted_us),
        };
        // What a restart lost is asked for again, of whatever was granted until then.
        let slack_us = if self.live_world { RAISE_SLACK_US } else { 0 };
        let anew = self.restarted_us.is_some_and(|us| us.saturating_add(slack_us) >= since_us);
        let expected: BTreeSet<ResourceId> =
            lease.resources.iter().flat_map(|resource| self.patterns.touched_by(*resource)).collect();
        let of_lease = fence == Some(raised.fence) && lease.is_of(record);
        let exact = of_lease && (!again || anew) && expected.iter().eq(&raised.resources);
        self.lock_2.claim(exact, || {
            format!("record {seq}: the raise is not the grant's, or is not at exactly the lease's resources and all that overlap")
        });
        let overtaken = self.leases.iter().position(|lease| {
            let unraised = lease.taken.is_some_and(|taken| !taken.raised && taken.fence < raised.fence);
            unraised && lease.resources.iter().any(|resource| expected.contains(resource))
        });
        self.lock_2.claim(overtaken.is_none(), || {
            let former = overtaken.unwrap_or_default();
            format!("record {seq}: the fence is raised before the one that shuts out the holder of lease {former}")
        });
        for resource in expected {
            let newest = self.newest.entry(resource).or_default();
            self.lock_2.claim(raised.fence >= *newest, || {
                format!("record {seq}: the fence at resource {} goes down to {}", resource.0, raised.fence.0)
            });
            *newest = raised.fence.max(*newest);
        }
        let text = fences_text(&self.fences_by_pattern(None));
        let named = object_name(&text, raised.fences.as_bytes().len());
        self.lock_2.claim(named.as_slice() == raised.fences.as_bytes(), || {
            format!("record {seq}: {} is not the name of what holds the newest fences", raised.fences)
        });
    }

    /// A refusal for want of a lease, or of its fence, is as the journal has it.
    fn refused(&mut self, seq: u64, refused: &ChangeRefused, change: Option<&Change>) {
        let Some(submitted) = change.map(|change| &change.submitted) else { return };
        let lease = submitted.lease.and_then(|lease| self.leases.get(lease.0 as usize));
        let held: &[ResourceId] = lease.map_or(&[], |lease| &lease.resources);
        let fits = match refused.reason {
            RefuseReason::StaleFence => held.iter().any(|held| self.newest.get(held) > submitted.fence.as_ref()),
            // A restarted merger may not know any more what a lease held.
            RefuseReason::NoLease => touched(submitted).any(|path| {
                let covering = self.patterns.covering(path);
                covering.iter().any(|resource| self.restarted_us.is_some() || !held.contains(resource))
            }),
            _ => return,
        };
        self.lock_2.claim(fits, || {
            format!("record {seq}: {} is refused as {:?}, and its fence stands", refused.change, refused.reason)
        });
    }

    fn used(&mut self, seq: u64, lane: Option<LaneId>, submitted: &ChangeSubmitted) {
        let (Some(id), id_of_change) = (submitted.lease, submitted.change) else {
            if submitted.fence.is_some() {
                self.lock_2.breaks(|| format!("record {seq}: a fence without a lease"));
            }
            return;
        };
        let fits = self.leases.get(id.0 as usize).is_some_and(|lease| {
            let own = lease.lane == lane && lease.change == id_of_change;
            own && lease.raised && lease.fence.is_some() && lease.fence == submitted.fence
        });
        self.lock_2.claim(fits, || {
            format!("record {seq}: {id_of_change} uses lease {} before its fence was raised, or another's", id.0)
        });
    }

    fn intended(&mut self, seq: u64, intended: &ChangeIntended) {
        if intended.fences.is_none() && self.fences.is_none() {
            return;
        }
        self.lock_2.claim(intended.fences == self.fences, || {
            format!("record {seq}: {} is intended against fences that are not the newest", intended.change)
        });
    }

    /// A landing holds every resource that it touches, under a fence that nobody has overtaken.
    pub(crate) fn landed(&mut self, seq: u64, id: ChangeId, change: Option<&Change>) {
        let Some(submitted) = change.map(|change| &change.submitted) else {
            return;
        };
        let lease = submitted.lease.and_then(|lease| self.leases.get(lease.0 as usize));
        let held: &[ResourceId] = lease.map_or(&[], |lease| &lease.resources);
        let overtaken = held.iter().find(|held| self.newest.get(held) > submitted.fence.as_ref());
        if lease.is_some() {
            self.lock_2.claim(overtaken.is_none(), || format!("record {seq}: {id} landed with a stale fence"));
        }
        for path in touched(submitted) {
            let covering = self.patterns.covering(path);
            if !covering.is_empty() {
                self.lock_2.claim(covering.iter().any(|resource| held.contains(resource)), || {
                    format!("record {seq}: {id} landed and changes {path}, a leased resource, without a lease for it")
                });
            }
        }
    }

    /// The fences' ref against the journal. Where a run was cut short it may be one raise ahead: a lease that is
    /// granted, and whose raise has no record yet.
    pub(crate) fn compare_ref(&mut self, found: Option<Oid>, text: Option<&str>, cut_short: bool) {
        if self.fences.is_none() && found.is_none() {
            return;
        }
        self.lock_2.checked();
        if found == self.fences {
            let fits = text == Some(fences_text(&self.fences_by_pattern(None)).as_str());
            return self.lock_2.claim(fits, || "refs/baton/fences does not hold the newest fences on record".into());
        }
        if cut_short && text.is_some_and(|text| self.one_ahead(text)) {
            self.lock_2.doubts(|| "a granted lease has no raise on record, and the fences' ref has moved on".into());
        } else {
            self.lock_2.breaks(|| "refs/baton/fences does not point to the last raise on record".into());
        }
    }

    /// The newest fence of every pattern that has one, after one more raise.
    fn fences_by_pattern(&self, ahead: Option<(&Lease, Fence)>) -> BTreeMap<&str, Fence> {
        let raised = ahead.into_iter().flat_map(|(lease, fence)| {
            let touched = lease.resources.iter().flat_map(|resource| self.patterns.touched_by(*resource));
            touched.map(move |resource| (resource, fence))
        });
        let mut newest = BTreeMap::new();
        for (resource, fence) in self.newest.iter().map(|(resource, fence)| (*resource, *fence)).chain(raised) {
            let entry = newest.entry(self.patterns.text(resource)).or_insert(fence);
            *entry = fence.max(*entry);
        }
        newest
    }

    /// Whether `text` is what the raise of one granted lease would leave that has none on record.
    fn one_ahead(&self, text: &str) -> bool {
        let granted = self.leases.iter().filter(|lease| !lease.raised).filter_map(|lease| Some((lease, lease.fence?)));
        let taken =
            self.leases.iter().filter_map(|lease| Some((lease, lease.taken.filter(|taken| !taken.raised)?.fence)));
        let mut last = granted.chain(taken).take(RAISES_AHEAD_MAX);
        last.any(|ahead| fences_text(&self.fences_by_pattern(Some(ahead))) == text)
    }

    /// The first request in line that nobody before it and no live lease keeps from its grant: the
    /// supervisor grants it in the same breath in which that becomes so.
    pub(crate) fn grantable(&self) -> Option<(LeaseId, Option<LaneId>, TaskId)> {
        let mut taken: BTreeSet<ResourceId> = BTreeSet::new();
        for number in &self.queue {
            let lease = &self.leases[*number as usize];
            let mut touched = lease.resources.iter().flat_map(|resource| self.patterns.touched_by(*resource));
            if !touched.any(|resource| self.live.contains_key(&resource) || taken.contains(&resource)) {
                return Some((LeaseId(*number), lease.lane, lease.change.task()));
            }
            taken.extend(&lease.resources);
        }
        None
    }

    /// What a lane waits for.
    pub(crate) fn waiting_of(&self, lane: LaneId) -> Option<(LeaseId, TaskId)> {
        let mut waiting = self.queue.iter().map(|number| (LeaseId(*number), &self.leases[*number as usize]));
        waiting.find(|(_, lease)| lease.lane == Some(lane)).map(|(id, lease)| (id, lease.change.task()))
    }

    /// What a lane holds, also of a former life, in the order of the grants.
    pub(crate) fn held_by(&self, lane: LaneId) -> Vec<(LeaseId, TaskId)> {
        let live: BTreeSet<LeaseId> = self.live.values().copied().collect();
        let of_lane = |id: &&LeaseId| self.leases[id.0 as usize].lane == Some(lane);
        let mut held: Vec<LeaseId> = live.iter().filter(of_lane).copied().collect();
        held.sort_unstable_by_key(|id| self.leases[id.0 as usize].fence);
        held.into_iter().map(|id| (id, self.leases[id.0 as usize].change.task())).collect()
    }

    /// What a change holds or waits for.
    pub(crate) fn of_change(&self, change: ChangeId) -> Option<LeaseId> {
        let id = *self.by_change.get(&change)?;
        self.leases.get(id.0 as usize).filter(|lease| lease.stage != Stage::Ended).map(|_| id)
    }

    /// LOCK-1, LOCK-2 and LOCK-3, when the journal is read.
    pub(crate) fn judge(mut self, reason: Option<StopReason>) -> [Judgement; 3] {
        let waits = |lease: &&Lease| lease.stage == Stage::Waiting && !lease.orphaned;
        let waiting = self.leases.iter().filter(waits).count();
        if waiting > 0 && ends_without_waiting(reason) {
            self.lock_3.breaks(|| format!("{waiting} lease requests still wait though the run is over"));
        } else if waiting > 0 {
            self.lock_3.open(|| format!("{waiting} lease requests wait"));
        }
        let leases = self.leases.len();
        self.lock_1.note(format!("{leases} leases, none beside an overlapping one"));
        self.lock_2.note(format!("{leases} leases, each fence newer than the last"));
        [self.lock_1, self.lock_2, self.lock_3]
    }
}

fn touched(submitted: &ChangeSubmitted) -> impl Iterator<Item = &String> {
    submitted.updates.iter().flat_map(|update| std::iter::once(&update.path).chain(&update.from))
}

/// The name that git gives to a blob, in the hash format of this many bytes.
fn object_name(text: &str, len: usize) -> Vec<u8> {
    let object = format!("blob {}\0{text}", text.len());
    if len == 20 { Sha1::digest(&object).to_vec() } else { Sha256::digest(&object).to_vec() }
}

/// The form of the blob at `refs/baton/fences`.
fn fences_text(fences: &BTreeMap<&str, Fence>) -> String {
    let mut text = String::from("baton-fences 1\n");
    for (pattern, fence) in fences {
        text += &format!("{} {pattern}\n", fence.0);
    }
    text
}

/// The ends of a run at which a request that still waits was forgotten: nobody is left to answer it.
pub(crate) fn ends_without_waiting(reason: Option<StopReason>) -> bool {
    matches!(reason, Some(StopReason::TasksEnded | StopReason::Stuck))
}
