//! Builds small run folders: a repository made by git, a journal that is chained anew after every forgery.

use baton_record::chain::Chain;
use baton_record::event::*;
use baton_record::ids::*;
use baton_record::line::{Actor, Record, hash_of, write_line};
use baton_record::segment::SegmentName;
use baton_record::{Event, Names, Oid};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

pub type Files = BTreeMap<String, String>;

pub const LANES: [&str; 2] = ["implementer.1", "implementer.2"];
/// Where the content store is.
pub const CONTENT: &str = "content";
pub const RUN: &str = "00112233445566aa";
pub const SCENARIO: &[u8] = b"baton: 1\nname: story\n";

pub struct Folder {
    place: TempDir,
    pub records: Vec<Record>,
    pub names: Names,
    /// Files of every commit made through this folder.
    pub files: BTreeMap<Oid, Files>,
    /// Base, and main after each landing.
    pub mains: Vec<Oid>,
}

impl Folder {
    pub fn empty() -> Folder {
        let place = tempfile::tempdir().unwrap();
        let mut names = Names::default();
        LANES.iter().for_each(|name| assert!(names.add_lane(name).is_some()));
        let folder = Folder { place, records: Vec::new(), names, files: BTreeMap::new(), mains: Vec::new() };
        fs::create_dir(folder.path().join("journal")).unwrap();
        folder.git(&["init", "-q", "--bare", "-b", "main", "."], b"");
        folder
    }

    /// The same folder once more, to be forged.
    pub fn copy(&self) -> Folder {
        let place = tempfile::tempdir().unwrap();
        copy_all(self.path(), place.path());
        let (records, names) = (self.records.clone(), self.names.clone());
        Folder { place, records, names, files: self.files.clone(), mains: self.mains.clone() }
    }

    pub fn path(&self) -> &Path {
        self.place.path()
    }

    pub fn repository(&self) -> PathBuf {
        let path = self.path().join("repo.git");
        fs::create_dir_all(&path).unwrap();
        path
    }

    pub fn git(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut child = Command::new("git")
            .args(arguments)
            .current_dir(self.repository())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub fn commit(&mut self, parents: &[Oid], files: &Files, author: &str, message: &str) -> Oid {
        let mut stream =
            format!("reset refs/scratch\ncommit refs/scratch\nauthor {author} <{author}@baton.invalid> 1 +0000\n");
        stream += &format!("committer {author} <{author}@baton.invalid> 1 +0000\n");
        stream += &format!("data {}\n{message}\n", message.len());
        for (place, parent) in parents.iter().enumerate() {
            stream += &format!("{} {parent}\n", if place == 0 { "from" } else { "merge" });
        }
        stream += "deleteall\n";
        for (path, text) in files {
            stream += &format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len());
        }
        self.git(&["fast-import", "--quiet", "--force"], stream.as_bytes());
        let oid = self.oid("refs/scratch");
        self.git(&["update-ref", "-d", "refs/scratch"], b"");
        self.files.insert(oid, files.clone());
        oid
    }

    pub fn oid(&self, name: &str) -> Oid {
        Oid::from_hex(&self.git(&["rev-parse", "--verify", name], b"")).unwrap()
    }

    pub fn tree(&self, commit: Oid) -> Oid {
        self.oid(&format!("{commit}^{{tree}}"))
    }

    pub fn blob(&self, text: &str) -> Oid {
        Oid::from_hex(&self.git(&["hash-object", "-w", "--stdin"], text.as_bytes())).unwrap()
    }

    pub fn set_ref(&self, name: &str, oid: Oid) {
        self.git(&["update-ref", name, &oid.to_hex()], b"");
    }

    pub fn push(&mut self, actor: Actor, about: (Option<u32>, Option<u32>), event: Event) {
        let t_us = self.records.len() as u64 * 10;
        let (lane, task) = (about.0.map(LaneId), about.1.map(TaskId));
        self.records.push(Record { t_us, actor, lane, task, event });
    }

    /// Place of the `nth` record of a kind.
    pub fn at(&self, kind: &str, nth: usize) -> usize {
        let is = |record: &Record| format!("{:?}", record.event).starts_with(&format!("{kind}("));
        let mut places = (0..self.records.len()).filter(|place| is(&self.records[*place]));
        places.nth(nth).unwrap_or_else(|| panic!("no {nth}. {kind}"))
    }

    pub fn event(&mut self, kind: &str, nth: usize) -> &mut Event {
        let place = self.at(kind, nth);
        &mut self.records[place].event
    }

    pub fn remove(&mut self, kind: &str, nth: usize) {
        let place = self.at(kind, nth);
        self.records.remove(place);
    }

    pub fn insert_after(&mut self, kind: &str, nth: usize, record: Record) {
        let place = self.at(kind, nth);
        self.records.insert(place + 1, Record { t_us: self.records[place].t_us, ..record });
    }

    /// Keeps everything up to and with a record: what a kill leaves.
    pub fn kill_after(&mut self, kind: &str, nth: usize) {
        let place = self.at(kind, nth);
        self.records.truncate(place + 1);
    }

    pub fn segment(&self, number: u32) -> PathBuf {
        self.path().join("journal").join(SegmentName { segment: number, epoch: 1 }.file_name())
    }

    /// What `run.json` says before there is a verdict.
    pub fn begun() -> serde_json::Value {
        serde_json::json!({
            "format": 1, "version": "0.1.0", "scenario": "story", "scenario_hash": hash_of(SCENARIO).to_string(),
            "seed": 7, "world": "sim", "control": false, "workspace": "fixture notes", "verdict": null
        })
    }

    /// `run.json` as it is before there is a verdict, with other keys over it.
    pub fn claim(&self, more: &serde_json::Value) {
        let mut claims = Folder::begun();
        for (key, value) in more.as_object().unwrap() {
            claims[key] = value.clone();
        }
        fs::write(self.path().join("run.json"), claims.to_string()).unwrap();
    }

    /// Puts content into the store; its digest.
    pub fn put(&self, bytes: &[u8]) -> String {
        let digest = hash_of(bytes).to_string();
        let folder = self.path().join(CONTENT).join(&digest[..2]);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(&digest[2..]), bytes).unwrap();
        digest
    }

    /// Writes all records, chained, and what lies beside the journal. A `SegmentClosed` with 0 records gets its numbers and ends its file.
    pub fn write(&self) {
        let mut chain = Chain::default();
        let (mut segment, mut lines, mut bytes) = (0, 0, Vec::new());
        for record in &self.records {
            lines += 1;
            let mut record = record.clone();
            let closes = matches!(record.event, Event::SegmentClosed(_));
            if let Event::SegmentClosed(closed) = &mut record.event
                && closed.records == 0
            {
                *closed = SegmentClosed { segment, records: lines };
            }
            write_line(&mut bytes, &mut chain, &record, &self.names);
            if closes {
                fs::write(self.segment(segment), &bytes).unwrap();
                (segment, lines, bytes) = (segment + 1, 0, Vec::new());
            }
        }
        fs::write(self.segment(segment), &bytes).unwrap();
        fs::write(self.path().join("scenario.yaml"), SCENARIO).unwrap();
        self.claim(&serde_json::json!({}));
    }

    pub fn message(&self, change: ChangeId, lane: usize, fence: Option<u64>) -> String {
        let fence = fence.map(|fence| format!("Baton-Fence: {fence}\n")).unwrap_or_default();
        let (task, lane) = (change.task(), LANES[lane]);
        format!(
            "{task}: attempt {} by {lane}\n\nBaton-Change: {change}\nBaton-Task: {task}\nBaton-Lane: {lane}\nBaton-Model: fast\nBaton-Run: {RUN}\n{fence}",
            change.attempt()
        )
    }
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
