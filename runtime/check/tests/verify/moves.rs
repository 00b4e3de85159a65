//! Main moves as the journal says, and credits whom it says. Each forgery is chained and summed anew, and must be caught by the promise that it breaks.

use crate::check;
use crate::folder::*;
use crate::forgery::*;
use crate::story::*;
use baton_check::Report;
use baton_record::event::*;
use baton_record::ids::*;
use baton_record::line::Actor;
use baton_record::{Event, Oid};

#[test]
fn main_moves_only_as_the_journal_says() {
    check_all(&[
        ("main is behind", |f| f.set_ref("refs/heads/main", f.mains[2]), &["MAIN-1", "MAIN-2"]),
        ("main is behind and the end agrees", |f| end_at(f, f.mains[2]), &["MAIN-1", "MAIN-2", "STOP-1"]),
        ("main is gone", |f| drop(f.git(&["update-ref", "-d", "refs/heads/main"], b"")), &["MAIN-1", "MAIN-2"]),
        ("an unnoticed push", |f| on_top(f, "mine\n", false), &["MAIN-1", "MAIN-2"]),
        (
            "an unnoticed push, killed",
            |f| {
                on_top(f, "mine\n", false);
                f.kill_after("TaskDone", 2)
            },
            &["MAIN-1", "MAIN-2"],
        ),
        (
            "two landings without records",
            |f| {
                f.kill_after("ChangeIntended", 2);
                on_top(f, "mine\n", false)
            },
            &["MAIN-1", "MAIN-2"],
        ),
        (
            "in doubt but stopped",
            |f| {
                f.remove("TaskDone", 2);
                f.remove("ChangeLanded", 2)
            },
            &["MAIN-1", "MAIN-2", "MAIL-1", "HAND-1", "STOP-1"],
        ),
        ("landed without intention", |f| f.remove("ChangeIntended", 2), &["MAIN-1", "MAIN-2", "STOP-1"]),
        (
            "another main before",
            |f| edit!(f, ChangeLanded, 2, |e| e.main_before = e.main_after),
            &["MAIN-1", "MAIN-2", "STOP-1"],
        ),
        (
            "the history is rewritten",
            |f| {
                let (base, files) = (f.mains[0], f.files[f.mains.last().unwrap()].clone());
                let flat = f.commit(&[base], &files, "stranger", "all of it\n");
                end_at(f, flat);
            },
            &["MAIN-1", "MAIN-2", "STOP-1"],
        ),
        (
            "no descent from the base",
            |f| {
                let files = f.files[f.mains.last().unwrap()].clone();
                let root = f.commit(&[], &files, "stranger", "root\n");
                end_at(f, root);
            },
            &["MAIN-1", "MAIN-2", "STOP-1"],
        ),
        ("parents the other way round", |f| reland(f, |made| made.parents.reverse()), &["MAIN-1", "MAIN-2"]),
        ("the proposal is no parent", |f| reland(f, |made| made.parents.truncate(1)), &["MAIN-1"]),
    ]);
}

#[test]
fn a_foreign_push_is_where_it_was_found_and_the_last_thing_on_main() {
    fn notice(f: &mut Folder, after: (&str, usize), expected: Oid, found: Option<Oid>) {
        let event = Event::ForeignPush(ForeignPush { expected, found, fault: None });
        f.insert_after(after.0, after.1, record(Actor::Merger, None, None, event));
    }
    check_all(&[
        (
            "noticed elsewhere",
            |f| {
                on_top(f, "mine\n", true);
                let last = *f.mains.last().unwrap();
                notice(f, ("TaskDone", 2), last, Some(f.mains[0]));
            },
            &["MAIN-1", "MAIN-2", "STOP-1"],
        ),
        (
            "landed after the notice",
            |f| {
                let (before, found) = (f.mains[2], f.mains[3]);
                notice(f, ("TaskDone", 1), before, Some(found));
            },
            &["MAIN-1", "LOCK-3"],
        ),
        ("a notice of nothing", |f| notice(f, ("TaskDone", 2), f.mains[0], Some(f.mains[3])), &["MAIN-1"]),
    ]);
}

#[test]
fn counts_say_how_many_and_of_which_sort() {
    let counts = |report: Report| (report.lost, report.doubled, report.torn, report.uncredited);
    let behind = check("behind", |f| end_at(f, f.mains[1]), &["MAIN-1", "MAIN-2", "STOP-1"]);
    assert_eq!(counts(behind), (2, 0, 0, 0));
    let pushed = check("pushed", |f| on_top(f, "mine\n", false), &["MAIN-1", "MAIN-2"]);
    assert_eq!(counts(pushed), (0, 0, 0, 1));
    let half = check("half", |f| reland(f, |made| drop(made.files.insert("d.txt".into(), "d\n".into()))), &["MAIN-3"]);
    assert_eq!(counts(half), (0, 0, 1, 0));
    let message = good().message(ChangeId::of(TaskId(2), 2), 0, None);
    let twice = check("twice", |f| on_top(f, &message, false), &["MAIN-1", "MAIN-2"]);
    assert_eq!(counts(twice), (0, 1, 0, 0));
}
