//! The line format: what is written is read back, and nothing else is.

#![allow(clippy::unwrap_used, reason = "tests")]

use baton_record::chain::Chain;
use baton_record::event::{ChangeRefused, LaneJoined, LeaseRequested, RefuseReason, TaskAssigned};
use baton_record::ids::{ChangeId, EndpointId, FaultId, LaneId, LeaseId, ResourceId, TaskId};
use baton_record::line::{Actor, Record, write_line};
use baton_record::segment::{SegmentEnd, read_segment};
use baton_record::{Event, Names};
use proptest::prelude::*;

fn sample(paths: Vec<String>) -> Vec<Record> {
    let lane = Some(LaneId(0));
    let task = Some(TaskId(3));
    let record = |t_us, event| Record { t_us, actor: Actor::Supervisor, lane, task, event };
    let join = Event::LaneJoined(LaneJoined { id: LaneId(0), role: "implementer".into(), model: EndpointId(0) });
    vec![
        Record { task: None, ..record(0, join) },
        record(10, Event::TaskAssigned(TaskAssigned { attempt: 1 })),
        record(
            20,
            Event::LeaseRequested(LeaseRequested {
                lease: LeaseId(0),
                change: ChangeId::of(TaskId(3), 1),
                resources: vec![ResourceId(1)],
                ttl_us: 5,
            }),
        ),
        record(
            30,
            Event::ChangeRefused(ChangeRefused {
                change: ChangeId::of(TaskId(3), 1),
                reason: RefuseReason::Conflict,
                paths,
                undoes: Vec::new(),
                report: None,
                fault: Some(FaultId(2)),
            }),
        ),
    ]
}

fn written(records: &[Record]) -> Vec<u8> {
    let mut names = Names::default();
    names.add_lane("implementer.1").unwrap();
    let (mut out, mut chain) = (Vec::new(), Chain::default());
    for record in records {
        write_line(&mut out, &mut chain, record, &names);
    }
    out
}

fn read(bytes: &[u8]) -> (Vec<Record>, SegmentEnd) {
    let mut records = Vec::new();
    let end = read_segment(bytes, &mut Chain::default(), &mut Names::default(), |_, record, _| records.push(record));
    (records, end)
}

#[test]
fn a_line_has_its_keys_in_the_published_order() {
    let bytes = written(&sample(vec!["a".into()]));
    let first = std::str::from_utf8(&bytes).unwrap().lines().next().unwrap();
    assert_eq!(
        first,
        "{\"v\":1,\"seq\":0,\"t_us\":0,\"actor\":\"supervisor\",\"lane\":\"implementer.1\",\"task\":null,\
         \"kind\":\"LaneJoined\",\"data\":{\"id\":0,\"role\":\"implementer\",\"model\":0},\
         \"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"crc\":\"69b84de8\"}"
    );
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_back(paths in proptest::collection::vec(".*", 0..4)) {
        let records = sample(paths);
        prop_assert_eq!(read(&written(&records)), (records, SegmentEnd::Clean));
    }

    #[test]
    fn every_prefix_is_clean_or_torn_and_never_damaged(cut in 0usize..1200) {
        let records = sample(vec!["notes/a.md".into()]);
        let bytes = written(&records);
        let (seen, end) = read(&bytes[..cut.min(bytes.len())]);
        prop_assert!(!matches!(end, SegmentEnd::Damaged { .. }), "{:?}", end);
        prop_assert_eq!(&seen[..], &records[..seen.len()]);
    }

    #[test]
    fn bytes_of_any_kind_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes);
    }
}

#[test]
fn no_single_flipped_bit_passes() {
    let records = sample(vec!["notes/ä.md".into()]);
    let bytes = written(&records);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            let (seen, end) = read(&flipped);
            assert!(end != SegmentEnd::Clean || seen != records, "bit {bit} of byte {at} passed");
            assert_ne!(end, SegmentEnd::Clean, "bit {bit} of byte {at} passed");
        }
    }
}

#[test]
fn a_dropped_or_doubled_line_is_damage() {
    let bytes = written(&sample(vec![]));
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for order in [vec![0, 2, 3], vec![0, 1, 1, 2, 3], vec![0, 2, 1, 3]] {
        let edited: Vec<u8> = order.iter().flat_map(|at| lines[*at].to_vec()).collect();
        assert!(matches!(read(&edited).1, SegmentEnd::Damaged { .. }), "{order:?}");
    }
}
