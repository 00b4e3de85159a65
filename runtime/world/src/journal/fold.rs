//! Reading a journal back: what a restarting actor does, and what a report does.

use baton_record::line::{LineError, Record};
use baton_record::segment::{SegmentEnd, SegmentName, read_segment};
use baton_record::{Chain, Names};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Where a fold came to its end.
#[derive(Clone, Debug)]
pub struct FoldEnd {
    /// Records read and the hash of the last line.
    pub chain: Chain,
    /// The lanes that joined.
    pub names: Names,
    /// Whether the last line was incomplete.
    pub torn: bool,
}

/// Why a journal cannot be folded.
#[derive(Debug)]
pub enum JournalDamage {
    /// A line in the middle is damaged, or whole and wrong.
    Line {
        /// Which file.
        file: PathBuf,
        /// Which line of it, from 1.
        line: u64,
        /// What is wrong.
        error: LineError,
    },
    /// A segment is missing, doubled or torn though another follows it.
    Segments(PathBuf, &'static str),
    /// The disk refused.
    Disk(PathBuf, io::Error),
}

impl fmt::Display for JournalDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JournalDamage::Line { file, line, error } => write!(f, "{}:{line}: {error}", file.display()),
            JournalDamage::Segments(path, what) => write!(f, "{}: {what}", path.display()),
            JournalDamage::Disk(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for JournalDamage {}

/// Reads every record of the journal in `dir`, verified, in order. Memory: one segment at a time.
pub fn fold(dir: &Path, mut each: impl FnMut(u64, Record, &Names)) -> Result<FoldEnd, JournalDamage> {
    let segments = segments(dir)?;
    let mut end = FoldEnd { chain: Chain::default(), names: Names::default(), torn: false };
    for (place, name) in segments.iter().enumerate() {
        let path = dir.join(name.file_name());
        if name.segment as usize != place {
            return Err(JournalDamage::Segments(path, "a segment before this one is missing or doubled"));
        }
        let bytes = std::fs::read(&path).map_err(|error| JournalDamage::Disk(path.clone(), error))?;
        let FoldEnd { chain, names, .. } = &mut end;
        match read_segment(&bytes, chain, names, &mut each) {
            SegmentEnd::Clean => {}
            SegmentEnd::Torn { .. } if place + 1 == segments.len() => end.torn = true,
            SegmentEnd::Torn { .. } => {
                return Err(JournalDamage::Segments(path, "the segment is torn though another follows it"));
            }
            SegmentEnd::Damaged { line, error } => return Err(JournalDamage::Line { file: path, line, error }),
        }
    }
    Ok(end)
}

fn segments(dir: &Path) -> Result<Vec<SegmentName>, JournalDamage> {
    let disk = |error| JournalDamage::Disk(dir.to_owned(), error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(disk)? {
        let name = entry.map_err(disk)?.file_name();
        names.extend(name.to_str().and_then(SegmentName::parse));
    }
    names.sort_unstable();
    Ok(names)
}
