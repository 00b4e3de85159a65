//! Tasks, answers, effects, pauses, ends. Each forgery is chained and summed anew, and must be caught by the promise that it breaks.

use crate::forgery::*;
use baton_record::event::*;
use baton_record::ids::*;
use baton_record::line::{Actor, Record};
use baton_record::{Event, Oid};

#[test]
fn every_submission_has_one_answer_and_every_task_one_owner() {
    check_all(&[
        (
            "never answered",
            |f| {
                f.remove("ChangeRefused", 0);
                edit!(f, RunStopped, 0, |e| e.refused = 0);
            },
            &["MAIL-1", "HAND-1"],
        ),
        (
            "answered twice",
            |f| {
                let again = f.records[f.at("ChangeRefused", 0)].clone();
                f.insert_after("ChangeRefused", 0, again);
                edit!(f, RunStopped, 0, |e| e.refused = 2);
            },
            &["MAIL-1"],
        ),
        (
            "submitted twice",
            |f| {
                let again = f.records[f.at("ChangeSubmitted", 0)].clone();
                f.insert_after("ChangeSubmitted", 0, again);
            },
            &["MAIL-1"],
        ),
        (
            "submitted after it was closed",
            |f| {
                let closed =
                    Event::ChangeWithdrawn(ChangeWithdrawn { change: ChangeId::of(TaskId(2), 2), fault: None });
                f.insert_after("TaskAssigned", 3, record(Actor::Merger, Some(0), Some(2), closed));
            },
            &["LOCK-3", "MAIL-1", "HAND-1"],
        ),
        (
            "two owners",
            |f| {
                let stolen = Event::TaskAssigned(TaskAssigned { attempt: 2 });
                f.insert_after("TaskAssigned", 1, record(Actor::Supervisor, Some(1), Some(0), stolen));
            },
            &["HAND-1", "STOP-1"],
        ),
        ("an attempt is left out", |f| edit!(f, TaskAssigned, 0, |e| e.attempt = 2), &["HAND-1"]),
        ("one attempt too many", |f| edit!(f, TaskAdded, 2, |e| e.attempts_max = 1), &["HAND-1"]),
        (
            "an attempt beyond all numbers",
            |f| edit!(f, TaskAssigned, 3, |e| e.attempt = u32::MAX),
            &["LOCK-3", "HAND-1"],
        ),
        ("a task of another role", |f| edit!(f, TaskAdded, 1, |e| e.role = "reviewer".into()), &["HAND-1"]),
        ("a task is lost", |f| f.remove("TaskDone", 1), &["LOCK-3", "HAND-1", "STOP-1"]),
        (
            "a task is added twice",
            |f| {
                let again = f.records[f.at("TaskAdded", 2)].clone();
                f.insert_after("TaskAdded", 2, again);
            },
            &["HAND-1", "LOG-2"],
        ),
        (
            "a task is returned for no reason",
            |f| edit!(f, TaskReturned, 0, |e| e.reason = ReturnReason::LaneDied),
            &["LOCK-3", "HAND-1"],
        ),
        (
            "a task is done by another's change",
            |f| edit!(f, TaskDone, 1, |e| e.change = ChangeId::of(TaskId(0), 1)),
            &["HAND-1"],
        ),
        (
            "a task is given up too early",
            |f| {
                let place = f.at("TaskReturned", 0);
                f.records[place].event = Event::TaskFailed(TaskFailed { reason: FailReason::AttemptsUsedUp });
            },
            &["LOCK-3", "HAND-1"],
        ),
        (
            "submitted by another lane",
            |f| {
                let place = f.at("ChangeSubmitted", 0);
                f.records[place].lane = Some(LaneId(1));
            },
            &["MAIN-2", "HAND-1", "WHO-1"],
        ),
        (
            "the artifact is not in the change",
            |f| edit!(f, TaskAdded, 0, |e| e.artifact = Some("notes/9.md".into())),
            &["ONE-1"],
        ),
    ]);
}

#[test]
fn effects_name_their_owners_and_stop_at_a_pause() {
    fn effect() -> Record {
        record(
            Actor::Supervisor,
            Some(0),
            Some(2),
            Event::EffectIntended(EffectIntended { key: EffectKey(7), reserved: Bound::default() }),
        )
    }
    check_all(&[
        (
            "an effect without a lane",
            |f| {
                let place = f.at("EffectDone", 0);
                f.records[place].lane = None
            },
            &["LOCK-3", "BUDGET-2", "WHO-1"],
        ),
        (
            "an effect without a task",
            |f| {
                let place = f.at("EffectIntended", 0);
                f.records[place].task = None
            },
            &["WHO-1", "LOG-2"],
        ),
        (
            "a landing credited to another lane",
            |f| {
                let place = f.at("ChangeLanded", 0);
                f.records[place].lane = Some(LaneId(1))
            },
            &["WHO-1"],
        ),
        (
            "a landing by a lane",
            |f| {
                let place = f.at("ChangeLanded", 0);
                f.records[place].actor = Actor::Lane
            },
            &["WHO-1"],
        ),
        (
            "an effect in a pause",
            |f| f.insert_after("PauseAcknowledged", 0, effect()),
            &["BUDGET-1", "BUDGET-2", "STOP-2", "LOG-2"],
        ),
        (
            "a landing in a pause",
            |f| {
                let place = f.at("Resumed", 0);
                let resumed = f.records.remove(place);
                f.insert_after("ChangeLanded", 2, resumed);
            },
            &["STOP-2"],
        ),
        ("an epoch is left out", |f| edit!(f, Resumed, 0, |e| e.epoch = Epoch(4)), &["STOP-2"]),
        ("the last epoch of all", |f| edit!(f, PauseRequested, 0, |e| e.epoch = Epoch(u32::MAX)), &["STOP-2"]),
        ("acknowledged by more lanes than there are", |f| edit!(f, PauseAcknowledged, 0, |e| e.lanes = 3), &["STOP-2"]),
        (
            "a finished effect begins again",
            |f| {
                let again = f.records[f.at("EffectIntended", 0)].clone();
                f.insert_after("SlotReleased", 0, again);
            },
            &["LOCK-3", "BUDGET-1", "BUDGET-2", "LOG-2"],
        ),
        (
            "a file written past the merger",
            |f| {
                let written =
                    FileWritten { change: ChangeId::of(TaskId(0), 1), path: "a.txt".into(), commit: f.mains[3] };
                f.insert_after(
                    "ChangeSubmitted",
                    0,
                    record(Actor::Lane, Some(0), Some(0), Event::FileWritten(written)),
                );
            },
            &["MAIN-1", "MAIN-4"],
        ),
    ]);
}

#[test]
fn a_run_ends_as_it_says() {
    check_all(&[
        (
            "something follows the end",
            |f| {
                let after = f.records[f.at("GatePassed", 0)].clone();
                f.insert_after("RunStopped", 0, after);
            },
            &["HAND-1", "STOP-1"],
        ),
        ("too many landed", |f| edit!(f, RunStopped, 0, |e| e.landed = 4), &["STOP-1"]),
        ("too few refused", |f| edit!(f, RunStopped, 0, |e| e.refused = 0), &["STOP-1"]),
        ("stuck, with nothing to do", |f| edit!(f, RunStopped, 0, |e| e.reason = StopReason::Stuck), &["STOP-1"]),
        ("a push that nobody saw", |f| edit!(f, RunStopped, 0, |e| e.reason = StopReason::ForeignPush), &["STOP-1"]),
        (
            "main elsewhere at the end",
            |f| edit!(f, RunStopped, 0, |e| e.main = Oid::from_bytes(&[1; 20]).unwrap()),
            &["MAIN-1", "STOP-1"],
        ),
    ]);
}
