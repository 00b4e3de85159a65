//! The form of a conflict report: what a lane is told whose change does not merge, and nothing beside it.
//!
//! Written by the merger into the run's content store, before the record that names it. Owns the form and its limits; does not
//! know which merge failed, nor who landed what.

pub mod truth;

use crate::flaw::Flaw;
use serde::Serialize;

/// Bytes of lines that one report shows; of what is more it gives the number of hunks.
pub const SHOWN_MAX: usize = 256 * 1024;

/// What the link to a report is called in a packet.
pub const LINK: &str = "conflict-report";

/// A conflict report. The order of the fields is the order in which they are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConflictReport {
    /// [`crate::FORMAT`].
    pub v: u32,
    /// The run: 16 hex digits.
    pub run: String,
    /// The task of the change that was refused: `T-17`.
    pub task: String,
    /// That change: `C-17.2`.
    pub change: String,
    /// The lane that made it.
    pub lane: String,
    /// SHA-256 of the packet that its lane began with, if it began with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packet: Option<String>,
    /// The commit that it was made from.
    pub base: String,
    /// The commit that main was at, which it does not merge with.
    pub main: String,
    /// The paths that the record of the refusal names, in its order.
    pub paths: Vec<ConflictPath>,
    /// What does not merge there.
    pub conflicts: Vec<ConflictPlace>,
}

/// One path, and who was there first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConflictPath {
    /// The path.
    pub path: String,
    /// The changes that moved it on main between base and main, in the order in which they landed.
    pub landed: Vec<LandedFirst>,
}

/// A change that landed first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LandedFirst {
    /// The change.
    pub change: String,
    /// Its task.
    pub task: String,
    /// The lane that made it.
    pub lane: String,
    /// SHA-256 of the packet that its lane began with, if it began with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packet: Option<String>,
}

/// One conflict, as git names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConflictPlace {
    /// The path.
    pub path: String,
    /// `content`, `add/add`, `modify/delete`, `rename/rename`, `file/directory`…
    pub kind: String,
    /// The lines that both sides changed, where both have a text there.
    pub hunks: Vec<ConflictHunk>,
    /// Hunks that are not shown, because they are too long.
    #[serde(skip_serializing_if = "is_zero")]
    pub cut: u32,
}

/// Lines that both sides changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConflictHunk {
    /// Where it begins, counted from 1 in the file as far as it is merged.
    pub line: u32,
    /// What main has there.
    pub main: Vec<String>,
    /// What the change has there.
    pub change: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl ConflictReport {
    /// The bytes that lie in the store.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a report holds nothing that JSON cannot")
    }

    /// Reads a report.
    ///
    /// # Errors
    /// Everything that is wrong with its form.
    pub fn read(bytes: &[u8]) -> Result<ConflictReport, Vec<Flaw>> {
        crate::read::read_report(bytes)
    }
}
