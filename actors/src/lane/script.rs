//! The `script` driver: seeded behaviour in place of a model.
//!
//! Reads the tree that the work began with and makes edits to it. Every draw comes from the attempt's own stream. Knows
//! nothing of leases, landing or time.

use crate::team::{Action, EditRule, Work, covers};
use baton_record::event::{Read, Update, UpdateOp};
use baton_record::{ChangeId, Oid};
use baton_world::Draws;
use baton_world::git::{Edit, EntryMode, FileMode, GitError, Repository};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What a script works with.
pub(super) struct Desk<'a> {
    /// Where files are read from.
    pub(super) repository: &'a Repository,
    /// Main as the work began with it, and its tree.
    pub(super) base: Oid,
    pub(super) tree: Oid,
    /// What is to be done.
    pub(super) work: &'a Work,
    /// The run's identity: tokens of two runs differ.
    pub(super) run: &'a str,
}

/// A change, made but not proposed.
#[derive(Debug)]
pub(crate) struct Planned {
    /// Whole files, ascending by path.
    pub(crate) edits: Vec<Edit>,
    /// What was done, for the packet.
    pub(crate) updates: Vec<Update>,
    /// What it depends on.
    pub(crate) reads: Vec<Read>,
}

/// A path, its mode and its content.
pub(super) type TextFile = (String, FileMode, Vec<u8>);

/// A change that is being made.
pub(super) struct Draft<'a> {
    pub(super) desk: &'a Desk<'a>,
    change: ChangeId,
    pub(super) lane: &'a str,
    /// Files as they will be; `None`: gone.
    pub(super) files: BTreeMap<String, Option<(FileMode, Vec<u8>)>>,
    pub(super) updates: Vec<Update>,
    reads: Vec<Read>,
}

/// Makes the change of one attempt. Without a file to work on, one is created, so that a change is never empty. An error
/// is the repository's: it is gone, damaged or unreadable.
pub(super) fn plan(desk: &Desk<'_>, change: ChangeId, lane: &str, draws: &mut Draws) -> Result<Planned, GitError> {
    let (files, updates, reads) = (BTreeMap::new(), Vec::new(), Vec::new());
    let mut draft = Draft { desk, change, lane, files, updates, reads };
    for action in &desk.work.actions {
        draft.act(action, draws)?;
    }
    if let Some(path) = &desk.work.canonical {
        draft.touch_canonical(path)?;
    }
    let edit = |(path, file): (String, Option<(FileMode, Vec<u8>)>)| match file {
        Some((mode, content)) => Edit::Put { path, mode, content },
        None => Edit::Remove { path },
    };
    Ok(Planned { edits: draft.files.into_iter().map(edit).collect(), updates: draft.updates, reads: draft.reads })
}

impl Draft<'_> {
    fn act(&mut self, action: &Action, draws: &mut Draws) -> Result<(), GitError> {
        match action {
            Action::Append => self.append_somewhere(draws)?,
            Action::Transaction { files } => (0..*files).try_for_each(|_| self.append_somewhere(draws))?,
            Action::Create => self.create()?,
            Action::Edit(rule) => self.edit(*rule, draws)?,
            Action::ReadThenWrite { read } => {
                self.read(read)?;
                self.append_somewhere(draws)?;
            }
            Action::Rename => self.rename(draws)?,
            Action::RenameFile { from, to } => self.rename_file(from, to.as_deref())?,
            Action::Delete => self.delete(draws)?,
            Action::Undo => self.undo(draws)?,
            Action::Stall { .. } | Action::Crash { .. } => {}
        }
        Ok(())
    }

    /// Text that no other update of any run contains.
    fn token(&self) -> String {
        let number = self.updates.len();
        let digest: [u8; 32] = Sha256::digest(format!("{}/{}/{number}", self.desk.run, self.change)).into();
        let hex: String = digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}/{number}#{hex}", self.change)
    }

    /// A text file below `touches` that this change has not touched yet.
    fn pick(&self, draws: &mut Draws) -> Result<Option<TextFile>, GitError> {
        let repository = self.desk.repository;
        let (tree, touches) = (self.desk.tree, &self.desk.work.touches);
        let count = repository.file_count(tree, touches)?;
        for _ in 0..32 {
            if count == 0 {
                return Ok(None);
            }
            let number = draws.below(count);
            let Some(path) = repository.nth_file(tree, touches, number)? else { return Ok(None) };
            let special = path.split('/').any(|part| part.to_ascii_lowercase().starts_with(".git"));
            if special || self.files.contains_key(&path) {
                continue;
            }
            let Some(entry) = repository.entry(tree, &path)? else { continue };
            let content = repository.blob(entry.oid)?;
            let Some(mode) = file_mode(entry.mode) else { continue };
            if content.len() <= 1 << 20 && !content.contains(&0) {
                return Ok(Some((path, mode, content.to_vec())));
            }
        }
        Ok(None)
    }

    pub(super) fn put(&mut self, op: UpdateOp, path: String, file: (FileMode, Vec<u8>), token: Option<String>) {
        self.files.insert(path.clone(), Some(file));
        self.updates.push(Update { op, path, from: None, token });
    }

    fn append_somewhere(&mut self, draws: &mut Draws) -> Result<(), GitError> {
        let Some((path, mode, mut content)) = self.pick(draws)? else { return self.create() };
        let token = self.token();
        append_line(&mut content, &format!("- {token} {}", self.lane));
        self.put(UpdateOp::Append, path, (mode, content), Some(token));
        Ok(())
    }

    /// What is left to do when there is no file to work on; fails as little as its siblings may.
    pub(super) fn create(&mut self) -> Result<(), GitError> {
        let token = self.token();
        let path = self.new_path(&token);
        let content = format!("# {token}\n\nby {}\n", self.lane).into_bytes();
        self.put(UpdateOp::Create, path, (FileMode::Regular, content), Some(token));
        Ok(())
    }

    /// A path below `touches` that nobody else can have.
    fn new_path(&self, token: &str) -> String {
        let name: String = token.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        match self.desk.work.touches.strip_suffix("**") {
            Some(dir) => format!("{dir}{name}.md"),
            None if self.files.contains_key(&self.desk.work.touches) => format!("{}-{name}", self.desk.work.touches),
            None => self.desk.work.touches.clone(),
        }
    }

    fn edit(&mut self, rule: EditRule, draws: &mut Draws) -> Result<(), GitError> {
        let Some((path, mode, content)) = self.pick(draws)? else { return self.create() };
        let text = String::from_utf8_lossy(&content).into_owned();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        match rule {
            EditRule::ReplaceLine => {
                let token = self.token();
                let line = format!("- {token} {}", self.lane);
                match lines.len() as u64 {
                    0 => lines.push(line),
                    count => lines[draws.below(count) as usize] = line,
                }
                self.put(UpdateOp::Edit, path, (mode, joined(&lines)), Some(token));
            }
            EditRule::Increment => {
                let number = lines.iter_mut().find_map(|line| Some((line.trim().parse::<u64>().ok()?, line)));
                match number {
                    Some((value, line)) => *line = (value + 1).to_string(),
                    None => lines.push("1".to_owned()),
                }
                self.put(UpdateOp::Edit, path, (mode, joined(&lines)), None);
            }
        }
        Ok(())
    }

    fn read(&mut self, path: &str) -> Result<(), GitError> {
        let entry = self.desk.repository.entry(self.desk.tree, path)?;
        self.reads.push(Read { path: path.to_owned(), blob: entry.map(|entry| entry.oid) });
        Ok(())
    }

    fn rename(&mut self, draws: &mut Draws) -> Result<(), GitError> {
        let Some(file) = self.pick(draws)? else { return self.create() };
        let path = self.new_path(&self.token());
        self.rename_to(file, path)
    }

    fn rename_to(&mut self, (from, mode, content): TextFile, path: String) -> Result<(), GitError> {
        if path == from || covers(&format!("{from}/**"), &path) {
            return self.create();
        }
        self.files.insert(from.clone(), None);
        self.files.insert(path.clone(), Some((mode, content)));
        self.updates.push(Update { op: UpdateOp::Rename, path, from: Some(from), token: None });
        Ok(())
    }

    /// A file that is gone cannot be renamed, and no file is put in the place of another.
    fn rename_file(&mut self, from: &str, to: Option<&str>) -> Result<(), GitError> {
        let Desk { repository, tree, .. } = *self.desk;
        let path = to.map_or_else(|| self.new_path(&self.token()), str::to_owned);
        let taken = self.files.contains_key(&path) || repository.entry(tree, &path)?.is_some();
        let entry = repository.entry(tree, from)?.filter(|_| !taken && !self.files.contains_key(from));
        let Some((entry, mode)) = entry.and_then(|entry| Some((entry, file_mode(entry.mode)?))) else {
            return self.create();
        };
        let content = repository.blob(entry.oid)?.to_vec();
        self.rename_to((from.to_owned(), mode, content), path)
    }

    fn delete(&mut self, draws: &mut Draws) -> Result<(), GitError> {
        let Some((path, ..)) = self.pick(draws)? else { return self.create() };
        self.files.insert(path.clone(), None);
        self.updates.push(Update { op: UpdateOp::Delete, path, from: None, token: None });
        Ok(())
    }

    fn touch_canonical(&mut self, path: &str) -> Result<(), GitError> {
        if self.files.contains_key(path) {
            return Ok(());
        }
        let repository = self.desk.repository;
        let entry = repository.entry(self.desk.tree, path)?;
        let mut content = match &entry {
            Some(entry) => repository.blob(entry.oid)?.to_vec(),
            None => Vec::new(),
        };
        let op = if entry.is_some() { UpdateOp::Append } else { UpdateOp::Create };
        let token = self.token();
        append_line(&mut content, &format!("- {token} {}", self.lane));
        let mode = entry.and_then(|entry| file_mode(entry.mode)).unwrap_or(FileMode::Regular);
        self.put(op, path.to_owned(), (mode, content), Some(token));
        Ok(())
    }
}

/// The mode of a file that a script may change.
pub(super) fn file_mode(mode: EntryMode) -> Option<FileMode> {
    match mode {
        EntryMode::Regular => Some(FileMode::Regular),
        EntryMode::Executable => Some(FileMode::Executable),
        EntryMode::Tree | EntryMode::Symlink | EntryMode::Submodule => None,
    }
}

fn append_line(content: &mut Vec<u8>, line: &str) {
    if content.last().is_some_and(|last| *last != b'\n') {
        content.push(b'\n');
    }
    content.extend_from_slice(line.as_bytes());
    content.push(b'\n');
}

fn joined(lines: &[String]) -> Vec<u8> {
    let mut text = lines.join("\n");
    text.push('\n');
    text.into_bytes()
}
