//! An owner that is killed at any moment loses nothing that it said to have landed.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "git/support.rs"]
mod support;

use baton_record::{Fence, Oid};
use baton_world::git::{Durability, Fences, Merged, ObjectFormat, Repository};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use support::{Draw, check_sound, meta, put};

/// Names the repository to the process that is to be killed.
const VICTIM: &str = "BATON_TEST_VICTIM";

/// Lands changes without end, and says after each where main is.
fn land_for_ever(path: &str) {
    let repository = Repository::open(path.as_ref(), Durability::Buffered).unwrap();
    let mut fences = repository.fences().unwrap();
    let mut out = std::io::stdout();
    for number in 1.. {
        let main = repository.main().unwrap().unwrap();
        let raised = repository.fences_ref().unwrap();
        fences.raise("notes/**", Fence(fences.get("notes/**").map_or(1, |fence| fence.0 + 1))).unwrap();
        let raised = repository.raise_fence(raised, &fences).unwrap().unwrap();
        let edit = put(&format!("notes/{}.md", number % 7), &format!("{main}\n"));
        let proposal = repository.propose(main, &[edit], &meta(number)).unwrap();
        let Merged::Clean(merged) = repository.merge(main, &proposal).unwrap() else {
            unreachable!("main is the base")
        };
        let landing = repository.land_commit(main, &proposal, &merged, &meta(number));
        repository.land(main, &landing, Some(raised)).unwrap().unwrap();
        writeln!(out, "\nlanded {}", landing.commit).unwrap();
    }
}

#[test]
fn nothing_that_landed_is_lost_when_the_owner_is_killed() {
    if let Ok(path) = std::env::var(VICTIM) {
        return land_for_ever(&path);
    }
    let directory = tempfile::tempdir().unwrap();
    let repository = Repository::init(directory.path(), ObjectFormat::Sha1, Durability::Buffered).unwrap();
    let first = repository.begin(&[put("notes/1.md", "")], &meta(0)).unwrap();
    drop(repository);
    let (mut draw, mut landed) = (Draw(1), Vec::new());
    for _ in 0..20 {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "nothing_that_landed_is_lost_when_the_owner_is_killed", "--nocapture"]);
        command.env(VICTIM, directory.path()).stdout(Stdio::piped());
        let mut victim = command.spawn().unwrap();
        let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut told = || lines.find_map(|line| Oid::from_hex(line.strip_prefix("landed ")?));
        landed.extend((0..1 + draw.below(60)).map(|_| told().unwrap()));
        victim.kill().unwrap();
        victim.wait().unwrap();
        landed.extend(std::iter::from_fn(told));
        let repository = Repository::open(directory.path(), Durability::Buffered).unwrap();
        let on_main: Vec<_> = repository.landed_since(first).unwrap().iter().map(|one| one.commit).collect();
        // The last landing may not have been told.
        assert!(
            on_main.starts_with(&landed) && on_main.len() <= landed.len() + 1,
            "{} {}",
            on_main.len(),
            landed.len()
        );
        landed = on_main;
        assert_ne!(repository.fences().unwrap(), Fences::default());
        check_sound(directory.path(), true);
    }
    assert!(landed.len() >= 100);
}
