//! Pauses, by example; what they do to calls stands with the slots.

use crate::team::{A, SRC, Team, pause, request, resume};
use baton_core::{Command, Refusal};
use baton_record::event::{PauseRequested, Resumed};
use baton_record::{Epoch, Event};

fn acknowledge(epoch: u32) -> Command {
    Command::AcknowledgePause { epoch: Epoch(epoch) }
}

#[test]
fn a_pause_opens_an_odd_epoch_and_a_resume_an_even_one() {
    let mut team = Team::new();
    for round in 0..3 {
        let (by, reason) = ("ada".to_owned(), "quiet".to_owned());
        let paused = PauseRequested { epoch: Epoch(2 * round + 1), by: by.clone(), reason };
        assert_eq!(team.must(&pause()), [Event::PauseRequested(paused)]);
        let resumed = Resumed { epoch: Epoch(2 * round + 2), by, reason: "go on".to_owned() };
        assert_eq!(team.must(&resume()), [Event::Resumed(resumed)]);
    }
}

#[test]
fn a_pause_in_a_pause_and_a_resume_without_one_are_repeats() {
    let mut team = Team::new();
    assert_eq!(team.say(&resume()), Err(Refusal::Repeated));
    team.must(&pause());
    assert_eq!(team.say(&pause()), Err(Refusal::Repeated));
    assert_eq!(team.state.pause.epoch(), Epoch(1));
}

#[test]
fn only_the_present_pause_is_acknowledged() {
    let mut team = Team::new();
    assert_eq!(team.say(&acknowledge(0)), Err(Refusal::Stale));
    team.must(&pause());
    team.must(&acknowledge(1));
    assert!(team.state.pause.acknowledged());
    assert_eq!(team.say(&acknowledge(1)), Err(Refusal::Repeated));
    team.must(&resume());
    assert_eq!(team.say(&acknowledge(1)), Err(Refusal::Stale));
    team.must(&pause());
    assert!(!team.state.pause.acknowledged(), "a new pause is not acknowledged by the old word");
    assert_eq!(team.say(&acknowledge(1)), Err(Refusal::Stale));
    team.must(&acknowledge(3));
}

#[test]
fn a_task_and_a_lease_may_be_had_in_a_pause_because_neither_is_an_effect() {
    let mut team = Team::new();
    team.must(&pause());
    let change = team.take(A);
    team.must(&request(A, change, &[SRC]));
    assert!(team.state.leases.held_for(change).is_some());
}
