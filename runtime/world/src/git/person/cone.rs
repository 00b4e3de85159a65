//! The part of a repository that a person has checked out, where they have said so by folders.

use super::PersonRepository;
use crate::git::command::failed;
use crate::git::error::GitError;
use std::path::PathBuf;

impl PersonRepository {
    /// What the person has of the repository where they stand, if that is a part of it by folders (`git sparse-checkout`).
    pub fn cone(&self) -> Result<Option<Cone>, GitError> {
        let is = |key: &str| Ok::<_, GitError>(self.ask(&["config", "--type=bool", "--get", key])?.stdout);
        if is("core.sparseCheckout")? != b"true\n" || is("core.sparseCheckoutCone")? == b"false\n" {
            return Ok(None);
        }
        let said = self.ask(&["rev-parse", "--path-format=absolute", "--git-dir"])?;
        if !said.status.success() {
            return Err(failed("find the repository of a checkout", &said));
        }
        let git_directory = PathBuf::from(String::from_utf8_lossy(&said.stdout).trim_end_matches('\n'));
        // Without that file git has everything checked out too.
        let patterns = std::fs::read(git_directory.join("info/sparse-checkout")).ok();
        Ok(patterns.map(|patterns| Cone { git_directory, patterns }))
    }
}

/// The folders of a sparse checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cone {
    /// Where git finds them.
    pub(super) git_directory: PathBuf,
    /// As git has written them down.
    pub patterns: Vec<u8>,
}
