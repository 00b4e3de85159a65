//! How many landings a busy team gets for each move of main, and how long it takes: in rows, and one by one.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;
mod team;

use baton_record::Event;
use baton_world::journal;
use measure::heading;
use team::run_text;

const ABOUT: &str = "\
Virtual time: the figures are the same on every machine. A hundred lanes make five changes each; a call takes 8 s (p99 60 s), the
gate 30 s (p99 90 s), and every change waits until it has landed. The yardstick is the same scenario and seed with `caps: { row: 1 }`:
one change at a time, as the merger did before it knew rows. *Apart*: every change creates a file of its own. *Mixed*: two fifths of
the changes edit one of 200 shared files in place, so that some do not merge and are made anew. *Red*: the gate refuses 5 % of the trees.
A *tree* is one run of the gate: what stands behind a red change, or leaves its row, is gated again.";

const SEEDS: std::ops::RangeInclusive<u64> = 1..=3;

fn main() {
    heading("Landings of a busy team for each move of main", "cargo bench --bench rows", ABOUT);
    println!(
        "| changes | seed | most in a row | landed | moves of main | landings a move | trees gated | virtual time | one by one |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for (what, tasks, red) in
        [("apart", APART, 0), ("mixed", MIXED, 0), ("apart, red", APART, 5), ("mixed, red", MIXED, 5)]
    {
        for seed in SEEDS {
            let alone = told(seed, tasks, red, 1);
            for row in [8, 64, 256] {
                let rows = told(seed, tasks, red, row);
                assert_eq!((rows.landed, alone.landed), (500, 500), "{what}, seed {seed}: nobody is lost");
                println!(
                    "| {what} | {seed} | {row} | {} | {} | {:.1} | {} | {:.0} s | {:.0} s ({:.1} times) |",
                    rows.landed,
                    rows.moves,
                    rows.landed as f64 / rows.moves as f64,
                    rows.trees,
                    rows.seconds,
                    alone.seconds,
                    alone.seconds / rows.seconds
                );
            }
        }
    }
}

const APART: &str = "  - { each: 5, by: w, touches: \"drafts/**\", attempts: 64, do: { create: token } }\n";
const MIXED: &str = "  - { each: 3, by: w, touches: \"drafts/**\", attempts: 64, do: { create: token } }
  - { each: 2, by: w, touches: \"notes/**\", attempts: 64, do: { edit: replace-line } }\n";

/// What a run came to.
struct Told {
    landed: u64,
    moves: u64,
    trees: u64,
    seconds: f64,
}

fn told(seed: u64, tasks: &str, red: u32, row: u32) -> Told {
    let ran = run_text(&format!(
        "baton: 1\nname: rows\nseed: {seed}\nworkspace: {{ fixture: notes, files: 200 }}\nroles: {{ w: {{ lanes: 100, model: m }} }}
models: {{ m: {{ latency: {{ median: 8s, p99: 60s }} }} }}\ntasks:\n{tasks}gates:
  - {{ name: tests, script: {{ latency: {{ median: 30s, p99: 90s }}, red: {red}% }} }}
caps: {{ row: {row} }}\nexpect: [ main.intact ]\n"
    ));
    let mut told = Told { landed: 0, moves: 0, trees: 0, seconds: 0.0 };
    let mut first = None;
    journal::fold(&ran.journal(), |_, record, _| match record.event {
        Event::ChangeIntended(intended) if intended.behind.is_none() => first = Some(intended.change),
        Event::ChangeLanded(landed) => {
            told.landed += 1;
            told.moves += u64::from(first == Some(landed.change));
            told.seconds = record.t_us as f64 / 1e6;
        }
        Event::GatePassed(_) | Event::GateFailed(_) => told.trees += 1,
        _ => {}
    })
    .expect("a run's own journal can be folded");
    told
}
