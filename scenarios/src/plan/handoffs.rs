//! Who hands what to whom, and how often, as expected.

use super::kinds::Kind;
use super::team::Crew;
use crate::scenario::Scenario;
use serde::Serialize;
use std::collections::BTreeMap;

/// One way that work takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Handoff {
    /// A role, or `merger`.
    pub from: String,
    /// A role, `merger`, `main`, or `a person`.
    pub to: String,
    /// `change`: to be judged, or to be landed; `sent-back`; `refused`; `successor`: the context is full; `after`: tasks that
    /// begin when others have ended; `landed`; `by mandate`: the skill file says so; `artifact: …`: one makes what the other
    /// takes, by their skill files.
    pub what: String,
    /// How often, as expected; 0: the files do not say.
    pub times: u64,
}

/// Every way, in the order of the file, then of the work.
pub(crate) fn handoffs(scenario: &Scenario, kinds: &[Kind], crew: &Crew) -> Vec<Handoff> {
    let mut ways = Ways::default();
    for kind in kinds {
        let maker = scenario.roles[kind.role].name.as_str();
        let attempts = kind.tasks * kind.attempts;
        ways.add(maker, maker, "successor", attempts * successors(scenario, kind, crew));
        let mut lander = maker;
        if let Some(review) = kind.review {
            lander = scenario.roles[review.role].name.as_str();
            ways.add(maker, lander, "change", attempts * review.rounds);
            let returned = review.rounds - 1.0;
            ways.add(lander, maker, "sent-back", attempts * returned);
        }
        let landed = kind.tasks * (1.0 - kind.given_up());
        ways.add(lander, "merger", "change", attempts);
        ways.add("merger", maker, "refused", (attempts - landed).max(0.0));
        ways.add("merger", "main", "landed", landed);
        for before in kind.after() {
            let earlier = scenario.roles[scenario.tasks[usize::from(*before)].role].name.as_str();
            ways.add(earlier, maker, "after", kind.tasks);
        }
    }
    mandates(scenario, &mut ways);
    ways.list
}

/// What the skill files say: whom a role hands its work to, and who takes what it makes. How often is not said there, so
/// it is told as 0 times.
fn mandates(scenario: &Scenario, ways: &mut Ways) {
    for role in &scenario.roles {
        let Some(from) = role.skill.as_ref().map(|file| &file.skill) else { continue };
        for to in &from.handoff_to {
            ways.name(&role.name, to, "by mandate".to_owned());
        }
        for other in scenario.roles.iter().filter(|other| other.name != role.name) {
            let Some(to) = other.skill.as_ref().map(|file| &file.skill) else { continue };
            for artifact in from.outputs.iter().filter(|artifact| to.inputs.contains(artifact)) {
                ways.name(&role.name, &other.name, format!("artifact: {artifact}"));
            }
        }
    }
}

/// How often one attempt goes on in a successor: a lane makes as many calls as its context holds.
pub(crate) fn successors(scenario: &Scenario, kind: &Kind, crew: &Crew) -> f64 {
    let (Some(context), model) = (scenario.roles[kind.role].context, crew.model_of(kind.role)) else { return 0.0 };
    let used = model.tokens_in + model.tokens_out.mean;
    if used == 0.0 {
        return 0.0;
    }
    // The last call begins while what it may use still fits.
    let calls = ((context as f64 - model.bound_tokens()) / used).floor().max(0.0) + 1.0;
    ((kind.steps / calls).ceil() - 1.0).max(0.0)
}

#[derive(Default)]
struct Ways {
    list: Vec<Handoff>,
    places: BTreeMap<(String, String, String), usize>,
}

impl Ways {
    fn add(&mut self, from: &str, to: &str, what: &'static str, times: f64) {
        let times = times.round() as u64;
        if times > 0 {
            self.put(from, to, what.to_owned(), times);
        }
    }

    /// A way of which only is known that there is one.
    fn name(&mut self, from: &str, to: &str, what: String) {
        self.put(from, to, what, 0);
    }

    fn put(&mut self, from: &str, to: &str, what: String, times: u64) {
        let key = (from.to_owned(), to.to_owned(), what.clone());
        if let Some(place) = self.places.get(&key) {
            self.list[*place].times += times;
            return;
        }
        self.places.insert(key, self.list.len());
        self.list.push(Handoff { from: from.to_owned(), to: to.to_owned(), what, times });
    }
}
