//! Reads a scenario file into [`Scenario`], or says everything that is wrong with it.
//!
//! Owns the format: its syntax, its bounds, the references inside one file, and how a fault is told.
//! Knows no disk, no clock and no run: bytes in, values out, in bounded time and memory. Whether a
//! repository exists or an expectation holds is found out by others.
//!
//! Reading order: [`faults`] (what is reported), `source` (where), `tree` (YAML with places),
//! `table` (typed access), then one file per section of the format.

mod actions;
mod approvals;
mod binding;
mod budgets;
mod bytes;
mod codes;
mod collisions;
mod duration;
mod expect;
mod explain;
mod explain_doubt;
mod explain_meaning;
pub mod faults;
mod misfortune;
mod names;
mod nobody_left;
mod number;
mod operators;
mod packets;
mod path;
mod prices;
mod render;
mod route;
mod rules;
mod scalar;
mod settings;
mod skills;
mod source;
mod syntax;
mod table;
mod team;
mod tree;
mod whole;
mod work;

use crate::scenario::Scenario;
use binding::Skills;
pub use binding::{Shelf, Shelved, bare};
use faults::Sink;
pub use faults::{Fault, Faults, Secondary, Severity, to_json};
pub use packets::check_packet;
pub use settings::{GateLine, Settings};
pub use skills::{CheckedSkill, check_skill, check_team};
use source::Source;

/// Bytes that a scenario file may have at most.
pub const BYTES_MAX: usize = 1 << 20;

/// What came of reading one file.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The scenario; `None` if the file has an error.
    pub scenario: Option<Scenario>,
    /// Errors and warnings, by position; may hold warnings beside a scenario.
    pub faults: Faults,
    /// The skill files that it names, each with its own.
    pub skills: Vec<CheckedSkill>,
}

impl Checked {
    /// The faults of the scenario, and of each skill file that has any.
    pub fn all(&self) -> Vec<&Faults> {
        let skills = self.skills.iter().map(|skill| &skill.faults).filter(|faults| !faults.list.is_empty());
        std::iter::once(&self.faults).chain(skills).collect()
    }

    /// What the skills that bind the scenario's roles have to say about each other; nothing if none does.
    pub fn team(&self) -> Vec<Faults> {
        let whole = self.skills.iter().filter_map(|file| Some((file.skill.clone()?, file.faults.clone())));
        let (skills, files): (Vec<_>, Vec<_>) = whole.unzip();
        if skills.len() > 1 { check_team(&skills, &files) } else { Vec::new() }
    }
}

/// Reads the scenario file `name` (only a label for messages) from its bytes.
///
/// # Errors
/// Every fault of the file, warnings included. Warnings alone are no error: [`check`] tells them.
pub fn read(name: &str, bytes: &[u8]) -> Result<Scenario, Faults> {
    let checked = check(name, bytes);
    checked.scenario.ok_or(checked.faults)
}

/// Like [`read`], but hands back warnings even if the file can be used.
pub fn check(name: &str, bytes: &[u8]) -> Checked {
    check_on(&bare, name, bytes)
}

/// Like [`check`], with the skill files of a shelf.
pub fn check_on(shelf: Shelf<'_>, name: &str, bytes: &[u8]) -> Checked {
    let mut skills = Skills::on(shelf);
    let mut sink = Sink::default();
    let source = Source::new(bytes::accept(bytes, &mut sink));
    let root = if sink.errors() == 0 { tree::build(&source, &mut sink, whole::SCENARIO.help) } else { None };
    let scenario = root.and_then(|root| whole::scenario(&mut sink, &root, &mut skills));
    let scenario = scenario.filter(|_| sink.errors() == 0);
    assert!(scenario.is_some() || sink.errors() > 0, "a section of the file was refused without a fault");
    Checked { scenario, faults: sink.finish(name, source), skills: skills.finish() }
}

/// Reads the settings of a repository, `baton.yaml`; `name` is only a label for messages.
///
/// # Errors
/// Every fault of the file.
pub fn read_settings(name: &str, bytes: &[u8]) -> Result<Settings, Faults> {
    let mut sink = Sink::default();
    let source = Source::new(bytes::accept(bytes, &mut sink));
    let root = if sink.errors() == 0 { tree::build(&source, &mut sink, settings::SHAPE.help) } else { None };
    let settings = root.and_then(|root| settings::settings(&mut sink, &root)).filter(|_| sink.errors() == 0);
    assert!(settings.is_some() || sink.errors() > 0, "a section of the file was refused without a fault");
    let faults = sink.finish(name, source);
    settings.ok_or(faults)
}

/// A time as files write it, `7d` or `1h30m`, in microseconds; `None` if it is misspelt.
pub fn duration_us(text: &str) -> Option<u64> {
    duration::parse(text)
}

/// The reason behind a code of a scenario or skill file; `None` if there is no such code.
pub fn explain(code: &str) -> Option<&'static str> {
    let own = explain::rows().find(|(_, word, _)| *word == code).map(|(_, _, text)| *text);
    own.or_else(|| baton_policies::explain(code)).or_else(|| baton_packets::explain(code))
}

/// Every code of scenario files, in ascending order.
pub fn codes() -> impl Iterator<Item = &'static str> {
    explain::rows().map(|(_, word, _)| *word)
}
