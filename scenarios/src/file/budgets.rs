//! What may be used in all: `budgets`.
//!
//! Owns limits and whose they are, and how fast calls may follow each other at an endpoint.

use super::codes::Code;
use super::faults::Sink;
use super::number::TOKENS_MAX;
use super::scalar::{Field, shown};
use super::source::Span;
use super::table::{self, Table};
use super::team::{Models, Roles, push};
use crate::scenario::{Budgets, Limit, Rate};
use std::num::NonZeroU32;

/// Tokens that all calls of a run can be limited to.
const TOTAL_MAX: u64 = TOKENS_MAX * 1_000_000;
/// Calls that a run can be limited to.
const REQUESTS_MAX: u64 = 1_000_000_000_000;

/// The section `budgets`.
pub(crate) fn budgets(
    sink: &mut Sink,
    field: Field<'_>,
    roles: &Roles<'_>,
    models: &mut Models<'_>,
) -> Option<Budgets> {
    let mut table = Table::open(sink, field, "`budgets`")?;
    let budgets = of_scopes(sink, &mut table, roles);
    let rates = table.or(sink, "endpoint", (), |sink, field| rates(sink, field, models));
    table.close(sink);
    rates?;
    budgets
}

/// The same without rates, as an operator may set it: one limit at least.
pub(crate) fn limits(sink: &mut Sink, field: Field<'_>, roles: &Roles<'_>) -> Option<Budgets> {
    let mut table = Table::open(sink, field, "`budget`")?;
    let at = table.at;
    let budgets = of_scopes(sink, &mut table, roles);
    let known = table.close_known(sink);
    if known && budgets == Some(Budgets::default()) {
        sink.error(Code::ExactlyOne, at, "`budget` needs `run`, `role`, `lane` or `call`")
            .label("it sets nothing")
            .help("write whose limit is set: `{ run: { usd: 8 } }`");
        return None;
    }
    budgets
}

fn of_scopes<'n>(sink: &mut Sink, table: &mut Table<'n>, roles: &Roles<'_>) -> Option<Budgets> {
    let run = table.maybe(sink, "run", limit);
    let roles = table.or(sink, "role", Vec::new(), |sink, field| of_roles(sink, field, roles));
    let lane = table.maybe(sink, "lane", limit);
    let call = table.maybe(sink, "call", limit);
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

/// `{ fast: { requests: 60/min, tokens: 200k/min } }`: goes to the models.
fn rates(sink: &mut Sink, field: Field<'_>, models: &mut Models<'_>) -> Option<()> {
    let mut all = Some(());
    for entry in table::named(sink, field, "{ fast: { requests: 60/min } }")? {
        let model = models.known.at(sink, &entry.key.text, entry.key.span);
        let rate = rate(sink, Field::of(entry));
        let models = models.list.as_mut();
        match (model, rate, models) {
            (Some(model), Some((rate, at)), Some(models)) => {
                let model = &mut models[model];
                (model.rate, model.gated) = (rate, true);
                let bound = model.bound().tokens;
                if let Some(tokens) = rate.tokens.filter(|tokens| u64::from(tokens.get()) < bound) {
                    sink.error(
                        Code::OutOfBounds,
                        at,
                        format!("a call can use {bound} tokens, and {tokens} may pass in a minute"),
                    )
                    .label("no call would ever pass")
                    .help(format!("write at least `{bound}/min`, or lower `tokens` of the model"));
                    all = None;
                }
            }
            _ => all = None,
        }
    }
    all
}

fn rate(sink: &mut Sink, field: Field<'_>) -> Option<(Rate, Span)> {
    let mut table = Table::open(sink, field, "a rate")?;
    let at = table.at;
    let requests = table.maybe(sink, "requests", per_minute);
    let tokens = table.maybe(sink, "tokens", per_minute);
    let known = table.close_known(sink);
    let rate = Rate { requests: requests?, tokens: tokens? };
    if rate == Rate::default() && known {
        sink.error(Code::ExactlyOne, at, "a rate needs `requests` or `tokens`")
            .label("it limits nothing")
            .help("write what may pass in a minute: `{ requests: 60/min }`");
        return None;
    }
    Some((rate, at))
}

/// `60/min`, `200k/min`, `2m/min`.
fn per_minute(sink: &mut Sink, field: Field<'_>) -> Option<NonZeroU32> {
    let scalar = field.scalar(sink, "a number a minute: `60/min`")?;
    let number = scalar.text.strip_suffix("/min").and_then(|number| {
        let (digits, factor) = match number.char_indices().last()? {
            (at, 'k') => (&number[..at], 1_000),
            (at, 'm') => (&number[..at], 1_000_000),
            _ => (number, 1),
        };
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits.len() == 1 || !digits.starts_with('0'));
        let number = digits.parse::<u32>().ok().filter(|_| plain)?.checked_mul(factor)?;
        NonZeroU32::new(number)
    });
    if number.is_none() {
        sink.error(Code::OutOfBounds, scalar.span, format!("`{}` cannot be {}", field.name, shown(scalar.text)))
            .label("a number a minute is expected")
            .help("write `60/min`, `200k/min` or `2m/min`");
    }
    number
}
