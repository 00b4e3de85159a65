//! Money and rates: added up from the journal by other code than the product's, at every record of it.

use crate::program::say;
use crate::run_folder::{RunFolder, run, write_scenario};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// Spent and reserved together, of the run and of one role, in millionths of a dollar: the most that it ever was.
fn peak(folder: &RunFolder<'_>, role: &str) -> (u64, u64) {
    let (mut run, mut of_role, mut open) = (0, 0, BTreeMap::new());
    let mut peak = (0, 0);
    for record in folder.records() {
        let (data, lane) = (&record["data"], record["lane"].as_str().unwrap_or_default().to_owned());
        let ours = lane.split('.').next() == Some(role);
        let used = match record["kind"].as_str().unwrap() {
            "EffectIntended" => {
                let bound = number(&data["reserved"]["usd_micros"]);
                assert!(open.insert(lane, bound).is_none());
                run += bound;
                of_role += if ours { bound } else { 0 };
                peak = (peak.0.max(run), peak.1.max(of_role));
                continue;
            }
            "EffectDone" => number(&data["usd_micros"]),
            "EffectLost" => number(&data["billed"]["usd_micros"]),
            "EffectFailed" => 0,
            _ => continue,
        };
        let bound = open.remove(&lane).unwrap();
        assert!(used <= bound, "{record} uses more than {bound}");
        run -= bound - used;
        of_role -= if ours { bound - used } else { 0 };
    }
    peak
}

fn shipped(place: &Path, name: &str, seed: &str) -> Value {
    let said = run(place, name, name, &["--seed", seed]);
    let told = said.json();
    assert_eq!(told["exit_code"], said.code());
    RunFolder(&place.join(name)).must_be_sound(name);
    told
}

#[test]
fn a_team_whose_money_runs_out_spends_no_more_than_it_was_given_and_says_so() {
    for seed in ["7", "8", "9"] {
        let place = tempfile::tempdir().unwrap();
        let told = shipped(place.path(), "money-runs-out", seed);
        assert_eq!((&told["exit_code"], &told["stopped"]), (&5.into(), &"budget-over".into()), "{told:#}");
        let path = place.path().join("money-runs-out");
        let folder = RunFolder(&path);
        let (run, writers) = peak(&folder, "writer");
        assert!(run <= 2_000_000 && writers <= 700_000, "{run} and {writers}");
        assert!(run > 1_800_000, "the limit was never near: {run}");
        assert!(!folder.of_kind("CallRefused").is_empty() && !folder.of_kind("LaneRetired").is_empty());
        assert!(told["main"]["landed"].as_u64() > Some(10), "what landed before stays");
    }
}

/// Run, roles, lanes and single calls all have a limit; each lane that reaches one gives back what it has, and ends.
#[test]
fn roles_lanes_and_calls_are_limited_at_once_and_whoever_has_no_money_left_has_a_last_turn() {
    for seed in ["7", "11", "12", "13"] {
        let place = tempfile::tempdir().unwrap();
        let told = shipped(place.path(), "money-runs-out", seed);
        assert_eq!((&told["exit_code"], &told["stopped"]), (&5.into(), &"budget-over".into()), "{told:#}");
        let path = place.path().join("money-runs-out");
        let folder = RunFolder(&path);
        let (mut calls_of_writers, mut tokens, mut refused) = (0, BTreeMap::<String, u64>::new(), BTreeMap::new());
        for record in folder.records() {
            let (data, lane) = (&record["data"], record["lane"].as_str().unwrap_or_default().to_owned());
            match record["kind"].as_str().unwrap() {
                "EffectIntended" => {
                    assert!(number(&data["reserved"]["usd_micros"]) <= 200_000, "{record}: above what a call may use");
                    assert!(!refused.contains_key(&lane), "{record}: it was refused a call, and calls again");
                    calls_of_writers += u64::from(lane.starts_with("writer."));
                }
                "EffectDone" => {
                    *tokens.entry(lane).or_default() += number(&data["tokens_in"]) + number(&data["tokens_out"]);
                }
                "EffectLost" => *tokens.entry(lane).or_default() += number(&data["billed"]["tokens"]),
                "CallRefused" => drop(refused.insert(lane, false)),
                "TaskReturned" | "TaskFailed" | "PacketAccepted" if refused.contains_key(&lane) => {
                    refused.insert(lane, true);
                }
                _ => {}
            }
        }
        assert!(calls_of_writers <= 12, "seed {seed}: {calls_of_writers} calls of writers");
        assert!(tokens.values().all(|tokens| *tokens <= 120_000), "seed {seed}: {tokens:?}");
        assert!(!refused.is_empty() && refused.values().all(|gave_back| *gave_back), "seed {seed}: {refused:?}");
        let retired = folder.of_kind("LaneRetired");
        assert!(retired.iter().all(|record| refused.contains_key(record["lane"].as_str().unwrap())), "seed {seed}");
        assert_eq!(retired.len(), refused.len(), "seed {seed}: whoever is refused a call takes no more");
    }
}

#[test]
fn a_hundred_lanes_waste_hardly_a_call_on_an_endpoint_that_has_enough() {
    let place = tempfile::tempdir().unwrap();
    let told = shipped(place.path(), "storm-429", "5");
    assert_eq!(told["exit_code"], 0, "{told:#}");
    let path = place.path().join("storm-429");
    let folder = RunFolder(&path);
    let times =
        |kind: &str| -> Vec<u64> { folder.of_kind(kind).iter().map(|record| number(&record["t_us"])).collect() };
    let begun = times("CallAdmitted");
    for (at, first) in begun.iter().enumerate() {
        let within = begun[at..].iter().take_while(|time| **time < first + 60_000_000).count();
        assert!(within <= 60, "{within} calls in a minute");
    }
    let (done, failed) = (times("EffectDone").len(), times("EffectFailed").len());
    assert!(failed >= 1 && failed * 50 <= done, "{failed} of {done} wasted");
    // While there are more lanes with work than the rate serves, but for the minute of the storm.
    let busy = begun.iter().filter(|time| **time < 900_000_000).count() - failed;
    let limit = (900 - 60) / 60 * 60;
    assert!(busy * 100 >= limit * 95, "{busy} calls where {limit} may pass");
}

/// Most calls that were at the endpoint at once in a part of the run, told from the journal alone.
fn most_at_once(folder: &RunFolder<'_>, from_us: u64, until_us: u64) -> u64 {
    let (mut there, mut most) = (0, 0);
    for record in folder.records() {
        match record["kind"].as_str().unwrap() {
            "CallAdmitted" => there += 1,
            "EffectDone" | "EffectFailed" | "EffectLost" => there -= 1,
            _ => continue,
        }
        if (from_us..until_us).contains(&number(&record["t_us"])) {
            most = most.max(there);
        }
    }
    most
}

/// The endpoint takes twelve at once. Whoever knew that would have no call refused; a team that does not know it finds it
/// out, and gets two thirds of what twelve calls at once can do.
#[test]
fn a_hundred_lanes_find_out_how_many_calls_an_overloaded_endpoint_takes() {
    const MINUTE_US: u64 = 60_000_000;
    for seed in ["3", "4", "5"] {
        let place = tempfile::tempdir().unwrap();
        let told = shipped(place.path(), "storm-529", seed);
        assert_eq!(told["exit_code"], 0, "{told:#}");
        let path = place.path().join("storm-529");
        let folder = RunFolder(&path);
        let (done, failed) = (folder.of_kind("EffectDone"), folder.of_kind("EffectFailed"));
        assert!(!failed.is_empty() && failed.len() * 50 <= done.len(), "{} of {} wasted", failed.len(), done.len());
        assert!(failed.iter().all(|record| record["data"]["status"] == 529));
        assert!(most_at_once(&folder, 0, MINUTE_US / 2) > 90, "before that there is room for everybody");
        let most = most_at_once(&folder, 5 * MINUTE_US, 30 * MINUTE_US);
        assert!((12..=13).contains(&most), "{most} at once where twelve are taken");
        let during = done.iter().filter(|record| (5 * MINUTE_US..30 * MINUTE_US).contains(&number(&record["t_us"])));
        // Twelve at once, each for 11.6 seconds on the average.
        let whole = 25.0 * 60.0 * 12.0 / 11.6;
        let share = during.count() as f64 / whole;
        assert!(share >= 0.66, "{share} of what twelve at once can do");
    }
}

#[test]
fn what_operators_say_of_money_and_of_the_end_is_obeyed_and_written_down() {
    let place = tempfile::tempdir().unwrap();
    let text = "baton: 1\nname: operators\nworkspace: { fixture: notes, files: 20 }\n\
        roles: { implementer: { lanes: 4, model: fast } }\n\
        models: { fast: { driver: script, latency: { median: 8s, p99: 60s }, tokens: { in: 4000, out: 600 }, price: { in: 3.0, out: 15.0 } } }\n\
        budgets: { run: { usd: 0.15 } }\n\
        tasks: [ { count: 60, by: implementer, do: { append: token } } ]\n\
        operators:\n\
        \x20 - { at: 5s, by: ana, do: { kill: implementer.2 }, reason: stuck }\n\
        \x20 - { at: 40s, by: ana, do: { budget: { run: { usd: 0.60 } } }, reason: worth it }\n\
        \x20 - { at: 75s, by: ben, do: drain, reason: enough }\n\
        expect: [ main.intact ]\n";
    let file = write_scenario(place.path(), "operators", text);
    let said = run(place.path(), &file, "out", &[]);
    let told = said.json();
    assert_eq!((said.code(), &told["stopped"]), (5, &"drained".into()), "{told:#}");
    let path = place.path().join("out");
    let folder = RunFolder(&path);
    folder.must_be_sound("operators");
    let given: Vec<String> = folder
        .of_kind("CommandGiven")
        .iter()
        .map(|record| format!("{} {} {}", record["data"]["by"], record["data"]["command"], record["lane"]))
        .collect();
    assert_eq!(given, [r#""ana" "kill" "implementer.2""#, r#""ana" "budget" null"#, r#""ben" "drain" null"#]);
    let died = folder.of_kind("LaneDied");
    assert_eq!((died.len(), &died[0]["data"]["reason"]), (1, &"operator".into()));
    let raised = &folder.of_kind("BudgetSet")[1]["data"];
    assert_eq!((&raised["by"], &raised["reason"]), (&"ana".into(), &"worth it".into()));
    let drained_at = number(&folder.of_kind("CommandGiven")[2]["seq"]);
    let begun_after = folder.of_kind("TaskAssigned").iter().any(|record| number(&record["seq"]) > drained_at);
    assert!(!begun_after, "nothing is begun in a run that is drained");
    assert!(peak(&folder, "implementer").0 <= 600_000);
}

#[test]
fn overloads_that_make_no_sense_are_found_where_they_stand() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    for (fault, code) in [
        ("{ overload: fast }", "E0102"),
        ("{ overload: fast, above: 0 }", "E0107"),
        ("{ overload: fast, above: 2.5 }", "E0106"),
        ("{ overload: slow, above: 2 }", "E0111"),
        ("{ overload: fast, above: 2, on: fast }", "E0103"),
        ("{ overload: fast, above: 2, for: 0s }", "E0107"),
        ("{ overload: fast, above: 4 }", "E0123"),
    ] {
        let text = format!(
            "baton: 1\nname: wrong\nworkspace: {{ fixture: notes }}\nroles: {{ implementer: {{ lanes: 9, model: fast }} }}\n\
             models: {{ fast: {{ slots: 4, latency: {{ median: 1s, p99: 2s }} }} }}\nfaults: [ {fault} ]\n\
             tasks: [ {{ count: 1, by: implementer, do: {{ append: token }} }} ]\n"
        );
        let file = write_scenario(place, "wrong", &text);
        let said = run(place, &file, "never", &[]);
        let told = said.json();
        assert_eq!((said.code(), &told["errors"][0]["code"]), (2, &code.into()), "{fault}: {told:#}");
        assert!(told["errors"][0]["line"] == 6, "{fault}");
    }
}

/// Under any limit in dollars, whoever sets it and when: what a model costs is said, or nothing runs.
#[test]
fn money_is_limited_only_where_it_is_known_what_calls_cost() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let tokens = "tokens: { in: 100, out: 10 }";
    let later = "{}\noperators: [ { at: 1m, by: ana, do: { budget: { lane: { usd: 1 } } } } ]";
    for (budgets, model, code) in [
        ("{ run: { usd: 1 } }", tokens.to_owned(), "E0165"),
        ("{ role: { w: { usd: 1 } } }", tokens.to_owned(), "E0165"),
        ("{ lane: { usd: 1 } }", tokens.to_owned(), "E0165"),
        ("{ call: { usd: 1 } }", tokens.to_owned(), "E0165"),
        (later, tokens.to_owned(), "E0165"),
        ("{ run: { usd: 1 } }", format!("{tokens}, price: {{}}"), "E0165"),
        ("{ run: { usd: 1 } }", format!("{tokens}, price: {{ in: 3.0 }}"), "E0165"),
        ("{ run: { usd: 1 } }", format!("{tokens}, price: {{ out: 3.0 }}"), "E0165"),
        ("{ run: { usd: 1 } }", "price: { out: 3.0 }".to_owned(), "E0165"),
        ("{ run: { usd: 1 } }", format!("{tokens}, price: {{ in: -3, out: 1 }}"), "E0110"),
        ("{ run: { usd: 1 } }", format!("{tokens}, price: {{ in: .nan, out: 1 }}"), "E0110"),
        ("{ run: { usd: 1 } }", format!("{tokens}, price: {{ in: 1e300, out: 1 }}"), "E0110"),
        ("{ run: { usd: 1 } }", format!("{tokens}, price: {{ in: 1, out: 1000000 }}"), "E0107"),
        // No limit in dollars is about it, or it is said what it costs.
        ("{ role: { v: { usd: 1 } } }", tokens.to_owned(), ""),
        ("{ run: { tokens: 100000 } }", tokens.to_owned(), ""),
        ("{ run: { usd: 1 } }", format!("{tokens}, price: {{ in: 0, out: 0 }}"), ""),
        ("{ run: { usd: 1 } }", String::new(), "W0208"),
    ] {
        let fast = if model.is_empty() { model.clone() } else { format!(", {model}") };
        let text = format!(
            "baton: 1\nname: unpriced\nworkspace: {{ fixture: notes }}\n\
             roles: {{ w: {{ lanes: 1, model: fast }}, v: {{ lanes: 1, model: other }} }}\nmodels:\n\
             \x20 fast: {{ latency: {{ median: 1s, p99: 2s }}{fast} }}\n\
             \x20 other: {{ latency: {{ median: 1s, p99: 2s }}, {tokens}, price: {{ in: 1, out: 1 }} }}\n\
             tasks: [ {{ count: 1, by: w, do: {{ append: token }} }} ]\nbudgets: {budgets}\n"
        );
        let file = write_scenario(place, "unpriced", &text);
        let said = say(place, ["check", &file, "--json"]);
        let told = said.json();
        let codes: Vec<&str> = told["errors"].as_array().unwrap().iter().filter_map(|e| e["code"].as_str()).collect();
        let expected: Vec<&str> = if code.is_empty() { Vec::new() } else { vec![code] };
        assert_eq!(codes, expected, "{budgets} {model}: {told:#}");
        if code.starts_with('E') {
            assert_eq!(told["errors"][0]["line"], 6, "{budgets} {model}: {told:#}");
            let refused = run(place, &file, "never", &[]);
            assert_eq!(refused.code(), 2, "{budgets} {model}");
            assert!(!place.join("never").exists(), "nothing moved");
        }
    }
}

/// A limit that can never hold anybody is not passed over in silence.
#[test]
fn a_limit_over_calls_that_use_no_tokens_is_doubted() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    for (budgets, model, doubted) in [
        ("{ run: { usd: 1 } }", ", price: { in: 1, out: 1 }", true),
        ("{ run: { usd: 1 } }", "", true),
        ("{ lane: { tokens: 100 } }", ", price: { in: 1, out: 1 }", true),
        ("{ lane: { tokens: 100 } }", ", price: { in: 0, out: 0.0 }", true),
        ("{}\noperators: [ { at: 1m, by: ana, do: { budget: { run: { tokens: 9 } } } } ]", "", true),
        ("{ run: { usd: 1 } }", ", price: { in: 0, out: 0.0 }", false),
        ("{ run: { requests: 3 } }", ", price: { in: 1, out: 1 }", false),
        ("{ run: { usd: 1, tokens: 100 } }", ", price: { in: 1, out: 1 }, tokens: { in: 5, out: 1 }", false),
    ] {
        let text = format!(
            "baton: 1\nname: unpriced\nworkspace: {{ fixture: notes }}\nroles: {{ w: {{ lanes: 1, model: fast }} }}\n\
             models: {{ fast: {{ latency: {{ median: 1s, p99: 2s }}{model} }} }}\n\
             tasks: [ {{ count: 1, by: w, do: {{ append: token }} }} ]\nbudgets: {budgets}\n"
        );
        let file = write_scenario(place, "unpriced", &text);
        let said = say(place, ["check", &file, "--json"]);
        let told = said.json();
        let codes = told["errors"].as_array().unwrap().iter().filter(|told| told["code"] == "W0208").count();
        assert_eq!((said.code(), codes), (0, usize::from(doubted)), "{budgets} {model}: {told:#}");
    }
}

#[test]
fn limits_that_make_no_sense_are_found_where_they_stand() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    for (budgets, code) in [
        ("{ run: {} }", "E0118"),
        ("{ run: { usd: -1 } }", "E0110"),
        ("{ run: { euro: 1 } }", "E0103"),
        ("{ role: { nobody: { usd: 1 } } }", "E0111"),
        ("{ endpoint: { fast: { requests: 60 } } }", "E0107"),
        ("{ endpoint: { fast: { requests: 0/min } } }", "E0107"),
        ("{ endpoint: { fast: { tokens: 10/min } } }", "E0107"),
        ("{ endpoint: { slow: { requests: 60/min } } }", "E0111"),
    ] {
        let text = format!(
            "baton: 1\nname: wrong\nworkspace: {{ fixture: notes }}\nroles: {{ implementer: {{ lanes: 1, model: fast }} }}\n\
             models: {{ fast: {{ latency: {{ median: 1s, p99: 2s }}, tokens: {{ in: 100 }} }} }}\nbudgets: {budgets}\n\
             tasks: [ {{ count: 1, by: implementer, do: {{ append: token }} }} ]\n"
        );
        let file = write_scenario(place, "wrong", &text);
        let said = run(place, &file, "never", &[]);
        let told = said.json();
        assert_eq!((said.code(), &told["errors"][0]["code"]), (2, &code.into()), "{budgets}: {told:#}");
        assert!(told["errors"][0]["line"] == 6, "{budgets}");
    }
}

/// Scenario and orders name different units for the same holders; whatever an order leaves out goes on as it was, also after
/// a restart, and for lanes that join later.
#[test]
fn what_an_order_about_money_does_not_name_goes_on_as_it_was() {
    let place = tempfile::tempdir().unwrap();
    let text = "baton: 1\nname: unnamed\nworkspace: { fixture: notes, files: 20 }\n\
        roles: { w: { lanes: 3, model: fast } }\n\
        models: { fast: { latency: { median: 8s, p99: 60s }, tokens: { in: 4000, out: 600 }, price: { in: 3.0, out: 15.0 } } }\n\
        budgets: { run: { tokens: 200000, usd: 1 }, role: { w: { requests: 40 } }, lane: { requests: 15 } }\n\
        tasks: [ { count: 60, by: w, do: { append: token } } ]\n\
        operators:\n\
        \x20 - { at: 10s, by: ana, do: { budget: { run: { usd: 4 }, role: { w: { tokens: 900000 } }, lane: { usd: 3 } } } }\n\
        \x20 - { at: 20s, by: ana, do: { add: { role: w, lanes: 2 } } }\n\
        \x20 - { at: 30s, by: ana, do: { budget: { lane: { requests: 16 } } } }\n\
        faults: [ { restart: supervisor, at: 15s } ]\n\
        expect: [ main.intact ]\n";
    let file = write_scenario(place.path(), "unnamed", text);
    let said = run(place.path(), &file, "out", &[]);
    let told = said.json();
    assert_eq!((said.code(), &told["stopped"]), (5, &"budget-over".into()), "{told:#}");
    let path = place.path().join("out");
    let folder = RunFolder(&path);
    folder.must_be_sound("unnamed");
    assert!(number(&told["spend"]["calls"]) <= 40, "the role's requests still hold: {:#}", told["spend"]);
    let used = number(&told["spend"]["tokens_in"]) + number(&told["spend"]["tokens_out"]);
    assert!(used <= 200_000, "the run's tokens still hold: {used}");
    let sets = folder.of_kind("BudgetSet");
    let last = |scope: &str, lane: Option<&str>| {
        let of = sets.iter().rfind(|set| set["data"]["scope"] == scope && set["lane"].as_str() == lane);
        of.unwrap()["data"]["limit"].clone()
    };
    assert_eq!(last("run", None), serde_json::json!({ "tokens": 200_000, "usd_micros": 4_000_000 }));
    assert_eq!(last("role", None), serde_json::json!({ "requests": 40, "tokens": 900_000 }));
    for lane in ["w.1", "w.3", "w.5"] {
        assert_eq!(last("lane", Some(lane)), serde_json::json!({ "requests": 16, "usd_micros": 3_000_000 }), "{lane}");
    }
    assert_eq!(told["report"]["people"]["commands"], serde_json::json!({ "add": 1, "budget": 2 }), "each once");
}
