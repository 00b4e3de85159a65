//! Main goes over several changes in one move: whatever happens while it does, each lands once, in its order, or not at all.

use crate::run_folder::{RunFolder, run, write_scenario};
use serde_json::Value;
use std::path::Path;

const TEAM: &str = "baton: 1\nname: rows\nseed: 5\nworkspace: { fixture: notes, files: 30 }\nroles:
  implementer: { lanes: 8, model: fast }\nmodels:
  fast: { latency: { median: 5s, p99: 20s } }\ntasks:
  - { each: 1, by: implementer, touches: \"notes/**\", attempts: 16, do: { append: token } }
  - { each: 2, by: implementer, touches: \"drafts/**\", attempts: 16, do: { create: token } }\ngates:
  - { name: tests, script: { latency: { median: 15s, p99: 40s }, red: 8% } }
  - { name: lint, script: { latency: { median: 2s, p99: 5s }, red: 2% } }\n";
const TASKS: usize = 24;

fn change(record: &Value) -> u64 {
    record["data"]["change"].as_u64().unwrap()
}

fn is(record: &Value, kind: &str) -> bool {
    record["kind"] == kind
}

/// Runs the team with these sections; it is held, and what it leaves is sound.
#[track_caller]
fn told(place: &Path, (team, name): (&str, &str), sections: &str, landed: usize) -> Vec<Value> {
    let file =
        write_scenario(place, name, &format!("{team}{sections}expect: [ main.intact, tasks.landed == {landed} ]\n"));
    let said = run(place, &file, name, &[]);
    assert_eq!(said.code(), 0, "{said:?}\n{sections}");
    let folder = place.join(name);
    RunFolder(&folder).must_be_sound(sections);
    RunFolder(&folder).records()
}

/// The rows that landed, by their changes.
fn rows(records: &[Value]) -> Vec<Vec<u64>> {
    let mut rows: Vec<Vec<u64>> = Vec::new();
    let mut intended: Vec<u64> = Vec::new();
    for record in records {
        if is(record, "ChangeIntended") {
            if record["data"]["behind"].is_null() {
                intended.clear();
            }
            intended.push(change(record));
        } else if is(record, "ChangeLanded") && intended.first() == Some(&change(record)) {
            rows.push(intended.clone());
        }
    }
    rows
}

#[test]
fn what_waits_lands_together_and_in_its_order() {
    let place = tempfile::tempdir().unwrap();
    let records = told(place.path(), (TEAM, "plain"), "", TASKS);
    let rows = rows(&records);
    let landed: Vec<u64> = records.iter().filter(|record| is(record, "ChangeLanded")).map(change).collect();
    assert_eq!(rows.concat(), landed, "a row lands whole, and in the order in which it was intended");
    assert!(rows.len() * 2 < landed.len(), "{rows:?}");
    let submitted = |sought: u64| {
        records.iter().position(|record| is(record, "ChangeSubmitted") && change(record) == sought).unwrap()
    };
    assert!(rows.iter().all(|row| row.is_sorted_by_key(|change| submitted(*change))), "in the order of submission");
    // One by one, on the other hand, if the file says so.
    let records = told(place.path(), (TEAM, "alone"), "caps: { row: 1 }\n", TASKS);
    let intended: Vec<&Value> = records.iter().filter(|record| is(record, "ChangeIntended")).collect();
    assert_eq!(intended.len(), TASKS);
    assert!(intended.iter().all(|record| record["data"]["behind"].is_null()));
}

/// A change that is red is refused behind those that stand before it in its row, and what stands behind it lands later.
#[test]
fn one_that_is_red_holds_up_nobody_else() {
    let place = tempfile::tempdir().unwrap();
    let records = told(place.path(), (TEAM, "red"), "", TASKS);
    let red = |at: &usize| is(&records[*at], "ChangeRefused") && records[*at]["data"]["reason"] == "gate";
    let behind: Vec<usize> = (1..records.len()).filter(red).filter(|at| is(&records[at - 1], "ChangeLanded")).collect();
    assert!(!behind.is_empty(), "a red change behind green ones");
    for at in behind {
        assert_eq!(records[at]["t_us"], records[at - 1]["t_us"], "in one breath with the landings before it");
    }
    let gated_again = records.iter().filter(|record| is(record, "GatePassed")).count();
    assert!(gated_again > 2 * TASKS, "what stood behind a red one was gated again");
}

/// A team whose merger is mostly about to move main.
const QUICK: &str = "baton: 1\nname: quick\nseed: 5\nworkspace: { fixture: notes, files: 30 }\nroles:
  implementer: { lanes: 12, model: fast }\nmodels:
  fast: { latency: { median: 200ms, p99: 1s } }\ntasks:
  - { each: 3, by: implementer, touches: \"notes/**\", attempts: 32, do: { append: token } }
  - { each: 3, by: implementer, touches: \"drafts/**\", attempts: 32, do: { create: token } }\ngates:
  - { name: tests, script: { latency: { median: 40ms, p99: 150ms }, red: 4% } }\n";

/// How often a successor of this life found something on main, and how many changes at once.
fn found(records: &[Value]) -> Vec<usize> {
    let found = |record: &Value| is(record, "ChangeLanded") && !record["data"]["fault"].is_null();
    let landed = records.chunk_by(|one, next| found(one) && found(next));
    landed.filter(|landed| found(&landed[0])).map(<[Value]>::len).collect()
}

#[test]
fn a_merger_that_dies_at_any_moment_of_a_row_loses_and_doubles_nothing() {
    let place = tempfile::tempdir().unwrap();
    let (mut whole, mut nothing) = (0, 0);
    for number in 0..60 {
        let ms = 700 + 37 * number;
        let faults =
            format!("faults: [ {{ restart: merger, at: {ms}ms }}, {{ restart: merger, at: {}ms }} ]\n", ms + 3_000);
        let records = told(place.path(), (QUICK, &format!("at-{ms}")), &faults, 72);
        whole += found(&records).iter().filter(|changes| **changes > 1).count();
        let own: Vec<&Value> = records.iter().filter(|record| record["actor"] == "merger").collect();
        nothing += own.windows(2).filter(|two| is(two[0], "GatePassed") && is(two[1], "ActorRestarted")).count();
    }
    assert!(whole > 5 && nothing > 0, "found on main: {whole} rows; died with gates under way: {nothing} times");
}

#[test]
fn a_member_that_leaves_takes_nobody_along() {
    let place = tempfile::tempdir().unwrap();
    for second in (8..60).step_by(4) {
        let lane = second % 8 + 1;
        let faults = format!(
            "faults: [ {{ kill: implementer.{lane}, at: {second}s, while: waits-for-landing }}, {{ kill: implementer, at: {}s, \
             while: waits-for-landing }} ]\n",
            second + 3
        );
        let records = told(place.path(), (TEAM, &format!("leaves-{second}")), &faults, TASKS);
        assert!(rows(&records).iter().any(|row| row.len() > 1), "{faults}");
    }
}

#[test]
fn nothing_of_a_row_lands_between_pause_and_resume() {
    let place = tempfile::tempdir().unwrap();
    for second in (6..90).step_by(7) {
        let orders = format!(
            "operators: [ {{ at: {second}s, by: ana, do: pause-all }}, {{ at: {}s, by: ana, do: resume-all }} ]\n",
            second + 60
        );
        let records = told(place.path(), (TEAM, &format!("pause-{second}")), &orders, TASKS);
        let at = |kind: &str| records.iter().position(|record| is(record, kind)).unwrap();
        let quiet = &records[at("PauseAcknowledged")..at("Resumed")];
        let moves = quiet.iter().filter(|record| is(record, "ChangeIntended") || is(record, "ChangeLanded"));
        assert_eq!(moves.count(), 0, "{orders}");
    }
}
