//! Who brought to main what a change now meets there.

use crate::LandError;
use crate::fact::{Fact, Lands};
use crate::land::Session;
use baton_record::Oid;
use std::collections::BTreeSet;

/// The changes that landed since a commit, newest first.
pub(super) struct Owners {
    base: Option<Oid>,
    landed: Vec<Lands>,
}

impl Owners {
    pub(super) fn since(session: &Session<'_>, base: Option<Oid>) -> Result<Owners, LandError> {
        let new: BTreeSet<Oid> = match base {
            Some(base) => session.scratch.commits_between(base, session.main)?.into_iter().collect(),
            None => BTreeSet::new(),
        };
        let history = session.site.history();
        let landed = history.iter().rev().filter_map(|fact| match fact {
            Fact::Intended(intended) => Some(intended.changes.iter().rev().cloned()),
            _ => None,
        });
        let landed = landed.flatten().filter(|lands| new.contains(&lands.commit)).collect();
        Ok(Owners { base, landed })
    }

    /// The branch whose landing last touched a path; or the commit, if it was not landed by this product.
    pub(super) fn of(&self, session: &Session<'_>, path: &str) -> Result<Option<String>, LandError> {
        for lands in &self.landed {
            if session.scratch.touches(lands.commit, path)? {
                return Ok(Some(lands.name.clone()));
            }
        }
        match self.base {
            Some(base) => Ok(session.scratch.last_commit_on(base, session.main, path)?),
            None => Ok(None),
        }
    }
}
