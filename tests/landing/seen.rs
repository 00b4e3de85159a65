//! What strangers have found: each case was once a way to lose something or to be told the wrong thing.

use crate::program::Living;
use crate::repository::{git, git_command};
use crate::site::{Site, names, write};
use std::path::PathBuf;
use std::time::Duration;

/// The folders of this site's gates.
fn rooms(site: &Site) -> Vec<PathBuf> {
    let gates = site.path().join("../home/.cache/baton/gates");
    let sites = std::fs::read_dir(gates).unwrap().map(|entry| entry.unwrap().path());
    sites.flat_map(|site| std::fs::read_dir(site).unwrap().map(|entry| entry.unwrap().path())).collect()
}

#[test]
fn a_gates_folder_that_became_a_link_is_made_anew_and_what_it_leads_to_is_left_alone() {
    let site = Site::new();
    site.branches(2);
    site.land(&["b1", "--gate", "true"]);
    let victim = site.path().join("../victim");
    write(&victim.join("precious"), "mine\n");
    for room in rooms(&site) {
        std::fs::rename(&room, room.with_extension("away")).unwrap();
        std::os::unix::fs::symlink(&victim, &room).unwrap();
    }
    let (outcome, code) = site.land(&["b2", "--gate", "test -e new2.txt && test -e .git"]);
    assert_eq!(code, 0, "{outcome}");
    let left: Vec<_> = std::fs::read_dir(&victim).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["precious"]);
}

#[test]
fn a_gate_that_outlived_its_killed_session_has_no_say_in_the_next() {
    let site = Site::new();
    site.branches(2);
    let started = site.path().join("../started");
    let gate = format!(
        "touch {}; i=0; while [ $i -lt 400 ]; do echo ok > src/f1.txt; sleep 0.02; i=$((i+1)); done",
        started.display()
    );
    let mut killed = Living::start(&mut site.command(&["land", "b1", "--gate", &gate]));
    while !started.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    killed.kill();
    let (outcome, code) = site.land(&["b2", "--gate", "sleep 1; grep -q ok src/f1.txt"]);
    assert_eq!((code, &outcome["ended"]), (1, &"main-red".into()), "{outcome}");
    assert!(!site.has("new2.txt"));
}

#[test]
fn a_checkout_that_left_main_while_the_gate_ran_is_not_touched_and_one_that_came_follows() {
    for (first, then, follows) in [("main", "other", false), ("other", "main", true)] {
        let site = Site::new();
        site.branches(1);
        site.git(&["branch", "other"]);
        site.git(&["checkout", "-q", first]);
        let started = site.path().join("../started");
        let gate = format!("touch {}; sleep 1", started.display());
        let landing = Living::start(&mut site.command(&["land", "b1", "--json", "--gate", &gate]));
        while !started.exists() {
            std::thread::sleep(Duration::from_millis(10));
        }
        site.git(&["checkout", "-q", then]);
        let said = landing.end(Duration::from_secs(30));
        assert_eq!(said.code(), 0, "{said:?}");
        assert_eq!(site.git(&["status", "--porcelain"]), "", "{first} then {then}");
        assert_eq!(site.path().join("new1.txt").exists(), follows);
    }
}

#[test]
fn a_branch_that_goes_on_after_its_rollback_does_not_land_by_half() {
    let site = Site::new();
    let place = site.worktree("agent");
    let commit = |file: &str| {
        write(&place.join(file), "x\n");
        git(&place, &["add", "-A"]);
        git(&place, &["commit", "-q", "-m", file]);
    };
    commit("part1");
    site.land(&["agent", "--gate", "true"]);
    assert_eq!(site.say(&["rollback", "agent", "--gate", "true"]).code(), 0);
    commit("part2");
    let (outcome, code) = site.land(&["agent", "--gate", "true"]);
    assert_eq!((code, &outcome["refused"][0]["reason"]), (1, &"rolled-back".into()), "{outcome}");
    assert!(!site.has("part2"));
    // With the rollback rolled back, all of it lands.
    let inverse = site.main();
    assert_eq!(site.say(&["rollback", &inverse, "--gate", "true"]).code(), 0);
    let (outcome, code) = site.land(&["agent", "--gate", "true"]);
    assert_eq!(code, 0, "{outcome}");
    assert!(site.has("part1") && site.has("part2"));
}

#[test]
fn files_that_git_does_not_look_at_are_not_written_over() {
    let site = Site::new();
    site.branch("edits", &[("shared.txt", Some("by edits\n"))]);
    site.git(&["update-index", "--skip-worktree", "shared.txt"]);
    site.write("shared.txt", "MINE\n");
    let (outcome, code) = site.land(&["edits", "--gate", "true"]);
    assert_eq!((code, &outcome["refused"][0]["reason"]), (1, &"in-the-way".into()), "{outcome}");
    assert_eq!(std::fs::read_to_string(site.path().join("shared.txt")).unwrap(), "MINE\n");
    site.git(&["update-index", "--no-skip-worktree", "shared.txt"]);
    site.git(&["checkout", "-q", "--", "shared.txt"]);
    site.write(".gitignore", "secret.txt\n");
    site.git(&["add", ".gitignore"]);
    site.git(&["commit", "-q", "-m", "ignore"]);
    site.branch("brings", &[(".gitignore", None), ("secret.txt", Some("by brings\n"))]);
    site.branch("good", &[("good.txt", Some("x\n"))]);
    site.write("secret.txt", "MINE\n");
    let (outcome, code) = site.land(&["brings", "good", "--gate", "true"]);
    assert_eq!((code, &outcome["refused"][0]["reason"]), (1, &"in-the-way".into()), "{outcome}");
    assert_eq!(names(&outcome["landed"]), ["good"]);
    assert_eq!(std::fs::read_to_string(site.path().join("secret.txt")).unwrap(), "MINE\n");
}

#[test]
fn a_gate_that_does_nothing_is_no_gate() {
    let site = Site::new();
    site.branches(1);
    for gate in ["", "  ", "# cargo test"] {
        let said = site.say(&["land", "b1", "--gate", gate]);
        assert_eq!(said.code(), 2, "{gate:?}");
        assert!(said.stderr.contains("--no-gate"), "{}", said.stderr);
    }
    assert!(!site.has("new1.txt"));
}

#[test]
fn a_branch_that_git_would_not_check_out_keeps_nobody_else_from_landing() {
    for (number, path) in [".git", ".GIT", ".."].iter().enumerate() {
        let site = Site::new();
        site.branches(2);
        let blob = site.git(&["hash-object", "-w", "shared.txt"]);
        let make = |lines: &str| {
            let mut command = git_command(&site.path());
            command.args(["mktree"]).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
            let mut child = command.spawn().unwrap();
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), lines.as_bytes()).unwrap();
            String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
        };
        let inner = make(&format!("100644 blob {blob}\tconfig\n"));
        let tree = make(&format!("{}\n040000 tree {inner}\t{path}\n", site.git(&["ls-tree", "main"])));
        let commit = site.git(&["commit-tree", "-p", "main", "-m", "bad", &tree]);
        site.git(&["update-ref", "refs/heads/bad", &commit]);
        let gate: &[&str] = if number == 2 { &["--no-gate"] } else { &["--gate", "true"] };
        let (outcome, code) = site.land(&[&["b1", "bad", "b2"], gate].concat());
        assert_eq!((code, names(&outcome["landed"])), (1, vec!["b1".to_owned(), "b2".to_owned()]), "{path}: {outcome}");
        assert_eq!(outcome["refused"][0]["reason"], "unfit");
        assert_eq!(site.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn a_commit_that_took_back_a_landing_by_mistake_is_told() {
    let site = Site::new();
    site.branches(1);
    let before = site.main();
    site.land(&["b1", "--gate", "true"]);
    let after = site.main();
    // Killed between main and the checkout; then the person removes the lock and commits what they see.
    site.git(&["read-tree", "-m", "-u", &after, &before]);
    let log = site.path().join(".git/baton/log.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let kept: Vec<&str> = text.lines().take_while(|line| !line.contains("\"kind\":\"Landed\"")).collect();
    std::fs::write(&log, kept.join("\n") + "\n").unwrap();
    site.write("mine.txt", "x\n");
    site.git(&["add", "mine.txt"]);
    site.git(&["commit", "-q", "-m", "mine"]);
    let mine = site.main();
    let (outcome, _) = site.land(&["b1", "--gate", "true"]);
    assert_eq!(outcome["recovered"]["taken_back_by"], mine.as_str(), "{outcome}");
}

#[test]
fn a_red_main_says_which_gate_and_what_it_said() {
    let site = Site::new();
    site.branches(1);
    let said = site.say(&["land", "b1", "--gate", "echo the reason; exit 9"]);
    assert_eq!(said.code(), 1);
    assert!(said.stdout.contains("the reason") && said.stdout.contains("status 9"), "{}", said.stdout);
}

#[test]
fn whoever_is_red_alone_is_called_so_however_many_runs_were_used_up() {
    let site = Site::new();
    site.branches(16);
    let gate = "test ! -e new3.txt && test ! -e new9.txt";
    let (outcome, _) = site.land(&["--all", "--jobs", "8", "--gate", gate]);
    for refused in outcome["refused"].as_array().unwrap() {
        assert_eq!((&refused["reason"], &refused["proven"]), (&"gate".into(), &true.into()), "{refused}");
        assert!(refused["with"].as_array().unwrap().is_empty());
    }
}

#[test]
fn names_that_steer_a_terminal_are_told_as_git_tells_them_and_json_has_them_as_they_are() {
    let site = Site::new();
    let (branch, file) = ("evil\u{202e}live", "a\u{1b}[2Jb\nc.txt");
    site.branch(branch, &[(file, Some("one\n"))]);
    site.branch("other", &[(file, Some("two\n"))]);
    site.branch("bad\u{2066}", &[("bad.txt", Some("x\n"))]);
    let raw = |text: &str| text.contains(['\u{202e}', '\u{2066}', '\u{1b}']);
    let conflicts = site.say(&["conflicts"]);
    assert!(conflicts.stdout.contains("evil\\342\\200\\256live"), "{}", conflicts.stdout);
    assert!(conflicts.stdout.contains("a\\033[2Jb\\nc.txt (add/add"), "{}", conflicts.stdout);
    let land = site.say(&["land", "--all", "--gate", "test ! -e bad.txt"]);
    assert!(land.stdout.contains("bad\\342\\201\\246"), "{}", land.stdout);
    let queue = site.say(&["queue"]);
    for said in [&conflicts, &land, &queue] {
        assert!(!raw(&said.stdout) && !raw(&said.stderr), "{said:?}");
    }
    let (outcome, _) = site.land(&["--all", "--gate", "test ! -e bad.txt"]);
    assert!(outcome.to_string().contains("bad\u{2066}"), "{outcome}");
}
