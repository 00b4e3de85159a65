//! Owns which lane has which name.
//!
//! Deliberately does not know roles beyond the shape of a name, `role.number`.

use baton_record::LaneId;
use std::collections::BTreeMap;

/// Names of lanes, by number and back.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    names: Vec<String>,
    by_name: BTreeMap<String, LaneId>,
}

impl Lanes {
    /// The next lane; `None` if it is not `id`, or the name is taken or malformed.
    pub(crate) fn join(&mut self, id: LaneId, name: &str) -> Option<LaneId> {
        let (role, number) = name.rsplit_once('.')?;
        let role_fits = role.starts_with(|first: char| first.is_ascii_lowercase())
            && role.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let number_fits = number.parse().is_ok_and(|count: u32| count > 0 && count.to_string() == number);
        let due = id.0 as usize == self.names.len() && !self.by_name.contains_key(name);
        if !(role_fits && number_fits && due) {
            return None;
        }
        self.names.push(name.to_owned());
        self.by_name.insert(name.to_owned(), id);
        Some(id)
    }

    pub(crate) fn id(&self, name: &str) -> Option<LaneId> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn name(&self, id: LaneId) -> Option<&str> {
        self.names.get(id.0 as usize).map(String::as_str)
    }
}
