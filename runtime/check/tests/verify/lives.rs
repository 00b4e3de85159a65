//! Order of a change's records, lives, faults, and the folder around the journal. Each forgery is chained and
//! summed anew, and must be caught by the promise that it breaks.

use crate::forgery::*;
use crate::{judge, story};
use baton_record::Event;
use baton_record::event::*;
use baton_record::ids::*;
use baton_record::line::Actor;
use std::fs;

#[test]
fn the_records_of_a_change_stand_in_their_order() {
    check_all(&[
        (
            "closed after it was submitted",
            |f| {
                let closed =
                    Event::ChangeWithdrawn(ChangeWithdrawn { change: ChangeId::of(TaskId(2), 1), fault: None });
                f.insert_after("ChangeSubmitted", 2, record(Actor::Merger, Some(0), Some(2), closed));
            },
            &["MAIL-1", "HAND-1"],
        ),
        (
            "intended after it landed",
            |f| {
                let again = f.records[f.at("ChangeIntended", 0)].clone();
                f.insert_after("ChangeLanded", 0, again);
            },
            &["MAIN-1", "MAIN-2", "MAIN-4", "MAIL-1"],
        ),
        (
            "refused for a gate that refused nothing",
            |f| edit!(f, ChangeRefused, 0, |e| e.reason = RefuseReason::Gate),
            &["MAIL-1"],
        ),
        (
            "refused as withdrawn while its lane lives",
            |f| edit!(f, ChangeRefused, 0, |e| e.reason = RefuseReason::Withdrawn),
            &["LOCK-3", "MAIL-1", "HAND-1"],
        ),
        (
            "merged although main was its base",
            |f| edit!(f, ChangeIntended, 0, |e| e.verdict = Verdict::Walk),
            &["MAIN-3"],
        ),
        (
            "a gate is named twice",
            |f| {
                let again = f.records[f.at("GateNamed", 0)].clone();
                f.insert_after("GateNamed", 0, again);
            },
            &["MAIN-4"],
        ),
        ("a lease for longer than asked", |f| edit!(f, LeaseGranted, 0, |e| e.until_us += 1), &["LOCK-1"]),
        (
            "an effect begins twice",
            |f| {
                let again = f.records[f.at("EffectIntended", 0)].clone();
                f.insert_after("EffectIntended", 0, again);
            },
            &["BUDGET-1", "LOG-2"],
        ),
        (
            "an effect ends that never began",
            |f| edit!(f, EffectDone, 0, |e| e.key = EffectKey(99)),
            &["BUDGET-2", "LOG-2"],
        ),
        ("a lane of an unknown model", |f| edit!(f, LaneJoined, 1, |e| e.model = EndpointId(9)), &["MAIL-1", "WHO-1"]),
    ]);
}

#[test]
fn who_is_started_again_was_dead_and_who_is_blamed_has_struck() {
    fn died() -> Event {
        Event::LaneDied(LaneDied { reason: DeathReason::Crashed, fault: None })
    }
    fn restarted(restarts: u32) -> Event {
        Event::LaneRestarted(LaneRestarted { restarts, fault: None })
    }
    fn add(f: &mut crate::folder::Folder, event: Event) {
        f.insert_after("TaskDone", 2, record(Actor::Supervisor, Some(0), None, event));
    }
    check_all(&[
        ("a life that ends and begins", |f| [restarted(1), died()].into_iter().for_each(|e| add(f, e)), &[]),
        ("two deaths", |f| [died(), died()].into_iter().for_each(|e| add(f, e)), &["LOG-2"]),
        ("a start without a death", |f| add(f, restarted(1)), &["LOG-2"]),
        ("a start left out", |f| [restarted(2), died()].into_iter().for_each(|e| add(f, e)), &["LOG-2"]),
        ("a fault that never struck", |f| edit!(f, ChangeRefused, 0, |e| e.fault = Some(FaultId(3))), &["LOG-2"]),
        (
            "an actor folds what is to come",
            |f| {
                let event = Event::ActorRestarted(ActorRestarted { restarts: 1, folded: 9999, fault: None });
                f.insert_after("TaskDone", 2, record(Actor::Merger, None, None, event));
            },
            &["LOG-2"],
        ),
    ]);
}

#[test]
fn what_lies_beside_the_journal_agrees_with_it() {
    for (name, text, broken) in [
        ("claims", "{\"seed\":8}", vec!["LOG-1"]),
        ("claims", "{\"scenario_hash\":\"00\"}", vec!["LOG-1"]),
        ("claims", "{\"seed\":7,\"stopped\":\"tasks-ended\",\"main\":{\"landed\":3,\"refused\":1}}", vec![]),
        ("claims", "{\"main\":{\"landed\":4}}", vec!["LOG-1"]),
        ("claims", "{\"spend\":{\"calls\":9}}", vec!["LOG-1"]),
        ("claims", "{\"faults\":[{\"id\":0,\"injected\":1,\"felt\":0}]}", vec!["LOG-1"]),
        ("claims", "{\"verdict\":\"held\",\"exit_code\":3}", vec!["LOG-1"]),
        ("claims", "{\"journal\":7}", vec!["LOG-1"]),
        ("scenario.yaml", "baton: 1\n", vec!["LOG-1"]),
        ("repo.git/objects/info/alternates", "/nowhere\n", vec!["MAIN-1"]),
        ("repo.git/refs/heads/main", "ref: refs/heads/other\n", vec!["MAIN-1"]),
        ("repo.git/HEAD", "ref: refs/heads/other\n", vec!["MAIN-1"]),
        ("repo.git/info/grafts", "", vec!["MAIN-1"]),
        ("repo.git/shallow", "", vec!["MAIN-1"]),
        ("repo.git/refs/heads/other", "0123456789012345678901234567890123456789\n", vec!["MAIN-1"]),
        ("repo.git/refs/tags/v1", "0123456789012345678901234567890123456789\n", vec!["MAIN-1"]),
        ("repo.git/refs/replace/0123456789012345678901234567890123456789", "", vec!["MAIN-1"]),
        ("repo.git/packed-refs", "0123456789012345678901234567890123456789 refs/tags/v1\n", vec!["MAIN-1"]),
        ("repo.git/refs/heads/main.lock", "", vec![]),
        ("repo.git/refs/baton/fences.lock", "ref: refs/heads/main\n", vec![]),
    ] {
        let folder = story::good();
        folder.write();
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if name == "claims" {
            folder.claim(&serde_json::from_str(text).unwrap());
        } else {
            fs::write(path, text).unwrap();
        }
        judge(&format!("{name}: {text}"), &folder, &broken);
    }
}

#[test]
fn nothing_follows_the_end_and_nothing_is_linked() {
    let folder = story::good();
    folder.write();
    let whole = fs::read(folder.segment(1)).unwrap();
    fs::write(folder.segment(1), [whole.as_slice(), b"{\"v\":1"].concat()).unwrap();
    judge("torn after the end", &folder, &["LOG-1"]);
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, whole).unwrap();
    fs::remove_file(folder.segment(1)).unwrap();
    std::os::unix::fs::symlink(elsewhere, folder.segment(1)).unwrap();
    judge("a linked segment", &folder, &["LOG-1"]);
}

#[test]
fn fences_hold_what_was_raised() {
    let mut folder = story::good();
    let forged = folder.blob("baton-fences 1\n1 src/**\n1 src/lib.rs\n");
    if let Event::FenceRaised(raised) = folder.event("FenceRaised", 1) {
        raised.fences = forged;
    }
    if let Event::ChangeIntended(intended) = folder.event("ChangeIntended", 2) {
        intended.fences = Some(forged);
    }
    folder.set_ref("refs/baton/fences", forged);
    folder.write();
    judge("an older fence", &folder, &["LOCK-2"]);
}
