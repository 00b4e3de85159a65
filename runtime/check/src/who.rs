//! Owns WHO-1 as far as the journal tells it: every effect, submission and lease names its lane and its
//! task, and every record is written by the actor that such a record belongs to. Signatures are not part
//! of this version. Authors of commits are compared in [`crate::main_line`].
//!
//! Deliberately does not know what any of the records did.

use crate::changes::Changes;
use crate::report::Judgement;
use baton_record::line::{Actor, Record};
use baton_record::{ChangeId, Event};

/// What the names of a run have shown so far.
#[derive(Debug, Default)]
pub(crate) struct Who {
    pub(crate) who_1: Judgement,
}

impl Who {
    /// `changes` has seen the record already.
    pub(crate) fn see(&mut self, seq: u64, record: &Record, changes: &Changes) {
        if !actors_of(&record.event).contains(&record.actor) {
            self.who_1.breaks(|| format!("record {seq}: not a record that actor {} writes", record.actor.word()));
        }
        if must_be_named(&record.event) {
            self.who_1.claim(record.lane.is_some() && record.task.is_some(), || {
                format!("record {seq}: it does not name its lane and its task")
            });
        }
        if let Some(id) = change_of(&record.event) {
            let lane = changes.get(id).and_then(|change| change.lane);
            let fits =
                record.task.is_none_or(|task| task == id.task()) && record.lane.is_none_or(|own| Some(own) == lane);
            self.who_1.claim(fits, || format!("record {seq}: {id} is credited to another lane or task"));
        }
    }
}

/// The records that stand for an effect, or for what an effect needs.
fn must_be_named(event: &Event) -> bool {
    matches!(
        event,
        Event::EffectIntended(_)
            | Event::EffectDone(_)
            | Event::ChangeSubmitted(_)
            | Event::FileWritten(_)
            | Event::ChangeWritten(_)
            | Event::SlotRequested(_)
            | Event::SlotGranted(_)
            | Event::SlotReleased(_)
            | Event::LeaseRequested(_)
            | Event::LeaseGranted(_)
            | Event::LeaseReleased(_)
            | Event::LeaseExpired(_)
    )
}

fn change_of(event: &Event) -> Option<ChangeId> {
    match event {
        Event::ChangeSubmitted(e) => Some(e.change),
        Event::ChangeIntended(e) => Some(e.change),
        Event::ChangeLanded(e) => Some(e.change),
        Event::ChangeRefused(e) => Some(e.change),
        Event::FileWritten(e) => Some(e.change),
        Event::ChangeWritten(e) => Some(e.change),
        _ => None,
    }
}

/// Who writes which record, as the format says it.
fn actors_of(event: &Event) -> &'static [Actor] {
    match event {
        Event::RunStarted(_)
        | Event::RunStopped(_)
        | Event::ResourceNamed(_)
        | Event::EndpointNamed(_)
        | Event::GateNamed(_)
        | Event::FaultInjected(_) => &[Actor::Run],
        Event::SegmentClosed(_) => &[Actor::Recorder],
        // In a control run there is no merger to take it.
        Event::ChangeSubmitted(_) => &[Actor::Merger, Actor::Lane],
        Event::FenceRaised(_)
        | Event::GatePassed(_)
        | Event::GateFailed(_)
        | Event::ChangeIntended(_)
        | Event::ChangeLanded(_)
        | Event::ChangeRefused(_)
        | Event::ChangeWithdrawn(_)
        | Event::ForeignPush(_) => &[Actor::Merger],
        Event::FileWritten(_) | Event::ChangeWritten(_) => &[Actor::Lane],
        Event::AskRepeated(_) => &[Actor::Supervisor, Actor::Merger],
        Event::RepeatAnswered(_) | Event::ActorRestarted(_) => {
            &[Actor::Run, Actor::Supervisor, Actor::Merger, Actor::Recorder, Actor::Lane]
        }
        _ => &[Actor::Supervisor],
    }
}
