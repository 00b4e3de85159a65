//! One gate's processes: started as a group, watched, and gone when the gate is over.

use super::family::Family;
use super::room::GateRoom;
use crate::Stopwatch;
use crate::clock::wait_for_process;
use crate::content::ContentStore;
use crate::git::{GitError, GitErrorKind};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A gate that says more than this, in bytes, is ended.
const OUTPUT_BYTES_MAX: u64 = 32 << 20;
/// So long a gate may take to end after it was asked to.
const GRACE_S: f64 = 2.0;

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateCommand {
    /// For `sh -c`.
    pub line: String,
    /// It is ended after so many seconds.
    pub timeout_s: u64,
}

/// How a gate ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateEnd {
    /// With status 0.
    Passed,
    /// With another, or by a signal: in words.
    Failed(String),
    /// It was ended because its time was over.
    TimedOut,
    /// It was ended because it said too much.
    TooLoud,
    /// It was ended because the person wishes to stop.
    Stopped,
}

/// One run of a gate.
#[derive(Clone, Debug)]
pub struct GateRun {
    /// How it ended.
    pub end: GateEnd,
    /// How long it took, in seconds.
    pub took_s: f64,
    /// Digest of what it said, in the content store.
    pub output: String,
    /// The end of what it said, a few kilobytes at most.
    pub tail: String,
    /// All of it.
    pub said: Vec<u8>,
}

/// Somebody may wish to stop; shared with whoever hears it.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// From here on everything that waits ends.
    pub fn wish(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was wished.
    pub fn wished(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// The flag itself, for a handler of signals.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.0.clone()
    }
}

impl GateCommand {
    /// Runs the gate in its room until it ends or is ended.
    pub fn run(&self, room: &GateRoom, outputs: &ContentStore, stop: &Stop) -> Result<GateRun, GitError> {
        let said = room.output_path();
        let file = output_file(&said)?;
        let twin = || file.try_clone().map_err(|error| GitError::io("open", &said, &error));
        let (stdout, stderr) = (twin()?, twin()?);
        let mark = room.mark();
        let mut command = Command::new("sh");
        command.arg("-c").arg(&self.line).current_dir(room.path()).process_group(0);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"GIT_")) {
            command.env_remove(name);
        }
        command.env(MARK, &mark).env("PWD", room.path()).stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        let clock = Stopwatch::start();
        let (child, family) = Family::start(&mut command, &mark)
            .map_err(|error| GitError::new(GitErrorKind::Io, format!("cannot start a shell for the gate: {error}")))?;
        let end = self.watch(child, &clock, &file, stop);
        let took_s = clock.seconds();
        end_all(&mark);
        family.end();
        let bytes = read_capped(file, &said)?;
        let _ = fs::remove_file(&said);
        let output = outputs.put(&bytes).map_err(|error| GitError::new(GitErrorKind::Io, error.to_string()))?;
        Ok(GateRun { end: end?, took_s, output, tail: tail_of(&bytes), said: bytes })
    }

    fn watch(&self, mut child: Child, clock: &Stopwatch, said: &File, stop: &Stop) -> Result<GateEnd, GitError> {
        let group = Pid::from_child(&child);
        let mut pause_us = 500;
        let end = loop {
            let ended = child.try_wait().map_err(|error| {
                GitError::new(GitErrorKind::Io, format!("cannot wait for the gate `{}`: {error}", self.line))
            })?;
            if let Some(status) = ended {
                break end_of(status);
            }
            let cut = match () {
                () if stop.wished() => Some(GateEnd::Stopped),
                () if clock.seconds() > self.timeout_s as f64 => Some(GateEnd::TimedOut),
                () if said.metadata().is_ok_and(|found| found.len() > OUTPUT_BYTES_MAX) => Some(GateEnd::TooLoud),
                () => None,
            };
            if let Some(cut) = cut {
                end_child(&mut child, group);
                break cut;
            }
            wait_for_process(Duration::from_micros(pause_us));
            pause_us = (pause_us * 2).min(10_000);
        };
        // Whoever is left of the group has outlived the gate.
        let _ = kill_process_group(group, Signal::KILL);
        Ok(end)
    }
}

/// Names every process of one run of a gate, whatever group it has put itself into.
pub(super) const MARK: &str = "BATON_GATE";

/// A file for what a gate says. It is read by this handle, whatever the gate puts in the file's place.
fn output_file(path: &Path) -> Result<File, GitError> {
    // A link that a gate has left there would lead somewhere else.
    let _ = fs::remove_file(path);
    let opened = File::options().read(true).write(true).create_new(true).open(path);
    opened.map_err(|error| GitError::io("create", path, &error))
}

fn end_child(child: &mut Child, group: Pid) {
    let _ = kill_process_group(group, Signal::TERM);
    let clock = Stopwatch::start();
    while clock.seconds() < GRACE_S {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        wait_for_process(Duration::from_micros(5_000));
    }
    let _ = kill_process_group(group, Signal::KILL);
    let _ = child.wait();
}

/// Ends every process whose mark begins so, again until there is none: one may start another meanwhile.
pub(super) fn end_all(mark: &str) {
    const ROUNDS_MAX: u32 = 20;
    let wanted = format!("{MARK}={mark}");
    for _ in 0..ROUNDS_MAX {
        let found = marked(wanted.as_bytes());
        if found.is_empty() {
            return;
        }
        for pid in found {
            let _ = kill_process(pid, Signal::KILL);
        }
        wait_for_process(Duration::from_micros(2_000));
    }
}

fn marked(wanted: &[u8]) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let bears = |pid: &i32| {
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environment| environment.split(|&byte| byte == 0).any(|entry| entry.starts_with(wanted)))
    };
    pids.filter(bears).filter_map(Pid::from_raw).collect()
}

fn end_of(status: ExitStatus) -> GateEnd {
    match (status.code(), status.signal()) {
        (Some(0), _) => GateEnd::Passed,
        (Some(code), _) => GateEnd::Failed(format!("status {code}")),
        (None, Some(signal)) => GateEnd::Failed(format!("signal {signal}")),
        (None, None) => GateEnd::Failed("no status".to_owned()),
    }
}

/// No more than a gate may say, however long it has made the file.
fn read_capped(mut file: File, path: &Path) -> Result<Vec<u8>, GitError> {
    let mut bytes = Vec::new();
    let read = file.rewind().and_then(|()| file.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|error| GitError::io("read", path, &error))
}

/// The last lines, without control characters that would move a terminal's cursor.
fn tail_of(bytes: &[u8]) -> String {
    const TAIL_BYTES: usize = 4096;
    let start = bytes.len().saturating_sub(TAIL_BYTES);
    let text = String::from_utf8_lossy(&bytes[start..]);
    let clean = |c: char| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c };
    text.chars().map(clean).collect()
}
