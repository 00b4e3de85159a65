//! What is said of a run is what happened: no more held than was looked at, no fault felt that did not strike.

use crate::program::{Said, say};
use crate::run_folder::{RunFolder, run, write_scenario};
use serde_json::Value;
use std::path::Path;

const TEAM: &str = "baton: 1\nname: small\nworkspace: { fixture: notes, files: 2 }\n\
     roles: { implementer: { lanes: 2, model: fast } }\n\
     models: { fast: { driver: script, latency: { median: 1s, p99: 2s } } }\n";

/// A run of one role with so many tasks and further sections.
fn small(place: &Path, name: &str, tasks: u32, sections: &str) -> String {
    let work = format!("tasks: [ {{ count: {tasks}, by: implementer, do: {{ append: token }} }} ]\n");
    write_scenario(place, name, &format!("{TEAM}{work}{sections}\n"))
}

fn last_line(said: &Said) -> &str {
    said.stdout.lines().last().unwrap_or_default()
}

#[test]
fn an_expectation_that_nothing_can_meet_is_refused_where_it_stands() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    for expectation in ["main.intact == 2", "tasks.landed == -1", "tasks.landed > 4", "faults.felt == 1"] {
        let file = small(place, "impossible", 4, &format!("expect: [ {expectation} ]"));
        let said = run(place, &file, "never", &[]);
        assert_eq!(said.code(), 2, "{expectation}: {said:?}");
        let error = &said.json()["errors"][0];
        assert_eq!(
            (&error["code"], &error["line"], &error["column"]),
            (&"E0128".into(), &7.into(), &11.into()),
            "{error}"
        );
        assert!(!place.join("never").exists());
    }
    assert_eq!(say(place, ["explain", "E0128"]).code(), 0);
    let file = small(place, "trivial", 4, "expect: [ tasks.landed >= 0 ]");
    let said = run(place, &file, "trivial", &[]);
    assert_eq!(said.code(), 0, "{said:?}");
    assert!(said.stderr.contains("warning[W0204]"), "nobody is warned: {said:?}");
}

#[test]
fn a_fault_whose_time_never_came_is_told_with_the_end_and_a_cure() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let file = small(place, "late", 4, "faults: [ { push: main, at: 10h }, { restart: merger, at: 1s } ]");
    let told = run(place, &file, "object", &[]).json();
    let fault = |at: usize, key: &str| told["faults"][at][key].clone();
    assert_eq!(
        (fault(0, "injected"), fault(0, "after_end"), fault(0, "at_s")),
        (0.into(), true.into(), 36_000.0.into())
    );
    assert_eq!((fault(1, "injected"), fault(1, "after_end")), (1.into(), false.into()), "{told}");
    let said = say(place, ["run", &file, "--out", "text"]);
    assert_eq!(said.code(), 0, "{said:?}");
    assert!(said.stdout.lines().next().unwrap().ends_with("1 of 2 faults not injected"), "{said:?}");
    let line = said.stdout.lines().find(|line| line.contains("fault 0")).unwrap();
    for part in ["not injected", "its time was 10 h 0 m", "the run ended at ", "give it an earlier `at`"] {
        assert!(line.contains(part), "{line}");
    }
    let file = small(place, "behind", 4, "stop: { after: 5m }\nfaults: [ { push: main, at: 6m } ]");
    let said = run(place, &file, "behind", &[]);
    assert_eq!(said.code(), 0, "{said:?}");
    assert!(said.stderr.contains("warning[W0205]") && said.stderr.contains("behind.yaml:8:"), "{said:?}");
}

#[test]
fn an_order_whose_time_never_came_is_told_with_the_end_and_a_cure() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let orders = "operators:\n\
        \x20 - { at: 10h, by: ben, do: { add: implementer }, reason: late }\n\
        \x20 - { at: 2s, by: ana, do: { budget: { run: { requests: 900 } } } }\n\
        \x20 - { at: 3s, by: ana, do: resume-all }";
    let file = small(place, "late", 4, orders);
    let told = run(place, &file, "object", &[]).json();
    let given: Vec<(f64, &str, bool, bool)> = told["operators"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| (&order["at_s"], &order["command"], &order["given"], &order["after_end"]))
        .map(|(at, what, given, after)| {
            (at.as_f64().unwrap(), what.as_str().unwrap(), given.as_bool().unwrap(), after.as_bool().unwrap())
        })
        .collect();
    let expected = [
        (2.0, "{ budget: { run: { requests: 900 } } }", true, false),
        (3.0, "resume-all", true, false),
        (36_000.0, "{ add: implementer }", false, true),
    ];
    assert_eq!(given, expected, "obeyed, refused, never given: {told:#}");
    let said = say(place, ["run", &file, "--out", "text"]);
    assert_eq!(said.code(), 0, "{said:?}");
    assert!(said.stdout.lines().next().unwrap().ends_with("1 of 3 orders not given"), "{said:?}");
    let line = said.stdout.lines().find(|line| line.contains("{ add: implementer }")).unwrap();
    for part in ["ben at 10 h 0 m", "was not given", "the run ended at ", "give it an earlier `at`"] {
        assert!(line.contains(part), "{line}");
    }
}

#[test]
fn one_change_is_one_change() {
    let place = tempfile::tempdir().unwrap();
    let file = small(place.path(), "one", 1, "");
    let said = say(place.path(), ["run", &file, "--out", "one"]);
    assert!(said.stdout.starts_with("held: 1 change on main · 0 refused (0 conflicts)"), "{said:?}");
}

/// A whole run to be spoilt.
fn whole_run(place: &Path) {
    let file = small(place, "whole", 4, "");
    assert_eq!(run(place, &file, "out", &[]).code(), 0);
}

#[test]
fn a_whole_run_is_told_under_headings_and_in_one_spelling() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    whole_run(place);
    let said = say(place, ["verify", "out"]);
    assert_eq!(said.code(), 0);
    let heading: Vec<&str> = said.stdout.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heading, ["promise", "status", "checked", "detail"]);
    assert!(said.stdout.contains("tasks-ended") && !said.stdout.contains("TasksEnded"), "{said:?}");
    assert_eq!(last_line(&said), "main intact: 0 lost, 0 doubled, 0 torn, 0 uncredited");
    let told = say(place, ["verify", "out", "--json"]).json();
    assert_eq!((&told["format"], &told["ended"], &told["open_tasks"]), (&1.into(), &"tasks-ended".into(), &0.into()));
    assert!(!told.to_string().contains("TasksEnded"), "{told}");
    assert_eq!(say(place, ["verify", "missing", "--json"]).json()["format"], 1);
}

#[test]
fn of_a_damaged_journal_nothing_is_said_about_main() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    whole_run(place);
    let segment = RunFolder(&place.join("out")).segments().remove(0);
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let said = say(place, ["verify", "out"]);
    assert_eq!(said.code(), 3, "{said:?}");
    let last = last_line(&said);
    assert!(last.starts_with("BROKEN: LOG-1; main could not be judged: "), "{last}");
    assert!(!said.stdout.contains("0 lost") && !said.stdout.contains("did not end"), "{said:?}");
    let told = say(place, ["verify", "out", "--json"]).json();
    assert!(told["unjudged"].is_string(), "{told}");
}

#[test]
fn of_a_killed_run_it_is_said_that_it_did_not_end_and_what_is_open() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    whole_run(place);
    let out = place.join("out");
    let segment = RunFolder(&out).segments().remove(0);
    let text = std::fs::read_to_string(&segment).unwrap();
    let last_task = text.rfind("\"kind\":\"TaskDone\"").unwrap();
    let cut = text[..last_task].rfind('\n').unwrap() + 1;
    std::fs::write(&segment, &text[..cut]).unwrap();
    let mut begun: Value = serde_json::from_slice(&std::fs::read(out.join("run.json")).unwrap()).unwrap();
    begun
        .as_object_mut()
        .unwrap()
        .retain(|key, _| ["format", "version", "scenario", "seed", "world"].contains(&key.as_str()));
    begun["verdict"] = Value::Null;
    std::fs::write(out.join("run.json"), begun.to_string()).unwrap();
    let said = say(place, ["verify", "out"]);
    assert_eq!(said.code(), 0, "{said:?}");
    assert!(said.stdout.contains("the run did not end: it was killed, or goes on; 1 task is open\n"), "{said:?}");
    assert!(last_line(&said).starts_with("main intact: "), "{said:?}");
    let told = say(place, ["verify", "out", "--json"]).json();
    assert_eq!((&told["ended"], &told["open_tasks"]), (&Value::Null, &1.into()), "{told}");
}
