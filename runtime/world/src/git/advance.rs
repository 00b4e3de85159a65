//! Main moves: by compare-and-swap, under the fences that its mover knows, alone or together with what it moves to.
//!
//! Together is the quicker way, and leaves nothing behind where it is refused: with both refs locked and compared, pack,
//! index and new ref are written aside, and one frame of the redo log makes the landing durable; then the index gets its name, and
//! after that main moves. What is too large for the log is synced file by file in the same order. Sets main, knows
//! nothing of how a landing is made.

use super::error::GitError;
use super::merge;
use super::object::Objects;
use super::packs::Coming;
use super::redo::Landed;
use super::refs::{FENCES, Locked, MAIN, RefMoved};
use super::{Durability, Group, Landing, Repository, disk, hold};
use baton_record::Oid;
use std::path::{Path, PathBuf};

/// A commit that main goes over, and whether the step to it only adds files and changes the content of files.
pub(super) type Step = (Oid, bool);

impl Repository {
    /// Moves main from `expected` to `new`, a stored commit, if and only if main and the fences ref have these values
    /// (`fences: None`: there is none). Otherwise says which has another, and changes nothing.
    pub fn move_main(&self, expected: Oid, new: Oid, fences: Option<Oid>) -> Result<Result<(), RefMoved>, GitError> {
        let trees = (self.commit(expected)?.tree, self.commit(new)?.tree);
        let only_adds = merge::only_adds(self, None, trees)?;
        self.advance((expected, new), fences, &Objects::default(), &[(new, only_adds)])
    }

    /// Stores all of a landing and moves main to it, if and only if main is `main`, the one that it was made for, and the
    /// fences ref has this value. Otherwise says which has another, and changes nothing. On return it is durable where
    /// that is promised.
    pub fn land(&self, main: Oid, landing: &Landing, fences: Option<Oid>) -> Result<Result<(), RefMoved>, GitError> {
        let trees = (self.commit(main)?.tree, landing.tree);
        let only_adds = merge::only_adds(self, Some(&landing.objects), trees)?;
        self.advance((main, landing.commit), fences, &landing.objects, &[(landing.commit, only_adds)])
    }

    /// Stores all of a group as one pack and moves main to its head, on the terms of [`Repository::land`].
    pub fn land_group(&self, group: &Group, fences: Option<Oid>) -> Result<Result<(), RefMoved>, GitError> {
        self.advance((group.main(), group.head()), fences, group.objects(), group.steps())
    }

    fn advance(
        &self,
        (expected, new): (Oid, Oid),
        fences: Option<Oid>,
        objects: &Objects,
        steps: &[Step],
    ) -> Result<Result<(), RefMoved>, GitError> {
        let _only_one = self.moving();
        let fences_lock = self.refs.hold(FENCES)?;
        let mut main_lock = self.refs.lock(MAIN)?;
        for refusal in [fences_lock.verify(fences)?, main_lock.verify(Some(expected))?] {
            if refusal.is_err() {
                return Ok(refusal);
            }
        }
        let coming = hold(&self.packs).begin(objects)?;
        main_lock.write(new)?;
        self.make_durable(coming, main_lock, (expected, new))?;
        self.remember_all(objects);
        let (mut lineage, mut before) = (hold(&self.lineage), expected);
        for (after, only_adds) in steps {
            lineage.step(before, *after, *only_adds);
            before = *after;
        }
        Ok(Ok(()))
    }

    /// Lets a pack and main's new value be seen, in this order, as durably as is promised: by a frame of the redo log, or
    /// file by file where that has no room.
    fn make_durable(&self, coming: Option<Coming>, main: Locked<'_>, way: (Oid, Oid)) -> Result<(), GitError> {
        if self.durability == Durability::Durable {
            let mut redo = hold(&self.redo);
            if redo.vouch(&Landed { main: way, pack: coming.as_ref().map(Coming::bytes) })? {
                // If it fails, the log has a landing that is not one yet: only the next owner can go on.
                let owed = self.show_vouched(coming, main).inspect_err(|_| redo.break_off())?;
                redo.owe(owed);
                return Ok(());
            }
            redo.checkpoint()?;
            let mut paths: Vec<&Path> = coming.iter().flat_map(|coming| coming.paths()).collect();
            paths.push(main.path());
            disk::sync_all(&paths)?;
        }
        if let Some(coming) = coming {
            hold(&self.packs).finish(coming)?;
        }
        main.put(self.durability)
    }

    fn show_vouched(&self, coming: Option<Coming>, main: Locked<'_>) -> Result<Vec<PathBuf>, GitError> {
        let mut owed = Vec::new();
        if let Some(coming) = coming {
            owed.extend(hold(&self.packs).finish_vouched(coming)?);
        }
        main.put(Durability::Buffered)?;
        Ok(owed)
    }
}
