//! What a lane is told whose change does not merge: on what, with whom, over which lines; whatever happens to merger and mail.

use crate::run_folder::{RunFolder, run, write_scenario};
use baton_packets::ConflictReport;
use std::path::Path;

/// Lanes that append to the same few files without a lease, so that most of what they make in parallel conflicts.
const CROWDED: &str = "baton: 1\nname: crowded\nseed: SEED\nworkspace: { fixture: notes, files: 3 }\nroles:
  implementer: { lanes: 6, model: fast }\nmodels: { fast: { latency: { median: 8s, p99: 60s } } }
tasks: [ { count: 12, by: implementer, attempts: 8, touches: \"notes/**\", do: { append: token } } ]
mail: { median: 200ms, p99: 5s }\nfaults:\n  - { duplicate: 20% }\n  - { restart: merger, at: 15s }
  - { restart: merger, at: 40s }\n  - { kill: implementer, at: 30s }\n  - { restart: supervisor, at: 50s }\n";

/// Every conflict's record and report.
fn told(folder: &Path) -> Vec<(serde_json::Value, ConflictReport)> {
    let refused = RunFolder(folder).of_kind("ChangeRefused").into_iter();
    let conflicts = refused.filter(|record| record["data"]["reason"] == "conflict");
    let with_report = conflicts.map(|record| {
        let digest = record["data"]["report"].as_str().unwrap().to_owned();
        let bytes = std::fs::read(folder.join("content").join(&digest[..2]).join(&digest[2..])).unwrap();
        (record, ConflictReport::read(&bytes).unwrap())
    });
    with_report.collect()
}

#[test]
fn a_refused_lane_is_told_with_whom_and_over_which_lines_whoever_is_restarted_meanwhile() {
    let place = tempfile::tempdir().unwrap();
    let (mut conflicts, mut with_lines) = (0, 0);
    for seed in 1..=4 {
        let name = format!("crowded-{seed}");
        let file = write_scenario(place.path(), &name, &CROWDED.replace("SEED", &seed.to_string()));
        let said = run(place.path(), &file, &name, &[]);
        let folder = place.path().join(&name);
        let (code, report) = RunFolder(&folder).verify();
        assert_eq!(code, 0, "seed {seed}: {said:?}\n{report:#}");
        for (record, report) in told(&folder) {
            conflicts += 1;
            let paths: Vec<&str> = report.paths.iter().map(|path| path.path.as_str()).collect();
            assert_eq!(serde_json::json!(paths), record["data"]["paths"], "seed {seed}: {record}");
            assert_eq!(report.lane, record["lane"].as_str().unwrap(), "seed {seed}: {record}");
            assert!(report.paths.iter().all(|path| !path.landed.is_empty()), "seed {seed}: {report:?}");
            let of_others =
                report.paths.iter().flat_map(|path| &path.landed).all(|first| first.change != report.change);
            assert!(of_others, "seed {seed}: {report:?}");
            let hunks = report.conflicts.iter().flat_map(|place| &place.hunks);
            with_lines += hunks.filter(|hunk| !hunk.main.is_empty() && !hunk.change.is_empty()).count();
        }
    }
    assert!(conflicts > 10 && with_lines >= conflicts, "{conflicts} conflicts, {with_lines} hunks");
}

#[test]
fn the_same_seed_tells_the_same_of_every_conflict() {
    let place = tempfile::tempdir().unwrap();
    let file = write_scenario(place.path(), "crowded", &CROWDED.replace("SEED", "7"));
    let once = |folder: &str| {
        let said = run(place.path(), &file, folder, &[]);
        assert!(matches!(said.code(), 0 | 1), "{said:?}");
        let folder = place.path().join(folder);
        (RunFolder(&folder).journal(), told(&folder).into_iter().map(|(_, report)| report).collect::<Vec<_>>())
    };
    let (first, second) = (once("first"), once("second"));
    assert!(!first.1.is_empty());
    assert_eq!(first, second);
}
