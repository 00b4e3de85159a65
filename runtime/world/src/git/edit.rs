//! A change as edits of files: the trees that it makes of the trees that it starts from.

use super::error::{GitError, GitErrorKind};
use super::object::{ObjectFormat, Objects};
use super::tree::{Entry, EntryMode, Tree, TreeEntry, empty_tree};
use super::{Repository, path};
use baton_record::Oid;
use std::collections::BTreeMap;

/// What a file that is put may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileMode {
    /// A file.
    Regular,
    /// A file that may be executed.
    Executable,
    /// A symbolic link; its content is the target.
    Symlink,
}

impl From<FileMode> for EntryMode {
    fn from(mode: FileMode) -> EntryMode {
        match mode {
            FileMode::Regular => EntryMode::Regular,
            FileMode::Executable => EntryMode::Executable,
            FileMode::Symlink => EntryMode::Symlink,
        }
    }
}

/// One edit of a change. Of several edits of the same path only the last counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The file has this mode and content afterwards. Directories above it come into being.
    Put {
        /// Relative to the root of the tree, `/` between its parts.
        path: String,
        /// Its mode.
        mode: FileMode,
        /// Its content.
        content: Vec<u8>,
    },
    /// There is no such file afterwards; a directory that becomes empty goes with it.
    Remove {
        /// The path of a file, a link or a submodule that is there before.
        path: String,
    },
}

impl Edit {
    /// The path that it is about.
    pub fn path(&self) -> &str {
        match self {
            Edit::Put { path, .. } | Edit::Remove { path } => path,
        }
    }
}

/// What a change does to one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathChange {
    /// The path.
    pub path: String,
    /// What stands there before.
    pub before: Option<Entry>,
    /// What stands there after.
    pub after: Option<Entry>,
}

/// Tree after the edits of `base` (`None`: of nothing), and what they changed, by path. New blobs and trees go into
/// `objects`.
pub(super) fn apply(
    repository: &Repository,
    base: Option<Oid>,
    edits: &[Edit],
    objects: &mut Objects,
) -> Result<(Oid, Vec<PathChange>), GitError> {
    let format = repository.format();
    let mut wanted: BTreeMap<&str, Option<Entry>> = BTreeMap::new();
    let mut last: BTreeMap<&str, &Edit> = BTreeMap::new();
    for edit in edits {
        path::check(edit.path())?;
        last.insert(edit.path(), edit);
    }
    for (path, edit) in last {
        let entry = match edit {
            Edit::Put { mode, content, .. } => {
                path::check_mode(path, *mode)?;
                Some(Entry { mode: (*mode).into(), oid: objects.add_blob(format, content) })
            }
            Edit::Remove { .. } => None,
        };
        wanted.insert(path, entry);
    }
    let mut changed = Vec::with_capacity(wanted.len());
    for (path, after) in &wanted {
        let before = match base {
            Some(base) => repository.entry(base, path)?.filter(|entry| entry.mode != EntryMode::Tree),
            None => None,
        };
        if before.is_none() && after.is_none() {
            return Err(GitError::new(GitErrorKind::NoSuchPath, format!("there is no file {path:?} to remove")));
        }
        if before != *after {
            changed.push(PathChange { path: (*path).to_owned(), before, after: *after });
        }
    }
    let steps: Vec<_> = wanted.iter().map(|(path, entry)| (*path, *entry)).collect();
    let mut editor = Editor { repository, format, empty: empty_tree(format), objects };
    let tree = match editor.directory(base, "", &steps)? {
        Some(tree) => tree,
        None => objects.add_tree(format, Tree::empty(format)),
    };
    Ok((tree, changed))
}

struct Editor<'e> {
    repository: &'e Repository,
    format: ObjectFormat,
    empty: Oid,
    objects: &'e mut Objects,
}

/// What becomes of paths: each is put or, with `None`, removed.
type Steps<'s> = [(&'s str, Option<Entry>)];

/// The steps that begin with one name.
#[derive(Default)]
struct Group<'s> {
    /// What becomes of the file of that name, if anything does.
    itself: Option<Option<Entry>>,
    /// What becomes of the paths below it.
    inner: Vec<(&'s str, Option<Entry>)>,
}

impl Editor<'_> {
    /// The directory at `above` after `steps`, whose paths are relative to it and sorted. `None`: it is empty.
    fn directory(&mut self, base: Option<Oid>, above: &str, steps: &Steps<'_>) -> Result<Option<Oid>, GitError> {
        let before = base.map(|oid| self.repository.tree(oid)).transpose()?;
        let groups = by_name(steps);
        let old = |name: &str| before.as_ref().and_then(|tree| tree.get(name.as_bytes())).map(|entry| entry.entry());
        let mut after = Vec::with_capacity(before.as_ref().map_or(0, |tree| tree.len()) + groups.len());
        if let Some(tree) = &before {
            let touched = |name| std::str::from_utf8(name).is_ok_and(|name| groups.contains_key(name));
            after.extend(tree.entries().filter(|entry| !touched(entry.name) && entry.oid != self.empty));
        }
        for (name, group) in &groups {
            if let Some(Entry { mode, oid }) = self.name(&join(above, name), old(name), group)? {
                after.push(TreeEntry { name: name.as_bytes(), mode, oid });
            }
        }
        if after.is_empty() {
            return Ok(None);
        }
        let damaged = || GitError::damaged(format!("the directory {above:?} has a name twice, or an odd one"));
        let tree = Tree::build(self.format, &mut after).ok_or_else(damaged)?;
        let same = before.as_ref().is_some_and(|before| before.raw() == tree.raw());
        Ok(base.filter(|_| same).or_else(|| Some(self.objects.add_tree(self.format, tree))))
    }

    /// What stands at one name afterwards.
    fn name(&mut self, path: &str, old: Option<Entry>, group: &Group<'_>) -> Result<Option<Entry>, GitError> {
        let old_tree = old.filter(|entry| entry.mode == EntryMode::Tree);
        let old_file = old.filter(|entry| entry.mode != EntryMode::Tree);
        let file = group.itself.unwrap_or(old_file);
        let directory = match (old_tree, &group.inner[..]) {
            (Some(tree), []) => Some(tree.oid),
            (_, []) => None,
            (tree, inner) => self.directory(tree.map(|entry| entry.oid), path, inner)?,
        };
        match (file, directory) {
            (Some(_), Some(_)) => {
                let detail = format!("{path:?} cannot be a file and a directory at once");
                Err(GitError::new(GitErrorKind::PathClash, detail))
            }
            (Some(file), None) => Ok(Some(file)),
            (None, Some(oid)) => Ok(Some(Entry { mode: EntryMode::Tree, oid })),
            (None, None) => Ok(None),
        }
    }
}

fn by_name<'s>(steps: &Steps<'s>) -> BTreeMap<&'s str, Group<'s>> {
    let mut groups: BTreeMap<&str, Group<'_>> = BTreeMap::new();
    for (path, entry) in steps {
        match path.split_once('/') {
            None => groups.entry(path).or_default().itself = Some(*entry),
            Some((name, rest)) => groups.entry(name).or_default().inner.push((rest, *entry)),
        }
    }
    groups
}

fn join(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") }
}
