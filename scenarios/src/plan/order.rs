//! Which entries of `tasks` come after which, as the file says with `after`.

use crate::scenario::Scenario;
use std::collections::BTreeSet;

/// The order of a scenario's entries.
pub(crate) struct Order<'s> {
    scenario: &'s Scenario,
}

impl<'s> Order<'s> {
    pub(crate) fn new(scenario: &'s Scenario) -> Order<'s> {
        Order { scenario }
    }

    /// Whether one of the two is begun only when the other has ended.
    pub(crate) fn apart(&self, one: usize, other: usize) -> bool {
        let (earlier, later) = (one.min(other), one.max(other));
        // Nearly all work has no order at all.
        if earlier == later || self.scenario.tasks[later].after.is_empty() {
            return false;
        }
        let (mut left, mut seen) = (vec![later], BTreeSet::new());
        while let Some(entry) = left.pop() {
            for before in self.scenario.tasks[entry].after.iter().map(|before| usize::from(*before)) {
                if before == earlier {
                    return true;
                }
                if before > earlier && seen.insert(before) {
                    left.push(before);
                }
            }
        }
        false
    }

    /// For each entry when it ends: it begins when all that it comes after have ended, and takes what `takes` says for an
    /// entry and its beginning.
    pub(crate) fn ends(&self, takes: impl Fn(usize, f64) -> f64) -> Vec<f64> {
        let mut ends: Vec<f64> = Vec::with_capacity(self.scenario.tasks.len());
        for (entry, group) in self.scenario.tasks.iter().enumerate() {
            let begins = group.after.iter().map(|before| ends[usize::from(*before)]).fold(0.0, f64::max);
            ends.push(begins + takes(entry, begins));
        }
        ends
    }
}
