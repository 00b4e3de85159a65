//! A command line that cannot be parsed: said as clap says it, and as JSON where JSON was asked for.

use crate::answer::{Answer, mutter, printed};
use crate::say;
use clap::error::ErrorKind;
use std::ffi::OsStr;
use std::process::ExitCode;

/// Help and version are answers; everything else is wrong use.
pub(crate) fn answer(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return printed(error.print());
    }
    // Whoever closed stderr does not want to know.
    drop(error.print());
    let mut answer = Answer::new(say::WRONG_USE);
    if std::env::args_os().skip(1).any(|word| asks_for_json(&word)) {
        answer.line(&say::error_object(say::WRONG_USE, &in_words(error)));
    } else if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        mutter("\nerror: a verb is missing; begin with `baton demo`\n");
    }
    answer.deliver()
}

fn asks_for_json(word: &OsStr) -> bool {
    word.as_encoded_bytes().strip_prefix(b"--json").is_some_and(|rest| rest.is_empty() || rest.starts_with(b"="))
}

/// What is wrong and the tip, without usage and without the label.
fn in_words(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "a verb is missing; `baton --help` lists them".to_owned();
    }
    let text = error.render().to_string();
    let lines =
        text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    let words = words.join(" ");
    words.strip_prefix("error: ").unwrap_or(&words).replace(" tip: ", "; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use clap::Parser;

    #[test]
    fn an_error_is_one_sentence_without_the_usage() {
        for (words, said) in [
            (&["baton", "run"][..], "the following required arguments were not provided: <FILE>"),
            (
                &["baton", "run", "x", "--sed", "7"],
                "unexpected argument '--sed' found; a similar argument exists: '--seed'",
            ),
            (&["baton", "verfy"], "unrecognized subcommand 'verfy'; a similar subcommand exists: 'verify'"),
            (&["baton"], "a verb is missing; `baton --help` lists them"),
        ] {
            let error = Arguments::try_parse_from(words).unwrap_err();
            assert_eq!(in_words(&error), said, "{words:?}");
        }
    }

    #[test]
    fn json_is_asked_for_by_the_word_alone() {
        let asks = |word: &str| asks_for_json(OsStr::new(word));
        assert!(asks("--json") && asks("--json=yes"));
        assert!(!asks("--jsonl") && !asks("json") && !asks("-json"));
    }
}
