//! Moving main: objects first, then the intention, then the ref by compare-and-swap, then the checkouts that are on it.

use crate::LandError;
use crate::fact::{Fact, Forgotten, Intended, Landed, MainAdopted, RemoteMain};
use crate::site::Site;
use baton_record::Oid;
use baton_world::git::{CheckoutMove, InTheWay, Moved, Pushed, Scratch};
use std::path::{Path, PathBuf};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Advance {
    /// Main is there.
    Done,
    /// Somebody else has moved main; it is here now, and stays.
    Adopted(Oid),
    /// A checkout of main cannot follow.
    Blocked(InTheWay),
}

/// Moves main as intended.
pub(crate) fn advance(site: &Site, scratch: &Scratch<'_>, intended: &Intended) -> Result<Advance, LandError> {
    let (from, to) = (intended.main_before, intended.main_after);
    let mut known = vec![from];
    known.extend(intended.changes.iter().map(|lands| lands.tip).filter(|tip| *tip != to));
    scratch.keep(to, &known)?;
    // As they are now: while gates ran, the person may have checked out something else.
    let intended = &Intended { checkouts: checkouts_on(site, &intended.onto)?, ..intended.clone() };
    let checkouts: Vec<PathBuf> = intended.checkouts.iter().map(PathBuf::from).collect();
    site.write(&[Fact::Intended(intended.clone())])?;
    let forget = |why: String, main: Oid| site.write(&[Fact::Forgotten(Forgotten { main_after: to, main, why })]);
    let mut held = Vec::new();
    for checkout in &checkouts {
        match hold(site, checkout, &intended.onto, (from, to))? {
            Ok(checkout) => held.extend(checkout),
            Err(way) => {
                forget(format!("{}: {}", way.checkout.display(), way.what), from)?;
                return Ok(Advance::Blocked(way));
            }
        }
    }
    if let Some(RemoteMain { name, main }) = &intended.remote {
        match site.repository().push(name, &intended.onto, *main, to)? {
            Pushed::Yes => {}
            Pushed::Elsewhere => {
                forget(format!("somebody else has moved it on {name}"), from)?;
                drop(held);
                return follow_remote(site, scratch, intended, from);
            }
            Pushed::Refused(why) => {
                forget(format!("{name} does not take it: {why}"), from)?;
                let cure = "where it is protected, land on another branch: --onto NAME --remote … --pr";
                return Err(LandError::Busy(format!("{name} does not take it: {why}"), cure.to_owned()));
            }
        }
    }
    let why = format!("baton land: {}", names(intended));
    match site.repository().move_ref(&intended.onto, Some(from), Some(to), &why)? {
        Moved::Yes => {}
        Moved::Elsewhere(Some(found)) if intended.remote.is_some() => {
            site.write(&[Fact::Landed(Landed { main_after: to, found: false })])?;
            let what =
                format!("it is on the remote, but {} here was moved to {found} in the same moment", intended.onto);
            return Err(LandError::Busy(what, format!("join the two: git merge {to}")));
        }
        Moved::Elsewhere(Some(found)) => {
            forget("somebody else has moved it".to_owned(), found)?;
            let (onto, expected) = (intended.onto.clone(), from);
            site.write(&[Fact::MainAdopted(MainAdopted { onto, expected, found })])?;
            return Ok(Advance::Adopted(found));
        }
        Moved::Elsewhere(None) => {
            let what = format!("{} has been deleted while it was landed on", intended.onto);
            return Err(LandError::Busy(what, format!("restore it: git branch NAME {from}")));
        }
    }
    for checkout in &held {
        checkout.go(from, to)?;
    }
    drop(held);
    follow_late(site, intended)?;
    site.write(&[Fact::Landed(Landed { main_after: to, found: false })])?;
    Ok(Advance::Done)
}

/// Takes the branch to where a remote has it, if it has nothing that the remote has not.
pub(crate) fn follow_remote(
    site: &Site,
    scratch: &Scratch<'_>,
    intended: &Intended,
    main: Oid,
) -> Result<Advance, LandError> {
    let name = intended.remote.as_ref().map_or("", |remote| remote.name.as_str());
    let Some(found) = site.repository().fetch(name, &intended.onto)? else {
        return Err(LandError::Busy(format!("{name} has no {} any more", intended.onto), "push it again".to_owned()));
    };
    if found == main || site.repository().is_ancestor(found, main)? {
        return Ok(Advance::Adopted(main));
    }
    if !site.repository().is_ancestor(main, found)? {
        let what = format!("{} here and on {name} have parted", intended.onto);
        return Err(LandError::Busy(what, format!("join them first: git merge {found}")));
    }
    let (onto, expected) = (intended.onto.clone(), main);
    site.write(&[Fact::MainAdopted(MainAdopted { onto, expected, found })])?;
    let tree = scratch.repository().commit(found)?.tree;
    let along =
        Intended { main_before: main, main_after: found, tree, changes: Vec::new(), remote: None, ..intended.clone() };
    match advance(site, scratch, &along)? {
        Advance::Done => Ok(Advance::Adopted(found)),
        other => Ok(other),
    }
}

/// Checkouts that are on a branch now.
fn checkouts_on(site: &Site, onto: &str) -> Result<Vec<String>, LandError> {
    let worktrees = site.repository().worktrees()?.into_iter();
    let on = worktrees.filter(|worktree| worktree.branch.as_deref() == Some(onto));
    Ok(on.filter_map(|worktree| worktree.path.to_str().map(str::to_owned)).collect())
}

/// A checkout that came to the branch in the very moment in which it moved follows too.
fn follow_late(site: &Site, intended: &Intended) -> Result<(), LandError> {
    let (from, to) = (intended.main_before, intended.main_after);
    for checkout in checkouts_on(site, &intended.onto)? {
        if intended.checkouts.contains(&checkout) {
            continue;
        }
        if let Ok(held) = CheckoutMove::begin(Path::new(&checkout))?
            && held.stands_at(from)?
            && held.could_go(from, to)?.is_ok()
        {
            held.go(from, to)?;
        }
    }
    Ok(())
}

/// What came of the wish to lock a checkout: `None`, it is on another branch by now.
type Held = Result<Option<CheckoutMove>, InTheWay>;

/// Locks a checkout that is clean and can follow.
fn hold(site: &Site, checkout: &Path, onto: &str, way: (Oid, Oid)) -> Result<Held, LandError> {
    let held = match CheckoutMove::begin(checkout)? {
        Ok(held) => held,
        Err(way) => return Ok(Err(way)),
    };
    if held.branch()?.as_deref() != Some(onto) {
        return Ok(Ok(None));
    }
    let paths = site.repository().uncommitted(checkout, 8)?;
    if !paths.is_empty() {
        let what = "tracked files were changed meanwhile".to_owned();
        return Ok(Err(InTheWay { checkout: checkout.to_owned(), what, paths }));
    }
    Ok(held.could_go(way.0, way.1)?.map(|()| Some(held)))
}

fn names(intended: &Intended) -> String {
    let names: Vec<&str> = intended.changes.iter().map(|lands| lands.name.as_str()).collect();
    if names.is_empty() { "follows the remote".to_owned() } else { names.join(", ") }
}
