//! Why a change does not land, and whom it does not go together with: by the gates where that is cheap, by what both change
//! where it is not. And the text for whoever owns the branch.

mod owners;
mod traces;

use crate::LandError;
use crate::candidates::Candidate;
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
    let mut refused = RefusedChange { with, proven: true, conflicts: told, ..plain(candidate, Reason::Conflict, detail) };
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
    let (start, mut batch, mut tried) = (session.gate_runs(), Batch::red(ranked.len() as u32), 0_u32);
    loop {
        match batch.finding() {
            Some(Finding::MainRed) => return Ok(of(culprit, Reason::Gate, Vec::new(), true)),
            Some(Finding::Red { green }) => {
                return Ok(of(culprit, Reason::Pair, vec![ranked[green as usize].name.clone()], true));
            }
            Some(Finding::Green) | None => {}
        }
        // Alone first, then with the likeliest, then by halves.
        let prefix = if tried < 2 { Some(tried) } else { batch.wanted(1).first().copied() };
        let Some(prefix) = prefix.filter(|_| session.gate_runs() - start < budget) else { break };
        let Some(passed) = try_with(session, culprit, &ranked[..prefix as usize])? else { break };
        tried += 1;
        batch.learn(prefix, passed);
    }
    let likely = ranked.first().map(|candidate| candidate.name.clone());
    let reason = if tried > 0 { Reason::Pair } else { Reason::Gate };
    Ok(of(culprit, reason, likely.into_iter().collect(), false))
}

/// Whether the gates pass main with these and the culprit; `None`: they cannot be asked.
fn try_with(session: &mut Session<'_>, culprit: &Culprit, others: &[Candidate]) -> Result<Option<bool>, LandError> {
    let mut row = others.to_vec();
    row.push(culprit.candidate.clone());
    let chain = session.smith.chain(culprit.main, &row)?;
    if chain.links.len() != row.len() {
        return Ok(None);
    }
    let last = chain.links.last().expect("the culprit is in it");
    let probe = Probe { commit: last.commit, tree: last.tree, changes: Candidate::names(&row) };
    let verdicts = session.probe(&[probe])?;
    Ok(verdicts.map(|verdicts| verdicts == [Verdict::Passed]))
}

/// Those before a culprit, the likeliest partner first: by the words that one takes away or brings and the other brings, by the
/// files and folders that both touch, and by what the gate said.
fn rank(session: &Session<'_>, culprit: &Culprit) -> Result<Vec<Candidate>, LandError> {
    let of_culprit = Traces::of(session, culprit.main, culprit.candidate.tip)?;
    let mut scored = Vec::new();
    for (place, candidate) in culprit.before.iter().enumerate() {
        let traces = Traces::of(session, culprit.main, candidate.tip)?;
        let score = of_culprit.kinship(&traces, &culprit.red.tail);
        scored.push((std::cmp::Reverse(score), place, candidate.clone()));
    }
    scored.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    Ok(scored.into_iter().map(|(_, _, candidate)| candidate).collect())
}

fn of(culprit: &Culprit, reason: Reason, with: Vec<String>, proven: bool) -> RefusedChange {
    let RedGate { gate, end, .. } = &culprit.red;
    let detail = match (reason, proven, with.first()) {
        (Reason::Pair, true, Some(partner)) => {
            format!("`{gate}` passes with it alone, passes with {partner} without it, and is red with both ({end})")
        }
        (Reason::Pair, false, Some(partner)) => {
            format!("`{gate}` passes with it alone and is red with what landed before it ({end}), most likely {partner}")
        }
        (_, true, _) => format!("`{gate}` is red with it alone ({end})"),
        (_, false, Some(partner)) => {
            let landed = format!("`{gate}` is red with it on top of what landed before it ({end})");
            format!("{landed}; if it is not red alone, most likely {partner} is the other")
        }
        (_, false, None) => format!("`{gate}` is red with it on top of what landed before it ({end})"),
    };
    let gate = Some(culprit.red.clone());
    let mut refused = RefusedChange { with, proven, gate, ..plain(&culprit.candidate, reason, detail) };
    refused.hand_back = crate::outcome::hand_back(&refused);
    refused
}
