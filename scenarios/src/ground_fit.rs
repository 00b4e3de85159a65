//! Whether a repository has room for what a scenario wants to write: no file where a directory is needed, no
//! directory where a file is, and the files that are to be renamed. Knows nothing of how changes are made.

use crate::run::RunError;
use baton_actors::team::{Action, Team};
use baton_record::Oid;
use baton_world::git::{EntryMode, GitError, Repository};
use std::collections::BTreeSet;
use std::path::Path;

/// Looks at every path that the team's work names, on the commit that it begins with.
pub(crate) fn check(team: &Team, repository: &Path, durability: baton_world::git::Durability) -> Result<(), RunError> {
    let repository = Repository::open(repository, durability).map_err(RunError::Workspace)?;
    for work in &team.work {
        let named = [Some(&work.touches), work.canonical.as_ref()];
        for pattern in named.into_iter().flatten() {
            if let Some(why) = clash(&repository, team.base, pattern).map_err(RunError::Workspace)? {
                return Err(RunError::NoRoom(format!("{why}; let `touches` name what this repository has room for")));
            }
        }
    }
    renames(team, &repository)
}

/// Files that are renamed are there, or made by somebody; their new names are free, or given up by somebody.
fn renames(team: &Team, repository: &Repository) -> Result<(), RunError> {
    let actions = team.work.iter().flat_map(|work| &work.actions);
    let renames: Vec<_> = actions
        .filter_map(|action| match action {
            Action::RenameFile { from, to } => Some((from.as_str(), to.as_deref())),
            _ => None,
        })
        .collect();
    let given_up: BTreeSet<&str> = renames.iter().map(|(from, _)| *from).collect();
    let named = team.work.iter().flat_map(|work| [Some(work.touches.as_str()), work.canonical.as_deref()]).flatten();
    let made: BTreeSet<&str> = renames.iter().filter_map(|(_, to)| *to).chain(named).collect();
    for (from, to) in renames {
        let refused = |why: Option<String>| why.map_or(Ok(()), |why| Err(RunError::NoRoom(why)));
        let tree = repository.commit(team.base).map_err(RunError::Workspace)?.tree;
        let found = repository.entry(tree, from).map_err(RunError::Workspace)?;
        let file = found.is_some_and(|found| matches!(found.mode, EntryMode::Regular | EntryMode::Executable));
        let missing = || format!("`{from}` is to be renamed and is no file of this repository; correct `rename`");
        refused((!file && !made.contains(from)).then(missing))?;
        let Some(to) = to else { continue };
        refused(clash(repository, team.base, to).map_err(RunError::Workspace)?)?;
        let taken = repository.entry(tree, to).map_err(RunError::Workspace)?.is_some();
        let why =
            || format!("`{from}` is to be renamed to `{to}`, and there is such a file already; choose another name");
        refused((taken && !given_up.contains(to)).then(why))?;
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
