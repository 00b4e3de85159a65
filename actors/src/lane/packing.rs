//! What a lane puts into the content store when it hands a task on: the change as it would be submitted, file by file,
//! and the packet that explains it. And the way back.
//!
//! Knows no message: whether a packet is accepted is found out elsewhere.

use super::boundary::Undone;
use super::script::Planned;
use crate::team::Spoil;
use baton_packets::read::CLAIM_MAX;
use baton_packets::{Item, ItemState, Link, LinkKind, Packet, Progress, one_line};
use baton_record::Oid;
use baton_record::event::{Read, Update, UpdateOp};
use baton_world::content::{ContentError, ContentStore};
use baton_world::git::{Edit, FileMode};
use serde::{Deserialize, Serialize};

/// What the link to a change is called.
const CHANGE: &str = "change";
/// Items that are listed one by one, and what their claims may take of a packet; the others are counted.
const LISTED_MAX: usize = 200;
const LISTED_BYTES_MAX: usize = 16 * 1024;
/// Of what was done beside a change and of what waits: so many of each, so long.
const BESIDE_MAX: usize = 24;
const BESIDE_CHARS_MAX: usize = 320;

/// A change in the content store.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PackedChange {
    base: Oid,
    edits: Vec<PackedEdit>,
    updates: Vec<Update>,
    reads: Vec<Read>,
    /// Actions that were denied to whoever made it.
    #[serde(default, skip_serializing_if = "is_zero")]
    denied: u32,
    /// Actions that could not be done.
    #[serde(default, skip_serializing_if = "is_zero")]
    failed: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PackedEdit {
    path: String,
    /// Digest of the file's content; absent: the file goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(default)]
    executable: bool,
}

/// Why a change cannot be taken out of the store again. Its packet was accepted, so that something has destroyed it since.
#[derive(Debug)]
pub(crate) enum Unpacked {
    /// It is there.
    Change(Oid, Planned),
    /// What is there is no change.
    Nothing(&'static str),
}

/// Puts a change into the store; its link.
pub(super) fn pack(store: &ContentStore, base: Oid, planned: &Planned) -> Result<Link, ContentError> {
    let pack_edit = |edit: &Edit| match edit {
        Edit::Put { path, mode, content } => Ok::<_, ContentError>(PackedEdit {
            path: path.clone(),
            content: Some(store.put(content)?),
            executable: *mode == FileMode::Executable,
        }),
        Edit::Remove { path } => Ok(PackedEdit { path: path.clone(), content: None, executable: false }),
    };
    let edits = planned.edits.iter().map(pack_edit).collect::<Result<_, _>>()?;
    let (updates, reads) = (planned.updates.clone(), planned.reads.clone());
    let Undone { denied, failed } = planned.undone;
    let packed = PackedChange { base, edits, updates, reads, denied, failed };
    let json = serde_json::to_vec(&packed).expect("a change is plain");
    content_link(store, CHANGE, &json)
}

/// Puts bytes into the store; their link.
pub(super) fn content_link(store: &ContentStore, what: &str, bytes: &[u8]) -> Result<Link, ContentError> {
    let digest = store.put(bytes)?;
    let (what, at) = (what.to_owned(), String::new());
    Ok(Link { what, kind: LinkKind::Content, at, digest, bytes: Some(bytes.len() as u64) })
}

/// Takes the change of an accepted packet out of the store.
pub(crate) fn unpack(store: &ContentStore, packet: &Packet) -> Result<Unpacked, ContentError> {
    let Some(link) = packet.links.iter().find(|link| link.what == CHANGE) else {
        return Ok(Unpacked::Nothing("the packet has no change"));
    };
    let Some(json) = store.get(&link.digest)? else { return Ok(Unpacked::Nothing("the packet's change is gone")) };
    let Ok(packed) = serde_json::from_slice::<PackedChange>(&json) else {
        return Ok(Unpacked::Nothing("the packet's change cannot be read"));
    };
    let mut edits = Vec::new();
    for PackedEdit { path, content, executable } in packed.edits {
        let mode = if executable { FileMode::Executable } else { FileMode::Regular };
        match content.map(|digest| store.get(&digest)).transpose()? {
            None => edits.push(Edit::Remove { path }),
            Some(Some(content)) => edits.push(Edit::Put { path, mode, content }),
            Some(None) => return Ok(Unpacked::Nothing("a file of the packet's change is gone")),
        }
    }
    let undone = Undone { denied: packed.denied, failed: packed.failed };
    let planned = Planned { edits, updates: packed.updates, reads: packed.reads, undone };
    Ok(Unpacked::Change(packed.base, planned))
}

/// What was done, item by item: what the change does, with the change itself as its evidence; what was done beside it, of which
/// there is none; and what is not done before a person has said yes. Never empty: who takes the packet is told what there is
/// to judge, were it that nothing is changed.
pub(super) fn checklist(updates: &[Update], beside: &Beside<'_>) -> Vec<Item> {
    let mut items = changed(updates);
    let all: [(&[String], &str, ItemState); 2] =
        [(beside.done, "did ", ItemState::NotChecked), (beside.waiting, "waits for a person's yes: ", ItemState::Open)];
    for (what, how, state) in all {
        let listed = what.len().min(BESIDE_MAX);
        let mut item = |claim| items.push(Item { claim, state, evidence: vec![] });
        what[..listed].iter().for_each(|what| item(one_line(&format!("{how}{what}"), BESIDE_CHARS_MAX)));
        if what.len() > listed {
            item(format!("{how}{} actions more", what.len() - listed));
        }
    }
    if items.is_empty() {
        items.push(Item { claim: "changes no file".to_owned(), state: ItemState::Done, evidence: vec![0] });
    }
    items
}

/// What belongs to a change beside what it does to files.
#[derive(Debug, Default)]
pub(super) struct Beside<'a> {
    /// Commands, pushes and foreign tools that were used, in words.
    pub(super) done: &'a [String],
    /// Actions that are left to a person, each with its rule.
    pub(super) waiting: &'a [String],
}

/// What a change does, path by path.
fn changed(updates: &[Update]) -> Vec<Item> {
    let word = |op| match op {
        UpdateOp::Append => "appends to",
        UpdateOp::Edit => "edits",
        UpdateOp::Create => "creates",
        UpdateOp::Rename => "renames a file to",
        UpdateOp::Delete => "deletes",
    };
    let item = |claim: String| Item { claim, state: ItemState::Done, evidence: vec![0] };
    let mut items = Vec::new();
    let mut bytes = 0;
    for update in updates {
        let claim = one_line(&format!("{} {}", word(update.op), update.path), CLAIM_MAX);
        bytes += claim.len();
        if items.len() == LISTED_MAX || bytes > LISTED_BYTES_MAX {
            break;
        }
        items.push(item(claim));
    }
    let others = updates.len() - items.len();
    if others > 0 {
        items.push(item(format!("changes {others} files more")));
    }
    items
}

/// How far work has come that is not done yet.
pub(super) fn progress_list(progress: Progress) -> Vec<Item> {
    let Progress { done, of } = progress;
    let ended = Item { claim: format!("calls 1 to {done} of {of}"), state: ItemState::Done, evidence: vec![0] };
    let left = Item { claim: format!("calls up to {of}, and the change"), state: ItemState::Open, evidence: vec![] };
    vec![ended, left]
}

/// What a fault makes of a packet.
pub(super) fn spoiled(mut packet: Packet, how: Spoil) -> Vec<u8> {
    let nowhere = "0".repeat(64);
    match how {
        // Where nothing is said to be done, nothing would be missing.
        Spoil::Incomplete if packet.checklist.iter().all(|item| item.state != ItemState::Done) => {
            packet.checklist.clear()
        }
        Spoil::Incomplete => packet.checklist.iter_mut().for_each(|item| item.evidence.clear()),
        Spoil::Dangling => {
            packet.links.iter_mut().take(1).for_each(|link| link.digest.clone_from(&nowhere));
        }
        Spoil::Lying => {
            let at = String::new();
            let link = Link {
                what: "log".to_owned(),
                kind: LinkKind::File,
                at,
                digest: nowhere[..40].to_owned(),
                bytes: None,
            };
            packet.links.push(Link { at: "README.md".to_owned(), ..link });
        }
        Spoil::Huge => packet.risks = vec!["again and again ".repeat(120); 64],
    }
    packet.to_json()
}
