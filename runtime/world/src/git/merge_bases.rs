//! Where two commits part: all their best common ancestors, without a program.
//!
//! Both histories are painted, the newest commit first by the dates that commits claim. A commit that gets both colours is
//! common; what lies below a common one is stale. Dates only make it fast: every new colour goes on to the parents again,
//! whatever the dates say. No way from a side to a best common ancestor passes another common one, so no stale commit lies
//! on it, and the ancestor is reached before nothing but stale commits waits. So all best ones are found; a single common
//! commit that was found is the best one; and of several, those below another are told once everything stale is painted.

use super::Repository;
use super::error::GitError;
use baton_record::Oid;
use std::collections::{BTreeMap, BinaryHeap};

const OURS: u8 = 1;
const THEIRS: u8 = 2;
const BOTH: u8 = OURS | THEIRS;
/// Below a common ancestor.
const STALE: u8 = 4;
/// Waits in the queue.
const QUEUED: u8 = 8;

/// All best common ancestors, ascending by name; `None`: more than `most` commits would have to be looked at.
pub(super) fn merge_bases(
    repository: &Repository,
    ours: Oid,
    theirs: Oid,
    most: usize,
) -> Result<Option<Vec<Oid>>, GitError> {
    if ours == theirs {
        return Ok(Some(vec![ours]));
    }
    let mut painting =
        Painting { repository, colours: BTreeMap::new(), queue: BinaryHeap::new(), fresh: 0, common: Vec::new() };
    painting.paint(ours, OURS)?;
    painting.paint(theirs, THEIRS)?;
    while painting.fresh > 0 || (painting.candidates().nth(1).is_some() && !painting.queue.is_empty()) {
        if painting.colours.len() > most {
            return Ok(None);
        }
        painting.step()?;
    }
    let mut bases: Vec<Oid> = painting.candidates().collect();
    bases.sort();
    Ok(Some(bases))
}

struct Painting<'r> {
    repository: &'r Repository,
    colours: BTreeMap<Oid, u8>,
    queue: BinaryHeap<(i64, Oid)>,
    /// How many that wait are not stale.
    fresh: usize,
    common: Vec<Oid>,
}

impl Painting<'_> {
    fn candidates(&self) -> impl Iterator<Item = Oid> + '_ {
        self.common.iter().copied().filter(|oid| self.colours[oid] & STALE == 0)
    }

    fn paint(&mut self, oid: Oid, colour: u8) -> Result<(), GitError> {
        let before = self.colours.get(&oid).copied().unwrap_or(0);
        let after = before | colour;
        if before == after {
            return Ok(());
        }
        let waited_fresh = before & (QUEUED | STALE) == QUEUED;
        if before & QUEUED == 0 {
            self.queue.push((self.repository.commit(oid)?.committed_s, oid));
        }
        self.colours.insert(oid, after | QUEUED);
        let waits_fresh = after & STALE == 0;
        self.fresh = self.fresh + usize::from(waits_fresh) - usize::from(waited_fresh);
        Ok(())
    }

    fn step(&mut self) -> Result<(), GitError> {
        let Some((_, oid)) = self.queue.pop() else { return Ok(()) };
        let colour = self.colours[&oid] & !QUEUED;
        self.colours.insert(oid, colour);
        self.fresh -= usize::from(colour & STALE == 0);
        let is_common = colour & BOTH == BOTH;
        if is_common && colour & STALE == 0 && !self.common.contains(&oid) {
            self.common.push(oid);
        }
        let below = if is_common { colour | STALE } else { colour };
        for &parent in &self.repository.commit(oid)?.parents {
            self.paint(parent, below)?;
        }
        Ok(())
    }
}
