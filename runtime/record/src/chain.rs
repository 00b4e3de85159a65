//! The hash chain: each line names the SHA-256 of the line before it.

use crate::oid::write_hex;
use sha2::{Digest, Sha256};
use std::fmt;

/// SHA-256 of one line's bytes without its newline.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What the first line of a journal names as its predecessor.
    pub const ZERO: Hash = Hash([0; 32]);

    /// The hash of a line.
    pub fn of(line: &[u8]) -> Hash {
        Hash(Sha256::digest(line).into())
    }

    /// 64 lower-case hex digits.
    pub fn hex(&self) -> [u8; 64] {
        let mut out = [0; 64];
        write_hex(&self.0, &mut out);
        out
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.hex()).expect("hex digits are ASCII"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a journal ends: what the next line must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Sequence number of the next line; also the number of lines so far.
    pub next_seq: u64,
    /// Hash of the last line.
    pub head: Hash,
}

impl Default for Chain {
    fn default() -> Chain {
        Chain { next_seq: 0, head: Hash::ZERO }
    }
}

impl Chain {
    /// Takes a line (without newline) as the next one.
    pub fn advance(&mut self, line: &[u8]) {
        self.next_seq += 1;
        self.head = Hash::of(line);
    }
}
