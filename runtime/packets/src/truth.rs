//! Whether what a packet says of its run is so: the run, the task, the attempt, whose it is, for whom, and on which commit.
//!
//! Owns the comparison. Where the facts come from is nothing that is known here.

use crate::flaw::{self, Flaw, shown};
use crate::packet::{Packet, Purpose};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a run, every name as a packet spells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Its identity.
    pub run: String,
    /// Its tasks, and the role that judges each, if one does.
    pub tasks: BTreeMap<String, Option<String>>,
    /// Its lanes.
    pub lanes: BTreeSet<String>,
    /// The attempts that were begun, with the lanes that had each.
    pub attempts: BTreeMap<String, BTreeSet<String>>,
    /// Every commit that main was at.
    pub commits: BTreeSet<String>,
}

/// What a packet says that is not so in this run, in the order of its keys.
#[must_use]
pub fn compare(packet: &Packet, run: &Run) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut note = |key: &str, code, message: String, help: String| {
        flaws.push(Flaw { code, pointer: format!("/{key}"), span: 0..0, message, help });
    };
    if packet.run != run.run {
        let message = format!("the packet is of the run {}, and this is {}", packet.run, run.run);
        note("run", flaw::OTHER_RUN, message, format!("look it up in its own run, or write `{}`", run.run));
    }
    if !run.tasks.contains_key(&packet.task) {
        let message = format!("the run has no task {}", packet.task);
        note("task", flaw::UNTRUE, message, "name the task that the packet hands on".to_owned());
    }
    if let Some(message) = author(packet, run) {
        note("from", flaw::UNTRUE, message, "name the lane that made the attempt".to_owned());
    }
    if let Some(to) = receiver(packet, run).filter(|to| *to != packet.to) {
        let message = format!("{} is handed to {to}, and not to {}", packet.task, shown(&packet.to));
        note("to", flaw::UNTRUE, message, format!("write `{to}`"));
    }
    if let Some(base) = packet.base.as_ref().filter(|base| !run.commits.contains(*base)) {
        let message = format!("main has never been at {base} in this run");
        note("base", flaw::UNTRUE, message, "name the commit of main that the work began from".to_owned());
    }
    if run.tasks.contains_key(&packet.task) && !run.attempts.contains_key(&packet.change) {
        let message = format!("no attempt {} was begun in this run", packet.change);
        note("change", flaw::UNTRUE, message, "name the attempt that the packet tells of".to_owned());
    }
    flaws
}

/// What is wrong with the lane that hands it on.
fn author(packet: &Packet, run: &Run) -> Option<String> {
    if !run.lanes.contains(&packet.from) {
        return Some(format!("the run has no lane {}", packet.from));
    }
    let owners = run.attempts.get(&packet.change)?;
    (!owners.contains(&packet.from)).then(|| format!("{} was never given to {}", packet.change, packet.from))
}

/// The role that a packet of this purpose is for, if that can be known.
fn receiver<'a>(packet: &'a Packet, run: &'a Run) -> Option<&'a str> {
    if packet.purpose == Purpose::Review {
        return run.tasks.get(&packet.task)?.as_deref();
    }
    packet.from.rsplit_once('.').map(|(role, _)| role).filter(|_| run.lanes.contains(&packet.from))
}
