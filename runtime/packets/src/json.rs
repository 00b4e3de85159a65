//! JSON with its places: a strict reader that keeps where everything stands, and every key that is given twice.
//!
//! Owns the grammar (RFC 8259) and the depth. Does not know what a packet is.

use std::ops::Range;

/// Lists and objects inside each other; a packet needs four.
pub(crate) const DEPTH_MAX: usize = 16;

/// A value and where it stands, in bytes.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) value: Json,
}

#[derive(Clone, Debug)]
pub(crate) enum Json {
    Null,
    Bool,
    /// A whole number without sign that fits, or `None` for any other.
    Number(Option<u64>),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) value: Node,
}

/// Why bytes are no JSON, and where.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) at: usize,
    pub(crate) what: &'static str,
    pub(crate) too_deep: bool,
}

/// Reads one value, with nothing but white space around it.
pub(crate) fn parse(bytes: &[u8]) -> Result<Node, Trouble> {
    let text = std::str::from_utf8(bytes).map_err(|error| Trouble {
        at: error.valid_up_to(),
        what: "it is not UTF-8 from here on",
        too_deep: false,
    })?;
    let mut parser = Parser { text, at: 0 };
    let node = parser.value(0)?;
    parser.skip_space();
    if parser.at < text.len() { Err(parser.trouble("something follows the value")) } else { Ok(node) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn trouble(&self, what: &'static str) -> Trouble {
        Trouble { at: self.at, what, too_deep: false }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Steps over this byte if it is next, white space aside.
    fn takes(&mut self, byte: u8) -> bool {
        self.skip_space();
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn value(&mut self, depth: usize) -> Result<Node, Trouble> {
        self.skip_space();
        let start = self.at;
        if depth > DEPTH_MAX {
            return Err(Trouble { at: start, what: "values lie too deep inside each other", too_deep: true });
        }
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Json::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Node { span: start..self.at, value })
    }

    fn word(&mut self) -> Result<Json, Trouble> {
        let rest = &self.text[self.at..];
        for (word, value) in [("null", Json::Null), ("true", Json::Bool), ("false", Json::Bool)] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.trouble(if rest.is_empty() { "the text ends here, and is not whole" } else { "no value begins so" }))
    }

    fn object(&mut self, depth: usize) -> Result<Json, Trouble> {
        self.at += 1;
        let mut entries = Vec::new();
        if self.takes(b'}') {
            return Ok(Json::Object(entries));
        }
        loop {
            self.skip_space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.trouble("a key in quotes is due here"));
            }
            let key = self.string()?;
            let key_span = start..self.at;
            if !self.takes(b':') {
                return Err(self.trouble("a colon is due behind a key"));
            }
            let value = self.value(depth + 1)?;
            entries.push(Entry { key, key_span, value });
            if self.takes(b'}') {
                return Ok(Json::Object(entries));
            }
            if !self.takes(b',') {
                return Err(self.trouble("a comma or the object's end is due here"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, Trouble> {
        self.at += 1;
        let mut items = Vec::new();
        if self.takes(b']') {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.takes(b']') {
                return Ok(Json::List(items));
            }
            if !self.takes(b',') {
                return Err(self.trouble("a comma or the list's end is due here"));
            }
        }
    }

    fn number(&mut self) -> Result<Json, Trouble> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let first = self.at;
        self.digits()?;
        if self.text.as_bytes()[first] == b'0' && self.at > first + 1 {
            self.at = first;
            return Err(self.trouble("a number has no zeros before it"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(Json::Number(whole(&self.text[start..self.at])))
    }

    fn digits(&mut self) -> Result<(), Trouble> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.trouble("a digit is due here")) }
    }

    /// Reads a text from its opening quote to behind its closing one.
    fn string(&mut self) -> Result<String, Trouble> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(letter) = self.text[self.at..].chars().next() else {
                return Err(self.trouble("the text ends here, and a quote is still open"));
            };
            match letter {
                '"' => {
                    self.at += 1;
                    return Ok(text);
                }
                '\\' => text.push(self.escape()?),
                '\0'..='\u{1f}' => return Err(self.trouble("a control character stands in a text")),
                letter => {
                    self.at += letter.len_utf8();
                    text.push(letter);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Trouble> {
        self.at += 1;
        let letter = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.trouble("no such escape")),
        };
        self.at += 1;
        Ok(letter)
    }

    /// `\u` with four hex digits, or two of them for one letter.
    fn unicode(&mut self) -> Result<char, Trouble> {
        let high = self.hex()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high).ok_or_else(|| self.trouble("half of a letter in an escape"));
        }
        if !self.text[self.at..].starts_with("\\u") {
            return Err(self.trouble("half of a letter in an escape"));
        }
        self.at += 1;
        let low = self.hex()?;
        let whole = (0xdc00..0xe000).contains(&low).then(|| 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
        whole.and_then(char::from_u32).ok_or_else(|| self.trouble("half of a letter in an escape"))
    }

    fn hex(&mut self) -> Result<u32, Trouble> {
        let digits = self.text.get(self.at + 1..self.at + 5).unwrap_or_default();
        let fits = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !fits {
            return Err(self.trouble("four hex digits are due in this escape"));
        }
        self.at += 5;
        Ok(u32::from_str_radix(digits, 16).expect("four hex digits are a number"))
    }
}

/// The whole number that a spelling means: JSON knows one kind of number, and `1.0` is 1.
fn whole(text: &str) -> Option<u64> {
    let exact = |number: f64| {
        (number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number)).then_some(number as u64)
    };
    text.parse().ok().or_else(|| text.parse().ok().and_then(exact))
}

/// The value that a JSON pointer leads to, or the nearest one above it.
pub(crate) fn nearest<'n>(root: &'n Node, pointer: &str) -> &'n Node {
    let mut node = root;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let next = match &node.value {
            Json::Object(entries) => entries.iter().rfind(|entry| entry.key == step).map(|entry| &entry.value),
            Json::List(items) => step.parse::<usize>().ok().and_then(|at| items.get(at)),
            _ => None,
        };
        let Some(next) = next else { return node };
        node = next;
    }
    node
}
