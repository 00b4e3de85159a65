//! Owns STOP-1: a run's last record says why it ended, and what it says is so.
//!
//! Deliberately does not know the repository; [`crate::main_line`] compares main with it.

use crate::approvals::Approvals;
use crate::board::Board;
use crate::changes::Changes;
use crate::packets::Packets;
use crate::report::Judgement;
use baton_record::Event;
use baton_record::event::{OperatorCommand, RunStarted, RunStopped, StopReason};
use baton_record::line::Record;

/// Start and end of a run.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    pub(crate) started: Option<RunStarted>,
    pub(crate) stopped: Option<RunStopped>,
    /// An operator has ended the run.
    ordered: bool,
    stop_1: Judgement,
}

impl Ends {
    pub(crate) fn see(&mut self, seq: u64, record: &Record) {
        if self.stopped.is_some() {
            self.stop_1.breaks(|| format!("record {seq} follows the run's end"));
        }
        match &record.event {
            Event::RunStarted(started) => self.started = Some(started.clone()),
            Event::CommandGiven(given) => self.ordered |= given.command == OperatorCommand::Stop,
            Event::RunStopped(stopped) => self.stopped = Some(stopped.clone()),
            _ => {}
        }
    }

    /// Why the run ended; `None`: it was killed.
    pub(crate) fn reason(&self) -> Option<StopReason> {
        self.stopped.as_ref().map(|stopped| stopped.reason)
    }

    pub(crate) fn judge(
        &self,
        (changes, approvals): (&Changes, &Approvals),
        (board, packets): (&Board, &Packets),
    ) -> Judgement {
        let mut stop = self.stop_1.clone();
        let Some(stopped) = &self.stopped else {
            stop.open(|| "the journal ends without a stop: the run was killed, or goes on".into());
            return stop;
        };
        let control = self.started.as_ref().is_some_and(|started| started.control);
        let landed = if control { changes.written } else { changes.landings.len() as u64 };
        stop.claim((stopped.landed, stopped.refused) == (landed, changes.refused), || {
            format!(
                "it ends with {} landed and {} refused, and the journal has {landed} and {}",
                stopped.landed, stopped.refused, changes.refused
            )
        });
        let consistent = match stopped.reason {
            StopReason::TasksEnded => board.unended() == 0,
            StopReason::ForeignPush => changes.foreign.is_some(),
            StopReason::Stuck => board.unended() > 0 && !board.any_hands_back(),
            StopReason::BudgetOver => board.unended() > 0 && board.any_retired() && !board.any_hands_back(),
            StopReason::Drained => board.is_drained(packets),
            StopReason::WaitsForPerson => board.unended() > 0 && approvals.any_stopped(),
            StopReason::PlanApproved => board.unended() > 0 && approvals.plans_are_done(),
            StopReason::TimeOver | StopReason::Operator => true,
        };
        stop.claim(consistent, || {
            format!(
                "it ends as {} with {} tasks unended, and that does not fit",
                stopped.reason.word(),
                board.unended()
            )
        });
        stop.claim(!self.ordered || stopped.reason == StopReason::Operator, || {
            format!("an operator ends it, and it ends as {}", stopped.reason.word())
        });
        let main = match &changes.foreign {
            Some(push) => push.found,
            None => changes.head,
        };
        stop.claim(control || main.is_none() || main == Some(stopped.main), || {
            format!("it ends with main at {}, and the last record about main says otherwise", stopped.main)
        });
        stop.note(format!("ended as {}", stopped.reason.word()));
        stop
    }
}
