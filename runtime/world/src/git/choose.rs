//! Files of a tree by number: choosing one of a hundred thousand without listing them all.
//!
//! How many files a directory holds depends on its object name alone, so it is counted once per tree object; a landing
//! makes a handful of new ones.

use super::path::{Below, below as meaning};
use super::{Entry, EntryMode, GitError, Repository, hold};
use baton_record::Oid;
use std::collections::BTreeMap;

/// Files below a tree, by the tree's name.
pub(super) type Counts = BTreeMap<Oid, u64>;

/// Trees that are remembered; then all are forgotten.
const COUNTS_MAX: usize = 1_000_000;

impl Repository {
    /// How many files [`Repository::files`] would list.
    pub fn file_count(&self, tree: Oid, below: &str) -> Result<u64, GitError> {
        match meaning(below) {
            Below::Path(path) => Ok(u64::from(self.entry(tree, path)?.is_some_and(|entry| entry.mode.is_file()))),
            Below::Directory(directory) => match self.directory(tree, directory)? {
                Some(start) => self.count(start),
                None => Ok(0),
            },
        }
    }

    /// The file of that number, below [`Repository::file_count`], in the order of the trees' entries.
    pub fn nth_file(&self, tree: Oid, below: &str, number: u64) -> Result<Option<String>, GitError> {
        let directory = match meaning(below) {
            Below::Path(path) => return Ok(Some(path.to_owned())),
            Below::Directory(directory) => directory,
        };
        let Some(mut at) = self.directory(tree, directory)? else { return Ok(None) };
        let mut path = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let mut left = number;
        loop {
            let mut found = None;
            for entry in self.tree(at)?.entries() {
                let here = self.weight(entry.name, entry.entry())?;
                if left < here {
                    found = Some((String::from_utf8_lossy(entry.name).into_owned(), entry.entry()));
                    break;
                }
                left -= here;
            }
            let Some((name, entry)) = found else { return Ok(None) };
            path.push_str(&name);
            if entry.mode != EntryMode::Tree {
                return Ok(Some(path));
            }
            path.push('/');
            at = entry.oid;
        }
    }

    fn directory(&self, tree: Oid, directory: &str) -> Result<Option<Oid>, GitError> {
        if directory.is_empty() {
            return Ok(Some(tree));
        }
        let found = self.entry(tree, directory)?.filter(|entry| entry.mode == EntryMode::Tree);
        Ok(found.map(|entry| entry.oid))
    }

    /// Files that an entry stands for.
    fn weight(&self, name: &[u8], entry: Entry) -> Result<u64, GitError> {
        match entry.mode {
            _ if std::str::from_utf8(name).is_err() => Ok(0),
            EntryMode::Tree => self.count(entry.oid),
            mode => Ok(u64::from(mode.is_file())),
        }
    }

    fn count(&self, tree: Oid) -> Result<u64, GitError> {
        if let Some(known) = hold(&self.counts).get(&tree) {
            return Ok(*known);
        }
        let mut total = 0;
        for entry in self.tree(tree)?.entries() {
            total += self.weight(entry.name, entry.entry())?;
        }
        let mut counts = hold(&self.counts);
        if counts.len() >= COUNTS_MAX {
            counts.clear();
        }
        counts.insert(tree, total);
        Ok(total)
    }
}
