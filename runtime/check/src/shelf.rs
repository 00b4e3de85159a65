//! Owns how others look up what packets link to and what they say of their run, in a run folder that is evidence: read-only, and with nothing in it obeyed.
//!
//! Deliberately does not know what a packet is.

use crate::Unreadable;
use crate::lanes::Lanes;
use crate::reader;
use crate::repository::Repository;
use crate::run_folder::{RunFolder, read_content};

use baton_record::line::Record;
use baton_record::{ChangeId, Event, Oid, TaskId};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What the journal says of a run, as packets speak of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunStory {
    /// The run's identity.
    pub run: String,
    /// Tasks, with the role that judges each.
    pub tasks: BTreeMap<TaskId, Option<String>>,
    /// Lanes.
    pub lanes: BTreeSet<String>,
    /// Attempts that were begun, with the lanes that had each.
    pub attempts: BTreeMap<ChangeId, BTreeSet<String>>,
    /// Every commit that main was at.
    pub commits: BTreeSet<Oid>,
    /// Changes that did not merge, with the digests of their conflict reports.
    pub reports: BTreeMap<ChangeId, String>,
}

impl RunStory {
    fn see(&mut self, record: &Record, lanes: &Lanes) {
        let name = record.lane.and_then(|lane| lanes.name(lane)).map(str::to_owned);
        match &record.event {
            Event::RunStarted(started) => {
                self.run.clone_from(&started.run);
                self.commits.insert(started.base);
            }
            Event::LaneJoined(_) => self.lanes.extend(name),
            Event::TaskAdded(added) => {
                self.tasks.extend(record.task.map(|task| (task, added.review.clone())));
            }
            Event::TaskAssigned(assigned) if (1..=baton_record::ids::ATTEMPTS_MAX).contains(&assigned.attempt) => {
                let attempt = record.task.map(|task| ChangeId::of(task, assigned.attempt));
                attempt.into_iter().for_each(|attempt| self.attempts.entry(attempt).or_default().extend(name.clone()));
            }
            Event::ChangeLanded(landed) => {
                self.commits.insert(landed.main_after);
            }
            Event::ChangeRefused(refused) => {
                self.reports.extend(refused.report.clone().map(|report| (refused.change, report)));
            }
            Event::ForeignPush(push) => self.commits.extend(push.found),
            _ => {}
        }
    }
}

/// The content and the repository of a run.
pub struct RunShelf {
    folder: RunFolder,
    /// Borrowed with the first commit that is asked about: its name tells the hash.
    repository: OnceCell<Option<Repository>>,
}

impl std::fmt::Debug for RunShelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunShelf").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl RunShelf {
    /// The shelf of the run in this folder.
    pub fn open(run: &Path) -> Result<RunShelf, Unreadable> {
        Ok(RunShelf { folder: RunFolder::open(run)?, repository: OnceCell::new() })
    }

    /// What the journal says, up to its first damage. An error: it cannot be read at all.
    pub fn story(&self) -> Result<RunStory, Unreadable> {
        let (mut story, mut lanes) = (RunStory::default(), Lanes::default());
        reader::read(&self.folder.journal, &mut lanes, &mut |_, record, lanes| story.see(record, lanes))?;
        Ok(story)
    }

    /// The bytes under a digest, whatever their hash is; `None`: nothing that a run would put there.
    pub fn content(&self, digest: &str) -> Option<Vec<u8>> {
        read_content(&self.folder.content, digest).ok()
    }

    /// The name of the file at a path of a commit; `None`: no file is there.
    pub fn file(&self, base: &str, path: &str) -> Option<String> {
        let base = Oid::from_hex(base)?;
        let borrow = || Repository::borrow(&self.folder.repository, base).ok();
        let repository = self.repository.get_or_init(borrow).as_ref()?;
        let asked = [(base, path.to_owned())];
        let found = repository.paths_at(&asked).ok()?.pop()?;
        found.map(|blob| blob.to_hex())
    }
}
