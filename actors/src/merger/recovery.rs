//! The merger's own death and restart: what was intended is looked up on main, never assumed.

use super::row::PLAN;
use super::{Die, Merger};
use crate::consent::Consent;
use crate::failure::Failure;
use crate::recorder::Append;
use crate::supervisor::{FenceStands, MergerBack};
use crate::unmerged::NewestUnmerged;
use crate::work_queue;
use actix::fut::WrapFuture;
use actix::{ActorContext, ActorFutureExt, AsyncContext, Context};
use baton_core::advance::{Advance, Answer, Outcome, Standing, Step};
use baton_core::batch::BatchLimit;
use baton_core::{Fact, MergeQueue};
use baton_record::event::{ActorRestarted, ChangeIntended, FenceRaised, RefuseReason};
use baton_record::line::{Actor as Writer, Record};
use baton_record::{ChangeId, Event, FaultId, Fence, LaneId, LeaseId, Oid, ResourceId, TaskId};
use baton_world::git::GitError;
use baton_world::journal;
use std::collections::BTreeMap;
use std::sync::Arc;

const BACK_OFF_US: u64 = 1_000_000;
/// Git's part of a step in virtual time: log-normal, this median and 99th percentile.
const GIT_US: (u64, u64) = (30_000, 200_000);

impl Merger {
    /// How long git takes for so many steps in virtual time.
    pub(super) fn git_latency_us(&self, steps: usize) -> u64 {
        let seeds = &self.ground.team.seeds;
        let name = format!("merger/{}/{}", self.life, self.ground.clock.now_us());
        let mut draws = seeds.child(&name).draws();
        (0..steps).map(|_| draws.latency_us(GIT_US.0, GIT_US.1)).sum()
    }

    pub(super) fn on_die(&mut self, die: Die, ctx: &mut Context<Merger>) {
        self.die(die.0, ctx);
    }

    pub(super) fn die(&mut self, fault: Option<FaultId>, ctx: &mut Context<Merger>) {
        if self.life >= self.ground.team.caps.restarts {
            self.directory().fail(Failure::Restarts("merger", self.life));
            return;
        }
        self.crash = fault;
        ctx.stop();
    }

    /// Waits for the back-off, for a move that may still be under way, and for the recorder to drain; then folds.
    pub(super) fn restart(&mut self, ctx: &mut Context<Merger>) {
        let clock = self.ground.clock;
        let wait_us = BACK_OFF_US << self.life.min(6);
        self.life += 1;
        let jobs = std::mem::take(&mut self.desk.jobs);
        let recorder = self.directory().recorder().clone();
        let directory = self.directory().clone();
        let drained = async move {
            directory.back_off(clock, wait_us).await;
            for job in jobs {
                // Whether a job went well is seen at the refs.
                drop(job.await);
            }
            let (sender, receiver) = tokio::sync::oneshot::channel();
            recorder.do_send(Append::then(Writer::Merger, Vec::new(), move || {
                let _ = sender.send(());
            }));
            drop(receiver.await);
        };
        ctx.wait(drained.into_actor(self).map(|(), merger, ctx| {
            merger.work(ctx, Merger::recover);
        }));
    }

    fn recover(&mut self, ctx: &mut Context<Merger>) {
        let mut intended: Vec<ChangeIntended> = Vec::new();
        let (mut state, mut head) = (MergeQueue::default(), self.ground.team.base);
        let mut heads = BTreeMap::from([(head, 0)]);
        let mut leases = BTreeMap::new();
        let mut fences = FoldedFences::default();
        let mut owners = BTreeMap::new();
        let (mut packets, mut unmerged) = (BTreeMap::new(), NewestUnmerged::default());
        let (mut authors, mut consent, mut unapproved) = (BTreeMap::new(), Consent::default(), BTreeMap::new());
        let mut landed = Vec::new();
        let end = journal::fold(&self.journal, |_, record, _| {
            state.apply(&record.event);
            consent.take(record.task, &record.event);
            fences.take(&record);
            unmerged.take(&record.event);
            if let (Event::ChangeSubmitted(submitted), Some(lane)) = (&record.event, record.lane) {
                owners.insert(submitted.change, lane);
                authors.insert(submitted.change, self.author_of(lane, submitted));
                packets.extend(submitted.packet.clone().map(|packet| (submitted.change, packet)));
            }
            match record.event {
                Event::ChangeIntended(event) => {
                    if event.behind.is_none() {
                        intended.clear();
                    }
                    intended.push(event);
                }
                Event::ChangeLanded(event) => {
                    head = event.main_after;
                    landed.push((event.change, (event.main_before, event.main_after)));
                    // In the middle of a row main was never.
                    if state.intended().next().is_none() {
                        heads.insert(head, landed.len());
                    }
                }
                Event::ChangeRefused(event) if event.reason == RefuseReason::NotApproved => {
                    unapproved.insert(event.change, (event.paths, event.undoes));
                }
                Event::LeaseRequested(event) => drop(leases.insert(event.lease, event.resources)),
                // Whoever a lease was taken from may still submit under it: it is shut out by the fence of what it held.
                Event::LeaseReleased(event) if event.fence.is_none() => drop(leases.remove(&event.lease)),
                _ => {}
            }
        });
        let folded = end.expect("a run's own journal can be folded").chain.next_seq;
        (self.state, self.head, self.heads, self.leases) = (state, head, heads, leases);
        (self.authors, self.consent, self.unapproved) = (authors, consent, unapproved);
        (self.packets, self.unmerged) = (Arc::new(packets), unmerged);
        self.authorship = Arc::default();
        self.payloads.clear();
        owners.retain(|change, _| self.state.waiting().any(|waiting| waiting == *change));
        self.owners = owners;
        self.landings = landed.len();
        self.limit = BatchLimit::new(self.ground.team.caps.row);
        self.drop_row();
        self.desk = super::Desk::default();
        let fault = self.crash.take();
        let restart = ActorRestarted { restarts: self.life, folded, fault };
        self.commit(vec![Fact::of_run(Event::ActorRestarted(restart))], || {});
        for step in landed {
            if let Err(failure) = self.recall(step) {
                return self.fail(failure);
            }
        }
        self.look_up(&intended, fault);
        self.authors.retain(|change, _| self.owners.contains_key(change));
        self.look_up_fences(&fences);
        work_queue::pull(ctx);
        self.resume(ctx);
        self.directory().have_all_ask_again();
    }

    /// What a step of main did is remembered as its author's.
    fn recall(&mut self, (change, step): (ChangeId, (Oid, Oid))) -> Result<(), Failure> {
        let moved = self.moved_by_step(step)?;
        self.remember(change, &moved);
        Ok(())
    }

    /// A row that was intended and has no outcome is decided by main itself: it has gone over all of it, or over nothing.
    fn look_up(&mut self, intended: &[ChangeIntended], fault: Option<FaultId>) {
        let open: Vec<ChangeId> = self.state.intended().collect();
        let step = |event: &ChangeIntended| (event.change, (event.main_before, event.main_after));
        let steps: Vec<_> = intended.iter().filter(|event| open.contains(&event.change)).map(step).collect();
        let found = match self.ground.repository.main() {
            Ok(found) => found,
            Err(error) => return self.give_up(error),
        };
        let mut way = Advance::resume(PLAN);
        let after = steps.last().map(|(_, (_, after))| *after);
        way.learn(Answer::At(match found {
            Some(main) if main == self.head => Standing::Before,
            Some(main) if Some(main) == after => Standing::After,
            Some(_) => Standing::Elsewhere,
            None => Standing::Gone,
        }));
        match way.step() {
            Step::Write(Outcome::Landed) => match steps.iter().try_for_each(|step| self.recall(*step)) {
                Ok(()) => self.landed(&steps, None, fault),
                Err(failure) => self.fail(failure),
            },
            Step::Write(Outcome::Forgotten(_)) => {}
            _ => self.meet_foreign(found),
        }
    }

    /// A fence that was raised and not written down is written down now; grants whose raise was lost are asked for.
    fn look_up_fences(&mut self, folded: &FoldedFences) {
        let supervisor = self.directory().supervisor().clone();
        let unwritten = match self.unwritten_fence(folded) {
            Ok(unwritten) => unwritten,
            Err(error) => return self.give_up(error),
        };
        let stands = unwritten.as_ref().map(|(_, raised)| FenceStands(raised.clone()));
        let facts = unwritten.map(|((lane, task), raised)| Fact::of(lane, task, Event::FenceRaised(raised)));
        self.commit(facts.into_iter().collect(), move || {
            stands.into_iter().for_each(|stands| supervisor.do_send(stands));
            supervisor.do_send(MergerBack);
        });
    }

    fn unwritten_fence(&self, folded: &FoldedFences) -> Result<Option<(About, FenceRaised)>, GitError> {
        let repository = &self.ground.repository;
        let Some(fences) = repository.fences_ref()?.filter(|stands| Some(*stands) != folded.written) else {
            return Ok(None);
        };
        let standing = repository.fences()?;
        let newest = standing.iter().map(|(_, fence)| fence).max().unwrap_or_default();
        let Some((lease, about)) = folded.grants.get(&newest).copied() else { return Ok(None) };
        let rules = self.ground.team.leases.iter().enumerate();
        let raised = rules.filter(|(_, rule)| standing.get(&rule.resource) == Some(newest));
        let resources = raised.map(|(at, _)| ResourceId(at as u16)).collect();
        Ok(Some((about, FenceRaised { lease, fence: newest, resources, fences })))
    }
}

/// Lane and task of a grant.
type About = (LaneId, TaskId);

/// What the journal says about fences.
#[derive(Debug, Default)]
struct FoldedFences {
    /// Where the fences ref was last said to point.
    written: Option<Oid>,
    grants: BTreeMap<Fence, (LeaseId, About)>,
}

impl FoldedFences {
    fn take(&mut self, record: &Record) {
        match (&record.event, record.lane, record.task) {
            (Event::FenceRaised(raised), ..) => self.written = Some(raised.fences),
            (Event::LeaseGranted(grant), Some(lane), Some(task)) => {
                self.grants.insert(grant.fence, (grant.lease, (lane, task)));
            }
            (Event::LeaseReleased(end), Some(lane), Some(task)) => {
                if let Some(fence) = end.fence {
                    self.grants.insert(fence, (end.lease, (lane, task)));
                }
            }
            _ => {}
        }
    }
}
