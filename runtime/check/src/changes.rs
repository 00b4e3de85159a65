//! Owns what the journal says of changes and of main: submissions, intentions, landings, refusals,
//! foreign pushes. Judges what can be judged without the repository: that landings form one chain
//! (MAIN-1), that outcomes belong to submissions (MAIN-2) and that each submission has one (MAIL-1).
//!
//! Deliberately does not know the repository, leases, tasks or gates, nor how rows go to main ([`crate::rows`] does).

use crate::conflicts::Conflicted;
use crate::report::Judgement;
use crate::rows::Row;
use baton_record::event::{
    ChangeIntended, ChangeLanded, ChangeRefused, ChangeSubmitted, ForeignPush, OperatorCommand, RefuseReason,
    StopReason, Verdict, WorldKind,
};
use baton_record::line::{Actor, Record};
use baton_record::{ChangeId, Event, LaneId, Oid, TaskId};
use std::collections::{BTreeMap, BTreeSet};

/// One submitted change and what became of it.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) submitted: ChangeSubmitted,
    pub(crate) lane: Option<LaneId>,
    /// When its lane was given the task, and when it was submitted.
    pub(crate) assigned_us: u64,
    pub(crate) submitted_us: u64,
    /// Sequence number of that record.
    pub(crate) submitted_seq: u64,
    pub(crate) landings: u32,
    pub(crate) refusals: u32,
    /// Control run: the lane believes it complete.
    pub(crate) written: bool,
    /// Its lane died after submitting it.
    orphaned: bool,
    /// It was refused because its lane died, or its task was given to another.
    withdrawn: bool,
    /// It came after its attempt was closed, and is refused at once.
    pub(crate) late: bool,
}

impl Change {
    pub(crate) fn has_outcome(&self) -> bool {
        self.landings + self.refusals > 0 || self.written
    }
}

/// What the merger was about to do, or did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Landing {
    pub(crate) change: ChangeId,
    pub(crate) main_before: Oid,
    pub(crate) main_after: Oid,
    pub(crate) tree: Oid,
    pub(crate) verdict: Verdict,
    /// Sequence number of the record that says it landed (or, in doubt, that it was intended).
    pub(crate) seq: u64,
    pub(crate) intended_us: u64,
}

/// The journal's view of all changes.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    by_id: BTreeMap<ChangeId, Change>,
    /// By lane: when it was last given a task.
    assigned_us: BTreeMap<LaneId, u64>,
    /// Lanes that died since they were last given a task: what arrives of them later is nobody's.
    died_since: BTreeSet<LaneId>,
    /// By lane: what it submitted since it last died.
    since_death: BTreeMap<LaneId, Vec<ChangeId>>,
    /// Every commit that main was said to be at.
    mains: BTreeSet<Oid>,
    /// In the order of the journal.
    pub(crate) landings: Vec<Landing>,
    /// What the merger has intended and not settled: nothing else moves a ref meanwhile.
    row: Row,
    /// Commits that main has only passed over.
    passed_over: BTreeSet<Oid>,
    /// The living merger is at work on a row: it takes nothing meanwhile.
    at_work: bool,
    /// In `sim`, where trying takes time: when the merger last took something. What it tried before has its outcome before.
    taken_us: Option<u64>,
    live: bool,
    /// The newest notice of a foreign push.
    pub(crate) foreign: Option<ForeignPush>,
    /// Where the journal says that main is.
    pub(crate) head: Option<Oid>,
    landed_tasks: BTreeMap<TaskId, ChangeId>,
    /// Attempts that were closed before a change arrived.
    withdrawn: BTreeSet<ChangeId>,
    /// Tasks that operators have given to others since they last had an owner.
    moving: BTreeSet<TaskId>,
    /// Where main was when a change was refused because another version of its task's artifact had landed.
    pub(crate) superseded: Vec<(ChangeId, Oid)>,
    /// Changes that did not merge.
    pub(crate) conflicted: Vec<Conflicted>,
    /// By task: the newest of them, and its report.
    unmerged: BTreeMap<TaskId, (ChangeId, String)>,
    pub(crate) doubled: u64,
    pub(crate) refused: u64,
    pub(crate) written: u64,
    pub(crate) main_1: Judgement,
    pub(crate) main_2: Judgement,
    mail_1: Judgement,
}

impl Changes {
    pub(crate) fn get(&self, id: ChangeId) -> Option<&Change> {
        self.by_id.get(&id)
    }

    /// The newest change of the task that did not merge, and its report.
    pub(crate) fn unmerged(&self, task: TaskId) -> Option<&(ChangeId, String)> {
        self.unmerged.get(&task)
    }

    /// Whether a change of the task was ever submitted.
    pub(crate) fn any_of(&self, task: TaskId) -> bool {
        self.by_id.range(ChangeId::of(task, 1)..).next().is_some_and(|(id, _)| id.task() == task)
    }

    /// When the newest change of the task was submitted: its place among all submissions.
    pub(crate) fn place_of(&self, task: TaskId) -> Option<u64> {
        let newest = self.by_id.range(ChangeId::of(task, 1)..).take_while(|(id, _)| id.task() == task).last()?;
        Some(newest.1.submitted_seq)
    }

    /// Whether the attempt was closed because its lane died, or its task was given to another.
    pub(crate) fn was_withdrawn(&self, id: ChangeId) -> bool {
        self.withdrawn.contains(&id) || self.by_id.get(&id).is_some_and(|change| change.withdrawn)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ChangeId, &Change)> {
        self.by_id.iter().map(|(id, change)| (*id, change))
    }

    /// What was intended last, if nothing says what came of it and it starts where main was.
    pub(crate) fn pending(&self) -> Vec<Landing> {
        let open: Vec<Landing> = self.row.open().collect();
        let starts = open.first().is_some_and(|first| Some(first.main_before) == self.head);
        if starts { open } else { Vec::new() }
    }

    /// What is being landed by a merger that lives.
    pub(crate) fn under_way(&self) -> Option<ChangeId> {
        self.row.under_way()
    }

    /// Whether main has only passed over a commit.
    pub(crate) fn passed_over(&self, commit: Oid) -> bool {
        self.passed_over.contains(&commit)
    }

    pub(crate) fn see(&mut self, seq: u64, record: &Record) {
        let grew = self.row.grows();
        if !matches!(record.event, Event::SegmentClosed(_)) {
            let landed = if let Event::ChangeLanded(landed) = &record.event { Some(landed.change) } else { None };
            self.row.pass(seq, landed);
        }
        match &record.event {
            Event::RunStarted(started) => {
                self.head = Some(started.base);
                self.mains.insert(started.base);
                self.live = started.world == WorldKind::Live;
            }
            Event::CommandGiven(given) if given.command == OperatorCommand::Reassign => self.moving.extend(record.task),
            Event::TaskReturned(_) | Event::TaskDone(_) | Event::TaskFailed(_) => {
                record.task.map(|task| self.moving.remove(&task));
            }
            Event::TaskAssigned(_) => {
                if let Some(lane) = record.lane {
                    self.assigned_us.insert(lane, record.t_us);
                    self.died_since.remove(&lane);
                }
            }
            Event::ChangeSubmitted(submitted) => self.submitted(seq, record, submitted),
            Event::ChangeIntended(intended) => self.intended((seq, record.t_us), intended, grew),
            Event::ActorRestarted(_) if record.actor == Actor::Merger => {
                self.row.orphan();
                self.at_work = false;
            }
            Event::FenceRaised(_) => self.raised(seq),
            Event::ChangeLanded(landed) => self.landed(seq, landed),
            Event::ChangeRefused(refused) => {
                self.refused += 1;
                self.row.refused(seq, refused);
                self.reason(seq, refused);
                self.tried((seq, record.t_us), refused);
                self.met(refused);
                self.outcome(seq, refused.change, |change| {
                    change.refusals += 1;
                    change.withdrawn |= refused.reason == RefuseReason::Withdrawn;
                });
            }
            Event::ChangeWritten(written) => {
                self.written += 1;
                self.outcome(seq, written.change, |change| change.written = true);
            }
            Event::ForeignPush(push) => self.pushed(seq, push),
            Event::GatePassed(_) | Event::GateFailed(_) => self.at_work = true,
            Event::ChangeWithdrawn(withdrawn) => {
                let id = withdrawn.change;
                let fits = !self.by_id.contains_key(&id) && self.withdrawn.insert(id);
                self.mail_1.claim(fits, || {
                    format!("record {seq}: {id} is closed unseen, and it was submitted or closed before")
                });
            }
            Event::LaneDied(_) => {
                self.died_since.extend(record.lane);
                let submitted = record.lane.and_then(|lane| self.since_death.remove(&lane)).unwrap_or_default();
                for id in submitted {
                    if let Some(change) = self.by_id.get_mut(&id) {
                        change.orphaned |= !change.has_outcome();
                    }
                }
            }
            _ => {}
        }
    }

    fn raised(&mut self, seq: u64) {
        let under_way = self.row.under_way();
        self.main_1.claim(under_way.is_none(), || {
            format!("record {seq}: a fence is raised while {} is being landed", under_way.unwrap_or_default())
        });
    }

    fn pushed(&mut self, seq: u64, push: &ForeignPush) {
        let head = self.head;
        self.main_1.claim(Some(push.expected) == head && push.found != head, || {
            format!("record {seq}: the foreign push is not a move away from where main was left")
        });
        self.foreign = Some(push.clone());
        self.row.orphan();
    }

    fn submitted(&mut self, seq: u64, record: &Record, submitted: &ChangeSubmitted) {
        let (lane, id) = (record.lane, submitted.change);
        if record.actor == Actor::Merger {
            let at_work = self.at_work;
            self.taken_us = Some(record.t_us).filter(|_| !self.live);
            self.mail_1
                .claim(!at_work, || format!("record {seq}: {id} is taken while others are on their way to main"));
        }
        let assigned_us = lane.and_then(|lane| self.assigned_us.get(&lane)).copied().unwrap_or_default();
        let (fresh, late) = (!self.by_id.contains_key(&id), self.withdrawn.contains(&id));
        let earliest_us = if late { 0 } else { assigned_us };
        let in_time = submitted.sent_us.is_none_or(|sent_us| (earliest_us..=record.t_us).contains(&sent_us));
        self.mail_1
            .claim(in_time, || format!("record {seq}: {id} was sent before its attempt began, or after it arrived"));
        let unmerged = self.unmerged.get(&id.task()).map(|(change, _)| *change);
        self.mail_1.claim(submitted.answers == unmerged, || {
            format!("record {seq}: {id} does not answer the newest change of its task that did not merge")
        });
        self.mail_1.claim(fresh, || format!("record {seq}: {id} is submitted a second time"));
        if let Some(lane) = lane.filter(|_| fresh && !late) {
            self.since_death.entry(lane).or_default().push(id);
        }
        self.by_id.entry(id).or_insert_with(|| Change {
            submitted: submitted.clone(),
            lane,
            assigned_us,
            submitted_us: record.t_us,
            submitted_seq: seq,
            landings: 0,
            refusals: 0,
            written: false,
            orphaned: lane.is_some_and(|lane| self.died_since.contains(&lane)),
            withdrawn: false,
            late,
        });
    }

    fn intended(&mut self, (seq, intended_us): (u64, u64), intended: &ChangeIntended, grew: bool) {
        let change = intended.change;
        self.at_work = true;
        let known = self.by_id.get(&change);
        let has_outcome = known.is_none_or(Change::has_outcome);
        let submitted = known.map_or(seq, |change| change.submitted_seq);
        self.main_2.claim(!has_outcome, || format!("record {seq}: {change} is intended, and it is not waiting"));
        let ChangeIntended { main_before, main_after, tree, verdict, .. } = *intended;
        let landing = Landing { change, main_before, main_after, tree, verdict, seq, intended_us };
        self.row.intended(intended, landing, (submitted, grew));
    }

    fn landed(&mut self, seq: u64, landed: &ChangeLanded) {
        let id = landed.change;
        let fits = self.row.landed(seq, landed);
        let head = self.head;
        self.main_1.claim(head == Some(landed.main_before), || {
            format!("record {seq}: {id} landed on {}, and main was elsewhere", landed.main_before)
        });
        if self.foreign.is_some() {
            self.main_1.breaks(|| format!("record {seq}: {id} landed after a foreign push was noticed"));
        }
        self.head = Some(landed.main_after);
        let commits = if self.row.is_passing() { &mut self.passed_over } else { &mut self.mains };
        commits.insert(landed.main_after);
        if let Some(intention) = fits {
            self.landings.push(Landing { seq, ..intention });
        }
        if let Some(first) = self.landed_tasks.insert(id.task(), id) {
            self.doubled += 1;
            self.main_2.breaks(|| format!("record {seq}: {id} landed, and so had {first} of the same task"));
        }
        self.outcome(seq, id, |change| change.landings += 1);
    }

    /// What is refused has been tried since the merger took something, unless nobody had to try it.
    fn tried(&mut self, (seq, t_us): (u64, u64), refused: &ChangeRefused) {
        let late = self.by_id.get(&refused.change).is_some_and(|change| change.late);
        let at_once = self.taken_us == Some(t_us) && !late && refused.reason != RefuseReason::Withdrawn;
        self.mail_1.claim(!at_once, || {
            format!("record {seq}: {} is refused in the moment in which something else was taken", refused.change)
        });
    }

    /// What is compared with main as it was at the refusal.
    fn met(&mut self, refused: &ChangeRefused) {
        if let Some(head) = self.head.filter(|_| refused.reason == RefuseReason::Superseded) {
            self.superseded.push((refused.change, head));
        }
        if let (Some(head), Some(report)) = (self.head, refused.report.clone()) {
            let (change, paths) = (refused.change, refused.paths.clone());
            if self.unmerged.get(&change.task()).is_none_or(|(newest, _)| *newest < change) {
                self.unmerged.insert(change.task(), (change, report.clone()));
            }
            self.conflicted.push(Conflicted { change, paths, report, head });
        }
    }

    /// A refusal gives its reason to the sender, who must be able to rely on it as far as the journal tells.
    fn reason(&mut self, seq: u64, refused: &ChangeRefused) {
        let Some(change) = self.by_id.get(&refused.change) else { return };
        let submitted = &change.submitted;
        let fits = match refused.reason {
            // Whether a newer fence stands, and whether a lease was needed: [`crate::leases`].
            RefuseReason::StaleFence => submitted.lease.is_some(),
            RefuseReason::NoLease => true,
            RefuseReason::StaleRead => {
                let read = |path: &String| submitted.reads.iter().any(|read| read.path == *path);
                refused.paths.len() == 1 && refused.paths.iter().all(read)
            }
            RefuseReason::UnknownBase => refused.paths.is_empty() && !self.mains.contains(&submitted.base),
            RefuseReason::Withdrawn => {
                let moving = self.moving.contains(&refused.change.task());
                refused.paths.is_empty() && (change.orphaned || change.late || moving)
            }
            // That it was red: [`crate::gates`].
            RefuseReason::Gate => refused.paths.len() == 1,
            RefuseReason::Conflict => !refused.paths.is_empty(),
            // That the task has an artifact: [`crate::board`].
            RefuseReason::Superseded => refused.paths.len() == 1,
            RefuseReason::Empty => refused.paths.is_empty(),
            // Which action was denied before it: [`crate::roles`].
            RefuseReason::Policy => true,
            // What is at stake, and that it is told: [`crate::approvals`].
            RefuseReason::NotApproved => true,
        };
        let fits = fits && refused.report.is_some() == (refused.reason == RefuseReason::Conflict);
        let early = matches!(refused.reason, RefuseReason::UnknownBase | RefuseReason::Withdrawn);
        let too_late = matches!(refused.reason, RefuseReason::Withdrawn | RefuseReason::Superseded);
        let fits = fits && (too_late || !change.late);
        let fits = fits && (early || self.mains.contains(&submitted.base));
        self.mail_1.claim(fits, || {
            format!(
                "record {seq}: {} is refused as {:?}, and the journal shows no cause",
                refused.change, refused.reason
            )
        });
    }

    fn outcome(&mut self, seq: u64, id: ChangeId, mark: impl FnOnce(&mut Change)) {
        let Some(change) = self.by_id.get_mut(&id) else {
            self.main_2.breaks(|| format!("record {seq}: {id} has an outcome and was never submitted"));
            return;
        };
        let again = change.has_outcome();
        self.at_work = false;
        mark(change);
        let both = change.landings > 0 && change.refusals > 0;
        self.mail_1.claim(!again, || format!("record {seq}: {id} is answered a second time"));
        if both {
            self.main_2.breaks(|| format!("record {seq}: {id} is both landed and refused"));
        }
    }

    /// MAIN-1 and MAIN-2, when the journal is read.
    pub(crate) fn main(&self) -> [Judgement; 2] {
        let [mut main_1, mut main_2] = [self.main_1.clone(), self.main_2.clone()];
        main_1.join(self.row.main_1.clone());
        main_2.join(self.row.main_2.clone());
        [main_1, main_2]
    }

    /// MAIL-1, when the journal is read. A change without an answer is open; but where every task has
    /// ended and the lane that waits for the answer has lived on, the answer was dropped.
    pub(crate) fn mail(&self, reason: Option<StopReason>) -> Judgement {
        let mut mail = self.mail_1.clone();
        for (id, change) in self.iter().filter(|(_, change)| !change.has_outcome()) {
            if reason == Some(StopReason::TasksEnded) && !change.orphaned {
                mail.breaks(|| format!("{id} was submitted and never answered, though every task has ended"));
            } else {
                mail.open(|| format!("{id} was submitted and is not answered"));
            }
        }
        mail.note(format!("{} changes, each answered once", self.by_id.len()));
        mail
    }
}
