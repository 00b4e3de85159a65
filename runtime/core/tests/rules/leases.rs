//! Change leases, by example.

use crate::team::{A, ALL, B, C, DOCS, DOCS_A, DOCS_B, SRC, TTL_US, Team, lose, request, restore, settle};
use baton_core::board::Settled;
use baton_core::{Command, Refusal};
use baton_record::event::LeaseRequested;
use baton_record::{ChangeId, Event, FaultId, Fence, LaneId, LeaseId, ResourceId, TaskId};

fn expire(lease: u32) -> Command {
    Command::ExpireLease { lease: LeaseId(lease), fault: None }
}

/// Who holds a lease when the lanes `A`, `B`, `C` ask in this order for these resources.
fn check(wanted: [&[ResourceId]; 3], held: &[LaneId]) {
    let mut team = Team::new();
    for (lane, resources) in [A, B, C].into_iter().zip(wanted) {
        let change = team.take(lane);
        team.must(&request(lane, change, resources));
    }
    let holders: Vec<_> = team.state.leases.held().iter().map(|held| held.lane).collect();
    assert_eq!(holders, held, "{wanted:?}");
}

#[test]
fn what_overlaps_waits_and_what_does_not_is_granted() {
    check([&[DOCS_A], &[DOCS_B], &[SRC]], &[A, B, C]);
    check([&[DOCS_A], &[DOCS_A], &[SRC]], &[A, C]);
    check([&[DOCS], &[DOCS_A], &[DOCS_B]], &[A]);
    check([&[DOCS_A], &[DOCS], &[SRC]], &[A, C]);
    check([&[ALL], &[SRC], &[DOCS]], &[A]);
    check([&[SRC], &[ALL], &[DOCS]], &[A]);
    check([&[SRC, DOCS_A], &[DOCS_B], &[SRC]], &[A, B]);
}

#[test]
fn nobody_overtakes() {
    // B waits for A at docs/a, so C may not have docs/b, which is free but wanted by B before.
    check([&[DOCS_A], &[DOCS], &[DOCS_B]], &[A]);
    // Nor does B's other wish let C pass, though A is not concerned.
    check([&[DOCS_A], &[DOCS_A, SRC], &[SRC]], &[A]);
}

#[test]
fn nobody_holds_half_and_opposite_orders_do_not_deadlock() {
    check([&[DOCS_A, SRC], &[SRC, DOCS_A], &[DOCS_B]], &[A, C]);
}

#[test]
fn whoever_is_first_is_granted_in_the_decision_that_frees_the_way() {
    let mut team = Team::new();
    let [a, b, c] = [A, B, C].map(|lane| team.take(lane));
    team.must(&request(A, a, &[DOCS]));
    team.must(&request(B, b, &[DOCS_A]));
    team.must(&request(C, c, &[DOCS_B]));
    let events = team.must(&settle(a, Settled::Landed));
    let granted: Vec<_> = events.iter().filter(|event| matches!(event, Event::LeaseGranted(_))).collect();
    assert_eq!(granted.len(), 2, "both stood first: {events:?}");
    assert_eq!(team.state.leases.waiting(), []);
}

#[test]
fn a_fence_is_larger_than_every_earlier_one() {
    let mut team = Team::new();
    let change = team.take(A);
    for grant in 1..=3 {
        team.must(&request(A, change, &[DOCS]));
        assert_eq!(team.state.leases.held_for(change).unwrap().fence, Fence(grant));
        team.now_us += TTL_US;
        team.must(&expire(grant as u32 - 1));
    }
}

#[test]
fn a_lease_expires_when_its_time_is_over_and_not_before() {
    let mut team = Team::new();
    let change = team.take(A);
    team.now_us = 5;
    team.must(&request(A, change, &[DOCS]));
    team.now_us = 4 + TTL_US;
    assert_eq!(team.say(&expire(0)), Err(Refusal::TooEarly));
    team.now_us += 1;
    team.must(&expire(0));
    assert_eq!(team.say(&expire(0)), Err(Refusal::Stale));
}

#[test]
fn the_time_of_a_lease_runs_from_its_grant_and_not_from_its_request() {
    let mut team = Team::new();
    let [a, b] = [A, B].map(|lane| team.take(lane));
    team.must(&request(A, a, &[DOCS]));
    team.must(&request(B, b, &[DOCS]));
    team.now_us = TTL_US;
    team.must(&expire(0));
    assert_eq!(team.state.leases.held_for(b).unwrap().until_us, 2 * TTL_US);
}

#[test]
fn a_request_in_line_does_not_expire() {
    let mut team = Team::new();
    let [a, b] = [A, B].map(|lane| team.take(lane));
    team.must(&request(A, a, &[DOCS]));
    team.must(&request(B, b, &[DOCS]));
    team.now_us = u64::MAX;
    assert_eq!(team.say(&expire(1)), Err(Refusal::Stale));
}

#[test]
fn stale_attempt_never_gets_a_lease() {
    let mut team = Team::new();
    let first = team.take(A);
    assert_eq!(team.say(&request(B, first, &[DOCS])), Err(Refusal::Stale), "another's attempt");
    assert_eq!(team.say(&request(A, ChangeId::of(TaskId(3), 1), &[DOCS])), Err(Refusal::Stale), "nobody's attempt");
    team.must(&settle(first, Settled::Refused));
    assert_eq!(team.say(&request(A, first, &[DOCS])), Err(Refusal::Stale), "the attempt before");
    let second = team.state.board.owned_by(A).unwrap();
    team.must(&lose(A));
    team.must(&restore(A));
    assert_eq!(team.say(&request(A, second, &[DOCS])), Err(Refusal::Stale), "the attempt that it died in");
}

#[test]
fn an_attempt_that_ends_in_line_leaves_the_line() {
    for settled in [Settled::Landed, Settled::Refused] {
        let mut team = Team::new();
        let [a, b] = [A, B].map(|lane| team.take(lane));
        team.must(&request(A, a, &[DOCS]));
        team.must(&request(B, b, &[DOCS]));
        team.must(&settle(b, settled));
        assert_eq!(team.state.leases.waiting(), [], "{settled:?}");
    }
}

#[test]
fn a_dead_lanes_lease_runs_until_it_expires() {
    let mut team = Team::new();
    let [a, b] = [A, B].map(|lane| team.take(lane));
    team.must(&request(A, a, &[DOCS]));
    team.must(&request(B, b, &[DOCS]));
    team.must(&lose(A));
    team.must(&settle(a, Settled::Withdrawn));
    team.must(&restore(A));
    assert_eq!(team.state.leases.held_for(a).map(|held| held.lane), Some(A), "it may still be writing");
    team.now_us = TTL_US;
    team.must(&expire(0));
    assert!(team.state.leases.held_for(b).is_some());
}

#[test]
fn a_dead_lanes_place_in_line_is_free_at_once() {
    let mut team = Team::new();
    let [a, b, c] = [A, B, C].map(|lane| team.take(lane));
    team.must(&request(A, a, &[DOCS_A]));
    team.must(&request(B, b, &[DOCS]));
    team.must(&request(C, c, &[DOCS_B]));
    let events = team.must(&lose(B));
    assert!(events.iter().any(|event| event.felt() == Some(FaultId(7)) && matches!(event, Event::LeaseReleased(_))));
    assert!(team.state.leases.held_for(c).is_some(), "B stood in C's way");
}

#[test]
fn a_repeated_request_is_told_where_it_stands() {
    let mut team = Team::new();
    let [a, b] = [A, B].map(|lane| team.take(lane));
    team.must(&request(A, a, &[DOCS]));
    team.must(&request(B, b, &[DOCS]));
    assert_eq!(team.say(&request(A, a, &[SRC])), Err(Refusal::Repeated));
    assert_eq!(team.say(&request(B, b, &[SRC])), Err(Refusal::Waiting));
}

#[test]
fn a_request_is_written_down_in_order_and_without_doubles() {
    let mut team = Team::new();
    let change = team.take(A);
    let events = team.must(&request(A, change, &[SRC, DOCS_A, SRC]));
    let resources = vec![DOCS_A, SRC];
    let expected = LeaseRequested { lease: LeaseId(0), change, resources, ttl_us: TTL_US };
    assert_eq!(events[0], Event::LeaseRequested(expected));
}

#[test]
fn a_fence_is_raised_wherever_an_older_holder_could_write() {
    let team = Team::new();
    assert_eq!(team.state.leases.with_overlaps(&[DOCS]), [DOCS, DOCS_A, DOCS_B, ALL]);
    assert_eq!(team.state.leases.with_overlaps(&[SRC, DOCS_A]), [DOCS, DOCS_A, SRC, ALL]);
}

#[test]
fn a_raised_fence_is_remembered() {
    let mut team = Team::new();
    let change = team.take(A);
    team.must(&request(A, change, &[DOCS]));
    assert!(!team.state.leases.held_for(change).unwrap().raised);
    team.raise(LeaseId(0));
    assert!(team.state.leases.held_for(change).unwrap().raised);
}
