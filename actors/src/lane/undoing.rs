//! `{ undo: one }`: a script takes back what another lane has landed, as a lane does that thinks it knows better.
//!
//! Looks at main's own line for whose work is where; whether that may land is the merger's to say.

use super::script::{Draft, TextFile, file_mode};
use crate::team::covers;
use baton_policies::Action;
use baton_record::event::{Update, UpdateOp};
use baton_world::Draws;
use baton_world::git::{Entry, GitError, PathChange};

/// Landings that are looked back at.
const LANDINGS_MAX: usize = 64;

impl Draft<'_> {
    /// One file that another lane has landed is what it was before; a new file, where there is none.
    pub(super) fn undo(&mut self, draws: &mut Draws) -> Result<(), GitError> {
        let candidates = self.landed_by_others()?;
        if candidates.is_empty() {
            return self.create().map(drop);
        }
        let PathChange { path, before, .. } = candidates[draws.below(candidates.len() as u64) as usize].clone();
        let action = if before.is_some() { Action::Edit(&path) } else { Action::Delete(&path) };
        if !self.boundary.lets(&action)? {
            return Ok(());
        }
        match before.map(|before| self.text(&path, before)).transpose()? {
            Some((_, mode, content)) => self.put(UpdateOp::Edit, path, (mode, content), None),
            None => {
                self.files.insert(path.clone(), None);
                self.note(Update { op: UpdateOp::Delete, path, from: None, token: None });
            }
        }
        Ok(())
    }

    /// Files below `touches` that stand as another lane has landed them, the latest first.
    fn landed_by_others(&self) -> Result<Vec<PathChange>, GitError> {
        let repository = self.desk.repository;
        let (mut at, mut found) = (self.desk.base, Vec::new());
        for _ in 0..LANDINGS_MAX {
            let commit = repository.commit(at)?;
            if commit.trailer("Baton-Run") != Some(self.desk.run) {
                break;
            }
            let Some(parent) = commit.parents.first().copied() else { break };
            if commit.trailer("Baton-Lane") != Some(self.lane) {
                let before = repository.commit(parent)?.tree;
                for moved in repository.moved_between(before, commit.tree)? {
                    if self.may_undo(&moved, &found)? {
                        found.push(moved);
                    }
                }
            }
            at = parent;
        }
        Ok(found)
    }

    fn may_undo(&self, moved: &PathChange, found: &[PathChange]) -> Result<bool, GitError> {
        let is_file = |entry: Entry| file_mode(entry.mode).is_some();
        let PathChange { path, before, after } = moved;
        let fits = after.is_some_and(is_file) && before.is_none_or(is_file) && covers(&self.desk.work.touches, path);
        let fresh = !self.files.contains_key(path) && found.iter().all(|other| other.path != *path);
        Ok(fits && fresh && self.desk.repository.entry(self.desk.tree, path)? == *after)
    }

    fn text(&self, path: &str, entry: Entry) -> Result<TextFile, GitError> {
        let content = self.desk.repository.blob(entry.oid)?.to_vec();
        let mode = file_mode(entry.mode).expect("only files are candidates");
        Ok((path.to_owned(), mode, content))
    }
}
