//! Whether a conflict report is that of its run: the one that the run's own record of the refusal names.
//!
//! Owns the comparison. Where the facts come from is nothing that is known here.

use super::ConflictReport;
use crate::flaw::{self, Flaw, shown};
use crate::read::read;
use crate::resolve::{Ground, hash};
use serde_json::Value;
use std::collections::BTreeSet;

/// What a report says that is not so in the run `run`, in the order of its keys; `named`: the digest that the run's record of
/// the refusal of the report's change names.
#[must_use]
pub fn compare_report(report: &ConflictReport, (run, named): (&str, Option<&str>), ground: &dyn Ground) -> Vec<Flaw> {
    let flaw = |code, pointer: String, message: String, help: &str| Flaw {
        code,
        pointer,
        span: 0..0,
        message,
        help: help.to_owned(),
    };
    if report.run != run {
        let message = format!("the report is of the run {}, and this is {run}", report.run);
        return vec![flaw(flaw::OTHER_RUN, "/run".to_owned(), message, "look it up in its own run")];
    }
    let Some(named) = named else {
        let message = format!("no change {} was refused in this run for a conflict", report.change);
        return vec![flaw(flaw::UNTRUE, "/change".to_owned(), message, "name the change that was refused")];
    };
    let stored = ground.content(named).filter(|bytes| hash(bytes) == named);
    let Some(stored) = stored.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok()) else {
        let message =
            format!("the run's own report {named} of {} is gone, or is not what its name says", report.change);
        return vec![flaw(
            flaw::DANGLING,
            "/change".to_owned(),
            message,
            "the store is damaged: `baton verify` says more",
        )];
    };
    let said = serde_json::to_value(report).expect("a report holds nothing that JSON cannot");
    let keys: BTreeSet<&String> =
        [&said, &stored].into_iter().filter_map(Value::as_object).flat_map(|fields| fields.keys()).collect();
    let other = keys.into_iter().filter(|key| said.get(key) != stored.get(key)).map(|key| {
        let message = format!("the run's own report of {} has another {}", report.change, shown(key));
        flaw(flaw::UNTRUE, format!("/{key}"), message, "take the report that the record of the refusal names")
    });
    let mut flaws: Vec<Flaw> = other.collect();
    flaws.extend(packets(report).into_iter().filter_map(|(pointer, digest)| {
        let bytes = ground.content(digest).filter(|bytes| hash(bytes) == *digest);
        let is_there = bytes.is_some_and(|bytes| read(&bytes).is_ok());
        let message = format!("no packet lies under {digest}");
        (!is_there).then(|| flaw(flaw::DANGLING, pointer, message, "name the packet that the change was made from"))
    }));
    flaws.truncate(flaw::FLAWS_MAX);
    flaws
}

/// Every packet that a report names, and where.
fn packets(report: &ConflictReport) -> Vec<(String, &String)> {
    let own = report.packet.iter().map(|packet| ("/packet".to_owned(), packet));
    let of_landed = report.paths.iter().enumerate().flat_map(|(at, path)| {
        let landed = path.landed.iter().enumerate();
        landed.filter_map(move |(place, landed)| {
            Some((format!("/paths/{at}/landed/{place}/packet"), landed.packet.as_ref()?))
        })
    });
    own.chain(of_landed).collect()
}
