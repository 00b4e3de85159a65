//! What does not merge, as git says it: the one reader of `merge-tree`'s refusals, for teams and for people's repositories.
//!
//! Deliberately does not know who asked, nor where the objects of the half-made merge lie.

use super::same_lines::same_lines;
use baton_record::Oid;
use std::sync::Arc;

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
    /// Line of our side where it begins, counted from 1: of our own file where that is known, else as far as git has merged it.
    pub line: u32,
    /// The same for their side.
    pub their_line: u32,
    /// Our lines.
    pub ours: Vec<String>,
    /// Their lines.
    pub theirs: Vec<String>,
}

/// Reads a file of a commit.
pub(super) type OwnFile<'f> = &'f dyn Fn(Oid, &str) -> Option<Arc<[u8]>>;

/// Git's refusal of a merge.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The paths of which git has no version, or, where there is none, those that its messages name: sorted, each once.
    pub(super) paths: Vec<String>,
    /// What it says of them, without hunks: sorted.
    pub(super) conflicts: Vec<Conflict>,
}

impl Refusal {
    /// Behind the tree, git's answer is: for each conflicting side `mode object stage<TAB>path`; an empty word; then for each
    /// message a number of paths, these paths, a type and a text. An empty word is the end. Some conflicts, such as a
    /// directory that was split by renames, stand only in the messages.
    pub(super) fn read<'a>(words: &mut impl Iterator<Item = &'a [u8]>) -> Refusal {
        let mut words = words.map(|word| String::from_utf8_lossy(word).into_owned());
        let staged = words.by_ref().take_while(|word| !word.is_empty());
        let staged = staged.filter_map(|word| word.split_once('\t').map(|(_, path)| path.to_owned())).collect();
        let (mut conflicts, mut named_once): (Vec<Conflict>, Vec<String>) = Default::default();
        while let Some(count) = words.next().and_then(|count| count.parse().ok()) {
            let named: Vec<String> = words.by_ref().take(count).collect();
            let (kind, text) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            if let Some(kind) = kind.strip_prefix("CONFLICT (").and_then(|kind| kind.strip_suffix(')')) {
                // The text tells whether both sides have added the file: `CONFLICT (add/add): Merge conflict in …`.
                let told = text.strip_prefix("CONFLICT (").and_then(|text| text.split(')').next()).unwrap_or("content");
                let kind = if kind == "contents" { told } else { kind };
                named_once.extend(named.iter().cloned());
                conflicts.extend(named.into_iter().take(1).map(|path| Conflict::of(path, kind)));
            }
        }
        Refusal::of(staged, named_once, conflicts)
    }

    /// Its conflicts with the places that git has marked in files of its tree.
    pub(super) fn places(&self, sides: (Oid, Oid), marked: &dyn Fn(&str) -> Option<Arc<[u8]>>) -> Vec<Conflict> {
        self.places_in(sides, marked, &|_, _| None)
    }

    /// The same, with lines counted in the files of both sides as far as `own`, the file of a commit, finds them.
    pub(super) fn places_in(
        &self,
        sides: (Oid, Oid),
        marked: &dyn Fn(&str) -> Option<Arc<[u8]>>,
        own: OwnFile<'_>,
    ) -> Vec<Conflict> {
        let mut conflicts = self.conflicts.clone();
        for conflict in &mut conflicts {
            let Some(blob) = marked(&conflict.path).filter(|blob| !blob.contains(&0)) else { continue };
            let text = String::from_utf8_lossy(&blob);
            let Marked { mut hunks, ours, theirs } = Marked::read(&text, sides);
            if !hunks.is_empty() {
                let found =
                    |side: Oid, lines: &[&str]| own(side, &conflict.path).and_then(|own| own_lines(lines, &own));
                let (in_ours, in_theirs) = (found(sides.0, &ours), found(sides.1, &theirs));
                for hunk in &mut hunks {
                    in_ours.iter().for_each(|own| hunk.line = own_line(own, hunk.line));
                    in_theirs.iter().for_each(|own| hunk.their_line = own_line(own, hunk.their_line));
                }
            }
            conflict.hunks = hunks;
            // Where a directory has taken a file's name, git puts the file beside it with its commit in the name.
            let beside = [sides.0, sides.1].map(|side| format!("~{side}"));
            if let Some(own) = beside.iter().find_map(|beside| conflict.path.strip_suffix(beside.as_str())) {
                conflict.path.truncate(own.len());
            }
        }
        conflicts
    }

    fn of(staged: Vec<String>, named: Vec<String>, mut conflicts: Vec<Conflict>) -> Refusal {
        let unnamed = staged.iter().filter(|path| !named.contains(path));
        conflicts.extend(unnamed.map(|path| Conflict::of(path.clone(), "content")));
        conflicts.sort();
        conflicts.dedup_by(|a, b| a.path == b.path && a.kind == b.kind);
        let mut paths = if staged.is_empty() { named } else { staged };
        paths.sort();
        paths.dedup();
        Refusal { paths, conflicts }
    }
}

impl Conflict {
    /// Without hunks.
    pub(super) fn of(path: String, kind: &str) -> Conflict {
        Conflict { path, kind: kind.to_owned(), hunks: Vec::new() }
    }
}

/// A file that git has merged in part.
#[derive(Default)]
struct Marked<'t> {
    /// Where it has not; lines are counted in the two texts below.
    hunks: Vec<Hunk>,
    /// The text with our side at each of these places.
    ours: Vec<&'t str>,
    /// The text with theirs.
    theirs: Vec<&'t str>,
}

impl<'t> Marked<'t> {
    /// Git's markers bear the names of the two commits.
    fn read(text: &'t str, (ours, theirs): (Oid, Oid)) -> Marked<'t> {
        let marker = |line: &str, sign: char, label: Oid| {
            let rest = line.trim_start_matches(sign);
            line.len() - rest.len() >= 7 && rest.trim_start().starts_with(&label.to_hex())
        };
        let is_middle = |line: &str, sign: char| line.len() >= 7 && line.trim_end().chars().all(|c| c == sign);
        let next = |lines: &[&str]| lines.len() as u32 + 1;
        let (mut marked, mut open) = (Marked::default(), None::<(Hunk, u8)>);
        for line in text.lines() {
            match &mut open {
                None if marker(line, '<', ours) => {
                    let (line, their_line) = (next(&marked.ours), next(&marked.theirs));
                    open = Some((Hunk { line, their_line, ..Hunk::default() }, 0));
                }
                None => {
                    marked.ours.push(line);
                    marked.theirs.push(line);
                }
                Some((hunk, side)) => match side {
                    0 | 1 if is_middle(line, '=') => *side = 2,
                    0 if line.starts_with("|||||||") => *side = 1,
                    0 => {
                        hunk.ours.push(line.to_owned());
                        marked.ours.push(line);
                    }
                    1 => {}
                    _ if marker(line, '>', theirs) => marked.hunks.extend(open.take().map(|(hunk, _)| hunk)),
                    _ => {
                        hunk.theirs.push(line.to_owned());
                        marked.theirs.push(line);
                    }
                },
            }
        }
        marked
    }
}

/// Where the lines of a half merged text stand in a side's own file.
fn own_lines(lines: &[&str], own: &[u8]) -> Option<Vec<Option<usize>>> {
    let text = String::from_utf8_lossy(own);
    same_lines(lines, &text.lines().collect::<Vec<_>>())
}

/// The line of the own file for a line of the half merged one: that line, or the one behind the last before it that is in both.
fn own_line(own: &[Option<usize>], line: u32) -> u32 {
    let at = line as usize - 1;
    if let Some(Some(found)) = own.get(at) {
        return *found as u32 + 1;
    }
    own[..at.min(own.len())].iter().rev().find_map(|found| *found).map_or(1, |before| before as u32 + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_are_named_by_path_or_else_by_message() {
        let split = "CONFLICT (directory rename split)";
        for (answer, paths, conflicts) in [
            (
                "t\x00100644 o 2\tb\x00100644 o 3\tb\x00100644 o 1\ta\0\x001\0b\0CONFLICT (contents)\0text\0"
                    .to_owned(),
                &["a", "b"][..],
                &[("a", "content"), ("b", "content")][..],
            ),
            (
                format!("t\0\x001\0x\0Auto-merging\0text\x002\0d\0c\0{split}\0text\0"),
                &["c", "d"],
                &[("d", "directory rename split")],
            ),
            (
                "t\x00100644 o 1\tm\0\x001\0m\0CONFLICT (modify/delete)\0text\0".to_owned(),
                &["m"],
                &[("m", "modify/delete")],
            ),
            ("t\0\0".to_owned(), &[], &[]),
        ] {
            let read = Refusal::read(&mut answer.as_bytes().split(|&byte| byte == 0).skip(1));
            let conflicts: Vec<_> =
                conflicts.iter().map(|(path, kind)| Conflict::of((*path).to_owned(), kind)).collect();
            assert_eq!(
                (read.paths.iter().map(String::as_str).collect::<Vec<_>>(), read.conflicts),
                (paths.to_vec(), conflicts)
            );
        }
    }
}
