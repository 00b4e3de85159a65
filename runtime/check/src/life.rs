//! Owns the lives of lanes and actors and the faults that are blamed: who dies was alive, who is started
//! again was dead, restarts count up, and a fault is named only after it struck. What is found against it
//! is said at LOG-2: no fold of such a journal is a state that a team was ever in.
//!
//! Deliberately does not know what anybody did in its life.

use crate::report::Judgement;
use baton_record::line::{Actor, Record};
use baton_record::{Event, FaultId, LaneId};
use std::collections::BTreeMap;

/// The words for what can strike.
const INJECTED: [&str; 8] = ["kill", "pause", "restart", "duplicate", "delay", "drop", "push", "storm"];

#[derive(Debug, Default)]
struct Life {
    dead: bool,
    restarts: u32,
}

/// How often a fault struck and was felt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: String,
    pub(crate) injected: u64,
    pub(crate) felt: u64,
}

/// All lives of a run.
#[derive(Debug, Default)]
pub(crate) struct Lives {
    lanes: BTreeMap<LaneId, Life>,
    /// By the actor's word.
    actors: BTreeMap<&'static str, u32>,
    pub(crate) faults: BTreeMap<FaultId, Fault>,
    pub(crate) log_2: Judgement,
}

impl Lives {
    pub(crate) fn see(&mut self, seq: u64, record: &Record) {
        let result = match &record.event {
            Event::LaneDied(_) => self.died(record.lane),
            Event::LaneRestarted(restarted) => self.restarted(record.lane, restarted.restarts),
            Event::ActorRestarted(restarted) if restarted.folded > seq => Err("folds records that are not there yet"),
            Event::ActorRestarted(restarted) => self.actor(record.actor, restarted.restarts),
            Event::FaultInjected(fault) => self.injected(fault.fault, &fault.injected),
            _ => Ok(()),
        };
        if let Err(why) = result {
            let who = record.actor.word();
            self.log_2.breaks(|| format!("record {seq} by {who} {why}"));
        }
        let Some(id) = record.event.felt() else { return };
        match self.faults.get_mut(&id) {
            Some(fault) => fault.felt += 1,
            None => self.log_2.breaks(|| format!("record {seq} blames fault {}, which has not struck", id.0)),
        }
    }

    fn died(&mut self, lane: Option<LaneId>) -> Result<(), &'static str> {
        let life = self.lanes.entry(lane.ok_or("tells of a death, and names no lane")?).or_default();
        if std::mem::replace(&mut life.dead, true) { Err("tells of the death of a lane that is dead") } else { Ok(()) }
    }

    fn restarted(&mut self, lane: Option<LaneId>, restarts: u32) -> Result<(), &'static str> {
        let life = self.lanes.entry(lane.ok_or("tells of a restart, and names no lane")?).or_default();
        let due = life.restarts.saturating_add(1);
        life.restarts = restarts;
        if !std::mem::replace(&mut life.dead, false) {
            return Err("starts a lane again that was not dead");
        }
        if restarts == due { Ok(()) } else { Err("counts the lane's restarts otherwise than the journal") }
    }

    fn actor(&mut self, actor: Actor, restarts: u32) -> Result<(), &'static str> {
        let count = self.actors.entry(actor.word()).or_default();
        let due = count.saturating_add(1);
        *count = restarts;
        if restarts == due { Ok(()) } else { Err("counts its restarts otherwise than the journal") }
    }

    fn injected(&mut self, id: FaultId, kind: &str) -> Result<(), &'static str> {
        let fault = self.faults.entry(id).or_default();
        fault.injected += 1;
        if fault.kind.is_empty() {
            kind.clone_into(&mut fault.kind);
        }
        if fault.kind != kind || !INJECTED.contains(&kind) {
            return Err("injects a fault of a kind that it does not have");
        }
        Ok(())
    }
}
