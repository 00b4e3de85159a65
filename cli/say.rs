//! How the outcome of a run is said, and that there is none: one JSON object, or a few lines for people.

use crate::answer::{Answer, talk};
use crate::report::{self, Paint};
use baton_record::event::{CommandRefusal, StopReason};
use baton_scenarios::outcome::{ApprovalOutcome, ApprovalState, FaultOutcome, OrderOutcome, Outcome, Verdict};
use baton_scenarios::plan::Disk;
use baton_scenarios::report::folder;
use baton_scenarios::run::RunError;
use baton_scenarios::scenario::Scenario;
use baton_scenarios::shipped;
use serde_json::json;
use std::path::Path;

/// The exit code of a command that cannot be obeyed.
pub(crate) const WRONG_USE: u8 = 2;

/// What is about to happen.
pub(crate) fn begins(scenario: &Scenario, out: &Path) {
    let lanes: u32 = scenario.roles.iter().map(|role| role.lanes).sum();
    let tasks: u32 = scenario.tasks.iter().map(|group| group.tasks).sum();
    let faults = counted(scenario.faults.len() as u64, "fault");
    let (lanes, tasks) = (counted(lanes.into(), "lane"), counted(tasks.into(), "task"));
    talk(&format!("{lanes}, {tasks}, {faults}, in virtual time; run folder {}", out.display()));
}

/// What a run will take on the disk.
pub(crate) fn disk(disk: &Disk) {
    let (expected, high) = (size(disk.bytes.expected), size(disk.bytes.high));
    talk(&format!("takes about {expected} on the disk, {high} at most; about {} records", disk.records.expected));
}

/// The outcome of a run, and its exit code.
pub(crate) fn outcome(outcome: &Outcome, as_json: bool, paint: Paint) -> Answer {
    let mut answer = Answer::new(outcome.exit_code).kept_in(format!("{}/run.json", outcome.run));
    if as_json {
        answer.line(&serde_json::to_string(outcome).expect("an outcome can be written as JSON"));
        return answer;
    }
    let Outcome { main, expectations, thresholds, faults, .. } = outcome;
    let silent = faults.iter().filter(|fault| fault.injected == 0).count();
    let silent = match silent {
        0 => String::new(),
        _ => format!(" · {silent} of {} not injected", counted(faults.len() as u64, "fault")),
    };
    let unheard = outcome.operators.iter().filter(|order| !order.given).count();
    let unheard = match unheard {
        0 => String::new(),
        _ => format!(" · {unheard} of {} not given", counted(outcome.operators.len() as u64, "order")),
    };
    answer.line(&format!(
        "{}: {} on main · {} refused ({}) · {} virtual in {:.1} s{silent}{unheard}",
        paint.verdict(verdict(outcome)),
        counted(main.landed, "change"),
        main.refused,
        counted(main.conflicts, "conflict"),
        duration(outcome.virtual_s),
        outcome.wall_s
    ));
    for expectation in expectations.iter().chain(thresholds) {
        let mark = if expectation.held { "ok  " } else { "FAIL" };
        let value = expectation.value.map_or("nothing to look at".to_owned(), |value| format!("{value}"));
        answer.line(&format!("  {mark} {} ({value})", expectation.name));
    }
    for fault in faults {
        answer.line(&format!("  fault {} {}: {}", fault.id, fault.kind, effect(fault, outcome)));
    }
    for order in outcome.operators.iter().filter(|order| !order.given) {
        answer.line(&format!("  {} at {}: {}", order.by, duration(order.at_s), never_given(order, outcome)));
    }
    outcome.approvals.iter().for_each(|approval| asked(&mut answer, approval));
    for refused in outcome.report.iter().flat_map(|report| &report.people.refused) {
        let at = duration(refused.t_us as f64 / 1e6);
        answer.line(&format!("  {} at {at}: {} changed nothing: {}", refused.by, refused.command, told(refused.why)));
    }
    if let Some(control) = &outcome.control {
        answer.line(&format!("without the merger: {} lost, {} torn ({})", control.lost, control.torn, control.run));
    }
    if let Some(report) = &outcome.report {
        report::sections(&mut answer, report, paint);
    }
    let run = shell_word(&outcome.run);
    let markdown = Path::new(&outcome.run).join(folder::MARKDOWN);
    answer.line(&format!("report {}", shell_word(&markdown.display().to_string())));
    answer.line(&format!("run folder {run} · baton verify {run}"));
    answer
}

fn told(why: CommandRefusal) -> &'static str {
    match why {
        CommandRefusal::NothingWaits => "nothing that it speaks of waits for a person",
        CommandRefusal::Decided => "it was decided before",
        CommandRefusal::AlreadySo => "it was so already",
        CommandRefusal::Gone => "what it names had ended, or was not there",
        CommandRefusal::Full => "a cap was reached",
    }
}

fn verdict(outcome: &Outcome) -> &'static str {
    match outcome.verdict {
        Verdict::Held => "held",
        Verdict::Failed => "failed",
        Verdict::Missed => "failed (a threshold is missed)",
        Verdict::Broken => "broken",
        Verdict::Waiting => "waits for a person (nobody decided in time)",
        Verdict::Stopped => match outcome.stopped {
            Some(StopReason::TimeOver) => "stopped (its time was over)",
            Some(StopReason::ForeignPush) => "stopped (somebody else moved main)",
            Some(StopReason::BudgetOver) => "stopped (its budget is over)",
            Some(StopReason::Drained) => "stopped (drained by a person)",
            Some(StopReason::Stuck) => "stopped (no lane is left for the work that is left)",
            _ => "stopped (by a person)",
        },
    }
}

/// What a person was asked, and where that stands.
fn asked(answer: &mut Answer, approval: &ApprovalOutcome) {
    let ApprovalOutcome { id, subject, task, paths, detail, state, by, .. } = approval;
    let by = by.as_deref().unwrap_or("nobody");
    let became = match state {
        ApprovalState::Waiting => "waits for a person".to_owned(),
        ApprovalState::Approved => format!("approved by {by}"),
        ApprovalState::Denied => format!("denied by {by}"),
        ApprovalState::TimedOutApproved => "nobody answered in time, which counted as approved".to_owned(),
        ApprovalState::TimedOutDenied => "nobody answered in time, which counted as denied".to_owned(),
        ApprovalState::TimedOutStopped => "waits for a person, and nobody answered in time".to_owned(),
    };
    answer.line(&format!("  {id} {} of {task}: {became}", subject.word()));
    if matches!(state, ApprovalState::Waiting | ApprovalState::TimedOutStopped) {
        let at = match paths.as_slice() {
            [] => String::new(),
            [path] => format!(", at {path}"),
            [path, others @ ..] => format!(", at {path} and {} more", others.len()),
        };
        answer.line(&format!("      {detail}{at}"));
        answer.line(&format!(
            "      to answer, add to `operators` and run again: {{ at: {}, by: YOU, do: {{ approve: {task} }} }}, or `deny`",
            written(approval.asked_s.ceil() + 1.0)
        ));
    }
}

/// A time as scenario files have it.
fn written(seconds: f64) -> String {
    format!("{seconds:.0}s")
}

/// What became of a fault; where nothing did, why not and what to do about it.
fn effect(fault: &FaultOutcome, outcome: &Outcome) -> String {
    let end = duration(outcome.virtual_s);
    let at = duration(fault.at_s);
    match (fault.injected, fault.felt) {
        (0, _) if fault.after_end => {
            format!(
                "not injected: its time was {at}, and the run ended at {end}; give it an earlier `at`, or the team more work"
            )
        }
        (0, _) => {
            let awaited = match fault.kind {
                "kill" | "pause" => {
                    "no lane that it is aimed at was there to be struck, or in the moment that it waits for"
                }
                "duplicate" | "delay" | "drop" => "no message met it",
                _ => "its occasion did not come",
            };
            format!("not injected: {awaited}, between {at} and the run's end at {end}")
        }
        (injected, 0) => {
            format!("injected {}, not felt: nobody did anything else because of it", counted(injected, "time"))
        }
        (injected, _) => {
            format!("injected {}, felt in {}", counted(injected, "time"), counted(fault.felt_records, "record"))
        }
    }
}

/// Why a person's command came to nothing that nobody has heard.
fn never_given(order: &OrderOutcome, outcome: &Outcome) -> String {
    let (command, end) = (&order.command, duration(outcome.virtual_s));
    let why = if order.after_end { "its time had not come" } else { "nobody was there to hear it" };
    format!(
        "{command} was not given: {why} when the run ended at {end}; give it an earlier `at`, or the team more work"
    )
}

/// A run without an outcome.
pub(crate) fn no_outcome(error: &RunError, out: &Path, (code, as_json): (u8, bool)) -> Answer {
    talk(&format!("error: {error}"));
    let check = |run: &Path| format!("`baton verify {}`", shell_word(&run.display().to_string()));
    match error {
        RunError::Failure(run, _) => talk(&format!("help: what was recorded can be checked with {}", check(run))),
        RunError::Check(_) => {
            talk(&format!("help: the run has ended and is not judged; then do that with {}", check(out)))
        }
        RunError::Taken(..)
        | RunError::Folder(..)
        | RunError::Content(_)
        | RunError::Workspace(_)
        | RunError::NoRoom(_)
        | RunError::DiskTooSmall { .. }
        | RunError::Journal(_) => {}
    }
    let mut answer = Answer::new(code);
    if as_json {
        // Nothing ran, so there is no verdict, unless a limit ended what had begun or its journal is damaged.
        let verdict = match code {
            3 => Some("broken"),
            5 => Some("stopped"),
            _ => None,
        };
        let object = json!({ "format": 1, "verdict": verdict, "exit_code": code, "error": error.to_string() });
        answer.line(&object.to_string());
    }
    answer
}

/// A command line that cannot be obeyed.
pub(crate) fn wrong_use(why: &str, as_json: bool) -> Answer {
    talk(&format!("error: {why}"));
    let mut answer = Answer::new(WRONG_USE);
    if as_json {
        answer.line(&error_object(WRONG_USE, why));
    }
    answer
}

/// What is printed instead of an answer where JSON was asked for.
pub(crate) fn error_object(code: u8, why: &str) -> String {
    json!({ "format": 1, "exit_code": code, "error": why }).to_string()
}

/// The shipped scenarios, each with the first sentence of its claim.
pub(crate) fn scenarios(as_json: bool) -> Answer {
    let all = shipped::SHIPPED.iter().map(|(name, text)| (*name, claim(text)));
    if as_json {
        let list: Vec<_> = all.map(|(name, claim)| json!({ "name": name, "claim": claim })).collect();
        return Answer::of(&json!({ "format": 1, "scenarios": list }).to_string());
    }
    let mut answer = Answer::new(0);
    all.for_each(|(name, claim)| answer.line(&format!("{name}\n    {claim}")));
    answer
}

fn claim(text: &str) -> String {
    let comment = text.lines().take_while(|line| line.starts_with('#'));
    let comment: Vec<&str> = comment.map(|line| line.trim_start_matches(['#', ' '])).collect();
    let comment = comment.join(" ");
    comment.split(" Refuted by").next().unwrap_or_default().trim_start_matches("Claim: ").to_owned()
}

/// `1 change`, `2 changes`.
pub(crate) fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A path as it can be given to a shell.
pub(crate) fn shell_word(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./+:@%,=".contains(c);
    if !path.is_empty() && path.chars().all(plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}

/// `1 h 36 m`, `12 m 5 s`, `3.2 s`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3_600 => format!("{} m {} s", whole / 60, whole % 60),
        _ => format!("{} h {} m", whole / 3_600, whole % 3_600 / 60),
    }
}

/// `4.0 KiB`, `12.3 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if bytes < 1024 { format!("{bytes} B") } else { format!("{value:.1} {}", units[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_not_said_to_be_several() {
        assert_eq!(
            [counted(0, "change"), counted(1, "change"), counted(2, "change")],
            ["0 changes", "1 change", "2 changes"]
        );
    }

    #[test]
    fn a_path_can_be_copied_into_a_shell() {
        assert_eq!(shell_word("runs/demo-1"), "runs/demo-1");
        assert_eq!(shell_word("my run"), "'my run'");
        assert_eq!(shell_word("it's"), "'it'\\''s'");
    }
}
