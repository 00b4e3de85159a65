//! Work that was done twice: changes of two tasks to mostly the same files, neither of which had seen the other.

use super::history::{History, PathId, Submitted};
use super::roster::{Cost, Roster};
use baton_record::{ChangeId, Event, LaneId, Names, TaskId};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Pairs that are listed one by one; all are counted.
const LISTED_MAX: usize = 1_000;

/// Work that was done twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Duplicates {
    /// How many changes did what an earlier one did.
    pub pairs: u64,
    /// What the one of each pair had used that was not needed.
    pub not_needed: Cost,
    /// By the roles of the two.
    pub by_roles: Vec<RolePair>,
    /// The first of them, in the order of submission.
    pub list: Vec<Pair>,
}

/// Pairs of two roles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RolePair {
    /// The two roles, in the order of the alphabet; twice the same where both are of one.
    pub roles: [String; 2],
    /// How many pairs.
    pub pairs: u64,
    /// What the one of each pair had used that was not needed.
    pub not_needed: Cost,
}

/// Two changes that did the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// The one that was submitted first.
    pub first: String,
    /// The other.
    pub second: String,
    /// Who made the first.
    pub first_lane: String,
    /// Who made the second.
    pub second_lane: String,
    /// Paths of both.
    pub paths: Vec<String>,
    /// Which of the two was not needed.
    pub not_needed: String,
    /// What that one had used.
    pub cost: Cost,
}

#[derive(Clone, Debug)]
struct Made {
    change: ChangeId,
    author: Option<LaneId>,
    paths: Vec<PathId>,
    /// By path: the version that it was made from.
    versions: Vec<u32>,
    cost: Cost,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Twins {
    made: Vec<Made>,
    /// Changes, by place in `made`, that touch a path as it was at a version.
    at: BTreeMap<(PathId, u32), Vec<u32>>,
    pairs: Vec<(u32, u32)>,
    landed: BTreeSet<ChangeId>,
}

impl Twins {
    /// To be called after `history` has taken the record in.
    pub(super) fn see(&mut self, task: Option<TaskId>, event: &Event, history: &History, roster: &Roster) {
        match event {
            Event::ChangeSubmitted(submitted) => {
                let cost = task.and_then(|task| roster.task(task)).map(|seen| seen.since_given_back);
                if let Some(open) = history.open.get(&submitted.change) {
                    self.submit(submitted.change, open, cost.unwrap_or_default(), history);
                }
            }
            Event::ChangeLanded(landed) => drop(self.landed.insert(landed.change)),
            Event::ChangeWritten(written) => drop(self.landed.insert(written.change)),
            _ => {}
        }
    }

    fn submit(&mut self, change: ChangeId, open: &Submitted, cost: Cost, history: &History) {
        let versions: Option<Vec<u32>> = open.paths.iter().map(|path| history.version_seen(open, *path)).collect();
        let Some(versions) = versions else { return };
        let made = Made { change, author: open.author, paths: open.paths.clone(), versions, cost };
        let place = self.made.len() as u32;
        let near = made.stands().filter_map(|stand| self.at.get(&stand));
        let first_of = |list: &Vec<u32>| list.iter().copied().find(|other| self.made[*other as usize].is_twin(&made));
        if let Some(first) = near.filter_map(first_of).min() {
            self.pairs.push((first, place));
        }
        for stand in made.stands() {
            self.at.entry(stand).or_default().push(place);
        }
        self.made.push(made);
    }

    pub(super) fn close(self, history: &History, roster: &Roster, names: &Names) -> Duplicates {
        let mut told = Duplicates { pairs: self.pairs.len() as u64, ..Duplicates::default() };
        let mut by_roles: BTreeMap<[&str; 2], (u64, Cost)> = BTreeMap::new();
        for (first, second) in &self.pairs {
            let (first, second) = (&self.made[*first as usize], &self.made[*second as usize]);
            let second_needed = self.landed.contains(&second.change) && !self.landed.contains(&first.change);
            let not_needed = if second_needed { first } else { second };
            told.not_needed += not_needed.cost;
            let role = |made: &Made| made.author.map_or("", |lane| roster.role_of(lane));
            let mut roles = [role(first), role(second)];
            roles.sort_unstable();
            let of_roles = by_roles.entry(roles).or_default();
            of_roles.0 += 1;
            of_roles.1 += not_needed.cost;
            if told.list.len() < LISTED_MAX {
                told.list.push(pair((first, second, not_needed), history, names));
            }
        }
        let of_roles = |(roles, (pairs, not_needed)): ([&str; 2], (u64, Cost))| RolePair {
            roles: roles.map(str::to_owned),
            pairs,
            not_needed,
        };
        told.by_roles = by_roles.into_iter().map(of_roles).collect();
        told
    }
}

fn pair((first, second, not_needed): (&Made, &Made, &Made), history: &History, names: &Names) -> Pair {
    let lane = |made: &Made| made.author.and_then(|lane| names.lane(lane)).unwrap_or_default().to_owned();
    let shared = first.paths.iter().filter(|path| second.paths.contains(path));
    Pair {
        first: first.change.to_string(),
        second: second.change.to_string(),
        first_lane: lane(first),
        second_lane: lane(second),
        paths: shared.map(|path| history.name(*path).to_owned()).collect(),
        not_needed: not_needed.change.to_string(),
        cost: not_needed.cost,
    }
}

impl Made {
    fn stands(&self) -> impl Iterator<Item = (PathId, u32)> {
        self.paths.iter().copied().zip(self.versions.iter().copied())
    }

    /// Of another task, at least half of all paths of the two are paths of both, and each of those was the same for both.
    fn is_twin(&self, other: &Made) -> bool {
        if self.change.task() == other.change.task() {
            return false;
        }
        let mut shared = 0;
        for (path, version) in self.stands() {
            let Ok(there) = other.paths.binary_search(&path) else { continue };
            if other.versions[there] != version {
                return false;
            }
            shared += 1;
        }
        2 * shared >= self.paths.len() + other.paths.len() - shared
    }
}
