//! Tasks that are handed on, judged and given back, and groups that wait: by example, and in any order.

use crate::tape::{Choice, any_tape};
use crate::team::{A, B, C, LANES, TASKS, Team, give_back, lose, no_second_effect, restore, settle};
use crate::way_model::WayModel;
use baton_core::board::{Desk, Offer, Settled, TaskState};
use baton_core::{Command, Refusal};
use baton_record::event::{DeathReason, FailReason, PacketOffered, PacketPurpose, ReturnReason, ReviewItem};
use baton_record::{ChangeId, Event, FaultId, LaneId, PacketId, TaskId};
use std::cell::RefCell;
use std::collections::BTreeMap;

const CASES: u32 = 400;
const STEPS: usize = 160;
const HANDED_MAX: u32 = 6;

fn hand_over(lane: LaneId, change: ChangeId, purpose: PacketPurpose, (flawed, before): (bool, u16)) -> Command {
    let (packet, digest, to) = (PacketId(0), "d".to_owned(), "role".to_owned());
    let packet = PacketOffered { packet, digest, bytes: 1, to, purpose, change };
    let flaws = if flawed { vec!["at /links/0: nothing is there".to_owned()] } else { Vec::new() };
    Command::HandOver { lane, offer: Offer { packet, flaws, fault: None, before, asks: None }, handed_max: HANDED_MAX }
}

fn review(lane: LaneId, change: ChangeId, approved: bool) -> Command {
    let reason = if approved { String::new() } else { "no".to_owned() };
    let items = vec![ReviewItem { item: 0, held: approved, reason }];
    Command::Review { lane, change, approved, items, asks: None }
}

fn own(team: &Team, lane: LaneId) -> ChangeId {
    team.state.board.owned_by(lane).unwrap()
}

/// A's first task, handed to C to be judged.
fn at_review() -> (Team, ChangeId) {
    let mut team = Team::handing();
    let made = team.take(A);
    team.must(&hand_over(A, made, PacketPurpose::Review, (false, 0)));
    (team, made)
}

#[test]
fn an_accepted_packet_moves_its_task_to_whoever_judges_and_a_flawed_one_moves_nothing() {
    let mut team = Team::handing();
    let made = team.take(A);
    let events = team.must(&hand_over(A, made, PacketPurpose::Review, (true, 0)));
    assert!(
        matches!(events.as_slice(), [Event::PacketOffered(_), Event::PacketRefused(refused)] if !refused.flaws.is_empty())
    );
    assert_eq!(team.state.board.state(made.task()), TaskState::Owned(A));
    assert_eq!(team.say(&hand_over(A, made, PacketPurpose::Review, (true, 0))), Err(Refusal::Repeated));
    let events = team.must(&hand_over(A, made, PacketPurpose::Review, (false, 1)));
    let [Event::PacketOffered(offered), Event::PacketAccepted(_), Event::TaskReturned(returned)] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!((offered.packet, returned.reason), (PacketId(1), ReturnReason::HandedOver));
    assert_eq!(team.state.board.brief(made.task()).unwrap().desk, Desk::Review);
    assert_eq!(team.take(C).task(), made.task(), "the first that C may take");
}

#[test]
fn what_is_not_approved_is_made_anew_and_counts_as_no_attempt() {
    let (mut team, made) = at_review();
    for round in 1..=4 {
        team.take(C);
        let events = team.must(&review(C, own(&team, C), false));
        let Event::ReviewGiven(given) = &events[0] else { panic!("{events:?}") };
        assert_eq!(given.round, round);
        let lane = if team.state.board.owned_by(B).is_none() { B } else { A };
        let again = team.take(lane);
        assert_eq!(again.task(), made.task());
        team.must(&hand_over(lane, again, PacketPurpose::Review, (false, 0)));
    }
    assert_eq!(team.state.board.state(made.task()), TaskState::Ready);
}

#[test]
fn an_approved_change_lands_by_its_judge_and_a_refused_one_goes_back_to_the_start() {
    let (mut team, made) = at_review();
    let judged = team.take(C);
    team.must(&review(C, judged, true));
    assert_eq!(team.say(&review(C, judged, true)), Err(Refusal::Repeated));
    assert!(team.state.board.is_reviewed(made.task()));
    let mut other = team.clone();
    team.must(&settle(judged, Settled::Landed));
    assert_eq!(team.state.board.state(made.task()), TaskState::Done(judged));
    let events = other.must(&settle(judged, Settled::Refused));
    assert!(matches!(events.as_slice(), [Event::TaskReturned(_)]), "its judge does not make it: {events:?}");
    assert_eq!(other.state.board.brief(made.task()), None);
}

#[test]
fn a_judge_who_dies_costs_no_attempt() {
    let (mut team, made) = at_review();
    for _ in 0..5 {
        let judged = team.take(C);
        team.must(&lose(C));
        team.must(&restore(C));
        team.must(&settle(judged, Settled::Withdrawn));
    }
    assert_eq!(team.take(C).task(), made.task());
}

#[test]
fn a_successor_goes_on_and_is_another_lane_where_there_is_one() {
    let mut team = Team::handing();
    let first = team.take(A);
    team.must(&hand_over(A, first, PacketPurpose::Successor, (false, 0)));
    assert_ne!(team.take(A).task(), first.task(), "B is there");
    assert_eq!(team.take(B).task(), first.task());
    let brief = team.state.board.brief(first.task()).unwrap();
    assert_eq!((brief.purpose, brief.desk), (PacketPurpose::Successor, Desk::Work));
    let mut team = Team::handing();
    for _ in 0..3 {
        let change = team.take(A);
        team.must(&settle(change, Settled::Landed));
    }
    let alone = team.take(C);
    team.must(&hand_over(C, alone, PacketPurpose::Successor, (false, 0)));
    assert_eq!(team.take(C).task(), alone.task(), "nobody else can go on");
}

#[test]
fn a_task_is_handed_on_no_more_often_than_it_may_be() {
    let mut team = Team::handing();
    let mut lanes = [A, B].into_iter().cycle();
    let first = team.take(A);
    for handed in 0..=HANDED_MAX {
        let lane = lanes.next().unwrap();
        let change = own(&team, lane);
        let events = team.must(&hand_over(lane, change, PacketPurpose::Successor, (false, 0)));
        let moved = matches!(events.last(), Some(Event::TaskReturned(_)));
        assert_eq!(moved, handed < HANDED_MAX, "{handed}");
        if moved {
            let next = if lane == A { B } else { A };
            assert_eq!(team.take(next).task(), first.task());
        }
    }
}

#[test]
fn what_is_given_back_for_the_last_time_is_given_up_and_what_waits_for_it_with_it() {
    let mut team = Team::handing();
    let (first, only) = (team.take(A), team.take(B));
    assert_eq!(team.state.board.state(TaskId(3)), TaskState::Blocked);
    team.must(&give_back(A, first, ReturnReason::NoPacket));
    let events = team.must(&give_back(B, only, ReturnReason::NoPacket));
    let reasons: Vec<FailReason> = events
        .iter()
        .map(|event| match event {
            Event::TaskFailed(failed) => failed.reason,
            other => panic!("{other:?}"),
        })
        .collect();
    let vain = FailReason::Prerequisite;
    assert_eq!(reasons, [FailReason::AttemptsUsedUp, vain, vain, vain], "T-1, and T-3, T-4 and T-5 behind it");
    assert_eq!(team.state.board.state(TaskId(5)), TaskState::Failed);
    team.finish(Settled::Landed);
}

#[test]
fn a_group_begins_once_everything_before_it_has_ended() {
    let mut team = Team::handing();
    for _ in 0..3 {
        assert_eq!(team.say(&Command::TakeTask { lane: C }), Err(Refusal::NothingReady));
        let change = team.take(A);
        team.must(&settle(change, Settled::Landed));
    }
    assert_eq!((team.take(C).task(), team.take(A).task()), (TaskId(4), TaskId(3)));
    assert_eq!(team.state.board.state(TaskId(5)), TaskState::Blocked);
}

/// Whoever owns an attempt at the end of its numbers gives the task up, however it was come by.
#[test]
fn numbers_of_attempts_end_and_with_them_the_task() {
    let (mut team, made) = at_review();
    loop {
        let judged = team.take(C);
        team.must(&lose(C));
        team.must(&restore(C));
        let events = team.must(&settle(judged, Settled::Withdrawn));
        if matches!(events[0], Event::TaskFailed(_)) {
            assert_eq!(judged.attempt(), 1_024);
            break;
        }
    }
    assert_eq!(team.state.board.state(made.task()), TaskState::Failed);
}

/// What one choice does to the team.
fn next(team: &mut Team, said: &[Command], choice: u32) -> Option<Command> {
    let mut choice = Choice(choice);
    let kind = choice.of(22);
    let lane = choice.one(&LANES);
    let present = team.state.board.owned_by(lane);
    let any = ChangeId::of(TaskId(choice.of(TASKS.len()) as u32), 1 + choice.of(3) as u32);
    let change = if choice.of(5) == 4 { any } else { present.unwrap_or(any) };
    let desk = team.state.board.brief(change.task()).map_or(Desk::Work, |brief| brief.desk);
    Some(match kind {
        0 | 1 => team.benign(lane, choice.one(&[Settled::Landed, Settled::Refused])),
        2..=6 => Command::TakeTask { lane },
        7..=11 => {
            let purposes = match desk {
                Desk::Work => [PacketPurpose::Review, PacketPurpose::Review, PacketPurpose::Successor],
                Desk::Review => [PacketPurpose::LastTurn, PacketPurpose::Successor, PacketPurpose::Review],
            };
            // Only what has somebody to judge it is handed to them.
            let purpose = match choice.one(&purposes) {
                PacketPurpose::Review if !Team::is_judged(change.task()) => PacketPurpose::Successor,
                purpose => purpose,
            };
            let flawed = choice.of(4) == 3;
            hand_over(lane, change, purpose, (flawed, choice.one(&[0, 0, 1, 2])))
        }
        12..=15 => review(lane, change, choice.of(3) != 2),
        16 => give_back(lane, change, choice.one(&[ReturnReason::NoPacket, ReturnReason::BudgetOver])),
        17 => settle(change, choice.one(&[Settled::Landed, Settled::Refused, Settled::Withdrawn])),
        18 => Command::LoseLane { lane, reason: DeathReason::Crashed, fault: Some(FaultId(0)) },
        19 => restore(lane),
        20 if !said.is_empty() => said[choice.of(said.len())].clone(),
        _ => {
            team.now_us += choice.of(200) as u64;
            return None;
        }
    })
}

fn play(tape: &[u32], mut each: impl FnMut(&Command, Result<Vec<Event>, Refusal>, &Team)) -> Team {
    let mut team = Team::handing();
    let mut said: Vec<Command> = Vec::new();
    for choice in tape {
        let Some(command) = next(&mut team, &said, *choice) else { continue };
        let answer = team.say(&command).map(|facts| facts.into_iter().map(|fact| fact.event).collect());
        if answer.is_ok() {
            said.push(command.clone());
        }
        each(&command, answer, &team);
    }
    team
}

#[test]
fn tasks_go_the_way_that_what_happened_to_them_tells() {
    any_tape("tasks_go_the_way", CASES, STEPS, |tape| {
        let mut model = WayModel::default();
        play(tape, |command, answer, team| {
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
fn from_any_state_of_handing_every_task_can_still_end() {
    any_tape("from_any_state_of_handing", CASES, STEPS, |tape| {
        let team = play(tape, |_, _, _| {});
        for settled in [Settled::Landed, Settled::Refused] {
            team.clone().finish(settled);
        }
    });
}

#[test]
fn folding_what_was_handed_on_gives_the_live_state_and_what_was_cut_goes_on() {
    any_tape("folding_what_was_handed_on", CASES, STEPS, |tape| {
        let team = play(tape, |_, _, _| {});
        assert_eq!(Team::fold(&team.journal, team.now_us).state, team.state);
        let setup = Team::handing().journal.len();
        let cut = setup
            + tape.iter().fold(0, |sum: usize, choice| sum.wrapping_add(*choice as usize))
                % (team.journal.len() - setup + 1);
        let mut resumed = Team::fold(&team.journal[..cut], team.now_us);
        for lane in LANES {
            let _ = resumed.say(&lose(lane));
        }
        LANES.into_iter().for_each(|lane| drop(resumed.must(&restore(lane))));
        resumed.finish(Settled::Landed);
    });
}

#[test]
fn a_repeated_offer_judgement_or_return_never_has_a_second_effect() {
    any_tape("a_repeated_offer", CASES, STEPS, |tape| {
        let mut accepted: Vec<Command> = Vec::new();
        play(tape, |command, answer, team| {
            if answer.is_ok()
                && matches!(command, Command::HandOver { .. } | Command::Review { .. } | Command::GiveBack { .. })
            {
                accepted.push(command.clone());
            }
            for command in &accepted {
                assert!(no_second_effect(team.state.decide(command, team.now_us)), "said again later: {command:?}");
            }
        });
    });
}

#[test]
fn a_task_never_moves_without_the_packet_that_was_accepted_for_it() {
    any_tape("a_task_never_moves", CASES, STEPS, |tape| {
        let team = play(tape, |_, _, _| {});
        let mut accepted = None;
        for (fact, _) in &team.journal {
            match &fact.event {
                Event::PacketAccepted(_) => accepted = Some((fact.lane, fact.task)),
                Event::TaskReturned(returned) if returned.reason == ReturnReason::HandedOver => {
                    assert_eq!(accepted.take(), Some((fact.lane, fact.task)));
                }
                _ => assert_eq!(accepted, None, "an accepted packet moves its task at once"),
            }
        }
    });
}

#[test]
fn the_tapes_reach_every_way_a_task_can_go() {
    let reached = RefCell::new(BTreeMap::new());
    any_tape("the_tapes_reach", CASES, STEPS, |tape| {
        play(tape, |_, answer, _| {
            for event in answer.unwrap_or_default() {
                let what = match &event {
                    Event::PacketRefused(_) => "a packet refused",
                    Event::ReviewGiven(review) if review.approved => "a change approved",
                    Event::TaskReturned(returned) => match returned.reason {
                        ReturnReason::HandedOver => "handed over",
                        ReturnReason::SentBack => "sent back",
                        ReturnReason::NoPacket | ReturnReason::BudgetOver => "given back",
                        _ => continue,
                    },
                    Event::TaskFailed(failed) if failed.reason == FailReason::Prerequisite => "in vain",
                    _ => continue,
                };
                *reached.borrow_mut().entry(what).or_insert(0) += 1;
            }
        });
    });
    let reached = reached.into_inner();
    assert!(reached.len() == 6 && reached.values().all(|times| *times >= 20), "{reached:#?}");
}
