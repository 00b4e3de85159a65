//! What can go wrong with a repository: a kind to act on, a sentence to read and a cure to follow.

use std::fmt;
use std::io;
use std::path::Path;

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GitErrorKind {
    /// The operating system refused to read or write.
    Io,
    /// There is no `git` program to run.
    NoGit,
    /// A git program ended with a failure of its own, and did not say why; or what it said sounds like damage.
    GitFailed,
    /// A git program ended with a failure of its own, and said why.
    GitRefused,
    /// A git program was to sign, and could not.
    NotSigned,
    /// The path holds no git repository.
    NotARepository,
    /// The repository has no commit to start from.
    NoCommits,
    /// The repository has nothing of that name.
    UnknownBase,
    /// There is no remote of that name.
    UnknownRemote,
    /// There is no main where a run's repository must have one.
    NoMain,
    /// The name stands for something other than a commit.
    NotACommit,
    /// The repository lacks objects of its own history: a shallow or partial clone.
    Incomplete,
    /// There is something at the place that was to be made.
    Exists,
    /// The repository uses a format that this module does not read.
    Unsupported,
    /// An object is not in the repository.
    MissingObject,
    /// Stored bytes are not what they have to be.
    Damaged,
    /// A remote repository does not answer, or does not let us in.
    Unreachable,
    /// A lock file of another git process stays in the way.
    Locked,
    /// An edit wants a file where a directory is, or the other way round.
    PathClash,
    /// An edit removes a file that is not there.
    NoSuchPath,
    /// A text cannot be a path in a tree, or a resource pattern.
    BadPath,
}

impl GitErrorKind {
    /// One line that says what to do about it.
    pub fn cure(self) -> &'static str {
        match self {
            GitErrorKind::Io => "check that the disk has room and that the path may be read and written",
            GitErrorKind::NoGit => "install git 2.40 or newer and make sure that it is in PATH",
            GitErrorKind::GitFailed => "run `git fsck` on the repository, and check that git is 2.40 or newer",
            GitErrorKind::GitRefused => "git says itself what is wrong: put that right, and try again",
            GitErrorKind::NotSigned => {
                "commit.gpgsign is on: set user.signingkey to a key that you have, and unlock it (`git commit -S --allow-empty` tries it); or switch commit.gpgsign off here"
            }
            GitErrorKind::UnknownRemote => "name a remote that there is, or add it: `git remote add NAME URL`",
            GitErrorKind::NotARepository => "give the path of a git repository, not of something in or above it",
            GitErrorKind::NoCommits => "make a first commit, or name a branch that has one as base",
            GitErrorKind::UnknownBase => {
                "give a branch, tag or commit of that repository: `git branch -a` lists branches"
            }
            GitErrorKind::NoMain => "somebody has removed it, or the whole repository, from outside; begin a new run",
            GitErrorKind::NotACommit => "give a name that leads to a commit",
            GitErrorKind::Incomplete => {
                "make it whole first: a shallow clone by `git fetch --unshallow`, a partial one by a clone without --filter"
            }
            GitErrorKind::Exists => "give a path that does not exist yet",
            GitErrorKind::Unsupported => "convert the repository: `git clone --ref-format=files`",
            GitErrorKind::MissingObject => {
                "restore the object from another clone; `git fsck` shows what else is missing"
            }
            GitErrorKind::Damaged => "run `git fsck` and restore the object from another clone",
            GitErrorKind::Unreachable => {
                "check `git fetch` and `git push` by hand: address, network, and a key that needs no question"
            }
            GitErrorKind::Locked => "when no other git process works on this repository, delete that file",
            GitErrorKind::PathClash => "remove the file or directory in the same change first",
            GitErrorKind::NoSuchPath => "read the tree again and remove only what it has",
            GitErrorKind::BadPath => "use a relative path with `/` between its parts and without `.`, `..` and `.git`",
        }
    }
}

/// A failure, located: prints as `what happened; what to do`, on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitError {
    kind: GitErrorKind,
    detail: String,
}

impl GitError {
    /// What kind of thing went wrong.
    pub fn kind(&self) -> GitErrorKind {
        self.kind
    }

    /// What happened, and where, without the cure.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn new(kind: GitErrorKind, detail: impl Into<String>) -> GitError {
        GitError { kind, detail: detail.into() }
    }

    pub(crate) fn io(doing: &str, path: &Path, error: &io::Error) -> GitError {
        GitError::new(GitErrorKind::Io, format!("cannot {doing} {}: {error}", path.display()))
    }

    pub(super) fn damaged(detail: impl Into<String>) -> GitError {
        GitError::new(GitErrorKind::Damaged, detail)
    }
}

impl fmt::Display for GitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.detail, self.kind.cure())
    }
}

impl std::error::Error for GitError {}
