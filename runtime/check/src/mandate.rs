//! Owns ROLE-1 against the evidence: the skill files in the run folder are those that the journal names, every denial is
//! one that the role's file gives, and what every landed change really did is what its author's file allows.
//!
//! Deliberately does not know who did what when; [`crate::roles`] does.

use crate::changes::Changes;
use crate::lanes::Lanes;
use crate::main_line::MainLine;
use crate::report::Judgement;
use crate::repository::{Delta, Repository};
use crate::role_file::{Case, RoleFile, Rule, covers};
use crate::roles::{Denied, MERGER, Roles};
use crate::run_folder::RunFolder;
use baton_record::{ChangeId, Oid};
use std::collections::{BTreeMap, BTreeSet};

/// The mode of a symbolic link in a tree.
const LINK: u32 = 0o120_000;

/// The skill files of a run, by role.
pub(crate) struct Mandates {
    files: BTreeMap<String, RoleFile>,
    /// By role: its skill's name.
    skills: BTreeMap<String, String>,
}

/// Reads what binds the roles, and says what is wrong with it.
pub(crate) fn read(roles: &Roles, folder: &RunFolder, role_1: &mut Judgement) -> Mandates {
    let (mut files, mut skills) = (BTreeMap::new(), BTreeMap::new());
    for (role, bound) in &roles.bound {
        role_1.claim(role == MERGER || roles.has_lanes(role), || format!("{role} is bound, and is no role of the run"));
        skills.insert(role.clone(), bound.skill.clone());
        let read = folder.skill(&bound.skill, &bound.digest).and_then(|bytes| RoleFile::read(&bytes));
        match read {
            Ok(file) if file.name == bound.skill => drop(files.insert(role.clone(), file)),
            Ok(file) => {
                role_1.breaks(|| format!("the skill file of {role} is called {}, not {}", file.name, bound.skill))
            }
            Err(why) => role_1.breaks(|| format!("the skill file of {role} {why}")),
        }
    }
    let named: BTreeSet<&str> = roles.bound.values().map(|bound| bound.skill.as_str()).collect();
    match folder.skills() {
        Ok(found) => {
            if let Some(stranger) = found.iter().find(|name| !named.contains(name.as_str())) {
                role_1.breaks(|| format!("policies holds {stranger}, and no role is bound by it"));
            }
        }
        Err(why) => role_1.breaks(|| why),
    }
    Mandates { files, skills }
}

/// Whether a person has let exactly this change touch a path.
pub(crate) type LetPass<'a> = &'a dyn Fn(ChangeId, &str) -> bool;

impl Mandates {
    /// Whether any role is bound.
    pub(crate) fn any(&self) -> bool {
        !self.skills.is_empty()
    }

    /// Tokens of context that the role's file gives its lanes.
    pub(crate) fn context_limit(&self, role: &str) -> Option<u64> {
        self.files.get(role)?.context_limit
    }

    /// Every denial, and every hand-over, is one that the files give.
    pub(crate) fn judge_denials(&self, roles: &Roles, links: &[Vec<u8>], role_1: &mut Judgement) {
        for denied in &roles.denied {
            let Some(file) = self.files.get(&denied.role) else {
                let seq = denied.seq;
                if !self.skills.contains_key(&denied.role) {
                    role_1.breaks(|| format!("record {seq} denies something to {}, which nothing binds", denied.role));
                }
                continue;
            };
            let result = Denial { denied, file, links }.judge();
            role_1.claim(result.is_ok(), || format!("record {} {}", denied.seq, result.err().unwrap_or_default()));
        }
        for handed in &roles.handed {
            let may = self.files.get(&handed.from).is_none_or(|file| self.may_hand(file, &handed.to));
            role_1.claim(may == handed.accepted, || {
                let (seq, from, to) = (handed.seq, &handed.from, &handed.to);
                format!("record {seq}: a packet of {from} goes to {to} otherwise than the file of {from} says")
            });
        }
    }

    /// Whether a role may hand work to another, by the name of the role or of what binds it.
    fn may_hand(&self, file: &RoleFile, to: &str) -> bool {
        let skill = self.skills.get(to).map(String::as_str);
        file.handoff_to.iter().any(|named| named == to || Some(named.as_str()) == skill)
    }

    /// What every landed change really did.
    /// `let_pass`: whether a person has let a change touch a path.
    pub(crate) fn judge_landings(
        &self,
        (changes, lanes, let_pass): (&Changes, &Lanes, LetPass<'_>),
        line: &MainLine,
        repository: &Repository,
        role_1: &mut Judgement,
    ) -> Result<(), String> {
        let mut pairs = Vec::new();
        let mut about = Vec::new();
        for landing in &line.placed {
            let Some(change) = changes.get(landing.change) else { continue };
            if let Some(file) = self.files.get(MERGER) {
                let lands = file.allow.iter().any(|rule| rule.names("Land"));
                let stopped = file.deny.iter().chain(&file.approve).any(|rule| rule.names("Land"));
                role_1.claim(lands && !stopped, || format!("{} landed, and the merger may not land", landing.change));
            }
            let own = change.lane.and_then(|lane| lanes.name(lane));
            let Some(author) = change.submitted.author.as_deref().or(own) else { continue };
            let Some(file) = self.files.get(Roles::of_lane(author)) else { continue };
            let commit = line.commits.get(&change.submitted.commit);
            pairs.push((change.submitted.base, commit.map_or(change.submitted.commit, |commit| commit.tree)));
            about.push((landing.change, file));
        }
        let differences = repository.differences(&trees(pairs, repository)?)?;
        for ((change, file), deltas) in about.iter().zip(differences) {
            for delta in &deltas {
                let let_pass = |path: &str| let_pass(*change, path);
                let result = Landed { file, delta, repository, let_pass: &let_pass }.judge()?;
                role_1.claim(result.is_ok(), || {
                    let path = String::from_utf8_lossy(&delta.path);
                    format!("{change} landed, and its author's role {} `{path}`", result.err().unwrap_or_default())
                });
            }
        }
        Ok(())
    }

    /// Control run: what was written straight to main.
    pub(crate) fn judge_written(&self, written: &[(String, String)], role_1: &mut Judgement) {
        for (lane, path) in written {
            let Some(file) = self.files.get(Roles::of_lane(lane)) else { continue };
            let may = ["Write", "Edit", "Delete"].iter().any(|tool| may(file, tool, path).is_ok());
            role_1.claim(may, || format!("{lane} wrote `{path}`, which its role may not"));
        }
    }
}

/// Commits as their trees.
fn trees(pairs: Vec<(Oid, Oid)>, repository: &Repository) -> Result<Vec<(Oid, Oid)>, String> {
    let bases: Vec<Oid> = pairs.iter().map(|(base, _)| *base).collect();
    let commits = repository.commits(&bases)?;
    let tree = |((base, after), commit): (&(Oid, Oid), Option<crate::repository::Commit>)| {
        (commit.map_or(*base, |commit| commit.tree), *after)
    };
    Ok(pairs.iter().zip(commits).map(tree).collect())
}

/// What a role may do once a person has said yes.
const NEEDS_A_WORD: &str = "needs a person's word for";

/// Whether a role may use a tool on a path, without asking anybody.
fn may(file: &RoleFile, tool: &str, path: &str) -> Result<(), &'static str> {
    if file.deny.iter().any(|rule| rule.stops(tool, path)) {
        return Err("is denied");
    }
    let limits = if tool == "Read" { &file.may_read } else { &file.may_write };
    if !limits.iter().any(|pattern| covers(pattern, path, Case::Counts)) {
        return Err("has no mandate for");
    }
    if file.approve.iter().any(|rule| rule.stops(tool, path)) {
        return Err(NEEDS_A_WORD);
    }
    if file.allow.iter().any(|rule| rule.lets(tool, path)) { Ok(()) } else { Err("is not allowed") }
}

/// One path of a landed change.
struct Landed<'a> {
    file: &'a RoleFile,
    delta: &'a Delta,
    repository: &'a Repository,
    let_pass: &'a dyn Fn(&str) -> bool,
}

impl Landed<'_> {
    fn judge(&self) -> Result<Result<(), &'static str>, String> {
        let Ok(path) = std::str::from_utf8(&self.delta.path) else { return Ok(Err("cannot name")) };
        let tools: &[&str] = match (self.delta.before, self.delta.after) {
            (_, None) => &["Delete"],
            (None, Some(_)) => &["Write"],
            (Some(_), Some(_)) => &["Edit", "Write"],
        };
        let result = self.any(tools, path);
        let linked = self.delta.after.filter(|(mode, _)| *mode == LINK);
        let (Some((_, blob)), Ok(())) = (linked, result) else { return Ok(result) };
        let Some(target) = self.repository.text(blob)? else { return Ok(Err("cannot read where it is led by")) };
        Ok(match followed(path, &target) {
            Some(end) if self.any(tools, &end).is_ok() => Ok(()),
            _ => Err("may not write where it is led by"),
        })
    }

    /// Whether the role may use one of the tools, or a person has let it.
    fn any(&self, tools: &[&str], path: &str) -> Result<(), &'static str> {
        let mut all = tools.iter().map(|tool| may(self.file, tool, path));
        let passes = |result: &Result<(), &str>| match result {
            Ok(()) => true,
            Err(why) => *why == NEEDS_A_WORD && (self.let_pass)(path),
        };
        let first = all.next().unwrap_or(Ok(()));
        if passes(&first) || all.any(|result| passes(&result)) { Ok(()) } else { first }
    }
}

/// Where a link at the path leads, if that is in the tree.
fn followed(path: &str, target: &str) -> Option<String> {
    let mut at: Vec<&str> = path.split('/').collect();
    at.pop();
    if target.starts_with('/') {
        return None;
    }
    for part in target.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            at.pop()?;
        } else {
            at.push(part);
        }
    }
    Some(at.join("/"))
}

/// One denial beside the file that it is to come from.
struct Denial<'a> {
    denied: &'a Denied,
    file: &'a RoleFile,
    /// Paths of the links in the tree that the run began with.
    links: &'a [Vec<u8>],
}

const FILE_TOOLS: [&str; 4] = ["Read", "Write", "Edit", "Delete"];

/// Commands that run what they are given, or read.
const RUNS_OTHERS: [&str; 14] =
    ["sh", "bash", "dash", "zsh", "ksh", "env", "xargs", "coproc", "eval", "exec", "command", "sudo", "source", "."];

impl Denial<'_> {
    fn judge(&self) -> Result<(), &'static str> {
        let action = &self.denied.action;
        let ruled = matches!(action.reason.as_str(), "deny" | "not-approved");
        if action.rule.is_some() != ruled {
            return Err("names a rule where none decides, or none where one does");
        }
        self.speaks_of_its_path()?;
        match action.tool.as_str() {
            tool if FILE_TOOLS.contains(&tool) => self.file_tool(tool),
            "Bash" => self.command(),
            tool => self.tool(tool),
        }
    }

    /// The merger denies a path of the change, under the name that it has there unless a link leads elsewhere.
    fn speaks_of_its_path(&self) -> Result<(), &'static str> {
        let Denied { by_merger, path, action, .. } = self.denied;
        let own = path.as_ref().is_none_or(|path| *path == action.part) || !self.links.is_empty();
        let of_change = ["Write", "Edit", "Delete", "Land"].contains(&action.tool.as_str());
        if *by_merger && !(own && of_change) || !by_merger && action.tool == "Land" {
            return Err("denies what the merger does not look at, or names another path than the change");
        }
        Ok(())
    }

    /// The named rule, if it stands in the list that the reason speaks of.
    fn rule(&self) -> Result<Option<&Rule>, &'static str> {
        let action = &self.denied.action;
        let Some(text) = &action.rule else { return Ok(None) };
        let list = if action.reason == "deny" { &self.file.deny } else { &self.file.approve };
        let found = list.iter().find(|rule| rule.text == *text);
        found.map(Some).ok_or("names a rule that the role's file does not have there")
    }

    fn file_tool(&self, tool: &str) -> Result<(), &'static str> {
        let (part, reason) = (self.denied.action.part.as_str(), self.denied.action.reason.as_str());
        if reason == "path" {
            let fits = !is_clean(part) || self.behind_a_link(part);
            return if fits { Ok(()) } else { Err("refuses a path that is as good as any") };
        }
        if !is_clean(part) {
            return Err("judges a path that leads nowhere");
        }
        let (limits, limit) = match tool {
            "Read" => (&self.file.may_read, "outside-may-read"),
            _ => (&self.file.may_write, "outside-may-write"),
        };
        let within = |case| limits.iter().any(|pattern| covers(pattern, part, case));
        let right = match (self.rule()?, reason) {
            (Some(rule), _) => rule.stops(tool, part),
            (None, "nothing-allows") => {
                within(Case::Ignored) && !self.file.allow.iter().any(|rule| rule.lets(tool, part))
            }
            (None, reason) => reason == limit && !within(Case::Counts),
        };
        if right { Ok(()) } else { Err("denies what the role's file does not deny so") }
    }

    /// Whether the path leads through a link, or what it leads to does.
    fn behind_a_link(&self, part: &str) -> bool {
        let part = part.to_lowercase();
        let leads = |link: &Vec<u8>| {
            let link = String::from_utf8_lossy(link).to_lowercase();
            part == link || part.starts_with(&format!("{link}/"))
        };
        self.links.iter().any(leads)
    }

    fn command(&self) -> Result<(), &'static str> {
        let (part, reason) = (self.denied.action.part.as_str(), self.denied.action.reason.as_str());
        // Where words are cut, quoted or joined, only the whole command would tell.
        let simple = |c: char| c.is_ascii_alphanumeric() || " ./_-:=@,+%".contains(c);
        let words: Vec<&str> = part.split(' ').filter(|word| !word.is_empty()).collect();
        let certain = part.chars().all(simple) && words.first().is_some_and(|word| !RUNS_OTHERS.contains(word));
        // Settings and options can make a command run another.
        let certain = certain && !part.contains('=') && !words.iter().any(|word| word.starts_with('-'));
        let right = match (self.rule()?, reason) {
            (Some(rule), _) => {
                let of_path = FILE_TOOLS.iter().any(|tool| rule.stops(tool, part));
                of_path || rule.is_of_commands() && (!certain || rule.could_stop(&words))
            }
            (None, "nothing-allows") => {
                let lets = |rule: &Rule| rule.surely_lets(&words);
                !certain || !self.file.allow.iter().any(lets) || self.is_path_that_nothing_allows(part)
            }
            (None, "uncertain" | "empty") => {
                let denies = self.file.deny.iter().any(Rule::is_of_commands);
                denies || !self.file.allow.iter().any(|rule| rule.names("Bash"))
            }
            (None, "too-large") => part.len() >= 32,
            (None, "path") => true,
            (None, "outside-may-write") => !self.file.may_write.iter().any(|p| covers(p, part, Case::Counts)),
            (None, "outside-may-read") => !self.file.may_read.iter().any(|p| covers(p, part, Case::Counts)),
            _ => false,
        };
        if right { Ok(()) } else { Err("denies a command that the role's file does not deny so") }
    }

    /// What a redirection opens is judged as a file.
    fn is_path_that_nothing_allows(&self, part: &str) -> bool {
        let allows = |tool| self.file.allow.iter().any(|rule| rule.lets(tool, part));
        !allows("Write") || !allows("Read")
    }

    /// `Land`, `Push` or a tool of an MCP server.
    fn tool(&self, tool: &str) -> Result<(), &'static str> {
        let action = &self.denied.action;
        let known = ["Land", "Push"].contains(&tool) || tool.starts_with("mcp__");
        if !known || action.part != tool {
            return Err("denies a tool that is none");
        }
        let right = match (self.rule()?, action.reason.as_str()) {
            (Some(rule), _) => rule.names(tool),
            (None, "nothing-allows") => {
                let lists = [&self.file.deny, &self.file.approve, &self.file.allow];
                !lists.iter().any(|list| list.iter().any(|rule| rule.names(tool)))
            }
            _ => false,
        };
        if right { Ok(()) } else { Err("denies a tool that the role's file does not deny so") }
    }
}

/// Whether a name has the form of those that some disks give long names beside their own: `SECRET~1`.
fn is_short(name: &str) -> bool {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let parts = stem.rsplit_once('~').filter(|(begin, _)| !begin.is_empty());
    parts.is_some_and(|(begin, number)| {
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        digits && begin.len() + number.len() <= 7 && ending.len() <= 3
    })
}

/// Whether a path is one that every reader understands in one way: relative, without detours, nothing hidden in it.
fn is_clean(path: &str) -> bool {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
                | '\u{300}'..='\u{36f}' | '\u{1100}'..='\u{11ff}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
                | '\u{20d0}'..='\u{20ff}' | '\u{3099}' | '\u{309a}' | '\u{fe20}'..='\u{fe2f}'
                | '\u{e0000}'..='\u{e0fff}')
    };
    let part = |part: &str| {
        let name = part.to_uppercase().to_lowercase();
        let git = name.split(':').next().unwrap_or_default();
        let short = git.strip_prefix("git~").is_some_and(|rest| rest.parse::<u32>().is_ok()) || is_short(&name);
        !matches!(part, "" | "." | "..") && !part.ends_with(['.', ' ']) && git != ".git" && !short
    };
    path.is_empty()
        || path.len() <= 4_096 && !path.contains('\\') && !path.chars().any(hidden) && path.split('/').all(part)
}
