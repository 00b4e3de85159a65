//! `baton check`: what is wrong with scenario and skill files is said of all of them at once, before anything runs.

use crate::program::say;
use crate::run_folder::write_scenario;
use serde_json::Value;
use std::path::Path;

fn skill(place: &Path, role: &str, from: &str, to: &str) -> String {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(role).join("SKILL.md");
    let text = std::fs::read_to_string(shipped).unwrap();
    assert!(from.is_empty() || text.contains(from), "{role} has no {from:?}");
    let folder = place.join(role);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("SKILL.md"), text.replacen(from, to, 1)).unwrap();
    role.to_owned()
}

/// What `check --json` says, and its exit code.
fn check(place: &Path, files: &[&str]) -> (i32, Value) {
    let said = say(place, ["check", "--json"].iter().chain(files));
    (said.code(), said.json())
}

fn codes(told: &Value) -> Vec<&str> {
    told["errors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect()
}

#[test]
fn everything_that_is_shipped_is_without_a_mistake() {
    let place = tempfile::tempdir().unwrap();
    let roles = ["planner", "implementer", "reviewer", "researcher", "writer", "merger"];
    for role in roles {
        skill(place.path(), role, "", "");
    }
    let scenarios = ["two-writers", "money-runs-out", "storm-429", "day"];
    let files: Vec<&str> = roles.into_iter().chain(scenarios).collect();
    let (code, told) = check(place.path(), &files);
    assert_eq!((code, &told["errors"]), (0, &Value::Array(Vec::new())), "{told:#}");
    assert_eq!(told["files"].as_array().unwrap().len(), files.len());
    let said = say(place.path(), ["check"].iter().chain(&files));
    assert_eq!((said.code(), said.stdout.as_str()), (0, "10 files: 0 errors, 0 warnings\n"));
}

#[test]
fn the_mistakes_of_all_files_are_told_with_their_places() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let file = write_scenario(place, "wrong", "baton: 1\nname: wrong\nroles: { a: { lanes: 0 } }\n");
    let writer = skill(place, "writer", "name: writer", "name: wrighter");
    let planner = skill(place, "planner", "baton-stop:", "baton-stopp:");
    let (code, told) = check(place, &[&file, &writer, &planner]);
    assert_eq!(code, 2, "{told:#}");
    let of = |name: &str| -> Vec<&Value> {
        let errors = told["errors"].as_array().unwrap().iter();
        errors.filter(|error| error["file"].as_str().unwrap().contains(name)).collect()
    };
    assert!(of("wrong").len() >= 4, "{told:#}");
    let renamed = of("writer")[0];
    assert_eq!((&renamed["code"], &renamed["line"], &renamed["column"]), (&"E0313".into(), &2.into(), &7.into()));
    let misspelt = of("planner");
    assert!(misspelt.iter().any(|error| error["help"].as_str().is_some_and(|help| help.contains("baton-stop"))));
    for code in codes(&told) {
        let said = say(place, ["explain", code]);
        assert_eq!(said.code(), 0, "{code} is not explained");
    }
    let said = say(place, ["check", "wrong.yaml", "writer", "planner", "--color", "never"]);
    assert!(said.stderr.contains("--> writer/SKILL.md:2:7"), "{}", said.stderr);
}

#[test]
fn roles_that_get_in_each_others_way_are_told() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let team = ["implementer", "reviewer"].map(|role| skill(place, role, "", ""));
    let (code, told) = check(place, &[&team[0], &team[1]]);
    assert_eq!(code, 0, "what a team lacks is a warning");
    assert!(codes(&told).contains(&"W0306"), "nobody makes the plan: {told:#}");
    let (code, told) = check(place, &["nowhere"]);
    assert_eq!((code, &told["exit_code"]), (2, &2.into()), "{told:#}");
}

/// A team of one writer, whose merger may be bound otherwise.
fn team(place: &Path, name: &str, role: &str, merger: &str) -> String {
    let text = format!(
        "baton: 1\nname: {name}\nworkspace: {{ fixture: notes }}\nroles: {{ scribe: {{ lanes: 1, model: m, skill: {role} }} \
         }}\n{merger}models: {{ m: {{ latency: {{ median: 1s, p99: 2s }} }} }}\ntasks: [ {{ each: 1, by: scribe, do: {{ append: \
         token }} }} ]\nexpect: [ main.intact ]\n"
    );
    let file = place.join(format!("{name}.yaml"));
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[test]
fn a_role_that_may_land_or_push_is_told_and_the_mergers_own_file_is_not() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let rogue = skill(place, "writer", "allowed-tools: Read", "allowed-tools: Land Push Read");
    let text = std::fs::read_to_string(place.join("writer/SKILL.md"))
        .unwrap()
        .replace("baton-deny: Land, Push, ", "baton-deny: ");
    std::fs::write(place.join("writer/SKILL.md"), &text).unwrap();
    let (code, told) = check(place, &[&rogue]);
    assert_eq!(code, 0, "it can do no harm: {told:#}");
    assert!(["W0310", "W0311"].iter().all(|code| codes(&told).contains(code)), "{told:#}");
    let (_, told) = check(place, &[&team(place, "rogue", "writer", "")]);
    assert!(["W0310", "W0311", "W0262"].iter().all(|code| codes(&told).contains(code)), "{told:#}");
    let (_, told) = check(place, &[&team(place, "shipped", "policies/merger", "")]);
    let found = told["errors"].as_array().unwrap().iter().find(|error| error["code"] == "W0262").unwrap();
    assert!(found["line"].as_u64().unwrap() == 4 && found["help"].as_str().unwrap().contains("merger"), "{found}");
    // What lands by right is not told of.
    let lander =
        std::fs::read_to_string(place.join("writer/SKILL.md")).unwrap().replace("name: writer", "name: lander");
    std::fs::create_dir_all(place.join("lander")).unwrap();
    std::fs::write(place.join("lander/SKILL.md"), lander).unwrap();
    let (_, told) = check(place, &[&team(place, "own", "policies/writer", "merger: { skill: lander }\n")]);
    assert!(!codes(&told).contains(&"W0310") && !codes(&told).contains(&"W0262"), "{told:#}");
}

#[test]
fn nobody_is_told_of_the_built_in_merger_or_of_packets() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let (code, told) = check(place, &[&team(place, "quiet", "policies/implementer", "")]);
    let about: Vec<&str> =
        told["errors"].as_array().unwrap().iter().map(|one| one["message"].as_str().unwrap()).collect();
    assert_eq!(code, 0, "{told:#}");
    assert!(!about.iter().any(|message| message.contains("merger") || message.contains("`packet`")), "{about:#?}");
}

/// Whoever reads `files` and `errors` finds them also where nothing could be checked.
#[test]
fn an_answer_in_json_has_its_keys_also_where_nothing_could_be_read() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    std::fs::write(place.join("p.json"), "{}").unwrap();
    for (files, run, expected) in [("nope", None, 2), ("p.json", Some("nope"), 7), ("x.yaml", Some("nope"), 7)] {
        let words = ["check", "--json", files].into_iter().chain(run.map(|_| "--run")).chain(run);
        let said = say(place, words);
        let told = said.json();
        assert_eq!((said.code(), &told["exit_code"]), (expected, &expected.into()), "{said:?}");
        assert_eq!((&told["files"], &told["errors"]), (&serde_json::json!([files]), &serde_json::json!([])), "{told}");
        assert!(told["error"].as_str().unwrap().contains("nope"), "{told}");
    }
}
