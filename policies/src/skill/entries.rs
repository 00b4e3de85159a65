//! What the keys of a skill file mean.
//!
//! Owns which keys there are and what their values may be. Knows no YAML.

use super::front::{Entry, Front, Value};
use super::{MERGER, Skill};
use crate::command::{reads, wrappers};
use crate::mistake::{self, Sink, shown};
use crate::pattern::Pattern;
use crate::policy::Policy;
use crate::rule::{FileTool, Rule, Subject};
use std::collections::BTreeMap;
use std::ops::Range;

const KEYS: [&str; 6] = ["name", "description", "license", "compatibility", "metadata", "allowed-tools"];
const ENTRIES: [&str; 10] = [
    "baton-mandate",
    "baton-inputs",
    "baton-outputs",
    "baton-may-write",
    "baton-may-read",
    "baton-deny",
    "baton-approve",
    "baton-stop",
    "baton-context-limit",
    "baton-handoff-to",
];

/// A rule and its place.
type Placed = (Rule, Range<usize>);

/// The role, as far as the entries tell; mistakes go into the sink.
pub(super) fn skill(folder: &str, front: Front, body: &str, sink: &mut Sink) -> Option<Skill> {
    known(&front, sink);
    let mut keys = Keys { front, sink };
    let name = keys.name(folder);
    let description = keys.description();
    let license = keys.value("license").map(|value| value.text);
    let compatibility = keys.compatibility();
    let mandate = keys.mandate();
    let stop = keys.stop();
    let context_limit = keys.context_limit();
    let inputs = keys.words("baton-inputs");
    let outputs = keys.words("baton-outputs");
    let handoff_to = keys.handoff(name.as_deref().unwrap_or(folder));
    let policy = keys.policy();
    let front = keys.front;
    let others = front.entries.into_iter().filter(|entry| entry.nested && !entry.key.starts_with("baton-"));
    let metadata: BTreeMap<String, String> = others.filter_map(|entry| Some((entry.key, entry.value?.text))).collect();
    Some(Skill {
        name: name?,
        description: description?,
        license,
        compatibility,
        mandate: mandate?,
        inputs,
        outputs,
        policy,
        stop,
        context_limit,
        handoff_to,
        metadata,
        body: body.to_owned(),
    })
}

/// Notes keys that the format does not know.
fn known(front: &Front, sink: &mut Sink) {
    for entry in &front.entries {
        let (key, span) = (entry.key.as_str(), entry.span.clone());
        if !entry.nested && !KEYS.contains(&key) {
            let message = format!("the standard knows no key {}", shown(key));
            let help = match (ENTRIES.contains(&key), near(key, &KEYS)) {
                (true, _) => format!("put {} under `metadata`, indented", shown(key)),
                (false, Some(near)) => format!("did you mean `{near}`?"),
                (false, None) => format!("keys are {}; all else stands under `metadata`", KEYS.join(", ")),
            };
            sink.note(mistake::UNKNOWN_KEY, span, message, &help);
        } else if entry.nested && !ENTRIES.contains(&key) {
            let close = near(key, &ENTRIES).filter(|_| key.len() > 8);
            if key.to_ascii_lowercase().starts_with("baton") || close.is_some() {
                let help = match close {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("entries are {}", ENTRIES.join(", ")),
                };
                sink.note(mistake::UNKNOWN_ENTRY, span, format!("Baton knows no entry {}", shown(key)), &help);
            }
        } else if !entry.nested && key == "metadata" && entry.value.is_some() {
            let help = "write the entries below it, indented, one key a line";
            sink.note(mistake::NOT_TEXT, span, "`metadata` is a text, not a mapping", help);
        }
    }
}

fn near<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    if key.len() > 64 {
        return None;
    }
    let distance = |known: &str| strsim::damerau_levenshtein(&key.to_lowercase().replace('_', "-"), known);
    let best = known.iter().min_by_key(|known| distance(known))?;
    (distance(best) <= 1 + best.len() / 5).then_some(best)
}

struct Keys<'a> {
    front: Front,
    sink: &'a mut Sink,
}

impl Keys<'_> {
    fn entry(&self, key: &str) -> Option<&Entry> {
        let nested = key.starts_with("baton-");
        self.front.entries.iter().find(|entry| entry.key == key && entry.nested == nested && !entry.again)
    }

    /// Whether `metadata` is there and is no mapping that could be read: what is missing may stand in it.
    fn metadata_unread(&self) -> bool {
        self.front.entries.iter().any(|entry| !entry.nested && entry.key == "metadata" && entry.value.is_none())
    }

    fn value(&self, key: &str) -> Option<Value> {
        self.entry(key).and_then(|entry| entry.value.clone())
    }

    /// Every value of the key: mistakes in a second one are told as well.
    fn values(&self, key: &str) -> Vec<Value> {
        let nested = key.starts_with("baton-");
        let same = self.front.entries.iter().filter(|entry| entry.key == key && entry.nested == nested);
        same.filter_map(|entry| entry.value.clone()).collect()
    }

    /// The value, or a mistake if the key is not there although all was read.
    fn needed(&mut self, key: &str, code: &'static str, help: &str) -> Option<Value> {
        if self.entry(key).is_none() {
            let unread = key.starts_with("baton-") && self.metadata_unread();
            if !self.front.cut && !unread {
                self.sink.note(code, self.front.span.clone(), format!("`{key}` is missing"), help);
            }
            return None;
        }
        let value = self.value(key)?;
        if value.text.trim().is_empty() {
            self.sink.note(code, value.span, format!("`{key}` is empty"), help);
            return None;
        }
        Some(Value { text: value.text.trim().to_owned(), ..value })
    }

    fn name(&mut self, folder: &str) -> Option<String> {
        let help = format!("write `name: {folder}`");
        let help = if is_name(folder) { help } else { "write `name:` and the folder's name".to_owned() };
        let value = self.needed("name", mistake::NAME, &help)?;
        if let Err(why) = name_shape(&value.text) {
            let help = "a name has at most 64 characters: lower-case letters, digits and single hyphens";
            self.sink.note(
                mistake::NAME,
                value.span.clone(),
                format!("{} is not a name: {why}", shown(&value.text)),
                help,
            );
        }
        if value.text != folder {
            let message = format!("the name is {}, but the folder is {}", shown(&value.text), shown(folder));
            self.sink.note(mistake::FOLDER, value.span, message, "name and folder are the same word");
        }
        Some(value.text)
    }

    fn description(&mut self) -> Option<String> {
        let help = "say in a sentence or two what the role does and when to use it";
        let value = self.needed("description", mistake::DESCRIPTION, help)?;
        let length = value.text.chars().count();
        if length > 1_024 {
            let message = format!("the description has {length} characters; 1,024 are allowed");
            self.sink.note(mistake::DESCRIPTION, value.span, message, help);
        }
        Some(value.text)
    }

    fn compatibility(&mut self) -> Option<String> {
        let value = self.value("compatibility")?;
        let length = value.text.trim().chars().count();
        if length == 0 || length > 500 {
            let message = format!("the compatibility has {length} characters; 1 to 500 are allowed");
            self.sink.note(mistake::COMPATIBILITY, value.span, message, "say in a sentence what the role needs");
        }
        Some(value.text)
    }

    fn mandate(&mut self) -> Option<String> {
        let help = "say in one sentence under `metadata` what the role is for";
        self.needed("baton-mandate", mistake::MANDATE, help).map(|value| value.text)
    }

    fn stop(&mut self) -> Vec<String> {
        let help = "say under `metadata` when the work is done, with `;` between conditions";
        let Some(value) = self.needed("baton-stop", mistake::STOP, help) else { return Vec::new() };
        let parts = value.text.split([';', '\n']).map(str::trim).filter(|part| !part.is_empty());
        let stop: Vec<String> = parts.map(str::to_owned).collect();
        if stop.is_empty() {
            self.sink.note(mistake::STOP, value.span, "`baton-stop` holds no condition", help);
        }
        stop
    }

    fn context_limit(&mut self) -> Option<u64> {
        let value = self.value("baton-context-limit")?;
        let digits = value.text.bytes().all(|byte| byte.is_ascii_digit());
        let limit = value.text.parse::<u64>().ok().filter(|limit| *limit > 0 && digits);
        if limit.is_none() {
            let message = format!("{} is not a number of tokens", shown(&value.text));
            self.sink.note(mistake::LIMIT, value.span, message, "write a whole number above 0: `\"120000\"`");
        }
        limit
    }

    fn words(&mut self, key: &str) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        let first = self.value(key).map(|value| value.span);
        for value in self.values(key) {
            for (word, span) in self.parts(&value, |c| c == ',' || c.is_whitespace()) {
                if let Err(why) = name_shape(&word) {
                    let message = format!("{} in `{key}` is not a word: {why}", shown(&word));
                    self.sink.note(
                        mistake::WORD,
                        span,
                        message,
                        "write words with commas between them: `plan, packet`",
                    );
                } else if Some(&value.span) == first.as_ref() && !words.contains(&word) {
                    words.push(word);
                }
            }
        }
        words
    }

    fn handoff(&mut self, name: &str) -> Vec<String> {
        let roles = self.words("baton-handoff-to");
        if let Some(value) = self.value("baton-handoff-to").filter(|_| roles.iter().any(|role| role == name)) {
            let help = "name other roles; a successor at the context limit is a matter of course";
            self.sink.note(mistake::HANDOFF, value.span, "the role hands work to itself", help);
        }
        roles
    }

    fn policy(&mut self) -> Policy {
        let (deny, approve) = (self.rules("baton-deny"), self.rules("baton-approve"));
        let allow = self.rules("allowed-tools");
        for (rule, span) in &allow {
            if let Some((denial, _)) = deny.iter().find(|(denial, _)| denial.hides(rule)) {
                let message = format!("`{rule}` is never reached: `{denial}` denies all of it");
                self.sink.note(mistake::UNREACHABLE, span.clone(), message, "narrow the denial, or drop the allowance");
            }
            if let Subject::Command { words, .. } = &rule.subject
                && words.len() > 1
                && wrappers::is_transparent(&wrappers::program(&words[0]))
            {
                let message = format!("`{rule}` never allows anything: `{}` is taken apart", words[0]);
                self.sink.note(mistake::RULE, span.clone(), message, "name the command that it runs");
            }
        }
        let may_read = self.patterns("baton-may-read");
        self.doubtful(&allow, &deny, &may_read);
        let plain = |rules: Vec<Placed>| rules.into_iter().map(|(rule, _)| rule).collect();
        Policy {
            deny: plain(deny),
            approve: plain(approve),
            allow: plain(allow),
            may_write: self.patterns("baton-may-write"),
            may_read,
        }
    }

    /// Allowances that a person should look at: of what only the merger may, and of commands that read past `may-read`.
    fn doubtful(&mut self, allow: &[Placed], deny: &[Placed], may_read: &[Pattern]) {
        let is_merger = self.value("name").is_some_and(|value| value.text.trim() == MERGER);
        let denied = |rule: &Rule| deny.iter().any(|(denial, _)| denial.hides(rule));
        let keeps = deny.iter().find(|(denial, _)| matches!(denial.subject, Subject::File(FileTool::Read, _)));
        let everything = may_read.iter().any(|pattern| pattern.to_string() == "**");
        let kept = match keeps {
            Some((denial, _)) => Some(format!("`{denial}` denies")),
            None => {
                (!everything && self.entry("baton-may-read").is_some()).then(|| "`baton-may-read` leaves out".into())
            }
        };
        for (rule, span) in allow.iter().filter(|(rule, _)| !denied(rule)) {
            match &rule.subject {
                Subject::Land if !is_merger => {
                    let help = "drop it, unless this file is to bind the merger";
                    self.sink.note(mistake::LANDS, span.clone(), "the role may `Land`, and only the merger may", help);
                }
                subject if pushes(subject) => {
                    let message = format!("`{rule}` lets the role push past the merger without asking");
                    self.sink.note(mistake::PUSHES, span.clone(), message, "drop it, or put it under `baton-approve`");
                }
                _ => {}
            }
            if let Some(kept) = kept.as_ref().filter(|_| reads::past_the_boundary(rule)) {
                let message = format!("`{rule}` can read what {kept}");
                self.sink.note(mistake::READS_ALL, span.clone(), message, "allow narrower commands, or `Read` instead");
            }
        }
    }

    fn rules(&mut self, key: &str) -> Vec<Placed> {
        let mut rules = Vec::new();
        for value in self.values(key) {
            let mut inside = 0_usize;
            let parts = self.parts(&value, |c| {
                match c {
                    '(' => inside += 1,
                    ')' => inside = inside.saturating_sub(1),
                    _ => {}
                }
                inside == 0 && (c == ',' || c.is_whitespace())
            });
            for (text, span) in parts {
                match Rule::parse(&text) {
                    Ok(rule) => rules.push((rule, span)),
                    Err(why) => {
                        let message = format!("{} in `{key}` is not a rule: {why}", shown(&text));
                        let code = if why.starts_with("the pattern") { mistake::PATTERN } else { mistake::RULE };
                        self.sink.note(
                            code,
                            span,
                            message,
                            "write `Tool` or `Tool(spec)`: `Read Write(notes/**) Bash(git log:*)`",
                        );
                    }
                }
            }
        }
        rules
    }

    fn patterns(&mut self, key: &str) -> Vec<Pattern> {
        let mut patterns = Vec::new();
        for value in self.values(key) {
            for (text, span) in self.parts(&value, |c| c == ',' || matches!(c, ' ' | '\t' | '\n')) {
                match Pattern::parse(&text) {
                    Ok(pattern) => patterns.push(pattern),
                    Err(why) => {
                        let message = format!("{} in `{key}` is not a pattern: {why}", shown(&text));
                        self.sink.note(
                            mistake::PATTERN,
                            span,
                            message,
                            "write paths of the workspace: `notes/**, README.md`",
                        );
                    }
                }
            }
        }
        patterns
    }

    /// The parts of a list, each with its place, which is the whole value's if that holds escapes or several lines.
    fn parts(&self, value: &Value, mut separates: impl FnMut(char) -> bool) -> Vec<(String, Range<usize>)> {
        let length = value.span.len();
        let begin = match length.checked_sub(value.text.len()) {
            Some(0) => Some(value.span.start),
            Some(2) => Some(value.span.start + 1),
            _ => None,
        };
        let place = |from: usize, to: usize| begin.map_or(value.span.clone(), |begin| begin + from..begin + to);
        let (mut parts, mut from) = (Vec::new(), 0);
        for (at, c) in value.text.char_indices().chain([(value.text.len(), ',')]) {
            let ends = separates(c) || at == value.text.len();
            if ends && at > from {
                parts.push((value.text[from..at].to_owned(), place(from, at)));
            }
            if ends {
                from = at + c.len_utf8();
            }
        }
        parts
    }
}

/// Whether a rule allows to send to a remote, by name.
fn pushes(subject: &Subject) -> bool {
    match subject {
        Subject::Push => true,
        Subject::Command { words, .. } => {
            words.len() > 1 && wrappers::program(&words[0]) == "git" && words[1] == "push"
        }
        _ => false,
    }
}

fn is_name(text: &str) -> bool {
    name_shape(text).is_ok()
}

/// Why a text is no name.
fn name_shape(text: &str) -> Result<(), &'static str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.chars().count() > 64 {
        Err("it has more than 64 characters")
    } else if !text.bytes().all(plain) {
        Err("it has other characters than lower-case letters, digits and hyphens")
    } else if text.starts_with('-') || text.ends_with('-') {
        Err("it has a hyphen at an end")
    } else if text.contains("--") {
        Err("it has two hyphens in a row")
    } else if text.is_empty() {
        Err("it is empty")
    } else {
        Ok(())
    }
}
