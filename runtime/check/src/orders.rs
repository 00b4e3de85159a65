//! Owns operators' commands: one that is obeyed changed something, one that is refused would not have, and its sender can
//! see which (MAIL-1). What follows from a command follows at once; that is judged in [`crate::sequel`].
//!
//! Deliberately does not know caps and limits: only that what is said of them does not contradict itself.

use crate::board::{Board, Heir};
use crate::lanes::Lanes;
use crate::leases::Leases;
use crate::packets::Packets;
use crate::pause::Pauses;
use crate::report::Judgement;
use baton_record::event::{
    CommandGiven, CommandRefusal, CommandRefused, DeathReason, LaneJoined, OperatorCommand, StopReason,
};
use baton_record::line::Record;
use baton_record::{EndpointId, Event, LaneId, TaskId};
use std::collections::{BTreeMap, BTreeSet};

/// A run that has said that it ends has ended within this time: a merger that is being restarted comes to rest first.
const END_US: u64 = 300_000_000;

/// What the other checks know before they have seen the record.
pub(crate) struct View<'a> {
    pub(crate) lanes: &'a Lanes,
    pub(crate) board: &'a Board,
    pub(crate) leases: &'a Leases,
    pub(crate) pauses: &'a Pauses,
    pub(crate) packets: &'a Packets,
    /// Whether the team is at work, and nothing is named any more.
    pub(crate) at_work: bool,
}

/// What a command wants.
#[derive(Debug)]
enum Wanted {
    PauseAll,
    ResumeAll,
    Drain,
    Stop,
    Kill(Option<LaneId>),
    Remove(Option<LaneId>),
    Release(Option<LaneId>),
    Reassign(TaskId, Option<Heir>),
    Add(u32),
    Budget,
}

/// A refusal that only a run which comes to its end explains.
#[derive(Clone, Copy, Debug)]
struct Ending {
    seq: u64,
    t_us: u64,
    /// Tasks that had not ended then.
    unended: u64,
}

/// A command whose records stand behind it.
#[derive(Debug)]
struct Spoken {
    command: OperatorCommand,
    by: String,
    reason: String,
    /// Whether nothing stands between it and this record.
    at_once: bool,
}

/// All commands of a run.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    stopping: bool,
    /// Lanes that live though an operator wants them dead.
    condemned: BTreeSet<LaneId>,
    /// The most lanes that the team was said to have, and the fewest that were said to be too many.
    most: u64,
    too_many: Option<u64>,
    /// Lanes that are still to join, and their role.
    joining: Option<(String, u32)>,
    /// By role: what thinks in its lanes, and how many have joined.
    roles: BTreeMap<String, (EndpointId, u32)>,
    ending: Option<Ending>,
    /// The command that was obeyed last, if what it changed has records of its own.
    spoken: Option<Spoken>,
    last_us: u64,
    refused: u64,
    mail_1: Judgement,
}

type Finding = Result<(), &'static str>;

impl Orders {
    /// No other check but the sequel has seen the record.
    pub(crate) fn see(&mut self, seq: u64, record: &Record, view: &View<'_>) {
        self.last_us = record.t_us;
        if let Err(why) = self.follows(record, view.pauses.is_paused()) {
            self.mail_1.breaks(|| format!("record {seq} {why}"));
        }
        let result = match &record.event {
            Event::LaneJoined(joined) => self.joined(record, joined, view),
            Event::LaneDied(died) => {
                let wanted = record.lane.is_some_and(|lane| self.condemned.remove(&lane));
                if died.reason == DeathReason::Operator && !wanted { Err("dies as nobody has ordered") } else { Ok(()) }
            }
            Event::CommandGiven(given) => self.given(record, given, view),
            Event::PauseRequested(_) | Event::Resumed(_) => self.not_ended(),
            Event::CommandRefused(refused) => self.refused((seq, record.t_us), refused, view),
            _ => return,
        };
        self.mail_1.claim(result.is_ok(), || format!("record {seq}: a command or lane {}", result.err().unwrap_or("")));
    }

    /// A limit that a person set, and a person's answer, stand behind the command that ordered them; behind one that
    /// orders them stands the first of them.
    fn follows(&mut self, record: &Record, paused: bool) -> Finding {
        let first = self.spoken.as_mut().is_some_and(|spoken| std::mem::take(&mut spoken.at_once));
        let (by, reason, ordered): (_, _, &[OperatorCommand]) = match &record.event {
            Event::SegmentClosed(_) => {
                self.spoken.iter_mut().for_each(|spoken| spoken.at_once = first);
                return Ok(());
            }
            Event::BudgetSet(set) => match &set.by {
                Some(by) => (by, set.reason.as_ref(), &[OperatorCommand::Budget, OperatorCommand::Add]),
                None => return Ok(()),
            },
            Event::ApprovalGiven(given) if given.approved => {
                (&given.by, Some(&given.reason), &[OperatorCommand::Approve])
            }
            Event::ApprovalGiven(given) => (&given.by, Some(&given.reason), &[OperatorCommand::Deny]),
            // A drain ends a pause at once.
            Event::Resumed(resumed) if first => (&resumed.by, Some(&resumed.reason), &[OperatorCommand::Drain]),
            event => {
                self.hear(event, paused);
                return if first { Err("stands where what a command changed is told") } else { Ok(()) };
            }
        };
        let fits = self.spoken.as_ref().is_some_and(|spoken| {
            ordered.contains(&spoken.command) && spoken.by == *by && Some(&spoken.reason) == reason
        });
        if fits { Ok(()) } else { Err("tells of what a person changed, and no command of that person ordered it") }
    }

    /// What was said last, as long as only what it changed stands behind it.
    fn hear(&mut self, event: &Event, paused: bool) {
        let (command, by, reason) = match event {
            Event::CommandGiven(given) => (given.command, given.by.clone(), given.reason.clone()),
            // What is given up, or joins, by it stands between.
            Event::TaskFailed(_) | Event::LaneJoined(_) => return,
            _ => return self.spoken = None,
        };
        let at_once = match command {
            OperatorCommand::Budget | OperatorCommand::Approve | OperatorCommand::Deny => true,
            OperatorCommand::Drain => paused,
            _ => false,
        };
        self.spoken = Some(Spoken { command, by, reason, at_once });
    }

    fn not_ended(&self) -> Finding {
        if self.ending.is_some() { Err("is obeyed after another was refused because the run ends") } else { Ok(()) }
    }

    fn given(&mut self, record: &Record, given: &CommandGiven, view: &View<'_>) -> Finding {
        self.not_ended()?;
        let shape = (record.lane.is_some(), record.task.is_some(), given.role.is_some(), given.lanes.is_some());
        let (wanted, fits) = match given.command {
            OperatorCommand::Override if shape == (false, true, false, false) => return Ok(()),
            OperatorCommand::Override => return Err("lets something else through a gate than a task"),
            OperatorCommand::Budget | OperatorCommand::Approve | OperatorCommand::Deny => {
                let fits = shape == (false, false, false, false) && !given.by.is_empty();
                return if fits { Ok(()) } else { Err("does not say whom it is about, or who gave it") };
            }
            OperatorCommand::Drain => (Wanted::Drain, shape == (false, false, false, false)),
            OperatorCommand::Stop => (Wanted::Stop, shape == (false, false, false, false)),
            OperatorCommand::Kill => (Wanted::Kill(record.lane), shape == (true, false, false, false)),
            OperatorCommand::Remove => (Wanted::Remove(record.lane), shape == (true, false, false, false)),
            OperatorCommand::Release => (Wanted::Release(record.lane), shape == (true, false, false, false)),
            OperatorCommand::Add => (Wanted::Add(given.lanes.unwrap_or(0)), shape == (false, false, true, true)),
            OperatorCommand::Reassign => {
                let task = record.task.unwrap_or_default();
                let heir = record.lane.map(Heir::Lane).or_else(|| given.role.clone().map(Heir::Role));
                let lane_or_role = (shape.0, shape.2);
                let fits = shape.1 && !shape.3 && matches!(lane_or_role, (true, false) | (false, true));
                (Wanted::Reassign(task, heir), fits)
            }
        };
        if !fits || given.by.is_empty() {
            return Err("does not say whom it is about, or who gave it");
        }
        if self.would(&wanted, view).is_err() {
            return Err("is obeyed and changes nothing");
        }
        match (given.command, record.lane) {
            (OperatorCommand::Stop, _) => self.stopping = true,
            (OperatorCommand::Kill, Some(lane)) => drop(self.condemned.insert(lane)),
            (OperatorCommand::Add, _) => return self.grows(given, view),
            _ => {}
        }
        Ok(())
    }

    fn grows(&mut self, given: &CommandGiven, view: &View<'_>) -> Finding {
        let (role, more) = (given.role.clone().unwrap_or_default(), given.lanes.unwrap_or_default());
        if more == 0 || !self.roles.contains_key(&role) {
            return Err("adds no lane, or one of a role that nobody has");
        }
        self.joining = Some((role, more));
        self.most = self.most.max(view.board.counted().saturating_add(u64::from(more)));
        if self.too_many.is_none_or(|too_many| self.most < too_many) {
            Ok(())
        } else {
            Err("makes the team larger than it was said that it may be")
        }
    }

    /// A lane joins at the beginning, or as the clone that was ordered.
    fn joined(&mut self, record: &Record, joined: &LaneJoined, view: &View<'_>) -> Finding {
        let (model, lanes) = self.roles.entry(joined.role.clone()).or_insert((joined.model, 0));
        *lanes = lanes.saturating_add(1);
        let due = format!("{}.{lanes}", joined.role);
        let named = record.lane.and_then(|lane| view.lanes.name(lane)) == Some(due.as_str());
        if !named || *model != joined.model {
            return Err("joins under another name, or with another model, than is due for its role");
        }
        if !view.at_work {
            self.most = self.most.saturating_add(1);
            return Ok(());
        }
        let Some((role, left)) = &mut self.joining else { return Err("joins, and nobody has ordered it") };
        *left = left.saturating_sub(1);
        let fits = *role == joined.role;
        if *left == 0 {
            self.joining = None;
        }
        if fits { Ok(()) } else { Err("joins another role than was ordered") }
    }

    /// Whether a command would change anything, as far as the journal tells.
    fn would(&self, wanted: &Wanted, view: &View<'_>) -> Result<(), CommandRefusal> {
        let (board, gone, so) = (view.board, CommandRefusal::Gone, CommandRefusal::AlreadySo);
        let is_so = match wanted {
            Wanted::PauseAll => view.pauses.is_paused(),
            Wanted::ResumeAll => !view.pauses.is_paused(),
            Wanted::Drain => board.is_draining() && !view.pauses.is_paused() || self.stopping,
            Wanted::Stop => self.stopping,
            Wanted::Kill(lane) => {
                let lane = lane.filter(|lane| board.lives(*lane)).ok_or(gone)?;
                if board.is_removed(lane) && !board.owns(lane) {
                    return Err(gone);
                }
                self.condemned.contains(&lane)
            }
            Wanted::Remove(lane) => board.is_removed(lane.filter(|lane| board.has(*lane)).ok_or(gone)?),
            Wanted::Release(lane) => {
                let holds = lane.is_some_and(|lane| !view.leases.held_by(lane).is_empty());
                return if holds { Ok(()) } else { Err(gone) };
            }
            Wanted::Reassign(task, heir) => {
                return board.would_move(*task, heir.as_ref().ok_or(gone)?, view.packets);
            }
            Wanted::Add(_) => false,
            // What each limit was is judged where limits are.
            Wanted::Budget => true,
        };
        if is_so { Err(so) } else { Ok(()) }
    }

    fn refused(&mut self, (seq, t_us): (u64, u64), refused: &CommandRefused, view: &View<'_>) -> Finding {
        self.refused += 1;
        if refused.by.is_empty() {
            return Err("is refused, and nobody gave it");
        }
        // Whether these were answered in time: [`crate::approvals`].
        if let Some((verb @ ("approve" | "deny" | "override"), about)) = refused.command.split_once(": ") {
            let ended = TaskId::parse(about).is_some_and(|task| view.board.is_ended(task));
            if verb != "override" && refused.why == CommandRefusal::Gone && !ended {
                self.ends((seq, t_us), view);
            }
            return Ok(());
        }
        let Some(wanted) = read(&refused.command, view.lanes) else {
            return Err("is refused that is none");
        };
        if let (Wanted::Add(more), CommandRefusal::Full) = (&wanted, refused.why) {
            let too_many = view.board.counted().saturating_add(u64::from(*more));
            self.too_many = Some(self.too_many.map_or(too_many, |before| before.min(too_many)));
            return if self.most < too_many { Ok(()) } else { Err("is refused for a cap that the team was above") };
        }
        if self.would(&wanted, view) == Err(refused.why) {
            return Ok(());
        }
        let ends = match wanted {
            Wanted::Stop => CommandRefusal::AlreadySo,
            _ => CommandRefusal::Gone,
        };
        if refused.why != ends {
            return Err("is refused for a reason that the journal does not show");
        }
        self.ends((seq, t_us), view);
        Ok(())
    }

    /// Somebody was told that the run ends.
    fn ends(&mut self, (seq, t_us): (u64, u64), view: &View<'_>) {
        let unended = if self.stopping { 0 } else { view.board.unended() };
        self.ending.get_or_insert(Ending { seq, t_us, unended });
    }

    /// MAIL-1, when the journal is read: whoever was told that the run ends was told the truth.
    pub(crate) fn judge(mut self, reason: Option<StopReason>) -> Judgement {
        if let Some(Ending { seq, t_us, unended }) = self.ending {
            let late = self.last_us.saturating_sub(t_us) > END_US;
            let goes_on = reason == Some(StopReason::TasksEnded) && unended > 0;
            self.mail_1.claim(!late && !goes_on, || {
                format!("record {seq}: a command is refused as if the run had come to its end, and it had not")
            });
        }
        if self.refused > 0 {
            self.mail_1.note(format!("{} commands changed nothing, and their senders were told why", self.refused));
        }
        self.mail_1
    }
}

/// A command as a scenario file writes it.
fn read(text: &str, lanes: &Lanes) -> Option<Wanted> {
    match text {
        "pause-all" => return Some(Wanted::PauseAll),
        "resume-all" => return Some(Wanted::ResumeAll),
        "drain" => return Some(Wanted::Drain),
        "stop" => return Some(Wanted::Stop),
        _ => {}
    }
    let (word, about) = text.strip_prefix("{ ")?.strip_suffix(" }")?.split_once(": ")?;
    let is_lane = |name: &str| name.rsplit_once('.').is_some_and(|(_, number)| number.parse::<u32>().is_ok());
    match word {
        "kill" if is_lane(about) => Some(Wanted::Kill(lanes.id(about))),
        "remove" if is_lane(about) => Some(Wanted::Remove(lanes.id(about))),
        "release" if is_lane(about) => Some(Wanted::Release(lanes.id(about))),
        "budget" if about.starts_with("{ ") && about.ends_with(" }") => Some(Wanted::Budget),
        "add" => {
            let Some(named) = about.strip_prefix("{ role: ") else { return Some(Wanted::Add(1)) };
            let (_, more) = named.strip_suffix(" }")?.split_once(", lanes: ")?;
            more.parse().ok().map(Wanted::Add)
        }
        "reassign" => {
            let (task, to) = about.split_once(", to: ")?;
            let heir = if is_lane(to) { lanes.id(to).map(Heir::Lane) } else { Some(Heir::Role(to.to_owned())) };
            Some(Wanted::Reassign(TaskId::parse(task)?, heir))
        }
        _ => None,
    }
}
