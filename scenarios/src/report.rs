//! The report of a run: every figure of it is a fold over the journal, defined in `docs/report.md`.
//!
//! Reading order: `sample` (distributions), `roster` (who works on what), then one file per section: `lane_time`, `waits`,
//! `history` with `landings`, `conflicts` and `duplicates`, `spend`, `rework`, `handoffs`, `faults`, `people`; `judged` adds what the
//! checker and the expectations say, `folder` makes a report from a run folder, `text` and `markdown` show it.

mod conflicts;
mod duplicates;
mod faults;
pub mod folder;
mod handoffs;
mod history;
mod judged;
mod landings;
mod lane_time;
mod markdown;
mod people;
mod rework;
mod roster;
mod sample;
mod spend;
mod text;
mod waits;

pub use conflicts::{Conflict, ConflictPath, LandedFirst, Outcome};
pub use duplicates::{Duplicates, Pair, RolePair};
pub use faults::FaultFigures;
pub use handoffs::{Debt, Handoffs, Reviews};
pub use judged::{Judged, PromiseLine};
pub use landings::{Conflicts, Landings, Meeting};
pub use lane_time::{LaneTime, OneLaneTime, RoleTime, State, Times};
pub use people::{Approvals, Denials, Override, Pauses, People, RefusedCommand};
pub use rework::{Rework, RoleRework};
pub use roster::Cost;
pub use sample::{Counts, Distribution};
pub use spend::{Share, Spend, TaskSpend, Wasted};
pub use text::{Line, Tone};
pub use waits::{EndpointWait, EndpointWaits, LeaseWaits, ResourceWait, Waits};

use baton_record::event::{PacketPurpose, RunStarted, StopReason, WorldKind};
use baton_record::line::Record;
use baton_record::{Event, Names};
use serde::Serialize;

/// Version of the report's JSON.
pub const FORMAT: u32 = 1;

/// All figures of a run. Times are microseconds since its start, money is millionths of a dollar.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Version of this object.
    pub format: u32,
    /// Identity of the run, as its first record has it.
    pub run: String,
    /// Name of the scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// `sim` or `live`.
    pub world: &'static str,
    /// Whether this is a control run.
    pub control: bool,
    /// Version of the product that wrote the journal.
    pub version: String,
    /// Records that were folded.
    pub records: u64,
    /// Time of the last of them.
    pub end_us: u64,
    /// By which condition the run ended; `None`: it was killed, goes on, or its end cannot be read. Whatever is open then
    /// ends with the last record.
    pub ended: Option<StopReason>,
    /// Where the journal is damaged; the figures are those of the records before it.
    pub damage: Option<String>,
    /// What the checker and the scenario say.
    pub judged: Judged,
    /// Tasks added, done and given up.
    pub tasks: Tasks,
    /// Where the time of lanes went.
    pub lane_time: LaneTime,
    /// How long lanes waited in line.
    pub waits: Waits,
    /// What became of changes.
    pub landings: Landings,
    /// What calls used.
    pub spend: Spend,
    /// Work that was done twice.
    pub duplicates: Duplicates,
    /// Work that was done again.
    pub rework: Rework,
    /// What handing on costs.
    pub handoffs: Handoffs,
    /// What was judged.
    pub reviews: Reviews,
    /// Injected faults.
    pub faults: Vec<FaultFigures>,
    /// What people and rules decided.
    pub people: People,
}

/// What became of tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each field is what its name says")]
pub struct Tasks {
    pub added: u64,
    pub done: u64,
    pub failed: u64,
    pub open: u64,
}

/// A report that is being made: takes the records in their order, one at a time.
#[derive(Clone, Debug, Default)]
pub struct Folding {
    told: Report,
    roster: roster::Roster,
    lives: lane_time::Lives,
    lines: waits::Lines,
    history: history::History,
    queue: landings::Queue,
    twins: duplicates::Twins,
    purse: spend::Purse,
    redone: rework::Redone,
    debtors: handoffs::Debtors,
    strikes: faults::Strikes,
    decisions: people::Decisions,
}

/// A report without what others say of the run, and the packets whose content belongs to it.
#[derive(Clone, Debug)]
pub struct Folded {
    /// The report.
    pub report: Report,
    /// Accepted packets, in the order of acceptance: purpose and digest.
    pub(crate) packets: Vec<(PacketPurpose, String)>,
}

impl Folding {
    /// Takes the next record in. Time never goes back: a record that is earlier than the one before counts as of the same
    /// moment.
    pub fn see(&mut self, record: &Record, names: &Names) {
        let t_us = self.told.end_us.max(record.t_us);
        (self.told.end_us, self.told.records) = (t_us, self.told.records + 1);
        let about = (record.lane, record.task);
        let event = &record.event;
        self.tell(event);
        // What ends something is told by what it ends.
        let ends = matches!(
            event,
            Event::TaskReturned(_)
                | Event::TaskDone(_)
                | Event::TaskFailed(_)
                | Event::EffectDone(_)
                | Event::EffectFailed(_)
                | Event::EffectLost(_)
        );
        if !ends {
            self.roster.apply(t_us, about, event);
        }
        self.lives.see(t_us, record.lane, event, &self.roster);
        self.lines.see(t_us, record.lane, event, &self.roster);
        self.queue.see(t_us, event, &self.history);
        self.history.see(t_us, record.lane, event, names);
        self.twins.see(record.task, event, &self.history, &self.roster);
        self.purse.see(record.lane, event, &self.roster);
        self.redone.see(t_us, about, event, &self.roster);
        self.debtors.see(t_us, record.task, event, &self.roster);
        self.told.reviews.see(record.lane.and_then(|lane| names.lane(lane)), event);
        self.strikes.see(t_us, event);
        self.decisions.see(t_us, record.lane, event, &self.roster);
        if ends {
            self.roster.apply(t_us, about, event);
        }
    }

    fn tell(&mut self, event: &Event) {
        match event {
            Event::RunStarted(started) => self.begin(started),
            Event::RunStopped(stopped) => self.told.ended = Some(stopped.reason),
            Event::TaskAdded(_) => self.told.tasks.added += 1,
            Event::TaskDone(_) => self.told.tasks.done += 1,
            Event::TaskFailed(_) => self.told.tasks.failed += 1,
            _ => {}
        }
    }

    fn begin(&mut self, started: &RunStarted) {
        let told = &mut self.told;
        (told.format, told.seed, told.control) = (FORMAT, started.seed, started.control);
        told.run.clone_from(&started.run);
        told.scenario.clone_from(&started.scenario);
        told.version.clone_from(&started.version);
        told.world = match started.world {
            WorldKind::Sim => "sim",
            WorldKind::Live => "live",
        };
    }

    /// The report. What is open ends with the last record.
    pub fn close(self, names: &Names) -> Folded {
        let Folding { told, roster, history, .. } = self;
        let Tasks { added, done, failed, .. } = told.tasks;
        let packets = self.debtors.digests.clone();
        let report = Report {
            format: FORMAT,
            tasks: Tasks { open: added.saturating_sub(done + failed), ..told.tasks },
            lane_time: self.lives.close_all(told.end_us, &roster, names),
            waits: self.lines.close(&roster),
            landings: self.queue.close(&history, names),
            spend: self.purse.close(&roster, names),
            duplicates: self.twins.close(&history, &roster, names),
            rework: self.redone.close(told.end_us, &roster),
            handoffs: self.debtors.close(),
            faults: self.strikes.close(),
            people: self.decisions.close(told.end_us),
            ..told
        };
        Folded { report, packets }
    }
}
