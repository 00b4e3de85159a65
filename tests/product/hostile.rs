//! Everything goes wrong at once, again and again: late and lost mail beside leases that run out, dead lanes whose changes
//! arrive after them, actors that die more often than they may, and scenarios that nothing ends.

use crate::program::{LIMIT, Living, baton};
use crate::repository::repository;
use crate::run_folder::{RunFolder, run, write_scenario};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

const TEAM: &str = "workspace: { fixture: notes, files: 5 }\n\
     roles: { w: { lanes: 6, model: m } }\n\
     models: { m: { latency: { median: 3s, p99: 30s }, slots: 2 } }\n\
     tasks:\n\
     \x20 - { each: 5, by: w, touches: \"**\", do: { append: token } }\n\
     \x20 - { each: 5, by: w, touches: \"**\", do: { transaction: { files: 3, append: token } } }\n";

fn scenario(sections: &str) -> String {
    format!("baton: 1\nname: hostile\n{TEAM}{sections}\n")
}

/// Runs a scenario with each seed: it ends with one of these codes and leaves a sound folder. A task may be given up.
#[track_caller]
fn check(sections: &str, seeds: std::ops::Range<u32>, codes: &[i32]) -> Value {
    let mut last = Value::Null;
    for seed in seeds {
        let place = tempfile::tempdir().unwrap();
        let file = write_scenario(place.path(), "hostile", &scenario(sections));
        let said = run(place.path(), &file, "out", &["--seed", &seed.to_string()]);
        assert!(codes.contains(&said.code()), "seed {seed}: {said:?}\n{}", scenario(sections));
        RunFolder(&place.path().join("out")).must_be_sound(&format!("seed {seed}"));
        last = said.json();
    }
    last
}

#[test]
fn a_refusal_for_a_newer_fence_stands_behind_the_record_of_that_fence() {
    let mail = "faults: [ { drop: 20% }, { duplicate: 20% }, { delay: 20%, by: 1m } ]";
    check(&format!("leases: [ {{ resource: \"notes/**\", ttl: 30s }} ]\n{mail}"), 115..127, &[0, 1]);
}

#[test]
fn what_arrives_of_a_lane_after_its_death_is_nobodys() {
    let mut faults = Vec::new();
    for at in (5..240).step_by(32) {
        let lane = at % 6 + 1;
        faults.push(format!("{{ kill: w.{lane}, at: {at}s }}"));
        faults.push(format!("{{ pause: w, at: {}s, while: holds-lease, for: 70s }}", at + 4));
        faults.push(format!("{{ restart: supervisor, at: {}s }}", at + 8));
        faults.push(format!("{{ restart: merger, at: {}s }}", at + 12));
        faults.push(format!("{{ duplicate: 30%, at: {}s, for: 20s }}", at + 16));
        faults.push(format!("{{ delay: 30%, by: 20s, at: {}s, for: 20s }}", at + 20));
        faults.push(format!("{{ drop: 20%, at: {}s, for: 20s }}", at + 24));
        faults.push(format!("{{ kill: w, at: {}s, while: waits-for-landing }}", at + 28));
    }
    let leases = "leases: [ { resource: \"notes/**\", per: task, ttl: 20s }, { resource: \"index/**\", ttl: 5s } ]";
    check(&format!("{leases}\ncaps: {{ restarts: 100 }}\nfaults: [ {} ]", faults.join(", ")), 120..136, &[0, 1]);
}

#[test]
fn an_actor_that_dies_more_often_than_it_may_is_a_limit_and_no_bug() {
    let restarts: Vec<String> = (1..20).map(|at| format!("{{ restart: supervisor, at: {at}s }}")).collect();
    let place = tempfile::tempdir().unwrap();
    let file = write_scenario(place.path(), "mortal", &scenario(&format!("faults: [ {} ]", restarts.join(", "))));
    let said = run(place.path(), &file, "out", &[]);
    assert_eq!(said.code(), 5, "{said:?}");
    assert!(said.stderr.contains("raise the cap") || said.stdout.contains("raise the cap"), "{said:?}");
    RunFolder(&place.path().join("out")).must_be_sound("mortal");
}

#[test]
fn a_simulation_that_nothing_ends_is_ended() {
    let forgotten = "operators: [ { at: 10s, by: ana, do: pause-all } ]";
    for sections in [forgotten, "faults: [ { drop: 100% } ]"] {
        let told = check(sections, 1..2, &[5]);
        assert_eq!(told["stopped"], "time-over", "{sections}: {told:#}");
        assert_eq!(told["virtual_s"].as_f64().unwrap().round(), 2_592_000.0, "thirty days");
    }
}

#[test]
fn a_person_need_not_wait_for_an_actor_that_backs_off() {
    let restarts: Vec<String> = (0..6).map(|at| format!("{{ restart: supervisor, at: {}ms }}", 100 + at)).collect();
    let place = tempfile::tempdir().unwrap();
    let text = scenario(&format!("caps: {{ restarts: 100 }}\nfaults: [ {} ]", restarts.join(", ")));
    let file = write_scenario(place.path(), "slow", &text);
    let words = ["run", &file, "--world", "live", "--json", "--out", "out"];
    let mut living = Living::start(&mut baton(place.path(), words));
    assert!(!living.ends_within(Duration::from_secs(3)), "it backs off for longer than that");
    living.interrupt();
    assert!(living.ends_within(Duration::from_secs(10)), "it waits for the end of a back-off");
    let said = living.end(LIMIT);
    assert_eq!(said.code(), 5, "{said:?}");
    RunFolder(&place.path().join("out")).must_be_sound("slow");
}

#[test]
fn a_repository_without_room_for_the_work_is_refused_before_the_run() {
    let place = tempfile::tempdir().unwrap();
    let source = place.path().join("source");
    std::fs::create_dir(&source).unwrap();
    repository(&source, &[("notes", b"a file, not a directory\n")]);
    let said = refused(place.path(), &source);
    assert!(said.contains("`notes`") && said.contains("no directory"), "{said}");
}

fn refused(place: &Path, source: &Path) -> String {
    let said = run(place, "plain-run", "out", &["--repo", &source.display().to_string()]);
    assert_eq!(said.code(), 2, "{said:?}");
    assert!(!place.join("out").exists(), "nothing is begun");
    format!("{}{}", said.stdout, said.stderr)
}
