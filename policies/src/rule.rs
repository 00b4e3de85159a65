//! Rules: `Tool` or `Tool(spec)`.
//!
//! Owns their spelling, and which actions and which other rules one covers. Knows nothing of the order in which rules
//! are asked, nor of how a command is taken apart.

use crate::command::{Word, wrappers};
use crate::pattern::Pattern;
use std::fmt;

/// Bytes of a rule.
const LENGTH_MAX: usize = 2_048;

/// The tools that change files, read them, or run commands; those of MCP servers have names of their own.
pub(crate) const TOOLS: [&str; 7] = ["Read", "Write", "Edit", "Delete", "Bash", "Land", "Push"];

/// One entry of a list of allowed, denied or approved actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    text: String,
    pub(crate) subject: Subject,
}

/// What a rule speaks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Files; without a pattern all of them.
    File(FileTool, Option<Pattern>),
    /// Any command.
    AnyCommand,
    /// Commands that begin with these words, or are just these.
    Command { words: Vec<String>, prefix: bool },
    /// Moving main.
    Land,
    /// Sending to a remote.
    Push,
    /// A tool of an MCP server, by its whole name.
    Mcp(String),
}

/// What is done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileTool {
    Read,
    Write,
    Edit,
    Delete,
}

impl FileTool {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Read" => Self::Read,
            "Write" => Self::Write,
            "Edit" => Self::Edit,
            "Delete" => Self::Delete,
            _ => return None,
        })
    }

    /// Whether a rule that forbids this tool forbids the other: no writing means no change of any kind.
    pub(crate) fn forbids(self, other: Self) -> bool {
        self == other || self == Self::Write && other != Self::Read
    }
}

impl Rule {
    /// Reads `Tool`, `Tool(pattern)`, `Bash(words)`, `Bash(words:*)` or `mcp__server__tool`.
    ///
    /// # Errors
    ///
    /// Says in words what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LENGTH_MAX {
            return Err(format!("a rule has at most {LENGTH_MAX} bytes"));
        }
        let (tool, spec) = match text.split_once('(') {
            None => (text, None),
            Some((tool, rest)) => {
                let spec = rest.strip_suffix(')').ok_or("the parenthesis is not closed at the end of the rule")?;
                (tool, Some(spec))
            }
        };
        Ok(Self { text: text.to_owned(), subject: subject(tool, spec)? })
    }

    /// The rule as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether everything that the other rule allows is forbidden by this one.
    pub(crate) fn hides(&self, other: &Self) -> bool {
        match (&self.subject, &other.subject) {
            (Subject::File(tool, pattern), Subject::File(of, other)) => {
                let all = match (pattern, other) {
                    (None, _) => true,
                    (Some(pattern), Some(other)) => pattern.includes(other),
                    (Some(_), None) => false,
                };
                tool.forbids(*of) && all
            }
            (Subject::AnyCommand, Subject::AnyCommand | Subject::Command { .. }) => true,
            (Subject::Command { words, prefix }, Subject::Command { words: of, prefix: longer }) => {
                if *prefix {
                    of.starts_with(words)
                } else {
                    !longer && words == of
                }
            }
            (Subject::Push, Subject::Command { words, .. }) => {
                words.starts_with(&["git".to_owned(), "push".to_owned()])
            }
            (a, b) => a == b,
        }
    }

    /// Whether an allowed command is what this rule names: surely, word by word.
    pub(crate) fn allows_command(&self, command: &[Word]) -> bool {
        let Subject::Command { words, prefix } = &self.subject else { return false };
        let enough = if *prefix { command.len() >= words.len() } else { command.len() == words.len() };
        let same = |(at, (word, of)): (usize, (&String, &Word))| {
            of.known && (*word == of.text || at == 0 && !word.contains('/') && wrappers::installed(&of.text) == word)
        };
        enough && words.iter().zip(command).enumerate().all(same)
    }

    /// Whether a forbidden command could be what this rule names, whatever its unknown words turn out to be.
    pub(crate) fn could_mean(&self, command: &[Word]) -> bool {
        match &self.subject {
            Subject::AnyCommand => true,
            Subject::Command { words, prefix } => could_begin(words, *prefix, command),
            Subject::Push => ["push", "send-pack", "http-push"]
                .iter()
                .any(|word| could_begin(&["git".to_owned(), (*word).to_owned()], true, command)),
            _ => false,
        }
    }

    /// Whether a command that cannot be taken apart could be what this rule names.
    pub(crate) fn is_about_commands(&self) -> bool {
        matches!(self.subject, Subject::AnyCommand | Subject::Command { .. } | Subject::Push)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a command begins with the words: any path and case of the program, options between the words skipped.
fn could_begin(words: &[String], prefix: bool, command: &[Word]) -> bool {
    let Some((program, rest)) = words.split_first() else { return true };
    let Some((first, arguments)) = command.split_first() else { return false };
    if !first.known {
        return true;
    }
    let program = if program.contains('/') { program.clone() } else { wrappers::program(program) };
    let named = if program.contains('/') { first.text == program } else { wrappers::program(&first.text) == program };
    named && (could_follow(rest, prefix, arguments) || could_follow_options(rest, prefix, arguments))
}

fn could_follow(words: &[String], prefix: bool, arguments: &[Word]) -> bool {
    for (at, word) in words.iter().enumerate() {
        match arguments.get(at) {
            None => return false,
            Some(argument) if !argument.known => return true,
            Some(argument) if argument.text != *word => return false,
            Some(_) => {}
        }
    }
    prefix || arguments.len() == words.len() || arguments.iter().any(|argument| !argument.known)
}

/// As above, but options and what may be their values may stand before each word.
fn could_follow_options(words: &[String], prefix: bool, arguments: &[Word]) -> bool {
    let mut words = words.iter();
    let Some(mut awaited) = words.next() else { return prefix };
    let mut value = false;
    for argument in arguments {
        if !argument.known {
            return true;
        }
        if argument.text == *awaited {
            match words.next() {
                None => return prefix,
                Some(next) => awaited = next,
            }
            value = false;
        } else if argument.text.starts_with(['-', '+']) {
            value = true;
        } else if value {
            value = false;
        } else {
            return false;
        }
    }
    false
}

fn subject(tool: &str, spec: Option<&str>) -> Result<Subject, String> {
    if let Some(file) = FileTool::named(tool) {
        let pattern = spec.map(Pattern::parse).transpose().map_err(|why| format!("the pattern is wrong: {why}"))?;
        return Ok(Subject::File(file, pattern));
    }
    match (tool, spec) {
        ("Bash", None) => Ok(Subject::AnyCommand),
        ("Bash", Some(spec)) => command(spec),
        ("Land", None) => Ok(Subject::Land),
        ("Push", None) => Ok(Subject::Push),
        ("Land" | "Push", Some(_)) => Err(format!("`{tool}` stands alone, without parentheses")),
        (_, spec) if tool.starts_with("mcp__") => mcp(tool, spec),
        _ => Err(unknown(tool)),
    }
}

fn command(spec: &str) -> Result<Subject, String> {
    let (text, prefix) = spec.strip_suffix(":*").map_or((spec, false), |text| (text, true));
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    if words.is_empty() || text == "*" {
        return Err("name the command, or write `Bash` alone for any command".to_owned());
    }
    if text.chars().any(|c| c.is_control() || "*?[]{}()<>;&|$`'\"\\!#~".contains(c)) && !matches!(text, "[" | "[[") {
        return Err(
            "a rule names plain words: `Bash(git log:*)` for a beginning, `Bash(cargo test)` for just this".into()
        );
    }
    if words[0].contains('=') {
        return Err("an assignment is no command: name the command that follows it".to_owned());
    }
    Ok(Subject::Command { words, prefix })
}

fn mcp(tool: &str, spec: Option<&str>) -> Result<Subject, String> {
    let named =
        tool["mcp__".len()..].split_once("__").is_some_and(|(server, tool)| !server.is_empty() && !tool.is_empty());
    let plain = tool.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if named && plain && spec.is_none() {
        return Ok(Subject::Mcp(tool.to_owned()));
    }
    Err("a tool of an MCP server is named `mcp__server__tool`, in letters, digits, `_`, `-` and `.`".to_owned())
}

fn unknown(tool: &str) -> String {
    let near = TOOLS.iter().find(|known| strsim::damerau_levenshtein(&tool.to_lowercase(), &known.to_lowercase()) <= 2);
    match near.filter(|_| tool.len() < 32) {
        Some(near) => format!("there is no such tool; did you mean `{near}`?"),
        None => format!("there is no such tool; tools are {} and `mcp__server__tool`", TOOLS.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_mean_nothing_are_refused() {
        for text in [
            "",
            "read",
            "Reed",
            "Read(",
            "Read()",
            "Read(/etc/**)",
            "Write(../x)",
            "Write(a/.git/x)",
            "Bash()",
            "Bash(*)",
            "Bash(:*)",
            "Bash(git*)",
            "Bash(a; b)",
            "Bash(a && b)",
            "Bash(echo $X)",
            "Bash(X=1 git)",
            "Land(main)",
            "Push(origin)",
            "mcp__",
            "mcp__a",
            "mcp____b",
            "mcp__a__b(c)",
            "mcp__a__*",
            "Read(a)b",
            "Bash(git log:*) x",
        ] {
            assert!(Rule::parse(text).is_err(), "{text:?}");
        }
        assert!(Rule::parse("reed").unwrap_err().contains("did you mean `Read`"));
    }

    #[test]
    fn a_rule_is_shown_as_it_was_written() {
        for text in [
            "Read",
            "Write(notes/**)",
            "Edit(a.md)",
            "Bash",
            "Bash(git log:*)",
            "Bash(cargo test)",
            "Land",
            "mcp__a__b_c",
        ] {
            assert_eq!(Rule::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_wider_denial_hides_an_allowance() {
        for (deny, allow, hidden) in [
            ("Bash", "Bash(git log:*)", true),
            ("Bash(git:*)", "Bash(git log:*)", true),
            ("Bash(git log:*)", "Bash(git:*)", false),
            ("Bash(git)", "Bash(git:*)", false),
            ("Write(a/**)", "Edit(a/b)", true),
            ("Edit(a/**)", "Write(a/b)", false),
            ("Write(a/**)", "Write", false),
            ("Read", "Write", false),
            ("Push", "Bash(git push:*)", true),
            ("Land", "Land", true),
        ] {
            let hides = Rule::parse(deny).unwrap().hides(&Rule::parse(allow).unwrap());
            assert_eq!(hides, hidden, "{deny} {allow}");
        }
    }
}
