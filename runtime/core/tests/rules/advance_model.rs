//! A world of plain values in which main is moved: objects, a log, a ref, a remote, checkouts, and people who do what they
//! like with them. Knows what may never happen, and looks after every act.

use crate::advance_people::Act;
use baton_core::advance::{Advance, Answer, Foreign, Objects, Outcome, Plan, Standing, Step, Why};
use std::collections::{BTreeMap, BTreeSet};

/// A commit by its place in the list; 0 is the first.
pub(crate) type Commit = usize;

#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) parents: Vec<Commit>,
    /// The changes in its tree.
    pub(crate) content: BTreeSet<u32>,
    /// What it landed; `None`: somebody else made it.
    pub(crate) lands: Option<u32>,
    pub(crate) gated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Files {
    Are(Commit),
    /// Some are of the first, some of the second.
    Between(Commit, Commit),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lock {
    Free,
    Ours,
    /// Another git program's.
    Theirs,
}

#[derive(Clone, Debug)]
pub(crate) struct Checkout {
    pub(crate) on_main: bool,
    pub(crate) lock: Lock,
    pub(crate) index: Commit,
    pub(crate) files: Files,
    pub(crate) dirty: bool,
    /// Whether it came to main while somebody landed: nobody can hold what is not there yet.
    pub(crate) late: bool,
}

#[derive(Clone, Debug)]
enum Entry {
    Intended { from: Commit, to: Commit, checkouts: Vec<usize> },
    Came,
}

/// How far a step gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// To its end, and its answer is heard.
    Whole,
    /// The process is killed before it does anything.
    Before,
    /// It is killed on the way, where there is one.
    Half,
    /// It is killed before the answer is heard.
    After,
}

/// Where a checkout goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    On,
    OnAgain,
    Back,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) commits: Vec<Made>,
    pub(crate) stored: BTreeSet<Commit>,
    log: Vec<Entry>,
    pub(crate) main: Option<Commit>,
    pub(crate) remote: Option<Commit>,
    pub(crate) online: bool,
    pub(crate) checkouts: Vec<Checkout>,
    kind: Plan,
    alive: Option<Process>,
    changes: u32,
    /// Whether somebody else was the last to move main.
    pub(crate) foreign: bool,
    /// Whether somebody else has ever put main back, by a commit or by a reset.
    pub(crate) reset: bool,
    stopped: bool,
    /// Every value that main has had, and who brought it.
    pub(crate) outcomes: BTreeMap<&'static str, u32>,
}

/// Whoever lands: all of this is gone with it.
#[derive(Debug)]
struct Process {
    way: Advance,
    from: Commit,
    to: Commit,
    checkouts: Vec<usize>,
    held: BTreeSet<usize>,
    /// Whether it has the ref locked. Git unlocks it when the process dies.
    ref_held: bool,
    resumed: bool,
    change: u32,
}

impl World {
    pub(crate) fn new(kind: Plan, changes: u32) -> World {
        let base = Made { parents: Vec::new(), content: BTreeSet::new(), lands: None, gated: true };
        let checkout =
            Checkout { on_main: true, lock: Lock::Free, index: 0, files: Files::Are(0), dirty: false, late: false };
        World {
            commits: vec![base],
            stored: BTreeSet::from([0]),
            log: Vec::new(),
            main: Some(0),
            remote: kind.remote.then_some(0),
            online: true,
            checkouts: vec![checkout; kind.checkouts as usize],
            kind,
            alive: None,
            changes,
            foreign: false,
            reset: false,
            stopped: false,
            outcomes: BTreeMap::new(),
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.alive.is_none()
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Whether all changes are on main.
    pub(crate) fn is_done(&self) -> bool {
        self.next_change().is_none() && self.open().is_none()
    }

    fn next_change(&self) -> Option<u32> {
        let has = |change: &u32| self.main.is_some_and(|main| self.commits[main].content.contains(change));
        (0..self.changes).find(|change| !has(change))
    }

    fn open(&self) -> Option<(Commit, Commit, Vec<usize>)> {
        match self.log.last() {
            Some(Entry::Intended { from, to, checkouts }) => Some((*from, *to, checkouts.clone())),
            _ => None,
        }
    }

    /// Somebody starts the program: it looks after what was left, or lands the next change if it may.
    pub(crate) fn start(&mut self) {
        assert!(self.alive.is_none());
        if let Some((from, to, mut checkouts)) = self.open() {
            let locked = (0..self.checkouts.len()).filter(|at| self.checkouts[*at].lock == Lock::Ours);
            checkouts.extend(locked.filter(|at| !checkouts.contains(at)).collect::<Vec<_>>());
            let plan = Plan { checkouts: checkouts.len() as u32, ..self.kind };
            let change = self.commits[to].lands.unwrap_or(u32::MAX);
            let way = Advance::resume(plan);
            self.alive = Some(Process {
                way,
                from,
                to,
                checkouts,
                held: BTreeSet::new(),
                ref_held: false,
                resumed: true,
                change,
            });
            return;
        }
        assert!(
            self.checkouts.iter().all(|checkout| checkout.lock != Lock::Ours),
            "no lock of ours without an intention"
        );
        let Some(main) = self.main else { return };
        let checkouts: Vec<usize> = (0..self.checkouts.len()).filter(|at| self.checkouts[*at].on_main).collect();
        if self.kind.remote && self.remote != Some(main) && !self.level(main) {
            return;
        }
        let (Some(main), Some(change)) = (self.main, self.next_change()) else { return };
        if checkouts.iter().any(|at| !self.is_clean_at(*at, main)) {
            return;
        }
        let content = self.commits[main].content.iter().copied().chain([change]).collect();
        let to = self.commit(Made { parents: vec![main], content, lands: Some(change), gated: true });
        let way = Advance::begin(Plan { checkouts: checkouts.len() as u32, ..self.kind });
        let held = BTreeSet::new();
        self.alive = Some(Process { way, from: main, to, checkouts, held, ref_held: false, resumed: false, change });
    }

    /// Takes main to where the remote is, or the other way round; whether they are at one.
    fn level(&mut self, main: Commit) -> bool {
        let Some(remote) = self.remote.filter(|_| self.online) else { return false };
        if self.has(remote, main) {
            self.remote = Some(main);
        } else if self.has(main, remote) {
            self.foreign_main(Some(remote));
            (0..self.checkouts.len()).for_each(|at| self.act(Act::CleansUp(at)));
        } else {
            let content = self.commits[main].content.union(&self.commits[remote].content).copied().collect();
            let joined = self.commit(Made { parents: vec![main, remote], content, lands: None, gated: false });
            self.stored.insert(joined);
            self.foreign_main(Some(joined));
            self.remote = Some(joined);
            (0..self.checkouts.len()).for_each(|at| self.act(Act::CleansUp(at)));
        }
        true
    }

    pub(crate) fn commit(&mut self, made: Made) -> Commit {
        self.commits.push(made);
        self.commits.len() - 1
    }

    /// Whether `of` is `ancestor` or has it in its history.
    pub(crate) fn has(&self, ancestor: Commit, of: Commit) -> bool {
        ancestor == of || self.commits[of].parents.iter().any(|parent| self.has(ancestor, *parent))
    }

    fn is_clean_at(&self, at: usize, commit: Commit) -> bool {
        let checkout = &self.checkouts[at];
        checkout.index == commit && checkout.files == Files::Are(commit) && !checkout.dirty
    }

    /// Lets the process go one step, with this fate.
    pub(crate) fn go(&mut self, fate: Fate) {
        let Some(step) = self.alive.as_ref().map(|process| process.way.step()) else { return };
        if let Step::End(outcome) = step {
            return self.end(outcome);
        }
        if fate == Fate::Before {
            return self.kill();
        }
        let answer = self.carry_out(step, fate == Fate::Half);
        if fate == Fate::Whole {
            self.alive.as_mut().expect("it goes on").way.learn(answer);
        } else {
            self.kill();
        }
    }

    pub(crate) fn kill(&mut self) {
        self.alive = None;
    }

    fn end(&mut self, outcome: Option<Outcome>) {
        // As a process does that ends by itself.
        self.let_go();
        let process = self.alive.take().expect("it ends");
        let word = match (outcome, process.resumed) {
            (None, _) => "left to a later start",
            (Some(Outcome::Landed), false) => "landed",
            (Some(Outcome::Landed), true) => "finished",
            (Some(Outcome::Parted), _) => "parted",
            (Some(Outcome::Forgotten(Why::Killed)), _) => "forgotten after a kill",
            (Some(Outcome::Forgotten(_)), _) => "forgotten",
            (Some(Outcome::Foreign), _) => "stopped",
        };
        *self.outcomes.entry(word).or_default() += 1;
        self.stopped |= outcome == Some(Outcome::Foreign);
        if outcome.is_some() {
            assert!(self.open().is_none(), "an end has an outcome in the log");
        }
        if outcome == Some(Outcome::Landed) && self.main == Some(process.to) && !self.foreign {
            for &at in &process.checkouts {
                let checkout = &self.checkouts[at];
                let here = checkout.index == process.to && checkout.files == Files::Are(process.to);
                assert!(here || !checkout.on_main || checkout.late, "{at} was left behind: {self:?}");
            }
        }
    }

    fn carry_out(&mut self, step: Step, half: bool) -> Answer {
        let process = self.alive.as_ref().expect("somebody is at work");
        let (from, to, change) = (process.from, process.to, process.change);
        let place = |at: u32| process.checkouts[at as usize];
        match step {
            Step::KeepObjects => {
                self.stored.insert(to);
                Answer::Done
            }
            Step::WriteIntention => {
                assert!(self.kind.objects == Objects::WithRef || self.stored.contains(&to), "objects come first");
                assert!(self.open().is_none(), "one intention at a time");
                let checkouts = process.checkouts.clone();
                self.log.push(Entry::Intended { from, to, checkouts });
                Answer::Done
            }
            Step::Hold(at) => self.hold(place(at), from),
            Step::LockRef => self.lock_main(from),
            Step::Push => {
                assert!(self.kind.remote && self.open().is_some());
                match () {
                    () if self.remote != Some(from) => Answer::Elsewhere,
                    () if change % 5 == 4 && self.reset => Answer::No,
                    () => {
                        self.remote = Some(to);
                        Answer::Done
                    }
                }
            }
            Step::Move(at) => self.take(place(at), (from, to), half, Way::On),
            Step::Finish(at) => self.take(place(at), (from, to), half, Way::OnAgain),
            Step::Return(at) => self.take(place(at), (to, from), half, Way::Back),
            Step::Claim(at) => self.lock_again(place(at)).err().unwrap_or(Answer::Done),
            Step::LetGo => {
                self.let_go();
                Answer::Done
            }
            Step::MoveRef => self.move_main(from, to),
            Step::FollowLate => {
                for at in 0..self.checkouts.len() {
                    let checkout = &self.checkouts[at];
                    let known = self.alive.as_ref().is_some_and(|process| process.checkouts.contains(&at));
                    if !known && checkout.on_main && checkout.lock == Lock::Free && self.is_clean_at(at, from) {
                        (self.checkouts[at].index, self.checkouts[at].files) = (to, Files::Are(to));
                    }
                }
                Answer::Done
            }
            Step::AskRemote => match (self.online, self.remote) {
                (false, _) => Answer::CannotSay,
                (true, Some(there)) if self.has(to, there) => Answer::Has,
                (true, _) => Answer::HasNot,
            },
            Step::LookAtRef => Answer::At(match self.main {
                Some(main) if main == from => Standing::Before,
                Some(main) if main == to => Standing::After,
                Some(main) if self.has(to, main) => Standing::Beyond,
                Some(_) => Standing::Elsewhere,
                None => Standing::Gone,
            }),
            Step::Write(outcome) => {
                self.came(outcome, to);
                Answer::Done
            }
            Step::End(_) => unreachable!("an end is no step"),
        }
    }

    /// Whether nobody else can move main just now.
    pub(crate) fn main_is_held(&self) -> bool {
        self.alive.as_ref().is_some_and(|process| process.ref_held)
    }

    fn let_go(&mut self) {
        self.alive.as_mut().expect("somebody is at work").ref_held = false;
        for at in std::mem::take(&mut self.alive.as_mut().expect("somebody is at work").held) {
            assert_eq!(self.checkouts[at].lock, Lock::Ours, "what is held is locked");
            self.checkouts[at].lock = Lock::Free;
        }
    }

    fn came(&mut self, outcome: Outcome, to: Commit) {
        assert!(self.open().is_some(), "every intention has one outcome: {:?}", self.log);
        let has = |place: Option<Commit>| place.is_some_and(|place| self.has(to, place));
        match outcome {
            Outcome::Landed => assert!(has(self.main) || self.reset, "it is on main: {self:?}"),
            Outcome::Parted => assert!(has(self.remote) || self.reset, "it is on the remote: {self:?}"),
            Outcome::Forgotten(_) => {
                assert!(!has(self.main) && !has(self.remote), "what is there is not forgotten: {self:?}");
            }
            Outcome::Foreign => assert_eq!(self.kind.foreign, Foreign::Stop),
        }
        self.log.push(Entry::Came);
    }

    fn hold(&mut self, at: usize, from: Commit) -> Answer {
        match () {
            () if self.checkouts[at].lock != Lock::Free => return Answer::No,
            () if !self.checkouts[at].on_main => return Answer::Absent,
            () if !self.is_clean_at(at, from) => return Answer::No,
            () => {}
        }
        self.checkouts[at].lock = Lock::Ours;
        self.alive.as_mut().expect("it is at work").held.insert(at);
        Answer::Done
    }

    fn lock_again(&mut self, at: usize) -> Result<(), Answer> {
        match self.checkouts[at].lock {
            Lock::Theirs => return Err(Answer::No),
            Lock::Ours | Lock::Free => self.checkouts[at].lock = Lock::Ours,
        }
        self.alive.as_mut().expect("it is at work").held.insert(at);
        Ok(())
    }

    /// Takes a checkout from one commit to another: files first, then the index.
    fn take(&mut self, at: usize, (from, to): (Commit, Commit), half: bool, way: Way) -> Answer {
        if way != Way::On
            && let Err(answer) = self.lock_again(at)
        {
            return answer;
        }
        let held = self.alive.as_ref().is_some_and(|process| process.held.contains(&at));
        let checkout = &mut self.checkouts[at];
        if way == Way::On && (!held || checkout.lock != Lock::Ours) {
            // It was on another branch when it was to be held.
            return Answer::Done;
        }
        let ours = [Files::Are(from), Files::Are(to), Files::Between(from, to), Files::Between(to, from)];
        if !checkout.on_main && way != Way::On {
            return Answer::Absent;
        }
        // Taken back is only what came by us.
        if !ours.contains(&checkout.files) || ![from, to].contains(&checkout.index) {
            return if way == Way::Back { Answer::Done } else { Answer::No };
        }
        if checkout.dirty && checkout.files != Files::Are(to) {
            return Answer::No;
        }
        if half {
            if checkout.files != Files::Are(to) {
                checkout.files = Files::Between(from, to);
            }
            return Answer::Done;
        }
        (checkout.files, checkout.index) = (Files::Are(to), to);
        Answer::Done
    }

    fn lock_main(&mut self, from: Commit) -> Answer {
        match self.main {
            None => Answer::Gone,
            Some(main) if main != from => Answer::Elsewhere,
            Some(_) => {
                self.alive.as_mut().expect("it is at work").ref_held = true;
                Answer::Done
            }
        }
    }

    fn move_main(&mut self, from: Commit, to: Commit) -> Answer {
        match self.main {
            None => return Answer::Gone,
            Some(main) if main != from => return Answer::Elsewhere,
            Some(_) => {}
        }
        if self.kind.objects == Objects::WithRef {
            self.stored.insert(to);
        }
        assert!(self.stored.contains(&to), "a ref never points to what is not stored");
        assert!(self.commits[to].gated, "main goes only where gates have passed");
        assert!(matches!(self.open(), Some((_, intended, _)) if intended == to), "and only where it was intended");
        assert!(!self.kind.remote || self.remote.is_some_and(|there| self.has(to, there)) || self.reset);
        (self.main, self.foreign) = (Some(to), false);
        self.alive.as_mut().expect("it is at work").ref_held = false;
        Answer::Done
    }

    pub(crate) fn foreign_main(&mut self, to: Option<Commit>) {
        (self.main, self.foreign) = (to, true);
    }

    /// What is true of the end: all is decided, every change was landed once, and no checkout is locked.
    pub(crate) fn must_be_sound(&self) {
        let intentions = self.log.iter().filter(|entry| matches!(entry, Entry::Intended { .. })).count();
        assert_eq!(self.log.len(), 2 * intentions, "every intention has one outcome: {:?}", self.log);
        assert!(self.checkouts.iter().all(|checkout| checkout.lock == Lock::Free), "no lock stays: {self:?}");
        let Some(main) = self.main else { return };
        for change in (0..self.changes).filter(|_| !self.reset) {
            let brought = (0..self.commits.len())
                .filter(|at| self.commits[*at].lands == Some(change) && self.has(*at, main))
                .count();
            assert!(brought <= 1, "{change} is on main {brought} times: {self:?}");
        }
    }
}
