//! What a run folder says of itself at a glance: the ends of its journal, its main, who has it in hand, its size; and what
//! an earlier verification found.

use baton_check::Report;
use baton_record::Hash;
use baton_record::segment::SegmentName;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// No line of a journal is longer, and no `run.json` is read further.
const LINE_BYTES_MAX: u64 = 1 << 20;
/// Where a verification is kept.
const VERIFIED: &str = "verified.json";
/// Bytes of a block, as `stat` counts them.
const BLOCK_BYTES: u64 = 512;

/// Beginning and end of a journal.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ends {
    /// The data of `RunStarted`.
    pub(super) started: Value,
    /// Records, by the number of the last whole line.
    pub(super) records: u64,
    /// Hash of the last whole line.
    pub(super) head_hash: String,
    /// Seconds since 1970 at which the last segment was written.
    pub(super) written_s: i64,
}

/// Reads them; or why they cannot be read.
pub(super) fn ends(journal: &Path) -> Result<Ends, String> {
    let segments = segments(journal)?;
    let first = segments.first().ok_or("its journal has no segment")?;
    let head = first_line(first).map_err(|error| format!("its journal cannot be read: {error}"))?;
    let head: Value =
        serde_json::from_slice(&head).map_err(|_| "its journal does not begin with a record".to_owned())?;
    if head["kind"] != "RunStarted" {
        return Err("its journal does not begin with the start of a run".to_owned());
    }
    let written_s = fs::metadata(segments.last().unwrap_or(first)).map(|found| found.mtime()).unwrap_or_default();
    for segment in segments.iter().rev() {
        let line = last_line(segment).map_err(|error| format!("its journal cannot be read: {error}"))?;
        let Some(line) = line else { continue };
        let last: Value =
            serde_json::from_slice(&line).map_err(|_| "the last line of its journal is no record".to_owned())?;
        let seq = last["seq"].as_u64().ok_or("the last line of its journal has no number")?;
        let (records, head_hash) = (seq.saturating_add(1), Hash::of(&line).to_string());
        return Ok(Ends { started: head["data"].clone(), records, head_hash, written_s });
    }
    Err("its journal has no whole line".to_owned())
}

/// Segments in their order.
fn segments(journal: &Path) -> Result<Vec<PathBuf>, String> {
    let unreadable = |error: io::Error| format!("its journal cannot be read: {error}");
    let mut names = Vec::new();
    for entry in fs::read_dir(journal).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let is_file = entry.file_type().map_err(unreadable)?.is_file();
        names.extend(entry.file_name().to_str().and_then(SegmentName::parse).filter(|_| is_file));
    }
    names.sort();
    Ok(names.into_iter().map(|name| journal.join(name.file_name())).collect())
}

fn first_line(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut reader = io::BufReader::new(File::open(path)?.take(LINE_BYTES_MAX));
    io::BufRead::read_until(&mut reader, b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "its first line has no end"));
    }
    Ok(bytes)
}

/// The last line that has an end; a killed run may have left a part of another behind it.
fn last_line(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut reach = length.min(16 << 10);
    loop {
        file.seek(SeekFrom::Start(length - reach))?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(reach).read_to_end(&mut bytes)?;
        if let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') {
            let begin = bytes[..end].iter().rposition(|byte| *byte == b'\n');
            match begin {
                Some(begin) => return Ok(Some(bytes[begin + 1..end].to_vec())),
                None if reach == length => return Ok(Some(bytes[..end].to_vec())),
                None => {}
            }
        } else if reach == length {
            return Ok(None);
        }
        if reach >= LINE_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its last line is longer than any"));
        }
        reach = length.min(reach * 4);
    }
}

/// `run.json`, as far as it is one.
pub(super) fn run_json(run: &Path) -> Result<Value, String> {
    let path = run.join("run.json");
    match fs::symlink_metadata(&path) {
        Ok(found) if !found.is_file() => return Err("its run.json is no file".to_owned()),
        Ok(found) if found.len() > LINE_BYTES_MAX => return Err("its run.json is larger than any".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err("it has no run.json".to_owned()),
        Err(error) => return Err(format!("its run.json cannot be read: {error}")),
        Ok(_) => {}
    }
    let bytes = fs::read(&path).map_err(|error| format!("its run.json cannot be read: {error}"))?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| "its run.json is not JSON".to_owned())?;
    if value.is_object() { Ok(value) } else { Err("its run.json is no object".to_owned()) }
}

/// The commit of main, hex; empty: none that can be read at a glance.
pub(super) fn main_of(repository: &Path) -> String {
    let loose = fs::read_to_string(repository.join("refs/heads/main")).unwrap_or_default();
    if !loose.is_empty() {
        return loose.trim().to_owned();
    }
    let packed = fs::read_to_string(repository.join("packed-refs")).unwrap_or_default();
    let found = packed.lines().find_map(|line| line.strip_suffix(" refs/heads/main"));
    found.unwrap_or_default().to_owned()
}

/// The one repository of a run folder, which is a folder of its own.
pub(super) fn repository_of(run: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(run).ok()?.filter_map(|entry| entry.ok());
    let is_one = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.len() > 4 && name.ends_with(".git") && entry.file_type().is_ok_and(|kind| kind.is_dir())
    };
    let mut found = entries.filter(is_one);
    let (one, other) = (found.next(), found.next());
    one.filter(|_| other.is_none()).map(|entry| entry.path())
}

/// Whether somebody has a run folder, or its journal, in hand right now.
pub(crate) fn in_hand(run: &Path) -> bool {
    let held = |path: &Path| {
        let Ok(folder) = File::open(path) else { return false };
        flock(&folder, FlockOperation::NonBlockingLockShared) == Err(rustix::io::Errno::WOULDBLOCK)
    };
    held(run) || held(&run.join("journal"))
}

/// Bytes that a folder takes on the disk with all below it; links are counted, not followed. What cannot be read counts as
/// nothing.
pub fn size_of(path: &Path) -> u64 {
    let Ok(own) = fs::symlink_metadata(path) else { return 0 };
    let mut bytes = own.blocks() * BLOCK_BYTES;
    if own.is_dir() {
        let below = fs::read_dir(path).into_iter().flatten().filter_map(|entry| entry.ok());
        bytes += below.map(|entry| size_of(&entry.path())).sum::<u64>();
    }
    bytes
}

/// What `verify --record` leaves in a run folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Verification {
    format: u32,
    pub(super) intact: bool,
    /// The journal's records and the hash of its last line, as they were.
    pub(super) records: u64,
    pub(super) head_hash: String,
    /// Main, as it was.
    pub(super) main: String,
}

/// Leaves what a verification has found in the run folder, so that a killed run can be told from one that nobody has
/// looked at. Not for a run that goes on.
///
/// # Errors
/// Why it cannot be recorded, in words.
pub fn record_verification(run: &Path, report: &Report) -> Result<(), String> {
    if in_hand(run) {
        return Err("the run goes on, so that a verification says nothing of its end".to_owned());
    }
    let ends = ends(&run.join("journal"))?;
    let main = repository_of(run).map(|repository| main_of(&repository)).unwrap_or_default();
    let (records, head_hash) = (ends.records, ends.head_hash);
    let found = Verification { format: 1, intact: report.intact, records, head_hash, main };
    let mut text = serde_json::to_vec_pretty(&found).expect("plain values can be written as JSON");
    text.push(b'\n');
    let (path, new) = (run.join(VERIFIED), run.join("verified.json.new"));
    let written = File::create(&new).and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()));
    written.and_then(|()| fs::rename(&new, &path)).map_err(|error| format!("{}: {error}", path.display()))
}

/// The verification that was recorded; `None`: none that can be read.
pub(super) fn verification(run: &Path) -> Option<Verification> {
    let path = run.join(VERIFIED);
    let found = fs::symlink_metadata(&path).ok()?;
    let bytes = (found.is_file() && found.len() < LINE_BYTES_MAX).then(|| fs::read(&path).ok()).flatten()?;
    serde_json::from_slice(&bytes).ok().filter(|found: &Verification| found.format == 1)
}
