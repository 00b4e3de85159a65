//! Who is in whose way: branches and uncommitted work merged pair by pair, aside, before anybody lands.
//!
//! Only reads: objects that are made on the way lie in a folder of their own and go with it. A pair's answer is that of
//! `git merge-tree A B`: most pairs are merged in process, the rest by few git programs.

pub mod lanes;

use crate::LandError;
use crate::aside::Aside;
use crate::candidates;
use crate::outcome::PathConflict;
use baton_record::Oid;
use baton_world::Stopwatch;
use baton_world::gate::Stop;
use baton_world::git::{Asked, Conflict, Joined, PersonRepository, Scratch, Worktree};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What a person wishes to compare.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Names of branches or commits; empty: main, and all branches and worktrees with something that main has not. One
    /// alone is compared with all of these.
    pub refs: Vec<String>,
    /// The branch that is main; `None`: `main`, else `master`.
    pub onto: Option<String>,
    /// Only worktrees, each with all that lies in it.
    pub worktrees: bool,
    /// Uncommitted work is left out.
    pub committed: bool,
}

/// One side of pairs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Party {
    /// The branch, or the folder of a worktree without one.
    pub name: String,
    /// Its commit; of uncommitted work, the one that it was made from.
    pub tip: Oid,
    /// Where it is checked out.
    pub worktree: Option<PathBuf>,
    /// Paths with uncommitted work, which is part of the comparison.
    pub uncommitted: Vec<String>,
    /// What is merged.
    #[serde(skip)]
    merged: Oid,
}

/// The answer for two parties.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// The one.
    pub a: String,
    /// The other.
    pub b: String,
    /// Whether they merge.
    pub clean: bool,
    /// The merged tree; of a pair that does not merge there is none.
    pub tree: Option<Oid>,
    /// Where they do not merge.
    pub conflicts: Vec<PathConflict>,
}

/// A checkout whose uncommitted work cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Its top folder.
    pub worktree: PathBuf,
    /// Why.
    pub why: String,
}

/// All pairs.
#[derive(Clone, Debug, Serialize)]
pub struct RadarOutcome {
    /// Version of this object.
    pub format: u32,
    /// The branch that is main, and where it is; `None`: there is none.
    pub onto: Option<String>,
    /// Who was compared.
    pub parties: Vec<Party>,
    /// Each two of them, once.
    pub pairs: Vec<Pair>,
    /// What was left out.
    pub skipped: Vec<Skipped>,
    /// Pairs that do not merge.
    pub conflicting: u64,
    /// Pairs that were merged without git.
    pub in_process: u64,
    /// Whether a person ended it before all pairs were compared.
    pub stopped: bool,
    /// Seconds.
    pub took_s: f64,
}

/// Compares what a person wishes in the repository around `place`.
pub fn look(place: &Path, wishes: &Wishes, stop: &Stop) -> Result<RadarOutcome, LandError> {
    let clock = Stopwatch::start();
    let repository = PersonRepository::find(place)?;
    let aside = Aside::make()?;
    let scratch = Scratch::make(&repository, &aside.folder().join("objects"))?;
    let onto = match candidates::onto(&repository, wishes.onto.as_deref()) {
        Err(error) if wishes.onto.is_some() => return Err(error),
        onto => onto.ok(),
    };
    let (parties, skipped) = Gathering { scratch: &scratch, wishes, onto: onto.as_deref() }.parties()?;
    let sides: Vec<Oid> = parties.iter().map(|party| party.merged).collect();
    let one = wishes.refs.len() == 1;
    let which: Vec<(usize, usize)> = pairs_of(sides.len()).filter(|(a, _)| !one || *a == 0).collect();
    let asked: Vec<Asked> = which.iter().map(|&(a, b)| (sides[a], sides[b])).collect();
    let Swept { answers, in_process, stopped } = sweep(&scratch, &asked, stop)?;
    let pairs: Vec<Pair> = which
        .iter()
        .zip(answers)
        .map(|(&(a, b), answer)| Pair::of(&parties[a].name, &parties[b].name, answer))
        .collect();
    let conflicting = pairs.iter().filter(|pair| !pair.clean).count() as u64;
    let onto = onto.map(|onto| onto.strip_prefix("refs/heads/").unwrap_or(&onto).to_owned());
    let took_s = clock.seconds();
    Ok(RadarOutcome { format: 1, onto, parties, pairs, skipped, conflicting, in_process, stopped, took_s })
}

/// Each two of so many, the smaller first.
pub(crate) fn pairs_of(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |a| (a + 1..count).map(move |b| (a, b)))
}

/// Answers to merges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// In the order of the questions; shorter if somebody wished to stop.
    pub answers: Vec<Joined>,
    /// How many were given without git.
    pub in_process: u64,
    /// Whether somebody wished to stop.
    pub stopped: bool,
}

/// Answers many merges: in process where that is git's answer, and by git for the rest.
pub fn sweep(scratch: &Scratch<'_>, asked: &[Asked], stop: &Stop) -> Result<Swept, LandError> {
    const BATCH: usize = 400;
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let mut swept = Swept::default();
    for part in asked.chunks(BATCH) {
        let mut answers = Vec::with_capacity(part.len());
        for &pair in part {
            answers.push(scratch.merge_in_process(pair)?);
        }
        let open: Vec<Asked> =
            part.iter().zip(&answers).filter(|(_, known)| known.is_none()).map(|(pair, _)| *pair).collect();
        if stop.wished() {
            swept.stopped = true;
            break;
        }
        swept.in_process += (part.len() - open.len()) as u64;
        let mut by_git = scratch.merge_all_by_git(&open, jobs)?.into_iter();
        let known_or_next = |known: Option<Joined>| known.or_else(|| by_git.next()).expect("git has answered the rest");
        swept.answers.extend(answers.into_iter().map(known_or_next));
    }
    Ok(swept)
}

impl Pair {
    fn of(a: &str, b: &str, answer: Joined) -> Pair {
        let (tree, conflicts) = match answer {
            Joined::Clean { tree, .. } => (Some(tree), Vec::new()),
            Joined::Conflicts(conflicts) => (None, conflicts),
            Joined::Unrelated => {
                let kind = "unrelated histories".to_owned();
                (None, vec![Conflict { path: String::new(), kind, hunks: Vec::new() }])
            }
        };
        let conflicts = conflicts.iter().map(|conflict| PathConflict::of(conflict, a, b)).collect();
        Pair { a: a.to_owned(), b: b.to_owned(), clean: tree.is_some(), tree, conflicts }
    }
}

/// Finds out who is compared.
struct Gathering<'g> {
    scratch: &'g Scratch<'g>,
    wishes: &'g Wishes,
    onto: Option<&'g str>,
}

impl Gathering<'_> {
    fn parties(&self) -> Result<(Vec<Party>, Vec<Skipped>), LandError> {
        let repository = self.scratch.person();
        let worktrees = repository.worktrees()?;
        let mut parties = Vec::new();
        for name in &self.wishes.refs {
            let party = self.named(name, &worktrees)?;
            if parties.iter().all(|known: &Party| known.name != party.name) {
                parties.push(party);
            }
        }
        let mut skipped = Vec::new();
        if self.wishes.refs.len() < 2 {
            self.usual(&worktrees, &mut parties)?;
        }
        self.add_uncommitted(&worktrees, &mut parties, &mut skipped)?;
        Ok((parties, skipped))
    }

    fn named(&self, name: &str, worktrees: &[Worktree]) -> Result<Party, LandError> {
        // Every name but that of main is a candidate's.
        let found = candidates::named(self.scratch.person(), &[name.to_owned()], "")?;
        let candidate = found.into_iter().next().expect("one name leads to one candidate");
        let full = format!("refs/heads/{}", candidate.name);
        let worktree = worktrees.iter().find(|worktree| candidate.is_branch && worktree.branch.as_ref() == Some(&full));
        let worktree = worktree.map(|worktree| worktree.path.clone());
        Ok(Party { name: candidate.name, tip: candidate.tip, worktree, uncommitted: Vec::new(), merged: candidate.tip })
    }

    /// Main, what it has not, and every worktree; but only worktrees where a person wishes that.
    fn usual(&self, worktrees: &[Worktree], parties: &mut Vec<Party>) -> Result<(), LandError> {
        let repository = self.scratch.person();
        let mut add = |party: Party| {
            if parties.iter().all(|known| known.name != party.name) {
                parties.push(party);
            }
        };
        if !self.wishes.worktrees {
            let main = self.onto.map(|onto| self.named(onto, worktrees)).transpose()?;
            let ahead = match &main {
                Some(main) => repository.branches_ahead_of(main.tip)?,
                None => repository.branches()?,
            };
            main.into_iter().for_each(&mut add);
            for branch in ahead {
                add(self.named(&format!("refs/heads/{}", branch.name), worktrees)?);
            }
        }
        for worktree in worktrees {
            let Some(tip) = worktree.head else { continue };
            let name = match worktree.branch.as_deref().and_then(|full| full.strip_prefix("refs/heads/")) {
                Some(branch) => branch.to_owned(),
                None => {
                    worktree.path.file_name().map_or_else(|| tip.to_hex(), |name| name.to_string_lossy().into_owned())
                }
            };
            add(Party { name, tip, worktree: Some(worktree.path.clone()), uncommitted: Vec::new(), merged: tip });
        }
        Ok(())
    }

    /// Adds what lies in checkouts, and leaves out worktrees that have nothing which main has not.
    fn add_uncommitted(
        &self,
        worktrees: &[Worktree],
        parties: &mut Vec<Party>,
        skipped: &mut Vec<Skipped>,
    ) -> Result<(), LandError> {
        for party in parties.iter_mut().filter(|_| !self.wishes.committed) {
            let Some(worktree) = worktrees.iter().find(|worktree| party.worktree.as_ref() == Some(&worktree.path))
            else {
                continue;
            };
            match self.scratch.snapshot(worktree)? {
                Ok(None) => {}
                Ok(Some(snapshot)) => (party.merged, party.uncommitted) = (snapshot.commit, snapshot.paths),
                Err(why) => skipped.push(Skipped { worktree: worktree.path.clone(), why }),
            }
        }
        if self.wishes.worktrees {
            return Ok(());
        }
        let main = self.onto.map(|onto| self.scratch.person().reference(onto)).transpose()?.flatten();
        let named = self.wishes.refs.len();
        let mut at = 0;
        let mut failed = None;
        parties.retain(|party| {
            at += 1;
            let is_main = self.onto.and_then(|onto| onto.strip_prefix("refs/heads/")) == Some(&party.name);
            if at <= named || is_main || !party.uncommitted.is_empty() {
                return true;
            }
            match main.map(|main| self.scratch.person().is_ancestor(party.tip, main)) {
                Some(Ok(behind)) => !behind,
                Some(Err(error)) => {
                    failed = Some(error);
                    true
                }
                None => true,
            }
        });
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}
