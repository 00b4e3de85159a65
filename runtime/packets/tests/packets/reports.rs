//! Conflict reports: what is read, what is refused and where, what their schema says of the same, and what is held against a run.

use crate::ground::Memory;
use crate::{BASE, ZEROS};
use baton_packets::{ConflictReport, Flaw, REPORT_SCHEMA, compare_report, is_report, read_report};
use jsonschema::Validator;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};
use std::cell::Cell;

/// A report with something of everything in it.
fn good() -> Value {
    json!({
        "v": 1, "run": "00c0ffee00c0ffee", "task": "T-17", "change": "C-17.2", "lane": "writer.3", "packet": ZEROS,
        "base": BASE, "main": "1".repeat(40),
        "paths": [
            { "path": "a", "landed": [{ "change": "C-4.1", "task": "T-4", "lane": "writer.1", "packet": ZEROS }] },
            { "path": "b", "landed": [] },
        ],
        "conflicts": [
            { "path": "a", "kind": "content", "hunks": [{ "line": 3, "main": ["x"], "change": [] }], "cut": 1 },
            { "path": "b", "kind": "modify/delete", "hunks": [] },
        ],
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut report = good();
    let (above, last) = pointer.rsplit_once('/').unwrap();
    let above = report.pointer_mut(above).unwrap();
    match (above.as_array_mut(), last.parse::<usize>()) {
        (Some(items), Ok(at)) => items[at] = value,
        _ if value.is_null() => drop(above.as_object_mut().unwrap().remove(last)),
        _ => above[last] = value,
    }
    report
}

fn flaws_of(report: &Value) -> Vec<String> {
    let told = |flaw: &Flaw| format!("{} {}", flaw.code, flaw.pointer);
    read_report(report.to_string().as_bytes()).err().unwrap_or_default().iter().map(told).collect()
}

/// What stands there instead, and the flaw of it.
fn cases() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("/v", json!(2), "E0408 /v"),
        ("/run", json!("0123"), "E0410 /run"),
        ("/task", json!("T-017"), "E0410 /task"),
        ("/change", json!("C-18.1"), "E0418 /change"),
        ("/lane", json!("writer"), "E0410 /lane"),
        ("/packet", json!("none"), "E0410 /packet"),
        ("/base", json!("main"), "E0410 /base"),
        ("/main", json!("HEAD"), "E0410 /main"),
        ("/paths", json!([]), "E0412 /paths"),
        ("/paths", json!({}), "E0407 /paths"),
        ("/paths/0/path", json!(""), "E0409 /paths/0/path"),
        ("/paths/1/path", json!("a"), "E0418 /paths/1/path"),
        ("/paths/1/landed", Value::Null, "E0406 /paths/1"),
        ("/paths/0/more", json!(1), "E0405 /paths/0/more"),
        ("/paths/0/landed/0/task", json!("T-5"), "E0418 /paths/0/landed/0/change"),
        ("/paths/0/landed/0/lane", json!(""), "E0410 /paths/0/landed/0/lane"),
        ("/paths/0/landed/0/packet", json!(7), "E0407 /paths/0/landed/0/packet"),
        ("/conflicts", json!([]), "E0412 /conflicts"),
        ("/conflicts/0/kind", json!(""), "E0409 /conflicts/0/kind"),
        ("/conflicts/0/cut", json!(0), "E0412 /conflicts/0/cut"),
        ("/conflicts/0/hunks/0/line", json!(0), "E0412 /conflicts/0/hunks/0/line"),
        ("/conflicts/0/hunks/0/line", json!(1.5), "E0412 /conflicts/0/hunks/0/line"),
        ("/conflicts/0/hunks/0/main", json!([]), "E0418 /conflicts/0/hunks/0"),
        ("/conflicts/0/hunks/0/main", json!([1]), "E0407 /conflicts/0/hunks/0/main/0"),
        ("/conflicts/1/hunks", Value::Null, "E0406 /conflicts/1"),
    ]
}

#[test]
fn what_is_written_is_read_again() {
    let report = read_report(good().to_string().as_bytes()).unwrap();
    assert_eq!(ConflictReport::read(&report.write()), Ok(report.clone()));
    assert_eq!(serde_json::from_slice::<Value>(&report.write()).unwrap(), good());
}

#[test]
fn every_flaw_is_found_where_it_stands_and_all_of_them_at_once() {
    let mut all = good();
    for (pointer, value, flaw) in cases() {
        assert_eq!(flaws_of(&with(pointer, value)), [flaw], "{pointer}");
    }
    for key in ["v", "run", "task", "change", "lane", "base", "main", "paths", "conflicts"] {
        assert_eq!(flaws_of(&with(&format!("/{key}"), Value::Null)), ["E0406 "], "{key}");
    }
    (all["v"], all["lane"], all["paths"][0]["landed"][0]["task"]) = (json!(2), json!(1), json!("T"));
    assert_eq!(flaws_of(&all), ["E0407 /lane", "E0410 /paths/0/landed/0/task", "E0408 /v"]);
    let twice = good().to_string().replacen("\"v\":1", "\"v\":1,\"v\":1", 1);
    assert_eq!(read_report(twice.as_bytes()).unwrap_err()[0].code, "E0404");
    assert_eq!(read_report(b"{").unwrap_err()[0].code, "E0402");
}

#[test]
fn a_report_is_told_from_a_packet() {
    assert!(is_report(good().to_string().as_bytes()));
    assert!(is_report(b"{\"paths\":[]}"));
    assert!(!is_report(crate::good().to_string().as_bytes()));
    assert!(!is_report(b"{}") && !is_report(b"{\"paths\":[],\"checklist\":[]}") && !is_report(b"paths"));
}

fn schema() -> Validator {
    let schema: Value = serde_json::from_str(REPORT_SCHEMA).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    jsonschema::validator_for(&schema).unwrap()
}

/// Whether both agree about a value, but for what its parts say about each other; how it was judged.
#[track_caller]
fn agree(schema: &Validator, value: &Value) -> (bool, bool) {
    let (valid, flaws) = (schema.is_valid(value), flaws_of(value));
    assert!(valid || !flaws.is_empty(), "the reader accepts what the schema refuses: {value}");
    let beyond = flaws.iter().all(|flaw| flaw.starts_with("E0418"));
    assert!(!valid || beyond, "the schema lets pass what the reader refuses as {flaws:?}: {value}");
    (valid, flaws.is_empty())
}

#[test]
fn reader_and_schema_agree_about_reports() {
    let schema = schema();
    assert_eq!(agree(&schema, &good()), (true, true));
    for (pointer, value, flaw) in cases() {
        assert_eq!(agree(&schema, &with(pointer, value)), (flaw.starts_with("E0418"), false), "{pointer}");
    }
    let (both, neither) = (Cell::new(0), Cell::new(0));
    let config = Config { cases: 4_000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..Config::default() };
    let choices = proptest::collection::vec(proptest::num::u32::ANY, 1..9);
    TestRunner::new(config)
        .run(&(choices, ".{0,12}"), |(choices, text)| {
            let mut report = good();
            let mut choices = choices.into_iter();
            while choices.len() > 0 {
                crate::schema::change(&mut report, &mut choices, &text);
            }
            match agree(&schema, &report) {
                (true, true) => both.set(both.get() + 1),
                (false, false) => neither.set(neither.get() + 1),
                _ => {}
            }
            Ok(())
        })
        .unwrap();
    assert!(both.get() > 20 && neither.get() > 1_000, "{} and {}", both.get(), neither.get());
}

#[test]
fn a_report_is_held_against_the_one_that_its_run_names() {
    let mut store = Memory::default();
    let packet = store.put(crate::good().to_string().as_bytes());
    let mut told = with("/packet", json!(packet));
    told["paths"][0]["landed"][0]["packet"] = json!(packet);
    let own = read_report(told.to_string().as_bytes()).unwrap();
    let named = store.put(&own.write());
    let flaws = |report: &ConflictReport, run: &str, named: Option<&str>| -> Vec<String> {
        let flaws = compare_report(report, (run, named), &store);
        flaws.iter().map(|flaw| format!("{} {}", flaw.code, flaw.pointer)).collect()
    };
    let run = "00c0ffee00c0ffee";
    assert_eq!(flaws(&own, run, Some(&named)), Vec::<String>::new());
    assert_eq!(flaws(&own, "another", Some(&named)), ["E0422 /run"]);
    assert_eq!(flaws(&own, run, None), ["E0423 /change"]);
    assert_eq!(flaws(&own, run, Some(ZEROS)), ["E0419 /change"]);
    let mut other = own.clone();
    other.conflicts[0].hunks[0].change.push("forged".to_owned());
    other.packet = Some("1".repeat(64));
    assert_eq!(flaws(&other, run, Some(&named)), ["E0423 /conflicts", "E0423 /packet", "E0419 /packet"]);
}
