//! The newest fence of every resource, as a blob that one ref points to: whoever moves main does so under the fences
//! that he knows, or not at all.

use super::error::{GitError, GitErrorKind};
use super::object::{Body, Kind, deflate};
use super::quarantine::loose_path;
use super::refs::{FENCES, RefMoved};
use super::{Durability, Repository, disk};
use baton_record::{Fence, Oid};
use std::collections::BTreeMap;

/// First line of the blob: its format and version.
const HEAD: &str = "baton-fences 1";

/// Resource pattern → its newest fence.
///
/// As text: the line `baton-fences 1`, then `<fence> <pattern>` for each pattern, sorted by pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fences {
    by_pattern: BTreeMap<String, Fence>,
}

impl Fences {
    /// The newest fence of a pattern.
    pub fn get(&self, pattern: &str) -> Option<Fence> {
        self.by_pattern.get(pattern).copied()
    }

    /// Patterns and fences, by pattern.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Fence)> {
        self.by_pattern.iter().map(|(pattern, fence)| (pattern.as_str(), *fence))
    }

    /// Gives a pattern a newer fence; an older one changes nothing. Fails for a pattern that is empty or has a line
    /// break.
    pub fn raise(&mut self, pattern: &str, fence: Fence) -> Result<(), GitError> {
        if pattern.is_empty() || pattern.contains('\n') {
            let detail = format!("{pattern:?} is no resource pattern");
            return Err(GitError::new(GitErrorKind::BadPath, detail));
        }
        match self.by_pattern.get_mut(pattern) {
            Some(newest) => *newest = fence.max(*newest),
            None => drop(self.by_pattern.insert(pattern.to_owned(), fence)),
        }
        Ok(())
    }

    /// The content of the blob.
    pub fn to_text(&self) -> String {
        let lines = self.iter().map(|(pattern, Fence(fence))| format!("{fence} {pattern}\n"));
        format!("{HEAD}\n{}", lines.collect::<String>())
    }

    /// Reads what [`Fences::to_text`] wrote; `None` for anything else.
    pub fn parse(text: &str) -> Option<Fences> {
        let mut fences = Fences::default();
        for line in text.strip_prefix(HEAD)?.strip_prefix('\n')?.lines() {
            let (fence, pattern) = line.split_once(' ')?;
            fences.raise(pattern, Fence(fence.parse().ok()?)).ok()?;
        }
        (fences.to_text() == text).then_some(fences)
    }
}

pub(super) fn read(repository: &Repository) -> Result<Fences, GitError> {
    let Some(oid) = repository.fences_ref()? else { return Ok(Fences::default()) };
    let text = repository.blob(oid)?;
    let fences = std::str::from_utf8(&text).ok().and_then(Fences::parse);
    fences.ok_or_else(|| GitError::damaged(format!("blob {oid} of {FENCES} does not hold fences")))
}

/// The blob is loose, not packed: it is of use until the next one, and then it is removed.
pub(super) fn raise(
    repository: &Repository,
    expected: Option<Oid>,
    content: &Fences,
) -> Result<Result<Oid, RefMoved>, GitError> {
    let text = content.to_text();
    let new = repository.format().name_of(Kind::Blob, text.as_bytes());
    let _only_one = repository.moving();
    let locked = repository.refs.lock(FENCES)?;
    if let Err(moved) = locked.verify(expected)? {
        return Ok(Err(moved));
    }
    write_loose(repository, new, &text)?;
    locked.set(new)?;
    repository.remember(new, Body::Blob(text.into_bytes().into()));
    if let Some(former) = expected.filter(|former| *former != new) {
        repository.forget(former);
        disk::remove_if_there(&loose_path(&repository.root.join("objects"), former))?;
    }
    Ok(Ok(new))
}

fn write_loose(repository: &Repository, oid: Oid, text: &str) -> Result<(), GitError> {
    let path = loose_path(&repository.root.join("objects"), oid);
    let directory = path.parent().expect("an object is in a directory");
    disk::make_directories(directory, repository.durability)?;
    if !path.exists() {
        let mut deflated = Vec::new();
        deflate(format!("blob {}\0{text}", text.len()).as_bytes(), &mut deflated);
        disk::write_whole(&temporary(repository), &path, &deflated, repository.durability)?;
    }
    match repository.durability {
        Durability::Durable => disk::sync(directory),
        Durability::Buffered => Ok(()),
    }
}

fn temporary(repository: &Repository) -> std::path::PathBuf {
    repository.root.join("objects/tmp_baton_fences")
}

/// Removes what a killed process left behind.
pub(super) fn remove_stale(repository: &Repository) -> Result<(), GitError> {
    disk::remove_if_there(&temporary(repository))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_only_rise_and_are_read_back() {
        let mut fences = Fences::default();
        for (pattern, fence) in [("notes/**", 3), ("a b.md", 7), ("notes/**", 2), ("notes/**", 9)] {
            fences.raise(pattern, Fence(fence)).unwrap();
        }
        assert_eq!(fences.to_text(), "baton-fences 1\n7 a b.md\n9 notes/**\n");
        assert_eq!(Fences::parse(&fences.to_text()), Some(fences.clone()));
        assert!(fences.raise("a\nb", Fence(1)).is_err() && fences.raise("", Fence(1)).is_err());
        for text in ["", "baton-fences 2\n", "baton-fences 1", "baton-fences 1\n1 b\n1 a\n", "baton-fences 1\n01 a\n"] {
            assert_eq!(Fences::parse(text), None, "{text:?}");
        }
    }
}
