//! People in a world in which main is moved: they commit, push, reset, edit, check out and clean up whenever they like. Knows
//! nothing of what is being landed, but for what their own commits must not take back.

use crate::advance_model::{Checkout, Commit, Files, Lock, Made, World};
use std::collections::BTreeSet;

/// What somebody does at any moment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    CommitsBeside,
    ResetsMain,
    PushesToTheRemote,
    CutsTheLine,
    MendsTheLine,
    DeletesMain,
    EditsIn(usize),
    CleansUp(usize),
    ChecksOutAnother(usize),
    ComesBack(usize),
    LocksIn(usize),
    /// Removes a lock that a killed process has left, adds everything and commits.
    CommitsIn(usize),
}

impl World {
    /// Somebody else does something.
    pub(crate) fn act(&mut self, act: Act) {
        let count = self.checkouts.len().max(1);
        let there = |at: usize| at % count;
        match act {
            Act::CommitsBeside | Act::ResetsMain | Act::DeletesMain if self.main_is_held() => {}
            Act::CommitsBeside => {
                if let Some(main) = self.main {
                    let new = self.foreign_commit(main);
                    self.foreign_main(Some(new));
                }
            }
            Act::ResetsMain => {
                if let Some(main) = self.main.filter(|main| *main != 0) {
                    self.reset = true;
                    self.foreign_main(Some(self.commits[main].parents[0]));
                }
            }
            Act::PushesToTheRemote => {
                if let Some(there) = self.remote {
                    self.remote = Some(self.foreign_commit(there));
                }
            }
            Act::CutsTheLine => self.online = false,
            Act::MendsTheLine => self.online = true,
            Act::DeletesMain => {
                self.reset = true;
                self.foreign_main(None);
            }
            _ if self.checkouts.is_empty() => {}
            Act::EditsIn(at) => self.checkouts[there(at)].dirty = true,
            Act::CleansUp(at) => self.clean_up(there(at)),
            Act::ChecksOutAnother(at) => {
                let at = there(at);
                if self.checkouts[at].lock == Lock::Free && !self.checkouts[at].dirty {
                    self.checkouts[at].on_main = false;
                }
            }
            Act::ComesBack(at) => {
                let (at, main) = (there(at), self.main);
                if let (Lock::Free, false, Some(main)) = (self.checkouts[at].lock, self.checkouts[at].on_main, main) {
                    let (lock, files, late) = (Lock::Free, Files::Are(main), !self.is_idle());
                    self.checkouts[at] = Checkout { on_main: true, lock, index: main, files, dirty: false, late };
                }
            }
            Act::LocksIn(at) => {
                let checkout = &mut self.checkouts[there(at)];
                if checkout.lock == Lock::Free {
                    checkout.lock = Lock::Theirs;
                }
            }
            Act::CommitsIn(at) => self.commit_in(there(at)),
        }
    }

    fn foreign_commit(&mut self, on: Commit) -> Commit {
        let content = self.commits[on].content.clone();
        let new = self.commit(Made { parents: vec![on], content, lands: None, gated: false });
        self.stored.insert(new);
        new
    }

    /// Somebody ends their git program there, and resets everything to main.
    fn clean_up(&mut self, at: usize) {
        let (main, held) = (self.main, self.checkouts[at].lock == Lock::Ours);
        let late = self.checkouts[at].late && !self.is_idle();
        let checkout = &mut self.checkouts[at];
        if held {
            return;
        }
        (checkout.lock, checkout.dirty, checkout.late) = (Lock::Free, false, late);
        if let (true, Some(main)) = (checkout.on_main, main) {
            (checkout.index, checkout.files) = (main, Files::Are(main));
        }
    }

    /// Whoever finds a lock of a process that is dead removes it; then everything there is committed.
    fn commit_in(&mut self, at: usize) {
        let (Some(main), true) = (self.main, self.checkouts[at].on_main) else { return };
        if !self.is_idle() || self.checkouts[at].lock == Lock::Theirs {
            return;
        }
        self.checkouts[at].lock = Lock::Free;
        let of = |commit: Commit| self.commits[commit].content.clone();
        let files: BTreeSet<u32> = match self.checkouts[at].files {
            Files::Are(commit) => of(commit),
            Files::Between(one, other) => of(one).intersection(&of(other)).copied().collect(),
        };
        for content in [of(self.checkouts[at].index), files.clone()] {
            let lost = of(main).difference(&content).count();
            assert!(
                lost == 0 || self.foreign || self.checkouts[at].late,
                "a commit in {at} takes a landing back: {self:?}"
            );
            self.reset |= lost > 0;
        }
        let new = self.commit(Made { parents: vec![main], content: files, lands: None, gated: false });
        self.stored.insert(new);
        self.foreign_main(Some(new));
        let checkout = &mut self.checkouts[at];
        (checkout.index, checkout.files, checkout.dirty, checkout.late) = (new, Files::Are(new), false, false);
    }
}
