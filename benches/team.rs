//! What the benches of whole runs share: running a scenario in a folder that goes away with it.

#![allow(dead_code, reason = "each bench uses its part")]

use baton_actors::progress::Progress;
use baton_scenarios::file;
use baton_scenarios::outcome::Outcome;
use baton_scenarios::run::{Options, Source, run};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

/// A run that has ended, and its folder.
pub(crate) struct Ran {
    pub(crate) outcome: Outcome,
    folder: TempDir,
}

impl Ran {
    /// The journal's folder.
    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.path().join("run/journal")
    }
}

/// Runs a scenario, given as the text of its file.
pub(crate) fn run_text(text: &str) -> Ran {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the target folder can be written to");
    let scenario = match file::read("bench", text.as_bytes()) {
        Ok(scenario) => scenario,
        Err(faults) => panic!("{}", faults.render(false)),
    };
    let options = Options {
        seed: None,
        world: None,
        repository: None,
        out: folder.path().join("run"),
        interrupted: Arc::new(AtomicBool::new(false)),
        progress: Arc::new(Progress::default()),
        anyway: false,
    };
    let outcome =
        run(Source { scenario: &scenario, bytes: text.as_bytes() }, &options).expect("the scenario can be run");
    Ran { outcome, folder }
}
