//! The radar over the lanes of a run: changes that have not landed, pair by pair and each with main.
//!
//! Where both sides are known, byte for byte, they are merged aside, as everywhere on the radar. Of a change that only the
//! journal tells of, its paths are known: whoever shares none is clean, and everything else overlaps. Writes only aside.

use super::{Aside, Pair, Swept, pairs_of, sweep};
use crate::LandError;
use crate::outcome::PathConflict;
use baton_record::Oid;
use baton_record::event::{Update, UpdateOp};
use baton_world::Stopwatch;
use baton_world::gate::Stop;
use baton_world::git::{Asked, CommitMeta, Edit, PersonRepository, Scratch};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// A change that has not landed.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneChange {
    /// Its name.
    pub name: String,
    /// The lane that made it.
    pub lane: String,
    /// The task that it is for.
    pub task: String,
    /// Where it is on its way.
    pub standing: &'static str,
    /// The commit of main that it was made from.
    pub base: Oid,
    /// The commit that proposes it; the repository need not have it.
    pub commit: Option<Oid>,
    /// What it does, path by path.
    pub updates: Vec<Update>,
    /// Its files, where they are known.
    pub edits: Option<Vec<Edit>>,
}

/// Where main is, and how it came there.
#[derive(Clone, Debug, PartialEq)]
pub struct Main {
    /// Its commit.
    pub tip: Oid,
    /// Each landing: where main was after it, who made it, what it did.
    pub landed: Vec<(Oid, String, Vec<Update>)>,
}

/// One side of pairs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LaneParty {
    /// The change, or `main`.
    pub name: String,
    /// Who made it; main is nobody's.
    pub lane: Option<String>,
    /// The task that it is for.
    pub task: Option<String>,
    /// `submitted`, `in-review`, `waits-for-person`; of main: `landed`.
    pub standing: &'static str,
    /// The commit of main that it was made from; of main, where it is.
    pub tip: Oid,
    /// The paths that it writes, leaves or removes, ascending; of main none.
    pub paths: Vec<String>,
    /// Whether its content is known, so that it can be merged.
    pub known: bool,
}

/// The answer for two of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LanePair {
    /// The one.
    pub a: String,
    /// The other.
    pub b: String,
    /// Whether they merge, as far as is known.
    pub clean: bool,
    /// The merged tree, where both were merged and do.
    pub tree: Option<Oid>,
    /// Where they do not merge, or overlap: `ours` and `theirs` are the lanes.
    pub conflicts: Vec<PathConflict>,
    /// `merge`: they were merged; `paths`: their paths were compared.
    pub by: &'static str,
}

/// All pairs.
#[derive(Clone, Debug, Serialize)]
pub struct LanesOutcome {
    /// Version of this object.
    pub format: u32,
    /// Always `main`.
    pub onto: Option<String>,
    /// Who was compared.
    pub parties: Vec<LaneParty>,
    /// Each two of them, once.
    pub pairs: Vec<LanePair>,
    /// Pairs that do not merge, or may not.
    pub conflicting: u64,
    /// Of these, the ones of which only the paths are known.
    pub overlapping: u64,
    /// Pairs that were merged without git.
    pub in_process: u64,
    /// Whether a person ended it before all pairs were compared.
    pub stopped: bool,
    /// Seconds.
    pub took_s: f64,
}

/// Compares the changes of a run's lanes with each other and with main.
pub fn look(place: &Path, main: &Main, changes: &[LaneChange], stop: &Stop) -> Result<LanesOutcome, LandError> {
    let clock = Stopwatch::start();
    let repository = PersonRepository::find(place)?;
    let aside = Aside::make()?;
    let scratch = Scratch::make(&repository, &aside.folder().join("objects"))?;
    let mut sides = vec![Side::main(main)];
    for change in changes {
        sides.push(Side::of(change, &scratch)?);
    }
    let which: Vec<(usize, usize)> = pairs_of(sides.len()).collect();
    let merged: Vec<(usize, usize)> =
        which.iter().copied().filter(|(a, b)| sides[*a].commit.is_some() && sides[*b].commit.is_some()).collect();
    let asked: Vec<Asked> = merged.iter().filter_map(|(a, b)| sides[*a].commit.zip(sides[*b].commit)).collect();
    let Swept { answers, in_process, stopped } = sweep(&scratch, &asked, stop)?;
    let mut answers: BTreeMap<(usize, usize), _> = merged.into_iter().zip(answers).collect();
    let told = |(at, with): (usize, usize)| {
        let (a, b) = (&sides[at], &sides[with]);
        match answers.remove(&(at, with)) {
            Some(answer) => Some(LanePair::merged(Pair::of(a.owner(), b.owner(), answer), (a, b))),
            None => (!stopped).then(|| LanePair::by_paths(a, b, main)),
        }
    };
    let pairs: Vec<LanePair> = which.into_iter().filter_map(told).collect();
    let conflicting = pairs.iter().filter(|pair| !pair.clean);
    let overlapping = conflicting.clone().filter(|pair| pair.by == "paths").count() as u64;
    let conflicting = conflicting.count() as u64;
    let parties = sides.into_iter().map(|side| side.party).collect();
    let (onto, took_s) = (Some("main".to_owned()), clock.seconds());
    Ok(LanesOutcome { format: 1, onto, parties, pairs, conflicting, overlapping, in_process, stopped, took_s })
}

/// A party, and what is merged or compared of it.
struct Side {
    party: LaneParty,
    commit: Option<Oid>,
    base: Oid,
    /// By path: what is done there.
    done: BTreeMap<String, UpdateOp>,
}

impl Side {
    fn main(main: &Main) -> Side {
        let (name, tip) = ("main".to_owned(), main.tip);
        let (lane, task, paths) = (None, None, Vec::new());
        let party = LaneParty { name, lane, task, standing: "landed", tip, paths, known: true };
        Side { party, commit: Some(tip), base: tip, done: BTreeMap::new() }
    }

    fn of(change: &LaneChange, scratch: &Scratch<'_>) -> Result<Side, LandError> {
        let commit = match (&change.edits, change.commit) {
            (Some(edits), _) => Some(made(change, edits, scratch)?),
            (None, Some(commit)) => scratch.repository().commit(commit).is_ok().then_some(commit),
            (None, None) => None,
        };
        let done = done_by(&change.updates);
        let party = LaneParty {
            name: change.name.clone(),
            lane: Some(change.lane.clone()),
            task: Some(change.task.clone()),
            standing: change.standing,
            tip: change.base,
            paths: done.keys().cloned().collect(),
            known: commit.is_some(),
        };
        Ok(Side { party, commit, base: change.base, done })
    }

    /// What is told as the side of a conflict.
    fn owner(&self) -> &str {
        self.party.lane.as_deref().unwrap_or(&self.party.name)
    }
}

/// The commit that proposes a change, made aside.
fn made(change: &LaneChange, edits: &[Edit], scratch: &Scratch<'_>) -> Result<Oid, LandError> {
    let (author, subject) = (change.lane.clone(), change.name.clone());
    let email = format!("{author}@baton.invalid");
    let meta = CommitMeta { author, email, time_s: 0, subject, trailers: Vec::new() };
    let proposal = scratch.repository().propose(change.base, edits, &meta)?;
    scratch.repository().store(&proposal.objects)?;
    Ok(proposal.commit)
}

/// By path: what is done there; what a rename leaves is gone.
fn done_by(updates: &[Update]) -> BTreeMap<String, UpdateOp> {
    let mut done = BTreeMap::new();
    for update in updates {
        done.extend(update.from.iter().map(|from| (from.clone(), UpdateOp::Delete)));
        // Whoever renames a file and then edits it has renamed it.
        done.entry(update.path.clone()).or_insert(update.op);
    }
    done
}

impl LanePair {
    fn merged(pair: Pair, (a, b): (&Side, &Side)) -> LanePair {
        let Pair { clean, tree, conflicts, .. } = pair;
        LanePair { a: a.party.name.clone(), b: b.party.name.clone(), clean, tree, conflicts, by: "merge" }
    }

    fn by_paths(a: &Side, b: &Side, main: &Main) -> LanePair {
        let since = if a.party.lane.is_none() { landed_since(main, b.base) } else { BTreeMap::new() };
        let ours = |path: &String| match a.party.lane {
            Some(_) => a.done.get(path).map(|op| (a.owner(), *op)),
            None => since.get(path).copied(),
        };
        let shared = b.done.iter().filter_map(|(path, theirs)| Some((path, ours(path)?, *theirs)));
        let conflicts: Vec<PathConflict> = shared
            .map(|(path, (owner, ours), theirs)| PathConflict {
                path: path.clone(),
                kind: kind(ours, theirs).to_owned(),
                ours: owner.to_owned(),
                theirs: b.owner().to_owned(),
                hunks: Vec::new(),
            })
            .collect();
        let (a, b) = (a.party.name.clone(), b.party.name.clone());
        LanePair { a, b, clean: conflicts.is_empty(), tree: None, conflicts, by: "paths" }
    }
}

/// What has landed behind a commit of main, by path: by whom last, and what was done.
fn landed_since(main: &Main, base: Oid) -> BTreeMap<String, (&str, UpdateOp)> {
    let known = main.landed.iter().position(|(after, ..)| *after == base).map_or(0, |at| at + 1);
    let mut since = BTreeMap::new();
    for (_, lane, updates) in &main.landed[known..] {
        since.extend(done_by(updates).into_iter().map(|(path, op)| (path, (lane.as_str(), op))));
    }
    since
}

/// What two sides that touch one path come to, as far as that is known without its content.
fn kind(ours: UpdateOp, theirs: UpdateOp) -> &'static str {
    use UpdateOp::{Create, Delete};
    match (ours, theirs) {
        (Create, Create) => "add/add",
        (Delete, Delete) => "overlap",
        (Delete, _) | (_, Delete) => "modify/delete",
        _ => "overlap",
    }
}
