//! Branches and gates that mean harm land nothing that has not passed.

use crate::program::Living;
use crate::repository::git;
use crate::site::{Site, names};
use std::time::Duration;

fn guarded() -> Site {
    let site = Site::new();
    site.write("baton.yaml", "baton: 1\ngates: [ \"test ! -e bad.txt\" ]\n");
    site.git(&["add", "-A"]);
    site.git(&["commit", "-q", "-m", "gates"]);
    site
}

#[test]
fn a_branch_that_changes_the_gate_file_does_not_land_unasked() {
    for text in [Some("baton: 1\ngates: [ \"true\" ]\n"), Some(""), None] {
        let site = guarded();
        site.branch("evil", &[("baton.yaml", text), ("bad.txt", Some("x\n"))]);
        site.branch("good", &[("good.txt", Some("x\n"))]);
        let (outcome, code) = site.land(&["--all"]);
        assert_eq!((code, names(&outcome["landed"])), (1, vec!["good".to_owned()]), "{text:?}: {outcome}");
        assert_eq!(outcome["refused"][0]["reason"], "gate-file");
        assert!(!site.has("bad.txt"));
    }
}

#[test]
fn even_when_asked_a_new_gate_file_counts_only_from_mains_commit_on() {
    let site = guarded();
    site.branch("evil", &[("baton.yaml", Some("baton: 1\ngates: [ \"true\" ]\n")), ("bad.txt", Some("x\n"))]);
    let (outcome, _) = site.land(&["evil", "--allow-gate-change"]);
    assert_eq!((names(&outcome["landed"]).len(), &outcome["refused"][0]["reason"]), (0, &"gate".into()));
}

#[test]
fn a_forged_verdict_lets_nothing_through() {
    let site = guarded();
    site.branch("good", &[("good.txt", Some("x\n"))]);
    site.land(&["good"]);
    site.branch("bad", &[("bad.txt", Some("x\n"))]);
    // The verdict about the good tree, copied to every name that could be asked for, with the bad tree written in.
    let verdicts = site.path().join(".git/baton/verdicts");
    let good = std::fs::read_to_string(std::fs::read_dir(&verdicts).unwrap().next().unwrap().unwrap().path()).unwrap();
    let before = std::fs::read_dir(&verdicts).unwrap().count();
    let (outcome, _) = site.land(&["bad"]);
    let bad_tree = site.facts("GateRan").last().unwrap()["tree"].as_str().unwrap().to_owned();
    assert_eq!(names(&outcome["refused"]), ["bad"]);
    let good_tree = serde_json::from_str::<serde_json::Value>(&good).unwrap()["tree"].as_str().unwrap().to_owned();
    let forged = good.replace(&good_tree, &bad_tree);
    for entry in std::fs::read_dir(&verdicts).unwrap() {
        std::fs::write(entry.unwrap().path(), &forged).unwrap();
    }
    assert!(before >= 1);
    let (outcome, _) = site.land(&["bad"]);
    assert_eq!(names(&outcome["refused"]), ["bad"]);
    assert!(!site.has("bad.txt"));
}

#[test]
fn what_a_gate_does_to_its_repository_is_nobodys() {
    let site = Site::new();
    site.branches(2);
    let refs = site.git(&["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/b1", "refs/heads/b2"]);
    let gate = "git config user.name x; git config user.email x; git checkout -q -B main; echo evil > evil.txt; git add -A; \
                git commit -q -m evil; git branch -D b1; git update-ref refs/heads/b2 HEAD; rm -rf src; git gc -q; true";
    let (outcome, code) = site.land(&["--all", "--gate", gate]);
    assert_eq!(code, 0, "{outcome}");
    assert!(!site.has("evil.txt") && site.has("src/f1.txt"));
    let now = site.git(&["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/b1", "refs/heads/b2"]);
    assert_eq!(now, refs);
    site.must_be_sound();
}

#[test]
fn a_gate_that_moves_main_itself_is_noticed_and_not_overwritten() {
    let site = Site::new();
    site.branches(1);
    site.git(&["checkout", "-q", "-b", "elsewhere"]);
    let real = site.path().join(".git");
    let gate = format!(
        "export GIT_AUTHOR_NAME=m GIT_AUTHOR_EMAIL=m GIT_COMMITTER_NAME=m GIT_COMMITTER_EMAIL=m; g='git --git-dir={0}'; \
         b=$(date +%N | $g hash-object -w --stdin); t=$( ($g ls-tree main; printf '100644 blob %s\tz\n' $b) | $g mktree); \
         c=$($g commit-tree $t -p main -m foreign); $g update-ref refs/heads/main $c",
        real.display()
    );
    let (outcome, code) = site.land(&["b1", "--gate", &gate]);
    // Each try meets another main: it gives up, and loses none of those commits.
    assert_eq!(code, 5, "{outcome}");
    assert_eq!(outcome["ended"], "contended");
    assert!(names(&outcome["landed"]).is_empty());
    let adopted = outcome["adopted"].as_array().unwrap();
    for commit in adopted {
        site.git(&["merge-base", "--is-ancestor", commit.as_str().unwrap(), "main"]);
    }
}

#[test]
fn a_push_to_main_while_a_gate_runs_stays_and_the_branch_lands_on_top_of_it() {
    let site = Site::new();
    site.branches(1);
    site.git(&["checkout", "-q", "-b", "elsewhere"]);
    let real = site.path().join(".git");
    let gate = format!(
        "test -e {1} && exit 0; touch {1}; export GIT_AUTHOR_NAME=m GIT_AUTHOR_EMAIL=m GIT_COMMITTER_NAME=m GIT_COMMITTER_EMAIL=m; \
         g='git --git-dir={0}'; c=$($g commit-tree main^{{tree}} -p main -m foreign); $g update-ref refs/heads/main $c",
        real.display(),
        site.path().join("../once").display()
    );
    let (outcome, code) = site.land(&["b1", "--gate", &gate]);
    assert_eq!(code, 0, "{outcome}");
    let foreign = outcome["adopted"][0].as_str().unwrap();
    site.git(&["merge-base", "--is-ancestor", foreign, "main"]);
    assert!(site.has("new1.txt"));
    assert_eq!(site.facts("MainAdopted").len(), 1);
}

#[test]
fn a_gate_that_writes_into_its_tree_changes_neither_main_nor_the_next_verdict() {
    let site = Site::new();
    site.branches(2);
    let (_, code) = site.land(&["b1", "--gate", "echo poison > src/f1.txt; echo poison > new9.txt; test -e new1.txt"]);
    assert_eq!(code, 0);
    let gate = "grep -q 'file 1' src/f1.txt && test ! -e new9.txt";
    let (outcome, code) = site.land(&["b2", "--gate", gate]);
    assert_eq!(code, 0, "{outcome}");
    assert_eq!(site.git(&["show", "main:src/f1.txt"]), "file 1");
}

#[test]
fn a_gate_that_hangs_is_ended_with_all_that_it_started() {
    let site = Site::new();
    site.branches(1);
    let left = site.path().join("../left");
    let gate = format!("setsid sh -c 'sleep 4; touch {0}' & (sleep 4; touch {0}) & sleep 100", left.display());
    let (outcome, code) = site.land(&["b1", "--timeout", "1s", "--gate", &gate]);
    assert_eq!((code, &outcome["ended"]), (1, &"main-red".into()), "{outcome}");
    let ends = site.facts("GateRan");
    assert!(ends.iter().all(|ran| ran["end"].as_str().unwrap().contains("its limit")), "{ends:?}");
    std::thread::sleep(Duration::from_secs(5));
    assert!(!left.exists(), "whoever was started is gone");
}

#[test]
fn hostile_names_of_files_and_branches_are_only_names() {
    let site = Site::new();
    let names_of_files = ["-rf", "$(touch pwned)", "a\nb", "ü\u{301}", "`id`", "a'b\"c", "--output=x"];
    for (number, file) in names_of_files.iter().enumerate() {
        site.branch(&format!("b{number}"), &[(*file, Some("x\n"))]);
    }
    for branch in ["--upload-pack=x", "$(touch${IFS}pwned)", "a'b", "ünï", "HEAD/x", "refs/heads/x"] {
        let tip = site.git(&["rev-parse", "b0"]);
        crate::repository::git(&site.path(), &["update-ref", &format!("refs/heads/{branch}"), &tip]);
    }
    let (outcome, code) = site.land(&["--all", "--gate", "true"]);
    assert_eq!(code, 0, "{outcome}");
    assert!(!site.path().join("pwned").exists() && !site.path().join("../pwned").exists());
    for file in names_of_files {
        assert!(site.path().join(file).exists(), "{file:?}");
    }
    site.must_be_sound();
}

#[test]
fn an_interrupt_ends_the_gate_and_leaves_everything_as_it_was() {
    let site = Site::new();
    site.branches(2);
    let main = site.main();
    let started = site.path().join("../started");
    let gate = format!("touch {}; sleep 60", started.display());
    let living = Living::start(&mut site.command(&["land", "--all", "--json", "--gate", &gate]));
    while !started.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    living.interrupt();
    let said = living.end(Duration::from_secs(20));
    assert_eq!((said.code(), &said.json()["ended"]), (5, &"stopped".into()));
    assert_eq!(site.main(), main);
    site.must_be_sound();
}

#[test]
fn a_second_land_waits_behind_the_first() {
    let site = Site::new();
    site.branches(2);
    let started = site.path().join("../started");
    let gate = format!("touch {}; sleep 1", started.display());
    let first = Living::start(&mut site.command(&["land", "b1", "--json", "--gate", &gate]));
    while !started.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let second = site.say(&["land", "b2", "--gate", "test -e new1.txt"]);
    assert_eq!(second.code(), 0, "{second:?}");
    assert!(second.stderr.contains("waits behind"), "{}", second.stderr);
    assert_eq!(first.end(Duration::from_secs(20)).code(), 0);
    assert!(site.has("new1.txt") && site.has("new2.txt"));
    let _ = git(&site.path(), &["log", "--oneline"]);
}
