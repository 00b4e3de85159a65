//! New files that lie in a checkout already, just as the commit has them that it is to follow: they are in nobody's way.

use super::checkout::CheckoutMove;
use crate::git::command::{Sync, failed, output};
use crate::git::error::GitError;
use baton_record::Oid;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// Of more files that lie about it is not looked whether they are the same.
const PATHS_MAX: usize = 16;

impl CheckoutMove {
    /// Makes those of these new files that are the same known to the copy of the index, before git looks for them.
    pub(super) fn take_in(&self, new: &BTreeSet<String>, to: Oid) -> Result<(), GitError> {
        let there = |path: &&String| fs::symlink_metadata(self.checkout.join(path)).is_ok_and(|found| found.is_file());
        let there: Vec<String> = new.iter().filter(there).cloned().collect();
        let the_same = self.the_same(&there, to)?;
        if the_same.is_empty() {
            return Ok(());
        }
        let mut command = self.command(Sync::None);
        let said = output(command.args(["update-index", "--add", "--"]).args(&the_same))?;
        if said.status.success() { Ok(()) } else { Err(failed("take in files that are there", &said)) }
    }

    /// Those of these paths, few at most, at which the checkout has just the file that the commit has.
    pub(super) fn the_same(&self, paths: &[String], commit: Oid) -> Result<Vec<String>, GitError> {
        let mut the_same = Vec::new();
        for path in paths.iter().take(PATHS_MAX) {
            let Ok(found) = fs::symlink_metadata(self.checkout.join(path)) else { continue };
            let mode = if found.permissions().mode() & 0o100 == 0 { "100644 " } else { "100755 " };
            let words = ["ls-tree", "--full-tree", "-z", &commit.to_hex(), "--", path];
            let wanted = output(self.command(Sync::None).args(words))?.stdout;
            if !found.is_file() || !wanted.starts_with(mode.as_bytes()) {
                continue;
            }
            let words = ["cat-file", "--filters", &format!("{commit}:{path}")];
            let wanted = output(self.command(Sync::None).args(words))?;
            if wanted.status.success() && fs::read(self.checkout.join(path)).is_ok_and(|here| here == wanted.stdout) {
                the_same.push(path.clone());
            }
        }
        Ok(the_same)
    }
}
