//! A task's way from lane to lane: at which desk it lies, which packet lies with it, how often it was handed on and
//! judged. Knows no owner and no packet's content.

use baton_record::event::{PacketPurpose, ReturnReason, ReviewGiven};
use baton_record::{LaneId, PacketId, RoleId};

/// Whose turn it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Desk {
    /// The role that makes the change.
    #[default]
    Work,
    /// The role that judges it.
    Review,
}

/// What the next owner of a task begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brief {
    /// The packet.
    pub packet: PacketId,
    /// What it was handed on for.
    pub purpose: PacketPurpose,
    /// Whose turn it is now.
    pub desk: Desk,
    /// A person has approved the packet's change: it needs no other review.
    pub approved: bool,
}

/// Where a task is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Hash)]
pub(super) struct Route {
    /// Who judges, and after how many rounds a person decides; `None`: nobody.
    pub(super) review: Option<(RoleId, u16)>,
    pub(super) desk: Desk,
    packet: Option<(PacketId, PacketPurpose)>,
    /// Who handed it on last.
    pub(super) giver: Option<LaneId>,
    /// Whether its next owner goes on where the last one ended.
    pub(super) continued: bool,
    /// How often it was handed on.
    pub(super) handed: u16,
    /// How often its change was judged since it was last begun from nothing.
    pub(super) rounds: u16,
    /// Whether its present owner has approved the packet's change.
    pub(super) reviewed: bool,
    /// Whether a person has.
    approved: bool,
    /// Packets of its present owner that were refused.
    pub(super) refused: u16,
}

impl Route {
    /// A task that nobody has begun.
    pub(super) fn of(review: Option<(RoleId, u16)>) -> Route {
        Route { review, ..Route::default() }
    }

    pub(super) fn brief(&self) -> Option<Brief> {
        let (packet, purpose) = self.packet?;
        Some(Brief { packet, purpose, desk: self.desk, approved: self.approved })
    }

    /// Whether so many reviews have said no that a person decides.
    pub(super) fn rounds_used_up(&self) -> bool {
        self.review.is_some_and(|(_, most)| self.rounds + 1 >= most)
    }

    pub(super) fn accept(&mut self, packet: (PacketId, PacketPurpose)) {
        self.packet = Some(packet);
    }

    pub(super) fn judged(&mut self, review: &ReviewGiven) {
        self.rounds += 1;
        assert_eq!(review.round, u32::from(self.rounds), "rounds are numbered without gaps");
        self.reviewed = review.approved;
    }

    /// A person lets the packet's change land.
    pub(super) fn approve(&mut self) {
        self.approved = true;
    }

    pub(super) fn assigned(&mut self) {
        (self.continued, self.reviewed, self.refused) = (false, false, 0);
    }

    pub(super) fn returned(&mut self, giver: LaneId, reason: ReturnReason) {
        self.giver = None;
        match reason {
            ReturnReason::HandedOver => {
                self.handed += 1;
                (self.giver, self.continued) = (Some(giver), true);
                if self.packet.is_some_and(|(_, purpose)| purpose == PacketPurpose::Review) {
                    (self.desk, self.approved) = (Desk::Review, false);
                }
            }
            // Whoever takes it then goes on with exactly this change.
            ReturnReason::WaitsForPerson => (self.approved, self.continued) = (false, true),
            ReturnReason::SentBack => (self.desk, self.continued) = (Desk::Work, true),
            // Nobody's fault: whoever has it next does not begin it once more.
            ReturnReason::Reassigned => (self.giver, self.continued) = (Some(giver), true),
            ReturnReason::Refused => {
                (self.desk, self.packet, self.rounds, self.approved) = (Desk::Work, None, 0, false);
            }
            _ => {}
        }
    }
}
