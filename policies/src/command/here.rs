//! Here-documents.
//!
//! Owns where one begins and ends, and the commands in one that the shell expands.

use super::Stop;
use super::word::{Pending, Reader, Word};

impl Reader<'_, '_, '_> {
    /// Behind `<<`.
    pub(super) fn here_document(&mut self) -> Result<(), Stop> {
        let tabs = self.take("-");
        self.blanks()?;
        match self.word()? {
            Some(word) if word.known && !word.text.is_empty() && !word.text.contains('\n') => {
                self.pending.push(Pending { delimiter: word.text, literal: word.quoted, tabs });
                Ok(())
            }
            _ => self.give_up("a here-document without a plain end word"),
        }
    }

    /// At a line's end: the documents that were announced in it.
    pub(super) fn line_end(&mut self) -> Result<(), Stop> {
        if self.barred {
            return self.give_up("a line ends inside of a substitution while a here-document waits");
        }
        self.at += 1;
        for pending in std::mem::take(&mut self.pending) {
            let body = self.body(&pending)?;
            if !pending.literal {
                self.expanded(&body)?;
            }
        }
        Ok(())
    }

    fn body(&mut self, pending: &Pending) -> Result<String, Stop> {
        let begin = self.at;
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                return self.give_up("a here-document that does not end");
            }
            let line = rest.split('\n').next().unwrap_or_default();
            let length = line.len();
            let bare = if pending.tabs { line.trim_start_matches('\t') } else { line };
            if bare == pending.delimiter {
                let body = self.text[begin..self.at].to_owned();
                self.at = (self.at + length + 1).min(self.text.len());
                return Ok(body);
            }
            if line.ends_with('\\') && !pending.literal {
                return self.give_up("a joined line in a here-document");
            }
            self.at = (self.at + length + 1).min(self.text.len());
        }
    }

    /// What the shell runs while it fills in the document.
    fn expanded(&mut self, body: &str) -> Result<(), Stop> {
        let depth = self.depth;
        self.nested(|outer| {
            let (shell, mut word) = (&mut *outer.shell, Word::unknown());
            let mut reader = Reader { text: body, at: 0, shell, depth: depth + 1, pending: Vec::new(), barred: false };
            while let Some(found) = reader.rest().find(['\\', '$', '`']) {
                reader.at += found;
                match reader.byte() {
                    Some(b'\\') => {
                        reader.at += 1;
                        reader.at += reader.rest().chars().next().map_or(0, char::len_utf8);
                    }
                    Some(b'$') => reader.dollar(&mut word, true)?,
                    _ => reader.backquoted(&mut word, true)?,
                }
            }
            Ok(())
        })
    }
}
