//! Everything that the log of a repository can say.

use baton_record::Oid;
use serde::{Deserialize, Serialize};

/// One past fact. On the wire: `"kind":"…","data":{…}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", deny_unknown_fields)]
pub enum Fact {
    /// Somebody began to land.
    Began(Began),
    /// Main is not where the last landing left it: somebody else's commits are on it, and they stay.
    MainAdopted(MainAdopted),
    /// A gate has spoken about a tree.
    GateRan(GateRan),
    /// Main is about to move. Durable before it does.
    Intended(Intended),
    /// Main has moved.
    Landed(Landed),
    /// It has not, and never will for this intention.
    Forgotten(Forgotten),
    /// A change will not land as it is.
    Refused(Refused),
    /// Somebody ended to land.
    Ended(Ended),
}

/// Intentions that were not forgotten, in their order.
pub(crate) fn intentions(history: &[Fact]) -> Vec<&Intended> {
    let mut kept = Vec::new();
    for fact in history {
        match fact {
            Fact::Intended(intended) => kept.push(intended),
            Fact::Forgotten(_) => drop(kept.pop()),
            _ => {}
        }
    }
    kept
}

/// The rollback of a commit that nobody has rolled back in turn.
pub(crate) fn undone_by(history: &[Fact], commit: Oid) -> Option<Oid> {
    let by = intentions(history).into_iter().rev().find(|intended| intended.rolls_back == Some(commit))?.main_after;
    if undone_by(history, by).is_some() { None } else { Some(by) }
}

/// See [`Fact::Began`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Began {
    /// Who lands: name and mail of their git configuration.
    pub by: String,
    /// Full name of the branch that is moved.
    pub onto: String,
    /// Where it is.
    pub main: Oid,
    /// The gates' command lines; empty: there is none, and the person has said so.
    pub gates: Vec<String>,
    /// The changes, in the order in which they are tried.
    pub changes: Vec<ChangeName>,
}

/// A branch as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeName {
    /// Its name.
    #[serde(rename = "ref")]
    pub name: String,
    /// Its commit.
    pub tip: Oid,
}

/// See [`Fact::MainAdopted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MainAdopted {
    /// Full name of the branch.
    pub onto: String,
    /// Where it was left.
    pub expected: Oid,
    /// Where it is.
    pub found: Oid,
}

/// See [`Fact::GateRan`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateRan {
    /// Its command line.
    pub gate: String,
    /// The commit that it ran on.
    pub commit: Oid,
    /// Its tree.
    pub tree: Oid,
    /// Names of the changes in it that are not on main yet.
    pub changes: Vec<String>,
    /// Whether it passed.
    pub passed: bool,
    /// How it ended, in words.
    pub end: String,
    /// Which try it was, from 1: a gate may be tried again where its file says so.
    pub attempt: u32,
    /// Milliseconds.
    pub took_ms: u64,
    /// Digest of what it said.
    pub output: String,
}

/// See [`Fact::Intended`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intended {
    /// Full name of the branch.
    pub onto: String,
    /// Where it is.
    pub main_before: Oid,
    /// Where it will be.
    pub main_after: Oid,
    /// The tree of that: the one which has passed.
    pub tree: Oid,
    /// Whether any gate has: otherwise the person has said that none is wanted.
    pub gated: bool,
    /// What lands, in this order.
    pub changes: Vec<Lands>,
    /// Checkouts that follow.
    pub checkouts: Vec<String>,
    /// The remote whose branch of the same name moves first, and where that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<RemoteMain>,
    /// The commit that this takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolls_back: Option<Oid>,
}

/// The branch as a remote has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteMain {
    /// Name of the remote.
    pub name: String,
    /// Where its branch is; `None`: it has none.
    pub main: Option<Oid>,
}

/// One change of a landing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lands {
    /// The branch.
    #[serde(rename = "ref")]
    pub name: String,
    /// Its commit.
    pub tip: Oid,
    /// The commit that brings it.
    pub commit: Oid,
    /// The tree of that commit.
    pub tree: Oid,
}

/// See [`Fact::Landed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Landed {
    /// Where main is now.
    pub main_after: Oid,
    /// Whether a later start found it so.
    pub found: bool,
}

/// See [`Fact::Forgotten`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forgotten {
    /// Where main was to go.
    pub main_after: Oid,
    /// Where it is.
    pub main: Oid,
    /// Why it was forgotten.
    pub why: String,
}

/// See [`Fact::Refused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The branch.
    #[serde(rename = "ref")]
    pub name: String,
    /// Its commit.
    pub tip: Oid,
    /// Why, in one word.
    pub reason: String,
    /// Why, in one sentence.
    pub detail: String,
    /// Whom it does not go together with.
    pub with: Vec<String>,
}

/// See [`Fact::Ended`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// Changes that landed.
    pub landed: u32,
    /// Changes that were refused.
    pub refused: u32,
    /// How often a gate was run.
    pub gate_runs: u32,
    /// Milliseconds.
    pub took_ms: u64,
}
