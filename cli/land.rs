//! `baton land`: branches of a person's repository on their main, and what became of each.

use crate::answer::{Answer, talk, talk_shown};
use crate::arguments::{BatchWord, Color, GateArguments, Land};
use crate::followed::follow_up;
use crate::visible::{few, visible_name};
use crate::{git_program, say};
use baton_core::batch::Stride;
use baton_landing::LandError;
use baton_landing::after::{self, Afterwards, Followed};
use baton_landing::candidates;
use baton_landing::gate_file;
use baton_landing::gates::{Gate, RedGate, TIMEOUT_S};
use baton_landing::land::{self, Note, Which, Wishes};
use baton_landing::outcome::{Ended, LandOutcome, RefusedChange};
use baton_landing::overlaps::Forecast;
use baton_landing::recovery::{self, Recovered};
use baton_landing::site::Site;
use baton_landing::{GATE_FILE, Style};
use baton_record::Oid;
use baton_scenarios::file::{self, Faults};
use baton_world::clock::wait_for_process;
use baton_world::gate::Stop;
use baton_world::git::PersonRepository;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Something was refused.
const REFUSED: u8 = 1;
/// Somebody or something ended it.
const ENDED: u8 = 5;

/// Lands branches.
pub(crate) fn land(wanted: &Land) -> Answer {
    if let Some(complaint) = git_program::complaint() {
        return say::wrong_use(&complaint, wanted.json);
    }
    if wanted.branches.is_empty() && !wanted.all {
        return say::wrong_use("no branch is named\nhelp: name some, or all that main has not: --all", wanted.json);
    }
    let stop = Stop::default();
    if let Err(error) = listen(&stop) {
        talk(&format!("warning: ctrl-C will not end this in order: {error}"));
    }
    if wanted.watch {
        return watch(wanted, &stop);
    }
    let which = if wanted.all { Which::All } else { Which::Named(wanted.branches.clone()) };
    match session(wanted, which, &stop) {
        Ok(Some((outcome, followed))) => told(&outcome, &followed, wanted),
        Ok(None) => turn_never_came(wanted.json),
        Err(trouble) => in_trouble(trouble, wanted.json),
    }
}

/// Lands what appears, until somebody wishes to stop. What was refused is looked at again when its branch has moved.
fn watch(wanted: &Land, stop: &Stop) -> Answer {
    const LOOK_EVERY: Duration = Duration::from_millis(500);
    // A worktree in the making, or a branch that goes away, is trouble to git for a moment.
    const TROUBLES_MAX: u32 = 10;
    let (mut refused, mut seen, mut still, mut told_busy, mut troubles) = (Vec::new(), None, 0, None, 0);
    // What a killed one has left is decided now, and not only when something appears.
    match hold(&wanted.repo, &["--watch".to_owned()], stop) {
        Ok(Some(_)) | Err(LandError::Busy(..)) => {}
        Ok(None) => return Answer::new(0),
        Err(error) => return in_trouble(error.into(), wanted.json),
    }
    talk("watches for branches; ctrl-C ends it");
    while !stop.wished() {
        let waiting = match appeared(wanted, &refused) {
            Ok(waiting) => waiting,
            Err(Trouble::Land(LandError::Git(_))) if troubles < TROUBLES_MAX => {
                troubles += 1;
                wait_for_process(LOOK_EVERY);
                continue;
            }
            Err(trouble) => return in_trouble(trouble, wanted.json),
        };
        still = if seen.as_ref() == Some(&waiting) { still + 1 } else { 0 };
        seen = Some(waiting.clone());
        if waiting.is_empty() || still < 4 {
            wait_for_process(LOOK_EVERY);
            continue;
        }
        match session(wanted, Which::AllBut(refused.clone()), stop) {
            Ok(Some((outcome, followed))) => {
                troubles = 0;
                refused.extend(outcome.refused.iter().map(|refused| refused.tip));
                let over = matches!(outcome.ended, Ended::MainRed | Ended::Blocked);
                let answer = told(&outcome, &followed, wanted);
                if over {
                    return answer;
                }
                // What a reader has gone away from is nobody's loss: the log has it.
                let _ = answer.deliver();
            }
            Ok(None) => break,
            Err(Trouble::Land(LandError::Git(_))) if troubles < TROUBLES_MAX => {
                troubles += 1;
                wait_for_process(LOOK_EVERY);
            }
            // Somebody is at work in a checkout of main, or will be done soon.
            Err(Trouble::Land(LandError::Busy(what, cure))) => {
                if told_busy.as_ref() != Some(&what) {
                    talk_shown(&format!("waits: {what}\nhelp: {cure}"));
                }
                told_busy = Some(what);
                still = 0;
                wait_for_process(LOOK_EVERY);
            }
            Err(trouble) => return in_trouble(trouble, wanted.json),
        }
    }
    Answer::new(0)
}

/// Commits of branches that are to land, but for those that were refused.
fn appeared(wanted: &Land, refused: &[Oid]) -> Result<Vec<Oid>, Trouble> {
    let repository = PersonRepository::find(&wanted.repo).map_err(LandError::from)?;
    let onto = candidates::onto(&repository, wanted.onto.as_deref())?;
    let main = repository.reference(&onto).map_err(LandError::from)?;
    let Some(main) = main else { return Ok(Vec::new()) };
    let tips = candidates::all(&repository, &onto, main)?.into_iter().map(|candidate| candidate.tip);
    Ok(tips.filter(|tip| !refused.contains(tip)).collect())
}

/// Somebody wished to stop while others were at work.
pub(crate) fn turn_never_came(as_json: bool) -> Answer {
    trouble("interrupted while it waited for its turn; nothing has moved", ENDED, as_json)
}

/// What stands in the way of the whole.
pub(crate) fn in_trouble(found: Trouble, as_json: bool) -> Answer {
    match found {
        Trouble::Land(error) => trouble(&format!("{}\nhelp: {}", error.what(), error.cure()), code_of(&error), as_json),
        Trouble::Faults(faults) => {
            talk(faults.render(Color::Auto.wanted()).trim_end());
            let what = format!("{} cannot be used", faults.file);
            talk_shown(&format!("error: {what}"));
            let mut answer = Answer::new(say::WRONG_USE);
            if as_json {
                let code = say::WRONG_USE;
                let object = json!({ "format": 1, "exit_code": code, "error": what, "faults": faults.list });
                answer.line(&object.to_string());
            }
            answer
        }
    }
}

pub(crate) enum Trouble {
    Land(LandError),
    /// Mistakes in the file that names the gates.
    Faults(Box<Faults>),
}

impl From<LandError> for Trouble {
    fn from(error: LandError) -> Trouble {
        Trouble::Land(error)
    }
}

fn session(wanted: &Land, which: Which, stop: &Stop) -> Result<Option<(LandOutcome, Followed)>, Trouble> {
    let wants = if wanted.all { vec!["--all".to_owned()] } else { wanted.branches.clone() };
    let quiet = wanted.json;
    let Some(site) = hold(&wanted.repo, &wants, stop)? else { return Ok(None) };
    let gates = gates(&site, &wanted.gates, (wanted.onto.as_deref(), wanted.pr))?;
    let wishes = Wishes {
        onto: wanted.onto.clone(),
        which,
        gates,
        jobs: wanted.jobs,
        remote: wanted.remote.clone(),
        make_onto: wanted.pr && !wanted.dry_run,
        stride: match wanted.batch {
            BatchWord::Each => Stride::Each,
            BatchWord::Tip => Stride::Tip,
        },
        style: if wanted.squash { Style::Squash } else { Style::Merge },
        gate_file_may_change: wanted.allow_gate_change,
        dry_run: wanted.dry_run,
        blame_fully: wanted.blame_fully,
    };
    let mut onto = "main".to_owned();
    let outcome = land::land(&site, &wishes, stop, &mut |note| {
        if let Note::Begins(_, onto_here) = note {
            onto = short(onto_here).to_owned();
        }
        if !quiet {
            note_on_stderr(note, &onto, wanted);
        }
    })?;
    let Land { hand_back, delete_landed, refresh, .. } = *wanted;
    let afterwards = Afterwards { hand_back, delete_landed, refresh };
    let followed = if wanted.dry_run { Followed::default() } else { followed(&site, &outcome, afterwards) };
    Ok(Some((outcome, followed)))
}

/// What follows cannot undo what has landed: a failure there is told beside it.
fn followed(site: &Site, outcome: &LandOutcome, afterwards: Afterwards) -> Followed {
    after::follow(site, outcome, afterwards)
        .unwrap_or_else(|error| Followed { undone: vec![error.what()], ..Followed::default() })
}

/// Holds a repository, behind everybody who came before; `None`: somebody wished to stop.
pub(crate) fn hold(repo: &Path, wants: &[String], stop: &Stop) -> Result<Option<Site>, LandError> {
    let site = Site::hold(repo, wants, stop, &mut |before| {
        talk_shown(&format!("waits behind process {}: {}", before.pid, before.doing));
    })?;
    if let Some(recovered) = site.as_ref().map(recovery::recover).transpose()?.flatten() {
        tell_recovered(&recovered);
    }
    Ok(site)
}

fn tell_recovered(recovered: &Recovered) {
    let what = if recovered.landed { "had landed; finished" } else { "had not landed; forgotten" };
    let about = if recovered.refs.is_empty() { recovered.onto.clone() } else { recovered.refs.join(", ") };
    talk_shown(&format!("of a session that was killed: {about} {what}"));
    if let Some(by) = recovered.taken_back_by {
        talk(&format!("  but commit {by}, made in a checkout that had not followed, took it back: revert that commit"));
    }
}

/// From the command line, or from the file on main's own commit.
pub(crate) fn gates(
    site: &Site,
    wanted: &GateArguments,
    (onto, may_be_made): (Option<&str>, bool),
) -> Result<Vec<Gate>, Trouble> {
    let timeout_s = wanted.timeout.and_then(|seconds| u64::try_from(seconds).ok());
    let usual = timeout_s.unwrap_or(TIMEOUT_S);
    if wanted.no_gate {
        return Ok(Vec::new());
    }
    if let Some(empty) = wanted.gate.iter().find(|line| does_nothing(line)) {
        let what = format!("the gate {empty:?} does nothing, so it would let everything through");
        return Err(LandError::Wish(what, "give a command, or --no-gate if that is meant".to_owned()).into());
    }
    if !wanted.gate.is_empty() {
        return Ok(wanted.gate.iter().map(|line| Gate { timeout_s: usual, ..Gate::of(line) }).collect());
    }
    let repository = site.repository();
    // A branch that is still to be made begins where main is.
    let there = onto.map(|name| repository.branch_ref(name)).transpose().map_err(LandError::from)?;
    let onto = candidates::onto(repository, onto.filter(|_| !may_be_made || there.flatten().is_some()))?;
    let main = repository.reference(&onto).map_err(LandError::from)?;
    let text = match main {
        Some(main) => gate_file::read(repository, &onto, main)?,
        None => None,
    };
    let Some(text) = text else {
        let what = format!("there is no gate: no --gate, and no {GATE_FILE} on {}", short(&onto));
        let cure = "say what main must pass: --gate 'cargo test'; `baton init` finds it and writes it down; or --no-gate, if main may go red";
        return Err(LandError::Wish(what, cure.to_owned()).into());
    };
    let place = format!("{}:{GATE_FILE}", short(&onto));
    match file::read_settings(&place, &text) {
        Ok(settings) => Ok(settings
            .gates
            .into_iter()
            .map(|gate| Gate {
                line: gate.run,
                timeout_s: timeout_s.or(gate.timeout_s).unwrap_or(TIMEOUT_S),
                retries: gate.retries,
            })
            .collect()),
        Err(faults) => Err(Trouble::Faults(Box::new(faults))),
    }
}

fn forecast_on_stderr(forecast: &Forecast) {
    const SHOWN_MAX: usize = 8;
    let overlaps = &forecast.overlaps;
    for overlap in overlaps.iter().take(SHOWN_MAX) {
        let at = if overlap.paths.is_empty() {
            String::new()
        } else {
            format!(" at {}", visible_name(&overlap.paths.join(", ")))
        };
        talk_shown(&format!("  {} and {} do not merge{at}", overlap.a, overlap.b));
    }
    if overlaps.len() > SHOWN_MAX {
        talk_shown(&format!(
            "  and {} more; `baton conflicts` shows all",
            say::counted((overlaps.len() - SHOWN_MAX) as u64, "pair")
        ));
    }
    if forecast.pairs_compared < forecast.pairs {
        let (compared, pairs) = (forecast.pairs_compared, forecast.pairs);
        talk(&format!("  only the first {compared} of {pairs} pairs were compared; `baton conflicts` compares all"));
    }
    if forecast.one_by_one_runs > 0 {
        let runs = say::counted(forecast.gate_runs.into(), "gate run");
        talk(&format!("  expects {runs} if none is red; one by one: {}", forecast.one_by_one_runs));
    }
}

/// Nothing but blanks and comments: a shell is content with that.
pub(crate) fn does_nothing(line: &str) -> bool {
    line.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#'))
}

fn note_on_stderr(note: &Note<'_>, onto: &str, wanted: &Land) {
    match note {
        Note::Begins(candidates, onto) => {
            let names: Vec<String> = candidates.iter().map(|candidate| candidate.name.clone()).collect();
            talk_shown(&format!("to land on {}: {}", short(onto), few(&names, "nothing")));
        }
        Note::Forecast(forecast) => forecast_on_stderr(forecast),
        Note::Tries(rows, names) => {
            let rows = if *rows > 1 { format!("{rows} rows at once, the longest: ") } else { String::new() };
            talk_shown(&format!("gates run on {onto} with {rows}{}", few(names, "nothing else")));
        }
        Note::Tried(passed, seconds) => {
            talk(&format!("  {} in {seconds:.1} s", if *passed { "green" } else { "red" }));
        }
        Note::Landed(landed) => {
            let names: Vec<String> = landed.iter().map(|landed| landed.name.clone()).collect();
            let verb = if wanted.dry_run { "would land" } else { "landed" };
            talk_shown(&format!("  {verb} {}", few(&names, "nothing")));
        }
        Note::Refused(refused) => talk_shown(&format!("  refused {}: {}", refused.name, visible_name(&refused.detail))),
        Note::EmptySubmodules(paths) => talk_shown(&empty_submodules(paths)),
        Note::Adopted(found) => {
            talk(&format!("  somebody else has moved {onto} to {found}; it is tried again on that"))
        }
    }
}

/// That a gate does not see everything.
pub(crate) fn empty_submodules(paths: &[String]) -> String {
    let paths = few(paths, "none");
    format!(
        "note: submodules are empty for the gates, since their commits are not here: {paths}\nhelp: git submodule update --init --recursive"
    )
}

/// The name of a branch without what all branches begin with.
fn short(onto: &str) -> &str {
    onto.strip_prefix("refs/heads/").unwrap_or(onto)
}

fn told(outcome: &LandOutcome, followed: &Followed, wanted: &Land) -> Answer {
    let code = exit_code(outcome);
    let mut answer = Answer::new(code);
    if wanted.json {
        let mut object = serde_json::to_value(outcome).expect("an outcome can be written as JSON");
        object["exit_code"] = json!(code);
        object["dry_run"] = json!(wanted.dry_run);
        object["followed"] = json!(followed);
        if wanted.pr {
            object["pull_request"] = json!(outcome.pull_request());
        }
        answer.line(&object.to_string());
        return answer;
    }
    outcome.refused.iter().for_each(|refused| refusal(&mut answer, refused));
    for change in &outcome.already {
        answer.shown(&format!("already on {}: {}", outcome.onto, change.name));
    }
    if let (Some(remote), some @ 1..) = (&wanted.remote, outcome.pushed_along) {
        let commits = say::counted(some.into(), "commit");
        answer.shown(&format!("{commits} of yours on {} that {remote} had not went along", outcome.onto));
    }
    if !outcome.flaky.is_empty() {
        answer.shown(&format!("flaky: {} did not always say the same of one tree", outcome.flaky.join(", ")));
    }
    match outcome.ended {
        Ended::Done => {}
        Ended::MainRed => {
            answer.shown(&format!("{} itself does not pass its gates; nobody is to be blamed", outcome.onto));
            outcome.main_gate.iter().for_each(|gate| red_gate(&mut answer, gate));
        }
        Ended::Contended => answer.line("main was moved by others again and again"),
        Ended::Blocked => answer.line("a checkout is in the way"),
        Ended::Stopped => answer.line("interrupted; what had landed stays"),
    }
    if !outcome.undecided.is_empty() {
        let names: Vec<&str> = outcome.undecided.iter().map(|change| change.name.as_str()).collect();
        answer.shown(&format!("not decided: {}", names.join(", ")));
    }
    follow_up(&mut answer, outcome, followed);
    if let Some(text) = outcome.pull_request().filter(|_| wanted.pr) {
        answer.shown(&format!("# {}\n\n{}", text.title, text.body));
    }
    answer.shown(&summary(outcome, wanted));
    answer
}

fn refusal(answer: &mut Answer, refused: &RefusedChange) {
    answer.shown(&format!("refused {}: {}", refused.name, visible_name(&refused.detail)));
    for conflict in &refused.conflicts {
        let path = visible_name(&conflict.path);
        for (number, hunk) in conflict.hunks.iter().enumerate() {
            let ours = format!("line {} of {}", hunk.line, conflict.ours);
            let theirs = format!("line {} of {}", hunk.their_line, conflict.theirs);
            answer.shown(&format!("  {path}, hunk {}: {ours} against {theirs}", number + 1));
        }
        if conflict.hunks.is_empty() {
            let what = format!("{path} ({})", conflict.kind);
            answer.shown(&format!("  {what}: {} against {}", conflict.ours, conflict.theirs));
        }
    }
    refused.gate.iter().for_each(|gate| red_gate(answer, gate));
}

/// Which gate it was, how it ended, and the last that it said.
fn red_gate(answer: &mut Answer, gate: &RedGate) {
    answer.shown(&format!("  `{}`: {}", gate.gate, gate.end));
    let last: Vec<&str> = gate.tail.lines().rev().take(4).collect();
    last.iter().rev().for_each(|line| answer.line(&format!("  | {line}")));
}

fn summary(outcome: &LandOutcome, wanted: &Land) -> String {
    let landed = say::counted(outcome.landed.len() as u64, "branch").replace("branchs", "branches");
    let verb = if wanted.dry_run { "would land" } else { "landed" };
    let refused = match outcome.refused.len() {
        0 => String::new(),
        some => format!(" · {some} refused"),
    };
    let gates = if outcome.gates.is_empty() {
        "no gate".to_owned()
    } else {
        say::counted(outcome.gate_runs.into(), "gate run")
    };
    let saved = match outcome.one_by_one_s {
        Some(seconds) if outcome.one_by_one_runs > outcome.gate_runs && seconds > outcome.took_s => {
            format!("; one by one: {} runs, {seconds:.1} s", outcome.one_by_one_runs)
        }
        _ => String::new(),
    };
    format!("{landed} {verb}{refused}, {gates}, {:.1} s{saved}", outcome.took_s)
}

fn exit_code(outcome: &LandOutcome) -> u8 {
    match outcome.ended {
        Ended::Done if outcome.refused.is_empty() => 0,
        Ended::Done | Ended::MainRed => REFUSED,
        Ended::Blocked => say::WRONG_USE,
        Ended::Contended | Ended::Stopped => ENDED,
    }
}

pub(crate) fn code_of(error: &LandError) -> u8 {
    match error {
        _ if error.is_no_repository() => 7,
        _ if error.is_disk() => ENDED,
        LandError::Damaged(_) => 3,
        LandError::Git(_) | LandError::Disk(_) | LandError::Wish(..) | LandError::Busy(..) => say::WRONG_USE,
    }
}

pub(crate) fn trouble(what: &str, code: u8, as_json: bool) -> Answer {
    talk_shown(&format!("error: {what}"));
    let mut answer = Answer::new(code);
    if as_json {
        let object: Value = json!({ "format": 1, "exit_code": code, "error": what });
        answer.line(&object.to_string());
    }
    answer
}

/// The first ctrl-C ends it in order, the second at once.
pub(crate) fn listen(stop: &Stop) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, stop.flag())?;
        signal_hook::flag::register(signal, stop.flag())?;
    }
    Ok(())
}
