//! The recorder: the only writer of the journal. Whatever it is given becomes durable in this order, and only then is
//! released.
//!
//! In `sim` a batch is written at once and released at once; in `live` a committing thread writes whatever is queued,
//! syncs once and releases all. A failed append ends the run: nothing after it is ever released. Knows no meaning of
//! any record.

use crate::mailbox::mailbox;
use crate::progress::Progress;
use actix::{Context, Handler};
use baton_core::Fact;
use baton_record::Event;
use baton_record::line::{Actor, Record};
use baton_world::journal::{Committer, Submission};
use baton_world::{Clock, Journal, JournalError};
use std::fmt;
use std::sync::Arc;

mailbox!(Recorder {
    Append => (), "Write these facts down, then release what waits for them.";
    Seal => (), "Write the last facts down; nothing comes between them, and nothing follows.";
});

/// See the table.
pub struct Append {
    /// Who writes.
    pub actor: Actor,
    /// What.
    pub facts: Vec<Fact>,
    /// Names of lanes that join in them.
    pub lane_names: Vec<String>,
    /// Called once the facts are durable, in the order of the journal. May be called on another thread.
    pub release: Option<Release>,
}

/// What waits for facts to be durable.
pub type Release = Box<dyn FnOnce() + Send>;

impl Append {
    /// Facts that nothing waits for.
    pub fn of(actor: Actor, facts: Vec<Fact>) -> Append {
        Append { actor, facts, lane_names: Vec::new(), release: None }
    }

    /// Facts, and what is to be done once they are durable.
    pub fn then(actor: Actor, facts: Vec<Fact>, release: impl FnOnce() + Send + 'static) -> Append {
        Append { actor, facts, lane_names: Vec::new(), release: Some(Box::new(release)) }
    }
}

impl fmt::Debug for Append {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Append").field("actor", &self.actor).field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// See the table.
#[derive(Debug)]
pub struct Seal(pub Vec<Append>);

/// The recorder of a team.
pub struct Recorder {
    clock: Clock,
    progress: Arc<Progress>,
    writer: Writer,
    sealed: bool,
    /// Called with the journal at its end, or with what went wrong.
    ended: Option<Ended>,
}

/// Takes the journal back at the end of the run, or what went wrong.
pub type Ended = Box<dyn FnOnce(Result<Journal, JournalError>)>;

enum Writer {
    /// Written before the call returns.
    Inline(Box<Journal>),
    /// Written by the committing thread.
    Grouped(Committer),
    /// The journal was given back.
    Ended,
}

impl Recorder {
    /// A recorder that writes at once.
    pub fn inline(journal: Journal, clock: Clock, progress: Arc<Progress>, ended: Ended) -> Recorder {
        Recorder { clock, progress, writer: Writer::Inline(Box::new(journal)), sealed: false, ended: Some(ended) }
    }

    /// A recorder that commits in groups.
    pub fn grouped(journal: Journal, clock: Clock, progress: Arc<Progress>, ended: Ended) -> Recorder {
        let writer = Writer::Grouped(Committer::start(journal));
        Recorder { clock, progress, writer, sealed: false, ended: Some(ended) }
    }

    fn write(&mut self, append: Append) {
        if self.sealed {
            tracing::debug!(?append, "after the end of the run");
            return;
        }
        let now_us = self.clock.now_us();
        let actor = append.actor;
        let stamp = |fact: Fact| Record { t_us: now_us, actor, lane: fact.lane, task: fact.task, event: fact.event };
        let records: Vec<Record> = append.facts.into_iter().map(stamp).collect();
        let landed = records.iter().filter(|record| is_landing(&record.event)).count() as u64;
        self.progress.advance(records.len() as u64, landed, now_us);
        match &mut self.writer {
            Writer::Inline(journal) => match journal.append(journal.chain().next_seq, &records, &append.lane_names) {
                Ok(_) => append.release.into_iter().for_each(|release| release()),
                Err(error) => self.end(Err(error)),
            },
            Writer::Grouped(committer) => {
                let release = append.release.unwrap_or_else(|| Box::new(|| {}));
                if !committer.submit(Submission { records, lane_names: append.lane_names, release }) {
                    self.finish();
                }
            }
            Writer::Ended => {}
        }
    }

    /// Gives the journal back once everything is durable.
    fn finish(&mut self) {
        match std::mem::replace(&mut self.writer, Writer::Ended) {
            Writer::Inline(mut journal) => {
                let synced = journal.sync_now();
                self.end(synced.map(|()| *journal));
            }
            Writer::Grouped(committer) => {
                let journal = committer.finish();
                self.end(journal);
            }
            Writer::Ended => {}
        }
    }

    fn end(&mut self, journal: Result<Journal, JournalError>) {
        self.sealed = true;
        self.writer = Writer::Ended;
        if let Some(ended) = self.ended.take() {
            ended(journal);
        }
    }
}

fn is_landing(event: &Event) -> bool {
    matches!(event, Event::ChangeLanded(_) | Event::ChangeWritten(_))
}

impl actix::Actor for Recorder {
    type Context = Context<Recorder>;
}

impl Handler<Append> for Recorder {
    type Result = ();
    fn handle(&mut self, append: Append, _: &mut Context<Recorder>) {
        self.write(append);
    }
}

impl Handler<Seal> for Recorder {
    type Result = ();
    fn handle(&mut self, seal: Seal, _: &mut Context<Recorder>) {
        if !self.sealed {
            seal.0.into_iter().for_each(|append| self.write(append));
            self.sealed = true;
            self.finish();
        }
    }
}
