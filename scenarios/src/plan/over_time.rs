//! Limits as they hold over time: those of the file, and those that operators set while the team is at work.
//!
//! What an order does not name stays as it was. Knows nothing of what the work needs.

use crate::scenario::{Budgets, Command, Limit, Scenario};
use baton_record::event::{BudgetScope, BudgetSet};

/// From when on which limits hold.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) from_us: u64,
    pub(crate) budgets: Budgets,
}

/// The limits at the start, and after each order that changes some; in the order of their times.
pub(crate) fn stages(scenario: &Scenario) -> Vec<Stage> {
    let mut orders: Vec<(u64, &[BudgetSet])> = Vec::new();
    for said in &scenario.operators {
        if let Command::Budget(sets) = &said.command {
            orders.push((said.at_us, sets));
        }
    }
    orders.sort_by_key(|(at_us, _)| *at_us);
    let mut stages = vec![Stage { from_us: 0, budgets: scenario.budgets.clone() }];
    for (from_us, sets) in orders {
        let before = &stages[stages.len() - 1].budgets;
        let budgets = sets.iter().fold(before.clone(), |budgets, set| with(scenario, budgets, set));
        if budgets != *before {
            stages.push(Stage { from_us, budgets });
        }
    }
    stages
}

fn with(scenario: &Scenario, mut budgets: Budgets, set: &BudgetSet) -> Budgets {
    let over = |before: Option<Limit>| Some(over(before.unwrap_or_default(), set.limit));
    match set.scope {
        BudgetScope::Run => budgets.run = over(budgets.run),
        BudgetScope::Lane => budgets.lane = over(budgets.lane),
        BudgetScope::Call => budgets.call = over(budgets.call),
        BudgetScope::Role => {
            let named = |name: &str| scenario.roles.iter().position(|role| role.name == name);
            let Some(role) = set.role.as_deref().and_then(named) else { return budgets };
            let before = budgets.roles.iter().position(|(other, _)| *other == role);
            match before {
                Some(at) => budgets.roles[at].1 = over(Some(budgets.roles[at].1)).unwrap_or_default(),
                None => budgets.roles.push((role, set.limit)),
            }
        }
    }
    budgets
}

fn over(before: Limit, named: Limit) -> Limit {
    Limit {
        requests: named.requests.or(before.requests),
        tokens: named.tokens.or(before.tokens),
        usd_micros: named.usd_micros.or(before.usd_micros),
    }
}

/// Of each limit the largest that ever holds; none, if there was a time without it.
pub(crate) fn widest(stages: &[Stage]) -> Budgets {
    let all = stages.iter().map(|stage| stage.budgets.clone());
    all.reduce(|one, other| Budgets {
        run: wider(one.run, other.run),
        lane: wider(one.lane, other.lane),
        call: wider(one.call, other.call),
        roles: one
            .roles
            .iter()
            .filter_map(|(role, limit)| {
                let again = other.roles.iter().find(|(other, _)| other == role).map(|(_, limit)| *limit);
                Some((*role, wider(Some(*limit), again)?))
            })
            .collect(),
    })
    .unwrap_or_default()
}

fn wider(one: Option<Limit>, other: Option<Limit>) -> Option<Limit> {
    let most = |one: Option<u64>, other: Option<u64>| one.zip(other).map(|(one, other)| one.max(other));
    one.zip(other).map(|(one, other)| Limit {
        requests: most(one.requests, other.requests),
        tokens: most(one.tokens, other.tokens),
        usd_micros: most(one.usd_micros, other.usd_micros),
    })
}
