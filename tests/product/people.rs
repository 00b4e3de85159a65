//! Gates for people: what waits, what a yes lets land and a no ends, and that main never loses what another lane landed
//! without a yes. Main is read by git and judged by this file's own idea of who took back what.

use crate::program::{Said, baton, finish};
use crate::repository::git;
use crate::run_folder::{RunFolder, run, write_scenario};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A team whose cleaners take back what the implementers have landed; `sections`: what else the file says.
fn team(sections: &str) -> String {
    format!(
        "baton: 1\nname: people\nworkspace: {{ fixture: notes, files: 10 }}\n\
         roles: {{ implementer: {{ lanes: 3, model: fast }}, cleaner: {{ lanes: 2, model: fast }} }}\n\
         models: {{ fast: {{ latency: {{ median: 8s, p99: 60s }} }} }}\n\
         tasks:\n\
         \x20 - {{ name: work, each: 3, by: implementer, touches: \"notes/**\", do: {{ append: token }} }}\n\
         \x20 - {{ count: 3, by: cleaner, touches: \"notes/**\", after: work, do: {{ undo: one }} }}\n\
         {sections}\n"
    )
}

#[track_caller]
fn play(place: &Path, scenario: &str, seed: u32, code: i32) -> Value {
    let file = write_scenario(place, "people", scenario);
    let said = run(place, &file, &format!("out-{seed}"), &["--seed", &seed.to_string()]);
    assert_eq!(said.code(), code, "seed {seed}: {said:?}");
    let path = place.join(format!("out-{seed}"));
    RunFolder(&path).must_be_sound(&format!("seed {seed}"));
    must_keep_others_work(&RunFolder(&path));
    said.json()
}

/// Of each path: who wrote it in this run, from which blob to which.
type Pasts = BTreeMap<String, Vec<(String, String, String)>>;

const NOTHING: &str = "0000000000000000000000000000000000000000";

/// No landing removes what another lane has written, or brings back what stood before that, unless a person has said yes to
/// that path of that task. A file that is moved as it is keeps its past.
#[track_caller]
fn must_keep_others_work(folder: &RunFolder<'_>) {
    let repository = folder.repository();
    let records = folder.records();
    let base = text(&records[0]["data"]["base"]).to_owned();
    let range = format!("{base}..refs/heads/main");
    let log = git(
        &repository,
        &[
            "log",
            "--first-parent",
            "--reverse",
            "--format=%H %(trailers:key=Baton-Lane,valueonly,separator=) %(trailers:key=Baton-Task,valueonly,separator=)",
            &range,
        ],
    );
    let mut pasts = Pasts::new();
    for line in log.lines() {
        let [commit, lane, task] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let raw = git(
            &repository,
            &[
                "diff-tree",
                "-r",
                "--no-renames",
                "--no-commit-id",
                "--raw",
                "--no-abbrev",
                &format!("{commit}^1"),
                commit,
            ],
        );
        let deltas: Vec<(&str, &str, &str)> = raw
            .lines()
            .map(|line| {
                let (head, path) = line.split_once('\t').unwrap();
                let words: Vec<&str> = head.split(' ').collect();
                (path, words[2], words[3])
            })
            .collect();
        let arrived: Vec<&str> = deltas.iter().filter(|(_, was, _)| *was == NOTHING).map(|(_, _, is)| *is).collect();
        for (path, was, is) in &deltas {
            let past = pasts.get(*path).cloned().unwrap_or_default();
            let moved = *is == NOTHING && arrived.contains(was);
            let others_since = |at: usize| past[at..].iter().any(|(by, _, _)| by != lane);
            let removed = *is == NOTHING && past.last().is_some_and(|(by, _, _)| by != lane);
            let reverted = past.iter().rposition(|(_, before, _)| before == is).is_some_and(others_since);
            if (removed || reverted) && !moved {
                assert!(
                    is_allowed(&records, task, path),
                    "{commit} of {task} by {lane} takes back others' work at {path}"
                );
            }
            pasts.entry((*path).to_owned()).or_default().push((lane.to_owned(), (*was).to_owned(), (*is).to_owned()));
        }
    }
}

/// Whether a question about undoing this path of this task was answered with yes.
fn is_allowed(records: &[Value], task: &str, path: &str) -> bool {
    let asked = records.iter().filter(|record| record["kind"] == "ApprovalAsked" && record["task"] == task);
    let about = |record: &&Value| {
        let paths = record["data"]["paths"].as_array().cloned().unwrap_or_default();
        record["data"]["subject"] == "undo" && paths.iter().any(|named| named == path)
    };
    asked.filter(about).any(|asked| {
        let id = &asked["data"]["approval"];
        let given = |record: &Value| record["kind"] == "ApprovalGiven" && record["data"]["approved"] == true;
        let late = |record: &Value| record["kind"] == "ApprovalTimedOut" && record["data"]["then"] == "approve";
        records.iter().any(|record| record["data"]["approval"] == *id && (given(record) || late(record)))
    })
}

/// Lanes, by what they hold when a question is asked, and until it is answered: nothing for the task that waits.
#[track_caller]
fn holds_nothing_while_it_waits(folder: &RunFolder<'_>) {
    let mut waiting: Vec<String> = Vec::new();
    for record in folder.records() {
        let task = text(&record["task"]).to_owned();
        match text(&record["kind"]) {
            "ApprovalAsked" => waiting.push(task),
            "ApprovalGiven" | "ApprovalTimedOut" => waiting.retain(|waits| *waits != task),
            "SlotGranted" | "LeaseGranted" | "TaskAssigned" | "ChangeSubmitted" | "EffectIntended" => {
                assert!(!waiting.contains(&task), "{record} while its task waits for a person");
            }
            _ => {}
        }
    }
}

#[test]
fn a_change_that_takes_back_others_work_lands_only_with_a_yes_and_says_whose() {
    let place = tempfile::tempdir().unwrap();
    let yes = "operators: [ { at: 30m, by: ana, do: { approve: all }, reason: fine }, { at: 50m, by: ana, do: { approve: all } }, \
        { at: 70m, by: ana, do: { approve: all } }, { at: 90m, by: ana, do: { approve: all } } ]\n\
        leases: [ { resource: \"notes/**\", ttl: 2m } ]\n\
        faults: [ { restart: supervisor, at: 20m }, { restart: merger, at: 25m }, { kill: cleaner, at: 30m, while: waits-for-landing } ]";
    for seed in 1..6 {
        let told = play(place.path(), &team(yes), seed, 0);
        assert_eq!(told["main"]["landed"], 12);
        let path = place.path().join(format!("out-{seed}"));
        let folder = RunFolder(&path);
        holds_nothing_while_it_waits(&folder);
        let asked = folder.of_kind("ApprovalAsked");
        assert!(asked.len() >= 3, "{asked:?}");
        assert!(text(&asked[0]["data"]["detail"]).contains("implementer."), "{}", asked[0]);
        let signed = git(
            &folder.repository(),
            &[
                "log",
                "--first-parent",
                "--format=%(trailers:key=Baton-Approved-By,valueonly,separator=)",
                "refs/heads/main",
            ],
        );
        assert_eq!(signed.lines().filter(|line| *line == "ana").count(), 3, "{signed}");
    }
}

#[test]
fn a_change_that_a_person_denies_never_reaches_main() {
    let place = tempfile::tempdir().unwrap();
    let no = "operators: [ { at: 30m, by: ana, do: { deny: undo }, reason: it is needed } ]";
    for seed in 1..4 {
        let told = play(place.path(), &team(no), seed, 1);
        assert_eq!((&told["main"]["landed"], &told["stopped"]), (&9.into(), &"tasks-ended".into()), "{told:#}");
        let path = place.path().join(format!("out-{seed}"));
        let folder = RunFolder(&path);
        let reasons: Vec<Value> = folder.of_kind("TaskFailed").iter().map(|e| e["data"]["reason"].clone()).collect();
        assert_eq!(reasons, ["not-approved"; 3]);
        assert!(told["approvals"].as_array().unwrap().iter().all(|one| one["state"] == "denied" && one["by"] == "ana"));
    }
}

#[test]
fn when_nobody_answers_in_time_the_file_says_what_happens() {
    let place = tempfile::tempdir().unwrap();
    for (then, code, landed, stopped) in
        [("approve", 0, 12, "tasks-ended"), ("deny", 1, 9, "tasks-ended"), ("stop", 6, 9, "waits-for-person")]
    {
        let place = place.path().join(then);
        std::fs::create_dir(&place).unwrap();
        let patience = format!("approvals: {{ undo: {{ timeout: 20m, then: {then} }} }}");
        let told = play(&place, &team(&patience), 7, code);
        assert_eq!((&told["main"]["landed"], &told["stopped"]), (&landed.into(), &stopped.into()), "{told:#}");
        assert_eq!(told["verdict"] == "waiting", then == "stop", "{told:#}");
        let people = &told["report"]["people"]["approvals"];
        let states: Vec<&str> = people["list"].as_array().unwrap().iter().map(|asked| text(&asked["state"])).collect();
        let count = |word: &str| states.iter().filter(|state| state.starts_with(word)).count();
        assert_eq!(people["timed_out"], count("timed-out-"), "what is listed is what is counted: {people:#}");
        assert_eq!(people["open"], count("waiting"), "what is listed is what is counted: {people:#}");
    }
}

#[test]
fn a_run_that_waits_for_a_person_says_what_for_and_how_to_answer() {
    let place = tempfile::tempdir().unwrap();
    let words = ["run", "nobody-decides", "--out", "out"];
    let Said { status, stdout, .. } = finish(&mut baton(place.path(), words));
    assert_eq!(status.code(), Some(6), "{stdout}");
    let path = place.path().join("out");
    let waits = RunFolder(&path).of_kind("ApprovalAsked");
    let task = text(&waits[0]["task"]);
    for part in ["waits for a person", task, "notes/", &format!("approve: {task}"), "implementer."] {
        assert!(stdout.contains(part), "{part:?} is not said: {stdout}");
    }
    RunFolder(&path).must_be_sound("nobody-decides");
    let told: Value = serde_json::from_slice(&std::fs::read(path.join("run.json")).unwrap()).unwrap();
    assert_eq!((&told["verdict"], &told["exit_code"]), (&"waiting".into(), &6.into()));
}

#[test]
fn a_word_that_speaks_of_nothing_or_comes_too_late_is_refused_and_says_why() {
    let place = tempfile::tempdir().unwrap();
    let words = "operators:\n\
        \x20 - { at: 1s, by: ana, do: { approve: T-1 }, reason: early }\n\
        \x20 - { at: 20m, by: ana, do: { approve: T-0 } }\n\
        \x20 - { at: 21m, by: ana, do: { deny: T-1 } }\n\
        \x20 - { at: 22m, by: ben, do: { approve: T-1 } }\n\
        \x20 - { at: 23m, by: ben, do: { deny: rounds } }\n\
        approvals: { undo: { timeout: 2h, then: stop } }";
    let told = play(place.path(), &team(words), 3, 6);
    let path = place.path().join("out-3");
    let refused: Vec<String> = RunFolder(&path)
        .of_kind("CommandRefused")
        .iter()
        .map(|e| format!("{} {} {}", text(&e["data"]["by"]), text(&e["data"]["command"]), text(&e["data"]["why"])))
        .collect();
    let expected = [
        "ana approve: T-1 nothing-waits",
        "ana approve: T-0 gone",
        "ben approve: T-1 decided",
        "ben deny: rounds nothing-waits",
    ];
    assert_eq!(refused, expected, "{told:#}");
}

#[test]
fn a_reviewer_that_never_lets_a_change_through_is_asked_no_more_often_than_the_file_says() {
    let place = tempfile::tempdir().unwrap();
    let said = run(place.path(), "reviewer-returns-for-ever", "out", &[]);
    assert_eq!(said.code(), 0, "{said:?}");
    let path = place.path().join("out");
    let folder = RunFolder(&path);
    folder.must_be_sound("reviewer-returns-for-ever");
    let rounds: Vec<u64> = folder.of_kind("ReviewGiven").iter().map(|e| e["data"]["round"].as_u64().unwrap()).collect();
    assert!(rounds.iter().all(|round| *round <= 3) && rounds.contains(&3), "{rounds:?}");
    assert!(folder.of_kind("ReviewGiven").iter().all(|review| review["data"]["approved"] == false));
    assert!(folder.of_kind("ApprovalAsked").iter().all(|asked| asked["data"]["subject"] == "rounds"));
}

#[test]
fn nothing_is_begun_before_the_plan_is_approved_and_the_approved_plan_lands() {
    let place = tempfile::tempdir().unwrap();
    for seed in ["1", "2", "3"] {
        let out = format!("out-{seed}");
        let said = run(place.path(), "stop-after-plan-approval", &out, &["--seed", seed]);
        let told = said.json();
        assert_eq!((said.code(), &told["stopped"]), (0, &"plan-approved".into()), "{told:#}");
        let path = place.path().join(&out);
        let folder = RunFolder(&path);
        folder.must_be_sound(&out);
        let before_yes = |kind: &str| {
            let records = folder.records();
            let yes = records.iter().position(|record| record["kind"] == "ApprovalGiven").unwrap();
            records[..yes].iter().filter(|record| record["kind"] == kind).count()
        };
        assert_eq!((before_yes("TaskAssigned"), before_yes("ChangeSubmitted")), (1, 0));
        assert_eq!(folder.of_kind("ChangeLanded").len(), 1);
    }
}

#[test]
fn an_override_lets_one_tree_of_one_task_through_and_names_who_said_so() {
    let place = tempfile::tempdir().unwrap();
    let said = run(place.path(), "override", "out", &[]);
    assert_eq!(said.code(), 0, "{said:?}");
    let path = place.path().join("out");
    let folder = RunFolder(&path);
    folder.must_be_sound("override");
    let recorded = folder.of_kind("OverrideRecorded");
    let tasks: Vec<&str> = recorded.iter().map(|e| text(&e["task"])).collect();
    assert_eq!(tasks, ["T-1", "T-3"], "{recorded:?}");
    let failed = folder.of_kind("GateFailed");
    for one in &recorded {
        let data = &one["data"];
        assert!(failed.iter().any(|e| (&e["data"]["gate"], &e["data"]["tree"]) == (&data["gate"], &data["tree"])));
        let landed = folder.of_kind("ChangeIntended");
        assert!(landed.iter().any(|e| (&e["data"]["change"], &e["data"]["tree"]) == (&data["change"], &data["tree"])));
    }
    let signed = git(
        &folder.repository(),
        &[
            "log",
            "--first-parent",
            "--format=%(trailers:key=Baton-Overridden-By,valueonly,separator=)",
            "refs/heads/main",
        ],
    );
    let mut signed: Vec<&str> = signed.lines().filter(|line| !line.is_empty()).collect();
    signed.sort_unstable();
    assert_eq!(signed, ["ana", "ben"]);
    assert!(failed.len() > recorded.len(), "the gate refuses whatever nobody overrides");
}

#[test]
fn people_are_waited_for_on_the_real_clock_too() {
    let place = tempfile::tempdir().unwrap();
    let quick = team(
        "mail: { median: 1ms, p99: 3ms }\napprovals: { undo: { timeout: 2s, then: approve } }\n\
        operators: [ { at: 1500ms, by: ana, do: { approve: all } } ]",
    )
    .replace("median: 8s, p99: 60s", "median: 5ms, p99: 20ms");
    let file = write_scenario(place.path(), "quick", &quick);
    let said = run(place.path(), &file, "out", &["--world", "live"]);
    assert_eq!(said.code(), 0, "{said:?}");
    let path = place.path().join("out");
    RunFolder(&path).must_be_sound("live");
    must_keep_others_work(&RunFolder(&path));
    assert!(RunFolder(&path).of_kind("ApprovalAsked").len() >= 3);
}

/// Two words in one instant, the second of which comes when the run has nothing left to do or comes to rest.
#[test]
fn a_word_that_comes_in_the_instant_in_which_the_run_ends_is_refused_and_breaks_nothing() {
    let place = tempfile::tempdir().unwrap();
    let first = ["{ deny: undo }", "{ approve: undo }", "stop", "drain", "pause-all"];
    let second =
        ["{ approve: undo }", "{ deny: undo }", "{ approve: all }", "{ deny: plan }", "{ deny: T-6 }", "stop", "drain"];
    for (number, (first, second)) in first.iter().flat_map(|one| second.iter().map(move |two| (one, two))).enumerate() {
        let scenario = format!(
            "baton: 1\nname: late\nseed: 5\nworkspace: {{ fixture: notes, files: 12 }}\nroles:\n  \
             implementer: {{ lanes: 3, model: fast }}\n  writer: {{ lanes: 2, model: fast }}\nmodels:\n  \
             fast: {{ driver: script, latency: {{ median: 8s, p99: 60s }} }}\ntasks:\n  \
             - {{ name: work, count: 6, by: implementer, touches: \"notes/**\", do: {{ append: token }} }}\n  \
             - {{ count: 1, by: writer, touches: \"notes/**\", after: work, do: {{ undo: one }} }}\n\
             approvals: {{ undo: {{ timeout: 1h, then: approve }} }}\nexpect: [main.intact]\nstop: {{ after: 3h }}\noperators:\n  \
             - {{ at: 10m, by: ana, do: {first} }}\n  - {{ at: 10m, by: ben, do: {second} }}\n"
        );
        let file = write_scenario(place.path(), &format!("late{number}"), &scenario);
        let out = place.path().join(format!("out{number}"));
        let said = finish(baton(place.path(), ["run", "--json", "--out"]).arg(&out).arg(&file));
        let code = said.code();
        assert!([0, 1, 5].contains(&code), "{first} then {second}: {code} {}", said.stderr);
        let verified = finish(baton(place.path(), ["verify", "--json"]).arg(&out));
        assert_eq!(verified.code(), 0, "{first} then {second}: {}", verified.stdout);
    }
}
