//! What a team is made of: the resolved scenario, as its actors need it. Plain values; no file positions, no addresses.
//!
//! Times are microseconds, money is millionths of a dollar, probabilities are parts per million.

mod command;
mod effect;

pub use crate::rights::Binding;
pub use baton_core::approvals::{About, Patience};
use baton_record::event::{ApprovalSubject, Bound, BudgetSet};
use baton_record::{LaneId, Oid, ResourceId};
use baton_world::endpoint_gate::Rate;
use baton_world::{ClockKind, Seeds};
pub use command::{Command, Whom};

/// What the merger is called where roles are named; no role has lanes by this name.
pub const MERGER: &str = "merger";

/// Everything that does not change during a run.
#[derive(Clone, Debug)]
pub struct Team {
    /// Identity of the run.
    pub run: String,
    /// The seed tree of the run.
    pub seeds: Seeds,
    /// Which clock it lives by.
    pub clock: ClockKind,
    /// Main before the first landing.
    pub base: Oid,
    /// Seconds since 1970 at the run's start, for commits.
    pub start_s: i64,
    /// Lanes, in the order of their identifiers.
    pub lanes: Vec<LaneSpec>,
    /// Models, in the order of their endpoints' identifiers.
    pub models: Vec<Model>,
    /// What binds the roles that are bound, and the merger, which comes last.
    pub bindings: Vec<Binding>,
    /// Kinds of work.
    pub work: Vec<Work>,
    /// For each task its kind of work: index into `work`.
    pub tasks: Vec<usize>,
    /// Limits that hold from the start; a lane's with the lane.
    pub budgets: Vec<(BudgetSet, Option<LaneId>)>,
    /// Resources that must be held to be touched, in the order of their identifiers.
    pub leases: Vec<LeaseRule>,
    /// What a merged tree must pass.
    pub gates: Vec<Gate>,
    /// How long a message between actors takes.
    pub mail: Latency,
    /// What a run may at most have.
    pub caps: Caps,
    /// How changes come to main.
    pub landing: LandingKind,
    /// How long people are waited for.
    pub approvals: Patiences,
    /// Whether the run ends once every plan that a person decides about is on main.
    pub stop_when_planned: bool,
    /// The orders by which lanes will join, in no order.
    pub joining: Vec<Command>,
}

/// `approvals`: for each sort of question how long it waits for a person, and what happens then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Patiences {
    /// `undo`: a change takes back what another lane landed.
    pub undo: Patience,
    /// `action`: the role's policy leaves an action to a person.
    pub action: Patience,
    /// `rounds`: a change was sent back as often as it may be.
    pub rounds: Patience,
    /// `plan`: the task says that a person decides.
    pub plan: Patience,
}

impl Patiences {
    /// Of one sort of question.
    pub fn of(&self, subject: ApprovalSubject) -> Patience {
        match subject {
            ApprovalSubject::Undo => self.undo,
            ApprovalSubject::Action => self.action,
            ApprovalSubject::Rounds => self.rounds,
            ApprovalSubject::Plan => self.plan,
        }
    }
}

/// How changes come to main.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LandingKind {
    /// Through the merger, by compare-and-swap.
    Merger,
    /// Straight, whole file by whole file, without compare: the control run.
    Direct,
}

/// One lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneSpec {
    /// `role.number`.
    pub name: String,
    /// Its role.
    pub role: String,
    /// Index into [`Team::models`].
    pub model: usize,
    /// Tokens of context after which a successor goes on.
    pub context_limit: Option<u64>,
}

/// One kind of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The role whose lanes do it.
    pub role: String,
    /// Where it happens: a path or `dir/**`.
    pub touches: String,
    /// The one artifact that every task of this kind writes.
    pub canonical: Option<String>,
    /// Who judges its changes before they land.
    pub review: Option<Review>,
    /// `approve: plan`: a person decides about its changes before they go on.
    pub plan: bool,
    /// Its number among the kinds of work, and those that must have ended before it is begun.
    pub group: u16,
    /// See `group`.
    pub after: Vec<u16>,
    /// Model calls before the change is made.
    pub steps: u32,
    /// Changes after which a task is given up.
    pub attempts: u32,
    /// What one change consists of, in order.
    pub actions: Vec<Action>,
}

/// `review` of a task: `reviewer`, or `{ by: reviewer, steps: 2, returns: 20%, rounds: 3 }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The role whose lanes judge.
    pub role: String,
    /// Model calls before a judgement, default 1.
    pub steps: u32,
    /// Share of the changes that are sent back, in parts per million, default 0.
    pub returns_ppm: u32,
    /// Judgements that may send a task's change back before a person decides, default 3.
    pub rounds: u32,
}

/// What a fault makes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    /// `incomplete`: what is said to be done has no evidence.
    Incomplete,
    /// `dangling`: a link leads to nothing.
    Dangling,
    /// `lying`: a link says another hash than what it leads to has.
    Lying,
    /// `huge`: it is larger than a packet may be.
    Huge,
}

/// A log-normal waiting time, `{ median: 8s, p99: 60s }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// Half of the draws are below.
    pub median_us: u64,
    /// 99 of 100 draws are below; at least the median.
    pub p99_us: u64,
}

/// One model endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The key.
    pub name: String,
    /// `latency` of one call.
    pub latency: Latency,
    /// `slots`: calls under way at once; 0 (default): no limit.
    pub slots: u32,
    /// `tokens.in` of one call, default 0.
    pub tokens_in: u64,
    /// `tokens.out` of one call, default 0: the median, if `tokens.max` is more.
    pub tokens_out: u64,
    /// `tokens.max`: what one call can receive at most, default `tokens.out`.
    pub tokens_max: u64,
    /// `price.in`: micro-dollars per million tokens sent, default 0 (the file says dollars: `3.0`).
    pub price_in: u64,
    /// `price.out`: micro-dollars per million tokens received, default 0.
    pub price_out: u64,
    /// `budgets.endpoint`: what the endpoint takes in a minute.
    pub rate: Rate,
    /// Whether calls wait at a door: there is a rate, or a fault that makes the endpoint refuse.
    pub gated: bool,
}

impl Model {
    /// What a call costs that receives so many tokens, in millionths of a dollar, rounded up.
    pub fn usd_micros(&self, tokens_out: u64) -> u64 {
        let cost = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price);
        let total = cost(self.tokens_in, self.price_in) + cost(tokens_out, self.price_out);
        u64::try_from(total.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }

    /// What one call can use at most: what is sent, and as much as can be received, at the listed price.
    pub fn bound(&self) -> Bound {
        Bound { tokens: self.tokens_in.saturating_add(self.tokens_max), usd_micros: self.usd_micros(self.tokens_max) }
    }
}

/// What a script does in one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `{ append: token }`: one line with a unique token at the end of one file below `touches`.
    Append,
    /// `{ transaction: { files: 3, append: token } }`: the same to several distinct files, all or none.
    Transaction {
        /// How many, 2 to 1,000.
        files: u32,
    },
    /// `{ create: token }`: a new file with a unique name and token.
    Create,
    /// `{ edit: replace-line }` or `{ edit: increment }`: one file, changed by a rule.
    Edit(EditRule),
    /// `{ read-then-write: { read: PATH, append: token } }`: append to one file what depends on another.
    ReadThenWrite {
        /// The file that must not change until the landing.
        read: String,
    },
    /// `{ rename: token }`: one file below `touches` gets a new, unique name.
    Rename,
    /// `{ rename: PATH }` or `{ rename: { from: PATH, to: PATH } }`: this one file gets another name. If it is not there any
    /// more, or something has the new name already, a new file is made instead, so that nothing is overwritten.
    RenameFile {
        /// The file.
        from: String,
        /// Its new name; `None`: a unique one below `touches`.
        to: Option<String>,
    },
    /// `{ delete: one }`: one file below `touches` goes.
    Delete,
    /// `{ undo: one }`: one file below `touches` that another lane has landed is what it was before.
    Undo,
    /// `{ stall: 10m }`: the lane does nothing for that long.
    Stall {
        /// How long.
        for_us: u64,
    },
    /// `{ write: PATH }`: creates or replaces the file that the path leads to, wherever that is.
    Write {
        /// As the lane writes it.
        path: String,
    },
    /// `{ remove: PATH }`: removes a file, a link, or a directory with all that is in it.
    Remove {
        /// As the lane writes it.
        path: String,
    },
    /// `{ read: PATH }`: looks into a file; the change does not depend on it.
    Read {
        /// As the lane writes it.
        path: String,
    },
    /// `{ run: "cd . && git push" }`: a shell command; it has no effect but the time that it takes.
    Run {
        /// As the lane writes it.
        command: String,
    },
    /// `{ push: main }`: sends main to a remote, which a simulation does not have.
    Push,
    /// `{ mcp: mcp__server__tool }`: calls a tool of an MCP server, which a simulation does not have.
    Mcp {
        /// Its whole name.
        tool: String,
    },
    /// `{ crash: 5% }`: with this probability the lane crashes here.
    Crash {
        /// Parts per million.
        probability_ppm: u32,
    },
}

/// Rules of `edit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditRule {
    /// A line drawn by the seed gives way to one with a unique token.
    ReplaceLine,
    /// The first line that is a number grows by one (counters).
    Increment,
}

/// One entry of `leases`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRule {
    /// `resource`: a literal path, or `dir/**`.
    pub resource: String,
    /// `per`: what it is held for.
    pub per: LeaseSpan,
    /// `ttl`: when it expires, counted from the grant.
    pub ttl_us: u64,
}

/// How long a change lease is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseSpan {
    /// `change` (default): from before the submission to the landing.
    Change,
    /// `task`: from before the first step, so that the lane reads under the lease what it will write.
    Task,
}

/// One entry of `gates`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// `name`: lower-case letters, digits and hyphens.
    pub name: String,
    /// What it does.
    pub kind: GateKind,
}

/// What a gate does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateKind {
    /// `forbid: TEXT`: no file that the landing changes may contain the text.
    Forbid {
        /// The text.
        text: String,
    },
    /// `script: { latency: {…}, red: 2% }`: a check that takes time and fails for a seeded share of trees.
    Script {
        /// How long it takes.
        latency: Latency,
        /// Parts per million of trees that it refuses.
        red_ppm: u32,
    },
}

/// Actors that a fault can restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restartable {
    /// Leases, board and pause.
    Supervisor,
    /// The merge queue.
    Merger,
}

/// `while:` of a fault that strikes a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// `holds-lease`: it holds an answered change lease and has not submitted yet.
    HoldsLease,
    /// `thinks`: a call is under way.
    Thinks,
    /// `waits-for-landing`: its change is with the merger.
    WaitsForLanding,
}

/// `caps`: what a run may at most have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// `lanes`, default 1,000, at most 100,000.
    pub lanes: u32,
    /// `tasks`, default 100,000, at most 1,000,000.
    pub tasks: u32,
    /// `queue`: changes that may wait at the merger, default 1,024, at most 1,000,000.
    pub queue: u32,
    /// `row`: changes that land with one move of main, each gated for itself and all at the same time, default 64, at most
    /// 1,024.
    pub row: u32,
    /// `restarts`: of one actor, default 8, at most 1,000.
    pub restarts: u32,
    /// `handoffs`: how often one task may be handed on, default 32, at most 500.
    pub handoffs: u32,
}

impl Default for Caps {
    fn default() -> Caps {
        Caps { lanes: 1_000, tasks: 100_000, queue: 1_024, row: 64, restarts: 8, handoffs: 32 }
    }
}

impl Team {
    /// The first lane of a role: what joins the role later is a clone of it.
    pub fn first_of(&self, role: &str) -> Option<&LaneSpec> {
        self.lanes.iter().find(|spec| spec.role == role)
    }

    /// The model that thinks in the lanes of a role.
    pub fn model_of(&self, role: &str) -> Option<usize> {
        self.first_of(role).map(|spec| spec.model)
    }

    /// The work of a task.
    pub fn work_of(&self, task: baton_record::TaskId) -> &Work {
        &self.work[self.tasks[task.0 as usize]]
    }

    /// What binds a role, if anything does.
    pub fn binding(&self, role: &str) -> Option<&Binding> {
        self.bindings.iter().find(|binding| binding.role == role)
    }

    /// What binds the merger.
    pub fn merger(&self) -> Option<&Binding> {
        self.bindings.last().filter(|binding| binding.role == MERGER)
    }

    /// Whether work may go to a role, named by itself or by its skill.
    pub fn may_hand(&self, binding: &Binding, to: &str) -> bool {
        let skill = self.binding(to).map(|to| to.skill.as_str());
        binding.handoff_to.iter().any(|named| named == to || Some(named.as_str()) == skill)
    }

    /// What binds a lane of this name.
    pub fn binding_of_lane(&self, lane: &str) -> Option<&Binding> {
        self.binding(lane.rsplit_once('.')?.0)
    }

    /// Resources that a change of `paths` must hold, ascending.
    pub fn resources_covering<'a>(&self, paths: impl Iterator<Item = &'a str> + Clone) -> Vec<ResourceId> {
        let rules = self.leases.iter().enumerate();
        let needed = rules.filter(|(_, rule)| paths.clone().any(|path| covers(&rule.resource, path)));
        needed.map(|(at, _)| ResourceId(at as u16)).collect()
    }
}

/// Whether `path` lies under `pattern` (a literal path, `dir/**`, or `**`).
pub fn covers(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix("**") {
        Some("") => true,
        Some(dir) => path.starts_with(dir) && path.len() > dir.len(),
        None => pattern == path,
    }
}

/// Whether two patterns have a path in common.
pub fn overlap(a: &str, b: &str) -> bool {
    match (a.strip_suffix("**"), b.strip_suffix("**")) {
        (Some(a), Some(b)) => a.starts_with(b) || b.starts_with(a),
        (None, _) => covers(b, a),
        (_, None) => covers(a, b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_overlap_when_they_share_a_path() {
        for (a, b, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/c", false),
            ("a/**", "a/b/c", true),
            ("a/**", "a", false),
            ("a/**", "ab/c", false),
            ("a/**", "a/b/**", true),
            ("a/b/**", "a/c/**", false),
            ("**", "x", true),
            ("**", "x/**", true),
        ] {
            assert_eq!((overlap(a, b), overlap(b, a)), (expected, expected), "{a} and {b}");
        }
    }
}
