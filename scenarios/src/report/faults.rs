//! What injected faults did: how often they struck, in how many records they were felt, and how long that went on.

use super::sample::{Counts, kind};
use baton_record::{Event, FaultId};
use serde::Serialize;
use std::collections::BTreeMap;

/// One entry of the scenario's `faults` that struck.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FaultFigures {
    /// Its place in the file, from 0.
    pub id: u16,
    /// What it is; of several the first.
    pub kind: String,
    /// Whom it struck, and how often.
    pub targets: Counts,
    /// How often it struck.
    pub injected: u64,
    /// Records of decisions that it changed.
    pub felt_records: u64,
    /// When it struck first; `None`: it was felt and never struck, which no run does.
    pub first_us: Option<u64>,
    /// The longest time from a strike to the last record that names the fault before its next strike; `None`: none does.
    pub recovery_us: Option<u64>,
    /// Records that name it, by what they tell.
    pub felt_as: Counts,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Strikes {
    faults: BTreeMap<FaultId, (FaultFigures, u64)>,
}

impl Strikes {
    pub(super) fn see(&mut self, t_us: u64, event: &Event) {
        if let Event::FaultInjected(injected) = event {
            let (told, last_us) = self.faults.entry(injected.fault).or_default();
            if told.kind.is_empty() {
                told.kind.clone_from(&injected.injected);
            }
            told.targets.add(injected.target.as_str());
            told.injected += 1;
            told.first_us = told.first_us.or(Some(t_us));
            *last_us = t_us;
        }
        if let Some(fault) = event.felt() {
            let (told, last_us) = self.faults.entry(fault).or_default();
            told.felt_records += 1;
            told.felt_as.add(kind(event));
            told.recovery_us = told.first_us.map(|_| told.recovery_us.unwrap_or(0).max(t_us - *last_us));
        }
    }

    pub(super) fn close(self) -> Vec<FaultFigures> {
        self.faults.into_iter().map(|(id, (told, _))| FaultFigures { id: id.0, ..told }).collect()
    }
}
