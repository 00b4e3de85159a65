//! Merging two commits of a person's repository: in process where git's answer is known, by git everywhere else.
//!
//! Git merges with the person's configuration and with the attributes of our side, as it would in a checkout of it, and with
//! all merge bases of a history that has several.

use super::Scratch;
use crate::git::command::{failed, output};
use crate::git::error::GitError;
use crate::git::merge;
use crate::git::quarantine::ABORTED;
use baton_record::Oid;
use baton_record::event::Verdict;
use std::os::unix::process::ExitStatusExt;

/// Where two branches part is looked for in so many commits; reading more takes longer than asking git, which has an index.
pub(super) const COMMITS_MAX: usize = 2000;

/// The answer to a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joined {
    /// It merges to this tree, which lies aside.
    Clean {
        /// The tree.
        tree: Oid,
        /// How it was made.
        by: Verdict,
    },
    /// It does not.
    Conflicts(Vec<Conflict>),
    /// The two have no history in common.
    Unrelated,
}

/// One path that does not merge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// The path; odd bytes are replaced.
    pub path: String,
    /// As git names it: `content`, `modify/delete`, `rename/rename`, `file/directory`…
    pub kind: String,
    /// Where both sides changed the same lines; empty for other kinds.
    pub hunks: Vec<Hunk>,
}

/// Lines that both sides changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hunk {
    /// Line of our side where it begins, counted from 1.
    pub line: u32,
    /// Our lines.
    pub ours: Vec<String>,
    /// Their lines.
    pub theirs: Vec<String>,
}

impl Scratch<'_> {
    /// Merges `theirs` into `ours`; either may lie aside.
    pub fn merge(&self, ours: Oid, theirs: Oid) -> Result<Joined, GitError> {
        self.merge_with(&self.merge_bases(ours, theirs)?, ours, theirs)
    }

    /// The same, where all best common ancestors are known.
    pub fn merge_with(&self, bases: &[Oid], ours: Oid, theirs: Oid) -> Result<Joined, GitError> {
        if bases.is_empty() {
            return Ok(Joined::Unrelated);
        }
        if let [base] = *bases
            && let Some(merged) = merge::walk_commits(&self.visited, base, ours, theirs)?
        {
            self.visited.store(&merged.objects)?;
            return Ok(Joined::Clean { tree: merged.tree, by: merged.verdict });
        }
        self.merge_by_git(ours, theirs)
    }

    /// All best common ancestors.
    pub fn merge_bases(&self, ours: Oid, theirs: Oid) -> Result<Vec<Oid>, GitError> {
        if !self.has_grafts()
            && let Some(bases) = self.visited.merge_bases(ours, theirs, COMMITS_MAX)?
        {
            return Ok(bases);
        }
        let mut command = self.command();
        let said = output(command.args(["merge-base", "--all", &ours.to_hex(), &theirs.to_hex()]))?;
        match said.status.code() {
            Some(0) => Ok(String::from_utf8_lossy(&said.stdout).lines().filter_map(Oid::from_hex).collect()),
            Some(1) => Ok(Vec::new()),
            _ => Err(failed("find where two branches part", &said)),
        }
    }

    /// Merges with a base of the caller's choice.
    pub fn merge_on(&self, base: Oid, ours: Oid, theirs: Oid) -> Result<Joined, GitError> {
        match merge::walk_commits(&self.visited, base, ours, theirs)? {
            Some(merged) => {
                self.visited.store(&merged.objects)?;
                Ok(Joined::Clean { tree: merged.tree, by: merged.verdict })
            }
            None => self.ask_git(Some(base), ours, theirs),
        }
    }

    /// Who has written parents into a file instead of commits has a git that knows them.
    pub(super) fn has_grafts(&self) -> bool {
        self.repository.common_directory().join("info/grafts").exists()
    }

    /// Merges by git alone, whatever the walk could say.
    pub fn merge_by_git(&self, ours: Oid, theirs: Oid) -> Result<Joined, GitError> {
        self.ask_git(None, ours, theirs)
    }

    fn ask_git(&self, base: Option<Oid>, ours: Oid, theirs: Oid) -> Result<Joined, GitError> {
        let mut command = self.command();
        command.arg(format!("--attr-source={ours}"));
        command.args(["merge-tree", "--write-tree", "-z", "--messages", "--allow-unrelated-histories"]);
        command.args(base.map(|base| format!("--merge-base={base}")));
        let said = output(command.args([ours.to_hex(), theirs.to_hex()]))?;
        let tree = said.stdout.split(|&byte| byte == 0).next().and_then(|hex| std::str::from_utf8(hex).ok());
        let tree = tree.and_then(|hex| Oid::from_hex(hex.trim_end()));
        match (said.status.code(), tree) {
            (Some(0), Some(tree)) => Ok(Joined::Clean { tree, by: Verdict::Git }),
            (Some(1), Some(tree)) => {
                let mut words = said.stdout.split(|&byte| byte == 0);
                words.next();
                let conflicts = conflicts_of(&mut words);
                Ok(Joined::Conflicts(self.with_hunks(conflicts, tree, (ours, theirs))))
            }
            _ if said.status.signal() == Some(ABORTED) => {
                let kind = "git broke off its merge".to_owned();
                Ok(Joined::Conflicts(vec![Conflict { path: String::new(), kind, hunks: Vec::new() }]))
            }
            _ => Err(failed(&format!("merge {theirs} into {ours}"), &said)),
        }
    }

    /// The same conflicts with the places of each path that git has marked in its tree.
    pub(super) fn with_hunks(&self, mut conflicts: Vec<Conflict>, tree: Oid, sides: (Oid, Oid)) -> Vec<Conflict> {
        for conflict in &mut conflicts {
            let found = self.visited.entry(tree, &conflict.path).ok().flatten().filter(|entry| entry.mode.is_file());
            let marked = found.and_then(|entry| self.visited.blob(entry.oid).ok()).filter(|blob| !blob.contains(&0));
            conflict.hunks = marked.map_or(Vec::new(), |blob| hunks_of(&String::from_utf8_lossy(&blob), sides));
            // Where a directory has taken a file's name, git puts the file beside it with its commit in the name.
            for side in [sides.0, sides.1] {
                if let Some(own) = conflict.path.strip_suffix(&format!("~{side}")) {
                    conflict.path.truncate(own.len());
                    break;
                }
            }
        }
        conflicts
    }
}

/// Behind the tree, git's answer is: for each conflicting side `mode object stage<TAB>path`; an empty word; then for each
/// message a number of paths, these paths, a type and a text. An empty word is the end.
pub(super) fn conflicts_of<'a>(words: &mut impl Iterator<Item = &'a [u8]>) -> Vec<Conflict> {
    let mut words = words.map(|word| String::from_utf8_lossy(word).into_owned());
    let staged: Vec<String> = words
        .by_ref()
        .take_while(|word| !word.is_empty())
        .filter_map(|word| word.split_once('\t').map(|(_, path)| path.to_owned()))
        .collect();
    let (mut conflicts, mut named_once): (Vec<Conflict>, Vec<String>) = Default::default();
    while let Some(count) = words.next().and_then(|count| count.parse().ok()) {
        let named: Vec<String> = words.by_ref().take(count).collect();
        let (kind, text) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if let Some(kind) = kind.strip_prefix("CONFLICT (").and_then(|kind| kind.strip_suffix(')')) {
            // The text tells whether both sides have added the file: `CONFLICT (add/add): Merge conflict in …`.
            let told = text.strip_prefix("CONFLICT (").and_then(|text| text.split(')').next()).unwrap_or("content");
            let kind = if kind == "contents" { told } else { kind };
            let of = |path| Conflict { path, kind: kind.to_owned(), hunks: Vec::new() };
            named_once.extend(named.iter().cloned());
            conflicts.extend(named.into_iter().take(1).map(of));
        }
    }
    for path in staged {
        if !named_once.contains(&path) {
            conflicts.push(Conflict { path, kind: "content".to_owned(), hunks: Vec::new() });
        }
    }
    conflicts.sort();
    conflicts.dedup_by(|a, b| a.path == b.path && a.kind == b.kind);
    conflicts
}

/// The marked places of a file that git has merged in part; its markers bear the names of the two commits.
fn hunks_of(text: &str, (ours, theirs): (Oid, Oid)) -> Vec<Hunk> {
    let marker = |line: &str, sign: char, label: Oid| {
        let rest = line.trim_start_matches(sign);
        line.len() - rest.len() >= 7 && rest.trim_start().starts_with(&label.to_hex())
    };
    let is_middle = |line: &str, sign: char| line.len() >= 7 && line.trim_end().chars().all(|c| c == sign);
    let (mut hunks, mut line_of_ours, mut open) = (Vec::new(), 0_u32, None::<(Hunk, u8)>);
    for line in text.lines() {
        match &mut open {
            None if marker(line, '<', ours) => {
                open = Some((Hunk { line: line_of_ours + 1, ..Hunk::default() }, 0));
            }
            None => line_of_ours += 1,
            Some((hunk, side)) => match side {
                0 | 1 if is_middle(line, '=') => *side = 2,
                0 if line.starts_with("|||||||") => *side = 1,
                0 => {
                    hunk.ours.push(line.to_owned());
                    line_of_ours += 1;
                }
                1 => {}
                _ if marker(line, '>', theirs) => hunks.extend(open.take().map(|(hunk, _)| hunk)),
                _ => hunk.theirs.push(line.to_owned()),
            },
        }
    }
    hunks
}
