//! What calls used: by model, role and lane, for each task that landed, and for nothing.

use super::roster::{Cost, Roster};
use super::sample::{Distribution, Samples};
use baton_record::{Event, LaneId, Names, TaskId};
use serde::Serialize;

/// What a run cost. Its totals are those of `spend` in `run --json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spend {
    /// All calls.
    pub total: Cost,
    /// By endpoint, in the order of naming.
    pub by_model: Vec<Share>,
    /// By role, in the order of joining.
    pub by_role: Vec<Share>,
    /// By lane, in the order of joining.
    pub by_lane: Vec<Share>,
    /// By task that is done.
    pub landed_tasks: TaskSpend,
    /// Calls that brought nothing.
    pub wasted: Wasted,
}

/// What calls of one model, role or lane used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each field is what its name says")]
pub struct Share {
    pub name: String,
    pub cost: Cost,
}

/// What tasks that are done cost, all their attempts together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TaskSpend {
    /// How many tasks are done.
    pub tasks: u64,
    /// Their calls.
    pub calls: Distribution,
    /// Their money.
    pub usd_micros: Distribution,
    /// All money of the run divided by the tasks that are done, rounded down; `None` if there is none.
    pub run_usd_micros_each: Option<u64>,
}

/// Calls that brought nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Wasted {
    /// Both sorts together.
    pub total: Cost,
    /// Refused by the endpoint.
    pub refused: u64,
    /// Lost with their lanes, and billed whole.
    pub lost: u64,
    /// Calls that were not made because of a limit: they cost nothing and count nowhere else.
    pub not_made: u64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Purse {
    total: Cost,
    by_model: Vec<Cost>,
    by_lane: Vec<Cost>,
    wasted: Wasted,
}

impl Purse {
    /// To be called before `roster` has taken the end of a call in.
    pub(super) fn see(&mut self, lane: Option<LaneId>, event: &Event, roster: &Roster) {
        if matches!(event, Event::CallRefused(_)) {
            self.wasted.not_made += 1;
        }
        let Some((cost, lane)) = Cost::of(event).zip(lane) else { return };
        self.total += cost;
        add(&mut self.by_lane, lane.0 as usize, cost);
        if let Some(call) = roster.lane(lane).and_then(|seen| seen.call) {
            add(&mut self.by_model, call.endpoint.0 as usize, cost);
        }
        match event {
            Event::EffectFailed(_) => self.wasted.refused += 1,
            Event::EffectLost(_) => self.wasted.lost += 1,
            _ => return,
        }
        self.wasted.total += cost;
    }

    pub(super) fn close(mut self, roster: &Roster, names: &Names) -> Spend {
        self.by_model.resize(roster.endpoints.len(), Cost::default());
        self.by_lane.resize(roster.lanes.len(), Cost::default());
        let role = |name: &String| Share { name: name.clone(), cost: Cost::default() };
        let mut by_role: Vec<Share> = roster.roles.iter().map(role).collect();
        for (seen, cost) in roster.lanes.iter().zip(&self.by_lane) {
            by_role[seen.role].cost += *cost;
        }
        let models = roster.endpoints.iter().map(|endpoint| endpoint.name.clone());
        let lanes = (0..roster.lanes.len() as u32).map(|lane| names.lane(LaneId(lane)).unwrap_or_default().to_owned());
        let share = |(name, cost)| Share { name, cost };
        Spend {
            total: self.total,
            by_model: models.zip(self.by_model).map(share).collect(),
            by_role,
            by_lane: lanes.zip(self.by_lane).map(share).collect(),
            landed_tasks: landed_tasks(self.total, roster),
            wasted: self.wasted,
        }
    }
}

fn landed_tasks(total: Cost, roster: &Roster) -> TaskSpend {
    let (mut calls, mut usd_micros) = (Samples::default(), Samples::default());
    let done = (0..roster.tasks.len() as u32).filter_map(|task| roster.task(TaskId(task)).filter(|seen| seen.done));
    for seen in done {
        calls.add(seen.cost.calls);
        usd_micros.add(seen.cost.usd_micros);
    }
    let calls = calls.distribution();
    let tasks = calls.count;
    let run_usd_micros_each = total.usd_micros.checked_div(tasks);
    TaskSpend { tasks, calls, usd_micros: usd_micros.distribution(), run_usd_micros_each }
}

fn add(costs: &mut Vec<Cost>, place: usize, cost: Cost) {
    if costs.len() <= place {
        costs.resize(place + 1, Cost::default());
    }
    costs[place] += cost;
}
