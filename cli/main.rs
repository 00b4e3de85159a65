//! The binary: reads the command line, says what came of it, and ends with the exit code that belongs to it.
//!
//! The only crate that prints. Knows no rule and no format but those of its own output.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the crate that speaks to people")]

mod arguments;
mod folders;
mod progress;
mod run;
mod say;
mod verify;

use arguments::{Arguments, Verb};
use clap::{CommandFactory, Parser};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_tracing();
    match arguments.verb {
        Verb::Demo(demo) => run::demo(&demo),
        Verb::Run(wanted) => run::scenario(&wanted),
        Verb::Verify(wanted) => verify::verify(&wanted),
        Verb::Scenarios => say::scenarios(),
        Verb::Explain { code } => say::explain(&code),
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "baton", &mut script);
            say::line(String::from_utf8_lossy(&script).trim_end());
            ExitCode::SUCCESS
        }
    }
}

/// For developers: `BATON_LOG=debug`. Nothing is logged otherwise.
fn start_tracing() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("BATON_LOG");
    if let Ok(filter) = filter {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
}
