//! `baton conflicts`: which branches, worktrees and uncommitted work are in each other's way, before anybody lands.

use crate::answer::{Answer, talk_shown};
use crate::arguments::Conflicts;
use crate::land::{Trouble, in_trouble, listen};
use crate::visible::visible_name;
use crate::{conflicts_of_run, git_program, say};
use baton_landing::outcome::{HunkText, PathConflict};
use baton_landing::radar::{self, Pair, Party, RadarOutcome, Wishes};
use baton_world::gate::Stop;
use serde_json::json;

/// Some pair does not merge.
const CONFLICT: u8 = 1;
/// Somebody ended it.
const ENDED: u8 = 5;

/// Compares.
pub(crate) fn conflicts(wanted: &Conflicts) -> Answer {
    if let Some(run) = &wanted.run {
        return conflicts_of_run::conflicts(run, wanted);
    }
    if let Some(complaint) = git_program::complaint() {
        return say::wrong_use(&complaint, wanted.json);
    }
    let stop = Stop::default();
    if let Err(error) = listen(&stop) {
        talk_shown(&format!("warning: ctrl-C will not end this in order: {error}"));
    }
    let wishes = Wishes {
        refs: wanted.refs.clone(),
        onto: wanted.onto.clone(),
        worktrees: wanted.worktrees,
        committed: wanted.committed,
    };
    match radar::look(&wanted.repo, &wishes, &stop) {
        Ok(outcome) => told(&outcome, wanted.json),
        Err(error) => in_trouble(Trouble::Land(error), wanted.json),
    }
}

/// The exit code of a comparison.
pub(crate) fn exit_code(stopped: bool, conflicting: u64) -> u8 {
    match (stopped, conflicting) {
        (true, _) => ENDED,
        (false, 0) => 0,
        (false, _) => CONFLICT,
    }
}

fn told(outcome: &RadarOutcome, as_json: bool) -> Answer {
    let code = exit_code(outcome.stopped, outcome.conflicting);
    let mut answer = Answer::new(code);
    if as_json {
        let mut object = serde_json::to_value(outcome).expect("an outcome can be written as JSON");
        object["exit_code"] = json!(code);
        answer.line(&object.to_string());
        return answer;
    }
    for skipped in &outcome.skipped {
        answer.shown(&format!(
            "{}: what is not committed there is left out: {}",
            skipped.worktree.display(),
            skipped.why
        ));
    }
    for party in outcome.parties.iter().filter(|party| !party.uncommitted.is_empty()) {
        let files = say::counted(party.uncommitted.len() as u64, "file");
        answer.shown(&format!("{} is taken with uncommitted work in {files}", party.name));
    }
    outcome.pairs.iter().filter(|pair| !pair.clean).for_each(|pair| answer.shown(&line(pair, &outcome.parties)));
    let verb = if outcome.conflicting == 1 { "conflicts" } else { "conflict" };
    let (count, s) = (outcome.pairs.len() as u64, if outcome.pairs.len() == 1 { "" } else { "s" });
    let ended = if outcome.stopped { "interrupted; " } else { "" };
    answer.shown(&format!(
        "{ended}{} pair{s}, {} {verb}, {:.1} s",
        thousands(count),
        thousands(outcome.conflicting),
        outcome.took_s
    ));
    answer
}

/// One line for a pair: `a × b: src/x.rs, 2 hunks at lines 3, 40; y (modify/delete)`.
fn line(pair: &Pair, parties: &[Party]) -> String {
    let of = |name: &str| {
        let uncommitted = parties.iter().any(|party| party.name == name && !party.uncommitted.is_empty());
        if uncommitted { format!("{name} (uncommitted)") } else { name.to_owned() }
    };
    let places: Vec<String> = pair.conflicts.iter().map(place).collect();
    format!("{} × {}: {}", of(&pair.a), of(&pair.b), places.join("; "))
}

/// One place of a conflict: `src/x.rs (content, line 3)`.
pub(crate) fn place(conflict: &PathConflict) -> String {
    if conflict.path.is_empty() {
        return conflict.kind.clone();
    }
    let path = visible_name(&conflict.path);
    if conflict.hunks.is_empty() {
        return format!("{path} ({})", conflict.kind);
    }
    let at = |hunk: &HunkText| match (hunk.line, hunk.their_line) {
        (one, other) if one == other => one.to_string(),
        (one, other) => format!("{one}/{other}"),
    };
    let lines: Vec<String> = conflict.hunks.iter().map(at).collect();
    let lines_word = if lines.len() == 1 { "line" } else { "lines" };
    format!("{path} ({}, {lines_word} {})", conflict.kind, lines.join(", "))
}

/// `1,234`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits are ASCII")).collect();
    groups.join(",")
}
