//! A red gate blames whoever made it red: one, a pair, or nobody.

use crate::site::{Site, names};

const PAIR: &str = "test ! -e new3.txt || test ! -e new7.txt";

#[test]
fn of_forty_branches_with_one_bad_pair_thirty_nine_land_in_nine_runs() {
    let site = Site::new();
    site.branches(40);
    let all: Vec<String> = (1..=40).map(|number| format!("b{number}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let (outcome, code) = site.land(&[&all[..], &["--gate", PAIR]].concat());
    assert_eq!(code, 1);
    assert_eq!(names(&outcome["landed"]).len(), 39, "{outcome}");
    assert!(outcome["gate_runs"].as_u64().unwrap() <= 9, "{}", outcome["gate_runs"]);
    let refused = &outcome["refused"][0];
    assert_eq!(
        (&refused["ref"], &refused["reason"], &refused["with"][0]),
        (&"b7".into(), &"pair".into(), &"b3".into())
    );
    // Nine runs are not always enough to prove what the gate's own words make likely.
    assert!(refused["proven"].is_boolean());
}

#[test]
fn a_pair_without_any_trace_is_found_by_its_runs() {
    let site = Site::new();
    site.branches(6);
    // The gate's own text names no file.
    let gate = "n=$(ls | tr -dc 25 | fold -w1 | sort -u | wc -l); test \"$n\" -lt 2";
    let (outcome, code) = site.land(&["--all", "--blame-fully", "--gate", gate]);
    assert_eq!((code, names(&outcome["landed"]).len()), (1, 5), "{outcome}");
    let refused = &outcome["refused"][0];
    assert_eq!((&refused["ref"], &refused["with"][0], &refused["proven"]), (&"b5".into(), &"b2".into(), &true.into()));
}

#[test]
fn who_is_red_alone_is_blamed_alone() {
    let site = Site::new();
    site.branches(5);
    let (outcome, code) = site.land(&["--all", "--gate", "test ! -e new4.txt"]);
    assert_eq!((code, names(&outcome["landed"]).len()), (1, 4));
    let refused = &outcome["refused"][0];
    assert_eq!((&refused["ref"], &refused["reason"], &refused["proven"]), (&"b4".into(), &"gate".into(), &true.into()));
    assert_eq!(refused["with"].as_array().unwrap().len(), 0);
}

#[test]
fn when_main_itself_is_red_nobody_is_blamed_and_nothing_lands() {
    let site = Site::new();
    site.branches(3);
    let main = site.main();
    for batch in ["tip", "each"] {
        let (outcome, code) = site.land(&["--all", "--batch", batch, "--gate", "test -e nowhere"]);
        assert_eq!((code, &outcome["ended"]), (1, &"main-red".into()), "{outcome}");
        assert_eq!(outcome["refused"].as_array().unwrap().len(), 0);
        assert_eq!(names(&outcome["undecided"]), ["b1", "b2", "b3"]);
        assert_eq!(site.main(), main);
    }
}

#[test]
fn with_more_jobs_the_same_is_found() {
    for jobs in ["1", "3", "8"] {
        let site = Site::new();
        site.branches(9);
        let (outcome, _) = site.land(&["--all", "--jobs", jobs, "--gate", "test ! -e new3.txt && test ! -e new8.txt"]);
        assert_eq!(names(&outcome["refused"]), ["b3", "b8"], "{outcome}");
        assert_eq!(names(&outcome["landed"]).len(), 7);
        site.must_be_sound();
    }
}

#[test]
fn the_reason_goes_back_to_where_the_agent_looks_and_git_does_not_see_it() {
    let site = Site::new();
    let place = site.worktree("agent");
    crate::site::write(&place.join("bad.txt"), "x\n");
    crate::repository::git(&place, &["add", "-A"]);
    crate::repository::git(&place, &["commit", "-q", "-m", "bad"]);
    let (outcome, code) =
        site.land(&["--all", "--hand-back", "--gate", "if test -e bad.txt; then echo no bad.txt; exit 3; fi"]);
    assert_eq!(code, 1, "{outcome}");
    let text = std::fs::read_to_string(place.join(".baton/refused.md")).unwrap();
    assert!(text.contains("no bad.txt") && text.contains("status 3"), "{text}");
    assert_eq!(crate::repository::git(&place, &["status", "--porcelain"]), "");
}

#[test]
fn a_handed_back_reason_is_gone_when_its_branch_has_landed_and_nothing_else_is() {
    let site = Site::new();
    let place = site.worktree("agent");
    let commit = |message: &str| {
        crate::repository::git(&place, &["add", "-A"]);
        crate::repository::git(&place, &["commit", "-q", "-m", message]);
    };
    crate::site::write(&place.join("bad.txt"), "x\n");
    commit("bad");
    site.branch("apart", &[("bad.txt", Some("y\n"))]);
    site.land(&["--all", "--hand-back", "--gate", "test ! -e bad.txt"]);
    let (letter, apart) = (place.join(".baton/refused.md"), site.path().join(".git/baton/refused/apart.md"));
    assert!(letter.exists() && apart.exists());
    std::fs::remove_file(place.join("bad.txt")).unwrap();
    crate::site::write(&place.join("good.txt"), "x\n");
    commit("good");
    crate::site::write(&place.join(".baton/mine.md"), "mine\n");
    let (outcome, code) = site.land(&["agent", "--gate", "test ! -e bad.txt"]);
    assert_eq!(code, 0, "{outcome}");
    assert!(!letter.exists() && apart.exists() && place.join(".baton/mine.md").exists());
    let (outcome, code) = site.land(&["apart", "--gate", "true"]);
    assert_eq!((code, apart.exists()), (0, false), "{outcome}");
}

#[test]
fn a_file_of_that_name_that_the_branch_or_a_person_has_is_not_written_over_and_not_removed() {
    type Make = fn(&std::path::Path);
    let plain: Make = |place| crate::site::write(&place.join(".baton/refused.md"), "# agent did not land\n");
    let link: Make = |place| {
        std::fs::create_dir(place.join(".baton")).unwrap();
        std::os::unix::fs::symlink("../src/f0.txt", place.join(".baton/refused.md")).unwrap();
    };
    let own: Make = |place| crate::site::write(&place.join(".baton/refused.md"), "notes\n");
    for (make, tracked) in [(plain, true), (link, true), (own, false)] {
        let site = Site::new();
        let place = site.worktree("agent");
        crate::site::write(&place.join("bad.txt"), "x\n");
        let git = |words: &[&str]| crate::repository::git(&place, words);
        if tracked {
            make(&place);
        }
        git(&["add", "-A"]);
        git(&["commit", "-q", "-m", "work"]);
        if !tracked {
            make(&place);
        }
        let read = || std::fs::read_to_string(place.join(".baton/refused.md")).unwrap();
        let (before, status) = (read(), git(&["status", "--porcelain"]));
        let (outcome, code) = site.land(&["agent", "--hand-back", "--gate", "echo why; test ! -e bad.txt"]);
        let undone = outcome["followed"]["undone"][0].as_str().unwrap_or_default();
        assert!(code == 1 && undone.contains("refused.md") && undone.contains("refused/agent.md"), "{outcome}");
        assert_eq!((read(), git(&["status", "--porcelain"])), (before.clone(), status));
        assert_eq!(std::fs::read_to_string(place.join("src/f0.txt")).unwrap(), "file 0\n");
        let text = std::fs::read_to_string(site.path().join(".git/baton/refused/agent.md")).unwrap();
        assert!(text.contains("why"), "{text}");
        let (_, code) = site.land(&["agent", "--gate", "true"]);
        assert_eq!((code, read()), (0, before));
    }
}

#[test]
fn a_flaky_gate_is_tried_again_only_where_its_file_says_so_and_never_silently() {
    let site = Site::new();
    let gate = "n=$(cat ../count 2>/dev/null || echo 0); echo $((n+1)) > ../count; test $n -gt 0";
    site.write("baton.yaml", &format!("baton: 1\ngates:\n  - run: '{gate}'\n    retry: 1\n"));
    site.git(&["add", "-A"]);
    site.git(&["commit", "-q", "-m", "gates"]);
    site.branches(1);
    let (outcome, code) = site.land(&["b1"]);
    assert_eq!((code, &outcome["gate_runs"]), (0, &2.into()), "{outcome}");
    assert_eq!(outcome["flaky"][0], gate);
    let runs = site.facts("GateRan");
    assert_eq!((&runs[0]["passed"], &runs[1]["passed"], &runs[1]["attempt"]), (&false.into(), &true.into(), &2.into()));
}

#[test]
fn many_bad_branches_cost_less_than_landing_one_by_one() {
    let site = Site::new();
    site.branches(24);
    let bad = [2, 3, 5, 8, 9, 14, 20, 21];
    let gate: Vec<String> = bad.iter().map(|number| format!("test ! -e new{number}.txt")).collect();
    let (outcome, code) = site.land(&["--all", "--gate", &gate.join(" && ")]);
    assert_eq!((code, names(&outcome["landed"]).len(), names(&outcome["refused"]).len()), (1, 16, 8), "{outcome}");
    assert!(outcome["gate_runs"].as_u64().unwrap() <= 40, "{}", outcome["gate_runs"]);
}

#[test]
fn the_test_that_fails_is_named() {
    let site = Site::new();
    site.branches(3);
    let gate = "if test -e new2.txt; then echo 'test parser::reads_ints ... FAILED'; exit 101; fi";
    let (outcome, _) = site.land(&["--all", "--gate", gate]);
    let refused = &outcome["refused"][0];
    assert_eq!(
        (&refused["ref"], &refused["gate"]["failing"][0]),
        (&"b2".into(), &"parser::reads_ints".into()),
        "{outcome}"
    );
    for text in [&refused["detail"], &refused["hand_back"]] {
        assert!(text.as_str().unwrap().contains("parser::reads_ints"), "{text}");
    }
    assert!(refused["hand_back"].as_str().unwrap().contains("## Failing tests"));
}
