//! How fast a whole team is simulated: the shipped scenario `day`.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;
mod team;

use baton_scenarios::shipped;
use measure::{heading, thousands};
use team::run_text;

const ABOUT: &str = "\
The shipped scenario `day`: two hundred lanes that think for about twenty seconds at a time, a whole virtual working day.
Measured is the time that the team lives (`lived_s`): every question, decision, record, merge and git object of the run,
without making its workspace and without checking it afterwards.";

fn main() {
    heading("Simulation", "cargo bench --bench simulation", ABOUT);
    println!(
        "| round | records | virtual s | lived s | records/s | virtual s per s | with checking: wall s | verdict |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for round in 1..=2 {
        let outcome = run_text(shipped::find("day").expect("the scenario is shipped")).outcome;
        let records = outcome.journal.records as f64;
        println!(
            "| {round} | {} | {:.0} | {:.2} | {} | {} | {:.2} | {:?} |",
            thousands(records),
            outcome.virtual_s,
            outcome.lived_s,
            thousands(records / outcome.lived_s),
            thousands(outcome.virtual_s / outcome.lived_s),
            outcome.wall_s,
            outcome.verdict,
        );
    }
    println!("\nTarget: at least 50,000 records/s while the team lives.");
}
