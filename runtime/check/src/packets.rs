//! Owns packets as the journal tells of them: offered by the owner of a task, then refused, or accepted and the task
//! handed on; judged item by item; and what lands of a task that is reviewed was approved (HAND-2).
//!
//! Deliberately does not know who owns what ([`crate::board`] does), nor what is in a packet
//! ([`crate::packet_content`] does).

use crate::changes::Changes;
use crate::report::Judgement;
use baton_record::event::{ApprovalThen, ChangeSubmitted, PacketOffered, PacketPurpose, ReturnReason, ReviewGiven};
use baton_record::line::Record;
use baton_record::{ChangeId, Event, LaneId, PacketId, TaskId};
use std::collections::BTreeMap;

/// One packet.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) offered: PacketOffered,
    pub(crate) lane: Option<LaneId>,
    pub(crate) accepted: bool,
    /// What is said to be wrong with it.
    pub(crate) refused: Option<Vec<String>>,
    /// Judgements of it: how many items each looked at.
    pub(crate) judged_items: Vec<usize>,
    /// The submission that landed or was refused in its name.
    pub(crate) submitted: Option<ChangeSubmitted>,
}

/// Where a task is on its way.
#[derive(Clone, Debug, Default)]
struct Route {
    review: Option<(String, u32)>,
    packet: Option<PacketId>,
    at_review: bool,
    rounds: u32,
    /// The present owner has approved.
    reviewed: bool,
    /// A person has.
    approved: bool,
    /// The last judgement, while it is the newest thing that was said: whether it approved.
    judged: Option<bool>,
    /// Packets refused since it was last given to somebody.
    refused: u32,
}

/// All packets of a run.
#[derive(Debug, Default)]
pub(crate) struct Packets {
    pub(crate) by_id: Vec<Packet>,
    tasks: BTreeMap<TaskId, Route>,
    names: BTreeMap<LaneId, String>,
    pub(crate) hand_2: Judgement,
}

impl Packets {
    /// Whether the task lies with whoever judges it.
    pub(crate) fn at_review(&self, task: TaskId) -> bool {
        self.tasks.get(&task).is_some_and(|route| route.at_review)
    }

    /// The role whose turn it is, if it is not the one that does the work.
    pub(crate) fn review_role(&self, task: TaskId) -> Option<&str> {
        let route = self.tasks.get(&task).filter(|route| route.at_review)?;
        route.review.as_ref().map(|(role, _)| role.as_str())
    }

    /// Whether a packet lies with the task.
    pub(crate) fn is_begun(&self, task: TaskId) -> bool {
        self.tasks.get(&task).is_some_and(|route| route.packet.is_some())
    }

    /// Whether the journal shows why a task was given back for this reason. Asked before the record is seen.
    pub(crate) fn earns(&self, task: Option<TaskId>, reason: ReturnReason) -> bool {
        let Some(route) = task.and_then(|task| self.tasks.get(&task)) else { return false };
        let newest = self.by_id.last().filter(|packet| Some(packet.offered.change.task()) == task);
        let over = route.review.as_ref().is_some_and(|(_, most)| route.rounds >= *most);
        match reason {
            ReturnReason::HandedOver => newest.is_some_and(|packet| packet.accepted),
            ReturnReason::SentBack => route.judged == Some(false) && !over,
            ReturnReason::WaitsForPerson => route.judged == Some(false) && over,
            ReturnReason::NoPacket => route.refused > 0,
            _ => false,
        }
    }

    pub(crate) fn see(&mut self, seq: u64, record: &Record, (changes, lane): (&Changes, Option<&str>)) {
        if let (Some(id), Some(name)) = (record.lane, lane) {
            self.names.entry(id).or_insert_with(|| name.to_owned());
        }
        let result = match &record.event {
            Event::TaskAdded(added) => {
                let review = added.review.clone().zip(added.rounds_max);
                let whole = added.review.is_some() == added.rounds_max.is_some();
                let route = Route { review, ..Route::default() };
                record.task.map(|task| self.tasks.insert(task, route));
                if whole { return } else { Err("adds a task with half of a review") }
            }
            Event::PacketOffered(offered) => self.offered(record, offered),
            Event::PacketRefused(refused) => self.refused(record, refused.packet, &refused.flaws),
            Event::PacketAccepted(accepted) => self.accepted(record, accepted.packet),
            Event::ReviewGiven(review) => self.judged(record, review),
            Event::ChangeSubmitted(submitted) => self.submitted(submitted, changes),
            Event::TaskAssigned(_) => return self.assigned(record.task),
            Event::TaskReturned(returned) => return self.returned(record.task, returned.reason),
            Event::ApprovalGiven(given) => return self.approved(record.task, given.approved),
            Event::ApprovalTimedOut(over) => return self.approved(record.task, over.then == ApprovalThen::Approve),
            _ => return,
        };
        self.hand_2.claim(result.is_ok(), || format!("record {seq} {}", result.err().unwrap_or_default()));
    }

    fn offered(&mut self, record: &Record, offered: &PacketOffered) -> Result<(), &'static str> {
        let due = PacketId(self.by_id.len() as u32);
        let packet = Packet {
            offered: offered.clone(),
            lane: record.lane,
            accepted: false,
            refused: None,
            judged_items: Vec::new(),
            submitted: None,
        };
        self.by_id.push(packet);
        if offered.packet != due {
            return Err("offers a packet whose number is not due");
        }
        if record.task != Some(offered.change.task()) {
            return Err("offers a packet that tells of another task");
        }
        let route = record.task.and_then(|task| self.tasks.get(&task)).ok_or("offers a packet of no task")?;
        let own = record.lane.and_then(|lane| self.names.get(&lane)).and_then(|name| name.rsplit_once('.'));
        let fits = match offered.purpose {
            PacketPurpose::Review => {
                !route.at_review && route.review.as_ref().is_some_and(|(role, _)| *role == offered.to)
            }
            PacketPurpose::Successor | PacketPurpose::LastTurn => own.is_some_and(|(role, _)| role == offered.to),
        };
        if fits { Ok(()) } else { Err("offers a packet to a role that it is not for") }
    }

    /// The newest packet, if it has this number and waits for an answer.
    fn waiting(&mut self, record: &Record, id: PacketId) -> Result<&mut Packet, &'static str> {
        let newest = self.by_id.last_mut().filter(|packet| packet.offered.packet == id);
        let packet = newest.ok_or("answers a packet that is not the newest")?;
        let same = packet.lane == record.lane && Some(packet.offered.change.task()) == record.task;
        if !same {
            return Err("answers another lane's packet");
        }
        if packet.accepted || packet.refused.is_some() {
            return Err("answers a packet a second time");
        }
        Ok(packet)
    }

    fn refused(&mut self, record: &Record, id: PacketId, flaws: &[String]) -> Result<(), &'static str> {
        self.waiting(record, id)?.refused = Some(flaws.to_vec());
        if let Some(route) = record.task.and_then(|task| self.tasks.get_mut(&task)) {
            route.refused += 1;
        }
        if flaws.is_empty() { Err("refuses a packet and does not say why") } else { Ok(()) }
    }

    fn accepted(&mut self, record: &Record, id: PacketId) -> Result<(), &'static str> {
        self.waiting(record, id)?.accepted = true;
        let route = record.task.and_then(|task| self.tasks.get_mut(&task)).ok_or("accepts a packet of no task")?;
        route.packet = Some(id);
        Ok(())
    }

    fn judged(&mut self, record: &Record, review: &ReviewGiven) -> Result<(), &'static str> {
        let route = record.task.and_then(|task| self.tasks.get_mut(&task)).ok_or("judges no task")?;
        let again = std::mem::replace(&mut route.reviewed, review.approved);
        let due = route.rounds.saturating_add(1);
        (route.rounds, route.judged) = (review.round, Some(review.approved));
        if !route.at_review || route.packet != Some(review.packet) {
            return Err("judges a packet that does not lie there to be judged");
        }
        if again {
            return Err("judges what is approved already");
        }
        if review.round != due {
            return Err("counts the rounds otherwise than the journal");
        }
        if let Some(packet) = self.by_id.get_mut(review.packet.0 as usize) {
            packet.judged_items.push(review.items.len());
        }
        let in_order = review.items.iter().enumerate().all(|(at, item)| item.item as usize == at);
        let reasons = review.items.iter().all(|item| item.held == item.reason.is_empty());
        let all_held = review.items.iter().all(|item| item.held);
        if in_order && reasons && all_held == review.approved {
            Ok(())
        } else {
            Err("judges otherwise than item by item, each with its reason")
        }
    }

    /// What is submitted of a task that is reviewed was approved, and names who made it.
    fn submitted(&mut self, submitted: &ChangeSubmitted, changes: &Changes) -> Result<(), &'static str> {
        let task = submitted.change.task();
        let Some(route) = self.tasks.get(&task) else { return Ok(()) };
        // Submitted by nobody who lives: it will not land, whatever it is.
        if changes.was_withdrawn(submitted.change) {
            return Ok(());
        }
        let packet = route.packet.filter(|_| route.at_review);
        let made_by = packet.and_then(|id| self.by_id.get(id.0 as usize)).and_then(|packet| packet.lane);
        let author = made_by.and_then(|lane| self.names.get(&lane));
        let allowed = route.reviewed || route.approved;
        match (&route.review, packet) {
            (None, _) if submitted.author.is_none() => Ok(()),
            (Some(_), Some(id)) if allowed && submitted.author.as_ref() == author => {
                if let Some(packet) = self.by_id.get_mut(id.0 as usize) {
                    packet.submitted = Some(submitted.clone());
                }
                Ok(())
            }
            (None, _) => Err("submits a change in the name of another lane, and nobody reviews it"),
            (Some(_), _) => Err("submits a change that nobody has approved, or in another's name"),
        }
    }

    fn assigned(&mut self, task: Option<TaskId>) {
        if let Some(route) = task.and_then(|task| self.tasks.get_mut(&task)) {
            (route.reviewed, route.judged, route.refused) = (false, None, 0);
        }
    }

    fn returned(&mut self, task: Option<TaskId>, reason: ReturnReason) {
        let Some(route) = task.and_then(|task| self.tasks.get_mut(&task)) else { return };
        let purpose = self.by_id.last().map(|packet| packet.offered.purpose);
        match reason {
            ReturnReason::HandedOver if purpose == Some(PacketPurpose::Review) => {
                (route.at_review, route.approved) = (true, false);
            }
            ReturnReason::SentBack => route.at_review = false,
            ReturnReason::Refused => {
                (route.at_review, route.packet, route.rounds, route.approved) = (false, None, 0, false);
            }
            _ => {}
        }
    }

    /// A person's word about a task that waits for it: a change that was sent back as often as it may be.
    fn approved(&mut self, task: Option<TaskId>, approved: bool) {
        if let Some(route) = task.and_then(|task| self.tasks.get_mut(&task)) {
            route.approved |= approved && route.judged == Some(false);
        }
    }

    /// The lane that made a change, if another submitted it.
    pub(crate) fn author_of(&self, change: ChangeId) -> Option<LaneId> {
        let of = |packet: &&Packet| packet.submitted.as_ref().is_some_and(|submitted| submitted.change == change);
        self.by_id.iter().rev().find(of).and_then(|packet| packet.lane)
    }
}
