//! Attacks through paths, as data, and what verdicts tell.

use crate::ground::{A, D, P, ground, narrow};
use baton_policies::{Action, Decision, Policy};

/// An action, what becomes of it where case counts, and where it is ignored.
const FILES: &[(Action<'static>, Decision, Decision)] = &[
    (Action::Read("src/x"), A, A),
    (Action::Read("SRC/x"), D, A),
    (Action::Read("./src//x"), A, A),
    (Action::Read("/srv/repo/src/x"), A, A),
    (Action::Read("/SRV/repo/src/x"), D, A),
    (Action::Read("/srv/repo2/src/x"), D, D),
    (Action::Read("other/x"), D, D),
    (Action::Read("src/../other/x"), D, D),
    (Action::Read("../repo/src/x"), A, A),
    (Action::Read("../../etc/passwd"), D, D),
    (Action::Read("/etc/passwd"), D, D),
    (Action::Read("~/.ssh/id"), D, D),
    (Action::Read("notes/keys/id"), D, D),
    (Action::Read("notes/KEYS/id"), A, D),
    (Action::Read("notes/\u{212a}eys/id"), A, D),
    (Action::Read("notes/./keys/../keys/id"), D, D),
    (Action::Read("notes/secret"), D, D),
    (Action::Read("notes/out/passwd"), D, D),
    (Action::Read("notes/up/x"), D, D),
    (Action::Read("notes/src/x"), A, A),
    (Action::Read("notes/git/config"), D, D),
    (Action::Read("notes/round"), D, D),
    (Action::Read("notes/a"), D, D),
    (Action::Read("notes/home/x"), A, A),
    (Action::Read("notes/src/../../etc"), D, D),
    (Action::Read("src/notes/keys/id"), D, D),
    (Action::Read(""), D, D),
    (Action::Read("src/x\0"), D, D),
    (Action::Read("src/x\n"), D, D),
    (Action::Read("src\\x"), D, D),
    (Action::Read("src./x"), D, D),
    (Action::Read("src /x"), D, D),
    (Action::Read("src/x\u{200c}"), D, D),
    (Action::Read("src/e\u{301}"), A, D),
    (Action::Write("notes/x"), A, A),
    (Action::Write("notes"), D, D),
    (Action::Write("src/x"), D, D),
    (Action::Write("notes/src/x"), D, D),
    (Action::Write("src/notes/x"), A, A),
    (Action::Write("src/file"), D, D),
    (Action::Write("notes/../src/x"), D, D),
    (Action::Write("notes/keys/id"), D, D),
    (Action::Edit("notes/keys/id"), D, D),
    (Action::Edit("notes/x"), A, A),
    (Action::Edit("NOTES/x"), D, A),
    (Action::Write("notes/.git/config"), D, D),
    (Action::Write("notes/.GIT/config"), D, D),
    (Action::Write("notes/.g\u{200d}it/config"), D, D),
    (Action::Write("notes/git~1/config"), D, D),
    (Action::Write("notes/.git./config"), D, D),
    (Action::Write("notes/.git /config"), D, D),
    (Action::Write("notes/.git::$INDEX_ALLOCATION/config"), D, D),
    (Action::Write("notes/sub/.git"), D, D),
    (Action::Write("notes/git/config"), D, D),
    (Action::Write("notes/.gitignore"), A, A),
    (Action::Delete("notes/x"), P, P),
    (Action::Delete("notes/keys"), D, D),
    (Action::Delete("notes"), D, D),
    (Action::Delete("."), D, D),
    (Action::Delete("src/x"), D, D),
    (Action::Land, A, A),
    (Action::Push, P, P),
    (Action::Mcp("mcp__db__read"), A, A),
    (Action::Mcp("mcp__db__drop"), D, D),
    (Action::Mcp("mcp__db__readx"), D, D),
    (Action::Mcp("Bash"), D, D),
];

#[test]
fn files_are_judged_where_they_lead() {
    let (policy, plain, folding) = (narrow(), ground(false), ground(true));
    for (action, sensitive, insensitive) in FILES {
        let verdict = policy.judge(action, &plain);
        assert_eq!(verdict.decision, *sensitive, "{action:?}: {verdict:?}");
        let verdict = policy.judge(action, &folding);
        assert_eq!(verdict.decision, *insensitive, "ignoring case, {action:?}: {verdict:?}");
    }
}

#[test]
fn a_verdict_names_what_decided() {
    use baton_policies::{List, Reason};
    let (policy, ground) = (narrow(), ground(false));
    let rule = |list, index, text: &str| Reason::Rule { list, index, text: text.to_owned() };
    for (action, reason, part) in [
        (Action::Bash("cd . && git push"), rule(List::Deny, 0, "Bash(git push:*)"), "git push"),
        (Action::Bash("git status"), rule(List::Allow, 5, "Bash(git status:*)"), "git status"),
        (Action::Bash("env git status"), rule(List::Allow, 5, "Bash(git status:*)"), "git status"),
        (Action::Bash("curl x"), Reason::NothingAllows, "curl x"),
        (Action::Bash("echo x > y"), Reason::OutsideMayWrite, "y"),
        (Action::Bash("rm x"), rule(List::Approve, 0, "Bash(rm:*)"), "rm x"),
        (Action::Write("src/x"), Reason::OutsideMayWrite, "src/x"),
        (Action::Read("./x"), Reason::OutsideMayRead, "x"),
    ] {
        let verdict = policy.judge(&action, &ground);
        assert_eq!((verdict.reason, verdict.part.as_str()), (reason, part), "{action:?}");
    }
}

#[test]
fn nothing_is_allowed_by_default() {
    let policy = Policy::default();
    for action in [
        Action::Read("x"),
        Action::Write("x"),
        Action::Edit("x"),
        Action::Delete("x"),
        Action::Bash("true"),
        Action::Land,
        Action::Push,
        Action::Mcp("mcp__a__b"),
    ] {
        assert_eq!(policy.judge(&action, &ground(false)).decision, D, "{action:?}");
    }
}
