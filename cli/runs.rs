//! `baton runs`: which run folders there are, how they ended, what they take.

use crate::answer::{Answer, talk};
use crate::arguments::Runs;
use crate::say::{counted, size};
use baton_scenarios::runs::{self, Listing, RunEntry, State, Verified};
use serde_json::json;
use std::io::ErrorKind;
use std::path::Path;

/// No such folder, or it cannot be read.
const UNREADABLE: u8 = 7;
/// Where runs are if nobody says where.
const DEFAULT: &str = "runs";

/// Lists the run folders below some folders.
pub(crate) fn runs(wanted: &Runs) -> Answer {
    let (mut all, mut errors) = (Listing::default(), Vec::new());
    for folder in &wanted.folders {
        match runs::list(folder) {
            Ok(listing) => {
                all.runs.extend(listing.runs);
                all.odd.extend(listing.odd);
            }
            Err(error) => errors.extend(unreadable(folder, &error)),
        }
    }
    errors.iter().for_each(|error| talk(&format!("error: {error}")));
    let code = if errors.is_empty() { 0 } else { UNREADABLE };
    if wanted.json { object(&all, &errors, code) } else { lines(&all, code) }
}

/// What is wrong with a folder; nothing if it is only that no run has been made yet.
pub(crate) fn unreadable(folder: &Path, error: &std::io::Error) -> Option<String> {
    let none_yet = error.kind() == ErrorKind::NotFound && folder == Path::new(DEFAULT);
    (!none_yet).then(|| format!("{}: {error}; name a folder that holds run folders", folder.display()))
}

fn object(all: &Listing, errors: &[String], code: u8) -> Answer {
    let bytes: u64 = all.runs.iter().map(|run| run.bytes).sum();
    let mut object = json!({ "format": 1, "exit_code": code, "runs": all.runs, "odd": all.odd, "bytes": bytes });
    if !errors.is_empty() {
        object["error"] = errors.join("\n").into();
    }
    let mut answer = Answer::new(code);
    answer.line(&object.to_string());
    answer
}

fn lines(all: &Listing, code: u8) -> Answer {
    let mut answer = Answer::new(code);
    let width = |text: fn(&RunEntry) -> usize| all.runs.iter().map(text).max().unwrap_or(0).min(60);
    let path = width(|run| run.run.display().to_string().chars().count());
    let scenario = width(|run| run.scenario.as_deref().unwrap_or("?").chars().count());
    for run in &all.runs {
        answer.line(&format!(
            "{:path$}  {:scenario$}  seed {:<6} {:8} {:>9} {:>10} rec  {:13} {}{}",
            run.run.display().to_string(),
            run.scenario.as_deref().unwrap_or("?"),
            run.seed.map_or("?".to_owned(), |seed| seed.to_string()),
            state(run),
            size(run.bytes),
            run.records.map_or("?".to_owned(), |records| records.to_string()),
            verified(run),
            date(run.ended_unix_s),
            remark(run)
        ));
    }
    for odd in &all.odd {
        answer.line(&format!("{}: {}", odd.path.display(), odd.why));
    }
    let bytes: u64 = all.runs.iter().map(|run| run.bytes).sum();
    answer.line(&format!("{}, {}", counted(all.runs.len() as u64, "run"), size(bytes)));
    answer
}

fn state(run: &RunEntry) -> &str {
    match run.state {
        State::Running => "running",
        State::Killed => "killed",
        State::Ended => run.verdict.as_deref().unwrap_or("ended"),
    }
}

fn verified(run: &RunEntry) -> &'static str {
    match run.verified {
        Verified::Intact => "intact",
        Verified::Broken => "BROKEN",
        Verified::No => "not verified",
    }
}

fn remark(run: &RunEntry) -> String {
    let control = if run.control { "  (control run)" } else { "" };
    run.complaint.as_ref().map_or(control.to_owned(), |complaint| format!("{control}  {complaint}"))
}

/// `2026-11-24 08:15` in UTC, by the civil-from-days algorithm over eras of 400 years.
fn date(unix_s: i64) -> String {
    let (days, seconds) = (unix_s.div_euclid(86_400), unix_s.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", seconds / 3_600, seconds % 3_600 / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (unix_s, expected) in [
            (0, "1970-01-01 00:00"),
            (951_782_400, "2000-02-29 00:00"),
            (1_767_225_600, "2026-01-01 00:00"),
            (1_764_058_499, "2025-11-25 08:14"),
            (-1, "1969-12-31 23:59"),
        ] {
            assert_eq!(date(unix_s), expected);
        }
    }
}
