//! What a killed session left: its last intention is finished or forgotten, and it is said which.

use crate::LandError;
use crate::fact::{Fact, Intended};
use crate::moving::resume;
use crate::site::Site;
use baton_core::advance::Outcome;
use baton_record::Oid;

/// One intention of a session that was killed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Recovered {
    /// Full name of the branch.
    pub onto: String,
    /// Where it was to go.
    pub main_after: Oid,
    /// The changes that it was about.
    pub refs: Vec<String>,
    /// Whether it has gone there.
    pub landed: bool,
    /// The commit that came right after it and took all of it back: as one does that is made in a checkout which has not followed.
    pub taken_back_by: Option<Oid>,
}

/// Finishes or forgets the last intention, if nobody knows what came of it. Asked again, it says the same again.
pub fn recover(site: &Site) -> Result<Option<Recovered>, LandError> {
    if let Some(known) = site.left.borrow().clone() {
        return Ok(known);
    }
    let recovered = open_intention(site).map(|intended| look_after(site, intended)).transpose()?;
    *site.left.borrow_mut() = Some(recovered.clone());
    Ok(recovered)
}

fn look_after(site: &Site, intended: Intended) -> Result<Recovered, LandError> {
    let (from, to) = (intended.main_before, intended.main_after);
    let (outcome, main) = resume(site, &intended)?;
    let landed = matches!(outcome, Outcome::Landed | Outcome::Parted);
    let refs = intended.changes.iter().map(|lands| lands.name.clone()).collect();
    let taken_back_by = match main {
        Some(main) if outcome == Outcome::Landed && main != to => site.repository().taken_back_by((from, to), main)?,
        _ => None,
    };
    Ok(Recovered { onto: intended.onto, main_after: to, refs, landed, taken_back_by })
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
