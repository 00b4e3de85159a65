//! Reading a conflict report strictly: every flaw of its form at once, each with its place, its reason and its cure.
//!
//! Owns which keys there are and what each may hold. Whether what it says is so of a run: [`crate::conflict::truth`].

use super::fields::{Place, Reader};
use super::{in_order, no_json};
use crate::conflict::{ConflictHunk, ConflictPath, ConflictPlace, ConflictReport, LandedFirst};
use crate::flaw::{self, Flaw};
use crate::json::{self, Node};
use crate::spelling;

/// Bytes of a report: what a content store holds at most.
pub const REPORT_BYTES_MAX: usize = 64 << 20;
/// Entries of each of its lists.
pub const ENTRIES_MAX: usize = 1_000_000;

const KEYS: [&str; 10] = ["v", "run", "task", "change", "lane", "packet", "base", "main", "paths", "conflicts"];

/// A conflict report, or everything that is wrong with its form: at most [`flaw::FLAWS_MAX`], in the order of the text.
pub fn read_report(bytes: &[u8]) -> Result<ConflictReport, Vec<Flaw>> {
    if bytes.len() > REPORT_BYTES_MAX {
        let message = format!("it has more than {REPORT_BYTES_MAX} bytes");
        let help = "show fewer lines, and count the hunks that are left out in `cut`".to_owned();
        return Err(vec![Flaw { code: flaw::TOO_LARGE, pointer: String::new(), span: 0..0, message, help }]);
    }
    let root = json::parse(bytes).map_err(|trouble| vec![no_json(&trouble)])?;
    let mut reader = Reader::default();
    let report = reader.report(&root);
    if let Some(report) = &report {
        whole(report, &root, &mut reader);
    }
    let flaws = in_order(reader.flaws);
    report.filter(|_| flaws.is_empty()).ok_or(flaws)
}

impl Reader {
    fn report(&mut self, root: &Node) -> Option<ConflictReport> {
        let fields = self.object(root, &Place::root(), ("a conflict report", &KEYS))?;
        let v = self.need(&fields, "v", |reader, node, at| reader.version(node, at));
        let run = self.need(&fields, "run", Reader::run);
        let task = self.need(&fields, "task", Reader::task);
        let change = self.need(&fields, "change", Reader::change);
        let lane = self.need(&fields, "lane", Reader::lane);
        let packet = self.may(&fields, "packet", Reader::packet_digest);
        let [base, main] = ["base", "main"].map(|key| self.need(&fields, key, Reader::commit));
        let paths = self
            .need(&fields, "paths", |reader, node, at| reader.list(node, at, 1..=ENTRIES_MAX, Reader::conflict_path));
        let conflicts = self.need(&fields, "conflicts", |reader, node, at| {
            reader.list(node, at, 1..=ENTRIES_MAX, Reader::conflict_place)
        });
        Some(ConflictReport {
            v: v?,
            run: run?,
            task: task?,
            change: change?,
            lane: lane?,
            packet: packet?,
            base: base?,
            main: main?,
            paths: paths?,
            conflicts: conflicts?,
        })
    }

    fn packet_digest(&mut self, node: &Node, at: &Place) -> Option<String> {
        self.spelled(node, at, spelling::is_digest, "the 64 hex digits of a packet's SHA-256")
    }

    fn conflict_path(&mut self, node: &Node, at: &Place) -> Option<ConflictPath> {
        let fields = self.object(node, at, ("a path", &["path", "landed"]))?;
        let path = self.need(&fields, "path", Reader::name);
        let landed =
            self.need(&fields, "landed", |reader, node, at| reader.list(node, at, 0..=ENTRIES_MAX, Reader::landed));
        Some(ConflictPath { path: path?, landed: landed? })
    }

    fn landed(&mut self, node: &Node, at: &Place) -> Option<LandedFirst> {
        let fields = self.object(node, at, ("a landing", &["change", "task", "lane", "packet"]))?;
        let change = self.need(&fields, "change", Reader::change);
        let task = self.need(&fields, "task", Reader::task);
        let lane = self.need(&fields, "lane", Reader::lane);
        let packet = self.may(&fields, "packet", Reader::packet_digest);
        Some(LandedFirst { change: change?, task: task?, lane: lane?, packet: packet? })
    }

    fn conflict_place(&mut self, node: &Node, at: &Place) -> Option<ConflictPlace> {
        let fields = self.object(node, at, ("a conflict", &["path", "kind", "hunks", "cut"]))?;
        let path = self.need(&fields, "path", |reader, node, at| reader.any_text(node, at).map(str::to_owned));
        let kind = self.need(&fields, "kind", Reader::name);
        let hunks =
            self.need(&fields, "hunks", |reader, node, at| reader.list(node, at, 0..=ENTRIES_MAX, Reader::hunk));
        let cut = self.may(&fields, "cut", Reader::counted);
        Some(ConflictPlace { path: path?, kind: kind?, hunks: hunks?, cut: cut?.unwrap_or_default() })
    }

    fn hunk(&mut self, node: &Node, at: &Place) -> Option<ConflictHunk> {
        let fields = self.object(node, at, ("a hunk", &["line", "main", "change"]))?;
        let line = self.need(&fields, "line", Reader::counted);
        let [main, change] = ["main", "change"].map(|key| {
            self.need(&fields, key, |reader, node, at| {
                reader.list(node, at, 0..=ENTRIES_MAX, |reader, node, at| reader.any_text(node, at).map(str::to_owned))
            })
        });
        Some(ConflictHunk { line: line?, main: main?, change: change? })
    }

    /// A text that is not empty, whatever letters it has: a path is what git says that it is.
    fn name(&mut self, node: &Node, at: &Place) -> Option<String> {
        let text = self.any_text(node, at)?;
        if !text.is_empty() {
            return Some(text.to_owned());
        }
        let message = "an empty text names nothing";
        self.note(flaw::TEXT, (at, &node.span), message, "write what git calls it")
    }

    fn counted(&mut self, node: &Node, at: &Place) -> Option<u32> {
        self.whole(node, at, 1..=u64::from(u32::MAX)).map(|count| count as u32)
    }
}

/// What the parts of a report say about each other.
fn whole(report: &ConflictReport, root: &Node, reader: &mut Reader) {
    let mut note = |pointer: &str, message: String, help: &str| {
        let at = pointer.split('/').skip(1).fold(Place::root(), |at, step| at.key(step));
        let span = json::nearest(root, pointer).span.clone();
        reader.note::<()>(flaw::CONTRADICTION, (&at, &span), message, help);
    };
    let own = "name an attempt at the task that stands beside it";
    if !spelling::is_change_of(&report.change, &report.task) {
        note("/change", format!("{} is no attempt at {}", report.change, report.task), own);
    }
    for (at, path) in report.paths.iter().enumerate() {
        if report.paths[..at].last().is_some_and(|before| before.path >= path.path) {
            let message = "it stands behind a path that comes later, or is named twice".to_owned();
            note(&format!("/paths/{at}/path"), message, "name each path once, in ascending order");
        }
        for (place, landed) in path.landed.iter().enumerate() {
            if !spelling::is_change_of(&landed.change, &landed.task) {
                let message = format!("{} is no attempt at {}", landed.change, landed.task);
                note(&format!("/paths/{at}/landed/{place}/change"), message, own);
            }
        }
    }
    for (at, conflict) in report.conflicts.iter().enumerate() {
        let is_empty = |hunk: &ConflictHunk| hunk.main.is_empty() && hunk.change.is_empty();
        for (place, _) in conflict.hunks.iter().enumerate().filter(|(_, hunk)| is_empty(hunk)) {
            let message = "a hunk in which nobody has a line".to_owned();
            note(&format!("/conflicts/{at}/hunks/{place}"), message, "show the lines of at least one side");
        }
    }
}
