//! What the work needs of calls, tokens and money, and what of it the budgets let through.
//!
//! Low: every task is done at the first attempt, no judgement sends it back, and calls that receive what is drawn receive
//! hardly ever so little. Expected: with rework, judgements that send back, and what kills make anew, at what a call
//! receives on the average. High: what is reserved before each call (BUDGET-1), for every attempt that a task may have and
//! every round of judgement in each. Limits cut all three: a run that ends by a limit has spent all of it but what the call
//! that did not fit needs at most.

use super::adversity::Adversity;
use super::figure::{Count, Dollars, Figure};
use super::kinds::Kind;
use super::team::{Crew, ModelFigures};
use serde::Serialize;

/// What is used, of everything.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Amounts {
    pub(crate) calls: Figure,
    pub(crate) tokens_in: Figure,
    pub(crate) tokens_out: Figure,
    pub(crate) micros: Figure,
    /// What one more call needs at most: tokens and money.
    pub(crate) bound: (f64, f64),
}

/// What is used, as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spend {
    /// Dollars.
    pub usd: Dollars,
    /// Tokens sent.
    pub tokens_in: Count,
    /// Tokens received.
    pub tokens_out: Count,
    /// Calls, those that an endpoint refuses included.
    pub calls: Count,
}

/// Which of the amounts a limit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Requests,
    Tokens,
    Usd,
}

impl Amounts {
    pub(crate) fn plus(self, other: Amounts) -> Amounts {
        Amounts {
            calls: self.calls.plus(other.calls),
            tokens_in: self.tokens_in.plus(other.tokens_in),
            tokens_out: self.tokens_out.plus(other.tokens_out),
            micros: self.micros.plus(other.micros),
            bound: (self.bound.0.max(other.bound.0), self.bound.1.max(other.bound.1)),
        }
    }

    /// What a limit of this sort counts: requests, tokens of both directions, or millionths of a dollar.
    pub(crate) fn of(&self, what: What) -> Figure {
        match what {
            What::Requests => self.calls,
            What::Tokens => self.tokens_in.plus(self.tokens_out),
            What::Usd => self.micros,
        }
    }

    fn bound_of(&self, what: What) -> f64 {
        match what {
            What::Requests => 1.0,
            What::Tokens => self.bound.0,
            What::Usd => self.bound.1,
        }
    }

    /// What is left of it under a limit. Where it binds, the other amounts shrink with it; how far they do at least is open
    /// by a factor of two, since it depends on whose calls come first.
    pub(crate) fn under(self, what: What, limit: f64) -> Amounts {
        let needed = self.of(what);
        let share =
            |limit: f64, needed: f64| if needed > limit && needed > 0.0 { limit.max(0.0) / needed } else { 1.0 };
        let stops_at = limit - self.bound_of(what);
        let (low, expected) =
            (share(stops_at, needed.low), share(limit.min(stops_at.max(limit * 0.5)), needed.expected));
        let cut = |figure: Figure, own: bool| {
            let slack = if own || low >= 1.0 { 1.0 } else { 0.5 };
            let high = if own { figure.high.min(limit) } else { figure.high };
            Figure { low: figure.low * low * slack, expected: figure.expected * expected, high }
        };
        Amounts {
            calls: cut(self.calls, what == What::Requests),
            tokens_in: cut(self.tokens_in, what == What::Tokens),
            tokens_out: cut(self.tokens_out, what == What::Tokens),
            micros: cut(self.micros, what == What::Usd),
            bound: self.bound,
        }
    }

    /// What is left of it if the run ends when this share of the work is done.
    pub(crate) fn until(self, share: f64) -> Amounts {
        let cut = |figure: Figure| Figure { low: 0.0, expected: figure.expected * share, high: figure.high };
        Amounts {
            calls: cut(self.calls),
            tokens_in: cut(self.tokens_in),
            tokens_out: cut(self.tokens_out),
            micros: cut(self.micros),
            bound: self.bound,
        }
    }

    /// The same, but it may come to as much as the other.
    pub(crate) fn at_most(self, other: Amounts) -> Amounts {
        let most = |own: Figure, other: Figure| Figure { high: other.high.max(own.high), ..own };
        Amounts {
            calls: most(self.calls, other.calls),
            tokens_in: most(self.tokens_in, other.tokens_in),
            tokens_out: most(self.tokens_out, other.tokens_out),
            micros: most(self.micros, other.micros),
            bound: self.bound,
        }
    }

    pub(crate) fn told(&self) -> Spend {
        Spend {
            usd: self.micros.dollars(),
            tokens_in: self.tokens_in.count(),
            tokens_out: self.tokens_out.count(),
            calls: self.calls.count(),
        }
    }
}

/// What the work of each role needs, whatever the limits say.
pub(crate) fn needs(kinds: &[Kind], crew: &Crew, adversity: &Adversity) -> Vec<Amounts> {
    let of_role = |role: usize| {
        let model = crew.model_of(role);
        let mut calls = kinds.iter().fold(Figure::default(), |sum, kind| sum.plus(calls_of(kind, role)));
        let mut again = Figure::default();
        if calls.high > 0.0 {
            again.high = adversity.kills
                * kinds.iter().filter_map(|kind| kind.review).map(|review| review.steps).fold(1.0, f64::max);
            again.expected =
                adversity.kills * share_of(calls.expected, role, kinds) * (1.0 + mean_steps(kinds, role) / 2.0);
        }
        calls = calls.plus(again);
        let mut amounts = priced(calls, model, adversity.kills);
        // What an endpoint refuses is a call, and costs nothing. It is counted with the first role that calls there.
        let first = crew.roles.iter().position(|other| other.model == crew.roles[role].model);
        if first == Some(role) {
            let (expected, most) = adversity.refusals[crew.roles[role].model];
            amounts.calls = amounts.calls.plus(Figure { low: 0.0, expected, high: most });
        }
        amounts
    };
    (0..crew.roles.len()).map(of_role).collect()
}

/// Calls of a role for a kind of work. A judgement that sends back costs its maker no call: the work is there.
fn calls_of(kind: &Kind, role: usize) -> Figure {
    let most = kind.tasks * f64::from(kind.attempts_max);
    let makes = Figure { low: kind.tasks, expected: kind.tasks * kind.attempts, high: most }.times(kind.steps);
    let mut calls = if kind.role == role { makes } else { Figure::default() };
    if let Some(review) = kind.review.filter(|review| review.role == role) {
        let judgements = Figure {
            low: kind.tasks,
            expected: kind.tasks * kind.attempts * review.rounds,
            high: most * f64::from(review.rounds_max),
        };
        calls = calls.plus(judgements.times(review.steps));
    }
    calls
}

/// Share of a role's calls of those of all.
fn share_of(calls: f64, role: usize, kinds: &[Kind]) -> f64 {
    let others: f64 = kinds
        .iter()
        .map(|kind| {
            let reviewer = kind
                .review
                .filter(|review| review.role != role)
                .map_or(0.0, |review| calls_of(kind, review.role).expected);
            reviewer + if kind.role == role { 0.0 } else { calls_of(kind, kind.role).expected }
        })
        .sum();
    if calls + others > 0.0 { calls / (calls + others) } else { 0.0 }
}

fn mean_steps(kinds: &[Kind], role: usize) -> f64 {
    let own = || kinds.iter().filter(|kind| kind.role == role);
    own().map(|kind| kind.steps * kind.tasks).sum::<f64>() / own().map(|kind| kind.tasks).sum::<f64>().max(1.0)
}

fn priced(calls: Figure, model: &ModelFigures, kills: f64) -> Amounts {
    let tokens_out = Figure {
        low: model.tokens_out.times(calls.low).low(),
        expected: model.tokens_out.mean * calls.expected,
        high: model.tokens_max * calls.high,
    };
    // Each call is rounded up by itself.
    let rounded = Figure { low: 0.0, expected: calls.expected / 2.0, high: 0.0 };
    let received = tokens_out.times(model.out_micros);
    let low = model.in_micros * calls.low + received.low;
    let expected = model.in_micros * calls.expected
        + received.expected
        + rounded.expected * if model.bound_micros > 0.0 { 1.0 } else { 0.0 };
    Amounts {
        calls,
        tokens_in: calls.times(model.tokens_in),
        // A call whose lane died is billed whole, with what it sent.
        tokens_out: Figure { high: tokens_out.high + kills * model.bound_tokens(), ..tokens_out },
        micros: Figure { low, expected, high: model.bound_micros * calls.high },
        bound: if calls.high > 0.0 { (model.bound_tokens(), model.bound_micros) } else { (0.0, 0.0) },
    }
}
