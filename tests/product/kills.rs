//! LOG-1: a run can be killed at any instant, and what it leaves behind is verified; a run that is interrupted ends in order.
//!
//! `BATON_KILLS` sets how many kills each test makes. The instants come from a seed that is printed with a failure.

use crate::draws::Draws;
use crate::program::{LIMIT, Living, baton};
use crate::run_folder::{RunFolder, write_scenario};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Kills in one test, if nobody says otherwise.
const KILLS: u64 = 6;
/// A killed run has left its mark by then.
const SPAN_MS: u64 = 900;

fn kills() -> u64 {
    std::env::var("BATON_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(KILLS)
}

/// Long enough to be killed in the middle: every kind of edit, leases, gates and restarts.
const LARGE: &str = r#"
baton: 1
name: large
workspace: { fixture: notes, files: 40 }
roles:
  implementer: { lanes: 8, model: fast }
models:
  fast: { driver: script, latency: LATENCY, slots: 6 }
tasks:
  - { each: 60, by: implementer, touches: "notes/**", do: { append: token } }
  - { each: 40, by: implementer, touches: "**", do: { transaction: { files: 3, append: token } } }
  - { each: 20, by: implementer, touches: "drafts/**", do: { create: token } }
leases:
  - { resource: "index/**", ttl: 2m }
  - { resource: "counters/**", ttl: 2m }
gates:
  - { name: no-conflict-markers, forbid: "<<<<<<< " }
mail: MAIL
faults:
  - { duplicate: 3% }
  - { restart: merger, at: 200ms }
  - { restart: supervisor, at: 400ms }
"#;

fn large(place: &Path, latency: &str, mail: &str) -> String {
    write_scenario(place, "large", &LARGE.replace("LATENCY", latency).replace("MAIL", mail))
}

fn in_sim(place: &Path) -> String {
    large(place, "{ median: 8s, p99: 60s }", "{ median: 2ms, p99: 20ms }")
}

fn in_live(place: &Path) -> String {
    large(place, "{ median: 5ms, p99: 30ms }", "{ median: 1ms, p99: 3ms }")
}

/// Kills a run after this many milliseconds, or as soon as its journal has this many bytes; then looks.
#[derive(Clone, Copy, Debug)]
enum Instant {
    After(u64),
    Bytes(u64),
}

fn journal_bytes(out: &Path) -> u64 {
    std::fs::metadata(out.join("journal/000001-000000.jsonl")).map_or(0, |metadata| metadata.len())
}

/// Whether the run was still living.
fn kill(living: &mut Living, out: &Path, instant: Instant) -> bool {
    let ended = match instant {
        Instant::After(ms) => living.ends_within(Duration::from_millis(ms)),
        Instant::Bytes(bytes) => loop {
            if journal_bytes(out) >= bytes {
                break false;
            }
            if living.ends_within(Duration::from_millis(1)) {
                break true;
            }
        },
    };
    living.kill();
    !ended
}

#[track_caller]
fn check(place: &Path, scenario: &str, world: &str, instants: &[Instant]) {
    let mut killed_within = 0;
    for (at, instant) in instants.iter().enumerate() {
        let name = format!("killed-{at}");
        let out = place.join(&name);
        let words = ["run", scenario, "--json", "--world", world, "--out", &name];
        let mut living = Living::start(&mut baton(place, words));
        let lived = kill(&mut living, &out, *instant);
        let what = format!("{world}, killed at {instant:?} of {scenario}");
        drop(living);
        if !out.exists() {
            continue;
        }
        let folder = RunFolder(&out);
        folder.must_be_sound(&what);
        killed_within += u64::from(lived && folder.of_kind("RunStopped").is_empty());
        std::fs::remove_dir_all(&out).unwrap();
    }
    assert!(killed_within > 0, "no kill hit a living team: the scenario is too short for this machine");
}

fn after(seed: u64) -> Vec<Instant> {
    let mut draws = Draws::of(seed);
    (0..kills()).map(|_| Instant::After(draws.between(5, SPAN_MS))).collect()
}

fn by_size(seed: u64) -> Vec<Instant> {
    let mut draws = Draws::of(seed);
    (0..kills()).map(|_| Instant::Bytes(draws.between(1, 900_000))).collect()
}

#[test]
fn a_kill_at_any_instant_of_virtual_time_leaves_a_sound_run() {
    let place = tempfile::tempdir().unwrap();
    let scenario = in_sim(place.path());
    check(place.path(), &scenario, "sim", &after(1));
}

#[test]
fn a_kill_at_any_size_of_the_journal_leaves_a_sound_run() {
    let place = tempfile::tempdir().unwrap();
    let scenario = in_sim(place.path());
    check(place.path(), &scenario, "sim", &by_size(2));
}

#[test]
fn a_kill_at_any_instant_of_real_time_leaves_a_sound_run() {
    let place = tempfile::tempdir().unwrap();
    let scenario = in_live(place.path());
    check(place.path(), &scenario, "live", &after(3));
    check(place.path(), &scenario, "live", &by_size(4));
}

/// The head of a redo log as another boot of the machine would have written it.
fn of_another_boot(log: &Path) {
    let mut bytes = std::fs::read(log).unwrap();
    let text: Vec<String> =
        bytes.split(|byte| *byte == b'\n').take(2).map(|line| String::from_utf8_lossy(line).into()).collect();
    let lap = text[1].split(' ').next().unwrap();
    let said = format!("{}\n{lap} 00000000-0000-0000-0000-000000000000", text[0]);
    let mut check = flate2::Crc::new();
    check.update(said.as_bytes());
    let head = format!("{said} {:08x}\n", check.sum());
    bytes[..head.len()].copy_from_slice(head.as_bytes());
    std::fs::write(log, bytes).unwrap();
}

#[test]
fn a_power_cut_in_real_time_takes_nothing_that_had_landed() {
    let place = tempfile::tempdir().unwrap();
    let scenario = in_live(place.path());
    let out = place.path().join("cut");
    let words = ["run", &scenario, "--json", "--world", "live", "--out", "cut"];
    let mut living = Living::start(&mut baton(place.path(), words));
    assert!(kill(&mut living, &out, Instant::Bytes(500_000)), "the scenario is too short for this machine");
    drop(living);
    let folder = RunFolder(&out);
    let landed = folder.of_kind("ChangeLanded");
    let (first, last) = (&landed[0]["data"]["main_before"], &landed.last().unwrap()["data"]["main_after"]);
    let repository = out.join("repo.git");
    of_another_boot(&repository.join("baton-redo"));
    // What a disk may have lost that nobody has waited for: main's last moves, and packs that the log vouches for.
    std::fs::write(repository.join("refs/heads/main"), format!("{}\n", first.as_str().unwrap())).unwrap();
    let log = std::fs::read(repository.join("baton-redo")).unwrap();
    let vouched = |path: &Path| {
        let name = path.file_name().unwrap().to_str().unwrap().trim_start_matches("pack-");
        let bytes: Vec<u8> =
            (0..20).map_while(|at| u8::from_str_radix(name.get(2 * at..2 * at + 2)?, 16).ok()).collect();
        bytes.len() == 20 && log.windows(20).any(|window| window == bytes)
    };
    let packs = std::fs::read_dir(repository.join("objects/pack")).unwrap().map(|entry| entry.unwrap().path());
    let lost: Vec<_> = packs.filter(|path| vouched(path)).step_by(3).collect();
    assert!(!lost.is_empty(), "nothing was left to the log");
    for path in lost {
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "").unwrap();
    }
    folder.must_be_sound("after a power cut");
    let main = crate::repository::git(&repository, &["rev-parse", "main"]);
    let on_main = crate::repository::git(&repository, &["rev-list", "--first-parent", "main"]);
    assert!(on_main.contains(last.as_str().unwrap()), "{main} has not what landed last");
    assert!(!repository.join("baton-redo").exists());
}

/// What a kill during the preparation leaves beside the folder's place is in nobody's way.
#[test]
fn a_run_that_was_killed_early_can_be_run_again_into_the_same_folder() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let making = place.join(".out.making");
    std::fs::create_dir_all(making.join("journal")).unwrap();
    std::fs::write(making.join("journal/000001-000000.jsonl"), "half a li").unwrap();
    let said = crate::run_folder::run(place, "two-writers", "out", &[]);
    assert_eq!(said.code(), 0, "{said:?}");
    assert!(!making.exists());
    RunFolder(&place.join("out")).must_be_sound("after a kill in the preparation");
}

#[track_caller]
fn check_interrupt(scenario: &str, place: &Path, world: &str) {
    let out = place.join(world);
    let words = ["run", scenario, "--json", "--world", world, "--out", world];
    let mut living = Living::start(&mut baton(place, words));
    while journal_bytes(&out) < 60_000 {
        assert!(!living.ends_within(Duration::from_millis(1)), "{world}: too short to be interrupted");
    }
    living.interrupt();
    let said = living.end(LIMIT);
    assert_eq!(said.code(), 5, "{world}: {said:?}");
    let told = said.json();
    assert_eq!((&told["verdict"], &told["exit_code"]), (&Value::from("stopped"), &Value::from(5)), "{world}: {told}");
    let folder = RunFolder(&out);
    let records = folder.records();
    assert_eq!(records.last().unwrap()["kind"], "RunStopped", "{world}");
    assert_eq!(told["journal"]["records"], records.len(), "{world}");
    folder.must_be_sound(&format!("{world}, interrupted"));
    let text = std::fs::read_to_string(out.join("run.json")).unwrap();
    let written: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(written["verdict"], "stopped", "{world}");
}

#[test]
fn an_interrupted_run_ends_in_order_and_says_that_it_was_stopped() {
    let place = tempfile::tempdir().unwrap();
    let scenario = in_sim(place.path());
    check_interrupt(&scenario, place.path(), "sim");
    let scenario = in_live(place.path());
    check_interrupt(&scenario, place.path(), "live");
}
