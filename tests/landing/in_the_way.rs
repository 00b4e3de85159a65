//! Whatever lies in a checkout and is committed nowhere is never lost: the one branch that would is refused, the others land.

use crate::repository::git;
use crate::site::{Site, names, write};
use std::os::unix::fs::symlink;
use std::path::Path;

/// A site that ignores everything called `data`.
fn ignoring() -> Site {
    let site = Site::new();
    site.write(".gitignore", "data\n");
    site.git(&["add", "-A"]);
    site.git(&["commit", "-q", "-m", "ignores data"]);
    site
}

/// A branch for whose files git's ignoring does not count.
fn forced(site: &Site, name: &str, make: impl Fn(&Path)) {
    let place = site.worktree(name);
    make(&place);
    git(&place, &["add", "-A", "-f"]);
    git(&place, &["commit", "-q", "-m", name]);
    site.git(&["worktree", "remove", "--force", place.to_str().unwrap()]);
}

/// Lands everything: only `evil` is refused, for what lies at that path, and only the others are there.
#[track_caller]
fn only_evil_is_refused(site: &Site, at: &str) {
    site.branches(2);
    let (outcome, code) = site.land(&["evil", "b1", "b2", "--gate", "true"]);
    assert_eq!((code, names(&outcome["refused"])), (1, vec!["evil".to_owned()]), "{outcome}");
    let refused = &outcome["refused"][0];
    assert_eq!(refused["reason"], "in-the-way", "{outcome}");
    assert!(refused["detail"].as_str().unwrap().contains(at), "{outcome}");
    assert_eq!(names(&outcome["landed"]), ["b1", "b2"], "{outcome}");
    assert!(site.path().join("new1.txt").exists() && site.path().join("new2.txt").exists());
    site.must_be_sound();
}

#[test]
fn a_file_or_link_where_an_ignored_folder_lies_is_refused_and_the_folder_stays() {
    for link in [false, true] {
        let site = ignoring();
        forced(&site, "evil", |place| match link {
            true => symlink("shared.txt", place.join("data")).unwrap(),
            false => write(&place.join("data"), "theirs\n"),
        });
        site.write("data/deep/p", "precious\n");
        only_evil_is_refused(&site, "data/deep/p");
        assert_eq!(std::fs::read_to_string(site.path().join("data/deep/p")).unwrap(), "precious\n");
    }
}

#[test]
fn a_folder_where_an_ignored_file_lies_is_refused_and_the_file_stays() {
    let site = ignoring();
    forced(&site, "evil", |place| write(&place.join("data/f"), "theirs\n"));
    site.write("data", "precious\n");
    only_evil_is_refused(&site, "data");
    assert_eq!(std::fs::read_to_string(site.path().join("data")).unwrap(), "precious\n");
}

#[test]
fn a_file_where_an_ignored_repository_lies_is_refused_and_the_repository_stays() {
    let site = ignoring();
    forced(&site, "evil", |place| write(&place.join("data"), "theirs\n"));
    let nested = site.path().join("data");
    std::fs::create_dir(&nested).unwrap();
    git(&nested, &["init", "-q"]);
    only_evil_is_refused(&site, "data");
    assert!(nested.join(".git/HEAD").exists());
}

#[test]
fn a_file_where_a_folder_lies_that_git_does_not_know_is_refused_and_an_empty_one_is_in_nobodys_way() {
    let site = Site::new();
    site.branch("evil", &[("plain", Some("theirs\n"))]);
    site.branch("fine", &[("empty", Some("theirs\n"))]);
    site.write("plain/mine", "mine\n");
    std::fs::create_dir_all(site.path().join("empty/within")).unwrap();
    let (outcome, code) = site.land(&["fine", "--gate", "true"]);
    assert_eq!(code, 0, "{outcome}");
    only_evil_is_refused(&site, "plain/mine");
    assert_eq!(std::fs::read_to_string(site.path().join("plain/mine")).unwrap(), "mine\n");
}

#[test]
fn a_link_in_the_place_of_a_tracked_folder_waits_for_what_else_lies_in_it() {
    let site = Site::new();
    forced(&site, "evil", |place| {
        std::fs::rename(place.join("src"), place.join("sources")).unwrap();
        symlink("sources", place.join("src")).unwrap();
    });
    site.write("src/untracked.txt", "mine\n");
    only_evil_is_refused(&site, "src/untracked.txt");
    assert_eq!(std::fs::read_to_string(site.path().join("src/untracked.txt")).unwrap(), "mine\n");
    std::fs::remove_file(site.path().join("src/untracked.txt")).unwrap();
    let (outcome, code) = site.land(&["evil", "--gate", "true"]);
    assert_eq!(code, 0, "{outcome}");
    assert!(site.path().join("src").is_symlink());
    site.must_be_sound();
}

#[test]
fn a_file_that_git_was_told_not_to_look_at_holds_up_the_branch_that_changes_it_and_no_other() {
    for batch in ["tip", "each"] {
        let site = Site::new();
        site.branch("evil", &[("src/f1.txt", Some("theirs\n"))]);
        site.branches(2);
        site.git(&["update-index", "--skip-worktree", "src/f1.txt"]);
        site.write("src/f1.txt", "mine\n");
        let (outcome, code) = site.land(&["b1", "evil", "b2", "--batch", batch, "--gate", "true"]);
        assert_eq!((code, names(&outcome["landed"])), (1, vec!["b1".to_owned(), "b2".to_owned()]), "{outcome}");
        let refused = &outcome["refused"][0];
        assert_eq!((&refused["ref"], &refused["reason"]), (&"evil".into(), &"in-the-way".into()), "{outcome}");
        assert!(refused["detail"].as_str().unwrap().contains("src/f1.txt"), "{outcome}");
        assert_eq!(std::fs::read_to_string(site.path().join("src/f1.txt")).unwrap(), "mine\n");
        assert!(!site.path().join(".git/index.lock").exists());
        site.git(&["fsck", "--strict", "--no-dangling"]);
    }
}

#[test]
fn a_worktree_that_cannot_follow_without_losing_something_is_left_and_named() {
    let site = ignoring();
    let place = site.worktree("clean");
    write(&place.join("clean.txt"), "x\n");
    git(&place, &["add", "-A"]);
    git(&place, &["commit", "-q", "-m", "clean"]);
    write(&place.join("data/p"), "precious\n");
    let tip = git(&place, &["rev-parse", "HEAD"]);
    forced(&site, "other", |place| write(&place.join("data"), "theirs\n"));
    let (outcome, code) = site.land(&["clean", "other", "--refresh", "--gate", "true"]);
    assert_eq!((code, names(&outcome["landed"]).len()), (0, 2), "{outcome}");
    assert_eq!(std::fs::read_to_string(place.join("data/p")).unwrap(), "precious\n");
    assert_eq!(git(&place, &["rev-parse", "HEAD"]), tip);
    assert_eq!(outcome["followed"]["lagging"][0], place.to_str().unwrap(), "{outcome}");
    assert!(outcome["followed"]["undone"][0].as_str().unwrap().contains("data/p"), "{outcome}");
}
