//! What a lane does beside changing main: it reads what it was handed, hands on what it has, judges what others made, and
//! gives back what it cannot do.

use super::Lane;
use super::packing::{self, Unpacked};
use super::stage::Stage;
use crate::failure::Failure;
use crate::recorder::Append;
use crate::supervisor::{Briefing, Handing, Lack, Want};
use crate::team::{LandingKind, Spoil};
use actix::Context;
use baton_core::Fact;
use baton_core::board::Desk;
use baton_packets::read::NOTE_MAX;
use baton_packets::{Link, LinkKind, Packet, Progress, Purpose, one_line};
use baton_record::event::{FaultInjected, PacketPurpose, ReturnReason, ReviewItem};
use baton_record::line::Actor as Writer;
use baton_record::{Event, FaultId};
use baton_world::content::ContentError;

/// Files that were read and are named, and how long their paths may be: what else was read, the change itself tells.
const READS_MAX: usize = 64;
const READ_BYTES_MAX: usize = 256;
/// Packets of one attempt that may be refused before the task is given back.
const REFUSALS_MAX: u16 = 3;

/// What an attempt was handed.
#[derive(Debug)]
pub(super) struct Handed {
    pub(super) digest: String,
    packet: Packet,
    /// Whose turn it is.
    pub(super) desk: Desk,
    /// A person has approved the change: it needs no judgement.
    approved: bool,
}

impl Lane {
    /// Reads the packet that the attempt begins with.
    pub(super) fn receive(&mut self, briefing: Briefing) -> Result<(), Failure> {
        let Briefing { digest, desk, approved, .. } = briefing;
        let bytes = self.ground.content.get(&digest).map_err(Failure::Content)?;
        let packet = bytes.as_deref().map(baton_packets::read);
        let Some(Ok(packet)) = packet else {
            return Err(Failure::Broken(format!("the accepted packet {digest} cannot be read any more")));
        };
        let attempt = self.attempt.as_mut().expect("a packet is read in an attempt");
        if desk == Desk::Review {
            let review = self.ground.team.work_of(attempt.change.task()).review.as_ref();
            attempt.steps = review.map_or(0, |review| review.steps);
        } else {
            attempt.begin_at(packet.progress.map_or(0, |progress| progress.done).min(attempt.steps));
        }
        if approved {
            attempt.steps = 0;
        }
        attempt.handed = Some(Handed { digest, packet, desk, approved });
        Ok(())
    }

    /// Whether the attempt judges what another has made.
    pub(super) fn judges(&self) -> bool {
        let handed = self.attempt.as_ref().and_then(|attempt| attempt.handed.as_ref());
        handed.is_some_and(|handed| handed.desk == Desk::Review)
    }

    /// Whether a person has said yes to the change that the attempt was handed: it is submitted as it is.
    pub(super) fn is_approved(&self) -> bool {
        let handed = self.attempt.as_ref().and_then(|attempt| attempt.handed.as_ref());
        handed.is_some_and(|handed| handed.approved)
    }

    /// Whether the attempt's change goes to a reviewer before it goes to the merger.
    pub(super) fn hands_to_review(&self) -> bool {
        let attempt = self.attempt.as_ref().expect("a change is made in an attempt");
        let reviewed = self.ground.team.work_of(attempt.change.task()).review.is_some();
        reviewed && !self.judges() && self.ground.team.landing == LandingKind::Merger
    }

    /// Whether the next call would not fit into the lane's context any more.
    pub(super) fn context_is_full(&self) -> bool {
        let attempt = self.attempt.as_ref().expect("a call is made in an attempt");
        let spec = &self.spec;
        let next = self.ground.team.models[spec.model].bound().tokens;
        let full = spec.context_limit.is_some_and(|limit| attempt.context + next > limit);
        full && attempt.has_progress() && !self.judges() && self.ground.team.landing == LandingKind::Merger
    }

    /// Hands the task on: to whoever reviews, or to a successor of the same role.
    pub(super) fn hand_over(&mut self, purpose: PacketPurpose, ctx: &mut Context<Lane>) {
        self.attempt.as_mut().expect("what is handed on is an attempt").offers = Some(purpose);
        match self.make_packet(purpose) {
            Ok(handing) => {
                self.stage = Stage::HandingOver;
                self.ask(Want::HandOver(handing), ctx);
            }
            Err(error) => self.fail(Failure::Content(error)),
        }
    }

    fn make_packet(&mut self, purpose: PacketPurpose) -> Result<Handing, ContentError> {
        let packet = self.packet(purpose)?;
        let attempt = self.attempt.as_ref().expect("a packet tells of an attempt");
        let (change, before, to) = (attempt.change, attempt.packets_refused, packet.to.clone());
        let struck = self.ground.chaos.strike_packet(&self.spec);
        let json = match struck {
            Some((fault, how)) => {
                self.note_spoiled(fault, how);
                packing::spoiled(packet, how)
            }
            None => packet.to_json(),
        };
        let (digest, bytes) = (self.ground.content.put(&json)?, json.len() as u64);
        let asks = self.attempt.as_ref().and_then(|attempt| attempt.asks.clone());
        let asks = asks.filter(|_| purpose == PacketPurpose::Approval);
        Ok(Handing { change, to, purpose, digest, bytes, before, asks, fault: struck.map(|(fault, _)| fault) })
    }

    fn note_spoiled(&self, fault: FaultId, how: Spoil) {
        let target = match how {
            Spoil::Incomplete => "incomplete packet",
            Spoil::Dangling => "dangling link",
            Spoil::Lying => "lying link",
            Spoil::Huge => "huge packet",
        };
        let event = FaultInjected { fault, injected: "spoil".to_owned(), target: target.to_owned() };
        let fact = Fact::of_lane(self.id, Event::FaultInjected(event));
        self.ground.directory.recorder().do_send(Append::of(Writer::Run, vec![fact]));
    }

    fn packet(&self, purpose: PacketPurpose) -> Result<Packet, ContentError> {
        let (team, store) = (&self.ground.team, &self.ground.content);
        let attempt = self.attempt.as_ref().expect("a packet tells of an attempt");
        let (change, spec) = (attempt.change, &self.spec);
        let progress = Progress { done: attempt.step, of: attempt.steps };
        let work = team.work_of(change.task());
        let (to, purpose, checklist, links, stop) = match (purpose, &work.review) {
            (PacketPurpose::Review | PacketPurpose::Approval, review) => {
                let base = attempt.base.expect("a change is made on a base");
                let links = vec![packing::pack(store, base, attempt.plan_made())?];
                let links = links.into_iter().chain(self.link_to_report()).chain(self.links_to_reads()).collect();
                let waiting: Vec<String> = attempt.left_to_people.iter().map(|left| left.what.clone()).collect();
                let beside = packing::Beside { done: &attempt.used, waiting: &waiting };
                let mut checklist = packing::checklist(attempt.updates(), &beside);
                checklist.extend(self.claim_of_rework(1));
                let (to, purpose) = match review {
                    Some(review) if purpose == PacketPurpose::Review => (review.role.clone(), Purpose::Review),
                    _ => (spec.role.clone(), Purpose::Approval),
                };
                (to, purpose, checklist, links, "the change is made")
            }
            (purpose, _) => {
                let (purpose, stop) = match purpose {
                    PacketPurpose::LastTurn => (Purpose::LastTurn, "a budget is used up"),
                    _ => (Purpose::Successor, "the context is full"),
                };
                let links = [self.notes()?].into_iter().chain(self.link_to_report()).collect();
                let checklist = packing::progress_list(progress);
                (spec.role.clone(), purpose, checklist, links, stop)
            }
        };
        Ok(Packet {
            v: baton_packets::FORMAT,
            run: team.run.clone(),
            task: change.task().to_string(),
            from: spec.name.clone(),
            to,
            purpose,
            base: attempt.base.map(|base| base.to_hex()),
            change: change.to_string(),
            checklist,
            links,
            risks: Vec::new(),
            decisions: Vec::new(),
            questions: attempt.asks.iter().map(|asks| one_line(&asks.detail, NOTE_MAX)).collect(),
            progress: Some(progress),
            stop: stop.to_owned(),
            previous: attempt.handed.as_ref().map(|handed| handed.digest.clone()),
        })
    }

    fn links_to_reads(&self) -> Vec<Link> {
        let attempt = self.attempt.as_ref().expect("a packet tells of an attempt");
        let link = |read: &baton_record::event::Read| {
            let (what, at, digest) = ("read".to_owned(), read.path.clone(), read.blob?.to_hex());
            Some(Link { what, kind: LinkKind::File, at, digest, bytes: None })
        };
        let fits = |link: &Link| link.at.len() <= READ_BYTES_MAX && baton_packets::is_path(&link.at);
        attempt.plan_made().reads.iter().filter_map(link).filter(fits).take(READS_MAX).collect()
    }

    /// What a script leaves to its successor in place of thoughts: which calls it made.
    fn notes(&self) -> Result<Link, ContentError> {
        let attempt = self.attempt.as_ref().expect("a packet tells of an attempt");
        let lane = &self.spec.name;
        let notes = format!("{lane} made calls up to {} for {}\n", attempt.step, attempt.change);
        packing::content_link(&self.ground.content, "notes", notes.as_bytes())
    }

    /// The packet moved nothing: it is made anew, but not for ever.
    pub(super) fn mend_packet(&mut self, ctx: &mut Context<Lane>) {
        let attempt = self.attempt.as_mut().expect("a packet tells of an attempt");
        attempt.packets_refused += 1;
        if attempt.packets_refused >= REFUSALS_MAX {
            return self.give_back(ReturnReason::NoPacket, ctx);
        }
        let purpose = attempt.offers.expect("a packet that was refused was offered");
        self.hand_over(purpose, ctx);
    }

    pub(super) fn give_back(&mut self, reason: ReturnReason, ctx: &mut Context<Lane>) {
        let change = self.attempt.as_ref().expect("what is given back is an attempt").change;
        self.stage = Stage::HandingOver;
        self.ask(Want::GiveBack { change, reason }, ctx);
    }

    /// No call fits under a limit any more: what was begun is handed back with what is known of it.
    pub(super) fn take_last_turn(&mut self, ctx: &mut Context<Lane>) {
        let attempt = self.attempt.as_ref().expect("a call is asked for in an attempt");
        let worth = attempt.has_progress() && !self.judges() && self.ground.team.landing == LandingKind::Merger;
        if worth {
            self.hand_over(PacketPurpose::LastTurn, ctx);
        } else {
            self.give_back(ReturnReason::BudgetOver, ctx);
        }
    }

    /// Says what it found, item by item, and what a person is asked if that is to be the last word.
    pub(super) fn judge(&mut self, ctx: &mut Context<Lane>) {
        let attempt = self.attempt.as_mut().expect("a judgement is an attempt");
        let handed = attempt.handed.as_ref().expect("what is judged was handed over");
        let review =
            self.ground.team.work_of(attempt.change.task()).review.as_ref().expect("somebody reviews this task");
        let approved = !attempt.draws.chance_ppm(review.returns_ppm);
        let count = handed.packet.checklist.len() as u64;
        let fallen = (!approved).then(|| attempt.draws.below(count.max(1)) as u32);
        let items = handed.packet.checklist.iter().enumerate().map(|(at, _)| judged(at as u32, fallen));
        let (change, items) = (attempt.change, items.collect());
        let asks = match self.lack_of_judgement(approved) {
            Ok(lack) => lack.map(|lack| self.question(lack)),
            Err(error) => return self.fail(Failure::Content(error)),
        };
        let want = Want::Review { change, approved, items, asks };
        self.stage = Stage::Judging;
        self.ask(want, ctx);
    }

    /// What a person is asked after a judgement: about the rounds, if they are over with it, or about the plan.
    fn lack_of_judgement(&self, approved: bool) -> Result<Option<Lack>, ContentError> {
        let attempt = self.attempt.as_ref().expect("a judgement is an attempt");
        let work = self.ground.team.work_of(attempt.change.task());
        if approved && !work.plan {
            return Ok(None);
        }
        let handed = attempt.handed.as_ref().expect("what is judged was handed over");
        let paths = match packing::unpack(&self.ground.content, &handed.packet)? {
            Unpacked::Change(_, planned) => planned.edits.iter().map(|edit| edit.path().to_owned()).collect(),
            Unpacked::Nothing(_) => Vec::new(),
        };
        let rounds = work.review.as_ref().map_or(0, |review| review.rounds);
        Ok(Some(if approved { Lack::of_plan(paths) } else { Lack::of_rounds(rounds, paths) }))
    }

    /// Gives the task up once all that it consists of is done, if none of that can land.
    pub(super) fn ends_empty(&mut self, ctx: &mut Context<Lane>) -> bool {
        let change = self.attempt.as_ref().expect("what is given up is an attempt").change;
        let team = &self.ground.team;
        let empty = team.landing == LandingKind::Merger && !team.work_of(change.task()).can_land();
        if empty {
            self.stage = Stage::HandingOver;
            self.ask(Want::GiveUp { change }, ctx);
        }
        empty
    }

    /// Submits the change that was handed over, as its author made it.
    pub(super) fn submit_handed(&mut self, ctx: &mut Context<Lane>) {
        if self.ends_empty(ctx) {
            return;
        }
        let attempt = self.attempt.as_mut().expect("a judgement is an attempt");
        let handed = attempt.handed.as_ref().expect("what is judged was handed over");
        match packing::unpack(&self.ground.content, &handed.packet) {
            Ok(Unpacked::Change(base, planned)) => {
                let own = &self.spec.name;
                let author = Some(handed.packet.from.clone()).filter(|author| author != own);
                attempt.take_over(base, planned, author);
                self.lease_or_submit(ctx);
            }
            Ok(Unpacked::Nothing(why)) => self.fail(Failure::Broken(why.to_owned())),
            Err(error) => self.fail(Failure::Content(error)),
        }
    }
}

fn judged(at: u32, fallen: Option<u32>) -> ReviewItem {
    let held = fallen != Some(at);
    let reason = if held { String::new() } else { "the reviewer's script sends it back".to_owned() };
    ReviewItem { item: at, held, reason }
}
