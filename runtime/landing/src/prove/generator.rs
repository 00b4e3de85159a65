//! Generated histories that end in a merge, each a function of a seed and a number.
//!
//! They hold what makes merges hard: renames of files and of directories, copies, changes of mode and of kind, deletions,
//! files where directories were, links, submodules, binary files, CRLF, attributes with `union`, `binary`, `eol` and a
//! driver of the repository's own, names in several scripts and of two cases, empty trees, histories without a common
//! ancestor, and criss-cross ones with several. They are handed to `git fast-import`, so git itself makes the objects.

use crate::LandError;
use baton_record::Oid;
use baton_world::git::{Asked, PersonRepository};
use baton_world::seeds::{Draws, Seeds};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A repository with generated cases, and the two sides of each.
#[derive(Debug)]
pub struct Generated {
    /// Where it is.
    pub repository: PathBuf,
    /// The sides.
    pub sides: Vec<Asked>,
}

/// Settings of the repository: what a person may have set that tells git how to merge.
const SETTINGS: [(&str, &str); 3] = [
    ("merge.ours-alone.driver", "true"),
    ("merge.directoryRenames", "conflict"),
    ("merge.joined.driver", "cat %B >>%A"),
];

/// Names that meet in git's order, at each other's prefixes, in several scripts and in two cases.
const PATHS: [&str; 29] = [
    "a",
    "a-b",
    "a.c",
    "a/x",
    "a/x/y",
    "a/z",
    "a0",
    "A",
    "b",
    "b/c/d/e",
    "b/c/d/f",
    "b/c/g",
    "dir/one.md",
    "dir/two.md",
    "dir/three.md",
    "dir/sub/four.md",
    "dir/sub/five.md",
    "Dir/one.md",
    "lib/α/β.txt",
    "lib/α",
    "lib/日本.md",
    "lib/é.md",
    "lib/e\u{301}.md",
    "run.sh",
    "link",
    "data.bin",
    "crlf.txt",
    "vendor/module",
    "new/deep/er/file",
];
const DIRECTORIES: [&str; 9] = ["a/", "b/", "b/c/", "b/c/d/", "dir/", "dir/sub/", "lib/", "notes/", ""];
const ATTRIBUTES: [&str; 7] = [
    "*.md merge=union\n",
    "*.bin binary\n*.md -merge\n",
    "*.txt text eol=crlf\n",
    "dir/** merge=ours-alone\n",
    "* merge=joined\n",
    "*.md text=auto\nnotes/* conflict-marker-size=9\n",
    "",
];

#[derive(Clone, Debug, PartialEq, Eq)]
struct Thing {
    /// As git writes it.
    mode: &'static str,
    content: Vec<u8>,
}

/// A set of files: what is where.
type Files = BTreeMap<String, Thing>;

const FILE: &str = "100644";
const PROGRAM: &str = "100755";
const LINK: &str = "120000";
const SUBMODULE: &str = "160000";

/// Makes `count` cases of a seed, from the number `first` on, in a new repository at `place`.
pub fn generate(place: &Path, seed: u64, first: u64, count: u64) -> Result<Generated, LandError> {
    let repository = PersonRepository::make(place, &SETTINGS)?;
    let seeds = Seeds::root(seed).child("merges");
    let mut stream = Stream { text: Vec::new(), marks: 0 };
    let mut marks = Vec::new();
    for number in first..first + count {
        let mut draws = Draw(seeds.child(&number.to_string()).draws());
        marks.push(history(&mut draws, &mut stream));
    }
    let names = repository.import(&stream.text)?;
    let of = |mark: u64| names.get(&mark).copied().expect("every mark of the stream was made");
    let sides: Vec<(Oid, Oid)> = marks.into_iter().map(|(ours, theirs)| (of(ours), of(theirs))).collect();
    Ok(Generated { repository: place.to_owned(), sides })
}

/// Words for git to import.
struct Stream {
    text: Vec<u8>,
    marks: u64,
}

impl Stream {
    /// Adds a commit of these files; its mark.
    fn commit(&mut self, files: &Files, parents: &[u64]) -> u64 {
        self.marks += 1;
        let head = format!(
            "reset refs/heads/x\ncommit refs/heads/x\nmark :{}\ncommitter a <a@b> {} +0000\ndata 1\nc\n",
            self.marks,
            1_000_000 + self.marks
        );
        self.text.extend_from_slice(head.as_bytes());
        for (at, parent) in parents.iter().enumerate() {
            let word = if at == 0 { "from" } else { "merge" };
            self.text.extend_from_slice(format!("{word} :{parent}\n").as_bytes());
        }
        self.text.extend_from_slice(b"deleteall\n");
        for (path, thing) in files {
            if thing.mode == SUBMODULE {
                let name = String::from_utf8_lossy(&thing.content);
                self.text.extend_from_slice(format!("M {SUBMODULE} {name} {path}\n").as_bytes());
                continue;
            }
            let head = format!("M {} inline {path}\ndata {}\n", thing.mode, thing.content.len());
            self.text.extend_from_slice(head.as_bytes());
            self.text.extend_from_slice(&thing.content);
            self.text.push(b'\n');
        }
        self.marks
    }
}

/// One case: the marks of its two sides.
fn history(draw: &mut Draw, stream: &mut Stream) -> (u64, u64) {
    let base_files = some_files(draw);
    let tame = draw.below(5);
    let ours_files = side(&base_files, tame & 1 == 0, draw);
    let theirs_files = side(&base_files, tame & 2 == 0, draw);
    if draw.one_in(60) {
        return (stream.commit(&ours_files, &[]), stream.commit(&theirs_files, &[]));
    }
    let base = stream.commit(&base_files, &[]);
    let (mut ours, mut theirs) = (stream.commit(&ours_files, &[base]), stream.commit(&theirs_files, &[base]));
    if draw.one_in(25) {
        // One side has done nothing, or has what the other has.
        return if draw.one_in(2) { (base, theirs) } else { (ours, base) };
    }
    for _ in 0..if draw.one_in(8) { 1 + draw.below(2) } else { 0 } {
        // Each merges the other in its own way, and goes on: two best common ancestors from then on.
        let mixed: Files =
            ours_files.iter().chain(&theirs_files).map(|(path, thing)| (path.clone(), thing.clone())).collect();
        let mixed = without_clashes(mixed);
        let (one, two) = (side(&mixed, draw.one_in(2), draw), side(&mixed, draw.one_in(2), draw));
        (ours, theirs) = (stream.commit(&one, &[ours, theirs]), stream.commit(&two, &[theirs, ours]));
    }
    (ours, theirs)
}

fn some_files(draw: &mut Draw) -> Files {
    let mut files = Files::new();
    for _ in 0..draw.below(20) {
        add(&mut files, draw.pick(&PATHS), draw);
    }
    for number in 0..draw.below(8) {
        add(&mut files, &format!("notes/{number}.md"), draw);
    }
    if draw.one_in(3) {
        attributes(&mut files, draw);
    }
    files
}

fn attributes(files: &mut Files, draw: &mut Draw) {
    let path = draw.pick(&[".gitattributes", ".gitattributes", "dir/.gitattributes", "lib/.gitattributes"]);
    if fits(files, path) {
        files.insert(path.to_owned(), Thing { mode: FILE, content: draw.pick(&ATTRIBUTES).into() });
    }
}

/// What two sides make together may have files where there are directories.
fn without_clashes(files: Files) -> Files {
    let mut kept = Files::new();
    for (path, thing) in files {
        if fits(&kept, &path) {
            kept.insert(path, thing);
        }
    }
    kept
}

fn fits(files: &Files, path: &str) -> bool {
    let below = |path: &str, above: &str| path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'));
    !files.keys().any(|other| below(other, path) || below(path, other))
}

fn add(files: &mut Files, path: &str, draw: &mut Draw) {
    if !fits(files, path) {
        return;
    }
    let mode = match draw.below(12) {
        0 | 1 => PROGRAM,
        2 => LINK,
        3 => SUBMODULE,
        _ => FILE,
    };
    let thing = thing(mode, draw);
    files.insert(path.to_owned(), thing);
}

fn thing(mode: &'static str, draw: &mut Draw) -> Thing {
    let content = match mode {
        LINK => draw.pick(&["dir/one.md", "a", "../out"]).into(),
        // A commit that is nowhere: submodules are not fetched.
        SUBMODULE => draw.pick(&["1", "2", "3"]).repeat(40).into_bytes(),
        _ => content(draw),
    };
    Thing { mode, content }
}

fn content(draw: &mut Draw) -> Vec<u8> {
    let (lines, word) = (1 + draw.below(30), draw.below(4));
    let end = draw.pick(&["\n", "\n", "\r\n"]);
    let text: String = (0..lines).map(|line| format!("{word} line {line} äöü{end}")).collect();
    match draw.below(8) {
        0 => [b"\0\x01\xff", text.as_bytes()].concat(),
        1 => Vec::new(),
        2 => text.trim_end().as_bytes().to_vec(),
        _ => text.into_bytes(),
    }
}

fn side(base: &Files, tame: bool, draw: &mut Draw) -> Files {
    let mut files = base.clone();
    for _ in 0..1 + draw.below(4) {
        step(&mut files, tame, draw);
    }
    files
}

/// One step of a side. Tame ones only add files, edit, delete and rename them.
fn step(files: &mut Files, tame: bool, draw: &mut Draw) {
    let paths: Vec<String> = files.keys().cloned().collect();
    let new = format!("{}new-{}.md", draw.pick(&DIRECTORIES), draw.below(3));
    if paths.is_empty() || draw.one_in(4) {
        let path = if draw.one_in(3) { draw.pick(&PATHS).to_owned() } else { new };
        return add(files, &path, draw);
    }
    let path = paths[draw.below(paths.len())].clone();
    match draw.below(if tame { 12 } else { 22 }) {
        7 => drop(files.remove(&path)),
        8 | 9 => rename(files, &path, &new, draw),
        10 if fits(files, &new) => drop(files.insert(new, files[&path].clone())),
        11 => rename_directory(files, draw),
        12 => {
            let mode = draw.pick(&[FILE, PROGRAM, LINK, SUBMODULE]);
            let same_kind = |mode: &str| mode == FILE || mode == PROGRAM;
            let was = &files[&path];
            let kept = same_kind(was.mode) && same_kind(mode);
            let new = if kept { Thing { mode, content: was.content.clone() } } else { thing(mode, draw) };
            files.insert(path, new);
        }
        13 => drop(files.insert(path, thing(FILE, draw))),
        14 => {
            // A file becomes a directory.
            files.remove(&path);
            add(files, &format!("{path}/inner"), draw);
        }
        15 => {
            // A directory becomes a file.
            let directory = path.rsplit_once('/').map_or(path.as_str(), |(directory, _)| directory).to_owned();
            files.retain(|path, _| !path.starts_with(&format!("{directory}/")) && *path != directory);
            add(files, &directory, draw);
        }
        16 => {
            let directory = draw.pick(&DIRECTORIES);
            files.retain(|path, _| !path.starts_with(directory));
        }
        17 => attributes(files, draw),
        18 if draw.one_in(6) => files.clear(),
        _ => edit(files, &path, draw),
    }
    if files.get(".gitattributes").is_some_and(|file| !file.mode.starts_with("100")) {
        files.remove(".gitattributes");
    }
}

fn rename(files: &mut Files, path: &str, new: &str, draw: &mut Draw) {
    if draw.one_in(2) {
        edit(files, path, draw);
    }
    let Some(thing) = files.remove(path) else { return };
    let new = if draw.one_in(2) { new } else { draw.pick(&PATHS) };
    if fits(files, new) {
        files.insert(new.to_owned(), thing);
    }
}

/// A directory, or everything, goes to another place: into a new directory, an old one, or one inside itself.
fn rename_directory(files: &mut Files, draw: &mut Draw) {
    let from = draw.pick(&DIRECTORIES);
    let to = draw.pick(&["moved/", "dir2/", "b/", "dir/", "a/in/", ""]);
    let moved: Vec<String> = files.keys().filter(|path| path.starts_with(from)).cloned().collect();
    for path in moved {
        let Some(thing) = files.remove(&path) else { continue };
        let new = format!("{to}{}", &path[from.len()..]);
        if fits(files, &new) {
            files.insert(new, thing);
        }
    }
}

fn edit(files: &mut Files, path: &str, draw: &mut Draw) {
    let Some(file) = files.get_mut(path) else { return };
    if !file.mode.starts_with("100") {
        *file = thing(file.mode, draw);
        return;
    }
    let mut lines: Vec<Vec<u8>> = file.content.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    let word = format!("new {}\n", draw.below(3)).into_bytes();
    let at = draw.below(lines.len().max(1));
    match draw.below(4) {
        0 => lines.insert(0, word),
        1 if !lines.is_empty() => drop(lines.remove(at)),
        2 if !lines.is_empty() => lines[at] = word,
        _ => lines.push(word),
    }
    file.content = lines.concat();
}

/// Draws of one case.
struct Draw(Draws);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound as u64) as usize
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}
