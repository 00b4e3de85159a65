//! What came of a run, counted: a fold over its journal.

use crate::outcome::{ApprovalOutcome, ApprovalState};
use baton_record::event::{ApprovalThen, RefuseReason, StopReason};
use baton_record::{ApprovalId, Event, FaultId};
use std::collections::BTreeMap;

/// Counts of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Changes on main (control run: written).
    pub landed: u64,
    /// Changes refused.
    pub refused: u64,
    /// Of these: because they did not merge.
    pub conflicts: u64,
    /// Tasks done.
    pub tasks_landed: u64,
    /// Tasks given up.
    pub tasks_failed: u64,
    /// Calls that ended.
    pub calls: u64,
    /// Tokens sent.
    pub tokens_in: u64,
    /// Tokens received.
    pub tokens_out: u64,
    /// Money, in millionths of a dollar.
    pub usd_micros: u64,
    /// By fault: how often it struck, and how often it was felt.
    pub faults: BTreeMap<FaultId, (u64, u64)>,
    /// What people were asked.
    pub approvals: Vec<ApprovalOutcome>,
    /// Why the run ended, if it did.
    pub stopped: Option<StopReason>,
    /// Time of the last record.
    pub last_us: u64,
}

impl Tally {
    fn answer(&mut self, approval: ApprovalId, state: ApprovalState, by: Option<&String>) {
        if let Some(asked) = self.approvals.get_mut(approval.0 as usize) {
            (asked.state, asked.by) = (state, by.cloned());
        }
    }

    /// Counts one record.
    pub fn count(&mut self, t_us: u64, event: &Event) {
        self.last_us = t_us;
        if let Some(fault) = event.felt() {
            self.faults.entry(fault).or_default().1 += 1;
        }
        match event {
            Event::FaultInjected(injected) => self.faults.entry(injected.fault).or_default().0 += 1,
            Event::ChangeLanded(_) | Event::ChangeWritten(_) => self.landed += 1,
            Event::ChangeRefused(refused) => {
                self.refused += 1;
                self.conflicts += u64::from(refused.reason == RefuseReason::Conflict);
            }
            Event::TaskDone(_) => self.tasks_landed += 1,
            Event::TaskFailed(_) => self.tasks_failed += 1,
            Event::EffectDone(done) => {
                self.calls += 1;
                self.tokens_in += done.tokens_in;
                self.tokens_out += done.tokens_out;
                self.usd_micros += done.usd_micros;
            }
            // A call that was refused costs nothing but a request; one whose end nobody knows is billed whole.
            Event::EffectFailed(_) => self.calls += 1,
            Event::EffectLost(lost) => {
                self.calls += 1;
                self.tokens_out += lost.billed.tokens;
                self.usd_micros += lost.billed.usd_micros;
            }
            Event::ApprovalAsked(asked) => self.approvals.push(ApprovalOutcome {
                id: asked.approval.to_string(),
                subject: asked.subject,
                task: asked.change.task().to_string(),
                paths: asked.paths.clone(),
                detail: asked.detail.clone(),
                asked_s: t_us as f64 / 1e6,
                until_s: asked.until_us as f64 / 1e6,
                state: ApprovalState::Waiting,
                by: None,
            }),
            Event::ApprovalGiven(given) => {
                let state = if given.approved { ApprovalState::Approved } else { ApprovalState::Denied };
                self.answer(given.approval, state, Some(&given.by));
            }
            Event::ApprovalTimedOut(over) => match over.then {
                ApprovalThen::Approve => self.answer(over.approval, ApprovalState::TimedOutApproved, None),
                ApprovalThen::Deny => self.answer(over.approval, ApprovalState::TimedOutDenied, None),
                ApprovalThen::Stop => {}
            },
            Event::RunStopped(stopped) => self.stopped = Some(stopped.reason),
            _ => {}
        }
    }
}
