//! What people will be asked, who answers it when, and how long the work waits for that.
//!
//! Asked is certainly what the file says (`approve: plan`, `undo`), and with some probability what is sent back as often
//! as it may be, and a file that is deleted after other lanes have landed in it. The first command of an operator that fits and comes
//! after the question answers it; else its time runs out.

use super::ground::Ground;
use super::kinds::Kind;
use crate::resolve;
use crate::scenario::{About, Action, Command, Patience, Scenario};
use baton_record::event::{ApprovalSubject, ApprovalThen};
use serde::Serialize;

/// What people will be asked about an entry of `tasks`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Question {
    /// `plan`, `rounds` or `undo`.
    pub subject: ApprovalSubject,
    /// The entry, from 1.
    pub entry: usize,
    /// How often, as expected.
    pub times: u64,
    /// The operator who answers, by name; `null`: nobody, so that time runs out.
    pub answered_by: Option<String>,
    /// Seconds for which the last of these questions waits, as expected.
    pub waits_s: f64,
    /// What happens if nobody answers in time.
    pub then: ApprovalThen,
}

/// The operators of a scenario, as those who answer.
pub(crate) struct People<'s> {
    scenario: &'s Scenario,
    /// Of each task its entry.
    tasks: Vec<usize>,
    /// Of each entry how often which question is expected.
    asked: Vec<Vec<(ApprovalSubject, f64)>>,
}

impl<'s> People<'s> {
    pub(crate) fn of(scenario: &'s Scenario, kinds: &[Kind], ground: &Ground) -> People<'s> {
        let about_tasks = scenario
            .operators
            .iter()
            .any(|said| matches!(said.command, Command::Override(_) | Command::Answer { about: About::Task(_), .. }));
        let tasks = if about_tasks { resolve::interleaved(&scenario.tasks) } else { Vec::new() };
        let mut asked = vec![Vec::new(); scenario.tasks.len()];
        for kind in kinds {
            let deletes = kind.entries.iter().any(|entry| scenario.tasks[*entry].actions.contains(&Action::Delete));
            let share = if deletes { share_undone(kind, kinds, ground) } else { 0.0 };
            for &entry in &kind.entries {
                let group = &scenario.tasks[entry];
                let each = kind.tasks / kind.entries.len() as f64;
                let rounds = kind.review.zip(group.review.as_ref()).map_or(0.0, |(judging, review)| {
                    (f64::from(review.returns_ppm) / 1e6).powi(judging.rounds_max as i32)
                });
                let undone = group.actions.iter().map(|action| match action {
                    Action::Undo => 1.0,
                    Action::Delete => share,
                    _ => 0.0,
                });
                let sorts = [
                    (ApprovalSubject::Plan, if group.plan { 1.0 } else { 0.0 }),
                    (ApprovalSubject::Rounds, rounds),
                    (ApprovalSubject::Undo, undone.fold(0.0, f64::max)),
                ];
                let expected = sorts.into_iter().map(|(subject, share)| (subject, share * each));
                asked[entry].extend(expected.filter(|(_, times)| *times >= 0.5));
            }
        }
        People { scenario, tasks, asked }
    }

    /// Entry of a task.
    pub(crate) fn entry_of(&self, task: u32) -> Option<usize> {
        self.tasks.get(task as usize).copied()
    }

    /// Seconds for which an entry waits for people whose last change is made then.
    pub(crate) fn waits_s(&self, entry: usize, made_s: f64) -> f64 {
        self.asked[entry].iter().map(|(subject, _)| self.answered(*subject, entry, made_s).1).fold(0.0, f64::max)
    }

    /// Seconds after which nobody has answered and the run ends, if that is what happens then.
    pub(crate) fn stops_s(&self, made_s: &[f64]) -> Option<f64> {
        let all = self
            .asked
            .iter()
            .enumerate()
            .flat_map(|(entry, asked)| asked.iter().map(move |(subject, _)| (entry, *subject)));
        let stops = all.filter_map(|(entry, subject)| {
            let (by, waits_s, then) = self.answered(subject, entry, made_s[entry]);
            (by.is_none() && then == ApprovalThen::Stop).then_some(made_s[entry] + waits_s)
        });
        stops.min_by(f64::total_cmp)
    }

    /// Everything that will be asked.
    pub(crate) fn questions(&self, made_s: &[f64]) -> Vec<Question> {
        let of_entry = |(entry, asked): (usize, &Vec<(ApprovalSubject, f64)>)| {
            let question = |(subject, times): &(ApprovalSubject, f64)| {
                let (answered_by, waits_s, then) = self.answered(*subject, entry, made_s[entry]);
                Question {
                    subject: *subject,
                    entry: entry + 1,
                    times: times.round() as u64,
                    answered_by,
                    waits_s: (waits_s * 1e3).round() / 1e3,
                    then,
                }
            };
            asked.iter().map(question).collect::<Vec<_>>()
        };
        self.asked.iter().enumerate().flat_map(of_entry).collect()
    }

    /// Who answers, after how many seconds, and what happens if nobody does.
    fn answered(&self, subject: ApprovalSubject, entry: usize, asked_s: f64) -> (Option<String>, f64, ApprovalThen) {
        let Patience { timeout_us, then } = self.scenario.approvals.of(subject);
        let timeout_s = timeout_us as f64 / 1e6;
        let fits = |about: &About| match about {
            About::All => true,
            About::Subject(about) => *about == subject,
            About::Task(task) => self.entry_of(task.0) == Some(entry),
        };
        let answers = self.scenario.operators.iter().filter(|said| match &said.command {
            Command::Answer { about, .. } => fits(about),
            _ => false,
        });
        let in_time = answers.filter_map(|said| {
            let waits_s = said.at_us as f64 / 1e6 - asked_s;
            (0.0..=timeout_s).contains(&waits_s).then(|| (waits_s, said.by.clone()))
        });
        let first = in_time.min_by(|a, b| a.0.total_cmp(&b.0));
        first.map_or((None, timeout_s, then), |(waits_s, by)| (Some(by), waits_s, then))
    }
}

/// Probability that the file that an attempt changes has something that another lane landed: half of the landings that
/// come there have come, by expectation.
fn share_undone(kind: &Kind, kinds: &[Kind], ground: &Ground) -> f64 {
    let there = (ground.count(&kind.touches) as f64).max(1.0);
    let beside = kinds.iter().filter(|other| baton_actors::team::overlap(&other.touches, &kind.touches));
    let landings: f64 = beside
        .map(|other| {
            let among = there / (ground.count(&other.touches) as f64).max(there);
            other.tasks * other.anywhere * among
        })
        .sum();
    1.0 - (-landings / 2.0 / there).exp()
}
