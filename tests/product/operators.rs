//! People who change a team at work: what they order happens once, in order, or is refused and told; nothing is lost by it.

use crate::run_folder::{RunFolder, run, write_scenario};
use serde_json::Value;
use std::path::{Path, PathBuf};

const TEAM: &str = "workspace: { fixture: notes, files: 9 }\n\
     roles: { w: { lanes: 4, model: m } }\n\
     models: { m: { latency: { median: 6s, p99: 30s } } }\n";
const WORK: &str = "tasks: [ { count: 30, by: w, touches: \"notes/**\", do: { append: token } } ]\n";

/// A run that was told by people what to do; it must be sound.
struct Told {
    code: i32,
    outcome: Value,
    path: PathBuf,
}

impl Told {
    #[track_caller]
    fn of(place: &Path, name: &str, sections: &str, seed: u32) -> Told {
        let text = format!("baton: 1\nname: {name}\n{TEAM}{sections}");
        let file = write_scenario(place, name, &text);
        let out = format!("{name}-{seed}");
        let said = run(place, &file, &out, &["--seed", &seed.to_string()]);
        assert!(matches!(said.code(), 0 | 1 | 5) && !said.stderr.contains("panicked"), "seed {seed}: {said:?}\n{text}");
        let path = place.join(out);
        RunFolder(&path).must_be_sound(&format!("seed {seed}\n{text}"));
        Told { code: said.code(), outcome: said.json(), path }
    }

    fn records(&self) -> Vec<Value> {
        RunFolder(&self.path).records()
    }

    fn of_kind(&self, kind: &str) -> Vec<Value> {
        RunFolder(&self.path).of_kind(kind)
    }

    /// Why each command that changed nothing did not.
    fn refused(&self) -> Vec<String> {
        let why = |record: Value| format!("{}: {}", text(&record["data"]["command"]), text(&record["data"]["why"]));
        self.of_kind("CommandRefused").into_iter().map(why).collect()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn at(records: &[Value], fits: impl Fn(&Value) -> bool) -> usize {
    records.iter().position(fits).unwrap_or(records.len())
}

fn says(at_ms: u64, command: &str) -> String {
    format!("  - {{ at: {at_ms}ms, by: ana, do: {command}, reason: because }}\n")
}

/// What is between the request, the acknowledgement and the end of the first pause: nothing moves behind the second.
#[track_caller]
fn paused(told: &Told) -> (Vec<Value>, Vec<Value>) {
    assert_eq!(told.code, 0, "{:#}", told.outcome);
    let records = told.records();
    let kind = |kind: &'static str| move |record: &Value| record["kind"] == kind;
    let (asked, seen) = (at(&records, kind("PauseRequested")), at(&records, kind("PauseAcknowledged")));
    let resumed = at(&records, kind("Resumed"));
    assert!(asked < seen && seen < resumed && resumed < records.len(), "it is paused, and goes on");
    let moves = ["ChangeIntended", "ChangeLanded", "EffectIntended", "CallAdmitted"];
    let moved = records[seen..resumed].iter().find(|record| moves.contains(&text(&record["kind"])));
    assert_eq!(moved, None);
    assert_eq!(records[seen]["data"]["lanes"], 4);
    (records[asked..seen].to_vec(), records[seen..resumed].to_vec())
}

/// A moment between intention and landing is looked up in a run without people.
#[test]
fn what_was_intended_lands_before_a_pause_is_acknowledged_and_nothing_moves_until_the_resume() {
    let place = tempfile::tempdir().unwrap();
    let quiet = Told::of(place.path(), "quiet", WORK, 3).records();
    let moves = quiet.iter().filter(|record| ["ChangeIntended", "ChangeLanded"].contains(&text(&record["kind"])));
    let times: Vec<u64> = moves.map(|record| record["t_us"].as_u64().unwrap()).collect();
    let mut moved = times.chunks(2).map(|pair| (pair[0], pair[1])).skip(2);
    let (intended_us, _) = moved.find(|(intended, landed)| landed - intended > 20_000).unwrap();
    let pause_ms = intended_us / 1_000 + 3;
    let people = says(pause_ms, "pause-all") + &says(pause_ms + 90_000, "resume-all");
    let told = Told::of(place.path(), "intended", &format!("{WORK}operators:\n{people}"), 3);
    let (before, _) = paused(&told);
    assert!(before.iter().any(|record| record["kind"] == "ChangeLanded"), "{before:#?}");
}

#[test]
fn a_gate_that_speaks_during_a_pause_lets_nothing_land_before_the_resume() {
    let gated =
        format!("{WORK}gates: [ {{ name: slow, script: {{ latency: {{ median: 2s, p99: 6s }}, red: 0% }} }} ]\n");
    let place = tempfile::tempdir().unwrap();
    let mut spoke = 0;
    for pause_s in (20..60).step_by(5) {
        let people = says(pause_s * 1_000, "pause-all") + &says((pause_s + 60) * 1_000, "resume-all");
        let told = Told::of(place.path(), &format!("gate-{pause_s}"), &format!("{gated}operators:\n{people}"), 3);
        let (_, during) = paused(&told);
        spoke += during.iter().filter(|record| record["kind"] == "GatePassed").count();
    }
    assert!(spoke >= 3, "a gate spoke in {spoke} of the pauses");
}

#[test]
fn lanes_that_join_take_work_and_those_that_are_taken_out_take_none() {
    let people = says(10_000, "{ add: { role: w, lanes: 2 } }")
        + &says(40_000, "{ remove: w.1 }")
        + &says(41_000, "{ remove: w.6 }")
        + &says(42_000, "{ kill: w.6 }");
    for (seed, faults) in
        [(1, ""), (2, "faults: [ { restart: supervisor, at: 10s }, { restart: supervisor, at: 41s } ]\n")]
    {
        let place = tempfile::tempdir().unwrap();
        let told = Told::of(place.path(), "grows", &format!("{WORK}operators:\n{people}{faults}"), seed);
        assert_eq!(told.code, 0, "{:#}", told.outcome);
        let records = told.records();
        for (lane, kind) in [("w.5", "joined"), ("w.1", "taken out"), ("w.6", "taken out")] {
            let taken = records.iter().rposition(|r| r["kind"] == "TaskAssigned" && r["lane"] == lane);
            let out = at(&records, |r| r["kind"] == "LaneRetired" && r["lane"] == lane);
            assert!(taken.is_some_and(|taken| taken < out), "{lane} is {kind}");
        }
        let back = records.iter().any(|r| r["kind"] == "LaneRestarted" && r["lane"] == "w.6");
        assert!(!back, "who is taken out does not come back");
    }
}

#[test]
fn a_team_without_lanes_for_what_is_left_says_so_and_ends() {
    let all: String = (1..5).map(|lane| says(20_000, &format!("{{ remove: w.{lane} }}"))).collect();
    let place = tempfile::tempdir().unwrap();
    let told = Told::of(place.path(), "empty", &format!("{WORK}operators:\n{all}"), 1);
    assert_eq!((told.code, &told.outcome["stopped"]), (5, &"stuck".into()), "{:#}", told.outcome);
}

#[test]
fn a_team_without_lanes_waits_for_those_that_its_operators_will_add() {
    let out: String = (1..5).map(|lane| says(20_000, &format!("{{ remove: w.{lane} }}"))).collect();
    // Nobody can tell of the second of these before it comes that it will be refused.
    let join = says(300_000, "{ add: { role: w, lanes: 2 } }") + &says(400_000, "{ add: w }");
    for faults in ["", "faults: [ { restart: supervisor, at: 20s }, { restart: supervisor, at: 299999ms } ]\n"] {
        let place = tempfile::tempdir().unwrap();
        let told = Told::of(place.path(), "joined", &format!("{WORK}operators:\n{out}{join}{faults}"), 1);
        assert_eq!((told.code, &told.outcome["stopped"]), (0, &"tasks-ended".into()), "{faults}: {:#}", told.outcome);
    }
    let place = tempfile::tempdir().unwrap();
    let (full, gone) = (says(300_000, "{ add: { role: w, lanes: 2 } }"), "caps: { lanes: 5 }\n");
    let told = Told::of(place.path(), "full", &format!("{WORK}operators:\n{out}{full}{full}{gone}"), 1);
    assert_eq!((told.code, &told.outcome["stopped"]), (0, &"tasks-ended".into()), "the removed make room");
}

#[test]
fn a_yes_waits_for_a_lane_that_will_join_and_ends_the_run_if_none_will() {
    let work = "tasks: [ { count: 2, by: w, approve: plan, do: { append: token } } ]\n";
    let out: String = (1..5).map(|lane| says(200_000, &format!("{{ remove: w.{lane} }}"))).collect();
    let yes = says(300_000, "{ approve: all }");
    for (join, code, stopped) in [(says(400_000, "{ add: w }"), 0, "tasks-ended"), (String::new(), 5, "stuck")] {
        let place = tempfile::tempdir().unwrap();
        let told = Told::of(place.path(), "yes", &format!("{work}operators:\n{out}{yes}{join}"), 1);
        assert_eq!((told.code, &told.outcome["stopped"]), (code, &stopped.into()), "{:#}", told.outcome);
        let seconds = told.outcome["virtual_s"].as_f64().unwrap();
        assert!(code == 0 || (300.0..310.0).contains(&seconds), "it ends at once: {seconds}");
    }
}

/// Whoever owned it stands still and wakes up long after: its change comes too late, and is refused where people see it.
#[test]
fn a_task_that_changes_hands_lands_once_and_what_comes_too_late_is_told() {
    let one =
        "tasks: [ { count: 40, by: w, touches: \"index/**\", canonical: index/index.md, do: { append: token } } ]\n";
    let give: String = (0..4).map(|task| says(80_000, &format!("{{ reassign: T-{task}, to: w }}"))).collect();
    let still = "{ pause: w.2, at: 1s, while: thinks, for: 3m }";
    let (mut late, mut superseded) = (0, 0);
    for (seed, fault) in [(1, ""), (2, ", { restart: merger, at: 80s }"), (3, ", { restart: supervisor, at: 80s }")] {
        let place = tempfile::tempdir().unwrap();
        let told =
            Told::of(place.path(), "late", &format!("{one}operators:\n{give}faults: [ {still}{fault} ]\n"), seed);
        assert_eq!((told.code, &told.outcome["main"]["landed"]), (0, &40.into()), "{:#}", told.outcome);
        let moved = told.of_kind("TaskReturned").into_iter().filter(|r| r["data"]["reason"] == "reassigned").count();
        assert_eq!(moved, 1, "one of them was still somebody's");
        let records = told.records();
        let closed = records.iter().filter(|r| r["kind"] == "ChangeWithdrawn").map(|r| &r["data"]["change"]);
        for change in closed {
            let refused = records.iter().filter(|r| r["kind"] == "ChangeRefused" && r["data"]["change"] == *change);
            late += refused.count();
        }
        superseded += told.of_kind("ChangeRefused").iter().filter(|r| r["data"]["reason"] == "superseded").count();
    }
    assert!(late >= 3 && superseded > 3, "{late} came too late, {superseded} met another version");
}

#[test]
fn whoever_a_lease_is_taken_from_lands_nothing_under_it() {
    let leases = "leases: [ { resource: \"notes/**\", per: task, ttl: 10m } ]\n";
    let people: String =
        (0..12).map(|nth| says(9_000 + 4_000 * nth, &format!("{{ release: w.{} }}", nth % 4 + 1))).collect();
    let mut shut_out = 0;
    for (seed, fault) in [
        (1, ""),
        (2, "faults: [ { restart: merger, at: 21s } ]\n"),
        (3, "faults: [ { restart: supervisor, at: 21s } ]\n"),
    ] {
        let place = tempfile::tempdir().unwrap();
        let told = Told::of(place.path(), "released", &format!("{WORK}{leases}operators:\n{people}{fault}"), seed);
        assert_eq!(told.code, 0, "{:#}", told.outcome);
        let records = told.records();
        for (place, taken) in records.iter().enumerate().filter(|(_, r)| !r["data"]["fence"].is_null()) {
            if taken["kind"] != "LeaseReleased" {
                continue;
            }
            let fence = &taken["data"]["fence"];
            let raised = at(&records, |r| r["kind"] == "FenceRaised" && r["data"]["fence"] == *fence);
            assert!(raised > place && raised < records.len(), "its fence stands: {taken}");
            let lease = &taken["data"]["lease"];
            let under = records.iter().filter(|r| r["kind"] == "ChangeSubmitted" && r["data"]["lease"] == *lease);
            for change in under.map(|r| &r["data"]["change"]) {
                let intended = at(&records, |r| r["kind"] == "ChangeIntended" && r["data"]["change"] == *change);
                assert!(
                    intended < raised || intended == records.len(),
                    "{change} lands under a lease that was taken away"
                );
                shut_out += usize::from(intended == records.len());
            }
        }
    }
    assert!(shut_out >= 3, "only {shut_out} changes were shut out");
}

#[test]
fn a_command_that_changes_nothing_is_refused_in_its_place_and_told() {
    let caps = "caps: { lanes: 5 }\n";
    let people = says(5_000, "resume-all")
        + &says(6_000, "pause-all")
        + &says(7_000, "pause-all")
        + &says(8_000, "resume-all")
        + &says(9_000, "{ add: { role: w, lanes: 2 } }")
        + &says(10_000, "{ add: w }")
        + &says(11_000, "{ add: w }")
        + &says(12_000, "{ remove: w.5 }")
        + &says(13_000, "{ remove: w.5 }")
        + &says(14_000, "{ reassign: T-29, to: w.5 }")
        + &says(15_000, "{ reassign: T-29, to: w.2 }")
        + &says(16_000, "{ reassign: T-29, to: w.2 }")
        + &says(17_000, "{ release: w.1 }")
        + &says(18_000, "{ budget: { run: { usd: 5 } } }")
        + &says(19_000, "{ budget: { run: { usd: 5 } } }")
        + &says(20_000, "stop")
        + &says(20_000, "stop");
    let place = tempfile::tempdir().unwrap();
    let told = Told::of(place.path(), "refused", &format!("{WORK}{caps}operators:\n{people}"), 1);
    let expected = [
        "resume-all: already-so",
        "pause-all: already-so",
        "{ add: { role: w, lanes: 2 } }: full",
        "{ add: w }: full",
        "{ remove: w.5 }: already-so",
        "{ reassign: T-29, to: w.5 }: gone",
        "{ reassign: T-29, to: w.2 }: already-so",
        "{ release: w.1 }: gone",
        "{ budget: { run: { usd: 5 } } }: already-so",
        "stop: already-so",
    ];
    assert_eq!(told.refused(), expected);
    assert_eq!((told.code, &told.outcome["stopped"]), (5, &"operator".into()));
    let listed = told.outcome["report"]["people"]["refused"].as_array().map(Vec::len);
    assert_eq!(listed, Some(expected.len()), "the report lists them: {:#}", told.outcome["report"]["people"]);
}

/// A task may be handed on so often and no more; then its packets move nothing, and say why.
#[test]
fn a_task_that_was_handed_on_as_often_as_it_may_be_is_handed_on_no_more() {
    let place = tempfile::tempdir().unwrap();
    let sections = "tasks: [ { count: 2, by: w, touches: \"notes/**\", steps: 9, attempts: 2, do: { append: token } } ]\n\
         caps: { handoffs: 1 }\n";
    let text = format!("baton: 1\nname: deep\n{TEAM}{sections}")
        .replace("lanes: 4, model: m", "lanes: 4, model: m, context: 4000")
        .replace("p99: 30s }", "p99: 30s }, tokens: { in: 1000, out: 500 }");
    let file = write_scenario(place.path(), "deep", &text);
    let said = run(place.path(), &file, "out", &[]);
    assert_eq!(said.code(), 1, "both are given up: {said:?}");
    let path = place.path().join("out");
    let folder = RunFolder(&path);
    folder.must_be_sound("deep");
    let flaws: Vec<Value> = folder.of_kind("PacketRefused").into_iter().map(|r| r["data"]["flaws"].clone()).collect();
    assert!(
        !flaws.is_empty() && flaws.iter().all(|flaws| flaws.to_string().contains("handed on 1 times")),
        "{flaws:?}"
    );
    assert_eq!(folder.of_kind("PacketAccepted").len(), 2, "once for each task");
}

/// Whoever drains a team that stands still wants it to end what it has begun: nothing new, and no wait for a resume.
#[test]
fn a_drain_ends_a_pause_so_that_what_was_begun_ends() {
    for (seed, people, drains) in [
        (1, says(20_000, "pause-all") + &says(600_000, "drain"), 1),
        (2, says(20_000, "drain") + &says(20_500, "pause-all") + &says(600_000, "drain"), 2),
        (3, says(20_000, "pause-all") + &says(20_000, "drain") + &says(20_000, "resume-all"), 1),
    ] {
        for faults in ["", "faults: [ { restart: supervisor, at: 600s }, { restart: merger, at: 21s } ]\n"] {
            let place = tempfile::tempdir().unwrap();
            let told = Told::of(place.path(), "drained", &format!("{WORK}operators:\n{people}{faults}"), seed);
            assert_eq!((told.code, &told.outcome["stopped"]), (5, &"drained".into()), "{:#}", told.outcome);
            assert!(told.outcome["virtual_s"].as_f64().unwrap() < 1_200.0, "{}", told.outcome["virtual_s"]);
            let records = told.records();
            let drain = at(&records, |r| r["data"]["command"] == "drain");
            assert!(records[drain..].iter().all(|r| r["kind"] != "TaskAssigned" || r["data"]["attempt"] != 1));
            assert_eq!(told.of_kind("Resumed").len(), 1, "the drain is all that ends the pause");
            let commands = &told.outcome["report"]["people"]["commands"];
            assert_eq!(commands, &serde_json::json!({ "drain": drains, "pause-all": 1 }), "each counts once");
            let tasks = |kind: &str| -> Vec<String> {
                let of = |record: Value| record["task"].as_str().map(str::to_owned);
                told.of_kind(kind).into_iter().filter_map(of).collect()
            };
            let ended = [tasks("TaskDone"), tasks("TaskReturned")].concat();
            for task in tasks("TaskAssigned") {
                assert!(ended.contains(&task), "{task} was begun and has not ended");
            }
        }
    }
}
