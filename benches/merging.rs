//! How fast changes land, beside git's own commands and beside what the disk and the hash take at least.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;
mod stream;

use baton_world::Stopwatch;
use baton_world::git::Durability;
use flate2::{Compress, Compression, FlushCompress};
use measure::{heading, quantile, thousands};
use sha1::{Digest, Sha1};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use stream::{Done, Fixture, Ground, Kind, LANES, git_commands, grouped, in_groups, one_by_one};

const ABOUT: &str = "\
A round is 32 requests of a team: half of them made from main as it is when the round begins, half from main as it was a
round ago. Directories have at most 20 entries of a kind; larger repositories have more and deeper ones. *Apart*: each changes two files that no other changes. *Mixed*: every third rewrites lines of one of eight files
that others rewrite, too; some conflict. All contestants get the same requests and take turns round by round; ratios are
taken within a round. What is timed is merging, committing, storing and moving main; for the product that includes storing
the request's own objects, which git's repository has beforehand. At the end all have the same commit as main, so every
verdict and every tree was git's. Git: `merge-tree --write-tree`, `commit-tree` and `update-ref`, with `core.fsync=none`
beside the buffered product and `core.fsync=all` beside the durable one. No folder is removed before the end: ext4 takes up to half a millisecond longer to make a file
where many were removed in the last minutes, and that is nobody's merit.";

/// Rounds that count, after one that does not.
const ROUNDS: usize = 10;

fn main() {
    heading("Landing a stream of changes", "cargo bench --bench merging", ABOUT);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the target folder can be written to");
    let [small, middle, large] = [1_000, 3_000, 100_000].map(|files| Fixture::make(folder.path(), files));
    println!("| what | rounds | product ms a landing p50 | beside it ms p50 | ratio: median (range) | target |");
    println!("|---|---|---|---|---|---|");
    if wanted("limit") {
        against_limit(&middle);
    }
    if wanted("growth") {
        growth(&small, &large);
    }
    println!(
        "\n| files | stream | promise | contestant | landings/s | ms each p50 | against git: median (range) | landed | target |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for kind in [Kind::Apart, Kind::Mixed] {
        for durability in [Durability::Buffered, Durability::Durable] {
            for fixture in [&middle, &large].into_iter().filter(|_| wanted("git")) {
                against_git(fixture, kind, durability);
            }
        }
    }
}

/// Whether a part is to be measured: all of them, unless some are named on the command line.
fn wanted(part: &str) -> bool {
    let mut named = std::env::args().skip(1).filter(|word| !word.starts_with('-')).peekable();
    named.peek().is_none() || named.any(|word| word == part)
}

/// One contestant in the middle of its stream.
struct Contestant<'f> {
    name: &'static str,
    ground: Ground,
    turn: Box<dyn Fn(&mut Ground) -> Done + 'f>,
    rounds: Vec<Done>,
}

impl<'f> Contestant<'f> {
    fn new(
        name: &'static str,
        (fixture, kind, durability): (&Fixture, Kind, Durability),
        turn: impl Fn(&mut Ground) -> Done + 'f,
    ) -> Contestant<'f> {
        let ground = fixture.ground(kind, durability);
        Contestant { name, ground, turn: Box::new(turn), rounds: Vec::new() }
    }

    fn each_ms(&self) -> Vec<f64> {
        self.rounds.iter().map(|done| done.seconds * 1e3 / LANES as f64).collect()
    }
}

/// Everybody takes a turn in every round; the first round does not count.
fn race(contestants: &mut [Contestant<'_>]) {
    for round in 0..=ROUNDS {
        for contestant in contestants.iter_mut() {
            let done = (contestant.turn)(&mut contestant.ground);
            if round > 0 {
                contestant.rounds.push(done);
            }
        }
    }
}

/// Median, lowest and highest of what the second takes over what the first takes, round by round.
fn ratio(slow: &Contestant<'_>, fast: &Contestant<'_>) -> String {
    let ratios: Vec<f64> = slow.each_ms().iter().zip(fast.each_ms()).map(|(slow, fast)| slow / fast).collect();
    format!("{:.1} ({:.1} to {:.1})", quantile(&ratios, 0.5), quantile(&ratios, 0.0), quantile(&ratios, 1.0))
}

fn against_git(fixture: &Fixture, kind: Kind, durability: Durability) {
    let what = (fixture, kind, durability);
    let mut all = vec![
        Contestant::new("git's commands", what, move |ground| git_commands(ground, durability)),
        Contestant::new("one by one", what, one_by_one),
        Contestant::new("groups of 32", what, in_groups),
    ];
    race(&mut all);
    let main = all[0].ground.main();
    assert!(all.iter().all(|contestant| contestant.ground.main() == main), "every verdict and every tree is git's");
    for (contestant, target) in all.iter().zip(targets(fixture.files, kind, durability)) {
        let landed: usize = contestant.rounds.iter().map(|done| done.landed).sum();
        let each = contestant.each_ms();
        println!(
            "| {} | {kind:?} | {durability:?} | {} | {} | {:.3} | {} | {landed} of {} | {target} |",
            thousands(fixture.files as f64),
            contestant.name,
            thousands(landed as f64 / contestant.rounds.iter().map(|done| done.seconds).sum::<f64>()),
            quantile(&each, 0.5),
            ratio(&all[0], contestant),
            ROUNDS * LANES,
        );
    }
}

fn targets(files: usize, kind: Kind, durability: Durability) -> [&'static str; 3] {
    match (kind, durability, files) {
        (Kind::Apart, Durability::Buffered, 100_000) => ["", "≥ 30", ""],
        (Kind::Apart, Durability::Buffered, _) => ["", "≥ 10", ""],
        (Kind::Apart, Durability::Durable, _) => ["", "≥ 8", "≥ 25"],
        (Kind::Mixed, Durability::Buffered, _) => ["", "≥ 4", ""],
        (Kind::Mixed, Durability::Durable, _) => ["", "", "≥ 8"],
    }
}

/// The same objects, hashed, deflated, appended to one file and synced once a round.
fn against_limit(fixture: &Fixture) {
    let mut ground = fixture.ground(Kind::Apart, Durability::Durable);
    let mut file = File::create(fixture.folder().join("limit")).expect("a new file");
    let (mut product, mut limit, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=2 * ROUNDS {
        let (done, oids) = grouped(&mut ground);
        let objects = read(&ground.path, &oids.iter().map(|oid| oid.to_hex()).collect::<Vec<_>>());
        let watch = Stopwatch::start();
        append(&mut file, &objects);
        let least = watch.seconds();
        if round > 0 {
            product.push(done.seconds * 1e3 / LANES as f64);
            limit.push(least * 1e3 / LANES as f64);
            ratios.push(done.seconds / least);
        }
    }
    println!(
        "| groups of 32, durable, apart, {} files, ÷ hash + deflate + append + sync of the same objects | {} | {:.3} | {:.3} | {:.2} ({:.2} to {:.2}) | ≤ 1.8 |",
        thousands(fixture.files as f64),
        2 * ROUNDS,
        quantile(&product, 0.5),
        quantile(&limit, 0.5),
        quantile(&ratios, 0.5),
        quantile(&ratios, 0.0),
        quantile(&ratios, 1.0)
    );
}

fn append(file: &mut File, objects: &[(String, Vec<u8>)]) {
    let mut compress = Compress::new(Compression::new(1), true);
    let mut all = Vec::new();
    for (kind, data) in objects {
        let mut hasher = Sha1::new();
        hasher.update(format!("{kind} {}\0", data.len()).as_bytes());
        hasher.update(data);
        all.extend_from_slice(&hasher.finalize());
        compress.reset();
        all.reserve(data.len() + 256);
        compress.compress_vec(data, &mut all, FlushCompress::Finish).expect("there is room");
    }
    file.write_all(&all).and_then(|()| file.sync_data()).expect("the disk takes it");
}

/// Kind and content of objects, as git gives them.
fn read(repository: &Path, oids: &[String]) -> Vec<(String, Vec<u8>)> {
    let mut command = Command::new("git");
    command.arg("--git-dir").arg(repository).args(["cat-file", "--batch"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("git runs");
    let mut stdin = child.stdin.take().expect("piped");
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let objects = oids.iter().map(|oid| {
        stdin.write_all(format!("{oid}\n").as_bytes()).expect("git reads");
        let mut head = String::new();
        stdout.read_line(&mut head).expect("git answers");
        let mut words = head.split_whitespace().skip(1);
        let kind = words.next().expect("a kind").to_owned();
        let len: usize = words.next().and_then(|len| len.parse().ok()).expect("a length");
        let mut data = vec![0; len + 1];
        stdout.read_exact(&mut data).expect("git answers");
        data.pop();
        (kind, data)
    });
    let objects = objects.collect();
    drop(stdin);
    child.wait().expect("git ends");
    objects
}

/// The same changes on a repository a hundred times as large.
fn growth(small: &Fixture, large: &Fixture) {
    for (name, turn) in [("one by one", one_by_one as fn(&mut Ground) -> Done), ("groups of 32", in_groups)] {
        for durability in [Durability::Buffered, Durability::Durable] {
            let mut both =
                [small, large].map(|fixture| Contestant::new(name, (fixture, Kind::Apart, durability), turn));
            race(&mut both);
            println!(
                "| {name}, {durability:?}, 100,000 files ÷ 1,000 files | {ROUNDS} | {:.3} | {:.3} | {} | ≤ 1.5 |",
                quantile(&both[1].each_ms(), 0.5),
                quantile(&both[0].each_ms(), 0.5),
                ratio(&both[1], &both[0])
            );
        }
    }
}
