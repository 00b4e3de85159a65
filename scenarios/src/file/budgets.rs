//! What may be used in all: `budgets`.
//!
//! Owns limits and whose they are. How fast calls may follow each other is said where a model is.

use super::codes::Code;
use super::faults::Sink;
use super::number::TOKENS_MAX;
use super::scalar::Field;
use super::table::{self, Table};
use super::team::{Roles, push};
use crate::scenario::{Budgets, Limit};

/// Tokens that all calls of a run can be limited to.
const TOTAL_MAX: u64 = TOKENS_MAX * 1_000_000;
/// Calls that a run can be limited to.
const REQUESTS_MAX: u64 = 1_000_000_000_000;

/// The section `budgets`.
pub(crate) fn budgets(sink: &mut Sink, field: Field<'_>, roles: &Roles<'_>) -> Option<Budgets> {
    let mut table = Table::open(sink, field, "`budgets`")?;
    let run = table.maybe(sink, "run", limit);
    let roles = table.or(sink, "role", Vec::new(), |sink, field| of_roles(sink, field, roles));
    let lane = table.maybe(sink, "lane", limit);
    let call = table.maybe(sink, "call", limit);
    table.close(sink);
    Some(Budgets { run: run?, roles: roles?, lane: lane?, call: call? })
}

fn of_roles(sink: &mut Sink, field: Field<'_>, roles: &Roles<'_>) -> Option<Vec<(usize, Limit)>> {
    let mut limits = Some(Vec::new());
    for entry in table::named(sink, field, "{ implementer: { usd: 2.50 } }")? {
        let role = roles.known.at(sink, &entry.key.text, entry.key.span);
        let limit = limit(sink, Field::of(entry));
        limits = push(limits, role.zip(limit));
    }
    limits
}

/// `{ usd: 5.00, tokens: 2000000, requests: 500 }`, one of them at least.
fn limit(sink: &mut Sink, field: Field<'_>) -> Option<Limit> {
    let mut table = Table::open(sink, field, "a limit")?;
    let at = table.at;
    let usd_micros = table.maybe(sink, "usd", |sink, field| field.dollars(sink));
    let tokens = table.maybe(sink, "tokens", |sink, field| field.integer(sink, 0..=TOTAL_MAX));
    let requests = table.maybe(sink, "requests", |sink, field| field.integer(sink, 0..=REQUESTS_MAX));
    let known = table.close_known(sink);
    let limit = Limit { requests: requests?, tokens: tokens?, usd_micros: usd_micros? };
    if limit == Limit::default() && known {
        sink.error(Code::ExactlyOne, at, "a limit needs `usd`, `tokens` or `requests`")
            .label("it limits nothing")
            .help("write what may be used in all: `{ usd: 5.00 }`");
        return None;
    }
    Some(limit)
}
