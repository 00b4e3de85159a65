//! What expectations and thresholds can look at: the names of the file, their units, and how each is measured.
//!
//! Every value comes from the run's report, the checker or the control run; none is counted here.

use crate::outcome::ControlOutcome;
use crate::report::{Distribution, Report};

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// `main.intact`: 1 or 0.
    MainIntact,
    /// A number of the report that is counted.
    Count(Count),
    /// `spend.usd` and others: dollars.
    Usd(Usd),
    /// `virtual.s`: seconds, written as a plain number.
    VirtualS,
    /// A percentile of how long something took; compared with a time: `60s`.
    Time(Span, Rank),
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the names of the file are beside them in the table, their definitions in docs/report.md"
)]
pub enum Count {
    TasksLanded,
    TasksFailed,
    MainMoves,
    ChangesRefused,
    ChangesConflicted,
    ChangesSuperseded,
    FaultsInjected,
    FaultsFelt,
    ControlLost,
    ControlTorn,
    CallsMade,
    CallsWasted,
    CallsNotMade,
    DuplicatePairs,
    DuplicateCalls,
    ReworkAttempts,
    ReworkCalls,
    HandoffsAccepted,
    HandoffsRefused,
    PacketsOffered,
    PacketsRefused,
    ReviewsGiven,
    ReviewsReturned,
    ActionsDenied,
    ActionsFailed,
    ApprovalsAsked,
    ApprovalsDenied,
    ApprovalsTimedOut,
    OverridesRecorded,
    CommandsObeyed,
    CommandsRefused,
}

/// What money is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as of what is counted")]
pub enum Usd {
    Spent,
    Wasted,
    Duplicate,
    Rework,
}

/// What takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as of what is counted")]
pub enum Span {
    MergeWait,
    MergeLatency,
    LeaseWait,
    SlotWait,
    DoorWait,
}

/// Which sample of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is what its name says, by nearest rank")]
pub enum Rank {
    P50,
    P95,
    P99,
    Max,
}

/// Every metric that is not the percentile of a time, by its name.
const PLAIN: [(&str, Metric); 37] = [
    ("main.intact", Metric::MainIntact),
    ("main.moves", Metric::Count(Count::MainMoves)),
    ("tasks.landed", Metric::Count(Count::TasksLanded)),
    ("tasks.failed", Metric::Count(Count::TasksFailed)),
    ("changes.refused", Metric::Count(Count::ChangesRefused)),
    ("changes.conflicted", Metric::Count(Count::ChangesConflicted)),
    ("changes.superseded", Metric::Count(Count::ChangesSuperseded)),
    ("faults.injected", Metric::Count(Count::FaultsInjected)),
    ("faults.felt", Metric::Count(Count::FaultsFelt)),
    ("control.lost", Metric::Count(Count::ControlLost)),
    ("control.torn", Metric::Count(Count::ControlTorn)),
    ("spend.usd", Metric::Usd(Usd::Spent)),
    ("virtual.s", Metric::VirtualS),
    ("calls.made", Metric::Count(Count::CallsMade)),
    ("calls.wasted", Metric::Count(Count::CallsWasted)),
    ("calls.not-made", Metric::Count(Count::CallsNotMade)),
    ("wasted.usd", Metric::Usd(Usd::Wasted)),
    ("duplicates.pairs", Metric::Count(Count::DuplicatePairs)),
    ("duplicates.calls", Metric::Count(Count::DuplicateCalls)),
    ("duplicates.usd", Metric::Usd(Usd::Duplicate)),
    ("rework.attempts", Metric::Count(Count::ReworkAttempts)),
    ("rework.calls", Metric::Count(Count::ReworkCalls)),
    ("rework.usd", Metric::Usd(Usd::Rework)),
    ("handoffs.accepted", Metric::Count(Count::HandoffsAccepted)),
    ("handoffs.refused", Metric::Count(Count::HandoffsRefused)),
    ("packets.offered", Metric::Count(Count::PacketsOffered)),
    ("packets.refused", Metric::Count(Count::PacketsRefused)),
    ("reviews.given", Metric::Count(Count::ReviewsGiven)),
    ("reviews.returned", Metric::Count(Count::ReviewsReturned)),
    ("actions.denied", Metric::Count(Count::ActionsDenied)),
    ("actions.failed", Metric::Count(Count::ActionsFailed)),
    ("approvals.asked", Metric::Count(Count::ApprovalsAsked)),
    ("approvals.denied", Metric::Count(Count::ApprovalsDenied)),
    ("approvals.timed-out", Metric::Count(Count::ApprovalsTimedOut)),
    ("overrides.recorded", Metric::Count(Count::OverridesRecorded)),
    ("commands.obeyed", Metric::Count(Count::CommandsObeyed)),
    ("commands.refused", Metric::Count(Count::CommandsRefused)),
];

/// What takes time, by its name; a rank follows: `merge.wait.p95`.
const SPANS: [(&str, Span); 5] = [
    ("merge.wait", Span::MergeWait),
    ("merge.latency", Span::MergeLatency),
    ("lease.wait", Span::LeaseWait),
    ("slot.wait", Span::SlotWait),
    ("door.wait", Span::DoorWait),
];

const RANKS: [(&str, Rank); 4] = [("p50", Rank::P50), ("p95", Rank::P95), ("p99", Rank::P99), ("max", Rank::Max)];

/// Every metric by its name.
pub fn all() -> impl Iterator<Item = (String, Metric)> {
    let plain = PLAIN.iter().map(|(name, metric)| ((*name).to_owned(), *metric));
    let ranked = SPANS.iter().flat_map(|(name, span)| {
        RANKS.iter().map(move |(rank, which)| (format!("{name}.{rank}"), Metric::Time(*span, *which)))
    });
    plain.chain(ranked)
}

/// The metric of this name.
pub fn find(name: &str) -> Option<Metric> {
    all().find(|(known, _)| known == name).map(|(_, metric)| metric)
}

impl Metric {
    /// Whether it is counted in the control run.
    pub fn is_of_control(self) -> bool {
        matches!(self, Metric::Count(Count::ControlLost | Count::ControlTorn))
    }

    /// Whether it is compared with a time.
    pub fn is_time(self) -> bool {
        matches!(self, Metric::Time(..))
    }

    /// What it is in a run; `None`: there was nothing to look at. Times in seconds, money in dollars.
    pub(crate) fn value(self, report: &Report, control: Option<&ControlOutcome>) -> Option<f64> {
        match self {
            Metric::MainIntact => Some(f64::from(u8::from(report.judged.intact))),
            Metric::Count(Count::ControlLost) => control.map(|control| control.lost as f64),
            Metric::Count(Count::ControlTorn) => control.map(|control| control.torn as f64),
            Metric::Count(count) => Some(counted(count, report) as f64),
            Metric::Usd(usd) => Some(added_up(usd, report) as f64 / 1e6),
            Metric::VirtualS => Some(report.end_us as f64 / 1e6),
            Metric::Time(span, rank) => ranked(measured(span, report), rank).map(|us| us as f64 / 1e6),
        }
    }
}

fn counted(count: Count, report: &Report) -> u64 {
    let Report { tasks, landings, spend, duplicates, rework, handoffs, reviews, people, .. } = report;
    match count {
        Count::TasksLanded => tasks.done,
        Count::TasksFailed => tasks.failed,
        Count::MainMoves => landings.moves,
        Count::ChangesRefused => landings.refused,
        Count::ChangesConflicted => landings.conflicts.count,
        Count::ChangesSuperseded => landings.refusals.of("superseded"),
        Count::FaultsInjected => report.faults.iter().map(|fault| fault.injected).sum(),
        Count::FaultsFelt => report.faults.iter().filter(|fault| fault.felt_records > 0).count() as u64,
        Count::ControlLost | Count::ControlTorn => 0,
        Count::CallsMade => spend.total.calls,
        Count::CallsWasted => spend.wasted.total.calls,
        Count::CallsNotMade => spend.wasted.not_made,
        Count::DuplicatePairs => duplicates.pairs,
        Count::DuplicateCalls => duplicates.not_needed.calls,
        Count::ReworkAttempts => rework.attempts,
        Count::ReworkCalls => rework.cost.calls,
        Count::HandoffsAccepted => handoffs.accepted,
        Count::HandoffsRefused => handoffs.refused_attempts,
        Count::PacketsOffered => handoffs.offered,
        Count::PacketsRefused => handoffs.refused,
        Count::ReviewsGiven => reviews.given,
        Count::ReviewsReturned => reviews.returned,
        Count::ActionsDenied => people.denials.count,
        Count::ActionsFailed => people.failures.count,
        Count::ApprovalsAsked => people.approvals.asked,
        Count::ApprovalsDenied => people.approvals.denied,
        Count::ApprovalsTimedOut => people.approvals.timed_out,
        Count::OverridesRecorded => people.overrides.len() as u64,
        Count::CommandsObeyed => people.commands.sum(),
        Count::CommandsRefused => people.commands_refused.sum(),
    }
}

fn added_up(usd: Usd, report: &Report) -> u64 {
    match usd {
        Usd::Spent => report.spend.total.usd_micros,
        Usd::Wasted => report.spend.wasted.total.usd_micros,
        Usd::Duplicate => report.duplicates.not_needed.usd_micros,
        Usd::Rework => report.rework.cost.usd_micros,
    }
}

fn measured(span: Span, report: &Report) -> &Distribution {
    match span {
        Span::MergeWait => &report.landings.queue_wait_us,
        Span::MergeLatency => &report.landings.latency_us,
        Span::LeaseWait => &report.waits.leases.wait_us,
        Span::SlotWait => &report.waits.slots.wait_us,
        Span::DoorWait => &report.waits.doors.wait_us,
    }
}

fn ranked(distribution: &Distribution, rank: Rank) -> Option<u64> {
    match rank {
        Rank::P50 => distribution.p50,
        Rank::P95 => distribution.p95,
        Rank::P99 => distribution.p99,
        Rank::Max => distribution.max,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_metric_has_a_name_of_its_own() {
        let names: BTreeSet<String> = all().map(|(name, _)| name).collect();
        assert_eq!(names.len(), all().count());
        assert_eq!(find("merge.wait.p95"), Some(Metric::Time(Span::MergeWait, Rank::P95)));
        assert_eq!((find("merge.wait"), find("tasks.lnded")), (None, None));
    }
}
