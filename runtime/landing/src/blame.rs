//! Why a change does not land, and whom it does not go together with: by the gates where that is cheap, by what both change
//! where it is not. And the text for whoever owns the branch.

mod owners;
mod traces;

use crate::LandError;
use crate::candidates::Candidate;
use crate::chain::Smith;
use crate::gates::{Probe, RedGate, Verdict};
use crate::land::{Culprit, Session};
use crate::outcome::{PathConflict, Reason, RefusedChange};
use baton_core::batch::{Batch, Finding};
use baton_world::git::Conflict;
use std::collections::BTreeSet;
use traces::Traces;

/// A refusal that needs no search.
pub(crate) fn plain(candidate: &Candidate, reason: Reason, detail: String) -> RefusedChange {
    let mut refused = RefusedChange {
        name: candidate.name.clone(),
        tip: candidate.tip,
        reason,
        detail,
        with: Vec::new(),
        proven: false,
        conflicts: Vec::new(),
        gate: None,
        hand_back: String::new(),
    };
    refused.hand_back = crate::outcome::hand_back(&refused);
    refused
}

/// A change that does not merge with main as it is now: named are those whose landed work it meets.
pub(crate) fn conflict(
    session: &Session<'_>,
    candidate: &Candidate,
    conflicts: &[Conflict],
) -> Result<RefusedChange, LandError> {
    let onto = session.onto_name().to_owned();
    let bases = session.scratch.merge_bases(session.main, candidate.tip)?;
    let owners = owners::Owners::since(session, bases.first().copied())?;
    let (mut with, mut told) = (BTreeSet::new(), Vec::new());
    for conflict in conflicts {
        let ours = owners.of(session, &conflict.path)?.unwrap_or_else(|| onto.clone());
        told.push(PathConflict::of(conflict, &ours, &candidate.name));
        with.insert(ours);
    }
    let paths: BTreeSet<&str> = conflicts.iter().map(|conflict| conflict.path.as_str()).collect();
    let paths: Vec<&str> = paths.into_iter().collect();
    let with: Vec<String> = with.into_iter().collect();
    let detail = format!("it does not merge with {}: {}", with.join(", "), paths.join(", "));
    let mut refused =
        RefusedChange { with, proven: true, conflicts: told, ..plain(candidate, Reason::Conflict, detail) };
    refused.hand_back = crate::outcome::hand_back(&refused);
    Ok(refused)
}

/// A change that is red on top of others: alone too, or together with one of them. `budget`: so many runs of gates it may take
/// to find out.
pub(crate) fn red(session: &mut Session<'_>, culprit: &Culprit, budget: u32) -> Result<RefusedChange, LandError> {
    if culprit.before.is_empty() {
        return Ok(of(culprit, Reason::Gate, Vec::new(), true));
    }
    let ranked = rank(session, culprit)?;
    let (start, mut batch, mut tried) = (session.gate_runs(), Batch::red(ranked.row.len() as u32), 0_u32);
    loop {
        match batch.finding() {
            Some(Finding::Red { green }) => {
                return Ok(of(culprit, Reason::Pair, vec![ranked.row[green as usize].name.clone()], true));
            }
            Some(Finding::Green | Finding::MainRed) | None => {}
        }
        // Alone first, then with the likeliest if one is, then by halves.
        let prefix = match tried {
            0 => Some(0),
            1 if ranked.stands_out => Some(1),
            _ => batch.wanted(1).first().copied(),
        };
        let Some(prefix) = prefix.filter(|_| session.gate_runs() - start < budget.max(1)) else { break };
        let Some(passed) = try_with(session, culprit, &ranked.row[..prefix as usize])? else { break };
        tried += 1;
        if prefix == 0 && !passed {
            return Ok(of(culprit, Reason::Gate, Vec::new(), true));
        }
        batch.learn(prefix, passed);
    }
    // Whoever is left: those that were not cleared by a green row.
    let left = Candidate::names(&ranked.row[batch.green() as usize..]);
    let reason = if tried > 0 { Reason::Pair } else { Reason::Gate };
    let mut refused = of(culprit, reason, left, false);
    if budget < u32::MAX {
        refused.detail.push_str("; --blame-fully finds out");
        refused.hand_back = crate::outcome::hand_back(&refused);
    }
    Ok(refused)
}

/// Whether the gates pass main with these and the culprit; `None`: they cannot be asked.
fn try_with(session: &mut Session<'_>, culprit: &Culprit, others: &[Candidate]) -> Result<Option<bool>, LandError> {
    let mut row = others.to_vec();
    row.push(culprit.candidate.clone());
    // Nothing of this lands, so no checkout has to follow it.
    let smith = Smith { checkouts: &[], examines: false, ..session.smith };
    let chain = smith.chain(culprit.main, &row)?;
    if chain.links.len() != row.len() {
        return Ok(None);
    }
    let last = chain.links.last().expect("the culprit is in it");
    let probe = Probe { commit: last.commit, tree: last.tree, changes: Candidate::names(&row) };
    let verdicts = session.probe(&[probe])?;
    Ok(verdicts.map(|verdicts| verdicts == [Verdict::Passed]))
}

/// Those before a culprit, the likeliest partner first.
struct Ranked {
    row: Vec<Candidate>,
    /// Whether something speaks for the first more than for the others.
    stands_out: bool,
}

/// Ranks those before a culprit by the words that one takes away and the other brings, by the files and folders that both
/// touch, and by what the gate said.
fn rank(session: &Session<'_>, culprit: &Culprit) -> Result<Ranked, LandError> {
    let said = format!("{}\n{}", culprit.red.gate, culprit.red.tail);
    let of_culprit = Traces::of(session, culprit.main, culprit.candidate.tip)?;
    let mut scored = Vec::new();
    for candidate in &culprit.before {
        let traces = Traces::of(session, culprit.main, candidate.tip)?;
        scored.push((of_culprit.kinship(&traces, &said), candidate.clone()));
    }
    // Sorting keeps the order of those that are alike.
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let stands_out = match &scored[..] {
        [(first, _), (second, _), ..] => first > second,
        _ => true,
    };
    Ok(Ranked { row: scored.into_iter().map(|(_, candidate)| candidate).collect(), stands_out })
}

fn of(culprit: &Culprit, reason: Reason, with: Vec<String>, proven: bool) -> RefusedChange {
    let RedGate { gate, failing, .. } = &culprit.red;
    let end = &match &failing[..] {
        [] => culprit.red.end.clone(),
        [test] => format!("{test} fails"),
        [test, more @ ..] => format!("{test} and {} more fail", more.len()),
    };
    let detail = match (reason, proven, with.first()) {
        (Reason::Pair, true, Some(partner)) => {
            format!("`{gate}` passes with it alone, passes with {partner} without it, and is red with both ({end})")
        }
        (Reason::Pair, ..) => {
            format!("`{gate}` passes with it alone and is red with what landed before it ({end}): with {}", few(&with))
        }
        (_, true, _) => format!("`{gate}` is red with it alone ({end})"),
        (_, false, _) => format!("`{gate}` is red with it on top of what landed before it ({end})"),
    };
    let gate = Some(culprit.red.clone());
    let mut refused = RefusedChange { with, proven, gate, ..plain(&culprit.candidate, reason, detail) };
    refused.hand_back = crate::outcome::hand_back(&refused);
    refused
}

/// The names of those who may be the partner.
fn few(names: &[String]) -> String {
    const FEW: usize = 5;
    match names {
        [one] => one.clone(),
        _ if names.len() <= FEW => format!("one of {}", names.join(", ")),
        _ => format!("one of {} and {} others", names[..FEW].join(", "), names.len() - FEW),
    }
}
