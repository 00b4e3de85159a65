//! `baton demo` and `baton run`.

use crate::answer::{Answer, mutter, talk};
use crate::arguments::{Color, Demo, ErrorFormat, Run};
use crate::report::Paint;
use crate::{folders, git_program, load, progress, say};
use baton_actors::failure::Failure;
use baton_scenarios::file::{self, Checked};
use baton_scenarios::run::{Options, RunError, Source};
use baton_scenarios::scenario::World;
use baton_scenarios::{run, shipped, skill_shelf};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Folders that are tried while other runs take one after the other.
const PLACES_MAX: usize = 1_000;

/// Runs the demo.
pub(crate) fn demo(demo: &Demo) -> Answer {
    if let Some(complaint) = git_program::complaint() {
        return say::wrong_use(&complaint, demo.json);
    }
    let text = shipped::find(shipped::DEMO).expect("the demo's scenario is shipped");
    let scenario = match file::read("demo", text.as_bytes()) {
        Ok(scenario) => scenario,
        Err(faults) => {
            mutter(&faults.render(false));
            return Answer::new(70);
        }
    };
    let options = Options { seed: demo.seed, ..Options::default() };
    let wanted = Wanted {
        options,
        out: demo.out.clone(),
        name: "demo",
        json: demo.json,
        color: Color::Auto,
        announced: !demo.json,
    };
    obey(Source { scenario: &scenario, bytes: text.as_bytes() }, wanted)
}

/// Runs a scenario file or a shipped scenario.
pub(crate) fn scenario(wanted: &Run) -> Answer {
    if let Some(complaint) = git_program::complaint() {
        return say::wrong_use(&complaint, wanted.json);
    }
    let (name, bytes) = match load::load(&wanted.scenario) {
        Ok(loaded) => loaded,
        Err(why) => return say::wrong_use(&why, wanted.json),
    };
    let checked = file::check_on(&skill_shelf::on_disk, &name, &bytes);
    tell_faults(&checked, wanted);
    let Some(scenario) = checked.scenario else {
        let mut answer = Answer::new(say::WRONG_USE);
        if wanted.json {
            answer.line(&file::to_json(&checked.all()));
        }
        return answer;
    };
    let world = wanted.world.map(World::from);
    let (seed, repository, anyway) = (wanted.seed, wanted.repo.clone(), wanted.anyway);
    let options = Options { seed, world, repository, anyway, ..Options::default() };
    let (out, json) = (wanted.out.clone(), wanted.json);
    let wanted = Wanted { options, out, name: &scenario.name, json, color: wanted.color, announced: false };
    obey(Source { scenario: &scenario, bytes: &bytes }, wanted)
}

/// The mistakes of the scenario and of the skill files that it names.
fn tell_faults(checked: &Checked, wanted: &Run) {
    let faults = checked.all();
    let Some(first) = faults.iter().find_map(|faults| faults.list.first()) else { return };
    match wanted.error_format {
        ErrorFormat::Human => {
            faults.iter().for_each(|faults| mutter(&faults.render(wanted.color.wanted())));
            talk(&format!("`baton explain {}` says more", first.code));
        }
        ErrorFormat::Json => talk(&file::to_json(&faults)),
    }
}

struct Wanted<'a> {
    /// All but the run folder.
    options: Options,
    /// The run folder, if it was named.
    out: Option<PathBuf>,
    /// Else what it is named after.
    name: &'a str,
    json: bool,
    color: Color,
    /// Whether it is said beforehand what is going to happen.
    announced: bool,
}

fn obey(source: Source<'_>, wanted: Wanted<'_>) -> Answer {
    let mut options = wanted.options;
    if let Err(error) = listen(&options.interrupted) {
        talk(&format!("warning: ctrl-C will not end the run in order: {error}"));
    }
    let begun = match wanted.out {
        Some(out) => {
            options.out = out;
            run::begin(source, &options)
        }
        None => begin_somewhere(source, &mut options, wanted.name),
    };
    let outcome = begun.and_then(|begun| {
        if wanted.announced {
            say::begins(source.scenario, &options.out);
        }
        begun.disk().into_iter().for_each(say::disk);
        let line = progress::Line::start(options.progress.clone());
        let outcome = begun.live();
        drop(line);
        outcome
    });
    match outcome {
        Ok(outcome) => say::outcome(&outcome, wanted.json, Paint::of(wanted.color)),
        Err(error) => say::no_outcome(&error, &options.out, (exit_code(&error), wanted.json)),
    }
}

/// In the first folder that no other run takes in the same moment.
fn begin_somewhere<'a>(source: Source<'a>, options: &mut Options, name: &str) -> Result<run::Begun<'a>, RunError> {
    let mut refused = None;
    for out in folders::free(name).take(PLACES_MAX) {
        options.out = out;
        match run::begin(source, options) {
            Err(RunError::Taken(path, why)) => refused = Some(RunError::Taken(path, why)),
            other => return other,
        }
    }
    Err(refused.expect("there are more numbers than folders"))
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
        RunError::Taken(..)
        | RunError::Folder(..)
        | RunError::Content(_)
        | RunError::Workspace(_)
        | RunError::NoRoom(_) => 2,
        RunError::DiskTooSmall { .. } => 5,
        RunError::Failure(
            _,
            Failure::Journal(_) | Failure::Repository(_) | Failure::Content(_) | Failure::Restarts(..),
        ) => 5,
        RunError::Failure(_, Failure::Broken(_)) => 70,
        RunError::Journal(_) => 3,
        RunError::Check(_) => 7,
    }
}
