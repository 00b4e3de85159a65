//! Branches come to main as git would merge them, through gates, or not at all.

use crate::repository::git;
use crate::site::{Site, names};

#[test]
fn five_branches_land_with_one_run_of_the_gate() {
    let site = Site::new();
    site.branches(5);
    let before = site.main();
    let (outcome, code) = site.land(&["--all", "--gate", "ls new5.txt new1.txt"]);
    assert_eq!(code, 0, "{outcome}");
    assert_eq!(names(&outcome["landed"]), ["b1", "b2", "b3", "b4", "b5"]);
    assert_eq!(outcome["gate_runs"], 1);
    assert_eq!(outcome["main_before"], before);
    assert_eq!(outcome["main_after"], site.main());
    for number in 1..=5 {
        assert!(site.has(&format!("new{number}.txt")));
        site.git(&["merge-base", "--is-ancestor", &format!("b{number}"), "main"]);
    }
    assert_eq!(site.git(&["rev-parse", "main^1"]), before, "one step of main");
    assert!(site.path().join("new3.txt").exists(), "the checkout of main has followed");
    site.must_be_sound();
}

#[test]
fn landing_again_lands_nothing_again() {
    let site = Site::new();
    site.branches(2);
    site.land(&["b1", "b2", "--gate", "true"]);
    let main = site.main();
    let (outcome, code) = site.land(&["b1", "b2", "--gate", "true"]);
    assert_eq!((code, site.main()), (0, main));
    assert_eq!(names(&outcome["already"]), ["b1", "b2"]);
}

#[test]
fn a_conflict_names_both_branches_and_the_hunk_and_the_others_land() {
    let site = Site::new();
    let lines =
        |five: &str| (1..=20).map(|n| if n == 5 { format!("{five}\n") } else { format!("{n}\n") }).collect::<String>();
    site.branch("one", &[("shared.txt", Some(&lines("five of one")))]);
    site.branch("two", &[("shared.txt", Some(&lines("five of two")))]);
    site.branch("three", &[("other.txt", Some("x\n"))]);
    let tip = site.git(&["rev-parse", "two"]);
    let (outcome, code) = site.land(&["one", "two", "three", "--gate", "true"]);
    assert_eq!(code, 1);
    assert_eq!(names(&outcome["landed"]), ["one", "three"]);
    let refused = &outcome["refused"][0];
    assert_eq!(
        (&refused["ref"], &refused["reason"], &refused["with"][0]),
        (&"two".into(), &"conflict".into(), &"one".into())
    );
    let conflict = &refused["conflicts"][0];
    assert_eq!((&conflict["path"], &conflict["kind"]), (&"shared.txt".into(), &"content".into()));
    assert_eq!((&conflict["ours"], &conflict["theirs"]), (&"one".into(), &"two".into()));
    let hunk = &conflict["hunks"][0];
    assert_eq!(hunk["line"], 5);
    assert_eq!((&hunk["ours"][0], &hunk["theirs"][0]), (&"five of one".into(), &"five of two".into()));
    assert_eq!(site.git(&["rev-parse", "two"]), tip, "the refused branch is untouched");
    site.must_be_sound();
}

#[test]
fn whoever_conflicts_only_with_a_refused_branch_lands() {
    let site = Site::new();
    site.branch("bad", &[("shared.txt", Some("all of bad\n")), ("bad.txt", Some("bad\n"))]);
    site.branch("good", &[("shared.txt", Some("all of good\n"))]);
    let (outcome, _) = site.land(&["bad", "good", "--gate", "test ! -e bad.txt"]);
    assert_eq!(names(&outcome["landed"]), ["good"], "{outcome}");
    assert_eq!(names(&outcome["refused"]), ["bad"]);
}

#[test]
fn without_a_gate_nothing_starts_unless_the_person_says_so() {
    let site = Site::new();
    site.branches(1);
    let main = site.main();
    let said = site.say(&["land", "b1"]);
    assert_eq!(said.code(), 2);
    assert!(said.stderr.contains("--no-gate") && said.stderr.contains("baton init"), "{}", said.stderr);
    assert_eq!(site.main(), main);
    let (outcome, code) = site.land(&["b1", "--no-gate"]);
    assert_eq!((code, &outcome["landed"][0]["gate"]), (0, &"none".into()));
    assert_eq!(site.facts("Intended")[0]["gated"], false, "it is written down");
}

#[test]
fn the_gate_of_baton_yaml_is_that_of_mains_commit() {
    let site = Site::new();
    site.write("baton.yaml", "baton: 1\ngates: [ { run: \"test ! -e bad.txt\", timeout: 1m } ]\n");
    site.git(&["add", "baton.yaml"]);
    site.git(&["commit", "-q", "-m", "gates"]);
    site.branch("bad", &[("bad.txt", Some("x\n"))]);
    site.branch("good", &[("good.txt", Some("x\n"))]);
    let (outcome, code) = site.land(&["--all"]);
    assert_eq!(code, 1);
    assert_eq!(names(&outcome["landed"]), ["good"]);
    assert_eq!(outcome["refused"][0]["reason"], "gate");
}

#[test]
fn a_faulty_baton_yaml_is_located_and_nothing_starts() {
    let site = Site::new();
    site.write("baton.yaml", "baton: 1\ngatess: [ true ]\n");
    site.git(&["add", "baton.yaml"]);
    site.git(&["commit", "-q", "-m", "gates"]);
    site.branches(1);
    let said = site.say(&["land", "b1"]);
    assert_eq!(said.code(), 2);
    assert!(
        said.stderr.contains("main:baton.yaml:2:1") && said.stderr.contains("did you mean `gates`"),
        "{}",
        said.stderr
    );
}

#[test]
fn change_by_change_main_has_only_trees_that_passed() {
    let site = Site::new();
    site.branches(4);
    let before = site.main();
    let (outcome, code) = site.land(&["--all", "--batch", "each", "--gate", "ls src"]);
    assert_eq!((code, &outcome["gate_runs"]), (0, &4.into()));
    let passed: Vec<String> =
        site.facts("GateRan").iter().map(|ran| ran["tree"].as_str().unwrap().to_owned()).collect();
    let line = site.git(&["log", "--first-parent", "--reverse", "--format=%T", &format!("{before}..main")]);
    assert_eq!(line.lines().collect::<Vec<_>>(), passed, "main's own line is what the gate has passed, in this order");
}

#[test]
fn squashed_each_branch_is_one_commit_of_its_author() {
    let site = Site::new();
    site.branches(2);
    let (_, code) = site.land(&["--all", "--squash", "--gate", "true"]);
    assert_eq!(code, 0);
    assert_eq!(site.git(&["log", "--format=%an %s %P", "-2", "main"]).lines().count(), 2);
    assert_eq!(site.git(&["rev-list", "--merges", "main"]), "");
    assert!(site.git(&["log", "-1", "--format=%B", "main"]).contains("Baton-Branch: b2"));
    site.must_be_sound();
}

#[test]
fn a_dry_run_moves_nothing() {
    let site = Site::new();
    site.branches(2);
    let (main, count) = (site.main(), site.git(&["count-objects", "-v"]));
    let (outcome, code) = site.land(&["--all", "--dry-run", "--gate", "true"]);
    assert_eq!((code, site.main()), (0, main));
    assert_eq!(names(&outcome["landed"]).len(), 2);
    assert_eq!(site.git(&["count-objects", "-v"]), count, "no object has come to the repository");
}

#[test]
fn repositories_of_sha256_and_with_packed_refs_land_alike() {
    for init in [&["init", "-q", "-b", "main", "--object-format=sha256"][..], &["init", "-q", "-b", "main"]] {
        let site = Site::with(init);
        site.branches(3);
        site.git(&["pack-refs", "--all"]);
        site.git(&["gc", "-q"]);
        let (outcome, code) = site.land(&["--all", "--gate", "git status --short && git log -1"]);
        assert_eq!(code, 0, "{outcome}");
        site.must_be_sound();
    }
}

#[test]
fn reftable_repositories_land_alike() {
    let probe = tempfile::tempdir().unwrap();
    let known =
        crate::repository::git_command(probe.path()).args(["init", "-q", "--ref-format=reftable", "x"]).output();
    if !known.unwrap().status.success() {
        eprintln!("skipped: this git has no reftable");
        return;
    }
    let site = Site::with(&["init", "-q", "-b", "main", "--ref-format=reftable"]);
    site.branches(3);
    let (outcome, code) = site.land(&["--all", "--gate", "true"]);
    assert_eq!(code, 0, "{outcome}");
    site.must_be_sound();
}

#[test]
fn shallow_and_partial_clones_are_refused_with_the_cure() {
    let site = Site::new();
    site.branches(1);
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", site.path().display());
    for (name, flag) in [("shallow", "--depth=1"), ("partial", "--filter=blob:none")] {
        git(folder.path(), &["clone", "-q", flag, &url, name]);
        let mut command = site.command(&["land", "--all", "--gate", "true", "--repo"]);
        let said = crate::program::finish(command.arg(folder.path().join(name)));
        assert_eq!(said.code(), 2);
        assert!(said.stderr.contains(name) && said.stderr.contains("help:"), "{}", said.stderr);
    }
}

#[test]
fn worktrees_without_a_branch_are_found_too() {
    let site = Site::new();
    let place = site.worktree("agent");
    crate::site::write(&place.join("detached.txt"), "x\n");
    git(&place, &["checkout", "-q", "--detach"]);
    git(&place, &["add", "-A"]);
    git(&place, &["commit", "-q", "-m", "detached"]);
    let (outcome, code) = site.land(&["--all", "--gate", "true"]);
    assert_eq!((code, names(&outcome["landed"])), (0, vec!["agent".to_owned()]));
    assert!(site.has("detached.txt"));
}

#[test]
fn hooks_of_the_repository_do_not_run() {
    let site = Site::new();
    site.branches(2);
    for hook in
        ["pre-commit", "post-merge", "post-checkout", "reference-transaction", "commit-msg", "post-index-change"]
    {
        let path = site.path().join(".git/hooks").join(hook);
        crate::site::write(&path, "#!/bin/sh\ntouch ../hook-ran\nexit 1\n");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let (outcome, code) = site.land(&["--all", "--gate", "true"]);
    assert_eq!(code, 0, "{outcome}");
    assert!(!site.path().join("../hook-ran").exists());
}

#[test]
fn it_works_from_a_linked_worktree_a_folder_below_a_bare_repository_and_one_with_alternates() {
    let site = Site::new();
    site.branches(4);
    let agent = site.worktree("agent");
    let land = |place: &std::path::Path, branch: &str| {
        let mut command = site.command(&["land", branch, "--json", "--gate", "true", "--repo"]);
        let said = crate::program::finish(command.arg(place));
        assert_eq!(said.code(), 0, "{}: {said:?}", place.display());
    };
    land(&agent.join("src"), "b1");
    land(&site.path().join("src"), "b2");
    site.must_be_sound();
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["clone", "-q", "--bare", "--shared", site.path().to_str().unwrap(), "bare.git"]);
    let bare = folder.path().join("bare.git");
    git(&bare, &["config", "user.name", "Ana"]);
    git(&bare, &["config", "user.email", "ana@example.invalid"]);
    land(&bare, "b3");
    git(&bare, &["fsck", "--strict"]);
    assert_eq!(git(&bare, &["ls-tree", "--name-only", "main", "new3.txt"]), "new3.txt");
}

#[test]
fn merges_are_signed_with_the_persons_key_where_their_configuration_says_so() {
    let site = Site::new();
    site.branches(2);
    let key = site.path().join("../key");
    let made =
        std::process::Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no ssh-keygen");
        return;
    }
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let allowed = site.path().join("../allowed");
    std::fs::write(&allowed, format!("ana@example.invalid {public}")).unwrap();
    for (name, value) in [
        ("gpg.format", "ssh"),
        ("commit.gpgsign", "true"),
        ("user.signingkey", key.to_str().unwrap()),
        ("gpg.ssh.allowedSignersFile", allowed.to_str().unwrap()),
    ] {
        site.git(&["config", name, value]);
    }
    let (outcome, code) = site.land(&["--all", "--gate", "true"]);
    assert_eq!(code, 0, "{outcome}");
    for merge in site.git(&["rev-list", "--merges", "main"]).lines() {
        site.git(&["verify-commit", merge]);
    }
}

#[test]
fn a_person_without_a_name_is_told_so_before_anything_starts() {
    let site = Site::new();
    site.branches(1);
    for name in ["user.name", "user.email"] {
        site.git(&["config", "--unset", name]);
    }
    site.git(&["config", "user.useConfigOnly", "true"]);
    let said = site.say(&["land", "b1", "--gate", "true"]);
    assert_eq!(said.code(), 2);
    assert!(said.stderr.contains("user.name") && site.facts("GateRan").is_empty(), "{}", said.stderr);
}

#[test]
fn several_merge_bases_and_renames_come_out_as_git_has_them() {
    let site = Site::new();
    site.branch("left", &[("src/f1.txt", Some("left\n"))]);
    site.branch("right", &[("src/f2.txt", Some("right\n"))]);
    let merge = |into: &str, other: &str, name: &str| {
        let tree = site.git(&["merge-tree", "--write-tree", into, other]);
        let commit = site.git(&["commit-tree", &tree, "-p", into, "-p", other, "-m", name]);
        site.git(&["update-ref", &format!("refs/heads/{name}"), &commit]);
    };
    merge("left", "right", "cross1");
    merge("right", "left", "cross2");
    let lines: String = (1..=20).map(|n| format!("{n}\n")).collect();
    site.branch("renames", &[("shared.txt", None), ("renamed.txt", Some(&lines))]);
    let edited = lines.replace("7\n", "seven\n");
    site.branch("edits", &[("shared.txt", Some(&edited))]);
    let (outcome, code) = site.land(&["cross1", "cross2", "renames", "edits", "--gate", "true"]);
    assert_eq!(code, 0, "{outcome}");
    assert!(site.git(&["show", "main:renamed.txt"]).contains("seven"), "the edit has followed the rename");
    site.must_be_sound();
}

#[test]
fn a_squashed_branch_does_not_land_twice_whatever_happens_to_its_lines_since() {
    let site = Site::new();
    site.branch("one", &[("shared.txt", Some("all by one\n"))]);
    site.land(&["one", "--squash", "--gate", "true"]);
    site.branch("two", &[("shared.txt", Some("all by two\n"))]);
    site.land(&["two", "--squash", "--gate", "true"]);
    let main = site.main();
    for words in [&["one", "two"][..], &["--all"]] {
        let (outcome, code) = site.land(&[words, &["--squash", "--gate", "true"]].concat());
        assert_eq!((code, names(&outcome["already"])), (0, vec!["one".to_owned(), "two".to_owned()]), "{outcome}");
    }
    assert_eq!(site.main(), main);
}

#[test]
fn a_hunk_is_told_with_its_line_in_the_own_file_of_either_side() {
    let site = Site::new();
    let text = |new: &[(u32, &str)]| -> String {
        let line =
            |n: u32| new.iter().find(|(at, _)| *at == n).map_or(format!("{n}\n"), |(_, text)| (*text).to_owned());
        (1..=20).map(line).collect()
    };
    let one = text(&[(2, "2\nof one\nof one\nof one\n"), (14, "fourteen of one\n")]);
    let two = text(&[(8, "8\nof two\n"), (14, "fourteen\nof two\n")]);
    site.branch("one", &[("shared.txt", Some(&one))]);
    site.branch("two", &[("shared.txt", Some(&two))]);
    let line = |text: &str, wanted: &str| text.lines().position(|line| line.starts_with(wanted)).unwrap() + 1;
    let (outcome, _) = site.land(&["one", "two", "--gate", "true"]);
    let hunk = &outcome["refused"][0]["conflicts"][0]["hunks"][0];
    let expected = (line(&one, "fourteen").into(), line(&two, "fourteen").into());
    assert_eq!((&hunk["line"], &hunk["their_line"]), (&expected.0, &expected.1), "{hunk}");
    assert_eq!(expected, (17.into(), 15.into()));
    let text = outcome["refused"][0]["hand_back"].as_str().unwrap();
    assert!(text.contains("line 15 of two"), "{text}");
}

#[test]
fn of_many_branches_as_many_pairs_are_compared_beforehand_as_a_little_time_is_enough_for() {
    let site = Site::new();
    site.branches(66);
    let lines =
        |five: &str| (1..=20).map(|n| if n == 5 { format!("{five}\n") } else { format!("{n}\n") }).collect::<String>();
    site.branch("one", &[("shared.txt", Some(&lines("one")))]);
    site.branch("two", &[("shared.txt", Some(&lines("two")))]);
    let (outcome, _) = site.land(&["one", "two", "--dry-run", "--gate", "true"]);
    assert_eq!((&outcome["pairs"], &outcome["pairs_compared"]), (&3.into(), &3.into()));
    let (outcome, code) = site.land(&["--all", "--dry-run", "--gate", "true"]);
    let (pairs, compared) = (outcome["pairs"].as_u64().unwrap(), outcome["pairs_compared"].as_u64().unwrap());
    assert_eq!((code, pairs), (1, 69 * 68 / 2));
    assert!(compared >= 68, "main with all at least: {compared}");
    assert_eq!(outcome["overlaps"].as_array().unwrap().len(), usize::from(compared == pairs), "{outcome}");
}
