//! Owns the comparison of main with the journal, commit by commit: the chain (MAIN-1), the credits
//! (MAIN-2), the trees that were gated (MAIN-4) and the authors (WHO-1).
//!
//! Deliberately does not know what is inside a tree; [`crate::replay`] does.

use crate::board::Board;
use crate::changes::{Change, Changes, Landing};
use crate::consent::Consent;
use crate::credit::{Credit, Start, Which};
use crate::gates::Gates;
use crate::history::{self, NOBODY, Op, What};
use crate::lanes::Lanes;
use crate::report::Judgement;
use crate::repository::{Commit, Repository};
use crate::trailers::{Trailers, traces};
use crate::who::Who;
use baton_record::event::RunStarted;
use baton_record::{ChangeId, Oid, TaskId};
use std::collections::{BTreeMap, BTreeSet};

/// What main is compared with.
pub(crate) struct Expected<'a> {
    pub(crate) started: &'a RunStarted,
    /// The run ended without saying so.
    pub(crate) killed: bool,
    pub(crate) changes: &'a Changes,
    pub(crate) lanes: &'a Lanes,
    pub(crate) who: &'a Who,
    pub(crate) board: &'a Board,
    pub(crate) gates: &'a Gates,
    pub(crate) consent: &'a Consent<'a>,
    pub(crate) repository: &'a Repository,
    /// Where refs/heads/main points.
    pub(crate) main: Option<Oid>,
}

impl Expected<'_> {
    /// Whether a lane is of the role that reviews the task.
    fn judges(&self, task: TaskId, lane: &str) -> bool {
        self.board.reviewer(task).is_some_and(|role| lane.rsplit_once('.').is_some_and(|(own, _)| own == role))
    }

    /// Main is where a foreign push was found, so that commits beyond the landings are accounted for.
    fn noticed(&self) -> bool {
        self.changes.foreign.as_ref().is_some_and(|push| push.found == self.main)
    }
}

/// What the comparison came to.
#[derive(Debug, Default)]
pub(crate) struct MainLine {
    /// Landings that stand where the journal says, in order; those of the last row may be in doubt.
    pub(crate) placed: Vec<Landing>,
    /// The landings of a row that no record confirms, though main has them.
    pub(crate) in_doubt: Vec<Landing>,
    pub(crate) commits: BTreeMap<Oid, Commit>,
    /// The run's base, and its tree.
    base: Option<(Oid, Oid)>,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) uncredited: u64,
    pub(crate) main_1: Judgement,
    pub(crate) main_2: Judgement,
    pub(crate) main_4: Judgement,
    pub(crate) who_1: Judgement,
}

/// Compares main with the journal. Never fails: what cannot be read stands against MAIN-1.
pub(crate) fn compare(expected: &Expected<'_>) -> MainLine {
    let mut line = MainLine::default();
    let base = expected.repository.commits(&[expected.started.base]).ok().and_then(|mut found| found.pop().flatten());
    line.base = base.map(|base| (expected.started.base, base.tree));
    let landings = &expected.changes.landings;
    let noticed = expected.changes.foreign.as_ref().map(|push| push.found);
    let Some(main) = expected.main else {
        line.main_1.claim(noticed == Some(None), || "refs/heads/main is not there".into());
        line.lose(landings.len());
        return line;
    };
    match expected.repository.commits_between(expected.started.base, main) {
        Ok(commits) => line.commits = commits,
        Err(why) => {
            line.main_1.breaks(|| format!("main cannot be read: {why}"));
            line.lose(landings.len());
            return line;
        }
    }
    let Some(chain) = first_parents(&line.commits, expected.started.base, main) else {
        line.main_1.claim(noticed == Some(Some(main)), || "main does not descend from the run's base".into());
        line.lose(landings.len());
        return line;
    };
    line.place(expected, &chain, main);
    line.credit(expected, &chain);
    line.inspect_all(expected);
    line
}

/// The first-parent log from `base` (excluded) to `head`, oldest first; `None` if it does not lead to `base`.
fn first_parents(commits: &BTreeMap<Oid, Commit>, base: Oid, head: Oid) -> Option<Vec<Oid>> {
    let mut chain = Vec::new();
    let mut at = head;
    while at != base {
        let commit = commits.get(&at)?;
        chain.push(at);
        at = *commit.parents.first()?;
    }
    chain.reverse();
    Some(chain)
}

impl MainLine {
    /// The tree of a commit of the line, or of the base.
    pub(crate) fn tree_of(&self, name: Oid) -> Option<Oid> {
        let base = self.base.filter(|(base, _)| *base == name).map(|(_, tree)| tree);
        base.or_else(|| self.commits.get(&name).map(|commit| commit.tree))
    }

    fn lose(&mut self, landings: usize) {
        self.lost += landings as u64;
        if landings > 0 {
            self.main_2.breaks(|| format!("{landings} landed changes are not on main"));
        }
    }

    /// MAIN-1: main is exactly the landings, then at most what was noticed or is in doubt.
    fn place(&mut self, expected: &Expected<'_>, chain: &[Oid], main: Oid) {
        let landings = &expected.changes.landings;
        let common = landings.iter().zip(chain).take_while(|(landing, commit)| landing.main_after == **commit).count();
        self.placed = landings[..common].to_vec();
        self.main_1.checked();
        landings[..common].iter().for_each(|_| self.main_1.checked());
        if common < landings.len() {
            let first = &landings[common];
            return self.main_1.breaks(|| {
                format!(
                    "record {}: {} landed as {}, and main does not have it there",
                    first.seq, first.change, first.main_after
                )
            });
        }
        let beyond = &chain[common..];
        let pending = expected.changes.pending();
        let is_pending = expected.killed && pending.iter().map(|pending| &pending.main_after).eq(beyond);
        match &expected.changes.foreign {
            Some(push) if push.found == Some(main) => {
                self.main_1.note(format!("{common} landings, then {} foreign commits, noticed", beyond.len()));
            }
            Some(_) => self.main_1.breaks(|| format!("main is {main}, not where the foreign push was found")),
            None => match (beyond, is_pending) {
                ([], _) => self.main_1.note(format!("{common} landings, one chain from the base")),
                (_, true) => {
                    for pending in pending {
                        let id = pending.change;
                        let why = || format!("{id} was intended, main has it, and no record says that it landed");
                        self.main_1.doubts(why);
                        self.main_2.doubts(why);
                        self.in_doubt.push(pending);
                        self.placed.push(pending);
                    }
                }
                _ => self.main_1.breaks(|| {
                    format!("{} commits on main are unknown to the journal, the first is {}", beyond.len(), beyond[0])
                }),
            },
        }
    }

    /// MAIN-2: the credits on main against the outcomes in the journal, by number.
    fn credit(&mut self, expected: &Expected<'_>, chain: &[Oid]) {
        let run = &expected.started.run;
        let foreign_from = if expected.noticed() { expected.changes.landings.len() } else { chain.len() };
        let mut numbers = Numbers::default();
        let mut ops = Vec::new();
        for landing in expected.changes.landings.iter().chain(&self.in_doubt) {
            ops.push(Op::new(What::Landed, numbers.of(landing.change), 0, 0));
        }
        for (id, change) in expected.changes.iter() {
            if change.refusals > 0 && change.landings == 0 {
                ops.push(Op::new(What::Refused, numbers.of(id), 0, 0));
            }
        }
        for (place, name) in chain.iter().enumerate() {
            let credited = Trailers::of(&self.commits[name].message).change_of(run);
            if credited.is_some() || place < foreign_from {
                let number = credited.map_or(NOBODY, |id| numbers.of(id));
                ops.push(Op::new(What::Credited, number, place as u32 + 1, 0));
            }
        }
        let findings = history::judge(&ops);
        let names = |of: &[u32]| numbers.names(of);
        self.main_2.claim(findings.lost.is_empty(), || {
            format!("{} landed, and main does not credit it", names(&findings.lost))
        });
        self.main_2.claim(findings.doubled.is_empty(), || {
            format!("{} is credited on main more than once", names(&findings.doubled))
        });
        self.main_2.claim(findings.uncredited.is_empty(), || {
            let first = findings.uncredited.first().map_or(0, |at| at - 1);
            format!(
                "{} commits on main credit no accepted change, the first is {}",
                findings.uncredited.len(),
                chain[first as usize]
            )
        });
        self.lost += findings.lost.len() as u64;
        self.doubled += findings.doubled.len() as u64;
        self.uncredited += findings.uncredited.len() as u64;
        self.trace(expected, chain);
    }

    /// MAIN-2: nothing else is reachable from main, and nothing that was refused left a trace.
    fn trace(&mut self, expected: &Expected<'_>, chain: &[Oid]) {
        let proposed = |landing: &Landing| expected.changes.get(landing.change).map(|change| change.submitted.commit);
        let known: BTreeSet<Oid> = chain.iter().copied().chain(self.placed.iter().filter_map(proposed)).collect();
        let foreign = expected.noticed();
        for (name, commit) in &self.commits {
            let refused = traces(&commit.message).find(|id| {
                let change = expected.changes.get(*id);
                change.is_some_and(|change| change.refusals > 0 && change.landings == 0)
            });
            let of_this_run = Trailers::of(&commit.message).run == Some(&expected.started.run);
            if let Some(id) = refused.filter(|_| of_this_run || !foreign) {
                self.main_2.breaks(|| format!("{id} was refused, and {name} brings it to main"));
            }
            if !known.contains(name) && (of_this_run || !foreign) {
                self.uncredited += 1;
                self.main_2.breaks(|| format!("main reaches {name}, which no landing brought"));
            }
        }
    }

    fn inspect_all(&mut self, expected: &Expected<'_>) {
        let mut start = Start::anywhere();
        let mut earlier: BTreeSet<Oid> = BTreeSet::from([expected.started.base]);
        for landing in self.placed.clone() {
            if let Some(change) = expected.changes.get(landing.change) {
                self.inspect(expected, &landing, change, &mut start);
                self.main_1.claim(earlier.contains(&change.submitted.base), || {
                    format!("{} was made from {}, which was never main", landing.change, change.submitted.base)
                });
            }
            if !expected.changes.passed_over(landing.main_after) {
                earlier.insert(landing.main_after);
            }
        }
        let placed = self.placed.len();
        self.main_2.note(format!("{placed} changes, each on main once"));
    }

    /// One landing: its parents, its tree, its credits, in the merge and in the commit that it merges.
    fn inspect(&mut self, expected: &Expected<'_>, landing: &Landing, change: &Change, start: &mut Start) {
        let (id, submitted) = (landing.change, &change.submitted);
        let (Some(merge), Some(proposal)) =
            (self.commits.get(&landing.main_after), self.commits.get(&submitted.commit))
        else {
            return self.main_1.breaks(|| format!("{id} landed, and its commits are not reachable from main"));
        };
        let parents = merge.parents == [landing.main_before, submitted.commit] && proposal.parents == [submitted.base];
        self.main_1.claim(parents, || {
            format!("{id}: the parents of {} or {} are not as recorded", landing.main_after, submitted.commit)
        });
        self.main_4.claim(merge.tree == landing.tree, || {
            format!("{id}: the tree of {} is not the one that was intended and gated", landing.main_after)
        });
        let made = submitted.sent_us.map_or((change.assigned_us, change.submitted_us), |sent_us| (sent_us, sent_us));
        let times = [(submitted.commit, made), (landing.main_after, (change.assigned_us, landing.intended_us))];
        for ((name, within), commit) in times.into_iter().zip([proposal, merge]) {
            self.who_1.claim(start.fits(commit, within), || {
                format!("{id}: {name} was made at a time at which the change was not")
            });
        }
        // Who judged a change submits it; it is by whoever made it.
        let submitter = change.lane.and_then(|lane| expected.lanes.name(lane));
        let author = submitted.author.as_deref();
        let lane = author.map_or(change.lane, |author| expected.lanes.id(author));
        let credit = Credit {
            id,
            change,
            lane: lane.and_then(|lane| expected.lanes.name(lane)),
            model: lane.and_then(|lane| expected.who.model(lane)),
            judge: submitter.filter(|name| author.is_some() && expected.judges(id.task(), name)),
            approvers: expected.consent.approvers(id),
            overrider: expected.gates.overrider(id, landing.tree),
            run: &expected.started.run,
        };
        for (which, name, commit) in
            [(Which::Merge, landing.main_after, merge), (Which::Proposal, submitted.commit, proposal)]
        {
            credit.inspect((which, name), commit, (&mut self.main_2, &mut self.who_1));
        }
    }
}

/// Dense numbers for the changes that the pass looks at.
#[derive(Default)]
struct Numbers {
    numbers: BTreeMap<ChangeId, u32>,
    ids: Vec<ChangeId>,
}

impl Numbers {
    fn of(&mut self, id: ChangeId) -> u32 {
        *self.numbers.entry(id).or_insert_with(|| {
            self.ids.push(id);
            self.ids.len() as u32 - 1
        })
    }

    /// The first, and how many more.
    fn names(&self, numbers: &[u32]) -> String {
        let first = numbers.first().map(|number| self.ids[*number as usize].to_string()).unwrap_or_default();
        if numbers.len() > 1 { format!("{first} (and {} more)", numbers.len() - 1) } else { first }
    }
}
