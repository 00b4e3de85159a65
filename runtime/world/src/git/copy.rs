//! A self-contained copy of one commit and its history, from any repository on this machine. Reads commits only,
//! never a checkout, and writes nothing into the source.

use super::command::{Sync, failed, first_lines, git, in_repository, not_started, output};
use super::error::{GitError, GitErrorKind};
use super::object::ObjectFormat;
use super::{Durability, Repository};
use baton_record::Oid;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

pub(super) fn copy(
    source: &Path,
    base: Option<&str>,
    path: &Path,
    durability: Durability,
) -> Result<Repository, GitError> {
    let source = Source::find(source)?;
    source.check_whole()?;
    let commit = source.commit(base)?;
    let repository = Repository::init(path, source.format()?, durability)?;
    source.copy_history(commit, &repository).and_then(|()| repository.set_main_without_compare(commit)).inspect_err(
        |_| {
            // A half copy helps nobody and would be in the way of the next try.
            let _ = fs::remove_dir_all(path);
        },
    )?;
    Repository::open(path, durability)
}

pub(super) struct Source {
    /// As the caller gave it, for messages.
    given: PathBuf,
    directory: PathBuf,
}

impl Source {
    pub(super) fn find(given: &Path) -> Result<Source, GitError> {
        let directory = match fs::canonicalize(given) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let detail = format!("there is nothing at {}", given.display());
                return Err(GitError::new(GitErrorKind::NotARepository, detail));
            }
            other => other.map_err(|error| GitError::io("read", given, &error))?,
        };
        if !directory.is_dir() {
            let detail = format!("{} is a file, not a repository", given.display());
            return Err(GitError::new(GitErrorKind::NotARepository, detail));
        }
        fs::read_dir(&directory).map_err(|error| GitError::io("read", given, &error))?;
        let source = Source { given: given.to_owned(), directory };
        let said = source.ask(["rev-parse", "--git-dir"])?;
        if said.status.success() {
            return Ok(source);
        }
        let detail = format!("{} is not a git repository ({})", source.given.display(), first_lines(&said.stderr));
        Err(GitError::new(GitErrorKind::NotARepository, detail))
    }

    /// A git command in the source, which must be the top of a repository: none is looked for above it.
    fn command(&self) -> Command {
        let mut command = git(Sync::None);
        command.arg("-C").arg(&self.directory);
        if let Some(above) = self.directory.parent() {
            command.env("GIT_CEILING_DIRECTORIES", above);
        }
        command
    }

    fn ask<const N: usize>(&self, words: [&str; N]) -> Result<Output, GitError> {
        output(self.command().args(words))
    }

    /// What git says to a command that has to succeed.
    pub(super) fn ask_well<const N: usize>(&self, doing: &str, words: [&str; N]) -> Result<Vec<u8>, GitError> {
        let said = self.ask(words)?;
        if said.status.success() { Ok(said.stdout) } else { Err(failed(doing, &said)) }
    }

    pub(super) fn check_whole(&self) -> Result<(), GitError> {
        let shallow = self.ask(["rev-parse", "--is-shallow-repository"])?;
        let incomplete = |what: &str| {
            let detail = format!("{} is a {what} clone: part of its history is elsewhere", self.given.display());
            Err(GitError::new(GitErrorKind::Incomplete, detail))
        };
        if said(&shallow) == "true" {
            return incomplete("shallow");
        }
        let promised = r"^(extensions\.partialclone|remote\..*\.(promisor|partialclonefilter))$";
        if self.ask(["config", "--get-regexp", promised])?.status.success() {
            return incomplete("partial");
        }
        Ok(())
    }

    fn format(&self) -> Result<ObjectFormat, GitError> {
        let asked = self.ask(["rev-parse", "--show-object-format"])?;
        ObjectFormat::of_name(said(&asked)).ok_or_else(|| failed("tell the object format", &asked))
    }

    pub(super) fn commit(&self, base: Option<&str>) -> Result<Oid, GitError> {
        let place = self.given.display();
        let find = |name: String| self.ask(["rev-parse", "--verify", "--quiet", "--end-of-options", &name]);
        let name = base.unwrap_or("HEAD");
        let commit = find(format!("{name}^{{commit}}"))?;
        if commit.status.success() {
            return Oid::from_hex(said(&commit)).ok_or_else(|| failed("name the base", &commit));
        }
        if !name.starts_with('-') && self.ask(["cat-file", "-e", name])?.status.success() {
            let detail = format!("{name:?} in {place} is something other than a commit");
            return Err(GitError::new(GitErrorKind::NotACommit, detail));
        }
        Err(match base {
            None => GitError::new(GitErrorKind::NoCommits, format!("the current branch of {place} has no commit")),
            Some(name) => GitError::new(GitErrorKind::UnknownBase, format!("there is no {name:?} in {place}")),
        })
    }

    /// Packs what `commit` reaches and unpacks it there, where every object is checked. The bytes go through this
    /// process, so that neither program goes on without it. A `.keep` marks the pack as not ours.
    fn copy_history(&self, commit: Oid, target: &Repository) -> Result<(), GitError> {
        let mut pack = self.command();
        pack.args(["pack-objects", "--revs", "--stdout", "--delta-base-offset", "-q"]);
        let mut index = git(if target.durability == Durability::Durable { Sync::All } else { Sync::None });
        in_repository(&mut index, &target.root);
        index.args([OsStr::new("index-pack"), OsStr::new("--stdin"), OsStr::new("--keep=copied")]);
        let (mut packing, mut indexing) = (start(&mut pack)?, start(&mut index)?);
        // A program that ends early says more about it than its broken pipe.
        let asked = packing.stdin.take().map(|mut revisions| revisions.write_all(format!("{commit}\n").as_bytes()));
        let (mut from, mut to) = (packing.stdout.take(), indexing.stdin.take());
        let copied = from.as_mut().zip(to.as_mut()).map(|(from, to)| io::copy(from, to));
        drop((asked, copied, from, to));
        finish(packing, &pack, &format!("read the history of {commit} in {}", self.given.display()))?;
        finish(indexing, &index, &format!("copy the history of {commit} to {}", target.root.display()))
    }
}

fn said(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap_or_default().trim_end()
}

fn start(command: &mut Command) -> Result<Child, GitError> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|error| not_started(command, &error))
}

fn finish(child: Child, command: &Command, doing: &str) -> Result<(), GitError> {
    let output = child.wait_with_output().map_err(|error| not_started(command, &error))?;
    output.status.success().then_some(()).ok_or_else(|| failed(doing, &output))
}
