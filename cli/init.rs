//! `baton init`: the first gate of a repository, found, proven and written down.

use crate::answer::{Answer, talk_shown};
use crate::arguments::Init;
use crate::land::{Trouble, empty_submodules, hold, in_trouble, listen, turn_never_came};
use crate::{git_program, say};
use baton_landing::gates::{Gate, TIMEOUT_S};
use baton_landing::init::{self, InitEnd, InitOutcome, Wishes};
use baton_world::gate::Stop;
use serde_json::json;

/// Finds, proves and writes.
pub(crate) fn init(wanted: &Init) -> Answer {
    if let Some(complaint) = git_program::complaint() {
        return say::wrong_use(&complaint, wanted.json);
    }
    let stop = Stop::default();
    if let Err(error) = listen(&stop) {
        talk_shown(&format!("warning: ctrl-C will not end this in order: {error}"));
    }
    match session(wanted, &stop) {
        Ok(Some(outcome)) => told(&outcome, wanted.json),
        Ok(None) => turn_never_came(wanted.json),
        Err(trouble) => in_trouble(trouble, wanted.json),
    }
}

fn session(wanted: &Init, stop: &Stop) -> Result<Option<InitOutcome>, Trouble> {
    let Some(site) = hold(&wanted.repo, &["init".to_owned()], stop)? else { return Ok(None) };
    let timeout_s = wanted.timeout.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(TIMEOUT_S);
    let gates = wanted.gate.iter().map(|line| Gate { timeout_s, ..Gate::of(line) }).collect();
    let wishes = Wishes { gates, timeout_s, onto: wanted.onto.clone(), commit: wanted.commit };
    let mut begins = |onto: &str| {
        if !wanted.json {
            talk_shown(&format!("runs the gates on {onto} as it is"));
        }
    };
    Ok(Some(init::init(&site, &wishes, stop, &mut begins)?))
}

fn told(outcome: &InitOutcome, as_json: bool) -> Answer {
    let code = match outcome.ended {
        InitEnd::Written => 0,
        InitEnd::MainRed => 1,
        InitEnd::Contended | InitEnd::Stopped => 5,
    };
    let mut answer = Answer::new(code);
    if as_json {
        let mut object = serde_json::to_value(outcome).expect("an outcome can be written as JSON");
        object["exit_code"] = json!(code);
        answer.line(&object.to_string());
        return answer;
    }
    for (place, gate) in outcome.gates.iter().enumerate() {
        let by = outcome.found_by.get(place).map_or(String::new(), |by| format!(" (because of {by})"));
        answer.shown(&format!("gate: {gate}{by}"));
    }
    if !outcome.empty_submodules.is_empty() {
        talk_shown(&empty_submodules(&outcome.empty_submodules));
    }
    if let Some(gate) = &outcome.gate {
        let last: Vec<&str> = gate.tail.lines().rev().take(8).collect();
        last.iter().rev().for_each(|line| answer.line(&format!("  | {line}")));
        answer.shown(&format!("{} does not pass `{}` ({})", outcome.onto, gate.gate, gate.end));
    }
    answer.shown(&match (outcome.ended, &outcome.file, outcome.commit) {
        (InitEnd::Written, Some(file), _) => format!("{} is green; wrote {}: commit it", outcome.onto, file.display()),
        (InitEnd::Written, None, Some(commit)) => format!("{} is green; baton.yaml is on it ({commit})", outcome.onto),
        (InitEnd::Written, None, None) => format!("{} is green", outcome.onto),
        (InitEnd::MainRed, ..) => "nothing is written; name another command with --gate, or mend it first".to_owned(),
        (InitEnd::Contended, ..) => "somebody else has moved it meanwhile; try again".to_owned(),
        (InitEnd::Stopped, ..) => "interrupted; nothing is written".to_owned(),
    });
    answer
}
