//! What a plan says beside what the run then did, for every shipped scenario: inside of its bounds, and near to what was
//! expected.

use baton_scenarios::plan::{self, Count, Ground, Plan};
use baton_scenarios::run::{Options, Source, run};
use baton_scenarios::scenario::Scenario;
use baton_scenarios::shipped::SHIPPED;
use baton_scenarios::{file, outcome::Outcome};
use std::path::Path;

/// What was expected and what was are at most so far apart.
const MONEY_FACTOR: f64 = 1.5;
const TIME_FACTOR: f64 = 2.0;
const DISK_FACTOR: f64 = 2.0;
/// A run of fewer calls is decided by single draws, and one that waits for people by when they are asked.
const CALLS_MIN: u64 = 60;

/// A day of fewer lanes: the whole one takes as long as all the others.
fn text_of(name: &str, text: &str) -> String {
    let smaller = [
        ("files: 10000", "files: 300"),
        ("lanes: 200", "lanes: 10"),
        ("each: 15", "each: 6"),
        ("each: 3,", "each: 2,"),
        ("tasks.landed == 3600", "tasks.landed == 80"),
    ];
    match name {
        "day" => smaller.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to)),
        _ => text.to_owned(),
    }
}

fn bytes_below(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let own = std::fs::symlink_metadata(path).expect("what was listed is there");
    let below = if own.is_dir() {
        std::fs::read_dir(path).expect("a folder").map(|entry| bytes_below(&entry.expect("an entry").path())).sum()
    } else {
        0
    };
    own.blocks() * 512 + below
}

struct Ran {
    plan: Plan,
    outcome: Outcome,
    disk: u64,
}

fn ran(name: &str, text: &str, seed: u64) -> Ran {
    let scenario: Scenario = file::read(name, text.as_bytes()).unwrap_or_else(|faults| panic!("{faults}"));
    let ground = Ground::of_fixture(&scenario).expect("shipped scenarios work on a fixture");
    let plan = plan::plan_with(&scenario, &ground, Some(seed), None);
    let place = tempfile::tempdir().expect("there is room");
    let out = place.path().join("run");
    let options = Options { seed: Some(seed), out, ..Options::default() };
    let outcome = run(Source { scenario: &scenario, bytes: text.as_bytes() }, &options)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    Ran { plan, outcome, disk: bytes_below(place.path()) }
}

/// What is wrong with one figure; nothing, if it is right.
fn off(what: &str, found: f64, (low, expected, high): (f64, f64, f64), factor: f64) -> Option<String> {
    let near = found <= expected * factor && found >= expected / factor;
    let inside = (low..=high).contains(&found);
    let word = match (inside, near) {
        (true, true) => return None,
        (false, _) => "outside of its bounds",
        (true, false) => "far from what was expected",
    };
    Some(format!("{what}: {found} is {word}: {low} – {expected} – {high}"))
}

fn three(count: Count) -> (f64, f64, f64) {
    (count.low as f64, count.expected as f64, count.high as f64)
}

fn faults_of(ran: &Ran) -> Vec<String> {
    let Ran { plan, outcome, disk } = ran;
    let spend = &plan.spend;
    let usd = (spend.usd.low, spend.usd.expected, spend.usd.high);
    let by_chance = outcome.spend.calls < CALLS_MIN || !plan.questions.is_empty();
    let (money, time_factor) = if by_chance { (2.0, 4.0) } else { (MONEY_FACTOR, TIME_FACTOR) };
    let time = (plan.time.low_s, plan.time.expected_s, f64::INFINITY);
    [
        off("usd", outcome.spend.usd, usd, money),
        off("calls", outcome.spend.calls as f64, three(spend.calls), money),
        off("tokens_in", outcome.spend.tokens_in as f64, three(spend.tokens_in), money),
        off("tokens_out", outcome.spend.tokens_out as f64, three(spend.tokens_out), money),
        off("seconds", outcome.virtual_s, time, time_factor),
        off("records", outcome.journal.records as f64, three(plan.disk.records), DISK_FACTOR),
        off("disk", *disk as f64, three(plan.disk.bytes), DISK_FACTOR),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn what_a_plan_says_is_what_every_shipped_scenario_does() {
    let mut wrong = String::new();
    for (name, text) in SHIPPED {
        let text = text_of(name, text);
        // Storms are long, and so many calls that chance does not matter.
        let seeds: &[u64] = if name.starts_with("storm") { &[7] } else { &[1, 7] };
        for &seed in seeds {
            let ran = ran(name, &text, seed);
            if std::env::var_os("BATON_PLANS").is_some() {
                let (plan, outcome) = (&ran.plan, &ran.outcome);
                println!(
                    "{name:22} {seed} usd {:.2} {:?} calls {} {:?} s {:.0} {:.0}/{:.0} records {} {:?} disk {} {:?} binds {}",
                    outcome.spend.usd,
                    plan.spend.usd,
                    outcome.spend.calls,
                    plan.spend.calls,
                    outcome.virtual_s,
                    plan.time.low_s,
                    plan.time.expected_s,
                    outcome.journal.records,
                    plan.disk.records,
                    ran.disk,
                    plan.disk.bytes,
                    plan.binds_first
                );
            }
            for fault in faults_of(&ran) {
                wrong.push_str(&format!("{name}, seed {seed}: {fault}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A disk is not refused for files that nobody writes.
#[test]
fn more_files_than_there_are_take_no_more_than_they_are() {
    let text = "baton: 1\nname: more\nworkspace: { fixture: notes, files: 10 }\nroles: { a: { lanes: 3, model: fast } }\n\
         models: { fast: { latency: { median: 5s, p99: 30s } } }\n\
         tasks: [ { each: 2, by: a, do: { transaction: { files: 300, append: token } } } ]\n";
    let ran = ran("more", text, 1);
    let expected = ran.plan.disk.bytes.expected;
    assert!(ran.disk < 3 * expected && expected < 3 * ran.disk, "{} and {expected}", ran.disk);
}
