//! A repository with its state directory: the lock, the line of those who wait, the log, the gates' folders.
//!
//! State is `baton/` in the directory that all worktrees share, so all of them see the same. Whoever may change anything
//! holds the lock; a second one waits behind the first, in the order of coming. The folders of gates lie elsewhere, in the
//! person's cache: many tools refuse to look into anything below a `.git`.

use crate::LandError;
use crate::fact::Fact;
use crate::log::Log;
use crate::recovery::Recovered;
use crate::verdicts::{Verdicts, hex};
use baton_world::clock::{unix_seconds, wait_for_process};
use baton_world::content::ContentStore;
use baton_world::gate::{GateRoom, Stop};
use baton_world::git::{Durability, PersonRepository};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A repository that is held: nobody else lands on it meanwhile.
#[derive(Debug)]
pub struct Site {
    repository: PersonRepository,
    state: PathBuf,
    outputs: ContentStore,
    verdicts: Verdicts,
    log: RefCell<Log>,
    history: RefCell<Vec<Fact>>,
    /// What was found of a killed session, once somebody has looked.
    pub(crate) left: RefCell<Option<Option<Recovered>>>,
    /// Both go when the site does.
    _ticket: Ticket,
    _lock: File,
}

/// Who waits, or works: one file each in `queue/`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// Version of this file.
    pub format: u32,
    /// The process.
    pub pid: u32,
    /// When the process was started, in the kernel's own count: a number that is used again is another process.
    pub started: u64,
    /// When it came, in seconds since 1970.
    pub since: i64,
    /// What it wants to land.
    pub wants: Vec<String>,
    /// What it is doing just now, in words.
    pub doing: String,
}

#[derive(Debug)]
struct Ticket {
    path: PathBuf,
    waiting: RefCell<Waiting>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // A ticket of a process that is gone is nobody's.
        let _ = fs::remove_file(&self.path);
    }
}

/// The state directory of a repository.
pub fn state_directory(repository: &PersonRepository) -> PathBuf {
    repository.common_directory().join("baton")
}

impl Site {
    /// Holds the repository around `place`, behind everybody who came before. `behind` hears once that there is somebody.
    pub fn hold(
        place: &Path,
        wants: &[String],
        stop: &Stop,
        behind: &mut dyn FnMut(&Waiting),
    ) -> Result<Option<Site>, LandError> {
        let mut repository = PersonRepository::find(place)?;
        let state = state_directory(&repository);
        let queue = state.join("queue");
        fs::create_dir_all(&queue).map_err(|error| LandError::disk("create", &queue, &error))?;
        let ticket = Ticket::take(&queue, wants)?;
        let Some(lock) = wait(&state, &ticket, stop, behind)? else { return Ok(None) };
        let Some(programs) = outlive(&state, stop)? else { return Ok(None) };
        repository.share_lock(programs);
        sweep(&state);
        repository.remove_own_locks()?;
        let (log, history) = Log::open(&state.join("log.jsonl"))?;
        let outputs = ContentStore::open(&state.join("outputs"), Durability::Durable);
        let outputs = outputs.map_err(|error| LandError::Disk(error.to_string()))?;
        let verdicts = Verdicts::open(&state)?;
        let (log, history) = (RefCell::new(log), RefCell::new(history.into_iter().map(|entry| entry.fact).collect()));
        let left = RefCell::new(None);
        Ok(Some(Site { repository, state, outputs, verdicts, log, history, left, _ticket: ticket, _lock: lock }))
    }

    /// The repository.
    pub fn repository(&self) -> &PersonRepository {
        &self.repository
    }

    pub(crate) fn outputs(&self) -> &ContentStore {
        &self.outputs
    }

    pub(crate) fn verdicts(&self) -> &Verdicts {
        &self.verdicts
    }

    /// Where objects lie aside.
    pub(crate) fn scratch_directory(&self) -> PathBuf {
        self.state.join("scratch")
    }

    /// Where texts for agents lie whose branch has no worktree.
    pub(crate) fn refused_directory(&self) -> PathBuf {
        self.state.join("refused")
    }

    /// Says what is being done, for whoever asks for the queue.
    pub(crate) fn doing(&self, what: &str) {
        self._ticket.waiting.borrow_mut().doing = what.to_owned();
        // Nobody's work depends on it.
        let _ = self._ticket.write();
    }

    /// All that was ever written down.
    pub fn history(&self) -> Vec<Fact> {
        self.history.borrow().clone()
    }

    /// Writes facts down; they are durable when this returns.
    pub(crate) fn write(&self, facts: &[Fact]) -> Result<(), LandError> {
        if !facts.is_empty() {
            self.log.borrow_mut().write(unix_seconds(), facts)?;
            self.history.borrow_mut().extend_from_slice(facts);
        }
        Ok(())
    }

    pub(crate) fn gate_room(&self, number: u32) -> Result<GateRoom, LandError> {
        let common = self.repository.common_directory();
        let name = hex(&Sha256::digest(common.as_os_str().as_bytes()))[..16].to_owned();
        let beside = self.state.join("gates");
        let room = cache_directory().unwrap_or_else(|| beside.clone()).join(name).join(number.to_string());
        Ok(GateRoom::open(&room, &beside, &number.to_string())?)
    }
}

/// Where this person's programs keep what can be made again.
fn cache_directory() -> Option<PathBuf> {
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = of("XDG_CACHE_HOME").or_else(|| of("HOME").map(|home| home.join(".cache")))?;
    let gates = cache.join("baton/gates");
    fs::create_dir_all(&gates).ok().map(|()| gates)
}

impl Ticket {
    fn take(queue: &Path, wants: &[String]) -> Result<Ticket, LandError> {
        let (pid, since) = (std::process::id(), unix_seconds());
        let doing = "waits".to_owned();
        let waiting =
            Waiting { format: 1, pid, started: started(pid).unwrap_or(0), since, wants: wants.to_vec(), doing };
        let last = tickets(queue)?.last().map_or(0, |(number, _)| *number);
        let path = queue.join(format!("{:012}-{pid}.json", last + 1));
        let ticket = Ticket { path, waiting: RefCell::new(waiting) };
        ticket.write()?;
        Ok(ticket)
    }

    fn write(&self) -> Result<(), LandError> {
        let text = serde_json::to_string(&*self.waiting.borrow()).expect("a ticket is plain data");
        let beside = self.path.with_extension("tmp");
        let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, &self.path));
        written.map_err(|error| LandError::disk("write", &self.path, &error))
    }
}

/// Waits until nobody who came before is alive, and takes the lock.
fn wait(
    state: &Path,
    ticket: &Ticket,
    stop: &Stop,
    behind: &mut dyn FnMut(&Waiting),
) -> Result<Option<File>, LandError> {
    let path = state.join("lock");
    let lock = File::create(&path).map_err(|error| LandError::disk("create", &path, &error))?;
    let mut told = false;
    loop {
        if stop.wished() {
            return Ok(None);
        }
        let before = before(ticket)?;
        if before.is_none() && flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return Ok(Some(lock));
        }
        if let Some(before) = before.filter(|_| !told) {
            behind(&before);
            told = true;
        }
        wait_for_process(Duration::from_millis(20));
    }
}

/// Removes what killed processes have left half written: nobody else writes these while the lock is held, but for tickets.
fn sweep(state: &Path) {
    let is_dead = |name: &str| {
        let pid =
            name.strip_suffix(".tmp").and_then(|name| name.rsplit_once('-')).and_then(|(_, pid)| pid.parse().ok());
        pid.is_some_and(|pid| started(pid).is_none())
    };
    let is_left = |folder: &str, name: &str| match folder {
        "queue" => is_dead(name),
        "verdicts" => name.ends_with(".tmp"),
        "outputs" => name.starts_with("new-"),
        _ => name.ends_with(".output") || name.ends_with(".lock"),
    };
    // What cannot be removed is in nobody's way.
    let _ = fs::remove_dir_all(state.join("scratch"));
    for folder in ["queue", "verdicts", "outputs", "gates"] {
        let entries = fs::read_dir(state.join(folder)).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_name().to_str().is_some_and(|name| is_left(folder, name))) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Waits for git programs that a killed session has left at work, and takes the lock that ours will share.
fn outlive(state: &Path, stop: &Stop) -> Result<Option<File>, LandError> {
    const TRIES_MAX: u32 = 3_000;
    let path = state.join("programs");
    let lock = File::create(&path).map_err(|error| LandError::disk("create", &path, &error))?;
    for _ in 0..TRIES_MAX {
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return Ok(Some(lock));
        }
        if stop.wished() {
            return Ok(None);
        }
        wait_for_process(Duration::from_millis(20));
    }
    let what = "a git program of a session that was killed is still at work".to_owned();
    Err(LandError::Busy(what, format!("end it: `fuser {}` names it", path.display())))
}

/// The first living one that came before.
fn before(ticket: &Ticket) -> Result<Option<Waiting>, LandError> {
    let queue = ticket.path.parent().expect("a ticket lies in the queue");
    for (_, path) in tickets(queue)? {
        if path == ticket.path {
            return Ok(None);
        }
        match read_ticket(&path) {
            Some(waiting) if waiting.is_alive() => return Ok(Some(waiting)),
            _ => {
                let _ = fs::remove_file(&path);
            }
        }
    }
    Ok(None)
}

fn tickets(queue: &Path) -> Result<Vec<(u64, PathBuf)>, LandError> {
    let entries = match fs::read_dir(queue) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(LandError::disk("list", queue, &error)),
    };
    let ticket = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let number = name.strip_suffix(".json")?.split_once('-')?.0.parse().ok()?;
        Some((number, entry.path()))
    };
    let mut tickets: Vec<_> = entries.flatten().filter_map(ticket).collect();
    tickets.sort();
    Ok(tickets)
}

fn read_ticket(path: &Path) -> Option<Waiting> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Everybody who waits or works on a repository, the first first.
pub fn queue(state: &Path) -> Result<Vec<Waiting>, LandError> {
    let tickets = tickets(&state.join("queue"))?;
    Ok(tickets.iter().filter_map(|(_, path)| read_ticket(path)).filter(Waiting::is_alive).collect())
}

impl Waiting {
    fn is_alive(&self) -> bool {
        started(self.pid) == Some(self.started)
    }
}

/// When a living process was started; see proc_pid_stat(5), field 22.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields = stat.rsplit_once(") ")?.1;
    // One that has ended and was not yet fetched by its parent does nothing any more.
    if fields.starts_with(['Z', 'X']) {
        return None;
    }
    fields.split(' ').nth(19)?.parse().ok()
}
