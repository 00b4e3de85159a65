//! Reading a packet strictly: every flaw of its form at once, each with its place, its reason and its cure.
//!
//! Owns which keys there are and what each may hold. What the parts say about each other is judged in `whole`, and where
//! links lead in [`crate::resolve`](mod@crate::resolve). The published schema says the same of every single part.

mod fields;
mod report;
mod whole;

use crate::flaw::{self, Flaw};
use crate::json::{self, Json, Node};
use crate::packet::{BYTES_MAX, Decision, FORMAT, Item, ItemState, Link, LinkKind, Packet, Progress, Purpose};
use crate::spelling;
use fields::{Fields, Place, Reader};
pub use report::{ENTRIES_MAX, REPORT_BYTES_MAX, read_report};

/// Items of a checklist.
pub const ITEMS_MAX: usize = 256;
/// Links.
pub const LINKS_MAX: usize = 256;
/// Characters of a claim.
pub const CLAIM_MAX: usize = 1_024;
/// Links that prove one claim.
pub const EVIDENCE_MAX: usize = 32;
/// Risks, questions, decisions: of each sort so many.
pub const NOTES_MAX: usize = 64;
/// Characters of a risk, a question or a decision.
pub const NOTE_MAX: usize = 2_048;
/// Characters of what a link is called, and of a stop condition.
pub const LABEL_MAX: usize = 256;
/// Decisions that one takes the place of.
pub const OVERRIDES_MAX: usize = 16;
/// Calls that work takes.
pub const CALLS_MAX: u64 = 1_000_000;
/// Bytes of content that a link leads to.
pub const CONTENT_BYTES_MAX: u64 = 64 << 20;

const KEYS: [&str; 16] = [
    "v",
    "run",
    "task",
    "from",
    "to",
    "purpose",
    "base",
    "change",
    "checklist",
    "links",
    "risks",
    "decisions",
    "questions",
    "progress",
    "stop",
    "previous",
];

/// A packet, or everything that is wrong with its form: at most [`flaw::FLAWS_MAX`], in the order of the text.
pub fn read(bytes: &[u8]) -> Result<Packet, Vec<Flaw>> {
    if bytes.len() > BYTES_MAX {
        let message = format!("it has more than {BYTES_MAX} bytes");
        let help = "put what is long into the content store, and link to it".to_owned();
        return Err(vec![Flaw { code: flaw::TOO_LARGE, pointer: String::new(), span: 0..0, message, help }]);
    }
    let root = json::parse(bytes).map_err(|trouble| vec![no_json(&trouble)])?;
    let mut reader = Reader::default();
    let packet = reader.packet(&root);
    if let Some(packet) = &packet {
        whole::judge(packet, &root, &mut reader);
    }
    let flaws = in_order(reader.flaws);
    packet.filter(|_| flaws.is_empty()).ok_or(flaws)
}

/// Flaws in the order of the text, as many as are told.
fn in_order(mut flaws: Vec<Flaw>) -> Vec<Flaw> {
    flaws.sort_by_key(|flaw| (flaw.span.start, flaw.code));
    flaws.truncate(flaw::FLAWS_MAX);
    flaws
}

/// Whether bytes are meant as a conflict report, and not as a packet, as far as that can be seen.
#[must_use]
pub fn is_report(bytes: &[u8]) -> bool {
    const PACKETS_OWN: [&str; 4] = ["checklist", "links", "to", "purpose"];
    let Some(Node { value: Json::Object(entries), .. }) = json::parse(bytes).ok() else { return false };
    let has = |key: &str| entries.iter().any(|entry| entry.key == key);
    (has("conflicts") || has("paths")) && !PACKETS_OWN.iter().any(|key| has(key))
}

fn no_json(trouble: &json::Trouble) -> Flaw {
    let (code, help) = if trouble.too_deep {
        (flaw::TOO_DEEP, format!("nothing in a packet lies deeper than {} lists and objects", json::DEPTH_MAX))
    } else {
        (flaw::NO_JSON, "write it with a JSON library, and not by hand".to_owned())
    };
    let (pointer, span, message) = (String::new(), trouble.at..trouble.at, trouble.what.to_owned());
    Flaw { code, pointer, span, message, help }
}

/// Where the text of a packet says what a pointer leads to, or what is nearest above it; for flaws that were found in the
/// packet and not in its text.
#[must_use]
pub fn locate(bytes: &[u8], pointer: &str) -> Option<std::ops::Range<usize>> {
    let root = json::parse(bytes).ok()?;
    Some(json::nearest(&root, pointer).span.clone())
}

impl Reader {
    fn packet(&mut self, root: &Node) -> Option<Packet> {
        let at = Place::root();
        let fields = self.object(root, &at, ("a packet", &KEYS))?;
        let v = self.need(&fields, "v", |reader, node, at| reader.version(node, at));
        let run = self.need(&fields, "run", Reader::run);
        let task = self.need(&fields, "task", Reader::task);
        let from = self.need(&fields, "from", Reader::lane);
        let to = self.need(&fields, "to", |reader, node, at| {
            reader.spelled(node, at, spelling::is_role, "the name of a role: `reviewer`")
        });
        let purpose = self.need(&fields, "purpose", |reader, node, at| reader.word(node, at, &PURPOSES));
        let base = self.may(&fields, "base", Reader::commit);
        let change = self.need(&fields, "change", Reader::change);
        let checklist =
            self.need(&fields, "checklist", |reader, node, at| reader.list(node, at, 1..=ITEMS_MAX, Reader::item));
        let links = self.need(&fields, "links", |reader, node, at| reader.list(node, at, 0..=LINKS_MAX, Reader::link));
        let [risks, questions] = ["risks", "questions"].map(|key| self.need(&fields, key, Reader::notes));
        let decisions =
            self.need(&fields, "decisions", |reader, node, at| reader.list(node, at, 0..=NOTES_MAX, Reader::decision));
        let progress = self.may(&fields, "progress", Reader::progress);
        let stop = self.need(&fields, "stop", |reader, node, at| reader.text(node, at, LABEL_MAX));
        let previous = self.may(&fields, "previous", |reader, node, at| {
            reader.spelled(node, at, spelling::is_digest, "the 64 hex digits of a packet's SHA-256")
        });
        Some(Packet {
            v: v?,
            run: run?,
            task: task?,
            from: from?,
            to: to?,
            purpose: purpose?,
            base: base?,
            change: change?,
            checklist: checklist?,
            links: links?,
            risks: risks?,
            decisions: decisions?,
            questions: questions?,
            progress: progress?,
            stop: stop?,
            previous: previous?,
        })
    }

    fn run(&mut self, node: &Node, at: &Place) -> Option<String> {
        self.spelled(node, at, |text| spelling::is_hex(text, 16), "16 lower-case hex digits")
    }

    fn task(&mut self, node: &Node, at: &Place) -> Option<String> {
        self.spelled(node, at, spelling::is_task, "`T-` and a number: `T-17`")
    }

    fn change(&mut self, node: &Node, at: &Place) -> Option<String> {
        self.spelled(node, at, spelling::is_change, "`C-`, task and attempt: `C-17.2`")
    }

    fn lane(&mut self, node: &Node, at: &Place) -> Option<String> {
        self.spelled(node, at, spelling::is_lane, "a role, a dot and a number: `implementer.3`")
    }

    fn commit(&mut self, node: &Node, at: &Place) -> Option<String> {
        self.spelled(node, at, spelling::is_oid, "the 40 or 64 hex digits of a commit")
    }

    fn version(&mut self, node: &Node, at: &Place) -> Option<u32> {
        let v = self.whole(node, at, 0..=u64::MAX)?;
        if v == u64::from(FORMAT) {
            return Some(FORMAT);
        }
        let message = format!("format {v} is not known");
        self.note(flaw::VERSION, (at, &node.span), message, format!("this version reads format {FORMAT}"))
    }

    fn item(&mut self, node: &Node, at: &Place) -> Option<Item> {
        let fields = self.object(node, at, ("an item", &["claim", "state", "evidence"]))?;
        let claim = self.need(&fields, "claim", |reader, node, at| reader.text(node, at, CLAIM_MAX));
        let state = self.need(&fields, "state", |reader, node, at| reader.word(node, at, &STATES));
        let evidence = self.need(&fields, "evidence", |reader, node, at| {
            reader.list(node, at, 0..=EVIDENCE_MAX, |reader, node, at| {
                reader.whole(node, at, 0..=LINKS_MAX as u64 - 1).map(|place| place as u32)
            })
        });
        Some(Item { claim: claim?, state: state?, evidence: evidence? })
    }

    fn link(&mut self, node: &Node, at: &Place) -> Option<Link> {
        let kind = kind_of(node);
        let keys: &[&str] = match kind {
            Some(LinkKind::Content) => &["what", "kind", "digest", "bytes"],
            Some(LinkKind::File | LinkKind::Url) => &["what", "kind", "at", "digest"],
            None => &["what", "kind", "at", "digest", "bytes"],
        };
        let fields = self.object(node, at, ("a link", keys))?;
        let what = self.need(&fields, "what", |reader, node, at| reader.text(node, at, LABEL_MAX));
        let read = self.need(&fields, "kind", |reader, node, at| reader.word(node, at, &KINDS));
        let digest = self.need(&fields, "digest", |reader, node, at| match kind {
            Some(LinkKind::File) => reader.spelled(node, at, spelling::is_oid, "the 40 or 64 hex digits of a blob"),
            _ => reader.spelled(node, at, spelling::is_digest, "the 64 hex digits of a SHA-256"),
        });
        let (place, bytes) = self.place_of(&fields, kind);
        Some(Link { what: what?, kind: read?, at: place?, digest: digest?, bytes: bytes? })
    }

    fn place_of(&mut self, fields: &Fields<'_>, kind: Option<LinkKind>) -> (Option<String>, Option<Option<u64>>) {
        let place = match kind {
            Some(LinkKind::File) => self.need(fields, "at", Reader::path),
            Some(LinkKind::Url) => self.need(fields, "at", Reader::url),
            _ => Some(String::new()),
        };
        let bytes = match kind {
            Some(LinkKind::Content) => {
                self.need(fields, "bytes", |reader, node, at| reader.whole(node, at, 0..=CONTENT_BYTES_MAX)).map(Some)
            }
            _ => Some(None),
        };
        (place, bytes)
    }

    fn path(&mut self, node: &Node, at: &Place) -> Option<String> {
        let text = self.any_text(node, at)?;
        if spelling::is_path(text) {
            return Some(text.to_owned());
        }
        let message = format!("{} is no path inside the repository", flaw::shown(text));
        let help = "write it from the top of the repository, with `/` between and without `..`: `docs/plan.md`";
        self.note(flaw::PLACE, (at, &node.span), message, help)
    }

    fn url(&mut self, node: &Node, at: &Place) -> Option<String> {
        let text = self.any_text(node, at)?;
        if spelling::is_url(text) {
            return Some(text.to_owned());
        }
        let message = format!("{} is no address that a packet may have", flaw::shown(text));
        let help = "write `https://`, a host and a path, without spaces and without anybody's name or password";
        self.note(flaw::PLACE, (at, &node.span), message, help)
    }

    fn notes(&mut self, node: &Node, at: &Place) -> Option<Vec<String>> {
        self.list(node, at, 0..=NOTES_MAX, |reader, node, at| reader.text(node, at, NOTE_MAX))
    }

    fn decision(&mut self, node: &Node, at: &Place) -> Option<Decision> {
        let name = "a name of lower-case letters, digits and hyphens: `keep-utc`";
        let fields = self.object(node, at, ("a decision", &["id", "text", "overrides"]))?;
        let id = self.need(&fields, "id", |reader, node, at| reader.spelled(node, at, spelling::is_decision, name));
        let text = self.need(&fields, "text", |reader, node, at| reader.text(node, at, NOTE_MAX));
        let overrides = self.may(&fields, "overrides", |reader, node, at| {
            reader.list(node, at, 1..=OVERRIDES_MAX, |reader, node, at| {
                reader.spelled(node, at, spelling::is_decision, name)
            })
        });
        Some(Decision { id: id?, text: text?, overrides: overrides?.unwrap_or_default() })
    }

    fn progress(&mut self, node: &Node, at: &Place) -> Option<Progress> {
        let fields = self.object(node, at, ("progress", &["done", "of"]))?;
        let [done, of] = ["done", "of"].map(|key| {
            self.need(&fields, key, |reader, node, at| reader.whole(node, at, 0..=CALLS_MAX).map(|calls| calls as u32))
        });
        Some(Progress { done: done?, of: of? })
    }
}

const PURPOSES: [(&str, Purpose); 4] = [
    ("review", Purpose::Review),
    ("successor", Purpose::Successor),
    ("last-turn", Purpose::LastTurn),
    ("approval", Purpose::Approval),
];
const STATES: [(&str, ItemState); 3] =
    [("done", ItemState::Done), ("open", ItemState::Open), ("not-checked", ItemState::NotChecked)];
const KINDS: [(&str, LinkKind); 3] = [("content", LinkKind::Content), ("file", LinkKind::File), ("url", LinkKind::Url)];

/// What kind of link it is, before it is read: which keys it has depends on that.
fn kind_of(node: &Node) -> Option<LinkKind> {
    let Json::Object(entries) = &node.value else { return None };
    let kind = entries.iter().find(|entry| entry.key == "kind")?;
    let Json::Text(word) = &kind.value.value else { return None };
    KINDS.iter().find(|(known, _)| known == word).map(|(_, kind)| *kind)
}
