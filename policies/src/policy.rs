//! The verdict on an action: deny, then approve, then allow; what no rule allows is denied.
//!
//! Owns that order, and that file actions stay within `may-write` and `may-read`. Knows of commands only what taking
//! them apart has left, and of the disk only what [`Paths`] says.

use crate::command::{self, HARMLESS, Piece, Redirect, Word, reads};
use crate::path::{self, PathFault, Paths, Place};
use crate::pattern::Pattern;
use crate::rule::{FileTool, Rule, Subject};

/// What a role may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// What never happens.
    pub deny: Vec<Rule>,
    /// What waits for a person.
    pub approve: Vec<Rule>,
    /// What happens without further ado.
    pub allow: Vec<Rule>,
    /// Where files may be written, edited and deleted; no rule widens it.
    pub may_write: Vec<Pattern>,
    /// Where files may be read; no rule widens it.
    pub may_read: Vec<Pattern>,
}

/// Something that a lane wants to do. Paths are as the lane wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Read a file.
    Read(&'a str),
    /// Create or replace a file.
    Write(&'a str),
    /// Change a part of a file.
    Edit(&'a str),
    /// Remove a file, or a directory with all that is in it.
    Delete(&'a str),
    /// Run a shell command, from the workspace's root.
    Bash(&'a str),
    /// Move main.
    Land,
    /// Send refs to a remote.
    Push,
    /// Call a tool of an MCP server, by its whole name `mcp__server__tool`.
    Mcp(&'a str),
}

/// What becomes of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// It may happen.
    Allowed,
    /// It waits for a person.
    NeedsApproval,
    /// It does not happen.
    Denied,
}

/// A list of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// `baton-deny`.
    Deny,
    /// `baton-approve`.
    Approve,
    /// `allowed-tools`.
    Allow,
}

/// Why a decision is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A rule decided.
    Rule {
        /// The list in which it stands.
        list: List,
        /// Its index in that list, from 0.
        index: usize,
        /// The rule as it was written.
        text: String,
    },
    /// No rule allows it.
    NothingAllows,
    /// The file lies outside of may-write.
    OutsideMayWrite,
    /// The file lies outside of may-read.
    OutsideMayRead,
    /// The path is refused whatever the rules say.
    Path(PathFault),
    /// The command is refused whatever the rules say: it is too long or nested too deeply.
    TooLarge,
    /// The command cannot be taken apart with certainty, and `Bash` alone is not allowed, or another command is denied that
    /// this one may be; why, in words.
    Uncertain(&'static str),
    /// There is nothing in the command.
    Empty,
}

/// The answer to an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of it.
    pub decision: Decision,
    /// Why.
    pub reason: Reason,
    /// The part that decided: a resolved path, or one of the commands that the command is made of.
    pub part: String,
}

impl Verdict {
    fn denied(reason: Reason, part: &str) -> Self {
        Self { decision: Decision::Denied, reason, part: part.to_owned() }
    }

    fn by(rule: (usize, &Rule), list: List, part: &str) -> Self {
        let decision = match list {
            List::Deny => Decision::Denied,
            List::Approve => Decision::NeedsApproval,
            List::Allow => Decision::Allowed,
        };
        let reason = Reason::Rule { list, index: rule.0, text: rule.1.text().to_owned() };
        Self { decision, reason, part: part.to_owned() }
    }
}

impl Policy {
    /// Decides about an action. Asks the ground about every directory on the way to a file, and about nothing else.
    #[must_use]
    pub fn judge(&self, action: &Action<'_>, ground: &dyn Paths) -> Verdict {
        match *action {
            Action::Read(path) => self.file(FileTool::Read, path, ground),
            Action::Write(path) => self.file(FileTool::Write, path, ground),
            Action::Edit(path) => self.file(FileTool::Edit, path, ground),
            Action::Delete(path) => self.file(FileTool::Delete, path, ground),
            Action::Bash(text) => self.command(text, ground),
            Action::Land => self.simple("Land", |rule| rule.subject == Subject::Land),
            Action::Push => self.simple("Push", |rule| rule.subject == Subject::Push),
            Action::Mcp(name) => {
                self.simple(name, |rule| matches!(&rule.subject, Subject::Mcp(named) if named == name))
            }
        }
    }

    fn simple(&self, part: &str, named: impl Fn(&Rule) -> bool) -> Verdict {
        self.first(part, &named, &named)
    }

    /// The first rule in the order of the lists: `stops` for those that deny or wait, `lets` for those that allow.
    fn first(&self, part: &str, stops: &dyn Fn(&Rule) -> bool, lets: &dyn Fn(&Rule) -> bool) -> Verdict {
        if let Some(rule) = find(&self.deny, stops) {
            return Verdict::by(rule, List::Deny, part);
        }
        if let Some(rule) = find(&self.approve, stops) {
            return Verdict::by(rule, List::Approve, part);
        }
        match find(&self.allow, lets) {
            Some(rule) => Verdict::by(rule, List::Allow, part),
            None => Verdict::denied(Reason::NothingAllows, part),
        }
    }

    fn file(&self, tool: FileTool, path: &str, ground: &dyn Paths) -> Verdict {
        match path::resolve(path, "", ground) {
            Ok(place) => self.place(tool, &place, ground),
            Err(fault) => Verdict::denied(Reason::Path(fault), path),
        }
    }

    fn place(&self, tool: FileTool, place: &Place, ground: &dyn Paths) -> Verdict {
        let (folds, changes) = (ground.ignores_case(), tool != FileTool::Read);
        if changes && place.is_git() {
            return Verdict::denied(Reason::Path(PathFault::GitDirectory), &place.target);
        }
        if let Some(verdict) = stopped(&self.deny, List::Deny, tool, (place, folds)) {
            return verdict;
        }
        // Of a symlink that is read, only what it leads to is read.
        let touched = || place.really().take(if changes { 2 } else { 1 });
        let (limits, outside) =
            if changes { (&self.may_write, Reason::OutsideMayWrite) } else { (&self.may_read, Reason::OutsideMayRead) };
        if let Some(name) = touched().find(|name| !limits.iter().any(|pattern| pattern.covers(name, folds))) {
            return Verdict::denied(outside, name);
        }
        if let Some(verdict) = stopped(&self.approve, List::Approve, tool, (place, folds)) {
            return verdict;
        }
        let lets = |name: &str| {
            find(&self.allow, &|rule| match &rule.subject {
                Subject::File(of, pattern) => *of == tool && pattern.as_ref().is_none_or(|p| p.covers(name, folds)),
                _ => false,
            })
        };
        match (touched().find(|name| lets(name).is_none()), lets(&place.target)) {
            (None, Some(rule)) => Verdict::by(rule, List::Allow, &place.target),
            (name, _) => Verdict::denied(Reason::NothingAllows, name.unwrap_or(&place.target)),
        }
    }

    fn command(&self, text: &str, ground: &dyn Paths) -> Verdict {
        let shown = &text[..text.char_indices().nth(200).map_or(text.len(), |(at, _)| at)];
        let Some(taken) = command::take_apart(text, ground) else {
            return Verdict::denied(Reason::TooLarge, shown);
        };
        let mut worst: Option<Verdict> = None;
        // Of two denials the one that a rule speaks of says more.
        let weight = |verdict: &Verdict| (verdict.decision, matches!(verdict.reason, Reason::Rule { .. }));
        let mut weigh = |verdict: Verdict| {
            if worst.as_ref().is_none_or(|worst| weight(&verdict) > weight(worst)) {
                worst = Some(verdict);
            }
        };
        taken.pieces.iter().filter_map(|piece| self.piece(piece)).for_each(&mut weigh);
        taken.pieces.iter().filter_map(|piece| self.named_files(piece, ground)).for_each(&mut weigh);
        taken.pieces.iter().filter_map(|piece| self.written_files(piece, ground)).for_each(&mut weigh);
        taken.redirects.iter().map(|redirect| self.redirect(redirect, ground)).for_each(&mut weigh);
        if let Some(why) = taken.uncertain {
            weigh(self.uncertain(why, shown));
        }
        worst.unwrap_or_else(|| Verdict::denied(Reason::Empty, shown))
    }

    /// One simple command; `None` if nothing speaks against it and what it runs is judged as a piece of its own.
    fn piece(&self, piece: &Piece) -> Option<Verdict> {
        let part = piece.shown();
        let any = |rule: &Rule| rule.subject == Subject::AnyCommand;
        let stops = |rule: &Rule| any(rule) || rule.could_mean(&piece.words);
        let lets = |rule: &Rule| any(rule) || piece.doubt.is_none() && rule.allows_command(&piece.words);
        let verdict = self.first(&part, &stops, &lets);
        match (&verdict.reason, piece.doubt) {
            (Reason::NothingAllows, None) if piece.transparent => None,
            (Reason::NothingAllows, Some(why)) => Some(Verdict { reason: Reason::Uncertain(why), ..verdict }),
            _ => Some(verdict),
        }
    }

    /// What the arguments name as plain words is read as far as anybody can see: a denial of `Read` counts for it, and of
    /// programs that open what they are given, `may-read`. `None`: nothing speaks against it.
    fn named_files(&self, piece: &Piece, ground: &dyn Paths) -> Option<Verdict> {
        let (program, arguments) = piece.words.split_first()?;
        let reader = reads::is_reader(&program.text) && self.bounds_reading();
        let folds = ground.ignores_case();
        for word in arguments {
            for path in reads::paths_in(word) {
                let from = if path.starts_with('/') { Some("") } else { piece.directory.as_deref() };
                let Some(place) = from.and_then(|from| path::resolve(path, from, ground).ok()) else { continue };
                // Of a directory with something unknown behind it, anything may be meant that is in it.
                let deep = !word.known && !place.target.is_empty();
                let denied = stops(&self.deny, List::Deny, FileTool::Read, (&place, folds, deep));
                // That a denial of all reading is meant for what commands say is not to be seen.
                if let Some(verdict) = denied.filter(|_| !self.deny.iter().any(reads_nothing)) {
                    return Some(verdict);
                }
            }
            if let Some(verdict) = reader.then(|| self.opened(word, piece, ground)).flatten() {
                return Some(verdict);
            }
        }
        None
    }

    /// What a command writes by its arguments is written as by a redirection; `None`: nothing speaks against it.
    fn written_files(&self, piece: &Piece, ground: &dyn Paths) -> Option<Verdict> {
        let verdict = |(word, path): (&Word, &str)| {
            if word.known && HARMLESS.contains(&path) {
                return None;
            }
            if !word.known && !self.is_below(word, piece, (FileTool::Write, ground)) {
                return Some(Verdict::denied(Reason::Uncertain(OTHER_PATH), path));
            }
            let from = if path.starts_with('/') { "" } else { piece.directory.as_deref()? };
            Some(match path::resolve(path, from, ground) {
                Ok(place) => self.place(FileTool::Write, &place, ground),
                Err(fault) => Verdict::denied(Reason::Path(fault), path),
            })
        };
        let verdicts = reads::written(&piece.words).into_iter().filter_map(verdict);
        verdicts.max_by_key(|verdict| verdict.decision).filter(|verdict| verdict.decision != Decision::Allowed)
    }

    /// An argument of a program that opens what it is given; `None`: nothing speaks against it.
    fn opened(&self, word: &Word, piece: &Piece, ground: &dyn Paths) -> Option<Verdict> {
        // What `find` and `xargs` put there they have found by themselves.
        if word.text == FOUND {
            return None;
        }
        if !word.known {
            let below = self.is_below(word, piece, (FileTool::Read, ground));
            return (!below).then(|| Verdict::denied(Reason::Uncertain(OTHER_PATH), &word.text));
        }
        let option = word.text.starts_with(['-', '+']) || word.text.parse::<u64>().is_ok();
        if self.may_read.is_empty() || option || HARMLESS.contains(&word.text.as_str()) {
            return None;
        }
        let from = if word.text.starts_with('/') { "" } else { piece.directory.as_deref()? };
        let place = match path::resolve(&word.text, from, ground) {
            Ok(place) => place,
            Err(fault) => return Some(Verdict::denied(Reason::Path(fault), &word.text)),
        };
        let covered = |pattern: &Pattern| pattern.covers(&place.target, ground.ignores_case());
        let outside = !place.target.is_empty() && !self.may_read.iter().any(covered);
        outside.then(|| Verdict::denied(Reason::OutsideMayRead, &place.target))
    }

    /// Whether an argument that is not known is surely a file below a directory of which nothing is out of bounds: what
    /// patterns of files are, and neither `~` nor `{a,b}` nor what a variable holds.
    fn is_below(&self, word: &Word, piece: &Piece, (tool, ground): (FileTool, &dyn Paths)) -> bool {
        let directory = reads::directory_of_patterns(word).zip(piece.directory.as_deref());
        let place = directory.and_then(|(directory, from)| match directory {
            "" if from.is_empty() => Some(String::new()),
            "" => Some(from.to_owned()),
            _ => path::resolve(directory, from, ground).ok().map(|place| place.target),
        });
        let (Some(place), folds) = (place, ground.ignores_case()) else { return false };
        let limits = if tool == FileTool::Read { &self.may_read } else { &self.may_write };
        // Where no limit is given to reading, only denials are.
        let inside =
            tool == FileTool::Read && limits.is_empty() || limits.iter().any(|limit| limit.covers_below(&place, folds));
        let denied = |rule: &Rule| match &rule.subject {
            Subject::File(of, Some(pattern)) => of.forbids(tool) && pattern.touches(&place, folds),
            _ => false,
        };
        inside && !self.deny.iter().any(denied)
    }

    /// Whether some reading is out of bounds for what commands name.
    fn bounds_reading(&self) -> bool {
        let some = |rule: &Rule| matches!(&rule.subject, Subject::File(of, Some(_)) if of.forbids(FileTool::Read));
        !self.may_read.is_empty() || self.deny.iter().any(some)
    }

    /// A command of which not all is known: only `Bash` alone allows it, and nothing if any command is denied, for it may
    /// be that one. No rule has decided then: why it is not known is the reason.
    fn uncertain(&self, why: &'static str, part: &str) -> Verdict {
        let any = |rule: &Rule| rule.subject == Subject::AnyCommand;
        let verdict = self.first(part, &any, &any);
        let may_be = |rules: &[Rule]| rules.iter().any(Rule::is_about_commands);
        match verdict.decision {
            Decision::Allowed if may_be(&self.deny) => Verdict::denied(Reason::Uncertain(why), part),
            Decision::Allowed if may_be(&self.approve) => self.first(part, &Rule::is_about_commands, &any),
            Decision::Denied if matches!(verdict.reason, Reason::NothingAllows) => {
                Verdict::denied(Reason::Uncertain(why), part)
            }
            _ => verdict,
        }
    }

    fn redirect(&self, redirect: &Redirect, ground: &dyn Paths) -> Verdict {
        let tool = if redirect.writes { FileTool::Write } else { FileTool::Read };
        match &redirect.target {
            Ok(place) => self.place(tool, place, ground),
            Err(fault) => Verdict::denied(Reason::Path(*fault), &redirect.shown),
        }
    }
}

/// Where `find` and `xargs` put what they find.
const FOUND: &str = "{}";
/// Why an argument is not known.
const OTHER_PATH: &str = "an argument of which the shell makes other paths";

/// Whether a rule denies all reading.
fn reads_nothing(rule: &Rule) -> bool {
    matches!(rule.subject, Subject::File(FileTool::Read, None))
}

/// The verdict of the first rule of a list that stops the tool at one of the place's names.
fn stopped(rules: &[Rule], list: List, tool: FileTool, (place, folds): (&Place, bool)) -> Option<Verdict> {
    // To delete a directory is to delete what is in it.
    stops(rules, list, tool, (place, folds, tool == FileTool::Delete))
}

/// The same; `deep`: or at something below one of them.
fn stops(rules: &[Rule], list: List, tool: FileTool, (place, folds, deep): (&Place, bool, bool)) -> Option<Verdict> {
    rules.iter().enumerate().find_map(|(index, rule)| {
        let Subject::File(of, pattern) = &rule.subject else { return None };
        if !of.forbids(tool) {
            return None;
        }
        let Some(pattern) = pattern else { return Some(Verdict::by((index, rule), list, &place.target)) };
        let name =
            place.all().find(|name| if deep { pattern.touches(name, folds) } else { pattern.covers(name, folds) });
        name.map(|name| Verdict::by((index, rule), list, name))
    })
}

fn find<'a>(rules: &'a [Rule], fits: &dyn Fn(&Rule) -> bool) -> Option<(usize, &'a Rule)> {
    rules.iter().enumerate().find(|(_, rule)| fits(rule))
}
