//! Work that is harder than the shipped scenarios: everything at once, on the same files, while everything goes wrong.
//! Each case ends by itself, with the exit code that it states, and leaves a sound run.

use crate::program::{LIMIT, Living, baton};
use crate::run_folder::{RunFolder, write_scenario};
use serde_json::Value;

/// Sections that a case does not give itself.
const REST: [(&str, &str); 4] = [
    ("workspace", "{ fixture: notes, files: 8 }"),
    ("roles", "{ implementer: { lanes: 5, model: fast }, writer: { lanes: 2, model: fast } }"),
    ("models", "{ fast: { driver: script, latency: { median: 5s, p99: 30s }, slots: 4 } }"),
    ("tasks", "[ { each: 5, by: implementer, touches: \"notes/**\", do: { append: token } } ]"),
];

fn scenario(name: &str, sections: &[&str]) -> String {
    let mut text = format!("baton: 1\nname: {name}\n");
    for (key, value) in
        REST.iter().filter(|(key, _)| !sections.iter().any(|given| given.starts_with(&format!("{key}:"))))
    {
        text.push_str(&format!("{key}: {value}\n"));
    }
    text + &sections.join("\n") + "\n"
}

/// What a run said, after it ended with one of these codes and was found sound.
#[track_caller]
fn check(name: &str, sections: &[&str], codes: &[i32]) -> Value {
    let place = tempfile::tempdir().unwrap();
    let text = scenario(name, sections);
    let file = write_scenario(place.path(), name, &text);
    let living = Living::start(&mut baton(place.path(), ["run", &file, "--json", "--out", "out"]));
    let said = living.end(LIMIT);
    let code = said.code();
    assert!(codes.contains(&code), "{name} ends with {code}: {said:?}\n{text}");
    let told = said.json();
    assert_eq!(told["exit_code"], code, "{name}");
    let folder = RunFolder(&place.path().join("out"));
    folder.must_be_sound(name);
    assert_eq!(folder.records().last().unwrap()["kind"], "RunStopped", "{name}");
    told
}

/// Every task of the run came to an end.
#[track_caller]
fn ended(told: &Value, name: &str) {
    assert_eq!(told["stopped"], "tasks-ended", "{name}: {told}");
}

#[test]
fn renames_deletes_and_edits_of_the_same_files_end() {
    let tasks = "tasks: [ { each: 4, by: implementer, touches: \"notes/**\", do: { rename: token } }, \
         { count: 4, by: writer, touches: \"notes/**\", do: { delete: one } }, \
         { each: 4, by: implementer, touches: \"notes/**\", do: { edit: replace-line } }, \
         { each: 4, by: implementer, touches: \"notes/**\", do: [ { append: token }, { rename: token }, { append: token } ] } ]";
    ended(&check("moves", &[tasks], &[0, 1]), "moves");
    let named = "tasks: [ { each: 2, by: implementer, touches: \"notes/**\", do: { rename: { from: notes/note-000.md, to: notes/new.md } } }, \
         { count: 2, by: writer, touches: \"notes/**\", do: { rename: { from: notes/new.md, to: notes/newer.md } } }, \
         { each: 2, by: implementer, touches: \"notes/**\", do: [ { append: token }, { rename: notes/note-001.md } ] }, \
         { count: 4, by: writer, touches: notes/note-000.md, do: { append: token } } ]";
    ended(&check("named", &[named], &[0, 1]), "renames of named files");
    let alone = "tasks: [ { count: 12, by: writer, touches: \"notes/**\", do: { delete: one } } ]";
    ended(&check("more-deletes-than-files", &[alone], &[0, 1]), "more deletes than files");
}

#[test]
fn many_lanes_on_one_file_all_end_up_in_it() {
    let hot =
        "tasks: [ { each: 2, by: implementer, touches: notes/note-000.md, attempts: 64, do: { append: token } } ]";
    let roles = "roles: { implementer: { lanes: 16, model: fast } }";
    let expect = "expect: [ main.intact, tasks.landed == 32 ]";
    check("hot", &[hot, roles, expect], &[0]);
    let counters = "tasks: [ { each: 4, by: implementer, touches: counters/counter-000.txt, attempts: 64, do: { edit: increment } } ]";
    let leased = "leases: [ { resource: counters/counter-000.txt, per: task, ttl: 10m } ]";
    check("counted", &[counters, leased, "expect: [ tasks.landed == 20, changes.refused == 0 ]"], &[0]);
}

#[test]
fn transactions_over_everything_are_whole_or_not_there() {
    let all =
        "tasks: [ { each: 3, by: implementer, attempts: 64, do: { transaction: { files: 11, append: token } } } ]";
    ended(&check("transactions", &[all], &[0, 1]), "transactions");
    let more = "tasks: [ { each: 2, by: implementer, do: { transaction: { files: 1000, append: token } } } ]";
    ended(&check("more-files-than-there-are", &[more], &[0, 1]), "more files than there are");
}

const MAIL: &str = "faults: [ { drop: 20% }, { delay: 20%, by: 45s }, { duplicate: 20% } ]";
const LEASES: &str = "leases: [ { resource: \"notes/**\", ttl: 90s } ]";

#[test]
fn lost_late_and_doubled_messages_lose_nothing() {
    ended(&check("mail", &[MAIL, LEASES], &[0, 1]), "mail");
    let crashes = "tasks: [ { each: 4, by: implementer, touches: \"notes/**\", do: [ { append: token }, { crash: 20% }, { append: token } ] } ]";
    ended(&check("crashes", &[crashes, MAIL, LEASES, "caps: { restarts: 1000 }"], &[0, 1]), "crashes");
    check("crashes-beyond-the-cap", &[crashes, "caps: { restarts: 1 }"], &[0, 1, 5]);
}

#[test]
fn every_lane_can_be_killed_in_every_moment() {
    for moment in ["holds-lease", "thinks", "waits-for-landing"] {
        let kills: Vec<String> =
            (1..=5).map(|lane| format!("{{ kill: implementer.{lane}, at: {}s, while: {moment} }}", 4 * lane)).collect();
        let faults = format!("faults: [ {} ]", kills.join(", "));
        let told = check(moment, &[&faults, LEASES, "expect: [ tasks.landed == 25, faults.felt == 5 ]"], &[0]);
        ended(&told, moment);
    }
    let at_once: Vec<String> = (1..=5).map(|lane| format!("{{ kill: implementer.{lane}, at: 20s }}")).collect();
    check("at-once", &[&format!("faults: [ {} ]", at_once.join(", ")), LEASES, "expect: [ tasks.landed == 25 ]"], &[0]);
    let asleep: Vec<String> =
        (1..=5).map(|lane| format!("{{ pause: implementer.{lane}, at: 20s, for: 1h }}")).collect();
    check("asleep", &[&format!("faults: [ {} ]", asleep.join(", ")), LEASES, "expect: [ tasks.landed == 25 ]"], &[0]);
}

#[test]
fn merger_and_supervisor_can_die_again_and_again() {
    let restart = |at: u64| {
        format!("{{ restart: {}, at: {}s }}", if at.is_multiple_of(2) { "merger" } else { "supervisor" }, 3 * at)
    };
    let restarts: Vec<String> = (1..=30).map(restart).collect();
    let faults = format!("faults: [ {} ]", restarts.join(", "));
    let cap = "caps: { restarts: 100 }";
    let told = check("restarts", &[&faults, LEASES, cap, "expect: [ tasks.landed == 25 ]"], &[0]);
    ended(&told, "restarts");
    let together = "faults: [ { restart: merger, at: 20s }, { restart: supervisor, at: 20s }, { kill: implementer, at: 20s }, \
         { restart: merger, at: 20s }, { duplicate: 30% } ]";
    check("together", &[together, LEASES, cap, "expect: [ tasks.landed == 25 ]"], &[0]);
}

#[test]
fn a_gate_that_is_often_red_refuses_and_does_not_hang() {
    let gates = "gates: [ { name: tests, script: { latency: { median: 5s, p99: 20s }, red: 30% } } ]";
    let told = check("red", &[gates, LEASES], &[0, 1]);
    ended(&told, "red");
    assert!(told["main"]["refused"].as_u64().unwrap() > 0, "{told}");
    let never = "gates: [ { name: tests, script: { latency: { median: 5s, p99: 20s }, red: 100% } } ]";
    let told = check("never-green", &[never], &[1]);
    assert_eq!(told["main"]["landed"], 0, "{told}");
}

#[test]
fn a_push_from_outside_stops_the_run_and_is_not_overwritten() {
    for at in ["0s", "1s", "20s", "40s"] {
        let told = check("push", &[&format!("faults: [ {{ push: main, at: {at} }} ]"), LEASES], &[5]);
        assert_eq!(
            (&told["verdict"], &told["stopped"]),
            (&"stopped".into(), &"foreign-push".into()),
            "at {at}: {told}"
        );
    }
    let place = tempfile::tempdir().unwrap();
    let text = scenario("push", &["faults: [ { push: main, at: 30s } ]"]);
    let file = write_scenario(place.path(), "push", &text);
    let said = crate::run_folder::run(place.path(), &file, "out", &[]);
    assert_eq!(said.code(), 5, "{said:?}");
    let folder = RunFolder(&place.path().join("out"));
    let pushed = folder.of_kind("ForeignPush").remove(0);
    assert_eq!(pushed["data"]["found"], folder.main().as_str(), "the stranger's commit is not main any more");
}

#[test]
fn time_people_and_caps_end_a_run_in_order() {
    let told = check("time", &["stop: { after: 30s }"], &[5]);
    assert_eq!(told["stopped"], "time-over", "{told}");
    assert!(told["virtual_s"].as_f64().unwrap() < 200.0, "it stops long after its time: {told}");
    check("no-time", &["stop: { after: 1ms }"], &[5]);
    let operators = "operators: [ { at: 10s, by: ana, do: pause-all }, { at: 20s, by: bob, do: pause-all }, \
         { at: 30s, by: ana, do: resume-all }, { at: 31s, by: bob, do: resume-all }, { at: 40s, by: ana, do: stop } ]";
    check("people", &[operators], &[5]);
    let paused = "operators: [ { at: 10s, by: ana, do: pause-all }, { at: 90s, by: ana, do: stop } ]";
    check("stopped-while-paused", &[paused], &[5]);
    let forgotten = "operators: [ { at: 10s, by: ana, do: pause-all } ]";
    check("time-over-while-paused", &[forgotten, "stop: { after: 1h }"], &[5]);
    let all = "operators: [ { at: 10s, by: ana, do: pause-all }, { at: 6m, by: ana, do: resume-all } ]";
    check("paused-and-resumed", &[all, MAIL, LEASES], &[0, 1]);
    check("a-queue-of-one", &["caps: { queue: 1 }", LEASES, "expect: [ tasks.landed == 25 ]"], &[0]);
}
