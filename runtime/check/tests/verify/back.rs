//! Rollbacks past the merger, and of what had not landed.

use crate::forgery::*;

/// Puts a line into the last landing's message, before its trailers' paragraph ends.
fn reland_saying(f: &mut crate::folder::Folder, line: &str) {
    let line = line.to_owned();
    reland(f, move |made| made.message = format!("{}{line}\n", made.message));
}

#[test]
fn a_rollback_is_a_landing_of_something_that_had_landed() {
    check_all(&[
        (
            "by hand, in git's words",
            |f| {
                let last = *f.mains.last().unwrap();
                on_top(f, &format!("Revert \"x\"\n\nThis reverts commit {last}.\n"), true);
            },
            &["MAIN-1", "MAIN-2", "STOP-1", "BACK-1"],
        ),
        (
            "by hand, in the product's words",
            |f| on_top(f, "x\n\nBaton-Reverts: C-1.1\n", true),
            &["MAIN-1", "MAIN-2", "STOP-1", "BACK-1"],
        ),
        ("of a change that never landed", |f| reland_saying(f, "Baton-Reverts: C-9.1"), &["WHO-1", "BACK-1"]),
        ("of itself", |f| reland_saying(f, "Baton-Reverts: C-2.2"), &["WHO-1", "BACK-1"]),
        ("of what no change is called", |f| reland_saying(f, "Baton-Reverts: yesterday"), &["WHO-1", "BACK-1"]),
        // The words fit; that such a message belongs to no change of this version is WHO-1's matter.
        ("of an earlier landing", |f| reland_saying(f, "Baton-Reverts: C-0.1"), &["WHO-1"]),
    ]);
}
