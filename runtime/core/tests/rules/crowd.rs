//! A hundred lanes under limits of every scope, in any order of asking, ending, dying and changing of limits, at endpoints
//! that now and then have enough.

use crate::room_model::RoomModel;
use baton_core::ledger::Amount;
use baton_core::orders::{NewLimit, Order};
use baton_core::slots::{CallEnd, Usage, Wanted};
use baton_core::{Command, Supervision};
use baton_record::event::{
    Bound, BudgetScope, BudgetSet, CallAdmitted, DeathReason, EndpointNamed, LaneJoined, Limit, TaskAdded,
};
use baton_record::{ChangeId, EffectKey, EndpointId, Event, LaneId, RoleId, TaskId};

const LANES: u32 = 100;
const ROLES: u16 = 4;
const STEPS: u32 = 400;

fn role_of(lane: LaneId) -> RoleId {
    RoleId(lane.0 as u16 % ROLES)
}

/// A team whose accounts are kept a second time, beside the ledger.
struct Crowd {
    state: Supervision,
    /// The state of splitmix64 (Steele, Lea, Flood 2014).
    draws: u64,
    calls: u64,
    /// By run, role and lane: the limit, and what is spent and reserved.
    accounts: Vec<(Limit, [u64; 3])>,
    open: Vec<Option<Bound>>,
    rooms: [RoomModel; 2],
    /// By lane: where its call runs, whether it was let through, and complaints that the endpoint had made before.
    running: Vec<Option<(usize, bool, usize)>>,
}

/// Slots of each endpoint.
const SLOTS: [u32; 2] = [7, 0];

impl Crowd {
    fn new(seed: u64) -> Crowd {
        let accounts = vec![(Limit::default(), [0; 3]); 1 + ROLES as usize + LANES as usize];
        let open = vec![None; LANES as usize];
        let (state, rooms, running) = (Supervision::default(), Default::default(), vec![None; LANES as usize]);
        let mut crowd = Crowd { state, draws: seed, calls: 0, accounts, open, rooms, running };
        for (at, slots) in SLOTS.into_iter().enumerate() {
            let endpoint = EndpointId(at as u16);
            let (requests_per_minute, tokens_per_minute) = (None, None);
            let name = format!("e{at}");
            let named = EndpointNamed { endpoint, name, slots, requests_per_minute, tokens_per_minute };
            crowd.state.apply((None, None), &Event::EndpointNamed(named), None);
        }
        for lane in (0..LANES).map(LaneId) {
            let role = role_of(lane);
            let joined = LaneJoined { id: lane, role: format!("r{}", role.0), model: EndpointId(0) };
            crowd.state.apply((Some(lane), None), &Event::LaneJoined(joined), Some(role));
        }
        for task in (0..2 * LANES).map(TaskId) {
            let role = RoleId(task.0 as u16 % ROLES);
            let added =
                TaskAdded { role: format!("r{}", role.0), attempts_max: 64, artifact: None, ..TaskAdded::default() };
            crowd.state.apply((None, Some(task)), &Event::TaskAdded(added), Some(role));
        }
        crowd
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.draws = self.draws.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.draws;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn step(&mut self) {
        let lane = LaneId(self.below(u64::from(LANES)) as u32);
        if self.below(3) == 0 {
            self.let_through(lane);
        }
        let owned = self.state.board.owned_by(lane);
        let running = self.state.slots.running(lane);
        let command = match (self.below(40), owned, running) {
            (0, ..) => self.any_limit(lane),
            (1, ..) if self.state.board.is_alive(lane) => {
                Command::LoseLane { lane, reason: DeathReason::Killed, fault: None }
            }
            _ if !self.state.board.is_alive(lane) => Command::RestoreLane { lane, fault: None },
            (_, None, _) => Command::TakeTask { lane },
            (_, Some(change), None) => self.any_call(lane, change),
            (_, Some(_), Some(key)) => self.any_end(lane, key),
        };
        let Ok(facts) = self.state.decide(&command, 0) else { return };
        for fact in facts {
            let role = match &command {
                Command::Order { order: Order::Budget(limits), .. } => limits[0].role,
                _ => None,
            };
            self.state.apply((fact.lane, fact.task), &fact.event, role);
            self.keep(fact.lane, &fact.event, role);
            fact.lane.iter().for_each(|lane| self.keep_room(*lane, &fact.event));
        }
        let reserved: u64 = self.open.iter().flatten().map(|bound| bound.tokens).sum();
        assert_eq!(self.state.ledger.reserved().tokens, reserved, "what is reserved is what is under way");
    }

    /// The endpoint's rate lets the lane's call through, if there is room for it.
    fn let_through(&mut self, lane: LaneId) {
        let Some(key) = self.state.slots.running(lane).filter(|_| !self.state.slots.is_admitted(lane)) else { return };
        let (at, ..) = self.running[lane.0 as usize].expect("what runs was granted");
        let endpoint = EndpointId(at as u16);
        let room = self.rooms[at].room(SLOTS[at]);
        assert_eq!(self.state.slots.has_room(endpoint), self.there(at, true) < room, "whether there is room");
        if self.state.slots.has_room(endpoint) {
            let admitted = Event::CallAdmitted(CallAdmitted { endpoint, key });
            self.state.apply((Some(lane), Some(self.state.slots.task(lane))), &admitted, None);
            self.running[lane.0 as usize] = Some((at, true, self.rooms[at].complaints()));
            let there = self.there(at, true);
            self.rooms[at].let_through(there);
        }
    }

    fn there(&self, at: usize, let_through: bool) -> u32 {
        let there = |call: &&(usize, bool, usize)| call.0 == at && (call.1 || !let_through);
        self.running.iter().flatten().filter(there).count() as u32
    }

    /// Nobody is given more than there is room for, and nobody waits where there is.
    fn keep_room(&mut self, lane: LaneId, event: &Event) {
        let place = lane.0 as usize;
        match event {
            Event::SlotGranted(granted) => {
                let at = granted.endpoint.0 as usize;
                self.running[place] = Some((at, false, self.rooms[at].complaints()));
                assert!(self.there(at, false) <= self.rooms[at].room(SLOTS[at]), "more calls than there is room for");
            }
            Event::EffectDone(_) | Event::EffectFailed(_) => {
                let (at, let_through, began) = self.running[place].expect("only what runs ends");
                let there = self.there(at, let_through);
                let status = if let Event::EffectFailed(failed) = event { failed.status } else { 0 };
                self.rooms[at].hear(status, began, there);
            }
            Event::SlotReleased(_) => self.running[place] = None,
            _ => {}
        }
    }

    fn any_limit(&mut self, lane: LaneId) -> Command {
        let limit = Limit {
            requests: Some(self.below(400)).filter(|limit| limit % 3 == 0),
            tokens: Some(self.below(20_000)),
            usd_micros: Some(self.below(30_000)).filter(|limit| limit % 2 == 0),
        };
        let (scope, role, lane) = match self.below(3) {
            0 => (BudgetScope::Run, None, None),
            1 => (BudgetScope::Role, Some(role_of(lane)), None),
            _ => (BudgetScope::Lane, None, Some(lane)),
        };
        let set = BudgetSet { scope, role: role.map(|role| format!("r{}", role.0)), limit, by: None, reason: None };
        let order = Order::Budget(vec![NewLimit { set, role, lane }]);
        Command::Order { order, by: "ana".to_owned(), reason: String::new() }
    }

    fn any_call(&mut self, lane: LaneId, change: ChangeId) -> Command {
        self.calls += 1;
        let bound = Bound { tokens: 50 + self.below(200), usd_micros: self.below(300) };
        let endpoint = EndpointId(self.below(2) as u16);
        Command::StartCall { lane, change, wanted: Wanted { endpoint, key: EffectKey(self.calls), bound } }
    }

    fn any_end(&mut self, lane: LaneId, key: EffectKey) -> Command {
        let bound = self.state.ledger.open(lane).expect("a call under way is reserved");
        let end = if self.below(8) == 0 {
            let status = [429, 529, 503, 500][self.below(4) as usize];
            CallEnd::Refused { status, retry_after_us: 1, fault: None }
        } else {
            let tokens_out = self.below(bound.tokens + 1);
            CallEnd::Answered(Usage { tokens_in: 0, tokens_out, usd_micros: self.below(bound.usd_micros + 1) })
        };
        Command::EndCall { lane, key, end }
    }

    fn holders(lane: LaneId) -> [usize; 3] {
        [0, 1 + role_of(lane).0 as usize, 1 + ROLES as usize + lane.0 as usize]
    }

    fn keep(&mut self, lane: Option<LaneId>, event: &Event, role: Option<RoleId>) {
        match (event, lane) {
            (Event::BudgetSet(set), lane) => {
                let at = match (role, lane) {
                    (Some(role), _) => 1 + role.0 as usize,
                    (_, Some(lane)) => Crowd::holders(lane)[2],
                    _ => 0,
                };
                self.accounts[at].0 = set.limit;
            }
            (Event::EffectIntended(call), Some(lane)) => self.reserve(lane, call.reserved),
            (Event::EffectDone(done), Some(lane)) => self.free(lane, (done.tokens_out, done.usd_micros)),
            (Event::EffectFailed(_), Some(lane)) => self.free(lane, (0, 0)),
            (Event::EffectLost(lost), Some(lane)) => self.free(lane, (lost.billed.tokens, lost.billed.usd_micros)),
            _ => {}
        }
    }

    fn reserve(&mut self, lane: LaneId, bound: Bound) {
        assert_eq!(self.open[lane.0 as usize].replace(bound), None);
        for at in Crowd::holders(lane) {
            let (limit, [requests, tokens, usd_micros]) = &mut self.accounts[at];
            (*requests, *tokens, *usd_micros) = (*requests + 1, *tokens + bound.tokens, *usd_micros + bound.usd_micros);
            assert!(limit.requests.is_none_or(|limit| *requests <= limit), "too many calls");
            assert!(limit.tokens.is_none_or(|limit| *tokens <= limit), "too many tokens");
            assert!(limit.usd_micros.is_none_or(|limit| *usd_micros <= limit), "too much money");
        }
    }

    fn free(&mut self, lane: LaneId, used: (u64, u64)) {
        let bound = self.open[lane.0 as usize].take().expect("only what is open is settled");
        for at in Crowd::holders(lane) {
            let (_, [_, tokens, usd_micros]) = &mut self.accounts[at];
            (*tokens, *usd_micros) = (*tokens - bound.tokens + used.0, *usd_micros - bound.usd_micros + used.1);
        }
    }
}

/// `BATON_SCHEDULES=10000` for as many; each is drawn from its number.
#[test]
fn no_limit_is_passed_in_any_schedule_of_a_hundred_lanes() {
    let schedules = std::env::var("BATON_SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(200);
    let mut settled = Amount::default();
    for seed in 0..schedules {
        let mut crowd = Crowd::new(seed);
        (0..STEPS).for_each(|_| crowd.step());
        let spent = crowd.state.ledger.spent();
        settled = Amount { requests: settled.requests + spent.requests, ..settled };
    }
    assert!(settled.requests > 20 * schedules, "the schedules make calls: {settled:?} in {schedules}");
    println!("{schedules} schedules, {} calls settled, no limit passed", settled.requests);
}
