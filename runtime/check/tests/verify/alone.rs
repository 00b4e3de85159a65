//! Findings that stand alone: one forgery each that one check of the journal's changes sees, and no other does.
//! And what a killed run may leave at its refs, and what not.

use crate::folder::Folder;
use crate::forgery::*;
use crate::story::{self, Proposal, update, with};
use crate::{check, judge, status};
use baton_check::{Status, verify};
use baton_record::event::*;
use baton_record::ids::*;
use baton_record::line::Actor;
use baton_record::{Event, Oid};

fn detail(name: &str, forge: impl FnOnce(&mut Folder), promise: &str, says: &str) {
    let mut folder = story::good();
    forge(&mut folder);
    folder.write();
    // Behind a damage main is not compared, so the journal's own records are all that speaks.
    let mut bytes = std::fs::read(folder.segment(1)).unwrap();
    bytes.extend_from_slice(b"damage\n{}\n");
    std::fs::write(folder.segment(1), bytes).unwrap();
    let report = verify(folder.path()).unwrap();
    let found = report.promise(promise).unwrap();
    assert_eq!(found.status, Status::Broken, "{name}: {}", found.detail);
    assert!(found.detail.contains(says), "{name}: {}", found.detail);
}

#[test]
fn each_check_of_the_journals_own_chain_has_a_case() {
    detail(
        "landed otherwise than intended",
        |f| {
            edit!(f, ChangeIntended, 2, |e| e.main_after = Oid::from_bytes(&[7; 20]).unwrap());
            f.kill_after("ChangeLanded", 2);
        },
        "MAIN-1",
        "landed otherwise than it was intended",
    );
    detail(
        "on another main",
        |f| {
            edit!(f, ChangeIntended, 2, |e| e.main_before = Oid::from_bytes(&[7; 20]).unwrap());
            edit!(f, ChangeLanded, 2, |e| e.main_before = Oid::from_bytes(&[7; 20]).unwrap());
        },
        "MAIN-1",
        "and main was elsewhere",
    );
    detail("an outcome without a submission", |f| f.remove("ChangeSubmitted", 2), "MAIN-2", "was never submitted");
}

/// A second change of a task that has landed: proposed, gated, intended, landed, credited, all in order.
#[test]
fn a_second_landing_of_a_task_is_seen_although_main_and_journal_agree() {
    let mut f = story::good();
    f.records.pop();
    let base = *f.mains.last().unwrap();
    let updates = vec![update(UpdateOp::Create, "again.txt", None, Some("tok-9"))];
    let edits = [("again.txt", Some("tok-9\n"))];
    let proposal = Proposal { change: (2, 1), lane: 0, base, lease: None, edits: &edits, updates };
    let proposal = Proposal { change: (1, 2), ..proposal };
    let submitted = f.submit(&proposal, Vec::new());
    let merged = with(&f.files[&base].clone(), &edits);
    let fences = f.oid("refs/baton/fences");
    f.land(&proposal, submitted, &merged, Verdict::Same, Some(fences));
    f.records.pop();
    f.write();
    let report = judge("landed again", &f, &["MAIN-2", "HAND-1"]);
    assert_eq!(report.doubled, 1);
    assert!(report.promise("MAIN-2").unwrap().detail.contains("of the same task"));
}

/// A killed run's journal ends anywhere, and its main is where the journal left it or one intention ahead.
#[test]
fn a_killed_run_is_open_only_where_main_is_as_it_was_left() {
    type Deed = fn(&mut Folder);
    let deeds: [(&str, Deed, &[&str]); 6] = [
        ("a landed commit is dropped", |f| f.set_ref("refs/heads/main", f.mains[2]), &["MAIN-1", "MAIN-2"]),
        ("main is moved back to the base", |f| f.set_ref("refs/heads/main", f.mains[0]), &["MAIN-1", "MAIN-2"]),
        ("a foreign commit on main", |f| on_top(f, "mine\n", false), &["MAIN-1", "MAIN-2"]),
        (
            "the last tree is another",
            |f| {
                let (before, proposal) = (f.mains[2], last_proposal(f));
                let files = with(&f.files[&f.mains[3]].clone(), &[("x", Some("x\n"))]);
                let message = f.message(ChangeId::of(TaskId(2), 2), 0, None);
                let forged = f.commit(&[before, proposal], &files, "implementer.1", &message);
                f.set_ref("refs/heads/main", forged);
            },
            &["MAIN-1", "MAIN-2"],
        ),
        ("main is gone", |f| drop(f.git(&["update-ref", "-d", "refs/heads/main"], b"")), &["MAIN-1", "MAIN-2"]),
        ("a branch beside main", |f| f.set_ref("refs/heads/mine", f.mains[1]), &["MAIN-1"]),
    ];
    for (name, deed, broken) in deeds {
        for torn in [false, true] {
            let mut folder = story::good();
            folder.kill_after("TaskDone", 2);
            deed(&mut folder);
            folder.write();
            if torn {
                let mut bytes = std::fs::read(folder.segment(1)).unwrap();
                bytes.extend_from_slice(b"{\"v\":1,\"seq\":");
                std::fs::write(folder.segment(1), bytes).unwrap();
            }
            let report = judge(&format!("{name}, killed, torn: {torn}"), &folder, broken);
            assert_eq!((report.torn_tail, report.ended), (torn, None), "{name}");
        }
    }
}

/// An intention says which commit, and no other is taken for it.
#[test]
fn only_the_intended_commit_is_in_doubt() {
    check(
        "another tree under the same intention",
        |f| {
            f.kill_at_landing(2);
            let proposal = last_proposal(f);
            let files = f.files[&f.mains[2]].clone();
            let message = f.message(ChangeId::of(TaskId(2), 2), 0, None);
            let forged = f.commit(&[f.mains[2], proposal], &files, "implementer.1", &message);
            f.set_ref("refs/heads/main", forged);
        },
        &["MAIN-1", "MAIN-2"],
    );
    let intended = check("not moved yet", |f| f.kill_after("ChangeIntended", 2), &[]);
    assert_eq!(status(&intended, "MAIN-1"), Status::InDoubt);
    let before = check(
        "not moved at all",
        |f| {
            f.kill_after("ChangeIntended", 2);
            f.set_ref("refs/heads/main", f.mains[2]);
        },
        &[],
    );
    assert_eq!(status(&before, "MAIN-1"), Status::Held);
}

#[test]
fn a_folder_without_its_own_files_is_refused() {
    for (name, forge) in [
        (
            "run.json",
            (|folder: &Folder, path| drop((folder, std::fs::remove_file(path)))) as fn(&Folder, &std::path::Path),
        ),
        ("run.json", |_, path| std::fs::write(path, "").unwrap()),
        ("scenario.yaml", |_, path| std::fs::remove_file(path).unwrap()),
        ("scenario.yaml", |_, path| std::fs::write(path, "").unwrap()),
    ] {
        for killed in [false, true] {
            let mut folder = story::good();
            if killed {
                folder.kill_after("TaskDone", 2);
            }
            folder.write();
            forge(&folder, &folder.path().join(name));
            let report = judge(name, &folder, &["LOG-1"]);
            let detail = &report.promise("LOG-1").unwrap().detail;
            assert!(detail.contains(name), "{name}: {detail}");
        }
    }
}

#[test]
fn commits_are_by_their_lane_at_their_time_and_say_nothing_else() {
    fn recommit(f: &mut Folder, from: &'static str, to: &'static str) {
        let Event::ChangeLanded(landed) = f.event("ChangeLanded", 2).clone() else { unreachable!() };
        let raw = f.git(&["cat-file", "commit", &landed.main_after.to_hex()], b"") + "\n";
        assert!(raw.contains(from), "{raw}");
        let forged = raw.replacen(from, to, 1);
        let name = f.git(&["hash-object", "-t", "commit", "-w", "--stdin"], forged.as_bytes());
        let name = Oid::from_hex(&name).unwrap();
        if let Event::ChangeIntended(intended) = f.event("ChangeIntended", 2) {
            intended.main_after = name;
        }
        if let Event::ChangeLanded(landed) = f.event("ChangeLanded", 2) {
            landed.main_after = name;
        }
        end_at(f, name);
    }
    check_all(&[
        ("written again", |f| recommit(f, "committer", "committer"), &[]),
        ("another committer", |f| recommit(f, "committer implementer.1", "committer ana"), &["WHO-1"]),
        (
            "another committer's address",
            |f| recommit(f, "1@baton.invalid> 1 +0000\n\n", "1@x.y> 1 +0000\n\n"),
            &["WHO-1"],
        ),
        ("committed later", |f| recommit(f, "1 +0000\n\n", "9 +0000\n\n"), &["WHO-1"]),
        ("made in another zone", |f| recommit(f, "> 1 +0000", "> 1 +0200"), &["WHO-1"]),
        (
            "made at another time",
            |f| {
                recommit(f, "> 1 +0000\ncommitter", "> 99 +0000\ncommitter");
                recommit(f, "> 1 +0000\n\n", "> 99 +0000\n\n");
            },
            &["WHO-1"],
        ),
        ("more headers", |f| recommit(f, " 1 +0000\n\n", " 1 +0000\nencoding x\n\n"), &["WHO-1"]),
        ("another subject", |f| recommit(f, "attempt 2", "attempt 3"), &["WHO-1"]),
    ]);
}

#[test]
fn what_damage_kept_from_being_judged_is_said() {
    let folder = story::good();
    folder.write();
    let whole = verify(folder.path()).unwrap();
    assert_eq!((whole.unjudged, whole.ended, whole.unfinished), (None, Some(StopReason::TasksEnded), 0));
    assert_eq!(whole.records, folder.records.len() as u64);
    let bytes = std::fs::read(folder.segment(1)).unwrap();
    std::fs::write(folder.segment(1), [b"x".as_slice(), &bytes].concat()).unwrap();
    let damaged = verify(folder.path()).unwrap();
    let why = damaged.unjudged.clone().unwrap();
    assert!(why.contains("000001-000001.jsonl line 1"), "{why}");
    assert_eq!((damaged.ended, damaged.unfinished), (None, 1));
    folder.write();
    std::fs::write(folder.repository().join("refs/heads/main"), "nothing\n").unwrap();
    let unreadable = verify(folder.path()).unwrap();
    assert!(unreadable.unjudged.clone().unwrap().contains("refs/heads/main"));
    assert_eq!(status(&unreadable, "MAIN-3"), Status::NotExercised);
}

#[test]
fn a_gate_that_refuses_is_followed_by_the_refusal() {
    let refuse = |f: &mut Folder| {
        let tree = f.tree(f.mains[1]);
        let failed = Event::GateFailed(GateFailed { gate: "test".into(), tree, detail: "red".into() });
        f.insert_after("ChangeSubmitted", 2, record(Actor::Merger, Some(0), Some(2), failed));
        edit!(f, ChangeRefused, 0, |e| {
            (e.reason, e.paths, e.report) = (RefuseReason::Gate, vec!["test".into()], None);
        });
        edit!(f, ChangeSubmitted, 3, |e| e.answers = None);
    };
    check("in order", refuse, &[]);
    check(
        "by another gate",
        |f| {
            refuse(f);
            edit!(f, ChangeRefused, 0, |e| e.paths = vec!["other".into()]);
        },
        &["MAIL-1"],
    );
}
