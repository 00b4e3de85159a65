//! What people hand over by mistake: files that are no scenarios, folders that are no runs, places that cannot be written.

use crate::program::{Said, baton, finish, say};
use crate::repository::{git, repository};
use crate::run_folder::{run, write_scenario};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const GOOD: &str = "baton: 1\nname: good\nworkspace: { fixture: notes, files: 2 }\nroles: { implementer: { lanes: 2, model: fast } }\n\
     models: { fast: { driver: script, latency: { median: 1s, p99: 2s } } }\n\
     tasks: [ { each: 2, by: implementer, do: { append: token } } ]\n";

/// Refused as wrong use, at a stated place of the file, in little time, and nothing is left behind.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "the time that a user waits is what is tested")]
fn check_file(place: &Path, file: &str, located: bool) -> Said {
    let begun = Instant::now();
    let said = run(place, file, "never", &[]);
    let took = begun.elapsed();
    assert_eq!(said.code(), 2, "{file}: {said:?}");
    assert!(took < Duration::from_secs(2), "{file} takes {took:?}");
    assert!(!said.stderr.trim().is_empty(), "{file}: refused without a word");
    let lines: Vec<&str> = said.stderr.lines().filter(|line| line.trim_start().starts_with("--> ")).collect();
    assert_eq!(!lines.is_empty(), located, "{file}: {}", said.stderr);
    assert!(said.stderr.len() < 64_000, "{file}: {} bytes of complaint", said.stderr.len());
    assert!(said.json().is_object(), "{file}: {said:?}");
    assert!(!place.join("never").exists() && !place.join(".never.making").exists(), "{file}: something is left");
    said
}

#[test]
fn a_file_that_is_no_scenario_is_refused_where_it_is_wrong() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let deep = format!("baton: 1\nname: {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    let mut bomb = "baton: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    let twice = GOOD.replace("name: good\n", "name: good\nname: Good\nsede: 7\n");
    let cases: [(&str, Vec<u8>); 9] = [
        ("empty", Vec::new()),
        ("binary", (0..=255_u8).cycle().take(5_000).collect()),
        ("not utf-8", b"baton: 1\nname: \xff\xfe\n".to_vec()),
        ("deep", deep.into_bytes()),
        ("bomb", bomb.into_bytes()),
        ("twice", twice.clone().into_bytes()),
        ("unknown", format!("{GOOD}lanes: 7\n").into_bytes()),
        ("version", GOOD.replace("baton: 1", "baton: 2").into_bytes()),
        ("two documents", format!("{GOOD}---\n{GOOD}").into_bytes()),
    ];
    for (name, bytes) in cases {
        let file = format!("{name}.yaml");
        std::fs::write(place.join(&file), bytes).unwrap();
        check_file(place, &file, true);
    }
    let file = write_scenario(place, "all at once", &twice);
    let said = check_file(place, &file, true);
    let errors = said.stderr.lines().filter(|line| line.starts_with("error[")).count();
    assert!(errors >= 2, "not all faults at once: {}", said.stderr);
    assert!(said.stderr.contains("seed"), "no hint at the key that was meant: {}", said.stderr);
}

#[test]
fn a_huge_file_is_refused_without_being_read() {
    let place = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(place.path().join("huge.yaml")).unwrap();
    file.set_len(100 << 20).unwrap();
    check_file(place.path(), "huge.yaml", true);
}

#[test]
fn a_scenario_that_is_not_there_is_refused_with_a_hint() {
    let place = tempfile::tempdir().unwrap();
    let said = check_file(place.path(), "tow-writers", false);
    assert!(said.stderr.contains("baton scenarios"), "{}", said.stderr);
    std::fs::create_dir(place.path().join("folder")).unwrap();
    check_file(place.path(), "folder", false);
}

#[test]
fn a_place_that_cannot_be_a_run_folder_is_refused_and_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    std::fs::create_dir(place.join("full")).unwrap();
    std::fs::write(place.join("full/thesis.txt"), "years").unwrap();
    std::fs::write(place.join("file"), "years").unwrap();
    std::fs::create_dir(place.join("fine.control")).unwrap();
    std::fs::write(place.join("fine.control/thesis.txt"), "years").unwrap();
    for (scenario, out) in [
        ("two-writers", "full"),
        ("two-writers", "file"),
        ("two-writers", "file/below"),
        ("two-writers", "/proc/nothing/here"),
        ("two-writers", ".."),
        ("eight-writers", "fine"),
    ] {
        let said = run(place, scenario, out, &[]);
        assert_eq!(said.code(), 2, "{out}: {said:?}");
        assert!(said.stderr.starts_with("error: "), "{out}: {said:?}");
        assert_eq!(said.json()["exit_code"], 2, "{out}");
    }
    assert!(!place.join("fine").exists());
    for kept in ["full/thesis.txt", "file", "fine.control/thesis.txt"] {
        assert_eq!(std::fs::read_to_string(place.join(kept)).unwrap(), "years", "{kept}");
    }
    std::fs::create_dir(place.join("empty")).unwrap();
    let said = run(place, "two-writers", "empty", &[]);
    assert_eq!(said.code(), 0, "an empty folder is as good as none: {said:?}");
}

#[test]
fn a_folder_that_is_no_run_is_told_from_a_broken_one() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    std::fs::create_dir(place.join("empty")).unwrap();
    std::fs::write(place.join("file"), "x").unwrap();
    repository(&place.join("plain"), &[("a", b"a\n")]);
    git(place, &["clone", "-q", "--bare", "plain", "bare.git"]);
    for no_run in ["nothing", "empty", "file", "plain", "bare.git"] {
        let said = say(place, ["verify", "--json", no_run]);
        assert_eq!(said.code(), 7, "{no_run}: {said:?}");
        assert_eq!(said.json()["exit_code"], 7, "{no_run}");
        assert!(said.stderr.starts_with("error: "), "{no_run}: {said:?}");
    }
}

#[test]
fn wrong_words_are_refused() {
    let place = tempfile::tempdir().unwrap();
    for words in [
        &["run"][..],
        &["run", "two-writers", "--seed", "-1"],
        &["run", "two-writers", "--seed", "18446744073709551616"],
        &["run", "two-writers", "--world", "moon"],
        &["run", "two-writers", "--no-such-flag"],
        &["no-such-verb"],
        &["verify"],
        &["explain", "E9999"],
        &[],
    ] {
        let said = say(place.path(), words);
        assert_eq!(said.code(), 2, "{words:?}: {said:?}");
        assert!(!said.stderr.is_empty(), "{words:?}: refused without a word");
    }
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "something is left behind");
}

/// A reader that goes away is no reason to panic.
#[test]
fn a_closed_stdout_is_no_panic() {
    let place = tempfile::tempdir().unwrap();
    let program = baton(place.path(), ["scenarios"]);
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "\"$0\" scenarios | true; \"$0\" scenarios > /dev/full; \"$0\" completions bash | head -n 1 > /dev/null",
    ]);
    command.arg(program.get_program()).current_dir(place.path());
    let said = finish(&mut command);
    assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
}

/// A program that reads what is wrong with a file need not know which verb it has asked.
#[test]
fn run_plan_and_check_tell_the_mistakes_of_a_file_with_the_same_keys() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let many: String = (0..300).map(|nth| format!("key-{nth}: 1\n")).collect();
    for (name, text) in [("one", format!("{GOOD}lanes: 7\n")), ("many", format!("{GOOD}{many}"))] {
        let file = write_scenario(place, name, &text);
        let told = ["run", "plan", "check"].map(|verb| say(place, [verb, &file, "--json"]));
        for said in &told {
            assert_eq!(said.code(), 2, "{said:?}");
            assert_eq!(said.json(), told[2].json(), "the same object");
        }
        let object = told[0].json();
        assert_eq!((&object["format"], &object["exit_code"]), (&1.into(), &2.into()), "{object:#}");
    }
}
