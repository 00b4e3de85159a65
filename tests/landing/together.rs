//! Several at once, and one that is ended in each of its phases: by ctrl-C in order, by a kill without.

use crate::program::{LIMIT, Living, finish};
use crate::site::Site;
use std::path::PathBuf;
use std::time::Duration;

/// A gate that says that it runs, and passes when it may.
const WAITING: &str = "touch \"$HOME/runs\"; while ! test -e \"$HOME/go\"; do sleep 0.02; done";

fn beside(site: &Site, name: &str) -> PathBuf {
    site.path().parent().unwrap().join("home").join(name)
}

fn let_go(site: &Site) {
    std::fs::create_dir_all(site.path().parent().unwrap().join("home")).unwrap();
    std::fs::write(beside(site, "go"), "").unwrap();
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let clock = std::time::Instant::now();
    while !holds() {
        assert!(clock.elapsed() < LIMIT, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn gate_runs(site: &Site) {
    until("the gate runs", || beside(site, "runs").exists());
}

fn waiting(site: &Site) -> usize {
    let queue = site.say(&["queue", "--json"]).json();
    queue["waiting"].as_array().unwrap().len()
}

#[test]
fn two_lands_with_different_branches_to_land_on_stand_in_one_line() {
    let site = Site::new();
    site.branches(3);
    site.git(&["branch", "side"]);
    let first = Living::start(&mut site.command(&["land", "b1", "b2", "--onto", "main", "--gate", WAITING]));
    gate_runs(&site);
    let second = Living::start(&mut site.command(&["land", "b3", "--onto", "side", "--gate", "test -e new3.txt"]));
    until("the second waits", || waiting(&site) == 2);
    let_go(&site);
    let (first, second) = (first.end(LIMIT), second.end(LIMIT));
    assert_eq!((first.code(), second.code()), (0, 0), "{} {}", first.stderr, second.stderr);
    assert!(second.stderr.contains("waits behind"), "{}", second.stderr);
    assert!(site.has("new1.txt") && site.has("new2.txt") && !site.has("new3.txt"));
    assert!(site.git(&["ls-tree", "--name-only", "side"]).contains("new3.txt"));
    site.must_be_sound();
}

#[test]
fn a_rollback_waits_while_a_land_is_at_work_and_goes_on_when_that_is_killed() {
    for kill in [false, true] {
        let site = Site::new();
        site.branches(1);
        site.branch("b2", &[("other.txt", Some("other\n"))]);
        site.land(&["b1", "--gate", "true"]);
        let mut land = Living::start(&mut site.command(&["land", "b2", "--gate", WAITING]));
        gate_runs(&site);
        let rollback = Living::start(&mut site.command(&["rollback", "b1", "--gate", "test ! -e new1.txt"]));
        until("the rollback waits", || waiting(&site) == 2);
        if kill {
            land.kill();
        } else {
            let_go(&site);
        }
        let said = rollback.end(LIMIT);
        assert_eq!(said.code(), 0, "{kill}: {}", said.stderr);
        assert!(said.stderr.contains("waits behind") && !site.has("new1.txt"), "{kill}: {}", said.stderr);
        drop(land);
        assert_eq!(site.has("other.txt"), !kill);
        let_go(&site);
        let (outcome, code) = site.land(&["b2", "--gate", WAITING]);
        assert_eq!(code, 0, "{kill}: {outcome}");
        assert!(site.has("other.txt") && !site.has("new1.txt"));
        site.must_be_sound();
    }
}

/// Where a watch is when it is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// There is nothing to land.
    Idle,
    /// A branch has appeared, and it waits until that is still.
    Still,
    /// It waits behind another land.
    InLine,
    /// The gate runs.
    InTheGate,
    /// It has landed all.
    Done,
}

#[test]
fn a_watch_can_be_ended_in_each_of_its_phases() {
    use Phase::{Done, Idle, InLine, InTheGate, Still};
    std::thread::scope(|threads| {
        for phase in [Idle, Still, InLine, InTheGate, Done] {
            for kill in [false, true] {
                threads.spawn(move || end_a_watch(phase, kill));
            }
        }
    });
}

fn end_a_watch(phase: Phase, kill: bool) {
    let at = format!("{phase:?}, {}", if kill { "killed" } else { "interrupted" });
    let site = Site::new();
    if phase != Phase::Idle {
        site.branches(2);
    }
    let mut other = (phase == Phase::InLine).then(|| {
        let other = Living::start(&mut site.command(&["land", "b1", "--gate", WAITING]));
        gate_runs(&site);
        other
    });
    let gate = if phase == Phase::InTheGate { WAITING } else { "true" };
    let mut watch = Living::start(&mut site.command(&["land", "--all", "--watch", "--gate", gate]));
    match phase {
        Phase::Idle | Phase::Still => drop(watch.ends_within(Duration::from_millis(700))),
        Phase::InLine => until("it waits", || waiting(&site) == 2),
        Phase::InTheGate => gate_runs(&site),
        Phase::Done => until("all have landed", || site.has("new1.txt") && site.has("new2.txt")),
    }
    if kill {
        watch.kill();
        drop(watch);
    } else {
        watch.interrupt();
        let said = watch.end(LIMIT);
        assert_eq!(said.code(), 0, "{at}: {} {}", said.stdout, said.stderr);
    }
    let_go(&site);
    if let Some(other) = other.take() {
        assert_eq!(other.end(LIMIT).code(), 0, "{at}");
    }
    assert_eq!(site.has("new2.txt"), phase == Phase::Done, "{at}");
    let said = finish(&mut site.command(&["land", "--all", "--gate", "true"]));
    assert_eq!(said.code(), 0, "{at}: {}", said.stderr);
    assert_eq!(site.has("new1.txt") && site.has("new2.txt"), phase != Phase::Idle, "{at}");
    site.must_be_sound();
}
