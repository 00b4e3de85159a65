//! What begins with `$`, and backquotes.
//!
//! Owns which expansions are read: the commands within are taken apart, the word itself becomes unknown. What runs
//! commands in other ways (arithmetic on names, `${…}` with more than plain text) is given up.

use super::word::{Reader, Word};
use super::{Stop, grammar};

impl Reader<'_, '_, '_> {
    /// Of `$(`, `<(` and `>(`: at the parenthesis.
    pub(super) fn substitution(&mut self, word: &mut Word) -> Result<(), Stop> {
        self.at += 1;
        word.known = false;
        self.nested(|reader| reader.list(grammar::End::Parenthesis))
    }

    /// Reads a part that runs in a shell of its own.
    pub(super) fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<(), Stop>) -> Result<(), Stop> {
        self.depth = self.shell.descend(self.depth)?;
        let outer = std::mem::take(&mut self.pending);
        let barred = self.barred;
        self.barred |= !outer.is_empty();
        let (directory, entering, moved) = (self.shell.directory.clone(), self.shell.entering.take(), self.shell.moved);
        read(self)?;
        if !self.pending.is_empty() {
            return self.give_up("a here-document that does not begin");
        }
        (self.shell.directory, self.shell.entering, self.shell.moved) = (directory, entering, moved);
        (self.pending, self.barred) = (outer, barred);
        self.depth -= 1;
        Ok(())
    }

    pub(super) fn dollar(&mut self, word: &mut Word, quoted: bool) -> Result<(), Stop> {
        self.at += 1;
        match self.byte() {
            Some(b'(') if self.rest().starts_with("((") => self.arithmetic(word),
            Some(b'(') => self.substitution(word),
            Some(b'{') => self.braced(word),
            Some(b'[') => self.give_up("arithmetic"),
            Some(b'\'') if !quoted => self.escapes(word),
            Some(b'"') if !quoted => self.double_quoted(word),
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                let name = self.rest().bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
                self.at += name;
                word.known = false;
                Ok(())
            }
            Some(byte) if byte.is_ascii_digit() || b"@*#?$!-".contains(&byte) => {
                self.at += 1;
                word.known = false;
                Ok(())
            }
            _ => {
                word.text.push('$');
                Ok(())
            }
        }
    }

    /// Only numbers: names are evaluated again, and may hold commands.
    fn arithmetic(&mut self, word: &mut Word) -> Result<(), Stop> {
        word.known = false;
        let mut open = 0_usize;
        for (at, byte) in self.rest().bytes().enumerate() {
            match byte {
                b'(' => open += 1,
                b')' if open > 1 => open -= 1,
                b')' if self.text.as_bytes()[self.at + at - 1] == b')' => {
                    self.at += at + 1;
                    return Ok(());
                }
                _ if byte.is_ascii_digit() || b" \t+-*/%<>=!&|^~?:,".contains(&byte) => {}
                _ => break,
            }
        }
        self.give_up("arithmetic on more than numbers")
    }

    fn braced(&mut self, word: &mut Word) -> Result<(), Stop> {
        word.known = false;
        let Some(length) = self.rest().find('}') else { return self.give_up("a brace that is not closed") };
        let inside = &self.rest()[1..length];
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./%#+,:- *".contains(&byte);
        // Behind a colon, letters are arithmetic.
        let colons = inside.split(':').skip(1).all(|after| after.starts_with(['-', '+']) || all_digits(after));
        let special = matches!(inside, "@" | "?" | "$" | "!");
        if special || !inside.is_empty() && inside.bytes().all(plain) && colons {
            self.at += length + 1;
            return Ok(());
        }
        self.give_up("an expansion in braces with more than plain text")
    }

    /// `$'…'`: escapes as in C.
    fn escapes(&mut self, word: &mut Word) -> Result<(), Stop> {
        let Some(length) = self.rest()[1..].find('\'') else {
            return self.give_up("a quote that is not closed");
        };
        let inside = &self.text[self.at + 1..self.at + 1 + length];
        // Where `$'` is not known, the first quote ends the text: the two readings differ from there on.
        let Some(text) = (!inside.ends_with('\\')).then(|| unescaped(inside)).flatten() else {
            return self.give_up("an escape that shells read differently");
        };
        if inside.contains('\n') {
            self.line_within()?;
        }
        word.text.push_str(&text);
        word.quoted = true;
        self.at += length + 2;
        Ok(())
    }

    pub(super) fn backquoted(&mut self, word: &mut Word, quoted: bool) -> Result<(), Stop> {
        word.known = false;
        let mut script = String::new();
        let mut chars = self.rest()[1..].char_indices();
        let mut end = None;
        while let Some((at, c)) = chars.next() {
            match c {
                '`' => {
                    end = Some(at);
                    break;
                }
                '\\' => match chars.next() {
                    Some((_, escaped @ ('`' | '\\' | '$'))) => script.push(escaped),
                    Some((_, '"')) if quoted => script.push('"'),
                    Some((_, other)) => script.extend(['\\', other]),
                    None => break,
                },
                _ => script.push(c),
            }
        }
        let Some(end) = end else { return self.give_up("a backquote that is not closed") };
        if script.contains('\n') {
            self.line_within()?;
        }
        self.at += end + 2;
        self.script(&script)
    }

    /// Reads a text as a script that runs in a shell of its own.
    pub(super) fn script(&mut self, script: &str) -> Result<(), Stop> {
        self.nested(|reader| {
            let depth = reader.depth;
            grammar::read(script, reader.shell, depth)
        })
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The text behind the escapes; `None` if they are not all known, or one ends the text.
fn unescaped(text: &str) -> Option<String> {
    let mut out: Vec<u8> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let kind = rest[at + 1..].chars().next()?;
        rest = &rest[at + 1..];
        let (value, length) = match kind {
            'a' => (7, 1),
            'b' => (8, 1),
            'e' | 'E' => (27, 1),
            'f' => (12, 1),
            'n' => (10, 1),
            'r' => (13, 1),
            't' => (9, 1),
            'v' => (11, 1),
            '\\' | '"' | '?' => (u32::from(kind), 1),
            'x' => number(rest, 1, 2, 16)?,
            'u' => number(rest, 1, 4, 16)?,
            'U' => number(rest, 1, 8, 16)?,
            '0'..='7' => number(rest, 0, 3, 8)?,
            _ => return None,
        };
        if value == 0 {
            return None;
        }
        if matches!(kind, 'u' | 'U') {
            out.extend(char::from_u32(value)?.to_string().bytes());
        } else {
            out.push(u8::try_from(value).ok()?);
        }
        rest = &rest[length..];
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8(out).ok()
}

/// The number behind `skip` bytes, of at most `digits`, and where it ends.
fn number(text: &str, skip: usize, digits: usize, radix: u32) -> Option<(u32, usize)> {
    let found = text[skip..].chars().take(digits).take_while(|c| c.is_digit(radix)).count();
    Some((u32::from_str_radix(&text[skip..skip + found], radix).ok()?, skip + found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_what_the_shell_makes_of_them() {
        for (text, expected) in [
            ("push", Some("push")),
            ("p\\x75sh", Some("push")),
            ("p\\165sh", Some("push")),
            ("p\\u0075sh", Some("push")),
            ("a\\nb", Some("a\nb")),
            ("\\xc3\\xa9", Some("é")),
            ("\\x00", None),
            ("\\q", None),
            ("\\xff", None),
            ("\\x", None),
        ] {
            assert_eq!(unescaped(text).as_deref(), expected, "{text:?}");
        }
    }
}
