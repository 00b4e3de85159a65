//! Which paths of a checkout are files of its branch.

use super::PersonRepository;
use super::worktrees::in_checkout;
use crate::git::command::{Sync, failed, output};
use crate::git::error::GitError;
use std::path::Path;

impl PersonRepository {
    /// Whether the index of a checkout has one of these paths, as a file or a link.
    pub fn tracks(&self, checkout: &Path, paths: &[&str]) -> Result<bool, GitError> {
        let mut command = in_checkout(Sync::None, checkout);
        command.env("GIT_LITERAL_PATHSPECS", "1").args(["ls-files", "-z", "--cached", "--"]).args(paths);
        let said = output(&mut command)?;
        if !said.status.success() {
            return Err(failed(&format!("tell what {} has", checkout.display()), &said));
        }
        Ok(said.stdout.split(|&byte| byte == 0).any(|found| paths.iter().any(|path| path.as_bytes() == found)))
    }
}
