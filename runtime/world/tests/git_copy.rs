//! A copy has one commit and its history, of whatever repository git can read, and nothing else.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "git/support.rs"]
mod support;

use baton_world::git::{Durability, GitError, GitErrorKind, Repository};
use std::fs;
use std::path::{Path, PathBuf};
use support::{check_sound, git, git_says, meta, packs, put};
use tempfile::TempDir;

/// A repository with a checkout and two commits.
fn source(arguments: &[&str]) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("source");
    fs::create_dir(&path).unwrap();
    git_says(&[&["init", "-q"], arguments].concat(), &path);
    for number in 1..=2 {
        fs::write(path.join("file"), format!("{number}\n")).unwrap();
        git_says(&["add", "."], &path);
        git_says(&["commit", "-qm", &format!("number {number}")], &path);
    }
    (directory, path)
}

fn copy(source: &Path, base: Option<&str>, to: &Path) -> Result<Repository, GitError> {
    let repository = Repository::copy_of(source, base, to, Durability::Buffered)?;
    check_sound(to, false);
    Ok(repository)
}

#[test]
fn every_kind_of_repository_is_copied_at_its_commit() {
    let (directory, path) = source(&[]);
    let (head, former) = (git_says(&["rev-parse", "HEAD"], &path), git_says(&["rev-parse", "HEAD~1"], &path));
    git_says(&["tag", "-a", "-m", "t", "v1", "HEAD~1"], &path);
    git_says(&["branch", "other/ü", "HEAD~1"], &path);
    git_says(&["clone", "-q", "--bare", ".", "../bare.git"], &path);
    git_says(&["clone", "-q", "--shared", ".", "../borrowing"], &path);
    git_says(&["worktree", "add", "-q", "--detach", "../linked", "HEAD~1"], &path);
    git_says(&["pack-refs", "--all"], &directory.path().join("bare.git"));
    fs::write(path.join("file"), "dirty\n").unwrap();
    fs::write(path.join("new"), "staged\n").unwrap();
    git_says(&["add", "new"], &path);
    let before = git_says(&["status", "--porcelain"], &path);
    for (at, (place, base, commit)) in [
        ("source", None, &head),
        ("source/.git", None, &head),
        ("source", Some("v1"), &former),
        ("source", Some("other/ü"), &former),
        ("source", Some("HEAD~1"), &former),
        ("source", Some(&former[..10]), &former),
        ("bare.git", None, &head),
        ("bare.git", Some("main"), &head),
        ("borrowing", None, &head),
        ("linked", None, &former),
    ]
    .into_iter()
    .enumerate()
    {
        let to = directory.path().join(format!("copy-{at}.git"));
        let repository = copy(&directory.path().join(place), base, &to).unwrap();
        assert_eq!(repository.main().unwrap().unwrap().to_hex(), *commit, "{place} {base:?}");
        assert_eq!(git_says(&["for-each-ref", "--format=%(refname)"], &to), "refs/heads/main");
        assert!(!to.join("objects/info/alternates").exists());
        assert_eq!(git_says(&["rev-list", "--count", "--all"], &to), if *commit == head { "2" } else { "1" });
    }
    assert_eq!(git_says(&["status", "--porcelain"], &path), before);
}

#[test]
fn a_copy_lives_on_by_itself() {
    for format in ["sha1", "sha256"] {
        let (directory, path) = source(&["--object-format", format]);
        let to = directory.path().join("copy.git");
        let repository = Repository::copy_of(&path, None, &to, Durability::Durable).unwrap();
        assert_eq!(repository.format().name(), format);
        fs::remove_dir_all(&path).unwrap();
        let mut main = repository.main().unwrap().unwrap();
        for number in 1..40 {
            let proposal = repository.propose(main, &[put("file", &format!("{number}"))], &meta(number)).unwrap();
            repository.store(&proposal.objects).unwrap();
            repository.move_main(main, proposal.commit, None).unwrap().unwrap();
            main = proposal.commit;
        }
        repository.sync().unwrap();
        assert_eq!(packs(&to), 2, "the pack that was copied is not touched");
        check_sound(&to, false);
    }
}

#[test]
fn what_cannot_be_copied_is_refused_with_a_reason_and_leaves_nothing() {
    let (directory, path) = source(&[]);
    let place = |name: &str| directory.path().join(name);
    fs::write(place("plain-file"), "").unwrap();
    fs::create_dir_all(path.join("below")).unwrap();
    for name in ["directory", "empty"] {
        fs::create_dir(place(name)).unwrap();
    }
    git_says(&["init", "-q"], &place("empty"));
    let url = format!("file://{}", path.display());
    git_says(&["clone", "-q", "--depth=1", &url, "shallow"], directory.path());
    git_says(&["config", "uploadpack.allowFilter", "true"], &path);
    git_says(&["clone", "-q", "--filter=blob:none", &url, "partial"], directory.path());
    git_says(&["tag", "blob", "HEAD:file"], &path);
    use GitErrorKind::{Incomplete, NoCommits, NotACommit, NotARepository, UnknownBase};
    for (name, base, kind, words) in [
        ("none", None, NotARepository, "there is nothing at"),
        ("plain-file", None, NotARepository, "is a file"),
        ("directory", None, NotARepository, "is not a git repository"),
        ("source/below", None, NotARepository, "is not a git repository"),
        ("empty", None, NoCommits, "has no commit"),
        ("source", Some("nobody"), UnknownBase, "\"nobody\""),
        ("source", Some("--all"), UnknownBase, "\"--all\""),
        ("source", Some(""), UnknownBase, "\"\""),
        ("source", Some("blob"), NotACommit, "something other than a commit"),
        ("source", Some("HEAD:file"), NotACommit, "something other than a commit"),
        ("shallow", None, Incomplete, "shallow"),
        ("partial", None, Incomplete, "partial"),
    ] {
        let error = copy(&place(name), base, &place("copy.git")).unwrap_err();
        let text = error.to_string();
        assert!(error.kind() == kind && text.contains(words) && text.contains("; "), "{name} {base:?}: {text}");
        assert!(!text.contains('\n') && !place("copy.git").exists(), "{name} {base:?}: {text}");
    }
    let error = copy(&path, None, &place("directory")).err().map(|error| error.kind());
    assert_eq!(error, None, "an empty directory is as good as none");
    assert_eq!(copy(&path, None, &place("shallow")).unwrap_err().kind(), GitErrorKind::Exists);
}

#[test]
fn a_source_that_lacks_an_object_is_not_copied_by_half() {
    let (directory, path) = source(&[]);
    let blob = git_says(&["rev-parse", "HEAD~1:file"], &path);
    fs::remove_file(path.join(".git/objects").join(&blob[..2]).join(&blob[2..])).unwrap();
    let to = directory.path().join("copy.git");
    let error = copy(&path, None, &to).unwrap_err();
    assert!(error.kind() == GitErrorKind::GitFailed && error.to_string().contains(&blob), "{error}");
    assert!(!to.exists() && !git(&["fsck"], &path, b"").status.success());
}
