//! All run folders below a folder, each at a glance.

use super::evidence::{self, Ends};
use super::trash;
use serde::Serialize;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folders that are no runs are looked into so deep.
const DEPTH_MAX: usize = 3;

/// What lies below a folder, by path.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Listing {
    /// The runs.
    pub runs: Vec<RunEntry>,
    /// Files, folders and links that are no runs and hold none.
    pub odd: Vec<Odd>,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It has a verdict.
    Ended,
    /// It has none, and nobody is at work on it.
    Killed,
    /// Somebody is at work on it.
    Running,
}

/// Whether it is known that nothing is wrong with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verified {
    /// A verification of exactly this journal and this main found it intact.
    Intact,
    /// One found it broken.
    Broken,
    /// None is known of what lies there now.
    No,
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct RunEntry {
    /// Its folder.
    pub run: PathBuf,
    /// The folder's name.
    pub name: String,
    /// Its scenario.
    pub scenario: Option<String>,
    /// Its seed.
    pub seed: Option<u64>,
    /// `sim` or `live`.
    pub world: Option<String>,
    /// Whether it is the control run of another.
    pub control: bool,
    /// How it stands.
    pub state: State,
    /// Its verdict, if it has one.
    pub verdict: Option<String>,
    /// When it ended, or when it was last written to, in seconds since 1970.
    pub ended_unix_s: i64,
    /// Records of its journal.
    pub records: Option<u64>,
    /// Hash of the journal's last line.
    pub head_hash: Option<String>,
    /// What it takes on the disk.
    pub bytes: u64,
    /// Whether it is known to be intact.
    pub verified: Verified,
    /// `run`: at its end; `verify`: later, with `--record`.
    pub verified_by: Option<&'static str>,
    /// What is wrong with its files, if anything is at a glance.
    pub complaint: Option<String>,
}

/// What is no run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Odd {
    /// Where.
    pub path: PathBuf,
    /// Why not.
    pub why: String,
}

/// Lists what lies below `folder`, or the folder itself if it is a run.
pub fn list(folder: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    if is_run(folder) {
        listing.runs.push(look_at(folder));
        return Ok(listing);
    }
    below(folder, DEPTH_MAX, &mut listing)?;
    listing.runs.sort_by(|a, b| a.run.cmp(&b.run));
    listing.odd.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(listing)
}

fn below(folder: &Path, depth: usize, listing: &mut Listing) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let mut odd = |why: &str| listing.odd.push(Odd { path: path.clone(), why: why.to_owned() });
        if kind.is_symlink() {
            odd("a link; links are not followed");
        } else if kind.is_dir() {
            other_folder(&path, depth, listing);
        } else if kind.is_file() {
            odd("a file; runs are folders");
        } else {
            odd("neither a folder nor a file");
        }
    }
    Ok(())
}

fn other_folder(path: &Path, depth: usize, listing: &mut Listing) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut odd = |why: String| listing.odd.push(Odd { path: path.to_owned(), why });
    if trash::is_trash(path) {
        return odd("left over by a `gc` that was killed; the next one finishes it".to_owned());
    }
    if name.starts_with('.') && name.ends_with(".making") {
        // Whoever asked for its lock to know more could keep a run from being prepared.
        return odd("a run that is being prepared, or what a killed one has left of that".to_owned());
    }
    if is_run(path) {
        return listing.runs.push(look_at(path));
    }
    if fs::symlink_metadata(path.join("journal")).is_ok_and(|found| found.is_symlink()) {
        return odd("no run: its journal is only a link".to_owned());
    }
    let (runs, odds) = (listing.runs.len(), listing.odd.len());
    match if depth > 1 { below(path, depth - 1, listing) } else { Ok(()) } {
        Err(error) => listing.odd.push(Odd { path: path.to_owned(), why: format!("cannot be read: {error}") }),
        Ok(()) if listing.runs.len() == runs => {
            // Nothing in it is a run, so that the folder itself is what is odd.
            listing.odd.truncate(odds);
            listing.odd.push(Odd { path: path.to_owned(), why: why_not(path).to_owned() });
        }
        Ok(()) => {}
    }
}

fn why_not(path: &Path) -> &'static str {
    let has = |name: &str| path.join(name).exists();
    match (has("run.json"), has("journal")) {
        (true, false) => "no run: it has a run.json and no journal",
        (false, true) => "no run: it has a journal and no repository",
        _ => "no run: it has neither journal nor run.json",
    }
}

/// A folder of its own that holds a folder of its own named journal, and one repository.
pub(super) fn is_run(path: &Path) -> bool {
    let own_folder = |path: &Path| fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    own_folder(path) && own_folder(&path.join("journal")) && evidence::repository_of(path).is_some()
}

/// One run folder at a glance.
fn look_at(run: &Path) -> RunEntry {
    look(run, evidence::in_hand(run))
}

/// The same by somebody who has it in hand.
pub(super) fn look_again(run: &Path) -> RunEntry {
    look(run, false)
}

fn look(run: &Path, in_hand: bool) -> RunEntry {
    let (ends, told) = (evidence::ends(&run.join("journal")), evidence::run_json(run));
    let started = ends.as_ref().map(|ends| ends.started.clone()).unwrap_or_default();
    let json = told.as_ref().ok().cloned().unwrap_or_default();
    let text = |key: &str| json[key].as_str().or(started[key].as_str()).map(str::to_owned);
    let verdict = json["verdict"].as_str().map(str::to_owned);
    let state = match &verdict {
        _ if in_hand => State::Running,
        Some(_) => State::Ended,
        None => State::Killed,
    };
    let main = evidence::repository_of(run).map(|repository| evidence::main_of(&repository)).unwrap_or_default();
    let (verified, verified_by) = match &ends {
        Ok(ends) if state != State::Running => verified(run, ends, &json, &main),
        _ => (Verified::No, None),
    };
    RunEntry {
        name: run.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        scenario: text("scenario"),
        seed: json["seed"].as_u64().or(started["seed"].as_u64()),
        world: text("world"),
        control: started["control"] == true,
        state,
        verdict,
        ended_unix_s: ended_s(run, ends.as_ref().ok()),
        records: ends.as_ref().ok().map(|ends| ends.records),
        head_hash: ends.as_ref().ok().map(|ends| ends.head_hash.clone()),
        bytes: evidence::size_of(run),
        verified,
        verified_by,
        complaint: ends.err().or(told.err()),
        run: run.to_owned(),
    }
}

/// What is known of exactly this journal and this main. A later verification counts more than the run's own.
fn verified(run: &Path, ends: &Ends, json: &Value, main: &str) -> (Verified, Option<&'static str>) {
    let word = |intact| if intact { Verified::Intact } else { Verified::Broken };
    if let Some(found) = evidence::verification(run)
        && (found.records, found.head_hash.as_str(), found.main.as_str())
            == (ends.records, ends.head_hash.as_str(), main)
    {
        return (word(found.intact), Some("verify"));
    }
    let same = json["journal"]["head_hash"] == ends.head_hash.as_str() && json["main"]["head"] == main;
    match json["verdict"].as_str() {
        Some(verdict) if same => (word(verdict != "broken"), Some("run")),
        _ => (Verified::No, None),
    }
}

/// When `run.json` got its verdict, or when the journal was last written to, whichever is later.
fn ended_s(run: &Path, ends: Option<&Ends>) -> i64 {
    use std::os::unix::fs::MetadataExt;
    let told_s = fs::symlink_metadata(run.join("run.json")).map(|found| found.mtime()).unwrap_or_default();
    ends.map_or(told_s, |ends| ends.written_s.max(told_s))
}
