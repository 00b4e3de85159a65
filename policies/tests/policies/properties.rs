//! What holds for any input.

use baton_policies::{Action, Decision, Paths, Pattern, Policy, Rule, parse};
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};
use proptest::{prop_assert_eq, proptest};

struct Ground;

impl Paths for Ground {
    fn root(&self) -> &str {
        "/srv/repo"
    }
    fn link(&self, path: &str) -> Option<String> {
        match path {
            "l" => Some("/etc".to_owned()),
            "n/l" => Some("../n/l".to_owned()),
            _ => None,
        }
    }
    fn ignores_case(&self) -> bool {
        true
    }
}

fn rules(texts: &[&str]) -> Vec<Rule> {
    texts.iter().map(|text| Rule::parse(text).unwrap()).collect()
}

/// Everything is allowed, but to push.
fn policy() -> Policy {
    let everything = vec![Pattern::parse("**").unwrap()];
    Policy {
        deny: rules(&["Bash(git push:*)"]),
        approve: rules(&["Bash(rm:*)"]),
        allow: rules(&["Bash", "Read", "Write", "Edit", "Delete"]),
        may_write: everything.clone(),
        may_read: everything,
    }
}

const ALLOWED: [&str; 12] = [
    "true",
    "git log --oneline",
    "echo 'a; b'",
    "cargo test",
    "for f in a b; do echo $f; done",
    "if true; then ls; fi",
    "case x in x) ls;; esac",
    "(cd src && ls)",
    "cat <<'E'\ngit\nE",
    "echo \"$(git log | cat)\"",
    "find . -exec cat {} \\;",
    "x=1; echo ${x:-2} > out",
];

fn blank() -> impl Strategy<Value = String> {
    "[ \t]{0,3}"
}

/// `git push` in one of the forms that a shell takes for it.
fn push() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("git push"),
        Just("git  push"),
        Just("gi\"t\" push"),
        Just("\\git pu'sh'"),
        Just("/usr/bin/git push"),
        Just("git -C . push"),
        Just("git -c a.b=c push"),
        Just("g\\\nit push"),
        Just("git $'\\x70ush'"),
        Just("git push origin $X"),
        Just("$(echo git) push"),
        Just(">out git push"),
        Just("A=1 git push"),
        Just("git --no-pager push"),
    ];
    let wrap = prop_oneof![
        Just(("", "")),
        Just(("env ", "")),
        Just(("nohup ", " &")),
        Just(("timeout 5 ", "")),
        Just(("(", ")")),
        Just(("{ ", "; }")),
        Just(("echo $(", ")")),
        Just(("echo \"$(", ")\"")),
        Just(("! ", "")),
        Just(("if ", "; then ls; fi")),
        Just(("time ", "")),
        Just(("while ", "; do ls; done")),
        Just(("for x in a; do ", "; done")),
        Just(("case a in a) ", ";; esac")),
        Just(("cat <(", ")")),
        Just(("exec ", "")),
        Just(("A='xy' ", "")),
        Just(("sudo ", "")),
        Just(("eval ", "")),
        Just(("xargs ", "")),
        Just(("cat <<E\n$(", ")\nE\n")),
        Just(("x=$(", ")")),
    ];
    (word, prop::collection::vec(wrap, 0..4)).prop_map(|(word, wraps)| {
        wraps.into_iter().fold(word.to_owned(), |inner, (before, after)| format!("{before}{inner}{after}"))
    })
}

fn separator() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(";"), Just("&&"), Just("||"), Just("|"), Just("&"), Just("\n"), Just("|&"), Just(";\n\n")]
}

proptest! {
    #[test]
    fn a_push_behind_an_allowed_command_is_caught(
        at in 0..ALLOWED.len(), before in blank(), between in separator(), after in blank(), push in push(),
    ) {
        // A here-document ends with its line.
        let between = if ALLOWED[at].contains("<<") { "\n" } else { between };
        let before = if ALLOWED[at].contains("<<") { "" } else { before.as_str() };
        let text = format!("{}{before}{between}{after}{push}", ALLOWED[at]);
        prop_assert_eq!(policy().judge(&Action::Bash(ALLOWED[at]), &Ground).decision, Decision::Allowed);
        prop_assert_eq!(policy().judge(&Action::Bash(&text), &Ground).decision, Decision::Denied, "{}", text);
    }

    #[test]
    fn a_push_before_an_allowed_command_is_caught(at in 0..ALLOWED.len(), between in separator(), push in push()) {
        let text = format!("{push}{between} {}", ALLOWED[at]);
        prop_assert_eq!(policy().judge(&Action::Bash(&text), &Ground).decision, Decision::Denied, "{}", text);
    }

    #[test]
    fn judging_never_panics(text in any::<String>()) {
        for action in [Action::Read(&text), Action::Write(&text), Action::Delete(&text), Action::Bash(&text), Action::Mcp(&text)] {
            let _ = policy().judge(&action, &Ground);
        }
    }

    #[test]
    fn judging_shell_soup_never_panics(text in r#"([ \n\t;&|(){}<>$`'"\\*?\[\]~!#=0-9é-]|git|push|if|then|fi|case|in|esac|for|do|done|<<E|\nE\n|sh -c|env|eval|find -exec|cd|\.\.|/|x){0,40}"#) {
        let _ = policy().judge(&Action::Bash(&text), &Ground);
        let _ = policy().judge(&Action::Write(&text), &Ground);
    }

    #[test]
    fn a_command_with_push_in_plain_sight_is_never_allowed_in_soup(
        soup in r#"([ ;&|(){}'"]|true|if|fi|do|x){0,10}"#, tail in r#"([ ;&|(){}'"]|true|x){0,10}"#,
    ) {
        // Whatever stands before: at the beginning of a line that is not quoted, a push is a push.
        let quotes = soup.chars().filter(|c| *c == '\'' || *c == '"').count();
        if quotes == 0 {
            let text = format!("{soup}\ngit push\n{tail}");
            prop_assert_eq!(policy().judge(&Action::Bash(&text), &Ground).decision, Decision::Denied, "{}", text);
        }
    }

    #[test]
    fn reading_never_panics_and_places_are_within(text in r"(---\n|name|: |metadata:\n|  baton-|deny|stop|[\[\]{}&*!|>'\x22,-]|é|\n| |a|5){0,40}") {
        for text in [text.clone(), format!("---\n{text}\n---\nbody")] {
            let parsed = parse("a", text.as_bytes());
            for mistake in &parsed.mistakes {
                assert!(text.get(mistake.span.clone()).is_some(), "{mistake:?} in {text:?}");
            }
        }
    }

    #[test]
    fn reading_bytes_never_panics(bytes in any::<Vec<u8>>()) {
        let _ = parse("a", &bytes);
    }
}
