//! What ends a run that no restart can mend.

use baton_world::JournalError;
use baton_world::content::ContentError;
use baton_world::git::GitError;
use std::fmt;

/// A run that could not end in order. Its folder can still be verified.
#[derive(Debug)]
pub enum Failure {
    /// The journal could not be written: a full or failing disk.
    Journal(JournalError),
    /// The repository could not be used: a full or failing disk, a damaged object.
    Repository(GitError),
    /// The content store could not be used, or does not have what it was given.
    Content(ContentError),
    /// This actor has died once more than it may be restarted: the cap of the scenario.
    Restarts(&'static str, u32),
    /// An actor is gone without a word, or the run's own journal cannot be folded.
    Broken(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Journal(error) => write!(f, "the journal cannot be written: {error}"),
            Failure::Repository(error) => write!(f, "the repository cannot be used: {error}"),
            Failure::Content(error) => write!(f, "the content store cannot be used: {error}"),
            Failure::Restarts(actor, cap) => write!(
                f,
                "the {actor} has died more often than its {cap} restarts; raise the cap, `caps: {{ restarts: … }}`, or \
                 look for what kills it"
            ),
            Failure::Broken(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Failure {}
