//! The merger's own death and restart: what was intended is looked up on main, never assumed.

use super::{Die, Merger};
use crate::failure::Failure;
use crate::recorder::Append;
use crate::work_queue;
use actix::fut::WrapFuture;
use actix::{ActorContext, ActorFutureExt, AsyncContext, Context};
use baton_core::{Fact, MergeQueue};
use baton_record::event::{ActorRestarted, ChangeIntended};
use baton_record::line::Actor as Writer;
use baton_record::{Event, FaultId};
use baton_world::journal;
use std::collections::BTreeSet;

const BACK_OFF_US: u64 = 1_000_000;
/// Git's part of a step in virtual time: log-normal, this median and 99th percentile.
const GIT_US: (u64, u64) = (30_000, 200_000);

impl Merger {
    /// How long git takes in virtual time.
    pub(super) fn git_latency_us(&self) -> u64 {
        let seeds = &self.ground.team.seeds;
        let name = format!("merger/{}/{}", self.life, self.ground.clock.now_us());
        seeds.child(&name).draws().latency_us(GIT_US.0, GIT_US.1)
    }

    pub(super) fn on_die(&mut self, die: Die, ctx: &mut Context<Merger>) {
        self.die(die.0, ctx);
    }

    pub(super) fn die(&mut self, fault: Option<FaultId>, ctx: &mut Context<Merger>) {
        if self.life >= self.ground.team.caps.restarts {
            self.directory().fail(Failure::Broken("the merger was restarted too often".to_owned()));
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
        let job = self.desk.job.take();
        let recorder = self.directory().recorder().clone();
        let drained = async move {
            clock.sleep_us(wait_us).await;
            if let Some(job) = job {
                // Whether the job went well is seen at the refs.
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
        let mut intended: Option<ChangeIntended> = None;
        let (mut state, mut head) = (MergeQueue::default(), self.ground.team.base);
        let mut heads = BTreeSet::from([head]);
        let mut leases = std::collections::BTreeMap::new();
        let end = journal::fold(&self.journal, |_, record, _| {
            state.apply(&record.event);
            match record.event {
                Event::ChangeIntended(event) => intended = Some(event),
                Event::ChangeLanded(event) => {
                    head = event.main_after;
                    heads.insert(head);
                }
                Event::LeaseRequested(event) => drop(leases.insert(event.lease, event.resources)),
                Event::LeaseReleased(event) => drop(leases.remove(&event.lease)),
                _ => {}
            }
        });
        let folded = end.expect("a run's own journal can be folded").chain.next_seq;
        (self.state, self.head, self.heads, self.leases) = (state, head, heads, leases);
        self.payloads.clear();
        self.current = None;
        self.turn += 1;
        self.desk = super::Desk::default();
        let fault = self.crash.take();
        let restart = ActorRestarted { restarts: self.life, folded, fault };
        self.commit(vec![Fact::of_run(Event::ActorRestarted(restart))], || {});
        self.look_up(intended, fault);
        work_queue::pull(ctx);
        self.resume(ctx);
        self.directory().have_all_ask_again();
    }

    /// An intention without an outcome is decided by main itself.
    fn look_up(&mut self, intended: Option<ChangeIntended>, fault: Option<FaultId>) {
        let open = intended.filter(|intended| self.state.intended() == Some(intended.change));
        let found = match self.ground.repository.main() {
            Ok(found) => found,
            Err(error) => return self.give_up(error),
        };
        match open {
            Some(open) if found == Some(open.main_after) => {
                self.landed(open.change, (open.main_before, open.main_after), fault);
            }
            _ if found == Some(self.head) => {}
            _ => self.meet_foreign(found),
        }
    }
}
