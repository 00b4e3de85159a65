//! Packets and judgements: what is looked into before a task moves, and what the next owner is told.

use super::{Answer, Briefing, Handing, Supervisor};
use crate::failure::Failure;
use crate::ground::Ground;
use crate::team::Team;
use crate::unmerged::Unmerged;
use actix::{AsyncContext, Context};
use baton_core::board::Offer;
use baton_core::{Command, Refusal};
use baton_packets::{Link, LinkKind, Packet, Purpose};
use baton_record::event::{PacketOffered, PacketPurpose};
use baton_record::{Event, LaneId, Oid, PacketId, TaskId};
use baton_world::ClockKind;
use baton_world::git::EntryMode;
use std::cell::RefCell;

/// Flaws that are written down of one packet.
const FLAWS_MAX: usize = 16;

/// See the table.
#[derive(Debug)]
pub struct PacketLooked {
    lane: LaneId,
    handing: Handing,
    looked: Result<Vec<String>, Failure>,
}

impl Supervisor {
    /// Looks into a packet, off the actor in `live`.
    pub(super) fn serve_handing(&mut self, lane: LaneId, handing: Handing, ctx: &mut Context<Supervisor>) {
        if !self.state.board.works_on(lane, handing.change) {
            return self.answer(lane, Answer::Over);
        }
        let (ground, from) = (self.ground.clone(), self.directory().roster().spec(lane).name.clone());
        let unmerged = self.unmerged.of(handing.change.task());
        let look = move || {
            let looked = flaws(&ground, (&from, unmerged.as_ref()), &handing);
            PacketLooked { lane, handing, looked }
        };
        match self.ground.clock.kind() {
            ClockKind::Virtual => self.on_packet_looked(look(), ctx),
            ClockKind::Real => {
                let address = ctx.address();
                tokio::task::spawn_blocking(move || address.do_send(look()));
            }
        }
    }

    pub(super) fn on_packet_looked(&mut self, looked: PacketLooked, ctx: &mut Context<Supervisor>) {
        let PacketLooked { lane, handing, looked } = looked;
        let flaws = match looked {
            Ok(flaws) => flaws,
            Err(failure) => return self.directory().fail(failure),
        };
        let Handing { change, to, purpose, digest, bytes, before, asks, fault } = handing;
        let packet = PacketOffered { packet: PacketId(0), digest, bytes, to, purpose, change };
        let fault = fault.filter(|_| !flaws.is_empty());
        let handed_max = self.ground.team.caps.handoffs;
        let hand_over = Command::HandOver { lane, offer: Offer { packet, flaws, fault, before, asks }, handed_max };
        match self.obey(&hand_over) {
            Ok(()) => self.employ_idle(),
            Err(Refusal::Repeated) => self.answer(lane, Answer::PacketRefused),
            Err(_) => self.answer(lane, Answer::Over),
        }
        self.stop_if_stuck(ctx);
    }

    pub(super) fn serve_review(&mut self, lane: LaneId, review: &Command) {
        match self.obey(review) {
            Ok(()) => self.employ_idle(),
            Err(Refusal::Repeated) => self.answer(lane, Answer::Reviewed),
            Err(_) => self.answer(lane, Answer::Over),
        }
    }

    pub(super) fn serve_give_back(&mut self, lane: LaneId, command: &Command) {
        match self.obey(command) {
            Ok(()) => self.employ_idle(),
            Err(_) => self.answer(lane, Answer::Over),
        }
    }

    /// What the owner of a task begins with.
    pub(super) fn briefing(&self, task: TaskId) -> Option<Briefing> {
        let brief = self.state.board.brief(task)?;
        let digest = self.packets.get(&brief.packet).expect("a packet was offered before it was accepted").clone();
        Some(Briefing { digest, purpose: brief.purpose, desk: brief.desk, approved: brief.approved })
    }

    pub(super) fn note_packet(&mut self, event: &Event) {
        if let Event::PacketOffered(offered) = event {
            self.packets.insert(offered.packet, offered.digest.clone());
        }
    }
}

/// The run's content and repository, as links are resolved against them; and why the store could not be read.
struct Shelves<'a>(&'a Ground, RefCell<Option<Failure>>);

impl baton_packets::Ground for Shelves<'_> {
    fn content(&self, digest: &str) -> Option<Vec<u8>> {
        self.0.content.get(digest).unwrap_or_else(|error| {
            self.1.borrow_mut().get_or_insert(Failure::Content(error));
            None
        })
    }

    fn file(&self, base: &str, path: &str) -> Option<String> {
        let repository = &self.0.repository;
        let tree = repository.commit(Oid::from_hex(base)?).ok()?.tree;
        let entry = repository.entry(tree, path).ok()??;
        let is_file = matches!(entry.mode, EntryMode::Regular | EntryMode::Executable | EntryMode::Symlink);
        is_file.then(|| entry.oid.to_hex())
    }
}

/// What is wrong with a packet: in itself, with its links, and beside what its lane says of it.
fn flaws(
    ground: &Ground,
    (from, unmerged): (&str, Option<&Unmerged>),
    handing: &Handing,
) -> Result<Vec<String>, Failure> {
    let Some(bytes) = ground.content.get(&handing.digest).map_err(Failure::Content)? else {
        return Ok(vec!["the packet is not in the content store".to_owned()]);
    };
    let mut flaws: Vec<String> = match baton_packets::read(&bytes) {
        Ok(packet) => {
            let shelves = Shelves(ground, RefCell::new(None));
            let unresolved = baton_packets::resolve(&packet, &shelves);
            if let Some(failure) = shelves.1.into_inner() {
                return Err(failure);
            }
            let told = unresolved.iter().map(ToString::to_string);
            let said = contradictions(&packet, (ground, from), handing).into_iter();
            said.chain(unreported(&packet, unmerged)).chain(told).collect()
        }
        Err(flaws) => flaws.iter().map(ToString::to_string).collect(),
    };
    flaws.extend(unlisted(&ground.team, from, handing));
    flaws.truncate(FLAWS_MAX);
    Ok(flaws)
}

/// Why the lane's role may not hand work to the packet's; a successor is of the same role and needs no leave.
fn unlisted(team: &Team, from: &str, handing: &Handing) -> Option<String> {
    let binding = team.binding_of_lane(from).filter(|_| handing.purpose == PacketPurpose::Review)?;
    if team.may_hand(binding, &handing.to) {
        return None;
    }
    Some(format!("the skill of {} does not let it hand work to {}", binding.role, handing.to))
}

/// What is wrong with the conflict report that a packet links to: there is one for a task whose change did not merge, it is that
/// of the newest such change, and nothing else is called so.
fn unreported(packet: &Packet, unmerged: Option<&Unmerged>) -> Vec<String> {
    let reports = packet.links.iter().enumerate().filter(|(_, link)| link.what == baton_packets::conflict::LINK);
    let is_it =
        |link: &Link| link.kind == LinkKind::Content && unmerged.is_some_and(|unmerged| unmerged.report == link.digest);
    let (fitting, strange): (Vec<_>, Vec<_>) = reports.partition(|(_, link)| is_it(link));
    let strange = strange.into_iter().map(|(at, _)| match unmerged {
        Some(Unmerged { change, .. }) => format!("at /links/{at}: it is not the conflict report of {change}"),
        None => format!("at /links/{at}: no change of the task has a conflict report"),
    });
    let missing = unmerged.filter(|_| fitting.is_empty());
    let missing =
        missing.map(|Unmerged { change, .. }| format!("at /links: the conflict report of {change} is missing"));
    strange.chain(missing).collect()
}

/// What a packet says otherwise than the lane that hands it on.
fn contradictions(packet: &Packet, (ground, from): (&Ground, &str), handing: &Handing) -> Vec<String> {
    let purpose = match packet.purpose {
        Purpose::Review => PacketPurpose::Review,
        Purpose::Successor => PacketPurpose::Successor,
        Purpose::LastTurn => PacketPurpose::LastTurn,
        Purpose::Approval => PacketPurpose::Approval,
    };
    let said = [
        ("run", packet.run == ground.team.run),
        ("task", packet.task == handing.change.task().to_string()),
        ("change", packet.change == handing.change.to_string()),
        ("from", packet.from == from),
        ("to", packet.to == handing.to),
        ("purpose", purpose == handing.purpose),
    ];
    let wrong = said.iter().filter(|(_, fits)| !fits);
    wrong.map(|(key, _)| format!("at /{key}: it is not what the lane hands on")).collect()
}
