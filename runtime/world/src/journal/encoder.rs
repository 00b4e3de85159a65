//! From records to the bytes of the journal: numbered, chained, checksummed. Touches no disk.

use super::SEGMENT_BYTES;
use baton_record::event::SegmentClosed;
use baton_record::line::{Actor, Record, write_line};
use baton_record::{Chain, Event, Names};

/// Lines that are to be written at once, and where among them a segment ends.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    /// Offsets after which a new segment begins, ascending.
    pub(super) segment_ends: Vec<usize>,
}

impl Batch {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.segment_ends.clear();
    }
}

/// Turns records into lines, in the order of the journal.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    chain: Chain,
    names: Names,
    last_t_us: u64,
    segment: u32,
    segment_bytes: u64,
    segment_records: u64,
    batch: Batch,
}

impl Encoder {
    /// Adds records to the present batch. A segment that is full after them is closed.
    pub(super) fn encode(&mut self, records: &[Record], lane_names: &[String]) {
        for name in lane_names {
            self.names.add_lane(name).expect("the caller names each lane once and well");
        }
        let start = self.batch.bytes.len();
        records.iter().for_each(|record| self.add(record));
        self.segment_bytes += (self.batch.bytes.len() - start) as u64;
        if self.segment_bytes >= SEGMENT_BYTES {
            self.close_segment();
        }
    }

    fn add(&mut self, record: &Record) {
        assert!(record.t_us >= self.last_t_us, "time does not run backwards in a journal");
        self.last_t_us = record.t_us;
        write_line(&mut self.batch.bytes, &mut self.chain, record, &self.names);
        self.segment_records += 1;
    }

    fn close_segment(&mut self) {
        let closed = SegmentClosed { segment: self.segment, records: self.segment_records + 1 };
        let event = Event::SegmentClosed(closed);
        self.add(&Record { t_us: self.last_t_us, actor: Actor::Recorder, lane: None, task: None, event });
        self.batch.segment_ends.push(self.batch.bytes.len());
        self.segment += 1;
        (self.segment_bytes, self.segment_records) = (0, 0);
    }

    /// What was encoded and is not written yet.
    pub(super) fn batch(&self) -> &Batch {
        &self.batch
    }

    pub(super) fn batch_mut(&mut self) -> &mut Batch {
        &mut self.batch
    }

    /// Records so far and the hash of the last line.
    pub(super) fn chain(&self) -> Chain {
        self.chain
    }
}
