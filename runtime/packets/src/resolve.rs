//! Where a packet's links lead: whether each is there, and is what the packet says that it is.
//!
//! Owns what must resolve. What holds content and files is handed in; an address is never fetched.

use crate::flaw::{self, FLAWS_MAX, Flaw, shown};
use crate::packet::{Link, LinkKind, Packet};
use crate::read::read;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Packets before a packet that are looked through for what was decided.
const CHAIN_MAX: usize = 1_024;

/// What packets are resolved against.
pub trait Ground {
    /// The bytes that lie in the content store under this SHA-256; `None`: nothing does.
    fn content(&self, digest: &str) -> Option<Vec<u8>>;
    /// The name of the blob at a path of a commit; `None`: no file is there.
    fn file(&self, base: &str, path: &str) -> Option<String>;
}

/// What is wrong with where a packet's links lead, at most [`FLAWS_MAX`].
pub fn resolve(packet: &Packet, ground: &dyn Ground) -> Vec<Flaw> {
    let links = packet.links.iter().enumerate();
    let mut flaws: Vec<Flaw> =
        links.filter_map(|(at, link)| link_flaw(packet, link, &format!("/links/{at}"), ground)).collect();
    flaws.extend(chain_flaws(packet, ground));
    flaws.truncate(FLAWS_MAX);
    flaws
}

fn flaw(code: &'static str, pointer: String, message: String, help: &str) -> Flaw {
    Flaw { code, pointer, span: 0..0, message, help: help.to_owned() }
}

fn link_flaw(packet: &Packet, link: &Link, at: &str, ground: &dyn Ground) -> Option<Flaw> {
    match link.kind {
        LinkKind::Content => content_flaw(link, at, ground),
        LinkKind::File => file_flaw(packet.base.as_deref()?, link, at, ground),
        LinkKind::Url => None,
    }
}

fn content_flaw(link: &Link, at: &str, ground: &dyn Ground) -> Option<Flaw> {
    let what = shown(&link.what);
    let Some(bytes) = ground.content(&link.digest) else {
        let message = format!("{what} leads to {}, and nothing is there", link.digest);
        return Some(flaw(flaw::DANGLING, format!("{at}/digest"), message, "put the content into the store first"));
    };
    if hash(&bytes) != link.digest {
        let message = format!("what {what} leads to has another hash than {}", link.digest);
        return Some(flaw(
            flaw::LIE,
            format!("{at}/digest"),
            message,
            "the store is damaged: put the content in again",
        ));
    }
    let length = bytes.len() as u64;
    if link.bytes.is_some_and(|bytes| bytes != length) {
        let message = format!("{what} has {length} bytes");
        return Some(flaw(flaw::LIE, format!("{at}/bytes"), message, "write the size that it has"));
    }
    None
}

fn file_flaw(base: &str, link: &Link, at: &str, ground: &dyn Ground) -> Option<Flaw> {
    let path = shown(&link.at);
    match ground.file(base, &link.at) {
        None => {
            let message = format!("{path} is no file of {base}");
            Some(flaw(flaw::DANGLING, format!("{at}/at"), message, "name a file of the base commit"))
        }
        Some(blob) if blob != link.digest => {
            let message = format!("{path} is {blob} in the base commit");
            Some(flaw(flaw::LIE, format!("{at}/digest"), message, "write the name of the blob that is there"))
        }
        Some(_) => None,
    }
}

/// The packets before this one are packets of the same task, and have decided what this one overrides.
fn chain_flaws(packet: &Packet, ground: &dyn Ground) -> Vec<Flaw> {
    let help = "name the packet that the lane began with";
    let at = || "/previous".to_owned();
    let own = packet.decisions.iter().map(|decision| decision.id.as_str());
    let own: BTreeSet<&str> = own.collect();
    let (mut decided, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut next = packet.previous.clone();
    while let Some(digest) = next {
        if !seen.insert(digest.clone()) {
            return vec![flaw(
                flaw::CIRCLE,
                at(),
                "the packets before this one lead back to themselves".to_owned(),
                help,
            )];
        }
        if seen.len() > CHAIN_MAX {
            let message = format!("more than {CHAIN_MAX} packets come before this one");
            return vec![flaw(flaw::PREVIOUS, at(), message, help)];
        }
        let Some(bytes) = ground.content(&digest) else {
            let message = format!("the packet {digest} is not there");
            return vec![flaw(flaw::DANGLING, at(), message, help)];
        };
        if hash(&bytes) != digest {
            let message = format!("what lies under {digest} has another hash");
            return vec![flaw(flaw::LIE, at(), message, help)];
        }
        let Some(before) =
            read(&bytes).ok().filter(|before| (&before.run, &before.task) == (&packet.run, &packet.task))
        else {
            let message = format!("{digest} is no packet of this run and task");
            return vec![flaw(flaw::PREVIOUS, at(), message, help)];
        };
        decided.extend(before.decisions.into_iter().map(|decision| decision.id));
        next = before.previous;
    }
    let overrides = packet.decisions.iter().enumerate();
    let unknown = overrides.filter_map(|(place, decision)| {
        let named = |name: &&String| !own.contains(name.as_str()) && !decided.contains(name.as_str());
        decision.overrides.iter().find(named).map(|name| (place, name))
    });
    let told = unknown.filter(|_| packet.previous.is_some()).map(|(place, name)| {
        let message = format!("it overrides {name}, which no packet before this one has decided");
        flaw(flaw::OVERRIDE, format!("/decisions/{place}/overrides"), message, "name what was decided")
    });
    told.collect()
}

pub(crate) fn hash(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
