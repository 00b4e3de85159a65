//! A second count of a report's figures, from the lines of the journal alone and by `docs/report.md` alone: whole lists
//! that are searched again and again, where the product folds. Slow, and of no use to anybody but tests.

mod costs;
mod lanes;
mod work;

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// One line of the journal.
pub(crate) struct Line<'a> {
    pub(crate) at: usize,
    pub(crate) t: u64,
    pub(crate) kind: &'a str,
    pub(crate) lane: Option<&'a str>,
    pub(crate) task: Option<&'a str>,
    pub(crate) data: &'a Value,
}

/// A whole journal.
pub(crate) struct Book<'a> {
    pub(crate) lines: Vec<Line<'a>>,
    pub(crate) end: u64,
    /// Name and role, in the order of joining.
    pub(crate) lanes: Vec<(&'a str, &'a str)>,
    /// Name, and whether it has a rate.
    pub(crate) endpoints: Vec<(&'a str, bool)>,
}

/// A lane's turn at a task.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) task: &'a str,
    pub(crate) lane: &'a str,
    pub(crate) begin: usize,
    /// The line that ends it.
    pub(crate) end: Option<usize>,
    pub(crate) review: bool,
    pub(crate) rework: Option<&'a str>,
    /// The line at which the packet that it begins with was accepted.
    pub(crate) packet: Option<usize>,
}

impl<'a> Book<'a> {
    pub(crate) fn of(records: &'a [Value]) -> Book<'a> {
        let mut end = 0;
        let line = |(at, record): (usize, &'a Value)| {
            end = end.max(record["t_us"].as_u64().unwrap());
            let (lane, task) = (record["lane"].as_str(), record["task"].as_str());
            Line { at, t: end, kind: record["kind"].as_str().unwrap(), lane, task, data: &record["data"] }
        };
        let lines: Vec<Line<'a>> = records.iter().enumerate().map(line).collect();
        let of_kind = |kind: &'static str| lines.iter().filter(move |line| line.kind == kind);
        let lanes = of_kind("LaneJoined").map(|line| (line.lane.unwrap(), line.data["role"].as_str().unwrap()));
        let lanes = lanes.collect();
        let rated = |data: &Value| !data["requests_per_minute"].is_null() || !data["tokens_per_minute"].is_null();
        let endpoints = of_kind("EndpointNamed").map(|line| (line.data["name"].as_str().unwrap(), rated(line.data)));
        let endpoints = endpoints.collect();
        Book { end, lanes, endpoints, lines }
    }

    pub(crate) fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = &Line<'a>> {
        self.lines.iter().filter(move |line| line.kind == kind)
    }

    pub(crate) fn count(&self, kind: &'static str) -> u64 {
        self.of_kind(kind).count() as u64
    }

    /// The next line behind `at` that is so.
    pub(crate) fn next(&self, at: usize, is: impl Fn(&Line<'a>) -> bool) -> Option<&Line<'a>> {
        self.lines[at + 1..].iter().find(|line| is(line))
    }

    /// The last line before `at` that is so.
    pub(crate) fn last(&self, at: usize, is: impl Fn(&Line<'a>) -> bool) -> Option<&Line<'a>> {
        self.lines[..at].iter().rev().find(|line| is(line))
    }

    pub(crate) fn role(&self, lane: &str) -> &'a str {
        self.lanes.iter().find(|(name, _)| *name == lane).unwrap().1
    }

    /// Counts by the word that `of` finds in each line of a kind.
    pub(crate) fn words(&self, kind: &'static str, of: impl Fn(&Line<'a>) -> String) -> Value {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        self.of_kind(kind).for_each(|line| *counts.entry(of(line)).or_default() += 1);
        json!(counts)
    }

    /// Every attempt, in the order of beginning.
    pub(crate) fn attempts(&self) -> Vec<Attempt<'a>> {
        self.of_kind("TaskAssigned").map(|line| self.attempt(line)).collect()
    }

    fn attempt(&self, begin: &Line<'a>) -> Attempt<'a> {
        let (task, lane) = (begin.task.unwrap(), begin.lane.unwrap());
        let mine = |line: &Line<'a>| line.task == Some(task);
        let ends = |line: &Line<'a>| mine(line) && matches!(line.kind, "TaskReturned" | "TaskDone" | "TaskFailed");
        let (mut review, mut packet, mut rework) = (false, None, None);
        for line in self.lines[..begin.at].iter().filter(|line| mine(line)) {
            match (line.kind, line.data["reason"].as_str().unwrap_or_default()) {
                ("PacketAccepted", _) => packet = Some(line.at),
                ("TaskReturned", "handed-over") => {
                    review |= packet.is_some_and(|at| self.offer(at).data["purpose"] == "review");
                }
                ("TaskReturned", "sent-back") => review = false,
                ("TaskReturned", "refused") => (review, packet) = (false, None),
                _ => {}
            }
            if line.kind == "TaskReturned" && given_back(line) {
                rework = line.data["reason"].as_str();
            }
        }
        let end = self.next(begin.at, ends).map(|line| line.at);
        Attempt { task, lane, begin: begin.at, end, review, rework, packet }
    }

    /// The offer of the packet that is accepted at this line.
    pub(crate) fn offer(&self, accepted: usize) -> &Line<'a> {
        let packet = &self.lines[accepted].data["packet"];
        self.last(accepted, |line| line.kind == "PacketOffered" && line.data["packet"] == *packet).unwrap()
    }
}

/// Whether a task that returns so is given back.
pub(crate) fn given_back(line: &Line<'_>) -> bool {
    line.data["reason"] != "handed-over" && line.data["reason"] != "waits-for-person"
}

/// A distribution as the report has it.
pub(crate) fn spread(mut samples: Vec<u64>) -> Value {
    samples.sort_unstable();
    let rank = |percent: f64| {
        let place = (percent / 100.0 * samples.len() as f64).ceil() as usize;
        if samples.is_empty() { Value::Null } else { json!(samples[place - 1]) }
    };
    json!({
        "count": samples.len(), "total": samples.iter().sum::<u64>(), "p50": rank(50.0), "p95": rank(95.0),
        "p99": rank(99.0), "max": samples.last(),
    })
}

/// All that is counted here, in the shape of the report; what is not here is not compared.
pub(crate) fn recount(records: &[Value]) -> Value {
    let book = Book::of(records);
    let mut told = Map::new();
    told.insert("records".into(), json!(records.len()));
    told.insert("end_us".into(), json!(book.end));
    let (added, done, failed) = (book.count("TaskAdded"), book.count("TaskDone"), book.count("TaskFailed"));
    let tasks = json!({ "added": added, "done": done, "failed": failed, "open": added - done - failed });
    told.insert("tasks".into(), tasks);
    told.insert("lane_time".into(), lanes::lane_time(&book));
    told.insert("waits".into(), lanes::waits(&book));
    told.insert("landings".into(), work::landings(&book));
    told.insert("duplicates".into(), work::duplicates(&book));
    told.insert("spend".into(), costs::spend(&book));
    told.insert("rework".into(), costs::rework(&book));
    told.insert("handoffs".into(), costs::handoffs(&book));
    told.insert("reviews".into(), work::reviews(&book));
    told.insert("faults".into(), work::faults(&book));
    told.insert("people".into(), work::people(&book));
    Value::Object(told)
}
