//! What the tests of repositories share: a generator of file sets and edits, and git itself as the judge.

#![allow(dead_code, reason = "each test file uses a part of it")]

use baton_record::Oid;
use baton_world::git::{CommitMeta, Edit, FileMode, Repository};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Numbers from a seed, the same on every machine (splitmix64).
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ bits >> 31) % bound as u64) as usize
    }

    /// True once in `bound` times.
    pub(crate) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// A set of files: path → mode and content.
pub(crate) type Files = BTreeMap<String, (FileMode, Vec<u8>)>;

/// The edits that make `after` of `before`.
pub(crate) fn edits(before: &Files, after: &Files) -> Vec<Edit> {
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    let mut edits: Vec<Edit> = gone.map(|path| Edit::Remove { path: path.clone() }).collect();
    for (path, (mode, content)) in after {
        if before.get(path) != Some(&(*mode, content.clone())) {
            edits.push(put_as(path, *mode, content));
        }
    }
    edits
}

pub(crate) fn put(path: &str, content: &str) -> Edit {
    put_as(path, FileMode::Regular, content.as_bytes())
}

pub(crate) fn put_as(path: &str, mode: FileMode, content: &[u8]) -> Edit {
    Edit::Put { path: path.to_owned(), mode, content: content.to_owned() }
}

pub(crate) fn remove(path: &str) -> Edit {
    Edit::Remove { path: path.to_owned() }
}

pub(crate) fn meta(number: usize) -> CommitMeta {
    CommitMeta {
        author: "implementer.3".to_owned(),
        email: "implementer.3@baton.invalid".to_owned(),
        time_s: number as i64,
        subject: format!("change {number}"),
        trailers: vec![("Baton-Change".to_owned(), format!("C-{number}.1"))],
    }
}

/// Stores a commit with these edits beside main, so that it may be used as a base.
pub(crate) fn commit(repository: &Repository, base: Oid, edits: &[Edit], number: usize) -> Oid {
    let made = repository.propose(base, edits, &meta(number)).unwrap();
    repository.store(&made.objects).unwrap();
    made.commit
}

/// Git, as it comes, but without this host's settings.
pub(crate) fn git(arguments: &[&str], directory: &Path, input: &[u8]) -> Output {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]);
    command.args(["-c", "protocol.file.allow=always"]).args(arguments).current_dir(directory);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"] {
        command.env_remove(name);
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null").env("LC_ALL", "C");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    // A program may end without having read it all.
    let _ = writer.join().unwrap();
    output
}

/// What git printed; it must succeed.
pub(crate) fn git_says(arguments: &[&str], directory: &Path) -> String {
    let output = git(arguments, directory, b"");
    let failure = || format!("git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}", failure());
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Git finds nothing wrong, and no object that nothing leads to other than what `dangling` allows.
pub(crate) fn check_sound(repository: &Path, dangling: bool) {
    let output = git(&["fsck", "--full", "--strict"], repository, b"");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let faults: Vec<_> = said.lines().filter(|line| !(dangling && line.starts_with("dangling "))).collect();
    assert!(output.status.success() && faults.is_empty(), "{faults:?}");
}

/// Number of packs.
pub(crate) fn packs(repository: &Path) -> usize {
    let names = std::fs::read_dir(repository.join("objects/pack")).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".idx")).count()
}

/// Number of loose objects.
pub(crate) fn loose(repository: &Path) -> usize {
    let count = git_says(&["count-objects"], repository);
    count.split(' ').next().unwrap().parse().unwrap()
}
