//! What waits for people, and what they say to it: `approvals`, `approve` of a task, and the commands `approve`, `deny` and
//! `override`.
//!
//! Owns these keys, and whether what they speak of can ever be asked in this file.

use super::codes::Code;
use super::duration::Zero;
use super::faults::Sink;
use super::scalar::{Field, listed, shown};
use super::source::Span;
use super::table::Table;
use super::tree::{Entry, Kind};
use crate::scenario::{About, Command, Patience, Patiences, TaskGroup};
use baton_record::TaskId;
use baton_record::event::{ApprovalSubject, ApprovalThen};

/// The word that ends a run with its plans.
pub(crate) const PLANNED: &str = "plan-approved";

/// What the rest of the file has people asked about; `None` where that part was refused.
#[derive(Clone, Copy)]
pub(crate) struct Asks {
    /// All tasks together.
    pub(crate) tasks: Option<u64>,
    /// Whether a task's plan waits for a person.
    pub(crate) plan: Option<bool>,
    /// Whether a task is reviewed, so that its rounds can be over.
    pub(crate) rounds: Option<bool>,
    /// Whether there is a gate to be overridden.
    pub(crate) gates: bool,
}

impl Asks {
    /// Of these groups of tasks, if none was refused.
    pub(crate) fn of(groups: Option<&[TaskGroup]>, gates: bool) -> Asks {
        let any = |fits: fn(&TaskGroup) -> bool| groups.map(|groups| groups.iter().any(fits));
        Asks {
            tasks: groups.map(|groups| groups.iter().map(|group| u64::from(group.tasks)).sum()),
            plan: any(|group| group.plan),
            rounds: any(|group| group.review.is_some()),
            gates,
        }
    }

    /// Warns where people are never asked about this.
    fn warn(self, sink: &mut Sink, subject: ApprovalSubject, at: Span) {
        let (asked, cure) = match subject {
            ApprovalSubject::Plan => (self.plan, "give a task `approve: plan`"),
            ApprovalSubject::Rounds => (self.rounds, "give a task a `review`"),
            ApprovalSubject::Undo | ApprovalSubject::Action => (None, ""),
        };
        if asked == Some(false) {
            let word = subject.word();
            sink.error(Code::NeverAsked, at, format!("nobody is ever asked about `{word}` in this file"))
                .label("never asked")
                .help(format!("{cure}, or delete this"));
        }
    }
}

/// The section `approvals`.
pub(crate) fn patiences(sink: &mut Sink, field: Field<'_>, asks: Asks) -> Option<Patiences> {
    let mut table = Table::open(sink, field, "`approvals`")?;
    let mut one = |sink: &mut Sink, (word, subject): (&'static str, ApprovalSubject)| {
        table.or(sink, word, Patience::default(), |sink, field| {
            asks.warn(sink, subject, field.at);
            patience(sink, field)
        })
    };
    let [undo, action, rounds, plan] = ApprovalSubject::ALL.map(|row| one(sink, row));
    table.close(sink);
    Some(Patiences { undo: undo?, action: action?, rounds: rounds?, plan: plan? })
}

/// `{ timeout: 30m, then: deny }`.
fn patience(sink: &mut Sink, field: Field<'_>) -> Option<Patience> {
    let default = Patience::default();
    let mut table = Table::open(sink, field, "a wait for a person")?;
    let timeout_us = table.or(sink, "timeout", default.timeout_us, |sink, field| field.duration(sink, Zero::Refused));
    let words = [("approve", ApprovalThen::Approve), ("deny", ApprovalThen::Deny), ("stop", ApprovalThen::Stop)];
    let then = table.or(sink, "then", default.then, |sink, field| field.word(sink, &words));
    table.close(sink);
    Some(Patience { timeout_us: timeout_us?, then: then? })
}

/// `approve: plan` of a task.
pub(crate) fn plan(sink: &mut Sink, field: Field<'_>) -> Option<bool> {
    field.word(sink, &[("plan", true)])
}

/// What `approve` and `deny` speak of: a task, a sort of question, or all of them.
pub(crate) fn answer(sink: &mut Sink, field: Field<'_>, approved: bool, asks: Asks) -> Option<Command> {
    let scalar = field.scalar(sink, "a task, a sort of question, or `all`: `T-3`, `undo`")?;
    if scalar.text.starts_with("T-") {
        return task(sink, field, asks).map(|task| Command::Answer { about: About::Task(task), approved });
    }
    let about = ApprovalSubject::ALL.map(|(word, subject)| (word, About::Subject(subject)));
    let words: Vec<(&str, About)> = about.into_iter().chain([("all", About::All)]).collect();
    let about = field.word(sink, &words)?;
    if let About::Subject(subject) = about {
        asks.warn(sink, subject, field.node.span);
    }
    Some(Command::Answer { about, approved })
}

/// `{ override: T-3 }`.
pub(crate) fn override_of(sink: &mut Sink, field: Field<'_>, asks: Asks) -> Option<Command> {
    let task = task(sink, field, asks);
    if !asks.gates {
        sink.error(Code::NothingThere, field.at, "a gate is overridden, and the file has no `gates`")
            .label("nothing could refuse the task's change")
            .help("add the gate that this is about, or delete the command");
        return None;
    }
    task.map(Command::Override)
}

/// A task by its number: `T-3`.
pub(crate) fn task(sink: &mut Sink, field: Field<'_>, asks: Asks) -> Option<TaskId> {
    let scalar = field.scalar(sink, "a task: `T-3`")?;
    let tasks = asks.tasks?;
    let found = TaskId::parse(scalar.text).filter(|task| u64::from(task.0) < tasks);
    if found.is_none() {
        sink.error(Code::UnknownName, scalar.span, format!("no task is called {}", shown(scalar.text)))
            .label("no such task")
            .help(format!("tasks of this file: `T-0` … `T-{}`", tasks.saturating_sub(1)));
    }
    found
}

/// `stop: { when: plan-approved }`; that it can be so.
pub(crate) fn planned(sink: &mut Sink, field: Option<Field<'_>>, asks: Asks) {
    let Some(Field { node, .. }) = field else { return };
    let Kind::Mapping(entries) = &node.kind else { return };
    let when = entries.iter().find(|entry| entry.key.text == "when");
    let said = |when: &&Entry| matches!(&when.value.kind, Kind::Scalar { text, .. } if text == PLANNED);
    if let Some(when) = when.filter(said).filter(|_| asks.plan == Some(false)) {
        sink.error(Code::NothingThere, when.value.span, "the run is to end with plans that nobody is asked about")
            .label("never approved")
            .help(format!("give a task {}", listed(["approve: plan"].into_iter())));
    }
}
