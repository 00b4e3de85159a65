//! TIME-1: the same scenario, seed and version give the same journal, byte by byte, and the same main, wherever and by
//! whomever they are run.

use crate::program::{baton, finish};
use crate::repository::{git, repository};
use crate::run_folder::{RunFolder, run};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// What a run must leave behind again: its journal and its main.
#[derive(PartialEq)]
struct Left {
    journal: Vec<u8>,
    main: String,
}

fn left(folder: &Path) -> Left {
    let folder = RunFolder(folder);
    Left { journal: folder.journal(), main: folder.main() }
}

/// Where two journals part, told by their first different line.
fn parting(one: &Left, other: &Left) -> String {
    let (one_lines, other_lines) =
        (one.journal.split(|byte| *byte == b'\n'), other.journal.split(|byte| *byte == b'\n'));
    let parted = one_lines.zip(other_lines).enumerate().find(|(_, (a, b))| a != b);
    match parted {
        Some((line, (a, b))) => {
            format!("line {}: {}\n  and: {}", line + 1, String::from_utf8_lossy(a), String::from_utf8_lossy(b))
        }
        None => {
            format!("main {} and {}; {} and {} bytes", one.main, other.main, one.journal.len(), other.journal.len())
        }
    }
}

#[track_caller]
fn must_be_again(first: &Left, command: &mut Command, out: &Path, what: &str) {
    let said = finish(command);
    assert_eq!(said.code(), 0, "{what}: {said:?}");
    let second = left(out);
    assert!(*first == second, "{what}: not the same run again; {}", parting(first, &second));
}

/// A surrounding that must not matter: a name, and what it does to the command line.
type Surrounding = (&'static str, fn(&Path, &mut Command));

const HOSTILE_GIT: &str = "[commit]\n\tgpgsign = true\n[gpg]\n\tprogram = /bin/false\n[core]\n\tautocrlf = true\n\tcompression = 0\n\
     \thooksPath = /nonexistent\n\tbigFileThreshold = 1\n\tprecomposeUnicode = true\n[user]\n\tname = Mallory\n\
     \temail = mallory@example.invalid\n[merge]\n\tconflictStyle = zdiff3\n\trenames = false\n[init]\n\tdefaultBranch = wrong\n\
     \tdefaultObjectFormat = sha256\n[diff]\n\talgorithm = patience\n[i18n]\n\tcommitEncoding = ISO-8859-1\n";

const SURROUNDINGS: [Surrounding; 5] = [
    ("another folder, home, time zone and language", |place, command| {
        let (home, work) = (place.join("another home"), place.join("wörk"));
        std::fs::create_dir_all(&home).unwrap();
        std::fs::create_dir_all(&work).unwrap();
        command.current_dir(work).env("HOME", home).env("TZ", "Pacific/Kiritimati");
        command.env("LANG", "de_DE.UTF-8").env("LC_ALL", "tr_TR.UTF-8").env("USER", "somebody").env("LANGUAGE", "de");
    }),
    ("a hostile git configuration", |place, command| {
        let file = place.join("hostile.gitconfig");
        std::fs::write(&file, HOSTILE_GIT).unwrap();
        std::fs::write(place.join(".gitconfig"), HOSTILE_GIT).unwrap();
        command.env("GIT_CONFIG_GLOBAL", &file).env("GIT_CONFIG_SYSTEM", &file).env("HOME", place);
    }),
    ("inside of another repository", |place, command| {
        let other = place.join("other");
        repository(&other, &[("file", b"content\n")]);
        git(&other, &["config", "commit.gpgsign", "true"]);
        git(&other, &["config", "merge.renames", "false"]);
        command.current_dir(&other);
    }),
    ("variables of git that name another repository", |place, command| {
        let other = place.join("named");
        repository(&other, &[("file", b"content\n")]);
        command.env("GIT_DIR", other.join(".git")).env("GIT_WORK_TREE", &other).env("GIT_INDEX_FILE", other.join("x"));
        command.env("GIT_OBJECT_DIRECTORY", other.join(".git/objects")).env("GIT_NAMESPACE", "wrong");
        command
            .env("GIT_AUTHOR_NAME", "Mallory")
            .env("GIT_COMMITTER_DATE", "1 +0500")
            .env("GIT_DEFAULT_HASH", "sha256");
        command
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "merge.renames")
            .env("GIT_CONFIG_VALUE_0", "false");
    }),
    ("logging for developers", |_, command| {
        command.env("BATON_LOG", "debug").env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
    }),
];

#[track_caller]
fn check(scenario: &str, surroundings: &[Surrounding]) {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let said = run(place, scenario, "first", &[]);
    assert_eq!(said.code(), 0, "{scenario}: {said:?}");
    let first = left(&place.join("first"));
    for (at, (what, surround)) in surroundings.iter().enumerate() {
        let out = place.join(format!("again {at}"));
        let mut command = baton(place, ["run", scenario, "--json", "--out"]);
        command.arg(&out);
        surround(place, &mut command);
        must_be_again(&first, &mut command, &out, &format!("{scenario}, {what}"));
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_in_every_surrounding() {
    check("pause-past-lease", &SURROUNDINGS);
    check("two-writers", &SURROUNDINGS[1..2]);
}

#[test]
fn every_shipped_scenario_gives_the_same_bytes_again() {
    check("lease-holder-dies", &SURROUNDINGS[..1]);
    check("supervisor-restarts", &SURROUNDINGS[2..3]);
    check("plain-run", &SURROUNDINGS[1..2]);
}

#[test]
fn the_demo_is_the_same_run_again_and_so_is_its_control_run() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let said = run(place, "eight-writers", "first", &[]);
    assert_eq!(said.code(), 0, "{said:?}");
    let first = left(&place.join("first"));
    let control = left(&place.join("first.control"));
    let out = place.join("demo");
    let mut command = baton(place, ["demo", "--json", "--out", "demo"]);
    SURROUNDINGS[3].1(place, &mut command);
    must_be_again(&first, &mut command, &out, "the demo");
    let again = left(&place.join("demo.control"));
    assert!(control == again, "the control run: {}", parting(&control, &again));
}

/// The creation mask of the process changes rights of files, and nothing that is written.
#[test]
fn a_narrow_umask_changes_nothing_that_is_written() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let said = run(place, "two-writers", "first", &[]);
    assert_eq!(said.code(), 0, "{said:?}");
    let first = left(&place.join("first"));
    let inner = baton(place, ["run", "two-writers", "--json", "--out", "masked"]);
    let mut command = Command::new("sh");
    command.args(["-c", "umask 077; exec \"$0\" \"$@\""]).arg(inner.get_program()).args(inner.get_args());
    command.current_dir(place);
    must_be_again(&first, &mut command, &place.join("masked"), "umask 077");
}

/// A copied repository is history plus landings: neither may depend on the machine.
#[test]
fn a_run_on_a_copied_repository_is_the_same_run_again_under_a_hostile_git() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let source = place.join("source");
    repository(&source, &[("notes/a.md", b"a\r\nb\r\n"), ("notes/b.md", b"b\n"), ("notes/ü.md", "ü\n".as_bytes())]);
    let source = source.to_str().unwrap();
    let said = run(place, "two-writers", "first", &["--repo", source]);
    let text = std::fs::read_to_string(place.join("first/run.json")).unwrap_or_default();
    assert!(matches!(said.code(), 0 | 1), "{said:?} {text}");
    let first = left(&place.join("first"));
    let mut command = baton(place, ["run", "two-writers", "--json", "--repo", source, "--out", "again"]);
    SURROUNDINGS[1].1(place, &mut command);
    SURROUNDINGS[3].1(place, &mut command);
    let second = finish(&mut command);
    assert_eq!(second.code(), said.code(), "{second:?}");
    let again = left(&place.join("again"));
    assert!(first == again, "{}", parting(&first, &again));
}

#[test]
fn another_seed_is_another_run_after_its_first_record() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    for seed in ["1", "2"] {
        let said = run(place, "two-writers", seed, &["--seed", seed]);
        assert_eq!(said.code(), 0, "{said:?}");
    }
    let told = |out: &str| -> Vec<(Value, Value, Value)> {
        let records = RunFolder(&place.join(out)).records();
        let told =
            records.into_iter().map(|record| (record["t_us"].clone(), record["kind"].clone(), record["data"].clone()));
        told.collect()
    };
    let (one, two) = (told("1"), told("2"));
    assert_eq!(one[0].1, "RunStarted");
    assert_ne!(one[1..], two[1..], "the seed changes nothing but its own mention");
    assert_ne!(RunFolder(&place.join("1")).main(), RunFolder(&place.join("2")).main());
}
