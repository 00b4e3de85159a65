//! The form of a conflict report: what a lane is told whose change does not merge, and nothing beside it.
//!
//! Written by the merger into the run's content store, before the record that names it. Owns the form and its limits; does not
//! know which merge failed, nor who landed what.

use crate::packet::FORMAT;
use crate::spelling::{is_change, is_hex, is_lane, is_oid, is_task};
use serde::{Deserialize, Serialize};

/// Bytes of lines that one report shows; of what is more it gives the number of hunks.
pub const SHOWN_MAX: usize = 256 * 1024;

/// A conflict report. The order of the fields is the order in which they are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConflictReport {
    /// [`FORMAT`].
    pub v: u32,
    /// The run: 16 hex digits.
    pub run: String,
    /// The task of the change that was refused: `T-17`.
    pub task: String,
    /// That change: `C-17.2`.
    pub change: String,
    /// The lane that made it.
    pub lane: String,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConflictPath {
    /// The path.
    pub path: String,
    /// The changes that moved it on main between base and main, in the order in which they landed.
    pub landed: Vec<LandedFirst>,
}

/// A change that landed first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandedFirst {
    /// The change.
    pub change: String,
    /// Its task.
    pub task: String,
    /// The lane that made it.
    pub lane: String,
}

/// One conflict, as git names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConflictPlace {
    /// The path.
    pub path: String,
    /// `content`, `add/add`, `modify/delete`, `rename/rename`, `file/directory`…
    pub kind: String,
    /// The lines that both sides changed, where both have a text there.
    pub hunks: Vec<ConflictHunk>,
    /// Hunks that are not shown, because they are too long.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cut: u32,
}

/// Lines that both sides changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// The first thing that is wrong with its form.
    pub fn read(bytes: &[u8]) -> Result<ConflictReport, String> {
        let report: ConflictReport = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        report.judge()?;
        Ok(report)
    }

    fn judge(&self) -> Result<(), String> {
        if self.v != FORMAT {
            return Err(format!("version {} is not known", self.v));
        }
        let names = [
            ("run", is_hex(&self.run, 16)),
            ("task", is_task(&self.task)),
            ("change", is_change_of(&self.change, &self.task)),
            ("lane", is_lane(&self.lane)),
            ("base", is_oid(&self.base)),
            ("main", is_oid(&self.main)),
        ];
        if let Some((key, _)) = names.iter().find(|(_, fits)| !fits) {
            return Err(format!("`{key}` is not written as such a name is"));
        }
        if self.paths.is_empty() || !self.paths.is_sorted_by(|a, b| a.path < b.path) {
            return Err("`paths` names at least one, each once, in order".to_owned());
        }
        let landed = self.paths.iter().flat_map(|path| &path.landed);
        let fits = |landed: &LandedFirst| is_change_of(&landed.change, &landed.task) && is_lane(&landed.lane);
        if let Some(odd) = landed.clone().find(|landed| !fits(landed)) {
            return Err(format!("{:?} of {:?} is no change of a task, or has no lane", odd.change, odd.task));
        }
        let is_empty = |hunk: &ConflictHunk| hunk.line == 0 || (hunk.main.is_empty() && hunk.change.is_empty());
        match self.conflicts.iter().find(|place| place.kind.is_empty() || place.hunks.iter().any(is_empty)) {
            Some(place) => Err(format!("{:?} has no kind, or a hunk without lines", place.path)),
            None => Ok(()),
        }
    }
}

/// `C-17.2` of `T-17`.
fn is_change_of(change: &str, task: &str) -> bool {
    let of = change.strip_prefix("C-").and_then(|rest| rest.split_once('.')).map(|(of, _)| of);
    is_change(change) && is_task(task) && of == task.strip_prefix("T-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn good() -> Value {
        json!({
            "v": 1, "run": "0123456789abcdef", "task": "T-17", "change": "C-17.2", "lane": "writer.3",
            "base": "0".repeat(40), "main": "1".repeat(40),
            "paths": [{ "path": "a", "landed": [{ "change": "C-4.1", "task": "T-4", "lane": "writer.1" }] }, { "path": "b", "landed": [] }],
            "conflicts": [{ "path": "a", "kind": "content", "hunks": [{ "line": 3, "main": ["x"], "change": [] }], "cut": 1 }],
        })
    }

    #[test]
    fn what_is_written_is_read_again() {
        let report = ConflictReport::read(good().to_string().as_bytes()).unwrap();
        assert_eq!(ConflictReport::read(&report.write()), Ok(report));
    }

    #[test]
    fn whatever_is_not_a_report_is_refused() {
        let faults: [(&str, Value); 15] = [
            ("/v", json!(2)),
            ("/run", json!("0123")),
            ("/task", json!("T-017")),
            ("/change", json!("C-18.1")),
            ("/lane", json!("writer")),
            ("/base", json!("main")),
            ("/main", json!("HEAD")),
            ("/paths", json!([])),
            ("/paths/1/path", json!("a")),
            ("/paths/0/landed/0/task", json!("T-5")),
            ("/paths/0/landed/0/lane", json!("")),
            ("/paths/0/more", json!(1)),
            ("/conflicts/0/kind", json!("")),
            ("/conflicts/0/hunks/0/line", json!(0)),
            ("/conflicts/0/hunks/0/main", json!([])),
        ];
        for (pointer, value) in faults {
            let mut report = good();
            let (above, key) = pointer.rsplit_once('/').unwrap();
            report.pointer_mut(above).unwrap()[key] = value;
            assert!(ConflictReport::read(report.to_string().as_bytes()).is_err(), "{pointer}");
        }
        for key in ["v", "run", "task", "change", "lane", "base", "main", "paths", "conflicts"] {
            let mut report = good();
            report.as_object_mut().unwrap().remove(key);
            assert!(ConflictReport::read(report.to_string().as_bytes()).is_err(), "{key}");
        }
        let twice = good().to_string().replacen("\"v\":1", "\"v\":1,\"v\":1", 1);
        assert!(ConflictReport::read(twice.as_bytes()).is_err());
    }
}
