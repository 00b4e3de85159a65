//! Pause-all: whether effects may start, and who has acknowledged.
//!
//! The epoch counts pauses and resumes; odd means paused. Knows no operator's rights and no way to reach a lane.

use crate::fact::{Fact, Refusal};
use baton_record::event::{PauseAcknowledged, PauseRequested, Resumed};
use baton_record::{Epoch, Event, LaneId};

/// The pause state of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Hash)]
pub struct Pause {
    epoch: Epoch,
    acknowledged: bool,
}

impl Pause {
    /// Nobody starts an effect from here on.
    pub fn pause(&self, by: &str, reason: &str) -> Result<Fact, Refusal> {
        if self.epoch.paused() {
            return Err(Refusal::Repeated);
        }
        let (by, reason) = (by.to_owned(), reason.to_owned());
        Ok(Fact::of_run(Event::PauseRequested(PauseRequested { epoch: self.epoch.next(), by, reason })))
    }

    /// Everybody has stopped starting effects in `epoch`: of `joined` lanes those who live, and those who are `gone` too.
    pub fn acknowledge(&self, epoch: Epoch, joined: usize, gone: Vec<LaneId>) -> Result<Fact, Refusal> {
        if epoch != self.epoch || !epoch.paused() {
            return Err(Refusal::Stale);
        }
        if self.acknowledged {
            return Err(Refusal::Repeated);
        }
        let lanes = (joined - gone.len()) as u32;
        Ok(Fact::of_run(Event::PauseAcknowledged(PauseAcknowledged { epoch, lanes, gone })))
    }

    /// Effects may start again.
    pub fn resume(&self, by: &str, reason: &str) -> Result<Fact, Refusal> {
        if !self.epoch.paused() {
            return Err(Refusal::Repeated);
        }
        let (by, reason) = (by.to_owned(), reason.to_owned());
        Ok(Fact::of_run(Event::Resumed(Resumed { epoch: self.epoch.next(), by, reason })))
    }

    /// Takes a fact about pauses into the state; any other fact changes nothing.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::PauseRequested(PauseRequested { epoch, .. }) | Event::Resumed(Resumed { epoch, .. }) => {
                assert_eq!(*epoch, self.epoch.next(), "epochs are numbered without gaps");
                self.epoch = *epoch;
                self.acknowledged = false;
            }
            Event::PauseAcknowledged(_) => self.acknowledged = true,
            _ => {}
        }
    }

    /// The present epoch.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Whether the present pause is acknowledged by everybody.
    pub fn acknowledged(&self) -> bool {
        self.acknowledged
    }
}
