//! Groups of tasks that come after each other: which group waits for which, and which in vain. Knows no task.

/// All groups of a run, by number.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub(super) struct Groups(Vec<Group>);

#[derive(Clone, Debug, Default, PartialEq, Hash)]
struct Group {
    after: Vec<u16>,
    /// Tasks that have not ended.
    open: u32,
}

impl Groups {
    /// A task joins its group. Whether it has to wait for others.
    pub(super) fn add(&mut self, group: u16, after: &[u16]) -> bool {
        let place = group as usize;
        if self.0.len() <= place {
            self.0.resize_with(place + 1, Group::default);
        }
        let own = &mut self.0[place];
        after.clone_into(&mut own.after);
        own.open += 1;
        after.iter().any(|before| !self.is_over(*before))
    }

    /// A task of this group has ended; the groups that wait no more.
    pub(super) fn end(&mut self, group: u16) -> Vec<u16> {
        let own = &mut self.0[group as usize];
        own.open -= 1;
        if own.open > 0 {
            return Vec::new();
        }
        let begins = |after: &[u16]| after.contains(&group) && after.iter().all(|before| self.is_over(*before));
        self.numbered().filter(|(_, after)| begins(after)).map(|(number, _)| number).collect()
    }

    /// Groups that come after this one, directly or not.
    pub(super) fn behind(&self, group: u16) -> Vec<u16> {
        let mut behind = vec![group];
        let mut at = 0;
        while let Some(before) = behind.get(at).copied() {
            at += 1;
            let follow = self.numbered().filter(|(number, after)| after.contains(&before) && !behind.contains(number));
            let new: Vec<u16> = follow.map(|(number, _)| number).collect();
            behind.extend(new);
        }
        behind.split_off(1)
    }

    fn numbered(&self) -> impl Iterator<Item = (u16, &[u16])> {
        self.0.iter().enumerate().map(|(number, group)| (number as u16, group.after.as_slice()))
    }

    fn is_over(&self, group: u16) -> bool {
        self.0.get(group as usize).is_none_or(|group| group.open == 0)
    }
}
