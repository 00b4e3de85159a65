//! What people say during the run: `operators`.
//!
//! Owns the commands: words, and mappings for those that are about something. They need not stand in the order of their times.

use super::approvals::Asks;
use super::duration::End;
use super::faults::Sink;
use super::scalar::Field;
use super::table::{self, ListOf, Table};
use super::team::Roles;
use super::tree::Kind;
use super::{approvals, budgets, misfortune};
use crate::scenario::{Command, OperatorCommand};

/// Characters of a person's name.
const PERSON_MAX: usize = 64;
/// Characters of a reason.
const REASON_MAX: usize = 1_000;

/// What a command can refer to.
pub(crate) struct Known<'k, 'n> {
    /// The roles and their lanes.
    pub(crate) roles: &'k Roles<'n>,
    /// When the run ends at the latest.
    pub(crate) end: Option<End>,
    /// What people are asked.
    pub(crate) asks: Asks,
}

/// The section `operators`.
pub(crate) fn commands(sink: &mut Sink, field: Field<'_>, known: &Known<'_, '_>) -> Option<Vec<OperatorCommand>> {
    let of = ListOf { example: "{ at: 6m, by: ana, do: pause-all }", needed: false };
    table::list(sink, field, of, |sink, entry| command(sink, entry, known))
}

fn command(sink: &mut Sink, entry: Field<'_>, known: &Known<'_, '_>) -> Option<OperatorCommand> {
    let mut table = Table::open(sink, entry, "a command")?;
    let at_us = table.need(sink, "at", |sink, field| field.time_of_run(sink, known.end));
    let by = table.need(sink, "by", |sink, field| field.text(sink, PERSON_MAX));
    let command = table.need(sink, "do", |sink, field| said(sink, field, known));
    let why = |sink: &mut Sink, field: Field<'_>| field.text(sink, REASON_MAX);
    let reason = match command {
        // Whoever puts a gate aside says why.
        Some(Command::Override(_)) => table.need(sink, "reason", why),
        _ => table.or(sink, "reason", String::new(), why),
    };
    table.close(sink);
    Some(OperatorCommand { at_us: at_us?, by: by?, command: command?, reason: reason? })
}

fn said(sink: &mut Sink, field: Field<'_>, known: &Known<'_, '_>) -> Option<Command> {
    if matches!(field.node.kind, Kind::Mapping(_)) {
        return about(sink, field, known);
    }
    let words = ["pause-all", "resume-all", "stop", "drain"];
    let word = field.word(sink, &words.map(|word| (word, word)))?;
    Some(match word {
        "pause-all" => Command::PauseAll,
        "resume-all" => Command::ResumeAll,
        "stop" => Command::Stop,
        _ => Command::Drain,
    })
}

/// `{ kill: implementer.3 }` or `{ budget: { run: { usd: 8 } } }`.
fn about(sink: &mut Sink, field: Field<'_>, known: &Known<'_, '_>) -> Option<Command> {
    let mut table = Table::open(sink, field, "a command")?;
    let roles = known.roles;
    let command = match table.choice(sink, &["kill", "budget", "approve", "deny", "override"], &[]) {
        Some((key @ ("approve" | "deny"), field)) => approvals::answer(sink, field, key == "approve", known.asks),
        Some(("override", field)) => approvals::override_of(sink, field, known.asks),
        Some(("kill", field)) => misfortune::lane(sink, field, roles).map(Command::Kill),
        Some((_, field)) => {
            let budgets = budgets::limits(sink, field, roles);
            budgets.zip(roles.list.as_ref()).map(|(budgets, roles)| Command::Budget(budgets.counted_out(roles)))
        }
        None => None,
    };
    table.close(sink);
    command
}
