//! The limits of a scenario beside what the work needs: which of them end the run before its tasks are done.

use super::over_time::{self, Stage};
use super::spend::{Amounts, What};
use super::team::Crew;
use crate::scenario::{Budgets, Limit, Scenario};
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
    /// Whether a person sets another limit in its place later.
    #[serde(skip)]
    pub is_replaced: bool,
}

/// By role what is needed of everything, and what is left of it under the limits.
pub(crate) struct Outlook {
    pub(crate) roles: Vec<Amounts>,
    pub(crate) run: Amounts,
    pub(crate) limits: Vec<LimitOutlook>,
    /// Share of the expected work that the limits let through.
    pub(crate) share: f64,
}

/// What the limits let through. Where people set others later: at most what the widest allow, as expected what the last do.
pub(crate) fn outlook(scenario: &Scenario, crew: &Crew, needs: &[Amounts]) -> Outlook {
    let stages = over_time::stages(scenario);
    let (last, changed) = (&stages[stages.len() - 1].budgets, stages.len() > 1);
    let mut under_last = under(scenario, last, crew, needs);
    let whole = needs.iter().copied().reduce(Amounts::plus).unwrap_or_default();
    if changed {
        let widest = under(scenario, &over_time::widest(&stages), crew, needs);
        let expected = |(last, widest): (&Amounts, &Amounts)| last.at_most(*widest);
        under_last.roles = under_last.roles.iter().zip(&widest.roles).map(expected).collect();
        under_last.run = expected((&under_last.run, &widest.run));
        under_last.limits = told_over_time(scenario, &stages, crew, needs);
    }
    let Under { roles, mut run, limits } = under_last;
    // Who comes after what a limit has ended is never begun; and lanes may give up before a person sets another limit.
    let ended = limits.iter().any(|limit| limit.verdict >= Verdict::ProbablyEnough);
    if changed || ended && scenario.tasks.iter().any(|group| !group.after.is_empty()) {
        run = run.until(1.0);
    }
    let share = if whole.calls.expected > 0.0 { run.calls.expected / whole.calls.expected } else { 1.0 };
    Outlook { roles, run, limits, share: share.min(1.0) }
}

/// Every limit that ever holds, with the time from which on it does, or until which.
fn told_over_time(scenario: &Scenario, stages: &[Stage], crew: &Crew, needs: &[Amounts]) -> Vec<LimitOutlook> {
    let mut told: Vec<LimitOutlook> = Vec::new();
    for stage in stages {
        let now = under(scenario, &stage.budgets, crew, needs).limits;
        let seconds = stage.from_us as f64 / 1e6;
        for limit in now {
            let bare = |told: &&mut LimitOutlook| told.limit.split(" (from ").next() == Some(limit.limit.as_str());
            let before = told.iter_mut().rfind(bare);
            match before {
                Some(before) if before.allows == limit.allows => {}
                Some(before) => {
                    // It no longer holds when the work ends: whether it ends the run before is not known.
                    before.limit = format!("{}, until {seconds} s", before.limit);
                    before.is_replaced = true;
                    before.verdict = before.verdict.min(Verdict::Tight);
                    told.push(LimitOutlook { limit: format!("{} (from {seconds} s)", limit.limit), ..limit });
                }
                None if stage.from_us > 0 => {
                    told.push(LimitOutlook { limit: format!("{} (from {seconds} s)", limit.limit), ..limit });
                }
                None => told.push(limit),
            }
        }
    }
    told
}

/// What one set of limits lets through.
struct Under {
    roles: Vec<Amounts>,
    run: Amounts,
    limits: Vec<LimitOutlook>,
}

/// Goes through the limits from the inside out: a call, a lane, a role, the run.
fn under(scenario: &Scenario, budgets: &Budgets, crew: &Crew, needs: &[Amounts]) -> Under {
    let (mut roles, mut limits) = (needs.to_vec(), Vec::new());
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
    Under { roles, run, limits }
}

fn lanes_under(role: &Amounts, what: What, most: f64, lanes: f64) -> Amounts {
    let one_left = Amounts { bound: (role.bound.0 * lanes, role.bound.1 * lanes), ..*role };
    Amounts { bound: role.bound, ..one_left.under(what, most * lanes) }
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
        is_replaced: false,
    }
}
