//! What a lane is told of the change of its task that did not merge: it reads the conflict report before it begins, and links
//! it in every packet that it hands on, so that whoever judges or goes on sees what was to be reworked.
//!
//! Knows nothing of how the report came to be, nor whether the next change merges.

use super::Lane;
use crate::failure::Failure;
use crate::unmerged::Unmerged;
use baton_packets::read::CLAIM_MAX;
use baton_packets::{ConflictReport, Item, ItemState, Link, LinkKind, one_line};
use baton_record::ChangeId;

/// Paths that a claim names one by one.
const NAMED_MAX: usize = 4;

/// A refusal that an attempt answers.
#[derive(Debug)]
pub(super) struct Answers {
    /// The change that did not merge.
    pub(super) change: ChangeId,
    /// The link to its report.
    link: Link,
    /// Where, and with whose landings.
    place: String,
}

impl Lane {
    /// Reads why the newest change of the attempt's task did not merge.
    pub(super) fn read_report(&mut self, unmerged: &Unmerged) -> Result<(), Failure> {
        let Unmerged { change, report: digest } = unmerged;
        let bytes = self.ground.content.get(digest).map_err(Failure::Content)?;
        let report = bytes.as_deref().and_then(|bytes| ConflictReport::read(bytes).ok());
        let Some((bytes, report)) = bytes.zip(report) else {
            return Err(Failure::Broken(format!("the conflict report {digest} of {change} cannot be read any more")));
        };
        let (what, at, digest) = (baton_packets::conflict::LINK.to_owned(), String::new(), digest.clone());
        let link = Link { what, kind: LinkKind::Content, at, digest, bytes: Some(bytes.len() as u64) };
        let attempt = self.attempt.as_mut().expect("a report is read in an attempt");
        attempt.answers = Some(Answers { change: *change, link, place: place(&report) });
        Ok(())
    }

    /// The link to the report that the attempt answers, if it answers one.
    pub(super) fn link_to_report(&self) -> Option<Link> {
        self.answers().map(|answers| answers.link.clone())
    }

    /// What is claimed of it in a packet that has its link at this place.
    pub(super) fn claim_of_rework(&self, link: u32) -> Option<Item> {
        let Answers { change, place, .. } = self.answers()?;
        let claim = one_line(&format!("made anew behind {change}, which did not merge: {place}"), CLAIM_MAX);
        Some(Item { claim, state: ItemState::Done, evidence: vec![link] })
    }

    fn answers(&self) -> Option<&Answers> {
        self.attempt.as_ref().and_then(|attempt| attempt.answers.as_ref())
    }
}

/// Where a change did not merge, and with what.
fn place(report: &ConflictReport) -> String {
    let mut told: Vec<String> = Vec::new();
    for path in report.paths.iter().take(NAMED_MAX) {
        let first = path.landed.last().map(|first| format!(" with {} of {}", first.change, first.lane));
        told.push(format!("{}{}", path.path, first.unwrap_or_default()));
    }
    if report.paths.len() > NAMED_MAX {
        told.push(format!("{} paths more", report.paths.len() - NAMED_MAX));
    }
    told.join(", ")
}
