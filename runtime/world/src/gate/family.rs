//! Who is left of a gate that has gone out of its way not to be found: out of its group and session, and with an empty
//! environment.
//!
//! While gates run, whoever loses its parent below us becomes our child. Of our own children we know the shells of gates;
//! programs of git lead groups in our session and bear a setting of ours. Everybody else was a gate's. Whoever bears the mark
//! of a gate that is still at work is that one's to end, and whoever bears none goes when the last gate does. Knows nothing of
//! what was asked of somebody else to start, such as a service manager: that is nobody's child here.

use super::process::MARK;
use crate::clock::wait_for_process;
use rustix::process::{Pid, Signal, WaitOptions, getpid, getsid, kill_process, set_child_subreaper, waitpid};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Gates at work in this process: the shell of each, and its mark.
static AT_WORK: Mutex<Vec<(Pid, String)>> = Mutex::new(Vec::new());

/// Only programs that we start for ourselves have it: gates get nothing of git's.
const OURS: &[u8] = b"GIT_TERMINAL_PROMPT=";

/// One gate at work.
pub(super) struct Family {
    shell: Pid,
}

impl Family {
    /// Starts the shell of a gate.
    pub(super) fn start(command: &mut Command, mark: &str) -> io::Result<(Child, Family)> {
        let mut at_work = at_work();
        // Where the kernel does not know this, groups and marks have to do.
        let _ = set_child_subreaper(Some(getpid()));
        let child = command.spawn()?;
        let shell = Pid::from_child(&child);
        at_work.push((shell, mark.to_owned()));
        Ok((child, Family { shell }))
    }

    /// Ends whoever is left of this one. Its shell has ended, and its mark was looked for.
    pub(super) fn end(self) {
        const ROUNDS_MAX: u32 = 50;
        let mut at_work = at_work();
        at_work.retain(|(shell, _)| *shell != self.shell);
        let mut ended = BTreeSet::new();
        for _ in 0..ROUNDS_MAX {
            let left = left_behind(&at_work);
            for pid in &left {
                let _ = kill_process(*pid, Signal::KILL);
                ended.insert(pid.as_raw_nonzero());
            }
            ended.retain(|pid| !is_reaped(*pid));
            if left.is_empty() && ended.is_empty() {
                break;
            }
            wait_for_process(Duration::from_micros(1_000));
        }
        if at_work.is_empty() {
            let _ = set_child_subreaper(None);
        }
    }
}

fn at_work() -> MutexGuard<'static, Vec<(Pid, String)>> {
    AT_WORK.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_reaped(pid: std::num::NonZeroI32) -> bool {
    !matches!(waitpid(Some(Pid::from_raw(pid.get()).expect("it is not zero")), WaitOptions::NOHANG), Ok(None))
}

/// Our children that are neither a gate's shell, nor of a gate at work, nor programs of git.
fn left_behind(at_work: &[(Pid, String)]) -> Vec<Pid> {
    let (us, session) = (getpid(), getsid(None).ok());
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    let is_left = |pid: &Pid| {
        let Some(kin) = Kin::of(*pid).filter(|kin| kin.parent == us.as_raw_nonzero().get()) else { return false };
        if at_work.iter().any(|(shell, _)| shell == pid) {
            return false;
        }
        let looks_like_ours = kin.group == pid.as_raw_nonzero().get()
            && session.is_some_and(|session| session.as_raw_nonzero().get() == kin.session);
        if kin.has_ended {
            return !looks_like_ours;
        }
        let Some(environment) = environment(*pid) else { return false };
        let bears = |start: &[u8]| environment.split(|&byte| byte == 0).any(|entry| entry.starts_with(start));
        let of_another = at_work.iter().any(|(_, mark)| bears(format!("{MARK}={mark}").as_bytes()));
        let of_nobody = at_work.is_empty() || bears(format!("{MARK}=").as_bytes());
        !bears(OURS) && !of_another && of_nobody
    };
    pids.filter(is_left).collect()
}

/// What a process was started with; `None`: it is gone, or still on its way from us to its own program.
fn environment(pid: Pid) -> Option<Vec<u8>> {
    let place = |of: &str, what: &str| format!("/proc/{of}/{what}");
    let pid = pid.as_raw_nonzero().to_string();
    let program = fs::read_link(place(&pid, "exe")).ok()?;
    if fs::read_link(place("self", "exe")).is_ok_and(|own| own == program) {
        return None;
    }
    fs::read(place(&pid, "environ")).ok()
}

/// Who a process belongs to; see proc_pid_stat(5), fields 3 to 6.
struct Kin {
    has_ended: bool,
    parent: i32,
    group: i32,
    session: i32,
}

impl Kin {
    fn of(pid: Pid) -> Option<Kin> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let has_ended = matches!(fields.next()?, "Z" | "X");
        let mut number = || fields.next()?.parse().ok();
        Some(Kin { has_ended, parent: number()?, group: number()?, session: number()? })
    }
}
