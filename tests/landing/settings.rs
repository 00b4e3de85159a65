//! The file that names the gates: what `init` writes and commits, and that what cannot be one is told clearly.

use crate::repository::git;
use crate::site::{Site, write};
use serde_json::Value;

fn object(site: &Site, words: &[&str]) -> (Value, i32) {
    let said = site.say(words);
    (said.json(), said.code())
}

#[test]
fn init_and_then_init_with_commit_end_in_a_committed_file_and_a_clean_checkout() {
    let site = Site::new();
    let (_, code) = object(&site, &["init", "--json", "--gate", "true"]);
    assert_eq!(code, 0);
    let written = std::fs::read_to_string(site.path().join("baton.yaml")).unwrap();
    let (outcome, code) = object(&site, &["init", "--commit", "--json", "--gate", "true"]);
    assert_eq!(code, 0, "{outcome}");
    assert_eq!(site.git(&["show", "main:baton.yaml"]), written.trim_end());
    assert_eq!(site.git(&["status", "--porcelain"]), "", "the file that lay there is the committed one");
    site.must_be_sound();
}

#[test]
fn init_with_commit_does_not_write_over_a_file_that_says_something_else_and_runs_no_gate_first() {
    let site = Site::new();
    let mine = "baton: 1\ngates: [ \"make check\" ]\n";
    site.write("baton.yaml", mine);
    let (main, ran) = (site.main(), site.path().join("../ran"));
    let gate = format!("touch {}", ran.display());
    let (outcome, code) = object(&site, &["init", "--commit", "--json", "--gate", &gate]);
    assert_eq!((code, site.main()), (2, main), "{outcome}");
    let error = outcome["error"].as_str().unwrap();
    assert!(error.contains("baton.yaml") && error.contains("git add baton.yaml"), "{error}");
    assert_eq!(std::fs::read_to_string(site.path().join("baton.yaml")).unwrap(), mine);
    assert!(!ran.exists());
}

#[test]
fn what_has_the_name_of_the_file_and_cannot_be_it_is_told_with_its_place_and_a_cure() {
    let link = |site: &Site| {
        site.write("elsewhere.yaml", "baton: 1\ngates: [ \"true\" ]\n");
        std::os::unix::fs::symlink("elsewhere.yaml", site.path().join("baton.yaml")).unwrap();
    };
    let folder = |site: &Site| site.write("baton.yaml/gates.yaml", "gates: [ \"true\" ]\n");
    let huge = |site: &Site| site.write("baton.yaml", &"#".repeat(2 << 20));
    for (make, words) in [
        (&link as &dyn Fn(&Site), ["symbolic link", "elsewhere.yaml"]),
        (&folder, ["a folder", "commit a file"]),
        (&huge, ["2097152 bytes", "1048576"]),
    ] {
        let site = Site::new();
        make(&site);
        site.git(&["add", "-A"]);
        site.git(&["commit", "-q", "-m", "gates"]);
        site.branches(1);
        for verb in [&["land", "b1"][..], &["init", "--gate", "true"], &["rollback", "b1"]] {
            let (outcome, code) = object(&site, &[verb, &["--json"]].concat());
            let error = outcome["error"].as_str().unwrap();
            assert_eq!(code, 2, "{error}");
            assert!(error.starts_with("main:baton.yaml ") && error.contains("\nhelp: "), "{error}");
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        }
    }
}

#[test]
fn every_mistake_in_the_file_is_located_and_has_its_cure_also_in_json() {
    for (text, code, at, help) in [
        (&b""[..], "E0002", (1, 1), "`gates`"),
        (b"# nothing\n", "E0002", (1, 1), "`gates`"),
        (b"baton: 1\ngates: [ \"tr\xfce\" ]\n", "E0003", (2, 13), "UTF-8"),
        (b"baton: 1\ngates: true\n", "E0104", (2, 8), "a list"),
        (b"baton: 1\ngates: [ { run: 5 } ]\n", "E0104", (2, 17), "a command"),
        (b"baton: 1\ngates: [ true, ~ ]\n", "E0104", (2, 16), "a command"),
        (b"baton: 1\ngates: [ \"true\" ]\ngate: x\n", "E0103", (3, 1), "gates"),
        (b"baton: 1\ngates: [ { run: x, retries: 1 } ]\n", "E0103", (2, 20), "retry"),
    ] {
        let site = Site::new();
        std::fs::write(site.path().join("baton.yaml"), text).unwrap();
        site.git(&["add", "-A"]);
        site.git(&["commit", "-q", "-m", "gates"]);
        site.branches(1);
        let said = site.say(&["land", "b1", "--json"]);
        assert_eq!(said.code(), 2);
        let fault = &said.json()["faults"][0];
        assert_eq!((&fault["code"], &fault["file"]), (&code.into(), &"main:baton.yaml".into()), "{fault}");
        assert_eq!((&fault["line"], &fault["column"]), (&at.0.into(), &at.1.into()), "{fault}");
        assert!(fault["help"].as_str().unwrap().contains(help), "{fault}");
        assert!(!said.stderr.contains("workspace"), "no help of other files: {}", said.stderr);
    }
}

#[test]
fn neither_the_working_tree_nor_the_branch_has_a_say_in_what_the_gates_are() {
    let site = Site::new();
    site.write("baton.yaml", "baton: 1\ngates: [ \"test ! -e bad.txt\" ]\n");
    site.git(&["add", "-A"]);
    site.git(&["commit", "-q", "-m", "gates"]);
    let own = site.worktree("evil");
    write(&own.join("bad.txt"), "x\n");
    git(&own, &["add", "-A"]);
    git(&own, &["commit", "-q", "-m", "bad"]);
    write(&own.join("baton.yaml"), "baton: 1\ngates: [ \"true\" ]\n");
    let said = site.say(&["land", "evil", "--json", "--repo", own.to_str().unwrap()]);
    let outcome = said.json();
    assert_eq!((said.code(), &outcome["refused"][0]["reason"]), (1, &"gate".into()), "{outcome}");
    assert_eq!(outcome["gates"][0], "test ! -e bad.txt");
}

/// Unmounts, however the test ends.
struct Mounted(std::path::PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = std::process::Command::new("umount").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "{} stays mounted", self.0.display());
    }
}

#[test]
fn a_full_disk_ends_with_its_exit_code_and_leaves_nothing_half_written() {
    let place = tempfile::tempdir().unwrap();
    let disk = place.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let on_disk = |program: &str, words: &[&str]| {
        std::process::Command::new(program).args(words).arg(&disk).output().is_ok_and(|said| said.status.success())
    };
    if !on_disk("mount", &["-t", "tmpfs", "-o", "size=1200k", "tmpfs"]) {
        eprintln!("SKIPPED: this user may not mount a small disk");
        return;
    }
    let _mounted = Mounted(disk.clone());
    let repo = disk.join("repo");
    std::fs::create_dir(&repo).unwrap();
    git(&repo, &["init", "-q", "-b", "main"]);
    for (key, value) in [("user.name", "Ana"), ("user.email", "ana@example.invalid")] {
        git(&repo, &["config", key, value]);
    }
    write(&repo.join("a"), "a\n");
    git(&repo, &["add", "-A"]);
    git(&repo, &["commit", "-q", "-m", "a"]);
    git(&repo, &["checkout", "-q", "-b", "big"]);
    let noise: String = (0_u64..12_000).map(|n| format!("{:x}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    write(&repo.join("big"), &noise);
    git(&repo, &["add", "-A"]);
    git(&repo, &["commit", "-q", "-m", "big"]);
    git(&repo, &["checkout", "-q", "main"]);
    let fill = disk.join("fill");
    let mut file = std::fs::File::create(&fill).unwrap();
    while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
    drop(file);
    let say = |words: &[&str]| crate::program::finish(crate::program::baton(&repo, words).env("HOME", place.path()));
    let said = say(&["land", "big", "--json", "--gate", "true"]);
    let init = say(&["init", "--json", "--gate", "true"]);
    std::fs::remove_file(&fill).unwrap();
    let again = say(&["land", "big", "--json", "--gate", "true"]);
    let (status, sound) = (git(&repo, &["status", "--porcelain"]), git(&repo, &["fsck", "--strict", "--no-dangling"]));
    for said in [said, init] {
        assert_eq!((said.code(), &said.json()["exit_code"]), (5, &5.into()), "{said:?}");
        assert!(said.stderr.contains("disk") || said.stderr.contains("space"), "{said:?}");
    }
    assert_eq!(again.code(), 0, "{again:?}");
    assert_eq!((status.as_str(), sound.as_str()), ("", ""));
}

#[test]
fn a_repository_that_git_refuses_is_not_called_none_and_a_remote_that_is_none_is_named() {
    let site = Site::new();
    site.branches(1);
    let said = site.say(&["land", "b1", "--json", "--gate", "true", "--remote", "orign"]);
    let error = said.json()["error"].as_str().unwrap().to_owned();
    assert_eq!(said.code(), 2);
    assert!(error.contains("no remote \"orign\"") && error.contains("git remote add"), "{error}");
    let config = site.path().join(".git/config");
    std::fs::write(&config, "[core\n").unwrap();
    for verb in [&["land", "b1", "--gate", "true"][..], &["conflicts"], &["queue"]] {
        let said = site.say(&[verb, &["--json"]].concat());
        let error = said.json()["error"].as_str().unwrap().to_owned();
        assert_eq!(said.code(), 2, "{error}");
        assert!(
            error.contains("bad config") && error.contains("git says itself") && !error.contains("fsck"),
            "{error}"
        );
    }
}

#[test]
fn what_is_refused_is_told_with_the_cure_that_helps() {
    let site = Site::new();
    site.branches(1);
    let error = |words: &[&str]| {
        let said = site.say(&[words, &["--json"]].concat());
        assert_eq!(said.code(), 2, "{said:?}");
        said.json()["error"].as_str().unwrap().to_owned()
    };
    let said = error(&["land", "--gate", "true"]);
    assert!(said.contains("--all"), "{said}");
    site.write(".git/refs/heads/main.lock", "");
    let said = error(&["land", "b1", "--gate", "true"]);
    assert!(said.contains("refs/heads/main.lock") && said.contains("no other git") && !said.contains("fsck"), "{said}");
    std::fs::remove_file(site.path().join(".git/refs/heads/main.lock")).unwrap();
    let signer = site.path().join("../signer");
    write(
        &signer,
        "#!/bin/sh\necho '[GNUPG:] A' >&2; echo '[GNUPG:] B' >&2; echo 'gpg: signing failed: No secret key' >&2; exit 2\n",
    );
    std::fs::set_permissions(&signer, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    site.git(&["config", "gpg.program", signer.canonicalize().unwrap().to_str().unwrap()]);
    site.git(&["config", "commit.gpgsign", "true"]);
    let said = error(&["land", "b1", "--gate", "true"]);
    assert!(said.contains("No secret key") && said.contains("commit.gpgsign") && !said.contains("fsck"), "{said}");
    site.git(&["config", "commit.gpgsign", "false"]);
    for (gate, words) in [("no-such-program-here", "a command was not found"), ("kill -9 $$", "killed by signal 9")] {
        let said = site.say(&["land", "b1", "--gate", gate]);
        assert!(said.code() == 1 && said.stdout.contains(words), "{said:?}");
    }
    site.land(&["b1", "--gate", "true"]);
    let inverse = site.say(&["rollback", "b1", "--json", "--gate", "true"]).json()["main_after"].clone();
    let said = site.say(&["land", "b1", "--gate", "true"]);
    let cure = format!("`baton rollback {}`", inverse.as_str().unwrap());
    assert!(said.code() == 1 && said.stdout.contains(&cure), "{said:?}");
}
