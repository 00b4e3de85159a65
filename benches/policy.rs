//! How long it takes to decide about one action: ordinary ones, and those that try to hide what they do.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "../policies/tests/policies/hidden.rs"]
mod hidden;
mod measure;

use baton_policies::{Action, Decision, Paths, Policy, parse, shipped};
use baton_world::Stopwatch;
use hidden::HIDDEN;
use measure::{heading, quantile, thousands};
use std::hint::black_box;

const ABOUT: &str = "\
`Policy::judge` of the shipped implementer: one decision at a time, each timed alone, over a ground of some links. Ordinary
actions are those of a working lane; attacks are the forms in which a push hides in a shell command, from the table of the
tests. `one reading of the clock` is what the timing itself costs, and is not taken off.";

const ROUNDS: usize = 400;
const TARGET_US: f64 = 5.0;

const ORDINARY: [Action<'_>; 16] = [
    Action::Read("README.md"),
    Action::Read("src/deep/down/in/the/tree/module.rs"),
    Action::Read("src/link/module.rs"),
    Action::Write("src/new.rs"),
    Action::Write("tests/product/new.rs"),
    Action::Edit("src/lib.rs"),
    Action::Edit("Cargo.toml"),
    Action::Edit("../outside.rs"),
    Action::Delete("src/old.rs"),
    Action::Bash("cargo test --release -p baton-core board"),
    Action::Bash("cargo fmt --all && cargo clippy --all-targets -- -D warnings"),
    Action::Bash("git status --short"),
    Action::Bash("git add -A && git commit -m 'area: effect'"),
    Action::Bash("grep -rn 'fn judge' src | head -20"),
    Action::Push,
    Action::Mcp("mcp__files__read"),
];

/// A workspace with a link in it.
struct Ground(bool);

impl Paths for Ground {
    fn root(&self) -> &str {
        "/workspace"
    }

    fn link(&self, path: &str) -> Option<String> {
        (path == "src/link").then(|| "deep".to_owned())
    }

    fn ignores_case(&self) -> bool {
        self.0
    }
}

fn main() {
    heading("Decisions of a policy", "cargo bench --bench policy", ABOUT);
    let (_, text) = shipped().iter().find(|(name, _)| *name == "implementer").expect("it is shipped");
    let policy = parse("implementer", text.as_bytes()).skill.expect("what is shipped has no mistakes").policy;
    let attacks: Vec<Action<'_>> = HIDDEN.iter().map(|text| Action::Bash(text)).collect();
    let passed = attacks.iter().filter(|attack| policy.judge(attack, &Ground(false)).decision == Decision::Allowed);
    assert_eq!(passed.count(), 0, "an attack is allowed");
    println!("| what | actions | decisions | p50 us | p99 us | slowest action, median us | target |");
    println!("|---|---|---|---|---|---|---|");
    row("one reading of the clock", &clock_us(), (0, 0.0));
    let mut worst_us = 0.0_f64;
    for (what, actions) in [("ordinary actions", &ORDINARY[..]), ("attacks", &attacks)] {
        for folds in [false, true] {
            let (samples, slowest) = judged_us(&policy, actions, &Ground(folds));
            let what = format!("{what}, case {}", if folds { "ignored" } else { "counts" });
            worst_us = worst_us.max(quantile(&samples, 0.99));
            row(&what, &samples, (actions.len(), slowest));
        }
    }
    println!("\np99 of all: {worst_us:.2} us, target <= {TARGET_US:.0} us.");
}

fn row(what: &str, samples: &[f64], (actions, slowest): (usize, f64)) {
    let (half, most) = (quantile(samples, 0.5), quantile(samples, 0.99));
    let decisions = thousands(samples.len() as f64);
    println!("| {what} | {actions} | {decisions} | {half:.2} | {most:.2} | {slowest:.2} | p99 <= 5 |");
}

fn clock_us() -> Vec<f64> {
    (0..ROUNDS * 16).map(|_| Stopwatch::start().seconds() * 1e6).collect()
}

/// Every decision, and the median of the action that takes longest. The first rounds warm up and do not count.
fn judged_us(policy: &Policy, actions: &[Action<'_>], ground: &Ground) -> (Vec<f64>, f64) {
    let mut all = Vec::with_capacity(actions.len() * ROUNDS);
    let mut by_action = vec![Vec::with_capacity(ROUNDS); actions.len()];
    for round in 0..ROUNDS + ROUNDS / 10 {
        for (action, samples) in actions.iter().zip(&mut by_action) {
            let watch = Stopwatch::start();
            black_box(policy.judge(black_box(action), ground));
            let us = watch.seconds() * 1e6;
            if round >= ROUNDS / 10 {
                samples.push(us);
                all.push(us);
            }
        }
    }
    let slowest = by_action.iter().map(|samples| quantile(samples, 0.5)).fold(0.0, f64::max);
    (all, slowest)
}
