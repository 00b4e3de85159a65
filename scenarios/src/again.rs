//! TIME-1 of one run: its scenario is run again with its seed, and the two journals are compared byte by byte.
//!
//! Everything comes from the run folder: scenario, skills, seed, and the repository as it was before the first landing. Only a
//! run in virtual time is the same again, and only in the version that wrote it. Knows nothing of what a journal says.

use crate::file::{self, Shelved};
use crate::run::{self, Options, Source};
use crate::scenario::{Workspace, World};
use crate::skill_shelf;
use baton_actors::progress::Progress;
use baton_actors::team::LandingKind;
use baton_check::Report;
use baton_record::event::{RunStarted, StopReason, WorldKind};
use baton_record::line::read_line;
use baton_record::promise::Status;
use baton_record::{Chain, Event, Names};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, empty};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The promise that is judged here.
pub const PROMISE: &str = "TIME-1";

/// No line of a journal, and no scenario, is longer.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// What came of running it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Again {
    /// Held, broken, in doubt, or not exercised.
    pub status: Status,
    /// Records that were compared.
    pub checked: u64,
    /// Why, in one line.
    pub detail: String,
}

impl Again {
    fn without(status: Status, detail: impl Into<String>) -> Again {
        Again { status, checked: 0, detail: detail.into() }
    }

    /// Puts the finding into the checker's report.
    pub fn enter(self, report: &mut Report) {
        report.intact &= self.status != Status::Broken;
        if let Some(promise) = report.promises.iter_mut().find(|promise| promise.id == PROMISE) {
            (promise.status, promise.checked, promise.detail) = (self.status, self.checked, self.detail);
        }
    }
}

/// Runs what the folder `run` tells of again, in a temporary folder that goes away, and compares. `report`: what the
/// checker says of the run.
pub fn again(run: &Path, report: &Report) -> Again {
    if report.damage.is_some() {
        return Again::without(Status::NotExercised, "the journal is damaged, and this needs all of it");
    }
    let started = match started(&run.join("journal")) {
        Ok(started) => started,
        Err(why) => return Again::without(Status::InDoubt, why),
    };
    if started.world == WorldKind::Live {
        return Again::without(Status::NotExercised, "it took place on the real clock, which is never the same again");
    }
    let version = env!("CARGO_PKG_VERSION");
    if started.version != version {
        let why = format!("version {} wrote it, and this is version {version}", started.version);
        return Again::without(Status::InDoubt, why);
    }
    let place = Place::new();
    match live_again(run, &started, &place.0) {
        Ok(()) => compare(run, &place.0, report),
        Err(why) => Again::without(Status::InDoubt, format!("it cannot be run again: {why}")),
    }
}

/// A folder that goes away.
struct Place(PathBuf);

impl Place {
    fn new() -> Place {
        Place(std::env::temp_dir().join(format!("baton-again-{}", std::process::id())))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// The journal's first record.
fn started(journal: &Path) -> Result<RunStarted, String> {
    let mut line = Vec::new();
    let mut lines = lines(journal).map_err(|error| format!("the journal cannot be read: {error}"))?;
    next_line(&mut lines, &mut line).map_err(|error| format!("the journal cannot be read: {error}"))?;
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    match read_line(line, &mut Chain::default(), &mut Names::default()).map(|record| record.event) {
        Ok(Event::RunStarted(started)) => Ok(started),
        _ => Err("the journal does not begin with the run".to_owned()),
    }
}

fn live_again(run: &Path, started: &RunStarted, place: &Path) -> Result<(), String> {
    let file = File::open(run.join("scenario.yaml")).map_err(|error| format!("scenario.yaml: {error}"))?;
    let mut bytes = Vec::new();
    file.take(LINE_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| format!("scenario.yaml: {error}"))?;
    let shelf = |path: &str| shelved(run, path);
    let checked = file::check_on(&shelf, "scenario.yaml", &bytes);
    let mut scenario = checked.scenario.ok_or("its scenario is faulty")?;
    // The copy begins where the run began, whatever the workspace was copied from.
    let path = run.join("repo.git").display().to_string();
    scenario.workspace = Workspace::Repository { path, base: Some(started.base.to_hex()) };
    let options = Options {
        seed: Some(started.seed),
        world: Some(World::Sim),
        repository: None,
        out: place.join("run"),
        interrupted: Arc::new(AtomicBool::new(false)),
        progress: Arc::new(Progress::default()),
        anyway: false,
    };
    let landing = if started.control { LandingKind::Direct } else { LandingKind::Merger };
    run::live_again(Source { scenario: &scenario, bytes: &bytes }, &options, landing).map_err(|error| error.to_string())
}

/// The skill of this name as the run folder has it, wherever the scenario found it.
fn shelved(run: &Path, path: &str) -> Shelved {
    let name = path.rsplit('/').next().unwrap_or(path);
    let folder = run.join("policies").join(name);
    match skill_shelf::on_disk(&folder.display().to_string()) {
        Shelved::Nothing(_) => Shelved::Nothing(Vec::new()),
        found => found,
    }
}

/// All bytes of a journal, segment by segment.
fn lines(journal: &Path) -> std::io::Result<Box<dyn BufRead>> {
    let entries: std::io::Result<Vec<PathBuf>> =
        std::fs::read_dir(journal)?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths: Vec<PathBuf> =
        entries?.into_iter().filter(|path| path.extension().is_some_and(|e| e == "jsonl")).collect();
    paths.sort();
    let mut all: Box<dyn Read> = Box::new(empty());
    for path in paths {
        all = Box::new(all.chain(File::open(path)?));
    }
    Ok(Box::new(BufReader::new(all)))
}

/// The next line with its end; nothing after the last.
fn next_line(lines: &mut Box<dyn BufRead>, line: &mut Vec<u8>) -> std::io::Result<()> {
    line.clear();
    lines.take(LINE_BYTES_MAX).read_until(b'\n', line).map(drop)
}

fn compare(run: &Path, place: &Path, report: &Report) -> Again {
    match compared(run, place) {
        Err(error) => Again::without(Status::InDoubt, format!("the journals cannot be compared: {error}")),
        Ok((checked, None)) => {
            let detail = format!("{checked} records, byte for byte the same when it is run again");
            Again { status: Status::Held, checked, detail }
        }
        // A killed run left off somewhere.
        Ok((checked, Some(Parting::Over))) if report.ended.is_none() => {
            let detail = format!("{checked} records, byte for byte the same when it is run again, until it was killed");
            Again { status: Status::Held, checked, detail }
        }
        Ok((checked, Some(_))) if report.ended == Some(StopReason::Operator) => {
            let detail = format!("a person ended it: run again, it parts from record {checked} on");
            Again { status: Status::InDoubt, checked, detail }
        }
        Ok((checked, Some(_))) => {
            let detail = format!("run again with the same seed, record {checked} is another one");
            Again { status: Status::Broken, checked: checked + 1, detail }
        }
    }
}

/// How two journals part.
enum Parting {
    /// The recorded one is over, and all of it is the beginning of the other.
    Over,
    Otherwise,
}

/// Lines that are the same, and how they part then.
fn compared(run: &Path, place: &Path) -> std::io::Result<(u64, Option<Parting>)> {
    let (mut recorded, mut again) = (lines(&run.join("journal"))?, lines(&place.join("run/journal"))?);
    let (mut one, mut two, mut same) = (Vec::new(), Vec::new(), 0);
    loop {
        next_line(&mut recorded, &mut one)?;
        next_line(&mut again, &mut two)?;
        if one == two && !one.is_empty() {
            same += 1;
            continue;
        }
        // The last line of a killed run may be torn.
        let over = !one.ends_with(b"\n") && two.starts_with(&one);
        let parting = if over { Parting::Over } else { Parting::Otherwise };
        return Ok((same, Some(parting).filter(|_| one != two)));
    }
}
