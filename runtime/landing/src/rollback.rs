//! Taking back what a commit of main brought: an inverse change, through the same gates, landed like any other.
//!
//! The inverse is a merge with the commit as base, main as our side and the commit's first parent as theirs: what main has
//! done since stays. Later changes that touch the same files are named first.

use crate::LandError;
use crate::candidates;
use crate::fact::{Intended, Lands, intentions, undone_by};
use crate::gates::{Gate, GateKeeper, Probe, RedGate, Verdict};
use crate::moving::{Came, advance, blocked};
use crate::opening::{checkouts_of, standing};
use crate::outcome::PathConflict;
use crate::recovery::{self, Recovered};
use crate::site::Site;
use baton_record::Oid;
use baton_world::gate::Stop;
use baton_world::git::{Joined, PersonRepository, Scratch};
use serde::Serialize;
use std::collections::BTreeSet;

/// What is to be taken back, and how.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// A branch that has landed, or any name of a commit in main's history.
    pub change: String,
    /// The branch that it landed on; `None`: `main`, else `master`.
    pub onto: Option<String>,
    /// Gates; empty: the person has said that there is none.
    pub gates: Vec<Gate>,
    /// Whether everything is done but the moving of main.
    pub dry_run: bool,
}

/// What came of `rollback`.
#[derive(Clone, Debug, Serialize)]
pub struct RollbackOutcome {
    /// Version of this object.
    pub format: u32,
    /// How it ended.
    pub ended: RollbackEnd,
    /// The branch.
    pub onto: String,
    /// The change, as a person names it.
    pub change: String,
    /// The commit that is taken back.
    pub commit: Oid,
    /// Where main was.
    pub main_before: Oid,
    /// Where it is.
    pub main_after: Oid,
    /// Files that the inverse changes.
    pub files: Vec<String>,
    /// Later changes of the same files, oldest first.
    pub dependents: Vec<Dependent>,
    /// Where later changes stand on what would be removed.
    pub conflicts: Vec<PathConflict>,
    /// The gate that refused main without the change.
    pub gate: Option<RedGate>,
    /// How often a gate was run.
    pub gate_runs: u32,
    /// What a killed session had left.
    pub recovered: Option<Recovered>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RollbackEnd {
    /// Main is without the change.
    RolledBack,
    /// It would be.
    WouldRollBack,
    /// Main has nothing of it any more.
    Nothing,
    /// Later changes stand on it.
    Conflict,
    /// A gate is red without it.
    GateRed,
    /// Somebody else has moved main meanwhile; nothing was done.
    Contended,
    /// A person wished to stop.
    Stopped,
}

/// A later change of the same files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dependent {
    /// The branch, or the commit's own words.
    #[serde(rename = "ref")]
    pub name: String,
    /// Its commit.
    pub commit: Oid,
    /// The files of both.
    pub files: Vec<String>,
}

/// Takes a change back.
pub fn rollback(site: &Site, wishes: &Wishes, stop: &Stop) -> Result<RollbackOutcome, LandError> {
    let recovered = recovery::recover(site)?;
    let onto = candidates::onto(site.repository(), wishes.onto.as_deref())?;
    let main = standing(site, &onto)?;
    let (name, commit) = find(site, &wishes.change, main)?;
    let parent = first_parent(site.repository(), commit, &wishes.change)?;
    let checkouts = checkouts_of(site, &onto)?;
    let files = site.repository().changed_paths(parent, commit)?;
    let mut outcome = RollbackOutcome {
        format: 1,
        ended: RollbackEnd::Nothing,
        onto: onto.strip_prefix("refs/heads/").unwrap_or(&onto).to_owned(),
        change: name,
        commit,
        main_before: main,
        main_after: main,
        dependents: dependents(site, commit, main, &files)?,
        files,
        conflicts: Vec::new(),
        gate: None,
        gate_runs: 0,
        recovered,
    };
    if is_done(site, (commit, main), &mut outcome)? {
        return Ok(outcome);
    }
    let scratch = Scratch::make(site.repository(), &site.scratch_directory())?;
    let tree = match scratch.merge_on(commit, main, parent)? {
        Joined::Clean { tree, .. } => tree,
        Joined::Unrelated => unreachable!("the base is given"),
        Joined::Conflicts(conflicts) => {
            let theirs = format!("without {}", outcome.change);
            let of = |conflict| PathConflict::of(conflict, &outcome.onto, &theirs);
            outcome.conflicts = conflicts.iter().map(of).collect();
            outcome.ended = RollbackEnd::Conflict;
            return Ok(outcome);
        }
    };
    if tree == scratch.repository().commit(main)?.tree {
        return Ok(outcome);
    }
    let subject = format!("Roll back '{}'", outcome.change);
    let inverse = scratch.commit(tree, &[main], &message(&subject, commit), None)?;
    if !pass(site, &scratch, (inverse, tree), (wishes, stop), &mut outcome)? {
        return Ok(outcome);
    }
    if wishes.dry_run {
        outcome.ended = RollbackEnd::WouldRollBack;
        return Ok(outcome);
    }
    let intended = Intended {
        onto,
        main_before: main,
        main_after: inverse,
        tree,
        gated: !wishes.gates.is_empty(),
        changes: vec![Lands { name: subject, tip: inverse, commit: inverse, tree }],
        checkouts,
        remote: None,
        rolls_back: Some(commit),
    };
    outcome.ended = match advance(site, &scratch, &intended)? {
        Came::Done => {
            outcome.main_after = inverse;
            RollbackEnd::RolledBack
        }
        Came::Adopted(_) => RollbackEnd::Contended,
        Came::Blocked(way) => return Err(blocked(&way)),
    };
    Ok(outcome)
}

/// Whether the commit is rolled back already, and its files are as they were then.
fn is_done(site: &Site, (commit, main): (Oid, Oid), outcome: &mut RollbackOutcome) -> Result<bool, LandError> {
    let Some(by) = undone_by(&site.history(), commit) else { return Ok(false) };
    if !site.repository().is_ancestor(by, main)? {
        return Ok(false);
    }
    // A killed session may have done it just now, and nobody was told.
    if outcome.recovered.as_ref().is_some_and(|left| left.landed && left.main_after == by) {
        (outcome.ended, outcome.main_after) = (RollbackEnd::RolledBack, by);
        return Ok(true);
    }
    let since = site.repository().changed_paths(by, main)?;
    Ok(!since.iter().any(|path| outcome.files.contains(path)))
}

fn message(subject: &str, commit: Oid) -> String {
    format!("{subject}\n\nThis takes back what commit {commit} brought.\n\nBaton-Rolls-Back: {commit}\n")
}

/// Whether the gates pass main without the change.
fn pass(
    site: &Site,
    scratch: &Scratch<'_>,
    (commit, tree): (Oid, Oid),
    (wishes, stop): (&Wishes, &Stop),
    outcome: &mut RollbackOutcome,
) -> Result<bool, LandError> {
    let keeper = GateKeeper::new(site, &wishes.gates, 1, stop.clone())?;
    site.doing(&format!("runs gates on main without {}", outcome.change));
    let probe = Probe { commit, tree, changes: vec![format!("without {}", outcome.change)] };
    for answer in keeper.probe_all(scratch, &[probe]) {
        let (verdict, facts) = answer?;
        outcome.gate_runs += facts.len() as u32;
        site.write(&facts)?;
        match verdict {
            Verdict::Passed => {}
            Verdict::Stopped => outcome.ended = RollbackEnd::Stopped,
            Verdict::Red(red) => {
                outcome.gate = Some(red);
                outcome.ended = RollbackEnd::GateRed;
            }
        }
    }
    Ok(outcome.ended == RollbackEnd::Nothing)
}

/// The commit that brought a change: that of its last landing if it is the name of a branch, else the commit of that name.
fn find(site: &Site, change: &str, main: Oid) -> Result<(String, Oid), LandError> {
    let history = site.history();
    let mut landed = intentions(&history).into_iter().rev().flat_map(|intended| intended.changes.iter().rev());
    let landed = landed.find(|lands| lands.name == change || lands.tip.to_hex() == change);
    let repository = site.repository();
    if let Some(lands) = landed
        && repository.commit_of(&lands.commit.to_hex())?.is_some()
        && repository.is_ancestor(lands.commit, main)?
    {
        return Ok((lands.name.clone(), lands.commit));
    }
    let Some(commit) = repository.commit_of(change)? else {
        let cure = "give a branch that has landed, or a commit: `baton queue` lists what landed";
        return Err(LandError::wish(format!("nothing that landed is called {change:?}"), cure));
    };
    if !repository.is_ancestor(commit, main)? {
        let cure = "give a commit of main's history: `git log --first-parent` lists its steps";
        return Err(LandError::wish(format!("{change} is not on main"), cure));
    }
    Ok((repository.said_by(commit)?, commit))
}

fn first_parent(repository: &PersonRepository, commit: Oid, change: &str) -> Result<Oid, LandError> {
    let parent = repository.commit_of(&format!("{commit}^1"))?;
    let what = format!("{change} is the first commit: there is nothing to go back to");
    parent.ok_or_else(|| LandError::wish(what, "name a later one"))
}

/// What landed or was committed after it and touches files of it, oldest first.
fn dependents(site: &Site, commit: Oid, main: Oid, files: &[String]) -> Result<Vec<Dependent>, LandError> {
    let repository = site.repository();
    let files: BTreeSet<&str> = files.iter().map(String::as_str).collect();
    let mut dependents = Vec::new();
    for later in repository.later_than(commit, main)? {
        let changed = repository.changed_paths(later.parent, later.commit)?;
        let both: Vec<String> = changed.into_iter().filter(|path| files.contains(path.as_str())).collect();
        if !both.is_empty() {
            dependents.push(Dependent { name: later.name, commit: later.commit, files: both });
        }
    }
    dependents.reverse();
    Ok(dependents)
}
