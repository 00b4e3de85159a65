//! The scenarios that come with the program do what they claim, and say so in the keys that other programs rely on.

use crate::program::{Said, say};
use crate::run_folder::{RunFolder, run, write_scenario};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Every path of keys in an object; a list counts as its first entry. The report has a test of its own.
fn keys(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(value, "", &mut found);
    found.retain(|key| !key.starts_with("report."));
    found
}

fn collect(value: &Value, above: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => entries.iter().for_each(|(key, value)| {
            let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
            found.insert(path.clone());
            collect(value, &path, found);
        }),
        Value::Array(entries) => entries.iter().take(1).for_each(|entry| collect(entry, above, found)),
        _ => {}
    }
}

/// The published keys of `run` and `demo`.
const RUN: &str = "format scenario seed world verdict exit_code run virtual_s wall_s \
     main main.repository main.head main.landed main.refused main.conflicts main.rolled_back \
     expectations expectations.name expectations.held expectations.value faults faults.id faults.injected faults.felt \
     spend spend.usd spend.tokens_in spend.tokens_out spend.calls journal journal.records journal.head_hash disk disk.estimated_bytes disk.bytes";
/// Keys that `run` has beside them.
const BESIDE: &str = "lived_s stopped thresholds report faults.kind faults.at_s faults.felt_records faults.after_end \
     operators operators.at_s operators.by operators.command operators.given operators.after_end";
/// Keys that it has where people were asked something; `approvals.by` where somebody has answered.
const ASKED: &str = "approvals approvals.id approvals.subject approvals.task approvals.paths approvals.detail \
     approvals.asked_s approvals.until_s approvals.state";
/// The published keys of `verify`.
const VERIFY: &str = "format exit_code ended open_tasks unjudged run intact promises promises.id promises.status promises.checked promises.detail lost doubled torn \
     uncredited torn_tail";

fn words(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[track_caller]
fn held(said: &Said, what: &str) -> Value {
    assert_eq!(said.code(), 0, "{what}: {said:?}");
    let told = said.json();
    assert_eq!((&told["verdict"], &told["exit_code"]), (&Value::from("held"), &Value::from(0)), "{what}: {told}");
    for expectation in told["expectations"].as_array().unwrap() {
        assert_eq!(expectation["held"], true, "{what}: {expectation}");
    }
    for fault in told["faults"].as_array().unwrap() {
        let count = |key: &str| fault[key].as_u64().unwrap();
        assert!(count("injected") > 0 && count("felt_records") > 0, "{what}: {fault} was not felt");
        assert_eq!(count("felt"), 1, "{what}: {fault} is one fault");
    }
    told
}

/// What a run says, what its folder holds and what the checker finds are the same.
#[track_caller]
fn agrees(place: &Path, told: &Value, what: &str) {
    let out = place.join(told["run"].as_str().unwrap());
    let folder = RunFolder(&out);
    folder.must_be_sound(what);
    assert_eq!(told["main"]["head"], folder.main().as_str(), "{what}");
    assert_eq!(told["main"]["landed"], folder.of_kind("ChangeLanded").len(), "{what}");
    assert_eq!(told["main"]["refused"], folder.of_kind("ChangeRefused").len(), "{what}");
    assert_eq!(told["journal"]["records"], folder.records().len(), "{what}");
    assert_eq!(folder.records().last().unwrap()["kind"], "RunStopped", "{what}");
    let written: Value = serde_json::from_slice(&std::fs::read(out.join("run.json")).unwrap()).unwrap();
    for (key, value) in told.as_object().unwrap().iter().filter(|(key, _)| *key != "report") {
        assert_eq!(&written[key], value, "{what}: run.json differs in {key}");
    }
    let report: Value = serde_json::from_slice(&std::fs::read(out.join("report.json")).unwrap()).unwrap();
    assert_eq!(report, told["report"], "{what}: report.json differs");
    let folders = |suffix: &str| {
        let entries = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name());
        entries.filter(|name| name.to_string_lossy().ends_with(suffix)).count()
    };
    assert_eq!((folders(".git"), folders("journal")), (1, 1), "{what}: the run folder");
}

#[track_caller]
fn check(scenario: &str) {
    let place = tempfile::tempdir().unwrap();
    let told = held(&run(place.path(), scenario, "out", &[]), scenario);
    agrees(place.path(), &told, scenario);
    let mut expected: BTreeSet<String> = words(RUN).union(&words(BESIDE)).cloned().collect();
    if told["faults"] == Value::Array(Vec::new()) {
        expected.retain(|key| !key.starts_with("faults."));
    }
    if told["operators"] == Value::Array(Vec::new()) {
        expected.retain(|key| !key.starts_with("operators."));
    }
    if !told["approvals"].is_null() {
        expected.extend(words(ASKED));
    }
    assert_eq!(keys(&told), expected, "{scenario}: published keys");
}

#[test]
fn every_shipped_scenario_is_held() {
    for scenario in ["two-writers", "lease-holder-dies", "pause-past-lease", "supervisor-restarts", "plain-run"] {
        check(scenario);
    }
}

#[test]
fn the_demo_is_held_and_its_control_run_is_corrupt() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let said = say(place, ["demo", "--json", "--out", "out"]);
    let told = held(&said, "demo");
    agrees(place, &told, "demo");
    let control = &told["control"];
    let count = |key: &str| control[key].as_u64().unwrap();
    assert!(count("lost") > 0 && count("torn") > 0, "the control run proves nothing: {control}");
    let beside = words("control control.lost control.torn control.run");
    let expected: BTreeSet<String> = words(RUN).union(&words(BESIDE)).cloned().chain(beside).collect();
    assert_eq!(keys(&told), expected, "published keys");
    let (_, report) = RunFolder(&place.join("out.control")).verify();
    assert_eq!((&report["lost"], &report["torn"]), (&control["lost"], &control["torn"]));
    let (_, report) = RunFolder(&place.join("out")).verify();
    assert_eq!(keys(&report), words(VERIFY), "published keys of verify");
    for key in ["lost", "doubled", "torn", "uncredited"] {
        assert_eq!(report[key], 0, "{key}");
    }
}

#[test]
fn every_listed_scenario_can_be_run_by_its_name() {
    let place = tempfile::tempdir().unwrap();
    let said = say(place.path(), ["scenarios"]);
    let names: Vec<&str> = said.stdout.lines().filter(|line| !line.starts_with(' ')).collect();
    let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")).unwrap();
    let files = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<String> = files.filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned)).collect();
    assert_eq!(names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), files);
    for name in names {
        assert!(said.stdout.contains(&format!("{name}\n    ")), "{name} has no claim");
        // The shipped scenario is meant even where a folder of its name lies about, as after `--out NAME`.
        std::fs::create_dir_all(place.path().join(name)).unwrap();
    }
    held(&run(place.path(), "two-writers", "out", &[]), "beside a folder of the same name");
}

#[test]
fn a_day_of_fewer_lanes_is_held() {
    let place = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/day.yaml")).unwrap();
    let smaller = [
        ("files: 10000", "files: 300"),
        ("lanes: 200", "lanes: 10"),
        ("each: 15", "each: 6"),
        ("each: 3,", "each: 2,"),
        ("tasks.landed == 3600", "tasks.landed == 80"),
    ];
    let text = smaller.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "day.yaml has no `{from}`");
        text.replace(from, to)
    });
    let file = write_scenario(place.path(), "day", &text);
    let told = held(&run(place.path(), &file, "out", &[]), "a small day");
    agrees(place.path(), &told, "a small day");
}

const TEAM: &str = r#"
baton: 1
name: faults
seed: 3
workspace: { fixture: notes, files: 6 }
roles:
  implementer: { lanes: 4, model: fast }
models:
  fast: { driver: script, latency: { median: 5s, p99: 30s } }
tasks:
  - { each: 6, by: implementer, touches: "notes/**", do: { append: token } }
leases:
  - { resource: "notes/**", ttl: 90s }
"#;

/// What is felt because of a fault is not there without it.
#[test]
fn a_fault_is_felt_and_without_it_no_record_names_one() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let named = |out: &str| {
        let records = RunFolder(&place.join(out)).records();
        records.iter().filter(|record| !record["data"]["fault"].is_null()).count()
    };
    let file = write_scenario(place, "without", TEAM);
    held(&run(place, &file, "without", &[]), "without a fault");
    assert_eq!(named("without"), 0, "a record names a fault, and there is none");
    let faults = [
        "{ kill: implementer.2, at: 5s, while: holds-lease }",
        "{ kill: implementer, at: 5s, while: thinks }",
        "{ kill: implementer, at: 5s, while: waits-for-landing }",
        "{ pause: implementer.1, at: 5s, while: holds-lease, for: 5m }",
        "{ restart: supervisor, at: 20s }",
        "{ restart: merger, at: 20s }",
        "{ duplicate: 20% }",
        "{ delay: 20%, by: 45s }",
        "{ drop: 10% }",
    ];
    for (at, fault) in faults.iter().enumerate() {
        let (name, text) = (format!("fault-{at}"), format!("{TEAM}faults:\n  - {fault}\n"));
        let file = write_scenario(place, &name, &text);
        held(&run(place, &file, &name, &[]), fault);
        assert!(named(&name) > 0, "{fault}");
    }
}

#[test]
fn a_scenario_is_held_on_the_real_clock_too() {
    let place = tempfile::tempdir().unwrap();
    let quick = TEAM.replace("median: 5s, p99: 30s", "median: 5ms, p99: 20ms");
    let text = format!("{quick}mail: {{ median: 1ms, p99: 3ms }}\n");
    let file = write_scenario(place.path(), "quick", &text);
    let told = held(&run(place.path(), &file, "out", &["--world", "live"]), "live");
    assert_eq!(told["world"], "live");
    agrees(place.path(), &told, "live");
}
