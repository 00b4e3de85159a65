//! Reads objects through one long-lived `git cat-file --batch`, which knows packs, deltas and alternates.
//!
//! It looks at the repository again before it calls an object missing, so it sees packs that came after it.
//! It ends when its input closes: with this value, or with this process however that ends.

use super::command::{Sync, git, in_repository, not_started};
use super::error::{GitError, GitErrorKind};
use super::object::{Kind, ObjectFormat};
use baton_record::Oid;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

#[derive(Debug)]
pub(super) struct CatFile {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// Why there is no object.
pub(super) enum NoObject {
    /// The program died or talks nonsense: another one may do better.
    Broken(String),
    /// This is the answer.
    Answer(GitError),
}

impl CatFile {
    pub(super) fn start(repository: &Path) -> Result<CatFile, GitError> {
        let mut command = git(Sync::None);
        in_repository(&mut command, repository);
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| not_started(&command, &error))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("the pipe was asked for");
        Ok(CatFile { child, stdin, stdout: BufReader::with_capacity(1 << 16, stdout) })
    }

    /// Kind and content of an object, with its name proven.
    pub(super) fn read(&mut self, format: ObjectFormat, oid: Oid) -> Result<(Kind, Vec<u8>), NoObject> {
        let broken = |error: std::io::Error| NoObject::Broken(error.to_string());
        let stdin = self.stdin.as_mut().expect("open until the value is dropped");
        stdin.write_all(format!("{oid}\n").as_bytes()).map_err(broken)?;
        let mut line = String::new();
        self.stdout.read_line(&mut line).map_err(broken)?;
        let nonsense = || NoObject::Broken(format!("it answered `{}`", line.trim_end()));
        let mut words = line.strip_suffix('\n').ok_or_else(nonsense)?.split(' ');
        if words.next() != Some(&oid.to_hex()) {
            return Err(nonsense());
        }
        let kind = words.next().ok_or_else(nonsense)?;
        if kind == "missing" {
            let detail = format!("object {oid} is not in the repository");
            return Err(NoObject::Answer(GitError::new(GitErrorKind::MissingObject, detail)));
        }
        let size: u64 = words.next().and_then(|size| size.parse().ok()).ok_or_else(nonsense)?;
        let mut data = Vec::new();
        (&mut self.stdout).take(size + 1).read_to_end(&mut data).map_err(broken)?;
        if data.len() as u64 != size + 1 || data.pop() != Some(b'\n') {
            return Err(NoObject::Broken(format!("its answer for {oid} ends early")));
        }
        let unfit = |detail| NoObject::Answer(GitError::damaged(detail));
        let kind = Kind::of_name(kind).ok_or_else(|| unfit(format!("object {oid} is a {kind}")))?;
        if format.name_of(kind, &data) != oid {
            return Err(unfit(format!("object {oid} is stored with content of another name")));
        }
        Ok((kind, data))
    }
}

impl Drop for CatFile {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // Its end is all that matters, not how it ended.
        let _ = self.child.wait();
    }
}
