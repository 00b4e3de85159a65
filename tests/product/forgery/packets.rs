//! Packets in the place of others: whatever was accepted is whole and true, and whatever was refused is not, also where the
//! store, the journal and `run.json` agree about it.

use crate::forgery::copy;
use crate::forgery::matrix::Run;
use baton_check::verify;
use baton_record::Event;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn place_of(run: &Path, digest: &str) -> PathBuf {
    run.join("content").join(&digest[..2]).join(&digest[2..])
}

/// What stands in the packet's place, as bytes.
type Deed = (&'static str, fn(Value) -> Vec<u8>);

fn with(mut packet: Value, pointer: &str, value: Value) -> Vec<u8> {
    let (above, key) = pointer.rsplit_once('/').unwrap();
    match packet.pointer_mut(above).unwrap() {
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        fields => fields[key] = value,
    }
    packet.to_string().into_bytes()
}

const DEEDS: [Deed; 22] = [
    ("is no JSON", |packet| [packet.to_string().as_bytes(), b"}"].concat()),
    ("is too large", |packet| [packet.to_string().into_bytes(), vec![b' '; 70_000]].concat()),
    ("has an unknown key", |packet| with(packet, "/colour", json!(1))),
    ("has a key twice", |packet| packet.to_string().replacen('{', "{\"v\":1,", 1).into_bytes()),
    ("has another version", |packet| with(packet, "/v", json!(2))),
    ("is of another run", |packet| with(packet, "/run", json!("00c0ffee00c0ffee"))),
    ("is from another lane", |packet| with(packet, "/from", json!("implementer.9"))),
    ("is for another role", |packet| with(packet, "/to", json!("writer"))),
    ("has another purpose", |packet| with(packet, "/purpose", json!("successor"))),
    ("claims nothing", |packet| with(packet, "/checklist", json!([]))),
    ("claims without evidence", |packet| with(packet, "/checklist/0/evidence", json!([]))),
    ("has evidence that is not there", |packet| with(packet, "/checklist/0/evidence", json!([0, 99]))),
    ("has a claim of two lines", |packet| with(packet, "/checklist/0/claim", json!("a\nb"))),
    ("links to nothing", |packet| with(packet, "/links/0/digest", json!("0".repeat(64)))),
    ("lies about a size", |packet| with(packet, "/links/0/bytes", json!(1))),
    ("has another base", |packet| with(packet, "/base", json!("0".repeat(40)))),
    ("has a link upwards", |packet| {
        let link = json!({ "what": "x", "kind": "file", "at": "../x", "digest": "0".repeat(40) });
        let links = [packet["links"].as_array().unwrap().as_slice(), &[link]].concat();
        with(packet, "/links", links.into())
    }),
    ("links to another file", |packet| {
        let link = json!({ "what": "x", "kind": "file", "at": "README.md", "digest": "0".repeat(40) });
        let links = [packet["links"].as_array().unwrap().as_slice(), &[link]].concat();
        with(packet, "/links", links.into())
    }),
    ("overrides what nobody decided", |packet| {
        with(packet, "/decisions", json!([{ "id": "a", "text": "a", "overrides": ["b"] }]))
    }),
    ("overrides itself", |packet| with(packet, "/decisions", json!([{ "id": "a", "text": "a", "overrides": ["a"] }]))),
    ("comes behind a packet that is not there", |packet| with(packet, "/previous", json!("f".repeat(64)))),
    ("has more calls done than there are", |packet| with(packet, "/progress", json!({ "done": 9, "of": 1 }))),
];

#[test]
fn a_packet_that_is_accepted_is_whole_and_true_and_one_that_is_refused_is_not() {
    let place = tempfile::tempdir().unwrap();
    let run = Run::of(place.path(), "bad-packet");
    let forged = place.path().join("forged");
    copy(&run.folder, &forged);
    let answered = |at: usize| &run.records[at + 1].event;
    let offers: Vec<usize> =
        (0..run.records.len()).filter(|at| matches!(run.records[*at].event, Event::PacketOffered(_))).collect();
    let swapped = |at: usize, bytes: &[u8]| {
        let digest = hash(bytes);
        let file = place_of(&forged, &digest);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
        let mut records = run.records.clone();
        let Event::PacketOffered(offered) = &mut records[at].event else { panic!("no offer") };
        (offered.digest, offered.bytes) = (digest, bytes.len() as u64);
        run.write(&forged, &records);
        verify(&forged).unwrap()
    };
    let read = |at: usize| -> Vec<u8> {
        let Event::PacketOffered(offered) = &run.records[at].event else { panic!("no offer") };
        std::fs::read(place_of(&run.folder, &offered.digest)).unwrap()
    };
    let is_seen = |report: &baton_check::Report| {
        report.promises.iter().any(|promise| promise.id == "HAND-2" && promise.status == baton_check::Status::Broken)
    };
    // The last: nothing else is made from it that would be missed.
    let accepted = *offers.iter().rfind(|at| matches!(answered(**at), Event::PacketAccepted(_))).unwrap();
    let whole = read(accepted);
    assert!(swapped(accepted, &whole).intact, "the same again is no forgery");
    let packet: Value = serde_json::from_slice(&whole).unwrap();
    for (what, deed) in DEEDS {
        let report = swapped(accepted, &deed(packet.clone()));
        assert!(is_seen(&report), "a packet was accepted that {what}");
    }
    for refused in offers.into_iter().filter(|at| matches!(answered(*at), Event::PacketRefused(_))) {
        let mut mended = run.records[refused..].iter();
        let next = mended.position(|record| {
            matches!(record.event, Event::PacketAccepted(_)) && record.task == run.records[refused].task
        });
        let whole = read(refused + next.unwrap() - 1);
        assert!(is_seen(&swapped(refused, &whole)), "a whole packet was refused");
    }
}

/// Where a context is full is said by the scenario alone: a lane hands on there, not earlier and not later.
#[test]
fn a_context_that_was_not_full_and_one_that_was_too_full_are_seen() {
    let place = tempfile::tempdir().unwrap();
    let run = Run::of(place.path(), "long-work");
    let file = run.folder.join("scenario.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    for (context, seen) in [("60000", None), ("90000", Some("would fit")), ("30000", Some("is its limit"))] {
        let other = text.replace("context: 60000", &format!("context: {context}"));
        std::fs::write(&file, &other).unwrap();
        let mut forged = run.clone();
        forged.put("RunStarted", 0, "/scenario_hash", json!(hash(other.as_bytes())));
        forged.write(&forged.folder, &forged.records);
        let report = verify(&forged.folder).unwrap();
        let hand_2 = report.promise("HAND-2").unwrap();
        assert_eq!(report.intact, seen.is_none(), "{context}: {report:?}");
        assert!(seen.is_none_or(|words| hand_2.detail.contains(words)), "{context}: {hand_2:?}");
    }
}
