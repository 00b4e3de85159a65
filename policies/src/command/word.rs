//! Words: quotes taken off, and whether the word is certain.
//!
//! Owns the reader's place in the text, blanks, comments, quotes and what ends a word. Knows no command.

use super::{Shell, Stop};
use crate::path::names;

/// One word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// The word without its quotes, as far as it is known.
    pub(crate) text: String,
    /// Whether the shell makes just this of it, whatever the variables and files are.
    pub(crate) known: bool,
    /// Whether a part of it was quoted: then it is no keyword.
    pub(crate) quoted: bool,
    /// If nothing but patterns of files make it unknown: where the first one stands in the text.
    pub(crate) patterns: Option<usize>,
    /// The bytes of the name, if it has the form of an assignment.
    pub(crate) assigns: Option<usize>,
}

impl Word {
    /// A word that stands for nothing in particular, or for several.
    pub(crate) fn unknown() -> Self {
        Self { text: String::new(), known: false, quoted: false, patterns: None, assigns: None }
    }

    fn empty() -> Self {
        Self { known: true, ..Self::unknown() }
    }

    /// Whether it is this keyword.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        self.known && !self.quoted && self.text == keyword
    }
}

/// A here-document that begins at the next line.
pub(super) struct Pending {
    pub(super) delimiter: String,
    pub(super) literal: bool,
    pub(super) tabs: bool,
}

/// A place in the text of a command.
pub(super) struct Reader<'a, 's, 'g> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) shell: &'s mut Shell<'g>,
    pub(super) depth: usize,
    pub(super) pending: Vec<Pending>,
    /// Whether a here-document of an outer level waits for a line's end, so that none may come.
    pub(super) barred: bool,
}

impl Reader<'_, '_, '_> {
    pub(super) fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    pub(super) fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    pub(super) fn give_up<T>(&mut self, why: &'static str) -> Result<T, Stop> {
        self.shell.give_up(why)
    }

    /// A line ends inside of a word, where here-documents of some shells would begin.
    pub(super) fn line_within(&mut self) -> Result<(), Stop> {
        if self.pending.is_empty() && !self.barred {
            return Ok(());
        }
        self.give_up("a line ends inside of a word while a here-document waits")
    }

    /// Blanks, joined lines and comments.
    pub(super) fn blanks(&mut self) -> Result<(), Stop> {
        loop {
            match self.byte() {
                Some(b' ' | b'\t') => self.at += 1,
                Some(b'\\') if self.rest().starts_with("\\\n") => {
                    self.line_within()?;
                    self.at += 2;
                }
                Some(b'#') => {
                    let comment = self.rest().split('\n').next().unwrap_or_default();
                    let (length, unclear) = (comment.len(), comment.contains([')', '`', '\'', '"']));
                    if unclear && self.depth > 0 {
                        return self.give_up("a comment with brackets or quotes inside of a substitution");
                    }
                    self.at += length;
                }
                _ => return Ok(()),
            }
        }
    }

    /// The next word; `None` if there is an operator, a line's end or nothing.
    pub(super) fn word(&mut self) -> Result<Option<Word>, Stop> {
        let (begin, mut word, mut braces) = (self.at, Word::empty(), false);
        while let Some(c) = self.rest().chars().next() {
            match c {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | ')' => break,
                '<' | '>' if !self.rest()[1..].starts_with('(') => break,
                '<' | '>' => {
                    self.at += 1;
                    self.substitution(&mut word)?;
                }
                '(' if self.at == begin => break,
                '(' => return self.give_up("a function, a list or a pattern in parentheses"),
                '\\' => self.escaped(&mut word)?,
                '\'' => self.single_quoted(&mut word)?,
                '"' => self.double_quoted(&mut word)?,
                '$' => self.dollar(&mut word, false)?,
                '`' => self.backquoted(&mut word, false)?,
                _ if c.is_control() || (c.is_whitespace() || names::is_ignorable(c)) && !c.is_ascii() => {
                    return self.give_up("a character that cannot be seen");
                }
                _ => {
                    braces |= matches!(c, '{' | '}');
                    self.plain(c, &mut word, begin);
                }
            }
        }
        if braces && !matches!(&self.text[begin..self.at], "{" | "}") {
            word.known = false;
        }
        word.patterns = word.patterns.filter(|_| word.known);
        word.known &= word.patterns.is_none();
        Ok((self.at > begin).then_some(word).filter(|word| word.quoted || !word.known || !word.text.is_empty()))
    }

    fn plain(&mut self, c: char, word: &mut Word, begin: usize) {
        let first = self.at == begin;
        if c == '=' && word.assigns.is_none() && word.known && !word.quoted {
            let name = word.text.strip_suffix('+').unwrap_or(&word.text);
            let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if letters && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit()) {
                word.assigns = Some(name.len());
            }
        }
        // `*` and its like are patterns, `~` a directory; some shells look a program up for `=name`.
        let lone = first && matches!(self.text.as_bytes().get(self.at + 1), None | Some(b' ' | b'\t' | b'\n'));
        if matches!(c, '*' | '?') || c == '[' && !lone {
            word.patterns.get_or_insert(word.text.len());
        }
        if first && matches!(c, '~' | '=') {
            word.known = false;
        }
        word.text.push(c);
        self.at += c.len_utf8();
    }

    fn escaped(&mut self, word: &mut Word) -> Result<(), Stop> {
        match self.rest()[1..].chars().next() {
            None => self.give_up("a backslash at the end"),
            Some('\n') => {
                self.line_within()?;
                self.at += 2;
                Ok(())
            }
            Some(c) if c.is_control() => self.give_up("a character that cannot be seen"),
            Some(c) => {
                word.text.push(c);
                word.quoted = true;
                self.at += 1 + c.len_utf8();
                Ok(())
            }
        }
    }

    fn single_quoted(&mut self, word: &mut Word) -> Result<(), Stop> {
        let Some(length) = self.rest()[1..].find('\'') else {
            return self.give_up("a quote that is not closed");
        };
        let (from, to) = (self.at + 1, self.at + 1 + length);
        if self.text[from..to].contains('\n') {
            self.line_within()?;
        }
        word.text.push_str(&self.text[from..to]);
        word.quoted = true;
        self.at = to + 1;
        Ok(())
    }

    pub(super) fn double_quoted(&mut self, word: &mut Word) -> Result<(), Stop> {
        self.at += 1;
        word.quoted = true;
        while let Some(c) = self.rest().chars().next() {
            match c {
                '"' => {
                    self.at += 1;
                    return Ok(());
                }
                '\\' => self.escaped_in_quotes(word)?,
                '$' => self.dollar(word, true)?,
                '`' => self.backquoted(word, true)?,
                _ => {
                    if c == '\n' {
                        self.line_within()?;
                    }
                    word.text.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
        self.give_up("a quote that is not closed")
    }

    fn escaped_in_quotes(&mut self, word: &mut Word) -> Result<(), Stop> {
        self.at += 1;
        match self.byte() {
            Some(b'\n') => {
                self.line_within()?;
                self.at += 1;
            }
            Some(byte @ (b'$' | b'`' | b'"' | b'\\')) => {
                word.text.push(char::from(byte));
                self.at += 1;
            }
            _ => word.text.push('\\'),
        }
        Ok(())
    }
}
