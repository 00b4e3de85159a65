//! What comes of changes, written down in one breath, and told to their lanes once it is durable.
//!
//! Decides nothing: what came of a change is found out in [`super::landing`], or by a merger that restarts.

use super::Merger;
use crate::supervisor::Settled;
use baton_core::Fact;
use baton_core::board::Settled as Outcome;
use baton_record::event::{ActionDenied, ChangeLanded, ChangeRefused, RefuseReason};
use baton_record::{ChangeId, Event, FaultId, Oid};

/// What came of changes, and whom it is told to.
#[derive(Debug, Default)]
pub(super) struct Settlement {
    facts: Vec<Fact>,
    words: Vec<Settled>,
}

impl Merger {
    /// Main has moved over these: write it down, then say so. `fault`: why a restarted merger found it so.
    pub(super) fn landed(
        &mut self,
        steps: &[(ChangeId, (Oid, Oid))],
        culprit: Option<(ChangeId, String)>,
        fault: Option<FaultId>,
    ) {
        let mut settlement = Settlement::default();
        for &(change, (main_before, main_after)) in steps {
            let event = Event::ChangeLanded(ChangeLanded { change, main_before, main_after, fault });
            self.add(&mut settlement, change, (event, Outcome::Landed), fault);
        }
        let (_, (_, head)) = steps.last().expect("a row that landed has members");
        self.landings += steps.len();
        self.head = *head;
        self.heads.insert(*head, self.landings);
        if let Some((change, gate)) = culprit {
            self.add(&mut settlement, change, (red(change, gate), Outcome::Refused), None);
        }
        self.write(settlement);
    }

    /// The first change of a row does not pass this gate.
    pub(super) fn refuse_red(&mut self, change: ChangeId, gate: String) {
        self.settle(change, red(change, gate), Outcome::Refused, None);
    }

    /// Refuses a change, with the report of what it conflicts with.
    pub(super) fn refuse(
        &mut self,
        change: ChangeId,
        reason: RefuseReason,
        (paths, report): (Vec<String>, Option<String>),
    ) {
        let lane = self.payloads.get(&change).map(|submission| submission.lane);
        let fenced = matches!(reason, RefuseReason::StaleFence | RefuseReason::NoLease);
        let fault = lane.filter(|_| fenced).and_then(|lane| self.ground.chaos.cause(lane));
        let undoes = Vec::new();
        self.unmerged.note_report(change, report.as_deref());
        let event = Event::ChangeRefused(ChangeRefused { change, reason, paths, undoes, report, fault });
        self.settle(change, event, Outcome::Refused, fault);
    }

    /// Refuses a change that somebody's policy forbids, and says which action of it.
    pub(super) fn deny(&mut self, change: ChangeId, paths: Vec<String>, denied: Vec<ActionDenied>) {
        let submission = &self.payloads[&change];
        let (lane, task) = (submission.lane, change.task());
        let author = self.author_of(lane, &submission.submitted);
        let fault = self.ground.chaos.ignored(task, author).filter(|_| !paths.is_empty());
        let fact = |denied| Fact::of(lane, task, Event::ActionDenied(ActionDenied { fault, ..denied }));
        let mut settlement = Settlement { facts: denied.into_iter().map(fact).collect(), words: Vec::new() };
        let (reason, undoes) = (RefuseReason::Policy, Vec::new());
        let event = Event::ChangeRefused(ChangeRefused { change, reason, paths, undoes, report: None, fault });
        self.add(&mut settlement, change, (event, Outcome::Refused), fault);
        self.write(settlement);
    }

    /// Writes down what came of one change.
    pub(super) fn settle(&mut self, change: ChangeId, event: Event, outcome: Outcome, fault: Option<FaultId>) {
        let mut settlement = Settlement::default();
        self.add(&mut settlement, change, (event, outcome), fault);
        self.write(settlement);
    }

    fn add(
        &mut self,
        settlement: &mut Settlement,
        change: ChangeId,
        (event, outcome): (Event, Outcome),
        fault: Option<FaultId>,
    ) {
        let payload = self.payloads.remove(&change);
        self.authors.remove(&change);
        let lane = self.owners.remove(&change).expect("a change in the queue is somebody's");
        let ask = payload.as_ref().map_or(0, |submission| submission.ask);
        if let Some(lease) = payload.and_then(|submission| submission.submitted.lease) {
            self.leases.remove(&lease);
        }
        settlement.facts.push(Fact::of(lane, change.task(), event));
        let because = self.because(change);
        settlement.words.push(Settled { lane, ask, change, outcome, because, fault });
    }

    fn write(&mut self, settlement: Settlement) {
        let Settlement { facts, words } = settlement;
        let supervisor = self.directory().supervisor().clone();
        self.commit(facts, move || words.into_iter().for_each(|word| supervisor.do_send(word)));
    }
}

fn red(change: ChangeId, gate: String) -> Event {
    let (reason, paths, undoes) = (RefuseReason::Gate, vec![gate], Vec::new());
    Event::ChangeRefused(ChangeRefused { change, reason, paths, undoes, report: None, fault: None })
}
