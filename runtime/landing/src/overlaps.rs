//! What is known before the first merge: which branches do not go together, and how often the gates will run.

use crate::LandError;
use crate::candidates::Candidate;
use crate::radar::{pairs_of, sweep};
use baton_core::batch::Stride;
use baton_record::Oid;
use baton_world::Stopwatch;
use baton_world::gate::Stop;
use baton_world::git::{Asked, Joined, Scratch};
use serde::Serialize;
use std::collections::BTreeSet;

/// So long, in seconds, pairs are looked at beforehand: more would take longer than it is worth. Some may take twice as long.
const SECONDS_MAX: f64 = 2.0;

/// Two that do not merge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overlap {
    /// A branch, or the one that is landed on.
    pub a: String,
    /// A branch that comes after it.
    pub b: String,
    /// Where.
    pub paths: Vec<String>,
}

/// What is expected of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Pairs that do not merge, of those that were looked at.
    pub overlaps: Vec<Overlap>,
    /// How many pairs there are.
    pub pairs: u64,
    /// How many of them were compared: those with main first, and as many as a little time is enough for.
    pub pairs_compared: u64,
    /// Runs of gates if none is red and no tree is known to have passed.
    pub gate_runs: u32,
    /// The same, branch by branch.
    pub one_by_one_runs: u32,
}

/// Looks at every two of main and the candidates.
pub(crate) fn forecast(
    scratch: &Scratch<'_>,
    (onto, main): (&str, Oid),
    candidates: &[Candidate],
    (gates, stride): (usize, Stride),
    stop: &Stop,
) -> Result<Forecast, LandError> {
    let sides: Vec<(&str, Oid)> = [(onto, main)]
        .into_iter()
        .chain(candidates.iter().map(|candidate| (candidate.name.as_str(), candidate.tip)))
        .collect();
    let which: Vec<(usize, usize)> = pairs_of(sides.len()).collect();
    let asked: Vec<Asked> = which.iter().map(|&(a, b)| (sides[a].1, sides[b].1)).collect();
    let answers = first_answers(scratch, &asked, stop)?;
    let pairs_compared = answers.len() as u64;
    let (mut overlaps, mut apart) = (Vec::new(), BTreeSet::new());
    for (&(a, b), answer) in which.iter().zip(answers) {
        let paths = match answer {
            Joined::Clean { .. } => continue,
            Joined::Conflicts(conflicts) => conflicts.into_iter().map(|conflict| conflict.path).collect(),
            Joined::Unrelated => Vec::new(),
        };
        apart.insert((a, b));
        overlaps.push(Overlap { a: sides[a].0.to_owned(), b: sides[b].0.to_owned(), paths });
    }
    // Whoever goes together with main and with all who land before lands.
    let mut landing = vec![0];
    for at in 1..sides.len() {
        if landing.iter().all(|&before| !apart.contains(&(before, at))) {
            landing.push(at);
        }
    }
    let (land, gates) = (landing.len() as u32 - 1, gates as u32);
    let one_by_one_runs = land * gates;
    let gate_runs = if stride == Stride::Each { one_by_one_runs } else { land.min(1) * gates };
    Ok(Forecast { overlaps, pairs: which.len() as u64, pairs_compared, gate_runs, one_by_one_runs })
}

/// As many answers as a little time is enough for.
fn first_answers(scratch: &Scratch<'_>, asked: &[Asked], stop: &Stop) -> Result<Vec<Joined>, LandError> {
    const AT_ONCE: usize = 200;
    let (clock, mut answers) = (Stopwatch::start(), Vec::new());
    for part in asked.chunks(AT_ONCE) {
        if clock.seconds() > SECONDS_MAX {
            break;
        }
        let swept = sweep(scratch, part, stop)?;
        answers.extend(swept.answers);
        if swept.stopped {
            break;
        }
    }
    Ok(answers)
}
