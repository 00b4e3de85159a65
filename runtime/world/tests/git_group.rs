//! Changes that land as a group are landed as they would be one by one.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "git/support.rs"]
mod support;

use baton_record::event::Verdict;
use baton_record::{Fence, Oid};
use baton_world::git::{Durability, Edit, Fences, Merged, ObjectFormat, Proposal, Repository};
use std::path::Path;
use support::{Draw, check_sound, loose, meta, packs, put, remove};

fn init(path: &Path, durability: Durability) -> (Repository, Oid) {
    let repository = Repository::init(path, ObjectFormat::Sha1, durability).unwrap();
    let text = |file: usize| (0..30).map(|line| format!("line {line} of {file}\n")).collect::<String>();
    let files: Vec<Edit> = (0..12).map(|file| put(&format!("d{}/f{file}", file % 3), &text(file))).collect();
    let first = repository.begin(&files, &meta(0)).unwrap();
    (repository, first)
}

/// Changes apart, changes of one text, deletions, and what conflicts.
fn request(repository: &Repository, base: Oid, number: usize, draw: &mut Draw) -> Proposal {
    let file = draw.below(12);
    let path = format!("d{}/f{file}", file % 3);
    let tree = repository.commit(base).unwrap().tree;
    let edit = match repository.entry(tree, &path).unwrap() {
        Some(_) if draw.one_in(12) => remove(&path),
        Some(entry) => {
            let content = repository.blob(entry.oid).unwrap();
            let mut lines: Vec<String> = String::from_utf8_lossy(&content).lines().map(str::to_owned).collect();
            let at = draw.below(lines.len());
            lines[at] = format!("by {number}");
            put(&path, &(lines.join("\n") + "\n"))
        }
        None => put(&path, "again\n"),
    };
    repository.propose(base, &[edit, put(&format!("new/{number}"), "")], &meta(number)).unwrap()
}

/// Lands rounds of ten requests each; half of a round comes from main as it was a round ago. Gives main, and how many landed
/// in each of the three ways.
fn land_rounds(path: &Path, seed: u64, durability: Durability, grouped: bool) -> (Oid, [usize; 3]) {
    let (repository, first) = init(path, durability);
    let (mut draw, mut mains, mut ways) = (Draw(seed), [first; 2], [0; 3]);
    for round in 0..6 {
        let main = repository.standing_main().unwrap();
        mains = [mains[1], main];
        let numbers = round * 10 + 1..round * 10 + 11;
        let made: Vec<_> =
            numbers.map(|number| (number, request(&repository, mains[number % 2], number, &mut draw))).collect();
        let mut group = repository.group(main).unwrap();
        for (number, proposal) in &made {
            let head = if grouped { group.head() } else { repository.standing_main().unwrap() };
            let merged = if grouped {
                repository.merge_into(&group, proposal).unwrap()
            } else {
                repository.merge(head, proposal).unwrap()
            };
            let Merged::Clean(clean) = merged else { continue };
            ways[clean.verdict as usize] += 1;
            if grouped {
                repository.add_to(&mut group, proposal, &clean, &meta(*number)).unwrap();
            } else {
                let landing = repository.land_commit(head, proposal, &clean, &meta(*number));
                repository.land(head, &landing, None).unwrap().unwrap();
            }
        }
        if grouped && !group.is_empty() {
            repository.land_group(&group, None).unwrap().unwrap();
        }
    }
    check_sound(path, false);
    (repository.standing_main().unwrap(), ways)
}

#[test]
fn a_group_has_the_commits_that_its_changes_have_one_by_one() {
    let mut all = [0; 3];
    for seed in 0..6 {
        let directories = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let [alone, grouped, durable] = directories.each_ref().map(tempfile::TempDir::path);
        let (main, _) = land_rounds(alone, seed, Durability::Buffered, false);
        let (same, ways) = land_rounds(grouped, seed, Durability::Buffered, true);
        assert_eq!(main, same, "seed {seed}");
        if seed == 0 {
            assert_eq!(main, land_rounds(durable, seed, Durability::Durable, true).0, "seed {seed}");
        }
        all.iter_mut().zip(ways).for_each(|(all, ways)| *all += ways);
    }
    let [_, walk, git] = [Verdict::Same, Verdict::Walk, Verdict::Git].map(|verdict| all[verdict as usize]);
    assert!(walk > 50 && git > 5, "both ways are taken: {all:?}");
}

#[test]
fn what_is_refused_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let (repository, first) = init(directory.path(), Durability::Buffered);
    let mut fences = Fences::default();
    fences.raise("d0/**", Fence(1)).unwrap();
    let raised = repository.raise_fence(None, &fences).unwrap().unwrap();
    let before = (packs(directory.path()), loose(directory.path()));
    let mut group = repository.group(first).unwrap();
    let proposal = repository.propose(first, &[put("a", "1\n")], &meta(1)).unwrap();
    let Merged::Clean(clean) = repository.merge_into(&group, &proposal).unwrap() else { panic!("main is the base") };
    let commit = repository.add_to(&mut group, &proposal, &clean, &meta(2)).unwrap();
    let landing = repository.land_commit(first, &proposal, &clean, &meta(2));
    assert_eq!((landing.commit, group.tree(), group.main(), group.len()), (commit, clean.tree, first, 1));
    // Neither under fences that are not the newest, nor on top of another main.
    for fences in [None, Some(first)] {
        assert!(repository.land_group(&group, fences).unwrap().is_err());
        assert!(repository.land(first, &landing, fences).unwrap().is_err());
    }
    assert_eq!((repository.main().unwrap(), before), (Some(first), (packs(directory.path()), loose(directory.path()))));
    repository.land_group(&group, Some(raised)).unwrap().unwrap();
    assert!(repository.land(first, &landing, Some(raised)).unwrap().is_err());
    assert_eq!(repository.landed_since(first).unwrap()[0].commit, commit);
    check_sound(directory.path(), false);
}
