//! How long it takes until every one of a thousand busy lanes is known to have stopped, on the real clock.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;
mod team;

use baton_record::{Epoch, Event};
use baton_world::{Stopwatch, journal};
use measure::{heading, quantile};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use team::run_text;

const ABOUT: &str = "\
A live run of a thousand lanes, each with a model call under way nearly all the time, is paused and resumed again and
again. From the record `PauseRequested` to the record `PauseAcknowledged`: the request is made durable, announced to every
lane and to the merger, and all have answered. The acknowledgement itself is durable one fdatasync later; that one, of a
file on the same disk right before and after the run, is added.";

const PAUSES: u32 = 150;
const EVERY_MS: u32 = 140;
const FIRST_MS: u32 = 3_000;

fn main() {
    heading("Pause-all of 1,000 busy lanes", "cargo bench --bench pause", ABOUT);
    let mut syncs = fdatasyncs();
    let ran = run_text(&scenario());
    syncs.extend(fdatasyncs());
    let mut requested = None;
    let mut waits_ms = Vec::new();
    let mut lanes = 0;
    let end = journal::fold(&ran.journal(), |_, record, _| match record.event {
        Event::PauseRequested(pause) => requested = Some((pause.epoch, record.t_us)),
        Event::PauseAcknowledged(pause) => {
            waits_ms.push((record.t_us - since(requested, pause.epoch)) as f64 / 1e3);
            lanes = pause.lanes;
        }
        _ => {}
    });
    let records = end.expect("the journal is whole").chain.next_seq;
    report(&waits_ms, &syncs);
    println!("\n{} pauses of {PAUSES} were acknowledged by {lanes} lanes;", waits_ms.len());
    println!("{:.0} records/s were written meanwhile.", records as f64 / ran.outcome.lived_s);
}

fn report(waits_ms: &[f64], syncs_ms: &[f64]) {
    println!("| | p50 ms | p99 ms | target |\n|---|---|---|---|");
    let row = |what: &str, values: &[f64], target: &str| {
        println!("| {what} | {:.2} | {:.2} | {target} |", quantile(values, 0.5), quantile(values, 0.99));
    };
    row("request to acknowledgement", waits_ms, "<= 10 at p99");
    row("one fdatasync", syncs_ms, "");
    let sync = quantile(syncs_ms, 0.5);
    let durable: Vec<f64> = waits_ms.iter().map(|wait| wait + sync).collect();
    row("request to durable acknowledgement", &durable, "<= 10 + one fdatasync at p99");
}

fn since(requested: Option<(Epoch, u64)>, epoch: Epoch) -> u64 {
    let (requested, t_us) = requested.expect("a pause is requested before it is acknowledged");
    assert_eq!(requested, epoch, "the acknowledgement is of the request before it");
    t_us
}

fn scenario() -> String {
    let operators: Vec<String> = (0..PAUSES)
        .flat_map(|pause| {
            let at = FIRST_MS + pause * EVERY_MS;
            [(at, "pause-all"), (at + EVERY_MS / 2, "resume-all")]
        })
        .map(|(at, word)| format!("  - {{ at: {at}ms, by: bench, do: {word} }}"))
        .collect();
    let after = (FIRST_MS + PAUSES * EVERY_MS) / 1_000 + 1;
    format!(
        r#"# Claim: none; this makes a team busy.
baton: 1
name: pause
seed: 8
world: live
workspace: {{ fixture: notes, files: 1000 }}
roles:
  implementer: {{ lanes: 1000, model: fast }}
models:
  fast: {{ driver: script, latency: {{ median: 500ms, p99: 2s }} }}
tasks:
  - {{ each: 100, by: implementer, touches: "notes/**", steps: 60, do: {{ append: token }} }}
operators:
{}
stop: {{ after: {after}s }}
"#,
        operators.join("\n")
    )
}

fn fdatasyncs() -> Vec<f64> {
    let folder =
        tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).expect("the target folder can be written to");
    let file = File::options().append(true).create_new(true).open(folder.path().join("raw"));
    let mut file = file.expect("the target folder can be written to");
    let mut timed = || {
        let watch = Stopwatch::start();
        file.write_all(&[b'x'; 300]).and_then(|()| file.sync_data()).expect("the disk takes it");
        watch.seconds() * 1e3
    };
    (0..500).map(|_| timed()).collect()
}
