//! What follows from what: a decision of the supervisor and a landing are written as a whole and in one order.
//! Each forgery is one record that is doubled, moved or said of another, chained and summed anew.

use crate::folder::Folder;
use crate::forgery::*;
use crate::{check, judge, story};
use baton_record::Event;
use baton_record::event::*;
use baton_record::ids::*;
use baton_record::line::{Actor, Record};

/// Moves the nth record of a kind behind the nth of another.
fn move_behind(f: &mut Folder, from: (&str, usize), to: (&str, usize)) {
    let place = f.at(from.0, from.1);
    let record = f.records.remove(place);
    f.insert_after(to.0, to.1, record);
    let times: Vec<u64> = (0..f.records.len() as u64).map(|place| place * 10).collect();
    f.records.iter_mut().zip(times).for_each(|(record, t_us)| record.t_us = t_us);
}

fn double(f: &mut Folder, kind: &str, nth: usize) {
    let again = f.records[f.at(kind, nth)].clone();
    f.insert_after(kind, nth, again);
}

fn said_of_task(f: &mut Folder, kind: &str, task: u32) {
    let place = f.at(kind, 0);
    f.records[place].task = Some(TaskId(task));
}

#[test]
fn a_landing_is_intended_once_and_nothing_else_moves_a_ref_meanwhile() {
    check_all(&[
        ("an intention twice", |f| double(f, "ChangeIntended", 1), &["MAIN-2"]),
        (
            "an intention twice, and killed",
            |f| {
                double(f, "ChangeIntended", 2);
                f.set_ref("refs/heads/main", f.mains[2]);
                let end = f.at("ChangeIntended", 3);
                f.records.truncate(end + 1);
            },
            &["MAIN-2"],
        ),
        (
            "a fence is raised meanwhile",
            |f| {
                let raised = f.records[f.at("FenceRaised", 1)].clone();
                f.insert_after("ChangeIntended", 2, raised);
            },
            &["MAIN-1", "LOCK-2"],
        ),
        (
            "found on main by nobody's successor",
            |f| {
                let injected = FaultInjected { fault: FaultId(0), injected: "restart".into(), target: "merger".into() };
                f.insert_after("TaskAssigned", 1, record(Actor::Run, None, None, Event::FaultInjected(injected)));
                edit!(f, ChangeLanded, 1, |e| e.fault = Some(FaultId(0)));
            },
            &["MAIN-1"],
        ),
    ]);
}

#[test]
fn a_restarted_merger_may_intend_anew_what_it_had_intended() {
    let restarted = |f: &mut Folder| {
        double(f, "ChangeIntended", 1);
        let folded = f.at("ChangeIntended", 1) as u64 + 1;
        let event = Event::ActorRestarted(ActorRestarted { restarts: 1, folded, fault: None });
        f.insert_after("ChangeIntended", 1, record(Actor::Merger, None, None, event));
        let passed = f.records[f.at("GatePassed", 1)].clone();
        f.insert_after("ActorRestarted", 0, passed);
    };
    check("restarted", restarted, &[]);
}

#[test]
fn a_call_names_the_task_that_it_was_asked_for() {
    check_all(&[
        ("the end of a call", |f| said_of_task(f, "EffectDone", 1), &["WHO-1"]),
        ("the end of a slot", |f| said_of_task(f, "SlotReleased", 1), &["LOCK-3", "WHO-1"]),
    ]);
}

#[test]
fn what_follows_from_a_decision_follows_at_once() {
    check_all(&[
        (
            "a request for a slot is moved behind another's call",
            |f| move_behind(f, ("SlotRequested", 0), ("EffectIntended", 0)),
            &["LOCK-3", "BUDGET-1", "LOG-2"],
        ),
        ("a grant is left out", |f| f.remove("SlotGranted", 1), &["LOCK-3"]),
        ("the end of a lease is moved", |f| move_behind(f, ("LeaseReleased", 1), ("ChangeSubmitted", 3)), &["LOCK-3"]),
        ("the end of a lease is left out", |f| f.remove("LeaseReleased", 1), &["LOCK-3"]),
        (
            "the return of a task is moved",
            |f| move_behind(f, ("TaskReturned", 0), ("LeaseReleased", 1)),
            &["LOCK-3", "HAND-1", "STOP-1"],
        ),
        ("a task is added late", |f| move_behind(f, ("TaskAdded", 2), ("SlotRequested", 0)), &["LOCK-3", "LOG-2"]),
        ("tasks change places", |f| move_behind(f, ("TaskAdded", 1), ("TaskAdded", 1)), &["HAND-1", "LOG-2"]),
        ("a lane joins late", |f| move_behind(f, ("LaneJoined", 1), ("TaskAdded", 2)), &["LOG-2"]),
        ("a gate answers twice", |f| double(f, "GatePassed", 1), &["MAIN-4"]),
        ("acknowledged by too few", |f| edit!(f, PauseAcknowledged, 0, |e| e.lanes = 1), &["STOP-2"]),
    ]);
}

/// A lane dies before its change arrived, and the attempt is closed.
fn left_behind(f: &mut Folder, lane: u32) {
    let died = Event::LaneDied(LaneDied { reason: DeathReason::Crashed, fault: None });
    let closed = Event::ChangeWithdrawn(ChangeWithdrawn { change: ChangeId::of(TaskId(2), 2), fault: None });
    let end = f.at("LeaseReleased", 1);
    f.records.truncate(end + 1);
    f.set_ref("refs/heads/main", f.mains[2]);
    let add = |f: &mut Folder, record: Record| {
        let t_us = f.records.last().unwrap().t_us;
        f.records.push(Record { t_us, ..record });
    };
    add(f, record(Actor::Supervisor, Some(0), None, died));
    add(f, record(Actor::Merger, Some(lane), Some(2), closed));
}

#[test]
fn an_attempt_is_closed_for_the_dead_lane_that_owned_it() {
    check("its owner", |f| left_behind(f, 0), &[]);
    check("another lane", |f| left_behind(f, 1), &["HAND-1"]);
}

#[test]
fn what_the_fences_hold_is_named_by_each_raise() {
    let mut folder = story::good();
    let other = folder.blob("baton-fences 1\n1 src/**\n");
    if let Event::FenceRaised(raised) = folder.event("FenceRaised", 0) {
        raised.fences = other;
    }
    if let Event::ChangeIntended(intended) = folder.event("ChangeIntended", 1) {
        intended.fences = Some(other);
    }
    folder.write();
    judge("an older raise, overwritten since", &folder, &["LOCK-2"]);
}
