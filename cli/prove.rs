//! `baton prove merge`: merges of a repository, or generated ones, replayed beside git, and what differed.

use crate::answer::{Answer, mutter, talk};
use crate::arguments::ProveMerge;
use crate::land::{Trouble, in_trouble, listen};
use crate::{git_program, say};
use baton_landing::prove::{self, Proof, Which};
use baton_world::gate::Stop;
use serde_json::json;
use std::io::IsTerminal;

/// Something differs: a promise is broken.
const BROKEN: u8 = 3;
/// Somebody ended it.
const ENDED: u8 = 5;

/// Replays.
pub(crate) fn merge(wanted: &ProveMerge) -> Answer {
    if let Some(complaint) = git_program::complaint() {
        return say::wrong_use(&complaint, wanted.json);
    }
    let stop = Stop::default();
    if let Err(error) = listen(&stop) {
        talk(&format!("warning: ctrl-C will not end this in order: {error}"));
    }
    let terminal = std::io::stderr().is_terminal();
    let mut tell = |done: u64, all: u64| {
        let (before, after) = if terminal { ("\r\x1b[2K", "") } else { ("", "\n") };
        mutter(&format!("{before}{done} of {all} merges{after}"));
    };
    let proof = match wanted.generated {
        Some(count) => prove::generated(count, wanted.seed, &stop, &mut tell),
        None => prove::replay(&wanted.repo, which(wanted), &stop, &mut tell),
    };
    if terminal {
        mutter("\r\x1b[2K");
    }
    match proof {
        Ok(proof) => told(&proof, wanted),
        Err(error) => in_trouble(Trouble::Land(error), wanted.json),
    }
}

fn which(wanted: &ProveMerge) -> Which {
    match (wanted.neighbours, wanted.rollbacks) {
        (Some(count), _) => Which::Neighbours(count),
        (None, Some(later)) => Which::Rollbacks(later),
        (None, None) => Which::Merges,
    }
}

fn told(proof: &Proof, wanted: &ProveMerge) -> Answer {
    let code = match proof {
        _ if !proof.holds() => BROKEN,
        Proof { stopped: true, .. } => ENDED,
        _ => 0,
    };
    let mut answer = Answer::new(code);
    if wanted.json {
        let mut object = serde_json::to_value(proof).expect("a proof can be written as JSON");
        object["format"] = json!(1);
        object["exit_code"] = json!(code);
        object["held"] = json!(proof.holds());
        object["seed"] = json!(wanted.generated.map(|_| wanted.seed));
        answer.line(&object.to_string());
        return answer;
    }
    for difference in &proof.differences {
        answer.line(&format!("{}: {} and {}", difference.case, difference.ours, difference.theirs));
        answer.line(&format!("  in process: {}", difference.found));
        answer.line(&format!("  git:        {}", difference.git));
    }
    let Proof { cases, walk, same, git, conflict, criss_cross, unrelated, bases, .. } = proof;
    answer.line(&format!("{walk} by the walk, {same} with one side as it was, {git} by git, {conflict} in conflict, {unrelated} unrelated"));
    answer.line(&format!("{criss_cross} with several common ancestors; those of {bases} were found in process"));
    let ended = if proof.stopped { "interrupted; " } else { "" };
    let differing = proof.differing + proof.differing_bases;
    answer.line(&format!("{ended}{cases} merges, {differing} different, {}", say::duration(proof.took_s)));
    answer
}
