//! Where a session begins: the branch to land on, its checkouts, where a remote has it; all of it fit to be moved.

use crate::LandError;
use crate::candidates::{self, Candidate};
use crate::fact::{Fact, Intended, MainAdopted, RemoteMain};
use crate::land::{Which, Wishes};
use crate::moving::{Came, blocked, follow_remote};
use crate::site::Site;
use baton_record::Oid;
use baton_world::git::{Moved, Scratch};

/// What is known before anything is merged.
pub(crate) struct Opening {
    /// Full name of the branch.
    pub(crate) onto: String,
    /// Where it is.
    pub(crate) main: Oid,
    /// Checkouts that are on it.
    pub(crate) checkouts: Vec<String>,
    /// Where the remote has it, if one is asked.
    pub(crate) remote: Option<RemoteMain>,
    /// Commits on it that the remote has not.
    pub(crate) ahead: u32,
}

impl Opening {
    /// Looks, and takes the branch to where its remote is.
    pub(crate) fn of(site: &Site, scratch: &Scratch<'_>, wishes: &Wishes) -> Result<Opening, LandError> {
        if wishes.make_onto {
            make_onto(site, wishes)?;
        }
        let onto = candidates::onto(site.repository(), wishes.onto.as_deref())?;
        let checkouts = checkouts_of(site, &onto)?;
        let remote = remote_main(site, &onto, wishes.remote.as_deref())?;
        let main = match remote.as_ref().filter(|_| !wishes.dry_run) {
            Some(remote) => level(site, scratch, (&onto, remote), &checkouts)?,
            None => standing(site, &onto)?,
        };
        let ahead = match remote.as_ref().and_then(|remote| remote.main) {
            Some(there) => scratch.commits_between(there, main)?.len() as u32,
            None => 0,
        };
        Ok(Opening { onto, main, checkouts, remote, ahead })
    }

    /// The branches that are to land there.
    pub(crate) fn candidates(&self, site: &Site, wishes: &Wishes) -> Result<Vec<Candidate>, LandError> {
        match &wishes.which {
            Which::Named(names) => candidates::named(site.repository(), names, &self.onto),
            Which::All => candidates::all(site.repository(), &self.onto, self.main),
            Which::AllBut(known) => {
                let mut all = candidates::all(site.repository(), &self.onto, self.main)?;
                all.retain(|candidate| !known.contains(&candidate.tip));
                Ok(all)
            }
        }
    }
}

/// Makes the branch to land on, where main is, unless it is there.
fn make_onto(site: &Site, wishes: &Wishes) -> Result<(), LandError> {
    let (Some(wanted), repository) = (&wishes.onto, site.repository()) else { return Ok(()) };
    if repository.branch_ref(wanted)?.is_some() {
        return Ok(());
    }
    let main = repository.reference(&candidates::onto(repository, None)?)?;
    match repository.move_ref(&format!("refs/heads/{wanted}"), None, main, "baton land: made to land on")? {
        Moved::Yes => Ok(()),
        Moved::Elsewhere(_) => {
            Err(LandError::wish(format!("{wanted:?} cannot be made"), "name another branch with --onto"))
        }
    }
}

/// Where the branch is on the remote that a person has named.
fn remote_main(site: &Site, onto: &str, name: Option<&str>) -> Result<Option<RemoteMain>, LandError> {
    let Some(name) = name else { return Ok(None) };
    let main = site.repository().fetch(name, onto)?;
    Ok(Some(RemoteMain { name: name.to_owned(), main }))
}

/// Takes the branch to where the remote has it; where it is then.
fn level(
    site: &Site,
    scratch: &Scratch<'_>,
    (onto, remote): (&str, &RemoteMain),
    checkouts: &[String],
) -> Result<Oid, LandError> {
    let main = standing(site, onto)?;
    if remote.main.is_none() {
        return Ok(main);
    }
    let along = Intended {
        onto: onto.to_owned(),
        main_before: main,
        main_after: main,
        tree: scratch.repository().commit(main)?.tree,
        gated: false,
        changes: Vec::new(),
        checkouts: checkouts.to_vec(),
        remote: Some(remote.clone()),
        rolls_back: None,
    };
    match follow_remote(site, Some(scratch), &along, main)? {
        Came::Adopted(main) => Ok(main),
        Came::Blocked(way) => Err(blocked(&way)),
        Came::Done => unreachable!("following a remote ends where the remote is"),
    }
}

/// Where the branch is; what was done to it since the last landing is written down, and stays.
pub(crate) fn standing(site: &Site, onto: &str) -> Result<Oid, LandError> {
    let gone = || LandError::Busy(format!("{onto} is gone"), "name another with --onto".to_owned());
    let main = site.repository().reference(onto)?.ok_or_else(gone)?;
    let left = left_at(&site.history(), onto);
    if let Some(expected) = left.filter(|left| *left != main) {
        site.write(&[Fact::MainAdopted(MainAdopted { onto: onto.to_owned(), expected, found: main })])?;
    }
    if let Some(where_to) = site.repository().is_being_rebased(onto)? {
        let what = format!("{onto} is being rebased in {}", where_to.display());
        return Err(LandError::Busy(what, "end the rebase first".to_owned()));
    }
    Ok(main)
}

/// Where the branch was left by what is written down.
fn left_at(history: &[Fact], onto: &str) -> Option<Oid> {
    let (mut left, mut intended) = (None, None);
    for fact in history {
        match fact {
            Fact::Intended(begun) => intended = Some(begun),
            Fact::Landed(landed) if intended.is_some_and(|begun| begun.onto == onto) => left = Some(landed.main_after),
            Fact::Forgotten(forgotten) if intended.is_some_and(|begun| begun.onto == onto) => {
                left = Some(forgotten.main);
            }
            Fact::MainAdopted(adopted) if adopted.onto == onto => left = Some(adopted.found),
            Fact::Began(began) if began.onto == onto => left = Some(began.main),
            _ => {}
        }
    }
    left
}

/// The checkouts of the branch, all of them clean.
pub(crate) fn checkouts_of(site: &Site, onto: &str) -> Result<Vec<String>, LandError> {
    let mut checkouts = Vec::new();
    for worktree in site.repository().worktrees()? {
        if worktree.branch.as_deref() != Some(onto) {
            continue;
        }
        if let Some(way) = site.repository().in_the_way(&worktree)? {
            let paths = if way.paths.is_empty() { String::new() } else { format!(" ({})", way.paths.join(", ")) };
            let what = format!("{onto} is checked out in {}, and {}{paths}", way.checkout.display(), way.what);
            let cure = "commit or stash there first: that checkout has to follow main, or your next commit would revert what landed";
            return Err(LandError::Busy(what, cure.to_owned()));
        }
        let path = worktree.path.to_str().ok_or_else(|| {
            let what = format!("the path of the checkout {} is not UTF-8", worktree.path.display());
            LandError::Busy(what, "check out another branch there".to_owned())
        })?;
        checkouts.push(path.to_owned());
    }
    Ok(checkouts)
}
