//! LOG-1 and MAIN-1 from outside: a run folder that was changed by hand is refused, and the place is said.

mod conflicts;
mod matrix;
mod packets;
mod promises;
mod teams;
mod values;

use crate::program::{baton, finish};
use crate::repository::{git, git_command};
use crate::run_folder::{RunFolder, run};
use serde_json::Value;
use std::path::Path;

/// CRC-32C, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// `,"crc":"01234567"}` and the newline.
const CLOSING: usize = 19;

/// The line with the checksum that belongs to it.
fn sealed(line: &[u8]) -> Vec<u8> {
    let body = &line[..line.len() - CLOSING];
    let mut line = body.to_vec();
    line.extend_from_slice(format!(",\"crc\":\"{:08x}\"}}\n", crc32c(body)).as_bytes());
    line
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

/// What was done to a journal of lines; the number of the line that must be said, from 1.
type Forgery = (&'static str, fn(&mut Vec<Vec<u8>>) -> usize);

fn replace(line: &mut Vec<u8>, from: &str, to: &str) {
    let text = String::from_utf8(line.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    *line = text.replacen(from, to, 1).into_bytes();
}

const FORGERIES: [Forgery; 7] = [
    ("a flipped bit", |lines| {
        lines[100][40] ^= 1;
        101
    }),
    ("an edited line whose checksum was made anew", |lines| {
        replace(&mut lines[100], "\"t_us\":", "\"t_us\":1");
        lines[100] = sealed(&lines[100]);
        // Such a line is wrong in itself, or by the next line's chain.
        102
    }),
    ("a dropped line", |lines| {
        lines.remove(100);
        101
    }),
    ("a line that is there twice", |lines| {
        let line = lines[100].clone();
        lines.insert(100, line);
        102
    }),
    ("two lines that changed places", |lines| {
        lines.swap(100, 101);
        101
    }),
    ("a line that is cut in two", |lines| {
        let half = lines[100].len() / 2;
        let rest = lines[100].split_off(half);
        lines[100].push(b'\n');
        lines.insert(101, rest);
        101
    }),
    ("an empty line", |lines| {
        lines.insert(100, b"\n".to_vec());
        101
    }),
];

/// Leaves `run.json` as it is before a run has a verdict: a killed run's.
fn unjudged(folder: &Path) {
    let path = folder.join("run.json");
    let told: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let begun = ["format", "version", "scenario", "seed", "world"].map(|key| (key.to_owned(), told[key].clone()));
    let begun: serde_json::Map<String, Value> =
        begun.into_iter().chain([("verdict".to_owned(), Value::Null)]).collect();
    std::fs::write(path, Value::Object(begun).to_string()).unwrap();
}

fn finished(place: &Path) {
    let said = run(place, "two-writers", "good", &[]);
    assert_eq!(said.code(), 0, "{said:?}");
}

fn log_1(report: &Value) -> &Value {
    report["promises"].as_array().unwrap().iter().find(|promise| promise["id"] == "LOG-1").unwrap()
}

#[test]
fn damage_in_the_middle_of_a_journal_is_refused_with_file_and_line() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    finished(place);
    let good = RunFolder(&place.join("good")).journal();
    let lines: Vec<Vec<u8>> = good.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    assert_eq!(sealed(&lines[100]), lines[100], "this test's checksum is not the journal's");
    for (at, (what, forge)) in FORGERIES.iter().enumerate() {
        let mut lines = lines.clone();
        let line = forge(&mut lines);
        let forged = place.join(format!("forged-{at}"));
        copy(&place.join("good"), &forged);
        std::fs::write(RunFolder(&forged).segments().remove(0), lines.concat()).unwrap();
        let (code, report) = RunFolder(&forged).verify();
        assert_eq!((code, &report["intact"]), (3, &Value::Bool(false)), "{what}: {report}");
        assert_eq!(report["torn_tail"], false, "{what}: {report}");
        let promise = log_1(&report);
        let detail = promise["detail"].as_str().unwrap();
        assert_eq!(promise["status"], "broken", "{what}: {promise}");
        let near = [line - 1, line].map(|line| format!("000001-000000.jsonl line {line}:"));
        assert!(near.iter().any(|place| detail.contains(place)), "{what}: {detail}");
    }
}

#[test]
fn a_run_of_another_format_is_refused_and_not_called_broken() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    finished(place);
    let folder = place.join("good");
    let journal = String::from_utf8(RunFolder(&folder).journal()).unwrap();
    std::fs::write(RunFolder(&folder).segments().remove(0), journal.replace("{\"v\":1,", "{\"v\":2,")).unwrap();
    // Said of one of them alone it is damage.
    let (code, report) = RunFolder(&folder).verify();
    assert_eq!((code, &log_1(&report)["status"]), (3, &"broken".into()), "{report}");
    let told = std::fs::read_to_string(folder.join("run.json")).unwrap();
    let mut told: Value = serde_json::from_str(&told).unwrap();
    told["format"] = 2.into();
    std::fs::write(folder.join("run.json"), told.to_string()).unwrap();
    let said = RunFolder(&folder).verify_said();
    assert!(!matches!(said.code(), 0 | 3), "{said:?}");
    assert!(said.stderr.contains("format 2 is not known"), "{said:?}");
}

#[test]
fn a_torn_tail_is_told_and_is_no_damage() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    finished(place);
    let good = RunFolder(&place.join("good")).journal();
    let last = good[..good.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for keep in [last + 1, last + 50, good.len() - 2, good.len() - 1] {
        let torn = place.join(format!("torn-{keep}"));
        copy(&place.join("good"), &torn);
        unjudged(&torn);
        std::fs::write(RunFolder(&torn).segments().remove(0), &good[..keep]).unwrap();
        let (code, report) = RunFolder(&torn).verify();
        assert_eq!(
            (code, &report["intact"], &report["torn_tail"]),
            (0, &true.into(), &true.into()),
            "{keep}: {report:#}"
        );
    }
}

/// TIME-1 from a run folder alone.
#[track_caller]
fn time_1(folder: &Path) -> String {
    let said = finish(baton(folder, ["verify", "--again", "--json"]).arg(folder)).json();
    status(&said, "TIME-1").to_owned()
}

#[test]
fn a_run_is_the_same_again_as_far_as_it_came_in_virtual_time_and_in_its_version() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    finished(place);
    let good = place.join("good");
    assert_eq!(time_1(&good), "held");
    let journal = RunFolder(&good).journal();
    let doctored = |name: &str, bytes: &[u8]| {
        let folder = place.join(name);
        copy(&good, &folder);
        std::fs::write(RunFolder(&folder).segments().remove(0), bytes).unwrap();
        folder
    };
    let half = journal[..journal.len() / 2].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for keep in [half, half + 40] {
        let killed = doctored(&format!("killed-{keep}"), &journal[..keep]);
        unjudged(&killed);
        git(&killed.join("repo.git"), &["update-ref", "refs/heads/main", &RunFolder(&good).main()]);
        assert_eq!(time_1(&killed), "held", "as far as it came: {keep}");
    }
    let text = "baton: 1\nname: live\nworld: live\nworkspace: { fixture: notes }\n\
        roles: { implementer: { lanes: 1, model: fast } }\nmodels: { fast: { latency: { median: 1ms, p99: 2ms } } }\n\
        tasks: [ { count: 1, by: implementer, do: { create: token } } ]\n";
    let file = crate::run_folder::write_scenario(place, "live", text);
    assert_eq!(run(place, &file, "live", &[]).code(), 0);
    assert_eq!(time_1(&place.join("live")), "not_exercised", "no real clock is the same again");
}

#[test]
fn a_journal_that_is_shorter_than_its_run_claims_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    finished(place);
    let folder = place.join("good");
    let good = RunFolder(&folder).journal();
    let last = good[..good.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    std::fs::write(RunFolder(&folder).segments().remove(0), &good[..last]).unwrap();
    let (code, report) = RunFolder(&folder).verify();
    assert_eq!(code, 3, "{report:#}");
}

fn status<'a>(report: &'a Value, id: &str) -> &'a str {
    let promises = report["promises"].as_array().unwrap();
    promises.iter().find(|promise| promise["id"] == id).unwrap()["status"].as_str().unwrap()
}

/// What was done to main behind the journal's back, and the promise that it breaks.
#[test]
fn a_main_that_the_journal_does_not_account_for_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    finished(place);
    let commit = |repository: &Path, tree: &str, parent: &str| {
        let output =
            git_command(repository).args(["commit-tree", tree, "-p", parent, "-m", "by hand"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    type Deed<'a> = (&'static str, &'static str, &'a dyn Fn(&Path) -> String);
    let deeds: [Deed<'_>; 4] = [
        ("a commit on top", "MAIN-1", &|repository| commit(repository, "main^{tree}", "main")),
        ("a reset by one", "MAIN-1", &|_| "main~1".to_owned()),
        ("another history", "MAIN-1", &|repository| commit(repository, "main~3^{tree}", "main~3")),
        ("the same tree under another commit", "MAIN-1", &|repository| commit(repository, "main^{tree}", "main~1")),
    ];
    for (at, (what, promise, deed)) in deeds.iter().enumerate() {
        let folder = place.join(format!("deed-{at}"));
        copy(&place.join("good"), &folder);
        let repository = folder.join("repo.git");
        let to = deed(&repository);
        git(&repository, &["update-ref", "refs/heads/main", &to]);
        let (code, report) = RunFolder(&folder).verify();
        assert_eq!((code, &report["intact"]), (3, &Value::Bool(false)), "{what}: {report:#}");
        assert_eq!(status(&report, promise), "broken", "{what}: {report:#}");
    }
}
