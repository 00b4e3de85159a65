//! The post: carries messages between lanes and the other actors, with the latency and the faults of the scenario.
//!
//! A message is delivered, delivered late, delivered twice or lost, and the sender of an ask sees which: by an answer or
//! by none in time. Control messages (pause, death, fences) do not travel by post. Knows no message's content.

use crate::chaos::{Chaos, MailFault};
use crate::directory::Directory;
use crate::recorder::Append;
use crate::team::Latency;
use baton_core::Fact;
use baton_record::event::FaultInjected;
use baton_record::line::Actor;
use baton_record::{Event, FaultId, LaneId};
use baton_world::{Clock, Draws, Seeds};
use std::sync::{Arc, Mutex};

/// The post of a team.
#[derive(Clone, Debug)]
pub struct Post(Arc<Office>);

#[derive(Debug)]
struct Office {
    clock: Clock,
    latency: Latency,
    draws: Mutex<Draws>,
    chaos: Arc<Chaos>,
    directory: Arc<Directory>,
}

/// Which part of a conversation a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// A lane asks.
    Ask,
    /// A lane asks the same again because nothing came back.
    Again,
    /// A lane is answered.
    Answer,
}

impl Post {
    /// A post with the latency of the scenario.
    pub fn new(clock: Clock, latency: Latency, seeds: &Seeds, chaos: Arc<Chaos>, directory: Arc<Directory>) -> Post {
        let draws = Mutex::new(seeds.child("post").draws());
        Post(Arc::new(Office { clock, latency, draws, chaos, directory }))
    }

    /// Sends one message from or to `lane`. `deliver` is called on this arbiter once for each arrival, with the fault
    /// that made it come late, twice or again.
    pub fn send(&self, lane: LaneId, leg: Leg, deliver: impl Fn(Option<FaultId>) + 'static) {
        let office = &self.0;
        let cause = match leg {
            Leg::Ask => office.chaos.take_lost(lane).and(None),
            Leg::Again => office.chaos.take_lost(lane),
            Leg::Answer => None,
        };
        let struck = office.chaos.strike_mail(office.clock.now_us());
        if let Some((fault, kind)) = struck {
            self.record(lane, fault, kind);
            if kind != MailFault::Duplicate {
                office.chaos.note_lost(lane, fault);
            }
        }
        match struck {
            Some((_, MailFault::Drop)) => {}
            Some((fault, MailFault::Delay { by_us })) => self.carry(by_us, move || deliver(Some(fault))),
            Some((fault, MailFault::Duplicate)) => {
                let deliver = std::rc::Rc::new(deliver);
                let second = deliver.clone();
                self.carry(0, move || deliver(cause));
                self.carry(0, move || second(Some(fault)));
            }
            None => self.carry(0, move || deliver(cause)),
        }
    }

    fn carry(&self, extra_us: u64, deliver: impl FnOnce() + 'static) {
        let Latency { median_us, p99_us } = self.0.latency;
        let latency_us = {
            let mut draws = self.0.draws.lock().expect("nobody panics with the post's draws in hand");
            draws.latency_us(median_us, p99_us)
        };
        let clock = self.0.clock;
        actix_rt::spawn(async move {
            clock.sleep_us(latency_us.saturating_add(extra_us)).await;
            deliver();
        });
    }

    fn record(&self, lane: LaneId, fault: FaultId, kind: MailFault) {
        let injected = match kind {
            MailFault::Duplicate => "duplicate",
            MailFault::Delay { .. } => "delay",
            MailFault::Drop => "drop",
        };
        let event = FaultInjected { fault, injected: injected.to_owned(), target: "message".to_owned() };
        let fact = Fact::of_lane(lane, Event::FaultInjected(event));
        self.0.directory.recorder().do_send(Append::of(Actor::Run, vec![fact]));
    }
}
