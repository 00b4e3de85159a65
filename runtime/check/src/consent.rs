//! Owns what a person's yes is good for: exactly the change that lies in the packet that was asked about, byte by byte, and no
//! other.
//!
//! Reads packets and their changes with rules of its own. Deliberately does not know when questions may be asked.

use crate::approvals::{Approvals, Question};
use crate::changes::{Change, Changes};
use crate::line::hex;
use crate::packet_content;
use crate::packets::Packets;
use crate::report::Judgement;
use crate::repository::{Delta, Repository};
use crate::undo::TakenBack;
use baton_record::event::ApprovalSubject;
use baton_record::{ChangeId, Oid};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// By landed change: every yes that is about exactly it, in the order of the answers.
#[derive(Default)]
pub(crate) struct Consent<'a> {
    fitting: BTreeMap<ChangeId, Vec<&'a Question>>,
    pub(crate) hand_1: Judgement,
}

impl<'a> Consent<'a> {
    /// Compares every landed change of a task that people were asked about with what they were shown.
    pub(crate) fn of(
        landed: &[ChangeId],
        (approvals, packets, changes): (&'a Approvals, &Packets, &Changes),
        (content, repository): (&Path, &Repository),
    ) -> Result<Consent<'a>, String> {
        let mut consent = Consent::default();
        for question in &approvals.questions {
            let shown = shown(question, packets, content);
            let fits = shown.as_ref().is_ok_and(|shown| about(question, shown));
            let why = shown.err().unwrap_or_else(|| "it is asked about other paths than it changes".into());
            consent.hand_1.claim(fits, || format!("{}: {why}", question.asked.approval));
        }
        for id in landed {
            let Some(change) = changes.get(*id) else { continue };
            for question in approvals.granted(id.task()) {
                let Ok(shown) = shown(question, packets, content) else { continue };
                if is_shown(change, &shown, repository)? {
                    consent.fitting.entry(*id).or_default().push(question);
                }
            }
        }
        Ok(consent)
    }

    fn fitting(&self, id: ChangeId) -> &[&'a Question] {
        self.fitting.get(&id).map(Vec::as_slice).unwrap_or_default()
    }

    /// Who has approved a landed change, each person once.
    pub(crate) fn approvers(&self, id: ChangeId) -> Vec<&str> {
        let mut approvers = Vec::new();
        let answers = self.fitting(id).iter().filter_map(|question| question.answer.as_ref());
        for by in answers.filter_map(|answer| answer.by.as_deref()) {
            if !approvers.contains(&by) {
                approvers.push(by);
            }
        }
        approvers
    }

    /// Whether a person has said yes to the plan that a landed change is.
    pub(crate) fn is_planned(&self, id: ChangeId) -> bool {
        self.fitting(id).iter().any(|question| question.asked.subject == ApprovalSubject::Plan)
    }

    /// Whether a yes covers all that a landed change takes back.
    pub(crate) fn covers(&self, id: ChangeId, taken: &TakenBack) -> bool {
        let covers = |question: &&&Question| {
            let asked = &question.asked;
            let paths: BTreeSet<&[u8]> = asked.paths.iter().map(String::as_bytes).collect();
            asked.subject == ApprovalSubject::Undo
                && taken.paths.iter().all(|path| paths.contains(path.as_slice()))
                && taken.changes.iter().all(|change| asked.undoes.contains(change))
        };
        self.fitting(id).iter().any(|question| covers(&question))
    }
}

/// The change in the packet that a question is about.
fn shown(question: &Question, packets: &Packets, content: &Path) -> Result<Value, String> {
    let packet = packets.by_id.get(question.asked.packet.0 as usize).ok_or("it is about a packet that is not there")?;
    let read = |digest: &str| -> Result<Value, String> {
        let bytes = packet_content::content(content, digest)?;
        serde_json::from_slice(&bytes).map_err(|error| format!("what a person was shown is no JSON: {error}"))
    };
    let packet = read(&packet.offered.digest)?;
    let links = packet["links"].as_array().map(Vec::as_slice).unwrap_or_default();
    let link = links.iter().find(|link| link["what"] == "change").ok_or("the packet that it is about has no change")?;
    read(link["digest"].as_str().unwrap_or_default())
}

/// Whether the paths of a question are those of the change, where they are not those of others' work.
fn about(question: &Question, shown: &Value) -> bool {
    let edits = shown["edits"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut paths: Vec<&str> = edits.iter().filter_map(|edit| edit["path"].as_str()).collect();
    paths.sort_unstable();
    match question.asked.subject {
        ApprovalSubject::Undo => !question.asked.paths.is_empty(),
        ApprovalSubject::Action => question.asked.paths.iter().all(|path| paths.contains(&path.as_str())),
        ApprovalSubject::Plan | ApprovalSubject::Rounds => question.asked.paths == paths,
    }
}

/// Whether a landed change is the one that was shown.
fn is_shown(change: &Change, shown: &Value, repository: &Repository) -> Result<bool, String> {
    let said = serde_json::to_value(&change.submitted).map_err(|error| error.to_string())?;
    let reads = shown["reads"].as_array().map(Vec::as_slice).unwrap_or_default();
    let own_reads = said["reads"].as_array().map(Vec::as_slice).unwrap_or_default();
    if shown["base"] != said["base"] || shown["updates"] != said["updates"] || reads != own_reads {
        return Ok(false);
    }
    let trees = repository.commits(&[change.submitted.base, change.submitted.commit])?;
    let [Some(base), Some(commit)] = trees.as_slice() else { return Ok(false) };
    let deltas = repository.differences(&[(base.tree, commit.tree)])?.pop().unwrap_or_default();
    let edits = shown["edits"].as_array().map(Vec::as_slice).unwrap_or_default();
    let edits: BTreeMap<&[u8], &Value> =
        edits.iter().filter_map(|edit| Some((edit["path"].as_str()?.as_bytes(), edit))).collect();
    let mut blobs: Vec<(Oid, &str)> = Vec::new();
    for Delta { path, after, .. } in &deltas {
        let Some(edit) = edits.get(path.as_slice()) else { return Ok(false) };
        match (after, edit["content"].as_str()) {
            (None, None) => {}
            (Some((mode, blob)), Some(digest)) if (*mode == 0o100_755) == (edit["executable"] == true) => {
                blobs.push((*blob, digest));
            }
            _ => return Ok(false),
        }
    }
    let gone = |path: &&&[u8]| edits[**path]["content"].is_null() && deltas.iter().all(|delta| delta.path != **path);
    let mut same = edits.keys().filter(gone).count() == 0;
    let names: Vec<Oid> = blobs.iter().map(|(blob, _)| *blob).collect();
    repository.objects(&names, &mut |at, _, bytes| {
        same &= hex(&Sha256::digest(bytes)) == blobs[at].1;
        Ok(())
    })?;
    Ok(same)
}
