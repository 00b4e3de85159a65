//! What stands where a skill file should be may be anything: it is located, explained, and refused before anything moves.

use super::skill;
use crate::program::say;
use crate::run_folder::{run, write_scenario};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// Makes what stands at `role/SKILL.md`, or instead of it.
type Made = fn(&Path);

fn replaced(place: &Path, from: &str, to: &str) {
    skill(place, "role", &[]);
    let path = place.join("role/SKILL.md");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// What is there, the code in the scenario, the code in the skill file if it can be read, and words that must be said.
const CASES: [(&str, Made, &str, Option<&str>, &str); 23] = [
    ("an unknown entry", |p| replaced(p, "baton-stop", "baton-stopp"), "E0162", Some("E0310"), "baton-stop"),
    ("an unknown top key", |p| replaced(p, "description:", "tools: x\ndescription:"), "E0162", Some("E0309"), "tools"),
    (
        "flow style",
        |p| replaced(p, "description: Tries what it may not.", "description: [a]"),
        "E0162",
        Some("E0308"),
        "brackets",
    ),
    ("another name", |p| replaced(p, "name: role", "name: other"), "E0162", Some("E0313"), "folder"),
    ("an absolute pattern", |p| replaced(p, "notes/**, src/notes", "/etc/**"), "E0162", Some("E0317"), "absolute"),
    ("a pattern that climbs", |p| replaced(p, "notes/**, src/notes", "../**"), "E0162", Some("E0317"), "`..`"),
    ("a pattern into .git", |p| replaced(p, "notes/**, src/notes", ".git/**"), "E0162", Some("E0317"), ".git"),
    ("a rule that climbs", |p| replaced(p, "Write(notes/keep/**)", "Write(../**)"), "E0162", Some("E0317"), "`..`"),
    ("a rule of no tool", |p| replaced(p, "Push,", "Shove,"), "E0162", Some("E0316"), "tool"),
    ("an anchor", |p| replaced(p, "name: role", "name: &a role"), "E0162", Some("E0307"), "anchor"),
    ("a key twice", |p| replaced(p, "name: role", "name: role\nname: role"), "E0162", Some("E0306"), "twice"),
    ("no front matter", |p| replaced(p, "---\n", "--\n"), "E0162", Some("E0303"), "front matter"),
    (
        "not utf-8",
        |p| {
            skill(p, "role", &[]);
            std::fs::write(p.join("role/SKILL.md"), b"---\nname: \xff\xfe\n---\n").unwrap();
        },
        "E0162",
        Some("E0302"),
        "UTF-8",
    ),
    (
        "ten megabytes",
        |p| {
            skill(p, "role", &[]);
            let path = p.join("role/SKILL.md");
            let text = std::fs::read_to_string(&path).unwrap() + &"word ".repeat(2 << 20);
            std::fs::write(path, text).unwrap();
        },
        "E0162",
        Some("E0301"),
        "too large",
    ),
    (
        "a pipe",
        |p| {
            std::fs::create_dir(p.join("role")).unwrap();
            fifo(&p.join("role/SKILL.md"));
        },
        "E0161",
        None,
        "a pipe",
    ),
    (
        "a device",
        |p| {
            std::fs::create_dir(p.join("role")).unwrap();
            symlink("/dev/zero", p.join("role/SKILL.md")).unwrap();
        },
        "E0161",
        None,
        "a device",
    ),
    ("a folder", |p| std::fs::create_dir_all(p.join("role/SKILL.md")).unwrap(), "E0161", None, "a folder"),
    ("an empty folder", |p| std::fs::create_dir(p.join("role")).unwrap(), "E0161", None, "not there"),
    (
        "a link in a circle",
        |p| {
            std::fs::create_dir(p.join("role")).unwrap();
            symlink("SKILL.md", p.join("role/SKILL.md")).unwrap();
        },
        "E0161",
        None,
        "circle",
    ),
    ("a folder in a circle", |p| symlink("role", p.join("role")).unwrap(), "E0161", None, "circle"),
    ("a link to nowhere", |p| symlink("nowhere", p.join("role")).unwrap(), "E0161", None, "nowhere"),
    ("a file for a folder", |p| std::fs::write(p.join("role"), "x").unwrap(), "E0161", None, "no folder"),
    ("a pipe for a folder", |p| fifo(&p.join("role")), "E0161", None, "no folder"),
];

fn scenario(place: &Path, path: &str) -> String {
    let text = format!(
        "baton: 1\nname: bad\nworkspace: {{ fixture: notes }}\nroles:\n  role: {{ lanes: 2, model: m, skill: {path} }}\n\
         models: {{ m: {{ latency: {{ median: 1s, p99: 2s }} }} }}\ntasks: [ {{ count: 1, by: role, do: {{ append: token }} \
         }} ]\n"
    );
    write_scenario(place, "bad", &text)
}

#[test]
fn a_bad_skill_is_located_and_explained_and_nothing_moves() {
    for (what, make, code, own, words) in CASES {
        let place = tempfile::tempdir().unwrap();
        let place = place.path();
        make(place);
        let file = scenario(place, "role");
        let checked = say(place, ["check", &file, "--json"]);
        let said = run(place, &file, "out", &[]);
        assert_eq!((checked.code(), said.code()), (2, 2), "{what}: {said:?}");
        assert!(!place.join("out").exists(), "{what}: something is begun");
        let told = checked.json();
        let errors = told["errors"].as_array().unwrap();
        let of = |code: &str| errors.iter().find(|error| error["code"] == code);
        let located = of(code).unwrap_or_else(|| panic!("{what}: {told:#}"));
        assert_eq!((&located["file"], &located["line"]), (&"bad.yaml".into(), &5.into()), "{what}: {located}");
        if let Some(own) = own {
            let own = of(own).unwrap_or_else(|| panic!("{what}: {told:#}"));
            assert_eq!(own["file"], "role/SKILL.md", "{what}");
            assert!(own["help"].is_string(), "{what}: {own}");
        }
        assert!(checked.stdout.contains(words) && said.stderr.contains(words), "{what}: {} {}", told, said.stderr);
        for error in errors {
            let explained = say(place, ["explain", error["code"].as_str().unwrap()]);
            assert_eq!(explained.code(), 0, "{what}: {error}");
        }
        // The folder alone is told the same of.
        let alone = say(place, ["check", "role", "--json"]);
        assert_eq!(alone.code(), 2, "{what}: {alone:?}");
    }
}

#[test]
fn a_skill_that_is_nowhere_is_told_what_was_meant() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    skill(place, "mine", &[]);
    for (path, meant) in [
        ("policies/implementr", "did you mean `policies/implementer`?"),
        ("mien", "did you mean `mine`?"),
        ("mine/SKILL.md", "name its folder: `mine`"),
        ("some/where/SKILL.md", "name the folder of the file: `some/where`"),
        ("quite-another-thing", "a shipped role"),
    ] {
        let file = scenario(place, path);
        let said = say(place, ["check", &file]);
        assert_eq!(said.code(), 2, "{path}: {said:?}");
        assert!(said.stderr.contains(meant), "{path}: {}", said.stderr);
        assert!(said.stderr.contains("bad.yaml:5:"), "{path}: {}", said.stderr);
    }
}

#[test]
fn two_files_of_one_name_and_a_role_called_merger_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    std::fs::create_dir(place.join("other")).unwrap();
    skill(place, "mine", &[]);
    skill(&place.join("other"), "mine", &[("baton-stop", "never")]);
    let text = "baton: 1\nname: two\nworkspace: { fixture: notes }\nroles:\n  a: { lanes: 1, model: m, skill: mine }\n  b: { \
                lanes: 1, model: m, skill: other/mine }\n  merger: { lanes: 1, model: m }\nmodels: { m: { latency: { median: \
                1s, p99: 2s } } }\ntasks: [ { count: 1, by: a, do: { append: token } } ]\n";
    let file = write_scenario(place, "two", text);
    let told = say(place, ["check", &file, "--json"]).json();
    let found: Vec<(&str, u64)> = told["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["code"].as_str().unwrap(), e["line"].as_u64().unwrap()))
        .collect();
    assert!(found.contains(&("E0163", 6)) && found.contains(&("E0164", 7)), "{told:#}");
}

#[test]
fn a_file_that_may_not_be_read_is_said_to_be_that() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    skill(place, "role", &[]);
    let path = place.join("role/SKILL.md");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).unwrap();
    if std::fs::read(&path).is_ok() {
        eprintln!("skipped: whoever runs this may read everything");
        return;
    }
    let said = say(place, ["check", &scenario(place, "role")]);
    assert!(said.code() == 2 && said.stderr.contains("may not be read"), "{said:?}");
}
