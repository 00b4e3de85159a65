//! What a verb answers: text for stdout and an exit code. The only place that writes to stdout and stderr.
//!
//! stdout is data and has to arrive; stderr is talk, and nothing depends on whether somebody hears it.

use crate::visible::visible;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

/// The exit code when what is to be written cannot be written though all went well: as with every disk that refuses.
pub(crate) const UNWRITTEN: u8 = 5;

/// What is said on stdout in the end, and the exit code.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    text: String,
    code: u8,
    kept: Option<String>,
}

impl Answer {
    /// Nothing to say yet.
    pub(crate) fn new(code: u8) -> Answer {
        Answer { code, ..Answer::default() }
    }

    /// One text, and all is well.
    pub(crate) fn of(text: &str) -> Answer {
        let mut answer = Answer::new(0);
        answer.line(text);
        answer
    }

    /// One more line.
    pub(crate) fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// One more line, in which stand names that are not ours.
    pub(crate) fn shown(&mut self, text: &str) {
        self.line(&visible(text));
    }

    /// Where the same can be found if it cannot be written.
    pub(crate) fn kept_in(mut self, place: String) -> Answer {
        self.kept = Some(place);
        self
    }

    /// Says it, and gives the exit code.
    pub(crate) fn deliver(self) -> ExitCode {
        let mut out = io::stdout().lock();
        let written = out.write_all(self.text.as_bytes()).and_then(|()| out.flush());
        ExitCode::from(code(written, self.code, self.kept.as_deref()))
    }
}

/// What clap says by itself: help and version.
pub(crate) fn printed(written: io::Result<()>) -> ExitCode {
    let flushed = written.and_then(|()| io::stdout().flush());
    ExitCode::from(code(flushed, 0, None))
}

fn code(written: io::Result<()>, code: u8, kept: Option<&str>) -> u8 {
    let Some(error) = failure(written) else { return code };
    talk(&format!("error: the answer cannot be written to stdout: {error}"));
    if let Some(kept) = kept {
        talk(&format!("help: it is kept in {kept}"));
    }
    unwritten(code)
}

/// A reader who has gone away wanted no more: then the code alone says what came of it.
fn failure(written: io::Result<()>) -> Option<io::Error> {
    written.err().filter(|error| error.kind() != ErrorKind::BrokenPipe)
}

/// What nobody can read is not passed off as success; a worse reason stays.
fn unwritten(code: u8) -> u8 {
    if code == 0 { UNWRITTEN } else { code }
}

/// A line on stderr, or several.
pub(crate) fn talk(text: &str) {
    mutter(&format!("{text}\n"));
}

/// The same, where names stand in it that are not ours.
pub(crate) fn talk_shown(text: &str) {
    talk(&visible(text));
}

/// Text on stderr, as it is.
pub(crate) fn mutter(text: &str) {
    let mut stderr = io::stderr().lock();
    // Nobody can be told that nobody can be told.
    drop(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_success_that_nobody_can_read_changes_its_code() {
        assert_eq!([0, 1, 3, 5, 7].map(unwritten), [5, 1, 3, 5, 7]);
        assert!(failure(Ok(())).is_none() && failure(Err(ErrorKind::BrokenPipe.into())).is_none());
        assert!(failure(Err(ErrorKind::StorageFull.into())).is_some());
    }
}
