//! Owns questions to people as the journal tells of them: asked of what then waits, numbered, answered once, in time and by
//! somebody; what was answered with no is given up, and nobody takes up what waits (HAND-1). A refusal for want of a
//! person's word says whose work is at stake (MAIL-1), and a word that came to nothing says why (WHO-1).
//!
//! Deliberately does not know what is in a packet ([`crate::consent`] does), nor whose work a landing takes back
//! ([`crate::undo`] does).

use crate::board::Board;
use crate::changes::Changes;
use crate::packets::Packets;
use crate::report::Judgement;
use crate::scenario_file::ScenarioFile;
use baton_record::event::{ApprovalAsked, ApprovalGiven, ApprovalSubject, ApprovalThen, ApprovalTimedOut};
use baton_record::event::{ChangeRefused, CommandRefusal, CommandRefused, FailReason, RefuseReason, ReturnReason};
use baton_record::event::{StopReason, WorldKind};
use baton_record::line::Record;
use baton_record::{ChangeId, Event, LaneId, TaskId};
use std::collections::{BTreeMap, BTreeSet};

/// What was answered, and by whom; nobody: time.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) approved: bool,
    pub(crate) by: Option<String>,
    /// Answers before it.
    place: usize,
}

/// One question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) asked: ApprovalAsked,
    pub(crate) task: TaskId,
    pub(crate) answer: Option<Answer>,
    /// Its time was over, and the run was to end.
    stopped: bool,
}

/// What the next record must be.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Due {
    /// The task that is asked about waits from here on.
    Waits(Option<LaneId>, TaskId),
    /// The task that was denied is given up.
    GivenUp(TaskId),
}

/// All questions of a run.
#[derive(Debug, Default)]
pub(crate) struct Approvals {
    pub(crate) questions: Vec<Question>,
    answers: usize,
    due: Option<Due>,
    /// Tasks that wait for an answer.
    waiting: BTreeSet<TaskId>,
    ended: BTreeSet<TaskId>,
    /// How long questions of one sort wait, and what happens then.
    patience: BTreeMap<ApprovalSubject, (u64, ApprovalThen)>,
    /// Tasks whose plan a person decides about, and those of them that are done.
    plans: BTreeSet<TaskId>,
    plans_done: BTreeSet<TaskId>,
    /// By refused change: where, and whose work it would take back.
    unapproved: BTreeMap<ChangeId, (Vec<String>, Vec<ChangeId>)>,
    /// Roles that a skill file binds, and their lanes.
    bound: BTreeSet<String>,
    bound_lanes: BTreeSet<LaneId>,
    live: bool,
    pub(crate) hand_1: Judgement,
    pub(crate) mail_1: Judgement,
    pub(crate) who_1: Judgement,
}

/// How much later than it was decided a record may be written on a real clock.
const LATE_US: u64 = 2_000_000;

impl Approvals {
    /// Whether a person was waited for longer than it may be, and the run was to end then.
    pub(crate) fn any_stopped(&self) -> bool {
        self.questions.iter().any(|question| question.stopped)
    }

    /// Whether every plan that a person decides about is done, and there is one.
    pub(crate) fn plans_are_done(&self) -> bool {
        !self.plans.is_empty() && self.plans == self.plans_done
    }

    /// Every yes about changes of a task, in the order of the answers.
    pub(crate) fn granted(&self, task: TaskId) -> Vec<&Question> {
        let yes = |question: &&Question| {
            question.task == task && question.answer.as_ref().is_some_and(|answer| answer.approved)
        };
        let mut granted: Vec<&Question> = self.questions.iter().filter(yes).collect();
        granted.sort_by_key(|question| question.answer.as_ref().map(|answer| answer.place));
        granted
    }

    /// Before `board` and `changes`, and after `packets`, have seen the record.
    pub(crate) fn see(&mut self, seq: u64, record: &Record, story: (&Board, &Changes, &Packets)) {
        if matches!(record.event, Event::SegmentClosed(_)) {
            return;
        }
        let (board, changes, packets) = story;
        let result = self.meets_due(record).and_then(|()| match &record.event {
            Event::RunStarted(started) => {
                self.live = started.world == WorldKind::Live;
                Ok(())
            }
            Event::TaskAdded(added) => {
                self.plans.extend(record.task.filter(|_| added.plan));
                Ok(())
            }
            Event::RoleBound(bound) => {
                self.bound.insert(bound.role.clone());
                Ok(())
            }
            Event::LaneJoined(joined) => {
                self.bound_lanes.extend(record.lane.filter(|_| self.bound.contains(&joined.role)));
                Ok(())
            }
            Event::ApprovalAsked(asked) => self.asked(record, asked, (board, packets)),
            Event::ApprovalGiven(given) => self.given(record, given),
            Event::ApprovalTimedOut(over) => self.timed_out(record, over),
            Event::TaskAssigned(_) if record.task.is_some_and(|task| self.waiting.contains(&task)) => {
                Err("gives a lane what waits for a person")
            }
            Event::TaskDone(_) | Event::TaskFailed(_) => {
                self.ended(record);
                Ok(())
            }
            _ => Ok(()),
        });
        let about = matches!(
            record.event,
            Event::ApprovalAsked(_) | Event::ApprovalGiven(_) | Event::ApprovalTimedOut(_) | Event::TaskReturned(_)
        );
        if about || result.is_err() {
            self.hand_1.claim(result.is_ok(), || format!("record {seq} {}", result.err().unwrap_or_default()));
        }
        match &record.event {
            Event::ChangeRefused(refused) => self.refused(seq, refused, changes),
            Event::CommandRefused(refused) => self.command_refused(seq, refused),
            _ => {}
        }
    }

    /// A question is followed by the wait, a no by the task's end, and neither stands anywhere else.
    fn meets_due(&mut self, record: &Record) -> Result<(), &'static str> {
        let waits = matches!(&record.event, Event::TaskReturned(e) if e.reason == ReturnReason::WaitsForPerson);
        let given_up = matches!(&record.event, Event::TaskFailed(e) if e.reason == FailReason::NotApproved);
        match self.due.take() {
            Some(Due::Waits(lane, task)) if waits && (record.lane, record.task) == (lane, Some(task)) => Ok(()),
            Some(Due::GivenUp(task)) if given_up && (record.lane, record.task) == (None, Some(task)) => Ok(()),
            Some(Due::Waits(..)) => Err("stands where a task begins to wait for the person who was asked about it"),
            Some(Due::GivenUp(_)) => Err("stands where a task is given up that a person, or time, has denied"),
            None if waits => Err("lets a task wait for a person who was not asked"),
            None if given_up => Err("gives a task up that nobody has denied"),
            None => Ok(()),
        }
    }

    fn asked(
        &mut self,
        record: &Record,
        asked: &ApprovalAsked,
        (board, packets): (&Board, &Packets),
    ) -> Result<(), &'static str> {
        let task = asked.change.task();
        let number = self.questions.len();
        let question = Question { asked: asked.clone(), task, answer: None, stopped: false };
        self.questions.push(question);
        self.due = Some(Due::Waits(record.lane, task));
        let free = self.waiting.insert(task);
        if asked.approval.0 as usize != number {
            return Err("asks a question whose number is not due");
        }
        let owns = board.owner(task).is_some() && board.owner(task) == record.lane;
        if record.task != Some(task) || board.current_change(task) != Some(asked.change) || !owns || !free {
            return Err("asks about another attempt than the one that its lane owns");
        }
        if packets.lying_with(task) != Some(asked.packet) {
            return Err("asks about another packet than the one that lies with the task");
        }
        let (paths, undoes) = (&asked.paths, &asked.undoes);
        if !(paths.windows(2).all(|two| two[0] < two[1]) && undoes.windows(2).all(|two| two[0] < two[1])) {
            return Err("asks about the same twice, or in no order");
        }
        let at_stake = self.unapproved.get(&asked.change);
        let fits = match asked.subject {
            ApprovalSubject::Undo => {
                at_stake.is_some_and(|(paths, undoes)| (paths, undoes) == (&asked.paths, &asked.undoes))
            }
            ApprovalSubject::Plan => self.plans.contains(&task) && asked.undoes.is_empty(),
            ApprovalSubject::Rounds => packets.rounds_are_over(task) && asked.undoes.is_empty(),
            // Only a role that is bound leaves an action to a person.
            ApprovalSubject::Action => {
                let bound = record.lane.is_some_and(|lane| self.bound_lanes.contains(&lane));
                bound && asked.undoes.is_empty() && !packets.rounds_are_over(task)
            }
        };
        if !fits {
            return Err("asks about what is not at stake");
        }
        self.patience(record.t_us, asked)
    }

    /// All questions of one sort wait equally long.
    fn patience(&mut self, t_us: u64, asked: &ApprovalAsked) -> Result<(), &'static str> {
        let waits_us = asked.until_us.checked_sub(t_us).ok_or("asks when the time to answer is over")?;
        let (first_us, then) = *self.patience.entry(asked.subject).or_insert((waits_us, asked.then));
        let fits = then == asked.then && (self.live || first_us == waits_us);
        if fits { Ok(()) } else { Err("waits otherwise than other questions of its sort") }
    }

    /// HAND-1: all questions wait as long as the scenario says, and then happens what it says.
    pub(crate) fn judge_patience(&self, file: &ScenarioFile) -> Judgement {
        let mut hand_1 = Judgement::default();
        for (subject, (waits_us, then)) in &self.patience {
            let (timeout_us, said) = file.patience(*subject);
            let least_us = timeout_us.saturating_sub(if self.live { LATE_US } else { 0 });
            hand_1.claim((least_us..=timeout_us).contains(waits_us) && *then == said, || {
                format!("questions about {} wait otherwise than the scenario says", subject.word())
            });
        }
        hand_1
    }

    /// The question of an answer, if it is open and is about the task of the record.
    fn open(&mut self, record: &Record, number: u32) -> Result<&mut Question, &'static str> {
        let question = self.questions.get_mut(number as usize).ok_or("answers what nobody has asked")?;
        if question.answer.is_some() || question.stopped {
            return Err("answers a question a second time");
        }
        if (record.lane, record.task) != (None, Some(question.task)) {
            return Err("answers in the name of another task");
        }
        Ok(question)
    }

    fn given(&mut self, record: &Record, given: &ApprovalGiven) -> Result<(), &'static str> {
        let (live, place) = (self.live, self.answers);
        let question = self.open(record, given.approval.0)?;
        let (task, until_us) = (question.task, question.asked.until_us);
        question.answer = Some(Answer { approved: given.approved, by: Some(given.by.clone()), place });
        self.answer(task, given.approved);
        let in_time = record.t_us < until_us.saturating_add(if live { LATE_US } else { 0 });
        if given.by.trim().is_empty() {
            return Err("is answered by nobody");
        }
        if in_time { Ok(()) } else { Err("answers a question whose time is over") }
    }

    fn timed_out(&mut self, record: &Record, over: &ApprovalTimedOut) -> Result<(), &'static str> {
        let place = self.answers;
        let question = self.open(record, over.approval.0)?;
        let (task, until_us, then) = (question.task, question.asked.until_us, question.asked.then);
        let approved = over.then == ApprovalThen::Approve;
        if over.then == ApprovalThen::Stop {
            question.stopped = true;
        } else {
            question.answer = Some(Answer { approved, by: None, place });
            self.answer(task, approved);
        }
        if over.then != then {
            return Err("lets something else happen than the question said");
        }
        if record.t_us >= until_us { Ok(()) } else { Err("says that time is over which is not") }
    }

    fn answer(&mut self, task: TaskId, approved: bool) {
        self.answers += 1;
        self.waiting.remove(&task);
        self.due = (!approved).then_some(Due::GivenUp(task));
    }

    fn ended(&mut self, record: &Record) {
        let Some(task) = record.task else { return };
        self.ended.insert(task);
        if matches!(record.event, Event::TaskDone(_)) && self.plans.contains(&task) {
            self.plans_done.insert(task);
        }
    }

    /// What a change is refused for want of a person's word: for its task's plan, or for what others have landed.
    fn refused(&mut self, seq: u64, refused: &ChangeRefused, changes: &Changes) {
        let ChangeRefused { change, reason, paths, undoes, .. } = refused;
        let ascending = undoes.windows(2).all(|two| two[0] < two[1]) && paths.windows(2).all(|two| two[0] < two[1]);
        let landed = undoes.iter().all(|id| changes.get(*id).is_some_and(|undone| undone.landings > 0));
        let fits = match reason {
            RefuseReason::NotApproved if undoes.is_empty() => paths.is_empty() && self.plans.contains(&change.task()),
            RefuseReason::NotApproved => !paths.is_empty() && ascending && landed,
            _ => undoes.is_empty(),
        };
        self.mail_1.claim(fits, || format!("record {seq}: {change} is refused, and what is at stake is not told"));
        if *reason == RefuseReason::NotApproved {
            self.unapproved.insert(*change, (paths.clone(), undoes.clone()));
        }
    }

    /// Why an answer came to nothing, if the command was one.
    fn command_refused(&mut self, seq: u64, refused: &CommandRefused) {
        let (verb, about) = refused.command.split_once(": ").unwrap_or_default();
        if !matches!(verb, "approve" | "deny") {
            return;
        }
        let task = TaskId::parse(about);
        let meant = |question: &&Question| match task {
            Some(task) => question.task == task,
            None => about == "all" || about == question.asked.subject.word(),
        };
        let known = task.is_some() || about == "all" || ApprovalSubject::ALL.iter().any(|(word, _)| *word == about);
        let meant: Vec<&Question> = self.questions.iter().filter(meant).collect();
        let open = meant.iter().any(|question| question.answer.is_none() && !question.stopped);
        let why = match meant.is_empty() {
            false => CommandRefusal::Decided,
            true if task.is_some_and(|task| self.ended.contains(&task)) => CommandRefusal::Gone,
            true => CommandRefusal::NothingWaits,
        };
        // What still waits is refused only because the run ends, and whether it does is judged with all orders.
        let fits = refused.why == if open { CommandRefusal::Gone } else { why };
        self.who_1.claim(known && fits && !refused.by.trim().is_empty(), || {
            format!("record {seq}: a command is said to come to nothing, and not for that reason")
        });
    }

    /// HAND-1, when the journal is read.
    pub(crate) fn judge(&self, reason: Option<StopReason>) -> Judgement {
        let mut hand_1 = self.hand_1.clone();
        if reason == Some(StopReason::TasksEnded) {
            hand_1.claim(self.waiting.is_empty(), || "a task waits for a person, though every task has ended".into());
        }
        hand_1
    }
}
