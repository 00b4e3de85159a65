//! Plans that collide: groups of tasks that write the same places at the same time, told before anybody works.
//!
//! Owns when two plans get in each other's way, and when that is only the normal case: many lanes that write below one
//! directory meet by chance and merge. Told is what somebody can avoid: one file that two groups write, and one
//! directory in which two roles work. Whoever comes `after` the other, or holds a lease, has been thought of.

use super::codes::Code;
use super::faults::Sink;
use super::path::{self, Overlaps};
use super::scalar::shown;
use super::source::Span;
use crate::scenario::{Action, LeaseRule, Role, TaskGroup};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Steps that are spent in search of collisions: a file with more groups than that are compared in is not told all.
const STEPS_MAX: usize = 1_000_000;

/// Where an entry of `tasks` says what it writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    /// `touches`, or the entry.
    pub(crate) touches: Span,
    /// `canonical`, or the entry.
    pub(crate) canonical: Span,
    /// `do`, or the entry.
    pub(crate) actions: Span,
}

/// What plans are judged by.
pub(crate) struct Plans<'p> {
    pub(crate) groups: &'p [TaskGroup],
    /// Of each group.
    pub(crate) places: &'p [Places],
    pub(crate) roles: &'p [Role],
    pub(crate) leases: &'p [LeaseRule],
}

/// Tells of every pair of plans that collide; of two roles in one place only once.
pub(crate) fn tell(sink: &mut Sink, plans: &Plans<'_>) {
    let mut leased = Overlaps::default();
    plans.leases.iter().for_each(|rule| leased.add(&rule.resource));
    let mut search = Search {
        plans,
        leased,
        seen: Seen::default(),
        order: Order::new(plans.groups),
        fought_over: BTreeSet::new(),
        told: BTreeSet::new(),
    };
    for group in 0..plans.groups.len() {
        search.files_of(sink, group);
        search.directory_of(sink, group);
    }
}

/// One place that a group writes.
#[derive(Clone, Copy)]
struct Claim {
    group: usize,
    at: Span,
}

/// What the groups so far write, by place, then by role.
#[derive(Default)]
struct Seen {
    files: BTreeMap<String, BTreeMap<usize, Vec<Claim>>>,
    /// With a slash at the end.
    directories: BTreeMap<String, BTreeMap<usize, Vec<Claim>>>,
}

struct Search<'p> {
    plans: &'p Plans<'p>,
    leased: Overlaps,
    seen: Seen,
    order: Order<'p>,
    /// Files that were told.
    fought_over: BTreeSet<String>,
    /// Role and place of both, in ascending order.
    told: BTreeSet<[(usize, String); 2]>,
}

impl Search<'_> {
    /// Files that the group writes by name: one that another group writes too is fought over.
    fn files_of(&mut self, sink: &mut Sink, group: usize) {
        let role = self.plans.groups[group].role;
        for (file, at) in files(&self.plans.groups[group], self.plans.places[group]) {
            let claims = self.seen.files.get(&file).filter(|_| !self.leased.meet(&file));
            let mut latest_first =
                claims.into_iter().flat_map(|roles| roles.values().rev().flat_map(|all| all.iter().rev()));
            let collides = latest_first.find_map(|other| {
                if self.order.steps == 0 {
                    return Some(None);
                }
                self.order.steps -= 1;
                meet(self.plans, &mut self.order, (other.group, group)).then_some(Some(*other))
            });
            if let Some(other) = collides.flatten() {
                one_file(sink, &file, self.named(other), self.named(Claim { group, at }));
                self.fought_over.insert(file.clone());
            }
            let above = prefixes(&file);
            let claims = self.others(&above, role);
            self.two_roles(sink, (group, at), &file, claims);
            self.seen.files.entry(file).or_default().entry(role).or_default().push(Claim { group, at });
        }
    }

    /// The directory in which the group works: one in which another role works too has two owners.
    fn directory_of(&mut self, sink: &mut Sink, group: usize) {
        let plan = &self.plans.groups[group];
        let Some(directory) = plan.touches.strip_suffix("**").filter(|above| !above.is_empty()) else { return };
        if !plan.actions.iter().any(changes_what_is_there) {
            return;
        }
        let at = self.plans.places[group].touches;
        let mut claims = self.others(&prefixes(directory), plan.role);
        claims.extend(others_below(&self.seen.directories, directory, plan.role, &mut self.order.steps));
        claims.extend(others_below(&self.seen.files, directory, plan.role, &mut self.order.steps));
        self.two_roles(sink, (group, at), &plan.touches, claims);
        let claims = self.seen.directories.entry(directory.to_owned()).or_default();
        claims.entry(plan.role).or_default().push(Claim { group, at });
    }

    /// What other roles do in these directories.
    fn others(&mut self, directories: &[&str], role: usize) -> Vec<(String, Claim)> {
        let mut found = Vec::new();
        for directory in directories {
            let Some(roles) = self.seen.directories.get(*directory) else { continue };
            collect(&mut found, directory, roles, role, &mut self.order.steps);
        }
        found
    }

    fn two_roles(&mut self, sink: &mut Sink, (group, at): (usize, Span), place: &str, others: Vec<(String, Claim)>) {
        let role = self.plans.groups[group].role;
        for (other_place, other) in others {
            let narrower = if other_place.len() > place.len() { &other_place } else { place };
            let other_role = self.plans.groups[other.group].role;
            let mut key = [(role, place.to_owned()), (other_role, other_place.clone())];
            key.sort();
            if self.told.contains(&key)
                || self.fought_over.contains(narrower)
                || self.leased.meet(narrower)
                || !meet(self.plans, &mut self.order, (other.group, group))
            {
                continue;
            }
            let roles = &self.plans.roles;
            let names = (roles[other_role].name.as_str(), roles[role].name.as_str());
            two_roles(sink, names, narrower, (self.named(other), self.named(Claim { group, at })));
            self.told.insert(key);
        }
    }

    /// A claim with the words for its entry.
    fn named(&self, claim: Claim) -> (String, Span) {
        let words = match &self.plans.groups[claim.group].name {
            Some(name) => format!("`{name}`"),
            None => format!("entry {}", claim.group + 1),
        };
        (words, claim.at)
    }
}

/// Whether two groups, of which one stands before the other, can be at work at once.
fn meet(plans: &Plans<'_>, order: &mut Order<'_>, (earlier, later): (usize, usize)) -> bool {
    let (one, other) = (&plans.groups[earlier], &plans.groups[later]);
    let alone = plans.roles[one.role].lanes == 1 && one.review.is_none() && other.review.is_none();
    earlier != later && !(one.role == other.role && alone) && !order.comes_after(later, earlier)
}

fn one_file(sink: &mut Sink, file: &str, other: (String, Span), this: (String, Span)) {
    let message = format!("{} and {} of `tasks` write {} at the same time", other.0, this.0, shown(file));
    sink.error(Code::OneFileTwice, this.1, message).label("written here").also(other.1, "and here").help(format!(
        "let one of them come `after` the other, give each its own file, or declare a lease: \
         `leases: [ {{ resource: \"{file}\", per: task, ttl: 5m }} ]`"
    ));
}

fn two_roles(
    sink: &mut Sink,
    (one, other): (&str, &str),
    place: &str,
    (earlier, this): ((String, Span), (String, Span)),
) {
    let message = format!(
        "{one} and {other} both change {} at the same time: {} and {} of `tasks`",
        shown(place),
        earlier.0,
        this.0
    );
    let label = format!("{other} works here");
    sink.error(Code::TwoRolesInOnePlace, this.1, message)
        .label(label)
        .also(earlier.1, format!("{one} works here"))
        .help(format!(
            "give each role its own directory in `touches`, let one come `after` the other, or declare a lease: \
             `leases: [ {{ resource: \"{place}\", per: task, ttl: 5m }} ]`"
        ));
}

/// Files that every task of the group writes, each once, and where that is said.
fn files(group: &TaskGroup, places: Places) -> BTreeMap<String, Span> {
    let mut files = BTreeMap::new();
    for action in &group.actions {
        let named = match action {
            Action::RenameFile { from, to } => [Some(from), to.as_ref()],
            // Written as a lane writes it: what leads elsewhere is another matter.
            Action::Write { path } | Action::Remove { path } if path::is_literal(path) => [Some(path), None],
            _ => continue,
        };
        files.extend(named.into_iter().flatten().map(|path| (path.clone(), places.actions)));
    }
    if path::is_one_file(&group.touches) {
        files.insert(group.touches.clone(), places.touches);
    }
    if let Some(canonical) = &group.canonical {
        files.insert(canonical.clone(), places.canonical);
    }
    files
}

/// Whether an action changes any of the files that are there: not one that it names, and not a new one that nobody else
/// can have.
fn changes_what_is_there(action: &Action) -> bool {
    match action {
        Action::Append
        | Action::Transaction { .. }
        | Action::Edit(_)
        | Action::ReadThenWrite { .. }
        | Action::Rename
        | Action::Delete
        | Action::Undo => true,
        Action::Create
        | Action::RenameFile { .. }
        | Action::Write { .. }
        | Action::Remove { .. }
        | Action::Read { .. }
        | Action::Run { .. }
        | Action::Push
        | Action::Mcp { .. }
        | Action::Stall { .. }
        | Action::Crash { .. } => false,
    }
}

/// Every directory above a place, itself included if it is one; with a slash at the end.
fn prefixes(place: &str) -> Vec<&str> {
    place.match_indices('/').map(|(at, _)| &place[..=at]).collect()
}

type ByRole = BTreeMap<usize, Vec<Claim>>;

/// What other roles do below a directory.
fn others_below(
    seen: &BTreeMap<String, ByRole>,
    directory: &str,
    role: usize,
    steps: &mut usize,
) -> Vec<(String, Claim)> {
    let mut found = Vec::new();
    let from = (Bound::Excluded(directory), Bound::Unbounded);
    for (place, roles) in seen.range::<str, _>(from).take_while(|(place, _)| place.starts_with(directory)) {
        if *steps == 0 {
            break;
        }
        *steps -= 1;
        collect(&mut found, place, roles, role, steps);
    }
    found
}

/// One step for each claim, as long as there are steps left.
fn collect(found: &mut Vec<(String, Claim)>, place: &str, roles: &ByRole, role: usize, steps: &mut usize) {
    for claim in roles.iter().filter(|(other, _)| **other != role).flat_map(|(_, claims)| claims) {
        if *steps == 0 {
            return;
        }
        *steps -= 1;
        let shown = if place.ends_with('/') { format!("{place}**") } else { place.to_owned() };
        found.push((shown, *claim));
    }
}

/// Which group comes after which.
struct Order<'p> {
    groups: &'p [TaskGroup],
    /// For each group the last one for which it was found to come before.
    before: Vec<usize>,
    looked_up: usize,
    steps: usize,
}

impl<'p> Order<'p> {
    fn new(groups: &'p [TaskGroup]) -> Order<'p> {
        Order { groups, before: vec![usize::MAX; groups.len()], looked_up: usize::MAX, steps: STEPS_MAX }
    }

    /// Whether `later` is begun only when `earlier` has ended. Yes, too, when there are no steps left to find out.
    fn comes_after(&mut self, later: usize, earlier: usize) -> bool {
        if self.looked_up != later {
            self.looked_up = later;
            let mut left: Vec<usize> = vec![later];
            while let Some(group) = left.pop() {
                for &before in &self.groups[group].after {
                    let before = usize::from(before);
                    if self.before[before] != later && self.steps > 0 {
                        self.steps -= 1;
                        self.before[before] = later;
                        left.push(before);
                    }
                }
            }
        }
        self.steps == 0 || self.before[earlier] == later
    }
}
