//! What follows a session, where a person wishes it: texts for the owners of refused branches, landed branches deleted,
//! worktrees moved on; and what lies about that nobody has landed.

use crate::LandError;
use crate::fact::Intended;
use crate::moving::{Came, begin};
use crate::outcome::{LandOutcome, LandedChange, RefusedChange};
use crate::site::Site;
use baton_record::Oid;
use baton_world::git::{Moved, Worktree};
use serde::Serialize;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

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
    /// Worktrees with changes to tracked files that nobody has committed: they are no part of what landed.
    pub uncommitted: Vec<PathBuf>,
    /// What could not be done, with the reason.
    pub undone: Vec<String>,
}

/// Does what is wished for, as far as it can be done without losing anything.
pub fn follow(site: &Site, outcome: &LandOutcome, wishes: Afterwards) -> Result<Followed, LandError> {
    let mut followed = Followed::default();
    let worktrees = site.repository().worktrees()?;
    for refused in outcome.refused.iter().filter(|_| wishes.hand_back) {
        match hand_back(site, refused, &worktrees) {
            Ok(path) => followed.handed_back.push(path),
            Err(error) => followed.undone.push(error.what()),
        }
    }
    let main = format!("refs/heads/{}", outcome.onto);
    for worktree in worktrees.iter().filter(|worktree| worktree.branch.as_ref() != Some(&main)) {
        let clean = site.repository().uncommitted(&worktree.path, 1)?.is_empty();
        if !clean {
            followed.uncommitted.push(worktree.path.clone());
        }
        let landed = outcome.landed.iter().find(|landed| is_of(worktree, landed));
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
        Came::Done => followed.refreshed.push(worktree.path.clone()),
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

/// Writes the text to where the branch's agent looks: its worktree, or else the state directory.
fn hand_back(site: &Site, refused: &RefusedChange, worktrees: &[Worktree]) -> Result<PathBuf, LandError> {
    let full = format!("refs/heads/{}", refused.name);
    let worktree = worktrees.iter().find(|worktree| worktree.branch.as_ref() == Some(&full));
    let (directory, file) = match worktree {
        Some(worktree) => {
            exclude(site.repository().common_directory())?;
            (worktree.path.join(".baton"), "refused.md".to_owned())
        }
        None => (site.refused_directory(), format!("{}.md", refused.name.replace('/', "%2F"))),
    };
    if fs::symlink_metadata(&directory).is_ok_and(|found| !found.is_dir()) {
        return Err(LandError::Disk(format!("{} is no directory; nothing is written there", directory.display())));
    }
    fs::create_dir_all(&directory).map_err(|error| LandError::disk("create", &directory, &error))?;
    let (path, beside) = (directory.join(&file), directory.join(format!("{file}.tmp")));
    let written = fs::write(&beside, &refused.hand_back).and_then(|()| fs::rename(&beside, &path));
    written.map_err(|error| LandError::disk("write", &path, &error))?;
    Ok(path)
}

/// Nobody commits such a text by mistake.
fn exclude(common: &Path) -> Result<(), LandError> {
    const LINE: &str = "/.baton/";
    let (directory, path) = (common.join("info"), common.join("info/exclude"));
    let text = fs::read_to_string(&path).unwrap_or_default();
    if text.lines().any(|line| line == LINE) {
        return Ok(());
    }
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    fs::create_dir_all(&directory).map_err(|error| LandError::disk("create", &directory, &error))?;
    let mut file = fs::OpenOptions::new().create(true).append(true).open(&path);
    let written = file.as_mut().map_err(|error| LandError::disk("open", &path, error))?;
    written.write_all(format!("{gap}{LINE}\n").as_bytes()).map_err(|error| LandError::disk("write", &path, &error))
}
