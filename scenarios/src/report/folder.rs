//! Reports and run folders: a report is made from what lies in one, finished, killed or damaged, and written into it.

use super::{Folded, Folding, Judged, Report};
use crate::file;
use crate::outcome::{self, ControlOutcome, Verdict};
use crate::prepare;
use crate::run::RunError;
use crate::runs::in_hand;
use baton_check::Unreadable;
use baton_record::Names;
use baton_record::event::PacketPurpose;
use baton_world::content::ContentStore;
use baton_world::git::Durability;
use baton_world::journal::fold;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// The report as JSON, in a run folder.
pub const JSON: &str = "report.json";
/// The report as Markdown, in a run folder.
pub const MARKDOWN: &str = "report.md";

/// No `run.json` and no scenario is larger.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// What is needed of `run.json`; whatever else it says does not matter here.
#[derive(Debug, Default, Deserialize)]
struct Said {
    verdict: Option<Verdict>,
    exit_code: Option<u8>,
    control: Option<serde_json::Value>,
}

/// Makes the report of a run folder anew: from its journal, its packets, its scenario and what the checker finds.
///
/// # Errors
/// The folder is no run, or git is not there. A damaged journal is no error: the report says so.
pub fn read(run: &Path) -> Result<Report, Unreadable> {
    let checked = baton_check::verify(run)?;
    let (mut folding, mut seen) = (Folding::default(), Names::default());
    let folded = fold(&run.join("journal"), |_, record, names| {
        if names.lanes() > seen.lanes() {
            seen.clone_from(names);
        }
        folding.see(&record, names);
    });
    let (names, damage) = match folded {
        Ok(end) => (end.names, None),
        Err(damage) => (seen, Some(damage.to_string())),
    };
    let mut report = with_content(folding.close(&names), run);
    report.damage = checked.damage.as_ref().map(ToString::to_string).or(damage);
    report.judged = Judged::of(&checked);
    judge(&mut report, run);
    Ok(report)
}

/// What the run's scenario expects is looked at again; what was the verdict is taken over unless a promise is broken.
fn judge(report: &mut Report, run: &Path) {
    let said: Said =
        read_small(&run.join("run.json")).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let control: Option<ControlOutcome> = said.control.and_then(|control| serde_json::from_value(control).ok());
    let scenario =
        read_small(&run.join("scenario.yaml")).and_then(|bytes| file::check("scenario.yaml", &bytes).scenario);
    if let Some(scenario) = scenario.filter(|_| !report.control) {
        report.judged.expectations = outcome::expectations(&scenario.expectations, report, control.as_ref());
        report.judged.thresholds = outcome::expectations(&scenario.thresholds, report, control.as_ref());
    }
    (report.judged.verdict, report.judged.exit_code) = match (report.judged.intact, said.verdict) {
        (false, _) => (Some(Verdict::Broken), Some(Verdict::Broken.exit_code())),
        (true, verdict) => (verdict, said.exit_code),
    };
}

/// A small file's bytes; nothing where there is none that can be read.
fn read_small(path: &Path) -> Option<Vec<u8>> {
    let found =
        std::fs::symlink_metadata(path).ok().filter(|found| found.is_file() && found.len() <= FILE_BYTES_MAX)?;
    let mut bytes = Vec::with_capacity(found.len() as usize);
    std::fs::File::open(path).ok()?.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Adds what only the packets themselves say: how many questions they ask.
pub(crate) fn with_content(folded: Folded, run: &Path) -> Report {
    let Folded { mut report, packets } = folded;
    if packets.is_empty() {
        return report;
    }
    let mut asked: BTreeMap<PacketPurpose, Option<u64>> = BTreeMap::new();
    let store = ContentStore::open(&run.join(prepare::CONTENT), Durability::Buffered).ok();
    for (purpose, digest) in packets {
        let questions = store.as_ref().and_then(|store| questions(store, &digest));
        let sum = asked.entry(purpose).or_insert(Some(0));
        *sum = sum.zip(questions).map(|(sum, questions)| sum + questions);
    }
    for (purpose, questions) in asked {
        let word = super::sample::word(&purpose);
        let debts = report.handoffs.by_purpose.iter_mut().filter(|debt| debt.purpose == word);
        debts.for_each(|debt| debt.questions = questions);
    }
    report
}

fn questions(store: &ContentStore, digest: &str) -> Option<u64> {
    let hex = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes = hex.then(|| store.get(digest)).and_then(Result::ok).flatten()?;
    let packet: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    Some(packet.get("questions")?.as_array()?.len() as u64)
}

/// Writes the report into a run folder, as JSON and as Markdown.
pub(crate) fn write(run: &Path, report: &Report) -> Result<(), RunError> {
    let mut json = report.to_json();
    json.push('\n');
    prepare::replace_file(run, JSON, json.as_bytes())?;
    prepare::replace_file(run, MARKDOWN, report.to_markdown().as_bytes())
}

/// Writes a report that was made anew into its run folder. Not while the run goes on: it writes its own in the end.
///
/// # Errors
/// Why it is not written, in words.
pub fn renew(run: &Path, report: &Report) -> Result<(), String> {
    if in_hand(run) {
        return Err("the run goes on, and writes it when it ends".to_owned());
    }
    write(run, report).map_err(|error| error.to_string())
}
