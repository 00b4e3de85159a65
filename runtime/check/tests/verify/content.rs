//! What is inside main, and whether it was gated. Each forgery is chained and summed anew, and must be caught by the promise that it breaks.

use crate::folder::*;
use crate::forgery::*;
use baton_record::event::*;
use baton_record::line::Actor;
use baton_record::{Event, Oid};

#[test]
fn main_is_a_serial_replay() {
    check_all(&[
        ("half a change", |f| reland(f, |made| drop(made.files.insert("d.txt".into(), "d\n".into()))), &["MAIN-3"]),
        (
            "none of a change",
            |f| {
                let files = f.files[&f.mains[2]].clone();
                reland(f, |made| made.files = files)
            },
            &["MAIN-3"],
        ),
        ("a file of another's is lost", |f| reland(f, |made| drop(made.files.remove("notes/0.md"))), &["MAIN-3"]),
        (
            "something is smuggled in",
            |f| reland(f, |made| drop(made.files.insert("x".into(), "x\n".into()))),
            &["MAIN-3"],
        ),
        ("undeclared path", |f| repropose(f, |made| drop(made.files.insert("x".into(), "x\n".into()))), &["MAIN-3"]),
        ("declared path is missing", |f| edit!(f, ChangeSubmitted, 3, |e| drop(e.updates.pop())), &["MAIN-3"]),
        (
            "another operation is declared",
            |f| edit!(f, ChangeSubmitted, 3, |e| e.updates[1].op = UpdateOp::Edit),
            &["MAIN-3"],
        ),
        (
            "a token that is not there",
            |f| edit!(f, ChangeSubmitted, 0, |e| e.updates[1].token = Some("tok-9".into())),
            &["MAIN-3"],
        ),
        (
            "a token that is there often",
            |f| edit!(f, ChangeSubmitted, 0, |e| e.updates[1].token = Some("line".into())),
            &["MAIN-3"],
        ),
        (
            "a token in a deleted file",
            |f| edit!(f, ChangeSubmitted, 3, |e| e.updates[1].token = Some("d".into())),
            &["MAIN-3"],
        ),
        (
            "a stale read",
            |f| {
                let blob = Some(f.blob("other\n"));
                if let Event::ChangeSubmitted(submitted) = f.event("ChangeSubmitted", 0) {
                    submitted.reads[0].blob = blob
                }
            },
            &["MAIN-3"],
        ),
        ("a read of what is not there", |f| edit!(f, ChangeSubmitted, 0, |e| e.reads[0].blob = None), &["MAIN-3"]),
        (
            "landed as it was, on another main",
            |f| edit!(f, ChangeIntended, 1, |e| e.verdict = Verdict::Same),
            &["MAIN-3"],
        ),
        (
            "a base that was never main",
            |f| {
                let parent = f.commit(&[f.mains[0]], &f.files[&f.mains[2]].clone(), LANES[0], "off main\n");
                repropose(f, |made| made.parents = vec![parent]);
                if let Event::ChangeSubmitted(submitted) = f.event("ChangeSubmitted", 3) {
                    submitted.base = parent
                }
            },
            &["MAIN-1", "MAIN-2", "MAIN-3"],
        ),
        (
            "an object is damaged",
            |f| {
                let blob = f.blob("b\n").to_hex();
                let path = f.repository().join("objects").join(&blob[..2]).join(&blob[2..]);
                let other = f.blob("d\n").to_hex();
                let source = f.repository().join("objects").join(&other[..2]).join(&other[2..]);
                std::fs::remove_file(&path).unwrap();
                std::fs::copy(source, path).unwrap();
            },
            &["MAIN-3"],
        ),
        (
            "an object is missing",
            |f| {
                let tree = f.tree(f.mains[2]).to_hex();
                std::fs::remove_file(f.repository().join("objects").join(&tree[..2]).join(&tree[2..])).unwrap();
            },
            &["MAIN-3"],
        ),
        (
            "the objects are gone",
            |f| std::fs::remove_dir_all(f.repository().join("objects")).unwrap(),
            &["MAIN-1", "MAIN-2", "MAIN-3", "LOCK-2"],
        ),
    ]);
}

#[test]
fn only_gated_trees_become_main() {
    check_all(&[
        ("no pass", |f| f.remove("GatePassed", 2), &["MAIN-4"]),
        (
            "a pass of another tree",
            |f| edit!(f, GatePassed, 2, |e| e.tree = Oid::from_bytes(&[1; 20]).unwrap()),
            &["MAIN-4"],
        ),
        ("a pass of another gate", |f| edit!(f, GatePassed, 2, |e| e.gate = "lint".into()), &["MAIN-4"]),
        (
            "a pass afterwards",
            |f| {
                let place = f.at("GatePassed", 2);
                let passed = f.records.remove(place);
                f.insert_after("ChangeLanded", 2, passed);
            },
            &["MAIN-4", "HAND-1"],
        ),
        (
            "failed after the pass",
            |f| {
                let tree = f.tree(f.mains[3]);
                let failed = GateFailed { gate: "test".into(), tree, detail: "red".into() };
                f.insert_after("GatePassed", 2, record(Actor::Merger, Some(0), Some(2), Event::GateFailed(failed)));
            },
            &["MAIN-4"],
        ),
        (
            "another tree was gated",
            |f| {
                let other = f.tree(f.mains[2]);
                if let Event::GatePassed(passed) = f.event("GatePassed", 2) {
                    passed.tree = other
                }
                if let Event::ChangeIntended(intended) = f.event("ChangeIntended", 2) {
                    intended.tree = other
                }
            },
            &["MAIN-4"],
        ),
        (
            "the gate comes after the landing",
            |f| {
                let place = f.at("GateNamed", 0);
                let gate = f.records.remove(place);
                f.insert_after("ChangeLanded", 2, gate);
            },
            &["MAIN-4", "LOG-2"],
        ),
    ]);
}
