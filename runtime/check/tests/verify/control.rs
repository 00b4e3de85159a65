//! Control runs: what lanes overwrite is counted.

use crate::folder::Folder;
use crate::story::{Proposal, base_files, update, with};
use crate::{judge, status};
use baton_check::Status;
use baton_record::Event;
use baton_record::event::*;
use baton_record::ids::*;
use baton_record::line::Actor;

/// Two lanes write two files each; `kept` says which of the four writes are in the final tree.
fn control(kept: [bool; 4], written: [bool; 2]) -> Folder {
    let mut f = Folder::empty();
    let base = f.open(true);
    let (mut main, mut files) = (base, base_files());
    for lane in 0..2_u32 {
        let change = ChangeId::of(TaskId(lane), 1);
        let token = |file: u32| format!("tok-{lane}{file}");
        let updates = (0..2).map(|n| update(UpdateOp::Create, &format!("{lane}{n}"), None, Some(&token(n)))).collect();
        let proposal = Proposal { change: (lane, 1), lane, base, lease: None, edits: &[], updates };
        f.submit(&proposal, Vec::new());
        if let Event::ChangeSubmitted(submitted) = f.event("ChangeSubmitted", lane as usize) {
            submitted.commit = base;
        }
        let about = (Some(lane), Some(lane));
        for n in 0..2 {
            if kept[(lane * 2 + n) as usize] {
                files = with(&files, &[(&format!("{lane}{n}"), Some(&format!("text {} end\n", token(n))))]);
            }
            main = f.commit(&[main], &files, crate::folder::LANES[lane as usize], "write\n");
            let path = format!("{lane}{n}");
            f.push(Actor::Lane, about, Event::FileWritten(FileWritten { change, path, commit: main }));
        }
        if written[lane as usize] {
            f.push(Actor::Lane, about, Event::ChangeWritten(ChangeWritten { change }));
            f.push(Actor::Supervisor, about, Event::TaskDone(TaskDone { change }));
        }
    }
    f.set_ref("refs/heads/main", main);
    f.mains.push(main);
    f
}

#[test]
fn losses_and_tears_of_a_control_run_are_counted() {
    let all = [true; 2];
    let cases: [(&str, [bool; 4], [bool; 2], (u64, u64), &[&str]); 6] = [
        ("all there", [true; 4], all, (0, 0), &["MAIN-1"]),
        ("one lost", [false, false, true, true], all, (1, 0), &["MAIN-1", "MAIN-2"]),
        ("one torn", [true, false, true, true], all, (0, 1), &["MAIN-1", "MAIN-3"]),
        ("one lost, one torn", [false, false, true, false], all, (1, 1), &["MAIN-1", "MAIN-2", "MAIN-3"]),
        ("begun and torn", [true, true, true, false], [true, false], (0, 1), &["MAIN-1", "MAIN-3"]),
        ("begun and nothing there", [true, true, false, false], [true, false], (0, 0), &["MAIN-1"]),
    ];
    for (name, kept, written, expected, broken) in cases {
        let folder = control(kept, written);
        folder.write();
        let report = judge(name, &folder, broken);
        assert_eq!((report.lost, report.torn), expected, "{name}");
        assert_eq!(status(&report, "STOP-1"), Status::Open, "{name}");
    }
}

#[test]
fn a_file_that_a_written_change_deleted_is_no_loss() {
    let mut folder = control([true, false, true, true], [true; 2]);
    if let Event::ChangeSubmitted(submitted) = folder.event("ChangeSubmitted", 1) {
        submitted.updates.push(update(UpdateOp::Delete, "01", None, None));
    }
    folder.write();
    let report = judge("deleted", &folder, &["MAIN-1"]);
    assert_eq!((report.lost, report.torn), (0, 0));
}

#[test]
fn a_file_that_nobody_declared_is_noticed() {
    let mut folder = control([true; 4], [true; 2]);
    if let Event::FileWritten(written) = folder.event("FileWritten", 0) {
        written.path = "elsewhere".into();
    }
    folder.write();
    judge("undeclared", &folder, &["MAIN-1", "WHO-1"]);
}
