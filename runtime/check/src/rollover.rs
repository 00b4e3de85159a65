//! Owns when a lane's context is full: work is handed to a successor where the next call would not fit any more, and no
//! call is begun that does not (HAND-2).
//!
//! Deliberately does not know where limits stand: they are not in the journal, and are handed in when it is read.

use crate::packets::Packets;
use crate::report::Judgement;
use baton_record::event::PacketPurpose;
use baton_record::line::Record;
use baton_record::{Event, LaneId};
use std::collections::BTreeMap;

/// What a lane's context holds in its present attempt.
#[derive(Clone, Copy, Debug, Default)]
struct Meter {
    used: u64,
    calls: u32,
    /// What its latest call could use at most; all calls of a lane can use the same.
    bound: u64,
}

/// Tokens, and the record that says so.
type Mark = Option<(u64, u64)>;

/// What a role's lanes came to.
#[derive(Clone, Copy, Debug, Default)]
struct Role {
    /// The most that a context would have held after a call that was begun in it.
    most: Mark,
    /// The least that it would have held after the next call, where work was handed on in place of that.
    least: Mark,
}

/// The contexts of all lanes.
#[derive(Debug, Default)]
pub(crate) struct Rollovers {
    lanes: BTreeMap<LaneId, Meter>,
    roles: BTreeMap<String, Role>,
}

impl Rollovers {
    /// Before `packets` has seen the record.
    pub(crate) fn see(&mut self, seq: u64, record: &Record, (name, packets): (Option<&str>, &Packets)) {
        let Some(lane) = record.lane else { return };
        let meter = self.lanes.entry(lane).or_default();
        match &record.event {
            Event::TaskAssigned(_) => *meter = Meter::default(),
            Event::EffectDone(done) => {
                meter.calls += 1;
                meter.used = meter.used.saturating_add(done.tokens_in).saturating_add(done.tokens_out);
            }
            Event::EffectIntended(call) => {
                meter.bound = call.reserved.tokens;
                let judges = record.task.is_some_and(|task| packets.at_review(task));
                let then = meter.used.saturating_add(meter.bound);
                if meter.calls > 0 && !judges {
                    let most = &mut role_of(&mut self.roles, name).most;
                    *most = Some(most.map_or((then, seq), |known| known.max((then, seq))));
                }
            }
            Event::PacketOffered(offered) if offered.purpose == PacketPurpose::Successor => {
                let then = meter.used.saturating_add(meter.bound);
                let least = &mut role_of(&mut self.roles, name).least;
                *least = Some(least.map_or((then, seq), |known| known.min((then, seq))));
            }
            _ => {}
        }
    }

    /// HAND-2. `limit`: of a role; `None`: it has none.
    pub(crate) fn judge(&self, limit: impl Fn(&str) -> Option<u64>) -> Judgement {
        let mut hand_2 = Judgement::default();
        for (name, role) in &self.roles {
            let limit = limit(name);
            if let Some((then, seq)) = role.least {
                hand_2.claim(limit.is_some_and(|limit| then > limit), || {
                    format!("record {seq}: a lane of {name} hands on for want of context, and its next call would fit")
                });
            }
            if let Some(((then, seq), limit)) = role.most.zip(limit) {
                hand_2.claim(then <= limit, || {
                    format!(
                        "record {seq}: a lane of {name} calls with {then} tokens of context, and {limit} is its limit"
                    )
                });
            }
        }
        hand_2
    }
}

fn role_of<'r>(roles: &'r mut BTreeMap<String, Role>, lane: Option<&str>) -> &'r mut Role {
    let role = lane.and_then(|name| name.rsplit_once('.')).map_or("", |(role, _)| role);
    if !roles.contains_key(role) {
        roles.insert(role.to_owned(), Role::default());
    }
    roles.get_mut(role).expect("it was just put there")
}
