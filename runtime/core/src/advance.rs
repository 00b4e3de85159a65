//! The way of main to a new commit: which write comes next, what each answer leads to, and what a later start does about a
//! way whose end nobody saw.
//!
//! An *intention* is durable before anything moves and has one outcome. In between stand, as far as a landing has them:
//! checkouts and the ref that are held, then a push, then the checkouts' files, then the ref. Files go before the ref: so whoever
//! finds a checkout half way after a kill, unlocks it and commits takes nothing back that main has. And the ref is held before
//! them: a commit that began before they were locked, and reads an index that has gone ahead, does not come to main. A later start knows the
//! intention and nothing else; it looks at the remote and at the ref, and finishes, forgets, or finds somebody else's doing.
//!
//! Knows no commit, path, text or clock: it is asked for the next step and told what came of it. Every step may be carried
//! out again after a kill; none is repeated by itself.

/// What a landing has to do with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where new objects lie before the ref moves.
    pub objects: Objects,
    /// So many checkouts are on the ref and have to follow it.
    pub checkouts: u32,
    /// Whether a remote's ref moves first.
    pub remote: bool,
    /// What a ref leads to that somebody else has moved.
    pub foreign: Foreign,
}

/// When objects are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objects {
    /// Durably before the intention is written.
    Before,
    /// In the same step as the ref, and not without it.
    WithRef,
}

/// What somebody else's move of the ref means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// It stays, the intention is forgotten, and what wanted to land begins anew on it.
    Adopt,
    /// It stays, and nothing lands any more.
    Stop,
}

/// What is to be done next. Whoever does it answers with [`Advance::learn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Store the new objects durably. `Done`.
    KeepObjects,
    /// Write the intention down durably. `Done`.
    WriteIntention,
    /// Lock this checkout; see that it is clean and can follow. `Done`, `Absent`: it is on another branch by now, or `No`.
    Hold(u32),
    /// Lock the ref where it is: from now on nobody else moves it. `Done`, `Elsewhere`, `Gone`.
    LockRef,
    /// Move the remote's ref by compare-and-swap. `Done`, `Elsewhere`, or `No`: the remote does not take it.
    Push,
    /// Take files and index of a held checkout along; the lock stays. `Done`, or `No`: it cannot follow any more.
    Move(u32),
    /// Move the ref by compare-and-swap, with the objects where they come with it. `Done`, `Elsewhere`, `Gone`.
    MoveRef,
    /// Unlock the ref and every checkout that is held. `Done`. It comes before an outcome: no lock stays that nothing tells of.
    LetGo,
    /// Take checkouts along that came to the ref meanwhile. `Done`.
    FollowLate,
    /// See whether the remote's ref is, or has in its history, what was intended. `Has`, `HasNot`, `CannotSay`.
    AskRemote,
    /// See where the ref is. `At`.
    LookAtRef,
    /// Lock a checkout of which nobody knows how far it came, and take it to what was intended. `Done`, `Absent`, or `No`.
    Finish(u32),
    /// Lock a checkout, unless it is held, and take it back to where it was, as far as it came by us. `Done`, `Absent`, or `No`.
    Return(u32),
    /// Lock a checkout and leave it as it is. `Done`, `Absent`, or `No`.
    Claim(u32),
    /// Write down durably what came of the intention. `Done`.
    Write(Outcome),
    /// Nothing. `None`: what came of the intention is left to a later start.
    End(Option<Outcome>),
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// What it was about is not there any more.
    Absent,
    /// It cannot be done, and nothing has changed.
    No,
    /// Somebody else has moved the ref; nothing has changed.
    Elsewhere,
    /// Somebody has deleted the ref; nothing has changed.
    Gone,
    /// The ref was found there.
    At(Standing),
    /// The remote has it.
    Has,
    /// The remote has it not.
    HasNot,
    /// The remote does not answer.
    CannotSay,
}

/// Where a ref is, seen from an intention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Where it was to go from.
    Before,
    /// Where it was to go.
    After,
    /// At a commit that has where it was to go in its history.
    Beyond,
    /// At any other.
    Elsewhere,
    /// Nowhere: there is no such ref.
    Gone,
}

/// What came of an intention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The ref has gone there.
    Landed,
    /// The remote's has; the one here was moved by somebody else.
    Parted,
    /// The ref has not gone there, and will not for this intention.
    Forgotten(Why),
    /// Somebody else has moved the ref, and that ends everything.
    Foreign,
}

/// Why an intention is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// This checkout cannot follow.
    Blocked(u32),
    /// Somebody else has moved the remote's ref.
    RemoteMoved,
    /// The remote does not take it.
    RemoteRefused,
    /// Somebody else has moved the ref.
    Foreign,
    /// Somebody has deleted the ref.
    Gone,
    /// The process was killed before the ref moved.
    Killed,
}

/// The way of one intention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advance {
    plan: Plan,
    step: Step,
    /// Whether the remote's ref has moved.
    pushed: bool,
    /// Checkouts that may have moved: those below this number.
    moved: u32,
    /// What is written when checkouts are where they belong.
    coming: Option<Outcome>,
}

impl Advance {
    /// A way from its beginning: nothing is written yet.
    pub fn begin(plan: Plan) -> Advance {
        let step = match plan.objects {
            Objects::Before => Step::KeepObjects,
            Objects::WithRef => Step::WriteIntention,
        };
        Advance { plan, step, pushed: false, moved: 0, coming: None }
    }

    /// A way whose intention is durable and has no outcome: whoever went it is dead.
    pub fn resume(plan: Plan) -> Advance {
        let step = if plan.remote { Step::AskRemote } else { Step::LookAtRef };
        Advance { plan, step, pushed: false, moved: plan.checkouts, coming: None }
    }

    /// What is to be done next.
    pub fn step(&self) -> Step {
        self.step
    }

    /// Takes in what came of the step.
    pub fn learn(&mut self, answer: Answer) {
        self.step = match (self.step, answer) {
            (Step::KeepObjects, Answer::Done) => Step::WriteIntention,
            (Step::WriteIntention, Answer::Done) => self.hold(0),
            (Step::Hold(at), Answer::Done | Answer::Absent) => self.hold(at + 1),
            (Step::Hold(at), Answer::No) => self.close(Outcome::Forgotten(Why::Blocked(at))),
            (Step::LockRef, Answer::Done) if self.plan.remote => Step::Push,
            (Step::LockRef, Answer::Done) => self.move_from(0),
            (Step::LockRef, Answer::Elsewhere) => self.close(self.elsewhere(Why::Foreign)),
            (Step::LockRef, Answer::Gone) => self.close(self.elsewhere(Why::Gone)),
            (Step::Push, Answer::Done) => {
                self.pushed = true;
                self.go(0)
            }
            (Step::Push, Answer::Elsewhere) => self.close(Outcome::Forgotten(Why::RemoteMoved)),
            (Step::Push, Answer::No) => self.close(Outcome::Forgotten(Why::RemoteRefused)),
            (Step::Move(at), Answer::Done) => self.go(at + 1),
            // The remote is there already: whoever comes later has to get this checkout there too.
            (Step::Move(_), Answer::No) if self.pushed => Step::End(None),
            (Step::Move(at), Answer::No) => {
                self.moved = at + 1;
                self.put_back(Outcome::Forgotten(Why::Blocked(at)))
            }
            (Step::MoveRef, Answer::Done) => self.close(Outcome::Landed),
            (Step::MoveRef, Answer::Elsewhere) => self.put_back(self.elsewhere(Why::Foreign)),
            (Step::MoveRef, Answer::Gone) => self.put_back(self.elsewhere(Why::Gone)),
            (Step::LetGo | Step::FollowLate, Answer::Done) => self.after(self.step),
            (Step::AskRemote, Answer::Has) => {
                self.pushed = true;
                Step::LookAtRef
            }
            (Step::AskRemote, Answer::HasNot) => Step::LookAtRef,
            (Step::AskRemote, Answer::CannotSay) => Step::End(None),
            (Step::LookAtRef, Answer::At(standing)) => self.decide(standing),
            (Step::Finish(at), Answer::Done | Answer::Absent) => self.finish(at + 1),
            (Step::Return(at), Answer::Done | Answer::Absent) => self.back(at + 1),
            (Step::Claim(at), Answer::Done | Answer::Absent) => self.claim(at + 1),
            (Step::Finish(_) | Step::Return(_) | Step::Claim(_), Answer::No) => Step::End(None),
            (Step::Write(outcome), Answer::Done) => Step::End(Some(outcome)),
            (step, answer) => unreachable!("{answer:?} is no answer to {step:?}"),
        };
    }

    fn hold(&self, at: u32) -> Step {
        match () {
            () if at < self.plan.checkouts => Step::Hold(at),
            // Where nothing comes between, the ref is compared and moved at once.
            () if self.plan.checkouts > 0 || self.plan.remote => Step::LockRef,
            () => self.move_from(0),
        }
    }

    fn go(&mut self, at: u32) -> Step {
        self.moved = at;
        self.move_from(at)
    }

    fn move_from(&self, at: u32) -> Step {
        if at < self.plan.checkouts { Step::Move(at) } else { Step::MoveRef }
    }

    /// What a ref elsewhere means.
    fn elsewhere(&self, why: Why) -> Outcome {
        match self.plan.foreign {
            Foreign::Stop => Outcome::Foreign,
            Foreign::Adopt if self.pushed => Outcome::Parted,
            Foreign::Adopt => Outcome::Forgotten(why),
        }
    }

    /// The decision about a way whose end nobody saw.
    fn decide(&mut self, standing: Standing) -> Step {
        match (standing, self.plan.foreign) {
            (Standing::Before, _) if self.pushed => self.finish(0),
            (Standing::Before, _) => self.put_back(Outcome::Forgotten(Why::Killed)),
            (Standing::After, _) => {
                self.coming = Some(Outcome::Landed);
                self.finish(0)
            }
            // Whatever lies in the checkouts since is somebody's work on top of it.
            (Standing::Beyond, Foreign::Adopt) => {
                self.coming = Some(Outcome::Landed);
                self.claim(0)
            }
            (Standing::Beyond | Standing::Elsewhere, _) => self.put_back(self.elsewhere(Why::Foreign)),
            (Standing::Gone, _) => self.put_back(self.elsewhere(Why::Gone)),
        }
    }

    fn finish(&mut self, at: u32) -> Step {
        match self.coming {
            _ if at < self.plan.checkouts => Step::Finish(at),
            Some(outcome) => self.close(outcome),
            None => Step::MoveRef,
        }
    }

    fn put_back(&mut self, outcome: Outcome) -> Step {
        self.coming = Some(outcome);
        self.back(0)
    }

    fn back(&mut self, at: u32) -> Step {
        if at < self.moved { Step::Return(at) } else { self.close(self.decided()) }
    }

    fn claim(&mut self, at: u32) -> Step {
        if at < self.plan.checkouts { Step::Claim(at) } else { self.close(self.decided()) }
    }

    fn decided(&self) -> Outcome {
        self.coming.expect("checkouts are put right for an outcome that is decided")
    }

    /// Nothing is left to be done but to let go and to write down what came of it.
    fn close(&mut self, outcome: Outcome) -> Step {
        self.coming = Some(outcome);
        if self.plan.checkouts > 0 || self.plan.remote { Step::LetGo } else { self.after(Step::LetGo) }
    }

    fn after(&self, step: Step) -> Step {
        let may_have_come = self.plan.objects == Objects::Before;
        match (step, self.decided()) {
            (Step::LetGo, Outcome::Landed) if may_have_come => Step::FollowLate,
            (_, outcome) => Step::Write(outcome),
        }
    }
}
