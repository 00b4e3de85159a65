//! Where two commits part is what git says, for any shape of history and whatever dates commits claim.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "git/support.rs"]
mod support;

use baton_record::Oid;
use baton_world::git::{Durability, ObjectFormat, Repository};
use std::fmt::Write;
use support::{Draw, git, git_says};

/// Histories of up to thirty commits: several roots, merges of two or three, criss-cross ones, and dates that are in order,
/// all the same, or wild.
fn history(draw: &mut Draw, first_mark: usize, stream: &mut String) -> usize {
    let (size, dates) = (2 + draw.below(29), draw.below(3));
    let back = 2 + draw.below(5);
    for at in 0..size {
        let mut parents: Vec<usize> = Vec::new();
        let wanted = if at == 0 || draw.one_in(20) { 0 } else { draw.pick(&[1, 1, 2, 2, 2, 3]) };
        for _ in 0..wanted {
            let parent = at - 1 - draw.below(at.min(back));
            if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        let date = match dates {
            0 => 1_000_000 + at,
            1 => 1_000_000,
            _ => draw.below(2_000_000),
        };
        let mark = first_mark + at;
        writeln!(
            stream,
            "reset refs/heads/c\ncommit refs/heads/c\nmark :{mark}\ncommitter a <a@b> {date} +0000\ndata 2\nc"
        )
        .unwrap();
        for (number, parent) in parents.iter().enumerate() {
            let word = if number == 0 { "from" } else { "merge" };
            writeln!(stream, "{word} :{}", first_mark + parent).unwrap();
        }
    }
    size
}

#[test]
fn best_common_ancestors_are_those_of_git() {
    const HISTORIES: usize = 3000;
    let directory = tempfile::tempdir().unwrap();
    let repository = Repository::init(directory.path(), ObjectFormat::Sha1, Durability::Buffered).unwrap();
    let (mut stream, mut next, mut pairs) = (String::new(), 1, Vec::new());
    for seed in 0..HISTORIES {
        let mut draw = Draw(seed as u64);
        let size = history(&mut draw, next, &mut stream);
        for reach in [size, size.min(4)] {
            let top = next + size - 1;
            pairs.push((seed, top - draw.below(reach), top - draw.below(reach)));
        }
        next += size;
    }
    let imported = git(&["fast-import", "--quiet", "--export-marks=marks"], directory.path(), stream.as_bytes());
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let marks = std::fs::read_to_string(directory.path().join("marks")).unwrap();
    let mut names = vec![None; next];
    for line in marks.lines() {
        let (mark, oid) = line.strip_prefix(':').unwrap().split_once(' ').unwrap();
        names[mark.parse::<usize>().unwrap()] = Oid::from_hex(oid);
    }
    let (mut several, mut none) = (0, 0);
    for pairs in pairs.chunks(500) {
        let oids = |pair: &(usize, usize, usize)| [names[pair.1].unwrap(), names[pair.2].unwrap()];
        let ranges: Vec<String> = pairs.iter().map(oids).map(|[ours, theirs]| format!("{ours}...{theirs}")).collect();
        let words: Vec<&str> = ["rev-parse"].into_iter().chain(ranges.iter().map(String::as_str)).collect();
        let said = git_says(&words, directory.path());
        let mut lines = said.lines().peekable();
        for pair in pairs {
            let [ours, theirs] = oids(pair);
            assert!(lines.next().is_some() && lines.next().is_some(), "both sides are printed first");
            let mut bases = Vec::new();
            while let Some(base) = lines.next_if(|line| line.starts_with('^')) {
                bases.push(Oid::from_hex(&base[1..]).unwrap());
            }
            bases.sort();
            let found = repository.merge_bases(ours, theirs, usize::MAX).unwrap().unwrap();
            assert_eq!(found, bases, "history {}: {ours} and {theirs}", pair.0);
            several += usize::from(bases.len() > 1);
            none += usize::from(bases.is_empty());
            let few = repository.merge_bases(ours, theirs, 3).unwrap();
            assert!(few.is_none_or(|few| few == bases), "history {}: a bound changes no answer", pair.0);
        }
    }
    println!("{} pairs, {several} with several, {none} with none", pairs.len());
    assert!(several > 60 && none > 100, "{several} {none}");
}
