//! `baton conflicts --run`: which changes of a run's lanes are in each other's way, before they land.

use crate::answer::{Answer, talk};
use crate::arguments::Conflicts;
use crate::conflicts::{exit_code, place, thousands};
use crate::land::{Trouble, in_trouble, listen};
use crate::{git_program, say};
use baton_actors::pending::{Pending, PendingChange, Unreadable, pending};
use baton_landing::radar::lanes::{self, LaneChange, LanePair, LaneParty, LanesOutcome, Main};
use baton_world::gate::Stop;
use serde_json::json;
use std::path::Path;

/// No run there, or none that can be read.
const NO_RUN: u8 = 7;
/// Its journal is damaged.
const DAMAGED: u8 = 3;

/// Compares the changes of a run that have not landed.
pub(crate) fn conflicts(run: &Path, wanted: &Conflicts) -> Answer {
    if let Some(complaint) = git_program::complaint() {
        return say::wrong_use(&complaint, wanted.json);
    }
    let stop = Stop::default();
    if let Err(error) = listen(&stop) {
        talk(&format!("warning: ctrl-C will not end this in order: {error}"));
    }
    let journal = run.join("journal");
    if !journal.is_dir() {
        let why = format!("{} is no run folder: it holds no journal", run.display());
        return unreadable(run, &why, (NO_RUN, wanted.json));
    }
    let pending = match pending(&journal, &run.join("content")) {
        Ok(pending) => pending,
        Err(why) => {
            let code = if matches!(why, Unreadable::Journal(_)) { DAMAGED } else { NO_RUN };
            return unreadable(run, &why.to_string(), (code, wanted.json));
        }
    };
    let Some(tip) = pending.main else {
        return unreadable(run, "the run has not begun: its journal names no base", (NO_RUN, wanted.json));
    };
    let main = Main { tip, landed: pending.landed.clone() };
    let changes: Vec<LaneChange> = pending.changes.iter().map(change).collect();
    match lanes::look(&run.join("repo.git"), &main, &changes, &stop) {
        Ok(outcome) => told(&outcome, &pending, (run, wanted.json)),
        Err(error) => in_trouble(Trouble::Land(error), wanted.json),
    }
}

fn unreadable(run: &Path, why: &str, (code, as_json): (u8, bool)) -> Answer {
    talk(&format!("error: {why}"));
    let mut answer = Answer::new(code);
    if as_json {
        let object = json!({
            "format": 1, "exit_code": code, "run": run.display().to_string(), "error": why, "parties": [], "pairs": [],
        });
        answer.line(&object.to_string());
    }
    answer
}

fn change(pending: &PendingChange) -> LaneChange {
    LaneChange {
        name: pending.change.to_string(),
        lane: pending.lane.clone(),
        task: pending.change.task().to_string(),
        standing: pending.standing.word(),
        base: pending.base,
        commit: pending.commit,
        updates: pending.updates.clone(),
        edits: pending.edits.clone(),
    }
}

fn told(outcome: &LanesOutcome, pending: &Pending, (run, as_json): (&Path, bool)) -> Answer {
    let code = exit_code(outcome.stopped, outcome.conflicting);
    let mut answer = Answer::new(code);
    if as_json {
        let mut object = serde_json::to_value(outcome).expect("an outcome can be written as JSON");
        object["exit_code"] = json!(code);
        object["run"] = json!(run.display().to_string());
        let skipped = pending.unknown.iter().map(|(change, lane)| {
            json!({ "change": change.to_string(), "lane": lane, "why": "its lane has handed on nothing yet" })
        });
        object["skipped"] = skipped.collect();
        answer.line(&object.to_string());
        return answer;
    }
    if !pending.unknown.is_empty() {
        let attempts = say::counted(pending.unknown.len() as u64, "attempt");
        answer.line(&format!("{attempts} left out, of which nothing was handed on yet"));
    }
    outcome.pairs.iter().filter(|pair| !pair.clean).for_each(|pair| answer.line(&line(pair, &outcome.parties)));
    let (changes, pairs) = (outcome.parties.len() as u64 - 1, outcome.pairs.len() as u64);
    answer.line(&format!(
        "{}{}, {} compared with main and each other: {} in each other's way, {} of them by their paths alone, {:.1} s",
        if outcome.stopped { "interrupted; " } else { "" },
        say::counted(changes, "change"),
        say::counted(pairs, "pair"),
        thousands(outcome.conflicting),
        thousands(outcome.overlapping),
        outcome.took_s
    ));
    answer
}

/// `C-4.1 of writer.1 × C-9.1 of writer.2: notes/a.md (content, line 3)`.
fn line(pair: &LanePair, parties: &[LaneParty]) -> String {
    let of = |name: &str| {
        let lane = parties.iter().find(|party| party.name == name).and_then(|party| party.lane.as_deref());
        lane.map_or(name.to_owned(), |lane| format!("{name} of {lane}"))
    };
    let places: Vec<String> = pair.conflicts.iter().map(place).collect();
    format!("{} × {}: {}", of(&pair.a), of(&pair.b), places.join("; "))
}
