//! A repository that belongs to a person: found from any folder in it, never owned.
//!
//! Unlike a run's repository it has checkouts, hooks, a configuration that counts, refs in any form that git knows, and
//! other writers at any time. So refs move only through git itself, by compare-and-swap; new objects lie aside (see
//! [`scratch`]) until they are wanted; and nobody's index, stash or files are touched, but for a checkout that is moved
//! along with its branch (see [`checkout`]). The person's configuration holds, their hooks do not run.
//!
//! Reading order: `person`, `scratch`, `merging`, `batch`, `history`, `worktrees`, `checkout`, `brought`, `lying`, `locks`, `modules`, `cone`,
//! `snapshot`, `remote`.

mod batch;
mod brought;
mod checkout;
mod cone;
mod held_ref;
mod history;
mod locks;
mod lying;
mod merging;
mod modules;
mod remote;
mod scratch;
mod snapshot;
mod tracked;
mod worktrees;

pub use batch::{Asked, AskedOn};
pub use brought::Brought;
pub use checkout::CheckoutMove;
pub use cone::Cone;
pub use held_ref::HeldRef;
pub use merging::Joined;
pub use modules::{ModuleHome, Submodule};
pub use remote::Pushed;
pub use scratch::{Author, Scratch};
pub use snapshot::Snapshot;
pub use worktrees::{InTheWay, Worktree};

use super::command::{Sync, failed, first_lines, output, person_git};
use super::disk;
use super::error::{GitError, GitErrorKind};
use super::object::ObjectFormat;
use baton_record::Oid;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

/// Somebody's repository.
#[derive(Debug)]
pub struct PersonRepository {
    /// Where commands are run: where the person stands.
    place: PathBuf,
    common: PathBuf,
    format: ObjectFormat,
    outlives: Option<Outlives>,
}

/// A lock that every git program shares which moves something: it holds until the last of them has ended, also if whoever
/// started them is killed.
#[derive(Clone, Debug)]
struct Outlives(Arc<File>);

impl Outlives {
    /// For a program's standard input, which it does not read.
    fn handed_on(&self) -> Stdio {
        self.0.try_clone().map_or_else(|_| Stdio::null(), Stdio::from)
    }
}

/// A branch and the commit that it points to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Branch {
    /// Its name without `refs/heads/`.
    pub name: String,
    /// Its commit.
    pub tip: Oid,
    /// When that was committed, in seconds since 1970.
    pub time_s: i64,
}

/// What commits say: as many authors as subjects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Who each is by.
    pub authors: Vec<Author>,
    /// The first line of each.
    pub subjects: Vec<String>,
}

/// A commit that came after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Later {
    /// The branch that it brought, or its subject and author.
    pub name: String,
    /// The commit.
    pub commit: Oid,
    /// Its first parent.
    pub parent: Oid,
}

/// What has a path in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlacedFile {
    /// A file of so many bytes.
    File {
        /// Its size.
        bytes: u64,
    },
    /// A symbolic link.
    Link {
        /// The beginning of where it leads.
        to: String,
    },
    /// A directory.
    Folder,
    /// A commit of another repository.
    Submodule,
}

/// As much as is told of where a link leads.
const LINK_CHARS_MAX: usize = 200;

/// What came of a wish to move a ref.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It is where it was to go.
    Yes,
    /// It was elsewhere; nothing has changed. `None`: it does not exist.
    Elsewhere(Option<Oid>),
}

impl PersonRepository {
    /// The repository around `place`. Fails with a cure where there is none, where git does not trust it, or where part of
    /// its history is elsewhere.
    pub fn find(place: &Path) -> Result<PersonRepository, GitError> {
        let asked = [
            "rev-parse",
            "--path-format=absolute",
            "--git-common-dir",
            "--is-shallow-repository",
            "--show-object-format",
        ];
        if !place.is_dir() {
            let detail = format!("{} is not a directory", place.display());
            return Err(GitError::new(GitErrorKind::NotARepository, detail));
        }
        let mut command = person_git(Sync::None);
        let said = output(command.arg("-C").arg(place).args(asked))?;
        // `.` tells nobody which folder it is.
        let told = std::fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
        if !said.status.success() {
            // There may be one that git does not trust, or whose configuration it cannot read.
            if !String::from_utf8_lossy(&said.stderr).contains("not a git repository") {
                return Err(failed(&format!("use the repository around {}", told.display()), &said));
            }
            let detail = format!("{} is not in a git repository ({})", told.display(), first_lines(&said.stderr));
            return Err(GitError::new(GitErrorKind::NotARepository, detail));
        }
        let text = String::from_utf8_lossy(&said.stdout);
        let lines: Vec<&str> = text.lines().collect();
        let [common, shallow, format] = lines[..] else { return Err(failed("describe the repository", &said)) };
        let format = ObjectFormat::of_name(format).ok_or_else(|| failed("name the object format", &said))?;
        let repository =
            PersonRepository { place: place.to_owned(), common: PathBuf::from(common), format, outlives: None };
        let incomplete = |what: &str| {
            let detail = format!("{} is a {what} clone: part of its history is elsewhere", told.display());
            Err(GitError::new(GitErrorKind::Incomplete, detail))
        };
        if shallow == "true" {
            return incomplete("shallow");
        }
        let promised = r"^(extensions\.partialclone|remote\..*\.(promisor|partialclonefilter))$";
        if repository.ask(&["config", "--get-regexp", promised])?.status.success() {
            return incomplete("partial");
        }
        Ok(repository)
    }

    /// From here on git programs that move something hold this lock, an open file, until they end.
    pub fn share_lock(&mut self, lock: File) {
        self.outlives = Some(Outlives(Arc::new(lock)));
    }

    /// A git command that moves a ref, or writes into a checkout or a remote.
    fn moving(&self) -> Command {
        let mut command = self.command(Sync::All);
        if let Some(outlives) = &self.outlives {
            command.stdin(outlives.handed_on());
        }
        command
    }

    /// The directory that all its worktrees share: `.git` of the main one.
    pub fn common_directory(&self) -> &Path {
        &self.common
    }

    /// The top folder of the checkout in which the person stands; `None`: they stand in none.
    pub fn top(&self) -> Result<Option<PathBuf>, GitError> {
        let said = self.ask(&["rev-parse", "--show-toplevel"])?;
        let text = String::from_utf8_lossy(&said.stdout);
        Ok(said.status.success().then(|| PathBuf::from(text.trim_end_matches('\n'))))
    }

    /// Which hash names its objects.
    pub fn format(&self) -> ObjectFormat {
        self.format
    }

    /// A git command that only reads.
    fn reading(&self) -> Command {
        self.command(Sync::None)
    }

    fn command(&self, sync: Sync) -> Command {
        let mut command = person_git(sync);
        command.arg("-C").arg(&self.place);
        command
    }

    fn ask(&self, words: &[&str]) -> Result<Output, GitError> {
        output(self.reading().args(words))
    }

    /// What git says to a command that has to succeed, without the last newline.
    fn ask_well(&self, doing: &str, words: &[&str]) -> Result<String, GitError> {
        let said = self.ask(words)?;
        if !said.status.success() {
            return Err(failed(doing, &said));
        }
        Ok(String::from_utf8_lossy(&said.stdout).trim_end_matches('\n').to_owned())
    }

    /// The commit that a name leads to; `None`: nothing, or something else.
    pub fn commit_of(&self, name: &str) -> Result<Option<Oid>, GitError> {
        let wanted = format!("{name}^{{commit}}");
        let said = self.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])?;
        Ok(String::from_utf8(said.stdout).ok().and_then(|hex| Oid::from_hex(hex.trim_end())))
    }

    /// The tree of a commit.
    pub fn tree_of(&self, commit: Oid) -> Result<Oid, GitError> {
        let hex = self.ask_well("read a commit", &["rev-parse", "--verify", &format!("{commit}^{{tree}}")])?;
        Oid::from_hex(&hex).ok_or_else(|| GitError::damaged(format!("commit {commit} has no tree")))
    }

    /// Where a ref points, by its full name.
    pub fn reference(&self, full: &str) -> Result<Option<Oid>, GitError> {
        let said = self.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", full])?;
        Ok(String::from_utf8(said.stdout).ok().and_then(|hex| Oid::from_hex(hex.trim_end())))
    }

    /// The full name of a local branch, if `name` is one; of a symbolic one that of the branch it stands for.
    pub fn branch_ref(&self, name: &str) -> Result<Option<String>, GitError> {
        let full = if name.starts_with("refs/heads/") { name.to_owned() } else { format!("refs/heads/{name}") };
        let valid = self.ask(&["check-ref-format", &full])?.status.success();
        if !valid || self.reference(&full)?.is_none() {
            return Ok(None);
        }
        let said = self.ask(&["symbolic-ref", "--quiet", &full])?;
        let full =
            if said.status.success() { String::from_utf8_lossy(&said.stdout).trim_end().to_owned() } else { full };
        Ok(full.starts_with("refs/heads/").then_some(full))
    }

    /// Local branches, by name. A branch whose commit is missing is left out: git calls it broken too. So are symbolic ones:
    /// each is another name of a branch.
    pub fn branches(&self) -> Result<Vec<Branch>, GitError> {
        self.list_branches(&[])
    }

    /// Local branches with commits that are not in the history of `main`.
    pub fn branches_ahead_of(&self, main: Oid) -> Result<Vec<Branch>, GitError> {
        self.list_branches(&[&format!("--no-merged={main}")])
    }

    fn list_branches(&self, which: &[&str]) -> Result<Vec<Branch>, GitError> {
        let format = "--format=%(refname)%00%(objectname)%00%(committerdate:unix)%00%(symref)";
        let text = self.ask_well("list branches", &[&["for-each-ref", format], which, &["refs/heads/"]].concat())?;
        let branch = |line: &str| {
            let mut words = line.split('\0');
            let name = words.next()?.strip_prefix("refs/heads/")?.to_owned();
            let tip = Oid::from_hex(words.next()?)?;
            let time_s = words.next()?.parse().unwrap_or(0);
            words.next()?.is_empty().then_some(Branch { name, tip, time_s })
        };
        Ok(text.lines().filter_map(branch).collect())
    }

    /// All refs, as a file of packed refs has them.
    pub fn refs_as_packed(&self) -> Result<String, GitError> {
        let text = self.ask_well("list refs", &["for-each-ref", "--format=%(objectname) %(refname)"])?;
        Ok(format!("# pack-refs with: sorted \n{text}\n"))
    }

    /// What HEAD of the place where the person stands points to: the full name of a branch.
    pub fn current_branch(&self) -> Result<Option<String>, GitError> {
        let said = self.ask(&["symbolic-ref", "--quiet", "HEAD"])?;
        Ok(said.status.success().then(|| String::from_utf8_lossy(&said.stdout).trim_end().to_owned()))
    }

    /// Whether `ancestor` is `of`, or in its history.
    pub fn is_ancestor(&self, ancestor: Oid, of: Oid) -> Result<bool, GitError> {
        let said = self.ask(&["merge-base", "--is-ancestor", &ancestor.to_hex(), &of.to_hex()])?;
        match said.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(failed("compare two commits", &said)),
        }
    }

    /// The content of a file in a commit; `None`: there is no such file.
    pub fn file_at(&self, commit: Oid, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let said = self.ask(&["cat-file", "blob", &format!("{commit}:{path}")])?;
        Ok(said.status.success().then_some(said.stdout))
    }

    /// What has a path in a commit; `None`: nothing.
    pub fn placed_at(&self, commit: Oid, path: &str) -> Result<Option<PlacedFile>, GitError> {
        let said = self.ask(&["ls-tree", "--full-tree", "-z", "-l", &commit.to_hex(), "--", path])?;
        if !said.status.success() {
            return Err(failed(&format!("look for {path}"), &said));
        }
        let text = String::from_utf8_lossy(&said.stdout);
        let Some((entry, _)) = text.split_once('\t') else { return Ok(None) };
        let words: Vec<&str> = entry.split_whitespace().collect();
        let [mode, kind, oid, size] = words[..] else { return Err(failed(&format!("look for {path}"), &said)) };
        Ok(Some(match (mode, kind) {
            ("120000", _) => {
                let target = self.ask(&["cat-file", "blob", oid])?.stdout;
                PlacedFile::Link { to: String::from_utf8_lossy(&target).chars().take(LINK_CHARS_MAX).collect() }
            }
            (_, "tree") => PlacedFile::Folder,
            (_, "commit") => PlacedFile::Submodule,
            _ => PlacedFile::File { bytes: size.parse().unwrap_or(u64::MAX) },
        }))
    }

    /// Paths that differ between the trees of two commits, renames taken apart.
    pub fn changed_paths(&self, from: Oid, to: Oid) -> Result<Vec<String>, GitError> {
        let (from, to) = (from.to_hex(), to.to_hex());
        let words = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", &from, &to];
        let said = self.ask(&words)?;
        if !said.status.success() {
            return Err(failed("compare two commits", &said));
        }
        let paths = said.stdout.split(|&byte| byte == 0).filter(|path| !path.is_empty());
        Ok(paths.map(|path| String::from_utf8_lossy(path).into_owned()).collect())
    }

    /// What the commits of `tip` that `main` has not say: the oldest first, merges left out.
    pub fn told_by(&self, main: Oid, tip: Oid) -> Result<Told, GitError> {
        let (tip, without) = (tip.to_hex(), format!("^{main}"));
        let format = "--format=%an%x00%ae%x00%aI%x00%s";
        let text = self.ask_well("list commits", &["log", "--reverse", "--no-merges", "-z", format, &tip, &without])?;
        let mut told = Told::default();
        let words: Vec<&str> = text.split('\0').collect();
        for commit in words.chunks_exact(4) {
            let [name, mail, date, subject] = [0, 1, 2, 3].map(|at| commit[at].to_owned());
            told.authors.push(Author { name, mail, date });
            told.subjects.push(subject);
        }
        Ok(told)
    }

    /// What came to `main` on top of `commit`, newest first: each step of a line of first parents that begins there. A merge of
    /// many branches is left out, since each of them has a merge of its own; so are the commits of a branch that landed.
    pub fn later_than(&self, commit: Oid, main: Oid) -> Result<Vec<Later>, GitError> {
        let (main, without) = (main.to_hex(), format!("^{commit}"));
        let branch = "%(trailers:key=Baton-Branch,valueonly,separator=%x2C)";
        let format = format!("--format=%H%x00%P%x00{branch}%x00%s, by %an");
        let text =
            self.ask_well("list commits", &["log", "-z", "--ancestry-path", "--topo-order", &format, &main, &without])?;
        let words: Vec<&str> = text.split('\0').collect();
        let commits = || words.chunks_exact(4).filter_map(|word| Some((Oid::from_hex(word[0])?, word)));
        let parents: BTreeMap<Oid, Vec<Oid>> =
            commits().map(|(oid, word)| (oid, word[1].split(' ').filter_map(Oid::from_hex).collect())).collect();
        let mut told_by_a_merge: BTreeSet<Oid> = BTreeSet::new();
        for (oid, _) in commits().filter(|(_, word)| !word[2].is_empty()) {
            if let [first, others @ ..] = &parents[&oid][..] {
                let main_side = reach(&parents, &[*first]);
                told_by_a_merge.extend(reach(&parents, others).difference(&main_side));
            }
        }
        let mut later = Vec::new();
        for (oid, word) in commits().filter(|(_, word)| !word[2].contains(',')) {
            let parent = parents[&oid].first().filter(|parent| **parent == commit || parents.contains_key(parent));
            let merged = told_by_a_merge.contains(&oid) && word[2].is_empty();
            if let (Some(parent), false) = (parent, merged) {
                let name = if word[2].is_empty() { word[3] } else { word[2] };
                later.push(Later { name: name.to_owned(), commit: oid, parent: *parent });
            }
        }
        Ok(later)
    }

    /// Short name and subject of a commit.
    pub fn said_by(&self, commit: Oid) -> Result<String, GitError> {
        self.ask_well("read a commit", &["log", "-1", "--format=%h %s", &commit.to_hex()])
    }

    /// The first commit after a step of `main` that leaves nothing of it: where it differed, all is as it was before.
    pub fn taken_back_by(&self, (from, to): (Oid, Oid), main: Oid) -> Result<Option<Oid>, GitError> {
        let (main, without) = (main.to_hex(), format!("^{to}"));
        let line = self.ask_well("list commits", &["rev-list", "--first-parent", "--reverse", &main, &without])?;
        let Some(next) = line.lines().next().and_then(Oid::from_hex) else { return Ok(None) };
        let (step, left) = (self.changed_paths(from, to)?, self.changed_paths(from, next)?);
        Ok((!step.is_empty() && step.iter().all(|path| !left.contains(path))).then_some(next))
    }

    /// A value of the person's configuration.
    pub fn setting(&self, key: &str) -> Result<Option<String>, GitError> {
        let said = self.ask(&["config", "--get", key])?;
        Ok(said.status.success().then(|| String::from_utf8_lossy(&said.stdout).trim_end_matches('\n').to_owned()))
    }

    /// Who commits are by, `Name <mail>`, or what git lacks to know that.
    pub fn identity(&self) -> Result<Result<String, String>, GitError> {
        let said = self.ask(&["var", "GIT_COMMITTER_IDENT"])?;
        if !said.status.success() {
            return Ok(Err(first_lines(&said.stderr)));
        }
        let text = String::from_utf8_lossy(&said.stdout);
        let who = text.rsplit_once('>').map_or(text.trim(), |(who, _)| who);
        Ok(Ok(format!("{}>", who.trim())))
    }

    /// Moves a branch by compare-and-swap, durably, with a line in its reflog. `new: None` deletes it.
    pub fn move_ref(&self, full: &str, from: Option<Oid>, new: Option<Oid>, why: &str) -> Result<Moved, GitError> {
        let zero = "0".repeat(self.format.hash_len() * 2);
        let hex = |oid: Option<Oid>| oid.map_or(zero.clone(), |oid| oid.to_hex());
        let mut command = self.moving();
        command.args(["update-ref", "-m", why, "--no-deref"]);
        match new {
            Some(new) => command.args(["--create-reflog", full, &new.to_hex(), &hex(from)]),
            None => command.args(["-d", full, &hex(from)]),
        };
        let said = output(&mut command)?;
        if said.status.success() {
            self.sync_refs(full)?;
            return Ok(Moved::Yes);
        }
        if let (None, Some(new)) = (said.status.code(), new) {
            self.remove_own_lock(full, new, None)?;
        }
        match self.reference(full)? {
            // It was killed when it had done so.
            found if found == new => self.sync_refs(full).map(|()| Moved::Yes),
            found if found == from => Err(failed(&format!("move {full}"), &said)),
            found => Ok(Moved::Elsewhere(found)),
        }
    }

    /// Git syncs a ref's file and not the directory that it is renamed into.
    fn sync_refs(&self, full: &str) -> Result<(), GitError> {
        let file = self.common.join(full);
        match file.parent() {
            Some(directory) if file.exists() => disk::sync(directory),
            _ => Ok(()),
        }
    }
}

/// These commits and those below them, as far as they are in the map.
fn reach(parents: &BTreeMap<Oid, Vec<Oid>>, from: &[Oid]) -> BTreeSet<Oid> {
    let (mut found, mut waiting) = (BTreeSet::new(), from.to_vec());
    while let Some(oid) = waiting.pop() {
        if let Some(above) = parents.get(&oid)
            && found.insert(oid)
        {
            waiting.extend(above);
        }
    }
    found
}

/// Runs a command with something to read.
fn with_input(command: &mut Command, input: &[u8]) -> Result<Output, GitError> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| super::command::not_started(command, &error))?;
    let mut stdin = child.stdin.take().expect("the pipe was asked for");
    std::thread::scope(|scope| {
        // Beside reading, so that a program may answer before it has read everything. One that ends early says more about
        // it than its broken pipe.
        scope.spawn(move || stdin.write_all(input).ok());
        child.wait_with_output().map_err(|error| super::command::not_started(command, &error))
    })
}
