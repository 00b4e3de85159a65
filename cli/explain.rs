//! `baton explain`: the reason behind an error code, or what a promise means and how it is checked.

use crate::answer::Answer;
use crate::arguments::Explain;
use crate::say;
use baton_record::promise::PROMISES;
use baton_scenarios::{file, similar};
use serde_json::json;

/// What `verify` does about each promise.
const CHECKS: &[(&str, &str)] = &[
    (
        "MAIN-1",
        "that main's first-parent line is the landings of the journal, in their order and from the run's base; that each \
      was intended before on the main that it found; and that a foreign push is written down and nothing lands after it",
    ),
    (
        "MAIN-2",
        "that every change that the journal says has landed is on main once, with the trailers that credit it; that no \
      refused change is there; and that no commit is there of which the journal knows nothing",
    ),
    (
        "MAIN-3",
        "that merging the accepted changes again, one after the other, gives each tree that is on main, and that git \
      finds the repository sound",
    ),
    (
        "MAIN-4",
        "that the tree of every landing has passed all gates as exactly that tree, or that a person's override names that \
      gate and that tree; and that a person has said yes to exactly the change where the task leaves its plan to one",
    ),
    ("LOCK-1", "at every grant, that no live lease overlaps with it"),
    (
        "LOCK-2",
        "that fences only grow, that no change has landed under a fence older than the newest that was granted for a resource \
      that it touches, and that the fences in the repository are those of the journal",
    ),
    (
        "LOCK-3",
        "that leases and call slots are granted in the order of their requests, never more calls than an endpoint has slots, or room \
      for after it said that it has enough, and none while it wants to be left alone; and that nobody waits at the run's end",
    ),
    (
        "BUDGET-1",
        "at every reservation, that what is spent and reserved stays within each limit above it; that no call is refused that \
      fits; and that no minute has more calls or tokens than an endpoint's rate",
    ),
    ("BUDGET-2", "that every reservation is settled once, with no more than its bound, or is still open"),
    ("MAIL-1", "that every change that was submitted is answered, and answered once"),
    (
        "HAND-1",
        "that every task has one owner at a time, ends once, and is handed on only after its attempt was closed",
    ),
    (
        "HAND-2",
        "that every packet that was accepted is whole, lies under its hash and has links that lead to what they say; that one \
      that was refused is not; that a task moves only with an accepted packet; and that what lands of a task that is reviewed \
      is the change that was approved",
    ),
    (
        "ROLE-1",
        "that the skill file of every bound role lies in the run folder as it was when it bound the role; that every denial is one \
      that this file gives, and names its rule; and that what each landed change really did is allowed by its author's file",
    ),
    (
        "WHO-1",
        "that every effect names lane and task, and that the commits on main name the same; signatures are not part of this version",
    ),
    (
        "TIME-1",
        "with `--again`, that running the scenario of the folder again with its seed gives the same journal, byte by byte: of runs \
      in virtual time, and in the version that wrote them. Without it, `not exercised`",
    ),
    (
        "BACK-1",
        "that whatever on main says that it takes something back is a landing of the merger, gated like any other, and names a \
      change that had landed before; nobody can roll back in this version, so in a sound run it is not exercised",
    ),
    ("STOP-1", "that the last record names a stop condition, and that it fits what is before it"),
    ("STOP-2", "that between the acknowledgement of a pause and the resume no lane starts an effect"),
    (
        "LOG-1",
        "that every line is chained to the one before it and whole, and that run.json and scenario.yaml are those of this journal; \
      a torn last line is what a kill leaves and is no damage",
    ),
    (
        "LOG-2",
        "that no finished effect begins again, that deaths, restarts and faults follow each other as they can, and that a restarted actor folds what was there",
    ),
    (
        "UNDO-1",
        "by going through main again, that no landing removes a path that another lane wrote in this run, brings back what stood \
      there before another lane's landing, or only takes out lines of which another lane landed one, unless a person has \
      said yes to exactly that change for these paths; a file that is moved as it is keeps its past",
    ),
    ("ONE-1", "that every change that lands for a task with a canonical artifact writes that artifact"),
];

/// Explains a code or a promise; without one, lists them all.
pub(crate) fn explain(wanted: &Explain) -> Answer {
    let Some(written) = &wanted.code else { return list(wanted.json) };
    let word = written.trim().to_uppercase();
    if let Some(text) = file::explain(&word) {
        return say_it(&word, text.trim_end(), wanted.json);
    }
    if let Some((id, sentence)) = PROMISES.iter().find(|(id, _)| *id == word) {
        return say_it(id, &promise(id, sentence), wanted.json);
    }
    let known: Vec<&str> = known().map(|(word, _)| word).collect();
    let meant = similar::nearest(&word, known.iter().copied()).map(|near| format!("did you mean `{near}`? "));
    let meant = meant.unwrap_or_default();
    let why = format!("there is no code and no promise `{written}`; {meant}`baton explain` lists them");
    say::wrong_use(&why, wanted.json)
}

fn say_it(code: &str, text: &str, as_json: bool) -> Answer {
    match as_json {
        true => Answer::of(&json!({ "format": 1, "code": code, "text": text }).to_string()),
        false => Answer::of(text),
    }
}

fn promise(id: &str, sentence: &str) -> String {
    let (_, checks) = CHECKS.iter().find(|(checked, _)| *checked == id).expect("every promise has a check");
    format!("{id}: {sentence}.\n\n`baton verify` checks {checks}.")
}

/// Every code and every promise, each with its first sentence.
fn known() -> impl Iterator<Item = (&'static str, &'static str)> {
    let codes = file::codes().chain(baton_policies::codes()).chain(baton_packets::codes());
    let codes = codes.filter_map(|code| Some((code, file::explain(code)?.lines().next()?)));
    codes.chain(PROMISES)
}

fn list(as_json: bool) -> Answer {
    if as_json {
        let all: Vec<_> = known().map(|(code, sentence)| json!({ "code": code, "text": sentence })).collect();
        return Answer::of(&json!({ "format": 1, "codes": all }).to_string());
    }
    let mut answer = Answer::new(0);
    known().for_each(|(code, sentence)| answer.line(&format!("{code:9} {sentence}")));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_promise_has_one_check_that_is_explained_and_no_other_is() {
        let sorted = |mut ids: Vec<&'static str>| {
            ids.sort_unstable();
            ids
        };
        let explained = sorted(CHECKS.iter().map(|(id, _)| *id).collect());
        assert_eq!(explained, sorted(PROMISES.iter().map(|(id, _)| *id).collect()));
    }
}
