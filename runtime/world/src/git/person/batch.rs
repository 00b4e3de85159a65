//! Many merges at once: by the walk where it answers, and by few git programs for all the rest.
//!
//! A git program answers a batch of merges in half the time of as many programs, but reads attributes from one tree. So
//! merges are put together whose own sides have the same attribute files in the same places.

use super::merging::{COMMITS_MAX, Joined};
use super::{Scratch, with_input};
use crate::git::conflict::Refusal;
use crate::git::error::GitError;
use crate::git::merge;
use crate::git::tree::{EntryMode, empty_tree};
use baton_record::Oid;
use baton_record::event::Verdict;
use std::collections::BTreeMap;

/// One program is asked for so many merges at most, so that another can take a part of them.
const BATCH_MAX: usize = 200;

/// A merge in a batch: our commit and theirs.
pub type Asked = (Oid, Oid);

/// The same, on a base of the caller's choice; `None`: where the two part.
pub type AskedOn = (Option<Oid>, Asked);

impl Scratch<'_> {
    /// The answer to a merge if it can be given without git; the merged tree is not stored. `None`: it is git's to say.
    pub fn merge_in_process(&self, (ours, theirs): Asked) -> Result<Option<Joined>, GitError> {
        let Some(bases) = self.merge_bases_in_process((ours, theirs))? else { return Ok(None) };
        match bases[..] {
            [] => Ok(Some(Joined::Unrelated)),
            [base] => self.merge_in_process_on(base, (ours, theirs)),
            _ => Ok(None),
        }
    }

    /// The same, on a base of the caller's choice.
    pub fn merge_in_process_on(&self, base: Oid, (ours, theirs): Asked) -> Result<Option<Joined>, GitError> {
        let merged = merge::name_of_merge(&self.visited, [base, ours, theirs])?;
        Ok(merged.map(|merged| Joined::Clean { tree: merged.tree, by: merged.verdict }))
    }

    /// All best common ancestors if they can be found without git.
    pub fn merge_bases_in_process(&self, (ours, theirs): Asked) -> Result<Option<Vec<Oid>>, GitError> {
        if self.has_grafts() { Ok(None) } else { self.visited.merge_bases(ours, theirs, COMMITS_MAX) }
    }

    /// Git's answers to merges of commits that have some history in common, in their order, by at most `jobs` programs at a
    /// time. It goes on where a program breaks off.
    pub fn merge_all_by_git(&self, asked: &[Asked], jobs: usize) -> Result<Vec<Joined>, GitError> {
        let asked: Vec<AskedOn> = asked.iter().map(|sides| (None, *sides)).collect();
        self.merge_all_by_git_on(&asked, jobs)
    }

    /// The same, each on its base.
    pub fn merge_all_by_git_on(&self, asked: &[AskedOn], jobs: usize) -> Result<Vec<Joined>, GitError> {
        let mut by_attributes: BTreeMap<Oid, Vec<usize>> = BTreeMap::new();
        let mut known = BTreeMap::new();
        for (number, (_, (ours, _))) in asked.iter().enumerate() {
            let tree = self.visited.commit(*ours)?.tree;
            by_attributes.entry(self.attributes_below(tree, &mut known)?).or_default().push(number);
        }
        let share = asked.len().div_ceil(jobs.max(1)).clamp(1, BATCH_MAX);
        let batches: Vec<&[usize]> = by_attributes.values().flat_map(|numbers| numbers.chunks(share)).collect();
        let mut answers: BTreeMap<usize, Joined> = BTreeMap::new();
        for row in batches.chunks(jobs.max(1)) {
            let done: Vec<Result<Vec<Joined>, GitError>> = std::thread::scope(|scope| {
                let of = |batch: &&[usize]| batch.iter().map(|&number| asked[number]).collect::<Vec<AskedOn>>();
                let threads: Vec<_> =
                    row.iter().map(of).map(|batch| scope.spawn(move || self.batch_by_git(&batch))).collect();
                threads.into_iter().map(|thread| thread.join().expect("a batch does not panic")).collect()
            });
            for (batch, joined) in row.iter().zip(done) {
                answers.extend(batch.iter().copied().zip(joined?));
            }
        }
        Ok(answers.into_values().collect())
    }

    fn batch_by_git(&self, batch: &[AskedOn]) -> Result<Vec<Joined>, GitError> {
        let one_by_one = || batch.iter().map(|(base, (ours, theirs))| self.ask_git(*base, *ours, *theirs)).collect();
        let [(_, (first, _)), _, ..] = batch else { return one_by_one() };
        let mut command = self.command();
        command.arg(format!("--attr-source={first}"));
        command.args(["merge-tree", "--write-tree", "--stdin", "-z", "--allow-unrelated-histories"]);
        let line = |(base, (ours, theirs)): &AskedOn| {
            let on = base.map_or(String::new(), |base| format!("{base} -- "));
            format!("{on}{ours} {theirs}\n")
        };
        let lines: String = batch.iter().map(line).collect();
        let said = with_input(&mut command, lines.as_bytes())?;
        let answers = read_batch(&said.stdout);
        if !said.status.success() || answers.len() != batch.len() {
            return one_by_one();
        }
        let mut all = Vec::new();
        for ((tree, refusal), (_, sides)) in answers.into_iter().zip(batch) {
            all.push(match refusal {
                None => Joined::Clean { tree, by: Verdict::Git },
                Some(refusal) => Joined::Conflicts(self.with_hunks(&refusal, tree, *sides)),
            });
        }
        Ok(all)
    }

    /// A name for all attribute files below a tree and where they are.
    fn attributes_below(&self, tree: Oid, known: &mut BTreeMap<Oid, Oid>) -> Result<Oid, GitError> {
        if let Some(name) = known.get(&tree) {
            return Ok(*name);
        }
        let format = self.visited.format();
        let (none, mut list) = (empty_tree(format), Vec::new());
        for entry in self.visited.tree(tree)?.entries() {
            let name = match entry.mode {
                EntryMode::Tree => self.attributes_below(entry.oid, known)?,
                // Git reads no attributes from a link; but which file there is counts, whatever it is.
                _ if entry.name == b".gitattributes" => entry.oid,
                _ => none,
            };
            if name != none {
                list.extend([entry.name, &[0], name.as_bytes()].concat());
            }
        }
        let name = if list.is_empty() { none } else { format.hash(&[&list]) };
        known.insert(tree, name);
        Ok(name)
    }
}

/// For each merge: status; tree; where it conflicts the sides, an empty word, and the messages; an empty word.
fn read_batch(answer: &[u8]) -> Vec<(Oid, Option<Refusal>)> {
    let mut words = answer.split(|&byte| byte == 0);
    let mut answers = Vec::new();
    while let Some(status) = words.next().filter(|status| !status.is_empty()) {
        let tree = words.next().and_then(|hex| std::str::from_utf8(hex).ok()).and_then(Oid::from_hex);
        let Some(tree) = tree else { return Vec::new() };
        if status == b"1" {
            words.next();
            answers.push((tree, None));
        } else {
            answers.push((tree, Some(Refusal::read(&mut words))));
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_a_batch_are_told_apart() {
        let hex = "1".repeat(40);
        let conflict = format!("0\0{hex}\x00100644 {hex} 2\tx\0\x001\0x\0CONFLICT (contents)\0text\0\0");
        let nameless = format!("0\0{hex}\0\x002\0d\0c\0CONFLICT (directory rename split)\0text\0\0");
        let clean = format!("1\0{hex}\0\0");
        let answers = read_batch([clean.as_str(), &conflict, &nameless, &clean].concat().as_bytes());
        let kinds: Vec<Option<&str>> =
            answers.iter().map(|(_, refusal)| refusal.as_ref().map(|told| told.conflicts[0].kind.as_str())).collect();
        assert_eq!(kinds, [None, Some("content"), Some("directory rename split"), None]);
    }
}
