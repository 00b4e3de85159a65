//! Owns MAIN-4 as far as the journal tells it: every landed tree has passed every gate, as exactly that
//! tree, before it landed, or a person has put that gate aside for that tree. That the tree is the commit's is compared in [`crate::main_line`].
//!
//! Deliberately does not know what a gate runs.

use crate::changes::{Changes, Landing};
use crate::report::Judgement;
use baton_record::event::{ChangeIntended, CommandGiven, OperatorCommand, OverrideRecorded};
use baton_record::line::{Actor, Record};
use baton_record::{ChangeId, Event, Oid, TaskId};
use std::collections::{BTreeMap, VecDeque};

/// What people have put gates aside for: each of their words lets one change of one task through.
#[derive(Debug, Default)]
struct Overrides {
    /// By task: who and why, in the order of the words, and the change that has used the first.
    waiting: BTreeMap<TaskId, VecDeque<(CommandGiven, Option<ChangeId>)>>,
    recorded: Vec<OverrideRecorded>,
}

impl Overrides {
    fn given(&mut self, record: &Record, given: &CommandGiven) -> bool {
        let Some(task) = record.task.filter(|_| record.lane.is_none()) else { return false };
        self.waiting.entry(task).or_default().push_back((given.clone(), None));
        !given.by.trim().is_empty() && !given.reason.trim().is_empty()
    }

    /// Whether the record is what the first word for its task allows.
    fn recorded(&mut self, recorded: &OverrideRecorded) -> bool {
        self.recorded.push(recorded.clone());
        let first = self.waiting.get_mut(&recorded.change.task()).and_then(VecDeque::front_mut);
        let Some((given, used_by)) = first else { return false };
        let free = used_by.is_none_or(|used_by| used_by == recorded.change);
        *used_by = Some(recorded.change);
        free && (&given.by, &given.reason) == (&recorded.by, &recorded.reason)
    }

    fn settled(&mut self, id: ChangeId) {
        if let Some(words) = self.waiting.get_mut(&id.task())
            && words.front().is_some_and(|(_, used_by)| *used_by == Some(id))
        {
            words.pop_front();
        }
    }

    fn covers(&self, id: ChangeId, tree: Oid, gate: &str) -> bool {
        self.recorded.iter().any(|one| (one.change, one.tree, one.gate.as_str()) == (id, tree, gate))
    }
}

/// All gates of a run.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    named: Vec<String>,
    /// By tree and gate: whether the newest answer is a pass.
    answers: BTreeMap<(Oid, String), bool>,
    landings: u64,
    overrides: Overrides,
    /// Task and tree of each answer for the change that is being tried.
    passed: Vec<(Option<TaskId>, Oid)>,
    pub(crate) main_4: Judgement,
}

impl Gates {
    /// Who has let a change through gates that refused its tree.
    pub(crate) fn overrider(&self, id: ChangeId, tree: Oid) -> Option<&str> {
        self.overrides.recorded.iter().find(|one| (one.change, one.tree) == (id, tree)).map(|one| one.by.as_str())
    }

    /// `changes` has seen the record already.
    pub(crate) fn see(&mut self, seq: u64, record: &Record, changes: &Changes) {
        match &record.event {
            Event::GateNamed(gate) => {
                if self.landings > 0 {
                    self.main_4.breaks(|| format!("record {seq}: gate {} is named after a landing", gate.gate));
                }
                if self.named.contains(&gate.gate) {
                    self.main_4.breaks(|| format!("record {seq}: gate {} is named twice", gate.gate));
                }
                self.named.push(gate.gate.clone());
            }
            Event::GatePassed(passed) => {
                self.known(seq, &passed.gate);
                self.in_turn(seq, record, (&passed.gate, passed.tree));
                self.answers.insert((passed.tree, passed.gate.clone()), true);
            }
            Event::GateFailed(failed) => {
                self.known(seq, &failed.gate);
                self.in_turn(seq, record, (&failed.gate, failed.tree));
                self.answers.insert((failed.tree, failed.gate.clone()), false);
            }
            Event::CommandGiven(given) if given.command == OperatorCommand::Override => {
                let whole = self.overrides.given(record, given);
                self.main_4.claim(whole, || format!("record {seq}: a gate is overridden by nobody, or for no task"));
            }
            Event::OverrideRecorded(recorded) => {
                let newest = self.passed.last().is_some_and(|of| *of == (record.task, recorded.tree));
                let refused = self.answers.get(&(recorded.tree, recorded.gate.clone())) == Some(&false);
                let named = self.passed.len().checked_sub(1).and_then(|at| self.named.get(at));
                let fits = newest && refused && named == Some(&recorded.gate) && self.overrides.recorded(recorded);
                self.main_4.claim(fits, || {
                    format!("record {seq}: {} is let through a gate, and no person's override is that", recorded.change)
                });
            }
            Event::ActorRestarted(_) if record.actor == Actor::Merger => self.passed.clear(),
            Event::ChangeIntended(intended) => {
                self.passed.clear();
                self.asked_all(seq, intended);
            }
            Event::ChangeRefused(refused) => {
                self.passed.clear();
                self.overrides.settled(refused.change);
            }
            Event::ChangeLanded(landed) => {
                self.landings += 1;
                self.overrides.settled(landed.change);
                if let Some(landing) = changes.landings.last().filter(|landing| landing.change == landed.change) {
                    self.landed(landing);
                }
            }
            Event::FileWritten(written) if !self.named.is_empty() => {
                self.main_4.breaks(|| format!("record {seq}: {} reached main past the gates", written.path));
            }
            _ => {}
        }
    }

    /// A living merger asks the gates one after another, about one change at a time, and each once.
    fn in_turn(&mut self, seq: u64, record: &Record, (gate, of): (&String, Oid)) {
        let fits = self.passed.iter().all(|(task, tree)| (*task, *tree) == (record.task, of))
            && self.named.get(self.passed.len()) == Some(gate);
        if !fits {
            self.main_4.breaks(|| format!("record {seq}: gate {gate:?} answers out of turn"));
        }
        self.passed.push((record.task, of));
    }

    fn asked_all(&mut self, seq: u64, intended: &ChangeIntended) {
        let missing = self.named.iter().find(|gate| {
            let answer = self.answers.get(&(intended.tree, (*gate).clone()));
            answer != Some(&true) && !self.overrides.covers(intended.change, intended.tree, gate)
        });
        self.main_4.claim(missing.is_none() || self.named.is_empty(), || {
            format!("record {seq}: {} is intended before every gate has passed its tree", intended.change)
        });
    }

    fn known(&mut self, seq: u64, gate: &String) {
        if !self.named.contains(gate) {
            self.main_4.breaks(|| format!("record {seq}: {gate:?} answers, and there is no such gate"));
        }
    }

    pub(crate) fn landed(&mut self, landing: &Landing) {
        for gate in &self.named {
            let passed = self.answers.get(&(landing.tree, gate.clone())) == Some(&true)
                || self.overrides.covers(landing.change, landing.tree, gate);
            self.main_4.claim(passed, || {
                format!(
                    "record {}: {} landed, and its tree {} has not passed gate {gate}",
                    landing.seq, landing.change, landing.tree
                )
            });
        }
    }

    /// Whether there is a gate at all.
    pub(crate) fn any(&self) -> bool {
        !self.named.is_empty()
    }
}
