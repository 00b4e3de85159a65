//! The work of a scenario by kinds: entries of `tasks` that are alike are one kind. What one attempt at a task calls,
//! waits for and writes, and how often it is made again because somebody else was faster.
//!
//! Rework: an attempt is made on the main that its work began with and lands when no file that it changed has been
//! changed since. Landings of kind `h` come `tasks_h / time_h` a second; an attempt of kind `g` is in danger for its
//! cycle, and a landing of `h` hits it with the probability that both change the same file. So it is refused with
//! `1 - exp(-cycle_g * sum(rate_h * hit_gh))`, and because refused ones do not land, rates and refusals are brought into
//! agreement step by step.

use super::chance::{self, Draw};
use super::ground::Ground;
use super::handoffs;
use super::order::Order;
use super::people::People;
use super::team::Crew;
use crate::scenario::{Action, Command, GateKind, LeaseSpan, Scenario, TaskGroup};
use baton_actors::team::{covers, overlap};
use std::collections::{BTreeMap, BTreeSet};

/// Kinds that are compared with each other; of more, those with most tasks.
const COMPARED_MAX: usize = 400;
/// Steps until rates and refusals agree.
const AGREEMENTS: u32 = 40;
/// Seconds that a lane waits for an answer before it asks again.
pub(crate) const PATIENCE_S: f64 = 30.0;

/// One kind of work.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    /// Entries of `tasks` that it stands for, from 0.
    pub(crate) entries: Vec<usize>,
    pub(crate) tasks: f64,
    pub(crate) role: usize,
    pub(crate) steps: f64,
    pub(crate) attempts_max: u32,
    pub(crate) review: Option<Judging>,
    pub(crate) touches: String,
    /// Files that one attempt changes below `touches`, wherever.
    pub(crate) anywhere: f64,
    /// Files that it makes.
    pub(crate) makes: f64,
    /// Files that it changes by name.
    pub(crate) named: BTreeSet<String>,
    reads: BTreeSet<String>,
    /// Seconds of stalls.
    stalls_s: f64,
    /// Rules of `leases` that it holds for the whole task; else of those that it may need for a change.
    pub(crate) held: Vec<usize>,
    after: Vec<u16>,
    /// Probability that an attempt fails whatever the others do: a red gate, a crash.
    fails_alone: f64,
    /// Attempts that a task takes on the average.
    pub(crate) attempts: f64,
    /// Probability that an attempt is refused because of others.
    pub(crate) refused: f64,
}

/// Who judges, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judging {
    pub(crate) role: usize,
    pub(crate) steps: f64,
    pub(crate) rounds_max: u32,
    /// Judgements of one attempt on the average.
    pub(crate) rounds: f64,
}

impl Kind {
    fn of(scenario: &Scenario, group: &TaskGroup) -> Kind {
        let review = group.review.as_ref().map(|review| Judging {
            role: scenario.roles.iter().position(|role| role.name == review.role).unwrap_or(0),
            steps: f64::from(review.steps),
            rounds_max: review.rounds,
            rounds: chance::attempts(f64::from(review.returns_ppm) / 1e6, review.rounds),
        });
        let overlapping: Vec<usize> =
            (0..scenario.leases.len()).filter(|at| overlap(&scenario.leases[*at].resource, &group.touches)).collect();
        let whole_task = overlapping.iter().any(|at| scenario.leases[*at].per == LeaseSpan::Task);
        let mut kind = Kind {
            entries: Vec::new(),
            tasks: 0.0,
            role: group.role,
            steps: f64::from(group.steps),
            attempts_max: group.attempts,
            review,
            touches: group.touches.clone(),
            anywhere: 0.0,
            makes: 0.0,
            named: group.canonical.iter().cloned().collect(),
            reads: BTreeSet::new(),
            stalls_s: 0.0,
            held: if whole_task { overlapping } else { Vec::new() },
            after: group.after.clone(),
            fails_alone: 0.0,
            attempts: 1.0,
            refused: 0.0,
        };
        let mut crash = 0.0;
        group.actions.iter().for_each(|action| kind.add(action, &mut crash));
        if scenario.roles[group.role].skill.is_some() {
            // What lies elsewhere is most likely what a bound role may not write, and is left out of its change.
            kind.named.retain(|path| covers(&group.touches, path));
        }
        let green = scenario.gates.iter().map(|gate| match &gate.kind {
            GateKind::Forbid { .. } => 1.0,
            GateKind::Script { red_ppm, .. } => 1.0 - f64::from(*red_ppm) / 1e6,
        });
        kind.fails_alone = 1.0 - (1.0 - crash) * green.product::<f64>();
        if !kind.touches.ends_with("**") && kind.anywhere + kind.makes > 0.0 {
            kind.named.insert(kind.touches.clone());
            (kind.anywhere, kind.makes) = (0.0, 0.0);
        }
        kind
    }

    fn add(&mut self, action: &Action, crash: &mut f64) {
        match action {
            Action::Append | Action::Edit(_) | Action::Rename | Action::Delete | Action::Undo => self.anywhere += 1.0,
            Action::Transaction { files } => self.anywhere += f64::from(*files),
            Action::Create => self.makes += 1.0,
            Action::ReadThenWrite { read } => {
                self.anywhere += 1.0;
                self.reads.insert(read.clone());
            }
            Action::RenameFile { from, to } => {
                self.named.extend([from].into_iter().chain(to).cloned());
            }
            Action::Write { path } | Action::Remove { path } => {
                self.named.insert(path.clone());
            }
            Action::Read { .. } | Action::Run { .. } | Action::Push | Action::Mcp { .. } => {}
            Action::Stall { for_us } => self.stalls_s += *for_us as f64 / 1e6,
            Action::Crash { probability_ppm } => {
                *crash = 1.0 - (1.0 - *crash) * (1.0 - f64::from(*probability_ppm) / 1e6)
            }
        }
    }

    /// Files that one attempt changes.
    pub(crate) fn files(&self) -> f64 {
        self.anywhere + self.makes + self.named.len() as f64
    }

    /// Seconds of one attempt until its change is made.
    pub(crate) fn making(&self, crew: &Crew) -> Draw {
        let calls = crew.call_of(self.role).times(self.steps);
        calls.plus(Draw::fixed(self.stalls_s + crew.mail_s * (4.0 * self.steps + 4.0)))
    }

    /// Seconds of one judgement.
    pub(crate) fn judging(&self, crew: &Crew) -> Draw {
        self.review.map_or(Draw::default(), |review| {
            let calls = crew.call_of(review.role).times(review.steps);
            calls.plus(Draw::fixed(crew.mail_s * (4.0 * review.steps + 4.0)))
        })
    }

    /// Probability that a change of `other` that lands makes one of this kind fail.
    fn hit_by(&self, other: &Kind, counts: &Counts<'_>) -> f64 {
        if self.named.intersection(&other.named).next().is_some()
            || self.reads.intersection(&other.named).next().is_some()
        {
            return 1.0;
        }
        if self.held.iter().any(|rule| other.held.contains(rule)) {
            return 0.0;
        }
        let by_name = |names: &BTreeSet<String>, by: &Kind| {
            let among = names.iter().filter(|name| covers(&by.touches, name)).count() as f64;
            among * (by.anywhere / counts.of(by)).min(1.0)
        };
        // One file of ours is among theirs: it lies where both work, and is one of those that they took.
        let one = counts.common(self, other) / counts.of(self) * (other.anywhere / counts.of(other)).min(1.0);
        let missed = (1.0 - one.min(1.0)).powf(self.anywhere);
        let named = by_name(&self.named, other) + by_name(&self.reads, other) + by_name(&other.named, self);
        1.0 - missed * (1.0 - named).max(0.0)
    }
}

/// Files below what kinds touch, those that they make themselves counted by half.
struct Counts<'g> {
    ground: &'g Ground,
    files: BTreeMap<String, f64>,
}

impl<'g> Counts<'g> {
    fn new(ground: &'g Ground, kinds: &[Kind]) -> Counts<'g> {
        let mut made: BTreeMap<&str, f64> = BTreeMap::new();
        kinds.iter().for_each(|kind| *made.entry(&kind.touches).or_default() += kind.makes * kind.tasks);
        let of =
            |(touches, made): (&str, f64)| (touches.to_owned(), (ground.count(touches) as f64 + made / 2.0).max(1.0));
        let files = made.into_iter().map(of).collect();
        Counts { ground, files }
    }

    fn of(&self, kind: &Kind) -> f64 {
        self.files.get(&kind.touches).copied().unwrap_or(1.0)
    }

    /// Files that both can change: those of the narrower pattern.
    fn common(&self, one: &Kind, other: &Kind) -> f64 {
        if one.touches == other.touches {
            return self.of(one);
        }
        if !overlap(&one.touches, &other.touches) {
            return 0.0;
        }
        let narrower = if one.touches.len() > other.touches.len() { one } else { other };
        self.of(narrower).min(self.ground.count(&narrower.touches).max(1) as f64)
    }
}

/// The kinds of a scenario, in the order of their first entries.
pub(crate) fn kinds(scenario: &Scenario) -> Vec<Kind> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut kinds: Vec<Kind> = Vec::new();
    for (entry, group) in scenario.tasks.iter().enumerate() {
        let alike = TaskGroup { tasks: 0, name: None, ..group.clone() };
        let place = *places.entry(format!("{alike:?}")).or_insert_with(|| {
            kinds.push(Kind::of(scenario, group));
            kinds.len() - 1
        });
        kinds[place].entries.push(entry);
        kinds[place].tasks += if never_begun(scenario, entry) { 0.0 } else { f64::from(group.tasks) };
    }
    kinds
}

/// Whether the run ends before the entry is begun: it comes after a plan, and the run stops when that is approved.
fn never_begun(scenario: &Scenario, entry: usize) -> bool {
    scenario.stop_when_planned
        && Order::new(scenario)
            .before(entry)
            .into_iter()
            .zip(&scenario.tasks)
            .any(|(before, group)| before && group.plan)
}

/// Finds out how often attempts are refused, and so how many a task takes.
pub(crate) fn rework(scenario: &Scenario, kinds: &mut [Kind], ground: &Ground, crew: &Crew) {
    let mut compared: Vec<usize> = (0..kinds.len()).collect();
    compared.sort_by(|a, b| kinds[*b].tasks.total_cmp(&kinds[*a].tasks));
    compared.truncate(COMPARED_MAX);
    let counts = Counts::new(ground, kinds);
    let order = Order::new(scenario);
    let before: Vec<Vec<bool>> = compared.iter().map(|at| order.before(kinds[*at].entries[0])).collect();
    let hit = |one: usize, other: usize| {
        let (ours, theirs) = (&kinds[compared[one]], &kinds[compared[other]]);
        let apart = before[one][theirs.entries[0]] || before[other][ours.entries[0]];
        if apart { 0.0 } else { ours.hit_by(theirs, &counts) }
    };
    let all = 0..compared.len();
    let hits: Vec<Vec<f64>> = all.clone().map(|one| all.clone().map(|other| hit(one, other)).collect()).collect();
    for _ in 0..AGREEMENTS {
        let busy = super::time::Busy::of(scenario, kinds, crew);
        let (tasks, last_s): (Vec<f64>, Vec<f64>) =
            compared.iter().map(|at| (kinds[*at].tasks, busy.landing_s(&kinds[*at]).max(1e-6))).unzip();
        for (place, at) in compared.iter().enumerate() {
            // Whose work is over sooner is in nobody's way any more.
            let rate = |other: usize| tasks[other] / last_s[other].max(last_s[place]);
            let others: f64 = hits[place].iter().enumerate().map(|(other, hit)| hit * rate(other)).sum();
            // A lane is never in its own way.
            let own = hits[place][place] * rate(place) / busy.lanes_at(&kinds[*at]);
            let successors = handoffs::successors(scenario, &kinds[*at], crew);
            let kind = &mut kinds[*at];
            let wanted =
                1.0 - (-busy.cycle_s(kind, crew, successors) * busy.crowd(kind) * (others - own).max(0.0)).exp();
            kind.refused = f64::midpoint(kind.refused, wanted);
            let failing = 1.0 - (1.0 - kind.refused) * (1.0 - kind.fails_alone);
            kind.attempts = chance::attempts(failing, kind.attempts_max);
        }
    }
}

/// Tasks that a gate refuses until a person overrides it are tried again and again until then.
pub(crate) fn overridden(scenario: &Scenario, kinds: &mut [Kind], crew: &Crew, people: &People<'_>) -> f64 {
    let mut last_s = 0.0_f64;
    for said in &scenario.operators {
        let Command::Override(task) = said.command else { continue };
        let Some(entry) = people.entry_of(task.0) else { continue };
        let at_s = said.at_us as f64 / 1e6;
        for kind in kinds.iter_mut().filter(|kind| kind.entries.contains(&entry) && kind.tasks > 0.0) {
            let again = at_s / kind.making(crew).mean.max(1.0);
            kind.attempts += again.min(f64::from(kind.attempts_max) - 1.0) / kind.tasks;
            last_s = last_s.max(at_s);
        }
    }
    last_s
}

impl Kind {
    /// Entries of `tasks` that it comes after.
    pub(crate) fn after(&self) -> &[u16] {
        &self.after
    }

    /// Share of its tasks that are given up, because no attempt of theirs lands.
    pub(crate) fn given_up(&self) -> f64 {
        let failing = 1.0 - (1.0 - self.refused) * (1.0 - self.fails_alone);
        failing.powi(self.attempts_max as i32)
    }
}
