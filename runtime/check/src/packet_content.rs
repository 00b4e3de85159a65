//! Owns what lies in the content store of a run: every packet under its digest, whole where it was accepted and flawed
//! where it was refused, with links that lead to what they say (HAND-2).
//!
//! Reads with rules of its own. Deliberately does not know who may hand what to whom.

use crate::line::hex;
use crate::packets::{Packet, Packets};
use crate::report::Judgement;
use crate::repository::Repository;
use baton_record::event::PacketPurpose;
use baton_record::Oid;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::Path;

/// No packet is larger.
const PACKET_BYTES_MAX: usize = 64 * 1024;
/// Nothing that a packet links to is larger.
const CONTENT_BYTES_MAX: u64 = 64 << 20;
/// How a refusal begins that has nothing to do with the packet itself.
const HANDED_TOO_OFTEN: &str = "the task was handed on ";

/// What packets are compared with.
pub(crate) struct Shelves<'a> {
    /// The run's content store.
    pub(crate) content: &'a Path,
    pub(crate) repository: &'a Repository,
    pub(crate) run: &'a str,
    /// The name of a lane.
    pub(crate) name: &'a dyn Fn(baton_record::LaneId) -> Option<String>,
}

/// HAND-2 of every packet's content.
pub(crate) fn judge(packets: &Packets, shelves: &Shelves<'_>) -> Judgement {
    let mut hand_2 = Judgement::default();
    for packet in &packets.by_id {
        let id = packet.offered.packet;
        match (shelves.look(packet), &packet.refused) {
            (Err(why), None) if packet.accepted => hand_2.breaks(|| format!("{id} was accepted, and {why}")),
            (Ok(()), Some(flaws)) if !flaws.iter().any(|flaw| flaw.starts_with(HANDED_TOO_OFTEN)) => {
                hand_2.breaks(|| format!("{id} was refused, and nothing is wrong with it"));
            }
            _ => hand_2.checked(),
        }
    }
    hand_2
}

impl Shelves<'_> {
    fn look(&self, packet: &Packet) -> Result<(), String> {
        let bytes = self.content(&packet.offered.digest)?;
        if bytes.len() as u64 != packet.offered.bytes || bytes.len() > PACKET_BYTES_MAX {
            return Err("has another size than is recorded, or is too large".to_owned());
        }
        let json: Value = serde_json::from_slice(&bytes).map_err(|error| format!("is no JSON: {error}"))?;
        self.envelope(packet, &json)?;
        let links = json["links"].as_array().ok_or("has no links")?;
        for (at, link) in links.iter().enumerate() {
            self.link(link, &json["base"]).map_err(|why| format!("its link {at} {why}"))?;
        }
        let items = json["checklist"].as_array().ok_or("has no checklist")?;
        for (at, item) in items.iter().enumerate().filter(|(_, item)| item["state"] == "done") {
            let evidence = item["evidence"].as_array().map(Vec::as_slice).unwrap_or_default();
            let kind = |index: &Value| links.get(index.as_u64()? as usize)?["kind"].as_str();
            let proven = evidence.iter().any(|index| matches!(kind(index), Some("content" | "file")));
            if !proven {
                return Err(format!("item {at} is said to be done without evidence"));
            }
        }
        if packet.judged_items.iter().any(|judged| *judged != items.len()) {
            return Err("was judged by another number of items than it has".to_owned());
        }
        self.change(packet, links, &json)
    }

    fn envelope(&self, packet: &Packet, json: &Value) -> Result<(), String> {
        let offered = &packet.offered;
        let purpose = match offered.purpose {
            PacketPurpose::Review => "review",
            PacketPurpose::Successor => "successor",
            PacketPurpose::LastTurn => "last-turn",
        };
        let from = packet.lane.and_then(self.name).unwrap_or_default();
        let (task, change) = (offered.change.task().to_string(), offered.change.to_string());
        let said = [
            ("run", self.run),
            ("task", task.as_str()),
            ("change", change.as_str()),
            ("from", from.as_str()),
            ("to", offered.to.as_str()),
            ("purpose", purpose),
        ];
        match said.iter().find(|(key, expected)| json[*key] != **expected) {
            Some((key, _)) => Err(format!("its {key} is not what the journal says")),
            None => Ok(()),
        }
    }

    fn link(&self, link: &Value, base: &Value) -> Result<(), String> {
        let digest = link["digest"].as_str().unwrap_or_default();
        match link["kind"].as_str() {
            Some("content") => {
                let bytes = self.content(digest)?;
                let length = link["bytes"].as_u64();
                let fits = length.is_none_or(|length| length == bytes.len() as u64);
                fits.then_some(()).ok_or_else(|| "leads to something of another size".to_owned())
            }
            Some("file") => {
                let base = base.as_str().and_then(Oid::from_hex).ok_or("has no base to be looked up in")?;
                let path = link["at"].as_str().unwrap_or_default();
                let found = self.repository.path_at(base, path)?.map(|oid| oid.to_hex());
                (found.as_deref() == Some(digest)).then_some(()).ok_or_else(|| "leads to another file".to_owned())
            }
            Some("url") => Ok(()),
            _ => Err("is of no kind that links have".to_owned()),
        }
    }

    /// What was submitted in the packet's name is the change that it explains.
    fn change(&self, packet: &Packet, links: &[Value], json: &Value) -> Result<(), String> {
        let Some(submitted) = &packet.submitted else { return Ok(()) };
        let link = links.iter().find(|link| link["what"] == "change").ok_or("explains no change")?;
        let bytes = self.content(link["digest"].as_str().unwrap_or_default())?;
        let change: Value = serde_json::from_slice(&bytes).map_err(|error| format!("its change is no JSON: {error}"))?;
        let said = serde_json::to_value(submitted).map_err(|error| error.to_string())?;
        let base = json["base"] == said["base"] && change["base"] == said["base"];
        if base && change["updates"] == said["updates"] {
            Ok(())
        } else {
            Err(format!("{} is not the change that it explains", submitted.change))
        }
    }

    fn content(&self, digest: &str) -> Result<Vec<u8>, String> {
        let well_formed = digest.len() == 64 && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !well_formed {
            return Err("has no digest".to_owned());
        }
        let path = self.content.join(&digest[..2]).join(&digest[2..]);
        let found = std::fs::symlink_metadata(&path).map_err(|_| format!("{digest} is not there"))?;
        if !found.is_file() || found.len() > CONTENT_BYTES_MAX {
            return Err(format!("{digest} is no content of a run"));
        }
        let bytes = std::fs::read(&path).map_err(|error| format!("{digest} cannot be read: {error}"))?;
        if hex(&Sha256::digest(&bytes)) == digest { Ok(bytes) } else { Err(format!("{digest} lies about its hash")) }
    }
}
