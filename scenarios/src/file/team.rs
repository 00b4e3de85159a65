//! Who works, with what and where: `workspace`, `caps`, `models` and `roles`.
//!
//! Owns these sections and the names that they define.

use super::binding::{self, Skills};
use super::codes::Code;
use super::duration;
use super::faults::Sink;
use super::names::{self, Known};
use super::number::TOKENS_MAX;
use super::prices::Pricing;
use super::scalar::{Field, shown};
use super::source::Span;
use super::table::{self, Table};
use crate::scenario::{Caps, Model, Rate, Role, SkillFile, Workspace};
use std::collections::BTreeSet;

/// Lanes and calls that a scenario can have at most, whatever its caps.
pub(crate) const LANES_MAX: u32 = 100_000;
/// Changes that a scenario can have land at once at most, whatever its caps.
const ROW_MAX: u32 = 1_024;
/// Tasks and waiting changes that a scenario can have at most, whatever its caps.
pub(crate) const TASKS_MAX: u32 = 1_000_000;
/// How often a task may be handed on.
const HANDOFFS_MAX: u32 = 500;
/// Restarts of one actor.
const RESTARTS_MAX: u32 = 1_000;
/// Notes of a generated repository.
const FILES_MAX: u32 = 10_000;
/// Characters of a path outside of the repository, or of a branch.
const PLACE_MAX: usize = 1_024;

/// The repository that the lanes work on.
pub(crate) fn workspace(sink: &mut Sink, field: Field<'_>) -> Option<Workspace> {
    let mut table = Table::open(sink, field, "`workspace`")?;
    let choice = table.choice(sink, &["fixture", "repo"], &["files", "base"]);
    let workspace = match choice {
        Some(("fixture", field)) => {
            let name = field.word(sink, &[("notes", "notes")]);
            let files = table.or(sink, "files", 40, |sink, field| field.count(sink, 1..=FILES_MAX));
            name.zip(files).map(|(name, files)| Workspace::Fixture { name: name.to_owned(), files })
        }
        Some((_, field)) => {
            let path = field.text(sink, PLACE_MAX);
            let base = table.maybe(sink, "base", revision);
            path.zip(base).map(|(path, base)| Workspace::Repository { path, base })
        }
        None => None,
    };
    table.close(sink);
    workspace
}

/// A branch, tag or commit: nothing that could be taken for an option or a range.
fn revision(sink: &mut Sink, field: Field<'_>) -> Option<String> {
    let text = field.text(sink, PLACE_MAX)?;
    if !text.starts_with('-') && !text.contains("..") && !text.contains([' ', ':', '\\', '?', '*', '[', '~', '^']) {
        return Some(text);
    }
    sink.error(Code::BadText, field.node.span, format!("{} is not a branch, tag or commit", shown(&text)))
        .label("not the name of a revision")
        .help("write the plain name: `main`");
    None
}

/// The caps, and where they are given.
pub(crate) struct CapsRead {
    /// `None`: the section was refused.
    pub(crate) caps: Option<Caps>,
    /// The value of `lanes`, if it is given.
    pub(crate) lanes_at: Option<Span>,
    /// The value of `tasks`, if it is given.
    pub(crate) tasks_at: Option<Span>,
}

/// What a run may at most have.
pub(crate) fn caps(sink: &mut Sink, field: Option<Field<'_>>) -> CapsRead {
    let mut read = CapsRead { caps: Some(Caps::default()), lanes_at: None, tasks_at: None };
    if let Some(field) = field {
        read.caps = caps_given(sink, field, &mut read.lanes_at, &mut read.tasks_at);
    }
    read
}

fn caps_given(
    sink: &mut Sink,
    field: Field<'_>,
    lanes_at: &mut Option<Span>,
    tasks_at: &mut Option<Span>,
) -> Option<Caps> {
    let default = Caps::default();
    let mut table = Table::open(sink, field, "`caps`")?;
    let lanes = table.or(sink, "lanes", default.lanes, |sink, field| {
        *lanes_at = Some(field.node.span);
        field.count(sink, 1..=LANES_MAX)
    });
    let tasks = table.or(sink, "tasks", default.tasks, |sink, field| {
        *tasks_at = Some(field.node.span);
        field.count(sink, 1..=TASKS_MAX)
    });
    let queue = table.or(sink, "queue", default.queue, |sink, field| field.count(sink, 1..=TASKS_MAX));
    let row = table.or(sink, "row", default.row, |sink, field| field.count(sink, 1..=ROW_MAX));
    let restarts = table.or(sink, "restarts", default.restarts, |sink, field| field.count(sink, 0..=RESTARTS_MAX));
    let handoffs = table.or(sink, "handoffs", default.handoffs, |sink, field| field.count(sink, 0..=HANDOFFS_MAX));
    table.close(sink);
    let (lanes, tasks, queue, row) = (lanes?, tasks?, queue?, row?);
    Some(Caps { lanes, tasks, queue, row, restarts: restarts?, handoffs: handoffs? })
}

/// The models, and what others may say about them.
pub(crate) struct Models<'n> {
    /// `None`: something of the section was refused.
    pub(crate) list: Option<Vec<Model>>,
    pub(crate) known: Known<'n>,
    /// By model, in the order of the file: its name, its key, and what is said of its costs.
    pub(crate) pricing: Vec<(&'n str, Span, Pricing)>,
}

/// The section `models`.
pub(crate) fn models<'n>(sink: &mut Sink, table: &mut Table<'n>) -> Models<'n> {
    let mut models = Models { list: None, known: Known::new("model"), pricing: Vec::new() };
    let example = "{ fast: { latency: { median: 8s, p99: 60s } } }";
    let entries = table.need(sink, "models", |sink, field| {
        models.known.section = Some(field.at);
        table::named(sink, field, example)
    });
    let Some(entries) = entries else {
        models.known.section = None;
        return models;
    };
    let mut list = Some(Vec::new());
    for (place, entry) in entries.iter().enumerate() {
        models.known.places.insert(&entry.key.text, place);
        let name = names::checked(sink, &entry.key.text, entry.key.span);
        let (model, pricing) = model(sink, Field::of(entry), name).unzip();
        models.pricing.push((&entry.key.text, entry.key.span, pricing.unwrap_or(Pricing::REFUSED)));
        let model = model.flatten();
        list = push(list, model);
    }
    models.list = list;
    models
}

/// The model, unless something of it was refused; and what is said of its costs.
fn model(sink: &mut Sink, field: Field<'_>, name: Option<String>) -> Option<(Option<Model>, Pricing)> {
    let mut table = Table::open(sink, field, "a model")?;
    // Behaviour drawn from the seed is the only driver there is; the key is taken so that files say what they mean.
    let driver = table.or(sink, "driver", (), |sink, field| field.word(sink, &[("script", ())]));
    let latency = table.need(sink, "latency", duration::latency);
    let slots = table.or(sink, "slots", 0, |sink, field| field.count(sink, 0..=LANES_MAX));
    let tokens = table.or(sink, "tokens", (0, 0, 0), tokens);
    let field = table.field("price");
    let pricing = Pricing::of(field, tokens);
    let price = field.map_or(Some((0, 0)), |field| both(sink, field, "`price`", |sink, field| field.dollars(sink)));
    table.close(sink);
    let whole = || {
        driver?;
        let ((tokens_in, tokens_out, tokens_max), (price_in, price_out)) = (tokens?, price?);
        let (name, latency, slots, rate, gated) = (name?, latency?, slots?, Rate::default(), false);
        Some(Model { name, latency, slots, tokens_in, tokens_out, tokens_max, price_in, price_out, rate, gated })
    };
    Some((whole(), pricing))
}

/// `{ in: …, out: …, max: … }`: what a call sends, receives as a rule, and can receive at most.
fn tokens(sink: &mut Sink, field: Field<'_>) -> Option<(u64, u64, u64)> {
    let mut table = Table::open(sink, field, "`tokens`")?;
    let sent = table.or(sink, "in", 0, |sink, field| field.integer(sink, 0..=TOKENS_MAX));
    let received = table.or(sink, "out", 0, |sink, field| field.integer(sink, 0..=TOKENS_MAX));
    let least = received.unwrap_or(0);
    let most = table.or(sink, "max", least, |sink, field| field.integer(sink, least..=TOKENS_MAX));
    table.close(sink);
    Some((sent?, received?, most?))
}

/// `{ in: …, out: … }`, either of them 0 if it is left out.
fn both(
    sink: &mut Sink,
    field: Field<'_>,
    what: &'static str,
    read: impl Fn(&mut Sink, Field<'_>) -> Option<u64>,
) -> Option<(u64, u64)> {
    let mut table = Table::open(sink, field, what)?;
    let sent = table.or(sink, "in", 0, &read);
    let received = table.or(sink, "out", 0, &read);
    table.close(sink);
    sent.zip(received)
}

/// A role as others may refer to it.
pub(crate) struct RoleRow<'n> {
    /// The key.
    pub(crate) name: &'n str,
    /// How many lanes; `None` if that was refused.
    pub(crate) lanes: Option<u32>,
    /// How many more operators add while the team is at work.
    pub(crate) joining: u32,
    /// Where the number of lanes is given, or the key.
    pub(crate) at: Span,
    /// Which model thinks in its lanes; `None` if that was refused.
    pub(crate) model: Option<usize>,
}

impl RoleRow<'_> {
    /// How many lanes it has at any time; `None` if that is not known.
    pub(crate) fn lanes_ever(&self) -> Option<u32> {
        Some(self.lanes?.saturating_add(self.joining))
    }
}

/// The roles, and what others may say about them.
pub(crate) struct Roles<'n> {
    /// `None`: something of the section was refused.
    pub(crate) list: Option<Vec<Role>>,
    /// Their names.
    pub(crate) known: Known<'n>,
    /// In the order of the file.
    pub(crate) rows: Vec<RoleRow<'n>>,
}

/// The section `roles`.
pub(crate) fn roles<'n>(
    sink: &mut Sink,
    table: &mut Table<'n>,
    (models, caps): (&Models<'_>, &CapsRead),
    skills: &mut Skills<'_>,
) -> Roles<'n> {
    let mut roles = Roles { list: None, known: Known::new("role"), rows: Vec::new() };
    let entries = table.need(sink, "roles", |sink, field| {
        roles.known.section = Some(field.at);
        table::named(sink, field, "{ implementer: { lanes: 8, model: fast } }")
    });
    let Some(entries) = entries else {
        roles.known.section = None;
        return roles;
    };
    let mut list = Some(Vec::new());
    for (place, entry) in entries.iter().enumerate() {
        roles.known.places.insert(&entry.key.text, place);
        let mut row = RoleRow { name: &entry.key.text, lanes: None, joining: 0, at: entry.key.span, model: None };
        let name = names::checked(sink, &entry.key.text, entry.key.span);
        let name = name.filter(|name| binding::has_lanes(sink, name, entry.key.span));
        let role = role(sink, Field::of(entry), (models, skills), &mut row);
        roles.rows.push(row);
        let of = |(name, (lanes, model, context, skill))| Role { name, lanes, model, context, skill };
        let role = name.zip(role).map(of);
        list = push(list, role);
    }
    roles.list = list;
    lanes_in_total(sink, &roles.rows, caps);
    if let (Some(list), Some(_)) = (&roles.list, &models.list) {
        unused_models(sink, list, models);
    }
    roles
}

fn role(
    sink: &mut Sink,
    field: Field<'_>,
    (models, skills): (&Models<'_>, &mut Skills<'_>),
    row: &mut RoleRow<'_>,
) -> RoleRead {
    let mut table = Table::open(sink, field, "a role")?;
    row.lanes = table.need(sink, "lanes", |sink, field| {
        row.at = field.node.span;
        field.count(sink, 1..=LANES_MAX)
    });
    row.model = table.need(sink, "model", |sink, field| models.known.find(sink, field));
    let model = row.model;
    let context = table.maybe(sink, "context", |sink, field| field.integer(sink, 1..=TOKENS_MAX));
    let skill = table.maybe(sink, "skill", |sink, field| {
        let at = field.node.span;
        skills.bind(sink, field).inspect(|bound| binding::lands_not(sink, bound, at))
    });
    table.close(sink);
    Some((row.lanes?, model?, context?, skill?))
}

/// Lanes, model, context and skill of a role.
type RoleRead = Option<(u32, usize, Option<u64>, Option<SkillFile>)>;

fn lanes_in_total(sink: &mut Sink, rows: &[RoleRow<'_>], caps: &CapsRead) {
    let Some(cap) = caps.caps.map(|caps| u64::from(caps.lanes)) else { return };
    let total: u64 = rows.iter().filter_map(|row| row.lanes).map(u64::from).sum();
    let mut sum = 0;
    let crossing = rows.iter().find(|row| {
        sum += row.lanes.map_or(0, u64::from);
        sum > cap
    });
    let Some(row) = crossing else { return };
    let help = if total <= u64::from(LANES_MAX) {
        format!("lower it, or raise the cap: `caps: {{ lanes: {total} }}`")
    } else {
        format!("lower it: a run has at most {LANES_MAX} lanes")
    };
    let draft = sink
        .error(Code::AboveCap, row.at, format!("the roles have {total} lanes in total, but the cap is {cap}"))
        .label("more than the cap from here on")
        .help(help);
    if let Some(at) = caps.lanes_at {
        draft.also(at, "the cap");
    }
}

fn unused_models(sink: &mut Sink, roles: &[Role], models: &Models<'_>) {
    let used: BTreeSet<usize> = roles.iter().map(|role| role.model).collect();
    for (name, place) in models.known.places.iter().filter(|(_, place)| !used.contains(place)) {
        sink.error(Code::UnusedModel, models.pricing[*place].1, format!("no role uses the model {}", shown(name)))
            .label("not used")
            .help("delete it, or name it in a role: `model: …`");
    }
}

/// Adds a value to those before; one that was refused refuses all.
pub(crate) fn push<T>(list: Option<Vec<T>>, value: Option<T>) -> Option<Vec<T>> {
    let (mut list, value) = list.zip(value)?;
    list.push(value);
    Some(list)
}
