//! Runs a scenario: prepares the run folder, lets the team live, checks what it left behind.
//!
//! A run folder is made beside its place and renamed into it before any lane starts; from then on it can be killed at any
//! instant and still be verified.

use crate::outcome::{
    self, ControlOutcome, DiskOutcome, FaultOutcome, JournalOutcome, MainOutcome, OrderOutcome, Outcome, Spend, Verdict,
};
use crate::place::{self, Claim};
use crate::plan::Disk;
use crate::prepare::{self, Prepared};
use crate::report::{Folding, Judged, Report, folder};
use crate::resolve;
use crate::scenario::{FaultKind, OperatorCommand, Scenario, World};
use crate::{room, runs};
use baton_actors::failure::Failure;
use baton_actors::progress::Progress;
use baton_actors::start::{self, Launch};
use baton_actors::team::LandingKind;
use baton_check::Unreadable;
use baton_record::event::StopReason;
use baton_world::content::ContentError;
use baton_world::journal::{JournalDamage, fold};
use baton_world::{Stopwatch, git::GitError};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How a scenario is to be run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Instead of the scenario's seed.
    pub seed: Option<u64>,
    /// Instead of the scenario's world.
    pub world: Option<World>,
    /// Instead of the scenario's workspace: a copy of this repository.
    pub repository: Option<PathBuf>,
    /// The run folder; the control run's is beside it.
    pub out: PathBuf,
    /// Becomes true when a person wants the run to end.
    pub interrupted: Arc<AtomicBool>,
    /// Where the run says how far it is.
    pub progress: Arc<Progress>,
    /// Begin even if the disk seems to be too small.
    pub anyway: bool,
}

/// Why there is no outcome.
#[derive(Debug)]
pub enum RunError {
    /// The run folder's place is not free.
    Taken(PathBuf, &'static str),
    /// The run folder's place cannot be written to, or cannot be one.
    Folder(PathBuf, String),
    /// The workspace cannot be copied or used.
    Workspace(GitError),
    /// The content store cannot be made.
    Content(ContentError),
    /// The workspace has no room for what the tasks touch.
    NoRoom(String),
    /// The run is expected to take more than is free on the disk.
    DiskTooSmall {
        /// The run folder's place.
        out: PathBuf,
        /// Bytes that it is expected to take.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// The run could not go on.
    Failure(PathBuf, Failure),
    /// The journal of the run cannot be read back.
    Journal(JournalDamage),
    /// The run folder cannot be checked.
    Check(Unreadable),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Taken(path, why) => write!(f, "{}: {why}", path.display()),
            RunError::Folder(path, why) => write!(f, "{}: {why}", path.display()),
            RunError::Workspace(error) => write!(f, "{error}"),
            RunError::Content(error) => write!(f, "{error}"),
            RunError::NoRoom(why) => write!(f, "{why}"),
            RunError::DiskTooSmall { out, needed, free } => write!(
                f,
                "{}: the run is expected to take {needed} bytes on this disk, and {free} are free; make room, choose another disk \
                 with --out, or begin with --anyway",
                out.display()
            ),
            RunError::Failure(_, failure) => write!(f, "{failure}"),
            RunError::Journal(damage) => write!(f, "{damage}"),
            RunError::Check(unreadable) => write!(f, "{unreadable}"),
        }
    }
}

impl std::error::Error for RunError {}

/// A scenario and the bytes that it was read from, which give the run its identity.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Its file.
    pub bytes: &'a [u8],
}

/// A run whose folder stands in its place: only now it is certain that it can take place.
#[derive(Debug)]
pub struct Begun<'a> {
    source: Source<'a>,
    options: Options,
    prepared: Prepared,
    watch: Stopwatch,
    disk: Option<Disk>,
}

/// Runs a scenario, and after it the control run if the scenario asks for one.
pub fn run(source: Source<'_>, options: &Options) -> Result<Outcome, RunError> {
    begin(source, options)?.live()
}

/// Makes the run folder, or refuses to and leaves nothing behind.
pub fn begin<'a>(source: Source<'a>, options: &Options) -> Result<Begun<'a>, RunError> {
    let watch = Stopwatch::start();
    place::must_be_free(&options.out)?;
    if source.scenario.control {
        place::must_be_free(&control_folder(&options.out))?;
    }
    let disk = room::estimate(source.scenario, options);
    if let Some(disk) = disk.as_ref().filter(|_| !options.anyway) {
        room::check(&options.out, disk)?;
    }
    let prepared = prepare::prepare(source, options, &options.out, LandingKind::Merger)?;
    Ok(Begun { source, options: options.clone(), prepared, watch, disk })
}

impl Begun<'_> {
    /// What the run is expected to take on the disk, the control run included.
    pub fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }

    /// Lets the team live, and after it that of the control run; then judges what they left behind.
    pub fn live(self) -> Result<Outcome, RunError> {
        let Begun { source, ref options, prepared, watch, disk } = self;
        // Until there is a verdict everybody sees that the run goes on.
        let (lived, claim) = live(source, options, &options.out, prepared)?;
        let control = if source.scenario.control && !interrupted(options) {
            options.progress.begin_control();
            control(source, options, &control_folder(&options.out))?
        } else {
            None
        };
        let mut outcome = judge(source.scenario, lived, control)?;
        if interrupted(options) && outcome.verdict != Verdict::Broken {
            // A person ended it, be it in the control run: what is missing then says nothing.
            outcome.verdict = Verdict::Stopped;
            outcome.exit_code = Verdict::Stopped.exit_code();
        }
        outcome.disk.estimated_bytes = disk.map(|disk| disk.bytes.expected);
        outcome.wall_s = watch.seconds();
        put_down(&options.out, &mut outcome)?;
        drop(claim);
        Ok(outcome)
    }
}

/// The same team again, in a folder of its own, up to its end: nothing of it is judged.
pub(crate) fn live_again(source: Source<'_>, options: &Options, landing: LandingKind) -> Result<(), RunError> {
    let prepared = prepare::prepare(source, options, &options.out, landing)?;
    live(source, options, &options.out, prepared).map(drop)
}

fn interrupted(options: &Options) -> bool {
    options.interrupted.load(std::sync::atomic::Ordering::SeqCst)
}

/// `DIR.control`.
pub fn control_folder(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".control");
    PathBuf::from(name)
}

/// A run that has ended, before it is judged.
struct Lived {
    out: PathBuf,
    seed: u64,
    world: World,
    report: Report,
    journal: JournalOutcome,
    lived_s: f64,
}

/// Writes the report, then the verdict: whoever finds a verdict in `run.json` finds a report beside it.
fn put_down(out: &Path, outcome: &mut Outcome) -> Result<(), RunError> {
    let mut report = outcome.report.take().expect("a run that is judged has a report");
    (report.judged.verdict, report.judged.exit_code) = (Some(outcome.verdict), Some(outcome.exit_code));
    folder::write(out, &report)?;
    outcome.disk.bytes = runs::size_of(out) + runs::size_of(&control_folder(out));
    prepare::write_verdict(out, outcome)?;
    outcome.report = Some(report);
    Ok(())
}

fn live(source: Source<'_>, options: &Options, out: &Path, prepared: Prepared) -> Result<(Lived, Claim), RunError> {
    let Prepared { team, repository, content, journal, seed, world, claim } = prepared;
    let journal_dir = out.join("journal");
    let launch = Launch {
        team,
        repository: repository.clone(),
        content: Arc::new(content),
        journal,
        journal_dir: journal_dir.clone(),
        mail_faults: resolve::mail_faults(source.scenario),
        weather: resolve::weather(source.scenario),
        incidents: resolve::incidents(source.scenario, world),
        interrupted: options.interrupted.clone(),
        progress: options.progress.clone(),
    };
    let watch = Stopwatch::start();
    let finished = start::run(launch).map_err(|failure| RunError::Failure(out.to_owned(), failure))?;
    let lived_s = watch.seconds();
    repository.sync().map_err(RunError::Workspace)?;
    let chain = finished.journal.chain();
    drop(finished);
    let mut folding = Folding::default();
    let end = fold(&journal_dir, |_, record, names| folding.see(&record, names)).map_err(RunError::Journal)?;
    let report = folder::with_content(folding.close(&end.names), out);
    let journal = JournalOutcome { records: chain.next_seq, head_hash: chain.head.to_string() };
    Ok((Lived { out: out.to_owned(), seed, world, report, journal, lived_s }, claim))
}

/// The control run's losses; `None` if it was not allowed to end.
fn control(source: Source<'_>, options: &Options, out: &Path) -> Result<Option<ControlOutcome>, RunError> {
    let prepared = prepare::prepare(source, options, out, LandingKind::Direct)?;
    let (lived, _claim) = live(source, options, out, prepared)?;
    let ended = lived.report.ended == Some(StopReason::TasksEnded);
    let report = baton_check::verify(&lived.out).map_err(RunError::Check)?;
    let control = ControlOutcome { lost: report.lost, torn: report.torn, run: out.display().to_string() };
    let nothing_expected = Scenario { expectations: Vec::new(), thresholds: Vec::new(), ..source.scenario.clone() };
    let mut outcome = judge_by(&nothing_expected, lived, &report, None)?;
    put_down(out, &mut outcome)?;
    Ok(Some(control).filter(|_| ended))
}

fn judge(scenario: &Scenario, lived: Lived, control: Option<ControlOutcome>) -> Result<Outcome, RunError> {
    let report = baton_check::verify(&lived.out).map_err(RunError::Check)?;
    judge_by(scenario, lived, &report, control)
}

fn judge_by(
    scenario: &Scenario,
    lived: Lived,
    checked: &baton_check::Report,
    control: Option<ControlOutcome>,
) -> Result<Outcome, RunError> {
    let mut report = lived.report;
    report.judged = Judged::of(checked);
    report.judged.expectations = outcome::expectations(&scenario.expectations, &report, control.as_ref());
    report.judged.thresholds = outcome::expectations(&scenario.thresholds, &report, control.as_ref());
    let verdict = outcome::verdict(&report);
    let repository = lived.out.join(prepare::REPOSITORY);
    let total = report.spend.total;
    Ok(Outcome {
        format: outcome::FORMAT,
        scenario: scenario.name.clone(),
        seed: lived.seed,
        world: world_word(lived.world),
        verdict,
        exit_code: verdict.exit_code(),
        run: lived.out.display().to_string(),
        virtual_s: report.end_us as f64 / 1e6,
        wall_s: 0.0,
        lived_s: lived.lived_s,
        main: MainOutcome {
            head: prepare::head_of(&repository)?,
            repository: repository.display().to_string(),
            landed: report.landings.landed,
            refused: report.landings.refused,
            conflicts: report.landings.conflicts.count,
            rolled_back: 0,
        },
        expectations: report.judged.expectations.clone(),
        thresholds: report.judged.thresholds.clone(),
        faults: faults(scenario, &report),
        operators: operators(scenario, &report),
        spend: Spend {
            usd: total.usd_micros as f64 / 1e6,
            tokens_in: total.tokens_in,
            tokens_out: total.tokens_out,
            calls: total.calls,
        },
        journal: lived.journal,
        disk: DiskOutcome { estimated_bytes: None, bytes: 0 },
        stopped: report.ended,
        approvals: report.people.approvals.list.clone(),
        control,
        report: Some(report),
    })
}

pub(crate) fn world_word(world: World) -> &'static str {
    match world {
        World::Sim => "sim",
        World::Live => "live",
    }
}

fn faults(scenario: &Scenario, report: &Report) -> Vec<FaultOutcome> {
    let outcome = |(place, fault): (usize, &crate::scenario::Fault)| {
        let id = place as u16;
        let found = report.faults.iter().find(|found| found.id == id);
        let (injected, records) = found.map_or((0, 0), |found| (found.injected, found.felt_records));
        FaultOutcome {
            id,
            kind: kind_word(&fault.kind),
            at_s: fault.at_us as f64 / 1e6,
            injected,
            felt: records.min(1),
            felt_records: records,
            after_end: injected == 0 && fault.at_us > report.end_us,
        }
    };
    scenario.faults.iter().enumerate().map(outcome).collect()
}

/// Commands are given in the order of their times, and each that was given has one record: those behind them were not.
fn operators(scenario: &Scenario, report: &Report) -> Vec<OrderOutcome> {
    let given = report.people.commands.sum() + report.people.commands_refused.sum();
    let mut said: Vec<&OperatorCommand> = scenario.operators.iter().collect();
    said.sort_by_key(|said| said.at_us);
    let outcome = |(place, said): (usize, &OperatorCommand)| {
        let given = (place as u64) < given;
        OrderOutcome {
            at_s: said.at_us as f64 / 1e6,
            by: said.by.clone(),
            command: said.command.to_string(),
            given,
            after_end: !given && said.at_us >= report.end_us,
        }
    };
    said.into_iter().enumerate().map(outcome).collect()
}

fn kind_word(kind: &FaultKind) -> &'static str {
    match kind {
        FaultKind::Kill { .. } => "kill",
        FaultKind::Pause { .. } => "pause",
        FaultKind::Restart { .. } => "restart",
        FaultKind::Duplicate { .. } => "duplicate",
        FaultKind::Delay { .. } => "delay",
        FaultKind::Drop { .. } => "drop",
        FaultKind::Push => "push",
        FaultKind::Storm { .. } => "storm",
        FaultKind::Overload { .. } => "overload",
        FaultKind::Spoil { .. } => "spoil",
        FaultKind::IgnorePolicy { .. } => "ignore-policy",
    }
}
