//! Variables that an assignment before a command may set.
//!
//! Owns which of them change nothing but how things look, and which change what is run. Knows no shell grammar.

/// Variables that change the language, colours or loquacity of a program, and nothing else.
const HARMLESS: [&str; 20] = [
    "LANG",
    "LANGUAGE",
    "TZ",
    "TERM",
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "CI",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "CARGO_TERM_COLOR",
    "CARGO_INCREMENTAL",
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "DEBIAN_FRONTEND",
    "SOURCE_DATE_EPOCH",
    "VERBOSE",
];

/// Why a command with this assignment before it is only allowed by `Bash` alone.
pub(super) fn doubt(variable: &str) -> Option<&'static str> {
    let harmless = HARMLESS.contains(&variable) || variable.starts_with("LC_");
    (!harmless).then_some("a variable is set that may change what the command does")
}

/// Whether the variable decides which programs run, so that the command may be any other.
pub(super) fn redirects(variable: &str) -> bool {
    let named =
        ["PATH", "ENV", "BASH_ENV", "IFS", "SHELLOPTS", "BASHOPTS", "PAGER", "EDITOR", "VISUAL", "SHELL", "ZDOTDIR"];
    named.contains(&variable) || ["GIT_", "LD_", "DYLD_", "BASH_FUNC"].iter().any(|begin| variable.starts_with(begin))
}

/// Whether a variable is the command's own: no program looks at it.
pub(super) fn is_local(variable: &str) -> bool {
    let plain = variable.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let known = ["path", "proxy", "config", "histchars"].iter().any(|part| variable.contains(part));
    plain && !known && variable.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}
