//! Which lane has which name: the one table that joins small identifiers to what people read.

use crate::ids::{LaneId, RoleId};
use std::collections::BTreeMap;

/// Names of lanes and roles, by identifier and back. A lane's name is `role.number`, for example `implementer.3`;
/// a role gets its identifier with its first lane.
#[derive(Clone, Debug, Default)]
pub struct Names {
    lanes: Vec<String>,
    lane_roles: Vec<RoleId>,
    roles: Vec<String>,
    by_name: BTreeMap<String, LaneId>,
}

impl Names {
    /// Gives `name` the next identifier; `None` if the name is taken or malformed.
    pub fn add_lane(&mut self, name: &str) -> Option<LaneId> {
        if self.by_name.contains_key(name) || !well_formed(name) {
            return None;
        }
        let id = LaneId(self.lanes.len() as u32);
        let role = name.rsplit_once('.').expect("a well-formed name has a dot").0;
        let role_id = self.role_id(role).unwrap_or_else(|| {
            self.roles.push(role.to_owned());
            RoleId(self.roles.len() as u16 - 1)
        });
        self.lane_roles.push(role_id);
        self.lanes.push(name.to_owned());
        self.by_name.insert(name.to_owned(), id);
        Some(id)
    }

    /// The name of a lane that has joined.
    pub fn lane(&self, id: LaneId) -> Option<&str> {
        self.lanes.get(id.0 as usize).map(String::as_str)
    }

    /// The lane of this name.
    pub fn lane_id(&self, name: &str) -> Option<LaneId> {
        self.by_name.get(name).copied()
    }

    /// The role of a lane that has joined.
    pub fn lane_role(&self, id: LaneId) -> Option<RoleId> {
        self.lane_roles.get(id.0 as usize).copied()
    }

    /// The role of this name, if a lane of it has joined.
    pub fn role_id(&self, role: &str) -> Option<RoleId> {
        self.roles.iter().position(|known| known == role).map(|at| RoleId(at as u16))
    }

    /// How many lanes have a name.
    pub fn lanes(&self) -> usize {
        self.lanes.len()
    }
}

/// `role.number`: a role of lower-case letters, digits and hyphens, a number from 1 without leading zeros.
fn well_formed(name: &str) -> bool {
    let Some((role, number)) = name.rsplit_once('.') else { return false };
    let role_ok = role.starts_with(|c: char| c.is_ascii_lowercase())
        && role.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let number_ok = number.parse::<u32>().is_ok_and(|n| n >= 1 && n.to_string() == number);
    role_ok && number_ok && name.len() <= 80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_once_and_only_to_a_role_and_a_number() {
        let mut names = Names::default();
        assert_eq!(names.add_lane("implementer.1"), Some(LaneId(0)));
        assert_eq!(names.add_lane("implementer.2"), Some(LaneId(1)));
        for bad in ["implementer.1", "implementer", "Implementer.1", "a.01", "a.0", "a.\"1", ".1", "a b.1"] {
            assert_eq!(names.add_lane(bad), None, "{bad:?}");
        }
        assert_eq!(names.lane_id("implementer.2").and_then(|id| names.lane(id)), Some("implementer.2"));
    }
}
