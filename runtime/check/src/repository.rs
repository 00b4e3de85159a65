//! Owns what is read from the repository and in which form: refs, commits, tree differences, blobs,
//! git's own merges. In bulk: one process answers all questions of a sort.
//!
//! Deliberately does not know the journal, nor what any answer is good for.

use crate::Unreadable;
use crate::git::{Answers, Git};
use baton_record::Oid;
use std::collections::BTreeMap;
use std::io::{BufRead, Read};
use std::path::Path;

/// A larger file is not read into memory.
const BLOB_BYTES_MAX: u64 = 1 << 30;

/// The borrowed objects of a run's repository.
pub(crate) struct Repository {
    git: Git,
}

/// What a commit's own bytes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) tree: Oid,
    pub(crate) parents: Vec<Oid>,
    /// The author's name.
    pub(crate) author: String,
    /// The author's address.
    pub(crate) email: String,
    /// When it was made, in seconds since 1970; `None` where that is not plainly written.
    pub(crate) time_s: Option<i64>,
    pub(crate) message: String,
    /// It is written as the product writes one: tree, parents, author, the same committer, no zone, and
    /// nothing else.
    pub(crate) plain: bool,
}

/// A file's mode and blob in a tree.
pub(crate) type Entry = (u32, Oid);

/// One path in which two trees differ; `None`: it is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delta {
    pub(crate) path: Vec<u8>,
    pub(crate) before: Option<Entry>,
    pub(crate) after: Option<Entry>,
}

/// Takes an object: its place among the asked, its type, its bytes.
pub(crate) type EachObject<'a> = dyn FnMut(usize, &str, &[u8]) -> Result<(), String> + 'a;

/// Git's own answer to a three-way merge: the tree, or `None` for a conflict.
pub(crate) type Merged = Option<Oid>;

impl Repository {
    pub(crate) fn borrow(path: &Path, like: Oid) -> Result<Repository, Unreadable> {
        Ok(Repository { git: Git::borrow(path, like)? })
    }

    /// The text of a blob; `None` if it is no blob, not there or not text.
    pub(crate) fn text(&self, blob: Oid) -> Result<Option<String>, String> {
        let mut text = None;
        self.objects(&[blob], &mut |_, kind, bytes| {
            text = std::str::from_utf8(bytes).ok().filter(|_| kind == "blob").map(str::to_owned);
            Ok(())
        })?;
        Ok(text)
    }

    /// Every commit that `head` reaches and `base` does not, by name.
    pub(crate) fn commits_between(&self, base: Oid, head: Oid) -> Result<BTreeMap<Oid, Commit>, String> {
        let answer = self.git.ask(&["rev-list", "--end-of-options", &head.to_hex(), &format!("^{base}")])?;
        let names: Vec<Oid> = String::from_utf8_lossy(&answer).lines().filter_map(Oid::from_hex).collect();
        let mut commits = BTreeMap::new();
        self.objects(&names, &mut |at, kind, bytes| {
            let commit = (kind == "commit").then(|| parse_commit(bytes)).flatten();
            commits.insert(names[at], commit.ok_or_else(|| format!("{} is no readable commit", names[at]))?);
            Ok(())
        })?;
        Ok(commits)
    }

    /// The named commits; `None` for what is missing or no commit.
    pub(crate) fn commits(&self, names: &[Oid]) -> Result<Vec<Option<Commit>>, String> {
        let mut commits = vec![None; names.len()];
        self.objects(names, &mut |at, kind, bytes| {
            commits[at] = (kind == "commit").then(|| parse_commit(bytes)).flatten();
            Ok(())
        })?;
        Ok(commits)
    }

    /// Hands the bytes of each object that exists to `each`, with its place in `names` and its type.
    pub(crate) fn objects(&self, names: &[Oid], each: &mut EachObject<'_>) -> Result<(), String> {
        if names.is_empty() {
            return Ok(());
        }
        let questions: String = names.iter().map(|name| format!("{name}\n")).collect();
        self.git.exchange(&["cat-file", "--batch"], questions.as_bytes(), |answers| {
            let mut bytes = Vec::new();
            for (at, name) in names.iter().enumerate() {
                let header = line(answers)?;
                let mut words = header.split(' ').skip(1);
                let kind = words.next().unwrap_or_default().to_owned();
                let Some(size) = words.next().and_then(|size| size.parse::<u64>().ok()) else {
                    continue;
                };
                if size > BLOB_BYTES_MAX {
                    return Err(format!("{name} has {size} bytes, more than is read"));
                }
                bytes.clear();
                answers.by_ref().take(size).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
                line(answers)?;
                each(at, &kind, &bytes)?;
            }
            Ok(())
        })
    }

    /// For each pair of trees the paths in which they differ, in the order of paths, renames as two paths.
    pub(crate) fn differences(&self, pairs: &[(Oid, Oid)]) -> Result<Vec<Vec<Delta>>, String> {
        if pairs.is_empty() {
            return Ok(Vec::new());
        }
        let questions: String = pairs.iter().map(|(a, b)| format!("{a} {b}\n")).collect();
        let options = [
            "diff-tree",
            "--stdin",
            "-r",
            "-z",
            "--raw",
            "--no-renames",
            "--no-abbrev",
            "--no-ext-diff",
            "--no-textconv",
        ];
        let all = self.git.exchange(&options, questions.as_bytes(), |answers| read_differences(answers, pairs))?;
        if all.len() == pairs.len() { Ok(all) } else { Err("git did not compare all trees".into()) }
    }

    /// Every file of a commit's or tree's whole tree.
    pub(crate) fn files(&self, tree: Oid) -> Result<Vec<(Vec<u8>, Entry)>, String> {
        let answer = self.git.ask(&["ls-tree", "-r", "-z", "--full-tree", &tree.to_hex()])?;
        let entry = |record: &[u8]| -> Option<(Vec<u8>, Entry)> {
            let tab = record.iter().position(|byte| *byte == b'\t')?;
            let mut words = std::str::from_utf8(&record[..tab]).ok()?.split(' ');
            let mode = u32::from_str_radix(words.next()?, 8).ok()?;
            Some((record[tab + 1..].to_vec(), (mode, Oid::from_hex(words.nth(1)?)?)))
        };
        let records = answer.split(|byte| *byte == 0).filter(|record| !record.is_empty());
        records.map(|record| entry(record).ok_or_else(|| format!("a tree entry of {tree} is malformed"))).collect()
    }

    /// The file at each path in a commit's tree; `None`: none is there. No path has a line break in it.
    pub(crate) fn paths_at(&self, asked: &[(Oid, String)]) -> Result<Vec<Option<Oid>>, String> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let questions: String = asked.iter().map(|(commit, path)| format!("{commit}:{path}\n")).collect();
        self.git.exchange(&["cat-file", "--batch-check"], questions.as_bytes(), |answers| {
            let mut found = Vec::with_capacity(asked.len());
            for _ in asked {
                let answer = line(answers)?;
                let mut words = answer.split(' ');
                let name = words.next().and_then(Oid::from_hex);
                found.push(name.filter(|_| words.next() == Some("blob")));
            }
            Ok(found)
        })
    }

    /// Paths of every symbolic link in a commit's tree.
    pub(crate) fn links(&self, commit: Oid) -> Result<Vec<Vec<u8>>, String> {
        let files = self.files(commit)?.into_iter();
        Ok(files.filter(|(_, (mode, _))| *mode == 0o120_000).map(|(path, _)| path).collect())
    }

    /// What git itself makes of each `(base, ours, theirs)`.
    pub(crate) fn merges(&self, asked: &[(Oid, Oid, Oid)]) -> Result<Vec<Merged>, String> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let questions: String =
            asked.iter().map(|(base, ours, theirs)| format!("{base} -- {ours} {theirs}\n")).collect();
        let options = ["merge-tree", "--write-tree", "--no-messages", "--stdin"];
        self.git.exchange(&options, questions.as_bytes(), |answers| {
            let mut all = Vec::with_capacity(asked.len());
            for _ in asked {
                let clean = field(answers)? == b"1";
                let tree = field(answers)?;
                while !field(answers)?.is_empty() {}
                let tree = std::str::from_utf8(&tree).ok().and_then(Oid::from_hex);
                all.push(tree.filter(|_| clean));
            }
            Ok(all)
        })
    }

    /// Whether every object is what its name says and everything that `heads` reach is there.
    pub(crate) fn fsck(&self, heads: &[Oid]) -> Result<(), String> {
        let heads: Vec<String> = heads.iter().map(Oid::to_hex).collect();
        let mut arguments = vec!["fsck", "--full", "--strict", "--no-dangling", "--no-progress"];
        arguments.extend(heads.iter().map(String::as_str));
        self.git.ask(&arguments).map(|_| ())
    }
}

fn line(answers: &mut Answers) -> Result<String, String> {
    let mut text = Vec::new();
    let len = answers.read_until(b'\n', &mut text).map_err(|error| error.to_string())?;
    if len == 0 {
        Err("git answered too little".into())
    } else {
        Ok(String::from_utf8_lossy(&text).trim_end().to_owned())
    }
}

/// The bytes before the next NUL.
fn field(answers: &mut Answers) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    answers.read_until(0, &mut bytes).map_err(|error| error.to_string())?;
    if bytes.pop() == Some(0) { Ok(bytes) } else { Err("git answered too little".into()) }
}

/// A pair's header is a line with both names; its differences start with a colon and end with two NULs.
fn read_differences(answers: &mut Answers, pairs: &[(Oid, Oid)]) -> Result<Vec<Vec<Delta>>, String> {
    let mut all: Vec<Vec<Delta>> = Vec::with_capacity(pairs.len());
    loop {
        let next = answers.fill_buf().map_err(|error| error.to_string())?.first().copied();
        match next {
            None => return Ok(all),
            Some(b':') => {
                let header = field(answers)?;
                let path = field(answers)?;
                let delta = parse_delta(&header, path).ok_or("git's difference of two trees is malformed")?;
                all.last_mut().ok_or("git's difference belongs to no pair")?.push(delta);
            }
            Some(_) => {
                let header = line(answers)?;
                let fits = pairs.get(all.len()).is_some_and(|(a, b)| header == format!("{a} {b}"));
                if !fits {
                    return Err("git answered out of order".into());
                }
                all.push(Vec::new());
            }
        }
    }
}

/// `:mode mode name name letter`; mode 000000 where the path is not there.
fn parse_delta(header: &[u8], path: Vec<u8>) -> Option<Delta> {
    let mut words = std::str::from_utf8(header).ok()?.strip_prefix(':')?.split(' ');
    let modes = [words.next()?, words.next()?];
    let names = [words.next()?, words.next()?];
    let side = |at: usize| -> Option<Option<Entry>> {
        let mode = u32::from_str_radix(modes[at], 8).ok()?;
        let name = Oid::from_hex(names[at])?;
        Some((mode != 0).then_some((mode, name)))
    };
    Some(Delta { path, before: side(0)?, after: side(1)? })
}

/// Reads the raw bytes of a commit.
fn parse_commit(bytes: &[u8]) -> Option<Commit> {
    let text = String::from_utf8_lossy(bytes);
    let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let tree = Oid::from_hex(lines.next()?.strip_prefix("tree ")?)?;
    let mut commit = Commit {
        tree,
        parents: Vec::new(),
        author: String::new(),
        email: String::new(),
        time_s: None,
        message: message.to_owned(),
        plain: false,
    };
    for line in lines {
        if let Some(parent) = line.strip_prefix("parent ") {
            commit.parents.push(Oid::from_hex(parent)?);
        } else if let Some(author) = line.strip_prefix("author ") {
            let (name, rest) = author.split_once(" <").unwrap_or((author, ""));
            let (email, time) = rest.split_once("> ").unwrap_or((rest, ""));
            commit.author = name.to_owned();
            commit.email = email.to_owned();
            commit.time_s = time.strip_suffix(" +0000").and_then(|seconds| seconds.parse().ok());
        }
    }
    commit.plain = commit.written().as_bytes() == bytes;
    Some(commit)
}

impl Commit {
    /// The bytes that the product would write.
    fn written(&self) -> String {
        let parents: String = self.parents.iter().map(|parent| format!("parent {parent}\n")).collect();
        let who = format!("{} <{}> {} +0000", self.author, self.email, self.time_s.unwrap_or_default());
        format!("tree {}\n{parents}author {who}\ncommitter {who}\n\n{}", self.tree, self.message)
    }
}
