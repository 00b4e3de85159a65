//! Owns MAIN-4 as far as the journal tells it: every landed tree has passed every gate, as exactly that
//! tree, before it landed. That the tree is the commit's is compared in [`crate::main_line`].
//!
//! Deliberately does not know what a gate runs.

use crate::changes::{Changes, Landing};
use crate::report::Judgement;
use baton_record::line::Record;
use baton_record::{Event, Oid};
use std::collections::BTreeMap;

/// All gates of a run.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    named: Vec<String>,
    /// By tree and gate: whether the newest answer is a pass.
    answers: BTreeMap<(Oid, String), bool>,
    landings: u64,
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
                self.answers.insert((passed.tree, passed.gate.clone()), true);
            }
            Event::GateFailed(failed) => {
                self.known(seq, &failed.gate);
                self.answers.insert((failed.tree, failed.gate.clone()), false);
            }
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
