//! What can go wrong with a landing as a whole. That a branch does not land is no error: it is part of the outcome.

use baton_world::git::{GitError, GitErrorKind};
use std::fmt;
use std::path::Path;

/// Why nothing, or nothing more, can land.
#[derive(Debug)]
pub enum LandError {
    /// The repository or git.
    Git(GitError),
    /// The state directory cannot be used.
    Disk(String),
    /// The log is damaged.
    Damaged(String),
    /// What was asked for cannot be done as it stands: a sentence, and a cure.
    Wish(String, String),
    /// Main, or a checkout of it, is in a state in which it may not be moved: a sentence, and a cure.
    Busy(String, String),
}

impl LandError {
    pub(crate) fn disk(doing: &str, path: &Path, error: &std::io::Error) -> LandError {
        LandError::Disk(format!("cannot {doing} {}: {error}", path.display()))
    }

    pub(crate) fn wish(what: impl Into<String>, cure: impl Into<String>) -> LandError {
        LandError::Wish(what.into(), cure.into())
    }

    /// What happened, without the cure.
    pub fn what(&self) -> String {
        match self {
            LandError::Git(error) => error.detail().to_owned(),
            LandError::Disk(what) | LandError::Damaged(what) => what.clone(),
            LandError::Wish(what, _) | LandError::Busy(what, _) => what.clone(),
        }
    }

    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            LandError::Git(error) => error.kind().cure().to_owned(),
            LandError::Disk(_) => "check that the disk has room and that the path may be read and written".to_owned(),
            LandError::Damaged(_) => {
                "look at the file; move it away to begin anew: main and the branches do not depend on it".to_owned()
            }
            LandError::Wish(_, cure) | LandError::Busy(_, cure) => cure.clone(),
        }
    }

    /// Whether the disk refuses to be read or written.
    pub fn is_disk(&self) -> bool {
        match self {
            LandError::Git(error) => error.kind() == GitErrorKind::Io,
            other => matches!(other, LandError::Disk(_)),
        }
    }

    /// Whether there is no repository to work on.
    pub fn is_no_repository(&self) -> bool {
        matches!(self, LandError::Git(error) if error.kind() == GitErrorKind::NotARepository)
    }
}

impl fmt::Display for LandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what(), self.cure())
    }
}

impl std::error::Error for LandError {}

impl From<GitError> for LandError {
    fn from(error: GitError) -> LandError {
        LandError::Git(error)
    }
}
