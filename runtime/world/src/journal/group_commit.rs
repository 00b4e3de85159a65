//! Group commit: whatever is queued is written at once, synced once, and answered at once, in the order of the journal.
//!
//! One thread owns the journal. Submissions wait in a bounded queue; a full queue makes the submitter wait, so nothing is
//! dropped and nothing grows. A failure ends the thread: no further submission is ever released.

use super::{Journal, JournalError};
use baton_record::Chain;
use baton_record::line::Record;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Records that belong together, and what to do once they are durable.
pub struct Submission {
    /// The records; the first is stamped not earlier than any record before.
    pub records: Vec<Record>,
    /// Names of lanes that join in it.
    pub lane_names: Vec<String>,
    /// Called on the committer's thread, in the order of the journal.
    pub release: Box<dyn FnOnce() + Send>,
}

/// Handle to the committing thread.
pub struct Committer {
    queue: Option<SyncSender<Submission>>,
    thread: Option<JoinHandle<Result<Journal, JournalError>>>,
}

/// Submissions that may wait before a submitter has to.
const QUEUE: usize = 65_536;
/// Records that one sync covers at most.
const BATCH: usize = 8_192;

impl Committer {
    /// Starts the thread.
    pub fn start(journal: Journal) -> Committer {
        let (sender, receiver) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("journal".into()).spawn(move || commit_all(journal, &receiver));
        Committer { queue: Some(sender), thread: Some(thread.expect("a thread can be started")) }
    }

    /// Queues a submission. False: the thread has ended by a failure, which [`Committer::finish`] tells.
    pub fn submit(&self, submission: Submission) -> bool {
        self.queue.as_ref().is_some_and(|queue| queue.send(submission).is_ok())
    }

    /// Waits until everything that was submitted is durable, and gives the journal back.
    pub fn finish(mut self) -> Result<Journal, JournalError> {
        self.queue = None;
        let thread = self.thread.take().expect("a committer is finished once");
        thread.join().unwrap_or(Err(JournalError::Poisoned))
    }
}

fn commit_all(mut journal: Journal, queue: &Receiver<Submission>) -> Result<Journal, JournalError> {
    let mut releases: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
    while let Ok(first) = queue.recv() {
        let mut records = first.records;
        let mut lane_names = first.lane_names;
        releases.push(first.release);
        while records.len() < BATCH {
            let Ok(next) = queue.try_recv() else { break };
            records.extend(next.records);
            lane_names.extend(next.lane_names);
            releases.push(next.release);
        }
        let Chain { next_seq, .. } = journal.chain();
        journal.append(next_seq, &records, &lane_names)?;
        journal.sync()?;
        releases.drain(..).for_each(|release| release());
    }
    Ok(journal)
}
