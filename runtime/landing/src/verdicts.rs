//! Trees that have passed: remembered by tree, gate and environment, and signed, so that no file that somebody puts there
//! lets an untried tree through.
//!
//! Only green verdicts are kept: a red one may be the weather's. The key is made once and is readable by its owner alone.

use crate::LandError;
use baton_record::Oid;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The remembered verdicts of one repository.
#[derive(Debug)]
pub(crate) struct Verdicts {
    directory: PathBuf,
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
    pub(crate) fn open(state: &Path) -> Result<Verdicts, LandError> {
        let directory = state.join("verdicts");
        fs::create_dir_all(&directory).map_err(|error| LandError::disk("create", &directory, &error))?;
        Ok(Verdicts { directory, key: key(&state.join("key"))? })
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

/// The key in a file; made of the machine's randomness if there is none.
fn key(path: &Path) -> Result<Vec<u8>, LandError> {
    const KEY_BYTES: usize = 32;
    let trouble = |doing: &str, error: std::io::Error| LandError::disk(doing, path, &error);
    match fs::read(path) {
        Ok(key) if key.len() == KEY_BYTES => return Ok(key),
        // Half of it, by a killed process: what it has signed is not believed any more.
        Ok(_) => fs::remove_file(path).map_err(|error| trouble("remove", error))?,
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(trouble("read", error)),
        Err(_) => {}
    }
    let mut key = vec![0; KEY_BYTES];
    let random = Path::new("/dev/urandom");
    fs::File::open(random)
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut key))
        .map_err(|error| LandError::disk("read", random, &error))?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.and_then(|mut file| file.write_all(&key)).map_err(|error| trouble("create", error))?;
    Ok(key)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
