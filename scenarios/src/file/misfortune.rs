//! What goes wrong on purpose: `faults`.
//!
//! Owns the kinds of injected faults, and whether what they target can exist. Not to be mixed up with the faults
//! *of* a file, which are in `faults`.

use super::codes::Code;
use super::duration::{End, Zero};
use super::faults::Sink;
use super::names;
use super::scalar::{Field, Scalar, shown};
use super::table::Table;
use super::team::{Models, RoleRow, Roles};
use crate::scenario::{Fault, FaultKind, Moment, Restartable, Spoil, Whom};

const KINDS: [&str; 11] =
    ["kill", "pause", "restart", "duplicate", "delay", "drop", "push", "storm", "overload", "spoil", "ignore-policy"];
/// How long an endpoint wants to be left alone, if a storm or an overload does not say.
const RETRY_AFTER_US: u64 = 10_000_000;

/// More calls at once than any team makes.
const ABOVE_MAX: u32 = 1_000_000;

/// What a fault can refer to.
pub(crate) struct Stage<'s, 'n> {
    /// The roles and their lanes.
    pub(crate) roles: &'s Roles<'n>,
    /// The endpoints.
    pub(crate) models: &'s Models<'n>,
    /// Whether there are leases to be held.
    pub(crate) leases: bool,
    /// When the run is stopped at the latest.
    pub(crate) end: Option<End>,
}

/// One entry of `faults`.
pub(crate) fn fault(sink: &mut Sink, entry: Field<'_>, stage: &Stage<'_, '_>) -> Option<Fault> {
    let mut table = Table::open(sink, entry, "a fault")?;
    let chosen = table.choice(sink, &KINDS, &["at", "while", "for", "by", "on", "above", "retry-after", "how"]);
    let Some((key, field)) = chosen else {
        table.close(sink);
        return None;
    };
    let at_us = table.or(sink, "at", 0, |sink, field| field.time_of_run(sink, stage.end));
    let kind = match key {
        "kill" | "pause" => lane_fault(sink, &mut table, (key, field), stage),
        "restart" => {
            let actors = [("supervisor", Restartable::Supervisor), ("merger", Restartable::Merger)];
            field.word(sink, &actors).map(|actor| FaultKind::Restart { actor })
        }
        "ignore-policy" => ignore_policy(sink, field, stage),
        "spoil" => spoil(sink, &mut table, field, stage),
        "storm" => storm(sink, &mut table, field, stage),
        "overload" => overload(sink, &mut table, field, stage),
        "push" => field.word(sink, &[("main", ())]).map(|()| FaultKind::Push),
        _ => mail_fault(sink, &mut table, (key, field)),
    };
    let moment = match key {
        "kill" | "pause" => table.maybe(sink, "while", |sink, field| moment(sink, field, stage)),
        _ => Some(None),
    };
    table.close(sink);
    Some(Fault { kind: kind?, at_us: at_us?, moment: moment? })
}

fn lane_fault(
    sink: &mut Sink,
    table: &mut Table<'_>,
    (key, field): (&str, Field<'_>),
    stage: &Stage<'_, '_>,
) -> Option<FaultKind> {
    let target = target(sink, field, stage.roles);
    if key == "kill" {
        let (role, lane) = target?;
        return Some(FaultKind::Kill { role, lane });
    }
    let for_us = table.need(sink, "for", |sink, field| field.duration(sink, Zero::Refused));
    let (role, lane) = target?;
    Some(FaultKind::Pause { role, lane, for_us: for_us? })
}

fn storm(sink: &mut Sink, table: &mut Table<'_>, field: Field<'_>, stage: &Stage<'_, '_>) -> Option<FaultKind> {
    let statuses = [("429", 429), ("500", 500), ("502", 502), ("503", 503), ("529", 529)];
    let status = field.word(sink, &statuses);
    let model = table.need(sink, "on", |sink, field| stage.models.known.find(sink, field));
    let for_us = table.need(sink, "for", |sink, field| field.duration(sink, Zero::Refused));
    let retry_after_us = retry_after(sink, table);
    Some(FaultKind::Storm { status: status?, model: model?, for_us: for_us?, retry_after_us: retry_after_us? })
}

fn overload(sink: &mut Sink, table: &mut Table<'_>, field: Field<'_>, stage: &Stage<'_, '_>) -> Option<FaultKind> {
    let model = stage.models.known.find(sink, field);
    let mut at = None;
    let above = table.need(sink, "above", |sink, field| {
        at = Some(field.node.span);
        field.count(sink, 1..=ABOVE_MAX)
    });
    let for_us = table.maybe(sink, "for", |sink, field| field.duration(sink, Zero::Refused));
    let retry_after_us = retry_after(sink, table);
    let slots = model.and_then(|model| stage.models.list.as_ref().map(|models| models[model].slots));
    if let Some((at, slots)) =
        at.zip(slots).filter(|(_, slots)| *slots > 0 && above.is_some_and(|above| above >= *slots))
    {
        sink.error(
            Code::NeverSo,
            at,
            format!("no more than {slots} calls are ever under way there, because of `slots`"),
        )
        .label("never above this")
        .help(format!("write a number below {slots}"));
    }
    Some(FaultKind::Overload { model: model?, above: above?, for_us: for_us?, retry_after_us: retry_after_us? })
}

fn retry_after(sink: &mut Sink, table: &mut Table<'_>) -> Option<u64> {
    table.or(sink, "retry-after", RETRY_AFTER_US, |sink, field| field.duration(sink, Zero::Allowed))
}

fn spoil(sink: &mut Sink, table: &mut Table<'_>, field: Field<'_>, stage: &Stage<'_, '_>) -> Option<FaultKind> {
    let ways = [
        ("incomplete", Spoil::Incomplete),
        ("dangling", Spoil::Dangling),
        ("lying", Spoil::Lying),
        ("huge", Spoil::Huge),
    ];
    let target = target(sink, field, stage.roles);
    let how = table.need(sink, "how", |sink, field| field.word(sink, &ways));
    let (role, lane) = target?;
    Some(FaultKind::Spoil { role, lane, how: how? })
}

/// Only who is bound can look away.
fn ignore_policy(sink: &mut Sink, field: Field<'_>, stage: &Stage<'_, '_>) -> Option<FaultKind> {
    let (role, lane) = target(sink, field, stage.roles)?;
    let bound = stage.roles.list.as_ref().is_none_or(|list| list[role].skill.is_some());
    if !bound {
        let name = stage.roles.rows[role].name;
        sink.error(Code::NeverSo, field.node.span, format!("{name} has no policy that it could ignore"))
            .label("never so")
            .also(stage.roles.rows[role].at, "bound by nothing")
            .help(format!("bind it: `{name}: {{ skill: policies/{name}, … }}`"));
        return None;
    }
    Some(FaultKind::IgnorePolicy { role, lane })
}

fn mail_fault(sink: &mut Sink, table: &mut Table<'_>, (key, field): (&str, Field<'_>)) -> Option<FaultKind> {
    let share = field.share(sink);
    let by_us = match key {
        "delay" => table.need(sink, "by", |sink, field| field.duration(sink, Zero::Refused)),
        _ => Some(0),
    };
    let for_us = table.maybe(sink, "for", |sink, field| field.duration(sink, Zero::Refused));
    let (probability_ppm, by_us, for_us) = (share?, by_us?, for_us?);
    Some(match key {
        "duplicate" => FaultKind::Duplicate { probability_ppm, for_us },
        "delay" => FaultKind::Delay { probability_ppm, by_us, for_us },
        _ => FaultKind::Drop { probability_ppm, for_us },
    })
}

fn moment(sink: &mut Sink, field: Field<'_>, stage: &Stage<'_, '_>) -> Option<Moment> {
    let words = [
        ("holds-lease", Moment::HoldsLease),
        ("thinks", Moment::Thinks),
        ("waits-for-landing", Moment::WaitsForLanding),
    ];
    let moment = field.word(sink, &words)?;
    if moment == Moment::HoldsLease && !stage.leases {
        sink.error(Code::NeverSo, field.node.span, "no lane ever holds a lease, because `leases` declares none")
            .label("never so")
            .help("declare one: `leases: [ { resource: \"notes/**\", ttl: 2m } ]`");
        return None;
    }
    Some(moment)
}

/// `role`, or `role.number` with a number from 1 to the lanes of the role.
fn target(sink: &mut Sink, field: Field<'_>, roles: &Roles<'_>) -> Option<(usize, Option<u32>)> {
    lane_or_role(sink, field, (roles, "fault targets"))
}

/// The same, of anything that names a lane; `what` it does for a message.
fn lane_or_role(sink: &mut Sink, field: Field<'_>, (roles, what): (&Roles<'_>, &str)) -> Option<(usize, Option<u32>)> {
    let scalar = field.scalar(sink, "a role or lane: `implementer.3`")?;
    roles.known.section?;
    let (role, number) = match scalar.text.split_once('.') {
        Some((role, number)) => (role, Some(number)),
        None => (scalar.text, None),
    };
    let place = roles.known.places.get(role).copied();
    let lane = number.map(|number| number.parse::<u32>().ok().filter(|lane| lane.to_string() == number));
    match (place, lane) {
        (Some(place), None) => Some((place, None)),
        (Some(place), Some(Some(lane)))
            if roles.rows[place].lanes_ever().is_none_or(|lanes| (1..=lanes).contains(&lane)) =>
        {
            Some((place, Some(lane)))
        }
        _ => {
            no_such_lane(sink, scalar, place, (roles, what));
            None
        }
    }
}

/// A lane or a role that a command names.
pub(crate) fn whom(sink: &mut Sink, field: Field<'_>, roles: &Roles<'_>) -> Option<(usize, Whom)> {
    let (role, lane) = lane_or_role(sink, field, (roles, "command names"))?;
    let name = roles.rows[role].name;
    let whom = lane.map_or_else(|| Whom::Role(name.to_owned()), |lane| Whom::Lane(format!("{name}.{lane}")));
    Some((role, whom))
}

/// One lane that a command names: `role.number`.
pub(crate) fn lane(sink: &mut Sink, field: Field<'_>, roles: &Roles<'_>) -> Option<String> {
    let (role, lane) = lane_or_role(sink, field, (roles, "command names"))?;
    let Some(number) = lane else {
        sink.error(Code::UnknownLane, field.node.span, "a lane is needed, and this is a role")
            .label("which of its lanes?")
            .help(format!("write `{}.1`", roles.rows[role].name));
        return None;
    };
    Some(format!("{}.{number}", roles.rows[role].name))
}

fn no_such_lane(sink: &mut Sink, scalar: Scalar<'_>, role: Option<usize>, (roles, what): (&Roles<'_>, &str)) {
    let known = &roles.known;
    let written = scalar.text.split_once('.').map_or(scalar.text, |(role, _)| role);
    let near = names::nearest(sink, written, known.places.keys().copied());
    let meant = role.or_else(|| near.and_then(|near| known.places.get(near).copied()));
    let only = (roles.rows.len() == 1).then_some(0);
    let shows = meant.or(only).map(|place| &roles.rows[place]);
    let help = match (meant.map(|place| &roles.rows[place]), shows) {
        (Some(row), _) => format!("did you mean `{}`?", likely(row, scalar.text)),
        (None, Some(row)) => format!("write `{0}`, or one of its lanes: `{0}.1`", row.name),
        (None, None) => "write a role of this file, or one of its lanes: `implementer.3`".to_owned(),
    };
    let message = format!("{what} lane {}, which no role provides", shown(scalar.text));
    let draft = sink.error(Code::UnknownLane, scalar.span, message).label("no such lane").help(help);
    if let Some((row, lanes)) = shows.and_then(|row| Some((row, row.lanes_ever()?))) {
        draft.also(row.at, provides(row.name, lanes));
    }
}

/// The lane with the number at the end of what was written, if the role has it; else the role's last or only lane.
fn likely(row: &RoleRow<'_>, written: &str) -> String {
    let behind = written.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = written[behind.len()..].parse::<u32>().ok();
    match (number, row.lanes_ever()) {
        (Some(number), Some(lanes)) => format!("{}.{}", row.name, number.clamp(1, lanes)),
        _ => row.name.to_owned(),
    }
}

fn provides(role: &str, lanes: u32) -> String {
    match lanes {
        1 => format!("{role} has 1 lane: {role}.1"),
        2 => format!("{role} has 2 lanes: {role}.1 and {role}.2"),
        _ => format!("{role} has {lanes} lanes: {role}.1 … {role}.{lanes}"),
    }
}
