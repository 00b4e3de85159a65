//! Looking into a landing before any of it is stored.

use super::object::Body;
use super::{EntryMode, GitError, Landing, Proposal, Repository};
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
        let mut at = landing.tree;
        let mut names = path.split('/').peekable();
        while let Some(name) = names.next() {
            let tree = match landing.objects.get(at) {
                Some(Body::Tree(tree)) => tree.clone(),
                _ => self.tree(at)?,
            };
            let Some(found) = tree.get(name.as_bytes()).map(|entry| entry.entry()) else { return Ok(None) };
            at = found.oid;
            match (names.peek(), found.mode) {
                (Some(_), EntryMode::Tree) => {}
                (None, mode) if mode.is_file() => break,
                _ => return Ok(None),
            }
        }
        match landing.objects.get(at) {
            Some(Body::Blob(blob)) => Ok(Some(blob.clone())),
            _ => self.blob(at).map(Some),
        }
    }
}
