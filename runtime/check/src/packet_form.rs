//! Owns the form of a packet, read with rules of its own: which keys there are, each once, and what each may hold; evidence
//! that is there, decisions that override what is named, a change that belongs to its task.
//!
//! Deliberately does not know where links lead ([`crate::packet_content`] does), and says no more than the first that is wrong.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;

/// JSON in which no key is given twice.
pub(crate) struct Strict(pub(crate) Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Strict, D::Error> {
        from.deserialize_any(Whole).map(Strict)
    }
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(all.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some((key, Strict(value))) = entries.next_entry::<String, Strict>()? {
            if all.insert(key, value).is_some() {
                return Err(A::Error::custom("a key is given twice"));
            }
        }
        Ok(all.into())
    }
}

type Finding = Result<(), String>;
/// What a field may hold.
type Rule = fn(&Value) -> bool;

/// The fields of an object: those that must be there, then those that may.
struct Shape {
    needs: &'static [(&'static str, Rule)],
    may: &'static [(&'static str, Rule)],
}

const PACKET: Shape = Shape {
    needs: &[
        ("v", |value| whole(value) == Some(1)),
        ("run", |value| is_hex(value, &[16])),
        ("task", |value| numbers(value, "T-", 1)),
        ("from", |value| text(value).rsplit_once('.').is_some_and(|(role, number)| is_role(role) && is_number(number))),
        ("to", |value| is_role(text(value))),
        ("purpose", |value| ["review", "successor", "last-turn", "approval"].contains(&text(value))),
        ("change", |value| numbers(value, "C-", 2)),
        ("checklist", |value| is_list(value, 1, 256, |item| ITEM.fits(item).is_ok())),
        ("links", |value| is_list(value, 0, 256, is_link)),
        ("risks", is_notes),
        ("decisions", |value| is_list(value, 0, 64, |decision| DECISION.fits(decision).is_ok())),
        ("questions", is_notes),
        ("stop", |value| is_line(value, 256)),
    ],
    may: &[
        ("base", |value| is_hex(value, &[40, 64])),
        ("progress", |value| PROGRESS.fits(value).is_ok()),
        ("previous", |value| is_hex(value, &[64])),
    ],
};
const ITEM: Shape = Shape {
    needs: &[
        ("claim", |value| is_line(value, 1_024)),
        ("state", |value| ["done", "open", "not-checked"].contains(&text(value))),
        ("evidence", |value| is_list(value, 0, 32, |index| is_at_most(index, 255)) && has_no_doubles(value)),
    ],
    may: &[],
};
const CONTENT: Shape = Shape {
    needs: &[
        ("what", |value| is_line(value, 256)),
        ("kind", |value| *value == "content"),
        ("digest", |value| is_hex(value, &[64])),
        ("bytes", |value| is_at_most(value, 64 << 20)),
    ],
    may: &[],
};
const FILE: Shape = Shape {
    needs: &[
        ("what", |value| is_line(value, 256)),
        ("kind", |value| *value == "file"),
        ("at", |value| is_path(text(value))),
        ("digest", |value| is_hex(value, &[40, 64])),
    ],
    may: &[],
};
const ADDRESS: Shape = Shape {
    needs: &[
        ("what", |value| is_line(value, 256)),
        ("kind", |value| *value == "url"),
        ("at", |value| is_address(text(value))),
        ("digest", |value| is_hex(value, &[64])),
    ],
    may: &[],
};
const DECISION: Shape = Shape {
    needs: &[("id", is_name), ("text", |value| is_line(value, 2_048))],
    may: &[("overrides", |value| is_list(value, 1, 16, is_name))],
};
const PROGRESS: Shape = Shape {
    needs: &[("done", |value| is_at_most(value, 1_000_000)), ("of", |value| is_at_most(value, 1_000_000))],
    may: &[],
};

impl Shape {
    fn fits(&self, value: &Value) -> Finding {
        let Value::Object(fields) = value else { return Err("is no object".to_owned()) };
        let rules = || self.needs.iter().chain(self.may);
        let known = |key: &String| rules().any(|(known, _)| known == key);
        if let Some(strange) = fields.keys().find(|key| !known(key)) {
            return Err(format!("has a key {strange:?} that nobody knows"));
        }
        if let Some((missing, _)) = self.needs.iter().find(|(key, _)| !fields.contains_key(*key)) {
            return Err(format!("has no {missing}"));
        }
        match rules().find(|(key, rule)| fields.get(*key).is_some_and(|value| !rule(value))) {
            Some((wrong, _)) => Err(format!("has a {wrong} that none can have")),
            None => Ok(()),
        }
    }
}

/// The first that is wrong with a packet's form.
pub(crate) fn judge(packet: &Value) -> Finding {
    PACKET.fits(packet)?;
    let own = text(&packet["change"]).trim_start_matches("C-").split('.').next();
    if own != Some(text(&packet["task"]).trim_start_matches("T-")) {
        return Err("tells of another task's attempt".to_owned());
    }
    if whole(&packet["progress"]["done"]) > whole(&packet["progress"]["of"]) {
        return Err("has more calls done than there are".to_owned());
    }
    let links = list(&packet["links"]);
    let explains = links.iter().any(|link| link["what"] == "change" && link["kind"] == "content");
    let judged = matches!(text(&packet["purpose"]), "review" | "approval");
    let of_a_commit = judged || links.iter().any(|link| link["kind"] == "file");
    if (judged && !explains) || (of_a_commit && packet["base"].is_null()) {
        return Err("explains no change, or not on which commit".to_owned());
    }
    for (at, item) in list(&packet["checklist"]).iter().enumerate() {
        let link = |index: &Value| links.get(whole(index).unwrap_or(u64::MAX) as usize);
        let evidence = list(&item["evidence"]);
        if evidence.iter().any(|index| link(index).is_none()) {
            return Err(format!("has evidence for item {at} that is not there"));
        }
        let proven = evidence.iter().filter_map(link).any(|link| link["kind"] != "url");
        if item["state"] == "done" && !proven {
            return Err(format!("says that item {at} is done, without evidence"));
        }
    }
    decisions(packet)
}

fn decisions(packet: &Value) -> Finding {
    let all = list(&packet["decisions"]);
    let ids: BTreeSet<&str> = all.iter().map(|decision| text(&decision["id"])).collect();
    if ids.len() < all.len() {
        return Err("has two decisions of one name".to_owned());
    }
    // What is overridden of earlier packets would have to be looked for in those.
    let overridden = all.iter().flat_map(|decision| list(&decision["overrides"])).map(text);
    if packet["previous"].is_null() && overridden.clone().any(|name| !ids.contains(name)) {
        return Err("overrides what nobody has decided".to_owned());
    }
    // Whatever overrides nothing that is left is taken away; what remains goes in a circle.
    let mut left: Vec<&Value> = all.iter().collect();
    loop {
        let names: BTreeSet<&str> = left.iter().map(|decision| text(&decision["id"])).collect();
        let before = left.len();
        left.retain(|decision| list(&decision["overrides"]).iter().any(|name| names.contains(text(name))));
        if left.is_empty() {
            return Ok(());
        }
        if left.len() == before {
            return Err("has decisions that override themselves".to_owned());
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn is_list(value: &Value, least: usize, most: usize, each: impl Fn(&Value) -> bool) -> bool {
    value.as_array().is_some_and(|all| (least..=most).contains(&all.len()) && all.iter().all(each))
}

fn has_no_doubles(value: &Value) -> bool {
    let all: BTreeSet<u64> = list(value).iter().filter_map(whole).collect();
    all.len() == list(value).len()
}

fn is_at_most(value: &Value, most: u64) -> bool {
    whole(value).is_some_and(|number| number <= most)
}

/// A whole number, however it is spelled: `1.0` is 1 in JSON.
pub(crate) fn whole(value: &Value) -> Option<u64> {
    let exact = |number: &f64| number.trunc() == *number && *number >= 0.0 && *number <= 9_007_199_254_740_992.0;
    value.as_u64().or_else(|| value.as_f64().filter(exact).map(|number| number as u64))
}

fn is_hidden(letter: char) -> bool {
    letter.is_control() || matches!(letter as u32, 0x2028..=0x202e | 0x2066..=0x2069)
}

fn is_line(value: &Value, most: usize) -> bool {
    let line = |text: &str| (1..=most).contains(&text.chars().count()) && !text.chars().any(is_hidden);
    value.as_str().is_some_and(line)
}

fn is_notes(value: &Value) -> bool {
    is_list(value, 0, 64, |note| is_line(note, 2_048))
}

fn is_link(value: &Value) -> bool {
    [CONTENT, FILE, ADDRESS].iter().any(|shape| shape.fits(value).is_ok())
}

fn is_hex(value: &Value, lengths: &[usize]) -> bool {
    let digits = text(value);
    lengths.contains(&digits.len()) && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn has_letters_of_names(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

fn is_role(name: &str) -> bool {
    has_letters_of_names(name) && name.as_bytes()[0].is_ascii_lowercase()
}

fn is_name(value: &Value) -> bool {
    has_letters_of_names(text(value)) && !text(value).starts_with('-')
}

/// A lane's number.
fn is_number(digits: &str) -> bool {
    digits.len() <= 6 && digits.parse::<u32>().is_ok_and(|number| number > 0 && number.to_string() == digits)
}

/// A word and one or two numbers, the second from 1.
fn numbers(value: &Value, word: &str, count: usize) -> bool {
    let Some(rest) = text(value).strip_prefix(word) else { return false };
    let parts: Vec<&str> = rest.split('.').collect();
    let plain = |(at, part): (usize, &&str)| {
        let most = if at == 0 { 7 } else { 4 };
        part.len() <= most
            && part.parse::<u32>().is_ok_and(|number| number >= at as u32 && number.to_string() == **part)
    };
    parts.len() == count && parts.iter().enumerate().all(plain)
}

fn is_path(path: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.eq_ignore_ascii_case(".git");
    path.chars().count() <= 1_024 && !path.chars().any(is_hidden) && path.split('/').all(part)
}

fn is_address(address: &str) -> bool {
    let rest = address.strip_prefix("http").map(|rest| rest.strip_prefix('s').unwrap_or(rest));
    let host = rest.and_then(|rest| rest.strip_prefix("://")).and_then(|rest| rest.split('/').next());
    let plain = address.len() <= 2_048 && address.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
    plain && host.is_some_and(|host| !host.is_empty() && !host.contains('@'))
}
