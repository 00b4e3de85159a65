//! Conflict reports, and the packets that link them, in the place of others, and content that is gone: store, journal and
//! `run.json` may agree about it, and it is seen all the same.

use crate::forgery::copy;
use crate::forgery::matrix::Run;
use crate::reworked::content;
use baton_check::{Report, Status, verify};
use baton_record::Event;
use baton_record::line::Record;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

fn put(folder: &Path, bytes: &[u8]) -> String {
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let file = content(folder, &digest);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, bytes).unwrap();
    digest
}

fn broken(report: &Report, promise: &str) -> bool {
    report.promise(promise).is_some_and(|promise| promise.status == Status::Broken)
}

/// Every conflict's place in the journal, and its report.
fn conflicts(run: &Run) -> Vec<(usize, String)> {
    let report = |(at, record): (usize, &Record)| match &record.event {
        Event::ChangeRefused(refused) => Some((at, refused.report.clone()?)),
        _ => None,
    };
    run.records.iter().enumerate().filter_map(report).collect()
}

/// The last packet that links a report: the place of its offer, and itself.
fn linking(run: &Run) -> (usize, Value) {
    let offers = run.records.iter().enumerate().rev();
    let linking = offers.filter_map(|(at, record)| {
        let Event::PacketOffered(offered) = &record.event else { return None };
        let packet: Value =
            serde_json::from_slice(&std::fs::read(content(&run.folder, &offered.digest)).unwrap()).unwrap();
        let links = packet["links"].as_array().unwrap();
        links.iter().any(|link| link["what"] == "conflict-report").then_some((at, packet))
    });
    linking.into_iter().next().expect("some packet links a report")
}

#[test]
fn a_packet_links_the_report_of_its_own_task_and_no_other() {
    let place = tempfile::tempdir().unwrap();
    let run = Run::of(place.path(), "judged");
    let forged = place.path().join("forged");
    copy(&run.folder, &forged);
    let (at, packet) = linking(&run);
    let swapped = |packet: &Value| {
        let bytes = packet.to_string().into_bytes();
        let digest = put(&forged, &bytes);
        let mut records = run.records.clone();
        let Event::PacketOffered(offered) = &mut records[at].event else { panic!("no offer") };
        let before = std::mem::replace(&mut offered.digest, digest.clone());
        offered.bytes = bytes.len() as u64;
        for record in &mut records {
            if let Event::ChangeSubmitted(submitted) = &mut record.event
                && submitted.packet.as_ref() == Some(&before)
            {
                submitted.packet = Some(digest.clone());
            }
        }
        run.write(&forged, &records);
        verify(&forged).unwrap()
    };
    let links = packet["links"].as_array().unwrap();
    let place_of = links.iter().position(|link| link["what"] == "conflict-report").unwrap();
    let own = links[place_of]["digest"].as_str().unwrap();
    let (_, other) = conflicts(&run).into_iter().find(|(_, report)| report != own).unwrap();
    let mut another = packet.clone();
    another["links"][place_of]["digest"] = json!(other);
    another["links"][place_of]["bytes"] = json!(std::fs::metadata(content(&run.folder, &other)).unwrap().len());
    let mut unlinked = packet.clone();
    unlinked["links"][place_of]["what"] = json!("something");
    for (what, packet) in [("another report", another), ("no report", unlinked)] {
        assert!(broken(&swapped(&packet), "HAND-2"), "a packet was accepted that links {what}");
    }
}

#[test]
fn a_refusal_names_the_report_of_its_own_change_with_the_lines_that_main_had() {
    let place = tempfile::tempdir().unwrap();
    let run = Run::of(place.path(), "judged");
    let forged = place.path().join("forged");
    copy(&run.folder, &forged);
    let all = conflicts(&run);
    assert!(all.len() >= 2, "{} conflicts", all.len());
    // The last: no packet links it that would say so too.
    let (at, own) = all.last().unwrap();
    let swapped = |digest: &str| {
        let mut records = run.records.clone();
        let Event::ChangeRefused(refused) = &mut records[*at].event else { panic!("no refusal") };
        refused.report = Some(digest.to_owned());
        run.write(&forged, &records);
        verify(&forged).unwrap()
    };
    assert!(swapped(own).intact, "the same again is no forgery");
    assert!(broken(&swapped(&all[0].1), "MAIL-1"), "the report of another change");
    let report: Value = serde_json::from_slice(&std::fs::read(content(&run.folder, own)).unwrap()).unwrap();
    let deeds: [(&str, &str, Value); 6] = [
        ("/conflicts/0/hunks/0/change", "another line of the change", json!(["nobody wrote this"])),
        ("/conflicts/0/hunks/0/main", "another line of main", json!(["nobody wrote this"])),
        ("/packet", "another packet of its own", json!("0".repeat(64))),
        ("/paths/0/landed/0/packet", "another packet of who landed first", json!("0".repeat(64))),
        ("/paths/0/landed/0/lane", "another lane", json!("implementer.9")),
        ("/conflicts", "no conflict", json!([])),
    ];
    for (pointer, what, value) in deeds {
        let mut report = report.clone();
        *report.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        let digest = put(&forged, report.to_string().as_bytes());
        assert!(broken(&swapped(&digest), "MAIL-1"), "a report with {what}");
    }
    let mut without = report.clone();
    without.as_object_mut().unwrap().remove("packet");
    let digest = put(&forged, without.to_string().as_bytes());
    assert!(broken(&swapped(&digest), "MAIL-1"), "a report without its packet");
}

#[test]
fn content_that_is_gone_or_overwritten_is_missed_wherever_it_is_named() {
    let place = tempfile::tempdir().unwrap();
    let run = Run::of(place.path(), "judged");
    run.write(&run.folder, &run.records);
    assert!(verify(&run.folder).unwrap().intact);
    let (_, packet) = linking(&run);
    let links = packet["links"].as_array().unwrap();
    let link = |what: &str| links.iter().find(|link| link["what"] == what).unwrap()["digest"].as_str().unwrap();
    let change: Value = serde_json::from_slice(&std::fs::read(content(&run.folder, link("change"))).unwrap()).unwrap();
    let file = change["edits"][0]["content"].as_str().unwrap();
    let report = conflicts(&run).pop().unwrap().1;
    let named: [(&str, PathBuf, &str); 4] = [
        ("the report that a refusal names", content(&run.folder, &report), "MAIL-1"),
        ("the report that a packet links", content(&run.folder, link("conflict-report")), "HAND-2"),
        ("the change that a packet links", content(&run.folder, link("change")), "HAND-2"),
        ("a file of that change", content(&run.folder, file), "HAND-2"),
    ];
    for (what, path, promise) in named {
        let good = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(broken(&verify(&run.folder).unwrap(), promise), "{what} is gone");
        std::fs::write(&path, [b"x", &good[1..]].concat()).unwrap();
        assert!(broken(&verify(&run.folder).unwrap(), promise), "{what} is overwritten");
        std::fs::write(&path, &good).unwrap();
        assert!(verify(&run.folder).unwrap().intact, "{what} is there again");
    }
}
