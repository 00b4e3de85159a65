//! A run that a power cut has ended: its repository is put in order before anybody judges it.

use super::evidence::{in_hand, repository_of};
use baton_world::git::{GitError, Repository};
use std::path::Path;

/// Makes the landings of a run again that its redo log holds and a power cut took from the disk. `true`: there were some to
/// look after. A run that is at work, and one without a log (every run that came to its end), is left alone.
pub fn put_in_order(run: &Path) -> Result<bool, GitError> {
    match repository_of(run) {
        Some(repository) if !in_hand(run) => Repository::put_in_order_after_power_cut(&repository),
        _ => Ok(false),
    }
}
