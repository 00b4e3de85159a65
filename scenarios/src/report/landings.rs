//! From submission to main: how long it takes, how long the merger's queue is in the way, and what is refused for what.

use super::conflicts::{Clashes, Conflict, Outcome};
use super::history::{History, Submitted};
use super::sample::{Counts, Distribution, Samples, word};
use baton_record::event::{ChangeRefused, RefuseReason};
use baton_record::{ChangeId, Event, LaneId, Names};
use serde::Serialize;
use std::collections::BTreeMap;

/// What became of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Landings {
    /// Changes that reached the merger; in the control run: that were begun to be written.
    pub submitted: u64,
    /// Changes on main; in the control run: written.
    pub landed: u64,
    /// Moves of main by which they came there: changes of a row come together. In the control run: none.
    pub moves: u64,
    /// Changes refused.
    pub refused: u64,
    /// Attempts that were closed before a change of them arrived.
    pub withdrawn: u64,
    /// Changes that were neither landed nor refused when the journal ended.
    pub open: u64,
    /// From sending to landing.
    pub latency_us: Distribution,
    /// From sending to the moment in which the merger began with it: it had taken it, and was done with all others.
    pub queue_wait_us: Distribution,
    /// Refused changes by reason.
    pub refusals: Counts,
    /// Trees that passed, by gate.
    pub gates_passed: Counts,
    /// Trees that did not, by gate.
    pub gates_failed: Counts,
    /// Changes that did not merge.
    pub conflicts: Conflicts,
}

/// Changes that did not merge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Conflicts {
    /// How many.
    pub count: u64,
    /// How many of them each path was in the way of.
    pub by_path: Counts,
    /// Who met whose landing; the most frequent pairs first.
    pub by_lanes: Vec<Meeting>,
    /// How many of them were answered by an attempt that landed.
    pub reworked: u64,
    /// Each of them, in their order.
    pub list: Vec<Conflict>,
    /// Paths of conflicts that no landing since the change's base is known to have touched.
    pub unknown: u64,
}

/// How often the changes of one lane did not merge with what another had landed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Meeting {
    /// Whose changes were refused.
    pub refused: String,
    /// Whose were on main.
    pub landed: String,
    /// How often; a change counts once for each of its paths.
    pub paths: u64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    told: Landings,
    latency: Samples,
    queue_wait: Samples,
    /// When the merger was done with a change last, and when before that moment: changes of a row are done at once.
    free_us: u64,
    free_before_us: u64,
    /// The first change of the row that was intended last.
    first: Option<ChangeId>,
    meetings: BTreeMap<(LaneId, LaneId), u64>,
    clashes: Clashes,
}

impl Queue {
    /// To be called before `history` has taken the record in.
    pub(super) fn see(&mut self, t_us: u64, event: &Event, history: &History) {
        self.clashes.see(t_us, event, history);
        match event {
            Event::ChangeSubmitted(_) => self.told.submitted += 1,
            Event::ChangeIntended(intended) if intended.behind.is_none() => self.first = Some(intended.change),
            Event::ChangeLanded(landed) => {
                self.told.landed += 1;
                self.told.moves += u64::from(self.first == Some(landed.change));
                if let Some(submitted) = history.open.get(&landed.change) {
                    self.latency.add(t_us - submitted.sent_us);
                    self.served(t_us, submitted);
                }
            }
            Event::ChangeRefused(refused) => self.refuse(t_us, refused, history),
            Event::ChangeWithdrawn(_) => self.told.withdrawn += 1,
            Event::ChangeWritten(written) => {
                self.told.landed += 1;
                if let Some(submitted) = history.open.get(&written.change) {
                    self.latency.add(t_us - submitted.sent_us);
                }
            }
            Event::GatePassed(passed) => self.told.gates_passed.add(passed.gate.as_str()),
            Event::GateFailed(failed) => self.told.gates_failed.add(failed.gate.as_str()),
            _ => {}
        }
    }

    /// The merger serves one row of changes at a time: this one waited until it was taken and no row before was served any
    /// more.
    fn served(&mut self, t_us: u64, submitted: &Submitted) {
        if t_us > self.free_us {
            (self.free_before_us, self.free_us) = (self.free_us, t_us);
        }
        self.queue_wait.add(self.free_before_us.max(submitted.taken_us) - submitted.sent_us);
    }

    fn refuse(&mut self, t_us: u64, refused: &ChangeRefused, history: &History) {
        self.told.refused += 1;
        self.told.refusals.add(word(&refused.reason));
        let Some(submitted) = history.open.get(&refused.change) else { return };
        if refused.reason != RefuseReason::Withdrawn {
            self.served(t_us, submitted);
        }
        if refused.reason != RefuseReason::Conflict {
            return;
        }
        self.told.conflicts.count += 1;
        for path in &refused.paths {
            self.told.conflicts.by_path.add(path.as_str());
            match submitted.author.zip(history.landed_since(submitted, path)) {
                Some(met) => *self.meetings.entry(met).or_default() += 1,
                None => self.told.conflicts.unknown += 1,
            }
        }
    }

    pub(super) fn close(self, history: &History, names: &Names) -> Landings {
        let mut told = self.told;
        (told.latency_us, told.queue_wait_us) = (self.latency.distribution(), self.queue_wait.distribution());
        told.open = history.open.len() as u64;
        let name = |lane: LaneId| names.lane(lane).unwrap_or_default().to_owned();
        let mut meetings: Vec<((LaneId, LaneId), u64)> = self.meetings.into_iter().collect();
        meetings.sort_by_key(|(lanes, paths)| (std::cmp::Reverse(*paths), *lanes));
        let meeting = |((refused, landed), paths)| Meeting { refused: name(refused), landed: name(landed), paths };
        told.conflicts.list = self.clashes.close(names);
        let landed = told.conflicts.list.iter().filter(|conflict| conflict.outcome == Outcome::Landed);
        told.conflicts.reworked = landed.count() as u64;
        told.conflicts.by_lanes = meetings.into_iter().map(meeting).collect();
        told
    }
}
