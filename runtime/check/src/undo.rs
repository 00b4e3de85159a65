//! Owns UNDO-1: a landing that takes back what another lane has landed in the same run has a person's yes for that.
//!
//! A change takes a landed change of another lane back at a path if it removes the path, if it brings it to what it was before
//! that change, or if it only takes lines out and one of them came with that change. What a lane has landed itself, and what
//! was there before the run, anybody may take back. A file that is gone from one path and new, byte by byte, at another is
//! moved: its past goes with it. Deliberately does not know who may say yes to what; [`crate::consent`] does.

use crate::report::Judgement;
use crate::repository::{Delta, Entry, Repository};
use baton_record::{ChangeId, Oid};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One landing as it moved main.
pub(crate) struct Move<'m> {
    pub(crate) change: ChangeId,
    /// The lane that made it.
    pub(crate) author: &'m str,
    pub(crate) deltas: &'m [Delta],
}

/// What one landing takes back: at these paths, of these changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TakenBack {
    pub(crate) paths: BTreeSet<Vec<u8>>,
    pub(crate) changes: BTreeSet<ChangeId>,
}

/// A path's past: who moved it from what to what.
#[derive(Clone, Copy)]
struct Event<'m> {
    change: ChangeId,
    author: &'m str,
    was: Option<Entry>,
    is: Option<Entry>,
}

/// A path whose lines decide: its landing by number, its step, and its past by others.
struct Doubt<'m> {
    landing: usize,
    delta: &'m Delta,
    past: Vec<Event<'m>>,
}

/// UNDO-1 over all landings in their order; `allowed` says whether a person's yes covers what a landing takes back.
pub(crate) fn judge(
    moves: &[Move<'_>],
    repository: &Repository,
    allowed: &dyn Fn(ChangeId, &TakenBack) -> bool,
) -> Result<Judgement, String> {
    let mut undo_1 = Judgement::default();
    let taken = taken_back(moves, repository)?;
    for (landing, (taken, touched)) in moves.iter().zip(taken) {
        let id = landing.change;
        if touched {
            undo_1.claim(taken.changes.is_empty() || allowed(id, &taken), || {
                let whose = taken.changes.first().map(ToString::to_string).unwrap_or_default();
                let path = taken.paths.first().map(|path| String::from_utf8_lossy(path).into_owned());
                let path = path.unwrap_or_default();
                format!("{id} takes back what {whose} landed at {path}, and nobody has approved that")
            });
        }
    }
    undo_1.note(format!("{} landings, none takes back another lane's work without a person's yes", moves.len()));
    Ok(undo_1)
}

/// For each landing what it takes back, and whether it touched another lane's work at all.
fn taken_back(moves: &[Move<'_>], repository: &Repository) -> Result<Vec<(TakenBack, bool)>, String> {
    let mut pasts: BTreeMap<&[u8], Vec<Event<'_>>> = BTreeMap::new();
    let mut found: Vec<(TakenBack, bool)> = moves.iter().map(|_| (TakenBack::default(), false)).collect();
    let mut doubts = Vec::new();
    for (number, landing) in moves.iter().enumerate() {
        let carried = carried(landing.deltas);
        for delta in landing.deltas.iter().filter(|delta| !carried.contains_key(delta.path.as_slice())) {
            let past = pasts.get(delta.path.as_slice()).map(Vec::as_slice).unwrap_or_default();
            let others: Vec<Event<'_>> = past.iter().filter(|event| event.author != landing.author).copied().collect();
            if others.is_empty() {
                continue;
            }
            found[number].1 = true;
            let whole = by_content(past, delta, landing.author);
            if delta.before.is_some() && delta.after.is_some() {
                doubts.push(Doubt { landing: number, delta, past: others });
            }
            note(&mut found[number].0, &delta.path, whole);
        }
        let moved: Vec<(&[u8], Vec<Event<'_>>)> =
            carried.iter().map(|(from, to)| (*to, pasts.get(from).cloned().unwrap_or_default())).collect();
        pasts.extend(moved);
        for Delta { path, before, after } in landing.deltas {
            let arrived = carried.values().any(|to| *to == path.as_slice());
            let was = if arrived { *after } else { *before };
            let event = Event { change: landing.change, author: landing.author, was, is: *after };
            pasts.entry(path).or_default().push(event);
        }
    }
    by_lines(doubts, repository, &mut found)?;
    Ok(found)
}

fn note(taken: &mut TakenBack, path: &[u8], changes: BTreeSet<ChangeId>) {
    if !changes.is_empty() {
        taken.paths.insert(path.to_vec());
        taken.changes.extend(changes);
    }
}

/// From where to where files went without a change: each to one place, in the order of paths.
fn carried(deltas: &[Delta]) -> BTreeMap<&[u8], &[u8]> {
    let mut arrived: BTreeMap<Entry, VecDeque<&[u8]>> = BTreeMap::new();
    for delta in deltas.iter().filter(|delta| delta.before.is_none()) {
        if let Some(after) = delta.after {
            arrived.entry(after).or_default().push_back(&delta.path);
        }
    }
    let mut carried = BTreeMap::new();
    for delta in deltas.iter().filter(|delta| delta.after.is_none()) {
        let to = delta.before.and_then(|before| arrived.get_mut(&before)?.pop_front());
        to.map(|to| carried.insert(delta.path.as_slice(), to));
    }
    carried
}

/// Changes of others that a step takes back by what stands there afterwards.
fn by_content(past: &[Event<'_>], delta: &Delta, author: &str) -> BTreeSet<ChangeId> {
    let since = match past.iter().rposition(|event| event.was == delta.after) {
        Some(at) => at,
        None if delta.after.is_none() => past.iter().rposition(|event| event.was.is_none()).unwrap_or(0),
        None => past.len(),
    };
    past[since..].iter().filter(|event| event.author != author).map(|event| event.change).collect()
}

/// Steps that only take lines out.
fn by_lines(doubts: Vec<Doubt<'_>>, repository: &Repository, found: &mut [(TakenBack, bool)]) -> Result<(), String> {
    let steps = doubts.iter().flat_map(|doubt| {
        let own = [doubt.delta.before, doubt.delta.after];
        own.into_iter().chain(doubt.past.iter().flat_map(|event| [event.was, event.is]))
    });
    let names: BTreeSet<Oid> = steps.flatten().filter(|(mode, _)| is_file(*mode)).map(|(_, blob)| blob).collect();
    let names: Vec<Oid> = names.into_iter().collect();
    let mut lines: BTreeMap<Oid, Lines> = BTreeMap::new();
    repository.objects(&names, &mut |at, _, bytes| {
        lines.insert(names[at], Lines::of(bytes));
        Ok(())
    })?;
    let nothing = Lines::default();
    let of = |entry: Option<Entry>| entry.and_then(|(_, blob)| lines.get(&blob)).unwrap_or(&nothing);
    for Doubt { landing, delta, past } in doubts {
        let files = [delta.before, delta.after].into_iter().flatten().all(|(mode, _)| is_file(mode));
        let (before, after) = (of(delta.before), of(delta.after));
        let lost = before.without(after);
        if !files || lost.0.is_empty() || !after.without(before).0.is_empty() {
            continue;
        }
        let put =
            |event: &&Event<'_>| of(event.is).without(of(event.was)).0.keys().any(|line| lost.0.contains_key(line));
        let changes = past.iter().filter(put).map(|event| event.change).collect();
        note(&mut found[landing].0, &delta.path, changes);
    }
    Ok(())
}

fn is_file(mode: u32) -> bool {
    matches!(mode, 0o100_644 | 0o100_755)
}

/// How often each line that is not empty stands in a file.
#[derive(Default)]
struct Lines(BTreeMap<Box<[u8]>, usize>);

impl Lines {
    fn of(bytes: &[u8]) -> Lines {
        let mut counts: BTreeMap<Box<[u8]>, usize> = BTreeMap::new();
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            *counts.entry(line.into()).or_default() += 1;
        }
        Lines(counts)
    }

    fn without(&self, other: &Lines) -> Lines {
        let left = |line: &[u8], count: usize| count.saturating_sub(other.0.get(line).copied().unwrap_or_default());
        let lines = self.0.iter().map(|(line, count)| (line.clone(), left(line, *count)));
        Lines(lines.filter(|(_, left)| *left > 0).collect())
    }
}
