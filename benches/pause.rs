//! How long it takes until every one of a thousand busy lanes is known to have stopped, on the real clock.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;
mod team;

use baton_record::{Epoch, Event};
use baton_world::{Stopwatch, journal};
use measure::{heading, quantile};
use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use team::run_text;

const ABOUT: &str = "\
A live run of a thousand lanes, each with a model call under way nearly all the time, is paused and resumed again and
again. From the record `PauseRequested` to the record `PauseAcknowledged`: the request is made durable, announced to every
lane and to the merger, and all have answered. Meanwhile another thread appends to a file on the same disk and calls
fdatasync every ten milliseconds: what the disk, and whoever else uses it, makes anybody wait.";

const PAUSES: u32 = 150;
const EVERY_MS: u32 = 140;
const FIRST_MS: u32 = 3_000;

fn main() {
    heading("Pause-all of 1,000 busy lanes", "cargo bench --bench pause", ABOUT);
    let stop = Arc::new(AtomicBool::new(false));
    let its_own = stop.clone();
    let prober = std::thread::spawn(move || fdatasyncs_ms(&its_own));
    let ran = run_text(&scenario());
    stop.store(true, Ordering::SeqCst);
    let syncs = prober.join().expect("the thread ends well");
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
    let row = |what: &str, values: &[f64]| {
        println!("| {what} | {:.2} | {:.2} | |", quantile(values, 0.5), quantile(values, 0.99));
    };
    row("request to acknowledgement", waits_ms);
    row("one fdatasync, meanwhile", syncs_ms);
    let over = |share| quantile(waits_ms, share) - quantile(syncs_ms, share);
    println!("| acknowledgement over fdatasync | {:.2} | {:.2} | <= 10 at p99 |", over(0.5), over(0.99));
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

/// One every ten milliseconds until told to stop.
fn fdatasyncs_ms(stop: &AtomicBool) -> Vec<f64> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the target folder can be written to");
    let file = File::options().append(true).create_new(true).open(folder.path().join("raw"));
    let mut file = file.expect("the target folder can be written to");
    let mut syncs = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        std::thread::park_timeout(Duration::from_millis(10));
        let watch = Stopwatch::start();
        file.write_all(&[b'x'; 300]).and_then(|()| file.sync_data()).expect("the disk takes it");
        syncs.push(watch.seconds() * 1e3);
    }
    syncs
}
