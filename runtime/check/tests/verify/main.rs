//! The checker against run folders: good ones pass, killed ones are open, and every forgery is caught.

#![allow(
    missing_docs,
    clippy::too_many_arguments,
    clippy::unwrap_used,
    clippy::wildcard_imports,
    clippy::too_many_lines,
    clippy::type_complexity,
    unreachable_pub,
    reason = "tests: tables of cases are long, and share their tools by glob"
)]

mod folder;
#[macro_use]
mod forgery;
mod alone;
mod back;
mod budgets;
mod conflicts;
mod content;
mod control;
mod credits;
mod good;
mod journal;
mod lives;
mod locks;
mod moves;
mod order;
mod rows;
mod story;
mod work;

use baton_check::{Report, Status, verify};
use folder::Folder;

/// Forges the good run and expects exactly these promises to be broken.
fn check(name: &str, forge: impl FnOnce(&mut Folder), broken: &[&str]) -> Report {
    let mut folder = story::good();
    forge(&mut folder);
    folder.write();
    judge(name, &folder, broken)
}

/// Verifies a folder as it stands.
fn judge(name: &str, folder: &Folder, broken: &[&str]) -> Report {
    let report = verify(folder.path()).unwrap();
    let found: Vec<&str> =
        report.promises.iter().filter(|promise| promise.status == Status::Broken).map(|promise| promise.id).collect();
    let details: Vec<String> = report
        .promises
        .iter()
        .map(|promise| format!("{} {:?}: {}", promise.id, promise.status, promise.detail))
        .collect();
    assert_eq!(found, broken, "{name}: {details:#?}");
    assert_eq!(report.intact, broken.is_empty(), "{name}");
    report
}

fn status(report: &Report, id: &str) -> Status {
    report.promise(id).unwrap().status
}
