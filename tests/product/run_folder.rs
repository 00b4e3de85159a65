//! Reads what a run left behind: its journal, its main, and what the checker says of both.

use crate::program::{Said, baton, finish, say};
use crate::repository::git;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A run folder.
pub(crate) struct RunFolder<'a>(pub(crate) &'a Path);

impl RunFolder<'_> {
    pub(crate) fn repository(&self) -> PathBuf {
        self.0.join("repo.git")
    }

    /// The files of the journal in their order.
    pub(crate) fn segments(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.0.join("journal")).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }

    /// All bytes of the journal.
    pub(crate) fn journal(&self) -> Vec<u8> {
        self.segments().iter().flat_map(|path| std::fs::read(path).unwrap()).collect()
    }

    /// Every whole line of the journal.
    pub(crate) fn records(&self) -> Vec<Value> {
        let journal = self.journal();
        let whole = journal.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines = journal[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    }

    /// Every record of this kind.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<Value> {
        self.records().into_iter().filter(|record| record["kind"] == kind).collect()
    }

    pub(crate) fn main(&self) -> String {
        git(&self.repository(), &["rev-parse", "refs/heads/main"])
    }

    /// What the checker says, as JSON.
    #[track_caller]
    pub(crate) fn verify(&self) -> (i32, Value) {
        let said = self.verify_said();
        (said.code(), said.json())
    }

    #[track_caller]
    pub(crate) fn verify_said(&self) -> Said {
        finish(baton(self.0, ["verify", "--json"]).arg(self.0))
    }

    /// The folder as any instant must leave it: verified, its repository sound, every landing on main.
    #[track_caller]
    pub(crate) fn must_be_sound(&self, what: &str) {
        let (code, report) = self.verify();
        assert_eq!((code, &report["intact"]), (0, &Value::Bool(true)), "{what}: {report:#}");
        for promise in report["promises"].as_array().unwrap() {
            assert_ne!(promise["status"], "broken", "{what}: {promise}");
        }
        let repository = self.repository();
        let complaints = git(&repository, &["fsck", "--full", "--strict", "--no-dangling", "--no-progress"]);
        assert_eq!(complaints, "", "{what}: git fsck");
        let on_main = git(&repository, &["log", "--format=%H", "refs/heads/main"]);
        let on_main: BTreeSet<&str> = on_main.lines().collect();
        for landed in self.of_kind("ChangeLanded") {
            let commit = landed["data"]["main_after"].as_str().unwrap();
            assert!(on_main.contains(commit), "{what}: {landed} is not on main");
        }
    }
}

/// Runs a scenario file, or a shipped scenario, with `--json` and further words; `place/out` is its folder.
#[track_caller]
pub(crate) fn run(place: &Path, scenario: &str, out: &str, words: &[&str]) -> Said {
    say(place, ["run", scenario, "--json", "--out", out].iter().chain(words))
}

/// Writes a scenario file into `place`; gives its name.
pub(crate) fn write_scenario(place: &Path, name: &str, text: &str) -> String {
    let file = format!("{name}.yaml");
    std::fs::write(place.join(&file), text).unwrap();
    file
}
