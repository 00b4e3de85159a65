//! Owns the shape of a run folder: where the journal, the repository, the scenario and `run.json`
//! are. Each is the folder's own: what is only linked from elsewhere is not evidence.
//!
//! Deliberately does not know records or git.

use crate::Unreadable;
use crate::claims::Claims;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The format of runs that is read here.
const FORMAT: u64 = 1;
/// No `run.json` and no scenario is larger.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// Nothing in a content store is larger.
const CONTENT_BYTES_MAX: u64 = 64 << 20;

/// The parts of a run folder.
#[derive(Debug)]
pub(crate) struct RunFolder {
    pub(crate) journal: PathBuf,
    pub(crate) repository: PathBuf,
    /// The content store; it need not be there.
    pub(crate) content: PathBuf,
    run_json: PathBuf,
    scenario: PathBuf,
    policies: PathBuf,
}

impl RunFolder {
    pub(crate) fn open(run: &Path) -> Result<RunFolder, Unreadable> {
        let entries = fs::read_dir(run).map_err(|error| Unreadable::at(run, format!("is no run folder: {error}")))?;
        let journal = run.join("journal");
        if !is_own_folder(&journal) {
            return Err(Unreadable::at(run, "is no run folder: it holds no folder of its own named journal".into()));
        }
        let mut repositories = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| Unreadable::at(run, format!("cannot be listed: {error}")))?.path();
            let stem_and_git = path.file_name().is_some_and(|name| {
                let name = name.to_string_lossy();
                name.len() > ".git".len() && name.ends_with(".git")
            });
            if stem_and_git && is_own_folder(&path) {
                repositories.push(path);
            }
        }
        let count = repositories.len();
        match (repositories.pop(), count) {
            (Some(repository), 1) => Ok(RunFolder {
                journal,
                repository,
                content: run.join("content"),
                run_json: run.join("run.json"),
                scenario: run.join("scenario.yaml"),
                policies: run.join("policies"),
            }),
            _ => Err(Unreadable::at(
                run,
                format!("is no run folder: it holds {count} repositories named *.git, and a run has one"),
            )),
        }
    }

    /// What `run.json` claims. It is there before the folder stands in its place, so a killed run has it too.
    pub(crate) fn claims(&self) -> Result<Claims, String> {
        let bytes = read_own(&self.run_json)?;
        if bytes.is_empty() {
            return Err("run.json is empty, and a run writes it before its first lane starts".into());
        }
        let value = serde_json::from_slice(&bytes).map_err(|error| format!("run.json is at fault: {error}"))?;
        Claims::of(value)
    }

    /// The format that `run.json` and the beginning of the journal both name, if it is not the one that is read here. One that
    /// only one of them names is damage, and found as that.
    pub(crate) fn strange_format(&self) -> Option<u64> {
        let told: Value = serde_json::from_slice(&read_own(&self.run_json).ok()?).ok()?;
        let format = told.get("format")?.as_u64().filter(|format| *format != FORMAT)?;
        let segments = fs::read_dir(&self.journal).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
        let first = segments.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).min()?;
        let is_file = fs::symlink_metadata(&first).is_ok_and(|found| found.is_file());
        let beginning = format!("{{\"v\":{format},");
        let mut bytes = vec![0; beginning.len()];
        fs::File::open(first).ok().filter(|_| is_file)?.read_exact(&mut bytes).ok()?;
        (bytes == beginning.as_bytes()).then_some(format)
    }

    /// The skill file of this name, if it is the one with this digest.
    pub(crate) fn skill(&self, name: &str, digest: &str) -> Result<Vec<u8>, String> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            return Err("has a name that no skill has".into());
        }
        let folder = self.policies.join(name);
        if !is_own_folder(&self.policies) || !is_own_folder(&folder) {
            return Err(format!("is not in policies/{name} of this folder"));
        }
        let bytes = read_own(&folder.join("SKILL.md"))?;
        let same = crate::line::hex(&Sha256::digest(&bytes)) == digest;
        if same { Ok(bytes) } else { Err("is not the one that bound it: it was altered".into()) }
    }

    /// Names of the skills that lie in the folder.
    pub(crate) fn skills(&self) -> Result<Vec<String>, String> {
        let entries = match fs::read_dir(&self.policies) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(format!("policies cannot be listed: {error}")),
        };
        let name = |entry: std::io::Result<fs::DirEntry>| {
            let entry = entry.map_err(|error| format!("policies cannot be listed: {error}"))?;
            Ok(entry.file_name().to_string_lossy().into_owned())
        };
        entries.map(name).collect()
    }

    /// The scenario that lies beside the journal, and its hash.
    pub(crate) fn scenario(&self) -> Result<(Vec<u8>, String), String> {
        let bytes = read_own(&self.scenario)?;
        let hash = crate::line::hex(&Sha256::digest(&bytes));
        Ok((bytes, hash))
    }
}

/// A folder, and not a link to one that is elsewhere.
fn is_own_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

/// What lies under a digest in a content store, whatever its hash is.
pub(crate) fn read_content(store: &Path, digest: &str) -> Result<Vec<u8>, String> {
    let well_formed = digest.len() == 64 && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !well_formed {
        return Err("has no digest".to_owned());
    }
    let path = store.join(&digest[..2]).join(&digest[2..]);
    let found = fs::symlink_metadata(&path).map_err(|_| format!("{digest} is not there"))?;
    if !found.is_file() || found.len() > CONTENT_BYTES_MAX {
        return Err(format!("{digest} is no content of a run"));
    }
    fs::read(&path).map_err(|error| format!("{digest} cannot be read: {error}"))
}

/// A file's bytes. Never opens what is no file: it may never end.
fn read_own(path: &Path) -> Result<Vec<u8>, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(format!("{name} is missing, and no run is without it"));
        }
        Err(error) => return Err(format!("{name} cannot be read: {error}")),
        Ok(found) if !found.is_file() => return Err(format!("{name} is not a file of this folder")),
        Ok(found) if found.len() > FILE_BYTES_MAX => return Err(format!("{name} is larger than any run's")),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| format!("{name} cannot be read: {error}"))?;
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| format!("{name} cannot be read: {error}"))?;
    Ok(bytes)
}
