//! Owns what a skill file says a role may do, as far as ROLE-1 needs it: its rules and patterns, read with code of its
//! own, and whether a path, a command or a tool is among what a rule names.
//!
//! Deliberately does not take commands apart: of a command it knows only the words that stand in the record.

use saphyr_parser::{Event, Parser};
use std::collections::BTreeMap;

/// A rule: `Tool` or `Tool(spec)`.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) text: String,
    tool: String,
    spec: Option<String>,
}

/// What a role may do.
#[derive(Debug, Default)]
pub(crate) struct RoleFile {
    pub(crate) name: String,
    pub(crate) deny: Vec<Rule>,
    pub(crate) approve: Vec<Rule>,
    pub(crate) allow: Vec<Rule>,
    pub(crate) may_write: Vec<String>,
    pub(crate) may_read: Vec<String>,
    pub(crate) handoff_to: Vec<String>,
    /// Tokens.
    pub(crate) context_limit: Option<u64>,
}

impl RoleFile {
    /// Reads the front matter.
    pub(crate) fn read(bytes: &[u8]) -> Result<RoleFile, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
        let behind = text.strip_prefix("---").and_then(|rest| rest.split_once('\n')).map(|(_, rest)| rest);
        let behind = behind.ok_or("does not begin with front matter")?;
        let mut front = String::new();
        let mut ended = false;
        for line in behind.lines() {
            ended = line.trim_end() == "---";
            if ended {
                break;
            }
            front.push_str(line);
            front.push('\n');
        }
        if !ended {
            return Err("has front matter that does not end".to_owned());
        }
        let values = entries(&front)?;
        let of = |key: &str| values.get(key).map(String::as_str).unwrap_or_default();
        Ok(RoleFile {
            name: of("name").trim().to_owned(),
            deny: rules(of("baton-deny")),
            approve: rules(of("baton-approve")),
            allow: rules(of("allowed-tools")),
            may_write: words(of("baton-may-write")),
            may_read: words(of("baton-may-read")),
            handoff_to: words(of("baton-handoff-to")),
            context_limit: of("baton-context-limit").trim().parse().ok(),
        })
    }
}

/// Keys and texts of the outer mapping, and those under `metadata`.
fn entries(front: &str) -> Result<BTreeMap<String, String>, String> {
    let (mut values, mut key, mut depth) = (BTreeMap::new(), None, 0_u32);
    for event in Parser::new_from_str(front) {
        let (event, _) = event.map_err(|error| format!("has front matter that is no YAML: {error}"))?;
        match event {
            Event::MappingStart(..) => {
                depth += 1;
                key = None;
            }
            Event::MappingEnd => depth = depth.saturating_sub(1),
            Event::SequenceStart(..) | Event::Alias(_) => {
                return Err("has more than texts in its front matter".to_owned());
            }
            Event::Scalar(text, ..) => match key.take() {
                None => key = Some(text.into_owned()),
                Some(name) => {
                    let nested = name.starts_with("baton-");
                    if (nested && depth == 2) || (!nested && depth == 1) {
                        values.entry(name).or_insert_with(|| text.into_owned());
                    }
                }
            },
            _ => {}
        }
    }
    Ok(values)
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Entries between commas or white space, unless these stand in parentheses.
fn rules(text: &str) -> Vec<Rule> {
    let (mut all, mut one, mut inside) = (Vec::new(), String::new(), 0_u32);
    for c in text.chars().chain([',']) {
        match c {
            '(' => inside += 1,
            ')' => inside = inside.saturating_sub(1),
            _ => {}
        }
        if inside == 0 && (c == ',' || c.is_whitespace()) {
            all.extend(rule(std::mem::take(&mut one)));
        } else {
            one.push(c);
        }
    }
    all
}

fn rule(text: String) -> Option<Rule> {
    if text.is_empty() {
        return None;
    }
    let (tool, spec) = match text.split_once('(') {
        Some((tool, spec)) => (tool.to_owned(), Some(spec.trim_end_matches(')').to_owned())),
        None => (text.clone(), None),
    };
    Some(Rule { text, tool, spec })
}

/// How names are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Counts,
    Ignored,
}

fn plain(text: &str, case: Case) -> String {
    match case {
        Case::Counts => text.to_owned(),
        Case::Ignored => text.to_uppercase().to_lowercase(),
    }
}

/// Whether a pattern (`path`, `dir/**` or `**`) means the path.
pub(crate) fn covers(pattern: &str, path: &str, case: Case) -> bool {
    let (pattern, path) = (plain(pattern, case), plain(path, case));
    match pattern.strip_suffix("**") {
        Some("") => !path.is_empty(),
        Some(dir) => path.len() > dir.len() && path.starts_with(dir),
        None => pattern == path,
    }
}

/// Whether the path lies above what a pattern means: who deletes the one deletes the other.
fn above(pattern: &str, path: &str, case: Case) -> bool {
    let whole = format!("{}/", plain(path, case));
    let pattern = plain(pattern, case);
    path.is_empty() || pattern.starts_with(&whole) || pattern.trim_end_matches("/**") == plain(path, case)
}

impl Rule {
    /// Whether the rule stops a tool at a path, however case is taken.
    pub(crate) fn stops(&self, tool: &str, path: &str) -> bool {
        let changes = ["Write", "Edit", "Delete"].contains(&tool);
        if self.tool != tool && !(self.tool == "Write" && changes) {
            return false;
        }
        let Some(pattern) = &self.spec else { return true };
        let hit = |case| covers(pattern, path, case) || tool == "Delete" && above(pattern, path, case);
        hit(Case::Counts) || hit(Case::Ignored)
    }

    /// Whether the rule lets a tool work on a path, case taken as it is.
    pub(crate) fn lets(&self, tool: &str, path: &str) -> bool {
        self.tool == tool && self.spec.as_deref().is_none_or(|pattern| covers(pattern, path, Case::Counts))
    }

    /// Whether the rule names a tool as a whole.
    pub(crate) fn names(&self, tool: &str) -> bool {
        self.tool == tool && self.spec.is_none()
    }

    /// Whether it speaks of commands.
    pub(crate) fn is_of_commands(&self) -> bool {
        self.tool == "Bash" || self.tool == "Push"
    }

    fn command(&self) -> Option<(Vec<&str>, bool)> {
        match (self.tool.as_str(), &self.spec) {
            ("Push", _) => Some((vec!["git", "push"], true)),
            ("Bash", Some(spec)) => {
                let prefix = spec.strip_suffix(":*");
                Some((prefix.unwrap_or(spec).split_whitespace().collect(), prefix.is_some()))
            }
            _ => None,
        }
    }

    /// Whether the rule could stop these words: its own stand among them in this order, the program first.
    pub(crate) fn could_stop(&self, words: &[&str]) -> bool {
        let Some((own, _)) = self.command() else { return self.names("Bash") };
        let name = |word: &str| {
            let bare = word.rsplit('/').next().unwrap_or(word).to_lowercase();
            bare.strip_suffix(".exe").map(str::to_owned).unwrap_or(bare)
        };
        let (Some((program, rest)), Some((first, behind))) = (own.split_first(), words.split_first()) else {
            return false;
        };
        if self.tool == "Push" {
            // The same by other names.
            let sends = |word: &&&str| ["push", "send-pack", "http-push"].contains(*word);
            return name(first) == "git" && behind.iter().any(|word| sends(&word));
        }
        let mut behind = behind.iter();
        name(program) == name(first) && rest.iter().all(|word| behind.any(|found| found == word))
    }

    /// Whether the rule surely lets these words through.
    pub(crate) fn surely_lets(&self, words: &[&str]) -> bool {
        if self.names("Bash") {
            return true;
        }
        let Some((own, prefix)) = self.command().filter(|_| self.tool == "Bash") else { return false };
        words.starts_with(&own) && (prefix || words.len() == own.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "---\nname: a\nmetadata:\n  baton-deny: Land, Bash(git push:*)\n  baton-may-write: src/**, \
                        Cargo.toml\n  name: no\n  baton-may-read: >\n    **\nallowed-tools: Read Write(src/**)\n---\nx\n";

    #[test]
    fn a_file_is_read_as_it_is_meant() {
        let file = RoleFile::read(FILE.as_bytes()).unwrap();
        let texts = |rules: &[Rule]| rules.iter().map(|rule| rule.text.clone()).collect::<Vec<_>>();
        assert_eq!((file.name.as_str(), texts(&file.deny)), ("a", vec!["Land".into(), "Bash(git push:*)".into()]));
        assert_eq!(file.may_write, ["src/**", "Cargo.toml"]);
        assert_eq!(
            (file.may_read, texts(&file.allow)),
            (vec!["**".into()], vec!["Read".into(), "Write(src/**)".into()])
        );
        for broken in ["", "---\nname: a\n", "name: a\n", "---\nname: [a]\n---\n"] {
            assert!(RoleFile::read(broken.as_bytes()).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn rules_stop_what_they_name() {
        let rule = |text: &str| rule(text.to_owned()).unwrap();
        for (text, tool, path, stops) in [
            ("Write(a/**)", "Edit", "a/b", true),
            ("Write(a/**)", "Edit", "A/b", true),
            ("Edit(a/**)", "Write", "a/b", false),
            ("Delete(a/b)", "Delete", "a", true),
            ("Delete(a/**)", "Delete", "b", false),
            ("Read", "Write", "a", false),
        ] {
            assert_eq!(rule(text).stops(tool, path), stops, "{text} {tool} {path}");
        }
        for (text, words, stops) in [
            ("Bash(git push:*)", &["git", "-C", "x", "push"][..], true),
            ("Push", &["/usr/bin/GIT", "push"], true),
            ("Bash(git push:*)", &["git", "log"], false),
            ("Bash", &["anything"], true),
        ] {
            assert_eq!(rule(text).could_stop(words), stops, "{text} {words:?}");
        }
    }
}
