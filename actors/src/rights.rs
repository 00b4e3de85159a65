//! What binds a role, and what its policy says of an action on a tree.
//!
//! Owns the ground that paths are judged on: the tree that a change is made from, with the links in it, at a place that has
//! no name on any machine. Nobody knows where a tree will be checked out, so an action is judged as on a disk that tells
//! case apart and as on one that does not, and the worse of the two verdicts counts. What is done about a verdict is
//! decided elsewhere.

use baton_policies::{Action, Decision, List, Paths, Policy, Reason, Verdict};
use baton_record::Oid;
use baton_record::event::ActionDenied;
use baton_world::git::{EntryMode, GitError, Repository, Tree};
use std::cell::RefCell;
use std::sync::Arc;

/// Where every workspace lies, as far as policies are concerned.
const ROOT: &str = "/workspace";
/// Why an action is denied that waits for a person, where no person can be asked or none has said yes.
pub(crate) const NOT_APPROVED: &str = "not-approved";
/// Characters of an action that are written down.
const PART_MAX: usize = 200;

/// What binds a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The role; that of the merger is called `merger`.
    pub role: String,
    /// The skill's own name.
    pub skill: String,
    /// SHA-256 of its file, hex.
    pub digest: String,
    /// What it may do.
    pub policy: Policy,
    /// Whom it may hand work to.
    pub handoff_to: Vec<String>,
}

/// A tree, as paths in it are resolved.
pub(crate) struct TreeGround<'a> {
    repository: &'a Repository,
    tree: Oid,
    folds: bool,
    /// The repository could not be read: nothing that was said meanwhile counts.
    trouble: RefCell<Option<GitError>>,
}

impl<'a> TreeGround<'a> {
    pub(crate) fn new(repository: &'a Repository, tree: Oid, folds: bool) -> TreeGround<'a> {
        TreeGround { repository, tree, folds, trouble: RefCell::new(None) }
    }

    /// An error if the repository could not be read.
    pub(crate) fn end(self) -> Result<(), GitError> {
        self.trouble.into_inner().map_or(Ok(()), Err)
    }

    fn found(&self, path: &str) -> Result<Option<String>, GitError> {
        let mut names = path.split('/').peekable();
        let mut at = self.repository.tree(self.tree)?;
        while let Some(name) = names.next() {
            let Some(entry) = self.entry(&at, name) else { return Ok(None) };
            match (entry.mode, names.peek()) {
                (EntryMode::Tree, Some(_)) => at = self.repository.tree(entry.oid)?,
                (EntryMode::Symlink, None) => {
                    let target = self.repository.blob(entry.oid)?;
                    return Ok(Some(String::from_utf8_lossy(&target).into_owned()));
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The entry of this name; where case does not count, a link of a like name before anything else.
    fn entry(&self, tree: &Arc<Tree>, name: &str) -> Option<baton_world::git::Entry> {
        let exact = tree.get(name.as_bytes()).map(|entry| entry.entry());
        if exact.is_some() || !self.folds {
            return exact;
        }
        let like = |found: &[u8]| std::str::from_utf8(found).is_ok_and(|found| baton_policies::same_name(found, name));
        tree.entries().find(|entry| like(entry.name)).map(|entry| entry.entry())
    }
}

impl Paths for TreeGround<'_> {
    fn root(&self) -> &str {
        ROOT
    }

    fn link(&self, path: &str) -> Option<String> {
        self.found(path).unwrap_or_else(|error| {
            self.trouble.borrow_mut().get_or_insert(error);
            None
        })
    }

    fn ignores_case(&self) -> bool {
        self.folds
    }
}

/// The worse verdict of both kinds of disk. An error is the repository's.
pub(crate) fn judge(
    policy: &Policy,
    action: &Action<'_>,
    (repository, tree): (&Repository, Oid),
) -> Result<Verdict, GitError> {
    let mut worst: Option<Verdict> = None;
    for folds in [false, true] {
        let ground = TreeGround::new(repository, tree, folds);
        let verdict = policy.judge(action, &ground);
        ground.end()?;
        if worst.as_ref().is_none_or(|worst| weight(&verdict) > weight(worst)) {
            worst = Some(verdict);
        }
    }
    Ok(worst.expect("two verdicts were given"))
}

/// What counts more: a denial, and of two denials the one that a rule speaks of.
pub(crate) fn weight(verdict: &Verdict) -> (Decision, bool) {
    (verdict.decision, matches!(verdict.reason, Reason::Rule { .. }))
}

/// Where a path leads in a tree, if it leads anywhere in it.
pub(crate) fn leads(
    path: &str,
    (repository, tree): (&Repository, Oid),
) -> Result<Option<baton_policies::Lead>, GitError> {
    let ground = TreeGround::new(repository, tree, false);
    let lead = baton_policies::leads(path, &ground).ok();
    ground.end()?;
    Ok(lead)
}

/// The record of a verdict that lets nothing happen; `None`: it lets it happen.
pub(crate) fn denial(action: &Action<'_>, verdict: &Verdict) -> Option<ActionDenied> {
    if verdict.decision == Decision::Allowed {
        return None;
    }
    let (rule, reason) = match &verdict.reason {
        Reason::Rule { list: List::Approve, text, .. } => (Some(text.clone()), NOT_APPROVED),
        Reason::Rule { text, .. } => (Some(text.clone()), "deny"),
        Reason::NothingAllows => (None, "nothing-allows"),
        Reason::OutsideMayWrite => (None, "outside-may-write"),
        Reason::OutsideMayRead => (None, "outside-may-read"),
        Reason::Path(_) => (None, "path"),
        Reason::TooLarge => (None, "too-large"),
        Reason::Uncertain(_) => (None, "uncertain"),
        Reason::Empty => (None, "empty"),
    };
    let (tool, part, reason) = (tool_of(action), shortened(&verdict.part), reason.to_owned());
    Some(ActionDenied { tool, part, rule, reason, number: 0, fault: None })
}

/// The tool and the path, command or name of an action, as they are written down.
pub(crate) fn shown(action: &Action<'_>) -> (String, String) {
    let part = match action {
        Action::Read(of) | Action::Write(of) | Action::Edit(of) | Action::Delete(of) | Action::Bash(of) => of,
        Action::Land | Action::Push | Action::Mcp(_) => "",
    };
    (tool_of(action), shortened(part))
}

fn tool_of(action: &Action<'_>) -> String {
    let word = match action {
        Action::Read(_) => "Read",
        Action::Write(_) => "Write",
        Action::Edit(_) => "Edit",
        Action::Delete(_) => "Delete",
        Action::Bash(_) => "Bash",
        Action::Land => "Land",
        Action::Push => "Push",
        Action::Mcp(name) => name,
    };
    word.to_owned()
}

fn shortened(part: &str) -> String {
    match part.char_indices().nth(PART_MAX) {
        Some((at, _)) => format!("{}…", &part[..at]),
        None => part.to_owned(),
    }
}
