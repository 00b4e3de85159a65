//! The file as a whole: its version, its sections and what follows from several of them together.
//!
//! Owns the order in which sections are read: those that define names before those that use them.
//! A section that is refused hides nothing in the others.

use super::approvals::{self, Asks};
use super::binding::{self, Skills};
use super::codes::Code;
use super::collisions::{self, Plans};
use super::duration::{self, End, Zero};
use super::faults::Sink;
use super::scalar::{Field, shown};
use super::table::{self, ListOf, Table};
use super::tree::{Kind, Node};
use super::{budgets, expect, misfortune, operators, prices, rules, team, work};
use crate::scenario::{Budgets, Latency, LeaseRule, Patiences, Role, Scenario, TaskGroup, World};

/// The version of the format that is read.
const VERSION: &str = "1";

/// How long a message takes if `mail` is not given.
const MAIL: Latency = Latency { median_us: 2_000, p99_us: 20_000 };

/// The scenario that a file's tree stands for; `None` with faults if it stands for none.
pub(crate) fn scenario(sink: &mut Sink, root: &Node, skills: &mut Skills<'_>) -> Option<Scenario> {
    mapping(sink, root, SCENARIO)?;
    let mut table = Table::open(sink, table::root(root), table::WHOLE)?;
    version(sink, &mut table)?;
    let name = table.need(sink, "name", |sink, field| field.name(sink));
    let seed = table.or(sink, "seed", 1, |sink, field| field.integer(sink, 0..=u64::MAX));
    let worlds = [("sim", World::Sim), ("live", World::Live)];
    let world = table.or(sink, "world", World::Sim, |sink, field| field.word(sink, &worlds));
    let workspace = table.need(sink, "workspace", team::workspace);
    let caps = team::caps(sink, table.field("caps"));
    let mut models = team::models(sink, &mut table);
    let mut roles = team::roles(sink, &mut table, (&models, &caps), skills);
    let merger = binding::merger(sink, table.field("merger"), skills);
    operators::note_joining(table.field("operators"), &mut roles);
    let budgets =
        table.or(sink, "budgets", Budgets::default(), |sink, field| budgets::budgets(sink, field, &roles, &mut models));
    prices::tell(sink, (table.field("budgets"), table.field("operators")), (&models, &roles));
    let work = work::tasks(sink, &mut table, &roles, &caps);
    let lease_field = table.field("leases");
    let leases = rules::leases(sink, lease_field, work.touches.as_ref());
    collisions(sink, &work, roles.list.as_deref(), leases.as_deref());
    let gates = table.or(sink, "gates", Vec::new(), rules::gates);
    let mail = table.or(sink, "mail", MAIL, duration::latency);
    let mut end = None;
    let stop_field = table.field("stop");
    let stop = stop_field.map_or(Some((None, false)), |field| stop(sink, field, &mut end));
    let gated = gates.as_ref().is_none_or(|gates| !gates.is_empty());
    let asks = Asks::of(work.groups.as_deref(), gated);
    approvals::planned(sink, stop_field, asks);
    let patiences =
        table.or(sink, "approvals", Patiences::default(), |sink, field| approvals::patiences(sink, field, asks));
    let operators = table.or(sink, "operators", Vec::new(), |sink, field| {
        let tasks = work.groups.as_deref();
        operators::commands(sink, field, &operators::Known { roles: &roles, caps: &caps, tasks, end, asks })
    });
    let stage = misfortune::Stage { roles: &roles, models: &models, leases: lease_field.is_some_and(has_entries), end };
    let of = ListOf { example: "{ kill: implementer.3, at: 10m }", needed: false };
    let faults = table.or(sink, "faults", Vec::new(), |sink, field| {
        table::list(sink, field, of, |sink, entry| misfortune::fault(sink, entry, &stage))
    });
    let control = table.or(sink, "control", false, |sink, field| field.word(sink, &[("without-merger", true)]));
    let tasks = work.groups.as_deref();
    let faults_count = faults.as_ref().map(|faults| faults.len() as u64);
    let scene = expect::Scene { control, tasks: tasks.map(all_tasks), faults: faults_count };
    let expectations = table.or(sink, "expect", Vec::new(), |sink, field| expect::expectations(sink, field, scene));
    let thresholds = table.or(sink, "thresholds", Vec::new(), |sink, field| expect::thresholds(sink, field, scene));
    table.close(sink);
    Some(Scenario {
        name: name?,
        seed: seed?,
        world: world?,
        workspace: workspace?,
        roles: roles.list?,
        merger: merger?,
        models: models.list?,
        tasks: work.groups?,
        budgets: budgets?,
        leases: leases?,
        gates: gates?,
        mail: mail?,
        operators: operators?,
        faults: faults?,
        approvals: patiences?,
        stop_after_us: stop?.0,
        stop_when_planned: stop?.1,
        caps: caps.caps?,
        expectations: expectations?,
        thresholds: thresholds?,
        control: control?,
    })
}

/// All tasks together.
fn all_tasks(groups: &[TaskGroup]) -> u64 {
    groups.iter().map(|group| u64::from(group.tasks)).sum()
}

/// Plans are looked at together once all that they refer to is known.
fn collisions(sink: &mut Sink, work: &work::Work, roles: Option<&[Role]>, leases: Option<&[LeaseRule]>) {
    if let (Some(groups), Some(roles), Some(leases)) = (&work.groups, roles, leases) {
        collisions::tell(sink, &Plans { groups, places: &work.places, roles, leases });
    }
}

/// What a kind of file is, and how one begins.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// With its article: `a scenario`.
    pub(super) is: &'static str,
    pub(super) help: &'static str,
}

/// A scenario.
pub(super) const SCENARIO: Shape = Shape {
    is: "a scenario",
    help: "begin with `baton: 1`; also needed are `name`, `workspace`, `roles`, `models` and `tasks`",
};

/// A file is a mapping, or nothing else about it can be judged.
pub(super) fn mapping(sink: &mut Sink, root: &Node, shape: Shape) -> Option<()> {
    let found = match &root.kind {
        Kind::Mapping(entries) if !entries.is_empty() => return Some(()),
        Kind::Mapping(_) => None,
        Kind::Scalar { text, plain } if *plain && text.is_empty() => None,
        Kind::Scalar { .. } => Some("a single value"),
        Kind::Sequence(_) => Some("a list"),
        Kind::Refused => return None,
    };
    let draft = match found {
        Some(found) => sink
            .error(Code::WrongKind, root.span, format!("the file is {found}, not {}", shape.is))
            .label(format!("{found} here")),
        // A mapping that is empty because all of its keys were refused has been reported.
        None if sink.errors() > 0 => return None,
        None => sink.error(Code::Empty, root.span, "the file is empty").label("nothing in it"),
    };
    draft.help(shape.help);
    None
}

/// `None` if the rest must not be judged, because it follows the rules of another version.
pub(super) fn version(sink: &mut Sink, table: &mut Table<'_>) -> Option<()> {
    let Some(field) = table.field("baton") else {
        sink.error(Code::Version, table.at, "the version of the format is missing")
            .label("`baton: 1` belongs before this")
            .help("begin the file with `baton: 1`");
        return Some(());
    };
    if let Some(first) = table.first_key().filter(|key| key.span != field.at) {
        sink.error(Code::Version, field.at, "the version of the format is not the first key")
            .label("not the first")
            .also(first.span, "the first key")
            .help("move `baton: 1` to the beginning of the file");
    }
    let scalar = field.scalar(sink, "`1`")?;
    if scalar.text == VERSION && scalar.plain {
        return Some(());
    }
    let help = if scalar.text == VERSION { "write `1` without quotes" } else { "write `baton: 1`" };
    let message = format!("the file has version {}, but this program reads version {VERSION}", shown(scalar.text));
    sink.error(Code::Version, scalar.span, message).label("nothing else of this file is judged").help(help);
    None
}

/// `{ after: 3h, when: plan-approved }`, one of them at least.
fn stop(sink: &mut Sink, field: Field<'_>, end: &mut Option<End>) -> Option<(Option<u64>, bool)> {
    let mut table = Table::open(sink, field, "`stop`")?;
    let when = table.maybe(sink, "when", |sink, field| field.word(sink, &[(approvals::PLANNED, true)]));
    let read = |sink: &mut Sink, field: Field<'_>| {
        let after_us = field.duration(sink, Zero::Refused)?;
        *end = Some(End { after_us, at: field.node.span });
        Some(after_us)
    };
    let after = match when {
        Some(None) => table.need(sink, "after", read).map(Some),
        _ => table.maybe(sink, "after", read),
    };
    table.close(sink);
    Some((after?, when?.unwrap_or(false)))
}

fn has_entries(field: Field<'_>) -> bool {
    // What is not even a list has its own fault; the moment that waits for it should not be one more.
    !matches!(&field.node.kind, Kind::Sequence(items) if items.is_empty())
}
