//! What comes before and behind the work of a group of tasks: `name`, `after` and `review`.
//!
//! Owns these keys. A group comes only after groups that stand before it, so that none waits for itself.

use super::codes::Code;
use super::faults::Sink;
use super::names::{self, Known};
use super::scalar::{Field, shown};
use super::table::{self, ListOf, Table};
use super::team::Roles;
use super::tree::Kind;
use crate::scenario::Review;

/// Model calls before a judgement, and what it may say at most.
const STEPS: (u32, u32) = (1, 1_000);
/// Judgements before a person decides, and what it may say at most.
const ROUNDS: (u32, u32) = (3, 64);

/// The group's own name, if it has one; from here on others may come after it.
pub(crate) fn name<'n>(sink: &mut Sink, field: Field<'n>, groups: &mut Known<'n>, place: usize) -> Option<String> {
    let scalar = field.scalar(sink, "a name")?;
    let name = names::checked(sink, scalar.text, scalar.span)?;
    groups.section.get_or_insert(field.at);
    if groups.places.insert(scalar.text, place).is_some() {
        sink.error(Code::GivenTwice, scalar.span, format!("two task groups are called {}", shown(scalar.text)))
            .label("given before")
            .help("give one of them another name");
        return None;
    }
    Some(name)
}

/// One name or a list of names of groups that stand before this one.
pub(crate) fn after(sink: &mut Sink, field: Field<'_>, groups: &Known<'_>) -> Option<Vec<u16>> {
    let one = |sink: &mut Sink, field: Field<'_>| {
        if groups.section.is_none() {
            sink.error(Code::UnknownName, field.node.span, "no task group before this one has a name")
                .label("after what?")
                .help("give the group that comes first a `name`, and let it stand first");
            return None;
        }
        groups.find(sink, field).map(|place| place as u16)
    };
    if matches!(field.node.kind, Kind::Sequence(_)) {
        return table::list(sink, field, ListOf { example: "plan", needed: true }, one);
    }
    one(sink, field).map(|place| vec![place])
}

/// A role, or `{ by: reviewer, steps: 2, returns: 20%, rounds: 3 }`.
pub(crate) fn review(sink: &mut Sink, field: Field<'_>, roles: &Roles<'_>, by: Option<usize>) -> Option<Review> {
    if !matches!(field.node.kind, Kind::Mapping(_)) {
        let role = reviewer(sink, field, roles, by)?;
        return Some(Review { role, steps: STEPS.0, returns_ppm: 0, rounds: ROUNDS.0 });
    }
    let mut table = Table::open(sink, field, "`review`")?;
    let role = table.need(sink, "by", |sink, field| reviewer(sink, field, roles, by));
    let steps = table.or(sink, "steps", STEPS.0, |sink, field| field.count(sink, 0..=STEPS.1));
    let returns_ppm = table.or(sink, "returns", 0, |sink, field| field.share(sink));
    let rounds = table.or(sink, "rounds", ROUNDS.0, |sink, field| field.count(sink, 1..=ROUNDS.1));
    table.close(sink);
    Some(Review { role: role?, steps: steps?, returns_ppm: returns_ppm?, rounds: rounds? })
}

/// Whoever judges is not whoever made it.
fn reviewer(sink: &mut Sink, field: Field<'_>, roles: &Roles<'_>, by: Option<usize>) -> Option<String> {
    let place = roles.known.find(sink, field)?;
    if Some(place) != by {
        return Some(roles.rows[place].name.to_owned());
    }
    sink.error(Code::OwnJudge, field.node.span, "a role reviews its own changes")
        .label("the role that makes them")
        .help("name another role, or leave `review` out");
    None
}
