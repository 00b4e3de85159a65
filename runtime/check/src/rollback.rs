//! Owns BACK-1: whatever on main says that it takes something back is a landing of the merger like any other, gated as it, and
//! names a change that had landed before.
//!
//! A rollback is known by what its commit says: a line `Baton-Reverts: C-17.2`, or git's own `This reverts commit …`. What
//! takes something back and does not say so is an edit, and UNDO-1's matter. Deliberately does not know trees.

use crate::main_line::{Expected, MainLine};
use crate::report::Judgement;
use baton_record::{ChangeId, Oid};
use std::collections::BTreeMap;

/// What a commit says that it takes back.
enum Reverts<'a> {
    Change(&'a str),
    Commit(&'a str),
}

fn said(message: &str) -> impl Iterator<Item = Reverts<'_>> {
    message.lines().filter_map(|line| {
        let line = line.trim();
        let change = line.strip_prefix("Baton-Reverts:").map(|text| Reverts::Change(text.trim()));
        let commit =
            || line.strip_prefix("This reverts commit ").map(|text| Reverts::Commit(text.trim_end_matches('.')));
        change.or_else(commit)
    })
}

/// BACK-1, of everything that main has beyond the run's base.
pub(crate) fn judge(expected: &Expected<'_>, line: &MainLine) -> Judgement {
    let mut back_1 = Judgement::default();
    // A push that nobody can prevent was noticed, and is no rollback of the team's.
    let noticed = expected.changes.foreign.is_some();
    let (mut places, mut commits) = (BTreeMap::<Oid, usize>::new(), BTreeMap::<ChangeId, usize>::new());
    for (place, landing) in line.placed.iter().enumerate() {
        places.insert(landing.main_after, place);
        places.extend(expected.changes.get(landing.change).map(|change| (change.submitted.commit, place)));
        commits.insert(landing.change, place);
    }
    for (name, commit) in &line.commits {
        for reverts in said(&commit.message) {
            let Some(own) = places.get(name) else {
                back_1.claim(noticed, || format!("{name} takes something back, and the merger did not land it"));
                continue;
            };
            let back = match reverts {
                Reverts::Change(text) => ChangeId::parse(text).and_then(|id| commits.get(&id)),
                Reverts::Commit(text) => Oid::from_hex(text).and_then(|oid| places.get(&oid)),
            };
            back_1.claim(back.is_some_and(|back| back < own), || {
                format!("{name} takes back what had not landed before it")
            });
        }
    }
    back_1
}
