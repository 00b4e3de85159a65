//! What slots are, said differently: one line of calls per endpoint, of which the first few run unless all is quiet.

use crate::room_model::RoomModel;
use crate::team::{LANES, SLOTS};
use baton_core::board::Board;
use baton_core::slots::{CallEnd, Slots, Wanted};
use baton_core::{Command, Refusal, Supervision};
use baton_record::{EffectKey, LaneId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(crate) struct SlotModel {
    lines: [Vec<Call>; 2],
    rooms: [RoomModel; 2],
    /// Calls that ended with a result.
    ended: BTreeSet<EffectKey>,
    /// Those of each lane since it was last given an attempt.
    recent: BTreeMap<LaneId, BTreeSet<EffectKey>>,
    quiet: bool,
}

#[derive(Clone, Copy)]
struct Call {
    lane: LaneId,
    key: EffectKey,
    runs: bool,
    let_through: bool,
    /// Complaints that its endpoint had made when it began.
    began: usize,
}

impl SlotModel {
    /// What a command about calls must be answered; `None` if it is not about calls.
    pub(crate) fn expected(&self, command: &Command, before: &Supervision) -> Option<Result<(), Refusal>> {
        match command {
            Command::StartCall { lane, change, wanted: Wanted { key, .. } } => Some(match self.call_of(*lane) {
                _ if !before.board.works_on(*lane, *change) || self.ended.contains(key) => Err(Refusal::Stale),
                Some(call) if call.key != *key => Err(Refusal::Stale),
                Some(call) if call.runs => Err(Refusal::Repeated),
                Some(_) => Err(Refusal::Waiting),
                None => Ok(()),
            }),
            Command::EndCall { lane, key, .. } => Some(match self.call_of(*lane) {
                _ if self.recent.get(lane).is_some_and(|recent| recent.contains(key)) => Err(Refusal::Repeated),
                Some(call) if call.key == *key && call.runs => Ok(()),
                _ => Err(Refusal::Stale),
            }),
            _ => None,
        }
    }

    fn call_of(&self, lane: LaneId) -> Option<Call> {
        self.lines.iter().flatten().find(|call| call.lane == lane).copied()
    }

    /// Calls may have been let through since the last command.
    fn let_through(&mut self, slots: &Slots) {
        for ((line, room), all) in self.lines.iter_mut().zip(&mut self.rooms).zip(SLOTS) {
            let through: Vec<&mut Call> =
                line.iter_mut().filter(|call| call.runs && slots.is_admitted(call.lane)).collect();
            let count = through.len() as u32;
            for call in through.into_iter().filter(|call| !call.let_through) {
                assert!(count <= room.room(all), "a call is let through where there is no room");
                (call.let_through, call.began) = (true, room.complaints());
                room.let_through(count);
            }
        }
    }

    fn hear(&mut self, lane: LaneId, status: u16) {
        for (line, room) in self.lines.iter().zip(&mut self.rooms) {
            let Some(call) = line.iter().find(|call| call.lane == lane) else { continue };
            let there = line.iter().filter(|other| other.runs && (other.let_through || !call.let_through)).count();
            room.hear(status, call.began, there as u32);
        }
    }

    /// An accepted command takes effect, and whatever may start starts. The lanes whose calls started, in order.
    pub(crate) fn follow(&mut self, command: &Command, before: &Supervision, after: &Board) -> Vec<LaneId> {
        self.let_through(&before.slots);
        let before = &before.board;
        self.recent
            .retain(|lane, _| after.owned_by(*lane).is_none() || after.owned_by(*lane) == before.owned_by(*lane));
        match command {
            Command::StartCall { lane, wanted: Wanted { endpoint, key, .. }, .. } => {
                self.lines[endpoint.0 as usize].push(Call {
                    lane: *lane,
                    key: *key,
                    runs: false,
                    let_through: false,
                    began: 0,
                });
            }
            Command::EndCall { lane, key, end } => {
                self.hear(*lane, if let CallEnd::Refused { status, .. } = end { *status } else { 0 });
                self.ended.insert(*key);
                self.recent.entry(*lane).or_default().insert(*key);
                self.drop(|call| call.lane == *lane);
            }
            Command::LoseLane { lane, .. } => self.drop(|call| call.lane == *lane),
            Command::Settle { change, .. } => {
                let owner = LANES.into_iter().find(|lane| before.owned_by(*lane) == Some(*change));
                self.drop(|call| Some(call.lane) == owner && !call.runs);
            }
            Command::Pause { .. } => self.quiet = true,
            Command::Resume { .. } => self.quiet = false,
            _ => {}
        }
        let mut started = Vec::new();
        for ((line, room), slots) in self.lines.iter_mut().zip(&self.rooms).zip(SLOTS) {
            let fit = room.room(slots) as usize;
            for call in line.iter_mut().take(fit).filter(|call| !call.runs && !self.quiet) {
                (call.runs, call.began) = (true, room.complaints());
                started.push(call.lane);
            }
        }
        started
    }

    fn drop(&mut self, gone: impl Fn(&Call) -> bool) {
        self.lines.iter_mut().for_each(|line| line.retain(|call| !gone(call)));
    }

    pub(crate) fn check(&self, slots: &Slots) {
        for lane in LANES {
            let runs = self.call_of(lane).filter(|call| call.runs).map(|call| call.key);
            assert_eq!(slots.running(lane), runs, "what {lane:?} calls");
        }
        let waiting = self.lines.iter().flatten().filter(|call| !call.runs).count();
        assert_eq!(slots.waiting(), waiting, "how many wait for a slot");
        for (line, slots) in self.lines.iter().zip(SLOTS) {
            let running = line.iter().filter(|call| call.runs).count();
            assert!(slots == 0 || running <= slots as usize, "more calls than slots");
        }
    }
}
