//! Call leases, by example.

use crate::team::{A, B, C, NARROW, Team, WIDE, call, end_call, key, lose, pause, restore, resume, settle};
use baton_core::board::Settled;
use baton_core::slots::{CallEnd, Usage};
use baton_core::{Command, Refusal};
use baton_record::event::{EffectDone, SlotReleased};
use baton_record::{ChangeId, Event, FaultId};

/// Three lanes with a call each at the narrow endpoint: `A` calls, `B` waits, then `C`.
fn crowd() -> (Team, [ChangeId; 3]) {
    let mut team = Team::new();
    let changes = [A, B, C].map(|lane| team.take(lane));
    for (lane, change) in [A, B, C].into_iter().zip(changes) {
        team.must(&call(lane, change, NARROW, 1));
    }
    (team, changes)
}

fn running(team: &Team) -> Vec<bool> {
    [A, B, C].iter().map(|lane| team.state.slots.running(*lane).is_some()).collect()
}

#[test]
fn one_slot_is_one_call_and_no_limit_is_no_limit() {
    let (team, _) = crowd();
    assert_eq!((running(&team), team.state.slots.waiting()), (vec![true, false, false], 2));
    let mut team = Team::new();
    for lane in [A, B, C] {
        let change = team.take(lane);
        team.must(&call(lane, change, WIDE, 1));
    }
    assert_eq!((running(&team), team.state.slots.waiting()), (vec![true; 3], 0));
}

#[test]
fn the_next_call_starts_in_the_decision_that_frees_the_slot() {
    let (mut team, [a, b, c]) = crowd();
    team.must(&end_call(A, a, 1));
    assert_eq!(running(&team), [false, true, false]);
    team.must(&call(A, a, NARROW, 2));
    team.must(&end_call(B, b, 1));
    assert_eq!(running(&team), [false, false, true], "A came back after C");
    team.must(&end_call(C, c, 1));
    assert_eq!(running(&team), [true, false, false]);
}

#[test]
fn a_call_is_written_down_before_it_starts_and_settled_when_it_ends() {
    let mut team = Team::new();
    let change = team.take(A);
    let kinds: Vec<_> = team.must(&call(A, change, NARROW, 1)).iter().map(std::mem::discriminant).collect();
    let (tokens_in, tokens_out, usd_micros) = (11, 12, 13);
    let end = CallEnd::Answered(Usage { tokens_in, tokens_out, usd_micros });
    let events = team.must(&Command::EndCall { lane: A, key: key(change, 1), end });
    assert_eq!(kinds.len(), 3, "requested, granted, intended");
    let done = EffectDone { key: key(change, 1), tokens_in, tokens_out, usd_micros };
    let released = SlotReleased { endpoint: NARROW, fault: None };
    assert_eq!(events, [Event::EffectDone(done), Event::SlotReleased(released)]);
}

#[test]
fn a_dead_lanes_slot_is_free_at_once() {
    let (mut team, _) = crowd();
    let events = team.must(&lose(A));
    assert_eq!(running(&team), [false, true, false]);
    assert!(events.contains(&Event::SlotReleased(SlotReleased { endpoint: NARROW, fault: Some(FaultId(7)) })));
}

#[test]
fn a_dead_lane_that_waited_is_passed_over() {
    let (mut team, [a, ..]) = crowd();
    team.must(&lose(B));
    assert_eq!((running(&team), team.state.slots.waiting()), (vec![true, false, false], 1));
    team.must(&end_call(A, a, 1));
    assert_eq!(running(&team), [false, false, true]);
}

#[test]
fn an_answer_to_a_dead_lanes_call_comes_too_late() {
    let (mut team, [a, ..]) = crowd();
    team.must(&lose(A));
    team.must(&restore(A));
    assert_eq!(team.say(&end_call(A, a, 1)), Err(Refusal::Stale));
    assert_eq!(running(&team), [false, true, false], "the slot is B's now");
}

#[test]
fn stale_attempt_never_starts_a_call() {
    let mut team = Team::new();
    let change = team.take(A);
    assert_eq!(team.say(&call(B, change, NARROW, 1)), Err(Refusal::Stale));
    team.must(&settle(change, Settled::Refused));
    assert_eq!(team.say(&call(A, change, NARROW, 1)), Err(Refusal::Stale));
}

#[test]
fn a_call_in_line_does_not_outlive_its_attempt() {
    for settled in [Settled::Landed, Settled::Refused] {
        let (mut team, [a, b, _]) = crowd();
        team.must(&settle(b, settled));
        assert_eq!(team.state.slots.waiting(), 1, "{settled:?}");
        team.must(&end_call(A, a, 1));
        assert_eq!(running(&team), [false, false, true], "{settled:?}");
    }
}

#[test]
fn a_call_that_runs_outlives_its_attempt_and_is_paid_for() {
    let (mut team, [a, ..]) = crowd();
    team.must(&settle(a, Settled::Landed));
    assert_eq!(running(&team), [true, false, false]);
    team.must(&end_call(A, a, 1));
    assert_eq!(running(&team), [false, true, false]);
}

#[test]
fn a_repeated_call_is_told_where_it_stands() {
    let (mut team, [a, b, _]) = crowd();
    assert_eq!(team.say(&call(A, a, NARROW, 1)), Err(Refusal::Repeated));
    assert_eq!(team.say(&call(B, b, NARROW, 1)), Err(Refusal::Waiting));
    assert_eq!(team.say(&call(A, a, NARROW, 2)), Err(Refusal::Stale), "one call at a time");
    team.must(&end_call(A, a, 1));
    assert_eq!(team.say(&end_call(A, a, 1)), Err(Refusal::Repeated));
    assert_eq!(team.say(&end_call(B, b, 2)), Err(Refusal::Stale));
}

#[test]
fn a_call_that_ended_never_runs_again_however_late_it_is_repeated() {
    let mut team = Team::new();
    let change = team.take(A);
    for step in 1..=3 {
        team.must(&call(A, change, NARROW, step));
        team.must(&end_call(A, change, step));
    }
    for step in 1..=3 {
        assert_eq!(team.say(&call(A, change, NARROW, step)), Err(Refusal::Stale), "step {step}");
        assert_eq!(team.say(&end_call(A, change, step)), Err(Refusal::Repeated), "step {step}");
    }
}

#[test]
fn nothing_starts_while_paused_and_everything_startable_starts_on_resume() {
    let mut team = Team::new();
    let [a, b, c] = [A, B, C].map(|lane| team.take(lane));
    team.must(&call(A, a, NARROW, 1));
    team.must(&pause());
    team.must(&call(B, b, NARROW, 1));
    team.must(&call(C, c, WIDE, 1));
    team.must(&end_call(A, a, 1));
    team.must(&call(A, a, NARROW, 2));
    assert_eq!((running(&team), team.state.slots.waiting()), (vec![false; 3], 3));
    team.must(&resume());
    assert_eq!((running(&team), team.state.slots.waiting()), (vec![false, true, true], 1), "A came after B");
}

#[test]
fn a_death_in_a_pause_starts_nobody() {
    let (mut team, _) = crowd();
    team.must(&pause());
    team.must(&lose(A));
    assert_eq!(running(&team), [false; 3]);
    team.must(&resume());
    assert_eq!(running(&team), [false, true, false]);
}

#[test]
fn a_lane_starts_again_without_a_call_though_the_journal_was_cut_after_its_death() {
    let (mut team, _) = crowd();
    team.must(&lose(A));
    let died = team.journal.iter().position(|(fact, _)| matches!(fact.event, Event::LaneDied(_)));
    let mut resumed = Team::fold(&team.journal[..=died.unwrap()], team.now_us);
    assert_eq!(running(&resumed), [true, false, false]);
    resumed.must(&restore(A));
    assert_eq!(running(&resumed), [false, true, false]);
}
