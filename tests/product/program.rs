//! Starts the binary, waits for it within a limit, and keeps what it said. Nothing that is started here outlives its test.

use serde_json::Value;
use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// A run that takes longer hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// What a program said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// The exit code; a program that was ended by a signal has none, and fails the test.
    #[track_caller]
    pub(crate) fn code(&self) -> i32 {
        let code = self.status.code().unwrap_or_else(|| panic!("ended by a signal: {self:?}"));
        assert!(!self.stderr.contains("panicked at"), "it panicked: {}", self.stderr);
        assert_ne!(code, 70, "a bug by its own account: {self:?}");
        assert_ne!(code, 101, "a panic: {self:?}");
        code
    }

    /// The one JSON object on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let read = serde_json::from_str(&self.stdout);
        read.unwrap_or_else(|error| panic!("stdout is not one JSON object ({error}): {self:?}"))
    }
}

/// The binary with these words, in an empty environment but for what it needs, in `place`.
pub(crate) fn baton<W: AsRef<OsStr>>(place: &Path, words: impl IntoIterator<Item = W>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_baton"));
    command.args(words).current_dir(place);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", place);
    command
}

/// Runs the binary with these words to its end.
#[track_caller]
pub(crate) fn say<W: AsRef<OsStr>>(place: &Path, words: impl IntoIterator<Item = W>) -> Said {
    finish(&mut baton(place, words))
}

/// Runs a command to its end, within the limit.
#[track_caller]
pub(crate) fn finish(command: &mut Command) -> Said {
    Living::start(command).end(LIMIT)
}

/// A program that is running.
pub(crate) struct Living {
    child: Child,
    words: String,
    readers: Vec<JoinHandle<Vec<u8>>>,
    closed: Receiver<()>,
    open: usize,
}

impl Living {
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Living {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let words = format!("{command:?}");
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{words}: {error}"));
        let (close, closed) = channel();
        let streams: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        let reader = |mut stream: Box<dyn Read + Send>| {
            let close = close.clone();
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                stream.read_to_end(&mut bytes).unwrap();
                // Nobody may wait any more.
                let _ = close.send(());
                bytes
            })
        };
        let readers: Vec<_> = streams.into_iter().map(reader).collect();
        let open = readers.len();
        Living { child, words, readers, closed, open }
    }

    /// Waits at most so long; whether the program has ended.
    pub(crate) fn ends_within(&mut self, limit: Duration) -> bool {
        while self.open > 0 {
            match self.closed.recv_timeout(limit) {
                Ok(()) => self.open -= 1,
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => self.open = 0,
            }
        }
        true
    }

    /// As `kill -INT` does.
    pub(crate) fn interrupt(&self) {
        let kill = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status();
        assert!(kill.unwrap().success(), "{} cannot be interrupted", self.words);
    }

    /// As `kill -9` does.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
    }

    /// Waits for its end; a program that does not come to one is killed, and fails the test.
    #[track_caller]
    pub(crate) fn end(mut self, limit: Duration) -> Said {
        let in_time = self.ends_within(limit);
        if !in_time {
            self.kill();
        }
        let status = self.child.wait().unwrap();
        let mut said = self.readers.drain(..).map(|reader| String::from_utf8(reader.join().unwrap()).unwrap());
        let (stdout, stderr) = (said.next().unwrap(), said.next().unwrap());
        assert!(in_time, "{} does not end within {limit:?}; stderr: {stderr}", self.words);
        Said { status, stdout, stderr }
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
