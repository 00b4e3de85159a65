//! Whole histories: the merges that are in one, where many pairs part, and a history made of a stream.

use super::batch::Asked;
use super::{PersonRepository, with_input};
use crate::git::command::{Sync, failed, output, person_git};
use crate::git::error::GitError;
use baton_record::Oid;
use std::collections::BTreeMap;
use std::path::Path;

impl PersonRepository {
    /// Makes a repository without a checkout at `place`, with these settings.
    pub fn make(place: &Path, settings: &[(&str, &str)]) -> Result<PersonRepository, GitError> {
        let said = output(person_git(Sync::None).args(["init", "--quiet", "--bare"]).arg(place))?;
        if !said.status.success() {
            return Err(failed("make a repository", &said));
        }
        let repository = PersonRepository::find(place)?;
        for (key, value) in settings {
            repository.ask_well("set a setting", &["config", key, value])?;
        }
        Ok(repository)
    }

    /// Adds what a stream says that `git fast-import` reads; gives the objects of its marks.
    pub fn import(&self, stream: &[u8]) -> Result<BTreeMap<u64, Oid>, GitError> {
        let marks = self.common_directory().join("imported-marks");
        let mut command = self.command(Sync::None);
        command.args(["fast-import", "--quiet", "--force"]).arg(format!("--export-marks={}", marks.display()));
        let said = with_input(&mut command, stream)?;
        if !said.status.success() {
            return Err(failed("import a history", &said));
        }
        let text = std::fs::read_to_string(&marks).map_err(|error| GitError::io("read", &marks, &error))?;
        let mark = |line: &str| {
            let (mark, oid) = line.strip_prefix(':')?.split_once(' ')?;
            Some((mark.parse().ok()?, Oid::from_hex(oid)?))
        };
        Ok(text.lines().filter_map(mark).collect())
    }

    /// All merges of two parents in the history of all refs, the newest first: the commit and its parents.
    pub fn merge_commits(&self) -> Result<Vec<(Oid, Oid, Oid)>, GitError> {
        let words = ["rev-list", "--all", "--min-parents=2", "--max-parents=2", "--parents"];
        let text = self.ask_well("list merges", &words)?;
        let merge = |line: &str| {
            let mut names = line.split(' ').map(Oid::from_hex);
            Some((names.next()??, names.next()??, names.next()??))
        };
        Ok(text.lines().filter_map(merge).collect())
    }

    /// Commits of the first-parent line of the branch that is checked out, newest first, with their one or first parent;
    /// those without a parent are left out.
    pub fn first_parent_line(&self) -> Result<Vec<(Oid, Oid)>, GitError> {
        let text = self.ask_well("list commits", &["rev-list", "--first-parent", "--parents", "HEAD"])?;
        let step = |line: &str| {
            let mut names = line.split(' ').map(Oid::from_hex);
            Some((names.next()??, names.next()??))
        };
        Ok(text.lines().filter_map(step).collect())
    }

    /// Where many pairs part, by git alone: all best common ancestors of each, ascending by name.
    pub fn merge_bases_by_git(&self, pairs: &[Asked]) -> Result<Vec<Vec<Oid>>, GitError> {
        const PAIRS_MAX: usize = 200;
        let mut all = Vec::with_capacity(pairs.len());
        for pairs in pairs.chunks(PAIRS_MAX) {
            let ranges: Vec<String> = pairs.iter().map(|(ours, theirs)| format!("{ours}...{theirs}")).collect();
            let words: Vec<&str> = ["rev-parse"].into_iter().chain(ranges.iter().map(String::as_str)).collect();
            // For each range both ends, and then every base with `^` before it.
            let text = self.ask_well("find where two branches part", &words)?;
            let mut lines = text.lines().peekable();
            for _ in pairs {
                let mut bases = Vec::new();
                let _ends = [lines.next(), lines.next()];
                while let Some(base) = lines.next_if(|line| line.starts_with('^')) {
                    bases.extend(Oid::from_hex(&base[1..]));
                }
                bases.sort();
                all.push(bases);
            }
        }
        Ok(all)
    }
}
