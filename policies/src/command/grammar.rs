//! The grammar of commands, as far as it says where a command begins.
//!
//! Owns lists, compound commands, redirections, and in which directory each command runs. Does not check what a shell
//! would refuse: too many commands found is safe, too few is not.

use super::word::{Reader, Word};
use super::{HARMLESS, Redirect, Shell, Stop, name};
use crate::path::{self, PathFault};

/// What ends a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The end of the text.
    Text,
    /// `)`.
    Parenthesis,
    /// `;;`, `;&`, `;;&` or `esac`.
    Branch,
}

/// How a command ended.
enum Ended {
    /// Something follows, or nothing.
    On,
    /// With `esac`, which begins here.
    Case(usize),
}

/// Reads a whole text.
pub(super) fn read(text: &str, shell: &mut Shell<'_>, depth: usize) -> Result<(), Stop> {
    let mut reader = Reader { text, at: 0, shell, depth, pending: Vec::new(), barred: false };
    reader.list(End::Text)?;
    if !reader.pending.is_empty() {
        return reader.give_up("a here-document that does not begin");
    }
    Ok(())
}

impl Reader<'_, '_, '_> {
    /// Reads commands up to the end; of a branch, `esac` is left for the caller.
    pub(super) fn list(&mut self, end: End) -> Result<(), Stop> {
        // Whether what was read of this chain has succeeded if the next command runs.
        let mut chained = true;
        loop {
            self.blanks()?;
            match self.byte() {
                None if end == End::Text => return Ok(()),
                None => return self.give_up("a bracket or `case` that is not closed"),
                Some(b'\n') => {
                    self.line_end()?;
                    chained = true;
                    self.after(";");
                    continue;
                }
                Some(b')') if end == End::Parenthesis => {
                    self.at += 1;
                    return Ok(());
                }
                _ => {}
            }
            if end == End::Branch && self.branch_ends() {
                return Ok(());
            }
            let before = self.at;
            if let Ended::Case(begin) = self.command(&mut chained)? {
                if end != End::Branch {
                    return self.give_up("`esac` without `case`");
                }
                self.at = begin;
                return Ok(());
            }
            self.blanks()?;
            let operator =
                ["&&", "||", "|&", ";;", ";&", "|", ";", "&"].into_iter().find(|token| self.rest().starts_with(token));
            match operator {
                Some(";;" | ";&") => continue_branch(self, end)?,
                Some(token) => {
                    self.at += token.len();
                    chained = token == "&&" && chained || matches!(token, ";" | "&");
                    self.after(if token == "|&" { "|" } else { token });
                }
                None if self.at == before => return self.give_up("an operator where none belongs"),
                None => {}
            }
        }
    }

    /// Whether a branch of `case` ends here.
    fn branch_ends(&mut self) -> bool {
        if self.take(";;&") || self.take(";;") || self.take(";&") {
            self.after(";");
            return true;
        }
        false
    }

    /// What an operator means for the directory of the next command.
    fn after(&mut self, operator: &str) {
        let shell = &mut *self.shell;
        match (operator, shell.entering.take()) {
            ("&&", Some(directory)) => shell.directory = directory,
            ("|", None) | ("&&", None) => {}
            _ if shell.moved => shell.directory = None,
            _ => {}
        }
    }

    /// One command, and the keywords before it.
    fn command(&mut self, chained: &mut bool) -> Result<Ended, Stop> {
        loop {
            self.blanks()?;
            if self.rest().starts_with("((") {
                let open = self.rest().bytes().take_while(|byte| *byte == b'(').count();
                self.shell.descend(self.depth + open)?;
                return self.give_up("arithmetic");
            }
            if self.take("(") {
                self.nested(|reader| reader.list(End::Parenthesis))?;
                return self.closed();
            }
            if self.at_redirection() {
                return self.simple(None, *chained);
            }
            let begin = self.at;
            let Some(word) = self.word()? else { return Ok(Ended::On) };
            if !word.known || word.quoted {
                return self.simple(Some(word), *chained);
            }
            match word.text.as_str() {
                "if" | "then" | "elif" | "else" | "do" | "{" => {}
                "while" | "until" => self.shell.loops = true,
                "!" => *chained = false,
                "time" => {
                    self.blanks()?;
                    let _ = self.take("-p ") || self.take("-- ");
                }
                "fi" | "done" | "}" => return self.closed(),
                "esac" => return Ok(Ended::Case(begin)),
                "for" | "select" => {
                    self.shell.loops = true;
                    self.loop_head()?;
                    return Ok(Ended::On);
                }
                "case" => {
                    self.case()?;
                    return self.closed();
                }
                "function" | "coproc" | "[[" => return self.give_up("a function, a coprocess or `[[`"),
                _ => return self.simple(Some(word), *chained),
            }
            self.blanks()?;
            while self.byte() == Some(b'\n') {
                self.line_end()?;
                self.blanks()?;
            }
        }
    }

    /// Behind a compound command: only redirections.
    fn closed(&mut self) -> Result<Ended, Stop> {
        loop {
            self.blanks()?;
            if self.at_redirection() {
                // It was opened before the command began, perhaps in another directory.
                let inside = self.shell.moved.then(|| self.shell.directory.take());
                self.redirection()?;
                if let Some(directory) = inside {
                    self.shell.directory = directory;
                }
            } else if self.word()?.is_some() {
                return self.give_up("a word behind the end of a compound command");
            } else {
                return Ok(Ended::On);
            }
        }
    }

    /// `for NAME [in WORD…]`, up to the operator that follows.
    fn loop_head(&mut self) -> Result<(), Stop> {
        self.blanks()?;
        match self.word()? {
            Some(variable) if variable.known && name::is_local(&variable.text) => {}
            _ => return self.give_up("a loop over more than a plain variable"),
        }
        self.blanks()?;
        let at = self.at;
        match self.word()? {
            Some(word) if word.is("in") => while self.next_word()?.is_some() {},
            Some(word) if word.is("do") || word.is("{") => self.at = at,
            Some(_) => return self.give_up("a loop that is not read"),
            None => {}
        }
        Ok(())
    }

    fn next_word(&mut self) -> Result<Option<Word>, Stop> {
        self.blanks()?;
        self.word()
    }

    /// Behind `case`.
    fn case(&mut self) -> Result<(), Stop> {
        let (Some(_), Some(word)) = (self.next_word()?, self.next_word()?) else {
            return self.give_up("a `case` that is not read");
        };
        if !word.is("in") {
            return self.give_up("a `case` that is not read");
        }
        self.depth = self.shell.descend(self.depth)?;
        loop {
            self.blanks()?;
            if self.byte() == Some(b'\n') {
                self.line_end()?;
                continue;
            }
            let begin = self.at;
            let open = self.take("(");
            if self.next_word()?.is_some_and(|word| word.is("esac")) && !open {
                self.depth -= 1;
                return Ok(());
            }
            self.blanks()?;
            while self.take("|") {
                self.next_word()?;
                self.blanks()?;
            }
            if self.at == begin || !self.take(")") {
                return self.give_up("a branch of `case` that is not read");
            }
            self.list(End::Branch)?;
        }
    }

    /// A simple command whose first word may have been read.
    fn simple(&mut self, first: Option<Word>, chained: bool) -> Result<Ended, Stop> {
        let (mut words, mut doubt, mut local, mut next) = (Vec::new(), None, true, first);
        // Whether there was `&>`: some shells read `&` and then `>`.
        let mut splits = false;
        loop {
            match next.take() {
                Some(Word { text, assigns: Some(length), .. }) if words.is_empty() => {
                    let assigned = &text[..length];
                    if name::redirects(assigned) {
                        self.shell.uncertain("a variable that decides which programs run");
                    }
                    local &= name::is_local(assigned) || name::doubt(assigned).is_none();
                    doubt = doubt.or(name::doubt(assigned));
                }
                Some(word) => words.push(word),
                None => {}
            }
            self.blanks()?;
            if self.at_redirection() {
                splits |= self.byte() == Some(b'&');
                self.redirection()?;
                continue;
            }
            next = self.word()?;
            if next.is_none() {
                break;
            }
            if splits {
                self.shell.uncertain("words behind `&>`, which some shells take for another command");
            }
        }
        if self.byte() == Some(b'(') {
            return self.give_up("a function");
        }
        // Without a command the variable is the shell's own.
        let doubt = doubt.filter(|_| !words.is_empty() || !local);
        let depth = self.depth;
        self.run(words, doubt, chained)?;
        self.depth = depth;
        if splits && self.shell.moved {
            (self.shell.directory, self.shell.entering) = (None, None);
        }
        Ok(Ended::On)
    }

    /// Whether a redirection begins here, with or without a number before it.
    fn at_redirection(&self) -> bool {
        let rest = self.rest().trim_start_matches(|c: char| c.is_ascii_digit());
        rest.starts_with(['<', '>']) && !rest.starts_with("<(") && !rest.starts_with(">(")
            || self.rest().starts_with("&>")
    }

    fn redirection(&mut self) -> Result<(), Stop> {
        self.at += self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let operators = ["&>>", "&>", "<<<", "<<", "<>", "<&", "<", ">>", ">|", ">&", ">"];
        let Some(operator) = operators.into_iter().find(|operator| self.rest().starts_with(operator)) else {
            return self.give_up("a redirection that is not read");
        };
        self.at += operator.len();
        if operator == "<<" {
            return self.here_document();
        }
        let Some(word) = self.next_word()? else { return self.give_up("a redirection without a file") };
        if operator == "<<<" {
            return Ok(());
        }
        if matches!(operator, "<&" | ">&") {
            let channel = word.text.strip_suffix('-').unwrap_or(&word.text);
            if word.known && channel.bytes().all(|byte| byte.is_ascii_digit()) {
                return Ok(());
            }
        }
        self.redirected(operator, &word);
        Ok(())
    }

    fn redirected(&mut self, operator: &str, word: &Word) {
        if word.known && HARMLESS.contains(&word.text.as_str()) {
            return;
        }
        // `>! file` is a different file in some shells.
        let known = word.known && !word.text.starts_with('!');
        let shell = &mut *self.shell;
        let target = match &shell.directory {
            _ if !known => Err(PathFault::Unknown),
            Some(directory) => path::resolve(&word.text, directory, shell.ground),
            None if word.text.starts_with('/') => path::resolve(&word.text, "", shell.ground),
            None => Err(PathFault::Unknown),
        };
        let redirect = |writes| Redirect { writes, target: target.clone(), shown: word.text.clone() };
        if operator != "<" && operator != "<&" {
            shell.taken.redirects.push(redirect(true));
        }
        if matches!(operator, "<" | "<>" | "<&") {
            shell.taken.redirects.push(redirect(false));
        }
    }
}

/// At `;;` or `;&` behind a command: left to the next round, which ends the branch.
fn continue_branch(reader: &mut Reader<'_, '_, '_>, end: End) -> Result<(), Stop> {
    if end == End::Branch { Ok(()) } else { reader.give_up("`;;` without `case`") }
}
