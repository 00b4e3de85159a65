//! The matrix of forgeries: for every kind of record that the shipped scenarios write, one record is deleted,
//! doubled, moved, or said of somebody or something else, field by field; then the journal is chained and
//! summed anew and `run.json` names its new end. The checker must see each, but for those in [`NO_OPS`].
//!
//! `BATON_FORGERIES` sets how many records of each kind of each scenario are forged (default 1; `all`: every one),
//! `BATON_FORGERIES_OF` names the only scenario.

use crate::forgery::copy;
use crate::forgery::teams::{LEFT_TO_PEOPLE, OVERLOADED, ROWS};
use crate::forgery::values::{WORDS, alternatives, each_leaf};
use crate::reworked::JUDGED;
use crate::run_folder::{RunFolder, run, write_scenario};
use baton_check::verify;
use baton_record::event::{OperatorCommand, ReturnReason};
use baton_record::line::{Actor, Record, read_line, write_line};
use baton_record::{Chain, ChangeId, Event, LaneId, Names, TaskId};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

const SCENARIOS: &[&str] = &[
    "two-writers",
    "eight-writers",
    "lease-holder-dies",
    "pause-past-lease",
    "plain-run",
    "supervisor-restarts",
    "money-runs-out",
    "overloaded",
    "lane-ignores-policy",
    "bound-roles",
    "pause-in-mid-merge",
    "operators-contradict",
    "competing-summaries",
    "team-grows-and-shrinks",
    "rows",
];

/// In which people are asked, and answer or do not.
const OF_PEOPLE: [&str; 7] = [
    "asks-first",
    "undo-waits",
    "nobody-decides",
    "reviewer-returns-for-ever",
    "stop-after-plan-approval",
    "override",
    "left-to-people",
];

/// Kind, way, and why a record that is forged so says nothing that any other evidence could contradict.
const NO_OPS: &[(&str, &str, &str)] = &[
    ("ActorRestarted", "data/folded", "others' records may be under way between the fold and its record"),
    ("ActionDenied", "data/part", "what a lane wanted and may not do leaves no other trace"),
    ("ActionDenied", "data/tool", "what a lane wanted and may not do leaves no other trace"),
    ("ActionFailed", "data/part", "what a lane wanted and could not do leaves no other trace"),
    ("ActionFailed", "data/tool", "what a lane wanted and could not do leaves no other trace"),
    ("ActionFailed", "data/reason", "what a lane wanted and could not do leaves no other trace"),
    ("AskRepeated", "actor", "supervisor and merger both answer; nothing else tells which question it was"),
    ("AskRepeated", "data/ask", "a lane's questions are numbered for itself alone"),
    ("AskRepeated", "lane: another", "the same fault of the mail has struck that lane too"),
    ("AskRepeated", "swap", "what a lane asks again is ordered with nothing but its own questions"),
    ("RepeatAnswered", "swap", "what a lane asks again is ordered with nothing but its own questions"),
    ("PauseRequested", "swap", "a person may have spoken a moment later"),
    ("Resumed", "swap", "a person may have spoken a moment later"),
    ("RepeatAnswered", "actor", "supervisor and merger both answer; nothing else tells which question it was"),
    ("RepeatAnswered", "data/ask", "a lane's questions are numbered for itself alone"),
    ("RepeatAnswered", "lane: another", "the same fault of the mail has struck that lane too"),
    ("FaultInjected", "lane: another", "a message was struck; whose, only what was felt of it tells"),
    ("ApprovalAsked", "data/detail", "one line for the person"),
    ("ApprovalGiven", "data/reason", "a person's words"),
    ("ApprovalGiven", "data/by", "a person's name, where nothing has landed by it"),
    ("BudgetSet", "data/limit", "the limit was never near"),
    ("BudgetSet", "delete", "the limit was never near"),
    ("ChangeIntended", "data/verdict: git", "git gives the same tree wherever the walk is allowed to"),
    ("ChangeIntended", "data/verdict: another's", "git gives the same tree wherever the walk is allowed to"),
    ("ChangeIntended", "data/verdict: walk", "git was asked, and the walk would have been allowed to"),
    ("ChangeIntended, behind another", "data/verdict: git", "as above"),
    ("ChangeIntended, behind another", "data/verdict: another's", "as above"),
    ("ChangeIntended, behind another", "data/verdict: walk", "as above"),
    ("ChangeRefused", "data/paths", "nothing of a refused change is in the repository, so no merge can be tried again"),
    ("ChangeRefused", "data/reason: no-lease", "as above, where a merger was restarted and knows no leases"),
    ("ChangeSubmitted, refused", "data/", "nothing of a refused change is in the repository"),
    ("ChangeSubmitted", "data/sent_us", "within the second that its commit names, a lane alone knows when it sent it"),
    ("ChangeSubmitted", "data/updates/0/op: edit", "every addition at the end is also an edit"),
    (
        "TaskReturned, of the dead",
        "swap",
        "the merger may close a dead lane's attempt before or after the lane is back",
    ),
    ("CallAdmitted, lost", "delete", "a lane may die before its endpoint lets its call through"),
    ("EffectFailed", "data/retry_after_us: one", "an endpoint says so once, and nobody comes at that very moment"),
    ("EndpointNamed", "data/requests_per_minute: one", "the rate was never near"),
    ("EndpointNamed", "data/slots", "so many calls were never under way at once"),
    ("GateFailed", "data/detail", "a gate's own words"),
    ("GateFailed", "data/tree", "nothing of a refused change is in the repository"),
    ("CommandGiven", "data/by", "a person's name"),
    ("CommandGiven", "data/reason", "a person's words"),
    ("BudgetSet", "data/by", "a person's name"),
    ("BudgetSet", "data/reason", "a person's words"),
    ("CommandRefused", "data/by", "a person's name"),
    ("CommandRefused", "data/reason", "a person's words"),
    ("CommandRefused", "data/command: another's", "the other would have changed nothing either"),
    ("CommandRefused", "delete", "it changed nothing"),
    ("CommandRefused", "double", "a person may say the same twice, and neither changes anything"),
    ("CommandRefused", "swap", "a person may have spoken a moment later"),
    ("LaneDied, by order", "data/reason", "a lane that is killed may have died by itself a moment before"),
    ("PacketRefused", "data/flaws", "the words of a refusal; that something is wrong with the packet is looked up"),
    ("PauseAcknowledged", "delete", "people may resume before everybody is quiet"),
    ("PauseRequested", "data/by", "a person's name"),
    ("PauseRequested", "data/reason", "a person's words"),
    ("Resumed", "data/by", "a person's name"),
    ("Resumed", "data/reason", "a person's words"),
    ("TaskAdded", "data/artifact: a text", "the task's change happens to contain that path"),
    ("TaskAdded", "data/group", "nothing comes after this group or the one beside it"),
    ("TaskAdded", "data/attempts_max", "so many attempts were not needed"),
    ("TaskAdded", "data/rounds_max", "so many reviews were not needed"),
    ("*, apart", "swap", "the two are about different lanes and tasks: nothing orders them"),
];

/// The same of runs that people end early or slow down, so that some of their records have no sequel.
const NO_OPS_OF_PEOPLE: &[(&str, &str, &str)] = &[
    ("ApprovalGiven", "swap", "a person may have spoken a moment later"),
    ("ChangeSubmitted", "data/updates/0/op: another's", "every addition at the end is also an edit"),
    ("CommandGiven", "double", "a person who said it twice, of a task that needed it once"),
    ("EndpointNamed", "data/name", "no change on main is by a lane that thinks with it"),
    ("LaneJoined", "data/model", "the lane has never made a call"),
    ("ReviewGiven", "data/items/0/reason", "a judge's words"),
    ("TaskAdded", "data/artifact", "the run ended before anybody took it"),
    ("TaskAdded", "data/role", "the run ended before anybody took it"),
    ("TaskAssigned", "delete", "the run ended before its lane did anything"),
];

/// What is handed on, judged and continued.
const HANDED_ON: &[&str] = &["bad-packet", "long-work"];

/// What did not merge and is made anew.
const MADE_ANEW: &[&str] = &["judged"];

/// The same of runs in which some lanes only judge.
const NO_OPS_OF_JUDGES: &[(&str, &str, &str)] = &[
    ("EndpointNamed", "data/name", "no change on main is by a lane that thinks with it"),
    ("ReviewGiven", "data/items/0/reason", "a judge's words"),
];

/// A run that ended in order, taken apart.
#[derive(Clone)]
pub(super) struct Run {
    pub(super) scenario: &'static str,
    pub(super) folder: PathBuf,
    pub(super) records: Vec<Record>,
    names: Names,
    claims: Value,
}

impl Run {
    pub(super) fn of(place: &Path, scenario: &'static str) -> Run {
        match scenario {
            "overloaded" => Run::of_text(place, scenario, OVERLOADED),
            "rows" => Run::of_text(place, scenario, ROWS),
            "left-to-people" => Run::of_text(place, scenario, LEFT_TO_PEOPLE),
            "judged" => Run::of_text(place, scenario, &JUDGED.replace("SEED", "3")),
            shipped => Run::made(place, shipped, shipped),
        }
    }

    pub(super) fn of_text(place: &Path, scenario: &'static str, text: &str) -> Run {
        Run::made(place, scenario, &write_scenario(place, scenario, text))
    }

    fn made(place: &Path, scenario: &'static str, file: &str) -> Run {
        let said = run(place, file, scenario, &[]);
        // Held, ended by its budget or waiting for a person as it claims, or with a task that its role may not do.
        assert!(matches!(said.code(), 0 | 1 | 5 | 6), "{said:?}");
        let folder = place.join(scenario);
        let journal = RunFolder(&folder).journal();
        let (mut chain, mut names) = (Chain::default(), Names::default());
        let lines = journal.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let records = lines.map(|line| read_line(line, &mut chain, &mut names).unwrap()).collect();
        let claims = serde_json::from_slice(&std::fs::read(folder.join("run.json")).unwrap()).unwrap();
        Run { scenario, folder, records, names, claims }
    }

    /// The kind of a record, and whether a submission, or a call that was let through, came to nothing, or it was the merger
    /// that denied, or a lane had been killed.
    fn sort_of(&self, at: usize) -> String {
        let kind = kind_of(&self.records[at].event);
        if kind == "ActionDenied" && self.records[at].actor == Actor::Merger {
            return format!("{kind}, by the merger");
        }
        if kind == "LaneDied" && self.records[..at].iter().any(|before| self.kills(before, at)) {
            return format!("{kind}, by order");
        }
        if let Event::CallAdmitted(admitted) = &self.records[at].event {
            let lost = |record: &Record| matches!(&record.event, Event::EffectLost(e) if e.key == admitted.key);
            return if self.records.iter().any(lost) { format!("{kind}, lost") } else { kind };
        }
        if matches!(&self.records[at].event, Event::ChangeIntended(intended) if intended.behind.is_some()) {
            return format!("{kind}, behind another");
        }
        if matches!(&self.records[at].event, Event::TaskReturned(returned) if returned.reason == ReturnReason::LaneDied)
        {
            return format!("{kind}, of the dead");
        }
        let Event::ChangeSubmitted(submitted) = &self.records[at].event else { return kind };
        let landed = |record: &Record| matches!(&record.event, Event::ChangeLanded(e) if e.change == submitted.change);
        if self.records.iter().any(landed) { kind } else { format!("{kind}, refused") }
    }

    /// Whether a person kills the lane of that place.
    fn kills(&self, record: &Record, at: usize) -> bool {
        let kill = |command| command == OperatorCommand::Kill;
        record.lane == self.records[at].lane && matches!(&record.event, Event::CommandGiven(e) if kill(e.command))
    }

    pub(super) fn place_of(&self, kind: &str, nth: usize) -> usize {
        let mut places = (0..self.records.len()).filter(|at| kind_of(&self.records[*at].event) == kind);
        places.nth(nth).unwrap_or_else(|| panic!("{} has no {nth}th {kind}", self.scenario))
    }

    pub(super) fn remove(&mut self, kind: &str, nth: usize) {
        self.records.remove(self.place_of(kind, nth));
    }

    pub(super) fn double(&mut self, kind: &str, nth: usize) {
        let at = self.place_of(kind, nth);
        self.records.insert(at, self.records[at].clone());
    }

    /// Says it of another task.
    pub(super) fn another_task(&mut self, kind: &str, nth: usize) {
        let at = self.place_of(kind, nth);
        let task = self.records[at].task.unwrap_or_default();
        self.records[at].task = Some(TaskId(if task.0 > 0 { task.0 - 1 } else { 1 }));
    }

    /// Puts another value into a field that is there.
    pub(super) fn put(&mut self, kind: &str, nth: usize, pointer: &str, value: Value) {
        let at = self.place_of(kind, nth);
        let mut whole = serde_json::to_value(&self.records[at].event).unwrap();
        *whole["data"].pointer_mut(pointer).unwrap() = value;
        self.records[at].event = serde_json::from_value(whole).unwrap();
    }

    /// Writes a journal into a copy of the folder, chained and summed.
    pub(super) fn write(&self, into: &Path, records: &[Record]) {
        let (mut chain, mut bytes) = (Chain::default(), Vec::new());
        records.iter().for_each(|record| write_line(&mut bytes, &mut chain, record, &self.names));
        std::fs::write(RunFolder(into).segments().remove(0), bytes).unwrap();
        let mut claims = self.claims.clone();
        claims["journal"]["records"] = chain.next_seq.into();
        claims["journal"]["head_hash"] = chain.head.to_string().into();
        std::fs::write(into.join("run.json"), claims.to_string()).unwrap();
    }
}

pub(super) fn kind_of(event: &Event) -> String {
    let value = serde_json::to_value(event).unwrap();
    value["kind"].as_str().unwrap().to_owned()
}

/// One way to forge the record at one place.
struct Forgery {
    kind: String,
    way: String,
    pub(super) records: Vec<Record>,
}

/// Whether two records could as well stand the other way round.
fn unordered(one: &Record, two: &Record) -> bool {
    // A gate lets a call through when its own clock says so, and a person speaks at any moment.
    let free = |record: &Record| matches!(record.event, Event::CallAdmitted(_) | Event::PauseRequested(_));
    let others = one.actor != two.actor || free(one) || free(two);
    let gate = |record: &Record| matches!(record.event, Event::GatePassed(_) | Event::GateFailed(_));
    match (&one.event, &two.event) {
        // Gates speak about all trees of a row at the same time, and lanes hear of a row's end each for itself.
        _ if gate(one) && gate(two) => one.task != two.task,
        (Event::TaskDone(_), Event::TaskDone(_) | Event::TaskAssigned(_)) => {
            one.lane != two.lane && one.task != two.task
        }
        // What is struck is no effect, and what a person says may come to nothing at any moment.
        (Event::PauseAcknowledged(_), Event::FaultInjected(_) | Event::CommandRefused(_)) => true,
        _ => others && (one.lane, one.task) != (two.lane, two.task),
    }
}

fn forgeries(run: &Run, at: usize, strings: &BTreeMap<String, BTreeSet<String>>) -> Vec<Forgery> {
    let kind = run.sort_of(at);
    let mut all = Vec::new();
    let mut add = |way: String, records: Vec<Record>| all.push(Forgery { kind: kind.clone(), way, records });
    let mut without = run.records.clone();
    let record = without.remove(at);
    add("delete".into(), without);
    let mut twice = run.records.clone();
    twice.insert(at, record.clone());
    add("double".into(), twice);
    let own = kind_of(&record.event);
    let other = (at + 1..run.records.len()).find(|next| kind_of(&run.records[*next].event) != own);
    if let Some(other) = other {
        let mut swapped = run.records.clone();
        swapped.swap(at, other);
        (swapped[at].t_us, swapped[other].t_us) = (run.records[at].t_us, run.records[other].t_us);
        let apart = (at + 1..=other).all(|next| unordered(&record, &run.records[next]));
        let way =
            if apart { "swap with the next of another kind, apart" } else { "swap with the next of another kind" };
        add(way.into(), swapped);
    }
    let mut put = |way: String, forged: Record| {
        let mut records = run.records.clone();
        records[at] = forged;
        add(way, records);
    };
    let lanes = run.names.lanes() as u32;
    let next_lane = record.lane.map_or(LaneId(0), |lane| LaneId((lane.0 + 1) % lanes));
    put("lane: another".into(), Record { lane: Some(next_lane), ..record.clone() });
    let next_task = record.task.map_or(TaskId(0), |task| TaskId(if task.0 > 0 { task.0 - 1 } else { 1 }));
    put("task: another".into(), Record { task: Some(next_task), ..record.clone() });
    if record.lane.is_some() && !matches!(record.event, Event::LaneJoined(_)) {
        put("lane: none".into(), Record { lane: None, ..record.clone() });
    }
    if record.task.is_some() {
        put("task: none".into(), Record { task: None, ..record.clone() });
    }
    let actor = if record.actor == Actor::Supervisor { Actor::Merger } else { Actor::Supervisor };
    put("actor: another".into(), Record { actor, ..record.clone() });
    let whole = serde_json::to_value(&record.event).unwrap();
    each_leaf(&whole["data"], "", &mut |pointer, leaf| {
        let known = strings.get(&format!("{own}{pointer}"));
        let mut free_text = false;
        for (what, value) in alternatives(leaf, known) {
            if free_text && WORDS.contains(&what) {
                continue;
            }
            let mut forged = whole.clone();
            match forged["data"].pointer_mut(pointer) {
                Some(place) => *place = value,
                None => forged["data"][&pointer[1..]] = value,
            }
            let event: Result<Event, _> = serde_json::from_value(forged);
            if let Some(event) = event.ok().filter(|event| *event != record.event) {
                free_text |= what == "another";
                put(format!("data{pointer}: {what}"), Record { event, ..record.clone() });
            }
        }
    });
    all
}

/// By kind and field: every text that stands there in the run.
fn strings_of(records: &[Record]) -> BTreeMap<String, BTreeSet<String>> {
    let mut strings: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for record in records {
        let value = serde_json::to_value(&record.event).unwrap();
        let kind = kind_of(&record.event);
        each_leaf(&value["data"], "", &mut |pointer, leaf| {
            if let Some(text) = leaf.as_str() {
                strings.entry(format!("{kind}{pointer}")).or_default().insert(text.to_owned());
            }
        });
    }
    strings
}

/// Which places of `count` are forged, spread evenly.
fn places(all: &[usize], wanted: usize) -> Vec<usize> {
    let wanted = wanted.min(all.len());
    (0..wanted).map(|nth| all[(2 * nth + 1) * all.len() / (2 * wanted)]).collect()
}

/// Forges one run in every way; gives kind, way and place of each forgery that was not seen.
fn unseen(run: &Run, place: &Path, wanted: usize) -> (usize, Vec<(String, String, String)>) {
    let mut by_kind: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for at in 0..run.records.len() {
        by_kind.entry(run.sort_of(at)).or_default().push(at);
    }
    let strings = strings_of(&run.records);
    let jobs: Vec<usize> = by_kind.values().flat_map(|all| places(all, wanted)).collect();
    let (next, found) = (Mutex::new(jobs.into_iter()), Mutex::new((0, Vec::new())));
    std::thread::scope(|scope| {
        for worker in 0..3 {
            let (next, found, strings) = (&next, &found, &strings);
            let own = place.join(format!("{}.forged.{worker}", run.scenario));
            scope.spawn(move || {
                copy(&run.folder, &own);
                loop {
                    let Some(at) = next.lock().unwrap().next() else { return };
                    for forgery in forgeries(run, at, strings) {
                        run.write(&own, &forgery.records);
                        let seen = !verify(&own).unwrap().intact;
                        let mut found = found.lock().unwrap();
                        found.0 += 1;
                        if !seen {
                            found.1.push((forgery.kind, forgery.way, format!("{} record {at}", run.scenario)));
                        }
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

/// Kind, way and reason.
type NoOp = (&'static str, &'static str, &'static str);

fn is_no_op(kind: &str, way: &str, beside: &[NoOp]) -> bool {
    NO_OPS.iter().chain(beside).any(|(of, how, _)| match *of {
        "*, apart" => way.starts_with(how) && way.ends_with(", apart"),
        of => of == kind && way.starts_with(how),
    })
}

#[test]
fn every_forged_record_of_what_is_handed_on_is_seen() {
    check(HANDED_ON, NO_OPS_OF_JUDGES);
}

#[test]
fn every_forged_record_of_what_is_made_anew_is_seen() {
    check(MADE_ANEW, NO_OPS_OF_JUDGES);
}

#[test]
fn every_forged_record_of_every_kind_is_seen() {
    check(SCENARIOS, &[]);
}

#[test]
fn every_forged_record_of_what_people_decide_is_seen() {
    check(&OF_PEOPLE, NO_OPS_OF_PEOPLE);
}

/// A yes that is said of other paths, or of another's work, in every record of it alike.
#[test]
fn a_yes_covers_what_was_asked_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let run = Run::of(place.path(), "undo-waits");
    let forged = |forge: &dyn Fn(&mut Vec<String>, &mut Vec<ChangeId>)| -> Vec<Record> {
        let mut records = run.records.clone();
        for record in &mut records {
            match &mut record.event {
                Event::ApprovalAsked(asked) => forge(&mut asked.paths, &mut asked.undoes),
                Event::ChangeRefused(refused) if !refused.undoes.is_empty() => {
                    forge(&mut refused.paths, &mut refused.undoes);
                }
                _ => {}
            }
        }
        records
    };
    let elsewhere = forged(&|paths, _| *paths = vec!["README.md".to_owned()]);
    let of_another = forged(&|_, undoes| *undoes = vec![ChangeId::of(TaskId(0), 1)]);
    for (what, records) in [("paths", elsewhere), ("whose work", of_another)] {
        run.write(&run.folder, &records);
        let report = verify(&run.folder).unwrap();
        let undo_1 = report.promise("UNDO-1").unwrap();
        assert_eq!(undo_1.status, baton_check::Status::Broken, "{what}: {undo_1:?}");
    }
}

#[track_caller]
fn check(scenarios: &[&'static str], beside: &[NoOp]) {
    let wanted = match std::env::var("BATON_FORGERIES").as_deref() {
        Ok("all") => usize::MAX,
        Ok(count) => count.parse().unwrap(),
        Err(_) => 1,
    };
    let place = tempfile::tempdir().unwrap();
    let (mut made, mut escaped) = (0, BTreeMap::<(String, String), Vec<String>>::new());
    let only = std::env::var("BATON_FORGERIES_OF").ok();
    for scenario in scenarios.iter().copied().filter(|scenario| only.as_deref().is_none_or(|only| only == *scenario)) {
        let run = Run::of(place.path(), scenario);
        run.write(&run.folder, &run.records);
        assert!(verify(&run.folder).unwrap().intact, "{scenario}: written again, and not forged");
        let (count, unseen) = unseen(&run, place.path(), wanted);
        made += count;
        for (kind, way, at) in unseen.into_iter().filter(|(kind, way, _)| !is_no_op(kind, way, beside)) {
            escaped.entry((kind, way)).or_default().push(at);
        }
    }
    let lines: Vec<String> = escaped
        .iter()
        .map(|((kind, way), at)| format!("{kind} {way}: {} times, such as {}", at.len(), at[0]))
        .collect();
    assert!(lines.is_empty(), "{made} forgeries, and these were not seen:\n{}", lines.join("\n"));
}
