//! Questions to people: which are open, until when, and what happens when nobody answers in time.
//!
//! A question is numbered when it is asked and answered once: by a person, or by time. What it is about waits at the
//! board meanwhile, and holds nothing that others need. Knows neither the words of a question nor who answers.

use crate::fact::{Fact, Refusal};
use baton_record::event::{ApprovalAsked, ApprovalGiven, ApprovalSubject, ApprovalThen, ApprovalTimedOut};
use baton_record::event::{CommandGiven, OperatorCommand};
use baton_record::{ApprovalId, ChangeId, Event, LaneId, PacketId, TaskId};
use std::collections::BTreeSet;

/// How long a question of one sort waits, and what happens then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Counted from the asking.
    pub timeout_us: u64,
    /// What happens then.
    pub then: ApprovalThen,
}

impl Default for Patience {
    /// An hour; then no.
    fn default() -> Patience {
        Patience { timeout_us: 3_600_000_000, then: ApprovalThen::Deny }
    }
}

/// What a person is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What it is about.
    pub subject: ApprovalSubject,
    /// The paths that it is about, ascending.
    pub paths: Vec<String>,
    /// The landed changes whose work it takes back, ascending.
    pub undoes: Vec<ChangeId>,
    /// One line for the person.
    pub detail: String,
    /// How long it waits.
    pub patience: Patience,
}

/// Which questions a person means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The one about this task.
    Task(TaskId),
    /// All of this sort.
    Subject(ApprovalSubject),
    /// All.
    All,
}

/// What a person says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Yes or no.
    pub approved: bool,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A question that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Open {
    /// Its number.
    pub approval: ApprovalId,
    /// What it is about.
    pub subject: ApprovalSubject,
    /// The task that waits.
    pub task: TaskId,
    /// When it is answered at the latest.
    pub until_us: u64,
    then: ApprovalThen,
}

/// All questions of a run.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct Approvals {
    asked: u32,
    /// Ascending by number.
    open: Vec<Open>,
    /// What was asked about and is answered.
    answered: BTreeSet<(TaskId, ApprovalSubject)>,
}

impl Approvals {
    /// Asks about the change of `packet`, which lies with the task.
    pub fn ask(&self, question: &Question, waits: (LaneId, ChangeId, PacketId), now_us: u64) -> Fact {
        let (lane, change, packet) = waits;
        let Question { subject, paths, undoes, detail, patience } = question.clone();
        let asked = ApprovalAsked {
            approval: ApprovalId(self.asked),
            subject,
            change,
            packet,
            paths,
            undoes,
            detail,
            until_us: now_us.saturating_add(patience.timeout_us),
            then: patience.then,
        };
        Fact::of(lane, change.task(), Event::ApprovalAsked(asked))
    }

    /// A person answers every open question that is meant and whose time is not over; the tasks that they were about stand in
    /// the facts.
    pub fn answer(&self, about: About, verdict: &Verdict, now_us: u64) -> Result<Vec<Fact>, Refusal> {
        let meant = |task: TaskId, subject: ApprovalSubject| match about {
            About::Task(meant) => meant == task,
            About::Subject(meant) => meant == subject,
            About::All => true,
        };
        let open: Vec<Fact> = self
            .open
            .iter()
            .filter(|open| now_us < open.until_us && meant(open.task, open.subject))
            .map(|open| {
                let Verdict { approved, by, reason } = verdict.clone();
                let given = ApprovalGiven { approval: open.approval, approved, by, reason };
                Fact { lane: None, task: Some(open.task), event: Event::ApprovalGiven(given) }
            })
            .collect();
        let overdue = || self.open.iter().any(|open| meant(open.task, open.subject));
        let too_late = || overdue() || self.answered.iter().any(|(task, subject)| meant(*task, *subject));
        let command = if verdict.approved { OperatorCommand::Approve } else { OperatorCommand::Deny };
        let given = CommandGiven::plain(command, &verdict.by, &verdict.reason);
        match open.is_empty() {
            false => Ok([vec![Fact::of_run(Event::CommandGiven(given))], open].concat()),
            true => Err(if too_late() { Refusal::Repeated } else { Refusal::NothingReady }),
        }
    }

    /// Nobody has answered in time.
    pub fn time_out(&self, approval: ApprovalId, now_us: u64) -> Result<Fact, Refusal> {
        let open = self.open.iter().find(|open| open.approval == approval).ok_or(Refusal::Stale)?;
        if now_us < open.until_us {
            return Err(Refusal::TooEarly);
        }
        let over = ApprovalTimedOut { approval, then: open.then };
        Ok(Fact { lane: None, task: Some(open.task), event: Event::ApprovalTimedOut(over) })
    }

    /// Takes a fact about questions into the state; any other fact changes nothing.
    pub fn apply(&mut self, task: Option<TaskId>, event: &Event) {
        match event {
            Event::ApprovalAsked(asked) => {
                assert_eq!(asked.approval.0, self.asked, "questions are numbered without gaps");
                let task = task.expect("a question is about a task");
                assert!(self.open.iter().all(|open| open.task != task), "a task waits for one answer at a time");
                let ApprovalAsked { approval, subject, until_us, then, .. } = *asked;
                self.open.push(Open { approval, subject, task, until_us, then });
                self.asked += 1;
            }
            Event::ApprovalGiven(given) => self.close(given.approval),
            Event::ApprovalTimedOut(over) => self.close(over.approval),
            _ => {}
        }
    }

    fn close(&mut self, approval: ApprovalId) {
        let at = self.open.iter().position(|open| open.approval == approval);
        let open = self.open.remove(at.expect("only an open question is answered"));
        self.answered.insert((open.task, open.subject));
    }

    /// Questions that nobody has answered, in the order of asking.
    pub fn open(&self) -> &[Open] {
        &self.open
    }
}
