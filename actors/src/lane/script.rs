//! The `script` driver: seeded behaviour in place of a model.
//!
//! Reads the tree that the work began with and makes edits to it, each through the boundary. Every draw comes from the
//! attempt's own stream. Knows nothing of leases, landing or time; actions that name their path are in `literal`.

use super::boundary::{Boundary, Undone};
use crate::team::{Action, EditRule, Work, covers};
use baton_policies::Action as Judged;
use baton_record::event::{FailedReason, Read, Update, UpdateOp};
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
    /// How many actions did not happen while it was made.
    pub(crate) undone: Undone,
}

/// A path, its mode and its content.
pub(super) type TextFile = (String, FileMode, Vec<u8>);

/// A change that is being made.
pub(super) struct Draft<'a> {
    pub(super) desk: &'a Desk<'a>,
    /// What every action passes.
    pub(super) boundary: Boundary<'a>,
    change: ChangeId,
    pub(super) lane: &'a str,
    /// Files as they will be; `None`: gone.
    pub(super) files: BTreeMap<String, Option<(FileMode, Vec<u8>)>>,
    pub(super) updates: Vec<Update>,
    /// Updates noted so far, those that were overtaken included.
    noted: usize,
    reads: Vec<Read>,
}

/// Makes the change of one attempt. Without a file to work on, one is created, so that only what is denied makes a change
/// empty, or a script that says nothing of a file. An error is the repository's: it is gone, damaged or unreadable.
pub(super) fn plan<'a>(
    desk: &'a Desk<'a>,
    boundary: Boundary<'a>,
    (change, lane): (ChangeId, &'a str),
    draws: &mut Draws,
) -> Result<(Planned, Boundary<'a>), GitError> {
    let (files, updates, reads) = (BTreeMap::new(), Vec::new(), Vec::new());
    let mut draft = Draft { desk, boundary, change, lane, files, updates, noted: 0, reads };
    for action in &desk.work.actions {
        draft.act(action, draws)?;
    }
    if let Some(path) = &desk.work.canonical
        && !draft.touch_canonical(path)?
    {
        // A change without its artifact is none.
        draft.files.clear();
    }
    let edit = |(path, file): (String, Option<(FileMode, Vec<u8>)>)| match file {
        Some((mode, content)) => Edit::Put { path, mode, content },
        None => Edit::Remove { path },
    };
    let undone = draft.boundary.undone;
    let edits = draft.files.into_iter().map(edit).collect();
    let planned = Planned { edits, updates: draft.updates, reads: draft.reads, undone };
    Ok((planned, draft.boundary))
}

impl Draft<'_> {
    fn act(&mut self, action: &Action, draws: &mut Draws) -> Result<(), GitError> {
        match action {
            Action::Append => drop(self.append_somewhere(draws)?),
            Action::Transaction { files } => self.append_all(*files, draws)?,
            Action::Create => drop(self.create()?),
            Action::Edit(rule) => self.edit(*rule, draws)?,
            Action::ReadThenWrite { read } => {
                // What depends on a file that may not be read is not made.
                if self.read(read)? {
                    self.append_somewhere(draws)?;
                }
            }
            Action::Rename => self.rename(draws)?,
            Action::RenameFile { from, to } => self.rename_file(from, to.as_deref())?,
            Action::Delete => self.delete(draws)?,
            Action::Undo => self.undo(draws)?,
            Action::Write { path } => self.write_literal(path)?,
            Action::Remove { path } => self.remove_literal(path)?,
            Action::Read { path } => self.read_literal(path)?,
            // These are done before the change is made, because they take time.
            Action::Stall { .. } | Action::Crash { .. } => {}
            Action::Run { .. } | Action::Push | Action::Mcp { .. } => {}
        }
        Ok(())
    }

    /// Text that no other update of any run contains.
    pub(super) fn token(&self) -> String {
        let number = self.noted;
        let digest: [u8; 32] = Sha256::digest(format!("{}/{}/{number}", self.desk.run, self.change)).into();
        let hex: String = digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}/{number}#{hex}", self.change)
    }

    /// A text file below `touches` that this change has not touched yet.
    fn pick(&self, draws: &mut Draws) -> Result<Option<TextFile>, GitError> {
        let Boundary { repository, tree, .. } = self.boundary;
        let touches = &self.desk.work.touches;
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
        self.note(Update { op, path, from: None, token });
    }

    pub(super) fn note(&mut self, update: Update) {
        self.updates.push(update);
        self.noted += 1;
    }

    /// Whether a file that stands there may be read and changed.
    fn may_edit(&mut self, path: &str) -> Result<bool, GitError> {
        Ok(self.boundary.lets(&Judged::Read(path))? && self.boundary.lets(&Judged::Edit(path))?)
    }

    /// False: it was denied.
    fn append_somewhere(&mut self, draws: &mut Draws) -> Result<bool, GitError> {
        let Some((path, mode, mut content)) = self.pick(draws)? else { return self.create() };
        if !self.may_edit(&path)? {
            return Ok(false);
        }
        let token = self.token();
        append_line(&mut content, &format!("- {token} {}", self.lane));
        self.put(UpdateOp::Append, path, (mode, content), Some(token));
        Ok(true)
    }

    /// All of the files, or none if one of them is denied.
    fn append_all(&mut self, files: u32, draws: &mut Draws) -> Result<(), GitError> {
        let before = self.boundary.judges().then(|| (self.files.clone(), self.updates.len()));
        let mut whole = true;
        for _ in 0..files {
            whole &= self.append_somewhere(draws)?;
        }
        if let Some((files, updates)) = before.filter(|_| !whole) {
            self.files = files;
            self.updates.truncate(updates);
        }
        Ok(())
    }

    /// What is left to do when there is no file to work on; fails as little as its siblings may.
    pub(super) fn create(&mut self) -> Result<bool, GitError> {
        let token = self.token();
        let path = self.new_path(&token);
        if !self.boundary.lets(&Judged::Write(&path))? {
            return Ok(false);
        }
        let content = format!("# {token}\n\nby {}\n", self.lane).into_bytes();
        self.put(UpdateOp::Create, path, (FileMode::Regular, content), Some(token));
        Ok(true)
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
        let Some((path, mode, content)) = self.pick(draws)? else { return self.create().map(drop) };
        if !self.may_edit(&path)? {
            return Ok(());
        }
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

    /// False: it was denied.
    fn read(&mut self, path: &str) -> Result<bool, GitError> {
        if !self.boundary.lets(&Judged::Read(path))? {
            return Ok(false);
        }
        let entry = self.boundary.repository.entry(self.boundary.tree, path)?;
        self.reads.push(Read { path: path.to_owned(), blob: entry.map(|entry| entry.oid) });
        Ok(true)
    }

    fn rename(&mut self, draws: &mut Draws) -> Result<(), GitError> {
        let Some(file) = self.pick(draws)? else { return self.create().map(drop) };
        let path = self.new_path(&self.token());
        self.rename_to(file, path)
    }

    fn rename_to(&mut self, (from, mode, content): TextFile, path: String) -> Result<(), GitError> {
        if path == from || covers(&format!("{from}/**"), &path) {
            return self.create().map(drop);
        }
        if !self.boundary.lets_all(&[Judged::Read(&from), Judged::Delete(&from), Judged::Write(&path)])? {
            return Ok(());
        }
        self.files.insert(from.clone(), None);
        self.files.insert(path.clone(), Some((mode, content)));
        self.note(Update { op: UpdateOp::Rename, path, from: Some(from), token: None });
        Ok(())
    }

    /// A file that is gone cannot be renamed, and no file is put in the place of another: then one is created.
    fn rename_file(&mut self, from: &str, to: Option<&str>) -> Result<(), GitError> {
        let Boundary { repository, tree, .. } = self.boundary;
        let path = to.map_or_else(|| self.new_path(&self.token()), str::to_owned);
        let found = match repository.entry(tree, from)?.filter(|_| !self.files.contains_key(from)) {
            None => Err(FailedReason::NoSuchPath),
            Some(entry) => file_mode(entry.mode).map(|mode| (entry, mode)).ok_or(why_no_file(entry.mode)),
        };
        let taken = self.files.contains_key(&path) || repository.entry(tree, &path)?.is_some();
        let lacks = match found {
            Err(why) => Some((Judged::Delete(from), why)),
            Ok(_) if taken => Some((Judged::Write(&path), FailedReason::Taken)),
            Ok(_) => self.lack_of_room(&path)?.map(|why| (Judged::Write(&path), why)),
        };
        if let Some((action, why)) = lacks {
            // What its role may not do anyway is denied, and not failed.
            if self.boundary.lets(&action)? {
                self.boundary.fails(&action, why);
            }
            return self.create().map(drop);
        }
        let (entry, mode) = found.expect("nothing is lacking");
        let content = repository.blob(entry.oid)?.to_vec();
        self.rename_to((from.to_owned(), mode, content), path)
    }

    fn delete(&mut self, draws: &mut Draws) -> Result<(), GitError> {
        let Some((path, ..)) = self.pick(draws)? else { return self.create().map(drop) };
        if !self.boundary.lets(&Judged::Delete(&path))? {
            return Ok(());
        }
        self.files.insert(path.clone(), None);
        self.note(Update { op: UpdateOp::Delete, path, from: None, token: None });
        Ok(())
    }

    /// False: it was denied.
    fn touch_canonical(&mut self, path: &str) -> Result<bool, GitError> {
        if self.files.contains_key(path) {
            return Ok(true);
        }
        let Boundary { repository, tree, .. } = self.boundary;
        let entry = repository.entry(tree, path)?;
        let may = if entry.is_some() { self.may_edit(path)? } else { self.boundary.lets(&Judged::Write(path))? };
        if !may {
            return Ok(false);
        }
        let mut content = match &entry {
            Some(entry) => repository.blob(entry.oid)?.to_vec(),
            None => Vec::new(),
        };
        let op = if entry.is_some() { UpdateOp::Append } else { UpdateOp::Create };
        let token = self.token();
        append_line(&mut content, &format!("- {token} {}", self.lane));
        let mode = entry.and_then(|entry| file_mode(entry.mode)).unwrap_or(FileMode::Regular);
        self.put(op, path.to_owned(), (mode, content), Some(token));
        Ok(true)
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

/// Why an entry of this mode is no file that a script may change.
pub(super) fn why_no_file(mode: EntryMode) -> FailedReason {
    if mode == EntryMode::Tree { FailedReason::IsDirectory } else { FailedReason::NotAFile }
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
