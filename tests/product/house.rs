//! The rules of the house, read from the sources: which crate may know which, what must be absent where, and that the
//! documents tell of files and commands that are there.

use crate::program::{finish, say};
use crate::repository::git_command;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Our crates from the first to the last: the folder, the name, and which of ours it may depend on.
const CRATES: [(&str, &str, &[&str]); 10] = [
    ("runtime/record", "baton-record", &[]),
    ("policies", "baton-policies", &[]),
    ("runtime/packets", "baton-packets", &["baton-record"]),
    ("runtime/core", "baton-core", &["baton-record"]),
    ("runtime/world", "baton-world", &["baton-record"]),
    ("runtime/landing", "baton-landing", &["baton-record", "baton-core", "baton-world"]),
    ("runtime/check", "baton-check", &["baton-record"]),
    ("actors", "baton-actors", &["baton-record", "baton-policies", "baton-packets", "baton-core", "baton-world"]),
    (
        "scenarios",
        "baton-scenarios",
        &["baton-record", "baton-policies", "baton-packets", "baton-world", "baton-check", "baton-actors"],
    ),
    (
        "",
        "baton",
        &[
            "baton-record",
            "baton-policies",
            "baton-packets",
            "baton-core",
            "baton-world",
            "baton-landing",
            "baton-check",
            "baton-actors",
            "baton-scenarios",
        ],
    ),
];

/// Benches beside foreign peers: nobody's dependency, and built by nobody who does not ask for it.
const YARDSTICK: &str = "benches/yardstick";

/// What a manifest states under headings that end so, in every form but the workspace's table of versions.
fn dependencies(manifest: &str, heading: fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut within = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            let (table, alone) = match section.split_once("dependencies.") {
                Some((before, name)) => (format!("{before}dependencies"), Some(name.to_owned())),
                None => (section.to_owned(), None),
            };
            let counts = table != "workspace.dependencies" && heading(&table);
            found.extend(alone.clone().filter(|_| counts));
            within = counts && alone.is_none();
        } else if within && !line.is_empty() && !line.starts_with('#') {
            let name = line.split(['.', '=', ' ']).next().unwrap();
            found.push(name.trim_matches('"').to_owned());
        }
    }
    found
}

/// Of every sort: of the product, of its tests and of its build.
fn any(table: &str) -> bool {
    table.ends_with("dependencies")
}

/// What the product is built from.
fn built(table: &str) -> bool {
    any(table) && !table.ends_with("dev-dependencies")
}

fn depends(folder: &str, on: &str, heading: fn(&str) -> bool) -> bool {
    dependencies(&text(Path::new(folder).join("Cargo.toml")), heading).iter().any(|found| found == on)
}

fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every source file below these folders, relative to the root.
fn sources(folders: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "no sources below {folders:?}");
    found.sort();
    found
}

/// What runs in the product: the part of a source before its tests, without comments.
fn product_lines(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = source.lines().enumerate().take_while(|(_, line)| line.trim() != "#[cfg(test)]");
    lines.map(|(at, line)| (at + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Whether `word` is in the line, not as part of a longer word.
fn has(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(part);
        let after = line[at + word.len()..].chars().next().is_some_and(part);
        (!before || !word.starts_with(part)) && (!after || !word.ends_with(part))
    })
}

/// None of these words stands in what runs of these folders.
#[track_caller]
fn absent(rule: &str, folders: &[&str], words: &[&str]) {
    let mut found = Vec::new();
    for path in sources(folders) {
        let source = text(&path);
        let offences = product_lines(&source).filter(|(_, line)| words.iter().any(|word| has(line, word)));
        found.extend(offences.map(|(at, line)| format!("{}:{at}: {}", path.display(), line.trim())));
    }
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

const SOURCES: [&str; 10] = [
    "runtime/record/src",
    "policies/src",
    "runtime/packets/src",
    "runtime/core/src",
    "runtime/world/src",
    "runtime/landing/src",
    "runtime/check/src",
    "actors/src",
    "scenarios/src",
    "cli",
];

#[test]
fn edges_point_only_to_earlier_crates() {
    let members = text("Cargo.toml");
    let ours: BTreeSet<&str> = CRATES.iter().map(|(_, name, _)| *name).collect();
    for (folder, name, allowed) in CRATES {
        let manifest = text(Path::new(folder).join("Cargo.toml"));
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{folder} is not {name}");
        assert!(folder.is_empty() || members.contains(&format!("\"{folder}\"")), "{folder} is no member");
        for dependency in dependencies(&manifest, any).iter().filter(|dependency| dependency.starts_with("baton")) {
            assert!(ours.contains(dependency.as_str()), "{name} -> {dependency}: a crate that this test does not know");
            assert!(allowed.contains(&dependency.as_str()), "{name} -> {dependency}: an edge that is not allowed");
        }
    }
    let listed = members.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    for member in listed.split(',').map(|member| member.trim().trim_matches('"')) {
        let known = member == YARDSTICK || CRATES.iter().any(|(folder, ..)| *folder == member);
        assert!(known, "{member}: a member that this test does not know");
    }
    let by_default = members.split("default-members = [").nth(1).and_then(|rest| rest.split(']').next());
    assert!(!listed.contains(YARDSTICK) || by_default.is_some_and(|members| !members.contains(YARDSTICK)));
}

#[test]
fn one_crate_alone_knows_each_foreign_thing() {
    for (foreign, owner) in [
        ("actix", "baton-actors"),
        ("actix-rt", "baton-actors"),
        ("governor", "baton-world"),
        ("dashmap", "baton-actors"),
    ] {
        for (folder, name, _) in CRATES {
            assert_eq!(depends(folder, foreign, built), name == owner, "{name} and {foreign}");
        }
    }
    // Each comes with what needs it, into one place.
    for absent in ["reqwest", "axum", "git2", "rusqlite", "ractor", "kameo"] {
        for (folder, name, _) in CRATES {
            assert!(!depends(folder, absent, any), "{name} depends on {absent}");
        }
    }
    let but_actors: Vec<&str> = SOURCES.into_iter().filter(|folder| *folder != "actors/src").collect();
    let others: Vec<&str> = SOURCES.into_iter().filter(|folder| *folder != "runtime/world/src").collect();
    absent("only the endpoint gate knows governor", &others, &["governor::"]);
    absent("actix stays inside of actors", &but_actors, &["actix", "actix_rt"]);
    let roster = root().join("actors/src/roster.rs");
    for file in sources(&["actors/src"]).into_iter().filter(|file| !file.ends_with("actors/src/roster.rs")) {
        assert!(!text(&file).contains("DashMap"), "{}: only the roster knows dashmap", file.display());
    }
    // By key only: nothing of it walks through the map, whose order is nobody's.
    let own = text(&roster);
    for walk in ["seats.iter", "by_name.iter", ".retain(", "for seat in", "seats.len()"] {
        assert!(!own.contains(walk), "the roster is looked up by key, and has {walk}");
    }
}

#[test]
fn only_the_world_touches_the_machine() {
    let machine = [
        "std::fs",
        "fs::File",
        "File::open",
        "std::process",
        "std::net",
        "std::os",
        "std::env",
        "Instant::now",
        "SystemTime",
        "thread::sleep",
        "tokio::fs",
        "tokio::net",
        "tokio::process",
        "tokio::time",
    ];
    absent("only the world touches the machine", &["runtime/record/src", "runtime/core/src", "actors/src"], &machine);
    let clocks = ["Instant::now", "SystemTime", "thread::sleep", "std::net", "tokio::net"];
    absent(
        "landing, scenarios and cli have no clock of their own",
        &["runtime/landing/src", "scenarios/src", "cli"],
        &clocks,
    );
    absent(
        "the format of scenario files knows no disk",
        &["scenarios/src/file"],
        &["std::fs", "std::env", "std::process"],
    );
    absent(
        "the core knows no async",
        &["runtime/core/src", "runtime/record/src"],
        &["async", "await", "tokio", "Mutex"],
    );
    absent("only the world starts git", &["actors/src", "scenarios/src", "runtime/landing/src"], &["Command::new("]);
    let starts = |path: &PathBuf| text(path).contains("Command::new(\"git\")");
    let starts: Vec<PathBuf> = sources(&["cli"]).into_iter().filter(starts).collect();
    assert_eq!(
        starts,
        [PathBuf::from("cli/git_program.rs")],
        "the binary asks git for its version, and for nothing else"
    );
}

#[test]
fn only_the_binary_prints() {
    let but_cli: Vec<&str> = SOURCES.into_iter().filter(|folder| *folder != "cli").collect();
    let prints = ["println!", "eprintln!", "print!", "eprint!", "dbg!", "stdout()", "stderr()"];
    absent("only the binary prints", &but_cli, &prints);
    // A macro that prints panics where nobody can be told anything.
    absent("the binary prints by `answer` alone", &["cli"], &["println!", "eprintln!", "print!", "eprint!"]);
    absent("only main ends the process", &SOURCES, &["process::exit", "process::abort"]);
}

#[test]
fn the_checker_shares_no_code_with_what_it_checks() {
    let words = [
        "baton_core",
        "baton_world",
        "baton_actors",
        "baton_scenarios",
        "segment::read_segment",
        "read_line",
        "write_line",
        "Chain",
    ];
    absent("the checker reads with code of its own", &["runtime/check/src"], &words);
    absent(
        "what is checked does not know the checker",
        &["runtime/core/src", "runtime/world/src", "actors/src"],
        &["baton_check"],
    );
}

#[test]
fn order_is_never_left_to_a_hash() {
    for path in sources(&SOURCES) {
        let source = text(&path);
        let uses = product_lines(&source).any(|(_, line)| has(line, "HashMap") || has(line, "HashSet"));
        let said = source.contains("clippy::disallowed_types") && source.contains("reason = ");
        assert!(!uses || said, "{}: a hash without an allow that says why", path.display());
    }
    absent("a select is biased or not there", &SOURCES, &["select_biased!", "SyncArbiter"]);
    for path in sources(&SOURCES) {
        let source = text(&path);
        let (selects, biased) = (source.matches("select! {").count(), source.matches("biased;").count());
        assert_eq!(selects, biased, "{}: a select that draws lots", path.display());
    }
}

#[test]
fn files_are_small_named_for_what_they_are_and_say_it() {
    let all = [&SOURCES[..], &["tests"]].concat();
    for path in sources(&all) {
        let source = text(&path);
        let name = path.file_stem().unwrap().to_str().unwrap();
        let shown = path.display();
        assert!(
            !["mod", "util", "utils", "helpers", "common", "misc", "manager", "data"].contains(&name),
            "{shown}: its name"
        );
        assert!(source.starts_with("//!"), "{shown} does not say what it is for");
        let lines = source.lines().count();
        assert!(lines <= 500, "{shown} has {lines} lines");
        for word in ["TODO:", "FIXME", "XXX", "HACK"] {
            let comment = |line: &str| line.trim_start().starts_with("//") && has(line, word);
            assert!(!source.lines().any(comment) || path.ends_with("house.rs"), "{shown} has a {word}");
        }
        assert!(!source.contains("#[ignore") || path.ends_with("house.rs"), "{shown} ignores a test");
    }
    absent("what is not there is not called", &SOURCES, &["todo!", "unimplemented!"]);
}

/// Roles are values that files give: no type, function or variant is named after one.
#[test]
fn roles_are_never_types() {
    let roles = ["implementer", "reviewer", "planner", "writer", "tester", "architect", "coordinator"];
    for path in sources(&SOURCES) {
        let source = text(&path);
        for (at, line) in product_lines(&source) {
            let declared = ["struct ", "enum ", "trait ", "type "].iter().filter_map(|word| line.split_once(word));
            for (_, rest) in declared {
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
                let named = roles.iter().any(|role| *role != "writer" && name.to_lowercase() == *role);
                assert!(!named, "{}:{at}: {line}", path.display());
            }
            for role in ["Implementer", "Reviewer", "Planner"] {
                assert!(!has(line, role), "{}:{at}: {line}", path.display());
            }
        }
    }
}

/// Links, and words in backticks that begin with one of our folders.
fn named_paths(document: &str) -> Vec<String> {
    let folders = ["runtime/", "actors/", "scenarios/", "cli/", "tests/", "benches/", "docs/", "policies/", ".ci/"];
    let ticked =
        document.split('`').skip(1).step_by(2).filter(|word| folders.iter().any(|folder| word.starts_with(folder)));
    let linked = document.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let linked = linked.filter(|link| !link.contains("://") && !link.starts_with('#'));
    let all = ticked.chain(linked).filter(|path| !path.contains(['*', ' ', '<', '{']));
    all.map(|path| path.split('#').next().unwrap().to_owned()).collect()
}

#[test]
fn the_map_is_short_and_every_place_on_it_is_there() {
    let map = text("ARCHITECTURE.md");
    assert!(map.lines().count() <= 250, "ARCHITECTURE.md has {} lines", map.lines().count());
    for document in ["ARCHITECTURE.md", "README.md"] {
        let paths = named_paths(&text(document));
        assert!(!paths.is_empty(), "{document} names no place");
        for path in paths {
            assert!(root().join(&path).exists(), "{document}: there is no {path}");
        }
    }
    for (folder, ..) in CRATES.iter().filter(|(folder, ..)| !folder.is_empty()) {
        let last = folder.rsplit('/').next().unwrap();
        assert!(map.contains(folder) || map.contains(&format!("`{last}")), "ARCHITECTURE.md does not tell of {folder}");
    }
}

/// Lines of the README's shell blocks, in their order.
fn commands(readme: &str) -> Vec<String> {
    let blocks = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).map(str::to_owned).filter(|line| !line.trim().is_empty()).collect()
}

/// Every command of the README, one after the other, in an empty folder beside the scenarios and roles.
#[test]
fn the_readme_can_be_followed() {
    let place = tempfile::tempdir().unwrap();
    for folder in ["scenarios", "policies"] {
        std::os::unix::fs::symlink(root().join(folder), place.path().join(folder)).unwrap();
    }
    let mut followed = 0;
    for line in commands(&text("README.md")) {
        let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
        let said = match words[..] {
            ["cargo", "run", "--release", "--", ref words @ ..] => say(place.path(), words),
            ["baton", ref words @ ..] => say(place.path(), words),
            ["git", ref words @ ..] => finish(git_command(place.path()).args(words)),
            ["bash", script, ref words @ ..] if script.starts_with("docs/") => {
                let mut command = Command::new("bash");
                command.arg(root().join(script)).args(words).current_dir(place.path());
                finish(command.env("BATON", env!("CARGO_BIN_EXE_baton")))
            }
            // Built and tested by whoever runs this.
            ["cargo", "test" | "build" | "install" | "bench", ..] => continue,
            [".ci/run", ..] | ["sh", ".ci/run"] => {
                assert!(root().join(".ci/run").exists(), "{line}");
                continue;
            }
            _ => panic!("README.md: `{line}` is a command that nobody has tried"),
        };
        assert_eq!(said.code(), 0, "README.md: `{line}`: {said:?}");
        followed += 1;
    }
    assert!(followed >= 3, "README.md has {followed} commands");
}
