//! Any sequence of choices, and one line that reproduces the sequence that failed.

use crate::team::{ALL, BOUND, FILES, LANES, NARROW, TASKS, TTL_US, Team, WIDE, key, pause, restore, resume};
use baton_core::Command;
use baton_core::board::Settled;
use baton_core::slots::{CallEnd, Usage, Wanted};
use baton_record::event::DeathReason;
use baton_record::{ChangeId, Epoch, FaultId, LaneId, LeaseId, ResourceId, TaskId};
use proptest::collection::vec;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use std::cell::Cell;
use std::sync::Once;
use std::{env, panic};

thread_local! {
    /// Whether panics of this thread go to the search for a shorter tape and not to the screen.
    static SEARCHING: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Plays `cases` tapes of at most `steps` choices. A failure says how to play the shortest tape that still fails.
pub(crate) fn any_tape(test: &str, cases: u32, steps: usize, play: impl Fn(&[u32])) {
    if let Ok(tape) = env::var("TAPE") {
        let choices = tape.split(',').filter(|choice| !choice.is_empty());
        return play(&choices.map(|choice| choice.parse().expect("a tape is numbers and commas")).collect::<Vec<_>>());
    }
    HOOK.call_once(|| {
        let to_screen = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !SEARCHING.get() {
                to_screen(info);
            }
        }));
    });
    let config = Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..Config::default() };
    SEARCHING.set(true);
    let outcome = TestRunner::new(config).run(&vec(proptest::num::u32::ANY, 0..steps), |tape| {
        play(&tape);
        Ok(())
    });
    SEARCHING.set(false);
    if let Err(TestError::Fail(reason, tape)) = outcome {
        let tape: Vec<String> = tape.iter().map(u32::to_string).collect();
        panic!("{reason}: TAPE={} cargo test -p baton-core --test rules {test}", tape.join(","));
    }
    outcome.expect("every tape can be played");
}

/// A number that is taken apart choice by choice; 0 is the first of every choice.
pub(crate) struct Choice(pub(crate) u32);

impl Choice {
    /// One of `0..n`.
    pub(crate) fn of(&mut self, n: usize) -> usize {
        let chosen = self.0 as usize % n;
        self.0 /= n as u32;
        chosen
    }

    pub(crate) fn one<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.of(among.len())]
    }

    fn settled(&mut self) -> Settled {
        self.one(&[Settled::Landed, Settled::Refused, Settled::Withdrawn])
    }

    /// Mostly the present attempt of `lane`, else any.
    fn change(&mut self, team: &Team, lane: LaneId) -> ChangeId {
        let present = team.state.board.owned_by(lane);
        let any = ChangeId::of(TaskId(self.of(TASKS.len()) as u32), 1 + self.of(3) as u32);
        if self.of(4) == 3 { any } else { present.unwrap_or(any) }
    }

    /// Mostly a lease that is held, else any.
    fn lease(&mut self, team: &Team) -> LeaseId {
        let held = team.state.leases.held();
        if held.is_empty() || self.of(4) == 3 { LeaseId(self.of(12) as u32) } else { held[self.of(held.len())].lease }
    }
}

/// What one choice does to the team: time goes by, a fence is raised, or a command is said.
pub(crate) fn next(team: &mut Team, said: &[Command], choice: u32) -> Option<Command> {
    let mut choice = Choice(choice);
    let kind = choice.of(28);
    let lane = choice.one(&LANES);
    Some(match kind {
        0..=3 | 25 | 26 => team.benign(lane, choice.settled()),
        4..=6 => Command::TakeTask { lane },
        7..=9 => wish(team, lane, &mut choice),
        10..=13 => {
            let change = choice.change(team, lane);
            let (endpoint, step) = (choice.one(&[NARROW, NARROW, WIDE]), choice.of(3) as u64);
            Command::StartCall { lane, change, wanted: Wanted { endpoint, key: key(change, step), bound: BOUND } }
        }
        14 | 27 => {
            let any = key(choice.change(team, lane), choice.of(3) as u64);
            let key = team.state.slots.running(lane).filter(|_| choice.of(4) < 3).unwrap_or(any);
            let end = match choice.of(4) {
                3 => {
                    let status = choice.one(&[429, 529, 503, 500]);
                    CallEnd::Refused { status, retry_after_us: 5, fault: None }
                }
                used => CallEnd::Answered(Usage { tokens_in: 1, tokens_out: 10 * used as u64, usd_micros: 3 }),
            };
            Command::EndCall { lane, key, end }
        }
        15 => Command::Settle { change: choice.change(team, lane), settled: choice.settled(), fault: None },
        16 => Command::LoseLane { lane, reason: DeathReason::Crashed, fault: Some(FaultId(choice.of(3) as u16)) },
        17 => restore(lane),
        18 if choice.of(2) == 0 => pause(),
        18 => resume(),
        19 => Command::AcknowledgePause { epoch: Epoch(choice.of(6) as u32) },
        20 => Command::ExpireLease { lease: choice.lease(team), fault: None },
        21 if !said.is_empty() => said[choice.of(said.len())].clone(),
        22 => {
            team.raise(choice.lease(team));
            return None;
        }
        23 => {
            team.let_through(lane);
            return None;
        }
        _ => {
            team.now_us += choice.of(2 * TTL_US as usize) as u64;
            return None;
        }
    })
}

fn wish(team: &Team, lane: LaneId, choice: &mut Choice) -> Command {
    let change = choice.change(team, lane);
    let wanted = 1 + choice.of((1 << FILES.len()) - 1);
    let resources: Vec<_> = (0..=ALL.0).rev().filter(|at| wanted >> at & 1 == 1).map(ResourceId).collect();
    let ttl_us = choice.one(&[TTL_US, 0, 10, u64::MAX]);
    Command::RequestLease { lane, change, resources, ttl_us }
}
