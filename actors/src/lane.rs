//! A lane: one running instance of a role. It takes a task, thinks, makes a change, submits it, and begins again.
//!
//! Generic: what its role is and what it thinks come from the team and from its script. It owns nothing that others
//! read: tasks, leases and slots are the supervisor's, main is the merger's. It has one question open at a time; a
//! question without an answer in time is asked again, and answering twice does no harm.

mod asking;
mod attempt;
mod boundary;
mod direct;
mod handing;
mod literal;
pub(crate) mod packing;
mod reworking;
mod script;
mod stage;
mod undoing;

use crate::chaos::LaneFault;
use crate::failure::Failure;
use crate::ground::Ground;
use crate::guard::guarded;
use crate::mailbox::mailbox;
use crate::post::Leg;
use crate::recorder::Append;
use crate::roster::Doing;
use crate::supervisor::{Answer, Ask, LaneGone, PauseSeen, Want};
use crate::team::{LaneSpec, Moment};
use actix::{Actor, AsyncContext, Context, Handler};
use actix::{ActorContext, SpawnHandle};
use attempt::Attempt;
use baton_core::Fact;
use baton_record::event::{DeathReason, FaultInjected};
use baton_record::line::Actor as Writer;
use baton_record::{Epoch, Event, FaultId, LaneId};
use baton_world::git::GitError;
pub use stage::Stage;
use std::sync::Arc;
use std::time::Duration;

mailbox!(Lane {
    Answered => (), "The answer to the present question; any other is an echo and ignored.";
    Woke => (), "A wait is over.";
    ObeyPause => (), "The epoch has changed: acknowledge a pause, or go on.";
    AskAgain => (), "Whoever was asked has lost the question: ask it again now.";
    Probe => (), "A fault was armed: look whether it strikes here.";
    Perish => (), "An operator's command: die; a lane that stands still dies when it wakes.";
});

/// See the table.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Which question.
    pub ask: u32,
    /// The answer.
    pub answer: Answer,
}

/// See the table.
#[derive(Clone, Copy, Debug)]
pub struct Woke {
    /// Which wait; an older one is over for nobody.
    pub wait: u32,
}

/// See the table.
#[derive(Clone, Copy, Debug)]
pub struct ObeyPause {
    /// The epoch in force.
    pub epoch: Epoch,
}

/// See the table.
#[derive(Clone, Copy, Debug)]
pub struct AskAgain;

/// See the table.
#[derive(Clone, Copy, Debug)]
pub struct Probe;

/// See the table.
#[derive(Clone, Copy, Debug)]
pub struct Perish;

/// An actor that works on one task at a time.
#[derive(Debug)]
pub struct Lane {
    id: LaneId,
    incarnation: u32,
    ground: Ground,
    spec: Arc<LaneSpec>,
    stage: Stage,
    /// What it has let people know of that.
    shown: Doing,
    /// Boxed, as all that an idle lane has not.
    attempt: Option<Box<Attempt>>,
    ask: u32,
    open: Option<OpenQuestion>,
    wait: u32,
    waiting: Option<SpawnHandle>,
    /// While it stands still: what arrived meanwhile.
    frozen: Option<Vec<Input>>,
    /// An effect that waits for the end of a pause.
    held_back: Option<Box<Want>>,
    death: (DeathReason, Option<FaultId>),
}

#[derive(Debug)]
struct OpenQuestion {
    want: Want,
    asked_us: u64,
    times: u32,
}

#[derive(Debug)]
enum Input {
    Answer(Answered),
    Woke(Woke),
    Pause(ObeyPause),
    Perish,
}

/// Questions are numbered on through all lives of a lane, so that no late answer to a former life fits a question of this
/// one. A life has fewer, and a lane has at most 1,000 restarts.
const ASKS_PER_LIFE: u32 = 1 << 22;
/// How long a lane waits for an answer before it asks again; doubled each time, up to 16-fold.
const PATIENCE_US: u64 = 30_000_000;
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(15);

impl Lane {
    /// A lane that has never lived (`incarnation` 0) or lives again.
    pub fn new(id: LaneId, incarnation: u32, ground: Ground) -> Lane {
        let spec = ground.directory.roster().spec(id);
        Lane {
            id,
            incarnation,
            ground,
            spec,
            stage: Stage::Idle,
            shown: Doing::Idle,
            attempt: None,
            ask: incarnation.saturating_mul(ASKS_PER_LIFE),
            open: None,
            wait: 0,
            waiting: None,
            frozen: None,
            held_back: None,
            death: (DeathReason::FoundDead, None),
        }
    }

    /// Runs one input guarded; a panic is a death like any other.
    fn take(&mut self, input: Input, ctx: &mut Context<Lane>) {
        if let Some(frozen) = &mut self.frozen {
            frozen.push(input);
            return;
        }
        let worked = guarded(|| match input {
            Input::Answer(answered) => self.on_answer(answered, ctx),
            Input::Woke(woke) => self.on_woke(woke, ctx),
            Input::Pause(pause) => self.on_pause(pause, ctx),
            Input::Perish => self.die(DeathReason::Operator, None, ctx),
        });
        if let Err(panic) = worked {
            tracing::error!(lane = self.id.0, panic, "a lane panicked");
            self.die(DeathReason::Panicked, None, ctx);
        }
        self.show();
    }

    /// Lets people know what it is doing.
    fn show(&mut self) {
        let doing = self.stage.doing();
        if doing != self.shown {
            self.shown = doing;
            self.ground.directory.roster().note(self.id, doing);
        }
    }

    fn on_answer(&mut self, answered: Answered, ctx: &mut Context<Lane>) {
        if answered.ask != self.ask || self.open.is_none() {
            return;
        }
        self.open = None;
        self.proceed(answered.answer, ctx);
    }

    fn on_woke(&mut self, woke: Woke, ctx: &mut Context<Lane>) {
        if woke.wait == self.wait {
            self.waiting = None;
            self.go_on(ctx);
        }
    }

    fn on_pause(&mut self, pause: ObeyPause, ctx: &mut Context<Lane>) {
        if pause.epoch.paused() {
            let seen = PauseSeen { lane: Some(self.id), epoch: pause.epoch };
            self.ground.directory.supervisor().do_send(seen);
        } else if let Some(want) = self.held_back.take() {
            self.ask(*want, ctx);
        }
    }

    /// Asks a new question. What would start an effect is held back while a pause is in force.
    fn ask(&mut self, want: Want, ctx: &mut Context<Lane>) {
        if want.starts_effect() && self.ground.directory.epoch().paused() {
            self.held_back = Some(Box::new(want));
            return;
        }
        self.ask += 1;
        self.open = Some(OpenQuestion { want, asked_us: self.ground.clock.now_us(), times: 1 });
        self.send_question(Leg::Ask, ctx);
    }

    fn send_question(&mut self, leg: Leg, _: &mut Context<Lane>) {
        let question = self.open.as_ref().expect("only an open question is sent");
        let (lane, incarnation, ask) = (self.id, self.incarnation, self.ask);
        let directory = self.ground.directory.clone();
        match &question.want {
            Want::Landing(submission) => {
                let submission = submission.clone();
                self.ground.post.send(lane, leg, move |fault| {
                    let arrived = submission.clone().arrived(ask, fault);
                    if directory.merger_work().try_send(arrived).is_err() {
                        // Full: the lane's patience is the back-off.
                        tracing::debug!(lane = lane.0, "the merger's queue is full");
                    }
                });
            }
            want => {
                let want = want.clone();
                self.ground.post.send(lane, leg, move |fault| {
                    directory.supervisor().do_send(Ask { lane, incarnation, ask, want: want.clone(), fault });
                });
            }
        }
    }

    /// Asks again if patience is over.
    fn look(&mut self, ctx: &mut Context<Lane>) {
        if self.frozen.is_some() {
            return;
        }
        let now_us = self.ground.clock.now_us();
        let Some(question) = &mut self.open else { return };
        let patience_us = PATIENCE_US << (question.times - 1).min(4);
        if now_us.saturating_sub(question.asked_us) >= patience_us {
            question.asked_us = now_us;
            question.times += 1;
            self.send_question(Leg::Again, ctx);
        }
    }

    /// Goes on after `us`, unless something else comes first.
    fn wait_us(&mut self, us: u64, ctx: &mut Context<Lane>) {
        self.wait += 1;
        let woke = Woke { wait: self.wait };
        self.waiting = Some(ctx.notify_later(woke, Duration::from_micros(us)));
    }

    /// Looks whether a fault strikes in the present stage.
    fn expose(&mut self, ctx: &mut Context<Lane>) {
        let Some((fault, kind)) = self.ground.chaos.strike((self.id, &self.spec), &self.moments()) else { return };
        let injected = match kind {
            LaneFault::Kill => "kill",
            LaneFault::Freeze { .. } => "pause",
            LaneFault::Spoil(_) | LaneFault::IgnorePolicy => return,
        };
        let target = self.spec.name.clone();
        let event = Event::FaultInjected(FaultInjected { fault, injected: injected.to_owned(), target });
        self.ground.directory.recorder().do_send(Append::of(Writer::Run, vec![Fact::of_lane(self.id, event)]));
        match kind {
            LaneFault::Kill => self.die(DeathReason::Killed, Some(fault), ctx),
            LaneFault::Freeze { for_us } => self.freeze(for_us, ctx),
            LaneFault::Spoil(_) | LaneFault::IgnorePolicy => {}
        }
    }

    fn moments(&self) -> Vec<Moment> {
        let mut moments = Vec::new();
        if self.stage == Stage::Thinking {
            moments.push(Moment::Thinks);
        }
        if self.stage == Stage::Landing {
            moments.push(Moment::WaitsForLanding);
        }
        // Once submitted, what happens to the lane no longer changes what it does under its lease.
        let in_hand = self.attempt.as_ref().is_some_and(|attempt| attempt.lease.is_some());
        if in_hand && self.stage != Stage::Landing {
            moments.push(Moment::HoldsLease);
        }
        moments
    }

    fn freeze(&mut self, for_us: u64, ctx: &mut Context<Lane>) {
        self.frozen = Some(Vec::new());
        ctx.run_later(Duration::from_micros(for_us), Lane::thaw);
    }

    fn thaw(&mut self, ctx: &mut Context<Lane>) {
        let missed = self.frozen.take().unwrap_or_default();
        if self.stage == Stage::Leased {
            self.use_lease(ctx);
        }
        for input in missed {
            self.take(input, ctx);
        }
    }

    /// The repository cannot be used: no lane can work any more, and the run ends.
    fn give_up(&mut self, error: GitError) {
        self.fail(Failure::Repository(error));
    }

    fn fail(&mut self, failure: Failure) {
        self.stage = Stage::Dead;
        self.open = None;
        self.ground.directory.fail(failure);
    }

    fn die(&mut self, reason: DeathReason, fault: Option<FaultId>, ctx: &mut Context<Lane>) {
        self.death = (reason, fault);
        self.stage = Stage::Dead;
        self.open = None;
        ctx.stop();
    }
}

impl Actor for Lane {
    type Context = Context<Lane>;

    fn started(&mut self, ctx: &mut Context<Lane>) {
        ctx.run_interval(LOOK_EVERY, Lane::look);
        self.ground.directory.roster().note(self.id, self.shown);
        self.ask(Want::Task, ctx);
    }

    fn stopped(&mut self, _: &mut Context<Lane>) {
        let (reason, fault) = self.death;
        self.ground.directory.roster().note(self.id, Doing::Rests);
        let gone = LaneGone { lane: self.id, incarnation: self.incarnation, reason, fault };
        self.ground.directory.supervisor().do_send(gone);
    }
}

impl Handler<Answered> for Lane {
    type Result = ();
    fn handle(&mut self, answered: Answered, ctx: &mut Context<Lane>) {
        self.take(Input::Answer(answered), ctx);
    }
}

impl Handler<Woke> for Lane {
    type Result = ();
    fn handle(&mut self, woke: Woke, ctx: &mut Context<Lane>) {
        self.take(Input::Woke(woke), ctx);
    }
}

impl Handler<ObeyPause> for Lane {
    type Result = ();
    fn handle(&mut self, pause: ObeyPause, ctx: &mut Context<Lane>) {
        self.take(Input::Pause(pause), ctx);
    }
}

impl Handler<AskAgain> for Lane {
    type Result = ();
    fn handle(&mut self, _: AskAgain, ctx: &mut Context<Lane>) {
        if self.frozen.is_none() && self.open.is_some() {
            self.send_question(Leg::Again, ctx);
        }
    }
}

impl Handler<Probe> for Lane {
    type Result = ();
    fn handle(&mut self, _: Probe, ctx: &mut Context<Lane>) {
        if self.frozen.is_none() {
            self.expose(ctx);
        }
    }
}

impl Handler<Perish> for Lane {
    type Result = ();
    fn handle(&mut self, _: Perish, ctx: &mut Context<Lane>) {
        self.take(Input::Perish, ctx);
    }
}
