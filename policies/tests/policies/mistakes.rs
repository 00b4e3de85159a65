//! Mistakes in skill files, and that the shipped files have none.

use baton_policies::{FindingKind, Mistake, Parsed, Severity, Skill, explain, overlaps, parse, shipped};
use std::collections::BTreeSet;

const GOOD: &str = "---
name: writer
description: Writes what was found.
license: MIT
metadata:
  author: somebody
  baton-mandate: Write it down.
  baton-inputs: finding, task
  baton-outputs: summary
  baton-may-write: docs/**, README.md
  baton-may-read: \"**\"
  baton-deny: Push Bash(git push:*)
  baton-approve: Delete(docs/**)
  baton-stop: all is written; a person says so
  baton-context-limit: \"120000\"
  baton-handoff-to: reviewer
allowed-tools: Read Write(docs/**) Bash(git log:*) Bash(cargo test)
---

# Writer
";

fn codes(parsed: &Parsed) -> Vec<&'static str> {
    parsed.mistakes.iter().map(|mistake| mistake.code).collect()
}

fn good() -> Skill {
    parse("writer", GOOD.as_bytes()).skill.unwrap()
}

#[test]
fn a_good_file_is_read_whole() {
    let parsed = parse("writer", GOOD.as_bytes());
    assert_eq!(parsed.mistakes, []);
    let skill = parsed.skill.unwrap();
    assert_eq!(skill.name, "writer");
    assert_eq!(skill.inputs, ["finding", "task"]);
    assert_eq!(skill.stop, ["all is written", "a person says so"]);
    assert_eq!(skill.context_limit, Some(120_000));
    assert_eq!(skill.handoff_to, ["reviewer"]);
    assert_eq!(skill.metadata.get("author").map(String::as_str), Some("somebody"));
    assert_eq!(skill.body, "# Writer");
    let texts = |rules: &[baton_policies::Rule]| rules.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(texts(&skill.policy.allow), ["Read", "Write(docs/**)", "Bash(git log:*)", "Bash(cargo test)"]);
    assert_eq!(texts(&skill.policy.deny), ["Push", "Bash(git push:*)"]);
    let windows = GOOD.replace('\n', "\r\n");
    assert_eq!(parse("writer", windows.as_bytes()).skill.map(|skill| skill.policy), Some(skill.policy));
}

/// A part of the good file, what stands there in its place, the codes, and the text at the first mistake's place.
type Case = (&'static str, &'static str, &'static [&'static str], &'static str);

const CASES: &[Case] = &[
    ("---\nname", "name", &["E0303"], "name: writer"),
    ("---\nname", "\u{feff}---\nname", &["E0303"], "\u{feff}---"),
    ("---\n\n# Writer", "# Writer", &["E0303"], "---"),
    ("Write it down.", "Write --- down.", &["E0304"], "---"),
    ("Write it down.", "Write: it", &["E0305"], ":"),
    ("license: MIT", "\tlicense: MIT", &["E0305"], "W"),
    ("license: MIT", "...\nlicense: MIT", &["E0305"], ""),
    ("license: MIT", "name: writer", &["E0306"], "name"),
    ("  author: somebody", "  baton-deny: Reed\n  baton-stop: x", &["E0316", "E0306", "E0306"], "Reed"),
    ("license: MIT", "license: &a MIT", &["E0307"], "&a MIT"),
    ("license: MIT", "license: *a", &["E0307"], "*"),
    ("license: MIT", "license: !!str MIT", &["E0307"], "!!str MIT"),
    ("license: MIT", "license: [MIT]", &["E0308"], "["),
    ("  author: somebody", "  author: {a: b}", &["E0308"], "{"),
    ("  baton-mandate: W", "\tbaton-mandate: W", &["E0305"], "s"),
    ("# Writer", "# Wri\0ter", &["E0302"], "\0"),
    ("Write it down.", "Wri\0te", &["E0302"], "\0"),
    ("license: MIT", "licence: MIT", &["E0309"], "licence"),
    ("license: MIT", "version: \"1\"", &["E0309"], "version"),
    ("license: MIT", "baton-mandate: x", &["E0309"], "baton-mandate"),
    ("baton-deny", "baton-denny", &["E0310"], "baton-denny"),
    ("author", "baton-colour", &["E0310"], "baton-colour"),
    ("author", "batton-deny", &["E0310"], "batton-deny"),
    ("\"120000\"", "120000", &["E0311"], "120000"),
    ("somebody", "true", &["E0311"], "true"),
    ("somebody", "", &["E0311"], "author"),
    ("author: somebody", "author:\n    - a\n    - b", &["E0311"], "author"),
    ("author: somebody", "author:\n      a: b", &["E0311"], "author"),
    ("name: writer\n", "", &["E0312"], "---"),
    ("name: writer", "name: Writer", &["E0312", "E0313"], "Writer"),
    ("name: writer", "name: -writer", &["E0312", "E0313"], "-writer"),
    ("name: writer", "name: writer-", &["E0312", "E0313"], "writer-"),
    ("name: writer", "name: wri--ter", &["E0312", "E0313"], "wri--ter"),
    ("name: writer", "name: wri_ter", &["E0312", "E0313"], "wri_ter"),
    ("name: writer", "name: \"\"", &["E0312"], "\"\""),
    ("name: writer", "name: author", &["E0313"], "author"),
    ("description: Writes what was found.\n", "", &["E0314"], "---"),
    ("Writes what was found.", "\"  \"", &["E0314"], "\"  \""),
    ("license: MIT", "compatibility: \" \"", &["E0315"], "\" \""),
    ("Bash(cargo test)", "Bash(cargo", &["E0316"], "Bash(cargo"),
    ("Bash(cargo test)", "Bsh(cargo test)", &["E0316"], "Bsh(cargo test)"),
    ("Bash(cargo test)", "Bash(env cargo test)", &["E0316"], "Bash(env cargo test)"),
    ("Bash(cargo test)", "Bash(cargo test; git push)", &["E0316"], "Bash(cargo test; git push)"),
    ("README.md", "/README.md", &["E0317"], "/README.md"),
    ("README.md", "a/../b", &["E0317"], "a/../b"),
    ("README.md", ".git/**", &["E0317"], ".git/**"),
    ("README.md", "a/.GIT/b", &["E0317"], "a/.GIT/b"),
    ("README.md", "a\\b", &["E0317"], "a\\b"),
    ("README.md", "a//b", &["E0317"], "a//b"),
    ("README.md", "a/", &["E0317"], "a/"),
    ("README.md", "*.md", &["E0317"], "*.md"),
    ("README.md", "a\u{200b}b", &["E0317"], "a\u{200b}b"),
    ("docs/**, README.md", "\"docs/\\x01a\"", &["E0317"], "\"docs/\\x01a\""),
    ("Write(docs/**)", "Write(../**)", &["E0317"], "Write(../**)"),
    ("  baton-mandate: Write it down.\n", "", &["E0318"], "---"),
    ("Write it down.", "\"\"", &["E0318"], "\"\""),
    ("  baton-stop: all is written; a person says so\n", "", &["E0319"], "---"),
    ("all is written; a person says so", "\" ; \"", &["E0319"], "\" ; \""),
    ("\"120000\"", "\"0\"", &["E0320"], "\"0\""),
    ("\"120000\"", "\"many\"", &["E0320"], "\"many\""),
    ("\"120000\"", "\"+5\"", &["E0320"], "\"+5\""),
    ("\"120000\"", "\"99999999999999999999\"", &["E0320"], "\"99999999999999999999\""),
    ("-to: reviewer", "-to: reviewer, writer", &["E0321"], "reviewer, writer"),
    ("-to: reviewer", "-to: Reviewer", &["E0322"], "Reviewer"),
    ("-inputs: finding", "-inputs: a_b", &["E0322"], "a_b"),
    ("Push Bash", "Push Write Bash", &["W0302"], "Write(docs/**)"),
    ("Bash(git push:*)", "Bash(git:*)", &["W0302"], "Bash(git log:*)"),
    ("Bash(cargo test)", "Land", &["W0310"], "Land"),
    ("Push Bash(git push:*)", "Bash(git push:*)\n  baton-colour: red", &["E0310"], "baton-colour"),
    ("Bash(git push:*)\n  baton-approve: Delete(docs/**)", "Land\n  baton-approve: Push", &[], ""),
    ("Push Bash(git push:*)", "Delete(docs/**)", &[], ""),
    ("Push Bash(git push:*)", "Read(keys/**)", &["W0312"], "Bash(git log:*)"),
    ("\"**\"", "docs/**", &["W0312"], "Bash(git log:*)"),
];

#[test]
fn each_mistake_has_its_code_and_its_place() {
    for (part, instead, expected, place) in CASES {
        assert_eq!(GOOD.matches(part).count(), 1, "{part:?} is not there once");
        let text = GOOD.replace(part, instead);
        let parsed = parse("writer", text.as_bytes());
        assert_eq!(codes(&parsed), *expected, "{instead:?}: {:#?}", parsed.mistakes);
        let Some(first) = parsed.mistakes.first() else { continue };
        let found = &text[first.span.clone()];
        assert!(
            found == *place || place.len() == 1 && found.starts_with(place),
            "{instead:?}: {found:?}, not {place:?}"
        );
        assert!(first.help.is_some(), "{first:?}");
        let errors = parsed.mistakes.iter().any(|mistake| mistake.severity == Severity::Error);
        assert_eq!(parsed.skill.is_none(), errors, "{instead:?}");
    }
}

/// What seems to be missing may stand in what could not be read.
#[test]
fn nothing_is_called_missing_that_may_stand_in_brackets() {
    let top = "---\nname: writer\ndescription: Writes.\n";
    for (front, place) in [
        (format!("{top}metadata: {{ baton-mandate: Write it down., baton-stop: all is written }}\n"), "{"),
        (format!("{top}metadata: [baton-mandate, baton-stop]\n"), "["),
        ("---\n{ name: writer, description: Writes. }\n".to_owned(), "{"),
    ] {
        let text = format!("{front}---\n\n# Writer\n");
        let parsed = parse("writer", text.as_bytes());
        assert_eq!(codes(&parsed), ["E0308"], "{text}: {:#?}", parsed.mistakes);
        assert!(text[parsed.mistakes[0].span.clone()].starts_with(place), "{:?}", parsed.mistakes);
    }
    let without = format!("{top}metadata:\n  author: somebody\n---\n\n# Writer\n");
    assert_eq!(codes(&parse("writer", without.as_bytes())), ["E0318", "E0319"], "what is missing is told");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "---
name: A--B
descripton: x
metadata:
  baton-deny: Reed
  baton-deny: Writ
  baton-may-write: /etc/**, ../x
  baton-context-limit: none
  author: 5
allowed-tools: Bash(
---
";
    let parsed = parse("writer", text.as_bytes());
    let found: BTreeSet<&str> = codes(&parsed).into_iter().collect();
    let expected = ["E0306", "E0309", "E0311", "E0312", "E0313", "E0314", "E0316", "E0317", "E0318", "E0319", "E0320"];
    assert_eq!(found, BTreeSet::from(expected), "{:#?}", parsed.mistakes);
    let count = |code| parsed.mistakes.iter().filter(|mistake: &&Mistake| mistake.code == code).count();
    assert_eq!((count("E0316"), count("E0317")), (3, 2));
    assert!(parsed.mistakes.iter().any(|mistake| mistake.help.as_deref() == Some("did you mean `description`?")));
}

#[test]
fn limits_are_told() {
    let long = GOOD.replace("Writes what was found.", &"x".repeat(1_025));
    assert_eq!(codes(&parse("writer", long.as_bytes())), ["E0314"]);
    let exact = GOOD.replace("Writes what was found.", &"ü".repeat(1_024));
    assert_eq!(codes(&parse("writer", exact.as_bytes())), [""; 0]);
    let name = "a".repeat(65);
    let named = GOOD.replace("name: writer", &format!("name: {name}"));
    assert_eq!(codes(&parse(&name, named.as_bytes())), ["E0312"]);
    let lines = GOOD.to_owned() + &"line\n".repeat(498);
    assert_eq!(codes(&parse("writer", lines.as_bytes())), ["W0301"]);
    assert!(parse("writer", lines.as_bytes()).skill.is_some());
    let body = GOOD.to_owned() + &"line\n".repeat(2_000_000);
    assert_eq!(codes(&parse("writer", body.as_bytes())), ["E0301"]);
    let front = GOOD.replace("somebody", &"x".repeat(70_000));
    assert_eq!(codes(&parse("writer", front.as_bytes())), ["E0301"]);
    let mut bytes = GOOD.as_bytes().to_vec();
    bytes.push(0xff);
    let parsed = parse("writer", &bytes);
    assert_eq!((codes(&parsed), parsed.mistakes[0].span.start), (vec!["E0302"], GOOD.len()));
    assert_eq!(codes(&parse("writer", b"")), ["E0303"]);
    assert_eq!(codes(&parse("writer", b"---\n---\n")).len(), 4);
    let deep = GOOD.replace("somebody", &"[".repeat(20_000));
    assert!(codes(&parse("writer", deep.as_bytes())).contains(&"E0308"));
}

#[test]
fn every_code_is_explained_and_has_a_case() {
    let beyond = ["E0301", "E0302", "W0301", "W0311"];
    let kinds = [
        FindingKind::WriteOverlap,
        FindingKind::SameMandate,
        FindingKind::OutputUnused,
        FindingKind::InputUnmade,
        FindingKind::HandoffUnknown,
        FindingKind::StopMissing,
        FindingKind::SameName,
    ];
    let of_teams = kinds.map(FindingKind::code);
    let told = CASES.iter().flat_map(|case| case.2).copied().chain(beyond).chain(of_teams);
    let told: BTreeSet<&str> = told.collect();
    let known = (301..=399).flat_map(|number| [format!("E0{number}"), format!("W0{number}")]);
    let explained: BTreeSet<String> = known.filter(|code| explain(code).is_some()).collect();
    assert_eq!(told.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), explained);
    assert_eq!(explain("E9999"), None);
}

#[test]
fn the_shipped_roles_have_no_mistakes_and_fit_together() {
    let skills: Vec<Skill> = shipped()
        .iter()
        .map(|(name, text)| {
            let parsed = parse(name, text.as_bytes());
            assert_eq!(parsed.mistakes, [], "{name}");
            parsed.skill.unwrap()
        })
        .collect();
    assert_eq!(overlaps(&skills), []);
    for skill in &skills {
        let lines = skill.body.lines().count();
        assert!((30..=80).contains(&lines), "{}: {lines} lines", skill.name);
    }
}

#[test]
fn only_the_merger_may_land() {
    use baton_policies::{Action, Decision, Paths};
    struct Ground;
    impl Paths for Ground {
        fn root(&self) -> &str {
            "/work"
        }
        fn link(&self, _: &str) -> Option<String> {
            None
        }
        fn ignores_case(&self) -> bool {
            false
        }
    }
    for (name, text) in shipped() {
        let policy = parse(name, text.as_bytes()).skill.unwrap().policy;
        let judge = |action| policy.judge(&action, &Ground).decision;
        assert_eq!(judge(Action::Land) == Decision::Allowed, *name == "merger", "{name}");
        assert_ne!(judge(Action::Push), Decision::Allowed, "{name}");
        assert_eq!(judge(Action::Bash("cd . && git push origin main")), Decision::Denied, "{name}");
        assert_eq!(judge(Action::Write(".git/hooks/pre-commit")), Decision::Denied, "{name}");
        assert_eq!(judge(Action::Read("README.md")), Decision::Allowed, "{name}");
        assert_eq!(judge(Action::Write("README.md")) == Decision::Allowed, *name == "writer", "{name}");
        assert_eq!(judge(Action::Bash("git log -5")) == Decision::Allowed, *name != "merger", "{name}");
    }
}

#[test]
fn a_team_is_told_what_its_roles_have_against_each_other() {
    let mut other = good();
    other.name = "reviewer".to_owned();
    other.mandate = "Write it DOWN!".to_owned();
    other.policy.may_write = vec![baton_policies::Pattern::parse("Docs/api/**").unwrap()];
    other.handoff_to = vec!["nobody".to_owned()];
    other.outputs = vec!["verdict".to_owned(), "packet".to_owned()];
    other.stop.clear();
    let found: Vec<_> = overlaps(&[good(), other]).into_iter().map(|f| (f.kind, f.role, f.other)).collect();
    let name = |name: &str| name.to_owned();
    let (writer, reviewer) = (name("writer"), name("reviewer"));
    assert_eq!(
        found,
        [
            (FindingKind::WriteOverlap, writer.clone(), Some(reviewer.clone())),
            (FindingKind::SameMandate, writer.clone(), Some(reviewer.clone())),
            (FindingKind::OutputUnused, reviewer.clone(), None),
            (FindingKind::OutputUnused, writer.clone(), None),
            (FindingKind::InputUnmade, reviewer.clone(), None),
            (FindingKind::InputUnmade, writer, None),
            (FindingKind::HandoffUnknown, reviewer.clone(), Some(name("nobody"))),
            (FindingKind::StopMissing, reviewer, None),
        ]
    );
    assert!(overlaps(&[good(), good()]).iter().any(|finding| finding.kind == FindingKind::SameName));
}

#[test]
fn a_broken_line_hides_no_other_mistake() {
    let text = "---
name: writer
description: Writes: a lot
license: [MIT]
metadata:
  baton-mandate: *m
  baton-inputs: a_b
  baton-may-write: **
\tbaton-may-read: x
  baton-deny: Reed
  baton-stop: 'never
allowed-tools: Writ
colour: red
---
";
    let parsed = parse("writer", text.as_bytes());
    let found: BTreeSet<(&str, &str)> =
        parsed.mistakes.iter().map(|one| (one.code, text[one.span.start..].lines().next().unwrap())).collect();
    let codes: BTreeSet<&str> = found.iter().map(|(code, _)| *code).collect();
    for code in ["E0305", "E0307", "E0308", "E0309", "E0316", "E0322"] {
        assert!(codes.contains(code), "{code}: {found:#?}");
    }
    for missing in ["E0314", "E0318", "E0319"] {
        assert!(!codes.contains(missing), "{missing}, and it is there: {found:#?}");
    }
    assert!(parsed.skill.is_none());
    let marked = format!("\u{feff}{}", GOOD.replace("baton-deny", "baton-denny"));
    assert_eq!(self::codes(&parse("writer", marked.as_bytes())), ["E0303", "E0310"]);
}

#[test]
fn what_only_the_merger_may_is_told_and_the_mergers_own_files_are_left_alone() {
    let told = |change: &str| {
        let text = GOOD.replace("baton-deny: Push Bash(git push:*)", "baton-deny: Delete(keys/**)");
        codes(&parse("writer", text.replace("Bash(cargo test)", change).as_bytes()))
    };
    assert_eq!(told("Land Push"), ["W0310", "W0311"]);
    assert_eq!(told("Bash(git push:*)"), ["W0311"]);
    let merger = shipped().iter().find(|(name, _)| *name == "merger").unwrap();
    let merger = parse("merger", merger.1.as_bytes()).skill.unwrap();
    let mut alone = good();
    (alone.inputs, alone.outputs) = (vec!["task".to_owned(), "packet".to_owned()], vec!["packet".to_owned()]);
    alone.handoff_to.clear();
    assert_eq!(overlaps(&[alone, merger]), []);
}
