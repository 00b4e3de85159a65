//! Looking into a landing before any of it is stored.

use super::object::{Body, Objects};
use super::{Entry, EntryMode, GitError, Group, Landing, Proposal, Repository};
use baton_record::Oid;
use std::sync::Arc;

impl Repository {
    /// A blob that a proposal brings, or that stands in the repository already.
    pub fn proposed_blob(&self, proposal: &Proposal, oid: Oid) -> Result<Arc<[u8]>, GitError> {
        match proposal.objects.get(oid) {
            Some(Body::Blob(blob)) => Ok(blob.clone()),
            _ => self.blob(oid),
        }
    }

    /// The content of the file at `path` once `landing` has landed; `None`: no file stands there.
    pub fn landing_file(&self, landing: &Landing, path: &str) -> Result<Option<Arc<[u8]>>, GitError> {
        let found = self.entry_among(&landing.objects, landing.tree, path)?;
        let file = found.filter(|entry| entry.mode.is_file());
        file.map(|entry| self.content_with(landing, entry.oid)).transpose()
    }

    /// What stands at `path` once a group has landed.
    pub fn entry_in(&self, group: &Group, path: &str) -> Result<Option<Entry>, GitError> {
        self.entry_among(group.objects(), group.tree(), path)
    }

    /// What stands at `path` of a tree of the repository, or of objects that are still to be stored.
    fn entry_among(&self, objects: &Objects, tree: Oid, path: &str) -> Result<Option<Entry>, GitError> {
        let mut at = Entry { mode: EntryMode::Tree, oid: tree };
        for name in path.split('/') {
            if at.mode != EntryMode::Tree {
                return Ok(None);
            }
            let tree = match objects.get(at.oid) {
                Some(Body::Tree(tree)) => tree.clone(),
                _ => self.tree(at.oid)?,
            };
            let Some(found) = tree.get(name.as_bytes()) else { return Ok(None) };
            at = found.entry();
        }
        Ok(Some(at))
    }
}
