//! Packets: what is read, what is refused and where, what the published schema says of the same, and where links lead.

#![allow(missing_docs, clippy::unwrap_used, unreachable_pub, reason = "tests")]

mod forms;
mod ground;
mod reports;
mod schema;

use serde_json::{Value, json};

pub const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
pub const BASE: &str = "0123456789012345678901234567890123456789";

/// A packet with something of everything in it.
pub fn good() -> Value {
    json!({
        "v": 1,
        "run": "00c0ffee00c0ffee",
        "task": "T-17",
        "from": "implementer.3",
        "to": "reviewer",
        "purpose": "review",
        "base": BASE,
        "change": "C-17.2",
        "checklist": [
            { "claim": "appends to notes/a.md", "state": "done", "evidence": [0] },
            { "claim": "the index is read", "state": "done", "evidence": [1, 2] },
            { "claim": "nobody else needs the old form", "state": "not-checked", "evidence": [] },
        ],
        "links": [
            { "what": "change", "kind": "content", "digest": ZEROS, "bytes": 12 },
            { "what": "read", "kind": "file", "at": "index/index.md", "digest": BASE },
            { "what": "the rule", "kind": "url", "at": "https://example.org/rule?x=1", "digest": ZEROS },
        ],
        "risks": ["the index may have moved on"],
        "decisions": [
            { "id": "utc", "text": "times are UTC" },
            { "id": "local", "text": "times are local", "overrides": ["utc"] },
        ],
        "questions": ["who reads the index?"],
        "progress": { "done": 2, "of": 3 },
        "stop": "the change is made",
    })
}

/// The good packet with `value` at `pointer`; `Value::Null` takes away what is there.
pub fn with(pointer: &str, value: Value) -> Value {
    let mut packet = good();
    let (above, last) = pointer.rsplit_once('/').unwrap();
    match packet.pointer_mut(above).unwrap() {
        Value::Object(fields) if value.is_null() => {
            fields.remove(last);
        }
        Value::Object(fields) => {
            fields.insert(last.to_owned(), value);
        }
        Value::Array(items) => match last.parse::<usize>() {
            Ok(at) if at < items.len() => items[at] = value,
            _ => items.push(value),
        },
        other => panic!("{other} has no parts"),
    }
    packet
}

/// Codes and places of all flaws, in the order of the text.
pub fn flaws_of(bytes: &[u8]) -> Vec<String> {
    let flaws = baton_packets::read(bytes).err().unwrap_or_default();
    for flaw in &flaws {
        assert!(!flaw.message.is_empty() && !flaw.help.is_empty(), "no reason or no cure: {flaw:?}");
        assert!(baton_packets::explain(flaw.code).is_some(), "{} is not explained", flaw.code);
        assert!(flaw.span.start <= flaw.span.end && flaw.span.end <= bytes.len(), "{flaw:?}");
        let text = format!("{flaw} {}", flaw.help);
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
    flaws.iter().map(|flaw| format!("{} {}", flaw.code, flaw.pointer)).collect()
}
