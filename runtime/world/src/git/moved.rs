//! What a step of main moves, path by path, before it is stored and after. The cost grows with what differs.

use super::object::{Body, Objects};
use super::tree::{Entry, EntryMode, Tree};
use super::{GitError, Landing, PathChange, Repository};
use baton_record::Oid;
use std::cmp::Ordering;
use std::sync::Arc;

impl Repository {
    /// Every path that is otherwise once `landing` stands on top of `main_tree`, by path. A path that is not UTF-8 has its odd
    /// bytes replaced.
    pub fn moved_by(&self, main_tree: Oid, landing: &Landing) -> Result<Vec<PathChange>, GitError> {
        Moved::between(self, Some(&landing.objects), (main_tree, landing.tree))
    }

    /// Every path in which two trees of the repository differ, by path.
    pub fn moved_between(&self, before: Oid, after: Oid) -> Result<Vec<PathChange>, GitError> {
        Moved::between(self, None, (before, after))
    }

    /// The content of a file that a landing brings, or that the repository has.
    pub fn content_with(&self, landing: &Landing, blob: Oid) -> Result<Arc<[u8]>, GitError> {
        match landing.objects.get(blob) {
            Some(Body::Blob(blob)) => Ok(blob.clone()),
            _ => self.blob(blob),
        }
    }
}

struct Moved<'m> {
    repository: &'m Repository,
    objects: Option<&'m Objects>,
    found: Vec<PathChange>,
}

impl<'m> Moved<'m> {
    fn between(
        repository: &'m Repository,
        objects: Option<&'m Objects>,
        (before, after): (Oid, Oid),
    ) -> Result<Vec<PathChange>, GitError> {
        let directory = |oid| Some(Entry { mode: EntryMode::Tree, oid });
        let mut moved = Moved { repository, objects, found: Vec::new() };
        moved.entry("", (directory(before), directory(after)))?;
        moved.found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(moved.found)
    }

    /// What stands at `path` on either side; a directory counts as what is in it.
    fn entry(&mut self, path: &str, (before, after): (Option<Entry>, Option<Entry>)) -> Result<(), GitError> {
        if before == after {
            return Ok(());
        }
        let is_tree = |side: Option<Entry>| side.filter(|entry| entry.mode == EntryMode::Tree);
        let (before_file, after_file) = (before.xor(is_tree(before)), after.xor(is_tree(after)));
        if before_file.is_some() || after_file.is_some() {
            self.found.push(PathChange { path: path.to_owned(), before: before_file, after: after_file });
        }
        let read = |side: Option<Entry>| side.map(|entry| self.tree(entry.oid)).transpose();
        let (before, after) = (read(is_tree(before))?, read(is_tree(after))?);
        for (name, sides) in differing(before.as_deref(), after.as_deref()) {
            let name = String::from_utf8_lossy(name);
            let below = if path.is_empty() { name.into_owned() } else { format!("{path}/{name}") };
            self.entry(&below, sides)?;
        }
        Ok(())
    }

    fn tree(&self, oid: Oid) -> Result<Arc<Tree>, GitError> {
        match self.objects.and_then(|objects| objects.get(oid)) {
            Some(Body::Tree(tree)) => Ok(tree.clone()),
            _ => self.repository.tree(oid),
        }
    }
}

/// What stands at one name on either side.
type Sides = (Option<Entry>, Option<Entry>);

/// The names at which two directories differ. A file and a directory of one name are two.
fn differing<'t>(before: Option<&'t Tree>, after: Option<&'t Tree>) -> Vec<(&'t [u8], Sides)> {
    let entries = |tree: Option<&'t Tree>| tree.into_iter().flat_map(Tree::entries).peekable();
    let (mut before, mut after) = (entries(before), entries(after));
    let mut found = Vec::new();
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => return found,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.order(other),
        };
        let one = if order.is_le() { before.next() } else { None };
        let other = if order.is_ge() { after.next() } else { None };
        let sides = (one.map(|entry| entry.entry()), other.map(|entry| entry.entry()));
        if let Some(entry) = one.or(other).filter(|_| sides.0 != sides.1) {
            found.push((entry.name, sides));
        }
    }
}
