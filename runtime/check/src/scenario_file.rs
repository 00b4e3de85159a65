//! Owns what the scenario beside a journal says of questions to people and of lanes' context, read with code of its own.
//!
//! Deliberately knows no other key, and finds no fault: what cannot be read as it is meant is not judged by.

use baton_record::event::{ApprovalSubject, ApprovalThen};
use saphyr_parser::{Event, Parser};
use std::collections::BTreeMap;

/// Nothing in a scenario is nested deeper.
const DEPTH_MAX: usize = 64;
/// How long a question waits where the scenario does not say.
const PATIENCE: (u64, ApprovalThen) = (3_600_000_000, ApprovalThen::Deny);

/// What the scenario says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ScenarioFile {
    /// By sort of question: how long it waits, in microseconds, and what happens then.
    patience: BTreeMap<ApprovalSubject, (u64, ApprovalThen)>,
    /// Tokens of context, where a role says so itself.
    pub(crate) contexts: BTreeMap<String, u64>,
}

/// A value of the file.
#[derive(Debug)]
enum Node {
    Mapping(Vec<(String, Node)>),
    Other(Option<String>),
}

impl Node {
    fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Node::Mapping(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, node)| node),
            Node::Other(_) => None,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Node::Other(text) => text.as_deref(),
            Node::Mapping(_) => None,
        }
    }

    fn entries(&self) -> &[(String, Node)] {
        match self {
            Node::Mapping(entries) => entries,
            Node::Other(_) => &[],
        }
    }
}

impl ScenarioFile {
    /// Reads a scenario; `None`: it cannot be judged by.
    pub(crate) fn read(bytes: &[u8]) -> Option<ScenarioFile> {
        let text = std::str::from_utf8(bytes).ok()?;
        let root = tree(text.trim_start_matches('\u{feff}'))?;
        let mut file = ScenarioFile::default();
        for (word, subject) in ApprovalSubject::ALL {
            let said = root.get("approvals").and_then(|approvals| approvals.get(word));
            let timeout = said.and_then(|said| said.get("timeout"));
            let timeout_us = timeout.map_or(Some(PATIENCE.0), |timeout| micros(timeout.text()?))?;
            let then = match said.and_then(|said| said.get("then")) {
                None => PATIENCE.1,
                Some(word) => match word.text()? {
                    "approve" => ApprovalThen::Approve,
                    "deny" => ApprovalThen::Deny,
                    "stop" => ApprovalThen::Stop,
                    _ => return None,
                },
            };
            file.patience.insert(subject, (timeout_us, then));
        }
        for (role, said) in root.get("roles")?.entries() {
            if let Some(context) = said.get("context") {
                file.contexts.insert(role.clone(), context.text()?.parse().ok()?);
            }
        }
        Some(file)
    }

    /// How long a question of this sort waits, and what happens then.
    pub(crate) fn patience(&self, subject: ApprovalSubject) -> (u64, ApprovalThen) {
        self.patience.get(&subject).copied().unwrap_or(PATIENCE)
    }
}

/// `1h30m`, in microseconds.
fn micros(text: &str) -> Option<u64> {
    let (mut rest, mut sum) = (text, 0_u64);
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let unit = match &rest[..letters] {
            "d" => 86_400_000_000,
            "h" => 3_600_000_000,
            "m" => 60_000_000,
            "s" => 1_000_000,
            "ms" => 1_000,
            _ => return None,
        };
        rest = &rest[letters..];
        sum = sum.checked_add(number.checked_mul(unit)?)?;
    }
    (sum > 0).then_some(sum)
}

/// What is being read: mappings with the key that waits for its value, and lists, of which only their end matters.
enum Open {
    Mapping(Vec<(String, Node)>, Option<String>),
    Sequence,
}

fn tree(text: &str) -> Option<Node> {
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let done = match event.ok()?.0 {
            Event::MappingStart(..) => {
                open.push(Open::Mapping(Vec::new(), None));
                None
            }
            Event::SequenceStart(..) => {
                open.push(Open::Sequence);
                None
            }
            Event::MappingEnd => match open.pop()? {
                Open::Mapping(entries, None) => Some(Node::Mapping(entries)),
                _ => return None,
            },
            Event::SequenceEnd => open.pop().map(|_| Node::Other(None)),
            Event::Scalar(text, ..) => Some(Node::Other(Some(text.into_owned()))),
            Event::Alias(_) => return None,
            _ => None,
        };
        if open.len() > DEPTH_MAX {
            return None;
        }
        let Some(node) = done else { continue };
        match open.last_mut() {
            None => return Some(node),
            Some(Open::Sequence) => {}
            Some(Open::Mapping(entries, key)) => match key.take() {
                None => *key = Some(node.text()?.to_owned()),
                Some(name) => entries.push((name, node)),
            },
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_read_as_it_is_meant() {
        let text = "baton: 1\nroles:\n  a: { lanes: 2, context: 900 }\n  b: { lanes: 1 }\n\
                    tasks: [ { each: 1, do: [ { read: x }, { append: token } ] } ]\n\
                    approvals: { plan: { timeout: 1h30m, then: stop }, undo: { then: approve } }\n";
        let file = ScenarioFile::read(text.as_bytes()).unwrap();
        assert_eq!(file.contexts, BTreeMap::from([("a".to_owned(), 900)]));
        for (subject, timeout_us, then) in [
            (ApprovalSubject::Plan, 5_400_000_000, ApprovalThen::Stop),
            (ApprovalSubject::Undo, 3_600_000_000, ApprovalThen::Approve),
            (ApprovalSubject::Action, 3_600_000_000, ApprovalThen::Deny),
        ] {
            assert_eq!(file.patience(subject), (timeout_us, then));
        }
    }

    #[test]
    fn what_is_not_understood_is_not_judged_by() {
        for text in [
            "",
            "roles: [",
            "roles: &a { x: *a }",
            "roles: { a: { context: many } }",
            "roles: {}\napprovals: { plan: { timeout: soon } }",
            "roles: {}\napprovals: { plan: { then: perhaps } }",
        ] {
            assert_eq!(ScenarioFile::read(text.as_bytes()), None, "{text}");
        }
    }
}
