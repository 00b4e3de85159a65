//! What the benches of merging share: repositories of many files, streams of changes that many lanes make at once, and who
//! lands them: the product, and git's own commands.
//!
//! Every contestant has a repository of its own that begins the same. Trees, messages, names and times of the landings are
//! functions of the requests, so whoever gives git's verdicts and trees gets git's commits: main has one name at all of them.

#![allow(dead_code, reason = "each bench uses its part")]

use baton_record::Oid;
use baton_world::Stopwatch;
use baton_world::git::{CommitMeta, Durability, Edit, FileMode, Merged, ObjectFormat, Proposal, Repository};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Requests that are made at once, from the main that was there then: the lanes of a team.
pub(crate) const LANES: usize = 32;
/// Files in a directory, and directories in one: a larger repository has more of them and deeper ones, not wider ones.
const WIDTH: usize = 20;
/// Files that the third request of a mixed stream touches, and places in each that a request may rewrite.
const HOT_FILES: usize = 8;
const HOT_PLACES: usize = 40;
const HOT_PLACE_LINES: usize = 6;

/// What the requests of a stream do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Each changes two files that no other request changes; one of eight adds a file.
    Apart,
    /// Every third rewrites some lines of a file that others rewrite, too, at one place or at two.
    Mixed,
}

/// A repository of so many files, and what its main was at.
pub(crate) struct Fixture {
    pub(crate) files: usize,
    folder: PathBuf,
    path: PathBuf,
    copies: Cell<usize>,
}

impl Fixture {
    pub(crate) fn make(folder: &Path, files: usize) -> Fixture {
        let path = folder.join(format!("fixture.{files}"));
        let repository = Repository::init(&path, ObjectFormat::Sha1, Durability::Buffered).expect("a new folder");
        let cold = (0..files).map(|file| put(&cold_path(file, files), cold_content(file, "first")));
        let hot = (0..HOT_FILES).map(|file| put(&hot_path(file), hot_content(file)));
        let edits: Vec<Edit> = cold.chain(hot).collect();
        repository.begin(&edits, &meta("first")).expect("no path clashes");
        Fixture { files, folder: folder.to_owned(), path, copies: Cell::new(0) }
    }

    /// Where it and its copies are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A copy to land on; it stays until all is measured.
    pub(crate) fn ground(&self, kind: Kind, durability: Durability) -> Ground {
        let copy = self.copies.get();
        self.copies.set(copy + 1);
        let path = self.folder.join(format!("copy.{}.{copy}", self.files));
        let copied = Command::new("cp").arg("-r").args([&self.path, &path]).status().expect("cp runs");
        assert!(copied.success(), "the fixture is copied");
        let repository = Repository::open(&path, durability).expect("a copy of a repository is one");
        let main = repository.standing_main().expect("the fixture has commits");
        Ground { path, repository, files: self.files, kind, mains: [main; 2], round: 0 }
    }
}

/// One contestant's repository, and the rounds that it has seen.
pub(crate) struct Ground {
    pub(crate) path: PathBuf,
    pub(crate) repository: Repository,
    files: usize,
    kind: Kind,
    /// Main before the last round, and before this one.
    mains: [Oid; 2],
    round: usize,
}

impl Ground {
    /// The requests of the next round: half of them from main as it is, half from main as it was a round ago.
    pub(crate) fn requests(&mut self) -> Vec<Proposal> {
        self.mains = [self.mains[1], self.main()];
        let first = self.round * LANES;
        self.round += 1;
        (first..first + LANES).map(|number| self.request(number)).collect()
    }

    /// The same, as commits that the repository has: what git's commands and libraries are asked to merge.
    pub(crate) fn stored_requests(&mut self) -> Vec<Proposal> {
        let requests = self.requests();
        let mut objects = requests[0].objects.clone();
        requests.iter().for_each(|request| objects.extend(&request.objects));
        self.repository.store(&objects).expect("the disk takes it");
        requests
    }

    pub(crate) fn main(&self) -> Oid {
        self.repository.standing_main().expect("main does not go away")
    }

    fn request(&self, number: usize) -> Proposal {
        let base = self.mains[number % 2];
        let said = format!("request {number}");
        let mut edits = Vec::new();
        let hot = self.kind == Kind::Mixed && number.is_multiple_of(3);
        for part in 0..if hot { 1 } else { 2 } {
            let file = (number * 2 + part) * 7919 % self.files;
            edits.push(put(&cold_path(file, self.files), cold_content(file, &said)));
        }
        if number % 8 == 5 {
            edits.push(put(&format!("new/part{}/note{number}.md", number / WIDTH), cold_content(number, &said)));
        }
        if hot {
            edits.push(self.hot_edit(base, number, &said));
        }
        self.repository.propose(base, &edits, &meta(&said)).expect("no path clashes")
    }

    fn hot_edit(&self, base: Oid, number: usize, said: &str) -> Edit {
        let path = hot_path(scatter(number) % HOT_FILES);
        let tree = self.repository.commit(base).expect("a base is a commit").tree;
        let entry = self.repository.entry(tree, &path).expect("a tree can be read").expect("hot files stay");
        let content = self.repository.blob(entry.oid).expect("a file can be read");
        let text = std::str::from_utf8(&content).expect("made of text");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let places = if number.is_multiple_of(9) { 2 } else { 1 };
        for place in 0..places {
            let at = scatter(number * 31 + place) % HOT_PLACES * HOT_PLACE_LINES + 2;
            lines[at] = format!("    let answer = \"{said}\";");
            lines[at + 1] = format!("    call(answer, {place});");
        }
        put(&path, lines.join("\n") + "\n")
    }
}

/// Numbers without a pattern (splitmix64's last step).
fn scatter(number: usize) -> usize {
    let mut bits = (number as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ bits >> 31) >> 16) as usize
}

fn cold_path(file: usize, files: usize) -> String {
    let (directories, directory, name) = (files / WIDTH, file / WIDTH, file % WIDTH);
    let (area, part) = (directory / WIDTH, directory % WIDTH);
    if directories <= WIDTH * WIDTH {
        return format!("area{area}/part{part}/note{name}.md");
    }
    format!("region{}/area{}/part{part}/note{name}.md", area / WIDTH, area % WIDTH)
}

fn cold_content(file: usize, said: &str) -> String {
    let lines = (0..30).map(|line| format!("Line {line} of note {file}, {}.\n", scatter(file + line)));
    format!("# Note {file}, {said}\n\n{}", lines.collect::<String>())
}

fn hot_path(file: usize) -> String {
    format!("shared/hot{file}.rs")
}

/// As code is: some lines stand there many times.
fn hot_content(file: usize) -> String {
    let place = |place| {
        format!("/// Answers {place}.\nfn answer_{place}() {{\n    let answer = {file};\n    call(answer);\n}}\n\n")
    };
    (0..HOT_PLACES).map(place).collect()
}

fn put(path: &str, content: String) -> Edit {
    Edit::Put { path: path.to_owned(), mode: FileMode::Regular, content: content.into_bytes() }
}

pub(crate) const AUTHOR: &str = "lane";
pub(crate) const MAIL: &str = "lane@baton.invalid";
pub(crate) const TIME_S: i64 = 1_700_000_000;

pub(crate) fn meta(subject: &str) -> CommitMeta {
    let (author, email, subject) = (AUTHOR.to_owned(), MAIL.to_owned(), subject.to_owned());
    CommitMeta { author, email, time_s: TIME_S, subject, trailers: Vec::new() }
}

/// What a round came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    pub(crate) seconds: f64,
    pub(crate) landed: usize,
}

/// The product, one change after the other.
pub(crate) fn one_by_one(ground: &mut Ground) -> Done {
    let (requests, mut main) = (ground.requests(), ground.main());
    let (repository, mut landed) = (&ground.repository, 0);
    let watch = Stopwatch::start();
    for request in &requests {
        let Merged::Clean(clean) = repository.merge(main, request).expect("a merge has an answer") else { continue };
        let landing = repository.land_commit(main, request, &clean, &meta("land"));
        repository.land(main, &landing, None).expect("the disk takes it").expect("main is ours");
        main = landing.commit;
        landed += 1;
    }
    Done { seconds: watch.seconds(), landed }
}

/// The product, a round at once.
pub(crate) fn in_groups(ground: &mut Ground) -> Done {
    grouped(ground).0
}

/// The same, with the names of all that was stored.
pub(crate) fn grouped(ground: &mut Ground) -> (Done, Vec<Oid>) {
    let (requests, main) = (ground.requests(), ground.main());
    let repository = &ground.repository;
    let watch = Stopwatch::start();
    let mut group = repository.group(main).expect("main can be read");
    for request in &requests {
        let merged = repository.merge_into(&group, request).expect("a merge has an answer");
        let Merged::Clean(clean) = merged else { continue };
        repository.add_to(&mut group, request, &clean, &meta("land")).expect("trees can be read");
    }
    repository.land_group(&group, None).expect("the disk takes it").expect("main is ours");
    let seconds = watch.seconds();
    (Done { seconds, landed: group.len() }, group.objects().oids().collect())
}

/// Git's commands: `merge-tree --write-tree`, `commit-tree`, `update-ref`, one process each.
pub(crate) fn git_commands(ground: &mut Ground, durability: Durability) -> Done {
    let (requests, mut main) = (ground.stored_requests(), ground.main());
    let mut landed = 0;
    let watch = Stopwatch::start();
    for request in &requests {
        let (ours, theirs) = (main.to_hex(), request.commit.to_hex());
        let merged = git(&ground.path, durability, &["merge-tree", "--write-tree", &ours, &theirs]);
        let tree = match merged.status.code() {
            Some(0) => word(&merged),
            Some(1) => continue,
            _ => panic!("git merge-tree: {}", String::from_utf8_lossy(&merged.stderr)),
        };
        let words = ["commit-tree", &tree, "-p", &ours, "-p", &theirs, "-m", "land"];
        let commit = word(&git(&ground.path, durability, &words));
        let moved = git(&ground.path, durability, &["update-ref", "refs/heads/main", &commit, &ours]);
        assert!(moved.status.success(), "git moves main: {}", String::from_utf8_lossy(&moved.stderr));
        main = Oid::from_hex(&commit).expect("git names a commit");
        landed += 1;
    }
    Done { seconds: watch.seconds(), landed }
}

fn word(said: &Output) -> String {
    assert!(said.status.success(), "git: {}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8_lossy(&said.stdout).trim_end().to_owned()
}

/// A git command without this host's settings. Where nothing has to be durable, git need not sync anything either.
pub(crate) fn git(repository: &Path, durability: Durability, words: &[&str]) -> Output {
    let fsync = match durability {
        Durability::Durable => "core.fsync=all",
        Durability::Buffered => "core.fsync=none",
    };
    let mut command = Command::new("git");
    command.arg("--git-dir").arg(repository).args(["-c", fsync, "-c", "gc.auto=0"]).args(words);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), AUTHOR).env(format!("GIT_{who}_EMAIL"), MAIL);
        command.env(format!("GIT_{who}_DATE"), format!("{TIME_S} +0000"));
    }
    command.stdin(Stdio::null()).output().expect("git runs")
}
