//! What the work finds where it takes place: how many files lie below a pattern, and how large the trees above them are.
//!
//! Made from a list of files; reads no disk.

use crate::fixture;
use crate::scenario::{Scenario, Workspace};
use baton_world::git::Survey;
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of one entry of a git tree beside its name: mode, space, NUL and a SHA-1.
const ENTRY_BYTES: usize = 28;

/// The files of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ground {
    /// With their bytes, ascending by path.
    files: Vec<(String, u64)>,
    /// Bytes of the history behind them, as it is copied into the run folder.
    pub(crate) history_bytes: u64,
    /// Bytes of every directory's tree; the root is empty.
    trees: BTreeMap<String, u64>,
}

impl Ground {
    /// That of a fixture; `None` if the scenario works on a repository, which has to be looked at.
    pub fn of_fixture(scenario: &Scenario) -> Option<Ground> {
        let Workspace::Fixture { files, .. } = &scenario.workspace else { return None };
        Some(Ground::new(Survey { files: fixture::files_of_notes(*files), history_bytes: 0 }))
    }

    /// That of a repository on this machine.
    pub fn new(survey: Survey) -> Ground {
        let Survey { mut files, mut history_bytes } = survey;
        files.sort();
        let mut trees: BTreeMap<String, u64> = BTreeMap::from([(String::new(), 0)]);
        let mut named = BTreeSet::new();
        for (path, _) in &files {
            let mut below = path.as_str();
            // A directory has one entry in the tree above it, whatever lies in it.
            while !below.is_empty() && (below == path || named.insert(below)) {
                *trees.entry(parent(below).to_owned()).or_default() += entry(name_of(below));
                below = parent(below);
            }
        }
        if history_bytes == 0 {
            let objects = files.len() as u64 + trees.len() as u64;
            history_bytes = files.iter().map(|(_, bytes)| bytes).chain(trees.values()).sum::<u64>() + 48 * objects;
        }
        Ground { files, history_bytes, trees }
    }

    /// Files that a pattern names.
    pub(crate) fn count(&self, pattern: &str) -> u64 {
        self.below(pattern).len() as u64
    }

    fn below(&self, pattern: &str) -> &[(String, u64)] {
        let (prefix, whole) = match pattern.strip_suffix("**") {
            Some(prefix) => (prefix, false),
            None => (pattern, true),
        };
        let start = self.files.partition_point(|(path, _)| path.as_str() < prefix);
        let rest = &self.files[start..];
        rest.split_at(rest.partition_point(|(path, _)| if whole { path == prefix } else { path.starts_with(prefix) })).0
    }

    /// Bytes of a file below a pattern, on the average.
    pub(crate) fn file_bytes(&self, pattern: &str) -> f64 {
        let files = self.below(pattern);
        files.iter().map(|(_, bytes)| *bytes as f64).sum::<f64>() / files.len().max(1) as f64
    }

    /// Trees on the way from the root to a file below a pattern, on the average: how many, and their bytes.
    pub(crate) fn way(&self, pattern: &str) -> (f64, f64) {
        let files = self.below(pattern);
        // A sample is enough for an average.
        let step = (files.len() / 1_000).max(1);
        let (mut looked_at, mut trees, mut bytes) = (0.0, 0.0, 0.0);
        for (path, _) in files.iter().step_by(step) {
            looked_at += 1.0;
            for directory in directories(path) {
                trees += 1.0;
                bytes += self.trees.get(directory).copied().unwrap_or(0) as f64;
            }
        }
        if looked_at > 0.0 {
            return (trees / looked_at, bytes / looked_at);
        }
        let above = directories(pattern);
        let known = above.iter().filter_map(|directory| self.trees.get(*directory));
        (above.len() as f64, known.sum::<u64>() as f64)
    }
}

/// Every directory above a path, the root first.
fn directories(path: &str) -> Vec<&str> {
    let cuts = path.match_indices('/').map(|(at, _)| &path[..at]);
    std::iter::once("").chain(cuts).collect()
}

fn parent(directory: &str) -> &str {
    directory.rsplit_once('/').map_or("", |(above, _)| above)
}

fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn entry(name: &str) -> u64 {
    (ENTRY_BYTES + name.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_trees_are_those_of_the_list() {
        let files = ["a", "b/c", "b/d/e", "b/d/f"].map(|path| (path.to_owned(), 10)).to_vec();
        let ground = Ground::new(Survey { files, history_bytes: 1 });
        assert_eq!(["**", "b/**", "b/d/**", "a", "b/d/e", "x/**", "b"].map(|p| ground.count(p)), [4, 3, 2, 1, 1, 0, 0]);
        let trees: Vec<_> = ground.trees.iter().map(|(directory, bytes)| (directory.as_str(), *bytes)).collect();
        assert_eq!(trees, [("", 58), ("b", 58), ("b/d", 58)]);
        assert_eq!(ground.way("a"), (1.0, 58.0));
        assert_eq!(ground.way("b/d/**"), (3.0, 174.0));
        assert_eq!(ground.way("b/x/**"), (3.0, 116.0), "a directory that is still to be made is empty");
        assert_eq!(ground.file_bytes("b/**"), 10.0);
    }

    #[test]
    fn a_fixture_is_known_without_being_made() {
        let place = tempfile::tempdir().expect("there is room for a small repository");
        let path = place.path().join("notes.git");
        fixture::notes(&path, 130, baton_world::git::Durability::Buffered).expect("the fixture is made");
        let looked_at = baton_world::git::survey(&path, Some("main")).expect("it can be looked at");
        assert_eq!(looked_at.files, fixture::files_of_notes(130));
    }
}
