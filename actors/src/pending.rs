//! What lanes of a run have made and what has not landed yet: from its journal, its content store and its repository alone,
//! also of a run that was killed or goes on.
//!
//! Reads, and writes nothing. Does not know what is in whose way: that is found out from what this gives.

use crate::packed::{PackedChange, change_of_packet};
use crate::supervisor::{Folded, fold_supervision};
use baton_core::board::{Desk, TaskState};
use baton_record::event::{ChangeSubmitted, PacketPurpose, Update};
use baton_record::{ChangeId, Event, LaneId, Names, Oid, PacketId, TaskId};
use baton_world::content::{ContentError, ContentStore};
use baton_world::git::{Durability, Edit};
use baton_world::journal::{JournalDamage, fold};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Where a change is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// With the merger.
    Submitted,
    /// With a reviewer, or on its way to one.
    InReview,
    /// A person decides about it.
    WaitsForPerson,
}

impl Standing {
    /// As programs read it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Standing::Submitted => "submitted",
            Standing::InReview => "in-review",
            Standing::WaitsForPerson => "waits-for-person",
        }
    }
}

/// A change that has not landed and is not refused.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingChange {
    /// Which.
    pub change: ChangeId,
    /// The lane that made it.
    pub lane: String,
    /// Where it is.
    pub standing: Standing,
    /// The commit of main that it was made from.
    pub base: Oid,
    /// The commit that proposes it, if it is submitted; the repository need not have it.
    pub commit: Option<Oid>,
    /// What it does, path by path.
    pub updates: Vec<Update>,
    /// Its files, where the content store has them.
    pub edits: Option<Vec<Edit>>,
}

/// What a run's lanes have not landed yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pending {
    /// Identity of the run.
    pub run: String,
    /// Where main is, as the journal has it; `None`: the run has not begun.
    pub main: Option<Oid>,
    /// What landed: where main was after it, who made it, and what it did.
    pub landed: Vec<(Oid, String, Vec<Update>)>,
    /// In the order of their names.
    pub changes: Vec<PendingChange>,
    /// Attempts that lanes work on and of which nothing is known yet.
    pub unknown: Vec<(ChangeId, String)>,
}

/// What the journal says of changes.
#[derive(Debug, Default)]
struct Story {
    told: Pending,
    open: BTreeMap<ChangeId, (ChangeSubmitted, String)>,
    /// By packet: who made it, and the attempt that it tells of.
    packets: BTreeMap<PacketId, (String, ChangeId)>,
    names: Names,
    tasks: u32,
}

/// Why it cannot be said what is pending.
#[derive(Debug)]
pub enum Unreadable {
    /// The journal is damaged.
    Journal(JournalDamage),
    /// The content store cannot be read.
    Content(ContentError),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Journal(damage) => write!(f, "the journal cannot be read: {damage}"),
            Unreadable::Content(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unreadable {}

/// Reads what is pending by a run's journal and its content store.
///
/// # Errors
/// One of them cannot be read.
pub fn pending(journal: &Path, content: &Path) -> Result<Pending, Unreadable> {
    let mut story = Story::default();
    let end =
        fold(journal, |_, record, names| story.see(record.lane, &record.event, names)).map_err(Unreadable::Journal)?;
    story.names = end.names;
    let folded = fold_supervision(journal).map_err(Unreadable::Journal)?;
    let store = ContentStore::open(content, Durability::Buffered).map_err(Unreadable::Content)?;
    story.submitted(&store)?;
    for task in (0..story.tasks).map(TaskId) {
        story.handed_on(&folded, task, &store)?;
    }
    let mut told = story.told;
    told.changes.sort_by_key(|pending| pending.change);
    Ok(told)
}

impl Story {
    fn see(&mut self, lane: Option<LaneId>, event: &Event, names: &Names) {
        let name = || lane.and_then(|lane| names.lane(lane)).unwrap_or_default().to_owned();
        match event {
            Event::RunStarted(started) => {
                self.told.run.clone_from(&started.run);
                self.told.main = Some(started.base);
            }
            Event::TaskAdded(_) => self.tasks += 1,
            Event::ChangeSubmitted(submitted) => {
                let author = submitted.author.clone().unwrap_or_else(name);
                self.open.insert(submitted.change, (submitted.clone(), author));
            }
            Event::ChangeLanded(landed) => {
                self.told.main = Some(landed.main_after);
                if let Some((submitted, lane)) = self.open.remove(&landed.change) {
                    self.told.landed.push((landed.main_after, lane, submitted.updates));
                }
            }
            Event::ChangeRefused(refused) => drop(self.open.remove(&refused.change)),
            Event::ChangeWritten(written) => drop(self.open.remove(&written.change)),
            Event::PacketOffered(offered) => drop(self.packets.insert(offered.packet, (name(), offered.change))),
            _ => {}
        }
    }

    /// Changes that the merger has, with their files where a packet brought them.
    fn submitted(&mut self, store: &ContentStore) -> Result<(), Unreadable> {
        for (change, (submitted, lane)) in std::mem::take(&mut self.open) {
            let packed = submitted.packet.as_deref().map(|digest| change_of_packet(store, digest)).transpose();
            let packed = packed.map_err(Unreadable::Content)?.flatten();
            let same = |packed: &PackedChange| (packed.base, &packed.updates) == (submitted.base, &submitted.updates);
            let edits = packed.filter(same).map(|packed| packed.edits);
            let ChangeSubmitted { base, commit, updates, .. } = submitted;
            let (standing, commit) = (Standing::Submitted, Some(commit));
            self.told.changes.push(PendingChange { change, lane, standing, base, commit, updates, edits });
        }
        Ok(())
    }

    /// The change that lies with a task which is not submitted, or the attempt that is being made.
    fn handed_on(&mut self, folded: &Folded, task: TaskId, store: &ContentStore) -> Result<(), Unreadable> {
        let board = &folded.state.board;
        if board.has_ended(task) || self.told.changes.iter().any(|pending| pending.change.task() == task) {
            return Ok(());
        }
        let owner = match board.state(task) {
            TaskState::Owned(lane) => board.owned_by(lane).map(|change| (lane, change)),
            _ => None,
        };
        let waits = board.state(task) == TaskState::Waits;
        let brief = board.brief(task).filter(|brief| {
            let judged = matches!(brief.purpose, PacketPurpose::Review | PacketPurpose::Approval);
            judged && (waits || brief.approved || brief.desk == Desk::Review)
        });
        let digest = brief.and_then(|brief| folded.packets.get(&brief.packet));
        let packed = digest.map(|digest| change_of_packet(store, digest)).transpose();
        let packed = packed.map_err(Unreadable::Content)?.flatten();
        let made = brief.and_then(|brief| self.packets.get(&brief.packet).cloned());
        match (packed, made, owner) {
            (Some(PackedChange { base, edits, updates }), Some((lane, change)), _) => {
                let standing = if waits { Standing::WaitsForPerson } else { Standing::InReview };
                let (commit, edits) = (None, Some(edits));
                self.told.changes.push(PendingChange { change, lane, standing, base, commit, updates, edits });
            }
            (_, _, Some((lane, change))) => {
                let name = self.names.lane(lane).unwrap_or_default().to_owned();
                self.told.unknown.push((change, name));
            }
            _ => {}
        }
        Ok(())
    }
}
