//! Where the time of lanes went: each microsecond of each lane's life belongs to one state.

use super::roster::{Attempt, Roster};
use baton_record::event::RetireReason;
use baton_record::{ApprovalId, Event, LaneId, LeaseId, Names};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// What a lane does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is defined in docs/report.md")]
pub enum State {
    Idle,
    Working,
    WaitingForLease,
    Queueing,
    AtDoor,
    Thinking,
    Reviewing,
    HandingOver,
    WaitingForLanding,
    WaitingForPerson,
    Paused,
    Dead,
    Resting,
}

impl State {
    /// Every state with its word.
    pub const ALL: [(State, &str); 13] = [
        (State::Idle, "idle"),
        (State::Working, "working"),
        (State::WaitingForLease, "waiting_for_lease"),
        (State::Queueing, "queueing"),
        (State::AtDoor, "at_door"),
        (State::Thinking, "thinking"),
        (State::Reviewing, "reviewing"),
        (State::HandingOver, "handing_over"),
        (State::WaitingForLanding, "waiting_for_landing"),
        (State::WaitingForPerson, "waiting_for_person"),
        (State::Paused, "paused"),
        (State::Dead, "dead"),
        (State::Resting, "resting"),
    ];

    /// Whether a pause changes nothing about it.
    fn goes_on_in_a_pause(self) -> bool {
        matches!(self, State::Thinking | State::Reviewing | State::Dead)
    }
}

/// Microseconds by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times([u64; State::ALL.len()]);

impl Times {
    /// In this state.
    pub fn of(&self, state: State) -> u64 {
        self.0[state as usize]
    }

    /// In all of them.
    pub fn sum(&self) -> u64 {
        self.0.iter().sum()
    }

    fn add(&mut self, state: State, us: u64) {
        self.0[state as usize] += us;
    }

    fn join(&mut self, other: &Times) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine = mine.saturating_add(theirs));
    }
}

impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(State::ALL.len()))?;
        for (state, word) in State::ALL {
            map.serialize_entry(word, &self.of(state))?;
        }
        map.end()
    }
}

/// Lane time of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LaneTime {
    /// How many lanes joined.
    pub lanes: u64,
    /// From each lane's joining to the end of the journal, all lanes together.
    pub total_us: u64,
    /// All lanes together.
    pub team_us: Times,
    /// By role, in the order of joining.
    pub roles: Vec<RoleTime>,
    /// By lane, in the order of joining.
    pub by_lane: Vec<OneLaneTime>,
}

/// Lane time of one role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "as of the whole")]
pub struct RoleTime {
    pub role: String,
    pub lanes: u64,
    pub total_us: u64,
    pub states_us: Times,
}

/// The time of one lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "as of the whole")]
pub struct OneLaneTime {
    pub lane: String,
    pub role: String,
    pub total_us: u64,
    /// In which state the journal leaves it.
    pub last: &'static str,
    pub states_us: Times,
}

/// What the records say of a lane, before it is known how long it was so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Idle,
    Working,
    Leasing(LeaseId),
    Queueing,
    /// Its call was granted; whether it waits at a door is seen later.
    Granted,
    Admitted,
    HandingOver,
    Landing,
    Person(ApprovalId, /* it has submitted */ bool),
    Dead,
    Resting,
}

#[derive(Clone, Copy, Debug)]
struct Life {
    stand: Stand,
    since_us: u64,
    /// Time of pauses until `since_us`.
    paused_us: u64,
    /// It judges what another has made, and has not said what it found.
    judges: bool,
    /// Takes no more; `Some(true)`: until a limit is set anew.
    retired: Option<bool>,
    times: Times,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Lives {
    lives: Vec<Life>,
    /// Of each pause: when it began, when it ended if it has, and the time of all pauses before it.
    pauses: Vec<(u64, Option<u64>, u64)>,
    all_ended: bool,
    /// Lanes that take no more until a limit is set anew.
    out_of_money: u32,
}

impl Lives {
    /// The time of all pauses until then.
    fn paused_until(&self, t_us: u64) -> u64 {
        let begun = self.pauses.partition_point(|(since_us, ..)| *since_us <= t_us);
        let Some((since_us, until_us, before_us)) = begun.checked_sub(1).map(|last| self.pauses[last]) else {
            return 0;
        };
        before_us + until_us.map_or(t_us, |until_us| until_us.min(t_us)) - since_us
    }

    fn pause(&mut self, t_us: u64) {
        if self.pauses.last().is_none_or(|(_, until_us, _)| until_us.is_some()) {
            let before_us = self.paused_until(t_us);
            self.pauses.push((t_us, None, before_us));
        }
    }

    fn resume(&mut self, t_us: u64) {
        if let Some((_, until_us, _)) = self.pauses.last_mut() {
            *until_us = until_us.or(Some(t_us));
        }
    }

    /// The present interval of a lane was of this state; the next begins.
    fn close(&mut self, lane: LaneId, t_us: u64, (state, next): (State, Stand)) {
        let paused_us = self.paused_until(t_us);
        let life = &mut self.lives[lane.0 as usize];
        let within = paused_us - life.paused_us;
        let outside = t_us - life.since_us - within;
        life.times.add(state, outside);
        life.times.add(if state.goes_on_in_a_pause() { state } else { State::Paused }, within);
        (life.since_us, life.paused_us, life.stand) = (t_us, paused_us, next);
    }

    /// What the present interval of a lane was, if nothing tells otherwise.
    fn state(&self, lane: LaneId, roster: &Roster) -> State {
        let life = &self.lives[lane.0 as usize];
        match life.stand {
            Stand::Idle => State::Idle,
            Stand::Working if life.judges => State::Reviewing,
            Stand::Working => State::Working,
            Stand::Leasing(_) => State::WaitingForLease,
            Stand::Queueing => State::Queueing,
            Stand::Granted if self.at_rated(lane, roster) => State::AtDoor,
            Stand::Granted | Stand::Admitted if life.judges => State::Reviewing,
            Stand::Granted | Stand::Admitted => State::Thinking,
            Stand::HandingOver => State::HandingOver,
            Stand::Landing => State::WaitingForLanding,
            Stand::Person(..) => State::WaitingForPerson,
            Stand::Dead => State::Dead,
            Stand::Resting => State::Resting,
        }
    }

    fn at_rated(&self, lane: LaneId, roster: &Roster) -> bool {
        let call = roster.lane(lane).and_then(|seen| seen.call);
        call.and_then(|call| roster.endpoints.get(call.endpoint.0 as usize)).is_some_and(|endpoint| endpoint.rated)
    }

    fn turn(&mut self, lane: LaneId, t_us: u64, next: Stand, roster: &Roster) {
        let state = self.state(lane, roster);
        self.close(lane, t_us, (state, next));
    }

    /// Takes a record in; what ends something is seen before `roster` has taken it in, everything else after that.
    pub(super) fn see(&mut self, t_us: u64, lane: Option<LaneId>, event: &Event, roster: &Roster) {
        match event {
            Event::PauseRequested(_) => self.pause(t_us),
            Event::Resumed(_) => self.resume(t_us),
            Event::LaneJoined(_) => self.join(t_us, roster),
            Event::BudgetSet(_) => self.work_again(t_us, roster),
            Event::ApprovalGiven(given) => self.decided(t_us, given.approval, roster),
            Event::ApprovalTimedOut(over) => self.decided(t_us, over.approval, roster),
            _ => {}
        }
        if let Some(lane) = lane.filter(|lane| self.lives.get(lane.0 as usize).is_some()) {
            self.see_lane(t_us, lane, event, roster);
        }
        let ends = matches!(event, Event::TaskDone(_) | Event::TaskFailed(_));
        if ends && roster.open_tasks == 1 {
            self.all_ended = true;
            self.settle_idle(t_us, roster);
        }
    }

    fn join(&mut self, t_us: u64, roster: &Roster) {
        let paused_us = self.paused_until(t_us);
        let (stand, times) = (Stand::Idle, Times::default());
        let life = Life { stand, since_us: t_us, paused_us, judges: false, retired: None, times };
        self.lives.resize(roster.lanes.len(), life);
    }

    fn see_lane(&mut self, t_us: u64, lane: LaneId, event: &Event, roster: &Roster) {
        let stand = self.lives[lane.0 as usize].stand;
        let next = match (event, stand) {
            (Event::LaneDied(_), _) => Stand::Dead,
            (Event::LaneRestarted(_), Stand::Dead) => self.at_rest(lane),
            (_, Stand::Dead) => return,
            (Event::TaskAssigned(_), _) => return self.begin(t_us, lane, roster),
            // Its task went to another lane; the call that it makes goes on.
            (Event::TaskReturned(_), Stand::Granted | Stand::Admitted) => return,
            (Event::TaskReturned(_) | Event::TaskDone(_) | Event::TaskFailed(_), _) => self.at_rest(lane),
            (Event::LaneRetired(retired), _) => {
                self.retire(lane, retired.reason);
                if stand != Stand::Idle {
                    return;
                }
                Stand::Resting
            }
            (Event::LeaseRequested(request), Stand::Working) => Stand::Leasing(request.lease),
            (Event::FenceRaised(raised), Stand::Leasing(lease)) if raised.lease == lease => Stand::Working,
            (Event::LeaseReleased(end), Stand::Leasing(lease)) if end.lease == lease => Stand::Working,
            (Event::LeaseExpired(end), Stand::Leasing(lease)) if end.lease == lease => Stand::Working,
            (Event::SlotRequested(_), Stand::Working) => Stand::Queueing,
            (Event::SlotGranted(_), Stand::Queueing) => Stand::Granted,
            (Event::CallRefused(_) | Event::SlotReleased(_), Stand::Queueing) => Stand::Working,
            (Event::CallAdmitted(_), Stand::Granted) => {
                return self.close(lane, t_us, (State::AtDoor, Stand::Admitted));
            }
            (Event::EffectDone(_) | Event::EffectFailed(_), Stand::Granted) => {
                return self.close(lane, t_us, (self.called(lane), self.after_call(lane, roster)));
            }
            (
                Event::EffectDone(_) | Event::EffectFailed(_) | Event::EffectLost(_),
                Stand::Granted | Stand::Admitted,
            ) => self.after_call(lane, roster),
            (Event::PacketOffered(_), Stand::Working | Stand::HandingOver) => {
                return self.close(lane, t_us, (State::HandingOver, Stand::HandingOver));
            }
            (Event::ReviewGiven(_), Stand::Working) => {
                self.turn(lane, t_us, Stand::Working, roster);
                self.lives[lane.0 as usize].judges = false;
                return;
            }
            (Event::ChangeSubmitted(submitted), Stand::Working) => {
                // It has waited for the merger since it sent the change.
                let since_us = self.lives[lane.0 as usize].since_us;
                let sent_us = submitted.sent_us.map_or(t_us, |sent_us| sent_us.clamp(since_us, t_us));
                return self.turn(lane, sent_us, Stand::Landing, roster);
            }
            (Event::ApprovalAsked(asked), Stand::Working | Stand::Landing) => {
                if roster.attempt_of(lane).map(|attempt| attempt.change) != Some(asked.change) {
                    return;
                }
                Stand::Person(asked.approval, stand == Stand::Landing)
            }
            _ => return,
        };
        self.turn(lane, t_us, next, roster);
    }

    fn retire(&mut self, lane: LaneId, reason: RetireReason) {
        let until_a_limit = reason == RetireReason::BudgetOver;
        self.out_of_money += u32::from(until_a_limit);
        self.lives[lane.0 as usize].retired = Some(until_a_limit);
    }

    /// The state of a call that ended without having waited at a door.
    fn called(&self, lane: LaneId) -> State {
        if self.lives[lane.0 as usize].judges { State::Reviewing } else { State::Thinking }
    }

    /// Where a lane stands behind a call: it may have no task any more.
    fn after_call(&self, lane: LaneId, roster: &Roster) -> Stand {
        if roster.attempt_of(lane).is_some() { Stand::Working } else { self.at_rest(lane) }
    }

    fn begin(&mut self, t_us: u64, lane: LaneId, roster: &Roster) {
        self.turn(lane, t_us, Stand::Working, roster);
        let review = roster.attempt_of(lane).is_some_and(|Attempt { review, .. }| review);
        self.lives[lane.0 as usize].judges = review;
    }

    /// What a lane without a task does.
    fn at_rest(&self, lane: LaneId) -> Stand {
        let retired = self.lives[lane.0 as usize].retired.is_some();
        if retired || self.all_ended { Stand::Resting } else { Stand::Idle }
    }

    /// Whoever has no task any more rests, or takes work again.
    fn settle_idle(&mut self, t_us: u64, roster: &Roster) {
        for lane in (0..self.lives.len() as u32).map(LaneId) {
            let stand = self.lives[lane.0 as usize].stand;
            let next = self.at_rest(lane);
            if matches!(stand, Stand::Idle | Stand::Resting) && stand != next {
                self.turn(lane, t_us, next, roster);
            }
        }
    }

    fn work_again(&mut self, t_us: u64, roster: &Roster) {
        if std::mem::take(&mut self.out_of_money) == 0 {
            return;
        }
        for life in &mut self.lives {
            life.retired = life.retired.filter(|until_a_limit| !until_a_limit);
        }
        self.settle_idle(t_us, roster);
    }

    fn decided(&mut self, t_us: u64, approval: ApprovalId, roster: &Roster) {
        for lane in (0..self.lives.len() as u32).map(LaneId) {
            if let Stand::Person(asked, submitted) = self.lives[lane.0 as usize].stand
                && asked == approval
            {
                self.turn(lane, t_us, if submitted { Stand::Landing } else { Stand::Working }, roster);
            }
        }
    }

    /// Intervals that are open end with the journal.
    pub(super) fn close_all(mut self, end_us: u64, roster: &Roster, names: &Names) -> LaneTime {
        let mut told = LaneTime { lanes: self.lives.len() as u64, ..LaneTime::default() };
        let role = |role: &String| RoleTime { role: role.clone(), ..RoleTime::default() };
        told.roles = roster.roles.iter().map(role).collect();
        for lane in (0..self.lives.len() as u32).map(LaneId) {
            let last = self.state(lane, roster);
            self.turn(lane, end_us, Stand::Idle, roster);
            let states_us = self.lives[lane.0 as usize].times;
            let seen = &roster.lanes[lane.0 as usize];
            let total_us = end_us - seen.joined_us;
            assert_eq!(states_us.sum(), total_us, "every moment of a lane's life belongs to one state");
            let of_role = &mut told.roles[seen.role];
            (of_role.lanes, of_role.total_us) = (of_role.lanes + 1, of_role.total_us.saturating_add(total_us));
            of_role.states_us.join(&states_us);
            told.team_us.join(&states_us);
            told.total_us = told.total_us.saturating_add(total_us);
            let (name, role) = (names.lane(lane).unwrap_or_default().to_owned(), roster.role_of(lane).to_owned());
            let last = State::ALL[last as usize].1;
            told.by_lane.push(OneLaneTime { lane: name, role, total_us, last, states_us });
        }
        told
    }
}
