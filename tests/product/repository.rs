//! Repositories for tests, made by the git program with nothing of the machine's configuration.

use std::path::Path;
use std::process::Command;

/// Git without any configuration, in `place`.
pub(crate) fn git_command(place: &Path) -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"GIT_")) {
        command.env_remove(name);
    }
    for name in ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"] {
        command.env(name, "/dev/null");
    }
    for person in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{person}_NAME"), "ana").env(format!("GIT_{person}_EMAIL"), "ana@example.invalid");
        command.env(format!("GIT_{person}_DATE"), "1700000000 +0000");
    }
    command.current_dir(place);
    command
}

/// Runs git in `place`; gives what it printed. A git that fails, fails the test.
#[track_caller]
pub(crate) fn git(place: &Path, words: &[&str]) -> String {
    let output = git_command(place).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {words:?} in {}: {said}", place.display());
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// A new repository at `place` with these files in one commit.
pub(crate) fn repository(place: &Path, files: &[(&str, &[u8])]) {
    std::fs::create_dir_all(place).unwrap();
    git(place, &["init", "-q", "-b", "trunk"]);
    git(place, &["config", "core.autocrlf", "false"]);
    for (path, content) in files {
        let path = place.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    git(place, &["add", "-A"]);
    git(place, &["commit", "-q", "--allow-empty", "-m", "first"]);
}
