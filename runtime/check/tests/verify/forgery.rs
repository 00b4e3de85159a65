//! Tools of a forger: records edited in place, the last landing or proposal made again otherwise.

use crate::check;
use crate::folder::{Files, Folder, LANES};
use crate::story::with;
use baton_record::ids::*;
use baton_record::line::{Actor, Record};
use baton_record::{Event, Oid};

pub type Forge = fn(&mut Folder);

pub fn check_all(cases: &[(&str, Forge, &[&str])]) {
    let mut wrong = Vec::new();
    for (name, forge, broken) in cases {
        let result = std::panic::catch_unwind(|| check(name, forge, broken));
        wrong.extend(result.err().map(|_| *name));
    }
    assert!(wrong.is_empty(), "judged otherwise than expected: {wrong:?}");
}

/// The last event of a kind, taken apart and changed.
macro_rules! edit {
    ($folder:expr, $kind:ident, $nth:expr, $change:expr) => {
        match $folder.event(stringify!($kind), $nth) {
            Event::$kind(data) => {
                let change: fn(&mut $kind) = $change;
                change(data);
            }
            _ => unreachable!("the record is found by its kind"),
        }
    };
}

/// A commit that is about to be made.
pub struct Made {
    pub parents: Vec<Oid>,
    pub files: Files,
    pub author: String,
    pub message: String,
}

/// Makes the last landing again, otherwise, and makes the journal agree.
pub fn reland(f: &mut Folder, change: impl FnOnce(&mut Made)) {
    let Event::ChangeLanded(landed) = f.event("ChangeLanded", 2).clone() else { unreachable!() };
    let commit = last_proposal(f);
    let made = Made {
        parents: vec![landed.main_before, commit],
        files: f.files[&landed.main_after].clone(),
        author: LANES[0].into(),
        message: f.message(landed.change, 0, None),
    };
    let main_after = make(f, made, change);
    let tree = f.tree(main_after);
    if let Event::GatePassed(passed) = f.event("GatePassed", 2) {
        passed.tree = tree;
    }
    if let Event::ChangeIntended(intended) = f.event("ChangeIntended", 2) {
        (intended.main_after, intended.tree) = (main_after, tree);
    }
    if let Event::ChangeLanded(landed) = f.event("ChangeLanded", 2) {
        landed.main_after = main_after;
    }
    end_at(f, main_after);
}

/// Makes the last proposal again, otherwise, and lands it with `merged`.
pub fn repropose(f: &mut Folder, change: impl FnOnce(&mut Made)) {
    let (base, own) = (f.mains[2], last_proposal(f));
    let made = Made {
        parents: vec![base],
        files: f.files[&own].clone(),
        author: LANES[0].into(),
        message: f.message(ChangeId::of(TaskId(2), 2), 0, None),
    };
    let commit = make(f, made, change);
    if let Event::ChangeSubmitted(submitted) = f.event("ChangeSubmitted", 3) {
        submitted.commit = commit;
    }
    let files = f.files[&commit].clone();
    reland(f, |made| made.files = files);
}

pub fn make(f: &mut Folder, mut made: Made, change: impl FnOnce(&mut Made)) -> Oid {
    change(&mut made);
    f.commit(&made.parents, &made.files, &made.author, &made.message)
}

pub fn last_proposal(f: &mut Folder) -> Oid {
    match f.event("ChangeSubmitted", 3) {
        Event::ChangeSubmitted(submitted) => submitted.commit,
        _ => unreachable!(),
    }
}

/// Main is here, and the run's end says so.
pub fn end_at(f: &mut Folder, main: Oid) {
    f.set_ref("refs/heads/main", main);
    if let Event::RunStopped(stopped) = f.event("RunStopped", 0) {
        stopped.main = main;
    }
}

pub fn record(actor: Actor, lane: Option<u32>, task: Option<u32>, event: Event) -> Record {
    Record { t_us: 0, actor, lane: lane.map(LaneId), task: task.map(TaskId), event }
}

/// One more commit on top of main.
pub fn on_top(f: &mut Folder, message: &str, end: bool) {
    let last = *f.mains.last().unwrap();
    let files = with(&f.files[&last].clone(), &[("x", Some("x\n"))]);
    let commit = f.commit(&[last], &files, "stranger", message);
    if end {
        end_at(f, commit);
    } else {
        f.set_ref("refs/heads/main", commit);
    }
}
