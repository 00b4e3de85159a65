//! A branch that nobody else moves for a while: git holds it locked, in a transaction that is prepared and not yet committed.
//!
//! Should this process die, git meets the end of its input and gives the branch back as it was.

use super::{Moved, PersonRepository};
use crate::git::error::{GitError, GitErrorKind};
use baton_record::Oid;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// A branch that is held. To drop it gives the branch back as it is.
#[derive(Debug)]
pub struct HeldRef {
    full: String,
    way: (Oid, Oid),
    git: Child,
    said: BufReader<ChildStdout>,
    /// Taken when the transaction ends.
    input: Option<ChildStdin>,
}

impl PersonRepository {
    /// Locks a branch that is at the first of these commits and is to go to the second; or says where it is.
    pub fn hold_ref(&self, full: &str, way: (Oid, Oid), why: &str) -> Result<Result<HeldRef, Moved>, GitError> {
        let mut command = self.moving();
        // What git complains about goes nowhere: its place is taken by the lock that all programs share which move something.
        let shared = self.outlives.as_ref().map_or_else(Stdio::null, |outlives| outlives.handed_on());
        command.args(["update-ref", "-m", why, "--no-deref", "--create-reflog", "--stdin"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(shared);
        let mut git = command.spawn().map_err(|error| GitError::new(GitErrorKind::NoGit, error.to_string()))?;
        let said = BufReader::new(git.stdout.take().expect("piped"));
        let input = git.stdin.take();
        let mut held = HeldRef { full: full.to_owned(), way, git, said, input };
        let (from, to) = way;
        if held.says(&format!("start\nupdate {full} {to} {from}\nprepare\n"), &["start: ok", "prepare: ok"]) {
            return Ok(Ok(held));
        }
        drop(held);
        match self.reference(full)? {
            // To say why is left to a move from where it is to there: it meets the same.
            Some(found) if found == from => match self.move_ref(full, Some(from), Some(from), why)? {
                Moved::Yes => {
                    let lock = self.common.join(format!("{full}.lock"));
                    Err(GitError::new(GitErrorKind::Locked, format!("git cannot lock {full} by {}", lock.display())))
                }
                moved => Ok(Err(moved)),
            },
            found => Ok(Err(Moved::Elsewhere(found))),
        }
    }

    /// Moves a branch that is held.
    pub fn move_held(&self, mut held: HeldRef) -> Result<Moved, GitError> {
        let (from, to) = held.way;
        let moved = held.says("commit\n", &["commit: ok"]);
        let full = held.full.clone();
        drop(held);
        if !moved {
            self.remove_own_lock(&full, to, None)?;
        }
        match self.reference(&full)? {
            // It may have died when it had done so.
            Some(found) if found == to => self.sync_refs(&full).map(|()| Moved::Yes),
            Some(found) if found == from => {
                Err(GitError::new(GitErrorKind::GitFailed, format!("git has not moved {full}, which it had locked")))
            }
            found => Ok(Moved::Elsewhere(found)),
        }
    }
}

impl HeldRef {
    /// Tells git this, and hears whether it answers so.
    fn says(&mut self, words: &str, answers: &[&str]) -> bool {
        let told = self.input.as_mut().is_some_and(|input| input.write_all(words.as_bytes()).is_ok());
        told && answers.iter().all(|answer| {
            let mut line = String::new();
            self.said.read_line(&mut line).is_ok() && line.trim_end() == *answer
        })
    }
}

impl Drop for HeldRef {
    fn drop(&mut self) {
        // The end of its input is what git waits for.
        drop(self.input.take());
        // Whatever it says, the branch is looked at afterwards.
        let _ = self.git.wait();
    }
}
