//! How the checker's report is said: one JSON object, or a table with a last line that claims no more than was judged.

use crate::answer::{Answer, UNWRITTEN, talk};
use crate::say::counted;
use baton_check::{Report, Status};
use baton_record::event::StopReason;
use serde::Serialize;
use serde_json::{Value, json};
use std::path::Path;

/// The report as `--json` prints it: the checker's own keys, and what places them.
#[derive(Serialize)]
struct Object<'a> {
    format: u32,
    exit_code: u8,
    /// How the run ended, `null` if that is not known.
    ended: Option<StopReason>,
    /// Tasks that are neither done nor given up.
    open_tasks: u64,
    /// Why main was not judged; the four counts then mean nothing.
    unjudged: Option<&'a str>,
    #[serde(flatten)]
    report: &'a Report,
    /// Why the finding could not be left in the run folder, where that was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    unrecorded: Option<&'a str>,
}

/// A broken promise weighs more than a finding that could not be recorded.
fn code(report: &Report, unrecorded: bool) -> u8 {
    match (report.intact, unrecorded) {
        (false, _) => 3,
        (true, true) => UNWRITTEN,
        (true, false) => 0,
    }
}

/// One JSON object; `unrecorded`: why the finding is not recorded, though that was wanted.
pub(crate) fn object(report: &Report, unrecorded: Option<&str>) -> Answer {
    let code = code(report, unrecorded.is_some());
    let object = Object {
        format: 1,
        exit_code: code,
        ended: report.ended,
        open_tasks: report.unfinished,
        unjudged: report.unjudged.as_deref(),
        report,
        unrecorded,
    };
    let mut answer = Answer::new(code);
    answer.line(&serde_json::to_string(&object).expect("a report can be written as JSON"));
    answer
}

/// A table of the promises, how the run ended, and what became of main.
pub(crate) fn lines(report: &Report, unrecorded: bool) -> Answer {
    let mut answer = Answer::new(code(report, unrecorded));
    answer.line(&format!("{:9} {:14} {:>9}  {}", "promise", "status", "checked", "detail"));
    for promise in &report.promises {
        let word = match promise.status {
            Status::Held => "held",
            Status::Broken => "BROKEN",
            Status::Open => "open",
            Status::InDoubt => "in doubt",
            Status::NotExercised => "not exercised",
        };
        answer.line(&format!("{:9} {word:14} {:>9}  {}", promise.id, promise.checked, promise.detail));
    }
    answer.line("");
    if report.torn_tail {
        answer.line("the journal's last line is torn, as after a kill; everything before it is whole");
    }
    if report.damage.is_none() && report.ended.is_none() {
        let open = counted(report.unfinished, "task");
        let are = if report.unfinished == 1 { "is" } else { "are" };
        answer.line(&format!("the run did not end: it was killed, or goes on; {open} {are} open"));
    }
    answer.line(&last_line(report));
    answer
}

fn last_line(report: &Report) -> String {
    let broken: Vec<&str> =
        report.promises.iter().filter(|promise| promise.status == Status::Broken).map(|promise| promise.id).collect();
    let state = match (report.intact, broken.is_empty()) {
        (true, _) => "main intact".to_owned(),
        (false, true) => "BROKEN".to_owned(),
        (false, false) => format!("BROKEN: {}", broken.join(", ")),
    };
    let Report { lost, doubled, torn, uncredited, .. } = report;
    match &report.unjudged {
        Some(why) => format!("{state}; main could not be judged: {why}"),
        None if report.intact => {
            format!("{state}: {lost} lost, {doubled} doubled, {torn} torn, {uncredited} uncredited")
        }
        None => format!("{state}; {lost} lost, {doubled} doubled, {torn} torn, {uncredited} uncredited"),
    }
}

/// A folder that cannot be verified: the report's keys with nothing in them, and why.
pub(crate) fn unreadable(run: &Path, why: &str, (code, as_json): (u8, bool)) -> Answer {
    talk(&format!("error: {why}"));
    let mut answer = Answer::new(code);
    if as_json {
        answer.line(&nothing(run, why, code).to_string());
    }
    answer
}

/// What is said in JSON of a folder that cannot be verified.
pub(crate) fn nothing(run: &Path, why: &str, code: u8) -> Value {
    json!({
        "format": 1, "run": run.display().to_string(), "intact": false, "promises": [], "lost": 0, "doubled": 0,
        "torn": 0, "uncredited": 0, "torn_tail": false, "ended": null, "open_tasks": 0, "unjudged": why,
        "exit_code": code, "error": why,
    })
}
