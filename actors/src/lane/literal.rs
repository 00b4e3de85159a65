//! Actions of a script that name what they are done to: paths that may try to escape, commands, pushes, foreign tools.
//!
//! Owns what becomes of a tree where such an action is allowed. What leads out of the tree, or needs a directory where a file
//! is, changes nothing, as on a disk; commands and tools have no effect in a simulation but the time that they take.

use super::Lane;
use super::boundary::Boundary;
use super::script::Draft;
use crate::recorder::Append;
use crate::supervisor::ActionsDenied;
use crate::team::Action as Scripted;
use baton_core::Fact;
use baton_policies::Action;
use baton_record::Event;
use baton_record::event::{ActionDenied, FaultInjected, Update, UpdateOp};
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
            self.tell_denied(denial.into_iter().collect());
            return Ok(None);
        }
        let name = format!("tool/{}/{}", attempt.change, attempt.action);
        Ok(Some(self.ground.team.seeds.child(&name).draws().latency_us(TOOL_US.0, TOOL_US.1)))
    }

    /// What was denied is written down; the lane does not wait for it.
    pub(super) fn tell_denied(&self, denied: Vec<ActionDenied>) {
        let change = self.attempt.as_ref().expect("work is done in an attempt").change;
        if !denied.is_empty() {
            self.ground.directory.supervisor().do_send(ActionsDenied { lane: self.id, change, denied });
        }
    }
}

impl Draft<'_> {
    /// Creates or replaces the file that the path leads to.
    pub(super) fn write_literal(&mut self, path: &str) -> Result<(), GitError> {
        if !self.boundary.lets(&Action::Write(path))? {
            return Ok(());
        }
        let Some(lead) = self.boundary.leads(path)? else { return Ok(()) };
        if !self.has_room(&lead.target)? {
            return Ok(());
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

    /// Removes the file, the link or the directory of this name, if there is one.
    pub(super) fn remove_literal(&mut self, path: &str) -> Result<(), GitError> {
        if !self.boundary.lets(&Action::Delete(path))? {
            return Ok(());
        }
        let Some(lead) = self.boundary.leads(path)? else { return Ok(()) };
        // Of a link only the link goes.
        let name = lead.link.unwrap_or(lead.target);
        for file in self.below(&name)? {
            // What is in a directory goes by rights of its own.
            if file == name || self.boundary.lets(&Action::Delete(&file))? {
                self.remove(file)?;
            }
        }
        Ok(())
    }

    /// Looks into a file; nothing comes of it.
    pub(super) fn read_literal(&mut self, path: &str) -> Result<(), GitError> {
        self.boundary.lets(&Action::Read(path)).map(|_| ())
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

    /// Whether a file can be put there: the path is one that git takes, no file stands above it, no directory in its place.
    fn has_room(&self, path: &str) -> Result<bool, GitError> {
        let Boundary { repository, tree, .. } = &self.boundary;
        if path.is_empty() || !repository.is_path(path) {
            return Ok(false);
        }
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        for above in above {
            let standing = self.files.get(above).map_or(self.at_base(above)?.is_some(), Option::is_some);
            if standing {
                return Ok(false);
            }
        }
        let prefix = format!("{path}/");
        let made_below = self.files.range(prefix.clone()..).take_while(|(name, _)| name.starts_with(&prefix));
        let stands_below = made_below.into_iter().any(|(_, file)| file.is_some());
        let entry = repository.entry(*tree, path)?;
        let fits = entry.is_none_or(|entry| entry.mode.is_file());
        Ok(fits && !stands_below)
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
