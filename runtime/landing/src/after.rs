//! What follows a session, where a person wishes it: texts for the owners of refused branches, landed branches deleted,
//! worktrees moved on; and what lies about that nobody has landed.

mod letters;

use crate::LandError;
use crate::fact::Intended;
use crate::moving::{Came, begin};
use crate::outcome::{LandOutcome, LandedChange};
use crate::site::Site;
use baton_record::Oid;
use baton_world::git::{Moved, Worktree};
use serde::Serialize;
use std::path::PathBuf;

/// What a person wishes to follow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Afterwards {
    /// Texts go to the worktrees of refused branches.
    pub hand_back: bool,
    /// Landed branches go, unless they are checked out or have gone on.
    pub delete_landed: bool,
    /// Clean worktrees of landed branches follow main.
    pub refresh: bool,
}

/// What followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Followed {
    /// Files that were written for owners of refused branches.
    pub handed_back: Vec<PathBuf>,
    /// Branches that are gone.
    pub deleted: Vec<String>,
    /// Worktrees that are at main now.
    pub refreshed: Vec<PathBuf>,
    /// Worktrees of landed branches that main has left behind.
    pub lagging: Vec<PathBuf>,
    /// Worktrees with changes to tracked files that nobody has committed, or, of landed branches, with new files: they are no part
    /// of what landed.
    pub uncommitted: Vec<PathBuf>,
    /// These new files.
    pub untracked: Vec<Untracked>,
    /// Submodules that did not follow, as git's own do not.
    pub stale_submodules: Vec<StaleSubmodule>,
    /// What could not be done, with the reason.
    pub undone: Vec<String>,
}

/// New files in the worktree of a landed branch that nobody has committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Untracked {
    /// The worktree.
    pub worktree: PathBuf,
    /// Some of them.
    pub paths: Vec<String>,
}

/// A submodule that is checked out at the commit from before what landed: the next `git commit -a` there would take that back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StaleSubmodule {
    /// The checkout that has followed.
    pub checkout: PathBuf,
    /// Where in it the submodule is.
    pub path: String,
    /// The command that helps, to be given in that checkout.
    pub cure: String,
}

/// Does what is wished for, as far as it can be done without losing anything.
pub fn follow(site: &Site, outcome: &LandOutcome, wishes: Afterwards) -> Result<Followed, LandError> {
    let mut followed = Followed::default();
    let worktrees = site.repository().worktrees()?;
    for refused in outcome.refused.iter().filter(|_| wishes.hand_back) {
        match letters::hand_back(site, refused, &worktrees) {
            Ok(path) => followed.handed_back.push(path),
            Err(error) => followed.undone.push(error.what()),
        }
    }
    letters::take_back(site, outcome, &worktrees, &mut followed);
    let main = format!("refs/heads/{}", outcome.onto);
    for worktree in &worktrees {
        if worktree.branch.as_ref() == Some(&main) {
            followed.note_submodules(site, worktree, (outcome.main_before, outcome.main_after))?;
            continue;
        }
        let clean = site.repository().uncommitted(&worktree.path, 1)?.is_empty();
        let landed = outcome.landed.iter().find(|landed| is_of(worktree, landed));
        let has_new = landed.is_some() && followed.note_untracked(site, worktree)?;
        if !clean || has_new {
            followed.uncommitted.push(worktree.path.clone());
        }
        match landed {
            Some(landed) if clean && wishes.refresh => {
                refresh(site, (worktree, landed), outcome.main_after, &mut followed)?
            }
            Some(_) => followed.lagging.push(worktree.path.clone()),
            None => {}
        }
    }
    for landed in outcome.landed.iter().filter(|_| wishes.delete_landed) {
        delete(site, landed, &worktrees, &mut followed)?;
    }
    Ok(followed)
}

impl Followed {
    /// Names new files of a landed branch's worktree; whether there are any.
    fn note_untracked(&mut self, site: &Site, worktree: &Worktree) -> Result<bool, LandError> {
        const NAMED_MAX: usize = 8;
        let paths = site.repository().untracked(&worktree.path, NAMED_MAX)?;
        let any = !paths.is_empty();
        if any {
            self.untracked.push(Untracked { worktree: worktree.path.clone(), paths });
        }
        Ok(any)
    }

    /// Names submodules of a checkout that has followed, and whose own checkouts have not.
    fn note_submodules(&mut self, site: &Site, followed: &Worktree, (from, to): (Oid, Oid)) -> Result<(), LandError> {
        if from == to {
            return Ok(());
        }
        let elsewhere = site.repository().submodules_elsewhere(&followed.path)?;
        let changed = if elsewhere.is_empty() { Vec::new() } else { site.repository().changed_paths(from, to)? };
        for path in elsewhere.into_iter().filter(|path| changed.contains(path)) {
            let cure = format!("git submodule update {}", quoted(&path));
            self.stale_submodules.push(StaleSubmodule { checkout: followed.path.clone(), path, cure });
        }
        Ok(())
    }
}

/// For a shell.
fn quoted(path: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "/._-".contains(char);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

fn is_of(worktree: &Worktree, landed: &LandedChange) -> bool {
    let branch = worktree.branch.as_deref().and_then(|full| full.strip_prefix("refs/heads/"));
    branch == Some(&landed.name) && worktree.head == Some(landed.tip)
}

/// Moves a branch and its clean checkout on to main, which has everything of it.
fn refresh(
    site: &Site,
    (worktree, landed): (&Worktree, &LandedChange),
    main: Oid,
    followed: &mut Followed,
) -> Result<(), LandError> {
    let intended = Intended {
        onto: format!("refs/heads/{}", landed.name),
        main_before: landed.tip,
        main_after: main,
        tree: site.repository().tree_of(main)?,
        gated: landed.gate == "passed",
        changes: Vec::new(),
        checkouts: Vec::new(),
        remote: None,
        rolls_back: None,
    };
    match begin(site, None, &intended, Vec::new())? {
        Came::Done => {
            followed.refreshed.push(worktree.path.clone());
            followed.note_submodules(site, worktree, (landed.tip, main))?;
        }
        Came::Adopted(_) => followed.undone.push(format!("{} has gone on since it was landed; it stays", landed.name)),
        Came::Blocked(way) => {
            followed.lagging.push(worktree.path.clone());
            followed.undone.push(format!("{}: {}", way.checkout.display(), way.what));
        }
    }
    Ok(())
}

fn delete(
    site: &Site,
    landed: &LandedChange,
    worktrees: &[Worktree],
    followed: &mut Followed,
) -> Result<(), LandError> {
    let full = format!("refs/heads/{}", landed.name);
    let Some(found) = site.repository().reference(&full)? else { return Ok(()) };
    if let Some(worktree) = worktrees.iter().find(|worktree| worktree.branch.as_ref() == Some(&full)) {
        followed.undone.push(format!("{} is checked out in {}; it stays", landed.name, worktree.path.display()));
    } else if found != landed.tip {
        followed.undone.push(format!("{} has gone on since it was landed; it stays", landed.name));
    } else if site.repository().move_ref(&full, Some(landed.tip), None, "baton land: landed")? == Moved::Yes {
        followed.deleted.push(landed.name.clone());
    }
    Ok(())
}
