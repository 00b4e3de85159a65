//! What gets through an endpoint that a hundred lanes share: under a rate and a storm, and under an overload.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;
mod team;

use baton_record::Event;
use baton_scenarios::shipped;
use baton_world::journal;
use measure::{heading, quantile};
use std::collections::BTreeMap;
use team::run_text;

const ABOUT: &str = "\
Virtual time: the figures are the same on every machine. *Rate*: the shipped scenario `storm-429`: a hundred lanes, sixty calls
a minute, and a storm of 429 from minute 10 to 11. Goodput is the calls that were taken in the first 25 minutes, in which
there is more work than the rate serves, over what the rate allows in the 24 minutes without the storm. *Overload*: the shipped
scenario `storm-529`: for half an hour the endpoint answers 529 to every call above twelve at once. Its yardstick is the same
scenario and seed with `slots: 12`: a team that was told the number. Compared are the calls that were taken from minute 5 to 30.";

const SEEDS: u64 = 24;
const MINUTE_US: u64 = 60_000_000;
const PER_MINUTE: f64 = 60.0;

/// Calls of one run.
struct Calls {
    /// Taken within the window.
    taken: f64,
    /// Refused, of all that were made.
    wasted: f64,
    most_in_a_minute: usize,
}

fn main() {
    heading("Goodput of a shared endpoint", "cargo bench --bench goodput", ABOUT);
    println!(
        "| seed | rate: goodput | rate: wasted | rate: most in a minute | overload: of the told team | overload: wasted |"
    );
    println!("|---|---|---|---|---|---|");
    let mut columns: [Vec<f64>; 4] = Default::default();
    for seed in 1..=SEEDS {
        let rated = calls("storm-429", seed, "", 0..25);
        let goodput = rated.taken / (24.0 * PER_MINUTE);
        let (found, told) = (calls("storm-529", seed, "", 5..30), calls("storm-529", seed, "slots: 12, ", 5..30));
        let share = found.taken / told.taken;
        println!(
            "| {seed} | {goodput:.3} | {:.4} | {} | {share:.2} | {:.4} |",
            rated.wasted, rated.most_in_a_minute, found.wasted
        );
        for (column, figure) in columns.iter_mut().zip([goodput, rated.wasted, share, found.wasted]) {
            column.push(figure);
        }
        assert!(rated.most_in_a_minute <= 60, "seed {seed}: above the rate");
        assert!(told.wasted == 0.0, "seed {seed}: who knows the number is refused nothing");
    }
    let [goodput, wasted, share, overload_wasted] = &columns;
    println!("\n| | min | median | max | target |\n|---|---|---|---|---|");
    row("rate: goodput", goodput, ">= 0.95");
    row("rate: wasted", wasted, "<= 0.02");
    row("overload: of the told team", share, "");
    row("overload: wasted", overload_wasted, "<= 0.02");
    assert!(quantile(goodput, 0.0) >= 0.95 && quantile(wasted, 1.0) <= 0.02, "a target is missed");
    assert!(quantile(overload_wasted, 1.0) <= 0.02, "a target is missed");
}

fn row(what: &str, figures: &[f64], target: &str) {
    let of = |share| quantile(figures, share);
    println!("| {what} | {:.3} | {:.3} | {:.3} | {target} |", of(0.0), of(0.5), of(1.0));
}

/// Runs a shipped scenario with another seed, and with `more` said of its model.
fn calls(scenario: &str, seed: u64, more: &str, minutes: std::ops::Range<u64>) -> Calls {
    let shipped = shipped::find(scenario).expect("the scenario is shipped");
    let seeded = |line: &str| match line {
        line if line.starts_with("seed: ") => format!("seed: {seed}\n"),
        // Whoever is told the number never feels what there would be to feel.
        line if line.starts_with("expect: ") => "expect: [main.intact]\n".to_owned(),
        line if line.contains("overload: ") && !more.is_empty() => String::new(),
        line if line == "faults:" && !more.is_empty() && scenario == "storm-529" => String::new(),
        line => line.replace("driver: script, ", &format!("driver: script, {more}")) + "\n",
    };
    let text: String = shipped.lines().map(seeded).collect();
    let ran = run_text(&text);
    let window = minutes.start * MINUTE_US..minutes.end * MINUTE_US;
    let (mut begun, mut admitted) = (BTreeMap::new(), Vec::new());
    let (mut taken, mut done, mut failed) = (0, 0, 0);
    journal::fold(&ran.journal(), |_, record, _| match record.event {
        Event::EffectIntended(_) => drop(begun.insert(record.lane, record.t_us)),
        Event::CallAdmitted(_) => {
            admitted.push(record.t_us);
            begun.insert(record.lane, record.t_us);
        }
        Event::EffectDone(_) => {
            done += 1;
            taken += u64::from(begun.remove(&record.lane).is_some_and(|at_us| window.contains(&at_us)));
        }
        Event::EffectFailed(_) => failed += 1,
        _ => {}
    })
    .expect("a run's own journal can be folded");
    let within = |at: usize| admitted[at..].iter().take_while(|time| **time < admitted[at] + MINUTE_US).count();
    let most_in_a_minute = (0..admitted.len()).map(within).max().unwrap_or(0);
    Calls { taken: taken as f64, wasted: f64::from(failed) / f64::from(done + failed), most_in_a_minute }
}
