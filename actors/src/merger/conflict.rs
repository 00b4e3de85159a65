//! What a lane is told whose change does not merge: the conflict report, put into the content store before the refusal that
//! names it is written down.
//!
//! Made of what the merger knows of main. Deliberately does not know what the lane makes of it.

use super::Merger;
use super::prepare::{Try, Verdict};
use crate::failure::Failure;
use baton_packets::conflict::{ConflictHunk, ConflictPath, ConflictPlace, ConflictReport, LandedFirst, SHOWN_MAX};
use baton_record::event::{ChangeSubmitted, RefuseReason};
use baton_record::{ChangeId, LaneId};
use baton_world::git::{Conflict, Hunk};
use std::sync::Arc;

impl Try {
    /// Main and the change do not merge, at these paths.
    pub(super) fn conflict(&self, paths: Vec<String>, conflicts: &[Conflict]) -> Result<Verdict, Failure> {
        let report = self.report(&paths, conflicts).write();
        let digest = self.ground.content.put(&report).map_err(Failure::Content)?;
        Ok(Verdict::Refuse { reason: RefuseReason::Conflict, paths, report: Some(digest) })
    }

    fn report(&self, paths: &[String], conflicts: &[Conflict]) -> ConflictReport {
        let change = self.submission.change();
        let mut room = SHOWN_MAX;
        ConflictReport {
            v: baton_packets::FORMAT,
            run: self.ground.team.run.clone(),
            task: change.task().to_string(),
            change: change.to_string(),
            lane: self.name_of(self.author),
            packet: self.submission.submitted.packet.clone(),
            base: self.submission.submitted.base.to_hex(),
            main: self.head.to_hex(),
            paths: paths.iter().map(|path| self.met_at(path)).collect(),
            conflicts: conflicts.iter().map(|conflict| place(conflict, &mut room)).collect(),
        }
    }

    /// Who has moved a path on main since the change's base.
    fn met_at(&self, path: &str) -> ConflictPath {
        let first = |(change, lane): (ChangeId, LaneId)| LandedFirst {
            change: change.to_string(),
            task: change.task().to_string(),
            lane: self.name_of(lane),
            packet: self.packets.get(&change).cloned(),
        };
        let landed = self.authorship.moved_since(path, self.base_at.unwrap_or_default());
        ConflictPath { path: path.to_owned(), landed: landed.map(first).collect() }
    }

    fn name_of(&self, lane: LaneId) -> String {
        self.ground.directory.roster().spec(lane).name.clone()
    }
}

/// A conflict as far as there is room for its lines.
fn place(conflict: &Conflict, room: &mut usize) -> ConflictPlace {
    let mut place =
        ConflictPlace { path: conflict.path.clone(), kind: conflict.kind.clone(), hunks: Vec::new(), cut: 0 };
    for hunk in &conflict.hunks {
        let bytes = hunk.ours.iter().chain(&hunk.theirs).map(|line| line.len() + 1).sum();
        match room.checked_sub(bytes) {
            Some(rest) => {
                *room = rest;
                place.hunks.push(shown(hunk));
            }
            None => place.cut += 1,
        }
    }
    place
}

fn shown(hunk: &Hunk) -> ConflictHunk {
    ConflictHunk { line: hunk.line, main: hunk.ours.clone(), change: hunk.theirs.clone() }
}

impl Merger {
    /// Remembers which packet a change was made from.
    pub(super) fn note_packet(&mut self, submitted: &ChangeSubmitted) {
        if let Some(packet) = &submitted.packet {
            Arc::make_mut(&mut self.packets).insert(submitted.change, packet.clone());
        }
    }
}
