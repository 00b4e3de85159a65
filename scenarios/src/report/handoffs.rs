//! What handing on costs: how long packets lie, what their receivers read and spend before they come further, and what is
//! done again.

use super::roster::{Attempt, Cost, Roster, is_again};
use super::sample::{Counts, Distribution, Samples, word};
use baton_record::event::{PacketOffered, PacketPurpose};
use baton_record::{ChangeId, Event, PacketId, TaskId};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Packets of a run, and their debt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Handoffs {
    /// Packets offered.
    pub offered: u64,
    /// Packets accepted.
    pub accepted: u64,
    /// Packets refused.
    pub refused: u64,
    /// Attempts that offered a packet which was refused.
    pub refused_attempts: u64,
    /// Flaws of refused packets.
    pub flaws: u64,
    /// Debt by purpose, in the order of the alphabet.
    pub by_purpose: Vec<Debt>,
}

/// What accepted packets of one purpose cost their receivers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Debt {
    /// `last-turn`, `review` or `successor`.
    pub purpose: String,
    /// Packets accepted.
    pub accepted: u64,
    /// Bytes of their JSON.
    pub bytes: u64,
    /// Questions that they ask; `None` until their content is read, or if one of them is gone.
    pub questions: Option<u64>,
    /// Attempts that began with one of them.
    pub attempts: u64,
    /// From acceptance to the first of these attempts, one sample a packet.
    pub wait_us: Distribution,
    /// From the beginning of an attempt to its first progress.
    pub to_progress_us: Distribution,
    /// What calls used that ended in these attempts until their first progress, that included.
    pub to_progress: Cost,
    /// What calls used that were answered in an attempt, lost with it, and left to another that began with the same packet.
    pub redone: Cost,
}

#[derive(Clone, Debug)]
struct Packet {
    purpose: PacketPurpose,
    accepted_us: u64,
    taken: bool,
    /// What will be done again, if another attempt begins with it.
    lost: Cost,
}

/// An attempt that began with a packet.
#[derive(Clone, Copy, Debug)]
struct Received {
    attempt: Attempt,
    packet: PacketId,
    answered: Cost,
    progressed: bool,
}

#[derive(Clone, Debug, Default)]
struct Debts {
    told: Debt,
    wait: Samples,
    to_progress: Samples,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Debtors {
    told: Handoffs,
    refused: BTreeSet<ChangeId>,
    /// By task: the latest offer.
    offers: BTreeMap<TaskId, PacketOffered>,
    packets: BTreeMap<PacketId, Packet>,
    received: BTreeMap<TaskId, Received>,
    debts: BTreeMap<PacketPurpose, Debts>,
    /// Digests of accepted packets.
    pub(super) digests: Vec<(PacketPurpose, String)>,
}

impl Debtors {
    /// What ends an attempt or a call is seen before `roster` has taken it in, everything else after that.
    pub(super) fn see(&mut self, t_us: u64, task: Option<TaskId>, event: &Event, roster: &Roster) {
        let Some(task) = task else { return };
        match event {
            Event::PacketOffered(offered) => {
                self.told.offered += 1;
                self.progress(t_us, task);
                self.offers.insert(task, offered.clone());
            }
            Event::PacketRefused(refused) => {
                self.told.refused += 1;
                self.told.flaws += refused.flaws.len() as u64;
                self.refused.extend(self.offers.get(&task).map(|offered| offered.change));
            }
            Event::PacketAccepted(_) => self.accept(t_us, task),
            Event::TaskAssigned(_) => self.begin(t_us, task, roster),
            Event::ReviewGiven(_) | Event::ChangeSubmitted(_) => self.progress(t_us, task),
            Event::TaskReturned(returned) => {
                if let Some(received) = self.received.remove(&task).filter(|_| is_lost(returned.reason)) {
                    self.packets
                        .get_mut(&received.packet)
                        .into_iter()
                        .for_each(|packet| packet.lost += received.answered);
                }
            }
            Event::TaskDone(_) | Event::TaskFailed(_) => drop(self.received.remove(&task)),
            _ => self.call(t_us, task, event),
        }
    }

    fn accept(&mut self, t_us: u64, task: TaskId) {
        self.told.accepted += 1;
        let Some(PacketOffered { packet, digest, bytes, purpose, .. }) = self.offers.get(&task).cloned() else {
            return;
        };
        let new = Packet { purpose, accepted_us: t_us, taken: false, lost: Cost::default() };
        self.packets.insert(packet, new);
        self.digests.push((purpose, digest));
        let debts = self.debts.entry(purpose).or_default();
        (debts.told.accepted, debts.told.bytes) = (debts.told.accepted + 1, debts.told.bytes.saturating_add(bytes));
    }

    fn begin(&mut self, t_us: u64, task: TaskId, roster: &Roster) {
        self.received.remove(&task);
        let attempt = roster.task(task).and_then(|seen| seen.attempt);
        let Some((attempt, id)) = attempt.and_then(|attempt| Some((attempt, attempt.packet?))) else { return };
        let Some(packet) = self.packets.get_mut(&id) else { return };
        let debts = self.debts.entry(packet.purpose).or_default();
        debts.told.attempts += 1;
        debts.told.redone += std::mem::take(&mut packet.lost);
        if !std::mem::replace(&mut packet.taken, true) {
            debts.wait.add(t_us - packet.accepted_us);
        }
        let new = Received { attempt, packet: id, answered: Cost::default(), progressed: false };
        self.received.insert(task, new);
    }

    fn call(&mut self, t_us: u64, task: TaskId, event: &Event) {
        let Some((cost, received)) = Cost::of(event).zip(self.received.get_mut(&task)) else { return };
        let answered = matches!(event, Event::EffectDone(_));
        if answered {
            received.answered += cost;
        }
        if !received.progressed {
            let debts = self.packets.get(&received.packet).map(|packet| packet.purpose);
            debts
                .and_then(|purpose| self.debts.get_mut(&purpose))
                .into_iter()
                .for_each(|debts| debts.told.to_progress += cost);
        }
        if answered {
            self.progress(t_us, task);
        }
    }

    /// The attempt comes further for the first time.
    fn progress(&mut self, t_us: u64, task: TaskId) {
        let Some(received) = self.received.get_mut(&task).filter(|received| !received.progressed) else { return };
        received.progressed = true;
        let purpose = self.packets.get(&received.packet).map(|packet| packet.purpose);
        if let Some(debts) = purpose.and_then(|purpose| self.debts.get_mut(&purpose)) {
            debts.to_progress.add(t_us - received.attempt.began_us);
        }
    }

    pub(super) fn close(self) -> Handoffs {
        let debt = |(purpose, debts): (PacketPurpose, Debts)| Debt {
            purpose: word(&purpose),
            wait_us: debts.wait.distribution(),
            to_progress_us: debts.to_progress.distribution(),
            ..debts.told
        };
        let mut by_purpose: Vec<Debt> = self.debts.into_iter().map(debt).collect();
        by_purpose.sort_by(|a, b| a.purpose.cmp(&b.purpose));
        Handoffs { refused_attempts: self.refused.len() as u64, by_purpose, ..self.told }
    }
}

/// Whether what was done in an attempt that ended so is lost, and the packet that it began with is not.
fn is_lost(reason: baton_record::event::ReturnReason) -> bool {
    use baton_record::event::ReturnReason;
    is_again(reason) && !matches!(reason, ReturnReason::SentBack | ReturnReason::Refused)
}

/// What was judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reviews {
    /// Judgements.
    pub given: u64,
    /// Of these: the change may land.
    pub approved: u64,
    /// Of these: the task goes back.
    pub returned: u64,
    /// Items judged.
    pub items: u64,
    /// Of these: that did not hold.
    pub items_fallen: u64,
    /// The highest round.
    pub rounds_max: u64,
    /// Judgements by lane.
    pub by_lane: Counts,
}

impl Reviews {
    pub(super) fn see(&mut self, lane: Option<&str>, event: &Event) {
        let Event::ReviewGiven(review) = event else { return };
        self.given += 1;
        self.approved += u64::from(review.approved);
        self.returned += u64::from(!review.approved);
        self.items += review.items.len() as u64;
        self.items_fallen += review.items.iter().filter(|item| !item.held).count() as u64;
        self.rounds_max = self.rounds_max.max(review.round.into());
        if let Some(name) = lane {
            self.by_lane.add(name);
        }
    }
}
