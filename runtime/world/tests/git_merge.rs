//! Every merge has git's own answer, whichever way it was found.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "git/support.rs"]
mod support;

use baton_record::Oid;
use baton_record::event::Verdict;
use baton_world::git::{Durability, FileMode, Merged, ObjectFormat, Repository};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;
use support::{Draw, Files, check_sound, commit, edits, git, meta, put, put_as, remove};

/// Paths whose names meet in git's order, at each other's prefixes, and in several scripts.
const PATHS: [&str; 26] = [
    "a",
    "a-b",
    "a.c",
    "a/x",
    "a/x/y",
    "a/z",
    "a0",
    "b",
    "b/c/d/e",
    "b/c/d/f",
    "b/c/g",
    "dir/one.md",
    "dir/two.md",
    "dir/three.md",
    "dir/sub/four.md",
    "dir/sub/five.md",
    "lib/α/β.txt",
    "lib/α",
    "lib/日本.md",
    "lib/é.md",
    "run.sh",
    "link",
    "data.bin",
    "crlf.txt",
    ".gitattributes",
    "new/deep/er/file",
];

fn content(draw: &mut Draw) -> Vec<u8> {
    let lines = 1 + draw.below(30);
    let (end, word) = (draw.pick(&["\n", "\n", "\r\n"]), draw.below(4));
    let text: String = (0..lines).map(|line| format!("{word} line {line} äöü{end}")).collect();
    match draw.below(8) {
        0 => [b"\0\x01\xff", text.as_bytes()].concat(),
        1 => Vec::new(),
        2 => text.trim_end().as_bytes().to_vec(),
        _ => text.into_bytes(),
    }
}

fn fits(files: &Files, path: &str) -> bool {
    let clash = |other: &str| other.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
    let above = |other: &str| path.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'));
    !files.keys().any(|other| clash(other) || above(other))
}

fn add(files: &mut Files, path: &str, draw: &mut Draw) {
    let mode =
        draw.pick(&[FileMode::Regular, FileMode::Regular, FileMode::Regular, FileMode::Executable, FileMode::Symlink]);
    let mode = if path == ".gitattributes" { FileMode::Regular } else { mode };
    if fits(files, path) {
        files.insert(
            path.to_owned(),
            (mode, if mode == FileMode::Symlink { b"dir/one.md".to_vec() } else { content(draw) }),
        );
    }
}

fn some_files(draw: &mut Draw) -> Files {
    let mut files = Files::new();
    for _ in 0..draw.below(20) {
        add(&mut files, draw.pick(&PATHS), draw);
    }
    // Without these, git would have nothing to look through in most draws.
    for number in 0..draw.below(8) {
        add(&mut files, &format!("notes/{number}.md"), draw);
    }
    files
}

fn edit_lines(content: &mut Vec<u8>, draw: &mut Draw) {
    let mut lines: Vec<Vec<u8>> = content.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    let word = format!("new {}\n", draw.below(3)).into_bytes();
    let at = draw.below(lines.len().max(1));
    match draw.below(4) {
        0 => lines.push(word),
        1 => lines.insert(0, word),
        2 if !lines.is_empty() => drop(lines.remove(at)),
        3 if !lines.is_empty() => lines[at] = word,
        _ => lines.push(word),
    }
    *content = lines.concat();
}

fn rename_directory(files: &mut Files, from: &str, to: &str) {
    let moved: Vec<String> = files.keys().filter(|path| path.starts_with(from)).cloned().collect();
    for path in moved {
        let file = files.remove(&path).unwrap();
        let new = format!("{to}{}", &path[from.len()..]);
        if fits(files, &new) {
            files.insert(new, file);
        }
    }
}

/// One step of a side. `tame` ones only add files and edit them.
fn step(files: &mut Files, tame: bool, draw: &mut Draw) {
    let paths: Vec<String> = files.keys().cloned().collect();
    let new = format!("{}new-{}.md", draw.pick(&["", "dir/", "notes/", "b/c/"]), draw.below(3));
    if paths.is_empty() || draw.one_in(4) {
        return if draw.one_in(3) { add(files, draw.pick(&PATHS), draw) } else { add(files, &new, draw) };
    }
    let path = paths[draw.below(paths.len())].clone();
    let next = |mode: FileMode| match mode {
        FileMode::Regular => FileMode::Executable,
        FileMode::Executable => FileMode::Symlink,
        FileMode::Symlink => FileMode::Regular,
    };
    match if tame { 0 } else { draw.below(16) } {
        6 => drop(files.get_mut(&path).map(|file| file.0 = next(file.0))),
        7 => drop(files.get_mut(&path).map(|file| file.1 = content(draw))),
        8 => drop(files.remove(&path)),
        9 | 10 => {
            let mut file = files.remove(&path).unwrap();
            if draw.one_in(2) {
                edit_lines(&mut file.1, draw);
            }
            let new = if draw.one_in(2) { new } else { draw.pick(&PATHS).to_owned() };
            if fits(files, &new) {
                files.insert(new, file);
            }
        }
        11 => {
            // A file becomes a directory.
            files.remove(&path);
            add(files, &format!("{path}/inner"), draw);
        }
        12 => {
            // A directory becomes a file.
            let directory = path.rsplit_once('/').map_or(path.as_str(), |(directory, _)| directory).to_owned();
            files.retain(|path, _| !path.starts_with(&format!("{directory}/")) && *path != directory);
            add(files, &directory, draw);
        }
        13 => rename_directory(files, draw.pick(&["dir/", "notes/", "b/c/"]), draw.pick(&["moved/", "dir2/", "b/"])),
        14 if fits(files, &new) => drop(files.insert(new, files[&path].clone())),
        15 if draw.one_in(6) => files.clear(),
        _ => drop(files.get_mut(&path).map(|file| edit_lines(&mut file.1, draw))),
    }
    if !fits(files, ".gitattributes") || files.get(".gitattributes").is_some_and(|file| file.0 == FileMode::Symlink) {
        files.retain(|path, _| !path.starts_with(".gitattributes"));
    }
}

fn side(base: &Files, tame: bool, draw: &mut Draw) -> Files {
    let mut files = base.clone();
    for _ in 0..1 + draw.below(4) {
        step(&mut files, tame, draw);
    }
    files
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Clean(Oid),
    Conflict(Vec<String>),
    /// Git failed one of its own assertions.
    None,
}

struct Case {
    seed: u64,
    line: String,
    ours: Answer,
}

/// Git's answers, all from one program unless that breaks off: then each half has one of its own, down to the merge
/// that does it.
fn git_answers(repository: &Path, cases: &[Case]) -> Vec<Answer> {
    let lines: String = cases.iter().map(|case| case.line.as_str()).collect();
    let output = git(&["merge-tree", "--stdin", "--name-only", "--no-messages"], repository, lines.as_bytes());
    if output.status.success() {
        return read_answers(&output);
    }
    assert_eq!(output.status.signal(), Some(6), "{}", String::from_utf8_lossy(&output.stderr));
    let (first, second) = cases.split_at(cases.len() / 2);
    if first.is_empty() {
        return vec![Answer::None];
    }
    [first, second].into_iter().flat_map(|half| git_answers(repository, half)).collect()
}

/// For each merge: status, tree, conflicting paths, an empty word.
fn read_answers(output: &Output) -> Vec<Answer> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let mut words = text.split('\0');
    let mut answers = Vec::new();
    while let Some(status) = words.next().filter(|word| !word.is_empty()) {
        let tree = Oid::from_hex(words.next().unwrap()).unwrap();
        let mut paths: Vec<String> = words.by_ref().take_while(|word| !word.is_empty()).map(str::to_owned).collect();
        paths.sort();
        answers.push(if status == "1" { Answer::Clean(tree) } else { Answer::Conflict(paths) });
    }
    answers
}

/// Merges `count` generated pairs of sides, and compares with git in a copy that has all objects. Lands what is clean.
/// Returns how many were the same, by walk, by git and in conflict.
fn compare(format: ObjectFormat, seeds: std::ops::Range<u64>) -> [usize; 4] {
    let directory = tempfile::tempdir().unwrap();
    let init = |name: &str| Repository::init(&directory.path().join(name), format, Durability::Buffered).unwrap();
    let (repository, judge) = (init("ours.git"), init("judge.git"));
    let first = repository.begin(&[], &meta(0)).unwrap();
    assert_eq!(judge.begin(&[], &meta(0)).unwrap(), first);
    let (mut counts, mut cases) = ([0; 4], Vec::new());
    for seed in seeds {
        let mut draw = Draw(seed);
        let files = some_files(&mut draw);
        let tame = draw.below(4);
        let (ours, theirs) = (side(&files, tame & 1 == 0, &mut draw), side(&files, tame & 2 == 0, &mut draw));
        let base = commit(&repository, first, &edits(&Files::new(), &files), 1);
        let still = draw.one_in(20);
        let main = if still { base } else { commit(&repository, base, &edits(&files, &ours), 2) };
        let proposal = repository.propose(base, &edits(&files, &theirs), &meta(3)).unwrap();
        judge.store(&repository.propose(first, &edits(&Files::new(), &files), &meta(1)).unwrap().objects).unwrap();
        judge.store(&repository.propose(base, &edits(&files, &ours), &meta(2)).unwrap().objects).unwrap();
        judge.store(&proposal.objects).unwrap();
        if seed % 2 == 1 && !still {
            // What a repository knows of the way that it moved main itself changes no answer.
            repository.set_main_without_compare(base).unwrap();
            repository.move_main(base, main, None).unwrap().unwrap();
        }
        let merged = repository.merge(main, &proposal).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let (answer, kind) = match merged {
            Merged::Conflict { paths, .. } => (Answer::Conflict(paths), 3),
            Merged::Clean(clean) => {
                let landing = repository.land_commit(main, &proposal, &clean, &meta(4));
                repository.store(&landing.objects).unwrap();
                repository.set_main_without_compare(landing.commit).unwrap();
                let kinds = [Verdict::Same, Verdict::Walk, Verdict::Git];
                (Answer::Clean(clean.tree), kinds.iter().position(|kind| *kind == clean.verdict).unwrap())
            }
        };
        counts[kind] += 1;
        cases.push(Case { seed, line: format!("{base} -- {main} {}\n", proposal.commit), ours: answer });
    }
    let answers = git_answers(judge.path(), &cases);
    assert_eq!(answers.len(), cases.len());
    for (case, git) in cases.iter().zip(answers) {
        match (&case.ours, &git) {
            // Git has conflicts that it names in its messages only.
            (Answer::Conflict(_), Answer::Conflict(paths)) if paths.is_empty() => {}
            (Answer::Conflict(_), Answer::None) => {}
            (ours, git) => assert_eq!(ours, git, "seed {}", case.seed),
        }
    }
    repository.sync().unwrap();
    check_sound(repository.path(), true);
    counts
}

#[test]
fn generated_merges_have_the_verdict_and_tree_of_git() {
    let counts = compare(ObjectFormat::Sha1, 0..800);
    println!("same, walk, git, conflict: {counts:?}");
    assert!(counts.iter().all(|count| *count >= 20), "{counts:?}");
}

#[test]
fn merges_of_sha256_repositories_have_the_verdict_and_tree_of_git() {
    let counts = compare(ObjectFormat::Sha256, 0..100);
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

/// Git 2.47 fails an assertion of its own at this one.
#[test]
fn a_merge_that_git_breaks_off_never_lands() {
    compare(ObjectFormat::Sha1, 1_008_143..1_008_144);
}

/// Base, main's side, the proposal's side, and how the merge has to be made (`None`: a conflict).
type Chosen = (&'static str, Files, Files, Files, Option<Verdict>);

fn files(list: &[(&str, FileMode, &str)]) -> Files {
    list.iter().map(|(path, mode, content)| ((*path).to_owned(), (*mode, content.as_bytes().to_vec()))).collect()
}

fn chosen() -> Vec<Chosen> {
    use FileMode::{Executable, Regular, Symlink};
    let base = || files(&[("a", Regular, "1\n2\n3\n4\n5\n"), ("d/x", Regular, "x\n"), ("d/y", Regular, "y\n")]);
    let with = |list: &[(&str, FileMode, &str)]| base().into_iter().chain(files(list)).collect::<Files>();
    let without = |path: &str| base().into_iter().filter(|(at, _)| at != path).collect::<Files>();
    let moved = |from: &str, to: &str| {
        let renamed = |(path, file): (String, _)| if path == from { (to.to_owned(), file) } else { (path, file) };
        base().into_iter().map(renamed).collect::<Files>()
    };
    let edit = || with(&[("a", Regular, "1\n2\n3\n4\n5\n6\n")]);
    let renamed = base().into_iter().map(|(path, file)| (path.replace("d/", "e/"), file)).collect::<Files>();
    let (walk, git) = (Some(Verdict::Walk), Some(Verdict::Git));
    vec![
        ("two files edited", base(), edit(), with(&[("d/x", Regular, "z\n")]), walk),
        (
            "two files edited in one directory",
            base(),
            with(&[("d/y", Regular, "z\n")]),
            with(&[("d/x", Regular, "z\n")]),
            walk,
        ),
        (
            "new files in one new directory",
            base(),
            with(&[("n/a", Regular, "")]),
            with(&[("n/b", Executable, "")]),
            walk,
        ),
        ("main says what base said", base(), base(), edit(), walk),
        ("one file edited at both ends", base(), edit(), with(&[("a", Regular, "0\n1\n2\n3\n4\n5\n")]), walk),
        (
            "one file edited at both ends, and how to merge it",
            base(),
            edit(),
            with(&[("a", Regular, "0\n1\n2\n3\n4\n5\n"), (".gitattributes", Regular, "a merge=union\n")]),
            git,
        ),
        (
            "one file edited at both ends, and its mode",
            base(),
            edit(),
            with(&[("a", Executable, "0\n1\n2\n3\n4\n5\n")]),
            git,
        ),
        ("one file edited at one place", base(), edit(), with(&[("a", Regular, "1\n2\n3\n4\n5\n7\n")]), None),
        ("the same edit on both sides", base(), edit(), edit(), walk),
        ("a deletion", base(), edit(), without("d/x"), walk),
        ("the same deletion on both sides", base(), without("d/x"), without("d/x"), walk),
        ("a deletion of what was renamed", base(), without("d/x"), moved("d/x", "e"), None),
        ("a file renamed, another edited", base(), edit(), moved("d/x", "e"), walk),
        ("a directory renamed, a file edited elsewhere", base(), edit(), renamed.clone(), walk),
        ("a directory emptied by both together", base(), without("d/x"), without("d/y"), walk),
        ("a file that becomes a directory", base(), edit(), moved("d/x", "d/x/in"), git),
        ("the same new file beside a deletion", base(), with(&[("n", Regular, "n")]), moved("d/x", "n"), None),
        ("a deletion of what was edited", base(), edit(), without("a"), None),
        ("a new mode", base(), edit(), with(&[("d/x", Executable, "x\n")]), walk),
        ("a link in place of a file", base(), edit(), with(&[("d/x", Symlink, "y")]), git),
        ("a new link", base(), edit(), with(&[("l", Symlink, "a")]), git),
        (
            "a file and a directory of one name",
            base(),
            with(&[("n", Regular, "")]),
            with(&[("n/b", Regular, "")]),
            None,
        ),
        ("a new file in a renamed directory", base(), renamed, with(&[("d/new", Regular, "new\n")]), None),
        ("the same new file", base(), with(&[("n", Regular, "n")]), with(&[("n", Regular, "n")]), walk),
    ]
}

#[test]
fn chosen_merges_are_made_the_way_they_have_to_be() {
    let directory = tempfile::tempdir().unwrap();
    let repository = Repository::init(directory.path(), ObjectFormat::Sha1, Durability::Buffered).unwrap();
    let first = repository.begin(&[], &meta(0)).unwrap();
    for (name, base_files, ours, theirs, verdict) in chosen() {
        let base = commit(&repository, first, &edits(&Files::new(), &base_files), 1);
        let main = commit(&repository, base, &edits(&base_files, &ours), 2);
        let proposal = repository.propose(base, &edits(&base_files, &theirs), &meta(3)).unwrap();
        match (repository.merge(main, &proposal).unwrap(), verdict) {
            (Merged::Clean(clean), Some(verdict)) => assert_eq!(clean.verdict, verdict, "{name}"),
            (Merged::Conflict { paths, .. }, None) => assert!(!paths.is_empty(), "{name}"),
            (merged, _) => panic!("{name}: {merged:?}"),
        }
        assert!(!directory.path().join("baton-quarantine/0").exists(), "{name}");
    }
}

#[test]
fn a_tree_that_git_would_rewrite_is_left_to_git() {
    let directory = tempfile::tempdir().unwrap();
    let repository = Repository::init(directory.path(), ObjectFormat::Sha1, Durability::Buffered).unwrap();
    let first = repository.begin(&[put("d/a", "a\n"), put("d/b", "b\n")], &meta(0)).unwrap();
    let entry = repository.entry(repository.commit(first).unwrap().tree, "d/a").unwrap().unwrap();
    // The mode of a file that its group may write: git wrote such trees in its first months.
    let raw = [b"100664 a\0", entry.oid.as_bytes(), b"100644 b\0", entry.oid.as_bytes()].concat();
    let hash = |kind: &str, data: &[u8]| {
        let output = git(&["hash-object", "-w", "--literally", "-t", kind, "--stdin"], directory.path(), data);
        Oid::from_hex(String::from_utf8(output.stdout).unwrap().trim()).unwrap()
    };
    let inner = hash("tree", &raw);
    let root = hash("tree", &[b"40000 d\0", inner.as_bytes()].concat());
    let who = "a <a@b> 1 +0000";
    let base = hash("commit", format!("tree {root}\nauthor {who}\ncommitter {who}\n\nold\n").as_bytes());
    let main = commit(&repository, base, &[put("new", "")], 1);
    let proposal = repository.propose(base, &[put("d/c", "")], &meta(2)).unwrap();
    let Merged::Clean(clean) = repository.merge(main, &proposal).unwrap() else { panic!("no conflict") };
    assert_eq!(clean.verdict, Verdict::Git);
    repository.store(&proposal.objects).unwrap();
    let line = format!("{base} -- {main} {}\n", proposal.commit);
    let case = [Case { seed: 0, line, ours: Answer::Clean(clean.tree) }];
    assert_eq!(git_answers(directory.path(), &case)[0], case[0].ours);
}

#[test]
fn a_change_that_main_has_already_gives_mains_tree() {
    let directory = tempfile::tempdir().unwrap();
    let repository = Repository::init(directory.path(), ObjectFormat::Sha1, Durability::Buffered).unwrap();
    let base = repository.begin(&[put("a", "1\n"), put("b", "1\n")], &meta(0)).unwrap();
    let main = commit(&repository, base, &[put("a", "2\n"), remove("b")], 1);
    for edits in [vec![put("a", "2\n")], vec![remove("b")], vec![], vec![put_as("a", FileMode::Regular, b"1\n")]] {
        let proposal = repository.propose(base, &edits, &meta(2)).unwrap();
        let Merged::Clean(clean) = repository.merge(main, &proposal).unwrap() else { panic!("no conflict") };
        assert_eq!(clean.tree, repository.commit(main).unwrap().tree);
    }
}
