//! Landing a stream of changes beside the libraries that merge, and whose verdicts and trees are git's.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "../measure.rs"]
mod measure;
#[path = "../stream.rs"]
mod stream;

use baton_record::Oid;
use baton_record::event::Verdict;
use baton_world::Stopwatch;
use baton_world::git::{Durability, Merged, ObjectFormat, Objects, Proposal, Repository};
use measure::{heading, quantile, thousands};
use std::path::Path;
use stream::{AUTHOR, Done, Fixture, Ground, Kind, LANES, MAIL, TIME_S, git, git_commands, in_groups, one_by_one};

const ABOUT: &str = "\
The streams of `merging.md`, with libgit2 (git2 0.21) and gix 0.90 as contestants: each merges two commits, writes the tree and the
commit, and moves main, in process and with one open repository. Nothing is synced. *Main*: whether it is the commit that
git's commands come to.

The second table is about merges of a real history, where `BATON_HISTORY` names a repository: those merge commits of it whose
parents have one merge base, the newest first. Each is asked of all; git's own `merge-tree` says what is right. *Wrong verdict*:
clean where git sees a conflict, or the other way round. *Wrong tree*: both clean, and another tree.";

const ROUNDS: usize = 3;

fn main() {
    let command = "BATON_HISTORY=… cargo bench -p baton-yardstick --bench merge_libraries";
    heading("Landing beside libraries", command, ABOUT);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the target folder can be written to");
    println!(
        "| files | stream | contestant | ms each p50 | ÷ baton one by one: median (range) | landed | main | rounds |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for files in [3_000, 100_000] {
        let fixture = Fixture::make(folder.path(), files);
        for kind in [Kind::Apart, Kind::Mixed] {
            race(&fixture, kind);
        }
    }
    if let Some(history) = std::env::var_os("BATON_HISTORY") {
        replay(Path::new(&history), &folder.path().join("history"));
    }
}

type Turn = fn(&mut Ground) -> Done;

fn race(fixture: &Fixture, kind: Kind) {
    let by_git: Turn = |ground| git_commands(ground, Durability::Buffered);
    let all: [(&str, Turn); 5] = [
        ("baton, one by one", one_by_one),
        ("baton, groups of 32", in_groups),
        ("git's commands", by_git),
        ("libgit2", libgit2),
        ("gix", gix_stream),
    ];
    let mut grounds = all.map(|_| fixture.ground(kind, Durability::Buffered));
    let mut done = all.map(|_| Vec::new());
    for round in 0..=ROUNDS {
        for (((_, turn), ground), done) in all.iter().zip(&mut grounds).zip(&mut done) {
            let this = turn(ground);
            if round > 0 {
                done.push(this);
            }
        }
    }
    let main = grounds[2].main();
    for (((name, _), ground), rounds) in all.iter().zip(&grounds).zip(&done) {
        let each: Vec<f64> = rounds.iter().map(|done| done.seconds * 1e3 / LANES as f64).collect();
        let ratios: Vec<f64> = rounds.iter().zip(&done[0]).map(|(they, we)| they.seconds / we.seconds).collect();
        let (low, median, high) = (quantile(&ratios, 0.0), quantile(&ratios, 0.5), quantile(&ratios, 1.0));
        let landed: usize = rounds.iter().map(|done| done.landed).sum();
        let same = if ground.main() == main { "git's" } else { "another" };
        println!(
            "| {} | {kind:?} | {name} | {:.3} | {median:.1} ({low:.1} to {high:.1}) | {landed} of {} | {same} | {ROUNDS} |",
            thousands(fixture.files as f64),
            quantile(&each, 0.5),
            ROUNDS * LANES
        );
    }
}

fn libgit2(ground: &mut Ground) -> Done {
    let (requests, mut main) = (ground.stored_requests(), ground.main());
    let repository = git2::Repository::open(&ground.path).expect("it is a repository");
    let mut landed = 0;
    let watch = Stopwatch::start();
    for request in &requests {
        let Some(tree) = libgit2_merge(&repository, main, request.commit) else { continue };
        let commit = |oid: Oid| repository.find_commit(libgit2_oid(oid)).expect("it is stored");
        let (ours, theirs) = (commit(main), commit(request.commit));
        let tree = repository.find_tree(tree).expect("it was written");
        let who = git2::Signature::new(AUTHOR, MAIL, &git2::Time::new(TIME_S, 0)).expect("a good name");
        let new = repository.commit(None, &who, &who, "land\n", &tree, &[&ours, &theirs]).expect("it is written");
        let moved = repository.reference_matching("refs/heads/main", new, true, ours.id(), "land");
        moved.expect("main is ours");
        main = Oid::from_bytes(new.as_bytes()).expect("an object's name");
        landed += 1;
    }
    Done { seconds: watch.seconds(), landed }
}

/// The merged tree, written; `None`: a conflict.
fn libgit2_merge(repository: &git2::Repository, ours: Oid, theirs: Oid) -> Option<git2::Oid> {
    let commit = |oid: Oid| repository.find_commit(libgit2_oid(oid)).expect("it is stored");
    let mut index = repository.merge_commits(&commit(ours), &commit(theirs), None).expect("it merges");
    (!index.has_conflicts()).then(|| index.write_tree_to(repository).expect("it is written"))
}

fn libgit2_oid(oid: Oid) -> git2::Oid {
    git2::Oid::from_bytes(oid.as_bytes()).expect("SHA-1")
}

fn gix_stream(ground: &mut Ground) -> Done {
    let (requests, mut main) = (ground.stored_requests(), ground.main());
    let repository = gix_open(&ground.path);
    let mut landed = 0;
    let watch = Stopwatch::start();
    for request in &requests {
        let Some(tree) = gix_merge(&repository, main, request.commit) else { continue };
        let time = format!("{TIME_S} +0000");
        let who = gix::actor::SignatureRef { name: AUTHOR.into(), email: MAIL.into(), time: &time };
        let parents = [gix_oid(main), gix_oid(request.commit)];
        let new = repository.commit_as(who, who, "refs/heads/main", "land\n", tree, parents).expect("main is ours");
        main = Oid::from_bytes(new.as_bytes()).expect("an object's name");
        landed += 1;
    }
    Done { seconds: watch.seconds(), landed }
}

fn gix_open(path: &Path) -> gix::Repository {
    let mut repository = gix::open_opts(path, gix::open::Options::isolated()).expect("it is a repository");
    repository.object_cache_size_if_unset(64 << 20);
    repository
}

fn gix_merge(repository: &gix::Repository, ours: Oid, theirs: Oid) -> Option<gix::ObjectId> {
    let options = repository.tree_merge_options().expect("no settings");
    let merged = repository.merge_commits(gix_oid(ours), gix_oid(theirs), Default::default(), options.into());
    let mut merged = merged.expect("it merges");
    let conflicts = merged.tree_merge.has_unresolved_conflicts(gix::merge::tree::TreatAsUnresolved::git());
    (!conflicts).then(|| merged.tree_merge.tree.write().expect("it is written").detach())
}

fn gix_oid(oid: Oid) -> gix::ObjectId {
    gix::ObjectId::from_bytes_or_panic(oid.as_bytes())
}

/// What somebody said of the merges of a history.
#[derive(Default)]
struct Score {
    wrong_verdicts: usize,
    wrong_trees: usize,
    seconds: f64,
}

impl Score {
    fn count(&mut self, right: Option<Oid>, said: Option<Oid>) {
        self.wrong_verdicts += usize::from(right.is_some() != said.is_some());
        self.wrong_trees += usize::from(right.is_some() && said.is_some() && right != said);
    }
}

fn replay(history: &Path, place: &Path) {
    const MERGES_MAX: usize = 300;
    let repository = Repository::init(place, ObjectFormat::Sha1, Durability::Buffered).expect("a new folder");
    let objects = git(history, Durability::Buffered, &["rev-parse", "--path-format=absolute", "--git-path", "objects"]);
    let line = String::from_utf8_lossy(&objects.stdout).into_owned();
    std::fs::write(place.join("objects/info/alternates"), line).expect("a new file");
    let (libgit2, gix) = (git2::Repository::open(place).expect("a repository"), gix_open(place));
    let (mut ours, mut theirs, mut others) = (Score::default(), Score::default(), Score::default());
    let (mut merges, mut clean, mut in_process) = (0, 0, 0);
    for (one, other, base) in merge_commits(history, MERGES_MAX) {
        let right = merge_tree(place, one, other);
        merges += 1;
        clean += usize::from(right.is_some());
        let tree = |commit| repository.commit(commit).expect("it is there").tree;
        let (base_tree, tree) = (tree(base), tree(other));
        let (objects, changed) = (Objects::default(), Vec::new());
        let proposal = Proposal { base, base_tree, commit: other, tree, objects, changed };
        let watch = Stopwatch::start();
        let said = match repository.merge(one, &proposal).expect("a merge has an answer") {
            Merged::Clean(merged) => {
                in_process += usize::from(merged.verdict != Verdict::Git);
                Some(merged.tree)
            }
            Merged::Conflict { .. } => None,
        };
        ours.seconds += watch.seconds();
        ours.count(right, said);
        let watch = Stopwatch::start();
        let said = libgit2_merge(&libgit2, one, other);
        theirs.seconds += watch.seconds();
        theirs.count(right, said.and_then(|tree| Oid::from_bytes(tree.as_bytes())));
        let watch = Stopwatch::start();
        let said = gix_merge(&gix, one, other);
        others.seconds += watch.seconds();
        others.count(right, said.and_then(|tree| Oid::from_bytes(tree.as_bytes())));
    }
    println!("\n{merges} merges, {clean} of them clean by git; baton answered {in_process} in process.\n");
    println!("| contestant | wrong verdicts | wrong trees | ms a merge (mean) |\n|---|---|---|---|");
    for (name, score) in [("baton", ours), ("libgit2", theirs), ("gix", others)] {
        let each = score.seconds * 1e3 / merges as f64;
        println!("| {name} | {} | {} | {each:.2} |", score.wrong_verdicts, score.wrong_trees);
    }
}

/// Parents and the one merge base of merge commits, the newest first.
fn merge_commits(history: &Path, most: usize) -> Vec<(Oid, Oid, Oid)> {
    let words =
        ["rev-list", "--merges", "--min-parents=2", "--max-parents=2", "--parents", "-n", &most.to_string(), "HEAD"];
    let said = git(history, Durability::Buffered, &words);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let merge = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let (one, other) = (words.next()?, words.next()?);
        let bases = git(history, Durability::Buffered, &["merge-base", "--all", one, other]);
        let bases = String::from_utf8_lossy(&bases.stdout).into_owned();
        let mut bases = bases.lines();
        let base = bases.next().filter(|_| bases.next().is_none())?;
        Some((Oid::from_hex(one)?, Oid::from_hex(other)?, Oid::from_hex(base)?))
    };
    text.lines().filter_map(merge).collect()
}

/// What git says: the merged tree, or `None` for a conflict.
fn merge_tree(repository: &Path, ours: Oid, theirs: Oid) -> Option<Oid> {
    let words = ["merge-tree", "--write-tree", &ours.to_hex(), &theirs.to_hex()];
    let said = git(repository, Durability::Buffered, &words);
    match said.status.code() {
        Some(0) => Oid::from_hex(String::from_utf8_lossy(&said.stdout).trim_end()),
        Some(1) => None,
        _ => panic!("git merge-tree: {}", String::from_utf8_lossy(&said.stderr)),
    }
}
