//! Paths and patterns inside a repository, and which of them overlap.
//!
//! Owns their spelling: a literal path, `dir/**`, or `**`. Knows no disk: whether a file exists is not its business.

use super::codes::Code;
use super::faults::Sink;
use super::scalar::{Field, shown};
use std::collections::BTreeSet;
use std::ops::Bound;

/// Bytes of a path.
const LENGTH_MAX: usize = 1_024;

impl Field<'_> {
    /// The path of one file.
    pub(crate) fn path(&self, sink: &mut Sink) -> Option<String> {
        let scalar = self.scalar(sink, "a path: `notes/index.md`")?;
        let wrong = match literal(scalar.text) {
            _ if directory(scalar.text).is_some() => {
                Some(("it stands for many files", "name one file: `notes/index.md`".to_owned()))
            }
            wrong => wrong,
        };
        self.path_or_fault(sink, wrong, scalar.text)
    }

    /// A path, `dir/**` or `**`.
    pub(crate) fn pattern(&self, sink: &mut Sink) -> Option<String> {
        let scalar = self.scalar(sink, "a path or pattern: `notes/**`")?;
        let wrong = match directory(scalar.text) {
            Some("") => None,
            Some(directory) => literal(directory),
            None => literal(scalar.text),
        };
        self.path_or_fault(sink, wrong, scalar.text)
    }

    fn path_or_fault(&self, sink: &mut Sink, wrong: Option<(&str, String)>, text: &str) -> Option<String> {
        let Some((reason, help)) = wrong else { return Some(text.to_owned()) };
        sink.error(Code::BadPath, self.node.span, format!("{} is not a path of the repository", shown(text)))
            .label(reason)
            .help(help);
        None
    }
}

/// The directory of `dir/**`; of `**` the root, which is empty.
fn directory(pattern: &str) -> Option<&str> {
    if pattern == "**" { Some("") } else { pattern.strip_suffix("/**") }
}

/// Why a text is no path of the repository, and the cure.
fn literal(text: &str) -> Option<(&'static str, String)> {
    let mut parts = text.split('/');
    let bytes = text.as_bytes();
    let drive = bytes.len() > 1 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
    let short = |help: String| if help.len() > 200 { "write a path like `notes/index.md`".to_owned() } else { help };
    let wrong = if text.is_empty() {
        ("it is empty", "write a path like `notes/index.md`".to_owned())
    } else if text.len() > LENGTH_MAX {
        ("it is too long", format!("a path has at most {LENGTH_MAX} bytes"))
    } else if text.contains('\\') {
        ("it has a backslash", short(format!("write `{}`", text.replace('\\', "/"))))
    } else if text.starts_with('/') || drive {
        ("it is absolute", "write it relative to the root of the repository".to_owned())
    } else if text.contains(['*', '?']) {
        ("it has a wildcard in another place than `/**` at its end", short(widened(text)))
    } else if text.ends_with('/') {
        ("it ends with a slash", short(format!("write `{text}**` for everything below it")))
    } else if parts.clone().any(str::is_empty) {
        ("it has an empty part", "write one `/` between two names".to_owned())
    } else if parts.clone().any(|part| part == "." || part == "..") {
        ("it has a part `.` or `..`", "write it relative to the root of the repository".to_owned())
    } else if parts.any(|part| part.eq_ignore_ascii_case(".git")) {
        ("it lies in `.git`", "only files that are kept in the repository can be touched".to_owned())
    } else if text.chars().any(char::is_control) || text.trim() != text {
        ("it has white space at its ends or control characters", "delete them".to_owned())
    } else {
        return None;
    };
    Some(wrong)
}

/// Whether a text is the path of one file, written as this product writes it.
pub(crate) fn is_literal(text: &str) -> bool {
    literal(text).is_none()
}

/// The directory above the first wildcard, as a pattern.
fn widened(text: &str) -> String {
    let before = text.split(['*', '?']).next().unwrap_or_default();
    match before.rsplit_once('/') {
        Some((directory, _)) if !directory.is_empty() => format!("write `{directory}/**` or a whole path"),
        _ => "write `**` or a whole path".to_owned(),
    }
}

/// Whether one file is all that a well-formed pattern names.
pub(crate) fn is_one_file(pattern: &str) -> bool {
    directory(pattern).is_none()
}

/// Whether the file `path` is named by a well-formed pattern.
pub(crate) fn covers(pattern: &str, path: &str) -> bool {
    match directory(pattern) {
        Some("") => true,
        Some(directory) => path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/')),
        None => pattern == path,
    }
}

/// A set of patterns that can be asked for overlaps in logarithmic time.
#[derive(Default)]
pub(crate) struct Overlaps {
    files: BTreeSet<String>,
    /// With a slash at the end; the root is empty.
    directories: BTreeSet<String>,
}

impl Overlaps {
    /// Adds a well-formed pattern.
    pub(crate) fn add(&mut self, pattern: &str) {
        match directory(pattern) {
            Some("") => self.directories.insert(String::new()),
            Some(directory) => self.directories.insert(format!("{directory}/")),
            None => self.files.insert(pattern.to_owned()),
        };
    }

    /// Whether any file could be named by a well-formed pattern and by one of the set.
    pub(crate) fn meet(&self, pattern: &str) -> bool {
        let below = match directory(pattern) {
            Some("") => return !self.files.is_empty() || !self.directories.is_empty(),
            Some(directory) => format!("{directory}/"),
            None => return self.files.contains(pattern) || self.above(pattern),
        };
        begins(&self.files, &below) || begins(&self.directories, &below) || self.above(&below)
    }

    /// Whether a directory of the set lies above `path`.
    fn above(&self, path: &str) -> bool {
        let cuts = path.match_indices('/').map(|(at, _)| at + 1);
        std::iter::once(0).chain(cuts).any(|cut| self.directories.contains(&path[..cut]))
    }
}

fn begins(set: &BTreeSet<String>, prefix: &str) -> bool {
    let from = (Bound::Included(prefix), Bound::Unbounded);
    set.range::<str, _>(from).next().is_some_and(|first| first.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_are_those_of_the_files_named() {
        let patterns = ["**", "a/**", "a/b/**", "a/b", "a/b/c", "ab/**", "a", "ab", "b/a"];
        let files = ["a", "ab", "b", "a/b", "a/b/c", "a/x", "ab/c", "b/a", "a/b/d"];
        for one in patterns {
            let mut set = Overlaps::default();
            set.add(one);
            for other in patterns {
                let both = files.iter().any(|file| covers(one, file) && covers(other, file));
                assert_eq!(set.meet(other), both, "{one} and {other}");
            }
        }
        assert!(!Overlaps::default().meet("**"));
    }

    #[test]
    fn only_paths_of_the_repository_are_paths() {
        for good in ["a", "notes/note-000.md", "a b/c", "ü/ß", ".github/x", ".gitignore", "[id].tsx"] {
            assert!(literal(good).is_none(), "{good}");
        }
        for bad in ["", "/a", "a\\b", "a//b", "a/", "../a", "a/./b", ".git/config", "x/.GIT/y", "C:/a", "a*", " a"] {
            assert!(literal(bad).is_some(), "{bad}");
        }
    }
}
