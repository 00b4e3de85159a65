//! Main on a remote moves first, by compare-and-swap on what was fetched; a lost race is run again.

use crate::repository::git;
use crate::site::{Site, names, write};
use std::path::{Path, PathBuf};

/// A bare remote of a site's repository, named `origin`.
fn remote(site: &Site) -> PathBuf {
    let bare = site.path().join("../remote.git");
    git(&site.path(), &["init", "-q", "--bare", "-b", "main", bare.to_str().unwrap()]);
    site.git(&["remote", "add", "origin", bare.to_str().unwrap()]);
    site.git(&["push", "-q", "origin", "main"]);
    bare.canonicalize().unwrap()
}

/// Somebody else's commit on the remote's main.
fn foreign_push(site: &Site, bare: &Path, file: &str) {
    let place = site.path().join("../other");
    if !place.exists() {
        git(&site.path(), &["clone", "-q", bare.to_str().unwrap(), place.to_str().unwrap()]);
    }
    git(&place, &["pull", "-q"]);
    write(&place.join(file), "foreign\n");
    git(&place, &["add", "-A"]);
    git(&place, &["commit", "-q", "-m", "foreign"]);
    git(&place, &["push", "-q"]);
}

#[test]
fn the_remotes_main_moves_with_ours_and_without_the_flag_nothing_is_pushed() {
    let site = Site::new();
    let bare = remote(&site);
    site.branches(2);
    site.land(&["b1", "--gate", "true"]);
    assert_ne!(git(&bare, &["rev-parse", "main"]), site.main(), "nobody has asked for a push");
    let (outcome, code) = site.land(&["b2", "--remote", "origin", "--gate", "true"]);
    assert_eq!(code, 0, "{outcome}");
    assert_eq!(git(&bare, &["rev-parse", "main"]), site.main());
    site.must_be_sound();
    git(&bare, &["fsck", "--strict"]);
}

#[test]
fn what_others_pushed_before_is_landed_on() {
    let site = Site::new();
    let bare = remote(&site);
    site.branches(1);
    foreign_push(&site, &bare, "foreign.txt");
    let (outcome, code) = site.land(&["b1", "--remote", "origin", "--gate", "test -e foreign.txt"]);
    assert_eq!(code, 0, "{outcome}");
    assert!(site.has("foreign.txt") && site.has("new1.txt") && site.path().join("foreign.txt").exists());
    assert_eq!(git(&bare, &["rev-parse", "main"]), site.main());
    site.must_be_sound();
}

#[test]
fn a_race_that_is_lost_while_the_gate_runs_is_run_again_on_top_of_the_winner() {
    let site = Site::new();
    let bare = remote(&site);
    site.branches(1);
    foreign_push(&site, &bare, "first.txt");
    let other = site.path().join("../other").canonicalize().unwrap();
    let gate = format!(
        "test -e first.txt || exit 1; cd {}; if ! test -e raced.txt; then export GIT_AUTHOR_NAME=m GIT_AUTHOR_EMAIL=m \
         GIT_COMMITTER_NAME=m GIT_COMMITTER_EMAIL=m; touch raced.txt && git add -A && git commit -q -m raced && git push -q; fi",
        other.display()
    );
    let (outcome, code) = site.land(&["b1", "--remote", "origin", "--gate", &gate]);
    assert_eq!(code, 0, "{outcome}");
    assert_eq!(outcome["adopted"].as_array().unwrap().len(), 1);
    assert!(site.has("raced.txt") && site.has("new1.txt"));
    assert_eq!(git(&bare, &["rev-parse", "main"]), site.main());
    assert_eq!(outcome["gate_runs"], 2, "the tree on top of the winner is another one");
    site.must_be_sound();
}

#[test]
fn mains_that_have_parted_are_refused_with_the_cure() {
    let site = Site::new();
    let bare = remote(&site);
    site.branches(1);
    foreign_push(&site, &bare, "foreign.txt");
    site.git(&["commit", "-q", "--allow-empty", "-m", "mine"]);
    let (main, there) = (site.main(), git(&bare, &["rev-parse", "main"]));
    let said = site.say(&["land", "b1", "--remote", "origin", "--gate", "true"]);
    assert_eq!(said.code(), 2);
    assert!(said.stderr.contains("parted") && said.stderr.contains("git merge"), "{}", said.stderr);
    assert_eq!((site.main(), git(&bare, &["rev-parse", "main"])), (main, there));
}

#[test]
fn a_remote_that_refuses_or_is_not_there_moves_nothing() {
    let site = Site::new();
    let bare = remote(&site);
    site.branches(1);
    let main = site.main();
    assert_eq!(site.say(&["land", "b1", "--remote", "nowhere", "--gate", "true"]).code(), 2);
    write(&bare.join("hooks/pre-receive"), "#!/bin/sh\necho protected >&2; exit 1\n");
    std::fs::set_permissions(bare.join("hooks/pre-receive"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let said = site.say(&["land", "b1", "--remote", "origin", "--gate", "true"]);
    assert_eq!(said.code(), 2);
    assert!(said.stderr.contains("--pr"), "{}", said.stderr);
    assert_eq!(site.main(), main);
    site.must_be_sound();
    std::fs::remove_dir_all(&bare).unwrap();
    assert_eq!(site.say(&["land", "b1", "--remote", "origin", "--gate", "true"]).code(), 2);
    assert_eq!(site.main(), main);
}

#[test]
fn where_main_is_protected_an_integration_branch_is_pushed_with_a_text() {
    let site = Site::new();
    let bare = remote(&site);
    site.branches(2);
    let main = site.main();
    let (outcome, code) =
        site.land(&["b1", "b2", "--onto", "integration", "--remote", "origin", "--pr", "--gate", "test ! -e new2.txt"]);
    assert_eq!(code, 1, "{outcome}");
    assert_eq!(names(&outcome["landed"]), ["b1"]);
    assert_eq!(site.main(), main, "main is not touched");
    assert_eq!(git(&bare, &["rev-parse", "integration"]), site.git(&["rev-parse", "integration"]));
    let request = &outcome["pull_request"];
    assert_eq!(request["title"], "Land b1");
    assert!(request["body"].as_str().unwrap().contains("b2"), "{request}");
}

#[test]
fn a_push_whose_answer_was_lost_is_found_at_the_next_start() {
    let site = Site::new();
    let bare = remote(&site);
    site.branches(1);
    let before = site.main();
    site.land(&["b1", "--remote", "origin", "--gate", "true"]);
    let after = site.main();
    // As if killed between the push and the move of main here.
    site.git(&["update-ref", "refs/heads/main", &before]);
    site.git(&["read-tree", "-m", "-u", &after, &before]);
    let log = site.path().join(".git/baton/log.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let kept: Vec<&str> = text.lines().take_while(|line| !line.contains("\"kind\":\"Landed\"")).collect();
    std::fs::write(&log, kept.join("\n") + "\n").unwrap();
    let (outcome, code) = site.land(&["b1", "--remote", "origin", "--gate", "true"]);
    assert_eq!((code, &outcome["recovered"]["landed"]), (0, &true.into()), "{outcome}");
    assert_eq!((site.main(), git(&bare, &["rev-parse", "main"])), (after.clone(), after));
    site.must_be_sound();
}
