//! What can be written on the command line. Parsed here, obeyed elsewhere.

mod radar;

pub(crate) use radar::{Conflicts, Prove, ProveMerge};

use baton_scenarios::scenario::World;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What `--help` says below the flags.
const EXIT_CODES: &str = "\
Exit codes:
  0   held
  1   an expectation or a task failed
  2   wrong use, a faulty file, or no git that will do
  3   a promise is broken
  4   a threshold is missed
  5   a limit, a full disk or a person ended it before it was done
  6   it waits for a person
  7   no such run, or it cannot be read
  70  a bug";

/// The same for what works on a person's repository.
const LAND_CODES: &str = "\
Exit codes:
  0   everything is on main
  1   something was refused; the rest has landed
  2   wrong use, no gate, a checkout in the way, or no git that will do
  3   the log of landings is damaged
  5   it was interrupted, main was moved by others again and again, or the disk is full
  7   no repository
  70  a bug";

/// Runs teams of agents on one repository, so that nobody's work is lost.
#[derive(Debug, Parser)]
#[command(name = "baton", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// A scripted team with concurrent writers and faults, in virtual time; then the same without the merger
    Demo(Demo),
    /// Run a scenario file, or a shipped scenario by its name
    Run(Run),
    /// Check scenario files, skill files and packets: all their mistakes at once
    Check(Check),
    /// Say what a scenario will take before it runs: lanes, leases, hand-offs, money, time and disk
    Plan(Plan),
    /// Check a run folder: what was promised, what was held
    Verify(Verify),
    /// Make the report of a run folder anew: where time and money went, what was done twice, what waited
    Report(Report),
    /// List run folders: verdict, size, and whether they are verified
    Runs(Runs),
    /// Remove run folders that are old, ended and intact; everything else stays and is told with the reason
    Gc(Gc),
    /// Land branches on main: one after another, through the gates, or not at all; in any repository
    Land(Land),
    /// Take back what a landed branch or a commit brought: an inverse change through the same gates
    #[command(alias = "undo")]
    Rollback(Rollback),
    /// Which branches, worktrees and uncommitted work are in each other's way: each two merged aside, nothing touched
    Conflicts(Conflicts),
    /// Who waits to land, what is being tried, and what became of what was tried before
    Queue(Queue),
    /// Find the command that tests this repository, prove main green with it, and write baton.yaml
    Init(Init),
    /// Prove on this machine what is promised
    Prove {
        #[command(subcommand)]
        what: Prove,
    },
    /// List the scenarios that come with the program
    Scenarios {
        /// Print one JSON object on stdout
        #[arg(long)]
        json: bool,
    },
    /// Explain an error code of a file, or a promise of `verify`
    Explain(Explain),
    /// Print the JSON Schema of a format
    Schema {
        /// Of which format
        #[arg(value_enum)]
        of: Format,
    },
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Demo {
    /// Another seed than the scenario's
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// The run folder: new, or empty [default: runs/NAME-1, or the next number that is free]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Run {
    /// A scenario file, or the name of a shipped scenario (`baton scenarios` lists them)
    #[arg(value_name = "FILE")]
    pub(crate) scenario: PathBuf,
    /// Another seed than the scenario's
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// Work on a copy of this repository instead of the scenario's workspace
    #[arg(long, value_name = "PATH")]
    pub(crate) repo: Option<PathBuf>,
    /// Where the scenario runs, whatever its file says
    #[arg(long, value_enum)]
    pub(crate) world: Option<WorldWord>,
    /// The run folder: new, or empty [default: runs/NAME-1, or the next number that is free]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// Begin even if the disk seems to be too small
    #[arg(long)]
    pub(crate) anyway: bool,
    /// How faults of the scenario file are shown on stderr
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) error_format: ErrorFormat,
    /// When to use colours
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) color: Color,
}

#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Plan {
    /// A scenario file, or the name of a shipped scenario (`baton scenarios` lists them)
    #[arg(value_name = "FILE")]
    pub(crate) scenario: PathBuf,
    /// Another seed than the scenario's
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// Plan for a copy of this repository instead of the scenario's workspace
    #[arg(long, value_name = "PATH")]
    pub(crate) repo: Option<PathBuf>,
    /// Where the scenario would run, whatever its file says
    #[arg(long, value_enum)]
    pub(crate) world: Option<WorldWord>,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) color: Color,
}

#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Verify {
    /// The run folder
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Leave the finding in the run folder (verified.json), so that `gc` knows that somebody has looked at a killed run
    #[arg(long)]
    pub(crate) record: bool,
    /// Run it again with its seed, in a temporary folder, and compare the journals byte by byte (TIME-1; virtual time only)
    #[arg(long)]
    pub(crate) again: bool,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Report {
    /// The run folder; the run may have been killed
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// How the report is told
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: ReportFormat,
    /// When to use colours
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) color: Color,
}

#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Check {
    /// Scenario files, names of shipped scenarios, packets (FILE.json), and roles: a folder with a SKILL.md, or the file
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// A run folder in which the links of packets are looked up
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<PathBuf>,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// How mistakes are shown: `json` is the same as `--json`
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) error_format: ErrorFormat,
    /// When to use colours
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) color: Color,
}

#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Runs {
    /// Folders that hold run folders
    #[arg(value_name = "DIR", default_value = "runs")]
    pub(crate) folders: Vec<PathBuf>,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Gc {
    /// Folders that hold run folders
    #[arg(value_name = "DIR", default_value = "runs")]
    pub(crate) folders: Vec<PathBuf>,
    /// Only runs that ended so long ago: `12h`, `7d`, `0s`
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = time)]
    pub(crate) older_than: i64,
    /// Of the runs that could go, keep the newest N of each folder
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) keep: usize,
    /// Say what would go, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Rely on recorded verifications whose journal and main end as they did then, instead of verifying again
    #[arg(long)]
    pub(crate) recorded: bool,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = LAND_CODES)]
pub(crate) struct Land {
    /// Branches, or any names of commits
    #[arg(value_name = "BRANCH")]
    pub(crate) branches: Vec<String>,
    /// All local branches and worktrees with something that main has not, the oldest first
    #[arg(long, conflicts_with = "branches")]
    pub(crate) all: bool,
    /// The branch to land on [default: main, else master]
    #[arg(long, value_name = "BRANCH")]
    pub(crate) onto: Option<String>,
    #[command(flatten)]
    pub(crate) gates: GateArguments,
    /// Run so many gates at once while a red one is searched for
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) jobs: u32,
    /// Whether main goes branch by branch, or to the end of the row at once
    #[arg(long, value_enum, default_value = "tip")]
    pub(crate) batch: BatchWord,
    /// One commit for each branch instead of a merge
    #[arg(long)]
    pub(crate) squash: bool,
    /// Let a branch change baton.yaml, which says what the gates are
    #[arg(long)]
    pub(crate) allow_gate_change: bool,
    /// Search for the partner of a red branch however many runs of the gates it takes
    #[arg(long)]
    pub(crate) blame_fully: bool,
    /// Merge and run the gates, but move nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Fetch the branch from this remote first, and move it there before here; otherwise nothing is fetched or pushed
    #[arg(long, value_name = "NAME")]
    pub(crate) remote: Option<String>,
    /// Where main is protected: land on --onto, made if it is not there, push that, and print the text of a pull request
    #[arg(long, requires = "remote", requires = "onto")]
    pub(crate) pr: bool,
    /// Leave the reasons of a refusal where the branch's agent looks: `.baton/refused.md` in its worktree
    #[arg(long)]
    pub(crate) hand_back: bool,
    /// Delete branches that have landed, unless they are checked out
    #[arg(long)]
    pub(crate) delete_landed: bool,
    /// Move clean worktrees of landed branches on to main
    #[arg(long)]
    pub(crate) refresh: bool,
    /// Go on: land what appears, as soon as it has been still for two seconds; until ctrl-C
    #[arg(long, requires = "all")]
    pub(crate) watch: bool,
    /// The repository, from any folder in it
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub(crate) repo: PathBuf,
    /// Print one JSON object on stdout; with --watch one a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// What main must pass.
#[derive(Args, Debug)]
pub(crate) struct GateArguments {
    /// A command that every tree must pass before it becomes main; may be given several times [default: `gates` of baton.yaml on main]
    #[arg(long, value_name = "COMMAND", conflicts_with = "no_gate")]
    pub(crate) gate: Vec<String>,
    /// Land without any gate; this is written down
    #[arg(long)]
    pub(crate) no_gate: bool,
    /// End a gate after this time: `90s`, `20m` [default: 30m]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<i64>,
}

#[derive(Args, Debug)]
#[command(after_help = LAND_CODES)]
pub(crate) struct Rollback {
    /// A branch that has landed, or any name of a commit on main
    #[arg(value_name = "CHANGE")]
    pub(crate) change: String,
    /// The branch that it landed on [default: main, else master]
    #[arg(long, value_name = "BRANCH")]
    pub(crate) onto: Option<String>,
    #[command(flatten)]
    pub(crate) gates: GateArguments,
    /// Merge and run the gates, but move nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The repository, from any folder in it
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub(crate) repo: PathBuf,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Queue {
    /// So many of the latest decisions are shown
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) last: usize,
    /// The repository, from any folder in it
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub(crate) repo: PathBuf,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = LAND_CODES)]
pub(crate) struct Init {
    /// The command, instead of one that is found
    #[arg(long, value_name = "COMMAND")]
    pub(crate) gate: Vec<String>,
    /// End the gate after this time: `90s`, `20m` [default: 30m]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<i64>,
    /// Commit the file to main too
    #[arg(long)]
    pub(crate) commit: bool,
    /// The branch whose gates these are [default: main, else master]
    #[arg(long, value_name = "BRANCH")]
    pub(crate) onto: Option<String>,
    /// The repository, from any folder in it
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub(crate) repo: PathBuf,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// An error code or a promise, for example E0112 or MAIN-1; without one, all are listed
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

/// Seconds.
fn time(text: &str) -> Result<i64, String> {
    let micros = baton_scenarios::file::duration_us(text);
    let seconds = micros.and_then(|micros| i64::try_from(micros / 1_000_000).ok());
    seconds.ok_or_else(|| "a time is written with units from large to small: `30m`, `12h`, `7d`".to_owned())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// What one lane hands to the next
    Packet,
    /// What a lane is told whose change does not merge
    ConflictReport,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BatchWord {
    /// Every branch by itself: each tree on the way has passed
    Each,
    /// All at once: one run of the gates if it is green
    Tip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WorldWord {
    /// Virtual time
    Sim,
    /// The real clock
    Live,
}

impl From<WorldWord> for World {
    fn from(word: WorldWord) -> World {
        match word {
            WorldWord::Sim => World::Sim,
            WorldWord::Live => World::Live,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ErrorFormat {
    /// With the lines of the file
    Human,
    /// One JSON object
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// One screen
    Text,
    /// Every figure, in tables
    Markdown,
    /// Every figure, for programs
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Whether to colour what goes to stderr.
    pub(crate) fn wanted(self) -> bool {
        self.wanted_on(&std::io::stderr())
    }

    /// Whether to colour what goes to this stream.
    pub(crate) fn wanted_on(self, stream: &impl std::io::IsTerminal) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                !refused && stream.is_terminal()
            }
        }
    }
}
