//! Segments: the files a journal is split into, and how their bytes are cut into lines.
//!
//! `journal/<epoch>-<segment>.jsonl`, six digits each. The epoch counts the processes that opened the
//! journal for writing; segments count on through all of them.

use crate::chain::Chain;
use crate::line::{LineError, Record, read_line};
use crate::names::Names;
use std::io::BufRead;

/// Which file of a journal. Ordered as the journal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentName {
    /// Place in the journal, from 0.
    pub segment: u32,
    /// Which opening of the journal wrote it, from 1.
    pub epoch: u32,
}

impl SegmentName {
    /// The file's name.
    pub fn file_name(self) -> String {
        format!("{:06}-{:06}.jsonl", self.epoch, self.segment)
    }

    /// Reads a file's name; `None` if it is no segment's.
    pub fn parse(name: &str) -> Option<SegmentName> {
        let (epoch, segment) = name.strip_suffix(".jsonl")?.split_once('-')?;
        let parsed = SegmentName { epoch: epoch.parse().ok()?, segment: segment.parse().ok()? };
        (parsed.file_name() == name).then_some(parsed)
    }
}

/// What reading a segment came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SegmentEnd {
    /// Every byte belongs to a good line.
    Clean,
    /// The last line is incomplete or damaged, and nothing follows it.
    Torn {
        /// Bytes of the segment that belong to good lines.
        good_bytes: u64,
    },
    /// A line is damaged though others follow it, or is whole and wrong.
    Damaged {
        /// Line within the segment, from 1.
        line: u64,
        /// What is wrong.
        error: LineError,
    },
}

/// Reads a segment's bytes and hands each good record to `each`. Stops at the first bad line.
///
/// Torn means: bytes after the last newline, or a last line that fails its checksum (a batch is written
/// at once but may reach the disk in any order). Any other bad line is damage.
pub fn read_segment(
    bytes: &[u8],
    chain: &mut Chain,
    names: &mut Names,
    mut each: impl FnMut(u64, Record, &Names),
) -> SegmentEnd {
    let mut at = 0;
    let mut line_number = 0;
    while at < bytes.len() {
        line_number += 1;
        let Some(end) = line_end(&bytes[at..]).map(|len| at + len) else {
            return SegmentEnd::Torn { good_bytes: at as u64 };
        };
        let seq = chain.next_seq;
        match read_line(&bytes[at..end], chain, names) {
            Ok(record) => each(seq, record, names),
            Err(LineError::Checksum) if end + 1 == bytes.len() => {
                return SegmentEnd::Torn { good_bytes: at as u64 };
            }
            Err(error) => return SegmentEnd::Damaged { line: line_number, error },
        }
        at = end + 1;
    }
    SegmentEnd::Clean
}

/// Where the first newline stands. This is how the standard library offers its fast search for a byte.
fn line_end(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    let skipped = rest.skip_until(b'\n').expect("memory can always be read");
    skipped.checked_sub(1).filter(|end| bytes[*end] == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_the_journal_runs() {
        let name = SegmentName { segment: 7, epoch: 2 };
        assert_eq!(name.file_name(), "000002-000007.jsonl");
        assert_eq!(SegmentName::parse("000002-000007.jsonl"), Some(name));
        for odd in ["2-7.jsonl", "000002-000007.json", "000002_000007.jsonl", "+00002-000007.jsonl"] {
            assert_eq!(SegmentName::parse(odd), None, "{odd}");
        }
    }
}
