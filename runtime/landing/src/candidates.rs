//! Which branches are to land: those that a person names, or all that main does not have yet.

use crate::LandError;
use crate::fact::ChangeName;
use baton_record::Oid;
use baton_world::git::{Branch, PersonRepository, Worktree};
use std::path::PathBuf;

/// A branch that is to land.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name, or the name under which the person gave it.
    pub name: String,
    /// Its commit, as it was when it was looked at: what comes later is another change.
    pub tip: Oid,
    /// Where it is checked out.
    pub checkout: Option<PathBuf>,
    /// Whether it is a local branch.
    pub is_branch: bool,
}

impl Candidate {
    pub(crate) fn change(&self) -> ChangeName {
        ChangeName { name: self.name.clone(), tip: self.tip }
    }

    /// Names of candidates.
    pub(crate) fn names(candidates: &[Candidate]) -> Vec<String> {
        candidates.iter().map(|candidate| candidate.name.clone()).collect()
    }
}

/// The full name of the branch that is to be moved: the one that is named, else `main`, else `master`.
pub fn onto(repository: &PersonRepository, wanted: Option<&str>) -> Result<String, LandError> {
    let names: &[&str] = wanted.as_ref().map_or(&["main", "master"], std::slice::from_ref);
    for name in names {
        if let Some(full) = repository.branch_ref(name)? {
            return Ok(full);
        }
    }
    let branches: Vec<String> = repository.branches()?.into_iter().map(|branch| branch.name).collect();
    let what = format!("there is no local branch {}", names.join(" or "));
    let cure = if branches.is_empty() {
        "make a first commit".to_owned()
    } else {
        format!("name one with --onto: {}", first_few(&branches))
    };
    Err(LandError::wish(what, cure))
}

/// The candidates of these names. Fails for a name that leads to no commit.
pub fn named(repository: &PersonRepository, names: &[String], onto: &str) -> Result<Vec<Candidate>, LandError> {
    let worktrees = repository.worktrees()?;
    let mut candidates: Vec<Candidate> = Vec::new();
    for name in names {
        let branch = repository.branch_ref(name)?;
        if branch.as_deref() == Some(onto) {
            return Err(LandError::wish(format!("{name} is the branch that is landed on"), "leave it out"));
        }
        let Some(tip) = repository.commit_of(branch.as_deref().unwrap_or(name))? else {
            let known: Vec<String> = repository.branches()?.into_iter().map(|branch| branch.name).collect();
            return Err(LandError::wish(format!("there is no branch {name:?}"), close_to(name, &known)));
        };
        let short = branch.as_deref().and_then(|full| full.strip_prefix("refs/heads/")).unwrap_or(name).to_owned();
        if candidates.iter().all(|candidate| candidate.name != short) {
            let checkout = worktrees.iter().find(|worktree| worktree.branch == branch && branch.is_some());
            let checkout = checkout.map(|worktree| worktree.path.clone());
            candidates.push(Candidate { name: short, tip, checkout, is_branch: branch.is_some() });
        }
    }
    Ok(candidates)
}

/// All local branches, and all worktrees without a branch, that have something which `main` has not; the oldest first.
pub fn all(repository: &PersonRepository, onto: &str, main: Oid) -> Result<Vec<Candidate>, LandError> {
    let worktrees = repository.worktrees()?;
    let ahead = repository.branches_ahead_of(main)?;
    let mut found: Vec<(i64, Candidate)> = Vec::new();
    for Branch { name, tip, time_s } in ahead {
        let full = format!("refs/heads/{name}");
        if full == onto {
            continue;
        }
        let checkout = worktrees.iter().find(|worktree| worktree.branch.as_ref() == Some(&full));
        let checkout = checkout.map(|worktree| worktree.path.clone());
        found.push((time_s, Candidate { name, tip, checkout, is_branch: true }));
    }
    for Worktree { path, head, branch } in worktrees {
        let Some(tip) = head.filter(|_| branch.is_none()) else { continue };
        let known = found.iter().any(|(_, candidate)| candidate.tip == tip);
        if !known && !repository.is_ancestor(tip, main)? {
            let name = path.file_name().map_or_else(|| tip.to_hex(), |name| name.to_string_lossy().into_owned());
            found.push((i64::MAX, Candidate { name, tip, checkout: Some(path), is_branch: false }));
        }
    }
    found.sort_by(|(a_time, a), (b_time, b)| (a_time, &a.name).cmp(&(b_time, &b.name)));
    Ok(found.into_iter().map(|(_, candidate)| candidate).collect())
}

fn first_few(names: &[String]) -> String {
    const FEW: usize = 6;
    let more = if names.len() > FEW { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(FEW)].join(", "))
}

/// The names that somebody may have meant.
fn close_to(name: &str, known: &[String]) -> String {
    let close = known.iter().max_by_key(|other| (strsim::jaro_winkler(name, other) * 1000.0) as u32);
    match close.filter(|other| strsim::jaro_winkler(name, other) > 0.8) {
        Some(other) => format!("did you mean {other:?}?"),
        None if known.is_empty() => "make a branch first".to_owned(),
        None => format!("the branches are: {}", first_few(known)),
    }
}
