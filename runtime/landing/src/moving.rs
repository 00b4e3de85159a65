//! Moving main as [`baton_core::advance`] says: each of its steps carried out on a person's repository, and what came of it.
//!
//! Decides nothing about the order of writes, nor about what a killed session has left.

use crate::LandError;
use crate::fact::{Fact, Forgotten, Intended, Landed, MainAdopted, RemoteMain};
use crate::site::Site;
use baton_core::advance::{Advance, Answer, Foreign, Objects, Outcome, Plan, Standing, Step, Why};
use baton_record::Oid;
use baton_world::git::{CheckoutMove, GitErrorKind, HeldRef, InTheWay, Moved, Pushed, Scratch};
use std::path::PathBuf;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// Main is there.
    Done,
    /// Somebody else has moved main; it is here now, and stays.
    Adopted(Oid),
    /// A checkout of main cannot follow.
    Blocked(InTheWay),
}

/// Moves main as intended.
pub(crate) fn advance(site: &Site, scratch: &Scratch<'_>, intended: &Intended) -> Result<Came, LandError> {
    begin(site, Some(scratch), intended, Vec::new())
}

/// Moves a branch to a commit that is stored. `first`: what is written down together with the intention.
pub(crate) fn begin(
    site: &Site,
    scratch: Option<&Scratch<'_>>,
    intended: &Intended,
    first: Vec<Fact>,
) -> Result<Came, LandError> {
    // As they are now: while gates ran, the person may have checked out something else.
    let intended = Intended { checkouts: checkouts_on(site, &intended.onto)?, ..intended.clone() };
    let plan = plan(&intended, intended.checkouts.len());
    let checkouts = intended.checkouts.iter().map(PathBuf::from).collect();
    let mut carrier = Carrier { scratch, first, ..Carrier::new(site, &intended, checkouts) };
    match carrier.carry(Advance::begin(plan))? {
        Some(Outcome::Landed) => Ok(Came::Done),
        Some(Outcome::Forgotten(Why::Blocked(_))) => Ok(Came::Blocked(carrier.way())),
        Some(Outcome::Forgotten(Why::RemoteMoved)) => follow_remote(site, scratch, &intended, intended.main_before),
        Some(Outcome::Forgotten(Why::Foreign)) => Ok(Came::Adopted(carrier.found.unwrap_or(intended.main_before))),
        outcome => Err(carrier.trouble(outcome)),
    }
}

/// What becomes of an intention whose process is dead; and where the branch is.
pub(crate) fn resume(site: &Site, intended: &Intended) -> Result<(Outcome, Option<Oid>), LandError> {
    let mut checkouts: Vec<PathBuf> = intended.checkouts.iter().map(PathBuf::from).collect();
    for checkout in checkouts_on(site, &intended.onto)?.into_iter().map(PathBuf::from) {
        if !checkouts.contains(&checkout) && site.repository().is_locked_by_us(&checkout)? {
            checkouts.push(checkout);
        }
    }
    let remote = intended.remote.as_ref().map(|remote| remote.name.as_str());
    site.repository().remove_own_lock(&intended.onto, intended.main_after, remote)?;
    let plan = plan(intended, checkouts.len());
    let mut carrier = Carrier { resumed: true, ..Carrier::new(site, intended, checkouts) };
    match carrier.carry(Advance::resume(plan))? {
        Some(outcome) => Ok((outcome, carrier.found)),
        None => Err(carrier.trouble(None)),
    }
}

fn plan(intended: &Intended, checkouts: usize) -> Plan {
    let remote = intended.remote.is_some();
    Plan { objects: Objects::Before, checkouts: checkouts as u32, remote, foreign: Foreign::Adopt }
}

/// Carries out the steps of one intention.
struct Carrier<'s> {
    site: &'s Site,
    scratch: Option<&'s Scratch<'s>>,
    intended: &'s Intended,
    first: Vec<Fact>,
    checkouts: Vec<PathBuf>,
    held: Vec<Option<CheckoutMove>>,
    held_ref: Option<HeldRef>,
    resumed: bool,
    /// Where the branch was found, if that was not where it was expected.
    found: Option<Oid>,
    way: Option<InTheWay>,
    /// What a remote said.
    said: String,
}

impl<'s> Carrier<'s> {
    fn new(site: &'s Site, intended: &'s Intended, checkouts: Vec<PathBuf>) -> Carrier<'s> {
        let held = checkouts.iter().map(|_| None).collect();
        let (scratch, first, said) = (None, Vec::new(), String::new());
        let (held_ref, found, way) = (None, None, None);
        Carrier { site, scratch, intended, first, checkouts, held, held_ref, resumed: false, found, way, said }
    }

    fn carry(&mut self, mut way: Advance) -> Result<Option<Outcome>, LandError> {
        loop {
            let step = way.step();
            if let Step::End(outcome) = step {
                return Ok(outcome);
            }
            tracing::debug!(?step, onto = self.intended.onto, "moves");
            let answer = self.carry_out(step)?;
            way.learn(answer);
        }
    }

    fn carry_out(&mut self, step: Step) -> Result<Answer, LandError> {
        let (from, to) = (self.intended.main_before, self.intended.main_after);
        match step {
            Step::KeepObjects => self.keep_objects()?,
            Step::WriteIntention => {
                let mut facts = std::mem::take(&mut self.first);
                facts.push(Fact::Intended(self.intended.clone()));
                self.site.write(&facts)?;
            }
            Step::Hold(at) => return self.hold(at as usize),
            Step::LockRef => return self.lock_ref(),
            Step::Push => return self.push(),
            Step::Move(at) => {
                let held = self.held[at as usize].as_ref();
                if let Some(Err(error)) = held.map(|held| held.go(from, to)) {
                    return Ok(self.no(at as usize, error.detail().to_owned()));
                }
            }
            Step::MoveRef => return self.move_ref(),
            Step::LetGo => {
                drop(self.held_ref.take());
                self.held.iter_mut().for_each(|held| drop(held.take()));
            }
            Step::FollowLate => self.follow_late()?,
            Step::AskRemote => return self.ask_remote(),
            Step::LookAtRef => return self.look_at_ref(),
            Step::Finish(at) => return self.finish(at as usize),
            Step::Return(at) => {
                if let Some(answer) = self.claim(at as usize)? {
                    return Ok(answer);
                }
                if let Some(held) = &self.held[at as usize] {
                    held.go_back(from, to)?;
                }
            }
            Step::Claim(at) => return Ok(self.claim(at as usize)?.unwrap_or(Answer::Done)),
            Step::Write(outcome) => self.site.write(&self.facts_of(outcome))?,
            Step::End(_) => unreachable!("an end is no step"),
        }
        Ok(Answer::Done)
    }

    fn no(&mut self, at: usize, what: String) -> Answer {
        self.way = Some(InTheWay { checkout: self.checkouts[at].clone(), what, paths: Vec::new() });
        Answer::No
    }

    fn keep_objects(&self) -> Result<(), LandError> {
        let (Some(scratch), to) = (self.scratch, self.intended.main_after) else { return Ok(()) };
        let tips = self.intended.changes.iter().map(|lands| lands.tip).filter(|tip| *tip != to);
        let known: Vec<Oid> = [self.intended.main_before].into_iter().chain(tips).collect();
        Ok(scratch.keep(to, &known)?)
    }

    /// Locks a checkout that is clean and can follow.
    fn hold(&mut self, at: usize) -> Result<Answer, LandError> {
        let (checkout, intended) = (&self.checkouts[at], self.intended);
        let held = match CheckoutMove::begin(self.site.repository(), checkout)? {
            Ok(held) => held,
            Err(way) => return Ok(self.in_the_way(way)),
        };
        if held.branch()?.as_deref() != Some(&intended.onto) {
            return Ok(Answer::Absent);
        }
        let paths = self.site.repository().uncommitted(checkout, 8)?;
        if !paths.is_empty() {
            let what = "tracked files were changed meanwhile".to_owned();
            return Ok(self.in_the_way(InTheWay { checkout: checkout.clone(), what, paths }));
        }
        match held.could_go(intended.main_before, intended.main_after)? {
            Ok(()) => self.held[at] = Some(held),
            Err(way) => return Ok(self.in_the_way(way)),
        }
        Ok(Answer::Done)
    }

    fn in_the_way(&mut self, way: InTheWay) -> Answer {
        self.way = Some(way);
        Answer::No
    }

    fn push(&mut self) -> Result<Answer, LandError> {
        let Some(RemoteMain { name, main }) = &self.intended.remote else { return Ok(Answer::Done) };
        Ok(match self.site.repository().push(name, &self.intended.onto, *main, self.intended.main_after)? {
            Pushed::Yes => Answer::Done,
            Pushed::Elsewhere => Answer::Elsewhere,
            Pushed::Refused(why) => {
                self.said = why;
                Answer::No
            }
        })
    }

    fn lock_ref(&mut self) -> Result<Answer, LandError> {
        let (from, to, why) = (self.intended.main_before, self.intended.main_after, self.why());
        match self.site.repository().hold_ref(&self.intended.onto, (from, to), &why)? {
            Ok(held) => {
                self.held_ref = Some(held);
                Ok(Answer::Done)
            }
            Err(moved) => Ok(self.moved(moved)),
        }
    }

    fn move_ref(&mut self) -> Result<Answer, LandError> {
        let (from, to, why) = (self.intended.main_before, self.intended.main_after, self.why());
        let moved = match self.held_ref.take() {
            Some(held) => self.site.repository().move_held(held)?,
            None => self.site.repository().move_ref(&self.intended.onto, Some(from), Some(to), &why)?,
        };
        Ok(self.moved(moved))
    }

    fn why(&self) -> String {
        format!("baton land: {}", names(self.intended))
    }

    fn moved(&mut self, moved: Moved) -> Answer {
        match moved {
            Moved::Yes => {
                self.found = Some(self.intended.main_after);
                Answer::Done
            }
            Moved::Elsewhere(Some(found)) => {
                self.found = Some(found);
                Answer::Elsewhere
            }
            Moved::Elsewhere(None) => Answer::Gone,
        }
    }

    /// A checkout that came to the branch in the very moment in which it moved follows too.
    fn follow_late(&self) -> Result<(), LandError> {
        let (from, to) = (self.intended.main_before, self.intended.main_after);
        for checkout in checkouts_on(self.site, &self.intended.onto)?.into_iter().map(PathBuf::from) {
            if self.checkouts.contains(&checkout) {
                continue;
            }
            match CheckoutMove::begin(self.site.repository(), &checkout)? {
                Ok(held) if held.stands_at(from)? && held.could_go(from, to)?.is_ok() => held.go(from, to)?,
                Ok(held) if held.stands_at(to)? => {}
                _ => tracing::warn!(checkout = %checkout.display(), "it came to the branch just now, and stays behind"),
            }
        }
        Ok(())
    }

    /// A push whose answer nobody heard.
    fn ask_remote(&mut self) -> Result<Answer, LandError> {
        let (repository, to) = (self.site.repository(), self.intended.main_after);
        let Some(remote) = &self.intended.remote else { return Ok(Answer::HasNot) };
        let there = match repository.fetch(&remote.name, &self.intended.onto) {
            Ok(there) => there,
            Err(error) if error.kind() == GitErrorKind::Unreachable => {
                self.said = error.detail().to_owned();
                return Ok(Answer::CannotSay);
            }
            // There is no such remote any more.
            Err(error) if error.kind() == GitErrorKind::UnknownBase => None,
            Err(error) => return Err(error.into()),
        };
        let Some(there) = there else { return Ok(Answer::HasNot) };
        let has = repository.commit_of(&to.to_hex())?.is_some() && repository.is_ancestor(to, there)?;
        Ok(if has { Answer::Has } else { Answer::HasNot })
    }

    fn look_at_ref(&mut self) -> Result<Answer, LandError> {
        let (from, to, repository) = (self.intended.main_before, self.intended.main_after, self.site.repository());
        self.found = repository.reference(&self.intended.onto)?;
        Ok(Answer::At(match self.found {
            Some(main) if main == from => Standing::Before,
            Some(main) if main == to => Standing::After,
            Some(main) if repository.commit_of(&to.to_hex())?.is_some() && repository.is_ancestor(to, main)? => {
                Standing::Beyond
            }
            Some(_) => Standing::Elsewhere,
            None => Standing::Gone,
        }))
    }

    /// Locks a checkout of which nobody knows how far it came. `None`: it is held.
    fn claim(&mut self, at: usize) -> Result<Option<Answer>, LandError> {
        if self.held[at].is_some() {
            return Ok(None);
        }
        if !self.resumed || !self.checkouts[at].is_dir() {
            return Ok(Some(Answer::Absent));
        }
        let held = match CheckoutMove::begin(self.site.repository(), &self.checkouts[at])? {
            Ok(held) => held,
            Err(way) => return Ok(Some(self.in_the_way(way))),
        };
        if held.branch()?.as_deref() != Some(&self.intended.onto) {
            return Ok(Some(Answer::Absent));
        }
        self.held[at] = Some(held);
        Ok(None)
    }

    fn finish(&mut self, at: usize) -> Result<Answer, LandError> {
        let (from, to) = (self.intended.main_before, self.intended.main_after);
        if let Some(answer) = self.claim(at)? {
            return Ok(answer);
        }
        match &self.held[at] {
            Some(held) if !held.stands_at(to)? => match held.go_on(from, to)? {
                Ok(()) => Ok(Answer::Done),
                Err(way) => Ok(self.in_the_way(way)),
            },
            _ => Ok(Answer::Done),
        }
    }

    fn facts_of(&self, outcome: Outcome) -> Vec<Fact> {
        let (onto, expected, to) = (self.intended.onto.clone(), self.intended.main_before, self.intended.main_after);
        let remote = self.intended.remote.as_ref().map_or("the remote", |remote| remote.name.as_str());
        let why = match outcome {
            Outcome::Landed | Outcome::Parted => {
                return vec![Fact::Landed(Landed { main_after: to, found: self.resumed })];
            }
            Outcome::Forgotten(Why::Blocked(_)) => {
                self.way.as_ref().map_or(String::new(), |way| format!("{}: {}", way.checkout.display(), way.what))
            }
            Outcome::Forgotten(Why::RemoteMoved) => format!("somebody else has moved it on {remote}"),
            Outcome::Forgotten(Why::RemoteRefused) => format!("{remote} does not take it: {}", self.said),
            Outcome::Forgotten(Why::Foreign) | Outcome::Foreign => "somebody else has moved it".to_owned(),
            Outcome::Forgotten(Why::Gone) => "somebody has deleted it".to_owned(),
            Outcome::Forgotten(Why::Killed) => "the process was killed before it moved".to_owned(),
        };
        let main = self.found.unwrap_or(expected);
        let mut facts = vec![Fact::Forgotten(Forgotten { main_after: to, main, why })];
        if outcome == Outcome::Forgotten(Why::Foreign) {
            facts.push(Fact::MainAdopted(MainAdopted { onto, expected, found: main }));
        }
        facts
    }

    fn way(self) -> InTheWay {
        self.way.expect("whoever says that a checkout is in the way says why")
    }

    /// Why the session cannot go on.
    fn trouble(self, outcome: Option<Outcome>) -> LandError {
        let Intended { onto, main_before: from, main_after: to, remote, .. } = self.intended;
        let name = remote.as_ref().map_or("the remote", |remote| remote.name.as_str());
        let (what, cure) = match (outcome, self.way) {
            (Some(Outcome::Forgotten(Why::RemoteRefused)), _) => {
                let cure = "where it is protected, land on another branch: --onto NAME --remote … --pr";
                (format!("{name} does not take it: {}", self.said), cure.to_owned())
            }
            (Some(Outcome::Parted), _) => {
                let found = self.found.map_or("nowhere".to_owned(), |found| found.to_hex());
                let what = format!("it is on {name}, but {onto} here was moved to {found} in the same moment");
                (what, format!("join the two: git merge {to}"))
            }
            (Some(_), _) => {
                let what = format!("{onto} has been deleted while it was landed on");
                (what, format!("restore it: git branch NAME {from}"))
            }
            (None, Some(way)) => {
                let what = format!("{} did not follow {onto}: {}", way.checkout.display(), way.what);
                let cure = match way.paths.as_slice() {
                    [] => "end what is at work there, and try again".to_owned(),
                    paths => format!("there, keep what is yours of {}, then `git reset --hard`", paths.join(", ")),
                };
                (what, cure)
            }
            (None, None) => {
                let what =
                    format!("a session was killed while it pushed to {name}, which does not answer: {}", self.said);
                (what, "try again when it can be reached: only it knows whether that has landed".to_owned())
            }
        };
        LandError::Busy(what, cure)
    }
}

/// A checkout cannot follow: nothing has moved.
pub(crate) fn blocked(way: &InTheWay) -> LandError {
    let what = format!("the checkout {} cannot follow main: {}", way.checkout.display(), way.what);
    LandError::Busy(what, "move what is in the way, and try again: what is tried stays known".to_owned())
}

/// Takes the branch to where a remote has it, if it has nothing that the remote has not.
pub(crate) fn follow_remote(
    site: &Site,
    scratch: Option<&Scratch<'_>>,
    intended: &Intended,
    main: Oid,
) -> Result<Came, LandError> {
    let name = intended.remote.as_ref().map_or("", |remote| remote.name.as_str());
    let Some(found) = site.repository().fetch(name, &intended.onto)? else {
        return Err(LandError::Busy(format!("{name} has no {} any more", intended.onto), "push it again".to_owned()));
    };
    if found == main || site.repository().is_ancestor(found, main)? {
        return Ok(Came::Adopted(main));
    }
    if !site.repository().is_ancestor(main, found)? {
        let what = format!("{} here and on {name} have parted", intended.onto);
        return Err(LandError::Busy(what, format!("join them first: git merge {found}")));
    }
    let tree = site.repository().tree_of(found)?;
    let along =
        Intended { main_before: main, main_after: found, tree, changes: Vec::new(), remote: None, ..intended.clone() };
    let adopted = MainAdopted { onto: intended.onto.clone(), expected: main, found };
    match begin(site, scratch, &along, vec![Fact::MainAdopted(adopted)])? {
        Came::Done => Ok(Came::Adopted(found)),
        other => Ok(other),
    }
}

/// Checkouts that are on a branch now.
fn checkouts_on(site: &Site, onto: &str) -> Result<Vec<String>, LandError> {
    let worktrees = site.repository().worktrees()?.into_iter();
    let on = worktrees.filter(|worktree| worktree.branch.as_deref() == Some(onto));
    Ok(on.filter_map(|worktree| worktree.path.to_str().map(str::to_owned)).collect())
}

fn names(intended: &Intended) -> String {
    let names: Vec<&str> = intended.changes.iter().map(|lands| lands.name.as_str()).collect();
    if names.is_empty() { "follows".to_owned() } else { names.join(", ") }
}
