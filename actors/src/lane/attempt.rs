//! One attempt at a task: what it is made from, how far it is, and the change that comes of it.

use super::boundary::{Boundary, LeftToPeople, Undone};
use super::handing::Handed;
use super::reworking::Answers;
use super::script::{self, Planned};
use crate::credit::{By, commit_meta};
use crate::ground::Ground;
use crate::merger::Submission;
use crate::team::{LandingKind, Model, Team};
use baton_core::approvals::Question;
use baton_core::slots::{CallEnd, Usage};
use baton_policies::Action;
use baton_record::event::{ChangeSubmitted, PacketPurpose, Update};
use baton_record::{ChangeId, EffectKey, EndpointId, Event, FaultId, Fence, LaneId, LeaseId, Oid};
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
    /// Calls that have ended, those of the lanes before included.
    pub(super) step: u32,
    /// Where this lane began.
    began_at: u32,
    /// Calls before the change, or the judgement, is made.
    pub(super) steps: u32,
    /// Tokens of context that this lane's calls have filled.
    pub(super) context: u64,
    /// The packet that it begins with.
    pub(super) handed: Option<Handed>,
    /// The change of its task before it that did not merge, and what its lane was told of that.
    pub(super) answers: Option<Answers>,
    /// What its latest packet was made for.
    pub(super) offers: Option<PacketPurpose>,
    /// Packets that moved nothing.
    pub(super) packets_refused: u16,
    /// What a person is asked about its change.
    pub(super) asks: Option<Question>,
    /// Whether its change is the one of the packet that it begins with.
    carried: bool,
    /// Who made the change, if it was another lane.
    author: Option<String>,
    /// Actions of the script that were looked at.
    pub(super) action: usize,
    /// Every draw of this attempt.
    pub(super) draws: Draws,
    /// How often the present step's call was refused.
    pub(super) refusals: u32,
    /// How the call under way will end.
    pub(super) call: Option<CallEnd>,
    /// The fault that makes the lane look away from its policy.
    pub(super) ignores: Option<FaultId>,
    /// Actions that did not happen so far.
    pub(super) undone: Undone,
    /// Commands, pushes and foreign tools that were used, in words.
    pub(super) used: Vec<String>,
    /// Actions that a person decides about.
    pub(super) left_to_people: Vec<LeftToPeople>,
    planned: Option<Planned>,
    /// Control run: edits that are written.
    pub(super) edits_written: usize,
}

impl Attempt {
    pub(super) fn new(team: &Team, change: ChangeId) -> Attempt {
        let draws = team.seeds.child(&format!("attempt/{change}")).draws();
        let (lease, base, call, planned, handed, author) = (None, None, None, None, None, None);
        Attempt {
            change,
            lease,
            then_submit: false,
            base,
            step: 0,
            began_at: 0,
            steps: team.work_of(change.task()).steps,
            context: 0,
            handed,
            answers: None,
            offers: None,
            packets_refused: 0,
            asks: None,
            carried: false,
            author,
            action: 0,
            draws,
            refusals: 0,
            call,
            ignores: None,
            undone: Undone::default(),
            used: Vec::new(),
            left_to_people: Vec::new(),
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
            ended => {
                (self.step, self.refusals) = (self.step + 1, 0);
                if let Some(CallEnd::Answered(used)) = ended {
                    self.context = self.context.saturating_add(used.tokens_in).saturating_add(used.tokens_out);
                }
            }
        }
    }

    /// Goes on where the lane before has ended.
    pub(super) fn begin_at(&mut self, step: u32) {
        (self.step, self.began_at) = (step, step);
    }

    /// Whether this lane has made calls whose work would be lost.
    pub(super) fn has_progress(&self) -> bool {
        self.step > self.began_at
    }

    /// The change is the packet's, made on `base`; `author`: by another lane.
    pub(super) fn take_over(&mut self, base: Oid, planned: Planned, author: Option<String>) {
        (self.base, self.planned, self.author, self.carried) = (Some(base), Some(planned), author, true);
    }

    /// Whether the change is the one of the packet that the attempt began with.
    pub(super) fn is_carried(&self) -> bool {
        self.carried
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

    /// What the attempt's actions pass.
    fn boundary<'a>(&self, team: &'a Team, repository: &'a Repository, lane: &str) -> Result<Boundary<'a>, GitError> {
        let base = self.base.expect("work is done on a base");
        let tree = repository.commit(base)?.tree;
        let binding = team.binding_of_lane(lane).filter(|_| self.ignores.is_none());
        let boundary = Boundary::new(binding, (repository, tree), self.undone);
        Ok(boundary.asking(team.landing == LandingKind::Merger))
    }

    /// Whether an action beside the change may happen now; if it is denied, what is written down of it. What a person
    /// decides about does not happen before that.
    pub(super) fn lets(
        &mut self,
        ground: &Ground,
        lane: &str,
        action: &Action<'_>,
    ) -> Result<(bool, Option<Event>), GitError> {
        let mut boundary = self.boundary(&ground.team, &ground.repository, lane)?;
        let lets = boundary.lets(action)? && boundary.left_to_people.is_empty();
        let (undone, denial) = (boundary.undone, boundary.noted.pop());
        let mut left = std::mem::take(&mut boundary.left_to_people);
        self.undone = undone;
        self.left_to_people.append(&mut left);
        Ok((lets, denial))
    }

    /// Lets the script make the change on the base; what did not happen meanwhile.
    pub(super) fn plan(&mut self, ground: &Ground, lane: &str) -> Result<Vec<Event>, GitError> {
        let team = &ground.team;
        let boundary = self.boundary(team, &ground.repository, lane)?;
        let (repository, base) = (boundary.repository, self.base.expect("work is done on a base"));
        let (tree, work) = (boundary.tree, team.work_of(self.change.task()));
        let desk = script::Desk { repository, base, tree, work, run: &team.run };
        let (planned, passed) = script::plan(&desk, boundary, (self.change, lane), &mut self.draws)?;
        self.undone = planned.undone;
        // What was taken back with the rest of a transaction is nobody's to decide about.
        let is_left = |left: &LeftToPeople| {
            left.path.as_ref().is_none_or(|path| planned.edits.iter().any(|edit| edit.path() == path))
        };
        self.left_to_people.extend(passed.left_to_people.iter().filter(|left| is_left(left)).cloned());
        self.planned = Some(planned);
        Ok(passed.noted)
    }

    /// Whether nothing is left of the change, because of what was denied.
    pub(super) fn is_denied(&self) -> bool {
        self.undone.denied > 0 && self.plan_made().edits.is_empty()
    }

    /// The change, made.
    pub(super) fn plan_made(&self) -> &Planned {
        self.planned.as_ref().expect("a change is planned before it is used")
    }

    /// Every path that the change writes, leaves or removes.
    pub(super) fn touched(&self) -> Vec<String> {
        let paths = |edit: &Edit| match edit {
            Edit::Put { path, .. } | Edit::Remove { path } => path.clone(),
        };
        self.plan_made().edits.iter().map(paths).collect()
    }

    /// What the change does, path by path.
    pub(super) fn updates(&self) -> &[Update] {
        &self.plan_made().updates
    }

    /// The edits, in the order in which a careless lane writes them.
    pub(super) fn edits(&self) -> &[Edit] {
        &self.plan_made().edits
    }

    /// The change as the merger takes it.
    pub(super) fn submission(
        &self,
        ground: &Ground,
        lane: (LaneId, &str),
        now_us: u64,
    ) -> Result<Submission, GitError> {
        let (lane, name) = lane;
        let time_s = ground.team.start_s + (now_us / 1_000_000) as i64;
        let base = self.base.expect("a change is made on a base");
        let by = By::of(name, self.author.as_deref());
        let meta = commit_meta(&ground.team, self.change, by, (self.lease.map(|lease| lease.1), time_s));
        let Planned { edits, updates, reads, undone } = self.plan_made();
        let proposal = ground.repository.propose(base, edits, &meta)?;
        let submitted = ChangeSubmitted {
            change: self.change,
            base,
            commit: proposal.commit,
            author: self.author.clone(),
            packet: self.handed.as_ref().map(|handed| handed.digest.clone()),
            answers: self.answers.as_ref().map(|answers| answers.change),
            sent_us: Some(now_us),
            lease: self.lease.map(|lease| lease.0),
            fence: self.lease.map(|lease| lease.1),
            reads: reads.clone(),
            updates: updates.clone(),
            denied: undone.denied,
            failed: undone.failed,
        };
        Ok(Submission::new(lane, submitted, proposal))
    }
}

impl super::Lane {
    /// The endpoint of this lane's model.
    pub(super) fn endpoint(&self) -> EndpointId {
        EndpointId(self.spec.model as u16)
    }
}
