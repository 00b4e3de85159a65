//! A person's repository with branches to land, and what is true of it afterwards.

use crate::program::{Said, baton, finish};
use crate::repository::git;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository in a folder of its own, with `main` checked out.
pub(crate) struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    /// With thirty small files, and one of twenty lines that branches may fight about.
    pub(crate) fn new() -> Site {
        Site::with(&["init", "-q", "-b", "main"])
    }

    pub(crate) fn with(init: &[&str]) -> Site {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("repo")).unwrap();
        let site = Site { folder };
        site.git(init);
        site.git(&["config", "user.name", "Ana"]);
        site.git(&["config", "user.email", "ana@example.invalid"]);
        std::fs::create_dir(site.path().join("src")).unwrap();
        for number in 0..30 {
            site.write(&format!("src/f{number}.txt"), &format!("file {number}\n"));
        }
        let lines: String = (1..=20).map(|line| format!("{line}\n")).collect();
        site.write("shared.txt", &lines);
        site.git(&["add", "-A"]);
        site.git(&["commit", "-q", "-m", "base"]);
        site
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    pub(crate) fn git(&self, words: &[&str]) -> String {
        git(&self.path(), words)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        write(&self.path().join(path), text);
    }

    /// A branch from main with these files, `(path, text)`; `None` removes one.
    pub(crate) fn branch(&self, name: &str, files: &[(&str, Option<&str>)]) {
        let place = self.folder.path().join("making");
        self.git(&["worktree", "add", "-q", "-b", name, place.to_str().unwrap(), "main"]);
        for (path, text) in files {
            match text {
                Some(text) => write(&place.join(path), text),
                None => std::fs::remove_file(place.join(path)).unwrap(),
            }
        }
        git(&place, &["add", "-A"]);
        git(&place, &["commit", "-q", "-m", &format!("work of {name}")]);
        self.git(&["worktree", "remove", "--force", place.to_str().unwrap()]);
    }

    /// Branches `b1`, `b2`, …, each with one file of its own.
    pub(crate) fn branches(&self, count: u32) {
        for number in 1..=count {
            self.branch(&format!("b{number}"), &[(&format!("new{number}.txt"), Some("new\n"))]);
        }
    }

    /// A branch in a worktree of its own; the worktree.
    pub(crate) fn worktree(&self, name: &str) -> PathBuf {
        let place = self.folder.path().join(name);
        self.git(&["worktree", "add", "-q", "-b", name, place.to_str().unwrap(), "main"]);
        place
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = baton(&self.path(), words);
        command.env("HOME", self.folder.path().join("home"));
        command
    }

    pub(crate) fn say(&self, words: &[&str]) -> Said {
        finish(&mut self.command(words))
    }

    /// `land --json` with these words: the object and the exit code.
    #[track_caller]
    pub(crate) fn land(&self, words: &[&str]) -> (Value, i32) {
        let said = self.say(&[&["land", "--json"], words].concat());
        (said.json(), said.code())
    }

    pub(crate) fn main(&self) -> String {
        self.git(&["rev-parse", "main"])
    }

    /// Files of main.
    pub(crate) fn files(&self) -> Vec<String> {
        self.git(&["ls-tree", "-r", "--name-only", "main"]).lines().map(str::to_owned).collect()
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.files().iter().any(|file| file == path)
    }

    /// Nothing is damaged, and the checkout of main is clean and at main.
    #[track_caller]
    pub(crate) fn must_be_sound(&self) {
        self.git(&["fsck", "--strict", "--no-dangling"]);
        assert_eq!(self.git(&["status", "--porcelain", "--untracked-files=no"]), "", "the checkout follows main");
        assert!(!self.path().join(".git/index.lock").exists(), "no lock stays");
        assert!(!self.path().join(".git/baton/scratch").exists(), "nothing that lies aside stays");
    }

    /// All facts of the log of one kind.
    pub(crate) fn facts(&self, kind: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path().join(".git/baton/log.jsonl")).unwrap_or_default();
        let entries = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        entries.filter(|entry| entry["fact"]["kind"] == kind).map(|entry| entry["fact"]["data"].clone()).collect()
    }
}

pub(crate) fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// The names in a list of an outcome.
pub(crate) fn names(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|entry| entry["ref"].as_str().unwrap().to_owned()).collect()
}
