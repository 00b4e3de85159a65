//! Plans that collide are told, each pair once, and what is only the normal case is not.

use baton_scenarios::file::check;
use baton_scenarios::shipped::{SHIPPED, find};

/// A file with these entries of `tasks` and further sections.
fn file(tasks: &[&str], more: &str) -> String {
    let tasks: String = tasks.iter().map(|task| format!("  - {{ {task} }}\n")).collect();
    format!(
        "baton: 1\nname: plans\nworkspace: {{ fixture: notes }}\nroles:\n  writer: {{ lanes: 2, model: fast }}\n  \
         editor: {{ lanes: 2, model: fast }}\n  single: {{ lanes: 1, model: fast }}\n  reviewer: {{ lanes: 1, model: fast }}\n\
         models:\n  fast: {{ latency: {{ median: 8s, p99: 60s }} }}\ntasks:\n{tasks}{more}"
    )
}

/// Codes with the line below `tasks` that they stand at, from 1, and that of the other: `W0206 2/1`.
fn told_of(text: &str) -> String {
    let first = text.lines().position(|line| line == "tasks:").expect("there are tasks") + 1;
    let checked = check("plans.yaml", text.as_bytes());
    assert!(checked.scenario.is_some(), "{}", checked.faults);
    let told = checked.faults.list.iter().map(|fault| {
        assert!(
            fault.help.as_deref().is_some_and(|help| help.contains("after") && help.contains("lease")),
            "{fault:?}"
        );
        let other = fault.secondary.first().expect("both places are told");
        format!("{} {}/{}", fault.code, fault.line - first, other.line - first)
    });
    told.collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn expect(tasks: &[&str], more: &str, expected: &str) {
    let text = file(tasks, more);
    let found = told_of(&text);
    assert_eq!(found, expected, "{text}\n{}", check("plans.yaml", text.as_bytes()).faults);
}

const INDEX: &str = "count: 2, by: writer, touches: notes/index.md, do: { append: token }";
const CANONICAL: &str = "count: 2, by: writer, touches: \"notes/**\", canonical: notes/index.md, do: { append: token }";
const WRITES: &str = "count: 2, by: writer, touches: \"notes/**\", do: { append: token }";
const EDITS: &str = "count: 2, by: editor, touches: \"notes/**\", do: { edit: replace-line }";

#[test]
fn one_file_that_two_groups_write_is_told() {
    expect(&[INDEX, CANONICAL], "", "W0206 2/1");
    expect(&[INDEX, "count: 2, by: editor, touches: notes/index.md, do: { append: token }"], "", "W0206 2/1");
    expect(&[CANONICAL, &CANONICAL.replace("writer", "editor").replace("append", "create")], "", "W0206 2/1");
    let renames =
        "count: 1, by: writer, touches: \"notes/**\", do: { rename: { from: notes/index.md, to: notes/i.md } }";
    expect(&[INDEX, renames], "", "W0206 2/1");
    expect(&[renames, &renames.replace("i.md", "j.md").replace("writer", "editor")], "", "W0206 2/1");
    expect(&[&renames.replace("index", "a"), &renames.replace("index", "b")], "", "W0206 2/1");
    expect(&[renames, &renames.replace("index", "other").replace("i.md", "j.md")], "", "");
}

#[test]
fn two_roles_in_one_place_are_told_once() {
    expect(&[WRITES, EDITS], "", "W0207 2/1");
    expect(&[WRITES, WRITES, EDITS, EDITS, WRITES], "", "W0207 3/1");
    expect(&[WRITES, &EDITS.replace("notes/**", "notes/deep/**")], "", "W0207 2/1");
    expect(&[&WRITES.replace("notes/**", "notes/deep/**"), EDITS], "", "W0207 2/1");
    expect(&[INDEX, EDITS], "", "W0207 2/1");
    expect(&[EDITS, INDEX], "", "W0207 2/1");
}

#[test]
fn the_normal_case_is_not_told() {
    // One role in one place, lanes that may work anywhere, files that only one can have, places side by side.
    expect(&[WRITES, WRITES, &WRITES.replace("notes/**", "notes/deep/**"), INDEX], "", "");
    expect(
        &["count: 2, by: editor, do: { append: token }", WRITES, "count: 9, by: single, do: { delete: one }"],
        "",
        "",
    );
    expect(&[WRITES, &EDITS.replace("{ edit: replace-line }", "{ create: token }")], "", "");
    expect(
        &[WRITES, &EDITS.replace("notes/", "note/"), "count: 1, by: single, touches: notes, do: { append: token }"],
        "",
        "",
    );
    // Within one group every task writes the artifact: that is what it is for.
    expect(&["each: 9, by: writer, touches: \"notes/**\", canonical: notes/index.md, do: { append: token }"], "", "");
    // One lane does one thing after the other, unless others judge what it made.
    let single = INDEX.replace("writer", "single");
    expect(&[&single, &single], "", "");
    let judged = format!("{single}, review: reviewer");
    expect(&[&single, &judged], "", "W0206 2/1");
}

#[test]
fn whoever_comes_after_or_holds_a_lease_does_not_collide() {
    let first = format!("name: first, {INDEX}");
    let between = "name: between, after: first, count: 1, by: single, touches: \"b/**\", do: { create: token }";
    let last = format!("after: between, {EDITS}");
    expect(&[&first, between, &last], "", "");
    expect(&[&first, between, EDITS], "", "W0207 3/1");
    expect(&[&first, &format!("after: first, {CANONICAL}")], "", "");
    let lease = |resource: &str| format!("leases: [ {{ resource: \"{resource}\", ttl: 2m }} ]\n");
    expect(&[INDEX, CANONICAL], &lease("notes/index.md"), "");
    expect(&[WRITES, EDITS], &lease("notes/**"), "");
    expect(
        &[WRITES, EDITS, "count: 1, by: single, touches: \"src/**\", do: { append: token }"],
        &lease("src/**"),
        "W0207 2/1",
    );
}

#[test]
fn shipped_scenarios_collide_only_where_they_say_so() {
    let on_purpose = ["plain-run", "conflicting-renames", "colliding-plans", "pilot-of-two-roles"];
    for (name, text) in SHIPPED {
        let collides = !check(name, text.as_bytes()).faults.list.is_empty();
        assert_eq!(collides, on_purpose.contains(name), "{name}");
    }
    assert_eq!(told_of(find("colliding-plans").expect("it is shipped")), "W0206 3/2, W0207 6/5");
}

#[test]
fn a_thousand_groups_that_all_collide_are_told_in_time_and_not_one_by_one() {
    let group = |number: usize| {
        format!("count: 1, by: {}, touches: notes/index.md, do: {{ append: token }}", ["writer", "editor"][number % 2])
    };
    let groups: Vec<String> = (0..1_000).map(group).collect();
    let text = file(&groups.iter().map(String::as_str).collect::<Vec<_>>(), "");
    let checked = check("plans.yaml", text.as_bytes());
    assert_eq!((checked.faults.warnings, checked.faults.list.len(), checked.faults.more), (999, 100, 899));
    let chain = |number: usize| {
        let after = if number == 0 { String::new() } else { format!("after: g{}, ", number - 1) };
        format!("name: g{number}, {after}count: 1, by: writer, touches: notes/index.md, do: {{ append: token }}")
    };
    let chained: Vec<String> = (0..500).map(chain).collect();
    let text = file(&chained.iter().map(String::as_str).collect::<Vec<_>>(), "");
    assert_eq!(check("plans.yaml", text.as_bytes()).faults.warnings, 0);
}
