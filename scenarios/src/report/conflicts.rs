//! Changes that did not merge, one by one: with whose landings, at which paths, and what became of the attempt that answers each.

use super::history::History;
use baton_record::event::{ChangeRefused, RefuseReason};
use baton_record::{ChangeId, Event, LaneId, Names};
use serde::Serialize;
use std::collections::BTreeMap;

/// One change that did not merge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The change.
    pub change: String,
    /// The lane that made it.
    pub lane: String,
    /// When it was refused.
    pub t_us: u64,
    /// SHA-256 of its conflict report.
    pub report: Option<String>,
    /// Where it did not merge.
    pub paths: Vec<ConflictPath>,
    /// The newest attempt that was made anew behind it, if there was one.
    pub answered_by: Option<String>,
    /// What became of that.
    pub outcome: Outcome,
}

/// A path of a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConflictPath {
    /// The path.
    pub path: String,
    /// Who landed first: changes that touched the path after the refused change's base.
    pub landed: Vec<LandedFirst>,
}

/// A change that landed first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LandedFirst {
    /// The change.
    pub change: String,
    /// The lane that made it.
    pub lane: String,
}

/// What became of the attempt that answers a conflict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// No attempt after it reached the merger.
    #[default]
    Unanswered,
    /// It is neither landed nor refused.
    Open,
    /// It is on main.
    Landed,
    /// It was refused in its turn.
    Refused,
}

impl Outcome {
    /// As it is written.
    pub(super) fn word(self) -> &'static str {
        match self {
            Outcome::Unanswered => "unanswered",
            Outcome::Open => "open",
            Outcome::Landed => "landed",
            Outcome::Refused => "refused",
        }
    }
}

/// A path, and whose changes landed there first.
type Met = (String, Vec<(ChangeId, Option<LaneId>)>);

/// One of them, before it has names.
#[derive(Clone, Debug)]
struct Clash {
    change: ChangeId,
    author: Option<LaneId>,
    t_us: u64,
    report: Option<String>,
    paths: Vec<Met>,
    answered_by: Option<ChangeId>,
    outcome: Outcome,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Clashes {
    all: Vec<Clash>,
    /// By change that did not merge: its place.
    places: BTreeMap<ChangeId, usize>,
    /// By attempt that answers one: the place of that.
    answers: BTreeMap<ChangeId, usize>,
}

impl Clashes {
    /// To be called before `history` has taken the record in.
    pub(super) fn see(&mut self, t_us: u64, event: &Event, history: &History) {
        match event {
            Event::ChangeSubmitted(submitted) => {
                let place = submitted.answers.and_then(|answers| self.places.get(&answers).copied());
                if let Some(place) = place {
                    self.answers.insert(submitted.change, place);
                    (self.all[place].answered_by, self.all[place].outcome) = (Some(submitted.change), Outcome::Open);
                }
            }
            Event::ChangeLanded(landed) => self.end(landed.change, Outcome::Landed),
            Event::ChangeRefused(refused) => {
                self.end(refused.change, Outcome::Refused);
                if refused.reason == RefuseReason::Conflict {
                    self.add(t_us, refused, history);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, change: ChangeId, outcome: Outcome) {
        let clash = self.answers.get(&change).map(|place| &mut self.all[*place]);
        if let Some(clash) = clash.filter(|clash| clash.answered_by == Some(change)) {
            clash.outcome = outcome;
        }
    }

    fn add(&mut self, t_us: u64, refused: &ChangeRefused, history: &History) {
        let submitted = history.open.get(&refused.change);
        let met = |path: &String| {
            let met = submitted.map(|submitted| history.all_landed_since(submitted, path));
            (path.clone(), met.unwrap_or_default())
        };
        self.places.insert(refused.change, self.all.len());
        self.all.push(Clash {
            change: refused.change,
            author: submitted.and_then(|submitted| submitted.author),
            t_us,
            report: refused.report.clone(),
            paths: refused.paths.iter().map(met).collect(),
            answered_by: None,
            outcome: Outcome::Unanswered,
        });
    }

    pub(super) fn close(self, names: &Names) -> Vec<Conflict> {
        let name = |lane: Option<LaneId>| lane.and_then(|lane| names.lane(lane)).unwrap_or_default().to_owned();
        let first = |(change, lane)| LandedFirst { change: ChangeId::to_string(&change), lane: name(lane) };
        let path = |(path, landed): Met| ConflictPath { path, landed: landed.into_iter().map(first).collect() };
        let named = |clash: Clash| Conflict {
            change: clash.change.to_string(),
            lane: name(clash.author),
            t_us: clash.t_us,
            report: clash.report,
            paths: clash.paths.into_iter().map(path).collect(),
            answered_by: clash.answered_by.map(|change| change.to_string()),
            outcome: clash.outcome,
        };
        self.all.into_iter().map(named).collect()
    }
}
