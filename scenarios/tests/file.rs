//! Every rule of the format, one line each: a part of a file and the faults that it must give.

use baton_scenarios::file::{self, Severity, check, codes, explain, read};
use std::collections::BTreeSet;

/// A small good file, by top-level keys.
const GOOD: [&str; 6] = [
    "baton: 1\n",
    "name: two-writers\n",
    "workspace: { fixture: notes }\n",
    "roles:\n  writer: { lanes: 2, model: fast }\n",
    "models:\n  fast: { latency: { median: 8s, p99: 60s } }\n",
    "tasks:\n  - { count: 4, by: writer, do: { append: token } }\n",
];

fn top_keys(text: &str) -> BTreeSet<&str> {
    let lines = text.lines().filter(|line| !line.starts_with([' ', '#', '-', '}', ']', '?']));
    lines.filter_map(|line| line.split_once(':').map(|(key, _)| key)).collect()
}

/// The good file with `part` in place of the same keys, and the line of the whole before `part`.
fn with(part: &str) -> (String, usize) {
    let keys = top_keys(part);
    let mut whole = if keys.contains("baton") { String::new() } else { GOOD[0].to_owned() };
    let before = whole.lines().count();
    whole.push_str(part);
    whole.push('\n');
    for section in &GOOD[1..] {
        let (key, _) = section.split_once(':').expect("a section begins with its key");
        if !keys.contains(key) {
            whole.push_str(section);
        }
    }
    (whole, before)
}

/// Codes with line and column inside of `part`, by position: `E0102 1:3, E0107 2:5`.
fn faults_of(part: &str) -> String {
    let (whole, before) = with(part);
    let checked = check("case.yaml", whole.as_bytes());
    let errors = checked.faults.list.iter().filter(|fault| fault.severity == Severity::Error).count();
    assert_eq!(checked.scenario.is_none(), errors > 0, "{part}\n{}", checked.faults);
    for fault in &checked.faults.list {
        assert!(fault.help.is_some() && !fault.label.is_empty(), "no cure or label:\n{}", checked.faults);
    }
    let told =
        checked.faults.list.iter().map(|f| format!("{} {}:{}", f.code, f.line as isize - before as isize, f.column));
    told.collect::<Vec<_>>().join(", ")
}

fn expect_all(cases: &[(&str, &str)]) {
    let mut wrong = String::new();
    for (part, expected) in cases {
        let found = faults_of(part);
        if found != *expected {
            let told = check("case.yaml", with(part).0.as_bytes()).faults;
            wrong += &format!("--- {part:?}\nexpected {expected:?}\n   found {found:?}\n{told}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn good_parts_give_no_fault() {
    expect_all(&[
        ("seed: 0", ""),
        ("seed: 18446744073709551615", ""),
        ("world: live", ""),
        ("world: 'sim'", ""),
        ("workspace: { repo: ../some/repository, base: main }", ""),
        ("workspace: { repo: /absolute/is/fine }", ""),
        ("mail: { median: 1ms, p99: 1ms }", ""),
        ("stop: { after: 1h30m }", ""),
        ("caps: { lanes: 100000, tasks: 1000000, queue: 1000000, restarts: 0 }", ""),
        ("control: without-merger\nexpect: [ control.lost > 0, control.torn>=0.5 ]", ""),
        ("expect: [ main.intact, main.intact == 1, \"spend.usd <= 5\", virtual.s != 3.5, tasks.failed  <  2 ]", ""),
        ("faults: [ { kill: writer }, { kill: writer.2, at: 0s, while: thinks }, { push: main, at: 1d } ]", ""),
        ("faults: [ { drop: 0.0001% }, { duplicate: 100%, for: 1s }, { delay: 0%, by: 1ms } ]", ""),
        ("faults: [ { restart: merger }, { pause: writer.1, for: 5m, while: waits-for-landing } ]", ""),
        ("operators: [ { at: 9s, by: Ana Müller, do: stop }, { at: 0s, by: yes, do: pause-all, reason: no } ]", ""),
        ("leases: [ { resource: \"**\", per: task, ttl: 2m } ]\nfaults: [ { kill: writer, while: holds-lease } ]", ""),
        (
            "gates: [ { name: a, forbid: \"<<<<<<< \" }, { name: b, script: { latency: { median: 1s, p99: 1s }, red: 2% } } ]",
            "",
        ),
        (
            "tasks: [ { each: 2, by: writer, touches: a/**, canonical: a/b, steps: 0, attempts: 64, do: { crash: 5% } } ]",
            "",
        ),
        (
            "tasks: [ { count: 1, by: writer, touches: a, do: [ { append: token }, { edit: increment }, { stall: 10m } ] } ]",
            "",
        ),
        ("tasks: [ { count: 1, by: writer, do: { read-then-write: { read: a/b, append: token } } } ]", ""),
        ("tasks: [ { count: 1, by: writer, do: [ { rename: token }, { delete: one }, { create: token } ] } ]", ""),
        (
            "tasks:\n- count: 1\n  by: writer\n  do:\n  - edit: replace-line\n  - transaction:\n      files: 2\n      append: token",
            "",
        ),
        (
            "models: { fast: { driver: script, latency: { median: 8s, p99: 60s }, price: { in: 0.000001 }, tokens: {} } }",
            "",
        ),
        (
            "approvals: { undo: { timeout: 30m, then: stop }, action: { then: approve } }\noperators: [ { at: 1m, by: ana, do: { approve: T-3 } }, { at: 1m, by: ana, do: { deny: all } }, { at: 2m, by: ben, do: { deny: undo } } ]",
            "",
        ),
        (
            "gates: [ { name: a, forbid: x } ]\noperators: [ { at: 1m, by: ana, do: { override: T-0 }, reason: flaky } ]",
            "",
        ),
        ("tasks: [ { count: 1, by: writer, approve: plan, do: { undo: one } } ]\nstop: { when: plan-approved }", ""),
        ("# comment\n\nseed: 7 # and one more\n", ""),
        ("\"seed\": 7", ""),
        ("name: null", ""),
    ]);
}

#[test]
fn form_of_the_file() {
    expect_all(&[
        ("seed: 'x", "E0005 1:7"),
        ("seed: [ 7", "E0005 2:5"),
        ("seed: 7 }", "E0106 1:7"),
        ("seed: [ 7 ] ]", "E0005 1:13"),
        ("seed: a: b", "E0005 1:8"),
        ("\tseed: 7", "E0005 1:1"),
        ("stop:\n\tafter: 7s", "E0005 2:1"),
        ("  seed: 7", "E0005 1:7"),
        ("seed: @x", "E0005 1:7"),
        ("seed: \"\\q\"", "E0005 1:7"),
        ("seed 7\nworld: sim", "E0005 2:1"),
        ("seed: 7\nseed: 8\nexpect: [", "E0011 2:1, E0005 4:1"),
        ("seed: 7\n---\nname: x", "E0008 2:1"),
        ("seed: !!int 7", "E0009 1:7"),
        ("caps: !caps { lanes: 5 }", "E0009 1:7"),
        ("seed: !a!b 7", "E0009 1:7"),
        ("seed: &a 7", "E0010 1:7"),
        ("caps: &a { lanes: 5 }\nmail: *a", "E0010 1:7, E0010 2:7"),
        ("caps: &a !b { lanes: 5 }", "E0010 1:7, E0009 1:10"),
        ("mail: *a", "E0010 1:7"),
        ("caps: { <<: { lanes: 5 } }", "E0010 1:9"),
        ("seed: 7\nseed: 8", "E0011 2:1"),
        ("seed: 7\nseed: 8\nseed: 9\nworld: mars", "E0011 2:1, E0011 3:1, E0115 4:8"),
        ("caps: { lanes: 5, lanes: 6, lakes: 7 }", "E0011 1:19, E0103 1:29"),
        ("? [ a ]\n: 7", "E0012 1:3"),
        ("? { a: b }\n: 7", "E0012 1:3"),
        (": 7", "E0012 1:1"),
        ("expect: [ [ [ [ x ] ] ] ]", "E0104 1:11"),
    ]);
}

#[test]
fn version_and_sections() {
    expect_all(&[
        ("baton: 2\nsead: 7", "E0101 1:8"),
        ("baton: \"1\"", "E0101 1:8"),
        ("baton: 1.0", "E0101 1:8"),
        ("baton:", "E0105 1:1"),
        ("baton: [ 1 ]", "E0104 1:8"),
        ("seed: 7\nbaton: 1\nsead: 8", "E0101 2:1, E0103 3:1"),
        ("sead: 7", "E0103 1:1"),
        ("packets: { run: { usd: 5.00 } }", "E0103 1:1"),
        ("thresholds: []", "W0201 1:13"),
        ("Seed: 7", "E0103 1:1"),
        ("seed:", "E0105 1:1"),
        ("name: ~", "E0113 1:7"),
        ("name: Two_Writers", "E0113 1:7"),
        ("name: 2-writers", "E0113 1:7"),
        ("name: \"\"", "E0113 1:7"),
        ("name: [ a ]", "E0104 1:7"),
        ("name: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg", "E0113 1:7"),
        ("world: simulated", "E0115 1:8"),
        ("world: { sim: true }", "E0104 1:8"),
        ("control: true", "E0115 1:10"),
        ("stop: 90s", "E0104 1:7"),
        ("stop: {}", "E0102 1:1"),
        ("stop: { after: 0s }", "E0107 1:16"),
        ("workspace: notes", "E0104 1:12"),
        ("workspace: {}", "E0118 1:1"),
        ("workspace: { files: 4 }", "E0118 1:1"),
        ("workspace: { fixture: notes, repo: x }", "E0118 1:30"),
        ("workspace: { fixtures: notes }", "E0103 1:14"),
        ("workspace: { fixture: nodes, files: 10001 }", "E0115 1:23, E0107 1:37"),
        ("workspace: { fixture: notes, base: main }", "E0103 1:30"),
        ("workspace: { repo: \"\" }", "E0125 1:20"),
        ("workspace: { repo: x, base: --help }", "E0125 1:29"),
        ("workspace: { repo: x, base: a..b }", "E0125 1:29"),
        ("tasks: []", "E0105 1:8"),
        ("roles: {}", "E0105 1:8"),
        ("models:", "E0105 1:1"),
        ("gates: []\nleases: []", "W0201 1:8, W0201 2:9"),
        ("faults:", "E0105 1:1"),
        ("faults: []", "W0201 1:9"),
        ("expect: main.intact", "E0104 1:9"),
    ]);
}

#[test]
fn numbers_times_and_shares() {
    expect_all(&[
        ("seed: -1", "E0106 1:7"),
        ("seed: +1", "E0106 1:7"),
        ("seed: 1_000", "E0106 1:7"),
        ("seed: 7.0", "E0106 1:7"),
        ("seed: 1e3", "E0106 1:7"),
        ("seed: 0x10", "E0106 1:7"),
        ("seed: 007", "E0106 1:7"),
        ("seed: \"7\"", "E0106 1:7"),
        ("seed: true", "E0106 1:7"),
        ("seed: ٧", "E0106 1:7"),
        ("seed: 18446744073709551616", "E0107 1:7"),
        ("seed: 99999999999999999999999999999999999", "E0107 1:7"),
        (
            "caps: { lanes: 0, tasks: 1000001, queue: 0, restarts: 1001 }",
            "E0107 1:16, E0107 1:26, E0107 1:42, E0107 1:55",
        ),
        ("stop: { after: 90 }", "E0108 1:16"),
        ("stop: { after: 1.5s }", "E0108 1:16"),
        ("stop: { after: -8s }", "E0108 1:16"),
        ("stop: { after: 8 s }", "E0108 1:16"),
        ("stop: { after: 30m1h }", "E0108 1:16"),
        ("stop: { after: 8sec }", "E0108 1:16"),
        ("stop: { after: 1001d }", "E0107 1:16"),
        ("stop: { after: 99999999999999999999h }", "E0107 1:16"),
        ("mail: { median: 20ms, p99: 2ms }", "E0117 1:28"),
        ("mail: { median: 0s, p99: 2ms }", "E0107 1:17"),
        ("mail: { median: 2ms }", "E0102 1:1"),
        ("mail: 2ms", "E0104 1:7"),
        ("faults: [ { drop: 0.05 } ]", "E0109 1:19"),
        ("faults: [ { drop: 5 } ]", "E0109 1:19"),
        ("faults: [ { drop: -5% } ]", "E0109 1:19"),
        ("faults: [ { drop: 0.00001% } ]", "E0109 1:19"),
        ("faults: [ { drop: 05% } ]", "E0109 1:19"),
        ("faults: [ { drop: 101% } ]", "E0107 1:19"),
        ("faults: [ { drop: 100.0001% } ]", "E0107 1:19"),
    ]);
}

#[test]
fn team() {
    let latency = "latency: { median: 8s, p99: 60s }";
    let priced = format!(
        "models: {{ fast: {{ {latency}, price: {{ in: $3, out: 1.0000001 }}, tokens: {{ in: 100000001 }} }} }}"
    );
    let dear = format!("models: {{ fast: {{ {latency}, price: {{ in: 100000.000001, out: -1, on: 3 }} }} }}");
    let driver = format!("models: {{ fast: {{ driver: model, {latency} }} }}");
    let named = format!("models: {{ fast: {{ {latency} }}, Slow: {{ {latency} }} }}");
    let unused = format!("models:\n  fast: {{ {latency} }}\n  slow: {{ {latency} }}");
    expect_all(&[
        ("roles: [ writer ]", "E0104 1:8"),
        ("roles: { writer: { lanes: 2 } }", "E0102 1:10"),
        ("roles: { writer: { lanes: 0, model: fast } }", "E0107 1:27"),
        ("roles: { writer: { lanes: 1001, model: fast } }", "E0119 1:27"),
        ("roles: { writer: { lanes: 9, model: fst } }", "E0111 1:37"),
        ("roles: { writer: { lanes: 9, model: fast, skil: policies/writer } }", "E0103 1:43"),
        ("roles: { writer: { lanes: 9, model: fast, skill: policies/writer } }", ""),
        ("roles: { writer: { lanes: 9, model: fast, skill: writer/ } }", ""),
        ("roles: { writer: { lanes: 9, model: fast, skill: policies/wrighter } }", "E0160 1:50"),
        ("roles: { writer: { lanes: 9, model: fast, skill: policies/writer/SKILL.md } }", "E0160 1:50"),
        ("roles: { writer: { lanes: 9, model: fast, skill: \"\" } }", "E0125 1:50"),
        ("roles: { writer: { lanes: 9, model: fast, skill: [a] } }", "E0104 1:50"),
        ("roles: { writer: { lanes: 9, model: fast }, merger: { lanes: 1, model: fast } }", "E0164 1:45"),
        ("merger: { skill: policies/merger }", ""),
        ("merger: { skill: policies/reviewer }", "W0260 1:18"),
        ("merger: { skill: policies/megrer }", "E0160 1:18"),
        ("merger: { skills: policies/merger }", "E0102 1:1, E0103 1:11"),
        ("merger: policies/merger", "E0104 1:9"),
        ("roles: { writer: { lanes: 9, model: [ fast ] } }", "E0104 1:37"),
        ("roles: { writer: 9 }", "E0104 1:18"),
        ("roles: { writer: { lanes: 9, model: fast }, Re_viewer: { lanes: 1, model: fast } }", "E0113 1:45"),
        (
            "roles: { writer: { lanes: 6, model: fast }, reader: { lanes: 6, model: fast } }\ncaps: { lanes: 11 }",
            "E0119 1:62",
        ),
        ("models: { fast: {} }", "E0102 1:11"),
        ("models: { fast: { latency: 8s } }", "E0104 1:28"),
        (&priced, "E0110 1:67, E0110 1:76, E0107 1:103"),
        (&dear, "E0107 1:67, E0110 1:87, E0103 1:91"),
        (&driver, "E0115 1:27"),
        (&named, "E0113 1:56"),
        (&unused, "W0203 3:3"),
        ("models: { fast: { latency: { median: 8s, p99: 9s }, slots: 100001 } }", "E0107 1:60"),
    ]);
}

#[test]
fn what_comes_before_and_behind_work() {
    let two = "roles: { writer: { lanes: 2, model: fast }, reader: { lanes: 1, model: fast, context: 60000 } }\n";
    let [task, then] = ["count: 1, by: writer, do: { append: token }"; 2];
    let cases = [
        (format!("tasks: [ {{ {task}, review: reader }} ]"), ""),
        (format!("tasks: [ {{ {task}, review: {{ by: reader, steps: 0, returns: 20%, rounds: 64 }} }} ]"), ""),
        (format!("tasks: [ {{ {task}, review: writer }} ]"), "E0129 2:65"),
        (format!("tasks: [ {{ {task}, review: {{ by: writer }} }} ]"), "E0129 2:71"),
        (format!("tasks: [ {{ {task}, review: raeder }} ]"), "E0111 2:65"),
        (format!("tasks: [ {{ {task}, review: {{ steps: 2 }} }} ]"), "E0102 2:57"),
        (format!("tasks: [ {{ {task}, review: {{ by: reader, rounds: 0 }} }} ]"), "E0107 2:87"),
        (format!("tasks: [ {{ {task}, review: {{ by: reader, steps: 1001, round: 2 }} }} ]"), "E0107 2:86, E0103 2:92"),
        (format!("tasks: [ {{ name: plan, {task} }}, {{ {then}, after: plan }} ]"), ""),
        (format!("tasks: [ {{ name: plan, {task} }}, {{ {then}, after: [plan] }} ]"), ""),
        (format!("tasks: [ {{ {task}, after: plan }} ]"), "E0111 2:64"),
        (format!("tasks: [ {{ name: plan, {task}, after: plan }} ]"), "E0111 2:76"),
        (format!("tasks: [ {{ name: plan, {task} }}, {{ {then}, after: plam }} ]"), "E0111 2:125"),
        (format!("tasks: [ {{ name: plan, {task} }}, {{ {then}, after: [] }} ]"), "E0105 2:125"),
        (format!("tasks: [ {{ name: plan, {task} }}, {{ name: plan, {then} }} ]"), "E0116 2:79"),
        (format!("tasks: [ {{ {task} }} ]\nfaults: [ {{ spoil: writer, how: huge }} ]"), ""),
        (format!("tasks: [ {{ {task} }} ]\nfaults: [ {{ spoil: writer, how: odd }} ]"), "E0115 3:33"),
        (format!("tasks: [ {{ {task} }} ]\nfaults: [ {{ spoil: writer.3, how: lying }} ]"), "E0112 3:20"),
    ];
    let cases: Vec<(String, &str)> = cases.into_iter().map(|(part, told)| (format!("{two}{part}"), told)).collect();
    expect_all(&cases.iter().map(|(part, told)| (part.as_str(), *told)).collect::<Vec<_>>());
    expect_all(&[
        ("roles: { writer: { lanes: 2, model: fast, context: 0 } }", "E0107 1:52"),
        ("roles: { writer: { lanes: 2, model: fast, context: much } }", "E0106 1:52"),
    ]);
}

#[test]
fn work() {
    expect_all(&[
        ("tasks: { count: 1 }", "E0104 1:8"),
        ("tasks: [ { count: 1 } ]", "E0102 1:10, E0102 1:10"),
        ("tasks: [ append ]", "E0104 1:10"),
        ("tasks:\n  -\n  - { count: 1, by: writer, do: { append: token } }", "E0105 2:4"),
        ("tasks: [ { by: writer, do: { append: token } } ]", "E0118 1:10"),
        ("tasks: [ { each: 2, count: 9, by: writer, do: { append: token } } ]", "E0118 1:21"),
        ("tasks: [ { count: 0, by: writer, do: { append: token } } ]", "E0107 1:19"),
        ("tasks: [ { count: 1, by: writr, do: { append: token } } ]", "E0111 1:26"),
        ("tasks: [ { each: 2, by: writer, do: { append: token } } ]\ncaps: { tasks: 3 }", "E0119 1:18"),
        ("tasks: [ { count: 1, by: writer, touches: ../x, do: { append: token } } ]", "E0114 1:43"),
        (
            "tasks: [ { count: 1, by: writer, touches: a, steps: 10001, attempts: 65, do: { append: token } } ]",
            "E0107 1:53, E0107 1:70",
        ),
        ("tasks: [ { count: 1, by: writer, attempts: 0, do: { append: token } } ]", "E0107 1:44"),
        ("tasks: [ { count: 1, by: writer, touches: a/**, canonical: b/c, do: { append: token } } ]", "E0120 1:60"),
        ("tasks: [ { count: 1, by: writer, touches: a/**, canonical: a/**, do: { append: token } } ]", "E0114 1:60"),
        ("tasks: [ { count: 1, by: writer, do: append } ]", "E0104 1:38"),
        ("tasks: [ { count: 1, by: writer, do: [] } ]", "E0105 1:38"),
        ("tasks: [ { count: 1, by: writer, do: {} } ]", "E0118 1:34"),
        ("tasks: [ { count: 1, by: writer, do: { apend: token } } ]", "E0103 1:40"),
        ("tasks: [ { count: 1, by: writer, do: { append: tokens } } ]", "E0115 1:48"),
        ("tasks: [ { count: 1, by: writer, do: { append: token, create: token } } ]", "E0118 1:55"),
        ("tasks: [ { count: 1, by: writer, do: { transaction: { files: 1, append: token } } } ]", "E0107 1:62"),
        ("tasks: [ { count: 1, by: writer, do: { transaction: { files: 1001 } } } ]", "E0102 1:40, E0107 1:62"),
        (
            "tasks: [ { count: 1, by: writer, touches: a, do: { transaction: { files: 2, append: token } } } ]",
            "E0127 1:52",
        ),
        ("tasks: [ { count: 1, by: writer, touches: a, do: { create: token } } ]", "E0127 1:52"),
        ("tasks: [ { count: 1, by: writer, do: { edit: shuffle } } ]", "E0115 1:46"),
        ("tasks: [ { count: 1, by: writer, do: { read-then-write: { read: a/**, append: token } } } ]", "E0114 1:65"),
        (
            "tasks: [ { count: 1, by: writer, do: [ { delete: all }, { stall: 0s }, { crash: 5 } ] } ]",
            "E0115 1:50, E0107 1:66, E0109 1:81",
        ),
    ]);
}

#[test]
fn rules_and_people() {
    let touched = "tasks: [ { count: 1, by: writer, touches: notes/**, do: { append: token } } ]";
    let untouched =
        format!("leases: [ {{ resource: docs/**, ttl: 2m }}, {{ resource: notes/a, ttl: 2m }} ]\n{touched}");
    expect_all(&[
        ("leases: { resource: a, ttl: 2m }", "E0104 1:9"),
        ("leases: [ { resource: a } ]", "E0102 1:11"),
        ("leases: [ { resource: notes/*.md, ttl: 2m } ]", "E0114 1:23"),
        (
            "leases: [ { resource: /etc, ttl: 2m }, { resource: 'a\\b', ttl: 0s } ]",
            "E0114 1:23, E0114 1:52, E0107 1:64",
        ),
        ("leases: [ { resource: .git/config, ttl: 2m }, { resource: a//b, ttl: 2m } ]", "E0114 1:23, E0114 1:59"),
        ("leases: [ { resource: a, ttl: 2m }, { resource: a, ttl: 3m } ]", "E0116 1:49"),
        ("leases: [ { resource: a, ttl: 2m, per: run } ]", "E0115 1:40"),
        (&untouched, "W0202 1:23"),
        ("gates: [ { name: clean } ]", "E0118 1:10"),
        ("gates: [ { name: Clean, forbid: \"\" } ]", "E0113 1:18, E0125 1:33"),
        ("gates: [ { name: a, forbid: x }, { name: a, forbid: y } ]", "E0116 1:42"),
        ("gates: [ { name: a, script: { red: 2 } } ]", "E0102 1:21, E0109 1:36"),
        ("gates: [ { name: a, forbid: \"a\\nb\" } ]", "E0125 1:29"),
        ("operators: [ { at: 6, by: ana, do: pause } ]", "E0108 1:20, E0115 1:36"),
        ("operators: [ { by: \"\" } ]", "E0102 1:14, E0102 1:14, E0125 1:20"),
        ("operators: [ { at: 6m, by: ana, do: stop, reason: [ x ] } ]", "E0104 1:51"),
    ]);
}

#[test]
fn misfortunes() {
    expect_all(&[
        ("faults: { kill: writer }", "E0104 1:9"),
        ("faults: [ {} ]", "E0118 1:11"),
        ("faults: [ { at: 5m } ]", "E0118 1:11"),
        ("faults: [ { kil: writer, at: 5 } ]", "E0103 1:13"),
        ("faults: [ { kill: writer, pause: writer } ]", "E0118 1:27"),
        ("faults: [ { kill: writer.3 } ]", "E0112 1:19"),
        (
            "faults: [ { kill: writer.0 }, { kill: writer.01 }, { kill: writer. } ]",
            "E0112 1:19, E0112 1:39, E0112 1:60",
        ),
        ("faults: [ { kill: impl-9 }, { kill: wrter.1 } ]", "E0112 1:19, E0112 1:37"),
        ("faults: [ { kill: writer, for: 5m } ]", "E0103 1:27"),
        ("faults: [ { kill: writer, while: holds-lease } ]", "E0123 1:34"),
        ("faults: [ { kill: writer, while: holding } ]", "E0115 1:34"),
        ("faults: [ { pause: writer } ]", "E0102 1:11"),
        ("faults: [ { restart: recorder, while: thinks } ]", "E0115 1:22, E0103 1:32"),
        ("faults: [ { delay: 5% } ]", "E0102 1:11"),
        ("faults: [ { drop: 5%, by: 3s } ]", "E0103 1:23"),
        ("faults: [ { push: master } ]", "E0115 1:19"),
        ("faults: [ { quake: 429 } ]", "E0103 1:13"),
        ("faults: [ { at: 5m, quake: 429 } ]", "E0118 1:11, E0103 1:21"),
    ]);
}

#[test]
fn expectations() {
    expect_all(&[
        ("expect: []", "W0201 1:9"),
        ("expect: [ tasks.landed ]", "E0121 1:11"),
        ("expect: [ tasks.landed = 4, tasks.landed == , tasks.landed == --4 ]", "E0121 1:11, E0121 1:29, E0121 1:47"),
        ("expect: [ tasks.landed == 4 tasks, tasks.landed 4, == 4 ]", "E0121 1:11, E0121 1:36, E0121 1:52"),
        ("expect: [ tasks.lnded == 4, merge.wait.p95 < 60 ]", "E0122 1:11, E0121 1:29"),
        ("thresholds: [ merge.wait.p95 < 60s, merge.wait.p9 < 60s, lease.wait < 1m ]", "E0122 1:37, E0122 1:58"),
        ("thresholds: [ merge.latency.max <= 1m30s, slot.wait.p50 < 250ms, duplicates.usd <= 0.5 ]", ""),
        (
            "thresholds: [ door.wait.p99, door.wait.p99 < 1.5s, rework.attempts < 1s ]",
            "E0121 1:15, E0121 1:30, E0121 1:52",
        ),
        (
            "thresholds: [ merge.wait.p95 < 0s, merge.wait.p95 >= 0s, rework.attempts == 0.5 ]",
            "E0128 1:15, W0204 1:36, E0128 1:58",
        ),
        ("thresholds: [ control.lost > 0 ]", "E0124 1:15"),
        ("expect: [ { main.intact: 1 } ]", "E0104 1:11"),
        ("expect: [ main.intact: 1 ]", "E0104 1:11"),
        ("expect: [ control.lost > 0 ]", "E0124 1:11"),
        ("expect:\n  -\n  - main.intact", "E0105 2:4"),
    ]);
}

#[test]
fn an_expectation_that_nothing_can_meet_is_refused_and_one_that_nothing_can_miss_is_doubted() {
    let (one, two) = ("faults: [ { push: main } ]\n", "E0128 2:11");
    let felt = |expected: &str| format!("{one}expect: [ {expected} ]");
    let (within, beyond) = (felt("faults.felt == 1, faults.injected == 9"), felt("faults.felt == 2"));
    expect_all(&[
        ("expect: [ main.intact == 2, main.intact > 1, main.intact == 0.5 ]", "E0128 1:11, E0128 1:29, E0128 1:46"),
        ("expect: [ tasks.landed == -4, tasks.landed < 0, tasks.failed <= -1 ]", "E0128 1:11, E0128 1:31, E0128 1:49"),
        ("expect: [ tasks.landed == 5, tasks.landed > 4, tasks.landed == 2.5 ]", "E0128 1:11, E0128 1:30, E0128 1:48"),
        ("expect: [ tasks.landed == 4, tasks.landed > 3, tasks.landed < 4.5, changes.refused == 99 ]", "W0204 1:48"),
        ("expect: [ spend.usd == 0.01, virtual.s == 2.5, spend.usd < 0 ]", "E0128 1:48"),
        ("expect: [ faults.felt == 1, faults.injected == 1 ]", "E0128 1:11, E0128 1:29"),
        (&within, ""),
        (&beyond, two),
        (
            "expect: [ tasks.landed >= 0, main.intact <= 1, main.intact != 2, virtual.s > -1 ]",
            "W0204 1:11, W0204 1:30, W0204 1:48, W0204 1:66",
        ),
        ("tasks: x\nexpect: [ tasks.landed == 5, faults.felt == 0 ]", "E0104 1:8, W0204 2:30"),
        ("faults: x\nexpect: [ faults.felt == 5 ]", "E0104 1:9"),
    ]);
}

#[test]
fn what_is_to_happen_after_the_end_is_doubted() {
    let faults = "faults: [ { kill: writer, at: 6m }, { push: main, at: 5m }, { drop: 1%, at: 5m1s } ]";
    let before = format!("stop: {{ after: 5m }}\n{faults}");
    let behind = format!("{faults}\nstop: {{ after: 5m }}");
    expect_all(&[
        (&before, "W0205 2:31, W0205 2:77"),
        (&behind, "W0205 1:31, W0205 1:77"),
        (faults, ""),
        ("stop: { after: 5m }\noperators: [ { at: 6m, by: ana, do: stop } ]", "W0205 2:20"),
        ("stop: { after: x }\noperators: [ { at: 6m, by: ana, do: stop } ]", "E0108 1:16"),
    ]);
}

#[test]
fn a_fault_in_one_section_hides_none_in_another() {
    let part = "name: X\nseed: x\nworld: x\nworkspace: x\nroles: x\nmodels: x\ntasks: x\nleases: x\ngates: x\nmail: x\n\
                operators: x\nfaults: x\nstop: x\ncaps: x\nexpect: x\ncontrol: x\nother: x";
    let found = faults_of(part);
    for line in 1..=17 {
        assert!(found.contains(&format!(" {line}:")), "line {line} is not told: {found}");
    }
}

#[test]
fn a_refused_section_is_not_told_again_by_those_that_refer_to_it() {
    expect_all(&[
        ("roles: x\nfaults: [ { kill: writer.9 } ]", "E0104 1:8"),
        ("models: x", "E0104 1:9"),
        ("roles: { writer: { lanes: x, model: fast } }\nfaults: [ { kill: writer.9 } ]", "E0106 1:27"),
        ("leases: x\nfaults: [ { kill: writer, while: holds-lease } ]", "E0104 1:9"),
        ("caps: { lanes: x }\nroles: { writer: { lanes: 2000, model: fast } }", "E0106 1:16"),
        ("control: x\nexpect: [ control.lost > 0 ]", "E0115 1:10"),
    ]);
}

#[test]
fn missing_sections_are_each_told() {
    let faults = read("case.yaml", b"baton: 1\n").unwrap_err();
    let told: Vec<_> = faults.list.iter().map(|fault| fault.message.as_str()).collect();
    let needed = ["name", "workspace", "models", "roles", "tasks"];
    assert_eq!(told, needed.map(|key| format!("the file needs `{key}`")));
    let found = read("case.yaml", b"# nothing\nname: a").unwrap_err();
    assert_eq!((found.list[0].code, found.list[0].line), ("E0101", 2));
}

/// The examples behind a code, by the words above them.
fn example(text: &str, word: &str) -> String {
    let (_, behind) = text.split_once(&format!("\n{word}:\n")).expect("a text has both examples");
    let lines = behind.lines().take_while(|line| line.starts_with("    ") || line.is_empty());
    lines.map(|line| format!("{}\n", line.get(4..).unwrap_or_default())).collect::<String>().trim_end().to_owned()
}

#[test]
fn every_explanation_has_a_wrong_example_that_gives_its_code_and_a_right_one() {
    for code in codes() {
        let text = explain(code).unwrap();
        let right = faults_of(&example(text, "Right"));
        assert_eq!(right, "", "{code}: the right example is wrong");
        // These cannot be shown in full: their examples say so.
        if !["E0001", "E0002", "E0003", "E0004", "E0007", "E0126", "E0161", "E0162", "E0163"].contains(&code) {
            let wrong = faults_of(&example(text, "Wrong"));
            let told: BTreeSet<&str> = wrong.split(", ").filter_map(|told| told.split(' ').next()).collect();
            assert_eq!(told, BTreeSet::from([code]), "{code}: {wrong}");
        }
    }
    assert_eq!(explain("E9999"), None);
}

#[test]
fn json_has_the_fields_that_others_rely_on() {
    let (whole, _) = with("sead: 7");
    let json = read("dir/case.yaml", whole.as_bytes()).unwrap_err().to_json();
    let expected = "{\"format\":1,\"exit_code\":2,\"files\":[\"dir/case.yaml\"],\"errors\":[{\"code\":\"E0103\",\"severity\":\"error\",\"message\":\
                    \"the file has no key \\\"sead\\\"\",\"file\":\"dir/case.yaml\",\"line\":2,\"column\":1,\"length\":4,\
                    \"help\":\"did you mean `seed`?\"}]}";
    assert_eq!(json, expected);
    let good = file::check("good.yaml", with("seed: 7").0.as_bytes());
    assert_eq!(good.faults.to_json(), "{\"format\":1,\"exit_code\":0,\"files\":[\"good.yaml\"],\"errors\":[]}");
    assert_eq!(good.faults.render(false), "");
}

/// Commands that change the team: lanes that are still to join have names, tasks have numbers, and roles their work.
#[test]
fn what_operators_order_is_about_what_the_file_has() {
    let said = |word: &str| format!("operators: [ {{ at: 1m, by: ana, do: {word} }} ]");
    let reviewed = "roles: { writer: { lanes: 2, model: fast }, judge: { lanes: 1, model: fast } }\n\
                    tasks: [ { count: 4, by: writer, review: judge, do: { append: token } } ]\n";
    let cases = [
        ("{ add: writer }", ""),
        ("{ add: { role: writer, lanes: 3 } }", ""),
        ("{ add: wrter }", "E0111 1:44"),
        ("{ add: { lanes: 2 } }", "E0102 1:39"),
        ("{ add: { role: writer, lanes: 0 } }", "E0107 1:67"),
        ("{ add: { role: writer, lanes: 1001 } }", "E0119 1:67"),
        ("{ remove: writer.2 }", ""),
        ("{ remove: writer.3 }", "E0112 1:47"),
        ("{ remove: writer }", "E0112 1:47"),
        ("{ release: writer.0 }", "E0112 1:48"),
        ("{ kill: writr.1 }", "E0112 1:45"),
        ("{ reassign: T-3, to: writer.2 }", ""),
        ("{ reassign: T-3, to: writer }", ""),
        ("{ reassign: T-4, to: writer.2 }", "E0151 1:49"),
        ("{ reassign: 3, to: writer.2 }", "E0151 1:49"),
        ("{ reassign: T-3 }", "E0102 1:33"),
        ("{ remove: writer.1, to: writer.2 }", "E0103 1:57"),
        ("{ remove: writer.1, kill: writer.2 }", "E0118 1:39"),
    ];
    let cases = cases.map(|(word, expected)| (said(word), expected));
    expect_all(&cases.each_ref().map(|(part, expected)| (part.as_str(), *expected)));
    expect_all(&[
        // Whoever joins later may be named before, by faults too.
        (
            "operators: [ { at: 9m, by: a, do: { remove: writer.4 } }, { at: 1m, by: a, do: { add: { role: writer, lanes: 2 } } } ]\nfaults: [ { kill: writer.3 } ]",
            "",
        ),
        ("operators: [ { at: 1m, by: a, do: { add: writer } } ]\nfaults: [ { kill: writer.4 } ]", "E0112 2:19"),
        ("caps: { lanes: 3 }\noperators: [ { at: 1m, by: a, do: { add: { role: writer, lanes: 4 } } } ]", "E0119 2:65"),
        (&format!("{reviewed}operators: [ {{ at: 1m, by: a, do: {{ reassign: T-0, to: judge.1 }} }} ]"), ""),
        (
            "roles: { writer: { lanes: 2, model: fast }, judge: { lanes: 1, model: fast } }\noperators: [ { at: 1m, by: a, do: { reassign: T-0, to: judge.1 } } ]",
            "E0152 2:56",
        ),
    ]);
}

#[test]
fn what_people_are_asked_and_what_they_say() {
    expect_all(&[
        ("approvals: { undo: { timeout: 0s } }", "E0107 1:31"),
        ("approvals: { undo: { then: maybe } }", "E0115 1:28"),
        ("approvals: { undone: { then: deny } }", "E0103 1:14"),
        ("approvals: { plan: { then: stop } }", "W0250 1:14"),
        ("approvals: { rounds: { then: stop } }", "W0250 1:14"),
        ("operators: [ { at: 1m, by: ana, do: { approve: T-4 } } ]", "E0111 1:48"),
        ("operators: [ { at: 1m, by: ana, do: { approve: T-01 } } ]", "E0111 1:48"),
        ("operators: [ { at: 1m, by: ana, do: { deny: everything } } ]", "E0115 1:45"),
        ("operators: [ { at: 1m, by: ana, do: { deny: plan } } ]", "W0250 1:45"),
        ("operators: [ { at: 1m, by: ana, do: { override: T-0 }, reason: x } ]", "E0150 1:39"),
        ("operators: [ { at: 1m, by: ana, do: { remove: writer.1 } } ]", ""),
        (
            "operators: [ { at: 2m, by: a, do: { remove: writer.2 } }, { at: 1m, by: a, do: { remove: writer.1 } } ]",
            "W0251 1:14",
        ),
        (
            "operators: [ { at: 1m, by: a, do: { remove: writer.1 } }, { at: 1m, by: a, do: { remove: writer.2 } }, { at: 3m, by: a, do: { add: writer } } ]",
            "",
        ),
        (
            "operators: [ { at: 1m, by: a, do: { remove: writer.1 } }, { at: 1m, by: a, do: stop }, { at: 2m, by: a, do: { remove: writer.2 } } ]",
            "",
        ),
        (
            "operators: [ { at: 3m, by: a, do: { remove: writer.3 } }, { at: 1m, by: a, do: { add: writer } }, { at: 2m, by: a, do: { remove: writer.1 } }, { at: 2m, by: a, do: { remove: writer.2 } } ]",
            "W0251 1:14",
        ),
        ("tasks: [ { count: 1, by: writer, do: { run: ls } } ]", "W0252 1:38"),
        ("tasks: [ { count: 1, by: writer, do: [ { read: a.md }, { stall: 1m }, { push: main } ] } ]", "W0252 1:38"),
        ("tasks: [ { count: 1, by: writer, canonical: a.md, do: { run: ls } } ]", ""),
        ("gates: [ { name: a, forbid: x } ]\noperators: [ { at: 1m, by: ana, do: { override: T-0 } } ]", "E0102 2:14"),
        (
            "gates: [ { name: a, forbid: x } ]\noperators: [ { at: 1m, by: ana, do: { override: undo }, reason: x } ]",
            "E0111 2:49",
        ),
        ("tasks: [ { count: 1, by: writer, approve: undo, do: { append: token } } ]", "E0115 1:43"),
        ("tasks: [ { count: 1, by: writer, do: { undo: two } } ]", "E0115 1:46"),
        ("stop: { when: plan-approved }", "E0150 1:15"),
        ("stop: { when: planned }", "E0115 1:15"),
        ("stop: {}", "E0102 1:1"),
    ]);
}
