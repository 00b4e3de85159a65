//! `baton rollback`: a landed change taken back by an inverse one, and what later changes have to do with it.

use crate::answer::{Answer, talk_shown};
use crate::arguments::Rollback;
use crate::land::{Trouble, gates, hold, in_trouble, listen, turn_never_came};
use crate::{git_program, say};
use baton_landing::rollback::{self, RollbackEnd, RollbackOutcome, Wishes};
use baton_world::gate::Stop;
use serde_json::json;

/// Takes a change back.
pub(crate) fn rollback(wanted: &Rollback) -> Answer {
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

fn session(wanted: &Rollback, stop: &Stop) -> Result<Option<RollbackOutcome>, Trouble> {
    let wants = [format!("rollback {}", wanted.change)];
    let Some(site) = hold(&wanted.repo, &wants, stop)? else { return Ok(None) };
    let gates = gates(&site, &wanted.gates, (wanted.onto.as_deref(), false))?;
    let (change, onto, dry_run) = (wanted.change.clone(), wanted.onto.clone(), wanted.dry_run);
    Ok(Some(rollback::rollback(&site, &Wishes { change, onto, gates, dry_run }, stop)?))
}

fn told(outcome: &RollbackOutcome, as_json: bool) -> Answer {
    let code = match outcome.ended {
        RollbackEnd::RolledBack | RollbackEnd::WouldRollBack | RollbackEnd::Nothing => 0,
        RollbackEnd::Conflict | RollbackEnd::GateRed => 1,
        RollbackEnd::Contended | RollbackEnd::Stopped => 5,
    };
    let mut answer = Answer::new(code);
    if as_json {
        let mut object = serde_json::to_value(outcome).expect("an outcome can be written as JSON");
        object["exit_code"] = json!(code);
        answer.line(&object.to_string());
        return answer;
    }
    for dependent in &outcome.dependents {
        answer.shown(&format!("later change of the same files: {} ({})", dependent.name, dependent.files.join(", ")));
    }
    for conflict in &outcome.conflicts {
        answer.shown(&format!("  {} ({}): later changes stand on it", conflict.path, conflict.kind));
        for hunk in &conflict.hunks {
            hunk.ours.iter().for_each(|line| answer.shown(&format!("    - {line}")));
            hunk.theirs.iter().for_each(|line| answer.shown(&format!("    + {line}")));
        }
    }
    if let Some(gate) = &outcome.gate {
        answer.shown(&format!("`{}` is red without it ({})", gate.gate, gate.end));
        let last: Vec<&str> = gate.tail.lines().rev().take(4).collect();
        last.iter().rev().for_each(|line| answer.line(&format!("  | {line}")));
    }
    let files = say::counted(outcome.files.len() as u64, "file");
    answer.shown(&match outcome.ended {
        RollbackEnd::RolledBack => {
            format!("rolled back {} ({files}); {} is at {}", outcome.change, outcome.onto, outcome.main_after)
        }
        RollbackEnd::WouldRollBack => format!("would roll back {} ({files})", outcome.change),
        RollbackEnd::Nothing => format!("{} has nothing of {} any more", outcome.onto, outcome.change),
        RollbackEnd::Conflict => {
            format!("not rolled back: roll back what stands on {} first, newest first", outcome.change)
        }
        RollbackEnd::GateRed => "not rolled back; nothing has moved".to_owned(),
        RollbackEnd::Contended => "somebody else has moved main meanwhile; try again".to_owned(),
        RollbackEnd::Stopped => "interrupted; nothing has moved".to_owned(),
    });
    answer
}
