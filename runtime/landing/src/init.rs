//! The first gate of a repository: found in what the repository says of itself, proven on main, written down.

mod found;

use crate::LandError;
use crate::candidates;
use crate::chain::GATE_FILE;
use crate::fact::{Intended, Lands};
use crate::gate_file;
use crate::gates::{Gate, GateKeeper, Probe, RedGate, Verdict};
use crate::moving::{Came, advance, blocked};
use crate::opening::{checkouts_of, standing};
use crate::recovery::{self, Recovered};
use crate::site::Site;
use baton_record::Oid;
use baton_world::gate::Stop;
use baton_world::git::{Edit, FileMode, Scratch};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What is wished.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// The gates; empty: they are to be found.
    pub gates: Vec<Gate>,
    /// After so many seconds a gate that is found is ended.
    pub timeout_s: u64,
    /// The branch; `None`: `main`, else `master`.
    pub onto: Option<String>,
    /// Whether the file is committed to it.
    pub commit: bool,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct InitOutcome {
    /// Version of this object.
    pub format: u32,
    /// How it ended.
    pub ended: InitEnd,
    /// The branch.
    pub onto: String,
    /// The gates' command lines.
    pub gates: Vec<String>,
    /// What each was found by; empty for those that the person gave.
    pub found_by: Vec<String>,
    /// Where the file was written; `None`: it is on the branch alone, or nowhere.
    pub file: Option<PathBuf>,
    /// The commit that brought it.
    pub commit: Option<Oid>,
    /// Submodules that were empty where the gates ran: nothing of them is here.
    pub empty_submodules: Vec<String>,
    /// The gate that main does not pass.
    pub gate: Option<RedGate>,
    /// What a killed session had left.
    pub recovered: Option<Recovered>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitEnd {
    /// The file is written.
    Written,
    /// Main does not pass: nothing is written.
    MainRed,
    /// Somebody else has moved main meanwhile; nothing is written.
    Contended,
    /// A person wished to stop.
    Stopped,
}

/// Finds gates, proves main green with them, and writes them down. `begins` hears on which branch, when all is fit and gates run.
pub fn init(site: &Site, wishes: &Wishes, stop: &Stop, begins: &mut dyn FnMut(&str)) -> Result<InitOutcome, LandError> {
    let recovered = recovery::recover(site)?;
    let repository = site.repository();
    let onto = candidates::onto(repository, wishes.onto.as_deref())?;
    let main = standing(site, &onto)?;
    if let Some(left) = recovered.clone().filter(|left| left.landed && left.refs == [GATE_FILE] && left.onto == onto) {
        // A killed session has done it, and nobody was told.
        let gates = wishes.gates.iter().map(|gate| gate.line.clone()).collect();
        return Ok(InitOutcome { commit: Some(left.main_after), gates, ..InitOutcome::begun(&onto, recovered) });
    }
    let short = onto.strip_prefix("refs/heads/").unwrap_or(&onto).to_owned();
    if gate_file::read(repository, &onto, main)?.is_some() {
        return Err(LandError::wish(format!("{short} has a {GATE_FILE} already"), "change that, and commit it"));
    }
    let (gates, found_by) = gates(site, wishes, main)?;
    let text = file_text(&gates);
    let file = file_for(site, wishes, &onto, &text)?;
    let scratch = Scratch::make(repository, &site.scratch_directory())?;
    let (commit, tree) =
        if wishes.commit { with_file(&scratch, main, &text)? } else { (main, scratch.repository().commit(main)?.tree) };
    let mut outcome = InitOutcome {
        gates: gates.iter().map(|gate| gate.line.clone()).collect(),
        found_by,
        ..InitOutcome::begun(&onto, recovered)
    };
    let keeper = GateKeeper::new(site, &gates, 1, stop.clone())?;
    if !keeper.knows(tree) {
        begins(&outcome.onto);
    }
    for answer in keeper.probe_all(&scratch, &[Probe { commit, tree, changes: Vec::new() }]) {
        let (verdict, facts) = answer?;
        outcome.empty_submodules = keeper.empty_submodules();
        site.write(&facts)?;
        outcome.ended = match verdict {
            Verdict::Passed => continue,
            Verdict::Stopped => InitEnd::Stopped,
            Verdict::Red(red) => {
                outcome.gate = Some(red);
                InitEnd::MainRed
            }
        };
        return Ok(outcome);
    }
    if let Some(file) = file {
        write_new(&file, &text).map_err(|error| LandError::disk("write", &file, &error))?;
        outcome.file = Some(file);
        return Ok(outcome);
    }
    let lands = Lands { name: GATE_FILE.to_owned(), tip: commit, commit, tree };
    let intended = Intended {
        checkouts: checkouts_of(site, &onto)?,
        onto,
        main_before: main,
        main_after: commit,
        tree,
        gated: true,
        changes: vec![lands],
        remote: None,
        rolls_back: None,
    };
    match advance(site, &scratch, &intended)? {
        Came::Done => outcome.commit = Some(commit),
        Came::Adopted(_) => outcome.ended = InitEnd::Contended,
        Came::Blocked(way) => return Err(blocked(&way)),
    }
    Ok(outcome)
}

/// The file that is written if it is not to be committed. Whatever stands in its place already must say the same.
fn file_for(site: &Site, wishes: &Wishes, onto: &str, text: &str) -> Result<Option<PathBuf>, LandError> {
    if !wishes.commit {
        return place_for(site.repository().top()?, text).map(Some);
    }
    for checkout in checkouts_of(site, onto)? {
        must_say_the_same(&Path::new(&checkout).join(GATE_FILE), text)?;
    }
    Ok(None)
}

impl InitOutcome {
    fn begun(onto: &str, recovered: Option<Recovered>) -> InitOutcome {
        InitOutcome {
            format: 1,
            ended: InitEnd::Written,
            onto: onto.strip_prefix("refs/heads/").unwrap_or(onto).to_owned(),
            gates: Vec::new(),
            found_by: Vec::new(),
            file: None,
            commit: None,
            empty_submodules: Vec::new(),
            gate: None,
            recovered,
        }
    }
}

fn gates(site: &Site, wishes: &Wishes, main: Oid) -> Result<(Vec<Gate>, Vec<String>), LandError> {
    if !wishes.gates.is_empty() {
        return Ok((wishes.gates.clone(), Vec::new()));
    }
    let mut failed = None;
    let found = found::find(|path| {
        site.repository().file_at(main, path).unwrap_or_else(|error| {
            failed = Some(error);
            None
        })
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    if found.is_empty() {
        let what = "nothing in this repository says how it is tested";
        return Err(LandError::wish(what, "say it: baton init --gate 'make check'"));
    }
    let timeout_s = wishes.timeout_s;
    let gate = |line: &str| Gate { timeout_s, ..Gate::of(line) };
    let (lines, by): (Vec<&str>, Vec<&str>) = found.into_iter().unzip();
    Ok((lines.into_iter().map(gate).collect(), by.into_iter().map(str::to_owned).collect()))
}

/// The file's text: YAML with the commands in quotes.
fn file_text(gates: &[Gate]) -> String {
    let mut text =
        "# What everything must pass before it becomes main; see `baton land --help`.\nbaton: 1\ngates:\n".to_owned();
    for gate in gates {
        let line = gate.line.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
        text.push_str(&format!("  - {{ run: \"{line}\", timeout: {}s }}\n", gate.timeout_s));
    }
    text
}

/// Where the file is written if it is not committed.
fn place_for(top: Option<PathBuf>, text: &str) -> Result<PathBuf, LandError> {
    let Some(top) = top else {
        let what = "there is no checkout to write into";
        return Err(LandError::wish(what, "use --commit, which writes to the branch itself"));
    };
    new_file(&top.join(GATE_FILE), text)
}

fn new_file(path: &Path, text: &str) -> Result<PathBuf, LandError> {
    match lying(path, text) {
        Lying::Nothing => Ok(path.to_owned()),
        Lying::TheSame => {
            let what = format!("{} is there already, and says just that", path.display());
            Err(LandError::wish(what, "commit it: by hand, or by `baton init --commit` with the same words"))
        }
        Lying::Other => {
            Err(LandError::wish(format!("{} is there already", path.display()), "change that, and commit it"))
        }
    }
}

/// Half a file would be in the way of the next try.
fn write_new(file: &Path, text: &str) -> std::io::Result<()> {
    let beside = file.with_extension(format!("{}.tmp", std::process::id()));
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, file));
    written.inspect_err(|_| {
        // It may not be there.
        let _ = std::fs::remove_file(&beside);
    })
}

/// What lies uncommitted in a checkout of the branch would be written over, unless it is what is written.
fn must_say_the_same(path: &Path, text: &str) -> Result<(), LandError> {
    if lying(path, text) != Lying::Other {
        return Ok(());
    }
    let what = format!("{} lies there, is not committed, and does not say what would be committed", path.display());
    let cure = format!("commit it by hand if it says what is meant (git add {GATE_FILE}; git commit), or move it away");
    Err(LandError::wish(what, cure))
}

/// What is at a place in a checkout.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lying {
    Nothing,
    TheSame,
    Other,
}

fn lying(path: &Path, text: &str) -> Lying {
    match std::fs::symlink_metadata(path) {
        Err(_) => Lying::Nothing,
        Ok(found) if found.is_file() && found.len() == text.len() as u64 => {
            let same = std::fs::read(path).is_ok_and(|bytes| bytes == text.as_bytes());
            if same { Lying::TheSame } else { Lying::Other }
        }
        Ok(_) => Lying::Other,
    }
}

/// Main with the file, aside.
fn with_file(scratch: &Scratch<'_>, main: Oid, text: &str) -> Result<(Oid, Oid), LandError> {
    let (path, content) = (GATE_FILE.to_owned(), text.as_bytes().to_vec());
    let edit = Edit::Put { path, mode: FileMode::Regular, content };
    let tree = scratch.tree_with(main, &[edit])?;
    let commit = scratch.commit(tree, &[main], "Say what main must pass\n", None)?;
    Ok((commit, tree))
}
