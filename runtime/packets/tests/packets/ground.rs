//! Where links lead: a packet may be whole in form, and lie.

use crate::{BASE, good};
use baton_packets::{Ground, read, resolve};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A store and a tree in memory.
#[derive(Default)]
pub struct Memory {
    content: BTreeMap<String, Vec<u8>>,
    files: BTreeMap<String, String>,
}

impl Memory {
    pub fn put(&mut self, bytes: &[u8]) -> String {
        self.content.insert(hash(bytes), bytes.to_vec());
        hash(bytes)
    }
}

impl Ground for Memory {
    fn content(&self, digest: &str) -> Option<Vec<u8>> {
        self.content.get(digest).cloned()
    }

    fn file(&self, base: &str, path: &str) -> Option<String> {
        assert_eq!(base, BASE);
        self.files.get(path).cloned()
    }
}

/// A ground, and a packet whose links lead to what they say there.
fn truth() -> (Memory, Value) {
    let mut memory = Memory::default();
    let mut packet = good();
    packet["links"][0]["digest"] = json!(memory.put(b"{\"edits\":[]}"));
    memory.files.insert("index/index.md".to_owned(), BASE.to_owned());
    (memory, packet)
}

fn told(memory: &Memory, packet: &Value) -> Vec<String> {
    let packet = read(packet.to_string().as_bytes()).unwrap();
    resolve(&packet, memory).iter().map(|flaw| format!("{} {}", flaw.code, flaw.pointer)).collect()
}

#[test]
fn links_that_lead_to_what_they_say_are_no_flaw() {
    let (memory, packet) = truth();
    assert_eq!(told(&memory, &packet), Vec::<String>::new());
}

#[test]
fn links_that_dangle_or_lie_are_told_one_by_one() {
    let (memory, packet) = truth();
    type Deed = (fn(&mut Memory, &mut Value), &'static str);
    let deeds: [Deed; 6] = [
        (|memory, _| memory.content.clear(), "E0419 /links/0/digest"),
        (|_, packet| packet["links"][0]["bytes"] = json!(13), "E0420 /links/0/bytes"),
        (|memory, _| memory.content.values_mut().for_each(|bytes| bytes[0] = b' '), "E0420 /links/0/digest"),
        (|memory, _| memory.files.clear(), "E0419 /links/1/at"),
        (|_, packet| packet["links"][1]["digest"] = json!("f".repeat(40)), "E0420 /links/1/digest"),
        (|_, packet| packet["previous"] = json!("f".repeat(64)), "E0419 /previous"),
    ];
    for (deed, expected) in deeds {
        let (mut memory, mut packet) =
            (Memory { content: memory.content.clone(), files: memory.files.clone() }, packet.clone());
        deed(&mut memory, &mut packet);
        assert_eq!(told(&memory, &packet), [expected]);
    }
}

#[test]
fn decisions_of_packets_before_may_be_overridden_and_no_others() {
    let (mut memory, mut packet) = truth();
    let first = memory.put(good().to_string().as_bytes());
    let mut second = good();
    second["previous"] = json!(first);
    second["decisions"] = json!([]);
    let second = memory.put(second.to_string().as_bytes());
    packet["previous"] = json!(second);
    packet["decisions"] = json!([{ "id": "gmt", "text": "times are GMT", "overrides": ["utc"] }]);
    assert_eq!(told(&memory, &packet), Vec::<String>::new());
    packet["decisions"][0]["overrides"] = json!(["gm"]);
    assert_eq!(told(&memory, &packet), ["E0416 /decisions/0/overrides"]);
}

#[test]
fn what_comes_before_is_a_packet_of_the_same_task() {
    let (mut memory, mut packet) = truth();
    packet["previous"] = json!(memory.put(b"notes"));
    assert_eq!(told(&memory, &packet), ["E0421 /previous"]);
    let mut other = good();
    (other["task"], other["change"]) = (json!("T-18"), json!("C-18.1"));
    packet["previous"] = json!(memory.put(other.to_string().as_bytes()));
    assert_eq!(told(&memory, &packet), ["E0421 /previous"]);
}

/// No hash leads to itself, but a store may say so.
#[test]
fn packets_that_lead_back_to_themselves_are_told_and_end() {
    struct Circle(Vec<u8>);
    impl Ground for Circle {
        fn content(&self, _: &str) -> Option<Vec<u8>> {
            Some(self.0.clone())
        }
        fn file(&self, _: &str, _: &str) -> Option<String> {
            Some(BASE.to_owned())
        }
    }
    let mut packet = good();
    packet["previous"] = json!("f".repeat(64));
    let packet = read(packet.to_string().as_bytes()).unwrap();
    let flaws = resolve(&packet, &Circle(packet.to_json()));
    assert!(flaws.iter().any(|flaw| flaw.code == "E0420" && flaw.pointer == "/previous"), "{flaws:?}");
}

#[test]
fn a_long_chain_ends_where_it_is_too_long() {
    let (mut memory, mut packet) = truth();
    let mut before = memory.put(good().to_string().as_bytes());
    for length in 2..=1_025 {
        packet["previous"] = json!(before);
        packet["stop"] = json!(format!("step {length}"));
        before = memory.put(packet.to_string().as_bytes());
    }
    assert_eq!(told(&memory, &packet), Vec::<String>::new());
    packet["previous"] = json!(before);
    assert_eq!(told(&memory, &packet), ["E0421 /previous"]);
}
