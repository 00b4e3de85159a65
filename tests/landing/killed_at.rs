//! Kills at system calls: a command under `strace` that dies as it is about to make its N-th call of some kinds, and what is true
//! of a repository afterwards, looked at from outside.

use crate::program::{Said, finish};
use crate::repository::git;
use crate::site::Site;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Calls that change something, or begin a program that does; and those that look for its end.
const CALLS: &str = "openat,write,rename,renameat,renameat2,link,linkat,symlink,unlink,unlinkat,mkdir,mkdirat,rmdir,fsync,fdatasync,\
                     ftruncate,copy_file_range,fchmod,kill,clone,clone3,vfork,poll,wait4";

/// A gate that says from outside which trees it has passed.
pub(crate) const GATE: &str = "git rev-parse 'HEAD^{tree}' >> \"$HOME/gated\"";

/// Where a process is killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The kind of call.
    pub(crate) call: String,
    /// The one of its kind that is not made any more, from 1.
    pub(crate) at: usize,
    /// Whether it comes while a checkout is locked.
    pub(crate) locked: bool,
}

/// A copy of a site, whole with its home, remote and worktrees.
pub(crate) struct Copy {
    folder: tempfile::TempDir,
}

impl Copy {
    pub(crate) fn of(site: &Site) -> Copy {
        let folder = tempfile::tempdir().unwrap();
        let from = site.path().parent().unwrap().join(".");
        let copied = Command::new("cp").arg("-a").arg(from).arg(folder.path()).status().unwrap();
        assert!(copied.success());
        for place in ["home", "tmp"] {
            std::fs::create_dir_all(folder.path().join(place)).unwrap();
        }
        let copy = Copy { folder };
        if copy.folder.path().join("lagging").exists() {
            let (tree, git) = (copy.folder.path().join("lagging/.git"), copy.path().join(".git/worktrees/lagging"));
            std::fs::write(&tree, format!("gitdir: {}\n", git.display())).unwrap();
            std::fs::write(git.join("gitdir"), format!("{}\n", tree.display())).unwrap();
        }
        copy
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn git(&self, words: &[&str]) -> String {
        git(&self.path(), words)
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        self.in_place(Command::new(env!("CARGO_BIN_EXE_baton")), words)
    }

    fn in_place(&self, mut command: Command, words: &[&str]) -> Command {
        command.args(words).current_dir(self.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.beside("home")).env("TMPDIR", self.beside("tmp"));
        command
    }

    /// The command under strace, with these options of it.
    pub(crate) fn traced(&self, options: &[&str], words: &[&str]) -> Command {
        let mut command = Command::new("strace");
        // The command is our child, and strace beside it.
        command.args(["-D", "-qq", "-o"]).arg(self.beside("trace")).args(options).arg(env!("CARGO_BIN_EXE_baton"));
        self.in_place(command, words)
    }

    /// The calls by which the command changes something when nobody kills it, in their order.
    pub(crate) fn places(&self, words: &[&str]) -> Vec<Place> {
        let said = finish(&mut self.traced(&["-e", &format!("trace={CALLS}"), "-e", "signal=none"], words));
        assert!(said.status.success(), "{words:?}: {said:?}");
        places_of(&std::fs::read_to_string(self.beside("trace")).unwrap())
    }

    /// The same of one of its git programs: the `nth` one with this verb.
    pub(crate) fn git_places(&self, which: (&str, usize), words: &[&str]) -> Vec<Place> {
        let said = finish(&mut self.with_git(which, &format!("-e trace={CALLS} -e signal=none"), words));
        assert!(said.status.success(), "{words:?}: {said:?}");
        let places = places_of(&std::fs::read_to_string(self.beside("trace")).unwrap_or_default());
        assert!(!places.is_empty(), "there is no {which:?}");
        places
    }

    /// The command, killed there. It may come to its end before.
    pub(crate) fn kill_at(&self, place: &Place, words: &[&str]) -> Said {
        finish(&mut self.to_be_killed(place, words))
    }

    pub(crate) fn to_be_killed(&self, place: &Place, words: &[&str]) -> Command {
        let (trace, kill) =
            (format!("trace={}", place.call), format!("{}:signal=SIGKILL:when={}", place.call, place.at));
        self.traced(&["-e", &trace, "-e", &format!("inject={kill}")], words)
    }

    /// The command, of whose git programs one is killed there.
    pub(crate) fn kill_git_at(&self, which: (&str, usize), place: &Place, words: &[&str]) -> Said {
        let options =
            format!("-e trace={call} -e inject={call}:signal=SIGKILL:when={at}", call = place.call, at = place.at);
        finish(&mut self.with_git(which, &options, words))
    }

    /// The command, of whose git programs one runs under strace.
    fn with_git(&self, (verb, nth): (&str, usize), options: &str, words: &[&str]) -> Command {
        let programs = self.beside("programs");
        std::fs::create_dir_all(&programs).unwrap();
        let path = std::env::var_os("PATH").unwrap();
        let real = std::env::split_paths(&path).map(|path| path.join("git")).find(|path| path.is_file());
        let (git, seen, trace) = (real.expect("git is on the PATH"), self.beside("seen"), self.beside("trace"));
        let (git, seen, trace) = (git.display(), seen.display(), trace.display());
        let script = format!(
            "#!/bin/sh\nfor word in \"$@\"; do\n  if [ \"$word\" = {verb} ]; then\n    echo x >> {seen}\n    \
             if [ $(wc -l < {seen}) -eq {nth} ]; then\n      exec strace -qq -o {trace} {options} {git} \"$@\"\n    fi\n    \
             break\n  fi\ndone\nexec {git} \"$@\"\n"
        );
        std::fs::write(programs.join("git"), script).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(programs.join("git"), executable).unwrap();
        let paths = std::iter::once(programs).chain(std::env::split_paths(&path));
        let mut command = self.command(words);
        command.env("PATH", std::env::join_paths(paths).unwrap());
        command
    }

    pub(crate) fn main(&self) -> String {
        self.git(&["rev-parse", "main"])
    }

    /// All facts of the log, `(kind, data)`. A line that is torn at the end is left out, as it is by whoever reads on.
    pub(crate) fn facts(&self) -> Vec<(String, Value)> {
        let text = std::fs::read_to_string(self.path().join(".git/baton/log.jsonl")).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let entries = whole.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["fact"].clone());
        entries.map(|fact| (fact["kind"].as_str().unwrap().to_owned(), fact["data"].clone())).collect()
    }

    /// The intention of which nobody knows what came.
    pub(crate) fn open_intention(&self) -> Option<Value> {
        let mut open = None;
        for (kind, data) in self.facts() {
            match kind.as_str() {
                "Intended" => open = Some(data),
                "Landed" | "Forgotten" => open = None,
                _ => {}
            }
        }
        open
    }

    fn tree_of(&self, commit: &str) -> String {
        self.git(&["rev-parse", &format!("{commit}^{{tree}}")])
    }

    /// Every value that a branch has had since the first was gated as that tree, but for these.
    #[track_caller]
    pub(crate) fn must_be_gated(&self, branch: &str, but_for: &[String]) {
        let gated = std::fs::read_to_string(self.beside("home/gated")).unwrap_or_default();
        let gated: BTreeSet<&str> = gated.lines().collect();
        let values = self.git(&["log", "-g", "--format=%H %gs", branch]);
        for (value, why) in values.lines().filter_map(|line| line.split_once(' ')) {
            if why.starts_with("baton land") && !but_for.iter().any(|known| known == value) {
                assert!(
                    gated.contains(self.tree_of(value).as_str()),
                    "{branch} was at {value} ({why}), which is not gated"
                );
            }
        }
    }

    /// The log is whole, chained, and every intention has exactly one outcome.
    #[track_caller]
    fn must_have_a_whole_log(&self) {
        let path = self.path().join(".git/baton/log.jsonl");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        assert!(text.is_empty() || text.ends_with('\n'));
        let (mut before, mut open) = ("0".repeat(64), false);
        for (at, line) in text.lines().enumerate() {
            let entry: Value = serde_json::from_str(line).unwrap();
            assert_eq!(
                (entry["seq"].as_u64(), entry["prev"].as_str()),
                (Some(at as u64), Some(before.as_str())),
                "{line}"
            );
            before = Sha256::digest(line.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            match entry["fact"]["kind"].as_str().unwrap() {
                "Intended" => {
                    assert!(!std::mem::replace(&mut open, true), "an intention before the last has an outcome")
                }
                "Landed" | "Forgotten" => {
                    assert!(std::mem::replace(&mut open, false), "an outcome without an intention")
                }
                _ => {}
            }
        }
        assert!(!open, "an intention without an outcome");
    }

    /// Nothing is damaged, nothing of ours lies about, and the checkout is clean and at main.
    #[track_caller]
    pub(crate) fn must_be_sound(&self) {
        self.git(&["fsck", "--strict", "--no-dangling"]);
        self.must_have_a_whole_log();
        for checkout in ["repo", "lagging"].map(|name| self.beside(name)).iter().filter(|checkout| checkout.exists()) {
            let status = git(checkout, &["status", "--porcelain", "--untracked-files=all"]);
            assert_eq!(status, "", "{} is clean and at its branch", checkout.display());
        }
        let git_directory = self.path().join(".git");
        let left: Vec<PathBuf> =
            below(&git_directory).into_iter().filter(|path| is_left(path, &git_directory)).collect();
        assert!(left.is_empty(), "this was left: {left:?}");
        let temporary: Vec<PathBuf> = below(&self.beside("tmp"));
        assert!(temporary.is_empty(), "this was left: {temporary:?}");
    }
}

/// The calls of a trace that change something, or come around that.
fn places_of(trace: &str) -> Vec<Place> {
    let (mut seen, mut places, mut started, mut locked) = (BTreeMap::new(), Vec::new(), false, false);
    for (call, rest) in trace.lines().filter_map(|line| line.split_once('(')) {
        let at = seen.entry(call.to_owned()).or_insert(0);
        *at += 1;
        let wanted = match call {
            "openat" => rest.contains("O_CREAT"),
            // Only the first look at a program that has just been started.
            "poll" | "wait4" => std::mem::take(&mut started),
            _ => true,
        };
        started |= call.starts_with("clone") || call == "vfork";
        if wanted {
            places.push(Place { call: call.to_owned(), at: *at, locked });
        }
        if rest.contains("/index.lock\"") {
            locked = call.starts_with("link");
        }
    }
    places
}

/// Files that nobody but a process at work may have.
fn is_left(path: &Path, git_directory: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let inside = path.strip_prefix(git_directory).unwrap();
    let in_state = |folder: &str| inside.starts_with(Path::new("baton").join(folder));
    name.ends_with(".lock")
        || name.starts_with("baton-")
        || in_state("scratch")
        || in_state("queue")
        || (inside.starts_with("baton")
            && (name.ends_with(".tmp") || name.starts_with("new-") || name.ends_with(".output")))
}

/// All files below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut waiting) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    files
}

/// Fails loudly where nobody can be killed at a call.
#[track_caller]
pub(crate) fn strace_must_be_there() {
    let said = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    let fine = said.is_ok_and(|status| status.success());
    assert!(fine, "`strace` is needed to kill at system calls, and cannot be used here: apt-get install strace");
}
