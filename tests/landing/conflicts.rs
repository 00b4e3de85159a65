//! Who is in whose way is what `git merge-tree` says of each pair, uncommitted work included, and nothing is touched.

use crate::site::{Site, write};
use serde_json::Value;
use std::path::Path;

fn look(site: &Site, words: &[&str]) -> (Value, i32) {
    let said = site.say(&[&["conflicts", "--json"], words].concat());
    (said.json(), said.code())
}

fn pair<'v>(outcome: &'v Value, a: &str, b: &str) -> &'v Value {
    let is = |pair: &&Value| (pair["a"] == a && pair["b"] == b) || (pair["a"] == b && pair["b"] == a);
    outcome["pairs"].as_array().unwrap().iter().find(is).unwrap_or_else(|| panic!("no pair of {a} and {b}: {outcome}"))
}

fn twenty(line: usize, text: &str) -> String {
    (1..=20).map(|at| if at == line { format!("{text}\n") } else { format!("{at}\n") }).collect()
}

/// Branches that meet in every way that has a name.
fn crowd() -> Site {
    let site = Site::new();
    site.branch("five", &[("shared.txt", Some(&twenty(5, "five")))]);
    site.branch("cinq", &[("shared.txt", Some(&twenty(5, "cinq")))]);
    site.branch("ten", &[("shared.txt", Some(&twenty(15, "fifteen")))]);
    site.branch("gone", &[("shared.txt", None), ("src/f1.txt", None)]);
    site.branch("edit", &[("src/f1.txt", Some("edited\n")), ("added.txt", Some("one\n"))]);
    site.branch("added", &[("added.txt", Some("two\n"))]);
    site.branch("inside", &[("added.txt/file", Some("file\n"))]);
    site.branch("moved", &[("src/f2.txt", None), ("lib/f2.txt", Some("file 2\n"))]);
    site.branch("renamed", &[("src/f2.txt", None), ("bin/f2.txt", Some("file 2\n"))]);
    site
}

#[test]
fn every_pair_has_the_verdict_and_the_tree_of_git() {
    let site = crowd();
    let (outcome, code) = look(&site, &[]);
    assert_eq!(code, 1, "{outcome}");
    let pairs = outcome["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), 45, "main and nine branches");
    for pair in pairs {
        let (a, b) = (pair["a"].as_str().unwrap(), pair["b"].as_str().unwrap());
        let said = std::process::Command::new("git")
            .args(["merge-tree", "--write-tree", "--name-only", "--no-messages", a, b])
            .current_dir(site.path())
            .output()
            .unwrap();
        let text = String::from_utf8(said.stdout).unwrap();
        let clean = said.status.code() == Some(0);
        assert_eq!(pair["clean"], clean, "{pair}");
        let mut lines = text.lines();
        let tree = lines.next().unwrap();
        if clean {
            assert_eq!(pair["tree"], tree, "{pair}");
        } else {
            assert!(pair["tree"].is_null());
            let paths: Vec<&str> = pair["conflicts"]
                .as_array()
                .unwrap()
                .iter()
                .map(|conflict| conflict["path"].as_str().unwrap())
                .collect();
            assert!(
                !paths.is_empty() && lines.any(|path| paths.contains(&path.split('~').next().unwrap())),
                "{pair} {text}"
            );
        }
    }
    for (a, b, kind) in [
        ("five", "cinq", "content"),
        ("five", "gone", "modify/delete"),
        ("edit", "added", "add/add"),
        ("added", "inside", "file/directory"),
        ("moved", "renamed", "rename/rename"),
    ] {
        let conflicts = &pair(&outcome, a, b)["conflicts"];
        assert!(conflicts.as_array().unwrap().iter().any(|conflict| conflict["kind"] == kind), "{kind}: {conflicts}");
    }
    let hunk = &pair(&outcome, "cinq", "five")["conflicts"][0];
    assert_eq!((&hunk["path"], &hunk["hunks"][0]["line"]), (&"shared.txt".into(), &5.into()));
    assert!(outcome["in_process"].as_u64().unwrap() > 20, "{outcome}");
}

/// Every file below a folder with its content and its time of change. (Git refreshes the times of objects that it would
/// have to write and finds there.)
fn state(folder: &Path) -> Vec<(String, Vec<u8>, std::time::SystemTime)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.push((path.display().to_string(), Vec::new(), std::time::SystemTime::UNIX_EPOCH));
            found.extend(state(&path));
        } else {
            let object = path.components().any(|part| part.as_os_str() == "objects");
            let changed = path.symlink_metadata().unwrap().modified().unwrap();
            let changed = if object { std::time::SystemTime::UNIX_EPOCH } else { changed };
            found.push((path.display().to_string(), std::fs::read(&path).unwrap_or_default(), changed));
        }
    }
    found.sort();
    found
}

#[test]
fn uncommitted_work_counts_and_nothing_is_touched() {
    let site = Site::new();
    let [one, two] = ["one", "two"].map(|name| site.worktree(name));
    write(&one.join("shared.txt"), &twenty(7, "one"));
    write(&two.join("shared.txt"), &twenty(7, "two"));
    write(&two.join("new/file.txt"), "not even added\n");
    write(&two.join(".gitignore"), "*.log\n");
    write(&two.join("build.log"), "ignored\n");
    let roots = [site.path(), one.clone(), two.clone()];
    let before = roots.clone().map(|root| state(&root));
    let (outcome, code) = look(&site, &[]);
    assert_eq!(code, 1, "{outcome}");
    let found = pair(&outcome, "one", "two");
    assert_eq!((&found["clean"], &found["conflicts"][0]["hunks"][0]["line"]), (&false.into(), &7.into()));
    let party = outcome["parties"].as_array().unwrap().iter().find(|party| party["name"] == "two").unwrap();
    assert_eq!(party["uncommitted"], serde_json::json!(["shared.txt", ".gitignore", "new/file.txt"]));
    assert_eq!(pair(&outcome, "main", "two")["clean"], true);
    for (root, before) in roots.iter().zip(before) {
        let changed: Vec<_> =
            state(root).into_iter().filter(|file| !before.contains(file)).map(|file| file.0).collect();
        assert!(changed.is_empty(), "indexes, files and objects are as they were: {changed:?}");
    }
    let (outcome, code) = look(&site, &["--committed"]);
    assert_eq!((code, outcome["pairs"].as_array().unwrap().len()), (0, 0), "nothing is committed: {outcome}");
}

#[test]
fn a_worktree_inside_the_checkout_is_no_part_of_it() {
    let site = Site::new();
    let inner = site.path().join("trees/inner");
    site.git(&["worktree", "add", "-q", "-b", "inner", inner.to_str().unwrap(), "main"]);
    write(&inner.join("shared.txt"), &twenty(3, "inner"));
    site.write("shared.txt", &twenty(3, "outer"));
    let (outcome, code) = look(&site, &[]);
    assert_eq!(code, 1, "{outcome}");
    assert_eq!(pair(&outcome, "main", "inner")["conflicts"][0]["path"], "shared.txt");
    assert_eq!(outcome["pairs"].as_array().unwrap().len(), 1);
}

#[test]
fn a_checkout_in_the_middle_of_a_merge_is_told_and_left_out() {
    let site = crowd();
    let place = site.path().parent().unwrap().join("place");
    site.git(&["worktree", "add", "-q", place.to_str().unwrap(), "five"]);
    let merge = std::process::Command::new("git").args(["merge", "cinq"]).current_dir(&place).output().unwrap();
    assert!(!merge.status.success());
    let (outcome, _) = look(&site, &["five", "ten"]);
    assert_eq!(outcome["skipped"].as_array().unwrap().len(), 1, "{outcome}");
    assert_eq!(pair(&outcome, "five", "ten")["clean"], true, "its commits are compared all the same");
}

#[test]
fn names_choose_and_wrong_ones_are_refused() {
    let site = crowd();
    let (outcome, code) = look(&site, &["five", "ten"]);
    assert_eq!((code, outcome["pairs"].as_array().unwrap().len()), (0, 1), "{outcome}");
    let (outcome, code) = look(&site, &["five"]);
    assert_eq!((code, outcome["pairs"].as_array().unwrap().len()), (1, 9), "one against all others: {outcome}");
    assert_eq!(look(&site, &["fiev", "ten"]).1, 2);
    assert_eq!(look(&site, &["--repo", "/"]).1, 7);
    let said = site.say(&["conflicts"]);
    assert_eq!(said.code(), 1);
    let text = &said.stdout;
    assert!(text.contains("shared.txt (content, line 5)") && text.contains("45 pairs, "), "{text}");
}

/// Whatever decides lines where both sides touch a file decides here too, and no faster way is taken around it.
#[test]
fn merge_drivers_and_settings_of_the_person_decide() {
    let site = Site::new();
    site.write(".gitattributes", "shared.txt merge=union\nsrc/*.txt merge=ours-alone\n");
    site.git(&["add", "-A"]);
    site.git(&["commit", "-q", "-m", "attributes"]);
    site.git(&["config", "merge.ours-alone.driver", "true"]);
    site.branch("one", &[("shared.txt", Some(&twenty(5, "one"))), ("src/f1.txt", Some("one\n"))]);
    site.branch("two", &[("shared.txt", Some(&twenty(5, "two"))), ("src/f1.txt", Some("two\n"))]);
    let (outcome, code) = look(&site, &["one", "two"]);
    assert_eq!(code, 0, "{outcome}");
    let tree = outcome["pairs"][0]["tree"].as_str().unwrap();
    assert_eq!(tree, site.git(&["merge-tree", "--write-tree", "one", "two"]).lines().next().unwrap());
    // Whether a file follows a renamed directory is a setting.
    let rename: Vec<(String, Option<&str>)> = (0..30).map(|number| (format!("src/f{number}.txt"), None)).collect();
    let files: Vec<(String, String)> = (0..30).map(|n| (format!("lib/f{n}.txt"), format!("file {n}\n"))).collect();
    let mut all: Vec<(&str, Option<&str>)> = rename.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    all.extend(files.iter().map(|(path, text)| (path.as_str(), Some(text.as_str()))));
    site.branch("renames", &all);
    site.branch("adds", &[("src/new.txt", Some("new\n"))]);
    for setting in ["true", "false"] {
        site.git(&["config", "merge.directoryRenames", setting]);
        let (outcome, code) = look(&site, &["renames", "adds"]);
        assert_eq!(code, 0, "{outcome}");
        let tree = site.git(&["merge-tree", "--write-tree", "renames", "adds"]);
        assert_eq!(outcome["pairs"][0]["tree"].as_str().unwrap(), tree, "merge.directoryRenames={setting}");
    }
}

#[test]
fn generated_merges_have_the_verdict_and_tree_of_git() {
    let site = Site::new();
    let said = site.say(&["prove", "merge", "--generated", "600", "--seed", "7", "--json"]);
    let proof = said.json();
    assert_eq!(said.code(), 0, "{proof}");
    assert_eq!((&proof["cases"], &proof["differing"], &proof["held"]), (&600.into(), &0.into(), &true.into()));
    for class in ["walk", "same", "git", "conflict", "criss_cross", "unrelated", "bases"] {
        assert!(proof[class].as_u64().unwrap() > 0, "{class}: {proof}");
    }
}

#[test]
fn every_merge_of_a_repository_is_replayed() {
    let site = crowd();
    for branch in ["five", "moved", "added"] {
        site.git(&["merge", "-q", "--no-ff", "-m", "merge", branch]);
    }
    let said = site.say(&["prove", "merge", "--all", "--json"]);
    let proof = said.json();
    assert_eq!((said.code(), &proof["cases"], &proof["held"]), (0, &3.into(), &true.into()), "{proof}");
}

#[test]
fn branches_that_were_never_merged_with_each_other_and_changes_taken_back_are_those_of_git() {
    let site = Site::new();
    for place in 1..=4 {
        let name = format!("b{place}");
        site.branch(
            &name,
            &[("shared.txt", Some(&twenty(2 + place / 2 * 7, &name))), (&format!("new{place}"), Some("x\n"))],
        );
    }
    site.branch("b5", &[("new5", Some("x\n"))]);
    for place in 1..=5 {
        site.git(&["merge", "-q", "--no-ff", "-X", "ours", "-m", "merge", &format!("b{place}")]);
    }
    let said = site.say(&["prove", "merge", "--neighbours", "2", "--json"]);
    let proof = said.json();
    assert_eq!((said.code(), &proof["cases"], &proof["held"]), (0, &7.into(), &true.into()), "{proof}");
    assert!(proof["conflict"].as_u64() > Some(0) && proof["walk"].as_u64() > Some(0), "{proof}");
    let said = site.say(&["prove", "merge", "--rollbacks", "1", "--json"]);
    let proof = said.json();
    assert_eq!((said.code(), &proof["cases"], &proof["held"]), (0, &4.into(), &true.into()), "{proof}");
    for words in [&["--rollbacks", "1", "--all"][..], &["--neighbours", "1", "--generated", "3"], &[]] {
        assert_eq!(site.say(&[&["prove", "merge"], words].concat()).code(), 2, "{words:?}");
    }
}

#[test]
fn land_says_first_what_overlaps_and_how_many_runs_it_expects() {
    let site = Site::new();
    site.branches(3);
    site.branch("five", &[("shared.txt", Some(&twenty(5, "five")))]);
    site.branch("cinq", &[("shared.txt", Some(&twenty(5, "cinq")))]);
    let (outcome, _) = site.land(&["b1", "b2", "b3", "five", "cinq", "--gate", "true", "--dry-run"]);
    assert_eq!(outcome["overlaps"], serde_json::json!([{ "a": "five", "b": "cinq", "paths": ["shared.txt"] }]));
    assert_eq!(outcome["expected_gate_runs"], 1);
    let said = site.say(&["land", "b1", "b2", "b3", "five", "cinq", "--gate", "true", "--batch", "each"]);
    assert!(said.stderr.contains("five and cinq do not merge at shared.txt"), "{}", said.stderr);
    assert!(said.stderr.contains("expects 4 gate runs if none is red; one by one: 4"), "{}", said.stderr);
}
