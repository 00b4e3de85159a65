//! Rolling back, the queue, the first gate, and watching.

use crate::program::Living;
use crate::site::{Site, names};
use serde_json::Value;
use std::time::Duration;

impl Site {
    #[track_caller]
    fn object(&self, words: &[&str]) -> (Value, i32) {
        let said = self.say(words);
        (said.json(), said.code())
    }
}

#[test]
fn a_rollback_takes_back_one_change_and_leaves_the_others() {
    let site = Site::new();
    site.branches(3);
    site.land(&["--all", "--gate", "true"]);
    let before = site.main();
    let (outcome, code) = site.object(&["rollback", "b2", "--json", "--gate", "test ! -e new2.txt"]);
    assert_eq!((code, &outcome["ended"]), (0, &"rolled-back".into()), "{outcome}");
    assert!(site.has("new1.txt") && !site.has("new2.txt") && site.has("new3.txt"));
    assert_eq!(site.git(&["rev-parse", "main^1"]), before);
    assert!(!site.path().join("new2.txt").exists(), "the checkout has followed");
    site.must_be_sound();
}

#[test]
fn later_changes_of_the_same_files_are_named_first_and_a_conflict_moves_nothing() {
    let site = Site::new();
    site.branch("first", &[("shared.txt", Some("all by first\n"))]);
    site.land(&["first", "--gate", "true"]);
    site.branch("second", &[("shared.txt", Some("all by second\n"))]);
    site.land(&["second", "--gate", "true"]);
    let main = site.main();
    let (outcome, code) = site.object(&["undo", "first", "--json", "--gate", "true"]);
    assert_eq!((code, &outcome["ended"]), (1, &"conflict".into()), "{outcome}");
    assert_eq!(outcome["dependents"][0]["ref"], "second");
    assert_eq!(outcome["dependents"][0]["files"], serde_json::json!(["shared.txt"]));
    assert_eq!(outcome["conflicts"][0]["path"], "shared.txt");
    assert_eq!(site.main(), main);
    let (_, code) = site.object(&["rollback", "second", "--json", "--gate", "true"]);
    assert_eq!(code, 0);
    let (_, code) = site.object(&["rollback", "first", "--json", "--gate", "true"]);
    assert_eq!((code, site.git(&["show", "main:shared.txt"]).lines().count()), (0, 20));
}

#[test]
fn a_rollback_passes_the_gates_or_moves_nothing() {
    let site = Site::new();
    site.branches(1);
    site.land(&["b1", "--gate", "true"]);
    let main = site.main();
    let (outcome, code) = site.object(&["rollback", "b1", "--json", "--gate", "test -e new1.txt"]);
    assert_eq!((code, &outcome["ended"], site.main()), (1, &"gate-red".into(), main.clone()));
    let (outcome, code) = site.object(&["rollback", "b1", "--json", "--dry-run", "--gate", "true"]);
    assert_eq!((code, &outcome["ended"], site.main()), (0, &"would-roll-back".into(), main));
}

#[test]
fn what_was_rolled_back_is_not_called_landed_and_comes_back_by_a_rollback_of_the_rollback() {
    let site = Site::new();
    site.branches(1);
    site.land(&["b1", "--gate", "true"]);
    let (outcome, _) = site.object(&["rollback", "b1", "--json", "--gate", "true"]);
    let inverse = outcome["main_after"].as_str().unwrap().to_owned();
    let (again, code) = site.land(&["b1", "--gate", "true"]);
    assert_eq!((code, &again["refused"][0]["reason"]), (1, &"rolled-back".into()), "{again}");
    let (_, code) = site.object(&["rollback", &inverse, "--json", "--gate", "true"]);
    assert_eq!(code, 0);
    assert!(site.has("new1.txt"));
    let (again, code) = site.land(&["b1", "--gate", "true"]);
    assert_eq!((code, names(&again["already"])), (0, vec!["b1".to_owned()]));
}

#[test]
fn what_never_landed_cannot_be_rolled_back() {
    let site = Site::new();
    site.branches(1);
    for name in ["b1", "nothing", "--", "main~99"] {
        let said = site.say(&["rollback", "--gate", "true", "--", name]);
        assert_eq!(said.code(), 2, "{name}: {said:?}");
    }
    let first = site.git(&["rev-list", "--max-parents=0", "main"]);
    assert_eq!(site.say(&["rollback", &first, "--gate", "true"]).code(), 2);
}

#[test]
fn the_queue_says_who_lands_who_waits_and_what_became_of_the_others() {
    let site = Site::new();
    site.branches(3);
    site.land(&["b1", "b2", "--gate", "test ! -e new2.txt"]);
    let started = site.path().join("../started");
    let gate = format!("touch {}; sleep 3", started.display());
    let first = Living::start(&mut site.command(&["land", "b3", "--gate", &gate]));
    while !started.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let (queue, code) = site.object(&["queue", "--json"]);
    assert_eq!(code, 0);
    assert_eq!(queue["waiting"][0]["wants"][0], "b3");
    assert!(queue["waiting"][0]["doing"].as_str().unwrap().contains("runs gates"), "{queue}");
    let decided: Vec<_> = queue["decided"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["what"].clone(), entry["ref"].clone()))
        .collect();
    assert_eq!(decided, [("landed".into(), "b1".into()), ("refused".into(), "b2".into())]);
    first.end(Duration::from_secs(20));
    let (queue, _) = site.object(&["queue", "--json"]);
    assert_eq!(queue["waiting"].as_array().unwrap().len(), 0);
}

#[test]
fn init_finds_the_gate_proves_main_and_commits_it_when_told_to() {
    let site = Site::new();
    site.write("Makefile", "all:\n\ntest:\n\ttest -e shared.txt\n");
    site.git(&["add", "-A"]);
    site.git(&["commit", "-q", "-m", "make"]);
    site.branches(1);
    let (outcome, code) = site.object(&["init", "--commit", "--json"]);
    assert_eq!((code, &outcome["gates"][0]), (0, &"make test".into()), "{outcome}");
    assert!(site.path().join("baton.yaml").exists(), "the checkout has followed");
    let (outcome, code) = site.land(&["b1"]);
    assert_eq!((code, &outcome["gates"][0]), (0, &"make test".into()));
    site.must_be_sound();
    assert_eq!(site.say(&["init"]).code(), 2, "it is not written over");
}

#[test]
fn init_finds_a_recipe_on_the_first_line_and_says_that_gates_run_only_when_they_do() {
    let said_it = "runs the gates on main";
    for (text, gate) in [("test:\n\ttrue\n", "make test"), ("check :\n\ttrue\n", "make check")] {
        let site = Site::new();
        let said = site.say(&["init"]);
        assert!(said.code() == 2 && !said.stderr.contains(said_it), "{said:?}");
        site.write("Makefile", text);
        site.git(&["add", "-A"]);
        site.git(&["commit", "-q", "-m", "make"]);
        let said = site.say(&["init"]);
        assert!(said.code() == 0 && said.stdout.contains(gate) && said.stderr.contains(said_it), "{said:?}");
        std::fs::remove_file(site.path().join("baton.yaml")).unwrap();
        let said = site.say(&["init"]);
        assert!(said.code() == 0 && !said.stderr.contains(said_it), "its verdict is known: {said:?}");
    }
}

#[test]
fn init_on_a_red_main_writes_nothing() {
    let site = Site::new();
    let (outcome, code) = site.object(&["init", "--json", "--gate", "echo broken; false"]);
    assert_eq!((code, &outcome["ended"]), (1, &"main-red".into()));
    assert!(outcome["gate"]["tail"].as_str().unwrap().contains("broken"));
    assert!(!site.path().join("baton.yaml").exists());
    let (outcome, code) = site.object(&["init", "--json", "--gate", "grep \"1\" shared.txt \\\n && true"]);
    assert_eq!(code, 0, "{outcome}");
    site.git(&["add", "baton.yaml"]);
    site.git(&["commit", "-q", "-m", "gates"]);
    site.branches(1);
    let (outcome, code) = site.land(&["b1"]);
    assert_eq!((code, &outcome["gates"][0]), (0, &"grep \"1\" shared.txt \\\n && true".into()), "as it was given");
}

#[test]
fn watching_lands_what_appears_until_it_is_interrupted() {
    let site = Site::new();
    let watching =
        Living::start(&mut site.command(&["land", "--all", "--watch", "--json", "--gate", "test ! -e new2.txt"]));
    site.branches(2);
    let clock = std::time::Instant::now();
    while !site.has("new1.txt") && clock.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(100));
    }
    site.branch("late", &[("late.txt", Some("x\n"))]);
    while !site.has("late.txt") && clock.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(100));
    }
    watching.interrupt();
    let said = watching.end(Duration::from_secs(20));
    assert_eq!(said.code(), 0, "{said:?}");
    let outcomes: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(site.has("new1.txt") && site.has("late.txt") && !site.has("new2.txt"), "{outcomes:?}");
    let refused: usize = outcomes.iter().map(|outcome| names(&outcome["refused"]).len()).sum();
    assert_eq!(refused, 1, "what was refused is not tried again as it is: {outcomes:?}");
}
