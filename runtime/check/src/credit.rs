//! Owns what a commit of a change says beside its tree and parents, down to the byte: who it is by, what its
//! message is, and when it was made (MAIN-2, WHO-1).
//!
//! The only freedom of a commit is its second. That is the run's own clock: one start of the run must fit
//! all commits, each made between the assignment of its task and the record that names it. Deliberately does
//! not know which commit belongs where; [`crate::main_line`] does.

use crate::changes::Change;
use crate::report::Judgement;
use crate::repository::Commit;
use crate::trailers::Trailers;
use baton_record::{ChangeId, Oid};

/// Whom a change's commits must be credited to.
pub(crate) struct Credit<'a> {
    pub(crate) id: ChangeId,
    pub(crate) change: &'a Change,
    pub(crate) lane: Option<&'a str>,
    pub(crate) model: Option<&'a str>,
    /// The lane that judged it, if one did.
    pub(crate) judge: Option<&'a str>,
    /// Who has approved its landing, and who has put a gate aside for it: the merge names them.
    pub(crate) approvers: Vec<&'a str>,
    pub(crate) overrider: Option<&'a str>,
    pub(crate) run: &'a str,
}

/// Which of a change's two commits is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Merge,
    Proposal,
}

impl Credit<'_> {
    /// MAIN-2 and WHO-1 of one of the change's commits.
    pub(crate) fn inspect(
        &self,
        (which, name): (Which, Oid),
        commit: &Commit,
        (main_2, who_1): (&mut Judgement, &mut Judgement),
    ) {
        let id = self.id;
        let trailers = Trailers::of(&commit.message);
        main_2.claim(self.fits(&trailers), || format!("{id}: the trailers of {name} do not agree with the journal"));
        who_1.claim(trailers.model == self.model, || {
            format!("{id}: {name} credits another model than {:?}", self.model.unwrap_or("none"))
        });
        let email = self.lane.map(|lane| format!("{lane}@baton.invalid"));
        let is_author = Some(commit.author.as_str()) == self.lane && Some(&commit.email) == email.as_ref();
        who_1.claim(is_author, || {
            format!("{id}: {name} is by {:?}, and the lane is {:?}", commit.author, self.lane.unwrap_or("nobody"))
        });
        who_1.claim(commit.plain, || format!("{id}: {name} has another committer than author, or says more than both"));
        // Where credits are at fault the message is so too, and that is said once.
        let credited = self.fits(&trailers) && trailers.model == self.model;
        who_1.claim(!credited || self.message(which).as_ref() == Some(&commit.message), || {
            format!("{id}: the message of {name} is not the one that such a change has")
        });
    }

    fn fits(&self, trailers: &Trailers<'_>) -> bool {
        let fence = self.change.submitted.fence.map(|fence| fence.0.to_string());
        !trailers.doubled
            && trailers.change_of(self.run) == Some(self.id)
            && trailers.task == Some(&self.id.task().to_string())
            && trailers.lane == self.lane
            && self.lane.is_some()
            && trailers.judge == self.judge
            && trailers.fence == fence.as_deref()
    }

    fn message(&self, which: Which) -> Option<String> {
        // As such a name stands in a message: on one line, without space around it.
        let named = |key: &str, by: &&str| format!("{key}: {}\n", if by.trim().is_empty() { "-" } else { by.trim() });
        let people: String = match which {
            Which::Proposal => String::new(),
            Which::Merge => {
                let approvers = self.approvers.iter().map(|by| named("Baton-Approved-By", by));
                approvers.chain(self.overrider.iter().map(|by| named("Baton-Overridden-By", by))).collect()
            }
        };
        let (id, task, lane, model, run) = (self.id, self.id.task(), self.lane?, self.model?, self.run);
        let fence = self.change.submitted.fence.map(|fence| format!("Baton-Fence: {}\n", fence.0)).unwrap_or_default();
        let judge = self.judge.map(|judge| format!("Baton-Reviewed-By: {judge}\n")).unwrap_or_default();
        Some(format!(
            "{task}: attempt {} by {lane}\n\nBaton-Change: {id}\nBaton-Task: {task}\nBaton-Lane: {lane}\n\
             Baton-Model: {model}\nBaton-Run: {run}\n{judge}{fence}{people}",
            id.attempt()
        ))
    }
}

/// Every second, counted from 1970, in which the run may have started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    earliest: i64,
    latest: i64,
}

impl Start {
    pub(crate) fn anywhere() -> Start {
        Start { earliest: i64::MIN, latest: i64::MAX }
    }

    /// Takes a commit that was made between two times of the run; whether one start still fits all.
    pub(crate) fn fits(&mut self, commit: &Commit, (from_us, until_us): (u64, u64)) -> bool {
        let Some(made) = commit.time_s else { return false };
        let seconds = |us: u64| i64::try_from(us / 1_000_000).unwrap_or(i64::MAX);
        let earliest = self.earliest.max(made.saturating_sub(seconds(until_us)));
        let latest = self.latest.min(made.saturating_sub(seconds(from_us)));
        if earliest > latest {
            return false;
        }
        (self.earliest, self.latest) = (earliest, latest);
        true
    }
}
