//! Killed at every write: each command that moves main is killed as it is about to change something, at one such call after the
//! other, and started again. A spread of the calls, or with BATON_KILLS=all every one.

use crate::killed_at::{Copy, GATE, Place, strace_must_be_there};
use crate::program::{Living, Said, finish};
use crate::repository::git;
use crate::site::Site;
use std::collections::BTreeMap;
use std::time::Duration;

/// A command that is killed, and what must hold in the end.
struct Case {
    name: &'static str,
    words: Vec<&'static str>,
    site: Site,
    /// Exit codes of the second start.
    codes: &'static [i32],
    judge: fn(&Copy),
}

/// What came of all kills of a case.
#[derive(Debug, Default)]
struct Tally {
    kills: u32,
    finished: u32,
    forgotten: u32,
    nothing_open: u32,
    ended_before: u32,
    unlocked_by_hand: u32,
}

fn all() -> bool {
    std::env::var("BATON_KILLS").is_ok_and(|kills| kills == "all")
}

/// So many of these, evenly, with both ends; or all of them.
fn spread<T: Clone>(places: &[T], some: usize) -> Vec<T> {
    if all() || places.len() <= some {
        return places.to_vec();
    }
    (0..some).map(|at| places[at * (places.len() - 1) / (some - 1).max(1)].clone()).collect()
}

/// A site with branches, and a gate that leaves traces.
fn site(branches: u32) -> Site {
    strace_must_be_there();
    let site = Site::new();
    for branch in 1..=branches {
        let text = format!("of b{branch}\n").repeat(3);
        site.branch(&format!("b{branch}"), &[(&format!("new{branch}.txt"), Some(&text))]);
    }
    site
}

fn with_remote(branches: u32) -> Site {
    let site = site(branches);
    site.git(&["init", "-q", "--bare", "-b", "main", "../remote.git"]);
    site.git(&["remote", "add", "origin", "../remote.git"]);
    site.git(&["push", "-q", "origin", "main"]);
    site
}

/// Kills a command once at each place, and judges.
fn run(case: &Case, places: &[Place]) -> Tally {
    let mut tally = Tally::default();
    for (number, place) in places.iter().enumerate() {
        let copy = Copy::of(&case.site);
        let first = copy.kill_at(place, &case.words);
        let by_hand = number % 2 == 1;
        judge(case, &copy, &first, (&format!("{place:?}"), by_hand), &mut tally);
    }
    eprintln!("{}: {tally:?}", case.name);
    tally
}

/// After a kill: main is at what was gated; somebody may unlock the checkout and commit; the next start puts everything right.
fn judge(case: &Case, copy: &Copy, first: &Said, (place, by_hand): (&str, bool), tally: &mut Tally) {
    let at = format!("{} killed at {place}", case.name);
    tally.kills += 1;
    tally.ended_before += u32::from(first.status.success());
    copy.must_be_gated("main", &[]);
    let open = copy.open_intention();
    if by_hand && copy.path().join(".git/index.lock").exists() {
        unlock_and_commit(copy, open.as_ref().map(|open| open["main_after"].as_str().unwrap()), &at);
        tally.unlocked_by_hand += 1;
    }
    let mut second = finish(&mut copy.command(&case.words));
    if let Some((_, cure)) = second.stderr.split_once("have parted\nhelp: join them first: git ") {
        // Somebody has committed here after it was pushed, and was told how to go on.
        let mut words = vec!["-c", "user.name=Ben", "-c", "user.email=b"];
        words.extend(cure.split_whitespace());
        copy.git(&words);
        let told = second.stderr.clone();
        second = finish(&mut copy.command(&case.words));
        second.stderr.push_str(&told);
    }
    let code = second.code();
    assert!(case.codes.contains(&code), "{at}: {code} {} {}; first: {}", second.stdout, second.stderr, first.stderr);
    match (open.is_some(), second.stderr.contains("finished"), second.stderr.contains("forgotten")) {
        (true, true, false) => tally.finished += 1,
        (true, false, true) => tally.forgotten += 1,
        (false, false, false) => tally.nothing_open += 1,
        told => panic!("{at}: open, finished, forgotten: {told:?}: {}", second.stderr),
    }
    copy.must_be_gated("main", &[]);
    let sound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        copy.must_be_sound();
        (case.judge)(copy);
    }));
    if sound.is_err() {
        panic!("{at}, first: {}; second: {} {}", first.stderr, second.stdout, second.stderr);
    }
}

/// What people do with a lock that is in their way.
fn unlock_and_commit(copy: &Copy, to: Option<&str>, at: &str) {
    let before = copy.main();
    std::fs::remove_file(copy.path().join(".git/index.lock")).unwrap();
    copy.git(&["add", "-A"]);
    copy.git(&["-c", "user.name=Ben", "-c", "user.email=b", "commit", "-q", "--allow-empty", "-m", "mine"]);
    if Some(before.as_str()) == to {
        assert_eq!(copy.git(&["diff", "--stat", &before, "main"]), "", "{at}: a commit there takes a landing back");
    }
}

fn places(case: &Case, some: usize) -> Vec<Place> {
    let places = Copy::of(&case.site).places(&case.words);
    assert!(places.len() > 50, "a command that moves main makes more calls: {places:?}");
    let (locked, others): (Vec<Place>, Vec<Place>) = places.into_iter().partition(|place| place.locked);
    assert!(locked.len() > 5, "its checkout follows: {locked:?}");
    [spread(&locked, some / 2), spread(&others, some - some / 2)].concat()
}

#[track_caller]
fn landed_once(copy: &Copy, branches: &[&str]) {
    let files = copy.git(&["ls-tree", "-r", "--name-only", "main"]);
    for branch in branches {
        let file = format!("new{}.txt", &branch[1..]);
        assert!(files.lines().any(|line| line == file), "{branch} is lost");
        let merge = format!("^Merge branch '{branch}'$");
        let merges = copy.git(&["log", "--format=%H", "--merges", "main", "--grep", &merge]);
        assert!(merges.lines().count() <= 1, "{branch} is on main more than once: {merges}");
    }
}

fn three_landed(copy: &Copy) {
    landed_once(copy, &["b1", "b2", "b3"]);
}

#[test]
fn land_in_one_row() {
    let words = vec!["land", "--all", "--gate", GATE];
    let case = Case { name: "land", words, site: site(3), codes: &[0], judge: three_landed };
    let tally = run(&case, &places(&case, 30));
    assert!(tally.finished > 0 && tally.forgotten > 0 && tally.unlocked_by_hand > 0, "{tally:?}");
}

#[test]
fn land_branch_by_branch() {
    let words = vec!["land", "--all", "--batch", "each", "--gate", GATE];
    let case = Case { name: "land each", words, site: site(3), codes: &[0], judge: three_landed };
    run(&case, &places(&case, 16));
}

#[test]
fn land_with_a_remote() {
    let words = vec!["land", "--all", "--remote", "origin", "--gate", GATE];
    let judge = |copy: &Copy| {
        three_landed(copy);
        let there = git(&copy.beside("remote.git"), &["rev-parse", "main"]);
        // Where somebody has committed by hand meanwhile, that goes along with what lands next.
        assert!(copy.git(&["merge-base", "--is-ancestor", &there, "main"]).is_empty());
        let missing = copy.git(&["rev-list", "--grep", "^Baton-Change:", "main", &format!("^{there}")]);
        assert_eq!(missing, "", "what landed is on the remote");
        git(&copy.beside("remote.git"), &["fsck", "--strict", "--no-dangling"]);
    };
    let case = Case { name: "land --remote", words, site: with_remote(3), codes: &[0], judge };
    run(&case, &places(&case, 30));
}

#[test]
fn land_and_what_follows() {
    let words = vec!["land", "--all", "--refresh", "--delete-landed", "--gate", GATE];
    let site = site(2);
    let place = site.path().parent().unwrap().join("lagging");
    site.git(&["worktree", "add", "-q", place.to_str().unwrap(), "b1"]);
    let judge = |copy: &Copy| landed_once(copy, &["b1", "b2"]);
    let case = Case { name: "land --refresh", words, site, codes: &[0], judge };
    run(&case, &places(&case, 12));
}

#[test]
fn rollback_of_a_branch() {
    let site = site(2);
    finish(site.command(&["land", "b1", "b2", "--batch", "each", "--gate", GATE]).env("HOME", home(&site))).code();
    let words = vec!["rollback", "b1", "--gate", GATE];
    let judge = |copy: &Copy| {
        let files = copy.git(&["ls-tree", "-r", "--name-only", "main"]);
        assert!(!files.contains("new1.txt") && files.contains("new2.txt"), "{files}");
        let rolled = copy.git(&["log", "--format=%H", "main", "--grep", "^Roll back 'b1'$"]);
        assert!(rolled.lines().count() <= 1, "{rolled}");
    };
    let case = Case { name: "rollback", words, site, codes: &[0], judge };
    run(&case, &places(&case, 16));
}

fn home(site: &Site) -> std::path::PathBuf {
    let home = site.path().parent().unwrap().join("home");
    std::fs::create_dir_all(&home).unwrap();
    home
}

#[test]
fn init_that_commits() {
    let words = vec!["init", "--commit", "--gate", GATE];
    let judge = |copy: &Copy| {
        let commits = copy.git(&["log", "--format=%H", "main", "--", "baton.yaml"]);
        assert_eq!(commits.lines().count(), 1, "{commits}");
    };
    // If it was done before, it is refused the second time.
    let case = Case { name: "init", words, site: site(0), codes: &[0, 2], judge };
    run(&case, &places(&case, 14));
}

#[test]
fn one_of_two_lands_with_different_branches_to_land_on() {
    let site = site(3);
    site.git(&["branch", "side"]);
    let words = vec!["land", "b1", "b2", "--onto", "main", "--gate", GATE];
    let judge = |copy: &Copy| landed_once(copy, &["b1", "b2"]);
    let case = Case { name: "land --onto, two at once", words, site, codes: &[0], judge };
    let mut tally = Tally::default();
    for place in places(&case, 12) {
        let copy = Copy::of(&case.site);
        let mut other = copy.command(&["land", "b3", "--onto", "side", "--gate", GATE]);
        let other = Living::start(&mut other);
        let first = copy.kill_at(&place, &case.words);
        let other = other.end(crate::program::LIMIT);
        assert_eq!(other.code(), 0, "{place:?}: {} {}", other.stdout, other.stderr);
        // Whoever comes first finds what the killed one has left.
        let told = other.stderr.contains("of a session that was killed");
        copy.must_be_gated("side", &[]);
        assert!(copy.git(&["ls-tree", "--name-only", "side"]).contains("new3.txt"), "{place:?}");
        judge_other(&case, &copy, &first, (&format!("{place:?}"), told), &mut tally);
    }
    eprintln!("{}: {tally:?}", case.name);
}

fn judge_other(case: &Case, copy: &Copy, first: &Said, (place, told): (&str, bool), tally: &mut Tally) {
    assert!(!told || copy.open_intention().is_none(), "{place}: what was told is decided");
    judge(case, copy, first, (place, false), tally);
}

#[test]
fn watching() {
    let words = vec!["land", "--all", "--watch", "--gate", GATE];
    let case = Case {
        name: "land --watch",
        words,
        site: site(2),
        codes: &[0],
        judge: |copy| landed_once(copy, &["b1", "b2"]),
    };
    let (mut kills, mut finished) = (0, 0);
    // It looks some times before it lands, so calls come later than in the same land without it.
    let at = |at| Place { call: "clone3".to_owned(), at, locked: false };
    let places: Vec<Place> = if all() { (4..110).map(at).collect() } else { [30, 60, 72, 80].map(at).to_vec() };
    std::thread::scope(|threads| {
        let killed: Vec<_> = places.iter().map(|place| threads.spawn(|| watch_once(&case, place))).collect();
        for killed in killed {
            let told = killed.join().unwrap();
            (kills, finished) = (kills + 1, finished + u32::from(told));
        }
    });
    eprintln!("{}: {kills} kills, {finished} left something to finish or forget", case.name);
}

/// Whether something was found by the second.
fn watch_once(case: &Case, place: &Place) -> bool {
    let copy = Copy::of(&case.site);
    let has_all = || copy.git(&["ls-tree", "--name-only", "main"]).matches("new").count() == 2;
    let until_landed = |living: &mut Living| {
        (0..200).any(|_| has_all() || living.ends_within(Duration::from_millis(100)));
    };
    let mut living = Living::start(&mut copy.to_be_killed(place, &case.words));
    until_landed(&mut living);
    // One that is to be killed after that.
    living.ends_within(Duration::from_millis(400));
    drop(living);
    copy.must_be_gated("main", &[]);
    let open = copy.open_intention();
    let mut second = Living::start(&mut copy.command(&case.words));
    until_landed(&mut second);
    second.ends_within(Duration::from_millis(600));
    second.interrupt();
    let said = second.end(crate::program::LIMIT);
    assert_eq!(said.code(), 0, "{place:?}: {}", said.stderr);
    assert_eq!(open.is_some(), said.stderr.contains("of a session that was killed"), "{place:?}: {}", said.stderr);
    copy.must_be_gated("main", &[]);
    copy.must_be_sound();
    (case.judge)(&copy);
    open.is_some()
}

/// Kills git programs of a command alone, each at some of its calls.
fn run_git(case: &Case, programs: &[(&'static str, usize)], some: usize) {
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for which in programs {
        for place in spread(&Copy::of(&case.site).git_places(*which, &case.words), some) {
            let copy = Copy::of(&case.site);
            let first = copy.kill_git_at(*which, &place, &case.words);
            let place = format!("{which:?}, {place:?}");
            judge(case, &copy, &first, (&place, false), tallies.entry(which.0).or_default());
        }
    }
    eprintln!("{}: {tallies:?}", case.name);
}

#[test]
fn a_git_program_that_is_killed_alone() {
    let words = vec!["land", "--all", "--gate", GATE];
    let judge = |copy: &Copy| landed_once(copy, &["b1", "b2"]);
    let case = Case { name: "git killed", words, site: site(2), codes: &[0], judge };
    let others = [("commit-tree", 1), ("pack-objects", 1), ("read-tree", 1), ("read-tree", 3), ("update-index", 2)];
    run_git(&case, &others, 2);
    run_git(&case, &[("update-ref", 1)], 8);
}

#[test]
fn a_git_program_at_a_remote_that_is_killed_alone() {
    let words = vec!["land", "--all", "--remote", "origin", "--gate", GATE];
    let judge = |copy: &Copy| landed_once(copy, &["b1"]);
    let case = Case { name: "git killed at a remote", words, site: with_remote(1), codes: &[0], judge };
    run_git(&case, &[("fetch", 1), ("push", 1)], 4);
}

#[test]
fn killed_again_while_it_looks_after_what_was_left() {
    let words = vec!["land", "--all", "--gate", GATE];
    let case = Case {
        name: "killed twice",
        words,
        site: site(2),
        codes: &[0],
        judge: |copy| landed_once(copy, &["b1", "b2"]),
    };
    let mut tally = Tally::default();
    let all_places = Copy::of(&case.site).places(&case.words);
    let locked: Vec<Place> = all_places.into_iter().filter(|place| place.locked).collect();
    for (number, place) in spread(&locked, 10).iter().enumerate() {
        let copy = Copy::of(&case.site);
        copy.kill_at(place, &case.words);
        let calls = [("clone3", 5 + 2 * number), ("unlink", 2 + number), ("rename", 2), ("fsync", 1 + number % 3)];
        let (call, at) = calls[number % calls.len()];
        let again = Place { call: call.to_owned(), at, locked: false };
        let second = copy.kill_at(&again, &case.words);
        judge(&case, &copy, &second, (&format!("{place:?}, then {again:?}"), number % 2 == 0), &mut tally);
    }
    eprintln!("{}: {tally:?}", case.name);
}
