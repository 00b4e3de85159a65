//! Objects that lie aside: all that is made on the way to a landing, out of the repository until it lands.
//!
//! A directory of objects with the person's as its alternate, as git's own quarantine of a push. What is refused goes with
//! the directory; what lands is packed into the repository, durably, before a ref may point to it.

use super::{Cone, PersonRepository, with_input};
use crate::git::command::{Sync, failed, first_lines, output, person_git};
use crate::git::edit::{self, Edit};
use crate::git::error::{GitError, GitErrorKind};
use crate::git::object::Objects;
use crate::git::quarantine::quoted;
use crate::git::{Durability, Repository, disk};
use baton_record::Oid;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Whatever a person has set to make git look less closely: files of a gate's folder are looked at as closely as git can.
const FAITHFUL: [&str; 5] = [
    "core.splitIndex=false",
    "core.untrackedCache=false",
    "core.trustctime=true",
    "core.checkStat=default",
    "core.ignoreStat=false",
];

/// Brings a folder to a tree by commands that know repository, folder and index.
pub(super) fn check_out(folder: &Path, index: &Path, commit: Oid, git: &dyn Fn() -> Command) -> Result<(), GitError> {
    let run = |words: &[&str]| {
        let mut command = git();
        for setting in FAITHFUL {
            command.args(["-c", setting]);
        }
        output(command.args(words))
    };
    let commit = commit.to_hex();
    let mut said = run(&["read-tree", "--reset", "-u", &commit])?;
    if !said.status.success() {
        // An index of an interrupted checkout helps nobody.
        disk::remove_if_there(index)?;
        said = run(&["read-tree", "--reset", "-u", &commit])?;
    }
    if !said.status.success() {
        return Err(failed(&format!("check {commit} out into {}", folder.display()), &said));
    }
    let said = run(&["clean", "-ffdq"])?;
    if said.status.success() { Ok(()) } else { Err(failed("clean a gate's folder", &said)) }
}

/// A place for objects beside a repository. It goes with this value.
#[derive(Debug)]
pub struct Scratch<'r> {
    pub(super) repository: &'r PersonRepository,
    directory: PathBuf,
    /// The repository with what lies aside, for merging in process.
    pub(super) visited: Repository,
    /// Whether the person signs commits, once it is asked.
    signs: OnceLock<bool>,
}

impl<'r> Scratch<'r> {
    /// Makes an empty one at `directory`, removing what a killed process left there.
    pub fn make(repository: &'r PersonRepository, directory: &Path) -> Result<Scratch<'r>, GitError> {
        disk::remove_tree_if_there(directory)?;
        disk::make_directories(&directory.join("pack"), Durability::Buffered)?;
        let visited = Repository::visit(repository.common_directory(), directory, repository.format())?;
        Ok(Scratch { repository, directory: directory.to_owned(), visited, signs: OnceLock::new() })
    }

    /// Where the objects lie: for another repository that has them as alternates.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The repository together with what lies aside.
    pub fn repository(&self) -> &Repository {
        &self.visited
    }

    /// Whose repository it is.
    pub fn person(&self) -> &PersonRepository {
        self.repository
    }

    /// Brings a folder to the tree of a commit, by an index that lies elsewhere: what git does not know there and does not
    /// ignore is removed. With a cone only its folders are brought there.
    pub fn check_out(&self, folder: &Path, index: &Path, commit: Oid, cone: Option<&Cone>) -> Result<(), GitError> {
        check_out(folder, index, commit, &|| {
            let mut command = person_git(Sync::None);
            self.see(&mut command);
            command.env("GIT_DIR", cone.map_or(&self.repository.common, |cone| &cone.git_directory));
            command.env("GIT_WORK_TREE", folder).env("GIT_INDEX_FILE", index).current_dir(folder);
            command.args([
                "-c",
                if cone.is_some() { "core.sparseCheckoutCone=true" } else { "core.sparseCheckout=false" },
            ]);
            command
        })
    }

    /// A git command that sees what lies aside, and writes there.
    pub(super) fn command(&self) -> Command {
        let mut command = self.repository.command(Sync::None);
        self.see(&mut command);
        command
    }

    pub(super) fn see(&self, command: &mut Command) {
        command.env("GIT_OBJECT_DIRECTORY", &self.directory);
        command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", quoted(&self.repository.common.join("objects")));
    }

    /// The tree of a commit with these edits, which lies aside.
    pub fn tree_with(&self, commit: Oid, edits: &[Edit]) -> Result<Oid, GitError> {
        let base = self.visited.commit(commit)?.tree;
        let mut objects = Objects::default();
        let (tree, _) = edit::apply(&self.visited, Some(base), edits, &mut objects)?;
        self.visited.store(&objects)?;
        Ok(tree)
    }

    fn signs(&self) -> Result<bool, GitError> {
        if let Some(signs) = self.signs.get() {
            return Ok(*signs);
        }
        let signs = self.repository.setting_is_true("commit.gpgsign")?;
        Ok(*self.signs.get_or_init(|| signs))
    }

    /// Makes a commit by the person, signed if their configuration says so. `author`: the lines `name`, `mail` and date
    /// of somebody else.
    pub fn commit(&self, tree: Oid, parents: &[Oid], message: &str, author: Option<&Author>) -> Result<Oid, GitError> {
        let mut command = self.command();
        command.arg("commit-tree");
        if self.signs()? {
            command.arg("-S");
        }
        for parent in parents {
            command.args(["-p", &parent.to_hex()]);
        }
        if let Some(author) = author {
            let as_author = [
                ("GIT_AUTHOR_NAME", &author.name),
                ("GIT_AUTHOR_EMAIL", &author.mail),
                ("GIT_AUTHOR_DATE", &author.date),
            ];
            command.envs(as_author);
        }
        command.arg(tree.to_hex());
        let said = with_input(&mut command, message.as_bytes())?;
        let hex = String::from_utf8_lossy(&said.stdout);
        match Oid::from_hex(hex.trim_end()) {
            Some(commit) if said.status.success() => Ok(commit),
            _ => Err(failed("make a commit", &said)),
        }
    }

    /// Why git would not check a commit out: a path that is none, or an object that is missing; `None`: it would.
    pub fn unfit(&self, commit: Oid) -> Result<Option<String>, GitError> {
        let mut whole = self.command();
        whole.args(["rev-list", "--objects", "--quiet", "--max-count=1", &commit.to_hex()]);
        let index = self.directory.join("examined.index");
        let mut fits = self.command();
        fits.env("GIT_INDEX_FILE", &index).args(["read-tree", &commit.to_hex()]);
        for mut command in [fits, whole] {
            let said = output(&mut command)?;
            if !said.status.success() {
                return Ok(Some(first_lines(&said.stderr)));
            }
        }
        disk::remove_if_there(&index)?;
        Ok(None)
    }

    /// Whether a commit is there and in the history of `main`.
    pub fn is_landed(&self, commit: Oid, main: Oid) -> Result<bool, GitError> {
        let words = ["merge-base".to_owned(), "--is-ancestor".to_owned(), commit.to_hex(), main.to_hex()];
        // Git fails for a commit that is gone, which is a no as well.
        Ok(output(self.command().args(words))?.status.success())
    }

    /// Commits that `to` has and `from` has not, at most ten thousand.
    pub fn commits_between(&self, from: Oid, to: Oid) -> Result<Vec<Oid>, GitError> {
        let words = ["rev-list".to_owned(), "--max-count=10000".to_owned(), to.to_hex(), format!("^{from}")];
        let said = output(self.command().args(words))?;
        if !said.status.success() {
            return Err(failed("list commits", &said));
        }
        Ok(String::from_utf8_lossy(&said.stdout).lines().filter_map(Oid::from_hex).collect())
    }

    /// Whether a commit changes a path of its first parent.
    pub fn touches(&self, commit: Oid, path: &str) -> Result<bool, GitError> {
        let (before, after) = (format!("{commit}^1"), commit.to_hex());
        let words = ["diff-tree", "-r", "--quiet", "--no-ext-diff", &before, &after, "--", path];
        Ok(output(self.command().args(words))?.status.code() == Some(1))
    }

    /// The newest commit between two that changes a path: its short name, subject and author.
    pub fn last_commit_on(&self, from: Oid, to: Oid, path: &str) -> Result<Option<String>, GitError> {
        let (to, without) = (to.to_hex(), format!("^{from}"));
        let words = ["log", "-1", "--no-merges", "--format=%h (%s, by %an)", &to, &without, "--", path];
        let said = output(self.command().args(words))?;
        let text = String::from_utf8_lossy(&said.stdout).trim_end().to_owned();
        Ok((said.status.success() && !text.is_empty()).then_some(text))
    }

    /// What a branch changes since it parted from `main`, as a difference without context; binary files are left out.
    pub fn difference(&self, main: Oid, tip: Oid) -> Result<Vec<u8>, GitError> {
        let range = format!("{main}...{tip}");
        let words = ["diff", "--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"];
        let prefixes = ["--src-prefix=a/", "--dst-prefix=b/", &range];
        let said = output(self.command().args(words).args(prefixes))?;
        if said.status.success() { Ok(said.stdout) } else { Err(failed("compare two commits", &said)) }
    }

    /// Packs what `commit` has and `known` commits have not into the repository. On return it is durable.
    pub fn keep(&self, commit: Oid, known: &[Oid]) -> Result<(), GitError> {
        let objects = self.repository.common.join("objects");
        let pack = objects.join("pack");
        disk::make_directories(&pack, Durability::Durable)?;
        let mut command = self.repository.command(Sync::All);
        self.see(&mut command);
        command.args(["pack-objects", "--revs", "--delta-base-offset", "--quiet", "--non-empty", "--local"]);
        command.arg(pack.join("pack"));
        // The packs of an alternate are not local: nothing but what lies aside is packed.
        let mut wanted = format!("{commit}\n");
        known.iter().for_each(|oid| wanted.push_str(&format!("^{oid}\n")));
        let said = with_input(&mut command, wanted.as_bytes())?;
        if !said.status.success() {
            return Err(failed("store what lands", &said));
        }
        disk::sync(&pack)?;
        let mut check = self.repository.reading();
        let found = output(check.args(["cat-file", "-e", &format!("{commit}^{{tree}}")]))?;
        if found.status.success() {
            return Ok(());
        }
        let detail = format!("commit {commit} was stored and is not there");
        Err(GitError::new(GitErrorKind::MissingObject, detail))
    }
}

/// Who a commit is by, where that is not the person who lands it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// Name.
    pub name: String,
    /// Mail address.
    pub mail: String,
    /// Date in a form that git reads.
    pub date: String,
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        // What stays is in nobody's way, and goes with the next one at this place.
        let _ = disk::remove_tree_if_there(&self.directory);
    }
}

impl PersonRepository {
    fn setting_is_true(&self, key: &str) -> Result<bool, GitError> {
        let said = self.ask(&["config", "--type=bool", "--get", key])?;
        Ok(said.stdout.starts_with(b"true"))
    }
}
