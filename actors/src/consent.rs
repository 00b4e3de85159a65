//! What people have allowed: which changes may land although something stands against them.
//!
//! A fold over the journal that supervisor and merger share: the supervisor tells the merger of each allowance once it is
//! durable, and a merger that restarts reads them all again. Decides nothing.

use baton_record::event::{ApprovalAsked, ApprovalSubject, ApprovalThen, OperatorCommand};
use baton_record::{ApprovalId, ChangeId, Event, PacketId, TaskId};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A question that was answered with yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Which question.
    pub approval: ApprovalId,
    /// The task whose change may land.
    pub task: TaskId,
    /// What was asked.
    pub subject: ApprovalSubject,
    /// Digest of the packet that holds the change, hex: exactly that change may land.
    pub packet: String,
    /// The paths that were asked about.
    pub paths: Vec<String>,
    /// The landed changes whose work may be taken back.
    pub undoes: Vec<ChangeId>,
    /// Who said yes; `None`: nobody in time, and that counts as yes.
    pub by: Option<String>,
}

/// A person's word that a task's next change passes whatever gate refuses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Overrides are numbered from 0.
    pub number: u32,
    /// Whose change.
    pub task: TaskId,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The change that it has let through a gate; no other uses it.
    used_by: Option<ChangeId>,
}

/// Something that people have allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// A change may land.
    Change(Arc<Grant>),
    /// A gate is overridden.
    Gate(Arc<Order>),
}

/// Everything that people have allowed in a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Consent {
    packets: BTreeMap<PacketId, String>,
    /// Questions that nobody has answered.
    asked: BTreeMap<ApprovalId, (TaskId, ApprovalAsked)>,
    grants: BTreeMap<TaskId, Vec<Arc<Grant>>>,
    orders: BTreeMap<TaskId, VecDeque<Arc<Order>>>,
    ordered: u32,
}

impl Consent {
    /// Takes a fact into the state; what it allows.
    pub fn take(&mut self, task: Option<TaskId>, event: &Event) -> Option<Allowed> {
        match event {
            Event::PacketOffered(offered) => {
                self.packets.insert(offered.packet, offered.digest.clone());
                None
            }
            Event::ApprovalAsked(asked) => {
                self.asked.insert(asked.approval, (task?, asked.clone()));
                None
            }
            Event::ApprovalGiven(given) => self.answer(given.approval, given.approved.then(|| Some(given.by.clone()))),
            Event::ApprovalTimedOut(over) => {
                self.answer(over.approval, (over.then == ApprovalThen::Approve).then_some(None))
            }
            Event::CommandGiven(given) if given.command == OperatorCommand::Override => {
                let (number, task, by, reason) = (self.ordered, task?, given.by.clone(), given.reason.clone());
                let allowed = Allowed::Gate(Arc::new(Order { number, task, by, reason, used_by: None }));
                self.learn(allowed.clone());
                Some(allowed)
            }
            Event::OverrideRecorded(recorded) => {
                self.use_order(recorded.change);
                None
            }
            Event::ChangeLanded(landed) => {
                self.settle(landed.change);
                None
            }
            Event::ChangeRefused(refused) => {
                self.settle(refused.change);
                None
            }
            _ => None,
        }
    }

    /// `yes`: by whom it was answered so.
    fn answer(&mut self, approval: ApprovalId, yes: Option<Option<String>>) -> Option<Allowed> {
        let (task, asked) = self.asked.remove(&approval)?;
        let packet = self.packets.get(&asked.packet)?.clone();
        let ApprovalAsked { subject, paths, undoes, .. } = asked;
        let allowed = Allowed::Change(Arc::new(Grant { approval, task, subject, packet, paths, undoes, by: yes? }));
        self.learn(allowed.clone());
        Some(allowed)
    }

    /// Takes in what somebody else has folded. What is known already changes nothing.
    pub fn learn(&mut self, allowed: Allowed) {
        match allowed {
            Allowed::Change(grant) => {
                let grants = self.grants.entry(grant.task).or_default();
                if grants.iter().all(|known| known.approval != grant.approval) {
                    grants.push(grant);
                }
            }
            Allowed::Gate(order) if order.number >= self.ordered => {
                self.ordered = order.number + 1;
                self.orders.entry(order.task).or_default().push_back(order);
            }
            Allowed::Gate(_) => {}
        }
    }

    /// Everything, for somebody who may have missed some of it.
    pub fn all(&self) -> Vec<Allowed> {
        let grants = self.grants.values().flatten().cloned().map(Allowed::Change);
        let mut orders: Vec<Arc<Order>> = self.orders.values().flatten().cloned().collect();
        orders.sort_by_key(|order| order.number);
        grants.chain(orders.into_iter().map(Allowed::Gate)).collect()
    }

    /// What was granted to a task's changes.
    pub fn grants(&self, task: TaskId) -> &[Arc<Grant>] {
        self.grants.get(&task).map(Vec::as_slice).unwrap_or_default()
    }

    /// The override that holds for this change.
    pub fn order_for(&self, change: ChangeId) -> Option<Arc<Order>> {
        let order = self.orders.get(&change.task())?.front()?;
        order.used_by.is_none_or(|used_by| used_by == change).then(|| order.clone())
    }

    fn use_order(&mut self, change: ChangeId) {
        if let Some(order) = self.orders.get_mut(&change.task()).and_then(VecDeque::front_mut) {
            Arc::make_mut(order).used_by = Some(change);
        }
    }

    /// Whatever has come of the change: an override that it has used is used up.
    fn settle(&mut self, change: ChangeId) {
        if let Some(orders) = self.orders.get_mut(&change.task())
            && orders.front().is_some_and(|order| order.used_by == Some(change))
        {
            orders.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_record::Oid;
    use baton_record::event::{ChangeRefused, CommandGiven, OverrideRecorded, RefuseReason};

    fn order(consent: &mut Consent, by: &str) -> Option<Allowed> {
        let (command, by, reason) = (OperatorCommand::Override, by.to_owned(), "known to be flaky".to_owned());
        consent.take(Some(TaskId(3)), &Event::CommandGiven(CommandGiven::plain(command, &by, &reason)))
    }

    #[test]
    fn an_override_lets_one_change_through_and_no_other() {
        let mut consent = Consent::default();
        let [first, second] = [1, 2].map(|attempt| ChangeId::of(TaskId(3), attempt));
        let (ana, ben) = (order(&mut consent, "ana"), order(&mut consent, "ben"));
        assert_eq!(consent.order_for(first).unwrap().by, "ana");
        let (gate, tree) = ("tests".to_owned(), Oid::from_bytes(&[1; 20]).unwrap());
        let (by, reason) = ("ana".to_owned(), String::new());
        consent.take(
            Some(TaskId(3)),
            &Event::OverrideRecorded(OverrideRecorded { change: first, gate, tree, by, reason }),
        );
        assert_eq!((consent.order_for(first).unwrap().by.as_str(), consent.order_for(second)), ("ana", None));
        let (reason, paths, undoes) = (RefuseReason::StaleFence, Vec::new(), Vec::new());
        consent.take(
            None,
            &Event::ChangeRefused(ChangeRefused { change: first, reason, paths, undoes, report: None, fault: None }),
        );
        assert_eq!(consent.order_for(second).unwrap().by, "ben");
        // What is told a second time is not given a second time.
        consent.learn(ana.unwrap());
        consent.learn(ben.unwrap());
        assert_eq!(consent.orders[&TaskId(3)].len(), 1);
        assert_eq!(consent.order_for(ChangeId::of(TaskId(4), 1)), None);
    }
}
