//! Main goes its way: killed after every step, with people at work in between, and started again.

use crate::advance_model::{Fate, World};
use crate::advance_people::Act;
use crate::tape::{Choice, any_tape};
use baton_core::advance::{Advance, Answer, Foreign, Objects, Outcome, Plan, Standing, Step, Why};
use std::collections::BTreeMap;

const BARE: Plan = Plan { objects: Objects::Before, checkouts: 0, remote: false, foreign: Foreign::Adopt };
const PLANS: [Plan; 6] = [
    BARE,
    Plan { checkouts: 1, ..BARE },
    Plan { checkouts: 2, ..BARE },
    Plan { checkouts: 1, remote: true, ..BARE },
    Plan { checkouts: 2, remote: true, ..BARE },
    Plan { objects: Objects::WithRef, foreign: Foreign::Stop, ..BARE },
];

/// The steps of a way in which everything goes well.
fn steps(plan: Plan) -> Vec<Step> {
    let (mut way, mut steps) = (Advance::begin(plan), Vec::new());
    while !matches!(way.step(), Step::End(_)) {
        steps.push(way.step());
        way.learn(Answer::Done);
    }
    assert_eq!(way.step(), Step::End(Some(Outcome::Landed)));
    steps
}

#[test]
fn the_order_of_writes_is_this() {
    use Step::{FollowLate, Hold, KeepObjects, LetGo, LockRef, Move, MoveRef, Push, Write, WriteIntention};
    let plan = Plan { checkouts: 2, remote: true, ..BARE };
    let all = [
        KeepObjects,
        WriteIntention,
        Hold(0),
        Hold(1),
        LockRef,
        Push,
        Move(0),
        Move(1),
        MoveRef,
        LetGo,
        FollowLate,
        Write(Outcome::Landed),
    ];
    assert_eq!(steps(plan), all);
    let team = Plan { objects: Objects::WithRef, foreign: Foreign::Stop, ..BARE };
    assert_eq!(steps(team), [WriteIntention, MoveRef, Write(Outcome::Landed)]);
}

#[test]
fn a_later_start_decides_by_what_it_finds() {
    let team = Plan { objects: Objects::WithRef, foreign: Foreign::Stop, ..BARE };
    for (plan, standing, outcome) in [
        (BARE, Standing::Before, Outcome::Forgotten(Why::Killed)),
        (BARE, Standing::After, Outcome::Landed),
        (BARE, Standing::Beyond, Outcome::Landed),
        (BARE, Standing::Elsewhere, Outcome::Forgotten(Why::Foreign)),
        (BARE, Standing::Gone, Outcome::Forgotten(Why::Gone)),
        (team, Standing::Before, Outcome::Forgotten(Why::Killed)),
        (team, Standing::After, Outcome::Landed),
        (team, Standing::Beyond, Outcome::Foreign),
        (team, Standing::Elsewhere, Outcome::Foreign),
        (team, Standing::Gone, Outcome::Foreign),
    ] {
        let mut way = Advance::resume(plan);
        assert_eq!(way.step(), Step::LookAtRef);
        way.learn(Answer::At(standing));
        if way.step() == Step::FollowLate {
            way.learn(Answer::Done);
        }
        assert_eq!(way.step(), Step::Write(outcome), "{plan:?} {standing:?}");
    }
}

/// Goes on until everything has landed, while nobody disturbs any more.
fn settle(world: &mut World) {
    const STARTS_MAX: u32 = 40;
    world.act(Act::MendsTheLine);
    for _ in 0..STARTS_MAX {
        if world.is_idle() {
            (0..2).for_each(|at| world.act(Act::CleansUp(at)));
            if world.is_done() || world.is_stopped() {
                break;
            }
            world.start();
        }
        while !world.is_idle() {
            world.go(Fate::Whole);
        }
    }
    world.must_be_sound();
}

#[test]
fn killed_once_at_every_step_every_change_lands_once() {
    let mut outcomes: BTreeMap<&str, u32> = BTreeMap::new();
    for plan in PLANS {
        for at in 0..steps(plan).len() + 1 {
            for (fate, after) in [Fate::Before, Fate::Half, Fate::After].into_iter().flat_map(|fate| {
                [None, Some(Act::CommitsIn(0)), Some(Act::CommitsBeside)].into_iter().map(move |act| (fate, act))
            }) {
                let mut world = World::new(plan, 2);
                world.start();
                (0..at).for_each(|_| world.go(Fate::Whole));
                world.go(fate);
                world.kill();
                if let Some(act) = after {
                    world.act(act);
                }
                settle(&mut world);
                world.outcomes.iter().for_each(|(word, count)| *outcomes.entry(word).or_default() += count);
                assert!(world.is_done() || world.is_stopped(), "{plan:?} {at} {fate:?} {after:?}: {world:?}");
            }
        }
    }
    for word in ["landed", "finished", "forgotten after a kill", "stopped", "parted"] {
        assert!(outcomes.contains_key(word), "{word} never came: {outcomes:?}");
    }
}

#[test]
fn whatever_people_do_meanwhile_nothing_is_lost_doubled_or_taken_back() {
    any_tape("whatever_people_do_meanwhile", 50_000, 80, |tape| {
        let mut choices = tape.iter();
        let plan = PLANS[choices.next().map_or(0, |choice| *choice as usize % PLANS.len())];
        let mut world = World::new(plan, 3);
        for choice in choices {
            let mut choice = Choice(*choice);
            let kind = choice.of(16);
            let at = choice.of(2);
            match kind {
                0..=6 if world.is_idle() && !world.is_stopped() => world.start(),
                0..=6 => world.go(Fate::Whole),
                7 => world.go(choice.one(&[Fate::Before, Fate::Half, Fate::After])),
                8 => world.act(choice.one(&[Act::CommitsBeside, Act::ResetsMain, Act::PushesToTheRemote])),
                9 => world.act(choice.one(&[Act::CutsTheLine, Act::MendsTheLine])),
                10 => world.act(Act::EditsIn(at)),
                11 => world.act(Act::CleansUp(at)),
                12 => world.act(choice.one(&[Act::ChecksOutAnother(at), Act::ComesBack(at)])),
                13 => world.act(Act::LocksIn(at)),
                14 => world.act(Act::CommitsIn(at)),
                _ => world.act(if choice.of(8) == 0 { Act::DeletesMain } else { Act::PushesToTheRemote }),
            }
        }
        settle(&mut world);
    });
}
