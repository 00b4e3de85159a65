//! Owns packets as the journal tells of them: offered by the owner of a task, then refused, or accepted and the task
//! handed on; judged item by item; and what lands of a task that is reviewed was approved (HAND-2).
//!
//! Deliberately does not know who owns what ([`crate::board`] does), nor what is in a packet
//! ([`crate::packet_content`] does).

use crate::changes::Changes;
use crate::report::Judgement;
use baton_record::event::{ApprovalThen, ChangeSubmitted, PacketOffered, PacketPurpose, ReturnReason, ReviewGiven};
use baton_record::ids::ATTEMPTS_MAX;
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
    /// The newest change of its task that did not merge by then, and its report.
    pub(crate) unmerged: Option<(ChangeId, String)>,
    /// The newest submission in its name.
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
    /// Its next owner goes on where the last one ended.
    continued: bool,
    /// A person decides about it.
    waits: bool,
}

/// All packets of a run. Sees each record after every other check.
#[derive(Debug, Default)]
pub(crate) struct Packets {
    pub(crate) by_id: Vec<Packet>,
    tasks: BTreeMap<TaskId, Route>,
    /// By attempt: the packet that its lane began with.
    begun_with: BTreeMap<ChangeId, PacketId>,
    names: BTreeMap<LaneId, String>,
    pub(crate) hand_2: Judgement,
}

impl Packets {
    /// Whether the task lies with whoever judges it.
    pub(crate) fn at_review(&self, task: TaskId) -> bool {
        self.tasks.get(&task).is_some_and(|route| route.at_review)
    }

    /// The role whose turn it is; `own` does the work.
    pub(crate) fn role_of<'a>(&'a self, task: TaskId, own: &'a str) -> &'a str {
        let route = self.tasks.get(&task).filter(|route| route.at_review);
        route.and_then(|route| route.review.as_ref()).map_or(own, |(role, _)| role.as_str())
    }

    /// Whether whoever takes the task now begins an attempt that counts.
    pub(crate) fn begins_anew(&self, task: TaskId) -> bool {
        self.tasks.get(&task).is_none_or(|route| !route.at_review && !route.continued)
    }

    /// Whether a person decides about the task.
    pub(crate) fn waits_for_person(&self, task: TaskId) -> bool {
        self.tasks.get(&task).is_some_and(|route| route.waits)
    }

    /// The packet that lies with the task.
    pub(crate) fn lying_with(&self, task: TaskId) -> Option<PacketId> {
        self.tasks.get(&task)?.packet
    }

    /// Whether a packet is handed to a person.
    pub(crate) fn is_for_person(&self, id: PacketId) -> bool {
        let packet = self.by_id.get(id.0 as usize);
        packet.is_some_and(|packet| packet.offered.purpose == PacketPurpose::Approval)
    }

    /// Whether the last review that may say no has said no.
    pub(crate) fn rounds_are_over(&self, task: TaskId) -> bool {
        let Some(route) = self.tasks.get(&task) else { return false };
        let most = route.review.as_ref().map_or(u32::MAX, |(_, most)| *most);
        route.judged == Some(false) && route.rounds >= most
    }

    /// Whether a packet lies with the task.
    pub(crate) fn is_begun(&self, task: TaskId) -> bool {
        self.tasks.get(&task).is_some_and(|route| route.packet.is_some())
    }

    /// Whether the review that comes next is the last before a person decides.
    pub(crate) fn rounds_used_up(&self, task: TaskId) -> bool {
        let route = self.tasks.get(&task);
        let most = route.and_then(|route| route.review.as_ref()).map_or(u32::MAX, |(_, most)| *most);
        route.is_some_and(|route| route.rounds.saturating_add(1) >= most)
    }

    /// Whether the journal shows why a task was given back for this reason.
    pub(crate) fn earns(&self, task: Option<TaskId>, reason: ReturnReason) -> bool {
        let Some(route) = task.and_then(|task| self.tasks.get(&task)) else { return false };
        let newest = self.by_id.last().filter(|packet| Some(packet.offered.change.task()) == task);
        let over = route.review.as_ref().is_some_and(|(_, most)| route.rounds >= *most);
        match reason {
            ReturnReason::HandedOver => newest.is_some_and(|packet| packet.accepted),
            ReturnReason::SentBack => route.judged == Some(false) && !over,
            // That a person was asked about it: [`crate::approvals`].
            ReturnReason::WaitsForPerson => route.packet.is_some(),
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
            Event::PacketOffered(offered) => self.offered(record, offered, changes),
            Event::PacketRefused(refused) => self.refused(record, refused.packet, &refused.flaws),
            Event::PacketAccepted(accepted) => self.accepted(record, accepted.packet),
            Event::ReviewGiven(review) => self.judged(record, review),
            Event::ChangeSubmitted(submitted) => match self.submitted(record, submitted, changes) {
                Some(result) => result,
                None => return,
            },
            Event::TaskAssigned(assigned) => return self.assigned(record.task, assigned.attempt),
            Event::TaskReturned(returned) => return self.returned(record.task, returned.reason),
            Event::ApprovalGiven(given) => return self.approved(record.task, given.approved),
            Event::ApprovalTimedOut(over) => return self.approved(record.task, over.then == ApprovalThen::Approve),
            _ => return,
        };
        self.hand_2.claim(result.is_ok(), || format!("record {seq} {}", result.err().unwrap_or_default()));
    }

    fn offered(&mut self, record: &Record, offered: &PacketOffered, changes: &Changes) -> Result<(), &'static str> {
        let due = PacketId(self.by_id.len() as u32);
        let packet = Packet {
            offered: offered.clone(),
            lane: record.lane,
            accepted: false,
            refused: None,
            judged_items: Vec::new(),
            unmerged: changes.unmerged(offered.change.task()).cloned(),
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
            PacketPurpose::Successor | PacketPurpose::LastTurn | PacketPurpose::Approval => {
                own.is_some_and(|(role, _)| role == offered.to)
            }
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

    /// What is submitted of a task that is reviewed, or in another's name, was approved, and names who made it. `None`: it
    /// is its lane's own, and nobody reviews it.
    fn submitted(
        &mut self,
        record: &Record,
        submitted: &ChangeSubmitted,
        changes: &Changes,
    ) -> Option<Result<(), &'static str>> {
        let route = self.tasks.get(&submitted.change.task())?;
        let approved = route.approved || (route.at_review && route.reviewed);
        let begun_with = self.begun_with.get(&submitted.change).and_then(|id| self.by_id.get(id.0 as usize));
        if submitted.packet.as_ref() != begun_with.map(|packet| &packet.offered.digest) {
            return Some(Err("submits a change and names another packet than its lane began with"));
        }
        // Submitted by nobody who lives: it will not land, whatever it is.
        if changes.was_withdrawn(submitted.change) {
            return None;
        }
        if route.review.is_none() && !approved {
            let own = submitted.author.is_none();
            return (!own).then_some(Err("submits a change in the name of another lane, and nobody approved it"));
        }
        let packet = route.packet.filter(|_| approved).and_then(|id| self.by_id.get_mut(id.0 as usize));
        let Some(packet) = packet else { return Some(Err("submits a change that nobody has approved")) };
        let author = packet.lane.filter(|lane| Some(*lane) != record.lane).and_then(|lane| self.names.get(&lane));
        if submitted.author.as_ref() != author {
            return Some(Err("submits a change in the name of a lane that has not made it"));
        }
        packet.submitted = Some(submitted.clone());
        Some(Ok(()))
    }

    fn assigned(&mut self, task: Option<TaskId>, attempt: u32) {
        if let Some((task, route)) = task.and_then(|task| Some((task, self.tasks.get_mut(&task)?))) {
            if (1..=ATTEMPTS_MAX).contains(&attempt) {
                self.begun_with.extend(route.packet.map(|packet| (ChangeId::of(task, attempt), packet)));
            }
            (route.reviewed, route.judged, route.refused, route.continued) = (false, None, 0, false);
        }
    }

    fn returned(&mut self, task: Option<TaskId>, reason: ReturnReason) {
        let Some(route) = task.and_then(|task| self.tasks.get_mut(&task)) else { return };
        let purpose = self.by_id.last().map(|packet| packet.offered.purpose);
        match reason {
            ReturnReason::HandedOver => {
                route.continued = true;
                if purpose == Some(PacketPurpose::Review) {
                    (route.at_review, route.approved) = (true, false);
                }
            }
            ReturnReason::SentBack => (route.at_review, route.continued) = (false, true),
            ReturnReason::Reassigned => route.continued = true,
            ReturnReason::WaitsForPerson => (route.waits, route.approved, route.continued) = (true, false, true),
            ReturnReason::Refused => {
                (route.at_review, route.packet, route.rounds, route.approved) = (false, None, 0, false);
            }
            _ => {}
        }
    }

    /// A person's word about a task that waits for it: a change that was sent back as often as it may be.
    fn approved(&mut self, task: Option<TaskId>, approved: bool) {
        if let Some(route) = task.and_then(|task| self.tasks.get_mut(&task)) {
            route.approved |= approved && route.waits;
            route.waits = false;
        }
    }
}
