//! `baton verify`.

use crate::arguments::Verify;
use crate::say;
use std::process::ExitCode;

/// Checks a run folder.
pub(crate) fn verify(wanted: &Verify) -> ExitCode {
    match baton_check::verify(&wanted.run) {
        Ok(report) => say::report(&report, wanted.json),
        Err(unreadable) => say::unreadable(&wanted.run, &unreadable, wanted.json),
    }
}
