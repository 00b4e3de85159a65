//! The published schema and the reader: whatever the schema refuses is refused, and what it lets pass is refused only for
//! what no schema can say.

use crate::forms::cases;
use crate::{flaws_of, good, with};
use baton_packets::{SCHEMA, read};
use jsonschema::Validator;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};
use std::cell::Cell;

fn schema() -> Validator {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    jsonschema::validator_for(&schema).unwrap()
}

/// Reasons that lie beyond a schema: what parts say about each other, and how the text is written.
const BEYOND: [&str; 6] = ["E0401", "E0414", "E0415", "E0416", "E0417", "E0418"];

/// Whether both agree about a value; how it was judged.
#[track_caller]
fn agree(schema: &Validator, value: &Value) -> (bool, bool) {
    let text = value.to_string();
    let (valid, flaws) = (schema.is_valid(value), flaws_of(text.as_bytes()));
    let beyond = flaws.iter().all(|flaw| BEYOND.iter().any(|code| flaw.starts_with(code)));
    assert!(valid || !flaws.is_empty(), "the reader accepts what the schema refuses: {text}");
    assert!(!valid || beyond, "the schema lets pass what the reader refuses as {flaws:?}: {text}");
    (valid, flaws.is_empty())
}

#[test]
fn reader_and_schema_agree_about_every_case_of_a_rule() {
    let schema = schema();
    assert_eq!(agree(&schema, &good()), (true, true));
    let (mut accepted, mut refused) = (0, 0);
    for (pointer, value, _) in cases() {
        match agree(&schema, &with(pointer, value)) {
            (true, true) => accepted += 1,
            (false, false) => refused += 1,
            _ => {}
        }
    }
    assert!(accepted >= 9 && refused >= 50, "{accepted} accepted and {refused} refused by both");
}

/// What can stand anywhere.
fn anything(choice: u32, text: &str) -> Value {
    let letters = [
        "",
        "x",
        "done",
        "open",
        "review",
        "content",
        "file",
        "url",
        "T-17",
        "C-17.2",
        "a.1",
        "utc",
        "..",
        "a/b",
        "https://a.b",
    ];
    match choice % 9 {
        0 => Value::Null,
        1 => json!(choice / 9 % 5),
        2 => json!(true),
        3 => json!(u64::from(choice) << 20),
        4 => json!([]),
        5 => json!({}),
        6 => json!(text),
        7 => json!(["utc", 0]),
        _ => json!(letters[choice as usize / 9 % letters.len()]),
    }
}

/// Changes one place of a value, chosen by the numbers.
pub fn change(value: &mut Value, choices: &mut impl Iterator<Item = u32>, text: &str) {
    let mut next = || choices.next().unwrap_or(0);
    let (here, which) = (next(), next());
    match value {
        Value::Object(fields) if here % 5 != 0 && !fields.is_empty() => {
            let key = fields.keys().nth(which as usize % fields.len()).unwrap().clone();
            match here % 5 {
                1 => drop(fields.remove(&key)),
                2 => drop(fields.insert(format!("{key}s"), json!(1))),
                _ => change(fields.get_mut(&key).unwrap(), choices, text),
            }
        }
        Value::Array(items) if here % 5 != 0 && !items.is_empty() => {
            let at = which as usize % items.len();
            match here % 5 {
                1 => drop(items.remove(at)),
                2 => items.push(items[at].clone()),
                _ => change(&mut items[at], choices, text),
            }
        }
        leaf => *leaf = anything(which, text),
    }
}

#[test]
fn reader_and_schema_agree_about_any_change_of_a_good_packet() {
    let schema = schema();
    let (both, neither) = (Cell::new(0), Cell::new(0));
    let config = Config { cases: 4_000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..Config::default() };
    let choices = proptest::collection::vec(proptest::num::u32::ANY, 1..9);
    TestRunner::new(config)
        .run(&(choices, ".{0,12}"), |(choices, text)| {
            let mut packet = good();
            let mut choices = choices.into_iter();
            while choices.len() > 0 {
                change(&mut packet, &mut choices, &text);
            }
            match agree(&schema, &packet) {
                (true, true) => both.set(both.get() + 1),
                (false, false) => neither.set(neither.get() + 1),
                _ => {}
            }
            Ok(())
        })
        .unwrap();
    assert!(both.get() > 30 && neither.get() > 1_000, "{both:?} {neither:?}");
}

#[test]
fn any_bytes_are_read_or_refused() {
    let good = good().to_string().into_bytes();
    let config = Config { cases: 4_000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..Config::default() };
    let flips = proptest::collection::vec((proptest::num::usize::ANY, proptest::num::u8::ANY), 0..6);
    TestRunner::new(config)
        .run(&(flips, proptest::num::usize::ANY), |(flips, cut)| {
            let mut bytes = good.clone();
            for (at, byte) in flips {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            bytes.truncate(1 + cut % bytes.len());
            if let Ok(packet) = read(&bytes) {
                assert_eq!(read(&packet.to_json()), Ok(packet), "what is read is written as it was read");
            } else {
                assert!(!flaws_of(&bytes).is_empty());
            }
            Ok(())
        })
        .unwrap();
}
