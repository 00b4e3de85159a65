//! Flaws of packets and conflict reports as faults with places, so that every kind of file is told of in one way.
//!
//! Owns nothing of what makes a packet wrong: [`baton_packets`] does. Where its links lead is looked up in a run.

use super::faults::{Fault, Faults, Severity};
use super::source::{Source, Span};
use baton_check::{RunShelf, RunStory};
use baton_packets::Flaw;

/// What a run has, as links are resolved against it.
struct Shelf<'a>(&'a RunShelf);

impl baton_packets::Ground for Shelf<'_> {
    fn content(&self, digest: &str) -> Option<Vec<u8>> {
        self.0.content(digest)
    }

    fn file(&self, base: &str, path: &str) -> Option<String> {
        self.0.file(base, path)
    }
}

/// Everything that is wrong with the packet, or the conflict report, `name` (a label for messages): with its form and, where there is a run to look
/// them up in, with its links.
pub fn check_packet(name: &str, bytes: &[u8], run: Option<&RunShelf>) -> Faults {
    let flaws = if baton_packets::is_report(bytes) {
        let untrue = |report| run.map(|run| untrue_report(&report, run)).unwrap_or_default();
        baton_packets::read_report(bytes).map_or_else(|flaws| flaws, untrue)
    } else {
        let untrue = |packet| run.map(|run| untrue(&packet, run)).unwrap_or_default();
        baton_packets::read(bytes).map_or_else(|flaws| flaws, untrue)
    };
    let shown = &bytes[..bytes.len().min(super::BYTES_MAX)];
    let source = Source::new(String::from_utf8_lossy(shown).into_owned());
    let list: Vec<Fault> = flaws.iter().map(|flaw| fault(name, (&source, bytes), flaw)).collect();
    let errors = list.len();
    Faults { file: name.to_owned(), list, more: 0, errors, warnings: 0, source: Box::new(source) }
}

/// What is not so of the run, and where links do not hold.
fn untrue(packet: &baton_packets::Packet, run: &RunShelf) -> Vec<Flaw> {
    // What cannot be read of the journal cannot contradict the packet: `verify` says what is wrong with it.
    let mut flaws = run.story().map(|story| baton_packets::compare(packet, &known(&story))).unwrap_or_default();
    flaws.extend(baton_packets::resolve(packet, &Shelf(run)));
    flaws
}

/// What a conflict report says otherwise than the one that the run's own record of the refusal names.
fn untrue_report(report: &baton_packets::ConflictReport, run: &RunShelf) -> Vec<Flaw> {
    let Ok(story) = run.story() else { return Vec::new() };
    let named = story.reports.iter().find(|(change, _)| change.to_string() == report.change);
    let named = named.map(|(_, digest)| digest.as_str());
    baton_packets::compare_report(report, (&story.run, named), &Shelf(run))
}

fn known(story: &RunStory) -> baton_packets::Run {
    baton_packets::Run {
        run: story.run.clone(),
        tasks: story.tasks.iter().map(|(task, review)| (task.to_string(), review.clone())).collect(),
        lanes: story.lanes.clone(),
        attempts: story.attempts.iter().map(|(change, lanes)| (change.to_string(), lanes.clone())).collect(),
        commits: story.commits.iter().map(|commit| commit.to_hex()).collect(),
    }
}

fn fault(name: &str, (source, bytes): (&Source, &[u8]), flaw: &Flaw) -> Fault {
    // What was found in the packet, and not in its text, is looked up there.
    let found = || baton_packets::locate(bytes, &flaw.pointer).unwrap_or_default();
    let at = if flaw.span.is_empty() && !flaw.pointer.is_empty() { found() } else { flaw.span.clone() };
    let end = source.text().len();
    let span = source.on_one_line(Span::new(at.start.min(end), at.end.min(end)));
    let position = source.position(span.start);
    Fault {
        code: flaw.code,
        severity: Severity::Error,
        message: flaw.message.clone(),
        file: name.to_owned(),
        line: position.line,
        column: position.column,
        length: source.text()[span.start..span.end].chars().count().max(1),
        label: String::new(),
        help: Some(flaw.help.clone()),
        secondary: Vec::new(),
        span,
    }
}
