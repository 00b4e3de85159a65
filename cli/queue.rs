//! `baton queue`: who waits to land, what is being tried, and what became of what was tried before.

use crate::answer::Answer;
use crate::arguments::Queue;
use crate::land::{Trouble, in_trouble};
use crate::visible::visible_name;
use crate::{git_program, say};
use baton_landing::LandError;
use baton_landing::fact::Fact;
use baton_landing::{log, site};
use baton_world::git::PersonRepository;
use serde_json::{Value, json};

/// Shows the queue of a repository. Waits for nobody and changes nothing.
pub(crate) fn queue(wanted: &Queue) -> Answer {
    if let Some(complaint) = git_program::complaint() {
        return say::wrong_use(&complaint, wanted.json);
    }
    match read(wanted) {
        Ok((waiting, decided)) if wanted.json => {
            let object = json!({ "format": 1, "exit_code": 0, "waiting": waiting, "decided": decided });
            Answer::of(&object.to_string())
        }
        Ok((waiting, decided)) => told(&waiting, &decided),
        Err(error) => in_trouble(Trouble::Land(error), wanted.json),
    }
}

fn read(wanted: &Queue) -> Result<(Vec<site::Waiting>, Vec<Value>), LandError> {
    let repository = PersonRepository::find(&wanted.repo)?;
    let state = site::state_directory(&repository);
    let waiting = site::queue(&state)?;
    let mut decided = decisions(&log::facts(&state.join("log.jsonl"))?);
    decided.drain(..decided.len().saturating_sub(wanted.last));
    Ok((waiting, decided))
}

/// What landed, what was refused and what was rolled back, oldest first. An intention that came to nothing is none.
fn decisions(entries: &[log::Entry]) -> Vec<Value> {
    let (mut decided, mut intended) = (Vec::new(), None);
    for entry in entries {
        match &entry.fact {
            Fact::Intended(begun) => intended = Some(begun),
            Fact::Forgotten(_) => intended = None,
            Fact::Landed(landed) => {
                for change in intended.take().into_iter().flat_map(|intended| &intended.changes) {
                    decided.push(json!({
                        "t": entry.t, "what": "landed", "ref": change.name, "tip": change.tip, "commit": change.commit,
                        "main_after": landed.main_after,
                    }));
                }
            }
            Fact::Refused(refused) => decided.push(json!({
                "t": entry.t, "what": "refused", "ref": refused.name, "tip": refused.tip, "reason": refused.reason,
                "detail": refused.detail, "with": refused.with,
            })),
            Fact::MainAdopted(adopted) => {
                decided.push(json!({ "t": entry.t, "what": "adopted", "found": adopted.found, "onto": adopted.onto }));
            }
            Fact::Began(_) | Fact::GateRan(_) | Fact::Ended(_) => {}
        }
    }
    decided
}

fn told(waiting: &[site::Waiting], decided: &[Value]) -> Answer {
    let mut answer = Answer::new(0);
    for (place, waiting) in waiting.iter().enumerate() {
        let place = if place == 0 { "now".to_owned() } else { format!("{place}.") };
        answer.shown(&format!("{place} process {}: {} ({})", waiting.pid, waiting.wants.join(", "), waiting.doing));
    }
    if waiting.is_empty() {
        answer.shown("nobody lands or waits");
    }
    for decision in decided {
        let word = |key: &str| decision[key].as_str().unwrap_or_default().to_owned();
        answer.shown(&match word("what").as_str() {
            "landed" => format!("landed   {}", word("ref")),
            "refused" => format!("refused  {}: {}", word("ref"), visible_name(&word("detail"))),
            _ => format!("adopted  {}: somebody else's commits", word("found")),
        });
    }
    answer
}
