//! A small team: three lanes of two roles, five resources, two endpoints, six tasks, and everything that was decided.

use baton_core::board::{RolesIn, Settled};
use baton_core::orders::{Heir, Order};
use baton_core::slots::{CallEnd, Usage, Wanted};
use baton_core::{Command, Fact, Refusal, Supervision};
use baton_record::event::{
    Bound, CallAdmitted, DeathReason, EffectDone, EffectFailed, EndpointNamed, FenceRaised, LaneJoined, ResourceNamed,
    ReturnReason, TaskAdded,
};
use baton_record::{
    ChangeId, EffectKey, EndpointId, Event, FaultId, Fence, LaneId, LeaseId, Oid, ResourceId, RoleId, TaskId,
};
use std::collections::BTreeSet;

pub(crate) const A: LaneId = LaneId(0);
pub(crate) const B: LaneId = LaneId(1);
/// The only lane of its role.
pub(crate) const C: LaneId = LaneId(2);
pub(crate) const LANES: [LaneId; 3] = [A, B, C];

/// Which of four files each resource covers: `docs/**`, `docs/a`, `docs/b`, `src/a`, `**`.
pub(crate) const FILES: [u8; 5] = [0b0011, 0b0001, 0b0010, 0b0100, 0b1111];
pub(crate) const DOCS: ResourceId = ResourceId(0);
pub(crate) const DOCS_A: ResourceId = ResourceId(1);
pub(crate) const DOCS_B: ResourceId = ResourceId(2);
pub(crate) const SRC: ResourceId = ResourceId(3);
pub(crate) const ALL: ResourceId = ResourceId(4);

/// Slots of each endpoint; 0: no limit.
pub(crate) const SLOTS: [u32; 2] = [1, 0];
pub(crate) const NARROW: EndpointId = EndpointId(0);
pub(crate) const WIDE: EndpointId = EndpointId(1);

/// Role and attempts of each task.
pub(crate) const TASKS: [(RoleId, u32); 6] =
    [(RoleId(0), 2), (RoleId(0), 1), (RoleId(0), 3), (RoleId(0), 2), (RoleId(1), 2), (RoleId(1), 3)];
/// Of each task where tasks are handed on: its group, the groups that it comes after, and who judges it.
pub(crate) const WAYS: [(u16, &[u16], Option<RoleId>); 6] = [
    (0, &[], Some(RoleId(1))),
    (0, &[], None),
    (0, &[], Some(RoleId(1))),
    (1, &[0], None),
    (1, &[0], Some(RoleId(0))),
    (2, &[0, 1], Some(RoleId(0))),
];
/// No task is judged so often that a person decides.
const ROUNDS: u32 = 1_000;
/// Role of each lane.
pub(crate) const ROLES: [RoleId; 3] = [RoleId(0), RoleId(0), RoleId(1)];
pub(crate) const TTL_US: u64 = 100;
pub(crate) const NOTHING_USED: CallEnd = CallEnd::Answered(Usage { tokens_in: 0, tokens_out: 0, usd_micros: 0 });
/// What each call can use at most.
pub(crate) const BOUND: Bound = Bound { tokens: 30, usd_micros: 20 };

/// A fact as the journal has it, with the roles that its reader looks up.
type Written = (Fact, RolesIn);

#[derive(Clone)]
pub(crate) struct Team {
    pub(crate) state: Supervision,
    pub(crate) journal: Vec<Written>,
    pub(crate) now_us: u64,
    /// Calls that came to an end.
    ended: BTreeSet<EffectKey>,
}

impl Team {
    fn without_tasks() -> Team {
        let mut team = Team { state: Supervision::default(), journal: Vec::new(), now_us: 0, ended: BTreeSet::new() };
        for (at, files) in FILES.iter().enumerate() {
            let overlaps = (0..at).filter(|other| FILES[*other] & files != 0).map(|other| ResourceId(other as u16));
            let (resource, pattern) = (ResourceId(at as u16), format!("r{at}"));
            let named = ResourceNamed { resource, pattern, overlaps: overlaps.collect() };
            team.write(Fact::of_run(Event::ResourceNamed(named)), None);
        }
        for (at, slots) in SLOTS.into_iter().enumerate() {
            let named = EndpointNamed {
                endpoint: EndpointId(at as u16),
                name: format!("e{at}"),
                slots,
                requests_per_minute: None,
                tokens_per_minute: None,
            };
            team.write(Fact::of_run(Event::EndpointNamed(named)), None);
        }
        for (id, role) in LANES.into_iter().zip(ROLES) {
            let joined = LaneJoined { id, role: format!("role-{}", role.0), model: NARROW };
            team.write(Fact::of_lane(id, Event::LaneJoined(joined)), Some(role));
        }
        team
    }

    /// A team whose tasks are one group and judged by nobody.
    pub(crate) fn new() -> Team {
        let mut team = Team::without_tasks();
        for (at, (role, attempts_max)) in TASKS.into_iter().enumerate() {
            let added = TaskAdded { role: format!("role-{}", role.0), attempts_max, ..TaskAdded::default() };
            team.add(at, added, RolesIn { role: Some(role), review: None });
        }
        team
    }

    /// A team whose tasks go from group to group and are judged.
    pub(crate) fn handing() -> Team {
        let mut team = Team::without_tasks();
        for (at, ((role, attempts_max), (group, after, judge))) in TASKS.into_iter().zip(WAYS).enumerate() {
            let review = judge.map(|judge| format!("role-{}", judge.0));
            let (role_name, after) = (format!("role-{}", role.0), after.to_vec());
            let rounds_max = review.as_ref().map(|_| ROUNDS);
            let added =
                TaskAdded { role: role_name, attempts_max, group, after, review, rounds_max, ..TaskAdded::default() };
            team.add(at, added, RolesIn { role: Some(role), review: judge });
        }
        team
    }

    /// Whether somebody judges a task where tasks are handed on.
    pub(crate) fn is_judged(task: TaskId) -> bool {
        WAYS[task.0 as usize].2.is_some()
    }

    fn add(&mut self, at: usize, added: TaskAdded, roles: RolesIn) {
        let fact = Fact { lane: None, task: Some(TaskId(at as u32)), event: Event::TaskAdded(added) };
        self.write(fact, roles);
    }

    /// What a reader of `journal` knows at `now_us`.
    pub(crate) fn fold(journal: &[Written], now_us: u64) -> Team {
        let mut team = Team { state: Supervision::default(), journal: Vec::new(), now_us, ended: BTreeSet::new() };
        journal.iter().for_each(|(fact, role)| team.write(fact.clone(), *role));
        team
    }

    fn write(&mut self, fact: Fact, roles: impl Into<RolesIn>) {
        let roles = roles.into();
        self.state.apply((fact.lane, fact.task), &fact.event, roles);
        match &fact.event {
            Event::EffectDone(EffectDone { key, .. }) | Event::EffectFailed(EffectFailed { key, .. }) => {
                assert!(self.ended.insert(*key), "a call ends once");
            }
            _ => {}
        }
        self.journal.push((fact, roles));
    }

    /// Decides and takes in what was decided. Whatever the command: deciding changes nothing and answers the same
    /// twice, and the same command at once again has no second effect.
    pub(crate) fn say(&mut self, command: &Command) -> Result<Vec<Fact>, Refusal> {
        let before = self.state.clone();
        let answer = self.state.decide(command, self.now_us);
        assert_eq!(self.state, before, "deciding changes nothing: {command:?}");
        assert_eq!(self.state.decide(command, self.now_us), answer, "the same question has the same answer");
        if let Ok(facts) = &answer {
            assert!(!facts.is_empty(), "an accepted command makes something true: {command:?}");
            let role = match command {
                Command::Order { order: Order::Budget(limits), .. } => limits[0].role,
                Command::Order { order: Order::Add(clones), .. } => Some(clones.role),
                Command::Order { order: Order::Reassign { heir: Heir::Role(role, _), .. }, .. } => Some(*role),
                _ => None,
            };
            facts.iter().for_each(|fact| self.write(fact.clone(), role));
            // Whoever wants more lanes twice wants twice as many.
            let grows = matches!(command, Command::Order { order: Order::Add(_), .. });
            let again = self.state.decide(command, self.now_us);
            assert!(grows || no_second_effect(again), "said again at once: {command:?}");
        }
        answer
    }

    /// The events of an accepted command.
    pub(crate) fn must(&mut self, command: &Command) -> Vec<Event> {
        let answer = self.say(command);
        let facts = answer.unwrap_or_else(|refusal| panic!("{command:?} was refused: {refusal:?}"));
        facts.into_iter().map(|fact| fact.event).collect()
    }

    /// `lane` takes the next task; the change of its first attempt.
    pub(crate) fn take(&mut self, lane: LaneId) -> ChangeId {
        self.must(&Command::TakeTask { lane });
        self.state.board.owned_by(lane).unwrap()
    }

    /// The fence of a grant now stands at its resources, as the merger says.
    pub(crate) fn raise(&mut self, lease: LeaseId) {
        let Some(held) = self.state.leases.held().iter().find(|held| held.lease == lease) else { return };
        let resources = self.state.leases.with_overlaps(&held.resources);
        let (lane, fence) = (held.lane, held.fence);
        let raised = FenceRaised { lease, fence, resources, fences: Oid::from_bytes(&[0; 20]).unwrap() };
        self.write(Fact::of_lane(lane, Event::FenceRaised(raised)), None);
    }

    /// The rate of the endpoint lets the lane's call through, if there is room for it.
    pub(crate) fn let_through(&mut self, lane: LaneId) {
        let slots = &self.state.slots;
        let Some(key) = slots.running(lane).filter(|_| !slots.is_admitted(lane)) else { return };
        let granted = self.journal.iter().rev().find_map(|(fact, _)| match &fact.event {
            Event::SlotGranted(granted) if fact.lane == Some(lane) => Some(granted.endpoint),
            _ => None,
        });
        let endpoint = granted.expect("what runs was granted");
        if slots.has_room(endpoint) {
            let task = slots.task(lane);
            self.write(Fact::of(lane, task, Event::CallAdmitted(CallAdmitted { endpoint, key })), None);
        }
    }

    /// The fence now stands that shuts out whom a lease was taken from, as the merger says.
    pub(crate) fn shut(&mut self, fence: Fence) {
        let shutting = self.state.leases.shutting().iter().find(|shutting| shutting.fence == fence).unwrap();
        let resources = self.state.leases.with_overlaps(&shutting.resources);
        let (lane, lease) = (shutting.lane, shutting.lease);
        let raised = FenceRaised { lease, fence, resources, fences: Oid::from_bytes(&[0; 20]).unwrap() };
        self.write(Fact::of_lane(lane, Event::FenceRaised(raised)), None);
    }

    /// What happens next to `lane` when nothing goes wrong any more: resume, restart, take, lease, call, settle.
    pub(crate) fn benign(&self, lane: LaneId, settled: Settled) -> Command {
        let Supervision { board, leases, slots, pause, .. } = &self.state;
        if pause.epoch().paused() {
            return resume();
        }
        if !board.is_alive(lane) {
            return Command::RestoreLane { lane, fault: None };
        }
        if let Some((_, change)) = board.leaving().into_iter().find(|(leaving, _)| *leaving == lane) {
            return settle(change, Settled::Withdrawn);
        }
        if let Some(key) = slots.running(lane) {
            return Command::EndCall { lane, key, end: NOTHING_USED };
        }
        let Some(change) = board.owned_by(lane) else { return Command::TakeTask { lane } };
        if board.is_retired(lane) {
            return give_back(lane, change, ReturnReason::BudgetOver);
        }
        if leases.held_for(change).is_none() {
            return request(lane, change, &[ALL]);
        }
        if !self.ended.contains(&key(change, 9)) {
            return call(lane, change, NARROW, 9);
        }
        settle(change, settled)
    }

    /// Nothing goes wrong any more: every task must end, and nobody may be left in line.
    pub(crate) fn finish(&mut self, settled: Settled) {
        for _ in 0..200 {
            let moved = LANES.map(|lane| self.say(&self.benign(lane, settled)).is_ok()).contains(&true);
            if self.state.board.all_ended() && !moved {
                break;
            }
            if !moved {
                let held = self.state.leases.held().iter().min_by_key(|held| held.until_us);
                let (lease, until_us) =
                    held.map(|held| (held.lease, held.until_us)).expect("nothing can happen any more");
                self.now_us = self.now_us.max(until_us);
                self.must(&Command::ExpireLease { lease, fault: None });
            }
        }
        assert!(self.state.board.all_ended(), "every task can still end");
        assert_eq!(self.state.slots.waiting(), 0, "nobody waits for a slot for nothing");
        assert_eq!(self.state.leases.waiting(), [], "nobody waits for a lease for nothing");
    }
}

/// Whether an answer to a repeated command is one of those that say so.
pub(crate) fn no_second_effect(answer: Result<Vec<Fact>, Refusal>) -> bool {
    matches!(answer, Err(Refusal::Repeated | Refusal::Waiting | Refusal::Stale | Refusal::Retired))
}

/// The effect of a step of an attempt.
pub(crate) fn key(change: ChangeId, step: u64) -> EffectKey {
    EffectKey(u64::from(change.0) << 8 | step)
}

pub(crate) fn request(lane: LaneId, change: ChangeId, resources: &[ResourceId]) -> Command {
    Command::RequestLease { lane, change, resources: resources.to_vec(), ttl_us: TTL_US }
}

pub(crate) fn call(lane: LaneId, change: ChangeId, endpoint: EndpointId, step: u64) -> Command {
    Command::StartCall { lane, change, wanted: Wanted { endpoint, key: key(change, step), bound: BOUND } }
}

pub(crate) fn end_call(lane: LaneId, change: ChangeId, step: u64) -> Command {
    Command::EndCall { lane, key: key(change, step), end: NOTHING_USED }
}

pub(crate) fn settle(change: ChangeId, settled: Settled) -> Command {
    Command::Settle { change, settled, fault: None }
}

pub(crate) fn give_back(lane: LaneId, change: ChangeId, reason: ReturnReason) -> Command {
    Command::GiveBack { lane, change, reason }
}

pub(crate) fn lose(lane: LaneId) -> Command {
    Command::LoseLane { lane, reason: DeathReason::Killed, fault: Some(FaultId(7)) }
}

pub(crate) fn restore(lane: LaneId) -> Command {
    Command::RestoreLane { lane, fault: None }
}

pub(crate) fn pause() -> Command {
    Command::Pause { by: "ada".to_owned(), reason: "quiet".to_owned() }
}

pub(crate) fn resume() -> Command {
    Command::Resume { by: "ada".to_owned(), reason: "go on".to_owned() }
}
