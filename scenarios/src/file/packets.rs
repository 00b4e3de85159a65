//! Flaws of packets as faults with places, so that every kind of file is told of in one way.
//!
//! Owns nothing of what makes a packet wrong: [`baton_packets`] does. Where its links lead is looked up in a run.

use super::faults::{Fault, Faults, Severity};
use super::source::{Source, Span};
use baton_check::RunShelf;
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

/// Everything that is wrong with the packet `name` (a label for messages): with its form and, where there is a run to look
/// them up in, with its links.
pub fn check_packet(name: &str, bytes: &[u8], run: Option<&RunShelf>) -> Faults {
    let flaws = match baton_packets::read(bytes) {
        Ok(packet) => run.map(|run| baton_packets::resolve(&packet, &Shelf(run))).unwrap_or_default(),
        Err(flaws) => flaws,
    };
    let shown = &bytes[..bytes.len().min(super::BYTES_MAX)];
    let source = Source::new(String::from_utf8_lossy(shown).into_owned());
    let list: Vec<Fault> = flaws.iter().map(|flaw| fault(name, (&source, bytes), flaw)).collect();
    let errors = list.len();
    Faults { file: name.to_owned(), list, more: 0, errors, warnings: 0, source: Box::new(source) }
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
