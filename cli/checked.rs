//! How the checker's report is said: one JSON object, or a table with a last line that claims no more than was judged.

use crate::answer::{Answer, talk};
use crate::say::counted;
use baton_check::{Report, Status};
use baton_record::event::StopReason;
use serde::Serialize;
use serde_json::json;
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
}

fn code(report: &Report) -> u8 {
    if report.intact { 0 } else { 3 }
}

/// One JSON object.
pub(crate) fn object(report: &Report) -> Answer {
    let object = Object {
        format: 1,
        exit_code: code(report),
        ended: report.ended,
        open_tasks: report.unfinished,
        unjudged: report.unjudged.as_deref(),
        report,
    };
    let mut answer = Answer::new(code(report));
    answer.line(&serde_json::to_string(&object).expect("a report can be written as JSON"));
    answer
}

/// A table of the promises, how the run ended, and what became of main.
pub(crate) fn lines(report: &Report) -> Answer {
    let mut answer = Answer::new(code(report));
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
        let nothing = json!({
            "format": 1, "run": run.display().to_string(), "intact": false, "promises": [], "lost": 0, "doubled": 0,
            "torn": 0, "uncredited": 0, "torn_tail": false, "ended": null, "open_tasks": 0, "unjudged": why,
            "exit_code": code, "error": why,
        });
        answer.line(&nothing.to_string());
    }
    answer
}
