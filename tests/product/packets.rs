//! Packets from outside: files are checked like any other, their links are looked up in a run, and the schema is current.

use crate::program::say;
use crate::repository::git;
use crate::run_folder::{RunFolder, run, write_scenario};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A run with packets, and the accepted ones among its content.
fn with_packets(place: &Path) -> (PathBuf, Vec<PathBuf>) {
    let said = run(place, "dangling-link", "run", &[]);
    assert_eq!(said.code(), 0, "{said:?}");
    let folder = place.join("run");
    let records = RunFolder(&folder).records();
    let offered = records.iter().filter(|record| record["kind"] == "PacketOffered");
    let digest = |record: &Value| record["data"]["digest"].as_str().unwrap().to_owned();
    let path = |digest: String| folder.join("content").join(&digest[..2]).join(&digest[2..]);
    let refused: Vec<&Value> = records.iter().filter(|record| record["kind"] == "PacketRefused").collect();
    let whole = |record: &&Value| !refused.iter().any(|refused| refused["data"]["packet"] == record["data"]["packet"]);
    (folder.clone(), offered.filter(whole).map(|record| path(digest(record))).collect())
}

#[test]
fn packets_are_checked_like_any_other_file_and_their_links_looked_up_in_a_run() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let (_, packets) = with_packets(place);
    let text = std::fs::read_to_string(&packets[0]).unwrap();
    std::fs::write(place.join("good.json"), &text).unwrap();
    let said = say(place, ["check", "good.json", "--run", "run", "--json"]);
    assert_eq!((said.code(), &said.json()["errors"]), (0, &json!([])), "{said:?}");
    let mut packet: Value = serde_json::from_str(&text).unwrap();
    packet["links"][0]["digest"] = json!("f".repeat(64));
    packet["links"][0]["bytes"] = json!(1);
    let pretty = serde_json::to_string_pretty(&packet).unwrap();
    std::fs::write(place.join("dangling.json"), &pretty).unwrap();
    assert_eq!(say(place, ["check", "dangling.json"]).code(), 0, "its form is whole");
    let said = say(place, ["check", "dangling.json", "--run", "run", "--json"]);
    let errors = &said.json()["errors"];
    assert_eq!(
        (said.code(), &errors[0]["code"], errors.as_array().unwrap().len()),
        (2, &json!("E0419"), 1),
        "{said:?}"
    );
    let line = errors[0]["line"].as_u64().unwrap() as usize;
    assert!(pretty.lines().nth(line - 1).unwrap().contains(&"f".repeat(64)), "{errors}");
    packet["checklist"][0]["evidence"] = json!([]);
    packet["task"] = json!("17");
    packet["colour"] = json!("\u{1b}[31m");
    std::fs::write(place.join("wrong.json"), serde_json::to_string_pretty(&packet).unwrap()).unwrap();
    let said = say(place, ["check", "wrong.json", "good.json"]);
    assert_eq!(said.code(), 2, "{said:?}");
    for told in ["E0405", "E0410", "wrong.json:", "help: ", "`baton explain E04", "2 files: 2 errors, 0 warnings"] {
        assert!(format!("{}{}", said.stderr, said.stdout).contains(told), "{told}: {said:?}");
    }
    assert!(!said.stderr.contains('\u{1b}'), "{said:?}");
}

#[test]
fn what_a_packet_says_of_its_run_is_compared_with_the_journal() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let (folder, packets) = with_packets(place);
    let good: Value = serde_json::from_str(&std::fs::read_to_string(&packets[0]).unwrap()).unwrap();
    let told = |changed: &Value| {
        let pretty = serde_json::to_string_pretty(changed).unwrap();
        std::fs::write(place.join("one.json"), &pretty).unwrap();
        assert_eq!(say(place, ["check", "one.json"]).code(), 0, "its form is whole: {pretty}");
        let said = say(place, ["check", "one.json", "--run", "run", "--json"]);
        let errors = said.json()["errors"].as_array().unwrap().clone();
        assert_eq!(said.code(), if errors.is_empty() { 0 } else { 2 }, "{said:?}");
        let at = |error: &Value| {
            let line = pretty.lines().nth(error["line"].as_u64().unwrap() as usize - 1).unwrap().trim();
            (error["code"].as_str().unwrap().to_owned(), line.split('"').nth(1).unwrap().to_owned())
        };
        errors.iter().map(at).collect::<Vec<_>>()
    };
    assert_eq!(told(&good), []);
    let landed = RunFolder(&folder).of_kind("ChangeLanded");
    let refused = git(&RunFolder(&folder).repository(), &["hash-object", "-t", "tree", "/dev/null"]);
    assert!(!landed.is_empty());
    let from = good["from"].as_str().unwrap().to_owned();
    let role = from.rsplit_once('.').unwrap().0;
    for (key, value, code) in [
        ("run", json!("00c0ffee00c0ffee"), "E0422"),
        ("from", json!(format!("{role}.99")), "E0423"),
        ("from", json!("nobody.1"), "E0423"),
        ("to", json!("nobody"), "E0423"),
        ("to", json!(role), "E0423"),
        ("base", json!("0".repeat(40)), "E0423"),
        ("base", json!(refused.trim()), "E0423"),
        ("change", json!(good["change"].as_str().unwrap().replace(".1", ".77")), "E0423"),
    ] {
        let mut changed = good.clone();
        changed[key] = value.clone();
        let found = told(&changed);
        assert!(found.contains(&(code.to_owned(), key.to_owned())), "{key} {value}: {found:?}");
    }
    let mut other = good.clone();
    (other["task"], other["change"]) = (json!("T-999"), json!("C-999.1"));
    assert!(told(&other).contains(&("E0423".to_owned(), "task".to_owned())));
    let mut all = good.clone();
    (all["run"], all["from"], all["to"]) = (json!("00c0ffee00c0ffee"), json!("nobody.1"), json!("somebody"));
    assert!(told(&all).len() >= 3, "all at once");
}

#[test]
fn a_packet_that_is_huge_deep_or_none_is_told_and_nothing_is_moved() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    for (name, bytes, code) in [
        ("huge", vec![b' '; 70_000], "E0401"),
        ("enormous", vec![b'['; 3 << 20], "E0401"),
        ("deep", vec![b'['; 60_000], "E0403"),
        ("empty", Vec::new(), "E0402"),
        ("binary", vec![0xff, 0xfe], "E0402"),
        ("list", b"[]".to_vec(), "E0407"),
    ] {
        let file = format!("{name}.json");
        std::fs::write(place.join(&file), bytes).unwrap();
        let said = say(place, ["check", &file, "--json"]);
        assert_eq!((said.code(), &said.json()["errors"][0]["code"]), (2, &json!(code)), "{name}: {said:?}");
    }
    assert_eq!(say(place, ["check", "nowhere.json"]).code(), 2);
    assert_eq!(say(place, ["check", "list.json", "--run", "nowhere"]).code(), 7);
    assert_eq!(say(place, ["check", "two-writers", "--run", "nowhere"]).code(), 7);
    assert_eq!(std::fs::read_dir(place).unwrap().count(), 6);
}

#[test]
fn the_published_schema_is_current_and_what_runs_hand_on_fits_it() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let said = say(place, ["schema", "packet"]);
    let published =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/packet.schema.json")).unwrap();
    assert_eq!((said.code(), &said.stdout), (0, &published));
    let (_, packets) = with_packets(place);
    assert!(packets.len() >= 12);
    for (at, packet) in packets.iter().enumerate() {
        std::fs::copy(packet, place.join(format!("{at}.json"))).unwrap();
        let said = say(place, ["check", &format!("{at}.json"), "--run", "run"]);
        assert_eq!(said.code(), 0, "{said:?}");
    }
}

#[test]
fn every_code_of_packets_is_explained() {
    let place = tempfile::tempdir().unwrap();
    for code in ["E0401", "e0414", "E0421"] {
        let said = say(place.path(), ["explain", code]);
        assert_eq!(said.code(), 0, "{said:?}");
        assert!(said.stdout.len() > 80, "{said:?}");
    }
    assert!(say(place.path(), ["explain"]).stdout.contains("E0420"));
}

const TEAM: &str = "baton: 1
name: handing
seed: 5
workspace: { fixture: notes, files: 8 }
roles:
  implementer: { lanes: 2, model: fast, context: 9000 }
  reviewer: { lanes: 1, model: fast }
models:
  fast: { driver: script, latency: { median: 5s, p99: 30s }, tokens: { in: 2000, out: 300 }, price: { in: 3.0, out: 15.0 } }
tasks:
  - { name: first, count: 3, by: implementer, steps: 5, do: { append: token }, review: { by: reviewer, returns: 30%, rounds: 64 } }
  - { count: 2, by: implementer, after: first, do: { append: token }, review: reviewer }
expect: [ main.intact, tasks.landed == 5, tasks.failed == 0 ]
";

/// Whatever strikes when a packet is offered, accepted or judged: before it is durable, before it is answered, or after.
#[test]
fn a_restart_a_death_or_lost_mail_around_any_packet_loses_and_doubles_nothing() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let file = write_scenario(place, "calm", TEAM);
    assert_eq!(run(place, &file, "calm", &[]).code(), 0);
    let records = RunFolder(&place.join("calm")).records();
    let about = ["PacketOffered", "ReviewGiven"];
    let times = records.iter().filter(|record| about.contains(&record["kind"].as_str().unwrap()));
    let times: Vec<u64> = times.map(|record| record["t_us"].as_u64().unwrap() / 1_000).collect();
    assert!(times.len() >= 16, "{times:?}");
    for (at, time) in times.iter().enumerate().step_by(2) {
        let time = (time + [0, 1, 6, 12][at / 2 % 4]).saturating_sub(3);
        let faults = [
            format!("{{ restart: supervisor, at: {time}ms }}"),
            format!("{{ kill: implementer, at: {time}ms }}, {{ restart: supervisor, at: {}ms }}", time + 2),
            format!("{{ kill: reviewer, at: {time}ms }}, {{ restart: merger, at: {time}ms }}"),
            format!("{{ drop: 60%, at: {time}ms, for: 20ms }}, {{ duplicate: 50%, at: {time}ms, for: 30s }}"),
        ];
        for (kind, fault) in faults.iter().enumerate() {
            let name = format!("struck-{at}-{kind}");
            let file = write_scenario(place, &name, &format!("{TEAM}faults: [ {fault} ]\n"));
            let said = run(place, &file, &name, &[]);
            assert_eq!(said.code(), 0, "{fault}: {said:?}");
            RunFolder(&place.join(&name)).must_be_sound(fault);
        }
    }
}
