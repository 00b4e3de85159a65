//! What a scenario will take, before anything runs: lanes, leases, hand-offs, money, time and disk, and what ends it early.
//!
//! Pure computation over a scenario and a list of the files that it works on: no disk, no clock, no draw. The formulas
//! stand where they are computed: [`kinds`](self) rework, `time` and `chance` seconds, `spend` money, `limits` what budgets
//! leave, `adversity` what faults add, `disk` bytes. What they are worth is measured in the tests against every shipped
//! scenario. A plan is an estimate of scripted behaviour: it knows medians and percentiles, not what a model will say.

mod adversity;
mod chance;
mod disk;
mod figure;
mod ground;
mod handoffs;
mod kinds;
mod leases;
mod limits;
mod load;
mod order;
mod over_time;

mod people;
mod spend;
mod team;
mod time;

pub use disk::Disk;
pub use figure::{Count, Dollars};
pub use ground::Ground;
pub use handoffs::Handoff;
pub use leases::{LeaseOutlook, Wanting};
pub use limits::{LimitOutlook, Verdict};
pub use people::Question;
pub use spend::Spend;
pub use time::Bound;

use crate::run::world_word;
use crate::scenario::{Scenario, World};
use adversity::Adversity;
use limits::Outlook;
use people::People;
use serde::Serialize;
use team::Crew;

/// A run of so many tasks hardly ever takes so many times as long as expected: the more there are, the less chance matters.
fn far(tasks: f64) -> f64 {
    1.3 + 3.0 / tasks.max(1.0).sqrt()
}

/// Version of the plan's JSON.
pub const FORMAT: u32 = 1;

/// What a scenario will take: the object that `plan --json` prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// Version of this object.
    pub format: u32,
    /// Always 0: there is a plan.
    pub exit_code: u8,
    /// Name of the scenario.
    pub scenario: String,
    /// The seed that a run would have.
    pub seed: u64,
    /// `sim` or `live`.
    pub world: &'static str,
    /// Lanes in all.
    pub lanes: u32,
    /// Tasks in all.
    pub tasks: u64,
    /// By role.
    pub roles: Vec<RolePlan>,
    /// By model.
    pub models: Vec<ModelPlan>,
    /// Entries of `tasks`, in their order.
    pub work: Vec<EntryPlan>,
    /// Rules of `leases`.
    pub leases: Vec<LeaseOutlook>,
    /// Who hands what to whom.
    pub handoffs: Vec<Handoff>,
    /// What people will be asked.
    pub questions: Vec<Question>,
    /// What the run spends.
    pub spend: Spend,
    /// Seconds on the run's own clock.
    pub time: TimePlan,
    /// What binds first, in words.
    pub binds_first: String,
    /// Every limit beside what is needed.
    pub limits: Vec<LimitOutlook>,
    /// What it takes on the disk.
    pub disk: Disk,
    /// What will end the run before its tasks are done, and what else is amiss; in words, each with a cure.
    pub warnings: Vec<String>,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RolePlan {
    /// Its name.
    pub role: String,
    /// Its lanes.
    pub lanes: u32,
    /// Its model.
    pub model: String,
    /// Tasks that it does.
    pub tasks: u64,
    /// Tasks of others that it judges.
    pub judges: u64,
    /// What it spends before the run's own limits are looked at.
    pub spend: Spend,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelPlan {
    /// Its name.
    pub model: String,
    /// Lanes that call it.
    pub lanes: u32,
    /// Calls at once; `null`: no limit.
    pub slots: Option<u32>,
    /// Calls a minute; `null`: no limit.
    pub requests_per_minute: Option<u32>,
    /// Tokens a minute; `null`: no limit.
    pub tokens_per_minute: Option<u32>,
}

/// An entry of `tasks`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntryPlan {
    /// Which, from 1.
    pub entry: usize,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Who does it.
    pub role: String,
    /// How many tasks it stands for.
    pub tasks: u32,
    /// Entries, from 1, that must have ended before.
    pub after: Vec<usize>,
    /// Who judges its changes.
    pub review: Option<String>,
    /// Where it happens.
    pub touches: String,
    /// The one artifact that all of its tasks write.
    pub canonical: Option<String>,
    /// Attempts that one of its tasks takes, as expected.
    pub attempts: f64,
}

/// How long it takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimePlan {
    /// Seconds that it takes at least.
    pub low_s: f64,
    /// Seconds that it is expected to take.
    pub expected_s: f64,
    /// What it cannot be faster than, the slowest first.
    pub bounds: Vec<Bound>,
}

/// The plan of a scenario on its ground.
pub fn plan(scenario: &Scenario, ground: &Ground) -> Plan {
    let crew = Crew::of(scenario);
    let mut kinds = kinds::kinds(scenario);
    kinds::rework(scenario, &mut kinds, ground, &crew);
    let people = People::of(scenario, &kinds, ground);
    let overridden_s = kinds::overridden(scenario, &mut kinds, &crew, &people);
    let mut bounds = time::bounds(scenario, &kinds, &crew);
    let (made_s, answered) = time::answered(scenario, &kinds, &crew, &people);
    let questions = people.questions(&made_s);
    if !questions.is_empty() {
        bounds.push(answered);
        bounds.sort_by(|a, b| b.expected_s.total_cmp(&a.expected_s));
    }
    let work_s = bounds.first().map_or(0.0, |bound| bound.expected_s) + time::end_s(scenario, &kinds, &crew);
    let mut adversity = Adversity::of(scenario, &kinds, &crew, work_s);
    adversity.people(people.stops_s(&made_s), overridden_s);
    let needs = spend::needs(&kinds, &crew, &adversity);
    let mut outlook = limits::outlook(scenario, &crew, &needs);
    let whole_s = (work_s + adversity.lost_s).max(adversity.awake_s);
    let tasks = kinds.iter().map(|kind| kind.tasks).sum();
    let time = clocked(bounds, (whole_s, tasks), &adversity, &mut outlook);
    let leases = leases::outlook(scenario, &kinds, ground, &crew, crew.mail_s * 4.0);
    let wanted: f64 = kinds.iter().map(|kind| kind.tasks * kind.attempts).sum();
    let asked: f64 = leases.iter().map(|lease| lease.requests as f64).sum();
    let low = share_low(&needs, &outlook);
    let writing = disk::Writing {
        scenario,
        kinds: &kinds,
        ground,
        crew: &crew,
        adversity: &adversity,
        spend: &outlook.run,
        leases: asked.min(wanted) * outlook.share,
        share: (low, outlook.share),
    };
    let disk = writing.disk();
    let mut plan = Plan {
        format: FORMAT,
        exit_code: 0,
        scenario: scenario.name.clone(),
        seed: scenario.seed,
        world: world_word(scenario.world),
        lanes: scenario.roles.iter().map(|role| role.lanes).sum(),
        tasks: scenario.tasks.iter().map(|group| u64::from(group.tasks)).sum(),
        roles: roles(scenario, &outlook),
        models: models(scenario),
        work: work(scenario, &kinds),
        leases,
        handoffs: handoffs::handoffs(scenario, &kinds, &crew),
        questions,
        spend: outlook.run.told(),
        time,
        binds_first: String::new(),
        limits: outlook.limits,
        disk,
        warnings: Vec::new(),
    };
    plan.binds_first = binds(&plan);
    plan.warnings = warnings(scenario, &plan, &kinds, &crew);
    plan
}

/// A plan with another seed and world than the file's, as `run` takes them.
pub fn plan_with(scenario: &Scenario, ground: &Ground, seed: Option<u64>, world: Option<World>) -> Plan {
    let mut other = scenario.clone();
    (other.seed, other.world) = (seed.unwrap_or(scenario.seed), world.unwrap_or(scenario.world));
    plan(&other, ground)
}

/// The times, as far as limits and people let the run come; and what is spent until then.
fn clocked(bounds: Vec<Bound>, (whole_s, tasks): (f64, f64), adversity: &Adversity, outlook: &mut Outlook) -> TimePlan {
    let least_s = bounds.iter().map(|bound| bound.low_s).fold(0.0, f64::max);
    let limited = outlook.limits.iter().any(|limit| limit.verdict >= Verdict::Tight);
    let mut low_s = if limited { 0.0 } else { least_s };
    let mut expected_s = whole_s * outlook.share;
    if let Some((at_s, what)) = adversity.ends {
        outlook.limits.push(LimitOutlook {
            limit: what.to_owned(),
            allows: at_s,
            needs: (rounded(least_s), rounded(whole_s), None),
            verdict: limits::verdict(at_s, least_s, whole_s, None),
            is_replaced: false,
        });
        low_s = low_s.min(at_s);
        // An end that lies far behind the work ends nothing.
        if at_s < whole_s * far(tasks) {
            let done = if expected_s > at_s { at_s / expected_s } else { 1.0 };
            outlook.run = outlook.run.until(done);
            outlook.share *= done;
            expected_s = expected_s.min(at_s);
        }
    }
    TimePlan {
        low_s: rounded(low_s),
        expected_s: rounded(expected_s.max(low_s)),
        bounds: bounds.into_iter().map(told).collect(),
    }
}

fn told(bound: Bound) -> Bound {
    Bound { low_s: rounded(bound.low_s), expected_s: rounded(bound.expected_s), ..bound }
}

/// To a thousandth of a second.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

/// Share of the least work that is done at least.
fn share_low(needs: &[spend::Amounts], outlook: &Outlook) -> f64 {
    let whole: f64 = needs.iter().map(|role| role.calls.low).sum();
    if whole > 0.0 { (outlook.run.calls.low / whole).min(1.0) } else { 1.0 }
}

fn roles(scenario: &Scenario, outlook: &Outlook) -> Vec<RolePlan> {
    let judges = |name: &str| {
        let judged =
            scenario.tasks.iter().filter(|group| group.review.as_ref().is_some_and(|review| review.role == name));
        judged.map(|group| u64::from(group.tasks)).sum()
    };
    let of_role = |(at, role): (usize, &crate::scenario::Role)| RolePlan {
        role: role.name.clone(),
        lanes: role.lanes,
        model: scenario.models[role.model].name.clone(),
        tasks: scenario.tasks.iter().filter(|group| group.role == at).map(|group| u64::from(group.tasks)).sum(),
        judges: judges(&role.name),
        spend: outlook.roles[at].told(),
    };
    scenario.roles.iter().enumerate().map(of_role).collect()
}

fn models(scenario: &Scenario) -> Vec<ModelPlan> {
    let of_model = |(at, model): (usize, &crate::scenario::Model)| ModelPlan {
        model: model.name.clone(),
        lanes: scenario.roles.iter().filter(|role| role.model == at).map(|role| role.lanes).sum(),
        slots: (model.slots > 0).then_some(model.slots),
        requests_per_minute: model.rate.requests.map(std::num::NonZeroU32::get),
        tokens_per_minute: model.rate.tokens.map(std::num::NonZeroU32::get),
    };
    scenario.models.iter().enumerate().map(of_model).collect()
}

fn work(scenario: &Scenario, kinds: &[kinds::Kind]) -> Vec<EntryPlan> {
    let mut attempts = vec![1.0; scenario.tasks.len()];
    for kind in kinds {
        kind.entries.iter().for_each(|entry| attempts[*entry] = kind.attempts);
    }
    let of_entry = |(at, group): (usize, &crate::scenario::TaskGroup)| EntryPlan {
        entry: at + 1,
        name: group.name.clone(),
        role: scenario.roles[group.role].name.clone(),
        tasks: group.tasks,
        after: group.after.iter().map(|before| usize::from(*before) + 1).collect(),
        review: group.review.as_ref().map(|review| review.role.clone()),
        touches: group.touches.clone(),
        canonical: group.canonical.clone(),
        attempts: rounded(attempts[at]),
    };
    scenario.tasks.iter().enumerate().map(of_entry).collect()
}

/// What is reached first: a limit, or what takes longest.
fn binds(plan: &Plan) -> String {
    let lasting = plan.limits.iter().filter(|limit| !limit.is_replaced);
    let worst = lasting.max_by_key(|limit| limit.verdict).filter(|limit| limit.verdict >= Verdict::Tight);
    if let Some(limit) = worst {
        return limit.limit.clone();
    }
    plan.time.bounds.first().map_or_else(
        || "nothing".to_owned(),
        |bound| match bound.of.as_str() {
            "" => bound.what.to_owned(),
            of => format!("{} of {of}", bound.what),
        },
    )
}

fn warnings(scenario: &Scenario, plan: &Plan, kinds: &[kinds::Kind], crew: &Crew) -> Vec<String> {
    let mut warnings = Vec::new();
    for limit in &plan.limits {
        let (low, expected, _) = limit.needs;
        let (name, allows) = (&limit.limit, limit.allows);
        match limit.verdict {
            Verdict::Tight if limit.is_replaced => warnings.push(format!(
                "{name} allows {allows}, and then a person sets another limit, with which this plan reckons: whoever needs more \
                 before that gives up, and the run ends if all do; set it earlier, or begin with more"
            )),
            Verdict::EndsTheRun => warnings.push(format!(
                "{name} allows {allows}, and the work needs {low} at least: the run ends before its tasks are done; raise the \
                 limit above {expected}, or give the team less to do"
            )),
            Verdict::Tight => warnings.push(format!(
                "{name} allows {allows}, and the work is expected to need {expected}: the run will probably end before its \
                 tasks are done; raise the limit, or give the team less to do"
            )),
            Verdict::Enough | Verdict::ProbablyEnough => {}
        }
    }
    for kind in kinds {
        let entry = kind.entries[0] + 1;
        if handoffs::successors(scenario, kind, crew) > f64::from(scenario.caps.handoffs) {
            warnings.push(format!(
                "entry {entry} of `tasks` needs more successors than `caps.handoffs` allows ({}): its tasks are given up; raise \
                 `context` of the role or the cap",
                scenario.caps.handoffs
            ));
        }
        if kind.given_up() * kind.tasks >= 0.5 {
            warnings.push(format!(
                "entry {entry} of `tasks`: {:.0} of {:.0} tasks are expected to be given up, because so many attempts are \
                 refused; raise `attempts`, split `touches`, or declare a lease with `per: task`",
                kind.given_up() * kind.tasks,
                kind.tasks
            ));
        }
    }
    for lease in plan.leases.iter().filter(|lease| lease.runs_out) {
        warnings.push(format!(
            "the lease of {} is held for {} s, as expected, and runs out after {} s: its holder is then shut out by its fence; \
             raise `ttl`",
            lease.resource, lease.held_s, lease.ttl_s
        ));
    }
    warnings
}
