//! What the journal's benches share: the record that is written, and the journal that takes it.

#![allow(dead_code, reason = "each bench uses its part")]

use crate::measure::closed_loop;
use baton_record::event::ChangeLanded;
use baton_record::line::{Actor, Record, write_line};
use baton_record::{Chain, ChangeId, Event, LaneId, Names, Oid, TaskId};
use baton_world::git::Durability;
use baton_world::journal::{Committer, Submission};
use baton_world::{Journal, Stopwatch};
use std::path::Path;

/// Writers, and records that they write in one turn.
pub(crate) const LOADS: [(usize, usize); 3] = [(1, 1_000), (256, 100_000), (2_048, 300_000)];

/// The lane that every record is about.
pub(crate) const LANE: &str = "implementer.26";

/// A record whose line has about 300 bytes.
pub(crate) fn record() -> Record {
    let commit = |byte| Oid::from_bytes(&[byte; 20]).expect("20 bytes name an object");
    let (change, main_before, main_after) = (ChangeId::of(TaskId(38), 1), commit(0x5a), commit(0x6b));
    let event = Event::ChangeLanded(ChangeLanded { change, main_before, main_after, fault: None });
    Record { t_us: 15_069_000, actor: Actor::Merger, lane: Some(LaneId(0)), task: Some(change.task()), event }
}

/// `records` lines as the journal would have them.
pub(crate) fn lines(records: usize) -> Vec<u8> {
    let mut names = Names::default();
    names.add_lane(LANE).expect("the lane is well named");
    let (mut out, mut chain, record) = (Vec::new(), Chain::default(), record());
    (0..records).for_each(|_| write_line(&mut out, &mut chain, &record, &names));
    out
}

/// What one turn of the journal came to.
pub(crate) struct Turn {
    /// Records a second.
    pub(crate) rate: f64,
    /// Records that one fdatasync made durable, on the average.
    pub(crate) batch: usize,
}

/// Records through the product's group commit, durable.
pub(crate) fn journal(dir: &Path, writers: usize, records: usize) -> Turn {
    let dir = tempfile::tempdir_in(dir).expect("the target folder can be written to");
    let mut journal = Journal::create(&dir.path().join("journal"), Durability::Durable).expect("a journal can be made");
    journal.append(0, &[], &[LANE.to_owned()]).expect("a lane can be named");
    journal.sync().expect("the disk takes it");
    let committer = Committer::start(journal);
    let record = record();
    let watch = Stopwatch::start();
    closed_loop(writers, records, |release| {
        let submission = Submission { records: vec![record.clone()], lane_names: Vec::new(), release };
        assert!(committer.submit(submission), "the committer lives");
    });
    let rate = records as f64 / watch.seconds();
    let journal = committer.finish().expect("everything is durable");
    // A segment that is full ends with a line of its own.
    assert!(journal.chain().next_seq >= records as u64, "every record has its line");
    // One sync came before the clock started.
    let batches = journal.syncs().saturating_sub(1).max(1) as usize;
    Turn { rate, batch: records.div_ceil(batches) }
}
