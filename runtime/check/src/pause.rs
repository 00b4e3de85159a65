//! Owns STOP-2: between the acknowledgement of a pause and the resume nobody starts an effect, and
//! epochs count up by one.
//!
//! An effect is what reaches out: a call (`EffectIntended`), a move of main (`ChangeIntended`,
//! `ChangeLanded`) and a file written to main (`FileWritten`). Messages and bookkeeping go on:
//! submissions, requests, grants of leases and slots, the raise that belongs to a grant, gates in
//! flight. A restarted merger may also find, during a pause, a landing that was intended before it.
//! Deliberately does not know whose command it was.

use crate::report::Judgement;
use baton_record::line::Record;
use baton_record::{ChangeId, Epoch, Event, LaneId};
use std::collections::BTreeSet;

/// The pauses of a run.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    epoch: Epoch,
    acknowledged: bool,
    /// The row that was intended last before the acknowledgement.
    intended: Vec<ChangeId>,
    lanes: u32,
    dead: BTreeSet<LaneId>,
    pub(crate) stop_2: Judgement,
}

impl Pauses {
    /// Whether a pause is in force.
    pub(crate) fn is_paused(&self) -> bool {
        self.epoch.paused()
    }

    pub(crate) fn see(&mut self, seq: u64, record: &Record) {
        match &record.event {
            Event::LaneJoined(_) => self.lanes = self.lanes.saturating_add(1),
            Event::LaneDied(_) => self.dead.extend(record.lane),
            Event::LaneRestarted(_) => {
                record.lane.map(|lane| self.dead.remove(&lane));
            }
            Event::PauseRequested(asked) => self.turn(seq, asked.epoch, true),
            Event::Resumed(resumed) => self.turn(seq, resumed.epoch, false),
            Event::PauseAcknowledged(acknowledged) => {
                let fits = acknowledged.epoch == self.epoch && self.epoch.paused() && !self.acknowledged;
                let alive = u64::from(self.lanes).checked_sub(self.dead.len() as u64);
                let whole = Some(u64::from(acknowledged.lanes)) == alive && self.dead.iter().eq(&acknowledged.gone);
                self.stop_2.claim(fits && whole, || {
                    format!("record {seq}: an acknowledgement that fits no pause, or is not by every lane that lives")
                });
                self.acknowledged = true;
            }
            Event::ChangeIntended(intended) if !self.acknowledged => {
                if intended.behind.is_none() {
                    self.intended.clear();
                }
                self.intended.push(intended.change);
            }
            Event::ChangeLanded(landed) if landed.fault.is_some() && self.intended.contains(&landed.change) => {}
            Event::EffectIntended(_)
            | Event::CallAdmitted(_)
            | Event::ChangeIntended(_)
            | Event::ChangeLanded(_)
            | Event::FileWritten(_) => {
                let paused = self.acknowledged;
                if paused {
                    self.stop_2.breaks(|| format!("record {seq}: an effect starts after the pause was acknowledged"));
                }
            }
            _ => {}
        }
    }

    fn turn(&mut self, seq: u64, epoch: Epoch, pause: bool) {
        let due = self.epoch.0.checked_add(1).map(Epoch);
        self.stop_2.claim(Some(epoch) == due && epoch.paused() == pause, || {
            format!("record {seq}: epoch {} does not follow epoch {}", epoch.0, self.epoch.0)
        });
        self.epoch = epoch;
        self.acknowledged = false;
    }
}
