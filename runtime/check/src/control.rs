//! Owns the judgement of a control run, in which lanes write files straight to main: what of the written
//! changes is in the final tree, and whether main even has the commits that lanes set it to.
//!
//! A change is lost if it was written and none of its tokens is anywhere in the final tree; it is torn if
//! some are and some are not. A token in a file that a written change deleted does not count.
//! Deliberately does not know leases, tasks or gates.

use crate::changes::{Change, Changes};
use crate::report::Judgement;
use crate::repository::Repository;
use crate::tokens::Search;
use baton_record::event::UpdateOp;
use baton_record::line::Record;
use baton_record::{ChangeId, Event, Oid};
use std::collections::BTreeSet;

/// What a control run wrote.
#[derive(Debug, Default)]
pub(crate) struct Control {
    commits: Vec<Oid>,
    begun: BTreeSet<ChangeId>,
    who_1: Judgement,
}

/// What became of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) lost: u64,
    pub(crate) torn: u64,
    pub(crate) main_1: Judgement,
    pub(crate) main_2: Judgement,
    pub(crate) main_3: Judgement,
    pub(crate) who_1: Judgement,
}

impl Control {
    /// `changes` has seen the record already.
    pub(crate) fn see(&mut self, seq: u64, record: &Record, changes: &Changes) {
        if let Event::FileWritten(written) = &record.event {
            self.commits.push(written.commit);
            self.begun.insert(written.change);
            let submitted = changes.get(written.change).map(|change| &change.submitted);
            let declared = submitted.is_some_and(|submitted| {
                submitted.updates.iter().any(|u| u.path == written.path || u.from.as_ref() == Some(&written.path))
            });
            self.who_1.claim(declared, || {
                format!("record {seq}: {} is written, and {} does not declare it", written.path, written.change)
            });
        }
    }

    /// Whether any lane wrote to main.
    pub(crate) fn any(&self) -> bool {
        !self.commits.is_empty()
    }

    /// Compares what was written with what `main` holds in the end.
    pub(crate) fn judge(self, base: Oid, main: Option<Oid>, changes: &Changes, repository: &Repository) -> Outcome {
        let mut outcome = Outcome { who_1: self.who_1.clone(), ..Outcome::default() };
        let Some(main) = main else {
            outcome.main_1.breaks(|| "refs/heads/main is not there".into());
            return outcome;
        };
        let written = self.commits.len();
        if written > 0 {
            let kept = self.kept(base, main, repository);
            outcome.main_1.breaks(|| {
                format!("lanes wrote main directly, {written} times; {kept} of these commits are still on it")
            });
        }
        match self.count(main, changes, repository) {
            Ok((lost, torn)) => (outcome.lost, outcome.torn) = (lost, torn),
            Err(why) => outcome.main_3.breaks(|| format!("the final tree cannot be read: {why}")),
        }
        outcome.main_2.claim(outcome.lost == 0, || format!("{} written changes left nothing on main", outcome.lost));
        outcome.main_3.claim(outcome.torn == 0, || format!("{} changes are only in part on main", outcome.torn));
        outcome
    }

    fn kept(&self, base: Oid, main: Oid, repository: &Repository) -> usize {
        let reachable = repository.commits_between(base, main).unwrap_or_default();
        self.commits.iter().filter(|commit| reachable.contains_key(commit)).count()
    }

    fn count(&self, main: Oid, changes: &Changes, repository: &Repository) -> Result<(u64, u64), String> {
        let judged: Vec<(ChangeId, &Change)> =
            changes.iter().filter(|(id, change)| change.written || self.begun.contains(id)).collect();
        let updates = |change: &'_ Change| change.submitted.updates.clone();
        let deleted: BTreeSet<String> = judged
            .iter()
            .filter(|(_, change)| change.written)
            .flat_map(|(_, change)| updates(change))
            .filter(|update| update.op == UpdateOp::Delete)
            .map(|update| update.path)
            .collect();
        let counted: Vec<Vec<String>> = judged
            .iter()
            .map(|(_, change)| {
                let standing = updates(change).into_iter().filter(|update| !deleted.contains(&update.path));
                standing.filter_map(|update| update.token).collect()
            })
            .collect();
        let mut search = Search::of(counted.iter().flatten().map(String::as_str));
        let mut blobs: Vec<Oid> = repository.files(main)?.into_iter().map(|(_, (_, blob))| blob).collect();
        blobs.sort_unstable();
        blobs.dedup();
        repository.objects(&blobs, &mut |_, kind, bytes| {
            if kind == "blob" {
                search.through(bytes);
            }
            Ok(())
        })?;
        let mut found = search.found.iter();
        let (mut lost, mut torn) = (0, 0);
        for ((_, change), tokens) in judged.iter().zip(&counted) {
            let there = found.by_ref().take(tokens.len()).filter(|found| **found).count();
            lost += u64::from(change.written && there == 0 && !tokens.is_empty());
            torn += u64::from(there > 0 && there < tokens.len());
        }
        Ok((lost, torn))
    }
}
