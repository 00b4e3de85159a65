//! Reads objects through one long-lived `git cat-file --batch`, which knows packs, deltas and alternates.
//!
//! It looks at the repository again before it calls an object missing, so it sees packs that came after it. It ends
//! when its input closes: with this value, or with this process however that ends. One that died is replaced.

use super::command::{Sync, git, in_repository, not_started};
use super::error::{GitError, GitErrorKind};
use super::hold;
use super::object::{Kind, ObjectFormat};
use super::quarantine::quoted;
use baton_record::Oid;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::Mutex;

/// Reads the objects of one repository, one at a time. Starts its program with the first.
#[derive(Debug)]
pub(super) struct Reader {
    root: PathBuf,
    format: ObjectFormat,
    /// Another directory of objects, with the repository's own as its alternate.
    aside: Option<PathBuf>,
    running: Mutex<Option<CatFile>>,
}

#[derive(Debug)]
struct CatFile {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// Why there is no object.
enum NoObject {
    /// The program died or talks nonsense: another one may do better.
    Broken(String),
    /// This is the answer.
    Answer(GitError),
}

impl Reader {
    pub(super) fn new(root: &Path, format: ObjectFormat) -> Reader {
        Reader { root: root.to_owned(), format, aside: None, running: Mutex::new(None) }
    }

    /// A reader that sees the objects in `aside` too.
    pub(super) fn with_aside(root: &Path, format: ObjectFormat, aside: &Path) -> Reader {
        Reader { aside: Some(aside.to_owned()), ..Reader::new(root, format) }
    }

    /// Kind and content of an object, with its name proven.
    pub(super) fn read(&self, oid: Oid) -> Result<(Kind, Vec<u8>), GitError> {
        if oid.as_bytes().len() != self.format.hash_len() {
            let detail = format!("object {oid} is not in the repository, whose format is {}", self.format.name());
            return Err(GitError::new(GitErrorKind::MissingObject, detail));
        }
        let mut running = hold(&self.running);
        let mut trouble = String::new();
        for _ in 0..2 {
            let mut program = match running.take() {
                Some(program) => program,
                None => CatFile::start(&self.root, self.aside.as_deref())?,
            };
            let answer = match program.read(self.format, oid) {
                Ok(found) => Ok(found),
                Err(NoObject::Answer(error)) => Err(error),
                Err(NoObject::Broken(why)) => {
                    trouble = why;
                    continue;
                }
            };
            *running = Some(program);
            return answer;
        }
        let detail = format!("git cat-file does not give object {oid}: {trouble}");
        Err(GitError::new(GitErrorKind::GitFailed, detail))
    }
}

impl CatFile {
    fn start(repository: &Path, aside: Option<&Path>) -> Result<CatFile, GitError> {
        let mut command = git(Sync::None);
        if let Some(aside) = aside {
            command.env("GIT_OBJECT_DIRECTORY", aside);
            command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", quoted(&repository.join("objects")));
        }
        in_repository(&mut command, repository);
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| not_started(&command, &error))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("the pipe was asked for");
        Ok(CatFile { child, stdin, stdout: BufReader::with_capacity(1 << 16, stdout) })
    }

    fn read(&mut self, format: ObjectFormat, oid: Oid) -> Result<(Kind, Vec<u8>), NoObject> {
        let broken = |error: io::Error| NoObject::Broken(error.to_string());
        let stdin = self.stdin.as_mut().expect("open until the value is dropped");
        stdin.write_all(format!("{oid}\n").as_bytes()).map_err(broken)?;
        let mut line = String::new();
        self.stdout.read_line(&mut line).map_err(broken)?;
        let (kind, size) = read_head(&line, oid)?;
        let mut data = Vec::new();
        (&mut self.stdout).take(size + 1).read_to_end(&mut data).map_err(broken)?;
        if data.len() as u64 != size + 1 || data.pop() != Some(b'\n') {
            return Err(NoObject::Broken(format!("its answer for {oid} ends early")));
        }
        if format.name_of(kind, &data) != oid {
            let detail = format!("object {oid} is stored with content of another name");
            return Err(NoObject::Answer(GitError::damaged(detail)));
        }
        Ok((kind, data))
    }
}

/// Reads `<name> <kind> <size>`.
fn read_head(line: &str, oid: Oid) -> Result<(Kind, u64), NoObject> {
    let nonsense = || NoObject::Broken(format!("it answered `{}`", line.trim_end()));
    let rest = line.strip_suffix('\n').and_then(|line| line.strip_prefix(&format!("{oid} "))).ok_or_else(nonsense)?;
    if rest == "missing" {
        let detail = format!("object {oid} is not in the repository");
        return Err(NoObject::Answer(GitError::new(GitErrorKind::MissingObject, detail)));
    }
    let (kind, size) = rest.split_once(' ').ok_or_else(nonsense)?;
    let size = size.parse().map_err(|_| nonsense())?;
    match Kind::of_name(kind) {
        Some(kind) => Ok((kind, size)),
        // The rest of the answer is unread, so the program is of no more use.
        None => Err(NoObject::Broken(format!("the object is a {kind}"))),
    }
}

impl Drop for CatFile {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // Nothing that is still to be read may keep it from seeing its input closed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::{CommitMeta, Durability, Repository};
    use rustix::process::{Pid, getpgid};

    #[test]
    fn a_reader_that_died_is_replaced_and_none_is_in_our_process_group() {
        let directory = tempfile::tempdir().unwrap();
        let repository = Repository::init(directory.path(), ObjectFormat::Sha1, Durability::Buffered).unwrap();
        let (author, email) = ("a".to_owned(), "a@baton.invalid".to_owned());
        let meta = CommitMeta { author, email, time_s: 0, subject: "first".to_owned(), trailers: Vec::new() };
        let commit = repository.begin(&[], &meta).unwrap();
        let reader = Reader::new(directory.path(), ObjectFormat::Sha1);
        for _ in 0..3 {
            assert_eq!(reader.read(commit).unwrap().0, Kind::Commit);
            let mut running = hold(&reader.running);
            let program = running.as_mut().unwrap();
            let pid = Pid::from_child(&program.child);
            assert_eq!(getpgid(Some(pid)).unwrap(), pid);
            program.child.kill().unwrap();
            program.child.wait().unwrap();
        }
    }

    #[test]
    fn only_the_answer_that_was_asked_for_is_taken() {
        let oid = Oid::from_bytes(&[1; 20]).unwrap();
        assert!(matches!(read_head(&format!("{oid} tree 12\n"), oid), Ok((Kind::Tree, 12))));
        assert!(matches!(read_head(&format!("{oid} missing\n"), oid), Err(NoObject::Answer(_))));
        for odd in
            ["", "\n", "x missing\n", &format!("{oid} tree 12"), &format!("{oid} tree -1\n"), &format!("{oid} tag 1\n")]
        {
            assert!(matches!(read_head(odd, oid), Err(NoObject::Broken(_))), "{odd:?}");
        }
    }
}
