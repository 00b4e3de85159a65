//! Owns the rows in which main moves: the intentions of a row stand directly behind each other, in the order in which its
//! changes were submitted, under the same fences, each from where the one before it ends; and all of it lands in one breath,
//! or nothing of it (MAIN-1, MAIN-2). A row of one is a change that lands alone.
//!
//! Deliberately does not know what becomes of a change otherwise.

use crate::changes::Landing;
use crate::report::Judgement;
use baton_record::event::{ChangeIntended, ChangeLanded, ChangeRefused, RefuseReason};
use baton_record::{ChangeId, Oid};

/// The row that is on its way to main, or was when the merger died.
#[derive(Debug, Default)]
pub(crate) struct Row {
    members: Vec<Member>,
    /// Whoever wrote it has died: whether main has moved is found out by its successor.
    orphaned: bool,
    /// The record before was its last intention: another may follow.
    grows: bool,
    /// The record before was a landing, and these are still to land.
    lands: bool,
    pub(crate) main_1: Judgement,
    pub(crate) main_2: Judgement,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    landing: Landing,
    fences: Option<Oid>,
    /// Its place among all submissions.
    submitted: u64,
}

impl Row {
    /// To be told of every record but of ends of segments, before it is looked at.
    pub(crate) fn pass(&mut self, seq: u64, next: Option<ChangeId>) {
        self.grows = false;
        let due = self.due().filter(|_| std::mem::take(&mut self.lands));
        if let Some(due) = due.filter(|due| next != Some(*due)) {
            self.main_2.breaks(|| format!("record {seq} stands where {due} lands, with the row that it is in"));
        }
    }

    /// What is to land next.
    fn due(&self) -> Option<ChangeId> {
        self.members.first().map(|member| member.landing.change)
    }

    /// What is being landed by a merger that lives.
    pub(crate) fn under_way(&self) -> Option<ChangeId> {
        self.due().filter(|_| !self.orphaned)
    }

    /// All of it that has not landed, in its order.
    pub(crate) fn open(&self) -> impl Iterator<Item = Landing> {
        self.members.iter().map(|member| member.landing)
    }

    /// `grew`: the record before was an intention as well.
    pub(crate) fn intended(&mut self, intended: &ChangeIntended, landing: Landing, (submitted, grew): (u64, bool)) {
        let (id, seq, fences) = (landing.change, landing.seq, intended.fences);
        match intended.behind {
            None => {
                let under_way = self.under_way();
                self.main_2.claim(under_way.is_none(), || {
                    format!("record {seq}: {id} is intended while {} is being landed", under_way.unwrap_or_default())
                });
                self.members.clear();
            }
            Some(behind) => {
                let fits = self.members.last().is_some_and(|last| {
                    let before = &last.landing;
                    let at_once = grew && !self.orphaned && before.intended_us == landing.intended_us;
                    let chained = before.change == behind && before.main_after == landing.main_before;
                    at_once && chained && last.fences == fences && last.submitted < submitted
                });
                self.main_2
                    .claim(fits, || format!("record {seq}: {id} is intended behind {behind}, and is not its sequel"));
                if !fits {
                    self.members.clear();
                }
            }
        }
        self.orphaned = false;
        self.grows = true;
        self.members.push(Member { landing, fences, submitted });
    }

    /// Whether the record before was an intention.
    pub(crate) fn grows(&self) -> bool {
        self.grows
    }

    /// The landing as it was intended, if it was.
    pub(crate) fn landed(&mut self, seq: u64, landed: &ChangeLanded) -> Option<Landing> {
        let id = landed.change;
        self.main_1.claim(landed.fault.is_none() || self.orphaned || self.due() != Some(id), || {
            format!("record {seq}: {id} is said to be found on main, and no merger was restarted")
        });
        let is_due = self.due() == Some(id);
        let intention = is_due.then(|| self.members.remove(0).landing);
        self.lands = is_due && !self.members.is_empty();
        let fits = intention.filter(|i| (i.main_before, i.main_after) == (landed.main_before, landed.main_after));
        self.main_1.claim(fits.is_some(), || format!("record {seq}: {id} landed otherwise than it was intended"));
        fits
    }

    /// A change has another outcome: nothing lands of the row that it was in. While main is being moved nothing but the leaving
    /// of others is heard of.
    pub(crate) fn refused(&mut self, seq: u64, refused: &ChangeRefused) {
        let id = refused.change;
        let member = self.open().any(|landing| landing.change == id);
        let leaves = !member && refused.reason == RefuseReason::Withdrawn;
        if self.under_way().is_some() && !leaves {
            self.main_2.breaks(|| format!("record {seq}: {id} is refused while a row is being landed"));
        }
        if member {
            self.members.clear();
        }
    }

    /// Its merger has died, or found that somebody else has moved main.
    pub(crate) fn orphan(&mut self) {
        self.orphaned = true;
    }

    /// Whether main only passes over where it is now said to be: the rest of a row follows.
    pub(crate) fn is_passing(&self) -> bool {
        self.lands
    }
}
