//! Budgets: by example, and for any sequence of commands.

use crate::tape::{any_tape, next};
use crate::team::{
    A, B, BOUND, C, LANES, NARROW, ROLES, Team, WIDE, call, end_call, give_back, key, lose, request, settle,
};
use baton_core::board::{Settled, TaskState};
use baton_core::ledger::Amount;
use baton_core::orders::{NewLimit, Order};
use baton_core::slots::{CallEnd, Usage};
use baton_core::{Command, Refusal};
use baton_record::event::{Bound, BudgetScope, BudgetSet, Limit, ReturnReason};
use baton_record::{Event, LaneId, RoleId, TaskId};
use std::cell::RefCell;
use std::collections::BTreeMap;

fn budget(scope: BudgetScope, holder: (Option<RoleId>, Option<LaneId>), limit: Limit) -> Command {
    let name = holder.0.map(|role| format!("role-{}", role.0));
    let set = BudgetSet { scope, role: name, limit, by: None, reason: None };
    let limits = vec![NewLimit { set, role: holder.0, lane: holder.1 }];
    Command::Order { order: Order::Budget(limits), by: "ana".to_owned(), reason: String::new() }
}

fn tokens(tokens: u64) -> Limit {
    Limit { tokens: Some(tokens), ..Limit::default() }
}

fn run_limit(limit: Limit) -> Command {
    budget(BudgetScope::Run, (None, None), limit)
}

fn used(tokens_out: u64) -> CallEnd {
    CallEnd::Answered(Usage { tokens_in: 0, tokens_out, usd_micros: 0 })
}

fn retired(team: &Team) -> [bool; 3] {
    LANES.map(|lane| team.state.board.is_retired(lane))
}

#[test]
fn a_bound_is_reserved_before_the_call_and_its_use_is_settled_after() {
    let mut team = Team::new();
    team.must(&run_limit(tokens(1_000)));
    let change = team.take(A);
    team.must(&call(A, change, WIDE, 1));
    assert_eq!(team.state.ledger.reserved(), Amount::call(BOUND));
    assert_eq!(team.state.ledger.spent(), Amount::default());
    team.must(&Command::EndCall { lane: A, key: key(change, 1), end: used(12) });
    assert_eq!(team.state.ledger.reserved(), Amount::default());
    assert_eq!(team.state.ledger.spent(), Amount { requests: 1, tokens: 12, usd_micros: 0 });
}

#[test]
fn a_call_that_may_fit_later_waits_and_nobody_overtakes_it() {
    let mut team = Team::new();
    team.must(&run_limit(tokens(2 * BOUND.tokens)));
    let [a, b, c] = LANES.map(|lane| team.take(lane));
    for (lane, change) in [(A, a), (B, b), (C, c)] {
        team.must(&call(lane, change, WIDE, 1));
    }
    assert_eq!(LANES.map(|lane| team.state.slots.running(lane).is_some()), [true, true, false]);
    team.must(&Command::EndCall { lane: A, key: key(a, 1), end: used(0) });
    assert!(team.state.slots.running(C).is_some(), "what A did not use is free for C");
}

#[test]
fn room_that_a_call_leaves_at_one_endpoint_serves_who_waits_at_another() {
    let mut team = Team::new();
    team.must(&run_limit(tokens(BOUND.tokens)));
    let [a, b] = [A, B].map(|lane| team.take(lane));
    team.must(&call(A, a, NARROW, 1));
    team.must(&call(B, b, WIDE, 1));
    assert!(team.state.slots.running(B).is_none());
    team.must(&end_call(A, a, 1));
    assert!(team.state.slots.running(B).is_some());
}

#[test]
fn a_call_that_never_fits_is_refused_and_its_lane_gives_back_what_it_has() {
    let mut team = Team::new();
    team.must(&run_limit(tokens(BOUND.tokens + 5)));
    let change = team.take(A);
    team.must(&request(A, change, &[crate::team::SRC]));
    team.must(&call(A, change, WIDE, 1));
    team.must(&Command::EndCall { lane: A, key: key(change, 1), end: used(6) });
    let events = team.must(&call(A, change, WIDE, 2));
    let kinds: Vec<&str> = events.iter().map(kind).collect();
    assert_eq!(kinds, ["asked", "refused", "retired", "released"], "a lane that gives up holds nothing");
    assert_eq!(team.say(&call(A, change, WIDE, 3)), Err(Refusal::Retired));
    assert_eq!(team.state.board.state(change.task()), TaskState::Owned(A), "it has a turn to hand back what it has");
    team.must(&give_back(A, change, ReturnReason::BudgetOver));
    assert_eq!(team.state.board.state(change.task()), TaskState::Ready);
    assert_eq!(team.say(&Command::TakeTask { lane: A }), Err(Refusal::Retired));
    assert_eq!(team.state.leases.held(), []);
}

fn kind(event: &Event) -> &'static str {
    match event {
        Event::SlotRequested(_) => "asked",
        Event::CallRefused(_) => "refused",
        Event::TaskReturned(_) => "returned",
        Event::LaneRetired(_) => "retired",
        Event::LeaseReleased(_) => "released",
        _ => "other",
    }
}

#[test]
fn a_raised_limit_brings_back_who_had_given_up_and_starts_who_waits() {
    let mut team = Team::new();
    team.must(&run_limit(tokens(BOUND.tokens)));
    let [a, b] = [A, B].map(|lane| team.take(lane));
    team.must(&call(A, a, WIDE, 1));
    team.must(&call(B, b, WIDE, 1));
    team.must(&run_limit(tokens(2 * BOUND.tokens)));
    assert!(team.state.slots.running(B).is_some());
    team.must(&Command::EndCall { lane: A, key: key(a, 1), end: used(30) });
    team.must(&Command::EndCall { lane: B, key: key(b, 1), end: used(30) });
    team.must(&call(A, a, WIDE, 2));
    assert_eq!(retired(&team), [true, false, false]);
    team.must(&give_back(A, a, ReturnReason::BudgetOver));
    team.must(&run_limit(tokens(4 * BOUND.tokens)));
    assert_eq!(retired(&team), [false; 3]);
    assert!(team.say(&Command::TakeTask { lane: A }).is_ok());
    assert_eq!(team.say(&run_limit(tokens(4 * BOUND.tokens))), Err(Refusal::Repeated));
}

#[test]
fn a_lowered_limit_binds_new_calls_only() {
    let mut team = Team::new();
    team.must(&run_limit(tokens(100)));
    let [a, b] = [A, B].map(|lane| team.take(lane));
    team.must(&call(A, a, WIDE, 1));
    team.must(&run_limit(tokens(10)));
    assert!(team.state.slots.running(A).is_some());
    team.must(&call(B, b, WIDE, 1));
    assert_eq!(retired(&team), [false, true, false], "a bound of 30 never fits under 10");
    team.must(&Command::EndCall { lane: A, key: key(a, 1), end: used(30) });
}

#[test]
fn every_scope_binds_whom_it_is_about() {
    let cases = [
        (BudgetScope::Run, (None, None), [true, true, true]),
        (BudgetScope::Role, (Some(ROLES[0]), None), [true, true, false]),
        (BudgetScope::Lane, (None, Some(C)), [false, false, true]),
        (BudgetScope::Call, (None, None), [true, true, true]),
    ];
    for (scope, holder, expected) in cases {
        let mut team = Team::new();
        team.must(&budget(scope, holder, tokens(BOUND.tokens - 1)));
        for lane in LANES {
            let change = team.take(lane);
            team.must(&call(lane, change, WIDE, 1));
        }
        assert_eq!(retired(&team), expected, "{scope:?}");
    }
}

#[test]
fn a_call_whose_lane_died_is_billed_whole_and_one_that_was_refused_costs_a_request() {
    let mut team = Team::new();
    let [a, b] = [A, B].map(|lane| team.take(lane));
    team.must(&call(A, a, WIDE, 1));
    team.must(&lose(A));
    assert_eq!(team.state.ledger.spent(), Amount::call(BOUND));
    team.must(&call(B, b, WIDE, 1));
    let end = CallEnd::Refused { status: 429, retry_after_us: 7, fault: None };
    team.must(&Command::EndCall { lane: B, key: key(b, 1), end });
    let Bound { tokens, usd_micros } = BOUND;
    assert_eq!(team.state.ledger.spent(), Amount { requests: 2, tokens, usd_micros });
}

#[test]
fn a_run_is_stuck_once_everybody_who_could_work_has_given_up() {
    let mut team = Team::new();
    team.must(&run_limit(tokens(1)));
    for lane in LANES {
        assert!(!team.state.board.is_stuck(8, &[]));
        let change = team.take(lane);
        team.must(&call(lane, change, WIDE, 1));
        assert!(!team.state.board.is_stuck(8, &[]), "{lane:?} has a turn left");
        team.must(&give_back(lane, change, ReturnReason::BudgetOver));
    }
    assert!(team.state.board.is_stuck(8, &[]) && team.state.board.any_retired());
    assert_eq!(team.say(&settle(baton_record::ChangeId::of(TaskId(0), 1), Settled::Landed)), Err(Refusal::Stale));
}

/// Money in any order: limits that come and go, calls that end well, badly or never, lanes that die.
#[test]
fn spent_and_reserved_never_exceed_a_limit_that_they_were_reserved_under() {
    let reached = RefCell::new(BTreeMap::<&str, u32>::new());
    any_tape("spent_and_reserved_never_exceed", 400, 200, |tape| {
        let mut team = Team::new();
        let mut said = Vec::new();
        for choice in tape {
            let command = if choice % 7 == 0 {
                any_budget(choice / 7)
            } else {
                let Some(command) = next(&mut team, &said, *choice) else { continue };
                command
            };
            if let Ok(facts) = team.say(&command) {
                said.push(command);
                for fact in facts {
                    *reached.borrow_mut().entry(kind(&fact.event)).or_insert(0) += 1;
                }
            }
            Books::of(&team);
        }
    });
    let reached = reached.into_inner();
    for kind in ["refused", "returned", "retired"] {
        assert!(reached.get(kind).is_some_and(|times| *times >= 100), "{reached:?}");
    }
}

fn any_budget(choice: u32) -> Command {
    let limit = [tokens(u64::from(choice % 400)), Limit { requests: Some(u64::from(choice % 12)), ..Limit::default() }]
        [choice as usize / 3 % 2];
    match choice / 6 % 4 {
        0 => run_limit(limit),
        1 => budget(BudgetScope::Role, (Some(ROLES[choice as usize % 3]), None), limit),
        2 => budget(BudgetScope::Lane, (None, Some(LANES[choice as usize % 3])), limit),
        _ => run_limit(tokens(10_000)),
    }
}

/// The accounts, added up from the journal alone: each reservation is looked at when it is made.
#[derive(Default)]
struct Books {
    limits: BTreeMap<(u8, u32), Limit>,
    used: BTreeMap<(u8, u32), (u64, u64)>,
    open: BTreeMap<LaneId, Bound>,
    made: u64,
    freed: u64,
}

impl Books {
    fn of(team: &Team) -> Books {
        let mut books = Books::default();
        for (fact, roles) in &team.journal {
            books.see(fact.lane, &fact.event, roles.role);
        }
        let open: u64 = books.open.values().map(|bound| bound.tokens).sum();
        assert_eq!(books.made, books.freed + open, "what is reserved is settled, freed or open");
        assert_eq!(open, team.state.ledger.reserved().tokens);
        books
    }

    fn see(&mut self, lane: Option<LaneId>, event: &Event, role: Option<RoleId>) {
        match event {
            Event::BudgetSet(set) => {
                let holder = match set.scope {
                    BudgetScope::Run => (0, 0),
                    BudgetScope::Role => (1, u32::from(role.unwrap().0)),
                    BudgetScope::Lane => (2, lane.unwrap().0),
                    BudgetScope::Call => return,
                };
                self.limits.insert(holder, set.limit);
            }
            Event::EffectIntended(call) => self.reserve(lane.unwrap(), call.reserved),
            Event::EffectDone(done) => self.settle(lane.unwrap(), done.tokens_in + done.tokens_out),
            Event::EffectFailed(_) => self.settle(lane.unwrap(), 0),
            Event::EffectLost(lost) => self.settle(lane.unwrap(), lost.billed.tokens),
            _ => {}
        }
    }

    fn holders(lane: LaneId) -> [(u8, u32); 3] {
        [(0, 0), (1, u32::from(ROLES[lane.0 as usize].0)), (2, lane.0)]
    }

    fn reserve(&mut self, lane: LaneId, bound: Bound) {
        assert_eq!(self.open.insert(lane, bound), None);
        self.made += bound.tokens;
        for holder in Books::holders(lane) {
            let used = self.used.entry(holder).or_default();
            *used = (used.0 + 1, used.1 + bound.tokens);
            let Some(limit) = self.limits.get(&holder) else { continue };
            assert!(limit.requests.is_none_or(|limit| used.0 <= limit), "{holder:?} {used:?} {limit:?}");
            assert!(limit.tokens.is_none_or(|limit| used.1 <= limit), "{holder:?} {used:?} {limit:?}");
        }
    }

    fn settle(&mut self, lane: LaneId, tokens: u64) {
        let bound = self.open.remove(&lane).unwrap();
        self.freed += bound.tokens;
        for holder in Books::holders(lane) {
            self.used.entry(holder).or_default().1 -= bound.tokens - tokens;
        }
    }
}

/// Whoever raises the money does not mean that tokens are free from now on.
#[test]
fn what_an_order_does_not_name_stays_as_it_was_for_each_holder() {
    let role = RoleId(0);
    let whole = Limit { requests: Some(9), tokens: Some(5_000), usd_micros: Some(7) };
    let dearer = Limit { usd_micros: Some(40), ..Limit::default() };
    for (scope, holder) in [
        (BudgetScope::Run, (None, None)),
        (BudgetScope::Role, (Some(role), None)),
        (BudgetScope::Lane, (None, Some(A))),
        (BudgetScope::Call, (None, None)),
    ] {
        let mut team = Team::new();
        team.must(&budget(scope, holder, whole));
        let facts = team.must(&budget(scope, holder, dearer));
        assert!(matches!(&facts[1], Event::BudgetSet(set) if set.limit == Limit { usd_micros: Some(40), ..whole }));
        assert_eq!(team.state.ledger.limit(scope, holder), Some(Limit { usd_micros: Some(40), ..whole }));
        assert_eq!(team.say(&budget(scope, holder, dearer)), Err(Refusal::Repeated), "{scope:?}: it holds already");
    }
}
