//! Work that nobody has committed, as a commit that lies aside: what a checkout would say if everything there were committed.
//!
//! Nothing of the person's is written: the index is a copy, and objects go aside. Files that git ignores are left out, and so
//! are repositories inside the checkout (other worktrees among them), which are not part of it.

use super::worktrees::{git_directory, in_checkout};
use super::{Scratch, Worktree, with_input};
use crate::git::command::{Sync, failed, first_lines, output};
use crate::git::error::GitError;
use baton_record::Oid;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

/// A checkout with work that is not committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// A commit of it on top of the one that is checked out; it lies aside.
    pub commit: Oid,
    /// Paths that differ from that one.
    pub paths: Vec<String>,
}

impl Scratch<'_> {
    /// The uncommitted work in a checkout; `Ok(None)`: there is none. The inner error says why it cannot be told.
    pub fn snapshot(&self, worktree: &Worktree) -> Result<Result<Option<Snapshot>, String>, GitError> {
        let mut status = in_checkout(Sync::None, &worktree.path);
        let words = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignored=no"];
        let said = output(status.args(words))?;
        if !said.status.success() {
            return Ok(Err(first_lines(&said.stderr)));
        }
        let entries: Vec<(&[u8], &[u8])> = said
            .stdout
            .split(|&byte| byte == 0)
            .filter(|entry| entry.len() > 3)
            .map(|entry| entry.split_at(3))
            .collect();
        if entries.is_empty() {
            return Ok(Ok(None));
        }
        if entries.iter().any(|(state, _)| matches!(&state[..2], b"DD" | b"AA") || state[..2].contains(&b'U')) {
            return Ok(Err("a merge there has conflicts that are not resolved yet".to_owned()));
        }
        let Some(head) = worktree.head else { return Ok(Err("there is no commit yet".to_owned())) };
        let new: Vec<&[u8]> = entries
            .iter()
            .filter(|(state, path)| state.starts_with(b"??") && !path.ends_with(b"/"))
            .map(|(_, path)| *path)
            .collect();
        let tree = match self.tree_of(worktree, &new)? {
            Ok(tree) => tree,
            Err(why) => return Ok(Err(why)),
        };
        if tree == self.visited.commit(head)?.tree {
            return Ok(Ok(None));
        }
        let commit = self.commit_of_nobody(tree, head)?;
        let paths = entries.iter().map(|(_, path)| String::from_utf8_lossy(path).into_owned()).collect();
        Ok(Ok(Some(Snapshot { commit, paths })))
    }

    /// The tree of tracked files as they lie there, and of these new ones.
    fn tree_of(&self, worktree: &Worktree, new: &[&[u8]]) -> Result<Result<Oid, String>, GitError> {
        let index = self.index_copy(worktree)?;
        let here = |words: &[&str]| {
            let mut command: Command = in_checkout(Sync::None, &worktree.path);
            self.see(&mut command);
            command.env("GIT_INDEX_FILE", &index).args([
                "-c",
                "core.splitIndex=false",
                "-c",
                "core.untrackedCache=false",
            ]);
            command.args(["-c", "core.safecrlf=false"]).args(words);
            command
        };
        let said = output(&mut here(&["add", "--update"]))?;
        if !said.status.success() {
            return Ok(Err(first_lines(&said.stderr)));
        }
        if !new.is_empty() {
            let mut list = new.join(&0);
            list.push(0);
            let said = with_input(&mut here(&["update-index", "--add", "--replace", "-z", "--stdin"]), &list)?;
            if !said.status.success() {
                return Ok(Err(first_lines(&said.stderr)));
            }
        }
        let said = output(&mut here(&["write-tree"]))?;
        let hex = String::from_utf8_lossy(&said.stdout);
        match Oid::from_hex(hex.trim_end()) {
            Some(tree) if said.status.success() => Ok(Ok(tree)),
            _ => Ok(Err(first_lines(&said.stderr))),
        }
    }

    fn index_copy(&self, worktree: &Worktree) -> Result<PathBuf, GitError> {
        let index = git_directory(&worktree.path)?.join("index");
        let copy = self.directory().join(format!("index-{}", self.visited.next_number()));
        match fs::copy(&index, &copy) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(GitError::io("copy", &index, &error)),
            _ => Ok(copy),
        }
    }

    fn commit_of_nobody(&self, tree: Oid, parent: Oid) -> Result<Oid, GitError> {
        let mut command = self.command();
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "nobody").env(format!("GIT_{who}_EMAIL"), "nobody@baton.invalid");
            command.env(format!("GIT_{who}_DATE"), "@0 +0000");
        }
        command.args([
            "commit-tree",
            "--no-gpg-sign",
            "-m",
            "uncommitted work",
            "-p",
            &parent.to_hex(),
            &tree.to_hex(),
        ]);
        let said = output(&mut command)?;
        let hex = String::from_utf8_lossy(&said.stdout);
        match Oid::from_hex(hex.trim_end()) {
            Some(commit) if said.status.success() => Ok(commit),
            _ => Err(failed("make a commit aside", &said)),
        }
    }
}
