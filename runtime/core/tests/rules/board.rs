//! Tasks, owners and attempts, by example.

use crate::team::{A, B, C, LANES, NARROW, SRC, Team, call, end_call, key, lose, request, restore, settle};
use baton_core::board::{Settled, TaskState};
use baton_core::{Command, Refusal};
use baton_record::event::{FailReason, ReturnReason, TaskAssigned, TaskFailed, TaskReturned};
use baton_record::{ChangeId, Event, FaultId, LaneId, RoleId, TaskId};

fn take(lane: LaneId) -> Command {
    Command::TakeTask { lane }
}

#[test]
fn a_task_has_one_owner() {
    let mut team = Team::new();
    let owned = [A, B, C].map(|lane| team.take(lane).task());
    assert_eq!(owned, [TaskId(0), TaskId(1), TaskId(4)], "the first of the lane's role that nobody owns");
    assert_eq!(owned.map(|task| team.state.board.state(task)), [A, B, C].map(TaskState::Owned));
}

#[test]
fn a_lane_owns_one_task_at_a_time() {
    let mut team = Team::new();
    team.take(A);
    assert_eq!(team.say(&take(A)), Err(Refusal::Repeated));
    assert_eq!(team.state.board.ready(), 5);
}

#[test]
fn a_refused_change_is_a_new_attempt_of_the_same_lane_until_attempts_are_used_up() {
    let mut team = Team::new();
    let first = team.take(A);
    let returned = Event::TaskReturned(TaskReturned { reason: ReturnReason::Refused, fault: None });
    let assigned = Event::TaskAssigned(TaskAssigned { attempt: 2 });
    assert_eq!(team.must(&settle(first, Settled::Refused)), [returned, assigned]);
    let second = team.state.board.owned_by(A).unwrap();
    assert_eq!(second, ChangeId::of(first.task(), 2));
    let failed = Event::TaskFailed(TaskFailed { reason: FailReason::AttemptsUsedUp });
    assert_eq!(team.must(&settle(second, Settled::Refused)), [failed]);
    assert_eq!(team.state.board.state(first.task()), TaskState::Failed);
    assert_eq!(team.state.board.owned_by(A), None);
}

#[test]
fn a_landed_change_ends_its_task_even_on_the_last_attempt() {
    let mut team = Team::new();
    team.take(A);
    let only = team.take(B);
    team.must(&settle(only, Settled::Landed));
    assert_eq!(team.state.board.state(only.task()), TaskState::Done(only));
}

#[test]
fn a_verdict_on_another_attempt_settles_nothing() {
    let mut team = Team::new();
    let first = team.take(A);
    for settled in [Settled::Landed, Settled::Refused, Settled::Withdrawn] {
        for stranger in [ChangeId::of(first.task(), 2), ChangeId::of(TaskId(3), 1), ChangeId::of(TaskId(99), 1)] {
            assert_eq!(team.say(&settle(stranger, settled)), Err(Refusal::Stale), "{settled:?} {stranger}");
        }
    }
}

#[test]
fn a_dead_lanes_task_stays_its_own_until_the_merger_has_spoken() {
    let mut team = Team::new();
    let change = team.take(A);
    team.must(&lose(A));
    team.must(&restore(A));
    assert_eq!(team.state.board.state(change.task()), TaskState::Owned(A));
    assert_eq!(team.state.board.leaving(), [(A, change)]);
    assert_eq!(team.say(&take(A)), Err(Refusal::NothingReady));
    team.must(&settle(change, Settled::Withdrawn));
    assert_eq!(team.state.board.state(change.task()), TaskState::Ready);
    assert_eq!(team.take(A), ChangeId::of(change.task(), 2));
}

#[test]
fn a_dead_lanes_change_may_have_landed() {
    let mut team = Team::new();
    let change = team.take(A);
    team.must(&lose(A));
    team.must(&settle(change, Settled::Landed));
    assert_eq!(team.state.board.state(change.task()), TaskState::Done(change));
    assert_eq!(team.state.board.leaving(), []);
}

#[test]
fn a_dead_lane_gets_no_other_attempt() {
    for settled in [Settled::Refused, Settled::Withdrawn] {
        let mut team = Team::new();
        let change = team.take(A);
        team.must(&lose(A));
        team.must(&settle(change, settled));
        assert_eq!(team.state.board.state(change.task()), TaskState::Ready, "{settled:?}");
        assert_eq!(team.say(&take(A)), Err(Refusal::Stale), "{settled:?}");
        assert_eq!(team.take(B), ChangeId::of(change.task(), 2), "{settled:?}");
    }
}

#[test]
fn a_death_on_the_last_attempt_gives_the_task_up() {
    let mut team = Team::new();
    team.take(A);
    let only = team.take(B);
    team.must(&lose(B));
    team.must(&settle(only, Settled::Withdrawn));
    assert_eq!(team.state.board.state(only.task()), TaskState::Failed);
}

#[test]
fn only_a_lane_that_died_has_its_attempt_withdrawn() {
    let mut team = Team::new();
    let change = team.take(A);
    assert_eq!(team.say(&settle(change, Settled::Withdrawn)), Err(Refusal::Stale));
    assert_eq!(team.state.board.owned_by(A), Some(change));
}

#[test]
fn a_return_names_the_fault_that_caused_it() {
    let mut team = Team::new();
    let change = team.take(A);
    team.must(&lose(A));
    let fault = Some(FaultId(3));
    let events = team.must(&Command::Settle { change, settled: Settled::Withdrawn, fault });
    assert_eq!(events, [Event::TaskReturned(TaskReturned { reason: ReturnReason::LaneDied, fault })]);
}

#[test]
fn a_lane_dies_once_and_comes_back_once() {
    let mut team = Team::new();
    assert_eq!(team.say(&restore(A)), Err(Refusal::Repeated));
    for restarts in 1..=2 {
        team.must(&lose(A));
        assert_eq!(team.say(&lose(A)), Err(Refusal::Repeated));
        team.must(&restore(A));
        assert_eq!(team.state.board.restarts(A), restarts);
    }
}

#[test]
fn a_second_death_before_the_merger_has_spoken_changes_nothing_for_the_task() {
    let mut team = Team::new();
    let change = team.take(A);
    for _ in 0..2 {
        team.must(&lose(A));
        team.must(&restore(A));
    }
    assert_eq!(team.state.board.leaving(), [(A, change)]);
}

#[test]
fn a_lane_is_told_whether_to_come_again() {
    let mut team = Team::new();
    for change in [C, C].map(|lane| {
        let change = team.take(lane);
        team.must(&settle(change, Settled::Landed));
        change
    }) {
        assert_eq!(team.state.board.state(change.task()), TaskState::Done(change));
    }
    assert_eq!(team.say(&take(C)), Err(Refusal::NothingReady), "others' tasks may come back");
    team.finish(Settled::Landed);
    for lane in LANES {
        assert_eq!(team.say(&take(lane)), Err(Refusal::AllEnded));
    }
}

#[test]
fn every_fact_names_its_lane_and_its_task() {
    let mut team = Team::new();
    let [a, b] = [A, B].map(|lane| team.take(lane));
    team.must(&request(A, a, &[SRC]));
    team.must(&request(B, b, &[SRC]));
    team.must(&call(A, a, NARROW, 1));
    team.must(&call(B, b, NARROW, 1));
    let about = |facts: Vec<baton_core::Fact>| -> Vec<_> {
        facts.iter().map(|fact| (fact.lane.unwrap(), fact.task.unwrap())).collect()
    };
    let (of_a, of_b) = ((A, a.task()), (B, b.task()));
    assert_eq!(about(team.say(&end_call(A, a, 1)).unwrap()), [of_a, of_a, of_b, of_b], "B's call starts");
    assert_eq!(about(team.say(&settle(a, Settled::Landed)).unwrap()), [of_a, of_a, of_b], "B's lease is granted");
    assert_eq!(team.state.slots.running(B), Some(key(b, 1)));
}

/// With one restart allowed and used up, a lane is never started again; the work of its role waits for ever.
#[test]
fn work_is_stuck_once_no_lane_of_any_role_that_it_needs_will_live_again() {
    let mut team = Team::new();
    for lane in LANES {
        assert!(!team.state.board.is_stuck(0, &[]), "{lane:?} lives");
        team.must(&lose(lane));
    }
    assert!(team.state.board.is_stuck(0, &[]));
    assert!(!team.state.board.is_stuck(1, &[]), "every lane may live once more");
    assert!(!team.state.board.is_stuck(0, &[RoleId(0)]), "a lane is still to join");
}
