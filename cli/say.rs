//! How outcomes and reports are said: one JSON object on stdout, or a few lines for people.

use baton_check::{Report, Unreadable};
use baton_record::event::StopReason;
use baton_record::promise::Status;
use baton_scenarios::outcome::{Outcome, Verdict};
use baton_scenarios::run::RunError;
use baton_scenarios::scenario::Scenario;
use baton_scenarios::shipped;
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// A line on stdout. A reader who has gone away is no reason to fail: the exit code still says what came of it.
pub(crate) fn line(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// What the demo is about to do.
pub(crate) fn demo_begins(scenario: &Scenario, out: &Path, quiet: bool) {
    if !quiet {
        let lanes: u32 = scenario.roles.iter().map(|role| role.lanes).sum();
        let tasks: u32 = scenario.tasks.iter().map(|group| group.tasks).sum();
        eprintln!(
            "{lanes} lanes, {tasks} tasks, {} faults, in virtual time; run folder {}",
            scenario.faults.len(),
            out.display()
        );
    }
}

/// The outcome of a run, and its exit code.
pub(crate) fn outcome(outcome: &Outcome, as_json: bool) -> ExitCode {
    if as_json {
        line(&serde_json::to_string(outcome).expect("an outcome can be written as JSON"));
        return ExitCode::from(outcome.exit_code);
    }
    let Outcome { main, expectations, faults, .. } = outcome;
    let verdict = match outcome.verdict {
        Verdict::Held => "held",
        Verdict::Failed => "failed",
        Verdict::Broken => "broken",
        Verdict::Stopped => match outcome.stopped {
            Some(StopReason::TimeOver) => "stopped (its time was over)",
            Some(StopReason::ForeignPush) => "stopped (somebody else moved main)",
            Some(StopReason::Stuck) => "stopped (no lane is left for the work that is left)",
            _ => "stopped (by a person)",
        },
    };
    line(&format!(
        "{verdict}: {} changes on main · {} refused ({} conflicts) · {} virtual in {:.1} s",
        main.landed,
        main.refused,
        main.conflicts,
        duration(outcome.virtual_s),
        outcome.wall_s
    ));
    for expectation in expectations {
        let mark = if expectation.held { "ok  " } else { "FAIL" };
        let value = expectation.value.map_or("nothing to look at".to_owned(), |value| format!("{value}"));
        line(&format!("  {mark} {} ({value})", expectation.name));
    }
    for fault in faults {
        let silent = if fault.felt == 0 { "  (not felt)" } else { "" };
        line(&format!("  fault {} {}: injected {}, felt {}{silent}", fault.id, fault.kind, fault.injected, fault.felt));
    }
    if let Some(control) = &outcome.control {
        line(&format!("without the merger: {} lost, {} torn ({})", control.lost, control.torn, control.run));
    }
    line(&format!("run folder {} · baton verify {}", outcome.run, outcome.run));
    ExitCode::from(outcome.exit_code)
}

/// A run without an outcome.
pub(crate) fn no_outcome(error: &RunError, code: u8, as_json: bool) -> ExitCode {
    eprintln!("error: {error}");
    if let RunError::Failure(run, _) = error {
        eprintln!("help: what was recorded can be checked with `baton verify {}`", run.display());
    }
    if as_json {
        // Nothing ran, so there is no verdict, unless a limit ended what had begun or its journal is damaged.
        let verdict = match code {
            3 => Some("broken"),
            5 => Some("stopped"),
            _ => None,
        };
        line(&json!({ "format": 1, "verdict": verdict, "exit_code": code, "error": error.to_string() }).to_string());
    }
    ExitCode::from(code)
}

/// A command line that cannot be obeyed.
pub(crate) fn wrong_use(why: &str, as_json: bool) -> ExitCode {
    eprintln!("error: {why}");
    if as_json {
        line(&json!({ "format": 1, "exit_code": 2, "error": why }).to_string());
    }
    ExitCode::from(2)
}

/// What the checker found, and its exit code.
pub(crate) fn report(report: &Report, as_json: bool) -> ExitCode {
    let code = if report.intact { 0 } else { 3 };
    if as_json {
        line(&serde_json::to_string(report).expect("a report can be written as JSON"));
        return ExitCode::from(code);
    }
    for promise in &report.promises {
        let word = match promise.status {
            Status::Held => "held",
            Status::Broken => "BROKEN",
            Status::Open => "open",
            Status::InDoubt => "in doubt",
            Status::NotExercised => "not exercised",
        };
        line(&format!("{:9} {word:14} {:>9}  {}", promise.id, promise.checked, promise.detail));
    }
    let state = if report.intact { "main intact" } else { "BROKEN" };
    let (lost, doubled) = (report.lost, report.doubled);
    line(&format!("{state}: {lost} lost, {doubled} doubled, {} torn, {} uncredited", report.torn, report.uncredited));
    if report.torn_tail {
        line("the journal's last line is torn, as after a kill; everything before it is whole");
    }
    ExitCode::from(code)
}

/// A folder that is no run: the report's keys with nothing in them, and why.
pub(crate) fn unreadable(run: &Path, unreadable: &Unreadable, as_json: bool) -> ExitCode {
    eprintln!("error: {unreadable}");
    if as_json {
        let nothing = json!({
            "run": run.display().to_string(), "intact": false, "promises": [], "lost": 0, "doubled": 0, "torn": 0,
            "uncredited": 0, "torn_tail": false, "exit_code": 7, "error": unreadable.to_string(),
        });
        line(&nothing.to_string());
    }
    ExitCode::from(7)
}

/// The shipped scenarios, each with the first sentence of its claim.
pub(crate) fn scenarios() -> ExitCode {
    for (name, text) in shipped::SHIPPED {
        let comment = text.lines().take_while(|line| line.starts_with('#'));
        let comment: Vec<&str> = comment.map(|line| line.trim_start_matches(['#', ' '])).collect();
        let claim = comment.join(" ");
        let claim = claim.split(" Refuted by").next().unwrap_or_default().trim_start_matches("Claim: ");
        line(&format!("{name}\n    {claim}"));
    }
    ExitCode::SUCCESS
}

/// The paragraph behind an error code.
pub(crate) fn explain(code: &str) -> ExitCode {
    match baton_scenarios::file::explain(code) {
        Some(text) => {
            line(text);
            ExitCode::SUCCESS
        }
        None => wrong_use(&format!("there is no error code `{code}`; codes look like E0112"), false),
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
