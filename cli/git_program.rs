//! Whether there is a git that can do what runs and checks need: asked once, before anything is made.
//!
//! Knows git by its version alone; how it is used is the business of others.

use std::process::{Command, Stdio};

/// `merge-tree --write-tree` with a base of the caller's choice.
const NEEDED: (u32, u32) = (2, 40);

/// What is wrong with git on this machine, with a cure; nothing if it will do.
pub(crate) fn complaint() -> Option<String> {
    let (major, minor) = NEEDED;
    let cure = format!("install git {major}.{minor} or newer and put it on the PATH");
    let said = match Command::new("git").arg("--version").stdin(Stdio::null()).output() {
        Ok(said) => String::from_utf8_lossy(&said.stdout).trim().to_owned(),
        Err(error) => return Some(format!("git cannot be started: {error}; {cure}")),
    };
    match version(&said) {
        Some(found) if found >= NEEDED => None,
        Some(_) => Some(format!("{said} is too old; {cure}")),
        None => Some(format!("the program `git` on the PATH does not say its version; {cure}")),
    }
}

/// `git version 2.47.3`, with whatever makers of distributions put behind it.
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.strip_prefix("git version ")?.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_however_they_end() {
        for (said, expected) in [
            ("git version 2.47.3", Some((2, 47))),
            ("git version 2.39.5 (Apple Git-154)", Some((2, 39))),
            ("git version 2.40.0.windows.1", Some((2, 40))),
            ("git version 2.50-rc1", Some((2, 50))),
            ("git version 3", None),
            ("busybox", None),
            ("", None),
        ] {
            assert_eq!(version(said), expected, "{said}");
        }
    }
}
