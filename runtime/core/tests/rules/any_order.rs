//! Any sequence of commands: valid, repeated, stale, out of order, with deaths, restarts, expiry and pauses.

use crate::lease_model::LeaseModel;
use crate::pause_model::PauseModel;
use crate::slot_model::SlotModel;
use crate::tape::{Choice, any_tape, next};
use crate::task_model::TaskModel;
use crate::team::{LANES, Team, lose, no_second_effect, restore};
use baton_core::board::Settled;
use baton_core::{Command, Supervision};
use baton_record::{Event, LaneId, LeaseId};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

const CASES: u32 = 600;
const STEPS: usize = 200;

/// Plays a tape; `each` sees every command with the state before it, the events if it was accepted, and the state after.
fn play(tape: &[u32], mut each: impl FnMut(&Command, &Supervision, Answer<'_>, &Team)) -> (Team, Vec<Command>) {
    let mut team = Team::new();
    let mut said: Vec<Command> = Vec::new();
    for choice in tape {
        let Some(command) = next(&mut team, &said, *choice) else { continue };
        let before = team.state.clone();
        let answer = team.say(&command);
        let events = answer.as_ref().map(|facts| facts.iter().map(|fact| (fact.lane, &fact.event)).collect());
        each(&command, &before, events.map_err(|refusal| *refusal), &team);
        if answer.is_ok() {
            said.push(command);
        }
    }
    (team, said)
}

type Answer<'a> = Result<Vec<(Option<LaneId>, &'a Event)>, baton_core::Refusal>;

#[test]
fn leases_never_overlap_and_nobody_overtakes_or_sleeps_on() {
    any_tape("leases_never_overlap", CASES, STEPS, |tape| {
        let mut model = LeaseModel::default();
        play(tape, |command, before, answer, team| {
            if let Some(expected) = model.expected(command, before, team.now_us) {
                assert_eq!(answer.as_ref().map(|_| ()).map_err(|refusal| *refusal), expected, "{command:?}");
            }
            if answer.is_ok() {
                model.follow(command, team.now_us);
            }
            model.check(&team.state.leases);
        });
    });
}

#[test]
fn calls_never_exceed_slots_and_start_in_order_and_as_soon_as_they_may() {
    any_tape("calls_never_exceed_slots", CASES, STEPS, |tape| {
        let mut model = SlotModel::default();
        play(tape, |command, before, answer, team| {
            if let Some(expected) = model.expected(command, before) {
                assert_eq!(answer.as_ref().map(|_| ()).map_err(|refusal| *refusal), expected, "{command:?}");
            }
            let Ok(events) = answer else { return };
            let granted = events.iter().filter(|(_, event)| matches!(event, Event::SlotGranted(_)));
            let granted: Vec<_> = granted.filter_map(|(lane, _)| *lane).collect();
            let intended = events.iter().filter(|(_, event)| matches!(event, Event::EffectIntended(_)));
            assert_eq!(granted, intended.filter_map(|(lane, _)| *lane).collect::<Vec<_>>(), "a slot is for a call");
            assert!(granted.is_empty() || !team.state.pause.epoch().paused(), "nothing starts while paused");
            assert_eq!(granted, model.follow(command, before, &team.state.board), "who starts upon {command:?}");
            model.check(&team.state.slots);
        });
    });
}

#[test]
fn a_task_has_one_owner_and_no_more_attempts_than_allowed() {
    any_tape("a_task_has_one_owner_and", CASES, STEPS, |tape| {
        let mut model = TaskModel::default();
        play(tape, |command, _, answer, team| {
            if let Some(expected) = model.expected(command) {
                assert_eq!(answer.as_ref().map(|_| ()).map_err(|refusal| *refusal), expected, "{command:?}");
            }
            if answer.is_ok() {
                model.follow(command);
            }
            model.check(&team.state.board);
        });
    });
}

#[test]
fn a_pause_is_one_epoch_and_acknowledged_once() {
    any_tape("a_pause_is_one_epoch", CASES, STEPS, |tape| {
        let mut model = PauseModel::default();
        play(tape, |command, _, answer, team| {
            if let Some(expected) = model.expected(command) {
                assert_eq!(answer.as_ref().map(|_| ()).map_err(|refusal| *refusal), expected, "{command:?}");
            }
            if answer.is_ok() {
                model.follow(command);
            }
            model.check(&team.state.pause);
        });
    });
}

/// One pass over the journal, without any model: what a reader can hold against the supervisor.
#[test]
fn the_journal_alone_shows_that_attempts_and_fences_have_no_gaps() {
    any_tape("the_journal_alone", CASES, STEPS, |tape| {
        let (mut team, _) = play(tape, |_, _, _, _| {});
        team.finish(Settled::Refused);
        let (mut owners, mut attempts, mut fence) = (BTreeMap::new(), BTreeMap::new(), 0);
        let mut ended = BTreeSet::new();
        for (fact, _) in &team.journal {
            match &fact.event {
                Event::TaskAssigned(assigned) => {
                    assert_eq!(owners.insert(fact.task, fact.lane), None, "one owner at a time");
                    let attempt: &mut u32 = attempts.entry(fact.task).or_default();
                    *attempt += 1;
                    assert_eq!(*attempt, assigned.attempt, "attempts have no gaps");
                    assert!(!ended.contains(&fact.task), "what has ended is not begun again");
                }
                Event::TaskReturned(_) => assert_eq!(owners.remove(&fact.task), Some(fact.lane)),
                Event::TaskDone(_) | Event::TaskFailed(_) => {
                    assert_eq!(owners.remove(&fact.task), Some(fact.lane));
                    assert!(ended.insert(fact.task), "a task ends once");
                }
                Event::LeaseGranted(grant) => {
                    assert_eq!(grant.fence.0, fence + 1, "fences have no gaps");
                    fence += 1;
                }
                _ => {}
            }
        }
        assert_eq!((owners.len(), ended.len()), (0, 6), "nobody owns what has ended, and everything has");
    });
}

#[test]
fn every_lease_and_every_call_is_of_an_attempt_that_its_lane_works_on_when_it_begins() {
    any_tape("every_lease_and_every_call", CASES, STEPS, |tape| {
        play(tape, |command, before, answer, _| {
            for (lane, event) in answer.unwrap_or_default() {
                let lane = lane.unwrap_or_default();
                match event {
                    Event::LeaseGranted(grant) => {
                        let change = before.leases.waiting().iter().find(|waiting| waiting.lease == grant.lease);
                        let change = change.map(|waiting| waiting.change);
                        assert!(change.is_none_or(|change| before.board.works_on(lane, change)), "{command:?}");
                    }
                    Event::EffectIntended(effect) => {
                        let attempt = before.board.owned_by(lane).map(|change| u64::from(change.0));
                        assert_eq!(attempt, Some(effect.key.0 >> 8), "{command:?}");
                    }
                    _ => {}
                }
            }
        });
    });
}

#[test]
fn from_any_state_every_task_can_still_end() {
    any_tape("from_any_state", CASES, STEPS, |tape| {
        let (team, _) = play(tape, |_, _, _, _| {});
        for settled in [Settled::Landed, Settled::Refused] {
            team.clone().finish(settled);
        }
    });
}

#[test]
fn folding_what_was_decided_gives_the_live_state() {
    any_tape("folding_what_was_decided", CASES, STEPS, |tape| {
        let mut steps = 0;
        let (mut team, _) = play(tape, |_, _, _, team| {
            steps += 1;
            if steps % 8 == 0 {
                assert_eq!(Team::fold(&team.journal, team.now_us).state, team.state);
            }
        });
        team.finish(Settled::Landed);
        assert_eq!(Team::fold(&team.journal, team.now_us).state, team.state);
    });
}

/// Commands that name what they are about. The others (take, pause, resume, a death, a restart) are new wishes when
/// they come again later; that they are harmless when they come again at once is checked wherever a command is said.
#[test]
fn a_repeated_command_never_has_a_second_effect() {
    any_tape("a_repeated_command", CASES, STEPS, |tape| {
        let mut accepted: Vec<Command> = Vec::new();
        let mut ended: BTreeSet<LeaseId> = BTreeSet::new();
        play(tape, |command, _, answer, team| {
            let Ok(events) = answer else { return };
            for (_, event) in events {
                if let Event::LeaseExpired(end) = event {
                    ended.insert(end.lease);
                }
            }
            accepted.push(command.clone());
            let named = accepted.iter().filter(|command| {
                use Command::{AcknowledgePause, EndCall, ExpireLease, RequestLease, Settle, StartCall};
                let timeless =
                    matches!(command, AcknowledgePause { .. } | EndCall { .. } | ExpireLease { .. } | Settle { .. });
                // A lease that expired may be asked for again.
                let again = matches!(command, RequestLease { .. }) && ended.is_empty();
                timeless || again || matches!(command, StartCall { .. })
            });
            for command in named {
                assert!(no_second_effect(team.state.decide(command, team.now_us)), "said again later: {command:?}");
            }
        });
    });
}

/// After a crash the journal is a prefix, and it may end within a decision. Then every lane is gone.
#[test]
fn a_journal_cut_anywhere_can_go_on() {
    any_tape("a_journal_cut_anywhere", CASES, STEPS, |tape| {
        let (team, _) = play(tape, |_, _, _, _| {});
        let setup = Team::new().journal.len();
        let mut choice = Choice(tape.iter().fold(0, |sum: u32, choice| sum.wrapping_add(*choice)));
        let end = setup + choice.of(team.journal.len() - setup + 1);
        let mut resumed = Team::fold(&team.journal[..end], team.now_us);
        for lane in LANES {
            let _ = resumed.say(&lose(lane));
        }
        for lane in LANES {
            resumed.must(&restore(lane));
            assert_eq!(resumed.state.slots.running(lane), None, "a lane starts again without a call");
        }
        assert_eq!((resumed.state.slots.waiting(), resumed.state.leases.waiting()), (0, &[][..]), "and in no line");
        resumed.finish(Settled::Landed);
    });
}

/// Counts what a hash of a state reads: every number and flag as wide as it is, one byte for which variant it is, and
/// four for how long a list is, because everything that can be in one has a number of 32 bits.
#[derive(Default)]
struct Bytes(usize);

impl Hasher for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    fn write_isize(&mut self, _: isize) {
        self.0 += 1;
    }

    fn write_usize(&mut self, _: usize) {
        self.0 += 4;
    }

    fn finish(&self) -> u64 {
        self.0 as u64
    }
}

#[test]
fn the_state_of_three_lanes_stays_within_one_kibibyte() {
    let largest = Cell::new(0);
    any_tape("the_state_of_three_lanes", 100, STEPS, |tape| {
        play(tape, |_, _, _, team| {
            let mut bytes = Bytes::default();
            team.state.hash(&mut bytes);
            largest.set(largest.get().max(bytes.0));
        });
    });
    assert!((256..=1024).contains(&largest.get()), "{} bytes", largest.get());
}

/// What a command led to, where it is of the kind that the sequences are there to find.
fn rarity(command: &Command, before: &Supervision, lane: Option<LaneId>, event: &Event) -> Option<&'static str> {
    let dead = lane.is_some_and(|lane| !before.board.is_alive(lane));
    match (event, command) {
        (Event::LeaseGranted(_), Command::RequestLease { .. }) => None,
        (Event::LeaseGranted(_), _) => Some("a lease granted in line"),
        (Event::LeaseExpired(_), _) if dead => Some("a dead lane's lease that expires"),
        (Event::SlotGranted(_), Command::EndCall { .. }) => Some("a call that starts when another ends"),
        (Event::SlotGranted(_), Command::LoseLane { .. }) => Some("a call that starts when another's lane dies"),
        (Event::SlotGranted(_), Command::Resume { .. }) => Some("a call that starts on resume"),
        (Event::EffectFailed(_), _) if before.slots.waiting() > 0 => Some("a refusal while others wait"),
        (Event::SlotReleased(_), Command::Settle { .. }) => Some("a call in line whose attempt ends"),
        (Event::LeaseReleased(_), Command::LoseLane { .. }) => Some("a dead lane's place in line"),
        (Event::TaskFailed(_), _) => Some("a task given up"),
        (Event::TaskDone(_), _) if dead => Some("a dead lane's task that is done"),
        (Event::TaskReturned(_), Command::Settle { settled: Settled::Withdrawn, .. }) => Some("a task without owner"),
        (Event::LaneRestarted(restart), _) if restart.restarts > 1 => Some("a second restart"),
        _ => None,
    }
}

/// A claim about any sequence is worth what the sequences reach.
#[test]
fn the_sequences_reach_what_they_are_there_to_find() {
    let reached = RefCell::new(BTreeMap::new());
    any_tape("the_sequences_reach", CASES, STEPS, |tape| {
        play(tape, |command, before, answer, _| match answer {
            Ok(events) => {
                for what in events.into_iter().filter_map(|(lane, event)| rarity(command, before, lane, event)) {
                    *reached.borrow_mut().entry(what.to_owned()).or_insert(0) += 1;
                }
            }
            Err(refusal) => *reached.borrow_mut().entry(format!("{refusal:?}")).or_insert(0) += 1,
        });
    });
    let reached = reached.into_inner();
    // Twelve rarities and every refusal but `Full`, which is the merge queue's.
    assert_eq!(reached.len(), 12 + 6, "{reached:#?}");
    assert!(reached.values().all(|times| *times >= 10), "{reached:#?}");
}
