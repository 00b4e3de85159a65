//! Operators' commands: obeyed in the order in which they come, or refused, and their sender can see why.
//!
//! What a command changes is decided by the core. Known here are names, since people speak of lanes by name, and how a
//! lane that joins is started.

use super::{Effect, LatestAsk, OperatorSays, Supervisor};
use crate::team::{Command as Word, Whom};
use actix::Context;
use baton_core::orders::{Clones, Heir, NewLimit, Order, why};
use baton_core::{Command, Fact, Refusal};
use baton_record::event::{BudgetScope, BudgetSet, OperatorCommand, StopReason};
use baton_record::{EndpointId, Event, LaneId, RoleId};

impl Supervisor {
    pub(super) fn on_operator(&mut self, says: OperatorSays, ctx: &mut Context<Supervisor>) {
        if self.stopping.is_some() && self.refuse_late_answer(&says) {
            return;
        }
        let obeyed = match self.stopping {
            None => self.follow(&says, ctx),
            // The run comes to rest: there is nothing left that could be changed.
            Some(_) if says.command == Word::Stop => Err(Refusal::Repeated),
            Some(_) => Err(Refusal::Stale),
        };
        if let Err(refusal) = obeyed {
            let OperatorSays { command, by, reason } = says;
            self.refuse_command(command.to_string(), (by, reason), why(refusal));
        }
        self.employ_idle();
        self.stop_if_stuck(ctx);
    }

    fn follow(&mut self, says: &OperatorSays, ctx: &mut Context<Supervisor>) -> Result<(), Refusal> {
        let (by, reason) = (says.by.clone(), says.reason.clone());
        match &says.command {
            Word::PauseAll => self.change_epoch(&Command::Pause { by, reason }),
            Word::ResumeAll => self.change_epoch(&Command::Resume { by, reason }),
            // Whatever of these comes too late is refused there.
            Word::Answer { about, approved } => {
                self.take_answer((*about, *approved), (by, reason), ctx);
                Ok(())
            }
            Word::Override(task) => {
                self.take_override(*task, (by, reason));
                Ok(())
            }
            Word::Stop => {
                self.obey(&Command::Order { order: Order::Stop, by, reason })?;
                self.stop(StopReason::Operator, ctx);
                Ok(())
            }
            word => {
                let (order, epoch) = (self.order(word)?, self.state.pause.epoch());
                self.obey(&Command::Order { order, by, reason })?;
                // A drain ends a pause.
                if epoch != self.state.pause.epoch() {
                    self.announce_again();
                }
                Ok(())
            }
        }
    }

    /// The order that a word stands for, now that its names can be looked up.
    fn order(&self, word: &Word) -> Result<Order, Refusal> {
        Ok(match word {
            Word::Kill(name) => Order::Kill { lane: self.lane_named(name)? },
            Word::Remove(name) => Order::Remove { lane: self.lane_named(name)? },
            Word::Release(name) => Order::Release { lane: self.lane_named(name)? },
            Word::Reassign { task, to: Whom::Lane(name) } => {
                Order::Reassign { task: *task, heir: Heir::Lane(self.lane_named(name)?) }
            }
            Word::Reassign { task, to: Whom::Role(name) } => {
                Order::Reassign { task: *task, heir: Heir::Role(self.role_named(name)?, name.clone()) }
            }
            Word::Add { role, lanes } => {
                let model = self.ground.team.model_of(role).ok_or(Refusal::Stale)?;
                let lanes_max = self.ground.team.caps.lanes;
                let (id, name, model) = (self.role_named(role)?, role.clone(), EndpointId(model as u16));
                Order::Add(Clones { role: id, name, model, lanes: *lanes, lanes_max })
            }
            Word::Drain => Order::Drain,
            Word::Budget(limits) => Order::Budget(self.new_limits(limits)),
            Word::PauseAll | Word::ResumeAll | Word::Stop => unreachable!("obeyed otherwise"),
            Word::Answer { .. } | Word::Override(_) => unreachable!("obeyed otherwise"),
        })
    }

    fn lane_named(&self, name: &str) -> Result<LaneId, Refusal> {
        self.names.lane_id(name).ok_or(Refusal::Stale)
    }

    fn role_named(&self, name: &str) -> Result<RoleId, Refusal> {
        self.names.role_id(name).ok_or(Refusal::Stale)
    }

    /// The limits, one for each who is to have it.
    fn new_limits(&self, limits: &[BudgetSet]) -> Vec<NewLimit> {
        let of = |set: &BudgetSet| {
            let role = set.role.as_deref().and_then(|role| self.names.role_id(role));
            let holders = self.holders_of(set.scope).into_iter();
            let limits: Vec<_> = holders.map(|lane| NewLimit { set: set.clone(), role, lane }).collect();
            limits
        };
        limits.iter().flat_map(of).collect()
    }

    /// Each lane of the team, where the limit is every lane's.
    fn holders_of(&self, scope: BudgetScope) -> Vec<Option<LaneId>> {
        if scope != BudgetScope::Lane {
            return vec![None];
        }
        let lanes = (0..self.state.board.lanes() as u32).map(LaneId);
        lanes.filter(|lane| !self.state.board.is_removed(*lane)).map(Some).collect()
    }

    /// What follows from an order once it is durable, beside what follows from each of its facts.
    pub(super) fn effect_of_order(&self, fact: &Fact) -> Option<Effect> {
        let Event::CommandGiven(given) = &fact.event else { return None };
        match (given.command, fact.lane) {
            (OperatorCommand::Kill, Some(lane)) => Some(Effect::Perish { lane }),
            (OperatorCommand::Reassign, _) => {
                let leaving = self.state.board.leaving();
                let (lane, change) = leaving.into_iter().find(|(_, change)| Some(change.task()) == fact.task)?;
                Some(Effect::Withdraw { lane, change, fault: None })
            }
            _ => None,
        }
    }

    /// A lane joins: it gets its name, its place in the roster and its place among those who ask. To be called before the
    /// fact is taken into the state.
    pub(super) fn seat(&mut self, event: &Event) {
        let Event::LaneJoined(joined) = event else { return };
        let number = self.names.role_id(&joined.role).map_or(0, |role| {
            let lanes = (0..self.names.lanes() as u32).map(LaneId);
            lanes.filter(|lane| self.names.lane_role(*lane) == Some(role)).count()
        }) + 1;
        let named = self.names.add_lane(&format!("{}.{number}", joined.role));
        assert_eq!(named, Some(joined.id), "lanes are named in the order of their identifiers");
        self.asks.push(LatestAsk::default());
        self.enroll(joined.id);
    }

    /// Sees to it that the roster knows a lane that the names know.
    pub(super) fn enroll(&self, lane: LaneId) {
        let name = self.names.lane(lane).expect("a lane that joins has a name");
        let role = name.rsplit_once('.').map_or(name, |(role, _)| role);
        let mut spec = self.ground.team.first_of(role).expect("only clones join").clone();
        name.clone_into(&mut spec.name);
        self.directory().roster().join(lane, &spec);
    }
}
