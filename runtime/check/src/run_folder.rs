//! Owns the shape of a run folder: where the journal, the repository and `run.json` are, and what
//! `run.json` claims. A claim is evidence to compare, never a source.
//!
//! Deliberately does not know records or git.

use crate::Unreadable;
use baton_record::Oid;
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A larger `run.json` is not one.
const RUN_JSON_BYTES_MAX: u64 = 64 << 20;

/// The parts of a run folder.
#[derive(Debug)]
pub(crate) struct RunFolder {
    pub(crate) journal: PathBuf,
    pub(crate) repository: PathBuf,
    run_json: PathBuf,
}

/// What a finished run's `run.json` says about journal and main.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) records: Option<u64>,
    pub(crate) head_hash: Option<String>,
    pub(crate) main: Option<Oid>,
}

impl RunFolder {
    pub(crate) fn open(run: &Path) -> Result<RunFolder, Unreadable> {
        let entries = fs::read_dir(run).map_err(|error| Unreadable::at(run, format!("is no run folder: {error}")))?;
        let journal = run.join("journal");
        if !journal.is_dir() {
            return Err(Unreadable::at(run, "is no run folder: it holds no folder named journal".into()));
        }
        let mut repositories = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| Unreadable::at(run, format!("cannot be listed: {error}")))?.path();
            let stem_and_git = path.file_name().is_some_and(|name| {
                let name = name.to_string_lossy();
                name.len() > ".git".len() && name.ends_with(".git")
            });
            if stem_and_git && path.is_dir() {
                repositories.push(path);
            }
        }
        let count = repositories.len();
        match (repositories.pop(), count) {
            (Some(repository), 1) => Ok(RunFolder { journal, repository, run_json: run.join("run.json") }),
            _ => Err(Unreadable::at(
                run,
                format!("is no run folder: it holds {count} repositories named *.git, and a run has one"),
            )),
        }
    }

    /// What `run.json` claims; `Ok(None)` if there is none, as in a run that was killed early.
    pub(crate) fn claims(&self) -> Result<Option<Claims>, String> {
        if !self.run_json.exists() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let file = fs::File::open(&self.run_json).map_err(|error| format!("run.json cannot be read: {error}"))?;
        file.take(RUN_JSON_BYTES_MAX)
            .read_to_end(&mut bytes)
            .map_err(|error| format!("run.json cannot be read: {error}"))?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| format!("run.json is at fault: {error}"))?;
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        Ok(Some(Claims {
            records: value.pointer("/journal/records").and_then(Value::as_u64),
            head_hash: text("/journal/head_hash").map(str::to_owned),
            main: text("/main/head").and_then(Oid::from_hex),
        }))
    }
}
