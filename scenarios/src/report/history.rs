//! What landed where: every path's versions, so that it can be said what a change had seen of it.
//!
//! A version of a path is the number of the landing that touched it last, from 1; 0 is the run's base. In the control run
//! every file that a lane writes is a landing of its own.

use baton_record::event::{ChangeSubmitted, Update};
use baton_record::{ChangeId, Event, LaneId, Names, Oid};
use std::collections::BTreeMap;

/// A path that a change touched, numbered in the order of coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PathId(u32);

/// A change that was submitted.
#[derive(Clone, Debug)]
pub(super) struct Submitted {
    /// Who made it; its reviewer may have submitted it.
    pub(super) author: Option<LaneId>,
    /// When its lane sent it.
    pub(super) sent_us: u64,
    /// When the merger took it.
    pub(super) taken_us: u64,
    /// The landing that its base is; `None`: the journal knows no such commit.
    base: Option<u32>,
    /// Every path that it writes or leaves, ascending.
    pub(super) paths: Vec<PathId>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    names: Vec<String>,
    ids: BTreeMap<String, PathId>,
    /// By path: the landings that touched it and who made them, ascending.
    landed: Vec<Vec<(u32, Option<LaneId>)>>,
    /// Which landing a commit is.
    commits: BTreeMap<Oid, u32>,
    landings: u32,
    /// By landing, from the first: the change that it was.
    changes: Vec<ChangeId>,
    /// Changes that are neither landed nor refused.
    pub(super) open: BTreeMap<ChangeId, Submitted>,
}

impl History {
    /// Takes a record in; whatever looks at a landing or a refusal does it before.
    pub(super) fn see(&mut self, t_us: u64, lane: Option<LaneId>, event: &Event, names: &Names) {
        match event {
            Event::RunStarted(started) => drop(self.commits.insert(started.base, 0)),
            Event::ChangeSubmitted(submitted) => self.submit(t_us, lane, submitted, names),
            Event::ChangeLanded(landed) => {
                if let Some(submitted) = self.open.remove(&landed.change) {
                    self.land((landed.main_after, landed.change), &submitted.paths, submitted.author);
                }
            }
            Event::ChangeRefused(refused) => drop(self.open.remove(&refused.change)),
            Event::FileWritten(written) => {
                let path = self.id(&written.path);
                self.land((written.commit, written.change), &[path], lane);
            }
            Event::ChangeWritten(written) => drop(self.open.remove(&written.change)),
            _ => {}
        }
    }

    fn submit(&mut self, t_us: u64, lane: Option<LaneId>, submitted: &ChangeSubmitted, names: &Names) {
        let author = submitted.author.as_deref().and_then(|author| names.lane_id(author)).or(lane);
        let base = self.commits.get(&submitted.base).copied();
        let touched = |update: &Update| [Some(update.path.clone()), update.from.clone()];
        let touched = submitted.updates.iter().flat_map(touched).flatten();
        let mut paths: Vec<PathId> = touched.map(|path| self.id(&path)).collect();
        paths.sort_unstable();
        paths.dedup();
        let sent_us = submitted.sent_us.map_or(t_us, |sent_us| sent_us.min(t_us));
        self.open.insert(submitted.change, Submitted { author, sent_us, taken_us: t_us, base, paths });
    }

    fn land(&mut self, (commit, change): (Oid, ChangeId), paths: &[PathId], author: Option<LaneId>) {
        self.landings += 1;
        self.changes.push(change);
        self.commits.insert(commit, self.landings);
        for path in paths {
            self.landed[path.0 as usize].push((self.landings, author));
        }
    }

    fn id(&mut self, path: &str) -> PathId {
        if let Some(id) = self.ids.get(path) {
            return *id;
        }
        let id = PathId(self.names.len() as u32);
        self.names.push(path.to_owned());
        self.landed.push(Vec::new());
        self.ids.insert(path.to_owned(), id);
        id
    }

    pub(super) fn name(&self, path: PathId) -> &str {
        &self.names[path.0 as usize]
    }

    /// The version of a path at the base of a change.
    pub(super) fn version_seen(&self, submitted: &Submitted, path: PathId) -> Option<u32> {
        let base = submitted.base?;
        let landed = &self.landed[path.0 as usize];
        let until = landed.partition_point(|(landing, _)| *landing <= base);
        Some(until.checked_sub(1).map_or(0, |last| landed[last].0))
    }

    /// Who landed on this path last, if that was after the base of the change.
    pub(super) fn landed_since(&self, submitted: &Submitted, path: &str) -> Option<LaneId> {
        let landed = &self.landed[self.ids.get(path)?.0 as usize];
        let (landing, author) = landed.last()?;
        author.filter(|_| submitted.base.is_some_and(|base| *landing > base))
    }

    /// Every change that landed on this path after the base of the change, and who made it, in their order.
    pub(super) fn all_landed_since(&self, submitted: &Submitted, path: &str) -> Vec<(ChangeId, Option<LaneId>)> {
        let Some((base, id)) = submitted.base.zip(self.ids.get(path)) else { return Vec::new() };
        let landed = &self.landed[id.0 as usize];
        let later = &landed[landed.partition_point(|(landing, _)| *landing <= base)..];
        later.iter().map(|(landing, author)| (self.changes[*landing as usize - 1], *author)).collect()
    }
}
