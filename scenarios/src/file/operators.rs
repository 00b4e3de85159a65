//! What people say during the run: `operators`.
//!
//! Owns the commands: words, and mappings for those that are about something. They need not stand in the order of their times.

use super::approvals::Asks;
use super::codes::Code;
use super::duration::End;
use super::faults::Sink;
use super::scalar::{Field, shown};
use super::table::{self, ListOf, Table};
use super::team::{CapsRead, LANES_MAX, Roles};
use super::tree::{Kind, Node};
use super::{approvals, budgets, misfortune, nobody_left};
use crate::resolve::interleaved;
use crate::scenario::{Command, OperatorCommand, TaskGroup, Whom};
use baton_record::TaskId;

/// Characters of a person's name.
const PERSON_MAX: usize = 64;
/// Characters of a reason.
const REASON_MAX: usize = 1_000;
/// Commands that are about something.
const ABOUT: [&str; 9] = ["kill", "budget", "add", "remove", "reassign", "release", "approve", "deny", "override"];

/// What a command can refer to.
pub(crate) struct Known<'k, 'n> {
    /// The roles and their lanes.
    pub(crate) roles: &'k Roles<'n>,
    /// What the run may at most have.
    pub(crate) caps: &'k CapsRead,
    /// The tasks; `None` if some of them were refused.
    pub(crate) tasks: Option<&'k [TaskGroup]>,
    /// When the run ends at the latest.
    pub(crate) end: Option<End>,
    /// What people are asked.
    pub(crate) asks: Asks,
}

/// How many lanes the commands of the section add to each role: others may name them. What is wrong with the commands
/// is told when they are read.
pub(crate) fn note_joining(section: Option<Field<'_>>, roles: &mut Roles<'_>) {
    let Some(Kind::Sequence(entries)) = section.map(|field| &field.node.kind) else { return };
    let added = entries.iter().filter_map(|entry| value(value(entry, "do")?, "add"));
    for added in added {
        let named = value(added, "role").unwrap_or(added);
        let lanes = value(added, "lanes").and_then(text).map_or(Some(1), |lanes| lanes.parse().ok());
        let place = text(named).and_then(|name| roles.known.places.get(name).copied());
        if let (Some(place), Some(lanes)) = (place, lanes) {
            let row = &mut roles.rows[place];
            row.joining = row.joining.saturating_add(lanes).min(LANES_MAX);
        }
    }
}

fn value<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Kind::Mapping(entries) = &node.kind else { return None };
    entries.iter().find(|entry| entry.key.text == key).map(|entry| &entry.value)
}

fn text(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

/// The section `operators`.
pub(crate) fn commands(sink: &mut Sink, field: Field<'_>, known: &Known<'_, '_>) -> Option<Vec<OperatorCommand>> {
    let of = ListOf { example: "{ at: 6m, by: ana, do: pause-all }", needed: false };
    let mut said = Vec::new();
    let commands = table::list(sink, field, of, |sink, entry| {
        let command = command(sink, entry, known)?;
        said.push((entry.at, command.clone()));
        Some(command)
    });
    nobody_left::tell(sink, &said, known);
    commands
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

/// `{ kill: implementer.3 }`, `{ reassign: T-3, to: implementer.2 }` and the like.
fn about(sink: &mut Sink, field: Field<'_>, known: &Known<'_, '_>) -> Option<Command> {
    let roles = known.roles;
    let mut table = Table::open(sink, field, "a command")?;
    let command = match table.choice(sink, &ABOUT, &["to"]) {
        Some((key @ ("approve" | "deny"), field)) => approvals::answer(sink, field, key == "approve", known.asks),
        Some(("override", field)) => approvals::override_of(sink, field, known.asks),
        Some(("kill", field)) => misfortune::lane(sink, field, roles).map(Command::Kill),
        Some(("remove", field)) => misfortune::lane(sink, field, roles).map(Command::Remove),
        Some(("release", field)) => misfortune::lane(sink, field, roles).map(Command::Release),
        Some(("add", field)) => add(sink, field, known),
        Some(("reassign", field)) => {
            let task = task(sink, field, known);
            let to = table.need(sink, "to", |sink, field| heir(sink, field, (task, known)));
            task.zip(to).map(|(task, to)| Command::Reassign { task, to })
        }
        Some((_, field)) => {
            let budgets = budgets::limits(sink, field, roles);
            budgets.zip(roles.list.as_ref()).map(|(budgets, roles)| Command::Budget(budgets.sets(roles)))
        }
        None => None,
    };
    table.close(sink);
    command
}

/// `implementer`, or `{ role: implementer, lanes: 3 }`.
fn add(sink: &mut Sink, field: Field<'_>, known: &Known<'_, '_>) -> Option<Command> {
    let role = |sink: &mut Sink, field: Field<'_>| {
        let place = known.roles.known.find(sink, field)?;
        Some(known.roles.rows[place].name.to_owned())
    };
    if !matches!(field.node.kind, Kind::Mapping(_)) {
        return role(sink, field).map(|role| Command::Add { role, lanes: 1 });
    }
    let mut table = Table::open(sink, field, "`add`")?;
    let role = table.need(sink, "role", role);
    let lanes = table.or(sink, "lanes", 1, |sink, field| {
        let lanes = field.count(sink, 1..=LANES_MAX)?;
        fits_the_cap(sink, field, (lanes, known.caps)).then_some(lanes)
    });
    table.close(sink);
    Some(Command::Add { role: role?, lanes: lanes? })
}

/// More lanes at once than a team may have can never join; whether fewer have room is seen when they are to join.
fn fits_the_cap(sink: &mut Sink, field: Field<'_>, (lanes, caps): (u32, &CapsRead)) -> bool {
    let Some(cap) = caps.caps.map(|caps| caps.lanes).filter(|cap| lanes > *cap) else { return true };
    let message = format!("{lanes} lanes are to join at once, but the cap is {cap}");
    let help = format!("lower it, or raise the cap: `caps: {{ lanes: {lanes} }}`");
    let draft = sink.error(Code::AboveCap, field.node.span, message).label("more than the cap").help(help);
    if let Some(at) = caps.lanes_at {
        draft.also(at, "the cap");
    }
    false
}

/// `T-3`.
fn task(sink: &mut Sink, field: Field<'_>, known: &Known<'_, '_>) -> Option<TaskId> {
    let scalar = field.scalar(sink, "a task: `T-3`")?;
    let total: Option<u64> = known.tasks.map(|groups| groups.iter().map(|group| u64::from(group.tasks)).sum());
    let task = TaskId::parse(scalar.text);
    if let Some(task) = task.filter(|task| total.is_none_or(|total| u64::from(task.0) < total)) {
        return Some(task);
    }
    let message = match task {
        Some(_) => format!("command is about task {}, which the file does not have", shown(scalar.text)),
        None => format!("{} is not a task", shown(scalar.text)),
    };
    let help = match total.and_then(|total| total.checked_sub(1)) {
        Some(0) => "there is one task: `T-0`".to_owned(),
        Some(last) => format!("the tasks are `T-0` to `T-{last}`"),
        None => "tasks are numbered from `T-0`".to_owned(),
    };
    sink.error(Code::UnknownTask, scalar.span, message).label("no such task").help(help);
    None
}

/// A lane or role that does the task, or reviews it.
fn heir(sink: &mut Sink, field: Field<'_>, (task, known): (Option<TaskId>, &Known<'_, '_>)) -> Option<Whom> {
    let (role, whom) = misfortune::whom(sink, field, known.roles)?;
    let group = task.zip(known.tasks).map(|(task, groups)| &groups[interleaved(groups)[task.0 as usize]]);
    let Some(group) = group else { return Some(whom) };
    let (rows, own) = (&known.roles.rows, known.roles.rows[role].name);
    let reviewer = group.review.as_ref().map(|review| review.role.as_str());
    if group.role == role || reviewer == Some(own) {
        return Some(whom);
    }
    let does = rows[group.role].name;
    let task = task.unwrap_or_default();
    let message = format!("{task} is given to role `{own}`, which neither does nor reviews it");
    sink.error(Code::NotItsRole, field.node.span, message)
        .label("could never take it")
        .help(format!("write `{does}`, or one of its lanes: `{does}.1`"))
        .also(rows[group.role].at, format!("{task} is done by `{does}`"));
    None
}
