//! How names, hashes, paths and addresses of a packet are spelled. Each rule is also a pattern of the published schema.

/// Characters of a path.
pub(crate) const PATH_MAX: usize = 1_024;
/// Characters of an address.
pub(crate) const URL_MAX: usize = 2_048;

/// Lower-case hex digits, this many.
pub(crate) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A SHA-256.
pub(crate) fn is_digest(text: &str) -> bool {
    is_hex(text, 64)
}

/// The name of a git object, in either of git's hashes.
pub(crate) fn is_oid(text: &str) -> bool {
    is_hex(text, 40) || is_hex(text, 64)
}

/// Digits without zeros before them, from `least` to as many digits.
fn is_number(text: &str, least: u32, digits: usize) -> bool {
    let plain = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain && (text == "0" || !text.starts_with('0')) && text.parse::<u32>().is_ok_and(|number| number >= least)
}

/// `T-17`.
pub(crate) fn is_task(text: &str) -> bool {
    text.strip_prefix("T-").is_some_and(|number| is_number(number, 0, 7))
}

/// `C-17.2`.
pub(crate) fn is_change(text: &str) -> bool {
    let parts = text.strip_prefix("C-").and_then(|rest| rest.split_once('.'));
    parts.is_some_and(|(task, attempt)| is_number(task, 0, 7) && is_number(attempt, 1, 4))
}

/// `C-17.2` of `T-17`.
pub(crate) fn is_change_of(change: &str, task: &str) -> bool {
    let of = change.strip_prefix("C-").and_then(|rest| rest.split_once('.')).map(|(of, _)| of);
    is_change(change) && is_task(task) && of == task.strip_prefix("T-")
}

/// `implementer`.
pub(crate) fn is_role(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&text.len()) && text.as_bytes()[0].is_ascii_lowercase() && text.bytes().all(plain)
}

/// `implementer.3`.
pub(crate) fn is_lane(text: &str) -> bool {
    text.split_once('.').is_some_and(|(role, number)| is_role(role) && is_number(number, 1, 6))
}

/// The name of a decision.
pub(crate) fn is_decision(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('-')
}

/// Whether a letter commands a screen or turns the direction of writing.
pub(crate) fn is_hidden(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text as a packet may have it: one line, of at least one and at most so many characters, with nothing hidden in it.
#[must_use]
pub fn one_line(text: &str, most: usize) -> String {
    let plain = |letter: char| if is_hidden(letter) { char::REPLACEMENT_CHARACTER } else { letter };
    let line: String = text.chars().take(most).map(plain).collect();
    if line.is_empty() { "nothing is said".to_owned() } else { line }
}

/// A file's path below the top of the repository: without steps upwards, and never into git's own folder.
#[must_use]
pub fn is_path(text: &str) -> bool {
    let fits = (1..=PATH_MAX).contains(&text.chars().count()) && !text.chars().any(is_hidden);
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.eq_ignore_ascii_case(".git");
    fits && text.split('/').all(plain)
}

/// `http` or `https`, a host, whatever follows; no spaces, and nobody's name or password before the host.
pub(crate) fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split('/').next().unwrap_or_default());
    let plain = text.len() <= URL_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    plain && host.is_some_and(|host| !host.is_empty() && !host.contains('@'))
}
