//! Owns WHO-1 as far as the journal tells it: every effect, submission and lease names its lane and its
//! task, and every record is written by the actor that such a record belongs to. Signatures are not part
//! of this version. Authors of commits are compared in [`crate::main_line`].
//!
//! Deliberately does not know what any of the records did.

use crate::changes::Changes;
use crate::report::Judgement;
use baton_record::line::{Actor, Record};
use baton_record::{ChangeId, EndpointId, Event, LaneId};
use std::collections::BTreeMap;

/// What the names of a run have shown so far.
#[derive(Debug, Default)]
pub(crate) struct Who {
    endpoints: BTreeMap<EndpointId, String>,
    models: BTreeMap<LaneId, EndpointId>,
    pub(crate) who_1: Judgement,
}

impl Who {
    /// The model that thinks in a lane.
    pub(crate) fn model(&self, lane: LaneId) -> Option<&str> {
        self.endpoints.get(self.models.get(&lane)?).map(String::as_str)
    }

    /// A lane thinks with the model that it joined with, and with no other.
    fn models(&mut self, seq: u64, record: &Record) {
        let used = match &record.event {
            Event::EndpointNamed(named) => {
                self.endpoints.insert(named.endpoint, named.name.clone());
                return;
            }
            Event::LaneJoined(joined) => {
                record.lane.map(|lane| self.models.insert(lane, joined.model));
                self.who_1.claim(self.endpoints.contains_key(&joined.model), || {
                    format!("record {seq}: a lane joins with a model that is not named")
                });
                return;
            }
            Event::SlotRequested(asked) => asked.endpoint,
            Event::SlotGranted(granted) => granted.endpoint,
            Event::SlotReleased(released) => released.endpoint,
            Event::CallRefused(refused) => refused.endpoint,
            Event::CallAdmitted(admitted) => admitted.endpoint,
            _ => return,
        };
        let own = record.lane.and_then(|lane| self.models.get(&lane));
        self.who_1.claim(own.is_none_or(|own| *own == used), || {
            format!("record {seq}: a slot for another model than the lane's")
        });
    }

    /// `changes` has seen the record already.
    pub(crate) fn see(&mut self, seq: u64, record: &Record, changes: &Changes) {
        if !actors_of(&record.event).contains(&record.actor) {
            self.who_1.breaks(|| format!("record {seq}: not a record that actor {} writes", record.actor.word()));
        }
        if let Some((lane, task)) = names_of(&record.event) {
            self.who_1.claim((record.lane.is_some(), record.task.is_some()) == (lane, task), || {
                format!("record {seq}: it does not name its lane and its task as such a record does")
            });
        }
        self.models(seq, record);
        if let Event::ChangeWithdrawn(withdrawn) = &record.event {
            self.who_1.claim(record.task == Some(withdrawn.change.task()), || {
                format!("record {seq}: {} is closed in the name of another task", withdrawn.change)
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

/// Whether a record names a lane, and whether a task; `None` where both are found.
fn names_of(event: &Event) -> Option<(bool, bool)> {
    match event {
        Event::TaskFailed(_) | Event::FaultInjected(_) | Event::BudgetSet(_) | Event::CommandGiven(_) => None,
        Event::RunStarted(_)
        | Event::RunStopped(_)
        | Event::SegmentClosed(_)
        | Event::ResourceNamed(_)
        | Event::EndpointNamed(_)
        | Event::GateNamed(_)
        | Event::RoleBound(_)
        | Event::CommandRefused(_)
        | Event::ForeignPush(_)
        | Event::PauseRequested(_)
        | Event::PauseAcknowledged(_)
        | Event::Resumed(_)
        | Event::ActorRestarted(_) => Some((false, false)),
        Event::LaneJoined(_)
        | Event::LaneDied(_)
        | Event::LaneRestarted(_)
        | Event::LaneRetired(_)
        | Event::AskRepeated(_)
        | Event::RepeatAnswered(_) => Some((true, false)),
        Event::TaskAdded(_) | Event::ApprovalGiven(_) | Event::ApprovalTimedOut(_) => Some((false, true)),
        _ => Some((true, true)),
    }
}

fn change_of(event: &Event) -> Option<ChangeId> {
    match event {
        Event::ChangeSubmitted(e) => Some(e.change),
        Event::ChangeIntended(e) => Some(e.change),
        Event::ChangeLanded(e) => Some(e.change),
        Event::ChangeRefused(e) => Some(e.change),
        Event::FileWritten(e) => Some(e.change),
        Event::ChangeWritten(e) => Some(e.change),
        Event::OverrideRecorded(e) => Some(e.change),
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
        | Event::RoleBound(_)
        | Event::FaultInjected(_) => &[Actor::Run],
        Event::ActionDenied(_) => &[Actor::Supervisor, Actor::Merger],
        Event::OverrideRecorded(_) => &[Actor::Merger],
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
        Event::FileWritten(_) => &[Actor::Lane],
        // The lane tells the supervisor, who frees it.
        Event::ChangeWritten(_) => &[Actor::Lane, Actor::Supervisor],
        Event::AskRepeated(_) | Event::RepeatAnswered(_) | Event::ActorRestarted(_) => {
            &[Actor::Supervisor, Actor::Merger]
        }
        _ => &[Actor::Supervisor],
    }
}
