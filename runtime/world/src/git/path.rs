//! Which texts are paths of a tree: what git's own strict check accepts on every file system.

use super::edit::FileMode;
use super::error::{GitError, GitErrorKind};

/// Git warns of longer ones.
const PATH_BYTES_MAX: usize = 4096;
/// Directories are gone down into by recursion.
const PATH_PARTS_MAX: usize = 256;

/// Refuses what `git fsck --strict` would refuse.
pub(super) fn check(path: &str) -> Result<(), GitError> {
    let short = path.len() <= PATH_BYTES_MAX && path.split('/').count() <= PATH_PARTS_MAX;
    let sound = short && !path.contains('\0') && path.split('/').all(is_name);
    sound.then_some(()).ok_or_else(|| GitError::new(GitErrorKind::BadPath, format!("{path:?} is no path of a tree")))
}

/// Git reads these files itself and follows no link to do so.
pub(super) fn check_mode(path: &str, mode: FileMode) -> Result<(), GitError> {
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let read_by_git = matches!(name.as_str(), ".gitmodules" | ".gitattributes" | ".gitignore" | ".mailmap");
    if mode == FileMode::Symlink && read_by_git {
        return Err(GitError::new(GitErrorKind::BadPath, format!("{path:?} must not be a symbolic link")));
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.split(['\\', ':']).any(is_dot_git)
}

/// Whether some file system takes it for `.git`: by case, by trailing dots and spaces, by its short name, or by
/// characters that it ignores.
fn is_dot_git(name: &str) -> bool {
    let ignored = ['\u{200c}'..='\u{200f}', '\u{202a}'..='\u{202e}', '\u{206a}'..='\u{206f}', '\u{feff}'..='\u{feff}'];
    let seen = name.chars().filter(|c| !ignored.iter().any(|range| range.contains(c)));
    let seen = seen.collect::<String>().to_lowercase();
    matches!(seen.trim_end_matches(['.', ' ']), ".git" | "git~1")
}

/// Whether a path is meant by `below`: itself, `dir/**` or `**`. Gives the directory to look in, or the path alone.
pub(super) fn below(pattern: &str) -> Below<'_> {
    match pattern.strip_suffix("**") {
        Some("") => Below::Directory(""),
        Some(directory) if directory.ends_with('/') => Below::Directory(&directory[..directory.len() - 1]),
        _ => Below::Path(pattern),
    }
}

/// Where to look for files.
pub(super) enum Below<'p> {
    /// Everywhere in this directory; empty: in the whole tree.
    Directory(&'p str),
    /// At this path only.
    Path(&'p str),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_git_accepts_is_a_path() {
        for path in ["a", "a/b.md", "ä/ö", ".gitignore", "a\\b", "git", ".github/x", "a b", "x/.gitt"] {
            assert!(check(path).is_ok(), "{path:?}");
        }
        let long = "a/".repeat(256) + "a";
        for path in [
            "",
            "/a",
            "a/",
            "a//b",
            ".",
            "a/../b",
            ".git",
            "a/.GIT/x",
            ".git. ",
            "git~1",
            "a\\.git",
            ".g\u{200c}it",
            "a\0b",
            &long,
        ] {
            assert_eq!(check(path).unwrap_err().kind(), GitErrorKind::BadPath, "{path:?}");
        }
        assert!(check_mode("a/.gitmodules", FileMode::Symlink).is_err() && check_mode("a", FileMode::Symlink).is_ok());
    }
}
