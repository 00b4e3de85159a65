//! A branch of a remote: fetched, and moved by compare-and-swap on what was fetched. Never forced.

use super::PersonRepository;
use crate::git::command::{Sync, failed, first_lines, output};
use crate::git::error::{GitError, GitErrorKind};
use baton_record::Oid;

/// What came of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// The remote's branch is there.
    Yes,
    /// Somebody else has moved it since it was fetched.
    Elsewhere,
    /// The remote does not take it, for a reason of its own: what it said.
    Refused(String),
}

impl PersonRepository {
    /// Fetches a branch, `refs/heads/…`, of a remote; where it is there. `None`: the remote has no such branch.
    pub fn fetch(&self, remote: &str, full: &str) -> Result<Option<Oid>, GitError> {
        self.must_know(remote)?;
        let mut command = self.command(Sync::All);
        let said = output(command.args(["ls-remote", "--heads", "--end-of-options", remote, full]))?;
        if !said.status.success() {
            return Err(unreachable(remote, &first_lines(&said.stderr)));
        }
        let text = String::from_utf8_lossy(&said.stdout);
        let found = text.lines().filter_map(|line| line.split_once('\t')).find(|(_, name)| *name == full);
        let Some(found) = found.and_then(|(hex, _)| Oid::from_hex(hex)) else { return Ok(None) };
        let kept = kept_as(remote, full);
        let mut command = self.command(Sync::All);
        command.args([
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            "--no-auto-gc",
        ]);
        let said = output(command.args(["--end-of-options", remote, &format!("+{full}:{kept}")]))?;
        if !said.status.success() {
            return Err(unreachable(remote, &first_lines(&said.stderr)));
        }
        // It may have moved between the two; what was fetched counts.
        Ok(self.reference(&kept)?.or(Some(found)))
    }

    /// Moves a branch of a remote from where it was fetched to a commit that has all of that, if it is still there.
    pub fn push(&self, remote: &str, full: &str, expected: Option<Oid>, new: Oid) -> Result<Pushed, GitError> {
        let lease = expected.map_or(String::new(), |oid| oid.to_hex());
        let mut command = self.moving();
        command.args(["push", "--porcelain", "--no-verify", &format!("--force-with-lease={full}:{lease}")]);
        let said = output(command.args(["--end-of-options", remote, &format!("{new}:{full}")]))?;
        if said.status.success() {
            return Ok(Pushed::Yes);
        }
        let text = String::from_utf8_lossy(&said.stdout);
        let line = text.lines().find(|line| line.starts_with('!')).unwrap_or_default().to_owned();
        if line.contains("(stale info)") || line.contains("(fetch first)") || line.contains("(non-fast-forward)") {
            return Ok(Pushed::Elsewhere);
        }
        if line.is_empty() {
            return Err(unreachable(remote, &first_lines(&said.stderr)));
        }
        // A remote that was moved in the very moment of the push says so in its own words.
        let now = self.fetch(remote, full)?;
        if now == Some(new) {
            return Ok(Pushed::Yes);
        }
        let why = format!("{} {}", line.trim_start_matches('!').trim(), first_lines(&said.stderr));
        Ok(if now == expected { Pushed::Refused(why) } else { Pushed::Elsewhere })
    }

    fn must_know(&self, remote: &str) -> Result<(), GitError> {
        let said = self.ask(&["remote"])?;
        if !said.status.success() {
            return Err(failed("list remotes", &said));
        }
        let text = String::from_utf8_lossy(&said.stdout);
        if text.lines().any(|name| name == remote) {
            return Ok(());
        }
        let known: Vec<&str> = text.lines().collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let detail = format!("there is no remote {remote:?}; known are: {known}");
        Err(GitError::new(GitErrorKind::UnknownRemote, detail))
    }
}

fn kept_as(remote: &str, full: &str) -> String {
    format!("refs/baton/remotes/{remote}/{}", full.strip_prefix("refs/heads/").unwrap_or(full))
}

fn unreachable(remote: &str, said: &str) -> GitError {
    GitError::new(GitErrorKind::Unreachable, format!("the remote {remote} cannot be used: {said}"))
}
