//! What was done to one repository's main, and what was about to be: JSON lines, chained and durable.
//!
//! `log.jsonl` in the state directory. Each line, keys in this order: `v, seq, t, fact, prev, crc`; `prev` is the SHA-256 of
//! the line before, `crc` the CRC-32C of what stands before it. A torn last line is cut; damage anywhere else is refused. One
//! writer at a time: whoever holds the lock of the state directory.

use crate::LandError;
use crate::fact::Fact;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The version of every line.
const FORMAT: u32 = 1;

/// One fact of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    v: u32,
    /// Counts from 0.
    pub seq: u64,
    /// Seconds since 1970.
    pub t: i64,
    /// What happened.
    pub fact: Fact,
    prev: String,
}

/// The log, open for appending.
#[derive(Debug)]
pub struct Log {
    file: File,
    path: PathBuf,
    seq: u64,
    prev: String,
}

const CRC_KEY: &str = ",\"crc\":\"";

impl Log {
    /// Opens it, makes it if there is none, and gives all its facts. A torn last line is cut off.
    pub fn open(path: &Path) -> Result<(Log, Vec<Entry>), LandError> {
        let trouble = |doing: &str, error: std::io::Error| LandError::disk(doing, path, &error);
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).open(path).map_err(|e| trouble("open", e))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| trouble("read", error))?;
        let read = read(path, &bytes)?;
        if read.whole < bytes.len() {
            file.set_len(read.whole as u64).and_then(|()| file.sync_all()).map_err(|error| trouble("cut", error))?;
        }
        file.seek(SeekFrom::Start(read.whole as u64)).map_err(|error| trouble("read", error))?;
        let log = Log { file, path: path.to_owned(), seq: read.entries.len() as u64, prev: read.prev };
        Ok((log, read.entries))
    }

    /// Writes facts down. They are durable when this returns.
    pub fn write(&mut self, t: i64, facts: &[Fact]) -> Result<(), LandError> {
        let mut text = String::new();
        for fact in facts {
            let entry = Entry { v: FORMAT, seq: self.seq, t, fact: fact.clone(), prev: self.prev.clone() };
            let line = line_of(&entry);
            self.prev = digest(line.as_bytes());
            self.seq += 1;
            text.push_str(&line);
            text.push('\n');
        }
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|error| LandError::disk("write", &self.path, &error))
    }
}

/// The facts of a log that somebody else may be writing.
pub fn facts(path: &Path) -> Result<Vec<Entry>, LandError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(read(path, &bytes)?.entries),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(LandError::disk("read", path, &error)),
    }
}

struct Readable {
    entries: Vec<Entry>,
    whole: usize,
    prev: String,
}

fn read(path: &Path, bytes: &[u8]) -> Result<Readable, LandError> {
    let mut readable = Readable { entries: Vec::new(), whole: 0, prev: "0".repeat(64) };
    while let Some(len) = bytes[readable.whole..].iter().position(|&byte| byte == b'\n') {
        let line = &bytes[readable.whole..readable.whole + len];
        let next = readable.whole + len + 1;
        match parse(line, &readable) {
            Ok(entry) => readable.entries.push(entry),
            Err(_) if next == bytes.len() => break,
            Err(why) => {
                let at = readable.entries.len() + 1;
                return Err(LandError::Damaged(format!("{}, line {at}: {why}", path.display())));
            }
        }
        readable.prev = digest(line);
        readable.whole = next;
    }
    Ok(readable)
}

fn parse(line: &[u8], before: &Readable) -> Result<Entry, String> {
    let text = std::str::from_utf8(line).map_err(|error| error.to_string())?;
    let (body, crc) = text.rsplit_once(CRC_KEY).ok_or("it has no crc")?;
    if crc != format!("{:08x}\"}}", crc32c::crc32c(body.as_bytes())) {
        return Err("its crc does not fit".to_owned());
    }
    let entry: Entry = serde_json::from_str(&format!("{body}}}")).map_err(|error| error.to_string())?;
    if entry.v != FORMAT {
        return Err(format!("it has format {}, this program reads {FORMAT}", entry.v));
    }
    if entry.seq != before.entries.len() as u64 || entry.prev != before.prev {
        return Err("it does not follow the line before".to_owned());
    }
    Ok(entry)
}

fn line_of(entry: &Entry) -> String {
    let mut text = serde_json::to_string(entry).expect("facts are plain data");
    text.pop();
    let crc = crc32c::crc32c(text.as_bytes());
    format!("{text}{CRC_KEY}{crc:08x}\"}}")
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
