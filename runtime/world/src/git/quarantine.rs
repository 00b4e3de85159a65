//! A merge by git itself, in a directory of objects that is thrown away: whatever git writes on the way to its answer
//! stays out of the repository, and the proposal stays out of it too until it lands.

use super::command::{Sync, failed, git, in_repository, output};
use super::conflict::{Conflict, Refusal};
use super::error::GitError;
use super::merge::{CleanMerge, Merged};
use super::object::{Body, Kind, Objects};
use super::pack::write_pack;
use super::packs::PackFiles;
use super::propose::Proposal;
use super::tree::{EntryMode, Tree};
use super::{Durability, Repository, commit::Commit, disk};
use baton_record::Oid;
use baton_record::event::Verdict;
use flate2::read::ZlibDecoder;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const DIRECTORY: &str = "baton-quarantine";

/// Removes what a killed process left behind.
pub(super) fn remove_stale(root: &Path) -> Result<(), GitError> {
    disk::remove_tree_if_there(&root.join(DIRECTORY))
}

/// `main`: a commit, and what of its history is not in the repository yet.
pub(super) fn merge(
    repository: &Repository,
    (main, pending): (Oid, Option<&Objects>),
    proposal: &Proposal,
) -> Result<Merged, GitError> {
    let quarantine = Quarantine::new(repository)?;
    let mut brought = proposal.objects.clone();
    brought.extend(pending.unwrap_or(&Objects::default()));
    let objects = brought.iter().map(|(oid, object)| (oid, &object.packed));
    PackFiles::write(&quarantine.directory.join("pack"), &write_pack(repository.format(), objects))?.show()?;
    let mut command = git(Sync::None);
    in_repository(&mut command, &repository.root);
    command.env("GIT_OBJECT_DIRECTORY", &quarantine.directory);
    command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", quoted(&repository.root.join("objects")));
    command.args(["merge-tree", "--write-tree", "-z", "--messages"]);
    command.arg(format!("--merge-base={}", proposal.base)).args([main.to_hex(), proposal.commit.to_hex()]);
    let said = output(&mut command)?;
    let doing = || format!("merge {} into {main}", proposal.commit);
    match said.status.code() {
        Some(code @ (0 | 1)) if code == 0 || !said.stdout.is_empty() => {
            let hex = said.stdout.split(|&byte| byte == 0).next().and_then(|hex| std::str::from_utf8(hex).ok());
            let tree = hex.and_then(|hex| Oid::from_hex(hex.trim_end())).ok_or_else(|| failed(&doing(), &said))?;
            let objects = quarantine.objects_of(repository, tree)?;
            if code == 0 {
                return Ok(Merged::Clean(CleanMerge { tree, verdict: Verdict::Git, objects, only_adds: false }));
            }
            let refusal = Refusal::read(&mut said.stdout.split(|&byte| byte == 0).skip(1));
            // What is marked was written by this merge, and so lies here.
            let marked = |path: &str| file_of(&objects, tree, path);
            let conflicts = refusal.places((main, proposal.commit), &marked);
            Ok(Merged::Conflict { paths: refusal.paths, conflicts })
        }
        None if said.status.signal() == Some(ABORTED) => {
            let paths = paths_of(proposal);
            let conflicts = paths.iter().map(|path| Conflict::of(path.clone(), BROKEN_OFF)).collect();
            Ok(Merged::Conflict { paths, conflicts })
        }
        _ => Err(failed(&doing(), &said)),
    }
}

/// How a git program ends that finds itself wrong about something (`BUG` or an assertion). Rare combinations of
/// renames and changes of kind do that to its merge, each time again: so it is an answer about the change, not about
/// the machine, and the only safe one is that it does not merge.
pub(super) const ABORTED: i32 = 6;
/// The kind of a conflict that git does not name.
pub(super) const BROKEN_OFF: &str = "git broke off its merge";

fn paths_of(proposal: &Proposal) -> Vec<String> {
    let paths: BTreeSet<&String> = proposal.changed.iter().map(|change| &change.path).collect();
    paths.into_iter().cloned().collect()
}

/// A file of a tree, where it is one of these objects.
fn file_of(objects: &Objects, mut at: Oid, path: &str) -> Option<Arc<[u8]>> {
    for name in path.split('/') {
        let Some(Body::Tree(tree)) = objects.get(at) else { return None };
        at = tree.get(name.as_bytes())?.oid;
    }
    match objects.get(at) {
        Some(Body::Blob(blob)) => Some(blob.clone()),
        _ => None,
    }
}

/// One path of a list that is separated by colons.
pub(super) fn quoted(path: &Path) -> OsString {
    let bytes = path.as_os_str().as_bytes();
    if !bytes.contains(&b':') && !bytes.starts_with(b"\"") {
        return path.as_os_str().to_owned();
    }
    let mut quoted = vec![b'"'];
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => quoted.extend([b'\\', byte]),
            0x20..0x7f => quoted.push(byte),
            _ => quoted.extend(format!("\\{byte:03o}").bytes()),
        }
    }
    quoted.push(b'"');
    OsString::from_vec(quoted)
}

struct Quarantine {
    directory: PathBuf,
}

impl Quarantine {
    fn new(repository: &Repository) -> Result<Quarantine, GitError> {
        let directory = repository.root.join(DIRECTORY).join(repository.next_number().to_string());
        disk::make_directories(&directory.join("pack"), Durability::Buffered)?;
        Ok(Quarantine { directory })
    }

    /// The trees and blobs of `root` that are here.
    fn objects_of(&self, repository: &Repository, root: Oid) -> Result<Objects, GitError> {
        let format = repository.format();
        let (mut objects, mut waiting) = (Objects::default(), vec![(Kind::Tree, root)]);
        while let Some((kind, oid)) = waiting.pop() {
            if objects.contains(oid) {
                continue;
            }
            let Some(data) = self.read_loose(kind, oid)? else { continue };
            let found = match kind {
                Kind::Tree => {
                    let tree = Tree::parse(format, oid, &data)?;
                    waiting.extend(tree.entries().filter_map(|entry| match entry.mode {
                        EntryMode::Submodule => None,
                        EntryMode::Tree => Some((Kind::Tree, entry.oid)),
                        _ => Some((Kind::Blob, entry.oid)),
                    }));
                    objects.add_tree(format, tree)
                }
                Kind::Blob => objects.add_blob(format, &data),
                Kind::Commit => objects.add_commit(format, &data, Commit::parse(oid, &data)?),
            };
            if found != oid {
                return Err(GitError::damaged(format!("git wrote object {oid} with content of another name")));
            }
        }
        Ok(objects)
    }

    fn read_loose(&self, kind: Kind, oid: Oid) -> Result<Option<Vec<u8>>, GitError> {
        let path = loose_path(&self.directory, oid);
        let deflated = match fs::read(&path) {
            Ok(deflated) => deflated,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(GitError::io("read", &path, &error)),
        };
        let mut data = Vec::new();
        let inflated = ZlibDecoder::new(&deflated[..]).read_to_end(&mut data);
        inflated.map_err(|error| GitError::io("inflate", &path, &error))?;
        let head = data.iter().position(|&byte| byte == 0).unwrap_or(0);
        let content = data.split_off((head + 1).min(data.len()));
        if data != format!("{} {}\0", kind.name(), content.len()).as_bytes() {
            return Err(GitError::damaged(format!("git wrote object {oid} as something other than a {}", kind.name())));
        }
        Ok(Some(content))
    }
}

impl Drop for Quarantine {
    fn drop(&mut self) {
        // What stays here is in nobody's way, and goes when the repository is opened again.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// File of a loose object in a directory of objects.
pub(super) fn loose_path(objects: &Path, oid: Oid) -> PathBuf {
    let hex = oid.to_hex();
    objects.join(&hex[..2]).join(&hex[2..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_in_a_path_separates_nothing() {
        for (path, listed) in [("/a b/c", "/a b/c"), ("/a:b", "\"/a:b\""), ("/a:\\\"ä", "\"/a:\\\\\\\"\\303\\244\"")] {
            assert_eq!(quoted(Path::new(path)), listed);
        }
    }
}
