//! Names of files that mean something else than they look like.
//!
//! Owns what HFS+, APFS and NTFS make of a name: characters that they skip, case that they fold, ends that they cut off,
//! and the short name of `.git`. Knows no path: one name at a time.

/// Whether the name is `.git` on some file system.
pub(crate) fn is_git(name: &str) -> bool {
    if !name.contains(['.', '~']) && name.is_ascii() {
        return false;
    }
    let seen: String = name.chars().filter(|c| !is_ignorable(*c)).collect();
    let seen = folded(&seen);
    // NTFS cuts dots and spaces off, and what follows a colon is a stream of the same file.
    let seen = seen.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    let short = seen.strip_prefix("git~").is_some_and(|rest| rest.parse::<u32>().is_ok());
    seen == ".git" || short
}

/// Whether file systems disagree about the name. `.git` as such is plain.
pub(crate) fn is_disguised(name: &str, ignores_case: bool) -> bool {
    if matches!(name, "" | "." | "..") {
        return false;
    }
    if name.ends_with(['.', ' ']) || name.chars().any(is_ignorable) {
        return true;
    }
    is_short(name)
        || is_git(name) && !name.eq_ignore_ascii_case(".git")
        || ignores_case && name.chars().any(is_combining)
}

/// Whether NTFS may take the name for the short one of another file: up to six characters, `~` and a number, and an ending of
/// at most three.
fn is_short(name: &str) -> bool {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let Some((begin, number)) = stem.rsplit_once('~') else { return false };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    digits && !begin.is_empty() && begin.len() + number.len() <= 7 && ending.len() <= 3
}

/// The name with case taken out, so that two names that any file system takes for one come out equal.
pub(crate) fn folded(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.to_uppercase().to_lowercase()
}

/// Whether some file system takes the two names for one.
#[must_use]
pub fn same_name(a: &str, b: &str) -> bool {
    a == b || folded(a) == folded(b)
}

/// A character that HFS+ skips when it compares names, or that cannot be seen at all.
pub(crate) fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// A character that file systems compose with the one before it.
pub(crate) fn is_combining(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{1100}'..='\u{11ff}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{3099}' | '\u{309a}' | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_may_be_that_of_any_other_file() {
        for (name, short) in [
            ("SECRET~1", true),
            ("secret~1.md", true),
            ("NOTES~12", true),
            ("a~1", true),
            ("draft~", false),
            ("draft~one", false),
            ("~1", false),
            ("secrets~1", false),
            ("a~1.markdown", false),
        ] {
            assert_eq!(is_disguised(name, false), short, "{name:?}");
        }
    }

    #[test]
    fn git_is_known_in_every_disguise() {
        for name in [
            ".git",
            ".GIT",
            ".Git",
            ".g\u{200c}it",
            "\u{feff}.git",
            ".git\u{200d}",
            "git~1",
            "GIT~1",
            "git~2",
            ".git.",
            ".git ",
            ".git. .",
            ".git::$INDEX_ALLOCATION",
            ".git:x",
            ".g\u{131}t",
        ] {
            assert!(is_git(name), "{name:?}");
        }
        for name in ["git", ".gitignore", ".github", "x.git", "git~", "git~x", "..git", "digit"] {
            assert!(!is_git(name), "{name:?}");
        }
    }
}
