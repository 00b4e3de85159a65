//! The binary: reads the command line, says what came of it, and ends with the exit code that belongs to it.
//!
//! The only crate that prints, and of it only `answer` does. Knows no rule and no format but those of its own output.
//! Reading order: `arguments`, `usage`, `run`, `check`, `verify`, `report`, `explain`; what they say: `say`, `checked`, `answer`.

mod answer;
mod arguments;
mod check;
mod checked;
mod conflicts;
mod conflicts_of_run;
mod explain;
mod folders;
mod followed;
mod gc;
mod git_program;
mod init;
mod land;
mod load;
mod plan;
mod progress;
mod prove;
mod queue;
mod report;
mod rollback;
mod run;
mod runs;
mod say;
mod usage;
mod verify;
mod visible;

use answer::Answer;
use arguments::{Arguments, Format, Prove, Verb};
use clap::{CommandFactory, Parser};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage::answer(&error),
    };
    start_tracing();
    let answer = match arguments.verb {
        Verb::Demo(demo) => run::demo(&demo),
        Verb::Run(wanted) => run::scenario(&wanted),
        Verb::Check(wanted) => check::check(&wanted),
        Verb::Plan(wanted) => plan::plan(&wanted),
        Verb::Verify(wanted) => verify::verify(&wanted),
        Verb::Report(wanted) => report::report(&wanted),
        Verb::Runs(wanted) => runs::runs(&wanted),
        Verb::Gc(wanted) => gc::gc(&wanted),
        Verb::Land(wanted) => land::land(&wanted),
        Verb::Rollback(wanted) => rollback::rollback(&wanted),
        Verb::Conflicts(wanted) => conflicts::conflicts(&wanted),
        Verb::Prove { what: Prove::Merge(wanted) } => prove::merge(&wanted),
        Verb::Queue(wanted) => queue::queue(&wanted),
        Verb::Init(wanted) => init::init(&wanted),
        Verb::Scenarios { json } => say::scenarios(json),
        Verb::Explain(wanted) => explain::explain(&wanted),
        Verb::Schema { of: Format::ConflictReport } => Answer::of(baton_packets::REPORT_SCHEMA.trim_end()),
        Verb::Schema { of: Format::Packet } => Answer::of(baton_packets::SCHEMA.trim_end()),
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "baton", &mut script);
            Answer::of(String::from_utf8_lossy(&script).trim_end())
        }
    };
    answer.deliver()
}

/// For developers: `BATON_LOG=debug`. Nothing is logged otherwise.
fn start_tracing() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("BATON_LOG");
    if let Ok(filter) = filter {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
}
