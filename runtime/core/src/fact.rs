//! What `decide` answers: facts to be written down, or a refusal.

use baton_record::{Event, LaneId, TaskId};

/// A record to be, before it has a time, an actor and a place in the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// The lane that it is about.
    pub lane: Option<LaneId>,
    /// The task that it is about.
    pub task: Option<TaskId>,
    /// What happened.
    pub event: Event,
}

impl Fact {
    /// About a lane and its task.
    pub fn of(lane: LaneId, task: TaskId, event: Event) -> Fact {
        Fact { lane: Some(lane), task: Some(task), event }
    }

    /// About a lane alone.
    pub fn of_lane(lane: LaneId, event: Event) -> Fact {
        Fact { lane: Some(lane), task: None, event }
    }

    /// About the run.
    pub fn of_run(event: Event) -> Fact {
        Fact { lane: None, task: None, event }
    }
}

/// An expected no. It is part of the answer, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The command was obeyed before; the state still shows the answer.
    Repeated,
    /// The command was taken before and waits in line.
    Waiting,
    /// It speaks of an attempt, lease or call that is over, or that the lane does not own.
    Stale,
    /// There is nothing to take now.
    NothingReady,
    /// Every task is done or given up.
    AllEnded,
    /// The lane takes no more work: no call of it fits under a limit.
    Retired,
    /// An operator drains the run: nothing new is begun.
    Draining,
    /// It is not time yet.
    TooEarly,
    /// A cap is reached.
    Full,
}
