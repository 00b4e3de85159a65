//! The independent checker: reads the journal and the repository of a run, finished or killed, and says
//! promise by promise whether it is held, broken, open, in doubt or not exercised.
//!
//! Shares record types with the rest of the product and no code: it has its own reader, its own overlap of
//! patterns, its own fold of every rule. Writes nothing into the run and obeys no setting in it.
//!
//! Reading order: `run_folder`, `line` and `reader` with `lanes` (bytes to records); `fold` and what it hands
//! records to: `opening`, `changes`, `leases` with `patterns`, `slots`, `budgets`, `gates`, `board` with
//! `groups`, `pause`, `stop`, `who`, `effects`, `life`, `orders`, `sequel`, which looks at several of them, and `packets`; then main itself: `refs`, `git`,
//! `repository`, `main_line` with `credit` and `trailers`, `replay` with [`history`], `conflicts`, `control` with `tokens`;
//! `packet_content` with `packet_form` for what was handed on, and [`shelf`](RunShelf) for others who look it up; last `claims`, `scenario_file` with `rollover`, `report` and `verdict`.

mod approvals;
mod artifacts;
mod board;
mod budgets;
mod changes;
mod claims;
mod conflicts;
mod consent;
mod control;
mod credit;
mod effects;
mod fold;
mod gates;
mod git;
mod groups;
pub mod history;
mod lanes;
mod leases;
mod life;
mod line;
mod main_line;
mod mandate;
mod opening;
mod orders;
mod packet_content;
mod packet_form;
mod packets;
mod patterns;
mod pause;
mod reader;
mod refs;
mod replay;
mod report;
mod repository;
mod role_file;
mod roles;
mod rollback;
mod rollover;
mod room;
mod rows;
mod run_folder;
mod scenario_file;
mod sequel;
mod shelf;
mod slots;
mod stop;
mod tokens;
mod trailers;
mod undo;
mod verdict;
mod who;

pub use baton_record::promise::Status;
pub use report::{Damage, Promise, Report};
pub use shelf::{RunShelf, RunStory};

use fold::Fold;
use lanes::Lanes;
use run_folder::RunFolder;
use std::fmt;
use std::path::Path;

/// Why a folder cannot be verified at all: it is not a run, one of another format, or git is not there. A run that is damaged or
/// forged can always be verified, and is found broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Where, and what is wrong.
    pub what: String,
    /// What to do about it.
    pub cure: String,
}

impl Unreadable {
    fn at(path: &Path, what: String) -> Unreadable {
        let cure = "name the folder of a run, the one that holds journal/ and one repository".into();
        Unreadable { what: format!("{}: {what}", path.display()), cure }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.cure)
    }
}

impl std::error::Error for Unreadable {}

/// Verifies the run in folder `run`.
///
/// Streams the journal once and reads the repository in bulk. The run is not written to; scratch goes to
/// the system's place for temporary files and is removed. Never panics on what it reads.
pub fn verify(run: &Path) -> Result<Report, Unreadable> {
    let folder = RunFolder::open(run)?;
    if let Some(format) = folder.strange_format() {
        let what = format!("{}: its format {format} is not known, and nothing is said of it", run.display());
        return Err(Unreadable { what, cure: "verify it with the version of baton that wrote it".into() });
    }
    std::thread::scope(|scope| {
        let sound = scope.spawn(|| verdict::soundness(&folder));
        let mut lanes = Lanes::default();
        let mut fold = Fold::default();
        let reading = reader::read(&folder.journal, &mut lanes, &mut |seq, record, lanes| {
            fold.see(seq, record, lanes);
        })?;
        let mut verdict = verdict::Verdict::of_journal(&folder, &reading);
        if reading.damage.is_none() {
            verdict.judge_repository(&folder, &mut fold, (&lanes, sound))?;
        }
        Ok(verdict.close(run, fold, reading))
    })
}
