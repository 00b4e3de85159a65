//! The text of a file and the places in it.
//!
//! Owns the translation between bytes, characters, lines and columns. Knows no YAML.

use std::ops::Range;

/// Characters between two entries of the index from characters to bytes.
const STRIDE: usize = 64;

/// A stretch of the text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    /// First byte.
    pub(crate) start: usize,
    /// Byte behind the last.
    pub(crate) end: usize,
}

impl Span {
    /// From `start` up to and not including `end`.
    pub(crate) fn new(start: usize, end: usize) -> Span {
        Span { start, end: end.max(start) }
    }
}

/// A place as people count: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Line, from 1.
    pub(crate) line: usize,
    /// Column in characters, from 1.
    pub(crate) column: usize,
}

/// A file's text with an index of its lines.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    text: String,
    lines: Vec<usize>,
    strides: Vec<usize>,
}

impl Source {
    /// Indexes the text.
    pub(crate) fn new(text: String) -> Source {
        let mut lines = vec![0];
        lines.extend(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1));
        let strides =
            if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(at, _)| at).step_by(STRIDE).collect() };
        Source { text, lines, strides }
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The byte at which the character with this index starts; the text's length if there is none.
    pub(crate) fn byte_of_char(&self, index: usize) -> usize {
        if self.strides.is_empty() {
            return index.min(self.text.len());
        }
        let Some(&from) = self.strides.get(index / STRIDE) else { return self.text.len() };
        let rest = &self.text[from..];
        rest.char_indices().nth(index % STRIDE).map_or(self.text.len(), |(at, _)| from + at)
    }

    /// Where a byte lies.
    pub(crate) fn position(&self, byte: usize) -> Position {
        let byte = self.floor(byte);
        let line = self.lines.partition_point(|start| *start <= byte);
        let column = self.text[self.lines[line - 1]..byte].chars().count() + 1;
        Position { line, column }
    }

    /// The bytes of a line, from 1, without its line break.
    pub(crate) fn line(&self, line: usize) -> Range<usize> {
        let start = self.lines[line - 1];
        let end = self.lines.get(line).map_or(self.text.len(), |next| next - 1);
        let end = if self.text[start..end].ends_with('\r') { end - 1 } else { end };
        start..end
    }

    /// The span cut to character boundaries, to the text, and to the line on which it starts.
    pub(crate) fn on_one_line(&self, span: Span) -> Span {
        let start = self.floor(span.start);
        let line_end = self.line(self.position(start).line).end;
        let end = self.floor(span.end).min(line_end).max(start);
        Span { start, end }
    }

    fn floor(&self, byte: usize) -> usize {
        let mut at = byte.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_bytes_lines_and_columns_agree() {
        let text = "é: ü\r\n".repeat(50) + "x😀y";
        let source = Source::new(text.clone());
        for (index, (byte, _)) in text.char_indices().enumerate() {
            assert_eq!(source.byte_of_char(index), byte);
        }
        assert_eq!(source.byte_of_char(100_000), text.len());
        assert_eq!(source.position(text.len() - 1), Position { line: 51, column: 3 });
        assert_eq!(source.position(text.len() - 3), Position { line: 51, column: 2 });
        assert_eq!(&text[source.line(1)], "é: ü");
        assert_eq!(source.on_one_line(Span::new(0, 400)), Span::new(0, 6));
    }
}
