//! Trying a change on main as it is now, or on top of those that may land together with it: one pure look at the
//! repository, without a word to anybody.
//!
//! Runs off the actor (blocking pool in `live`, inline in `sim`), so it gets all it needs by value and answers by value.
//! Whose turn it is, and what becomes of a row, is not known here.

use super::approval::with_approvers;
use super::authorship::{Authorship, Undone};
use super::mandate;
use crate::consent::{Grant, Order};
use crate::failure::Failure;
use crate::ground::Ground;
use crate::merger::Submission;
use crate::rights::NOT_APPROVED;
use crate::team::{GateKind, Team};
use baton_record::event::{ActionDenied, ApprovalSubject, RefuseReason};
use baton_record::{ChangeId, Fence, LaneId, Oid, ResourceId};
use baton_world::git::{CleanMerge, CommitMeta, GitError, Group, Landing, Merged, PathChange, Repository};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a try needs to know.
#[derive(Debug)]
pub(super) struct Try {
    pub(super) ground: Ground,
    pub(super) submission: Submission,
    pub(super) meta: CommitMeta,
    /// Where the merger left main.
    pub(super) head: Oid,
    /// How many changes had landed when main was at the change's base; `None`: it never was.
    pub(super) base_at: Option<usize>,
    /// What the change's lease holds; `None`: it names none that is known.
    pub(super) holds: Option<Vec<ResourceId>>,
    /// Who made it, and who wrote what of main.
    pub(super) author: LaneId,
    pub(super) authorship: Arc<Authorship>,
    /// The packets that changes were made from.
    pub(super) packets: Arc<BTreeMap<ChangeId, String>>,
    /// What people have granted to changes of its task, and the override that holds for it.
    pub(super) grants: Vec<Arc<Grant>>,
    pub(super) order: Option<Arc<Order>>,
}

/// What a try came to.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It will not land.
    Refuse {
        reason: RefuseReason,
        paths: Vec<String>,
        /// Of a conflict: the digest of its report.
        report: Option<String>,
    },
    /// It needs the word of a person: for what it takes back, or, where that is nothing, for its task's plan.
    Unapproved(Undone),
    /// Somebody's policy forbids it.
    Denied { paths: Vec<String>, denied: Vec<ActionDenied> },
    /// It can land as this commit, once the gates have spoken.
    Ready(Box<Ready>),
    /// What stands against it is a change that has not landed yet.
    Later,
}

/// What a change is tried on: main, or main with those that may land together with it.
#[derive(Clone, Debug)]
pub(super) struct Footing {
    pub(super) group: Group,
    /// Who wrote what of it.
    pub(super) authorship: Arc<Authorship>,
}

impl Footing {
    /// Main.
    pub(super) fn main(ground: &Ground, head: Oid, authorship: Arc<Authorship>) -> Result<Footing, GitError> {
        Ok(Footing { group: ground.repository.group(head)?, authorship })
    }

    /// The change can land, so what comes behind it is tried on top of it.
    pub(super) fn add(
        &mut self,
        repository: &Repository,
        change: (ChangeId, LaneId),
        ready: &mut Ready,
    ) -> Result<(), GitError> {
        if self.is_main() {
            self.authorship = Arc::new(Authorship::on(self.authorship.clone()));
        }
        Arc::make_mut(&mut self.authorship).land(change, &ready.moved);
        let Landing { commit, tree, objects } = &mut ready.landing;
        let landing = Landing { commit: *commit, tree: *tree, objects: std::mem::take(objects) };
        repository.append(&mut self.group, &ready.clean, landing)
    }

    fn is_main(&self) -> bool {
        self.group.is_empty()
    }

    fn tree(&self) -> Oid {
        self.group.tree()
    }

    fn blob(&self, repository: &Repository, path: &str) -> Result<Option<Oid>, GitError> {
        Ok(repository.entry_in(&self.group, path)?.map(|entry| entry.oid))
    }
}

/// A landing that waits for its gates.
#[derive(Debug)]
pub(super) struct Ready {
    /// The merge commit. Its objects are with the group that it has been added to.
    pub(super) landing: Landing,
    pub(super) gates: Vec<GateResult>,
    /// The commit that it lands on.
    pub(super) main: Oid,
    /// How it was merged, and what its commit says, to make the same commit again.
    pub(super) clean: CleanMerge,
    pub(super) meta: CommitMeta,
    /// What it moves on main.
    pub(super) moved: Vec<PathChange>,
    /// The override that lets it through, where a gate refuses it.
    pub(super) order: Option<Arc<Order>>,
}

/// What a gate says of exactly this tree, and how long it takes to say so.
#[derive(Debug)]
pub(super) struct GateResult {
    pub(super) gate: String,
    pub(super) after_us: u64,
    pub(super) refused: Option<String>,
}

impl Try {
    /// What can be said of the change on this footing. What is refused on main is refused; what would be refused only on top
    /// of others is not.
    pub(super) fn run(&self, footing: &Footing, main: &Footing) -> Result<Verdict, Failure> {
        match self.look(footing)? {
            Verdict::Ready(ready) => Ok(Verdict::Ready(ready)),
            against if footing.is_main() => Ok(against),
            _ => match self.look(main)? {
                Verdict::Ready(_) => Ok(Verdict::Later),
                against => Ok(against),
            },
        }
    }

    fn look(&self, footing: &Footing) -> Result<Verdict, Failure> {
        if self.base_at.is_none() {
            return Ok(refuse(RefuseReason::UnknownBase, Vec::new()));
        }
        if let Some(denied) = self.check_mandates()? {
            return Ok(denied);
        }
        if let Some(stale) = self.look_at_claims(footing).map_err(Failure::Repository)? {
            return Ok(stale);
        }
        let repository = &*self.ground.repository;
        match repository.merge_into(&footing.group, &self.submission.proposal).map_err(Failure::Repository)? {
            // What main has to do with it is told where it is tried on main.
            Merged::Conflict { .. } if !footing.is_main() => Ok(Verdict::Later),
            Merged::Conflict { paths, conflicts } => self.conflict(paths, &conflicts),
            Merged::Clean(clean) => self.land(footing, clean),
        }
    }

    /// What the merged tree would do to main as it will be then, and as which commit.
    fn land(&self, footing: &Footing, clean: CleanMerge) -> Result<Verdict, Failure> {
        let (repository, proposal) = (&*self.ground.repository, &self.submission.proposal);
        if clean.tree == footing.tree() {
            return Ok(refuse(RefuseReason::Empty, Vec::new()));
        }
        let granted = self.granted()?;
        let mut meta = with_approvers(self.meta.clone(), &granted);
        let mut landing = repository.landing_in(&footing.group, proposal, &clean, &meta);
        let moved = repository.moved_by(footing.tree(), &landing).map_err(Failure::Repository)?;
        if let Some(undone) = self.lacking(&footing.authorship, &granted, (&moved, &landing))? {
            return Ok(Verdict::Unapproved(undone));
        }
        let gates = self.gates(&landing).map_err(Failure::Repository)?;
        let order = self.order.clone().filter(|_| gates.iter().any(|gate| gate.refused.is_some()));
        if let Some(order) = &order {
            meta.trailers.push(("Baton-Overridden-By".to_owned(), order.by.clone()));
            landing = repository.landing_in(&footing.group, proposal, &clean, &meta);
        }
        let main = footing.group.head();
        Ok(Verdict::Ready(Box::new(Ready { landing, clean, meta, gates, main, moved, order })))
    }

    /// Whether it cannot land because of what it holds, or has read.
    fn look_at_claims(&self, footing: &Footing) -> Result<Option<Verdict>, GitError> {
        let repository = &*self.ground.repository;
        if let Some(stale) = self.check_lease(repository)? {
            return Ok(Some(stale));
        }
        self.check_reads(footing)
    }

    /// The merger may land, and the author may do what the change does, or a person has let it.
    fn check_mandates(&self) -> Result<Option<Verdict>, Failure> {
        let (team, repository) = (&self.ground.team, &*self.ground.repository);
        let proposal = &self.submission.proposal;
        if let Some(denial) = mandate::own(team, repository, proposal).map_err(Failure::Repository)? {
            return Ok(Some(Verdict::Denied { paths: Vec::new(), denied: vec![denial] }));
        }
        let author = self.ground.directory.roster().spec(self.author);
        let mut denied = mandate::of_change(team, &author.name, (repository, proposal)).map_err(Failure::Repository)?;
        if denied.is_empty() {
            return Ok(None);
        }
        let granted = self.granted()?;
        let actions = granted.iter().filter(|grant| grant.subject == ApprovalSubject::Action);
        let let_pass: Vec<&String> = actions.flat_map(|grant| &grant.paths).collect();
        denied.retain(|(path, denial)| denial.reason != NOT_APPROVED || !let_pass.contains(&path));
        if denied.is_empty() {
            return Ok(None);
        }
        denied.iter_mut().zip(0..).for_each(|((_, denial), number)| denial.number = number);
        let (paths, denied) = denied.into_iter().unzip();
        Ok(Some(Verdict::Denied { paths, denied }))
    }

    /// A change that touches leased resources must hold them, by the newest fence that stands at each.
    fn check_lease(&self, repository: &Repository) -> Result<Option<Verdict>, GitError> {
        let team = &self.ground.team;
        let paths = self.submission.proposal.changed.iter().map(|change| change.path.as_str());
        let needed = team.resources_covering(paths);
        let Some(fence) = self.submission.submitted.fence else {
            let reason = RefuseReason::NoLease;
            return Ok((!needed.is_empty()).then(|| refuse(reason, patterns(team, &needed))));
        };
        let holds = self.holds.as_deref().unwrap_or_default();
        let missing: Vec<ResourceId> = needed.iter().filter(|id| !holds.contains(id)).copied().collect();
        if !missing.is_empty() {
            return Ok(Some(refuse(RefuseReason::NoLease, patterns(team, &missing))));
        }
        let stale = stale_resources(repository, team, holds, fence)?;
        Ok((!stale.is_empty()).then(|| refuse(RefuseReason::StaleFence, patterns(team, &stale))))
    }

    /// What the change read, and its canonical artifact, must be on main as it was at the base.
    fn check_reads(&self, footing: &Footing) -> Result<Option<Verdict>, GitError> {
        let repository = &*self.ground.repository;
        for read in &self.submission.submitted.reads {
            if footing.blob(repository, &read.path)? != read.blob {
                return Ok(Some(refuse(RefuseReason::StaleRead, vec![read.path.clone()])));
            }
        }
        let superseded = superseded(&self.ground, footing, &self.submission)?;
        Ok(superseded.map(|path| refuse(RefuseReason::Superseded, vec![path])))
    }

    fn gates(&self, landing: &Landing) -> Result<Vec<GateResult>, GitError> {
        let team = &self.ground.team;
        let judged = team.gates.iter().map(|gate| {
            let (after_us, refused) = match &gate.kind {
                GateKind::Forbid { text } => (0, self.forbidden(landing, text)?),
                GateKind::Script { latency, red_ppm } => {
                    let mut draws = team.seeds.child(&format!("gate/{}/{}", gate.name, landing.tree)).draws();
                    let after_us = draws.latency_us(latency.median_us, latency.p99_us);
                    let red = draws.chance_ppm(*red_ppm);
                    (after_us, red.then(|| "the script says red".to_owned()))
                }
            };
            Ok(GateResult { gate: gate.name.clone(), after_us, refused })
        });
        judged.collect()
    }

    /// Looks into every file that the landing takes from the change or from the merge.
    fn forbidden(&self, landing: &Landing, text: &str) -> Result<Option<String>, GitError> {
        for change in &self.submission.proposal.changed {
            let Some(content) = self.ground.repository.landing_file(landing, &change.path)? else { continue };
            if content.windows(text.len()).any(|window| window == text.as_bytes()) {
                return Ok(Some(format!("{} contains what is forbidden", change.path)));
            }
        }
        Ok(None)
    }
}

/// The canonical artifact of the change's task, if it has another version there than the change was made from.
pub(super) fn superseded(
    ground: &Ground,
    footing: &Footing,
    submission: &Submission,
) -> Result<Option<String>, GitError> {
    let Some(path) = &ground.team.work_of(submission.change().task()).canonical else { return Ok(None) };
    let repository = &*ground.repository;
    let base = repository.entry(submission.proposal.base_tree, path)?.map(|entry| entry.oid);
    Ok((footing.blob(repository, path)? != base).then(|| path.clone()))
}

/// Resources at which a newer fence stands than `fence`.
pub(super) fn stale_resources(
    repository: &Repository,
    team: &Team,
    holds: &[ResourceId],
    fence: Fence,
) -> Result<Vec<ResourceId>, GitError> {
    let fences = repository.fences()?;
    let newest = |id: &ResourceId| fences.get(&team.leases[id.0 as usize].resource);
    Ok(holds.iter().filter(|id| newest(id) != Some(fence)).copied().collect())
}

fn refuse(reason: RefuseReason, paths: Vec<String>) -> Verdict {
    Verdict::Refuse { reason, paths, report: None }
}

fn patterns(team: &Team, resources: &[ResourceId]) -> Vec<String> {
    resources.iter().map(|id| team.leases[id.0 as usize].resource.clone()).collect()
}
