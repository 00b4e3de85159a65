//! Who wrote what of main during the run, path by path: what a landing would take back of other lanes' work (UNDO-1).
//!
//! A landing undoes another lane's landed change at a path if it removes the path, if it brings back what stood there before
//! that change, or if it takes out lines that the change put there and puts none in. A lane may take back its own work, and
//! everybody what was there before the run. A file that is moved, unchanged, keeps its past under its new name.
//!
//! A fold over the landings: the cost of a landing is that of the paths that it moves and of their own past. Knows no
//! approval and no gate.

use baton_record::{ChangeId, LaneId};
use baton_world::git::{Entry, GitError, PathChange};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One landed change of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    change: ChangeId,
    lane: LaneId,
    before: Option<Entry>,
    after: Option<Entry>,
}

/// Every path that a landing of the run has moved, with its past.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Authorship {
    /// What landed before; paths that have moved since are told by this one alone.
    below: Option<Arc<Authorship>>,
    paths: BTreeMap<String, Vec<Written>>,
    lanes: BTreeMap<ChangeId, LaneId>,
    /// By path, whatever it held before: which landings have moved it, by their number from 1.
    moved: BTreeMap<String, Vec<(usize, ChangeId)>>,
}

/// What a landing would take back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Undone {
    /// Where.
    pub(super) paths: BTreeSet<String>,
    /// Whose landed changes.
    pub(super) changes: BTreeSet<ChangeId>,
}

/// Reads a file of a landing or of main.
pub(super) type Read<'r> = dyn Fn(Entry) -> Result<Arc<[u8]>, GitError> + 'r;

impl Undone {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl Authorship {
    /// What has landed, and on top of it what may land together: taken apart from it, so that it can be forgotten.
    pub(super) fn on(below: Arc<Authorship>) -> Authorship {
        Authorship { below: Some(below), ..Authorship::default() }
    }

    /// `lane`'s change has landed and moved these paths.
    pub(super) fn land(&mut self, (change, lane): (ChangeId, LaneId), moved: &[PathChange]) {
        self.lanes.insert(change, lane);
        let pasts: Vec<(&PathChange, Vec<Written>)> =
            moves(moved).into_iter().map(|(from, to)| (to, self.past(&from.path).to_vec())).collect();
        for (to, past) in pasts {
            self.paths.insert(to.path.clone(), past);
        }
        let carried: BTreeSet<&str> = moves(moved).into_iter().map(|(_, to)| to.path.as_str()).collect();
        for PathChange { path, before, after } in moved {
            // A file that came from elsewhere has not come into being here.
            let before = if carried.contains(path.as_str()) { *after } else { *before };
            let written = Written { change, lane, before, after: *after };
            if !self.paths.contains_key(path) {
                self.paths.insert(path.clone(), self.past(path).to_vec());
            }
            self.paths.entry(path.clone()).or_default().push(written);
            self.moved.entry(path.clone()).or_default().push((self.lanes.len(), change));
        }
    }

    /// Which landings have moved a path since so many had landed, in their order.
    pub(super) fn moved_since(&self, path: &str, landed: usize) -> impl Iterator<Item = (ChangeId, LaneId)> {
        let moved = self.moved.get(path).map(Vec::as_slice).unwrap_or_default();
        let later = &moved[moved.partition_point(|(number, _)| *number <= landed)..];
        later.iter().filter_map(|(_, change)| Some((*change, self.lane_of(*change)?)))
    }

    /// Which lane made a landed change.
    pub(super) fn lane_of(&self, change: ChangeId) -> Option<LaneId> {
        self.lanes.get(&change).copied()
    }

    fn past(&self, path: &str) -> &[Written] {
        let below = || self.below.as_ref().map(|below| below.past(path));
        self.paths.get(path).map(Vec::as_slice).or_else(below).unwrap_or_default()
    }

    /// What a change of `lane` takes back that moves these paths.
    pub(super) fn undone(&self, lane: LaneId, moved: &[PathChange], read: &Read<'_>) -> Result<Undone, GitError> {
        let carried: BTreeSet<&str> = moves(moved).into_iter().map(|(from, _)| from.path.as_str()).collect();
        let mut undone = Undone::default();
        for change in moved.iter().filter(|change| !carried.contains(change.path.as_str())) {
            let taken = self.undone_at(lane, change, read)?;
            if !taken.is_empty() {
                undone.paths.insert(change.path.clone());
                undone.changes.extend(taken);
            }
        }
        Ok(undone)
    }

    fn undone_at(&self, lane: LaneId, moved: &PathChange, read: &Read<'_>) -> Result<BTreeSet<ChangeId>, GitError> {
        let past = self.past(&moved.path);
        let others = |part: &[Written]| -> BTreeSet<ChangeId> {
            part.iter().filter(|written| written.lane != lane).map(|written| written.change).collect()
        };
        if others(past).is_empty() {
            return Ok(BTreeSet::new());
        }
        // The latest moment at which it was as it will be: what was done to it since is taken back.
        let returns_to = past.iter().rposition(|written| written.before == moved.after);
        let mut taken = returns_to.map(|at| others(&past[at..])).unwrap_or_default();
        match (moved.before, moved.after) {
            (Some(_), None) => taken.extend(others(since_created(past))),
            (Some(before), Some(after)) if before.mode.is_file() && after.mode.is_file() => {
                let (before, after) = (read(before)?, read(after)?);
                let (lost, gained) = (lines(&before).minus(&lines(&after)), lines(&after).minus(&lines(&before)));
                if gained.is_empty() && !lost.is_empty() {
                    taken.extend(authors_of(&lost, (past, lane), read)?);
                }
            }
            _ => {}
        }
        Ok(taken)
    }
}

/// What was written of a path since it last came into being.
fn since_created(past: &[Written]) -> &[Written] {
    let created = past.iter().rposition(|written| written.before.is_none());
    &past[created.unwrap_or(0)..]
}

/// Changes of other lanes that put any of these lines there.
fn authors_of(
    lost: &Lines<'_>,
    (past, lane): (&[Written], LaneId),
    read: &Read<'_>,
) -> Result<BTreeSet<ChangeId>, GitError> {
    let text = |side: Option<Entry>| side.filter(|entry| entry.mode.is_file()).map(read).transpose();
    let mut authors = BTreeSet::new();
    for written in past.iter().filter(|written| written.lane != lane) {
        let (before, after) = (text(written.before)?.unwrap_or_default(), text(written.after)?.unwrap_or_default());
        if lines(&after).minus(&lines(&before)).meets(lost) {
            authors.insert(written.change);
        }
    }
    Ok(authors)
}

/// Files that are gone from one path and stand, unchanged, at one where nothing was: each goes to one.
fn moves(moved: &[PathChange]) -> Vec<(&PathChange, &PathChange)> {
    let key = |entry: Entry| (entry.oid, entry.mode);
    let mut created: BTreeMap<_, Vec<&PathChange>> = BTreeMap::new();
    for change in moved.iter().rev().filter(|change| change.before.is_none()) {
        if let Some(after) = change.after {
            created.entry(key(after)).or_default().push(change);
        }
    }
    let gone = moved.iter().filter(|change| change.after.is_none());
    gone.filter_map(|from| Some((from, created.get_mut(&key(from.before?))?.pop()?))).collect()
}

/// How often each line stands in a file.
struct Lines<'f>(BTreeMap<&'f [u8], u32>);

fn lines(file: &[u8]) -> Lines<'_> {
    let mut counts = BTreeMap::new();
    for line in file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        *counts.entry(line).or_default() += 1;
    }
    Lines(counts)
}

impl<'f> Lines<'f> {
    fn minus(&self, other: &Lines<'_>) -> Lines<'f> {
        let left = |(line, count): (&&'f [u8], &u32)| {
            let left = count.saturating_sub(other.0.get(*line).copied().unwrap_or_default());
            (left > 0).then_some((*line, left))
        };
        Lines(self.0.iter().filter_map(left).collect())
    }

    fn meets(&self, other: &Lines<'_>) -> bool {
        self.0.keys().any(|line| other.0.contains_key(line))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_record::{Oid, TaskId};
    use baton_world::git::EntryMode;

    /// A file whose name tells its content: the bits of a byte are its lines.
    fn file(content: u8) -> Option<Entry> {
        (content > 0).then(|| Entry { mode: EntryMode::Regular, oid: Oid::from_bytes(&[content; 20]).unwrap() })
    }

    fn read(entry: Entry) -> Result<Arc<[u8]>, GitError> {
        let content = u8::from_str_radix(&entry.oid.to_hex()[..2], 16).unwrap();
        let lines = (0..8).filter(|bit| content >> bit & 1 == 1).map(|bit| format!("line {bit}\n"));
        Ok(lines.collect::<String>().into_bytes().into())
    }

    fn step(path: &str, before: u8, after: u8) -> PathChange {
        PathChange { path: path.to_owned(), before: file(before), after: file(after) }
    }

    /// Lane, and what its landing moves: path, lines before, lines after.
    type Landing = (u32, &'static [(&'static str, u8, u8)]);

    fn undone(landed: &[Landing], (lane, moved): Landing) -> (Vec<String>, Vec<u32>) {
        let steps = |moved: &[(&str, u8, u8)]| -> Vec<PathChange> {
            moved.iter().map(|(path, before, after)| step(path, *before, *after)).collect()
        };
        let judge = |apart: usize| {
            let mut authorship = Authorship::default();
            for (number, (lane, moved)) in landed.iter().enumerate() {
                if number == apart {
                    authorship = Authorship::on(Arc::new(authorship));
                }
                authorship.land((ChangeId::of(TaskId(number as u32), 1), LaneId(*lane)), &steps(moved));
            }
            authorship.undone(LaneId(lane), &steps(moved), &read).unwrap()
        };
        let undone = judge(usize::MAX);
        (0..landed.len()).for_each(|apart| assert_eq!(judge(apart), undone, "however much of it has not landed yet"));
        (undone.paths.into_iter().collect(), undone.changes.into_iter().map(|change| change.task().0).collect())
    }

    #[track_caller]
    fn check(landed: &[Landing], then: Landing, paths: &[&str], changes: &[u32]) {
        let (found, by) = undone(landed, then);
        assert_eq!((found, by), (paths.iter().map(|path| (*path).to_owned()).collect(), changes.to_vec()));
    }

    #[test]
    fn what_another_lane_landed_is_not_removed() {
        check(&[(1, &[("a", 0, 1)])], (2, &[("a", 1, 0)]), &["a"], &[0]);
        check(&[(1, &[("a", 1, 3)]), (2, &[("a", 3, 7)])], (2, &[("a", 7, 0)]), &["a"], &[0]);
        check(&[(1, &[("a", 0, 1)])], (1, &[("a", 1, 0)]), &[], &[]);
        check(&[(1, &[("b", 0, 1)])], (2, &[("a", 1, 0)]), &[], &[]);
    }

    #[test]
    fn what_stood_there_before_another_lanes_change_is_not_brought_back() {
        check(&[(1, &[("a", 1, 6)])], (2, &[("a", 6, 1)]), &["a"], &[0]);
        check(&[(1, &[("a", 1, 6)]), (2, &[("a", 6, 8)])], (2, &[("a", 8, 1)]), &["a"], &[0]);
        check(&[(1, &[("a", 1, 6)]), (2, &[("a", 6, 8)])], (2, &[("a", 8, 6)]), &[], &[]);
        check(&[(1, &[("a", 1, 0)])], (2, &[("a", 0, 1)]), &["a"], &[0]);
        check(&[(1, &[("a", 1, 6)])], (2, &[("a", 6, 9)]), &[], &[]);
    }

    #[test]
    fn another_lanes_lines_are_not_taken_out_without_any_put_in() {
        check(&[(1, &[("a", 1, 7)])], (2, &[("a", 7, 5)]), &["a"], &[0]);
        check(&[(1, &[("a", 1, 3)]), (2, &[("a", 3, 7)])], (2, &[("a", 7, 3)]), &[], &[]);
        check(&[(1, &[("a", 5, 7)])], (2, &[("a", 7, 3)]), &[], &[]);
        check(&[(1, &[("a", 1, 7)])], (2, &[("a", 7, 13)]), &[], &[]);
    }

    #[test]
    fn a_file_that_is_moved_keeps_its_past() {
        let landed: [Landing; 2] = [(1, &[("a", 1, 3)]), (2, &[("a", 3, 0), ("b", 0, 3)])];
        check(&landed[..1], landed[1], &[], &[]);
        check(&landed, (2, &[("b", 3, 0)]), &["b"], &[0]);
        check(&landed, (2, &[("b", 3, 1)]), &["b"], &[0]);
        check(&landed, (1, &[("a", 0, 3), ("b", 3, 0)]), &["a"], &[1]);
        let twins: [Landing; 1] = [(1, &[("a", 0, 3), ("b", 0, 3)])];
        check(&twins, (2, &[("a", 3, 0), ("b", 3, 0), ("c", 0, 3)]), &["b"], &[0]);
    }
}
