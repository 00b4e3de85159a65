//! Which runs can go, and letting them go: those that are old, ended or verified by a person, and intact now.
//!
//! Whatever is broken, waits for a person, goes on, was killed and never verified, or is no run stays, and is told with
//! the reason. A control run is broken by design and belongs to the run beside it: it goes with that, never alone.

use super::evidence;
use super::inventory;
use super::listing::{self, Listing, Odd, RunEntry, State, Verified};
use super::trash::{Held, NotHeld, is_trash};
use crate::run::control_folder;
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Runs that ended less than so many seconds ago stay.
    pub older_than_s: i64,
    /// So many of those that could go stay, the newest.
    pub keep: usize,
    /// Nothing is removed.
    pub dry_run: bool,
    /// A recorded verification counts if journal and main end as they did then; else each run is verified anew.
    pub recorded: bool,
    /// Now, in seconds since 1970.
    pub now_s: i64,
}

/// What became of everything.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Freed {
    /// Runs that are gone, or would be.
    pub freed: Vec<Gone>,
    /// Leftovers of an interrupted removal that are gone, or would be.
    pub leftovers: Vec<Gone>,
    /// Runs that stay.
    pub kept: Vec<Odd>,
    /// What is no run, and stays.
    pub odd: Vec<Odd>,
    /// What should have gone and could not be removed.
    pub failed: Vec<Odd>,
}

/// A folder that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gone {
    /// Where it was.
    pub path: PathBuf,
    /// What it took on the disk.
    pub bytes: u64,
}

impl Freed {
    /// What is free now, or would be.
    pub fn bytes(&self) -> u64 {
        self.freed.iter().chain(&self.leftovers).map(|gone| gone.bytes).sum()
    }
}

/// Frees what can go below `folder`, into `freed`.
pub fn free(folder: &Path, wanted: Wanted, freed: &mut Freed) -> io::Result<()> {
    let Listing { runs, odd } = listing::list(folder)?;
    for odd in odd {
        if is_trash(&odd.path) { freed.finish(&odd.path, wanted.dry_run) } else { freed.odd.push(odd) }
    }
    let (controls, mut runs): (Vec<_>, Vec<_>) = runs.into_iter().partition(|run| run.control);
    // The newest first, so that those that are to be kept come first.
    runs.sort_by(|a, b| b.ended_unix_s.cmp(&a.ended_unix_s).then_with(|| a.run.cmp(&b.run)));
    let mut spared = 0;
    let mut gone_with = Vec::new();
    for run in &runs {
        match why_kept(run, wanted) {
            Some(why) => freed.keep(&run.run, &why),
            None if spared < wanted.keep => {
                spared += 1;
                freed.keep(&run.run, &format!("among the {} newest that could go", wanted.keep));
            }
            None => {
                let control = controls.iter().find(|control| belongs(control, run));
                if freed.remove(run, wanted) {
                    gone_with.extend(control.map(|control| control.run.clone()));
                }
            }
        }
    }
    for control in &controls {
        if gone_with.contains(&control.run) {
            freed.remove_control(control, wanted);
        } else {
            let run = runs.iter().any(|run| control_folder(&run.run) == control.run);
            let why =
                if run { "the control run of a run that stays" } else { "a control run whose run is not beside it" };
            freed.keep(&control.run, why);
        }
    }
    Ok(())
}

/// The control run of the same scenario and seed.
fn belongs(control: &RunEntry, run: &RunEntry) -> bool {
    control_folder(&run.run) == control.run && (&control.scenario, control.seed) == (&run.scenario, run.seed)
}

/// Why a run stays; `None`: it could go, as far as can be seen at a glance.
fn why_kept(run: &RunEntry, wanted: Wanted) -> Option<String> {
    if run.state == State::Running {
        return Some("it goes on, or somebody has it in hand".to_owned());
    }
    if let Some(complaint) = &run.complaint {
        return Some(format!("it cannot be judged: {complaint}"));
    }
    if run.state == State::Killed && run.verified_by != Some("verify") {
        return Some("it was killed and nobody has verified it; `baton verify --record` does".to_owned());
    }
    if run.verified == Verified::Broken || run.verdict.as_deref() == Some("broken") {
        return Some("it is broken".to_owned());
    }
    if run.verdict.as_deref() == Some("waiting") {
        return Some("it waits for a person".to_owned());
    }
    let age_s = wanted.now_s - run.ended_unix_s;
    (age_s < wanted.older_than_s).then(|| format!("it ended {} ago", age(age_s)))
}

/// `3 d`, `5 h`, `12 m`, `40 s`.
fn age(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} m", seconds / 60),
        seconds @ 3_600..86_400 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

impl Freed {
    fn keep(&mut self, path: &Path, why: &str) {
        self.kept.push(Odd { path: path.to_owned(), why: why.to_owned() });
    }

    /// Verifies a run under its lock and removes it if it is intact; whether it is gone, or would be.
    fn remove(&mut self, run: &RunEntry, wanted: Wanted) -> bool {
        let Some(held) = self.take(&run.run) else { return false };
        // It may have changed since it was listed.
        let now = listing::look_again(&run.run);
        if let Some(why) = why_kept(&now, wanted) {
            self.keep(&run.run, &why);
            return false;
        }
        if !(wanted.recorded && now.verified == Verified::Intact) {
            match baton_check::verify(&run.run) {
                Ok(report) if report.intact => {}
                Ok(report) => {
                    let broken = report.promises.iter().filter(|promise| promise.status == baton_check::Status::Broken);
                    let ids: Vec<&str> = broken.map(|promise| promise.id).collect();
                    self.keep(&run.run, &format!("it is broken: {}", ids.join(", ")));
                    return false;
                }
                Err(unreadable) => {
                    self.keep(&run.run, &format!("it cannot be verified: {unreadable}"));
                    return false;
                }
            }
        }
        self.let_go(held, &run.run, now.bytes, wanted.dry_run)
    }

    fn remove_control(&mut self, control: &RunEntry, wanted: Wanted) {
        if control.state == State::Running {
            return self.keep(&control.run, "it goes on, or somebody has it in hand");
        }
        if let Some(held) = self.take(&control.run) {
            self.let_go(held, &control.run, control.bytes, wanted.dry_run);
        }
    }

    /// Finishes what an interrupted removal has left.
    fn finish(&mut self, trash: &Path, dry_run: bool) {
        let bytes = evidence::size_of(trash);
        let Some(held) = self.take(trash) else { return };
        let gone = Gone { path: trash.to_owned(), bytes };
        match if dry_run { Ok(()) } else { held.remove() } {
            Ok(()) => self.leftovers.push(gone),
            Err(error) => self.fail(trash, &error),
        }
    }

    fn take(&mut self, path: &Path) -> Option<Held> {
        match Held::take(path) {
            Ok(held) => return Some(held),
            Err(NotHeld::Taken) => self.keep(path, "it goes on, or somebody has it in hand"),
            // Another one was faster.
            Err(NotHeld::Gone) => {}
            Err(NotHeld::Refused(error)) => self.keep(path, &format!("it cannot be opened: {error}")),
        }
        None
    }

    /// Removes what is known to be a run's, and nothing that somebody has put among it.
    fn let_go(&mut self, held: Held, path: &Path, bytes: u64, dry_run: bool) -> bool {
        if let Some(stranger) = inventory::stranger(path) {
            let stranger = stranger.strip_prefix(path).unwrap_or(&stranger);
            self.keep(
                path,
                &format!("there is something in it that no run makes: {}; take it out first", stranger.display()),
            );
            return false;
        }
        match if dry_run { Ok(()) } else { held.remove() } {
            Ok(()) => self.freed.push(Gone { path: path.to_owned(), bytes }),
            Err(error) => {
                self.fail(path, &error);
                return false;
            }
        }
        true
    }

    fn fail(&mut self, path: &Path, error: &io::Error) {
        self.failed.push(Odd { path: path.to_owned(), why: format!("it cannot be removed: {error}") });
    }
}
