//! `baton runs` and `baton gc`: what lies in a folder of runs is named, and only what is old, ended and intact goes.

use crate::program::{Living, Said, baton, finish, say};
use crate::run_folder::{RunFolder, run};
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A small run at `place/OUT`.
fn made(place: &Path, out: &str) {
    let said = run(place, "two-writers", out, &[]);
    assert_eq!(said.code(), 0, "{said:?}");
}

/// As if it had ended days ago.
fn aged(run: &Path) {
    let mut files = RunFolder(run).segments();
    files.push(run.join("run.json"));
    let touched = Command::new("touch").args(["-d", "2020-01-01"]).args(files).status();
    assert!(touched.unwrap().success());
}

/// A run that was killed in the middle.
fn killed(place: &Path, out: &str) {
    let scenario = "baton: 1\nname: slow\nworld: live\nworkspace: { fixture: notes, files: 4 }\n\
         roles: { a: { lanes: 3, model: fast } }\nmodels: { fast: { latency: { median: 20ms, p99: 60ms } } }\n\
         tasks: [ { each: 2000, by: a, do: { create: token } } ]\n";
    std::fs::write(place.join("slow.yaml"), scenario).unwrap();
    let mut living = Living::start(&mut baton(place, ["run", "slow.yaml", "--json", "--out", out]));
    let journal = place.join(out).join("journal");
    while !journal.is_dir() {
        assert!(!living.ends_within(Duration::from_millis(20)), "it ended by itself");
    }
    assert!(!living.ends_within(Duration::from_millis(300)), "it ended by itself");
    living.kill();
    living.ends_within(Duration::from_secs(10));
}

fn gc(place: &Path, words: &[&str]) -> (i32, Value) {
    let said = say(place, ["gc", "--json"].iter().chain(words));
    (said.code(), said.json())
}

/// By the folder's name: why it stays.
fn kept(told: &Value) -> BTreeMap<String, String> {
    let all = ["kept", "odd", "failed"].iter().flat_map(|key| told[key].as_array().unwrap());
    all.map(|entry| (name(&entry["path"]), entry["why"].as_str().unwrap().to_owned())).collect()
}

fn freed(told: &Value) -> Vec<String> {
    let mut names: Vec<String> = told["freed"].as_array().unwrap().iter().map(|gone| name(&gone["path"])).collect();
    names.sort();
    names
}

fn name(path: &Value) -> String {
    Path::new(path.as_str().unwrap()).file_name().unwrap().to_string_lossy().into_owned()
}

fn listed(place: &Path) -> (Said, BTreeMap<String, Value>) {
    let said = say(place, ["runs", "--json"]);
    let told = said.json();
    let runs =
        told["runs"].as_array().unwrap().iter().map(|run| (run["name"].as_str().unwrap().to_owned(), run.clone()));
    let runs = runs.collect();
    (said, runs)
}

#[test]
fn only_what_is_old_ended_and_intact_goes() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    for out in ["runs/old", "runs/new", "runs/damaged", "runs/lost", "runs/deep/nested"] {
        made(place, out);
    }
    killed(place, "runs/killed");
    for run in ["old", "damaged", "lost", "killed", "deep/nested"] {
        aged(&place.join("runs").join(run));
    }
    let damaged = RunFolder(&place.join("runs/damaged")).segments().remove(0);
    let text = std::fs::read_to_string(&damaged).unwrap().replacen("\"TaskDone\"", "\"TaskDona\"", 1);
    std::fs::write(&damaged, text).unwrap();
    std::fs::remove_dir_all(place.join("runs/lost/repo.git/objects")).unwrap();
    aged(&place.join("runs/damaged"));
    std::fs::create_dir_all(place.join("runs/notes/drafts")).unwrap();
    std::os::unix::fs::symlink(place.join("runs/old"), place.join("runs/linked")).unwrap();
    std::fs::write(place.join("runs/todo.txt"), "mine").unwrap();

    let (said, runs) = listed(place);
    assert_eq!(said.code(), 0);
    assert_eq!(runs.keys().collect::<Vec<_>>(), ["damaged", "killed", "lost", "nested", "new", "old"]);
    let old = &runs["old"];
    assert_eq!((&old["state"], &old["verdict"], &old["verified"]), (&"ended".into(), &"held".into(), &"intact".into()));
    assert_eq!((&old["scenario"], &old["seed"]), (&"two-writers".into(), &1.into()), "{old}");
    let records = RunFolder(&place.join("runs/old")).records().len();
    assert_eq!(old["records"], records, "{old}");
    assert!(old["bytes"].as_u64().unwrap() > 100_000, "{old}");
    assert_eq!((&runs["killed"]["state"], &runs["killed"]["verified"]), (&"killed".into(), &"no".into()));
    let told = said.json();
    let odd: BTreeMap<String, &str> =
        told["odd"].as_array().unwrap().iter().map(|odd| (name(&odd["path"]), odd["why"].as_str().unwrap())).collect();
    assert_eq!(odd.keys().collect::<Vec<_>>(), ["linked", "notes", "todo.txt"], "{odd:?}");

    let (code, dry) = gc(place, &["--dry-run"]);
    assert_eq!((code, freed(&dry)), (0, vec!["nested".to_owned(), "old".to_owned()]), "{dry:#}");
    assert!(place.join("runs/old").is_dir(), "a dry run removes nothing");
    let (code, told) = gc(place, &[]);
    assert_eq!((code, freed(&told)), (0, freed(&dry)), "{told:#}");
    assert_eq!(told["freed_bytes"], dry["freed_bytes"]);
    assert!(!place.join("runs/old").exists() && !place.join("runs/deep/nested").exists());
    let kept = kept(&told);
    for (run, why) in [
        ("new", "it ended"),
        ("damaged", "it is broken: LOG-1"),
        ("lost", "it is broken"),
        ("killed", "killed and nobody has verified it"),
        ("linked", "a link"),
        ("todo.txt", "a file; runs are folders"),
        ("notes", "no run"),
    ] {
        assert!(kept.get(run).is_some_and(|said| said.contains(why)), "{run}: {kept:?}");
        assert!(place.join("runs").join(run).symlink_metadata().is_ok(), "{run} is gone");
    }
    let (_, again) = gc(place, &[]);
    assert_eq!(freed(&again), Vec::<String>::new(), "nothing is freed twice");
}

#[test]
fn a_killed_run_goes_only_after_somebody_has_verified_it() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    killed(place, "runs/killed");
    let all = ["--older-than", "0s"];
    assert!(freed(&gc(place, &all).1).is_empty());
    assert_eq!(say(place, ["verify", "runs/killed"]).code(), 0);
    assert!(!place.join("runs/killed/verified.json").exists(), "verify alone writes nothing");
    assert!(freed(&gc(place, &all).1).is_empty());
    assert_eq!(say(place, ["verify", "--record", "runs/killed"]).code(), 0);
    let (_, runs) = listed(place);
    assert_eq!((&runs["killed"]["verified"], &runs["killed"]["verified_by"]), (&"intact".into(), &"verify".into()));
    // What was verified is not what lies there now.
    let journal = RunFolder(&place.join("runs/killed")).segments().pop().unwrap();
    let whole = std::fs::read(&journal).unwrap();
    let end = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    let before = whole[..end].iter().rposition(|byte| *byte == b'\n').unwrap();
    std::fs::write(&journal, &whole[..=before]).unwrap();
    assert_eq!(listed(place).1["killed"]["verified"], "no");
    assert!(freed(&gc(place, &all).1).is_empty());
    std::fs::write(&journal, &whole).unwrap();
    let (code, told) = gc(place, &all);
    assert_eq!((code, freed(&told)), (0, vec!["killed".to_owned()]), "{told:#}");
}

/// A kill leaves what git was merging, packs and locks: all of that is the run's own, and nothing else is.
#[test]
fn what_a_kill_leaves_half_written_is_the_runs_own() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    killed(place, "runs/killed");
    let run = place.join("runs/killed");
    for left in [
        "repo.git/baton-quarantine/17/pack/tmp_baton_pack-1.idx",
        "repo.git/baton-quarantine/17/ab/tmp_obj_x1",
        "repo.git/baton-quarantine/17/tmp_objdir-1/x",
        "repo.git/objects/pack/tmp_baton_pack-1.pack",
        "repo.git/objects/tmp_baton_fences",
        "repo.git/refs/heads/main.lock",
        "repo.git/HEAD.lock",
        "content/new-1",
        "run.json.new",
        "report.md.new",
        "verified.json.new",
    ] {
        std::fs::create_dir_all(run.join(left).parent().unwrap()).unwrap();
        std::fs::write(run.join(left), "half").unwrap();
    }
    assert_eq!(say(place, ["verify", "--record", "runs/killed"]).code(), 0);
    let stranger = run.join("repo.git/baton-quarantine/mine");
    std::fs::create_dir_all(stranger.parent().unwrap()).unwrap();
    std::fs::write(&stranger, "mine").unwrap();
    let (_, told) = gc(place, &["--older-than", "0s"]);
    assert!(kept(&told)["killed"].contains("baton-quarantine/mine"), "{told:#}");
    std::fs::remove_file(&stranger).unwrap();
    let (code, told) = gc(place, &["--older-than", "0s"]);
    assert_eq!((code, freed(&told)), (0, vec!["killed".to_owned()]), "{told:#}");
}

/// A finding that could not be left in the folder is no success; the finding itself is told all the same.
#[test]
fn a_verification_that_cannot_be_recorded_is_told() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    made(place, "runs/run");
    // As in a folder that may not be written.
    std::fs::create_dir_all(place.join("runs/run/verified.json.new")).unwrap();
    let said = say(place, ["verify", "--record", "--json", "runs/run"]);
    let told = said.json();
    assert_eq!((said.code(), &told["exit_code"], &told["intact"]), (5, &5.into(), &true.into()), "{said:?}");
    assert!(told["unrecorded"].as_str().unwrap().contains("verified.json"), "{told:#}");
    let said = say(place, ["verify", "--record", "runs/run"]);
    assert!(
        said.code() == 5 && said.stdout.contains("main intact") && said.stderr.contains("not recorded"),
        "{said:?}"
    );
    assert_eq!(say(place, ["verify", "runs/run"]).code(), 0);
}

#[test]
fn a_run_that_goes_on_stays() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let scenario = "baton: 1\nname: slow\nworld: live\nworkspace: { fixture: notes, files: 4 }\n\
         roles: { a: { lanes: 2, model: fast } }\nmodels: { fast: { latency: { median: 50ms, p99: 90ms } } }\n\
         tasks: [ { each: 900, by: a, do: { create: token } } ]\n";
    std::fs::write(place.join("slow.yaml"), scenario).unwrap();
    let mut living = Living::start(&mut baton(place, ["run", "slow.yaml", "--json", "--out", "runs/slow"]));
    while !place.join("runs/slow").is_dir() {
        assert!(!living.ends_within(Duration::from_millis(20)), "it ended by itself");
    }
    assert_eq!(listed(place).1["slow"]["state"], "running");
    let (code, told) = gc(place, &["--older-than", "0s"]);
    assert_eq!((code, freed(&told)), (0, Vec::new()), "{told:#}");
    assert!(kept(&told)["slow"].contains("goes on"), "{told:#}");
    let said = say(place, ["verify", "--record", "runs/slow"]);
    assert!(said.code() == 5 && said.stderr.contains("not recorded"), "{said:?}");
    let told = say(place, ["report", "runs/slow"]);
    assert!(told.code() == 0 && told.stderr.contains("goes on") && !told.stdout.contains("all figures in"), "{told:?}");
    living.interrupt();
    assert_eq!(living.end(Duration::from_secs(30)).code(), 5);
    let (_, runs) = listed(place);
    assert_eq!((&runs["slow"]["state"], &runs["slow"]["verdict"]), (&"ended".into(), &"stopped".into()));
    assert_eq!(freed(&gc(place, &["--older-than", "0s"]).1), ["slow"]);
}

#[test]
fn a_control_run_goes_with_its_run_and_never_alone() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let controlled =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/two-writers.yaml")).unwrap();
    std::fs::write(place.join("both.yaml"), controlled + "control: without-merger\n").unwrap();
    for out in ["runs/one", "runs/two"] {
        assert_eq!(run(place, "both.yaml", out, &[]).code(), 0);
    }
    std::fs::remove_dir_all(place.join("runs/two")).unwrap();
    let (code, told) = gc(place, &["--older-than", "0s"]);
    assert_eq!((code, freed(&told)), (0, vec!["one".to_owned(), "one.control".to_owned()]), "{told:#}");
    assert!(kept(&told)["two.control"].contains("not beside it"), "{told:#}");
}

#[test]
fn the_newest_are_kept_and_times_and_folders_that_are_none_are_told() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    for out in ["runs/a", "runs/b", "runs/c"] {
        made(place, out);
    }
    aged(&place.join("runs/b"));
    let (_, told) = gc(place, &["--older-than", "0s", "--keep", "2"]);
    assert_eq!(freed(&told), ["b"], "{told:#}");
    for words in [&["gc", "--older-than", "soon", "--json"][..], &["gc", "--keep", "-1", "--json"]] {
        let said = say(place, words);
        assert_eq!((said.code(), &said.json()["exit_code"]), (2, &2.into()), "{said:?}");
    }
    for verb in ["gc", "runs"] {
        let said = say(place, [verb, "nowhere", "--json"]);
        assert_eq!((said.code(), &said.json()["exit_code"]), (7, &7.into()), "{said:?}");
        assert!(said.json()["error"].as_str().unwrap().contains("nowhere"));
    }
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(say(empty.path(), ["runs"]).stdout, "0 runs, 0 B\n");
    assert_eq!(say(empty.path(), ["gc"]).code(), 0);
}

#[test]
fn an_interrupted_removal_is_finished_and_nothing_else_is_taken_for_one() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    made(place, "runs/run");
    // What a gc that was killed after its first step leaves, and what is only called so.
    let inode = {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(place.join("runs/run")).unwrap().ino()
    };
    let trash = place.join(format!("runs/.baton-trash-{inode}"));
    std::fs::rename(place.join("runs/run"), &trash).unwrap();
    std::fs::remove_dir_all(trash.join("journal")).unwrap();
    let precious = place.join("runs/.baton-trash-1");
    std::fs::create_dir(&precious).unwrap();
    let (code, told) = gc(place, &[]);
    assert_eq!((code, told["leftovers"].as_array().unwrap().len()), (0, 1), "{told:#}");
    assert!(!trash.exists() && precious.exists());
}

#[test]
fn several_at_once_free_everything_once() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    made(place, "runs/run-0");
    for copy in 1..24 {
        let copied = Command::new("cp")
            .arg("-a")
            .arg(place.join("runs/run-0"))
            .arg(place.join(format!("runs/run-{copy}")))
            .status();
        assert!(copied.unwrap().success());
    }
    let start = || Living::start(&mut baton(place, ["gc", "--older-than", "0s", "--recorded", "--json"]));
    let gcs: Vec<Living> = (0..3).map(|_| start()).collect();
    let listing = say(place, ["runs", "--json"]);
    assert_eq!(listing.code(), 0);
    let told: Vec<Said> = gcs.into_iter().map(|gc| gc.end(Duration::from_secs(60))).collect();
    let mut all: Vec<String> = told.iter().flat_map(|said| freed(&said.json())).collect();
    for said in &told {
        assert_eq!(said.code(), 0, "{said:?}");
        assert!(said.json()["failed"].as_array().unwrap().is_empty(), "{said:?}");
    }
    let last = gc(place, &["--older-than", "0s", "--recorded"]);
    all.extend(freed(&last.1));
    all.sort();
    let count = all.len();
    all.dedup();
    assert_eq!((count, all.len()), (24, 24), "each is freed once");
    assert_eq!(std::fs::read_dir(place.join("runs")).unwrap().count(), 0);
}

/// A gc that is killed at any instant leaves runs that are whole, or leftovers that the next one finishes.
#[test]
fn a_killed_gc_leaves_runs_or_rubbish() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    made(place, "runs/run-0");
    for copy in 1..40 {
        let copied = Command::new("cp")
            .arg("-a")
            .arg(place.join("runs/run-0"))
            .arg(place.join(format!("runs/run-{copy}")))
            .status();
        assert!(copied.unwrap().success());
    }
    for wait_ms in [2, 5, 9, 14] {
        let mut living = Living::start(&mut baton(place, ["gc", "--older-than", "0s", "--recorded"]));
        living.ends_within(Duration::from_millis(wait_ms));
        living.kill();
        living.ends_within(Duration::from_secs(10));
        for entry in std::fs::read_dir(place.join("runs")).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if !path.file_name().unwrap().to_string_lossy().starts_with(".baton-trash-") {
                RunFolder(&path).must_be_sound("after a killed gc");
            }
        }
    }
    let (code, _) = gc(place, &["--older-than", "0s", "--recorded"]);
    assert_eq!((code, std::fs::read_dir(place.join("runs")).unwrap().count()), (0, 0));
}

#[test]
fn what_may_not_be_removed_is_told() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    made(place, "runs/run");
    let runs = place.join("runs");
    std::fs::set_permissions(&runs, std::fs::Permissions::from_mode(0o555)).unwrap();
    let writable = std::fs::write(runs.join("probe"), "").is_ok();
    let said = finish(&mut baton(place, ["gc", "--older-than", "0s", "--json"]));
    std::fs::set_permissions(&runs, std::fs::Permissions::from_mode(0o755)).unwrap();
    if writable {
        eprintln!("SKIPPED: this user may write everywhere");
        return;
    }
    assert_eq!(said.code(), 5, "{said:?}");
    assert!(kept(&said.json())["run"].contains("cannot be removed"), "{said:?}");
    RunFolder(&runs.join("run")).must_be_sound("after a refused removal");
}

/// Whatever somebody has put into a run folder was not made by a run: it is named, and nothing of the folder goes.
#[test]
fn what_somebody_has_put_into_a_run_folder_is_not_removed() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    for (at, file) in [
        ("runs/top", "thesis.txt"),
        ("runs/journal", "journal/notes.txt"),
        ("runs/content", "content/ab/mine"),
        ("runs/repository", "repo.git/objects/mine"),
        ("runs/policies", "policies/merger/draft.md"),
        ("runs/hidden", ".env"),
    ] {
        made(place, at);
        let stranger = place.join(at).join(file);
        std::fs::create_dir_all(stranger.parent().unwrap()).unwrap();
        std::fs::write(&stranger, "mine").unwrap();
        aged(&place.join(at));
        for words in [&["--dry-run"][..], &[], &["--recorded"]] {
            let (code, told) = gc(place, words);
            assert_eq!((code, freed(&told)), (0, Vec::new()), "{file}: {told:#}");
            let why = told["kept"][0]["why"].as_str().unwrap_or_default();
            assert!(why.contains(file), "{file} is not named: {told:#}");
            assert!(stranger.exists() && place.join(at).join("run.json").exists(), "{file}: something is gone");
        }
        std::fs::remove_file(&stranger).unwrap();
        aged(&place.join(at));
        let (_, told) = gc(place, &[]);
        assert_eq!(freed(&told).len(), 1, "{file}: without it the run goes: {told:#}");
    }
}
