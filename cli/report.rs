//! `baton report`, and the sections of a report that `baton run` ends with.

use crate::answer::{Answer, talk};
use crate::arguments::{Color, Report as Wanted, ReportFormat};
use crate::say::{WRONG_USE, counted, duration, error_object, shell_word};
use crate::{git_program, verify};
use baton_check::Status;
use baton_scenarios::report::{FaultFigures, Line, Report, Tone, folder};
use std::path::Path;

/// Width of the names of sections.
const LABEL: usize = 10;

/// Makes the report of a run folder anew.
pub(crate) fn report(wanted: &Wanted) -> Answer {
    let as_json = wanted.format == ReportFormat::Json;
    if let Some(complaint) = git_program::complaint() {
        return refused(&complaint, (WRONG_USE, as_json));
    }
    let report = match folder::read(&wanted.run) {
        Ok(report) => report,
        Err(unreadable) => {
            let why = format!("{unreadable}{}", verify::meant(&wanted.run, "report"));
            return refused(&why, (7, as_json));
        }
    };
    let written = folder::renew(&wanted.run, &report);
    if let Err(why) = &written {
        talk(&format!("warning: the report in the run folder is not made anew: {why}"));
    }
    let code = if report.judged.intact { 0 } else { 3 };
    let mut answer = Answer::new(code);
    match wanted.format {
        ReportFormat::Json => answer.line(&report.to_json()),
        ReportFormat::Markdown => answer.line(report.to_markdown().trim_end()),
        ReportFormat::Text => {
            text(&mut answer, &report, Paint::of(wanted.color));
            answer.line(&whole(&wanted.run, written.is_ok()));
        }
    }
    answer
}

fn refused(why: &str, (code, as_json): (u8, bool)) -> Answer {
    talk(&format!("error: {why}"));
    let mut answer = Answer::new(code);
    if as_json {
        answer.line(&error_object(code, why));
    }
    answer
}

/// Where all figures are.
fn whole(run: &Path, written: bool) -> String {
    match written {
        true => format!("all figures in {}", shell_word(&run.join(folder::MARKDOWN).display().to_string())),
        false => {
            format!("all figures with `baton report {} --format markdown`", shell_word(&run.display().to_string()))
        }
    }
}

fn text(answer: &mut Answer, report: &Report, paint: Paint) {
    let name = |verdict| serde_json::to_value(verdict).ok().and_then(|word| word.as_str().map(str::to_owned));
    let verdict = match (&report.damage, report.judged.verdict.and_then(name)) {
        (Some(_), _) => "damaged".to_owned(),
        (None, Some(verdict)) => verdict,
        (None, None) => "no verdict".to_owned(),
    };
    let landings = &report.landings;
    answer.line(&format!(
        "{}: {} on main · {} refused ({}) · {} · seed {}, {} records",
        paint.verdict(&verdict),
        counted(landings.landed, "change"),
        landings.refused,
        counted(landings.conflicts.count, "conflict"),
        duration(report.end_us as f64 / 1e6),
        report.seed,
        report.records,
    ));
    if let Some(damage) = &report.damage {
        answer.line(&format!("the journal is damaged: {damage}; the figures are those of the records before"));
    } else if report.ended.is_none() {
        answer.line("the run did not end: it was killed, or goes on; whatever is open ends with the last record");
    }
    let judged = &report.judged;
    let promises = [
        (Status::Held, "held"),
        (Status::Broken, "broken"),
        (Status::Open, "open"),
        (Status::InDoubt, "in doubt"),
        (Status::NotExercised, "not exercised"),
    ];
    let counts = promises.map(|(status, word)| (judged.count(status), word));
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    let broken = judged.count(Status::Broken) > 0;
    let tone = if broken { Tone::Notable } else { Tone::Plain };
    let line = Line { label: "promises", text: counts.collect::<Vec<_>>().join(" · "), tone };
    answer.line(&paint.section(&line));
    for missed in judged.expectations.iter().chain(&judged.thresholds).filter(|expected| !expected.held) {
        let value = missed.value.map_or("nothing to look at".to_owned(), |value| value.to_string());
        let line = Line { label: "missed", text: format!("{} ({value})", missed.name), tone: Tone::Notable };
        answer.line(&paint.section(&line));
    }
    sections(answer, report, paint);
    for fault in &report.faults {
        answer.line(&paint.section(&Line { label: "fault", text: told(fault), tone: Tone::Plain }));
    }
}

fn told(fault: &FaultFigures) -> String {
    let struck = format!("{} {}: struck {}", fault.id, fault.kind, counted(fault.injected, "time"));
    match fault.recovery_us {
        Some(us) => {
            let records = counted(fault.felt_records, "record");
            format!("{struck}, felt in {records}, for {} at most", duration(us as f64 / 1e6))
        }
        None => format!("{struck}, not felt"),
    }
}

/// The sections of a report that have something to tell, one line each.
pub(crate) fn sections(answer: &mut Answer, report: &Report, paint: Paint) {
    report.lines().iter().for_each(|line| answer.line(&paint.section(line)));
}

/// Whether what is printed on stdout has colours.
#[derive(Clone, Copy)]
pub(crate) struct Paint(bool);

impl Paint {
    pub(crate) fn of(color: Color) -> Paint {
        Paint(color.wanted_on(&std::io::stdout()))
    }

    fn coloured(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A verdict: green where all is well, else red or yellow.
    pub(crate) fn verdict(self, verdict: &str) -> String {
        let code = match verdict.split(' ').next() {
            Some("held") => "1;32",
            Some("failed" | "broken" | "damaged") => "1;31",
            _ => "1;33",
        };
        self.coloured(code, verdict)
    }

    fn section(self, line: &Line) -> String {
        let label = format!("{:LABEL$}", line.label);
        let code = if line.tone == Tone::Notable { "33" } else { "2" };
        format!("  {} {}", self.coloured(code, &label), line.text)
    }
}
