//! Verified replay of a journal, as a restarting supervisor does it, beside reading and parsing its lines alone.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;
mod team;

use baton_actors::supervisor::fold_supervision;
use baton_record::Names;
use baton_record::line::parse_line;
use baton_record::segment::SegmentName;
use baton_world::Stopwatch;
use measure::{Contestant, compete, heading, table};
use std::hint::black_box;
use std::path::Path;
use team::run_text;

const ABOUT: &str = "\
The journal of a simulated run, read on one core. *Verified replay*: every line's closing bytes, checksum, predecessor
and sequence are checked, the record is parsed, and the supervisor's state is folded from it. *Parsing alone*: the same
files are read and each line is parsed by the same parser, unchecked, and dropped.";

/// Like the shipped scenario `day`, but a shorter one.
const SCENARIO: &str = r#"# Claim: none; this makes a journal.
baton: 1
name: replay
seed: 8
workspace: { fixture: notes, files: 1000 }
roles:
  implementer: { lanes: 200, model: fast }
models:
  fast: { driver: script, latency: { median: 20s, p99: 120s }, tokens: { in: 4000, out: 600 }, price: { in: 3.0, out: 15.0 } }
tasks:
  - { each: 4, by: implementer, touches: "notes/**", steps: 60, do: { append: token } }
"#;

fn main() {
    let ran = run_text(SCENARIO);
    let (dir, records) = (ran.journal(), ran.outcome.journal.records);
    heading("Verified replay", "cargo bench --bench replay", ABOUT);
    table("records/s");
    let verified = || {
        let watch = Stopwatch::start();
        let folded = fold_supervision(&dir).expect("the journal is whole");
        let seconds = watch.seconds();
        assert_eq!((folded.end.chain.next_seq, folded.end.torn), (records, false));
        drop(black_box(folded));
        records as f64 / seconds
    };
    let parsed = || {
        let watch = Stopwatch::start();
        assert_eq!(parse_all(&dir), records);
        records as f64 / watch.seconds()
    };
    let contestants = vec![Contestant::new("verified replay", verified), Contestant::new("parsing alone", parsed)];
    compete(&format!("{records} records"), 15, contestants);
    println!("\nTarget: at least 0.6 of parsing alone, and at least 500,000 records/s on one core.");
}

fn parse_all(dir: &Path) -> u64 {
    let (mut seq, mut names) = (0, Names::default());
    for segment in 0.. {
        let Ok(bytes) = std::fs::read(dir.join(SegmentName { segment, epoch: 1 }.file_name())) else { break };
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            drop(black_box(parse_line(line, seq, &mut names).expect("the journal is whole")));
            seq += 1;
        }
    }
    seq
}
