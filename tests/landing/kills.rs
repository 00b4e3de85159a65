//! Killed at any moment: the next start finishes or forgets, and every change is on main once or not at all.

use crate::program::{Living, finish};
use crate::site::Site;
use std::time::Duration;

/// So many kills, at moments spread over a session; more by BATON_KILLS.
fn kills() -> u64 {
    std::env::var("BATON_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(24)
}

#[test]
fn sigkill_at_any_moment_of_a_landing_loses_and_doubles_nothing() {
    let (mut finished, mut forgotten) = (0, 0);
    for kill in 0..kills() {
        let site = Site::new();
        site.branches(4);
        let words =
            ["land", "--all", "--json", "--batch", if kill % 2 == 0 { "each" } else { "tip" }, "--gate", "true"];
        let mut living = Living::start(&mut site.command(&words));
        let moment = Duration::from_millis(5 + (kill * 37) % 260);
        if !living.ends_within(moment) {
            living.kill();
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
    eprintln!("{} kills: {finished} finished, {forgotten} forgotten", kills());
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
