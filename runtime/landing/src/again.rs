//! Branches that come again: landed before, or landed and rolled back since.

use crate::LandError;
use crate::blame;
use crate::candidates::Candidate;
use crate::fact::{intentions, undone_by};
use crate::land::Session;
use crate::outcome::{Reason, RefusedChange};
use baton_record::Oid;
use std::collections::BTreeMap;

impl Session<'_> {
    /// A squashed branch is on main and its commits are not: whose landing the log knows, and main has, does not land twice.
    pub(crate) fn set_aside_landed(&mut self, pending: &mut Vec<Candidate>) -> Result<(), LandError> {
        let history = self.site.history();
        let landed = intentions(&history).into_iter().filter(|intended| intended.rolls_back.is_none());
        let landed = landed.flat_map(|intended| &intended.changes);
        let by_tip: BTreeMap<Oid, Oid> = landed.map(|lands| (lands.tip, lands.commit)).collect();
        for candidate in std::mem::take(pending) {
            if let Some(refused) = self.stands_on_taken_back(&candidate, &by_tip)? {
                self.refuse(refused)?;
                continue;
            }
            let known = match by_tip.get(&candidate.tip) {
                Some(commit) => self.scratch.is_landed(*commit, self.main)?,
                None => false,
            };
            match known {
                false => pending.push(candidate),
                true => match self.taken_back(&candidate)? {
                    Some(refused) => self.refuse(refused)?,
                    None => self.outcome.already.push(candidate.change()),
                },
            }
        }
        Ok(())
    }

    /// A branch that goes on from commits whose change was rolled back: git would merge only what came after them.
    fn stands_on_taken_back(
        &self,
        candidate: &Candidate,
        by_tip: &BTreeMap<Oid, Oid>,
    ) -> Result<Option<RefusedChange>, LandError> {
        let history = self.site.history();
        for (tip, commit) in by_tip.iter().filter(|(tip, _)| **tip != candidate.tip) {
            let Some(by) = undone_by(&history, *commit) else { continue };
            let stands = self.scratch.is_landed(*tip, candidate.tip)?
                && self.scratch.is_landed(by, self.main)?
                && !self.scratch.is_landed(by, candidate.tip)?;
            if stands {
                let detail = format!(
                    "it goes on from {tip}, which {by} has rolled back: only the rest of it would land; \
                     first roll the rollback back: `baton rollback {by}`"
                );
                return Ok(Some(blame::plain(candidate, Reason::RolledBack, detail)));
            }
        }
        Ok(None)
    }

    /// A branch whose commits are in main's history, and whose change was rolled back since: git would merge nothing.
    pub(crate) fn taken_back(&self, candidate: &Candidate) -> Result<Option<RefusedChange>, LandError> {
        let history = self.site.history();
        let intentions = intentions(&history).into_iter().rev();
        let brought = intentions.flat_map(|intended| &intended.changes).find(|lands| lands.tip == candidate.tip);
        let by = brought.and_then(|lands| undone_by(&history, lands.commit));
        let Some(by) = by.filter(|by| *by != candidate.tip) else { return Ok(None) };
        if !self.site.repository().is_ancestor(by, self.main)? {
            return Ok(None);
        }
        let detail = format!(
            "{} has its commits, and {by} has rolled them back; roll that back: `baton rollback {by}`",
            self.outcome.onto
        );
        Ok(Some(blame::plain(candidate, Reason::RolledBack, detail)))
    }
}
