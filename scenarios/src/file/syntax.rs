//! What the YAML parser says, in the words of a person who wants to correct a line.
//!
//! Owns the translation, which is by parts of the parser's sentences; an unknown sentence is passed on as it is.

/// A syntax error as it is told.
pub(crate) struct Told {
    /// What is wrong.
    pub(crate) message: String,
    /// At the place.
    pub(crate) label: &'static str,
    /// The cure.
    pub(crate) help: &'static str,
}

/// Part of the parser's sentence, what is wrong, the label, the cure.
const SENTENCES: &[(&str, &str, &str, &str)] = &[
    ("found a tab", "a tab stands where YAML allows none", "a tab here", "indent with spaces"),
    ("tab", "a tab stands where YAML allows only spaces", "a tab here", "indent with spaces"),
    (
        "a flow sequence, expected",
        "a list is not closed, or a comma is missing",
        "`,` or `]` expected before this",
        "close the list with `]`, and put commas between its entries",
    ),
    (
        "a flow mapping, did not find",
        "a mapping is not closed, or a comma is missing",
        "`,` or `}` expected before this",
        "close the mapping with `}`, and put commas between its entries",
    ),
    (
        "illegal placement of ':'",
        "a bracket is not closed, or a comma is missing",
        "no key may end here",
        "close the list with `]` or the mapping with `}`, and put commas between entries",
    ),
    ("misplaced bracket", "a bracket closes nothing", "nothing is open here", "delete it, or open it earlier"),
    (
        "unexpected end of stream",
        "a text in quotes is not closed",
        "begins here and never ends",
        "close it with the same kind of quote",
    ),
    (
        "mapping values are not allowed",
        "a key stands where none may begin",
        "no key may end here",
        "indent it like the keys beside it, or put a value with a colon into quotes",
    ),
    (
        "must be followed by a valid YAML whitespace",
        "a space is missing behind this",
        "a space belongs behind it",
        "write `key: value` and `- entry`, with spaces and not tabs",
    ),
    (
        "simple key expect",
        "a key without a colon",
        "`:` expected",
        "write `key: value`, indented like the keys beside it",
    ),
    (
        "did not find expected key",
        "the indentation fits no mapping that is open",
        "a key is expected here",
        "align the line with the keys above",
    ),
    (
        "did not find expected '-'",
        "the indentation fits no list that is open",
        "`-` is expected here",
        "align the line with the entries above",
    ),
    ("indentation", "the indentation fits nothing above", "unexpected here", "align the line with those above"),
    (
        "did not find expected <document start>",
        "something follows that belongs to nothing above",
        "unexpected here",
        "align the line with the keys above",
    ),
    (
        "did not find expected node content",
        "a value is expected",
        "not a value",
        "write a value, or delete the comma before it",
    ),
    (
        "escape c",
        "an escape in double quotes is unknown",
        "in this text",
        "use single quotes, or write the backslash twice",
    ),
    (
        "found character that cannot start any token",
        "no value can begin with this character",
        "cannot begin a value",
        "put the value into quotes",
    ),
    (
        "unexpected character",
        "no value can begin with this character",
        "cannot begin a value",
        "put the value into quotes",
    ),
];

/// Translates a sentence of the parser. `at_end`: nothing but white space follows the place.
pub(crate) fn told(info: &str, at_end: bool) -> Told {
    let known = SENTENCES.iter().find(|(part, ..)| info.contains(part));
    let Some((_, message, label, help)) = known else {
        let label = if at_end { "at the end of the file" } else { "here" };
        return Told {
            message: format!("not YAML: {info}"),
            label,
            help: "put values with special characters into quotes",
        };
    };
    let label = if at_end { "the file ends here" } else { label };
    Told { message: (*message).to_owned(), label, help }
}
