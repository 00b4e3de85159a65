//! What a run came to, as people and programs are told it: verdict, expectations, faults, spend.

use crate::report::Report;
use crate::scenario::{Comparison, Expectation};
use baton_record::event::{ApprovalSubject, StopReason};
use serde::{Deserialize, Serialize};

/// Version of the outcome's JSON.
pub const FORMAT: u32 = 1;

/// The verdict of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every promise that was exercised held, every expectation too, every task ended well.
    Held,
    /// An expectation or a task failed.
    Failed,
    /// Everything held, but a figure that was to be reached was not; the word is that of a failure, the exit code its own.
    #[serde(rename(serialize = "failed"))]
    Missed,
    /// A promise is broken.
    Broken,
    /// A limit, a person or a stranger ended it before its tasks were done.
    Stopped,
    /// Nobody decided in time, and the scenario says to stop then.
    Waiting,
}

impl Verdict {
    /// The exit code, which never changes its meaning.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Held => 0,
            Verdict::Failed => 1,
            Verdict::Broken => 3,
            Verdict::Missed => 4,
            Verdict::Stopped => 5,
            Verdict::Waiting => 6,
        }
    }
}

/// The outcome of a run: the object that `--json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Version of this object.
    pub format: u32,
    /// Name of the scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// `sim` or `live`.
    pub world: &'static str,
    /// The verdict.
    pub verdict: Verdict,
    /// The exit code that goes with it.
    pub exit_code: u8,
    /// The run folder.
    pub run: String,
    /// Length of the run on its own clock.
    pub virtual_s: f64,
    /// Length of the run on the machine's clock, checking included.
    pub wall_s: f64,
    /// Of these: while the team lived, without preparing the run folder and without checking it.
    pub lived_s: f64,
    /// What became of main.
    pub main: MainOutcome,
    /// Every expectation of the scenario.
    pub expectations: Vec<ExpectationOutcome>,
    /// Every threshold of the scenario.
    pub thresholds: Vec<ExpectationOutcome>,
    /// Every fault of the scenario.
    pub faults: Vec<FaultOutcome>,
    /// Every command of the scenario's operators, in the order of their times.
    pub operators: Vec<OrderOutcome>,
    /// What it cost.
    pub spend: Spend,
    /// What was written down.
    pub journal: JournalOutcome,
    /// What it takes on the disk.
    pub disk: DiskOutcome,
    /// Why the run ended.
    pub stopped: Option<StopReason>,
    /// What people were asked, in the order of asking.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ApprovalOutcome>,
    /// What the control run lost, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<ControlOutcome>,
    /// Every figure of the run: what its folder has as `report.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

/// What became of main.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "each field is what its name says")]
pub struct MainOutcome {
    pub repository: String,
    pub head: String,
    pub landed: u64,
    pub refused: u64,
    pub conflicts: u64,
    pub rolled_back: u64,
}

/// One expectation, looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExpectationOutcome {
    /// As the file has it.
    pub name: String,
    /// Whether it is so.
    pub held: bool,
    /// What was found; `null` where there was nothing to look at.
    pub value: Option<f64>,
}

/// One fault of the scenario.
#[derive(Clone, Debug, Serialize)]
pub struct FaultOutcome {
    /// Its place in the file, from 0; the journal's `fault`.
    pub id: u16,
    /// What it is.
    pub kind: &'static str,
    /// The earliest time at which it can strike.
    pub at_s: f64,
    /// How often it struck.
    pub injected: u64,
    /// 1 if it changed what somebody did, else 0: their sum is what `faults.felt` looks at.
    pub felt: u64,
    /// How many records of changed decisions name it.
    pub felt_records: u64,
    /// The run had ended before its time came, so that it could not strike.
    pub after_end: bool,
}

/// One command of the scenario's operators.
#[derive(Clone, Debug, Serialize)]
pub struct OrderOutcome {
    /// When it was to be given.
    pub at_s: f64,
    /// By whom.
    pub by: String,
    /// What, as the file has it.
    pub command: String,
    /// Whether it was given: then it was obeyed, or refused with a reason.
    pub given: bool,
    /// The run had ended before its time came, so that nobody heard it.
    pub after_end: bool,
}

/// What a run takes on the disk.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct DiskOutcome {
    /// What it was expected to take, the control run included; `null`: nobody asked.
    pub estimated_bytes: Option<u64>,
    /// What it takes, the control run included.
    pub bytes: u64,
}

/// A question to a person, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApprovalOutcome {
    /// Its number: `A-0`.
    pub id: String,
    /// `undo`, `action`, `rounds` or `plan`.
    pub subject: ApprovalSubject,
    /// The task that waits: `T-3`.
    pub task: String,
    /// The paths that it is about.
    pub paths: Vec<String>,
    /// One line for the person.
    pub detail: String,
    /// When it was asked, and when its time was over.
    pub asked_s: f64,
    /// See `asked_s`.
    pub until_s: f64,
    /// Where it stands.
    pub state: ApprovalState,
    /// Who has answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Where a question stands at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalState {
    /// It waits for a person.
    Waiting,
    /// A person said yes.
    Approved,
    /// A person said no.
    Denied,
    /// Nobody answered in time, and that counted as yes.
    TimedOutApproved,
    /// Nobody answered in time, and that counted as no.
    TimedOutDenied,
    /// Nobody answered in time, and the run ended for that: it still needs a person.
    TimedOutStopped,
}

/// What a run cost.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "each field is what its name says")]
pub struct Spend {
    pub usd: f64,
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub calls: u64,
}

/// What was written down.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "each field is what its name says")]
pub struct JournalOutcome {
    pub records: u64,
    pub head_hash: String,
}

/// What the control run lost.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ControlOutcome {
    /// Changes of which nothing is left on main.
    pub lost: u64,
    /// Changes of which a part is left on main.
    pub torn: u64,
    /// The control run's folder.
    pub run: String,
}

/// Looks at every expectation, or at every threshold.
pub(crate) fn expectations(
    list: &[Expectation],
    report: &Report,
    control: Option<&ControlOutcome>,
) -> Vec<ExpectationOutcome> {
    let judge = |expectation: &Expectation| {
        let value = expectation.metric.value(report, control);
        let held = value.is_some_and(|value| compare(value, expectation.comparison, expectation.value));
        ExpectationOutcome { name: expectation.text.clone(), held, value }
    };
    list.iter().map(judge).collect()
}

fn compare(found: f64, comparison: Comparison, wanted: f64) -> bool {
    match comparison {
        Comparison::Equal => found == wanted,
        Comparison::NotEqual => found != wanted,
        Comparison::Less => found < wanted,
        Comparison::AtMost => found <= wanted,
        Comparison::More => found > wanted,
        Comparison::AtLeast => found >= wanted,
    }
}

/// The verdict: a broken promise outweighs everything, an early end a failed expectation, and that a missed threshold.
pub(crate) fn verdict(report: &Report) -> Verdict {
    let all_held = |list: &[ExpectationOutcome]| list.iter().all(|expectation| expectation.held);
    if !report.judged.intact {
        Verdict::Broken
    } else if report.ended == Some(StopReason::WaitsForPerson) {
        Verdict::Waiting
    } else if !matches!(report.ended, Some(StopReason::TasksEnded | StopReason::PlanApproved)) {
        Verdict::Stopped
    } else if report.tasks.failed > 0 || !all_held(&report.judged.expectations) {
        Verdict::Failed
    } else if !all_held(&report.judged.thresholds) {
        Verdict::Missed
    } else {
        Verdict::Held
    }
}
