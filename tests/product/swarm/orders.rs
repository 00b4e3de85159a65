//! Orders of people at random times: clones join, lanes are taken out and killed, tasks and leases change hands.

use crate::draws::Draws;

/// What people order who change the team at work. Drawn apart, so that a seed means otherwise what it always meant.
pub(super) struct Orders {
    draws: Draws,
    /// Lanes of each role at the start.
    lanes: [u64; 2],
    /// For each task its role.
    tasks: Vec<usize>,
}

const ROLES: [&str; 2] = ["implementer", "writer"];

impl Orders {
    /// Whether people order anything in the scenario of this seed.
    pub(super) fn are_given(seed: u64) -> bool {
        Draws::of(seed ^ 0x6f72_6465_7273).chance(60)
    }

    /// `groups`: role and number of tasks of each entry.
    pub(super) fn of(seed: u64, lanes: [u64; 2], groups: &[(usize, u64)]) -> Option<Orders> {
        let mut draws = Draws::of(seed ^ 0x6f72_6465_7273);
        let most = groups.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let turns = (0..most).flat_map(|turn| groups.iter().filter(move |(_, count)| turn < *count));
        let tasks = turns.map(|(role, _)| *role).collect();
        draws.chance(60).then_some(Orders { draws, lanes, tasks })
    }

    /// A lane that is there, or that may have been added.
    fn lane(&mut self, role: usize, added: u64) -> String {
        format!("{}.{}", ROLES[role], self.draws.between(1, self.lanes[role] + added))
    }

    /// Commands of all kinds at random times, and a resume behind every pause.
    pub(super) fn say(&mut self) -> String {
        let added = [self.draws.between(0, 3), self.draws.between(0, 3)];
        let mut said: Vec<String> = Vec::new();
        for (role, lanes) in added.iter().enumerate().filter(|(_, lanes)| **lanes > 0) {
            said.push(format!("{{ add: {{ role: {}, lanes: {lanes} }} }}", ROLES[role]));
        }
        for _ in 0..self.draws.between(1, 8) {
            let role = self.draws.between(0, 1) as usize;
            let lane = self.lane(role, added[role]);
            said.push(match self.draws.between(0, 11) {
                0 | 1 => format!("{{ remove: {lane} }}"),
                2..=4 => {
                    let task = self.draws.between(0, self.tasks.len() as u64 - 1);
                    let role = self.tasks[task as usize];
                    let to = if self.draws.chance(30) { ROLES[role].to_owned() } else { self.lane(role, added[role]) };
                    format!("{{ reassign: T-{task}, to: {to} }}")
                }
                5..=7 => format!("{{ release: {lane} }}"),
                8 | 9 => format!("{{ kill: {lane} }}"),
                10 => "pause-all".to_owned(),
                _ if self.draws.chance(15) => (*self.draws.one(&["drain", "stop"])).to_owned(),
                _ => "resume-all".to_owned(),
            });
        }
        let mut text = String::new();
        for said in said {
            let (at, by) = (self.draws.between(0, 300), *self.draws.one(&["eve", "max"]));
            text.push_str(&format!("  - {{ at: {at}s, by: {by}, do: {said} }}\n"));
        }
        text + "  - { at: 500s, by: eve, do: resume-all }\n"
    }

    /// A cap that some of the clones do not fit under.
    pub(super) fn cap(&mut self) -> String {
        let lanes = self.lanes[0] + self.lanes[1];
        if self.draws.chance(40) { format!("lanes: {}, ", lanes + self.draws.between(3, 5)) } else { String::new() }
    }
}

/// Role and number of tasks of every entry of a scenario's `tasks`.
pub(super) fn groups(text: &str, lanes: [u64; 2]) -> Vec<(usize, u64)> {
    let number = |line: &str, key: &str| {
        let (_, rest) = line.split_once(key)?;
        rest.split(',').next()?.trim().parse::<u64>().ok()
    };
    let group = |line: &str| {
        let role = usize::from(line.contains("by: writer"));
        let count = number(line, "each:").map(|each| each * lanes[role]);
        Some((role, count.or_else(|| number(line, "count:"))?))
    };
    text.lines().filter(|line| line.contains(" by: ")).filter_map(group).collect()
}
