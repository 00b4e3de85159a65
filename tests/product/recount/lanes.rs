//! The time of lanes counted again: each lane's records one after the other, each interval named by what comes next.

use super::{Attempt, Book, Line, spread};
use serde_json::{Map, Value, json};

const STATES: [&str; 13] = [
    "idle",
    "working",
    "waiting_for_lease",
    "queueing",
    "at_door",
    "thinking",
    "reviewing",
    "handing_over",
    "waiting_for_landing",
    "waiting_for_person",
    "paused",
    "dead",
    "resting",
];

/// From, until, state; without pauses.
type Interval = (u64, u64, &'static str);

pub(super) fn lane_time(book: &Book<'_>) -> Value {
    let pauses = pauses(book);
    let attempts = book.attempts();
    let mut by_lane = Vec::new();
    let mut team = Map::new();
    let mut total = 0;
    for (lane, role) in &book.lanes {
        let intervals = Walk { book, lane, attempts: &attempts }.intervals();
        let states = times(&intervals, &pauses);
        let joined = book.of_kind("LaneJoined").find(|line| line.lane == Some(lane)).unwrap().t;
        for (state, us) in &states {
            let sum = team.get(state).and_then(Value::as_u64).unwrap_or(0) + us.as_u64().unwrap();
            team.insert(state.clone(), json!(sum));
        }
        total += book.end - joined;
        by_lane.push(json!({ "lane": lane, "role": role, "total_us": book.end - joined, "states_us": states }));
    }
    json!({ "lanes": book.lanes.len(), "total_us": total, "team_us": team, "by_lane": by_lane })
}

fn pauses(book: &Book<'_>) -> Vec<(u64, u64)> {
    let resumed = |line: &Line<'_>| book.next(line.at, |next| next.kind == "Resumed").map_or(book.end, |line| line.t);
    book.of_kind("PauseRequested").map(|line| (line.t, resumed(line))).collect()
}

fn times(intervals: &[Interval], pauses: &[(u64, u64)]) -> Map<String, Value> {
    let mut sums = STATES.map(|state| (state, 0));
    let mut add = |state: &str, us: u64| sums.iter_mut().find(|(name, _)| *name == state).unwrap().1 += us;
    for (from, until, state) in intervals {
        let within: u64 =
            pauses.iter().map(|(begin, end)| (*until).min(*end).saturating_sub((*from).max(*begin))).sum();
        add(state, until - from - within);
        add(if ["thinking", "reviewing", "dead"].contains(state) { state } else { "paused" }, within);
    }
    sums.iter().map(|(state, us)| ((*state).to_owned(), json!(us))).collect()
}

struct Walk<'b, 'a> {
    book: &'b Book<'a>,
    lane: &'b str,
    attempts: &'b [Attempt<'a>],
}

impl Walk<'_, '_> {
    fn intervals(&self) -> Vec<Interval> {
        let book = self.book;
        let added = book.count("TaskAdded") as usize;
        let ends = book.lines.iter().filter(|line| matches!(line.kind, "TaskDone" | "TaskFailed"));
        let all_ended = ends.map(|line| line.at).nth(added.wrapping_sub(1));
        let mut all: Vec<Interval> = Vec::new();
        let (mut since, mut state, mut place) = (0, "", "none");
        let (mut retired, mut has_task): (Option<bool>, bool) = (None, false);
        for line in &book.lines {
            let mine = line.lane == Some(self.lane);
            if mine && line.kind == "LaneJoined" {
                (since, state, place) = (line.t, "idle", "idle");
                continue;
            }
            has_task = match line.kind {
                "TaskAssigned" if mine => true,
                "TaskReturned" | "TaskDone" | "TaskFailed" if mine => false,
                _ => has_task,
            };
            let mut from = line.t;
            let next = match (line.kind, place) {
                (_, "none") => continue,
                ("LaneDied", _) if mine => "dead",
                ("LaneRestarted", "dead") if mine => "idle",
                ("BudgetSet", _) => {
                    retired = retired.filter(|until_a_limit| !until_a_limit);
                    if place == "idle" { "idle" } else { continue }
                }
                ("TaskDone" | "TaskFailed", "idle") if Some(line.at) == all_ended => "idle",
                (_, "dead") => continue,
                _ if !mine => continue,
                ("TaskAssigned", _) => "working",
                // The call goes on, though the task went to another.
                ("TaskReturned", "granted" | "admitted") => continue,
                ("TaskReturned" | "TaskDone" | "TaskFailed", _) => "idle",
                ("LaneRetired", _) => {
                    retired = Some(line.data["reason"] == "budget-over");
                    if place == "idle" { "idle" } else { continue }
                }
                ("LeaseRequested", "working") => "lease",
                ("FenceRaised" | "LeaseReleased" | "LeaseExpired", "lease") if self.is_awaited(line) => "working",
                ("SlotRequested", "working") => "queue",
                ("SlotGranted", "queue") => "granted",
                ("CallRefused" | "SlotReleased", "queue") => "working",
                ("CallAdmitted", "granted") => "admitted",
                ("EffectDone" | "EffectFailed" | "EffectLost", "granted" | "admitted") => {
                    if has_task {
                        "working"
                    } else {
                        "idle"
                    }
                }
                ("PacketOffered", "working" | "offered") => "offered",
                ("ReviewGiven", "working") => "working",
                ("ChangeSubmitted", "working") => {
                    from = line.data["sent_us"].as_u64().map_or(line.t, |sent| sent.clamp(since, line.t));
                    "landing"
                }
                _ => continue,
            };
            all.push((since, from, state));
            let rests = retired.is_some() || all_ended.is_some_and(|at| line.at >= at);
            (since, place) = (from, next);
            state = if next == "idle" && rests { "resting" } else { self.name(line.at, next) };
        }
        all.push((since, book.end, state));
        all
    }

    /// Whether the line is about the lease that the lane asked for last.
    fn is_awaited(&self, line: &Line<'_>) -> bool {
        let asked = |other: &Line<'_>| other.kind == "LeaseRequested" && other.lane == Some(self.lane);
        self.book.last(line.at, asked).unwrap().data["lease"] == line.data["lease"]
    }

    /// The state that begins with this line at this place.
    fn name(&self, at: usize, place: &str) -> &'static str {
        let mine = |line: &Line<'_>| line.lane == Some(self.lane);
        match place {
            "idle" => "idle",
            "dead" => "dead",
            "lease" => "waiting_for_lease",
            "queue" => "queueing",
            "offered" => "handing_over",
            "landing" => "waiting_for_landing",
            "admitted" => {
                if self.judges(at) {
                    "reviewing"
                } else {
                    "thinking"
                }
            }
            "granted" => {
                let kinds = ["CallAdmitted", "EffectDone", "EffectFailed", "LaneDied"];
                let next = self.book.next(at, |line| mine(line) && kinds.contains(&line.kind));
                let endpoint = self.book.lines[at].data["endpoint"].as_u64().unwrap() as usize;
                match next.map(|line| line.kind) {
                    Some("CallAdmitted") => "at_door",
                    Some("LaneDied") | None if self.book.endpoints[endpoint].1 => "at_door",
                    _ if self.judges(at) => "reviewing",
                    _ => "thinking",
                }
            }
            "working" => {
                let kinds = [
                    "TaskReturned",
                    "TaskDone",
                    "TaskFailed",
                    "LeaseRequested",
                    "SlotRequested",
                    "PacketOffered",
                    "ReviewGiven",
                    "ChangeSubmitted",
                    "LaneDied",
                ];
                let next = self.book.next(at, |line| mine(line) && kinds.contains(&line.kind));
                match next {
                    Some(line) if line.kind == "PacketOffered" => "handing_over",
                    _ if self.judges(at) => "reviewing",
                    _ => "working",
                }
            }
            other => panic!("no such place: {other}"),
        }
    }

    /// Whether the lane reviews behind this line, and has not said what it found.
    fn judges(&self, at: usize) -> bool {
        let mine = |attempt: &&Attempt<'_>| attempt.lane == self.lane && attempt.begin <= at;
        let Some(attempt) = self.attempts.iter().rfind(mine).filter(|attempt| attempt.review) else { return false };
        let given = |line: &Line<'_>| line.kind == "ReviewGiven" && line.task == Some(attempt.task);
        !self.book.lines[attempt.begin..=at].iter().any(given)
    }
}

pub(super) fn waits(book: &Book<'_>) -> Value {
    let ends = |line: &Line<'_>, kinds: &[&str], same: &dyn Fn(&Line<'_>) -> bool| {
        book.next(line.at, |next| kinds.contains(&next.kind) && same(next)).map(|next| (next.kind.to_owned(), next.t))
    };
    let leases: Vec<(&Line<'_>, Option<(String, u64)>)> = book
        .of_kind("LeaseRequested")
        .map(|line| {
            let same = |next: &Line<'_>| next.data["lease"] == line.data["lease"];
            (line, ends(line, &["FenceRaised", "LeaseReleased", "LeaseExpired"], &same))
        })
        .collect();
    let raised = |end: &Option<(String, u64)>| end.clone().filter(|(kind, _)| kind == "FenceRaised").map(|(_, t)| t);
    let waited = |is: &dyn Fn(&Line<'_>) -> bool| {
        spread(
            leases.iter().filter(|(line, _)| is(line)).filter_map(|(line, end)| Some(raised(end)? - line.t)).collect(),
        )
    };
    let by_resource = book.of_kind("ResourceNamed").map(|named| {
        let names = |line: &Line<'_>| line.data["resources"].as_array().unwrap().contains(&named.data["resource"]);
        json!({ "resource": named.data["pattern"], "wait_us": waited(&names) })
    });
    let slots: Vec<(u64, u64)> = book
        .of_kind("SlotRequested")
        .filter_map(|line| {
            let same = |next: &Line<'_>| next.lane == line.lane;
            let end = ends(line, &["SlotGranted", "CallRefused", "SlotReleased"], &same)?;
            (end.0 == "SlotGranted").then(|| (line.data["endpoint"].as_u64().unwrap(), end.1 - line.t))
        })
        .collect();
    let doors: Vec<(u64, u64)> = book
        .of_kind("CallAdmitted")
        .map(|line| {
            let grant = book.last(line.at, |other| other.kind == "SlotGranted" && other.lane == line.lane).unwrap();
            (line.data["endpoint"].as_u64().unwrap(), line.t - grant.t)
        })
        .collect();
    let at = |samples: &[(u64, u64)]| {
        let of = |id: usize| samples.iter().filter(|(endpoint, _)| *endpoint == id as u64).map(|(_, us)| *us).collect();
        let each = book.endpoints.iter().enumerate();
        let each = each.map(|(id, (name, _))| json!({ "endpoint": name, "wait_us": spread(of(id)) }));
        let every = samples.iter().map(|(_, us)| *us).collect();
        json!({ "wait_us": spread(every), "by_endpoint": each.collect::<Vec<_>>() })
    };
    json!({
        "leases": {
            "requested": leases.len(),
            "withdrawn": leases.iter().filter(|(_, end)| end.is_some() && raised(end).is_none()).count(),
            "open": leases.iter().filter(|(_, end)| end.is_none()).count(),
            "wait_us": waited(&|_| true),
            "by_resource": by_resource.collect::<Vec<_>>(),
        },
        "slots": at(&slots),
        "doors": at(&doors),
    })
}
