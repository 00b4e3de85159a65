//! A person's checkouts: clean ones of main follow, everything else is left as it is.

use crate::program::Living;
use crate::repository::git;
use crate::site::{Site, names, write};

#[test]
fn a_checkout_of_main_with_work_in_it_refuses_before_anything_moves() {
    let site = Site::new();
    site.branches(2);
    let main = site.main();
    site.write("shared.txt", "mine\n");
    let said = site.say(&["land", "--all", "--gate", "true"]);
    assert_eq!(said.code(), 2);
    assert!(said.stderr.contains("shared.txt") && said.stderr.contains("commit or stash"), "{}", said.stderr);
    assert_eq!(site.main(), main);
    assert_eq!(std::fs::read_to_string(site.path().join("shared.txt")).unwrap(), "mine\n");
    assert!(site.facts("GateRan").is_empty(), "no gate has run");
}

#[test]
fn staged_work_and_begun_merges_refuse_too() {
    let site = Site::new();
    site.branch("one", &[("shared.txt", Some("one\n"))]);
    site.branch("two", &[("shared.txt", Some("two\n"))]);
    site.write("staged.txt", "x\n");
    site.git(&["add", "staged.txt"]);
    assert_eq!(site.say(&["land", "one", "--gate", "true"]).code(), 2);
    site.git(&["reset", "-q", "--hard"]);
    site.git(&["merge", "-q", "--no-commit", "--no-ff", "one"]);
    site.git(&["reset", "-q"]);
    site.git(&["checkout", "-q", "--", "."]);
    std::fs::write(site.path().join(".git/MERGE_HEAD"), site.git(&["rev-parse", "one"])).unwrap();
    let said = site.say(&["land", "two", "--gate", "true"]);
    assert_eq!(said.code(), 2);
    assert!(said.stderr.contains("a merge has begun"), "{}", said.stderr);
}

#[test]
fn files_that_git_does_not_know_stay_and_one_in_the_way_blocks() {
    let site = Site::new();
    site.branches(1);
    site.write("mine.txt", "mine\n");
    site.write("new1.txt", "mine too\n");
    let main = site.main();
    let (outcome, code) = site.land(&["b1", "--gate", "true"]);
    assert_eq!((code, &outcome["refused"][0]["reason"]), (1, &"in-the-way".into()), "{outcome}");
    assert!(outcome["refused"][0]["detail"].as_str().unwrap().contains("new1.txt"));
    assert_eq!(site.main(), main);
    assert_eq!(std::fs::read_to_string(site.path().join("new1.txt")).unwrap(), "mine too\n");
    std::fs::remove_file(site.path().join("new1.txt")).unwrap();
    let (outcome, code) = site.land(&["b1", "--gate", "true"]);
    assert_eq!(code, 0, "{outcome}");
    assert_eq!(std::fs::read_to_string(site.path().join("mine.txt")).unwrap(), "mine\n");
    assert_eq!(site.git(&["status", "--porcelain"]), "?? mine.txt");
}

#[test]
fn another_branch_may_be_checked_out_with_any_work_and_a_stash() {
    let site = Site::new();
    site.branches(2);
    site.write("shared.txt", "stashed\n");
    site.git(&["stash", "-q"]);
    site.git(&["checkout", "-q", "-b", "mine"]);
    site.write("shared.txt", "work\n");
    site.write("src/f1.txt", "staged\n");
    site.git(&["add", "src/f1.txt"]);
    let (status, index) =
        (site.git(&["status", "--porcelain"]), std::fs::read(site.path().join(".git/index")).unwrap());
    let (_, code) = site.land(&["b1", "b2", "--gate", "true"]);
    assert_eq!(code, 0);
    assert_eq!(site.git(&["status", "--porcelain"]), status);
    assert_eq!(std::fs::read(site.path().join(".git/index")).unwrap(), index, "not a byte of the index");
    assert_eq!(site.git(&["stash", "list"]).lines().count(), 1);
}

#[test]
fn worktrees_left_behind_are_named_or_follow_and_landed_branches_can_go() {
    let site = Site::new();
    let clean = site.worktree("clean");
    write(&clean.join("clean.txt"), "x\n");
    git(&clean, &["add", "-A"]);
    git(&clean, &["commit", "-q", "-m", "clean"]);
    let busy = site.worktree("busy");
    write(&busy.join("busy.txt"), "x\n");
    git(&busy, &["add", "-A"]);
    git(&busy, &["commit", "-q", "-m", "busy"]);
    write(&busy.join("shared.txt"), "not committed\n");
    site.branch("loose", &[("loose.txt", Some("x\n"))]);
    let (outcome, code) = site.land(&["--all", "--refresh", "--delete-landed", "--gate", "true"]);
    assert_eq!((code, names(&outcome["landed"]).len()), (0, 3), "{outcome}");
    let followed = &outcome["followed"];
    assert_eq!(followed["refreshed"][0], clean.to_str().unwrap());
    assert_eq!(followed["lagging"][0], busy.to_str().unwrap());
    assert_eq!(followed["uncommitted"][0], busy.to_str().unwrap());
    assert_eq!(followed["deleted"], serde_json::json!(["loose"]));
    assert_eq!(git(&clean, &["rev-parse", "HEAD"]), site.main());
    assert_eq!(git(&clean, &["status", "--porcelain"]), "");
    assert!(clean.join("busy.txt").exists());
    assert_eq!(std::fs::read_to_string(busy.join("shared.txt")).unwrap(), "not committed\n");
    site.must_be_sound();
}

#[test]
fn a_ref_that_cannot_be_locked_moves_no_checkout() {
    for lock in [".git/refs/heads/main.lock", ".git/HEAD.lock"] {
        let site = Site::new();
        site.branches(2);
        let before = site.main();
        site.write(lock, "");
        let said = site.say(&["land", "--all", "--gate", "true"]);
        assert_eq!(said.code(), 2, "{lock}: {}", said.stderr);
        assert_eq!((site.main(), site.git(&["status", "--porcelain"])), (before.clone(), String::new()), "{lock}");
        assert!(!site.path().join(".git/index.lock").exists(), "{lock}");
        std::fs::remove_file(site.path().join(lock)).unwrap();
        let (outcome, code) = site.land(&["--all", "--gate", "true"]);
        assert_eq!((code, outcome["landed"].as_array().unwrap().len()), (0, 2), "{lock}: {outcome}");
        site.must_be_sound();
    }
}

/// Git reads the index anew after it has unlocked it, and before it moves the branch.
#[test]
fn commits_that_are_made_while_it_lands_carry_nothing_of_the_landing() {
    for round in 0..6 {
        let site = Site::new();
        site.branches(3);
        let mut living = Living::start(&mut site.command(&["land", "--all", "--json", "--gate", "true"]));
        let mut number = 0;
        while !living.ends_within(std::time::Duration::from_millis(1)) {
            number += 1;
            site.write("mine.txt", &format!("{number}\n"));
            // Both may meet a lock of the landing.
            let at = site.path();
            let git =
                |words: &[&str]| std::process::Command::new("git").arg("-C").arg(&at).args(words).output().unwrap();
            git(&["add", "mine.txt"]);
            git(&["commit", "-q", "-m", "mine"]);
        }
        drop(living);
        let mine = site.git(&["log", "--format=%H", "--grep", "^mine$", "main"]);
        for commit in mine.lines() {
            let changed = site.git(&["diff-tree", "-r", "--name-only", "--no-commit-id", commit]);
            assert_eq!(changed, "mine.txt", "round {round}: {commit} carries more than its own");
        }
        let said = site.say(&["land", "--all", "--json", "--gate", "true"]);
        assert!(matches!(said.code(), 0 | 2), "round {round}: {}", said.stderr);
        site.git(&["fsck", "--strict"]);
    }
}

#[test]
fn new_files_in_the_worktree_of_a_landed_branch_are_named_as_no_part_of_it() {
    let site = Site::new();
    for name in ["landed", "bystander"] {
        let place = site.worktree(name);
        write(&place.join(".gitignore"), "ignored\n");
        write(&place.join(format!("{name}.txt")), "x\n");
        git(&place, &["add", "-A"]);
        git(&place, &["commit", "-q", "-m", name]);
        write(&place.join("forgot.rs"), "mine\n");
        write(&place.join("ignored"), "mine\n");
    }
    let place = site.path().join("../landed").canonicalize().unwrap();
    let (outcome, code) = site.land(&["landed", "--gate", "true"]);
    assert_eq!(code, 0, "{outcome}");
    assert_eq!(outcome["followed"]["uncommitted"], serde_json::json!([place]), "{outcome}");
    let new = serde_json::json!([{ "worktree": place, "paths": ["forgot.rs"] }]);
    assert_eq!(outcome["followed"]["untracked"], new, "{outcome}");
    let said = site.say(&["land", "bystander", "--gate", "true"]);
    assert!(said.stdout.contains("not committed, so not landed") && said.stdout.contains("forgot.rs"), "{said:?}");
}

#[test]
fn a_symbolic_main_is_landed_on_as_the_branch_it_stands_for_and_is_no_branch_to_land() {
    let site = Site::with(&["init", "-q", "-b", "trunk"]);
    site.git(&["symbolic-ref", "refs/heads/main", "refs/heads/trunk"]);
    site.branches(2);
    site.git(&["symbolic-ref", "refs/heads/alias", "refs/heads/b2"]);
    let (outcome, code) = site.land(&["b1", "--gate", "true"]);
    assert_eq!((code, outcome["onto"].as_str()), (0, Some("trunk")), "{outcome}");
    assert_eq!(site.git(&["symbolic-ref", "refs/heads/main"]), "refs/heads/trunk", "it stays what it was");
    assert_eq!(site.git(&["rev-parse", "trunk"]), outcome["main_after"].as_str().unwrap());
    site.must_be_sound();
    let (outcome, code) = site.land(&["--all", "--onto", "main", "--gate", "true"]);
    assert_eq!((code, names(&outcome["landed"])), (0, vec!["b2".to_owned()]), "{outcome}");
    assert_eq!(site.git(&["rev-parse", "trunk"]), site.main());
    assert!(site.has("new1.txt") && site.has("new2.txt"));
    site.must_be_sound();
}
