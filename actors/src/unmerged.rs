//! What did not merge: by task the newest change that was refused for a conflict, and the report that says why.
//!
//! A fold over the journal that supervisor and merger share: the merger's word brings it to a living supervisor, and whoever
//! restarts reads it again. Whoever has the task next is told, be it the same lane or another, until the task ends. Decides
//! nothing, and knows nothing of what is in a report.

use baton_record::{ChangeId, Event, TaskId};
use std::collections::BTreeMap;

/// A change that did not merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmerged {
    /// Which.
    pub change: ChangeId,
    /// Digest of its conflict report, hex.
    pub report: String,
}

/// By task: its newest change that did not merge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewestUnmerged(BTreeMap<TaskId, Unmerged>);

impl NewestUnmerged {
    /// Takes a fact into the state.
    pub fn take(&mut self, event: &Event) {
        if let Event::ChangeRefused(refused) = event {
            self.note_report(refused.change, refused.report.as_deref());
        }
    }

    /// A change was refused; with a report: because it did not merge.
    pub fn note_report(&mut self, change: ChangeId, report: Option<&str>) {
        if let Some(report) = report {
            self.note(Unmerged { change, report: report.to_owned() });
        }
    }

    /// Saying it twice, or late, changes nothing.
    pub fn note(&mut self, unmerged: Unmerged) {
        let task = unmerged.change.task();
        if self.0.get(&task).is_none_or(|known| known.change < unmerged.change) {
            self.0.insert(task, unmerged);
        }
    }

    /// What the next attempt at a task is to answer.
    #[must_use]
    pub fn of(&self, task: TaskId) -> Option<Unmerged> {
        self.0.get(&task).cloned()
    }

    /// The report of a change, if it is the newest of its task that did not merge.
    #[must_use]
    pub fn report_of(&self, change: ChangeId) -> Option<String> {
        let newest = self.0.get(&change.task()).filter(|newest| newest.change == change)?;
        Some(newest.report.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_record::event::{ChangeRefused, RefuseReason};

    fn refused(task: u32, attempt: u32, report: Option<&str>) -> Event {
        let (change, report) = (ChangeId::of(TaskId(task), attempt), report.map(str::to_owned));
        let reason = if report.is_some() { RefuseReason::Conflict } else { RefuseReason::Gate };
        Event::ChangeRefused(ChangeRefused { change, reason, paths: vec![], undoes: vec![], report, fault: None })
    }

    #[test]
    fn the_newest_conflict_of_a_task_is_told_however_often_and_late_it_is_said() {
        let mut known = NewestUnmerged::default();
        let told = |known: &NewestUnmerged, task| known.of(TaskId(task)).map(|unmerged| unmerged.change.attempt());
        for event in [refused(3, 1, Some("aa")), refused(3, 2, None), refused(4, 1, None)] {
            known.take(&event);
        }
        assert_eq!((told(&known, 3), told(&known, 4)), (Some(1), None), "what a gate refuses has no report");
        for attempt in [3, 1, 3] {
            known.take(&refused(3, attempt, Some("bb")));
        }
        assert_eq!(told(&known, 3), Some(3));
        assert_eq!(known.report_of(ChangeId::of(TaskId(3), 3)).as_deref(), Some("bb"));
        assert_eq!(known.report_of(ChangeId::of(TaskId(3), 1)), None);
    }
}
