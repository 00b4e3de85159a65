//! The promises of the product: their identifiers, in the order of the product page.

use serde::{Deserialize, Serialize};

/// Every promise by its identifier, with the sentence that a reader is shown.
pub const PROMISES: [(&str, &str); 22] = [
    ("MAIN-1", "only the merger moves main, by compare-and-swap; a foreign push is noticed and never overwritten"),
    ("MAIN-2", "an accepted change is on main exactly once, a refused one not at all, and nothing is uncredited"),
    ("MAIN-3", "main is what a serial replay of the accepted changes gives; no change is half there"),
    ("MAIN-4", "main never points to a tree that has not passed its gates as exactly that tree"),
    ("LOCK-1", "two live leases on overlapping resources never coexist"),
    ("LOCK-2", "a stale fence is refused from the moment that the newer grant is answered"),
    ("LOCK-3", "leases are granted in the order of requests; nobody waits for ever, nobody overtakes"),
    ("BUDGET-1", "spent plus reserved never exceeds the limit"),
    ("BUDGET-2", "granted = settled + released + open"),
    ("MAIL-1", "a message is queued, delivered, acted on or dead, and its sender can see which"),
    ("HAND-1", "a task has exactly one owner at a time; none is lost or doubled"),
    ("HAND-2", "an incomplete packet transfers nothing"),
    ("ROLE-1", "no action outside a role's policy reaches a tool"),
    ("WHO-1", "every effect names who did it, and for whom"),
    ("STOP-1", "every run ends by a stated stop condition"),
    ("STOP-2", "after pause-all is acknowledged no lane starts an effect until resume"),
    ("TIME-1", "same scenario, seed and version: byte-identical journal"),
    ("LOG-1", "the journal is a prefix that holds every acknowledged record; damage in the middle is refused"),
    ("LOG-2", "folding the journal gives the live state"),
    ("UNDO-1", "a change that reverts what another lane landed waits for an approval"),
    ("ONE-1", "a task has one canonical artifact; a competing write is refused and reported"),
    ("BACK-1", "rollback is itself a gated change through the merger"),
];

/// What the checker says of one promise in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The check looked at something and found nothing against the promise.
    Held,
    /// The promise is broken.
    Broken,
    /// Something was begun and had not ended when the journal ended.
    Open,
    /// The record does not say whether an intended effect happened.
    InDoubt,
    /// There was nothing to look at.
    NotExercised,
}
