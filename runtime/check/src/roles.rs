//! Owns what the journal says of bound roles: who is bound by which file, which actions were denied to whom, and that a
//! change which the merger refuses for a policy is preceded by the denials that say why (ROLE-1).
//!
//! Deliberately does not know what the files say, nor what a change did; [`crate::mandate`] does.

use crate::changes::Changes;
use crate::report::Judgement;
use baton_record::event::{
    ActionDenied, ActionFailed, ChangeRefused, ChangeSubmitted, PacketPurpose, RefuseReason, ReturnReason,
};
use baton_record::event::{Update, UpdateOp, WorldKind};
use baton_record::line::{Actor, Record};
use baton_record::{ChangeId, Event, FaultId, LaneId, TaskId};
use std::collections::{BTreeMap, BTreeSet};

/// What the merger is called where roles are named.
pub(crate) const MERGER: &str = "merger";

/// How a packet is refused that may not go where it is meant to.
pub(crate) const UNLISTED: &str = "the skill of ";

/// A role's file, as the journal says it.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) skill: String,
    pub(crate) digest: String,
}

/// An action that was denied.
#[derive(Clone, Debug)]
pub(crate) struct Denied {
    pub(crate) seq: u64,
    /// Whose policy counts.
    pub(crate) role: String,
    pub(crate) by_merger: bool,
    /// The path of the change that it speaks of, if the merger names one.
    pub(crate) path: Option<String>,
    pub(crate) action: ActionDenied,
}

/// A packet that went from one role to another, or was not allowed to.
#[derive(Clone, Debug)]
pub(crate) struct HandedOver {
    pub(crate) seq: u64,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) accepted: bool,
}

/// The making of a task's present change.
#[derive(Debug, Default)]
struct Making {
    owner: Option<LaneId>,
    /// Its owner's attempt.
    attempt: u32,
    /// Denied to its owner since it has the task.
    denied: u32,
    /// What its owner did since then, and could not be done.
    failed: u32,
    /// Both, of whoever made the change that lies with its packet.
    packed: (u32, u32),
    offered: Option<(PacketPurpose, String)>,
    submitted: Option<(ChangeId, (u32, u32), Option<String>)>,
    /// Restarts of the supervisor before its owner got the task.
    restarts: u32,
    /// A person was asked about the change that lies with its packet; whoever owns the task next submits just that.
    waits: bool,
    carried: bool,
}

/// Denials of the merger that wait for the refusal that they explain.
#[derive(Debug)]
struct Refusing {
    change: ChangeId,
    lane: LaneId,
    denied: Vec<usize>,
}

/// What the journal says of bound roles.
#[derive(Debug, Default)]
pub(crate) struct Roles {
    pub(crate) bound: BTreeMap<String, Bound>,
    roles: BTreeSet<String>,
    lanes: BTreeMap<LaneId, String>,
    ids: BTreeMap<String, LaneId>,
    tasks: BTreeMap<TaskId, Making>,
    pub(crate) denied: Vec<Denied>,
    pub(crate) handed: Vec<HandedOver>,
    /// Control run: lanes, and what they wrote to main.
    pub(crate) written: Vec<(String, String)>,
    refusing: Option<Refusing>,
    /// Restarts of the supervisor: what lanes tell it meanwhile, it writes down late.
    restarts: u32,
    live: bool,
    /// Lanes that were made to look away.
    ignoring: BTreeMap<FaultId, BTreeSet<LaneId>>,
    pub(crate) role_1: Judgement,
}

impl Roles {
    /// The role of a lane of this name.
    pub(crate) fn of_lane(name: &str) -> &str {
        name.rsplit_once('.').map_or(name, |(role, _)| role)
    }

    /// The role of a lane.
    pub(crate) fn role(&self, lane: LaneId) -> Option<&str> {
        self.lanes.get(&lane).map(|name| Roles::of_lane(name))
    }

    /// Whether a role has lanes.
    pub(crate) fn has_lanes(&self, role: &str) -> bool {
        self.roles.contains(role)
    }

    /// `changes` has seen the record already.
    pub(crate) fn see(&mut self, seq: u64, record: &Record, (changes, name): (&Changes, Option<&str>)) {
        if matches!(record.event, Event::SegmentClosed(_)) {
            return;
        }
        let explains = matches!(&record.event, Event::ActionDenied(_) if record.actor == Actor::Merger)
            || matches!(&record.event, Event::ChangeRefused(refused) if refused.reason == RefuseReason::Policy);
        if !explains && let Some(refusing) = self.refusing.take() {
            self.role_1
                .breaks(|| format!("record {seq}: {} was denied something, and is not refused", refusing.change));
        }
        self.take_note(record, name);
        let result = match &record.event {
            Event::RoleBound(bound) => {
                let entry = Bound { skill: bound.skill.clone(), digest: bound.digest.clone() };
                match self.bound.insert(bound.role.clone(), entry) {
                    None => Ok(()),
                    Some(_) => Err("binds a role that is bound already"),
                }
            }
            Event::ActionDenied(denied) if record.actor == Actor::Merger => self.denied_by_merger(seq, record, denied),
            Event::ActionDenied(denied) => self.denied_to_lane(seq, record, denied),
            Event::ActionFailed(failed) => self.failed(record, failed),
            Event::PacketAccepted(_) => return self.handed_over(seq, record, true),
            Event::PacketRefused(refused) => {
                let unlisted = refused.flaws.iter().any(|flaw| flaw.starts_with(UNLISTED));
                if unlisted {
                    self.handed_over(seq, record, false);
                }
                return;
            }
            Event::ChangeSubmitted(submitted) => return self.submitted(record, submitted),
            Event::ChangeRefused(refused) if refused.reason == RefuseReason::Policy => {
                self.refused(record, refused, changes)
            }
            Event::TaskReturned(returned) => self.over(record, Some(returned.reason)),
            Event::TaskDone(_) | Event::TaskFailed(_) => self.over(record, None),
            _ => return,
        };
        // Where nobody is bound there is nothing to look at, unless somebody is denied something.
        match result {
            Ok(()) if self.bound.is_empty() => {}
            result => {
                self.role_1.claim(result.is_ok(), || format!("record {seq} {}", result.err().unwrap_or_default()))
            }
        }
    }

    /// What is nobody's right or wrong: who is who, who has which task, and what lies with it.
    fn take_note(&mut self, record: &Record, name: Option<&str>) {
        match &record.event {
            Event::LaneJoined(joined) => {
                self.roles.insert(joined.role.clone());
                if let (Some(lane), Some(name)) = (record.lane, name) {
                    self.lanes.insert(lane, name.to_owned());
                    self.ids.insert(name.to_owned(), lane);
                }
            }
            Event::RunStarted(started) => {
                self.live = started.world == WorldKind::Live;
            }
            Event::ActorRestarted(_) => {
                self.restarts += u32::from(record.actor == Actor::Supervisor);
            }
            Event::FaultInjected(fault) => {
                if let Some(lane) = record.lane.filter(|_| fault.injected == "ignore-policy") {
                    self.ignoring.entry(fault.fault).or_default().insert(lane);
                }
            }
            Event::TaskAssigned(assigned) => {
                let Some(task) = record.task else { return };
                let making = self.tasks.entry(task).or_default();
                making.attempt = assigned.attempt;
                (making.owner, making.submitted) = (record.lane, None);
                (making.denied, making.failed) = (0, 0);
                making.restarts = self.restarts;
                making.carried = std::mem::take(&mut making.waits);
            }
            Event::PacketOffered(offered) => {
                let Some(task) = record.task else { return };
                self.tasks.entry(task).or_default().offered = Some((offered.purpose, offered.to.clone()));
            }
            Event::FileWritten(written) => {
                let name = record.lane.and_then(|lane| self.lanes.get(&lane));
                self.written.extend(name.map(|name| (name.clone(), written.path.clone())));
            }
            _ => {}
        }
    }

    fn denied_to_lane(&mut self, seq: u64, record: &Record, denied: &ActionDenied) -> Result<(), &'static str> {
        let (lane, task) = (record.lane, record.task.ok_or("denies something in no task")?);
        let role = lane.and_then(|lane| self.role(lane)).ok_or("denies something to nobody")?.to_owned();
        let action = denied.clone();
        self.denied.push(Denied { seq, role, by_merger: false, path: None, action });
        let making = self.tasks.get_mut(&task).ok_or("denies something in a task that nobody has")?;
        let due = making.denied;
        making.denied = due.saturating_add(1);
        if making.owner != lane {
            return Err("denies something in a task that the lane does not have");
        }
        if denied.number != due {
            return Err("counts what was denied to an attempt otherwise than the journal");
        }
        if making.submitted.is_some() && making.restarts == self.restarts && !self.live {
            return Err("denies something to a change that was made already");
        }
        if denied.fault.is_some() { Err("blames a fault for what the boundary did") } else { Ok(()) }
    }

    fn failed(&mut self, record: &Record, failed: &ActionFailed) -> Result<(), &'static str> {
        let making = record.task.and_then(|task| self.tasks.get_mut(&task)).ok_or("fails in a task that nobody has")?;
        let due = making.failed;
        making.failed = due.saturating_add(1);
        if making.owner != record.lane {
            return Err("fails in a task that the lane does not have");
        }
        if failed.number != due {
            return Err("counts what failed in an attempt otherwise than the journal");
        }
        if making.submitted.is_some() && making.restarts == self.restarts && !self.live {
            return Err("fails in a change that was made already");
        }
        let tool = ["Read", "Write", "Delete"].contains(&failed.tool.as_str());
        if tool { Ok(()) } else { Err("fails with a tool that does not fail") }
    }

    fn denied_by_merger(&mut self, seq: u64, record: &Record, denied: &ActionDenied) -> Result<(), &'static str> {
        let task = record.task.ok_or("denies something in no task")?;
        let making = self.tasks.get(&task).ok_or("denies a change of a task that nobody has")?;
        let Some((change, _, author)) = making.submitted.clone() else {
            return Err("denies a change that is not there");
        };
        let lane = record.lane.ok_or("denies something to nobody")?;
        let maker = match &author {
            Some(author) => self.ids.get(author).copied().ok_or("denies a change of nobody")?,
            None => lane,
        };
        let role = if denied.tool == "Land" { Some(MERGER) } else { self.role(maker) };
        let role = role.ok_or("denies something to nobody")?.to_owned();
        let refusing = self.refusing.get_or_insert(Refusing { change, lane, denied: Vec::new() });
        let due = refusing.denied.len() as u32;
        let same = (refusing.change, refusing.lane) == (change, lane);
        refusing.denied.push(self.denied.len());
        self.denied.push(Denied { seq, role, by_merger: true, path: None, action: denied.clone() });
        if making.owner != Some(lane) || !same {
            return Err("denies another change than the one that it speaks of");
        }
        if denied.number != due {
            return Err("counts what was denied to a change otherwise than the journal");
        }
        let struck = |fault| self.ignoring.get(&fault).is_some_and(|lanes| lanes.contains(&maker));
        let blames = denied.fault.is_none_or(|fault| denied.tool != "Land" && struck(fault));
        if blames { Ok(()) } else { Err("blames a fault that did not make its author look away") }
    }

    /// A refusal for a policy names a path for each denial, or none where the merger itself may not land.
    fn refused(&mut self, record: &Record, refused: &ChangeRefused, changes: &Changes) -> Result<(), &'static str> {
        let refusing = self.refusing.take().ok_or("refuses a change for a policy, and no action of it was denied")?;
        if refusing.change != refused.change || record.lane != Some(refusing.lane) {
            return Err("refuses another change than the one that was denied something");
        }
        let denied = &mut self.denied;
        let lands = refusing.denied.iter().all(|at| denied[*at].action.tool == "Land");
        if lands && refusing.denied.len() == 1 {
            return if refused.paths.is_empty() && refused.fault.is_none() {
                Ok(())
            } else {
                Err("names paths that are not at fault")
            };
        }
        let updates = changes.get(refused.change).map(|change| change.submitted.updates.as_slice()).unwrap_or_default();
        let declared =
            |path: &String| updates.iter().any(|update| update.path == *path || update.from.as_ref() == Some(path));
        let tools = refusing.denied.iter().map(|at| denied[*at].action.tool.as_str());
        let own = refused.paths.iter().zip(tools).all(|(path, tool)| is_tool_of(tool, path, updates));
        let each = refused.paths.len() == refusing.denied.len() && refused.paths.iter().all(declared) && own;
        let once: BTreeSet<&String> = refused.paths.iter().collect();
        let same_fault = refusing.denied.iter().all(|at| denied[*at].action.fault == refused.fault);
        for (at, path) in refusing.denied.iter().zip(&refused.paths) {
            denied[*at].path = Some(path.clone());
        }
        if each && once.len() == refused.paths.len() && same_fault {
            Ok(())
        } else {
            Err("refuses a change for other paths than those that were denied")
        }
    }

    fn submitted(&mut self, record: &Record, submitted: &ChangeSubmitted) {
        let Some(making) = record.task.and_then(|task| self.tasks.get_mut(&task)) else { return };
        // What comes too late of an attempt that was closed says nothing of the present one.
        if submitted.change.attempt() != making.attempt {
            return;
        }
        making.submitted = Some((submitted.change, (submitted.denied, submitted.failed), submitted.author.clone()));
    }

    fn handed_over(&mut self, seq: u64, record: &Record, accepted: bool) {
        let from = record.lane.and_then(|lane| self.role(lane)).map(str::to_owned);
        let Some(making) = record.task.and_then(|task| self.tasks.get_mut(&task)) else { return };
        let Some((purpose, to)) = making.offered.clone() else { return };
        let whole = matches!(purpose, PacketPurpose::Review | PacketPurpose::Approval);
        if accepted && whole && !making.carried {
            making.packed = (making.denied, making.failed);
        }
        if purpose != PacketPurpose::Review {
            return;
        }
        if let Some(from) = from {
            self.handed.push(HandedOver { seq, from, to, accepted });
        }
    }

    /// A change says how much was denied while it was made, and nothing comes back denied of which nothing was.
    fn over(&mut self, record: &Record, reason: Option<ReturnReason>) -> Result<(), &'static str> {
        let Some(making) = record.task.and_then(|task| self.tasks.get_mut(&task)) else { return Ok(()) };
        let denied = making.denied;
        let submitted = making.submitted.take();
        making.owner = None;
        // What a person has let pass is carried on by whoever has it next, until it comes to nothing.
        let again = !matches!(reason, Some(ReturnReason::Refused | ReturnReason::SentBack | ReturnReason::HandedOver));
        making.waits = reason == Some(ReturnReason::WaitsForPerson) || (making.carried && again);
        if reason == Some(ReturnReason::Denied) && (denied == 0 || submitted.is_some()) {
            return Err("gives back a task as denied, and nothing was");
        }
        let Some((_, said, author)) = submitted else { return Ok(()) };
        let was = if author.is_some() || making.carried { making.packed } else { (denied, making.failed) };
        if said == was { Ok(()) } else { Err("ends a change that says otherwise of what its author did not do") }
    }

    /// Whether a run that was cut off was about to refuse a change.
    pub(crate) fn ends_refusing(&self) -> bool {
        self.refusing.is_some()
    }
}

/// Whether a tool is one by which a change could have done what it says of the path. What is said twice of one path is
/// not looked into.
fn is_tool_of(tool: &str, path: &str, updates: &[Update]) -> bool {
    let mut said = updates.iter().filter_map(|update| match update {
        Update { from: Some(from), .. } if from == path => Some(UpdateOp::Delete),
        update if update.path == path => Some(update.op),
        _ => None,
    });
    match (said.next(), said.next()) {
        (Some(UpdateOp::Delete), None) => tool == "Delete",
        (Some(UpdateOp::Create), None) => tool == "Write",
        (Some(_), None) => tool == "Edit" || tool == "Write",
        _ => true,
    }
}
