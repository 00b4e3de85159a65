//! The form: every rule of it by at least one case.

use crate::{BASE, ZEROS, flaws_of, good, with};
use baton_packets::{ItemState, LinkKind, Purpose, codes, explain, locate, read};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Where what is put, and the flaws of that. `null` takes away.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
pub fn cases() -> Vec<(&'static str, Value, &'static [&'static str])> {
    let long = |count: usize| Value::from("x".repeat(count));
    let many = |count: usize, one: Value| Value::from(vec![one; count]);
    let item = json!({ "claim": "c", "state": "open", "evidence": [] });
    let link = json!({ "what": "l", "kind": "content", "digest": ZEROS, "bytes": 0 });
    vec![
        ("/previous", json!(ZEROS), &[]),
        ("/progress", Value::Null, &[]),
        ("/risks", json!([]), &[]),
        ("/stop", long(256), &[]),
        ("/stop", json!("ümläut 🙂"), &[]),
        ("/to", json!("r2-d2"), &[]),
        ("/base", json!(ZEROS), &[]),
        ("/links/2/at", json!("http://127.0.0.1:8080"), &[]),
        ("/links/1/at", json!("..a/b c/...git"), &[]),
        ("/checklist/1/evidence", json!([1]), &[]),
        ("/v", Value::Null, &["E0406 "]),
        ("/v", json!(2), &["E0408 /v"]),
        ("/v", json!("1"), &["E0407 /v"]),
        ("/v", json!(-1), &["E0412 /v"]),
        ("/v", json!(1.0), &[]),
        ("/v", json!(1.5), &["E0412 /v"]),
        ("/v", json!(1e300), &["E0412 /v"]),
        ("/checklist/1/evidence", json!([1.0]), &[]),
        ("/checklist/1/evidence", json!([1, 1.0]), &["E0415 /checklist/1/evidence/1"]),
        ("/run", json!("00C0FFEE00C0FFEE"), &["E0410 /run"]),
        ("/run", json!("00c0ffee"), &["E0410 /run"]),
        ("/task", json!("T-017"), &["E0410 /task"]),
        ("/task", json!("17"), &["E0410 /task"]),
        ("/task", json!("T-18"), &["E0418 /change"]),
        ("/task", json!("T-99999999"), &["E0410 /task"]),
        ("/from", json!("implementer"), &["E0410 /from"]),
        ("/from", json!("implementer.0"), &["E0410 /from"]),
        ("/to", json!("Reviewer"), &["E0410 /to"]),
        ("/to", long(65), &["E0410 /to"]),
        ("/purpose", json!("reviews"), &["E0411 /purpose"]),
        ("/purpose", json!(1), &["E0407 /purpose"]),
        ("/base", json!("main"), &["E0410 /base"]),
        ("/base", Value::Null, &["E0418 /links/1"]),
        ("/change", json!("C-17"), &["E0410 /change"]),
        ("/change", json!("C-17.0"), &["E0410 /change"]),
        ("/checklist", json!([]), &["E0412 /checklist"]),
        ("/checklist", many(256, item.clone()), &[]),
        ("/checklist", many(257, item), &["E0412 /checklist"]),
        ("/checklist/0", json!("done"), &["E0407 /checklist/0"]),
        ("/checklist/0/claim", json!(""), &["E0409 /checklist/0/claim"]),
        ("/checklist/0/claim", long(1_025), &["E0409 /checklist/0/claim"]),
        ("/checklist/0/claim", json!("two\nlines"), &["E0409 /checklist/0/claim"]),
        ("/checklist/0/claim", json!("\u{1b}[2J"), &["E0409 /checklist/0/claim"]),
        ("/checklist/0/claim", json!("right \u{202e} left"), &["E0409 /checklist/0/claim"]),
        ("/checklist/0/state", json!("Done"), &["E0411 /checklist/0/state"]),
        ("/checklist/0/evidence", json!([]), &["E0414 /checklist/0"]),
        ("/checklist/0/evidence", json!([2]), &["E0414 /checklist/0"]),
        ("/checklist/0/evidence", json!([0, 3]), &["E0415 /checklist/0/evidence/1"]),
        ("/checklist/0/evidence", json!([0, 0]), &["E0415 /checklist/0/evidence/1"]),
        ("/checklist/0/evidence", json!([3]), &["E0414 /checklist/0", "E0415 /checklist/0/evidence/0"]),
        ("/checklist/0/evidence", json!(["0"]), &["E0407 /checklist/0/evidence/0"]),
        ("/checklist/0/evidence", json!([256]), &["E0412 /checklist/0/evidence/0"]),
        ("/checklist/0/evidence", json!([0.5]), &["E0412 /checklist/0/evidence/0"]),
        ("/checklist/0/because", json!("I say so"), &["E0405 /checklist/0/because"]),
        ("/links", many(257, link), &["E0412 /links"]),
        ("/links/0/what", json!("diff"), &["E0418 /links"]),
        ("/links/0/kind", json!("blob"), &["E0411 /links/0/kind"]),
        ("/links/0/at", json!("x"), &["E0405 /links/0/at"]),
        ("/links/0/bytes", Value::Null, &["E0406 /links/0"]),
        ("/links/0/bytes", json!(67_108_865), &["E0412 /links/0/bytes"]),
        ("/links/0/digest", json!(BASE), &["E0410 /links/0/digest"]),
        ("/links/1/bytes", json!(3), &["E0405 /links/1/bytes"]),
        ("/links/1/at", json!("/etc/passwd"), &["E0413 /links/1/at"]),
        ("/links/1/at", json!("a/../../b"), &["E0413 /links/1/at"]),
        ("/links/1/at", json!("./a"), &["E0413 /links/1/at"]),
        ("/links/1/at", json!("a//b"), &["E0413 /links/1/at"]),
        ("/links/1/at", json!("a/"), &["E0413 /links/1/at"]),
        ("/links/1/at", json!(".GIT/config"), &["E0413 /links/1/at"]),
        ("/links/1/at", json!("a\u{0}b"), &["E0413 /links/1/at"]),
        ("/links/1/at", json!(""), &["E0413 /links/1/at"]),
        ("/links/1/at", long(1_025), &["E0413 /links/1/at"]),
        ("/links/2/at", json!("ftp://example.org"), &["E0413 /links/2/at"]),
        ("/links/2/at", json!("https://"), &["E0413 /links/2/at"]),
        ("/links/2/at", json!("https://ana:secret@example.org/x"), &["E0413 /links/2/at"]),
        ("/links/2/at", json!("https://example.org/a b"), &["E0413 /links/2/at"]),
        ("/links/2/at", json!("javascript:alert(1)"), &["E0413 /links/2/at"]),
        ("/risks", json!("none"), &["E0407 /risks"]),
        ("/risks", many(65, json!("r")), &["E0412 /risks"]),
        ("/risks/0", long(2_049), &["E0409 /risks/0"]),
        ("/questions", json!(null), &["E0406 "]),
        ("/decisions/1/overrides", json!([]), &["E0412 /decisions/1/overrides"]),
        ("/decisions/1/overrides", json!(["gmt"]), &["E0416 /decisions/1/overrides"]),
        ("/decisions/1/overrides", json!(["local"]), &["E0417 /decisions/1"]),
        ("/decisions/0/overrides", json!(["local"]), &["E0417 /decisions/0", "E0417 /decisions/1"]),
        ("/decisions/1/id", json!("utc"), &["E0417 /decisions/0", "E0417 /decisions/1", "E0416 /decisions/1/id"]),
        ("/decisions/0/id", json!("UTC"), &["E0410 /decisions/0/id"]),
        ("/decisions/0/why", json!(""), &["E0405 /decisions/0/why"]),
        ("/progress/done", json!(4), &["E0418 /progress"]),
        ("/progress/of", json!(1_000_001), &["E0412 /progress/of"]),
        ("/progress/eta", json!(1), &["E0405 /progress/eta"]),
        ("/stop", json!(""), &["E0409 /stop"]),
        ("/previous", json!(BASE), &["E0410 /previous"]),
        ("/a~1b", json!(1), &["E0405 /a~01b"]),
    ]
}

#[test]
fn a_good_packet_is_read_as_it_stands_and_written_as_it_was_read() {
    let packet = read(good().to_string().as_bytes()).unwrap();
    assert_eq!((packet.purpose, packet.links[1].kind), (Purpose::Review, LinkKind::File));
    assert_eq!(packet.checklist[2].state, ItemState::NotChecked);
    assert_eq!(read(&packet.to_json()).unwrap(), packet);
    let written: Value = serde_json::from_slice(&packet.to_json()).unwrap();
    assert_eq!(written, good(), "nothing is lost, and nothing is added");
}

#[test]
fn every_rule_is_told_where_it_is_broken() {
    let mut wrong = String::new();
    for (pointer, value, expected) in cases() {
        let found = flaws_of(with(pointer, value.clone()).to_string().as_bytes());
        if found != expected {
            wrong += &format!("{pointer} {value:.60}\n expected {expected:?}\n    found {found:?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn all_flaws_are_told_at_once_and_in_the_order_of_the_text() {
    let text = r#"{ "v": 1, "v": 1, "run": 7, "tsk": "T-1", "from": "a.1", "to": "B", "purpose": "review",
        "change": "C-1.1", "checklist": [ { "claim": 1, "state": "done", "evidence": [null] } ], "links": {},
        "risks": [], "decisions": [], "questions": [""], "stop": "" }"#;
    let expected = [
        "E0406 ",
        "E0404 /v",
        "E0407 /run",
        "E0405 /tsk",
        "E0410 /to",
        "E0407 /checklist/0/claim",
        "E0407 /checklist/0/evidence/0",
        "E0407 /links",
        "E0409 /questions/0",
        "E0409 /stop",
    ];
    assert_eq!(flaws_of(text.as_bytes()), expected);
    let flaws = read(text.as_bytes()).unwrap_err();
    let at = |code: &str| text[flaws.iter().find(|flaw| flaw.code == code).unwrap().span.clone()].to_owned();
    assert_eq!([at("E0404"), at("E0405"), at("E0410")], [r#""v""#, r#""tsk""#, r#""B""#]);
    assert_eq!(locate(text.as_bytes(), "/checklist/0/state").map(|span| &text[span]), Some(r#""done""#));
}

#[test]
fn what_is_no_json_is_told_with_its_first_wrong_byte() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for (text, expected, at) in [
        ("", "E0402 ", 0),
        ("{", "E0402 ", 1),
        ("{\"v\": 1,}", "E0402 ", 8),
        ("{\"v\": 01}", "E0402 ", 6),
        ("{'v': 1}", "E0402 ", 1),
        ("{\"v\": 1} x", "E0402 ", 9),
        ("{\"v\": \"\\ud800\"}", "E0402 ", 13),
        ("{\"v\": \"a\nb\"}", "E0402 ", 8),
        ("{\"v\": nul}", "E0402 ", 6),
        ("\u{feff}{}", "E0402 ", 0),
        (deep(17).as_str(), "E0407 ", 0),
        (deep(18).as_str(), "E0403 ", 17),
        (deep(30_000).as_str(), "E0403 ", 17),
        ("[]", "E0407 ", 0),
        ("null", "E0407 ", 0),
    ] {
        let flaws = read(text.as_bytes()).unwrap_err();
        let told: Vec<_> =
            flaws.iter().map(|flaw| (format!("{} {}", flaw.code, flaw.pointer), flaw.span.start)).collect();
        assert_eq!(told, [(expected.to_owned(), at)], "{text:.40}");
    }
    assert_eq!(flaws_of(b"{\"v\": \"\xff\"}"), ["E0402 "]);
    let escaped = with("/stop", json!("STOP")).to_string().replace("STOP", r"\u00fc \ud83d\ude42 \/ \\ \u0022");
    assert_eq!(read(escaped.as_bytes()).unwrap().stop, "ü 🙂 / \\ \"");
}

#[test]
fn a_packet_has_sixty_four_kibibytes_and_no_byte_more() {
    let text = good().to_string();
    let padded = |bytes: usize| format!("{text}{}", " ".repeat(bytes - text.len()));
    assert!(read(padded(65_536).as_bytes()).is_ok());
    assert_eq!(flaws_of(padded(65_537).as_bytes()), ["E0401 "]);
    let keys: String = (0..5_000).map(|at| format!("\"k{at}\":1,")).collect();
    let flooded = text.replacen('{', &format!("{{{keys}"), 1);
    assert_eq!(flaws_of(flooded.as_bytes()).len(), 100, "the others are of no use before these are mended");
}

#[test]
fn every_code_is_given_by_a_case_or_by_what_links_lead_to() {
    let of_cases = cases().into_iter().flat_map(|(.., told)| told.iter().copied());
    let elsewhere = ["E0401", "E0402", "E0403", "E0404", "E0419", "E0420", "E0421", "E0422", "E0423"];
    let given: BTreeSet<&str> = of_cases.map(|told| told.split(' ').next().unwrap()).chain(elsewhere).collect();
    assert_eq!(codes().collect::<BTreeSet<_>>(), given);
    assert!(codes().all(|code| explain(code).unwrap().len() > 80));
}
