//! Group commit: whatever waits is written at once, synced once, and answered at once, in the order of the journal.
//!
//! Submitters encode; one thread writes and syncs. So the next batch is encoded and chained while the last one is being
//! synced, and what waits is bytes, not records. It is bounded: a submitter waits when too much is waiting, so nothing is
//! dropped and nothing grows. A failure ends the thread: no further submission is ever released.

use super::encoder::{Batch, Encoder};
use super::segments::Segments;
use super::{Journal, JournalError};
use baton_record::line::Record;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;

/// Records that belong together, and what to do once they are durable.
pub struct Submission {
    /// The records; the first is stamped not earlier than any record before.
    pub records: Vec<Record>,
    /// Names of lanes that join in it.
    pub lane_names: Vec<String>,
    /// Called on the committer's thread, in the order of the journal.
    pub release: Release,
}

type Release = Box<dyn FnOnce() + Send>;

/// Handle to the committing thread.
pub struct Committer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<Segments, JournalError>>>,
}

/// Bytes that may wait before a submitter has to.
const WAITING_BYTES: usize = 16 << 20;

/// What submitters and the committing thread share.
struct Shared {
    waiting: Mutex<Waiting>,
    /// There is something to write, or there never will be.
    work: Condvar,
    /// There is room again, or there never will be.
    room: Condvar,
}

/// What is encoded and not written yet.
struct Waiting {
    encoder: Encoder,
    releases: Vec<Release>,
    /// The committing thread sleeps and must be woken.
    idle: bool,
    /// Nothing more will be submitted.
    closed: bool,
    /// The thread has ended by a failure.
    failed: bool,
}

impl Committer {
    /// Starts the thread.
    pub fn start(journal: Journal) -> Committer {
        let Journal { encoder, segments } = journal;
        let waiting = Waiting { encoder, releases: Vec::new(), idle: false, closed: false, failed: false };
        let shared = Shared { waiting: Mutex::new(waiting), work: Condvar::new(), room: Condvar::new() };
        let shared = Arc::new(shared);
        let its_own = shared.clone();
        let thread = std::thread::Builder::new().name("journal".into()).spawn(move || {
            let ended = its_own.commit_all(segments);
            if ended.is_err() {
                its_own.lock().failed = true;
                its_own.room.notify_all();
            }
            ended
        });
        Committer { shared, thread: Some(thread.expect("a thread can be started")) }
    }

    /// Queues a submission. False: the thread has ended by a failure, which [`Committer::finish`] tells.
    pub fn submit(&self, submission: Submission) -> bool {
        let shared = &self.shared;
        let full = |waiting: &mut Waiting| !waiting.failed && waiting.encoder.batch().bytes.len() >= WAITING_BYTES;
        let mut waiting = shared.room.wait_while(shared.lock(), full).expect(SOUND);
        if waiting.failed {
            return false;
        }
        waiting.encoder.encode(&submission.records, &submission.lane_names);
        waiting.releases.push(submission.release);
        let wake = std::mem::take(&mut waiting.idle);
        drop(waiting);
        if wake {
            shared.work.notify_one();
        }
        true
    }

    /// Waits until everything that was submitted is durable, and gives the journal back.
    pub fn finish(mut self) -> Result<Journal, JournalError> {
        self.close();
        let thread = self.thread.take().expect("a committer is finished once");
        let segments = thread.join().unwrap_or(Err(JournalError::Poisoned))?;
        let encoder = std::mem::take(&mut self.shared.lock().encoder);
        Ok(Journal { encoder, segments })
    }

    fn close(&self) {
        if let Ok(mut waiting) = self.shared.waiting.lock() {
            waiting.closed = true;
        }
        self.shared.work.notify_one();
    }
}

impl Drop for Committer {
    /// The thread writes what waits, then ends.
    fn drop(&mut self) {
        self.close();
    }
}

const SOUND: &str = "a submission that cannot be encoded ends the run";

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect(SOUND)
    }

    fn commit_all(&self, mut segments: Segments) -> Result<Segments, JournalError> {
        let (mut batch, mut releases) = (Batch::default(), Vec::new());
        while self.take(&mut batch, &mut releases) {
            segments.write(&batch)?;
            segments.sync()?;
            releases.drain(..).for_each(|release| release());
            batch.clear();
        }
        Ok(segments)
    }

    /// Changes empty buffers for what waits, once something does. False: nothing ever will.
    fn take(&self, batch: &mut Batch, releases: &mut Vec<Release>) -> bool {
        let mut waiting = self.lock();
        while waiting.releases.is_empty() && !waiting.closed {
            waiting.idle = true;
            waiting = self.work.wait(waiting).expect(SOUND);
        }
        std::mem::swap(waiting.encoder.batch_mut(), batch);
        std::mem::swap(&mut waiting.releases, releases);
        // Nobody can have been waiting for room in a batch that had some.
        if batch.bytes.len() >= WAITING_BYTES {
            self.room.notify_all();
        }
        !releases.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::Durability;
    use crate::journal::{SEGMENT_BYTES, fold};
    use baton_record::event::TaskDone;
    use baton_record::line::Actor;
    use baton_record::{ChangeId, Event, TaskId};
    use std::path::Path;
    use tempfile::TempDir;

    const RECORDS: usize = 500;

    fn journal() -> (TempDir, Journal) {
        let dir = TempDir::new().unwrap();
        let journal = Journal::create(dir.path(), Durability::Buffered).unwrap();
        (dir, journal)
    }

    fn submission(at: u32, released: &Arc<Mutex<Vec<u32>>>) -> Submission {
        let event = Event::TaskDone(TaskDone { change: ChangeId::of(TaskId(at), 1) });
        let record =
            Record { t_us: u64::from(at), actor: Actor::Supervisor, lane: None, task: Some(TaskId(at)), event };
        let released = released.clone();
        let release = Box::new(move || released.lock().unwrap().push(at));
        Submission { records: vec![record; RECORDS], lane_names: Vec::new(), release }
    }

    fn check(dir: &Path, submitted: u32, released: &Arc<Mutex<Vec<u32>>>) -> u64 {
        assert!(released.lock().unwrap().iter().copied().eq(0..submitted), "released once each, in order");
        let mut tasks = Vec::new();
        let mut segments = 0;
        let end = fold(dir, |_, record, _| match record.event {
            Event::SegmentClosed(_) => segments += 1,
            _ => tasks.push(record.task.unwrap().0),
        });
        assert!(!end.unwrap().torn);
        assert!(tasks.into_iter().eq((0..submitted).flat_map(|at| std::iter::repeat_n(at, RECORDS))));
        segments
    }

    #[test]
    fn whatever_was_submitted_is_written_in_order_across_segments() {
        let (dir, journal) = journal();
        let (committer, released) = (Committer::start(journal), Arc::default());
        let submissions = SEGMENT_BYTES as u32 / (RECORDS as u32 * 200);
        assert!((0..submissions).all(|at| committer.submit(submission(at, &released))));
        let chain = committer.finish().unwrap().chain();
        assert_eq!(check(dir.path(), submissions, &released), 1);
        assert_eq!(chain.next_seq, submissions as u64 * RECORDS as u64 + 1);
    }

    #[test]
    fn a_journal_given_back_goes_on_where_it_was() {
        let (dir, journal) = journal();
        let released = Arc::default();
        let committer = Committer::start(journal);
        assert!(committer.submit(submission(0, &released)));
        let mut journal = committer.finish().unwrap();
        let more = submission(1, &released);
        journal.append(RECORDS as u64, &more.records, &[]).unwrap();
        (more.release)();
        assert!(matches!(journal.append(0, &[], &[]), Err(JournalError::Deposed { expected: 0, .. })));
        check(dir.path(), 2, &released);
    }

    #[test]
    fn a_committer_that_is_dropped_still_writes_what_waits() {
        let (dir, journal) = journal();
        let released = Arc::default();
        let mut committer = Committer::start(journal);
        assert!((0..8).all(|at| committer.submit(submission(at, &released))));
        let thread = committer.thread.take().unwrap();
        drop(committer);
        thread.join().unwrap().unwrap();
        check(dir.path(), 8, &released);
    }
}
