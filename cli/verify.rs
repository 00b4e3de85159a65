//! `baton verify`.

use crate::answer::{Answer, talk};
use crate::arguments::Verify;
use crate::say::shell_word;
use crate::{checked, git_program};
use baton_scenarios::again::again;
use std::path::{Path, PathBuf};

/// Run folders that are named to somebody who named none.
const NAMED_MAX: usize = 3;

/// Checks a run folder.
pub(crate) fn verify(wanted: &Verify) -> Answer {
    if let Some(complaint) = git_program::complaint() {
        return checked::unreadable(&wanted.run, &complaint, (2, wanted.json));
    }
    match baton_scenarios::runs::put_in_order(&wanted.run) {
        Ok(false) => {}
        Ok(true) => talk("the power was cut while this run was at work: its repository has been put in order"),
        Err(error) => talk(&format!("error: after a power cut the repository cannot be put in order: {error}")),
    }
    let mut found = baton_check::verify(&wanted.run);
    if let (true, Ok(report)) = (wanted.again, &mut found) {
        again(&wanted.run, report).enter(report);
    }
    let mut unrecorded = None;
    if let (true, Ok(report)) = (wanted.record, &found)
        && let Err(why) = baton_scenarios::runs::record_verification(&wanted.run, report)
    {
        talk(&format!("error: the finding is not recorded: {why}"));
        unrecorded = Some(why);
    }
    match found {
        Ok(found) if wanted.json => checked::object(&found, unrecorded.as_deref()),
        Ok(found) => checked::lines(&found, unrecorded.is_some()),
        Err(unreadable) => {
            let why = format!("{unreadable}{}", meant(&wanted.run, "verify"));
            checked::unreadable(&wanted.run, &why, (7, wanted.json))
        }
    }
}

/// The run folders that lie around what was named.
pub(crate) fn meant(named: &Path, verb: &str) -> String {
    let mut near: Vec<PathBuf> = named.ancestors().skip(1).filter(|above| is_run(above)).map(Path::to_owned).collect();
    if near.is_empty() {
        let entries = std::fs::read_dir(named).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        near = entries.filter(|below| is_run(below)).collect();
        near.sort();
    }
    let names: Vec<String> = near
        .iter()
        .take(NAMED_MAX)
        .map(|path| format!("`baton {verb} {}`", shell_word(&path.display().to_string())))
        .collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("; did you mean {}?", names.join(" or ")),
    }
}

fn is_run(folder: &Path) -> bool {
    !folder.as_os_str().is_empty() && folder.join("journal").is_dir() && folder.join("run.json").exists()
}
