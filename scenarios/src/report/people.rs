//! What people decided, what they were asked, and what was denied without them.

use super::roster::Roster;
use super::sample::{Counts, Distribution, Samples, word};
use crate::outcome::{ApprovalOutcome, ApprovalState};
use baton_record::event::{ApprovalAsked, ApprovalThen, CommandRefusal, CommandRefused, OperatorCommand};
use baton_record::{ApprovalId, Event, LaneId};
use serde::Serialize;
use std::collections::BTreeMap;

/// Decisions of people and rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct People {
    /// Questions to a person.
    pub approvals: Approvals,
    /// Trees that a person let through a gate that refused them.
    pub overrides: Vec<Override>,
    /// Actions that roles may not.
    pub denials: Denials,
    /// Actions that roles may do, and that could not be done.
    pub failures: Denials,
    /// Operators' commands that were obeyed, by word; each once, whatever it changed.
    pub commands: Counts,
    /// The same, by operator.
    pub commands_by: Counts,
    /// Operators' commands that changed nothing, by the reason for that.
    pub commands_refused: Counts,
    /// The same, one by one, in the order in which they came.
    pub refused: Vec<RefusedCommand>,
    /// Pauses of everybody.
    pub pauses: Pauses,
}

/// Questions to a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Approvals {
    /// Asked.
    pub asked: u64,
    /// Answered with yes by a person.
    pub approved: u64,
    /// Answered with no by a person.
    pub denied: u64,
    /// Answered by time.
    pub timed_out: u64,
    /// Not answered when the journal ended.
    pub open: u64,
    /// From question to answer, by whomever.
    pub wait_us: Distribution,
    /// Asked, by subject.
    pub by_subject: Counts,
    /// What time answered.
    pub timed_out_as: Counts,
    /// One by one, in the order of asking.
    pub list: Vec<ApprovalOutcome>,
}

/// A tree that a person let through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each field is that of its record")]
pub struct Override {
    pub t_us: u64,
    pub change: String,
    pub gate: String,
    pub tree: String,
    pub by: String,
    pub reason: String,
}

/// A command of an operator that changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each field is that of its record")]
pub struct RefusedCommand {
    pub t_us: u64,
    pub command: String,
    pub by: String,
    pub reason: String,
    pub why: CommandRefusal,
}

/// Actions that did not happen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Denials {
    /// How many.
    pub count: u64,
    /// By role of the lane.
    pub by_role: Counts,
    /// By tool.
    pub by_tool: Counts,
    /// By reason.
    pub by_reason: Counts,
}

impl Denials {
    fn add(&mut self, role: &str, tool: &str, reason: String) {
        self.count += 1;
        self.by_role.add(role);
        self.by_tool.add(tool);
        self.by_reason.add(reason);
    }
}

/// Pauses of everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pauses {
    /// How many.
    pub count: u64,
    /// From request to acknowledgement.
    pub acknowledged_us: Distribution,
    /// From request to resumption, or to the end of the journal, all together.
    pub total_us: u64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Decisions {
    told: People,
    asked: BTreeMap<ApprovalId, u64>,
    waits: Samples,
    paused_us: Option<u64>,
    acknowledged: Samples,
    /// Whether the record before was a drain, which ends a pause.
    drained: bool,
}

impl Decisions {
    pub(super) fn see(&mut self, t_us: u64, lane: Option<LaneId>, event: &Event, roster: &Roster) {
        let drained = std::mem::take(&mut self.drained);
        let told = &mut self.told;
        match event {
            Event::SegmentClosed(_) => self.drained = drained,
            Event::Resumed(_) if drained => self.resume(t_us),
            Event::ApprovalAsked(asked) => {
                told.approvals.asked += 1;
                told.approvals.by_subject.add(word(&asked.subject));
                told.approvals.list.push(listed(t_us, asked));
                self.asked.insert(asked.approval, t_us);
            }
            Event::ApprovalGiven(given) => {
                told.approvals.approved += u64::from(given.approved);
                told.approvals.denied += u64::from(!given.approved);
                let state = if given.approved { ApprovalState::Approved } else { ApprovalState::Denied };
                self.answered(t_us, given.approval, (state, Some(&given.by)));
            }
            Event::ApprovalTimedOut(over) => {
                told.approvals.timed_out += 1;
                told.approvals.timed_out_as.add(word(&over.then));
                let state = match over.then {
                    ApprovalThen::Approve => ApprovalState::TimedOutApproved,
                    ApprovalThen::Deny => ApprovalState::TimedOutDenied,
                    ApprovalThen::Stop => ApprovalState::TimedOutStopped,
                };
                self.answered(t_us, over.approval, (state, None));
            }
            Event::OverrideRecorded(passed) => told.overrides.push(Override {
                t_us,
                change: passed.change.to_string(),
                gate: passed.gate.clone(),
                tree: passed.tree.to_hex(),
                by: passed.by.clone(),
                reason: passed.reason.clone(),
            }),
            Event::ActionDenied(denied) => {
                let role = lane.map_or("", |lane| roster.role_of(lane));
                told.denials.add(role, &denied.tool, denied.reason.clone());
            }
            Event::ActionFailed(failed) => {
                let role = lane.map_or("", |lane| roster.role_of(lane));
                told.failures.add(role, &failed.tool, word(&failed.reason));
            }
            Event::CommandRefused(refused) => {
                told.commands_refused.add(word(&refused.why));
                let CommandRefused { command, by, reason, why } = refused.clone();
                told.refused.push(RefusedCommand { t_us, command, by, reason, why });
            }
            _ => self.command(t_us, event),
        }
    }

    fn answered(&mut self, t_us: u64, approval: ApprovalId, (state, by): (ApprovalState, Option<&String>)) {
        let id = approval.to_string();
        if let Some(asked) = self.told.approvals.list.iter_mut().rev().find(|asked| asked.id == id) {
            (asked.state, asked.by) = (state, by.cloned());
        }
        if let Some(since_us) = self.asked.remove(&approval) {
            self.waits.add(t_us - since_us);
        }
    }

    fn command(&mut self, t_us: u64, event: &Event) {
        let (command, by) = match event {
            Event::CommandGiven(given) => {
                self.drained = given.command == OperatorCommand::Drain;
                (word(&given.command), &given.by)
            }
            Event::PauseRequested(requested) => {
                self.told.pauses.count += 1;
                self.paused_us = Some(t_us);
                ("pause-all".to_owned(), &requested.by)
            }
            Event::Resumed(resumed) => {
                self.resume(t_us);
                ("resume-all".to_owned(), &resumed.by)
            }
            Event::PauseAcknowledged(_) => {
                self.paused_us.into_iter().for_each(|since_us| self.acknowledged.add(t_us - since_us));
                return;
            }
            _ => return,
        };
        self.told.commands.add(command);
        self.told.commands_by.add(by.as_str());
    }

    fn resume(&mut self, t_us: u64) {
        if let Some(since_us) = self.paused_us.take() {
            self.told.pauses.total_us = self.told.pauses.total_us.saturating_add(t_us - since_us);
        }
    }

    pub(super) fn close(mut self, end_us: u64) -> People {
        self.resume(end_us);
        let mut told = self.told;
        told.approvals.open = self.asked.len() as u64;
        told.approvals.wait_us = self.waits.distribution();
        told.pauses.acknowledged_us = self.acknowledged.distribution();
        told
    }
}

fn listed(t_us: u64, asked: &ApprovalAsked) -> ApprovalOutcome {
    ApprovalOutcome {
        id: asked.approval.to_string(),
        subject: asked.subject,
        task: asked.change.task().to_string(),
        paths: asked.paths.clone(),
        detail: asked.detail.clone(),
        asked_s: t_us as f64 / 1e6,
        until_s: asked.until_us as f64 / 1e6,
        state: ApprovalState::Waiting,
        by: None,
    }
}
