//! `baton gc`: removes run folders that are old, ended and intact, and says why the others stay.

use crate::answer::{Answer, talk};
use crate::arguments::Gc;
use crate::git_program;
use crate::runs::unreadable;
use crate::say::{self, counted, size};
use baton_scenarios::runs::gc::{self, Freed, Wanted};
use baton_world::clock;
use serde_json::json;

/// No such folder, or it cannot be read.
const UNREADABLE: u8 = 7;
/// Something should have gone and could not be removed.
const REFUSED: u8 = 5;

/// Frees what can go below some folders.
pub(crate) fn gc(wanted: &Gc) -> Answer {
    if let Some(complaint) = git_program::complaint() {
        return say::wrong_use(&complaint, wanted.json);
    }
    let Gc { older_than: older_than_s, keep, dry_run, recorded, .. } = *wanted;
    let rules = Wanted { older_than_s, keep, dry_run, recorded, now_s: clock::unix_seconds() };
    let (mut freed, mut errors) = (Freed::default(), Vec::new());
    for folder in &wanted.folders {
        if let Err(error) = gc::free(folder, rules, &mut freed) {
            errors.extend(unreadable(folder, &error));
        }
    }
    errors.iter().for_each(|error| talk(&format!("error: {error}")));
    freed.failed.iter().for_each(|failed| talk(&format!("error: {}: {}", failed.path.display(), failed.why)));
    let code = match (errors.is_empty(), freed.failed.is_empty()) {
        (false, _) => UNREADABLE,
        (true, false) => REFUSED,
        (true, true) => 0,
    };
    if wanted.json { object(&freed, &errors, (code, dry_run)) } else { lines(&freed, (code, dry_run)) }
}

fn object(freed: &Freed, errors: &[String], (code, dry_run): (u8, bool)) -> Answer {
    let mut object = json!({
        "format": 1, "exit_code": code, "dry_run": dry_run, "freed_bytes": freed.bytes(), "freed": freed.freed,
        "leftovers": freed.leftovers, "kept": freed.kept, "odd": freed.odd, "failed": freed.failed,
    });
    if !errors.is_empty() {
        object["error"] = errors.join("\n").into();
    }
    let mut answer = Answer::new(code);
    answer.line(&object.to_string());
    answer
}

fn lines(freed: &Freed, (code, dry_run): (u8, bool)) -> Answer {
    let mut answer = Answer::new(code);
    let verb = if dry_run { "would free" } else { "freed" };
    for gone in &freed.freed {
        answer.line(&format!("{verb} {} ({})", gone.path.display(), size(gone.bytes)));
    }
    for gone in &freed.leftovers {
        answer.line(&format!(
            "{verb} {} ({}), left over by a gc that was killed",
            gone.path.display(),
            size(gone.bytes)
        ));
    }
    for kept in freed.kept.iter().chain(&freed.odd) {
        answer.line(&format!("kept {}: {}", kept.path.display(), kept.why));
    }
    let (runs, bytes) = (counted(freed.freed.len() as u64, "run"), size(freed.bytes()));
    answer.line(&format!("{verb} {runs}, {bytes}; kept {}", counted(freed.kept.len() as u64, "run")));
    answer
}
