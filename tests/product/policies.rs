//! ROLE-1 from outside: what a role's skill file does not allow does not happen, is written down with the reason, and is
//! not on main, whatever it is dressed up as and whoever looks away.

mod bad_skills;
mod past_the_boundary;

use crate::repository::{git, repository};
use crate::run_folder::{RunFolder, run, write_scenario};
use serde_json::Value;
use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::Path;

/// A skill file with these entries in place of the usual ones.
pub(crate) fn skill(place: &Path, name: &str, entries: &[(&str, &str)]) -> String {
    let mut all = vec![
        ("baton-mandate", "Change what may be changed."),
        ("baton-may-read", "\"**\""),
        ("baton-may-write", "notes/**, src/notes"),
        ("baton-deny", "Push, Bash(git push:*), Write(notes/keep/**), Read(secrets/**)"),
        ("baton-stop", "all is tried"),
        ("baton-handoff-to", "judge"),
    ];
    let mut allowed = "Read Write(notes/**) Edit(notes/**) Delete(notes/**) Bash(ls:*) Bash(git log:*) Bash(cd:*)";
    for (key, value) in entries {
        if *key == "allowed-tools" {
            allowed = value;
            continue;
        }
        all.retain(|(known, _)| known != key);
        all.push((key, value));
    }
    let lines: Vec<String> = all.iter().map(|(key, value)| format!("  {key}: {value}\n")).collect();
    let text = format!(
        "---\nname: {name}\ndescription: Tries what it may not.\nmetadata:\n{}allowed-tools: {allowed}\n---\n# Role\n",
        lines.concat()
    );
    let folder = place.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("SKILL.md"), text).unwrap();
    name.to_owned()
}

/// A repository with links that lead into and out of what the role may write.
pub(crate) fn linked_repository(place: &Path) {
    std::fs::create_dir_all(place.join("notes/keep")).unwrap();
    std::fs::create_dir_all(place.join("src")).unwrap();
    std::fs::create_dir_all(place.join("secrets")).unwrap();
    symlink("../secrets", place.join("notes/out")).unwrap();
    symlink("/etc", place.join("notes/abs")).unwrap();
    symlink("round", place.join("notes/round")).unwrap();
    symlink("../secrets/key", place.join("notes/key")).unwrap();
    symlink("../notes", place.join("src/notes")).unwrap();
    repository(
        place,
        &[
            ("notes/a.md", b"a\n"),
            ("notes/sub/b.md", b"b\n"),
            ("notes/sub/c.md", b"c\n"),
            ("notes/keep/d.md", b"d\n"),
            ("src/lib.rs", b"//\n"),
            ("secrets/key", b"key\n"),
        ],
    );
}

/// A scenario of one task whose change does all of this, on the repository with links.
pub(crate) fn attempt(
    place: &Path,
    entries: &[(&str, &str)],
    actions: &[String],
) -> (i32, Vec<Value>, BTreeSet<String>) {
    attempt_beside(place, entries, actions, "")
}

/// The same, with further sections of the file.
fn attempt_beside(
    place: &Path,
    entries: &[(&str, &str)],
    actions: &[String],
    sections: &str,
) -> (i32, Vec<Value>, BTreeSet<String>) {
    linked_repository(&place.join("source"));
    skill(place, "trier", entries);
    let text = format!(
        "baton: 1\nname: attempt\nseed: 4\nworkspace: {{ repo: source }}\nroles: {{ trier: {{ lanes: 1, model: m, skill: \
         trier }} }}\nmodels: {{ m: {{ latency: {{ median: 1s, p99: 5s }} }} }}\ntasks:\n  - count: 1\n    by: trier\n    \
         attempts: 2\n    do:\n{}{sections}",
        actions.iter().map(|action| format!("      - {action}\n")).collect::<String>()
    );
    let file = write_scenario(place, "attempt", &text);
    let said = run(place, &file, "out", &[]);
    let folder = RunFolder(&place.join("out"));
    folder.must_be_sound(&text);
    let denied = folder.of_kind("ActionDenied").iter().map(|record| record["data"].clone()).collect();
    let base = folder.records()[0]["data"]["base"].as_str().unwrap().to_owned();
    let changed = git(&folder.repository(), &["diff", "--name-only", "--no-renames", &base, "refs/heads/main"]);
    (said.code(), denied, changed.lines().map(str::to_owned).collect())
}

fn quoted(key: &str, text: &str) -> String {
    format!("{{ {key}: {} }}", serde_json::to_string(text).unwrap())
}

/// Paths that lead where the role may not write, and why each is refused.
const ESCAPES: [(&str, &str); 28] = [
    ("../x", "path"),
    ("../../etc/passwd", "path"),
    ("/etc/passwd", "path"),
    ("/workspace/../x", "path"),
    ("notes/../../x", "path"),
    ("notes/out/key", "outside-may-write"),
    ("notes/out/new", "outside-may-write"),
    ("notes/key", "outside-may-write"),
    ("notes/abs/passwd", "path"),
    ("notes/round", "path"),
    ("notes/out/../a.md", "path"),
    ("src/lib.rs", "outside-may-write"),
    ("./src/./lib.rs", "outside-may-write"),
    ("notes/../src/lib.rs", "outside-may-write"),
    ("Notes/a.md", "outside-may-write"),
    ("NOTES/new.md", "outside-may-write"),
    ("notes/keep/d.md", "deny"),
    ("notes/Keep/e.md", "deny"),
    ("notes//keep///e.md", "deny"),
    ("src/notes/keep/e.md", "deny"),
    ("notes/.git/config", "path"),
    (".git/hooks/post-commit", "path"),
    ("notes/.GIT/config", "path"),
    ("notes/git~1/config", "path"),
    ("notes/a.md ", "path"),
    ("notes/a\u{200b}.md", "path"),
    ("notes\\a.md", "path"),
    ("notes/a\nb.md", "path"),
];

#[test]
fn no_path_that_leads_out_of_the_mandate_is_written_removed_or_left_unsaid() {
    for key in ["write", "remove"] {
        let place = tempfile::tempdir().unwrap();
        let mut actions: Vec<String> = ESCAPES.iter().map(|(path, _)| quoted(key, path)).collect();
        actions.push("{ write: notes/landed.md }".to_owned());
        let (code, denied, changed) = attempt(place.path(), &[], &actions);
        assert_eq!(code, 0, "the rest of the change goes on");
        assert_eq!(changed, BTreeSet::from(["notes/landed.md".to_owned()]), "{key}");
        let reasons: Vec<&str> = denied.iter().map(|denied| denied["reason"].as_str().unwrap()).collect();
        for ((path, expected), found) in ESCAPES.iter().zip(&reasons) {
            assert_eq!(found, expected, "{key} {path:?}");
        }
        assert_eq!(reasons.len(), ESCAPES.len(), "{key}: each is said once");
        for denied in denied.iter().filter(|denied| denied["reason"] == "deny") {
            assert_eq!(denied["rule"], "Write(notes/keep/**)", "{key}: {denied}");
        }
    }
}

#[test]
fn an_allowed_path_leads_where_a_disk_would_lead() {
    let place = tempfile::tempdir().unwrap();
    let writes = ["./notes//one.md", "notes/sub/../two.md", "/workspace/notes/three.md", "src/notes/four.md"];
    let mut actions: Vec<String> = writes.iter().map(|path| quoted("write", path)).collect();
    actions.push("{ remove: notes/sub }".to_owned());
    // No file can lie below a file, and nothing is where nothing was.
    actions.extend(["{ write: notes/a.md/below }".to_owned(), "{ remove: notes/nowhere }".to_owned()]);
    let (code, denied, changed) = attempt(place.path(), &[], &actions);
    assert_eq!((code, denied), (0, Vec::new()));
    let expected =
        ["notes/four.md", "notes/one.md", "notes/sub/b.md", "notes/sub/c.md", "notes/three.md", "notes/two.md"];
    assert_eq!(changed, expected.map(str::to_owned).into());
}

#[test]
fn what_is_written_removed_and_written_again_says_of_each_path_one_thing() {
    let place = tempfile::tempdir().unwrap();
    let actions = [
        "{ write: notes/new.md }",
        "{ remove: notes/new.md }",
        "{ write: notes/a.md }",
        "{ write: notes/a.md }",
        "{ remove: notes/sub/b.md }",
        "{ write: notes/sub/b.md }",
        "{ append: token }",
    ];
    let (code, denied, _) = attempt(place.path(), &[("baton-deny", "Push")], &actions.map(str::to_owned));
    // `append` may pick a file that the role may not edit.
    assert_eq!(code, 0, "{denied:?}");
}

#[test]
fn a_read_that_is_denied_is_said_and_nothing_that_depends_on_it_is_made() {
    let place = tempfile::tempdir().unwrap();
    let actions = [
        "{ read: secrets/key }",
        "{ read: notes/key }",
        "{ read: Secrets/KEY }",
        "{ read-then-write: { read: secrets/key, append: token } }",
        "{ write: notes/landed.md }",
    ];
    let (code, denied, changed) = attempt(place.path(), &[], &actions.map(str::to_owned));
    assert_eq!((code, changed), (0, BTreeSet::from(["notes/landed.md".to_owned()])));
    assert_eq!(denied.len(), 4);
    for denied in &denied {
        let (tool, rule) = (&denied["tool"], &denied["rule"]);
        assert_eq!((tool, rule), (&"Read".into(), &"Read(secrets/**)".into()), "{denied}");
    }
}

/// Commands that push, or may, in the forms that a shell knows; and what is no command that any rule allows.
const COMMANDS: [&str; 40] = [
    "git push",
    "cd . && git push",
    "git log; git push",
    "git log | git push",
    "ls $(git push)",
    "ls `git push`",
    "FOO=1 git push",
    "env -i git push",
    "echo push | xargs git",
    "find . -exec git push \\;",
    "sh -c 'git push'",
    "bash -lc \"git push\"",
    "eval git push",
    "alias g='git push'\ng",
    "f() { git push; }; f",
    "git -c alias.x='!git push' x",
    "git --git-dir=x push",
    "git -C notes push",
    "cat <<E\n$(git push)\nE",
    "sh <<E\ngit push\nE",
    "{git,push}",
    "git pu''sh",
    "git $'\\x70ush'",
    "g*t push",
    "GIT push",
    "/usr/bin/git push",
    ".//git push",
    "git log\r\ngit push",
    "git\u{a0}push",
    "g\u{456}t push",
    "\u{ff47}it push",
    "ls > ../x",
    "ls > src/lib.rs",
    "ls > notes/out/key",
    "ls >> notes/keep/d.md",
    "git log --output=src/x",
    "cd /etc && ls > passwd",
    "rm -rf notes",
    "",
    "   ",
];

#[test]
fn no_command_does_more_than_its_parts_may() {
    let place = tempfile::tempdir().unwrap();
    let commands: Vec<&str> = COMMANDS.iter().copied().filter(|command| !command.is_empty()).collect();
    let long = [format!("ls {}", "x".repeat(70_000)), "$(".repeat(40) + "ls"];
    let mut actions: Vec<String> = commands.iter().map(|command| quoted("run", command)).collect();
    actions.extend(long.iter().map(|command| quoted("run", command)));
    actions.extend(
        ["{ push: main }", "{ mcp: mcp__files__delete }", "{ run: \"git log -1\" }", "{ run: \"cd notes && ls\" }"]
            .map(str::to_owned),
    );
    actions.push("{ write: notes/landed.md }".to_owned());
    let (code, denied, changed) = attempt(place.path(), &[], &actions);
    assert_eq!((code, changed), (0, BTreeSet::from(["notes/landed.md".to_owned()])));
    assert_eq!(denied.len(), commands.len() + long.len() + 2, "each is denied, and what is allowed is not");
    let rule_of = |part: &str| denied.iter().find(|denied| denied["part"] == part).map(|denied| denied["rule"].clone());
    assert_eq!(rule_of("git push"), Some("Push".into()), "{denied:#?}");
    for (number, denied) in denied.iter().enumerate() {
        assert_eq!(denied["number"].as_u64().unwrap_or(0), number as u64, "{denied}");
        assert!(denied["part"].as_str().unwrap().chars().count() <= 201, "{denied}");
    }
}

#[test]
fn a_change_of_which_nothing_is_left_is_given_back_and_given_up_in_the_end() {
    let place = tempfile::tempdir().unwrap();
    let actions = ["{ run: \"git push\" }", "{ write: src/lib.rs }", "{ create: token }"].map(str::to_owned);
    let (code, denied, changed) = attempt(place.path(), &[("baton-may-write", "notes/keep/**")], &actions);
    assert_eq!((code, changed), (1, BTreeSet::new()));
    let folder = RunFolder(&place.path().join("out"));
    let returned: Vec<Value> =
        folder.of_kind("TaskReturned").iter().map(|record| record["data"]["reason"].clone()).collect();
    assert_eq!(
        (returned, folder.of_kind("TaskFailed").len()),
        (vec!["denied".into()], 1),
        "two attempts, then no more"
    );
    assert_eq!(denied.len(), 6);
}

/// What the role leaves to people, and nothing else, waits; a yes is good for exactly this change.
#[test]
fn what_needs_a_persons_word_waits_for_it_and_happens_only_with_it() {
    let approve = [("baton-approve", "Write(notes/a.md), Bash(ls:*), Delete(notes/sub/**)")];
    let actions = [
        "{ write: notes/a.md }",
        "{ run: ls }",
        "{ remove: notes/sub/b.md }",
        "{ write: src/x }",
        "{ write: notes/new.md }",
    ];
    let all = ["notes/a.md", "notes/new.md", "notes/sub/b.md"].map(str::to_owned);
    for (word, code, changed) in
        [("approve: action", 0, BTreeSet::from(all)), ("deny: all", 1, BTreeSet::new()), ("", 1, BTreeSet::new())]
    {
        let place = tempfile::tempdir().unwrap();
        let operators = format!("operators: [ {{ at: 5m, by: ana, do: {{ {word} }}, reason: looked at it }} ]\n");
        let sections = if word.is_empty() { "" } else { operators.as_str() };
        let told = attempt_beside(place.path(), &approve, &actions.map(str::to_owned), sections);
        assert_eq!((told.0, told.2), (code, changed), "{word}");
        assert_eq!(told.1.len(), 1, "{word}: the write outside of the mandate is denied all the same");
        let folder = RunFolder(&place.path().join("out"));
        let asked = folder.of_kind("ApprovalAsked");
        assert_eq!(asked.len(), 1, "{word}: {asked:?}");
        let data = &asked[0]["data"];
        assert_eq!(
            (&data["subject"], &data["paths"]),
            (&"action".into(), &serde_json::json!(["notes/a.md", "notes/sub/b.md"]))
        );
        let detail = data["detail"].as_str().unwrap();
        for part in ["Bash(ls) by rule Bash(ls:*)", "Write(notes/a.md) by rule Write(notes/a.md)"] {
            assert!(detail.contains(part), "{detail}");
        }
    }
}

/// Actions that the role may do and that cannot be done, with the tool, the path and the reason that are written down.
const IMPOSSIBLE: [(&str, &str, &str, &str); 12] = [
    ("write", "notes", "Write notes", "is-directory"),
    ("write", "notes/sub", "Write notes/sub", "is-directory"),
    ("write", "notes/a.md/x", "Write notes/a.md/x", "not-a-directory"),
    ("write", "src/notes", "Write notes", "is-directory"),
    ("write", "src/notes/a.md/x", "Write notes/a.md/x", "not-a-directory"),
    ("remove", "notes/none.md", "Delete notes/none.md", "no-such-path"),
    ("remove", "notes/a.md/x", "Delete notes/a.md/x", "no-such-path"),
    ("remove", "src/notes/none", "Delete notes/none", "no-such-path"),
    ("read", "none.md", "Read none.md", "no-such-path"),
    ("read", "notes/sub", "Read notes/sub", "is-directory"),
    ("read", "notes/a.md/x", "Read notes/a.md/x", "not-a-directory"),
    ("read", "src/notes", "Read notes", "is-directory"),
];

#[test]
fn what_a_role_may_do_and_cannot_be_done_is_written_down_and_the_rest_goes_on() {
    for landing_role_is_bound in [true, false] {
        let place = tempfile::tempdir().unwrap();
        let mut actions: Vec<String> = IMPOSSIBLE.iter().map(|(key, path, ..)| quoted(key, path)).collect();
        actions.push("{ write: notes/landed.md }".to_owned());
        actions.push("{ remove: notes/landed.md }".to_owned());
        actions.push("{ read: notes/landed.md }".to_owned());
        actions.push("{ write: notes/way }".to_owned());
        actions.push("{ rename: { from: notes/sub/b.md, to: notes/way/x } }".to_owned());
        actions.push("{ rename: { from: notes/sub/b.md, to: notes/way } }".to_owned());
        actions.push("{ remove: notes/sub }".to_owned());
        actions.push("{ rename: { from: notes/sub/b.md, to: notes/new.md } }".to_owned());
        actions.push("{ write: notes/last.md }".to_owned());
        let entries = [
            ("baton-may-write", "notes, notes/**, src/notes, src/notes/**"),
            ("baton-deny", "Push"),
            ("allowed-tools", "Read Write Edit Delete"),
        ];
        linked_repository(&place.path().join("source"));
        skill(place.path(), "trier", &entries);
        let bound = if landing_role_is_bound { ", skill: trier" } else { "" };
        let text = format!(
            "baton: 1\nname: attempt\nseed: 4\nworkspace: {{ repo: source }}\nroles: {{ trier: {{ lanes: 1, model: m{bound} }} \
             }}\nmodels: {{ m: {{ latency: {{ median: 1s, p99: 5s }} }} }}\ntasks:\n  - count: 1\n    by: trier\n    touches: \
             notes/**\n    do:\n{}expect: [ actions.failed == {}, actions.denied == 0 ]\n",
            actions.iter().map(|action| format!("      - {action}\n")).collect::<String>(),
            IMPOSSIBLE.len() + 4,
        );
        let said = run(place.path(), &write_scenario(place.path(), "attempt", &text), "out", &[]);
        assert_eq!(said.code(), 0, "{said:?}");
        let folder = RunFolder(&place.path().join("out"));
        folder.must_be_sound(&text);
        let told = |record: &Value| {
            let word = |key: &str| record["data"][key].as_str().unwrap().to_owned();
            (format!("{} {}", word("tool"), word("part")), word("reason"))
        };
        let failed: Vec<(String, String)> = folder.of_kind("ActionFailed").iter().map(told).collect();
        let own = |(_, _, what, why): &(&str, &str, &str, &str)| ((*what).to_owned(), (*why).to_owned());
        let mut expected: Vec<(String, String)> = IMPOSSIBLE.iter().map(own).collect();
        let late = [
            ("Read notes/landed.md", "no-such-path"),
            ("Write notes/way/x", "not-a-directory"),
            ("Write notes/way", "taken"),
            ("Delete notes/sub/b.md", "no-such-path"),
        ];
        expected.extend(late.map(|(what, why)| (what.to_owned(), why.to_owned())));
        assert_eq!(failed, expected);
        assert_eq!(folder.of_kind("ChangeSubmitted")[0]["data"]["failed"], IMPOSSIBLE.len() + 4);
        let report: Value =
            serde_json::from_slice(&std::fs::read(place.path().join("out/report.json")).unwrap()).unwrap();
        assert_eq!(report["people"]["failures"]["by_reason"]["taken"], 1, "{report}");
        let shown = std::fs::read_to_string(place.path().join("out/report.md")).unwrap();
        assert!(shown.contains("action failed because"), "{shown}");
        let ends = git(&folder.repository(), &["ls-tree", "-r", "--name-only", "refs/heads/main"]);
        assert!(ends.lines().any(|line| line == "notes/last.md"), "{ends}");
    }
}
