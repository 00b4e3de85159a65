//! The report of a run is what its journal says: counted again by other code, made anew, of killed and damaged runs too.

use crate::program::{Living, baton, say};
use crate::recount::recount;
use crate::run_folder::{RunFolder, run, write_scenario};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Every figure of the second count is that of the report.
#[track_caller]
fn agrees(counted: &Value, told: &Value, place: &str, what: &str) {
    match counted {
        Value::Object(entries) => {
            entries.iter().for_each(|(key, value)| agrees(value, &told[key], &format!("{place}.{key}"), what))
        }
        Value::Array(items) => {
            assert_eq!(items.len(), told.as_array().map_or(usize::MAX, Vec::len), "{what}: {place}");
            items.iter().zip(told.as_array().unwrap()).enumerate().for_each(|(at, (item, told))| {
                agrees(item, told, &format!("{place}[{at}]"), what);
            });
        }
        figure => assert_eq!(figure, told, "{what}: {place}"),
    }
}

/// Counts the run again and compares; the report.
#[track_caller]
pub(crate) fn must_agree(folder: &Path, what: &str) -> Value {
    let text = std::fs::read(folder.join("report.json")).unwrap();
    let report: Value = serde_json::from_slice(&text).unwrap();
    compare(folder, &report, what);
    report
}

#[track_caller]
fn compare(folder: &Path, report: &Value, what: &str) {
    let mut counted = recount(&RunFolder(folder).records());
    let sums = counted["people"].as_object_mut().unwrap().remove("sums").unwrap();
    agrees(&counted, report, "report", what);
    let commands: u64 =
        report["people"]["commands"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(sums["commands"], commands, "{what}: commands");
    assert_eq!(sums["overrides"], report["people"]["overrides"].as_array().unwrap().len(), "{what}: overrides");
    questions_agree(folder, report, what);
    add_up(report, what);
}

/// How many questions are asked is said by the packets alone, and so is counted in them.
#[track_caller]
fn questions_agree(folder: &Path, report: &Value, what: &str) {
    let records = RunFolder(folder).records();
    let of_kind = |kind: &'static str| records.iter().filter(move |record| record["kind"] == kind);
    let accepted: Vec<&Value> = of_kind("PacketAccepted").map(|record| &record["data"]["packet"]).collect();
    let mut asked = std::collections::BTreeMap::<&str, u64>::new();
    for offered in of_kind("PacketOffered").map(|record| &record["data"]) {
        if accepted.contains(&&offered["packet"]) {
            let digest = offered["digest"].as_str().unwrap();
            let path = folder.join("content").join(&digest[..2]).join(&digest[2..]);
            let packet: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            *asked.entry(offered["purpose"].as_str().unwrap()).or_default() +=
                packet["questions"].as_array().unwrap().len() as u64;
        }
    }
    for debt in report["handoffs"]["by_purpose"].as_array().unwrap() {
        assert_eq!(debt["questions"], asked[debt["purpose"].as_str().unwrap()], "{what}: {debt}");
    }
}

/// The states of every lane, role and team add up to their lives.
#[track_caller]
fn add_up(report: &Value, what: &str) {
    let sum = |states: &Value| -> u64 { states.as_object().unwrap().values().map(|us| us.as_u64().unwrap()).sum() };
    let time = &report["lane_time"];
    assert_eq!(sum(&time["team_us"]), time["total_us"].as_u64().unwrap(), "{what}: the team");
    for part in ["roles", "by_lane"] {
        let parts = time[part].as_array().unwrap();
        for one in parts {
            assert_eq!(sum(&one["states_us"]), one["total_us"].as_u64().unwrap(), "{what}: {one}");
        }
        let total: u64 = parts.iter().map(|one| one["total_us"].as_u64().unwrap()).sum();
        assert_eq!(total, time["total_us"].as_u64().unwrap(), "{what}: {part}");
    }
}

/// All shipped scenarios but the longest, and the control run.
#[test]
fn every_figure_can_be_counted_again_from_the_journal() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let said = say(place, ["scenarios"]);
    let names = said.stdout.lines().filter(|line| !line.starts_with(' ') && *line != "day");
    for name in names {
        let told = run(place, name, name, &[]).json();
        let report = must_agree(&place.join(name), name);
        assert_eq!(report, told["report"], "{name}: the report of --json is another");
        let spend = |key: &str| told["spend"][key].clone();
        let total = &report["spend"]["total"];
        assert_eq!(
            (spend("calls"), spend("tokens_in"), spend("tokens_out")),
            (total["calls"].clone(), total["tokens_in"].clone(), total["tokens_out"].clone())
        );
        assert_eq!(spend("usd"), total["usd_micros"].as_u64().unwrap() as f64 / 1e6, "{name}");
        let main = |key: &str| told["main"][key].clone();
        let landings = &report["landings"];
        assert_eq!(
            (main("landed"), main("refused")),
            (landings["landed"].clone(), landings["refused"].clone()),
            "{name}"
        );
        assert_eq!(report["judged"]["expectations"], told["expectations"], "{name}");
    }
    let control = must_agree(&place.join("eight-writers.control"), "the control run");
    assert_eq!((&control["control"], &control["landings"]["landed"]), (&true.into(), &200.into()));
}

/// As the run wrote it, but for what `run.json` claims more.
#[test]
fn a_report_that_is_made_anew_is_the_one_that_the_run_wrote() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    for name in ["eight-writers", "pilot-of-two-roles"] {
        run(place, name, name, &[]);
        let read = |text: &str| -> Value {
            let mut report: Value = serde_json::from_str(text).unwrap();
            let promises = report["judged"]["promises"].as_array_mut().unwrap();
            promises.iter_mut().for_each(|promise| promise["checked"] = 0.into());
            report
        };
        let said = say(place, ["report", name, "--format", "json"]);
        let written = std::fs::read_to_string(place.join(name).join("report.json")).unwrap();
        assert_eq!((said.code(), read(&said.stdout)), (0, read(&written)), "{name}");
        let said = say(place, ["report", name, "--format", "markdown"]);
        let written = std::fs::read_to_string(place.join(name).join("report.md")).unwrap();
        let tables = |text: &str| text.lines().filter(|line| line.starts_with('|')).count();
        assert_eq!((said.code(), tables(&said.stdout)), (0, tables(&written)), "{name}");
        assert!(tables(&written) > 60, "{written}");
    }
}

#[test]
fn of_a_killed_run_what_is_open_ends_with_the_last_record_and_is_said_to_be_open() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let text = "baton: 1\nname: killed\nworkspace: { fixture: notes, files: 20 }\n\
        roles: { implementer: { lanes: 4, model: fast } }\n\
        models: { fast: { driver: script, slots: 2, latency: { median: 30ms, p99: 90ms }, tokens: { in: 10, out: 5 } } }\n\
        mail: { median: 1ms, p99: 3ms }\n\
        tasks: [ { count: 3000, by: implementer, steps: 2, do: { append: token } } ]\n";
    let file = write_scenario(place, "killed", text);
    let mut living = Living::start(&mut baton(place, ["run", &file, "--world", "live", "--json", "--out", "out"]));
    let out = place.join("out");
    let landed = || out.exists() && RunFolder(&out).of_kind("ChangeLanded").len() > 20;
    let soon = (0..600).any(|_| landed() || living.ends_within(Duration::from_millis(50)));
    assert!(soon && RunFolder(&out).of_kind("RunStopped").is_empty(), "it was not caught in the middle");
    living.kill();
    drop(living);
    let said = say(place, ["report", "out", "--format", "json"]);
    let report = said.json();
    assert_eq!((said.code(), &report["ended"], &report["judged"]["verdict"]), (0, &Value::Null, &Value::Null));
    compare(&out, &report, "the killed run");
    let last = |lane: &Value| !["idle", "resting"].contains(&lane["last"].as_str().unwrap());
    assert!(report["lane_time"]["by_lane"].as_array().unwrap().iter().any(last), "nobody was at work: {report:#}");
    assert!(report["tasks"]["open"].as_u64() > Some(0));
    let said = say(place, ["report", "out"]);
    assert!(said.stdout.contains("whatever is open ends with the last record"), "{said:?}");
    let said = say(place, ["report", "out", "--format", "markdown"]);
    assert!(said.stdout.contains("Open when the journal ended: implementer.1: "), "{said:?}");
}

#[test]
fn a_damaged_journal_is_told_of_up_to_the_damage_and_no_run_is_no_report() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    run(place, "two-writers", "out", &[]);
    let segment = RunFolder(&place.join("out")).segments().remove(0);
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let said = say(place, ["report", "out", "--format", "json"]);
    let report = said.json();
    assert_eq!((said.code(), &report["judged"]["verdict"]), (3, &"broken".into()), "{report:#}");
    assert!(report["damage"].as_str().unwrap().contains(" line "), "{}", report["damage"]);
    assert!(report["records"].as_u64() > Some(10) && report["ended"].is_null());
    let said = say(place, ["report", "out"]);
    assert!(said.code() == 3 && said.stdout.starts_with("damaged: "), "{said:?}");
    let said = say(place, ["report", "nowhere", "--format", "json"]);
    assert_eq!((said.code(), &said.json()["exit_code"]), (7, &7.into()), "{said:?}");
    assert!(said.stderr.contains("nowhere"), "{said:?}");
    let said = say(place, ["report", "."]);
    assert!(said.code() == 7 && said.stderr.contains("`baton report ./out`"), "{said:?}");
}

#[test]
fn a_missed_threshold_ends_with_its_own_code_and_an_expectation_outweighs_it() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let team = "baton: 1\nname: limits\nworkspace: { fixture: notes, files: 6 }\n\
        roles: { implementer: { lanes: 2, model: fast } }\n\
        models: { fast: { driver: script, latency: { median: 2s, p99: 9s } } }\n\
        tasks: [ { count: 6, by: implementer, do: { append: token } } ]\n";
    let cases = [
        ("thresholds: [ merge.latency.p95 < 1h ]", 0, "held"),
        ("thresholds: [ merge.latency.p95 < 1ms, tasks.landed == 6 ]", 4, "failed"),
        ("thresholds: [ lease.wait.p95 < 1h ]", 4, "failed"),
        ("thresholds: [ merge.latency.p95 < 1ms ]\nexpect: [ tasks.landed == 5 ]", 1, "failed"),
        ("thresholds: [ merge.latency.p95 < 1ms ]\nstop: { after: 1s }", 5, "stopped"),
    ];
    for (at, (sections, code, verdict)) in cases.iter().enumerate() {
        let file = write_scenario(place, "limits", &format!("{team}{sections}\n"));
        let out = format!("out-{at}");
        let said = run(place, &file, &out, &[]);
        let told = said.json();
        assert_eq!(
            (said.code(), &told["verdict"], &told["exit_code"]),
            (*code, &(*verdict).into(), &(*code).into()),
            "{sections}"
        );
        let again = say(place, ["report", &out, "--format", "json"]).json();
        assert_eq!(again["judged"]["thresholds"], told["thresholds"], "{sections}");
        assert_eq!(again["judged"]["exit_code"], *code, "{sections}");
    }
    let file = write_scenario(place, "limits", &format!("{team}thresholds: [ merge.wait.p96 < 1s ]\n"));
    let said = run(place, &file, "never", &[]);
    let error = &said.json()["errors"][0];
    assert_eq!((said.code(), &error["code"]), (2, &"E0122".into()), "{error}");
    assert_eq!(error["help"], "did you mean `merge.wait.p95`?");
}

/// The whole end of a run, as a person sees it.
#[test]
fn a_run_ends_on_one_screen() {
    let place = tempfile::tempdir().unwrap();
    let said = say(place.path(), ["run", "pilot-of-two-roles", "--out", "out"]);
    assert_eq!(said.code(), 0, "{said:?}");
    let shown = said.stdout.split_once(" virtual in ").unwrap().1.split_once('\n').unwrap().1;
    assert_eq!(shown, include_str!("report/pilot-of-two-roles.txt"));
    assert!(!said.stdout.contains('\u{1b}'), "colours in a pipe");
    let said = say(place.path(), ["report", "out", "--color", "always"]);
    assert!(said.stdout.contains("\u{1b}[1;32mheld\u{1b}[0m"), "{said:?}");
}

/// `baton report` writes both files anew, whatever lies there, and says so only if it did.
#[test]
fn a_report_that_is_made_anew_is_written_anew() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    assert_eq!(run(place, "two-writers", "run", &[]).code(), 0);
    let (json, markdown) = (place.join("run/report.json"), place.join("run/report.md"));
    let whole = |path| std::fs::read_to_string(path).unwrap();
    assert_eq!(say(place, ["report", "run", "--format", "json"]).code(), 0);
    let before = (whole(&json), whole(&markdown));
    std::fs::write(&markdown, "junk").unwrap();
    std::fs::remove_file(&json).unwrap();
    let said = say(place, ["report", "run"]);
    assert!(said.code() == 0 && said.stdout.contains("all figures in run/report.md"), "{said:?}");
    assert_eq!((whole(&json), whole(&markdown)), before);
    // As in a folder that may not be written.
    std::fs::write(&markdown, "junk").unwrap();
    std::fs::create_dir(place.join("run/report.json.new")).unwrap();
    let said = say(place, ["report", "run"]);
    assert!(said.code() == 0 && said.stderr.contains("not made anew"), "{said:?}");
    assert!(said.stdout.contains("--format markdown") && !said.stdout.contains("all figures in"), "{said:?}");
}
