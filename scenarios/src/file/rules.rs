//! What a change must hold and pass: `leases` and `gates`.
//!
//! Owns these sections, and the warning about a lease that nobody will ask for.

use super::codes::Code;
use super::duration::{self, Zero};
use super::faults::Sink;
use super::path::Overlaps;
use super::scalar::{Field, shown};
use super::source::Span;
use super::table::{self, ListOf, Table};
use crate::scenario::{Gate, GateKind, LeaseRule, LeaseSpan};
use std::collections::BTreeMap;

/// Characters of a forbidden text.
const FORBIDDEN_MAX: usize = 1_000;

/// The section `leases`; `touches`: what the tasks touch, if that is known.
pub(crate) fn leases(sink: &mut Sink, field: Option<Field<'_>>, touches: Option<&Overlaps>) -> Option<Vec<LeaseRule>> {
    let Some(field) = field else { return Some(Vec::new()) };
    let mut places = BTreeMap::new();
    let of = ListOf { example: "{ resource: \"notes/**\", ttl: 2m }", needed: false };
    table::list(sink, field, of, |sink, entry| lease(sink, entry, &mut places, touches))
}

fn lease(
    sink: &mut Sink,
    entry: Field<'_>,
    places: &mut BTreeMap<String, Span>,
    touches: Option<&Overlaps>,
) -> Option<LeaseRule> {
    let mut table = Table::open(sink, entry, "a lease")?;
    let resource = table.need(sink, "resource", |sink, field| {
        let pattern = field.pattern(sink)?;
        unique(sink, places, &pattern, field.node.span)?;
        if touches.is_some_and(|touches| !touches.meet(&pattern)) {
            sink.error(Code::UntouchedLease, field.node.span, format!("no task touches {}", shown(&pattern)))
                .label("nobody will ask for this lease")
                .help("delete it, or correct `touches` of the tasks");
        }
        Some(pattern)
    });
    let spans = [("change", LeaseSpan::Change), ("task", LeaseSpan::Task)];
    let per = table.or(sink, "per", LeaseSpan::Change, |sink, field| field.word(sink, &spans));
    let ttl_us = table.need(sink, "ttl", |sink, field| field.duration(sink, Zero::Refused));
    table.close(sink);
    Some(LeaseRule { resource: resource?, per: per?, ttl_us: ttl_us? })
}

/// The section `gates`.
pub(crate) fn gates(sink: &mut Sink, field: Field<'_>) -> Option<Vec<Gate>> {
    let mut places = BTreeMap::new();
    let of = ListOf { example: "{ name: clean, forbid: TODO }", needed: false };
    table::list(sink, field, of, |sink, entry| gate(sink, entry, &mut places))
}

fn gate(sink: &mut Sink, entry: Field<'_>, places: &mut BTreeMap<String, Span>) -> Option<Gate> {
    let mut table = Table::open(sink, entry, "a gate")?;
    let name = table.need(sink, "name", |sink, field| {
        let name = field.name(sink)?;
        unique(sink, places, &name, field.node.span)?;
        Some(name)
    });
    let kind = match table.choice(sink, &["forbid", "script"], &["name"]) {
        Some(("forbid", field)) => field.text(sink, FORBIDDEN_MAX).map(|text| GateKind::Forbid { text }),
        Some((_, field)) => script(sink, field),
        None => None,
    };
    table.close(sink);
    Some(Gate { name: name?, kind: kind? })
}

fn script(sink: &mut Sink, field: Field<'_>) -> Option<GateKind> {
    let mut table = Table::open(sink, field, "`script`")?;
    let latency = table.need(sink, "latency", duration::latency);
    let red_ppm = table.need(sink, "red", |sink, field| field.share(sink));
    table.close(sink);
    Some(GateKind::Script { latency: latency?, red_ppm: red_ppm? })
}

fn unique(sink: &mut Sink, places: &mut BTreeMap<String, Span>, name: &str, span: Span) -> Option<()> {
    let Some(first) = places.get(name) else {
        places.insert(name.to_owned(), span);
        return Some(());
    };
    sink.error(Code::GivenTwice, span, format!("{} is given twice", shown(name)))
        .label("given again")
        .also(*first, "first given here")
        .help("keep one of the two, or rename it");
    None
}
