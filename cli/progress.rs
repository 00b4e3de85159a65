//! A line on stderr that says how far a run is, while somebody watches.

use crate::answer::mutter;
use crate::say;
use baton_actors::progress::Progress;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Shows progress until it is dropped.
pub(crate) struct Line {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Line {
    /// On a terminal; silent elsewhere.
    pub(crate) fn start(progress: Arc<Progress>) -> Line {
        if !std::io::stderr().is_terminal() {
            return Line { stop: None, thread: None };
        }
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || show(&progress, &stopped));
        Line { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A progress line that panicked is no reason to fail a run.
            drop(thread.join());
        }
    }
}

fn show(progress: &Progress, stopped: &Receiver<()>) {
    let mut shown = false;
    while stopped.recv_timeout(Duration::from_millis(200)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
        let now = progress.snapshot();
        let what = if now.control { "control run" } else { "run" };
        let virtual_time = say::duration(now.now_us as f64 / 1e6);
        let (landed, records) = (say::counted(now.landed, "change"), say::counted(now.records, "record"));
        let lanes = format!("{} think, {} wait, {} land", now.thinking, now.waiting, now.landing);
        mutter(&format!("\r\x1b[2K{what}: {virtual_time} · {landed} · {records} · lanes: {lanes}"));
        shown = true;
    }
    if shown {
        mutter("\r\x1b[2K");
    }
}
