//! Owns the conflict reports: that each refused conflict has one under its hash, which names the change, its lane, its task, its
//! base and main as the journal has them, and everyone who was at its paths first as main itself has it (MAIL-1).
//!
//! Reads with rules of its own. Deliberately does not try the merge again: nothing of a refused change is in the repository,
//! so what the change has in a hunk is compared with its packet, and where it has none said by the report alone.

use crate::changes::{Change, Changes};
use crate::lanes::Lanes;
use crate::main_line::MainLine;
use crate::packet_content::content;
use crate::packet_form::{Strict, whole};
use crate::report::Judgement;
use crate::repository::Repository;
use baton_record::{ChangeId, Oid};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// One refusal for a conflict.
#[derive(Clone, Debug)]
pub(crate) struct Conflicted {
    pub(crate) change: ChangeId,
    pub(crate) paths: Vec<String>,
    pub(crate) report: String,
    /// Where main was.
    pub(crate) head: Oid,
}

/// What reports are compared with.
pub(crate) struct Grounds<'a> {
    pub(crate) run: &'a str,
    pub(crate) base: Oid,
    pub(crate) changes: &'a Changes,
    pub(crate) lanes: &'a Lanes,
    pub(crate) line: &'a MainLine,
    pub(crate) repository: &'a Repository,
    pub(crate) content: &'a Path,
}

/// By path: the landings that have moved it, by their number from 1.
type Moved = BTreeMap<String, Vec<(usize, ChangeId)>>;

/// MAIL-1 of every conflict report.
pub(crate) fn judge(grounds: &Grounds<'_>) -> Judgement {
    let (mut mail_1, conflicted) = (Judgement::default(), &grounds.changes.conflicted);
    if conflicted.is_empty() {
        return mail_1;
    }
    if let Err(why) = grounds.judge(conflicted, &mut mail_1) {
        // What cannot be read of main is held against MAIN-3.
        mail_1.note(format!("the conflict reports cannot be compared with main: {why}"));
        return mail_1;
    }
    mail_1.note(format!("{} conflicts, each with its report", conflicted.len()));
    mail_1
}

impl Grounds<'_> {
    fn judge(&self, conflicted: &[Conflicted], mail_1: &mut Judgement) -> Result<(), String> {
        let landings = (1..).zip(&self.line.placed).map(|(number, landing)| (landing.main_after, number));
        let places: BTreeMap<Oid, usize> = landings.chain([(self.base, 0)]).collect();
        let moved = self.moved()?;
        let mut shown = Vec::new();
        for refused in conflicted {
            let change = self.changes.get(refused.change);
            let at = |commit| places.get(commit).copied();
            // Where main is not what the journal says, that is said there.
            let Some((change, since, until)) =
                change.and_then(|change| Some((change, at(&change.submitted.base)?, at(&refused.head)?)))
            else {
                continue;
            };
            let expected = self.expected(refused, change, |path| first(&moved, path, (since, until)));
            match self.read(refused, &expected) {
                Ok(report) => {
                    self.stand_in_packet((refused, change), &report, mail_1);
                    shown.extend(hunks(&report, "main").map(|(path, lines)| (refused.clone(), path, lines)));
                }
                Err(why) => mail_1.breaks(|| format!("the report of {}'s conflict {why}", refused.change)),
            }
            mail_1.checked();
        }
        self.stand_on_main(&shown, mail_1)
    }

    /// Which landing has moved what.
    fn moved(&self) -> Result<Moved, String> {
        let tree = |commit| self.line.tree_of(commit).ok_or("a landing has no tree");
        let pairs = self.line.placed.iter();
        let pairs = pairs.map(|landing| Ok((tree(landing.main_before)?, tree(landing.main_after)?)));
        let differences = self.repository.differences(&pairs.collect::<Result<Vec<_>, String>>()?)?;
        let mut moved = Moved::new();
        for ((number, landing), deltas) in (1..).zip(&self.line.placed).zip(differences) {
            for delta in deltas {
                let path = String::from_utf8_lossy(&delta.path).into_owned();
                moved.entry(path).or_default().push((number, landing.change));
            }
        }
        Ok(moved)
    }

    /// A report as it has to be, but for what git said of the merge.
    fn expected(&self, refused: &Conflicted, change: &Change, first: impl Fn(&str) -> Vec<ChangeId>) -> Value {
        let landed = |id: ChangeId| {
            let change = self.changes.get(id);
            let lane = change.and_then(|change| self.maker(change));
            let landed = json!({ "change": id.to_string(), "task": id.task().to_string(), "lane": lane });
            with_packet(landed, change)
        };
        let path = |path: &String| {
            let landed: Vec<Value> = first(path).into_iter().map(landed).collect();
            json!({ "path": path, "landed": landed })
        };
        let report = json!({
            "v": 1,
            "run": self.run,
            "task": refused.change.task().to_string(),
            "change": refused.change.to_string(),
            "lane": self.maker(change),
            "base": change.submitted.base.to_hex(),
            "main": refused.head.to_hex(),
            "paths": refused.paths.iter().map(path).collect::<Vec<Value>>(),
        });
        with_packet(report, Some(change))
    }

    /// The name of the lane that made a change, whoever submitted it.
    fn maker<'c>(&'c self, change: &'c Change) -> Option<&'c str> {
        change.submitted.author.as_deref().or_else(|| change.lane.and_then(|lane| self.lanes.name(lane)))
    }

    fn read(&self, refused: &Conflicted, expected: &Value) -> Result<Value, String> {
        let bytes = content(self.content, &refused.report)?;
        let Strict(mut report) = serde_json::from_slice(&bytes).map_err(|error| format!("is no JSON: {error}"))?;
        let conflicts = report.as_object_mut().and_then(|report| report.remove("conflicts"));
        let fields = expected.as_object().into_iter().flatten();
        if let Some((key, _)) = fields.clone().find(|(key, value)| report.get(key) != Some(value)) {
            return Err(format!("has another `{key}` than the journal and main"));
        }
        if report.as_object().map(serde_json::Map::len) != Some(fields.count()) {
            return Err("has a key that reports do not have".to_owned());
        }
        let conflicts = conflicts.ok_or("does not say what conflicts")?;
        let well_formed = conflicts.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_conflict));
        if well_formed { Ok(conflicts) } else { Err("says in no known form what conflicts".to_owned()) }
    }

    /// What the change is said to have in a hunk stands in the file that its packet has, in one piece. Of a change that no
    /// packet has brought only the report tells.
    fn stand_in_packet(&self, (refused, change): (&Conflicted, &Change), report: &Value, mail_1: &mut Judgement) {
        let Some(files) = change.submitted.packet.as_deref().and_then(|packet| self.packed(packet)) else { return };
        for (path, lines) in hunks(report, "change") {
            // A file of another name is not looked for; and what is gone from the store is said of the packet.
            let Some(bytes) = files.get(&path).and_then(|digest| content(self.content, digest).ok()) else { continue };
            mail_1.claim(stands_in(&bytes, &lines), || {
                format!(
                    "the report of {}'s conflict shows lines of {path} that the change does not have",
                    refused.change
                )
            });
        }
    }

    /// The files of the change that a packet explains: path and digest.
    fn packed(&self, packet: &str) -> Option<BTreeMap<String, String>> {
        let json = |digest: &str| serde_json::from_slice::<Value>(&content(self.content, digest).ok()?).ok();
        let packet = json(packet)?;
        let link = packet["links"].as_array()?.iter().find(|link| link["what"] == "change")?;
        let change = json(link["digest"].as_str()?)?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let edits = change["edits"].as_array()?.iter();
        Some(edits.filter_map(|edit| text(&edit["path"]).zip(text(&edit["content"]))).collect())
    }

    /// What main is said to have in a hunk stands on main, in one piece.
    fn stand_on_main(&self, shown: &[(Conflicted, String, Vec<String>)], mail_1: &mut Judgement) -> Result<(), String> {
        let asked: Vec<(Oid, String)> = shown.iter().map(|(refused, path, _)| (refused.head, path.clone())).collect();
        let (mut about, mut blobs) = (Vec::new(), Vec::new());
        // A file that the change gives another name stands on main under its old one.
        for (at, blob) in self.repository.paths_at(&asked)?.into_iter().enumerate() {
            about.extend(blob.map(|_| at));
            blobs.extend(blob);
        }
        self.repository.objects(&blobs, &mut |at, _, bytes| {
            let (refused, path, lines) = &shown[about[at]];
            mail_1.claim(stands_in(bytes, lines), || {
                format!("the report of {}'s conflict shows lines of {path} that main did not have", refused.change)
            });
            Ok(())
        })
    }
}

/// The packet that a change's lane began with is named where there is one.
fn with_packet(mut said: Value, change: Option<&Change>) -> Value {
    if let Some(packet) = change.and_then(|change| change.submitted.packet.as_deref()) {
        said["packet"] = packet.into();
    }
    said
}

/// Who has moved a path on main between two of its places.
fn first(moved: &Moved, path: &str, (since, until): (usize, usize)) -> Vec<ChangeId> {
    let landings = moved.get(path).into_iter().flatten();
    landings.filter(|(number, _)| *number > since && *number <= until).map(|(_, change)| *change).collect()
}

/// Whether these lines stand in a file in one piece.
fn stands_in(bytes: &[u8], lines: &[String]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let text: Vec<&str> = text.lines().collect();
    text.windows(lines.len()).any(|window| window == lines)
}

/// What one side, `main` or `change`, is said to have in each hunk. A line that looks like a mark of git's makes it unclear whose is which.
fn hunks(conflicts: &Value, side: &'static str) -> impl Iterator<Item = (String, Vec<String>)> {
    let is_mark =
        |line: &String| ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark));
    let of = move |conflict: &Value| {
        let path = conflict["path"].as_str().unwrap_or_default().to_owned();
        let hunks = conflict["hunks"].as_array().cloned().unwrap_or_default();
        let lines = hunks.into_iter().map(|hunk| -> Vec<String> {
            let lines = hunk[side].as_array().into_iter().flatten();
            lines.filter_map(|line| line.as_str().map(str::to_owned)).collect()
        });
        let plain = !path.chars().any(char::is_control);
        let clear = lines.filter(move |lines| plain && !lines.is_empty() && !lines.iter().any(is_mark));
        clear.map(move |lines| (path.clone(), lines)).collect::<Vec<_>>()
    };
    let all: Vec<_> = conflicts.as_array().into_iter().flatten().flat_map(of).collect();
    all.into_iter()
}

fn is_conflict(conflict: &Value) -> bool {
    let cut = conflict.get("cut");
    let keys = conflict.as_object().map(serde_json::Map::len) == Some(3 + usize::from(cut.is_some()));
    let named = conflict["path"].is_string() && conflict["kind"].as_str().is_some_and(|kind| !kind.is_empty());
    let hunks = conflict["hunks"].as_array().is_some_and(|hunks| hunks.iter().all(is_hunk));
    keys && named && hunks && cut.is_none_or(|cut| whole(cut).is_some_and(|cut| cut > 0))
}

fn is_hunk(hunk: &Value) -> bool {
    let lines = |key: &str| hunk[key].as_array().filter(|lines| lines.iter().all(Value::is_string)).map(Vec::len);
    let keys = hunk.as_object().map(serde_json::Map::len) == Some(3);
    let line = whole(&hunk["line"]).is_some_and(|line| line > 0);
    keys && line && lines("main").zip(lines("change")).is_some_and(|(main, change)| main + change > 0)
}
