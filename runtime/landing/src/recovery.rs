//! What a killed session left: its last intention is finished or forgotten, and it is said which.

use crate::LandError;
use crate::fact::{Fact, Forgotten, Intended, Landed};
use crate::site::Site;
use baton_record::Oid;
use baton_world::git::CheckoutMove;
use std::path::Path;

/// One intention of a session that was killed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Recovered {
    /// Full name of the branch.
    pub onto: String,
    /// Where it was to go.
    pub main_after: Oid,
    /// The changes that it was about.
    pub refs: Vec<String>,
    /// Whether it had gone there.
    pub landed: bool,
    /// The commit that came right after it and took all of it back: as one does that is made in a checkout which has not followed.
    pub taken_back_by: Option<Oid>,
}

/// Finishes or forgets the last intention, if nobody knows what came of it.
pub(crate) fn recover(site: &Site) -> Result<Option<Recovered>, LandError> {
    let Some(intended) = open_intention(site) else { return Ok(None) };
    let (from, to) = (intended.main_before, intended.main_after);
    finish_pushed(site, &intended)?;
    let main = site.repository().reference(&intended.onto)?;
    let landed = match main {
        Some(main) if main == to => true,
        Some(main) if main == from => false,
        Some(main) => {
            site.repository().commit_of(&to.to_hex())?.is_some() && site.repository().is_ancestor(to, main)?
        }
        None => false,
    };
    for checkout in &intended.checkouts {
        release(Path::new(checkout), (from, to), main == Some(to))?;
    }
    let fact = if landed {
        Fact::Landed(Landed { main_after: to, found: true })
    } else {
        let why = "the process was killed before it moved".to_owned();
        Fact::Forgotten(Forgotten { main_after: to, main: main.unwrap_or(from), why })
    };
    site.write(&[fact])?;
    let refs = intended.changes.iter().map(|lands| lands.name.clone()).collect();
    let taken_back_by = match main {
        Some(main) if landed && main != to => site.repository().taken_back_by((from, to), main)?,
        _ => None,
    };
    Ok(Some(Recovered { onto: intended.onto, main_after: to, refs, landed, taken_back_by }))
}

/// A push whose answer nobody heard: if the remote has it, the branch here follows.
fn finish_pushed(site: &Site, intended: &Intended) -> Result<(), LandError> {
    let (from, to) = (intended.main_before, intended.main_after);
    let Some(remote) = &intended.remote else { return Ok(()) };
    let Some(there) = site.repository().fetch(&remote.name, &intended.onto)? else { return Ok(()) };
    let pushed = site.repository().commit_of(&to.to_hex())?.is_some() && site.repository().is_ancestor(to, there)?;
    if pushed && site.repository().reference(&intended.onto)? == Some(from) {
        site.repository().move_ref(&intended.onto, Some(from), Some(to), "baton land: it was pushed")?;
    }
    Ok(())
}

/// Unlocks a checkout; if its branch has gone on without it, it follows.
fn release(checkout: &Path, (from, to): (Oid, Oid), follow: bool) -> Result<(), LandError> {
    if !checkout.is_dir() {
        return Ok(());
    }
    let held = match CheckoutMove::begin(checkout)? {
        Ok(held) => held,
        Err(way) => {
            return Err(LandError::Busy(format!("{}: {}", way.checkout.display(), way.what), "try again".to_owned()));
        }
    };
    if !follow || held.stands_at(to)? {
        return Ok(());
    }
    match held.go_on(from, to)? {
        Ok(()) => Ok(()),
        Err(way) => {
            let what = format!("{} did not follow its branch when it landed: {}", checkout.display(), way.what);
            Err(LandError::Busy(
                what,
                format!("there, keep what is yours of {}, then `git reset --hard`", way.paths.join(", ")),
            ))
        }
    }
}

fn open_intention(site: &Site) -> Option<Intended> {
    let mut open = None;
    for fact in site.history() {
        match fact {
            Fact::Intended(intended) => open = Some(intended),
            Fact::Landed(_) | Fact::Forgotten(_) => open = None,
            _ => {}
        }
    }
    open
}
