//! Owns MAIN-4 as far as the journal tells it: every landed tree has passed every gate, as exactly that
//! tree, before it landed, or a person has put that gate aside for that tree. That the tree is the commit's is compared in [`crate::main_line`].
//!
//! Deliberately does not know what a gate runs.

use crate::changes::{Changes, Landing};
use crate::report::Judgement;
use baton_record::event::{
    ChangeIntended, ChangeRefused, CommandGiven, OperatorCommand, OverrideRecorded, RefuseReason,
};
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
    /// By task: how far its change's tree has come. The trees of a row are asked about at the same time.
    tried: BTreeMap<Option<TaskId>, Tried>,
    /// Changes that were landed or refused.
    settled: u64,
    /// The refusal that the record before was.
    refused: Option<Refusal>,
    /// Of the row that is being gated: the place, among all submissions, of the first change that is red.
    red: Option<u64>,
    pub(crate) main_4: Judgement,
    pub(crate) mail_1: Judgement,
}

/// The task, the tree and the gate that has refused it.
type Refusal = (Option<TaskId>, Oid, String);

/// What gates have said of the tree of one change.
#[derive(Debug)]
struct Tried {
    tree: Oid,
    answers: usize,
    /// The gate that has refused it, if nobody has put that aside.
    failed: Option<String>,
    /// Changes that were settled before the first answer: another tree comes only behind one more.
    settled: u64,
}

impl Gates {
    /// Who has let a change through gates that refused its tree.
    pub(crate) fn overrider(&self, id: ChangeId, tree: Oid) -> Option<&str> {
        self.overrides.recorded.iter().find(|one| (one.change, one.tree) == (id, tree)).map(|one| one.by.as_str())
    }

    /// `changes` has seen the record already.
    pub(crate) fn see(&mut self, seq: u64, record: &Record, changes: &Changes) {
        if matches!(record.event, Event::SegmentClosed(_)) {
            return;
        }
        let refusal = self.refused.take();
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
                self.before_red(seq, record, changes);
                self.answers.insert((passed.tree, passed.gate.clone()), true);
            }
            Event::GateFailed(failed) => {
                self.known(seq, &failed.gate);
                self.in_turn(seq, record, (&failed.gate, failed.tree));
                let place = self.before_red(seq, record, changes);
                self.answers.insert((failed.tree, failed.gate.clone()), false);
                self.tried.get_mut(&record.task).into_iter().for_each(|tried| tried.failed = Some(failed.gate.clone()));
                self.refused = Some((record.task, failed.tree, failed.gate.clone()));
                self.red = place.or(self.red);
            }
            Event::ChangeSubmitted(submitted) if record.actor == Actor::Merger => {
                let red = self.red;
                self.mail_1.claim(red.is_none(), || {
                    format!("record {seq}: {} is taken while a change that is red is not refused", submitted.change)
                });
            }
            Event::CommandGiven(given) if given.command == OperatorCommand::Override => {
                let whole = self.overrides.given(record, given);
                self.main_4.claim(whole, || format!("record {seq}: a gate is overridden by nobody, or for no task"));
            }
            Event::OverrideRecorded(recorded) => self.put_aside(seq, (record.task, refusal), recorded),
            Event::ActorRestarted(_) if record.actor == Actor::Merger => {
                self.tried.clear();
                self.red = None;
            }
            Event::ChangeIntended(intended) => self.asked_all(seq, intended),
            Event::ChangeRefused(refused) => {
                self.settled += 1;
                self.red = None;
                self.refused_by(seq, refused);
                self.overrides.settled(refused.change);
            }
            Event::ChangeLanded(landed) => {
                self.settled += 1;
                self.landings += 1;
                self.tried.remove(&Some(landed.change.task()));
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

    /// A person puts aside what the gate has just refused.
    fn put_aside(&mut self, seq: u64, (task, refusal): (Option<TaskId>, Option<Refusal>), recorded: &OverrideRecorded) {
        let newest = refusal == Some((task, recorded.tree, recorded.gate.clone()));
        let fits = newest && self.overrides.recorded(recorded);
        self.main_4.claim(fits, || {
            format!("record {seq}: {} is let through a gate, and no person's override is that", recorded.change)
        });
        self.tried.get_mut(&task).into_iter().for_each(|tried| tried.failed = None);
        self.red = None;
    }

    /// A living merger asks the gates one after another about each tree, and each once. It makes another tree of a change
    /// only when something of its row has been settled.
    fn in_turn(&mut self, seq: u64, record: &Record, (gate, tree): (&String, Oid)) {
        let (named, settled) = (&self.named, self.settled);
        let known = self.tried.get_mut(&record.task);
        let goes_on =
            |tried: &&mut Tried| tried.tree == tree && tried.failed.is_none() && named.get(tried.answers) == Some(gate);
        let anew = known.as_ref().is_none_or(|tried| tried.settled < settled) && named.first() == Some(gate);
        match known.filter(goes_on) {
            Some(tried) => tried.answers += 1,
            None => {
                self.tried.insert(record.task, Tried { tree, answers: 1, failed: None, settled });
                if !anew {
                    self.main_4.breaks(|| format!("record {seq}: gate {gate:?} answers out of turn"));
                }
            }
        }
    }

    /// Nothing that stands behind a red change is listened to any more: rows stand in the order of submission. The place of
    /// the change that the answer is about.
    fn before_red(&mut self, seq: u64, record: &Record, changes: &Changes) -> Option<u64> {
        let place = record.task.and_then(|task| changes.place_of(task));
        let behind = place.zip(self.red).is_some_and(|(place, red)| place > red);
        self.main_4.claim(!behind && changes.under_way().is_none(), || {
            format!("record {seq}: a gate answers about what stands behind a red change, or while main is being moved")
        });
        place
    }

    fn asked_all(&mut self, seq: u64, intended: &ChangeIntended) {
        let missing = self.named.iter().find(|gate| {
            let answer = self.answers.get(&(intended.tree, (*gate).clone()));
            answer != Some(&true) && !self.overrides.covers(intended.change, intended.tree, gate)
        });
        let tried = self.tried.get(&Some(intended.change.task()));
        let for_it = tried.is_some_and(|tried| tried.tree == intended.tree && tried.answers == self.named.len());
        self.main_4.claim((missing.is_none() && for_it) || self.named.is_empty(), || {
            format!("record {seq}: {} is intended before every gate has passed its tree", intended.change)
        });
    }

    /// A change is refused for the gate that has refused its tree, and for no other.
    fn refused_by(&mut self, seq: u64, refused: &ChangeRefused) {
        let tried = self.tried.remove(&Some(refused.change.task()));
        if refused.reason == RefuseReason::Gate {
            let failed = tried.and_then(|tried| tried.failed);
            self.mail_1.claim(failed.as_slice() == refused.paths.as_slice(), || {
                format!("record {seq}: {} is refused for a gate that has not refused its tree", refused.change)
            });
        }
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
