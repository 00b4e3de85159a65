//! Owns what lies in the content store of a run: every packet under its digest, whole where it was accepted and flawed
//! where it was refused, with links that lead to what they say (HAND-2).
//!
//! Reads with rules of its own. Deliberately does not know who may hand what to whom.

use crate::line::hex;
use crate::packet_form::{self, Strict};
use crate::packets::{Packet, Packets};
use crate::report::Judgement;
use crate::repository::Repository;
use crate::run_folder::read_content;
use baton_record::event::PacketPurpose;
use baton_record::{LaneId, Oid};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// No packet is larger.
const PACKET_BYTES_MAX: usize = 64 * 1024;
/// Packets before a packet that are looked at.
const CHAIN_MAX: usize = 1_024;
/// How a refusal begins that has nothing to do with the packet itself.
const HANDED_TOO_OFTEN: &str = "the task was handed on ";

/// What packets are compared with.
pub(crate) struct Shelves<'a> {
    /// The run's content store.
    pub(crate) content: &'a Path,
    pub(crate) repository: &'a Repository,
    pub(crate) run: &'a str,
    /// The name of a lane.
    pub(crate) name: &'a dyn Fn(LaneId) -> Option<String>,
}

/// Whether a refusal has nothing to do with the packet itself; whether its role could hand it on: [`crate::mandate`].
fn is_not_its_own(flaw: &str) -> bool {
    flaw.starts_with(HANDED_TOO_OFTEN) || flaw.starts_with(crate::roles::UNLISTED)
}

/// Files by commit and path, as every packet's links name them.
type Files = BTreeMap<(Oid, String), Option<Oid>>;

/// HAND-2 of every packet's content.
pub(crate) fn judge(packets: &Packets, shelves: &Shelves<'_>) -> Judgement {
    let mut hand_2 = Judgement::default();
    let read: Vec<_> = packets.by_id.iter().map(|packet| shelves.read(packet)).collect();
    let named: BTreeSet<(Oid, String)> = read.iter().flatten().flat_map(files_of).collect();
    let named: Vec<(Oid, String)> = named.into_iter().collect();
    let files: Files = match shelves.repository.paths_at(&named) {
        Ok(found) => named.into_iter().zip(found).collect(),
        Err(why) => {
            hand_2.breaks(|| format!("the files that packets link to cannot be looked up: {why}"));
            return hand_2;
        }
    };
    for (packet, json) in packets.by_id.iter().zip(read) {
        let id = packet.offered.packet;
        let found = json.and_then(|json| shelves.look(packet, &json, &files));
        match (found, &packet.refused) {
            (Err(why), None) if packet.accepted => hand_2.breaks(|| format!("{id} was accepted, and {why}")),
            (Ok(()), Some(flaws)) if !flaws.iter().any(|flaw| is_not_its_own(flaw)) => {
                hand_2.breaks(|| format!("{id} was refused, and nothing is wrong with it"));
            }
            _ => hand_2.checked(),
        }
    }
    if !packets.by_id.is_empty() {
        hand_2.note(format!("{} packets, each whole where it was accepted", packets.by_id.len()));
    }
    hand_2
}

/// Where the links of a packet to files lead, as far as they can be looked up.
fn files_of(json: &Value) -> Vec<(Oid, String)> {
    let Some(base) = json["base"].as_str().and_then(Oid::from_hex) else { return Vec::new() };
    let links = json["links"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of_file = links.iter().filter(|link| link["kind"] == "file");
    let paths = of_file.filter_map(|link| link["at"].as_str()).filter(|path| !path.chars().any(char::is_control));
    paths.map(|path| (base, path.to_owned())).collect()
}

impl Shelves<'_> {
    fn read(&self, packet: &Packet) -> Result<Value, String> {
        let bytes = self.content(&packet.offered.digest)?;
        if bytes.len() as u64 != packet.offered.bytes || bytes.len() > PACKET_BYTES_MAX {
            return Err("has another size than is recorded, or is too large".to_owned());
        }
        let Strict(packet) = serde_json::from_slice(&bytes).map_err(|error| format!("is no JSON: {error}"))?;
        packet_form::judge(&packet)?;
        Ok(packet)
    }

    fn look(&self, packet: &Packet, json: &Value, files: &Files) -> Result<(), String> {
        self.envelope(packet, json)?;
        let links = json["links"].as_array().ok_or("has no links")?;
        for (at, link) in links.iter().enumerate() {
            self.link(link, &json["base"], files).map_err(|why| format!("its link {at} {why}"))?;
        }
        let items = json["checklist"].as_array().ok_or("has no checklist")?;
        reported(packet, links)?;
        self.files_of_change(links)?;
        self.before(json)?;
        if packet.judged_items.iter().any(|judged| *judged != items.len()) {
            return Err("was judged by another number of items than it has".to_owned());
        }
        self.change(packet, links, json)
    }

    /// The packets before it are packets of its task, and have decided whatever it overrides that it has not decided itself.
    fn before(&self, json: &Value) -> Result<(), String> {
        let names = |packet: &Value| -> Vec<String> {
            let decisions = packet["decisions"].as_array().into_iter().flatten();
            decisions.filter_map(|decision| decision["id"].as_str().map(str::to_owned)).collect()
        };
        let (mut decided, mut next) = (names(json), json["previous"].as_str().map(str::to_owned));
        let mut seen = BTreeSet::new();
        while let Some(digest) = next {
            let bytes = self.content(&digest).map_err(|why| format!("comes behind a packet that {why}"))?;
            let packet = serde_json::from_slice(&bytes).ok().map(|Strict(packet)| packet);
            let packet = packet.filter(|packet| packet_form::judge(packet).is_ok() && packet["task"] == json["task"]);
            let packet = packet.ok_or_else(|| format!("comes behind {digest}, which is no packet of its task"))?;
            if !seen.insert(digest) || seen.len() > CHAIN_MAX {
                return Err("comes behind packets without end".to_owned());
            }
            decided.extend(names(&packet));
            next = packet["previous"].as_str().map(str::to_owned);
        }
        let decisions = json["decisions"].as_array().into_iter().flatten();
        let overridden = decisions.flat_map(|decision| decision["overrides"].as_array().into_iter().flatten());
        match overridden.filter_map(Value::as_str).find(|name| !decided.iter().any(|known| known == name)) {
            Some(name) => Err(format!("overrides {name:?}, which nobody has decided")),
            None => Ok(()),
        }
    }

    fn envelope(&self, packet: &Packet, json: &Value) -> Result<(), String> {
        let offered = &packet.offered;
        let purpose = match offered.purpose {
            PacketPurpose::Review => "review",
            PacketPurpose::Successor => "successor",
            PacketPurpose::LastTurn => "last-turn",
            PacketPurpose::Approval => "approval",
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

    fn link(&self, link: &Value, base: &Value, files: &Files) -> Result<(), String> {
        let digest = link["digest"].as_str().unwrap_or_default();
        match link["kind"].as_str() {
            Some("content") => {
                let bytes = self.content(digest)?;
                let length = packet_form::whole(&link["bytes"]);
                let fits = length.is_none_or(|length| length == bytes.len() as u64);
                fits.then_some(()).ok_or_else(|| "leads to something of another size".to_owned())
            }
            Some("file") => {
                let base = base.as_str().and_then(Oid::from_hex).ok_or("has no base to be looked up in")?;
                let path = link["at"].as_str().unwrap_or_default();
                let found = files.get(&(base, path.to_owned())).copied().flatten().map(|oid| oid.to_hex());
                (found.as_deref() == Some(digest)).then_some(()).ok_or_else(|| "leads to another file".to_owned())
            }
            Some("url") => Ok(()),
            _ => Err("is of no kind that links have".to_owned()),
        }
    }

    /// The files of the change that a packet explains are in the store, each what its name says.
    fn files_of_change(&self, links: &[Value]) -> Result<(), String> {
        let explained = |link: &&Value| link["what"] == "change" && link["kind"] == "content";
        for link in links.iter().filter(explained) {
            let bytes = self.content(link["digest"].as_str().unwrap_or_default())?;
            let change: Value =
                serde_json::from_slice(&bytes).map_err(|error| format!("its change is no JSON: {error}"))?;
            let edits = change["edits"].as_array().ok_or("its change has no edits")?;
            for edit in edits.iter().filter(|edit| !edit["content"].is_null()) {
                let digest = edit["content"].as_str().unwrap_or_default();
                let gone = |why| format!("the file {} of its change: {why}", edit["path"]);
                self.content(digest).map_err(gone)?;
            }
        }
        Ok(())
    }

    /// What was submitted in the packet's name is the change that it explains.
    fn change(&self, packet: &Packet, links: &[Value], json: &Value) -> Result<(), String> {
        let Some(submitted) = &packet.submitted else { return Ok(()) };
        let link = links.iter().find(|link| link["what"] == "change").ok_or("explains no change")?;
        let bytes = self.content(link["digest"].as_str().unwrap_or_default())?;
        let change: Value =
            serde_json::from_slice(&bytes).map_err(|error| format!("its change is no JSON: {error}"))?;
        let said = serde_json::to_value(submitted).map_err(|error| error.to_string())?;
        let base = json["base"] == said["base"] && change["base"] == said["base"];
        if base && change["updates"] == said["updates"] {
            Ok(())
        } else {
            Err(format!("{} is not the change that it explains", submitted.change))
        }
    }

    fn content(&self, digest: &str) -> Result<Vec<u8>, String> {
        content(self.content, digest)
    }
}

/// The conflict report of the newest change of the task that did not merge is linked, and nothing else is called so.
fn reported(packet: &Packet, links: &[Value]) -> Result<(), String> {
    let mut reports = links.iter().filter(|link| link["what"] == "conflict-report").peekable();
    match &packet.unmerged {
        None if reports.peek().is_none() => Ok(()),
        None => Err("links a conflict report, and its task has none".to_owned()),
        Some((change, _)) if reports.peek().is_none() => Err(format!("does not link the conflict report of {change}")),
        Some((change, digest)) => {
            let fits = reports.all(|link| link["kind"] == "content" && link["digest"] == **digest);
            fits.then_some(()).ok_or_else(|| format!("links another conflict report than that of {change}"))
        }
    }
}

/// What lies in a content store under a digest, if it is what its name says.
pub(crate) fn content(store: &Path, digest: &str) -> Result<Vec<u8>, String> {
    let bytes = read_content(store, digest)?;
    if hex(&Sha256::digest(&bytes)) == digest { Ok(bytes) } else { Err(format!("{digest} lies about its hash")) }
}
