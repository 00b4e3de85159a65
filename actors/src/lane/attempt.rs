//! One attempt at a task: what it is made from, how far it is, and the change that comes of it.

use super::script::{self, Planned};
use crate::credit::commit_meta;
use crate::ground::Ground;
use crate::merger::Submission;
use crate::team::{Model, Team};
use baton_core::slots::{CallEnd, Usage};
use baton_record::event::{ChangeSubmitted, Update};
use baton_record::{ChangeId, EffectKey, EndpointId, Fence, LaneId, LeaseId, Oid};
use baton_world::Draws;
use baton_world::git::{Edit, GitError, Repository};
use sha2::{Digest, Sha256};

/// One attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    /// Its change.
    pub(super) change: ChangeId,
    /// The lease that was answered.
    pub(super) lease: Option<(LeaseId, Fence)>,
    /// Whether the change is made already and waits for the lease only.
    pub(super) then_submit: bool,
    /// Main when the work began.
    pub(super) base: Option<Oid>,
    /// Calls that have ended.
    pub(super) step: u32,
    /// Actions of the script that were looked at.
    pub(super) action: usize,
    /// Every draw of this attempt.
    pub(super) draws: Draws,
    /// How often the present step's call was refused.
    pub(super) refusals: u32,
    /// How the call under way will end.
    pub(super) call: Option<CallEnd>,
    planned: Option<Planned>,
    /// Control run: edits that are written.
    pub(super) edits_written: usize,
}

impl Attempt {
    pub(super) fn new(team: &Team, change: ChangeId) -> Attempt {
        let draws = team.seeds.child(&format!("attempt/{change}")).draws();
        let (lease, base, call, planned) = (None, None, None, None);
        Attempt {
            change,
            lease,
            then_submit: false,
            base,
            step: 0,
            action: 0,
            draws,
            refusals: 0,
            call,
            planned,
            edits_written: 0,
        }
    }

    /// The key of the present step's call; each try has its own.
    pub(super) fn key(&self, team: &Team) -> EffectKey {
        let again = if self.refusals > 0 { format!("/{}", self.refusals) } else { String::new() };
        let text = format!("{}/{}/{}{again}", team.run, self.change, self.step);
        let digest: [u8; 32] = Sha256::digest(text).into();
        EffectKey(u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes")))
    }

    /// The call has ended: the step is done, or its call is made again.
    pub(super) fn end_call(&mut self) {
        match self.call.take() {
            Some(CallEnd::Refused { .. }) => self.refusals += 1,
            _ => (self.step, self.refusals) = (self.step + 1, 0),
        }
    }

    /// What a call of `model` uses: what it receives is drawn, if it can be more than usual.
    pub(super) fn use_tokens(&mut self, model: &Model) -> Usage {
        let tokens_out = if model.tokens_max > model.tokens_out {
            self.draws.latency_us(model.tokens_out, model.tokens_max).min(model.tokens_max)
        } else {
            model.tokens_out
        };
        Usage { tokens_in: model.tokens_in, tokens_out, usd_micros: model.usd_micros(tokens_out) }
    }

    /// Lets the script make the change on the base.
    pub(super) fn plan(&mut self, team: &Team, repository: &Repository, lane: &str) -> Result<(), GitError> {
        let base = self.base.expect("a change is made on a base");
        let tree = repository.commit(base)?.tree;
        let desk = script::Desk { repository, tree, work: team.work_of(self.change.task()), run: &team.run };
        self.planned = Some(script::plan(&desk, self.change, lane, &mut self.draws)?);
        Ok(())
    }

    fn planned(&self) -> &Planned {
        self.planned.as_ref().expect("a change is planned before it is used")
    }

    /// Every path that the change writes, leaves or removes.
    pub(super) fn touched(&self) -> Vec<String> {
        let paths = |edit: &Edit| match edit {
            Edit::Put { path, .. } | Edit::Remove { path } => path.clone(),
        };
        self.planned().edits.iter().map(paths).collect()
    }

    /// What the change does, path by path.
    pub(super) fn updates(&self) -> &[Update] {
        &self.planned().updates
    }

    /// The edits, in the order in which a careless lane writes them.
    pub(super) fn edits(&self) -> &[Edit] {
        &self.planned().edits
    }

    /// The change as the merger takes it.
    pub(super) fn submission(
        &self,
        ground: &Ground,
        lane: (LaneId, &str),
        time_s: i64,
    ) -> Result<Submission, GitError> {
        let (lane, name) = lane;
        let base = self.base.expect("a change is made on a base");
        let meta = commit_meta(&ground.team, self.change, name, (self.lease.map(|lease| lease.1), time_s));
        let Planned { edits, updates, reads } = self.planned();
        let proposal = ground.repository.propose(base, edits, &meta)?;
        let submitted = ChangeSubmitted {
            change: self.change,
            base,
            commit: proposal.commit,
            author: None,
            lease: self.lease.map(|lease| lease.0),
            fence: self.lease.map(|lease| lease.1),
            reads: reads.clone(),
            updates: updates.clone(),
        };
        Ok(Submission::new(lane, submitted, proposal))
    }
}

impl super::Lane {
    /// The endpoint of this lane's model.
    pub(super) fn endpoint(&self) -> EndpointId {
        EndpointId(self.ground.team.lanes[self.id.0 as usize].model as u16)
    }
}
