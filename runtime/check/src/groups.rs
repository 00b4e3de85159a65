//! Owns which tasks come after which: groups, what of them has ended, and what waits in vain.
//!
//! Deliberately does not know owners and attempts; [`crate::board`] does.

use baton_record::TaskId;
use baton_record::event::TaskAdded;
use std::collections::{BTreeMap, BTreeSet};

/// All groups of a run.
#[derive(Debug, Default)]
pub(crate) struct Groups(BTreeMap<u16, Group>);

#[derive(Debug, Default)]
struct Group {
    /// What is said of each of its tasks alike.
    of_each: TaskAdded,
    tasks: Vec<TaskId>,
    ended: usize,
    /// One of its tasks was given up.
    failed: bool,
}

impl Groups {
    /// Groups begin in the order of their numbers, without gaps; the tasks of one are alike.
    pub(crate) fn added(&mut self, id: TaskId, added: &TaskAdded) -> Result<(), &'static str> {
        let due = self.0.keys().next_back().map_or(0, |newest| newest.saturating_add(1));
        let begins = !self.0.contains_key(&added.group);
        let group = self.0.entry(added.group).or_default();
        group.tasks.push(id);
        if begins {
            group.of_each.clone_from(added);
        }
        let in_order = (!begins || added.group == due) && added.after.iter().all(|before| *before < added.group);
        if !in_order {
            Err("is added to a group that is not due, or after groups that are not earlier")
        } else if group.of_each != *added {
            Err("is not added as the rest of its group is")
        } else {
            Ok(())
        }
    }

    /// A task of the group has ended.
    pub(crate) fn ended(&mut self, group: u16, failed: bool) {
        let group = self.0.entry(group).or_default();
        group.ended += 1;
        group.failed |= failed;
    }

    /// Whether every task of these groups has ended.
    pub(crate) fn all_over(&self, groups: &[u16]) -> bool {
        let over = |group: &Group| group.ended >= group.tasks.len();
        groups.iter().all(|number| self.0.get(number).is_none_or(over))
    }

    /// Whether a task was given up that this group comes after, directly or not.
    pub(crate) fn waits_in_vain(&self, group: u16) -> bool {
        self.before(group).iter().any(|number| self.0.get(number).is_some_and(|before| before.failed))
    }

    /// Tasks that come after this group, directly or not, in the order of their numbers.
    pub(crate) fn behind(&self, group: u16) -> Vec<TaskId> {
        let behind = self.0.iter().filter(|(number, _)| self.before(**number).contains(&group));
        let mut tasks: Vec<TaskId> = behind.flat_map(|(_, group)| group.tasks.iter().copied()).collect();
        tasks.sort_unstable();
        tasks
    }

    fn before(&self, group: u16) -> BTreeSet<u16> {
        let (mut before, mut left) = (BTreeSet::new(), vec![group]);
        while let Some(number) = left.pop() {
            let after = self.0.get(&number).map(|group| &group.of_each.after);
            left.extend(after.into_iter().flatten().filter(|number| before.insert(**number)));
        }
        before
    }
}
