//! A merge by git itself, in a directory of objects that is thrown away: whatever git writes on the way to its answer
//! stays out of the repository, and the proposal stays out of it too until it lands.

use super::command::{Sync, failed, git, in_repository, output};
use super::error::GitError;
use super::merge::{CleanMerge, Merged};
use super::object::{Kind, Objects};
use super::pack::write_pack;
use super::packs::PackFiles;
use super::propose::Proposal;
use super::tree::{EntryMode, Tree};
use super::{Durability, Repository, commit::Commit, disk};
use baton_record::Oid;
use baton_record::event::Verdict;
use flate2::read::ZlibDecoder;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

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
    command.args(["merge-tree", "--write-tree", "-z", "--name-only"]);
    command.arg(format!("--merge-base={}", proposal.base)).args([main.to_hex(), proposal.commit.to_hex()]);
    let said = output(&mut command)?;
    let doing = || format!("merge {} into {main}", proposal.commit);
    match said.status.code() {
        Some(0) => {
            let hex = said.stdout.split(|&byte| byte == 0).next().and_then(|hex| std::str::from_utf8(hex).ok());
            let tree = hex.and_then(|hex| Oid::from_hex(hex.trim_end())).ok_or_else(|| failed(&doing(), &said))?;
            let objects = quarantine.objects_of(repository, tree)?;
            Ok(Merged::Clean(CleanMerge { tree, verdict: Verdict::Git, objects, only_adds: false }))
        }
        Some(1) if !said.stdout.is_empty() => Ok(Merged::Conflict { paths: conflict_paths(&said.stdout) }),
        None if said.status.signal() == Some(ABORTED) => Ok(Merged::Conflict { paths: paths_of(proposal) }),
        _ => Err(failed(&doing(), &said)),
    }
}

/// How a git program ends that finds itself wrong about something (`BUG` or an assertion). Rare combinations of
/// renames and changes of kind do that to its merge, each time again: so it is an answer about the change, not about
/// the machine, and the only safe one is that it does not merge.
pub(super) const ABORTED: i32 = 6;

fn paths_of(proposal: &Proposal) -> Vec<String> {
    proposal.changed.iter().map(|change| change.path.clone()).collect()
}

/// Git's answer is: tree; conflicting paths; an empty word; then for each message a number of paths, these paths, a
/// type and a text. Some conflicts, such as a directory that was split by renames, stand only in the messages.
fn conflict_paths(answer: &[u8]) -> Vec<String> {
    let mut words = answer.split(|&byte| byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    let mut paths: Vec<String> = words.by_ref().skip(1).take_while(|word| !word.is_empty()).collect();
    while paths.is_empty() {
        let Some(count) = words.next().and_then(|count| count.parse().ok()) else { break };
        let named: Vec<String> = words.by_ref().take(count).collect();
        let is_conflict = words.next().is_some_and(|kind| kind.starts_with("CONFLICT"));
        words.next();
        paths.extend(named.into_iter().filter(|_| is_conflict));
    }
    paths.sort();
    paths.dedup();
    paths
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
    fn conflicts_are_named_by_path_or_else_by_message() {
        for (answer, paths) in [
            ("t\0b\0a\0b\0\x001\0c\0CONFLICT (contents)\0text\0", &["a", "b"][..]),
            ("t\0\x001\0x\0Auto-merging\0text\x002\0d\0c\0CONFLICT (directory rename split)\0text\0", &["c", "d"]),
            ("t\0\0", &[]),
        ] {
            assert_eq!(conflict_paths(answer.as_bytes()), paths);
        }
    }

    #[test]
    fn a_colon_in_a_path_separates_nothing() {
        for (path, listed) in [("/a b/c", "/a b/c"), ("/a:b", "\"/a:b\""), ("/a:\\\"ä", "\"/a:\\\\\\\"\\303\\244\"")] {
            assert_eq!(quoted(Path::new(path)), listed);
        }
    }
}
