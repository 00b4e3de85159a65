//! Trying a change on main as it is now: one pure look at the repository, without a word to anybody.
//!
//! Runs off the actor (blocking pool in `live`, inline in `sim`), so it gets all it needs by value and answers by value.

use super::approval::with_approvers;
use super::authorship::{Authorship, Undone};
use super::mandate;
use crate::consent::{Grant, Order};
use crate::failure::Failure;
use crate::ground::Ground;
use crate::merger::Submission;
use crate::rights::NOT_APPROVED;
use crate::team::{GateKind, Team};
use baton_record::event::{ActionDenied, ApprovalSubject, RefuseReason, Verdict as MergeVerdict};
use baton_record::{ChangeId, Fence, LaneId, Oid, ResourceId};
use baton_world::git::{CleanMerge, CommitMeta, GitError, Landing, Merged, PathChange, Repository};
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
    /// Main is not where the merger left it.
    Foreign { found: Option<Oid> },
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
    /// The repository or the content store cannot be read.
    Trouble(Failure),
}

/// A landing that waits for its gates.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) landing: Landing,
    pub(super) merge: MergeVerdict,
    pub(super) gates: Vec<GateResult>,
    /// Main and fences that it was tried against.
    pub(super) main: Oid,
    pub(super) fences: Option<Oid>,
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
    pub(super) fn run(&self) -> Verdict {
        self.look().unwrap_or_else(Verdict::Trouble)
    }

    fn look(&self) -> Result<Verdict, Failure> {
        if let Some(verdict) = self.look_at_base().map_err(Failure::Repository)? {
            return Ok(verdict);
        }
        if let Some(denied) = self.check_mandates()? {
            return Ok(denied);
        }
        if let Some(stale) = self.look_at_claims().map_err(Failure::Repository)? {
            return Ok(stale);
        }
        let repository = &*self.ground.repository;
        match repository.merge(self.head, &self.submission.proposal).map_err(Failure::Repository)? {
            Merged::Conflict { paths, conflicts } => self.conflict(paths, &conflicts),
            Merged::Clean(clean) => self.land(&clean),
        }
    }

    /// What the merged tree would do to main as it is now, and as which commit.
    fn land(&self, clean: &CleanMerge) -> Result<Verdict, Failure> {
        let (repository, proposal) = (&*self.ground.repository, &self.submission.proposal);
        let main_tree = repository.commit(self.head).map_err(Failure::Repository)?.tree;
        if clean.tree == main_tree {
            return Ok(refuse(RefuseReason::Empty, Vec::new()));
        }
        let granted = self.granted()?;
        let mut meta = with_approvers(self.meta.clone(), &granted);
        let mut landing = repository.land_commit(self.head, proposal, clean, &meta);
        let moved = repository.moved_by(main_tree, &landing).map_err(Failure::Repository)?;
        if let Some(undone) = self.lacking(&granted, (&moved, &landing))? {
            return Ok(Verdict::Unapproved(undone));
        }
        let gates = self.gates(&landing).map_err(Failure::Repository)?;
        let order = self.order.clone().filter(|_| gates.iter().any(|gate| gate.refused.is_some()));
        if let Some(order) = &order {
            meta.trailers.push(("Baton-Overridden-By".to_owned(), order.by.clone()));
            landing = repository.land_commit(self.head, proposal, clean, &meta);
        }
        let fences = repository.fences_ref().map_err(Failure::Repository)?;
        let merge = clean.verdict;
        Ok(Verdict::Ready(Box::new(Ready { landing, merge, gates, main: self.head, fences, moved, order })))
    }

    /// Whether it cannot land because of where main is, or the change comes from.
    fn look_at_base(&self) -> Result<Option<Verdict>, GitError> {
        let repository = &*self.ground.repository;
        let found = repository.main()?;
        if found != Some(self.head) {
            return Ok(Some(Verdict::Foreign { found }));
        }
        if self.base_at.is_none() {
            return Ok(Some(refuse(RefuseReason::UnknownBase, Vec::new())));
        }
        Ok(None)
    }

    /// Whether it cannot land because of what it holds, or has read.
    fn look_at_claims(&self) -> Result<Option<Verdict>, GitError> {
        let repository = &*self.ground.repository;
        if let Some(stale) = self.check_lease(repository)? {
            return Ok(Some(stale));
        }
        self.check_reads(repository)
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
    fn check_reads(&self, repository: &Repository) -> Result<Option<Verdict>, GitError> {
        let main_tree = repository.commit(self.head)?.tree;
        let blob = |tree, path: &str| Ok::<_, GitError>(repository.entry(tree, path)?.map(|entry| entry.oid));
        for read in &self.submission.submitted.reads {
            if blob(main_tree, &read.path)? != read.blob {
                return Ok(Some(refuse(RefuseReason::StaleRead, vec![read.path.clone()])));
            }
        }
        let superseded = superseded(&self.ground, self.head, &self.submission)?;
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

/// The canonical artifact of the change's task, if main has another version of it than the change was made from.
pub(super) fn superseded(ground: &Ground, head: Oid, submission: &Submission) -> Result<Option<String>, GitError> {
    let Some(path) = &ground.team.work_of(submission.change().task()).canonical else { return Ok(None) };
    let repository = &*ground.repository;
    let blob = |tree| Ok::<_, GitError>(repository.entry(tree, path)?.map(|entry| entry.oid));
    let main_tree = repository.commit(head)?.tree;
    Ok((blob(main_tree)? != blob(submission.proposal.base_tree)?).then(|| path.clone()))
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
