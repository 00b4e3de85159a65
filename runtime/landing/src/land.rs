//! A session of landing: rounds of a chain, its gates, a finding, a move of main; until everything is decided.

use crate::LandError;
use crate::blame;
use crate::candidates::Candidate;
use crate::chain::{Chain, Link, Smith, Style, Unlinked};
use crate::fact::{Began, Ended as EndedFact, Fact, Intended, Lands, Refused, RemoteMain};
use crate::gates::{Gate, GateKeeper, Probe, RedGate, Verdict};
use crate::moving::{Came, advance, blocked};
use crate::opening::Opening;
use crate::outcome::{Ended, LandOutcome, LandedChange, Reason, RefusedChange};
use crate::overlaps::{self, Forecast};
use crate::recovery;
use crate::site::Site;
use crate::way;
use baton_core::batch::{Batch, BatchLimit, Finding, Stride};
use baton_record::Oid;
use baton_world::Stopwatch;
use baton_world::gate::Stop;
use baton_world::git::Scratch;
use std::collections::BTreeMap;

/// What a person wishes.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// The branch to land on; `None`: `main`, else `master`.
    pub onto: Option<String>,
    /// The branches to land.
    pub which: Which,
    /// Gates; empty: the person has said that there is none.
    pub gates: Vec<Gate>,
    /// So many gates run at once.
    pub jobs: u32,
    /// The remote whose branch moves first; `None`: nobody else is asked.
    pub remote: Option<String>,
    /// Whether the branch to land on is made, at main, if it is not there.
    pub make_onto: bool,
    /// How far main goes at a time.
    pub stride: Stride,
    /// How changes come to main.
    pub style: Style,
    /// Whether a branch may change the file that names the gates.
    pub gate_file_may_change: bool,
    /// Whether everything is done but the moving of main.
    pub dry_run: bool,
    /// Whether a pair is searched for however many runs of gates it takes.
    pub blame_fully: bool,
}

/// Which branches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// These.
    Named(Vec<String>),
    /// All that main has not.
    All,
    /// All that main has not, but for these commits.
    AllBut(Vec<Oid>),
}

/// What a session tells while it is at work.
#[derive(Clone, Debug)]
pub enum Note<'n> {
    /// These are to land on that branch.
    Begins(&'n [Candidate], &'n str),
    /// This is expected of it.
    Forecast(&'n Forecast),
    /// Gates run on main with these changes: how many rows at once, and the names of the longest.
    Tries(usize, &'n [String]),
    /// They are done: passed, and seconds.
    Tried(bool, f64),
    /// These have landed.
    Landed(&'n [LandedChange]),
    /// This has not, and will not.
    Refused(&'n RefusedChange),
    /// Somebody else has moved main.
    Adopted(Oid),
    /// These submodules are empty in the folder of a gate.
    EmptySubmodules(&'n [String]),
}

/// Tells what a session does.
pub type Listener<'l> = &'l mut dyn FnMut(&Note<'_>);

/// So often main may be moved by others before a session gives up.
const ADOPTIONS_MAX: usize = 5;
/// So many runs of gates may a session take before it stops looking for a pair, unless a person wishes otherwise.
const RUNS_FOR_BLAME: u32 = 9;

pub(crate) struct Session<'s> {
    pub(crate) site: &'s Site,
    pub(crate) scratch: &'s Scratch<'s>,
    pub(crate) keeper: GateKeeper<'s>,
    pub(crate) smith: Smith<'s>,
    wishes: &'s Wishes,
    onto: String,
    pub(crate) main: Oid,
    checkouts: Vec<String>,
    remote: Option<RemoteMain>,
    pub(crate) outcome: LandOutcome,
    tell: Listener<'s>,
    /// Why a candidate waits for those before it: what it conflicts with.
    reds: BTreeMap<String, RedGate>,
    gate_ms: u64,
    /// So many changes are tried together at most.
    limit: BatchLimit,
    pub(crate) culprits: Vec<Culprit>,
    stop: &'s Stop,
}

/// A change that is red on top of others, and whom these are.
#[derive(Clone, Debug)]
pub(crate) struct Culprit {
    pub(crate) candidate: Candidate,
    pub(crate) red: RedGate,
    /// Main at that time, without those before it.
    pub(crate) main: Oid,
    /// The changes before it, which passed.
    pub(crate) before: Vec<Candidate>,
}

/// Lands what a person wishes on the repository of a site.
pub fn land(site: &Site, wishes: &Wishes, stop: &Stop, tell: Listener<'_>) -> Result<LandOutcome, LandError> {
    let clock = Stopwatch::start();
    let recovered = recovery::recover(site)?;
    let scratch = Scratch::make(site.repository(), &site.scratch_directory())?;
    let opening = Opening::of(site, &scratch, wishes)?;
    let candidates = opening.candidates(site, wishes)?;
    let by = site.repository().identity()?.map_err(|why| {
        let cure = "git config --global user.name … and user.email …";
        LandError::wish(format!("git does not know who you are: {why}"), cure)
    })?;
    let gates: Vec<String> = wishes.gates.iter().map(|gate| gate.line.clone()).collect();
    let mut outcome = LandOutcome::begun(&opening.onto, opening.main, gates.clone(), recovered);
    outcome.pushed_along = opening.ahead;
    tell(&Note::Begins(&candidates, &outcome.onto));
    let expected = (gates.len(), wishes.stride);
    let forecast = overlaps::forecast(&scratch, (&outcome.onto, opening.main), &candidates, expected, stop)?;
    tell(&Note::Forecast(&forecast));
    outcome.expected_gate_runs = forecast.gate_runs;
    (outcome.pairs, outcome.pairs_compared) = (forecast.pairs, forecast.pairs_compared);
    outcome.overlaps = forecast.overlaps;
    let changes = candidates.iter().map(Candidate::change).collect();
    let began = Began { by, onto: opening.onto.clone(), main: opening.main, gates, changes };
    site.write(&[Fact::Began(began)])?;
    let mut session = Session {
        site,
        scratch: &scratch,
        keeper: GateKeeper::new(site, &wishes.gates, wishes.jobs, stop.clone())?,
        smith: Smith {
            scratch: &scratch,
            checkouts: &opening.checkouts,
            examines: wishes.gates.is_empty(),
            style: wishes.style,
            gate_file_may_change: wishes.gate_file_may_change,
        },
        wishes,
        onto: opening.onto.clone(),
        main: opening.main,
        checkouts: opening.checkouts.clone(),
        remote: opening.remote.clone(),
        outcome,
        tell,
        reds: BTreeMap::new(),
        gate_ms: 0,
        limit: BatchLimit::new(u32::MAX),
        culprits: Vec::new(),
        stop,
    };
    session.run(candidates)?;
    session.end(clock.seconds())
}

impl Session<'_> {
    fn run(&mut self, candidates: Vec<Candidate>) -> Result<(), LandError> {
        let mut pending = candidates;
        while !pending.is_empty() && self.outcome.ended == Ended::Done {
            if self.stop.wished() {
                self.outcome.ended = Ended::Stopped;
                break;
            }
            let names: Vec<&str> = pending.iter().map(|candidate| candidate.name.as_str()).collect();
            self.site.doing(&format!("merges {}", names.join(", ")));
            self.set_aside_landed(&mut pending)?;
            let rest = pending.split_off(pending.len().min(self.limit.now() as usize));
            let mut chain = self.smith.chain(self.main, &pending)?;
            pending = self.sort_out(&mut chain)?;
            if !chain.links.is_empty() {
                let mut left = self.settle(&chain)?;
                left.retain(|candidate| !self.outcome.has_refused(candidate));
                left.append(&mut pending);
                pending = left;
            }
            pending.extend(rest);
        }
        let undecided = pending.iter().map(Candidate::change);
        self.outcome.undecided.extend(undecided);
        if self.outcome.ended == Ended::Done {
            self.blame_all()?;
        }
        Ok(())
    }

    /// Refuses what can never be linked; gives what is to be looked at again.
    fn sort_out(&mut self, chain: &mut Chain) -> Result<Vec<Candidate>, LandError> {
        let mut later = Vec::new();
        for (candidate, why) in std::mem::take(&mut chain.unlinked) {
            match why {
                Unlinked::Already => match self.taken_back(&candidate)? {
                    Some(refused) => self.refuse(refused)?,
                    None => self.outcome.already.push(candidate.change()),
                },
                Unlinked::Later(conflicts, with) => {
                    tracing::debug!(name = candidate.name, ?with, paths = conflicts.len(), "looked at again later");
                    later.push(candidate);
                }
                Unlinked::Conflicts(conflicts) => {
                    let refused = blame::conflict(self, &candidate, &conflicts)?;
                    self.refuse(refused)?;
                }
                Unlinked::InTheWay(what) => self.refuse(blame::plain(&candidate, Reason::InTheWay, what))?,
                Unlinked::Unfit(why) => {
                    let detail = format!("git does not check it out: {why}");
                    self.refuse(blame::plain(&candidate, Reason::Unfit, detail))?;
                }
                Unlinked::Unrelated => {
                    let detail = format!("it has no history in common with {}", self.outcome.onto);
                    self.refuse(blame::plain(&candidate, Reason::Unrelated, detail))?;
                }
                Unlinked::GateFile => {
                    let detail = format!("it changes {}, which says what the gates are", crate::chain::GATE_FILE);
                    self.refuse(blame::plain(&candidate, Reason::GateFile, detail))?;
                }
            }
        }
        Ok(later)
    }

    pub(crate) fn refuse(&mut self, refused: RefusedChange) -> Result<(), LandError> {
        let fact = Refused {
            name: refused.name.clone(),
            tip: refused.tip,
            reason: refused.reason.word().to_owned(),
            detail: refused.detail.clone(),
            with: refused.with.clone(),
        };
        self.site.write(&[Fact::Refused(fact)])?;
        (self.tell)(&Note::Refused(&refused));
        self.outcome.refused.push(refused);
        Ok(())
    }

    /// Finds out how far main can go along a chain and takes it there; gives what is left.
    fn settle(&mut self, chain: &Chain) -> Result<Vec<Candidate>, LandError> {
        let links = &chain.links;
        let rest = |from: usize| links[from..].iter().map(|link| link.candidate.clone()).collect::<Vec<_>>();
        let main_tree = self.scratch.repository().commit(self.main)?.tree;
        let mut batch = Batch::new(links.len() as u32, self.wishes.stride, self.keeper.knows(main_tree));
        let mut landed = 0;
        let finding = loop {
            if self.wishes.stride == Stride::Each && batch.green() as usize > landed {
                match self.advance(&links[landed..batch.green() as usize])? {
                    true => landed = batch.green() as usize,
                    false => return Ok(rest(landed)),
                }
            }
            if let Some(finding) = batch.finding() {
                break finding;
            }
            let wanted = batch.wanted(self.wishes.jobs.max(1));
            let tried = match self.try_prefixes(chain, &wanted) {
                // One of them may be such that git does not check it out: each is looked at by itself from now on.
                Err(LandError::Git(error)) if !self.smith.examines => {
                    tracing::warn!(%error, "a row cannot be tried");
                    self.smith.examines = true;
                    return Ok(rest(landed));
                }
                tried => tried?,
            };
            let Some(verdicts) = tried else {
                self.outcome.ended = Ended::Stopped;
                return Ok(rest(landed));
            };
            for (prefix, verdict) in wanted.into_iter().zip(verdicts) {
                match (&verdict, prefix.checked_sub(1)) {
                    (Verdict::Red(red), Some(link)) => {
                        self.reds.insert(links[link as usize].candidate.name.clone(), red.clone());
                    }
                    (Verdict::Red(red), None) => self.outcome.main_gate = Some(red.clone()),
                    _ => {}
                }
                batch.learn(prefix, verdict == Verdict::Passed);
            }
        };
        let green = match finding {
            Finding::Green => links.len(),
            Finding::MainRed => {
                self.outcome.ended = Ended::MainRed;
                return Ok(rest(landed));
            }
            Finding::Red { green } => green as usize,
        };
        if green > landed && !self.advance(&links[landed..green])? {
            return Ok(rest(landed));
        }
        self.limit.learn(links.len() as u32, green == links.len());
        if green == links.len() {
            return Ok(Vec::new());
        }
        let candidate = links[green].candidate.clone();
        let red = self.reds[&candidate.name].clone();
        let before = links[..green].iter().map(|link| link.candidate.clone()).collect();
        self.culprits.push(Culprit { candidate, red, main: chain.main, before });
        Ok(rest(green + 1))
    }

    fn try_prefixes(&mut self, chain: &Chain, wanted: &[u32]) -> Result<Option<Vec<Verdict>>, LandError> {
        let mut probes = Vec::new();
        for &prefix in wanted {
            let (commit, tree) = match prefix.checked_sub(1) {
                Some(link) => (chain.links[link as usize].commit, chain.links[link as usize].tree),
                None => (chain.main, self.scratch.repository().commit(chain.main)?.tree),
            };
            let changes = chain.links[..prefix as usize].iter().map(|link| link.candidate.name.clone()).collect();
            probes.push(Probe { commit, tree, changes });
        }
        self.probe(&probes)
    }

    /// Runs the gates; `None`: somebody wished to stop.
    pub(crate) fn probe(&mut self, probes: &[Probe]) -> Result<Option<Vec<Verdict>>, LandError> {
        let longest = probes.iter().map(|probe| &probe.changes).max_by_key(|changes| changes.len());
        let longest = longest.cloned().unwrap_or_default();
        let known = probes.iter().all(|probe| self.keeper.knows(probe.tree));
        if !known {
            self.site.doing(&format!("runs gates on {} with {}", self.outcome.onto, longest.join(", ")));
            (self.tell)(&Note::Tries(probes.len(), &longest));
        }
        let clock = Stopwatch::start();
        let mut verdicts = Vec::new();
        for answer in self.keeper.probe_all(self.scratch, probes) {
            let (verdict, facts) = answer?;
            self.count(&facts, &verdict);
            self.site.write(&facts)?;
            verdicts.push(verdict);
        }
        let empty = self.keeper.empty_submodules();
        if empty.len() > self.outcome.empty_submodules.len() {
            (self.tell)(&Note::EmptySubmodules(&empty));
            self.outcome.empty_submodules = empty;
        }
        if !known && !verdicts.contains(&Verdict::Stopped) {
            let passed = verdicts.iter().all(|verdict| *verdict == Verdict::Passed);
            (self.tell)(&Note::Tried(passed, clock.seconds()));
        }
        Ok((!verdicts.contains(&Verdict::Stopped)).then_some(verdicts))
    }

    fn count(&mut self, facts: &[Fact], verdict: &Verdict) {
        for fact in facts {
            let Fact::GateRan(ran) = fact else { continue };
            self.outcome.gate_runs += 1;
            self.gate_ms += ran.took_ms;
            if !ran.passed && *verdict == Verdict::Passed && !self.outcome.flaky.contains(&ran.gate) {
                self.outcome.flaky.push(ran.gate.clone());
            }
        }
    }

    /// Takes main to the end of these links; `false`: it could not go, and the outcome says why or main has been adopted.
    fn advance(&mut self, links: &[Link]) -> Result<bool, LandError> {
        let last = links.last().expect("somebody lands");
        let main_after = self.smith.tip(self.main, links, &self.onto)?;
        let gated = !self.wishes.gates.is_empty();
        let of = |link: &Link| Lands {
            name: link.candidate.name.clone(),
            tip: link.candidate.tip,
            commit: link.commit,
            tree: link.tree,
        };
        let intended = Intended {
            onto: self.onto.clone(),
            main_before: self.main,
            main_after,
            tree: last.tree,
            gated,
            changes: links.iter().map(of).collect(),
            checkouts: self.checkouts.clone(),
            remote: self.remote.clone(),
            rolls_back: None,
        };
        if !self.wishes.dry_run {
            match advance(self.site, self.scratch, &intended)? {
                Came::Done => {
                    if let Some(remote) = &mut self.remote {
                        remote.main = Some(main_after);
                    }
                }
                Came::Adopted(found) => return self.adopt(found).map(|()| false),
                Came::Blocked(way) if way::refuse_touching(self, &way, links)? => return Ok(false),
                Came::Blocked(way) => {
                    tracing::warn!(checkout = %way.checkout.display(), what = way.what, "a checkout is in the way");
                    self.outcome.ended = Ended::Blocked;
                    return Err(blocked(&way));
                }
            }
        }
        self.main = main_after;
        self.outcome.main_after = main_after;
        let gate = if gated { "passed" } else { "none" };
        let landed: Vec<LandedChange> = intended
            .changes
            .iter()
            .map(|lands| LandedChange {
                name: lands.name.clone(),
                tip: lands.tip,
                commit: lands.commit,
                tree: last.tree,
                gate,
            })
            .collect();
        (self.tell)(&Note::Landed(&landed));
        self.outcome.landed.extend(landed);
        Ok(true)
    }

    fn adopt(&mut self, found: Oid) -> Result<(), LandError> {
        (self.tell)(&Note::Adopted(found));
        self.main = found;
        if let Some(remote) = &mut self.remote {
            remote.main = self.site.repository().fetch(&remote.name, &self.onto)?;
        }
        self.outcome.main_after = found;
        self.outcome.adopted.push(found);
        if self.outcome.adopted.len() >= ADOPTIONS_MAX {
            self.outcome.ended = Ended::Contended;
        }
        Ok(())
    }

    /// Says of every change that was red whether it is so alone or together with whom; only now, when everything else is decided.
    fn blame_all(&mut self) -> Result<(), LandError> {
        for culprit in std::mem::take(&mut self.culprits) {
            let budget =
                if self.wishes.blame_fully { u32::MAX } else { RUNS_FOR_BLAME.saturating_sub(self.outcome.gate_runs) };
            let refused = blame::red(self, &culprit, budget)?;
            self.refuse(refused)?;
        }
        Ok(())
    }

    /// How often a gate was run so far.
    pub(crate) fn gate_runs(&self) -> u32 {
        self.outcome.gate_runs
    }

    /// The short name of the branch that is landed on.
    pub(crate) fn onto_name(&self) -> &str {
        &self.outcome.onto
    }

    fn end(mut self, took_s: f64) -> Result<LandOutcome, LandError> {
        for culprit in std::mem::take(&mut self.culprits) {
            self.outcome.undecided.push(culprit.candidate.change());
        }
        let outcome = &mut self.outcome;
        outcome.took_s = took_s;
        if outcome.landed.is_empty() {
            // Nothing was pushed with which they could have gone along.
            outcome.pushed_along = 0;
        }
        let decided =
            (outcome.landed.len() + outcome.refused.iter().filter(|refused| refused.gate.is_some()).count()) as u32;
        outcome.one_by_one_runs = decided * outcome.gates.len() as u32;
        if outcome.gate_runs > 0 {
            let mean_s = self.gate_ms as f64 / 1000.0 / f64::from(outcome.gate_runs);
            outcome.one_by_one_s = Some(mean_s * f64::from(outcome.one_by_one_runs));
        }
        let (landed, refused) = (outcome.landed.len() as u32, outcome.refused.len() as u32);
        let ended = EndedFact { landed, refused, gate_runs: outcome.gate_runs, took_ms: (took_s * 1000.0) as u64 };
        self.site.write(&[Fact::Ended(ended)])?;
        Ok(self.outcome)
    }
}
