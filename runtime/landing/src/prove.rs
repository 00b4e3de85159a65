//! Merges replayed beside git: what is merged in process has git's verdict and git's tree, or it is told here.
//!
//! Real histories, merge commit by merge commit; branches of them that were never merged with each other; changes of them taken
//! back; and generated ones (see [`generator`]). Where two commits part is compared as well. The judge is `git merge-tree --write-tree`, with the attributes of the first parent, as in a checkout of it.

pub mod generator;

use crate::LandError;
use crate::aside::Aside;
use baton_record::Oid;
use baton_record::event::Verdict;
use baton_world::Stopwatch;
use baton_world::gate::Stop;
use baton_world::git::{Asked, AskedOn, Joined, PersonRepository, Scratch};
use generator::Generated;
use serde::Serialize;
use std::path::Path;

/// So many differing merges are told by name.
const NAMED_MAX: usize = 20;
/// So many merges are asked for at a time, unless that takes too long for somebody who wishes to end it.
const BATCH: usize = 200;
/// About so long.
const BATCH_S: f64 = 1.0;

/// What was compared, and what came of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Proof {
    /// Merges that were compared.
    pub cases: u64,
    /// Of these: answered by the tree walk.
    pub walk: u64,
    /// One side had done nothing.
    pub same: u64,
    /// Left to git, and clean.
    pub git: u64,
    /// Left to git, and in conflict.
    pub conflict: u64,
    /// With several best common ancestors.
    pub criss_cross: u64,
    /// With none.
    pub unrelated: u64,
    /// Whose common ancestors were found in process.
    pub bases: u64,
    /// Answers of the process that are not those of git.
    pub differing: u64,
    /// Common ancestors that are not those of git.
    pub differing_bases: u64,
    /// Some of either.
    pub differences: Vec<Difference>,
    /// Whether a person ended it early.
    pub stopped: bool,
    /// Seconds.
    pub took_s: f64,
}

/// A merge with two answers.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// The merge commit, or the seed and number of a generated case.
    pub case: String,
    /// Our side.
    pub ours: Oid,
    /// Their side.
    pub theirs: Oid,
    /// What was found in process.
    pub found: String,
    /// What git says.
    pub git: String,
}

/// Hears how many merges are compared, of how many.
pub type Listener<'l> = &'l mut dyn FnMut(u64, u64);

/// Which merges of a real history are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All merge commits with two parents, of all refs.
    Merges,
    /// What each of them merged, with what the next so many of them merged: work that was done side by side.
    Neighbours(usize),
    /// Each change of the line that is checked out, taken back so many changes later.
    Rollbacks(usize),
}

/// A merge to compare: its name, its sides, and its base if that is not where they part.
#[derive(Clone, Debug)]
struct Case {
    name: String,
    sides: Asked,
    base: Option<Oid>,
}

impl Proof {
    /// Whether nothing differs.
    pub fn holds(&self) -> bool {
        self.differing + self.differing_bases == 0
    }

    fn differs(&mut self, case: &Case, found: String, git: String) {
        if self.differences.len() < NAMED_MAX {
            let (ours, theirs) = case.sides;
            self.differences.push(Difference { case: case.name.clone(), ours, theirs, found, git });
        }
    }
}

/// Compares merges of the history of the repository around `place`.
pub fn replay(place: &Path, which: Which, stop: &Stop, tell: Listener<'_>) -> Result<Proof, LandError> {
    let clock = Stopwatch::start();
    let repository = PersonRepository::find(place)?;
    let cases = cases(&repository, which)?;
    let aside = Aside::make()?;
    let mut proof = Proof::default();
    let all = cases.len() as u64;
    let (mut rest, mut batch) = (cases.as_slice(), BATCH);
    while !rest.is_empty() && !proof.stopped {
        let began = Stopwatch::start();
        let (part, behind) = rest.split_at(batch.min(rest.len()));
        // Objects of merges that are done with are in the way of nobody but the disk.
        let scratch = Scratch::make(&repository, &aside.folder().join(proof.cases.to_string()))?;
        compare(&scratch, part, &mut proof, stop)?;
        tell(proof.cases, all);
        rest = behind;
        batch = if began.seconds() > BATCH_S { (batch / 2).max(1) } else { (batch * 2).min(BATCH) };
    }
    proof.took_s = clock.seconds();
    Ok(proof)
}

fn cases(repository: &PersonRepository, which: Which) -> Result<Vec<Case>, LandError> {
    let case = |name: String, sides: Asked| Case { name, sides, base: None };
    match which {
        Which::Merges => {
            let merges = repository.merge_commits()?.into_iter();
            Ok(merges.map(|(merge, ours, theirs)| case(merge.to_hex(), (ours, theirs))).collect())
        }
        Which::Neighbours(count) => {
            let branches: Vec<Oid> = repository.merge_commits()?.into_iter().map(|(_, _, theirs)| theirs).collect();
            let beside = |at: usize| branches[at + 1..].iter().take(count).map(move |other| (at, *other));
            let pairs = (0..branches.len()).flat_map(beside).map(|(at, other)| (branches[at], other));
            Ok(pairs.map(|(one, other)| case(format!("{one} beside {other}"), (one, other))).collect())
        }
        Which::Rollbacks(later) => {
            let line = repository.first_parent_line()?;
            let back = |(at, (change, before)): (usize, &(Oid, Oid))| {
                let main = line[at.checked_sub(later)?].0;
                let name = format!("{change} taken back on {main}");
                Some(Case { name, sides: (main, *before), base: Some(*change) })
            };
            Ok(line.iter().enumerate().filter_map(back).collect())
        }
    }
}

/// Generates merges from a seed and compares them.
pub fn generated(count: u64, seed: u64, stop: &Stop, tell: Listener<'_>) -> Result<Proof, LandError> {
    let clock = Stopwatch::start();
    let mut proof = Proof::default();
    let mut first = 0;
    while first < count && !proof.stopped {
        let aside = Aside::make()?;
        let number = (count - first).min(BATCH as u64);
        let Generated { repository, sides } =
            generator::generate(&aside.folder().join("generated"), seed, first, number)?;
        let repository = PersonRepository::find(&repository)?;
        let scratch = Scratch::make(&repository, &aside.folder().join("objects"))?;
        let case = |(at, sides): (usize, Asked)| {
            let name = format!("seed {seed}, case {}", first + at as u64);
            Case { name, sides, base: None }
        };
        let cases: Vec<Case> = sides.into_iter().enumerate().map(case).collect();
        compare(&scratch, &cases, &mut proof, stop)?;
        first += number;
        tell(proof.cases, count);
    }
    proof.took_s = clock.seconds();
    Ok(proof)
}

fn compare(scratch: &Scratch<'_>, cases: &[Case], proof: &mut Proof, stop: &Stop) -> Result<(), LandError> {
    let bases = bases(scratch, cases)?;
    let related: Vec<AskedOn> = cases
        .iter()
        .zip(&bases)
        .filter(|(_, bases)| !bases.is_empty())
        .map(|(case, _)| (case.base, case.sides))
        .collect();
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let mut by_git = scratch.merge_all_by_git_on(&related, jobs)?.into_iter();
    for (case, bases) in cases.iter().zip(bases) {
        if stop.wished() {
            proof.stopped = true;
            return Ok(());
        }
        proof.cases += 1;
        proof.criss_cross += u64::from(bases.len() > 1);
        if case.base.is_none()
            && let Some(found) = scratch.merge_bases_in_process(case.sides)?
        {
            proof.bases += 1;
            if found != bases {
                proof.differing_bases += 1;
                proof.differs(case, format!("parts at {found:?}"), format!("parts at {bases:?}"));
            }
        }
        let git =
            if bases.is_empty() { Joined::Unrelated } else { by_git.next().expect("git has answered all of them") };
        judge(scratch, case, &git, proof)?;
    }
    Ok(())
}

/// Where the sides of each case part, as git says; or the base that it is to have.
fn bases(scratch: &Scratch<'_>, cases: &[Case]) -> Result<Vec<Vec<Oid>>, LandError> {
    let open: Vec<Asked> = cases.iter().filter(|case| case.base.is_none()).map(|case| case.sides).collect();
    let mut found = scratch.person().merge_bases_by_git(&open)?.into_iter();
    let of = |case: &Case| match case.base {
        Some(base) => vec![base],
        None => found.next().expect("git has answered all of them"),
    };
    Ok(cases.iter().map(of).collect())
}

/// Counts a case, and whether what the process says of it is what git says.
fn judge(scratch: &Scratch<'_>, case: &Case, git: &Joined, proof: &mut Proof) -> Result<(), LandError> {
    let found = match case.base {
        Some(base) => scratch.merge_in_process_on(base, case.sides)?,
        None => scratch.merge_in_process(case.sides)?,
    };
    let agrees = match (&found, git) {
        (Some(Joined::Clean { tree: found, by }), Joined::Clean { tree, .. }) => {
            proof.same += u64::from(*by == Verdict::Same);
            proof.walk += u64::from(*by == Verdict::Walk);
            found == tree
        }
        (Some(Joined::Unrelated), Joined::Unrelated) | (None, Joined::Unrelated) => {
            proof.unrelated += 1;
            true
        }
        (None, Joined::Clean { .. }) => {
            proof.git += 1;
            true
        }
        (None, Joined::Conflicts(_)) => {
            proof.conflict += 1;
            true
        }
        _ => false,
    };
    if !agrees {
        proof.differing += 1;
        proof.differs(case, format!("{found:?}"), format!("{git:?}"));
    }
    Ok(())
}
