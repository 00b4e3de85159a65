//! What is behind each code: the reason, a wrong example and a right one. Here those of `E00…`: files that have
//! not the form of a scenario at all.
//!
//! Owns the texts. An example is a part of a file: the tests put it in place of the same keys of a good file.

use super::codes::Code;
use super::explain_doubt::DOUBT;
use super::explain_meaning::MEANING;

/// Code, word and text.
pub(crate) type Row = (Code, &'static str, &'static str);

/// Every row, in the order of [`Code`].
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    FORM.iter().chain(MEANING).chain(DOUBT)
}

/// The row of a code.
pub(crate) fn row(code: Code) -> &'static Row {
    let at = code as usize;
    let meaning = || MEANING.get(at - FORM.len());
    FORM.get(at).or_else(meaning).unwrap_or_else(|| &DOUBT[at - FORM.len() - MEANING.len()])
}

const FORM: &[Row] = &[
    (
        Code::TooLarge,
        "E0001",
        "The file is larger than such a file can be.

A scenario file, or `baton.yaml` of a repository, has at most 1 MiB, so that reading it takes bounded time and memory. Counts replace
repetition: one entry of `tasks` stands for any number of tasks.

Wrong:
    tasks:
      - { count: 1, by: writer, do: { append: token } }   # …and 50,000 lines like it

Right:
    tasks:
      - { count: 50000, by: writer, do: { append: token } }
",
    ),
    (
        Code::Empty,
        "E0002",
        "There is nothing in the file.

The file holds nothing, or only comments. A scenario needs at least `baton`, `name`, `workspace`,
`roles`, `models` and `tasks`; `baton.yaml` of a repository needs `baton` and `gates`.

Wrong:
    # nothing but a comment

Right:
    baton: 1
    name: two-writers
",
    ),
    (
        Code::NotUtf8,
        "E0003",
        r#"The file is not UTF-8.

The file is not text in UTF-8: it was saved in another encoding, or it is not a text file at all. The place is
the first byte that does not fit.

Wrong:
    name: caf\xe9   # Latin-1

Right:
    name: cafe
"#,
    ),
    (
        Code::ControlCharacter,
        "E0004",
        r#"A character that cannot be seen.

NUL, escape characters, lone carriage returns, and marks that reorder what is shown are refused: a person who
reviews the file would see another file than the program reads. Tabs and CR LF are allowed.

Wrong:
    name: two\x00writers

Right:
    name: two-writers
"#,
    ),
    (
        Code::Syntax,
        "E0005",
        "The file is not YAML.

The file is not YAML, most often because of a missing bracket, quote or space, or because of tabs in the
indentation. Reading ends at that place, so that there may be more to correct behind it.

Wrong:
    roles: { writer: { lanes: 2, model: fast }

Right:
    roles: { writer: { lanes: 2, model: fast } }
",
    ),
    (
        Code::TooDeep,
        "E0006",
        "Values are nested too deeply.

Values are nested in more than 64 levels. No part of the format needs more than six.

Wrong:
    expect: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]

Right:
    expect: [ main.intact ]
",
    ),
    (
        Code::TooMany,
        "E0007",
        "The file holds too many values.

A file holds at most 200,000 keys, values and lists together. Use counts in place of repetition.

Wrong:
    expect: [ a, a, a, a ]   # …200,000 times

Right:
    expect: [ main.intact ]
",
    ),
    (
        Code::SecondDocument,
        "E0008",
        "A second document begins.

One file is one scenario. A line `---` in the middle begins a second YAML document, which is not read.

Wrong:
    seed: 7
    ---
    seed: 8

Right:
    seed: 7
",
    ),
    (
        Code::Tag,
        "E0009",
        "A tag is given.

Tags (`!!int`, `!include`) are not part of the format: every key has one type already, and a file includes no
other.

Wrong:
    seed: !!int 7

Right:
    seed: 7
",
    ),
    (
        Code::Anchor,
        "E0010",
        "An anchor, alias or merge key is given.

Anchors (`&a`), aliases (`*a`) and merge keys (`<<`) are not part of the format. What a line says is to be seen
in that line, and a small file must not stand for a huge one.

Wrong:
    seed: &number 7

Right:
    seed: 7
",
    ),
    (
        Code::DuplicateKey,
        "E0011",
        "A key is given twice.

The same key is given twice in one mapping, so that one of the two values would be ignored.

Wrong:
    seed: 7
    seed: 8

Right:
    seed: 7
",
    ),
    (
        Code::KeyShape,
        "E0012",
        "A key is not a word.

A key is one word. A list, a mapping or nothing at all in front of the colon cannot be a key.

Wrong:
    ? [ seed, other ]
    : 7

Right:
    seed: 7
",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_at_the_place_of_their_code() {
        let mut before = "0000";
        for (at, (code, word, text)) in rows().enumerate() {
            assert_eq!(*code as usize, at, "{word}");
            assert!(before < &word[1..], "{word} is out of order");
            before = &word[1..];
            assert!(text.contains("\n\nWrong:\n    ") && text.contains("\n\nRight:\n    "), "{word}");
        }
    }
}
