//! What several roles of a team have against each other.
//!
//! Owns the comparisons. Knows only what the skill files say, not who is in a lane.

use crate::skill::{MERGER, Skill};
use std::collections::BTreeMap;

/// Tokens in common, of a hundred, from which on two mandates say the same.
const SAME_PERCENT: usize = 80;
/// Kinds that come without a role that makes them: the board hands out tasks, every hand-over is a packet, and the merger
/// lands.
const GIVEN: [&str; 3] = ["task", "packet", "landing"];
/// Kinds that are taken without a role that takes them: whoever is handed work takes the packet, and the merger what lands.
const TAKEN: [&str; 3] = ["packet", "change", "review"];

/// What kind of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// Two roles may write the same paths.
    WriteOverlap,
    /// Two mandates say nearly the same.
    SameMandate,
    /// A role makes what no role takes.
    OutputUnused,
    /// A role takes what no role makes.
    InputUnmade,
    /// A role hands over to a role that is not there.
    HandoffUnknown,
    /// A role has no stop condition.
    StopMissing,
    /// Two skills have the same name.
    SameName,
}

impl FindingKind {
    /// The code that [`crate::explain`] knows.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            FindingKind::WriteOverlap => "W0303",
            FindingKind::SameMandate => "W0304",
            FindingKind::OutputUnused => "W0305",
            FindingKind::InputUnmade => "W0306",
            FindingKind::HandoffUnknown => "W0307",
            FindingKind::StopMissing => "W0308",
            FindingKind::SameName => "W0309",
        }
    }
}

/// Something that a person should look at before the team runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What kind of thing it is.
    pub kind: FindingKind,
    /// The role.
    pub role: String,
    /// The second role, if it takes two.
    pub other: Option<String>,
    /// The finding in one sentence, which names the roles.
    pub message: String,
}

/// Compares the roles of a team: each finding once, sorted by kind and role.
#[must_use]
pub fn overlaps(skills: &[Skill]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, skill) in skills.iter().enumerate() {
        alone(skill, skills, &mut findings);
        for other in &skills[at + 1..] {
            pair(skill, other, &mut findings);
        }
    }
    findings.sort();
    findings
}

fn pair(a: &Skill, b: &Skill, findings: &mut Vec<Finding>) {
    let mut note = |kind, message| {
        let (role, other) = (a.name.clone(), Some(b.name.clone()));
        findings.push(Finding { kind, role, other, message });
    };
    if a.name == b.name {
        note(FindingKind::SameName, format!("two roles are named {}", a.name));
    }
    let mut shared = Vec::new();
    for pattern in &a.policy.may_write {
        let with = b.policy.may_write.iter().filter(|other| pattern.overlaps(other));
        shared.extend(with.map(|other| format!("`{pattern}` and `{other}`")));
    }
    if let Some(first) = shared.first() {
        let more = if shared.len() > 1 { format!(" and {} more", shared.len() - 1) } else { String::new() };
        note(FindingKind::WriteOverlap, format!("{} and {} may write the same paths: {first}{more}", a.name, b.name));
    }
    if same(&a.mandate, &b.mandate) {
        note(FindingKind::SameMandate, format!("the mandates of {} and {} say nearly the same", a.name, b.name));
    }
}

fn alone(skill: &Skill, skills: &[Skill], findings: &mut Vec<Finding>) {
    let name = &skill.name;
    let mut note = |kind, other: Option<&String>, message| {
        findings.push(Finding { kind, role: name.clone(), other: other.cloned(), message });
    };
    // What the merger takes and makes is its own business: it waits for nobody's files.
    let is_merger = skill.name == MERGER;
    for output in skill.outputs.iter().filter(|output| !is_merger && !TAKEN.contains(&output.as_str())) {
        if !skills.iter().any(|other| other.inputs.contains(output)) {
            note(FindingKind::OutputUnused, None, format!("{name} makes `{output}`, which no role takes"));
        }
    }
    for input in skill.inputs.iter().filter(|input| !is_merger && !GIVEN.contains(&input.as_str())) {
        if !skills.iter().any(|other| other.outputs.contains(input)) {
            note(FindingKind::InputUnmade, None, format!("{name} takes `{input}`, which no role makes"));
        }
    }
    for role in &skill.handoff_to {
        if !skills.iter().any(|other| other.name == *role) {
            note(
                FindingKind::HandoffUnknown,
                Some(role),
                format!("{name} hands over to {role}, which is no role of the team"),
            );
        }
    }
    if skill.stop.is_empty() {
        note(FindingKind::StopMissing, None, format!("{name} has no stop condition"));
    }
}

/// Whether two texts share most of their words, each counted as often as it is there.
fn same(a: &str, b: &str) -> bool {
    let (a, b) = (tokens(a), tokens(b));
    let size = a.values().sum::<usize>() + b.values().sum::<usize>();
    let common: usize = a.iter().map(|(token, count)| (*count).min(b.get(token).copied().unwrap_or(0))).sum();
    size > 0 && 2 * common * 100 >= SAME_PERCENT * size
}

fn tokens(text: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for token in text.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty()) {
        *counts.entry(token.to_lowercase()).or_default() += 1;
    }
    counts
}
