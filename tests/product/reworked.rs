//! What did not merge is made anew: whoever has the task next is told why, says so, and hands it on, whoever is restarted or
//! killed meanwhile; and people can look at all of it.

use crate::program::say;
use crate::run_folder::{RunFolder, run, write_scenario};
use baton_packets::ConflictReport;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Lanes that append to the same few files, each change judged by another lane before it lands.
pub(crate) const JUDGED: &str = "baton: 1\nname: judged\nseed: SEED\nworkspace: { fixture: notes, files: 2 }\nroles:
  implementer: { lanes: 4, model: fast }\n  reviewer: { lanes: 3, model: fast }
models: { fast: { latency: { median: 8s, p99: 60s } } }
tasks: [ { count: 8, by: implementer, attempts: 12, touches: \"notes/**\", do: { append: token }, review: reviewer } ]
mail: { median: 200ms, p99: 5s }\n";

/// Restarts and deaths at many moments.
const HOSTILE: &str = "faults:\n  - { duplicate: 20% }\n  - { restart: merger, at: 35s }\n  - { restart: supervisor, at: 48s }
  - { restart: merger, at: 61s }\n  - { kill: reviewer, at: 70s }\n  - { restart: supervisor, at: 83s }\n  - { restart: merger, at: 97s }
  - { kill: reviewer, at: 110s }\n  - { kill: implementer, at: 125s }\n  - { restart: merger, at: 150s }\n  - { restart: supervisor, at: 155s }\n";

pub(crate) fn content(folder: &Path, digest: &str) -> PathBuf {
    folder.join("content").join(&digest[..2]).join(&digest[2..])
}

fn text<'v>(record: &'v Value, pointer: &str) -> &'v str {
    record.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} of {record}"))
}

/// A change as the journal has it, as people write it: `C-17.2`.
fn change_of(number: &Value) -> String {
    let number = number.as_u64().unwrap();
    format!("C-{}.{}", number / 1024, number % 1024 + 1)
}

/// `17` of `C-17.2`.
fn task_of(change: &str) -> &str {
    change.trim_start_matches("C-").split_once('.').unwrap().0
}

fn made(place: &Path, name: &str, scenario: &str) -> PathBuf {
    let file = write_scenario(place, name, scenario);
    let said = run(place, &file, name, &[]);
    assert!(matches!(said.code(), 0 | 1), "{said:?}");
    let folder = place.join(name);
    let (code, report) = RunFolder(&folder).verify();
    assert_eq!(code, 0, "{name}: {report:#}");
    folder
}

/// What was seen over several runs.
#[derive(Debug, Default)]
struct Seen {
    /// Changes that answer one that did not merge, and of these the ones by another lane.
    answers: u32,
    by_others: u32,
    /// Packets that link a report, reports that name both packets.
    links: u32,
    with_packets: u32,
}

impl Seen {
    /// Every change says which conflict it answers, as the journal has it; every packet links its report.
    fn look(&mut self, folder: &Path) {
        // By task: the newest change that did not merge, its report and who made it.
        let mut newest: BTreeMap<String, (String, String, String)> = BTreeMap::new();
        let mut authors: BTreeMap<String, String> = BTreeMap::new();
        let mut packets: BTreeMap<String, Option<String>> = BTreeMap::new();
        for record in RunFolder(folder).records() {
            let data = &record["data"];
            match record["kind"].as_str().unwrap() {
                "PacketOffered" => {
                    let expected =
                        newest.get(task_of(&change_of(&data["change"]))).map(|(_, report, _)| report.clone());
                    packets.insert(text(&record, "/data/digest").to_owned(), expected);
                }
                "ChangeSubmitted" => {
                    let change = change_of(&data["change"]);
                    let author = data["author"].as_str().or(record["lane"].as_str()).unwrap().to_owned();
                    let due = newest.get(task_of(&change));
                    let answers = data.get("answers").map(change_of);
                    assert_eq!(answers.as_ref(), due.map(|(answered, ..)| answered), "{record}");
                    self.answers += u32::from(due.is_some());
                    self.by_others += u32::from(due.is_some_and(|(.., before)| *before != author));
                    authors.insert(change, author);
                }
                "ChangeRefused" if data["reason"] == "conflict" => {
                    let (change, report) = (change_of(&data["change"]), text(&record, "/data/report"));
                    let author = authors[&change].clone();
                    newest.insert(task_of(&change).to_owned(), (change, report.to_owned(), author));
                }
                _ => {}
            }
        }
        self.look_at_content(folder, &packets);
    }

    fn look_at_content(&mut self, folder: &Path, packets: &BTreeMap<String, Option<String>>) {
        for (digest, expected) in packets {
            let packet: Value = serde_json::from_slice(&std::fs::read(content(folder, digest)).unwrap()).unwrap();
            let links = packet["links"].as_array().unwrap().iter();
            let linked: Vec<&str> =
                links.filter(|link| link["what"] == "conflict-report").map(|link| text(link, "/digest")).collect();
            assert_eq!(linked, expected.iter().map(String::as_str).collect::<Vec<_>>(), "{packet:#}");
            self.links += u32::from(expected.is_some());
        }
        for report in reports(folder) {
            let first = report.paths.iter().flat_map(|path| &path.landed);
            let both = report.packet.is_some() && first.clone().all(|first| first.packet.is_some());
            let mut known = report.packet.iter().chain(first.filter_map(|first| first.packet.as_ref()));
            assert!(known.all(|packet| packets.contains_key(packet)), "{report:?}");
            self.with_packets += u32::from(both && report.paths.iter().any(|path| !path.landed.is_empty()));
        }
    }
}

/// Every conflict report in the store of a run, named by a record or not.
fn reports(folder: &Path) -> Vec<ConflictReport> {
    let folders = std::fs::read_dir(folder.join("content")).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    files.filter_map(|file| ConflictReport::read(&std::fs::read(file).unwrap()).ok()).collect()
}

#[test]
fn whoever_tries_again_is_told_why_whoever_is_restarted_or_killed_meanwhile() {
    let place = tempfile::tempdir().unwrap();
    let mut seen = Seen::default();
    for seed in 1..=6 {
        let scenario = JUDGED.replace("SEED", &seed.to_string()) + HOSTILE;
        seen.look(&made(place.path(), &format!("judged-{seed}"), &scenario));
    }
    let Seen { answers, by_others, links, with_packets } = seen;
    assert!(answers > 10 && links > 10 && with_packets > 10, "{answers} {links} {with_packets}");
    assert!(by_others > 0, "no task was ever made anew by another lane");
}

/// Who is struck around a conflict that is refused at `t_us` to a lane: between the report and its record, between the record
/// and the answer, and before the lane reads it.
fn strikes(t_us: u64, lane: &str) -> [(&'static str, String); 3] {
    let at = |us: u64| format!("{}ms", us.div_ceil(1_000));
    [
        ("the merger, between report and record", format!("restart: merger, at: {}", at(t_us - 4_000))),
        ("the supervisor, between record and answer", format!("restart: supervisor, at: {}", at(t_us))),
        ("the lane, before it reads it", format!("kill: {lane}, at: {}", at(t_us + 1_000))),
    ]
}

#[test]
fn a_strike_around_a_conflict_changes_nothing_of_what_is_told() {
    let place = tempfile::tempdir().unwrap();
    let scenario = JUDGED.replace("SEED", "5");
    let quiet = made(place.path(), "quiet", &scenario);
    let refused = RunFolder(&quiet).of_kind("ChangeRefused");
    let conflicts: Vec<&Value> = refused.iter().filter(|record| record["data"]["reason"] == "conflict").collect();
    assert!(conflicts.len() >= 3, "{} conflicts", conflicts.len());
    let mut felt = BTreeSet::new();
    for (at, conflict) in conflicts.iter().take(3).enumerate() {
        let (t_us, lane) = (conflict["t_us"].as_u64().unwrap(), text(conflict, "/lane"));
        for (which, (what, fault)) in strikes(t_us, lane).into_iter().enumerate() {
            let name = format!("struck-{at}-{which}");
            let folder = made(place.path(), &name, &format!("{scenario}faults:\n  - {{ {fault} }}\n"));
            let mut seen = Seen::default();
            seen.look(&folder);
            assert!(seen.answers > 0, "{what}: {fault}");
            let records = RunFolder(&folder).records();
            let of_it = |record: &Value, kind: &str| {
                record["kind"] == kind && record["data"]["change"] == conflict["data"]["change"]
            };
            let again: Vec<&Value> = records.iter().filter(|record| of_it(record, "ChangeRefused")).collect();
            assert!(again.len() <= 1, "{what}: it is told once: {again:?}");
            let came_later = again.iter().all(|record| record["t_us"].as_u64() > Some(t_us + 500_000));
            let struck = records.iter().any(|record| {
                let at_once = record["t_us"].as_u64().is_some_and(|at| (t_us..t_us + 5_000_000).contains(&at));
                at_once && matches!(record["kind"].as_str(), Some("ActorRestarted" | "LaneDied"))
            });
            let change = change_of(&conflict["data"]["change"]);
            let in_store = reports(&folder).iter().any(|report| report.change == change);
            if struck && in_store && (which > 0 || came_later) {
                felt.insert(what);
            }
        }
    }
    assert_eq!(felt.len(), 3, "only {felt:?} were ever felt");
}

#[test]
fn the_report_of_a_run_says_who_met_whom_and_what_became_of_it() {
    let place = tempfile::tempdir().unwrap();
    let folder = made(place.path(), "judged", &JUDGED.replace("SEED", "3"));
    let report: Value = serde_json::from_slice(&std::fs::read(folder.join("report.json")).unwrap()).unwrap();
    let conflicts = &report["landings"]["conflicts"];
    let list = conflicts["list"].as_array().unwrap();
    assert_eq!(json!(list.len()), conflicts["count"]);
    let landed = list.iter().filter(|conflict| conflict["outcome"] == "landed").count();
    assert_eq!(json!(landed), conflicts["reworked"]);
    assert!(landed > 0, "{conflicts:#}");
    let markdown = std::fs::read_to_string(folder.join("report.md")).unwrap();
    for conflict in list {
        let told = ConflictReport::read(&std::fs::read(content(&folder, text(conflict, "/report"))).unwrap()).unwrap();
        assert_eq!((told.change.as_str(), told.lane.as_str()), (text(conflict, "/change"), text(conflict, "/lane")));
        let first = |path: &Value| -> Vec<String> {
            let landed = path["landed"].as_array().unwrap().iter();
            landed.map(|landed| format!("{} {}", text(landed, "/change"), text(landed, "/lane"))).collect()
        };
        for (path, from_report) in conflict["paths"].as_array().unwrap().iter().zip(&told.paths) {
            let landed = from_report.landed.iter().map(|landed| format!("{} {}", landed.change, landed.lane));
            assert_eq!((text(path, "/path"), first(path)), (from_report.path.as_str(), landed.collect()));
        }
        assert!(markdown.contains(&format!("| {} | {} |", text(conflict, "/change"), text(conflict, "/lane"))));
    }
}

#[test]
fn a_conflict_report_is_checked_like_a_packet_and_held_against_its_run() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let folder = made(place, "judged", &JUDGED.replace("SEED", "3"));
    let refused = RunFolder(&folder).of_kind("ChangeRefused");
    let digests: Vec<&str> = refused.iter().filter_map(|record| record["data"]["report"].as_str()).collect();
    for (at, digest) in digests.iter().enumerate() {
        let file = format!("{at}.json");
        std::fs::copy(content(&folder, digest), place.join(&file)).unwrap();
        let said = say(place, ["check", &file, "--run", "judged", "--json"]);
        assert_eq!((said.code(), &said.json()["errors"]), (0, &json!([])), "{said:?}");
    }
    let good: Value = serde_json::from_slice(&std::fs::read(place.join("0.json")).unwrap()).unwrap();
    let told = |name: &str, report: &Value, words: &[&str]| -> Vec<String> {
        std::fs::write(place.join(name), serde_json::to_string_pretty(report).unwrap()).unwrap();
        let said = say(place, ["check", name, "--json"].iter().chain(words));
        let errors = said.json()["errors"].as_array().unwrap().clone();
        assert_eq!(said.code(), if errors.is_empty() { 0 } else { 2 }, "{said:?}");
        errors.iter().map(|error| format!("{} {}", text(error, "/code"), error["line"])).collect()
    };
    let line_of = |report: &Value, key: &str| {
        let pretty = serde_json::to_string_pretty(report).unwrap();
        pretty.lines().position(|line| line.trim_start().starts_with(&format!("\"{key}\""))).unwrap() + 1
    };
    assert_eq!(
        told("pretty.json", &good, &["--run", "judged"]),
        Vec::<String>::new(),
        "the same report, printed otherwise"
    );
    let mut foreign = good.clone();
    foreign["conflicts"][0]["hunks"][0]["main"] = json!(["nobody wrote this"]);
    assert_eq!(told("foreign.json", &foreign, &[]), Vec::<String>::new(), "its form is whole");
    let at = line_of(&foreign, "conflicts");
    assert_eq!(told("foreign.json", &foreign, &["--run", "judged"]), [format!("E0423 {}", at)]);
    let mut wrong = good.clone();
    (wrong["lane"], wrong["colour"], wrong["paths"][0]["path"]) = (json!("nobody"), json!(1), json!(""));
    let mut flaws = told("wrong.json", &wrong, &[]);
    flaws.sort();
    let codes: Vec<&str> = flaws.iter().map(|flaw| &flaw[..5]).collect();
    assert_eq!(codes, ["E0405", "E0409", "E0410"], "all at once");
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/conflict-report.schema.json");
    let said = say(place, ["schema", "conflict-report"]);
    assert_eq!((said.code(), said.stdout), (0, std::fs::read_to_string(published).unwrap()));
}

/// Everything in a folder, by name.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            found.extend(snapshot(&entry.path()));
        } else {
            found.insert(entry.path(), std::fs::read(entry.path()).unwrap());
        }
    }
    found
}

/// Changes that were submitted, and neither landed nor refused.
fn submitted(records: &[Value]) -> BTreeSet<String> {
    let mut open = BTreeSet::new();
    for record in records {
        match record["kind"].as_str().unwrap() {
            "ChangeSubmitted" => drop(open.insert(change_of(&record["data"]["change"]))),
            "ChangeLanded" | "ChangeRefused" => drop(open.remove(&change_of(&record["data"]["change"]))),
            _ => {}
        }
    }
    open
}

#[test]
fn the_radar_over_a_killed_run_says_which_changes_are_in_each_others_way_and_touches_nothing() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let folder = made(place, "judged", &JUDGED.replace("SEED", "3"));
    let journal = String::from_utf8(RunFolder(&folder).journal()).unwrap();
    let lines: Vec<&str> = journal.split_inclusive('\n').collect();
    let segment = RunFolder(&folder).segments().remove(0);
    let (mut merged, mut hunks, mut standings) = (0, 0, BTreeSet::new());
    for part in 3..9 {
        let records = lines.len() * part / 10;
        std::fs::write(&segment, lines[..records].concat()).unwrap();
        let before = snapshot(&folder);
        let said = say(place, ["conflicts", "--run", "judged", "--json"]);
        let told = said.json();
        assert_eq!(snapshot(&folder), before, "something was written");
        let pairs = told["pairs"].as_array().unwrap();
        let parties = told["parties"].as_array().unwrap();
        assert_eq!(pairs.len(), parties.len() * (parties.len() - 1) / 2, "{told:#}");
        let conflicting = pairs.iter().filter(|pair| pair["clean"] == false);
        assert_eq!(said.code(), i32::from(conflicting.clone().count() > 0), "{told:#}");
        for change in submitted(&RunFolder(&folder).records()) {
            assert!(parties.iter().any(|party| party["name"] == *change), "{change} is missing: {told:#}");
        }
        let lane = |name: &Value| parties.iter().find(|party| party["name"] == *name).unwrap()["lane"].clone();
        for pair in conflicting {
            let conflict = &pair["conflicts"][0];
            let ours = if pair["a"] == "main" { json!("main") } else { lane(&pair["a"]) };
            assert_eq!((&conflict["ours"], &conflict["theirs"]), (&ours, &lane(&pair["b"])), "{pair:#}");
            assert!(text(conflict, "/path").starts_with("notes/"), "{pair:#}");
            hunks += conflict["hunks"].as_array().unwrap().len();
        }
        merged += pairs.iter().filter(|pair| pair["by"] == "merge").count();
        standings.extend(parties.iter().map(|party| text(party, "/standing").to_owned()));
        let plain = say(place, ["conflicts", "--run", "judged"]);
        assert_eq!(plain.code(), said.code(), "{plain:?}");
    }
    assert!(merged > 5 && hunks > 0, "{merged} pairs, {hunks} hunks");
    assert!(standings.contains("in-review") && standings.contains("landed"), "{standings:?}");
    let said = say(place, ["conflicts", "--run", "nowhere", "--json"]);
    assert_eq!((said.code(), &said.json()["pairs"]), (7, &json!([])), "{said:?}");
    assert_eq!(say(place, ["conflicts", "main", "--run", "judged"]).code(), 2);
    std::fs::write(&segment, journal.replacen("\"v\":1", "\"v\":2", 9)).unwrap();
    assert_eq!(say(place, ["conflicts", "--run", "judged"]).code(), 3, "a damaged journal");
}

/// Of changes that no packet has brought, only the paths are known.
#[test]
fn changes_that_only_the_journal_tells_of_are_compared_by_their_paths() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let scenario = JUDGED.replace("SEED", "4").replace(", review: reviewer", "").replace("lanes: 4", "lanes: 8");
    let scenario = scenario.replace("count: 8", "count: 16");
    let folder = made(place, "plain", &scenario);
    let journal = String::from_utf8(RunFolder(&folder).journal()).unwrap();
    let lines: Vec<&str> = journal.split_inclusive('\n').collect();
    let segment = RunFolder(&folder).segments().remove(0);
    let mut by_paths = 0;
    let submitted = lines.iter().enumerate().filter(|(_, line)| line.contains("\"kind\":\"ChangeSubmitted\""));
    for (at, _) in submitted.take(12) {
        std::fs::write(&segment, lines[..=at].concat()).unwrap();
        let told = say(place, ["conflicts", "--run", "plain", "--json"]).json();
        for pair in told["pairs"].as_array().unwrap().iter().filter(|pair| pair["by"] == "paths") {
            by_paths += 1;
            assert_eq!(pair["clean"], json!(pair["conflicts"] == json!([])), "{pair:#}");
            assert_eq!(pair["tree"], Value::Null);
        }
        let known = told["parties"].as_array().unwrap().iter().filter(|party| party["known"] == true).count();
        assert!(known >= 1, "main is always known");
    }
    assert!(by_paths > 3, "{by_paths} pairs");
}
