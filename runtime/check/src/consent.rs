//! Owns what a person's yes is good for: exactly the change that lies in the packet that was asked about, byte by byte, and no
//! other.
//!
//! Reads packets and their changes with rules of its own, and joins what was approved with what the landings took back.
//! Deliberately does not know when questions may be asked.

use crate::approvals::Question;
use crate::changes::Change;
use crate::fold::Fold;
use crate::lanes::Lanes;
use crate::line::hex;
use crate::main_line::MainLine;
use crate::packet_content;
use crate::packets::Packets;
use crate::report::Judgement;
use crate::repository::{Delta, Repository};
use crate::undo::{self, Move, TakenBack};
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
    hand_1: Judgement,
}

impl<'a> Consent<'a> {
    /// Compares every landed change of a task that people were asked about with what they were shown.
    pub(crate) fn of(fold: &'a Fold, (content, repository): (&Path, &Repository)) -> Consent<'a> {
        let mut consent = Consent::default();
        for question in &fold.approvals.questions {
            let shown = shown(question, &fold.packets, content);
            let fits = shown.as_ref().is_ok_and(|shown| about(question, shown));
            let why = shown.err().unwrap_or_else(|| "it is asked about other paths than it changes".into());
            consent.hand_1.claim(fits, || format!("{}: {why}", question.asked.approval));
        }
        let landings = fold.changes.landings.iter().map(|landing| landing.change);
        for id in landings.chain(fold.changes.pending().into_iter().map(|landing| landing.change)) {
            let Some(change) = fold.changes.get(id) else { continue };
            for question in fold.approvals.granted(id.task()) {
                let Ok(shown) = shown(question, &fold.packets, content) else { continue };
                match is_shown(change, &shown, repository) {
                    Ok(true) => consent.fitting.entry(id).or_default().push(question),
                    Ok(false) => {}
                    Err(why) => {
                        consent.hand_1.breaks(|| format!("{id} cannot be compared with what was approved: {why}"))
                    }
                }
            }
        }
        consent
    }

    /// HAND-1 of the questions, MAIN-4 of landings whose plan a person decides about, UNDO-1 of all landings.
    pub(crate) fn judge(
        &self,
        fold: &Fold,
        (line, lanes): (&MainLine, &Lanes),
        repository: &Repository,
    ) -> [Judgement; 3] {
        let mut main_4 = Judgement::default();
        let (mut pairs, mut authors) = (Vec::new(), Vec::new());
        for landing in &line.placed {
            let id = landing.change;
            if fold.board.is_plan(id.task()) {
                main_4.claim(self.is_planned(id), || format!("{id} landed, and no person has approved its plan"));
            }
            let trees = line.tree_of(landing.main_before).zip(line.tree_of(landing.main_after));
            let change = fold.changes.get(id);
            let own = change.and_then(|change| change.lane).and_then(|lane| lanes.name(lane));
            let author = change.and_then(|change| change.submitted.author.as_deref()).or(own).unwrap_or_default();
            pairs.extend(trees);
            authors.extend(trees.map(|_| (id, author)));
        }
        let undo_1 = repository.differences(&pairs).and_then(|deltas| {
            let moves = authors.iter().zip(&deltas);
            let moves: Vec<Move<'_>> =
                moves.map(|((change, author), deltas)| Move { change: *change, author, deltas }).collect();
            undo::judge(&moves, repository, &|id, taken| self.covers(id, taken))
        });
        // Trees that cannot be read stand against MAIN-3.
        let undo_1 = undo_1.unwrap_or_else(|why| {
            let mut undo_1 = Judgement::default();
            undo_1.note(format!("what the landings take back cannot be read: {why}"));
            undo_1
        });
        [self.hand_1.clone(), main_4, undo_1]
    }

    fn fitting(&self, id: ChangeId) -> &[&'a Question] {
        self.fitting.get(&id).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a person has let exactly this change touch a path that its role leaves to people.
    pub(crate) fn lets_act(&self, id: ChangeId, path: &str) -> bool {
        let about = |question: &&&Question| {
            question.asked.subject == ApprovalSubject::Action && question.asked.paths.iter().any(|asked| asked == path)
        };
        self.fitting(id).iter().any(|question| about(&question))
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
    fn is_planned(&self, id: ChangeId) -> bool {
        self.fitting(id).iter().any(|question| question.asked.subject == ApprovalSubject::Plan)
    }

    /// Whether a yes covers all that a landed change takes back.
    fn covers(&self, id: ChangeId, taken: &TakenBack) -> bool {
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
