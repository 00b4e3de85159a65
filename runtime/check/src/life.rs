//! Owns the lives of lanes and actors and the faults that are blamed: who dies was alive, who is started
//! again was dead, restarts count up, and a fault is named only after it struck. What is found against it
//! is said at LOG-2: no fold of such a journal is a state that a team was ever in.
//!
//! Deliberately does not know what anybody did in its life.

use crate::lanes::Lanes;
use crate::report::Judgement;
use baton_record::event::{ActorRestarted, DeathReason, FaultInjected, LaneDied, RetireReason};
use baton_record::line::{Actor, Record};
use baton_record::{EndpointId, Event, FaultId, LaneId};
use std::collections::{BTreeMap, BTreeSet};

/// The words for what can strike.
const INJECTED: [&str; 11] =
    ["kill", "pause", "restart", "duplicate", "delay", "drop", "push", "storm", "overload", "spoil", "ignore-policy"];

/// What an endpoint says that has too much to do.
const OVERLOADED: u16 = 529;
/// What a packet can become.
const SPOILED: [&str; 4] = ["incomplete packet", "dangling link", "lying link", "huge packet"];

#[derive(Debug, Default)]
struct Life {
    dead: bool,
    /// An operator has taken it out of the team.
    removed: bool,
    restarts: u32,
}

/// How often a fault struck and was felt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: String,
    pub(crate) injected: u64,
    pub(crate) felt: u64,
    /// What it last struck.
    target: String,
    /// Every lane that it struck.
    lanes: BTreeSet<LaneId>,
}

/// All lives of a run.
#[derive(Debug, Default)]
pub(crate) struct Lives {
    lanes: BTreeMap<LaneId, Life>,
    endpoints: BTreeMap<EndpointId, String>,
    /// By lane: the model that thinks in it.
    models: BTreeMap<LaneId, EndpointId>,
    /// By the actor's word.
    actors: BTreeMap<&'static str, u32>,
    /// By actor: its last record.
    last_seq: [Option<u64>; 5],
    pub(crate) faults: BTreeMap<FaultId, Fault>,
    pub(crate) log_2: Judgement,
}

impl Lives {
    pub(crate) fn see(&mut self, seq: u64, record: &Record, lanes: &Lanes) {
        let result = match &record.event {
            Event::EndpointNamed(named) => {
                self.endpoints.insert(named.endpoint, named.name.clone());
                Ok(())
            }
            Event::LaneJoined(joined) => {
                self.models.insert(joined.id, joined.model);
                Ok(())
            }
            Event::LaneDied(died) => self.died(record.lane, died),
            Event::LaneRetired(retired) => {
                if let Some(lane) = record.lane.filter(|_| retired.reason == RetireReason::Removed) {
                    self.lanes.entry(lane).or_default().removed = true;
                }
                Ok(())
            }
            Event::LaneRestarted(restarted) => self.restarted(record.lane, restarted.restarts),
            Event::ActorRestarted(restarted) if restarted.folded > seq => Err("folds records that are not there yet"),
            Event::ActorRestarted(restarted) => self.actor(record.actor, restarted),
            Event::FaultInjected(fault) => self.injected(record, fault, lanes),
            _ => Ok(()),
        };
        if matches!(record.event, Event::ActorRestarted(_)) {
            self.log_2.checked();
        }
        self.last_seq[record.actor as usize] = Some(seq);
        if let Err(why) = result {
            let who = record.actor.word();
            self.log_2.breaks(|| format!("record {seq} by {who} {why}"));
        }
        let Some(id) = record.event.felt() else { return };
        if let Err(why) = self.blamed(record, id) {
            self.log_2.breaks(|| format!("record {seq} {why}"));
        }
        match self.faults.get_mut(&id) {
            Some(fault) => fault.felt += 1,
            None => self.log_2.breaks(|| format!("record {seq} blames fault {}, which has not struck", id.0)),
        }
    }

    /// Only a fault kills; every other death has no cause that is written down.
    fn died(&mut self, lane: Option<LaneId>, died: &LaneDied) -> Result<(), &'static str> {
        if died.fault.is_some() != (died.reason == DeathReason::Killed) {
            return Err("tells of a death by a fault and names none, or names one and tells otherwise");
        }
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
        if life.removed {
            return Err("starts a lane again that was taken out of the team");
        }
        if restarts == due { Ok(()) } else { Err("counts the lane's restarts otherwise than the journal") }
    }

    /// The fault that is blamed struck whom the record is about.
    fn blamed(&self, record: &Record, id: FaultId) -> Result<(), &'static str> {
        let Some(fault) = self.faults.get(&id) else { return Ok(()) };
        let fits = match &record.event {
            Event::ChangeLanded(_) => fault.target == Actor::Merger.word(),
            Event::ActorRestarted(_) => fault.target == record.actor.word(),
            Event::ForeignPush(_) => fault.kind == "push",
            // It struck whoever made the change, and somebody else may have submitted it: [`crate::roles`].
            Event::ActionDenied(_) | Event::ChangeRefused(_) | Event::TaskReturned(_)
                if fault.kind == "ignore-policy" =>
            {
                true
            }
            Event::EffectFailed(failed) => {
                let refuses = fault.kind == "storm" || (fault.kind == "overload" && failed.status == OVERLOADED);
                refuses && record.lane.is_some_and(|lane| fault.lanes.contains(&lane))
            }
            _ => record.lane.is_some_and(|lane| fault.lanes.contains(&lane)),
        };
        if fits { Ok(()) } else { Err("blames a fault that struck somebody else") }
    }

    fn actor(&mut self, actor: Actor, restarted: &ActorRestarted) -> Result<(), &'static str> {
        let restarts = restarted.restarts;
        if self.last_seq[actor as usize].is_some_and(|own| own >= restarted.folded) {
            return Err("folds less than it had written itself");
        }
        let count = self.actors.entry(actor.word()).or_default();
        let due = count.saturating_add(1);
        *count = restarts;
        if restarts == due { Ok(()) } else { Err("counts its restarts otherwise than the journal") }
    }

    /// The name of the endpoint that a lane calls.
    fn endpoint_of(&self, lane: Option<LaneId>) -> Option<&str> {
        self.endpoints.get(self.models.get(&lane?)?).map(String::as_str)
    }

    fn injected(&mut self, record: &Record, injected: &FaultInjected, lanes: &Lanes) -> Result<(), &'static str> {
        let kind = injected.injected.as_str();
        let fault = self.faults.entry(injected.fault).or_default();
        fault.injected += 1;
        fault.lanes.extend(record.lane);
        injected.target.clone_into(&mut fault.target);
        if fault.kind.is_empty() {
            kind.clone_into(&mut fault.kind);
        }
        if fault.kind != kind || !INJECTED.contains(&kind) {
            return Err("injects a fault of a kind that it does not have");
        }
        let lane = record.lane.and_then(|lane| lanes.name(lane));
        let target = injected.target.as_str();
        let fits = match kind {
            "kill" | "pause" | "ignore-policy" => lane == Some(target),
            "restart" => lane.is_none() && ["supervisor", "merger"].contains(&target),
            "push" => lane.is_none() && target == "main",
            "storm" | "overload" => self.endpoint_of(record.lane) == Some(target),
            "spoil" => lane.is_some() && SPOILED.contains(&target),
            _ => lane.is_some() && target == "message",
        };
        if fits && record.task.is_none() {
            Ok(())
        } else {
            Err("injects a fault into what such a fault does not strike")
        }
    }
}
