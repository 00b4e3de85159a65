//! Questions to people: by example.

use crate::team::{A, B, Team};
use baton_core::approvals::{About, Patience, Question, Verdict};
use baton_core::board::{Offer, TaskState};
use baton_core::{Command, Refusal};
use baton_record::event::{ApprovalSubject, ApprovalThen, FailReason, PacketOffered, PacketPurpose};
use baton_record::{ApprovalId, ChangeId, Event, LaneId, PacketId, TaskId};

const TIMEOUT_US: u64 = 1_000;

fn question(subject: ApprovalSubject, then: ApprovalThen) -> Question {
    let patience = Patience { timeout_us: TIMEOUT_US, then };
    Question { subject, paths: vec!["a".to_owned()], undoes: Vec::new(), detail: "why".to_owned(), patience }
}

fn hand_over(lane: LaneId, change: ChangeId, asks: Question) -> Command {
    let packet = PacketOffered {
        packet: PacketId(0),
        digest: String::new(),
        bytes: 1,
        to: "role-0".to_owned(),
        purpose: PacketPurpose::Approval,
        change,
    };
    let offer = Offer { packet, flaws: Vec::new(), fault: None, before: 0, asks: Some(asks) };
    Command::HandOver { lane, offer, handed_max: 8 }
}

fn answer(about: About, approved: bool) -> Command {
    Command::Answer { about, verdict: Verdict { approved, by: "ana".to_owned(), reason: "because".to_owned() } }
}

fn kinds(events: &[Event]) -> Vec<&'static str> {
    let word = |event: &Event| match event {
        Event::PacketOffered(_) => "offered",
        Event::PacketAccepted(_) => "accepted",
        Event::ApprovalAsked(_) => "asked",
        Event::TaskReturned(_) => "returned",
        Event::LeaseReleased(_) => "released",
        Event::ApprovalGiven(_) => "given",
        Event::ApprovalTimedOut(_) => "timed-out",
        Event::TaskFailed(_) => "failed",
        Event::CommandGiven(_) => "ordered",
        _ => "else",
    };
    events.iter().map(word).collect()
}

/// A lane whose change waits for a person.
fn waiting(then: ApprovalThen) -> (Team, ChangeId) {
    let mut team = Team::new();
    let change = team.take(A);
    team.must(&crate::team::request(A, change, &[crate::team::ALL]));
    let events = team.must(&hand_over(A, change, question(ApprovalSubject::Undo, then)));
    assert_eq!(kinds(&events), ["offered", "accepted", "asked", "returned", "released"]);
    (team, change)
}

#[test]
fn what_waits_for_a_person_holds_nothing_and_its_lane_takes_other_work() {
    let (mut team, change) = waiting(ApprovalThen::Deny);
    assert_eq!(team.state.board.state(change.task()), TaskState::Waits);
    assert_eq!((team.state.leases.held(), team.state.board.owned_by(A)), (&[][..], None));
    assert_ne!(team.take(A).task(), change.task(), "nobody takes what waits");
    assert_ne!(team.take(B).task(), change.task(), "nobody takes what waits");
}

#[test]
fn a_yes_brings_the_task_back_with_exactly_its_packet_and_a_no_ends_it() {
    let (mut team, change) = waiting(ApprovalThen::Deny);
    assert_eq!(kinds(&team.must(&answer(About::Task(change.task()), true))), ["ordered", "given"]);
    let again = team.take(B);
    assert_eq!((again.task(), again.attempt()), (change.task(), 2));
    let brief = team.state.board.brief(change.task()).unwrap();
    assert_eq!((brief.packet, brief.purpose, brief.approved), (PacketId(0), PacketPurpose::Approval, true));

    let (mut team, change) = waiting(ApprovalThen::Approve);
    let events = team.must(&answer(About::Subject(ApprovalSubject::Undo), false));
    assert_eq!(kinds(&events), ["ordered", "given", "failed"]);
    assert!(matches!(&events[2], Event::TaskFailed(failed) if failed.reason == FailReason::NotApproved));
    assert_eq!(team.state.board.state(change.task()), TaskState::Failed);
}

#[test]
fn a_question_is_answered_once_and_not_after_its_time() {
    let (mut team, change) = waiting(ApprovalThen::Deny);
    let task = About::Task(change.task());
    assert_eq!(team.say(&answer(About::Task(TaskId(3)), true)), Err(Refusal::NothingReady));
    assert_eq!(team.say(&answer(About::Subject(ApprovalSubject::Plan), true)), Err(Refusal::NothingReady));
    let time_out = Command::TimeOut { approval: ApprovalId(0) };
    team.now_us = TIMEOUT_US - 1;
    assert_eq!(team.say(&time_out), Err(Refusal::TooEarly));
    team.now_us = TIMEOUT_US;
    assert_eq!(team.say(&answer(task, true)), Err(Refusal::Repeated), "its time is over");
    assert_eq!(kinds(&team.must(&time_out)), ["timed-out", "failed"]);
    assert_eq!(team.say(&answer(task, true)), Err(Refusal::Repeated));
    assert_eq!(team.say(&answer(About::All, true)), Err(Refusal::Repeated));
    assert_eq!(team.say(&time_out), Err(Refusal::Stale));
}

#[test]
fn what_happens_when_nobody_answers_is_what_the_question_says() {
    let time_out = Command::TimeOut { approval: ApprovalId(0) };
    for (then, kinds_then, state) in [
        (ApprovalThen::Approve, &["timed-out"][..], TaskState::Ready),
        (ApprovalThen::Deny, &["timed-out", "failed"][..], TaskState::Failed),
        (ApprovalThen::Stop, &["timed-out"][..], TaskState::Waits),
    ] {
        let (mut team, change) = waiting(then);
        team.now_us = TIMEOUT_US;
        assert_eq!(kinds(&team.must(&time_out)), kinds_then, "{then:?}");
        assert_eq!(team.state.board.state(change.task()), state, "{then:?}");
        let folded = Team::fold(&team.journal, team.now_us);
        assert!(folded.state == team.state, "{then:?}: a reader of the journal knows the same");
    }
}

#[test]
fn a_change_that_was_approved_once_is_asked_about_again_when_it_needs_more() {
    let (mut team, change) = waiting(ApprovalThen::Deny);
    team.must(&answer(About::All, true));
    let again = team.take(B);
    let asks =
        Command::AskPerson { lane: B, change: again, question: question(ApprovalSubject::Plan, ApprovalThen::Deny) };
    assert_eq!(kinds(&team.must(&asks)), ["asked", "returned"]);
    let open = team.state.approvals.open();
    assert_eq!((open.len(), open[0].approval, open[0].subject), (1, ApprovalId(1), ApprovalSubject::Plan));
    assert!(!team.state.board.brief(change.task()).unwrap().approved, "the first yes was not about this");
    assert_eq!(team.say(&asks), Err(Refusal::Stale), "it is nobody's while it waits");
}

#[test]
fn an_override_speaks_of_a_task_that_has_not_ended() {
    let (mut team, change) = waiting(ApprovalThen::Deny);
    let order = |task| Command::Override { task, by: "ana".to_owned(), reason: "flaky".to_owned() };
    assert!(matches!(team.state.decide(&order(change.task()), 0).unwrap()[0].event, Event::CommandGiven(_)));
    team.must(&answer(About::All, false));
    assert_eq!(team.say(&order(change.task())), Err(Refusal::Stale));
    assert_eq!(team.say(&answer(About::Task(TaskId(5)), false)), Err(Refusal::NothingReady));
}
