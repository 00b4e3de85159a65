//! How long the work takes: by lanes, slots, rates, leases, gates at the merger, and by what has to come after what.
//!
//! Each of them alone needs a time in which it could be done; the longest is what binds. What is expected adds the end,
//! in which some lanes have nothing left to do (Graham's bound for list scheduling, `(1 - 1/lanes) * one task`). What it
//! takes at least counts every call once and draws that are hardly ever shorter.

use super::chance::{self, Draw};
use super::kinds::Kind;
use super::load::{Counted, Load};
use super::order::Order;
use super::people::People;
use super::team::Crew;
use crate::scenario::{Gate, GateKind, Latency, Scenario};
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
        let (load, gates_s) = (Load::of(scenario, kinds, crew, Counted::Expected), gates_s(scenario));
        let merger_s = rows_s(scenario, &load, crew);
        let of_role = |role: usize| {
            let (lanes, work_s) = (load.lanes(role, crew), load.work[role].mean);
            let at = crew.roles[role].model;
            let (model, calls) = (&crew.models[at], load.calls[at]);
            let shared = [
                work_s / lanes.max(1.0),
                calls * model.call.mean / model.slots,
                calls / model.calls_per_s,
                calls * model.bound_tokens() / model.tokens_per_s,
                merger_s,
            ];
            (lanes, work_s, shared.into_iter().fold(0.0, f64::max), load.tasks[role])
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
    pub(crate) fn cycle_s(&self, kind: &Kind, crew: &Crew, successors: f64) -> f64 {
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
        // Who goes on from a packet goes on with main as it is then.
        kind.making(crew).mean / (successors + 1.0) * stretched + judged + self.gates_s
    }
}

/// Everything that the work cannot be faster than, the longest expected first.
pub(crate) fn bounds(scenario: &Scenario, kinds: &[Kind], crew: &Crew) -> Vec<Bound> {
    let mut bounds = Vec::new();
    let (once, expected) =
        (Load::of(scenario, kinds, crew, Counted::Once), Load::of(scenario, kinds, crew, Counted::Expected));
    for (role, named) in scenario.roles.iter().enumerate() {
        let lanes = expected.lanes(role, crew).max(1.0);
        bounds.push(bound("lanes", &named.name, once.work[role].low() / lanes, expected.work[role].mean / lanes));
    }
    for (at, named) in scenario.models.iter().enumerate() {
        let (model, least, calls) = (&crew.models[at], once.calls[at], expected.calls[at]);
        let (slots, tokens) = (model.slots, model.bound_tokens());
        let slots = bound("slots", &named.name, model.call.times(least).low() / slots, calls * model.call.mean / slots);
        // A minute's share may pass at once.
        let rate = bound("rate", &named.name, least / model.calls_per_s - 60.0, calls / model.calls_per_s);
        let token_rate = bound(
            "token-rate",
            &named.name,
            least * tokens / model.tokens_per_s - 60.0,
            calls * tokens / model.tokens_per_s,
        );
        bounds.extend([slots, rate, token_rate].into_iter().filter(|bound| bound.expected_s > 0.0));
    }
    for (rule, lease) in scenario.leases.iter().enumerate() {
        bounds.push(bound("lease", &lease.resource, once.held[rule].low(), expected.held[rule].mean));
    }
    let gates = gate_latencies(scenario).map(chance::seconds).fold(Draw::default(), Draw::plus);
    let rows = once.trees / most_at_once(scenario, &once, crew);
    bounds.push(bound("merger", "", gates.times(rows).low(), rows_s(scenario, &expected, crew)));
    let (low_s, expected_s) =
        (path(scenario, kinds, crew, Counted::Once), path(scenario, kinds, crew, Counted::Expected));
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
    let load = Load::of(scenario, kinds, crew, Counted::Expected);
    let last = kinds.iter().map(|kind| {
        let lanes = load.lanes(kind.role, crew).max(1.0);
        (1.0 - 1.0 / lanes) * kind.making(crew).mean + kind.judging(crew).mean
    });
    last.fold(0.0, f64::max) + gates_s(scenario)
}

/// The longest way through entries that come after each other, each done by all lanes that it can have.
fn path(scenario: &Scenario, kinds: &[Kind], crew: &Crew, count: Counted) -> f64 {
    let takes = takes(scenario, kinds, crew, count);
    Order::new(scenario).ends(|entry, _| takes[entry]).into_iter().fold(0.0, f64::max)
}

/// The same with the time for which people are waited for: when the last change of each entry is made, as expected, and
/// when the last of all has been answered.
pub(crate) fn answered(scenario: &Scenario, kinds: &[Kind], crew: &Crew, people: &People<'_>) -> (Vec<f64>, Bound) {
    let takes = takes(scenario, kinds, crew, Counted::Expected);
    let waits = |entry: usize, begins: f64| takes[entry] + people.waits_s(entry, begins + takes[entry]);
    let ends = Order::new(scenario).ends(waits);
    let begins = |entry: usize| {
        let before = scenario.tasks[entry].after.iter().map(|before| ends[usize::from(*before)]);
        before.fold(0.0, f64::max)
    };
    let made = (0..ends.len()).map(|entry| begins(entry) + takes[entry]).collect();
    let last_s = ends.into_iter().fold(0.0, f64::max);
    (made, bound("people", "", path(scenario, kinds, crew, Counted::Once), last_s))
}

/// Seconds that each entry takes by itself.
fn takes(scenario: &Scenario, kinds: &[Kind], crew: &Crew, count: Counted) -> Vec<f64> {
    let mut takes = vec![0.0; scenario.tasks.len()];
    for kind in kinds.iter().filter(|kind| kind.tasks > 0.0) {
        let (attempts, _) = count.of(kind);
        let each = attempts / kind.tasks;
        for &entry in &kind.entries {
            let tasks = f64::from(scenario.tasks[entry].tasks);
            let work = kind.making(crew).times(tasks * each);
            let lanes = crew.roles[kind.role].lanes.min(tasks).max(1.0);
            let done_s = if count == Counted::Once { work.low() } else { work.mean };
            takes[entry] = done_s / lanes;
        }
    }
    takes
}

fn gate_latencies(scenario: &Scenario) -> impl Iterator<Item = Latency> + '_ {
    scenario.gates.iter().filter_map(|gate| match &gate.kind {
        GateKind::Forbid { .. } => None,
        GateKind::Script { latency, .. } => Some(*latency),
    })
}

fn gates_s(scenario: &Scenario) -> f64 {
    gate_latencies(scenario).map(|latency| chance::seconds(latency).mean).sum()
}

/// So many changes land with one move of main at most: one of each lane.
fn most_at_once(scenario: &Scenario, load: &Load, crew: &Crew) -> f64 {
    let lanes: f64 = (0..scenario.roles.len()).map(|role| load.lanes(role, crew)).sum();
    lanes.clamp(1.0, f64::from(scenario.caps.row))
}

/// Seconds that the merger is at work. While gates speak about one row, the next comes together: half of the lanes are in
/// each. Gates speak about all of a row at the same time, so it takes as long as the longest; what stands behind one that is
/// red is tried again.
fn rows_s(scenario: &Scenario, load: &Load, crew: &Crew) -> f64 {
    let row = (most_at_once(scenario, load, crew) / 2.0).max(1.0);
    let green: f64 = scenario.gates.iter().map(passes).product();
    let settled = if green < 1.0 { (1.0 - green.powf(row)) / (1.0 - green) } else { row };
    let longest: f64 = gate_latencies(scenario).map(|latency| chance::longest(latency, row)).sum();
    longest * load.trees / settled
}

fn passes(gate: &Gate) -> f64 {
    match &gate.kind {
        GateKind::Forbid { .. } => 1.0,
        GateKind::Script { red_ppm, .. } => 1.0 - f64::from(*red_ppm) / 1e6,
    }
}
