//! How a git program is started: with nothing of the host but PATH, and out of reach of the terminal.

use super::error::{GitError, GitErrorKind};
use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What git is to do about syncing what it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sync {
    /// Nothing: it only reads, or what it writes is thrown away.
    None,
    /// Everything, before it ends.
    All,
}

impl Sync {
    fn word(self) -> &'static str {
        match self {
            Sync::None => "none",
            Sync::All => "all",
        }
    }
}

/// A git command that sees no configuration but the repository's own and ours. It has its own process group, so that an
/// interrupt typed at the terminal reaches only us; its streams are closed until the caller opens them.
pub(super) fn git(sync: Sync) -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_git(name)) {
        command.env_remove(name);
    }
    let settings = [
        ("safe.directory", "*"),
        ("core.hooksPath", "/dev/null"),
        ("core.fsync", sync.word()),
        ("core.fsmonitor", "false"),
        ("advice.graftFileDeprecated", "false"),
        ("gc.auto", "0"),
        ("maintenance.auto", "false"),
    ];
    command.env("GIT_CONFIG_COUNT", settings.len().to_string());
    for (at, (key, value)) in settings.into_iter().enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{at}"), key).env(format!("GIT_CONFIG_VALUE_{at}"), value);
    }
    for name in ["GIT_CONFIG_NOSYSTEM", "GIT_ATTR_NOSYSTEM", "GIT_NO_REPLACE_OBJECTS", "GIT_NO_LAZY_FETCH"] {
        command.env(name, "1");
    }
    for name in ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_GRAFT_FILE"] {
        command.env(name, "/dev/null");
    }
    command.env("GIT_TERMINAL_PROMPT", "0").env("HOME", "/nonexistent").env("XDG_CONFIG_HOME", "/nonexistent");
    command.env("TZ", "UTC").env("LC_ALL", "C").env_remove("LANGUAGE");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command
}

/// A git command in a repository of the person's: with their configuration, without their hooks, and out of reach of what
/// a caller that is itself a git hook has in its environment.
pub(super) fn person_git(sync: Sync) -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| says_where(name)) {
        command.env_remove(name);
    }
    let settings = [
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "gc.auto=0",
        "maintenance.auto=false",
        // Repositories of submodules are the person's, and a checkout of ours is none of theirs.
        "submodule.recurse=false",
    ];
    for setting in settings {
        command.args(["-c", setting]);
    }
    command.args(["-c", &format!("core.fsync={}", sync.word()), "--literal-pathspecs", "--no-replace-objects"]);
    command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").env_remove("LANGUAGE");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command
}

/// Variables by which git hands a repository to its hooks, and those by which a person says who they are stay.
fn says_where(name: &OsStr) -> bool {
    const KEPT: [&str; 4] = ["GIT_CONFIG", "GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_SSH"];
    is_of_git(name) && !KEPT.iter().any(|kept| name.as_encoded_bytes().starts_with(kept.as_bytes()))
}

fn is_of_git(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"GIT_")
}

/// The option that names the repository, so that git looks for none.
pub(super) fn in_repository(command: &mut Command, path: &Path) {
    let mut option = std::ffi::OsString::from("--git-dir=");
    option.push(path);
    command.arg(option);
}

/// Runs it to its end and keeps what it printed.
pub(super) fn output(command: &mut Command) -> Result<Output, GitError> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().map_err(|error| not_started(command, &error))
}

pub(super) fn not_started(command: &Command, error: &io::Error) -> GitError {
    let program = command.get_program().display();
    let kind = if error.kind() == io::ErrorKind::NotFound { GitErrorKind::NoGit } else { GitErrorKind::Io };
    GitError::new(kind, format!("cannot start the program `{program}`: {error}"))
}

/// What git says where the operating system has refused something.
const DISK: [&str; 5] = [
    "No space left on device",
    "Out of diskspace",
    "Read-only file system",
    "Permission denied",
    "Disk quota exceeded",
];
/// What it says of a repository that has lost something.
const DAMAGE: [&str; 9] = [
    "corrupt",
    "missing",
    "bad object",
    "bad tree",
    "bad sha1",
    "unable to read",
    "could not read",
    "unable to find",
    "inflate",
];

/// What it says where it was to sign and could not.
const SIGNING: [&str; 5] = [
    "failed to sign the data",
    "signing failed",
    "Couldn't load public key",
    "Couldn't find key",
    "needs to be configured for ssh signing",
];

/// The error for a git command that ended in a way that it should not.
pub(super) fn failed(doing: &str, output: &Output) -> GitError {
    let said = first_lines(&output.stderr);
    let text = String::from_utf8_lossy(&output.stderr);
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let kind = match () {
        () if text.contains(".lock': File exists") => GitErrorKind::Locked,
        () if has(&SIGNING) => GitErrorKind::NotSigned,
        () if has(&DISK) => GitErrorKind::Io,
        () if text.trim().is_empty() || has(&DAMAGE) => GitErrorKind::GitFailed,
        () => GitErrorKind::GitRefused,
    };
    GitError::new(kind, format!("git cannot {doing} ({}): {said}", output.status))
}

/// What a program said, on one line.
pub(super) fn first_lines(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    // What gpg tells programs stands before what it tells people.
    let told = |line: &&str| !line.is_empty() && !line.starts_with("[GNUPG:]");
    let lines: Vec<_> = text.lines().map(str::trim).filter(told).take(3).collect();
    if lines.is_empty() { "it said nothing".to_owned() } else { lines.join(" / ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_told_from_other_failures() {
        let error = output(&mut Command::new("/nonexistent/git")).unwrap_err();
        assert_eq!(error.kind(), GitErrorKind::NoGit);
        assert!(error.to_string().contains("install git"), "{error}");
    }

    #[test]
    fn a_lock_that_stays_and_a_signature_that_fails_have_cures_of_their_own() {
        let status = std::os::unix::process::ExitStatusExt::from_raw(128 << 8);
        let said = |stderr: &str| {
            let output = Output { status, stdout: Vec::new(), stderr: stderr.as_bytes().to_vec() };
            failed("do it", &output).to_string()
        };
        let error = said(
            "fatal: update_ref failed: cannot lock ref: Unable to create '/r/.git/refs/heads/main.lock': File exists.\n\nAnother git process seems to be running\n",
        );
        assert!(error.contains("/r/.git/refs/heads/main.lock") && error.contains("delete that file"), "{error}");
        let gpg = "error: gpg failed to sign the data:\n[GNUPG:] KEY_CONSIDERED 1 0\n[GNUPG:] BEGIN_SIGNING H8\ngpg: signing failed: No secret key\nfatal: failed to write commit object\n";
        let error = said(gpg);
        assert!(error.contains("No secret key") && error.contains("user.signingkey"), "{error}");
    }

    #[test]
    fn nothing_of_the_host_but_the_path_is_handed_on() {
        let command = git(Sync::All);
        let envs: Vec<_> = command.get_envs().map(|(name, value)| (name.to_owned(), value.is_some())).collect();
        assert!(envs.iter().all(|(name, set)| *set || name == "LANGUAGE" || is_of_git(name)), "{envs:?}");
    }
}
