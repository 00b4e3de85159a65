//! Operators' orders, by example: what each makes true, and which of them change nothing.

use crate::team::{A, B, C, DOCS, LANES, NARROW, TTL_US, Team, WIDE, call, end_call, lose, request, restore, settle};
use baton_core::board::{Settled, TaskState};
use baton_core::orders::{Clones, Heir, NewLimit, Order};
use baton_core::{Command, Fact, Refusal};
use baton_record::event::{BudgetScope, BudgetSet, LaneRetired, Limit, OperatorCommand, RetireReason, ReturnReason};
use baton_record::{ChangeId, Event, Fence, LaneId, RoleId, TaskId};

pub(crate) fn order(order: Order) -> Command {
    Command::Order { order, by: "ada".to_owned(), reason: "because".to_owned() }
}

pub(crate) fn add(lanes: u32, lanes_max: u32) -> Command {
    let (role, name, model) = (RoleId(0), "role-0".to_owned(), NARROW);
    order(Order::Add(Clones { role, name, model, lanes, lanes_max }))
}

fn to_lane(task: u32, lane: LaneId) -> Command {
    order(Order::Reassign { task: TaskId(task), heir: Heir::Lane(lane) })
}

fn to_role(task: u32) -> Command {
    order(Order::Reassign { task: TaskId(task), heir: Heir::Role(RoleId(0), "role-0".to_owned()) })
}

fn commands(facts: &[Event]) -> Vec<OperatorCommand> {
    let given = |event: &Event| match event {
        Event::CommandGiven(given) => Some(given.command),
        _ => None,
    };
    facts.iter().filter_map(given).collect()
}

#[test]
fn clones_join_behind_the_lanes_that_are_there_and_take_work() {
    let mut team = Team::new();
    let facts = team.must(&add(2, 5));
    assert_eq!(commands(&facts), [OperatorCommand::Add]);
    let joined = facts.iter().filter_map(|event| match event {
        Event::LaneJoined(joined) => Some(joined.id),
        _ => None,
    });
    assert_eq!(joined.collect::<Vec<_>>(), [LaneId(3), LaneId(4)]);
    assert_eq!(team.take(LaneId(4)).task(), TaskId(0));
    assert_eq!(team.say(&add(1, 5)), Err(Refusal::Full), "the team has as many lanes as it may have");
}

#[test]
fn who_is_taken_out_counts_until_it_has_ended_what_it_has_begun() {
    let mut team = Team::new();
    let change = team.take(A);
    team.must(&order(Order::Remove { lane: A }));
    assert_eq!(team.say(&add(1, 3)), Err(Refusal::Full), "it is still at work");
    team.must(&settle(change, Settled::Landed));
    team.must(&add(1, 3));
}

#[test]
fn a_clone_has_the_limit_that_lanes_have() {
    let mut team = Team::new();
    let limit = Limit { requests: Some(1), ..Limit::default() };
    for lane in LANES {
        let set = BudgetSet { scope: BudgetScope::Lane, role: None, limit, by: None, reason: None };
        team.must(&order(Order::Budget(vec![NewLimit { set, role: None, lane: Some(lane) }])));
    }
    team.must(&add(1, 5));
    let clone = LaneId(3);
    assert_eq!(team.state.ledger.limit(BudgetScope::Lane, (None, Some(clone))), Some(limit));
    let change = team.take(clone);
    team.must(&call(clone, change, WIDE, 0));
    team.must(&end_call(clone, change, 0));
    let facts = team.must(&call(clone, change, WIDE, 1));
    assert!(facts.iter().any(|event| matches!(event, Event::CallRefused(_))), "one call was all that it may make");
}

#[test]
fn a_lane_that_is_taken_out_ends_what_it_has_begun_and_takes_no_more() {
    let mut team = Team::new();
    let change = team.take(A);
    let facts = team.must(&order(Order::Remove { lane: A }));
    assert!(facts.contains(&Event::LaneRetired(LaneRetired { reason: RetireReason::Removed })));
    assert_eq!(team.say(&order(Order::Remove { lane: A })), Err(Refusal::Repeated));
    team.must(&call(A, change, WIDE, 0));
    team.must(&end_call(A, change, 0));
    let facts = team.must(&settle(change, Settled::Refused));
    let again = facts.iter().any(|event| matches!(event, Event::TaskAssigned(_)));
    assert!(!again, "the next attempt is somebody else's");
    assert_eq!(team.say(&Command::TakeTask { lane: A }), Err(Refusal::AllEnded), "there is nothing left for it");
    assert_eq!(team.take(B).task(), change.task());
}

#[test]
fn a_task_moves_only_after_its_attempt_is_closed() {
    let mut team = Team::new();
    let first = team.take(A);
    team.must(&request(A, first, &[DOCS]));
    team.must(&to_lane(0, B));
    assert_eq!(team.state.board.state(TaskId(0)), TaskState::Owned(A), "the merger has not spoken yet");
    assert_eq!(team.state.board.leaving(), [(A, first)]);
    assert_eq!(team.say(&call(A, first, WIDE, 0)), Err(Refusal::Stale), "nothing more for that attempt");
    assert_eq!(team.say(&Command::TakeTask { lane: A }), Err(Refusal::NothingReady));
    let facts = team.must(&settle(first, Settled::Withdrawn));
    let returned = facts.iter().any(|event| match event {
        Event::TaskReturned(returned) => returned.reason == ReturnReason::Reassigned,
        _ => false,
    });
    assert!(returned && facts.iter().any(|event| matches!(event, Event::LeaseReleased(_))), "{facts:?}");
    assert_ne!(team.take(A).task(), TaskId(0), "it is kept for the other");
    assert_eq!(team.take(B), ChangeId::of(TaskId(0), 2));
}

#[test]
fn a_task_that_lands_before_its_attempt_is_closed_is_done() {
    let mut team = Team::new();
    let change = team.take(A);
    team.must(&to_lane(0, B));
    team.must(&settle(change, Settled::Landed));
    assert_eq!(team.state.board.state(TaskId(0)), TaskState::Done(change));
    assert_eq!(team.say(&to_lane(0, B)), Err(Refusal::Stale), "it has ended");
}

#[test]
fn giving_a_task_to_another_uses_up_no_attempt() {
    let mut team = Team::new();
    let first = team.take(A);
    team.must(&settle(first, Settled::Landed));
    // One attempt is all that this one has.
    let only = team.take(A);
    team.must(&to_lane(1, B));
    team.must(&settle(only, Settled::Withdrawn));
    let second = team.take(B);
    assert_eq!(second, ChangeId::of(TaskId(1), 2));
    team.must(&settle(second, Settled::Refused));
    assert_eq!(team.state.board.state(TaskId(1)), TaskState::Failed);
}

#[test]
fn to_a_role_is_to_anybody_of_it_but_the_former_owner() {
    let mut team = Team::new();
    let first = team.take(A);
    team.must(&to_role(0));
    team.must(&settle(first, Settled::Withdrawn));
    assert_ne!(team.take(A).task(), TaskId(0));
    assert_eq!(team.take(B).task(), TaskId(0));
    assert_eq!(team.say(&to_role(2)), Err(Refusal::Repeated), "nobody has it, and anybody may take it");
}

#[test]
fn the_last_of_two_operators_wins() {
    let mut team = Team::new();
    let first = team.take(A);
    team.must(&add(1, 9));
    team.must(&to_lane(0, B));
    assert_eq!(team.say(&to_lane(0, B)), Err(Refusal::Repeated));
    team.must(&to_lane(0, LaneId(3)));
    team.must(&settle(first, Settled::Withdrawn));
    assert_ne!(team.take(B).task(), TaskId(0));
    assert_eq!(team.take(LaneId(3)).task(), TaskId(0));
}

#[test]
fn a_task_is_kept_for_nobody_who_cannot_take_it() {
    let mut team = Team::new();
    team.must(&to_lane(0, B));
    team.must(&lose(B));
    assert_eq!(team.take(A).task(), TaskId(0));
    for gone in [C, LaneId(9)] {
        assert_eq!(team.say(&to_lane(1, gone)), Err(Refusal::Stale), "of another role, or nobody");
    }
    assert_eq!(team.say(&to_lane(1, B)), Err(Refusal::Stale), "it is dead");
}

#[test]
fn a_lease_that_is_taken_away_has_a_fence_of_its_own_below_the_next_grant() {
    let mut team = Team::new();
    let (a, b) = (team.take(A), team.take(B));
    team.must(&request(A, a, &[DOCS]));
    team.must(&request(B, b, &[DOCS]));
    let taken = team.say(&order(Order::Release { lane: A })).unwrap();
    let events: Vec<&Event> = taken.iter().map(|fact: &Fact| &fact.event).collect();
    let [Event::CommandGiven(_), Event::LeaseReleased(end), Event::LeaseGranted(grant)] = events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((end.fence, grant.fence), (Some(Fence(2)), Fence(3)));
    assert_eq!(team.state.leases.shutting().len(), 1, "until its fence stands");
    team.shut(Fence(2));
    assert_eq!(team.state.leases.shutting(), []);
    assert_eq!(team.say(&order(Order::Release { lane: A })), Err(Refusal::Stale), "it holds nothing");
    assert_eq!(team.say(&order(Order::Release { lane: LaneId(7) })), Err(Refusal::Stale), "there is no such lane");
}

#[test]
fn what_a_dead_lane_holds_may_be_taken_from_it_before_its_time_is_over() {
    let mut team = Team::new();
    let change = team.take(A);
    team.must(&request(A, change, &[DOCS]));
    team.must(&lose(A));
    team.must(&order(Order::Release { lane: A }));
    assert!(team.state.leases.held().is_empty() && team.now_us < TTL_US);
}

#[test]
fn a_lane_is_killed_once_a_life() {
    let mut team = Team::new();
    team.must(&order(Order::Kill { lane: A }));
    assert_eq!(team.say(&order(Order::Kill { lane: A })), Err(Refusal::Repeated), "it dies already");
    assert_eq!(team.state.board.condemned(), [A]);
    team.must(&lose(A));
    assert_eq!(team.say(&order(Order::Kill { lane: A })), Err(Refusal::Stale), "it is dead");
    team.must(&restore(A));
    team.must(&order(Order::Kill { lane: A }));
}

#[test]
fn a_run_is_stopped_once_and_a_stopped_run_is_drained() {
    let mut team = Team::new();
    team.must(&order(Order::Drain));
    assert_eq!(team.say(&order(Order::Drain)), Err(Refusal::Repeated));
    team.must(&order(Order::Stop));
    assert_eq!(team.say(&order(Order::Stop)), Err(Refusal::Repeated));
    assert_eq!(team.say(&order(Order::Drain)), Err(Refusal::Repeated));
}

#[test]
fn a_drained_run_still_ends_what_changes_hands() {
    let mut team = Team::new();
    let first = team.take(A);
    team.must(&order(Order::Drain));
    team.must(&to_lane(0, B));
    team.must(&settle(first, Settled::Withdrawn));
    assert!(!team.state.board.is_drained(), "it was begun");
    let second = team.take(B);
    team.must(&settle(second, Settled::Landed));
    assert!(team.state.board.is_drained());
    assert_eq!(team.say(&Command::TakeTask { lane: A }), Err(Refusal::Draining));
}
