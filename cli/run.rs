//! `baton demo` and `baton run`.

use crate::arguments::{Demo, ErrorFormat, Run, WorldWord};
use crate::{folders, progress, say};
use baton_actors::failure::Failure;
use baton_actors::progress::Progress;
use baton_scenarios::run::{Options, RunError, Source};
use baton_scenarios::scenario::{Scenario, World};
use baton_scenarios::{file, run, shipped};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A scenario file is at most this large.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Runs the demo.
pub(crate) fn demo(demo: &Demo) -> ExitCode {
    let text = shipped::find(shipped::DEMO).expect("the demo's scenario is shipped");
    let scenario = match file::read("demo", text.as_bytes()) {
        Ok(scenario) => scenario,
        Err(faults) => {
            eprint!("{}", faults.render(false));
            return ExitCode::from(70);
        }
    };
    let out = demo.out.clone().unwrap_or_else(|| folders::next("demo"));
    say::demo_begins(&scenario, &out, demo.json);
    let wanted = Wanted { seed: demo.seed, world: None, repository: None, out, json: demo.json };
    obey(Source { scenario: &scenario, bytes: text.as_bytes() }, wanted)
}

/// Runs a scenario file or a shipped scenario.
pub(crate) fn scenario(wanted: &Run) -> ExitCode {
    let (name, bytes) = match load(&wanted.scenario) {
        Ok(loaded) => loaded,
        Err(why) => return say::wrong_use(&why, wanted.json),
    };
    let scenario: Scenario = match file::read(&name, &bytes) {
        Ok(scenario) => scenario,
        Err(faults) => {
            match wanted.error_format {
                ErrorFormat::Human => eprint!("{}", faults.render(wanted.color.wanted())),
                ErrorFormat::Json => eprintln!("{}", faults.to_json()),
            }
            if wanted.json {
                say::line(&faults.to_json());
            }
            return ExitCode::from(2);
        }
    };
    let out = wanted.out.clone().unwrap_or_else(|| folders::next(&scenario.name));
    let world = wanted.world.map(|word| match word {
        WorldWord::Sim => World::Sim,
        WorldWord::Live => World::Live,
    });
    let repository = wanted.repo.clone();
    let wanted = Wanted { seed: wanted.seed, world, repository, out, json: wanted.json };
    obey(Source { scenario: &scenario, bytes: &bytes }, wanted)
}

/// A file, or a shipped scenario of that name. One byte more than is allowed is enough to know.
fn load(path: &Path) -> Result<(String, Vec<u8>), String> {
    let name = path.display().to_string();
    // A folder is no file: the run folder of a shipped scenario may well have its name.
    let opened = std::fs::File::open(path).and_then(|opened| match opened.metadata()?.is_dir() {
        true => Err(std::io::ErrorKind::IsADirectory.into()),
        false => Ok(opened),
    });
    match opened {
        Ok(opened) => {
            let mut bytes = Vec::new();
            let read = opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
            read.map(|_| (name.clone(), bytes)).map_err(|error| format!("{name}: {error}"))
        }
        Err(error) => match shipped::find(&name) {
            Some(text) => Ok((name, text.as_bytes().to_vec())),
            None => Err(format!("{name}: {error}; `baton scenarios` lists those that come with the program")),
        },
    }
}

struct Wanted {
    seed: Option<u64>,
    world: Option<World>,
    repository: Option<PathBuf>,
    out: PathBuf,
    json: bool,
}

fn obey(source: Source<'_>, wanted: Wanted) -> ExitCode {
    let interrupted = Arc::new(AtomicBool::new(false));
    let heard = listen(&interrupted);
    if let Err(error) = heard {
        eprintln!("warning: ctrl-C will not end the run in order: {error}");
    }
    let shared = Arc::new(Progress::default());
    let options = Options {
        seed: wanted.seed,
        world: wanted.world,
        repository: wanted.repository,
        out: wanted.out,
        interrupted,
        progress: shared.clone(),
    };
    let line = progress::Line::start(shared);
    let outcome = run::run(source, &options);
    drop(line);
    match outcome {
        Ok(outcome) => say::outcome(&outcome, wanted.json),
        Err(error) => say::no_outcome(&error, exit_code(&error), wanted.json),
    }
}

/// The first ctrl-C ends the run in order, the second at once.
fn listen(interrupted: &Arc<AtomicBool>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, interrupted.clone())?;
        signal_hook::flag::register(signal, interrupted.clone())?;
    }
    Ok(())
}

/// A wrong folder or workspace is wrong use; a disk that refuses is a limit; the rest is ours.
fn exit_code(error: &RunError) -> u8 {
    match error {
        RunError::Folder(..) | RunError::Workspace(_) => 2,
        RunError::Failure(_, Failure::Journal(_) | Failure::Repository(_)) => 5,
        RunError::Failure(_, Failure::Broken(_)) => 70,
        RunError::Journal(_) => 3,
        RunError::Check(_) => 7,
    }
}
