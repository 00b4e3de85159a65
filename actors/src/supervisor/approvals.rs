//! What waits for people: questions of lanes, people's answers, their time, and what that allows the merger.

use super::{Answer, AnswerDue, Effect, OperatorSays, Supervisor};
use crate::team::Command as Word;
use actix::{AsyncContext, Context};
use baton_core::approvals::{About, Question, Verdict};
use baton_core::{Command, Fact, Refusal};
use baton_record::event::{ApprovalThen, CommandRefusal, CommandRefused, StopReason};
use baton_record::{ApprovalId, ChangeId, Event, LaneId, TaskId};
use std::time::Duration;

impl Supervisor {
    pub(super) fn serve_ask_person(&mut self, lane: LaneId, change: ChangeId, question: Question) {
        match self.obey(&Command::AskPerson { lane, change, question }) {
            Ok(()) => self.employ_idle(),
            Err(_) => self.answer(lane, Answer::Over),
        }
    }

    /// A person answers what waits; a word that comes too late, or speaks of nothing, is told as that.
    pub(super) fn take_answer(
        &mut self,
        (about, approved): (About, bool),
        (by, reason): (String, String),
        ctx: &mut Context<Supervisor>,
    ) {
        // A supervisor that was away may hear of an answer before it has looked whose time is over.
        let now_us = self.ground.clock.now_us();
        let open = self.state.approvals.open().iter();
        let overdue: Vec<ApprovalId> = open.filter(|open| open.until_us <= now_us).map(|open| open.approval).collect();
        overdue.into_iter().for_each(|approval| self.on_answer_due(AnswerDue(approval), ctx));
        let verdict = Verdict { approved, by: by.clone(), reason: reason.clone() };
        match self.obey(&Command::Answer { about, verdict }) {
            Ok(()) => {
                self.employ_idle();
                self.stop_if_stuck(ctx);
            }
            Err(refusal) => {
                let word = Word::Answer { about, approved };
                self.refuse_command(word.to_string(), (by, reason), why(refusal));
            }
        }
    }

    /// An answer that comes while the run comes to rest is refused for what it would be refused for at any time, if it would
    /// be. Whether it was.
    pub(super) fn refuse_late_answer(&mut self, says: &OperatorSays) -> bool {
        let Word::Answer { about, approved } = says.command else { return false };
        let (by, reason) = (says.by.clone(), says.reason.clone());
        let verdict = Verdict { approved, by: by.clone(), reason: reason.clone() };
        let decided = self.state.decide(&Command::Answer { about, verdict }, self.ground.clock.now_us());
        match decided {
            Ok(_) => false,
            Err(refusal) => {
                self.refuse_command(says.command.to_string(), (by, reason), why(refusal));
                true
            }
        }
    }

    pub(super) fn take_override(&mut self, task: TaskId, (by, reason): (String, String)) {
        let command = Command::Override { task, by: by.clone(), reason: reason.clone() };
        if let Err(refusal) = self.obey(&command) {
            self.refuse_command(Word::Override(task).to_string(), (by, reason), why(refusal));
        }
    }

    pub(super) fn refuse_command(&mut self, command: String, (by, reason): (String, String), why: CommandRefusal) {
        let event = Event::CommandRefused(CommandRefused { command, by, reason, why });
        self.commit(vec![Fact::of_run(event)], None);
    }

    /// Sees to it that somebody looks when a person's time is over.
    pub(super) fn watch_answer(&self, approval: ApprovalId, ctx: &mut Context<Supervisor>) {
        let open = self.state.approvals.open().iter().find(|open| open.approval == approval);
        if let Some(open) = open {
            let left_us = open.until_us.saturating_sub(self.ground.clock.now_us());
            ctx.notify_later(AnswerDue(approval), Duration::from_micros(left_us));
        }
    }

    pub(super) fn on_answer_due(&mut self, due: AnswerDue, ctx: &mut Context<Supervisor>) {
        if self.stopping.is_some() {
            return;
        }
        let time_out = Command::TimeOut { approval: due.0 };
        match self.state.decide(&time_out, self.ground.clock.now_us()) {
            Ok(facts) => {
                let stops =
                    |fact: &Fact| matches!(&fact.event, Event::ApprovalTimedOut(e) if e.then == ApprovalThen::Stop);
                let stops = facts.iter().any(stops);
                self.commit(facts, None);
                if stops {
                    self.stop(StopReason::WaitsForPerson, ctx);
                }
                self.employ_idle();
                self.stop_if_stuck(ctx);
            }
            Err(Refusal::TooEarly) => self.watch_answer(due.0, ctx),
            Err(_) => {}
        }
    }

    /// After a restart: times are watched again, and the merger is told again what it may have missed.
    pub(super) fn take_up_approvals(&mut self, ctx: &mut Context<Supervisor>) {
        let open: Vec<ApprovalId> = self.state.approvals.open().iter().map(|open| open.approval).collect();
        open.into_iter().for_each(|approval| self.watch_answer(approval, ctx));
        let allowed = self.consent.all().into_iter().map(Effect::Allow).collect();
        self.commit_effects(Vec::new(), allowed);
    }

    /// Whether these facts have brought the run to the end that its scenario states.
    pub(super) fn end_reached(&self, facts: &[Fact]) -> Option<StopReason> {
        if self.state.board.all_ended() {
            return Some(StopReason::TasksEnded);
        }
        let team = &self.ground.team;
        let done = facts.iter().any(|fact| matches!(fact.event, Event::TaskDone(_)));
        let mut plans = (0..team.tasks.len() as u32).map(TaskId).filter(|task| team.work_of(*task).plan);
        let planned = team.stop_when_planned && done && plans.all(|task| self.state.board.is_done(task));
        planned.then_some(StopReason::PlanApproved)
    }
}

fn why(refusal: Refusal) -> CommandRefusal {
    match refusal {
        Refusal::Repeated => CommandRefusal::Decided,
        Refusal::Stale => CommandRefusal::Gone,
        _ => CommandRefusal::NothingWaits,
    }
}
