//! Facts about the run itself: its beginning, its end, and the names it gives.

use crate::ids::{EndpointId, ResourceId};
use crate::oid::Oid;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// Where a scenario runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorldKind {
    /// Virtual time, seeded, deterministic.
    Sim,
    /// The real clock.
    Live,
}

/// See [`super::Event::RunStarted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunStarted {
    /// Version of the product that wrote this.
    pub version: String,
    /// Identity of the run: 16 hex digits, a digest of scenario, seed, version and world (in `live` also of the start).
    pub run: String,
    /// Name of the scenario.
    pub scenario: String,
    /// SHA-256 of the scenario file, hex.
    pub scenario_hash: String,
    /// The seed.
    pub seed: u64,
    /// Where the run takes place.
    pub world: WorldKind,
    /// Main before the first landing.
    pub base: Oid,
    /// Whether this is the control run, in which lanes write to main directly.
    pub control: bool,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// Every task is done or given up.
    TasksEnded,
    /// The scenario's `stop.after` is over.
    TimeOver,
    /// A person ended it.
    Operator,
    /// An operator drained it: what was begun has ended, and nothing else was begun.
    Drained,
    /// A budget is used up: nothing that is left to do fits under its limits.
    BudgetOver,
    /// Somebody else moved main.
    ForeignPush,
    /// Nobody decided in time, and what is left waits for a person.
    WaitsForPerson,
    /// The plan is approved and on main, and the scenario says to stop there.
    PlanApproved,
    /// Nothing is left that could ever happen, though tasks are open.
    Stuck,
}

impl StopReason {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            StopReason::TasksEnded => "tasks-ended",
            StopReason::TimeOver => "time-over",
            StopReason::Operator => "operator",
            StopReason::ForeignPush => "foreign-push",
            StopReason::Drained => "drained",
            StopReason::BudgetOver => "budget-over",
            StopReason::WaitsForPerson => "waits-for-person",
            StopReason::PlanApproved => "plan-approved",
            StopReason::Stuck => "stuck",
        }
    }
}

/// See [`super::Event::RunStopped`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunStopped {
    /// The stop condition that was met.
    pub reason: StopReason,
    /// Main at the end.
    pub main: Oid,
    /// Changes landed (in the control run: written).
    pub landed: u64,
    /// Changes refused.
    pub refused: u64,
}

/// See [`super::Event::SegmentClosed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentClosed {
    /// Number of the segment that ends with this line, from 0.
    pub segment: u32,
    /// Lines in it, this one included.
    pub records: u64,
}

/// See [`super::Event::ResourceNamed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceNamed {
    /// The identifier, numbered from 0.
    pub resource: ResourceId,
    /// A literal path, or `dir/**` for everything below a directory (`**`: everything).
    pub pattern: String,
    /// Resources named earlier whose patterns overlap with this one.
    pub overlaps: Vec<ResourceId>,
}

/// See [`super::Event::EndpointNamed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointNamed {
    /// The identifier, numbered from 0.
    pub endpoint: EndpointId,
    /// The model's name in the scenario.
    pub name: String,
    /// Calls that may be under way at once; 0: no limit.
    pub slots: u32,
    /// Calls that may begin in any minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<NonZeroU32>,
    /// Tokens that the calls which begin in any minute may use, counted by their bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<NonZeroU32>,
}

/// See [`super::Event::GateNamed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateNamed {
    /// The gate's name in the scenario.
    pub gate: String,
}
