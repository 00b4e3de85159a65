//! Faults as people read them: lines of the file with marks below, as compilers draw them.
//!
//! Owns what part of the file is shown. Far places and long lines are shown apart and shortened, so that no file
//! makes the output large; columns are those of the file all the same.

use super::faults::{Fault, Faults, Severity};
use super::source::{Source, Span};
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use std::fmt::Write;
use std::ops::Range;

/// Characters up to which a line is shown whole.
const LINE_MAX: usize = 160;
/// Characters of a long line that are shown before and after the beginning of a mark.
const BEFORE: usize = 40;
const AFTER: usize = 100;
/// Lines between two marks that are drawn in one piece.
const GAP_MAX: usize = 200;

/// Every fault, and how many are not told.
pub(crate) fn draw(faults: &Faults, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(LINE_MAX + BEFORE);
    let name = annotate_snippets::normalize_untrusted_str(&faults.file);
    let mut out = String::new();
    for fault in &faults.list {
        out.push_str(&one(fault, &faults.source, &name, &renderer));
        out.push_str("\n\n");
    }
    if faults.more > 0 {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "… and {} more", faults.more);
    } else if out.ends_with("\n\n") {
        out.pop();
    }
    out
}

fn one(fault: &Fault, source: &Source, name: &str, renderer: &Renderer) -> String {
    let excerpts = excerpts(fault, source);
    let level = match fault.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group =
        level.primary_title(fault.message.as_str()).id(fault.code).elements(None::<Snippet<'_, Annotation<'_>>>);
    for excerpt in &excerpts {
        let marks = excerpt.marks.iter().map(|mark| mark.kind.span(mark.range.clone()).label(mark.label));
        group = group
            .element(Snippet::source(excerpt.text.as_str()).path(name).line_start(excerpt.line).annotations(marks));
    }
    let mut report = vec![group];
    report.extend(fault.help.as_ref().map(|help| Group::with_title(Level::HELP.secondary_title(help.as_str()))));
    let drawn = renderer.render(&report);
    excerpts.iter().fold(drawn, |drawn, excerpt| excerpt.relocate(drawn, name))
}

/// Lines that are drawn in one piece.
struct Excerpt<'f> {
    text: String,
    /// The number of its first line.
    line: usize,
    marks: Vec<Mark<'f>>,
    place: Place,
}

struct Mark<'f> {
    kind: AnnotationKind,
    /// Bytes of the excerpt.
    range: Range<usize>,
    label: &'f str,
}

/// What the header above an excerpt says, and what it should say.
struct Place {
    line: usize,
    shown_column: usize,
    column: usize,
}

impl Excerpt<'_> {
    /// The column of a shortened line, corrected to that of the file.
    fn relocate(&self, drawn: String, name: &str) -> String {
        let Place { line, shown_column, column } = self.place;
        if shown_column == column {
            return drawn;
        }
        let Some((title, rest)) = drawn.split_once('\n') else { return drawn };
        let rest = rest.replacen(&format!("{name}:{line}:{shown_column}"), &format!("{name}:{line}:{column}"), 1);
        format!("{title}\n{rest}")
    }
}

/// A place that is marked, before it is decided what is shown around it.
struct Wanted<'f> {
    kind: AnnotationKind,
    span: Span,
    line: usize,
    column: usize,
    label: &'f str,
}

fn excerpts<'f>(fault: &'f Fault, source: &Source) -> Vec<Excerpt<'f>> {
    let Fault { span, line, column, .. } = *fault;
    let mut first = vec![Wanted { kind: AnnotationKind::Primary, span, line, column, label: &fault.label }];
    let mut apart = Vec::new();
    for other in &fault.secondary {
        let near = other.line.abs_diff(line) <= GAP_MAX && source.text()[source.line(other.line)].len() <= LINE_MAX;
        let list = if near { &mut first } else { &mut apart };
        list.push(Wanted {
            kind: AnnotationKind::Context,
            span: other.span,
            line: other.line,
            column: other.column,
            label: &other.label,
        });
    }
    let pieces = std::iter::once(first).chain(apart.into_iter().map(|wanted| vec![wanted]));
    pieces.map(|wanted| excerpt(&wanted, source)).collect()
}

/// The lines around marks, the first of which names the place.
fn excerpt<'f>(wanted: &[Wanted<'f>], source: &Source) -> Excerpt<'f> {
    let lines = wanted.iter().map(|wanted| wanted.line);
    let from = lines.clone().min().unwrap_or(1);
    let to = lines.max().unwrap_or(1);
    let mut text = String::new();
    let mut marks = Vec::new();
    for line in from..=to {
        let here: Vec<&Wanted<'_>> = wanted.iter().filter(|wanted| wanted.line == line).collect();
        let around = here.first().map_or(source.line(line).start, |wanted| wanted.span.start);
        let window = Window::new(source, line, around);
        for wanted in here {
            let range = window.range(wanted.span);
            let range = text.len() + range.start..text.len() + range.end;
            marks.push(Mark { kind: wanted.kind, range, label: wanted.label });
        }
        text.push_str(&window.text);
        text.push('\n');
    }
    let Wanted { line, column, span, .. } = wanted[0];
    let window = Window::new(source, line, span.start);
    let shown_column = window.text[..window.range(span).start].chars().count() + 1;
    Excerpt { text, line: from, marks, place: Place { line, shown_column, column } }
}

/// The text with marks in place of characters that terminals obey; each as long as what it stands for. Those of
/// one byte are replaced when the excerpt is drawn.
fn visible(text: &str) -> String {
    let shown = |c: char| match c {
        '\u{80}'..='\u{9f}' => '¿',
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => char::REPLACEMENT_CHARACTER,
        _ => c,
    };
    text.chars().map(shown).collect()
}

/// A line as it is shown.
struct Window {
    text: String,
    /// The part of the file that it shows.
    from: usize,
    to: usize,
    /// Bytes before that part, which stand for what was left out.
    before: usize,
}

impl Window {
    fn new(source: &Source, line: usize, around: usize) -> Window {
        let range = source.line(line);
        let whole = &source.text()[range.clone()];
        if whole.len() <= LINE_MAX || whole.chars().nth(LINE_MAX).is_none() {
            return Window { text: visible(whole), from: range.start, to: range.end, before: 0 };
        }
        let (left, right) = whole.split_at(around.clamp(range.start, range.end) - range.start);
        let back: usize = left.chars().rev().take(BEFORE).map(char::len_utf8).sum();
        let forth: usize = right.chars().take(AFTER).map(char::len_utf8).sum();
        let (from, to) = (range.start + left.len() - back, range.start + left.len() + forth);
        let (head, tail) = (if from > range.start { "…" } else { "" }, if to < range.end { "…" } else { "" });
        let text = format!("{head}{}{tail}", visible(&source.text()[from..to]));
        Window { text, from, to, before: head.len() }
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = span.start.clamp(self.from, self.to);
        let end = span.end.clamp(start, self.to);
        self.before + start - self.from..self.before + end - self.from
    }
}
