//! Owns how a journal opens: first the run, then its resources, endpoints and gates, what binds its roles, its lanes, its
//! tasks and their limits, each sort in one piece and by number; then the team works, and nothing is named any more. What is
//! found against it is said at LOG-2: no fold of such a journal is a state that a team was ever in.
//!
//! Deliberately does not know what the names are good for.

use crate::report::Judgement;
use baton_record::Event;
use baton_record::line::Record;

/// How far the opening is.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    part: u8,
    tasks: u32,
    pub(crate) log_2: Judgement,
}

/// Behind the last part of the opening.
const WORK: u8 = 8;

impl Opening {
    /// Whether the team is at work.
    pub(crate) fn is_over(&self) -> bool {
        self.part == WORK
    }

    pub(crate) fn see(&mut self, seq: u64, record: &Record) {
        let part = match &record.event {
            // Segments end wherever they are full.
            Event::SegmentClosed(_) => return,
            Event::RunStarted(_) => 0,
            Event::ResourceNamed(_) => 1,
            Event::EndpointNamed(_) => 2,
            Event::GateNamed(_) => 3,
            Event::RoleBound(_) => 4,
            // A clone joins later, where an operator has ordered it.
            Event::LaneJoined(_) if self.is_over() => WORK,
            Event::LaneJoined(_) => 5,
            Event::TaskAdded(_) => 6,
            Event::BudgetSet(set) if set.by.is_none() => 7,
            _ => WORK,
        };
        if part < self.part {
            self.log_2.breaks(|| format!("record {seq}: something is named or added where the opening is past it"));
        }
        self.part = self.part.max(part);
        if let Event::TaskAdded(_) = &record.event {
            if record.task.map(|task| task.0) != Some(self.tasks) {
                self.log_2.breaks(|| format!("record {seq}: a task is added, and T-{} is due", self.tasks));
            }
            self.tasks = self.tasks.saturating_add(1);
        }
    }
}
