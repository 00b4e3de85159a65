//! How long a person waits for `baton check` and `baton plan` of large scenario files.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;

use baton_scenarios::file::check;
use baton_scenarios::plan::{Ground, plan};
use baton_world::Stopwatch;
use measure::{heading, quantile};
use saphyr_parser::Parser;
use std::hint::black_box;

const ABOUT: &str = "\
`file::check` from the bytes of a file to its scenario or to all of its mistakes, collisions of plans included; beside it
what the YAML parser alone takes for the same bytes, in the same round, and what a plan of the scenario takes afterwards.
The first row is the figure that is asked for; the others are there to find what grows faster than the file.";

const ROUNDS: usize = 200;
/// One row takes no longer, if a tenth of its rounds does not.
const SECONDS_MAX: f64 = 12.0;

fn main() {
    heading("Checking large scenario files", "cargo bench --bench checking", ABOUT);
    println!(
        "| file | KiB | check p50 ms | p99 ms | the parser alone p50 ms | check ÷ parser | plan p50 ms | target |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    row("1,000 lanes of 10 roles, 40 entries, 20 leases, 100 faults", &team(10, 100, 40, (20, 100)), "p99 <= 50 ms");
    row("1,000 roles with a lane and a directory each, 1,000 faults", &team(1_000, 1, 1_000, (0, 1_000)), "");
    row("10,000 entries of tasks, one after the other", &chained(10_000), "");
    row("10,000 entries of tasks that all write one file", &crowded(10_000), "");
    row("2,000 leases and 2,000 entries", &team(10, 100, 2_000, (2_000, 0)), "");
    row("10,000 faults", &team(10, 100, 10, (0, 10_000)), "");
    row("10,000 mistakes", &team(10, 100, 10, (0, 10_000)).replace("kill: r", "kil: r"), "");
}

fn row(what: &str, text: &str, target: &str) {
    let (mut checks, mut parses, mut plans) = (Vec::new(), Vec::new(), Vec::new());
    let whole = Stopwatch::start();
    while checks.len() < ROUNDS && (checks.len() < ROUNDS / 10 || whole.seconds() < SECONDS_MAX) {
        let watch = Stopwatch::start();
        let checked = black_box(check("large.yaml", text.as_bytes()));
        checks.push(watch.seconds() * 1e3);
        let watch = Stopwatch::start();
        let events = Parser::new_from_str(text).filter(Result::is_ok).count();
        assert!(black_box(events) > 100, "the parser has read the file");
        parses.push(watch.seconds() * 1e3);
        if let Some(scenario) = &checked.scenario
            && plans.len() < ROUNDS / 10
        {
            let ground = Ground::of_fixture(scenario).expect("the workspace is a fixture");
            let watch = Stopwatch::start();
            black_box(plan(scenario, &ground));
            plans.push(watch.seconds() * 1e3);
        }
    }
    let ratios: Vec<f64> = checks.iter().zip(&parses).map(|(check, parse)| check / parse).collect();
    let planned = if plans.is_empty() { "–".to_owned() } else { format!("{:.1}", quantile(&plans, 0.5)) };
    println!(
        "| {what} | {} | {:.1} | {:.1} | {:.1} | {:.2} | {planned} | {target} |",
        text.len() >> 10,
        quantile(&checks, 0.5),
        quantile(&checks, 0.99),
        quantile(&parses, 0.5),
        quantile(&ratios, 0.5)
    );
}

const HEAD: &str = "baton: 1\nname: large\nworkspace: { fixture: notes, files: 1000 }\ncaps: { lanes: 100000, tasks: 1000000 }\n\
    models: { fast: { latency: { median: 8s, p99: 60s }, tokens: { in: 4000, out: 600 } } }\n";

/// Entries in directories of their own, so that nothing collides.
fn team(roles: usize, lanes: usize, entries: usize, (leases, faults): (usize, usize)) -> String {
    let mut text = HEAD.to_owned() + "roles:\n";
    (0..roles).for_each(|role| text += &format!("  r{role}: {{ lanes: {lanes}, model: fast }}\n"));
    text += "tasks:\n";
    for entry in 0..entries {
        let role = entry % roles;
        text += &format!("  - {{ count: 20, by: r{role}, touches: \"d{entry}/**\", do: {{ append: token }} }}\n");
    }
    if leases > 0 {
        text += "leases:\n";
        (0..leases).for_each(|lease| text += &format!("  - {{ resource: \"d{lease}/**\", ttl: 2m }}\n"));
    }
    if faults > 0 {
        text += "faults:\n";
        (0..faults)
            .for_each(|fault| text += &format!("  - {{ kill: r{}.1, at: {fault}s, while: thinks }}\n", fault % roles));
    }
    text
}

fn chained(entries: usize) -> String {
    let mut text = HEAD.to_owned() + "roles: { a: { lanes: 1000, model: fast } }\ntasks:\n";
    for entry in 0..entries {
        let after = if entry == 0 { String::new() } else { format!("after: g{}, ", entry - 1) };
        text += &format!("  - {{ name: g{entry}, {after}count: 1, by: a, touches: a/b, do: {{ append: token }} }}\n");
    }
    text
}

fn crowded(entries: usize) -> String {
    let mut text =
        HEAD.to_owned() + "roles: { a: { lanes: 500, model: fast }, b: { lanes: 500, model: fast } }\ntasks:\n";
    for entry in 0..entries {
        let role = ["a", "b"][entry % 2];
        text += &format!("  - {{ count: 1, by: {role}, touches: a/b, do: {{ append: token }} }}\n");
    }
    text
}
