//! How a lane has a person decide: the one way for everything that waits for one.
//!
//! Whoever needs a person's word makes its change first and calls [`Lane::ask_person`] in place of submitting it. The change
//! goes into a packet, the task waits for the answer and holds nothing meanwhile, and the lane takes other work. A yes
//! brings the task back to any lane of the same desk, which submits exactly that change ([`Lane::submit_handed`]); a no
//! ends it. Knows nothing of who answers, or when.

use super::Lane;
use super::stage::Stage;
use crate::supervisor::{Lack, Want};
use actix::Context;
use baton_core::approvals::Question;
use baton_record::event::{ApprovalSubject, PacketPurpose};
use baton_world::git::Edit;

/// Characters that a person is shown of a reason.
const DETAIL_MAX: usize = 500;

impl Lane {
    /// Has a person decide about the attempt's change, which is made. For a change that a packet brought here, that packet is
    /// asked about; any other is packed now.
    pub(super) fn ask_person(&mut self, lack: Lack, ctx: &mut Context<Lane>) {
        let question = self.question(lack);
        let attempt = self.attempt.as_mut().expect("what a person decides about is made in an attempt");
        if attempt.is_carried() {
            let change = attempt.change;
            self.stage = Stage::HandingOver;
            return self.ask(Want::AskPerson { change, question }, ctx);
        }
        attempt.asks = Some(question);
        self.hand_over(PacketPurpose::Approval, ctx);
    }

    /// A question as this run's people are asked it: for how long, and what happens then.
    pub(super) fn question(&self, lack: Lack) -> Question {
        let Lack { subject, paths, undoes, detail } = lack;
        let patience = self.ground.team.approvals.of(subject);
        let detail = detail.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
        Question { subject, paths, undoes, detail: detail.take(DETAIL_MAX).collect(), patience }
    }

    /// Whether a person has to say yes to the plan of the attempt's task before its change goes on.
    pub(super) fn waits_for_plan(&self) -> bool {
        let attempt = self.attempt.as_ref().expect("a change is made in an attempt");
        self.ground.team.work_of(attempt.change.task()).plan && !self.is_approved()
    }

    /// The question about actions that the role's policy leaves to a person, if the change has any.
    pub(super) fn action_lack(&self) -> Option<Lack> {
        let attempt = self.attempt.as_ref().expect("a change is made in an attempt");
        let left = &attempt.left_to_people;
        if left.is_empty() {
            return None;
        }
        let mut paths: Vec<String> = left.iter().filter_map(|left| left.path.clone()).collect();
        paths.sort_unstable();
        paths.dedup();
        let mut what: Vec<&str> = left.iter().map(|left| left.what.as_str()).collect();
        what.dedup();
        let detail = format!("its role leaves to a person: {}", what.join("; "));
        Some(Lack { subject: ApprovalSubject::Action, paths, undoes: Vec::new(), detail })
    }

    /// The question about a task's plan.
    pub(super) fn plan_lack(&self) -> Lack {
        let attempt = self.attempt.as_ref().expect("a change is made in an attempt");
        Lack::of_plan(attempt.paths())
    }
}

impl super::attempt::Attempt {
    /// Every path that the change writes or removes, ascending.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.edits().iter().map(|edit| Edit::path(edit).to_owned()).collect();
        paths.sort_unstable();
        paths
    }
}
