//! Which entries of `tasks` come after which, as the file says with `after`.

use crate::scenario::Scenario;

/// The order of a scenario's entries.
pub(crate) struct Order<'s> {
    scenario: &'s Scenario,
}

impl<'s> Order<'s> {
    pub(crate) fn new(scenario: &'s Scenario) -> Order<'s> {
        Order { scenario }
    }

    /// Entries that must have ended before this one is begun.
    pub(crate) fn before(&self, entry: usize) -> Vec<bool> {
        let mut before = vec![false; self.scenario.tasks.len()];
        let mut left = vec![entry];
        while let Some(entry) = left.pop() {
            for earlier in self.scenario.tasks[entry].after.iter().map(|before| usize::from(*before)) {
                if !before[earlier] {
                    before[earlier] = true;
                    left.push(earlier);
                }
            }
        }
        before
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
