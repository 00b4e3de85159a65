//! Owns the one pass over the journal: hands each record to every check, in the order in which they
//! build on each other.
//!
//! Deliberately does not know what any check looks for.

use crate::approvals::Approvals;
use crate::board::Board;
use crate::budgets::Budgets;
use crate::changes::Changes;
use crate::control::Control;
use crate::effects::Effects;
use crate::gates::Gates;
use crate::lanes::Lanes;
use crate::leases::Leases;
use crate::life::Lives;
use crate::opening::Opening;
use crate::orders::{Orders, View};
use crate::packets::Packets;
use crate::pause::Pauses;
use crate::roles::Roles;
use crate::rollover::Rollovers;
use crate::sequel::Sequel;
use crate::slots::Slots;
use crate::stop::Ends;
use crate::who::Who;
use baton_record::line::Record;

/// Every check's state.
#[derive(Default)]
pub(crate) struct Fold {
    pub(crate) ends: Ends,
    pub(crate) changes: Changes,
    pub(crate) leases: Leases,
    pub(crate) slots: Slots,
    pub(crate) budgets: Budgets,
    pub(crate) gates: Gates,
    pub(crate) board: Board,
    pub(crate) packets: Packets,
    pub(crate) approvals: Approvals,
    pub(crate) pauses: Pauses,
    pub(crate) who: Who,
    pub(crate) effects: Effects,
    pub(crate) lives: Lives,
    pub(crate) control: Control,
    pub(crate) sequel: Sequel,
    pub(crate) opening: Opening,
    pub(crate) roles: Roles,
    pub(crate) orders: Orders,
    pub(crate) rollovers: Rollovers,
}

impl Fold {
    pub(crate) fn see(&mut self, seq: u64, record: &Record, lanes: &Lanes) {
        let at_work = self.opening.is_over();
        self.sequel.before(seq, record, (&self.slots, &self.leases), (&self.budgets, at_work));
        let (board, leases, pauses, packets) = (&self.board, &self.leases, &self.pauses, &self.packets);
        self.orders.see(seq, record, &View { lanes, board, leases, pauses, packets, at_work });
        self.approvals.see(seq, record, (&self.board, &self.changes, &self.packets));
        self.opening.see(seq, record);
        self.ends.see(seq, record);
        self.changes.see(seq, record);
        self.leases.see(seq, record, &self.changes);
        self.slots.see(seq, record);
        self.budgets.see(seq, record);
        self.gates.see(seq, record, &self.changes);
        self.board.see(seq, record, (&self.changes, &self.packets));
        self.pauses.see(seq, record);
        self.who.see(seq, record, &self.changes);
        self.effects.see(seq, record);
        self.lives.see(seq, record, lanes);
        let name = record.lane.and_then(|lane| lanes.name(lane));
        self.roles.see(seq, record, (&self.changes, name));
        self.control.see(seq, record, &self.changes);
        self.sequel.after(record, (&self.slots, &self.leases), (&self.board, &self.changes, &self.packets));
        self.rollovers.see(seq, record, (name, &self.packets));
        self.packets.see(seq, record, (&self.changes, record.lane.and_then(|lane| lanes.name(lane))));
    }
}
