//! From what a file says to what a team is: lanes and tasks are counted out, indices become names and identifiers.

use crate::scenario::{Command, Fault, FaultKind, OperatorCommand, Scenario, SkillFile, TaskGroup, Whom, World};
use baton_actors::chaos::{Armed, LaneFault, MailFault, MailFaultWindow, Overload, Storm, Weather};
use baton_actors::incidents::Incident;
use baton_actors::supervisor::OperatorSays;
use baton_actors::team::{Binding, LandingKind, LaneSpec, MERGER, Model, Team, Work};
use baton_record::{EndpointId, FaultId, Oid};
use baton_world::{ClockKind, Seeds};
use sha2::{Digest, Sha256};

/// What of a team is known only when its run is prepared.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Identity of the run.
    pub run: String,
    /// The seed.
    pub seed: u64,
    /// Where it takes place.
    pub world: World,
    /// Main before the first landing.
    pub base: Oid,
    /// Seconds since 1970 at its start.
    pub start_s: i64,
    /// How changes come to main.
    pub landing: LandingKind,
}

/// The team of a scenario.
pub fn team(scenario: &Scenario, ground: Ground) -> Team {
    let lanes = scenario.roles.iter().flat_map(|role| {
        let lane = |number| LaneSpec {
            name: format!("{}.{number}", role.name),
            role: role.name.clone(),
            model: role.model,
            context_limit: role.context.or_else(|| role.skill.as_ref()?.skill.context_limit),
        };
        (1..=role.lanes).map(lane)
    });
    let work = scenario.tasks.iter().enumerate().map(|(number, group)| Work {
        role: scenario.roles[group.role].name.clone(),
        touches: group.touches.clone(),
        canonical: group.canonical.clone(),
        review: group.review.clone(),
        plan: group.plan,
        group: number as u16,
        after: group.after.clone(),
        steps: group.steps,
        attempts: group.attempts,
        actions: group.actions.clone(),
    });
    Team {
        run: ground.run,
        seeds: Seeds::root(ground.seed),
        clock: match ground.world {
            World::Sim => ClockKind::Virtual,
            World::Live => ClockKind::Real,
        },
        base: ground.base,
        start_s: ground.start_s,
        lanes: lanes.collect(),
        models: models(scenario),
        bindings: bindings(scenario),
        work: work.collect(),
        tasks: interleaved(&scenario.tasks),
        budgets: scenario.budgets.counted_out(&scenario.roles),
        leases: scenario.leases.clone(),
        gates: scenario.gates.clone(),
        mail: scenario.mail,
        caps: scenario.caps,
        landing: ground.landing,
        approvals: scenario.approvals,
        stop_when_planned: scenario.stop_when_planned,
        joining: joining(scenario),
    }
}

/// What binds whom: the roles in their order, then the merger.
fn bindings(scenario: &Scenario) -> Vec<Binding> {
    let binding = |(role, file): (&str, &SkillFile)| Binding {
        role: role.to_owned(),
        skill: file.skill.name.clone(),
        digest: Sha256::digest(&file.bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
        policy: file.skill.policy.clone(),
        handoff_to: file.skill.handoff_to.clone(),
    };
    let roles = scenario.roles.iter().filter_map(|role| Some((role.name.as_str(), role.skill.as_ref()?)));
    roles.chain([(MERGER, &scenario.merger)]).map(binding).collect()
}

/// For each task its group: the groups in turn, so that different kinds of work meet.
pub(crate) fn interleaved(groups: &[TaskGroup]) -> Vec<usize> {
    let mut left: Vec<u32> = groups.iter().map(|group| group.tasks).collect();
    let mut tasks = Vec::new();
    while left.iter().any(|left| *left > 0) {
        for (group, left) in left.iter_mut().enumerate().filter(|(_, left)| **left > 0) {
            tasks.push(group);
            *left -= 1;
        }
    }
    tasks
}

/// Faults of the mail.
pub fn mail_faults(scenario: &Scenario) -> Vec<MailFaultWindow> {
    let windows = scenario.faults.iter().enumerate().filter_map(|(place, fault)| {
        let (kind, probability_ppm, for_us) = match &fault.kind {
            FaultKind::Duplicate { probability_ppm, for_us } => (MailFault::Duplicate, probability_ppm, for_us),
            FaultKind::Delay { probability_ppm, by_us, for_us } => {
                (MailFault::Delay { by_us: *by_us }, probability_ppm, for_us)
            }
            FaultKind::Drop { probability_ppm, for_us } => (MailFault::Drop, probability_ppm, for_us),
            _ => return None,
        };
        let until_us = for_us.map_or(u64::MAX, |for_us| fault.at_us.saturating_add(for_us));
        let (fault, from_us) = (FaultId(place as u16), fault.at_us);
        Some(MailFaultWindow { fault, kind, probability_ppm: *probability_ppm, from_us, until_us })
    });
    windows.collect()
}

/// When endpoints refuse calls.
pub fn weather(scenario: &Scenario) -> Weather {
    let mut weather = Weather::default();
    for (place, fault) in scenario.faults.iter().enumerate() {
        let (id, from_us) = (FaultId(place as u16), fault.at_us);
        match fault.kind {
            FaultKind::Storm { status, model, for_us, retry_after_us } => {
                let (endpoint, until_us) = (EndpointId(model as u16), from_us.saturating_add(for_us));
                weather.storms.push(Storm { fault: id, endpoint, status, retry_after_us, from_us, until_us });
            }
            FaultKind::Overload { model, above, for_us, retry_after_us } => {
                let until_us = for_us.map_or(u64::MAX, |for_us| from_us.saturating_add(for_us));
                let endpoint = EndpointId(model as u16);
                weather.overloads.push(Overload { fault: id, endpoint, above, retry_after_us, from_us, until_us });
            }
            _ => {}
        }
    }
    weather
}

/// Models, with what the faults of the scenario make of them.
fn models(scenario: &Scenario) -> Vec<Model> {
    let mut models = scenario.models.clone();
    for fault in &scenario.faults {
        if let FaultKind::Storm { model, .. } | FaultKind::Overload { model, .. } = fault.kind {
            models[model].gated = true;
        }
    }
    models
}

/// A simulation without `stop` ends after thirty days of its own, so that none runs for ever: paused and never resumed, or
/// with all mail lost.
const SIM_US_MAX: u64 = 30 * 86_400_000_000;

/// What happens to the team, and when.
pub fn incidents(scenario: &Scenario, world: World) -> Vec<(u64, Incident)> {
    let faults = scenario.faults.iter().enumerate();
    let faults = faults.filter_map(|(place, fault)| Some((fault.at_us, incident(scenario, place, fault)?)));
    let words = scenario.operators.iter().map(|said| (said.at_us, Incident::Say(word(said))));
    let longest_us = (world == World::Sim).then_some(SIM_US_MAX);
    let end = scenario.stop_after_us.or(longest_us).map(|after_us| (after_us, Incident::TimeOver));
    faults.chain(words).chain(end).collect()
}

fn incident(scenario: &Scenario, place: usize, fault: &Fault) -> Option<Incident> {
    let id = FaultId(place as u16);
    let arm = |kind, role, lane| {
        let whom = whom(scenario, role, lane);
        Some(Incident::Arm(Armed { fault: id, kind, whom, moment: fault.moment }))
    };
    match &fault.kind {
        FaultKind::Kill { role, lane } => arm(LaneFault::Kill, *role, *lane),
        FaultKind::Pause { role, lane, for_us } => arm(LaneFault::Freeze { for_us: *for_us }, *role, *lane),
        FaultKind::Spoil { role, lane, how } => arm(LaneFault::Spoil(*how), *role, *lane),
        FaultKind::IgnorePolicy { role, lane } => arm(LaneFault::IgnorePolicy, *role, *lane),
        FaultKind::Restart { actor } => Some(Incident::Restart(id, *actor)),
        FaultKind::Push => Some(Incident::Push(id)),
        FaultKind::Duplicate { .. } | FaultKind::Delay { .. } | FaultKind::Drop { .. } => None,
        FaultKind::Storm { .. } | FaultKind::Overload { .. } => None,
    }
}

/// The orders of its operators that add lanes.
fn joining(scenario: &Scenario) -> Vec<Command> {
    let words = scenario.operators.iter().map(|said| &said.command);
    words.filter(|word| matches!(word, Command::Add { .. })).cloned().collect()
}

fn word(said: &OperatorCommand) -> OperatorSays {
    OperatorSays { command: said.command.clone(), by: said.by.clone(), reason: said.reason.clone() }
}

/// One lane of a role, or any of them.
fn whom(scenario: &Scenario, role: usize, lane: Option<u32>) -> Whom {
    let name = &scenario.roles[role].name;
    match lane {
        Some(number) => Whom::Lane(format!("{name}.{number}")),
        None => Whom::Role(name.clone()),
    }
}
