//! The limits of a scenario beside what the work needs: which of them end the run before its tasks are done.

use super::spend::{Amounts, What};
use super::team::Crew;
use crate::scenario::{Budgets, Command, Limit, Scenario};
use baton_record::event::BudgetScope;
use serde::Serialize;

/// What a limit means for the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The work needs less whatever happens.
    Enough,
    /// It is enough for what is expected, and not for the worst.
    ProbablyEnough,
    /// Less than what is expected.
    Tight,
    /// Less than the least that the work needs: the tasks will not all be done.
    EndsTheRun,
}

/// One limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LimitOutlook {
    /// As the file has it: `budgets.run.usd`.
    pub limit: String,
    /// What it allows: dollars, tokens, requests or seconds.
    pub allows: f64,
    /// What the work needs at least, by expectation and at most; the last is `null` where there is no most.
    pub needs: (f64, f64, Option<f64>),
    /// What that means.
    pub verdict: Verdict,
}

/// By role what is needed of everything, and what is left of it under the limits.
pub(crate) struct Outlook {
    pub(crate) roles: Vec<Amounts>,
    pub(crate) run: Amounts,
    pub(crate) limits: Vec<LimitOutlook>,
    /// Share of the expected work that the limits let through.
    pub(crate) share: f64,
}

/// Goes through the limits from the inside out: a call, a lane, a role, the run.
pub(crate) fn outlook(scenario: &Scenario, crew: &Crew, needs: &[Amounts]) -> Outlook {
    let budgets = widest(scenario);
    let (mut roles, mut limits) = (needs.to_vec(), Vec::new());
    let whole = needs.iter().copied().reduce(Amounts::plus).unwrap_or_default();
    for (at, role) in roles.iter_mut().enumerate() {
        let name = &scenario.roles[at].name;
        for (what, most) in sorts(budgets.call) {
            let one = match what {
                What::Requests => 1.0,
                What::Tokens => role.bound.0,
                What::Usd => role.bound.1,
            };
            let verdict = if one > most { Verdict::EndsTheRun } else { Verdict::Enough };
            limits.push(told(
                &format!("budgets.call.{} ({name})", word(what)),
                what,
                most,
                (one, one, Some(one)),
                verdict,
            ));
            if one > most {
                *role = role.under(what, 0.0);
            }
        }
        let lanes = crew.roles[at].lanes;
        for (what, most) in sorts(budgets.lane) {
            limits.push(judged(
                &format!("budgets.lane.{} ({name}, {lanes} lanes)", word(what)),
                what,
                most * lanes,
                role,
            ));
            // What one lane has left another cannot use.
            *role = lanes_under(role, what, most, lanes);
        }
        let own = budgets.roles.iter().find(|(role, _)| *role == at).map(|(_, limit)| *limit);
        for (what, most) in sorts(own) {
            limits.push(judged(&format!("budgets.role.{name}.{}", word(what)), what, most, role));
            *role = role.under(what, most);
        }
    }
    let mut run = roles.iter().copied().reduce(Amounts::plus).unwrap_or_default();
    for (what, most) in sorts(budgets.run) {
        limits.push(judged(&format!("budgets.run.{}", word(what)), what, most, &run));
        run = run.under(what, most);
    }
    // Who comes after what a limit has ended is never begun; and a person may set any limit.
    let ended = limits.iter().any(|limit| limit.verdict >= Verdict::ProbablyEnough);
    let set = scenario.operators.iter().any(|said| matches!(said.command, Command::Budget(_)));
    if set || ended && scenario.tasks.iter().any(|group| !group.after.is_empty()) {
        run = run.until(1.0);
    }
    let share = if whole.calls.expected > 0.0 { run.calls.expected / whole.calls.expected } else { 1.0 };
    Outlook { roles, run, limits, share: share.min(1.0) }
}

fn lanes_under(role: &Amounts, what: What, most: f64, lanes: f64) -> Amounts {
    let one_left = Amounts { bound: (role.bound.0 * lanes, role.bound.1 * lanes), ..*role };
    Amounts { bound: role.bound, ..one_left.under(what, most * lanes) }
}

/// The budgets of the file; where a person sets others later, the larger ones.
fn widest(scenario: &Scenario) -> Budgets {
    let mut budgets = scenario.budgets.clone();
    let said = scenario.operators.iter().filter_map(|said| match &said.command {
        Command::Budget(sets) => Some(sets),
        _ => None,
    });
    for set in said.flatten() {
        match set.scope {
            BudgetScope::Run => budgets.run = budgets.run.map(|limit| wider(limit, set.limit)),
            BudgetScope::Lane => budgets.lane = budgets.lane.map(|limit| wider(limit, set.limit)),
            BudgetScope::Call => budgets.call = budgets.call.map(|limit| wider(limit, set.limit)),
            BudgetScope::Role => {
                let named = |role: usize| Some(scenario.roles[role].name.as_str()) == set.role.as_deref();
                for (_, limit) in budgets.roles.iter_mut().filter(|(role, _)| named(*role)) {
                    *limit = wider(*limit, set.limit);
                }
            }
        }
    }
    budgets
}

fn wider(one: Limit, other: Limit) -> Limit {
    let most = |one: Option<u64>, other: Option<u64>| one.zip(other).map(|(one, other)| one.max(other));
    Limit {
        requests: most(one.requests, other.requests),
        tokens: most(one.tokens, other.tokens),
        usd_micros: most(one.usd_micros, other.usd_micros),
    }
}

fn sorts(limit: Option<Limit>) -> impl Iterator<Item = (What, f64)> {
    let limit = limit.unwrap_or_default();
    let all = [(What::Requests, limit.requests), (What::Tokens, limit.tokens), (What::Usd, limit.usd_micros)];
    all.into_iter().filter_map(|(what, most)| Some((what, most? as f64)))
}

fn word(what: What) -> &'static str {
    match what {
        What::Requests => "requests",
        What::Tokens => "tokens",
        What::Usd => "usd",
    }
}

fn judged(limit: &str, what: What, most: f64, amounts: &Amounts) -> LimitOutlook {
    let needs = amounts.of(what).ordered();
    told(
        limit,
        what,
        most,
        (needs.low, needs.expected, Some(needs.high)),
        verdict(most, needs.low, needs.expected, Some(needs.high)),
    )
}

pub(crate) fn verdict(most: f64, low: f64, expected: f64, high: Option<f64>) -> Verdict {
    if most < low {
        Verdict::EndsTheRun
    } else if most < expected {
        Verdict::Tight
    } else if high.is_some_and(|high| most >= high) {
        Verdict::Enough
    } else {
        Verdict::ProbablyEnough
    }
}

fn told(limit: &str, what: What, most: f64, needs: (f64, f64, Option<f64>), verdict: Verdict) -> LimitOutlook {
    // Dollars of millionths; everything else is counted.
    let whole = |value: f64| if what == What::Usd { value.round() / 1e6 } else { value.round() };
    let (low, expected, high) = needs;
    LimitOutlook {
        limit: limit.to_owned(),
        allows: whole(most),
        needs: (whole(low), whole(expected), high.map(whole)),
        verdict,
    }
}
