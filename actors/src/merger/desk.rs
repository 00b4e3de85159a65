//! The desk at which refs are moved, one after another: main by landings, fences by grants.
//!
//! A landing takes the desk before it writes down its intention and leaves it after its outcome is written; a grant takes
//! it for one move. So whatever the journal says about refs, it says in the order in which it happened.

use super::{FencesMoved, MainMoved, Merger, RaiseFence};
use crate::failure::Failure;
use crate::supervisor::{FenceStands, StopRun};
use actix::{AsyncContext, Context};
use baton_core::Fact;
use baton_record::event::{FenceRaised, ForeignPush, StopReason};
use baton_record::{Event, Oid, ResourceId};
use baton_world::ClockKind;
use baton_world::git::{GitError, RefMoved};
use std::collections::VecDeque;
use tokio::task::JoinHandle;

/// What a tried move came to.
pub(super) type Moved<T> = Result<Result<T, RefMoved>, GitError>;

/// Who stands at the desk, and who waits for it.
#[derive(Debug, Default)]
pub(super) struct Desk {
    occupied: bool,
    waiting: VecDeque<RaiseFence>,
    /// In `live`: jobs in the blocking pool, to be waited for by a merger that restarts.
    pub(super) jobs: Vec<JoinHandle<()>>,
}

impl Desk {
    pub(super) fn busy(&self) -> bool {
        self.occupied
    }

    /// For a landing. False: somebody else stands there.
    pub(super) fn occupy(&mut self) -> bool {
        !std::mem::replace(&mut self.occupied, true)
    }
}

impl Merger {
    pub(super) fn on_raise_fence(&mut self, raise: RaiseFence, ctx: &mut Context<Merger>) {
        if self.quiet {
            // The run's last record is on its way: no ref moves any more.
            return;
        }
        self.leases.insert(raise.lease, raise.holds.clone());
        self.desk.waiting.push_back(raise);
        self.serve_desk(ctx);
    }

    /// Serves the first grant that waits, or lets a landing that waits begin.
    pub(super) fn serve_desk(&mut self, ctx: &mut Context<Merger>) {
        if self.desk.occupied || self.foreign {
            return;
        }
        if let Some(raise) = self.desk.waiting.pop_front() {
            self.desk.occupied = true;
            self.move_fences(raise, ctx);
        } else {
            self.intend(ctx);
        }
    }

    pub(super) fn leave_desk(&mut self, ctx: &mut Context<Merger>) {
        self.desk.occupied = false;
        self.serve_desk(ctx);
    }

    fn move_fences(&mut self, raise: RaiseFence, ctx: &mut Context<Merger>) {
        let ground = self.ground.clone();
        let life = self.life;
        self.off_the_actor(ctx, 1, move || {
            let moved = (|| {
                let expected = ground.repository.fences_ref()?;
                let mut fences = ground.repository.fences()?;
                let pattern = |resource: &ResourceId| &ground.team.leases[resource.0 as usize].resource;
                // What was asked for twice may come after what was asked for later.
                if raise.raises.iter().any(|resource| fences.get(pattern(resource)) > Some(raise.fence)) {
                    return Ok(Ok(None));
                }
                for resource in &raise.raises {
                    fences.raise(pattern(resource), raise.fence)?;
                }
                Ok(ground.repository.raise_fence(expected, &fences)?.map(Some))
            })();
            FencesMoved { life, raise, moved }
        });
    }

    pub(super) fn on_fences_moved(&mut self, done: FencesMoved, ctx: &mut Context<Merger>) {
        let FencesMoved { life, raise, moved } = done;
        if life != self.life {
            return;
        }
        match moved {
            Ok(Ok(None)) => {
                self.leave_desk(ctx);
                self.try_again(ctx);
            }
            Ok(Ok(Some(fences))) => {
                let RaiseFence { lease, fence, raises: resources, about: (lane, task), .. } = raise;
                let raised = FenceRaised { lease, fence, resources, fences };
                let supervisor = self.directory().supervisor().clone();
                let stands = FenceStands(raised.clone());
                let fact = Fact::of(lane, task, Event::FenceRaised(raised));
                self.commit(vec![fact], move || supervisor.do_send(stands));
                self.leave_desk(ctx);
                self.try_again(ctx);
            }
            Ok(Err(refusal)) => self.meet_foreign(refusal.found),
            Err(error) => self.give_up(error),
        }
    }

    /// Runs a job on the blocking pool in `live`, inline in `sim`; its result comes back as a message either way, in
    /// `sim` after a seeded latency for each of the `steps` that git takes in it.
    pub(super) fn off_the_actor<M>(
        &mut self,
        ctx: &mut Context<Merger>,
        steps: usize,
        job: impl FnOnce() -> M + Send + 'static,
    ) where
        M: actix::Message<Result = ()> + Send + 'static,
        Merger: actix::Handler<M>,
    {
        let address = ctx.address();
        match self.ground.clock.kind() {
            ClockKind::Virtual => {
                let result = job();
                let us = self.git_latency_us(steps);
                ctx.notify_later(result, std::time::Duration::from_micros(us));
            }
            ClockKind::Real => {
                self.desk.jobs.retain(|job| !job.is_finished());
                self.desk.jobs.push(tokio::task::spawn_blocking(move || address.do_send(job())));
            }
        }
    }

    /// Somebody else has moved main or the fences: write it down, land nothing more, end the run.
    pub(super) fn meet_foreign(&mut self, found: Option<Oid>) {
        self.foreign = true;
        self.desk.occupied = false;
        self.current = None;
        let fault = self.ground.chaos.foreign_push();
        let event = Event::ForeignPush(ForeignPush { expected: self.head, found, fault });
        let supervisor = self.directory().supervisor().clone();
        self.commit(vec![Fact::of_run(event)], move || supervisor.do_send(StopRun(StopReason::ForeignPush)));
    }

    /// The repository cannot be read or written (a full disk, a damaged object): nothing can land.
    pub(super) fn give_up(&mut self, error: GitError) {
        self.fail(Failure::Repository(error));
    }

    /// Nothing can land any more.
    pub(super) fn fail(&mut self, failure: Failure) {
        self.foreign = true;
        self.desk.occupied = false;
        self.directory().fail(failure);
    }
}

impl MainMoved {
    pub(super) fn new(life: u32, moved: Moved<()>) -> MainMoved {
        MainMoved { life, moved }
    }
}
