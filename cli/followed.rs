//! What followed a landing, in words: worktrees, new files, submodules, deleted branches. In JSON it is `followed`.

use crate::answer::Answer;
use baton_landing::after::{Followed, StaleSubmodule, Untracked};
use baton_landing::outcome::LandOutcome;

pub(crate) fn follow_up(answer: &mut Answer, outcome: &LandOutcome, followed: &Followed) {
    let paths = |paths: &[std::path::PathBuf]| {
        paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    };
    for (what, list) in [
        ("reasons are in", &followed.handed_back),
        ("follow now:", &followed.refreshed),
        ("left behind by what landed (--refresh moves clean ones on):", &followed.lagging),
        ("not committed, so not landed: changes in", &followed.uncommitted),
    ] {
        if !list.is_empty() {
            answer.shown(&format!("{what} {}", paths(list)));
        }
    }
    for Untracked { worktree, paths } in &followed.untracked {
        answer.shown(&format!("  new files in {}: {}", worktree.display(), paths.join(", ")));
    }
    for StaleSubmodule { checkout, path, cure } in &followed.stale_submodules {
        let checkout = checkout.display();
        answer
            .line(&format!("submodule {path} in {checkout} is where it was: `git commit -a` there would take it back"));
        answer.shown(&format!("help: in {checkout}: {cure}"));
    }
    if !followed.deleted.is_empty() {
        answer.shown(&format!("deleted, since {} has them: {}", outcome.onto, followed.deleted.join(", ")));
    }
    followed.undone.iter().for_each(|why| answer.shown(&format!("not done: {why}")));
}
