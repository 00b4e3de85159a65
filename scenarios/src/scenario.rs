//! What a scenario file says, after every fault in it has been ruled out. Plain values; no file positions.
//!
//! Times are microseconds, money is millionths of a dollar, probabilities are parts per million.

pub use crate::metric::Metric;
pub use baton_actors::team::Whom;
pub use baton_actors::team::{About, Action, Caps, Command, EditRule, Gate, GateKind, Latency, Patience, Patiences};
pub use baton_actors::team::{LeaseRule, LeaseSpan, Model, Moment, Restartable, Review, Spoil};
use baton_policies::Skill;
use baton_record::LaneId;
pub use baton_record::event::Limit;
use baton_record::event::{BudgetScope, BudgetSet};
pub use baton_world::endpoint_gate::Rate;

/// A whole scenario file.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// `name`: lower-case letters, digits and hyphens.
    pub name: String,
    /// `seed`: default 1; the command line may set another.
    pub seed: u64,
    /// `world`: `sim` (default) or `live`.
    pub world: World,
    /// `workspace`.
    pub workspace: Workspace,
    /// `roles`, in the order of the file.
    pub roles: Vec<Role>,
    /// `merger.skill`: what binds the merger; default: the shipped one.
    pub merger: SkillFile,
    /// `models`, in the order of the file.
    pub models: Vec<Model>,
    /// `tasks`, in the order of the file.
    pub tasks: Vec<TaskGroup>,
    /// `budgets`.
    pub budgets: Budgets,
    /// `leases`: resources that a change must hold to touch them.
    pub leases: Vec<LeaseRule>,
    /// `gates`: what a merged tree must pass.
    pub gates: Vec<Gate>,
    /// `mail`: how long a message between actors takes.
    pub mail: Latency,
    /// `operators`: commands of people.
    pub operators: Vec<OperatorCommand>,
    /// `faults`, in the order of the file; a fault's place is its identifier.
    pub faults: Vec<Fault>,
    /// `approvals`: how long people are waited for, and what happens then; each an hour, then `deny`.
    pub approvals: Patiences,
    /// `stop.when: plan-approved`: the run ends once every change with `approve: plan` is on main.
    pub stop_when_planned: bool,
    /// `stop.after`: time after which the run is stopped; in `sim` thirty days if it is not given.
    pub stop_after_us: Option<u64>,
    /// `caps`.
    pub caps: Caps,
    /// `expect`.
    pub expectations: Vec<Expectation>,
    /// `thresholds`: figures that the run is to reach; the same language as `expect`.
    pub thresholds: Vec<Expectation>,
    /// `control: without-merger`: run the control run afterwards.
    pub control: bool,
}

/// Where a scenario runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// Virtual time.
    Sim,
    /// The real clock.
    Live,
}

/// The repository that the lanes work on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Workspace {
    /// `{ fixture: notes, files: 40 }`: a small generated repository.
    Fixture {
        /// Which; `notes` is the only one: `notes/note-000.md` … (above a hundred on shelves: `notes/00/note-0000.md` …),
        /// `counters/counter-000.txt` …, `index/index.md` and `README.md`.
        name: String,
        /// Notes in it (default 40, 1 to 10,000).
        files: u32,
    },
    /// `{ repo: PATH, base: main }`: a copy of an existing repository.
    Repository {
        /// Path as written, relative to the working directory.
        path: String,
        /// Branch, tag or commit to start from; default: the repository's HEAD.
        base: Option<String>,
    },
}

/// One entry of `roles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The key: lower-case letters, digits and hyphens.
    pub name: String,
    /// `lanes`: how many, 1 to `caps.lanes`.
    pub lanes: u32,
    /// `model`: index into [`Scenario::models`].
    pub model: usize,
    /// `context`: tokens after which a successor goes on; default: its skill's limit, or none.
    pub context: Option<u64>,
    /// `skill`: the file that binds it; default: nothing does.
    pub skill: Option<SkillFile>,
}

/// `skill`: a folder with a `SKILL.md`, relative to the working directory, or the name of a shipped role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillFile {
    /// As written.
    pub path: String,
    /// What the file says.
    pub skill: Skill,
    /// The file.
    pub bytes: Vec<u8>,
}

impl SkillFile {
    /// Whether it is what comes with the program under its name.
    pub fn is_default(&self) -> bool {
        baton_policies::shipped().iter().any(|(name, text)| *name == self.skill.name && text.as_bytes() == self.bytes)
    }
}

/// One entry of `tasks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskGroup {
    /// How many tasks: `each` times the lanes of the role, or `count`. Exactly one of the two is given.
    pub tasks: u32,
    /// `name`: what `after` of others calls it.
    pub name: Option<String>,
    /// `after`: groups, by index, that must have ended before a task of this one is begun.
    pub after: Vec<u16>,
    /// `by`: index into [`Scenario::roles`].
    pub role: usize,
    /// `review`: who judges its changes before they land.
    pub review: Option<Review>,
    /// `approve: plan`: a person decides about its changes before they go on; default: nobody.
    pub plan: bool,
    /// `touches`: where the work happens: a path or `dir/**`; default `**`.
    pub touches: String,
    /// `canonical`: the path of the one artifact that every task of the group writes.
    pub canonical: Option<String>,
    /// `steps`: model calls before the change is made, default 1, 0 to 10,000.
    pub steps: u32,
    /// `attempts`: changes after which a task is given up, default 16, 1 to 64.
    pub attempts: u32,
    /// `do`: what one change consists of, in order; one mapping or a list of them.
    pub actions: Vec<Action>,
}

/// `budgets`: what may be used in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budgets {
    /// `run`: all lanes together.
    pub run: Option<Limit>,
    /// `role`: by index into [`Scenario::roles`], all lanes of the role together.
    pub roles: Vec<(usize, Limit)>,
    /// `lane`: each lane.
    pub lane: Option<Limit>,
    /// `call`: each single call.
    pub call: Option<Limit>,
}

impl Budgets {
    /// Limits in the order of their scopes: the run's, the roles', the lanes', a call's.
    pub fn sets(&self, roles: &[Role]) -> Vec<BudgetSet> {
        let set = |scope, role: Option<&str>, limit| {
            let role = role.map(str::to_owned);
            BudgetSet { scope, role, limit, by: None, reason: None }
        };
        let run = self.run.map(|limit| set(BudgetScope::Run, None, limit));
        let of_role = |(role, limit): &(usize, Limit)| {
            let name = roles[*role].name.as_str();
            set(BudgetScope::Role, Some(name), *limit)
        };
        let lane = self.lane.map(|limit| set(BudgetScope::Lane, None, limit));
        let call = self.call.map(|limit| set(BudgetScope::Call, None, limit));
        run.into_iter().chain(self.roles.iter().map(of_role)).chain(lane).chain(call).collect()
    }

    /// The same, with one limit for each lane that the roles have at the start.
    pub fn counted_out(&self, roles: &[Role]) -> Vec<(BudgetSet, Option<LaneId>)> {
        let count: u32 = roles.iter().map(|role| role.lanes).sum();
        let holders = |set: &BudgetSet| match set.scope {
            BudgetScope::Lane => (0..count).map(|lane| Some(LaneId(lane))).collect(),
            _ => vec![None],
        };
        let each = |set: BudgetSet| holders(&set).into_iter().map(move |lane| (set.clone(), lane));
        self.sets(roles).into_iter().flat_map(each).collect()
    }
}

/// One entry of `operators`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorCommand {
    /// `at`: since the run's start.
    pub at_us: u64,
    /// `by`: the person's name.
    pub by: String,
    /// `do`.
    pub command: Command,
    /// `reason`, default empty.
    pub reason: String,
}

/// One entry of `faults`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// `at`: not before this time (default 0).
    pub at_us: u64,
    /// `while`: the first moment from `at` on in which this is so; `None`: at once.
    pub moment: Option<Moment>,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// `{ kill: implementer.3 }`: the lane dies where it is, and is started again after a back-off.
    Kill {
        /// Index of the role in [`Scenario::roles`].
        role: usize,
        /// Which of its lanes, from 1; `None` (only the role is named): whichever is in the moment first.
        lane: Option<u32>,
    },
    /// `{ pause: implementer.2, for: 5m }`: the lane stands still and knows nothing of it.
    Pause {
        /// As in `Kill`.
        role: usize,
        /// As in `Kill`.
        lane: Option<u32>,
        /// `for`.
        for_us: u64,
    },
    /// `{ restart: supervisor }` or `{ restart: merger }`: the actor dies and folds the journal.
    Restart {
        /// Which.
        actor: Restartable,
    },
    /// `{ duplicate: 5% }`: that share of messages arrives twice, from `at`, for `for`.
    Duplicate {
        /// Parts per million.
        probability_ppm: u32,
        /// `for`; `None`: to the end.
        for_us: Option<u64>,
    },
    /// `{ delay: 5%, by: 30s }`: that share of messages arrives so much later.
    Delay {
        /// Parts per million.
        probability_ppm: u32,
        /// `by`.
        by_us: u64,
        /// `for`; `None`: to the end.
        for_us: Option<u64>,
    },
    /// `{ drop: 1% }`: that share of messages never arrives.
    Drop {
        /// Parts per million.
        probability_ppm: u32,
        /// `for`; `None`: to the end.
        for_us: Option<u64>,
    },
    /// `{ storm: 429, on: fast, for: 60s }`: the endpoint refuses every call, from `at`, for `for`.
    Storm {
        /// What it says: an HTTP status.
        status: u16,
        /// `on`: index into [`Scenario::models`].
        model: usize,
        /// `for`.
        for_us: u64,
        /// `retry-after`: how long it wants to be left alone after each refusal, default 10s.
        retry_after_us: u64,
    },
    /// `{ overload: fast, above: 12, at: 5m, for: 20m }`: the endpoint answers 529 to every call that begins while it works
    /// on so many.
    Overload {
        /// Index into [`Scenario::models`].
        model: usize,
        /// `above`: calls that it takes at once, 1 to 1,000,000.
        above: u32,
        /// `for`; `None`: to the end.
        for_us: Option<u64>,
        /// `retry-after`: how long it wants to be left alone after each refusal, default 10s.
        retry_after_us: u64,
    },
    /// `{ spoil: implementer, how: dangling }`: the first packet that the lane hands on from `at` on is spoiled.
    Spoil {
        /// As in `Kill`.
        role: usize,
        /// As in `Kill`.
        lane: Option<u32>,
        /// `how`: `incomplete`, `dangling`, `lying` or `huge`.
        how: Spoil,
    },
    /// `{ ignore-policy: implementer.2 }`: the lane looks away from its policy while it makes the first change from `at` on.
    IgnorePolicy {
        /// As in `Kill`.
        role: usize,
        /// As in `Kill`.
        lane: Option<u32>,
    },
    /// `{ push: main }`: somebody else moves main.
    Push,
}

/// One entry of `expect` or `thresholds`: `tasks.landed == 200`, `merge.wait.p95 < 60s`, or `main.intact` alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// As written, white space trimmed.
    pub text: String,
    /// What is looked at.
    pub metric: Metric,
    /// How.
    pub comparison: Comparison,
    /// With what; a time in seconds. `main.intact` alone means `== 1`.
    pub value: f64,
}

/// How a metric is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}
