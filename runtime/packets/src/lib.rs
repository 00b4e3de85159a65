//! Temporary.
#![allow(missing_docs)]
use serde::{Deserialize, Serialize};
pub const FORMAT: u32 = 1;
pub const BYTES_MAX: usize = 64 * 1024;
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    Review,
    Successor,
    LastTurn,
    Approval,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packet {
    pub v: u32,
    pub run: String,
    pub task: String,
    pub from: String,
    pub to: String,
    pub purpose: Purpose,
    pub base: Option<String>,
    pub change: String,
    pub checklist: Vec<Item>,
    pub links: Vec<Link>,
    pub risks: Vec<String>,
    pub decisions: Vec<Decision>,
    pub questions: Vec<String>,
    pub progress: Option<Progress>,
    pub stop: String,
    pub previous: Option<String>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemState {
    Done,
    Open,
    NotChecked,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub claim: String,
    pub state: ItemState,
    pub evidence: Vec<u32>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    Content,
    File,
    Url,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub what: String,
    pub kind: LinkKind,
    pub at: String,
    pub digest: String,
    pub bytes: Option<u64>,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub text: String,
    pub overrides: Option<String>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub done: u32,
    pub of: u32,
}
#[derive(Clone, Debug)]
pub struct Flaw {
    pub pointer: String,
    pub message: String,
    pub help: String,
}
impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at {}: {}", self.pointer, self.message)
    }
}
pub fn read(bytes: &[u8]) -> Result<Packet, Vec<Flaw>> {
    if bytes.len() > BYTES_MAX {
        return Err(vec![Flaw { pointer: String::new(), message: "too large".into(), help: String::new() }]);
    }
    let p: Packet = serde_json::from_slice(bytes)
        .map_err(|e| vec![Flaw { pointer: String::new(), message: e.to_string(), help: String::new() }])?;
    let bad: Vec<Flaw> = p
        .checklist
        .iter()
        .enumerate()
        .filter(|(_, i)| i.state == ItemState::Done && i.evidence.is_empty())
        .map(|(n, _)| Flaw { pointer: format!("/checklist/{n}"), message: "no evidence".into(), help: String::new() })
        .collect();
    if bad.is_empty() { Ok(p) } else { Err(bad) }
}
pub trait Ground {
    fn content(&self, digest: &str) -> Option<Vec<u8>>;
    fn file(&self, base: &str, path: &str) -> Option<String>;
}
pub fn resolve(p: &Packet, g: &dyn Ground) -> Vec<Flaw> {
    p.links
        .iter()
        .enumerate()
        .filter(|(_, l)| match l.kind {
            LinkKind::Content => g.content(&l.digest).is_none(),
            LinkKind::File => g.file(p.base.as_deref().unwrap_or(""), &l.at).as_deref() != Some(&l.digest),
            LinkKind::Url => false,
        })
        .map(|(n, _)| Flaw { pointer: format!("/links/{n}"), message: "does not resolve".into(), help: String::new() })
        .collect()
}
impl Packet {
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain")
    }
}
