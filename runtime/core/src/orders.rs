//! Operators' orders: what a person can command beside pauses and answers, and what each makes true.
//!
//! An order that changes nothing is refused, and whoever gave it is told why. Knows no names but those that go into the
//! record.

pub use crate::board::Heir;
use crate::fact::{Fact, Refusal};
use crate::ledger::Draft;
use crate::supervision::Supervision;
use baton_record::event::{BudgetScope, BudgetSet, CommandGiven, CommandRefusal, LaneJoined, LaneRetired};
use baton_record::event::{Limit, OperatorCommand, RetireReason};
use baton_record::{EndpointId, Event, LaneId, RoleId, TaskId};

/// What an operator orders.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is what its type and name say")]
pub enum Order {
    /// Nothing new is begun.
    Drain,
    /// The run ends.
    Stop,
    /// A lane dies; it is started again.
    Kill { lane: LaneId },
    /// Clones join.
    Add(Clones),
    /// A lane ends what it has begun, takes no more and does not come back.
    Remove { lane: LaneId },
    /// A task goes to somebody else.
    Reassign { task: TaskId, heir: Heir },
    /// Whatever a lane holds is taken from it.
    Release { lane: LaneId },
    /// Other limits hold.
    Budget(Vec<NewLimit>),
}

/// A limit that is to hold for one holder. What it does not name stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLimit {
    /// Whose limit, and which.
    pub set: BudgetSet,
    /// The role, where the limit is a role's.
    pub role: Option<RoleId>,
    /// The lane, where the limit is a lane's.
    pub lane: Option<LaneId>,
}

/// Lanes that are to join a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clones {
    /// The role.
    pub role: RoleId,
    /// Its name.
    pub name: String,
    /// The model that thinks in its lanes.
    pub model: EndpointId,
    /// How many join.
    pub lanes: u32,
    /// How many the team may have then.
    pub lanes_max: u32,
}

impl Order {
    fn command(&self) -> OperatorCommand {
        match self {
            Order::Drain => OperatorCommand::Drain,
            Order::Stop => OperatorCommand::Stop,
            Order::Kill { .. } => OperatorCommand::Kill,
            Order::Add(_) => OperatorCommand::Add,
            Order::Remove { .. } => OperatorCommand::Remove,
            Order::Reassign { .. } => OperatorCommand::Reassign,
            Order::Release { .. } => OperatorCommand::Release,
            Order::Budget(_) => OperatorCommand::Budget,
        }
    }

    fn lane(&self) -> Option<LaneId> {
        match self {
            Order::Kill { lane } | Order::Remove { lane } | Order::Release { lane } => Some(*lane),
            Order::Reassign { heir: Heir::Lane(lane), .. } => Some(*lane),
            Order::Reassign { heir: Heir::Role(..), .. } => None,
            Order::Drain | Order::Stop | Order::Add(_) | Order::Budget(_) => None,
        }
    }

    /// What is written down of it.
    fn fact(&self, by: &str, reason: &str) -> Fact {
        let mut given = CommandGiven::plain(self.command(), by, reason);
        let mut task = None;
        match self {
            Order::Add(clones) => (given.role, given.lanes) = (Some(clones.name.clone()), Some(clones.lanes)),
            Order::Reassign { task: which, heir } => {
                task = Some(*which);
                if let Heir::Role(_, name) = heir {
                    given.role = Some(name.clone());
                }
            }
            _ => {}
        }
        Fact { lane: self.lane(), task, event: Event::CommandGiven(given) }
    }
}

/// Why an order changes nothing, as its sender is told.
pub fn why(refusal: Refusal) -> CommandRefusal {
    match refusal {
        Refusal::Repeated | Refusal::Waiting => CommandRefusal::AlreadySo,
        Refusal::Full => CommandRefusal::Full,
        _ => CommandRefusal::Gone,
    }
}

impl Supervision {
    pub(crate) fn order(&self, order: &Order, (by, reason): (&str, &str), now_us: u64) -> Result<Vec<Fact>, Refusal> {
        // Whoever drains a team that stands still lets it end what it has begun, also if it is drained already.
        let lifts = matches!(order, Order::Drain) && self.pause.epoch().paused() && !self.board.is_stopping();
        if !lifts {
            self.board.may_order(order.command(), order.lane())?;
        }
        let given = order.fact(by, reason);
        let then = match order {
            Order::Drain if lifts => self.resumed(by, reason)?,
            Order::Drain | Order::Stop | Order::Kill { .. } => Vec::new(),
            Order::Add(clones) => self.joined(clones, (by, reason))?,
            Order::Remove { lane } => {
                let reason = RetireReason::Removed;
                vec![Fact::of_lane(*lane, Event::LaneRetired(LaneRetired { reason }))]
            }
            Order::Reassign { task, heir } => {
                self.board.may_reassign(*task, heir)?;
                Vec::new()
            }
            Order::Release { lane } => self.taken_away(*lane, now_us)?,
            Order::Budget(limits) => self.limited(limits, (by, reason))?,
        };
        Ok([vec![given], then].concat())
    }

    /// Clones, each with the limit that lanes have.
    fn joined(&self, clones: &Clones, (by, reason): (&str, &str)) -> Result<Vec<Fact>, Refusal> {
        if clones.lanes == 0 || !self.board.has_room(clones.lanes, clones.lanes_max) {
            return Err(Refusal::Full);
        }
        let first = self.board.lanes() as u32;
        let limit = self.ledger.lane_limit();
        let mut facts = Vec::new();
        for id in (first..first + clones.lanes).map(LaneId) {
            let joined = LaneJoined { id, role: clones.name.clone(), model: clones.model };
            facts.push(Fact::of_lane(id, Event::LaneJoined(joined)));
            let (by, reason) = (Some(by.to_owned()), Some(reason.to_owned()));
            let set = |limit| BudgetSet { scope: BudgetScope::Lane, role: None, limit, by, reason };
            facts.extend(limit.map(|limit| Fact::of_lane(id, Event::BudgetSet(set(limit)))));
        }
        Ok(facts)
    }

    /// Each limit takes the place of the one before, unless it holds already. Then calls that waited for room may begin, and
    /// lanes that had given up take work again.
    fn limited(&self, limits: &[NewLimit], (by, reason): (&str, &str)) -> Result<Vec<Fact>, Refusal> {
        let mut draft = Draft::of(&self.ledger);
        let mut facts = Vec::new();
        for NewLimit { set, role, lane } in limits {
            let before = self.ledger.limit(set.scope, (*role, *lane));
            let limit = kept(before.unwrap_or_default(), set.limit);
            if before == Some(limit) {
                continue;
            }
            let (by, reason) = (Some(by.to_owned()), Some(reason.to_owned()));
            let set = BudgetSet { limit, by, reason, ..set.clone() };
            draft.set((*role, *lane), &set);
            facts.push(Fact { lane: *lane, task: None, event: Event::BudgetSet(set) });
        }
        if facts.is_empty() {
            return Err(Refusal::Repeated);
        }
        if !self.pause.epoch().paused() {
            facts.extend(self.slots.start_all(draft));
        }
        Ok(facts)
    }

    /// Every lease that a lane holds, also of a former life, and who comes next.
    fn taken_away(&self, lane: LaneId, now_us: u64) -> Result<Vec<Fact>, Refusal> {
        let mut leases = self.leases.clone();
        let mut facts = Vec::new();
        while let Some(lease) = leases.held().iter().find(|held| held.lane == lane).map(|held| held.lease) {
            let taken = leases.take_away(lease, now_us)?;
            taken.iter().for_each(|fact| leases.apply(fact.lane, &fact.event));
            facts.extend(taken);
        }
        if facts.is_empty() { Err(Refusal::Stale) } else { Ok(facts) }
    }
}

/// What is not named anew stays as it was.
fn kept(before: Limit, named: Limit) -> Limit {
    Limit {
        requests: named.requests.or(before.requests),
        tokens: named.tokens.or(before.tokens),
        usd_micros: named.usd_micros.or(before.usd_micros),
    }
}
