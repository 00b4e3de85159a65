//! Actions of a script that name what they are done to: paths that may try to escape, commands, pushes, foreign tools.
//!
//! Owns what becomes of a tree where such an action is allowed. What leads out of the tree, or needs a directory where a file
//! is, changes nothing, as on a disk, and is noted with the reason; commands and tools have no effect in a simulation but the time that they take.

use super::Lane;
use super::boundary::Boundary;
use super::script::{Draft, why_no_file};
use crate::recorder::Append;
use crate::rights;
use crate::supervisor::ActionsUndone;
use crate::team::Action as Scripted;
use baton_core::Fact;
use baton_policies::Action;
use baton_record::Event;
use baton_record::event::{FailedReason, FaultInjected, Update, UpdateOp};
use baton_record::line::Actor as Writer;
use baton_world::git::{EntryMode, FileMode, GitError};

/// What a script does beside its change: a command, a push or a foreign tool, as it is judged.
fn tool(action: &Scripted) -> Option<Action<'_>> {
    match action {
        Scripted::Run { command } => Some(Action::Bash(command)),
        Scripted::Push => Some(Action::Push),
        Scripted::Mcp { tool } => Some(Action::Mcp(tool)),
        _ => None,
    }
}

/// How long a command, a push or a foreign tool takes: half of the draws are below, 99 of 100.
const TOOL_US: (u64, u64) = (2_000_000, 30_000_000);

impl Lane {
    /// Whether a fault makes the lane look away from its policy while it makes this change.
    pub(super) fn meet_boundary(&mut self) {
        let attempt = self.attempt.as_mut().expect("work is done in an attempt");
        if attempt.action > 0 || attempt.ignores.is_some() {
            return;
        }
        let task = attempt.change.task();
        let Some(fault) = self.ground.chaos.strike_policy((self.id, &self.spec), task) else { return };
        attempt.ignores = Some(fault);
        let target = self.spec.name.clone();
        let event = FaultInjected { fault, injected: "ignore-policy".to_owned(), target };
        let fact = Fact::of_lane(self.id, Event::FaultInjected(event));
        self.ground.directory.recorder().do_send(Append::of(Writer::Run, vec![fact]));
    }

    /// A command, a push or a foreign tool: how long it takes, if it is one and may happen.
    pub(super) fn use_tool(&mut self, action: &Scripted) -> Result<Option<u64>, GitError> {
        let Some(judged) = tool(action) else { return Ok(None) };
        let attempt = self.attempt.as_mut().expect("work is done in an attempt");
        let lane = &self.spec.name;
        let (lets, denial) = attempt.lets(&self.ground, lane, &judged)?;
        if !lets {
            self.tell_undone(denial.into_iter().collect());
            return Ok(None);
        }
        let (tool, part) = rights::shown(&judged);
        attempt.used.push(format!("{tool}({part})"));
        let name = format!("tool/{}/{}", attempt.change, attempt.action);
        Ok(Some(self.ground.team.seeds.child(&name).draws().latency_us(TOOL_US.0, TOOL_US.1)))
    }

    /// What did not happen is written down; the lane does not wait for it.
    pub(super) fn tell_undone(&self, undone: Vec<Event>) {
        let change = self.attempt.as_ref().expect("work is done in an attempt").change;
        if !undone.is_empty() {
            self.ground.directory.supervisor().do_send(ActionsUndone { lane: self.id, change, undone });
        }
    }
}

impl Draft<'_> {
    /// Creates or replaces the file that the path leads to.
    pub(super) fn write_literal(&mut self, path: &str) -> Result<(), GitError> {
        let action = Action::Write(path);
        if !self.boundary.lets(&action)? {
            return Ok(());
        }
        let Some(lead) = self.boundary.leads(path)? else { return self.fail(&action, FailedReason::LeadsNowhere) };
        if let Some(lack) = self.lack_of_room(&lead.target)? {
            return self.fail(&Action::Write(&lead.target), lack);
        }
        let (op, mode) = match self.at_base(&lead.target)? {
            Some(EntryMode::Executable) => (UpdateOp::Edit, FileMode::Executable),
            Some(_) => (UpdateOp::Edit, FileMode::Regular),
            None => (UpdateOp::Create, FileMode::Regular),
        };
        let token = self.token();
        let content = format!("# {token}\n\nby {}\n", self.lane).into_bytes();
        self.forget(&lead.target);
        self.put(op, lead.target, (mode, content), Some(token));
        Ok(())
    }

    fn fail(&mut self, action: &Action<'_>, reason: FailedReason) -> Result<(), GitError> {
        self.boundary.fails(action, reason);
        Ok(())
    }

    /// Removes the file, the link or the directory of this name, if there is one.
    pub(super) fn remove_literal(&mut self, path: &str) -> Result<(), GitError> {
        let action = Action::Delete(path);
        if !self.boundary.lets(&action)? {
            return Ok(());
        }
        let Some(lead) = self.boundary.leads(path)? else { return self.fail(&action, FailedReason::LeadsNowhere) };
        // Of a link only the link goes.
        let name = lead.link.unwrap_or(lead.target);
        let below = self.below(&name)?;
        if below.is_empty() {
            return self.fail(&Action::Delete(&name), FailedReason::NoSuchPath);
        }
        for file in below {
            // What is in a directory goes by rights of its own.
            if file == name || self.boundary.lets(&Action::Delete(&file))? {
                self.remove(file)?;
            }
        }
        Ok(())
    }

    /// Looks into a file; nothing comes of it.
    pub(super) fn read_literal(&mut self, path: &str) -> Result<(), GitError> {
        let action = Action::Read(path);
        if !self.boundary.lets(&action)? {
            return Ok(());
        }
        let Some(lead) = self.boundary.leads(path)? else { return self.fail(&action, FailedReason::LeadsNowhere) };
        match self.lack_of_file(&lead.target)? {
            Some(lack) => self.fail(&Action::Read(&lead.target), lack),
            None => Ok(()),
        }
    }

    /// Why there is no file at the path that could be read, as the change has it so far.
    fn lack_of_file(&self, path: &str) -> Result<Option<FailedReason>, GitError> {
        let Boundary { repository, tree, .. } = &self.boundary;
        match self.files.get(path) {
            Some(Some(_)) => return Ok(None),
            Some(None) => return Ok(Some(FailedReason::NoSuchPath)),
            None => {}
        }
        if path.is_empty() || self.stands_below(path) {
            return Ok(Some(FailedReason::IsDirectory));
        }
        if self.stands_above(path)? {
            return Ok(Some(FailedReason::NotADirectory));
        }
        let entry = repository.entry(*tree, path)?;
        if entry.is_some_and(|entry| entry.mode == EntryMode::Tree) && self.below(path)?.is_empty() {
            return Ok(Some(FailedReason::NoSuchPath));
        }
        Ok(match entry {
            None => Some(FailedReason::NoSuchPath),
            Some(entry) if entry.mode.is_file() => None,
            Some(entry) => Some(why_no_file(entry.mode)),
        })
    }

    fn remove(&mut self, path: String) -> Result<(), GitError> {
        let deleted = |path: String| Update { op: UpdateOp::Delete, path, from: None, token: None };
        self.forget(&path);
        if self.at_base(&path)?.is_some() {
            self.files.insert(path.clone(), None);
            self.note(deleted(path));
            return Ok(());
        }
        // What was renamed to it is gone under both names.
        self.files.remove(&path);
        for update in self.updates.iter_mut().filter(|update| update.path == path) {
            *update = deleted(update.from.take().unwrap_or_default());
        }
        Ok(())
    }

    /// What the change has said of the path so far is overtaken: one path, one word.
    fn forget(&mut self, path: &str) {
        self.updates.retain(|update| update.path != path || update.from.is_some());
    }

    /// What stands at the path in the tree that the change is made from, if it is no directory.
    fn at_base(&self, path: &str) -> Result<Option<EntryMode>, GitError> {
        let Boundary { repository, tree, .. } = &self.boundary;
        let entry = repository.entry(*tree, path)?.filter(|entry| entry.mode != EntryMode::Tree);
        Ok(entry.map(|entry| entry.mode))
    }

    /// Why no file can be put there: git takes no such path, a file stands above it, or something else in its place.
    pub(super) fn lack_of_room(&self, path: &str) -> Result<Option<FailedReason>, GitError> {
        let Boundary { repository, tree, .. } = &self.boundary;
        if path.is_empty() {
            return Ok(Some(FailedReason::IsDirectory));
        }
        if !repository.is_path(path) {
            return Ok(Some(FailedReason::BadName));
        }
        if self.stands_above(path)? {
            return Ok(Some(FailedReason::NotADirectory));
        }
        let entry = repository.entry(*tree, path)?.filter(|entry| !entry.mode.is_file());
        Ok(match entry {
            Some(entry) => Some(why_no_file(entry.mode)),
            None => self.stands_below(path).then_some(FailedReason::IsDirectory),
        })
    }

    /// Whether a file stands where a directory above the path would have to be.
    fn stands_above(&self, path: &str) -> Result<bool, GitError> {
        for (at, _) in path.match_indices('/') {
            let above = &path[..at];
            if self.files.get(above).map_or(self.at_base(above)?.is_some(), Option::is_some) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the change has put something below the path.
    fn stands_below(&self, path: &str) -> bool {
        let prefix = format!("{path}/");
        let mut below = self.files.range(prefix.clone()..).take_while(|(name, _)| name.starts_with(&prefix));
        below.any(|(_, file)| file.is_some())
    }

    /// The path itself, or everything that stands below it: in the tree, and as the change has it so far.
    fn below(&self, path: &str) -> Result<Vec<String>, GitError> {
        let Boundary { repository, tree, .. } = &self.boundary;
        let mut all = repository.all_below(*tree, path)?;
        let prefix = format!("{path}/");
        let made = self.files.iter().filter(|(_, file)| file.is_some()).map(|(name, _)| name);
        all.extend(made.filter(|name| *name == path || name.starts_with(&prefix)).cloned());
        all.retain(|name| self.files.get(name).is_none_or(Option::is_some));
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }
}
