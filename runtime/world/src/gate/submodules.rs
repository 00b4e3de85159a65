//! Submodules in a gate's folder: filled with what the person has of them, each with a repository of its own around it.
//!
//! A tree says which commit belongs where, and nothing else that it says is believed. Folders are real ones from the gate's
//! folder down, so no link that a gate has left leads what is written somewhere else.

use super::room::{make_real, remove_any};
use crate::git::{GitError, ModuleHome, Submodule};
use sha2::{Digest, Sha256};
use std::path::{Component, Path, PathBuf};

/// Submodules of submodules of submodules…
const DEPTH_MAX: u32 = 8;

/// One that has been filled.
pub(super) struct Filled {
    pub(super) folder: PathBuf,
    pub(super) index: PathBuf,
    pub(super) objects: PathBuf,
    pub(super) submodule: Submodule,
}

/// What came of them.
#[derive(Default)]
pub(super) struct Filling {
    pub(super) filled: Vec<Filled>,
    /// Those whose commit is not here, by their path.
    pub(super) empty: Vec<String>,
}

/// Fills submodules.
pub(super) struct Filler<'f> {
    /// The gate's folder.
    pub(super) room: &'f Path,
    /// Their indexes begin so.
    pub(super) index_prefix: &'f Path,
    pub(super) homes: &'f [ModuleHome],
}

impl Filler<'_> {
    pub(super) fn fill(&self, submodules: Vec<Submodule>) -> Result<Filling, GitError> {
        let mut filling = Filling::default();
        let mut waiting: Vec<(Submodule, u32)> =
            submodules.into_iter().map(|submodule| (submodule, DEPTH_MAX)).collect();
        while let Some((submodule, depth)) = waiting.pop() {
            let Some(folder) = real_folder(self.room, &submodule.path)? else { continue };
            let Some(home) = self.home_of(&submodule)? else {
                remove_any(&folder)?;
                make_real(&folder)?;
                filling.empty.push(submodule.path);
                continue;
            };
            let index = self.index_of(&submodule.path);
            remove_any(&folder.join(".git"))?;
            if home.check_out(&folder, &index, submodule.commit).is_err() {
                // Something is in the way, or the index tells of a folder that is gone.
                [&folder, &index].into_iter().try_for_each(|path| remove_any(path))?;
                make_real(&folder)?;
                home.check_out(&folder, &index, submodule.commit)?;
            }
            if depth > 0 {
                let below = home.submodules_of(submodule.commit)?.into_iter();
                let placed =
                    |below: Submodule| Submodule { path: format!("{}/{}", submodule.path, below.path), ..below };
                waiting.extend(below.map(|below| (placed(below), depth - 1)));
            }
            filling.filled.push(Filled { folder, index, objects: home.objects(), submodule });
        }
        filling.empty.sort();
        Ok(filling)
    }

    fn home_of(&self, submodule: &Submodule) -> Result<Option<&ModuleHome>, GitError> {
        // Git calls them by their paths, unless a person wishes otherwise: the likely ones are asked first.
        let mut homes: Vec<&ModuleHome> = self.homes.iter().collect();
        homes.sort_by_key(|home| !home.is_called(&submodule.path));
        for home in homes {
            if home.has(submodule.commit)? {
                return Ok(Some(home));
            }
        }
        Ok(None)
    }

    fn index_of(&self, path: &str) -> PathBuf {
        let digest = Sha256::digest(path.as_bytes());
        let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let mut index = self.index_prefix.as_os_str().to_owned();
        index.push(format!(".{name}.index"));
        PathBuf::from(index)
    }
}

/// The folder at a path below another, every part of it a real one; `None`: that is no such path.
fn real_folder(room: &Path, path: &str) -> Result<Option<PathBuf>, GitError> {
    let Some(parts) = parts(path) else { return Ok(None) };
    let mut folder = room.to_owned();
    for part in parts {
        folder.push(part);
        make_real(&folder)?;
    }
    Ok(Some(folder))
}

/// Removes what earlier submodules have left that the next tree has not.
pub(super) fn leave(room: &Path, earlier: &[String], next: &[Submodule]) -> Result<(), GitError> {
    for path in earlier.iter().filter(|path| next.iter().all(|submodule| submodule.path != **path)) {
        let Some(parts) = parts(path) else { continue };
        let (mut folder, mut real) = (room.to_owned(), true);
        for part in parts {
            real &= std::fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir());
            folder.push(part);
        }
        if real {
            remove_any(&folder)?;
        }
    }
    Ok(())
}

/// The parts of a path that leads down and nowhere else.
fn parts(path: &str) -> Option<Vec<&str>> {
    let part = |part| match part {
        Component::Normal(name) => name.to_str().filter(|name| !name.eq_ignore_ascii_case(".git")),
        _ => None,
    };
    Path::new(path).components().map(part).collect::<Option<Vec<_>>>().filter(|parts| !parts.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_that_lead_down_are_paths_of_submodules() {
        for (path, is) in [
            ("a", true),
            ("a/b", true),
            ("..", false),
            ("a/../b", false),
            ("/a", false),
            ("", false),
            (".git/x", false),
        ] {
            assert_eq!(parts(path).is_some(), is, "{path:?}");
        }
    }

    #[test]
    fn a_link_that_lies_in_the_way_is_replaced_and_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let (room, other) = (place.path().join("room"), place.path().join("other"));
        std::fs::create_dir_all(other.join("lib")).unwrap();
        std::fs::write(other.join("lib/mine"), "x").unwrap();
        std::fs::create_dir(&room).unwrap();
        std::os::unix::fs::symlink(&other, room.join("deps")).unwrap();
        leave(&room, &["deps/lib".to_owned()], &[]).unwrap();
        assert!(other.join("lib/mine").exists());
        let folder = real_folder(&room, "deps/lib").unwrap().unwrap();
        assert!(std::fs::symlink_metadata(folder.parent().unwrap()).unwrap().is_dir());
        assert!(other.join("lib/mine").exists() && !folder.join("mine").exists());
    }
}
