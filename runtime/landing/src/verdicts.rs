//! Trees that have passed: remembered by tree, gate and environment, and signed, so that no file that somebody puts there
//! lets an untried tree through.
//!
//! Only green verdicts are kept: a red one may be the weather's. Gates have the rights of the person, and so could read what
//! the person can read: while a session is at work, its key is in its memory alone, out of reach of a debugger, and lies in
//! no file. It is put back when the session, and with it every gate, has ended. A session that is killed takes the key with
//! it: the next one has another, and believes nothing that was remembered before.

use crate::LandError;
use baton_record::Oid;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The remembered verdicts of one repository.
#[derive(Debug)]
pub(crate) struct Verdicts {
    directory: PathBuf,
    key_file: PathBuf,
    key: Vec<u8>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Passed {
    format: u32,
    tree: Oid,
    gate: String,
    environment: String,
    took_ms: u64,
    signature: String,
}

impl Verdicts {
    /// Takes the key out of its file. Whoever calls this holds the lock of the state directory.
    pub(crate) fn open(state: &Path) -> Result<Verdicts, LandError> {
        let (directory, key_file) = (state.join("verdicts"), state.join("key"));
        fs::create_dir_all(&directory).map_err(|error| LandError::disk("create", &directory, &error))?;
        // A kernel that cannot do this lets a debugger of the same person read it.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
        let key = match take(&key_file)? {
            Some(key) => key,
            None => new_key()?,
        };
        Ok(Verdicts { directory, key_file, key })
    }

    /// How long, in milliseconds, the gate took when it passed this tree in this environment.
    pub(crate) fn passed(&self, tree: Oid, gate: &str, environment: &str) -> Option<u64> {
        let bytes = fs::read(self.path(tree, gate, environment)).ok()?;
        let passed: Passed = serde_json::from_slice(&bytes).ok()?;
        let fits = passed.tree == tree && passed.gate == gate && passed.environment == environment;
        (fits && passed.signature == self.sign(tree, gate, environment)).then_some(passed.took_ms)
    }

    /// Remembers it. A verdict that cannot be written is one that is not remembered.
    pub(crate) fn remember(&self, tree: Oid, gate: &str, environment: &str, took_ms: u64) {
        let (path, signature) = (self.path(tree, gate, environment), self.sign(tree, gate, environment));
        let (gate, environment) = (gate.to_owned(), environment.to_owned());
        let passed = Passed { format: 1, tree, gate, environment, took_ms, signature };
        let text = serde_json::to_string(&passed).expect("a verdict is plain data");
        let beside = path.with_extension(format!("{}.tmp", std::process::id()));
        if fs::write(&beside, text).and_then(|()| fs::rename(&beside, &path)).is_err() {
            tracing::warn!(path = %path.display(), "a verdict cannot be remembered");
        }
    }

    fn path(&self, tree: Oid, gate: &str, environment: &str) -> PathBuf {
        let name = hex(&Sha256::digest(format!("{tree}\0{gate}\0{environment}").as_bytes()));
        self.directory.join(format!("{name}.json"))
    }

    /// HMAC-SHA256 (RFC 2104).
    fn sign(&self, tree: Oid, gate: &str, environment: &str) -> String {
        let pad = |with: u8| {
            let mut block = [with; 64];
            block.iter_mut().zip(&self.key).for_each(|(byte, key)| *byte ^= key);
            block
        };
        let mut inner = Sha256::new();
        inner.update(pad(0x36));
        inner.update(format!("{tree}\0{}\0{gate}\0{environment}", gate.len()).as_bytes());
        let mut outer = Sha256::new();
        outer.update(pad(0x5c));
        outer.update(inner.finalize());
        hex(&outer.finalize())
    }
}

impl Drop for Verdicts {
    fn drop(&mut self) {
        // What a killed process leaves of it is swept from there before a gate runs.
        let beside = self.directory.join(format!("key.{}.tmp", std::process::id()));
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
        let put =
            made.and_then(|mut file| file.write_all(&self.key)).and_then(|()| fs::rename(&beside, &self.key_file));
        if let Err(error) = put {
            // What was remembered is tried again, which costs time and nothing else.
            tracing::warn!(path = %self.key_file.display(), %error, "what has passed will not be remembered");
            let _ = fs::remove_file(&beside);
        }
    }
}

const KEY_BYTES: usize = 32;

/// The key, whose file is gone then; `None`: there is none. What is no whole file of the person's alone is no key: half of
/// one, or something that was put there.
fn take(path: &Path) -> Result<Option<Vec<u8>>, LandError> {
    let trouble = |doing: &str, error: std::io::Error| LandError::disk(doing, path, &error);
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(trouble("read", error)),
    };
    if found.is_dir() {
        return fs::remove_dir_all(path).map(|()| None).map_err(|error| trouble("remove", error));
    }
    let ours = found.is_file() && found.mode() & 0o077 == 0 && found.len() == KEY_BYTES as u64;
    let key = if ours { Some(fs::read(path).map_err(|error| trouble("read", error))?) } else { None };
    fs::remove_file(path).map_err(|error| trouble("remove", error))?;
    Ok(key.filter(|key| key.len() == KEY_BYTES))
}

/// Of the machine's randomness.
fn new_key() -> Result<Vec<u8>, LandError> {
    let mut key = vec![0; KEY_BYTES];
    let random = Path::new("/dev/urandom");
    fs::File::open(random)
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut key))
        .map_err(|error| LandError::disk("read", random, &error))?;
    Ok(key)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
