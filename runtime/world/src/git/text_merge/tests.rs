//! Texts merged in process beside git: what is said is what git says.

use super::*;
use crate::git::{CommitMeta, Durability, Edit, FileMode, ObjectFormat, Repository};
use std::collections::BTreeSet;
use std::process::Command;

/// Numbers from a seed, the same on every machine (splitmix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ bits >> 31) % bound as u64) as usize
    }
}

/// Lines of few words, so that many of them stand in a text several times.
fn line(draw: &mut Draw, words: usize) -> String {
    match draw.below(12) {
        0 => String::new(),
        1 => "}".to_owned(),
        _ => format!("    word {}", draw.below(words)),
    }
}

fn some_lines(draw: &mut Draw, most: usize, words: usize) -> Vec<String> {
    (0..draw.below(most + 1)).map(|_| line(draw, words)).collect()
}

/// A side: what people do to a text, and what makes comparing two texts hard.
fn side(base: &[String], draw: &mut Draw, words: usize) -> Vec<String> {
    let mut lines = base.to_vec();
    // Most sides keep to one part of the text.
    let (from, to) = match draw.below(4) {
        0 => (0, lines.len()),
        1 => (0, lines.len() / 2),
        2 => (lines.len() / 2, lines.len()),
        _ => (lines.len() / 3, lines.len() * 2 / 3),
    };
    for _ in 0..1 + draw.below(3) {
        let at = (from + draw.below(to - from + 1)).min(lines.len());
        let end = (at + draw.below(4)).min(lines.len());
        match draw.below(6) {
            0 => drop(lines.splice(at..at, some_lines(draw, 3, words))),
            1 => drop(lines.drain(at..end)),
            2 | 3 => drop(lines.splice(at..end, some_lines(draw, 4, words))),
            // A part of the text stands there twice.
            4 => {
                let copied = lines[at..end].to_vec();
                let there = draw.below(lines.len() + 1);
                drop(lines.splice(there..there, copied));
            }
            // A part is moved.
            _ => {
                let moved: Vec<String> = lines.drain(at..end).collect();
                let there = draw.below(lines.len() + 1);
                drop(lines.splice(there..there, moved));
            }
        }
    }
    lines
}

fn text(lines: &[String], draw: &mut Draw) -> Vec<u8> {
    let end = if draw.below(10) == 0 { "\r\n" } else { "\n" };
    let mut text: String = lines.iter().flat_map(|line| [line.as_str(), end]).collect();
    if draw.below(40) == 0 {
        text.truncate(text.trim_end().len());
    }
    text.into_bytes()
}

/// Base, ours and theirs.
type Case = [Vec<u8>; 3];

fn case(draw: &mut Draw) -> Case {
    let (words, most) = ([2, 6, 20, 60, 1_000][draw.below(5)], [6, 20, 60, 120][draw.below(4)]);
    let base = some_lines(draw, most, words);
    let sides = [side(&base, draw, words), side(&base, draw, words)];
    let state = draw.0;
    // All three end their lines alike, or hardly any would be merged.
    [&base, &sides[0], &sides[1]].map(|lines| text(lines, &mut Draw(state)))
}

fn meta() -> CommitMeta {
    let (author, email) = ("a".to_owned(), "a@baton.invalid".to_owned());
    CommitMeta { author, email, time_s: 0, subject: "texts".to_owned(), trailers: Vec::new() }
}

/// All cases at once, each as a file: the paths at which git's merge conflicts, and the tree that it writes.
struct Judge {
    _directory: tempfile::TempDir,
    repository: Repository,
    tree: baton_record::Oid,
    conflicts: BTreeSet<String>,
}

fn judge(cases: &[Case]) -> Judge {
    let directory = tempfile::tempdir().unwrap();
    let repository = Repository::init(directory.path(), ObjectFormat::Sha1, Durability::Buffered).unwrap();
    let edits = |which: usize| -> Vec<Edit> {
        let put = |(number, case): (usize, &Case)| Edit::Put {
            path: number.to_string(),
            mode: FileMode::Regular,
            content: case[which].clone(),
        };
        cases.iter().enumerate().map(put).collect()
    };
    let base = repository.begin(&edits(0), &meta()).unwrap();
    let commits = [1, 2].map(|which| {
        let proposal = repository.propose(base, &edits(which), &meta()).unwrap();
        repository.store(&proposal.objects).unwrap();
        proposal.commit.to_hex()
    });
    let mut command = Command::new("git");
    command.arg("--git-dir").arg(directory.path()).args(["merge-tree", "--write-tree", "--name-only", "-z"]);
    command.args(commits).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    let output = command.output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let mut words = said.split('\0');
    let tree = baton_record::Oid::from_hex(words.next().unwrap()).unwrap();
    let conflicts = words.take_while(|word| !word.is_empty()).map(str::to_owned).collect();
    Judge { _directory: directory, repository, tree, conflicts }
}

/// How many of the cases git merges, and how many of these are merged here.
fn compare(cases: &[Case], told: &str) -> (usize, usize) {
    let judge = judge(cases);
    let mut merged = 0;
    for (number, [base, ours, theirs]) in cases.iter().enumerate() {
        let Some(text) = merge_texts(base, ours, theirs) else { continue };
        let show = || {
            let [base, ours, theirs] = [base, ours, theirs].map(|text| String::from_utf8_lossy(text));
            format!("{told}, case {number}: base {base:?}, ours {ours:?}, theirs {theirs:?}")
        };
        let path = number.to_string();
        assert!(!judge.conflicts.contains(&path), "git sees a conflict: {}", show());
        let entry = judge.repository.entry(judge.tree, &path).unwrap().unwrap();
        assert_eq!(judge.repository.blob(entry.oid).unwrap()[..], text[..], "git has another text: {}", show());
        merged += 1;
    }
    (cases.len() - judge.conflicts.len(), merged)
}

#[test]
fn generated_texts_are_merged_as_git_merges_them() {
    const MERGES: u64 = 60;
    const TEXTS: usize = 400;
    let (mut clean, mut merged) = (0, 0);
    for seed in 0..MERGES {
        let mut draw = Draw(seed);
        let cases: Vec<Case> = (0..TEXTS).map(|_| case(&mut draw)).collect();
        let counts = compare(&cases, &format!("seed {seed}"));
        clean += counts.0;
        merged += counts.1;
    }
    // Otherwise this would prove nothing.
    assert!(merged > 3_000 && clean > merged, "{merged} merged here, {clean} of {} by git", MERGES * TEXTS as u64);
}

#[test]
fn only_changes_with_a_unique_line_between_them_are_merged_here() {
    let merge = |base: &str, ours: &str, theirs: &str| {
        let merged = merge_texts(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
        merged.map(|text| String::from_utf8(text).unwrap())
    };
    let clean = |base, ours, theirs, text: &str| assert_eq!(merge(base, ours, theirs).as_deref(), Some(text));
    clean("a\nu\nb\n", "A\nu\nb\n", "a\nu\nB\n", "A\nu\nB\n");
    clean("a\nu\nb\n", "a\nu\nB\n", "A\nu\nb\n", "A\nu\nB\n");
    clean("u\n", "1\nu\n", "u\n2\n", "1\nu\n2\n");
    clean("a\nu\nb\n", "u\nb\n", "a\nu\n", "u\n");
    clean("ab\nu\nb\n", "a\nu\nb\n", "ab\nu\nab\n", "a\nu\nab\n");
    let unknown = [
        ("nothing between them", "a\nb\n", "A\nb\n", "a\nB\n"),
        ("one place", "a\nu\nb\n", "A\nu\nb\n", "AA\nu\nb\n"),
        ("the same on both sides", "a\nu\nb\n", "A\nu\nb\n", "A\nu\nb\n"),
        ("a line that stands there twice", "a\nu\nu\nb\n", "A\nu\nu\nb\n", "a\nu\nu\nB\n"),
        ("a line that one side adds elsewhere", "a\nu\nb\n", "u\nu\nb\n", "a\nu\nB\n"),
        ("no line break at the end", "a\nu\nb", "A\nu\nb", "a\nu\nB"),
        ("a byte that is no text", "a\nu\nb\0\n", "A\nu\nb\0\n", "a\nu\nB\0\n"),
        ("an empty side", "a\nu\nb\n", "", "a\nu\nB\n"),
    ];
    for (why, base, ours, theirs) in unknown {
        assert_eq!(merge(base, ours, theirs), None, "{why}");
    }
}
