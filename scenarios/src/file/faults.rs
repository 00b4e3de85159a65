//! What is reported about a file: faults with places, reasons and cures.
//!
//! Owns how faults are collected, ordered, limited and written as JSON. Does not know what makes a file faulty.

use super::codes::Code;
use super::render;
use super::source::{Source, Span};
use serde::Serialize;
use std::fmt;

/// Faults that are told one by one; of the others only the number.
pub const TOLD_MAX: usize = 100;

/// How bad a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but probably says something else than was meant.
    Warning,
}

/// Another place that a fault points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secondary {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is to be seen there.
    pub label: String,
    pub(crate) span: Span,
}

/// One mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// For [`explain`](super::explain): `E` or `W` and four digits.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// The file's name as given to [`read`](super::read).
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Characters that are wrong, on that line; at least 1.
    pub length: usize,
    /// What is to be seen at that place; not part of the JSON.
    #[serde(skip)]
    pub label: String,
    /// The cure.
    pub help: Option<String>,
    /// Other places that belong to it; not part of the JSON.
    #[serde(skip)]
    pub secondary: Vec<Secondary>,
    #[serde(skip)]
    pub(crate) span: Span,
}

/// All faults of one file.
#[derive(Clone, Debug)]
pub struct Faults {
    /// The file's name as given to [`read`](super::read).
    pub file: String,
    /// By position; at most [`TOLD_MAX`].
    pub list: Vec<Fault>,
    /// Faults beyond those of `list`.
    pub more: usize,
    /// Errors, told or not.
    pub errors: usize,
    /// Warnings, told or not.
    pub warnings: usize,
    pub(crate) source: Box<Source>,
}

#[derive(Serialize)]
struct Answer<'a> {
    format: u32,
    exit_code: u8,
    files: Vec<&'a str>,
    errors: Vec<&'a Fault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<usize>,
}

impl Faults {
    /// Forgets the warnings of one code.
    pub(crate) fn drop_warnings(&mut self, code: &str) {
        let before = self.list.len();
        self.list.retain(|fault| fault.code != code || fault.severity != Severity::Warning);
        self.warnings -= before - self.list.len();
    }

    /// The text of the file; of a file that is too large, its beginning.
    pub fn source(&self) -> &str {
        self.source.text()
    }

    /// `{"format":1,"exit_code":2,"files":[…],"errors":[{code, severity, message, file, line, column, length, help}]}` on one
    /// line; the exit code is 0 if there are only warnings.
    /// `errors` holds warnings too. `"more"` follows only if faults were left out.
    pub fn to_json(&self) -> String {
        to_json(&[self])
    }

    /// As people read it: each fault with its lines, labels and cure; ends with a newline if it is not empty.
    pub fn render(&self, color: bool) -> String {
        render::draw(self, color)
    }
}

/// The faults of several files as one object; see [`Faults::to_json`].
pub fn to_json(all: &[&Faults]) -> String {
    let files = all.iter().map(|faults| faults.file.as_str()).collect();
    let errors = all.iter().flat_map(|faults| &faults.list).collect();
    let more: usize = all.iter().map(|faults| faults.more).sum();
    let exit_code = if all.iter().any(|faults| faults.errors > 0) { 2 } else { 0 };
    let answer = Answer { format: 1, exit_code, files, errors, more: (more > 0).then_some(more) };
    serde_json::to_string(&answer).expect("texts and numbers can always be written")
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Faults {}

/// A fault before its place is translated.
#[derive(Debug)]
pub(crate) struct Draft {
    code: Code,
    span: Span,
    message: String,
    label: String,
    help: Option<String>,
    others: Vec<(Span, String)>,
}

impl Draft {
    /// What is to be seen at the place.
    pub(crate) fn label(&mut self, text: impl Into<String>) -> &mut Draft {
        self.label = text.into();
        self
    }

    /// The cure.
    pub(crate) fn help(&mut self, text: impl Into<String>) -> &mut Draft {
        self.help = Some(text.into());
        self
    }

    /// Another place that belongs to the fault.
    pub(crate) fn also(&mut self, span: Span, text: impl Into<String>) -> &mut Draft {
        self.others.push((span, text.into()));
        self
    }
}

/// Collects faults while a file is read. Memory is bounded: only those that can be told are kept.
#[derive(Debug)]
pub(crate) struct Sink {
    drafts: Vec<Draft>,
    errors: usize,
    warnings: usize,
    /// Names that may still be compared in search of the one that was meant.
    pub(crate) comparisons_left: usize,
    /// Whether a part of the file is not read, so that what is missing may stand there.
    pub(crate) cut_short: bool,
}

impl Default for Sink {
    fn default() -> Sink {
        Sink { drafts: Vec::new(), errors: 0, warnings: 0, comparisons_left: 100_000, cut_short: false }
    }
}

impl Sink {
    /// Errors so far.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// Adds an error or, if the code is one of a warning, a warning.
    pub(crate) fn error(&mut self, code: Code, span: Span, message: impl Into<String>) -> &mut Draft {
        match code.severity() {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        if self.drafts.len() >= 4 * TOLD_MAX {
            self.keep_first();
        }
        let at = self.drafts.len();
        self.drafts.push(Draft {
            code,
            span,
            message: message.into(),
            label: String::new(),
            help: None,
            others: Vec::new(),
        });
        &mut self.drafts[at]
    }

    fn keep_first(&mut self) {
        self.drafts.sort_by_key(|draft| (draft.span, draft.code));
        self.drafts.truncate(TOLD_MAX);
    }

    /// The faults in order, with places.
    pub(crate) fn finish(mut self, name: &str, source: Source) -> Faults {
        self.keep_first();
        let list: Vec<Fault> = self.drafts.drain(..).map(|draft| place(draft, name, &source)).collect();
        let more = self.errors + self.warnings - list.len();
        Faults {
            file: name.to_owned(),
            list,
            more,
            errors: self.errors,
            warnings: self.warnings,
            source: Box::new(source),
        }
    }
}

/// One line without control characters: values may hold any, by escapes.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn place(draft: Draft, name: &str, source: &Source) -> Fault {
    let span = source.on_one_line(draft.span);
    let at = source.position(span.start);
    let secondary = draft.others.into_iter().map(|(other, label)| {
        let other = source.on_one_line(other);
        let at = source.position(other.start);
        Secondary { line: at.line, column: at.column, label: clean(&label), span: other }
    });
    Fault {
        code: draft.code.word(),
        severity: draft.code.severity(),
        message: clean(&draft.message),
        file: name.to_owned(),
        line: at.line,
        column: at.column,
        length: source.text()[span.start..span.end].chars().count().max(1),
        label: clean(&draft.label),
        help: draft.help.as_deref().map(clean),
        secondary: secondary.collect(),
        span,
    }
}
