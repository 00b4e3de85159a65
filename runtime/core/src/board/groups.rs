//! Groups of tasks that come after each other: who waits for whom, and who waits in vain.

use baton_record::TaskId;

/// All groups of a run, by number.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Groups(Vec<Group>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Group {
    after: Vec<u16>,
    tasks: Vec<TaskId>,
    /// Tasks that have not ended.
    open: u32,
}

impl Groups {
    /// A task joins its group. Whether it has to wait for others.
    pub(super) fn add(&mut self, task: TaskId, group: u16, after: &[u16]) -> bool {
        let place = group as usize;
        if self.0.len() <= place {
            self.0.resize_with(place + 1, Group::default);
        }
        let own = &mut self.0[place];
        after.clone_into(&mut own.after);
        own.tasks.push(task);
        own.open += 1;
        !after.is_empty()
    }

    /// A task of this group has ended; the tasks that wait no more.
    pub(super) fn end(&mut self, group: u16) -> Vec<TaskId> {
        let own = &mut self.0[group as usize];
        own.open -= 1;
        if own.open > 0 {
            return Vec::new();
        }
        let over = |number: &u16| self.0.get(*number as usize).is_none_or(|group| group.open == 0);
        let begins = |other: &&Group| other.after.contains(&group) && other.after.iter().all(over);
        self.0.iter().filter(begins).flat_map(|other| other.tasks.iter().copied()).collect()
    }

    /// Tasks that come after this group, directly or not.
    pub(super) fn behind(&self, group: u16) -> Vec<TaskId> {
        let mut behind = vec![group];
        let mut at = 0;
        while let Some(before) = behind.get(at).copied() {
            at += 1;
            let follow = self.0.iter().enumerate().filter(|(_, other)| other.after.contains(&before));
            let new: Vec<u16> = follow.map(|(number, _)| number as u16).filter(|new| !behind.contains(new)).collect();
            behind.extend(new);
        }
        behind[1..].iter().flat_map(|number| self.0[*number as usize].tasks.iter().copied()).collect()
    }
}
