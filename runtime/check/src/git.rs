//! Owns how git is called: with which environment, which settings, and what it may touch.
//!
//! A run folder is evidence and may be forged, so its settings are never obeyed: every object is read
//! through a git directory of the checker's own, which borrows the objects of the
//! run's repository and takes whatever git wants to write. Deliberately does not know what is asked.

use crate::Unreadable;
use baton_record::Oid;
use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Settings that hold for every call, stronger than any file.
const SETTINGS: [&str; 9] = [
    "safe.directory=*",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.commitGraph=false",
    "core.multiPackIndex=false",
    "core.quotePath=false",
    "protocol.allow=never",
    "gc.auto=0",
];

/// What answers are read from.
pub(crate) type Answers = BufReader<ChildStdout>;

/// A git directory of the checker's own that sees the objects of the run. Removed when dropped.
pub(crate) struct Git {
    /// The run's repository.
    repository: PathBuf,
    scratch: PathBuf,
    calls: AtomicU32,
}

impl Git {
    /// Borrows the objects of `repository`. `like` is any object name of it, and tells the hash format.
    pub(crate) fn borrow(repository: &Path, like: Oid) -> Result<Git, Unreadable> {
        let absolute = fs::canonicalize(repository)
            .map_err(|error| Unreadable::at(repository, format!("cannot be opened: {error}")))?;
        let scratch = scratch_directory()?;
        let git = Git { repository: absolute, scratch, calls: AtomicU32::new(0) };
        git.furnish(like.as_bytes().len() == 32)
            .map_err(|error| Unreadable::at(&git.scratch, format!("cannot be written: {error}")))?;
        let version = git.command().arg("version").stdout(Stdio::null()).status();
        version.map_err(|error| Unreadable {
            what: format!("git cannot be started: {error}"),
            cure: "install git and put it on the PATH".into(),
        })?;
        Ok(git)
    }

    fn furnish(&self, sha256: bool) -> std::io::Result<()> {
        fs::create_dir_all(self.scratch.join("objects/info"))?;
        fs::create_dir_all(self.scratch.join("refs/heads"))?;
        fs::write(self.scratch.join("HEAD"), "ref: refs/heads/main\n")?;
        let format = match sha256 {
            true => "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n",
            false => "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
        };
        fs::write(self.scratch.join("config"), format)?;
        let mut borrowed = self.repository.join("objects").into_os_string().into_encoded_bytes();
        borrowed.push(b'\n');
        fs::write(self.scratch.join("objects/info/alternates"), borrowed)
    }

    /// A call on the scratch directory that inherits nothing from whoever called the checker.
    fn command(&self) -> Command {
        let mut command = Command::new("git");
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"GIT_") {
                command.env_remove(name);
            }
        }
        command
            .env("GIT_DIR", &self.scratch)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_GRAFT_FILE", "/dev/null")
            .env("GIT_SHALLOW_FILE", "/dev/null")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("TZ", "UTC")
            .env("LC_ALL", "C")
            .current_dir(&self.scratch)
            .stdin(Stdio::null());
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command
    }

    /// Asks about the borrowed objects and takes the whole answer.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Result<Vec<u8>, String> {
        self.finish(self.command().args(arguments))
    }

    fn finish(&self, command: &mut Command) -> Result<Vec<u8>, String> {
        let output = command.output().map_err(|error| format!("git cannot be started: {error}"))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(first_line(&[output.stderr, output.stdout].concat()))
    }

    /// Asks many questions in one process: `questions` goes in while `read` takes the answers.
    pub(crate) fn exchange<T>(
        &self,
        arguments: &[&str],
        questions: &[u8],
        read: impl FnOnce(&mut Answers) -> Result<T, String>,
    ) -> Result<T, String> {
        let talk = self.scratch.join(format!("talk-{}", self.calls.fetch_add(1, Ordering::Relaxed)));
        let stderr = File::create(&talk).map_err(|error| error.to_string())?;
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .map_err(|error| format!("git cannot be started: {error}"))?;
        let mut stdin = child.stdin.take().ok_or("git takes no questions")?;
        let mut answers = BufReader::with_capacity(1 << 18, child.stdout.take().ok_or("git gives no answers")?);
        let result = std::thread::scope(|scope| {
            // A git that gave up closes the pipe; what it said then is the finding, not the broken pipe.
            scope.spawn(move || stdin.write_all(questions).is_ok());
            let result = read(&mut answers);
            drop(answers);
            result
        });
        let status = child.wait().map_err(|error| error.to_string())?;
        match result {
            Ok(value) if status.success() => Ok(value),
            Ok(_) => Err(first_line(&fs::read(&talk).unwrap_or_default())),
            Err(why) => {
                let said = fs::read(&talk).unwrap_or_default();
                Err(if said.is_empty() { why } else { first_line(&said) })
            }
        }
    }
}

impl Drop for Git {
    fn drop(&mut self) {
        // Nothing depends on it: what stays behind is an empty borrower in the system's scratch place.
        fs::remove_dir_all(&self.scratch).unwrap_or(());
    }
}

fn first_line(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let line = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("notice:"));
    line.unwrap_or("git failed without a word").to_owned()
}

fn scratch_directory() -> Result<PathBuf, Unreadable> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let place = std::env::temp_dir();
    let mut last_error = None;
    for _ in 0..1000 {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = place.join(format!("baton-check-{}-{count}", std::process::id()));
        match fs::create_dir(&path) {
            Ok(()) => {
                return fs::canonicalize(&path).map_err(|error| Unreadable::at(&path, error.to_string()));
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => last_error = Some(error),
            Err(error) => {
                last_error = Some(error);
                break;
            }
        }
    }
    let why = last_error.map_or_else(String::new, |error| error.to_string());
    Err(Unreadable {
        what: format!("{}: no scratch folder: {why}", place.display()),
        cure: "set TMPDIR to a folder that may be written to".into(),
    })
}
