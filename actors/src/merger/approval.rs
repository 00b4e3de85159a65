//! What a change needs the word of a person for, and whether it has that word: for exactly this change, and for no other.

use super::authorship::{Authorship, Undone};
use super::prepare::Try;
use super::{Allow, Merger};
use crate::consent::Grant;
use crate::failure::Failure;
use crate::lane::packing::{self, Unpacked};
use crate::supervisor::{Because, Lack};
use actix::Context;
use baton_core::board::Settled as Outcome;
use baton_record::event::{ApprovalSubject, ChangeRefused, RefuseReason};
use baton_record::{ChangeId, Event, Oid};
use baton_world::git::{CommitMeta, Landing, PathChange};
use std::sync::Arc;

/// Lanes that a question names one by one.
const NAMED_MAX: usize = 4;

impl Try {
    /// What people have granted to exactly this change: the packet that each of them saw holds this base and these edits.
    pub(super) fn granted(&self) -> Result<Vec<Arc<Grant>>, Failure> {
        let mut fitting = Vec::new();
        for grant in &self.grants {
            if self.is_packed_in(&grant.packet)? {
                fitting.push(grant.clone());
            }
        }
        Ok(fitting)
    }

    fn is_packed_in(&self, packet: &str) -> Result<bool, Failure> {
        let (content, submitted) = (&self.ground.content, &self.submission.submitted);
        let Some(bytes) = content.get(packet).map_err(Failure::Content)? else { return Ok(false) };
        let Ok(packet) = baton_packets::read(&bytes) else { return Ok(false) };
        let Unpacked::Change(base, planned) = packing::unpack(content, &packet).map_err(Failure::Content)? else {
            return Ok(false);
        };
        if (base, &planned.updates, &planned.reads) != (submitted.base, &submitted.updates, &submitted.reads) {
            return Ok(false);
        }
        let proposed = self.ground.repository.propose(base, &planned.edits, &self.meta).map_err(Failure::Repository)?;
        Ok(proposed.tree == self.submission.proposal.tree)
    }

    /// What the change lacks a person's word for; `moved`: what it would do to main as it will be then, which these wrote.
    pub(super) fn lacking(
        &self,
        authorship: &Authorship,
        granted: &[Arc<Grant>],
        (moved, landing): (&[PathChange], &Landing),
    ) -> Result<Option<Undone>, Failure> {
        let about = |subject| granted.iter().filter(move |grant| grant.subject == subject);
        let team = &self.ground.team;
        if team.work_of(self.submission.change().task()).plan && about(ApprovalSubject::Plan).next().is_none() {
            return Ok(Some(Undone::default()));
        }
        let repository = &self.ground.repository;
        let read = |entry: baton_world::git::Entry| repository.content_with(landing, entry.oid);
        let undone = authorship.undone(self.author, moved, &read).map_err(Failure::Repository)?;
        let covers = |grant: &Arc<Grant>| {
            undone.paths.iter().all(|path| grant.paths.contains(path))
                && undone.changes.iter().all(|change| grant.undoes.contains(change))
        };
        let lacks = !undone.is_empty() && !about(ApprovalSubject::Undo).any(covers);
        Ok(lacks.then_some(undone))
    }
}

/// Adds who has approved a landing, each person once.
pub(super) fn with_approvers(mut meta: CommitMeta, granted: &[Arc<Grant>]) -> CommitMeta {
    for by in granted.iter().filter_map(|grant| grant.by.as_ref()) {
        let trailer = ("Baton-Approved-By".to_owned(), by.clone());
        if !meta.trailers.contains(&trailer) {
            meta.trailers.push(trailer);
        }
    }
    meta
}

impl Merger {
    pub(super) fn on_allow(&mut self, allow: Allow, _: &mut Context<Merger>) {
        self.consent.learn(allow.0);
    }

    /// The change is refused for want of a person's word, and its lane is told what to ask for.
    pub(super) fn refuse_unapproved(&mut self, change: ChangeId, undone: Undone) {
        let paths: Vec<String> = undone.paths.into_iter().collect();
        let undoes: Vec<ChangeId> = undone.changes.into_iter().collect();
        self.unapproved.insert(change, (paths.clone(), undoes.clone()));
        let reason = RefuseReason::NotApproved;
        let event = Event::ChangeRefused(ChangeRefused { change, reason, paths, undoes, report: None, fault: None });
        self.settle(change, event, Outcome::Refused, None);
    }

    /// What the lane of a refused change is told beside that it was refused.
    pub(super) fn because(&self, change: ChangeId) -> Option<Because> {
        let lacks = self.lack_of(change).map(Because::Lacks);
        lacks.or_else(|| self.unmerged.report_of(change).map(Because::Unmerged))
    }

    /// What a refused change lacks a person's word for.
    fn lack_of(&self, change: ChangeId) -> Option<Lack> {
        let (paths, undoes) = self.unapproved.get(&change)?.clone();
        let subject = if undoes.is_empty() { ApprovalSubject::Plan } else { ApprovalSubject::Undo };
        let whose = |undone: &ChangeId| {
            let author = self.authorship.lane_of(*undone);
            let lane = author.map(|lane| self.directory().roster().spec(lane).name.clone()).unwrap_or_default();
            format!("{lane} ({undone})")
        };
        let mut named: Vec<String> = undoes.iter().take(NAMED_MAX).map(whose).collect();
        if undoes.len() > NAMED_MAX {
            named.push(format!("{} more", undoes.len() - NAMED_MAX));
        }
        let detail = match subject {
            ApprovalSubject::Undo => format!("it takes back what landed by {}", named.join(", ")),
            _ => "its task says that a person decides".to_owned(),
        };
        Some(Lack { subject, paths, undoes, detail })
    }

    /// Main has moved: what that did to which path is remembered as the author's.
    pub(super) fn remember(&mut self, change: ChangeId, moved: &[PathChange]) {
        if let Some(author) = self.authors.remove(&change) {
            Arc::make_mut(&mut self.authorship).land((change, author), moved);
        }
    }

    /// What a step of main that stands in the repository has moved.
    pub(super) fn moved_by_step(&self, (before, after): (Oid, Oid)) -> Result<Vec<PathChange>, Failure> {
        let tree = |commit| self.ground.repository.commit(commit).map(|commit| commit.tree);
        let between = || self.ground.repository.moved_between(tree(before)?, tree(after)?);
        between().map_err(Failure::Repository)
    }
}
