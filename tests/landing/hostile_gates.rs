//! Gates that do whatever the person could do: what they can reach, what they cannot, and that none of them is outlived.

use crate::repository::git;
use crate::site::{Site, names};
use std::path::PathBuf;
use std::time::Duration;

fn state(site: &Site) -> PathBuf {
    site.path().join(".git/baton")
}

#[test]
fn while_a_gate_runs_no_file_holds_the_key_of_the_verdicts_and_afterwards_they_are_known_again() {
    let site = Site::new();
    site.branches(2);
    let (state, seen) = (state(&site), site.path().join("../seen"));
    site.land(&["b1", "--gate", "true"]);
    assert!(state.join("key").exists());
    let gate =
        format!("ls {0}; cat {0}/key {0}/*.tmp > {1} 2>/dev/null; test ! -s {1}", state.display(), seen.display());
    let (outcome, code) = site.land(&["b2", "--gate", &gate]);
    assert_eq!((code, std::fs::read(&seen).unwrap().len()), (0, 0), "{outcome}");
    // Main has just passed this gate, and that is known to the next session.
    site.branch("red", &[("red.txt", Some("x\n"))]);
    let gate = "test ! -e red.txt";
    let (first, _) = site.land(&["red", "--gate", gate]);
    let (again, _) = site.land(&["red", "--gate", gate]);
    assert!(again["gate_runs"].as_u64() < first["gate_runs"].as_u64(), "main's verdict is remembered: {again}");
}

/// A gate that signs with whatever key it finds, or leaves one of its own, a verdict for the tree of a bad branch.
fn forger(site: &Site, tree: &str, gate: &str, environment: &str) -> String {
    let forger = site.path().join("../forge.py");
    let text = format!(
        "import hashlib, hmac, json, os, sys\n\
         state = {state:?}\n\
         tree, gate, environment = {tree:?}, {gate:?}, {environment:?}\n\
         path = os.path.join(state, 'key')\n\
         if not os.path.exists(path):\n    open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), 'wb').write(b'k' * 32)\n\
         key = open(path, 'rb').read()\n\
         said = '%s\\0%d\\0%s\\0%s' % (tree, len(gate), gate, environment)\n\
         name = hashlib.sha256(('%s\\0%s\\0%s' % (tree, gate, environment)).encode()).hexdigest()\n\
         signature = hmac.new(key, said.encode(), hashlib.sha256).hexdigest()\n\
         verdict = dict(format=1, tree=tree, gate=gate, environment=environment, took_ms=1, signature=signature)\n\
         open(os.path.join(state, 'verdicts', name + '.json'), 'w').write(json.dumps(verdict))\n",
        state = state(site).display().to_string(),
    );
    std::fs::write(&forger, text).unwrap();
    format!("python3 {}", forger.display())
}

#[test]
fn a_gate_cannot_forge_a_verdict_for_another_tree() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        eprintln!("SKIPPED: there is no python3 to forge with");
        return;
    }
    let site = Site::new();
    let gate = format!("test -x {0} && sh {0}; test ! -e bad.txt", site.path().join("../evil.sh").display());
    site.branch("bad", &[("bad.txt", Some("x\n"))]);
    site.branch("other", &[("other.txt", Some("x\n"))]);
    site.land(&["bad", "--gate", &gate]);
    let ran = site.facts("GateRan");
    let bad = ran.iter().find(|ran| ran["passed"] == false).unwrap()["tree"].as_str().unwrap().to_owned();
    let known = std::fs::read_dir(state(&site).join("verdicts")).unwrap().next().unwrap().unwrap().path();
    let known: serde_json::Value = serde_json::from_slice(&std::fs::read(known).unwrap()).unwrap();
    let forge = forger(&site, &bad, &gate, known["environment"].as_str().unwrap());
    // Between two sessions the key lies there, and whoever has the person's rights can sign with it: this forgery is sound.
    let sound = std::process::Command::new("sh").args(["-c", &forge]).status().unwrap();
    assert!(sound.success());
    let (outcome, _) = site.land(&["bad", "--dry-run", "--gate", &gate]);
    assert_eq!(names(&outcome["landed"]), ["bad"], "the forger is no straw man: {outcome}");
    for entry in std::fs::read_dir(state(&site).join("verdicts")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    // A gate that does the same while it runs has no key to sign with, and one of its own counts for nothing.
    std::fs::write(site.path().join("../evil.sh"), format!("{forge}\n")).unwrap();
    git(&site.path(), &["--version"]);
    let made = std::process::Command::new("chmod").arg("+x").arg(site.path().join("../evil.sh")).status().unwrap();
    assert!(made.success());
    let (outcome, _) = site.land(&["other", "--gate", &gate]);
    assert_eq!(names(&outcome["landed"]), ["other"], "{outcome}");
    std::fs::remove_file(site.path().join("../evil.sh")).unwrap();
    let name = |path: PathBuf| path.file_name().unwrap().to_owned();
    assert!(std::fs::read_dir(state(&site).join("verdicts")).unwrap().count() > 1, "it has written its verdict");
    assert_eq!(name(state(&site).join("key")), "key");
    let (outcome, _) = site.land(&["bad", "--gate", &gate]);
    assert_eq!(names(&outcome["refused"]), ["bad"], "{outcome}");
    assert!(!site.has("bad.txt"));
}

#[test]
fn a_session_that_a_gate_kills_takes_its_key_with_it_and_the_next_one_goes_on() {
    let site = Site::new();
    site.branches(2);
    site.land(&["b1", "--gate", "true"]);
    let said = site.say(&["land", "b2", "--gate", "kill -9 $PPID; sleep 60"]);
    assert_eq!(said.status.code(), None, "it was killed: {said:?}");
    assert!(!state(&site).join("key").exists());
    let (outcome, code) = site.land(&["b2", "--gate", "true"]);
    assert_eq!((code, &outcome["gate_runs"]), (0, &1.into()), "{outcome}");
    site.must_be_sound();
}

#[test]
fn a_gate_cannot_make_the_next_tree_look_other_than_it_is() {
    let site = Site::new();
    site.branches(2);
    // As many bytes, in the same moment in which the file was written: only its content tells.
    let (_, code) = site.land(&["b1", "--dry-run", "--gate", "echo poison > src/f1.txt; true"]);
    assert_eq!(code, 0);
    // It changes a file and makes every index that it finds say that this is how it should be.
    let poison = format!(
        "echo poison > src/f1.txt; for index in {}/gates/*index; do test -e $index && GIT_INDEX_FILE=$index git \
         update-index --assume-unchanged src/f1.txt; done; git update-index --assume-unchanged src/f1.txt; true",
        state(&site).display()
    );
    let (_, code) = site.land(&["b1", "--gate", &poison]);
    assert_eq!(code, 0);
    let (outcome, code) = site.land(&["b2", "--gate", "grep -q 'file 1' src/f1.txt"]);
    assert_eq!(code, 0, "{outcome}");
}

#[test]
fn a_daemon_without_group_session_or_environment_is_ended_with_its_gate() {
    let site = Site::new();
    site.branches(1);
    let (left, pid) = (site.path().join("../left"), site.path().join("../pid"));
    let daemon = format!("echo $$ > {}; sleep 3; touch {}", pid.display(), left.display());
    let gate = format!("(env -i setsid sh -c '{daemon}' </dev/null >/dev/null 2>&1 &) ; sleep 0.3");
    let (outcome, code) = site.land(&["b1", "--gate", &gate]);
    assert_eq!(code, 0, "{outcome}");
    let pid = std::fs::read_to_string(&pid).unwrap();
    assert!(!PathBuf::from(format!("/proc/{}", pid.trim())).exists(), "it is gone when the answer is there");
    std::thread::sleep(Duration::from_secs(3));
    assert!(!left.exists());
}

#[test]
fn the_end_of_one_gate_does_not_end_what_another_one_has_started() {
    let site = Site::new();
    site.branches(4);
    // Each gate runs a server in a session of its own, and is red if that dies before it does.
    let gate = "setsid sleep 50 & server=$!; if test -e new4.txt; then sleep 0.2; else sleep 1; fi; \
                kill -0 $server && test ! -e new3.txt";
    let (outcome, code) = site.land(&["--all", "--jobs", "3", "--gate", gate]);
    assert_eq!(code, 1, "{outcome}");
    assert_eq!(names(&outcome["landed"]), ["b1", "b2", "b4"], "{outcome}");
    assert_eq!(names(&outcome["refused"]), ["b3"]);
}

#[test]
fn a_gate_may_say_anything_or_nothing() {
    for (gate, lands) in [
        ("exec >&- 2>&-; true", true),
        ("printf '\\377\\376\\000\\033[2J'; true", true),
        ("printf '\\377\\376'; false", false),
        ("truncate -s 100G /proc/self/fd/1; sleep 20", false),
        ("head -c 100000000 /dev/zero; sleep 20", false),
        ("cat; true", true),
        ("kill -9 $$", false),
        ("cd ..; rm -rf \"$PWD\"/0; ln -s /tmp 0; true", true),
        ("mkdir -p d/e; chmod 0 d/e d; chmod 555 src; true", true),
        ("trap '' TERM INT HUP; true", true),
    ] {
        let site = Site::new();
        site.branches(2);
        let (outcome, code) = site.land(&["b1", "--gate", gate]);
        let landed = names(&outcome["landed"]);
        assert_eq!((code, landed.len()), (i32::from(!lands), usize::from(lands)), "{gate}: {outcome}");
        let (outcome, code) = site.land(&["b2", "--gate", "test -d src && test ! -L ."]);
        assert_eq!(code, 0, "the next gate finds its folder as it should be after {gate}: {outcome}");
        site.must_be_sound();
    }
}
