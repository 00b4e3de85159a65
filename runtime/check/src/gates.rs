//! Owns MAIN-4 as far as the journal tells it: every landed tree has passed every gate, as exactly that
//! tree, before it landed. That the tree is the commit's is compared in [`crate::main_line`].
//!
//! Deliberately does not know what a gate runs.

use crate::changes::{Changes, Landing};
use crate::report::Judgement;
use baton_record::event::ChangeIntended;
use baton_record::line::{Actor, Record};
use baton_record::{Event, Oid, TaskId};
use std::collections::BTreeMap;

/// All gates of a run.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    named: Vec<String>,
    /// By tree and gate: whether the newest answer is a pass.
    answers: BTreeMap<(Oid, String), bool>,
    landings: u64,
    /// Task and tree of each answer for the change that is being tried.
    passed: Vec<(Option<TaskId>, Oid)>,
    pub(crate) main_4: Judgement,
}

impl Gates {
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
            Event::ActorRestarted(_) if record.actor == Actor::Merger => self.passed.clear(),
            Event::ChangeIntended(intended) => {
                self.passed.clear();
                self.asked_all(seq, intended);
            }
            Event::ChangeRefused(_) => self.passed.clear(),
            Event::ChangeLanded(landed) => {
                self.landings += 1;
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
            answer != Some(&true)
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
            let passed = self.answers.get(&(landing.tree, gate.clone())) == Some(&true);
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
