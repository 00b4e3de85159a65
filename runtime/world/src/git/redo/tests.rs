//! The power is cut: what was not waited for is there, half there, empty or gone, and nothing that landed is lost.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::super::{CommitMeta, Durability, Edit, FileMode, Merged, ObjectFormat, Repository};
use super::*;
use crate::seeds::{Draws, Seeds};
use std::process::Command;

fn meta(number: usize) -> CommitMeta {
    let (author, email) = ("lane".to_owned(), "lane@baton.invalid".to_owned());
    CommitMeta { author, email, time_s: 1_700_000_000, subject: format!("change {number}"), trailers: Vec::new() }
}

fn put(number: usize, len: usize) -> Edit {
    let content = format!("{number} ").repeat(len).into_bytes();
    Edit::Put { path: format!("notes/{}.md", number % 50), mode: FileMode::Regular, content }
}

/// Lands a change of so many numbers; main afterwards.
fn land(repository: &Repository, number: usize, len: usize) -> Oid {
    let main = repository.standing_main().unwrap();
    let proposal = repository.propose(main, &[put(number, len)], &meta(number)).unwrap();
    let Merged::Clean(merged) = repository.merge(main, &proposal).unwrap() else { panic!("main is the base") };
    let landing = repository.land_commit(main, &proposal, &merged, &meta(number));
    repository.land(main, &landing, None).unwrap().unwrap();
    landing.commit
}

fn durable(format: ObjectFormat) -> (tempfile::TempDir, Repository) {
    let directory = tempfile::tempdir().unwrap();
    let repository = Repository::init(directory.path(), format, Durability::Durable).unwrap();
    repository.begin(&[put(0, 3)], &meta(0)).unwrap();
    (directory, repository)
}

fn pick(draws: &mut Draws, bound: u64) -> u64 {
    draws.below(bound)
}

/// What a disk may have of a file that nobody has waited for.
fn lose(path: &Path, draws: &mut Draws) {
    let Ok(bytes) = fs::read(path) else { return };
    match pick(draws, 5) {
        0 => {}
        1 => fs::remove_file(path).unwrap(),
        2 => replace(path, &[]),
        3 => replace(path, &bytes[..bytes.len() / 2]),
        _ => replace(path, &vec![0; bytes.len()]),
    }
}

/// Bytes that do not deflate (xorshift).
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut bits = seed.wrapping_mul(2).wrapping_add(1);
    let word = |_| {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        bits.to_le_bytes()
    };
    (0..len / 8).flat_map(word).collect()
}

fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

/// All that `repository` owes to the disk is lost or spoilt, and main is somewhere before or nowhere.
fn cut_power(repository: &Repository, before: &[Oid], draws: &mut Draws) {
    let owed = std::mem::take(&mut super::super::hold(&repository.redo).owed);
    owed.iter().for_each(|path| lose(path, draws));
    let main = repository.root.join(MAIN);
    match pick(draws, 4) {
        0 => {}
        1 => replace(&main, b""),
        2 => replace(&main, &[0; 41]),
        _ => {
            let back = before[pick(draws, before.len() as u64) as usize];
            replace(&main, format!("{back}\n").as_bytes());
        }
    }
}

/// What the next owner does after the machine has started again.
fn start_again(root: &Path) {
    let refs = Refs::new(root, Durability::Durable);
    refs.remove_stale_locks().unwrap();
    recover_on(root, &refs, Some("another boot")).unwrap();
}

fn check_sound(root: &Path) {
    let said = Command::new("git").arg("--git-dir").arg(root).args(["fsck", "--strict", "--full"]).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

#[test]
fn what_landed_before_a_power_cut_is_there_after_it() {
    for seed in 0..24 {
        let mut draws = Seeds::root(seed).child("power").draws();
        let format = if seed % 2 == 0 { ObjectFormat::Sha1 } else { ObjectFormat::Sha256 };
        let (directory, repository) = durable(format);
        let mut line = vec![repository.standing_main().unwrap()];
        let count = 1 + pick(&mut draws, 70) as usize;
        for number in 0..count {
            line.push(land(&repository, number + 1, 5 + number));
        }
        cut_power(&repository, &line, &mut draws);
        drop(repository);
        start_again(directory.path());
        let repository = Repository::open(directory.path(), Durability::Durable).unwrap();
        assert_eq!(repository.main().unwrap(), line.last().copied(), "seed {seed}");
        assert_eq!(repository.landed_since(line[0]).unwrap().len(), count, "seed {seed}");
        check_sound(directory.path());
        land(&repository, 99, 3);
        repository.sync().unwrap();
        assert!(!directory.path().join(NAME).exists(), "the end of a run leaves no log");
        check_sound(directory.path());
    }
}

#[test]
fn a_full_log_is_waited_for_and_begun_again() {
    let (directory, repository) = durable(ObjectFormat::Sha1);
    let mut draws = Seeds::root(7).child("power").draws();
    let mut line = vec![repository.standing_main().unwrap()];
    while super::super::hold(&repository.redo).lap < 4 {
        let text = noise(300_000, line.len() as u64);
        let main = repository.standing_main().unwrap();
        let edit = Edit::Put { path: format!("large/{}", line.len()), mode: FileMode::Regular, content: text };
        let proposal = repository.propose(main, &[edit], &meta(line.len())).unwrap();
        let Merged::Clean(merged) = repository.merge(main, &proposal).unwrap() else { panic!("main is the base") };
        let landing = repository.land_commit(main, &proposal, &merged, &meta(line.len()));
        repository.land(main, &landing, None).unwrap().unwrap();
        line.push(landing.commit);
    }
    line.push(land(&repository, 1, 2));
    // Main can have fallen back only to what the log still knows.
    let known = line[line.len() - 2..].to_vec();
    cut_power(&repository, &known, &mut draws);
    drop(repository);
    start_again(directory.path());
    let repository = Repository::open(directory.path(), Durability::Durable).unwrap();
    assert_eq!(repository.main().unwrap(), line.last().copied());
    check_sound(directory.path());
}

#[test]
fn a_landing_larger_than_the_log_is_synced_file_by_file() {
    let (directory, repository) = durable(ObjectFormat::Sha1);
    land(&repository, 1, 2);
    let content = noise(9 << 20, 8);
    let main = repository.standing_main().unwrap();
    let edit = Edit::Put { path: "huge".to_owned(), mode: FileMode::Regular, content };
    let proposal = repository.propose(main, &[edit], &meta(2)).unwrap();
    let Merged::Clean(merged) = repository.merge(main, &proposal).unwrap() else { panic!("main is the base") };
    let landing = repository.land_commit(main, &proposal, &merged, &meta(2));
    repository.land(main, &landing, None).unwrap().unwrap();
    let redo = super::super::hold(&repository.redo);
    assert!(redo.owed.is_empty() && redo.frames == 0, "nothing is left to the log");
    drop(redo);
    check_sound(directory.path());
}

#[test]
fn main_that_somebody_else_has_moved_stays_where_it_is() {
    let (directory, repository) = durable(ObjectFormat::Sha1);
    let first = repository.standing_main().unwrap();
    land(&repository, 1, 2);
    land(&repository, 2, 2);
    let tree = repository.commit(first).unwrap().tree.to_hex();
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "a").env(format!("GIT_{who}_EMAIL"), "a@b");
        }
        let said = command.arg("--git-dir").arg(directory.path()).args(words).output().unwrap();
        String::from_utf8(said.stdout).unwrap().trim().to_owned()
    };
    let foreign = git(&["commit-tree", &tree, "-m", "mine"]);
    git(&["update-ref", "refs/heads/main", &foreign]);
    drop(repository);
    start_again(directory.path());
    let repository = Repository::open(directory.path(), Durability::Durable).unwrap();
    assert_eq!(repository.standing_main().unwrap().to_hex(), foreign);
}

#[test]
fn a_killed_owner_leaves_the_next_nothing_to_make_again() {
    let (directory, repository) = durable(ObjectFormat::Sha1);
    let first = repository.standing_main().unwrap();
    let landed = land(&repository, 1, 2);
    // Somebody takes main back while nobody is at work: with the kernel alive that is how it is.
    repository.set_main_without_compare(first).unwrap();
    drop(repository);
    let repository = Repository::open(directory.path(), Durability::Durable).unwrap();
    assert_eq!(repository.main().unwrap(), Some(first));
    assert!(repository.commit(landed).is_ok());
    assert!(!directory.path().join(NAME).exists());
}

#[test]
fn torn_and_stale_frames_and_a_spoilt_head_count_for_nothing() {
    let (directory, repository) = durable(ObjectFormat::Sha1);
    let path = directory.path().join(NAME);
    let lines: Vec<Oid> = (1..5).map(|number| land(&repository, number, 4)).collect();
    let lap = super::super::hold(&repository.redo).lap;
    let frames = read_frames(&path, lap).unwrap();
    assert!(frames.iter().map(|frame| frame.main.1).eq(lines.iter().copied()));
    super::super::hold(&repository.redo).checkpoint().unwrap();
    land(&repository, 5, 4);
    // Frames of the former lap stand behind the new one, at the places where they would count.
    assert_eq!(read_frames(&path, lap + 1).unwrap().len(), 1);
    let whole = fs::read(&path).unwrap();
    for at in (0..FRAME_HEAD + 200).step_by(7) {
        let mut torn = whole.clone();
        torn[FRAMES_AT as usize + at] ^= 0x10;
        fs::write(&path, torn).unwrap();
        assert!(read_frames(&path, lap + 1).unwrap().is_empty(), "{at}");
    }
    let mut spoilt = whole;
    spoilt[MAGIC.len()] ^= 1;
    fs::write(&path, spoilt).unwrap();
    drop(repository);
    start_again(directory.path());
    assert!(!path.exists());
}
