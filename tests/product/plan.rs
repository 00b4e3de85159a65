//! `baton plan`: what it says, that it makes nothing, and that it is told how a limit ends a run.

use crate::program::say;
use crate::repository::git_command;
use crate::run_folder::write_scenario;
use serde_json::Value;
use std::path::Path;

fn plan(place: &Path, words: &[&str]) -> (i32, Value, String) {
    let said = say(place, ["plan", "--json"].iter().chain(words));
    (said.code(), said.json(), said.stderr)
}

/// Everything in a folder, by name.
fn listing(place: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const TEAM: &str = r#"
baton: 1
name: planned
workspace: { fixture: notes, files: 20 }
roles:
  planner: { lanes: 1, model: careful }
  implementer: { lanes: 4, model: fast, context: 30000 }
  reviewer: { lanes: 2, model: careful }
models:
  fast: { latency: { median: 8s, p99: 60s }, slots: 3, tokens: { in: 4000, out: 600, max: 2000 }, price: { in: 3.0, out: 15.0 } }
  careful: { latency: { median: 20s, p99: 90s }, tokens: { in: 6000, out: 400 }, price: { in: 3.0, out: 15.0 } }
tasks:
  - { name: plan, count: 1, by: planner, touches: "plan/**", do: { create: token } }
  - { name: work, count: 20, by: implementer, after: plan, touches: "notes/**", steps: 12, do: { append: token }, review: { by: reviewer, returns: 25% } }
leases: [ { resource: "notes/**", ttl: 2m }, { resource: "plan/**", per: task, ttl: 5m } ]
"#;

#[test]
fn a_plan_tells_lanes_leases_hand_offs_money_and_time_and_makes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let file = write_scenario(place, "planned", TEAM);
    let (code, told, stderr) = plan(place, &[&file, "--seed", "9"]);
    assert_eq!((code, stderr.as_str(), listing(place)), (0, "", vec![file.clone()]), "{told:#}");
    assert_eq!((&told["format"], &told["exit_code"], &told["seed"]), (&1.into(), &0.into(), &9.into()));
    assert_eq!((&told["lanes"], &told["tasks"]), (&7.into(), &21.into()));
    let implementer = &told["roles"][1];
    assert_eq!(
        (&implementer["role"], &implementer["lanes"], &implementer["tasks"]),
        (&"implementer".into(), &4.into(), &20.into())
    );
    assert_eq!((&told["roles"][2]["judges"], &told["models"][0]["slots"]), (&20.into(), &3.into()));
    assert_eq!((&told["work"][1]["after"], &told["work"][1]["review"]), (&vec![1].into(), &"reviewer".into()));
    // Twenty tasks of twelve calls and a judgement each, and one plan; a call costs 0.021 dollars to 0.042, or 0.024.
    let spend = &told["spend"];
    assert_eq!(spend["calls"]["low"], 20 * 12 + 20 + 1);
    assert_eq!(spend["calls"]["high"], 20 * 16 * 12 + 20 * 16 * 3 + 16, "every attempt, every round");
    let usd = |key: &str| spend["usd"][key].as_f64().unwrap();
    assert!((usd("high") - (3_840.0 * 0.042 + 976.0 * 0.024)).abs() < 1e-6, "{spend}");
    assert!(usd("low") < usd("expected") && usd("expected") < usd("high"));
    let ways: Vec<(&str, &str, &str)> = told["handoffs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|way| (way["from"].as_str().unwrap(), way["to"].as_str().unwrap(), way["what"].as_str().unwrap()))
        .collect();
    for way in [
        ("implementer", "reviewer", "change"),
        ("reviewer", "implementer", "sent-back"),
        ("reviewer", "merger", "change"),
        ("planner", "implementer", "after"),
        ("implementer", "implementer", "successor"),
        ("merger", "main", "landed"),
    ] {
        assert!(ways.contains(&way), "{way:?}: {ways:?}");
    }
    assert_eq!(told["leases"][0]["wanted_by"][0]["role"], "implementer", "{told:#}");
    assert_eq!((&told["leases"][1]["per"], &told["leases"][1]["wanted_by"][0]["entry"]), (&"task".into(), &1.into()));
    assert!(told["time"]["low_s"].as_f64() < told["time"]["expected_s"].as_f64());
    assert!(told["disk"]["bytes"]["expected"].as_u64().unwrap() > 500_000);
    assert!(!told["binds_first"].as_str().unwrap().is_empty());
    let said = say(place, ["plan", &file]);
    assert_eq!(said.code(), 0);
    for part in [
        "planned: 7 lanes, 21 tasks",
        "est. $",
        "binds first: ",
        "implementer → reviewer",
        "leases",
        "on disk",
        "disk ",
    ] {
        assert!(said.stdout.contains(part) || part == "on disk", "{part}: {}", said.stdout);
    }
}

#[test]
fn a_limit_that_ends_the_run_before_its_tasks_are_done_is_told_with_a_cure() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    for (limit, verdict, warned) in [
        ("budgets: { run: { usd: 0.50 } }", "ends_the_run", true),
        ("budgets: { role: { implementer: { requests: 100 } } }", "ends_the_run", true),
        ("budgets: { lane: { tokens: 20000 } }", "ends_the_run", true),
        ("budgets: { call: { usd: 0.03 } }", "ends_the_run", true),
        ("stop: { after: 1m }", "ends_the_run", true),
        ("budgets: { run: { usd: 500 } }", "enough", false),
    ] {
        let file = write_scenario(place, "limited", &format!("{TEAM}{limit}\n"));
        let (code, told, stderr) = plan(place, &[&file]);
        assert_eq!(code, 0, "{limit}");
        let worst = told["limits"].as_array().unwrap().iter().any(|limit| limit["verdict"] == verdict);
        assert!(worst, "{limit}: {:#}", told["limits"]);
        let said = stderr.contains("the run ends before its tasks are done") && stderr.contains("raise the limit");
        assert_eq!((said, !told["warnings"].as_array().unwrap().is_empty()), (warned, warned), "{limit}: {stderr}");
        if warned && limit.contains("usd: 0.50") {
            assert!(told["spend"]["usd"]["high"].as_f64().unwrap() <= 0.5, "{told:#}");
            assert_eq!(told["binds_first"], "budgets.run.usd");
        }
    }
}

/// What the file limits and an order does not name still binds; what an order sets is reckoned with; both say when.
#[test]
fn limits_that_people_set_later_are_reckoned_with_as_they_hold_over_time() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let order = |limits: &str| format!("operators: [ {{ at: 40s, by: ana, do: {{ budget: {{ {limits} }} }} }} ]\n");
    for (budgets, limits, held, binds) in [
        ("run: { requests: 100 }", "run: { usd: 400 }", "budgets.run.requests", true),
        ("run: { usd: 400 }", "run: { usd: 0.50 }", "budgets.run.usd (from 40 s)", true),
        (
            "run: { usd: 400 }",
            "lane: { requests: 11 }",
            "budgets.lane.requests (implementer, 4 lanes) (from 40 s)",
            true,
        ),
        (
            "role: { implementer: { requests: 50, tokens: 9000000 } }",
            "role: { implementer: { usd: 90 } }",
            "budgets.role.implementer.requests",
            true,
        ),
        ("run: { usd: 0.50 }", "run: { usd: 400 }", "budgets.run.usd (from 40 s)", false),
    ] {
        let what = format!("{budgets} and then {limits}");
        let file = write_scenario(place, "later", &format!("{TEAM}budgets: {{ {budgets} }}\n{}", order(limits)));
        let (code, told, stderr) = plan(place, &[&file]);
        assert_eq!(code, 0, "{what}: {stderr}");
        let of = |name: &str| told["limits"].as_array().unwrap().iter().find(|limit| limit["limit"] == name).cloned();
        let limit = of(held).unwrap_or_else(|| panic!("{what}: {held} is not told: {:#}", told["limits"]));
        assert_eq!(limit["verdict"] == "ends_the_run", binds, "{what}: {:#}", told["limits"]);
        assert_eq!(told["binds_first"] == held, binds, "{what}: {}", told["binds_first"]);
        if !binds {
            let before = of("budgets.run.usd, until 40 s").expect("what holds before is told");
            assert_eq!((&before["allows"], &before["verdict"]), (&0.5.into(), &"tight".into()), "{what}");
            assert!(stderr.contains("then a person sets another limit"), "{what}: {stderr}");
        }
    }
}

#[test]
fn a_repository_is_looked_at_and_not_copied() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let file = write_scenario(place, "planned", TEAM);
    let repository = place.join("own");
    std::fs::create_dir_all(repository.join("notes")).unwrap();
    let git = |words: &[&str]| assert!(git_command(&repository).args(words).status().unwrap().success(), "{words:?}");
    git(&["init", "--quiet"]);
    for note in 0..3 {
        std::fs::write(repository.join(format!("notes/{note}.md")), "text\n").unwrap();
    }
    git(&["add", "."]);
    git(&["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "first"]);
    let before = listing(place);
    let (code, crowded, _) = plan(place, &[&file, "--repo", "own"]);
    assert_eq!((code, listing(place)), (0, before), "{crowded:#}");
    let (_, spacious, _) = plan(place, &[&file]);
    let attempts = |told: &Value| told["work"][1]["attempts"].as_f64().unwrap();
    assert!(attempts(&crowded) > attempts(&spacious), "three files are fought over more than twenty");
    let (code, told, _) = plan(place, &[&file, "--repo", "nowhere"]);
    assert_eq!((code, &told["exit_code"]), (2, &2.into()), "{told:#}");
}

#[test]
fn what_cannot_be_planned_is_told_as_json_too() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let wrong = write_scenario(place, "wrong", "baton: 1\nname: wrong\n");
    let (code, told, stderr) = plan(place, &[&wrong]);
    assert_eq!(code, 2);
    assert!(told["errors"].as_array().unwrap().len() >= 4 && stderr.contains("error["), "{told:#}");
    let (code, told, _) = plan(place, &["nowhere.yaml"]);
    assert_eq!((code, &told["exit_code"]), (2, &2.into()), "{told:#}");
    for scenario in ["eight-writers", "storm-429", "day", "colliding-plans"] {
        assert_eq!(say(place, ["plan", scenario]).code(), 0, "{scenario}");
    }
    assert_eq!(listing(place), [wrong]);
}
