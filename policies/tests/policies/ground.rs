//! A workspace with symlinks, and two policies for it.

use baton_policies::{Decision, Paths, Pattern, Policy, Rule};
use std::collections::BTreeMap;

pub(crate) const A: Decision = Decision::Allowed;
pub(crate) const P: Decision = Decision::NeedsApproval;
pub(crate) const D: Decision = Decision::Denied;

pub(crate) struct Ground {
    links: BTreeMap<&'static str, &'static str>,
    ignores_case: bool,
}

impl Paths for Ground {
    fn root(&self) -> &str {
        "/srv/repo"
    }
    fn link(&self, path: &str) -> Option<String> {
        self.links.get(path).map(|target| (*target).to_owned())
    }
    fn ignores_case(&self) -> bool {
        self.ignores_case
    }
}

pub(crate) fn ground(ignores_case: bool) -> Ground {
    let links = [
        ("notes/out", "/etc"),
        ("notes/up", "../.."),
        ("notes/src", "../src"),
        ("notes/git", "../.git"),
        ("notes/secret", "keys/id"),
        ("notes/round", "round"),
        ("notes/a", "b"),
        ("notes/b", "a"),
        ("notes/home", "/srv/repo/notes/real"),
        ("src/notes", "../notes"),
        ("src/file", "../notes/x"),
        ("exit", "/tmp"),
    ];
    Ground { links: links.into_iter().collect(), ignores_case }
}

pub(crate) fn rules(texts: &[&str]) -> Vec<Rule> {
    texts.iter().map(|text| Rule::parse(text).unwrap()).collect()
}

pub(crate) fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| Pattern::parse(text).unwrap()).collect()
}

/// Some commands, notes to write, keys to keep.
pub(crate) fn narrow() -> Policy {
    Policy {
        deny: rules(&[
            "Bash(git push:*)",
            "Write(notes/keys/**)",
            "Read(notes/keys/**)",
            "Bash(cargo publish)",
            "mcp__db__drop",
        ]),
        approve: rules(&["Bash(rm:*)", "Delete(notes/**)", "Push"]),
        allow: rules(&[
            "Read",
            "Write",
            "Edit(notes/**)",
            "Delete",
            "Bash(git log:*)",
            "Bash(git status:*)",
            "Bash(echo:*)",
            "Bash(cd:*)",
            "Bash(cat:*)",
            "Bash(cargo test)",
            "Bash(ls:*)",
            "Bash(find:*)",
            "Bash(git commit:*)",
            "Bash(git fetch:*)",
            "Land",
            "mcp__db__read",
            "Bash(./check.sh:*)",
            "Bash(true)",
            "Bash([:*)",
        ]),
        may_write: patterns(&["notes/**"]),
        may_read: patterns(&["notes/**", "src/**", "README.md"]),
    }
}

/// Any command, but no push.
pub(crate) fn wide() -> Policy {
    Policy { allow: rules(&["Bash", "Write"]), deny: rules(&["Bash(git push:*)"]), ..narrow() }
}
