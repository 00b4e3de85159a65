//! Names as a terminal may show them: what would steer it, or turn text round, is told in the way in which git tells it.
//!
//! JSON has them as they are.

/// A text of several lines, whose breaks stay.
pub(crate) fn visible(text: &str) -> String {
    escaped(text, &['\n', '\t'])
}

/// A name, which has no breaks.
pub(crate) fn visible_name(name: &str) -> String {
    escaped(name, &[])
}

/// Names on one line, not more than a person reads.
pub(crate) fn few(names: &[String], none: &str) -> String {
    const FEW: usize = 12;
    match names.len() {
        0 => none.to_owned(),
        count if count <= FEW => names.join(", "),
        count => format!("{} and {} more", names[..FEW].join(", "), count - FEW),
    }
}

fn escaped(text: &str, stay: &[char]) -> String {
    if !text.chars().any(|char| steers(char) && !stay.contains(&char)) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            _ if !steers(char) || stay.contains(&char) => shown.push(char),
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            _ => char.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| shown.push_str(&format!("\\{byte:03o}"))),
        }
    }
    shown
}

/// Control characters, line separators, and what changes the direction of writing.
fn steers(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_told_as_git_tells_it_and_the_rest_stays() {
        assert_eq!(visible("a\u{1b}[31m\u{202e}b\n\tü × ж"), "a\\033[31m\\342\\200\\256b\n\tü × ж");
        assert_eq!(visible_name("a\nb\r\tc"), "a\\nb\\r\\tc");
    }
}
