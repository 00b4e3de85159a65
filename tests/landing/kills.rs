//! Killed at any moment: the next start finishes or forgets, and every change is on main once or not at all.

use crate::program::{Living, finish};
use crate::repository::git;
use crate::site::{Site, write};
use std::time::Instant;

/// So many kills, at moments spread over a session; more by BATON_KILLS.
fn kills() -> u64 {
    std::env::var("BATON_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(24)
}

#[test]
fn sigkill_at_any_moment_of_a_landing_loses_and_doubles_nothing() {
    let (mut finished, mut forgotten, mut struck) = (0, 0, 0);
    let words = |kill| ["land", "--all", "--json", "--batch", ["each", "tip"][(kill % 2) as usize], "--gate", "true"];
    // How long such a session takes on this machine, when nobody kills it.
    let whole = [0, 1].map(|kind| {
        let site = Site::new();
        site.branches(4);
        let clock = Instant::now();
        assert_eq!(finish(&mut site.command(&words(kind))).code(), 0);
        clock.elapsed()
    });
    for kill in 0..kills() {
        let site = Site::new();
        site.branches(4);
        let words = words(kill);
        let mut living = Living::start(&mut site.command(&words));
        // 37 and 101 have no common divisor: the moments lie all over the session.
        let moment = whole[(kill % 2) as usize].mul_f64((1 + (kill * 37) % 101) as f64 / 101.0);
        if !living.ends_within(moment) {
            living.kill();
            struck += 1;
        }
        drop(living);
        let after_kill = site.main();
        let said = finish(&mut site.command(&words));
        let outcome = said.json();
        assert_eq!(said.code(), 0, "kill {kill} after {moment:?}: {outcome} {}", said.stderr);
        match outcome["recovered"]["landed"].as_bool() {
            Some(true) => finished += 1,
            Some(false) => forgotten += 1,
            None => {}
        }
        site.git(&["merge-base", "--is-ancestor", &after_kill, "main"]);
        for number in 1..=4 {
            assert!(site.has(&format!("new{number}.txt")), "kill {kill}: b{number} is lost");
            let merges =
                site.git(&["log", "--format=%B", "--merges", "main", "--grep", &format!("^Merge branch 'b{number}'$")]);
            assert_eq!(merges.matches(&format!("Merge branch 'b{number}'")).count(), 1, "kill {kill}: {merges}");
        }
        site.must_be_sound();
    }
    eprintln!("{} kills, {struck} before the end: {finished} finished, {forgotten} forgotten", kills());
    assert!(struck > 0, "no session was killed before its end, which takes {whole:?}");
}

#[test]
fn a_checkout_that_was_killed_half_way_is_finished() {
    let site = Site::new();
    site.branches(1);
    let before = site.main();
    site.land(&["b1", "--gate", "true"]);
    let after = site.main();
    // As it is when the process dies after the ref has moved and before the checkout has: the log ends with the intention.
    site.git(&["read-tree", "-m", "-u", &after, &before]);
    site.write("new1.txt", "ne");
    let log = site.path().join(".git/baton/log.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let kept: Vec<&str> = text.lines().take_while(|line| !line.contains("\"kind\":\"Landed\"")).collect();
    std::fs::write(&log, kept.join("\n") + "\n").unwrap();
    let lock = "held by baton while this checkout follows its branch\n";
    site.write(".git/index.lock", lock);
    let (outcome, code) = site.land(&["--all", "--gate", "true"]);
    assert_eq!(code, 0, "{outcome}");
    assert_eq!(outcome["recovered"]["landed"], true);
    assert_eq!(std::fs::read_to_string(site.path().join("new1.txt")).unwrap(), "new\n");
    site.must_be_sound();
}

/// A landing of every kind of change, as a kill leaves it between the files and main: the log ends with the intention.
fn killed_before_main_moved() -> (Site, String, String) {
    let site = Site::new();
    let place = site.worktree("work");
    write(&place.join("src/f0.txt"), "changed\n");
    std::fs::remove_file(place.join("src/f1.txt")).unwrap();
    std::fs::remove_file(place.join("src/f2.txt")).unwrap();
    write(&place.join("src/f2.txt/inside.txt"), "a folder now\n");
    std::fs::set_permissions(place.join("src/f3.txt"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::remove_file(place.join("src/f4.txt")).unwrap();
    std::os::unix::fs::symlink("f5.txt", place.join("src/f4.txt")).unwrap();
    write(&place.join("deep/below/new.txt"), "new\n");
    git(&place, &["add", "-A"]);
    git(&place, &["commit", "-q", "-m", "every kind"]);
    let before = site.main();
    site.land(&["work", "--gate", "true"]);
    let after = site.main();
    let log = site.path().join(".git/baton/log.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let kept: Vec<&str> = text.lines().take_while(|line| !line.contains("\"kind\":\"Landed\"")).collect();
    std::fs::write(&log, kept.join("\n") + "\n").unwrap();
    site.git(&["update-ref", "refs/heads/main", &before]);
    site.write(".git/index.lock", "held by baton while this checkout follows its branch\n");
    (site, before, after)
}

#[test]
fn a_checkout_that_went_before_main_is_taken_back_whole() {
    // How far it came: the index too, all files, or some and one of them half written.
    for far in ["the index too", "all files", "some files"] {
        let (site, before, after) = killed_before_main_moved();
        if far != "the index too" {
            std::fs::remove_file(site.path().join(".git/index.lock")).unwrap();
            site.git(&["read-tree", &before]);
            site.write(".git/index.lock", "held by baton while this checkout follows its branch\n");
        }
        if far == "some files" {
            site.write("src/f0.txt", "chan");
            std::fs::remove_file(site.path().join("src/f2.txt/inside.txt")).unwrap();
            site.write("src/f1.txt", "file 1\n");
            site.write("deep/below/new.txt", "");
        }
        let said = site.say(&["land", "b0", "--gate", "true"]);
        assert!(said.stderr.contains("work had not landed; forgotten"), "{far}: {}", said.stderr);
        assert_eq!(site.main(), before, "{far}");
        assert_eq!(site.git(&["status", "--porcelain", "--untracked-files=all"]), "", "{far}");
        assert!(!site.path().join("deep").exists(), "{far}");
        let (outcome, code) = site.land(&["work", "--gate", "true"]);
        assert_eq!(code, 0, "{far}: {outcome}");
        assert_eq!(site.git(&["diff", "--stat", &after, "main"]), "", "{far}: it lands again as it was");
        site.must_be_sound();
    }
}

#[test]
fn work_that_was_done_meanwhile_in_such_a_checkout_stays() {
    let (site, before, _) = killed_before_main_moved();
    std::fs::remove_file(site.path().join(".git/index.lock")).unwrap();
    site.git(&["read-tree", &before]);
    site.write("src/f0.txt", "mine, where it changed something\n");
    site.write("src/f9.txt", "mine, elsewhere\n");
    site.write("deep/below/mine.txt", "mine, beside\n");
    site.write("src/f2.txt/mine.txt", "mine, where a file was\n");
    let said = site.say(&["land", "work", "--gate", "true"]);
    assert!(said.stderr.contains("work had not landed; forgotten"), "{}", said.stderr);
    assert_eq!(said.code(), 2, "there is work in a checkout of main: {}", said.stderr);
    let status = site.git(&["status", "--porcelain", "--untracked-files=all"]);
    assert_eq!(status, " M src/f0.txt\n D src/f2.txt\n M src/f9.txt\n?? deep/below/mine.txt\n?? src/f2.txt/mine.txt");
    let read = |path: &str| std::fs::read_to_string(site.path().join(path)).unwrap();
    assert_eq!(read("src/f0.txt"), "mine, where it changed something\n");
    assert_eq!(read("src/f9.txt"), "mine, elsewhere\n");
}

#[test]
fn what_somebody_has_committed_in_such_a_checkout_stays_as_it_is() {
    let (site, before, after) = killed_before_main_moved();
    std::fs::remove_file(site.path().join(".git/index.lock")).unwrap();
    site.git(&["add", "-A"]);
    site.git(&["commit", "-q", "-m", "mine"]);
    let mine = site.main();
    let (outcome, code) = site.land(&["work", "--gate", "true"]);
    assert_eq!(code, 0, "{outcome}");
    assert_eq!(outcome["recovered"]["landed"], false, "it is not what was gated");
    site.git(&["merge-base", "--is-ancestor", &mine, "main"]);
    assert_eq!(site.git(&["diff", "--stat", &after, "main"]), "");
    assert_ne!(site.main(), before);
    site.must_be_sound();
}

#[test]
fn a_torn_log_goes_on_and_a_damaged_one_is_refused() {
    let site = Site::new();
    site.branches(2);
    site.land(&["b1", "--gate", "true"]);
    let log = site.path().join(".git/baton/log.jsonl");
    let whole = std::fs::read(&log).unwrap();
    std::fs::write(&log, [&whole[..], b"{\"v\":1,\"seq\":9"].concat()).unwrap();
    let (_, code) = site.land(&["b2", "--gate", "true"]);
    assert_eq!(code, 0);
    let mut damaged = std::fs::read(&log).unwrap();
    damaged[40] ^= 1;
    std::fs::write(&log, damaged).unwrap();
    let said = site.say(&["land", "b2", "--gate", "true"]);
    assert_eq!(said.code(), 3);
    assert!(said.stderr.contains("line 1"), "{}", said.stderr);
}
