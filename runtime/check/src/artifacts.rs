//! Owns ONE-1 as the repository tells it: a change to a task's canonical artifact landed on the version that it was made
//! from, and one that was refused for another version met one.
//!
//! Deliberately does not know what an artifact holds, nor how differences between trees are read.

use crate::repository::{Delta, Entry};
use baton_record::Oid;
use std::collections::BTreeMap;

/// What became of one path along main: by place on main, from 1, what stood there before and after.
#[derive(Debug, Default)]
pub(crate) struct Versions(BTreeMap<Vec<u8>, BTreeMap<u32, Step>>);

/// What stood at a path before a step of main, and after it.
type Step = (Option<Oid>, Option<Oid>);

impl Versions {
    /// The step of main to this place has moved these paths.
    pub(crate) fn step(&mut self, at: u32, moved: &[Delta]) {
        let blob = |entry: &Option<Entry>| entry.as_ref().map(|entry| entry.1);
        for delta in moved {
            let versions = self.0.entry(delta.path.clone()).or_default();
            versions.insert(at, (blob(&delta.before), blob(&delta.after)));
        }
    }

    /// Whether a path held the same at both places of main.
    pub(crate) fn same(&self, path: &str, earlier: u32, later: u32) -> bool {
        let Some(versions) = self.0.get(path.as_bytes()) else { return true };
        let between = || versions.iter().filter(|(at, _)| **at > earlier && **at <= later).map(|(_, version)| *version);
        between().next().map(|(before, _)| before) == between().next_back().map(|(_, after)| after)
    }
}
