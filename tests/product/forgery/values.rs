//! Other values that a field of a record could have.

use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Every word that an enumeration of the format knows.
pub(super) const WORDS: &[&str] = &[
    "sim",
    "live",
    "tasks-ended",
    "time-over",
    "operator",
    "foreign-push",
    "stuck",
    "append",
    "edit",
    "create",
    "rename",
    "delete",
    "same",
    "walk",
    "git",
    "conflict",
    "stale-fence",
    "no-lease",
    "stale-read",
    "gate",
    "superseded",
    "empty",
    "unknown-base",
    "withdrawn",
    "lane-died",
    "refused",
    "attempts-used-up",
    "nothing-to-land",
    "killed",
    "crashed",
    "panicked",
    "found-dead",
    "kill",
    "pause",
    "restart",
    "undo",
    "action",
    "rounds",
    "plan",
    "approve",
    "deny",
    "stop",
    "not-approved",
    "waits-for-person",
    "plan-approved",
    "nothing-waits",
    "decided",
    "gone",
    "review",
    "successor",
    "approval",
    "handed-over",
    "last-turn",
    "budget-over",
    "no-packet",
    "prerequisite",
    "sent-back",
    "override",
    "drain",
    "add",
    "remove",
    "reassign",
    "release",
    "removed",
    "reassigned",
    "already-so",
    "full",
];

/// Fields that may be left out, with a value that they could have.
const OPTIONAL: [(&str, &str); 12] = [
    ("fault", "0"),
    ("fault", "1"),
    ("lease", "0"),
    ("fence", "1"),
    ("paths", "[\"notes/note-000.md\"]"),
    ("reads", "[{\"path\":\"notes/note-000.md\",\"blob\":null}]"),
    ("token", "\"tok\""),
    ("undoes", "[0]"),
    ("role", "\"implementer\""),
    ("lanes", "1"),
    ("gone", "[0]"),
    ("report", "\"0000000000000000000000000000000000000000000000000000000000000000\""),
];

/// Calls `each` with every leaf, every list and every field that could be there; `pointer` is a JSON pointer.
pub(super) fn each_leaf(value: &Value, pointer: &str, each: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                each_leaf(field, &format!("{pointer}/{name}"), each);
            }
            if pointer.is_empty() {
                let absent: BTreeSet<&str> = OPTIONAL.iter().map(|(name, _)| *name).collect();
                for name in absent.into_iter().filter(|name| !fields.contains_key(*name)) {
                    each(&format!("/{name}"), &Value::Null);
                }
            }
        }
        Value::Array(items) => {
            each(pointer, value);
            if let Some(first) = items.first() {
                each_leaf(first, &format!("{pointer}/0"), each);
            }
        }
        leaf => each(pointer, leaf),
    }
}

/// What could stand there instead, each with a word for it.
pub(super) fn alternatives(leaf: &Value, known: Option<&BTreeSet<String>>) -> Vec<(&'static str, Value)> {
    match leaf {
        Value::Number(number) => {
            let number = number.as_u64().unwrap();
            let less = number.checked_sub(1).map(|less| ("one less", json!(less)));
            [Some(("one more", json!(number + 1))), less].into_iter().flatten().collect()
        }
        Value::Bool(yes) => vec![("the other", json!(!yes))],
        Value::Null => {
            let values = OPTIONAL.iter().map(|(_, text)| ("something", serde_json::from_str(text).unwrap()));
            let oid = ("a name", json!("0123456789012345678901234567890123456789"));
            values.chain([oid, ("a text", json!("notes/note-000.md"))]).collect()
        }
        Value::String(text) => {
            let mut all: Vec<_> = words(text);
            let other = known.into_iter().flatten().find(|other| *other != text);
            all.extend(other.map(|other| ("another's", json!(other))));
            all.push(("none", Value::Null));
            all
        }
        Value::Array(items) => {
            let mut all = Vec::new();
            if let Some((last, fewer)) = items.split_last() {
                all.push(("one fewer", json!(fewer)));
                all.push(("the last twice", json!([items.as_slice(), std::slice::from_ref(last)].concat())));
            } else {
                all.push(("one", json!([0])));
            }
            all
        }
        Value::Object(_) => Vec::new(),
    }
}

fn words(text: &str) -> Vec<(&'static str, Value)> {
    let flipped = text.char_indices().last().map(|(at, last)| {
        let other = if last == '0' { '1' } else { '0' };
        format!("{}{other}", &text[..at])
    });
    let mut all: Vec<_> = flipped.map(|flipped| ("another", json!(flipped))).into_iter().collect();
    all.extend(WORDS.iter().filter(|word| **word != text).map(|word| (*word, json!(word))));
    all
}
