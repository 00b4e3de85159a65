//! The words of what looks at merges and moves nothing: `conflicts`, `prove merge`.

use super::{EXIT_CODES, seed};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What the codes mean for `conflicts`.
const CONFLICTS_CODES: &str = "\
Exit codes:
  0   all pairs merge
  1   some do not
  2   wrong use, or no git that will do
  3   the journal of the run is damaged
  5   it was interrupted, or the disk is full
  7   no repository, or no run
  70  a bug";

#[derive(Args, Debug)]
#[command(after_help = CONFLICTS_CODES)]
pub(crate) struct Conflicts {
    /// Branches, or any names of commits; one alone is compared with all others [default: main, and everything ahead of it]
    #[arg(value_name = "REF")]
    pub(crate) refs: Vec<String>,
    /// Instead, compare the changes of a run's lanes that have not landed, also of a run that was killed or goes on
    #[arg(long, value_name = "DIR", conflicts_with_all = ["refs", "worktrees", "committed", "onto", "repo"])]
    pub(crate) run: Option<PathBuf>,
    /// Compare worktrees alone, each with what lies in it
    #[arg(long, conflicts_with = "refs")]
    pub(crate) worktrees: bool,
    /// Leave uncommitted work out
    #[arg(long)]
    pub(crate) committed: bool,
    /// The branch that is main [default: main, else master]
    #[arg(long, value_name = "BRANCH")]
    pub(crate) onto: Option<String>,
    /// The repository, from any folder in it
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub(crate) repo: PathBuf,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Prove {
    /// That merges made in process are those of git: every merge of a repository again, or generated ones
    Merge(ProveMerge),
}

#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct ProveMerge {
    /// Replay every merge of two parents in the history of all refs
    #[arg(long, required_unless_present_any = ["generated", "neighbours", "rollbacks"])]
    pub(crate) all: bool,
    /// Instead, merge what each of them has merged with what the next N of them have: work that was done side by side
    #[arg(long, value_name = "N", conflicts_with = "all")]
    pub(crate) neighbours: Option<usize>,
    /// Instead, take back every change of the branch that is checked out, N changes later
    #[arg(long, value_name = "N", conflicts_with_all = ["all", "neighbours"])]
    pub(crate) rollbacks: Option<usize>,
    /// Instead, generate so many merges and compare these
    #[arg(long, value_name = "N", conflicts_with_all = ["all", "repo", "neighbours", "rollbacks"])]
    pub(crate) generated: Option<u64>,
    /// What they are generated from
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = seed, requires = "generated")]
    pub(crate) seed: u64,
    /// The repository, from any folder in it
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub(crate) repo: PathBuf,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}
