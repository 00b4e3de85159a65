//! One good run that exercises every check: leases, a merge by git, a refusal, a second attempt, a rename,
//! a delete, a pause, slots, a gate, an artifact, two segments.

use crate::folder::{Files, Folder, RUN, SCENARIO};
use baton_record::event::*;
use baton_record::ids::*;
use baton_record::line::Actor::{Merger, Recorder, Run, Supervisor};
use baton_record::{Event, Oid};
use serde_json::{Value, json};
use std::sync::OnceLock;

/// What each call can use at most.
const BOUND: Bound = Bound { tokens: 2, usd_micros: 1 };

/// A fresh copy of the good run.
pub fn good() -> Folder {
    static GOOD: OnceLock<Folder> = OnceLock::new();
    GOOD.get_or_init(tell).copy()
}

pub fn update(op: UpdateOp, path: &str, from: Option<&str>, token: Option<&str>) -> Update {
    Update { op, path: path.into(), from: from.map(str::to_owned), token: token.map(str::to_owned) }
}

pub fn base_files() -> Files {
    let lines: String = (1..20).map(|n| format!("line {n}\n")).collect();
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    Files::from([file("a.txt", &lines), file("b.txt", "b\n"), file("d.txt", "d\n"), file("src/lib.rs", "old\n")])
}

pub fn with(files: &Files, edits: &[(&str, Option<&str>)]) -> Files {
    let mut files = files.clone();
    for (path, text) in edits {
        match text {
            Some(text) => files.insert((*path).to_owned(), (*text).to_owned()),
            None => files.remove(*path),
        };
    }
    files
}

pub struct Proposal<'a> {
    pub change: (u32, u32),
    pub lane: u32,
    pub base: Oid,
    pub lease: Option<(u32, u64)>,
    pub edits: &'a [(&'a str, Option<&'a str>)],
    pub updates: Vec<Update>,
}

impl Folder {
    /// Proposes a change: its commit and its submission.
    pub fn submit(&mut self, proposal: &Proposal<'_>, reads: Vec<Read>) -> (ChangeId, Oid) {
        let change = ChangeId::of(TaskId(proposal.change.0), proposal.change.1);
        let files = with(&self.files[&proposal.base].clone(), proposal.edits);
        let message = self.message(change, proposal.lane as usize, proposal.lease.map(|lease| lease.1));
        let author = crate::folder::LANES[proposal.lane as usize];
        let commit = self.commit(&[proposal.base], &files, author, &message);
        let submitted = ChangeSubmitted {
            change,
            base: proposal.base,
            commit,
            lease: proposal.lease.map(|lease| LeaseId(lease.0)),
            fence: proposal.lease.map(|lease| Fence(lease.1)),
            reads,
            updates: proposal.updates.clone(),
            author: None,
            packet: None,
            answers: self.unmerged(change),
            sent_us: None,
            denied: 0,
            failed: 0,
        };
        self.push(Merger, (Some(proposal.lane), Some(change.task().0)), Event::ChangeSubmitted(submitted));
        (change, commit)
    }

    /// The newest change of the same task that did not merge.
    fn unmerged(&self, change: ChangeId) -> Option<ChangeId> {
        let refused = self.records.iter().rev().filter_map(|record| match &record.event {
            Event::ChangeRefused(refused) if refused.reason == RefuseReason::Conflict => Some(refused.change),
            _ => None,
        });
        refused.into_iter().find(|refused| refused.task() == change.task())
    }

    /// Lands a submitted change with the given files as the merged tree.
    pub fn land(
        &mut self,
        proposal: &Proposal<'_>,
        submitted: (ChangeId, Oid),
        merged: &Files,
        verdict: Verdict,
        fences: Option<Oid>,
    ) {
        let (change, commit) = submitted;
        let main_before = *self.mains.last().unwrap();
        let message = self.message(change, proposal.lane as usize, proposal.lease.map(|lease| lease.1));
        let author = crate::folder::LANES[proposal.lane as usize];
        let main_after = self.commit(&[main_before, commit], merged, author, &message);
        let tree = self.tree(main_after);
        let about = (Some(proposal.lane), Some(change.task().0));
        self.push(Merger, about, Event::GatePassed(GatePassed { gate: "test".into(), tree }));
        let intended = ChangeIntended { change, main_before, main_after, tree, verdict, fences, behind: None };
        self.push(Merger, about, Event::ChangeIntended(intended));
        self.push(Merger, about, Event::ChangeLanded(ChangeLanded { change, main_before, main_after, fault: None }));
        self.push(Supervisor, about, Event::TaskDone(TaskDone { change }));
        self.mains.push(main_after);
        self.set_ref("refs/heads/main", main_after);
    }

    pub fn begin_call(&mut self, about: (Option<u32>, Option<u32>), key: u64) {
        self.push(Supervisor, about, Event::SlotGranted(SlotGranted { endpoint: EndpointId(0) }));
        self.push(Supervisor, about, Event::EffectIntended(EffectIntended { key: EffectKey(key), reserved: BOUND }));
    }

    pub fn end_call(&mut self, about: (Option<u32>, Option<u32>), key: u64) {
        let done = EffectDone { key: EffectKey(key), tokens_in: 1, tokens_out: 1, usd_micros: 1 };
        self.push(Supervisor, about, Event::EffectDone(done));
        self.push(Supervisor, about, Event::SlotReleased(SlotReleased { endpoint: EndpointId(0), fault: None }));
    }

    fn assign(&mut self, lane: u32, task: u32, attempt: u32) {
        self.push(Supervisor, (Some(lane), Some(task)), Event::TaskAssigned(TaskAssigned { attempt }));
    }

    fn ask_lease(&mut self, lane: u32, change: ChangeId, lease: u32, resource: u16) {
        let (lease, resources) = (LeaseId(lease), vec![ResourceId(resource)]);
        let asked = LeaseRequested { lease, change, resources, ttl_us: 100_000 };
        self.push(Supervisor, (Some(lane), Some(change.task().0)), Event::LeaseRequested(asked));
    }

    fn grant_lease(&mut self, lane: u32, task: u32, lease: u32, fence: u64) -> Oid {
        let about = (Some(lane), Some(task));
        let until_us = self.records.len() as u64 * 10 + 100_000;
        let (lease, fence) = (LeaseId(lease), Fence(fence));
        self.push(Supervisor, about, Event::LeaseGranted(LeaseGranted { lease, fence, until_us }));
        let fences = self.blob(&format!("baton-fences 1\n{0} src/**\n{0} src/lib.rs\n", fence.0));
        self.set_ref("refs/baton/fences", fences);
        let resources = vec![ResourceId(0), ResourceId(1)];
        self.push(Merger, about, Event::FenceRaised(FenceRaised { lease, fence, resources, fences }));
        fences
    }

    /// Start, names, lanes and tasks.
    pub fn open(&mut self, control: bool) -> Oid {
        let base = self.commit(&[], &base_files(), "ana", "base\n");
        self.mains.push(base);
        self.set_ref("refs/heads/main", base);
        let (run, version, scenario) = (RUN.to_owned(), "0.1.0".to_owned(), "story".to_owned());
        let scenario_hash = baton_record::line::hash_of(SCENARIO).to_string();
        let started =
            RunStarted { version, run, scenario, scenario_hash, seed: 7, world: WorldKind::Sim, base, control };
        self.push(Run, (None, None), Event::RunStarted(started));
        for (id, pattern, overlaps) in [(0, "src/**", vec![]), (1, "src/lib.rs", vec![ResourceId(0)])] {
            let named = ResourceNamed { resource: ResourceId(id), pattern: pattern.into(), overlaps };
            self.push(Run, (None, None), Event::ResourceNamed(named));
        }
        let endpoint = EndpointNamed {
            endpoint: EndpointId(0),
            name: "fast".into(),
            slots: 1,
            requests_per_minute: None,
            tokens_per_minute: None,
        };
        self.push(Run, (None, None), Event::EndpointNamed(endpoint));
        if !control {
            self.push(Run, (None, None), Event::GateNamed(GateNamed { gate: "test".into() }));
        }
        for lane in 0..2 {
            let joined = LaneJoined { id: LaneId(lane), role: "implementer".into(), model: EndpointId(0) };
            self.push(Supervisor, (Some(lane), None), Event::LaneJoined(joined));
        }
        for task in 0..3 {
            let artifact = (task == 0).then(|| "notes/0.md".to_owned());
            let (role, group) = ("implementer".into(), task as u16);
            let added = TaskAdded { role, attempts_max: 2, artifact, group, ..TaskAdded::default() };
            self.push(Supervisor, (None, Some(task)), Event::TaskAdded(added));
        }
        let limit = Limit { requests: Some(10), tokens: Some(100), usd_micros: Some(100) };
        let set = BudgetSet { scope: BudgetScope::Run, role: None, limit, by: None, reason: None };
        self.push(Supervisor, (None, None), Event::BudgetSet(set));
        self.assign(0, 0, 1);
        self.assign(1, 1, 1);
        base
    }
}

/// The end of `a.txt` after the first change, and its start after the second.
fn edited(files: &Files, first: Option<&str>, last: Option<&str>) -> String {
    let text = &files["a.txt"];
    let text = first.map_or(text.clone(), |first| text.replacen("line 1\n", first, 1));
    text + last.unwrap_or("")
}

fn tell() -> Folder {
    let mut f = Folder::empty();
    let base = f.open(false);
    let asks = |lane: u32, key: u64| {
        (
            (Some(lane), Some(lane)),
            Event::SlotRequested(SlotRequested { endpoint: EndpointId(0), key: EffectKey(key), bound: BOUND }),
        )
    };
    let (first_asks, second_asks) = (asks(0, 1), asks(1, 2));
    f.push(Supervisor, first_asks.0, first_asks.1);
    f.begin_call((Some(0), Some(0)), 1);
    f.push(Supervisor, second_asks.0, second_asks.1);
    f.end_call((Some(0), Some(0)), 1);
    f.begin_call((Some(1), Some(1)), 2);
    f.end_call((Some(1), Some(1)), 2);
    first(&mut f, base);
    let fences = second(&mut f, base);
    third(&mut f, fences);
    let main = *f.mains.last().unwrap();
    let stopped = RunStopped { reason: StopReason::TasksEnded, main, landed: 3, refused: 1 };
    f.push(Run, (None, None), Event::RunStopped(stopped));
    f
}

fn first(f: &mut Folder, base: Oid) {
    let text = edited(&base_files(), None, Some("tok-0b\n"));
    let edits = [("notes/0.md", Some("tok-0a\n")), ("a.txt", Some(text.as_str()))];
    let updates = vec![
        update(UpdateOp::Create, "notes/0.md", None, Some("tok-0a")),
        update(UpdateOp::Append, "a.txt", None, Some("tok-0b")),
    ];
    let proposal = Proposal { change: (0, 1), lane: 0, base, lease: None, edits: &edits, updates };
    let reads =
        vec![Read { path: "b.txt".into(), blob: Some(f.blob("b\n")) }, Read { path: "none".into(), blob: None }];
    let submitted = f.submit(&proposal, reads);
    let merged = f.files[&submitted.1].clone();
    f.land(&proposal, submitted, &merged, Verdict::Same, None);
}

fn second(f: &mut Folder, base: Oid) -> Oid {
    f.assign(0, 2, 1);
    f.ask_lease(1, ChangeId::of(TaskId(1), 1), 0, 0);
    let fences = f.grant_lease(1, 1, 0, 1);
    f.ask_lease(0, ChangeId::of(TaskId(2), 1), 1, 1);
    let text = edited(&base_files(), Some("tok-1b\n"), None);
    let edits = [("src/lib.rs", Some("tok-1a\n")), ("a.txt", Some(text.as_str()))];
    let updates = vec![
        update(UpdateOp::Edit, "src/lib.rs", None, Some("tok-1a")),
        update(UpdateOp::Edit, "a.txt", None, Some("tok-1b")),
    ];
    let proposal = Proposal { change: (1, 1), lane: 1, base, lease: Some((0, 1)), edits: &edits, updates };
    let submitted = f.submit(&proposal, Vec::new());
    let both = edited(&base_files(), Some("tok-1b\n"), Some("tok-0b\n"));
    let main = f.files[f.mains.last().unwrap()].clone();
    let merged = with(&main, &[("src/lib.rs", Some("tok-1a\n")), ("a.txt", Some(&both))]);
    f.land(&proposal, submitted, &merged, Verdict::Git, Some(fences));
    f.push(Recorder, (None, None), Event::SegmentClosed(SegmentClosed { segment: 0, records: 0 }));
    let ended = |lease| Event::LeaseReleased(LeaseReleased { lease: LeaseId(lease), fence: None, fault: None });
    f.push(Supervisor, (Some(1), Some(1)), ended(0));
    let fences = f.grant_lease(0, 2, 1, 2);
    let (by, reason) = ("ana".to_owned(), "lunch".to_owned());
    let paused = PauseRequested { epoch: Epoch(1), by: by.clone(), reason: reason.clone() };
    f.push(Supervisor, (None, None), Event::PauseRequested(paused));
    let acknowledged = PauseAcknowledged { epoch: Epoch(1), lanes: 2, gone: Vec::new() };
    f.push(Supervisor, (None, None), Event::PauseAcknowledged(acknowledged));
    f.push(Supervisor, (None, None), Event::Resumed(Resumed { epoch: Epoch(2), by, reason }));
    fences
}

/// The report of the conflict that the third change runs into.
pub fn conflict(f: &Folder) -> Value {
    let first = json!({ "change": "C-1.1", "task": "T-1", "lane": "implementer.2" });
    let hunk = json!({ "line": 1, "main": ["tok-1a"], "change": ["tok-2a"] });
    json!({
        "v": 1,
        "run": RUN,
        "task": "T-2",
        "change": "C-2.1",
        "lane": "implementer.1",
        "base": f.mains[1].to_hex(),
        "main": f.mains[2].to_hex(),
        "paths": [{ "path": "src/lib.rs", "landed": [first] }],
        "conflicts": [{ "path": "src/lib.rs", "kind": "content", "hunks": [hunk] }],
    })
}

fn third(f: &mut Folder, fences: Oid) {
    let base = f.mains[1];
    let updates = vec![update(UpdateOp::Edit, "src/lib.rs", None, Some("tok-2a"))];
    let edits = [("src/lib.rs", Some("tok-2a\n"))];
    let proposal = Proposal { change: (2, 1), lane: 0, base, lease: Some((1, 2)), edits: &edits, updates };
    let (change, _) = f.submit(&proposal, Vec::new());
    let about = (Some(0), Some(2));
    let (reason, paths, undoes) = (RefuseReason::Conflict, vec!["src/lib.rs".into()], Vec::new());
    let report = Some(f.put(conflict(f).to_string().as_bytes()));
    let refused = ChangeRefused { change, reason, paths, undoes, report, fault: None };
    f.push(Merger, about, Event::ChangeRefused(refused));
    let returned = TaskReturned { reason: ReturnReason::Refused, fault: None };
    f.push(Supervisor, about, Event::TaskReturned(returned));
    f.assign(0, 2, 2);
    let released = LeaseReleased { lease: LeaseId(1), fence: None, fault: None };
    f.push(Supervisor, about, Event::LeaseReleased(released));
    let updates =
        vec![update(UpdateOp::Rename, "c.txt", Some("b.txt"), None), update(UpdateOp::Delete, "d.txt", None, None)];
    let base = f.mains[2];
    let edits = [("c.txt", Some("b\n")), ("b.txt", None), ("d.txt", None)];
    let proposal = Proposal { change: (2, 2), lane: 0, base, lease: None, edits: &edits, updates };
    let submitted = f.submit(&proposal, Vec::new());
    let merged = f.files[&submitted.1].clone();
    f.land(&proposal, submitted, &merged, Verdict::Same, Some(fences));
}
