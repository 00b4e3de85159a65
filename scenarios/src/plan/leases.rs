//! Which leases will be wanted, by whom and how often, and how long they will be held.

use super::ground::Ground;
use super::kinds::Kind;
use super::team::Crew;
use crate::scenario::{LeaseSpan, Scenario};
use baton_actors::team::{covers, overlap};
use serde::Serialize;

/// One rule of `leases`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeaseOutlook {
    /// The resource.
    pub resource: String,
    /// `change` or `task`.
    pub per: &'static str,
    /// Seconds after which it runs out.
    pub ttl_s: f64,
    /// Who will want it.
    pub wanted_by: Vec<Wanting>,
    /// How often it will be asked for, as expected.
    pub requests: u64,
    /// Seconds for which one holds it, as expected.
    pub held_s: f64,
    /// Whether it is held longer than it lasts, as expected: then it runs out in the holder's hand.
    pub runs_out: bool,
}

/// An entry of `tasks` that needs a lease.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wanting {
    /// The entry, from 1.
    pub entry: usize,
    /// Its role.
    pub role: String,
    /// Share of its changes that need it.
    pub share: f64,
}

/// Every rule, in the order of the file.
pub(crate) fn outlook(
    scenario: &Scenario,
    kinds: &[Kind],
    ground: &Ground,
    crew: &Crew,
    land_s: f64,
) -> Vec<LeaseOutlook> {
    let of_rule = |rule: usize| {
        let lease = &scenario.leases[rule];
        let (mut wanted_by, mut requests, mut held) = (Vec::new(), 0.0, 0.0);
        for kind in kinds.iter().filter(|kind| overlap(&lease.resource, &kind.touches)) {
            let whole = kind.held.contains(&rule);
            let share = if whole { 1.0 } else { share(&lease.resource, kind, ground) };
            if share == 0.0 {
                continue;
            }
            let asked = kind.tasks * kind.attempts * share;
            requests += asked;
            held += asked * (land_s + if whole { kind.making(crew).mean } else { 0.0 });
            let role = &scenario.roles[kind.role].name;
            let share = (share * 1e4).round() / 1e4;
            wanted_by.extend(kind.entries.iter().map(|entry| Wanting { entry: entry + 1, role: role.clone(), share }));
        }
        wanted_by.sort_by_key(|wanting| wanting.entry);
        let (ttl_s, held_s) = (lease.ttl_us as f64 / 1e6, if requests > 0.0 { held / requests } else { 0.0 });
        LeaseOutlook {
            resource: lease.resource.clone(),
            per: if lease.per == LeaseSpan::Task { "task" } else { "change" },
            ttl_s,
            wanted_by,
            requests: requests.round() as u64,
            held_s: (held_s * 1e3).round() / 1e3,
            runs_out: held_s > ttl_s,
        }
    };
    (0..scenario.leases.len()).map(of_rule).collect()
}

/// Share of a kind's changes that touch the resource: by name always, anywhere by chance, `1 - (1 - a/b)^files`.
fn share(resource: &str, kind: &Kind, ground: &Ground) -> f64 {
    if kind.named.iter().any(|name| covers(resource, name)) {
        return 1.0;
    }
    let whole = match resource.strip_suffix("**") {
        Some(above) => kind.touches.starts_with(above),
        None => resource == kind.touches,
    };
    if whole {
        return if kind.files() > 0.0 { 1.0 } else { 0.0 };
    }
    let narrower = if resource.len() > kind.touches.len() { resource } else { &kind.touches };
    let among = ground.count(narrower) as f64 / (ground.count(&kind.touches) as f64).max(1.0);
    1.0 - (1.0 - among.min(1.0)).powf(kind.anywhere)
}
