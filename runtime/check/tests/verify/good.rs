//! What must not be called broken: a good run, killed runs at every record, a noticed foreign push.

use crate::folder::Folder;
use crate::{check, judge, status, story};
use baton_check::{Status, verify};
use baton_record::Event;
use baton_record::event::*;
use baton_record::line::{Actor, Record};
use baton_record::promise::PROMISES;
use std::fs;

#[test]
fn a_good_run_holds_all_that_it_exercises() {
    let report = check("good", |_| {}, &[]);
    let expected = |id: &str| match id {
        "HAND-2" | "ROLE-1" | "TIME-1" | "LOG-2" | "BACK-1" => Status::NotExercised,
        _ => Status::Held,
    };
    for (promise, (id, _)) in report.promises.iter().zip(PROMISES) {
        assert_eq!((promise.id, promise.status), (id, expected(id)), "{}", promise.detail);
    }
    assert_eq!((report.lost, report.doubled, report.torn, report.uncredited), (0, 0, 0, 0));
    let json = serde_json::to_value(&report).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys.len(), 8);
    for key in ["run", "intact", "promises", "lost", "doubled", "torn", "uncredited", "torn_tail"] {
        assert!(keys.contains(&key), "{key}");
    }
}

/// Leaves main and the fences' ref where they were when the record was written.
fn rewind(folder: &mut Folder, records: usize) {
    folder.records.truncate(records);
    let mut main = folder.mains[0];
    let mut fences = None;
    for record in &folder.records {
        match &record.event {
            Event::ChangeLanded(landed) => main = landed.main_after,
            Event::FenceRaised(raised) => fences = Some(raised.fences),
            _ => {}
        }
    }
    folder.set_ref("refs/heads/main", main);
    match fences {
        Some(fences) => folder.set_ref("refs/baton/fences", fences),
        None => drop(folder.git(&["update-ref", "-d", "refs/baton/fences"], b"")),
    }
}

#[test]
fn a_run_killed_after_any_record_is_open_and_intact() {
    let records = story::good().records.len();
    for kept in (1..records).step_by(3) {
        let report = check(&format!("killed after {kept}"), |f| rewind(f, kept), &[]);
        assert_eq!(status(&report, "STOP-1"), Status::Open, "{kept}");
    }
}

#[test]
fn a_landing_without_its_record_is_in_doubt() {
    for nth in 0..3 {
        let report = check("moved and killed", |f| f.kill_at_landing(nth), &[]);
        assert_eq!(status(&report, "MAIN-1"), Status::InDoubt);
        assert_eq!(status(&report, "MAIN-2"), Status::InDoubt);
    }
}

impl Folder {
    /// Main has moved, and the record of it is missing.
    pub fn kill_at_landing(&mut self, nth: usize) {
        let after = self.at("ChangeLanded", nth);
        rewind(self, after + 1);
        self.records.pop();
    }
}

#[test]
fn a_raise_without_its_record_is_in_doubt() {
    let report = check(
        "raised and killed",
        |f| {
            let before = f.at("FenceRaised", 1);
            rewind(f, before);
            let ahead = f.blob("baton-fences 1\n2 src/**\n2 src/lib.rs\n");
            f.set_ref("refs/baton/fences", ahead);
        },
        &[],
    );
    assert_eq!(status(&report, "LOCK-2"), Status::InDoubt);
}

#[test]
fn a_raise_that_a_foreign_push_cut_short_is_in_doubt() {
    let report = check(
        "raised and pushed",
        |f| {
            let before = f.at("FenceRaised", 1);
            rewind(f, before);
            let ahead = f.blob("baton-fences 1\n2 src/**\n2 src/lib.rs\n");
            f.set_ref("refs/baton/fences", ahead);
            let expected = f.mains[2];
            let files = story::with(&f.files[&expected].clone(), &[("x", Some("x\n"))]);
            let found = f.commit(&[expected], &files, "stranger", "mine\n");
            f.set_ref("refs/heads/main", found);
            let push = ForeignPush { expected, found: Some(found), fault: None };
            f.push(Actor::Merger, (None, None), Event::ForeignPush(push));
            let stopped = RunStopped { reason: StopReason::ForeignPush, main: found, landed: 2, refused: 0 };
            f.push(Actor::Run, (None, None), Event::RunStopped(stopped));
        },
        &[],
    );
    assert_eq!(status(&report, "LOCK-2"), Status::InDoubt);
}

#[test]
fn a_torn_tail_is_reported_and_is_no_damage() {
    for cut in [1, 20, 90] {
        let mut folder = story::good();
        let end = folder.records.len() - 1;
        rewind(&mut folder, end);
        folder.write();
        let bytes = fs::read(folder.segment(1)).unwrap();
        let last_line = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
        fs::write(folder.segment(1), &bytes[..last_line + 1 + cut]).unwrap();
        let report = judge("torn", &folder, &[]);
        assert!(report.torn_tail);
        assert_eq!(status(&report, "LOG-1"), Status::Held);
    }
}

#[test]
fn a_noticed_foreign_push_is_held_as_long_as_nothing_lands_on_it() {
    let push = |f: &mut Folder| {
        let last = *f.mains.last().unwrap();
        let files = story::with(&f.files[&last].clone(), &[("x", Some("x\n"))]);
        let found = f.commit(&[last], &files, "stranger", "mine\n");
        f.set_ref("refs/heads/main", found);
        let event = Event::ForeignPush(ForeignPush { expected: last, found: Some(found), fault: None });
        f.insert_after("TaskDone", 2, Record { t_us: 0, actor: Actor::Merger, lane: None, task: None, event });
        if let Event::RunStopped(stopped) = f.event("RunStopped", 0) {
            (stopped.main, stopped.reason) = (found, StopReason::ForeignPush);
        }
    };
    let report = check("noticed", push, &[]);
    assert_eq!((status(&report, "MAIN-1"), report.uncredited), (Status::Held, 0));
}

#[test]
fn run_json_that_agrees_changes_nothing() {
    let mut folder = story::good();
    folder.write();
    let head = folder.head_hash();
    let (records, main) = (folder.records.len(), *folder.mains.last().unwrap());
    let json = |head: &str, records: usize, main: String| {
        let mut claims = Folder::begun();
        claims["verdict"] = "held".into();
        claims["exit_code"] = 0.into();
        claims["journal"] = serde_json::json!({ "records": records, "head_hash": head });
        claims["main"] = serde_json::json!({ "head": main });
        claims.to_string()
    };
    let without = |key: &str| {
        let mut claims: serde_json::Value = serde_json::from_str(&json(&head, records, main.to_hex())).unwrap();
        claims.as_object_mut().unwrap().remove(key);
        claims.to_string()
    };
    let verdict = |verdict: &str, code: u64, held: [bool; 2]| {
        let mut claims: serde_json::Value = serde_json::from_str(&json(&head, records, main.to_hex())).unwrap();
        (claims["verdict"], claims["exit_code"]) = (verdict.into(), code.into());
        for (list, held) in ["expectations", "thresholds"].iter().zip(held) {
            claims[list] = serde_json::json!([{ "name": "x", "held": held, "value": null }]);
        }
        claims.to_string()
    };
    let cases = [
        (json(&head, records, main.to_hex()), vec![]),
        (verdict("held", 0, [true, true]), vec![]),
        (verdict("held", 0, [true, false]), vec!["LOG-1"]),
        (verdict("held", 0, [false, true]), vec!["LOG-1"]),
        (verdict("failed", 1, [false, false]), vec![]),
        (verdict("failed", 4, [true, false]), vec![]),
        (verdict("failed", 4, [true, true]), vec!["LOG-1"]),
        (verdict("failed", 4, [false, false]), vec!["LOG-1"]),
        (verdict("held", 4, [true, false]), vec!["LOG-1"]),
        (verdict("waiting", 6, [true, true]), vec![]),
        (verdict("waiting", 5, [true, true]), vec!["LOG-1"]),
        (json(&head, records + 1, main.to_hex()), vec!["LOG-1"]),
        (json(&"0".repeat(64), records, main.to_hex()), vec!["LOG-1"]),
        (json(&head, records, folder.mains[0].to_hex()), vec!["MAIN-1"]),
        (Folder::begun().to_string(), vec![]),
        ("{".into(), vec!["LOG-1"]),
        ("".into(), vec!["LOG-1"]),
        ("{}".into(), vec!["LOG-1"]),
        ("[]".into(), vec!["LOG-1"]),
        ("{\"seed\":7}".into(), vec!["LOG-1"]),
        (without("verdict"), vec!["LOG-1"]),
        (without("journal"), vec!["LOG-1"]),
        (without("main"), vec!["LOG-1"]),
    ];
    for (text, broken) in cases {
        fs::write(folder.path().join("run.json"), &text).unwrap();
        judge(&text, &folder, &broken);
    }
}

impl Folder {
    /// Hash of the last line as it stands in the last segment.
    pub fn head_hash(&mut self) -> String {
        let bytes = fs::read(self.segment(1)).unwrap();
        let line = bytes[..bytes.len() - 1].rsplit(|byte| *byte == b'\n').next().unwrap();
        baton_record::line::hash_of(line).to_string()
    }
}

#[test]
fn what_is_no_run_is_unreadable_with_a_cure() {
    let folder = story::good();
    folder.write();
    let second = folder.path().join("other.git");
    fs::create_dir(&second).unwrap();
    assert!(verify(folder.path()).unwrap_err().what.contains("2 repositories"));
    fs::remove_dir(&second).unwrap();
    fs::rename(folder.path().join("journal"), folder.path().join("j")).unwrap();
    assert!(verify(folder.path()).unwrap_err().what.contains("journal"));
    fs::rename(folder.path().join("j"), folder.path().join("journal")).unwrap();
    fs::remove_dir_all(folder.repository()).unwrap();
    assert!(verify(folder.path()).unwrap_err().what.contains("0 repositories"));
    for path in [folder.segment(0), folder.path().join("nowhere")] {
        let error = verify(&path).unwrap_err();
        assert!(error.to_string().contains(&path.display().to_string()) && !error.cure.is_empty());
    }
}

#[test]
fn settings_of_the_run_are_not_obeyed() {
    let folder = story::good();
    folder.write();
    let trap = folder.path().join("sprung");
    let hostile = format!(
        "[core]\n\tfsmonitor = \"touch {0}\"\n\thooksPath = /tmp\n[diff]\n\texternal = \"touch {0}\"\n[merge \"text\"]\n\tdriver = \"touch {0}\"\n[fsck]\n\tskipList = /nowhere\n",
        trap.display()
    );
    let config = folder.repository().join("config");
    let own = fs::read_to_string(&config).unwrap();
    fs::write(&config, own + &hostile).unwrap();
    fs::create_dir_all(folder.repository().join("info")).unwrap();
    fs::write(folder.repository().join("info/attributes"), "* merge=text diff=text\n").unwrap();
    judge("hostile settings", &folder, &[]);
    assert!(!trap.exists());
}
