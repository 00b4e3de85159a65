//! What a person meets in the first minutes: a machine without git, a full disk behind a pipe, a slip of the finger.

use crate::program::{LIMIT, Living, Said, baton, finish, say};
use crate::run_folder::run;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

#[track_caller]
fn refused(said: &Said, what: &str) -> String {
    assert_eq!(said.code(), 2, "{what}: {said:?}");
    let told = said.json();
    assert_eq!(told["exit_code"], 2, "{what}: {told}");
    told["error"].as_str().unwrap_or_else(|| panic!("{what}: {told}")).to_owned()
}

fn entries(place: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut entries: Vec<String> = entries.collect();
    entries.sort();
    entries
}

/// A line of shell in which `$0` is the binary.
fn shell(place: &Path, line: &str) -> Said {
    let program = baton(place, [""; 0]);
    finish(Command::new("sh").args(["-c", line]).arg(program.get_program()).current_dir(place))
}

#[test]
fn without_a_git_that_will_do_nothing_is_begun() {
    let place = tempfile::tempdir().unwrap();
    let programs = tempfile::tempdir().unwrap();
    for (name, script) in [
        ("none", None),
        ("old", Some("echo git version 2.39.5")),
        ("other", Some("echo 'usage: git'")),
        ("failing", Some("exit 1")),
    ] {
        let path = programs.path().join(name);
        std::fs::create_dir(&path).unwrap();
        if let Some(script) = script {
            std::fs::write(path.join("git"), format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(path.join("git"), PermissionsExt::from_mode(0o755)).unwrap();
        }
        for words in [&["demo", "--json"][..], &["run", "two-writers", "--json"], &["verify", "runs/demo-1", "--json"]]
        {
            let said = finish(baton(place.path(), words).env("PATH", &path));
            let why = refused(&said, name);
            assert!(why.contains("install git 2.40 or newer"), "{name}: {why}");
        }
    }
    assert_eq!(entries(place.path()), [""; 0], "something was made");
    let said = finish(baton(place.path(), ["explain", "E0112"]).env("PATH", "/nonexistent"));
    assert_eq!(said.code(), 0, "git is wanted where nobody needs it: {said:?}");
}

#[test]
fn an_answer_that_cannot_be_written_is_no_success() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    for words in [
        "run two-writers --out run",
        "run two-writers --json --out object",
        "demo --json --out demo",
        "verify run",
        "verify run --json",
        "scenarios",
        "scenarios --json",
        "explain E0112",
        "explain",
        "completions bash",
        "--help",
        "--version",
        "help run",
    ] {
        let said = shell(place, &format!("\"$0\" {words} > /dev/full"));
        assert_eq!(said.code(), 5, "{words}: {said:?}");
        assert!(said.stderr.contains("cannot be written to stdout: No space left"), "{words}: {said:?}");
        let run = words.starts_with("run") || words.starts_with("demo");
        assert_eq!(said.stderr.contains("run.json"), run, "where the verdict is: {said:?}");
    }
    let said = shell(place, "\"$0\" verify --json missing > /dev/full");
    assert_eq!(said.code(), 7, "a worse reason has to stay: {said:?}");
    let said = shell(place, "\"$0\" scenarios --no-such-flag --json > /dev/full");
    assert_eq!(said.code(), 2, "a worse reason has to stay: {said:?}");
}

#[test]
fn nobody_needs_to_listen() {
    let place = tempfile::tempdir().unwrap();
    for (line, code) in [
        ("\"$0\" run two-writers --out a 2>/dev/full", 0),
        ("\"$0\" demo --out b 2>&-", 0),
        ("\"$0\" run typo 2>/dev/full", 2),
        ("\"$0\" run typo 2>&-", 2),
        ("\"$0\" run two-writers --sed 2>/dev/full", 2),
        ("\"$0\" scenarios >/dev/full 2>/dev/full", 5),
        ("\"$0\" scenarios >&- 2>&-", 0),
        ("\"$0\" verify missing 2>/dev/full", 7),
    ] {
        assert_eq!(shell(place.path(), line).code(), code, "{line}");
    }
}

#[test]
fn wrong_words_with_json_are_one_object() {
    let place = tempfile::tempdir().unwrap();
    for (words, says) in [
        (&["--json"][..], "--json"),
        (&["run", "--json"], "<FILE>"),
        (&["run", "two-writers", "--sed", "7", "--json"], "--seed"),
        (&["--json", "run", "two-writers"], "--json"),
        (&["run", "two-writers", "--json", "--seed", "-1"], "whole number"),
        (&["run", "two-writers", "--json", "--world", "moon"], "sim, live"),
        (&["runn", "--json"], "'run'"),
        (&["demo", "--json", "surplus"], "surplus"),
        (&["verify", "--json"], "<RUN>"),
        (&["completions", "--json"], "--json"),
        (&["explain", "E9999", "--json"], "E9999"),
    ] {
        let said = say(place.path(), words);
        let why = refused(&said, &format!("{words:?}"));
        assert!(why.contains(says) && !why.contains('\n'), "{words:?}: {why}");
        assert!(said.stderr.contains("error: "), "{words:?}: {said:?}");
    }
    assert_eq!(entries(place.path()), [""; 0], "something is left behind");
    let said = say(place.path(), ["run", "--help", "--json"]);
    assert_eq!(said.code(), 0, "help is no wrong use");
}

#[test]
fn a_misspelt_scenario_leads_to_the_one_that_was_meant() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    std::fs::write(place.join("mine.yaml"), "").unwrap();
    std::fs::create_dir_all(place.join("below/journal")).unwrap();
    std::fs::write(place.join("below/nights.yml"), "").unwrap();
    for (written, meant) in [
        ("tow-writers", "`two-writers`"),
        ("Eight_Writers", "`eight-writers`"),
        ("two-writers.yaml", "`two-writers`"),
        ("mien.yaml", "`mine.yaml`"),
        ("mine", "`mine.yaml`"),
        ("below/night.yml", "`below/nights.yml`"),
        ("below", "`baton verify below`"),
    ] {
        let said = say(place, ["run", written, "--json"]);
        let why = refused(&said, written);
        assert!(why.contains(meant), "{written}: {why}");
        assert!(said.stderr.contains(meant), "{written}: {said:?}");
    }
    let why = refused(&say(place, ["run", "quite-another", "--json"]), "a stranger");
    assert!(!why.contains("did you mean") && why.contains("baton scenarios"), "{why}");
}

#[test]
fn codes_and_promises_are_explained_however_they_are_written() {
    let place = tempfile::tempdir().unwrap();
    let explained = |word: &str| {
        let said = say(place.path(), ["explain", word]);
        assert_eq!(said.code(), 0, "{word}: {said:?}");
        said.stdout
    };
    assert_eq!(explained("e0112"), explained("E0112"));
    let main = explained("MAIN-1");
    assert!(main.contains("only the merger moves main") && main.contains("`baton verify` checks"), "{main}");
    assert_eq!(explained("main-1"), main);
    assert!(explained("TIME-1").contains("not exercised"));
    let listed = say(place.path(), ["explain"]);
    assert_eq!(listed.code(), 0);
    for line in listed.stdout.lines() {
        let (word, sentence) = line.split_once(' ').unwrap();
        assert!(!sentence.trim().is_empty(), "{line}");
        explained(word);
    }
    assert!(listed.stdout.contains("E0128") && listed.stdout.contains("BACK-1"), "{listed:?}");
    let told = say(place.path(), ["explain", "who-1", "--json"]).json();
    assert_eq!(told["code"], "WHO-1");
    let said = say(place.path(), ["explain", "MIAN-2"]);
    assert!(said.code() == 2 && said.stderr.contains("`MAIN-2`"), "{said:?}");
}

#[test]
fn a_wrong_seed_is_told_what_a_seed_is() {
    let place = tempfile::tempdir().unwrap();
    for seed in ["-1", "1.5", "x", "18446744073709551616"] {
        let said = say(place.path(), ["run", "two-writers", "--seed", seed]);
        assert_eq!(said.code(), 2, "{seed}: {said:?}");
        assert!(said.stderr.contains("whole number from 0 to 18446744073709551615"), "{seed}: {said:?}");
        assert!(!said.stderr.contains("-- -1"), "{said:?}");
    }
}

#[test]
fn help_tells_the_exit_codes_of_the_readme() {
    let place = tempfile::tempdir().unwrap();
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let table = readme.split("| exit code | meaning |\n|---|---|\n").nth(1).unwrap();
    let rows: Vec<(&str, &str)> =
        table.lines().map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | ")).collect();
    assert!(rows.len() >= 7, "{rows:?}");
    for words in [&["--help"][..], &["run", "--help"], &["demo", "--help"], &["verify", "--help"]] {
        let said = say(place.path(), words);
        assert_eq!(said.code(), 0);
        for (code, meaning) in &rows {
            assert!(
                said.stdout.contains(&format!("  {code:3} {meaning}\n")),
                "{words:?} lacks {code} {meaning}: {}",
                said.stdout
            );
        }
    }
}

#[test]
fn nothing_is_announced_that_is_then_refused() {
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join("full")).unwrap();
    std::fs::write(place.path().join("full/thesis.txt"), "years").unwrap();
    for out in ["full", "/proc/x", "full/thesis.txt/x"] {
        let said = say(place.path(), ["demo", "--out", out]);
        assert_eq!(said.code(), 2, "{said:?}");
        assert!(said.stderr.starts_with("error: ") && said.stderr.lines().count() == 1, "{out}: {said:?}");
        assert!(said.stderr.contains(out) && !said.stderr.contains(".making"), "{out}: {said:?}");
        assert!(said.stderr.contains("--out"), "{out}: no cure: {said:?}");
    }
}

#[test]
fn a_refused_run_leaves_no_folder_above_it() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    std::fs::create_dir(place.join("kept")).unwrap();
    for out in ["a/b/c", "kept/b/c"] {
        let why = refused(&run(place, "two-writers", out, &["--repo", "missing"]), out);
        assert!(why.contains("missing"), "{why}");
    }
    assert_eq!((entries(place), entries(&place.join("kept"))), (vec!["kept".to_owned()], Vec::new()));
}

#[test]
fn a_run_folder_can_have_any_name_that_a_folder_can_have() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    std::fs::create_dir(place.join("empty")).unwrap();
    symlink("empty", place.join("link")).unwrap();
    symlink("nowhere", place.join("dangling")).unwrap();
    let longest = "x".repeat(255);
    for out in ["ünï cødé 🦀", "it's", "-x", &longest, "link", "a/./b/../c/"] {
        let said = finish(&mut baton(place, ["run", "two-writers", "--json", &format!("--out={out}")]));
        assert_eq!(said.code(), 0, "{out}: {said:?}");
        let said = say(place, ["verify", "--json", "--", out]);
        assert_eq!((said.code(), &said.json()["run"]), (0, &out.into()), "{out}: {said:?}");
    }
    assert!(place.join("empty/run.json").exists(), "the link was replaced");
    assert!(!entries(place).iter().any(|entry| entry.ends_with(".making")), "{:?}", entries(place));
    let why = refused(&run(place, "two-writers", "dangling", &[]), "a link to nothing");
    assert!(why.starts_with("dangling: "), "{why}");
    refused(&run(place, "two-writers", &"x".repeat(256), &[]), "a name that is too long");
}

#[test]
fn who_names_a_part_of_a_run_or_the_folder_above_is_led_to_it() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    assert_eq!(run(place, "two-writers", "runs/mine", &[]).code(), 0);
    for near in ["runs", "runs/mine/journal", "runs/mine/repo.git", "runs/mine/run.json"] {
        let said = say(place, ["verify", near]);
        assert_eq!(said.code(), 7, "{near}: {said:?}");
        assert!(said.stderr.contains("did you mean `baton verify runs/mine`?"), "{near}: {said:?}");
    }
}

#[test]
fn runs_that_begin_at_once_take_a_folder_each() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    // What a killed run has left of its preparation is in nobody's way.
    std::fs::create_dir_all(place.join("runs/.two-writers-1.making/journal")).unwrap();
    let mut living: Vec<Living> =
        (0..6).map(|_| Living::start(&mut baton(place, ["run", "two-writers", "--json"]))).collect();
    let mut folders: Vec<String> = Vec::new();
    for living in living.drain(..) {
        let said = living.end(LIMIT);
        assert_eq!(said.code(), 0, "{said:?}");
        folders.push(said.json()["run"].as_str().unwrap().to_owned());
    }
    folders.sort();
    folders.dedup();
    assert_eq!(folders.len(), 6, "{folders:?}");
    assert_eq!(entries(&place.join("runs")).len(), 6, "{:?}", entries(&place.join("runs")));
    let same = ["run", "two-writers", "--json", "--out", "same"];
    let living: Vec<Living> = (0..4).map(|_| Living::start(&mut baton(place, same))).collect();
    let mut codes: Vec<i32> = living.into_iter().map(|living| living.end(LIMIT).code()).collect();
    codes.sort();
    assert_eq!(codes, [0, 2, 2, 2], "one folder is one run's");
}
