//! Lanes that operators will still add: what the scenario says of that, less what the journal has of it already.
//!
//! Work that only they can do is not stuck before they have come. Knows no time: an order is to come until it was obeyed or
//! refused.

use super::Supervisor;
use crate::team::Command as Word;
use baton_record::event::OperatorCommand;
use baton_record::{Event, RoleId};
use std::collections::BTreeMap;

/// Orders to add lanes that were heard: a fold over the journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    obeyed: BTreeMap<String, usize>,
    /// By their words.
    refused: BTreeMap<String, usize>,
}

impl Heard {
    /// Takes an event into the state.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::CommandGiven(given) if given.command == OperatorCommand::Add => {
                *self.obeyed.entry(given.role.clone().unwrap_or_default()).or_default() += 1;
            }
            Event::CommandRefused(refused) if refused.command.starts_with("{ add: ") => {
                *self.refused.entry(refused.command.clone()).or_default() += 1;
            }
            _ => {}
        }
    }

    /// Whether one of these orders, all for one role, is still to come.
    fn awaits(&self, role: &str, orders: &[String]) -> bool {
        let mut words: Vec<&String> = orders.iter().collect();
        words.sort_unstable();
        words.dedup();
        let refused: usize = words.iter().filter_map(|word| self.refused.get(*word)).sum();
        orders.len() > refused + self.obeyed.get(role).copied().unwrap_or_default()
    }
}

impl Supervisor {
    /// Roles that lanes will still join.
    pub(super) fn roles_joining(&self) -> Vec<RoleId> {
        let mut orders: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for word in &self.ground.team.joining {
            if let Word::Add { role, .. } = word {
                orders.entry(role).or_default().push(word.to_string());
            }
        }
        let still = orders.iter().filter(|(role, orders)| self.heard.awaits(role, orders));
        still.filter_map(|(role, _)| self.names.role_id(role)).collect()
    }
}
