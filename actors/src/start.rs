//! Starts a team on its clock, lets it run, and gives back its journal.

use crate::chaos::{Chaos, MailFaultWindow, Weather};
use crate::directory::Directory;
use crate::failure::Failure;
use crate::ground::Ground;
use crate::incidents::Incident;
use crate::lane::Lane;
use crate::merger::Merger;
use crate::post::Post;
use crate::progress::Progress;
use crate::recorder::{Ended, Recorder};
use crate::roster::Roster;
use crate::supervisor::{Supervisor, fold_supervision};
use crate::team::Team;
use actix::{Actor, System};
use baton_record::LaneId;
use baton_world::content::ContentStore;
use baton_world::git::Repository;
use baton_world::{Clock, ClockKind, Journal, JournalError, clock};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::{mpsc, oneshot};

/// All that a run needs before its first lane starts.
pub struct Launch {
    /// The resolved scenario.
    pub team: Team,
    /// The repository, its main at the team's base.
    pub repository: Arc<Repository>,
    /// What packets and their links are kept in.
    pub content: Arc<ContentStore>,
    /// The journal, with the team's own records in it: names, lanes, tasks.
    pub journal: Journal,
    /// The journal's folder.
    pub journal_dir: PathBuf,
    /// Faults of the mail.
    pub mail_faults: Vec<MailFaultWindow>,
    /// When endpoints refuse calls.
    pub weather: Weather,
    /// What happens, and when.
    pub incidents: Vec<(u64, Incident)>,
    /// Becomes true when a person wants the run to end.
    pub interrupted: Arc<AtomicBool>,
    /// Where the run says how far it is.
    pub progress: Arc<Progress>,
}

/// A run that has ended in order.
#[derive(Debug)]
pub struct Finished {
    /// The sealed journal.
    pub journal: Journal,
    /// The run's last moment, in microseconds since its start.
    pub ended_us: u64,
}

/// Runs a team to its end.
pub fn run(launch: Launch) -> Result<Finished, Failure> {
    let kind = launch.team.clock;
    let system = System::with_tokio_rt(move || clock::runtime(kind).expect("a runtime can be built"));
    system.block_on(live(launch))
}

async fn live(launch: Launch) -> Result<Finished, Failure> {
    let clock = Clock::start(launch.team.clock);
    let directory = Arc::new(Directory::new(launch.interrupted, Roster::new(launch.progress.clone())));
    let (ended, end) = oneshot::channel();
    let ended: Ended = Box::new(move |journal| drop(ended.send(journal)));
    let recorder = match clock.kind() {
        ClockKind::Virtual => Recorder::inline(launch.journal, clock, launch.progress, ended),
        ClockKind::Real => Recorder::grouped(launch.journal, clock, launch.progress, ended),
    };
    directory.set_recorder(recorder.start());
    let chaos = Arc::new(Chaos::new(&launch.team.seeds, launch.mail_faults, launch.weather));
    let post = Post::new(clock, launch.team.mail, &launch.team.seeds, chaos.clone(), directory.clone());
    let team = Arc::new(launch.team);
    let repository = launch.repository;
    let content = launch.content;
    let ground = Ground { team, clock, repository, content, post, chaos, directory: directory.clone() };
    start_team(&ground, launch.journal_dir)?;
    for (at_us, incident) in launch.incidents {
        actix_rt::spawn(incident.happen(at_us, ground.clone()));
    }
    actix_rt::spawn(watch(ground));
    tokio::select! {
        biased;
        journal = end => {
            let journal = journal.unwrap_or(Err(JournalError::Poisoned)).map_err(Failure::Journal)?;
            Ok(Finished { journal, ended_us: clock.now_us() })
        }
        failure = directory.failure() => Err(failure),
    }
}

/// How often somebody looks whether the actors that no other actor watches still live.
const WATCH_EVERY_US: u64 = 5_000_000;

/// An actor that died unguarded takes no message any more, and nobody would ever answer.
async fn watch(ground: Ground) {
    loop {
        ground.clock.sleep_us(WATCH_EVERY_US).await;
        if !ground.directory.is_staffed() {
            let why = "supervisor, merger or recorder died without a word".to_owned();
            return ground.directory.fail(Failure::Broken(why));
        }
    }
}

/// Merger and supervisor first, then lanes in the order of their identifiers.
fn start_team(ground: &Ground, journal: PathBuf) -> Result<(), Failure> {
    let roster = ground.directory.roster();
    let lanes = || (0..ground.team.lanes.len() as u32).map(LaneId);
    lanes().zip(&ground.team.lanes).for_each(|(lane, spec)| roster.join(lane, spec));
    let (work, queue) = mpsc::channel(ground.team.caps.queue as usize);
    let merger = Merger::new(ground.clone(), journal.clone(), queue);
    ground.directory.set_merger(actix::Supervisor::start(|_| merger), work);
    let folded = fold_supervision(&journal).map_err(|damage| Failure::Broken(damage.to_string()))?;
    let supervisor = Supervisor::new(ground.clone(), journal, folded);
    ground.directory.set_supervisor(actix::Supervisor::start(|_| supervisor));
    lanes().for_each(|lane| roster.begin(lane, Lane::new(lane, 0, ground.clone()).start()));
    Ok(())
}
