//! Rows: main goes over two changes in one move. What is so is not called broken, and every lie about it is seen.

use crate::folder::{Files, Folder, LANES};
use crate::forgery::{Forge, record};
use crate::status;
use crate::story::{Proposal, base_files, update, with};
use baton_check::{Report, Status, verify};
use baton_record::event::*;
use baton_record::ids::*;
use baton_record::line::Actor::{Merger, Run, Supervisor};
use baton_record::{Event, Oid};
use std::sync::OnceLock;

/// A run in which two changes land together, and then one alone.
fn story() -> Folder {
    static STORY: OnceLock<Folder> = OnceLock::new();
    STORY.get_or_init(tell).copy()
}

fn tell() -> Folder {
    let mut f = Folder::empty();
    let base = f.open(false);
    let pair = [submitted(&mut f, (0, 0), base), submitted(&mut f, (1, 1), base)];
    let landings = merged(&mut f, base, &pair);
    // The trees of a row are gated at the same time: whoever is ready first says so first.
    passed(&mut f, &landings[1]);
    passed(&mut f, &landings[0]);
    together(&mut f, &landings);
    landings.iter().for_each(|landing| done(&mut f, landing));
    f.push(Supervisor, (Some(0), Some(2)), Event::TaskAssigned(TaskAssigned { attempt: 1 }));
    let main = landings[1].main_after;
    let last = submitted(&mut f, (0, 2), main);
    let last = merged(&mut f, main, &[last]);
    passed(&mut f, &last[0]);
    together(&mut f, &last);
    done(&mut f, &last[0]);
    let stopped = RunStopped { reason: StopReason::TasksEnded, main: last[0].main_after, landed: 3, refused: 0 };
    f.push(Run, (None, None), Event::RunStopped(stopped));
    f
}

struct Landing {
    change: ChangeId,
    lane: u32,
    main_before: Oid,
    main_after: Oid,
    tree: Oid,
    verdict: Verdict,
}

impl Landing {
    fn about(&self) -> (Option<u32>, Option<u32>) {
        (Some(self.lane), Some(self.change.task().0))
    }
}

/// A change that creates one file.
type Submitted = (ChangeId, u32, Oid, Oid, String);

fn submitted(f: &mut Folder, (lane, task): (u32, u32), base: Oid) -> Submitted {
    let (path, text) = (format!("notes/{task}.md"), format!("tok-{task}\n"));
    let updates = vec![update(UpdateOp::Create, &path, None, Some(text.trim()))];
    let edits = [(path.as_str(), Some(text.as_str()))];
    let proposal = Proposal { change: (task, 1), lane, base, lease: None, edits: &edits, updates };
    let (change, commit) = f.submit(&proposal, Vec::new());
    (change, lane, base, commit, path)
}

fn merged(f: &mut Folder, main: Oid, changes: &[Submitted]) -> Vec<Landing> {
    let (mut main_before, mut files): (Oid, Files) = (main, f.files[&main].clone());
    let mut landings = Vec::new();
    for (change, lane, base, commit, path) in changes {
        let text = f.files[commit][path].clone();
        files = with(&files, &[(path, Some(&text))]);
        let message = f.message(*change, *lane as usize, None);
        let main_after = f.commit(&[main_before, *commit], &files, LANES[*lane as usize], &message);
        let verdict = if *base == main_before { Verdict::Same } else { Verdict::Walk };
        let tree = f.tree(main_after);
        landings.push(Landing { change: *change, lane: *lane, main_before, main_after, tree, verdict });
        main_before = main_after;
    }
    landings
}

fn passed(f: &mut Folder, landing: &Landing) {
    let passed = GatePassed { gate: "test".into(), tree: landing.tree };
    f.push(Merger, landing.about(), Event::GatePassed(passed));
}

/// Intentions in one breath, one move, landings in one breath.
fn together(f: &mut Folder, landings: &[Landing]) {
    let t_us = f.records.len() as u64 * 10;
    let mut behind = None;
    for landing in landings {
        let Landing { change, main_before, main_after, tree, verdict, .. } = *landing;
        let behind = behind.replace(change);
        let fences = None;
        let intended = ChangeIntended { change, main_before, main_after, tree, verdict, fences, behind };
        f.push(Merger, landing.about(), Event::ChangeIntended(intended));
        f.records.last_mut().unwrap().t_us = t_us;
    }
    let t_us = f.records.len() as u64 * 10;
    for landing in landings {
        let Landing { change, main_before, main_after, .. } = *landing;
        let landed = ChangeLanded { change, main_before, main_after, fault: None };
        f.push(Merger, landing.about(), Event::ChangeLanded(landed));
        f.records.last_mut().unwrap().t_us = t_us;
        f.mains.push(main_after);
        f.set_ref("refs/heads/main", main_after);
    }
}

fn done(f: &mut Folder, landing: &Landing) {
    f.push(Supervisor, landing.about(), Event::TaskDone(TaskDone { change: landing.change }));
}

/// Forges the run and expects these promises to be broken, whatever else is; none: that nothing is.
#[track_caller]
fn check(name: &str, forge: impl FnOnce(&mut Folder), broken: &[&str]) -> Report {
    let mut folder = story();
    forge(&mut folder);
    folder.write();
    let report = verify(folder.path()).unwrap();
    let is_broken = |id: &&str| status(&report, id) == Status::Broken;
    assert!(broken.iter().all(is_broken), "{name}: {:#?}", report.promises);
    assert_eq!(report.intact, broken.is_empty(), "{name}: {:#?}", report.promises);
    report
}

#[track_caller]
fn check_all(cases: &[(&str, Forge, &[&str])]) {
    let mut wrong = Vec::new();
    for (name, forge, broken) in cases {
        let result = std::panic::catch_unwind(|| check(name, forge, broken));
        wrong.extend(result.err().map(|_| *name));
    }
    assert!(wrong.is_empty(), "judged otherwise than expected: {wrong:?}");
}

/// The records change places; the times stay.
fn swap(f: &mut Folder, (one, other): (usize, usize)) {
    f.records.swap(one, other);
    let t_us = f.records[one].t_us;
    f.records[one].t_us = f.records[other].t_us;
    f.records[other].t_us = t_us;
}

fn swap_nth(f: &mut Folder, kind: &str) {
    let places = (f.at(kind, 0), f.at(kind, 1));
    swap(f, places);
}

/// A record between the two of a row.
fn between(f: &mut Folder, kind: &str) {
    let died = Event::AskRepeated(AskRepeated { ask: 1, fault: None });
    f.insert_after(kind, 0, record(Supervisor, Some(0), None, died));
}

/// The merger dies behind the row's intentions; its successor's life begins.
fn restart(f: &mut Folder) {
    let folded = f.at("ChangeIntended", 1) as u64 + 1;
    let event = Event::ActorRestarted(ActorRestarted { restarts: 1, folded, fault: None });
    f.insert_after("ChangeIntended", 1, record(Merger, None, None, event));
}

/// The successor tries again what had been intended, from this one on.
fn try_again(f: &mut Folder, from: usize) {
    restart(f);
    let mut at = f.at("ActorRestarted", 0);
    let t_us = f.records[at].t_us;
    let again = |f: &mut Folder, kind: &str, nth: usize| f.records[f.at(kind, nth)].clone();
    for nth in (0..2 - from).rev() {
        let passed = again(f, "GatePassed", nth);
        at += 1;
        f.records.insert(at, baton_record::line::Record { t_us, ..passed });
    }
    for nth in from..2 {
        let intended = again(f, "ChangeIntended", nth);
        at += 1;
        f.records.insert(at, baton_record::line::Record { t_us, ..intended });
    }
}

#[test]
fn a_row_is_no_lie() {
    let report = check("good", |_| {}, &[]);
    for id in ["MAIN-1", "MAIN-2", "MAIN-3", "MAIN-4"] {
        assert_eq!(status(&report, id), Status::Held, "{id}");
    }
    assert!(base_files().len() > 1, "the row's changes are apart");
    check("found on main by a successor", restart, &[]);
    check("intended anew by a successor", |f| try_again(f, 0), &[]);
}

#[test]
fn intentions_of_a_row_are_one_chain_written_in_one_breath() {
    check_all(&[
        (
            "a gap",
            |f| edit!(f, ChangeIntended, 1, |e| e.main_before = Oid::from_bytes(&[7; 20]).unwrap()),
            &["MAIN-1", "MAIN-2"],
        ),
        ("in another order", |f| swap_nth(f, "ChangeIntended"), &["MAIN-1", "MAIN-2"]),
        ("the second as if alone", |f| edit!(f, ChangeIntended, 1, |e| e.behind = None), &["MAIN-1", "MAIN-2"]),
        (
            "behind one that is not before it",
            |f| edit!(f, ChangeIntended, 1, |e| e.behind = Some(ChangeId::of(TaskId(2), 1))),
            &["MAIN-1", "MAIN-2"],
        ),
        (
            "the first behind another",
            |f| edit!(f, ChangeIntended, 0, |e| e.behind = Some(ChangeId::of(TaskId(1), 1))),
            &["MAIN-2"],
        ),
        (
            "one that lands alone behind a row",
            |f| edit!(f, ChangeIntended, 2, |e| e.behind = Some(ChangeId::of(TaskId(1), 1))),
            &["MAIN-2"],
        ),
        ("something between", |f| between(f, "ChangeIntended"), &["MAIN-1", "MAIN-2"]),
        (
            "at another time",
            |f| {
                let at = f.at("ChangeIntended", 1);
                f.records[at].t_us += 1;
            },
            &["MAIN-1", "MAIN-2"],
        ),
        ("the first is not there", |f| f.remove("ChangeIntended", 0), &["MAIN-1", "MAIN-2"]),
        ("the second is not there", |f| f.remove("ChangeIntended", 1), &["MAIN-1"]),
        ("taken in another order than they stand", |f| swap_nth(f, "ChangeSubmitted"), &["MAIN-1", "MAIN-2"]),
        ("not gated", |f| f.remove("GatePassed", 0), &["MAIN-4"]),
        (
            "taken while gates speak",
            |f| {
                let places = (f.at("ChangeSubmitted", 1), f.at("GatePassed", 0));
                swap(f, places);
            },
            &["MAIL-1", "HAND-1"],
        ),
    ]);
}

#[test]
fn a_row_lands_whole_or_not_at_all() {
    check_all(&[
        (
            "one has landed and the next has not",
            |f| f.remove("ChangeLanded", 1),
            &["MAIN-1", "MAIN-2", "MAIL-1", "HAND-1", "STOP-1"],
        ),
        ("in another order", |f| swap_nth(f, "ChangeLanded"), &["MAIN-1", "MAIN-2"]),
        ("something between", |f| between(f, "ChangeLanded"), &["MAIN-2"]),
        (
            "the rest is refused",
            |f| {
                let change = ChangeId::of(TaskId(1), 1);
                let (reason, paths, undoes) = (RefuseReason::Empty, Vec::new(), Vec::new());
                let refused = ChangeRefused { change, reason, paths, undoes, report: None, fault: None };
                let at = f.at("ChangeLanded", 1);
                f.records[at].event = Event::ChangeRefused(refused);
            },
            &["MAIN-1", "MAIN-2", "HAND-1", "STOP-1"],
        ),
        ("only the rest is intended anew", |f| try_again(f, 1), &["MAIN-1", "MAIN-2"]),
    ]);
}

#[test]
fn of_a_killed_run_main_is_before_a_row_or_behind_it() {
    let killed_at = |main: usize| {
        move |f: &mut Folder| {
            f.kill_after("ChangeIntended", 1);
            f.set_ref("refs/heads/main", f.mains[main]);
        }
    };
    let before = check("not moved yet", killed_at(0), &[]);
    assert_eq!(status(&before, "MAIN-1"), Status::Held);
    check("in the middle", killed_at(1), &["MAIN-1", "MAIN-2"]);
    let behind = check("moved", killed_at(2), &[]);
    assert_eq!(status(&behind, "MAIN-2"), Status::InDoubt);
    let told = |f: &mut Folder| {
        f.kill_after("ChangeLanded", 0);
        f.set_ref("refs/heads/main", f.mains[2]);
    };
    let half_told = check("moved, and half of it told", told, &[]);
    assert_eq!(status(&half_told, "MAIN-2"), Status::InDoubt);
}
