//! Lanes that ignore their policy, mergers that may not land, packets that may not go where they are sent, and run folders
//! whose skill files are not those that bound the roles.

use super::{attempt, skill};
use crate::program::say;
use crate::run_folder::{RunFolder, run, write_scenario};
use serde_json::Value;
use std::path::Path;

fn promise<'a>(report: &'a Value, id: &str) -> &'a Value {
    report["promises"].as_array().unwrap().iter().find(|promise| promise["id"] == id).unwrap()
}

/// A team of writers and a judge, bound by these skills.
fn team(place: &Path, judge: &[(&str, &str)], rest: &str) -> String {
    skill(place, "trier", &[("baton-handoff-to", "judge")]);
    let own = [&[("baton-handoff-to", "trier")], judge].concat();
    skill(place, "judge", &own);
    let text = format!(
        "baton: 1\nname: team\nseed: 9\nworkspace: {{ fixture: notes, files: 8 }}\nroles:\n  trier: {{ lanes: 2, model: \
         m, skill: ./trier }}\n  judge: {{ lanes: 1, model: m, skill: judge/ }}\nmodels: {{ m: {{ latency: {{ median: 2s, \
         p99: 9s }} }} }}\n{rest}"
    );
    write_scenario(place, "team", &text)
}

const TASKS: &str = "tasks:\n  - { each: 3, by: trier, touches: \"notes/**\", do: [ { append: token }, { write: \
                     counters/counter-000.txt } ], review: judge }\n";

#[test]
fn a_change_made_past_the_boundary_is_refused_by_its_authors_role_and_not_by_the_submitters() {
    let place = tempfile::tempdir().unwrap();
    // The judge may write counters; the author may not.
    let judge = [("baton-may-write", "counters/**"), ("allowed-tools", "Read Write(counters/**) Edit(counters/**)")];
    let faults =
        "faults: [ { ignore-policy: trier.1 }, { restart: merger, at: 10s }, { restart: supervisor, at: 14s } ]\n";
    let file = team(place.path(), &judge, &format!("{TASKS}{faults}"));
    for seed in 1..12 {
        let out = format!("out-{seed}");
        let said = run(place.path(), &file, &out, &["--seed", &seed.to_string()]);
        assert_eq!(said.code(), 0, "{said:?}");
        let path = place.path().join(&out);
        let folder = RunFolder(&path);
        folder.must_be_sound(&format!("seed {seed}"));
        let records = folder.records();
        let at = records.iter().position(|record| record["data"]["reason"] == "policy").expect("the merger refuses it");
        let (denied, refused) = (&records[at - 1], &records[at]);
        assert_eq!((&denied["kind"], &denied["actor"]), (&"ActionDenied".into(), &"merger".into()), "{denied}");
        assert_eq!((&denied["data"]["fault"], &refused["data"]["fault"]), (&0.into(), &0.into()), "it is felt");
        assert_eq!(refused["data"]["paths"], serde_json::json!(["counters/counter-000.txt"]));
        assert!(refused["lane"].as_str().unwrap().starts_with("judge"), "submitted by whoever judged it");
        assert_eq!(said.json()["main"]["landed"], 6, "the task is done all the same");
    }
}

#[test]
fn a_merger_that_may_not_land_lands_nothing_and_says_so() {
    for (allowed, deny, approve, reason) in [
        ("Read", "Bash", "Push", "nothing-allows"),
        ("Read Land", "Land", "Push", "deny"),
        ("Read Land", "Bash", "Land", "not-approved"),
    ] {
        let place = tempfile::tempdir().unwrap();
        skill(place.path(), "mine", &[("allowed-tools", allowed), ("baton-deny", deny), ("baton-approve", approve)]);
        let tasks = "tasks: [ { count: 2, by: trier, attempts: 2, touches: \"notes/**\", do: { append: token } } ]\n";
        let file = team(place.path(), &[], &format!("{tasks}merger: {{ skill: mine }}\n"));
        let said = run(place.path(), &file, "out", &[]);
        assert_eq!(said.code(), 1, "{said:?}");
        assert!(said.stderr.contains("W0260"), "nobody is told beforehand: {}", said.stderr);
        let path = place.path().join("out");
        let folder = RunFolder(&path);
        folder.must_be_sound(allowed);
        assert_eq!(folder.of_kind("ChangeLanded").len(), 0);
        let denied = folder.of_kind("ActionDenied");
        assert_eq!(denied.len(), 4, "each of the attempts");
        for denied in denied {
            assert_eq!(
                (&denied["data"]["tool"], &denied["data"]["reason"]),
                (&"Land".into(), &reason.into()),
                "{denied}"
            );
        }
    }
}

#[test]
fn a_packet_goes_only_where_the_roles_file_lets_it_go() {
    let place = tempfile::tempdir().unwrap();
    let file = team(place.path(), &[], TASKS);
    skill(place.path(), "trier", &[("baton-handoff-to", "somebody-else")]);
    let said = run(place.path(), &file, "out", &[]);
    assert_eq!(said.code(), 1, "{said:?}");
    assert!(said.stderr.contains("W0261"), "nobody is told beforehand: {}", said.stderr);
    let path = place.path().join("out");
    let folder = RunFolder(&path);
    folder.must_be_sound("unlisted");
    assert_eq!((folder.of_kind("ChangeLanded").len(), folder.of_kind("PacketAccepted").len()), (0, 0));
    let refused = folder.of_kind("PacketRefused");
    let why = "the skill of trier does not let it hand work to judge";
    assert!(!refused.is_empty() && refused.iter().all(|record| record["data"]["flaws"][0] == why), "{refused:?}");
}

#[test]
fn the_skills_context_limit_is_the_roles_unless_the_scenario_says_otherwise() {
    let place = tempfile::tempdir().unwrap();
    skill(place.path(), "trier", &[("baton-context-limit", "\"5000\"")]);
    let text = |context: &str| {
        format!(
            "baton: 1\nname: long\nworkspace: {{ fixture: notes }}\nroles: {{ trier: {{ lanes: 2, model: m, skill: \
             trier{context} }} }}\nmodels: {{ m: {{ latency: {{ median: 2s, p99: 9s }}, tokens: {{ in: 900, out: 100 }} }} \
             }}\ntasks: [ {{ count: 1, by: trier, steps: 12, touches: \"notes/**\", do: {{ append: token }} }} ]\n"
        )
    };
    for (out, context, handed) in [("short", "", 2), ("long", ", context: 100000", 0)] {
        let file = write_scenario(place.path(), out, &text(context));
        let said = run(place.path(), &file, out, &[]);
        assert_eq!(said.code(), 0, "{said:?}");
        let path = place.path().join(out);
        RunFolder(&path).must_be_sound(out);
        assert_eq!(RunFolder(&path).of_kind("PacketAccepted").len(), handed, "{out}");
    }
}

/// What is done to a run folder behind the journal's back.
type Deed = (&'static str, fn(&Path));

#[test]
fn a_skill_file_that_is_missing_or_was_altered_is_found() {
    let deeds: [Deed; 7] = [
        ("a word more", |policies| {
            let path = policies.join("trier/SKILL.md");
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(path, text.replace("notes/**", "**")).unwrap();
        }),
        ("a line at the end", |policies| {
            let path = policies.join("trier/SKILL.md");
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(path, text + "\n").unwrap();
        }),
        ("no file", |policies| std::fs::remove_file(policies.join("trier/SKILL.md")).unwrap()),
        ("no folder", |policies| std::fs::remove_dir_all(policies).unwrap()),
        ("another's file", |policies| {
            std::fs::copy(policies.join("merger/SKILL.md"), policies.join("trier/SKILL.md")).unwrap();
        }),
        ("a link to the file", |policies| {
            std::fs::rename(policies.join("trier/SKILL.md"), policies.join("elsewhere.md")).unwrap();
            std::os::unix::fs::symlink("../elsewhere.md", policies.join("trier/SKILL.md")).unwrap();
        }),
        ("a skill that binds nobody", |policies| std::fs::create_dir(policies.join("stranger")).unwrap()),
    ];
    for (what, deed) in deeds {
        let place = tempfile::tempdir().unwrap();
        attempt(place.path(), &[], &["{ write: notes/new.md }".to_owned()]);
        let path = place.path().join("out");
        deed(&path.join("policies"));
        let (code, report) = RunFolder(&path).verify();
        assert_eq!((code, &promise(&report, "ROLE-1")["status"]), (3, &"broken".into()), "{what}: {report:#}");
    }
}

#[test]
fn the_shipped_scenarios_of_bound_teams_hold_on_any_seed_and_end_the_same_way_twice() {
    for scenario in ["bound-roles", "lane-ignores-policy"] {
        for seed in 31..37 {
            let place = tempfile::tempdir().unwrap();
            let words = ["--seed", &seed.to_string()];
            let said = run(place.path(), scenario, "one", &words);
            assert_eq!(said.code(), 0, "{scenario} {seed}: {said:?}");
            let one = place.path().join("one");
            assert_eq!(promise(&RunFolder(&one).verify().1, "ROLE-1")["status"], "held");
            if seed == 31 {
                run(place.path(), scenario, "two", &words);
                let two = place.path().join("two");
                assert_eq!(RunFolder(&one).journal(), RunFolder(&two).journal(), "{scenario}");
            }
        }
    }
}

#[test]
fn check_tells_what_the_skills_of_a_scenario_have_to_say_about_each_other() {
    let place = tempfile::tempdir().unwrap();
    let file = team(place.path(), &[("baton-inputs", "music")], TASKS);
    let said = say(place.path(), ["check", &file, "--json"]);
    assert_eq!(said.code(), 0, "{said:?}");
    let told = said.json();
    let codes: Vec<&str> = told["errors"].as_array().unwrap().iter().map(|e| e["code"].as_str().unwrap()).collect();
    for expected in ["W0303", "W0304", "W0306"] {
        assert!(codes.contains(&expected), "{expected}: {told:#}");
    }
    let files: Vec<&str> = told["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    assert_eq!(files, ["team.yaml", "./trier/SKILL.md", "judge/SKILL.md", "policies/merger/SKILL.md"]);
}
