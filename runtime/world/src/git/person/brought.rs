//! What a change brings to a checkout, and what of a person's stands in its place: git removes ignored files, and whole folders
//! with them, without a word.
//!
//! Files that lie exactly where one is brought are told in [`super::lying`] and by whoever asks; here it is about folders.

use super::worktrees::in_checkout;
use super::{CheckoutMove, Scratch};
use crate::git::command::{Sync, failed, output};
use crate::git::error::GitError;
use baton_record::Oid;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A file, link or submodule at a path where there was none, or something of another kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought {
    /// The path.
    pub path: String,
    is_submodule: bool,
}

impl Brought {
    /// What a checkout has in its place that git does not know: something in a folder of that name, or a file where a folder
    /// above it has to be. `None`: nothing that could be lost.
    pub fn obstacle(&self, checkout: &Path) -> Result<Option<String>, GitError> {
        for (at, _) in self.path.match_indices('/') {
            let above = &self.path[..at];
            match fs::symlink_metadata(checkout.join(above)) {
                Err(_) => return Ok(None),
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Ok((!tracked(checkout, above)?.contains(above)).then(|| above.to_owned())),
            }
        }
        let is_folder = fs::symlink_metadata(checkout.join(&self.path)).is_ok_and(|found| found.is_dir());
        // A submodule leaves a folder as it is.
        if !is_folder || self.is_submodule {
            return Ok(None);
        }
        Ok(unknown_below(checkout, &self.path, &tracked(checkout, &self.path)?))
    }
}

/// Paths of an index that are this one or below it.
fn tracked(checkout: &Path, path: &str) -> Result<BTreeSet<String>, GitError> {
    let mut command = in_checkout(Sync::None, checkout);
    let said = output(command.args(["--literal-pathspecs", "ls-files", "-z", "--", path]))?;
    if !said.status.success() {
        return Err(failed("list the files of an index", &said));
    }
    let paths = said.stdout.split(|&byte| byte == 0).filter(|path| !path.is_empty());
    Ok(paths.map(|path| String::from_utf8_lossy(path).into_owned()).collect())
}

/// The first file below a folder that is not among these; of a repository, its folder.
fn unknown_below(checkout: &Path, folder: &str, known: &BTreeSet<String>) -> Option<String> {
    let entries = match fs::read_dir(checkout.join(folder)) {
        Ok(entries) => entries,
        // Whatever is in it cannot be looked at.
        Err(_) => return Some(folder.to_owned()),
    };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    if names.iter().any(|name| name == ".git") {
        return Some(folder.to_owned());
    }
    names.iter().find_map(|name| {
        let path = format!("{folder}/{}", name.to_string_lossy());
        match fs::symlink_metadata(checkout.join(folder).join(name)) {
            Ok(found) if found.is_dir() => unknown_below(checkout, &path, known),
            _ => (!known.contains(&path)).then_some(path),
        }
    })
}

fn brought(mut command: Command, from: Oid, to: Oid) -> Result<Vec<Brought>, GitError> {
    let (from, to) = (from.to_hex(), to.to_hex());
    let said = output(command.args(["diff-tree", "-r", "-z", "--no-renames", "--diff-filter=AT", &from, &to]))?;
    if !said.status.success() {
        return Err(failed("compare two commits", &said));
    }
    let text = String::from_utf8_lossy(&said.stdout);
    let words: Vec<&str> = text.split('\0').collect();
    let one =
        |pair: &[&str]| Brought { path: pair[1].to_owned(), is_submodule: pair[0].split(' ').nth(1) == Some("160000") };
    Ok(words.chunks_exact(2).map(one).collect())
}

impl Scratch<'_> {
    /// What `to` has where `from` has nothing, or something of another kind.
    pub fn brought(&self, from: Oid, to: Oid) -> Result<Vec<Brought>, GitError> {
        brought(self.command(), from, to)
    }

    /// Paths that differ between two commits.
    pub fn changed_paths(&self, from: Oid, to: Oid) -> Result<Vec<String>, GitError> {
        let words = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", &from.to_hex(), &to.to_hex()];
        let said = output(self.command().args(words))?;
        if !said.status.success() {
            return Err(failed("compare two commits", &said));
        }
        let paths = said.stdout.split(|&byte| byte == 0).filter(|path| !path.is_empty());
        Ok(paths.map(|path| String::from_utf8_lossy(path).into_owned()).collect())
    }
}

impl CheckoutMove {
    /// What git would remove on the way from one commit to another although it does not know it.
    pub(super) fn obstacles(&self, from: Oid, to: Oid) -> Result<BTreeSet<String>, GitError> {
        let mut found: BTreeSet<String> = BTreeSet::new();
        for brought in brought(self.command(Sync::None), from, to)? {
            let told = brought.path.match_indices('/').any(|(at, _)| found.contains(&brought.path[..at]));
            if !told && let Some(path) = brought.obstacle(&self.checkout)? {
                found.insert(path);
            }
        }
        Ok(found)
    }
}
