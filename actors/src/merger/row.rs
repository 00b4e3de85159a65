//! A row: changes that are tried one on top of the other and land with one move of main.
//!
//! Owns what is known of a row while it is under way, and how far it may go. Deliberately does not know the journal, nor
//! who is told what; [`super::landing`] does.

use super::authorship::Authorship;
use super::prepare::{Footing, Ready, Try, Verdict};
use crate::failure::Failure;
use crate::ground::Ground;
use baton_core::advance::{Advance, Foreign, Objects, Plan};
use baton_core::batch::{Batch, Finding, Stride};
use baton_record::{ChangeId, Oid};
use baton_world::git::{CleanMerge, CommitMeta, GitError, Group, Proposal, Repository};
use std::sync::Arc;

/// What a landing of a team has to do with: nobody has main checked out, and a foreign push ends everything.
pub(super) const PLAN: Plan = Plan { objects: Objects::WithRef, checkouts: 0, remote: false, foreign: Foreign::Stop };

/// What the merger is at.
#[derive(Debug)]
pub(super) enum Current {
    /// These are being merged, each on top of those before it.
    Trying(Vec<ChangeId>),
    /// What waits is tried again when the desk is free.
    PutBack,
    /// Gates speak about every tree that main would have.
    Gating(Row),
    /// All gates are green; the row waits for the desk, or for the end of a pause.
    Green(Row),
    /// The intention is written, or main is being moved.
    Moving(Passage),
}

/// A row on its way to main.
#[derive(Debug)]
pub(super) struct Passage {
    pub(super) row: Row,
    pub(super) way: Advance,
    /// The fences under which it may land.
    pub(super) fences: Option<Oid>,
    /// What stood where it was to go: somebody else's.
    pub(super) found: Option<Oid>,
}

impl Passage {
    /// Nothing is written yet.
    pub(super) fn begin(row: Row, fences: Option<Oid>) -> Passage {
        Passage { row, way: Advance::begin(PLAN), fences, found: None }
    }
}

/// Changes that have been merged one on top of the other.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) members: Vec<Member>,
    batch: Batch,
    /// How many there were at first.
    begun: u32,
    /// The landings of exactly these members; `None`: some have left, and it is to be made again.
    group: Option<Group>,
    /// The change behind the last member, and the gate that is red on top of all of them.
    pub(super) culprit: Option<(ChangeId, String)>,
}

/// A change of a row.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) change: ChangeId,
    pub(super) proposal: Arc<Proposal>,
    pub(super) ready: Box<Ready>,
    /// This many gates have spoken about its tree.
    pub(super) spoken: usize,
}

/// What came of a row's gates.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Gated {
    /// Not all of them have spoken that matter.
    NotYet,
    /// What is left of the row may land.
    Green,
    /// Its first change does not pass, at this gate.
    Red(ChangeId, String),
}

impl Row {
    fn new(members: Vec<Member>, group: Group) -> Row {
        let begun = members.len() as u32;
        // Main has passed its gates, or was there before them.
        let batch = Batch::new(begun, Stride::Each, true);
        Row { members, batch, begun, group: Some(group), culprit: None }
    }

    /// Places of the members whose trees are to be gated now: all at once, for each is a tree of its own.
    pub(super) fn to_be_gated(&self) -> Vec<usize> {
        self.batch.wanted(u32::MAX).into_iter().map(|prefix| prefix as usize - 1).collect()
    }

    /// All gates have passed the tree of the member at this place.
    pub(super) fn pass(&mut self, at: usize) {
        self.batch.learn(at as u32 + 1, true);
    }

    /// A gate has refused the tree of the member at this place: whatever stands on top of it is tried another time.
    pub(super) fn fail(&mut self, at: usize, gate: String) {
        self.batch.learn(at as u32 + 1, false);
        self.culprit = Some((self.members[at].change, gate));
        self.truncate(at);
    }

    /// The member at this place leaves, and with it all that were merged on top of it.
    pub(super) fn cut(&mut self, at: usize) {
        self.batch.cut(at as u32);
        self.culprit = None;
        self.truncate(at);
    }

    fn truncate(&mut self, at: usize) {
        self.members.truncate(at);
        self.group = None;
    }

    /// What is known by now.
    pub(super) fn gated(&mut self) -> Gated {
        match (self.batch.finding(), self.members.is_empty()) {
            (None, _) => Gated::NotYet,
            (Some(Finding::Green | Finding::Red { .. }), false) => Gated::Green,
            (Some(_), true) => {
                let (change, gate) = self.culprit.take().expect("a row without members is one whose first is red");
                Gated::Red(change, gate)
            }
            (Some(Finding::MainRed), false) => unreachable!("main is known to pass"),
        }
    }

    /// Where a change stands in the row.
    pub(super) fn place_of(&self, change: ChangeId) -> Option<usize> {
        self.members.iter().position(|member| member.change == change)
    }

    /// How many changes it had at first, and whether nobody was red.
    pub(super) fn went(&self) -> (u32, bool) {
        (self.begun, self.culprit.is_none())
    }

    /// The way that main goes, commit by commit.
    pub(super) fn steps(&self) -> impl Iterator<Item = (ChangeId, (Oid, Oid))> {
        self.members.iter().map(|member| (member.change, (member.ready.main, member.ready.landing.commit)))
    }

    /// What is to be stored and landed.
    pub(super) fn load(&mut self) -> Load {
        match self.group.take() {
            Some(group) => Load::Whole(group),
            None => Load::Again(self.members.iter().map(Member::ingredients).collect()),
        }
    }
}

impl Member {
    fn new((change, proposal): (ChangeId, Arc<Proposal>), ready: Box<Ready>) -> Member {
        Member { change, proposal, ready, spoken: 0 }
    }

    fn ingredients(&self) -> Ingredients {
        let Ready { clean, meta, landing, main, .. } = &*self.ready;
        let (proposal, clean, meta) = (self.proposal.clone(), clean.clone(), meta.clone());
        Ingredients { proposal, clean, meta, step: (*main, landing.commit) }
    }
}

/// What the landings of a row are made of.
#[derive(Debug)]
pub(super) enum Load {
    /// They are made already.
    Whole(Group),
    /// They are made again, without those that have left.
    Again(Vec<Ingredients>),
}

/// What one landing is made of.
#[derive(Debug)]
pub(super) struct Ingredients {
    proposal: Arc<Proposal>,
    clean: CleanMerge,
    meta: CommitMeta,
    /// What it has to come to.
    step: (Oid, Oid),
}

impl Load {
    /// All that has to be stored, and the way that main goes.
    pub(super) fn group(self, repository: &Repository) -> Result<Group, GitError> {
        let members = match self {
            Load::Whole(group) => return Ok(group),
            Load::Again(members) => members,
        };
        let mut group = repository.group(members.first().expect("a row that lands has members").step.0)?;
        for Ingredients { proposal, clean, meta, step } in &members {
            let before = group.head();
            let after = repository.add_to(&mut group, proposal, clean, meta)?;
            assert_eq!((before, after), *step, "what lands is what was gated");
        }
        Ok(group)
    }
}

/// A row that is to be tried on main.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) ground: Ground,
    /// Where the merger left main, and who wrote what of it.
    pub(super) head: Oid,
    pub(super) authorship: Arc<Authorship>,
    /// In the order of the queue.
    pub(super) tries: Vec<Try>,
}

/// What a trial came to.
#[derive(Debug)]
pub(super) enum Tried {
    /// Main is not where the merger left it.
    Foreign { found: Option<Oid> },
    /// The repository or the content store cannot be read.
    Trouble(Failure),
    /// What can be said of those that are not in the row, and the row.
    Sorted { others: Vec<(ChangeId, Verdict)>, row: Box<Row> },
}

impl Trial {
    pub(super) fn run(self) -> Tried {
        self.look().unwrap_or_else(Tried::Trouble)
    }

    fn look(self) -> Result<Tried, Failure> {
        let repository = &*self.ground.repository;
        let found = repository.main().map_err(Failure::Repository)?;
        if found != Some(self.head) {
            return Ok(Tried::Foreign { found });
        }
        let main = Footing::main(&self.ground, self.head, self.authorship.clone()).map_err(Failure::Repository)?;
        let (mut footing, mut members, mut others) = (main.clone(), Vec::new(), Vec::new());
        for attempt in &self.tries {
            let change = attempt.submission.change();
            match attempt.run(&footing, &main)? {
                Verdict::Ready(mut ready) => {
                    footing.add(repository, (change, attempt.author), &mut ready).map_err(Failure::Repository)?;
                    members.push(Member::new((change, attempt.submission.proposal.clone()), ready));
                }
                verdict => others.push((change, verdict)),
            }
        }
        Ok(Tried::Sorted { others, row: Box::new(Row::new(members, footing.group)) })
    }
}
