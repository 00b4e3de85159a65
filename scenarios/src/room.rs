//! Whether a disk has room for a run, before anything is made on it.
//!
//! How much a run takes is the plan's estimate; how much is free is asked of the file system.

use crate::plan::{self, Disk, Ground};
use crate::run::{Options, RunError};
use crate::scenario::{Scenario, Workspace};
use baton_world::git::survey;
use std::path::{Path, PathBuf};

/// What a run is expected to take; `None`: its workspace cannot be looked at, which is told when it is copied.
pub(crate) fn estimate(scenario: &Scenario, options: &Options) -> Option<Disk> {
    let (path, base) = match (&options.repository, &scenario.workspace) {
        (None, Workspace::Fixture { .. }) => {
            let ground = Ground::of_fixture(scenario)?;
            return Some(plan::plan(scenario, &ground).disk);
        }
        (None, Workspace::Repository { path, base }) => (PathBuf::from(path), base.clone()),
        (Some(path), Workspace::Repository { base, .. }) => (path.clone(), base.clone()),
        (Some(path), Workspace::Fixture { .. }) => (path.clone(), None),
    };
    let survey = survey(&path, base.as_deref()).ok()?;
    Some(plan::plan(scenario, &Ground::new(survey)).disk)
}

/// Refuses a run that is expected to take more than is free where it is to be.
pub(crate) fn check(out: &Path, disk: &Disk) -> Result<(), RunError> {
    let needed = disk.bytes.expected;
    match free_bytes(out) {
        Some(free) if free < needed => Err(RunError::DiskTooSmall { out: out.to_owned(), needed, free }),
        _ => Ok(()),
    }
}

/// Bytes that are free on the disk of a folder that may still have to be made; `None` where there is no disk, such as below
/// `/proc`.
fn free_bytes(out: &Path) -> Option<u64> {
    let found = out.ancestors().map(|above| if above.as_os_str().is_empty() { Path::new(".") } else { above });
    let there = found.into_iter().find(|above| above.exists())?;
    let told = rustix::fs::statvfs(there).ok()?;
    (told.f_blocks > 0).then(|| told.f_bavail.saturating_mul(told.f_frsize))
}
