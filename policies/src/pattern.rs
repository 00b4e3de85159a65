//! Path patterns: a literal path, `dir/**`, or `**`.
//!
//! Owns their spelling and which paths and patterns they cover. Knows no disk and no rule: paths come here resolved.

use crate::path::names;
use std::fmt;

/// Bytes of a pattern.
const LENGTH_MAX: usize = 1_024;

/// Paths of a workspace: one, or everything below a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    /// The path or directory, as it was written; empty is the root.
    path: String,
    /// The same with case folded, for workspaces that ignore it.
    folded: String,
    /// Whether everything below is meant.
    below: bool,
}

impl Pattern {
    /// Reads `path`, `dir/**` or `**`.
    ///
    /// # Errors
    ///
    /// Says in words why the text is no pattern: it is absolute, leaves the workspace, names `.git`, or holds parts or
    /// characters that different file systems read differently.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (path, below) = match text {
            "**" => ("", true),
            _ => text.strip_suffix("/**").map_or((text, false), |directory| (directory, true)),
        };
        if text != "**" {
            literal(path)?;
        }
        Ok(Self { path: path.to_owned(), folded: names::folded(path), below })
    }

    /// Whether the path, which is resolved and relative, is among those that are meant.
    pub(crate) fn covers(&self, path: &str, ignores_case: bool) -> bool {
        if !ignores_case {
            return within(&self.path, self.below, path);
        }
        let plain = path.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
        if plain {
            within(&self.folded, self.below, path)
        } else {
            within(&self.folded, self.below, &names::folded(path))
        }
    }

    /// Whether the path or something below it is meant.
    pub(crate) fn touches(&self, path: &str, ignores_case: bool) -> bool {
        if self.covers(path, ignores_case) || path.is_empty() {
            return true;
        }
        let above = |path: &str, pattern: &str| path == pattern || within(path, true, pattern);
        if ignores_case { above(&names::folded(path), &self.folded) } else { above(path, &self.path) }
    }

    /// Whether everything below a directory is meant, which is resolved and relative; empty is the root.
    pub(crate) fn covers_below(&self, directory: &str, ignores_case: bool) -> bool {
        let below = |pattern: &str, directory: &str| {
            self.below && (pattern.is_empty() || pattern == directory || within(pattern, true, directory))
        };
        if ignores_case { below(&self.folded, &names::folded(directory)) } else { below(&self.path, directory) }
    }

    /// Whether every path that the other means is meant by this one.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        match (self.below, other.below) {
            (true, true) => self.path == other.path || within(&self.path, true, &other.path),
            (false, true) => false,
            (_, false) => within(&self.path, self.below, &other.path),
        }
    }

    /// Whether some path is meant by both, on a workspace that ignores case.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let reaches = |a: &Self, b: &Self| a.below && within(&a.folded, true, &b.folded);
        self.folded == other.folded && self.below == other.below || reaches(self, other) || reaches(other, self)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.below, self.path.is_empty()) {
            (true, true) => f.write_str("**"),
            (true, false) => write!(f, "{}/**", self.path),
            (false, _) => f.write_str(&self.path),
        }
    }
}

/// Whether the path is the pattern's own, or below its directory.
fn within(pattern: &str, below: bool, path: &str) -> bool {
    if !below {
        return pattern == path;
    }
    if pattern.is_empty() {
        return !path.is_empty();
    }
    path.strip_prefix(pattern).is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
}

/// Why a text is no path of a workspace.
fn literal(text: &str) -> Result<(), String> {
    let drive = text.len() > 1 && text.as_bytes()[0].is_ascii_alphabetic() && text.as_bytes()[1] == b':';
    let wrong = if text.is_empty() {
        "it is empty"
    } else if text.len() > LENGTH_MAX {
        "it is longer than 1,024 bytes"
    } else if text.starts_with('/') || text.starts_with('~') || drive {
        "it is absolute: paths are relative to the workspace"
    } else if text.contains('\\') {
        "it has a backslash: directories end with `/`"
    } else if text.chars().any(char::is_control) {
        "it has a control character"
    } else if text.contains(['*', '?', '[', ']', '{', '}']) {
        "only a path, `dir/**` and `**` are patterns"
    } else {
        return text.split('/').try_for_each(part);
    };
    Err(wrong.to_owned())
}

fn part(part: &str) -> Result<(), String> {
    let wrong = match part {
        "" => "it has an empty part",
        "." => "it has a part `.`",
        ".." => "it has a part `..`",
        _ if names::is_git(part) => "it names `.git`, which is nobody's to touch",
        _ if part.ends_with(['.', ' ']) => "a part ends with a dot or a space",
        _ if part.chars().any(names::is_ignorable) => "it has a character that cannot be seen",
        _ if part.chars().any(names::is_combining) => "it has a combining character: write the composed letter",
        _ => return Ok(()),
    };
    Err(wrong.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn a_directory_covers_what_is_below_it_and_not_itself() {
        for (text, path, covered) in [
            ("notes/**", "notes/a", true),
            ("notes/**", "notes/a/b", true),
            ("notes/**", "notes", false),
            ("notes/**", "notesx/a", false),
            ("notes/**", "a/notes/b", false),
            ("notes", "notes", true),
            ("notes", "notes/a", false),
            ("**", "a", true),
            ("**", "", false),
        ] {
            assert_eq!(pattern(text).covers(path, false), covered, "{text} {path}");
        }
    }

    #[test]
    fn case_counts_unless_the_workspace_ignores_it() {
        assert!(!pattern("Notes/**").covers("notes/a", false));
        assert!(pattern("Notes/**").covers("nOTES/A", true));
        assert!(pattern("straße/**").covers("STRASSE/a", true));
        assert!(pattern("keys/**").covers("\u{212a}eys/a", true), "the Kelvin sign is a k");
    }

    #[test]
    fn overlap_is_symmetric_and_inclusion_is_not() {
        for (a, b, overlap, includes) in [
            ("a/**", "a/b/**", true, true),
            ("a/**", "a/b", true, true),
            ("a/**", "a/**", true, true),
            ("a/**", "ab/**", false, false),
            ("a", "a", true, true),
            ("a", "a/**", false, false),
            ("**", "x/y", true, true),
            ("A/**", "a/b", true, false),
        ] {
            let (a, b) = (pattern(a), pattern(b));
            assert_eq!((a.overlaps(&b), b.overlaps(&a), a.includes(&b)), (overlap, overlap, includes), "{a} {b}");
        }
        assert!(!pattern("a/b/**").includes(&pattern("a/**")));
    }
}
