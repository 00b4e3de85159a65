//! Owns the pairing of effects: an end has a beginning, and a finished effect is not begun again in the
//! same assignment. What is found against it is said at LOG-2; it is never a reason to call LOG-2 held.
//!
//! Deliberately does not know what an effect costs.

use crate::report::Judgement;
use baton_record::line::Record;
use baton_record::{EffectKey, Event, LaneId};
use std::collections::BTreeMap;

/// The effects of every lane in its current assignment: key, and whether it is done.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    lanes: BTreeMap<LaneId, BTreeMap<EffectKey, bool>>,
    pub(crate) log_2: Judgement,
}

impl Effects {
    pub(crate) fn see(&mut self, seq: u64, record: &Record) {
        let Some(lane) = record.lane else { return };
        let effects = self.lanes.entry(lane).or_default();
        match &record.event {
            Event::TaskAssigned(_) | Event::LaneDied(_) => effects.clear(),
            Event::EffectIntended(intended) => {
                let again = effects.insert(intended.key, false) == Some(true);
                if again {
                    self.log_2
                        .breaks(|| format!("record {seq}: effect {:016x} is done and begins again", intended.key.0));
                }
            }
            Event::EffectDone(done) => match effects.insert(done.key, true) {
                Some(false) => {}
                Some(true) => self.log_2.breaks(|| format!("record {seq}: effect {:016x} is done twice", done.key.0)),
                // Its lane may have died while the answer was under way.
                None => {}
            },
            _ => {}
        }
    }
}
