//! What an operator can say, as values and as a scenario file writes it. Knows nobody's identifier: people speak of lanes by
//! name, and some of the lanes that they speak of have not joined yet.

use super::{About, LaneSpec};
use baton_record::TaskId;
use baton_record::event::{BudgetScope, BudgetSet, Limit};
use std::fmt;

/// What an operator can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `pause-all`.
    PauseAll,
    /// `resume-all`.
    ResumeAll,
    /// `stop`.
    Stop,
    /// `drain`.
    Drain,
    /// `{ kill: implementer.3 }`.
    Kill(String),
    /// `{ budget: { run: { usd: 8 } } }`: limits; a lane's is each lane's.
    Budget(Vec<BudgetSet>),
    /// `{ approve: T-3 }`, `{ approve: undo }`, `{ approve: all }`, and the same with `deny`: what waits is answered.
    Answer {
        /// Which questions.
        about: About,
        /// Yes or no.
        approved: bool,
    },
    /// `{ override: T-3 }`: the task's next change passes whatever gate refuses it.
    Override(TaskId),
    /// `{ add: implementer }` or `{ add: { role: implementer, lanes: 3 } }`.
    Add {
        /// Which role grows.
        role: String,
        /// By how many lanes.
        lanes: u32,
    },
    /// `{ remove: implementer.3 }`.
    Remove(String),
    /// `{ reassign: T-3, to: implementer.2 }`, or to a role: to any lane of it.
    Reassign {
        /// Which task.
        task: TaskId,
        /// Whose it is to be.
        to: Whom,
    },
    /// `{ release: implementer.2 }`.
    Release(String),
}

/// A lane, or any lane of a role, by name: lanes that are added later have names long before they have identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// One lane: `implementer.3`.
    Lane(String),
    /// Any lane of a role: `implementer`.
    Role(String),
}

impl Whom {
    /// Whether this lane is meant.
    pub fn fits(&self, spec: &LaneSpec) -> bool {
        match self {
            Whom::Lane(name) => *name == spec.name,
            Whom::Role(role) => *role == spec.role,
        }
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Whom::Lane(name) | Whom::Role(name)) = self;
        f.write_str(name)
    }
}

/// As a scenario file writes it.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::PauseAll => f.write_str("pause-all"),
            Command::ResumeAll => f.write_str("resume-all"),
            Command::Stop => f.write_str("stop"),
            Command::Drain => f.write_str("drain"),
            Command::Kill(lane) => write!(f, "{{ kill: {lane} }}"),
            Command::Budget(limits) => {
                let limits: Vec<String> = limits.iter().map(limit_text).collect();
                write!(f, "{{ budget: {{ {} }} }}", limits.join(", "))
            }
            Command::Answer { about, approved } => {
                let verb = if *approved { "approve" } else { "deny" };
                write!(f, "{verb}: {}", meant(*about))
            }
            Command::Override(task) => write!(f, "override: {task}"),
            Command::Add { role, lanes: 1 } => write!(f, "{{ add: {role} }}"),
            Command::Add { role, lanes } => write!(f, "{{ add: {{ role: {role}, lanes: {lanes} }} }}"),
            Command::Remove(lane) => write!(f, "{{ remove: {lane} }}"),
            Command::Reassign { task, to } => write!(f, "{{ reassign: {task}, to: {to} }}"),
            Command::Release(lane) => write!(f, "{{ release: {lane} }}"),
        }
    }
}

fn meant(about: About) -> String {
    match about {
        About::Task(task) => task.to_string(),
        About::Subject(subject) => subject.word().to_owned(),
        About::All => "all".to_owned(),
    }
}

/// `run: { usd: 8 }`.
fn limit_text(set: &BudgetSet) -> String {
    let Limit { requests, tokens, usd_micros } = set.limit;
    let usd = |micros: u64| format!("usd: {}", micros as f64 / 1e6);
    let parts = [
        requests.map(|requests| format!("requests: {requests}")),
        tokens.map(|tokens| format!("tokens: {tokens}")),
        usd_micros.map(usd),
    ];
    let limit = format!("{{ {} }}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "));
    match (set.scope, &set.role) {
        (BudgetScope::Run, _) => format!("run: {limit}"),
        (BudgetScope::Role, role) => format!("role: {{ {}: {limit} }}", role.as_deref().unwrap_or_default()),
        (BudgetScope::Lane, _) => format!("lane: {limit}"),
        (BudgetScope::Call, _) => format!("call: {limit}"),
    }
}
