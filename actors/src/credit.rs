//! Credit: who a change's commits are by, and what their trailers say. The same for a proposal and for its landing.

use crate::team::Team;
use baton_record::{ChangeId, Fence};
use baton_world::git::CommitMeta;

/// Who is named by a change's commits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By<'a> {
    /// The lane that made it.
    pub(crate) lane: &'a str,
    /// The lane that submits it, where that is another: the one that judged it, if its role does.
    pub(crate) reviewer: Option<&'a str>,
}

impl<'a> By<'a> {
    /// Of a change that `submitter` submits and, if it is given, `author` has made.
    pub(crate) fn of(submitter: &'a str, author: Option<&'a str>) -> By<'a> {
        match author {
            Some(lane) => By { lane, reviewer: Some(submitter) },
            None => By { lane: submitter, reviewer: None },
        }
    }
}

/// Author, subject and trailers of a change's commits.
pub(crate) fn commit_meta(team: &Team, change: ChangeId, by: By<'_>, at: (Option<Fence>, i64)) -> CommitMeta {
    let (By { lane, reviewer }, (fence, time_s)) = (by, at);
    // Whoever carries another's change without having to judge it has not reviewed it.
    let judges = team.work_of(change.task()).review.as_ref().map(|review| review.role.as_str());
    let reviewer = reviewer.filter(|name| name.rsplit_once('.').map(|(role, _)| role) == judges);
    let role = lane.rsplit_once('.').map_or(lane, |(role, _)| role);
    let model = &team.models[team.model_of(role).expect("a lane of this team")].name;
    let mut trailers = vec![
        ("Baton-Change".to_owned(), change.to_string()),
        ("Baton-Task".to_owned(), change.task().to_string()),
        ("Baton-Lane".to_owned(), lane.to_owned()),
        ("Baton-Model".to_owned(), model.clone()),
        ("Baton-Run".to_owned(), team.run.clone()),
    ];
    trailers.extend(reviewer.map(|reviewer| ("Baton-Reviewed-By".to_owned(), reviewer.to_owned())));
    trailers.extend(fence.map(|fence| ("Baton-Fence".to_owned(), fence.0.to_string())));
    CommitMeta {
        author: lane.to_owned(),
        email: format!("{lane}@baton.invalid"),
        time_s,
        subject: format!("{}: attempt {} by {lane}", change.task(), change.attempt()),
        trailers,
    }
}
