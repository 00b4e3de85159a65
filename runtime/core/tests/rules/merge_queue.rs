//! The merge queue: by example, and for any sequence against a list of what happened to each change.

use crate::tape::{Choice, any_tape};
use baton_core::merge_queue::Outcome;
use baton_core::{MergeQueue, Refusal};
use baton_record::event::{
    ChangeIntended, ChangeLanded, ChangeRefused, ChangeSubmitted, ChangeWithdrawn, RefuseReason, Verdict,
};
use baton_record::{ChangeId, Event, Oid, TaskId};

const DEPTH_MAX: usize = 3;

fn oid() -> Oid {
    Oid::from_bytes(&[0; 20]).unwrap()
}

fn submitted(change: ChangeId) -> Event {
    let (base, commit, reads, updates) = (oid(), oid(), Vec::new(), Vec::new());
    Event::ChangeSubmitted(ChangeSubmitted {
        change,
        base,
        commit,
        lease: None,
        fence: None,
        reads,
        updates,
        author: None,
        packet: None,
        answers: None,
        sent_us: None,
        denied: 0,
        failed: 0,
    })
}

fn intended(change: ChangeId) -> Event {
    intended_behind(None, change)
}

/// The intentions of a row.
fn row(changes: &[ChangeId]) -> Vec<Event> {
    let behind = [None].into_iter().chain(changes.iter().copied().map(Some));
    behind.zip(changes).map(|(behind, change)| intended_behind(behind, *change)).collect()
}

fn intended_behind(behind: Option<ChangeId>, change: ChangeId) -> Event {
    let (main_before, main_after, tree) = (oid(), oid(), oid());
    Event::ChangeIntended(ChangeIntended {
        change,
        main_before,
        main_after,
        tree,
        verdict: Verdict::Same,
        fences: None,
        behind,
    })
}

fn landed(change: ChangeId) -> Event {
    Event::ChangeLanded(ChangeLanded { change, main_before: oid(), main_after: oid(), fault: None })
}

fn refused(change: ChangeId, reason: RefuseReason) -> Event {
    Event::ChangeRefused(ChangeRefused {
        change,
        reason,
        paths: Vec::new(),
        undoes: Vec::new(),
        report: None,
        fault: None,
    })
}

fn withdrawn(change: ChangeId) -> Event {
    Event::ChangeWithdrawn(ChangeWithdrawn { change, fault: None })
}

fn queue(events: &[Event]) -> MergeQueue {
    let mut queue = MergeQueue::default();
    events.iter().for_each(|event| queue.apply(event));
    queue
}

fn next(queue: &MergeQueue) -> Option<ChangeId> {
    queue.waiting().next()
}

fn open(queue: &MergeQueue) -> Vec<ChangeId> {
    queue.intended().collect()
}

fn change(task: u32) -> ChangeId {
    ChangeId::of(TaskId(task), 1)
}

#[test]
fn changes_are_tried_in_the_order_of_submission() {
    let mut queue = queue(&[submitted(change(2)), submitted(change(0)), submitted(change(1))]);
    for task in [2, 0, 1] {
        assert_eq!(next(&queue), Some(change(task)));
        queue.apply(&intended(change(task)));
        queue.apply(&landed(change(task)));
    }
    assert_eq!((next(&queue), queue.landed(), queue.refused()), (None, 3, 0));
}

#[test]
fn the_same_change_twice_is_answered_by_the_first_result() {
    let reason = RefuseReason::Conflict;
    let mut queue = queue(&[submitted(change(0)), submitted(change(1))]);
    assert_eq!(queue.admit(change(0), DEPTH_MAX), Err(Refusal::Waiting));
    queue.apply(&intended(change(0)));
    assert_eq!(queue.admit(change(0), DEPTH_MAX), Err(Refusal::Waiting));
    queue.apply(&landed(change(0)));
    queue.apply(&refused(change(1), reason));
    for (task, outcome) in [(0, Outcome::Landed), (1, Outcome::Refused(reason))] {
        assert_eq!(queue.admit(change(task), DEPTH_MAX), Err(Refusal::Repeated));
        assert_eq!(queue.outcome(change(task)), Some(outcome));
    }
}

#[test]
fn another_attempt_at_the_same_task_is_another_change() {
    let queue = queue(&[submitted(change(0)), refused(change(0), RefuseReason::Gate)]);
    assert_eq!(queue.admit(ChangeId::of(TaskId(0), 2), DEPTH_MAX), Ok(()));
}

#[test]
fn a_withdrawn_attempt_is_never_admitted() {
    let queue = queue(&[withdrawn(change(0)), submitted(change(1)), refused(change(1), RefuseReason::Withdrawn)]);
    let refused = Outcome::Refused(RefuseReason::Withdrawn);
    for (task, answer, outcome) in [(0, Refusal::Stale, Outcome::Closed), (1, Refusal::Repeated, refused)] {
        assert_eq!(queue.admit(change(task), DEPTH_MAX), Err(answer));
        assert_eq!(queue.outcome(change(task)), Some(outcome));
    }
    assert_eq!(next(&queue), None);
}

#[test]
fn a_full_queue_takes_nothing_new_but_still_knows_the_old() {
    let queue = queue(&[submitted(change(0)), submitted(change(1)), submitted(change(2))]);
    assert_eq!(queue.admit(change(3), DEPTH_MAX), Err(Refusal::Full));
    assert_eq!(queue.admit(change(0), DEPTH_MAX), Err(Refusal::Waiting));
    assert_eq!(queue.outcome(change(3)), None);
}

#[test]
fn a_change_that_waits_may_be_withdrawn_without_disturbing_the_one_being_tried() {
    let mut queue = queue(&[submitted(change(0)), submitted(change(1)), submitted(change(2)), intended(change(0))]);
    queue.apply(&refused(change(1), RefuseReason::Withdrawn));
    assert_eq!((next(&queue), open(&queue)), (Some(change(0)), vec![change(0)]));
    queue.apply(&landed(change(0)));
    assert_eq!((next(&queue), open(&queue)), (Some(change(2)), vec![]));
}

#[test]
fn an_intention_that_came_to_nothing_may_be_made_again() {
    let queue = queue(&[submitted(change(0)), intended(change(0)), intended(change(0)), landed(change(0))]);
    assert_eq!((queue.landed(), open(&queue)), (1, vec![]));
}

/// Three changes that wait, and a row of the first two.
fn with_a_row() -> MergeQueue {
    let [first, second, third] = [0, 1, 2].map(change);
    let mut queue = queue(&[submitted(first), submitted(second), submitted(third)]);
    row(&[first, second]).iter().for_each(|event| queue.apply(event));
    queue
}

#[test]
fn a_row_is_intended_and_lands_in_its_order() {
    let mut queue = with_a_row();
    for left in [vec![change(0), change(1)], vec![change(1)], vec![]] {
        assert_eq!(open(&queue), left);
        left.first().into_iter().for_each(|change| queue.apply(&landed(*change)));
    }
    assert_eq!((queue.landed(), next(&queue)), (2, Some(change(2))));
}

#[test]
fn of_a_row_that_came_to_nothing_another_may_be_made() {
    let mut queue = with_a_row();
    row(&[change(1), change(2)]).iter().for_each(|event| queue.apply(event));
    assert_eq!(open(&queue), [change(1), change(2)]);
    queue.apply(&refused(change(2), RefuseReason::Withdrawn));
    assert_eq!((open(&queue), next(&queue)), (vec![], Some(change(0))));
}

#[test]
#[should_panic(expected = "a landing is intended first")]
fn a_row_that_lands_out_of_its_order_is_a_bug() {
    with_a_row().apply(&landed(change(1)));
}

#[test]
#[should_panic(expected = "a row is intended in its order")]
fn a_row_with_a_gap_is_a_bug() {
    with_a_row().apply(&intended_behind(Some(change(0)), change(2)));
}

#[test]
#[should_panic(expected = "a landing is intended first")]
fn a_landing_that_nobody_intended_is_a_bug() {
    queue(&[submitted(change(0)), landed(change(0))]);
}

#[test]
#[should_panic(expected = "refused in one breath")]
fn a_change_that_comes_after_its_withdrawal_and_is_tried_is_a_bug() {
    queue(&[withdrawn(change(0)), submitted(change(0)), intended(change(0))]);
}

#[test]
fn a_change_that_comes_after_its_withdrawal_is_refused_and_counted() {
    let reason = RefuseReason::Superseded;
    let queue = queue(&[withdrawn(change(0)), submitted(change(0)), refused(change(0), reason)]);
    assert_eq!((queue.refused(), next(&queue)), (1, None));
    assert_eq!(queue.outcome(change(0)), Some(Outcome::Refused(reason)));
    assert_eq!(queue.admit(change(0), DEPTH_MAX), Err(Refusal::Repeated));
}

/// What the queue is, said differently: every change seen, in order, with what became of it.
#[derive(Default)]
struct History {
    seen: Vec<(ChangeId, Outcome)>,
    intended: Vec<ChangeId>,
}

impl History {
    fn outcome(&self, change: ChangeId) -> Option<Outcome> {
        self.seen.iter().find(|(seen, _)| *seen == change).map(|(_, outcome)| *outcome)
    }

    fn pending(&self) -> Vec<ChangeId> {
        let pending = self.seen.iter().filter(|(_, outcome)| *outcome == Outcome::Pending);
        pending.map(|(change, _)| *change).collect()
    }

    fn admit(&self, change: ChangeId) -> Result<(), Refusal> {
        match self.outcome(change) {
            Some(Outcome::Pending) => Err(Refusal::Waiting),
            Some(Outcome::Closed) => Err(Refusal::Stale),
            Some(_) => Err(Refusal::Repeated),
            None if self.pending().len() >= DEPTH_MAX => Err(Refusal::Full),
            None => Ok(()),
        }
    }

    fn end(&mut self, change: ChangeId, outcome: Outcome) {
        let pending = self.seen.iter_mut().find(|(seen, _)| *seen == change).unwrap();
        assert_eq!(pending.1, Outcome::Pending, "a change has one outcome");
        pending.1 = outcome;
        let landed = outcome == Outcome::Landed;
        match self.intended.iter().position(|intended| *intended == change) {
            Some(0) if landed => drop(self.intended.remove(0)),
            Some(_) => self.intended.clear(),
            None => {}
        }
    }

    /// What the merger makes of `choice`: a submission, a try, a landing, a refusal, a withdrawal, or what comes after one.
    fn step(&mut self, queue: &MergeQueue, choice: u32) -> Option<Vec<Event>> {
        let mut choice = Choice(choice);
        let (kind, any) = (choice.of(6), ChangeId::of(TaskId(choice.of(4) as u32), 1 + choice.of(3) as u32));
        let pending = self.pending();
        match kind {
            0 | 1 => {
                assert_eq!(queue.admit(any, DEPTH_MAX), self.admit(any), "{any}");
                if self.admit(any) == Err(Refusal::Stale) {
                    let closed = self.seen.iter_mut().find(|(seen, _)| *seen == any).unwrap();
                    closed.1 = Outcome::Refused(RefuseReason::Superseded);
                    return Some(vec![submitted(any), refused(any, RefuseReason::Superseded)]);
                }
                self.admit(any).ok()?;
                self.seen.push((any, Outcome::Pending));
                Some(vec![submitted(any)])
            }
            2 => {
                // Mostly the first; a merger that lost the payload of the first goes on with another.
                let (from, len) = (choice.one(&[0, 0, 1]), choice.one(&[1, 1, 2, 3]));
                let members: Vec<ChangeId> = pending.into_iter().skip(from).take(len).collect();
                let events = row(&members);
                self.intended = if members.is_empty() { return None } else { members };
                Some(events)
            }
            3 => {
                // All of a row, but for what the end of a journal cuts off.
                let members: Vec<ChangeId> = self.intended.iter().copied().take(choice.one(&[1, 9, 9])).collect();
                members.iter().for_each(|change| self.end(*change, Outcome::Landed));
                Some(members.into_iter().map(landed).collect())
            }
            4 => {
                let change = pending.get(choice.of(DEPTH_MAX)).copied()?;
                let reason = choice.one(&[RefuseReason::Conflict, RefuseReason::Withdrawn, RefuseReason::StaleFence]);
                self.end(change, Outcome::Refused(reason));
                Some(vec![refused(change, reason)])
            }
            _ if self.outcome(any).is_none() => {
                self.seen.push((any, Outcome::Closed));
                Some(vec![withdrawn(any)])
            }
            _ => None,
        }
    }
}

#[test]
fn a_change_has_one_outcome_whatever_happens() {
    any_tape("a_change_has_one_outcome", 2_000, 60, |tape| {
        let (mut queue, mut history, mut journal) = (MergeQueue::default(), History::default(), Vec::new());
        for choice in tape {
            let Some(events) = history.step(&queue, *choice) else { continue };
            events.iter().for_each(|event| queue.apply(event));
            journal.extend(events);
            assert_eq!(queue.waiting().collect::<Vec<_>>(), history.pending(), "in the order of submission");
            assert_eq!(open(&queue), history.intended);
            for (change, outcome) in &history.seen {
                assert_eq!(queue.outcome(*change), Some(*outcome), "{change}");
                assert!(queue.admit(*change, usize::MAX).is_err(), "{change} is never admitted again");
            }
        }
        let landed = history.seen.iter().filter(|(_, outcome)| *outcome == Outcome::Landed).count();
        assert_eq!(queue.landed(), landed as u64);
        assert_eq!(
            queue.refused(),
            journal.iter().filter(|event| matches!(event, Event::ChangeRefused(_))).count() as u64
        );
        let mut folded = MergeQueue::default();
        journal.iter().for_each(|event| folded.apply(event));
        assert_eq!(folded, queue, "folding what was written gives the live state");
    });
}
