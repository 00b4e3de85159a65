//! What people say during the run: `operators`.
//!
//! Owns the commands. They need not stand in the order of their times.

use super::duration::End;
use super::faults::Sink;
use super::scalar::Field;
use super::table::{self, ListOf, Table};
use crate::scenario::{Command, OperatorCommand};

/// Characters of a person's name.
const PERSON_MAX: usize = 64;
/// Characters of a reason.
const REASON_MAX: usize = 1_000;

/// The section `operators`.
pub(crate) fn commands(sink: &mut Sink, field: Field<'_>, end: Option<End>) -> Option<Vec<OperatorCommand>> {
    let of = ListOf { example: "{ at: 6m, by: ana, do: pause-all }", needed: false };
    table::list(sink, field, of, |sink, entry| command(sink, entry, end))
}

fn command(sink: &mut Sink, entry: Field<'_>, end: Option<End>) -> Option<OperatorCommand> {
    let mut table = Table::open(sink, entry, "a command")?;
    let at_us = table.need(sink, "at", |sink, field| field.time_of_run(sink, end));
    let by = table.need(sink, "by", |sink, field| field.text(sink, PERSON_MAX));
    let words = [("pause-all", Command::PauseAll), ("resume-all", Command::ResumeAll), ("stop", Command::Stop)];
    let command = table.need(sink, "do", |sink, field| field.word(sink, &words));
    let reason = table.or(sink, "reason", String::new(), |sink, field| field.text(sink, REASON_MAX));
    table.close(sink);
    Some(OperatorCommand { at_us: at_us?, by: by?, command: command?, reason: reason? })
}
