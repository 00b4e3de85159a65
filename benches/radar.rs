//! How long a person waits for `baton conflicts`: fifty branches, each two merged.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;

use baton_landing::radar::sweep;
use baton_record::Oid;
use baton_world::Stopwatch;
use baton_world::gate::Stop;
use baton_world::git::{Asked, Joined, PersonRepository, Scratch};
use baton_world::seeds::{Draws, Seeds};
use measure::{Contestant, compete, heading, table};
use std::path::Path;
use std::process::{Command, Stdio};

const ABOUT: &str = "\
3,000 files in 100 directories, 50 branches from five places of main. Each edits four files and adds one; every fifth renames
a file, every tenth deletes one, every eighth adds a line at one place of the same file, and every fourth edits its own place
of another. The radar begins each turn with nothing in memory. The yardsticks: `git merge-tree --write-tree A B` for each pair,
and all pairs on the input of one `git merge-tree --stdin`. Before anything is measured all answers are compared with git's.
Target: at least 10 times as many pairs a second as `git merge-tree` for each.";

const BRANCHES: usize = 50;
const DIRECTORIES: u64 = 100;
const FILES: u64 = 30;

fn main() {
    heading("Radar: 50 branches, 1,225 pairs", "cargo bench --bench radar", ABOUT);
    let folder = tempfile::tempdir().expect("a folder for the repository");
    let place = folder.path().join("repository.git");
    let tips = build(&place);
    let pairs: Vec<Asked> =
        (0..BRANCHES).flat_map(|a| (a + 1..BRANCHES).map(move |b| (a, b))).map(|(a, b)| (tips[a], tips[b])).collect();
    let (by_git, conflicts) = same_as_git(&place, &pairs);
    println!("{} pairs, {conflicts} in conflict, {by_git} left to git, all answers those of git.\n", pairs.len());
    table("pairs a second");
    compete(
        "1,225 pairs",
        3,
        vec![
            Contestant::new("radar", || rate(pairs.len(), || drop(radar(&place, &pairs)))),
            Contestant::new("git merge-tree for each pair", || rate(pairs.len(), || each(&place, &pairs))),
            Contestant::new("one git merge-tree --stdin", || rate(pairs.len(), || at_once(&place, &pairs))),
        ],
    );
}

fn rate(pairs: usize, turn: impl FnOnce()) -> f64 {
    let watch = Stopwatch::start();
    turn();
    pairs as f64 / watch.seconds()
}

fn radar(place: &Path, pairs: &[Asked]) -> (Vec<Joined>, u64) {
    let repository = PersonRepository::find(place).expect("the repository is there");
    let aside = tempfile::tempdir().expect("a folder for objects");
    let scratch = Scratch::make(&repository, &aside.path().join("objects")).expect("a place for objects");
    let swept = sweep(&scratch, pairs, &Stop::default()).expect("all pairs can be merged");
    (swept.answers, swept.in_process)
}

/// Compares all answers with git's own; how many git was asked for, and how many conflict.
fn same_as_git(place: &Path, pairs: &[Asked]) -> (u64, usize) {
    let (answers, in_process) = radar(place, pairs);
    let repository = PersonRepository::find(place).expect("the repository is there");
    let aside = tempfile::tempdir().expect("a folder for objects");
    let scratch = Scratch::make(&repository, &aside.path().join("objects")).expect("a place for objects");
    let judged = scratch.merge_all_by_git(pairs, 2).expect("git answers");
    for ((answer, git), pair) in answers.iter().zip(&judged).zip(pairs) {
        let same = match (answer, git) {
            (Joined::Clean { tree: ours, .. }, Joined::Clean { tree, .. }) => ours == tree,
            (answer, git) => answer == git,
        };
        assert!(same, "{pair:?}: {answer:?} and {git:?}");
    }
    let conflicts = answers.iter().filter(|answer| matches!(answer, Joined::Conflicts(_))).count();
    (pairs.len() as u64 - in_process, conflicts)
}

fn git(place: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(place).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn each(place: &Path, pairs: &[Asked]) {
    for (ours, theirs) in pairs {
        let mut command = git(place);
        command.args(["merge-tree", "--write-tree", &ours.to_hex(), &theirs.to_hex()]);
        let code = command.status().expect("git can be started").code();
        assert!(matches!(code, Some(0 | 1)), "git merges or names conflicts");
    }
}

fn at_once(place: &Path, pairs: &[Asked]) {
    let lines: String = pairs.iter().map(|(ours, theirs)| format!("{ours} {theirs}\n")).collect();
    let list = place.join("pairs");
    std::fs::write(&list, lines).expect("the list can be written");
    let input = std::fs::File::open(&list).expect("the list can be read");
    let status = git(place).args(["merge-tree", "--write-tree", "--stdin"]).stdin(input).status();
    assert!(status.expect("git can be started").success(), "git answers all of them");
}

/// Builds the repository; the branches' commits.
fn build(place: &Path) -> Vec<Oid> {
    let repository = PersonRepository::make(place, &[]).expect("a repository can be made");
    let mut draws = Seeds::root(1).child("radar").draws();
    let mut stream = Stream { text: String::new(), marks: 0 };
    stream.commit(0);
    for directory in 0..DIRECTORIES {
        for file in 0..FILES {
            stream.put(&path(directory, file), &lines(None, directory * FILES + file));
        }
    }
    stream.put("hot.txt", &lines(None, 0));
    stream.put("wide.txt", &(0..500).map(|line| format!("line {line}\n")).collect::<String>());
    let mut mains = vec![stream.marks];
    for step in 1..5 {
        stream.commit(*mains.last().expect("there is a first"));
        stream.put(&path(step, step), &lines(Some(3), step));
        mains.push(stream.marks);
    }
    let branches: Vec<u64> = (0..BRANCHES).map(|number| branch(&mut stream, number, &mains, &mut draws)).collect();
    let names = repository.import(stream.text.as_bytes()).expect("the history can be imported");
    branches.iter().map(|mark| names[mark]).collect()
}

fn branch(stream: &mut Stream, number: usize, mains: &[u64], draws: &mut Draws) -> u64 {
    stream.commit(mains[number % mains.len()]);
    let mut draw = || (draws.below(DIRECTORIES), draws.below(FILES));
    for _ in 0..4 {
        let (directory, file) = draw();
        stream.put(&path(directory, file), &lines(Some(number), directory * FILES + file));
    }
    let (directory, _) = draw();
    stream.put(&format!("d{directory}/new-{number}.txt"), &lines(None, number as u64));
    let (directory, file) = draw();
    if number.is_multiple_of(5) {
        stream.text.push_str(&format!("R {} d{directory}/renamed-{number}.txt\n", path(directory, file)));
    } else if number % 10 == 1 {
        stream.text.push_str(&format!("D {}\n", path(directory, file)));
    }
    if number.is_multiple_of(8) {
        stream.put("hot.txt", &format!("of {number}\n{}", lines(None, 0)));
    }
    if number.is_multiple_of(4) {
        let own = |line: usize| if line == number * 10 { format!("of {number}\n") } else { format!("line {line}\n") };
        stream.put("wide.txt", &(0..500).map(own).collect::<String>());
    }
    stream.marks
}

fn path(directory: u64, file: u64) -> String {
    format!("d{directory}/f{file}.txt")
}

/// Forty lines of a file; one of them may be a branch's.
fn lines(by: Option<usize>, file: u64) -> String {
    let line = |at: usize| match by {
        Some(by) if at == by % 40 => format!("changed by {by}\n"),
        _ => format!("line {at} of file {file}\n"),
    };
    (0..40).map(line).collect()
}

/// What git imports.
struct Stream {
    text: String,
    marks: u64,
}

impl Stream {
    /// Begins a commit on top of another; 0: on top of none.
    fn commit(&mut self, parent: u64) {
        self.marks += 1;
        let (mark, date) = (self.marks, 1_000_000 + self.marks);
        let head = format!("mark :{mark}\ncommitter a <a@b> {date} +0000\ndata 1\nc\n");
        self.text.push_str(&format!("reset refs/heads/b{mark}\ncommit refs/heads/b{mark}\n{head}"));
        if parent > 0 {
            self.text.push_str(&format!("from :{parent}\n"));
        }
    }

    fn put(&mut self, path: &str, content: &str) {
        self.text.push_str(&format!("M 100644 inline {path}\ndata {}\n{content}\n", content.len()));
    }
}
