//! Operators that take out every lane of a role which still has work: told before anybody runs into it.
//!
//! Owns only what a file's own commands come to, one after another. How far the work will be by then nobody knows here.

use super::codes::Code;
use super::faults::Sink;
use super::operators::Known;
use super::source::Span;
use crate::scenario::{Command, OperatorCommand};
use std::collections::BTreeSet;

/// Warns of each role with tasks that has no lane left after all commands. `said`: the commands, each with its place.
pub(crate) fn tell(sink: &mut Sink, said: &[(Span, OperatorCommand)], known: &Known<'_, '_>) {
    let Some(groups) = known.tasks else { return };
    let mut in_turn: Vec<&(Span, OperatorCommand)> = said.iter().collect();
    in_turn.sort_by_key(|(_, said)| said.at_us);
    let ends = in_turn.iter().position(|(_, said)| matches!(said.command, Command::Stop | Command::Drain));
    in_turn.truncate(ends.unwrap_or(in_turn.len()));
    for (place, row) in known.roles.rows.iter().enumerate() {
        let judges =
            |group: &crate::scenario::TaskGroup| group.review.as_ref().is_some_and(|review| review.role == row.name);
        let has_work = groups.iter().any(|group| group.role == place || judges(group));
        let (Some(lanes), true) = (row.lanes, has_work) else { continue };
        if let Some(at) = emptied_at(row.name, lanes, &in_turn) {
            let message = format!("no lane of `{}` is left after this, and tasks need the role", row.name);
            sink.error(Code::NobodyLeft, at, message)
                .label("takes out the last of them")
                .also(row.at, format!("the lanes of `{}`", row.name))
                .help("leave one of them in, or let others join later: `{ add: ROLE }`");
        }
    }
}

/// Where the last lane of a role goes, if none comes after it.
fn emptied_at(role: &str, lanes: u32, in_turn: &[&(Span, OperatorCommand)]) -> Option<Span> {
    let (mut joined, mut out, mut emptied) = (lanes, BTreeSet::new(), None);
    for (at, said) in in_turn {
        match &said.command {
            Command::Add { role: grows, lanes } if grows == role => {
                joined = joined.saturating_add(*lanes);
                emptied = None;
            }
            Command::Remove(lane) => {
                let number =
                    lane.rsplit_once('.').filter(|(of, _)| *of == role).and_then(|(_, number)| number.parse().ok());
                let there = number.filter(|number: &u32| *number <= joined);
                if there.is_some_and(|number| out.insert(number)) && out.len() as u64 == u64::from(joined) {
                    emptied = Some(*at);
                }
            }
            _ => {}
        }
    }
    emptied
}
