//! How long the work takes: by lanes, slots, rates, leases, gates at the merger, and by what has to come after what.
//!
//! Each of them alone needs a time in which it could be done; the longest is what binds. What is expected adds the end,
//! in which some lanes have nothing left to do (Graham's bound for list scheduling, `(1 - 1/lanes) * one task`). What it
//! takes at least counts every call once and draws that are hardly ever shorter.

use super::chance::Draw;
use super::kinds::Kind;
use super::order::Order;
use super::people::People;
use super::team::Crew;
use crate::scenario::{GateKind, Scenario};
use serde::Serialize;

/// One thing that the work cannot be faster than.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bound {
    /// `critical-path`, `people`, `lanes`, `slots`, `rate`, `token-rate`, `lease` or `merger`.
    pub what: &'static str,
    /// Which: a role, a model, a resource; empty for the critical path and the merger.
    pub of: String,
    /// Seconds that it takes at least.
    pub low_s: f64,
    /// Seconds that it is expected to take.
    pub expected_s: f64,
}

/// Which attempts are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    /// Each task once.
    Once,
    /// With rework and judgements that send back.
    Expected,
}

/// Attempts and judgements of a kind.
fn counted(kind: &Kind, count: Count) -> (f64, f64) {
    let rounds = kind.review.map_or(0.0, |review| if count == Count::Once { 1.0 } else { review.rounds });
    match count {
        Count::Once => (kind.tasks, kind.tasks * rounds),
        Count::Expected => (kind.tasks * kind.attempts, kind.tasks * kind.attempts * rounds),
    }
}

/// What everything is busy with, in expected seconds.
#[derive(Clone, Debug)]
pub(crate) struct Busy {
    /// By role: lanes that have something to do, seconds of work, seconds until it is done, tasks.
    roles: Vec<(f64, f64, f64, f64)>,
    /// Seconds of all gates for one tree.
    gates_s: f64,
}

impl Busy {
    pub(crate) fn of(scenario: &Scenario, kinds: &[Kind], crew: &Crew) -> Busy {
        let gates_s = gates_s(scenario);
        let bounds = bounds(scenario, kinds, crew);
        let shared = |role: usize| {
            let of = |bound: &&Bound| match bound.what {
                "lanes" => bound.of == scenario.roles[role].name,
                "slots" | "rate" | "token-rate" => bound.of == scenario.models[scenario.roles[role].model].name,
                "merger" => true,
                _ => false,
            };
            bounds.iter().filter(of).map(|bound| bound.expected_s).fold(0.0, f64::max)
        };
        let of_role = |role: usize| {
            let work = work_of(role, kinds, crew, Count::Expected);
            (lanes_used(role, kinds, crew), work.mean, shared(role), tasks_of(role, kinds))
        };
        Busy { roles: (0..scenario.roles.len()).map(of_role).collect(), gates_s }
    }

    /// Seconds in which the landings of a kind come.
    pub(crate) fn landing_s(&self, kind: &Kind) -> f64 {
        let reviewed = kind.review.map_or(0.0, |review| self.roles[review.role].2);
        self.roles[kind.role].2.max(reviewed)
    }

    /// Lanes that work on a kind at once; many, if they do not wait for what becomes of their changes.
    pub(crate) fn lanes_at(&self, kind: &Kind) -> f64 {
        if kind.review.is_some() { f64::INFINITY } else { self.roles[kind.role].0.max(1.0) }
    }

    /// Share of the others that are still there, on the average over the work: at its end lanes have nothing left to do.
    pub(crate) fn crowd(&self, kind: &Kind) -> f64 {
        let (lanes, _, _, tasks) = self.roles[kind.role];
        1.0 - lanes / (2.0 * tasks.max(1.0))
    }

    /// Seconds from the main that an attempt begins with to its landing.
    pub(crate) fn cycle_s(&self, kind: &Kind, crew: &Crew) -> f64 {
        let (lanes, work_s, until_s, _) = self.roles[kind.role];
        // Who waits for a slot or the merger waits with the main that the work began with.
        let stretched = if work_s > 0.0 { (until_s * lanes / work_s).max(1.0) } else { 1.0 };
        let judged = kind.review.map_or(0.0, |review| {
            let (reviewers, _, judged_s, tasks) = self.roles[review.role];
            let one_s = kind.judging(crew).mean * review.rounds;
            // Where judging is slower than making, what is left of the work waits there: half of it on the average over the
            // run, and half of that is in front, since tasks are taken by their numbers.
            let slower = if judged_s > 0.0 { (1.0 - until_s / judged_s).max(0.0) } else { 0.0 };
            one_s + slower * tasks / 4.0 * one_s / reviewers.max(1.0)
        });
        kind.making(crew).mean * stretched + judged + self.gates_s
    }
}

/// Everything that the work cannot be faster than, the longest expected first.
pub(crate) fn bounds(scenario: &Scenario, kinds: &[Kind], crew: &Crew) -> Vec<Bound> {
    let mut bounds = Vec::new();
    for (role, named) in scenario.roles.iter().enumerate() {
        let lanes = lanes_used(role, kinds, crew).max(1.0);
        let (once, expected) = (work_of(role, kinds, crew, Count::Once), work_of(role, kinds, crew, Count::Expected));
        bounds.push(bound("lanes", &named.name, once.low() / lanes, expected.mean / lanes));
    }
    for (at, named) in scenario.models.iter().enumerate() {
        let model = &crew.models[at];
        let calls = |count| calls_of(at, kinds, crew, count);
        let (once, expected) = (calls(Count::Once), calls(Count::Expected));
        let slots = bound(
            "slots",
            &named.name,
            model.call.times(once).low() / model.slots,
            expected * model.call.mean / model.slots,
        );
        // A minute's share may pass at once.
        let rate = bound("rate", &named.name, once / model.calls_per_s - 60.0, expected / model.calls_per_s);
        let tokens = model.bound_tokens();
        let token_rate = bound(
            "token-rate",
            &named.name,
            once * tokens / model.tokens_per_s - 60.0,
            expected * tokens / model.tokens_per_s,
        );
        bounds.extend([slots, rate, token_rate].into_iter().filter(|bound| bound.expected_s > 0.0));
    }
    for (rule, lease) in scenario.leases.iter().enumerate() {
        let holds = |count| {
            let holders = kinds.iter().filter(|kind| kind.held.contains(&rule));
            holders.fold(Draw::default(), |sum, kind| sum.plus(kind.making(crew).times(counted(kind, count).0)))
        };
        bounds.push(bound("lease", &lease.resource, holds(Count::Once).low(), holds(Count::Expected).mean));
    }
    let landings: f64 = kinds.iter().map(|kind| kind.tasks).sum();
    let judged: f64 = kinds.iter().map(|kind| kind.tasks * kind.attempts * (1.0 - kind.refused)).sum();
    let gates = gate_draws(scenario).fold(Draw::default(), Draw::plus);
    bounds.push(bound("merger", "", gates.times(landings).low(), gates.mean * judged));
    let (low_s, expected_s) = (path(scenario, kinds, crew, Count::Once), path(scenario, kinds, crew, Count::Expected));
    bounds.push(bound("critical-path", "", low_s, expected_s));
    bounds.retain(|bound| bound.expected_s > 0.0 && bound.expected_s.is_finite());
    bounds.sort_by(|a, b| b.expected_s.total_cmp(&a.expected_s));
    bounds
}

fn bound(what: &'static str, of: &str, low_s: f64, expected_s: f64) -> Bound {
    Bound { what, of: of.to_owned(), low_s: low_s.max(0.0), expected_s }
}

/// Seconds at the end in which some lanes have nothing left to do.
pub(crate) fn end_s(scenario: &Scenario, kinds: &[Kind], crew: &Crew) -> f64 {
    let last = kinds.iter().map(|kind| {
        let lanes = lanes_used(kind.role, kinds, crew).max(1.0);
        (1.0 - 1.0 / lanes) * kind.making(crew).mean + kind.judging(crew).mean + gates_s(scenario)
    });
    last.fold(0.0, f64::max)
}

/// No more lanes than there are tasks at a time.
fn lanes_used(role: usize, kinds: &[Kind], crew: &Crew) -> f64 {
    crew.roles[role].lanes.min(tasks_of(role, kinds))
}

fn tasks_of(role: usize, kinds: &[Kind]) -> f64 {
    kinds.iter().filter(|kind| takes_part(kind, role)).map(|kind| kind.tasks).sum()
}

fn takes_part(kind: &Kind, role: usize) -> bool {
    kind.role == role || kind.review.is_some_and(|review| review.role == role)
}

/// Seconds that the lanes of a role are at work.
fn work_of(role: usize, kinds: &[Kind], crew: &Crew, count: Count) -> Draw {
    kinds.iter().filter(|kind| takes_part(kind, role)).fold(Draw::default(), |sum, kind| {
        let (attempts, judgements) = counted(kind, count);
        let makes = if kind.role == role { kind.making(crew).times(attempts) } else { Draw::default() };
        let judges = kind.review.is_some_and(|review| review.role == role);
        sum.plus(makes).plus(if judges { kind.judging(crew).times(judgements) } else { Draw::default() })
    })
}

fn calls_of(model: usize, kinds: &[Kind], crew: &Crew, count: Count) -> f64 {
    let calls = kinds.iter().map(|kind| {
        let (attempts, judgements) = counted(kind, count);
        let makes = if crew.roles[kind.role].model == model { attempts * kind.steps } else { 0.0 };
        let review = kind.review.filter(|review| crew.roles[review.role].model == model);
        makes + review.map_or(0.0, |review| judgements * review.steps)
    });
    calls.sum()
}

/// The longest way through entries that come after each other, each done by all lanes that it can have.
fn path(scenario: &Scenario, kinds: &[Kind], crew: &Crew, count: Count) -> f64 {
    let takes = takes(scenario, kinds, crew, count);
    Order::new(scenario).ends(|entry, _| takes[entry]).into_iter().fold(0.0, f64::max)
}

/// The same with the time for which people are waited for: when the last change of each entry is made, as expected, and
/// when the last of all has been answered.
pub(crate) fn answered(scenario: &Scenario, kinds: &[Kind], crew: &Crew, people: &People<'_>) -> (Vec<f64>, Bound) {
    let takes = takes(scenario, kinds, crew, Count::Expected);
    let waits = |entry: usize, begins: f64| takes[entry] + people.waits_s(entry, begins + takes[entry]);
    let ends = Order::new(scenario).ends(waits);
    let begins = |entry: usize| {
        let before = scenario.tasks[entry].after.iter().map(|before| ends[usize::from(*before)]);
        before.fold(0.0, f64::max)
    };
    let made = (0..ends.len()).map(|entry| begins(entry) + takes[entry]).collect();
    let last_s = ends.into_iter().fold(0.0, f64::max);
    (made, bound("people", "", path(scenario, kinds, crew, Count::Once), last_s))
}

/// Seconds that each entry takes by itself.
fn takes(scenario: &Scenario, kinds: &[Kind], crew: &Crew, count: Count) -> Vec<f64> {
    let mut takes = vec![0.0; scenario.tasks.len()];
    for kind in kinds.iter().filter(|kind| kind.tasks > 0.0) {
        let (attempts, _) = counted(kind, count);
        let each = attempts / kind.tasks;
        for &entry in &kind.entries {
            let tasks = f64::from(scenario.tasks[entry].tasks);
            let work = kind.making(crew).times(tasks * each);
            let lanes = crew.roles[kind.role].lanes.min(tasks).max(1.0);
            let done_s = if count == Count::Once { work.low() } else { work.mean };
            takes[entry] = done_s / lanes;
        }
    }
    takes
}

fn gate_draws(scenario: &Scenario) -> impl Iterator<Item = Draw> + '_ {
    scenario.gates.iter().filter_map(|gate| match &gate.kind {
        GateKind::Forbid { .. } => None,
        GateKind::Script { latency, .. } => Some(super::chance::seconds(*latency)),
    })
}

fn gates_s(scenario: &Scenario) -> f64 {
    gate_draws(scenario).map(|gate| gate.mean).sum()
}
