//! Leases, fences, lines of waiting requests. Each forgery is chained and summed anew, and must be caught by the promise that it breaks.

use crate::folder::*;
use crate::forgery::*;
use baton_record::Event;
use baton_record::event::*;
use baton_record::ids::*;
use baton_record::line::{Actor, Record};

#[test]
fn leases_exclude_each_other() {
    check_all(&[
        ("overlap is denied", |f| edit!(f, ResourceNamed, 1, |e| e.overlaps.clear()), &["LOCK-1"]),
        (
            "overlap is invented",
            |f| edit!(f, ResourceNamed, 1, |e| e.pattern = "doc/x".into()),
            &["LOCK-1", "LOCK-2", "LOCK-3"],
        ),
        (
            "granted while another lives",
            |f| {
                let ended = f.at("LeaseReleased", 0);
                let ended = f.records.remove(ended);
                f.insert_after("FenceRaised", 1, ended);
            },
            &["LOCK-1", "LOCK-3"],
        ),
        (
            "released twice",
            |f| {
                let again = f.records[f.at("LeaseReleased", 1)].clone();
                f.insert_after("LeaseReleased", 1, again);
            },
            &["LOCK-1", "LOCK-3"],
        ),
        (
            "expired too early",
            |f| {
                let place = f.at("LeaseReleased", 1);
                f.records[place].event = Event::LeaseExpired(LeaseExpired { lease: LeaseId(1), fault: None });
            },
            &["LOCK-1", "LOCK-3"],
        ),
        (
            "granted unasked",
            |f| edit!(f, LeaseGranted, 1, |e| e.lease = LeaseId(u32::MAX)),
            &["LOCK-1", "LOCK-2", "LOCK-3"],
        ),
    ]);
}

#[test]
fn stale_fences_never_land() {
    check_all(&[
        ("a fence that does not grow", |f| edit!(f, LeaseGranted, 1, |e| e.fence = Fence(1)), &["LOCK-2"]),
        ("raised at too few resources", |f| edit!(f, FenceRaised, 0, |e| e.resources.truncate(1)), &["LOCK-2"]),
        ("never raised", |f| f.remove("FenceRaised", 1), &["LOCK-2"]),
        ("intended against old fences", |f| edit!(f, ChangeIntended, 2, |e| e.fences = None), &["LOCK-2"]),
        ("used with another fence", |f| edit!(f, ChangeSubmitted, 2, |e| e.fence = Some(Fence(1))), &["LOCK-2"]),
        (
            "used by another change",
            |f| edit!(f, LeaseRequested, 1, |e| e.change = ChangeId::of(TaskId(2), 2)),
            &["LOCK-2", "LOCK-3", "HAND-1"],
        ),
        (
            "the ref points elsewhere",
            |f| {
                let other = f.blob("x");
                f.set_ref("refs/baton/fences", other)
            },
            &["LOCK-2"],
        ),
        (
            "landed without a lease",
            |f| {
                edit!(f, ChangeSubmitted, 1, |e| (e.lease, e.fence) = (None, None));
            },
            &["MAIN-2", "LOCK-2"],
        ),
        (
            "overtaken before it landed",
            |f| {
                let from = f.at("SegmentClosed", 0);
                let until = f.at("PauseRequested", 0);
                let newer: Vec<Record> = f.records.drain(from + 1..until).collect();
                let fences = match &newer[2].event {
                    Event::FenceRaised(raised) => raised.fences,
                    _ => unreachable!(),
                };
                for (place, newer) in newer.into_iter().enumerate() {
                    let at = f.at("ChangeSubmitted", 1);
                    f.records.insert(at + 1 + place, Record { t_us: f.records[at].t_us, ..newer });
                }
                if let Event::ChangeIntended(intended) = f.event("ChangeIntended", 1) {
                    intended.fences = Some(fences)
                }
            },
            &["LOCK-1", "LOCK-2", "LOCK-3"],
        ),
    ]);
}

#[test]
fn nobody_overtakes_and_nobody_is_forgotten() {
    fn ask(lane: u32, task: u32) -> Record {
        record(
            Actor::Supervisor,
            Some(lane),
            Some(task),
            Event::SlotRequested(SlotRequested { endpoint: EndpointId(0), key: EffectKey(9), bound: Bound::default() }),
        )
    }
    fn wait_for_lease(f: &mut Folder, after: (&str, usize), lease: u32) {
        let asked = LeaseRequested {
            lease: LeaseId(lease),
            change: ChangeId::of(TaskId(2), 2),
            resources: vec![ResourceId(0)],
            ttl_us: 1,
        };
        f.insert_after(after.0, after.1, record(Actor::Supervisor, Some(0), Some(2), Event::LeaseRequested(asked)));
    }
    check_all(&[
        (
            "the second in line gets the slot",
            |f| {
                let (first, second) = (f.at("SlotRequested", 0), f.at("SlotRequested", 1));
                let (one, other) = (f.records[first].clone(), f.records[second].clone());
                f.records[first] = Record { t_us: one.t_us, ..other.clone() };
                f.records[second] = Record { t_us: other.t_us, ..one };
            },
            &["LOCK-3", "BUDGET-1", "LOG-2"],
        ),
        (
            "more slots than there are",
            |f| {
                let place = f.at("SlotReleased", 0);
                let released = f.records.remove(place);
                f.insert_after("EffectDone", 1, released);
            },
            &["LOCK-3"],
        ),
        ("a slot unasked", |f| f.remove("SlotRequested", 1), &["LOCK-3", "BUDGET-1", "LOG-2"]),
        (
            "a slot is given back twice",
            |f| {
                let again = f.records[f.at("SlotReleased", 1)].clone();
                f.insert_after("SlotReleased", 1, again);
            },
            &["LOCK-3"],
        ),
        ("a request for a slot is forgotten", |f| f.insert_after("TaskAssigned", 3, ask(0, 2)), &["LOCK-3"]),
        ("a request for a lease is forgotten", |f| wait_for_lease(f, ("LeaseReleased", 1), 2), &["LOCK-3"]),
        (
            "a lease overtakes",
            |f| {
                wait_for_lease(f, ("FenceRaised", 0), 1);
                edit!(f, LeaseRequested, 2, |e| e.lease = LeaseId(2));
                edit!(f, LeaseGranted, 1, |e| e.lease = LeaseId(2));
                edit!(f, FenceRaised, 1, |e| e.lease = LeaseId(2));
                edit!(f, ChangeSubmitted, 2, |e| e.lease = Some(LeaseId(2)));
                edit!(f, LeaseReleased, 1, |e| e.lease = LeaseId(2));
                let ended = Event::LeaseReleased(LeaseReleased { lease: LeaseId(1), fence: None, fault: None });
                f.insert_after("LeaseReleased", 1, record(Actor::Supervisor, Some(0), Some(2), ended));
            },
            &["LOCK-3", "HAND-1"],
        ),
    ]);
}
