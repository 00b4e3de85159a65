//! Random scenarios of random faults and actions. Each ends by itself, as held, failed or stopped; what it leaves is sound.
//!
//! `BATON_SWARM` sets how many, `BATON_SWARM_FROM` the first seed. A failure prints the seed and the scenario.

mod asker;
mod busy;
mod handing;
mod orders;

use crate::draws::Draws;
use crate::program::{Living, baton};
use crate::report::must_agree;
use crate::run_folder::{RunFolder, write_scenario};
use asker::Asker;
use busy::Busy;
use handing::Handing;
use orders::{Orders, groups};
use std::time::Duration;

/// Scenarios, if nobody says otherwise.
const SCENARIOS: u64 = 30;
/// A scenario that lives longer hangs.
const HANGS: Duration = Duration::from_secs(20);

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

const ACTIONS: [&str; 9] = [
    "{ append: token }",
    "{ transaction: { files: 3, append: token } }",
    "{ create: token }",
    "{ edit: replace-line }",
    "{ edit: increment }",
    "{ read-then-write: { read: index/index.md, append: token } }",
    "{ rename: token }",
    "{ delete: one }",
    "{ crash: 10% }",
];
const PLACES: [&str; 5] = ["**", "notes/**", "counters/**", "index/**", "drafts/**"];
const MOMENTS: [&str; 4] = ["", ", while: holds-lease", ", while: thinks", ", while: waits-for-landing"];

fn task(draws: &mut Draws) -> String {
    let actions: Vec<&str> = (0..draws.between(1, 3)).map(|_| *draws.one(&ACTIONS)).collect();
    let (each, steps) = (draws.between(1, 4), draws.between(0, 3));
    let role = draws.one(&["implementer", "writer"]);
    // Only the first kind touches everything, so that every lease is of use.
    format!(
        "  - {{ each: {each}, by: {role}, steps: {steps}, touches: \"{}\", do: [ {} ] }}\n",
        draws.one(&PLACES),
        actions.join(", ")
    )
}

fn fault(draws: &mut Draws) -> String {
    let (at, share, long) = (draws.between(0, 200), draws.between(1, 30), draws.between(1, 600));
    let role = draws.one(&["implementer", "writer", "implementer.1", "writer.2"]);
    let moment = draws.one(&MOMENTS);
    match draws.between(0, 9) {
        0 | 1 => format!("  - {{ kill: {role}, at: {at}s{moment} }}\n"),
        2 | 3 => format!("  - {{ pause: {role}, at: {at}s, for: {long}s{moment} }}\n"),
        4 => format!("  - {{ restart: supervisor, at: {at}s }}\n"),
        5 => format!("  - {{ restart: merger, at: {at}s }}\n"),
        6 => format!("  - {{ duplicate: {share}%, at: {at}s }}\n"),
        7 => format!("  - {{ delay: {share}%, by: {long}s, at: {at}s, for: 10m }}\n"),
        8 => format!("  - {{ drop: {share}%, at: {at}s }}\n"),
        _ if draws.chance(20) => format!("  - {{ push: main, at: {at}s }}\n"),
        _ => format!("  - {{ drop: {share}%, at: {at}s, for: {long}s }}\n"),
    }
}

/// What a call uses where that is counted.
const TOKENS: &str = ", tokens: { in: 2000, out: 300, max: 900 }, price: { in: 3.0, out: 15.0 }";

/// What a scenario has of money, rates and people. Drawn apart, so that a seed means otherwise what it always meant.
#[derive(Default)]
struct Money {
    tokens: String,
    budgets: String,
    operators: String,
    storms: String,
    /// Calls that the endpoint takes at once, and when it takes no more.
    overload: Option<(u64, String)>,
}

impl Money {
    fn of(seed: u64) -> Money {
        let mut draws = Draws::of(seed ^ 0x6d6f_6e65_7900);
        if !draws.chance(50) {
            return Money::default();
        }
        let mut budgets = String::from("budgets:\n");
        let cents = draws.between(2, 200);
        budgets.push_str(&format!(
            "  run: {{ usd: {}.{:02}, tokens: {} }}\n",
            cents / 100,
            cents % 100,
            20_000 + 4_000 * cents
        ));
        if draws.chance(40) {
            budgets.push_str(&format!("  role: {{ writer: {{ requests: {} }} }}\n", draws.between(0, 20)));
        }
        if draws.chance(40) {
            budgets.push_str(&format!("  lane: {{ tokens: {} }}\n", draws.between(2, 60) * 1_000));
        }
        if draws.chance(50) {
            budgets.push_str(&format!("  endpoint: {{ fast: {{ requests: {}/min }} }}\n", draws.between(4, 120)));
        }
        let mut operators = String::new();
        let at = draws.between(1, 300);
        match draws.between(0, 4) {
            0 => operators.push_str(&format!("  - {{ at: {at}s, by: ben, do: drain }}\n")),
            1 => operators.push_str(&format!("  - {{ at: {at}s, by: ben, do: {{ kill: writer.1 }} }}\n")),
            2 | 3 => operators.push_str(&format!(
                "  - {{ at: {at}s, by: ben, do: {{ budget: {{ run: {{ usd: {} }} }} }} }}\n",
                draws.between(0, 3)
            )),
            _ => {}
        }
        let mut storms = String::new();
        if draws.chance(30) {
            let (from, long) = (draws.between(0, 100), draws.between(1, 200));
            storms.push_str(&format!(
                "  - {{ storm: 429, on: fast, at: {from}s, for: {long}s, retry-after: {}s }}\n",
                draws.between(0, 40)
            ));
        }
        let overload = draws.chance(40).then(|| {
            let (above, at, retry) = (draws.between(1, 5), draws.between(0, 200), draws.between(0, 30));
            let during = if draws.chance(50) { format!(", for: {}s", draws.between(1, 900)) } else { String::new() };
            (above, format!("above: {above}, at: {at}s, retry-after: {retry}s{during}"))
        });
        Money { tokens: TOKENS.to_owned(), budgets, operators, storms, overload }
    }
}

/// What waits for people, and what they say to it; drawn apart as well.
#[derive(Default)]
struct People {
    approvals: String,
    tasks: String,
    operators: String,
    /// Only where there is a gate.
    overrides: String,
}

impl People {
    fn of(seed: u64) -> People {
        let mut draws = Draws::of(seed ^ 0x7065_6f70_6c65);
        if !draws.chance(60) {
            return People::default();
        }
        let mut approvals = String::from("approvals:\n");
        for subject in ["undo", "plan"] {
            let (timeout, then) = (draws.between(1, 900), draws.one(&["approve", "approve", "deny", "deny", "stop"]));
            approvals.push_str(&format!("  {subject}: {{ timeout: {timeout}s, then: {then} }}\n"));
        }
        let (undos, plans) = (draws.between(1, 3), draws.between(1, 2));
        let role = draws.one(&["implementer", "writer"]);
        let tasks = format!(
            "  - {{ each: {undos}, by: {role}, touches: \"notes/**\", do: [ {{ undo: one }}, {{ append: token }} ] }}\n  \
             - {{ each: {undos}, by: writer, do: {{ undo: one }} }}\n  \
             - {{ count: {plans}, by: {role}, approve: plan, do: [ {{ delete: one }}, {{ append: token }} ] }}\n"
        );
        let mut operators = String::new();
        for _ in 0..draws.between(0, 5) {
            let (at, word) = (draws.between(1, 900), draws.one(&["approve", "approve", "deny"]));
            let about = draws.one(&["undo", "plan", "all", "T-1", "T-3", "T-5"]);
            operators.push_str(&format!("  - {{ at: {at}s, by: eva, do: {{ {word}: {about} }} }}\n"));
        }
        let mut overrides = String::new();
        for _ in 0..draws.between(0, 3) {
            let (at, task) = (draws.between(0, 120), draws.between(0, 5));
            overrides.push_str(&format!("  - {{ at: {at}s, by: eva, do: {{ override: T-{task} }}, reason: known }}\n"));
        }
        People { approvals, tasks, operators, overrides }
    }
}

/// What binds the roles of a scenario, what is tried beyond it, and who looks away. Drawn apart, as money is.
#[derive(Default)]
struct Bounds {
    /// Of the implementer and of the writer.
    skills: [&'static str; 2],
    tasks: String,
    faults: String,
}

/// What may be tried, and what may not.
const LITERALS: [&str; 12] = [
    "{ run: \"cd . && git push\" }",
    "{ run: \"ls notes\" }",
    "{ write: counters/counter-000.txt }",
    "{ write: notes/private/diary.md }",
    "{ write: ../outside.md }",
    "{ write: notes/note-000.md/below }",
    "{ remove: notes }",
    "{ remove: drafts }",
    "{ read: .git/config }",
    "{ push: main }",
    "{ mcp: mcp__files__read }",
    "{ write: drafts/shared.md }",
];

impl Bounds {
    fn of(seed: u64) -> Bounds {
        let mut draws = Draws::of(seed ^ 0x6269_6e64_0000);
        if !draws.chance(40) {
            return Bounds::default();
        }
        let skills =
            [0; 2].map(|_| *draws.one(&["", ", skill: scribe", ", skill: policies/writer", ", skill: proofreader"]));
        let mut bounds = Bounds { skills, ..Bounds::default() };
        for role in ["implementer", "writer"] {
            let literals: Vec<&str> = (0..draws.between(1, 3)).map(|_| *draws.one(&LITERALS)).collect();
            let (count, attempts) = (draws.between(1, 3), draws.between(1, 5));
            bounds.tasks.push_str(&format!(
                "  - {{ count: {count}, by: {role}, attempts: {attempts}, do: [ {}, {{ append: token }} ] }}\n",
                literals.join(", ")
            ));
        }
        for (role, skill) in ["implementer", "writer"].iter().zip(skills) {
            if !skill.is_empty() && draws.chance(60) {
                bounds.faults.push_str(&format!("  - {{ ignore-policy: {role}, at: {}s }}\n", draws.between(0, 200)));
            }
        }
        bounds
    }
}

/// One file gets several names, in turn and at once. Drawn apart, so that a seed means otherwise what it always meant.
fn renames(seed: u64) -> String {
    let mut draws = Draws::of(seed ^ 0x7265_6e61_6d65);
    let mut text = String::new();
    let mut names = vec!["notes/note-000.md".to_owned()];
    let count = if draws.chance(35) { draws.between(1, 4) } else { 0 };
    for number in 0..count {
        let (from, to) = (draws.one(&names).clone(), format!("notes/name-{number}.md"));
        let role = draws.one(&["implementer", "writer"]);
        text.push_str(&format!(
            "  - {{ count: {}, by: {role}, touches: \"notes/**\", do: {{ rename: {{ from: {from}, to: {to} }} }} }}\n",
            draws.between(1, 2)
        ));
        names.push(to);
    }
    text
}

fn scenario(seed: u64) -> String {
    let (mut draws, money, handing) = (Draws::of(seed), Money::of(seed), Handing::of(seed));
    let (people, asker) = (People::of(seed), Asker::of(seed, Orders::are_given(seed)));
    let busy = Busy::of(seed);
    let Bounds { skills: [bound, writes], tasks: literal, faults: ignored } = Bounds::of(seed);
    let tokens = if money.tokens.is_empty() && !handing.tasks.is_empty() { TOKENS } else { &money.tokens };
    let [implementers, writing] = &handing.contexts;
    let (files, lanes, writers) = (draws.between(1, 30), draws.between(1, 6) + busy.lanes, draws.between(2, 3));
    let (slots, median) = (draws.between(0, 3), draws.between(1, 20));
    let mut text = format!(
        "baton: 1\nname: swarm\nseed: {seed}\nworkspace: {{ fixture: notes, files: {files} }}\nroles:\n  \
         implementer: {{ lanes: {lanes}, model: fast{implementers}{bound} }}\n  \
         writer: {{ lanes: {writers}, model: fast{writing}{writes} }}\n{}models:\n  \
         fast: {{ driver: script, latency: {{ median: {median}s, p99: 90s }}, slots: {slots}{tokens} }}\n{}tasks:\n  \
         - {{ each: 2, by: implementer, do: {{ append: token }} }}\n",
        asker.role, money.budgets
    );
    (0..draws.between(1, 4)).for_each(|_| text.push_str(&task(&mut draws)));
    text.push_str(&handing.tasks);
    text.push_str(&people.tasks);
    text.push_str(&literal);
    text.push_str(&renames(seed));
    text.push_str(&busy.tasks);
    text.push_str(&asker.tasks);
    text.push_str(&people.approvals);
    text.push_str("leases:\n  - { resource: README.md, ttl: 2m }\n");
    for place in ["notes/**", "counters/**", "index/**"] {
        if draws.chance(40) {
            let (per, ttl) = (draws.one(&["change", "task"]), draws.between(20, 300));
            text.push_str(&format!("  - {{ resource: \"{place}\", per: {per}, ttl: {ttl}s }}\n"));
        }
    }
    let mut operators = money.operators + &people.operators + &asker.operators;
    if draws.chance(50) {
        operators.push_str(&people.overrides);
        let red = draws.between(0, 40);
        text.push_str(&format!(
            "gates:\n  - {{ name: tests, script: {{ latency: {{ median: 3s, p99: 20s }}, red: {red}% }} }}\n{}",
            busy.gates
        ));
    } else if !busy.gates.is_empty() {
        text.push_str(&format!("gates:\n{}", busy.gates));
    }
    operators.push_str(&busy.operators);
    if draws.chance(40) {
        let (pause, resume) = (draws.between(0, 200), draws.between(200, 400));
        operators.push_str(&format!(
            "  - {{ at: {pause}s, by: ana, do: pause-all }}\n  - {{ at: {resume}s, by: ana, do: resume-all }}\n"
        ));
    }
    let mut cap = String::new();
    if let Some(mut orders) = Orders::of(seed, [lanes, writers], &groups(&text, [lanes, writers])) {
        operators.push_str(&orders.say());
        cap = orders.cap();
    }
    if !operators.is_empty() {
        text.push_str(&format!("operators:\n{operators}"));
    }
    text.push_str("faults:\n");
    text.push_str(&money.storms);
    if let Some((_, when)) = money.overload.filter(|(above, _)| slots == 0 || *above < slots) {
        text.push_str(&format!("  - {{ overload: fast, {when} }}\n"));
    }
    text.push_str(&handing.faults);
    text.push_str(&ignored);
    text.push_str(&busy.faults);
    (0..draws.between(1, 6)).for_each(|_| text.push_str(&fault(&mut draws)));
    let restarts = draws.between(1, 100);
    let (queue, caps) = (draws.between(1, 64), handing.caps);
    text + &format!("caps: {{ {cap}{}restarts: {restarts}, queue: {queue}{caps} }}\nstop: {{ after: 9d }}\n", busy.cap)
}

#[track_caller]
fn check(seed: u64) -> i32 {
    let place = tempfile::tempdir().unwrap();
    let text = scenario(seed);
    let file = write_scenario(place.path(), "swarm", &text);
    let again = format!("BATON_SWARM=1 BATON_SWARM_FROM={seed} cargo test --release --test product swarm");
    let mut living = Living::start(&mut baton(place.path(), ["run", &file, "--json", "--out", "out"]));
    assert!(living.ends_within(HANGS), "{again}: it hangs\n{text}");
    let said = living.end(HANGS);
    let code = said.status.code();
    let fine = matches!(code, Some(0 | 1 | 5 | 6)) && !said.stderr.contains("panicked");
    assert!(fine, "{again}: it ends with {code:?}; {}{}\n{text}", said.stderr, said.stdout);
    RunFolder(&place.path().join("out")).must_be_sound(&format!("{again}\n{text}"));
    // Nobody sums up a run whose supervisor or merger has died too often.
    if code == Some(5) && said.stderr.contains("has died more often than") {
        return said.code();
    }
    // Counting again is slow by design.
    if RunFolder(&place.path().join("out")).records().len() < 4_000 {
        must_agree(&place.path().join("out"), &format!("{again}\n{text}"));
    }
    let stopped = said.json()["stopped"].clone();
    assert_ne!(stopped, "time-over", "{again}: alive for days\n{text}");
    said.code()
}

/// Seeds that failed once: a role without lanes that was waited for, an answer to a lane's former life, a push that came
/// after the last landing, and a merger that was restarted after a lease was taken from its holder.
#[test]
fn what_failed_once_fails_no_more() {
    for seed in [112, 1211, 1250, 3073] {
        check(seed);
    }
}

#[test]
fn random_scenarios_end_by_themselves_and_leave_a_sound_run() {
    let from = setting("BATON_SWARM_FROM", 1);
    let codes: Vec<i32> = (from..from + setting("BATON_SWARM", SCENARIOS)).map(check).collect();
    // A swarm in which nothing ends well would prove nothing.
    assert!(codes.len() < 20 || codes.contains(&0), "{codes:?}");
}
