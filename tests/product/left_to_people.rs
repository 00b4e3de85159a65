//! Commands that a role leaves to a person: what the packet tells who is asked, and how the task ends after a yes.

use crate::run_folder::{RunFolder, run, write_scenario};
use serde_json::Value;
use std::path::Path;

/// Two implementers under the shipped skill, and tasks that begin with these actions.
fn team(task: &str, sections: &str) -> String {
    format!(
        "baton: 1\nname: left\nworkspace: {{ fixture: notes, files: 5 }}\n\
         roles: {{ implementer: {{ lanes: 2, model: fast, skill: policies/implementer }}, judge: {{ lanes: 1, model: fast }} }}\n\
         models: {{ fast: {{ latency: {{ median: 8s, p99: 60s }} }} }}\n\
         tasks: [ {{ count: 2, by: implementer, touches: \"src/**\", {task} }} ]\n\
         operators: [ {{ at: 30m, by: eva, do: {{ approve: all }} }} ]\n{sections}\n"
    )
}

#[track_caller]
fn play(place: &Path, scenario: &str, code: i32) -> (Value, Vec<Value>) {
    let file = write_scenario(place, "left", scenario);
    let said = run(place, &file, "out", &[]);
    assert_eq!(said.code(), code, "{said:?}");
    let path = place.join("out");
    RunFolder(&path).must_be_sound(scenario);
    (said.json(), RunFolder(&path).records())
}

fn of_kind<'r>(records: &'r [Value], kind: &str) -> Vec<&'r Value> {
    records.iter().filter(|record| record["kind"] == kind).map(|record| &record["data"]).collect()
}

/// Claims and states of the packet that was asked about first.
fn asked_about(place: &Path, records: &[Value]) -> Vec<(String, String)> {
    let asked = of_kind(records, "ApprovalAsked")[0];
    let offered = of_kind(records, "PacketOffered").into_iter().find(|offered| offered["packet"] == asked["packet"]);
    let digest = offered.unwrap()["digest"].as_str().unwrap().to_owned();
    let path = place.join("out").join("content").join(&digest[..2]).join(&digest[2..]);
    let packet: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let item = |item: &Value| (item["claim"].as_str().unwrap().to_owned(), item["state"].as_str().unwrap().to_owned());
    packet["checklist"].as_array().unwrap().iter().map(item).collect()
}

#[test]
fn a_task_of_nothing_but_a_command_asks_once_and_then_says_that_nothing_lands() {
    for (task, asks) in [
        ("do: { run: \"cargo add serde\" }", 2),
        ("review: judge, do: { run: \"cargo add serde\" }", 2),
        ("approve: plan, do: [ { run: \"cargo test\" }, { run: \"cargo add serde\" } ]", 2),
        ("do: [ { run: \"cargo test\" }, { read: README.md } ]", 0),
        ("review: judge, do: { read: README.md }", 0),
        ("do: [ { read: no/such/file.md }, { run: \"cargo add serde\" } ]", 2),
    ] {
        let place = tempfile::tempdir().unwrap();
        let (told, records) = play(place.path(), &team(task, ""), 1);
        assert_eq!(told["stopped"], "tasks-ended", "{task}: {told:#}");
        assert_eq!(of_kind(&records, "ApprovalAsked").len(), asks, "{task}");
        assert!(of_kind(&records, "PacketRefused").is_empty(), "{task}");
        assert!(of_kind(&records, "ChangeSubmitted").is_empty(), "{task}");
        let failed: Vec<&Value> = of_kind(&records, "TaskFailed").iter().map(|failed| &failed["reason"]).collect();
        assert_eq!(failed, ["nothing-to-land", "nothing-to-land"], "{task}");
        if asks > 0 {
            let listed = asked_about(place.path(), &records);
            let waits = |(claim, state): &(String, String)| claim.contains("cargo add serde") && state == "open";
            assert!(listed.iter().any(waits), "{task}: {listed:?}");
            assert_eq!(listed.iter().any(|(claim, _)| claim.contains("cargo test")), task.contains("cargo test"));
        }
    }
}

#[test]
fn a_packet_names_the_command_that_waits_beside_what_the_change_does() {
    let place = tempfile::tempdir().unwrap();
    let task = "do: [ { append: token }, { run: \"cargo test\" }, { run: \"cargo add serde\" } ]";
    let (told, records) = play(place.path(), &team(task, "expect: [ tasks.landed == 2 ]"), 0);
    assert_eq!(told["main"]["landed"], 2, "{told:#}");
    let listed = asked_about(place.path(), &records);
    let states: Vec<&str> = listed.iter().map(|(_, state)| state.as_str()).collect();
    assert_eq!(states, ["done", "not-checked", "open"], "{listed:?}");
    assert!(listed[1].0.contains("Bash(cargo test)"), "{listed:?}");
    assert!(listed[2].0.contains("Bash(cargo add serde)"), "{listed:?}");
}

#[test]
fn a_no_gives_a_command_up_like_anything_else() {
    let place = tempfile::tempdir().unwrap();
    let scenario = team("do: { run: \"cargo add serde\" }", "").replace("approve: all", "deny: all");
    let (_, records) = play(place.path(), &scenario, 1);
    let failed: Vec<&Value> = of_kind(&records, "TaskFailed").iter().map(|failed| &failed["reason"]).collect();
    assert_eq!(failed, ["not-approved", "not-approved"]);
}

/// Whoever carries on what a person has let pass says what was denied to its author, also after a death on the way.
#[test]
fn what_was_denied_is_said_by_everybody_who_carries_a_change_on() {
    let text = "baton: 1\nname: carried\nworkspace: { fixture: notes, files: 9 }\n\
         roles: { implementer: { lanes: 1, model: fast, skill: policies/implementer } }\n\
         models: { fast: { latency: { median: 8s, p99: 60s } } }\n\
         tasks: [ { count: 3, by: implementer, approve: plan, touches: \"src/**\", do: [ { write: notes/a.md }, { create: token } ] } ]\n\
         approvals: { plan: { timeout: 3m, then: approve } }\n\
         faults: [ { kill: implementer, at: 185s, while: waits-for-landing }, { kill: implementer, at: 190s } ]\n";
    for seed in 1..9 {
        let place = tempfile::tempdir().unwrap();
        let file = write_scenario(place.path(), "carried", text);
        let said = run(place.path(), &file, "out", &["--seed", &seed.to_string()]);
        assert!(matches!(said.code(), 0 | 1), "seed {seed}: {said:?}");
        RunFolder(&place.path().join("out")).must_be_sound(&format!("seed {seed}\n{text}"));
    }
}
