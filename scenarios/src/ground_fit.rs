//! Whether a repository has room for what a scenario wants to write: no file where a directory is needed, and no
//! directory where a file is. Knows nothing of how changes are made.

use crate::run::RunError;
use baton_actors::team::Team;
use baton_record::Oid;
use baton_world::git::{EntryMode, GitError, Repository};
use std::path::Path;

/// Looks at every path that the team's work names, on the commit that it begins with.
pub(crate) fn check(team: &Team, repository: &Path, durability: baton_world::git::Durability) -> Result<(), RunError> {
    let repository = Repository::open(repository, durability).map_err(RunError::Workspace)?;
    for work in &team.work {
        let named = [Some(&work.touches), work.canonical.as_ref()];
        for pattern in named.into_iter().flatten() {
            if let Some(why) = clash(&repository, team.base, pattern).map_err(RunError::Workspace)? {
                return Err(RunError::NoRoom(why));
            }
        }
    }
    Ok(())
}

/// Why nothing can be written at a pattern; `None`: there is room.
fn clash(repository: &Repository, base: Oid, pattern: &str) -> Result<Option<String>, GitError> {
    let tree = repository.commit(base)?.tree;
    let (path, is_dir) = match pattern.strip_suffix("**") {
        Some(dir) => (dir.trim_end_matches('/'), true),
        None => (pattern, false),
    };
    let ends = path.match_indices('/').map(|(at, _)| at).chain((!path.is_empty()).then_some(path.len()));
    for end in ends {
        let needs_dir = is_dir || end < path.len();
        let Some(entry) = repository.entry(tree, &path[..end])? else { return Ok(None) };
        let place = &path[..end];
        if needs_dir != (entry.mode == EntryMode::Tree) {
            let (found, needed) = if needs_dir { ("no directory", "a directory") } else { ("a directory", "a file") };
            return Ok(Some(format!("`{pattern}` needs {needed} at `{place}`, which is {found} in this repository")));
        }
    }
    Ok(None)
}
