//! The control run's way to main: whole files as they were when the task began, one by one, without compare.
//!
//! This is what lanes do without a merger. It exists to be counted.

use super::Lane;
use crate::credit::{By, commit_meta};
use crate::recorder::Append;
use actix::Context;
use baton_core::Fact;
use baton_record::event::FileWritten;
use baton_record::line::Actor as Writer;
use baton_record::{Event, Oid};
use baton_world::git::{Edit, GitError, GitErrorKind};

impl Lane {
    /// Writes the next file of the change, or is done.
    pub(super) fn write_next(&mut self, ctx: &mut Context<Lane>) {
        let endpoint = self.endpoint();
        let attempt = self.attempt.as_mut().expect("work is done in an attempt");
        let Some(edit) = attempt.edits().get(attempt.edits_written).cloned() else {
            return self.written(ctx);
        };
        attempt.edits_written += 1;
        let change = attempt.change;
        // Writing a file takes about an eighth of a thought.
        let latency = self.ground.team.models[endpoint.0 as usize].latency;
        let pause_us = attempt.draws.latency_us(latency.median_us / 8, latency.p99_us / 8);
        let commit = match self.write_over(&edit) {
            Ok(commit) => commit,
            Err(error) => return self.give_up(error),
        };
        let (Edit::Put { path, .. } | Edit::Remove { path }) = edit;
        let written = Event::FileWritten(FileWritten { change, path, commit });
        let fact = Fact::of(self.id, change.task(), written);
        self.ground.directory.recorder().do_send(Append::of(Writer::Lane, vec![fact]));
        self.wait_us(pause_us, ctx);
    }

    fn write_over(&self, edit: &Edit) -> Result<Oid, GitError> {
        let change = self.attempt.as_ref().expect("work is done in an attempt").change;
        let (team, repository) = (&self.ground.team, &self.ground.repository);
        let time_s = team.start_s + (self.ground.clock.now_us() / 1_000_000) as i64;
        let by = By::of(&self.spec.name, None);
        let meta = commit_meta(team, change, by, (None, time_s));
        let main = repository.standing_main()?;
        let proposal = match repository.propose(main, std::slice::from_ref(edit), &meta) {
            Ok(proposal) => proposal,
            // Somebody has put a directory where this file was, or taken the file away: nothing is left to write over.
            Err(error) if matches!(error.kind(), GitErrorKind::PathClash | GitErrorKind::NoSuchPath) => {
                return Ok(main);
            }
            Err(error) => return Err(error),
        };
        repository.store(&proposal.objects)?;
        repository.set_main_without_compare(proposal.commit)?;
        Ok(proposal.commit)
    }
}
