//! Credits on main. Each forgery is chained and summed anew, and must be caught by the promise that it breaks.

use crate::folder::*;
use crate::forgery::*;
use baton_record::Event;
use baton_record::event::*;
use baton_record::ids::*;
use baton_record::line::{Actor, Record};

#[test]
fn credits_on_main_agree_with_the_journal() {
    fn reword(f: &mut Folder, from: &'static str, to: &'static str) {
        reland(f, |made| made.message = made.message.replace(from, to));
    }
    check_all(&[
        ("credited to another change", |f| reword(f, "C-2.2", "C-1.1"), &["MAIN-2"]),
        ("credited to a refused change", |f| reword(f, "C-2.2", "C-2.1"), &["MAIN-2"]),
        ("no credit", |f| reword(f, "Baton-Change: C-2.2\n", ""), &["MAIN-2"]),
        (
            "two credits",
            |f| reword(f, "Baton-Change: C-2.2\n", "Baton-Change: C-2.2\nBaton-Change: C-2.2\n"),
            &["MAIN-2"],
        ),
        ("a wrong task", |f| reword(f, "T-2", "T-1"), &["MAIN-2"]),
        ("a wrong lane", |f| reword(f, LANES[0], LANES[1]), &["MAIN-2"]),
        ("a wrong run", |f| reword(f, "00112233445566aa", "0011223344556600"), &["MAIN-2"]),
        ("a fence from nowhere", |f| reword(f, "Baton-Task", "Baton-Fence: 2\nBaton-Task"), &["MAIN-2"]),
        (
            "a refused change is named in the text",
            |f| reword(f, "by implementer.1\n", "by implementer.1\n\nBaton-Change: C-2.1\n"),
            &["MAIN-2", "WHO-1"],
        ),
        (
            "the proposal credits another",
            |f| repropose(f, |made| made.message = made.message.replace("C-2.2", "C-1.1")),
            &["MAIN-2"],
        ),
        ("sent before its attempt began", |f| edit!(f, ChangeSubmitted, 3, |e| e.sent_us = Some(0)), &["MAIL-1"]),
        (
            "sent after it arrived",
            |f| edit!(f, ChangeSubmitted, 3, |e| e.sent_us = Some(9_000_000)),
            &["MAIL-1", "WHO-1"],
        ),
        (
            "sent when its commit was not made",
            |f| {
                // The attempt lasts an hour; the commit says at which second of it the change was made.
                let from =
                    f.records.iter().rposition(|record| matches!(record.event, Event::ChangeSubmitted(_))).unwrap();
                f.records[from..].iter_mut().for_each(|record| record.t_us += 3_600_000_000);
                if let Event::ChangeSubmitted(submitted) = &mut f.records[from].event {
                    submitted.sent_us = Some(1_800_000_000);
                }
            },
            &["WHO-1"],
        ),
        ("another author", |f| reland(f, |made| made.author = LANES[1].into()), &["WHO-1"]),
        ("another author of the proposal", |f| repropose(f, |made| made.author = LANES[1].into()), &["WHO-1"]),
        (
            "a third parent brings more",
            |f| {
                let stray = f.commit(&[f.mains[0]], &Files::new(), "stranger", "stray\n");
                reland(f, |made| made.parents.push(stray));
            },
            &["MAIN-1", "MAIN-2"],
        ),
        ("never submitted", |f| f.remove("ChangeSubmitted", 3), &["MAIN-2", "MAIN-3", "HAND-1", "WHO-1"]),
        (
            "landed and refused",
            |f| {
                let refused = ChangeRefused {
                    change: ChangeId::of(TaskId(2), 2),
                    reason: RefuseReason::Gate,
                    paths: vec![],
                    undoes: vec![],
                    report: None,
                    fault: None,
                };
                f.insert_after(
                    "ChangeLanded",
                    2,
                    record(Actor::Merger, Some(0), Some(2), Event::ChangeRefused(refused)),
                );
                edit!(f, RunStopped, 0, |e| e.refused = 2);
            },
            &["MAIN-2", "MAIL-1"],
        ),
        (
            "one task landed twice",
            |f| {
                f.records.iter_mut().for_each(|r| retask(r, ChangeId::of(TaskId(2), 2), ChangeId::of(TaskId(1), 2)));
                reword(f, "C-2.2", "C-1.2");
            },
            &["MAIN-2", "MAIN-4", "HAND-1", "WHO-1"],
        ),
    ]);
}

/// Renames a change wherever it stands; nothing of its other task did not merge.
fn retask(record: &mut Record, from: ChangeId, to: ChangeId) {
    if let Event::ChangeSubmitted(submitted) = &mut record.event
        && submitted.change == from
    {
        submitted.answers = None;
    }
    let change = match &mut record.event {
        Event::ChangeSubmitted(e) => &mut e.change,
        Event::ChangeIntended(e) => &mut e.change,
        Event::ChangeLanded(e) => &mut e.change,
        Event::TaskDone(e) => &mut e.change,
        _ => return,
    };
    if *change == from {
        *change = to;
    }
}
