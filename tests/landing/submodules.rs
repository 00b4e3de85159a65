//! Repositories of which only a part is here, or that have parts of others: submodules, and sparse checkouts.

use crate::repository::{git, git_command};
use crate::site::{Site, names, write};
use std::path::{Path, PathBuf};

/// A library beside the site, with a file `l.txt`; where it is, and its commit.
fn library(site: &Site) -> (PathBuf, String) {
    let place = site.path().join("../library");
    std::fs::create_dir(&place).unwrap();
    git(&place, &["init", "-q", "-b", "main"]);
    write(&place.join("l.txt"), "one\n");
    let place = std::fs::canonicalize(place).unwrap();
    (place.clone(), commit(&place))
}

fn commit(place: &Path) -> String {
    git(place, &["add", "-A"]);
    git(place, &["-c", "user.name=L", "-c", "user.email=l@example.invalid", "commit", "-q", "-m", "l"]);
    git(place, &["rev-parse", "HEAD"])
}

/// A site with that library as the submodule `deps/lib`.
fn with_submodule() -> (Site, PathBuf, String) {
    let site = Site::new();
    let (library, commit) = library(&site);
    let url = library.to_str().unwrap();
    site.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "--name", "lib", url, "deps/lib"]);
    site.git(&["commit", "-q", "-m", "library"]);
    (site, library, commit)
}

/// Everything below a folder: paths, sizes and contents.
fn all_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut waiting) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(place) = waiting.pop() {
        for entry in std::fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                waiting.push(path)
            } else {
                found.push((path.clone(), std::fs::read(&path).unwrap_or_default()))
            }
        }
    }
    found.sort();
    found
}

/// A branch whose submodule is at this commit, with a `.gitmodules` of its own if wanted.
fn branch_with_link(site: &Site, name: &str, link: &str, modules: Option<&str>) {
    let place = site.worktree(name);
    git(&place, &["update-index", "--add", "--cacheinfo", &format!("160000,{link},deps/lib")]);
    if let Some(text) = modules {
        write(&place.join(".gitmodules"), text);
        git(&place, &["add", ".gitmodules"]);
    }
    git(&place, &["commit", "-q", "-m", "link"]);
    site.git(&["worktree", "remove", "--force", place.to_str().unwrap()]);
}

#[test]
fn a_gate_sees_submodules_of_which_the_person_has_the_commit_and_theirs_stay_as_they_are() {
    let (site, library, _) = with_submodule();
    site.git(&["config", "submodule.recurse", "true"]);
    write(&library.join("l.txt"), "two\n");
    let newer = commit(&library);
    git(&site.path().join("deps/lib"), &["fetch", "-q", "origin"]);
    branch_with_link(&site, "newer", &newer, None);
    site.branches(1);
    let (modules, theirs) = (site.path().join(".git/modules"), site.path().join("deps/lib"));
    let before = (all_of(&modules), all_of(&theirs));
    let gate = "grep -q one deps/lib/l.txt && git -C deps/lib log -1 --format=%s | grep -qx l; echo mine >> deps/lib/l.txt; \
                touch deps/lib/left; git -C deps/lib log -1 --format=%s";
    let (outcome, code) = site.land(&["b1", "--gate", gate]);
    assert_eq!((code, &outcome["empty_submodules"]), (0, &serde_json::json!([])), "{outcome}");
    let (outcome, code) =
        site.land(&["newer", "--gate", "test \"$(cat deps/lib/l.txt)\" = two && test ! -e deps/lib/left"]);
    assert_eq!(code, 0, "{outcome}");
    assert!(all_of(&modules) == before.0 && all_of(&theirs) == before.1, "the person's own are as they were");
    // What is no submodule any more is no folder any more.
    let place = site.worktree("without");
    git(&place, &["rm", "-q", "-f", "deps/lib", ".gitmodules"]);
    write(&place.join("deps/other"), "x\n");
    git(&place, &["add", "-A"]);
    git(&place, &["commit", "-q", "-m", "without"]);
    let (outcome, code) = site.land(&["without", "--gate", "test ! -e deps/lib && test -e deps/other"]);
    assert_eq!(code, 0, "{outcome}");
}

#[test]
fn a_submodule_that_is_not_here_is_empty_and_named_and_its_verdict_is_not_remembered() {
    let (site, _, _) = with_submodule();
    let absent = "1234567890123456789012345678901234567890";
    branch_with_link(&site, "absent", absent, None);
    let said = site.say(&["land", "absent", "--dry-run", "--gate", "test -z \"$(ls -A deps/lib)\""]);
    assert_eq!(said.code(), 0, "{said:?}");
    assert!(said.stderr.contains("deps/lib") && said.stderr.contains("submodule update"), "{}", said.stderr);
    for _ in 0..2 {
        let (outcome, _) = site.land(&["absent", "--dry-run", "--gate", "true"]);
        assert_eq!(
            (&outcome["empty_submodules"], &outcome["gate_runs"]),
            (&serde_json::json!(["deps/lib"]), &1.into())
        );
    }
}

#[test]
fn nothing_that_a_branch_says_of_submodules_runs_a_command_or_leads_anywhere() {
    let (site, library, commit) = with_submodule();
    let pwned = site.path().join("../pwned");
    let outside = site.path().join("../outside");
    write(&outside.join("l.txt"), "mine\n");
    let evil = |name: &str, url: &str, more: &str| {
        format!("[submodule \"{name}\"]\n\tpath = deps/lib\n\turl = {url}\n\t{more}\n")
    };
    let ext = format!("ext::sh -c touch% {}", pwned.display());
    let update = format!("update = !touch {}", pwned.display());
    for (number, modules) in [
        evil("lib", &ext, ""),
        evil("lib", "--upload-pack=touch pwned", ""),
        evil("lib", library.to_str().unwrap(), &update),
        evil("../../../outside", "../outside", ""),
        evil("../modules/lib", "x", "path = ../../outside"),
        evil("lib\\0/../x", "x", "ignore = all"),
        evil("hooks", "x", "fetchRecurseSubmodules = on-demand"),
    ]
    .iter()
    .enumerate()
    {
        for (kind, link) in [("known", commit.as_str()), ("unknown", "1234567890123456789012345678901234567890")] {
            let name = format!("evil-{number}-{kind}");
            branch_with_link(&site, &name, link, Some(modules));
            let before = all_of(&site.path().join(".git/modules"));
            let (outcome, code) = site.land(&[&name, "--dry-run", "--gate", "ls -A deps/lib"]);
            assert_eq!(code, 0, "{modules}: {outcome}");
            assert!(!pwned.exists(), "{modules}");
            assert!(all_of(&site.path().join(".git/modules")) == before, "{modules}");
        }
    }
    assert_eq!(all_of(&outside).len(), 1, "nothing was written there");
}

#[test]
fn paths_of_submodules_that_are_no_paths_are_refused_or_lead_nowhere() {
    let (site, _, commit) = with_submodule();
    let outside = site.path().join("../outside");
    write(&outside.join("mine.txt"), "mine\n");
    let main = site.main();
    for (number, path) in ["..", "a/../../outside", ".git", "deps/.GIT", ".git/modules/lib", "x/./y"].iter().enumerate()
    {
        let parts: Vec<&str> = path.split('/').collect();
        let mut tree = make_tree(&site, &format!("160000 commit {commit}\t{}\n", parts[parts.len() - 1]));
        for part in parts[..parts.len() - 1].iter().rev() {
            tree = make_tree(&site, &format!("040000 tree {tree}\t{part}\n"));
        }
        let listed = site.git(&["ls-tree", "main"]);
        let top = site.git(&["ls-tree", &tree]);
        let tree = make_tree(
            &site,
            &format!(
                "{listed}\n{}\n",
                if parts.len() == 1 { top } else { format!("040000 tree {tree}\t{}", parts[0]) }
            ),
        );
        let tip = site.git(&["commit-tree", &tree, "-p", "main", "-m", "x"]);
        site.git(&["branch", &format!("evil-{number}"), &tip]);
        let said = site.say(&["land", &format!("evil-{number}"), "--json", "--dry-run", "--gate", "true"]);
        assert!(matches!(said.code(), 0..=2), "{path}: {said:?}");
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1, "{path}");
    }
    assert_eq!(site.main(), main);
    let (_, code) = site.land(&["--all", "--dry-run", "--no-gate"]);
    assert!(matches!(code, 0 | 1));
}

fn make_tree(site: &Site, entries: &str) -> String {
    use std::io::Write;
    let mut command = git_command(&site.path());
    command.args(["mktree", "--missing"]).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(entries.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
}

#[test]
fn a_gate_that_puts_a_link_in_the_place_of_a_submodules_folder_leads_nothing_elsewhere() {
    let (site, _, _) = with_submodule();
    site.branches(2);
    let outside = site.path().join("../outside");
    write(&outside.join("lib/l.txt"), "mine\n");
    write(&outside.join("lib/other.txt"), "mine\n");
    let gate = format!("rm -rf deps; ln -s {} deps", outside.display());
    let (_, code) = site.land(&["b1", "--gate", &gate]);
    assert_eq!(code, 0);
    let (outcome, code) = site.land(&["b2", "--gate", "test ! -L deps && grep -q one deps/lib/l.txt"]);
    assert_eq!(code, 0, "{outcome}");
    for file in ["lib/l.txt", "lib/other.txt"] {
        assert_eq!(std::fs::read_to_string(outside.join(file)).unwrap(), "mine\n");
    }
}

#[test]
fn a_gate_sees_the_cone_of_the_persons_own_checkout_and_its_verdict_counts_for_that_cone_alone() {
    let site = Site::new();
    site.write("other/o.txt", "o\n");
    site.git(&["add", "-A"]);
    site.git(&["commit", "-q", "-m", "other"]);
    site.branches(1);
    site.git(&["sparse-checkout", "set", "--cone", "src"]);
    let gate = "test -e src/f1.txt && test -e shared.txt && test ! -e other && git status --porcelain";
    let (outcome, code) = site.land(&["b1", "--gate", gate]);
    assert_eq!(code, 0, "{outcome}");
    assert!(!site.path().join("other").exists() && site.path().join("new1.txt").exists());
    assert!(site.has("other/o.txt"), "main has all of it");
    // Of the whole tree it has said nothing.
    site.git(&["sparse-checkout", "disable"]);
    site.branch("b2", &[("new2.txt", Some("x\n"))]);
    let (outcome, _) = site.land(&["b2", "--dry-run", "--gate", gate]);
    assert_eq!((outcome["ended"].as_str(), names(&outcome["landed"]).len()), (Some("main-red"), 0), "{outcome}");
}

#[test]
fn a_submodule_that_stays_behind_what_landed_is_named_with_the_cure() {
    let (site, library, _) = with_submodule();
    write(&library.join("l.txt"), "two\n");
    let newer = commit(&library);
    git(&site.path().join("deps/lib"), &["fetch", "-q", "origin"]);
    branch_with_link(&site, "newer", &newer, None);
    site.branches(1);
    let (outcome, _) = site.land(&["b1", "--gate", "true"]);
    assert_eq!(outcome["followed"]["stale_submodules"], serde_json::json!([]), "{outcome}");
    let before = site.git(&["-C", "deps/lib", "rev-parse", "HEAD"]);
    let (outcome, code) = site.land(&["newer", "--gate", "true"]);
    assert_eq!(code, 0, "{outcome}");
    let top = std::fs::canonicalize(site.path()).unwrap();
    let stale = serde_json::json!([{ "checkout": top, "path": "deps/lib", "cure": "git submodule update deps/lib" }]);
    assert_eq!(outcome["followed"]["stale_submodules"], stale, "{outcome}");
    assert_eq!(site.git(&["-C", "deps/lib", "rev-parse", "HEAD"]), before, "it is the person's");
    site.git(&["submodule", "update", "deps/lib"]);
    assert_eq!(site.git(&["status", "--porcelain"]), "");
    // In words.
    let (site, library, _) = with_submodule();
    write(&library.join("l.txt"), "two\n");
    let newer = commit(&library);
    git(&site.path().join("deps/lib"), &["fetch", "-q", "origin"]);
    branch_with_link(&site, "newer", &newer, None);
    let said = site.say(&["land", "newer", "--gate", "true"]);
    assert!(
        said.stdout.contains("submodule deps/lib") && said.stdout.contains("git submodule update deps/lib"),
        "{said:?}"
    );
}
