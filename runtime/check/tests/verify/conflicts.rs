//! What a refused lane is told of a conflict. Each report is put into the store anew under its own hash, and named by the journal.

use crate::check;
use crate::folder::*;
use crate::forgery::*;
use crate::story::conflict;
use baton_record::Event;
use baton_record::event::*;
use serde_json::{Value, json};

/// Tells the lane something else, under a hash that is right.
fn retell(f: &mut Folder, change: impl FnOnce(&mut Value)) {
    let mut report = conflict(f);
    change(&mut report);
    let digest = f.put(report.to_string().as_bytes());
    let Event::ChangeRefused(refused) = f.event("ChangeRefused", 0) else { unreachable!() };
    refused.report = Some(digest);
}

fn place_of(f: &mut Folder) -> std::path::PathBuf {
    let Event::ChangeRefused(refused) = f.event("ChangeRefused", 0) else { unreachable!() };
    let digest = refused.report.clone().unwrap();
    f.path().join(CONTENT).join(&digest[..2]).join(&digest[2..])
}

#[test]
fn a_lie_in_a_conflict_report_is_seen() {
    let foreign = "0".repeat(40);
    let lies: [(&str, Value); 16] = [
        ("/v", json!(2)),
        ("/run", json!("0011223344556677")),
        ("/task", json!("T-1")),
        ("/change", json!("C-2.2")),
        ("/lane", json!("implementer.2")),
        ("/base", json!(foreign)),
        ("/main", json!(foreign)),
        ("/paths/0/path", json!("a.txt")),
        ("/paths/0/landed", json!([])),
        ("/paths/0/landed/0/lane", json!("implementer.1")),
        ("/paths/0/landed/0/change", json!("C-0.1")),
        ("/conflicts", json!([])),
        ("/conflicts/0/kind", json!("")),
        ("/conflicts/0/hunks/0/main", json!(["what was never there"])),
        ("/conflicts/0/hunks/0/more", json!(1)),
        ("/more", json!(1)),
    ];
    for (pointer, lie) in lies {
        let (above, key) = pointer.rsplit_once('/').unwrap();
        check(pointer, |f| retell(f, |report| report.pointer_mut(above).unwrap()[key] = lie), &["MAIL-1"]);
    }
    check(
        "who came earlier",
        |f| {
            retell(f, |report| {
                let earlier = json!({ "change": "C-0.1", "task": "T-0", "lane": "implementer.1" });
                report["paths"][0]["landed"].as_array_mut().unwrap().insert(0, earlier);
            })
        },
        &["MAIL-1"],
    );
}

#[test]
fn a_conflict_report_that_is_gone_altered_or_of_no_conflict_is_seen() {
    check_all(&[
        ("no report is named", |f| edit!(f, ChangeRefused, 0, |e| e.report = None), &["MAIL-1"]),
        (
            "what is named is no digest",
            |f| edit!(f, ChangeRefused, 0, |e| e.report = Some("report".into())),
            &["MAIL-1"],
        ),
        ("it is not there", |f| std::fs::remove_file(place_of(f)).unwrap(), &["MAIL-1"]),
        (
            "it is another than its hash says",
            |f| std::fs::write(place_of(f), conflict(f).to_string() + " ").unwrap(),
            &["MAIL-1"],
        ),
        (
            "it is no JSON",
            |f| {
                let digest = f.put(b"conflict");
                let Event::ChangeRefused(refused) = f.event("ChangeRefused", 0) else { unreachable!() };
                refused.report = Some(digest);
            },
            &["MAIL-1"],
        ),
    ]);
}
