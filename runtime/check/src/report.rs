//! Owns what a verification says: the report, one line per promise, the place of a damage, and the
//! judgement that each check fills while it looks.
//!
//! Deliberately does not know what any promise means; the checks know, and say it in `detail`.

use baton_record::event::StopReason;
use baton_record::promise::Status;
use serde::Serialize;

/// What the checker says of one run. Serialised, it is the published JSON of `verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The run folder, as it was given.
    pub run: String,
    /// No promise is broken and the journal has no damage. Open and in doubt are not broken.
    pub intact: bool,
    /// All promises, in the order of [`baton_record::promise::PROMISES`].
    pub promises: Vec<Promise>,
    /// Accepted changes that are not on main (in a control run: written changes without a trace).
    pub lost: u64,
    /// Changes that are on main more than once, and tasks that landed more than once.
    pub doubled: u64,
    /// Changes of which a part, and not all, is on main.
    pub torn: u64,
    /// Commits on main that the journal does not account for.
    pub uncredited: u64,
    /// Whether the last segment ends in an unfinished line, which a crash may leave.
    pub torn_tail: bool,
    /// Where the journal is damaged. Not part of the JSON: LOG-1 says it in words.
    #[serde(skip)]
    pub damage: Option<Damage>,
    /// Why main was not compared with the journal, so that `lost`, `doubled`, `torn` and `uncredited` are 0
    /// without meaning it; `None`: it was compared. Not part of the JSON.
    #[serde(skip)]
    pub unjudged: Option<String>,
    /// By which condition the run ended, as its last record says; `None`: it was killed, goes on, or the end
    /// lies beyond the damage. Not part of the JSON.
    #[serde(skip)]
    pub ended: Option<StopReason>,
    /// Tasks that exist in the good part of the journal and are neither done nor given up there. Not part of
    /// the JSON.
    #[serde(skip)]
    pub unfinished: u64,
    /// Good records. Not part of the JSON.
    #[serde(skip)]
    pub records: u64,
}

impl Report {
    /// The line of one promise; `None` for an identifier that no promise has.
    pub fn promise(&self, id: &str) -> Option<&Promise> {
        self.promises.iter().find(|promise| promise.id == id)
    }
}

/// What the checker says of one promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Promise {
    /// The promise's identifier.
    pub id: &'static str,
    /// The verdict.
    pub status: Status,
    /// How many facts the check looked at.
    pub checked: u64,
    /// The first reason for the verdict, in one line; or what was looked at.
    pub detail: String,
}

/// Where the bytes of a journal stop being a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// File name of the segment, or `journal` when it is about the folder.
    pub file: String,
    /// Line within the segment, from 1; 0 when it is about the whole file.
    pub line: u64,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.what),
            line => write!(f, "{} line {line}: {}", self.file, self.what),
        }
    }
}

/// What one check has found so far. Only the first finding of each sort keeps its words, so that a
/// journal full of faults costs no memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judgement {
    checked: u64,
    broken: Sort,
    in_doubt: Sort,
    open: Sort,
    note: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct Sort {
    count: u64,
    first: String,
}

impl Sort {
    fn add(&mut self, why: impl FnOnce() -> String) {
        if self.count == 0 {
            self.first = why();
        }
        self.count += 1;
    }

    fn detail(&self) -> String {
        match self.count {
            0 | 1 => self.first.clone(),
            count => format!("{} (and {} more)", self.first, count - 1),
        }
    }
}

impl Judgement {
    /// One more fact was looked at.
    pub(crate) fn checked(&mut self) {
        self.checked += 1;
    }

    /// Something stands against the promise.
    pub(crate) fn breaks(&mut self, why: impl FnOnce() -> String) {
        self.broken.add(why);
    }

    /// [`Self::breaks`] unless `holds`.
    pub(crate) fn claim(&mut self, holds: bool, why: impl FnOnce() -> String) {
        self.checked += 1;
        if !holds {
            self.broken.add(why);
        }
    }

    /// Something was begun and has not ended.
    pub(crate) fn open(&mut self, why: impl FnOnce() -> String) {
        self.open.add(why);
    }

    /// The record does not say whether something intended has happened.
    pub(crate) fn doubts(&mut self, why: impl FnOnce() -> String) {
        self.in_doubt.add(why);
    }

    /// Words for the case that nothing stands against the promise.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.note = Some(note.into());
    }

    /// Whether anything stands against the promise so far.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.count > 0
    }

    /// Takes the findings of a second check of the same promise.
    pub(crate) fn join(&mut self, other: Judgement) {
        self.checked += other.checked;
        for (mine, theirs) in
            [(&mut self.broken, other.broken), (&mut self.in_doubt, other.in_doubt), (&mut self.open, other.open)]
        {
            if mine.count == 0 {
                mine.first = theirs.first;
            }
            mine.count += theirs.count;
        }
        if self.note.is_none() {
            self.note = other.note;
        }
    }

    /// The verdict: the worst finding decides, and a check that looked at nothing says so.
    pub(crate) fn promise(&self, id: &'static str) -> Promise {
        let note = || self.note.clone();
        let (status, detail) = if self.broken.count > 0 {
            (Status::Broken, self.broken.detail())
        } else if self.in_doubt.count > 0 {
            (Status::InDoubt, self.in_doubt.detail())
        } else if self.open.count > 0 {
            (Status::Open, self.open.detail())
        } else if self.checked > 0 {
            (Status::Held, note().unwrap_or_else(|| "nothing stands against it".into()))
        } else {
            (Status::NotExercised, note().unwrap_or_else(|| "there was nothing to look at".into()))
        };
        Promise { id, status, checked: self.checked, detail: one_line(&detail) }
    }
}

/// What a forged run says must not pass for a line of the report, nor command a terminal.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars().take(DETAIL_LETTERS_MAX) {
        if letter.is_control() || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
    line
}

/// A longer reason is cut.
const DETAIL_LETTERS_MAX: usize = 2000;
