//! Owns the pairing of effects: each begins with the slot that was asked for it, an end has a beginning,
//! and a finished effect is not begun again in the same assignment. What is found against it is said at
//! LOG-2; it is never a reason to call LOG-2 held. Adds up what the effects are said to have cost.
//!
//! Deliberately does not know prices or the order in which slots are granted.

use crate::report::Judgement;
use baton_record::event::{EffectDone, EffectLost};
use baton_record::line::Record;
use baton_record::{EffectKey, Event, LaneId};
use std::collections::BTreeMap;

/// What all effects of a run used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spend {
    pub(crate) calls: u64,
    pub(crate) tokens_in: u64,
    pub(crate) tokens_out: u64,
    pub(crate) usd_micros: u64,
}

/// What one lane is about.
#[derive(Debug, Default)]
struct Lane {
    /// In the current assignment: key, and whether it is done.
    effects: BTreeMap<EffectKey, bool>,
    /// The key of the newest request for a slot.
    asked: Option<EffectKey>,
    /// The effect that was under way when the lane last died: its answer may still come.
    cut_off: Option<EffectKey>,
    under_way: Option<EffectKey>,
}

/// The effects of every lane.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    lanes: BTreeMap<LaneId, Lane>,
    pub(crate) spend: Spend,
    pub(crate) log_2: Judgement,
}

impl Effects {
    pub(crate) fn see(&mut self, seq: u64, record: &Record) {
        let Some(id) = record.lane else { return };
        let lane = self.lanes.entry(id).or_default();
        let (result, key) = match &record.event {
            Event::TaskAssigned(_) => return lane.effects.clear(),
            Event::LaneDied(_) => {
                let cut_off = lane.under_way.or(lane.cut_off);
                *lane = Lane { cut_off, ..Lane::default() };
                return;
            }
            Event::SlotRequested(asked) => return lane.asked = Some(asked.key),
            Event::EffectIntended(intended) => (lane.begin(intended.key), intended.key),
            Event::EffectFailed(failed) => {
                self.spend.calls += 1;
                (lane.end(failed.key), failed.key)
            }
            Event::EffectLost(lost) => {
                self.spend.lose(lost);
                return;
            }
            Event::EffectDone(done) => {
                self.spend.add(done);
                (lane.end(done.key), done.key)
            }
            _ => return,
        };
        if let Err(why) = result {
            self.log_2.breaks(|| format!("record {seq}: effect {:016x} {why}", key.0));
        }
    }
}

impl Lane {
    fn begin(&mut self, key: EffectKey) -> Result<(), &'static str> {
        self.under_way = Some(key);
        if self.effects.insert(key, false) == Some(true) {
            return Err("is done and begins again");
        }
        if self.asked.take() == Some(key) { Ok(()) } else { Err("begins, and the lane asked for another one's slot") }
    }

    fn end(&mut self, key: EffectKey) -> Result<(), &'static str> {
        if self.under_way == Some(key) {
            self.under_way = None;
        }
        let late = self.cut_off == Some(key);
        match self.effects.insert(key, true) {
            Some(true) => Err("is done twice"),
            None if !late => Err("is done, and never began"),
            _ => Ok(()),
        }
    }
}

impl Spend {
    /// Nobody knows what it used, so it is billed whole; its tokens count as received.
    fn lose(&mut self, lost: &EffectLost) {
        self.calls += 1;
        self.tokens_out = self.tokens_out.saturating_add(lost.billed.tokens);
        self.usd_micros = self.usd_micros.saturating_add(lost.billed.usd_micros);
    }

    fn add(&mut self, done: &EffectDone) {
        self.calls += 1;
        self.tokens_in = self.tokens_in.saturating_add(done.tokens_in);
        self.tokens_out = self.tokens_out.saturating_add(done.tokens_out);
        self.usd_micros = self.usd_micros.saturating_add(done.usd_micros);
    }
}
