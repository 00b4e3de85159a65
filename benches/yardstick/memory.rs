//! What an idle lane costs in memory, beside a raw tokio task with a channel and an actor that does nothing.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "../measure.rs"]
mod measure;

use actix::{Actor, Addr, Context, Handler, Message, System};
use baton_actors::progress::Progress;
use baton_scenarios::file;
use baton_scenarios::outcome::Verdict;
use baton_scenarios::run::{Options, Source, run};
use baton_world::ClockKind;
use baton_world::clock::runtime;
use measure::{heading, thousands};
use peak_alloc::PeakAlloc;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const ABOUT: &str = "\
Counted are the bytes that are allocated and not yet freed (what is asked of the allocator, not pages), twice for each: with
few and with many of it; the difference, over the difference in number, is what one costs, whatever it is that grows.
*Raw task*: a tokio task that waits for its channel of 16 words, whose sender is kept. *Actor*: an actix actor without state,
whose address is kept. *Lane*: an idle lane of a team that lives on the real clock. It has asked for a task, there is none,
and everything that the team keeps for it is counted too: its place in the supervisor's state and line, its ledger, its name,
its address, its timers and its open question.";

const FEW: usize = 100;
const MANY: usize = 10_000;
/// The team has started, and everybody has been told that there is nothing to do.
const SETTLED: Duration = Duration::from_secs(12);
const ROUNDS: usize = 3;
const TARGET: f64 = 2.5;

fn main() {
    heading("Memory of an idle lane", "cargo bench -p baton-yardstick --bench memory", ABOUT);
    println!("| round | raw task: bytes | actor: bytes | lane: bytes | lane ÷ actor | lane ÷ raw task | target |");
    println!("|---|---|---|---|---|---|---|");
    for round in 1..=ROUNDS {
        let (raw, actor, lane) = (each(raw_tasks), each(actors), each(lanes));
        println!(
            "| {round} | {} | {} | {} | {:.2} | {:.2} | <= {TARGET} |",
            thousands(raw),
            thousands(actor),
            thousands(lane),
            lane / actor,
            lane / raw
        );
    }
}

/// What one more of it costs.
fn each(bytes_of: fn(usize) -> usize) -> f64 {
    let (few, many) = (bytes_of(FEW), bytes_of(MANY));
    many.saturating_sub(few) as f64 / (MANY - FEW) as f64
}

fn raw_tasks(count: usize) -> usize {
    let system = System::with_tokio_rt(|| runtime(ClockKind::Real).expect("a runtime can be built"));
    system.block_on(async {
        let senders: Vec<mpsc::Sender<usize>> = (0..count).map(|_| raw_task()).collect();
        settle().await;
        let bytes = ALLOCATOR.current_usage();
        drop(senders);
        bytes
    })
}

fn raw_task() -> mpsc::Sender<usize> {
    let (sender, mut receiver) = mpsc::channel(16);
    actix_rt::spawn(async move {
        while let Some(word) = receiver.recv().await {
            std::hint::black_box(word);
        }
    });
    sender
}

struct Idle;

struct Word(usize);

impl Message for Word {
    type Result = ();
}

impl Actor for Idle {
    type Context = Context<Idle>;
}

impl Handler<Word> for Idle {
    type Result = ();
    fn handle(&mut self, word: Word, _: &mut Context<Idle>) {
        std::hint::black_box(word.0);
    }
}

fn actors(count: usize) -> usize {
    let system = System::with_tokio_rt(|| runtime(ClockKind::Real).expect("a runtime can be built"));
    system.block_on(async {
        let addresses: Vec<Addr<Idle>> = (0..count).map(|_| Idle.start()).collect();
        addresses.iter().for_each(|address| address.do_send(Word(1)));
        settle().await;
        let bytes = ALLOCATOR.current_usage();
        drop(addresses);
        bytes
    })
}

/// Everybody has been polled and waits.
async fn settle() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}

fn lanes(count: usize) -> usize {
    let text = scenario(count);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the target folder can be written to");
    let interrupted = Arc::new(AtomicBool::new(false));
    let (out, stop) = (folder.path().join("run"), interrupted.clone());
    let team = std::thread::spawn(move || live(&text, &out, stop));
    std::thread::park_timeout(SETTLED);
    let bytes = ALLOCATOR.current_usage();
    interrupted.store(true, Ordering::SeqCst);
    let verdict = team.join().expect("the team ends well");
    assert_eq!(verdict, Verdict::Stopped, "it was stopped while nobody had anything to do");
    bytes
}

fn live(text: &str, out: &Path, interrupted: Arc<AtomicBool>) -> Verdict {
    let scenario = file::read("bench", text.as_bytes()).expect("the scenario can be read");
    let progress = Arc::new(Progress::default());
    let options = Options {
        seed: None,
        world: None,
        repository: None,
        out: out.to_owned(),
        interrupted,
        progress,
        anyway: false,
    };
    let outcome = run(Source { scenario: &scenario, bytes: text.as_bytes() }, &options);
    outcome.expect("the scenario can be run").verdict
}

/// One lane has a task that takes an hour; the others have none.
fn scenario(lanes: usize) -> String {
    format!(
        "baton: 1\nname: idle\nworld: live\nworkspace: {{ fixture: notes, files: 1 }}\n\
         roles: {{ implementer: {{ lanes: {lanes}, model: fast }} }}\n\
         models: {{ fast: {{ latency: {{ median: 1h, p99: 2h }} }} }}\n\
         tasks: [ {{ count: 1, by: implementer, do: {{ create: token }} }} ]\ncaps: {{ lanes: {lanes} }}\n"
    )
}
