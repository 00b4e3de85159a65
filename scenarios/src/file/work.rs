//! What is to be done: `tasks`.
//!
//! Owns an entry's keys and how many tasks it stands for. The actions of `do` are read in `actions`.

use super::actions::{self, Ground};
use super::approvals;
use super::binding;
use super::codes::Code;
use super::collisions::Places;
use super::faults::Sink;
use super::names::Known;
use super::path::{self, Overlaps};
use super::route;
use super::scalar::{Field, shown};
use super::source::Span;
use super::table::{self, ListOf, Table};
use super::team::{CapsRead, Roles, TASKS_MAX};
use crate::scenario::{Action, TaskGroup};

/// Changes after which a task is given up, if the file does not say.
const ATTEMPTS: u32 = 16;
/// What it may say at most.
const ATTEMPTS_MAX: u32 = 64;
/// Model calls before a change.
const STEPS_MAX: u32 = 10_000;

/// Keys that may stand beside the number of tasks.
const BESIDE: [&str; 10] =
    ["approve", "by", "touches", "canonical", "steps", "attempts", "do", "name", "after", "review"];

/// The tasks, and what other sections are judged by.
pub(crate) struct Work {
    /// `None`: something of the section was refused.
    pub(crate) groups: Option<Vec<TaskGroup>>,
    /// What the tasks touch; `None` if that is not known of all of them.
    pub(crate) touches: Option<Overlaps>,
    /// Where each entry says what it writes.
    pub(crate) places: Vec<Places>,
}

/// How many tasks an entry stands for, and where that is said.
struct Size {
    tasks: u64,
    at: Span,
}

/// The section `tasks`.
pub(crate) fn tasks<'n>(sink: &mut Sink, table: &mut Table<'n>, roles: &Roles<'_>, caps: &CapsRead) -> Work {
    let mut touches = Some(Overlaps::default());
    let (mut sizes, mut groups, mut places) = (Vec::new(), Known::new("task group"), Vec::new());
    let of = ListOf { example: "{ each: 10, by: implementer, do: { append: token } }", needed: true };
    let list = table.need(sink, "tasks", |sink, field| {
        let list = table::list(sink, field, of, |sink, entry| {
            let at = entry.at;
            let mut group =
                Group { roles, touched: None, size: None, places: Places { touches: at, canonical: at, actions: at } };
            let read = group.read(sink, entry, (&mut groups, places.len()));
            places.push(group.places);
            sizes.extend(group.size);
            match (&mut touches, group.touched) {
                (Some(all), Some(pattern)) => all.add(&pattern),
                (unknown, None) => *unknown = None,
                (None, Some(_)) => {}
            }
            read
        });
        tasks_in_total(sink, &sizes, caps);
        list
    });
    Work { touches: touches.filter(|all| all.meet("**")), groups: list, places }
}

fn tasks_in_total(sink: &mut Sink, sizes: &[Size], caps: &CapsRead) {
    let Some(cap) = caps.caps.map(|caps| u64::from(caps.tasks)) else { return };
    let total: u64 = sizes.iter().map(|size| size.tasks).sum();
    let mut sum = 0;
    let crossing = sizes.iter().find(|size| {
        sum += size.tasks;
        sum > cap
    });
    let Some(size) = crossing else { return };
    let help = if total <= u64::from(TASKS_MAX) {
        format!("lower it, or raise the cap: `caps: {{ tasks: {total} }}`")
    } else {
        format!("lower it: a run has at most {TASKS_MAX} tasks")
    };
    let draft = sink
        .error(Code::AboveCap, size.at, format!("there are {total} tasks in total, but the cap is {cap}"))
        .label("more than the cap from here on")
        .help(help);
    if let Some(at) = caps.tasks_at {
        draft.also(at, "the cap");
    }
}

/// One entry while it is read. What is known of it counts even if the entry is refused.
struct Group<'r, 'n> {
    roles: &'r Roles<'n>,
    touched: Option<String>,
    size: Option<Size>,
    places: Places,
}

impl Group<'_, '_> {
    fn read<'n>(
        &mut self,
        sink: &mut Sink,
        entry: Field<'n>,
        (groups, place): (&mut Known<'n>, usize),
    ) -> Option<TaskGroup> {
        let mut table = Table::open(sink, entry, "an entry of `tasks`")?;
        let role = table.need(sink, "by", |sink, field| self.roles.known.find(sink, field));
        let after = table.or(sink, "after", Vec::new(), |sink, field| route::after(sink, field, groups));
        let name = table.maybe(sink, "name", |sink, field| route::name(sink, field, groups, place));
        let mut review_at = entry.at;
        let review = table.maybe(sink, "review", |sink, field| {
            review_at = field.at;
            route::review(sink, field, self.roles, role)
        });
        let plan = table.or(sink, "approve", false, approvals::plan);
        let tasks = self.tasks(sink, &mut table, role);
        self.touched = table.or(sink, "touches", "**".to_owned(), |sink, field| {
            self.places.touches = field.node.span;
            field.pattern(sink)
        });
        let canonical = table.maybe(sink, "canonical", |sink, field| {
            self.places.canonical = field.node.span;
            self.canonical(sink, field)
        });
        let steps = table.or(sink, "steps", 1, |sink, field| field.count(sink, 0..=STEPS_MAX));
        let attempts = table.or(sink, "attempts", ATTEMPTS, |sink, field| field.count(sink, 1..=ATTEMPTS_MAX));
        let ground = Ground { touches: self.touched.as_deref(), at: self.places.touches };
        let actions = table.need(sink, "do", |sink, field| {
            self.places.actions = field.node.span;
            actions::actions(sink, field, ground)
        });
        table.close(sink);
        let group = TaskGroup {
            tasks: tasks?,
            name: name?,
            after: after?,
            role: role?,
            review: review?,
            plan: plan?,
            touches: self.touched.clone()?,
            canonical: canonical?,
            steps: steps?,
            attempts: attempts?,
            actions: actions?,
        };
        if group.canonical.is_none() && !group.actions.iter().any(Action::can_change_files) {
            sink.error(Code::NothingToLand, self.places.actions, "nothing of this changes a file")
                .label("no change can land")
                .help("add what is to be changed, `{ append: token }`, or expect these tasks to be given up");
        }
        if let Some(roles) = &self.roles.list {
            binding::hands_over(sink, &group, roles, review_at);
        }
        Some(group)
    }

    fn tasks(&mut self, sink: &mut Sink, table: &mut Table<'_>, role: Option<usize>) -> Option<u32> {
        let (key, field) = table.choice(sink, &["each", "count"], &BESIDE)?;
        let given = u64::from(field.count(sink, 1..=TASKS_MAX)?);
        let tasks = if key == "each" { given * u64::from(self.roles.rows[role?].lanes?) } else { given };
        self.size = Some(Size { tasks, at: field.node.span });
        // Above 32 bits is above every cap, which is told with the total; here any number will do.
        Some(u32::try_from(tasks).unwrap_or(u32::MAX))
    }

    fn canonical(&self, sink: &mut Sink, field: Field<'_>) -> Option<String> {
        let path = field.path(sink)?;
        let touches = self.touched.as_deref()?;
        if path::covers(touches, &path) {
            return Some(path);
        }
        sink.error(Code::Outside, field.node.span, format!("{} does not lie below `touches`", shown(&path)))
            .label("outside of what the tasks touch")
            .also(self.places.touches, "what they touch")
            .help("move the one below the other");
        None
    }
}
