//! `--repo`: a run works on a copy of any repository, and refuses what is none. The repository itself stays as it was.

use crate::program::{Said, baton, finish};
use crate::repository::{git, git_command, repository};
use crate::run_folder::{RunFolder, write_scenario};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

const WORK: &str = r#"
baton: 1
name: work
seed: 6
workspace: { fixture: notes, files: 1 }
roles:
  implementer: { lanes: 4, model: fast }
models:
  fast: { driver: script, latency: { median: 5s, p99: 30s } }
tasks:
  - { each: 3, by: implementer, do: { append: token } }
  - { each: 1, by: implementer, do: { rename: token } }
  - { each: 1, by: implementer, do: { edit: replace-line } }
  - { count: 1, by: implementer, do: { delete: one } }
  - { count: 2, by: implementer, do: { create: token } }
  - { count: 2, by: implementer, do: { transaction: { files: 2, append: token } } }
"#;

fn run_on(place: &Path, source: &Path, out: &str) -> Said {
    let file = write_scenario(place, "work", WORK);
    finish(baton(place, ["run", &file, "--json", "--out", out, "--repo"]).arg(source))
}

/// All that a run could change in a repository: refs, index, files, and which objects there are.
fn state(source: &Path) -> String {
    let objects = git(source, &["cat-file", "--batch-check", "--batch-all-objects"]);
    let status = git_command(source).args(["status", "--porcelain=v2", "--ignored"]).output().unwrap();
    format!("{objects}\n{}\n{}", git(source, &["for-each-ref"]), String::from_utf8_lossy(&status.stdout))
}

/// Runs on a copy; gives the run's repository to look at.
#[track_caller]
fn check(place: &Path, source: &Path, out: &str, look: impl FnOnce(&Path)) {
    let before = state(source);
    let base = git(source, &["rev-parse", "HEAD"]);
    let said = run_on(place, source, out);
    assert!(matches!(said.code(), 0 | 1), "{out}: {said:?}");
    let told = said.json();
    assert_eq!(told["stopped"], "tasks-ended", "{out}: {told}");
    assert!(told["main"]["landed"].as_u64().unwrap() > 0, "{out}: {told}");
    assert_eq!(state(source), before, "{out}: the source was changed");
    let folder = RunFolder(&place.join(out));
    folder.must_be_sound(out);
    let main = folder.main();
    git(&folder.repository(), &["merge-base", "--is-ancestor", &base, &main]);
    look(&folder.repository());
}

#[test]
fn a_run_works_on_a_copy_of_its_own_project() {
    let place = tempfile::tempdir().unwrap();
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !project.join(".git").exists() {
        eprintln!("SKIPPED: this is no checkout");
        return;
    }
    // A clone, because somebody may be at work in the checkout itself.
    let clone = place.path().join("clone");
    let cloned = git_command(place.path()).args(["clone", "-q", "--no-hardlinks"]).arg(project).arg(&clone).status();
    assert!(cloned.unwrap().success());
    check(place.path(), &clone, "own", |_| {});
    check(place.path(), &clone.join(".git"), "git-folder", |_| {});
}

/// Every kind of entry that a tree can hold.
fn odd(source: &Path) {
    repository(
        source,
        &[
            ("notes/ünïcødé 漢字.md", "ü\n".as_bytes()),
            ("notes/with \"quotes\" and\ttab.md", b"q\n"),
            ("crlf.txt", b"one\r\ntwo\r\n"),
            ("no-newline.txt", b"end"),
            ("empty.txt", b""),
            ("binary.bin", &[0, 159, 146, 150, 0, 255, 10, 13, 0]),
            ("a/b/c/d/e/f/g/deep.txt", b"deep\n"),
            ("-dash.txt", b"dash\n"),
            ("tool.sh", b"#!/bin/sh\n"),
            ("large.txt", &b"a line of a large file\n".repeat(100_000)),
        ],
    );
    std::fs::set_permissions(source.join("tool.sh"), PermissionsExt::from_mode(0o755)).unwrap();
    symlink("../crlf.txt", source.join("notes/link")).unwrap();
    symlink("/nonexistent", source.join("dangling")).unwrap();
    let head = git(source, &["rev-parse", "HEAD"]);
    git(source, &["update-index", "--add", "--cacheinfo", &format!("160000,{head},module")]);
    git(source, &["add", "tool.sh", "notes/link", "dangling"]);
    git(source, &["commit", "-q", "-m", "odd entries"]);
}

#[test]
fn a_copy_keeps_every_kind_of_entry() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let source = place.join("odd source");
    odd(&source);
    check(place, &source, "odd", |repository| {
        let modes = git(repository, &["ls-tree", "-r", "main"]);
        for mode in ["100644", "100755", "120000", "160000"] {
            assert!(modes.lines().any(|line| line.starts_with(mode)), "no entry of mode {mode} is left: {modes}");
        }
    });
    git(place, &["clone", "-q", "--bare", "odd source", "bare.git"]);
    check(place, &place.join("bare.git"), "bare", |_| {});
    let worktree = place.join("worktree");
    git(&source, &["worktree", "add", "-q", "--detach", worktree.to_str().unwrap()]);
    check(place, &worktree, "worktree-out", |_| {});
}

#[test]
fn uncommitted_work_is_neither_copied_nor_touched() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let source = place.join("dirty");
    repository(&source, &[("notes/a.md", b"a\n"), ("notes/b.md", b"b\n"), ("notes/c.md", b"c\n")]);
    std::fs::write(source.join("notes/a.md"), "half a thought").unwrap();
    std::fs::write(source.join("notes/new.md"), "untracked").unwrap();
    std::fs::write(source.join("notes/staged.md"), "staged").unwrap();
    git(&source, &["add", "notes/staged.md"]);
    check(place, &source, "out", |repository| {
        let paths = git(repository, &["ls-tree", "-r", "--name-only", "main"]);
        assert!(!paths.contains("new.md") && !paths.contains("staged.md"), "{paths}");
    });
    assert_eq!(std::fs::read_to_string(source.join("notes/a.md")).unwrap(), "half a thought");
}

#[test]
fn a_history_of_merges_and_another_object_format_are_copied() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let source = place.join("merged");
    repository(&source, &[("a.txt", b"a\n"), ("b.txt", b"b\n")]);
    git(&source, &["checkout", "-q", "-b", "side"]);
    git(&source, &["commit", "-q", "--allow-empty", "-m", "side"]);
    git(&source, &["checkout", "-q", "trunk"]);
    git(&source, &["commit", "-q", "--allow-empty", "-m", "trunk"]);
    git(&source, &["merge", "-q", "--no-ff", "-m", "merged", "side"]);
    git(&source, &["pack-refs", "--all"]);
    git(&source, &["gc", "-q"]);
    check(place, &source, "merged-out", |_| {});
    let long = place.join("sha256");
    std::fs::create_dir(&long).unwrap();
    git(&long, &["init", "-q", "--object-format=sha256"]);
    std::fs::write(long.join("a.txt"), "a\n").unwrap();
    std::fs::write(long.join("b.txt"), "b\n").unwrap();
    git(&long, &["add", "-A"]);
    git(&long, &["commit", "-q", "-m", "first"]);
    check(place, &long, "sha256-out", |_| {});
}

/// There is nothing to append to: new files land, every other task is given up.
#[test]
fn an_empty_tree_is_no_reason_to_hang() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let source = place.join("bald");
    repository(&source, &[]);
    check(place, &source, "out", |_| {});
}

#[test]
fn what_is_no_whole_repository_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    std::fs::create_dir(place.join("folder")).unwrap();
    std::fs::write(place.join("file"), "x").unwrap();
    std::fs::create_dir(place.join("unborn")).unwrap();
    git(&place.join("unborn"), &["init", "-q"]);
    repository(&place.join("whole"), &[("a.txt", b"a\n")]);
    git(&place.join("whole"), &["commit", "-q", "--allow-empty", "-m", "second"]);
    let url = format!("file://{}", place.join("whole").display());
    git(place, &["clone", "-q", "--depth=1", &url, "shallow"]);
    std::fs::create_dir(place.join("whole/below")).unwrap();
    for (source, word) in [
        ("nothing", "nothing at"),
        ("file", "not a repository"),
        ("folder", "not a git repository"),
        ("whole/below", "not a git repository"),
        ("unborn", "no commit"),
        ("shallow", "shallow"),
    ] {
        let said = run_on(place, &place.join(source), "out");
        assert_eq!(said.code(), 2, "{source}: {said:?}");
        assert!(said.stderr.contains(word), "{source}: {}", said.stderr);
        assert!(!place.join("out").exists() && !place.join(".out.making").exists(), "{source}: something is left");
    }
}

#[test]
fn a_scenario_names_its_repository_and_base() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let source = place.join("source");
    repository(&source, &[("a.txt", b"a\n"), ("b.txt", b"b\n")]);
    git(&source, &["tag", "-a", "-m", "v1", "v1"]);
    let base = git(&source, &["rev-parse", "HEAD"]);
    git(&source, &["commit", "-q", "--allow-empty", "-m", "later"]);
    let text = WORK.replace("{ fixture: notes, files: 1 }", "{ repo: source, base: v1 }");
    let file = write_scenario(place, "named", &text);
    let said = crate::run_folder::run(place, &file, "out", &[]);
    assert!(matches!(said.code(), 0 | 1), "{said:?}");
    let folder = RunFolder(&place.join("out"));
    assert_eq!(folder.records()[0]["data"]["base"], base.as_str());
    let file = write_scenario(place, "nowhere", &text.replace("base: v1", "base: v9"));
    let said = crate::run_folder::run(place, &file, "never", &[]);
    assert_eq!(said.code(), 2, "{said:?}");
    assert!(said.stderr.contains("v9"), "{said:?}");
}
